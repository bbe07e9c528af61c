"""The training pipeline: ingest -> validate -> features -> train -> evaluate -> register.

Each step is a plain function from files to files, in `oakbank.pipelines.steps`. `run_training` calls them in this
process; `oakbank.pipelines.kubeflow` makes the same functions into components.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from oakbank.pipelines.artifacts import Steps, file_hash, folder_lock
from oakbank.pipelines.evaluation import Evaluation, evaluation_from_json
from oakbank.pipelines.features import OAKBANK
from oakbank.pipelines.german import GERMAN, GERMAN_PARAMS, german_file
from oakbank.pipelines.model import CreditModel
from oakbank.pipelines.steps import evaluate, features, ingest, ingest_german, is_holdout, train, validate
from oakbank.world import Lake
from oakbank.world.lake import LakeError, read_parquet

if TYPE_CHECKING:
    from oakbank.pipelines.registry import Registry

__all__ = [
    "TrainingConfig",
    "TrainingRun",
    "evaluate",
    "features",
    "ingest",
    "ingest_german",
    "is_holdout",
    "lake_inputs",
    "run_training",
    "train",
    "validate",
]

REFERENCE_MONTHS = 24
"""Months before the window that help to tell a good month of the feed from a broken one."""


@dataclass(frozen=True)
class TrainingConfig:
    """Everything that decides a training run, but for the data and the code."""

    as_of: int = 0
    """Month of the run: only outcomes known before it exist."""
    window: int = 12
    """Months of application to learn from, counted back from the last with known outcomes."""
    holdout: int = 2
    """The last months of the window, kept from training, to evaluate on (German credit: every fifth row)."""
    half_life: float | None = None
    """Months after which a row counts half; None: all count alike."""
    refit: bool = True
    """After evaluating, train once more on the whole window; this is the model that gets registered."""
    seed: int = 0
    rounds: int = 150
    params: dict[str, Any] = field(default_factory=dict)
    """LightGBM parameters that replace the defaults (for the German credit data, none means `GERMAN_PARAMS`)."""

    def __post_init__(self) -> None:
        for name in ("window", "holdout", "rounds"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be 1 or more, not {getattr(self, name)}")
        if self.half_life is not None and self.half_life <= 0:
            raise ValueError(f"half_life must be above 0 months, or None, not {self.half_life}")


@dataclass(frozen=True)
class TrainingRun:
    """What a training run left behind."""

    folder: Path
    config: TrainingConfig
    model_path: Path
    """The model to deploy (refitted on the whole window if the config says so)."""
    candidate_path: Path
    """The model that never saw the hold-out: the one to compare with."""
    holdout_path: Path
    """Parquet of the labelled applications of the hold-out."""
    evaluation: Evaluation
    data_hash: str
    """sha256 of the validated training data."""
    code_hash: str
    ran: tuple[str, ...]
    """Steps that really ran; the others were found done."""
    version: str | None
    """Version in the registry, if there was one to register in."""
    digests: Mapping[Path, str] = field(default_factory=dict, repr=False)
    """sha256 of the models by path: a later run in the same folder writes others there, which are not of this run."""

    def model(self) -> CreditModel:
        """Load the model to deploy.

        Raises:
            ModelError: It is gone, or a later run in the same folder has replaced it.
        """
        return CreditModel.load(self.model_path, self.digests.get(self.model_path))

    def candidate(self) -> CreditModel:
        """Load the model that never saw the hold-out; raises as `model` does."""
        return CreditModel.load(self.candidate_path, self.digests.get(self.candidate_path))

    def holdout(self) -> pd.DataFrame:
        """Load the labelled hold-out."""
        return read_parquet(self.holdout_path)


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


def run_training(
    config: TrainingConfig,
    source: Lake | str | Path | None,
    workdir: str | Path,
    registry: "Registry | None" = None,
    label_delay: int = 3,
) -> TrainingRun:
    """Run the pipeline, resuming whatever an earlier run in the same folder has finished.

    Args:
        config: What to train.
        source: A `Lake` of Oakbank's months; or the German credit data: a path to `german.data`, or None for OpenML.
        workdir: Folder of the artefacts, one sub-folder per step.
        registry: Where to register the model; None: nowhere.
        label_delay: Months from application to known outcome.

    Raises:
        LakeError: A month is missing, cannot be read or repaired, or no outcome is known yet.
        SourceError: The German data cannot be read or fetched.
        PipelineBusyError: Another run works in `workdir`.
    """
    folder = Path(workdir)
    spec = OAKBANK.name if isinstance(source, Lake) else GERMAN.name
    if spec == GERMAN.name and not config.params:
        config = replace(config, params=GERMAN_PARAMS)
    with folder_lock(folder):
        steps = Steps(folder)
        if isinstance(source, Lake):
            data = steps.run(
                "ingest",
                ingest,
                inputs=lake_inputs(source, config, label_delay),
                outputs={"labelled": "labelled.parquet", "feed": "feed.json"},
                params={"as_of": config.as_of},
            )
        else:
            data = steps.run(
                "ingest",
                ingest_german,
                inputs={} if source is None else {"source": german_file(source)},
                outputs={"labelled": "labelled.parquet"},
                params={},
            )
        valid = steps.run(
            "validate",
            validate,
            inputs=data,
            outputs={
                "accepted": "accepted.parquet",
                "quarantined": "quarantined.parquet",
                "report": "report.json",
            },
            params={"spec": spec},
        )
        accepted = {"accepted": valid["accepted"]}
        matrix = steps.run(
            "features", features, inputs=accepted, outputs={"matrix": "matrix.parquet"}, params={"spec": spec}
        )
        settings = {key: value for key, value in asdict(config).items() if key not in ("as_of", "window")}
        models = steps.run(
            "train",
            train,
            inputs=matrix,
            outputs={"model": "model.txt", "candidate": "candidate.txt"},
            params=settings | {"spec": spec},
        )
        measured = steps.run(
            "evaluate",
            evaluate,
            inputs=matrix | accepted | {"candidate": models["candidate"]},
            outputs={"evaluation": "evaluation.json", "held_out": "holdout.parquet"},
            params={"holdout": config.holdout, "spec": spec},
        )
        run = TrainingRun(
            folder=folder,
            config=config,
            model_path=models["model"],
            candidate_path=models["candidate"],
            holdout_path=measured["held_out"],
            evaluation=evaluation_from_json(json.loads(measured["evaluation"].read_text(encoding="utf-8"))),
            data_hash=file_hash(valid["accepted"]),
            code_hash=steps.code,
            ran=tuple(steps.ran),
            version=None,
            digests={path: file_hash(path) for path in models.values()},
        )
        return run if registry is None else registry.register(run)
