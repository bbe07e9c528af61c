"""An instructor's ground, `grading/`: what earlier versions of the course kept elsewhere is moved there on first use.

Until 2026 the submissions, and all that was made of them, lay among the source files of `autograder/`, and the
gradebook in the root. Whatever stops the move, each thing is whole in one of its two places, and the next command goes
on with it.
"""

import contextlib
import errno
import filecmp
import shutil
import sqlite3
from pathlib import Path

from filelock import FileLock

from autograder.cohort.store import folders
from autograder.lab.settings import settings_of
from base.errors import UserError

TREES = ("submitted", "autograded", "feedback", "results", "reports")
_ASIDE = ".moving-"  # beginning of the name under which a copy from another disk is made


def places(course: Path) -> list[tuple[Path, Path]]:
    """Return where things of a course were and where its settings have them now, of those that are somewhere else."""
    earlier, book = course / "autograder", course / "gradebook.db"
    if not any(path.exists() for path in (*(earlier / name for name in TREES), book)):
        return []
    settings, now = settings_of(course), folders(course, None)
    url = str(settings.db_url)
    gradebook = [Path(url.removeprefix("sqlite:///"))] if url.startswith("sqlite:///") else []
    pairs = [
        (earlier / "submitted", course / str(settings.submitted_directory)),
        (earlier / "autograded", now.autograded),
        (earlier / "feedback", now.feedback),
        (earlier / "results", now.out / "results"),
        (earlier / "reports", now.out / "reports"),
        *((book, path) for path in gradebook),
    ]
    return [(old, new) for old, new in pairs if old.exists() and not _same(old, new)]


def _same(old: Path, new: Path) -> bool:
    return old.resolve() == new.resolve()


def move_in(course: Path) -> list[tuple[Path, Path]]:
    """Move what lies in the places of earlier versions to where the settings have it now.

    Args:
        course: The course's folder.

    Returns:
        What was moved: from where, and to where.

    Raises:
        UserError: Something lies in both places, and not the same; or the gradebook is in use. Nothing was moved.
    """
    if not places(course):
        return []
    ground = folders(course, None).out
    ground.mkdir(parents=True, exist_ok=True)
    with FileLock(ground / ".moving.lock"):
        todo = places(course)  # another command may have moved it meanwhile
        for old, new in todo:
            _require_room(old, new)
        for old, _ in todo:
            if old.suffix == ".db":
                _settle(old)
        for old, new in todo:
            _move(old, new)
    return todo


def moved_path(path: Path, moved: list[tuple[Path, Path]]) -> Path:
    """Return where a path leads after the move that was given to a command before it."""
    for old, new in moved:
        if path.resolve().is_relative_to(old.resolve()):
            return new / path.resolve().relative_to(old.resolve())
    return path


def _files(folder: Path) -> list[Path]:
    """Return the files below a folder, relative to it, but for the locks of runs."""
    found = [path for path in folder.rglob("*") if path.is_symlink() or not path.is_dir()]
    return sorted(path.relative_to(folder) for path in found if path.suffix != ".lock")


def _is_within(old: Path, new: Path) -> bool:
    """Whether all that is at `old` is at `new` as well."""
    if old.is_dir() and new.is_dir():
        names = _files(old)
        return all((new / name).is_file() and filecmp.cmp(old / name, new / name, shallow=False) for name in names)
    return old.is_file() and new.is_file() and filecmp.cmp(old, new, shallow=False)


def _is_empty(path: Path) -> bool:
    """Whether nothing would be lost without it: a folder with no file, a gradebook in which nobody entered anything."""
    if path.is_dir():
        return not _files(path)
    with contextlib.suppress(sqlite3.Error), contextlib.closing(sqlite3.connect(path)) as database:
        tables = ("assignment", "student", "submitted_assignment")
        return not any(database.execute(f"select 1 from {name} limit 1").fetchone() for name in tables)  # noqa: S608
    return False


def _require_room(old: Path, new: Path) -> None:
    if not new.exists() or _is_empty(new) or _is_empty(old) or _is_within(old, new):
        return
    raise UserError(
        f"{old} is of an earlier version of the course, and {new}, where it belongs now, holds something else: "
        "look at both, put what you need into the second, move the first out of the course, and run the same command"
    )


def _settle(database: Path) -> None:
    """Have SQLite finish what a killed writer began: its journal is a second file, named as the first one is now."""
    try:
        with contextlib.closing(sqlite3.connect(database, timeout=2.0, isolation_level=None)) as connection:
            connection.execute("begin exclusive")
            connection.execute("rollback")
    except sqlite3.OperationalError as error:
        raise UserError(
            f"{database} has to be moved to grading/ and is in use ({error}): close formgrader, wait for other "
            "commands to end, and run the same command again"
        ) from None
    except sqlite3.DatabaseError:
        return  # no gradebook that SQLite can read: it is moved as it is


def _move(old: Path, new: Path) -> None:
    if new.exists() and (_is_empty(old) or _is_within(old, new)):
        _remove(old)
        return
    if new.exists():
        _remove(new)  # it is empty
    new.parent.mkdir(parents=True, exist_ok=True)
    aside = new.with_name(_ASIDE + new.name)
    if aside.exists():  # of a run that was killed
        _remove(aside)
    try:
        old.rename(new)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise UserError(f"cannot move {old} to {new}: {error.strerror}; nothing is lost") from None
        if old.is_dir():
            shutil.copytree(old, aside, symlinks=True)
        else:
            shutil.copy2(old, aside)
        aside.rename(new)
        _remove(old)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink()
