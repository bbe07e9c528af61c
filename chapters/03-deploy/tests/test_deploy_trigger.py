"""A trigger asks for a broken feed, labels have an age, and a policy's life is what its training makes of it."""

from itertools import product

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oakbank.deploy import regret
from oakbank.deploy.trigger import fixed_window
from oakbank.world import World, load_scenario


@given(
    st.lists(st.tuples(st.integers(-12, -1), st.none() | st.integers(1, 12)), min_size=1, max_size=40),
    st.integers(1, 12),
)
def test_a_window_judges_what_is_old_enough_and_by_that_window_only(
    given_loans: list[tuple[int, int | None]], window: int
) -> None:
    month = [month for month, _ in given_loans]
    ends = [np.nan if wait is None else start + wait for start, wait in given_loans]
    loans = pd.DataFrame({"month": month, "default_month": ends}, index=range(100, 100 + len(month)))
    old = [start + window <= 0 for start in month]
    if not any(old):
        with pytest.raises(ValueError, match="wait, or take a shorter window"):
            fixed_window(loans, 0, window)
        return
    fixed = fixed_window(loans, 0, window)
    assert list(fixed.index) == [100 + place for place, is_old in enumerate(old) if is_old]
    wanted = [wait is not None and wait <= window for _, wait in given_loans]
    assert list(fixed["defaulted"]) == [bad for bad, is_old in zip(wanted, old, strict=True) if is_old]


def test_the_youngest_labels_flatter_and_a_window_does_not() -> None:
    rng = np.random.default_rng(3)
    loans = pd.DataFrame({"month": np.repeat(np.arange(-12, 0), 2000)})
    bad = rng.random(len(loans)) < 0.15
    loans["default_month"] = np.where(bad, loans["month"] + rng.integers(1, 13, len(loans)), np.nan)
    so_far = (loans["default_month"] <= 0).groupby(loans["month"]).mean()
    assert so_far.iloc[-1] < 0.25 * so_far.iloc[0]
    fixed = fixed_window(loans, 0, 6)
    rates = fixed["defaulted"].groupby(fixed["month"]).mean()
    assert rates.max() < 1.4 * rates.min()
    with pytest.raises(ValueError, match="at least one month"):
        fixed_window(loans, 0, 0)


def small(scenario: str) -> World:
    return World(1, load_scenario(scenario).model_copy(update={"applications_per_month": 300}))


def test_a_policy_without_training_keeps_its_model() -> None:
    life = regret.live(small("calm"), regret.POLICIES[0], 3)
    assert life == regret.live(small("calm"), regret.POLICIES[0], 3), "the same again"
    assert (life.trained, life.refused, len(life.profit)) == ([], [], 3)


def test_a_checked_alarm_is_silent_about_a_broken_feed_and_every_alarm_is_not() -> None:
    """The feed breaks in month 7: the input alarms come at once, and the checked policy does not train for them."""
    world = small("broken-feed-unit")
    asked: list[int] = []

    def spy(signals: regret.Signals) -> bool:
        if signals.month >= 7 and regret.every_alarm(signals):
            asked.append(signals.month)
        return False

    regret.live(world, regret.Policy("spy", spy), 9)
    assert asked == [7, 8]
    seen: list[regret.Signals] = []
    regret.live(world, regret.Policy("look", lambda signals: seen.append(signals) or False), 12)  # type: ignore[func-returns-value]
    broken = [signals.month for signals in seen if signals.problems]
    assert broken == [7, 8, 9, 10, 11]
    assert [signals.month for signals in seen if signals.problems_then] == [10, 11]


def test_broken_months_are_left_out_of_the_training() -> None:
    policy = regret.Policy("once", lambda signals: signals.month == 11, skips_broken=True)
    learned: list[int] = []

    class Spy(regret.Bank):
        def fit(self, months: list[int]) -> object:  # type: ignore[override]
            learned[:] = months
            return super().fit(months)

    Spy(small("broken-feed-unit"), policy, repair=True).live(12)
    assert learned == list(range(-5, 7)), "labels reach to month 8, and 7 and 8 were broken"


def test_what_is_kept_covers_every_policy_in_every_world() -> None:
    lives = {(row["seed"], row["world"], row["policy"]) for row in regret.kept()["lives"]}
    seeds = {seed for seed, _, _ in lives}
    assert lives == set(product(seeds, regret.WORLDS, [policy.name for policy in regret.POLICIES]))
    assert len(seeds) >= 2


@pytest.mark.weekly
@pytest.mark.long
def test_what_is_kept_is_what_comes_out() -> None:
    for row in regret.kept()["lives"]:
        (policy,) = (one for one in regret.POLICIES if one.name == row["policy"])
        life = regret.live(regret.small_world(row["seed"], row["world"]), policy, regret.MONTHS)
        assert sum(life.profit) == pytest.approx(row["profit"], rel=0.03, abs=100_000), row
