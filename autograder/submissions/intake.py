"""A student's file -> the notebook that is graded: the instructor's cells with the student's text in the answers.

Nothing else of the file counts: not its metadata, its outputs, its kernel, nor its copies of the instructor's cells.
The file is read with limits of its own, since nbformat validates whole outputs and a hostile file can be any JSON.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from autograder.model import EXTRA, MANUAL, TEST, Cell, Key, Prepared, Submission
from autograder.submissions.found import FoundCell, names_bound, normalised, title_of
from autograder.submissions.matching import Matching
from autograder.submissions.reading import MOST_NOTES, RefusedError, read_cells


def _tampered(cell: Cell, marks: dict[str, Any], fills: bool) -> bool:
    """Whether nbgrader's marks on a copy are not those of the key; `fills`: a student fills the cell in."""
    want = {"grade": cell.kind == TEST or (cell.kind == MANUAL and fills), "solution": fills}
    if any(flag in marks and marks[flag] is not value for flag, value in want.items()):
        return True
    return bool(cell.points) and "points" in marks and marks["points"] != cell.points


def _notes_on(cell: Cell, known: set[str], copies: list[FoundCell]) -> Iterator[str]:
    """Say what was wrong with the copies of a named cell that is the instructor's alone; `known`: its right texts."""
    title = title_of(cell)
    if not copies and "" not in known:
        yield f"{title} was missing: graded with the original."
    elif len(copies) > 1:
        yield f"{title} was there {len(copies)} times: graded with the original, once."
    if any(copy.norm not in known for copy in copies):
        yield f"{title} had been edited: graded with the original; what you changed there does not count."
    if any(copy.cell_type != cell.cell_type for copy in copies):
        yield f"{title} had been turned into another type of cell: graded with the original."


def _answer(match: Matching, number: int, note: Callable[[str], None]) -> Cell | None:
    """Return an answer cell with the text that counts, None where there is no copy; frees the copies above it."""
    cell, copies = match.key.cells[number], match.copies(number)
    filled = [index for index in copies if match.found[index].norm not in ("", match.norms[number])]
    if not copies:
        return None
    chosen = (filled or copies)[-1]
    for index in filled[:-1]:
        match.owner[index] = None
    if len(copies) > 1:
        note(f"{title_of(cell)} was there {len(copies)} times: the last one that was filled in counts.")
    if match.found[chosen].cell_type != cell.cell_type:
        note(f"{title_of(cell)} was in another type of cell: carried over as {cell.cell_type}.")
    return replace(cell, source=match.found[chosen].whole)


def _transplanted(match: Matching, note: Callable[[str], None]) -> dict[int, Cell]:
    """Return the cells of the key with the student's text in them; an answer without a copy is not among them."""
    cells = {}
    for number, original in enumerate(match.key.cells):
        copies, fills = [match.found[index] for index in match.copies(number)], number in match.binds
        if original.grade_id and any(_tampered(original, copy.marks, fills) for copy in copies):
            note(f"{title_of(original)} had other points or marks: the original ones count.")
        if fills:
            if answer := _answer(match, number, note):
                cells[number] = answer
            continue
        cells[number] = original
        if original.grade_id:
            for text in _notes_on(original, match.known[number], copies) if match.found else ():
                note(text)
        elif copies and copies[0].norm != match.norms[number]:
            cells[number] = Cell(EXTRA, copies[0].cell_type, copies[0].whole)
    return cells


def _extras(match: Matching, note: Callable[[str], None]) -> dict[int, list[Cell]]:
    """Return the student's own cells by the cell of the key that they stand behind; -1 is the top."""
    tests = set().union(*(match.known[n] for n, cell in enumerate(match.key.cells) if cell.kind == TEST))
    anchors = dict(match.anchors())
    behind: dict[int, list[Cell]] = {}
    place, copied = -1, False
    for index, cell in enumerate(match.found):
        place = anchors.get(index, place)
        if match.owner[index] is None and cell.norm:
            if cell.norm in tests:
                copied = True
            else:
                behind.setdefault(place, []).append(Cell(EXTRA, cell.cell_type, cell.whole))
    if copied:
        note("Copies of tests were left out: each test runs once, as the original.")
    if len(anchors) < len({owner for owner in match.owner if owner is not None}):
        note("Cells stood in another order: graded in the order in which they were handed out.")
    return behind


def _blank(match: Matching, cells: dict[int, Cell], extras: list[Cell], note: Callable[[str], None]) -> tuple[str, ...]:
    """Put stubs where answers are missing; returns the names of the answers that nobody gave."""
    texts = [*extras, *(cell for number, cell in cells.items() if number in match.binds or cell.kind == EXTRA)]
    givers = Counter(name for cell in texts for name in names_bound(cell.source))
    blank = []
    for number, names in match.binds.items():
        cell = match.key.cells[number]
        own = names_bound(cells[number].source) if number in cells else set()
        elsewhere = bool(names) and all(givers[name] > (name in own) for name in names)
        if number not in cells:
            cells[number] = replace(cell, source="" if elsewhere else match.shown[number])
            how = "but what it asks for is in another cell" if elsewhere else "taken as not answered"
            note(f"{title_of(cell)} was missing: {how}.")
        if normalised(cells[number].source) in ("", match.norms[number]) and not elsewhere:
            blank.append(cell.grade_id)
    return tuple(blank)


def _capped(notes: list[str]) -> tuple[str, ...]:
    notes = list(dict.fromkeys(notes))
    more = len(notes) - MOST_NOTES
    return (*notes[:MOST_NOTES], *([f"And {more} more of that kind."] if more > 0 else []))


def prepare(key: Key, submission: Submission) -> Prepared:
    """Rebuild the notebook of a submission from the key's cells; only text of answers and own cells is the student's.

    Where an answer is there more than once, the last copy that was filled in counts, and filled ones above it stay as
    extra cells, as in a run from top to bottom. A plain cell of the instructor's that was edited is the student's.
    An answer that stands in another cell (cells were merged) leaves its own cell empty and is not `blank`.

    Returns:
        The cells to run and what was put right, or a `fault`, whatever bytes were handed in.
    """
    if submission.fault:
        return Prepared((), fault=submission.fault)
    notes: list[str] = []
    try:
        found = read_cells(submission.notebook, notes.append)
    except RefusedError as refused:
        return Prepared((), _capped(notes), str(refused))
    if not found:
        notes.append("The notebook has no cells.")
    elif not any(isinstance(cell.marks.get("grade_id"), str) for cell in found):
        notes.append("The notebook had lost nbgrader's marks on its cells: your answers were found by name and place.")
    match = Matching(key, found)
    cells = _transplanted(match, notes.append)
    behind = _extras(match, notes.append)
    blank = _blank(match, cells, [cell for many in behind.values() for cell in many], notes.append)
    ordered = list(behind.get(-1, []))
    for number in range(len(key.cells)):
        ordered += [cells[number], *behind.get(number, [])]
    return Prepared(tuple(ordered), _capped(notes), blank=blank)
