"""Time as a box had it: a mark may never depend on who is graded beside it.

A limit counts the time in which a box computed, or waited by its own choice. Time in which its processes wanted a core
and had none does not count, within bounds; and what still ends by a limit after such a time is graded again alone.
"""

import contextlib
import fcntl
import os
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

from base.errors import UserError
from kernels.door import NoKernelError, users_folder

FAR = 5
"""A cell is ended after this many times its limit by the clock on the wall, however starved."""
LOOK = 1.0  # seconds between two looks at a box
GREEDY, LATER = 1.5, 10  # cores that a box takes before it is to stand back, and by how much: its nice value
NOTICED = 1.0  # seconds without a core that can have changed what a cell managed to do


class Clock:
    """The clock of one submission. One thread at a time may use it."""

    def __init__(self) -> None:
        self.pids: list[int] = []
        self.lost = self.got = 0.0  # seconds without a core that was wanted; seconds of CPU
        self._last, self._seen = time.monotonic(), dict[int, tuple[int, int]]()
        self._most, self._start = 0.0, (0.0, 0.0)

    def now(self) -> float:
        """Return a moment, seconds: it runs with the monotonic clock, and stands still while the box is starved."""
        return time.monotonic() - self.lost

    def begin(self, limit: float) -> None:
        """Begin a cell that may take `limit` seconds."""
        self.look()
        self._start, self._most = (self.lost, self.got), self.lost + (FAR - 1) * limit

    def look(self, after: float = 0.0) -> None:
        """See what the box's processes had since the last look, if that is `after` seconds ago or more."""
        now = time.monotonic()
        if (span := now - self._last) <= after:
            return
        tasks = {task: had for pid in self.pids for task, had in _tasks(pid)}
        new = [[now - then for now, then in zip(had, self._seen.get(task, (0, 0)), strict=True)]
               for task, had in tasks.items()]  # fmt: skip
        got, waited = (sum(part) / 1e9 for part in zip(*new, strict=True)) if new else (0.0, 0.0)
        self.got += got
        # Of one core: who wants more of them, and has one, is not starved.
        self.lost = max(self.lost, min(self._most, self.lost + max(min(span, got + waited) - got, 0)))
        self._last, self._seen = now, tasks
        if got > GREEDY * span > LOOK / 2:
            for task in tasks:
                _stand_back(task)

    def starved(self, limit: float) -> bool:
        """Whether the cell, ended by its limit, might have done better alone."""
        lost, got = self.lost - self._start[0], self.got - self._start[1]
        return lost > NOTICED and got < 0.9 * limit

    def idle(self, limit: float) -> bool:
        """Whether the cell hardly computed."""
        return bool(self._seen) and self.got - self._start[1] < 0.05 * limit


def _tasks(pid: int) -> Iterator[tuple[int, tuple[int, int]]]:
    """Yield the threads of a process and of all below it, each with its time on a core and its wait for one, ns.

    Those that have ended are not there, nor is anything where /proc does not tell.
    """
    left = [pid]
    while left:
        folder = f"/proc/{left.pop()}/task"
        with contextlib.suppress(OSError, ValueError):
            for task in os.listdir(folder):  # noqa: PTH208  # this runs often
                had, waited, _ = Path(folder, task, "schedstat").read_text().split()
                yield int(task), (int(had), int(waited))
                left += map(int, Path(folder, task, "children").read_text().split())


def _stand_back(task: int) -> None:
    """Put a thread, and its session where the kernel shares by sessions, behind those of others."""
    with contextlib.suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, task, LATER)
        Path(f"/proc/{task}/autogroup").write_text(str(LATER))


class Turns:
    """Has submissions graded beside one another, and one alone: all graders of this user on this machine agree on it.

    Two locked files: who wants in, passes the gate; who waits for the room to be empty, keeps it shut.
    """

    def __init__(self) -> None:
        self.over = threading.Event()
        self._own: tempfile.TemporaryDirectory[str] | None = None
        try:
            self.folder = users_folder()
        except (OSError, NoKernelError):  # then those of this grader alone
            self._own = tempfile.TemporaryDirectory(prefix="turns-")
            self.folder = Path(self._own.name)

    @contextlib.contextmanager
    def _locked(self, name: str, how: int) -> Iterator[None]:
        with (self.folder / f"{name}.lock").open("ab") as file:
            while True:
                try:
                    fcntl.flock(file, how | fcntl.LOCK_NB)
                    break
                except BlockingIOError:
                    if self.over.wait(0.02):
                        raise UserError("stopped") from None
            yield

    @contextlib.contextmanager
    def beside(self) -> Iterator[None]:
        """Within the block, others may be graded too."""
        with contextlib.ExitStack() as stack:
            with self._locked("gate", fcntl.LOCK_EX):
                stack.enter_context(self._locked("room", fcntl.LOCK_SH))
            yield

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Within the block, nobody else is graded."""
        with self._locked("gate", fcntl.LOCK_EX), self._locked("room", fcntl.LOCK_EX):
            yield

    def close(self) -> None:
        """Let nobody wait any longer."""
        self.over.set()
        if self._own:
            self._own.cleanup()
