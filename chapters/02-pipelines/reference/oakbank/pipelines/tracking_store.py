"""MLflow's database, made in a moment: its tables are written down, so that no migration has to run.

MLflow makes a new SQLite store by running every migration since its first release, which takes seconds.
`python -m oakbank.pipelines.tracking_store` runs them once and writes what came out to `tracking_store.sql`; a store of
the same version is made from that, one of another version by MLflow's migrations.
"""

import logging
import shutil
import sqlite3
import tempfile
from pathlib import Path

from oakbank.world.files import sqlite_url

SCHEMA = Path(__file__).with_name("tracking_store.sql")


def create_database(database: Path) -> None:
    """Make an empty store aside and move it in place, so that a kill leaves no half-made one.

    Its default experiment keeps artefacts in `artifacts/` beside it. The caller holds a lock on the folder.
    """
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore

    # The migrations are told line by line otherwise.
    logging.getLogger("mlflow.store.db.utils").setLevel(logging.WARNING)
    for stale in database.parent.glob(".create.*/"):  # of a process that was killed
        shutil.rmtree(stale)
    scratch = Path(tempfile.mkdtemp(dir=database.parent, prefix=".create."))
    try:
        fresh = scratch / "mlflow.db"
        text = SCHEMA.read_text(encoding="utf-8")
        if text.startswith(header()):
            with sqlite3.connect(fresh) as connection:
                connection.executescript(text)
            connection.close()
        artifacts = (database.parent / "artifacts").as_uri()
        store = SqlAlchemyStore(sqlite_url(fresh), artifacts)  # type: ignore[no-untyped-call]
        store.engine.dispose()
        fresh.replace(database)
    finally:
        shutil.rmtree(scratch)


def close_databases() -> None:
    """Close the connections that MLflow keeps open in this process: one that is forked from it must open its own."""
    from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore as RegistryStore
    from mlflow.store.tracking.sqlalchemy_store import SqlAlchemyStore as TrackingStore

    for engine in (*RegistryStore._engine_map.values(), *TrackingStore._engine_map.values()):
        engine.dispose()


def header() -> str:
    """Return the first line of the schema of the MLflow that is installed."""
    from mlflow.version import VERSION

    return f"-- made from MLflow {VERSION} by `python -m oakbank.pipelines.tracking_store`; do not edit\n"


def migrated_schema() -> str:
    """Run MLflow's migrations on an empty database and return the tables as SQL.

    The order of indexes and constraints is that of Python sets: another in each process.
    """
    from mlflow.store.db.utils import _initialize_tables, create_sqlalchemy_engine

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "mlflow.db")
        engine = create_sqlalchemy_engine(sqlite_url(path))  # type: ignore[no-untyped-call]
        _initialize_tables(engine)  # type: ignore[no-untyped-call]
        engine.dispose()
        connection = sqlite3.connect(path)
        lines = [line.rstrip() for statement in connection.iterdump() for line in statement.splitlines()]
        connection.close()
    return header() + "\n".join(lines) + "\n"


if __name__ == "__main__":
    SCHEMA.write_text(migrated_schema(), encoding="utf-8", newline="\n")
