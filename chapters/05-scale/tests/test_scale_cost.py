"""The cost model: formulas against simulations, replicas against promises, prices against their sources."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from oakbank.deploy import prices as chapter_3
from oakbank.scale.cost import (
    PRICES,
    PriceError,
    PromiseError,
    cache_break_even,
    daly,
    expected_hours,
    largest_rate,
    latencies,
    learning_curve,
    read_prices,
    recorded_seconds,
    replicas,
    service_times,
    simulated_hours,
    unit_cost,
    worth_of_auc,
    young,
)
from oakbank.scale.serving_benchmark import OURS
from oakbank.world import World

LONG_TAIL = np.concatenate([np.full(98, 0.004), np.full(2, 0.03)])


# Prices


def test_every_price_has_a_day_and_a_source_or_says_that_it_is_assumed() -> None:
    prices = read_prices()
    assert prices.assumed() == ["eur_per_usd", "bureau_report", "engineer_hour"]
    read = [line for line in prices.lines.values() if line.as_of]
    assert all(line.origin.startswith("https://") and line.as_of and line.as_of.year == 2026 for line in read)


def test_the_machine_costs_what_chapter_3_says() -> None:
    prices, before = read_prices(), chapter_3.read_prices()
    assert 24 * prices.machine_hour(0.25, 0.5) == pytest.approx(before.machine_a_day * prices["eur_per_usd"])
    assert prices.machine_hour(spot=True) == pytest.approx(prices.machine_hour() * prices["spot_share"])
    assert prices.cache_day(0.001) == prices.cache_day(0.1) < prices.cache_day(1)


@pytest.mark.parametrize(
    ("name", "change", "says"),
    [
        ("gb_hour", {"value": 0}, "gb_hour: value is 0"),
        ("gb_hour", {"value": True}, "gb_hour: value is True"),
        ("gb_hour", {"value": math.inf}, "gb_hour: value is inf"),
        ("gb_hour", {"as_of": "June"}, "gb_hour: `as_of` is a day"),
        ("gb_hour", {"as_of": None, "source": None}, "gb_hour: `as_of` is a day"),
        ("gb_hour", {"assumption": "a guess"}, "gb_hour needs either"),
        ("gb_hour", {"unit": 3}, "gb_hour needs the texts"),
        ("bureau_report", {"assumption": 4}, "bureau_report: `as_of`"),
        ("gold", {"value": 1}, "missing or unknown: gold"),
    ],
)
def test_a_price_that_cannot_be_trusted_is_refused(
    tmp_path: Path, name: str, change: dict[str, Any], says: str
) -> None:
    content = yaml.safe_load(PRICES.read_text(encoding="utf-8"))
    content[name] = content.get(name, {}) | change
    path = tmp_path / "prices.yml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    with pytest.raises(PriceError, match=says):
        read_prices(path)


def test_a_file_that_is_none_or_lacks_a_line_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "prices.yml"
    with pytest.raises(PriceError, match="cannot be read"):
        read_prices(path)
    path.write_text("- a list", encoding="utf-8")
    with pytest.raises(PriceError, match="missing or unknown: bureau_report"):
        read_prices(path)
    content = yaml.safe_load(PRICES.read_text(encoding="utf-8"))
    del content["gb_hour"]["source"]
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    with pytest.raises(PriceError, match="gb_hour needs either"):
        read_prices(path)


# Sizing


@pytest.mark.parametrize("load", [0.3, 0.7, 0.9])
def test_the_queue_is_that_of_pollaczek_and_khinchine(load: float) -> None:
    seen = np.mean([latencies(load / 0.005, [0.005], 200_000, seed).mean() for seed in range(3)])
    assert seen == pytest.approx(0.005 * (1 + load / (2 * (1 - load))), rel=0.03)


def test_a_queue_is_one_customer_after_another() -> None:
    # The same numbers as a loop that carries the work ahead forward.
    rng = np.random.default_rng(4)
    gaps = rng.exponential(1.0, 500) / 150
    times = LONG_TAIL[rng.integers(0, LONG_TAIL.size, 500)]
    ahead, found = 0.0, []
    for gap, service in zip([math.inf, *gaps[1:]], times, strict=True):
        ahead = max(0.0, ahead - gap) + service
        found.append(ahead)
    assert np.allclose(latencies(150, LONG_TAIL, 500, seed=4), found, rtol=1e-9)


def test_the_largest_rate_keeps_the_promise_and_a_little_more_breaks_it() -> None:
    most = largest_rate(LONG_TAIL, 0.05)
    assert np.quantile(latencies(most, LONG_TAIL), 0.99) <= 0.05
    assert np.quantile(latencies(most * 1.01, LONG_TAIL), 0.99) > 0.05
    assert most < largest_rate(LONG_TAIL, 0.1) < 1 / LONG_TAIL.mean()


def test_a_tail_costs_replicas_that_the_mean_does_not_show() -> None:
    even = np.full(100, LONG_TAIL.mean())
    assert largest_rate(LONG_TAIL, 0.05) < 0.8 * largest_rate(even, 0.05)


def test_a_promise_that_nobody_can_keep_is_refused() -> None:
    with pytest.raises(PromiseError, match=r"a lone caller waits 0\.03 s"):
        largest_rate(LONG_TAIL, 0.02)


@pytest.mark.parametrize(("rate", "services"), [(0.0, [1.0]), (1.0, [0.0]), (1.0, []), (math.nan, [1.0])])
def test_a_load_that_is_none_is_refused(rate: float, services: list[float]) -> None:
    with pytest.raises(ValueError, match="must be above 0"):
        latencies(rate, services)


def test_replicas() -> None:
    assert [replicas(rate, 100) for rate in (0.001, 200, 200.1, 950)] == [2, 2, 3, 10]
    assert replicas(10, 100, at_least=1) == 1
    for wrong in ((0, 1, 2), (1, 0, 2), (1, 1, 0)):
        with pytest.raises(ValueError, match="must be above 0"):
            replicas(*wrong)


def test_service_times_are_measured_after_a_warm_up() -> None:
    asked: list[int] = []
    taken = service_times(asked.append, range(5))
    assert asked == [0, 1, 2, 3, 4]
    assert taken.shape == (4,)
    assert (taken > 0).all()
    with pytest.raises(ValueError, match="two items"):
        service_times(asked.append, [1])


def test_the_recorded_benchmark_is_read() -> None:
    fast, slow = recorded_seconds(OURS), recorded_seconds("FastAPI and pandas, as one begins")
    assert 0 < 5 * fast < slow < 0.1
    with pytest.raises(KeyError):
        recorded_seconds("by post")


# Units


def test_a_faster_call_saves_nothing_while_two_replicas_stand() -> None:
    slow, fast = (unit_cost(1.0, seconds, 0.5 / seconds, 0.05) for seconds in (0.01, 0.001))
    assert slow.replicas == fast.replicas == 2
    assert slow.request == fast.request
    assert slow.compute == pytest.approx(10 * fast.compute)


def test_utilisation_times_the_bill_is_the_compute() -> None:
    for rate in (0.01, 1, 70, 900):
        one = unit_cost(rate, 0.01, 60, 0.05)
        assert one.request * one.utilisation == pytest.approx(one.compute)
        assert one.month == pytest.approx(one.request * rate * 3600 * 730)
        assert one.utilisation <= 0.6


@pytest.mark.parametrize("wrong", [(1, 0, 60, 0.05), (1, 0.01, 60, 0), (0, 0.01, 60, 0.05), (1, 0.01, 101, 0.05)])
def test_a_unit_cost_of_nothing_is_refused(wrong: tuple[float, float, float, float]) -> None:
    with pytest.raises(ValueError, match=r"must be above 0|cannot bear"):
        unit_cost(*wrong)


def test_a_cache_breaks_even() -> None:
    assert cache_break_even(0.2, 0.02) == pytest.approx(10)
    for wrong in ((0, 1), (1, 0)):
        with pytest.raises(ValueError, match="above 0"):
            cache_break_even(*wrong)


# Spot


@pytest.mark.parametrize("interval", [0.3, 1.0, 3.0, 7.0, 10.0])
def test_the_formula_of_the_mean_is_what_jobs_take(interval: float) -> None:
    job = (10.0, interval, 0.05, 0.1, 5.0)
    taken = simulated_hours(*job, jobs=20_000)
    assert abs(taken.mean() - expected_hours(*job)) < 4 * taken.std() / math.sqrt(taken.size)


def test_without_interruptions_a_job_takes_its_work_and_its_checkpoints() -> None:
    assert expected_hours(10, 3, 0.5, 1, 1e9) == pytest.approx(12, rel=1e-6)  # 3 + 3 + 3 + 1, four times saved
    assert np.allclose(simulated_hours(10, 3, 0.5, 1, 1e9, jobs=3), 12)


@pytest.mark.parametrize(("save", "between"), [(0.001, 5.0), (0.05, 5.0), (0.5, 5.0)])
def test_young_and_daly_find_the_minimum(save: float, between: float) -> None:
    work = 1_000.0  # long, so that the last stretch hardly counts
    tried = np.geomspace(young(save, between) / 5, young(save, between) * 5, 400)
    best = min(expected_hours(work, one, save, 0.1, between) for one in tried)
    assert expected_hours(work, daly(save, between), save, 0.1, between) < 1.002 * best
    assert expected_hours(work, young(save, between), save, 0.1, between) < 1.02 * best


def test_a_checkpoint_longer_than_the_time_between_interruptions() -> None:
    assert daly(10, 5) == 5
    assert daly(0.05, 5) < young(0.05, 5)


@pytest.mark.parametrize(
    "call",
    [
        lambda: young(0, 1),
        lambda: daly(1, -1),
        lambda: daly(3, math.nan),
        lambda: expected_hours(1, 2, 1, 0, 1),
        lambda: simulated_hours(1, 1, 1, -1, 1),
        lambda: simulated_hours(1, 0, 1, 0, 1),
    ],
)
def test_times_that_are_none_are_refused(call: Any) -> None:
    with pytest.raises(ValueError, match=r"above 0|0 or more|longer than the work"):
        call()


# Value


def test_a_better_model_earns_more() -> None:
    world = World(seed=3)
    history, later, truth = world.applications(-1), world.applications(0), world.truth(0)
    curve = learning_curve(
        history,
        world.truth(-1)["would_default"],
        later,
        truth["would_default"],
        truth["expected_profit"],
        sizes=(200, 2_000),
        seeds=2,
    )
    assert list(curve["rows"]) == [200, 200, 2_000, 2_000]
    assert curve["auc"].iloc[:2].max() < curve["auc"].iloc[2:].min()
    assert worth_of_auc(curve["auc"], curve["profit"]) > 0
    with pytest.raises(ValueError, match="between 1 and 2000"):
        learning_curve(history, truth["would_default"], later, truth["would_default"], later["amount"], sizes=[0])


def test_the_slope_of_a_line_is_its_slope() -> None:
    assert worth_of_auc([0.7, 0.75, 0.8], [100, 200, 300]) == pytest.approx(2.0)
    with pytest.raises(ValueError, match="two different AUCs"):
        worth_of_auc([0.7, 0.7], [1, 2])
