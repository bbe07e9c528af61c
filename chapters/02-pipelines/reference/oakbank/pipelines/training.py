"""The training pipeline: ingest -> validate -> features -> train -> evaluate -> register.

Each step is a plain function from files to files. `run_training` calls them in this process;
`oakbank.pipelines.kubeflow` makes the same functions into components.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from oakbank.pipelines.artifacts import Steps, code_hash, file_hash, folder_lock, write_json
from oakbank.pipelines.evaluation import Evaluation, evaluate_model, evaluation_from_json
from oakbank.pipelines.features import OAKBANK, feature_matrix
from oakbank.pipelines.german import load_german
from oakbank.pipelines.model import SPECS, CreditModel
from oakbank.pipelines.validation import FeedReference, Problem, bad_rows, check_feed, repair_feed
from oakbank.world import Lake
from oakbank.world.lake import LakeError, read_parquet, write_parquet

if TYPE_CHECKING:
    from oakbank.pipelines.registry import Registry

LABEL_COLUMNS = ("application_id", "month", "amount", "term", "group", "defaulted")


@dataclass(frozen=True)
class TrainingConfig:
    """Everything that decides a training run, but for the data and the code."""

    as_of: int = 0
    """Month of the run: only outcomes known before it exist."""
    window: int = 12
    """Months of application to learn from, counted back from the last with known outcomes."""
    holdout: int = 2
    """The last months of the window, kept from training, to evaluate on (for data without dates: every fifth row)."""
    half_life: float | None = None
    """Months after which a row counts half; None: all count alike."""
    refit: bool = True
    """After evaluating, train once more on the whole window; this is the model that gets registered."""
    seed: int = 0
    rounds: int = 150
    params: dict[str, Any] = field(default_factory=dict)
    """LightGBM parameters that replace the defaults."""


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

    def model(self) -> CreditModel:
        """Load the model to deploy."""
        return CreditModel.load(self.model_path)

    def candidate(self) -> CreditModel:
        """Load the model that never saw the hold-out."""
        return CreditModel.load(self.candidate_path)

    def holdout(self) -> pd.DataFrame:
        """Load the labelled hold-out."""
        return read_parquet(self.holdout_path)


def ingest(applications: Sequence[Path], outcomes: Sequence[Path], labelled: Path) -> None:
    """Join applications with their outcomes; an application without a known outcome is left out.

    Args:
        applications: Parquet files, one per month of application.
        outcomes: Parquet files, one per month in which outcomes became known.
        labelled: Where to write the joined rows, in order of application.

    Raises:
        LakeError: A file cannot be read, or no outcome is known yet.
    """
    feed = pd.concat([read_parquet(path) for path in applications], ignore_index=True)
    known = pd.concat([read_parquet(path) for path in outcomes], ignore_index=True)
    known = known[["application_id", "defaulted"]].drop_duplicates("application_id")
    rows = feed.merge(known, on="application_id", how="inner", validate="many_to_one")
    if rows.empty:
        raise LakeError("no outcome is known for these months yet: wait for labels, or widen the window")
    write_parquet(rows.sort_values(["month", "application_id"], ignore_index=True), labelled)


def ingest_german(labelled: Path, source: str | None = None) -> None:
    """Write the German credit data as labelled rows; `source` as in `load_german`."""
    write_parquet(load_german(source), labelled)


def validate(labelled: Path, accepted: Path, quarantined: Path, report: Path, spec: str = OAKBANK.name) -> None:
    """Split rows into those that keep the contract and those that do not; repair columns of broken months.

    Args:
        labelled: From `ingest`.
        accepted: Where to write the good rows.
        quarantined: Where to write the others, with a column `reason`. No row is lost.
        report: Where to write JSON: counts and the feed's problems by month.
        spec: Which data set it is; feeds are watched for Oakbank's own only.
    """
    rows = read_parquet(labelled)
    problems: dict[str, list[dict[str, str]]] = {}
    if spec == OAKBANK.name:
        months = sorted(rows["month"].unique())
        by_month = {month: rows[rows["month"] == month] for month in months}
        reference = FeedReference.of(_calmest(by_month))
        parts = []
        for month in months:
            found: list[Problem] = check_feed(by_month[month], reference)
            found = [problem for problem in found if problem.column != "defaulted"]
            if found:
                problems[str(month)] = [asdict(problem) for problem in found]
            parts.append(repair_feed(by_month[month], found, reference))
        rows = pd.concat(parts, ignore_index=True)
        reason = bad_rows(rows)
    else:
        reason = pd.Series("", index=rows.index, dtype=object)
        reason[rows["application_id"].duplicated()] = "duplicated application_id"
        for column in SPECS[spec].columns:
            reason[rows[column].isna() & (reason == "")] = f"{column} is missing"
    good = reason == ""
    write_parquet(rows[good], accepted)
    write_parquet(rows[~good].assign(reason=reason[~good].astype(str)), quarantined)
    write_json(report, {"rows": len(rows), "quarantined": int((~good).sum()), "feed_problems": problems})


def _calmest(by_month: dict[int, pd.DataFrame]) -> pd.DataFrame:
    """The month whose median income lies in the middle: a reference that a few broken months cannot move."""
    complete = {m: frame for m, frame in by_month.items() if not frame.drop(columns="defaulted").isna().all().any()}
    medians = {month: float(frame["income"].median()) for month, frame in complete.items() if "income" in frame}
    ordered = sorted(medians, key=lambda month: (medians[month], month))
    return complete[ordered[len(ordered) // 2]]


def features(accepted: Path, matrix: Path, spec: str = OAKBANK.name) -> None:
    """Write the feature matrix (float32) with the columns that labels and splits need, prefixed by `_`."""
    rows = read_parquet(accepted)
    table = pd.DataFrame(feature_matrix(rows, SPECS[spec]), columns=list(SPECS[spec].feature_names))
    for column in LABEL_COLUMNS:
        table[f"_{column}"] = rows[column].to_numpy()
    write_parquet(table, matrix)


def is_holdout(table: pd.DataFrame, holdout: int) -> NDArray[np.bool_]:
    """Return which rows of a feature table are held out: the last months; without dates, every fifth row."""
    month = table["_month"].to_numpy()
    if month.min() == month.max():
        return np.asarray(table["_application_id"] % 5 == 0)
    if month.max() - month.min() < holdout:
        raise LakeError(f"{month.max() - month.min() + 1} months of labels, {holdout} wanted for the hold-out alone")
    return np.asarray(month > month.max() - holdout)


def train(
    matrix: Path,
    model: Path,
    candidate: Path,
    spec: str = OAKBANK.name,
    holdout: int = 2,
    half_life: float | None = None,
    refit: bool = True,
    seed: int = 0,
    rounds: int = 150,
    params: dict[str, Any] | None = None,
) -> None:
    """Train the candidate without the hold-out, and the model to deploy; see `TrainingConfig`."""
    table = read_parquet(matrix)
    names = list(SPECS[spec].feature_names)
    month = table["_month"].to_numpy(dtype=np.float64)
    weight = None if half_life is None else 0.5 ** ((month.max() - month) / half_life)

    def fit(rows: NDArray[np.bool_]) -> CreditModel:
        return CreditModel.fit(
            table.loc[rows, names].to_numpy(np.float32),
            table.loc[rows, "_defaulted"],
            spec=SPECS[spec],
            params=params,
            rounds=rounds,
            seed=seed,
            weight=None if weight is None else weight[rows],
        )

    kept = fit(~is_holdout(table, holdout))
    kept.save(candidate)
    (fit(np.ones(len(table), dtype=bool)) if refit else kept).save(model)


def evaluate(matrix: Path, accepted: Path, candidate: Path, evaluation: Path, held_out: Path, holdout: int = 2) -> None:
    """Measure the candidate on the hold-out and write the measures (JSON) and the hold-out's rows."""
    rows = read_parquet(accepted)[is_holdout(read_parquet(matrix), holdout)]
    write_json(evaluation, asdict(evaluate_model(CreditModel.load(candidate), rows)))
    write_parquet(rows, held_out)


def lake_inputs(lake: Lake, config: TrainingConfig, label_delay: int) -> dict[str, list[Path]]:
    """Return the files that a run as of a month may read: nothing from that month or later is among them."""
    last = config.as_of - 1 - label_delay
    months = [m for m in lake.months("applications") if last - config.window < m <= last]
    known = [m for m in lake.months("outcomes") if m < config.as_of and m - label_delay in months]
    if not known:
        raise LakeError(
            f"{lake.folder}: no outcomes known before month {config.as_of}: publish history first, or wait for labels"
        )
    return {
        "applications": [lake.path("applications", m) for m in months if m + label_delay in known],
        "outcomes": [lake.path("outcomes", m) for m in known],
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
        LakeError, SourceError: Data that is missing or cannot be read.
        PipelineBusyError: Another run works in `workdir`.
    """
    folder = Path(workdir)
    spec = OAKBANK.name if isinstance(source, Lake) else "german"
    with folder_lock(folder):
        steps = Steps(folder)
        if isinstance(source, Lake):
            inputs = lake_inputs(source, config, label_delay)
            data = steps.run("ingest", ingest, inputs=inputs, outputs={"labelled": "labelled.parquet"}, params={})
        else:
            data = steps.run(
                "ingest",
                ingest_german,
                inputs={},
                outputs={"labelled": "labelled.parquet"},
                params={"source": None if source is None else str(source)},
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
            params={"holdout": config.holdout},
        )
        run = TrainingRun(
            folder=folder,
            config=config,
            model_path=models["model"],
            candidate_path=models["candidate"],
            holdout_path=measured["held_out"],
            evaluation=evaluation_from_json(json.loads(measured["evaluation"].read_text(encoding="utf-8"))),
            data_hash=file_hash(valid["accepted"]),
            code_hash=code_hash(),
            ran=tuple(steps.ran),
            version=None,
        )
        return run if registry is None else registry.register(run)
