"""The report's plots, as SVG in the colours of its page."""

import contextlib
import io
import math
import re
import statistics
from collections.abc import Iterator
from typing import Any

import matplotlib as mpl
from markupsafe import Markup
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from autograder.outputs.feedback import points
from autograder.outputs.tables import Exercise, Student
from base.text import shorten

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


def plot_scores(students: list[Student], most: float) -> Markup:
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
        middle = statistics.median(scores)
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


def plot_exercises(exercises: list[Exercise]) -> Markup:
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
