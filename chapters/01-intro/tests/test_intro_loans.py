"""`known_loans`: whose loans, whose outcomes, in which order."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

from oakbank.intro.loans import known_loans
from oakbank.world import COLUMNS, World

WORLD = World(seed=11, scenario="calm")


def test_the_officers_loans_are_those_that_the_lesson_builds_by_hand() -> None:
    months = []
    for month in range(-12, -3):
        decided = WORLD.officer_decisions(month)
        granted = decided.loc[decided["granted"], "application_id"]
        outcome = WORLD.outcomes(month + 3, granted)[["application_id", "known_month", "defaulted", "profit"]]
        months.append(WORLD.applications(month).merge(outcome, on="application_id"))
    pd.testing.assert_frame_equal(known_loans(WORLD, range(-12, -3)), pd.concat(months, ignore_index=True))


def test_columns_are_those_of_an_application_and_what_became_of_it() -> None:
    loans = known_loans(WORLD, [0])
    assert list(loans) == [column.name for column in COLUMNS] + ["known_month", "defaulted", "profit"]
    assert set(loans["known_month"]) == {3}


@pytest.mark.parametrize("kind", [pd.Series, np.asarray])
def test_whoever_decides_is_asked_with_the_feed_of_the_month(kind: Callable[[object], Any]) -> None:
    asked: list[int] = []

    def grants(feed: pd.DataFrame) -> Any:
        asked.append(int(feed["month"].iloc[0]))
        return kind(feed["income"] > 3_000)

    loans = known_loans(WORLD, [4, 2], grants)
    assert asked == [4, 2]
    assert loans["month"].drop_duplicates().tolist() == [4, 2]
    expected = sum((WORLD.applications(month)["income"] > 3_000).sum() for month in (2, 4))
    assert len(loans) == expected
    assert (loans["income"] > 3_000).all()


def test_the_outcome_is_that_of_the_same_person() -> None:
    loans = known_loans(WORLD, [5], lambda feed: feed["age"] < 30)
    truth = WORLD.truth(5).set_index("application_id").loc[loans["application_id"]]
    assert (loans["defaulted"].to_numpy() == truth["would_default"].to_numpy()).all()
    assert np.allclose(loans["profit"], truth["profit_if_granted"])


def test_a_broken_feed_stays_broken() -> None:
    broken = World(seed=11, scenario="broken-feed-unit")
    loans, sound = (known_loans(world, [7], lambda feed: feed["age"] > 0) for world in (broken, WORLD))
    assert np.allclose(loans["income"], 12 * sound["income"])


def test_the_label_delay_is_that_of_the_scenario() -> None:
    slow = World(seed=11, scenario=WORLD.scenario.model_copy(update={"label_delay": 5}))
    assert set(known_loans(slow, [1])["known_month"]) == {6}


def test_no_months_is_an_error() -> None:
    with pytest.raises(ValueError, match="at least one month"):
        known_loans(WORLD, [])
