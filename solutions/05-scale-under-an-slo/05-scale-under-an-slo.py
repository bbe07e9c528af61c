# %% [markdown]
# # 05 Scale under an SLO
#
# A price-comparison site wants to show Oakbank's offer to each of its visitors: at peak 6,000 applications per second.
# Oakbank has to promise that of 100 applications at least 99 are answered within 50 ms, a *service level objective*
# (SLO). How many machines is that, and how are they to be set up? In this lab you build the parts of the answer: what
# p99 means when requests fail, how a micro-batcher groups, what its callers wait, how much load it bears, what a cache
# would save, and whom to turn away.
#
# You need lesson 05/06. About 75 minutes; six exercises, 18 points. `python3 bootstrap.py check 05-scale-under-an-slo`
# runs the tests that you see. A grader's tests go further; the first line of each test says where.
#
# All of it runs on simulated time, so every machine gets the same results: arrivals are lists of numbers,
# milliseconds since the start, in ascending order (several may be equal). The real scorer is measured at the end.

# %% locked="setup"
import math
import random
import timeit

import numpy as np


def random_arrivals(rate, number, seed=0):
    """Return `number` random arrival times in ms; `rate` is their mean number per second."""
    draw = random.Random(seed)
    now, times = 0.0, []
    for _ in range(number):
        times.append(now)
        now += draw.expovariate(rate) * 1000
    return times


# %%
[round(time, 1) for time in random_arrivals(rate=200, number=8)]

# %% [markdown]
# ## Exercise 1: p99 of all who asked
#
# `percentile(latencies, q)` gets one entry per request: its latency in ms, or `None` if it was never answered (it
# failed, timed out, or was turned away). It returns the smallest latency in the list within which at least `q` percent
# of **all** requests were answered; `math.inf` if fewer than `q` percent were answered at all.
#
# The list is not empty and comes in any order, `0 < q <= 100`. No interpolation: the answer is a latency that occurred.


# %% answer="ex1"
def percentile(latencies, q):
    """Return the latency (ms) within which q percent of all requests were answered."""
    ### BEGIN SOLUTION
    times = sorted(math.inf if latency is None else latency for latency in latencies)
    return times[math.ceil(q * len(times) / 100) - 1]
    ### END SOLUTION


# %% test="ex1" points=2
# Covers ranks, unanswered requests, the list itself. Not shown: longer lists.
value = percentile([3, 1, 2, 4], 50)
assert value is not None, "percentile returned nothing: return a latency."
assert isinstance(value, (int, float)), f"percentile should return one latency, not {type(value).__name__}."
assert percentile([3, 1, 2, 4], 50) == 2, "Two of these four were answered within 2 ms."
assert percentile([1, None, None, None], 50) == math.inf, "Only a quarter was answered, however long you wait."
assert percentile([10, 20, 30], 50) == 20, "One of three is less than half of them: it takes a second one. No averages."
assert percentile([None, 8, 7], 50) == 8, "Two of three were answered within 8 ms; a timeout is not fast either."
assert percentile([7] * 94 + [90] * 5 + [None], 99) == 90, "One of a hundred unanswered: 99 were, the slowest in 90 ms."
asked = [4, None, 2]
percentile(asked, 50)
assert asked == [4, None, 2], "Leave the list as it is."
### BEGIN HIDDEN TESTS
hundred = [float(number) for number in range(1, 101)]
random.Random(1).shuffle(hundred)
for q in (1, 50, 99, 100):
    assert percentile(hundred, q) == float(q), f"Of 100 latencies 1 to 100, {q} percent were answered within {q} ms."
assert percentile(list(range(1, 1001)), 99) == 990, "99 percent of 1000 requests are 990 of them."
assert percentile([5.0], 99) == 5.0, "With one request its latency should be every percentile."
assert percentile([7] * 97 + [None] * 3, 99) == math.inf, "Three of a hundred unanswered: a timeout is not absent."
assert percentile([None, None], 50) == math.inf, "Nobody was answered, however long you wait."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 2: who goes together?
#
# First the grouping alone, as if there were always a free server. The first request opens a batch. The batch starts
# - as soon as it holds `max_batch` requests, or else
# - when its first request has waited `max_wait` ms. Who arrives exactly then still goes along, if there is room.
#
# The next request after that opens the next batch. `group(arrivals, max_batch, max_wait)` returns a list of
# `(start, size)`, one pair per batch, in order: when it starts (ms) and how many requests it holds.


# %% answer="ex2"
def group(arrivals, max_batch, max_wait):
    """Return (start, size) of each batch."""
    ### BEGIN SOLUTION
    found, first = [], 0
    while first < len(arrivals):
        latest = arrivals[first] + max_wait
        size = 0
        while first + size < len(arrivals) and size < max_batch and arrivals[first + size] <= latest:
            size += 1
        found.append((arrivals[first + size - 1] if size == max_batch else latest, size))
        first += size
    return found
    ### END SOLUTION


# %% test="ex2" points=3
# Covers a full batch, the wait, the last moment, a lonely request. Not shown: other arrivals.
def pairs(batches):
    return [(float(start), int(size)) for start, size in batches]


batches = group([0, 1, 2], 8, 5)
assert batches is not None, "group returned nothing: return a list of (start, size)."
pair_each = isinstance(batches, list) and all(isinstance(one, (tuple, list)) and len(one) == 2 for one in batches)
assert pair_each, "Return a list with one pair (start, size) for each batch."
assert pairs(group([0, 1, 2], 8, 5)) == [(5, 3)], "The batch is not full: it starts when the first has waited 5 ms."
assert pairs(group([0, 1, 2, 3], 2, 5)) == [(1, 2), (3, 2)], "A full batch does not wait: the first starts at 1 ms."
assert pairs(group([7], 4, 5)) == [(12, 1)], "A lonely request waits for company until the time is over."
assert pairs(group([0, 5, 6], 4, 5)) == [(5, 2), (11, 1)], "Who arrives exactly when the wait is over goes along."
assert pairs(group([0, 4, 8, 12], 9, 5)) == [(5, 2), (13, 2)], "The wait counts from the first of a batch."
### BEGIN HIDDEN TESTS
assert pairs(group([3, 3, 3, 3, 3], 2, 5)) == [(3, 2), (3, 2), (8, 1)], "Five at once, two in a batch."
assert pairs(group([0, 0, 1], 4, 0)) == [(0, 2), (1, 1)], "max_wait=0: together only if they come together."
assert pairs(group([2, 4, 9], 1, 5)) == [(2, 1), (4, 1), (9, 1)], "A batch of one is full at once."
assert pairs(group([0, 5, 5, 5], 2, 5)) == [(5, 2), (5, 2)], "Only max_batch fit, also at the last moment."
assert pairs(group([], 4, 5)) == [], "Where nobody came there should be no batch."
assert pairs(group([1, 2, 30, 30, 36, 90], 3, 6)) == [(7, 2), (36, 3), (96, 1)], "Batches are wrong for other arrivals."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 3: what do the callers wait?
#
# Now there is one server, and it works on one batch at a time. A batch of `n` requests takes `call + row * n` ms, and
# all of its callers are answered when it ends. While the server is busy, requests gather. So a batch starts at the
# earliest moment at which
# - the server is free, **and**
# - `max_batch` requests are waiting, or the first of those waiting has waited `max_wait` ms (or longer).
#
# It takes all who have arrived by then, those of that very moment included, in order, but at most `max_batch`.
#
# `callers_wait(arrivals, max_batch, max_wait, call, row)` returns a list with the latency of each request, in ms, in
# order of arrival: from its arrival to the end of its batch.
#
# <details><summary>Hint</summary>
#
# For the first request that is not served yet, two moments decide: when the batch would be *ready*, as in exercise 2,
# and when the server is free. The batch starts at the later one, and only then do you count who is there.
# </details>


# %% answer="ex3"
def callers_wait(arrivals, max_batch, max_wait, call, row):
    """Return the latency (ms) of each request, for one server that works in batches."""
    ### BEGIN SOLUTION
    found, free = [], -math.inf
    while len(found) < len(arrivals):
        first = len(found)
        ready = arrivals[first] + max_wait
        if first + max_batch <= len(arrivals):
            ready = min(ready, arrivals[first + max_batch - 1])
        start = max(ready, free)
        batch = [time for time in arrivals[first : first + max_batch] if time <= start]
        free = start + call + row * len(batch)
        found += [free - time for time in batch]
    return found
    ### END SOLUTION


# %% test="ex3" points=2
# Covers the wait, a full batch, who comes at the last moment. Not shown: other servers.
quiet = callers_wait([0, 1, 100], 4, 5, 10, 2)
assert quiet is not None, "callers_wait returned nothing: return a list of latencies."
assert isinstance(quiet, (list, tuple, np.ndarray)) and len(quiet) == 3, "Return a list with one latency per request."
assert np.allclose(quiet, [19, 18, 17]), "Two start at 5 ms and take 10 + 2 * 2; the third waits 5 and takes 12."
assert np.allclose(callers_wait([0, 1, 50, 51], 2, 5, 10, 2), [15, 14, 15, 14]), "A full batch does not wait."
assert np.allclose(callers_wait([0, 5, 100], 4, 5, 10, 2), [19, 14, 17]), "Who arrives as it starts goes along."
### BEGIN HIDDEN TESTS
assert np.allclose(callers_wait([0, 30, 60], 1, 5, 10, 2), [12, 12, 12]), "Batches of one do not wait at all."
assert np.allclose(callers_wait([5, 5, 7], 3, 4, 1, 0.5), [4.5, 4.5, 2.5]), "Latencies are wrong for other arrivals."
assert list(callers_wait([], 4, 5, 10, 2)) == [], "Where nobody came there should be no latency."
### END HIDDEN TESTS

# %% test="ex3" part="busy" points=2
# Covers a server that is busy while requests gather. Not shown: hours of load.
busy = callers_wait([0, 3, 6, 9], 4, 1, 10, 2)
assert busy is not None, "callers_wait returned nothing: return a list of latencies."
assert isinstance(busy, (list, tuple, np.ndarray)) and len(busy) == 4, "Return a list with one latency per request."
assert np.allclose(busy, [13, 26, 23, 20]), (
    "The server is busy from 1 to 13 ms; then three are waiting, and go at once."
)
assert np.allclose(callers_wait([0, 0, 0], 1, 0, 4, 1), [5, 10, 15]), (
    "One after the other: each waits for those before."
)
assert np.allclose(callers_wait([0, 1, 2, 3, 4, 5], 2, 0, 9, 1), [10, 20, 19, 29, 28, 37]), (
    "A batch must never hold more than max_batch."
)
assert np.allclose(callers_wait([0, 8, 11], 4, 0, 10, 1), [11, 15, 12]), "Who comes as the server gets free goes along."
### BEGIN HIDDEN TESTS
assert np.allclose(callers_wait([0, 21, 25], 4, 20, 10, 1), [31, 32, 28]), (
    "At 31 ms the server is free, but the next batch is neither full nor has its first waited 20 ms."
)
load = random_arrivals(300, 2000, seed=4)
slow, fast = callers_wait(load, 1, 0, 4, 0.1), callers_wait(load, 32, 2, 4, 0.1)
assert np.max(fast) < 20, "At 300 requests per second the same server, in batches, answers everybody within 20 ms."
assert np.max(slow) > 1000, "Row by row the same server drowns: 300 calls of 4.1 ms do not fit into a second."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 4: how much does it bear?
#
# `capacity(measured, slo)` gets a list of `(rate, p99)`: load tests, in any order, with the rate in requests per second
# and the p99 in ms (`math.inf` where requests went unanswered). It returns the largest measured rate at which the
# promise holds, p99 at most `slo`, **and** holds at every smaller measured rate, too; 0 if there is none. One good
# measurement above a bad one is luck, and nobody plans with luck. A rate that was measured several times must hold
# every time.


# %% answer="ex4"
def capacity(measured, slo):
    """Return the largest rate up to which every measurement keeps the SLO, 0 if none does."""
    ### BEGIN SOLUTION
    broken = min((rate for rate, p99 in measured if not p99 <= slo), default=math.inf)
    return max((rate for rate, _ in measured if rate < broken), default=0)
    ### END SOLUTION


# %% test="ex4" points=2
# Covers the limit, luck, any order, a rate measured twice. Not shown: other measurements.
tests = [(100, 12), (200, 18), (300, 49), (400, 230)]
value = capacity(tests, 50)
assert value is not None, "capacity returned nothing: return a rate."
assert isinstance(value, (int, float)), f"capacity should return one rate, not {type(value).__name__}."
assert capacity(tests, 50) == 300, "At 300 per second p99 is 49 ms, at 400 it is 230."
assert capacity(tests, 10) == 0, "Not even the smallest rate keeps 10 ms."
assert capacity(tests, 49) == 300, "At most: a p99 of 49 keeps an SLO of 49."
assert capacity([(100, 12), (200, 80), (300, 40)], 50) == 100, "300 is luck: at 200 the promise was broken."
assert capacity([(300, 40), (100, 12), (400, 60), (200, 30)], 50) == 300, "The measurements come in any order."
assert capacity([(100, 12), (200, 40), (200, 70)], 50) == 100, "200 was measured twice, and held once."
### BEGIN HIDDEN TESTS
assert capacity([(100, 12), (200, math.inf)], 50) == 100, "A rate at which requests went unanswered keeps no promise."
assert capacity([(50, math.inf), (60, 5)], 50) == 0, "The smallest rate fails, so a larger one should not count."
assert capacity([(100, 12), (200, 30)], 1000) == 200, "Never more than was measured."
assert capacity([], 50) == 0, "Nothing was measured, so the capacity should be 0."
mixed = [(900, 9), (250, 20), (500, 26), (250, 24), (700, 24), (90, 3)]
assert capacity(mixed, 25) == 250, "Of rates in any order, one of them lucky and one measured twice, 250 should be it."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 5: what would a cache save?
#
# `replay(requests, size)` goes through a log and says what a cache would have done. `requests` is a list of pairs
# `(application, version)`: a dict of field names and values, and the version of the model that was to answer (str).
# It returns a list of bool, one per request: was its answer in the cache?
# - An answer may be taken from the cache only if it is sure to be the same: the same version, and the same value in
#   every field. Only `application_id` is no matter, for the model does not see it. The order in which the fields of a
#   dict were written is no matter either.
# - A request whose answer is not there is computed, and its answer goes into the cache.
# - The cache holds at most `size` answers (`size >= 0`). When there is no room, the answer that was *used* longest ago
#   goes (LRU). Storing an answer is a use, and so is taking it.
#
# <details><summary>Hint</summary>
#
# A tuple of sorted `(field, value)` pairs can be a key of a dict, and a dict remembers the order of insertion:
# `next(iter(cache))` is its oldest key. Take a key out and put it in again, and it is the youngest.
# </details>


# %% answer="ex5"
def replay(requests, size):
    """Return for each request whether a cache of `size` answers would have held its answer."""
    ### BEGIN SOLUTION
    kept, hits = {}, []
    for application, version in requests:
        fields = sorted((name, value) for name, value in application.items() if name != "application_id")
        question = (version, tuple(fields))
        hits.append(question in kept)
        kept.pop(question, None)
        kept[question] = True
        if len(kept) > size:
            del kept[next(iter(kept))]
    return hits
    ### END SOLUTION


# %% test="ex5" points=2
# Covers what belongs to a question: version, names, values, and not the id. Not shown: other logs.
ann = {"application_id": 1, "income": 2000.0, "purpose": "car"}
bob = {"application_id": 2, "income": 2900.0, "purpose": "car"}
hits = replay([(ann, "1"), (bob, "1"), (ann, "1")], 10)
assert hits is not None, "replay returned nothing: return a list of bool."
assert isinstance(hits, (list, tuple)), f"replay should return a list of bool, not {type(hits).__name__}."
assert list(hits) == [False, False, True], "The third request repeats the first."
twin = {"purpose": "car", "application_id": 3, "income": 2000.0}
assert list(replay([(ann, "1"), (twin, "1")], 10)) == [False, True], (
    "Only the id and the order of fields differ: a hit."
)
assert list(replay([(ann, "1"), (ann, "2"), (ann, "1")], 10)) == [False, False, True], (
    "A new model may answer otherwise: the version belongs into the key."
)
near = ann | {"income": 2000.4}
assert list(replay([(ann, "1"), (near, "1")], 10)) == [False, False], "Nearly the same is not the same: do not round."
other = {"application_id": 1, "income": "car", "purpose": 2000.0}
assert list(replay([(ann, "1"), (other, "1")], 10)) == [False, False], "The same values in other fields: not the same."
### BEGIN HIDDEN TESTS
same_id = bob | {"application_id": 1}
assert list(replay([(ann, "1"), (same_id, "1")], 10)) == [False, False], "The same id with another income."
assert list(replay([], 10)) == [], "Without a request there should be no answer."
assert ann == {"application_id": 1, "income": 2000.0, "purpose": "car"}, "Leave the requests as they are."
eve = {"age": 40, "application_id": 9, "term": 36, "purpose": "home"}
turned = {"purpose": "home", "term": 36, "application_id": 10, "age": 40}
many = replay([(eve, "7"), (turned, "8"), (turned, "7"), (eve | {"term": 40, "age": 36}, "7")], 10)
assert list(many) == [False, False, True, False], "Of four questions on other fields, only the third was asked before."
### END HIDDEN TESTS


# %% test="ex5" part="room" points=2
# Covers which answer goes when there is no room. Not shown: longer logs.
def log(letters):
    return [({"application_id": number, "purpose": letter}, "1") for number, letter in enumerate(letters)]


def hits_of(letters, size):
    """Return + for each hit and - for each miss, of a log that asks for the letters one by one."""
    return "".join("+" if hit else "-" for hit in replay(log(letters), size) or [])


told = replay(log("aab"), 1)
assert isinstance(told, (list, tuple)), "replay should return a list of bool, one for each request."
assert hits_of("aab", 1) == "-+-", "With room for one answer, a repeat right after is a hit (+)."
assert hits_of("aba", 1) == "---", "With room for one answer, b pushes a out."
assert hits_of("abcab", 3) == "---++", "Three answers fit into a cache of three."
assert hits_of("abcabc", 2) == "------", "Each goes just before it is asked for again."
assert hits_of("abaca", 2) == "--+-+", "a was used after b, so c pushes b out."
### BEGIN HIDDEN TESTS
assert hits_of("abacb", 2) == "--+--", "b was used longest ago, so it went."
assert hits_of("aaaa", 0) == "----", "Without any room there should never be a hit."
assert hits_of("abcaadb", 3) == "---++--", "d pushes b out, which was used longest ago."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 6: a quick no
#
# Too many come. One server works row by row, in order of arrival, `service` ms for each. When a request arrives, its
# end is known: the server finishes what it has accepted, then this one. If that is later than `slo` ms after the
# arrival, the request is turned away at once, and costs the server nothing; if not, it is accepted and served.
#
# `shed(arrivals, service, slo)` returns a list with one entry per request: its latency in ms, or `None` if it was
# turned away.


# %% answer="ex6"
def shed(arrivals, service, slo):
    """Return the latency (ms) of each accepted request, None for each that was turned away."""
    ### BEGIN SOLUTION
    found, free = [], -math.inf
    for time in arrivals:
        end = max(time, free) + service
        if end - time <= slo:
            free = end
            found.append(end - time)
        else:
            found.append(None)
    return found
    ### END SOLUTION


# %% test="ex6" points=3
# Covers who is accepted, at the limit, after a pause, after others were turned away. Not shown: a storm.
told = shed([0, 1, 2, 3], 10, 20)
assert told is not None, "shed returned nothing: return a list with a latency or None for each request."
assert isinstance(told, (list, tuple)), f"shed should return a list, not {type(told).__name__}."
assert list(told) == [10, 19, None, None], "The second ends at 20 ms, after 19; the third would end at 30, after 28."
assert list(shed([0, 0, 0], 10, 20)) == [10, 20, None], "A request that ends exactly at the SLO keeps it."
assert list(shed([0, 1, 2, 3, 12], 10, 20)) == [10, 19, None, None, 18], "Who was turned away costs no time."
assert list(shed([0, 50, 100], 10, 20)) == [10, 10, 10], "With a pause between them, nobody waits."
### BEGIN HIDDEN TESTS
assert list(shed([0, 1], 10, 5)) == [None, None], "If even a free server is too slow, nobody is accepted."
assert list(shed([], 10, 20)) == [], "Where nobody came the list should be empty."
storm = random_arrivals(300, 3000, seed=2)
result = shed(storm, 5, 50)
served = [latency for latency in result if latency is not None]
assert len(result) == 3000 and max(served) < 50.001, "Whoever is accepted is answered within the SLO."
busy_for = storm[-1] / 5
assert len(served) > 0.98 * busy_for, "Under too much load the server should be busy nearly all of the time."
odd = shed([0, 2, 3, 9, 14, 14, 40], 4, 9)
assert list(odd) == [4, 6, 9, 7, 6, None, 4], "Latencies and refusals are wrong for other arrivals."
### END HIDDEN TESTS

# %% [markdown]
# ## The plan
#
# Now the real scorer: the bank's model in ONNX Runtime, with its data frames, features and rule around it. We time
# calls of 1 to 64 applications and put a straight line through them. These numbers are of your machine and of this
# minute; they are not graded.

# %% locked="measure"
import tempfile
from pathlib import Path

from oakbank.pipelines import TrainingConfig, run_training
from oakbank.pipelines.contract import score
from oakbank.scale.load import requests_of
from oakbank.scale.onnx_runtime import OnnxModel
from oakbank.world import Lake, World, publish_history


def measure_scorer(sizes=(1, 8, 16, 32, 64), tries=60):
    """Return (call, row) in ms: what a call of the real scorer costs, and what each row in it."""
    with tempfile.TemporaryDirectory() as name:
        world, lake = World(5), Lake(Path(name) / "lake")
        publish_history(world, lake)
        scorer = OnnxModel.from_model(run_training(TrainingConfig(), lake, Path(name) / "run").model())
    waiting = requests_of(world.applications(0).head(max(sizes)))
    best = [min(timeit.repeat(lambda n=n: score(scorer, "1", waiting[:n]), number=1, repeat=tries)) for n in sizes]
    row, call = np.polyfit(sizes, 1000 * np.array(best), 1)
    return float(max(call, 0)), float(max(row, 0.001))


def capacity_plan(call, row, slo=50, peak=6000):
    """Print, for several ways to serve, what one machine bears and how many the peak needs, one of them spare."""
    for max_batch, max_wait in ((1, 0), (4, 2), (16, 2), (64, 2), (64, 20)):
        most = 1000 * max_batch / (call + row * max_batch)  # requests per second when all batches are full
        measured = []
        # No fuller than 95 %: a short simulation cannot show what hours at the edge would do.
        for share in (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.85, 0.9, 0.95):
            waits = callers_wait(random_arrivals(share * most, 8_000), max_batch, max_wait, call, row)
            measured.append((share * most, percentile(waits, 99)))
        bears = capacity(measured, slo)
        need = f"{math.ceil(peak / bears) + 1} machines" if bears else "cannot keep the promise"
        share = f"{bears / most:.0%} of {most:,.0f}"
        print(f"batches of {max_batch:2}, wait {max_wait:2} ms: {bears:7,.0f} requests/s ({share}), {need}")


# %%
call, row = measure_scorer()
print(f"a call costs {call:.2f} ms, and {row:.3f} ms for each row in it")

# %% [markdown]
# When all tests pass, run `capacity_plan(call, row)` in a cell of your own. Then ask of it:
# - How many machines do batches save, and from which size on is there nothing left to gain?
# - Which share of its full-batch throughput may a machine bear? Is it the same for small batches and large ones?
# - Tighten the promise: `slo=10`. Which setup falls out first, and why?
#
# The spare machine is for the day on which one fails. On the day on which twice as many come as a server can serve,
# `shed(random_arrivals(400, 5000), service=5, slo=50)` is what its callers see. Take the `percentile` of it, once of all
# and once of those who got in: which of the two would you report to the site?
