"""What an application must be (a contract for rows) and what a feed must be (a contract for columns)."""

from collections.abc import Iterable
from dataclasses import dataclass
from statistics import median_low
from typing import Any, Literal

import numpy as np
import pandas as pd

from oakbank.world import CATEGORIES, COLUMNS, Lake, LakeError
from oakbank.world.simulator import FIRST_MONTH

ProblemKind = Literal["missing_column", "unknown_column", "unit", "stale", "missing_values", "volume", "bad_rows"]
UNIT_RATIO = 3.0
"""A median that moves by this factor from one month to the next is a change of unit, not of customers."""
STALE_SHARE = 0.5
MISSING_SHARE = 0.2
NUMERIC = tuple(c.name for c in COLUMNS if c.dtype in ("float64", "int16") and c.name != "month")
"""Columns that are watched, and can be repaired by a median."""
_COUNTS = tuple(c.name for c in COLUMNS if c.unit == "count")  # a median of 0 or 1 says nothing about a unit


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a feed."""

    column: str
    """The column concerned; "" where it is the delivery as a whole (see `oakbank.pipelines.expectations`)."""
    kind: ProblemKind
    detail: str


@dataclass(frozen=True)
class FeedReference:
    """What the feed looked like when it was good."""

    medians: dict[str, float]
    """The median of each numeric column, in the column's unit."""
    rows: int | None = None
    """Applications a month; None: not known, so the volume is not judged."""

    @classmethod
    def of(cls, applications: pd.DataFrame) -> "FeedReference":
        """Take the reference from applications that are known to be good; a column that is not there gets none."""
        there = {column: numbers(applications[column]).median() for column in NUMERIC if column in applications}
        medians = {column: float(median) for column, median in there.items() if pd.notna(median)}
        return cls(medians, len(applications))

    @classmethod
    def typical(cls, months: Iterable["FeedReference"]) -> "FeedReference":
        """Return the middle one, column by column, of many months: broken months are outvoted by the good ones."""
        seen: dict[str, list[float]] = {}
        rows = []
        for month in months:
            for column, median in month.medians.items():
                seen.setdefault(column, []).append(median)
            if month.rows is not None:
                rows.append(month.rows)
        medians = {column: median_low(medians) for column, medians in seen.items()}
        return cls(medians, median_low(rows) if rows else None)

    @classmethod
    def from_lake(cls, lake: Lake) -> "FeedReference":
        """Take it from the months before the first model, month 0; a few broken months do no harm.

        Raises:
            LakeError: There are none in the lake.
        """
        months = [month for month in lake.months("applications") if month < 0]
        if not months:
            raise LakeError(f"no months before month 0 in {lake.folder}: publish history first")
        return cls.typical(cls.of(lake.read("applications", [month])) for month in months)


def numbers(values: pd.Series) -> pd.Series:
    """Return a column as numbers; what is not a number becomes NaN."""
    if pd.api.types.is_numeric_dtype(values):
        return values
    converted: pd.Series = pd.to_numeric(values, errors="coerce")
    return converted


def bad_rows(applications: pd.DataFrame) -> pd.Series:
    """Return why each row breaks the contract: "" if it does not, else the first reason. Index as given.

    A column that is absent is a matter of the feed, not of a row.
    """
    reason = np.full(len(applications), "", dtype=object)

    def mark(rows: Any, text: str) -> None:
        reason[np.asarray(rows, dtype=bool) & (reason == "")] = text

    for column in COLUMNS:
        if column.name not in applications:
            continue
        values = applications[column.name]
        mark(values.isna(), f"{column.name} is missing")
        if column.name in CATEGORIES:
            mark(~values.isin(CATEGORIES[column.name]), f"{column.name} is not one of its categories")
        elif column.name == "applied_on":
            mark(_months(values).isna(), "applied_on is not a date")
        else:
            values = numbers(values).astype(np.float64)
            mark(values.isna(), f"{column.name} is not a number")
            if column.low is not None:
                mark(values < column.low, f"{column.name} is below {column.low:g} {column.unit}")
            if column.high is not None:
                mark(values > column.high, f"{column.name} is above {column.high:g} {column.unit}")
            if column.dtype != "float64":
                mark(values % 1 != 0, f"{column.name} is not a whole number")
    if "application_id" in applications:
        mark(applications["application_id"].duplicated(), "duplicated application_id")
    if {"month", "applied_on"} <= set(applications):
        mark(_months(applications["applied_on"]) != numbers(applications["month"]), "month is not that of applied_on")
    return pd.Series(reason, index=applications.index, dtype=object)


def _months(dates: pd.Series) -> pd.Series:
    """Return the month number of each date; NaN where there is no date."""
    dates = pd.to_datetime(dates, errors="coerce", format="ISO8601")
    start = pd.Timestamp(FIRST_MONTH)
    months: pd.Series = (dates.dt.year - start.year) * 12 + (dates.dt.month - start.month)
    return months


def check_feed(
    applications: pd.DataFrame, reference: FeedReference, previous: pd.DataFrame | None = None
) -> list[Problem]:
    """Return what is wrong with one month of the feed.

    Args:
        applications: The month as delivered.
        reference: From good months.
        previous: The month before, as delivered: values that stand still are seen only against it.
    """
    problems = []
    known = {column.name for column in COLUMNS}
    for name in known - set(applications):
        problems.append(Problem(name, "missing_column", "the column was not delivered"))
    for extra in set(applications) - known:
        problems.append(Problem(str(extra), "unknown_column", "not in the schema; it is ignored"))
    for name in NUMERIC:
        if name not in applications:
            continue
        values = numbers(applications[name])
        missing = float(values.isna().mean())
        if missing > MISSING_SHARE:
            problems.append(Problem(name, "missing_values", f"{missing:.0%} of the values are missing"))
        usual = reference.medians.get(name, 0.0) if name not in _COUNTS else 0.0
        ratio = float(values.median()) / usual if usual > 0 and missing < 1 else 1.0
        if ratio > UNIT_RATIO or ratio < 1 / UNIT_RATIO:
            problems.append(Problem(name, "unit", f"the median is {ratio:.3g} times that of the reference"))
        if previous is not None and name in previous:
            same, by_chance = _repeated(values, numbers(previous[name]))
            if same - by_chance > STALE_SHARE * (1 - by_chance):
                problems.append(Problem(name, "stale", f"{same:.0%} of the values repeat the month before, in order"))
    return sorted(problems, key=lambda problem: (problem.column, problem.kind))


def _repeated(values: pd.Series, previous: pd.Series) -> tuple[float, float]:
    """Return the share of rows that equal the same row of the month before, and the share that chance explains.

    Chance explains a lot where a column has few values: most people have no late payment, this month and last.
    """
    n = min(len(values), len(previous))
    now, before = values.to_numpy()[:n], previous.to_numpy()[:n]
    same = float(np.mean(now == before)) if n else 0.0
    if same <= STALE_SHARE:
        return same, 0.0  # too few, whatever chance says
    shares = [dict(zip(*np.unique(part, return_counts=True), strict=True)) for part in (now, before)]
    return same, float(sum(count * shares[1].get(value, 0) for value, count in shares[0].items())) / n**2


def repair_feed(applications: pd.DataFrame, problems: list[Problem], reference: FeedReference) -> pd.DataFrame:
    """Return the applications with broken columns set to the reference's median, and unknown columns dropped.

    A guess that is the same for everybody is worse than the truth and better than a wrong value. Where only
    some values are missing, the others stay.

    Raises:
        ValueError: A column is broken for which there is no median.
    """
    repaired = applications.copy()
    dtypes = {column.name: column.dtype for column in COLUMNS}
    # Values of a wrong unit or of other people must not survive the filling of gaps beside them.
    for problem in sorted(problems, key=lambda problem: problem.kind != "missing_values"):
        name = problem.column
        if problem.kind == "unknown_column":
            repaired = repaired.drop(columns=name, errors="ignore")
        elif name not in reference.medians:
            raise ValueError(f"cannot repair {name} ({problem.detail}): ask the supplier to send it again")
        elif problem.kind == "missing_values":
            repaired[name] = numbers(repaired[name]).fillna(_typical(name, dtypes[name], reference))
        else:
            repaired[name] = np.full(len(repaired), _typical(name, dtypes[name], reference), dtype=dtypes[name])
    return repaired


def _typical(name: str, dtype: str, reference: FeedReference) -> float:
    median = reference.medians[name]
    return median if dtype == "float64" else float(round(median))
