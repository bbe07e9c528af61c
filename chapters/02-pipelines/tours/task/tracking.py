"""The task of the tours of lesson 05: six training runs to log, to find again and to compare."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from sklearn.metrics import log_loss

from oakbank.pipelines import TrainingConfig, feature_matrix, run_training
from oakbank.world import Lake, World, publish_history

ROUNDS = range(10, 151, 10)


@dataclass(frozen=True)
class Run:
    """What a result needs before anyone can trust it, and the file that it is about."""

    name: str
    params: dict[str, float]
    data: str
    """sha256 of the training data."""
    code: str
    metrics: dict[str, float]
    curve: tuple[tuple[int, float], ...]
    """Log loss on the hold-out after so many trees."""
    model: Path


def train_six(folder: Path) -> list[Run]:
    """Train as lesson 05 does: trees of 4, 12 and 40 leaves, two seeds each, on Oakbank's year of history."""
    lake = Lake(folder / "lake")
    publish_history(World(seed=11, scenario="calm"), lake)
    runs = []
    for leaves in (4, 12, 40):
        for seed in (0, 1):
            config = TrainingConfig(seed=seed, params={"num_leaves": leaves})
            name = f"leaves{leaves}-seed{seed}"
            run = run_training(config, lake, folder / name)
            held, candidate = run.holdout(), run.candidate()
            matrix = feature_matrix(held)
            curve = [
                (rounds, float(log_loss(held["defaulted"], candidate.booster.predict(matrix, num_iteration=rounds))))
                for rounds in ROUNDS
            ]
            settings = {key: value for key, value in asdict(config).items() if isinstance(value, int)}
            runs.append(
                Run(
                    name,
                    settings | {"num_leaves": leaves},
                    run.data_hash,
                    run.code_hash,
                    run.evaluation.metrics(),
                    tuple(curve),
                    run.model_path,
                )
            )
    return runs


def same(runs: list[Run], found: Mapping[str, Mapping[str, float]], kept: type = float) -> str:
    """Check what came back out of a system, run by run; return a line that says so.

    Args:
        runs: What went in.
        found: What came back: measures by name of the run.
        kept: The type in which the system keeps a number, such as `numpy.float32`.

    Raises:
        RuntimeError: A run is missing or a number is another.
    """
    for run in runs:
        for name in ("auc", "log_loss", "profit"):
            if found.get(run.name, {}).get(name) != kept(run.metrics[name]):
                raise RuntimeError(f"{run.name}: {name} came back as {found.get(run.name, {}).get(name)}")
    best = max(found, key=lambda name: found[name]["auc"])
    return f"{len(runs)} runs came back with the same numbers; best AUC: {best}, {found[best]['auc']:.4f}"
