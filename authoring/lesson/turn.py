"""*Your turn*: an empty answer, a cell that judges it, a folded solution; and the proof that the three fit together.

The proof costs two cells: at the end of an ordinary run, in the same kernel, the solution runs and the check after it.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from authoring.lesson.text import FENCE, Cell, Fault, heading_line, prose_lines
from base.errors import BuildError

HEADING = "Your turn"
EMPTY = "# your code here"
RIGHT, WRONG = "right", "not yet"
"""What the check cell's output starts with."""

_START = re.compile(r"^## Your turn$", re.MULTILINE)
_FOLD = re.compile(r"\A<details><summary>A solution</summary>\n(?P<body>.*?)</details>", re.DOTALL)


@dataclass(frozen=True)
class Turn:
    """Where the answer and the check stand among the cells (from 0), and the code of the solution."""

    answer: int
    check: int
    solution: str


class TurnError(BuildError):
    """A lesson has no *Your turn*, or one out of form: `cell` (from 0) is where to look."""

    def __init__(self, cell: int, says: str) -> None:
        super().__init__(says)
        self.cell = cell


def read_turn(cells: Sequence[tuple[bool, str]]) -> Turn:
    """Find *Your turn* among the cells of a lesson, each its kind (whether it is code) and its text.

    Raises:
        TurnError: The section is not there or not in form; the message says what to write.
    """
    sections = [at for at, (code, text) in enumerate(cells) if not code and _START.search(text)]
    if len(sections) != 1:
        raise TurnError(0, "there must be one section `## Your turn`, before `## What this does not prove`: "
                        "a task, an empty answer cell, a cell that checks it, a folded solution")  # fmt: skip
    start = sections[0]
    answers = [at for at, (code, text) in enumerate(cells) if code and EMPTY in text]
    if len(answers) != 1 or answers[0] < start:
        raise TurnError(start, f"Your turn: one cell below it holds `{EMPTY}`, such as `answer = None  {EMPTY}`")
    answer, check = answers[0], answers[0] + 1
    if check + 1 >= len(cells) or not cells[check][0] or cells[check + 1][0]:
        raise TurnError(answer, "Your turn: below the answer stands one code cell that checks it, then the solution")
    if not (fold := _FOLD.match(cells[check + 1][1])):
        raise TurnError(check + 1, "Your turn: the cell below the check starts with "
                                "`<details><summary>A solution</summary>`, closed by `</details>`")  # fmt: skip
    if not (fence := FENCE.search(fold["body"])):
        raise TurnError(check + 1, "Your turn: the folded solution holds its code between ``` and ```")
    if any(code for code, _ in cells[check + 1 :]):
        raise TurnError(check + 1, "Your turn: no code cell follows it: move what comes after it up")
    return Turn(answer, check, fence["body"].rstrip("\n"))


def turn_faults(cells: list[Cell]) -> list[Fault]:
    """Return what is out of form; empty when all is well."""
    try:
        turn = read_turn([(cell.code, cell.source) for cell in cells])
    except TurnError as error:
        return [Fault(cells[error.cell].line, str(error))]
    heading = heading_line(cells, HEADING)
    after = [number for number, line in prose_lines(cells) if line.startswith("## ") and number > heading]
    faults = []
    if not after or after[0] != heading_line(cells, "What this does not prove"):
        faults.append(Fault(heading, "Your turn: `## What this does not prove` must be the next heading"))
    check = cells[turn.check]
    faults += [
        Fault(check.line, f'Your turn: the check prints a text that starts with "{word}" when the answer is {what}')
        for word, what in ((RIGHT, "right"), (WRONG, "empty or wrong; and goes on with a hint"))
        if not re.search(rf"""["']{word}""", check.source)
    ]
    return faults


def proof_fault(empty: str, solved: str) -> str | None:
    """Judge the proof by what the check printed: at the empty answer, and at the solution. None when all is well."""
    if not empty.startswith(WRONG):
        return f'Your turn: with the empty answer the check must print "{WRONG}: …" and printed {empty.strip()!r}'
    if not solved.startswith(RIGHT):
        return f'Your turn: with the folded solution the check must print "{RIGHT}" and printed {solved.strip()!r}'
    return None
