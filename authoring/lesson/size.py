"""How large a lesson is, and how many minutes it honestly takes."""

from collections.abc import Iterable
from dataclasses import dataclass

from authoring.lesson.text import FOLD, Cell

WORDS_PER_MINUTE = 150
CODE_LINES_PER_MINUTE = 8
SECONDS_PER_CELL = 20
"""To run a code cell and look at what it shows."""
MOST_WORDS, MOST_LINES, MOST_CELLS, MOST_MINUTES = 1500, 100, 16, 30


@dataclass(frozen=True)
class Size:
    """Words of prose, lines of code (blank and comment lines not counted) and code cells."""

    words: int
    lines: int
    cells: int

    @property
    def minutes(self) -> float:
        """The minutes that a learner needs to read the words, follow the code and look at what the cells show."""
        return self.words / WORDS_PER_MINUTE + self.lines / CODE_LINES_PER_MINUTE + self.cells * SECONDS_PER_CELL / 60

    def agrees(self, stated: int) -> bool:
        """Whether stated minutes are these within 10 %, or within the half minute that rounding takes."""
        return abs(stated - self.minutes) <= max(0.5, self.minutes / 10)

    def excess(self) -> list[str]:
        """Return the bounds that are passed, each in words."""
        bounds = [
            (self.words, MOST_WORDS, "words"),
            (self.lines, MOST_LINES, "lines of code"),
            (self.cells, MOST_CELLS, "code cells"),
            (self.minutes, MOST_MINUTES, "minutes"),
        ]
        return [f"{value:,.0f} {unit}, at most {most:,}" for value, most, unit in bounds if round(value) > most]


def size_of(cells: Iterable[Cell]) -> Size:
    """Measure a lesson. What stands in a fold can be skipped and is not counted, but for *Check yourself*."""
    cells = list(cells)
    prose = "\n".join(cell.source for cell in cells if not cell.code)
    taught, check, questions = prose.partition("\n## Check yourself\n")
    code = [line.strip() for cell in cells if cell.code for line in cell.source.split("\n")]
    return Size(
        words=len((FOLD.sub("", taught) + check + questions).split()),
        lines=sum(bool(line) and not line.startswith(("#", "%%")) for line in code),
        cells=sum(cell.code for cell in cells),
    )
