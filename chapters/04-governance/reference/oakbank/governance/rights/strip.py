"""A file without some people: their rows, lines, members, or all of it."""

import csv
import gzip
import io
import json
import sqlite3
import zipfile
from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from pathlib import PurePath
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from oakbank.governance.rights.people import Person
from oakbank.pipelines import FEATURE_NAMES

KEYS = ("application_id", "_application_id", "application")
"""Columns that name an application."""
_TABLES = {"outbox": "application_id", "decisions": "application_id", "applications": "application_id"}
_TABLES |= {"customers": "number"}
"""Of the bank's SQLite files, in the order in which rows may be deleted, with what tells whose a row is."""
REGISTER = frozenset({"applications", "customers"})
"""Tables of the register."""
Owned: TypeAlias = list[tuple[str, dict[str, Any]]]
"""Rows with the number of the customer whose they are."""
Stripped: TypeAlias = tuple[Owned, bytes | None]
"""What was taken out, and the file without it; None: nothing is left."""


class StripError(ValueError):
    """A file of a kind that cannot be taken apart; the message says what to do."""


class People:
    """Some people, to be recognised in rows.

    Args:
        persons: Who.
        kept: Numbers of those whose contract the law keeps: of them, the register is left as it is.
    """

    def __init__(self, persons: Sequence[Person], kept: Collection[str] = ()) -> None:
        self.persons, self.kept = tuple(persons), frozenset(kept)
        self.by_application = {one: person.number for person in persons for one in person.applications}
        self.by_features = {_key(row): person.number for person in persons for row in person.features}
        self.numbers = {person.number for person in persons}

    def owners(self, frame: pd.DataFrame) -> NDArray[np.object_]:
        """Return whose each row of a table is, "" for nobody's: by an application's id, or by all its features."""
        owner = np.full(len(frame), "", dtype=object)
        for key in KEYS:
            if key in frame:
                theirs = frame[key].isin(self.by_application.keys()).to_numpy()
                owner[theirs] = [self.by_application[int(one)] for one in frame.loc[theirs, key]]
        if not {*KEYS} & {*frame} and {*FEATURE_NAMES} <= {*frame}:
            rows = frame[list(FEATURE_NAMES)].to_numpy(np.float64)
            owner[:] = [self.by_features.get(_key(row), "") for row in rows]
        return owner

    def owner(self, row: dict[str, Any]) -> str:
        """Return whose a row is, "" for nobody's."""
        if row.get("customer") in self.numbers:
            return str(row["customer"])
        return next((self.by_application[row[key]] for key in KEYS if row.get(key) in self.by_application), "")


def _key(features: Sequence[float] | NDArray[np.float64]) -> tuple[str, ...]:
    # Six digits: MLflow writes ten places after the point, which is not always all of a float32.
    return tuple(f"{value:.6g}" for value in np.asarray(features, dtype=np.float32).tolist())


def strip(name: str, content: bytes, people: People) -> Stripped:
    """Return what a file holds of people, and the file without it. The same bytes if it holds nothing.

    Args:
        name: Of the file; its ending says what it is.
        content: Its bytes.
        people: Whose rows.

    Raises:
        StripError: The ending is none that is known.
    """
    kind = _KINDS.get(PurePath(name).suffix)
    if kind is None:
        raise StripError(f"{name}: nobody has said how to erase from such a file; add it to `strip`")
    return kind(name, content, people)


def _parquet(_: str, content: bytes, people: People) -> Stripped:
    frame: pd.DataFrame = pq.ParquetFile(pa.BufferReader(content)).read().to_pandas()
    owners = people.owners(frame)
    if not (owners != "").any():
        return [], content
    stream = io.BytesIO()
    rest = pa.Table.from_pandas(frame[owners == ""].reset_index(drop=True), preserve_index=False)
    pq.write_table(rest, stream, compression="zstd", write_page_checksum=True)
    return _owned(frame, owners), stream.getvalue()


def _owned(frame: pd.DataFrame, owners: NDArray[np.object_]) -> Owned:
    theirs = owners != ""
    return list(zip(owners[theirs], frame[theirs].to_dict("records"), strict=True))


def _csv(_: str, content: bytes, people: People) -> Stripped:
    head, *lines = content.decode().splitlines(keepends=True)
    rows = list(csv.DictReader(io.StringIO(content.decode(), newline="")))
    owners = [people.by_application.get(int(row["application_id"]), "") for row in rows]
    found = [(owner, row) for owner, row in zip(owners, rows, strict=True) if owner]
    kept = [line for line, owner in zip(lines, owners, strict=True) if not owner]
    return list(found), "".join([head, *kept]).encode()


def _jsonl(_: str, content: bytes, people: People) -> Stripped:
    lines = content.decode().splitlines(keepends=True)
    rows = [json.loads(line) for line in lines]
    owners = [people.owner(row) for row in rows]
    kept = [line for line, owner in zip(lines, owners, strict=True) if not owner]
    return [(owner, row) for owner, row in zip(owners, rows, strict=True) if owner], "".join(kept).encode()


def _json(_: str, content: bytes, people: People) -> Stripped:
    """Tables that MLflow keeps: `{"columns": …, "data": …}`, alone or within `dataframe_split`."""
    document = json.loads(content)
    table = document.get("dataframe_split", document) if isinstance(document, dict) else {}
    if not {"columns", "data"} <= {*table}:
        return [], content
    frame = pd.DataFrame(table["data"], columns=table["columns"])
    owners = people.owners(frame)
    if not (owners != "").any():
        return [], content
    table["data"] = [row for row, owner in zip(table["data"], owners, strict=True) if not owner]
    if "index" in table:
        table["index"] = list(range(len(table["data"])))
    return _owned(frame, owners), json.dumps(document).encode()


def _text(_: str, content: bytes, people: People) -> Stripped:
    for person in people.persons:
        names = (person.number, person.email, *map(str, person.applications))
        if any(one.encode() in content for one in names):
            return [(person.number, {"text": content.decode()})], None
    return [], content


def _gzip(name: str, content: bytes, people: People) -> Stripped:
    inner = gzip.decompress(content)
    found, rest = strip(PurePath(name).stem, inner, people)
    return found, content if rest == inner else None if rest is None else gzip.compress(rest, mtime=0)


def _zip(_: str, content: bytes, people: People) -> Stripped:
    found, stream, changed = Owned(), io.BytesIO(), False
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(stream, "w") as new:
        for member in old.infolist():
            before = old.read(member)
            theirs, rest = strip(member.filename, before, people)
            found += [(owner, {"in": member.filename, **row}) for owner, row in theirs]
            changed |= rest != before
            if rest is not None:
                new.writestr(member, rest)
    return found, stream.getvalue() if changed else content


def _sqlite(_: str, content: bytes, people: People) -> Stripped:
    with closing(sqlite3.connect(":memory:")) as database:
        database.deserialize(content)
        found = owned_rows(database, people)
        return found, database.serialize() if delete_rows(database, people) else content


def owned_rows(database: sqlite3.Connection, people: People) -> Owned:
    """Return people's rows in the tables that are there."""
    there = {row[0] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
    found = Owned()
    for table, column in _TABLES.items():
        if table in there:
            rows = database.execute(f"SELECT * FROM {table}")  # noqa: S608
            names = [part[0] for part in rows.description]
            place, owners = names.index(column), people.by_application if column != "number" else None
            for row in rows:
                key = row[place]
                owner = (key if key in people.numbers else "") if owners is None else owners.get(key, "")
                if owner:
                    found.append((owner, {"table": table, **dict(zip(names, row, strict=True))}))
    return found


def delete_rows(database: sqlite3.Connection, people: People) -> bool:
    """Delete people's rows from the tables that are there, and leave no byte of them; return whether there were any.

    The file is written anew also where there were none: a call may have been killed between the deletion and that.
    """
    database.execute("PRAGMA secure_delete = ON")
    gone = [
        (row["table"], row[_TABLES[row["table"]]])
        for owner, row in owned_rows(database, people)
        if owner not in people.kept or row["table"] not in REGISTER
    ]
    with database:
        for table, key in gone:
            database.execute(f"DELETE FROM {table} WHERE {_TABLES[table]} = ?", [key])  # noqa: S608
    database.execute("VACUUM")
    return bool(gone)


_KINDS: dict[str, Callable[[str, bytes, People], Stripped]] = {
    ".parquet": _parquet,
    ".csv": _csv,
    ".jsonl": _jsonl,
    ".json": _json,
    ".txt": _text,
    ".gz": _gzip,
    ".zip": _zip,
    ".db": _sqlite,
}
