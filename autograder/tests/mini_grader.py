"""A grader of the mini lab that needs no sandbox: it runs the cells in this process. What cohorts are tested with."""

import json
import math
import os
import threading
from pathlib import Path

from autograder.model import ANSWER, LOCKED, TEST, CellRun, Key, Mark, Output, Result, Submission
from base.errors import UserError

FAULT, STOP, HANG, DIE = "planted fault", "planted stop", "planted hang", "planted death"
"""In an answer: the grader raises, the user has to act, the grader hangs until closed, or its process dies once."""


class MiniGrader:
    """Grades in this process; `seconds` are slept for each submission, `log` notes what was graded and closed."""

    def __init__(
        self,
        key: Key,
        options: object = None,
        course: Path | None = None,
        seconds: float | None = None,
        log: Path | None = None,
    ) -> None:
        self.key = key
        self.seconds = float(os.environ.get("MINI_SECONDS", "0")) if seconds is None else seconds
        self.log = log or (Path(os.environ["MINI_LOG"]) if "MINI_LOG" in os.environ else None)
        self.closed = threading.Event()

    def _note(self, text: str) -> None:
        if self.log is not None:
            with self.log.open("a", encoding="utf-8") as stream:
                stream.write(f"{text}\n")

    def grade(self, submission: Submission) -> Result:
        """Grade one submission."""
        self._note(f"begin {submission.student} {os.getpid()}")
        text = submission.notebook.decode("utf-8")
        if FAULT in text:
            raise RuntimeError(f"{FAULT} in {submission.student}")
        if STOP in text:
            raise UserError("planted: put it right")
        if HANG in text:
            self.closed.wait()
            raise RuntimeError("closed")
        if DIE in text and self.log is not None and not self.log.with_suffix(".died").exists():
            self.log.with_suffix(".died").touch()
            os.kill(os.getpid(), 9)
        if self.closed.wait(self.seconds):
            raise RuntimeError("closed")
        result = self._result(submission, text)
        self._note(f"end {submission.student}")
        return result

    def _result(self, submission: Submission, text: str) -> Result:
        key = self.key
        who = (submission.student, key.lab, submission.digest, key.digest, submission.timestamp)
        try:
            cells = json.loads(text)["cells"]
        except ValueError:
            none = (Mark(test.grade_id, key.exercise(test.grade_id), test.points, 0.0, "no JSON") for test in key.tests)
            return Result(*who, tuple(none), fault="The notebook is not valid JSON.")
        answers = {
            cell["metadata"]["nbgrader"]["grade_id"]: "".join(cell["source"])
            for cell in cells
            if cell["metadata"].get("nbgrader", {}).get("solution")
        }
        names: dict[str, object] = {"math": math}
        marks, runs = list[Mark](), list[CellRun]()
        for cell in key.cells:
            source = (
                answers.get(cell.grade_id, key.stubs.get(cell.grade_id, "")) if cell.kind == ANSWER else cell.source
            )
            error = ""
            if cell.kind in (ANSWER, LOCKED, TEST):
                try:
                    exec(source, names)
                except Exception as fault:
                    error = f"{type(fault).__name__}: {fault}"
            if cell.kind == TEST:
                score = 0.0 if error else cell.points
                marks.append(Mark(cell.grade_id, key.exercise(cell.grade_id), cell.points, score, error))
            shown = cell.visible if cell.kind == TEST else source
            outputs = (Output("error", error),) if error else ()
            runs.append(CellRun(cell.kind, cell.cell_type, shown, cell.grade_id, outputs))
        return Result(*who, tuple(marks), tuple(runs))

    def close(self) -> None:
        """End what is being graded."""
        self.closed.set()
        self._note(f"close {os.getpid()}")
