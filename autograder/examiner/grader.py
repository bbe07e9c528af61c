"""Grading one submission: the student's cells in one kernel, the tests in another, and a mark for each test."""

import base64
import contextlib
import itertools
import json
import os
import queue
import shutil
import socket
import sys
import tempfile
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

from autograder.examiner.ahead import warm_parent
from autograder.examiner.clock import Clock, Turns
from autograder.examiner.handles import LIMITS, BoxHandle, Limits
from autograder.examiner.protocol import BoxOrder, Template
from autograder.examiner.rescue import built_on, lent
from autograder.examiner.session import Seen, Session
from autograder.lab.marks import BESIDE
from autograder.lab.settings import CONFIG
from autograder.lab.source import bound_in, imports_of, words_in
from autograder.model import (
    ANSWER,
    LOCKED,
    MANUAL,
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
)
from autograder.sandbox.confine import why_not as sandbox_missing
from autograder.sandbox.limits import require_files
from autograder.sandbox.view import python_paths
from autograder.submissions.intake import prepare
from base.errors import UserError
from base.text import one_line
from kernels.channel import ClosedError, Closing, pair

FIRST_UID, UIDS = 100_000, 640_000
"""Users that boxes run as, outside any real one's. Each box at a time has one of its own, for processes are counted by
user: graders that run side by side begin at places that their process ids choose."""
REASON = 400  # characters
NOT_RUN = 0.0, "the test was not run: ask your instructor"
"""Points need evidence: a test cell without code, or one that nothing is known of, gives none."""


def _verdict(mark: Mark | None) -> tuple[Output, ...]:
    """Return what a test cell shows in the graded notebook: why it failed, or the points of a part."""
    if mark is None or mark.score is None or mark.score == mark.points:
        return ()
    return (Output("result", f"{mark.score:g}\n") if mark.score else Output("error", f"Failed: {mark.reason}"),)


def first_uid() -> int:
    """Return the first of the 64 users that are kept for this process's boxes."""
    return FIRST_UID + os.getpid() * 64 % UIDS


_COUNT = itertools.count()


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
        limits: Limits = LIMITS,
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
        self.parent = warm_parent(imports_of(cell.source for cell in key.cells if cell.cell_type == "code"))
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

    def fork_box(self, order: BoxOrder, theirs: socket.socket) -> None:
        """Have the template fork a box, with its end of a channel."""
        with self.parent.lock:
            self.template.send(Template.BOX, order.body(), [theirs.fileno()])

    def grade(
        self, submission: Submission, only: Iterable[str] = (), rescue: bool = True, together: bool = False
    ) -> Result:
        """Grade one submission.

        Args:
            submission: What was handed in.
            only: Mark only these tests; the others get no score.
            rescue: Grade what failed once more with the reference answers of what it builds on.
            together: Run tests and answers in one kernel, as nbgrader does, up to the first test that does not give all
                its points; later ones give none, unrun. For answers of the lab's own author: others could fool a test.
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
                result = self._graded(submission, prepared, wanted, uid, rescue, together)
            if uid in self.starved and result.score < result.points:
                with self.turns.alone():
                    result = self._graded(submission, prepared, wanted, uid, rescue, together)
            return result
        finally:
            self.uids.put(uid)

    def _graded(
        self, submission: Submission, prepared: Prepared, wanted: set[str], uid: int, rescue: bool, together: bool
    ) -> Result:
        clock = Clock()
        until = clock.now() + self.limits.total_seconds
        whole = wanted >= {cell.grade_id for cell in self.key.tests}
        with contextlib.closing(BoxHandle(self, uid, clock)) as box:
            session = Session(box, prepared.cells, wanted, until, whole, together)
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
        if rescue and not together:
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
            below = built_on(self.key, exercise, prepared) if number else set()
            again.setdefault(tuple(one for one in failed[:number] if one in below), []).append(exercise)
        for earlier, exercises in again.items():
            if not earlier or clock.now() > until:
                continue
            cells = tuple(
                lent(reference[cell.grade_id]) if cell.grade_id in earlier else cell for cell in prepared.cells
            )
            tests = {mark.test for mark in lost if mark.exercise in exercises}
            with contextlib.closing(BoxHandle(self, uid, clock)) as box:
                verdicts = Session(box, cells, tests, until).run()
            for at, mark in enumerate(marks):
                if mark.test in verdicts:
                    better = self._mark(reference[mark.test], mark.exercise, *verdicts[mark.test])
                    if (better.score or 0) > (mark.score or 0):
                        marks[at] = replace(better, rescued=earlier)

    def _result(
        self, submission: Submission, marks: tuple[Mark, ...], prepared: Prepared, seen: dict[int, Seen]
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
