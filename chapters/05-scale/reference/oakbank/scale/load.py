"""A load generator that keeps its schedule: arrivals do not wait for answers, as customers do not."""

import asyncio
import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from oakbank.deploy.onnx_runtime import OnnxModel
from oakbank.pipelines import CreditModel
from oakbank.pipelines.contract import requests_of
from oakbank.scale.microbatch import OverloadedError
from oakbank.scale.service import batch_scorer

Item = TypeVar("Item")


@dataclass(frozen=True)
class LoadResult:
    """What callers saw. Latencies are of answered requests, from the moment the request was due."""

    requests: int
    rejected: int
    """Requests that got `OverloadedError`."""
    failed: int
    """Requests that got any other error."""
    p50_ms: float
    p95_ms: float
    p99_ms: float
    throughput: float
    """Answered requests per second, from the first arrival to the last answer."""


def arrival_times(n: int, rate: float, seed: int) -> NDArray[np.float64]:
    """Return the arrivals of a Poisson process, seconds after the first, shape (n,)."""
    # The mean gap is 0 for an infinite rate.
    gaps = np.random.default_rng(seed).exponential(1 / rate, n)
    return np.asarray(np.cumsum(gaps) - gaps[0])


async def run_load(
    call: Callable[[Item], Awaitable[object]], items: Sequence[Item], *, rate: float, seed: int = 0
) -> LoadResult:
    """Send each item once, at random times, and measure.

    The arrivals are a Poisson process: seeded, and fixed before the first is sent. A request is timed from when it
    was due, so a stall counts against every request that it held up, not only against the one in hand.

    Args:
        call: Answers one item; it runs in this event loop.
        items: The requests, in order.
        rate: Arrivals per second; `math.inf`: all at once, which measures the most that `call` can answer.
        seed: Seed of the arrival times.

    Raises:
        ValueError: There are no items, or the rate is not above 0.
    """
    if not items or not rate > 0:
        raise ValueError("a load needs at least one item and a rate above 0")
    gaps = (
        np.random.default_rng(seed).exponential(1 / rate, len(items)) if math.isfinite(rate) else np.zeros(len(items))
    )
    loop = asyncio.get_running_loop()
    start = loop.time()
    due = (start + np.cumsum(gaps) - gaps[0]).tolist()
    latencies: list[float] = []
    errors: list[Exception] = []

    async def one(item: Item, when: float) -> None:
        try:
            await call(item)
        except Exception as error:
            errors.append(error)
        else:
            latencies.append(loop.time() - when)

    async with asyncio.TaskGroup() as group:
        for item, when in zip(items, due, strict=True):
            # Also when late: a callable that never yields must not keep answers from being taken.
            await asyncio.sleep(max(0.0, when - loop.time()))
            group.create_task(one(item, when))
    elapsed = loop.time() - start
    rejected = sum(isinstance(error, OverloadedError) for error in errors)
    p50, p95, p99 = np.percentile(np.array(latencies) * 1000, [50, 95, 99]) if latencies else [math.nan] * 3
    return LoadResult(
        requests=len(items),
        rejected=rejected,
        failed=len(errors) - rejected,
        p50_ms=float(p50),
        p95_ms=float(p95),
        p99_ms=float(p99),
        throughput=len(latencies) / elapsed if elapsed > 0 else math.nan,
    )


def compare(model: CreditModel, applications: pd.DataFrame, *, rate: float, seed: int = 0) -> pd.DataFrame:
    """Measure four ways to serve one model under the same load, in one run.

    Row by row and in micro-batches; by the booster and by ONNX. Read the ratios: the milliseconds are this machine's.

    Args:
        model: A model of Oakbank's own applications.
        applications: One request each.
        rate: Arrivals per second for the latencies.
        seed: Seed of the arrival times.

    Returns:
        One row per way: `p50_ms`, `p95_ms`, `p99_ms` at `rate`; `capacity` (answers per second when all requests come
        at once); `times_naive` (capacity as a multiple of that of the booster row by row).
    """
    requests = requests_of(applications)
    onnx = OnnxModel.from_model(model)

    async def measure(scorer: CreditModel | OnnxModel, batched: bool, rate: float) -> LoadResult:
        # Row by row is the same batcher with batches of one: the comparison is of batching, not of queues.
        size = 64 if batched else 1
        async with batch_scorer(scorer, "1", max_batch=size, max_queue=len(requests)) as batcher:
            return await run_load(batcher.score, requests, rate=rate, seed=seed)

    ways: dict[str, tuple[CreditModel | OnnxModel, bool]] = {
        "booster, row by row": (model, False),
        "ONNX, row by row": (onnx, False),
        "booster, micro-batches": (model, True),
        "ONNX, micro-batches": (onnx, True),
    }
    rows = {}
    for name, (scorer, batched) in ways.items():
        # The best of three: what disturbs a measurement only ever makes it slower.
        capacity = max(asyncio.run(measure(scorer, batched, math.inf)).throughput for _ in range(3))
        at_rate = asyncio.run(measure(scorer, batched, rate))
        rows[name] = {key: getattr(at_rate, key) for key in ("p50_ms", "p95_ms", "p99_ms")} | {"capacity": capacity}
    table = pd.DataFrame.from_dict(rows, orient="index")
    return table.assign(times_naive=table["capacity"] / table["capacity"].iloc[0])
