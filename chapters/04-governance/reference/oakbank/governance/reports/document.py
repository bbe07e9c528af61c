"""What a report says, before it is a page or a PDF: both are made from this, so they cannot say different things."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeAlias


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str


@dataclass(frozen=True)
class Missing:
    """What should be here and is not: red, and in words for who cannot see red."""

    what: str


@dataclass(frozen=True)
class Table:
    """Rows of cells. A row whose number is in `red` shows that something is missing or wrong."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    red: frozenset[int] = frozenset()


@dataclass(frozen=True)
class Figure:
    """A plot as PNG, its caption, and what it shows in words for who cannot see it."""

    png: bytes
    caption: str
    words: str


Block: TypeAlias = Text | Missing | Table | Figure


@dataclass(frozen=True)
class Section:
    """A part of a report under its own heading."""

    title: str
    blocks: tuple[Block, ...]

    @property
    def gaps(self) -> int:
        """How many things are red."""
        missing = sum(isinstance(block, Missing) for block in self.blocks)
        return missing + sum(len(block.red) for block in self.blocks if isinstance(block, Table))


@dataclass(frozen=True)
class Document:
    """A whole report of a day."""

    title: str
    as_of: date
    sections: tuple[Section, ...]

    @property
    def warning(self) -> str:
        """What stands on top, so that nobody takes an old page for today's law."""
        return f"Not legal advice, as of {self.as_of}."

    @property
    def summary(self) -> str:
        """How much is missing, and where."""
        where = [section.title for section in self.sections if section.gaps]
        found = sum(section.gaps for section in self.sections)
        return f"Gaps: {found}, red in {'; '.join(where)}." if found else "No gaps."


def facts(caption: str, values: Sequence[tuple[str, object]]) -> Table:
    """Return names and values as a table; what is None was not recorded, and is red."""
    rows = tuple((name, "MISSING: not recorded" if value is None else str(value)) for name, value in values)
    red = frozenset(number for number, (_, value) in enumerate(values) if value is None)
    return Table(caption, ("what", "recorded"), rows, red)
