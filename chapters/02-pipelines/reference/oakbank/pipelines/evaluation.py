"""How good a model is, in the words of a statistician and of a bank."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import brier_score_loss, log_loss, roc_auc_score

from oakbank.pipelines.model import CreditModel, grant
from oakbank.world import loan_profit


@dataclass(frozen=True)
class Evaluation:
    """Measures of one model on labelled applications that it was not trained on."""

    rows: int
    default_rate: float
    auc: float
    log_loss: float
    brier: float
    mean_probability: float
    """Mean predicted default probability; far from `default_rate` means badly calibrated."""
    approval_rate: float
    approved_default_rate: float
    profit: float
    """EUR, had the model decided over these rows. Rows are granted loans only: nobody knows the declined."""
    approval_by_group: dict[str, float]

    def metrics(self) -> dict[str, float]:
        """Return all measures as flat numbers, as MLflow wants them."""
        flat = {name: float(value) for name, value in asdict(self).items() if name != "approval_by_group"}
        return flat | {f"approval_rate_{group}": rate for group, rate in self.approval_by_group.items()}


def evaluate_model(model: CreditModel, labelled: pd.DataFrame) -> Evaluation:
    """Measure a model.

    Args:
        model: The model.
        labelled: Applications with `defaulted` (bool), `amount` (EUR), `term` (months) and `group`.

    Raises:
        ValueError: There are no rows, or only one kind of outcome, so that nothing can be measured.
    """
    outcome = labelled["defaulted"].to_numpy(dtype=bool) if len(labelled) else np.zeros(0, dtype=bool)
    if outcome.all() or not outcome.any():
        raise ValueError(f"{len(labelled)} rows with {int(outcome.sum())} defaults: give a hold-out that has both")
    probability = model.predict(labelled)
    approved = grant(probability, labelled["amount"], labelled["term"])
    profit = loan_profit(labelled["amount"], labelled["term"], outcome)
    group = labelled["group"].astype(str).to_numpy()
    return Evaluation(
        rows=len(labelled),
        default_rate=float(outcome.mean()),
        auc=float(roc_auc_score(outcome, probability)),
        log_loss=float(log_loss(outcome, probability)),
        brier=float(brier_score_loss(outcome, probability)),
        mean_probability=float(probability.mean()),
        approval_rate=float(approved.mean()),
        approved_default_rate=float(outcome[approved].mean()) if approved.any() else 0.0,
        profit=round(float(profit[approved].sum()), 2),
        approval_by_group={str(name): float(approved[group == name].mean()) for name in np.unique(group)},
    )


def evaluation_from_json(value: dict[str, Any]) -> Evaluation:
    """Return an `Evaluation` from what `dataclasses.asdict` made of it."""
    return Evaluation(**value)
