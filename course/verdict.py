"""`course check --full`: the grader's verdict on one notebook, hidden tests included, for the learner alone.

It is graded as a submission is: in the sandbox, its marks and hints as they stand on a feedback page. Nothing is
entered into a gradebook, and no line of a hidden test is shown.
"""

from dataclasses import dataclass
from pathlib import Path

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from authoring.repository import ROOT
from autograder.examiner.grader import Grader
from autograder.examiner.handles import Limits
from autograder.lab.key import load_key
from autograder.model import Key, Mark, Result, Submission
from autograder.sandbox.confine import why_not
from base.errors import UserError
from course.learner import title_above
from kernels.forks import can_fork

VISIBLE = "the visible tests run here as well: the same command without --full"


@dataclass(frozen=True)
class Graded:
    """The marks of one exercise, and what is to be told of those that are not full."""

    title: str
    marks: tuple[Mark, ...]

    @property
    def points(self) -> float:
        """What it is worth."""
        return sum(mark.points for mark in self.marks)

    @property
    def score(self) -> float:
        """What it got; a mark that a person has to give is nothing yet."""
        return sum(mark.score or 0.0 for mark in self.marks)

    @property
    def passed(self) -> bool:
        """Whether every test of it got all of its points."""
        return all(mark.score == mark.points for mark in self.marks)

    @property
    def hints(self) -> list[str]:
        """Why points are missing, each reason once."""
        by_hand = ["A person marks this."] if any(mark.score is None for mark in self.marks) else []
        return list(dict.fromkeys([*(mark.reason for mark in self.marks if mark.reason), *by_hand]))


@dataclass(frozen=True)
class Verdict:
    """What the grader says of a notebook. `notes` are sentences on the file and on how it was graded."""

    lab: str
    exercises: tuple[Graded, ...]
    notes: tuple[str, ...] = ()

    @property
    def points(self) -> float:
        """What the lab is worth."""
        return sum(one.points for one in self.exercises)

    @property
    def score(self) -> float:
        """What the notebook got."""
        return sum(one.score for one in self.exercises)


def lab_key(lab: str, root: Path = ROOT) -> Key:
    """Return the key of a lab in whose folder a learner may be at work: its release there is not compared.

    Raises:
        UserError: Its tests are not in this folder, or it cannot be graded.
    """
    if not (root / "solutions" / lab / f"{lab}.ipynb").is_file():
        raise UserError(f"the hidden tests of {lab} are not in this folder: hand it in to be graded; {VISIBLE}")
    return load_key(lab, root, worked=True)


def grade_alone(path: Path, root: Path = ROOT, cell_seconds: float = Limits.cell_seconds) -> Verdict:
    """Grade one notebook, named as its lab; the file is only read.

    Where the machine allows no sandbox (many containers), the learner's own code runs without one, which is noted.

    Raises:
        UserError: The tests are not here, or this system cannot run the grader; the message says what to do.
    """
    if not can_fork():
        raise UserError(
            "the grader runs on Linux only: open the course in Codespaces, on Binder or (on Windows) in WSL; " + VISIBLE
        )
    key = lab_key(path.stem, root)
    reason = why_not()
    notes = () if reason is None else (f"Graded without a sandbox ({reason}): your code could do what you can.",)
    with Grader(key, Limits(cell_seconds=cell_seconds), sandbox=reason is None, jobs=1, hidden=[root]) as grader:
        result = grader.grade(Submission("you", path.read_bytes()))
    return _verdict(key, result, notes)


def _verdict(key: Key, result: Result, notes: tuple[str, ...]) -> Verdict:
    titles: dict[str, str] = {}
    for at, cell in enumerate(key.cells):
        if cell.points:
            titles.setdefault(key.exercise(cell.grade_id), title_above(list(key.cells), at))
    exercises = []
    for name in dict.fromkeys(mark.exercise for mark in result.marks):
        exercises.append(Graded(titles.get(name) or name, tuple(m for m in result.marks if m.exercise == name)))
    return Verdict(key.lab, tuple(exercises), (*notes, *result.notes, *([result.fault] if result.fault else [])))


def _listed(hints: list[str]) -> str:
    return "\n".join(f"- {hint}" for hint in hints) if len(hints) > 1 else "".join(hints)


def render(verdict: Verdict) -> Group:
    """Return what the learner sees: points and hints of each exercise, then the sum and what to do next."""
    table = Table(title=verdict.lab, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1))
    table.add_column("exercise", ratio=2)
    table.add_column("points", justify="right", no_wrap=True)
    table.add_column("the grader's hints", ratio=3)
    for one in verdict.exercises:
        said = Text("full points", style="green") if one.passed else Text(_listed(one.hints), style="yellow")
        table.add_row(Text(one.title), f"{one.score:g} of {one.points:g}", said)
    lines = [Text(note) for note in verdict.notes]
    full = verdict.score >= verdict.points
    total = f"{verdict.score:g} of {verdict.points:g} points, hidden tests included."
    lines.append(Text(total, style="green" if full else "yellow"))
    missed = next((one for one in verdict.exercises if not one.passed), None)
    if missed:
        lines.append(Text(f"Next: {missed.title}", style="bold"))
    return Group(table, *lines)
