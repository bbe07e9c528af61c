"""`course check`: the visible tests of a lab, run on a copy of the learner's notebook in one fresh kernel."""

import ast
import hashlib
import logging
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from course.child import plain_environment
from course.execute import ONE_THREAD, plain
from course.paths import ROOT, CourseError

CELL_TIMEOUT = 30  # seconds
HINT_LENGTH = 300  # characters


@dataclass(frozen=True)
class Exercise:
    """One exercise with a visible test. `hint` is empty if and only if it passed."""

    grade_id: str
    title: str
    points: float
    hint: str

    @property
    def passed(self) -> bool:
        """Whether the visible test ran to its end without an error."""
        return not self.hint


@dataclass(frozen=True)
class _Reply:
    """How one executed cell ended: nothing wrong (no `name`), or the error's name, its text, the line it came from."""

    name: str = ""
    text: str = ""
    line: str = ""


def read_notebook(path: Path) -> Any:
    """Read a notebook of a learner.

    Raises:
        CourseError: It is missing, broken, or not a notebook of format 4.
    """
    import nbformat
    from nbformat.reader import NotJSONError

    again = f"Get the original back with: git checkout -- {path}"
    try:
        notebook = nbformat.reads(path.read_text(encoding="utf-8"), as_version=4)  # type: ignore[no-untyped-call]
        nbformat.validate(notebook)
    except FileNotFoundError:
        raise CourseError(f"there is no notebook {path}") from None
    except UnicodeDecodeError:
        raise CourseError(f"{path} is not text in UTF-8, so it is not a notebook. {again}") from None
    except NotJSONError:
        raise CourseError(f"{path} is broken: it is not valid JSON. {again}") from None
    except (nbformat.ValidationError, AttributeError, KeyError, TypeError, ValueError) as error:
        first = (str(error).splitlines() or [type(error).__name__])[0]
        raise CourseError(f"{path} is not a notebook that can be read ({first}). {again}") from None
    return notebook


def _is_test(cell: Any) -> bool:
    marks = cell.metadata.get("nbgrader", {})
    return cell.cell_type == "code" and bool(marks.get("grade")) and not marks.get("solution")


def _title(cells: list[Any], index: int) -> str:
    """Return the nearest markdown heading above a cell."""
    for cell in reversed(cells[:index]):
        if cell.cell_type == "markdown":
            headings = re.findall(r"^#{1,6}\s+(.+?)\s*#*$", cell.source, flags=re.MULTILINE)
            if headings:
                return re.sub(r"[*_`]", "", headings[-1])
    return str(cells[index].metadata.nbgrader.get("grade_id", f"cell {index + 1}"))


def _was_edited(cell: Any) -> bool:
    """Whether a test is not as it was released: nbgrader's checksum of a locked test cell, which it stores there."""
    marks = cell.metadata.nbgrader
    if "checksum" not in marks:
        return False
    parts = (cell.source, cell.cell_type, "True", "False", "True", marks["grade_id"], str(float(marks["points"])))
    return bool(hashlib.md5("".join(parts).encode(), usedforsecurity=False).hexdigest() != marks["checksum"])


def _says_something(cell: Any) -> bool:
    """Whether a test holds any code, or is hidden until grading; code that cannot be parsed is code."""
    try:
        return bool(ast.parse(cell.source).body)
    except (SyntaxError, ValueError):
        return True


def _clip(text: str) -> str:
    text = " ".join(plain(text).split())
    return text if len(text) <= HINT_LENGTH else text[: HINT_LENGTH - 1].rstrip() + "…"


def _describe(reply: _Reply) -> str:
    """Return an error in one line, for a learner: no file names, no traceback."""
    text = re.sub(r" \([^()]*\.py, line (\d+)\)", r" (line \1)", reply.text)
    return _clip(f"{reply.name}: {text}" if text else reply.name)


def _hint(test: _Reply, above: _Reply | None) -> str:
    """Say what to do about a test that failed; `above` is the error of the cell above it that may be the cause."""
    if test.name == "AssertionError":
        return _clip(test.text) if test.text.strip() else _clip(f"this does not hold: {test.line}")
    return f"a cell above stops with {_describe(above)}" if above else _describe(test)


def _silent_log() -> logging.Logger:
    """Return a logger for nbclient that says nothing: what it would say becomes a hint."""
    log = logging.getLogger("course.check")
    log.addHandler(logging.NullHandler())
    log.propagate = False
    return log


class _Kernel:
    """Executes cells one by one. A cell that does not end is interrupted; a kernel that is gone stays gone."""

    def __init__(self, notebook: Any, folder: Path, timeout: int) -> None:
        from nbclient import NotebookClient

        from autograder.provisioner import kernel_name

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
        """Raise `CourseError` where Python skips asserts: every test would pass."""
        import nbformat

        probe = nbformat.v4.new_code_cell("assert False")  # type: ignore[no-untyped-call]
        self.client.nb.cells.append(probe)
        said = self.run(probe, len(self.client.nb.cells) - 1)
        self.client.nb.cells.pop()
        if said.name != "AssertionError":
            raise CourseError(
                "asserts are switched off in this kernel, so no test can fail: take PYTHONOPTIMIZE out of the "
                "environment and -O out of the kernel's kernel.json, then run the same command again"
            )

    def run(self, cell: Any, index: int) -> _Reply:
        """Execute a cell. It passed only if the kernel says so: no answer is an error."""
        from nbclient.exceptions import CellTimeoutError, DeadKernelError

        if self.gone:
            return _Reply(f"not run, because {self.gone}")
        self.reply = {}
        try:
            self.client.execute_cell(cell, index)
        except CellTimeoutError:
            self.gone = "an earlier cell never ended, and could not be interrupted"
            return _Reply(f"still running after {self.timeout} s, and it cannot be interrupted")
        except DeadKernelError:
            self.gone = "Python itself ended in an earlier cell"
            return _Reply("Python itself ended here: exit(), out of memory, or a crash in compiled code")
        if any(order.get("source") == "ask_exit" for order in self.reply.get("payload", ())):
            self.gone = "Python itself ended in an earlier cell"  # it lives on for a moment and must not be asked again
            return _Reply("Python itself ended here: exit(), out of memory, or a crash in compiled code")
        if self.reply.get("status") == "ok":
            return _Reply()
        if self.reply.get("ename") == "StillRunning":
            return _Reply(f"still running after {self.timeout} s: is there a loop that never ends?")
        if "ename" not in self.reply:
            return _Reply("the cell was not run")
        return _Reply(self.reply["ename"], plain(self.reply["evalue"]), _failing_line(self.reply["traceback"]))


def _failing_line(traceback: list[str]) -> str:
    """Return the line of the test that failed, from IPython's traceback (`----> 3 assert x == 1`)."""
    arrows = re.findall(r"^-+>\s*\d+\s*(.*)$", plain("\n".join(traceback)), flags=re.MULTILINE)
    return str(arrows[0]).strip() if arrows else ""


def check(path: Path, root: Path = ROOT, timeout: int = CELL_TIMEOUT) -> list[Exercise]:
    """Run the visible tests of a notebook; the file itself is only read.

    It is executed in a throw-away folder, beside a copy of what lies in its lab's folder.

    Raises:
        CourseError: The notebook is missing or broken, or holds no tests.
    """
    notebook = read_notebook(path)
    tests = [index for index, cell in enumerate(notebook.cells) if _is_test(cell)]
    tests = [index for index in tests if _says_something(notebook.cells[index]) or _was_edited(notebook.cells[index])]
    if not tests:
        raise CourseError(f"{path} holds no visible tests: is it a lab? Labs are in {root / 'labs'}")
    base = root / "build" / "scratch"
    base.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"check-{path.stem}-", dir=base, ignore_cleanup_errors=True) as name:
        folder = Path(name) / path.stem
        if path.parent.parent in ((root / "labs").resolve(), (root / "solutions").resolve()):
            shutil.copytree(path.parent, folder, ignore=shutil.ignore_patterns(".*", "*.ipynb", "misconceptions"))
        else:
            folder.mkdir()
        kernel = _Kernel(notebook, folder, timeout)
        with kernel.client.setup_kernel(stderr=subprocess.DEVNULL, env={**plain_environment(), **ONE_THREAD}):
            kernel.require_asserts()
            replies = [
                kernel.run(cell, index) if cell.cell_type == "code" and cell.source.strip() else _Reply()
                for index, cell in enumerate(notebook.cells)
            ]
    return _exercises(notebook.cells, tests, replies)


def _exercises(cells: list[Any], tests: list[int], replies: list[_Reply]) -> list[Exercise]:
    exercises, before = [], 0
    for index in tests:
        cell, reply = cells[index], replies[index]
        hint = ""
        if reply.name:
            own = [above for above in replies[before:index] if above.name]
            earlier = [above for at, above in enumerate(replies[:before]) if above.name and at not in tests]
            hint = _hint(reply, own[-1] if own else earlier[0] if earlier else None)
        if _was_edited(cell):
            hint = f"the test itself was changed: put the original back. {hint}".rstrip()
        marks = cell.metadata.nbgrader
        exercises.append(Exercise(marks["grade_id"], _title(cells, index), float(marks["points"]), hint))
        before = index + 1
    return exercises


def render(path: Path, exercises: list[Exercise]) -> Group:
    """Return what the learner sees: one row an exercise, then what to do next."""
    table = Table(title=path.stem, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1))
    table.add_column("exercise", ratio=2)
    table.add_column("points", justify="right", no_wrap=True)
    table.add_column("visible tests", ratio=3)
    for exercise in exercises:
        verdict = Text("passed", style="green") if exercise.passed else Text(exercise.hint, style="yellow")
        table.add_row(Text(exercise.title), f"{exercise.points:g}", verdict)
    missing = [exercise for exercise in exercises if not exercise.passed]
    if missing:
        last = Text(
            f"{len(exercises) - len(missing)} of {len(exercises)} pass. Next: {missing[0].title}", style="yellow"
        )
    else:
        last = Text(f"All {len(exercises)} pass. Grading runs hidden tests as well.", style="green")
    return Group(table, last)
