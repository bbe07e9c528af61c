"""The step that validates a model: ranking over time, calibration, money and slices, written as one report."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import log_loss

from oakbank.pipelines.features import OAKBANK
from oakbank.pipelines.folds import LABEL, time_folds
from oakbank.pipelines.measures import auc_interval, calibration, cost, decided, recalibrate, recalibration, slices
from oakbank.pipelines.model import CreditModel, grant, month_weight, spec_of
from oakbank.pipelines.steps import held_rows, is_holdout
from oakbank.pipelines.streams import read_columns
from oakbank.world import PROTECTED, LakeError, loan_profit
from oakbank.world.files import write_json
from oakbank.world.lake import read_parquet


def refit(model: CreditModel, table: pd.DataFrame, rows: NDArray[np.bool_], half_life: float | None) -> CreditModel:
    """Train on other rows with the settings that a model was trained with; they stand in its text.

    Args:
        model: Whose settings to take.
        table: From the step `features`, shape (n, any).
        rows: Which rows to train on, bool, shape (n,).
        half_life: As in `train`; the one thing that the text does not hold.
    """
    settings = {name: value for name, value in model.booster.params.items() if name != "num_iterations"}
    return CreditModel.fit(
        table.loc[rows, list(model.spec.feature_names)].to_numpy(np.float32),
        table.loc[rows, LABEL],
        spec=model.spec,
        params=settings,
        rounds=model.booster.num_trees(),
        seed=int(settings["seed"]),
        weight=month_weight(table.loc[rows, "_month"], half_life),
    )


def over_time(
    model: CreditModel, table: pd.DataFrame, folds: int = 3, gap: int = 0, half_life: float | None = None
) -> tuple[list[dict[str, Any]], pd.DataFrame]:
    """Judge a model's settings on the folds of its training months, each time with a model of the months before.

    Args:
        model: Whose settings to judge.
        table: From the step `features`, without the hold-out.
        folds: As in `time_folds`.
        gap: As in `time_folds`.
        half_life: As in `train`.

    Returns:
        One entry a fold, and the judged rows with `outcome` and `risk`: predictions by models that had not seen them.

    Raises:
        LakeError: There are too few months, or a part of a fold has one kind of outcome only.
    """
    report, judged = [], []
    for fold in time_folds(table, folds, gap, model.spec.key):
        part = table[fold.judge]
        outcome = part[LABEL].to_numpy(dtype=bool)
        fitted = refit(model, table, fold.train, half_life)
        risk = fitted.predict_matrix(part[list(model.spec.feature_names)].to_numpy(np.float32))
        profit = loan_profit(part["_amount"], part["_term"], outcome)
        measured = {
            "judged": fold.name,
            "rows_to_train": int(fold.train.sum()),
            "rows": len(part),
            "default_rate": float(outcome.mean()),
            "predicted": float(risk.mean()),
            "log_loss": float(log_loss(outcome, risk)),
            "profit_per_loan": float(profit[grant(risk, part["_amount"], part["_term"])].sum() / len(part)),
        }
        report.append(measured | auc_interval(outcome, risk))
        judged.append(pd.DataFrame({"outcome": outcome, "risk": risk}))
    return report, pd.concat(judged, ignore_index=True)


def assess(
    matrix: Path,
    accepted: Path,
    candidate: Path,
    report: Path,
    *,
    spec: str = OAKBANK.name,
    holdout: int = 2,
    folds: int = 3,
    gap: int = 0,
    half_life: float | None = None,
) -> None:
    """Validate the candidate on the hold-out, and its settings on the months before.

    All rows are loans that somebody granted: what the report says of a slice, it says of those of the slice who got
    a loan. Intervals are at 95 %, and each is of this sample only: next year's applicants may be others.

    Args:
        matrix: From the step `features`.
        accepted: From the step `validate`.
        candidate: From the step `train`: the model that never saw the hold-out.
        report: Where to write JSON: `rows`, `ranking`, `folds`, `calibration`, `recalibrated` (what two numbers
            learned on the folds would change on the hold-out), `cost`, `slices`. Where the training months are too
            few for folds, `folds` is empty, `recalibrated` null, and `no_folds` says why.
        spec: Which data set it is.
        holdout: Months held out, as in `train`.
        folds: As in `time_folds`.
        gap: As in `time_folds`.
        half_life: As in `train`.

    Raises:
        LakeError: The two tables are not of the same rows, or there is no month to train on.
        ValueError: The hold-out has one kind of outcome only.
    """
    table, ids = read_parquet(matrix), read_columns(accepted, ["application_id"])["application_id"]
    if not np.array_equal(table["_application_id"].to_numpy(), ids.to_numpy()):
        raise LakeError(f"{matrix} was not made from {accepted}: run the step `features` again")
    held = is_holdout(table, holdout, spec)
    model, rows = CreditModel.load(candidate), held_rows(matrix, accepted, held).to_pandas()
    outcome = rows["defaulted"].to_numpy(dtype=bool)
    if outcome.all() or not outcome.any():
        raise ValueError(f"{len(rows)} rows with {int(outcome.sum())} defaults: give a hold-out that has both")
    risk = model.predict_matrix(table.loc[held, list(model.spec.feature_names)].to_numpy(np.float32))
    found: dict[str, Any] = {
        "rows": len(rows),
        "ranking": auc_interval(outcome, risk),
        "calibration": calibration(outcome, risk),
        "cost": cost(rows, outcome, risk),
        "slices": slices(
            rows, outcome, risk, [name for name in (PROTECTED, *spec_of(spec).categories) if name in rows]
        ),
        "no_folds": None,
    }
    try:
        kept = table[~held].reset_index(drop=True)
        found["folds"], earlier = over_time(model, kept, folds, gap, half_life)
    except LakeError as error:
        found |= {"folds": [], "recalibrated": None, "no_folds": str(error)}
    else:
        learned = recalibration(earlier["outcome"].to_numpy(), earlier["risk"].to_numpy())
        changed = recalibrate(risk, learned["intercept"], learned["slope"])
        profit = loan_profit(rows["amount"], rows["term"], outcome)
        after = calibration(outcome, changed)
        found["recalibrated"] = {
            "learned": learned,
            "expected_error": after["expected_error"],
            "log_loss": after["log_loss"],
            "break_even": decided(grant(changed, rows["amount"], rows["term"]), outcome, profit),
        }
    write_json(report, found)
