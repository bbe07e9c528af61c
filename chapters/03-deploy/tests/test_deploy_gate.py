"""A worse model is stopped, a better one passes, and there is a way back."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from oakbank.deploy.batch import score_month
from oakbank.deploy.gate import (
    DEFAULT_GATES,
    GateResult,
    calibrated,
    earns_more,
    enough_rows,
    not_worse_auc,
    promote,
    rollback,
)
from oakbank.pipelines import (
    CreditModel,
    Registry,
    RegistryError,
    TrainingConfig,
    TrainingRun,
    evaluate_model,
    feature_matrix,
    run_training,
)
from oakbank.world import Lake, publish_history, publish_month, publish_outcomes


@pytest.fixture(scope="module")
def weak(bank: Any) -> TrainingRun:
    """Three trees: right on the whole, and ranking badly."""
    return run_training(TrainingConfig(as_of=0, rounds=3, params={"num_leaves": 2}), bank.lake, bank.folder / "weak")


@pytest.fixture(scope="module")
def shuffled(bank: Any) -> TrainingRun:
    """The same pipeline, but that somebody's join has shuffled the labels."""
    table = bank.lake.read("applications", range(-12, -5))
    outcomes = bank.lake.read("outcomes", range(-9, -2))
    rows = table.merge(outcomes[["application_id", "defaulted"]], on="application_id")
    labels = np.random.default_rng(0).permutation(rows["defaulted"].to_numpy())
    path = bank.folder / "shuffled.txt"
    CreditModel.fit(feature_matrix(rows), labels).save(path)
    run: TrainingRun = replace(bank.run, model_path=path, candidate_path=path)
    return run


def test_each_gate_passes_and_stops(bank: Any) -> None:
    good = evaluate_model(bank.run.candidate(), bank.run.holdout())
    assert enough_rows(good.rows)(good, None).passed
    assert not enough_rows(good.rows + 1)(good, None).passed
    assert not_worse_auc(0.02)(good, None).passed
    assert not not_worse_auc(0.02, floor=0.6)(replace(good, auc=0.59), None).passed
    assert not not_worse_auc(0.02, floor=0.6)(replace(good, auc=0.59), replace(good, auc=0.6)).passed
    assert not_worse_auc(0.02)(replace(good, auc=good.auc - 0.0199), good).passed
    assert not not_worse_auc(0.02)(replace(good, auc=good.auc - 0.0201), good).passed
    assert calibrated(0.03)(replace(good, mean_probability=good.default_rate + 0.029), good).passed
    assert not calibrated(0.03)(replace(good, mean_probability=good.default_rate + 0.031), good).passed
    assert not calibrated(0.03)(replace(good, mean_probability=good.default_rate - 0.031), good).passed
    assert not earns_more()(replace(good, profit=-1.0), None).passed
    for champion in (100.0, -100.0):
        beaten = replace(good, profit=champion)
        assert earns_more(0.1)(replace(good, profit=champion + 10), beaten).passed
        assert not earns_more(0.1)(replace(good, profit=champion + 9), beaten).passed
    assert "100" in earns_more()(good, replace(good, profit=100.0)).detail


def test_worse_is_stopped_better_passes_and_back(
    bank: Any, registry: Registry, weak: TrainingRun, shuffled: TrainingRun
) -> None:
    weak, strong, shuffled = (registry.register(run) for run in (weak, bank.run, shuffled))
    assert not promote(registry, shuffled, DEFAULT_GATES, "ada").promoted  # also where there is nothing to beat
    lenient = (enough_rows(), calibrated())
    first = promote(registry, weak, lenient, "ada")
    assert (first.promoted, first.champion, registry.alias("champion")) == (True, None, weak.version)
    assert registry.alias("previous") is None

    worse = promote(registry, shuffled, DEFAULT_GATES, "ada")
    assert not worse.promoted
    assert registry.alias("champion") == weak.version
    assert {result.name for result in worse.results if not result.passed} >= {"not_worse_auc"}
    tags = registry.tags(str(shuffled.version))
    assert "approver" not in tags
    assert tags["asked_by"] == "ada"

    better = promote(registry, strong, DEFAULT_GATES, "grace")
    assert better.promoted, better.results
    assert (registry.alias("champion"), registry.alias("previous")) == (strong.version, weak.version)
    tags = registry.tags(str(strong.version))
    assert tags["approver"] == "grace"
    assert [GateResult(**result) for result in json.loads(tags["gates"])] == better.results

    again = promote(registry, strong, DEFAULT_GATES, "grace")
    assert (again.promoted, again.results) == (True, better.results)
    assert (registry.alias("champion"), registry.alias("previous")) == (strong.version, weak.version)

    assert not promote(registry, shuffled, DEFAULT_GATES, "ada").promoted
    assert rollback(registry, "lin") == weak.version
    assert registry.alias("champion") == weak.version
    assert registry.tags(str(strong.version))["rolled_back_by"] == "lin"
    assert rollback(registry, "lin") == weak.version
    assert "rolled_back_by" not in registry.tags(str(weak.version))
    refused = promote(registry, strong, DEFAULT_GATES, "grace")
    assert not refused.promoted
    assert "lin took this version back" in refused.results[-1].detail


def test_the_judged_model_never_saw_the_hold_out(bank: Any, registry: Registry, shuffled: TrainingRun) -> None:
    """The refitted model knows the hold-out's labels by heart: judged by it, any training would look good."""
    run = registry.register(replace(bank.run, candidate_path=shuffled.candidate_path))
    assert not promote(registry, run, [not_worse_auc(), earns_more(), calibrated()], "ada").promoted


@pytest.mark.parametrize("calls", range(1, 6))
def test_killed_anywhere_the_same_call_ends_the_work(
    bank: Any, registry: Registry, weak: TrainingRun, monkeypatch: pytest.MonkeyPatch, calls: int
) -> None:
    """The process dies at its n-th write to the registry: the old champion serves on, and a rerun ends the work."""
    weak, strong = registry.register(weak), registry.register(bank.run)
    promote(registry, weak, [enough_rows()], "ada")
    left = calls

    class Killed(BaseException):
        pass

    def dying(method: Any) -> Any:
        def call(*arguments: Any) -> Any:
            nonlocal left
            left -= 1
            if left == 0:
                raise Killed
            return method(*arguments)

        return call

    with monkeypatch.context() as patch:
        patch.setattr(registry, "set_tag", dying(registry.set_tag))
        patch.setattr(registry, "set_alias", dying(registry.set_alias))
        if calls <= 4:
            with pytest.raises(Killed):
                promote(registry, strong, DEFAULT_GATES, "grace")
            assert registry.alias("champion") == weak.version
        else:  # there are four writes: all of them die above
            promote(registry, strong, DEFAULT_GATES, "grace")
    assert promote(registry, strong, DEFAULT_GATES, "grace").promoted
    assert (registry.alias("champion"), registry.alias("previous")) == (strong.version, weak.version)
    assert registry.tags(str(strong.version))["approver"] == "grace"


def test_noise_alone_does_not_stop_a_retrained_model(bank: Any, tmp_path: Path, registry: Registry) -> None:
    """In a calm world a retrained model is as good as the champion, give or take: the tolerances allow for that."""
    lake = Lake(tmp_path / "lake")
    publish_history(bank.world, lake)
    promote(registry, registry.register(bank.run), DEFAULT_GATES, "ada")
    for month in range(10):
        publish_month(bank.world, lake, month)
        score_month(bank.model, "1", lake, month, bank.reference)
        publish_outcomes(bank.world, lake, month)
        if month in (3, 6, 9):
            run = run_training(TrainingConfig(as_of=month + 1), lake, tmp_path / f"as_of{month}")
            holdout = run.holdout()
            challenger = evaluate_model(run.candidate(), holdout)
            champion = evaluate_model(bank.model, holdout)
            assert all(gate(challenger, champion).passed for gate in DEFAULT_GATES), month


def test_calls_that_make_no_sense(bank: Any, registry: Registry) -> None:
    with pytest.raises(ValueError, match="register it first"):
        promote(registry, bank.run, DEFAULT_GATES, "ada")
    run = registry.register(bank.run)
    with pytest.raises(ValueError, match="at least one gate"):
        promote(registry, run, [], "ada")
    with pytest.raises(ValueError, match="name of its approver"):
        promote(registry, run, DEFAULT_GATES, " ")
    with pytest.raises(ValueError, match="name of its approver"):
        rollback(registry, "")
    with pytest.raises(RegistryError, match="no champion before"):
        rollback(registry, "ada")
    promote(registry, run, DEFAULT_GATES, "ada")
    with pytest.raises(RegistryError, match="no champion before"):
        rollback(registry, "ada")


def test_the_fairness_gate_of_the_next_chapter_fits(bank: Any, registry: Registry) -> None:
    """Any function of the two evaluations is a gate."""

    def equal_groups(challenger: Any, champion: Any) -> Any:
        rates = challenger.approval_by_group
        gap = max(rates.values()) - min(rates.values())
        return GateResult("equal_groups", gap < 1e-9, f"approval rates differ by {gap:.3f}")

    result = promote(registry, registry.register(bank.run), [enough_rows(), equal_groups], "ada")
    assert not result.promoted
    assert registry.alias("champion") is None
    assert isinstance(registry, Registry)
