"""Loan officers, simulated, and what can be said of how good they are."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from oakbank.world import break_even

Floats = NDArray[np.float64]
SAFE = 1e-6
"""How near to 0 or 1 a default probability may come before its log odds are taken."""


def log_odds(probability: ArrayLike) -> Floats:
    """Return the log odds of probabilities, shape (n,)."""
    risk = np.clip(np.asarray(probability, dtype=np.float64), SAFE, 1 - SAFE)
    return np.asarray(np.log(risk / (1 - risk)))


def chance(odds: ArrayLike) -> Floats:
    """Return the probability of log odds, shape (n,)."""
    return np.asarray(1 / (1 + np.exp(-np.asarray(odds, dtype=np.float64))))


@dataclass(frozen=True)
class Officer:
    """A person who judges an applicant's risk with an error, and grants what then seems to earn something."""

    name: str
    error: float
    """Standard deviation of the judgement, in log odds: 0 sees the risk as it is."""
    strictness: float
    """Added to the log odds: above 0 sees too much risk and grants less."""
    follows: float = 0.0
    """Share of cases in which the officer does what the model proposes, without a look."""

    def decide(
        self, reality: ArrayLike, proposed: ArrayLike, amount: ArrayLike, term: ArrayLike, seed: int
    ) -> NDArray[np.bool_]:
        """Return whom the officer grants, shape (n,). The same seed gives the same judgement.

        Args:
            reality: Default probability that a perfect judge would see, shape (n,). In a simulation it is the
                world's; in a bank nobody has it.
            proposed: What the model says: whether to grant, shape (n,).
            amount: EUR, shape (n,).
            term: Months, shape (n,).
            seed: Of this officer's judgement.
        """
        rng = np.random.Generator(np.random.PCG64(seed))
        odds = log_odds(reality)
        seen = chance(odds + self.strictness + self.error * rng.standard_normal(len(odds)))
        own = seen < break_even(amount, term)
        return np.where(rng.random(len(odds)) < self.follows, np.asarray(proposed, dtype=np.bool_), own)


def contraction(risk: ArrayLike, granted: ArrayLike, defaulted: ArrayLike, rate: float) -> float:
    """Return how many of an officer's cases would end in default if a model granted only `rate` of them.

    H. Lakkaraju et al., *The Selective Labels Problem* (KDD 2017): start from the loans of the most lenient officer,
    whose outcomes are known, and take away the riskiest by the model until only `rate` of all cases is left.

    Args:
        risk: Default probability by the model for each case of the most lenient officer, shape (n,).
        granted: What that officer decided, shape (n,).
        defaulted: Outcome, shape (n,); read for granted cases only.
        rate: Share of all n cases that the model may grant.

    Returns:
        Defaults per case (not per loan), so that it can be compared with an officer of the same rate.

    Raises:
        ValueError: That officer granted less than `rate`: there is nothing to contract.
    """
    risks, yes = np.asarray(risk, dtype=np.float64), np.asarray(granted, dtype=np.bool_)
    wanted = int(rate * len(risks))
    loans = np.flatnonzero(yes)
    if not 0 < len(loans) >= wanted:
        raise ValueError(f"{len(loans)} of {len(risks)} were granted, {wanted} wanted: take a more lenient officer")
    kept = loans[np.argsort(risks[loans], kind="stable")][:wanted]
    return float(np.asarray(defaulted, dtype=np.bool_)[kept].sum() / len(risks))


def vigilance(shown: ArrayLike, decided: ArrayLike, planted: ArrayLike) -> float:
    """Return how often a reviewer contradicted a proposal that was wrong on purpose.

    Args:
        shown: What the screen proposed, shape (n,).
        decided: What the reviewer decided, shape (n,).
        planted: Where the proposal was turned round, shape (n,).

    Raises:
        ValueError: Nothing was planted.
    """
    wrong = np.asarray(planted, dtype=np.bool_)
    if not wrong.any():
        raise ValueError("plant some wrong proposals first: agreement alone cannot tell a reader from a rubber stamp")
    return float((np.asarray(shown)[wrong] != np.asarray(decided)[wrong]).mean())
