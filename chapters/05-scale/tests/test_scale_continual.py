"""What late labels do to models that go on learning; what a detector, a lot and a gate see of it."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from oakbank.governance.review.gains import THAW
from oakbank.pipelines import feature_matrix
from oakbank.scale import continual
from oakbank.scale.continual.learners import Labels, Matrix, Risks, as_rows
from oakbank.world import World, load_scenario


def loans_of(scenario: str, seed: int = 2, months: int = 15, applications: int = 600) -> pd.DataFrame:
    course = load_scenario(scenario).model_copy(update={"applications_per_month": applications})
    return continual.officers_loans(World(seed, course), months)


@pytest.fixture(scope="module")
def recession() -> pd.DataFrame:
    return loans_of("recession")


class Spy:
    """A learner that notes what it hears, and says how many rows it has heard."""

    def __init__(self) -> None:
        self.calls: list[int] = []

    def hear(self, matrix: Matrix, defaulted: Labels) -> None:
        assert len(matrix) == len(defaulted)
        self.calls.append(len(matrix))

    def predict(self, matrix: Matrix) -> Risks:
        return np.full(len(matrix), float(sum(self.calls)))


@pytest.mark.parametrize("days", [0, 91])
def test_on_schedule_hears_what_was_known_on_the_first_of_the_month_and_nothing_else(days: int) -> None:
    loans = loans_of("calm", months=3, applications=100)
    heard = continual.on_schedule(loans, Spy(), days)
    for month, first in enumerate(pd.to_datetime(["2024-01-01", "2024-02-01", "2024-03-01"])):
        known = (loans["applied_on"] + pd.Timedelta(days=days) <= first).sum()
        assert set(heard[loans["month"] == month]) == {known}
    assert np.isnan(heard[loans["month"] < 0]).all()


def test_row_by_row_uses_no_label_before_its_day(recession: pd.DataFrame) -> None:
    some = recession[recession["month"] < -6].reset_index(drop=True)
    said = continual.row_by_row(some, 91)
    first, last = some["applied_on"].iloc[0], some["applied_on"].max()
    none_yet = (some["applied_on"] < first + pd.Timedelta(days=91)).to_numpy()
    assert (said[none_yet] == 0.5).all()
    assert (said[~none_yet] != 0.5).any()
    # Labels that are known only after the last question cannot change an answer, whatever they say.
    unknown = some["applied_on"] + pd.Timedelta(days=91) > last
    turned = some.assign(defaulted=some["defaulted"] ^ unknown)
    assert np.array_equal(continual.row_by_row(turned, 91), said)
    assert not np.array_equal(continual.row_by_row(turned, 0), continual.row_by_row(some, 0))  # the leak


def test_the_row_by_row_learner_is_river_without_delay(recession: pd.DataFrame) -> None:
    some = recession.head(400)
    learner, said = continual.RowByRow(), []
    for row in range(len(some)):
        one = some.iloc[[row]]
        said.append(learner.predict(feature_matrix(one))[0])
        learner.hear(feature_matrix(one), one["defaulted"].to_numpy())
    assert np.allclose(said, continual.row_by_row(some, 0))


def test_loans_out_of_order_are_refused(recession: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="sort them first"):
        list(continual.stream(recession.iloc[::-1]))


def test_scheduled_trains_when_it_is_time_on_its_window_only() -> None:
    fitted: list[int] = []

    def fit(matrix: Matrix, defaulted: Labels) -> Any:
        fitted.append(len(matrix))
        return lambda rows: np.full(len(rows), defaulted.mean())

    learner = continual.Scheduled(fit, window=2, every=3)
    with pytest.raises(ValueError, match="hear some"):
        learner.predict(np.zeros((1, 3), dtype=np.float32))
    for n in (1, 2, 3, 4, 5):
        learner.hear(np.zeros((n, 3), dtype=np.float32), np.ones(n, dtype=bool))
        learner.predict(np.zeros((1, 3), dtype=np.float32))
    assert fitted == [1, 3 + 4]
    with pytest.raises(ValueError, match="1 or more"):
        continual.Scheduled(fit, window=0)


def leads(loans: pd.DataFrame) -> tuple[float, float]:
    """The online model's lead over the monthly one with late labels: with its labels at once, and late as well."""
    loss: dict[tuple[str, int], float] = {}
    for days in (0, 91):
        for way, risk in continual.rehearse(loans, days).items():
            loss[way, days] = continual.scores(loans, risk, range(9, 15))["log loss"]
    boast, truth = (loss["monthly", 91] - loss["online", days] for days in (0, 91))
    assert loss["quarterly", 91] == max(loss.values())
    assert loss["monthly", 0] - loss["online", 0] < boast / 2  # at once, both are quick
    return boast, truth


def test_late_labels_take_most_of_the_lead_in_another_world() -> None:
    boast, truth = leads(loans_of("recession", applications=1000))
    assert boast > 0.03
    assert truth < boast / 2


def test_a_small_bank_keeps_more_of_it_as_three_months_are_few_rows(recession: pd.DataFrame) -> None:
    boast, truth = leads(recession)
    assert boast / 2 < truth < boast


def test_a_detector_on_errors_sees_the_recession_and_one_on_scores_the_new_channel(recession: pd.DataFrame) -> None:
    aged = continual.frozen(recession)
    assert aged["day"].min() >= pd.Timestamp("2024-01-01")
    seen = continual.first_alarm(aged, "loss")
    assert seen is not None
    assert pd.Timestamp("2024-10-01") < seen < pd.Timestamp("2025-01-01")
    assert continual.first_alarm(aged, "loss", known_after=91) == seen + pd.Timedelta(days=91)
    assert continual.first_alarm(aged, "score") is None
    channel = continual.first_alarm(continual.frozen(loans_of("data-drift-sudden", months=10)), "score")
    assert channel is not None
    assert pd.Timestamp("2024-09-01") <= channel < pd.Timestamp("2024-10-01")
    calm = continual.frozen(loans_of("calm"))
    assert continual.first_alarm(calm, "loss") is continual.first_alarm(calm, "score") is None


def test_the_online_bank_is_blind_among_the_declined_and_forgetting_mends_more_than_the_lot() -> None:
    world = World(3, THAW.model_copy(update={"applications_per_month": 600}))
    online = continual.live(world, continual.RowByRow(), 18)
    by_lot = continual.live(world, continual.RowByRow(), 18, share=0.02)
    books = pd.concat([world.truth(month) for month in range(18)], ignore_index=True)
    forgets = continual.live(world, continual.Scheduled(continual.logistic, window=12), 18)
    blind, shown, mended = (continual.blind_spot(life, books, 9) for life in (online, by_lot, forgets))
    assert abs(blind["granted"]) < 3 < 6 < blind["declined"]
    assert mended["declined"] < shown["declined"]
    assert blind["brokers"] < shown["brokers"] + 0.05 < mended["brokers"]
    assert mended["million EUR"] > blind["million EUR"]
    assert not online["explored"].any()
    lot = by_lot[by_lot["explored"]]
    assert not lot["granted"].any()
    assert lot["defaulted"].sum() < lot["risk"].sum()


def test_a_learner_of_a_live_bank_hears_only_of_loans_that_were_granted() -> None:
    world = World(3, load_scenario("calm").model_copy(update={"applications_per_month": 50}))
    spy = Spy()
    life = continual.live(world, spy, 6)  # a count of rows is no risk: nobody is granted
    assert not life["granted"].any()
    assert spy.calls[-2:] == [0, 0]  # the loans of months 0 and 1, heard of in months 4 and 5
    assert all(spy.calls[:-2])


def test_a_bold_liar_steers_the_online_model_and_is_refused_by_the_gates() -> None:
    world, liar = World(1), continual.BoldBroker()
    honest, lying = (continual.steer(world, who, 2).iloc[-1] for who in (None, liar))
    assert lying["broker"] > honest["broker"] + 0.2
    assert abs(lying["others"] - honest["others"]) < 0.05
    assert continual.refused(world, None, 2) == []
    assert continual.refused(world, liar, 2) == ["calibrated", "slices_hold"]
    assert continual.refused(world, liar, 14) == ["slices_hold_paid"]


def test_rows_have_the_names_of_the_features(recession: pd.DataFrame) -> None:
    matrix = feature_matrix(recession.head(3))
    assert np.array_equal([list(row.values()) for row in as_rows(matrix)], matrix)
