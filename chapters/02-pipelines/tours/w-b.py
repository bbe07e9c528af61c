# /// script
# requires-python = ">=3.11,<3.14"
# dependencies = [
#     "wandb",
#     "duckdb", "filelock", "lightgbm", "numpy", "pandas<3", "pyarrow", "pydantic", "pyyaml", "scikit-learn",
# ]
# ///
"""Tour of W&B: the six runs of lesson 05 in offline mode, read back from the client's own files.

    python3 bootstrap.py tour w-b

No account: the client writes to disk what `wandb sync` would send.
"""

import json
import os
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

from tracking import Run, same, train_six  # noqa: E402

from course.tour import Tour  # noqa: E402

os.environ |= {"WANDB_MODE": "offline", "WANDB_SILENT": "true", "WANDB_CONSOLE": "off"}
import wandb  # noqa: E402


def solve(runs: list[Run], folder: Path) -> None:
    """Log the runs, each with its settings, hashes, measures, curve and model."""
    for run in runs:
        config = {**run.params, "data": run.data, "code": run.code}
        with wandb.init(project="oakbank", name=run.name, config=config, dir=folder) as logged:
            for rounds, loss in run.curve:
                logged.log({"holdout_log_loss": loss}, step=rounds)
            logged.summary.update(run.metrics)
            model = wandb.Artifact(f"model-{run.name}", type="model")
            model.add_file(str(run.model))
            logged.log_artifact(model)


def read_back(folder: Path) -> dict[str, dict[str, float]]:
    """Return the measures by name of the run, as the client's own reader finds them in the files."""
    found = {}
    for path in sorted(folder.glob("wandb/offline-run-*")):
        command = [sys.executable, "-m", "wandb", "leet", "inspect", "--summary", "--json", str(path)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)  # noqa: S603
        run = json.loads(done.stdout)
        found[run["name"]] = run["summary"]
    return found


def main() -> None:
    """Run the tour."""
    tour = Tour("W&B", "wandb")
    with FOLDER as home:
        folder = Path(home)
        runs = tour.plain("the training of the six runs", lambda: train_six(folder / "work"))
        tour.system_does(lambda: solve(runs, folder))
        tour.say(same(runs, read_back(folder)))
        stored = [path for path in folder.rglob("*") if path.is_file() and path.relative_to(folder).parts[0] != "work"]
        tour.say(
            f"{len(stored)} files of W&B in the folder, {sum(path.stat().st_size for path in stored) / 1e6:.1f} MB"
        )
    tour.end(
        stores="an append-only log per run (settings, measures, curve, files) in `wandb/`, uploaded by `wandb sync`",
        asks="an account and a key, or a server of your own; offline nothing compares runs but the terminal viewer",
        not_proven="no run was uploaded, no page drawn, no report shared, no artefact taken from a server",
        real=("export WANDB_MODE=online WANDB_API_KEY=...", "wandb sync wandb/offline-run-*  # for runs already there"),
    )


if __name__ == "__main__":
    main()
