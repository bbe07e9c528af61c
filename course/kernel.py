"""Executes the cells of a learner's notebook one by one, and tells how each ended."""

import logging
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from base.errors import UserError
from base.text import without_escapes


@dataclass(frozen=True)
class Reply:
    """How one executed cell ended: nothing wrong (no `name`), or the error's name, its text, the line it came from.

    `raised`: Python raised it; else `name` says why there is no answer from Python.
    """

    name: str = ""
    text: str = ""
    line: str = ""
    raised: bool = False


def _silent_log() -> logging.Logger:
    """Return a logger for nbclient that says nothing: what it would say becomes a hint."""
    log = logging.getLogger("course.kernel")
    log.addHandler(logging.NullHandler())
    log.propagate = False
    return log


class Kernel:
    """Executes cells one by one. A cell that does not end is interrupted; a kernel that is gone stays gone."""

    def __init__(self, notebook: Any, folder: Path, timeout: int) -> None:
        from nbclient import NotebookClient

        from kernels.provisioner import kernel_name

        self.timeout, self.gone = timeout, ""
        self.reply: dict[str, Any] = {}
        self.client = NotebookClient(
            notebook,
            kernel_name=kernel_name(),
            timeout=timeout,
            interrupt_on_timeout=True,
            error_on_timeout={"ename": "StillRunning", "evalue": "", "traceback": []},
            raise_on_iopub_timeout=True,
            allow_errors=True,
            record_timing=False,
            resources={"metadata": {"path": str(folder)}},
            on_cell_executed=self._executed,
            log=_silent_log(),
        )

    def _executed(self, cell: Any, cell_index: int, execute_reply: dict[str, Any]) -> None:
        self.reply = execute_reply["content"]

    def require_asserts(self) -> None:
        """Raise `UserError` where Python skips asserts: every test would pass."""
        import nbformat

        probe = nbformat.v4.new_code_cell("assert False")  # type: ignore[no-untyped-call]
        self.client.nb.cells.append(probe)
        said = self.run(probe, len(self.client.nb.cells) - 1)
        self.client.nb.cells.pop()
        if said.name != "AssertionError":
            raise UserError(
                "asserts are switched off in this kernel, so no test can fail: take PYTHONOPTIMIZE out of the "
                "environment and -O out of the kernel's kernel.json, then run the same command again"
            )

    def run(self, cell: Any, index: int) -> Reply:
        """Execute a cell. It passed only if the kernel says so: no answer is an error."""
        from nbclient.exceptions import CellTimeoutError, DeadKernelError

        if self.gone:
            return Reply(f"not run, because {self.gone}")
        self.reply = {}
        try:
            self.client.execute_cell(cell, index)
        except CellTimeoutError:
            self.gone = "an earlier cell never ended, and could not be interrupted"
            return Reply(f"still running after {self.timeout} s, and it cannot be interrupted")
        except DeadKernelError:
            self.gone = "Python itself ended in an earlier cell"
            return Reply("Python itself ended here: exit(), out of memory, or a crash in compiled code")
        if any(order.get("source") == "ask_exit" for order in self.reply.get("payload", ())):
            self.gone = "Python itself ended in an earlier cell"  # it lives on for a moment and must not be asked again
            return Reply("Python itself ended here: exit(), out of memory, or a crash in compiled code")
        if self.reply.get("status") == "ok":
            return Reply()
        if self.reply.get("ename") == "StillRunning":
            return Reply(f"still running after {self.timeout} s: is there a loop that never ends?")
        if "ename" not in self.reply:
            return Reply("the cell was not run")
        return Reply(
            self.reply["ename"], without_escapes(self.reply["evalue"]), _failing_line(self.reply["traceback"]), True
        )


def _failing_line(traceback: list[str]) -> str:
    """Return the line of the test that failed, from IPython's traceback (`----> 3 assert x == 1`)."""
    arrows = re.findall(r"^-+>\s*\d+\s*(.*)$", without_escapes("\n".join(traceback)), flags=re.MULTILINE)
    return str(arrows[0]).strip() if arrows else ""
