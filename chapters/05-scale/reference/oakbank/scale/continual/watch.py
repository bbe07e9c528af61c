"""A change detector on whatever a bank can measure: what it watches decides what it sees, and when."""

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray
from river import drift


def losses(defaulted: ArrayLike, risk: ArrayLike) -> NDArray[np.float64]:
    """Return the log loss of each row, shape (n,); a prediction of 0 or 1 counts as 1e-9 away from it."""
    outcome = np.asarray(defaulted, dtype=bool)
    sure = np.clip(np.asarray(risk, dtype=np.float64), 1e-9, 1 - 1e-9)
    return np.asarray(-np.log(np.where(outcome, sure, 1 - sure)), dtype=np.float64)


def first_alarm(table: pd.DataFrame, column: str, known_after: int = 0) -> pd.Timestamp | None:
    """Return the day on which ADWIN first says that the mean of a column has changed; None: never.

    Args:
        table: In order of its column `day`.
        column: What to watch, such as errors or scores.
        known_after: Days from `day` until the value is known.
    """
    watch: Any = drift.ADWIN()  # type: ignore[no-untyped-call]  # River's own signature has no types
    for day, value in zip(table["day"], table[column].tolist(), strict=True):
        watch.update(value)
        if watch.drift_detected:
            return pd.Timestamp(day) + pd.Timedelta(days=known_after)
    return None
