# /// script
# requires-python = ">=3.11,<3.14"
# dependencies = [
#     "fastapi<0.153", "prefect",
#     "duckdb", "filelock", "lightgbm", "numpy", "pandas<3", "pyarrow", "pydantic", "pyyaml", "scikit-learn",
# ]
# ///
"""Tour of Prefect: the training pipeline of lesson 08 as a flow, with a step that fails once.

    python3 bootstrap.py tour prefect

Prefect starts a server of its own for the run, on this machine; no account.
"""

import os
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

from training import Steps, by_ourselves, prepare  # noqa: E402

from base.quiet import quiet  # noqa: E402
from course.tour import Tour  # noqa: E402

quiet()  # before Prefect reads its settings
os.environ |= {
    "PREFECT_HOME": str(Path(FOLDER.name) / "prefect"),
    "PREFECT_LOGGING_LEVEL": "ERROR",
    "PREFECT_SERVER_ALLOW_EPHEMERAL_MODE": "true",
    "PREFECT_SERVER_EPHEMERAL_STARTUP_TIMEOUT_SECONDS": "180",
}
from prefect import flow, task  # noqa: E402
from prefect.client.orchestration import get_client  # noqa: E402
from prefect.client.schemas.sorting import TaskRunSort  # noqa: E402


def solve(home: Path) -> None:
    """Run the pipeline as a flow."""

    @task(retries=2, retry_delay_seconds=1)
    def ingest() -> None:
        failed = home / "failed-once"
        if not failed.exists():
            failed.touch()
            raise OSError("the lake did not answer")
        Steps(home).ingest()

    @flow
    def oakbank_training() -> None:
        ingest()
        for name in ("validate", "features", "train", "evaluate"):
            task(getattr(Steps(home), name), name=name)()

    oakbank_training()


def states() -> list[tuple[str, str, int]]:
    """Return name, state and number of starts of each task, as the server knows them."""
    with get_client(sync_client=True) as client:
        runs = client.read_task_runs(sort=TaskRunSort.END_TIME_DESC, limit=100)
    return [
        (run.name.rsplit("-", 1)[0], run.state_name or "", run.run_count)
        for run in sorted(runs, key=lambda run: run.start_time)
    ]


def main() -> None:
    """Run the tour."""
    tour = Tour("Prefect", "prefect")
    with FOLDER as home:
        folder = Path(home)
        lake = prepare(folder)
        wanted = tour.plain("`run_training` in one process", lambda: by_ourselves(lake, folder))
        tour.system_does(lambda: solve(folder))
        rows = states()
        tour.say("its server tells: " + "; ".join(f"{name} {state}, started {count}" for name, state, count in rows))
        if [row[1] for row in rows] != ["Completed"] * 5 or rows[0] != ("ingest", "Completed", 2):
            raise RuntimeError("not every task ended well, or the one that failed was not tried again")
        if Steps(folder).model() != wanted:
            raise RuntimeError("the model is not the one of run_training")
        tour.say("the model is byte for byte that of run_training")
    tour.end(
        stores="each run and state of flow and task, in the server's SQL database; data stays where your tasks put it",
        asks="two decorators; for schedules a server and a worker that run all the time",
        not_proven="no worker took the flow from a queue, no schedule started it; the server ended with the script",
        real=(
            "export PREFECT_API_URL=https://prefect.example/api PREFECT_API_KEY=...",
            "flow.serve(name='nightly', cron='0 2 * * *')",
        ),
    )


if __name__ == "__main__":
    main()
