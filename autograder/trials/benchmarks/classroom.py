"""The benchmarks' lab in a course of its own, and as many submissions of it as are wanted."""

import copy
import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat

from autograder.lab.cells import grade_cells
from autograder.lab.key import load_key
from autograder.model import Key
from autograder.trials.course import make_course, release_of, submission_of

HERE = Path(__file__).resolve().parent
LAB = "01-loan-model"
RIGHT, WRONG, WARNS = "right", "wrong", "warns"
REFERENCE = 2
"""How often the reference answer is in the hat that an exercise's answer is drawn from."""


@dataclass(frozen=True)
class Answer:
    """An answer to one exercise; `kind` says whether it is right, wrong, or right with a warning on stderr."""

    kind: str
    source: str


@dataclass(frozen=True)
class Handed:
    """What one student handed in.

    Attributes:
        student: Name of the student.
        answers: The answer to each exercise.
    """

    student: str
    answers: dict[str, Answer]

    def marks(self, key: Key) -> dict[str, float]:
        """Return the points of each test as they must be: a mistake costs those of its own exercise alone."""
        return {
            cell.grade_id: 0.0 if self.answers[key.exercise(cell.grade_id)].kind == WRONG else cell.points
            for cell in key.tests
        }


def make_classroom(root: Path) -> Key:
    """Make a course of nbgrader in `root` whose only lab is the benchmarks', released; returns the answer key."""
    make_course(root, LAB, (HERE / "lab.py").read_text(encoding="utf-8"))
    return load_key(LAB, root)


def _answers() -> dict[str, list[Answer]]:
    """Return what is handed in beside the reference answers, by exercise."""
    found: dict[str, list[Answer]] = {}
    text = (HERE / "answers.py").read_text(encoding="utf-8")
    for part in re.split(r"^# %% ", text, flags=re.MULTILINE)[1:]:
        head, _, source = part.partition("\n")
        exercise, kind = head.split()
        found.setdefault(exercise, []).append(Answer(kind, source.strip("\n")))
    return found


def submissions(count: int, key: Key) -> list[Handed]:
    """Return so many submissions, the same in every run.

    The first is the solution. In the second (and each twentieth after it) an answer writes a warning to stderr. The
    others draw each answer from the right and the wrong ones by a hash of their number.
    """
    others, hats = _answers(), dict[str, list[Answer]]()
    marked = re.compile(r"^\s*### (BEGIN|END) SOLUTION\n?", re.MULTILINE)
    reference = {cell.grade_id: marked.sub("", cell.source) for cell in key.cells if cell.grade_id in key.stubs}
    for exercise, source in reference.items():
        own = [answer for answer in others[exercise] if answer.kind != WARNS]
        hats[exercise] = [Answer(RIGHT, source)] * REFERENCE + own
    found = []
    for number in range(count):
        answers = {}
        for exercise, hat in hats.items():
            warning = [answer for answer in others[exercise] if answer.kind == WARNS]
            drawn = hashlib.sha256(f"{number} {exercise}".encode()).digest()[0] % len(hat) if number else 0
            answers[exercise] = warning[0] if warning and number % 20 == 1 else hat[drawn]
        found.append(Handed(f"student-{number:04d}", answers))
    return found


def notebook(handed: Handed, release: Any) -> Any:
    """Return the notebook that a student hands in."""
    filled = copy.deepcopy(release)
    for exercise, cell in grade_cells(filled).items():
        if exercise in handed.answers:
            cell.source = handed.answers[exercise].source
    return filled


def read_release(root: Path) -> Any:
    """Return the notebook as it is handed out."""
    return nbformat.read(release_of(root, LAB), as_version=4)  # type: ignore[no-untyped-call]


def hand_in(root: Path, all_handed: list[Handed]) -> None:
    """Put all submissions into nbgrader's tree of the course."""
    release = read_release(root)
    for handed in all_handed:
        path = submission_of(root, LAB, handed.student)
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps(notebook(handed, release)), encoding="utf-8")
