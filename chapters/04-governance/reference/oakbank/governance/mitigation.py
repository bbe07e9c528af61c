"""Remedies for unequal treatment, each through Fairlearn's own API, and what each costs and whom.

A remedy mends the sample that it is fitted on. Fitted on the book, which holds granted loans only, it mends the book.
All of these read the group in training; thresholds by group read it at every decision as well, which in lending in the
USA is disparate treatment (Regulation B, 12 CFR 1002.4(a), 1002.6(b)(9)). Not legal advice; as of 30 November 2026.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd
from fairlearn.postprocessing import ThresholdOptimizer
from fairlearn.reductions import DemographicParity, ErrorRate, ExponentiatedGradient
from numpy.typing import ArrayLike, NDArray

from oakbank.governance.disparity import columns

LOSS_OF_A_DEFAULT, LOSS_OF_A_DECLINE = 0.83, 0.17
"""What a granted loan that defaults costs, against a declined one that would have repaid. Together 1: then a grant pays
below a default probability of 0.17, which is about where loans of the course break even."""


def reweighing(repaid: ArrayLike, group: ArrayLike) -> NDArray[np.float64]:
    """Return the weight of each row with which group and outcome are independent (Kamiran and Calders 2012).

    Args:
        repaid: Outcomes, bool, shape (n,).
        group: The group of each, shape (n,).

    Returns:
        Shape (n,); their mean is 1. Give them to a training as `sample_weight`.

    Raises:
        ValueError: As in `columns`, or a group has only one kind of outcome.
    """
    outcome, member = columns(repaid, group)
    weight = np.zeros(len(outcome))
    for name in np.unique(member):
        for kind in (False, True):
            cell = (member == name) & (outcome == kind)
            if not cell.any():
                raise ValueError(f"nobody of {name} has the outcome {kind}: reweighing needs both in each group")
            weight[cell] = (member == name).mean() * (outcome == kind).mean() / cell.mean()
    return weight


def thresholds(fitted: Any, features: ArrayLike, repaid: ArrayLike, group: ArrayLike) -> ThresholdOptimizer:
    """Return thresholds by group with equal approval rates on this sample.

    Args:
        fitted: A classifier of scikit-learn, fitted; its class 1 is a loan that is repaid.
        features: What it takes, shape (n, k).
        repaid: Outcomes, bool, shape (n,).
        group: The group of each, shape (n,).

    Returns:
        `predict(features, sensitive_features=group, random_state=...)` gives 1 for a grant. It needs the group.
    """
    outcome, member = columns(repaid, group)
    found = ThresholdOptimizer(
        estimator=fitted,
        constraints="demographic_parity",
        objective="balanced_accuracy_score",
        prefit=True,
        predict_method="predict_proba",
    )
    return found.fit(features, outcome.astype(int), sensitive_features=member)


def reductions(
    estimator: Any, features: ArrayLike, repaid: ArrayLike, group: ArrayLike, bound: float = 0.01
) -> ExponentiatedGradient:
    """Return a mixture of classifiers whose approval rates on this sample are about equal (Agarwal et al. 2018).

    Args:
        estimator: A classifier of scikit-learn that takes `sample_weight`, not fitted.
        features: Shape (n, k).
        repaid: Outcomes, bool, shape (n,).
        group: The group of each, shape (n,); `predict` does not need it.
        bound: How far a group's approval rate may lie from the whole sample's.

    Returns:
        `predict(features, random_state=...)` draws one of the classifiers for each row: the same applicant may get
        another answer on another day.
    """
    outcome, member = columns(repaid, group)
    found = ExponentiatedGradient(
        estimator,
        DemographicParity(difference_bound=bound),
        objective=ErrorRate(costs={"fp": LOSS_OF_A_DEFAULT, "fn": LOSS_OF_A_DECLINE}),
        max_iter=20,
    )
    return found.fit(features, outcome.astype(int), sensitive_features=member)


def who_pays(remedies: Mapping[str, ArrayLike], group: ArrayLike, expected_profit: ArrayLike) -> pd.DataFrame:
    """Compare decisions with the first ones of them: what a remedy costs, and whom.

    Args:
        remedies: Decisions by name, bool, each of shape (n,); the first are those without a remedy.
        group: The group of each person, shape (n,).
        expected_profit: What each loan is expected to earn, EUR, shape (n,).

    Returns:
        One row per remedy: `ratio` (lowest approval rate over highest), `profit` (EUR), `cost` (EUR against the first),
        and for each group `rate_G`, `gained_G` and `lost_G` (people who get a loan, or lose it, against the first).

    Raises:
        ValueError: There are no remedies, the lengths differ, or a value is missing.
    """
    if not remedies:
        raise ValueError("no decisions to compare: give at least those without a remedy")
    first = next(iter(remedies.values()))
    before, member = columns(first, group)
    earned = np.asarray(expected_profit, dtype=np.float64)
    if earned.shape != before.shape or np.isnan(earned).any():
        raise ValueError(f"{earned.shape} profits for {before.shape} people: give one number of each")
    names, rows = [str(name) for name in np.unique(member)], {}
    for remedy, decided in remedies.items():
        after, _ = columns(decided, group)
        rates = {f"rate_{name}": float(after[member == name].mean()) for name in names}
        moved: dict[str, float] = {}
        for name in names:
            moved[f"gained_{name}"] = int((after & ~before)[member == name].sum())
            moved[f"lost_{name}"] = int((before & ~after)[member == name].sum())
        most = max(rates.values())
        ratio = min(rates.values()) / most if most else 1.0
        cost = float(earned[before].sum() - earned[after].sum())
        rows[remedy] = {"ratio": ratio, "profit": float(earned[after].sum()), "cost": cost} | rates | moved
    return pd.DataFrame.from_dict(rows, orient="index")
