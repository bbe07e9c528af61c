"""Rows of which only a few are in memory: Parquet read by batches, written by row groups, and a database on the disk.

Whatever the length of the pieces, the bytes written are the same: they depend on the rows alone.
"""

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from oakbank.world import CATEGORIES, LakeError
from oakbank.world.files import whole

if TYPE_CHECKING:
    import duckdb

BATCH = 8_192
"""Rows read at a time. No result depends on it."""
GROUP = 16_384
"""Rows in each row group that is written, but for the last: as many as wait in memory."""
MEMORY = "128MB"
"""What the database may hold in memory; the rest of it is on the disk."""

_DAMAGED = (OSError, ValueError, LookupError, TypeError, NotImplementedError)
"""What pyarrow raises on damaged bytes."""


@contextmanager
def _opened(path: Path) -> Iterator[pq.ParquetFile]:
    try:
        with path.open("rb") as stream:
            # pre_buffer would hold all of a file's compressed columns, whatever the size of a batch.
            yield pq.ParquetFile(stream, page_checksum_verification=True, pre_buffer=False)
    except FileNotFoundError:
        raise LakeError(f"{path} is missing: run the step that writes it") from None
    except _DAMAGED as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # a matter of the disk, not of the file's bytes
        raise LakeError(
            f"{path} cannot be read ({error}): it is truncated or not Parquet; delete it and run again"
        ) from error


def read_schema(path: Path) -> pa.Schema:
    """Return names and types of a file's columns.

    Raises:
        LakeError: The file is missing or damaged.
    """
    with _opened(path) as file:
        return file.schema_arrow.remove_metadata()


def read_batches(path: Path, columns: Sequence[str] | None = None) -> Iterator[pa.Table]:
    """Yield the rows of a file in order, `BATCH` at a time.

    Args:
        path: A Parquet file.
        columns: The columns wanted, in the order wanted; None: all.

    Raises:
        LakeError: The file is missing, damaged (each page has a checksum) or has no such column.
        OSError: The file is there but may not be read.
    """
    with _opened(path) as file:
        names = list(columns or file.schema_arrow.names)
        if missing := set(names) - set(file.schema_arrow.names):
            raise LakeError(f"{path} has no column {sorted(missing)[0]}: delete it and run again")
        for batch in file.iter_batches(BATCH, columns=names, use_threads=False):
            yield pa.Table.from_batches([batch]).select(names)


def read_columns(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    """Return a few columns of all rows; raises as `read_batches` does."""
    frame: pd.DataFrame = pa.concat_tables(read_batches(path, columns)).to_pandas()
    return frame


def read_floats(path: Path, columns: Sequence[str]) -> NDArray[np.float32]:
    """Return columns as LightGBM reads them without a copy: shape (n, len(columns)), float32, in C order.

    Raises as `read_batches` does.
    """
    with _opened(path) as file:
        floats = np.empty((file.metadata.num_rows, len(columns)), dtype=np.float32)
    start = 0
    for batch in read_batches(path, columns):
        for position, name in enumerate(columns):
            floats[start : start + len(batch), position] = batch[name].to_numpy()
        start += len(batch)
    return floats


class RowWriter:
    """Takes tables of any length and writes row groups of exactly `GROUP` rows; see `write_rows`."""

    def __init__(self, file: pq.ParquetWriter, schema: pa.Schema, categories: Mapping[str, Sequence[str]]) -> None:
        self.rows = 0
        """Rows taken so far."""
        self._file, self._schema, self._categories = file, schema, categories
        self._waiting: list[pa.Table] = []
        self._written = 0

    def write(self, table: pa.Table) -> None:
        """Take rows that have (at least) the schema's columns, of types that can be cast to the schema's."""
        plain = [
            table[field.name].cast(field.type.value_type if pa.types.is_dictionary(field.type) else field.type)
            for field in self._schema
        ]
        self._waiting.append(pa.table(plain, names=self._schema.names))
        self.rows += len(table)
        if self.rows - self._written >= GROUP:
            rows = pa.concat_tables(self._waiting)
            for start in range(0, len(rows) - GROUP + 1, GROUP):
                self._write_group(rows.slice(start, GROUP))
            self._waiting = [rows.slice(len(rows) - len(rows) % GROUP)]

    def end(self) -> None:
        """Write the rows that still wait."""
        if self.rows > self._written:
            self._write_group(pa.concat_tables(self._waiting))

    def _write_group(self, rows: pa.Table) -> None:
        columns = [
            self._coded(rows[field.name], field) if pa.types.is_dictionary(field.type) else rows[field.name]
            for field in self._schema
        ]
        self._file.write_table(pa.table(columns, schema=self._schema), row_group_size=GROUP)
        self._written += len(rows)

    def _coded(self, values: pa.ChunkedArray, field: pa.Field) -> pa.DictionaryArray:
        """Return a column as codes into its known categories; an unknown one comes after them."""
        known = list(self._categories.get(field.name.removeprefix("_"), ()))
        unknown = [value for value in pc.unique(values).to_pylist() if value is not None and value not in known]
        words = pa.array(known + unknown, field.type.value_type)
        codes = pc.index_in(values.combine_chunks(), words).cast(field.type.index_type)
        return pa.DictionaryArray.from_arrays(codes, words)


@contextmanager
def write_rows(
    path: Path, schema: pa.Schema, categories: Mapping[str, Sequence[str]] = CATEGORIES
) -> Iterator[RowWriter]:
    """Open a Parquet file to be written piece by piece, whole or not at all: if the block raises, the old one stays.

    Args:
        path: The file.
        schema: Its columns.
        categories: The values of a dictionary column, in their order, by its name (without the `_` of a label).

    Raises:
        OSError: The disk is full or the folder cannot be written.
    """
    with whole(path) as stream, pq.ParquetWriter(stream, schema, compression="zstd", write_page_checksum=True) as file:
        writer = RowWriter(file, schema, categories)
        yield writer
        writer.end()


@contextmanager
def scratch(folder: Path) -> "Iterator[duckdb.DuckDBPyConnection]":
    """Open a DuckDB database in a file that goes with the block: what exceeds `MEMORY` is on the disk."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".scratch-", dir=folder) as name:
        settings: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": MEMORY,
            "threads": 1,
            "temp_directory": name,
            "autoinstall_known_extensions": False,
        }
        import duckdb  # only where it is needed: serving imports this package too

        with duckdb.connect(f"{name}/rows.duckdb", config=settings) as database:
            yield database


def insert(database: "duckdb.DuckDBPyConnection", table: str, rows: pa.Table) -> None:
    """Append rows to a table of the database, by position of the columns."""
    database.from_arrow(rows).insert_into(table)


def repeated(path: Path, column: str, folder: Path) -> NDArray[np.int64]:
    """Return which rows have a value that an earlier row had: their positions, in order, and that of the first one.

    Args:
        path: A Parquet file.
        column: The column whose values should be unique. Rows that lack it repeat nothing.
        folder: Where the database may keep what does not fit into memory.

    Returns:
        Shape (k, 2), counted from 0: a row that repeats, and the first row that it repeats.

    Raises:
        LakeError: The file cannot be read.
    """
    position = 0
    with scratch(folder) as database:
        for batch in read_batches(path, [column]):
            places = pa.array(np.arange(position, position + len(batch)))
            rows = database.from_arrow(pa.table({"value": batch[column], "place": places}))
            if position:
                rows.insert_into("seen")
            else:
                rows.create("seen")
            position += len(batch)
        if not position:
            return np.zeros((0, 2), dtype=np.int64)
        found = database.execute(
            "SELECT place, first FROM seen JOIN (SELECT value, min(place) AS first FROM seen GROUP BY value "
            "HAVING count(*) > 1) USING (value) WHERE place > first ORDER BY place"
        ).fetchnumpy()
        return np.column_stack([found["place"], found["first"]]).astype(np.int64)
