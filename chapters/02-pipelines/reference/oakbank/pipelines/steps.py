"""The steps of the training pipeline: plain functions from files to files.

`oakbank.pipelines.training` runs them in one process; `oakbank.pipelines.kubeflow` makes them into components.
"""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from oakbank.pipelines.evaluation import evaluate_model
from oakbank.pipelines.features import OAKBANK, feature_matrix
from oakbank.pipelines.german import load_german
from oakbank.pipelines.labels import LatestOutcomes, label_month, labelled_schema, read_month
from oakbank.pipelines.model import CreditModel, month_weight, spec_of
from oakbank.pipelines.streams import (
    read_batches,
    read_columns,
    read_floats,
    read_schema,
    repeated,
    scratch,
    write_rows,
)
from oakbank.pipelines.validation import FeedReference, bad_rows, check_feed, numbers, repair_feed
from oakbank.world import CATEGORIES, LakeError
from oakbank.world.files import write_json
from oakbank.world.lake import read_parquet, write_parquet

LABEL_COLUMNS = ("application_id", "month", "amount", "term", "group", "defaulted")
SPLIT_COLUMNS = ("_application_id", "_month", "_defaulted")
"""What splits and labels need of a feature matrix: 11 bytes a row."""


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
    medians = [FeedReference.of(read_parquet(path)) for path in earlier]
    schema = labelled_schema()
    for path in applications:  # a first time for what is usual; each month is let go before the next is read
        month = read_month(path, "application_id", "month")
        medians.append(FeedReference.of(month))
        schema = labelled_schema(schema, month)
    reference = FeedReference.typical(medians)
    previous = read_parquet(earlier[-1]) if earlier else None
    problems: dict[str, list[dict[str, str]]] = {}
    with scratch(labelled.parent) as database, write_rows(labelled, schema) as joined:
        known = LatestOutcomes(database, outcomes, as_of)
        for path in applications:
            month = read_month(path)
            found = check_feed(month, reference, previous)
            try:
                repaired = repair_feed(month, found, reference)
            except ValueError as error:
                raise LakeError(f"{path}: {error}") from None
            if found:
                number = numbers(month["month"]).mode()
                name = str(int(number.iloc[0])) if len(number) else path.name
                problems[name] = [asdict(problem) for problem in found]
            joined.write(label_month(repaired, known))
            previous = month
        if not joined.rows:
            raise LakeError("no outcome is known for these months yet: wait for labels, or widen the window")
    if feed is not None:
        write_json(feed, problems)


def ingest_german(labelled: Path, source: Path | None = None, bad: int | None = None) -> None:
    """Write the German credit data as labelled rows; `source` and `bad` as in `load_german`."""
    write_parquet(load_german(source, bad), labelled)


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
    schema, counts, rows = read_schema(labelled), Counter[str](), 0
    again = repeated(labelled, "application_id", accepted.parent)
    categories = {**CATEGORIES, **spec_of(spec).categories}
    with (
        write_rows(accepted, schema, categories) as good,
        write_rows(quarantined, schema.append(pa.field("reason", pa.string())), categories) as bad,
    ):
        for batch in read_batches(labelled):
            here = slice(*np.searchsorted(again[:, 0], [rows, rows + len(batch)]))
            of_before = again[here][again[here, 1] < rows, 0] - rows
            reason = _reasons(batch.to_pandas(), of_before, spec)
            is_good = reason == ""
            good.write(batch.filter(pa.array(is_good)))
            broken = batch.filter(pa.array(~is_good))
            bad.write(broken.append_column("reason", pa.array(reason[~is_good], pa.string())))
            counts.update(reason[~is_good])
            rows += len(batch)
        if not good.rows:
            often = dict(counts.most_common())
            raise LakeError(f"none of the {rows} rows keeps the contract; why, and how often: {often}")
    problems = {} if feed is None else json.loads(feed.read_text(encoding="utf-8"))
    total = {"rows": rows, "quarantined": bad.rows}
    write_json(report, total | {"reasons": dict(counts), "feed_problems": problems})


def _reasons(rows: pd.DataFrame, again: NDArray[np.int64], spec: str) -> NDArray[np.object_]:
    """Return why each row of a batch breaks the contract; those at `again` have an id of a batch before.

    They are put before the batch once more, so that the contract finds them repeated, in its own order of reasons.
    """
    judged = pd.concat([rows.iloc[again], rows], ignore_index=True) if len(again) else rows
    reason = bad_rows(judged) if spec == OAKBANK.name else _incomplete(judged, spec_of(spec).required)
    return reason.to_numpy(dtype=object)[len(again) :]


def _incomplete(rows: pd.DataFrame, columns: Sequence[str]) -> pd.Series:
    reason = pd.Series("", index=rows.index, dtype=object)
    reason[rows["application_id"].duplicated()] = "duplicated application_id"
    for column in columns:
        reason[rows[column].isna() & (reason == "")] = f"{column} is missing"
    return reason


def features(accepted: Path, matrix: Path, spec: str = OAKBANK.name) -> None:
    """Write the feature matrix (float32) with the columns that labels and splits need, prefixed by `_`."""
    names = spec_of(spec).feature_names
    source = read_schema(accepted)
    labels = [pa.field(f"_{column}", source.field(column).type) for column in LABEL_COLUMNS]
    schema = pa.schema([pa.field(name, pa.float32()) for name in names] + labels)
    with write_rows(matrix, schema, {**CATEGORIES, **spec_of(spec).categories}) as out:
        for batch in read_batches(accepted):
            columns = dict(zip(names, feature_matrix(batch.to_pandas(), spec_of(spec)).T, strict=True))
            out.write(pa.table(columns | {f"_{column}": batch[column] for column in LABEL_COLUMNS}))


def is_holdout(table: pd.DataFrame, holdout: int, spec: str = OAKBANK.name) -> NDArray[np.bool_]:
    """Return which rows of a feature table are held out: the last months; for data without dates, every fifth row.

    Raises:
        LakeError: No month would be left to train on.
    """
    if not spec_of(spec).dated:
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
    """Train the candidate without the hold-out, and the model to deploy; see `TrainingConfig`.

    Holds all features at once, 4 bytes each, and LightGBM's bins beside them: a tree looks at every row.
    """
    table = read_columns(matrix, SPLIT_COLUMNS)
    everything = read_floats(matrix, spec_of(spec).feature_names)

    def fit(rows: NDArray[np.bool_]) -> CreditModel:
        count = int(rows.sum())
        return CreditModel.fit(
            everything[:count] if rows[:count].all() else everything[rows],
            table.loc[rows, "_defaulted"],
            spec=spec_of(spec),
            params=params,
            rounds=rounds,
            seed=seed,
            weight=month_weight(table.loc[rows, "_month"], half_life),
        )

    kept = fit(~is_holdout(table, holdout, spec))
    kept.save(candidate)
    (fit(np.ones(len(table), dtype=bool)) if refit else kept).save(model)


def held_rows(matrix: Path, accepted: Path, held: NDArray[np.bool_]) -> pa.Table:
    """Return the rows that are held out; the others are let go as they are read.

    Args:
        matrix: From the step `features`; named where it does not fit.
        accepted: From the step `validate`.
        held: Of each row of the matrix, from `is_holdout`, shape (n,).

    Raises:
        LakeError: The matrix has another number of rows, or the file cannot be read.
    """
    parts, start = [], 0
    for batch in read_batches(accepted):
        parts.append(batch.take(pa.array(np.flatnonzero(held[start : start + len(batch)]))))
        start += len(batch)
    if start != len(held):
        raise LakeError(f"{accepted} has {start} rows, {matrix} has {len(held)}: run features again")
    return pa.concat_tables(parts).unify_dictionaries()


def evaluate(
    matrix: Path,
    accepted: Path,
    candidate: Path,
    evaluation: Path,
    held_out: Path,
    holdout: int = 2,
    spec: str = OAKBANK.name,
) -> None:
    """Measure the candidate on the hold-out and write the measures (JSON) and the hold-out's rows, which it holds."""
    held = is_holdout(read_columns(matrix, SPLIT_COLUMNS), holdout, spec)
    rows = held_rows(matrix, accepted, held)
    write_json(evaluation, asdict(evaluate_model(CreditModel.load(candidate), rows.to_pandas())))
    with write_rows(held_out, rows.schema, {**CATEGORIES, **spec_of(spec).categories}) as out:
        out.write(rows)
