"""The class report: one page for the instructor, from results that are read one at a time.

Near-identical answers are found by winnowing (Schleimer, Wilkerson, Aiken: Winnowing: Local Algorithms for Document
Fingerprinting, SIGMOD 2003) over the syntax tree, in which the names that a student chose are one and the same.
What was handed out, and what a good part of the class wrote too, is left out first.
"""

import ast
import contextlib
import hashlib
import io
import math
import re
import warnings
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import combinations
from typing import Any

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from autograder.lab.misconceptions import Misconception
from autograder.model import ANSWER, MANUAL, Key, Mark, Result
from autograder.outputs.feedback import exercise_title, points, templates
from base.text import safe_text, shorten

GRAM, WINDOW = 12, 4
"""Length of a gram in nodes of the syntax tree, and of a window in grams: an equal run of 15 nodes is always seen."""

EVIDENCE = 20
"""Shared fingerprints that a pair is shown from: about eight lines alike that few others have."""

ALIKE = 0.6
"""Share of an exercise's fingerprints that both have, from which the exercise counts as alike."""

COMMON, MANY = 0.1, 10
"""A gram that a larger part of the class has, or more students than that, is common knowledge, not evidence."""

LONGEST = 20_000
"""Characters of an answer that are compared."""

REASON = 200
"""Characters of a reason that are kept."""


@dataclass(frozen=True)
class Pair:
    """Two submissions to look at side by side: how alike, in how many fingerprints, in which exercises."""

    first: str
    second: str
    similarity: float
    shared: int
    exercises: tuple[str, ...]


# Similarity


def _parsed(source: str) -> ast.AST | None:
    """Return the tree of a cell without its magics; None where it is no Python."""
    text = re.sub(r"(?m)^[ \t]*[%!?].*$", "", source)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the student's odd escapes
        try:
            return ast.parse(text)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def _in_order(tree: ast.AST) -> list[ast.AST]:
    """Return the nodes of a tree from left to right, parents first, without docstrings."""
    found, stack = [], [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            continue
        found.append(node)
        stack.extend(reversed(list(ast.iter_child_nodes(node))))
    return found


def _chosen(tree: list[ast.AST]) -> frozenset[str]:
    """Return the names that a cell gives to things itself."""
    names: set[str] = set()
    for node in tree:
        if isinstance(node, ast.Name):
            if isinstance(node.ctx, ast.Store):
                names.add(node.id)
        elif isinstance(node, ast.arg):
            names.add(node.arg)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            names.add(node.name)
        elif isinstance(node, ast.alias) and node.asname:
            names.add(node.asname)
        elif isinstance(node, ast.ExceptHandler) and node.name:
            names.add(node.name)
    return frozenset(names)


def _constant(value: object) -> str:
    if isinstance(value, (str, bytes)):
        return "text"
    return hex(value) if isinstance(value, int) else repr(value)  # a very long number has no decimal form


_DULL = (ast.expr_context, ast.Expr, ast.arguments, ast.Module)


def nodes(source: str) -> list[str]:
    """Return the nodes of a cell's syntax tree in order: chosen names, texts and comments do not tell them apart."""
    parsed = _parsed(source)
    if parsed is None:
        return re.findall(r"[^\W\d]\w*|\d+|[^\w\s]", re.sub(r"#.*", "", source))
    tree = _in_order(parsed)
    chosen, found = _chosen(tree), []
    for node in tree:
        if isinstance(node, ast.Constant):
            found.append(_constant(node.value))
        elif isinstance(node, ast.Name):
            found.append("name" if node.id in chosen else node.id)
        elif isinstance(node, ast.Attribute):
            found.append(f".{node.attr}")
        elif isinstance(node, ast.keyword):
            found.append(f"{node.arg}=")
        elif not isinstance(node, _DULL):
            found.append(type(node).__name__)
    return found


def _grams(tokens: Sequence[str]) -> list[int]:
    """Return the hash of each run of `GRAM` tokens."""
    texts = ("\x1f".join(tokens[at : at + GRAM]) for at in range(len(tokens) - GRAM + 1))
    return [int.from_bytes(hashlib.blake2b(text.encode("utf-8", "replace"), digest_size=8).digest()) for text in texts]


@lru_cache(maxsize=512)
def _all_grams(source: str) -> frozenset[int]:
    return frozenset(_grams(nodes(source)))


def fingerprints(source: str) -> frozenset[int]:
    """Return the fingerprints of a cell's first `LONGEST` characters: of each window of grams the smallest hash."""
    return _fingerprints(source[:LONGEST])


@lru_cache(maxsize=512)
def _fingerprints(source: str) -> frozenset[int]:
    hashes = _grams(nodes(source))
    if len(hashes) <= WINDOW:
        return frozenset(hashes[:1] and [min(hashes)])
    return frozenset(min(hashes[at : at + WINDOW]) for at in range(len(hashes) - WINDOW + 1))


def similar(students: Sequence[tuple[str, dict[str, frozenset[int]]]], evidence: int = EVIDENCE) -> list[Pair]:
    """Return the pairs of submissions that are alike beyond what the class has in common, most evidence first.

    Args:
        students: Name, and fingerprints by exercise.
        evidence: Shared fingerprints that a pair is shown from.
    """
    count = len(students)
    limit = max(2, min(count // 2, MANY, max(3, int(count * COMMON))))
    index: dict[tuple[str, int], list[int]] = defaultdict(list)
    for number, (_, prints) in enumerate(students):
        for exercise, hashes in prints.items():
            for one in hashes:
                index[exercise, one].append(number)
    own: Counter[tuple[int, str]] = Counter()
    both: Counter[tuple[int, int, str]] = Counter()
    for (exercise, _), numbers in index.items():
        if len(numbers) > limit:
            continue
        own.update((number, exercise) for number in numbers)
        both.update((a, b, exercise) for a, b in combinations(numbers, 2))

    alike: dict[tuple[int, int], list[tuple[str, int, int]]] = defaultdict(list)
    for (a, b, exercise), shared in both.items():
        union = own[a, exercise] + own[b, exercise] - shared
        if shared >= ALIKE * union:
            alike[a, b].append((exercise, shared, union))
    pairs = []
    for (a, b), found in alike.items():
        shared = sum(one for _, one, _ in found)
        if shared >= evidence:
            exercises = tuple(sorted(exercise for exercise, _, _ in found))
            first, second = sorted((students[a][0], students[b][0]))
            pairs.append(Pair(first, second, shared / sum(union for _, _, union in found), shared, exercises))
    return sorted(pairs, key=lambda pair: (-pair.shared, -pair.similarity, pair.first, pair.second))


# What is kept of a result


@dataclass(frozen=True)
class _Student:
    name: str
    score: float
    waiting: bool
    marks: tuple[Mark, ...]
    prints: dict[str, frozenset[int]]
    blank: frozenset[str]
    fault: str
    notes: int


def _reason(text: str) -> str:
    return shorten(" ".join(safe_text(text).split()), REASON)


def _small(result: Result, key: Key) -> _Student:
    answers = {cell.grade_id: cell for cell in result.cells if cell.kind in (ANSWER, MANUAL)}
    prints = {
        name: found
        for name, cell in answers.items()
        if cell.cell_type == "code" and (found := fingerprints(cell.source) - _all_grams(key.stubs.get(name, "")))
    }
    blank = frozenset(name for name, stub in key.stubs.items() if name not in answers or answers[name].source == stub)
    marks = tuple(
        Mark(mark.test, mark.exercise, mark.points, mark.score, _reason(mark.reason), mark.rescued)
        for mark in result.marks
    )
    waiting = any(mark.score is None for mark in marks)
    return _Student(
        safe_text(result.student),
        result.score,
        waiting,
        marks,
        prints,
        blank,
        _reason(result.fault),
        len(result.notes),
    )


# Tables


@dataclass
class _Exercise:
    name: str
    title: str
    points: float
    scores: list[float] = field(default_factory=list)
    full: int = 0
    nothing: int = 0
    blank: int = 0
    rescued: int = 0

    @property
    def mean(self) -> float:
        """Mean share of the points, 0 to 1."""
        return sum(self.scores) / len(self.scores) / self.points if self.scores and self.points else 0.0


def _exercises(students: list[_Student], key: Key) -> list[_Exercise]:
    """Return the exercises, hardest first; one that only a human marks has no scores."""
    table: dict[str, _Exercise] = {}
    for cell in key.tests:
        name = key.exercise(cell.grade_id)
        table.setdefault(name, _Exercise(name, safe_text(exercise_title(name)), 0.0)).points += cell.points
    for student in students:
        by_exercise: dict[str, list[Mark]] = defaultdict(list)
        for mark in student.marks:
            by_exercise[mark.exercise].append(mark)
        for name, marks in by_exercise.items():
            one = table.get(name)
            if one is None or any(mark.score is None for mark in marks):
                continue
            score = sum(mark.score or 0.0 for mark in marks)
            one.scores.append(score)
            one.full += score >= one.points
            one.nothing += score == 0
            one.blank += name in student.blank
            one.rescued += any(mark.rescued for mark in marks)
    order = {name: number for number, name in enumerate(table)}
    return sorted(table.values(), key=lambda one: (not one.scores, one.mean, order[one.name]))


@dataclass(frozen=True)
class _Failing:
    test: str
    exercise: str
    count: int
    share: float
    reason: str
    same: int


def _failing(students: list[_Student], most: int) -> list[_Failing]:
    """Return the tests that most students lost points at, each with the commonest reason."""
    lost: Counter[tuple[str, str]] = Counter()
    reasons: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for student in students:
        for mark in student.marks:
            if mark.score is not None and mark.score < mark.points:
                lost[mark.test, mark.exercise] += 1
                if mark.reason:
                    reasons[mark.test, mark.exercise][mark.reason] += 1
    rows = []
    for (test, exercise), count in sorted(lost.items(), key=lambda item: (-item[1], item[0]))[:most]:
        told = sorted(reasons[test, exercise].items(), key=lambda item: (-item[1], item[0]))
        reason, same = told[0] if told else ("", 0)
        title = exercise_title(exercise)
        rows.append(_Failing(safe_text(test), safe_text(title), count, count / len(students), reason, same))
    return rows


@dataclass(frozen=True)
class _Fit:
    exercise: str
    tests: tuple[str, ...]
    students: tuple[str, ...]
    fits: tuple[str, ...]


def _pattern(losses: dict[str, float]) -> tuple[tuple[str, float], ...]:
    return tuple(sorted((test, round(loss, 6)) for test, loss in losses.items() if loss > 0))


def _misconceptions(students: list[_Student], key: Key, known: Sequence[Misconception]) -> list[_Fit]:
    """Return which students' losses within an exercise fit which known wrong answers, commonest first.

    Who handed an exercise in as it was, or not at all, has no misconception but no answer, and is left out.
    """
    of = {cell.grade_id: key.exercise(cell.grade_id) for cell in key.tests}
    fits: dict[tuple[str, Any], list[str]] = defaultdict(list)
    for one in known:
        losses = {test: loss for test, loss in one.loses.items() if of.get(test) == one.answers}
        if pattern := _pattern(losses):
            fits[one.answers, pattern].append(safe_text(one.why))
    found: dict[tuple[str, Any], list[str]] = defaultdict(list)
    for student in students:
        lost_of: dict[str, dict[str, float]] = defaultdict(dict)
        for mark in student.marks:
            if mark.score is not None:
                lost_of[mark.exercise][mark.test] = mark.points - mark.score
        for exercise, lost in lost_of.items():
            if (pattern := _pattern(lost)) and exercise not in student.blank and not student.fault:
                found[exercise, pattern].append(student.name)
    rows = [
        _Fit(
            safe_text(exercise_title(exercise)),
            tuple(safe_text(test) for test, _ in pattern),
            tuple(sorted(names)),
            tuple(sorted(fits.get((exercise, pattern), ()))),
        )
        for (exercise, pattern), names in found.items()
    ]
    return sorted(rows, key=lambda row: (-len(row.students), row.exercise, row.tests))


# Plots

_INK, _SOFT, _ACCENT, _LINE = "#010101", "#020202", "#030303", "#040404"
"""Stand for the page's own colours, which follow the reader's light or dark."""
_COLOURS = {_INK: "var(--ink)", _SOFT: "var(--soft)", _ACCENT: "var(--accent)", _LINE: "var(--line)"}
_STYLE: Any = {
    "svg.fonttype": "none",
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same layout everywhere
    "font.size": 10,
    "text.color": _INK,
    "axes.edgecolor": _LINE,
    "axes.labelcolor": _SOFT,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": _SOFT,
    "ytick.color": _SOFT,
    "grid.color": _LINE,
    "text.parse_math": False,
}


@contextlib.contextmanager
def _style(salt: str) -> Iterator[None]:
    """Draw in the page's own style, whatever the user's settings of matplotlib."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams.update({**_STYLE, "svg.hashsalt": salt})
        yield


def _svg(figure: Figure, label: str) -> Markup:
    """Return a figure as SVG for the page, the same bytes for the same figure."""
    stream = io.StringIO()
    figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None}, transparent=True)
    text = stream.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r'<g id="[^"]*">', "<g>", text)  # every figure of a page has the same ones
    text = text.replace("font-family: 'DejaVu Sans'", "font-family: inherit")
    for colour, name in _COLOURS.items():
        text = text.replace(colour, name)
    head = Markup('<svg role="img" aria-label="{}"').format(label)
    return Markup(text.replace("<svg", head, 1))  # noqa: S704  # made here, from numbers and escaped names


def _plot_scores(students: list[_Student], most: float) -> Markup:
    """Draw how many students have how many points."""
    scores = [student.score for student in students]
    bars = math.ceil(most) + 1  # one for each whole number of points
    low, high, bars = (-0.5, bars - 0.5, bars) if bars <= 30 else (0.0, most, 20)
    with _style("scores"):
        figure = Figure(figsize=(7.2, 2.7), layout="constrained")
        axes = figure.subplots()
        axes.hist(scores, bins=bars, range=(low, high), color=_ACCENT, rwidth=0.9)
        axes.set(xlabel="points", ylabel="students", xlim=(low, high))
        for axis, ticks in ((axes.xaxis, 10), (axes.yaxis, 5)):
            axis.set_major_locator(MaxNLocator(integer=True, nbins=ticks))
        axes.grid(axis="y", linewidth=0.6)
        axes.spines["left"].set_visible(False)
        axes.tick_params(axis="y", length=0)
        middle = _median(scores)
        axes.axvline(middle, color=_INK, linewidth=1.2, linestyle=(0, (4, 3)))
        side: Any = "left" if middle < 0.8 * most else "right"
        axes.annotate(
            f"median {points(middle)}",
            (middle, 1),
            (5 if side == "left" else -5, -2),
            xycoords=("data", "axes fraction"),
            textcoords="offset points",
            ha=side,
            va="top",
        )
        return _svg(figure, f"Histogram of the scores of {len(scores)} students, median {points(middle)}")


def _plot_exercises(exercises: list[_Exercise]) -> Markup:
    """Draw the mean share of the points of each exercise, hardest on top."""
    titles = [shorten(one.title, 40).partition("\n")[0] for one in exercises]
    with _style("exercises"):
        figure = Figure(figsize=(7.2, 0.7 + 0.36 * len(exercises)), layout="constrained")
        axes = figure.subplots()
        places = range(len(exercises))
        axes.barh(places, [100] * len(exercises), color=_LINE, height=0.6)
        bars = axes.barh(places, [100 * one.mean for one in exercises], color=_ACCENT, height=0.6)
        axes.bar_label(bars, [f"{100 * one.mean:.0f} %" for one in exercises], label_type="edge", padding=4)
        axes.set(yticks=places, yticklabels=titles, xlim=(0, 100), xlabel="mean share of the points, %")
        axes.invert_yaxis()
        for spine in axes.spines.values():
            spine.set_visible(False)
        axes.tick_params(length=0)
        return _svg(figure, "Mean share of the points by exercise, hardest first")


def _median(values: list[float]) -> float:
    ordered = sorted(values)
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def class_report(
    results: Iterable[Result],
    key: Key,
    misconceptions: Sequence[Misconception] = (),
    *,
    evidence: int = EVIDENCE,
    most_tests: int = 12,
    most_pairs: int = 50,
) -> str:
    """Return the page for the instructor: it stands alone, and is the same for the same results in any order.

    Args:
        results: One of each student; read one at a time, little is kept of each.
        key: Of the lab.
        misconceptions: Known wrong answers, see `autograder.lab.misconceptions.read_misconceptions`.
        evidence: Shared fingerprints that a pair of submissions is shown from.
        most_tests: Failing tests in the table.
        most_pairs: Pairs in the table.
    """
    students = sorted((_small(result, key) for result in results), key=lambda student: student.name)
    exercises = _exercises(students, key)
    marked = [one for one in exercises if one.scores]
    pairs = similar([(student.name, student.prints) for student in students], evidence)
    fits = _misconceptions(students, key, misconceptions)
    scores = [student.score for student in students]
    page: str = (
        templates()
        .get_template("report.html")
        .render(
            lab=safe_text(key.lab),
            students=students,
            worth=points(key.points),
            mean=points(sum(scores) / len(scores)) if scores else "",
            median=points(_median(scores)) if scores else "",
            full=sum(not student.waiting and student.score >= key.points for student in students),
            rescued=sum(any(mark.rescued for mark in student.marks) for student in students),
            waiting=sum(student.waiting for student in students),
            repaired=sum(student.notes > 0 for student in students),
            broken=[student for student in students if student.fault],
            score_plot=_plot_scores(students, key.points) if students else "",
            exercise_plot=_plot_exercises(marked) if marked else "",
            exercises=exercises,
            failing=_failing(students, most_tests),
            fits=[row for row in fits if row.fits],
            unexplained=[row for row in fits if not row.fits],
            known=bool(misconceptions),
            pairs=pairs[:most_pairs],
            more_pairs=max(0, len(pairs) - most_pairs),
        )
    )
    return page
