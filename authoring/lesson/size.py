"""How large a lesson is, and how many minutes it honestly takes."""

import re
from dataclasses import dataclass

WORDS_PER_MINUTE = 150
CODE_LINES_PER_MINUTE = 8
SECONDS_PER_CELL = 20
"""To run a code cell and look at what it shows."""
MOST_WORDS, MOST_LINES, MOST_CELLS, MOST_MINUTES = 1500, 100, 16, 30

_FOLD = re.compile(r"<details>.*?</details>", re.DOTALL)
_STATED = re.compile(r"(\d+) minutes? to read")


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


def size_of(text: str) -> Size:
    """Measure a percent text. What stands in a fold can be skipped and is not counted, but for *Check yourself*."""
    prose, lines, cells = list[str](), 0, 0
    code = header = False  # a header above the first cell counts as prose
    for line in text.splitlines():
        if line.startswith("# %%"):
            code = "[markdown]" not in line
            cells += code
        elif line == "# ---":
            header = not header
        elif header:
            continue
        elif code:
            lines += bool(line.strip()) and not line.strip().startswith("#")
        else:
            prose.append(line.removeprefix("#").strip())
    taught, check, questions = "\n".join(prose).partition("\n## Check yourself\n")
    return Size(len((_FOLD.sub("", taught) + check + questions).split()), lines, cells)


def stated_minutes(text: str) -> int | None:
    """Return the minutes that a lesson's text states; None if it states none."""
    found = _STATED.search(text)
    return int(found.group(1)) if found else None
