"""The settings of a course of nbgrader: where its things are, which labs it has, how its own commands are spelt.

nbgrader is imported where it is needed: it takes a second.
"""

import atexit
import os
import shutil
import tempfile
from dataclasses import dataclass, fields
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from base.errors import UserError

if TYPE_CHECKING:
    from nbgrader.coursedir import CourseDirectory

CONFIG = "nbgrader_config.py"
_ODD = frozenset("%?*[]{}#'\"\\")
"""What means something in the URL of a database, in a pattern of file names, or in a setting of alembic's."""


@dataclass(frozen=True)
class OwnWays:
    """What a course does in its own way, by `c.OwnWays.NAME` in its settings; nothing where it does as nbgrader does.

    Attributes:
        grade: The command that grades the lab `{lab}`, for messages.
        release: The command that makes the release of the lab `{lab}` where that is missing or old, and keeps what was
            answered in it; for messages.
        copies: The folder of a student's own copies of labs in a copy of the course's repository.
        version: Of the course in this teaching term, for feedback and reports.
    """

    grade: str = ""
    release: str = ""
    copies: str = ""
    version: str = ""

    def grade_again(self, lab: str) -> str:
        """Return how to grade a lab."""
        return f"run `{self.grade.format(lab=lab)}`" if self.grade else f"grade {lab} again"

    def first_release(self, lab: str) -> str:
        """Return how to make a release that is missing."""
        return f"Run `{self.release.format(lab=lab) or f'nbgrader generate_assignment {lab}'}`."

    def new_release(self, lab: str) -> str:
        """Return how to make a release anew in which somebody may have worked."""
        if self.release:
            return f"Run `{self.release.format(lab=lab)}`, which keeps what somebody has answered in it."
        return f"Copy it elsewhere, then run `nbgrader generate_assignment {lab} --force`."


@cache
def _plain_path(root: Path) -> Path:
    """Return a path to a course's folder that may stand in a URL and in a pattern: nbgrader pastes it into both."""
    if not _ODD & set(str(root)):
        return root
    folder = Path(tempfile.mkdtemp(prefix="nbgrader-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    (folder / "course").symlink_to(root, target_is_directory=True)
    return folder / "course"


def settings_of(root: Path) -> "CourseDirectory":
    """Return nbgrader's view of the course in `root`; its `config` holds the settings."""
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import Config
    from traitlets.config.loader import PyFileConfigLoader

    root = root.resolve()
    config: Config = PyFileConfigLoader(CONFIG, path=str(root)).load_config() if (root / CONFIG).is_file() else Config()
    config.CourseDirectory.root = str(_plain_path(root))
    if url := config.CourseDirectory.get("db_url"):
        config.CourseDirectory.db_url = url.replace(str(root), config.CourseDirectory.root)
    for part in ("header", "footer"):  # named relative to the course, which nbgrader takes for the working directory
        if path := config.IncludeHeaderFooter.get(part):
            config.IncludeHeaderFooter[part] = str(root / path)
    return CourseDirectory(config=config)


def own_ways(course: "CourseDirectory") -> OwnWays:
    """Return what a course does in its own way.

    Raises:
        UserError: Its settings name a way that there is none of.
    """
    named = {name: str(value) for name, value in course.config.OwnWays.items()}
    if unknown := named.keys() - {one.name for one in fields(OwnWays)}:
        raise UserError(f"{CONFIG}: there is no c.OwnWays.{min(unknown)}")
    return OwnWays(**named)


def folder_of(course: "CourseDirectory", step: str, lab: str, student: str = ".") -> Path:
    """Return the folder of a lab, or of what a student made of it; `step` is a setting such as `source_directory`."""
    return Path(os.path.normpath(course.format_path(step, student, lab)))


def source_folder(course: "CourseDirectory", lab: str) -> Path:
    """Return the folder of a lab's sources: a lab is a folder beside the others', with a notebook or a text of one.

    Raises:
        UserError: There is no such lab; the message names those that there are.
    """
    folder = folder_of(course, course.source_directory, lab)
    names = sorted(path.name for path in folder.parent.glob("*") if is_lab(path))
    if lab not in names:
        raise UserError(f"there is no lab {lab!r}; there are: {', '.join(names) or 'none'}")
    return folder


def is_lab(folder: Path) -> bool:
    """Whether a folder of sources is a lab's: it holds a notebook, or the text that one is made from."""
    return folder.is_dir() and (any(folder.glob("*.ipynb")) or any(folder.glob("*.py")))
