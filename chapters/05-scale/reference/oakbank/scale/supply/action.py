"""A repository whose step a CI borrows, and what the CI does with its name: fetch it and run it."""

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

STEP = "run.py"
"""The file that is run. GitHub's `action.yml` would name it."""


class Action:
    """A repository of git with one step.

    Args:
        folder: A new folder.
        environment: For git: what `course.lesson.own_git(home, date)` makes.
    """

    def __init__(self, folder: Path, environment: Mapping[str, str]) -> None:
        folder.mkdir(parents=True)
        self.folder, self.environment = folder, dict(environment)
        self.git("init", "-q")

    def git(self, *words: str) -> str:
        """Run a command of git in the repository and return what it says. Raises subprocess.CalledProcessError."""
        command = ["git", "-C", str(self.folder), *words]
        done = subprocess.run(  # noqa: S603
            command, env=self.environment, capture_output=True, text=True, encoding="utf-8", check=True
        )
        return done.stdout.strip()

    def commit(self, name: str, text: str) -> str:
        """Write a file, commit it, and return the hash of the commit."""
        (self.folder / name).write_text(text, encoding="utf-8")
        self.git("add", name)
        self.git("commit", "-qm", f"Change {name}")
        return self.git("rev-parse", "HEAD")

    def run(self, ref: str) -> str:
        """Run the step as it is at a tag, a branch or a commit, as `uses: owner/action@REF` has it; return its output.

        Raises subprocess.CalledProcessError: There is no such ref, or the step fails.
        """
        step = [sys.executable, "-I", "-X", "utf8", "-c", self.git("show", f"{ref}:{STEP}")]
        done = subprocess.run(step, capture_output=True, text=True, encoding="utf-8", check=True)  # noqa: S603
        return done.stdout.strip()
