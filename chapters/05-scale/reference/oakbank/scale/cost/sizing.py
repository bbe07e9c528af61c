"""How many replicas keep a promise: from measured service times, through a queue, to machines."""

import json
import math
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import ArrayLike, NDArray

from oakbank.scale.serving_benchmark import RESULTS

Item = TypeVar("Item")


class PromiseError(ValueError):
    """A promise that no number of replicas keeps."""


def service_times(call: Callable[[Item], object], items: Iterable[Item]) -> NDArray[np.float64]:
    """Return how long each call took, seconds, shape (n,). The first call is not measured: it warms up.

    Raises:
        ValueError: There are fewer than two items.
    """
    taken = []
    for item in items:
        start = time.perf_counter()
        call(item)
        taken.append(time.perf_counter() - start)
    if len(taken) < 2:
        raise ValueError("give two items or more: the first call is not measured")
    return np.array(taken[1:])


def recorded_seconds(way: str, results: Path = RESULTS) -> float:
    """Return the seconds of one worker for one answer: the median run of the benchmark that is kept, 16 at a time.

    Args:
        way: One of `oakbank.scale.serving_benchmark.ways`.
        results: The file of the benchmark.

    Raises:
        KeyError: The benchmark has no such way.
    """
    rounds = json.loads(results.read_text(encoding="utf-8"))["rounds"]
    return 1 / float(np.median([one[way]["16"]["answers_per_s"] for one in rounds]))


def latencies(rate: float, services: ArrayLike, requests: int = 100_000, seed: int = 0) -> NDArray[np.float64]:
    """Return what callers of one replica see, seconds, shape (requests,): their wait and their own service.

    Arrivals are a Poisson process, one is served at a time, in order (Lindley's recursion as a running minimum). Its
    service time is drawn from `services`.

    Args:
        rate: Arrivals per second.
        services: Measured service times, seconds.
        requests: How many arrive.
        seed: Of the arrivals and the draws.

    Raises:
        ValueError: The rate or a service time is not above 0, or there is none.
    """
    times = np.asarray(services, dtype=np.float64)
    if not rate > 0 or not times.size or not (times > 0).all():
        raise ValueError("the rate and all service times must be above 0")
    rng = np.random.default_rng(seed)
    gaps = rng.exponential(1.0, requests) / rate
    service = times[rng.integers(0, times.size, requests)]
    walk = np.concatenate([[0.0], np.cumsum(service[:-1] - gaps[1:])])
    return np.asarray(walk - np.minimum.accumulate(walk) + service)


def largest_rate(
    services: ArrayLike, promise: float, quantile: float = 0.99, requests: int = 100_000, seed: int = 0
) -> float:
    """Return the arrivals per second up to which one replica keeps a promise.

    Args:
        services: Measured service times, seconds.
        promise: Latency that `quantile` of the callers must not exceed, seconds.
        quantile: Share of the callers who are promised it.
        requests: As in `latencies`.
        seed: As in `latencies`; the same one for all rates, so that more arrivals never look better.

    Raises:
        PromiseError: Even a lone caller waits longer.
    """
    times = np.asarray(services, dtype=np.float64)
    alone = float(np.quantile(times, quantile))
    if alone > promise:
        raise PromiseError(
            f"a lone caller waits {alone:.3g} s: promise more than {promise:.3g} s, or speed up the call"
        )
    low, high = 0.0, 1.0
    for _ in range(14):
        load = (low + high) / 2
        seen = latencies(load / times.mean(), times, requests, seed)
        low, high = (load, high) if np.quantile(seen, quantile) <= promise else (low, load)
    return low / float(times.mean())


def replicas(rate: float, each: float, at_least: int = 2) -> int:
    """Return how many replicas `rate` requests per second need, if one bears `each`, and chance spreads them.

    Args:
        rate: Requests per second.
        each: Requests per second that one replica bears: 1 / mean service time, or `largest_rate`.
        at_least: Replicas that stand anyway, so that one may fail.

    Raises:
        ValueError: A rate is not above 0, or `at_least` below 1.
    """
    if not rate > 0 or not each > 0 or at_least < 1:
        raise ValueError("rates must be above 0, and at least one replica must stand")
    return max(at_least, math.ceil(rate / each))
