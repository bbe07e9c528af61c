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
from oakbank.pipelines.dag import Dag, Step
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


def training_dag(config: TrainingConfig, source: Source, label_delay: int = 3, retries: int = 0) -> Dag:
    """Return the pipeline as a graph of steps; arguments and errors as in `run_training`."""
    if isinstance(source, Lake):
        spec = OAKBANK.name
        ingested = Step(
            "ingest",
            ingest,
            inputs=lake_inputs(source, config, label_delay),
            outputs={"labelled": "labelled.parquet", "feed": "feed.json"},
            params={"as_of": config.as_of},
        )
    elif isinstance(source, OwnData):
        spec = source.spec.data_spec().key
        ingested = Step(
            "ingest",
            ingest_table,
            inputs={"source": source.path},
            outputs={"labelled": "labelled.parquet"},
            params={"spec": spec},
        )
    else:
        spec, german = GERMAN.name, source if isinstance(source, GermanFile) or source is None else GermanFile(source)
        ingested = Step(
            "ingest",
            ingest_german,
            inputs={} if german is None else {"source": german_file(german.path)},
            outputs={"labelled": "labelled.parquet"},
            params={} if german is None else {"bad": german.bad},
        )
    config = _settled(config, source)
    matrix, accepted = {"matrix": "features.matrix"}, {"accepted": "validate.accepted"}
    split = {"holdout": config.holdout, "spec": spec}
    settings = {k: v for k, v in asdict(config).items() if k not in ("as_of", "window", "trials")} | {"spec": spec}
    models = {"model": "model.txt", "candidate": "candidate.txt"}
    if config.trials:
        from oakbank.pipelines.tuning import tune  # late: the search's library takes a second to import

        for decided in ("params", "rounds"):
            del settings[decided]
        searched = {"trials": config.trials, "seed": config.seed, "half_life": config.half_life}
        fitted = [
            Step("tune", tune, matrix, {"chosen": "chosen.json"}, split | searched),
            Step("train", train_chosen, matrix | {"chosen": "tune.chosen"}, models, settings),
        ]
    else:
        fitted = [Step("train", train, matrix, models, settings)]
    judged = matrix | accepted | {"candidate": "train.candidate"}
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
        *fitted,
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

    Raises:
        LakeError: A month is missing, cannot be read or repaired, or no outcome is known yet.
        SourceError: The CSV or the German data cannot be read or fetched, or do not fit.
        PipelineBusyError: Another run works in `workdir`.
    """
    folder, config = Path(workdir), _settled(config, source)
    with folder_lock(folder):
        dag, steps = training_dag(config, source, label_delay, retries), Steps(folder)
        made = dag.run(steps)
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
