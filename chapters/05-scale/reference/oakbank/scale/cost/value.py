"""What a decision is worth, and what a better model is worth: the other side of the bill."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import roc_auc_score

from oakbank.pipelines import CreditModel, feature_matrix, grant


def learning_curve(
    history: pd.DataFrame,
    defaulted: ArrayLike,
    later: pd.DataFrame,
    later_defaulted: ArrayLike,
    profit: ArrayLike,
    *,
    sizes: Sequence[int],
    seeds: int = 3,
) -> pd.DataFrame:
    """Measure models that learned from more and from fewer rows: how well they rank, and what they earn.

    Args:
        history: Applications to learn from.
        defaulted: Their outcomes (bool), shape (len(history),).
        later: Applications to decide.
        later_defaulted: Their outcomes, shape (len(later),).
        profit: EUR that each earns if it is granted, as expected or as it came, shape (len(later),).
        sizes: Rows to learn from, drawn from the history.
        seeds: Draws for each size.

    Returns:
        One row for each model: `rows`, `auc`, and `profit`, EUR for each application that was decided.

    Raises:
        ValueError: A size is not between 1 and the length of the history.
    """
    if not all(1 <= size <= len(history) for size in sizes):
        raise ValueError(f"sizes must lie between 1 and {len(history)}, the rows of the history")
    matrix, outcome = feature_matrix(history), np.asarray(defaulted, dtype=bool)
    asked, truth, earns = feature_matrix(later), np.asarray(later_defaulted, dtype=bool), np.asarray(profit)
    found = []
    for size in sizes:
        for seed in range(seeds):
            drawn = np.random.default_rng(seed).choice(len(history), size, replace=False)
            risk = CreditModel.fit(matrix[drawn], outcome[drawn]).predict_matrix(asked)
            granted = grant(risk, later["amount"], later["term"])
            found.append((size, float(roc_auc_score(truth, risk)), float(earns[granted].sum() / len(later))))
    return pd.DataFrame(found, columns=["rows", "auc", "profit"])


def worth_of_auc(auc: ArrayLike, profit: ArrayLike) -> float:
    """Return what 0.001 of AUC is worth: the slope of profit over AUC, in the unit of `profit`.

    Args:
        auc: Of some models, shape (n,), n of 2 or more.
        profit: Of the same, shape (n,).

    Raises:
        ValueError: There are fewer than two different AUCs, so there is no slope.
    """
    x: NDArray[np.float64] = np.asarray(auc, dtype=np.float64)
    if np.unique(x).size < 2:
        raise ValueError("give models of two different AUCs or more: one point has no slope")
    return float(np.polyfit(x, np.asarray(profit, dtype=np.float64), 1)[0]) / 1000
