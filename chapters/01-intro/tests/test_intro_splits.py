"""A split in time uses what was known on the day, and nothing else."""

import pandas as pd
import pytest

from oakbank.intro.loans import known_loans
from oakbank.intro.splits import TimeSplit, split_in_time
from oakbank.world import Scenario, World, load_scenario


def loans_of(delays: dict[int, int]) -> pd.DataFrame:
    """Return one loan for each month of application, known after its delay, months."""
    months = list(delays)
    return pd.DataFrame({"month": months, "known_month": [month + delays[month] for month in months]})


def months(split: TimeSplit) -> tuple[list[int], list[int], list[int]]:
    """Return the months of application in train, purged and test."""
    return split.train["month"].tolist(), split.purged["month"].tolist(), split.test["month"].tolist()


def test_an_outcome_that_arrives_in_the_first_month_of_the_test_is_not_known_yet() -> None:
    """Three months' delay: of the months before 0, the last three have no outcome on its first morning."""
    loans = loans_of(dict.fromkeys(range(-6, 3), 3))
    assert months(split_in_time(loans, start=0)) == ([-6, -5, -4], [-3, -2, -1], [0, 1, 2])


def test_the_test_ends_before_its_end() -> None:
    loans = loans_of(dict.fromkeys(range(-6, 6), 3))
    assert months(split_in_time(loans, start=0, end=2)) == ([-6, -5, -4], [-3, -2, -1], [0, 1])


def test_the_delay_is_read_from_each_loan() -> None:
    """A slow outcome of an old loan is purged, a quick one of a young loan is used: the month alone does not tell."""
    loans = loans_of({-9: 12, -8: 3, -1: 0, 0: 3})
    assert months(split_in_time(loans, start=0)) == ([-8, -1], [-9], [0])


def test_the_order_of_rows_does_not_matter_and_nothing_is_changed() -> None:
    loans = loans_of(dict.fromkeys(range(-6, 3), 3)).sample(frac=1, random_state=1)
    before = loans.copy()
    split = split_in_time(loans, start=0)
    assert sorted(split.train["month"]) == [-6, -5, -4]
    assert len(split.train) + len(split.purged) + len(split.test) == len(loans)
    pd.testing.assert_frame_equal(loans, before)


@pytest.mark.parametrize(
    ("start", "end", "says"),
    [
        (-6, None, "outcome known before month -6"),
        (-3, None, "outcome known before month -3"),
        (9, None, "lies in the test months"),
        (0, 0, "lies in the test months"),
    ],
)
def test_an_empty_part_is_refused(start: int, end: int | None, says: str) -> None:
    """A score of nothing is no score."""
    with pytest.raises(ValueError, match=says):
        split_in_time(loans_of(dict.fromkeys(range(-6, 3), 3)), start, end)


def test_an_outcome_from_before_its_application_is_refused() -> None:
    with pytest.raises(ValueError, match="known before the month"):
        split_in_time(loans_of({-6: 3, -5: -1, 0: 3}), start=0)


@pytest.mark.parametrize("delay", [1, 3, 6])
def test_the_bank_with_any_delay(delay: int) -> None:
    """Nothing that `World.outcomes` would deliver in the first month of the test, or later, is in the training."""
    scenario = Scenario(**load_scenario("calm").model_dump() | {"label_delay": delay, "applications_per_month": 100})
    split = split_in_time(known_loans(World(1, scenario), range(-12, 3)), start=0)
    assert split.train["month"].max() == -delay - 1
    assert sorted(split.purged["month"].unique()) == list(range(-delay, 0))
    assert sorted(split.test["month"].unique()) == [0, 1, 2]
