"""The sequential test keeps its false-alarm rate however often one looks, and never fires on too little."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import beta

from oakbank.deploy.sequential import SIGNALS, Counts, Rules, judge, log_evidence

STEADY = settings(max_examples=200, deadline=None, derandomize=True, database=None)
COUNT = st.integers(0, 10**6)


def alarms(
    canary_rate: float, baseline_rate: float, *, applicants: int = 1000, runs: int = 1000, seed: int = 0
) -> float:
    """Return the share of releases that are ever stopped at 5 % if one looks after every applicant."""
    draw = np.random.default_rng(seed)
    in_canary = draw.random((runs, applicants)) < 0.5
    went_wrong = draw.random((runs, applicants)) < np.where(in_canary, canary_rate, baseline_rate)
    evidence = log_evidence((in_canary & went_wrong).cumsum(axis=1), (~in_canary & went_wrong).cumsum(axis=1))
    return float((evidence >= math.log(1 / 0.05)).any(axis=1).mean())


@pytest.mark.parametrize("rate", [0.01, 0.1, 0.49, 0.9, 1.0])
def test_a_canary_like_its_baseline_is_stopped_in_at_most_5_percent(rate: float) -> None:
    """An A/A test with a look after each of 1,000 applicants."""
    assert alarms(rate, rate) <= 0.05


def test_a_better_canary_is_stopped_even_less() -> None:
    assert alarms(0.1, 0.2) < 0.01


def test_a_rate_that_changes_over_the_day_makes_no_false_alarm() -> None:
    draw = np.random.default_rng(1)
    in_canary = draw.random((1000, 1000)) < 0.5
    went_wrong = draw.random((1000, 1000)) < 0.05 + 0.9 * (np.arange(1000) // 100 % 2)  # an outage every other hour
    evidence = log_evidence((in_canary & went_wrong).cumsum(axis=1), (~in_canary & went_wrong).cumsum(axis=1))
    assert (evidence >= math.log(1 / 0.05)).any(axis=1).mean() <= 0.05


def test_the_whole_judge_keeps_the_rate_over_its_four_signals() -> None:
    draw = np.random.default_rng(2)
    stopped = 0
    for _ in range(150):
        canary = baseline = Counts()
        for _ in range(60):
            bad = draw.random(6) < 0.45
            canary += Counts(3, 0, int((draw.random(3) < 0.1).sum()), int(bad[:3].sum()), int((~bad[:3]).sum()))
            baseline += Counts(3, 0, int((draw.random(3) < 0.1).sum()), int(bad[3:].sum()), int((~bad[3:]).sum()))
            if judge(canary, baseline, Rules()).says == "abort":
                stopped += 1
                break
    assert stopped / 150 <= 0.05


def test_harm_is_found() -> None:
    assert alarms(0.3, 0.1) > 0.99


@pytest.mark.parametrize(("heads", "tails"), [(0, 0), (7, 2), (2, 7), (40, 25)])
def test_the_evidence_is_the_integral_that_it_is_said_to_be(heads: int, tails: int) -> None:
    area, _ = quad(lambda p: p**heads * (1 - p) ** tails * beta.pdf(p, 10, 10), 0.5, 1)
    assert math.isclose(float(log_evidence(heads, tails)), math.log(area / 0.5 * 2 ** (heads + tails)), abs_tol=1e-6)


def test_one_step_of_a_fair_coin_leaves_the_evidence_where_it_is_on_average_or_below() -> None:
    for heads in range(12):
        for tails in range(12):
            now = np.exp(log_evidence(heads, tails))
            then = (np.exp(log_evidence(heads + 1, tails)) + np.exp(log_evidence(heads, tails + 1))) / 2
            assert then <= now * (1 + 1e-9)


@STEADY
@given(COUNT, COUNT)
def test_the_evidence_is_a_number_and_grows_with_the_canary(heads: int, tails: int) -> None:
    assert not math.isnan(log_evidence(heads, tails))
    assert log_evidence(heads + 1, tails) >= log_evidence(heads, tails + 1)


def test_negative_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="whole numbers from 0"):
        log_evidence(-1, 3)
    with pytest.raises(ValueError, match="whole numbers from 0"):
        Counts(answered=-1)


@pytest.mark.parametrize(
    "rules", [{"false_alarm": 0.0}, {"false_alarm": 1.0}, {"least": 0}, {"slow_seconds": math.nan}]
)
def test_rules_that_make_no_sense_are_refused(rules: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="rules need"):
        Rules(**rules)  # type: ignore[arg-type]


def test_too_little_and_missing_data_never_stop_and_are_never_good() -> None:
    all_wrong = Counts(answered=29, failed=29)
    assert judge(all_wrong, Counts(answered=500, granted=500), Rules()).says == "too little data"
    assert judge(Counts(answered=500, failed=500), Counts(), Rules()).says == "no data"
    assert judge(Counts(), Counts(answered=500, granted=500), Rules()).says == "no data"
    fine = judge(Counts(answered=500, granted=500), Counts(answered=500, granted=500), Rules())
    assert fine.says == "nothing found"
    assert set(fine.evidence) == set(SIGNALS)


@pytest.mark.parametrize("signal", SIGNALS)
def test_each_signal_alone_stops(signal: str) -> None:
    verdict = judge(Counts(answered=200, **{signal: 60}), Counts(answered=200, **{signal: 10}), Rules())
    assert verdict.says == "abort"
    assert verdict.reason.startswith(f"{signal}: 60 in the canary, 10")
