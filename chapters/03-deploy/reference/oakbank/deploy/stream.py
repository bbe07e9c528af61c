"""The stream consumer: decides each application as it arrives. `python -m oakbank.deploy.stream --registry DIR`."""

import argparse
import asyncio
import hashlib
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import nats.errors
import pandas as pd
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig
from pydantic import BaseModel

from oakbank.deploy.broker import (
    APPLICATIONS,
    DEAD,
    LETTERS,
    BrokerError,
    add_streams,
    broker_url,
    connect,
    publish_once,
)
from oakbank.deploy.messages import UnreadableError, decide_messages, message_of, read_message
from oakbank.deploy.service import ScoringService
from oakbank.deploy.store import DecisionStore, StoreError, content_of
from oakbank.pipelines.service import Loaded

log = logging.getLogger("oakbank.deploy.stream")

DURABLE = "decide"
"""The consumer's name at the broker, which keeps its place under it."""


@dataclass
class Handled:
    """What became of the messages of one consumer."""

    messages: int = 0
    redelivered: int = 0
    dead: int = 0
    letters: int = 0


async def send(stream: JetStreamContext, applications: pd.DataFrame) -> None:
    """Publish rows of the feed one after the other, each confirmed by the broker; make the streams if need be."""
    await add_streams(stream)
    for row in applications.to_dict("records"):
        await stream.publish(APPLICATIONS, message_of({str(name): value for name, value in row.items()}))


async def handle(
    stream: JetStreamContext, store: DecisionStore, loaded: Loaded, messages: Sequence[Msg], handled: Handled
) -> None:
    """Decide messages, and only then tell the broker that they are done. Killed anywhere, it may be called again.

    1. decisions and letters to be sent, in one transaction on the disk; 2. what cannot be read, to `DEAD`;
    3. the acknowledgement; 4. the letters that are not sent yet.
    """
    read: list[tuple[Msg, BaseModel]] = []
    dead: list[tuple[Msg, str]] = []
    for message in messages:
        try:
            read.append((message, read_message(message.data)))
        except UnreadableError as error:
            dead.append((message, str(error)))
    if read:
        decisions = decide_messages(loaded, [application for _, application in read])
        contents = [content_of(each.model_dump()) for _, each in read]
        for place in store.write(decisions, contents):
            dead.append((read[place][0], "application_id: decided before, on other content"))
    for message, reason in dead:
        subject = f"{DEAD}.{hashlib.sha256(message.data).hexdigest()[:32]}"
        handled.dead += await publish_once(stream, subject, message.data, {"Reason": reason})
    for message in messages:
        await message.ack()
    handled.messages += len(messages)
    handled.redelivered += sum(message.metadata.num_delivered > 1 for message in messages)
    await post(stream, store, handled)


async def post(stream: JetStreamContext, store: DecisionStore, handled: Handled) -> None:
    """Send the letters in the outbox. A letter sent twice has the same subject, and the broker keeps the first."""
    while letters := store.unsent():
        sent = (publish_once(stream, f"{LETTERS}.{number}", letter.encode()) for number, letter in letters)
        handled.letters += sum(await asyncio.gather(*sent))
        store.mark_sent([number for number, _ in letters])


async def consume(
    client: Client,
    store: DecisionStore,
    model: Callable[[], Loaded],
    *,
    batch: int = 200,
    ack_wait: float = 30.0,
    until_empty: bool = False,
) -> Handled:
    """Decide what arrives, for ever or until nothing is left.

    A broker that goes away is waited for. What was decided and not acknowledged comes again, and changes nothing.

    Args:
        client: Connected to the broker.
        store: Where decisions are kept.
        model: Gives the model for the next messages.
        batch: Messages taken at once. The broker hands out at most twice as many that are not acknowledged, whatever
            waits: that is the back-pressure.
        ack_wait: Seconds after which the broker delivers again what was not acknowledged; from the consumer's creation.
        until_empty: Return when no message waits and none is unacknowledged.

    Raises:
        StoreError: The store cannot be written. The messages are not acknowledged and come again.
    """
    stream, handled = client.jetstream(), Handled()
    config = ConsumerConfig(ack_policy=AckPolicy.EXPLICIT, ack_wait=ack_wait, max_ack_pending=2 * batch)
    subscription: JetStreamContext.PullSubscription | None = None
    while True:
        try:
            if subscription is None:
                await add_streams(stream)
                subscription = await stream.pull_subscribe(APPLICATIONS, DURABLE, "APPLICATIONS", config)
                await post(stream, store, handled)  # of an earlier life
            try:
                messages = await subscription.fetch(batch, timeout=0.5)
            except nats.errors.TimeoutError:
                state = await subscription.consumer_info()
                if until_empty and state.num_pending == 0 and state.num_ack_pending == 0:
                    return handled
                continue
            await handle(stream, store, model(), messages, handled)
        except (TimeoutError, nats.errors.Error) as error:
            log.warning("the broker does not answer (%s): waiting for it", type(error).__name__)
            await asyncio.sleep(0.2)


def following(service: ScoringService, seconds: float = 5.0) -> Callable[[], Loaded]:
    """Return what gives the model that an alias points to, and asks the registry every few seconds."""
    asked = -seconds

    def model() -> Loaded:
        nonlocal asked
        if time.monotonic() - asked >= seconds or service.loaded is None:
            service.refresh()
            asked = time.monotonic()
        if service.loaded is None:
            raise BrokerError(service.problem)
        return service.loaded

    return model


def main(arguments: list[str] | None = None) -> None:
    """Run the consumer until it is stopped."""
    parser = argparse.ArgumentParser(prog="python -m oakbank.deploy.stream", description="decide a stream")
    parser.add_argument("--registry", type=Path, required=True, help="folder of the model registry")
    parser.add_argument("--store", type=Path, required=True, help="file of the decisions; made where there is none")
    parser.add_argument("--alias", default="champion", help="alias of the model (default: champion)")
    parser.add_argument("--broker", type=Path, help="folder of a broker of our own (default: beside the store)")
    parser.add_argument("--ack-wait", type=float, default=30.0, help="seconds until the broker delivers again")
    parser.add_argument("--until-empty", action="store_true", help="stop when no message waits")
    options = parser.parse_args(arguments)
    if options.ack_wait <= 0:
        parser.error("--ack-wait must be above 0")
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    model = following(ScoringService(options.registry, options.alias))

    async def run(url: str) -> Handled:
        client = await connect(url)
        try:
            return await consume(client, store, model, ack_wait=options.ack_wait, until_empty=options.until_empty)
        finally:
            await client.close()

    try:
        model()
        store = DecisionStore(options.store)
        with broker_url(options.broker or options.store.with_suffix(".broker")) as url:
            print(f"deciding {APPLICATIONS} of {url}", flush=True)
            handled = asyncio.run(run(url))
    except (BrokerError, StoreError) as error:
        raise SystemExit(f"error: {error}") from None
    except KeyboardInterrupt:
        return
    print(f"{handled.messages} messages, {handled.letters} letters, {handled.dead} dead letters")


if __name__ == "__main__":
    main()
