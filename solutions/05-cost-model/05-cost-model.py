# %% [markdown]
# # 05 Cost model
#
# The head of finance asks what a request costs, how many machines a promise needs, and whether
# a cache pays. The people who train the models ask how often a job on spot machines should
# save. And the head of the bank has two proposals on her desk, each of them a week of work. You
# write six parts of a cost model that answers them; at the end you run it on times that you
# measure on your own machine.
#
# You need lesson 05/08. About 85 minutes; six exercises, 23 points.
# `python3 bootstrap.py check 05-cost-model` runs the tests that you see. A grader's tests go
# further, with other prices, loads and times; the first line of each test says where.
#
# All prices are in EUR, all loads in requests per second. Seconds,
# minutes and hours are told apart in each text.

# %% locked="setup"
import itertools
import json
import math
import random
import re
import tempfile
from pathlib import Path

import numpy as np

from oakbank.scale.cost import (
    PRICES,
    cache_break_even,
    expected_hours,
    read_prices,
    recorded_seconds,
    unit_cost,
    worth_of_auc,
    young,
)

prices = read_prices()  # prices.yml of lesson 05/08, each with its day and source
HOUR = prices.machine_hour(vcpu=1, gb=2)
SLOW = recorded_seconds("FastAPI and pandas, as one begins")
FAST = recorded_seconds("chapter 5: the express lane")


def near(got, want, within=1e-9):
    """Whether two numbers agree to six digits, or `within`; None with None only."""
    if want is None or not isinstance(got, (int, float, np.number)):
        return got is want
    return math.isclose(got, want, rel_tol=1e-6, abs_tol=within)


def keys_of(got, wanted):
    """Return what is wrong with the form of a dict, or an empty text."""
    if got is None:
        return "The function returned nothing: return a dict."
    if isinstance(got, ValueError):
        return f"Something keeps the promise; your answer says that nothing does: {got}"
    if not isinstance(got, dict):
        return f"Return a dict, not {type(got).__name__}."
    if set(got) != set(wanted):
        return f"Want the keys {wanted}, not {list(got)}."
    return ""


def refusal(function, *arguments):
    """Return what the ValueError of a call says, or None if it raises none."""
    try:
        function(*arguments)
    except ValueError as error:
        return str(error)
    return None


def outcome(function, *arguments):
    """Return what a call returns, or the ValueError that it raises."""
    try:
        return function(*arguments)
    except ValueError as error:
        return error


def six(value):
    """Return a float rounded to six digits, anything else as it is."""
    return round(value, 6) if isinstance(value, float) else value


# %% [markdown]
# ## Exercise 1: what did the day cost?
#
# A service has as many machines in each hour as the load of that hour needs, but never fewer
# than `least`, which is 1 or more: these must stand, so that one may fail. Each machine is paid
# for the whole hour.
#
# `day_bill(loads, seconds, each, hour, least)` returns what such a day costs, as a dict.
# - `loads`: a list with the load of each hour, requests per second; one number or more, some
#   of them may be 0.
# - `seconds`: the mean service time of a request. `each`: how many requests per second one
#   machine may bear; at exactly this load one machine is still enough.
# - `hour`: EUR for one machine for one hour.
#
# The dict has
# - `"machines"`: how many machines there are in each hour (list of int),
# - `"eur"`: what they cost together (float),
# - `"request"`: EUR for one request of the day, or `None` if there was none,
# - `"work"`: the share of the paid time in which a machine works on a request (float, 0 to 1).


# %% answer="ex1"
def day_bill(loads, seconds, each, hour, least):
    """Return "machines", "eur", "request" and "work" of a day."""
    ### BEGIN SOLUTION
    machines = [max(least, math.ceil(load / each)) for load in loads]
    eur = sum(machines) * hour
    requests = 3600 * sum(loads)
    return {
        "machines": machines,
        "eur": eur,
        "request": eur / requests if requests else None,
        "work": requests * seconds / (3600 * sum(machines)),
    }
    ### END SOLUTION


# %% test="ex1" points=1
# Covers machines and bill of three hours. Not shown: other days, prices and services.
DAY = ["machines", "eur", "request", "work"]
three = day_bill([1, 8, 25], 0.05, 8, 0.5, 2)
fault = keys_of(three, DAY)
assert not fault, fault
assert isinstance(three["machines"], list), "Want the machines of each hour as a list."
assert len(three["machines"]) == 3, "Three hours have three numbers of machines."
got = three["machines"]
for one in got:
    whole = isinstance(one, (int, np.integer))
    assert whole, f"A number of machines is an int, not {type(one).__name__}."
assert got[0] == 2, f"Two machines must stand, also for one request: not {got[0]}."
assert got[1] == 2, f"One machine may bear 8, and two must stand: not {got[1]}."
assert got[2] == 4, f"Three machines bear 24 requests a second, not 25: not {got[2]}."
assert near(three["eur"], 4), f"Eight hours of a machine at 0.5: not {three['eur']}."
### BEGIN HIDDEN TESTS
draw = random.Random(1)
for _ in range(6):
    hours, each = draw.choice([1, 5, 24]), draw.choice([3, 7.5, 1.25])
    some = [0, 1, each, 2 * each, draw.randrange(200), draw.randrange(200)]
    loads = [draw.choice(some) for _ in range(hours)]
    hour, least = draw.uniform(0.01, 2), draw.choice([1, 2, 3])
    told = day_bill(loads, 0.5 / each, each, hour, least)
    assert not keys_of(told, DAY), "Every day should give a dict of the four."
    want, got = [max(least, int(-(-load // each))) for load in loads], told["machines"]
    said = f"Loads {loads}, {each} for each machine, at least {least}"
    form = isinstance(got, list) and len(got) == hours
    assert form, f"{said}: want a list with {hours} numbers of machines."
    wrong = [n for n in range(hours) if got[n] != want[n]]
    assert not wrong, (
        f"{said}: hour {wrong[0]}, from 0, has a load of {loads[wrong[0]]}; "
        f"want {want[wrong[0]]} machines, got {got[wrong[0]]}."
    )
    want, got = hour * sum(want), told["eur"]
    assert near(got, want), f"{said}, at {hour}: the bill should be {want}, got {got}."
### END HIDDEN TESTS

# %% test="ex1" part="unit" points=2
# Covers EUR for a request, and work. Not shown: days with and without requests.
assert not keys_of(day_bill([1], 0.05, 8, 0.5, 2), DAY), "Want a dict of all four."
one = day_bill([1], 0.05, 8, 0.5, 2)
assert near(one["request"], 1 / 3600), "3,600 requests an hour cost 1 EUR together."
assert near(one["work"], 0.025), "0.05 of each second is work, and two are paid for."
two = day_bill([1, 0], 0.05, 8, 0.5, 2)
assert near(two["request"], 2 / 3600), "The quiet hour is paid by the same requests."
assert near(two["work"], 0.0125), "In the quiet hour two are paid, and none works."
none = day_bill([0], 0.05, 8, 0.5, 2)
assert none["request"] is None, "Without a request no request has a price: None."
assert near(none["work"], 0), "Without a request no machine works."
for service in (SLOW, FAST):
    asked, bears = 70 / 86_400, 0.6 / service
    bank, lesson = (
        day_bill([asked] * 24, service, bears, HOUR, 2),
        unit_cost(asked, service, bears, HOUR),
    )
    assert near(bank["request"], lesson.request), "Oakbank: as `unit_cost` of 05/08."
    assert near(bank["work"], lesson.utilisation), "Oakbank: as `unit_cost` of 05/08."
### BEGIN HIDDEN TESTS
draw = random.Random(2)
for _ in range(6):
    each, hour, least = draw.choice([4, 9]), draw.uniform(0.01, 2), draw.choice([1, 2])
    loads = [draw.choice([0, 1, draw.randrange(120)]) for _ in range(11)] + [90]
    seconds = draw.uniform(0.2, 0.9) / each
    told = day_bill(loads, seconds, each, hour, least)
    assert not keys_of(told, DAY), "Every day should give a dict of the four."
    paid, asked = sum(max(least, -(-load // each)) for load in loads), sum(loads)
    said = f"Loads {loads}, {seconds:.4f} s, {each} for each machine, at {hour:.4f}"
    want, got = paid * hour / asked / 3600, told["request"]
    assert near(got, want), f"{said}: a request should cost {want}, got {got}."
    want, got = asked * seconds / paid, told["work"]
    assert near(got, want), f"{said}: the share of work should be {want}, got {got}."
quiet = day_bill([0, 0, 0], 0.1, 5, 0.3, 2)
assert quiet["request"] is None, "Three hours without a request should give None."
assert near(quiet["work"], 0), "Three hours without a request should be no work."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 2: how many machines keep the promise?
#
# All requests stand in **one** queue, in order of arrival. Whichever machine is free first takes
# the next one, and works on it alone for its service time. While a machine is free, nobody waits.
#
# `queue(arrivals, services, machines)` returns a list with the latency of each request, in
# seconds, in order of arrival: from its arrival until it is answered. `arrivals` is a list of
# times in seconds that never goes back (several may be equal), and `services` has the service
# time of each request, in seconds.
#
# `machines_for(arrivals, services, promise, least)` returns the smallest number of machines
# (int) that keeps a promise, but never fewer than `least`, which is 1 or more. The promise is
# kept if `np.quantile(latencies, 0.99)` is at most `promise`, in seconds. If
# **no** number of machines keeps it, raise `ValueError` with a sentence. There is at least one
# request.
#
# <details><summary>Hint</summary>
#
# Keep a list of the moments at which the machines get free. The smallest of them is the machine
# that takes the next request. And with a machine for each request nobody waits: what are the
# latencies then?
# </details>


# %% answer="ex2"
def queue(arrivals, services, machines):
    """Return the latency of each request, seconds."""
    ### BEGIN SOLUTION
    free, seen = [-math.inf] * machines, []
    for arrival, service in zip(arrivals, services, strict=True):
        first = free.index(min(free))
        wait = max(0, free[first] - arrival)
        free[first] = arrival + wait + service
        seen.append(wait + service)
    return seen
    ### END SOLUTION


def machines_for(arrivals, services, promise, least):
    """Return the smallest number of machines that keeps the promise."""
    ### BEGIN SOLUTION
    alone = np.quantile(services, 0.99)
    if alone > promise:
        raise ValueError(f"a lone caller waits {alone} s, longer than {promise} s")
    for machines in itertools.count(least):
        if np.quantile(queue(arrivals, services, machines), 0.99) <= promise:
            return machines
    ### END SOLUTION


# %% locked="traffic"
def traffic(seed, number, rate, tail=0.03, longest=0.4):
    """Return arrivals and services: most of about 20 ms, and a share `tail` longer."""
    dice = random.Random(seed)
    now, arrivals, services = 0.0, [], []
    for _ in range(number):
        now += dice.expovariate(rate)
        arrivals.append(now)
        slow = dice.random() < tail
        services.append(dice.uniform(*((0.1, longest) if slow else (0.01, 0.03))))
    return arrivals, services


def times_of(got, number):
    """Return what is wrong with the form of a list of latencies, or an empty text."""
    if got is None:
        return "queue returned nothing: return a list of latencies."
    if not isinstance(got, (list, tuple, np.ndarray)):
        return f"Return a list of latencies, not {type(got).__name__}."
    if len(got) != number:
        return f"{number} requests have {number} latencies, not {len(got)}."
    if not all(isinstance(one, (int, float, np.number)) for one in got):
        return "Each latency is a number of seconds."
    return ""


# %% test="ex2" points=2
# Covers one machine and two. Not shown: more machines, long days.
fault = times_of(queue([0, 1, 10], [3, 3, 3], 1), 3)
assert not fault, fault
assert np.allclose(queue([0, 1, 10], [3, 3, 3], 1), [3, 5, 3]), (
    "The second waits from 1 to 3, is answered at 6; at 10 nobody is before the third."
)
assert np.allclose(queue([0, 1, 2], [5, 1, 1], 2), [5, 1, 1]), (
    "The first machine is busy until 5, the other one takes the second and the third."
)
assert np.allclose(queue([0, 0, 0], [2, 2, 2], 2), [2, 2, 4]), (
    "Three at once and two machines: the third waits 2 seconds."
)
assert np.allclose(queue([4, 5], [1, 1], 3), [1, 1]), "One machine is never needed."
### BEGIN HIDDEN TESTS


def served(arrivals, services, machines):
    """Return the latencies, by the moments at which machines get free, sorted."""
    moments, found = [0.0] * machines, []
    for came, takes in zip(arrivals, services, strict=True):
        begins = max(came, moments.pop(0))
        moments = sorted([*moments, begins + takes])
        found.append(begins + takes - came)
    return found


for seed, machines in ((1, 1), (2, 2), (3, 3), (4, 7)):
    came, takes = traffic(seed, 400, 25 * machines)
    got, want = queue(came, takes, machines), served(came, takes, machines)
    assert not times_of(got, 400), "Every day should give a latency for each request."
    wrong = [n for n in range(400) if not near(got[n], want[n])]
    assert not wrong, (
        f"400 requests drawn for {machines} machines: number {wrong[0]}, from 0, "
        f"should be answered after {want[wrong[0]]:.4f} s, got {got[wrong[0]]}."
    )
short = queue([0, 0, 1, 1, 1], [8, 2, 4, 1, 1], 2)
want = [8, 2, 5, 6, 7]
why = "Arrivals 0, 0, 1, 1, 1, services 8, 2, 4, 1, 1"
assert np.allclose(short, want), f"{why}: want {want}, got {short}."
assert len(queue([], [], 2)) == 0, "Without a request there should be no latency."
came, takes = traffic(5, 50, 60)
kept = list(came), list(takes)
queue(came, takes, 2)
assert (came, takes) == kept, "The lists that were given should stay as they are."
### END HIDDEN TESTS

# %% test="ex2" part="size" points=2
# Covers small days, and a promise that nobody keeps. Not shown: long days, bursts.
few = outcome(machines_for, [0, 0, 0, 0], [1, 1, 1, 1], 2, 1)
assert few is not None, "machines_for returned nothing: return a number of machines."
fault = f"2 machines keep 2 s; your answer says that none do: {few}"
assert not isinstance(few, ValueError), fault
assert isinstance(few, (int, np.integer)), f"Want an int, not {type(few).__name__}."
assert few == 2, f"Four at once, 1 s each: two machines answer within 2 s, not {few}."
few = outcome(machines_for, [0, 0, 0, 0], [1, 1, 1, 1], 1, 1)
assert few == 4, f"Four at once, 1 s each: within 1 s four machines, not {few!r}."
few = outcome(machines_for, [0, 9], [1, 1], 5, 2)
assert few == 2, f"One machine is enough, but two must stand: not {few!r}."
sentence = refusal(machines_for, [0, 9], [1, 1], 0.5, 2)
assert sentence is not None, "Nobody is answered in 0.5 s: raise ValueError."
assert sentence.strip(), "Say in the ValueError what cannot be kept."
### BEGIN HIDDEN TESTS


def p99(arrivals, services, machines):
    """Return the p99 of the latencies, seconds."""
    moments, found = [0.0] * machines, []
    for came, takes in zip(arrivals, services, strict=True):
        begins = max(came, min(moments))
        moments[moments.index(min(moments))] = begins + takes
        found.append(begins + takes - came)
    return np.quantile(found, 0.99)


for seed, rate, tail, longest, promise, least in (
    (11, 30, 0.03, 0.4, 0.75, 1),
    (13, 90, 0.02, 0.4, 0.25, 2),
    (14, 170, 0.03, 0.4, 0.37, 2),
    (15, 8, 0.03, 0.4, 0.6, 3),
    (21, 120, 0.015, 3, 1.6, 1),
    (22, 60, 0.02, 1, 0.95, 1),
    (23, 200, 0.01, 1, 0.1, 2),
):
    came, takes = traffic(seed, 1_500, rate, tail, longest)
    want = least
    while p99(came, takes, want) > promise:
        want += 1
    got = outcome(machines_for, came, takes, promise, least)
    busy = sum(takes) / came[-1]
    said = f"1,500 requests, {rate} a second, work for {busy:.2f} machines"
    why, refused = f"{want} machines keep {promise} s", isinstance(got, ValueError)
    assert not refused, f"{said}: {why}; your answer says that none do: {got}"
    said += f", p99 within {promise} s, at least {least}"
    assert got == want, f"{said}: want {want} machines, got {got}."
for came, takes, promise, least, want, why in (
    ([0], [1], 5, 2, 2, "one request, and two machines must stand"),
    ([0, 1], [3, 3], 10, 1, 1, "two requests for 3 s each, at 0 and at 1"),
    ([0] * 30, [1] * 30, 2, 1, 15, "30 requests at once, 1 s each"),
    ([0] * 120, [1] * 120, 1, 100, 119, "120 requests at once, 1 s each"),
):
    got = outcome(machines_for, came, takes, promise, least)
    said = f"{why[0].upper()}{why[1:]}, p99 within {promise} s, at least {least}"
    why, refused = f"{want} machines keep it", isinstance(got, ValueError)
    assert not refused, f"{said}: {why}; your answer says that none do: {got}"
    assert got == want, f"{said}: want {want} machines, got {got}."
came, takes = traffic(17, 500, 20)
alone = float(np.quantile(takes, 0.99))
why = "where even a request that waits for nobody has a longer p99, want ValueError"
said = refusal(machines_for, came, takes, 0.9 * alone, 2)
assert said is not None, f"A promise of {0.9 * alone:.3f} s: {why}."
mean = sum(takes) / len(takes)
said = refusal(machines_for, came, takes, 2 * mean, 2)
assert said is not None, f"A promise of {2 * mean:.3f} s, twice the mean: {why}."
assert refusal(machines_for, came, takes, 1.2 * alone, 2) is None, (
    "A promise above the p99 of the service times should be kept by some number."
)
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 3: a cache that pays, and that does not lie
#
# An answer may be kept and given again. `from_cache(log, life)` goes through a log and returns
# a list of bool, one for each request: was it answered from the cache?
# - `log` is a list of dicts, in order of time: `"at"` (days since the start), `"applicant"`
#   (text), `"amount"` (EUR asked for) and `"version"` (of the model that is to answer, text).
# - A kept answer may be given if applicant, amount and version are the same: the answer of
#   another model would be wrong. It must be at most `life` days old, counted from the request
#   for which it was **computed**.
# - Any other request is computed, and its answer is kept. It replaces the older answer for the
#   same applicant, amount and version. No answer is ever thrown away for another reason: after
#   a rollback the old version's answers may still be good.
#
# `pays_from(asked, price, fill, cache_day)` returns the hits a day from which a day with the
# cache costs no more than a day without it (float, not rounded up), or `None` if these are more
# hits than there are requests. There are `asked` requests a day.
# - Without a cache each request costs `price` EUR.
# - With it, a hit costs nothing. A miss costs `price` EUR and `fill` EUR more, for its answer is
#   written into the cache. The cache itself costs `cache_day` EUR a day.
# - One of `price` and `fill` may be 0, and `fill` may be more than `price`. `price` is 0 for a
#   score while the machines stand anyway: a score that is not computed saves nothing.


# %% answer="ex3"
def from_cache(log, life):
    """Return for each request whether it was answered from the cache."""
    ### BEGIN SOLUTION
    computed, hits = {}, []
    for one in log:
        key = one["applicant"], one["amount"], one["version"]
        hit = key in computed and one["at"] - computed[key] <= life
        hits.append(hit)
        if not hit:
            computed[key] = one["at"]
    return hits
    ### END SOLUTION


def pays_from(asked, price, fill, cache_day):
    """Return the hits a day from which the cache pays, or None."""
    ### BEGIN SOLUTION
    hits = (cache_day + asked * fill) / (price + fill)
    return hits if hits <= asked else None
    ### END SOLUTION


# %% locked="logs"
def asks(at, applicant="Ann", amount=900, version="1"):
    """Return one request."""
    return {"at": at, "applicant": applicant, "amount": amount, "version": version}


def spelled(hits):
    """Return + for each hit and - for each miss."""
    return "".join("+" if hit else "-" for hit in hits)


# %% test="ex3" points=2
# Covers the key, the age, a new version. Not shown: rollbacks, long logs.
hits = from_cache([asks(0), asks(1)], 3)
assert hits is not None, "from_cache returned nothing: return a list of bool."
assert isinstance(hits, (list, tuple)), f"Return a list, not {type(hits).__name__}."
assert len(hits) == 2, f"Two requests have two answers, not {len(hits)}."
assert spelled(hits) == "-+", "The second request repeats the first a day later: a hit."
log = [asks(0), asks(1, amount=950), asks(1, applicant="Bob"), asks(2)]
assert spelled(from_cache(log, 3)) == "---+", "Another amount or applicant: no repeat."
log = [asks(0), asks(1, version="2"), asks(2, version="2")]
assert spelled(from_cache(log, 3)) == "--+", "The answer of version 1 is not that of 2."
log = [asks(0), asks(3), asks(3.5), asks(4)]
assert spelled(from_cache(log, 3)) == "-+-+", (
    "Just 3 days old may be given, 3.5 not; from then on there is a new answer."
)
### BEGIN HIDDEN TESTS
assert len(from_cache([], 3)) == 0, "Without a request there should be no answer."
log = [asks(n) for n in range(9)]
got, want = spelled(from_cache(log, 2)), "-++-++-++"
why = "a hit should not make an answer younger, and a new one counts anew"
assert got == want, f"Asked every day, life 2: want {want}, got {got}; {why}."
log = [asks(0), asks(1, version="2"), asks(2), asks(3, version="2"), asks(4)]
got, want = spelled(from_cache(log, 3)), "--++-"
why = "after a rollback the old version's answer should still be kept, with its age"
given = "Versions 1, 2, 1, 2, 1 day by day, life 3"
assert got == want, f"{given}: want {want}, got {got}; {why}."
log = [asks(0, "1", 23, "2"), asks(1, "12", 3, "2"), asks(2, "2", 23, "1")]
got = spelled(from_cache(log, 3))
why = "Applicant, amount and version 1, 23, 2, then 12, 3, 2, then 2, 23, 1"
assert got == "---", f"{why}: none is a repeat, got {got}."
log = [asks(0), asks(0.5, "Bob"), asks(1.8125), asks(2.25, "Bob")]
got = spelled(from_cache(log, 1.75))
assert got == "---+", f"Each answer should have its own age: want ---+, got {got}."
got = spelled(from_cache([asks(5), asks(5)], 0))
assert got == "-+", f"Twice at once, life 0: the same moment is fresh, got {got}."
for seed, life in ((1, 2), (2, 4), (3, 0.5)):
    draw, now, log = random.Random(seed), 0.0, []
    for _ in range(300):
        now += draw.choice([0, 0.25, 0.5])
        who, much = draw.choice("abcde"), draw.choice([500, 500.5])
        log.append(asks(now, who, much, draw.choice("12")))
    given = json.dumps(log)
    want, kept = [], []
    for one in log:
        same = [old for old in kept if old | {"at": 0} == one | {"at": 0}]
        want.append(bool(same) and same[-1]["at"] >= one["at"] - life)
        kept += [] if want[-1] else [one]
    got = from_cache(log, life)
    assert len(got) == 300, "A log of 300 requests should have 300 answers."
    wrong = [n for n in range(300) if bool(got[n]) != want[n]]
    if wrong:
        one, hit = log[wrong[0]], want[wrong[0]]
        kind, other = ("hit", "miss") if hit else ("miss", "hit")
        why = f"{one} should be a {kind}, your answer says {other}."
        raise AssertionError(f"300 requests, life {life}: {why}")
    assert json.dumps(log) == given, "The log that was given should stay as it is."
### END HIDDEN TESTS

# %% test="ex3" part="pays" points=2
# Covers reports, writing, machines that stand. Not shown: other prices and days.
hits = pays_from(100, 1, 0, 5)
assert hits is not None, "A cache of 5 EUR a day pays from 5 hits of 1 EUR: not None."
assert isinstance(hits, (int, float)), f"Want a number, not {type(hits).__name__}."
assert near(hits, 5), f"5 EUR a day are 5 reports of 1 EUR: not {hits}."
report = pays_from(70, prices["bureau_report"], 0, prices.cache_day())
want = cache_break_even(prices.cache_day(), prices["bureau_report"])
assert near(report, want), "Without `fill` it is what `cache_break_even` says."
filled = pays_from(100, 1, 0.25, 5)
assert near(filled, 24), f"76 misses cost 95, the cache 5, together 100: not {filled}."
assert pays_from(4, 1, 0, 5) is None, "4 requests a day cannot be 5 hits."
assert near(pays_from(5, 1, 0, 5), 5), "If all 5 are hits, it is no dearer: it pays."
assert pays_from(100, 0, 0.25, 5) is None, "A hit that saves nothing never pays."
### BEGIN HIDDEN TESTS


def dearer(hits, asked, price, fill, cache_day):
    """Return how much more a day costs with the cache than without."""
    return cache_day + (asked - hits) * (price + fill) - asked * price


draw, kinds = random.Random(5), set()
for _ in range(40):
    asked, price = draw.randrange(5, 400), draw.uniform(0.1, 3)
    fill = draw.choice([0, draw.uniform(0, price), draw.uniform(price, 3 * price)])
    cache_day = draw.uniform(0.1, 200)
    given = asked, price, fill, cache_day
    got = pays_from(*given)
    said = f"{asked} a day, price {price:.3f}, fill {fill:.3f}, cache {cache_day:.2f}"
    pays = dearer(asked, *given) <= 0
    kinds.add((pays, fill > 0))
    if pays:
        assert isinstance(got, (int, float)), f"{said}: it can pay, got {got}."
        bill = dearer(got, *given)
        assert abs(bill) < 1e-6, (
            f"{said}: with {got} hits a day with the cache should cost as much as "
            f"one without, and it costs {bill:.4f} EUR more."
        )
    else:
        assert got is None, f"{said}: even if all are hits it is dearer, got {got}."
assert len(kinds) == 4, "The draws should be of all four kinds; tell us if not."
half = pays_from(100, 0.5, 1, 5)
why = "30 misses should cost 45 and the cache 5, together 50 as without it"
assert near(half, 70), f"100 a day, price 0.5, fill 1, cache 5: {why}; got {half}."
dear = pays_from(50, 0, 0.5, 0.25)
assert dear is None, f"Price 0, fill 0.5: no hit saves anything, want None, got {dear}."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 4: a machine that goes away
#
# `finished(work, interval, save, restart, quiet)` returns after how many hours a job is done.
# All five are in hours.
# - The job has `work` hours to do. Whenever it has done `interval` hours, it saves, which
#   takes `save` hours. The last piece is what is left, perhaps less than `interval`; it is saved,
#   too, and then the job is done.
# - The first machine is taken away after `quiet[0]` hours. The next one is there at once, but
#   needs `restart` hours before it works, and is taken away `quiet[1]` hours after it came: its
#   restart counts, too, and may not even be over; and so on. When the list is at its end, no
#   machine is taken away any more.
# - What was saved stays. A piece whose save is not over when the machine is taken away is lost;
#   a save that ends just then is in time.
#
# `spot_plan(work, save, restart, between, spot, demand)` returns how to run such a job, if
# interruptions come at random. **Mind the units**: `work` and `between` (mean time between two
# interruptions) are in hours, `save` and `restart` in **minutes**. `spot` and `demand` are EUR for
# an hour of a machine, spot and on demand. The dict has
# - `"young"`: the hours of work between two saves, by Young's formula; at most `work`,
# - `"pieces"`: into how many equal pieces, from 1 to 200, the job is cut for the fewest expected
#   hours (int), by `expected_hours` of lesson 05/08 (all its times are hours),
# - `"eur"`: what the job then costs on spot machines, as expected (float),
# - `"where"`: `"spot"` if that is less than on demand, else `"demand"`. On demand nobody interrupts
#   the job: it works, saves once at its end, and needs no restart.


# %%
help(expected_hours)


# %% answer="ex4"
def finished(work, interval, save, restart, quiet):
    """Return after how many hours the job is done."""
    ### BEGIN SOLUTION
    clock, done, used = 0, 0, 0
    for length in [*quiet, math.inf]:
        while done < work:
            piece = min(interval, work - done)
            if used + piece + save > length:
                break
            used += piece + save
            done += piece
        if done >= work:
            return clock + used
        clock, used = clock + length, restart
    ### END SOLUTION


def spot_plan(work, save, restart, between, spot, demand):
    """Return "young", "pieces", "eur" and "where" of a job."""
    ### BEGIN SOLUTION
    save, restart = save / 60, restart / 60
    hours = []
    for pieces in range(1, 201):
        each = work / pieces
        hours.append(expected_hours(work, each, save, restart, between))
    eur = min(hours) * spot
    return {
        "young": min(work, math.sqrt(2 * save * between)),
        "pieces": 1 + hours.index(min(hours)),
        "eur": eur,
        "where": "spot" if eur < (work + save) * demand else "demand",
    }
    ### END SOLUTION


# %% test="ex4" points=2
# Covers quiet, one interruption, a short piece. Not shown: many interruptions.
calm = finished(4, 2, 0.5, 0.25, [])
assert calm is not None, "finished returned nothing: return a number of hours."
assert isinstance(calm, (int, float)), f"Want a number, not {type(calm).__name__}."
assert calm == 5, f"Two pieces of 2 hours and half an hour each to save: not {calm}."
assert finished(5, 2, 0.5, 0.25, []) == 6.5, "The last piece is 1 hour, saved as well."
once = finished(4, 2, 0.5, 0.25, [4])
why = "At 4 hours 2 are saved; after 0.25 the other 2 are done again, and saved"
assert once == 6.75, f"{why}: not {once}."
assert finished(4, 2, 0.5, 0.25, [2.25]) == 7.5, "No save was over: all is lost."
assert finished(4, 2, 0.5, 0.25, [2.5]) == 5.25, "The first save was over just in time."
### BEGIN HIDDEN TESTS


def by_list(work, interval, save, restart, quiet):
    """Return the hours, by a list of the pieces that are left to do."""
    left = [min(interval, work - start) for start in np.arange(0, work, interval)]
    gone = 0
    for number, length in enumerate([*quiet, 1e6]):
        at = restart if number else 0
        while left and at + left[0] + save <= length:
            at += left.pop(0) + save
        if not left:
            return gone + at
        gone += length


for work, interval, save, restart, quiet in (
    (4, 2, 0.5, 0.25, [5]),
    (4, 2, 0.5, 0.25, [1, 1, 1]),
    (4, 2, 0.5, 3, [1, 2, 2.5, 1]),
    (3, 5, 0.25, 0.5, [3.25, 1]),
    (3, 5, 0.25, 0.5, [3, 3.25, 3.75]),
    (6, 2, 0.25, 0.5, [5, 2.75]),
    (6, 2, 0, 0, [2, 1.75, 4]),
):
    want = by_list(work, interval, save, restart, quiet)
    got = finished(work, interval, save, restart, quiet)
    assert near(got, want), (
        f"Work {work}, interval {interval}, save {save}, restart {restart}, "
        f"quiet {quiet}: it should be done after {want} hours, got {got}."
    )
draw = random.Random(7)
for _ in range(20):
    work, interval = draw.randrange(4, 80) / 4, draw.randrange(1, 12) / 4
    save, restart = draw.choice([0.125, 0.25]), draw.choice([0, 0.25, 0.5])
    quiet = [draw.randrange(1, 40) / 4 for _ in range(draw.randrange(12))]
    given = list(quiet)
    want = by_list(work, interval, save, restart, quiet)
    got = finished(work, interval, save, restart, quiet)
    assert near(got, want), (
        f"Work {work}, interval {interval}, save {save}, restart {restart}, "
        f"quiet {quiet}: it should be done after {want} hours, got {got}."
    )
    assert quiet == given, "The list that was given should stay as it is."
### END HIDDEN TESTS

# %% test="ex4" part="plan" points=2
# Covers the lesson's job. Not shown: long saves, other machines and prices.
PLAN = ["young", "pieces", "eur", "where"]
demand = HOUR
spot = prices.machine_hour(vcpu=1, gb=2, spot=True)
plan = spot_plan(20, 3, 6, 5, spot, demand)
fault = keys_of(plan, PLAN)
assert not fault, fault
assert isinstance(plan["pieces"], (int, np.integer)), "Want a whole number of pieces."
got = plan["young"]
assert near(got, young(0.05, 5)), f"3 minutes, 5 hours: about 0.71 hours, not {got}."
assert 0.9 < 20 / plan["pieces"] / plan["young"] < 1.1, (
    "Young's formula and the minimum are less than a tenth apart in this job."
)
hours = expected_hours(20, 20 / plan["pieces"], 3 / 60, 6 / 60, 5)
got = plan["eur"]
want = spot * hours
why = f"{hours:.1f} hours at {spot:.4f} are {want:.4f} EUR, not {six(got)}."
assert near(got, want), why
assert plan["where"] == "spot", "That is less than 20 hours and a save on demand."
### BEGIN HIDDEN TESTS
kinds, jobs = set(), [(60, 1, 5, 1.5), (2, 50, 5, 300), (40, 50, 5, 1)]
for seed in range(12):
    draw = random.Random(seed)
    if seed >= len(jobs):
        work, save = draw.choice([2, 9, 60]), draw.choice([1, 4, 25, 50])
        restart, between = draw.choice([0, 5, 30]), draw.choice([1.5, 6, 40, 300])
        jobs.append((work, save, restart, between))
    work, save, restart, between = jobs[seed]
    demand = draw.uniform(0.05, 3)
    spot = demand * (draw.choice([0.25, 0.5, 0.9]) if seed != 1 else 0.9)
    got = spot_plan(work, save, restart, between, spot, demand)
    said = (
        f"Work {work} h, save {save} min, restart {restart} min, between {between} h, "
        f"spot {spot:.4f}, demand {demand:.4f}"
    )
    assert not keys_of(got, PLAN), f"{said}: want a dict of the four."
    want, told = min(young(save / 60, between), work), got["young"]
    assert near(told, want), f"{said}: young should be {want}, got {told}."
    times = save / 60, restart / 60, between
    tried = [expected_hours(work, work / n, *times) for n in range(1, 201)]
    want = 1 + int(np.argmin(tried))
    assert got["pieces"] == want, f"{said}: want {want} pieces, got {got['pieces']}."
    want = min(tried) * spot
    assert near(got["eur"], want), f"{said}: on spot {want:.4f} EUR, got {got['eur']}."
    want = "spot" if want < demand * (work + save / 60) else "demand"
    kinds |= {want, "whole" if got["pieces"] == 1 else "cut"}
    assert got["where"] == want, f"{said}: it should run on {want}, got {got['where']}."
assert len(kinds) == 4, "The draws should be of all four kinds; tell us if not."
for work, save, restart, between in ((3, 10, 30, 40), (9, 25, 5, 6)):
    times = save / 60, restart / 60, between
    spot = min(expected_hours(work, work / n, *times) for n in range(1, 201))
    # Spot machines at 1 EUR an hour; on demand the job costs a little less, then more.
    for hours, want in ((save + restart / 2, "demand"), (save / 2, "spot")):
        demand = spot / (work + hours / 60)
        got = spot_plan(work, save, restart, between, 1, demand)
        assert not keys_of(got, PLAN), "Every job should give a dict of the four."
        alone = demand * (work + save / 60)
        said = f"Work {work} h, save {save} min, restart {restart} min"
        why = f"{spot:.4f} EUR on spot, {alone:.4f} EUR on demand"
        assert got["where"] == want, f"{said}: {why}, want {want}, got {got['where']}."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 5: the cheapest setup that keeps the promise
#
# Somebody has measured: one machine of each kind, with batches of several sizes, under several
# loads. `cheapest(tests, kinds, prices, load, promise, least)` returns the setup with the
# lowest bill that keeps a promise, as a dict.
# - `tests` is a list of dicts, in any order: `"kind"` (of the machine, text), `"batch"` (its
#   size), `"rate"` (requests per second on this one machine) and `"p99"` (in seconds, at that
#   rate; for one kind and batch it grows with the rate).
# - One machine of a kind, with batches of one size, bears the largest of its tested rates at
#   which its p99 is at most `promise`. Do not estimate rates between two tests or beyond them.
#   If it has no such rate, it is out.
# - `kinds` is a dict from a kind to its vCPUs and GB, such as `{"small": (1, 2)}`. `prices` is
#   what `read_prices` returns: `prices.machine_hour(vcpu, gb)` is EUR an hour. A month has
#   730 hours.
# - There must be enough machines, all alike, for `load` requests per second, and never fewer
#   than `least`, which is 1 or more.
#
# The dict has `"kind"`, `"batch"`, `"machines"` (int) and `"month"` (EUR). Bills are equal if they
# are so to the cent (`round(month, 2)`). Of equal bills take the setup with fewer machines, then
# the one with smaller batches. (More ties do not occur.)
#
# If nothing keeps the promise, raise `ValueError`. It should tell the reader what could be
# promised: its sentence names the smallest p99 of all tests, and no other p99.


# %% answer="ex5"
def cheapest(tests, kinds, prices, load, promise, least):
    """Return "kind", "batch", "machines" and "month" of the cheapest setup."""
    ### BEGIN SOLUTION
    bears = {}
    for test in tests:
        if test["p99"] <= promise:
            setup = test["kind"], test["batch"]
            bears[setup] = max(bears.get(setup, 0), test["rate"])
    if not bears:
        best = min(test["p99"] for test in tests)
        raise ValueError(f"nothing keeps {promise} s; the smallest p99 is {best} s")
    found = []
    for (kind, batch), rate in bears.items():
        machines = max(least, math.ceil(load / rate))
        month = 730 * machines * prices.machine_hour(*kinds[kind])
        found.append((round(month, 2), machines, batch, kind, month))
    _, machines, batch, kind, month = min(found)
    return {"kind": kind, "batch": batch, "machines": machines, "month": month}
    ### END SOLUTION


# %% locked="tests"
SETUP = ["kind", "batch", "machines", "month"]
KINDS = {"small": (1, 2), "large": (4, 8)}
SIZES = {"one": (1, 2), "two": (2, 8), "six": (6, 6)}
TESTS = [
    {"kind": kind, "batch": batch, "rate": rate, "p99": p99}
    for kind, batch, rate, p99 in (
        ("small", 1, 100, 0.012),
        ("small", 1, 200, 0.03),
        ("small", 32, 400, 0.04),
        ("small", 32, 900, 0.09),
        ("large", 1, 500, 0.008),
        ("large", 1, 800, 0.018),
        ("large", 32, 3000, 0.045),
    )
]


def other_prices(**changes):
    """Return the prices of a file with other values."""
    text = PRICES.read_text(encoding="utf-8")
    for name, value in changes.items():
        text = re.sub(rf"({name}:\n.*\n  value: ).*", rf"\g<1>{value}", text)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "prices.yml")
        path.write_text(text, encoding="utf-8")
        return read_prices(path)


def table(seed):
    """Return load tests by chance: larger batches bear more, and answer later."""
    dice, rows = random.Random(seed), []
    for kind, cores in (("one", 1), ("two", 2), ("six", 6)):
        for batch in (1, 8, 64):
            most = int(cores**1.1 * dice.uniform(60, 180) * batch**0.5)
            for share in (0.3, 0.5, 0.7, 0.9):
                p99 = dice.uniform(0.95, 1.05) * (0.004 + batch / 2e3) / (1 - share)
                row = {"kind": kind, "batch": batch, "rate": int(most * share)}
                rows.append(row | {"p99": p99})
    dice.shuffle(rows)
    return rows


def names_seconds(sentence, seconds):
    """Whether a sentence names a time, in seconds or in milliseconds, to two digits."""
    told = [float(one) for one in re.findall(r"\d+\.?\d*(?:e-?\d+)?", sentence)]
    told += [one / 1000 for one in told]
    return any(math.isclose(one, seconds, rel_tol=0.01) for one in told)


def setup_of(found):
    """Return kind, batch and machines of an answer, or what is wrong with its form."""
    return keys_of(found, SETUP) or [found[name] for name in SETUP[:3]]


# %% test="ex5" points=2
# Covers four promises and loads. Not shown: other tables, prices and loads.
found = outcome(cheapest, TESTS, KINDS, prices, 700, 0.05, 2)
fault = keys_of(found, SETUP)
assert not fault, fault
assert found["kind"] == "small", "Two small machines in batches of 32 bear 800."
assert found["batch"] == 32, "One by one a small machine bears 200: that takes four."
assert found["machines"] == 2, f"Two machines bear 800: not {found['machines']}."
assert near(found["month"], 1460 * HOUR, 0.006), "Two machines for 730 hours each."
setup = setup_of(outcome(cheapest, TESTS, KINDS, prices, 700, 0.02, 2))
assert setup == ["small", 1, 7], f"Within 0.02 s a small one bears 100: not {setup}."
whole = isinstance(setup[2], (int, np.integer))
assert whole, f"A number of machines is an int, not {type(setup[2]).__name__}."
setup = setup_of(outcome(cheapest, TESTS, KINDS, prices, 50, 0.01, 2))
assert setup == ["large", 1, 2], f"Within 0.01 s only large ones do it: not {setup}."
only_small = [one for one in TESTS if one["kind"] == "small"]
setup = setup_of(outcome(cheapest, only_small, {"small": (1, 2)}, prices, 900, 0.1, 1))
assert setup == ["small", 32, 1], f"One small one bears just 900: not {setup}."
### BEGIN HIDDEN TESTS


def bill(rows, given, of, load, promise, least):
    """Return the bills of all setups, cheapest first."""
    bills = []
    for kind, batch in sorted({(row["kind"], row["batch"]) for row in rows}):
        mine = [row for row in rows if (row["kind"], row["batch"]) == (kind, batch)]
        held = [row["rate"] for row in mine if not row["p99"] > promise]
        if held:
            number = max(least, -(-load // max(held)))
            eur = number * 730 * given.machine_hour(*of[kind])
            bills.append((eur, number, batch, kind))
    return sorted(bills)


def circumstances(given, of, load, promise, least):
    """Say what was given, without the table."""
    costs = {kind: round(given.machine_hour(*size), 4) for kind, size in of.items()}
    return f"Load {load}, promise {promise} s, at least {least}, EUR an hour {costs}"


chosen = set()
for seed in range(30):
    draw = random.Random(100 + seed)
    load, promise = draw.choice([3, 150, 900, 4000]), draw.choice([0.012, 0.03, 0.2])
    least, rows = draw.choice([1, 2, 3]), table(seed)
    given = other_prices(
        vcpu_hour=round(draw.uniform(0.01, 0.2), 4),
        gb_hour=round(draw.uniform(0.002, 0.05), 4),
        eur_per_usd=round(draw.uniform(0.7, 1.1), 2),
    )
    bills = bill(rows, given, SIZES, load, promise, least)
    if len({round(one[0], 2) for one in bills[:2]}) < len(bills[:2]):
        continue  # ties have points of their own
    eur, number, batch, kind = bills[0]
    chosen.add((kind, batch))
    found = outcome(cheapest, rows, SIZES, given, load, promise, least)
    said = circumstances(given, SIZES, load, promise, least)
    why, refused = f"{number} of kind {kind} keep it", isinstance(found, ValueError)
    assert not refused, f"{said}: {why}; your answer says that none do: {found}"
    got, want = setup_of(found), [kind, batch, number]
    assert got == want, f"{said}: want {want} for {eur:.2f} EUR, got {got}."
    told = found["month"]
    assert near(told, eur, 0.006), f"{said}: want {eur} EUR, got {told}."
assert len(chosen) > 4, "The draws should choose many setups; tell us if not."
### END HIDDEN TESTS

# %% test="ex5" part="edges" points=2
# Covers a promise that nothing keeps, and a tie. Not shown: other ties and promises.
sentence = refusal(cheapest, TESTS, KINDS, prices, 50, 0.007, 2)
assert sentence is not None, "The smallest p99 is 0.008 s: raise ValueError for 0.007."
told = names_seconds(sentence, 0.008)
assert told, f"Say that the smallest is 0.008 s: {sentence!r}."
told = names_seconds(sentence, 0.09)
assert not told, f"Name 0.008 s, and no p99 that is longer: {sentence!r}."
alike = {"plain": (1, 2), "twin": (2, 4)}
even = [
    {"kind": "plain", "batch": 1, "rate": 100, "p99": 0.01},
    {"kind": "twin", "batch": 1, "rate": 200, "p99": 0.01},
]
tie = outcome(cheapest, even, alike, prices, 400, 0.01, 2)
fault = keys_of(tie, SETUP)
assert not fault, fault
assert tie["kind"] == "twin", "Four plain ones cost as much as two twins: take the two."
### BEGIN HIDDEN TESTS
for seed in (41, 42, 43):
    rows = table(seed)
    best = min(row["p99"] for row in rows)
    given = other_prices(vcpu_hour=round(0.01 * seed, 2))
    said = refusal(cheapest, rows, SIZES, given, 100, 0.9 * best, 2)
    why = f"Promise {0.9 * best:.5f} s, smallest p99 {best:.5f} s"
    assert said is not None, f"{why}: want a ValueError."
    told = names_seconds(said, best)
    assert told, f"{why}: the error should name the smallest, got {said!r}."
    assert refusal(cheapest, rows, SIZES, given, 100, best, 2) is None, (
        f"Promise {best} s, smallest p99 the same: at most, so it should be kept."
    )
for price in (0.031, 0.0333, 0.0471, 0.1):
    given = other_prices(vcpu_hour=price, gb_hour=round(price / 7, 5))
    triple = {"kind": "triple", "batch": 8, "rate": 300, "p99": 0.01}
    for turn in ([even[0], triple], [triple, even[0]]):
        of = alike | {"triple": (3, 6)}
        got = setup_of(outcome(cheapest, turn, of, given, 600, 0.01, 2))
        why = f"Six plain machines cost as much as two triples, vCPU {price}"
        assert got == ["triple", 8, 2], f"{why}: want two triples, got {got}."
    small = [even[0] | {"batch": size, "rate": 90 + size} for size in (8, 4, 2, 16)]
    got = setup_of(outcome(cheapest, small, alike, given, 180, 0.01, 2))
    why = "Two machines with batches of 8, 4, 2 or 16"
    assert got == ["plain", 2, 2], f"{why}: want batches of 2, got {got}."
given = other_prices(vcpu_hour=0.04048, gb_hour=0.004445, eur_per_usd=1.0)
for gb, twice, load, want, why in (
    (2, 4.003, 600, ["plain", 1, 6], "216.24 and 216.27 EUR are not equal"),
    (1, 2.001, 400, ["plain", 1, 4], "131.181 and 131.187 EUR are not equal"),
    (1.009, 2.0185, 400, ["twin", 1, 2], "131.298 and 131.301 EUR are equal"),
):
    nearly = {"plain": (1, gb), "twin": (2, twice)}
    got = setup_of(outcome(cheapest, even, nearly, given, load, 0.01, 2))
    assert got == want, f"Rounded to the cent {why}: want {want}, got {got}."
wide = [
    {"kind": "plain", "batch": batch, "rate": rate, "p99": p99}
    for batch, rate, p99 in ((4, 20, 2.91), (8, 30, 1.37), (8, 60, 4.19))
]
said = refusal(cheapest, wide, alike, prices, 90, 1.1, 2)
why = "The p99 is 2.91 s with batches of 4, and 1.37 or 4.19 s with batches of 8"
assert said is not None, f"{why}: for 1.1 s want a ValueError."
told = [p99 for p99 in (1.37, 2.91, 4.19) if names_seconds(said, p99)]
assert told == [1.37], f"{why}: the error should name 1.37 s alone, got {said!r}."
many = [even[1] | {"rate": 3_000}]
got = setup_of(outcome(cheapest, many, alike, prices, 6_001, 1, 2))
why = "Load 6,001, and one machine bears 3,000"
assert got == ["twin", 1, 3], f"{why}: want 3 machines, got {got}."
slow = [{"kind": "plain", "batch": 1, "rate": 0.5, "p99": 3.0}]
got = setup_of(outcome(cheapest, slow, alike, prices, 2, 4, 2))
why = "Load 2, and one machine bears 0.5"
assert got == ["plain", 1, 4], f"{why}: want 4 machines, got {got}."
named = [{"kind": kind, "batch": 4, "rate": 50, "p99": 0.01} for kind in ("a", "z")]
two = {"a": (2, 2), "z": (1, 1)}
got = setup_of(outcome(cheapest, named, two, prices, 40, 0.02, 1))
assert got == ["z", 4, 1], f"Of equal rates the cheaper kind, z, wins: got {got}."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 6: which one is worth the week?
#
# Two proposals, a week of work each. One makes the model better, the other the code faster:
# "half the work for a request means half the bill". `weigh(models, gain, service, speed, week)`
# returns what to do, as a dict.
# - `models` is a list of pairs, one for each model that was measured: its AUC, and what it
#   earned for each application (EUR). What AUC is worth is the slope of the straight line
#   that fits them best (least squares, as in lesson 05/08). `gain` is what the first proposal
#   adds to the AUC, such as 0.001.
# - `service` is a dict: `"applications"` (decisions a month), `"rate"` (requests per second at
#   the peak), `"each"` (requests per second that one machine may bear today), `"hour"` (EUR
#   for one machine for one hour) and `"least"` (machines that must stand, 1 or more). A month has
#   730 hours, and the machines of the peak stand all the time.
# - With the second proposal a machine bears `speed` times as many.
# - `week` is what a week of work costs (EUR).
#
# The dict has `"auc"` and `"speed"` (what each proposal brings, EUR a month), `"do"` and `"months"`.
# `"do"` is the name of the proposal that brings more (they never bring the same), if in 12 months
# it brings at least what the week costs; else it is `"neither"`. `"months"` says after how many
# months it has brought what the week costs (float); it is `None` for `"neither"`.


# %% answer="ex6"
def weigh(models, gain, service, speed, week):
    """Return "auc", "speed", "do" and "months"."""

    ### BEGIN SOLUTION
    def bill(each):
        machines = max(service["least"], math.ceil(service["rate"] / each))
        return machines * service["hour"] * 730

    auc, earned = np.transpose(models)
    slope = np.polyfit(auc, earned, 1)[0]
    brings = {
        "auc": float(slope * gain * service["applications"]),
        "speed": bill(service["each"]) - bill(speed * service["each"]),
    }
    do = max(brings, key=brings.get)
    if 12 * brings[do] < week:
        return brings | {"do": "neither", "months": None}
    return brings | {"do": do, "months": week / brings[do]}
    ### END SOLUTION


# %% locked="proposals"
BRINGS = ["auc", "speed", "do", "months"]
BANK = {"applications": 2000, "rate": 0.5, "each": 8, "hour": HOUR, "least": 2}
SITE = {"applications": 100, "rate": 4000, "each": 8, "hour": HOUR, "least": 2}
LINE = [(0.7, 100), (0.71, 112), (0.72, 124)]  # 1.2 EUR for each 0.001 of AUC
WEEK = 40 * prices["engineer_hour"]

# %% test="ex6" points=2
# Covers Oakbank, and a busy site. Not shown: noisy models, other services and prices.
bank = weigh(LINE, 0.001, BANK, 2, WEEK)
fault = keys_of(bank, BRINGS)
assert not fault, fault
assert near(bank["auc"], 2400), f"1.2 EUR, 2,000 times a month: not {six(bank['auc'])}."
half = {"applications": 1000, "rate": 0.5, "each": 8, "hour": HOUR, "least": 2}
got = weigh(LINE, 0.001, half, 2, WEEK)["auc"]
assert near(got, 1200), f"1.2 EUR, 1,000 times a month: not {six(got)}."
assert near(bank["speed"], 0), "Two machines must stand, however fast: it saves 0."
site = weigh(LINE, 0.001, SITE, 2, WEEK)
assert near(site["auc"], 120), f"1.2 EUR, 100 times a month: not {six(site['auc'])}."
assert near(site["speed"], 250 * 730 * HOUR), "500 machines become 250."
slower = weigh([(0.7, 5), (0.71, 4)], 0.001, BANK, 2, WEEK)
assert near(slower["auc"], -200), "These earn less with more AUC: it brings a loss."
### BEGIN HIDDEN TESTS
for seed in range(8):
    draw = random.Random(seed)
    aucs = [draw.uniform(0.7, 0.8) for _ in range(draw.choice([2, 5, 12]))]
    slope = draw.uniform(-200, 2000)
    models = [(auc, 80 + slope * auc + draw.gauss(0, 3)) for auc in aucs]
    gain, speed = draw.choice([0.0005, 0.001, 0.004]), draw.choice([1.25, 2, 10])
    service = {
        "applications": draw.randrange(50, 9000),
        "rate": draw.choice([1, 40, 333, 2500]),
        "each": draw.choice([4, 16]),
        "hour": round(draw.uniform(0.02, 0.9), 4),
        "least": draw.choice([1, 2, 3]),
    }
    got = weigh(models, gain, service, speed, 2000)
    said = f"Models {[(round(x, 3), round(y, 1)) for x, y in models]}, gain {gain}"
    assert not keys_of(got, BRINGS), f"{said}: want a dict of the four."
    each = 1000 * worth_of_auc(*zip(*models, strict=True))
    want, told = each * gain * service["applications"], got["auc"]
    why = f"want auc {six(want)}, got {six(told)}"
    assert near(told, want), f"{said}, {service}: {why}."
    bears = service["each"], speed * service["each"]
    needs = [-int(-service["rate"] // one) for one in bears]
    now, then = (max(service["least"], one) for one in needs)
    want, told = (now - then) * 730 * service["hour"], got["speed"]
    said = f"Speed {speed}, {service}: {now} machines become {then}"
    assert near(told, want), f"{said}, want {six(want)}, got {six(told)}."
### END HIDDEN TESTS

# %% test="ex6" part="verdict" points=2
# Covers the verdict on both. Not shown: weeks that never pay, and just pay.
bank = weigh(LINE, 0.001, BANK, 2, WEEK)
fault = keys_of(bank, BRINGS)
assert not fault, fault
assert bank["do"] == "auc", "2,400 EUR a month against nothing: not the faster code."
assert near(bank["months"], WEEK / 2400), "After how many months of 2,400 EUR?"
site = weigh(LINE, 0.001, SITE, 2, WEEK)
assert site["do"] == "speed", "Here a faster call saves 250 machines."
idle = weigh(LINE, 0.001, SITE | {"rate": 1}, 2, WEEK)
assert idle["do"] == "neither", "120 EUR a month are less than the week in 12 months."
assert idle["months"] is None, "What is not done brings back nothing: None."
### BEGIN HIDDEN TESTS
HALF = [(0.5, 0), (0.75, 64)]  # a slope of 256
cases = (
    (BANK | {"applications": 1000}, 2**-8, 2, 11_990, "auc", 11.99),
    (BANK | {"applications": 1000}, 2**-8, 2, 12_010, "neither", None),
    (BANK | {"applications": 1000}, 2**-8, 2, 500, "auc", 0.5),
    (BANK | {"applications": 1000}, -(2**-8), 2, 500, "neither", None),
    (BANK | {"applications": 1000}, 2**-8, 2, 13_000, "neither", None),
    (SITE | {"hour": 1.0, "rate": 64}, 2**-8, 2, 730, "speed", 0.25),
    (SITE | {"hour": 1.0, "rate": 64}, 0, 2, 12 * 2_920, "speed", 12),
    (SITE | {"hour": 1.0, "rate": 64}, 0, 2, 12 * 2_920 + 1, "neither", None),
    (SITE | {"hour": 1.0, "rate": 64}, 2**-8, 2, 40_000, "neither", None),
    (SITE | {"hour": 1.0, "rate": 17}, 2**-8, 2, 7_300, "speed", 10),
    (SITE | {"hour": 1.0, "rate": 17, "applications": 731}, 2**-8, 2, 7_310, "auc", 10),
    (SITE | {"hour": 1.0, "rate": 16}, 2**-8, 4, 900, "auc", 9),
    (SITE | {"hour": 1.0, "rate": 64}, -1, 2, 2_920, "speed", 1),
)
for service, gain, speed, week, do, months in cases:
    got = weigh(HALF, gain, service, speed, week)
    shown = service | {"hour": six(service["hour"])}
    said = f"A slope of 256, gain {six(gain)}, {shown}, speed {speed}, week {week}"
    assert not keys_of(got, BRINGS), f"{said}: want a dict of the four."
    assert got["do"] == do, f"{said}: want {do}, got {got['do']}."
    told = got["months"]
    assert near(told, months), f"{said}: want {months} months, got {six(told)}."
### END HIDDEN TESTS

# %% [markdown]
# ## All of it
#
# When all tests pass, run this in a cell of your own. It measures the bank's scorer on your
# machine, sizes a service for a busy hour, and answers the head of the bank. It takes some ten
# seconds.
#
# ```python
# import pandas as pd
#
# from oakbank.pipelines import CreditModel, feature_matrix
# from oakbank.pipelines.contract import requests_of, score
# from oakbank.scale.cost import learning_curve, service_times
# from oakbank.world import World
#
# world, past = World(seed=3), range(-6, 0)
# later, truth = world.applications(0), world.truth(0)
# history = pd.concat([world.applications(month) for month in past])
# outcome = pd.concat([world.truth(month) for month in past])["would_default"]
# scorer = CreditModel.fit(feature_matrix(history), outcome)
# asked = requests_of(later.head(500))
# measured = service_times(lambda one: score(scorer, "1", [one]), asked)
#
# # A busy hour: work for three machines and a half.
# draw, number = np.random.default_rng(0), 20_000
# services = draw.choice(measured, number).tolist()
# rate = 3.5 / measured.mean()
# arrivals = np.cumsum(draw.exponential(1 / rate, number)).tolist()
# promise = 2 * np.quantile(measured, 0.99)
# machines = machines_for(arrivals, services, promise, 2)
# print(f"work for 3.5 machines; p99 within {1000 * promise:.0f} ms takes {machines}")
#
# bad, earns = truth["would_default"], truth["expected_profit"]
# sizes = (300, 1_000, 3_000, 12_000)
# curve = learning_curve(history, outcome, later, bad, earns, sizes=sizes)
# models = curve[["auc", "profit"]].to_numpy().tolist()
# bank = {"applications": 2000, "rate": 70 / 86_400, "each": 0.6 / measured.mean()}
# print(weigh(models, 0.001, bank | {"hour": HOUR, "least": 2}, 2, WEEK))
# ```
#
# Then change it. What is the answer if a price-comparison site asks the bank 2,000 times a second
# (`"rate"`)? And how dear would an hour of an engineer have to be for the answer `"neither"`?
