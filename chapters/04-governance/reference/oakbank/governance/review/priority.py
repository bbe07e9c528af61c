"""Which cases a person should see: the scarce thing is the person's time."""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from oakbank.governance.review.officers import Floats, chance, log_odds
from oakbank.governance.review.queue import Case
from oakbank.world import break_even, loan_profit

MODEL_ERROR = 0.7
"""Standard deviation of the model's error in log odds. A bank estimates it from reviews; it need not be exact."""
_STEPS = np.linspace(-2.0, 2.0, 9)


def uncertain(risk: ArrayLike, amount: ArrayLike, term: ArrayLike) -> Floats:
    """Return a priority, shape (n,): the nearer the risk is to break-even, the higher."""
    return -np.abs(np.asarray(risk, dtype=np.float64) - break_even(amount, term))


def at_stake(risk: ArrayLike, amount: ArrayLike, term: ArrayLike) -> Floats:
    """Return a priority, shape (n,): the EUR that are lent."""
    return np.asarray(amount, dtype=np.float64)


def worth(risk: ArrayLike, amount: ArrayLike, term: ArrayLike, error: float = MODEL_ERROR) -> Floats:
    """Return the EUR that a look at each case is worth, shape (n,): the value of perfect information.

    What the bank would earn if it knew the true risk, on average over what it may be, less what it earns by deciding
    on the model's. Where no plausible error turns the decision it is 0, and it grows with the amount.

    Args:
        risk: Default probability by the model, shape (n,).
        amount: EUR, shape (n,).
        term: Months, shape (n,).
        error: Of the model, in log odds.
    """
    weights = np.exp(-(_STEPS**2) / 2)
    weights /= weights.sum()
    cases = [loan_profit(amount, term, chance(log_odds(risk) + error * step)) for step in _STEPS]
    profit: NDArray[np.float64] = np.array(cases)
    known = weights @ np.maximum(profit, 0)
    return np.asarray(known - np.maximum(weights @ profit, 0))


def cases_of(decided: pd.DataFrame, priority: ArrayLike, due: int) -> list[Case]:
    """Return applications as cases for the queue.

    Args:
        decided: `application_id`, `amount` (EUR) and `proposed` (whether the model grants), n rows.
        priority: Shape (n,).
        due: Last period in which they can be reviewed.
    """
    columns = (decided["application_id"], decided["amount"], decided["proposed"], np.asarray(priority))
    plain = zip(*(column.tolist() for column in columns), strict=True)  # SQLite knows no numbers of NumPy
    return [Case(one, amount, proposed, first, due) for one, amount, proposed, first in plain]
