import asyncio
import math
import threading
import time
from collections.abc import Sequence
from typing import Any

import httpx
import numpy as np
import pytest

from oakbank.deploy.onnx_runtime import OnnxModel
from oakbank.pipelines import CreditModel, contract, feature_matrix
from oakbank.pipelines.contract import requests_of
from oakbank.scale import load
from oakbank.scale.load import arrival_times, compare, run_load
from oakbank.scale.microbatch import OverloadedError
from oakbank.scale.service import batch_scorer, create_scaled_app
from oakbank.world import FEATURES, World

APPLICATIONS = World(3).applications(0).head(40)


@pytest.fixture(scope="module")
def model() -> CreditModel:
    world = World(0)
    return CreditModel.fit(feature_matrix(world.applications(-1)), world.truth(-1)["would_default"], rounds=40)


def bodies() -> list[dict[Any, Any]]:
    return APPLICATIONS[["application_id", *FEATURES]].to_dict("records")


def client(app: Any) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://service")


@pytest.mark.parametrize("onnx", [False, True])
def test_concurrent_requests_get_the_scores_of_chapter_3(model: CreditModel, onnx: bool) -> None:
    expected = contract.score(model, "7", requests_of(APPLICATIONS))
    app = create_scaled_app(OnnxModel.from_model(model) if onnx else model, "7")

    async def run() -> list[httpx.Response]:
        async with app.router.lifespan_context(app), client(app) as http:
            return await asyncio.gather(*(http.post("/score", json=body) for body in bodies()))

    for answer, wanted in zip(asyncio.run(run()), expected, strict=True):
        assert answer.status_code == 200
        got = contract.Score(**answer.json())
        assert got.default_probability == pytest.approx(wanted.default_probability, abs=1e-5)
        assert got.model_copy(update={"default_probability": wanted.default_probability}) == wanted
    assert app.state.batcher.calls < len(expected) / 4


def test_a_wrong_request_among_good_ones_is_told_alone(model: CreditModel) -> None:
    app = create_scaled_app(model, "7")
    sent = bodies()[:10]
    sent[3] = sent[3] | {"income": "much"}

    async def run() -> list[httpx.Response]:
        async with app.router.lifespan_context(app), client(app) as http:
            return await asyncio.gather(*(http.post("/score", json=body) for body in sent))

    answers = asyncio.run(run())
    assert [answer.status_code for answer in answers] == [200] * 3 + [422] + [200] * 6
    assert answers[3].json()["errors"][0]["field"] == "income"


def test_overload_is_503_with_retry_after_and_shutdown_serves_who_waits(model: CreditModel) -> None:
    go = threading.Event()

    class Slow:
        spec = model.spec

        def predict(self, applications: Any) -> Any:
            go.wait(30)
            return model.predict(applications)

    app = create_scaled_app(Slow(), "7", max_batch=1, max_queue=2)  # type: ignore[arg-type]

    async def run() -> list[httpx.Response]:
        async with client(app) as http:
            async with app.router.lifespan_context(app):
                tasks = [asyncio.create_task(http.post("/score", json=bodies()[0]))]
                while app.state.batcher.calls == 0:
                    await asyncio.sleep(0.005)
                tasks += [asyncio.create_task(http.post("/score", json=body)) for body in bodies()[1:6]]
                while sum(task.done() for task in tasks) < 3:
                    await asyncio.sleep(0.005)
                go.set()
            answers = await asyncio.gather(*tasks)
            return [*answers, await http.post("/score", json=bodies()[0]), await http.get("/healthz")]

    *answers, after, health = asyncio.run(run())
    assert sorted(answer.status_code for answer in answers) == [200, 200, 200, 503, 503, 503]
    for answer in [*(a for a in answers if a.status_code == 503), after]:
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) >= 1
        assert health.json() == {"status": "alive", "model_version": "7"}


def test_load_keeps_its_schedule_and_counts_what_stalls() -> None:
    """One stall of 0.2 s holds up some 20 requests: an open loop sees them all, one that waits would see one."""

    async def run() -> load.LoadResult:
        stalled = False

        async def call(item: int) -> int:
            nonlocal stalled
            if item >= 20 and not stalled:
                stalled = True
                time.sleep(0.2)
            return item

        return await run_load(call, range(100), rate=100, seed=4)

    result = asyncio.run(run())
    assert (result.requests, result.rejected, result.failed) == (100, 0, 0)
    assert result.p95_ms > 50
    assert result.throughput < 200


def test_arrivals_are_seeded_and_poisson() -> None:
    times = arrival_times(20_000, rate=50.0, seed=5)
    assert np.array_equal(times, arrival_times(20_000, rate=50.0, seed=5))
    assert not np.array_equal(times, arrival_times(20_000, rate=50.0, seed=6))
    gaps = np.diff(times)
    assert times[0] == 0
    assert gaps.mean() == pytest.approx(1 / 50, rel=0.03)
    assert gaps.std() == pytest.approx(1 / 50, rel=0.03)  # an exponential's deviation is its mean
    assert not arrival_times(10, rate=math.inf, seed=0).any()


def test_rejected_and_failed_requests_are_counted_and_have_no_latency() -> None:
    async def call(item: int) -> int:
        if item % 5 == 0:
            raise OverloadedError("full")
        if item % 5 == 1:
            raise KeyError(item)
        return item

    result = asyncio.run(run_load(call, range(50), rate=math.inf))
    assert (result.requests, result.rejected, result.failed) == (50, 10, 10)
    nothing = asyncio.run(run_load(call, [0, 5], rate=math.inf))
    assert math.isnan(nothing.p99_ms)
    assert nothing.throughput == 0


@pytest.mark.parametrize(("items", "rate"), [([], 1.0), ([1], 0.0), ([1], -2.0), ([1], math.nan)])
def test_a_senseless_load_is_refused(items: Sequence[int], rate: float) -> None:
    async def call(item: int) -> int:
        return item

    with pytest.raises(ValueError, match="at least one item and a rate above 0"):
        asyncio.run(run_load(call, items, rate=rate))


def test_batches_answer_many_times_more_than_rows(model: CreditModel) -> None:
    table = compare(model, World(1).applications(0).head(150), rate=50)
    assert list(table.columns) == ["p50_ms", "p95_ms", "p99_ms", "capacity", "times_naive"]
    assert table.loc["booster, row by row", "times_naive"] == 1.0
    assert table["times_naive"]["booster, micro-batches"] > 4
    assert table["times_naive"]["ONNX, micro-batches"] > 4
    assert (table["p50_ms"] <= table["p99_ms"]).all()


def test_the_batcher_scores_what_the_contract_scores(model: CreditModel) -> None:
    async def run() -> list[contract.Score]:
        async with batch_scorer(model, "3") as batcher:
            return await asyncio.gather(*(batcher.score(request) for request in requests_of(APPLICATIONS)))

    assert asyncio.run(run()) == contract.score(model, "3", requests_of(APPLICATIONS))
