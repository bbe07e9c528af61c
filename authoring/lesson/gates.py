"""The gates that every lesson passes; those written before the gates are excused, in `excused.yml`.

What can be read from the text is checked here. Two gates need a run: `course run` proves *Your turn*
(`authoring.lesson.turn`), and `authoring.lesson.printed` compares prose with what the cells printed.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from authoring.lesson.excuses import Excuses
from authoring.lesson.outcomes import outcome_faults
from authoring.lesson.printed import printed_faults
from authoring.lesson.size import size_of
from authoring.lesson.text import FENCE, Cell, Fault, heading_line, read_cells
from authoring.lesson.turn import turn_faults
from authoring.lesson.typed import Typed, typed_faults
from authoring.recording import name_of
from authoring.repository import COMMAND
from authoring.syllabus import Chapter, Lesson, Syllabus

WIDEST = 88
PRINTED = "printed"

_ANSWER = re.compile(r'^# %% .*\banswer="(ex\d+)"', re.MULTILINE)


@dataclass(frozen=True)
class Written:
    """A lesson's text with its row of the syllabus, and the labs that measure it."""

    root: Path
    chapter: Chapter
    row: Lesson

    @property
    def name(self) -> str:
        """How lessons are named: `02/05`."""
        return name_of(Path(self.source))

    @property
    def source(self) -> str:
        """The path of its text, relative to the root."""
        return self.chapter.source(self.row)

    @cached_property
    def cells(self) -> list[Cell]:
        """Its cells."""
        return read_cells(self.root / self.source, self.source)

    @cached_property
    def labs(self) -> dict[str, Path]:
        """The texts of the labs that are written and measure it, by name."""
        texts = {lab.name: _lab(self.root, lab.name) for lab in self.chapter.labs if self.row.number in lab.lessons}
        return {name: path for name, path in texts.items() if path.is_file()}


def _lab(root: Path, name: str) -> Path:
    return root / "solutions" / name / f"{name}.py"


def _size(lesson: Written) -> list[Fault]:
    return [Fault(1, f"{much}: make two lessons of it, or put what can be skipped into a fold")
            for much in size_of(lesson.cells).excess()]  # fmt: skip


def _minutes(lesson: Written) -> list[Fault]:
    size, stated = size_of(lesson.cells), lesson.row.minutes
    if stated is not None and size.agrees(stated):
        return []
    says = f"{size.words} words, {size.lines} lines and {size.cells} code cells take {size.minutes:.0f}"
    return [Fault(heading_line(lesson.cells, "Time"), f"Time: says {stated} minutes to read, and {says}: write that")]


def width_faults(cells: list[Cell]) -> list[Fault]:
    """Return the lines of code, in cells and in fences, that a narrow window does not show whole."""
    return [Fault(number, f"{len(line)} characters of code, at most {WIDEST}: break it after an opening bracket, and "
                  "end its last argument with a comma, so that the layout stays")
            for number, line in _code_lines(cells) if len(line) > WIDEST]  # fmt: skip


def _code_lines(cells: list[Cell]) -> Iterator[tuple[int, str]]:
    for cell in cells:
        if cell.code:
            yield from cell.lines()
        else:
            for fence in FENCE.finditer(cell.source):
                yield from enumerate(fence["body"].splitlines(), cell.line_at(fence.start("body")))


def _outcomes(lesson: Written) -> list[Fault]:
    exercises = {name: set(_ANSWER.findall(path.read_text(encoding="utf-8"))) for name, path in lesson.labs.items()}
    return outcome_faults(lesson.cells, {one.can: one.by for one in lesson.row.outcomes}, exercises)


def _typed(lesson: Written) -> list[Fault]:
    typed = Typed()
    typed.read(lesson.cells, lesson.source)
    for path in lesson.labs.values():
        source = path.relative_to(lesson.root).as_posix()
        typed.read(read_cells(path, source), source)
    return [Fault(1, says) for says in typed_faults(lesson.row.systems, lesson.row.typed, typed)]


GATES: dict[str, Callable[[Written], list[Fault]]] = {
    "size": _size,
    "minutes": _minutes,
    "width": lambda lesson: width_faults(lesson.cells),
    "turn": lambda lesson: turn_faults(lesson.cells),
    "outcomes": _outcomes,
    "typed": _typed,
}


def written_lessons(root: Path, syllabus: Syllabus) -> list[Written]:
    """Return the lessons of the syllabus that are there, in order."""
    found = [Written(root, chapter, row) for chapter in syllabus.chapters for row in chapter.lessons]
    return [lesson for lesson in found if (root / lesson.source).is_file()]


def text_faults(root: Path, syllabus: Syllabus) -> list[str]:
    """Return what lessons and labs break of the gates that a text shows, one `file:line: what to do` each.

    Raises:
        BuildError: A text cannot be read, or the list of excuses cannot be right.
    """
    excuses, lessons = Excuses(root), written_lessons(root, syllabus)
    labs = [lab.name for lab in syllabus.labs if _lab(root, lab.name).is_file()]
    excuses.require([*GATES, PRINTED], [*(lesson.name for lesson in lessons), *labs])
    faults = [fault for lesson in lessons for fault in _faults_of(lesson, excuses)]
    for name in labs:
        source = _lab(root, name).relative_to(root).as_posix()
        faults += excuses.pardon(name, source, "width", width_faults(read_cells(root / source, source)))
    return faults


def _faults_of(lesson: Written, excuses: Excuses) -> list[str]:
    found = [excuses.pardon(lesson.name, lesson.source, gate, check(lesson)) for gate, check in GATES.items()]
    return [fault for faults in found for fault in faults]


def run_faults(root: Path, syllabus: Syllabus) -> list[str]:
    """Return what prose says of the last run of `course run` and no code holds, of all lessons, as `text_faults`."""
    excuses = Excuses(root)
    return [fault for lesson in written_lessons(root, syllabus) for fault in _run_faults_of(lesson, excuses)]


def _run_faults_of(lesson: Written, excuses: Excuses) -> list[str]:
    path = lesson.root / "build" / "run" / lesson.chapter.id / f"{lesson.row.name}.ipynb"
    executed = json.loads(path.read_text(encoding="utf-8"))["cells"] if path.is_file() else []
    if ["".join(cell["source"]) for cell in executed] != [cell.source for cell in lesson.cells]:
        return [f"{lesson.source}:1: not run as it is now: {COMMAND} run {lesson.name}"]
    return excuses.pardon(lesson.name, lesson.source, PRINTED, printed_faults(lesson.cells, executed))


def lesson_faults(path: Path, root: Path, syllabus: Syllabus) -> list[str]:
    """Return what one lesson breaks of all gates; nothing if the syllabus does not know it."""
    excuses = Excuses(root)
    lessons = [lesson for lesson in written_lessons(root, syllabus) if root / lesson.source == path]
    return [fault for lesson in lessons for fault in _faults_of(lesson, excuses) + _run_faults_of(lesson, excuses)]
