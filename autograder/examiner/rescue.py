"""One mistake costs once: what an exercise builds on, and the reference answers that take the place of what failed."""

from dataclasses import replace

from autograder.lab.marks import SHOWN
from autograder.lab.source import bound_in, names_in, without_docstrings
from autograder.model import ANSWER, LOCKED, MANUAL, REFERENCE, TEST, Cell, Key, Prepared


def lent(answer: Cell) -> Cell:
    """Return a reference answer as it takes the place of a student's in the second look."""
    if SHOWN in (line.strip() for line in answer.source.splitlines()):
        return replace(answer, source=without_docstrings(answer.source))
    return replace(answer, kind=REFERENCE)


def built_on(key: Key, exercise: str, prepared: Prepared) -> set[str]:
    """Return the exercises whose names the answer, its tests or what they read may use, directly or not."""
    binds = {cell.grade_id: bound_in(cell.source) for cell in key.cells if cell.kind in (ANSWER, MANUAL)}
    reads: dict[str, set[str]] = {name: set() for name in binds}
    for cell in (*key.cells, *prepared.cells):
        if cell.kind in (ANSWER, MANUAL) and cell.cell_type == "code":
            reads[cell.grade_id] |= names_in(cell.source)
        elif cell.kind == TEST and (name := key.exercise(cell.grade_id)) in reads:
            reads[name] |= names_in(cell.source)
    locked = [(bound_in(c.source), names_in(c.source)) for c in key.cells if c.kind == LOCKED and c.runs]
    wanted, found = set(reads.get(exercise, ())), set[str]()
    while True:
        more = {name for name, names in binds.items() if names & wanted and name != exercise} - found
        grown = wanted.union(*(reads[name] for name in more), *(used for bound, used in locked if bound & wanted))
        found |= more
        if grown == wanted and not more:
            return found
        wanted = grown
