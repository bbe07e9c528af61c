"""Search by value: every form in which somebody's data may lie about is found, and a neighbour's is not."""

import bz2
import gzip
import hashlib
import io
import json
import lzma
import pickle
import sqlite3
import tarfile
import zipfile
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest
from deltalake import DeltaTable, write_deltalake

from oakbank.governance.rights import search
from oakbank.governance.rights.scan import SearchError

ID, OTHER = 1_040_000_123, 1_040_000_124
NAME, NUMBER = "Zoë Halstein", "C0123456789"
RATIO = 0.16242074966430664
"""A float32, as a float64."""
VALUES = [ID, NAME, NUMBER, RATIO]


def table(*ids: int) -> pd.DataFrame:
    return pd.DataFrame({"application_id": list(ids), "burden": [0.5] * len(ids)})


def sqlite_with_a_deleted_row(folder: Path) -> None:
    with closing(sqlite3.connect(folder / "old.db")) as database:
        database.execute("PRAGMA secure_delete = OFF")  # as SQLite is by itself; Debian's overwrites
        database.execute("CREATE TABLE t (application INTEGER, filler TEXT)")
        database.executemany("INSERT INTO t VALUES (?, ?)", [(ID - 7 + n, "x" * 300) for n in range(100)])
        database.commit()
        database.execute("DELETE FROM t WHERE application = ?", [ID])
        database.commit()


def sqlite_in_its_log(folder: Path) -> None:
    """A row that is in the file beside the database only: as a copy that was made while a program had it open."""
    with closing(sqlite3.connect(folder / "live.db")) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE t (name TEXT)")
        database.commit()
        database.execute("INSERT INTO t VALUES (?)", [NAME])
        database.commit()
        log = (folder / "live.db-wal").read_bytes()
    (folder / "live.db-wal").write_bytes(log)


def delta_with_an_old_version(folder: Path) -> None:
    write_deltalake(str(folder / "d"), table(ID, OTHER))
    DeltaTable(str(folder / "d")).delete(f"application_id = {ID}")


def delta_after_vacuum(folder: Path) -> None:
    """The files of the old version are gone, and the log still has the smallest and the largest value of each."""
    delta_with_an_old_version(folder)
    DeltaTable(str(folder / "d")).vacuum(retention_hours=0, enforce_retention_duration=False, dry_run=False)
    assert len(list((folder / "d").glob("*.parquet"))) == 1


def duckdb_file(folder: Path) -> None:
    with duckdb.connect(str(folder / "x.duckdb")) as database:
        database.execute("CREATE TABLE t AS SELECT ?::BIGINT AS application", [ID])


def archive(folder: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("a/b.txt", f"dear {NAME}, " * 3)
    with tarfile.open(folder / "old.tar.gz", "w:gz") as outer:
        member = tarfile.TarInfo("inner.zip")
        member.size = len(inner.getvalue())
        outer.addfile(member, io.BytesIO(inner.getvalue()))


PLANTS: dict[str, Callable[[Path], object]] = {
    "parquet": lambda f: table(ID).to_parquet(f / "no-ending"),
    "feather": lambda f: table(ID).to_feather(f / "x.feather"),
    "float32 in parquet": lambda f: pd.DataFrame({"b": np.array([RATIO], np.float32)}).to_parquet(f / "x"),
    "categories nobody has": lambda f: pd.DataFrame({"n": pd.Categorical(["a"], ["a", NAME])}).to_parquet(f / "x"),
    "csv": lambda f: table(ID).to_csv(f / "x.csv"),
    "json": lambda f: (f / "x.json").write_text(json.dumps({"name": NAME})),
    "json of ten digits": lambda f: (f / "x.json").write_text(pd.DataFrame({"b": [RATIO]}).to_json()),
    "jsonl.gz": lambda f: (f / "x.gz").write_bytes(gzip.compress(f'{{"application": {ID}}}\n'.encode())),
    "bzip2": lambda f: (f / "x").write_bytes(bz2.compress(NUMBER.encode())),
    "xz": lambda f: (f / "x").write_bytes(lzma.compress(NUMBER.encode())),
    "zip in tar.gz": archive,
    "npy": lambda f: np.save(f / "x.npy", np.array([OTHER, ID])),
    "npz": lambda f: np.savez_compressed(f / "x.npz", a=np.array([[RATIO, 1.0]], np.float32)),
    "pickle": lambda f: (f / "x.pkl").write_bytes(pickle.dumps({"rows": np.array([ID, OTHER])})),
    "name of a file": lambda f: (f / f"letter-{ID}.pdf").write_bytes(b"%PDF"),
    "UTF-16": lambda f: (f / "x.txt").write_bytes(NAME.encode("utf-16")),
    "lower case": lambda f: (f / "x.txt").write_text(NAME.lower()),
    "plain hash": lambda f: (f / "x.txt").write_text(hashlib.sha256(NUMBER.encode()).hexdigest()),
    "SQLite, deleted": sqlite_with_a_deleted_row,
    "SQLite's log": sqlite_in_its_log,
    "DuckDB": duckdb_file,
    "Delta, old version": delta_with_an_old_version,
    "Delta, statistics": delta_after_vacuum,
    "a hidden file": lambda f: (f / ".x.tmp").write_text(str(ID)),
}


@pytest.mark.parametrize("plant", PLANTS.values(), ids=PLANTS)
def test_found_wherever_it_lies(tmp_path: Path, plant: Callable[[Path], object]) -> None:
    plant(tmp_path)
    found = search(tmp_path, VALUES)
    assert found
    assert {one.value for one in found} <= {str(value) for value in VALUES}


def test_neighbours_are_not_found(tmp_path: Path) -> None:
    table(OTHER, ID * 10, int(f"9{ID}")).to_parquet(tmp_path / "a.parquet")
    table(OTHER).to_csv(tmp_path / "b.csv")
    (tmp_path / "c.txt").write_text(f"Zoë Halsteiner, {NUMBER}0, {ID}9, 0.16242, x{OTHER}\n")
    sqlite_with_a_deleted_row(tmp_path)
    assert search(tmp_path, [ID + 1000, "Zoë Halst", "C012345678", 0.162430]) == []


def test_says_where_and_how_often(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    table(ID, OTHER, ID).to_parquet(tmp_path / "a" / "t.parquet")
    (found,) = search(tmp_path, [ID])
    assert (found.path, found.place, found.value, found.times) == ("a/t.parquet", "column application_id", str(ID), 2)
    assert search(tmp_path, [ID], skip=[tmp_path / "a" / "t.parquet"]) == []


@pytest.mark.parametrize(
    "content", [b"PK\x03\x04 torn", b"\x1f\x8b\x08 torn", b"PAR1 torn", b"SQLite format 3\x00 torn"]
)
def test_what_cannot_be_looked_into_proves_nothing(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "torn").write_bytes(content)
    with pytest.raises(SearchError, match=r"1 files cannot be looked into.*torn"):
        search(tmp_path, VALUES)


@pytest.mark.parametrize(
    ("values", "why"), [([], "no value"), (["Al"], "too short"), ([""], "too short"), ([42], "short")]
)
def test_values_that_say_nothing_are_refused(tmp_path: Path, values: list[str | int], why: str) -> None:
    with pytest.raises(SearchError, match=why):
        search(tmp_path, values)


def test_a_folder_that_is_not_there_is_no_proof(tmp_path: Path) -> None:
    with pytest.raises(SearchError, match="no folder"):
        search(tmp_path / "none", VALUES)
