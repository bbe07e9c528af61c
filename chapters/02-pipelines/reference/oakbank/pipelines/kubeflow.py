"""The same steps as a Kubeflow pipeline: components are wrappers of one line around `oakbank.pipelines.steps`.

Source: Kubeflow Pipelines SDK 2, lightweight Python components and `kfp.local`.
"""

import io
import warnings
from contextlib import nullcontext, redirect_stdout
from pathlib import Path

from kfp import compiler, dsl, local
from kfp.dsl import Dataset, Input, Metrics, Model, Output

IMAGE = "oakbank/training:latest"
"""On a cluster each step runs in this image, which has `oakbank` installed; locally nothing is pulled."""


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def ingest_op(
    lake: str,
    as_of: int,
    window: int,
    label_delay: int,
    labelled: Output[Dataset],
    feed: Output[Dataset],
) -> None:
    """Check and repair the feed, and join applications and outcomes from the lake."""
    from pathlib import Path

    from oakbank.pipelines.steps import ingest
    from oakbank.pipelines.training import TrainingConfig, lake_inputs
    from oakbank.world import Lake

    files = lake_inputs(Lake(lake), TrainingConfig(as_of=as_of, window=window), label_delay)
    ingest(
        files["applications"], files["outcomes"], Path(labelled.path), Path(feed.path), files["earlier"], as_of=as_of
    )


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def validate_op(
    labelled: Input[Dataset],
    feed: Input[Dataset],
    accepted: Output[Dataset],
    quarantined: Output[Dataset],
    report: Output[Dataset],
) -> None:
    """Split off what breaks the contract."""
    from pathlib import Path

    from oakbank.pipelines.steps import validate

    validate(
        Path(labelled.path),
        Path(accepted.path),
        Path(quarantined.path),
        Path(report.path),
        feed=Path(feed.path),
    )


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def features_op(accepted: Input[Dataset], matrix: Output[Dataset]) -> None:
    """Build the feature matrix."""
    from pathlib import Path

    from oakbank.pipelines.steps import features

    features(Path(accepted.path), Path(matrix.path))


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def train_op(
    matrix: Input[Dataset],
    holdout: int,
    seed: int,
    rounds: int,
    model: Output[Model],
    candidate: Output[Model],
) -> None:
    """Train the candidate and the model to deploy."""
    from pathlib import Path

    from oakbank.pipelines.steps import train

    train(Path(matrix.path), Path(model.path), Path(candidate.path), holdout=holdout, seed=seed, rounds=rounds)


@dsl.component(base_image=IMAGE, install_kfp_package=False)
def evaluate_op(
    matrix: Input[Dataset],
    accepted: Input[Dataset],
    candidate: Input[Model],
    holdout: int,
    evaluation: Output[Metrics],
    held_out: Output[Dataset],
) -> float:
    """Measure the candidate; returns its AUC."""
    import json
    from pathlib import Path

    from oakbank.pipelines.steps import evaluate

    target = Path(evaluation.path)
    evaluate(Path(matrix.path), Path(accepted.path), Path(candidate.path), target, Path(held_out.path), holdout)
    auc = float(json.loads(target.read_text(encoding="utf-8"))["auc"])
    evaluation.log_metric("auc", auc)
    return auc


@dsl.pipeline(name="oakbank-training", description="Train Oakbank's credit model from the lake.")
def training_pipeline(
    lake: str,
    as_of: int = 0,
    window: int = 12,
    label_delay: int = 3,
    holdout: int = 2,
    seed: int = 0,
    rounds: int = 150,
) -> float:
    """Ingest -> validate -> features -> train -> evaluate."""
    data = ingest_op(lake=lake, as_of=as_of, window=window, label_delay=label_delay)
    valid = validate_op(labelled=data.outputs["labelled"], feed=data.outputs["feed"])
    table = features_op(accepted=valid.outputs["accepted"])
    models = train_op(matrix=table.outputs["matrix"], holdout=holdout, seed=seed, rounds=rounds)
    measured = evaluate_op(
        matrix=table.outputs["matrix"],
        accepted=valid.outputs["accepted"],
        candidate=models.outputs["candidate"],
        holdout=holdout,
    )
    return measured.outputs["Output"]  # type: ignore[no-any-return]


def compile_pipeline(path: str | Path) -> Path:
    """Write the pipeline as the YAML that a Kubeflow cluster takes."""
    path = Path(path)
    compiler.Compiler().compile(training_pipeline, str(path))
    return path


def run_locally(lake: str | Path, root: str | Path, *, show_log: bool = False, **arguments: int) -> float:
    """Run the pipeline on this machine, each step in a process of its own; returns the AUC.

    Args:
        lake: Folder of the lake.
        root: Folder for the outputs; each run makes its own in it, and nothing is written elsewhere.
        show_log: Print Kubeflow's log of the steps.
        **arguments: Of `training_pipeline`.

    Raises:
        RuntimeError: A step failed; the message ends with what it said.
    """
    local.init(runner=local.SubprocessRunner(use_venv=False), pipeline_root=str(root), raise_on_error=True)
    log = io.StringIO()
    with warnings.catch_warnings(), nullcontext() if show_log else redirect_stdout(log):
        # Kubeflow warns that our image may hold other packages than this environment; it is built from it.
        warnings.filterwarnings("ignore", "You may be attemping to run", RuntimeWarning)
        try:
            task = training_pipeline(lake=str(Path(lake).resolve()), **arguments)
        except RuntimeError as error:
            raise RuntimeError(f"{error}\n{log.getvalue()[-3000:]}") from error
    return float(task.output)
