"""Fairness measures against numbers worked out by hand, and the gate against planted unfairness."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oakbank.governance.disparity import (
    bootstrap,
    calibration_by_group,
    demographic_parity,
    disparity,
    equal_opportunity,
    rate_of,
    selection_rates,
)
from oakbank.governance.equally_good import MODELS, train_many
from oakbank.governance.equally_good import kept as equals_kept
from oakbank.governance.fairness import FOUR_FIFTHS, fairness_gate, group_sizes, judge, judge_rates
from oakbank.governance.gate_benchmark import BIAS, PEOPLE, errors, kept, measure, true_ratio
from oakbank.governance.truth_audit import audit_with_truth
from oakbank.pipelines import Evaluation, TrainingConfig, TrainingRun, evaluate_model, grant, run_training
from oakbank.world import Lake, World, publish_history

# 10 of A, 6 granted; 5 of B, 2 granted.
GROUP = np.array(["A"] * 10 + ["B"] * 5)
GRANTED = np.array([True] * 6 + [False] * 4 + [True] * 2 + [False] * 3)


@pytest.fixture(scope="module")
def world() -> World:
    return World(7, "calm")


@pytest.fixture(scope="module")
def run(world: World, tmp_path_factory: pytest.TempPathFactory) -> TrainingRun:
    folder: Path = tmp_path_factory.mktemp("fairness")
    lake = Lake(folder / "lake")
    publish_history(world, lake)
    return run_training(TrainingConfig(), lake, folder / "run")


def test_rates_by_hand() -> None:
    rates = selection_rates(GRANTED, GROUP)
    assert (rates["A"].n, rates["A"].rate) == (10, 0.6)
    assert (rates["B"].n, rates["B"].rate) == (5, 0.4)
    # Wilson for 6 of 10, as in any table of it.
    assert (rates["A"].low, rates["A"].high) == pytest.approx((0.3127, 0.8318), abs=1e-4)


def test_interval_is_sane_at_the_edges() -> None:
    rates = selection_rates([False, False, True, True], ["A", "A", "B", "B"])
    assert rates["A"].low == pytest.approx(0)
    assert 0.5 < rates["A"].high < 0.7
    assert rates["B"].high == pytest.approx(1)


def test_parity_by_hand() -> None:
    found = demographic_parity(GRANTED, GROUP)
    assert (found.lowest, found.highest) == ("B", "A")
    assert found.difference == pytest.approx(-0.2)
    assert found.ratio == pytest.approx(2 / 3)
    # From the Wilson bounds 0.1176 to 0.7693 (B) and 0.3127 to 0.8318 (A), by hand.
    down, up = np.hypot(0.4 - 0.1176, 0.8318 - 0.6), np.hypot(0.7693 - 0.4, 0.6 - 0.3127)
    assert found.difference_interval == pytest.approx((-0.2 - down, -0.2 + up), abs=1e-4)


SCORE = {  # statsmodels 0.15.0, confint_proportions_2indep: `newcomb` of the difference, `score` of the ratio
    (2, 5, 6, 10): (-0.5653, 0.2679, 0.1757, 1.8567),
    (40, 60, 150, 200): (-0.2209, 0.0407, 0.7117, 1.0582),
    (1, 30, 90, 100): (-0.9192, -0.7140, 0.0065, 0.1863),
    (0, 20, 10, 30): (-0.5122, -0.1192, 0.0, 0.5105),
}


@pytest.mark.parametrize("counts", SCORE)
def test_intervals_are_near_those_of_statsmodels(counts: tuple[int, int, int, int]) -> None:
    hits, n, hits_high, n_high = counts
    found = disparity({"B": rate_of(hits, n), "A": rate_of(hits_high, n_high)})
    assert found.difference_interval == pytest.approx(SCORE[counts][:2], abs=1e-4)
    assert found.ratio_interval == pytest.approx(SCORE[counts][2:], rel=0.1, abs=0.002)


def test_a_ratio_of_few_people_is_never_sure() -> None:
    """Three of three in both groups: the ratio is 1, and says nothing."""
    few = disparity({"A": rate_of(3, 3), "B": rate_of(3, 3)})
    assert few.ratio == 1
    assert few.ratio_interval[0] < 0.5
    assert disparity({"A": rate_of(0, 9), "B": rate_of(0, 9)}).ratio_interval == (0.0, float("inf"))


def test_equal_opportunity_by_hand() -> None:
    # Of A, 8 repay: the 6 granted and 2 more; of B, 4 repay, one of them granted.
    repaid = np.array([True] * 8 + [False] * 2 + [True, False, True, True, True])
    found = equal_opportunity(GRANTED, repaid, GROUP)
    assert found.rates["A"].rate == 6 / 8
    assert found.rates["B"].rate == 1 / 4
    assert found.difference == pytest.approx(-0.5)


def test_intervals_agree_with_the_bootstrap() -> None:
    rng = np.random.default_rng(0)
    group = np.where(rng.random(1_500) < 0.3, "B", "A")
    granted = rng.random(1_500) < np.where(group == "B", 0.5, 0.65)
    found = demographic_parity(granted, group)

    def of(rows: np.ndarray) -> tuple[float, float]:
        rates = [granted[rows][group[rows] == name].mean() for name in "BA"]
        return rates[0] - rates[1], rates[0] / rates[1]

    assert found.difference_interval == pytest.approx(bootstrap(lambda r: of(r)[0], 1_500), abs=0.012)
    assert found.ratio_interval == pytest.approx(bootstrap(lambda r: of(r)[1], 1_500), abs=0.02)


@given(st.lists(st.tuples(st.booleans(), st.sampled_from("ABC")), min_size=1, max_size=60))
def test_measures_hold_together(people: list[tuple[bool, str]]) -> None:
    granted, group = [person[0] for person in people], [person[1] for person in people]
    rates = selection_rates(granted, group)
    assert sum(rate.rate * rate.n for rate in rates.values()) == pytest.approx(sum(granted))
    assert all(
        0 <= rate.low <= rate.rate + 1e-12 and rate.rate <= rate.high + 1e-12 <= 1 + 2e-12 for rate in rates.values()
    )
    if len(rates) < 2:
        with pytest.raises(ValueError, match="a comparison needs two"):
            demographic_parity(granted, group)
        return
    found = demographic_parity(granted, group)
    assert -1 <= found.difference <= 0
    assert 0 <= found.ratio <= 1
    assert found.ratio_interval[0] <= found.ratio <= found.ratio_interval[1]


def test_calibration_finds_the_group_that_is_misjudged() -> None:
    rng = np.random.default_rng(0)
    predicted = rng.uniform(0.05, 0.4, 20_000)
    group = np.where(rng.random(20_000) < 0.5, "B", "A")
    defaulted = rng.random(20_000) < np.where(group == "B", predicted * 0.7, predicted)
    table = calibration_by_group(predicted, defaulted, group)
    assert list(table["group"].value_counts()) == [5, 5]
    assert table["n"].sum() == 20_000
    outside = ~table["predicted"].between(table["low"], table["high"])
    assert outside[table["group"] == "B"].all()
    assert outside[table["group"] == "A"].sum() <= 1


@pytest.mark.parametrize(
    ("granted", "group", "message"),
    [
        ([], [], "one of each per person"),
        ([True], ["A", "B"], "one of each per person"),
        ([True, None], ["A", "B"], "is missing"),
        ([True, False], ["A", None], "is missing"),
    ],
)
def test_bad_input_is_told(granted: list[object], group: list[object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        selection_rates(granted, group)  # type: ignore[arg-type]


def test_equal_opportunity_needs_people_who_repaid() -> None:
    with pytest.raises(ValueError, match=r"nobody of B repaid"):
        equal_opportunity([True, True], [True, False], ["A", "B"])


def test_gate_passes_the_course_model(run: TrainingRun) -> None:
    result = fairness_gate()(run.evaluation, None)
    assert result.passed, result.detail
    counts = run.holdout()["group"].astype(str).value_counts()
    assert f"B: {counts['B']} rows" in result.detail


def test_group_sizes_come_back_from_the_rates(run: TrainingRun) -> None:
    counts = run.holdout()["group"].astype(str).value_counts()
    assert group_sizes(run.evaluation) == {"A": counts["A"], "B": counts["B"]}


def test_gate_blocks_a_bureau_that_measures_one_group_worse(run: TrainingRun) -> None:
    holdout = run.holdout()
    points = 60.0 * (holdout["group"] == "B")
    biased = evaluate_model(run.candidate(), holdout.assign(bureau_score=holdout["bureau_score"] - points))
    result = fairness_gate()(biased, run.evaluation)
    assert not result.passed
    assert result.detail.startswith("A is approved at")
    assert "does not settle" not in result.detail


def test_gate_blocks_a_threshold_by_group(run: TrainingRun) -> None:
    holdout = run.holdout()
    probability = run.candidate().predict(holdout)
    strict = (holdout["group"] == "B").to_numpy()
    approved = grant(np.where(strict, probability * 1.5, probability), holdout["amount"], holdout["term"])
    unfair = replace(
        run.evaluation,
        approval_rate=float(approved.mean()),
        approval_by_group={"A": float(approved[~strict].mean()), "B": float(approved[strict].mean())},
    )
    assert not fairness_gate()(unfair, None).passed
    assert fairness_gate(min_ratio=0.5)(unfair, None).passed


def planted(run: TrainingRun, rows: int, a: float, b: float, n_b: int) -> Evaluation:
    rate = (a * (rows - n_b) + b * n_b) / rows
    return replace(run.evaluation, rows=rows, approval_rate=rate, approval_by_group={"A": a, "B": b})


def test_the_interval_decides_and_not_the_ratio(run: TrainingRun) -> None:
    few = fairness_gate()(planted(run, 100, 0.5, 0.45, 20), None)
    assert not few.passed
    assert "fewer than 100 rows of A, B: enlarge the hold-out" in few.detail
    unsure = fairness_gate()(planted(run, 1_000, 0.5, 0.42, 200), None)
    assert not unsure.passed, "0.84 of 200 people may be 0.7 of all"
    assert "the sample does not settle it" in unsure.detail
    sure = fairness_gate()(planted(run, 100_000, 0.5, 0.42, 30_000), None)
    assert sure.passed
    below = fairness_gate()(planted(run, 1_000, 0.5, 0.38, 200), None)
    assert not below.passed
    assert "does not settle" in below.detail, "0.76 of 200 people may be 0.85 of all"


def test_a_small_bank_can_let_the_ratio_decide_what_the_interval_does_not(run: TrainingRun) -> None:
    gate = fairness_gate(undecided="ratio")
    assert gate(planted(run, 1_000, 0.5, 0.42, 200), None).passed
    assert not gate(planted(run, 1_000, 0.5, 0.38, 200), None).passed
    assert not gate(planted(run, 100, 0.5, 0.45, 20), None).passed, "20 people are too few for any word"
    assert gate(planted(run, 1_000, 0.5, 0.5, 300), None).passed


def test_gate_blocks_what_it_cannot_judge(run: TrainingRun) -> None:
    gate = fairness_gate()
    assert "needs two" in gate(replace(run.evaluation, approval_by_group={"A": 0.5}), None).detail
    assert "nobody is approved" in gate(planted(run, 1_000, 0.0, 0.0, 300), None).detail
    equal = gate(planted(run, 1_000, 0.5, 0.5, 300), None)
    assert not equal.passed
    assert "sizes are not known" in equal.detail
    with pytest.raises(ValueError, match="min_ratio"):
        fairness_gate(min_ratio=80)
    with pytest.raises(ValueError, match="min_ratio"):
        judge(GRANTED, GROUP, min_ratio=0)


def test_every_group_is_compared_with_the_most_approved_one() -> None:
    rates = {"A": rate_of(1500, 3000), "B": rate_of(1400, 3000), "C": rate_of(1440, 3000)}
    assert judge_rates(rates).word == "pass"
    assert judge_rates(rates | {"C": rate_of(900, 3000)}).word == "refuse"
    # C's own rate is above B's, and C has so few people that nobody knows.
    assert judge_rates(rates | {"C": rate_of(71, 150)}).word == "not enough data"
    assert judge_rates(rates | {"C": rate_of(48, 99)}).word == "not enough data"


def test_the_gate_on_worlds_whose_ratio_is_known() -> None:
    """The benchmark's own code on fewer worlds: what is kept is the same, of more."""
    ratios = {kind: true_ratio(kind, 20_000) for kind in BIAS}
    assert ratios["unfair"] < 0.7 < FOUR_FIFTHS < 0.95 < ratios["fair"]
    for kind in ("fair", "unfair"):
        found = errors(measure(range(20), kind, 2000), ratios[kind])
        assert (found.wrong.n, found.wrong.rate) == (20, 0.0)
        assert found.unsure.rate <= 0.2
    small = errors(measure(range(20), "unfair", 200), ratios["unfair"])
    assert small.wrong.rate == 0
    assert small.unsure.rate > 0.5
    assert small.wrong_by_point.rate > 0, "the ratio alone lets some pass"


def test_what_is_kept_of_the_gate_keeps_its_promise() -> None:
    found = kept()
    assert [(row["kind"], row["people"]) for row in found["rows"]] == [(k, n) for k in BIAS for n in PEOPLE]
    for row in found["rows"]:
        assert row["worlds"] == 200
        assert row["pass"] + row["refuse"] + row["not enough data"] == 200
        told = errors(row, found["true_ratio"][row["kind"]])
        assert told.wrong.low < 0.025, "an interval of 95 % leaves one in forty on either side"
        assert told.wrong.rate <= told.wrong_by_point.rate


def test_equally_good_models_are_the_same_again() -> None:
    """The first two of those that are kept; their AUCs lie close together, their ratios do not."""
    found = equals_kept()
    assert len(found["models"]) == MODELS
    for again, row in zip(train_many(World(found["seed"]), 2), found["models"], strict=False):
        assert (again.auc, again.first, again.then) == pytest.approx((row["auc"], row["first"], row["then"]), abs=0.005)
    table = pd.DataFrame(found["models"])
    assert table["auc"].max() - table["auc"].min() < 0.01
    assert table["first"].max() - table["first"].min() > 0.04


@pytest.mark.weekly
def test_what_is_kept_of_the_gate_is_what_comes_out() -> None:
    for row in kept()["rows"]:
        assert measure(range(row["worlds"]), row["kind"], row["people"]) == row


def officers(world: World) -> tuple[pd.DataFrame, pd.DataFrame]:
    months = range(-6, 0)
    return pd.concat([world.officer_decisions(m) for m in months]), pd.concat([world.truth(m) for m in months])


def test_truth_shows_the_officers_bias_and_clears_the_just() -> None:
    biased = World(3, "calm")
    just = World(3, biased.scenario.model_copy(update={"officer_bias": -20.0}))
    found = audit_with_truth(*officers(biased))
    assert found.most_declined == "B"
    assert found.gap_interval[0] > 0.1
    assert found.wrongly_declined["B"].low > found.wrongly_declined["A"].high
    # Officers who give back the 20 points by which the bureau misreads group B.
    cleared = audit_with_truth(*officers(just))
    assert abs(cleared.gap) < found.gap / 3


def test_truth_by_hand() -> None:
    truth = pd.DataFrame(
        {
            "application_id": range(8),
            "default_probability": [0.1] * 4 + [0.5] * 4,
            "expected_profit": [100.0] * 4 + [-100.0] * 4,
            "group": list("AABB") * 2,
        }
    )
    decisions = truth[["application_id"]].assign(granted=[True, True, True, False, False, False, False, False])
    found = audit_with_truth(decisions.iloc[::-1], truth, bins=2)
    assert found.declined_at_equal_risk == {"A": 0.5, "B": 0.75}
    assert (found.most_declined, found.gap) == ("B", 0.25)
    assert (found.wrongly_declined["A"].rate, found.wrongly_declined["B"].rate) == (0.0, 0.5)
    # Twice as many people at the higher risk, where all are declined: it counts twice.
    more = pd.concat([truth, truth.iloc[4:].assign(application_id=range(8, 12))])
    twice = audit_with_truth(more[["application_id"]].assign(granted=[True, True, True] + [False] * 9), more, bins=2)
    assert twice.declined_at_equal_risk == pytest.approx({"A": 2 / 3, "B": 5 / 6})
    with pytest.raises(ValueError, match="have no truth"):
        audit_with_truth(decisions, truth.iloc[1:], bins=2)
    with pytest.raises(ValueError, match="fewer levels or more months"):
        audit_with_truth(decisions.iloc[[0, 1, 4, 5, 6, 7]], truth, bins=2)


def test_model_is_fairer_than_the_officers_and_not_fair(world: World, run: TrainingRun) -> None:
    months = range(6)
    feeds = pd.concat([world.applications(month) for month in months])
    granted = grant(run.model().predict(feeds), feeds["amount"], feeds["term"])
    decisions = pd.DataFrame({"application_id": feeds["application_id"], "granted": granted})
    model = audit_with_truth(decisions, pd.concat([world.truth(month) for month in months]))
    people = audit_with_truth(*officers(world))
    assert model.most_declined == people.most_declined == "B"
    assert model.gap_interval[0] > 0
    assert model.gap_interval[1] < people.gap_interval[0]
