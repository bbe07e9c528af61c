"""The attack on the model: a twin learned from the service's own answers.

A label is one throw of a coin; an answer is the model's probability itself, without noise. So answers teach many times
as much as outcomes (OWASP ML05:2023 model theft; MITRE ATLAS AML.T0024.002 extract AI model; F. Tramer et al., USENIX
Security 2016).
"""

from dataclasses import dataclass
from typing import Any

import httpx
import lightgbm as lgb
import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from oakbank.pipelines import feature_matrix, grant
from oakbank.pipelines.contract import MAX_BATCH
from oakbank.pipelines.model import SAME_BYTES
from oakbank.world import FEATURES

TWIN: dict[str, Any] = SAME_BYTES | {
    "objective": "regression",
    "learning_rate": 0.05,
    "num_leaves": 12,
    "min_data_in_leaf": 10,
    "seed": 0,
}
ROUNDS = 300


def ask(client: httpx.Client, applications: pd.DataFrame, batch: int = MAX_BATCH) -> pd.DataFrame:
    """Ask the service's `/score/batch`, until all is answered or it refuses.

    Args:
        client: With the service's address, and whatever identifies the caller.
        applications: What to ask about, columns as the service takes them.
        batch: Applications in one request.

    Returns:
        `default_probability` and `granted` of as many applications as were answered, in their order.
    """
    rows = applications[list(FEATURES)].to_dict("records")
    answers: list[dict[str, Any]] = []
    for begin in range(0, len(rows), batch):
        answer = client.post("/score/batch", json=rows[begin : begin + batch])
        if answer.status_code != httpx.codes.OK:
            break
        answers += answer.json()["scores"]
    return pd.DataFrame(answers, columns=["default_probability", "granted"])


@dataclass(frozen=True)
class Twin:
    """A copy of a model that somebody else trained."""

    booster: lgb.Booster

    @classmethod
    def fit(cls, applications: pd.DataFrame, probability: ArrayLike) -> "Twin":
        """Learn the log-odds of answers.

        Args:
            applications: What was asked, shape (n, any).
            probability: The answers, shape (n,); 0 and 1 are taken as 0.005 from it.
        """
        answers = np.clip(np.asarray(probability, dtype=np.float64), 0.005, 0.995)
        data = lgb.Dataset(feature_matrix(applications), np.log(answers / (1 - answers)))
        return cls(lgb.train(TWIN, data, num_boost_round=ROUNDS))

    def predict(self, applications: pd.DataFrame) -> NDArray[np.float64]:
        """Return the twin's default probability of each application, shape (n,)."""
        odds = np.asarray(self.booster.predict(feature_matrix(applications), num_threads=1), dtype=np.float64)
        return np.asarray(1 / (1 + np.exp(-odds)))


def agreement(one: ArrayLike, other: ArrayLike, applications: pd.DataFrame) -> float:
    """Return the share of applications that two arrays of default probabilities, shape (n,), decide alike."""
    amount, term = applications["amount"], applications["term"]
    return float((grant(one, amount, term) == grant(other, amount, term)).mean())
