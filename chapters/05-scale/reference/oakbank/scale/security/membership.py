"""The attack on the people in the training data: was this person one of them?

A model that remembers its rows is surer of them than of others. Whoever knows a person's application and outcome, and
gets the model's probability, can tell (S. Yeom et al., CSF 2018: a threshold on the loss; OWASP ML04:2023 membership
inference; MITRE ATLAS AML.T0024.000 infer training data membership). The bank can attack itself before it releases: it
knows who was in.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import roc_curve

from oakbank.deploy.gate import GateResult
from oakbank.pipelines.measures import auc_interval

PEOPLE = ("all", "defaulted", "repaid")


@dataclass(frozen=True)
class Leak:
    """How well members are told from others; by chance `auc` is 0.5 and `advantage` 0."""

    auc: float
    """The share of pairs of a member and another in which the member has the lower loss."""
    interval: tuple[float, float]
    """Of the AUC, 95 %."""
    advantage: float
    """Members found less others taken for members, at the best threshold. Chosen with hindsight, so a little above 0
    by chance, too."""
    advantage_without_scores: float
    """The same for an attacker who sees only whether the model is right, at 0.5: no rounding can take that away."""


def loss(probability: ArrayLike, defaulted: ArrayLike) -> NDArray[np.float64]:
    """Return what the model's answer costs in log loss on each row, shape (n,)."""
    risk, outcome = np.asarray(probability, dtype=np.float64), np.asarray(defaulted, dtype=bool)
    return np.asarray(-np.log(np.clip(np.where(outcome, risk, 1 - risk), 1e-12, 1)))


def attack(members: ArrayLike, members_defaulted: ArrayLike, others: ArrayLike, others_defaulted: ArrayLike) -> Leak:
    """Attack with a threshold on the loss.

    Args:
        members: The model's probabilities of rows that it was trained on, shape (m,).
        members_defaulted: Their outcomes, bool, shape (m,).
        others: Its probabilities of rows of the same months that it never saw, shape (n,).
        others_defaulted: Their outcomes, bool, shape (n,).

    Raises:
        ValueError: There are fewer than two rows of either kind.
    """
    inside, outside = loss(members, members_defaulted), loss(others, others_defaulted)
    if len(inside) < 2 or len(outside) < 2:
        raise ValueError("an attack is measured on at least two members and two others")
    member = np.r_[np.ones(len(inside), dtype=bool), np.zeros(len(outside), dtype=bool)]
    sure = -np.r_[inside, outside]
    ranked = auc_interval(member, sure)
    missed, found, _ = roc_curve(member, sure)
    right = [float((values < np.log(2)).mean()) for values in (inside, outside)]
    low, high = ranked["interval"]
    return Leak(float(ranked["auc"]), (low, high), float((found - missed).max()), right[0] - right[1])


def examine(members: pd.DataFrame, others: pd.DataFrame) -> pd.DataFrame:
    """Attack all, and defaulters and others apart: the mean over all hides who is told most easily.

    Args:
        members: Columns `probability` and `defaulted` of the rows that the model was trained on.
        others: The same of rows that it never saw.

    Returns:
        One row for each of `PEOPLE`: `auc`, `low`, `high`, `advantage`, `advantage_without_scores`.
    """
    table: dict[str, dict[str, Any]] = {}
    for people in PEOPLE:
        inside, outside = (_only(people, rows) for rows in (members, others))
        leak = attack(inside["probability"], inside["defaulted"], outside["probability"], outside["defaulted"])
        low, high = leak.interval
        table[people] = {"auc": leak.auc, "low": low, "high": high, "advantage": leak.advantage} | {
            "advantage_without_scores": leak.advantage_without_scores
        }
    return pd.DataFrame.from_dict(table, orient="index")


def _only(people: str, rows: pd.DataFrame) -> pd.DataFrame:
    if people == "all":
        return rows
    return rows[rows["defaulted"].astype(bool) == (people == "defaulted")]


def keeps_secret(members: pd.DataFrame, others: pd.DataFrame, limit: float = 0.65) -> GateResult:
    """Say whether the attack stays surely below an AUC of `limit`, for each of `PEOPLE`; rows as in `examine`.

    The upper end of the interval counts: few rows are no evidence of a secret kept.
    """
    table = examine(members, others)
    high = dict(zip(PEOPLE, table["high"].tolist(), strict=True))
    worst = max(high, key=high.__getitem__)
    auc = table["auc"].tolist()[PEOPLE.index(worst)]
    detail = f"membership of {worst}: AUC {auc:.3f}, at most {high[worst]:.3f}"
    return GateResult("keeps_secret", high[worst] <= limit, f"{detail}, {limit:g} wanted")
