"""What a learner has done: lessons run, labs passed, what is next. Kept in `var/progress.json`."""

import json
import sys
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from filelock import FileLock
from pydantic import BaseModel, ConfigDict, ValidationError
from rich import box
from rich.console import Group
from rich.table import Table
from rich.text import Text

from authoring.repository import ROOT
from authoring.syllabus import syllabus_if_any
from base.files import write_text
from course.paths import chapters, labs, lessons
from course.work.layout import copy_of


class LabScore(BaseModel):
    """What the last check of a lab found.

    Attributes:
        passed: Exercises that pass all of their visible tests.
        exercises: How many there are.
        points: What they are worth; 0 where an older check did not note it.
        hidden: Points that tests decide which a learner cannot see; None: not known.
        score: Points that the grader gave (`check --full`); None if it was not asked.
    """

    model_config = ConfigDict(extra="forbid")

    passed: int
    exercises: int
    points: float = 0
    hidden: float | None = None
    score: float | None = None

    @property
    def state(self) -> str:
        """Return `done` only where nothing is left that a test decides; `checked` where all visible tests pass."""
        if self.exercises == 0 or self.points == 0:
            return "begun"
        if self.score is not None:
            return "done" if self.score >= self.points else "begun"
        if self.passed < self.exercises:
            return "begun"
        return "done" if self.hidden == 0 else "checked"

    @property
    def note(self) -> str:
        """Say it in one line."""
        if self.score is not None:
            return f"{self.score:g} of {self.points:g} points"
        if self.points == 0:
            return f"{self.passed} of {self.exercises} visible tests pass: check it again"
        if self.state == "begun":
            return f"visible tests pass in {self.passed} of {self.exercises} exercises"
        if not self.hidden:
            return "visible tests pass" if self.hidden is None else "all tests pass"
        return f"visible tests pass: {self.hidden:g} of {self.points:g} points are decided by tests you cannot see"


class Progress(BaseModel):
    """The content of the file. Lessons by `chapter/lesson`: whether the last run of it went through."""

    model_config = ConfigDict(extra="forbid")

    version: int = 1
    lessons: dict[str, bool] = {}
    labs: dict[str, LabScore] = {}


def _file(root: Path) -> Path:
    return root / "var" / "progress.json"


def load(root: Path = ROOT) -> Progress:
    """Read the progress; a learner who has done nothing yet has an empty one.

    A file that cannot be understood is put aside under another name, which is said on standard error; progress
    then starts anew, so that a check or a long run does not fail for it.
    """
    path = _file(root)
    try:
        return Progress.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return Progress()
    except ValidationError:
        number = 1
        while (aside := path.with_name(f"progress.damaged-{number}.json")).exists():
            number += 1
        path.rename(aside)
        print(
            f"{path} is damaged: it is kept beside as {aside.name}, and progress starts anew. Your notebooks are "
            "untouched; `python3 bootstrap.py check LAB` notes a lab again, `python3 bootstrap.py run` the lessons.",
            file=sys.stderr,
        )
        return Progress()


def _update(root: Path, change: Callable[[Progress], None]) -> None:
    """Read, change and write the file; two commands at once take turns."""
    path = _file(root)
    path.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(path.with_suffix(".lock"), timeout=30):
        progress = load(root)
        change(progress)
        write_text(path, progress.model_dump_json(indent=1) + "\n")


def note_lessons(root: Path, ran: dict[str, bool]) -> None:
    """Note for each `chapter/lesson` whether it ran through."""
    if ran:
        _update(root, lambda progress: progress.lessons.update(ran))


def note_lab(root: Path, lab: str, score: LabScore) -> None:
    """Note what a check of a lab found; of an earlier one, nothing stays."""
    _update(root, lambda progress: progress.labs.update({lab: score}))


@dataclass(frozen=True)
class Step:
    """One lesson or lab on the way, in course order."""

    chapter: str
    name: str
    kind: str  # "lesson" or "lab"
    state: str  # "done", "checked" (a lab whose visible tests pass), "begun" or "open"
    note: str
    path: Path


@cache
def _cells_run(path: Path, modified: int, size: int) -> tuple[int, int] | None:
    """Return how many code cells of a notebook were run, and how many there are; None if it cannot be read.

    `modified` and `size` say which state of the file is meant.
    """
    try:
        cells = [cell for cell in json.loads(path.read_text(encoding="utf-8"))["cells"] if cell["source"]]
        code = [cell for cell in cells if cell["cell_type"] == "code"]
        return sum(cell.get("execution_count") is not None for cell in code), len(code)
    except (ValueError, KeyError, TypeError):
        return None


def _lesson(root: Path, source: Path, progress: Progress) -> Step:
    chapter, notebook = source.parent.parent.name, copy_of(source, root)

    def step(state: str, note: str) -> Step:
        return Step(chapter, source.stem, "lesson", state, note, notebook)

    ran = progress.lessons.get(f"{chapter}/{source.stem}")
    if ran:
        return step("done", "ran to its end")
    about = notebook.stat()
    found = _cells_run(notebook, about.st_mtime_ns, about.st_size)
    if found is None:
        return step("open", "the notebook cannot be read")
    executed, code = found
    if code and executed == code:
        return step("done", "all cells run")
    if executed:
        return step("begun", f"{executed} of {code} cells run")
    return step("begun", "failed in its last run") if ran is False else step("open", "")


def _lab(root: Path, chapter: str, name: str, progress: Progress) -> Step:
    path = copy_of(root / "labs" / name / f"{name}.ipynb", root)
    score = progress.labs.get(name)
    if score is None:
        return Step(chapter, name, "lab", "open", "", path)
    return Step(chapter, name, "lab", score.state, score.note, path)


def steps(root: Path = ROOT) -> list[Step]:
    """Return every lesson and lab in course order: a chapter's lessons, then its labs."""
    progress, found, syllabus = load(root), list[Step](), syllabus_if_any(root)
    order = [lab.name for lab in syllabus.labs] if syllabus else []
    names = sorted(labs(root), key=lambda name: order.index(name) if name in order else len(order))
    for chapter in chapters(root):
        found += [_lesson(root, notebook, progress) for notebook in lessons(root, chapter)]
        found += [_lab(root, chapter, name, progress) for name in names if name[:2] == chapter[:2]]
    return found


def render(way: list[Step], root: Path = ROOT) -> Group:
    """Return the table of all steps and the line that says what is next."""
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1))
    for name in ("chapter", "lesson or lab", "", ""):
        table.add_column(name, no_wrap=name != "")
    marks = {
        "done": Text("done", style="green"),
        "checked": Text("checked", style="cyan"),
        "begun": Text("begun", style="yellow"),
        "open": Text(""),
    }
    shown = ""
    for step in way:
        name = step.name if step.kind == "lesson" else f"lab {step.name}"
        table.add_row(step.chapter if step.chapter != shown else "", name, marks[step.state], step.note)
        shown = step.chapter
    lines = []
    for kind in ("lesson", "lab"):
        states = [step.state for step in way if step.kind == kind]
        lines.append(f"{states.count('done')} of {len(states)} {kind}s done")
    checked = [step.name for step in way if step.state == "checked"]
    if checked:
        lines[-1] += f", {len(checked)} more pass what you can see (points: python3 bootstrap.py check LAB --full)"
    upcoming = next((step for step in way if step.state not in ("done", "checked")), None)
    if upcoming is None:
        last = "That was all." if way else "There are no lessons yet."
    else:
        last = f"Next: {upcoming.path.relative_to(root)}"
    return Group(table, Text(", ".join(lines)), Text(last, style="bold"))
