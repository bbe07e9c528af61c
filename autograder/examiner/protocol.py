"""What the processes of a grading run say to one another: the frames of each channel, and the orders in them.

    grader  <->  template   `Template`: it is ready, fork a box
    grader  <->  box        `Box`: fork a kernel, end one
    grader  <->  kernel     `Cells`: run a cell; and what one kernel asks of the other, which the grader carries

A frame is one letter and a body (`kernels.channel`). What is an order's body is JSON of a class here.
"""

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Self

from autograder.sandbox.limits import Confine


class Template(StrEnum):
    """Frames between the grader and the template."""

    READY = "r"  # from it: the names that the first cells bound, or what went wrong
    BOX = "b"  # to it: `BoxOrder`, with the box's end of a channel


class Box(StrEnum):
    """Frames between the grader and a box."""

    KERNEL = "k"  # to it: `KernelOrder`, with the kernel's end of a channel
    END = "e"  # to it: `EndOrder`; from it: the exit code


class Cells(StrEnum):
    """Frames between the grader and a kernel."""

    PROCESS = "p"  # from it, first of all: its process id
    RUN = "x"  # to it: `Task`
    TOLD = "d"  # from it: how the cell went, `autograder.examiner.told`
    TEST_BEGINS = "n"  # to it: nothing is shared any more
    ASK = "a"  # from one kernel to the other
    ANSWER = "k"  # back
    GONE = "z"  # to it, instead of an answer: why the other kernel is no more
    SERVER = "s"  # from it: the address that the student's code asks for


@dataclass(frozen=True)
class Order:
    """The body of a frame that orders something."""

    def body(self) -> bytes:
        """Return it as JSON."""
        return json.dumps(asdict(self)).encode()

    @classmethod
    def read(cls, body: bytes) -> Self:
        """Return what `body` wrote."""
        return cls(**json.loads(body))


@dataclass(frozen=True)
class BoxOrder(Order):
    """Fork a box: with a scratch of so many MB, for processes of a user; without a sandbox it works in a folder."""

    sandbox: bool
    scratch_mb: int
    uid: int
    folder: str


@dataclass(frozen=True)
class KernelOrder(Order):
    """Fork a kernel by the number, the examiner's or the student's, whose cells may show so many bytes."""

    number: int
    examiner: bool
    confine: Confine
    output_bytes: int

    @classmethod
    def read(cls, body: bytes) -> Self:
        """Return what `body` wrote."""
        data = json.loads(body)
        return cls(**data | {"confine": Confine(**data["confine"])})


@dataclass(frozen=True)
class EndOrder(Order):
    """End a kernel; one that is `gone` has hung up, so how it ended is soon known."""

    number: int
    gone: bool


@dataclass(frozen=True)
class Task(Order):
    """Run a cell.

    Attributes:
        source: The cell.
        ours: It is the instructor's: what it binds is the same in both kernels.
        credit: Its last value is partial credit.
        test: It is run in the examiner's kernel, with names bound to what stands for the student's.
        names: Of a test: what it may read.
        student: Of a test: the names that the answers bind.
        lend: Of a test: what it binds that the student's kernel shall have.
    """

    source: str
    ours: bool = False
    credit: bool = False
    test: bool = False
    names: tuple[str, ...] = ()
    student: tuple[str, ...] = ()
    lend: tuple[str, ...] = ()
