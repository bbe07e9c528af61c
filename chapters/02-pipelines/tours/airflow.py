# /// script
# requires-python = ">=3.11,<3.14"
# dependencies = [
#     "apache-airflow", "apache-airflow-providers-standard",
#     "duckdb", "filelock", "lightgbm", "numpy", "pandas<3", "pyarrow", "pydantic", "pyyaml", "scikit-learn",
# ]
# ///
"""Tour of Airflow: the training pipeline of lesson 08 as a DAG, a step that fails once, a run for one day.

    python3 bootstrap.py tour airflow

Airflow's own database and scheduler's test run, on this machine; no account.
"""

import contextlib
import inspect
import os
import sqlite3
import subprocess
import sys
import tempfile
from pathlib import Path

FOLDER = tempfile.TemporaryDirectory()  # everything goes there, what the client would put into your home too
os.environ |= {"HOME": FOLDER.name, "USERPROFILE": FOLDER.name}
ROOT = Path(__file__).resolve().parents[3]
# A tour may have the name of the package that it imports: its own folder must not be searched.
sys.path[0] = str(ROOT)
PARTS = ("01-intro/reference", "02-pipelines/reference", "02-pipelines/tours/task")
sys.path[1:1] = [str(ROOT / "chapters" / part) for part in PARTS]

from training import Steps, by_ourselves, prepare

from course.tour import Tour

# ruff: noqa: E402


def solve():
    """The DAG, as it stands in the folder of DAGs."""
    import datetime
    import os
    from pathlib import Path

    from airflow.sdk import dag, task
    from training import Steps

    home = Path(os.environ["OAKBANK_HOME"])

    @dag(schedule="0 2 * * *", start_date=datetime.datetime(2026, 1, 1), catchup=False)
    def oakbank_training():
        @task(retries=2, retry_delay=datetime.timedelta(seconds=1))
        def ingest():
            failed = home / "failed-once"
            if not failed.exists():
                failed.touch()
                raise OSError("the lake did not answer")
            Steps(home).ingest()

        chain = ingest()
        for name in ("validate", "features", "train", "evaluate"):
            chain >> (chain := task(getattr(Steps(home), name), task_id=name)())

    return oakbank_training()


def airflow(*arguments: str, folder: Path) -> str:
    """Run Airflow's command in a home of its own; return what it printed."""
    environment = os.environ | {
        "AIRFLOW_HOME": str(folder / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(folder / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "AIRFLOW__LOGGING__LOGGING_LEVEL": "WARNING",
        "OAKBANK_HOME": str(folder),
        "PYTHONPATH": os.pathsep.join(sys.path[: 1 + len(PARTS)]),
    }
    program = Path(sys.executable).with_name("airflow")
    done = subprocess.run([program, *arguments], env=environment, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise RuntimeError(f"airflow {' '.join(arguments)} failed:\n{(done.stdout + done.stderr)[-3000:]}")
    return done.stdout + done.stderr


def main() -> None:
    """Run the tour."""
    tour = Tour("Airflow", "apache-airflow")
    with FOLDER as home:
        folder = Path(home)
        lake = prepare(folder)
        wanted = tour.plain("`run_training` in one process", lambda: by_ourselves(lake, folder))
        (folder / "dags").mkdir()
        (folder / "dags" / "training_dag.py").write_text(f"{inspect.getsource(solve)}\n\nsolve()\n", encoding="utf-8")
        airflow("db", "migrate", folder=folder)
        tour.system_does(lambda: airflow("dags", "test", "oakbank_training", "2026-01-02", folder=folder))
        with contextlib.closing(sqlite3.connect(folder / "airflow" / "airflow.db")) as database:
            rows = database.execute("SELECT task_id, state, try_number FROM task_instance ORDER BY end_date").fetchall()
        tour.say("its database tells: " + "; ".join(f"{name} {state}, try {tries}" for name, state, tries in rows))
        if [row[1] for row in rows] != ["success"] * 5 or rows[0] != ("ingest", "success", 2):
            raise RuntimeError("not every task ended well, or the one that failed was not tried again")
        if Steps(folder).model() != wanted:
            raise RuntimeError("the model is not the one of run_training")
        tour.say("the model is byte for byte that of run_training")
    tour.end(
        stores="each run and try of each task with its log, in a SQL database; data stays where your tasks put it",
        asks="a database, a scheduler, a DAG processor and an API server that run all the time; each task pays a start",
        not_proven="no scheduler started it at two o'clock, no two tasks ran at once: it is a test run in one process",
        real=("put the DAG into the folder or the git bundle of a deployment", "airflow dags trigger oakbank_training"),
    )


if __name__ == "__main__":
    main()
