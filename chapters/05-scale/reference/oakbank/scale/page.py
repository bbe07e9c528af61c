"""The flight report: one page of HTML that holds everything it shows."""

import base64
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from oakbank.scale import plots
from oakbank.scale.flight import FlightLog, MonthRecord
from oakbank.world import Scenario
from oakbank.world.files import write_text

TEMPLATE = Path(__file__).parent / "templates" / "flight.html.jinja"


@dataclass(frozen=True)
class Figure:
    """A picture, and the same in words for who does not see it."""

    title: str
    picture: str
    """SVG, as base64."""
    alt: str
    caption: str


@dataclass(frozen=True)
class Table:
    """A table; a cell is a list of lines."""

    title: str
    caption: str
    head: Sequence[str]
    rows: Sequence[Sequence[Sequence[str]]]
    numbers: frozenset[int]
    """Columns that hold numbers."""


@cache
def _template() -> Template:
    layout: dict[str, Any] = {"trim_blocks": True, "lstrip_blocks": True, "keep_trailing_newline": True}
    loader = FileSystemLoader(TEMPLATE.parent)
    return Environment(loader=loader, autoescape=True, undefined=StrictUndefined, **layout).get_template(TEMPLATE.name)


def write_report(
    care: FlightLog, neglect: FlightLog, scenario: Scenario, path: str | Path, seeds: pd.DataFrame | None = None
) -> Path:
    """Write the report of two flights through the same world.

    Args:
        care: The flight under the caring policy.
        neglect: The flight under the other one.
        scenario: The scenario that both flew, for its true events.
        path: Where to write the page.
        seeds: From `oakbank.scale.report.fly_seeds`, if it was made.

    Returns:
        The path. The same flights give the same bytes.

    Raises:
        ValueError: The flights are of different worlds or lengths, or empty.
    """
    if not care.months or (care.seed, care.scenario, len(care.months)) != (
        neglect.seed,
        neglect.scenario,
        len(neglect.months),
    ):
        raise ValueError("a report compares two flights of one seed, scenario and length")
    tables = [_events(care, scenario), _totals(care, neglect), *([] if seeds is None else [_seeds(seeds)])]
    html = _template().render(
        scenario=scenario,
        seed=care.seed,
        months=len(care.months),
        headline=headline(care, neglect),
        figures=list(_figures(care, neglect, scenario)),
        events="; ".join(f"{plots.event_name(e)} from month {e.onset}" for e in scenario.events) or "no events",
        tables=tables,
    )
    write_text(Path(path), html)
    return Path(path)


def headline(care: FlightLog, neglect: FlightLog) -> str:
    """Return the result in a sentence."""
    return (
        f"The bank that cared for its model {_earned(care.profit)}, the one that trained it once and looked away "
        f"{_earned(neglect.profit)}; a bank that knew every applicant's true risk would have {_earned(care.oracle)}."
    )


def _earned(profit: float) -> str:
    return f"{'earned' if profit >= 0 else 'lost'} {abs(profit) / 1e6:.1f} million EUR"


def _figures(care: FlightLog, neglect: FlightLog, scenario: Scenario) -> Iterable[Figure]:
    months = len(care.months)
    worst = max((r for r in care.months if r.drift is not None), key=lambda r: r.drift or 0.0, default=None)
    for title, fill, alt, caption in (
        (
            "Profit by month",
            plots.profit(care, neglect),
            f"Profit of three banks by month: best possible {_million(care.oracle)} in all, cared for "
            f"{_million(care.profit)}, neglected {_million(neglect.profit)}.",
            "What the loans granted in each month will earn. “Best possible” grants exactly those worth it at their "
            "true risk. Shaded: what happens to the world, which neither bank is told.",
        ),
        (
            "Profit so far",
            plots.profit(care, neglect, cumulative=True),
            f"The same, added up: the gap between cared for and neglected ends at "
            f"{_million(care.profit - neglect.profit)}.",
            "The distance between the lines is what the care was worth, and what was still lost.",
        ),
        (
            "Loans that default",
            plots.default_rate(care, neglect),
            f"Share of loans that default: cared for {_mean(care)}, neglected {_mean(neglect)} in the mean of months.",
            "Known to the bank only after the label delay.",
        ),
        (
            "The alarm that needs no outcomes",
            plots.drift(care),
            "The drift monitor's signal by month"
            + (f", highest in month {worst.month} at {worst.drift:.2f}." if worst else ": not measured."),
            "How far the applications have moved from those that the champion learned from. A fall means that the "
            "champion has learned from the new ones. It cannot see a recession: the same people apply.",
        ),
        (
            "The alarm that waits for outcomes",
            plots.performance(care),
            "Default rate by month in which the outcomes became known, predicted by the champion and as it happened.",
            "Of the loans whose outcome became known in the month. A gap means that the champion is wrong about risk. "
            "Breaks in the line: the feed was broken when these loans were granted, so nothing is concluded.",
        ),
        (
            "Who is granted a loan",
            plots.approvals(care, neglect),
            f"Share of applications granted by group: cared for {_groups(care)}, neglected {_groups(neglect)}.",
            "By protected group, which no model sees. The fairness gate blocks a challenger that approves one group "
            "at less than four fifths of the other's rate.",
        ),
    ):
        picture = base64.b64encode(plots.draw(scenario, months, fill).encode()).decode()
        yield Figure(title, picture, alt, caption)


def _million(value: float) -> str:
    return f"{value / 1e6:.1f} million EUR"


def _mean(log: FlightLog) -> str:
    return f"{sum(r.default_rate for r in log.months) / len(log.months):.0%}"


def _groups(log: FlightLog) -> str:
    rates = pd.DataFrame([record.approval_by_group for record in log.months]).mean()
    return ", ".join(f"{group} {rate:.0%}" for group, rate in sorted(rates.items()))


def _events(care: FlightLog, scenario: Scenario) -> Table:
    rows = []
    for record in care.months:
        happened = [f"{plots.event_name(e)}: onset" for e in scenario.events if e.onset == record.month]
        happened += [f"{plots.event_name(e)}: end" for e in scenario.events if e.until == record.month]
        saw, did = _saw(record), _did(record)
        if happened or saw or did:
            rows.append([[str(record.month)], happened, saw, did])
    return Table(
        "What happened, what the bank saw, what it did",
        "The caring bank, months with something to tell",
        ["month", "in the world", "seen", "done"],
        rows,
        numbers=frozenset({0}),
    )


def _saw(record: MonthRecord) -> list[str]:
    told = [f"feed: {problem}" for problem in record.feed_problems] + record.alarms
    return told + [f"trigger: {reason}" for reason in record.reasons]


def _did(record: MonthRecord) -> list[str]:
    done = [f"held: {record.held}"] if record.held else []
    if any(record.feed_problems):
        done.append("repaired the column, keeps the month out of training")
    if record.promoted:
        done.append(f"trained version {record.trained}, promoted")
    elif record.trained:
        done.append(f"trained version {record.trained}, refused: {'; '.join(record.refused)}")
    if record.rolled_back:
        done.append(f"took version {record.rolled_back} back, version {record.state.champion} decides again")
    return done


def _totals(care: FlightLog, neglect: FlightLog) -> Table:
    rows = [["best possible", _k(care.oracle), "100%", "", "", "", ""]]
    for name, log in (("cared for", care), ("neglected", neglect)):
        rows.append(
            [
                name,
                _k(log.profit),
                f"{log.profit / log.oracle:.0%}" if log.oracle > 0 else "",
                f"{sum(r.approval_rate for r in log.months) / len(log.months):.1%}",
                f"{sum(r.default_rate for r in log.months) / len(log.months):.1%}",
                str(sum(r.promoted is not None for r in log.months)),
                str(sum(r.rolled_back is not None for r in log.months)),
            ]
        )
    head = ["bank", "profit, k EUR", "of the best", "granted", "default", "promotions", "rollbacks"]
    return Table("In total", "Rates are means over the months", head, _in_lines(rows), numbers=frozenset(range(1, 7)))


def _seeds(seeds: pd.DataFrame) -> Table:
    rows = []
    for scenario, part in seeds.groupby("scenario", sort=False):
        care, neglect, oracle = (part[name] / 1e3 for name in ("care", "neglect", "oracle"))
        gain = care - neglect
        rows.append(
            [
                str(scenario),
                *(f"{values.mean():,.0f}" for values in (neglect, care, oracle, gain)),
                f"{gain.min():,.0f} to {gain.max():,.0f}",
                f"{(gain > 0).sum()} of {len(gain)}",
            ]
        )
    count = seeds["seed"].nunique()
    size = ", ".join(f"{n:,}" for n in sorted(seeds["applications_per_month"].unique()))
    return Table(
        "Was it luck?",
        f"Profit over the whole flight, k EUR, mean of {count} seeds, {size} applications a month",
        ["scenario", "neglected", "cared for", "best possible", "gain", "gain, least to most", "seeds with a gain"],
        _in_lines(rows),
        numbers=frozenset(range(1, 7)),
    )


def _k(value: float) -> str:
    return f"{value / 1e3:,.0f}"


def _in_lines(rows: Sequence[Sequence[str]]) -> list[list[list[str]]]:
    """Return cells as lists of one line."""
    return [[[cell] for cell in row] for row in rows]
