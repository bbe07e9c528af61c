"""Print the tests that the commits since a branch need, as an output of a GitHub job.

In lesson 05/01 the environment is that of `own_git(home, date)`.
"""

import subprocess
import sys
from pathlib import Path

from oakbank.scale.monorepo import affected

command = ["git", "diff", "--name-only", f"{sys.argv[1]}...HEAD"]
changed = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split()  # noqa: S603
names = affected(Path.cwd(), changed)
print("tests=" + " ".join(f"tests/test_{name}.py" for name in names))
