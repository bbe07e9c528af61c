"""One delivered file: read in batches, typed by the schema, each row with what it breaks.

A supplier chooses the format, the order of the columns and their types; the schema is put on when the file is read.
So every cell is taken as text first, and one parser (DuckDB's) makes numbers and dates of it, whatever the file was.
"""

import csv
from collections.abc import Iterator
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq

from oakbank.pipelines.validation import bad_rows
from oakbank.world import CATEGORIES, COLUMNS
from oakbank.world.simulator import FIRST_MONTH

KEYS = ("application_id", "applied_on")
"""Without these a row cannot be told from another, or filed under a month."""
MISSING = ("", "na", "n/a", "nan", "null", "none")
"""What suppliers write, in small or capital letters, where they have no value."""
_NAMES = tuple(column.name for column in COLUMNS)
_START = pd.Timestamp(FIRST_MONTH)
_SHORTEST_BLOCK = 1 << 16  # bytes of CSV; a row must fit into a block
_LARGEST = 2**53  # from here on a float64 skips whole numbers
_KINDS: dict[str, pa.DataType] = {
    "int64": pa.int64(),
    "datetime64[ms]": pa.timestamp("ms"),
    "category": pa.string(),
    "float64": pa.float64(),
    "int16": pa.float64(),  # a column that was not delivered is empty, and no integer says that
}
ROWS = pa.schema([("delivery", pa.string()), ("row", pa.int64())]).append(pa.field("month", pa.int16()))
for _column in COLUMNS:
    if _column.name != "month":
        ROWS = ROWS.append(pa.field(_column.name, _KINDS[_column.dtype]))
"""What is kept of a row that keeps the contract: its delivery's hash, its number in it from 1, and its values."""
QUARANTINED = pa.schema([("row", pa.int64()), ("reason", pa.string()), *((name, pa.string()) for name in _NAMES)])
"""What is kept of a row that does not: the text as delivered, and why it was turned away."""


class DeliveryError(ValueError):
    """A file that cannot be taken in; the message says why and what the supplier should do."""


def columns_of(path: Path) -> list[str]:
    """Return the names of a delivery's columns, in its order.

    Raises:
        DeliveryError: It is no CSV or Parquet file, is cut off, or lacks a column without which no row can be kept.
    """
    try:
        if path.suffix == ".parquet":
            with pq.ParquetFile(path) as file:
                names = list(file.schema_arrow.names)
        elif path.suffix == ".csv":
            with path.open("rb") as stream:
                header = stream.readline().decode("utf-8-sig")
                if header:
                    stream.seek(-1, 2)
                if stream.read(1) != b"\n":
                    raise DeliveryError("it does not end with a line end, so it is cut off: deliver it again, whole")
            names = next(csv.reader([header]))
        else:
            raise DeliveryError("it is neither .csv nor .parquet: deliver one of these")
    except (OSError, pa.ArrowException, UnicodeError, csv.Error) as error:
        raise _unreadable(error) from error
    if twice := sorted({name for name in names if name in _NAMES and names.count(name) > 1}):
        raise DeliveryError(f"it has the column {twice[0]} twice: deliver it again with one")
    if absent := [name for name in KEYS if name not in names]:
        raise DeliveryError(f"it has no column {absent[0]} (but {', '.join(names)[:200]}): deliver it again with it")
    return names


def read_text(path: Path, batch_rows: int = 65_536) -> Iterator[pa.Table]:
    """Yield the columns of the schema as text, null where nothing stands, some rows at a time.

    Raises:
        DeliveryError: As `columns_of`; or the file breaks off or is damaged further down.
    """
    names = columns_of(path)
    known = [name for name in names if name in _NAMES]
    try:
        for batch in _batches(path, names, known, batch_rows):
            yield pa.table([batch.column(name).cast(pa.string()) for name in known], names=known)
    except (OSError, pa.ArrowException, UnicodeError) as error:
        raise _unreadable(error) from error


def _batches(path: Path, names: list[str], known: list[str], batch_rows: int) -> Iterator[pa.RecordBatch]:
    if path.suffix == ".parquet":
        with pq.ParquetFile(path, page_checksum_verification=True) as file:
            yield from file.iter_batches(batch_rows, columns=known)
        return
    convert = pa_csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()))
    block = pa_csv.ReadOptions(block_size=max(64 * batch_rows, _SHORTEST_BLOCK), use_threads=False)
    with pa_csv.open_csv(path, read_options=block, convert_options=convert) as reader:
        for batch in reader:
            if any(pc.any(pc.match_substring(column, "\n")).as_py() for column in batch.columns):
                raise DeliveryError("a quote in it is not closed and swallows the rows below: deliver it again, mended")
            yield batch


def _unreadable(error: Exception) -> DeliveryError:
    return DeliveryError(f"it cannot be read ({' '.join(str(error).split())[:200]}): deliver it again, whole")


def put_schema_on(text: pa.Table, connection: duckdb.DuckDBPyConnection) -> tuple[pd.DataFrame, pd.Series]:
    """Make numbers, dates and categories of text.

    Args:
        text: From `read_text`.
        connection: Any; nothing is left in it.

    Returns:
        The rows with the columns of `COLUMNS` (numbers as float64, dates as datetime64, categories as text; a column
        that was not delivered is all missing, but `month` follows from the date), and why each row breaks the
        contract, "" if it does not.
    """
    names = text.column_names
    cells = pa.table([_cleaned(column) for column in text.columns], names=names)
    rows = connection.from_arrow(cells).project(", ".join(f'{_parser(name)} AS "{name}"' for name in names)).df()
    odd = {name: rows[name].isna().to_numpy() & cells[name].is_valid().to_numpy() for name in names}
    # What stands there and is no number or date is another fault than what is missing.
    reason = _reasons(
        rows.assign(**{name: rows[name].astype(object).mask(mark, "?") for name, mark in odd.items() if mark.any()})
    )
    for column in COLUMNS:
        if column.name in rows and column.dtype.startswith("int"):
            part = (rows[column.name] % 1 != 0) | (rows[column.name].abs() >= _LARGEST)
            reason[part & (reason == "")] = f"{column.name} is not a whole number"
    date = rows["applied_on"].dt
    months = (date.year - _START.year) * 12 + (date.month - _START.month)
    reason[(months.abs() >= 2**15) & (reason == "")] = "applied_on is too far from January 2024"
    return rows.reindex(columns=list(_NAMES)).assign(month=months), reason


def _cleaned(column: pa.ChunkedArray) -> pa.ChunkedArray:
    trimmed = pc.utf8_trim_whitespace(column)
    nothing = pc.is_in(pc.utf8_lower(trimmed), value_set=pa.array(MISSING))
    return pc.if_else(nothing, None, trimmed)


def _reasons(rows: pd.DataFrame) -> pd.Series:
    """Return what `bad_rows` says, except that a repeated id is no fault here: the latest version will count."""
    reason = bad_rows(rows)
    again = reason == "duplicated application_id"
    if again.any():
        reason[again] = bad_rows(rows[again].assign(application_id=np.arange(again.sum())))
    return reason


def _parser(name: str) -> str:
    """Return the SQL that makes a value of a cell's text, or NULL if it is none."""
    if name in CATEGORIES:
        return f'"{name}"'
    if name == "applied_on":  # a date; a time of day may follow and is dropped
        day = f'CASE WHEN regexp_matches("{name}", \'^\\d{{4}}-\\d\\d-\\d\\d([T ].*)?$\') THEN left("{name}", 10) END'
        return f"try_strptime({day}, '%Y-%m-%d')"
    return f'try_cast("{name}" AS DOUBLE)'
