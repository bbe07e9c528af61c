"""What an application must be (a contract for rows) and what a feed must be (a contract for columns)."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd

from oakbank.world import CATEGORIES, COLUMNS

ProblemKind = Literal["missing_column", "unknown_column", "unit", "stale", "missing_values"]
UNIT_RATIO = 3.0
"""A median that moves by this factor from one month to the next is a change of unit, not of customers."""
STALE_SHARE = 0.5
MISSING_SHARE = 0.2
_WATCHED = ("income", "debts", "bureau_score", "amount")


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a feed."""

    column: str
    kind: ProblemKind
    detail: str


@dataclass(frozen=True)
class FeedReference:
    """What the feed looked like when it was good: the median of each numeric column, in the column's unit."""

    medians: dict[str, float]

    @classmethod
    def of(cls, applications: pd.DataFrame) -> "FeedReference":
        """Take the reference from applications that are known to be good."""
        numeric = [c.name for c in COLUMNS if c.dtype in ("float64", "int16") and c.name != "month"]
        return cls({column: float(applications[column].median()) for column in numeric})


def bad_rows(applications: pd.DataFrame) -> pd.Series:
    """Return why each row breaks the contract: "" if it does not, else the first reason. Index as given."""
    reason = pd.Series("", index=applications.index, dtype=object)

    def mark(rows: Any, text: str) -> None:
        reason[np.asarray(rows, dtype=bool) & (reason == "").to_numpy()] = text

    mark(applications["application_id"].duplicated(), "duplicated application_id")
    for column in COLUMNS:
        if column.name not in applications:
            continue  # a matter of the feed, not of a row
        values = applications[column.name]
        mark(values.isna(), f"{column.name} is missing")
        if column.name in CATEGORIES:
            mark(~values.isin(CATEGORIES[column.name]), f"{column.name} is not one of its categories")
        if column.low is not None:
            mark(values < column.low, f"{column.name} is below {column.low:g} {column.unit}")
        if column.high is not None:
            mark(values > column.high, f"{column.name} is above {column.high:g} {column.unit}")
    return reason


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
    for column in known - set(applications):
        problems.append(Problem(column, "missing_column", "the column was not delivered"))
    for column in set(applications) - known:
        problems.append(Problem(column, "unknown_column", "not in the schema; it is ignored"))
    for column in _WATCHED:
        if column not in applications:
            continue
        values = applications[column]
        missing = float(values.isna().mean())
        if missing > MISSING_SHARE:
            problems.append(Problem(column, "missing_values", f"{missing:.0%} of the values are missing"))
        ratio = float(values.median()) / reference.medians[column]
        if ratio > UNIT_RATIO or ratio < 1 / UNIT_RATIO:
            problems.append(Problem(column, "unit", f"the median is {ratio:.3g} times that of the reference"))
        if previous is not None and column in previous and len(previous) == len(values):
            same = float(np.mean(values.to_numpy() == previous[column].to_numpy()))
            if same > STALE_SHARE:
                problems.append(Problem(column, "stale", f"{same:.0%} of the values repeat the month before, in order"))
    return sorted(problems, key=lambda problem: (problem.column, problem.kind))


def repair_feed(applications: pd.DataFrame, problems: list[Problem], reference: FeedReference) -> pd.DataFrame:
    """Return the applications with each broken column set to the reference's median, and unknown columns dropped.

    A guess that is the same for everybody is worse than the truth and better than a wrong value.

    Raises:
        ValueError: A column is broken for which there is no median.
    """
    repaired = applications.copy()
    for problem in problems:
        if problem.kind == "unknown_column":
            repaired = repaired.drop(columns=problem.column)
        elif problem.column in reference.medians:
            repaired[problem.column] = reference.medians[problem.column]
        else:
            raise ValueError(f"cannot repair {problem.column} ({problem.detail}): ask the supplier to send it again")
    return repaired
