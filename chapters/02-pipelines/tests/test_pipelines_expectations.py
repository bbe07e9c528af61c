"""A delivery as a whole: its volume, its share of bad rows, and both with the rules for columns."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from oakbank.pipelines import FeedReference, repair_feed
from oakbank.pipelines.expectations import BAD_ROW_SHARE, VOLUME_RATIO, check_delivery, check_month
from oakbank.world import World

CALM = World(3, "calm")
MONTHS = {month: CALM.applications(month) for month in range(-4, 2)}
HISTORY = [MONTHS[month] for month in range(-4, 0)]
REFERENCE = FeedReference.typical(FeedReference.of(month) for month in HISTORY)


def kinds(problems: list[Any]) -> list[tuple[str, str]]:
    return [(problem.column, problem.kind) for problem in problems]


def test_what_is_usual_knows_the_volume_too() -> None:
    assert REFERENCE.rows == len(HISTORY[0]) == 2_000
    some = [FeedReference({}, 100), FeedReference({}), FeedReference({}, 110), FeedReference({}, 3)]
    assert FeedReference.typical(some).rows == 100
    assert FeedReference.typical([FeedReference({})]).rows is None


@pytest.mark.parametrize(("rows", "found"), [(0, True), (999, True), (1_000, False), (4_000, False), (4_001, True)])
def test_the_volume_is_judged_against_the_usual(rows: int, found: bool) -> None:
    month = pd.concat([MONTHS[k] for k in (-4, -3, -2)], ignore_index=True).head(rows)
    assert kinds(check_delivery(month, REFERENCE)) == [("", "volume")] * found
    assert check_delivery(month, FeedReference(REFERENCE.medians)) == []
    assert VOLUME_RATIO == 2


def test_many_bad_rows_are_a_matter_of_the_delivery_and_few_are_not() -> None:
    month = MONTHS[0]
    n = int(BAD_ROW_SHARE * len(month))
    for bad, found in ((n, False), (n + 1, True)):
        region = month["region"].astype(object)
        region.iloc[:bad] = "N"
        problems = check_delivery(month.assign(region=region), REFERENCE)
        assert kinds(problems) == [("", "bad_rows")] * found
    assert "101 of 2000 rows" in problems[0].detail
    assert "region is not one of its categories (101 rows)" in problems[0].detail


def test_no_median_mends_a_delivery() -> None:
    for broken in (MONTHS[0].head(3), MONTHS[0].assign(channel="pigeon")):
        problems = check_delivery(broken, REFERENCE)
        with pytest.raises(ValueError, match=r"cannot repair.*ask the supplier"):
            repair_feed(broken, problems, REFERENCE)


def test_a_month_is_judged_by_the_months_before_it() -> None:
    assert check_month(MONTHS[0], HISTORY) == []
    worse = MONTHS[0].assign(income=MONTHS[0]["income"] * 12, age=HISTORY[-1]["age"]).drop(columns="term")
    assert kinds(check_month(worse, HISTORY)) == [
        ("", "bad_rows"),
        ("age", "stale"),
        ("income", "unit"),
        ("term", "missing_column"),
    ]


def test_a_broken_month_in_the_history_is_outvoted() -> None:
    broken = HISTORY[1].assign(income=HISTORY[1]["income"] * 12, amount=np.nan).head(40)
    history = [HISTORY[0], broken, *HISTORY[2:]]
    assert check_month(MONTHS[0], history) == []
    assert kinds(check_month(broken, history)) == [
        ("", "volume"),
        ("", "bad_rows"),
        ("amount", "missing_values"),
        ("income", "unit"),
    ]


@pytest.mark.parametrize("scenario", ["calm", "data-drift-sudden", "data-drift-gradual", "recession"])
def test_a_world_that_changes_is_not_a_feed_that_breaks(scenario: str) -> None:
    world = World(5, scenario)
    months = [world.applications(month) for month in range(-6, 14)]
    assert [check_month(months[k], months[:k]) for k in range(6, 20)] == [[]] * 14


def test_without_history_nothing_is_usual() -> None:
    with pytest.raises(ValueError, match="no earlier month"):
        check_month(MONTHS[0], [])
