"""A learner's notebook: read as leniently as the grader reads it, its exercises, and the tests that its lab has."""

import json
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from authoring.repository import COMMAND, ROOT
from autograder.lab.cells import HIDDEN
from autograder.submissions.found import normalised
from base.errors import UserError
from course.paths import WORK

CONFLICT = re.compile(rb"^<{7} ", re.MULTILINE)


@dataclass(frozen=True)
class KnownTest:
    """A test as the lab's source has it: nbgrader's marks, its visible text, and whether it has a hidden part."""

    marks: dict[str, Any]
    visible: str
    hidden: bool


@dataclass
class Exercise:
    """An answer cell and the tests (cells, by their place in the notebook) that stand below it."""

    name: str
    title: str
    tests: list[int] = field(default_factory=list)


def known_tests(lab: str, root: Path = ROOT) -> dict[str, KnownTest]:
    """Return the tests of a lab by `grade_id`; none where its source is not here (a student has the release only)."""
    path = root / "solutions" / lab / f"{lab}.ipynb"
    try:
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    except FileNotFoundError:
        return {}
    found = {}
    for cell in cells:
        marks, source = cell["metadata"].get("nbgrader", {}), "".join(cell["source"])
        if marks.get("grade") and not marks.get("solution"):
            visible = HIDDEN.sub("", source)
            found[marks["grade_id"]] = KnownTest(marks, visible, visible != source)
    return found


def whole_again(path: Path, root: Path = ROOT) -> str:
    """Return how to get a readable notebook without losing what is in this one."""
    aside = f"{path.name}.mine"
    last = "take the last whole one from where you got it"
    if path.resolve().is_relative_to((root / WORK).resolve()):
        return (
            f"Your work is still in the file. `{COMMAND} reset {path.stem}` keeps it in work/kept/ and puts one that "
            "can be read in its place: copy your answers over from there, with any text editor."
        )
    if path.resolve().is_relative_to(root.resolve()):
        name = path.resolve().relative_to(root.resolve()).as_posix()
        last = f"`git show HEAD:{name}` prints the one of your last commit (in a download without git: unpack it again)"
    return (
        f"Your work is still in the file: first copy it aside as {aside}. Then get one that can be read: {last}. "
        f"Copy your answers over from {aside}, which any text editor opens."
    )


def read_notebook(path: Path, root: Path = ROOT) -> Any:
    """Return a notebook with the code, the text and nbgrader's marks of a learner's file, and nothing else of it.

    It is read as `course grade` reads what is handed in: what Jupyter opens can be checked.

    Raises:
        UserError: It is missing, or cannot be read; the message says how to keep the work in it.
    """
    import nbformat

    from autograder.submissions.reading import HAND_IN, RefusedError, read_cells

    try:
        raw = path.read_bytes()
    except FileNotFoundError:
        raise UserError(f"there is no notebook {path}") from None
    try:
        cells = read_cells(raw, lambda note: None)
    except RefusedError as refused:
        why = str(refused).removesuffix(HAND_IN).strip()
        if conflict := CONFLICT.search(raw):
            line = raw.count(b"\n", 0, conflict.start()) + 1
            why = f"Two versions were merged in it, and git left both (the marks <<<<<<< in line {line})."
        raise UserError(f"{path} cannot be read as a notebook. {why} {whole_again(path, root)}") from None
    made = nbformat.v4.new_notebook()  # type: ignore[no-untyped-call]
    make = {kind: getattr(nbformat.v4, f"new_{kind}_cell") for kind in ("code", "markdown", "raw")}
    for cell in cells:
        metadata = {"nbgrader": cell.marks} if cell.marks else {}
        made.cells.append(make[cell.cell_type](cell.source, metadata=metadata))
    return made


def restore_marks(cells: list[Any], known: dict[str, KnownTest]) -> list[str]:
    """Give tests that lost nbgrader's marks (as some editors drop them) theirs again; returns the tests not found."""
    missing = {name: test for name, test in known.items() if normalised(test.visible)}
    for cell in cells:
        missing.pop(cell.metadata.get("nbgrader", {}).get("grade_id", ""), None)
    by_text = {normalised(test.visible): name for name, test in missing.items()}
    for cell in cells:
        name = by_text.get(normalised(cell.source))
        if name in missing and cell.cell_type == "code" and not cell.metadata.get("nbgrader"):
            cell.metadata["nbgrader"] = missing.pop(name).marks
    return list(missing)


def is_test(cell: Any) -> bool:
    """Whether a cell is a test of nbgrader's, with a name and points."""
    marks = cell.metadata.get("nbgrader", {})
    named = isinstance(marks.get("grade_id"), str) and isinstance(marks.get("points"), int | float)
    return cell.cell_type == "code" and bool(marks.get("grade")) and not marks.get("solution") and named


def title_above(cells: list[Any], index: int) -> str:
    """Return the nearest markdown heading above a cell; empty if there is none."""
    for cell in reversed(cells[:index]):
        if cell.cell_type == "markdown":
            headings = re.findall(r"^#{1,6}\s+(.+?)\s*#*$", cell.source, flags=re.MULTILINE)
            if headings:
                return re.sub(r"[*_`]", "", headings[-1])
    return ""


def exercises(cells: list[Any], tests: list[int]) -> list[Exercise]:
    """Return the exercises that have a test: of a test, the nearest answer above it (as the grader takes it)."""
    found: dict[str, Exercise] = {}
    for index in tests:
        marks = [cell.metadata.get("nbgrader", {}) for cell in cells[:index]]
        answers = [one["grade_id"] for one in marks if one.get("solution") and isinstance(one.get("grade_id"), str)]
        name = answers[-1] if answers else cells[index].metadata.nbgrader["grade_id"]
        found.setdefault(name, Exercise(name, title_above(cells, index) or name)).tests.append(index)
    return list(found.values())
