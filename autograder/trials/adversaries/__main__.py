"""Write the table of attacks: `python -m autograder.trials.adversaries`."""

from autograder.trials.adversaries import HERE, table
from base.files import write_text

write_text(HERE / "README.md", table())
