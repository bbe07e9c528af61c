"""What a loan earns or loses: the bank's money, not the model's metric."""

from functools import lru_cache
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

LOAN_RATE = 0.12
"""Interest that a customer pays, per year."""
FUNDING_RATE = 0.03
"""Interest that the bank pays for the money it lends, per year."""
LOSS_GIVEN_DEFAULT = 0.60
"""Share of the amount that is lost when a loan defaults."""
COST_PER_LOAN = 100.0
"""Cost of opening and serving one loan, EUR."""


Number = TypeVar("Number", float, NDArray[np.float64])


def _interest(term: NDArray[np.float64], rate: float) -> NDArray[np.float64]:
    """Return the interest of a whole annuity, EUR for each EUR lent, shape (n,)."""
    monthly = rate / 12
    return np.asarray(monthly * term / (1 - (1 + monthly) ** -term) - 1, dtype=np.float64)


def _root(amount: Number, paid: Number, funding: Number) -> Number:
    """Return the default probability at which loans earn nothing, before it is clipped to [0, 1]."""
    earned = amount * paid - amount * funding
    return (earned - COST_PER_LOAN) / (earned + LOSS_GIVEN_DEFAULT * amount)


def _terms(amount: ArrayLike, term: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    amount_, term_ = np.asarray(amount, dtype=np.float64), np.asarray(term, dtype=np.float64)
    if (amount_ <= 0).any() or (term_ <= 0).any():  # a missing value (NaN) passes, and its result is NaN
        raise ValueError("amounts (EUR) and terms (months) must be above 0")
    return amount_, term_


def loan_profit(amount: ArrayLike, term: ArrayLike, defaulted: ArrayLike) -> NDArray[np.float64]:
    """Return the profit of granted loans, EUR, rounded to the cent.

    Args:
        amount: Loan amounts, EUR, shape (n,).
        term: Terms, months, shape (n,).
        defaulted: Whether each loan defaulted (bool), or its default probability (float); with a
            probability the result is the expected profit. Shape (n,).

    Returns:
        Shape (n,). A repaid loan earns the annuity's interest at `LOAN_RATE` less the same at
        `FUNDING_RATE`; a defaulted one loses `LOSS_GIVEN_DEFAULT` of the amount. Both pay `COST_PER_LOAN`.

    Raises:
        ValueError: An amount or a term is not above 0.
    """
    amount_, term_ = _terms(amount, term)
    risk = np.asarray(defaulted, dtype=np.float64)
    earned = amount_ * _interest(term_, LOAN_RATE) - amount_ * _interest(term_, FUNDING_RATE)
    profit = (1 - risk) * earned - risk * LOSS_GIVEN_DEFAULT * amount_ - COST_PER_LOAN
    return np.asarray(np.round(profit, 2), dtype=np.float64)


def break_even(amount: ArrayLike, term: ArrayLike) -> NDArray[np.float64]:
    """Return the default probability at which a loan earns nothing: grant below it, decline above it.

    Args:
        amount: Loan amounts, EUR, shape (n,).
        term: Terms, months, shape (n,).

    Returns:
        Probabilities, shape (n,), clipped to [0, 1]; 0 for a loan too small to earn its own cost. Rounded to nine
        digits: a loan alone, in a batch, and on any processor gets the same answer.

    Raises:
        ValueError: An amount or a term is not above 0.
    """
    amount_, term_ = _terms(amount, term)
    root = np.clip(_root(amount_, _interest(term_, LOAN_RATE), _interest(term_, FUNDING_RATE)), 0, 1)
    return np.asarray(np.round(root, 9), dtype=np.float64)


def break_even_of_one(amount: float, term: int) -> float:
    """Return `break_even` of one loan, to the last bit, without arrays: for whoever is asked for one at a time.

    Args:
        amount: Loan amount, EUR, above 0.
        term: Term, months, above 0.
    """
    root = min(max(_root(amount, *_interests(term)), 0.0), 1.0)
    return round(root * 1e9) / 1e9  # as `np.round` does it


@lru_cache(maxsize=1024)
def _interests(term: int) -> tuple[float, float]:
    # By NumPy, whose powers may differ in the last bit from Python's.
    term_ = np.array([term], dtype=np.float64)
    return float(_interest(term_, LOAN_RATE)[0]), float(_interest(term_, FUNDING_RATE)[0])
