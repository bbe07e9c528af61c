"""Notebooks that nobody here wrote: nbgrader's own quickstart, graded here as stock nbgrader grades it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat as untyped_nbformat
import pytest
from nbgrader.api import Gradebook

from autograder.cohort.run import Options, grade_lab
from autograder.cohort.told import Note, Summary
from autograder.examiner.grader import Grader
from autograder.lab.cells import grade_cells
from autograder.lab.key import load_key
from autograder.model import MANUAL, Result, Submission
from autograder.nbgrader.release import release_lab
from autograder.nbgrader.steps import STOCK
from autograder.sandbox.confine import why_not
from autograder.submissions.collect import Found
from base.process import ONE_THREAD, tools_path

nbformat: Any = untyped_nbformat
pytestmark = pytest.mark.skipif(why_not() is not None, reason=f"no sandbox here: {why_not()}")

LAB, NOTEBOOKS = "ps1", ("problem1", "problem2")
BY_HAND = {"sum_of_squares_equation", "sum_of_squares_application", "cell-938593c4a215c6cc", "part-a", "part-b"}
RIGHT = {
    "correct_squares": 1.0,
    "squares_invalid_input": 1.0,
    "correct_sum_of_squares": 0.5,
    "sum_of_squares_uses_squares": 0.5,
}
NO_ERROR = "def squares(n):\n    return [i**2 for i in range(1, n + 1)]"
ONE_SHORT = (
    "def squares(n):\n    if n < 1:\n        raise ValueError(n)\n    return [i**2 for i in range(1, n + (n == 1))]"
)
ON_ITS_OWN = "def sum_of_squares(n):\n    return n * (n + 1) * (2 * n + 1) // 6"
STUDENTS: dict[str, tuple[dict[str, str], dict[str, float]]] = {
    "solved": ({}, RIGHT),
    "no-error": ({"squares": NO_ERROR}, RIGHT | {"squares_invalid_input": 0.0}),
    "on-its-own": ({"sum_of_squares": ON_ITS_OWN}, RIGHT | {"sum_of_squares_uses_squares": 0.0}),
    "wrong": (
        {"squares": ONE_SHORT, "sum_of_squares": "def sum_of_squares(n):\n    return squares(n)[-1]"},
        RIGHT | {"correct_squares": 0.0, "correct_sum_of_squares": 0.0},
    ),
}
"""What each changes of the reference answers, and what stock nbgrader must then give. `blank` hands in the release."""
BLANK = "blank"


def nbgrader(folder: Path, *words: str) -> None:
    own = {"JUPYTER_CONFIG_DIR": str(folder / "config"), "IPYTHONDIR": str(folder / "ipython"), "PATH": tools_path()}
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", *words],
        cwd=folder, env={**os.environ, **ONE_THREAD, **own}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def read(path: Path) -> Any:
    return nbformat.read(path, as_version=4)


@pytest.fixture(scope="module")
def handed_in(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The quickstart course, released by nbgrader's own command, with what five students handed in."""
    course = tmp_path_factory.mktemp("quickstart") / "course101"
    nbgrader(course.parent, "quickstart", course.name)
    with (course / "nbgrader_config.py").open("a", encoding="utf-8") as settings:
        settings.write(f"\nc.Autograde.autograde_preprocessors = {list(STOCK)}\n")
    nbgrader(course, "generate_assignment", LAB)
    for student in (*STUDENTS, BLANK):
        target = course / "submitted" / student / LAB
        shutil.copytree(course / "release" / LAB, target)
        for name in NOTEBOOKS if student != BLANK else ():
            released, source = read(target / f"{name}.ipynb"), read(course / "source" / LAB / f"{name}.ipynb")
            answers = {key: cell.source for key, cell in grade_cells(source).items()} | STUDENTS[student][0]
            for key, cell in grade_cells(released).items():
                if cell.metadata.nbgrader.solution:
                    cell.source = answers[key]
            nbformat.write(released, target / f"{name}.ipynb")
    return course


@pytest.fixture(scope="module")
def stock(handed_in: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Graded by stock `nbgrader autograde`."""
    course: Path = shutil.copytree(handed_in, tmp_path_factory.mktemp("stock") / "course101")
    nbgrader(course, "autograde", LAB)
    return course


class Silent:
    """Hears a run and says nothing."""

    def found(self, lab: str, found: Found) -> None:
        """Forget it."""

    def begin(self, lab: str, students: int, todo: int) -> None:
        """Forget it."""

    def note(self, note: Note) -> None:
        """A student who is not graded fails the test."""
        assert not note.fault, note


@pytest.fixture(scope="module")
def ours(handed_in: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Summary]:
    """Released and graded by what `course release` and `course grade` call."""
    course: Path = shutil.copytree(handed_in, tmp_path_factory.mktemp("ours") / "course101")
    release_lab(LAB, course)
    return course, grade_lab(LAB, None, course, None, Options(jobs=2), Silent())


Row = tuple[str, str, str, float | None, bool]


def rows(course: Path) -> list[Row]:
    """Return what a gradebook holds: student, notebook, cell, what the machine gave, whether a human has to mark."""
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as gradebook:
        found = [
            (student, notebook.name, grade.name, grade.auto_score, bool(grade.needs_manual_grade))
            for student in (*STUDENTS, BLANK)
            for notebook in gradebook.find_submission(LAB, student).notebooks
            for grade in notebook.grades
        ]
    return sorted(found, key=lambda row: row[:3])


@pytest.fixture(scope="module")
def alone(handed_in: Path) -> dict[tuple[str, str], Result]:
    """Each notebook graded by a `Grader`, without the rest of `course grade`."""
    found = {}
    for name in NOTEBOOKS:
        with Grader(load_key(LAB, handed_in, name)) as grader:
            for student in (*STUDENTS, BLANK):
                content = (handed_in / "submitted" / student / LAB / f"{name}.ipynb").read_bytes()
                found[student, name] = grader.grade(Submission(student, content))
    return found


def test_stock_nbgrader_gives_what_was_meant(stock: Path) -> None:
    """Else the comparison would compare nothing."""
    for student, (_, expected) in STUDENTS.items():
        assert {cell: score for who, _, cell, score, _ in rows(stock) if (who, cell in RIGHT) == (student, True)} == (
            expected
        )
    assert {row[3] for row in rows(stock) if row[0] == BLANK and row[2] in RIGHT} == {0.0}


def test_a_grader_gives_the_marks_of_stock(stock: Path, alone: dict[tuple[str, str], Result]) -> None:
    """Cell by cell; what a human marks has no score."""
    found = {(*who, mark.test): mark.score for who, result in alone.items() for mark in result.marks}
    assert {key: score for key, score in found.items() if key[2] not in BY_HAND} == {
        row[:3]: row[3] for row in rows(stock) if row[2] not in BY_HAND
    }
    assert {key[2] for key, score in found.items() if score is None} == BY_HAND
    assert not any(result.fault or result.notes for result in alone.values())


def test_the_gradebook_is_that_of_stock(stock: Path, ours: tuple[Path, Summary]) -> None:
    """The whole way: same rows, the marks of a human among them, which wait for one."""
    course, summary = ours
    assert summary.ok
    assert rows(course) == rows(stock)
    waiting = {row[2] for row in rows(course) if row[4]}
    assert waiting == BY_HAND
    assert {
        cell.grade_id for name in NOTEBOOKS for cell in load_key(LAB, course, name).cells if cell.kind == MANUAL
    } == (BY_HAND)


def test_the_release_is_that_of_stock(handed_in: Path, ours: tuple[Path, Summary]) -> None:
    """`course release` hands out what `nbgrader generate_assignment` does."""
    folders = handed_in / "release" / LAB, ours[0] / "release" / LAB
    told, made = ({path.name: path.read_bytes() for path in folder.iterdir()} for folder in folders)
    assert told == made
    assert sorted(told) == ["jupyter.png", "problem1.ipynb", "problem2.ipynb"]


def test_every_student_gets_feedback_and_formgrader_a_notebook(ours: tuple[Path, Summary]) -> None:
    """One of each for both notebooks, where nbgrader's settings say."""
    course, _ = ours
    for student in (*STUDENTS, BLANK):
        for name in NOTEBOOKS:
            assert (course / "feedback" / student / LAB / f"{name}.html").stat().st_size > 1000
            assert grade_cells(read(course / "autograded" / student / LAB / f"{name}.ipynb"))
