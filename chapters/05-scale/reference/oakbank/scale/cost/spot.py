"""Machines that may be taken away: how often to save, by formula and by simulation. All times in hours."""

import math

import numpy as np
from numpy.typing import NDArray


def young(save: float, between: float) -> float:
    """Return the work between two checkpoints that costs least, to first order: sqrt(2 * save * between).

    J. W. Young, "A first order approximation to the optimum checkpoint interval", CACM 17(9), 1974.

    Args:
        save: Time to write a checkpoint.
        between: Mean time between interruptions.

    Raises:
        ValueError: A time is not above 0.
    """
    _above_zero(save=save, between=between)
    return math.sqrt(2 * save * between)


def daly(save: float, between: float) -> float:
    """Return the same to higher order, for a checkpoint that is not small against `between`.

    J. T. Daly, "A higher order estimate of the optimum checkpoint interval for restart dumps", Future Generation
    Computer Systems 22(3), 2006: `between` itself where `save` is at least twice as long.
    """
    if save >= 2 * between:
        _above_zero(save=save, between=between)
        return between
    part = save / (2 * between)
    return young(save, between) * (1 + math.sqrt(part) / 3 + part / 9) - save


def expected_hours(work: float, interval: float, save: float, restart: float, between: float) -> float:
    """Return the mean time to finish, if interruptions come at random (exponential); this one is exact.

    Args:
        work: Time that the job takes undisturbed, without checkpoints.
        interval: Work between two checkpoints; at most `work`.
        save: Time to write one; the last stretch writes one, too: the result.
        restart: Time from an interruption until the job works again; it may be interrupted as well.
        between: Mean time between interruptions.

    Raises:
        ValueError: A time is not above 0 (`restart`: below 0), or the interval is longer than the work.
    """
    _check(work, interval, save, restart, between)
    each = _stretches(work, interval) + save
    # The restart is paid for each interruption, so it stands outside of the first, undisturbed start.
    return float(between * math.exp(restart / between) * np.expm1(each / between).sum())


def simulated_hours(
    work: float, interval: float, save: float, restart: float, between: float, jobs: int = 1_000, seed: int = 0
) -> NDArray[np.float64]:
    """Return how long each of some jobs took, shape (jobs,); arguments as in `expected_hours`."""
    _check(work, interval, save, restart, between)
    rng = np.random.default_rng(seed)
    taken = np.zeros(jobs)
    for stretch in _stretches(work, interval) + save:
        open_jobs, need = np.arange(jobs), np.full(jobs, stretch)
        while open_jobs.size:
            luck = rng.exponential(between, open_jobs.size)  # no memory: drawn anew for each attempt
            lost = luck < need
            taken[open_jobs] += np.where(lost, luck, need)
            open_jobs, need = open_jobs[lost], np.full(int(lost.sum()), restart + stretch)
    return taken


def _stretches(work: float, interval: float) -> NDArray[np.float64]:
    whole = math.floor(work / interval + 1e-9)
    rest = work - whole * interval
    return np.array([interval] * whole + ([rest] if rest > 1e-9 * work else []))


def _check(work: float, interval: float, save: float, restart: float, between: float) -> None:
    _above_zero(work=work, interval=interval, save=save, between=between)
    if not restart >= 0:
        raise ValueError(f"restart is {restart} hours: it must be 0 or more")
    if interval > work:
        raise ValueError(f"an interval of {interval} hours is longer than the work, {work}")


def _above_zero(**times: float) -> None:
    for name, value in times.items():
        if not 0 < value < math.inf:
            raise ValueError(f"{name} is {value} hours: it must be above 0")
