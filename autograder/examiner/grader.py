"""Grading one submission: the student's cells in one kernel, the tests in another, and a mark for each test."""

import atexit
import base64
import contextlib
import itertools
import json
import os
import queue
import select
import shutil
import socket
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from pathlib import Path
from typing import Any

from autograder.examiner.clock import LOOK, Clock, Turns
from autograder.examiner.told import CELLS, frame, read_told, weight
from autograder.lab.settings import CONFIG
from autograder.lab.source import bound_in, globals_in, imports_of, names_in, without_docstrings, words_in
from autograder.model import (
    ANSWER,
    EXTRA,
    LOCKED,
    MANUAL,
    REFERENCE,
    TEST,
    TEXT,
    Cell,
    CellRun,
    Key,
    Mark,
    Output,
    Prepared,
    Result,
    Submission,
    led_to,
)
from autograder.sandbox.confine import why_not as sandbox_missing
from autograder.sandbox.limits import require_files
from autograder.sandbox.view import python_paths
from autograder.submissions.intake import prepare
from base.errors import UserError
from base.text import one_line
from kernels.channel import Channel, ClosedError, Closing, TooLargeError, pair
from kernels.forks import can_fork
from kernels.parent import Parent
from kernels.warming import ThreadStartedError

BESIDE = "# grader: these run where the answers run"
"""A line in a cell of the instructor's: its functions take objects that cannot leave the student's kernel."""
SHOWN = "# grader: no secret"
"""A line in a reference answer that a lesson shows and that cannot be called from afar, such as a class or a web
application: in the second look it may run where the student's code runs."""
LARGEST_ANSWER = 256 << 20  # bytes that may travel from the student's kernel in one piece
FIRST_UID, UIDS = 100_000, 640_000
"""Users that boxes run as, outside any real one's. Each box at a time has one of its own, for processes are counted by
user: graders that run side by side begin at places that their process ids choose."""
NONSENSE = "the kernel that runs your code answered with something that makes no sense"
REASON = 400  # characters
PARENT_ENVIRONMENT = {
    "PYTHONHASHSEED": "0",  # sets of strings have the same order whenever a submission is graded
    # Huge pages: a fork copies a table of all pages. Arenas: each takes 64 MB of what a process may add.
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1:glibc.malloc.arena_max=4",
    # There is no network: what asks a server says so at once, by its own message, instead of asking for minutes.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_NO_INPUT": "1",
    "PIP_RETRIES": "0",
    "UV_OFFLINE": "1",
}
NO_MORE = (
    "can't start new thread",
    "'DummyProcess' object has no attribute 'terminate'",  # multiprocessing, of a pool of threads
    "Thread creation failed",
)
"""What errors say where a process or a thread could not be started."""
NO_SERVER = ("Connection refused", "Network is unreachable", "name resolution", "Name or service not known")
"""What errors say where there is no server, which they often do not name."""
LONGEST_SERVER = 100  # bytes
NOT_RUN = 0.0, "the test was not run: ask your instructor"
"""Points need evidence: a test cell without code, or one that nothing is known of, gives none."""
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


Ask = Callable[[str, bytes], tuple[str, bytes]]
"""Carries a frame to another kernel and returns what that sends back."""


class _EndedError(Exception):
    """A kernel is gone or was ended; the text says why, for the student. `died`: of itself, it was not ended."""

    def __init__(self, why: str, died: bool = False) -> None:
        super().__init__(why)
        self.died = died


class _Kernel:
    """The grader's end of one kernel."""

    def __init__(self, box: "_Box", number: int, channel: Channel) -> None:
        self.box, self.number, self.channel, self.pid = box, number, channel, 0
        self.server = ""  # that the student's code has asked for

    def send(self, kind: str, body: bytes = b"") -> None:
        limit = self.box.grader.limits.cell_seconds
        try:
            self.channel.connection.settimeout(limit)  # a kernel may have stopped reading
            self.channel.send(kind, body)
        except ClosedError:
            raise _EndedError(self.box.end(self, ""), died=True) from None
        except TimeoutError:
            raise _EndedError(self.box.end(self, f"still running after {limit:g} s")) from None

    def receive(self, until: float, limit: float) -> tuple[str, bytes]:
        """Wait for a frame until a moment of the box's clock."""
        while True:
            kind, body = self._frame(until, limit)
            if kind == "p" and not self.pid:  # before any cell
                self.pid = int(body)
                self.box.clock.pids.append(self.pid)
            elif kind == "s" and self.box.clock.now() < until:  # who tells that for ever makes no sense
                self.server = body[:LONGEST_SERVER].decode(errors="replace")
            else:
                return kind, body

    def _frame(self, until: float, limit: float) -> tuple[str, bytes]:
        clock = self.box.clock
        while not select.select([self.channel], [], [], min(max(until - clock.now(), 0), LOOK))[0]:
            clock.look()
            if clock.now() >= until:
                raise _EndedError(self.box.end(self, self._too_long(limit)))
        clock.look(LOOK)
        try:
            kind, body, fds = self.channel.receive(time.monotonic() + max(until - clock.now(), 0) + TO_ARRIVE)
        except ClosedError:
            raise _EndedError(self.box.end(self, ""), died=True) from None
        except TimeoutError:
            raise _EndedError(self.box.end(self, "an answer did not arrive whole")) from None
        except TooLargeError:
            raise _EndedError(self.box.end(self, "a value is too large to be looked at by the tests")) from None
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

    def run(self, task: dict[str, Any], until: float, limit: float, ask: Ask | None = None) -> dict[str, Any]:
        """Run a cell and return what is told of it; `ask` has the other kernel answer what it asks meanwhile."""
        self.send("x", json.dumps(task).encode())
        kind, body = self.receive(until, limit)
        while kind in ("a", "k") and ask:
            self.send(*ask(kind, body))
            kind, body = self.receive(until, limit)
        if kind != "d":
            raise _EndedError(self.box.end(self, NONSENSE), died=True)
        return self.told(body)

    def told(self, body: bytes) -> dict[str, Any]:
        """Read what a kernel tells of a cell; the student's may tell anything."""
        try:
            told = read_told(body, self.box.grader.limits.output_bytes, self.box.room)
        except (ValueError, TypeError, KeyError, RecursionError):
            raise _EndedError(self.box.end(self, NONSENSE), died=True) from None
        self.box.room -= sum(map(weight, told["outputs"]))
        return told


class _Box:
    """One submission's processes."""

    def __init__(self, grader: "Grader", uid: int, clock: Clock) -> None:
        self.grader, self.clock, self.numbers = grader, clock, itertools.count()
        self.control, theirs = pair()
        self.folder = "" if grader.sandbox else tempfile.mkdtemp(prefix="lab-")
        options = {"sandbox": grader.sandbox, "scratch_mb": grader.limits.scratch_mb, "uid": uid, "folder": self.folder}
        if self.folder:
            shutil.copytree(grader.folder, self.folder, dirs_exist_ok=True)
        with theirs:
            grader.ask_template("b", json.dumps(options).encode(), theirs)
        self.uid, self.kernels = uid, list[_Kernel]()
        self.room = CELLS * grader.limits.output_bytes  # that what all cells show may take

    def kernel(self, examiner: bool) -> _Kernel:
        limits = self.grader.limits
        number = next(self.numbers)
        channel, theirs = pair(1 << 30) if examiner else pair(LARGEST_ANSWER, {"d": frame(limits.output_bytes)})
        confine = {
            "memory_mb": limits.memory_mb,
            "processes": limits.processes,
            "cpu_seconds": int(limits.total_seconds) + 60,
            "file_mb": limits.scratch_mb,
            "uid": self.uid,
        }
        order = {"number": number, "examiner": examiner, "confine": confine, "output_bytes": limits.output_bytes}
        with theirs:
            self.control.send("k", json.dumps(order).encode(), [theirs.fileno()])
        kernel = _Kernel(self, number, channel)
        self.kernels.append(kernel)
        return kernel

    def end(self, kernel: _Kernel, why: str) -> str:
        """End a kernel; returns why it ended, which its exit code tells where `why` is empty."""
        if kernel not in self.kernels:
            return why or "Python ended here"
        self.kernels.remove(kernel)
        if kernel.pid:
            self.clock.pids.remove(kernel.pid)
        self.control.send("e", json.dumps({"number": kernel.number, "gone": not why}).encode())
        _, body, _ = self.control.receive()
        kernel.channel.close()
        code = json.loads(body)["code"]
        return why or _ending(code)

    def close(self) -> None:
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


@dataclass
class _Seen:
    """How a cell ended: nothing wrong (no `fault`), or why; the text is for the student."""

    outputs: tuple[Output, ...] = ()
    fault: str = ""
    killed: bool = False
    died: bool = False


class _Session:
    """One pass through the cells of a submission, with a student's kernel and an examiner's.

    Args:
        box: Where they run.
        cells: All cells, in order.
        wanted: The tests that are to be marked.
        until: When all has to be over, by the clock of the box.
        whole: Run what stands below the last wanted test, too.
        to_first_loss: End with the first test that does not give all its points; nothing is tried twice.
    """

    def __init__(
        self,
        box: _Box,
        cells: tuple[Cell, ...],
        wanted: set[str],
        until: float,
        whole: bool = False,
        to_first_loss: bool = False,
    ) -> None:
        self.whole, self.to_first_loss, self.took = whole, to_first_loss, dict[int, float]()
        self.box, self.cells, self.wanted, self.until = box, cells, wanted, until
        self.grader = box.grader
        self.limit = self.grader.limits.cell_seconds
        self.seen: dict[int, _Seen] = {}
        self.student: _Kernel | None = None
        self.examiner: _Kernel | None = None
        self.asked = False  # whether a test has had the student's kernel run something since it began
        self.read: set[str] = set()  # names that the instructor's cells and tests read
        for cell in cells:
            if cell.kind in (LOCKED, REFERENCE) and cell.runs:
                self.read |= names_in(cell.source)

    def run(self) -> dict[str, tuple[float | str | None, str]]:
        """Run everything; returns for each wanted test its score or a complaint about it, and why it failed."""
        verdicts: dict[str, tuple[float | str | None, str]] = {}
        last = max((at for at, cell in enumerate(self.cells) if cell.grade_id in self.wanted), default=-1)
        for at, cell in enumerate(self.cells):
            if not cell.runs or at in self.set_up or (at > last and (cell.kind in (LOCKED, TEST) or not self.whole)):
                continue
            begin = self.box.clock.now()
            if cell.kind == TEST:
                if cell.grade_id in self.wanted:
                    value, _ = verdicts[cell.grade_id] = self._test(at, cell)
                    if self.to_first_loss and value not in (None, cell.points):
                        return verdicts
                elif cell.grade_id in self.helpers:
                    self._student_cell(at, cell.visible)
            elif cell.kind == REFERENCE:
                self.seen[at] = _Seen()
                self._examiner_cell(at, cell)
            else:
                self._student_cell(at, cell.source)
                if cell.kind == LOCKED:
                    self._examiner_cell(at, cell)
            self.box.clock.look()
            self.took[at] = self.box.clock.now() - begin
        return verdicts

    @cached_property
    def helpers(self) -> set[str]:
        """Tests whose visible part the student's own code uses: names that it defines are read in an answer."""
        own = [cell.source for cell in self.cells if cell.kind in (ANSWER, EXTRA, MANUAL) and cell.runs]
        used = set().union(*map(globals_in, own))
        return {cell.grade_id for cell in self.cells if cell.kind == TEST and bound_in(cell.visible) & used}

    @cached_property
    def set_up(self) -> set[int]:
        """Cells that the template has run."""
        done, found = Counter(self.grader.setup), set()
        for at, cell in enumerate(self.cells):
            if cell.kind == LOCKED and done[cell.source] > 0:
                done[cell.source] -= 1
                found.add(at)
        return found

    def _deadline(self) -> float:
        self.box.clock.begin(self.limit)
        if self.student:
            self.student.server = ""
        return min(self.box.clock.now() + self.limit, self.until)

    def _student(self) -> _Kernel:
        """Return the student's kernel; a new one where the innocent cells before are run again."""
        if self.student is None:
            self.student, self.asked = self.box.kernel(examiner=False), False
            for at in sorted(self.seen):
                cell = self.cells[at]
                if cell.kind == REFERENCE and not self.seen[at].killed:
                    self._examiner_cell(at, cell)
                    if self.student is None:
                        self.seen[at] = _Seen(killed=True)
                        return self._student()
                elif not self.seen[at].killed:
                    source = cell.visible if cell.kind == TEST else cell.source
                    again = self._in_student(source, cell.kind == LOCKED)
                    if again.killed:
                        self.seen[at] = replace(again, outputs=self.seen[at].outputs)
                        return self._student()
        return self.student

    def _student_cell(self, at: int, source: str) -> None:
        if self.box.clock.now() > self.until:
            self.seen[at] = _Seen(fault="not run: the time for the whole notebook is over", killed=True)
            return
        self._student()
        found = self._in_student(source, self.cells[at].kind == LOCKED)
        if found.died and self.asked:  # perhaps by what an earlier test had called: once more without that
            self._student()
            found = self._in_student(source, self.cells[at].kind == LOCKED)
        self.seen[at] = found

    def _in_student(self, source: str, ours: bool) -> _Seen:
        assert self.student is not None
        until, task = self._deadline(), {"source": source, "test": False, "ours": ours}
        ask = partial(self._ask_examiner, until) if self.borrows else None
        try:
            if ask:
                for kernel in (self.student, self._examiner()):
                    kernel.send("n")
            told = self.student.run(task, until, self.limit, ask)
        except _EndedError as end:
            self.student = None
            return _Seen((Output("error", str(end)),), str(end), killed=True, died=end.died)
        return _Seen(told["outputs"], "" if told["ok"] else self._error(told))

    def _examiner(self) -> _Kernel:
        if self.examiner is None:
            self.examiner = self.box.kernel(examiner=True)
        return self.examiner

    @cached_property
    def borrows(self) -> bool:
        """Whether what the student's code calls may be a reference answer, which is in the examiner's kernel."""
        return any(cell.kind == REFERENCE for cell in self.cells)

    def _ask_examiner(self, until: float, kind: str, body: bytes) -> tuple[str, bytes]:
        """Have a reference answer called, or a question of it answered. If it does not come back, the session ends."""
        examiner, student = self._examiner(), self.student
        assert student is not None
        try:
            examiner.send(kind, body)
            kind, body = examiner.receive(until, self.limit)
            if kind not in ("a", "k"):
                raise _EndedError(self.box.end(examiner, NONSENSE))
        except _EndedError as end:  # the student's kernel waits for it in vain
            self.examiner, self.until = None, 0.0
            raise _EndedError(self.box.end(student, str(end))) from None
        return kind, body

    def _examiner_cell(self, at: int, cell: Cell) -> None:
        """Run the instructor's cell in the examiner's kernel too; where it calls answers, they are asked for.

        Of a reference answer, the student's kernel gets something to call: its text is in no process of the student's.
        """
        if self.box.clock.now() > self.until:
            return
        try:
            if cell.kind == REFERENCE:
                lend = bound_in(cell.source) & self.grader.released
                self._examine(without_docstrings(cell.source), ours=False, lend=sorted(lend))
            else:
                self._examine(cell.source, ours=True)
        except _EndedError:
            self.examiner = None
            self._renew_examiner(at)

    def _examine(self, source: str, ours: bool, lend: Iterable[str] = ()) -> dict[str, Any]:
        """Run a source in the examiner's kernel, carrying frames to the student's and back."""
        student, examiner = self._student(), self._examiner()
        until = self._deadline()
        task = {
            "source": source,
            "test": True,
            "ours": ours,
            "names": sorted(self.read | names_in(source)),
            "student": self.grader.answered,
            "lend": list(lend),
        }
        examiner.send("x", json.dumps(task).encode())
        gone, again, first, asked = "", False, True, self.asked
        while True:
            kind, body = examiner.receive(until + 2 * TO_ARRIVE, self.limit)  # it is told when the student's has ended
            if kind == "d":
                return examiner.told(body) | ({"gone": gone, "again": again} if gone else {})
            if not gone:
                try:
                    if first:
                        student.send("n")
                    first, self.asked = False, True
                    student.send(kind, body)
                    kind, body = student.receive(until, self.limit)
                    if kind not in ("a", "k"):
                        raise _EndedError(self.box.end(student, NONSENSE), died=True)
                except _EndedError as end:
                    gone, self.student = str(end), None
                    again = end.died and asked  # perhaps by what an earlier test had called
            examiner.send(*(("z", gone.encode()) if gone else (kind, body)))

    def _test(self, at: int, cell: Cell) -> tuple[float | str | None, str]:
        if self.box.clock.now() > self.until:
            return 0.0, "not graded: the notebook as a whole took too long"
        try:
            told = self._examine(cell.source, ours=False)
            if told.get("again") and not self.to_first_loss:
                told = self._examine(cell.source, ours=False)
        except _EndedError as end:
            self.examiner = None  # with new cells of the instructor's run again
            self._renew_examiner(at)
            return 0.0, f"the test did not end: {end}"
        if told.get("gone"):
            return 0.0, told["gone"]
        if cell.grade_id in self.helpers:
            self._student_cell(at, cell.visible)
        if told["ok"]:
            return told["value"], ""
        return 0.0, self._reason(at, cell, told)

    def _renew_examiner(self, before: int) -> None:
        for at, cell in enumerate(self.cells[:before]):
            if cell.kind in (LOCKED, REFERENCE) and cell.runs and at not in self.set_up:
                self._examiner_cell(at, cell)

    def _reason(self, at: int, cell: Cell, told: dict[str, Any]) -> str:
        """Return why a test failed, as one line for the student that shows nothing of a hidden test."""
        if told["ename"] == "AssertionError":
            if told["evalue"].strip():
                return str(told["evalue"])
            shown = told["line"] if told["line"] and told["line"] in cell.visible else ""
            return f"this does not hold: {shown}" if shown else "a hidden test does not hold"
        above = next((seen for number, seen in sorted(self.seen.items(), reverse=True) if number < at and seen.fault
                      and self.cells[number].kind == ANSWER
                      and self.cells[number].grade_id == self.grader.key.exercise(cell.grade_id)), None)  # fmt: skip
        if above is None:
            return led_to(self._error(told))
        return f"in the answer's cell: {above.fault}"

    def _error(self, told: dict[str, Any]) -> str:
        most = self.grader.limits.processes
        if any(sign in told["evalue"] for sign in NO_MORE):
            return f"more than {most} processes and threads at a time, or memory for them, were wanted: start fewer"
        if told["evalue"].startswith("[Errno 11]"):  # of a fork, most often
            return f"{told['ename']}: {told['evalue']}: no more than {most} processes and threads may run at a time"
        server = self.student.server if self.student else ""
        if server and server not in told["evalue"] and any(sign in told["evalue"] for sign in NO_SERVER):
            return f"{told['ename']}: {told['evalue']}: there is no server {server} here, and no network"
        if told["ename"] == "OSError" and told["evalue"].startswith(("[Errno 27]", "[Errno 28]")):
            return "OSError: it prints or writes more than there is room for"
        return f"{told['ename']}: {told['evalue']}" if told["evalue"] else str(told["ename"])


def _lent(answer: Cell) -> Cell:
    """Return a reference answer as it takes the place of a student's in the second look."""
    if SHOWN in (line.strip() for line in answer.source.splitlines()):
        return replace(answer, source=without_docstrings(answer.source))
    return replace(answer, kind=REFERENCE)


def _verdict(mark: Mark | None) -> tuple[Output, ...]:
    """Return what a test cell shows in the graded notebook: why it failed, or the points of a part."""
    if mark is None or mark.score is None or mark.score == mark.points:
        return ()
    return (Output("result", f"{mark.score:g}\n") if mark.score else Output("error", f"Failed: {mark.reason}"),)


def first_uid() -> int:
    """Return the first of the 64 users that are kept for this process's boxes."""
    return FIRST_UID + os.getpid() * 64 % UIDS


_COUNT = itertools.count()
_AHEAD: dict[tuple[str, ...], Parent] = {}


def _start_parent(modules: Iterable[str]) -> Parent:
    return Parent(["IPython.core.interactiveshell", "autograder.examiner.box", *modules], PARENT_ENVIRONMENT)


def warm_ahead(sources: Iterable[str]) -> None:
    """Start what a `Grader` of a lab with these cells will need, and do not wait for it."""
    modules = tuple(imports_of(sources))
    if can_fork() and modules not in _AHEAD:
        _AHEAD[modules] = _start_parent(modules)
        atexit.register(lambda: _AHEAD.pop(modules).close() if modules in _AHEAD else None)


def _warm_parent(modules: list[str]) -> Parent:
    """Return a warm parent with all of the modules that it may import; kernels import the others themselves."""
    while True:
        try:
            return (_AHEAD.pop(tuple(modules), None) or _start_parent(modules)).ready()
        except ThreadStartedError as error:
            if error.module not in modules:
                raise
            modules = [name for name in modules if name != error.module]


class Grader(Closing):
    """Grades submissions of one lab. Many threads may call `grade` at once.

    Args:
        key: The lab.
        limits: What a submission may use.
        sandbox: Confine the student's code; without it, it can do whatever you can.
        jobs: How many submissions at a time, at most.
        hidden: Folders of which a submission sees nothing but what Python itself needs, such as the course's, which
            holds the answers; an entry of `sys.path` with the settings of a course is one anyway.

    Raises:
        UserError: This machine cannot confine code, or the lab's own first cells fail.
    """

    def __init__(
        self,
        key: Key,
        limits: Limits = Limits(),
        sandbox: bool = True,
        jobs: int | None = None,
        hidden: Iterable[Path] = (),
    ) -> None:
        self.key, self.limits, self.sandbox = key, limits, sandbox
        courses = (Path(entry) for entry in sys.path if (Path(entry) / CONFIG).is_file())
        self.hidden = [path.resolve() for path in (*hidden, *courses)]
        require_files()
        if sandbox and (reason := sandbox_missing()):
            raise UserError(
                f"{reason}. Without a sandbox a submission can read your files and the hidden tests, use the network "
                "and go on running after its grading: --no-sandbox grades all the same"
            )
        answers = [cell for cell in key.cells if cell.kind in (ANSWER, MANUAL)]
        answers += [cell for cell in key.cells if cell.kind == LOCKED and BESIDE in cell.source.splitlines()]
        self.took: dict[int, float] = {}
        """Seconds that each cell of the submission graded last took, by its number."""
        self.answered = sorted(set().union(*(bound_in(cell.source) for cell in answers)))
        handed_out = (
            cell.visible if cell.kind == TEST else cell.source
            for cell in key.cells
            if cell.kind not in (ANSWER, MANUAL)
        )
        self.released = frozenset[str]().union(*map(words_in, [*handed_out, *key.stubs.values()]))
        self.uids: queue.SimpleQueue[int] = queue.SimpleQueue()
        start = first_uid() + next(_COUNT) % 8 * 8
        for number in range(jobs or 4 * (os.cpu_count() or 1)):
            self.uids.put(start + number)
        self.turns, self.starved = Turns(), set[int]()
        self.folder = "" if sandbox else tempfile.mkdtemp(prefix="lab-")
        self.parent = _warm_parent(imports_of(cell.source for cell in key.cells if cell.cell_type == "code"))
        first = next((at for at, cell in enumerate(key.cells) if cell.kind not in (LOCKED, TEXT)), len(key.cells))
        try:
            self.setup = [cell.source for cell in key.cells[:first] if cell.runs]
            told = self._start_template(self.setup)
            if told.get("threads", 0) > 0:  # they would not be in a fork: each kernel runs these cells itself
                self.template.close()
                self.setup = []
                told = self._start_template([])
            if "fault" in told:
                raise UserError(f"{key.lab}: the lab's own first cells fail: {told['fault']}")
        except BaseException:
            self.close()
            raise

    def _start_template(self, sources: list[str]) -> dict[str, Any]:
        self.template, theirs = pair()
        shown = [path for path in python_paths(skip=self.hidden) if path.exists()] if self.sandbox else []
        options = {
            "sandbox": self.sandbox,
            "readonly": [str(path) for path in shown],
            "hidden": [str(path) for path in self.hidden],
            "scratch_mb": self.limits.scratch_mb,
            "files": {name: base64.b64encode(content).decode() for name, content in self.key.files.items()},
            "folder": self.folder,
            "setup": sources,
        }
        with theirs:
            self.parent.fork("autograder.examiner.box:template", options, [theirs.fileno()])
        try:
            _, body, _ = self.template.receive()
        except ClosedError:
            raise UserError(f"{self.key.lab}: the process that runs the lab's first cells ended") from None
        told: dict[str, Any] = json.loads(body)
        return told

    def run_ahead(self, sources: list[str]) -> bool:
        """From now on, run more of the instructor's cells before the fork; for a proof, whose answers are its own.

        Args:
            sources: Cells that no answer can change (`autograder.lab.reach.independent`).

        Returns:
            Whether they do: not where one fails there or starts a thread, and not without a sandbox, where submissions
            could meet in a folder that a cell made.
        """
        if not sources or not self.setup or not self.sandbox:
            return False
        before = self.template
        told = self._start_template([*self.setup, *sources])
        if "fault" in told or told["threads"] > 0:
            self.template.close()
            self.template = before
            return False
        before.close()
        self.setup = [*self.setup, *sources]
        return True

    def ask_template(self, kind: str, body: bytes, theirs: socket.socket) -> None:
        """Have the template fork a box."""
        with self.parent.lock:
            self.template.send(kind, body, [theirs.fileno()])

    def grade(
        self, submission: Submission, only: Iterable[str] = (), rescue: bool = True, to_first_loss: bool = False
    ) -> Result:
        """Grade one submission.

        Args:
            submission: What was handed in.
            only: Mark only these tests; the others get no score.
            rescue: Grade what failed once more with the reference answers of what it builds on.
            to_first_loss: End with the first test that does not give all its points; later ones give none, unrun.
        """
        wanted = set(only) or {cell.grade_id for cell in self.key.tests}
        prepared = prepare(self.key, submission)
        if prepared.fault:
            marks = tuple(
                Mark(cell.grade_id, self.key.exercise(cell.grade_id), cell.points, 0.0, prepared.fault)
                for cell in self.key.tests
            )
            return self._result(submission, marks, prepared, {})
        uid = self.uids.get()
        try:
            with self.turns.beside():
                self.starved.discard(uid)
                result = self._graded(submission, prepared, wanted, uid, rescue, to_first_loss)
            if uid in self.starved and result.score < result.points:
                with self.turns.alone():
                    result = self._graded(submission, prepared, wanted, uid, rescue, to_first_loss)
            return result
        finally:
            self.uids.put(uid)

    def _graded(
        self, submission: Submission, prepared: Prepared, wanted: set[str], uid: int, rescue: bool, to_first_loss: bool
    ) -> Result:
        clock = Clock()
        until = clock.now() + self.limits.total_seconds
        whole = wanted >= {cell.grade_id for cell in self.key.tests}
        with contextlib.closing(_Box(self, uid, clock)) as box:
            session = _Session(box, prepared.cells, wanted, until, whole, to_first_loss)
            verdicts = session.run()
        self.took = session.took
        marks = []
        for cell in self.key.tests:
            exercise = self.key.exercise(cell.grade_id)
            if cell.kind == MANUAL or cell.grade_id not in wanted:
                nothing = cell.kind == MANUAL and cell.grade_id in prepared.blank  # as nbgrader: no human has to look
                score, reason = (0.0, "nothing is written here") if nothing else (None, "")
                marks.append(Mark(cell.grade_id, exercise, cell.points, score, reason))
                continue
            marks.append(self._mark(cell, exercise, *verdicts.get(cell.grade_id, NOT_RUN)))
        if rescue and not to_first_loss:
            self._rescue(marks, prepared, uid, clock, until)
        return self._result(submission, tuple(marks), prepared, session.seen)

    def _mark(self, cell: Cell, exercise: str, value: float | str | None, reason: str) -> Mark:
        score, reason = (cell.points if value is None else value), one_line(reason, REASON)
        if isinstance(score, str) or not 0 <= score <= cell.points:
            score, reason = (
                0.0,
                f"{score if isinstance(score, str) else f'the test gives {score:g} points'}: ask your instructor",
            )
        elif score < cell.points and not reason:
            reason = "partly right"
        return Mark(cell.grade_id, exercise, cell.points, float(score), reason)

    def _rescue(self, marks: list[Mark], prepared: Prepared, uid: int, clock: Clock, until: float) -> None:
        """Grade what failed once more with the reference answers of what it builds on; the better result counts."""
        lost = [mark for mark in marks if mark.score is not None and mark.score < mark.points]
        failed = list(dict.fromkeys(mark.exercise for mark in lost))
        reference = {cell.grade_id: cell for cell in self.key.cells}
        again: dict[tuple[str, ...], list[str]] = {}  # earlier exercises that failed -> those that build on them
        for number, exercise in enumerate(failed):
            built_on = self._built_on(exercise, prepared) if number else set()
            again.setdefault(tuple(one for one in failed[:number] if one in built_on), []).append(exercise)
        for earlier, exercises in again.items():
            if not earlier or clock.now() > until:
                continue
            cells = tuple(
                _lent(reference[cell.grade_id]) if cell.grade_id in earlier else cell for cell in prepared.cells
            )
            tests = {mark.test for mark in lost if mark.exercise in exercises}
            with contextlib.closing(_Box(self, uid, clock)) as box:
                verdicts = _Session(box, cells, tests, until).run()
            for at, mark in enumerate(marks):
                if mark.test in verdicts:
                    better = self._mark(reference[mark.test], mark.exercise, *verdicts[mark.test])
                    if (better.score or 0) > (mark.score or 0):
                        marks[at] = replace(better, rescued=earlier)

    def _built_on(self, exercise: str, prepared: Prepared) -> set[str]:
        """Return the exercises whose names the answer, its tests or what they read may use, directly or not."""
        binds = {cell.grade_id: bound_in(cell.source) for cell in self.key.cells if cell.kind in (ANSWER, MANUAL)}
        reads: dict[str, set[str]] = {name: set() for name in binds}
        for cell in (*self.key.cells, *prepared.cells):
            if cell.kind in (ANSWER, MANUAL) and cell.cell_type == "code":
                reads[cell.grade_id] |= names_in(cell.source)
            elif cell.kind == TEST and (name := self.key.exercise(cell.grade_id)) in reads:
                reads[name] |= names_in(cell.source)
        locked = [(bound_in(c.source), names_in(c.source)) for c in self.key.cells if c.kind == LOCKED and c.runs]
        wanted, found = set(reads.get(exercise, ())), set[str]()
        while True:
            more = {name for name, names in binds.items() if names & wanted and name != exercise} - found
            grown = wanted.union(*(reads[name] for name in more), *(used for bound, used in locked if bound & wanted))
            found |= more
            if grown == wanted and not more:
                return found
            wanted = grown

    def _result(
        self, submission: Submission, marks: tuple[Mark, ...], prepared: Prepared, seen: dict[int, _Seen]
    ) -> Result:
        of = {mark.test: mark for mark in marks}
        runs = tuple(
            CellRun(
                cell.kind,
                cell.cell_type,
                cell.visible if cell.kind == TEST else cell.source,
                cell.grade_id,
                _verdict(of.get(cell.grade_id)) if cell.kind == TEST else seen[at].outputs if at in seen else (),
            )
            for at, cell in enumerate(prepared.cells)
        )
        return Result(
            student=submission.student,
            lab=self.key.lab,
            submission=submission.digest,
            key=self.key.digest,
            timestamp=submission.timestamp,
            marks=marks,
            cells=runs,
            notes=prepared.notes,
            fault=prepared.fault,
        )

    def close(self) -> None:
        """End all processes."""
        self.turns.close()
        if hasattr(self, "template"):
            self.template.close()
        self.parent.close()
        if self.folder:
            shutil.rmtree(self.folder, ignore_errors=True)
