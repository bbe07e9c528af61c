"""Which application has which outcome: the join behind the step `ingest`, a month at a time."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from oakbank.intro.loans import with_outcomes
from oakbank.pipelines.streams import insert
from oakbank.pipelines.validation import NUMERIC, numbers
from oakbank.world import COLUMNS, LakeError
from oakbank.world.lake import read_parquet

if TYPE_CHECKING:
    import duckdb

_TYPES = {
    "category": pa.dictionary(pa.int8(), pa.string()),
    "datetime64[ms]": pa.timestamp("ms"),
    "float64": pa.float64(),
    "int16": pa.int16(),
    "int64": pa.int64(),
}
_LARGEST_ID = 2.0**53
"""Above it a float does not name one number only."""


def read_month(path: Path, *columns: str) -> pd.DataFrame:
    """Read one month of the lake.

    Raises:
        LakeError: The file is missing or damaged, or lacks one of `columns`.
    """
    frame = read_parquet(path)
    if missing := set(columns) - set(frame):
        raise LakeError(f"{path} has no column {sorted(missing)[0]}: delete it and publish that month again")
    return frame


def labelled_schema(before: pa.Schema | None = None, month: pd.DataFrame | None = None) -> pa.Schema:
    """Return names and types of the labelled rows: the world's, and `defaulted`.

    Args:
        before: The schema so far.
        month: Applications as delivered. Where one is no whole number that fits, its column becomes float64, so that
            a wrong value can be seen in the quarantine as it came.
    """
    if before is None:
        before = pa.schema([pa.field(c.name, _TYPES[c.dtype]) for c in COLUMNS] + [pa.field("defaulted", pa.bool_())])
    if month is None:
        return before
    for place, field in enumerate(before):
        if field.type == pa.int16() and field.name in month and not _fits_int16(month[field.name]):
            before = before.set(place, field.with_type(pa.float64()))
    return before


def _fits_int16(values: pd.Series) -> bool:
    if values.dtype == np.int16:
        return True
    there = numbers(values).dropna()
    return bool((there.between(-(2**15), 2**15 - 1) & (there % 1 == 0)).all())


class LatestOutcomes:
    """The last word on each loan, in a database on the disk: nobody knows in which file a correction comes.

    Args:
        database: Where to keep it, from `scratch`.
        paths: Outcomes, in the order in which they became known.
        as_of: Outcomes known in this month or later are left out; None: all are taken.

    Raises:
        LakeError: A file is missing, damaged or lacks a column.
    """

    def __init__(self, database: "duckdb.DuckDBPyConnection", paths: Sequence[Path], as_of: int | None) -> None:
        self.database = database
        database.execute("CREATE TABLE told (application_id BIGINT, defaulted BOOLEAN, place BIGINT)")
        told = 0
        for path in paths:
            known = read_month(path, "application_id", "known_month", "defaulted")
            known = known[known["defaulted"].notna()]
            if odd := [value for value in known["defaulted"].unique() if value not in (False, True)]:
                raise LakeError(
                    f"{path}: defaulted holds {odd[0]!r}; wanted: true or false (or 1 or 0): deliver it again"
                )
            if as_of is not None:
                known = known[known["known_month"] < as_of]
            known = _with_id(known)
            rows = {
                "application_id": known["application_id"].to_numpy(),
                "defaulted": known["defaulted"].to_numpy(dtype=bool),
                "place": np.arange(told, told + len(known)),
            }
            insert(database, "told", pa.table(rows))
            told += len(known)
        # In order of id, so that a month, whose ids lie close together, is found without a look at all of them.
        database.execute(
            "CREATE TABLE latest AS SELECT application_id, arg_max(defaulted, place) AS defaulted "
            "FROM told GROUP BY application_id ORDER BY application_id"
        )
        database.execute("DROP TABLE told")

    def of(self, ids: NDArray[np.int64]) -> pd.DataFrame:
        """Return `application_id` and `defaulted` of those that have an outcome, each once."""
        if not len(ids):
            return pd.DataFrame({"application_id": ids, "defaulted": np.zeros(0, dtype=bool)})
        self.database.register("wanted", pa.table({"application_id": ids}))
        found = self.database.execute(
            "SELECT application_id, defaulted FROM latest SEMI JOIN wanted USING (application_id) "
            "WHERE application_id BETWEEN ? AND ?",
            [int(ids.min()), int(ids.max())],
        ).fetchnumpy()
        self.database.unregister("wanted")
        return pd.DataFrame({name: np.asarray(values) for name, values in found.items()})


def _with_id(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the rows whose id is a whole number, as int64; no other can belong to anything."""
    ids = numbers(rows["application_id"])
    rows = rows[(ids % 1 == 0) & (ids.abs() < _LARGEST_ID)]
    return rows.assign(application_id=numbers(rows["application_id"]).astype(np.int64))


def label_month(applications: pd.DataFrame, known: LatestOutcomes) -> pa.Table:
    """Return a month's applications that have an outcome, with it, in order of month and id.

    Args:
        applications: One month, repaired: shape (n, any), with the schema's columns.
        known: The outcomes.

    Returns:
        The schema's columns and `defaulted`. Numbers are numbers and dates are dates; what is neither is null.
    """
    month = _with_id(applications)
    month = month.assign(**{name: numbers(month[name]) for name in ("month", *NUMERIC)})
    month["applied_on"] = pd.to_datetime(month["applied_on"], errors="coerce", format="ISO8601").astype(
        "datetime64[ms]"
    )
    outcomes = known.of(month["application_id"].to_numpy())
    rows = with_outcomes(month, outcomes).sort_values(["month", "application_id"])
    columns = {}
    for name in [*(column.name for column in COLUMNS), "defaulted"]:
        values = rows[name]
        if values.dtype == object:  # whatever it is, its text can be read in the quarantine
            values = values.map(str, na_action="ignore")
        columns[name] = pa.array(values, from_pandas=True)
    return pa.table(columns)
