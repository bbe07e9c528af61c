"""A cell of a student's file, and how the cells of two notebooks are compared."""

import re
from collections import Counter
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from urllib.parse import quote

from autograder.model import MANUAL, TEST, Cell, Key

BOUND = re.compile(r"^(?:(?:async[ \t]+)?(?:def|class)[ \t]+(\w+)|(\w+)[ \t]*(?::[^=\n]*)?=(?!=))", re.MULTILINE)
ALIKE = 0.5
"""Share of equal lines from which a cell counts as an edited copy of another."""


@dataclass(frozen=True)
class FoundCell:
    """A cell of the student's file."""

    cell_type: str
    source: str
    marks: dict[str, Any]
    cell_id: str
    pictures: tuple[tuple[str, str], ...] = ()

    @property
    def whole(self) -> str:
        """The text with the pictures that were attached to it in their places."""
        text = self.source
        for name, data in self.pictures:
            for written in dict.fromkeys((name, quote(name))):
                text = text.replace(f"](attachment:{written})", f"]({data})", 1)
        return text

    @cached_property
    def norm(self) -> str:
        """Its text, normalised."""
        return normalised(self.source)

    @cached_property
    def lines(self) -> Counter[str]:
        """Its lines, counted."""
        return lines_in(self.source)

    @cached_property
    def binds(self) -> set[str]:
        """The names that it defines."""
        return names_bound(self.source)


def normalised(source: str) -> str:
    """Return a text without blank lines and spaces at line ends: what an editor may change by itself."""
    return "\n".join(line.rstrip() for line in source.splitlines() if line.strip())


def lines_in(source: str) -> Counter[str]:
    """Return the first lines of a text, counted, without the blank ones."""
    return Counter(line.strip() for line in source.splitlines()[:200] if line.strip())


def likeness(a: Counter[str], b: Counter[str]) -> float:
    """Return the share of equal lines of two texts, 0 to 1 (Dice's coefficient)."""
    total = a.total() + b.total()
    return 2 * (a & b).total() / total if total else 0.0


def names_bound(source: str) -> set[str]:
    """Return the names that a text defines at its top level; read by line, so that broken code has names too."""
    return {function or variable for function, variable in BOUND.findall(source)}


def shown_text(cell: Cell, key: Key) -> str:
    """Return a cell of the key as it was handed out."""
    if cell.grade_id in key.stubs:
        return key.stubs[cell.grade_id]
    return cell.visible if cell.kind in (TEST, MANUAL) else cell.source


def title_of(cell: Cell) -> str:
    """Name a cell in a note, as a student knows it."""
    exercise = re.fullmatch(r"ex(\d+)(-test(?:-(.+))?)?", cell.grade_id)
    if not exercise:
        return f'The cell "{cell.grade_id}"'
    part = f' "{exercise[3]}"' if exercise[3] else ""
    return f"The test{part} of exercise {exercise[1]}" if exercise[2] else f"The answer of exercise {exercise[1]}"
