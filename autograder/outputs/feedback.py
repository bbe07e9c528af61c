"""One student's feedback: a page that stands alone, calm to read, and holds nothing that runs or tells a hidden test.

What a student wrote or printed is untrusted: it is escaped and made safe (`base.text`), and the
page's own policy lets no script run and nothing load. Of a test only the part is shown that was handed out.
"""

import functools
import html
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mistune
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape
from pygments import highlight  # type: ignore[import-untyped]
from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]
from pygments.lexers import PythonLexer  # type: ignore[import-untyped]

from autograder.model import (
    ANSWER,
    EXTRA,
    LOCKED,
    MANUAL,
    NOTHING,
    PICTURES,
    TEST,
    TEXT,
    ByHand,
    Cell,
    CellRun,
    Key,
    Mark,
    Output,
    Result,
)
from autograder.outputs.pictures import decoded, pieces, safe_picture, safe_table, tag
from base.text import LONGEST, safe_text, shorten

COLOURED = 5_000
"""Characters of a cell up to which its code is coloured."""

SHORT = 5
"""Characters up to which a hidden line, such as `else:`, is told only by a line that is nothing else."""

FULL, PART, NONE, OPEN = "full", "part", "none", "open"
NOT_SHOWN = "(the rest of this message would show a test that was not handed out)"


@dataclass(frozen=True)
class _Exercise:
    """A row of the table of exercises."""

    name: str
    title: str
    score: str
    points: str
    state: str
    tests: tuple[Mark, ...]
    said: tuple[str, ...]


@dataclass(frozen=True)
class _Shown:
    """A cell of the page. `body` is HTML."""

    kind: str
    title: str
    anchor: str
    body: Markup
    outputs: tuple[tuple[str, Markup], ...]
    mark: Mark | None = None
    comment: str = ""


@functools.cache
def templates() -> Environment:
    """Return the pages' templates, compiled once."""
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters["points"] = points
    environment.filters["exercise"] = exercise_title
    return environment


def points(number: float) -> str:
    """Return points as one writes them: 2, 2.5, 0.33."""
    return f"{round(number, 2):.2f}".rstrip("0").rstrip(".")


def exercise_title(name: str) -> str:
    """Return what to call an exercise: `ex2` is Exercise 2; another name stands as it is."""
    found = re.fullmatch(r"ex(?:ercise)?[-_]?(\d+)", name)
    return f"Exercise {found[1]}" if found else name


def exercise_headings(key: Key) -> dict[str, str]:
    """Return what to call each exercise: with its own title, where the heading above its answer has one."""
    titles, heading = dict[str, str](), ""
    for cell in key.cells:
        if cell.cell_type == "markdown" and cell.kind != ANSWER:
            shown = key.stubs.get(cell.grade_id, cell.visible or cell.source)  # never what was not handed out
            heading = (re.findall(r"(?m)^#{2,6}[ \t]+(\S.*)$", shown) or [heading])[-1].replace("`", "")
        if cell.kind in (ANSWER, MANUAL) and cell.grade_id:
            name = exercise_title(cell.grade_id)
            said = re.sub(rf"^(?:{re.escape(name)}|\d+)\b[\s.:·-]*", "", heading, flags=re.IGNORECASE)
            if name == cell.grade_id:  # says no number: the heading alone
                name, said = heading or name, ""
            titles[cell.grade_id] = safe_text(f"{name}: {said}" if said else name)
            heading = ""
    return titles


def _folds(escaped: str) -> str:
    """Let hints fold: the one kind of HTML that the course's texts use."""
    return re.sub(r"&lt;(/?(?:details|summary))&gt;", r"<\1>", escaped)


class _Prose(mistune.HTMLRenderer):
    """Markdown to HTML below this page's own headings; HTML in it stays text."""

    def heading(self, text: str, level: int, **attributes: Any) -> str:
        return super().heading(text, min(level + 2, 6), **attributes)

    def block_html(self, html: str) -> str:
        return _folds(super().block_html(html).replace("<p>", "").replace("</p>", ""))

    def inline_html(self, html: str) -> str:
        return _folds(super().inline_html(html))

    def image(self, text: str, url: str, title: str | None = None) -> str:
        return f"<em>{html.escape(text)}</em>"  # the page loads nothing


@functools.lru_cache(maxsize=1024)
def _prose(source: str) -> Markup:
    """Render the instructor's text."""
    render = mistune.create_markdown(renderer=_Prose(escape=True), plugins=["table", "strikethrough"])
    return Markup(render(safe_text(source)))  # noqa: S704  # mistune escapes


def _code(source: str) -> Markup:
    text = safe_text(source).strip("\n")
    return Markup("<pre><code>{}</code></pre>").format(_coloured(text) if len(text) <= COLOURED else shorten(text))


@functools.lru_cache(maxsize=1024)
def _coloured(text: str) -> Markup:
    return Markup(highlight(text, PythonLexer(stripnl=False), HtmlFormatter(nowrap=True)))  # noqa: S704  # it escapes


def _written(source: str) -> Markup:
    """Return a student's prose as it was typed, with the pictures whose data stand in it."""
    shown, left = list[Markup](), LONGEST
    for piece in pieces(safe_text(source)):
        if isinstance(piece, str):
            shown.append(escape(shorten(piece, left)) if left else Markup())
            left = max(0, left - len(piece))
        elif (data := decoded(piece)) is None:
            shown.append(Markup("(a picture that cannot be shown)"))
        else:
            shown.append(tag(piece.kind, data, piece.alt or "A picture of the answer"))
    return Markup('<div class="written">{}</div>').format(Markup().join(shown))


def hidden_lines(cell: Cell) -> frozenset[str]:
    """Return the lines of a test's hidden part that its visible part has not, without their indentation."""
    shown = {line.strip() for line in cell.visible.splitlines()}
    return frozenset(text for line in cell.source.splitlines() if (text := line.strip()) and text not in shown)


def _tells(line: str, hidden: frozenset[str]) -> bool:
    """Whether a line holds one of `hidden`, or what such a line asserts: its message alone is a hint, and may stand."""
    for told in hidden:
        part = re.split(r",\s*[rRbBfF]*[\"']", told, maxsplit=1)[0] if told.startswith("assert") else told
        if part in line if len(part) > SHORT else part == line.strip():
            return True
    return False


def _without(hidden: frozenset[str], text: str) -> str:
    """Return `text` without the lines that tell a line of `hidden`, as a traceback does."""
    lines = text.split("\n")
    kept = [line for line in lines if not _tells(line, hidden)]
    return text if len(kept) == len(lines) else "\n".join([*kept, NOT_SHOWN])


def _output(output: Output, hidden: frozenset[str]) -> tuple[str, Markup]:
    if output.kind in PICTURES:
        picture = safe_picture(output.kind, output.text)
        if picture is None:
            return "note", Markup("<p>(a picture that cannot be shown)</p>")
        return "picture", tag(output.kind, picture, "A picture that this cell drew")
    if output.kind == "html":
        return "table", Markup('<div class="wide">{}</div>').format(safe_table(output.text))
    text = _without(hidden, safe_text(output.text)) if hidden else safe_text(output.text)
    kind = output.kind if output.kind in ("stdout", "stderr", "result", "error") else "stdout"
    return kind, Markup("<pre>{}</pre>").format(shorten(text).rstrip("\n"))


def _state(marks: tuple[Mark, ...]) -> str:
    if any(mark.score is None for mark in marks):
        return OPEN
    lost = sum(mark.points - (mark.score or 0.0) for mark in marks)
    if lost <= 0:
        return FULL
    return PART if any(mark.score for mark in marks) else NONE


def _listed(names: tuple[str, ...]) -> str:
    titles = [exercise_title(name) for name in names]
    plain = [title.replace("Exercise", "exercise") for title in titles]
    return plain[0] if len(plain) == 1 else f"{', '.join(plain[:-1])} and {plain[-1]}"


def _said(mark: Mark, hidden: frozenset[str]) -> list[str]:
    """Return what to tell of a mark, a sentence each."""
    said = []
    if mark.score is None:
        said.append("Your instructor marks this by hand.")
    if mark.reason:
        said.append(_without(hidden, safe_text(mark.reason)))
    if mark.rescued:
        said.append(f"Passed with the reference answer of {_listed(mark.rescued)} put in: one mistake costs once.")
    return said


def _exercises(result: Result, key: Key, hidden: dict[str, frozenset[str]], hand: ByHand) -> list[_Exercise]:
    rows, headings = [], exercise_headings(key)
    for name in dict.fromkeys(mark.exercise for mark in result.marks):
        marks = tuple(mark for mark in result.marks if mark.exercise == name)
        said = [line for mark in marks for line in _said(mark, hidden.get(mark.test, frozenset()))]
        said += [f"Your instructor: {safe_text(hand.comments[name])}"] if name in hand.comments else []
        marked = [mark.score for mark in marks if mark.score is not None]
        score = points(sum(marked)) if marked else "-"
        worth = points(sum(mark.points for mark in marks))
        title = headings.get(name, safe_text(exercise_title(name)))
        rows.append(_Exercise(name, title, score, worth, _state(marks), marks, tuple(dict.fromkeys(said))))
    return rows


TITLES = {LOCKED: "Given code", ANSWER: "Your answer", MANUAL: "Your answer", EXTRA: "Your own cell"}


def _shown(run: CellRun, cell: Cell | None, marks: dict[str, Mark], hidden: frozenset[str], hand: ByHand) -> _Shown:
    kind, anchor, title = run.kind, run.grade_id, TITLES.get(run.kind, "")
    if cell is not None and cell.kind in (TEST, MANUAL) and cell.visible:
        body = _code(cell.visible) if cell.cell_type == "code" else _prose(cell.visible)
    elif kind == TEST:
        body = Markup("<p>This test was not handed out.</p>")
    elif kind in (TEXT, LOCKED) and run.cell_type != "code":
        body = _prose(run.source)
    elif run.cell_type == "code":
        body = _code(run.source)
    else:
        body = _written(run.source)
    if kind == TEST:
        title = f"Test {run.grade_id}"
    elif kind in (ANSWER, MANUAL) and run.grade_id:
        title = f"{title} · {exercise_title(run.grade_id)}"
    outputs = tuple(_output(output, hidden) for output in run.outputs)
    comment = safe_text(hand.comments.get(run.grade_id, ""))
    return _Shown(kind, safe_text(title), safe_text(anchor), body, outputs, marks.get(run.grade_id), comment)


def feedback_page(result: Result, key: Key, hand: ByHand = NOTHING) -> str:
    """Return the page for one student: total, exercises with reasons, notes, then their notebook.

    The same result, and the same that a person decided, give the same bytes.
    """
    result = result.marked(hand)
    score = max(0.0, result.score - hand.penalty)
    cells = {cell.grade_id: cell for cell in key.cells if cell.grade_id}
    hidden = {name: hidden_lines(cell) for name, cell in cells.items() if cell.kind == TEST}
    marks = {mark.test: mark for mark in result.marks}
    shown = [
        _shown(run, cells.get(run.grade_id), marks, hidden.get(run.grade_id, frozenset()), hand)
        for run in result.cells
        if run.source.strip() or run.outputs
    ]
    exercises = _exercises(result, key, hidden, hand)
    page: str = (
        templates()
        .get_template("feedback.html")
        .render(
            lab=safe_text(result.lab),
            student=safe_text(result.student),
            timestamp=safe_text(result.timestamp),
            version=safe_text(key.version),
            by_hand=hand.digest,
            score=points(score),
            worth=points(result.points),
            share=100 * min(1.0, score / result.points) if result.points else 0.0,
            penalty=points(hand.penalty),
            waiting=points(sum(mark.points for mark in result.marks if mark.score is None)),
            exercises=exercises,
            notes=[safe_text(note) for note in result.notes],
            fault=safe_text(result.fault),
            cells=shown,
            words={FULL: "full points", PART: "part of the points", NONE: "no points yet", OPEN: "waits for a human"},
            signs={FULL: "✓", PART: "◐", NONE: "✗", OPEN: "…"},
            answers={run.grade_id for run in result.cells if run.kind in (ANSWER, MANUAL)},
        )
    )
    return page
