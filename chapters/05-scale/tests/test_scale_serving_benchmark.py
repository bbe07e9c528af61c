"""The benchmark of services: its bars hold in the run that is kept, its table is that run's, and it measures."""

import json
import shutil
import sys
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest

from oakbank.deploy import load as load_module
from oakbank.deploy.load import BenchmarkError, load
from oakbank.pipelines import CreditModel, feature_matrix
from oakbank.pipelines.contract import requests_of
from oakbank.pipelines.scaling import END, renewed
from oakbank.scale.serving_benchmark import (
    BARE,
    CONNECTIONS,
    OURS,
    PEERS,
    README,
    RESULTS,
    START,
    at_a_port,
    ratio,
    recorded,
    table,
    wrong_answers,
)
from oakbank.world import World

FOUND: dict[str, Any] = json.loads(RESULTS.read_text(encoding="utf-8"))


def missed_bars(found: dict[str, Any]) -> list[str]:
    """Return the bars that the service misses in a run."""
    rounds = found["rounds"]
    missed = []
    if ratio(rounds, OURS, 16, "answers_per_s") < 1 / 2.5:
        missed.append("a share of 1/2.5 of the bare application, 16 at a time")
    if ratio(rounds, OURS, 1, "p50_ms") > 2.5:
        missed.append("2.5 times the bare application's median latency, one at a time")
    for way in set(rounds[0]) - {BARE, OURS}:
        for connections in CONNECTIONS:
            if ratio(rounds, way, connections, "answers_per_s") >= ratio(rounds, OURS, connections, "answers_per_s"):
                missed.append(f"ahead of {way}, {connections} at a time")
    return missed


def test_the_bars_hold_in_the_run_that_is_kept() -> None:
    assert len(FOUND["rounds"]) >= 5
    assert missed_bars(FOUND) == []


def test_a_missed_bar_is_seen() -> None:
    slow = deepcopy(FOUND)
    for one in slow["rounds"]:
        for place in one[OURS].values():
            place["answers_per_s"] /= 20
            place["p50_ms"] *= 20
    missed = missed_bars(slow)
    assert len(missed) > 5
    assert {line.partition(" ")[0] for line in missed} == {"a", "2.5", "ahead"}


def test_the_readme_has_the_table_of_that_run() -> None:
    text = README.read_text(encoding="utf-8")
    assert renewed(text, table(FOUND), START) == text, "run `python -m oakbank.scale.serving_benchmark table`"
    assert renewed(f"{START}\nold\n{END}", "new", START) == f"{START}\nnew\n{END}"
    assert recorded() in text


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> tuple[CreditModel, Path]:
    world = World(0)
    fitted = CreditModel.fit(feature_matrix(world.applications(-1)), world.truth(-1)["would_default"], rounds=10)
    path = tmp_path_factory.mktemp("model") / "model.txt"
    fitted.save(path)
    return fitted, path


@pytest.fixture(scope="module")
def rows() -> list[dict[str, Any]]:
    return [request.model_dump() for request in requests_of(World(0).applications(0).head(20))]


@pytest.mark.skipif(shutil.which("wrk") is None, reason="no wrk here (on Debian: apt install wrk)")
def test_a_service_is_started_held_to_the_batch_measured_and_ended(
    model: tuple[CreditModel, Path], rows: list[dict[str, Any]], tmp_path: Path
) -> None:
    bodies = tmp_path / "bodies.jsonl"
    bodies.write_text("\n".join(json.dumps(row) for row in rows) + "\n", encoding="utf-8")
    command = [sys.executable, str(PEERS / "plain.py"), "naive", "--model", str(model[1])]
    with at_a_port(command, tmp_path / "log", rows[0]) as url:
        assert wrong_answers(url, rows, model[0]) == 0
        assert (
            wrong_answers(url, rows, CreditModel.fit(feature_matrix(World(1).applications(0)), [True, False] * 1000))
            > 0
        )
        found = load(url, bodies, 2, 1)
    assert found["answers_per_s"] > 1
    assert 0 < found["p50_ms"] <= found["p99_ms"]
    bodies.write_text("{}\n", encoding="utf-8")
    with at_a_port(command, tmp_path / "log", rows[0]) as url, pytest.raises(BenchmarkError, match="answers failed"):
        load(url, bodies, 1, 1)


def test_a_service_that_ends_is_told_with_its_log(rows: list[dict[str, Any]], tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no such thing here')"]
    with pytest.raises(BenchmarkError, match="no such thing here"), at_a_port(command, tmp_path / "log", rows[0]):
        raise AssertionError("it does not serve")


def test_without_wrk_it_says_how_to_get_it(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load_module.shutil, "which", lambda name: None)
    with pytest.raises(BenchmarkError, match="apt-get install wrk"):
        load("http://127.0.0.1:9/score", tmp_path / "none", 1, 1)
