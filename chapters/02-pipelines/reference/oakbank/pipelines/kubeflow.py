"""The same steps as a Kubeflow pipeline: its components are in `oakbank.pipelines.components`.

A cluster retries a step, bounds it and runs it by the clock, as the compiled YAML tells it. `kfp.local` does none of
the three and remembers nothing (kfp 2.16: no word of cache or retry in its source), so resume is ours on both: each
component asks the shared store first (`oakbank.pipelines.store`). By the clock: `oakbank.pipelines.schedule`.

Source: Kubeflow Pipelines SDK 2, lightweight Python components, `kfp.local`.
"""

import io
import json
import warnings
from contextlib import nullcontext, redirect_stdout
from pathlib import Path

from kfp import compiler, dsl, local

from oakbank.pipelines.components import (
    IMAGE,
    assess_op,
    evaluate_op,
    features_op,
    ingest_op,
    train_chosen_op,
    train_op,
    tune_op,
    validate_op,
)

__all__ = ["IMAGE", "compile_pipeline", "run_locally", "steps_run", "training_pipeline", "tuned_pipeline"]

LIMITS = {
    "ingest-op": ("1", "2G"),
    "validate-op": ("1", "2G"),
    "features-op": ("1", "2G"),
    "tune-op": ("2", "4G"),
    "train-op": ("2", "4G"),
    "train-chosen-op": ("2", "4G"),
    "evaluate-op": ("1", "2G"),
    "assess-op": ("1", "2G"),
}
"""CPU cores and memory that a cluster gives each step: one that wants more is stopped there, not its neighbours."""

RETRIES = 3
"""How often a cluster starts a failed step again: after 60, 120 and 240 seconds."""


def _guarded(task: dsl.PipelineTask) -> dsl.PipelineTask:
    cores, memory = LIMITS[task.name]
    task.set_cpu_limit(cores).set_memory_limit(memory)
    return task.set_retry(RETRIES, backoff_duration="60s", backoff_factor=2, backoff_max_duration="600s")


def _prepared(store: str, **asked: int | str) -> tuple[dsl.PipelineTask, dsl.PipelineTask]:
    """Add the steps up to the feature matrix; returns the tasks that wrote the rows and the matrix."""
    data = _guarded(ingest_op(store=store, **asked))
    # A cluster's cache would know the text of `lake`, not what lies there tonight.
    data.set_caching_options(False)
    valid = _guarded(validate_op(labelled=data.outputs["labelled"], feed=data.outputs["feed"], store=store))
    return valid, _guarded(features_op(accepted=valid.outputs["accepted"], store=store))


def _judged(
    valid: dsl.PipelineTask, table: dsl.PipelineTask, models: dsl.PipelineTask, holdout: int, store: str
) -> dsl.PipelineTask:
    """Add the steps that judge the candidate; returns the task whose output is the AUC."""
    made = {
        "matrix": table.outputs["matrix"],
        "accepted": valid.outputs["accepted"],
        "candidate": models.outputs["candidate"],
    }
    _guarded(assess_op(holdout=holdout, store=store, **made))
    return _guarded(evaluate_op(holdout=holdout, store=store, **made))


@dsl.pipeline(name="oakbank-training", description="Train Oakbank's credit model from the lake.")
def training_pipeline(
    lake: str,
    as_of: int = 0,
    window: int = 12,
    label_delay: int = 3,
    holdout: int = 2,
    seed: int = 0,
    rounds: int = 150,
    scheduled: str = "",
    store: str = "",
) -> float:
    """Ingest -> validate -> features -> train -> evaluate and assess.

    `scheduled`, the day for which a run was scheduled, takes the place of `as_of`; `store` as in
    `oakbank.pipelines.store`; the others as in `TrainingConfig`.
    """
    valid, table = _prepared(store, lake=lake, as_of=as_of, window=window, label_delay=label_delay, scheduled=scheduled)
    matrix = table.outputs["matrix"]
    models = _guarded(train_op(matrix=matrix, holdout=holdout, seed=seed, rounds=rounds, store=store))
    return _judged(valid, table, models, holdout, store).outputs["Output"]  # type: ignore[no-any-return]


@dsl.pipeline(name="oakbank-training-tuned", description="The same, with settings that a search has chosen.")
def tuned_pipeline(
    lake: str,
    as_of: int = 0,
    window: int = 12,
    label_delay: int = 3,
    holdout: int = 2,
    seed: int = 0,
    trials: int = 20,
    scheduled: str = "",
    store: str = "",
) -> float:
    """As `training_pipeline`, with the step `tune` before the training.

    Two pipelines and no `dsl.If`: a step whose artefact may not be there does not run in `kfp.local` (kfp 2.16).
    """
    valid, table = _prepared(store, lake=lake, as_of=as_of, window=window, label_delay=label_delay, scheduled=scheduled)
    matrix = table.outputs["matrix"]
    found = _guarded(tune_op(matrix=matrix, holdout=holdout, trials=trials, seed=seed, store=store))
    chosen = found.outputs["chosen"]
    models = _guarded(train_chosen_op(matrix=matrix, chosen=chosen, holdout=holdout, seed=seed, store=store))
    return _judged(valid, table, models, holdout, store).outputs["Output"]  # type: ignore[no-any-return]


def compile_pipeline(path: str | Path, *, tuned: bool = False) -> Path:
    """Write the pipeline, or the one with a search, as the YAML that a Kubeflow cluster takes."""
    path = Path(path)
    compiler.Compiler().compile(tuned_pipeline if tuned else training_pipeline, str(path))
    return path


def run_locally(lake: str | Path, root: str | Path, *, show_log: bool = False, **arguments: int | str | Path) -> float:
    """Run the pipeline on this machine, each step in a process of its own; returns the AUC.

    Args:
        lake: Folder of the lake.
        root: Folder for the outputs; each run makes its own in it, and nothing is written elsewhere but to `store`.
        show_log: Print Kubeflow's log of the steps.
        **arguments: Of `training_pipeline`, or, if `trials` is among them, of `tuned_pipeline`. With the same
            `store`, a run takes up what an earlier one has finished.

    Raises:
        RuntimeError: A step failed; the message ends with what it said.
    """
    if store := arguments.get("store"):
        arguments["store"] = str(Path(str(store)).resolve())
    local.init(
        runner=local.SubprocessRunner(use_venv=False),
        pipeline_root=str(root),
        workspace_root=str(Path(root).resolve() / ".workspace"),  # else Kubeflow leaves one elsewhere if it is killed
        raise_on_error=True,
    )
    log = io.StringIO()
    with warnings.catch_warnings(), nullcontext() if show_log else redirect_stdout(log):
        # Kubeflow warns that our image may hold other packages than this environment; it is built from it.
        warnings.filterwarnings("ignore", "You may be attemping to run", RuntimeWarning)
        try:
            pipeline = tuned_pipeline if "trials" in arguments else training_pipeline
            task = pipeline(lake=str(Path(lake).resolve()), **arguments)
        except RuntimeError as error:
            raise RuntimeError(f"{error}\n{log.getvalue()[-3000:]}") from error
    return float(task.output)


def steps_run(root: str | Path) -> dict[str, bool]:
    """Return, for the newest local run in a folder, which steps really ran (True) and which the store answered.

    A step that did not end is not in it.

    Raises:
        FileNotFoundError: There is no run in the folder.
    """
    runs = sorted(Path(root).glob("oakbank-training-*"), key=lambda path: path.name.split("-")[-7:])
    if not runs:
        raise FileNotFoundError(f"no run in {root}: run the pipeline first")
    ran: dict[str, bool] = {}
    for task in LIMITS:
        told = runs[-1] / task / "executor_output.json"
        if told.is_file():
            outputs = json.loads(told.read_bytes())["artifacts"].values()
            artefacts = [artefact["metadata"] for output in outputs for artefact in output["artifacts"]]
            ran[task.removesuffix("-op")] = any(metadata.get("ran") for metadata in artefacts)
    return ran
