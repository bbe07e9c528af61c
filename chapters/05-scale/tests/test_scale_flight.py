import importlib.util
import json
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from oakbank.deploy.gate import CHAMPION, PREVIOUS
from oakbank.governance.audit import AuditLog
from oakbank.governance.lineage import trace
from oakbank.pipelines import CreditModel, Evaluation, PipelineBusyError, Registry, feature_matrix, folder_lock
from oakbank.scale.bank import Bank, FlightError
from oakbank.scale.flight import FlightLog, fly
from oakbank.scale.month import State
from oakbank.scale.policy import CARE, NEGLECT, better_calibrated
from oakbank.world import Event, Feed, Lake, Scenario, World

RUNNER = Path(__file__).with_name("scale_flight_runner.py")
POSIX = pytest.mark.skipif(sys.platform == "win32", reason="forks and signals")


def runner() -> ModuleType:
    spec = importlib.util.spec_from_file_location("scale_flight_runner", RUNNER)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def run(mode: str, folder: Path) -> str:
    done = subprocess.run([sys.executable, RUNNER, mode, folder], capture_output=True, text=True, timeout=800)
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stderr


def contents(folder: Path) -> dict[str, bytes]:
    """What must be the same: lake, training data, decisions, audit log, records. Hidden files are left by kills."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for part in ("lake", "school", "months", "audit.jsonl", "flight.json")
        for path in sorted([folder / part, *(folder / part).rglob("*")])
        if path.is_file() and not path.name.startswith(".") and path.suffix != ".lock"
    }


def same(one: Path, other: Path) -> None:
    a, b = contents(one), contents(other)
    assert a.keys() == b.keys()
    assert [name for name in a if a[name] != b[name]] == []
    registries = [Registry(folder / "registry", create=False) for folder in (one, other)]
    for ask in (
        lambda r: r.versions(),
        lambda r: [r.alias(CHAMPION), r.alias(PREVIOUS)],
        lambda r: [r.tags(v) for v in r.versions()],
    ):
        first, second = (ask(registry) for registry in registries)
        assert first == second


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("undisturbed") / "flight"
    run("whole", folder)
    return folder


def small(events: tuple[Event, ...] = (), months: int = 3) -> Scenario:
    return Scenario(name="small", description="-", months=months, applications_per_month=300, events=events)


@POSIX
def test_killed_at_every_kind_of_step_it_ends_as_if_undisturbed(undisturbed: Path, tmp_path: Path) -> None:
    run("steps", tmp_path / "flight")
    kills = set((tmp_path / "kills.txt").read_text().split())
    assert {"publish_history", "promote", "alias-champion", "tag-gates", "rollback", "audit-refuse"} <= kills
    assert {"lake-lake-decisions", "lake-school-outcomes", "json-months"} <= kills
    same(undisturbed, tmp_path / "flight")


@POSIX
@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.weekly)])
def test_killed_at_random_it_ends_as_if_undisturbed(undisturbed: Path, tmp_path: Path, seed: int) -> None:
    folder = tmp_path / f"seed{seed}"
    folder.mkdir()
    run("random", folder / "flight")
    same(undisturbed, folder / "flight")


@POSIX
def test_a_registry_that_cannot_grow_is_a_clear_error_and_loses_nothing(undisturbed: Path, tmp_path: Path) -> None:
    told = run("full", tmp_path / "flight")
    assert "FlightError: the flight in" in told
    assert "put that right and start it again: nothing flown is lost" in told
    same(undisturbed, tmp_path / "flight")


@POSIX
def test_the_small_flight_has_every_kind_of_event(undisturbed: Path) -> None:
    tiny = runner()
    log = fly(tiny.world(), tiny.POLICY, undisturbed)  # all is flown: nothing is done but read
    assert [record.month for record in log.months] == list(range(5))
    assert any(record.feed_problems for record in log.months)
    assert any(record.promoted for record in log.months)
    assert any(record.refused for record in log.months)
    assert any(record.rolled_back for record in log.months)
    assert log.profit == round(sum(json.loads(p.read_text())["profit"] for p in undisturbed.glob("months/*.json")), 2)
    assert AuditLog(undisturbed / "audit.jsonl").verify().ok


@POSIX
def test_a_decision_can_be_traced_to_its_approver(undisturbed: Path) -> None:
    lake, registry = Lake(undisturbed / "lake"), Registry(undisturbed / "registry", create=False)
    decisions = lake.read("decisions", [4])
    lineage = trace(int(decisions["application_id"].iloc[0]), lake, registry, AuditLog(undisturbed / "audit.jsonl"))
    assert lineage.warnings == ()
    assert lineage.reproduced
    assert lineage.approver == "policy care"
    assert {"train", "promote", "score"} <= {entry.kind for entry in lineage.entries}


def test_one_flight_at_a_time_and_one_flight_a_folder(tmp_path: Path) -> None:
    world = World(1, small())
    with folder_lock(tmp_path / "busy"), pytest.raises(PipelineBusyError, match="another run is working in"):
        fly(world, NEGLECT, tmp_path / "busy", months=0)
    fly(world, NEGLECT, tmp_path / "taken", months=0)
    for other, policy, named in (
        (World(2, small()), NEGLECT, "seed"),
        (World(1, small(months=4)), NEGLECT, "scenario"),
        (world, CARE, "policy"),
        (World(2, small()), CARE, "seed and policy"),
    ):
        with pytest.raises(FlightError, match=f"holds a flight of another {named}: choose an empty folder"):
            fly(other, policy, tmp_path / "taken", months=0)


def test_other_code_does_not_fly_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fly(World(1, small()), NEGLECT, tmp_path, months=0)
    monkeypatch.setattr("oakbank.scale.flight.flight_code", lambda: "another")
    with pytest.raises(FlightError, match="another code"):
        fly(World(1, small()), NEGLECT, tmp_path, months=0)


@pytest.fixture(scope="module")
def blank(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Registry(tmp_path_factory.mktemp("blank")).folder


@pytest.fixture
def bank_folder(blank: Path, tmp_path: Path) -> Path:
    shutil.copytree(blank, tmp_path / "bank" / "registry")
    return tmp_path / "bank"


def test_a_full_disk_is_a_clear_error_and_loses_nothing(
    bank_folder: Path, blank: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other"
    shutil.copytree(blank, other / "registry")
    fly(World(1, small()), NEGLECT, other, months=2)
    fly(World(1, small()), NEGLECT, bank_folder, months=1)
    real, left = os.fsync, 2

    def full(handle: int) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            raise OSError(28, "No space left on device")
        real(handle)

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(FlightError, match="No space left on device; put that right and start it again"):
        fly(World(1, small()), NEGLECT, bank_folder, months=2)
    monkeypatch.undo()
    fly(World(1, small()), NEGLECT, bank_folder, months=2)
    same(other, bank_folder)


class Blindfold(World):
    """A world that shows the bank no truth."""

    def truth(self, month: int) -> None:  # type: ignore[override]
        raise AssertionError("the bank looked at the truth")


@pytest.mark.parametrize("policy", [NEGLECT, replace(CARE, min_rows=50, max_age=1)], ids=["neglect", "care"])
def test_no_decision_uses_the_truth(bank_folder: Path, policy: object) -> None:
    bank = Bank(Feed(Blindfold(1, small())), policy, bank_folder)  # type: ignore[arg-type]
    state = bank.found()
    for month in range(2):
        today, state = bank.live(month, state)
        assert len(today.decisions) == 300


def worlds_in(thing: object) -> list[str]:
    """Return each way by which code that holds this bank or policy comes to a world, by public names."""
    ways, ahead = [], [("", thing)]
    seen: set[int] = set()
    while ahead:
        way, one = ahead.pop()
        if isinstance(one, World):
            ways.append(way)
        elif id(one) not in seen and type(one).__module__.startswith(("oakbank.", "tests", "test_")):
            seen.add(id(one))
            ahead += [(f"{way}.{name}", value) for name, value in vars(one).items() if not name.startswith("_")]
    return ways


def test_the_bank_holds_a_feed_and_no_world(bank_folder: Path) -> None:
    bank = Bank(Feed(World(1, small())), CARE, bank_folder)
    assert worlds_in(bank) == []
    bank.feed.world = World(1, small())  # type: ignore[attr-defined]
    bank.simulator = World(1, small())  # type: ignore[attr-defined]
    assert sorted(worlds_in(bank)) == [".feed.world", ".simulator"]


def test_gates_that_nobody_passes_stop_the_flight_at_once(bank_folder: Path) -> None:
    with pytest.raises(FlightError, match=r"first model does not pass: enough_rows: .* 5000 wanted"):
        fly(World(1, small()), replace(CARE, min_rows=5000), bank_folder)


def test_a_champion_that_does_worse_is_taken_back_and_one_that_does_not_stays(bank_folder: Path) -> None:
    world = World(1, small())
    policy = replace(CARE, min_rows=50)
    bank = Bank(Feed(world), policy, bank_folder)
    good = bank.found().champion
    # A champion that has learned nonsense: outcomes dealt out at random.
    history = world.applications(-5)
    defaulted = np.random.default_rng(0).random(len(history)) < 0.5
    bad = CreditModel.fit(feature_matrix(history), defaulted)
    bank._models["2"] = bad
    today, state = bank.live(0, State(champion=good, champion_as_of=0, previous=good, trained_as_of=0))
    assert today.rolled_back is None
    assert state.champion == good

    trained, refused = bank._train(1, None)
    assert not refused
    bank._models[trained] = bad
    today, state = bank.live(1, State(champion=trained, champion_as_of=1, previous=good, trained_as_of=1))
    assert today.rolled_back == trained
    assert (state.champion, state.champion_as_of, state.previous) == (good, 0, None)
    assert bank.registry.alias(CHAMPION) == good
    assert bank.registry.tags(trained)["rolled_back_by"] == "policy care"


def test_a_month_with_a_broken_feed_is_repaired_and_teaches_nobody(bank_folder: Path) -> None:
    event = Event(kind="feed_missing", onset=0, until=1, column="bureau_score")
    bank = Bank(Feed(World(1, small((event,)))), replace(CARE, min_rows=50), bank_folder)
    state = bank.found()
    today, state = bank.live(0, state)
    assert [problem.column for problem in today.feed_problems] == ["bureau_score"]
    assert 0.2 < today.decisions["granted"].mean() < 0.95
    assert not bank.school.path("applications", 0).exists()
    for month in (1, 2, 3):
        today, state = bank.live(month, state)
    assert today.performance is None  # nothing is concluded from loans granted on a broken feed
    assert bank.school.months("outcomes")[-1] == 2


def test_a_careless_bank_is_told_when_it_cannot_even_decide(bank_folder: Path) -> None:
    event = Event(kind="feed_missing", onset=0, column="amount")
    with pytest.raises(FlightError, match="month 0 came without amount: check the feed"):
        fly(World(1, small((event,))), NEGLECT, bank_folder)


def test_the_calibration_gate_compares_with_the_champion() -> None:
    def evaluation(predicted: float) -> Evaluation:
        return Evaluation(1000, 0.20, 0.7, 0.4, 0.1, predicted, 0.5, 0.1, 1e5, {"A": 0.5, "B": 0.5})

    gate = better_calibrated(0.03)
    assert gate(evaluation(0.18), None).passed
    assert not gate(evaluation(0.14), None).passed
    assert gate(evaluation(0.14), evaluation(0.10)).passed
    assert not gate(evaluation(0.14), evaluation(0.16)).passed
    assert gate(evaluation(0.22), evaluation(0.20)).passed


def test_the_best_possible_is_best(undisturbed: Path) -> None:
    tiny = runner()
    log: FlightLog = fly(tiny.world(), tiny.POLICY, undisturbed)
    assert log.oracle > log.profit
    frame = log.frame()
    assert list(frame.index) == list(range(5))
    assert frame["oracle"].sum() == pytest.approx(log.oracle)
