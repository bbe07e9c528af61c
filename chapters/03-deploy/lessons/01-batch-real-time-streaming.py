# %% [markdown]
# # 01 Batch, real-time, streaming
#
# ## You will
#
# - put a price on fresh features, in EUR per 1,000 applications
# - say when a model should answer at night, at once, or event by event
# - show why a consumer that is killed sends two letters, and make it one with an idempotency key
# - publish, fetch and acknowledge messages with NATS JetStream
#
# ## You need
#
# Lessons 02/05 and 02/09, and of asyncio only this: `await` waits for an answer and lets others work meanwhile.
#
# ## Time
#
# 26 minutes to read, 40 seconds to run.
#
# ## The story so far
#
# Oakbank has a model in a registry and a service that answers requests. Now the head of lending wants "everything in
# real time", and the operations team asks who will be on call at night.

# %% [markdown]
# ## What is a fresh answer worth?
#
# **Batch scoring** decides a table of applications on a schedule, here every night. Its weakness is said to be old
# data. So measure that first, with the bank's model and a year of applications. The profit is what the simulated world
# expects each loan to earn; no real bank knows it.

# %%
import pandas as pd

from course.lesson import own_folder, show_source
from oakbank.deploy import batch, broker, drill, freshness, stream
from oakbank.pipelines import FeedReference, TrainingConfig, grant, run_training
from oakbank.world import FEATURES, Lake, World, publish_history

own_folder()
world, lake = World(seed=11, scenario="calm"), Lake("lake")
publish_history(world, lake)
run = run_training(TrainingConfig(), lake, lake.folder.with_name("training"))
model = run.model()
year = pd.concat(map(world.applications, range(12)), ignore_index=True)
profit = pd.concat(map(world.truth, range(12)))["expected_profit"].to_numpy()


def granted(rows):
    return grant(model.predict(rows), rows["amount"], rows["term"])


now = granted(year)

# %% [markdown]
# What can be old? Income, amount and term are on the form. The credit bureau's two columns come from a file: the late
# payments of the last 24 months (`delinquencies`), and a score. A file of some days ago lacks what happened since. The
# world says how many payments were late, not when. So `bureau_as_of` assumes two things: each late payment lies on any
# of the 730 days with equal chance, and each one that the file lacks raises the score by 26 points, the average in
# these data.
#
# **Guess before you run:** of 24,000 decisions, how many differ because the file is of last night? Of last quarter?

# %%
rows = {}
for days in (1, 30, 90, 365):
    old = granted(freshness.bureau_as_of(year, days))
    rows[days] = [(old != now).sum(), (profit[now].sum() - profit[old].sum()) / 24]
table = pd.DataFrame(rows, index=["decisions that differ", "EUR lost per 1,000"]).T
assert table["decisions that differ"][1] < 10
assert abs(rows[1][1]) < 0.1 / 100 * profit[now].sum() / 24 < 2_000 < rows[90][1]
table.round()

# %% [markdown]
# One night changes fewer than 10 of 24,000 decisions and less than 0.1 % of what the loans earn. Last quarter's file
# costs more than 2,000 EUR per thousand applications. So here freshness is no reason for real time: a nightly file is
# enough. For a fraud model that counts the payments of the last minutes, the table would look different. The method is
# the same: replay, count, price.
#
# ## At once: somebody waits
#
# What argues for **real-time scoring** is a caller who cannot go on without the answer: a customer in front of a web
# form. A minimal service (02/09 has the whole one):

# %%
from fastapi import FastAPI
from fastapi.testclient import TestClient

from oakbank.pipelines.contract import Application, Score, score

app = FastAPI()


@app.post("/score")
def score_one(application: Application) -> Score:
    return score(model, "1", [application])[0]


month = world.applications(0)
asked = month[["application_id", *FEATURES]].head(50).to_dict("records")
service = TestClient(app)

# %% [markdown]
# What does an application cost each way? The batch job's `decide` takes a month in one call. The service gets one
# request each; it runs in this process, so no network is counted.

# %%
from time import perf_counter

begin = perf_counter()
nightly, _ = batch.decide(model, "1", month, 0, FeedReference.of(month))
middle = perf_counter()
answers = [service.post("/score", json=row).json() for row in asked]
ratio = (perf_counter() - middle) / 50 / ((middle - begin) / 2_000)
scores = nightly["default_probability"].tolist()
assert [answer["default_probability"] for answer in answers] == scores[:50]
assert ratio > 10
print(f"the same scores; a request costs {ratio:.0f} rows of the batch")

# %% [markdown]
# The scores are equal to the last bit, at more than 10 times the work. And somebody must keep the service up all night.
#
# ## Event by event: nobody waits, nothing may be lost
#
# The third way: applications arrive from web, branches and agents. Nobody waits, but each customer should have a letter
# within minutes, and no application may be lost while our program is down. **Streaming** puts a *message broker*
# between: it stores what senders *publish*; a *consumer* takes each message and *acknowledges* it when it is done. From
# scratch:

# %%
queue, letters = list(range(5)), []


def consume(killed_at=None):
    while queue:
        letters.append(queue[0])  # decide, write the letter; the queue keeps it
        if queue[0] == killed_at:
            return  # kill -9: written, not acknowledged
        queue.pop(0)  # the acknowledgement


# %% [markdown]
# The consumer is killed at application 2 and started again. **Guess** what is in `letters`.

# %%
consume(killed_at=2)
consume()
assert letters == [0, 1, 2, 2, 3, 4]
letters

# %% [markdown]
# Customer 2 gets two letters. With the acknowledgement first, a kill between the two lines would lose the letter
# instead. Neither order helps: letter and acknowledgement are two separate writes, and a kill can come between them.
#
# ```mermaid
# sequenceDiagram
#     Broker->>Consumer: application 2
#     Consumer->>Letters: write
#     Note over Consumer: kill -9, no acknowledgement
#     Broker->>Consumer: application 2, again
#     Consumer->>Letters: write, again
# ```
#
# In words: the broker cannot know that the letter was written, so it delivers again. That is **at least once**.
#
# ## The tool: NATS JetStream
#
# NATS is a broker in one small program; JetStream is the part that stores messages. `NatsServer` starts it here on a
# free port; at work you type `nats-server -js -sd FOLDER`. A *stream* stores what is published on its *subjects*.

# %%
import nats

server = broker.NatsServer("broker").start()
nc = await nats.connect(server.url)
js = nc.jetstream()
await js.add_stream(name="ARRIVALS", subjects=["arrivals"])
for row in asked[:20]:
    await js.publish("arrivals", Application(**row).model_dump_json().encode())

# %% [markdown]
# A *durable* consumer has a name, under which the broker remembers how far it has read. `ack_wait` says after how many
# seconds without acknowledgement a message is delivered again (default: 30). The ten lines again, with JetStream:

# %%
from nats.js.api import ConsumerConfig


async def take(consumer, write, number, killed_at=None):
    for count, msg in enumerate(await consumer.fetch(number, timeout=20), 1):
        write(msg)
        if count == killed_at:
            return
        await msg.ack()


# %%
config = ConsumerConfig(ack_wait=2)
clerk = await js.pull_subscribe("arrivals", durable="clerk", config=config)
letters = []
await take(clerk, letters.append, 20, killed_at=8)

# %% [markdown]
# It was killed at the eighth: 8 letters, 7 acknowledgements. Started again, it asks for the other 13:

# %%
await take(clerk, letters.append, 13)
assert (len(letters), len({msg.data for msg in letters})) == (21, 20)
assert {msg.metadata.num_delivered for msg in letters[8:]} == {2}
print(len(letters), "letters:", [msg.metadata.num_delivered for msg in letters])

# %% [markdown]
# JetStream does what the ten lines did: 21 letters for 20 applications. The broker's count does not show which letter
# was written twice: all 13 messages of the second round are at 2, and only one had been written. The broker cannot
# know.
#
# ## The key belongs to the write
#
# So the write must notice. An **idempotency key** is a value that is the same each time the same thing is asked for:
# here the application's id. In a dict it is the key, in a database the primary key (`INSERT OR IGNORE`). A second
# consumer reads the same stream from its start, and is killed at the same place:

# %%
once = {}


def write_once(msg):
    (answer,) = score(model, "1", [Application.model_validate_json(msg.data)])
    once.setdefault(answer.application_id, answer.default_probability)


careful = await js.pull_subscribe("arrivals", durable="careful", config=config)
await take(careful, write_once, 20, killed_at=8)
await take(careful, write_once, 13)
assert list(once.values()) == scores[:20]
print(len(once), "letters, with the scores of the nightly batch")

# %% [markdown]
# 21 deliveries, 20 letters, and the scores of batch and service to the last bit. **"Exactly once" is a property of your
# write, not of the broker.**
#
# ## Oakbank's consumer
#
# `oakbank.deploy.stream` does the same, special cases included. Decision and letter are written in one transaction of
# SQLite; the letter is a row of a table, the *outbox*. It is sent afterwards, on a subject that takes one message and
# refuses a second. A message that cannot be read goes to a *dead-letter* subject, with the reason. At most 400 messages
# are unacknowledged at a time, however many wait (*back-pressure*). The cell shows the core, then promotes the model
# and sends 300 applications.

# %%
from oakbank.pipelines import Registry

show_source(stream.handle, begin="if read:")
registry = Registry("registry")
registry.set_alias("champion", str(registry.register(run).version))
await stream.send(js, month.head(300))

# %% [markdown]
# Now for real: a process of its own, and `kill -9` at its first decisions.

# %%
killed = drill.run_consumer("registry", "decisions.sqlite", server.url, kill=True)
print(len(killed), "of 300 decided")

# %% [markdown]
# The process once more:

# %%
decided = drill.run_consumer("registry", "decisions.sqlite", server.url)
letters = (await js.stream_info("LETTERS")).state.messages
assert (len(killed) < 300, len(decided), letters) == (True, 300, 300)
assert decided.equals(nightly.head(300))
print(len(decided), "decisions,", letters, "letters")

# %% [markdown]
# The records equal the batch job's, column by column: an auditor need not ask which way a decision was made.
#
# | way | fits when | what it costs |
# |---|---|---|
# | batch | nobody waits, and old data cost little: here under 0.1 % a night | a day until the answer |
# | real time | a caller needs the answer to go on | more than 10 times the work a row; it must always be up |
# | stream | events come at any time, nobody waits, none may be lost | a broker, and a key in each write |
#
# ## Your turn
#
# The auditors want to read the same arrivals without disturbing the clerk. Make a durable consumer `audit` on the
# subject `arrivals`, fetch its 20 messages and acknowledge each with `ack_sync`, which waits until the broker has heard.

# %%
# your code here

# %%
there = {each.name: each.ack_floor for each in await js.consumers_info("ARRIVALS")}
right = "audit" in there and there["audit"].stream_seq == 20
print("right" if right else "not yet: pull_subscribe makes it; is each message acked?")

# %% [markdown]
# <details><summary>A solution</summary>
#
# ```python
# audit = await js.pull_subscribe("arrivals", durable="audit")
# for msg in await audit.fetch(20):
#     await msg.ack_sync()
# ```
# </details>
#
# ## What this does not prove
#
# The price of freshness rests on our two assumptions about the bureau, and on a world in which each applicant comes
# once. One server on one machine is no cluster. `NatsServer` sets `sync_interval: always`; by default JetStream
# confirms a message up to two minutes before the message is safe on the disk, and a power cut loses such messages. Our
# key does not protect a letter that has left the bank: the printer must know the key, too.
#
# ## Check yourself
#
# <details><summary>A file of last night costs 30 EUR per 1,000 applications, one of last quarter 5,000. What do you ask for, and what not?</summary>
#
# A nightly file. Real time would gain the 30 EUR at best; whether it pays depends on whether a caller waits.
# </details>
#
# <details><summary>Salary offers go out at month's end, a shop asks during checkout, and branches send applications that may wait minutes but not be lost. Which way for which?</summary>
#
# Batch; real time; a stream. The question decides: does anybody wait, and may one be lost?
# </details>
#
# <details><summary>The consumer acknowledges first and writes then. What does a kill between the two do, and does a key help?</summary>
#
# The application is lost: at most once. A key does not help, since nothing comes again. Write first, with a key.
# </details>
#
# ## Take-away
#
# **Ask who waits and what old data cost. And a broker delivers at least once: "exactly once" is a key in your write.**
#
# ## Go further
#
# - Card: [NATS JetStream](../cards/nats.md)
# - NATS documentation, server 2.15: *JetStream*, *Consumers*, *Delivery and acknowledgment*
# - Jepsen, *NATS 2.12.1*, 8 December 2025: what is lost when the power goes
# - The reference: `oakbank.deploy.stream`, `oakbank.deploy.store` and `oakbank.deploy.broker`
# - In the glossary: [batch scoring](../../../GLOSSARY.md#batch-scoring), [real-time scoring](../../../GLOSSARY.md#real-time-scoring), [streaming](../../../GLOSSARY.md#streaming), [idempotency key](../../../GLOSSARY.md#idempotency-key), [at least once](../../../GLOSSARY.md#at-least-once), [dead letter](../../../GLOSSARY.md#dead-letter), [outbox](../../../GLOSSARY.md#outbox)
