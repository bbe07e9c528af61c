"""Who may promote, against which champion, on which hold-out; a registry that two use at once, or that goes away."""

import json
import pickle
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from base.process import plain_environment, python
from oakbank.deploy import exclusive as locking
from oakbank.deploy.gate import ANY, GateResult, Promotion, enough_rows, promote, rollback
from oakbank.deploy.holdout import record_look
from oakbank.pipelines import Registry, RegistryError, TrainingConfig, TrainingRun, run_training
from oakbank.pipelines.tracking_store import close_databases

RUNNER = Path(__file__).with_name("deploy_promotion_runner.py")


@pytest.fixture(scope="module")
def weak(bank: Any) -> TrainingRun:
    """Three small trees: worse than the bank's model, on the same hold-out."""
    return run_training(TrainingConfig(as_of=0, rounds=3, params={"num_leaves": 2}), bank.lake, bank.folder / "weak-1")


@pytest.fixture(scope="module")
def between(bank: Any) -> TrainingRun:
    """Better than the weak one, worse than the bank's model."""
    return run_training(TrainingConfig(as_of=0, rounds=20, params={"num_leaves": 2}), bank.lake, bank.folder / "middle")


@pytest.fixture
def own(tmp_path: Path) -> Registry:
    """A registry of the test's own: looks are counted over all models of a registry."""
    return Registry(tmp_path / "registry")


def anything(challenger: Any, champion: Any) -> GateResult:
    return GateResult("anything", True, "")


def named(promotion: Promotion, name: str) -> GateResult:
    """Return the one result with a name."""
    (found,) = (result for result in promotion.results if result.name == name)
    return found


@dataclass(frozen=True)
class Apart:
    """What deploy_promotion_runner.py did, and with which runs; both models have the same versions."""

    folder: Path
    weak: str
    between: TrainingRun
    strong: TrainingRun
    at_once: Any
    killed: Any


@pytest.fixture(scope="module")
def apart(tmp_path_factory: pytest.TempPathFactory, bank: Any, weak: TrainingRun, between: TrainingRun) -> Apart:
    folder = tmp_path_factory.mktemp("apart")
    jobs = []
    for mode in ("at_once", "killed"):
        registry = Registry(folder, name=mode)
        first, second, third = (registry.register(run) for run in (weak, between, bank.run))
        assert promote(registry, first, [anything], "grace").promoted
        jobs.append((mode, mode, [second, third] if mode == "at_once" else [third]))
    close_databases()
    (folder / "jobs.pickle").write_bytes(pickle.dumps(jobs))
    command = python(str(RUNNER), str(folder))
    done = subprocess.run(command, env=plain_environment(), capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Apart(folder, str(first.version), second, third, *json.loads(done.stdout))


def test_of_two_processes_at_once_the_second_is_refused(apart: Apart) -> None:
    """Both have beaten the first champion. Whoever is second would replace a model that it was never measured with."""
    assert sorted(promoted for promoted, _, _ in apart.at_once) == [False, True], apart.at_once
    runs = (apart.between, apart.strong)
    (first,) = (number for number, answer in enumerate(apart.at_once) if answer[0])
    winner, loser = runs[first].version, runs[1 - first]
    registry = Registry(apart.folder, create=False, name="at_once")
    assert (registry.alias("champion"), registry.alias("previous")) == (winner, apart.weak)
    _, measured_against, results = apart.at_once[1 - first]
    assert measured_against == apart.weak
    assert [name for name, passed, _ in results if not passed] == ["expected_champion"]
    assert f"measured against version {apart.weak}, and the champion is version {winner}" in results[-1][2]

    def better(challenger: Any, champion: Any) -> GateResult:
        return GateResult("better", challenger.auc > champion.auc, "")

    again = promote(registry, loser, [better], "grace")
    assert again.champion == winner
    assert again.promoted is (loser is apart.strong)


def test_killed_at_any_write_the_old_champion_stays_and_the_same_call_ends_it(apart: Apart) -> None:
    assert apart.killed == [apart.weak] * 4 + [apart.strong.version]
    registry = Registry(apart.folder, create=False, name="killed")
    assert registry.alias("previous") == apart.weak
    told = promote(registry, apart.strong, [anything], "grace")
    assert named(told, "few_looks").detail.startswith("3 training runs")  # each once, however often it was killed


def test_the_expected_champion(own: Registry, bank: Any, weak: TrainingRun, between: TrainingRun) -> None:
    weak, between, strong = (own.register(run) for run in (weak, between, bank.run))
    refused = promote(own, weak, [anything], "grace", expected="7")
    assert "against version 7, and the champion is no champion" in named(refused, "expected_champion").detail
    assert promote(own, weak, [anything], "grace", expected=None).promoted
    for stale in (None, between.version):
        refused = promote(own, strong, [anything], "grace", expected=stale)
        assert not refused.promoted
        assert f"the champion is version {weak.version}: measure" in named(refused, "expected_champion").detail
        assert {result.name for result in refused.results} == {"four_eyes", "expected_champion"}  # nothing was measured
    assert own.alias("champion") == weak.version
    assert promote(own, strong, [anything], "grace", expected=weak.version).promoted


def test_a_champion_that_changes_while_it_is_measured(own: Registry, bank: Any, weak: TrainingRun) -> None:
    weak, strong = own.register(weak), own.register(bank.run)

    def meanwhile(challenger: Any, champion: Any) -> GateResult:
        assert promote(own, weak, [anything], "lin").promoted
        return GateResult("meanwhile", True, "")

    refused = promote(own, strong, [meanwhile], "grace")
    assert not refused.promoted
    assert own.alias("champion") == weak.version
    assert "against no champion, and the champion is version 1" in named(refused, "expected_champion").detail


def test_the_same_promotion_twice_at_once_is_one(own: Registry, bank: Any) -> None:
    strong = own.register(bank.run)

    def meanwhile(challenger: Any, champion: Any) -> GateResult:
        promote(own, strong, [anything], "grace")
        return GateResult("meanwhile", True, "")

    both = promote(own, strong, [meanwhile], "grace")
    assert both.promoted
    assert named(both, "anything").passed
    assert "asked_by" not in own.tags(str(strong.version))
    assert own.alias("previous") is None


@pytest.mark.parametrize("approver", ["ada", "Ada", " ADA ", "ａｄａ"])  # noqa: RUF001  the last is full-width
def test_nobody_approves_their_own(own: Registry, bank: Any, approver: str) -> None:
    strong = own.register(bank.run, author="ada")
    refused = promote(own, strong, [anything], approver)
    assert not refused.promoted
    assert own.alias("champion") is None
    assert named(refused, "four_eyes").detail == "ada trained this version: somebody else has to approve it"
    passed = promote(own, strong, [anything], "grace")
    assert passed.promoted
    assert named(passed, "four_eyes").detail == "ada trained it, grace approves"


def test_a_training_without_an_author_says_so(own: Registry, bank: Any) -> None:
    passed = promote(own, own.register(bank.run), [anything], "grace")
    assert "nobody is named as the author" in named(passed, "four_eyes").detail


def test_looks_are_counted_and_have_an_end(
    own: Registry, bank: Any, weak: TrainingRun, between: TrainingRun, tmp_path: Path
) -> None:
    """All three were evaluated on the same hold-out; two of them were never put up for promotion."""
    weak, between, strong = (own.register(run) for run in (weak, between, bank.run))
    refused = promote(own, strong, [anything], "grace", looks=2)
    assert not refused.promoted
    assert own.alias("champion") is None
    detail = named(refused, "few_looks").detail
    assert detail.startswith("3 training runs were judged on this hold-out, 2 at most wanted: take a fresh hold-out")
    assert "anything" not in {result.name for result in refused.results}  # and nobody looked once more
    own.client.delete_run(own.run_id(str(between.version)))
    assert named(promote(own, strong, [anything], "grace", looks=2), "few_looks").detail.startswith("3 ")
    fresh = tmp_path / "fresh.parquet"
    strong.holdout().iloc[::2].to_parquet(fresh)
    passed = promote(own, replace(strong, holdout_path=fresh), [anything], "grace", looks=1)
    assert passed.promoted
    assert named(passed, "few_looks").detail == "1 training runs were judged on this hold-out, 1 at most wanted"


def test_a_registry_that_goes_away_and_comes_back(own: Registry, bank: Any, weak: TrainingRun, tmp_path: Path) -> None:
    weak, strong = own.register(weak), own.register(bank.run)
    assert promote(own, weak, [anything], "grace").promoted
    backup, away = tmp_path / "backup", tmp_path / "away"
    close_databases()
    shutil.copytree(own.folder, backup)
    own.folder.rename(away)
    for call in (lambda: promote(own, strong, [anything], "grace"), lambda: rollback(own, "grace")):
        with pytest.raises(RegistryError, match=r"mlflow.db is not there.*bring it back and call again"):
            call()
    assert not own.folder.exists()
    own.folder.mkdir()
    (own.folder / "mlflow.db").write_bytes(b"no database" * 1000)
    with pytest.raises(RegistryError, match="cannot be reached"):
        promote(own, strong, [anything], "grace")
    shutil.rmtree(own.folder)
    backup.rename(own.folder)
    close_databases()
    assert own.alias("champion") == weak.version

    def gone(challenger: Any, champion: Any) -> GateResult:
        own.folder.rename(tmp_path / "gone")
        return GateResult("gone", True, "")

    with pytest.raises(RegistryError, match=r"mlflow\.db is not there"):
        promote(own, strong, [gone], "grace")
    (tmp_path / "gone").rename(own.folder)
    assert promote(own, strong, [anything], "grace").promoted
    assert Registry(own.folder, create=False).alias("champion") == strong.version


def test_a_restored_registry_is_a_new_file(own: Registry, bank: Any, weak: TrainingRun, tmp_path: Path) -> None:
    """An open connection would go on writing to the file that is gone."""
    weak, strong = own.register(weak), own.register(bank.run)
    assert promote(own, weak, [anything], "grace").promoted
    kept = tmp_path / "kept.db"
    shutil.copy(own.folder / "mlflow.db", kept)
    assert own.alias("champion") == weak.version  # opens a connection
    kept.replace(own.folder / "mlflow.db")
    assert promote(own, strong, [anything], "grace").promoted
    close_databases()
    assert Registry(own.folder, create=False).alias("champion") == strong.version


def test_a_holder_that_hangs(own: Registry, bank: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(locking, "WAIT", 0.05)
    strong = own.register(bank.run)
    script = "import sys; from filelock import FileLock\nwith FileLock(sys.argv[1]): print('held', flush=True); input()"
    holder = subprocess.Popen(
        [sys.executable, "-c", script, str(own.folder / ".promote.lock")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert holder.stdout
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(RegistryError, match=r"another process has held .* call again"):
        promote(own, strong, [anything], "grace")
    holder.kill()  # the system gives the lock back
    holder.communicate()
    monkeypatch.setattr(locking, "WAIT", 10.0)
    assert promote(own, strong, [anything], "grace").promoted


def test_a_gate_of_numpy_and_a_gate_that_is_none(own: Registry, bank: Any) -> None:
    strong = own.register(bank.run)
    with pytest.raises(TypeError, match="a gate returned None: return a GateResult"):
        promote(own, strong, [lambda new, old: None], "grace")  # type: ignore[list-item,return-value]
    assert own.alias("champion") is None
    by_numpy = promote(own, strong, [lambda new, old: GateResult("n", np.float64(new.auc) > 0.5, "")], "grace")  # type: ignore[arg-type]
    assert by_numpy.promoted
    assert named(by_numpy, "n").passed is True


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    approver=st.one_of(st.text(max_size=300), st.none(), st.integers()),
    expected=st.one_of(st.just(ANY), st.none(), st.text(max_size=5), st.integers(), st.sampled_from(["1", "2"])),
    looks=st.one_of(st.integers(-2, 3), st.floats(), st.text(max_size=2)),
)
def test_bad_input_is_refused_in_words_and_changes_nothing(
    registry: Registry, bank: Any, approver: Any, expected: Any, looks: Any
) -> None:
    strong = registry.register(bank.run)
    never = enough_rows(10**9)
    try:
        outcome = promote(registry, strong, [never], approver, expected=expected, looks=looks)
    except ValueError as error:
        assert re.match("a promotion needs|the approver's name|expected is|looks must", str(error))  # noqa: PT017
    else:
        assert not outcome.promoted
        assert all(result.detail for result in outcome.results)
    assert registry.alias("champion") is None


def test_a_hold_out_that_is_gone(own: Registry, bank: Any, tmp_path: Path) -> None:
    strong = replace(own.register(bank.run), holdout_path=tmp_path / "none.parquet")
    with pytest.raises(OSError, match=r"none\.parquet"):
        promote(own, strong, [anything], "grace")
    with pytest.raises(RegistryError, match="no version 99"):
        promote(own, replace(own.register(bank.run), version="99"), [anything], "grace")


def test_taken_back_while_it_is_measured_it_stays_out(own: Registry, bank: Any) -> None:
    """Somebody else promoted the same version and took it back between our two looks at the registry."""
    run = own.register(bank.run)

    def meanwhile(challenger: Any, champion: Any) -> GateResult:
        own.set_tag(str(run.version), "rolled_back_by", "lin")
        return anything(challenger, champion)

    told = promote(own, run, [meanwhile], "grace")
    assert named(told, "not_rolled_back").detail.startswith("lin took this version back")
    assert (told.promoted, own.alias("champion")) == (False, None)


def test_who_learned_from_a_hold_out_has_not_looked_at_it(own: Registry, bank: Any, weak: TrainingRun) -> None:
    """A run of MLflow's may name one data set as training and another as evaluation."""
    other = own.register(weak)
    learned = mlflow_input("0" * 64, "training")
    own.client.log_inputs(own.run_id(str(other.version)), [learned])
    mine = str(own.register(bank.run).version)
    assert record_look(own, mine, "0" * 64) == 1
    assert record_look(own, str(other.version), "1" * 64) == 1
    assert record_look(own, mine, "1" * 64) == 2


def mlflow_input(digest: str, context: str) -> Any:
    from mlflow.entities import Dataset, DatasetInput, InputTag
    from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT

    return DatasetInput(Dataset("rows", digest[:36], "local", "{}"), [InputTag(MLFLOW_DATASET_CONTEXT, context)])
