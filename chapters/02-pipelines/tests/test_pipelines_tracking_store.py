"""MLflow's tables as they are written down are those that its migrations make."""

import sqlite3
import tomllib
from pathlib import Path

import pytest
from mlflow import MlflowClient

from authoring.repository import ROOT
from oakbank.pipelines import tracking_store
from oakbank.pipelines.tracking_store import SCHEMA, close_databases, create_database, header, migrated_schema
from oakbank.world.files import sqlite_url


def lines(sql: str) -> list[str]:
    """Return what a schema says, in no order: MLflow's migrations go through sets."""
    return sorted(line.strip().rstrip(",") for line in sql.splitlines())


def without_experiment(database: Path) -> list[str]:
    """Return a database's statements without its default experiment, which has a time and a place."""
    with sqlite3.connect(database) as connection:
        return [line for line in lines("\n".join(connection.iterdump())) if 'INSERT INTO "experiments"' not in line]


def test_the_written_schema_is_that_of_the_lock_files_mlflow() -> None:
    """After a new MLflow: `python3 bootstrap.py exec python -m oakbank.pipelines.tracking_store`."""
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    [version] = [package["version"] for package in lock["package"] if package["name"] == "mlflow"]
    assert f" MLflow {version} " in SCHEMA.read_text(encoding="utf-8").splitlines()[0]


def test_a_store_made_from_it_is_one_that_was_migrated(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Another version's schema is not used: MLflow's migrations then make the same store."""
    text = SCHEMA.read_text(encoding="utf-8")
    assert lines(text) == lines(migrated_schema())
    (tmp_path / "other.sql").write_text(
        text.replace(header(), "-- made from MLflow 0.1\n") + "not SQL", encoding="utf-8"
    )
    written, migrated = tmp_path / "written" / "mlflow.db", tmp_path / "migrated" / "mlflow.db"
    for database in (written, migrated):
        database.parent.mkdir()
        create_database(database)
        monkeypatch.setattr(tracking_store, "SCHEMA", tmp_path / "other.sql")
    assert len(written_schema := without_experiment(written)) > 500
    assert written_schema == without_experiment(migrated)


def test_a_closed_database_is_opened_again_by_its_name(tmp_path: Path) -> None:
    """A grader forks after it, and its child has copies of the files under the same names."""
    database, other = tmp_path / "mlflow.db", tmp_path / "other.db"
    for path, name in ((database, "as it was"), (other, "as copied")):
        create_database(path)
        client = MlflowClient(sqlite_url(path))
        client.create_experiment(name)
        assert client.get_experiment_by_name(name)
    close_databases()
    other.replace(database)
    assert MlflowClient(sqlite_url(database)).get_experiment_by_name("as copied")
