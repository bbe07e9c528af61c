"""One pass through the cells of a submission: answers in the student's kernel, tests in the examiner's."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

from autograder.examiner.handles import NONSENSE, TO_ARRIVE, BoxHandle, EndedError, KernelHandle
from autograder.examiner.protocol import Cells, Task
from autograder.lab.source import bound_in, globals_in, names_in, without_docstrings
from autograder.model import (
    ANSWER,
    EXTRA,
    LOCKED,
    MANUAL,
    REFERENCE,
    TEST,
    Cell,
    Output,
    led_to,
)

NO_MORE = (
    "can't start new thread",
    "'DummyProcess' object has no attribute 'terminate'",  # multiprocessing, of a pool of threads
    "Thread creation failed",
)
"""What errors say where a process or a thread could not be started."""
NO_SERVER = ("Connection refused", "Network is unreachable", "name resolution", "Name or service not known")
"""What errors say where there is no server, which they often do not name."""


@dataclass
class Seen:
    """How a cell ended: nothing wrong (no `fault`), or why; the text is for the student."""

    outputs: tuple[Output, ...] = ()
    fault: str = ""
    killed: bool = False
    died: bool = False


class Session:
    """One pass through the cells of a submission, with a student's kernel and an examiner's.

    Args:
        box: Where they run.
        cells: All cells, in order.
        wanted: The tests that are to be marked.
        until: When all has to be over, by the clock of the box.
        whole: Run what stands below the last wanted test, too.
        together: Tests run in the student's kernel, up to the first that does not give all its points. For those who
            trust the answers: there is no examiner's kernel, and nothing is tried twice.
    """

    def __init__(
        self,
        box: BoxHandle,
        cells: tuple[Cell, ...],
        wanted: set[str],
        until: float,
        whole: bool = False,
        together: bool = False,
    ) -> None:
        self.whole, self.together, self.took = whole, together, dict[int, float]()
        self.box, self.cells, self.wanted, self.until = box, cells, wanted, until
        self.grader = box.grader
        self.limit = self.grader.limits.cell_seconds
        self.seen: dict[int, Seen] = {}
        self.student: KernelHandle | None = None
        self.examiner: KernelHandle | None = None
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
                    if self.together and value not in (None, cell.points):
                        return verdicts
                elif cell.grade_id in self.helpers:
                    self._student_cell(at, cell.visible)
            elif cell.kind == REFERENCE:
                self.seen[at] = Seen()
                self._examiner_cell(at, cell)
            else:
                self._student_cell(at, cell.source)
                if cell.kind == LOCKED and not self.together:
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

    def _student(self) -> KernelHandle:
        """Return the student's kernel; a new one where the innocent cells before are run again."""
        if self.student is None:
            self.student, self.asked = self.box.kernel(examiner=False), False
            for at in sorted(self.seen):
                cell = self.cells[at]
                if cell.kind == REFERENCE and not self.seen[at].killed:
                    self._examiner_cell(at, cell)
                    if self.student is None:
                        self.seen[at] = Seen(killed=True)
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
            self.seen[at] = Seen(fault="not run: the time for the whole notebook is over", killed=True)
            return
        self._student()
        found = self._in_student(source, self.cells[at].kind == LOCKED)
        if found.died and self.asked:  # perhaps by what an earlier test had called: once more without that
            self._student()
            found = self._in_student(source, self.cells[at].kind == LOCKED)
        self.seen[at] = found

    def _in_student(self, source: str, ours: bool) -> Seen:
        assert self.student is not None
        until, task = self._deadline(), Task(source, ours)
        ask = partial(self._ask_examiner, until) if self.borrows else None
        try:
            if ask:
                for kernel in (self.student, self._examiner()):
                    kernel.send(Cells.TEST_BEGINS)
            told = self.student.run(task, until, self.limit, ask)
        except EndedError as end:
            self.student = None
            return Seen((Output("error", str(end)),), str(end), killed=True, died=end.died)
        return Seen(told["outputs"], "" if told["ok"] else self._error(told))

    def _examiner(self) -> KernelHandle:
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
            if kind not in (Cells.ASK, Cells.ANSWER):
                raise EndedError(self.box.end(examiner, NONSENSE))
        except EndedError as end:  # the student's kernel waits for it in vain
            self.examiner, self.until = None, 0.0
            raise EndedError(self.box.end(student, str(end))) from None
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
        except EndedError:
            self.examiner = None
            self._renew_examiner(at)

    def _examine(self, source: str, ours: bool, lend: Iterable[str] = ()) -> dict[str, Any]:
        """Run a source in the examiner's kernel, carrying frames to the student's and back."""
        student, examiner = self._student(), self._examiner()
        until = self._deadline()
        names, answered = sorted(self.read | names_in(source)), self.grader.answered
        task = Task(source, ours, credit=True, test=True, names=tuple(names), student=tuple(answered), lend=tuple(lend))
        examiner.send(Cells.RUN, task.body())
        gone, again, first, asked = "", False, True, self.asked
        while True:
            kind, body = examiner.receive(until + 2 * TO_ARRIVE, self.limit)  # it is told when the student's has ended
            if kind == Cells.TOLD:
                return examiner.told(body) | ({"gone": gone, "again": again} if gone else {})
            if not gone:
                try:
                    if first:
                        student.send(Cells.TEST_BEGINS)
                    first, self.asked = False, True
                    student.send(kind, body)
                    kind, body = student.receive(until, self.limit)
                    if kind not in (Cells.ASK, Cells.ANSWER):
                        raise EndedError(self.box.end(student, NONSENSE), died=True)
                except EndedError as end:
                    gone, self.student = str(end), None
                    again = end.died and asked  # perhaps by what an earlier test had called
            examiner.send(*((Cells.GONE, gone.encode()) if gone else (kind, body)))

    def _test(self, at: int, cell: Cell) -> tuple[float | str | None, str]:
        if self.box.clock.now() > self.until:
            return 0.0, "not graded: the notebook as a whole took too long"
        try:
            told = self._beside(cell) if self.together else self._examine(cell.source, ours=False)
            if told.get("again"):
                told = self._examine(cell.source, ours=False)
        except EndedError as end:
            self.examiner = None  # with new cells of the instructor's run again
            if not self.together:
                self._renew_examiner(at)
            return 0.0, f"the test did not end: {end}"
        if told.get("gone"):
            return 0.0, told["gone"]
        if cell.grade_id in self.helpers and not self.together:
            self._student_cell(at, cell.visible)
        if told["ok"]:
            return told["value"], ""
        return 0.0, self._reason(at, cell, told)

    def _beside(self, cell: Cell) -> dict[str, Any]:
        """Run a test where the answers run."""
        return self._student().run(Task(cell.source, credit=True), self._deadline(), self.limit)

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
        fault = self._last_fault_of(self.grader.key.exercise(cell.grade_id), at)
        return f"in the answer's cell: {fault}" if fault else led_to(self._error(told))

    def _last_fault_of(self, exercise: str, before: int) -> str:
        """Return how the last answer of an exercise above a cell failed; nothing where none did."""
        for number in sorted(self.seen, reverse=True):
            cell, fault = self.cells[number], self.seen[number].fault
            if number < before and fault and cell.kind == ANSWER and cell.grade_id == exercise:
                return fault
        return ""

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
