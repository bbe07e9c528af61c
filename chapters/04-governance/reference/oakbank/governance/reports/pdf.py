"""A report as PDF, by fpdf2: text that can be searched and copied, plots in it, and no clock.

The font is DejaVu Sans, which comes with Matplotlib: Latin, Greek, Cyrillic, Arabic and more. A letter that it does not
have (Chinese, an emoji) is written as its code point, such as U+5F20: a name must not become empty boxes. Arabic
letters are not joined, which would need a shaping engine.
The same report gives the same bytes with the same versions of fpdf2, fontTools and zlib.
"""

from datetime import UTC, datetime
from pathlib import Path

import matplotlib as mpl
from fpdf import FPDF
from fpdf.fonts import FontFace, TTFFont

from oakbank.governance.reports.document import Block, Document, Figure, Missing, Table, Text

FONT = "DejaVuSans"
INK, RED = (26, 26, 26), (122, 0, 18)
PALE_RED, PALE, PAPER = (251, 213, 213), (238, 242, 246), (255, 255, 255)
MARGIN = 18.0
"""Millimetres."""
SIZE = 9.0
"""Points."""
LINE = 4.8
"""Millimetres from line to line."""


class _Paper(FPDF):
    """A4, with the day and the page on the foot of each page."""

    def __init__(self, document: Document) -> None:
        super().__init__(format="A4")
        self.document = document
        fonts = Path(mpl.get_data_path()) / "fonts" / "ttf"
        self.add_font(FONT, fname=fonts / "DejaVuSans.ttf")
        self.add_font(FONT, "B", fonts / "DejaVuSans-Bold.ttf")
        day = document.as_of
        self.set_creation_date(datetime(day.year, day.month, day.day, tzinfo=UTC))
        self.set_title(self.readable(f"{document.title}, as of {day}"))
        self.set_lang("en")
        self.set_margins(MARGIN, MARGIN)
        self.set_auto_page_break(True, MARGIN)
        self.set_text_color(INK)
        self.set_font(FONT, size=SIZE)

    def footer(self) -> None:
        """Write the foot of a page; fpdf2 calls it."""
        self.set_y(-MARGIN + 4)
        self.set_font(FONT, size=7)
        self.set_text_color(INK)
        said = f"{self.document.title}. {self.document.warning} Page {self.page_no()} of {{nb}}"
        self.cell(0, 5, self.readable(said), align="C")

    def readable(self, text: str) -> str:
        """Return a text in letters that the font has; what controls the layout becomes a space."""
        font = self.fonts[FONT.lower()]
        assert isinstance(font, TTFFont)  # it was added from a file
        plain = " ".join(text.split())
        return "".join(letter if ord(letter) in font.cmap else f"U+{ord(letter):04X}" for letter in plain)

    def line(self, text: str, *, bold: bool = False, red: bool = False, size: float = SIZE) -> None:  # type: ignore[override]
        """Write a paragraph over the whole width."""
        self.set_font(FONT, "B" if bold else "", size)
        self.set_text_color(RED if red else INK)
        self.set_fill_color(PALE_RED if red else PAPER)
        self.multi_cell(0, size * LINE / SIZE, self.readable(text), fill=red, align="L", new_x="LMARGIN", new_y="NEXT")
        self.ln(1.5)


def pdf(document: Document) -> bytes:
    """Return a report as the bytes of a PDF."""
    paper = _Paper(document)
    paper.add_page()
    paper.line(document.title, bold=True, size=16)
    paper.line(document.warning, bold=True)
    paper.line(document.summary, red=any(section.gaps for section in document.sections))
    for section in document.sections:
        paper.ln(2)
        if paper.get_y() > paper.h - 2.5 * MARGIN:  # no heading alone at the foot of a page
            paper.add_page()
        paper.set_font(FONT, "B", 12)
        paper.start_section(paper.readable(section.title))
        paper.line(section.title, bold=True, size=12)
        for block in section.blocks:
            _draw(paper, block)
    return bytes(paper.output())


def _draw(paper: _Paper, block: Block) -> None:
    match block:
        case Text(text):
            paper.line(text)
        case Missing(what):
            paper.line(f"MISSING: {what}", red=True)
        case Figure(png, caption, words):
            paper.image(png, w=paper.epw * 0.8, alt_text=words)
            paper.line(caption, size=8)
        case Table():
            _table(paper, block)


def _table(paper: _Paper, table: Table) -> None:
    paper.line(table.caption, bold=True)
    paper.set_font(FONT, size=8)
    paper.set_text_color(INK)
    paper.set_draw_color(187)
    paper.set_fill_color(PAPER)  # fpdf2 fills a cell without a colour of its own with the one set last
    head, missing = FontFace(emphasis="BOLD", fill_color=PALE), FontFace(color=RED, fill_color=PALE_RED)
    with paper.table(
        col_widths=_widths(table), headings_style=head, line_height=LINE, text_align="LEFT", v_align="TOP", padding=0.6
    ) as rows:
        for number, cells in enumerate((table.head, *table.rows), -1):
            row = rows.row(style=missing if number in table.red else None)
            for cell in cells:
                row.cell(paper.readable(cell))
    paper.ln(2)


def _widths(table: Table) -> tuple[int, ...]:
    """Return shares of the width: by the longest cell of each column, none below a third of the widest."""
    longest = [max(len(row[column]) for row in (table.head, *table.rows)) for column in range(len(table.head))]
    bounded = [min(length, 60) for length in longest]
    return tuple(max(length, max(bounded) // 3, 8) for length in bounded)
