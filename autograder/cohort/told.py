"""What a run tells as it goes, and what came of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from autograder.submissions.collect import Found


@dataclass(frozen=True)
class Note:
    """What a run tells as it goes: a student is done, with `said` in one line."""

    student: str
    said: str
    fault: bool = False


@dataclass(frozen=True)
class Summary:
    """What came of a run.

    Attributes:
        lab: The lab.
        submissions: How many there are.
        graded: How many of them were graded in this run; the others were graded before.
        faults: Students who are not graded, and why, in one line. They have no mark, which is not a mark of zero.
        files: What was made from the results, for the instructor.
        remarks: What there is to say of it.
    """

    lab: str
    submissions: int
    graded: int
    faults: tuple[tuple[str, str], ...]
    files: tuple[Path, ...]
    remarks: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every submission is graded."""
        return not self.faults


class Listener(Protocol):
    """Hears how a run goes."""

    def found(self, lab: str, found: Found) -> None:
        """So much was handed in for a lab, and so much is nobody's."""
        ...

    def begin(self, lab: str, students: int, todo: int) -> None:
        """A lab has so many submissions, of which so many have to be graded."""
        ...

    def note(self, note: Note) -> None:
        """A student is done."""
        ...
