# %% [markdown]
# # 06 Scaling inference
#
# ## You will
#
# - measure which part of a prediction is the model and which part is calling it
# - write a micro-batcher in asyncio and check its answers against the bank's own
# - run the model in ONNX Runtime, and a request without a data frame, show that no answer changed, and say which was worth it
# - compute how waiting grows with utilisation, by formula and by simulation, and say why p99 and not the mean
# - tell when a cache, another machine or a quick no is the right answer
#
# ## You need
#
# Lesson 01/01. Of asyncio only this: `await` hands the thread to others until the awaited answer is there.
#
# ## Time
#
# 43 minutes to read, 15 seconds to run.
#
# ## The story so far
#
# Oakbank's model decides in a service, one request per application. Price-comparison sites have begun to send requests
# in bursts, and the bank has promised an answer within 50 ms to 99 of 100: a *service level objective*, SLO. Somebody
# has asked for more machines. You ask for an hour first.

# %% [markdown]
# ## What does a prediction cost?
#
# We train the bank's model and take some applications as the service gets them: validated, one object each. `score` is
# the function behind the service; it makes a data frame, then features, then asks the model, then applies the bank's
# rule.

# %%
import tempfile
from pathlib import Path

from oakbank.pipelines import TrainingConfig, feature_matrix, run_training
from oakbank.pipelines.contract import score, to_frame
from oakbank.scale.load import requests_of
from oakbank.world import FEATURES, Lake, World, publish_history

folder = Path(tempfile.mkdtemp())
world = World(seed=5, scenario="calm")
lake = Lake(folder / "lake")
publish_history(world, lake)
model = run_training(TrainingConfig(), lake, folder / "run").model()

# %%
requests = requests_of(world.applications(0).head(300))
score(model, "1", requests[:1])[0]

# %% [markdown]
# There are two ways to serve. A **batch** job takes all applications of a month at night and hands them to the model in
# one call. A **real-time** service answers each as it comes. **Guess before you run:** a call with one application
# takes some time. How many times longer does a call with 64 take?
#
# Times in this lesson are those of your machine and change from run to run, so we print ratios, and take the best of
# several tries: what disturbs a measurement only ever makes it slower.

# %%
import timeit

import pandas as pd


def best_ms(call, tries=40):
    return 1000 * min(timeit.repeat(call, number=1, repeat=tries))


sizes = [1, 2, 4, 8, 16, 32, 64]
ms = pd.Series({n: best_ms(lambda n=n: score(model, "1", requests[:n])) for n in sizes})
pd.DataFrame({"one call, x": ms / ms[1], "per application, x": ms / sizes / ms[1]}).round(2)

# %% [markdown]
# 64 times the work in a few times the time. A call costs `a + b * n`: `a` for being called at all, `b` for each row in
# it. A straight line through the measurements shows both.

# %%
import numpy as np

b, a = np.polyfit(sizes, ms, 1)
print(f"of a call with one application, {a / (a + b):.0%} is the call, {b / (a + b):.0%} the application")

# %% [markdown]
# And where does the model come in? We time three steps of the same call on their own.

# %%
one = requests[:1]
frame = to_frame(one)
X1 = feature_matrix(frame)
steps = {
    "data frame": best_ms(lambda: to_frame(one)),
    "features": best_ms(lambda: feature_matrix(frame)),
    "model (150 trees)": best_ms(lambda: model.predict_matrix(X1)),
}
(pd.Series(steps) / ms[1]).map("{:.0%}".format).rename("share of the call")

# %% [markdown]
# The model is the smallest part of its own prediction. Data frames, checks and Python's calls are the rest (what is
# missing to 100 % is the bank's rule and the answer object), and they cost nearly the same for one row as for 64. So
# before anything else: **share the call.**
#
# ## A micro-batcher
#
# Requests come one at a time, from different people. A micro-batcher lets the first one wait a few milliseconds for
# company and then makes one call for all. Each caller holds a *future*, an answer that is not there yet, and waits for
# that. Two rules close a batch: it is full, or its first has waited long enough.

# %%
import asyncio


class Batcher:
    def __init__(self, predict, max_batch, max_wait):
        self.predict, self.max_batch, self.max_wait = predict, max_batch, max_wait
        self.waiting, self.calls = [], 0

    async def score(self, row):
        loop = asyncio.get_running_loop()
        answer = loop.create_future()
        self.waiting.append((row, answer))
        if len(self.waiting) == 1:
            self.timer = loop.call_later(self.max_wait, self.flush)
        if len(self.waiting) == self.max_batch:
            self.flush()
        return await answer

    def flush(self):
        self.timer.cancel()
        batch, self.waiting = self.waiting, []
        self.calls += 1
        for (_, answer), value in zip(batch, self.predict([row for row, _ in batch]), strict=True):
            answer.set_result(value)


# %% [markdown]
# That is all of it. 300 customers ask at the same moment; in a notebook we may `await` right in the cell.

# %%
X = feature_matrix(to_frame(requests))


def predict(rows):
    return model.predict_matrix(np.stack(rows))


async def ask(batcher, rows):
    return np.array(await asyncio.gather(*(batcher.score(row) for row in rows)))


mine = Batcher(predict, max_batch=16, max_wait=0.005)
by_hand = await ask(mine, X)
print(f"{len(by_hand)} answers from {mine.calls} calls")

# %% [markdown]
# 18 full batches, and the last 12, who waited 5 ms for nobody. Now the tool: Oakbank's `MicroBatcher`. It computes in a
# second thread, so that the next batch can gather meanwhile, and that gives it a better second rule than a clock: a batch
# is whoever waits when the thread is free. A lone caller is served at once, and under load batches grow by themselves.

# %%
from oakbank.scale.microbatch import MicroBatcher

tool = MicroBatcher(predict, max_batch=16)
by_tool = await ask(tool, X)
await tool.close()
one_by_one = np.array([model.predict_matrix(row[None])[0] for row in X])
print("largest difference:", max(np.abs(by_hand - one_by_one).max(), np.abs(by_tool - one_by_one).max()))

# %% [markdown]
# The same answers, whoever sat next to whom. The tool is longer than ours because it meets people: callers who hang up,
# a service that shuts down, a queue that overflows, and the one request that breaks. In our batcher a single bad row
# leaves 16 customers without an answer. The tool splits the batch in halves until it has found it:

# %%
from course.lesson import show_source

show_source(MicroBatcher.call)

# %% [markdown]
# ## A leaner runtime
#
# LightGBM is made for training. ONNX is a format for trained models, ONNX Runtime an engine that does nothing but run
# them. A conversion is a new implementation of your model, so it is checked row by row before it may decide anything.
# (Trees make that hard: LightGBM compares in double precision, ONNX in single, and a value that sits on a threshold can
# fall to the other side. `OnnxModel.from_model` probes exactly those.)

# %%
from oakbank.scale.onnx_runtime import OnnxModel

onnx = OnnxModel.from_model(model)
answers = {"by hand": by_hand, "tool": by_tool, "ONNX": onnx.predict_matrix(X)}
for name, answer in answers.items():
    assert np.abs(answer - one_by_one).max() < 1e-5, name
print(f"all agree to {max(np.abs(answer - one_by_one).max() for answer in answers.values()):.0e}")

# %% [markdown]
# **Guess:** the runtime answers one row several times as fast. What does that make of the whole call?

# %%
alone = best_ms(lambda: model.predict_matrix(X1)) / best_ms(lambda: onnx.predict_matrix(X1))
whole = best_ms(lambda: score(model, "1", one), 60) / best_ms(lambda: score(onnx, "1", one), 60)
print(f"the model alone: {alone:.1f} times as fast\nthe whole call:  {whole:.2f} times as fast")

# %% [markdown]
# Next to nothing, and the noise of the machine may well eat it. Speeding up a small part of a call leaves the rest as it
# was: Amdahl's law. A runtime pays once the model is the large part, that is for big models, or in big batches, which
# are what you have built just now.
#
# ## A cheaper call
#
# Sharing a call is one way. The other is to ask what the call is spent on: a data frame with one row. Thirteen values need
# no columns, no index and no types of their own. The same features, by the same definition, as plain numbers:

# %%
from oakbank.pipelines.features import feature_row

row = feature_row(one[0].model_dump())
print("the frame's, to the last bit:", np.array(row, dtype=np.float32).tobytes() == X1[0].tobytes())

# %% [markdown]
# LightGBM has a call for one row that is told once what rows look like; its Python package leaves it out, ctypes does
# not. `RowScorer` is the two together and the bank's rule. **Guess** what that makes of the whole call, and then of each
# of 64 that share one.

# %%
from oakbank.scale.single_row import RowScorer

scorer = RowScorer(model, "1")
assert [scorer.score(request) for request in requests] == score(model, "1", requests)
by_row = best_ms(lambda: scorer.score(one[0]), 400)
print(f"one application: {best_ms(lambda: score(model, '1', one)) / by_row:.0f} times as fast")
print(
    f"each of 64 that share a call: {best_ms(lambda: score(model, '1', requests[:64])) / 64 / by_row:.1f} times as fast"
)

# %% [markdown]
# The same answers, and for this model a call is not worth sharing any more: batcher, futures and thread cost more than a
# score. Batches stay right where a call cannot be made cheap: a large network, a GPU, a lookup in a database. So measure
# first, then cut what can be cut, and share the rest. (One trap: this call keeps the row in the handle that it is given,
# so threads that share a handle get each other's answers. The reference has a handle for each thread.)
#
# ## Why the waiting explodes
#
# So much for the time in the machine. Customers also see the time before it. Take one server that needs exactly one
# unit of time per request, and customers who come at random. `utilisation` is how much of the time the server is busy.
# The simulation carries one number forward, the work that is still ahead of whoever comes next:


# %%
def latencies(gaps, services):
    ahead, found = 0.0, []
    for gap, service in zip(gaps.tolist(), services.tolist(), strict=True):
        ahead = max(0.0, ahead - gap) + service
        found.append(ahead)
    return np.array(found)


# %% [markdown]
# **Guess:** half-busy, 99 of 100 customers are served within about 4 units. And at 95 %? Twice that, for twice the load?

# %%
rng = np.random.default_rng(0)
random_gaps = rng.exponential(1, 300_000)
loads = np.array([0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95])
seen = [latencies(random_gaps / load, np.ones(300_000)) for load in loads]
queue = pd.DataFrame({"mean": [s.mean() for s in seen], "p99": [np.percentile(s, 99) for s in seen]}, index=loads)
queue.loc[[0.5, 0.8, 0.9, 0.95]].round(1)

# %% [markdown]
# Ten times. These numbers are the same on every machine, and there is a formula to hold against them. For random
# arrivals and a fixed service time, the mean wait is `u / (2 * (1 - u))` service times (Pollaczek 1930, Khinchine 1932).
# If service times are random, too (exponential), it is twice that: what varies, waits.

# %%
formula = 1 + loads / (2 * (1 - loads))
assert np.allclose(queue["mean"], formula, rtol=0.03)
print("largest difference between simulation and formula:", f"{np.abs(queue['mean'] / formula - 1).max():.1%}")

# %%
import matplotlib.pyplot as plt

fine = np.linspace(0, 0.96, 200)
fig, ax = plt.subplots(figsize=(8, 3.6))
ax.plot(loads, queue["p99"], "o-", color="C3", label="p99, simulated")
ax.plot(loads, queue["mean"], "o", color="C0", label="mean, simulated")
ax.plot(fine, 1 + fine / (2 * (1 - fine)), color="C0", lw=1, label="mean, Pollaczek-Khinchine")
ax.set(xlabel="utilisation of the server", ylabel="latency, service times", ylim=0)
ax.set_title("The last few per cent of a machine are paid for by its customers")
ax.legend()

# %% [markdown]
# `1 - u` stands in the denominator, and that is the whole story: from 50 to 60 % hardly anybody notices, from 90 to 95 %
# the tail doubles. That is why nobody plans a service for 95 %, and why a spreadsheet that divides requests by capacity
# is wrong on the one day that matters. And the mean is no help: at 95 % it says 10 while one customer in a hundred waits
# four times as long.
#
# ## Measure it as customers feel it
#
# The usual load test sends a request, waits for the answer, sends the next: a *closed loop*. Customers do not wait for
# each other; they come when they come: an *open loop*. The server below takes 5 ms per request, one comes every 10 ms,
# and halfway through a minute it stands still for two seconds.

# %%
services = np.full(6000, 5.0)
services[3000] += 2000
closed = services  # each is sent when the one before is answered: nobody ever waits
opened = latencies(np.full(6000, 10.0), services)
for name, ms_seen in {"closed loop": closed, "open loop": opened}.items():
    print(f"{name:11}  mean {ms_seen.mean():6.1f} ms   p99 {np.percentile(ms_seen, 99):7.1f} ms")

# %% [markdown]
# One outage, two reports. The closed loop stopped asking while the server stood still, and noted one slow request out of
# 6,000; its p99 is spotless. In the open loop some 400 customers were held up, by as much as two seconds. Gil Tene named
# it *coordinated omission*. A request is timed from when it was **due**, and one that was never answered counts as slow,
# not as absent: a timeout is not a fast answer.
#
# ## Both together
#
# `run_load` is such an open loop: random arrivals, fixed before the first is sent. First, how many requests per second
# can each way answer? Then both get half as many again as the row-by-row way can bear.

# %%
from oakbank.scale.load import run_load
from oakbank.scale.service import batch_scorer


async def serve(scorer, size, rate):
    async with batch_scorer(scorer, "1", max_batch=size) as batcher:
        return await run_load(batcher.score, requests, rate=rate)


rows = await serve(onnx, 1, np.inf)
batches = await serve(onnx, 64, np.inf)
print(f"capacity in micro-batches: {batches.throughput / rows.throughput:.0f} times that of row by row")

# %%
rate = 1.5 * rows.throughput
rows, batches = await serve(onnx, 1, rate), await serve(onnx, 64, rate)
print(f"under the same load, p99 row by row is {rows.p99_ms / batches.p99_ms:.0f} times that in micro-batches")

# %% [markdown]
# The same model, machine, requests and answers. Note what the batcher did on its own: while one call ran, the next batch
# grew, so batches were small when it was quiet and large when it was not.
#
# And as a customer sees it, through HTTP and JSON? `oakbank.scale.service` is the service of chapter 3 with a lane in
# front for the ordinary request: read, scored as a row and written without a detour; whatever is unusual goes to the
# service behind, so that no answer changes. This table is a recorded run of `oakbank.scale.serving_benchmark`, each way
# held against an application that always says the same:

# %%
from IPython.display import Markdown

from oakbank.scale.serving_benchmark import recorded

Markdown(recorded())

# %% [markdown]
# BentoML and LitServe were given the same scorer of one row, so the difference is what they do around it: processes,
# queues, checks, which pay for themselves with large models and not with this one.
#
# ## May we remember answers?
#
# The fastest call is none. A cache is right if its key holds *everything* that the answer depends on: all features, and
# the version of the model. (A cache that outlives a promotion serves the old model for days.) Then what counts is how
# often the same question comes again. **Guess** for a year of applications:

# %%
year = pd.concat([world.applications(month) for month in range(12)], ignore_index=True)
coarse = year.assign(income=(year["income"] // 500 + 0.5) * 500, amount=(year["amount"] // 1000 + 0.5) * 1000)
for name, asked in {"as asked": year, "rounded": coarse}.items():
    print(f"{name:9} {asked.duplicated(list(FEATURES)).sum()} of {len(asked):,} asked before")

# %%
from oakbank.pipelines import grant

exact, rounded = (grant(model.predict(asked), year["amount"], year["term"]) for asked in (year, coarse))
print(f"rounding changed {np.sum(exact != rounded)} decisions")

# %% [markdown]
# Not one hit, and rounding, the usual advice, buys none either but changes what the bank says to real people. A cache
# for this model is useless. It would be worth something for repeats of the very same request (a client that retries), or
# for a slow lookup behind the features, such as a credit bureau's report. Count the repeats before you build one.
#
# ## When it is too much: say no
#
# Above a utilisation of 1 no queue ever drains, and an unbounded one answers everybody late. A bounded queue turns some
# away at once, so that the others are served in time. With room for 20, and 300 at the door in the same moment:

# %%
from oakbank.scale.microbatch import OverloadedError

small = MicroBatcher(predict, max_queue=20)
told = await asyncio.gather(*(small.score(row) for row in X), return_exceptions=True)
await small.close()
print(f"{len(told)} asked, {sum(isinstance(one, OverloadedError) for one in told)} turned away at once")

# %% [markdown]
# The service says 503 with `Retry-After`, in next to no time. A caller can act on a quick no: try later, try another
# machine. A late yes is a timeout, and the work for it was done in vain.
#
# ## More machines, by themselves
#
# Only now is it time for more machines. Kubernetes' HPA compares a measured load with a target and sets the number of
# replicas to `ceil(replicas * measured / target)`, unless the two are within 10 % of each other (its default). You
# can see now why targets lie around 60 or 70 %: the plot says so. And a new replica is not there at once. Its
# container starts, Python imports, the model loads; meanwhile the queue grows. Say the load doubles, from 70 to 140 %
# of what one machine can do, and a second needs 60 s to come up:

# %%
import math

print("replicas wanted:", math.ceil(1 * 1.4 / 0.7))
backlog = (1.4 - 1.0) * 60  # in seconds of one machine's work
print(f"waiting when it is there: {backlog:.0f} s of work; gone {backlog / (2 - 1.4):.0f} s later")

# %% [markdown]
# So for 100 seconds the promise is broken, whatever the autoscaler does. Autoscaling follows the hour of the day; for
# bursts you need room to spare, batches that grow, and a bounded queue.
#
# ```mermaid
# flowchart LR
#     R[requests] --> Q{queue full?}
#     Q -- yes --> N[503, try later]
#     Q -- no --> B[micro-batch: whoever waits]
#     B --> M[one call: features, model, rule]
#     M --> A[an answer to each]
#     Q -. length of the queue .-> S[autoscaler adds a machine]
# ```
#
# In words: a request finds a place in the queue or gets a quick no; the batcher takes whoever is there, one call answers
# all of them; an autoscaler watches the queue and adds machines, minutes later.
#
# Not run here: the HPA itself, which needs a cluster; KEDA, which scales on the length of a queue instead of on CPU, and
# down to zero; and Ray Serve, whose `@serve.batch` is the idea of this lesson with replicas around it. They come as
# tours of this chapter, each with its own environment.
#
# ## What this does not prove
#
# Your ratios are those of one process on your machine, with the load generator sharing its cores. The recorded run is a
# closed loop on one machine, without a network and without TLS. The model is small: for one that takes 100 ms a row on a GPU the
# same ideas hold, with other numbers. The formula assumes arrivals that are random and independent. Bursts are worse.
#
# ## Check yourself
#
# <details><summary>A colleague replaces LightGBM by a runtime that is five times as fast. Latency hardly moves. Why?</summary>
#
# The model was a few per cent of the call. Measure the parts first.
# </details>
#
# <details><summary>A service runs at 45 % and keeps its promise with ease. Marketing doubles the traffic. And now?</summary>
#
# 90 %: it "still has capacity", and its p99 is more than five times what it was. Ask for room, or make the calls
# cheaper.
# </details>
#
# <details><summary>A load test reports p99 = 8 ms, with 3 % of the requests timed out. What is the p99?</summary>
#
# Not 8 ms. Of 100 requests three were not answered, so there is no time within which 99 were.
# </details>
#
# <details><summary>You double max_batch and nothing changes under today's load. Why?</summary>
#
# Batches are as large as what gathers during one call. They are not full yet.
# </details>
#
# ## Take-away
#
# **A small model's time goes into calling it: make the call cheap, or share it. And latency explodes long before the machine is full:
# measure p99, under arrivals that do not wait for you.**
#
# ## Go further
#
# - L. Kleinrock, *Queueing Systems, Volume 1: Theory*, Wiley 1975
# - J. Dean, L. A. Barroso, *The Tail at Scale*, Communications of the ACM 56(2), 2013
# - D. Crankshaw et al., *Clipper: A Low-Latency Online Prediction Serving System*, NSDI 2017: adaptive batching
# - ONNX Runtime 1.x documentation: *Thread management*
# - LightGBM 4.7 documentation, *C API*: `LGBM_BoosterPredictForMatSingleRowFast`
# - The reference: `oakbank.scale.microbatch`, `onnx_runtime`, `load`, `single_row`, `express` and `service`
# - The lab `05-scale-under-an-slo`: how many machines, for which promise
# - In the glossary: [micro-batching](../../../GLOSSARY.md#micro-batching), [latency](../../../GLOSSARY.md#latency), [throughput](../../../GLOSSARY.md#throughput), [SLO](../../../GLOSSARY.md#slo), [autoscaling](../../../GLOSSARY.md#autoscaling)
