"""The training pipeline: ingest -> validate -> features -> (tune) -> train -> evaluate -> assess -> register.

Each step is a plain function from files to files, most of them in `oakbank.pipelines.steps`. `training_dag` says what
each reads of the others, and `run_training` runs that graph in this process; `oakbank.pipelines.kubeflow` makes the
same functions into components.
"""

import json
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from oakbank.pipelines.artifacts import Steps, folder_lock
from oakbank.pipelines.assessment import assess
from oakbank.pipelines.dag import Dag, Finished, Step
from oakbank.pipelines.evaluation import evaluation_from_json
from oakbank.pipelines.features import OAKBANK
from oakbank.pipelines.german import GERMAN, GERMAN_PARAMS, GermanFile, german_file
from oakbank.pipelines.runs import TrainingConfig, TrainingRun
from oakbank.pipelines.steps import evaluate, features, ingest, ingest_german, is_holdout, train, validate
from oakbank.pipelines.tables import OwnData, ingest_table
from oakbank.world import Lake, LakeError
from oakbank.world.files import file_hash

if TYPE_CHECKING:
    from oakbank.pipelines.registry import Registry

__all__ = [
    "TrainingConfig",
    "TrainingRun",
    "assess",
    "evaluate",
    "features",
    "ingest",
    "ingest_german",
    "is_holdout",
    "lake_inputs",
    "run_training",
    "train",
    "train_chosen",
    "training_dag",
    "validate",
]

Source = Lake | OwnData | GermanFile | str | Path | None
"""What a run can train on; see `run_training`."""
REFERENCE_MONTHS = 24
"""Months before the window that help to tell a good month of the feed from a broken one."""


def lake_inputs(lake: Lake, config: TrainingConfig, label_delay: int) -> dict[str, list[Path]]:
    """Return the files that a run as of a month may read: nothing from that month or later is among them.

    These are `applications` (months of the window whose outcomes are known), their `outcomes`, and the applications
    of `earlier` months, which show what a good feed looks like.

    Raises:
        LakeError: No outcome is known yet, or a month's applications are gone.
    """
    last = config.as_of - 1 - label_delay
    first = last - config.window + 1
    known = [month for month in lake.months("outcomes") if first <= month - label_delay <= last]
    if not known:
        raise LakeError(
            f"{lake.folder}: no outcomes known before month {config.as_of}: publish history first, or wait for labels"
        )
    there = lake.months("applications")
    months = [month - label_delay for month in known]
    if lost := set(months) - set(there):
        path = lake.path("applications", min(lost))
        raise LakeError(f"{path} is missing, although its outcomes are there: publish that month again")
    return {
        "applications": [lake.path("applications", month) for month in months],
        "outcomes": [lake.path("outcomes", month) for month in known],
        "earlier": [lake.path("applications", m) for m in there if first - REFERENCE_MONTHS <= m < months[0]],
    }


def train_chosen(matrix: Path, chosen: Path, model: Path, candidate: Path, **settings: Any) -> None:
    """Train as `train` does, with the `params` and `rounds` that the step `tune` has chosen."""
    found = json.loads(chosen.read_text(encoding="utf-8"))
    train(matrix, model, candidate, **settings | {"params": found["params"], "rounds": found["rounds"]})


def _settled(config: TrainingConfig, source: Source) -> TrainingConfig:
    given = isinstance(source, Lake | OwnData) or config.params or config.trials
    return config if given else replace(config, params=GERMAN_PARAMS)


def _ingested(source: Source, config: TrainingConfig, label_delay: int) -> tuple[str, Step]:
    """Return which data set a source is, by the name of its specification, and the step that reads it."""
    labelled = {"labelled": "labelled.parquet"}
    if isinstance(source, Lake):
        files = lake_inputs(source, config, label_delay)
        return OAKBANK.name, Step("ingest", ingest, files, labelled | {"feed": "feed.json"}, {"as_of": config.as_of})
    if isinstance(source, OwnData):
        spec = source.spec.data_spec().key
        return spec, Step("ingest", ingest_table, {"source": source.path}, labelled, {"spec": spec})
    if source is None:
        return GERMAN.name, Step("ingest", ingest_german, {}, labelled)
    german = source if isinstance(source, GermanFile) else GermanFile(source)
    file = {"source": german_file(german.path)}
    return GERMAN.name, Step("ingest", ingest_german, file, labelled, {"bad": german.bad})


def _fitted(config: TrainingConfig, spec: str) -> list[Step]:
    """Return the steps from the matrix to the models: the training, and before it a search if there is to be one."""
    matrix, models = {"matrix": "features.matrix"}, {"model": "model.txt", "candidate": "candidate.txt"}
    settings = {k: v for k, v in asdict(config).items() if k not in ("as_of", "window", "trials")} | {"spec": spec}
    if not config.trials:
        return [Step("train", train, matrix, models, settings)]
    from oakbank.pipelines.tuning import tune  # late: the search's library takes a second to import

    searched = {name: getattr(config, name) for name in ("holdout", "trials", "seed", "half_life")} | {"spec": spec}
    for decided in ("params", "rounds"):
        del settings[decided]
    return [
        Step("tune", tune, matrix, {"chosen": "chosen.json"}, searched),
        Step("train", train_chosen, matrix | {"chosen": "tune.chosen"}, models, settings),
    ]


def training_dag(config: TrainingConfig, source: Source, label_delay: int = 3, retries: int = 0) -> Dag:
    """Return the pipeline as a graph of steps; arguments and errors as in `run_training`."""
    config = _settled(config, source)
    spec, ingested = _ingested(source, config, label_delay)
    accepted = {"accepted": "validate.accepted"}
    split = {"holdout": config.holdout, "spec": spec}
    judged = {"matrix": "features.matrix", "candidate": "train.candidate"} | accepted
    steps = [
        ingested,
        Step(
            "validate",
            validate,
            inputs={output: f"ingest.{output}" for output in ingested.outputs},
            outputs={"accepted": "accepted.parquet", "quarantined": "quarantined.parquet", "report": "report.json"},
            params={"spec": spec},
        ),
        Step("features", features, accepted, {"matrix": "matrix.parquet"}, {"spec": spec}),
        *_fitted(config, spec),
        Step("evaluate", evaluate, judged, {"evaluation": "evaluation.json", "held_out": "holdout.parquet"}, split),
        Step("assess", assess, judged, {"report": "assessment.json"}, split | {"half_life": config.half_life}),
    ]
    return Dag(replace(step, retries=retries) for step in steps)


def run_training(
    config: TrainingConfig,
    source: Source,
    workdir: str | Path,
    registry: "Registry | None" = None,
    label_delay: int = 3,
    retries: int = 2,
    finished: Finished | None = None,
) -> TrainingRun:
    """Run the pipeline, resuming whatever an earlier run in the same folder has finished.

    Args:
        config: What to train.
        source: A `Lake` of Oakbank's months; `OwnData`, a CSV with its specification; or the German credit data: a
            path to `german.data`, a `GermanFile` where its coding must be said, or None for OpenML.
        workdir: Folder of the artefacts, one sub-folder per step.
        registry: Where to register the model; None: nowhere.
        label_delay: Months from application to known outcome.
        retries: How often a step is tried again after a transient fault of disk or network.
        finished: Told of each step that is done, with the files that it read and wrote.

    Raises:
        LakeError: A month is missing, cannot be read or repaired, or no outcome is known yet.
        SourceError: The CSV or the German data cannot be read or fetched, or do not fit.
        PipelineBusyError: Another run works in `workdir`.
    """
    folder, config = Path(workdir), _settled(config, source)
    with folder_lock(folder):
        dag, steps = training_dag(config, source, label_delay, retries), Steps(folder)
        made = dag.run(steps, finished)
        models, measured = made["train"], made["evaluate"]
        run = TrainingRun(
            folder=folder,
            config=config,
            model_path=models["model"],
            candidate_path=models["candidate"],
            holdout_path=measured["held_out"],
            assessment_path=made["assess"]["report"],
            evaluation=evaluation_from_json(json.loads(measured["evaluation"].read_text(encoding="utf-8"))),
            data_hash=file_hash(made["validate"]["accepted"]),
            code_hash=steps.code,
            ran=tuple(steps.ran),
            version=None,
            digests={path: file_hash(path) for path in models.values()},
        )
        return run if registry is None else registry.register(run)
