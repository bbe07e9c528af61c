# /// script
# requires-python = ">=3.11,<3.14"
# dependencies = [
#     "clearml", "setuptools<81",
#     "duckdb", "filelock", "lightgbm", "numpy", "pandas<3", "pyarrow", "pydantic", "pyyaml", "scikit-learn",
# ]
# ///
"""Tour of ClearML: the six runs of lesson 05 in offline mode, read back from the sessions that would be imported.

    python3 bootstrap.py tour clearml

No account: each run becomes a zip file, and `Task.import_offline_session` sends it.
"""

import json
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

from tracking import Run, same, train_six  # noqa: E402

from course.tour import Tour  # noqa: E402


def solve(runs: list[Run]) -> dict[str, Path]:
    """Log the runs, each with its settings, hashes, measures, curve and model; return where each session lies."""
    from clearml import Task

    sessions = {}
    for run in runs:
        task = Task.init("oakbank", run.name, reuse_last_task_id=False, auto_connect_frameworks=False)
        task.connect({**run.params, "data": run.data, "code": run.code})
        for rounds, loss in run.curve:
            task.get_logger().report_scalar("holdout_log_loss", "curve", loss, rounds)
        for name, value in run.metrics.items():
            task.get_logger().report_single_value(name, value)
        task.upload_artifact("model", run.model, wait_on_upload=True)
        sessions[run.name] = Path(task.get_offline_mode_folder())
        task.close()
    return sessions


def read_back(session: Path) -> dict[str, float]:
    """Return the measures of a session."""
    records = [json.loads(line) for line in (session / "metrics.jsonl").read_text(encoding="utf-8").splitlines()]
    events = [event for record in records for event in (record if isinstance(record, list) else [record])]
    return {event["variant"]: event["value"] for event in events if event.get("metric") == "Summary"}


def main() -> None:
    """Run the tour."""
    tour = Tour("ClearML", "clearml")
    with FOLDER as home:
        folder = Path(home)
        config = folder / "clearml.conf"
        config.write_text("sdk { development { report_use_subprocess: false } }\n")  # it would fork beside threads
        os.environ |= {
            "CLEARML_OFFLINE_MODE": "1",
            "CLEARML_CACHE_DIR": str(folder),
            "CLEARML_CONFIG_FILE": str(config),
        }
        runs = tour.plain("the training of the six runs", lambda: train_six(folder / "work"))
        sessions = tour.system_does(lambda: solve(runs))
        tour.say(same(runs, {name: read_back(session) for name, session in sessions.items()}))
        script = json.loads((sessions[runs[0].name] / "task.json").read_text(encoding="utf-8"))["script"]
        tour.say(f"each session also holds: {', '.join(key for key, value in script.items() if value)}")
    tour.end(
        stores="a zip per run (settings, curve, files, branch, commit and uncommitted changes of your git repository)",
        asks="an account or a server of your own; a diff of your working copy travels with every run",
        not_proven="no session was imported, no page drawn, no agent ran a task from its queue",
        real=(
            "clearml-init  # writes ~/clearml.conf; then leave CLEARML_OFFLINE_MODE out",
            "Task.import_offline_session(zip)",
        ),
    )


if __name__ == "__main__":
    main()
