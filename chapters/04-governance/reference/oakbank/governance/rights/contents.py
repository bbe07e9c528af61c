"""What is in a file, whatever its name: columns of tables, members of archives, and its bytes as they stand.

A file is recognised by its first bytes. Nothing in it is run: a pickle is bytes like any other.
"""

import bz2
import gzip
import io
import lzma
import sqlite3
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.ipc as ipc
import pyarrow.parquet as pq
from numpy.typing import NDArray

DEPTH = 6
"""How many archives may lie in one another."""
_SQLITE = b"SQLite format 3\x00"
_BROKEN = (
    *(OSError, EOFError, ValueError, LookupError, TypeError, NotImplementedError, RuntimeError, MemoryError),
    *(sqlite3.Error, zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, pa.ArrowException),
)


class ContentError(ValueError):
    """A file that says it is of a kind and cannot be read as such; the message names it."""


@dataclass(frozen=True)
class Column:
    """Values that a file holds in a form of its own."""

    place: str
    values: NDArray[Any]
    """Shape (n,): numbers, or objects."""


@dataclass(frozen=True)
class Raw:
    """Bytes: of a file as it stands, or of what was packed in it."""

    place: str
    content: bytes
    binary: bool
    """Whether numbers may stand in it as a machine has them. They may not where the bytes are compressed."""


Part: TypeAlias = Column | Raw


def parts(content: bytes, place: str = "", depth: int = 0) -> Iterator[Part]:
    """Yield what is in a file.

    Args:
        content: The file.
        place: Where it lies in what holds it; "" for a file of its own.
        depth: How many archives it lies in.

    Raises:
        ContentError: It is damaged, or packed too often.
    """
    kind = next((kind for kind in _KINDS if kind.fits(content)), None)
    yield Raw(place, content, binary=kind is None or kind.plain)
    if kind is None:
        return
    if depth == DEPTH:
        raise ContentError(f"{place}: archives in archives, {DEPTH} deep: unpack it, and look again")
    try:
        for inner, what in kind.read(content):
            where = f"{place} {inner}".strip()
            if isinstance(what, bytes):
                yield from parts(what, where, depth + 1)
            else:
                yield Column(where, what)
    except ContentError:
        raise
    except _BROKEN as error:
        raise ContentError(f"{place} is no whole {kind.name} ({error})".strip()) from error


Inner: TypeAlias = Iterator[tuple[str, bytes | NDArray[Any]]]


@dataclass(frozen=True)
class _Kind:
    name: str
    read: Callable[[bytes], Inner]
    magic: bytes
    at: int = 0
    plain: bool = False
    """Whether its bytes are not compressed, so that what is deleted may still stand there."""

    def fits(self, content: bytes) -> bool:
        return content[self.at : self.at + len(self.magic)] == self.magic


def _parquet(content: bytes) -> Inner:
    table = pq.ParquetFile(pa.BufferReader(content)).read()
    yield from _arrow(table)


def _arrow_file(content: bytes) -> Inner:
    yield from _arrow(ipc.open_file(pa.BufferReader(content)).read_all())


def _arrow(table: pa.Table) -> Inner:
    for name, column in zip(table.column_names, table.columns, strict=True):
        yield f"column {name}", _values(column.to_pandas())
    for key, value in (table.schema.metadata or {}).items():
        yield f"metadata {key.decode('utf-8', 'replace')}", value


def _values(series: "pd.Series[Any]") -> NDArray[Any]:
    if isinstance(series.dtype, pd.CategoricalDtype):  # the values that are there, and those that only could be
        return np.asarray(series.cat.categories)
    return series.to_numpy()


def _sqlite(content: bytes) -> Inner:
    # A file in WAL mode says so in two bytes, and would ask for its log, which a copy in memory does not have.
    plain = content[:18] + b"\x01\x01" + content[20:]
    with closing(sqlite3.connect(":memory:")) as database:
        database.deserialize(plain)
        database.text_factory = bytes
        names = [row[0].decode() for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for name in names:
            found = database.execute(f'SELECT * FROM "{name}"')  # noqa: S608
            columns = [column[0] for column in found.description]
            rows = found.fetchall()
            for place, column in enumerate(columns):
                yield f"table {name} column {column}", _objects([row[place] for row in rows])


def _duckdb(content: bytes) -> Inner:
    import duckdb

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "copy.duckdb")
        path.write_bytes(content)
        with duckdb.connect(str(path), read_only=True) as database:
            tables = database.execute("SELECT schema_name, table_name FROM duckdb_tables()").fetchall()
            for schema, name in tables:
                frame = database.execute(f'SELECT * FROM "{schema}"."{name}"').df()  # noqa: S608
                for column in frame:
                    yield f"table {name} column {column}", _values(frame[column])


def _npy(content: bytes) -> Inner:
    yield "array", np.load(io.BytesIO(content), allow_pickle=False).reshape(-1)


def _zip(content: bytes) -> Inner:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for member in archive.infolist():
            yield f"member {member.filename}", archive.read(member)


def _tar(content: bytes) -> Inner:
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for member in archive:
            if (stream := archive.extractfile(member)) is not None:
                yield f"member {member.name}", stream.read()


def _unpacked(unpack: Callable[[bytes], bytes]) -> Callable[[bytes], Inner]:
    def read(content: bytes) -> Inner:
        yield "unpacked", unpack(content)

    return read


def _zstd(content: bytes) -> bytes:
    with pa.CompressedInputStream(pa.BufferReader(content), "zstd") as stream:
        return bytes(stream.read())


def _objects(values: list[Any]) -> NDArray[Any]:
    array = np.empty(len(values), dtype=object)
    array[:] = values
    return array


_KINDS = (
    _Kind("Parquet file", _parquet, b"PAR1"),
    _Kind("Arrow file", _arrow_file, b"ARROW1"),
    _Kind("SQLite file", _sqlite, _SQLITE, plain=True),
    _Kind("DuckDB file", _duckdb, b"DUCK", at=8, plain=True),
    _Kind("NumPy array", _npy, b"\x93NUMPY", plain=True),
    _Kind("zip", _zip, b"PK\x03\x04"),
    _Kind("gzip", _unpacked(gzip.decompress), b"\x1f\x8b\x08"),
    _Kind("bzip2", _unpacked(bz2.decompress), b"BZh"),
    _Kind("xz", _unpacked(lzma.decompress), b"\xfd7zXZ\x00"),
    _Kind("zstd", _unpacked(_zstd), b"\x28\xb5\x2f\xfd"),
    _Kind("tar", _tar, b"ustar", at=257, plain=True),
)
