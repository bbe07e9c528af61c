"""`course check`: the visible tests of a lab, run on a copy of the learner's notebook in one fresh kernel."""

import ast
import importlib.util
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

from authoring.repository import ROOT
from autograder.lab.cells import is_changed
from autograder.model import led_to
from base.errors import UserError
from base.process import ONE_THREAD, plain_environment
from base.text import one_line, without_escapes
from course.kernel import Kernel, Reply
from course.learner import exercises, is_test, known_tests, read_notebook, restore_marks
from course.paths import WORK, is_lab

CELL_TIMEOUT = 30  # seconds
HINT_LENGTH = 300  # characters
NEEDED = ("ipykernel", "oakbank", "pandas")
"""What a lab's kernel needs of the environment; without it every answer would fail, right or wrong."""


@dataclass(frozen=True)
class Checked:
    """One exercise: its points, how many of its visible tests pass, and the hint of the first that does not."""

    name: str
    title: str
    points: float
    tests: int
    passed_tests: int
    hint: str

    @property
    def passed(self) -> bool:
        """Whether all of its visible tests ran to their end without an error."""
        return self.passed_tests == self.tests


@dataclass(frozen=True)
class Checkup:
    """What a check found. `hidden` are the points that tests decide which a learner cannot see; None: not known here.

    `missing` are tests of the lab that the notebook no longer has.
    """

    lab: str
    exercises: tuple[Checked, ...]
    hidden: float | None = None
    missing: tuple[str, ...] = ()

    @property
    def points(self) -> float:
        """What the exercises are worth together."""
        return sum(exercise.points for exercise in self.exercises)

    @property
    def passed(self) -> int:
        """How many exercises pass all of their visible tests."""
        return sum(exercise.passed for exercise in self.exercises)

    @property
    def ok(self) -> bool:
        """Whether every visible test passes, and none is missing."""
        return self.passed == len(self.exercises) and not self.missing

    def unseen(self) -> str:
        """Return the sentence that says what passing does not mean."""
        if self.hidden is None:
            return "Grading runs tests that you cannot see as well."
        if not self.hidden:
            return ""
        return f"{self.hidden:g} of {self.points:g} points are decided by tests you cannot see."


def require_environment() -> None:
    """Raise UserError where the environment lacks the labs' packages: no verdict on an answer could be right."""
    if absent := [name for name in NEEDED if importlib.util.find_spec(name) is None]:
        raise UserError(
            f"this Python has not the course's packages ({', '.join(absent)}), so an answer that is right would fail: "
            "run `python3 bootstrap.py doctor` first, then `python3 bootstrap.py check LAB`"
        )


def _says_something(cell: Any) -> bool:
    """Whether a test holds any code, or is hidden until grading; code that cannot be parsed is code."""
    try:
        return bool(ast.parse(cell.source).body)
    except (SyntaxError, ValueError):
        return True


def _clip(text: str) -> str:
    return one_line(without_escapes(text), HINT_LENGTH)


def _describe(reply: Reply) -> str:
    """Return an error in one line, for a learner: no file names, no traceback."""
    text = re.sub(r" \([^()]*\.py, line (\d+)\)", r" (line \1)", reply.text)
    return _clip(f"{reply.name}: {text}" if text else reply.name)


def _hint(test: Reply, above: Reply | None) -> str:
    """Say what to do about a test that failed; `above` is the error of the cell above it that may be the cause."""
    if test.name == "AssertionError":
        return _clip(test.text) if test.text.strip() else _clip(f"this does not hold: {test.line}")
    if above:
        return f"a cell above stops with {_describe(above)}"
    return led_to(_describe(test)) if test.raised else _describe(test)


def check(path: Path, root: Path = ROOT, timeout: int = CELL_TIMEOUT) -> Checkup:
    """Run the visible tests of a notebook; the file itself is only read.

    It is executed in a throw-away folder, beside a copy of what lies in its lab's folder.

    Raises:
        UserError: The notebook is missing or broken, or holds no tests; or the environment lacks the packages.
    """
    require_environment()
    notebook = read_notebook(path, root)
    known = known_tests(path.stem, root)
    missing = restore_marks(notebook.cells, known)
    tests = [index for index, cell in enumerate(notebook.cells) if is_test(cell)]
    tests = [index for index in tests if _says_something(notebook.cells[index]) or is_changed(notebook.cells[index])]
    if not tests:
        raise UserError(f"{path} holds no visible tests: is it a lab? Labs are in {root / WORK / 'labs'}")
    replies = _run(notebook, path, root, timeout)
    hints = _hints(notebook.cells, tests, replies)
    found = []
    for exercise in exercises(notebook.cells, tests):
        worth = sum(float(notebook.cells[index].metadata.nbgrader["points"]) for index in exercise.tests)
        own = [hints[index] for index in exercise.tests]
        hint = next(filter(None, own), "")
        found.append(Checked(exercise.name, exercise.title, worth, len(own), own.count(""), hint))
    hidden = sum(float(test.marks["points"]) for test in known.values() if test.hidden) if known else None
    return Checkup(path.stem, tuple(found), hidden, tuple(missing))


def _run(notebook: Any, path: Path, root: Path, timeout: int) -> list[Reply]:
    """Execute all cells of a notebook; returns how each ended."""
    base = root / "build" / "scratch"
    base.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f"check-{path.stem}-", dir=base, ignore_cleanup_errors=True) as name:
        folder = Path(name) / path.stem
        if is_lab(path, root) or path.parent.parent == (root / "solutions").resolve():
            shutil.copytree(path.parent, folder, ignore=shutil.ignore_patterns(".*", "*.ipynb", "misconceptions"))
        else:
            folder.mkdir()
        kernel = Kernel(notebook, folder, timeout)
        with kernel.client.setup_kernel(stderr=subprocess.DEVNULL, env={**plain_environment(), **ONE_THREAD}):
            kernel.require_asserts()
            return [
                kernel.run(cell, index) if cell.cell_type == "code" and cell.source.strip() else Reply()
                for index, cell in enumerate(notebook.cells)
            ]


def _hints(cells: list[Any], tests: list[int], replies: list[Reply]) -> dict[int, str]:
    """Return for each test what to do about it; nothing if it passed."""
    hints, before = {}, 0
    for index in tests:
        reply, hint = replies[index], ""
        if reply.name:
            own = [above for above in replies[before:index] if above.name]
            earlier = [above for at, above in enumerate(replies[:before]) if above.name and at not in tests]
            hint = _hint(reply, own[-1] if own else earlier[0] if earlier else None)
        if is_changed(cells[index]):
            hint = f"the test itself was changed: put the original back. {hint}".rstrip()
        hints[index] = hint
        before = index + 1
    return hints


def render(found: Checkup, full: str = "") -> Group:
    """Return what the learner sees: one row an exercise, then what that means and what to do next.

    Args:
        found: What the check found.
        full: The command that asks the grader, where there is one.
    """
    table = Table(title=found.lab, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, padding=(0, 1))
    table.add_column("exercise", ratio=2)
    table.add_column("points", justify="right", no_wrap=True)
    table.add_column("visible tests", ratio=3)
    for one in found.exercises:
        few = f"{one.passed_tests} of {one.tests}: " if one.passed_tests else ""
        verdict = Text("passed", style="green") if one.passed else Text(few + one.hint, style="yellow")
        table.add_row(Text(one.title), f"{one.points:g}", verdict)
    count, tests = len(found.exercises), sum(one.tests for one in found.exercises)
    passed = sum(one.passed_tests for one in found.exercises)
    so_far = f"{found.passed} of {count} exercises pass their visible tests ({passed} of {tests} tests)."
    lines = [Text(so_far, style="green" if found.ok else "yellow")]
    if found.missing:
        lines.append(Text(f"Tests that this notebook has lost: {', '.join(found.missing)}.", style="yellow"))
    missed = next((one for one in found.exercises if not one.passed), None)
    if missed:
        lines.append(Text(f"Next: {missed.title}", style="bold"))
    if passed and (unseen := found.unseen()):
        lines.append(Text(f"{unseen} The grader's verdict, with hints: {full}" if full else unseen))
    return Group(table, *lines)
