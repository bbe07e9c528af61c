"""The pictures of the flight report, as SVG: the same flight gives the same bytes."""

import io
from collections.abc import Callable, Iterable
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator, PercentFormatter

from oakbank.deploy.monitor import PSI_MAJOR, PSI_MODERATE
from oakbank.scale.flight import FlightLog, MonthRecord
from oakbank.world import Event, Scenario

# Colours of Okabe and Ito, which the colour-blind can tell apart; the line styles tell them apart without colour.
CARE, NEGLECT, ORACLE = ("#0072B2", "-"), ("#C04A00", "--"), ("#444444", ":")
EVENT_COLOURS = {"data_drift": "#00734F", "concept_drift": "#7A4FA3"}
FEED_COLOUR = "#7A5F00"
EVENT_NAMES = {
    "data_drift": "applicants change",
    "concept_drift": "risk changes",
    "feed_unit": "wrong unit",
    "feed_missing": "missing column",
    "feed_stale": "stale column",
    "leak": "leak",
}
WIDTH, HEIGHT = 9.0, 3.2
"""Inches."""
STYLE: Any = {
    "svg.hashsalt": "oakbank",
    "font.family": "DejaVu Sans",
    "font.size": 10,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#E3E3E3",
    "axes.axisbelow": True,
    "legend.frameon": False,
    "lines.linewidth": 1.9,
}


def event_name(event: Event) -> str:
    """Return in a few words what an event is."""
    name = EVENT_NAMES[event.kind]
    return f"{name}: {event.column}" if event.column else name


def draw(scenario: Scenario, months: int, fill: Callable[[Axes], None]) -> str:
    """Return an SVG of one plot over months, with the true events of the scenario marked.

    Args:
        scenario: Whose events to mark.
        months: Months on the axis.
        fill: Draws the lines and sets the label of the vertical axis.
    """
    with mpl.rc_context(STYLE):
        figure = Figure(figsize=(WIDTH, HEIGHT))
        # The same place in every picture, so that the months of one stand below those of the other.
        axes = figure.add_axes((0.085, 0.155, 0.665, 0.71))
        _mark_events(axes, scenario, months)
        fill(axes)
        axes.set_xlim(-0.5, months - 0.5)
        axes.set_xlabel("month")
        axes.xaxis.set_major_locator(MaxNLocator(integer=True, nbins=13))
        axes.legend(loc="upper left", bbox_to_anchor=(1.0, 1.0), borderaxespad=0.4, handlelength=2.6)
        stream = io.StringIO()
        figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return stream.getvalue()


def _mark_events(axes: Axes, scenario: Scenario, months: int) -> None:
    """Shade where an event is in effect, from its onset on, and name it above the plot."""
    for row, event in enumerate(e for e in scenario.events if 0 <= e.onset < months):
        colour = EVENT_COLOURS.get(event.kind, FEED_COLOUR)
        end = months if event.until is None else min(event.until, months)
        axes.axvspan(event.onset - 0.5, end - 0.5, color=colour, alpha=0.07, linewidth=0)
        axes.axvline(event.onset - 0.5, color=colour, linewidth=1.2)
        axes.annotate(
            event_name(event),
            (event.onset - 0.5, 1.0),
            xycoords=("data", "axes fraction"),
            xytext=(3, 3 + 12 * (row % 2)),
            textcoords="offset points",
            color=colour,
            fontsize=9,
        )


def _line(axes: Axes, values: Iterable[float | None], style: tuple[str, str], label: str) -> None:
    numbers = [np.nan if value is None else value for value in values]
    axes.plot(range(len(numbers)), numbers, color=style[0], linestyle=style[1], label=label)


def profit(care: FlightLog, neglect: FlightLog, *, cumulative: bool = False) -> Callable[[Axes], None]:
    """Draw profit by month, with what the caring bank did; or the profit so far."""

    def money(values: Iterable[float]) -> list[float]:
        numbers = np.fromiter(values, dtype=np.float64) / 1e6
        return [float(value) for value in (np.cumsum(numbers) if cumulative else numbers)]

    def fill(axes: Axes) -> None:
        cared = money(r.profit for r in care.months)
        _line(axes, money(r.oracle for r in care.months), ORACLE, "best possible")
        _line(axes, cared, CARE, "cared for")
        _line(axes, money(r.profit for r in neglect.months), NEGLECT, "neglected")
        axes.axhline(0, color="#000000", linewidth=0.8)
        axes.set_ylabel("profit so far, million EUR" if cumulative else "profit, million EUR")
        if not cumulative:
            _actions(axes, care.months, cared)

    return fill


def _actions(axes: Axes, records: list[MonthRecord], heights: list[float]) -> None:
    kinds: list[tuple[str, str, str, Callable[[MonthRecord], bool]]] = [
        ("new champion", "^", CARE[0], lambda r: r.promoted is not None),
        ("refused at the gates", "X", "#B00020", lambda r: bool(r.refused)),
        ("rolled back", "v", "#000000", lambda r: r.rolled_back is not None),
    ]
    for label, marker, colour, chosen in kinds:
        at = [record.month for record in records if chosen(record)]
        if at:
            height = [heights[month] for month in at]
            axes.plot(at, height, marker, color=colour, markersize=8, markeredgecolor="white", label=label)


def default_rate(care: FlightLog, neglect: FlightLog) -> Callable[[Axes], None]:
    """Draw the share of each month's loans that will default."""

    def fill(axes: Axes) -> None:
        _line(axes, (r.default_rate for r in care.months), CARE, "cared for")
        _line(axes, (r.default_rate for r in neglect.months), NEGLECT, "neglected")
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axes.set_ylabel("loans that default")

    return fill


def drift(care: FlightLog) -> Callable[[Axes], None]:
    """Draw the drift monitor's signal and its thresholds."""

    def fill(axes: Axes) -> None:
        _line(axes, (r.drift for r in care.months), CARE, "largest PSI of a column")
        axes.axhline(PSI_MAJOR, color="#B00020", linewidth=1.2, linestyle="--", label=f"trigger, {PSI_MAJOR:g}")
        axes.axhline(PSI_MODERATE, color="#777777", linewidth=1.2, linestyle=":", label=f"look, {PSI_MODERATE:g}")
        axes.set_ylim(bottom=0)
        axes.set_ylabel("population stability index")

    return fill


def performance(care: FlightLog) -> Callable[[Axes], None]:
    """Draw what the model says of the loans whose outcome has just become known, and what became of them."""

    def fill(axes: Axes) -> None:
        _line(axes, (r.realised for r in care.months), ("#000000", "-"), "happened")
        _line(axes, (r.predicted for r in care.months), CARE, "predicted")
        axes.set_ylim(bottom=0)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axes.set_ylabel("default rate")

    return fill


def approvals(care: FlightLog, neglect: FlightLog) -> Callable[[Axes], None]:
    """Draw the share of each group's applications that is granted."""

    def fill(axes: Axes) -> None:
        for log, (colour, _), name in ((care, CARE, "cared for"), (neglect, NEGLECT, "neglected")):
            for group, line in zip(sorted(log.months[0].approval_by_group), ("-", ":"), strict=False):
                _line(axes, (r.approval_by_group.get(group) for r in log.months), (colour, line), f"{name}, {group}")
        axes.set_ylim(0, 1)
        axes.yaxis.set_major_formatter(PercentFormatter(1.0, decimals=0))
        axes.set_ylabel("applications granted")

    return fill
