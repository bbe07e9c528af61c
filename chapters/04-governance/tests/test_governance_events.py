"""Lineage forwards: events of each step, the graph that they make, and what a step opens without saying so."""

import json
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from openlineage.client.event_v2 import RunState

from oakbank.governance.events import Content, EventError, Recorder
from oakbank.governance.graph import LineageGraph
from oakbank.governance.observed import ObserverError, opened
from oakbank.governance.tracked import TrackedBank, first_of
from oakbank.world import World, publish_history, publish_month

NEEDS_LINUX = pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells which files are opened")


@pytest.fixture(scope="module")
def bank(tmp_path_factory: pytest.TempPathFactory) -> TrackedBank:
    """A bank that trained at month 0, decided months 0 and 1, and sent its letters."""
    bank, world = TrackedBank(tmp_path_factory.mktemp("bank")), World(seed=3, scenario="calm")
    publish_history(world, bank.lake)
    version = bank.train(0).version
    assert version is not None
    for month in (0, 1):
        publish_month(world, bank.lake, month)
        bank.decide(month, version)
    return bank


def graph_of(bank: TrackedBank) -> LineageGraph:
    return LineageGraph(bank.folder / "events.jsonl")


def test_events_are_openlineage_and_the_same_each_time(bank: TrackedBank) -> None:
    lines = (bank.folder / "events.jsonl").read_text().splitlines()
    events = [json.loads(line) for line in lines]
    jobs = ["ingest", "validate", "features", "train", "evaluate", "assess"]
    expected = [f"train.{job}" for job in jobs] + ["register", "decide", "send", "decide", "send"]
    assert [event["job"]["name"] for event in events] == expected
    assert {event["eventType"] for event in events} == {RunState.COMPLETE.value}
    assert events[0]["eventTime"].startswith("2024-01-01T00:00:00")
    assert "RunEvent" in events[0]["schemaURL"]
    bank.train(0)  # nothing runs again, and the same runs are told of
    again = (bank.folder / "events.jsonl").read_text().splitlines()[len(lines) :]
    assert again == lines[:7]


def test_graph_leads_from_a_file_to_its_letters_and_back(bank: TrackedBank) -> None:
    graph = graph_of(bank)
    (first,) = graph.versions("lake/applications/month=+000.parquet")
    names = [one.name for one in graph.tainted(first)]
    assert [name for name in names if "letters" in name] == ["letters/month=+000.csv", "letters/month=+001.csv"]
    assert not any(name.startswith(("runs", "registry")) for name in names)  # no model learned from month 0 yet
    (letter,) = graph.versions("letters/month=+000.csv")
    back = {one.name for one in graph.origins(letter)}
    assert {"lake/applications/month=+000.parquet", "registry/oakbank-credit/1", "runs/0/train/model.txt"} <= back
    assert "lake/applications/month=+001.parquet" not in back
    told = pd.read_csv(bank.letters(0))
    granted = bank.lake.read("decisions", [0]).set_index("application_id")["granted"]
    assert (told.set_index("application_id")["letter"].eq("granted") == granted).all()


def test_model_in_the_graph_has_the_content_that_the_registry_has(bank: TrackedBank) -> None:
    (model,) = graph_of(bank).versions("registry/oakbank-credit/1")
    assert model == bank.model("1")
    (file,) = graph_of(bank).versions("runs/0/train/model.txt")
    assert model.digest == bank.registry.load("1").digest == file.digest


def test_deciding_again_gives_what_was_decided(bank: TrackedBank) -> None:
    assert bank.again(1, "1").equals(bank.lake.read("decisions", [1]))


def test_a_file_sent_again_is_another_content(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "events.jsonl", tmp_path)
    source, made = tmp_path / "march.csv", tmp_path / "model.txt"
    for content in ("wrong", "right"):
        source.write_text(content)
        made.write_text(f"learned from {content}")
        recorder.finished("train", [source], [made], first_of(14))
    graph = LineageGraph(recorder.path)
    wrong, right = graph.versions("march.csv")
    (from_wrong,), (from_right,) = graph.tainted(wrong), graph.tainted(right)
    assert from_wrong.name == from_right.name == "model.txt"
    assert from_wrong.digest != from_right.digest
    assert graph.origins(from_right) == [right]
    assert json.loads(recorder.path.read_text().splitlines()[0])["eventTime"].startswith("2025-03-01")


def test_what_cannot_be_recorded_or_read_says_what_to_do(tmp_path: Path) -> None:
    recorder = Recorder(tmp_path / "bank" / "events.jsonl", tmp_path / "bank")
    (tmp_path / "elsewhere").write_text("x")
    with pytest.raises(EventError, match=r"elsewhere is not in .*: name a folder that holds all"):
        recorder.finished("train", [tmp_path / "elsewhere"], [])
    with pytest.raises(FileNotFoundError):
        recorder.finished("train", [tmp_path / "bank" / "missing"], [])
    recorder.finished("train", [Content("a", "1")], [Content("b", "2")])
    good = recorder.path.read_text()
    for bad in ("{", "[]", "3", '{"job": {}}', good.strip()[:-9], json.dumps({"job": {"name": "a"}, "run": {}})):
        recorder.path.write_text(good + bad + "\n")
        with pytest.raises(EventError, match=r"events\.jsonl:2 is no OpenLineage event .*remove the line"):
            LineageGraph(recorder.path)
    recorder.path.write_text(good)
    with pytest.raises(EventError, match=r"no event in .* names c: check the spelling"):
        LineageGraph(recorder.path).versions("c")


@NEEDS_LINUX
def test_files_that_other_libraries_and_processes_open_are_seen(tmp_path: Path) -> None:
    import duckdb

    inner = tmp_path / "inner"
    inner.mkdir()
    for name in ("python", "duck.parquet", "child", "untouched"):
        (inner / name).write_text("x")
    pd.DataFrame({"a": [1]}).to_parquet(inner / "duck.parquet")
    with opened(tmp_path) as found:
        (inner / "python").read_text()
        duckdb.sql(f"SELECT * FROM '{inner / 'duck.parquet'}'").fetchall()
        subprocess.run(["cat", inner / "child"], check=True, capture_output=True)
        list(inner.iterdir())
    assert [path.name for path in found] == ["child", "duck.parquet", "python"]


@NEEDS_LINUX
def test_a_queue_that_overflows_is_said(tmp_path: Path) -> None:
    (tmp_path / "one").write_text("x")
    (tmp_path / "two").write_text("x")
    limit = int(Path("/proc/sys/fs/inotify/max_queued_events").read_text())
    observer = opened(tmp_path)
    observer.__enter__()
    for _ in range(limit // 2 + 1):  # the kernel joins the same event twice in a row, so two files in turn
        (tmp_path / "one").open().close()
        (tmp_path / "two").open().close()
    with pytest.raises(ObserverError, match=r"more was opened .*: observe a smaller step"):
        observer.__exit__(None, None, None)


def test_another_system_says_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(ObserverError, match="only Linux tells"), opened(tmp_path):
        pass


@NEEDS_LINUX
def test_training_opens_what_it_declares_and_nothing_else(bank: TrackedBank, tmp_path: Path) -> None:
    """Declared inputs of the real pipeline against the files of the lake that it really opens."""
    from oakbank.pipelines import TrainingConfig, run_training

    declared: set[Path] = set()
    with opened(bank.lake.folder) as found:
        run_training(TrainingConfig(as_of=0), bank.lake, tmp_path, finished=lambda _, read, __: declared.update(read))
    assert set(found) == {path for path in declared if path.is_relative_to(bank.lake.folder)}
