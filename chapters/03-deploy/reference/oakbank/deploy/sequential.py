"""A test that may be looked at after every answer: is something more frequent in the canary than in its baseline?

Canary and baseline are two equal shares of the same traffic, drawn by a hash. If the canary is no worse, then of all
answers that went wrong each is as likely to lie in one as in the other: a fair coin, whatever the rate is and however
it changes over the day. `log_evidence` bets against that coin. If it is fair, the bet exceeds `1 / alpha` *ever*
with a probability of at most `alpha` (Ville's inequality), so there is no wrong moment to look.

Sources: H. Robbins, *Statistical methods related to the law of the iterated logarithm*, Annals of Mathematical
Statistics 41(5), 1970; M. Lindon and A. Malek, *Anytime-Valid Inference for Multinomial Count Data*, NeurIPS 2022.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import betainc, betaln

CONCENTRATION = 10.0
"""How near to a half the bet expects the coin: small finds large harm sooner, large finds small harm sooner."""
SIGNALS = ("failed", "slow", "declined", "granted")
"""What is counted of each arm. More of the first two is worse; of the last two, other than before."""


def log_evidence(canary: ArrayLike, baseline: ArrayLike, concentration: float = CONCENTRATION) -> NDArray[np.float64]:
    """Return the logarithm of the evidence that an event is more frequent in the canary.

    It is the likelihood of the counts, averaged over coins between a half and 1 (a Beta distribution around a half,
    cut there), divided by that of the fair coin. For a coin of a half or less it is a supermartingale from 1.

    Args:
        canary: Events in the canary so far, whole numbers from 0, any shape.
        baseline: Events in the baseline so far, the same shape.
        concentration: Both parameters of the Beta distribution; above 0.

    Raises:
        ValueError: A count is negative.
    """
    heads, tails = np.asarray(canary, dtype=np.float64), np.asarray(baseline, dtype=np.float64)
    if (heads < 0).any() or (tails < 0).any():
        raise ValueError("counts of events are whole numbers from 0")
    above_half = 2 * betainc(concentration + tails, concentration + heads, 0.5)
    with np.errstate(divide="ignore"):  # nothing at all speaks for it: minus infinity
        bet = betaln(concentration + heads, concentration + tails) - betaln(concentration, concentration)
        return np.asarray(bet + np.log(above_half) + (heads + tails) * math.log(2))


@dataclass(frozen=True)
class Rules:
    """What may stop a release. Fixed before it starts, and kept with it."""

    false_alarm: float = 0.05
    """Probability that a release that is no worse is ever stopped, over all signals and all looks."""
    least: int = 30
    """Answers that each arm needs before anything is said."""
    slow_seconds: float = 0.25
    """An answer that takes longer is counted as slow."""

    def __post_init__(self) -> None:
        if not (0 < self.false_alarm < 1 and self.least >= 1 and 0 < self.slow_seconds < math.inf):
            raise ValueError("rules need 0 < false_alarm < 1, least from 1 and slow_seconds above 0")


@dataclass(frozen=True)
class Counts:
    """What one arm has answered."""

    answered: int = 0
    failed: int = 0
    slow: int = 0
    declined: int = 0
    granted: int = 0

    def __post_init__(self) -> None:
        values = [getattr(self, each.name) for each in fields(self)]
        if not all(type(value) is int and value >= 0 for value in values):
            raise ValueError("counts are whole numbers from 0")

    def __add__(self, other: "Counts") -> "Counts":
        return Counts(*(getattr(self, each.name) + getattr(other, each.name) for each in fields(self)))


@dataclass(frozen=True)
class Verdict:
    """What the evidence says of a release. There is no "good": only a person promotes."""

    says: Literal["no data", "too little data", "nothing found", "abort"]
    reason: str
    evidence: Mapping[str, float] = field(default_factory=dict)
    """Logarithm of the evidence against the canary, by signal; empty while nothing is said."""


def judge(canary: Counts, baseline: Counts, rules: Rules) -> Verdict:
    """Compare a canary with its baseline; may be called after every answer.

    Each signal gets an equal part of the false-alarm rate (Bonferroni).
    """
    if not canary.answered or not baseline.answered:
        silent = "canary" if not canary.answered else "baseline"
        return Verdict("no data", f"the {silent} has answered nothing: look why")
    if min(canary.answered, baseline.answered) < rules.least:
        detail = f"{canary.answered} answers of the canary, {baseline.answered} of the baseline"
        return Verdict("too little data", f"{detail}; {rules.least} of each wanted")
    evidence = {name: float(log_evidence(getattr(canary, name), getattr(baseline, name))) for name in SIGNALS}
    worst = max(evidence, key=lambda name: evidence[name])
    told = f"{worst}: {getattr(canary, worst)} in the canary, {getattr(baseline, worst)} in the baseline"
    if evidence[worst] >= math.log(len(SIGNALS) / rules.false_alarm):
        return Verdict("abort", told, evidence)
    return Verdict("nothing found", f"most unlike is {told}", evidence)
