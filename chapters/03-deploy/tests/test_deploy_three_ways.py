"""Batch job, service and stream: the same 20,000 applications get the same answers, and leave the same record."""

import asyncio
import json
from pathlib import Path
from typing import Any

from fastapi.testclient import TestClient

from oakbank.deploy.batch import decide
from oakbank.deploy.broker import APPLICATIONS, NatsServer, add_streams, connect
from oakbank.deploy.messages import message_of
from oakbank.deploy.record import DecisionRecord
from oakbank.deploy.service import create_app
from oakbank.deploy.store import DecisionStore
from oakbank.deploy.stream import Handled, consume
from oakbank.pipelines import Registry
from oakbank.pipelines.contract import MAX_BATCH
from oakbank.pipelines.service import Loaded
from oakbank.world import World, load_scenario

ROWS = 20_000


def test_three_ways_in_one_answer(bank: Any, registry: Registry, tmp_path: Path) -> None:
    calm = load_scenario("calm").model_copy(update={"applications_per_month": ROWS})
    feed = World(7, calm).applications(0)
    version = str(registry.register(bank.run).version)
    registry.set_alias("champion", version)
    model = registry.load("champion")

    batch, _ = decide(model, version, feed, 0, bank.reference)
    assert len(batch) == ROWS
    assert batch["default_probability"].nunique() > ROWS / 2

    messages = [message_of(row) for row in feed.to_dict("records")]
    requests = [{name: value for name, value in json.loads(each).items() if name != "month"} for each in messages]
    online = DecisionRecord(tmp_path / "online.sqlite", lambda: 0)
    client, answers = TestClient(create_app(registry, record=online)), []
    for first in range(0, ROWS, MAX_BATCH):
        answers += client.post("/score/batch", json=requests[first : first + MAX_BATCH]).json()["scores"]
    for name in ("application_id", "granted", "default_probability", "model_version"):
        assert [answer[name] for answer in answers] == batch[name].tolist()
    assert DecisionStore(online.path).decisions().equals(batch)

    async def through(url: str) -> Handled:
        client = await connect(url)
        await add_streams(client.jetstream())
        for first in range(0, ROWS, 1_000):
            for message in messages[first : first + 1_000]:
                await client.publish(APPLICATIONS, message)
            await client.flush()
        loaded = Loaded(version, model)
        handled = await consume(client, store, lambda: loaded, batch=1_000, until_empty=True)
        await client.close()
        return handled

    store = DecisionStore(tmp_path / "decisions.sqlite")
    with NatsServer(tmp_path / "broker", sync=False) as server:
        assert asyncio.run(through(server.url)).letters == ROWS
    assert store.decisions().equals(batch)  # ids rise with the row: one order for both
