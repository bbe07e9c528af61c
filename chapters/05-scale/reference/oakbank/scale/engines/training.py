"""LightGBM on several workers: which rows lie where, and what of a model's text can be compared.

With `tree_learner="data"` each worker holds some rows. They agree on bins (each feature's are found by one worker, from
its own rows) and add up histograms. So the trees depend on who holds what, and on who is the first of the workers.
"""

import hashlib
import warnings
from collections.abc import Mapping
from typing import Any

import dask
import dask.array as da
import lightgbm as lgb
import numpy as np
import pandas as pd
from distributed import Client
from numpy.typing import ArrayLike, NDArray
from sklearn.metrics import roc_auc_score

from oakbank.pipelines import feature_matrix, grant
from oakbank.pipelines.model import TREE_PARAMS
from oakbank.scale.engines.cluster import Quiet, workers_of

SETTINGS: dict[str, Any] = {
    "n_estimators": 150, "deterministic": True, "force_row_wise": True, "verbosity": -1, "random_state": 0,
} | TREE_PARAMS  # fmt: skip
"""The bank's, as LightGBM's classes for scikit-learn name them; threads are for the caller to say."""


def place(client: Client, rows: NDArray[Any]) -> da.Array:
    """Lay an equal part of the rows on each worker, in the workers' order.

    Left to the scheduler, all parts may lie on one worker, and then only that one trains.

    Args:
        client: Whose workers.
        rows: Shape (n, ...), with at least as many rows as there are workers.

    Raises:
        ValueError: There are fewer rows than workers.
    """
    workers = workers_of(client)
    if len(rows) < len(workers):
        raise ValueError(f"{len(rows)} rows for {len(workers)} workers: start fewer workers")
    parts = []
    for part, worker in zip(np.array_split(rows, len(workers)), workers, strict=True):
        there = client.scatter(part, workers=[worker], hash=False)  # type: ignore[no-untyped-call]
        parts.append(da.from_delayed(dask.delayed(there), shape=part.shape, dtype=part.dtype))  # type: ignore[no-untyped-call, attr-defined]
    whole: da.Array = da.concatenate(parts)  # type: ignore[no-untyped-call]
    return whole


def train(client: Client, matrix: NDArray[np.float32], defaulted: ArrayLike, **settings: Any) -> lgb.Booster:
    """Train on all workers of a client, each with an equal part of the rows.

    Args:
        client: Its workers must reach each other on any port.
        matrix: From `feature_matrix`, shape (n, k).
        defaulted: Outcomes, bool, shape (n,).
        settings: What replaces `SETTINGS`.
    """
    learner = lgb.DaskLGBMClassifier(client=client, **SETTINGS | settings)
    client.register_plugin(Quiet())
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Parameter n_jobs will be ignored")  # said even if nobody gave it
        learner.fit(place(client, matrix), place(client, np.asarray(defaulted, dtype=np.int8)))
    return learner.booster_


def trees(booster: lgb.Booster) -> str:
    """Return a model's text without what LightGBM was told, which holds the random ports of a distributed training."""
    text = str(booster.model_to_string(num_iteration=-1))
    return text.partition("\nparameters:")[0]


def digest(text: str) -> str:
    """Return the sha256 of a text, as the registry has it of a model's."""
    return hashlib.sha256(text.encode()).hexdigest()


def compare(
    models: Mapping[str, lgb.Booster | lgb.LGBMClassifier], applications: pd.DataFrame, defaulted: ArrayLike
) -> pd.DataFrame:
    """Return how models differ from the first of them.

    Args:
        models: By name; LightGBM's or a trained classifier of its.
        applications: Of the bank, shape (n, any).
        defaulted: Their outcomes, bool, shape (n,).

    Returns:
        A row a model: the beginning of the sha256 of its `file` and of its `trees`, how many decisions were `changed`,
        and its `auc`.
    """
    matrix, rows, first = feature_matrix(applications), [], None
    for learner in models.values():
        model = getattr(learner, "booster_", learner)
        risk = np.asarray(model.predict(matrix, num_threads=1))
        granted = grant(risk, applications["amount"], applications["term"])
        first = granted if first is None else first
        file = str(model.model_to_string(num_iteration=-1))
        hashes = [digest(text)[:8] for text in (file, trees(model))]
        rows.append([*hashes, int((granted != first).sum()), float(roc_auc_score(defaulted, risk))])
    return pd.DataFrame(rows, columns=["file", "trees", "changed", "auc"], index=list(models))
