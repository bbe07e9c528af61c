"""The record of online decisions: on the disk before the answer, one for each application, whatever is taken away."""

import json
import os
import random
import shutil
import signal
import sqlite3
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from pathlib import Path
from typing import Any, TextIO
from uuid import uuid4

import httpx
import pandas as pd
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oakbank.deploy import record as module
from oakbank.deploy import release as steps
from oakbank.deploy import router_app, service
from oakbank.deploy.arms import FEATURE_CODE, records_of
from oakbank.deploy.batch import decide
from oakbank.deploy.messages import decide_messages, message_of, read_message
from oakbank.deploy.record import DecisionRecord, calendar_month, month_of
from oakbank.deploy.release_files import save_bundle
from oakbank.deploy.router import Router
from oakbank.deploy.service import create_app
from oakbank.deploy.store import Decision, DecisionStore, StoreError, content_of, letter_of
from oakbank.intro.protocol import PROBLEM_JSON
from oakbank.pipelines import CreditModel, Registry, TrainingConfig, feature_matrix, run_training
from oakbank.pipelines.promise import hold_to_schema
from oakbank.pipelines.service import Loaded
from oakbank.world import DECISIONS, World


@pytest.fixture(scope="module")
def feed() -> pd.DataFrame:
    return World(1, "calm").applications(0).head(300)


@pytest.fixture(scope="module")
def rows(feed: pd.DataFrame) -> list[dict[str, Any]]:
    return records_of(feed)


@pytest.fixture
def champion(bank: Any, registry: Registry) -> Registry:
    registry.set_alias("champion", str(registry.register(bank.run).version))
    return registry


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "kept" / "decisions.sqlite"


@pytest.fixture
def client(champion: Registry, path: Path) -> TestClient:
    return TestClient(create_app(champion, record=DecisionRecord(path, lambda: 0)))


def of_batch(bank: Any, feed: pd.DataFrame) -> pd.DataFrame:
    decisions, _ = decide(bank.model, "1", feed, 0, bank.reference)
    return decisions.sort_values("application_id", ignore_index=True)


def kept(path: Path) -> pd.DataFrame:
    return DecisionStore(path).decisions()


def refused(answer: httpx.Response) -> None:
    assert answer.status_code == 503
    assert answer.headers["content-type"] == PROBLEM_JSON
    assert answer.headers["retry-after"] == "1"
    assert "ask again" in answer.json()["detail"]


def test_alone_or_in_a_batch_the_record_is_that_of_the_batch_job(
    bank: Any, client: TestClient, feed: pd.DataFrame, rows: list[dict[str, Any]], path: Path
) -> None:
    answers = [client.post("/score", json=row).json() for row in rows[:40]]
    answers += client.post("/score/batch", json=rows[40:]).json()["scores"]
    whole = of_batch(bank, feed)
    assert kept(path).equals(whole)
    assert [answer["default_probability"] for answer in answers] == whole["default_probability"].tolist()
    letters = DecisionStore(path).unsent()
    assert letters == [(each.application_id, letter_of(each.granted, "")) for each in whole.itertuples()]


def test_it_holds_the_columns_of_the_schema_and_a_hash(client: TestClient, rows: Any, path: Path) -> None:
    client.post("/score", json=rows[0])
    with sqlite3.connect(path) as connection:
        columns = [name for _, name, *_ in connection.execute("PRAGMA table_info(decisions)")]
        ((*_, content),) = connection.execute("SELECT * FROM decisions")
    assert columns == [*(column.name for column in DECISIONS), "content"]
    assert columns == [*Decision._fields, "content"]
    assert content == content_of(rows[0])
    assert len(content) == 64


def test_asked_again_it_answers_as_it_did_whoever_serves_by_then(
    bank: Any, champion: Registry, rows: Any, path: Path
) -> None:
    months = iter([11, 12, 12])
    app = create_app(champion, record=DecisionRecord(path, lambda: next(months)))
    client = TestClient(app)
    first = client.post("/score", json=rows[0]).json()
    second = run_training(TrainingConfig(as_of=0, rounds=20), bank.lake, bank.folder / "rounds20", champion)
    champion.set_alias("champion", str(second.version))
    assert app.state.service.refresh()
    assert client.post("/score", json=rows[0]).json() == first
    told = client.post("/score/batch", json=rows[:2]).json()
    assert told["scores"][0] == first
    assert [score["model_version"] for score in told["scores"]] == ["1", "2"]
    assert kept(path)["month"].tolist() == [11, 12]


def test_other_content_under_a_known_id_is_a_conflict_and_nothing_of_it_is_kept(
    client: TestClient, rows: Any, path: Path
) -> None:
    client.post("/score", json=rows[0])
    before = kept(path)
    other = rows[0] | {"income": rows[0]["income"] + 1}
    for route, body in (("/score", other), ("/score/batch", [rows[1], other, rows[2]])):
        answer = client.post(route, json=body)
        assert answer.status_code == 409
        assert answer.headers["content-type"] == PROBLEM_JSON
        assert f"application {rows[0]['application_id']} was decided before" in answer.json()["detail"]
        assert kept(path).equals(before)
    assert client.post("/score/batch", json=[rows[3], rows[3]]).status_code == 200
    assert client.post("/score/batch", json=[rows[4], rows[4] | {"age": 18}]).status_code == 409
    assert len(kept(path)) == 2


def test_an_application_without_an_id_is_refused_and_told_why(client: TestClient, rows: Any, path: Path) -> None:
    without = {key: value for key, value in rows[0].items() if key != "application_id"}
    for nameless in (without, without | {"application_id": None}):
        answer = client.post("/score", json=nameless)
        assert answer.status_code == 422
        assert [fault["field"] for fault in answer.json()["errors"]] == ["application_id"]
        assert "a whole number from 0" in answer.json()["errors"][0]["wanted"]
    assert not path.exists()


def test_the_schema_is_kept_conflicts_included(client: TestClient) -> None:
    answers = hold_to_schema(client.app, examples=8)  # type: ignore[arg-type]
    assert answers["POST /score", 200] > 0
    assert answers["POST /score", 422] > 0
    assert {status for _, status in answers} <= {200, 400, 409, 422}


def test_one_file_for_service_and_stream_has_one_decision_and_letter_for_each(
    bank: Any, client: TestClient, feed: pd.DataFrame, rows: Any, path: Path
) -> None:
    messages = [read_message(message_of(row)) for row in feed.to_dict("records")]  # type: ignore[misc]
    contents = [content_of(message.model_dump()) for message in messages]
    assert contents == [content_of(row) for row in rows]
    client.post("/score/batch", json=rows[:200])
    store = DecisionStore(path)
    assert store.write(decide_messages(Loaded("9", bank.model), messages[100:]), contents[100:]) == []
    assert client.post("/score", json=rows[250]).json()["model_version"] == "9"
    decided = store.decisions()
    assert decided["model_version"].tolist() == ["1"] * 200 + ["9"] * 100
    assert decided.drop(columns="model_version").equals(of_batch(bank, feed).drop(columns="model_version"))
    assert len(store.unsent()) == 300


def test_threads_that_ask_the_same_get_the_same(
    bank: Any, client: TestClient, feed: Any, rows: Any, path: Path
) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda row: client.post("/score", json=row).json(), rows[:30] * 4))
    assert answers == answers[:30] * 4
    assert kept(path).equals(of_batch(bank, feed.head(30)))


# What is taken away


def test_a_full_disk_gives_no_decision_and_loses_none(
    bank: Any, client: TestClient, feed: pd.DataFrame, rows: Any, path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    client.post("/score", json=rows[0])
    record: DecisionRecord = client.app.state.record  # type: ignore[attr-defined]
    record._opened()._connection.execute("PRAGMA max_page_count = 9")
    answers = [client.post("/score/batch", json=rows[first : first + 10]) for first in range(0, 300, 10)]
    given = [score for answer in answers if answer.status_code == 200 for score in answer.json()["scores"]]
    assert 0 < len(given) < 300
    for answer in answers[len(given) // 10 :]:
        refused(answer)
    refused(client.post("/score/batch", json=rows))  # nor half of a batch
    assert len(kept(path)) == len(DecisionStore(path).unsent()) == len(given)
    assert caplog.text.count("no decision can be kept") == 1  # an outage is one line, not one a request
    assert "full" in caplog.text
    record._opened()._connection.execute("PRAGMA max_page_count = 1000")
    assert client.post("/score/batch", json=rows).json()["scores"][: len(given)] == given
    assert kept(path).equals(of_batch(bank, feed))


def test_a_store_that_goes_away_and_comes_back(
    bank: Any, client: TestClient, feed: pd.DataFrame, rows: Any, path: Path
) -> None:
    client.post("/score/batch", json=rows[:100])
    aside = path.parent.with_name("aside")
    path.parent.rename(aside)
    refused(client.post("/score", json=rows[100]))
    refused(client.post("/score", json=rows[0]))
    assert client.post("/score", json={}).status_code == 422
    assert client.get("/readyz").status_code == client.get("/healthz").status_code == 200
    assert not path.exists()  # an empty one would have forgotten 100 decisions
    aside.rename(path.parent)
    assert client.post("/score/batch", json=rows[:200]).status_code == 200
    copy = shutil.copytree(path.parent, aside)  # from a backup: the same content in another file
    shutil.rmtree(path.parent)
    refused(client.post("/score", json=rows[200]))
    copy.rename(path.parent)
    assert client.post("/score/batch", json=rows).status_code == 200
    assert kept(path).equals(of_batch(bank, feed))


def test_what_goes_away_while_it_is_written_is_not_answered(client: TestClient, rows: Any, path: Path) -> None:
    """SQLite goes on writing to a file that was moved, without a word; so the store looks after each commit."""
    client.post("/score", json=rows[0])
    store = client.app.state.record._opened()  # type: ignore[attr-defined]
    aside = path.parent.with_name("aside")
    store._connection.create_function("move", 0, lambda: path.parent.rename(aside) and 0)
    store._connection.execute("CREATE TEMP TRIGGER away AFTER INSERT ON decisions BEGIN SELECT move(); END")
    refused(client.post("/score", json=rows[1]))
    store._connection.execute("DROP TRIGGER away")
    aside.rename(path.parent)
    assert client.post("/score", json=rows[1]).status_code == 200
    assert len(kept(path)) == 2


ASKED = st.tuples(st.just("ask"), st.integers(0, 2), st.booleans())
STEP = ASKED | ASKED | st.tuples(st.sampled_from(["away", "back", "restart", "promote"]))


@settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps_taken=st.lists(STEP, max_size=14))
def test_whatever_happens_in_whichever_order_an_application_has_one_answer(
    bank: Any, rows: Any, tmp_path: Path, steps_taken: list[Any]
) -> None:
    folder = tmp_path / uuid4().hex
    path, aside = folder / "decisions.sqlite", folder.with_suffix(".aside")
    first: dict[int, tuple[Any, Any]] = {}
    version, client = 1, TestClient(app_of(bank, path, 1))
    for verb, *which in steps_taken:
        if verb == "away" and folder.exists():
            folder.rename(aside)
        elif verb == "back" and aside.exists():
            aside.rename(folder)
        elif verb == "restart" and not aside.exists():  # without the file a new process would make a new one
            client = TestClient(app_of(bank, path, version))
        elif verb == "promote":
            version += 1
            client.app.state.service.loaded = Loaded(str(version), bank.model)  # type: ignore[attr-defined]
        elif verb == "ask":
            number, changed = which
            asked = rows[number] | ({"amount": 4321.0} if changed else {})
            answer = client.post("/score", json=asked)
            if aside.exists():
                refused(answer)
            elif number not in first:
                assert answer.status_code == 200
                first[number] = asked, answer.json()
            elif first[number][0] == asked:
                assert (answer.status_code, answer.json()) == (200, first[number][1])
            else:
                assert answer.status_code == 409
    if aside.exists():
        aside.rename(folder)
    decided = {} if not first else kept(path).set_index("application_id")["model_version"].to_dict()
    assert decided == {answer["application_id"]: answer["model_version"] for _, answer in first.values()}


def app_of(bank: Any, path: Path, version: int) -> FastAPI:
    app = create_app(None, record=DecisionRecord(path, lambda: 0))
    app.state.service.loaded = Loaded(str(version), bank.model)
    return app


def test_a_consumer_hears_of_a_store_that_was_taken_away(bank: Any, feed: pd.DataFrame, path: Path) -> None:
    store, whole = DecisionStore(path), of_batch(bank, feed)
    path.unlink()
    with pytest.raises(StoreError, match="no longer there: put it back"):
        store.write(whole, ["content"] * len(whole))
    with pytest.raises(StoreError, match="no longer there"):
        store.mark_sent([1])


def test_another_writer_is_waited_for_but_not_for_long(
    client: TestClient, rows: Any, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "WAIT", 0.1)
    client.post("/score", json=rows[0])
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    begin = time.perf_counter()
    refused(client.post("/score", json=rows[1]))
    assert time.perf_counter() - begin < 20
    other.execute("ROLLBACK")
    with client.app.state.record._lock:  # type: ignore[attr-defined]
        refused(client.post("/score", json=rows[1]))
    assert client.post("/score", json=rows[1]).status_code == 200


def test_a_file_that_is_no_store_is_left_alone(
    champion: Registry, rows: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    letter = tmp_path / "letter.txt"
    letter.write_text("Dear customer, " * 100)
    client = TestClient(create_app(champion, record=DecisionRecord(letter)))
    refused(client.post("/score", json=rows[0]))
    assert "name another file" in caplog.text
    assert letter.read_text() == "Dear customer, " * 100


def answering(bank: Any, path: Path, rows: Any) -> tuple[int, TextIO]:
    """Start a process that answers; its id, and where its answers come out, a line each."""
    out, into = os.pipe()
    if child := os.fork():
        os.close(into)
        return child, os.fdopen(out)
    try:
        client = TestClient(app_of(bank, path, 1))
        for row in rows:
            os.write(into, client.post("/score", json=row).content + b"\n")
    finally:
        os._exit(1)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_a_process_killed_while_it_answers_gives_the_same_answers_when_asked_again(
    bank: Any, feed: pd.DataFrame, rows: Any, path: Path
) -> None:
    chance, before = random.Random(2), []
    for life in range(5):
        child, answers = answering(bank, path, rows)
        told = [answers.readline() for _ in range(10 * life + 10)]
        time.sleep(chance.uniform(0, 0.01))
        os.kill(child, signal.SIGKILL)
        told += [line for line in answers.read().splitlines(keepends=True) if line.endswith("\n")]
        assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL
        answers.close()
        assert [json.loads(line) for line in told[: len(before)]] == before[: len(told)]
        before = max(before, [json.loads(line) for line in told], key=len)
        assert len(before) <= len(kept(path)) <= len(before) + 1  # decided, and the answer did not leave any more
    assert len(before) < 300
    client = TestClient(app_of(bank, path, 1))
    assert client.post("/score/batch", json=rows).json()["scores"][: len(before)] == before
    assert kept(path).equals(of_batch(bank, feed))


def test_the_commands_say_where_and_of_which_month(
    champion: Registry, folder: Path, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    apps: list[FastAPI] = []
    monkeypatch.setattr("uvicorn.run", lambda app, **_: apps.append(app))
    for command in (
        lambda more: service.main(["--registry", str(champion.folder), *more]),
        lambda more: router_app.main(["serve", str(folder), *more]),
    ):
        command([])
        command(["--decisions", str(path), "--month", "3"])
        command(["--decisions", str(path)])
    records = [getattr(app.state, "record", None) for app in apps]
    assert [record is None for record in records] == [True, False, False] * 2
    assert [record.path for record in records if record] == [path] * 4
    assert [record.month() for record in records if record] == [3, calendar_month()] * 2


# The router


@pytest.fixture
def folder(tmp_path: Path, bank: Any) -> Path:
    other = CreditModel.fit(feature_matrix(bank.lake.read("applications", [-1])), [True, False] * 1000, rounds=20)
    save_bundle(tmp_path / "router", "old", bank.model, "1")
    save_bundle(tmp_path / "router", "new", other, "2", cutoff=0.5)
    Router.create(tmp_path / "router", "old")
    return tmp_path / "router"


def test_behind_the_router_the_bundle_is_named_and_a_rollback_decides_nobody_again(
    folder: Path, rows: Any, path: Path
) -> None:
    app = router_app.create_app(folder, features=FEATURE_CODE, record=DecisionRecord(path, lambda: 3))
    client, router = TestClient(app), app.state.service
    router.change(lambda state: steps.start(state, "new", "canary", 0.4, "ada", salt="s"))
    first = [client.post("/score", json=row) for row in rows[:60]]
    assert {answer.status_code for answer in first} == {200}
    decided = kept(path)
    assert set(decided["model_version"]) == {"old", "new"}
    assert decided["month"].unique().tolist() == [3]
    counted = router.trial
    again = [client.post("/score", json=row) for row in rows[:60]]
    assert [answer.json() for answer in again] == [answer.json() for answer in first]
    assert router.trial == counted
    router.change(lambda state: steps.abort(state, "enough"))
    again = [client.post("/score", json=row) for row in rows[:60]]
    assert [answer.json() for answer in again] == [answer.json() for answer in first]
    assert all(answer.headers["x-model-version"] == answer.json()["model_version"] for answer in again)
    assert kept(path).equals(decided)
    path.rename(path.with_name("aside"))
    refused(client.post("/score", json=rows[70]))
    assert client.post("/score", json=rows[0] | {"application_id": None}).status_code == 422
    path.with_name("aside").rename(path)
    shutil.rmtree(folder / "bundles" / "new")
    told = [client.post("/score", json=row) for row in rows[:60]]
    gone = [answer.json()["detail"] for answer in told if answer.status_code == 503]
    assert len(gone) == decided["model_version"].eq("new").sum()
    assert all("decided by a bundle that is gone: " in detail for detail in gone)


def test_months_count_from_january_2024() -> None:
    assert [month_of(date(*day)) for day in ((2024, 1, 1), (2023, 12, 31), (2026, 11, 30))] == [0, -1, 34]
    first = World(1, "calm").applications(0).head(300)
    assert [month_of(day) for day in first["applied_on"]] == first["month"].tolist()
    assert calendar_month() >= 34
