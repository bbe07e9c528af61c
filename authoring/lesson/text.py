"""A lesson or lab as it was written: cells that know the lines they stand on."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from autograder.lab.text import read_percent
from base.errors import BuildError

FENCE = re.compile(r"^```(?P<language>\w*)[^\n]*\n(?P<body>.*?)^```$", re.DOTALL | re.MULTILINE)
FOLD = re.compile(r"<details>.*?</details>", re.DOTALL)
_HEADER = re.compile(r"# %%(\s|$)")


@dataclass(frozen=True)
class Fault:
    """What is wrong at a line of a text (counted from 1), and what to do."""

    line: int
    says: str


@dataclass(frozen=True)
class Cell:
    """One cell: code or prose, the line of the file on which it starts, its text."""

    code: bool
    line: int
    source: str

    def lines(self) -> Iterator[tuple[int, str]]:
        """Yield each line with its number in the file."""
        return enumerate(self.source.split("\n"), self.line)

    def line_at(self, offset: int) -> int:
        """Return the line in the file of a character of `source`."""
        return self.line + self.source.count("\n", 0, offset)


def read_cells(path: Path, name: str) -> list[Cell]:
    """Return the cells of a percent text; `name` is what messages call it.

    Raises:
        BuildError: The file is missing, is not UTF-8 or holds no cell.
    """
    lines = path.read_text(encoding="utf-8").split("\n")
    cells, at = list[Cell](), 0
    for cell in read_percent(path, name).cells:
        at = _start(lines, at, cell.source)
        cells.append(Cell(cell.cell_type == "code", at + 1, cell.source))
    return cells


def _start(lines: list[str], after: int, source: str) -> int:
    """Return the index of the first line of a cell; a header that stands in a string of Python starts none."""
    own = [line.strip("# ") for line in source.split("\n")]
    blank = next((at for at, line in enumerate(own) if line), 0)
    first = own[blank : blank + (2 if source.startswith("%%") else 1)]  # `language="bash"` becomes a line `%%bash`
    for header in range(after, len(lines)):
        if _HEADER.match(lines[header]):
            start = next((at for at in range(header + 1, len(lines)) if lines[at].strip("# ")), header + 1)
            if not source or lines[start].strip("# ") in first:
                return start - blank
    raise BuildError(f"line {after + 1}: below it no cell starts with {first[0]!r}, as the notebook's next cell does")


def prose_lines(cells: list[Cell]) -> Iterator[tuple[int, str]]:
    """Yield the lines of prose with their numbers, those between fences left out."""
    for cell in cells:
        if not cell.code:
            fenced = False
            for number, line in cell.lines():
                fenced ^= line.startswith("```")
                if not fenced:
                    yield number, line


def heading_line(cells: list[Cell], heading: str) -> int:
    """Return the line of `## heading`; 1 if there is none."""
    return next((number for number, line in prose_lines(cells) if line == f"## {heading}"), 1)


def section(cells: list[Cell], heading: str) -> list[tuple[int, str]]:
    """Return the lines of prose below `## heading`, up to the next one, with their numbers; empty if there is none."""
    found: list[tuple[int, str]] = []
    inside = False
    for number, line in prose_lines(cells):
        if line.startswith("## "):
            inside = line == f"## {heading}"
        elif inside:
            found.append((number, line))
    return found
