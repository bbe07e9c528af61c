# /// script
# requires-python = ">=3.11,<3.14"
# dependencies = [
#     "comet_ml",
#     "duckdb", "filelock", "lightgbm", "numpy", "pandas<3", "pyarrow", "pydantic", "pyyaml", "scikit-learn",
# ]
# ///
"""Tour of Comet: the six runs of lesson 05 in offline mode, read back from the archives that would be uploaded.

    python3 bootstrap.py tour comet

No account: each run becomes a zip file, and `comet upload` sends it.
"""

import json
import os
import sys
import tempfile
import zipfile
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

os.environ |= {"COMET_DISABLE_AUTO_LOGGING": "1", "COMET_LOGGING_CONSOLE": "ERROR", "COMET_OPTIMIZER_ANALYTICS": "0"}
import comet_ml  # noqa: E402


def solve(runs: list[Run], folder: Path) -> None:
    """Log the runs, each with its settings, hashes, measures, curve and model."""
    for run in runs:
        config = comet_ml.ExperimentConfig(offline_directory=str(folder), auto_output_logging=False, name=run.name)
        logged = comet_ml.start(online=False, project_name="oakbank", experiment_config=config)
        logged.log_parameters({**run.params, "data": run.data, "code": run.code})
        for rounds, loss in run.curve:
            logged.log_metric("holdout_log_loss", loss, step=rounds)
        logged.log_metrics(run.metrics)
        logged.log_model("credit", str(run.model))
        logged.end()


def read_back(folder: Path) -> tuple[dict[str, dict[str, float]], dict[str, int]]:
    """Return the measures by name of the run, from each archive; and what it lists of the machine, by number."""
    found, machine = {}, {}
    for path in sorted(folder.glob("*.zip")):
        with zipfile.ZipFile(path) as archive:
            messages = [json.loads(line)["payload"] for line in archive.read("messages.json").splitlines()]
        name = next(message["value"] for message in messages if message.get("key") == "Name")
        measures = [message["metric"] for message in messages if "metric" in message]
        found[name] = {one["metricName"]: float(one["metricValue"]) for one in measures}
        machine = {
            key: len(message[key])
            for message in messages
            for key in ("os_packages", "installed_packages")
            if key in message
        }
    return found, machine


def main() -> None:
    """Run the tour."""
    tour = Tour("Comet", "comet-ml")
    with FOLDER as home:
        folder = Path(home)
        runs = tour.plain("the training of the six runs", lambda: train_six(folder / "work"))
        tour.system_does(lambda: solve(runs, folder / "comet"))
        found, machine = read_back(folder / "comet")
        tour.say(same(runs, found))
        listed = ", ".join(f"{number} {name}" for name, number in machine.items())
        tour.say(f"each archive also lists of this machine: {listed or 'nothing'}; and the source of this script")
    tour.end(
        stores="a zip per run (settings, measures, files, your script, all packages of the machine) for `comet upload`",
        asks="an account and a key; offline nothing reads the zips back, and a look into one shows what is sent",
        not_proven="no run was uploaded, no page drawn, nothing compared by Comet itself",
        real=(
            "export COMET_API_KEY=...  # and comet_ml.start(online=True)",
            "comet upload comet/*.zip  # for runs already there",
        ),
    )


if __name__ == "__main__":
    main()
