"""Which cell of a student's file is which of the instructor's, also where names were lost, doubled or changed."""

import bisect
from collections import Counter
from dataclasses import dataclass, field

from autograder.model import LOCKED, TEST, Key
from autograder.submissions.found import ALIKE, FoundCell, likeness, lines_in, names_bound, normalised, shown_text


def _rising(pairs: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return a longest run of pairs, in order, whose second numbers rise (patience sorting)."""
    tops: list[int] = []
    last: list[int] = []
    before: list[int] = []
    for number, (_, value) in enumerate(pairs):
        pile = bisect.bisect_left(tops, value)
        before.append(last[pile - 1] if pile else -1)
        tops[pile : pile + 1] = [value]
        last[pile : pile + 1] = [number]
    run, number = [], last[-1] if last else -1
    while number >= 0:
        run.append(pairs[number])
        number = before[number]
    return run[::-1]


@dataclass
class Matching:
    """Which cell of the key each of the student's cells is a copy of, as far as that is known.

    `binds` holds, for each cell that a student fills in, the names that its stub defines.
    """

    key: Key
    found: list[FoundCell]
    owner: list[int | None] = field(init=False)

    def __post_init__(self) -> None:
        self.shown = [shown_text(cell, self.key) for cell in self.key.cells]
        self.norms = [normalised(text) for text in self.shown]
        self.known = [{norm, normalised(cell.source)} for norm, cell in zip(self.norms, self.key.cells, strict=True)]
        self.lines = [lines_in(text) for text in self.shown]
        answers = [number for number, cell in enumerate(self.key.cells) if cell.grade_id in self.key.stubs]
        self.binds = {number: names_bound(self.shown[number]) for number in answers}
        self.owner = [None] * len(self.found)
        self._by_name()
        self._by_text()
        self._by_binding()
        self._by_likeness()
        self._by_place()

    def copies(self, number: int) -> list[int]:
        """Return the student's copies of a cell of the key, in order."""
        return [index for index, owner in enumerate(self.owner) if owner == number]

    def anchors(self) -> list[tuple[int, int]]:
        """Return pairs of a student's and the key's cell that stand in the order of the key."""
        return _rising([(index, owner) for index, owner in enumerate(self.owner) if owner is not None])

    def _lost(self) -> list[int]:
        """Return the cells of the key without a copy."""
        owned = set(self.owner)
        return [number for number in range(len(self.key.cells)) if number not in owned]

    def _free(self, number: int, anchors: list[tuple[int, int]]) -> list[int]:
        """Return the student's cells that are nobody's copy, between the neighbours of a cell of the key."""
        start = max((index for index, owner in anchors if owner < number), default=-1)
        stop = min((index for index, owner in anchors if owner > number), default=len(self.found))
        return [i for i in range(start + 1, stop) if self.owner[i] is None and self.found[i].norm]

    def _by_name(self) -> None:
        """Believe nbgrader's name of a cell, then the cell's id, unless the text is evidently another cell's."""
        names = {cell.grade_id: number for number, cell in enumerate(self.key.cells) if cell.grade_id}
        kinds = enumerate(cell.kind for cell in self.key.cells)
        fixed = {norm: n for n, kind in kinds if kind in (TEST, LOCKED) for norm in self.known[n] if norm}
        for index, cell in enumerate(self.found):
            marked = cell.marks.get("grade_id")
            name = marked if isinstance(marked, str) and marked in names else cell.cell_id
            number = names.get(name)
            if number in self.binds and cell.norm in fixed:
                number = fixed[cell.norm]
            self.owner[index] = number
        for number in self.binds:  # an answer that bears the name of a test or of a locked cell
            if not self.copies(number) and self.binds[number]:
                for index, cell in enumerate(self.found):
                    owner = self.owner[index]
                    if owner is None or owner in self.binds or not self.binds[number] <= cell.binds:
                        continue
                    if likeness(cell.lines, self.lines[owner]) < ALIKE:
                        self.owner[index] = number

    def _by_text(self) -> None:
        """Recognise untouched cells; a text that several cells share (a short stub) says nothing of an answer."""
        count = Counter(self.norms)
        places: dict[str, list[int]] = {}
        for number in self._lost():
            known = {self.norms[number]} if number in self.binds else self.known[number]
            for norm in sorted(known):
                if norm and (number not in self.binds or count[norm] == 1):
                    places.setdefault(norm, []).append(number)
        for index, cell in enumerate(self.found):
            free = [number for number in places.get(cell.norm, []) if number not in self.owner]
            if self.owner[index] is None and free:
                self.owner[index] = free[0]

    def _by_binding(self) -> None:
        """Find lost answers by the functions and variables that their stubs define."""
        for number in (lost for lost in self._lost() if lost in self.binds):
            for index, cell in enumerate(self.found):
                if self.owner[index] is None and self.binds[number] and self.binds[number] <= cell.binds:
                    self.owner[index] = number

    def _by_likeness(self) -> None:
        """Find edited copies of the instructor's cells, and answers in which much of the stub is left."""
        for number in self._lost():
            cell, anchors = self.key.cells[number], self.anchors()
            names = set() if cell.grade_id else names_bound(cell.source)
            scores = []
            for index in self._free(number, anchors):
                found = self.found[index]
                if found.cell_type == cell.cell_type:  # a plain cell with other values (`NAME = "Ann"`) is a copy too
                    alike = likeness(found.lines, self.lines[number])
                    scores.append((1.0 if names and names == found.binds else alike, -index))
            if scores and max(scores)[0] >= ALIKE:
                self.owner[-max(scores)[1]] = number

    def _by_place(self) -> None:
        """Give what stands between two known cells to the answer that is missing there, if its stub names nothing."""
        anchors = self.anchors()
        gaps: dict[tuple[int, ...], list[int]] = {}
        for number in self._lost():
            if number in self.binds and not self.binds[number]:
                kind = self.key.cells[number].cell_type
                free = tuple(i for i in self._free(number, anchors) if self.found[i].cell_type == kind)
                gaps.setdefault(free, []).append(number)
        for free, lost in gaps.items():  # the first: who needs more cells adds them below
            for index, number in zip(free, lost, strict=False):
                self.owner[index] = number
