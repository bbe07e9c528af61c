# /// script
# requires-python = ">=3.11,<3.14"
# dependencies = [
#     "ray[tune]",
#     "duckdb", "filelock", "lightgbm", "numpy", "pandas<3", "pyarrow", "pydantic", "pyyaml", "scikit-learn",
# ]
# ///
"""Tour of Ray Tune: six settings of lesson 06's search, scored on its folds by the processes of a small cluster.

python3 bootstrap.py tour ray-tune
"""

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
# A tour may have the name of the package that it imports: its own folder must not be searched.
sys.path[0] = str(ROOT)
PARTS = [str(ROOT / "chapters" / part) for part in ("01-intro/reference", "02-pipelines/reference")]
sys.path[1:1] = PARTS
# One thread a process; and Ray must not start its workers through uv again.
SETTINGS = {"OMP_NUM_THREADS": "1", "RAY_ENABLE_UV_RUN_RUNTIME_ENV": "0", "RAY_AIR_NEW_OUTPUT": "0"}
os.environ.update(SETTINGS)

from course.tour import Tour  # noqa: E402

TOUR = Tour("Ray Tune", "ray", "lightgbm")  # switches Ray's telemetry off, which must come before Ray

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
import ray  # noqa: E402
from ray import tune  # noqa: E402

from oakbank.pipelines.features import FEATURE_NAMES, feature_matrix  # noqa: E402
from oakbank.pipelines.folds import time_folds  # noqa: E402
from oakbank.pipelines.model import TREE_PARAMS  # noqa: E402
from oakbank.pipelines.tuning import SPACE, Bench  # noqa: E402
from oakbank.world import World  # noqa: E402

TRIALS = 6


def known() -> pd.DataFrame:
    """Return what the bank knows on the first morning of month 0, as a feature table."""
    world, parts = World(seed=11, scenario="calm"), []
    for month in range(-12, -3):
        granted = world.officer_decisions(month).query("granted")["application_id"]
        outcomes = world.outcomes(month + 3, granted).drop(columns="month")
        parts.append(world.applications(month).merge(outcomes, on="application_id"))
    loans = pd.concat(parts, ignore_index=True)
    table = pd.DataFrame(feature_matrix(loans), columns=list(FEATURE_NAMES))
    return table.assign(
        _month=loans["month"].to_numpy(),
        _application_id=loans["application_id"].to_numpy(),
        _defaulted=loans["defaulted"].to_numpy(),
    )


def draw(rng: np.random.Generator) -> dict[str, Any]:
    """Draw one setting from the space of the reference's search."""
    found: dict[str, Any] = {}
    for name, (low, high, log) in SPACE.items():
        value = float(np.exp(rng.uniform(np.log(low), np.log(high)))) if log else float(rng.uniform(low, high))
        found[name] = round(value) if isinstance(low, int) else value
    return found


def score(settings: dict[str, Any], table: pd.DataFrame) -> float:
    """Return the mean log loss of one setting over the folds."""
    bench = Bench(table, time_folds(table, folds=3, gap=3))
    return float(np.mean([bench.score(fold, settings).loss for fold in range(3)]))


def solve(settings: list[dict[str, Any]], table: pd.DataFrame, folder: Path) -> tune.ResultGrid:
    """Score each setting in a process of the cluster."""

    def trial(config: dict[str, Any], table: pd.DataFrame) -> None:
        tune.report({"loss": score(config["settings"], table)})

    tuner = tune.Tuner(
        tune.with_parameters(trial, table=table),
        param_space={"settings": tune.grid_search(settings)},
        tune_config=tune.TuneConfig(metric="loss", mode="min", reuse_actors=True),
        run_config=tune.RunConfig(name="oakbank", storage_path=str(folder), verbose=0),
    )
    return tuner.fit()


def check(results: tune.ResultGrid, settings: list[dict[str, Any]], plain: list[float]) -> int:
    """Return the number of the best setting, if Ray's losses are those of the plain loop.

    Raises:
        RuntimeError: A trial failed, or a loss differs.
    """
    if results.errors:
        raise RuntimeError(f"{len(results.errors)} trials failed; the first: {results.errors[0]}")
    found = {settings.index(result.config["settings"]): result.metrics["loss"] for result in results}
    if found != dict(enumerate(plain)):
        raise RuntimeError(f"Ray's losses {found} are not those of the plain loop {plain}")
    return settings.index(results.get_best_result().config["settings"])


def main() -> None:
    """Run the tour."""
    rng = np.random.default_rng(0)
    table, settings = known(), [TREE_PARAMS, *(draw(rng) for _ in range(TRIALS - 1))]
    plain = TOUR.plain("a plain loop over the settings", lambda: [score(one, table) for one in settings])
    with tempfile.TemporaryDirectory() as home:
        ray.init(
            num_cpus=2,
            include_dashboard=False,
            object_store_memory=200_000_000,
            log_to_driver=False,
            logging_level="ERROR",
            _temp_dir=home,
            runtime_env={"env_vars": SETTINGS | {"PYTHONPATH": os.pathsep.join([str(ROOT), *PARTS])}},
        )
        try:
            results = TOUR.system_does(lambda: solve(settings, table, Path(home) / "results"))
            best = check(results, settings, plain)
        finally:
            ray.shutdown()
    TOUR.say(f"{len(plain)} settings scored by processes of a cluster: the losses of the plain loop, to the digit")
    TOUR.say(f"best: setting {best} with {plain[best]:.4f}; today's settings have {plain[0]:.4f}")
    TOUR.end(
        stores="a folder for each trial with its settings, results and checkpoints, on a disk that all machines share",
        asks="a cluster that is kept up, and the same packages on each of its machines",
        not_proven="one machine with two workers: nothing was restarted, nothing travelled, no trial was stopped early",
        real=(
            'ray.init("auto")  # on a machine of the cluster; RAY_ADDRESS=ray://head:10001 from outside',
            'tune.RunConfig(storage_path="s3://bucket/results")',
        ),
    )


if __name__ == "__main__":
    main()
