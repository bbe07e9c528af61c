"""What the bank's tables hold: names, types, units, and for applications the range that a sane feed keeps."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

CATEGORIES: dict[str, tuple[str, ...]] = {
    "employment": ("salaried", "self_employed", "temporary", "retired", "unemployed"),
    "housing": ("rent", "own", "family"),
    "purpose": ("car", "home", "education", "consolidation", "business", "other"),
    "region": ("north", "south", "east", "west", "capital"),
    "channel": ("web", "branch", "broker", "aggregator"),
    "group": ("A", "B"),
}


@dataclass(frozen=True)
class Column:
    """One column of a table: its pandas dtype, its unit and its valid range (inclusive; None: no bound)."""

    name: str
    dtype: str
    unit: str
    meaning: str
    low: float | None = None
    high: float | None = None


COLUMNS: tuple[Column, ...] = (
    Column("application_id", "int64", "-", "unique key; rises with the month", 0),
    Column("month", "int16", "months", "months since January 2024, negative before it"),
    Column("applied_on", "datetime64[ms]", "date", "day on which the application came in"),
    Column("age", "int16", "years", "age of the applicant", 18, 80),
    Column("income", "float64", "EUR per month", "net income", 300, 30_000),
    Column("debts", "float64", "EUR per month", "service of other debts", 0, 20_000),
    Column("employment", "category", "-", "kind of employment"),
    Column("years_employed", "float64", "years", "time with the present (retired: the last) employer", 0, 60),
    Column("housing", "category", "-", "how the applicant lives"),
    Column("bureau_score", "float64", "points", "score of the credit bureau, higher is safer", 300, 850),
    Column("delinquencies", "int16", "count", "late payments in the last 24 months", 0, 50),
    Column("purpose", "category", "-", "what the loan is for"),
    Column("region", "category", "-", "where the applicant lives"),
    Column("channel", "category", "-", "how the application reached the bank"),
    Column("amount", "float64", "EUR", "loan asked for", 500, 60_000),
    Column("term", "int16", "months", "time to repay", 6, 84),
    Column("group", "category", "-", "protected attribute: kept for audits, never a feature of a model"),
)

DECISIONS: tuple[Column, ...] = (
    Column("application_id", "int64", "-", "the application; -1 where it came without an id", -1),
    Column("granted", "bool", "-", "whether the loan is granted"),
    Column("default_probability", "float64", "-", "as decided on; NaN where no model was asked", 0, 1),
    Column("model_version", "object", "-", "version of the model, name of a router's bundle, or `officers`"),
    Column("month", "int64", "months", "of the application"),
    Column("reason", "object", "-", "why a person must look at it; empty: nobody has to"),
)
"""One row per application that was decided."""

OUTCOMES: tuple[Column, ...] = (
    Column("application_id", "int64", "-", "the application"),
    Column("month", "int16", "months", "of the application"),
    Column("known_month", "int16", "months", "in which the outcome became known"),
    Column("defaulted", "bool", "-", "whether the loan was not paid back"),
    Column("profit", "float64", "EUR", "what the loan earned; below 0: what it lost"),
)
"""One row per loan, when it is known what became of it; nothing is ever known of a declined application."""

OFFICERS = "officers"
"""The `model_version` of decisions from before the first model."""

BANDS: dict[str, tuple[float, float]] = {
    "age": (40.8, 44.1),
    "income": (2690, 2970),
    "debts": (422, 522),
    "years_employed": (4.7, 5.9),
    "bureau_score": (627, 643),
    "delinquencies": (0.38, 0.56),
    "amount": (8490, 9680),
    "term": (35.0, 38.4),
    "group.B": (0.249, 0.351),
    "employment.unemployed": (0.025, 0.075),
    "channel.web": (0.464, 0.576),
    "channel.aggregator": (0.0, 0.011),
    "granted": (0.512, 0.624),
    "default_rate": (0.178, 0.272),
}
"""Where the monthly mean of a column, or the share of a value, lies while nothing happens to the world: about five
standard errors either side at 2,000 applications a month. `granted` is by the officers of the default scenario,
`default_rate` is of all applicants, had everyone been granted."""

PROTECTED = "group"

FEATURES: tuple[str, ...] = tuple(
    column.name for column in COLUMNS if column.name not in ("application_id", "month", "applied_on", PROTECTED)
)


def table_of(columns: Sequence[Column], values: Mapping[str, Any]) -> pd.DataFrame:
    """Return a table with exactly these columns, in their order and of their types.

    Args:
        columns: Such as `DECISIONS` or `OUTCOMES`.
        values: For each column an array of shape (n,), or one value for all rows.

    Raises:
        ValueError: A column is missing or too many, or its values are not of its type; the message names it.
    """
    names = [column.name for column in columns]
    if wrong := sorted(set(names) ^ set(values)):
        raise ValueError(f"the table has the columns {', '.join(names)}: {', '.join(wrong)} missing or too many")
    given = {name: values[name] if np.isscalar(values[name]) else np.asarray(values[name]) for name in names}
    frame = pd.DataFrame(given)
    for column in columns:
        try:
            frame[column.name] = frame[column.name].astype(np.dtype(column.dtype))
        except (TypeError, ValueError) as error:
            raise ValueError(f"{column.name} must be {column.dtype}: {error}") from None
    return frame


def schema_markdown(columns: Sequence[Column] = COLUMNS) -> str:
    """Return a schema as a Markdown table, for lessons and READMEs."""
    lines = ["| column | type | unit | range or values | meaning |", "|---|---|---|---|---|"]
    for column in columns:
        values = ", ".join(CATEGORIES.get(column.name, ()))
        if column.low is not None:
            values = f"{column.low:g} to {column.high:g}" if column.high is not None else f"from {column.low:g}"
        lines.append(f"| `{column.name}` | {column.dtype} | {column.unit} | {values or '-'} | {column.meaning} |")
    return "\n".join(lines)
