"""How long a canary needs before it can show a harm: asked before the release starts."""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from oakbank.deploy.sequential import SIGNALS, Rules, log_evidence

LIMIT = math.log(len(SIGNALS) / Rules().false_alarm)
"""Logarithm of the evidence at which the router stops a release, by its usual rules."""


def typical_wait(
    cases: float, before: float, now: float, *, limit: float = LIMIT, periods: int = 600, runs: int = 200, seed: int = 0
) -> float:
    """Return after how many periods the sequential test stops half of the harmful releases; inf: after `periods`.

    Args:
        cases: In each of the two arms and in one period, on average.
        before: Rate of the event in the baseline.
        now: Rate in the canary.
        limit: Logarithm of the evidence at which a release is stopped.
        periods: How long to wait at most.
        runs: Releases simulated.
        seed: Of the simulation.
    """
    bad, _ = _arms(cases, before, now, periods, runs, seed)
    found = log_evidence(*bad) >= limit
    waits = np.where(found.any(axis=1), found.argmax(axis=1) + 1.0, np.inf)
    return float(np.median(waits))


def power_of_one_look(
    cases: float, before: float, now: float, *, periods: int = 120, runs: int = 2000, seed: int = 0
) -> NDArray[np.float64]:
    """Return, for each period, which share of harmful releases one look at its end would find. Shape (periods,).

    The look is a one-sided z-test of two rates at 5 %: the kindest there is, for it pays for no other look.

    Args:
        cases: In each of the two arms and in one period, on average.
        before: Rate of the event in the baseline.
        now: Rate in the canary.
        periods: How many.
        runs: Releases simulated.
        seed: Of the simulation.
    """
    bad, size = _arms(cases, before, now, periods, runs, seed)
    size = np.maximum(size, 1)
    rate = bad.sum(axis=0) / size.sum(axis=0)
    spread = np.sqrt(rate * (1 - rate) * (1 / size).sum(axis=0))
    share = bad / size
    return np.asarray((share[0] - share[1] > 1.645 * spread).mean(axis=0))


def _arms(
    cases: float, before: float, now: float, periods: int, runs: int, seed: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return events and cases so far, each of shape (2, runs, periods): the canary, then the baseline."""
    draw = np.random.default_rng(seed)
    size = draw.poisson(cases, size=(2, runs, periods))
    bad = draw.binomial(size, np.array([now, before]).reshape(2, 1, 1))
    return bad.cumsum(axis=2), size.cumsum(axis=2)


def power_chart(
    cases: float, before: float, now: float, shares: Sequence[float], *, late: int = 0, wanted: float = 0.8
) -> dict[float, int]:
    """Draw the power of one look for several shares; return the period from which on it is as wanted, by share.

    Args:
        cases: Of all traffic in one period, on average.
        before: Rate of the event.
        now: Rate with the new release.
        shares: Of the canary, each above 0 and at most 0.5.
        late: Periods after which an outcome becomes known.
        wanted: Share of harmful releases that are to be found.

    Raises:
        ValueError: A share never gets there.
    """
    import matplotlib.pyplot as plt  # a service that plans nothing does without

    found = {}
    for share in shares:
        power = power_of_one_look(cases * share, before, now)
        if power.max() < wanted:
            raise ValueError(f"a share of {share:g} does not find {wanted:.0%} in {len(power)} periods")
        found[share] = late + 1 + int((power >= wanted).argmax())
        known = late + np.arange(1, len(power) + 1)
        plt.plot(known, power, label=f"{share:.0%}: {wanted:.0%} after {found[share]} months")
    plt.axhline(wanted, color="grey", linestyle=":")
    plt.xlabel("months since the release")
    plt.ylabel("harmful releases found (share)")
    plt.legend(title="share in the canary")
    return found
