"""Monitors raise the alarm when the world changes, in the month it can first be known, and not before."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy.stats import ks_2samp

from oakbank.deploy.batch import decide
from oakbank.deploy.drift import bin_counts, bin_of, edges_of, homogeneity, ks, psi
from oakbank.deploy.monitor import (
    FAMILY_ALPHA,
    PSI_MAJOR,
    PSI_MODERATE,
    drift_report,
    evidently_report,
    performance_report,
)
from oakbank.deploy.trigger import retrain, should_retrain
from oakbank.pipelines import Problem, Registry, TrainingConfig
from oakbank.world import CATEGORIES, FEATURES, World

samples = hnp.arrays(np.float64, st.integers(1, 200), elements=st.integers(-50, 50) | st.floats(-50, 50))


def test_psi_by_hand() -> None:
    reference = np.repeat(["a", "b"], [50, 50])
    current = np.repeat(["a", "b"], [80, 20])
    assert psi(reference, current) == pytest.approx(0.3 * np.log(0.8 / 0.5) - 0.3 * np.log(0.2 / 0.5))
    quarters = np.arange(100.0)
    assert psi(quarters, np.repeat([10.0, 60.0], 50), bins=2) == pytest.approx(0)
    assert psi(quarters, np.full(9, 99.0), bins=2) > 4  # all beyond the median


def test_psi_sees_missing_and_unknown_values() -> None:
    reference = pd.Series([1.0, 2.0, 3.0, 4.0] * 50)
    assert psi(reference, reference.where(reference > 1)) > PSI_MAJOR
    assert psi(["web"] * 90 + ["branch"] * 10, ["web"] * 90 + ["fax"] * 10) > PSI_MAJOR
    assert psi([5.0] * 50, [5.0] * 50) == 0
    assert psi([5.0] * 50, [7.0] * 50) > PSI_MAJOR
    assert psi([np.nan] * 50, [7.0] * 50) > PSI_MAJOR


@settings(deadline=None, derandomize=True)
@given(samples, samples, st.integers(2, 20))
def test_psi_is_a_distance_of_shares(reference: Any, current: Any, bins: int) -> None:
    value = psi(reference, current, bins)
    assert value >= 0
    assert psi(reference, reference, bins) == 0
    assert psi(reference, current[::-1], bins) == pytest.approx(value)
    assert psi(reference, np.tile(current, 3), bins) == pytest.approx(value)
    counts = bin_counts(reference, current, bins)
    assert counts.sum(axis=1).tolist() == [len(reference), len(current)]
    assert counts[:, 0].tolist() == [0, 0]  # nothing is missing
    assert counts.shape[1] <= bins + 2


def test_where_the_bins_part_and_which_one_a_value_is_in() -> None:
    edges = edges_of(np.arange(101.0), bins=4)
    assert edges.tolist() == [25.0, 50.0, 75.0]
    assert bin_of([np.nan, -9.0, 25.0, 49.0, 75.0, 999.0], edges).tolist() == [0, 1, 2, 2, 4, 4]
    known = edges_of(pd.Series(["web", "branch", None, "web"]))
    assert list(known) == ["branch", "web"]
    assert bin_of(["web", None, "branch", "fax"], known).tolist() == [2, 0, 1, 3]
    assert bin_of([0.0, 3.0, 4.0, 7.0], edges_of([7.0, 3.0, 3.0])).tolist() == [3, 1, 3, 2]  # few numbers: a bin each


def test_psi_of_chance_alone_is_as_large_as_said() -> None:
    rng = np.random.default_rng(0)
    for n in (200, 2000):
        found = [psi(rng.normal(size=n), rng.normal(size=n)) for _ in range(200)]
        assert np.mean(found) == pytest.approx(9 * 2 / n, rel=0.2)


@pytest.mark.parametrize("call", [lambda: psi([], [1]), lambda: psi([1], []), lambda: psi([1.0], [1.0], bins=1)])
def test_psi_refuses_what_it_cannot_measure(call: Any) -> None:
    with pytest.raises(ValueError, match=r"at least one value|2 or more"):
        call()


@settings(deadline=None, derandomize=True)
@given(samples, samples)
def test_ks_agrees_with_scipy(reference: Any, current: Any) -> None:
    statistic, p_value = ks(reference, current)
    theirs = ks_2samp(reference, current, method="asymp")
    assert statistic == pytest.approx(theirs.statistic, abs=1e-12)
    assert 0 <= p_value <= 1
    if min(len(reference), len(current)) >= 40:  # on fewer rows the two approximations part
        assert p_value == pytest.approx(theirs.pvalue, abs=0.025)


def test_ks_agrees_with_scipy_at_the_sizes_in_use() -> None:
    rng = np.random.default_rng(1)
    for shift in (0.0, 0.02, 0.05, 0.1, 0.3):
        a, b = rng.normal(size=2000), rng.normal(size=1500) + shift
        assert ks(a, b)[1] == pytest.approx(ks_2samp(a, b).pvalue, rel=0.05, abs=1e-6)
    for bad in ([], [np.nan, 1.0]):
        with pytest.raises(ValueError, match="numbers in both samples"):
            ks(bad, [1.0])


def test_homogeneity_knows_same_from_different() -> None:
    rng = np.random.default_rng(2)
    found = [homogeneity(rng.integers(0, 4, 500), rng.integers(0, 4, 500))[1] for _ in range(200)]
    assert np.mean(np.array(found) < 0.05) == pytest.approx(0.05, abs=0.04)
    assert homogeneity(["a"] * 50 + ["b"] * 50, ["a"] * 90 + ["b"] * 10)[1] < 1e-6
    assert homogeneity(["a"] * 50, ["a"] * 90) == (0.0, 1.0)


def history(world: World) -> pd.DataFrame:
    return pd.concat([world.applications(month) for month in range(-4, 0)], ignore_index=True)


@pytest.mark.parametrize(
    ("scenario", "onset", "column"), [("data-drift-sudden", 8, "channel"), ("data-drift-gradual", 6, "channel")]
)
def test_data_drift_is_seen_from_its_onset_and_not_before(bank: Any, scenario: str, onset: int, column: str) -> None:
    for seed in (1, 2):
        world = World(seed, scenario)
        reference = history(world)
        for month in range(onset - 2, onset + 6):
            report = drift_report(reference, world.applications(month), model=bank.model)
            assert (column in report.drifted) == (month >= onset), (seed, month)
            assert bool(report.drifted) == (month >= onset)
            assert report.share == len(report.drifted) / len(FEATURES)
            # The model has hardly seen the new customers, so its answers do not move: watching them alone sees nothing.
            assert report.score is not None
            assert not report.score.drifted


def test_a_recession_is_not_data_drift(bank: Any) -> None:
    world = World(1, "recession")
    reference = history(world)
    for month in range(8, 16):
        report = drift_report(reference, world.applications(month), model=bank.model)
        assert report.drifted == []
        assert report.score is not None
        assert not report.score.drifted


def test_false_alarms_of_the_report_and_of_single_tests() -> None:
    """What the two conditions and the division by the number of columns are for, counted."""
    alarms = loud = total = 0
    for seed in range(6):
        world = World(seed, "calm")
        reference = history(world)
        for month in range(8):
            report = drift_report(reference, world.applications(month))
            alarms += bool(report.drifted)
            loud += any(one.p_value < FAMILY_ALPHA for one in report.columns.values())
            total += 1
    assert alarms == 0
    assert loud / total > 0.2  # at 0.05 a column a calm month would alarm that often


def test_on_few_rows_the_index_alone_cries_wolf() -> None:
    world = World(5, "calm")
    reference, reports = history(world), []
    for month in range(10):
        reports.append(drift_report(reference, world.applications(month)[:80]))
    assert sum(one.psi >= PSI_MODERATE for report in reports for one in report.columns.values()) >= 10
    assert not any(report.drifted for report in reports)


def test_broken_columns_show_and_the_table_is_complete(bank: Any) -> None:
    world = World(1, "broken-feed-missing")
    report = drift_report(history(world), world.applications(10), model=bank.model)
    assert report.drifted == ["bureau_score"]
    assert report.columns["bureau_score"].statistic == 1
    without = drift_report(history(world), world.applications(0).drop(columns="channel"))
    assert without.drifted == ["channel"]
    table = report.frame()
    assert list(table.index) == [*FEATURES, "default_probability"]
    with pytest.raises(ValueError, match="at least one column"):
        drift_report(history(world), world.applications(0), columns=())


def decided(bank: Any, world: World, month: int) -> pd.DataFrame:
    return decide(bank.model, "1", world.applications(month), month, bank.reference)[0]


def alarms(bank: Any, world: World, last: int) -> list[int]:
    """Months in which the performance monitor raises its alarm, on what is known in that month."""
    found = []
    for month in range(3, last):
        decisions = decided(bank, world, month - 3)
        outcomes = world.outcomes(month, decisions.loc[decisions["granted"], "application_id"])
        if performance_report(decisions, outcomes).alarm:
            found.append(month)
    return found


def test_a_recession_is_seen_when_its_labels_arrive_and_not_earlier(bank: Any) -> None:
    for seed in (1, 2, 3):
        found = alarms(bank, World(seed, "recession"), 18)
        assert found[0] in (9 + 3, 10 + 3)  # half as strong in its first month
        assert found == list(range(found[0], 18))


def test_the_performance_monitor_is_silent_in_calm() -> None:
    """Each seed has its own model, so that the rate is that of models, not of one."""
    from oakbank.pipelines import CreditModel, feature_matrix

    found = months = 0
    for seed in range(4):
        world = World(seed, "calm")
        train = [(world.applications(m), world.truth(m), world.officer_decisions(m)["granted"]) for m in range(-12, -3)]
        rows = pd.concat([a[g.to_numpy()] for a, _, g in train])
        labels = np.concatenate([t["would_default"][g.to_numpy()] for _, t, g in train])
        model = CreditModel.fit(feature_matrix(rows), labels)
        for month in range(12):
            feed = world.applications(month)
            decisions = pd.DataFrame(
                {
                    "application_id": feed["application_id"],
                    "granted": model.predict(feed) < 0.2,
                    "default_probability": model.predict(feed),
                }
            )
            outcomes = world.outcomes(month + 3, decisions.loc[decisions["granted"], "application_id"])
            found += performance_report(decisions, outcomes).alarm
            months += 1
    assert (found, months) == (0, 48)


def test_performance_by_hand() -> None:
    decisions = pd.DataFrame(
        {
            "application_id": [1, 2, 3, 4, 5],
            "granted": [True, True, False, True, True],
            "default_probability": [0.5, 0.5, 0.1, np.nan, 0.5],
        }
    )
    outcomes = pd.DataFrame({"application_id": [1, 2, 3, 4], "defaulted": [True, False, True, True]})
    report = performance_report(decisions, outcomes)
    assert (report.rows, report.default_rate, report.mean_probability, report.gap, report.z) == (2, 0.5, 0.5, 0.0, 0.0)
    assert report.log_loss == pytest.approx(np.log(2))
    assert report.expected_log_loss == pytest.approx(np.log(2))
    assert not report.alarm
    with pytest.raises(ValueError, match="wait until the labels"):
        performance_report(decisions, outcomes[:0])
    with pytest.raises(ValueError, match="outcomes have an application twice"):
        performance_report(decisions, pd.concat([outcomes, outcomes]))


def test_evidently_agrees_with_ours(tmp_path: Path) -> None:
    world = World(1, "data-drift-sudden")
    reference, current = world.applications(0), world.applications(9)
    ours = drift_report(reference, current)
    path = tmp_path / "reports" / "drift.html"
    theirs = evidently_report(reference, current, path)
    assert set(theirs) == set(FEATURES)
    page = path.read_text(encoding="utf-8")
    assert "channel" in page
    assert 'src="http' not in page
    assert [p.name for p in path.parent.iterdir()] == ["drift.html"]
    for name, result in theirs.items():
        if name in CATEGORIES:  # the same index, the same bins
            assert result["method"] == "psi"
            assert result["value"] == pytest.approx(ours.columns[name].psi, abs=1e-9)
        else:
            assert result["method"] == "ks"
            assert result["value"] == pytest.approx(ours.columns[name].p_value, rel=0.05, abs=0.01)
    assert theirs["channel"]["drifted"]
    assert not theirs["region"]["drifted"]
    by_index = evidently_report(reference, current, path, ["income", "term", "age"], numeric="psi")
    for name in ("income", "age"):  # Evidently takes bins of equal width over both samples: give ours the same
        edges = np.histogram_bin_edges(np.concatenate([reference[name], current[name]]), bins="sturges")
        assert by_index[name]["value"] == pytest.approx(psi(reference[name], current[name], edges[1:-1]), abs=1e-9)
    assert by_index["term"]["value"] == pytest.approx(ours.columns["term"].psi, abs=1e-9)
    with pytest.raises(ValueError, match="absent: channel"):
        evidently_report(reference, current.drop(columns="channel"), path)


def test_the_trigger_tells_what_to_train_for_and_what_not(bank: Any) -> None:
    sudden = World(1, "data-drift-sudden")
    moved = drift_report(history(sudden), sudden.applications(9), model=bank.model)
    calm = drift_report(history(sudden), sudden.applications(0), model=bank.model)
    assert not should_retrain(calm, None, 5).fire
    fired = should_retrain(moved, None, 5)
    assert fired.fire
    assert any("channel has moved" in reason for reason in fired.reasons)
    early = should_retrain(moved, None, 1)
    assert not early.fire
    assert early.reasons == fired.reasons
    assert "wait for the labels" in early.held

    recession = World(1, "recession")
    decisions = decided(bank, recession, 12)
    outcomes = recession.outcomes(15, decisions.loc[decisions["granted"], "application_id"])
    assert "performance" in should_retrain(calm, performance_report(decisions, outcomes), 5).reasons[0]
    assert "age" in should_retrain(None, None, 12).reasons[0]

    late = performance_report(decisions, outcomes)
    assert late.alarm
    factor = Problem("income", "unit", "12 times")
    held_back = should_retrain(calm, late, 5, problems_then=[factor])
    assert (held_back.fire, held_back.reasons) == (False, []), "the loans were decided on a broken feed"
    assert should_retrain(calm, late, 5, problems=[factor]).fire, "the feed of today is no excuse for loans of then"
    assert should_retrain(calm, late, 5, problems_then=[Problem("shoe_size", "unknown_column", "new")]).fire
    assert should_retrain(moved, late, 5, problems_then=[factor]).fire, "other reasons stand"

    unit = World(1, "broken-feed-unit")
    broken = drift_report(history(unit), unit.applications(8), model=bank.model)
    assert broken.drifted == ["income"]
    assert broken.score is not None
    assert broken.score.drifted
    assert should_retrain(broken, None, 5).fire
    assert not should_retrain(broken, None, 5, problems=[Problem("income", "unit", "12 times")]).fire


def test_the_trigger_starts_the_pipeline_and_resumes(bank: Any, tmp_path: Path, registry: Registry) -> None:
    config = TrainingConfig(as_of=0)
    first = retrain(config, bank.lake, tmp_path, registry)
    assert first.version == "1"
    assert first.ran
    again = retrain(config, bank.lake, tmp_path, registry)
    assert (again.version, again.ran) == ("1", ())
    assert first.model().digest == bank.model.digest
