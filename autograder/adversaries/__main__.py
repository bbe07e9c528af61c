"""Write the table of attacks: `python -m autograder.adversaries`."""

from autograder.adversaries import HERE, table
from course.paths import write_text

write_text(HERE / "README.md", table())
