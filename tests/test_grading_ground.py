"""An instructor's ground: all that grading makes is in `grading/`, also what an earlier version had put elsewhere."""

import contextlib
import csv
import errno
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from authoring.repository import ROOT
from autograder.tests.test_cohort import begun, grade, hand_in, mini, released, root, state  # noqa: F401  # fixtures
from base.errors import UserError
from base.process import ONE_THREAD, tools_path
from course.grading import TREES, move_in, moved_path, places
from tests.kills import Function, killed_at
from tests.mini_course import LAB

needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="signals as on Unix")


def as_before(root: Path) -> Path:  # noqa: F811
    """Lay what is in `grading/` where earlier versions had it."""
    (root / "autograder").mkdir(exist_ok=True)
    for name in TREES:
        if (root / "grading" / name).exists():
            (root / "grading" / name).rename(root / "autograder" / name)
    if (root / "grading" / "gradebook.db").exists():
        (root / "grading" / "gradebook.db").rename(root / "gradebook.db")
    shutil.rmtree(root / "grading", ignore_errors=True)
    return root


def contents(*folders: Path) -> dict[str, bytes]:
    """Return what is in the folders, by path below them; the locks of runs aside."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for folder in folders
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".lock"
    }


@pytest.fixture
def old(tmp_path: Path) -> Path:
    """A small course as an earlier version left it."""
    root = tmp_path / "old"  # noqa: F811
    root.mkdir()
    shutil.copy(ROOT / "nbgrader_config.py", root)
    for tree in TREES:
        for name in ("ada", "bob"):
            path = root / "autograder" / tree / name / "work.txt"
            path.parent.mkdir(parents=True)
            path.write_text(f"{tree} of {name}", encoding="utf-8")
    with contextlib.closing(sqlite3.connect(root / "gradebook.db")) as database:
        database.executescript("create table student (id); insert into student values ('ada');")
    return root


def students(database: Path) -> list[str]:
    with contextlib.closing(sqlite3.connect(database)) as connection:
        return [row[0] for row in connection.execute("select id from student")]


def everything(root: Path) -> dict[str, bytes]:  # noqa: F811
    """Return all of an instructor's files by their place in `grading/`, wherever they are."""
    found = contents(root / "autograder", root / "grading")
    return found | {"gradebook.db": (root / "gradebook.db").read_bytes()} if (root / "gradebook.db").exists() else found


@pytest.mark.usefixtures("mini")
def test_a_graded_cohort_goes_on_after_the_move(root: Path, mini: Path) -> None:  # noqa: F811
    assert grade(root).exit_code == 0
    before, times = state(root), len(begun(mini))
    as_before(root)
    said = grade(root, "--submissions", str(root / "autograder" / "submitted"))
    assert said.exit_code == 0, said.output
    assert said.stderr.count("moved ") == 6
    assert state(root) == before
    assert len(begun(mini)) == times, "nobody is graded anew"
    assert not any((root / "autograder").iterdir())
    assert not (root / "gradebook.db").exists()
    assert "moved" not in grade(root).stderr


@pytest.mark.usefixtures("mini")
def test_nothing_of_an_instructor_lies_anywhere_else(root: Path) -> None:  # noqa: F811
    before = contents(root)
    assert grade(root).exit_code == 0
    assert [name for name in contents(root).keys() - before.keys() if not name.startswith("grading/")] == []


def test_what_is_there_twice_is_kept_once_and_what_differs_stops(old: Path) -> None:
    shutil.copytree(old / "autograder" / "results", old / "grading" / "results")
    (old / "grading" / "results" / ".lab.lock").touch()
    (old / "grading" / "reports").mkdir()
    (old / "grading" / "feedback" / "ada").mkdir(parents=True)
    (old / "grading" / "feedback" / "ada" / "work.txt").write_text("another", encoding="utf-8")
    before = contents(old)
    with pytest.raises(UserError) as stopped:
        move_in(old)
    assert str(old / "autograder" / "feedback") in str(stopped.value)
    assert str(old / "grading" / "feedback") in str(stopped.value)
    assert contents(old) == before, "nothing was moved"
    (old / "grading" / "feedback" / "ada" / "work.txt").unlink()
    assert {new.name for _, new in move_in(old)} == {*TREES, "gradebook.db"}
    assert sorted(contents(old)) == sorted(
        ["nbgrader_config.py", "grading/gradebook.db"]
        + [f"grading/{tree}/{name}/work.txt" for tree in TREES for name in ("ada", "bob")]
    )


def test_two_gradebooks_stop_unless_nobody_entered_anything_in_one(old: Path) -> None:
    (old / "grading").mkdir()
    other = old / "grading" / "gradebook.db"
    with contextlib.closing(sqlite3.connect(other)) as database:
        database.executescript(
            "create table assignment (id); create table student (id); create table submitted_assignment (id);"
            "insert into student values ('eve');"
        )
        with pytest.raises(UserError, match=r"gradebook\.db, where it belongs now, holds something else"):
            move_in(old)
        database.executescript("delete from student")
    move_in(old)
    assert students(other) == ["ada"]


def test_a_gradebook_in_use_is_not_moved(old: Path) -> None:
    with contextlib.closing(sqlite3.connect(old / "gradebook.db", isolation_level=None)) as writer:
        writer.execute("begin immediate")
        with pytest.raises(UserError, match="close formgrader"):
            move_in(old)
        assert (old / "autograder" / "submitted").is_dir(), "nothing was moved"
    assert move_in(old)


@needs_posix
def test_what_a_killed_writer_began_is_undone_before_the_gradebook_moves(old: Path) -> None:
    """Its journal is named as the gradebook was: without it, half of a transaction would stay."""
    code = (
        "import os, sqlite3, sys\n"
        "database = sqlite3.connect(sys.argv[1], isolation_level=None)\n"
        "database.execute('pragma cache_size = 1')\n"
        "database.execute('begin')\n"
        "database.execute(\"update student set id = 'eve'\")\n"
        "for _ in range(500):\n"
        "    database.execute('insert into student values (?)', ('x' * 900,))\n"
        "os.kill(os.getpid(), 9)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(old / "gradebook.db")], check=False)
    assert done.returncode == -signal.SIGKILL
    assert (old / "gradebook.db-journal").exists(), "the planted half of a transaction"
    move_in(old)
    assert students(old / "grading" / "gradebook.db") == ["ada"]


def patched(other_disk: bool, counted: Callable[[Function], Function]) -> None:
    """Have the steps of a move count; from one disk to another a rename fails."""
    rename = Path.rename

    def from_disk_to_disk(path: Path, target: Path) -> Path:
        if other_disk and not path.name.startswith(".moving-"):
            raise OSError(errno.EXDEV, "another disk")
        return rename(path, target)

    Path.rename = counted(from_disk_to_disk)  # type: ignore[method-assign]
    shutil.copy2, os.unlink, os.rmdir = counted(shutil.copy2), counted(os.unlink), counted(os.rmdir)


@needs_posix
@pytest.mark.parametrize("other_disk", [False, True])
def test_killed_at_any_step_the_next_command_goes_on_and_nothing_is_lost(
    old: Path, tmp_path: Path, other_disk: bool
) -> None:
    before, step = everything(old), 0
    while killed_at(
        step,
        partial(move_in, copy := Path(shutil.copytree(old, tmp_path / f"{step}"))),
        partial(patched, other_disk),
    ):
        move_in(copy)
        assert everything(copy) == before
        assert places(copy) == []
        step += 1
    assert everything(copy) == before
    assert places(copy) == [], "the one that nobody killed came to its end"
    assert step >= (30 if other_disk else 6), "each step was a moment to be killed at"


def test_two_commands_at_once_move_it_once(old: Path) -> None:
    before = everything(old)
    code = "import sys; from pathlib import Path; from course.grading import move_in; move_in(Path(sys.argv[1]))"
    racers = [subprocess.Popen([sys.executable, "-c", code, str(old)], cwd=ROOT) for _ in range(3)]
    assert [racer.wait() for racer in racers] == [0, 0, 0]
    assert everything(old) == before
    assert places(old) == []


def test_a_path_that_was_given_follows_the_move(tmp_path: Path) -> None:
    moved = [(tmp_path / "autograder" / "submitted", tmp_path / "grading" / "submitted")]
    assert moved_path(tmp_path / "autograder/submitted/ada", moved) == tmp_path / "grading/submitted/ada"
    assert moved_path(tmp_path / "mine.zip", moved) == tmp_path / "mine.zip"


def nbgrader(root: Path, *words: str) -> None:  # noqa: F811
    own = {"JUPYTER_CONFIG_DIR": str(root / "config"), "IPYTHONDIR": str(root / "ipython"), "PATH": tools_path()}
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *words],
        cwd=root, env={**os.environ, **ONE_THREAD, **own}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_nbgraders_own_commands_work_there(root: Path) -> None:  # noqa: F811
    """In a clone in which nothing was graded yet; from the root, with the course's settings."""
    shutil.rmtree(root / "grading")
    nbgrader(root, "generate_assignment", LAB, "--force")
    assert (root / "grading" / "gradebook.db").is_file()
    hand_in(root, "ada", {"ex1": "def area(radius):\n    return math.pi * radius**2"})
    nbgrader(root, "autograde", LAB)
    nbgrader(root, "generate_feedback", LAB)
    nbgrader(root, "export", "--to", "marks.csv")
    with (root / "marks.csv").open(encoding="utf-8", newline="") as file:
        assert [(row["student_id"], row["score"]) for row in csv.DictReader(file)] == [("ada", "2.0")]
    assert (root / "grading" / "autograded" / "ada" / LAB / f"{LAB}.ipynb").is_file()
    assert (root / "grading" / "feedback" / "ada" / LAB / f"{LAB}.html").is_file()
    assert not [path.name for path in root.rglob("gradebook.db*") if path.parent.name != "grading"]


@pytest.mark.parametrize("name", ["grading", "work"])
def test_git_ignores_it_as_a_whole(name: str) -> None:
    for path in (name, f"{name}/labs/any.ipynb", f"{name}/.hidden"):
        done = subprocess.run(
            ["git", "-c", "safe.directory=*", "check-ignore", "--no-index", "-q", path + "/" * (path == name)],
            cwd=ROOT, check=False,
        )  # fmt: skip
        assert done.returncode == 0, path
