# mypy: disable-error-code="untyped-decorator"
"""The components of the Kubeflow pipeline: each wraps one step of `oakbank.pipelines.steps`, and no more.

Kubeflow sends the source of such a function into a container alone, so it imports what it needs inside itself. Each
asks the shared store first (`oakbank.pipelines.store`), and notes beside its first output whether the step really ran.
"""

from kfp import dsl
from kfp.dsl import Artifact, Dataset, Input, Metrics, Model, Output

IMAGE = "oakbank/training:latest"
"""On a cluster each step runs in this image, which has `oakbank` installed; locally nothing is pulled."""


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def ingest_op(
    lake: str,
    as_of: int,
    window: int,
    label_delay: int,
    scheduled: str,
    store: str,
    labelled: Output[Dataset],
    feed: Output[Dataset],
) -> None:
    """Check and repair the feed, and join applications and outcomes from the lake."""
    from pathlib import Path

    from oakbank.pipelines.schedule import month_of
    from oakbank.pipelines.steps import ingest
    from oakbank.pipelines.store import run_stored
    from oakbank.pipelines.training import TrainingConfig, lake_inputs
    from oakbank.world import Lake

    if scheduled:
        as_of = month_of(scheduled)
    labelled.metadata["ran"] = run_stored(
        store,
        "ingest",
        ingest,
        inputs=lake_inputs(Lake(lake), TrainingConfig(as_of=as_of, window=window), label_delay),
        outputs={"labelled": Path(labelled.path), "feed": Path(feed.path)},
        params={"as_of": as_of},
    )


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def validate_op(
    labelled: Input[Dataset],
    feed: Input[Dataset],
    store: str,
    accepted: Output[Dataset],
    quarantined: Output[Dataset],
    report: Output[Dataset],
) -> None:
    """Split off what breaks the contract."""
    from pathlib import Path

    from oakbank.pipelines.steps import validate
    from oakbank.pipelines.store import run_stored

    accepted.metadata["ran"] = run_stored(
        store,
        "validate",
        validate,
        inputs={"labelled": Path(labelled.path), "feed": Path(feed.path)},
        outputs={
            "accepted": Path(accepted.path),
            "quarantined": Path(quarantined.path),
            "report": Path(report.path),
        },
        params={},
    )


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def features_op(accepted: Input[Dataset], store: str, matrix: Output[Dataset]) -> None:
    """Build the feature matrix."""
    from pathlib import Path

    from oakbank.pipelines.steps import features
    from oakbank.pipelines.store import run_stored

    inputs, outputs = {"accepted": Path(accepted.path)}, {"matrix": Path(matrix.path)}
    matrix.metadata["ran"] = run_stored(store, "features", features, inputs=inputs, outputs=outputs, params={})


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def train_op(
    matrix: Input[Dataset],
    holdout: int,
    seed: int,
    rounds: int,
    store: str,
    model: Output[Model],
    candidate: Output[Model],
) -> None:
    """Train the candidate and the model to deploy."""
    from pathlib import Path

    from oakbank.pipelines.steps import train
    from oakbank.pipelines.store import run_stored

    model.metadata["ran"] = run_stored(
        store,
        "train",
        train,
        inputs={"matrix": Path(matrix.path)},
        outputs={"model": Path(model.path), "candidate": Path(candidate.path)},
        params={"holdout": holdout, "seed": seed, "rounds": rounds},
    )


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def tune_op(
    matrix: Input[Dataset],
    holdout: int,
    trials: int,
    seed: int,
    store: str,
    chosen: Output[Artifact],
) -> None:
    """Search settings on the months before the hold-out."""
    from pathlib import Path

    from oakbank.pipelines.store import run_stored
    from oakbank.pipelines.tuning import tune

    chosen.metadata["ran"] = run_stored(
        store,
        "tune",
        tune,
        inputs={"matrix": Path(matrix.path)},
        outputs={"chosen": Path(chosen.path)},
        params={"holdout": holdout, "trials": trials, "seed": seed},
    )


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def train_chosen_op(
    matrix: Input[Dataset],
    chosen: Input[Artifact],
    holdout: int,
    seed: int,
    store: str,
    model: Output[Model],
    candidate: Output[Model],
) -> None:
    """Train with the settings that the search has chosen."""
    from pathlib import Path

    from oakbank.pipelines.store import run_stored
    from oakbank.pipelines.training import train_chosen

    model.metadata["ran"] = run_stored(
        store,
        "train",
        train_chosen,
        inputs={"matrix": Path(matrix.path), "chosen": Path(chosen.path)},
        outputs={"model": Path(model.path), "candidate": Path(candidate.path)},
        params={"holdout": holdout, "seed": seed},
    )


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def evaluate_op(
    matrix: Input[Dataset],
    accepted: Input[Dataset],
    candidate: Input[Model],
    holdout: int,
    store: str,
    evaluation: Output[Metrics],
    held_out: Output[Dataset],
) -> float:
    """Measure the candidate; returns its AUC."""
    import json
    from pathlib import Path

    from oakbank.pipelines.steps import evaluate
    from oakbank.pipelines.store import run_stored

    held_out.metadata["ran"] = run_stored(
        store,
        "evaluate",
        evaluate,
        inputs={
            "matrix": Path(matrix.path),
            "accepted": Path(accepted.path),
            "candidate": Path(candidate.path),
        },
        outputs={"evaluation": Path(evaluation.path), "held_out": Path(held_out.path)},
        params={"holdout": holdout},
    )
    auc = float(json.loads(Path(evaluation.path).read_text(encoding="utf-8"))["auc"])
    evaluation.log_metric("auc", auc)
    return auc


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def assess_op(
    matrix: Input[Dataset],
    accepted: Input[Dataset],
    candidate: Input[Model],
    holdout: int,
    store: str,
    report: Output[Artifact],
) -> None:
    """Validate the candidate: folds in time, calibration, cost, slices."""
    from pathlib import Path

    from oakbank.pipelines.assessment import assess
    from oakbank.pipelines.store import run_stored

    report.metadata["ran"] = run_stored(
        store,
        "assess",
        assess,
        inputs={
            "matrix": Path(matrix.path),
            "accepted": Path(accepted.path),
            "candidate": Path(candidate.path),
        },
        outputs={"report": Path(report.path)},
        params={"holdout": holdout},
    )
