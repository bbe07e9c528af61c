"""The steps of the training pipeline: plain functions from files to files.

`oakbank.pipelines.training` runs them in one process; `oakbank.pipelines.kubeflow` makes them into components.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from oakbank.pipelines.artifacts import write_json
from oakbank.pipelines.evaluation import evaluate_model
from oakbank.pipelines.features import OAKBANK, feature_matrix
from oakbank.pipelines.german import load_german
from oakbank.pipelines.model import SPECS, CreditModel
from oakbank.pipelines.validation import NUMERIC, FeedReference, bad_rows, check_feed, numbers, repair_feed
from oakbank.world import COLUMNS
from oakbank.world.lake import LakeError, read_parquet, write_parquet

LABEL_COLUMNS = ("application_id", "month", "amount", "term", "group", "defaulted")


def ingest(
    applications: Sequence[Path],
    outcomes: Sequence[Path],
    labelled: Path,
    feed: Path | None = None,
    earlier: Sequence[Path] = (),
    as_of: int | None = None,
) -> None:
    """Check and repair each month's feed, and join it with the outcomes known by then.

    The feed is checked here, where all of a month's rows and the month before are at hand: values that stand
    still cannot be seen any more among the granted rows alone.

    Args:
        applications: Parquet files, one per month of application, in order.
        outcomes: Parquet files, one per month in which outcomes became known, in order; where two speak of the
            same application, the later one counts.
        labelled: Where to write the joined rows, in order of application. An application without a known outcome
            is left out.
        feed: Where to write JSON: the problems of the feed, by month.
        earlier: Applications of the months before, in order. They tell what a good month looks like; no row of them
            is taken.
        as_of: Outcomes known in this month or later are left out, whatever file they are in.

    Raises:
        LakeError: A file cannot be read or repaired, or no outcome is known yet.
    """
    months = [_read(path, "application_id", "month") for path in applications]
    medians = [FeedReference.of(read_parquet(path)) for path in earlier]
    reference = FeedReference.typical(medians + [FeedReference.of(month) for month in months])
    previous = read_parquet(earlier[-1]) if earlier else None
    problems: dict[str, list[dict[str, str]]] = {}
    repaired = []
    for path, month in zip(applications, months, strict=True):
        found = check_feed(month, reference, previous)
        try:
            repaired.append(_typed(repair_feed(month, found, reference)))
        except ValueError as error:
            raise LakeError(f"{path}: {error}") from None
        if found:
            number = numbers(month["month"]).mode()
            problems[str(int(number.iloc[0])) if len(number) else path.name] = [asdict(problem) for problem in found]
        previous = month

    known = pd.concat([_read(path, "application_id", "known_month", "defaulted") for path in outcomes])
    known = known[known["defaulted"].notna()]
    if as_of is not None:
        known = known[known["known_month"] < as_of]
    known = known[["application_id", "defaulted"]].drop_duplicates("application_id", keep="last")
    rows = pd.concat(repaired, ignore_index=True).merge(known, on="application_id", validate="many_to_one")
    if rows.empty:
        raise LakeError("no outcome is known for these months yet: wait for labels, or widen the window")
    rows = rows.sort_values(["month", "application_id"], ignore_index=True).astype({"defaulted": bool})
    write_parquet(rows, labelled)
    if feed is not None:
        write_json(feed, problems)


def _read(path: Path, *columns: str) -> pd.DataFrame:
    frame = read_parquet(path)
    if missing := set(columns) - set(frame):
        raise LakeError(f"{path} has no column {sorted(missing)[0]}: delete it and publish that month again")
    return frame


def _typed(month: pd.DataFrame) -> pd.DataFrame:
    """Return the schema's columns in its order, numbers and dates as such, so that months fit one below the other."""
    month = month[[column.name for column in COLUMNS]]
    typed = {name: numbers(month[name]) for name in ("application_id", "month", *NUMERIC)}
    return month.assign(**typed, applied_on=pd.to_datetime(month["applied_on"], errors="coerce", format="ISO8601"))


def ingest_german(labelled: Path, source: Path | None = None) -> None:
    """Write the German credit data as labelled rows; `source` as in `load_german`."""
    write_parquet(load_german(source), labelled)


def validate(
    labelled: Path,
    accepted: Path,
    quarantined: Path,
    report: Path,
    spec: str = OAKBANK.name,
    feed: Path | None = None,
) -> None:
    """Split rows into those that keep the contract and those that do not.

    Args:
        labelled: From `ingest`.
        accepted: Where to write the good rows.
        quarantined: Where to write the others, with a column `reason`. No row is lost.
        report: Where to write JSON: counts, reasons and the feed's problems by month.
        spec: Which data set it is.
        feed: The feed's problems, from `ingest`.

    Raises:
        LakeError: Not one row keeps the contract.
    """
    rows = read_parquet(labelled)
    reason = bad_rows(rows) if spec == OAKBANK.name else _incomplete(rows, SPECS[spec].columns)
    good = reason == ""
    reasons = {str(text): int(count) for text, count in reason[~good].value_counts().items()}
    if not good.any():
        raise LakeError(f"none of the {len(rows)} rows keeps the contract; why, and how often: {reasons}")
    write_parquet(rows[good], accepted)
    write_parquet(rows[~good].assign(reason=reason[~good].astype(str)), quarantined)
    problems = {} if feed is None else json.loads(feed.read_text(encoding="utf-8"))
    counts = {"rows": len(rows), "quarantined": int((~good).sum())}
    write_json(report, counts | {"reasons": reasons, "feed_problems": problems})


def _incomplete(rows: pd.DataFrame, columns: Sequence[str]) -> pd.Series:
    reason = pd.Series("", index=rows.index, dtype=object)
    reason[rows["application_id"].duplicated()] = "duplicated application_id"
    for column in columns:
        reason[rows[column].isna() & (reason == "")] = f"{column} is missing"
    return reason


def features(accepted: Path, matrix: Path, spec: str = OAKBANK.name) -> None:
    """Write the feature matrix (float32) with the columns that labels and splits need, prefixed by `_`."""
    rows = read_parquet(accepted)
    table = pd.DataFrame(feature_matrix(rows, SPECS[spec]), columns=list(SPECS[spec].feature_names))
    for column in LABEL_COLUMNS:
        table[f"_{column}"] = rows[column].to_numpy()
    write_parquet(table, matrix)


def is_holdout(table: pd.DataFrame, holdout: int, spec: str = OAKBANK.name) -> NDArray[np.bool_]:
    """Return which rows of a feature table are held out: the last months; for data without dates, every fifth row.

    Raises:
        LakeError: No month would be left to train on.
    """
    if spec != OAKBANK.name:
        return np.asarray(table["_application_id"] % 5 == 0)
    month = table["_month"].to_numpy()
    if month.max() - month.min() < holdout:
        raise LakeError(f"{month.max() - month.min() + 1} months of labels, {holdout} wanted for the hold-out alone")
    return np.asarray(month > month.max() - holdout)


def train(
    matrix: Path,
    model: Path,
    candidate: Path,
    spec: str = OAKBANK.name,
    holdout: int = 2,
    half_life: float | None = None,
    refit: bool = True,
    seed: int = 0,
    rounds: int = 150,
    params: dict[str, Any] | None = None,
) -> None:
    """Train the candidate without the hold-out, and the model to deploy; see `TrainingConfig`."""
    table = read_parquet(matrix)
    names = list(SPECS[spec].feature_names)

    def fit(rows: NDArray[np.bool_]) -> CreditModel:
        month = table.loc[rows, "_month"].to_numpy(dtype=np.float64)
        return CreditModel.fit(
            table.loc[rows, names].to_numpy(np.float32),
            table.loc[rows, "_defaulted"],
            spec=SPECS[spec],
            params=params,
            rounds=rounds,
            seed=seed,
            weight=None if half_life is None else 0.5 ** ((month.max() - month) / half_life),
        )

    kept = fit(~is_holdout(table, holdout, spec))
    kept.save(candidate)
    (fit(np.ones(len(table), dtype=bool)) if refit else kept).save(model)


def evaluate(
    matrix: Path,
    accepted: Path,
    candidate: Path,
    evaluation: Path,
    held_out: Path,
    holdout: int = 2,
    spec: str = OAKBANK.name,
) -> None:
    """Measure the candidate on the hold-out and write the measures (JSON) and the hold-out's rows."""
    rows = read_parquet(accepted)[is_holdout(read_parquet(matrix), holdout, spec)]
    write_json(evaluation, asdict(evaluate_model(CreditModel.load(candidate), rows)))
    write_parquet(rows, held_out)
