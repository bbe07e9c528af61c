"""What happens to the world happens in its month: drifts, broken feeds, the planted leak, selective labels."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oakbank.world import Event, Scenario, World, load_scenario

FEW = settings(max_examples=25, deadline=None, derandomize=True)


def world(name: str, applications: int = 300, seed: int = 7) -> World:
    return World(seed, load_scenario(name).model_copy(update={"applications_per_month": applications}))


def invented(*events: Event, applications: int = 300) -> World:
    scenario = Scenario(name="t", description="t", applications_per_month=applications, events=events)
    return World(7, scenario)


def same(one: pd.DataFrame, two: pd.DataFrame) -> bool:
    return one.equals(two) and one.dtypes.tolist() == two.dtypes.tolist()


CALM = world("calm")

# scenario, first month with the event, first month without it (24: it stays), and what it touches
EVENTS = [
    ("data-drift-gradual", 6, 24, {"feed", "truth"}),
    ("data-drift-sudden", 8, 24, {"feed", "truth"}),
    ("recession", 9, 24, {"truth"}),
    ("broken-feed-unit", 7, 13, {"feed"}),
    ("broken-feed-missing", 10, 14, {"feed"}),
    ("broken-feed-stale", 8, 14, {"feed"}),
]


@pytest.mark.parametrize(("name", "onset", "until", "touches"), EVENTS)
def test_an_event_keeps_to_its_months(name: str, onset: int, until: int, touches: set[str]) -> None:
    one = world(name)
    for month in range(-12, 24):
        effect = onset <= month < until
        assert same(one.applications(month), CALM.applications(month)) != (effect and "feed" in touches), month
        assert same(one.truth(month), CALM.truth(month)) != (effect and "truth" in touches), month
        assert bool(one.scenario.truth(month)) == effect, month


def test_stormy_month_by_month() -> None:
    one, found = world("stormy"), {}
    for month in range(-12, 24):
        feed, truth = one.applications(month), one.truth(month)
        assert same(feed, CALM.applications(month)) == (month < 3 or month in (5, 6, 7)), month
        assert same(truth, CALM.truth(month)) == (month < 8), month
        found[month] = [(event["kind"], event["strength"]) for event in one.scenario.truth(month)]
    expected: dict[int, list[tuple[object, object]]] = {month: [] for month in range(-12, 24)}
    expected |= {month: [("feed_unit", 1.0)] for month in (3, 4)}
    expected |= {8: [("data_drift", 1 / 3)], 9: [("data_drift", 2 / 3)]}
    expected |= {month: [("data_drift", 1.0)] for month in range(10, 15)}
    expected[15] = [("data_drift", 1.0), ("concept_drift", 0.5)]
    expected |= {month: [("data_drift", 1.0), ("concept_drift", 1.0)] for month in range(16, 24)}
    assert found == expected


def test_truth_names_the_event() -> None:
    assert load_scenario("broken-feed-unit").truth(7) == [
        {"kind": "feed_unit", "onset": 7, "strength": 1.0, "column": "income"}
    ]
    assert load_scenario("calm").truth(7) == []


def test_a_ramp_rises_every_month_until_its_end() -> None:
    one = world("data-drift-gradual", 20_000)
    shares = [(one.applications(month)["channel"] == "aggregator").mean() for month in range(5, 13)]
    defaults = [one.truth(month)["default_probability"].mean() for month in range(5, 13)]
    assert (np.diff(shares)[:6] > 0.04).all()
    assert (np.diff(defaults)[:6] > 0.01).all()
    expected = np.append(0.004 + np.arange(7) / 6 * (0.45 - 0.004), 0.45)
    assert np.abs(np.array(shares) - expected).max() < 0.015


@FEW
@given(st.integers(-20, 20), st.integers(1, 12), st.one_of(st.none(), st.integers(1, 30)))
def test_strength(onset: int, ramp: int, length: int | None) -> None:
    until = None if length is None else onset + length
    event = Event(kind="concept_drift", onset=onset, ramp=ramp, until=until, risk={"intercept": 1.0})
    strengths = [event.strength(month) for month in range(onset - 5, onset + 40)]
    inside = strengths[5 : 5 + (length or 40)]
    assert strengths[:5] == [0.0] * 5
    assert set(strengths[5 + len(inside) :]) <= {0.0}
    assert inside[0] == 1 / ramp
    assert inside == sorted(inside)
    assert all(value == 1.0 for value in inside[ramp - 1 :])
    assert len(set(inside[:ramp])) == len(inside[:ramp])


@FEW
@given(st.integers(-12, 20), st.integers(1, 6), st.integers(1, 8), st.sampled_from(["burden", "young", "region.east"]))
def test_a_concept_drift_changes_risk_and_nothing_else(onset: int, ramp: int, length: int, coefficient: str) -> None:
    event = Event(kind="concept_drift", onset=onset, ramp=ramp, until=onset + length, risk={coefficient: 0.5})
    one = invented(event, applications=100)
    calm = world("calm", 100)
    for month in (onset - 1, onset, onset + length - 1, onset + length):
        assert same(one.applications(month), calm.applications(month))
        changed = one.truth(month)["default_probability"] - calm.truth(month)["default_probability"]
        assert (changed > 0).any() == (onset <= month < onset + length)


@pytest.mark.parametrize(
    ("level", "column", "expected"),
    [
        ("age_years", "age", 5.0),
        ("income_log", "income", 0.2),
        ("amount_log", "amount", 0.2),
        ("discipline", "bureau_score", 55.0),
    ],
)
def test_levels_shift_what_they_name(level: str, column: str, expected: float) -> None:
    size = 1.0 if level == "discipline" else expected
    one = invented(Event(kind="data_drift", onset=0, level={level: size}), applications=20_000)
    after, before = (w.applications(0)[column] for w in (one, world("calm", 20_000)))
    shift = np.median(np.log(after / before) if level.endswith("_log") else after - before)
    assert shift == pytest.approx(expected, rel=0.05)


@pytest.mark.parametrize("column", ["income", "amount", "bureau_score", "age", "delinquencies", "term"])
@pytest.mark.parametrize("factor", [12.0, 0.001, 1000.0])
def test_a_unit_change_is_its_factor_exactly(column: str, factor: float) -> None:
    one = invented(Event(kind="feed_unit", onset=2, until=3, column=column, factor=factor))
    calm, broken = CALM.applications(2), one.applications(2)
    assert broken[column].dtype == np.float64  # also of a whole-number column: 80 years are no int16 of milli-years
    assert (broken[column] == calm[column].astype(float) * factor).all()
    assert same(broken.drop(columns=column), calm.drop(columns=column))
    assert same(one.truth(2), CALM.truth(2))


def test_the_missing_column_is_absent_and_the_rest_is_as_before() -> None:
    broken = world("broken-feed-missing").applications(10)
    assert same(broken, CALM.applications(10).drop(columns="bureau_score"))


def test_stale_values_are_those_of_the_last_good_month() -> None:
    one = world("broken-feed-stale")
    for month in (8, 13):
        broken, clean = one.applications(month), CALM.applications(month)
        assert (broken["bureau_score"].to_numpy() == CALM.applications(7)["bureau_score"].to_numpy()).all()
        assert same(broken.drop(columns="bureau_score"), clean.drop(columns="bureau_score"))
    # Each value is plausible, so the distribution keeps; what is gone is its link with the rest of the row.
    large, fresh = world("broken-feed-stale", 20_000).applications(8), world("calm", 20_000).applications(8)
    assert abs(large["bureau_score"].mean() - fresh["bureau_score"].mean()) < 3
    assert np.corrcoef(large["bureau_score"], large["delinquencies"])[0, 1] == pytest.approx(0, abs=0.03)
    assert np.corrcoef(fresh["bureau_score"], fresh["delinquencies"])[0, 1] < -0.25


def test_officers_see_the_clean_feed() -> None:
    """They decided on paper: a fault of the feed does not reach them, nor the truth."""
    assert same(world("broken-feed-stale").officer_decisions(9), CALM.officer_decisions(9))


def test_the_planted_leak_predicts_in_history_and_is_nil_in_live_months() -> None:
    one = world("planted-leak", 5_000)
    for month in (-12, -1):
        calls, defaulted = one.applications(month)["collection_calls"], one.truth(month)["would_default"]
        assert calls.dtype == np.int16
        right = ((calls > 0) == defaulted).mean()
        assert right > 0.93  # no honest feature comes near
        assert (calls > 0)[~defaulted].any()  # though it is not the label itself
    for month in (0, 1, 23):
        assert (one.applications(month)["collection_calls"] == 0).all()
        assert one.applications(month)["collection_calls"].dtype == np.int16
    assert same(one.applications(-1).drop(columns="collection_calls"), world("calm", 5_000).applications(-1))


def test_selective_labels_leave_nearly_no_overlap() -> None:
    """Below 600 points (four applicants in ten) the strict officers granted nobody: no label says how they would do."""
    granted_below, granted_share = {}, {}
    for name in ("calm", "selective-labels"):
        one = world(name, 20_000)
        feed, granted = one.applications(-4), one.officer_decisions(-4)["granted"]
        points = feed["bureau_score"] - 25 * feed["delinquencies"].clip(upper=4)
        points -= one.scenario.officer_bias * (feed["group"] == "B")
        assert 0.35 < (points < 600).mean() < 0.50
        granted_below[name] = granted[points < 600].mean()
        granted_share[name] = granted.mean()
        assert granted[points > 720].mean() > 0.98
    assert granted_below["calm"] > 0.15
    assert granted_below["selective-labels"] == 0
    assert granted_share["selective-labels"] < 0.6 * granted_share["calm"]


def test_faults_of_several_columns_add_up() -> None:
    one = invented(
        Event(kind="feed_unit", onset=0, column="income", factor=12),
        Event(kind="feed_missing", onset=1, column="age"),
        Event(kind="feed_missing", onset=1, until=2, column="debts"),
        Event(kind="feed_stale", onset=2, column="debts"),
    )
    clean = CALM.applications(2)
    broken = one.applications(2)
    assert list(broken.columns) == [name for name in clean.columns if name != "age"]
    assert (broken["income"] == clean["income"] * 12).all()
    assert (broken["debts"].to_numpy() == CALM.applications(1)["debts"].to_numpy()).all()
    assert "debts" not in one.applications(1)
