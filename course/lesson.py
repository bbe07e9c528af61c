"""What lessons use of the course's own code: this, and nothing else."""

import atexit
import os
import tempfile
from pathlib import Path

from authoring.repository import ROOT
from base.quiet import TELEMETRY_OFF, foreign
from course.recorded import recorded

__all__ = ["ROOT", "own_folder", "own_git", "recorded"]


def own_folder() -> None:
    """Work in a new folder from here on, which goes when the kernel ends."""
    folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    atexit.register(folder.cleanup)
    os.chdir(folder.name)


def own_git(home: Path, date: str) -> dict[str, str]:
    """Return the environment for the commands of a lesson that has a git repository of its own.

    No repository, identity, hook, signature or line end that is set for you reaches them, and none is changed. With
    author and date fixed, the same commit has the same hash on every machine.

    Args:
        home: A folder of the lesson; other tools' settings are looked for in it.
        date: Of all commits, such as `2024-01-31T12:00:00Z`.
    """
    away = set(foreign(os.environ))
    variables = {name: value for name, value in os.environ.items() if name not in away}
    # Beside its settings, git reads `git/ignore` and `git/attributes` of XDG_CONFIG_HOME.
    variables |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_ATTR_NOSYSTEM": "1"}
    variables |= {"XDG_CONFIG_HOME": str(home / "config"), "GIT_TERMINAL_PROMPT": "0"}
    for who in ("AUTHOR", "COMMITTER"):
        variables |= {f"GIT_{who}_NAME": "Ada", f"GIT_{who}_EMAIL": "ada@oakbank.example", f"GIT_{who}_DATE": date}
    return variables | TELEMETRY_OFF
