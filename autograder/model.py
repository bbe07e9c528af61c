"""What the parts of the autograder hand to one another: plain, immutable data, JSON both ways."""

import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from typing import Any

EXTRA, TEXT, LOCKED, ANSWER, TEST, MANUAL = "extra", "text", "locked", "answer", "test", "manual"
"""Kinds of cells: a student's own, prose, the instructor's code, an answer, a test, an answer that a human marks."""
REFERENCE = "reference"
"""And while a mistake is forgiven: a reference answer, which runs in the examiner's kernel and is called from there."""
PICTURES = {"png": "image/png", "jpeg": "image/jpeg", "gif": "image/gif", "svg": "image/svg+xml"}
"""Kinds of outputs that are pictures, and their media types."""
SHOWN = ("stdout", "stderr", "result", "error", "html", *PICTURES)
"""Kinds of outputs; `html` is for instance a table."""

STUCK = "the test cannot go on: "


def led_to(error: str) -> str:
    """Return what a student is told of a test that ended in an error (`KeyError: 'ready'`) instead of an assertion."""
    if error == "NotImplementedError":
        return f"{STUCK}what it calls is not written yet ({error})"
    why = "an error in your code, or a result of another form than the exercise asks for"
    return f"{STUCK}your answer leads to {error} ({why})"


@dataclass(frozen=True)
class Cell:
    """One cell as it is graded.

    Attributes:
        kind: One of the kinds above. Only `ANSWER`, `MANUAL` and `EXTRA` hold a student's text.
        cell_type: `code`, `markdown` or `raw`.
        source: The text that counts: a test with its hidden part.
        grade_id: nbgrader's name of the cell; empty for `EXTRA` and for plain prose or code of the instructor.
        points: What a `TEST` or `MANUAL` cell is worth.
        visible: A test as it was handed out, without its hidden part.
    """

    kind: str
    cell_type: str
    source: str
    grade_id: str = ""
    points: float = 0.0
    visible: str = ""

    @property
    def runs(self) -> bool:
        """Whether it holds code."""
        return self.cell_type == "code" and bool(self.source.strip())


@dataclass(frozen=True)
class Key:
    """A lab's answer key: the instructor's cells, reference answers in the answer cells.

    Attributes:
        lab: Name of the lab, which is nbgrader's name of the assignment and of its one notebook.
        cells: In order.
        stubs: Answer cells as they were handed out, by `grade_id`.
        files: What is handed out beside the notebook, by relative path.
        version: Of the course, for those who read what was graded; no mark depends on it.
    """

    lab: str
    cells: tuple[Cell, ...]
    stubs: dict[str, str]
    files: dict[str, bytes]
    version: str = field(default="", compare=False)

    @property
    def tests(self) -> tuple[Cell, ...]:
        """The cells that are worth points, those that a human marks included."""
        return tuple(cell for cell in self.cells if cell.kind == TEST or (cell.kind == MANUAL and cell.points))

    @property
    def points(self) -> float:
        """What the lab is worth."""
        return sum(cell.points for cell in self.tests)

    @property
    def digest(self) -> str:
        """Names the content: a changed lab is graded anew."""
        text = json.dumps([self.lab, [asdict(cell) for cell in self.cells], sorted(self.stubs.items())])
        whole = hashlib.sha256(text.encode())
        for name, content in sorted(self.files.items()):
            whole.update(hashlib.sha256(name.encode()).digest() + hashlib.sha256(content).digest())
        return whole.hexdigest()

    def exercise(self, test: str) -> str:
        """Return the answer cell that a test belongs to: the nearest one above it."""
        answer = ""
        for cell in self.cells:
            if cell.kind in (ANSWER, MANUAL):
                answer = cell.grade_id
            if cell.grade_id == test:
                break
        return answer or test


@dataclass(frozen=True)
class Submission:
    """What one student handed in: the bytes of a notebook, untrusted, and when (ISO 8601), if that is known.

    `fault` says, for the student, why there are no bytes to look at (a link, too large, not a file).
    """

    student: str
    notebook: bytes
    timestamp: str = ""
    fault: str = ""

    @property
    def digest(self) -> str:
        """Names the content."""
        return hashlib.sha256(
            b"\0".join([self.student.encode("utf-8", "replace"), self.timestamp.encode(), self.fault.encode(), b""])
            + self.notebook
        ).hexdigest()


@dataclass(frozen=True)
class Prepared:
    """A submission made ready: the instructor's cells with the student's text in the answers.

    Attributes:
        cells: What is run, in order; no cell where there is a fault.
        notes: What was put right, each a sentence for the student.
        fault: Why nothing can be run, a sentence for the student; empty if it can.
        blank: Answer cells that are missing or still as handed out, by `grade_id`.
    """

    cells: tuple[Cell, ...]
    notes: tuple[str, ...] = ()
    fault: str = ""
    blank: tuple[str, ...] = ()


@dataclass(frozen=True)
class Output:
    """What a cell showed. `kind`: one of `SHOWN`; pictures are base64, but `svg` is its text. The text is untrusted."""

    kind: str
    text: str


@dataclass(frozen=True)
class CellRun:
    """A cell of the graded notebook with what it showed. Of a test, `source` is the visible part."""

    kind: str
    cell_type: str
    source: str
    grade_id: str = ""
    outputs: tuple[Output, ...] = ()


@dataclass(frozen=True)
class Mark:
    """The verdict on one test cell.

    Attributes:
        test: Its `grade_id`.
        exercise: The answer cell that it belongs to.
        points: What it is worth.
        score: What the student got; None where a human has to mark.
        reason: Why points are missing, for the student, one line; empty at full points. Never a hidden test's source.
        rescued: Earlier exercises whose reference answers were put in to get this score; empty if it was got without.
    """

    test: str
    exercise: str
    points: float
    score: float | None
    reason: str = ""
    rescued: tuple[str, ...] = ()


@dataclass(frozen=True)
class ByHand:
    """What a person decided about a student's notebook, in formgrader.

    Attributes:
        scores: Points of tests, extra credit in them; None where a changed submission has to be looked at again.
        comments: For the student, by cell.
        penalty: Points that are taken off since it came late.
    """

    scores: dict[str, float | None] = field(default_factory=dict)
    comments: dict[str, str] = field(default_factory=dict)
    penalty: float = 0.0

    @property
    def digest(self) -> str:
        """Names the content; empty where nothing was decided."""
        text = json.dumps(asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:16] if self != NOTHING else ""


NOTHING = ByHand()


@dataclass(frozen=True)
class Result:
    """All that grading one submission found. The same submission and key give the same result, byte for byte."""

    student: str
    lab: str
    submission: str
    key: str
    timestamp: str
    marks: tuple[Mark, ...]
    cells: tuple[CellRun, ...] = ()
    notes: tuple[str, ...] = ()
    fault: str = ""

    @property
    def score(self) -> float:
        """The sum of what is marked."""
        return sum(mark.score or 0.0 for mark in self.marks)

    @property
    def points(self) -> float:
        """What the lab is worth."""
        return sum(mark.points for mark in self.marks)

    def marked(self, hand: ByHand) -> "Result":
        """Return it with the points that a person gave."""
        return replace(self, marks=tuple(_marked(mark, hand.scores) for mark in self.marks))

    def to_json(self) -> dict[str, Any]:
        """Return plain data that `from_json` reads."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Result":
        """Read what `to_json` gave, also after a way through JSON."""
        marks = tuple(Mark(**{**mark, "rescued": tuple(mark["rescued"])}) for mark in data["marks"])
        cells = tuple(
            CellRun(**{**cell, "outputs": tuple(Output(**output) for output in cell["outputs"])})
            for cell in data["cells"]
        )
        return cls(**{**data, "marks": marks, "cells": cells, "notes": tuple(data["notes"])})


def _marked(mark: Mark, scores: dict[str, float | None]) -> Mark:
    if mark.test not in scores:
        return mark
    score = scores[mark.test]
    return replace(mark, score=score, reason=mark.reason if (score or 0.0) < mark.points else "", rescued=())
