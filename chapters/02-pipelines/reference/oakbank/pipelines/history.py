"""Features from the bank's past, as they were known on the day: one definition for training and for serving.

An applicant comes once, but what the bank knows about people *like* this one grows from month to month. For each
segment (say, those who come through a broker for a car) it counts known outcomes, defaults among them, and recent
applications. All three are running sums of whole-number *changes*, each with the month from whose first day on the
bank knows of it. Training reads the sums as of each application's own month (`training_view`), serving reads the
newest from a keyed store (`oakbank.pipelines.online`), and both turn the same whole numbers into features by the same
function.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from oakbank.pipelines.features import OAKBANK, DataSpec
from oakbank.world import CATEGORIES, PROTECTED
from oakbank.world.lake import read_parquet, write_parquet

COUNTS = ("known", "defaults", "recent")
EVERYBODY = "everybody"
"""The key of the segment that holds all applications: what a small segment's rate is drawn towards."""


class HistoryError(RuntimeError):
    """A history that cannot be computed or served; the message says what to do."""


def _names(columns: Sequence[str]) -> tuple[str, str, str]:
    name = "_".join(columns)
    return f"{name}_default_rate", f"{name}_known", f"{name}_recent"


@dataclass(frozen=True)
class HistorySpec:
    """Which segments are counted, and how."""

    segments: tuple[tuple[str, ...], ...] = (("channel", "purpose"), ("region", "employment"))
    """Each a tuple of categorical columns of an application; never the protected group."""
    window: int = 3
    """Months before the moment whose applications are `recent`."""
    prior: float = 50.0
    """Outcomes at everybody's rate that are added to a segment's own: few outcomes move its rate a little only."""
    feature_names: tuple[str, ...] = field(init=False)
    rate_names: tuple[str, ...] = field(init=False)
    """Those of `feature_names` that a model should see; see `OAKBANK_HISTORY`."""

    def __post_init__(self) -> None:
        for column in {column for columns in self.segments for column in columns}:
            if column not in CATEGORIES or column == PROTECTED:
                allowed = ", ".join(sorted(set(CATEGORIES) - {PROTECTED}))
                raise ValueError(f"{column!r} cannot name a segment: choose among {allowed}")
        if self.window < 1 or self.prior <= 0:
            raise ValueError(f"window must be 1 or more and prior above 0, not {self.window} and {self.prior}")
        names = tuple(name for columns in self.segments for name in _names(columns))
        object.__setattr__(self, "feature_names", names)
        object.__setattr__(self, "rate_names", names[::3])


HISTORY = HistorySpec()
OAKBANK_HISTORY: DataSpec = replace(OAKBANK, name="oakbank-history", numeric=OAKBANK.numeric + HISTORY.rate_names)
"""Oakbank's applications with the default rates of their segments as further columns (see `history`).

The counts are not among them: they grow with the business, so a model meets numbers that it was never trained on. In
lesson 02/04 the model with counts falls five points of AUC behind the one without, after a new channel has come."""


def changes(applications: pd.DataFrame, outcomes: pd.DataFrame, spec: HistorySpec = HISTORY) -> pd.DataFrame:
    """Return how the counts of each segment change, and from when on the bank knows it.

    An outcome counts from the month after its `known_month`, whenever the application was: month m begins with what
    became known before m. Where several outcomes speak of one application, each later one corrects the one before,
    from its own month on. An application is `recent` in the `window` months after its own.

    Args:
        applications: `application_id`, `month` and the columns of the segments; an id that comes twice counts once.
        outcomes: `application_id`, `known_month`, `defaulted`; in order where two became known in the same month.
            A missing `defaulted` says nothing yet.
        spec: Which segments.

    Returns:
        Columns `segment` (text), `moment` (month) and the whole numbers `known`, `defaults`, `recent`; one row per
        segment and moment at which something changes, in that order.

    Raises:
        HistoryError: An outcome is of an application that is not there, so nobody knows whose segment it is.
    """
    people = applications.drop_duplicates("application_id")
    told = outcomes.loc[outcomes["defaulted"].notna(), ["application_id", "known_month", "defaulted"]]
    if strangers := set(told["application_id"]) - set(people["application_id"]):
        raise HistoryError(
            f"{len(strangers)} outcomes, such as of {min(strangers)}, have no application: add its month"
        )
    told = told.sort_values(["application_id", "known_month"], kind="stable")
    bad = told["defaulted"].astype(np.int64)
    before = bad.groupby(told["application_id"]).shift()
    known = pd.DataFrame(
        {
            "application_id": told["application_id"],
            "moment": told["known_month"].astype(np.int64) + 1,
            "known": before.isna().astype(np.int64),
            "defaults": bad - before.fillna(0).astype(np.int64),
        }
    )
    month = people["month"].astype(np.int64) + 1
    came = pd.DataFrame({"application_id": people["application_id"], "moment": month, "recent": 1})
    went = came.assign(moment=month + spec.window, recent=-1)
    events = pd.concat([known, came, went]).fillna(dict.fromkeys(COUNTS, 0))
    parts = []
    for columns in ((), *spec.segments):
        segment = pd.Series(segment_keys(people, columns), index=people["application_id"].to_numpy())
        parts.append(events.assign(segment=events["application_id"].map(segment)))
    counts = pd.concat(parts).groupby(["segment", "moment"], as_index=False)[list(COUNTS)].sum()
    counts = counts.astype(dict.fromkeys(COUNTS, np.int64))
    return counts[(counts[list(COUNTS)] != 0).any(axis=1)].reset_index(drop=True)


def segment_keys(applications: pd.DataFrame, columns: Sequence[str]) -> NDArray[np.object_]:
    """Return the key of each row's segment: "channel=web;purpose=car;", with "?" for what is absent or no category."""
    if not columns:
        return np.full(len(applications), EVERYBODY, dtype=object)
    texts: NDArray[np.object_] = np.full(len(applications), "", dtype=object)
    for column in columns:
        parts = np.array([_part(column, value) for value in (*CATEGORIES[column], None)], dtype=object)
        values = applications[column] if column in applications else [None] * len(applications)
        codes = pd.Categorical(values, categories=list(CATEGORIES[column])).codes
        texts = texts + parts[codes]  # code -1, no category, takes the last of the parts
    return texts


def segment_key(application: Mapping[str, Any], columns: Sequence[str]) -> str:
    """Return what `segment_keys` returns, for one application given as a mapping."""
    return "".join(_part(column, application.get(column)) for column in columns) if columns else EVERYBODY


def _part(column: str, value: object) -> str:
    return f"{column}={value if value in CATEGORIES[column] else '?'};"


def training_view(applications: pd.DataFrame, changed: pd.DataFrame, spec: HistorySpec = HISTORY) -> pd.DataFrame:
    """Return the features of each application as they were known when its month began.

    Args:
        applications: Shape (n, any), with `month` and the columns of the segments.
        changed: From `changes`; it may run far beyond the applications' months.
        spec: As given to `changes`.

    Returns:
        Shape (n, len(spec.feature_names)), float64; index and order as given. For each segment the smoothed share of
        defaults among known outcomes (NaN if none is known of anybody), the outcomes known, and the applications of
        the last `window` months.
    """
    running = changed.sort_values(["segment", "moment"])
    running[list(COUNTS)] = running.groupby("segment")[list(COUNTS)].cumsum()
    running = running.sort_values("moment", kind="stable")
    moments = applications["month"].to_numpy(dtype=np.int64)

    def as_of(columns: Sequence[str]) -> dict[str, Any]:
        asked = pd.DataFrame({"moment": moments, "segment": segment_keys(applications, columns)})
        asked = asked.sort_values("moment", kind="stable")
        found = pd.merge_asof(asked, running, on="moment", by="segment").set_index(asked.index).sort_index()
        return {name: found[name].fillna(0).to_numpy(dtype=np.int64) for name in COUNTS}

    everybody = as_of(())
    values: dict[str, Any] = {}
    for columns in spec.segments:
        values |= feature_values(columns, as_of(columns), everybody, spec)
    return pd.DataFrame(values, columns=list(spec.feature_names), index=applications.index)


def feature_values(
    columns: Sequence[str], own: Mapping[str, Any], everybody: Mapping[str, Any], spec: HistorySpec
) -> dict[str, Any]:
    """Turn counts into features: the one place where it is done, for a whole table (arrays) or one row (integers).

    Args:
        columns: Which segment.
        own: The counts of the segment, whole numbers by name of `COUNTS`.
        everybody: The counts of all applications, in the same shape.
        spec: As given to `changes`.
    """
    known_of_all = np.asarray(everybody["known"], dtype=np.float64)
    rate = np.divide(
        everybody["defaults"], known_of_all, out=np.full(known_of_all.shape, np.nan), where=known_of_all > 0
    )
    share = (own["defaults"] + spec.prior * rate) / (own["known"] + spec.prior)
    return dict(zip(_names(columns), (share, own["known"], own["recent"]), strict=True))


def history(accepted: Path, applications: Sequence[Path], outcomes: Sequence[Path], enriched: Path) -> None:
    """Write the accepted rows with the history of their segments beside them: a step between validate and features.

    Args:
        accepted: From `validate`.
        applications: Parquet files of all applications, also those that were declined.
        outcomes: Parquet files of known outcomes, in the order in which they became known. One of an application
            older than the given files is left out, since nobody can say here whose segment it is.
        enriched: Where to write the rows, in order, with the columns `HISTORY.feature_names` added (float64).

    Raises:
        LakeError: A file cannot be read.
    """
    columns = ["application_id", "month", *{column for columns in HISTORY.segments for column in columns}]
    people = pd.concat([read_parquet(path)[columns] for path in applications], ignore_index=True)
    told = pd.concat([read_parquet(path) for path in outcomes], ignore_index=True)
    told = told[told["application_id"].isin(people["application_id"])]
    rows = read_parquet(accepted)
    write_parquet(pd.concat([rows, training_view(rows, changes(people, told))], axis=1), enriched)
