# /// script
# requires-python = ">=3.11,<3.14"
# dependencies = [
#     "setuptools<81", "tensorboard", "tensorboardX",
#     "duckdb", "filelock", "lightgbm", "numpy", "pandas<3", "pyarrow", "pydantic", "pyyaml", "scikit-learn",
# ]
# ///
"""Tour of TensorBoard: the six runs of lesson 05 as event files, read back and served on this machine.

    python3 bootstrap.py tour tensorboard

Neither TensorFlow nor PyTorch is needed: tensorboardX writes the files, TensorBoard reads them.
"""

import json
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
# A tour may have the name of the package that it imports: its own folder must not be searched.
sys.path[0] = str(ROOT)
PARTS = ("01-intro/reference", "02-pipelines/reference", "02-pipelines/tours/task")
sys.path[1:1] = [str(ROOT / "chapters" / part) for part in PARTS]

import numpy as np  # noqa: E402
from tensorboard.backend.event_processing.event_multiplexer import EventMultiplexer  # noqa: E402
from tensorboardX import SummaryWriter  # noqa: E402
from tracking import Run, same, train_six  # noqa: E402

from course.tour import Tour  # noqa: E402


def solve(runs: list[Run], folder: Path) -> None:
    """Write the runs as event files: the curve, the measures with the settings, the hashes as text."""
    for run in runs:
        with SummaryWriter(str(folder / run.name)) as writer:
            for rounds, loss in run.curve:
                writer.add_scalar("holdout_log_loss", loss, rounds)
            writer.add_hparams(run.params, run.metrics, name="settings")
            writer.add_text("data", run.data)
            writer.add_text("code", run.code)


def read_back(folder: Path) -> dict[str, dict[str, float]]:
    """Return the measures by name of the run, as TensorBoard reads them."""
    reader = EventMultiplexer().AddRunsFromDirectory(str(folder)).Reload()
    names = [run for run in reader.Runs() if run.endswith("settings")]
    return {
        name.split("/")[0]: {tag: reader.Scalars(name, tag)[-1].value for tag in reader.Runs()[name]["scalars"]}
        for name in names
    }


def ask_server(folder: Path) -> list[str]:
    """Start TensorBoard on this machine, ask it for the runs that it shows, and end it."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [sys.executable, "-m", "tensorboard.main", "--logdir", str(folder), "--port", str(port)]
    command += ["--host", "127.0.0.1", "--load_fast", "false"]
    server = subprocess.Popen(command, cwd=folder, stderr=subprocess.DEVNULL)  # noqa: S603
    try:
        until = time.monotonic() + 120
        while time.monotonic() < until:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/data/runs", timeout=5) as answer:
                    if names := [name for name in json.load(answer) if not name.endswith("settings")]:
                        return sorted(names)
            except (urllib.error.URLError, OSError):
                pass
            time.sleep(0.5)
        raise RuntimeError("TensorBoard's server did not show the runs within two minutes")
    finally:
        server.terminate()
        server.wait()


def main() -> None:
    """Run the tour."""
    tour = Tour("TensorBoard", "tensorboard", "tensorboardX")
    with tempfile.TemporaryDirectory() as home:
        folder = Path(home)
        runs = tour.plain("the training of the six runs", lambda: train_six(folder / "work"))
        tour.system_does(lambda: solve(runs, folder / "events"))
        found = read_back(folder / "events")
        tour.say(same(runs, found, np.float32))
        tour.say(
            f"but as 32-bit numbers: profit {runs[0].metrics['profit']} is kept as {found[runs[0].name]['profit']}"
        )
        tour.say(f"the page's own server lists the runs: {', '.join(ask_server(folder / 'events'))}")
    tour.end(
        stores="event files, one folder per run: curves and settings as 32-bit numbers, texts, pictures; no model file",
        asks="a folder that everybody can read, and a name for each run that says enough: there is no query",
        not_proven="no page was looked at in a browser, and no folder was shared by several writers",
        real=(
            "writer = SummaryWriter('gs://bucket/runs/name')  # or any shared folder",
            "tensorboard --logdir gs://bucket/runs",
        ),
    )


if __name__ == "__main__":
    main()
