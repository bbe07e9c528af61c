"""Fairness in numbers, from scratch: who is granted, who should have been, and how sure a sample lets us be.

No measure here says "fair". Parity, equal opportunity and calibration ask different questions. Where the groups differ
in risk and nobody can tell who will default, they cannot all be met at once (Kleinberg, Mullainathan and Raghavan 2016;
Chouldechova 2017).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

Z = 1.959963984540054
"""Two-sided 95 %."""


@dataclass(frozen=True)
class Rate:
    """A share of `n` people, with its 95 % interval (Wilson)."""

    n: int
    rate: float
    low: float
    high: float


@dataclass(frozen=True)
class Disparity:
    """The lowest rate against the highest. `difference` is lowest minus highest, `ratio` lowest over highest.

    The intervals are at 95 %, made from those of the two rates (Newcombe 1998 for the difference, Donner and Zou 2012
    for the ratio), so that they stay wide where everybody or nobody of a few people is granted. Infinity: no upper
    bound. They take the two groups as chosen beforehand.
    """

    lowest: str
    highest: str
    rates: Mapping[str, Rate]
    difference: float
    difference_interval: tuple[float, float]
    ratio: float
    ratio_interval: tuple[float, float]


def selection_rates(granted: ArrayLike, group: ArrayLike) -> dict[str, Rate]:
    """Return the share of each group that was granted.

    Args:
        granted: Decisions, bool, shape (n,).
        group: The group of each, shape (n,).

    Raises:
        ValueError: The lengths differ, there are no rows, or a value is missing.
    """
    decided, member = columns(granted, group)
    names = [str(name) for name in np.unique(member)]
    return {name: rate_of(int(decided[member == name].sum()), int((member == name).sum())) for name in names}


def demographic_parity(granted: ArrayLike, group: ArrayLike) -> Disparity:
    """Compare who is granted, whatever their risk. Arguments as in `selection_rates`.

    Raises:
        ValueError: As in `selection_rates`, or there is only one group.
    """
    return disparity(selection_rates(granted, group))


def equal_opportunity(granted: ArrayLike, repaid: ArrayLike, group: ArrayLike) -> Disparity:
    """Compare who is granted among those who repay.

    Args:
        granted: Decisions, bool, shape (n,).
        repaid: Whether each repaid (or would have), bool, shape (n,). A bank knows it of granted loans alone: over
            those, this compares a new policy with the old one's choices, and says nothing of whom the old one declined.
        group: The group of each, shape (n,).

    Raises:
        ValueError: As in `demographic_parity`, or a group has nobody who repaid.
    """
    decided, member = columns(granted, group)
    good, _ = columns(repaid, group)
    if missing := sorted({str(name) for name in member} - {str(name) for name in member[good]}):
        raise ValueError(f"nobody of {', '.join(missing)} repaid: equal opportunity cannot be told; take more months")
    return disparity(selection_rates(decided[good], member[good]))


def calibration_by_group(probability: ArrayLike, defaulted: ArrayLike, group: ArrayLike, bins: int = 5) -> pd.DataFrame:
    """Compare predicted with observed default, by group and level of prediction.

    Args:
        probability: Predicted default probabilities, shape (n,).
        defaulted: Outcomes, bool, shape (n,).
        group: The group of each, shape (n,).
        bins: Number of levels; their edges are quantiles of all predictions, the same for each group.

    Returns:
        One row per group and level that has somebody: `group`, `level` (0 is the lowest), `n`, `predicted` (mean),
        `observed`, `low` and `high` (95 % interval of `observed`).
    """
    predicted = np.asarray(probability, dtype=np.float64)
    outcome, member = columns(defaulted, group)
    level = levels(predicted, bins)
    rows = []
    for name in np.unique(member):
        for number in np.unique(level[member == name]):
            inside = (member == name) & (level == number)
            rate = rate_of(int(outcome[inside].sum()), int(inside.sum()))
            mean = float(predicted[inside].mean())
            rows.append((str(name), int(number), rate.n, mean, rate.rate, rate.low, rate.high))
    return pd.DataFrame(rows, columns=["group", "level", "n", "predicted", "observed", "low", "high"])


def bootstrap(
    statistic: Callable[[NDArray[np.intp]], float], n: int, draws: int = 1_000, seed: int = 0
) -> tuple[float, float]:
    """Return the 95 % percentile interval of a statistic that has no formula.

    Args:
        statistic: Takes row numbers, shape (n,), drawn with replacement; returns one number.
        n: Number of rows.
        draws: Number of resamples.
        seed: Of the resampling.
    """
    rng = np.random.default_rng(seed)
    values = [statistic(rng.integers(0, n, n)) for _ in range(draws)]
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


def columns(flag: ArrayLike, group: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[np.str_]]:
    """Return flags and groups as arrays, or say what is wrong with them."""
    if len(np.atleast_1d(np.asarray(flag))) == 0 or np.shape(flag) != np.shape(group):
        raise ValueError(f"{np.shape(flag)} decisions and {np.shape(group)} groups: give one of each per person")
    if pd.isna(np.asarray(flag)).any() or pd.isna(np.asarray(group)).any():
        raise ValueError("a decision, an outcome or a group is missing: leave those people out, and say how many")
    return np.asarray(flag, dtype=bool), np.asarray(group).astype(str)


def levels(values: NDArray[np.float64], bins: int) -> NDArray[np.intp]:
    """Return the quantile that each value lies in, from 0, shape (n,)."""
    edges = np.quantile(values, np.linspace(0, 1, bins + 1)[1:-1])
    return np.searchsorted(edges, values, side="right")


def rate_of(hits: int, n: int) -> Rate:
    """Return a share with Wilson's interval: unlike rate ± 1.96 errors, it is right at 0, at 1 and for few people."""
    rate, square = hits / n, Z**2 / n
    middle = (rate + square / 2) / (1 + square)
    half = Z / (1 + square) * float(np.sqrt(rate * (1 - rate) / n + square / (4 * n)))
    return Rate(n, rate, max(0.0, middle - half), min(1.0, middle + half))


def disparity(rates: Mapping[str, Rate]) -> Disparity:
    """Return the lowest rate against the highest.

    Raises:
        ValueError: There are fewer than two groups.
    """
    if len(rates) < 2:
        raise ValueError(f"only the group {', '.join(rates)} is there: a comparison needs two")
    lowest, highest = min(rates, key=lambda name: rates[name].rate), max(rates, key=lambda name: rates[name].rate)
    if lowest == highest:  # all alike: compare the two smallest groups, which leave most open
        lowest, highest = sorted(rates, key=lambda name: rates[name].n)[:2]
    low, high = rates[lowest], rates[highest]
    down = float(np.hypot(low.rate - low.low, high.high - high.rate))
    up = float(np.hypot(low.high - low.rate, high.rate - high.low))
    difference = low.rate - high.rate
    return Disparity(
        lowest=lowest,
        highest=highest,
        rates=dict(rates),
        difference=difference,
        difference_interval=(difference - down, difference + up),
        ratio=low.rate / high.rate if high.rate else 1.0,
        ratio_interval=_ratio_interval(low, high),
    )


def _ratio_interval(top: Rate, bottom: Rate) -> tuple[float, float]:
    """Donner and Zou 2012 (MOVER-R): what the intervals of two rates say of their ratio."""
    both = top.rate * bottom.rate

    def parts(of_top: float, of_bottom: float) -> tuple[float, float, float]:
        over, under = of_top * (2 * top.rate - of_top), of_bottom * (2 * bottom.rate - of_bottom)
        return over, under, both + float(np.sqrt(max(0.0, both**2 - over * under)))

    over, _, root = parts(top.low, bottom.high)
    low = over / root if top.rate > 0 else 0.0
    _, under, root = parts(top.high, bottom.low)
    return max(0.0, low), root / under if under > 0 else float("inf")
