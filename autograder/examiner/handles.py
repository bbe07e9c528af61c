"""The grader's ends of a submission's processes: of its box, and of each kernel in it."""

import itertools
import json
import os
import select
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from autograder.examiner.clock import LOOK, Clock
from autograder.examiner.protocol import Box, BoxOrder, Cells, EndOrder, KernelOrder, Task
from autograder.examiner.told import CELLS, frame, read_told, weight
from autograder.sandbox.limits import Confine
from kernels.channel import Channel, ClosedError, TooLargeError, pair

if TYPE_CHECKING:
    from autograder.examiner.grader import Grader

LARGEST_ANSWER = 256 << 20  # bytes that may travel from the student's kernel in one piece
NONSENSE = "the kernel that runs your code answered with something that makes no sense"
LONGEST_SERVER = 100  # bytes
TO_ARRIVE = 5.0  # seconds after its time that an answer which has begun may take to arrive


@dataclass(frozen=True)
class Limits:
    """What one submission may use.

    Attributes:
        cell_seconds: Time that one cell may take, a test with all that it calls included, as its `Clock` counts it.
        memory_mb: Memory that a process of the kernel may add.
        processes: Processes and threads that may be there at a time.
        scratch_mb: Size of its /tmp.
        output_bytes: What a cell may show.
        total_seconds: The same for the whole submission; what is not graded by then fails.
    """

    cell_seconds: float = 60
    memory_mb: int = 2000
    processes: int = 512
    scratch_mb: int = 256
    output_bytes: int = 100_000
    total_seconds: float = 600


LIMITS = Limits()
Ask = Callable[[str, bytes], tuple[str, bytes]]
"""Carries a frame to another kernel and returns what that sends back."""


class EndedError(Exception):
    """A kernel is gone or was ended; the text says why, for the student. `died`: of itself, it was not ended."""

    def __init__(self, why: str, died: bool = False) -> None:
        super().__init__(why)
        self.died = died


class KernelHandle:
    """The grader's end of one kernel."""

    def __init__(self, box: "BoxHandle", number: int, channel: Channel) -> None:
        self.box, self.number, self.channel, self.pid = box, number, channel, 0
        self.server = ""  # that the student's code has asked for

    def send(self, kind: str, body: bytes = b"") -> None:
        """Send a frame. Raises `EndedError`."""
        limit = self.box.grader.limits.cell_seconds
        try:
            self.channel.connection.settimeout(limit)  # a kernel may have stopped reading
            self.channel.send(kind, body)
        except ClosedError:
            raise EndedError(self.box.end(self, ""), died=True) from None
        except TimeoutError:
            raise EndedError(self.box.end(self, f"still running after {limit:g} s")) from None

    def receive(self, until: float, limit: float) -> tuple[str, bytes]:
        """Wait for a frame until a moment of the box's clock."""
        while True:
            kind, body = self._frame(until, limit)
            if kind == Cells.PROCESS and not self.pid:  # before any cell
                self.pid = int(body)
                self.box.clock.pids.append(self.pid)
            elif kind == Cells.SERVER and self.box.clock.now() < until:  # who tells that for ever makes no sense
                self.server = body[:LONGEST_SERVER].decode(errors="replace")
            else:
                return kind, body

    def _frame(self, until: float, limit: float) -> tuple[str, bytes]:
        clock = self.box.clock
        while not select.select([self.channel], [], [], min(max(until - clock.now(), 0), LOOK))[0]:
            clock.look()
            if clock.now() >= until:
                raise EndedError(self.box.end(self, self._too_long(limit)))
        clock.look(LOOK)
        try:
            kind, body, fds = self.channel.receive(time.monotonic() + max(until - clock.now(), 0) + TO_ARRIVE)
        except ClosedError:
            raise EndedError(self.box.end(self, ""), died=True) from None
        except TimeoutError:
            raise EndedError(self.box.end(self, "an answer did not arrive whole")) from None
        except TooLargeError:
            raise EndedError(self.box.end(self, "a value is too large to be looked at by the tests")) from None
        for fd in fds:
            os.close(fd)
        return kind, body

    def _too_long(self, limit: float) -> str:
        """Say why a cell is ended by its limit, and note where it might have done better alone."""
        clock, said = self.box.clock, f"still running after {limit:g} s"
        if clock.starved(limit):
            self.box.grader.starved.add(self.box.uid)
        if not clock.idle(limit):
            return f"{said}: is there a loop that never ends?"
        if self.server:
            return f"{said}, and only waits: it last asked for {self.server}. Is a server there? There is no network"
        return f"{said}, and only waits: for a server that is not there, a lock, a sleep?"

    def run(self, task: Task, until: float, limit: float, ask: Ask | None = None) -> dict[str, Any]:
        """Run a cell and return what is told of it; `ask` has the other kernel answer what it asks meanwhile."""
        self.send(Cells.RUN, task.body())
        kind, body = self.receive(until, limit)
        while kind in (Cells.ASK, Cells.ANSWER) and ask:
            self.send(*ask(kind, body))
            kind, body = self.receive(until, limit)
        if kind != Cells.TOLD:
            raise EndedError(self.box.end(self, NONSENSE), died=True)
        return self.told(body)

    def told(self, body: bytes) -> dict[str, Any]:
        """Read what a kernel tells of a cell; the student's may tell anything."""
        try:
            told = read_told(body, self.box.grader.limits.output_bytes, self.box.room)
        except (ValueError, TypeError, KeyError, RecursionError):
            raise EndedError(self.box.end(self, NONSENSE), died=True) from None
        self.box.room -= sum(map(weight, told["outputs"]))
        return told


class BoxHandle:
    """One submission's processes."""

    def __init__(self, grader: "Grader", uid: int, clock: Clock) -> None:
        self.grader, self.clock, self.numbers = grader, clock, itertools.count()
        self.control, theirs = pair()
        self.folder = "" if grader.sandbox else tempfile.mkdtemp(prefix="lab-")
        order = BoxOrder(grader.sandbox, grader.limits.scratch_mb, uid, self.folder)
        if self.folder:
            shutil.copytree(grader.folder, self.folder, dirs_exist_ok=True)
        with theirs:
            grader.fork_box(order, theirs)
        self.uid, self.kernels = uid, list[KernelHandle]()
        self.room = CELLS * grader.limits.output_bytes  # that what all cells show may take

    def kernel(self, examiner: bool) -> KernelHandle:
        """Have a kernel forked: the student's, or the examiner's."""
        limits = self.grader.limits
        number = next(self.numbers)
        channel, theirs = pair(1 << 30) if examiner else pair(LARGEST_ANSWER, {"d": frame(limits.output_bytes)})
        confine = Confine(
            limits.memory_mb, limits.processes, int(limits.total_seconds) + 60, limits.scratch_mb, self.uid
        )
        order = KernelOrder(number, examiner, confine, limits.output_bytes)
        with theirs:
            self.control.send(Box.KERNEL, order.body(), [theirs.fileno()])
        kernel = KernelHandle(self, number, channel)
        self.kernels.append(kernel)
        return kernel

    def end(self, kernel: KernelHandle, why: str) -> str:
        """End a kernel; returns why it ended, which its exit code tells where `why` is empty."""
        if kernel not in self.kernels:
            return why or "Python ended here"
        self.kernels.remove(kernel)
        if kernel.pid:
            self.clock.pids.remove(kernel.pid)
        self.control.send(Box.END, EndOrder(kernel.number, gone=not why).body())
        _, body, _ = self.control.receive()
        kernel.channel.close()
        code = json.loads(body)["code"]
        return why or _ending(code)

    def close(self) -> None:
        """End all of them."""
        for kernel in list(self.kernels):
            self.end(kernel, "over")
        self.control.close()
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)


def _ending(code: int) -> str:
    """Say how a kernel ended."""
    number = max(-code, 0)  # of the signal
    if number == 9:
        return "Python was killed here: it needs too much memory"
    if number == 24:
        return "Python was ended here: it computes for too long"
    if number:
        return f"Python crashed here (signal {number}): a fault in compiled code"
    return "Python itself ended here: exit() or os._exit()"
