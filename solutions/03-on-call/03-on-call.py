# %% [markdown]
# # 03 On call
#
# A page at nine in the evening, and nobody knows why. You have a desk: queries that cost minutes, actions that change what
# happens next, and an hour until the day shift takes over. Each minute of a fault costs the bank money, a wrong
# action costs more, and on some evenings nothing has happened at all. In this lab you write the instruments one by one,
# and at the end the runbook that uses them, as a function. It is scored on evenings that you have not seen.
#
# You need lessons 03/09 and 03/11. About 90 minutes; seven exercises, 25 points. `python3 bootstrap.py check 03-on-call`
# runs the tests that you see. A grader's tests go further; the first line of each test says where.

# %% locked="setup"
import json
import math
from collections import Counter

import numpy as np

from oakbank.deploy.oncall.grammar import ACTS, KINDS, QUERIES, SHIFT, draw
from oakbank.deploy.oncall.score import play, play_side_by_side, summary, zoo


def near(got, want):
    """Whether two numbers agree to six digits."""
    close = isinstance(got, (int, float)) and math.isclose(got, want, rel_tol=1e-6)
    return close or (got == want)


# %% locked="bank"
from oakbank.deploy.oncall.bank import usual_bank
from oakbank.deploy.oncall.desk import Desk

the_bank = usual_bank()  # one for all evenings; it takes some seconds
EVENINGS = {
    "Monday": draw(23, "release"),
    "Tuesday": draw(12, "feed"),
    "Wednesday": draw(8, "dependency"),
    "Thursday": draw(8, "disk"),
    "Friday": draw(2, "echo"),
    "Saturday": draw(30, "chance"),
}


def desk_of(seed, cause):
    """Return the desk of another evening."""
    return Desk(draw(seed, cause), the_bank)


# %% [markdown]
# ## What may happen
#
# The **grammar** is public: whoever is on call knows how the bank may break. Another draw of it makes another evening.
#
# | cause | what it is | alerts that it raises | the right action |
# |---|---|---|---|
# | `release` | a new version, beside the old one, grants too much or too little, fails, or is slow | `ApprovalsMoved`, `ServiceErrors`, `ServiceSlow` | `rollback` |
# | `feed` | a column comes in another unit; what leaves the contract's range is refused with 422 | `InputsBroken`, `ApprovalsMoved` | `repair` the column |
# | `stale` | a table is no longer refreshed: everybody gets a value of one of few earlier applicants | `InputsMoved` | `repair` the column |
# | `dependency` | the bureau or the identity check answers late; applicants leave | `ServiceSlow` | `bypass` it |
# | `input` | a kind of application crashes every version (`ValueError`) | `ServiceErrors` | `quarantine` |
# | `disk` | the decision store cannot be written (`OperationalError`) | `ServiceErrors` | `free_disk` |
# | `worker` | workers hold ever more memory, and every version is slow | `ServiceSlow` | `restart` |
# | `registry` | its certificate has run out; the service goes on with its last champion **until it is restarted** | `RefreshFailing` | `renew` |
# | `recession` | loans go worse than predicted, and the feed was whole when they were granted | `DefaultsAboveForecast` | `retrain` |
# | `echo` | loans go worse than predicted that were granted on a broken feed, mended since | `DefaultsAboveForecast` | none |
# | `applicants` | other people apply: several columns have moved, each of them plausible | `InputsMoved`, `ApprovalsMoved` | `retrain` |
# | `chance` | nothing; the alarm rang by chance | `ApprovalsMoved`, `InputsMoved`, `ServiceSlow`, `RefreshFailing`, `DefaultsAboveForecast` | none |
#
# A fault begins about a quarter of an hour before its alert. **Beside** any of them, and beside none, may lie: an innocent release of
# the same evening, often in the very minute of the onset; a disk with little space, and not full; a certificate that ends in
# a few days; a month whose feed was broken and repaired in time. All ranges stand in `oakbank.deploy.oncall.grammar`.
#
# | query | minutes | answer |
# |---|---|---|
# | `metrics` | 2 | readings of Oakbank's counters, one a minute, from an hour before the alert on |
# | `releases` | 3 | the versions: promoted when, by whom, and their `share` of the traffic |
# | `host` | 4 | `disk_free`, `memory_used` (shares), `certificate_days` (below 0: run out) |
# | `inputs` | 5 | of each column, over the newest 600 applications or so: `psi`, `median`, `reference_median`, `age_minutes` |
# | `logs` | 6 | a text: a line of JSON for each event of the newest 1,200 requests or so, of one in six |
# | `outcomes` | 10 | of the last eight months of loans: `loans`, `defaults`, `expected` (predicted), `feed` (`whole` or `broken`) |
#
# | action | minutes | if it was not called for |
# |---|---|---|
# | `rollback` | 3 | 10,000 EUR: the release starts again from its first gate |
# | `repair` (a column) | 4 | 1,000 EUR, and everybody gets the median for a sound value |
# | `bypass` (`bureau` or `identity`) | 2 | 1,000 EUR, and decisions without it |
# | `quarantine` | 3 | 1,000 EUR |
# | `free_disk` | 5 | 1,000 EUR |
# | `restart` | 2 | 2,000 EUR and a minute without service, or no service at all where the registry is away |
# | `renew` | 6 | 1,000 EUR |
# | `retrain` | 1 | 8,000 EUR: a model that has learned a fault, or nothing |
#
# Look at Monday. (Ask for whatever you like: it is not counted.)

# %%
desk = Desk(EVENINGS["Monday"])
print(desk.state["alert"])
readings = desk.ask("metrics")
for name, series in readings.items():
    print(name, series[-4:])
print(*desk.ask("logs").splitlines()[:3], sep="\n")
print(f"minute {desk.minute}: {desk.euros:,.0f} EUR lost since the alert")

# %% [markdown]
# ## Exercise 1: what a counter says
#
# `increases(readings)` takes the readings of a counter, oldest first, a list of numbers, `None` where the service did not
# answer. It returns a list that is one shorter: for each reading but the first, what the counter grew by since the
# reading before it that is not `None`.
# - Is the reading itself `None`, or is there no such reading before it, the entry is `None`.
# - A counter that fell was restarted: it began at 0 again, and grew by all that it shows.
#
# `increases([600, 630, 10]) == [30, 10]`, and `increases([5, None, 9]) == [None, 4]`.


# %% answer="ex1"
def increases(readings):
    """Return what a counter grew by, one entry for each reading but the first."""
    ### BEGIN SOLUTION
    grown, last = [], None
    for reading in readings:
        if reading is None or last is None:
            grown.append(None)
        else:
            grown.append(reading - last if reading >= last else reading)
        last = last if reading is None else reading
    return grown[1:]
    ### END SOLUTION


# %% test="ex1" points=2
# Covers growth, a restart, a gap. Not shown: other readings, and an evening's counters.
got = increases([600, 630, 10])
assert got is not None, "increases returned nothing: return a list."
assert isinstance(got, list), f"Return a list, not {type(got).__name__}."
why_1 = f"It grew by 30, then was restarted and has counted 10: [30, 10], not {got}."
assert got == [30, 10], why_1
why_1 = "A gap has no entry of its own; the next one holds all since the 5."
assert increases([5, None, 9]) == [None, 4], why_1
assert increases([7]) == [], "A single reading has not grown: an empty list."
assert increases([3, 3]) == [0], "What did not grow has grown by 0."
### BEGIN HIDDEN TESTS
why_1 = "The first reading is missing: before the 4 there is none to compare with."
assert increases([None, 4, 6]) == [None, 2], why_1
why_1 = "After a gap a counter may have been restarted, too."
assert increases([9, None, None, 4]) == [None, None, 4], why_1
why_1 = "A counter at 0 is a reading, and no gap."
assert increases([0, 5, 0, 0, 2]) == [5, 0, 0, 2], why_1
why_1 = "Without any reading nothing has grown, so the entry should be None."
assert increases([None, None]) == [None], why_1
series = desk_of(7_420_955_113, "worker")
series.wait(20)
series.act("restart")
series = series.ask("metrics")['oakbank_request_seconds_bucket{le="+Inf"}']
grown = increases(series)
why_1 = "For an evening's readings there should be an entry for each but the first."
assert len(grown) == len(series) - 1, why_1
why_1 = "About 60 requests a minute come in, also after a restart."
assert all(one is None or 0 <= one < 300 for one in grown), why_1
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 2: since when?
#
# `change(values)` finds the place where the level of a noisy series changes, if it does. `values` is a list of numbers, one
# a minute, `None` where nothing is known (leave these out, but count their places).
#
# Take the sum of the first *k* values less *k* times the mean of all: if nothing changes, it wanders about 0; if the level
# changes after the first *k*, it is farthest from 0 just there.
# - The **noise** is `sqrt(mean(d ** 2) / 2)`, where `d` are the differences of neighbours among the known values. (A
#   change of level spoils one of them; the standard deviation of all values it would spoil altogether.)
# - With *n* known values, the change is real if the largest distance from 0 is above `1.63 * noise * sqrt(n)`: by chance alone
#   it is so in at most one series of a hundred.
#
# Return a dict: `"at"` is the place in `values` of the first value after the change (int), or `None` if there is no real one;
# `"before"` and `"after"` are the means on its two sides, and both the mean of all if there is no change. At least two
# values are known. For `[0, 1, 0, 1, 8, 9, 8, 9]`, `"at"` is 4, `"before"` 0.5 and `"after"` 8.5.


# %% answer="ex2"
def change(values):
    """Return where the level of a series changes, and the means before and after."""
    ### BEGIN SOLUTION
    places = [place for place, value in enumerate(values) if value is not None]
    known = np.array([values[place] for place in places], dtype=float)
    away = np.abs(np.cumsum(known - known.mean())[:-1])
    noise = np.sqrt((np.diff(known) ** 2).mean() / 2)
    if away.max() <= 1.63 * noise * np.sqrt(len(known)):
        return {"at": None, "before": float(known.mean()), "after": float(known.mean())}
    first = int(away.argmax()) + 1
    return {
        "at": places[first],
        "before": float(known[:first].mean()),
        "after": float(known[first:].mean()),
    }
    ### END SOLUTION


# %% locked="places"
# grader: these run where the answers run
def places_of(many):
    """Return what change calls the place, for each of many series."""
    return [change(values)["at"] for values in many]


# %% test="ex2" points=3
# Covers a step up, a steady series, gaps. Not shown: other steps, noise alone.
step = change([0, 1, 0, 1, 8, 9, 8, 9])
assert step is not None, "change returned nothing: return a dict."
assert isinstance(step, dict), f"Return a dict, not {type(step).__name__}."
why_2 = f"The keys should be at, before and after, not {sorted(step)}."
assert set(step) == {"at", "before", "after"}, why_2
assert step["at"] == 4, f"The level changes at place 4, not {step['at']}."
why_2 = f"Before the change the mean is 0.5, not {step['before']}."
assert near(step["before"], 0.5), why_2
why_2 = f"After the change the mean is 8.5, not {step['after']}."
assert near(step["after"], 8.5), why_2
flat = change([0, 1, 0, 1, 0, 1, 0, 1])
assert flat["at"] is None, "Nothing changes here: None."
why_2 = "Without a change both are the mean of all."
assert near(flat["before"], 0.5) and near(flat["after"], 0.5), why_2
gap = change([0, None, 1, 0, None, 1, 8, 9, None, 8, 9])
why_2 = f"With gaps the first value after the change is at place 6, not {gap['at']}."
assert gap["at"] == 6, why_2
assert near(gap["before"], 0.5), "A gap is no value: leave it out of the means."
### BEGIN HIDDEN TESTS
rng = np.random.default_rng(5)
for at, low, high in (
    (60, 0.52, 0.62),
    (60, 0.52, 0.38),
    (15, 0.1, 0.3),
    (70, 0.5, 0.9),
):
    series = np.where(np.arange(80) < at, low, high) + rng.normal(0, 0.02, 80)
    said = change(series.tolist())
    why_2 = f"A step from {low} to {high} in noise of 0.02 should be found."
    assert said["at"] is not None, why_2
    why_2 = f"A step at place {at} should be found there, not at {said['at']}."
    assert abs(said["at"] - at) <= 2, why_2
    why_2 = "The means should be of both sides."
    assert abs(said["before"] - low) < 0.03 and abs(said["after"] - high) < 0.03, why_2
false = places_of(rng.normal(0, 1, (100, 80)).tolist())
why_2 = "In noise alone a change should be found one time in a hundred."
assert sum(one is not None for one in false) <= 4, why_2
late = np.where(np.arange(80) < 40, 0, 0.9)
small = places_of((rng.normal(0, 1, (60, 80)) + late).tolist())
why_2 = "A step of 0.9 standard deviations should mostly be found."
assert sum(one is not None for one in small) >= 42, why_2
at_the_end = change([1, 2, 1, 2, 1, 2, 1, 2, 1, 2, 40, 41])
why_2 = "Two values after the change are enough, if it is as large as that."
assert at_the_end["at"] == 10, why_2
assert change([2, 2])["at"] is None, "Two equal values have not changed."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 3: one request, several lines
#
# In the log, each request has an id, and each service that worked on it wrote a line: `suppliers.bureau`, `suppliers.identity`,
# and Oakbank's own `oakbank.deploy.logs`, when all was done. Where it failed, there is a line with its `error`, too.
#
# `read_log(lines)` takes a list of texts and returns a list of dicts, one for each request, in the order in which their ids
# first come up:
# - `"request_id"`; `"status"` and `"version"` (`model_version`) from the line of `oakbank.deploy.logs`,
# - `"error"`: the `error` of any of its lines, or `None`,
# - `"milliseconds"`: a dict with what `"bureau"` and `"identity"` took (where they have a line), and `"service"`: what is left
#   of the milliseconds of `oakbank.deploy.logs`, which hold the time that the others took.
#
# Leave out lines that are not whole JSON (some are cut off), lines without an id, and requests that have no line of
# `oakbank.deploy.logs`.


# %% answer="ex3"
def read_log(lines):
    """Return one dict for each request."""
    ### BEGIN SOLUTION
    found = {}
    for line in lines:
        try:
            told = json.loads(line)
        except json.JSONDecodeError:
            continue
        if not told.get("request_id"):
            continue
        new = {"asked": {}, "answered": None, "error": None}
        one = found.setdefault(told["request_id"], new)
        if told["logger"] == "oakbank.deploy.logs":
            one["answered"] = told
        elif told["logger"] in ("suppliers.bureau", "suppliers.identity"):
            name = told["logger"].removeprefix("suppliers.")
            one["asked"][name] = told["milliseconds"]
        one["error"] = told.get("error", one["error"])
    requests = []
    for name, one in found.items():
        if one["answered"] is None:
            continue
        own = one["answered"]["milliseconds"] - sum(one["asked"].values())
        requests.append(
            {
                "request_id": name,
                "status": one["answered"]["status"],
                "version": one["answered"]["model_version"],
                "error": one["error"],
                "milliseconds": one["asked"] | {"service": own},
            }
        )
    return requests
    ### END SOLUTION


# %% locked="lines"
def line(request, logger, milliseconds=None, **more):
    """Return one line of a log."""
    told = {
        "level": "INFO",
        "logger": logger,
        "event": "answered",
        "request_id": request,
    }
    told |= {} if milliseconds is None else {"milliseconds": milliseconds}
    return json.dumps(told | more)


OWN, BUREAU, IDENTITY = "oakbank.deploy.logs", "suppliers.bureau", "suppliers.identity"
PAGE = [
    line("a1", BUREAU, 40.0, status=200),
    line("b2", BUREAU, 3000.0, status=200),
    line("a1", IDENTITY, 20.0, status=200),
    line("a1", OWN, 72.0, status=200, model_version="41"),
    line("", "oakbank.deploy.service", event="refresh failed", error="ConnectionError"),
    line("b2", IDENTITY, 25.0, status=200)[:40],
    line("b2", "oakbank.deploy.service", event="failed", error="KeyError"),
    line("c3", BUREAU, 44.0, status=200),
    line("b2", OWN, 3100.0, status=500, model_version="42"),
    line("d4", OWN, 6.0, status=422, model_version="41"),
]

# %% test="ex3" points=3
# Covers the ten lines above. Not shown: other orders and loggers, and an evening's log.
page = read_log(PAGE)
assert page is not None, "read_log returned nothing: return a list of dicts."
assert isinstance(page, list), f"Return a list, not {type(page).__name__}."
why_3 = "Each entry is a dict with a request_id."
assert all(isinstance(one, dict) and "request_id" in one for one in page), why_3
ids = [one["request_id"] for one in page]
why_3 = "The request c3 has no line of oakbank.deploy.logs: leave it out."
assert "c3" not in ids, why_3
why_3 = f"Want a1, b2, d4, in the order in which they come up, not {ids}."
assert ids == ["a1", "b2", "d4"], why_3
assert {frozenset(one) for one in page} == {
    frozenset({"request_id", "status", "version", "error", "milliseconds"}),
}, "Each entry has the five keys of the text."
why_3 = "The status is that of oakbank.deploy.logs."
assert [one["status"] for one in page] == [200, 500, 422], why_3
why_3 = "The version is that of oakbank.deploy.logs."
assert [one["version"] for one in page] == ["41", "42", "41"], why_3
why_3 = "Only b2 has a line with an error."
assert [one["error"] for one in page] == [None, "KeyError", None], why_3
took = [one["milliseconds"] for one in page]
why_3 = "milliseconds is a dict with `service`."
assert all(isinstance(one, dict) and "service" in one for one in took), why_3
why_3 = f"For a1 three services took time, not {sorted(took[0])}."
assert set(took[0]) == {"service", "bureau", "identity"}, why_3
why_3 = "Of the 72 ms of a1, the others took 60: 12 are left."
assert near(took[0]["service"], 12), why_3
why_3 = "The line of b2's identity check is cut off."
assert set(took[1]) == {"service", "bureau"}, why_3
assert took[2] == {"service": 6.0}, "Nobody was asked about d4."
### BEGIN HIDDEN TESTS
back = {one["request_id"]: one for one in read_log(PAGE[::-1])}
why_3 = "The order of a request's lines should not matter."
assert back == {one["request_id"]: one for one in page}, why_3
late = [*PAGE[:3], *PAGE[4:], PAGE[3]]
why_3 = "The place of a request should be that of its first line."
assert [one["request_id"] for one in read_log(late)] == ["a1", "b2", "d4"], why_3
other = [
    line("e5", "suppliers.router", 90.0, status=200),
    line("e5", OWN, 50.0, status=200, model_version="40"),
]
why_3 = "A logger that the text does not name takes no part."
assert read_log(other)[0]["milliseconds"] == {"service": 50.0}, why_3
nobody = line("", OWN, 5.0, status=404, model_version="41")
assert read_log([nobody]) == [], "A line without an id belongs to no request."
assert read_log([]) == [], "An empty log should give an empty list."
why_3 = "Lines that are no JSON should be left out."
assert read_log(["", "not JSON", "{"]) == [], why_3
desk_ = desk_of(7_420_955_121, "dependency")
evening = desk_.ask("logs").splitlines()
whole = []
for text in evening:
    try:
        whole.append(json.loads(text))
    except json.JSONDecodeError:
        continue
own = [one for one in whole if one["logger"] == OWN]
answered = {one["request_id"]: one["milliseconds"] for one in own}
read = read_log(evening)
why_3 = f"An evening's log holds {len(answered)} answered requests, not {len(read)}."
assert len(read) == len(answered), why_3
for one in read:
    total = sum(one["milliseconds"].values())
    why_3 = "The parts of a request should add up to its whole."
    assert abs(total - answered[one["request_id"]]) < 0.01, why_3
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 4: whom to blame
#
# `lay_blame(requests)` takes what `read_log` returns and says three things, in a dict. A request is **slow** if its
# milliseconds add up to more than 1,000, and **bad** if it is slow or its status is 500 or more.
# - `"version"`: the version that is guilty, or `None`. For each version, compare its share of bad requests, `a` of `n`, with
#   that of all other versions together, `b` of `m`, by `z = (a/n - b/m) / sqrt(q * (1 - q) * (1/n + 1/m))`, where
#   `q = (a + b) / (n + m)`. It is guilty if `z` is 4 or more. Without requests on both sides, or if all are bad or none, nothing can be
#   compared.
# - `"part"`: if at least 5 % of the requests are slow, the part (`"service"`, `"bureau"`, `"identity"`) that took longest
#   in most of the slow ones; else `None`.
# - `"error"`: the error that most requests have, or `None` if none has one.
#
# A fault of a release is in one version. What is bad in all of them lies below them, or in what they are fed with.


# %% answer="ex4"
def lay_blame(requests):
    """Return the guilty version, the slow part, and the most frequent error."""
    ### BEGIN SOLUTION
    slow = [one for one in requests if sum(one["milliseconds"].values()) > 1000]
    bad = [one for one in requests if one["status"] >= 500 or one in slow]
    guilty = None
    for version in {one["version"] for one in requests}:
        n = sum(one["version"] == version for one in requests)
        a = sum(one["version"] == version for one in bad)
        m, b, q = len(requests) - n, len(bad) - a, len(bad) / len(requests)
        if m == 0 or q in (0, 1):
            continue
        z = (a / n - b / m) / math.sqrt(q * (1 - q) * (1 / n + 1 / m))
        guilty = version if z >= 4 else guilty
    parts = [max(one["milliseconds"], key=one["milliseconds"].get) for one in slow]
    errors = [one["error"] for one in requests if one["error"]]
    often = parts and len(parts) >= 0.05 * len(requests)
    return {
        "version": guilty,
        "part": Counter(parts).most_common(1)[0][0] if often else None,
        "error": Counter(errors).most_common(1)[0][0] if errors else None,
    }
    ### END SOLUTION


# %% locked="requests"
def requests_of(*groups):
    """Return requests: (how many, version, status, service ms, bureau ms, error)."""
    return [
        {
            "request_id": f"{place}-{number}",
            "status": status,
            "version": version,
            "error": error,
            "milliseconds": {"service": own, "bureau": bureau, "identity": 20.0},
        }
        for place, (many, version, status, own, bureau, error) in enumerate(groups)
        for number in range(many)
    ]


PAIR = requests_of((1, "41", 200, 9.0, 9.0, None), (1, "42", 200, 9.0, 9.0, None))
FINE, NEWER = (100, "41", 200, 10.0, 40.0, None), (100, "42", 200, 10.0, 40.0, None)


# %% locked="blame"
# grader: these run where the answers run
def blame_of(*groups):
    """Return what lay_blame says of requests_of(*groups)."""
    return lay_blame(requests_of(*groups))


# %% test="ex4" points=2
# Covers versions that fail, are slow, are alone or alike. Not shown: other numbers.
quiet = blame_of(FINE, NEWER)
assert quiet is not None, "lay_blame returned nothing: return a dict."
assert isinstance(quiet, dict), f"Return a dict, not {type(quiet).__name__}."
why_4 = f"The keys are version, part and error, not {sorted(quiet)}."
assert set(quiet) == {"version", "part", "error"}, why_4
assert quiet["version"] is None, "No request is bad: nobody is guilty."
fails = blame_of(FINE, NEWER, (50, "42", 500, 10.0, 40.0, "KeyError"))
why_4 = "A third of version 42 fails, and none of 41: it is guilty."
assert fails["version"] == "42", why_4
waits = blame_of(FINE, NEWER, (50, "42", 200, 3000.0, 40.0, None))
why_4 = "A third of version 42 is slow, and none of 41: it is guilty."
assert waits["version"] == "42", why_4
both = blame_of(
    FINE,
    NEWER,
    *((50, version, 500, 10.0, 40.0, "ValueError") for version in ("41", "42")),
)
assert both["version"] is None, "Both fail alike: no version is guilty."
alone = blame_of(FINE, (50, "41", 500, 10.0, 40.0, "ValueError"))
why_4 = "There is one version only, and nothing to compare it with."
assert alone["version"] is None, why_4
### BEGIN HIDDEN TESTS
few = blame_of(FINE, NEWER, (4, "42", 500, 10.0, 40.0, "KeyError"))
assert few["version"] is None, "Four failures more are within chance."
enough = blame_of(FINE, NEWER, (20, "42", 500, 10.0, 40.0, "KeyError"))
why_4 = "Twenty failures of 120 against none of 100 are more than chance: z is 4.2."
assert enough["version"] == "42", why_4
close = blame_of(FINE, NEWER, (17, "42", 500, 10.0, 40.0, "KeyError"))
why_4 = "Seventeen failures of 117 against none of 100 should not be enough: z is below"
why_4 += " 4."
assert close["version"] is None, why_4
busy = blame_of(
    (1000, *FINE[1:]),
    (90, "41", 500, 10.0, 40.0, "V"),
    (30, *NEWER[1:]),
    (10, "42", 500, 9.0, 9.0, "V"),
)
why_4 = "Compare shares, not numbers: 41 fails more often because it answers more."
assert busy["version"] is None, why_4
three = blame_of(
    FINE,
    NEWER,
    (100, "40", 200, 10.0, 40.0, None),
    (40, "40", 500, 10.0, 40.0, "KeyError"),
)
why_4 = "With three versions, each should be compared with all the others."
assert three["version"] == "40", why_4
refused = blame_of(FINE, NEWER, (80, "42", 422, 5.0, 0.0, None))
why_4 = "A request that the contract refuses is not bad."
assert refused["version"] is None, why_4
whole = blame_of((50, "41", 500, 10.0, 40.0, "V"), (50, "42", 500, 10.0, 40.0, "V"))
assert whole["version"] is None, "If all are bad, nothing can be compared."
gone = blame_of((60, "41", 503, 10.0, 40.0, None), NEWER)
assert gone["version"] == "41", "A status of 503 is bad, too."
tired = blame_of((95, "41", 200, 600.0, 500.0, None), (5, *FINE[1:]), NEWER)
why_4 = "A request is slow by the sum of its parts, also if none alone is."
assert tired["version"] == "41", why_4
assert lay_blame([])["version"] is None, "Without requests nobody is guilty."
### END HIDDEN TESTS

# %% test="ex4" part="part" points=2
# Covers each slow part, a few slow requests, errors. Not shown: other numbers.
late = blame_of(
    FINE,
    NEWER,
    (30, "41", 200, 10.0, 4000.0, None),
    (30, "42", 200, 10.0, 4000.0, None),
)
assert late is not None, "lay_blame returned nothing: return a dict."
why_4p = "Return a dict with version, part and error."
assert isinstance(late, dict) and {"part", "error"} <= set(late), why_4p
why_4p = f"The bureau took longest in the slow requests, not {late['part']}."
assert late["part"] == "bureau", why_4p
assert late["error"] is None, "No request has an error."
own = blame_of(FINE, (30, "41", 200, 4000.0, 300.0, None))
assert own["part"] == "service", "The service itself took longest in the slow requests."
check = [one | {"milliseconds": {"identity": 2e3, "service": 9.0}} for one in PAIR]
assert lay_blame(check)["part"] == "identity", "The identity check took longest."
rare = blame_of(FINE, NEWER, (4, "41", 200, 10.0, 4000.0, None))
why_4p = "Less than 5 % of the requests are slow: on any evening some are."
assert rare["part"] is None, why_4p
some = (
    (3, "41", 500, 10.0, 40.0, "KeyError"),
    (9, "42", 500, 10.0, 40.0, "OperationalError"),
)
why_4p = "More requests have OperationalError."
assert blame_of(FINE, *some)["error"] == "OperationalError", why_4p
### BEGIN HIDDEN TESTS
usual = blame_of((300, *FINE[1:]), (30, "41", 200, 4000.0, 40.0, None))
why_4p = "Only the slow requests count: in the others the bureau always takes longest."
assert usual["part"] == "service", why_4p
outlier = (8, "41", 200, 60_000.0, 40.0, None), (20, "41", 200, 10.0, 2000.0, None)
why_4p = "Count requests: a few that last a minute are few."
assert blame_of(FINE, *outlier)["part"] == "bureau", why_4p
edge = blame_of((95, *FINE[1:]), (5, "41", 200, 10.0, 4000.0, None))
assert edge["part"] == "bureau", "Exactly 5 % are at least 5 %."
just = blame_of((80, *FINE[1:]), (20, "41", 200, 480.0, 500.0, None))
assert just["part"] is None, "A request of exactly 1,000 ms is not slow."
why_4p = "Without requests all three should be None."
assert lay_blame([]) == {"version": None, "part": None, "error": None}, why_4p
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 5: the feed, the people, or nothing?
#
# Two functions. Here you set the limits yourself; the grammar says how large things are, and the numbers of an hour have noise.
#
# `inputs_say(columns)` takes the answer of the query `inputs`: a dict of columns, each a dict with `psi`, `median`,
# `reference_median` (both `None` for categories) and `age_minutes`. It returns `{"cause": ..., "column": ...}`:
# - `"stale"` and the column, if the newest value of a column is older than nine minutes. Sound sources are at most five old.
# - `"feed"` and the column, if a column is in another unit: thousands for ones, a year for a month, months for years, or two
#   weeks for a month: what comes is a thousandth, twelve times, twelve times or 12/26 of what it was. Real people move no median by as much.
# - `"applicants"` and `None`, if at least two columns have moved, each with a PSI above 0.1.
# - `None` and `None` if none of these is so. Check in this order.
#
# `outcomes_say(months)` takes the answer of `outcomes`: a list of dicts, oldest first, with `loans`, `defaults`, `expected`
# and `feed`. In a month of 1,000 loans about 90 defaults are expected, and by chance it may well be 10 more or less. It
# returns
# - `"recession"` if there is a month that was clearly worse than expected and whose feed was `"whole"`,
# - `"echo"` if there are such months, and the feed of each was `"broken"`,
# - `None` if no month was clearly worse. In a bad month of the grammar at least 40 % more are to be
#   expected; chance then adds to it or takes from it, so put your limit between the two.


# %% answer="ex5"
def inputs_say(columns):
    """Return a dict with "cause" and "column"."""
    ### BEGIN SOLUTION
    for name, one in columns.items():
        if one["age_minutes"] > 9:
            return {"cause": "stale", "column": name}
    for name, one in columns.items():
        if one["median"] is None:
            continue
        if not 0.65 < one["median"] / one["reference_median"] < 1.5:
            return {"cause": "feed", "column": name}
    moved = [name for name, one in columns.items() if one["psi"] > 0.1]
    return {"cause": "applicants" if len(moved) >= 2 else None, "column": None}
    ### END SOLUTION


def outcomes_say(months):
    """Return "recession", "echo" or None."""
    ### BEGIN SOLUTION
    bad = [one["feed"] for one in months if one["defaults"] > 1.3 * one["expected"]]
    if not bad:
        return None
    return "recession" if "whole" in bad else "echo"
    ### END SOLUTION


# %% locked="columns"
def columns_of(**changed):
    """Return inputs, sound but for those given: (psi, median / reference, age)."""
    sound = {
        "income": 2450.0,
        "debts": 430.0,
        "years_employed": 4.5,
        "age": 41.0,
        "amount": 9000.0,
    }
    told = {}
    for name, median in sound.items():
        psi, ratio, old = changed.get(name, (0.02, 1.0, 3))
        told[name] = {
            "psi": psi,
            "median": ratio * median,
            "reference_median": median,
            "age_minutes": old,
        }
    psi, _, old = changed.get("channel", (0.01, None, 2))
    return told | {
        "channel": {
            "psi": psi,
            "median": None,
            "reference_median": None,
            "age_minutes": old,
        }
    }


def months_of(*rows):
    """Return months: of each (defaults, expected, feed)."""
    return [
        {
            "month": place,
            "loans": 1000,
            "defaults": bad,
            "expected": expected,
            "feed": feed,
        }
        for place, (bad, expected, feed) in enumerate(rows)
    ]


# %% test="ex5" points=2
# Covers each cause of `inputs` once. Not shown: other columns, units and evenings.
calm = inputs_say(columns_of())
assert calm is not None, "inputs_say returned nothing: return a dict."
assert isinstance(calm, dict), f"Return a dict, not {type(calm).__name__}."
why_5 = f"The keys are cause and column, not {sorted(calm)}."
assert set(calm) == {"cause", "column"}, why_5
assert calm == {"cause": None, "column": None}, "Nothing has moved: None and None."
thousands = inputs_say(columns_of(debts=(8.0, 0.001, 2)))
why_5 = "Debts are a thousandth of what they were: the feed."
assert thousands == {"cause": "feed", "column": "debts"}, why_5
weeks = inputs_say(columns_of(income=(2.9, 12 / 26, 4)))
assert weeks == {"cause": "feed", "column": "income"}, "Incomes of two weeks: the feed."
old = inputs_say(columns_of(income=(0.3, 1.02, 14)))
why_5 = "The newest income is 14 minutes old: stale."
assert old == {"cause": "stale", "column": "income"}, why_5
others = inputs_say(columns_of(channel=(0.5, None, 2), age=(0.2, 0.9, 1)))
why_5 = "Two columns have moved, each plausible: applicants."
assert others == {"cause": "applicants", "column": None}, why_5
### BEGIN HIDDEN TESTS
old = inputs_say(columns_of(income=(0.3, 1.02, 9)))
assert old["cause"] is None, "A value of just nine minutes is not older than nine."
edge = inputs_say(columns_of(age=(0.1, 0.97, 1), amount=(0.1, 1.1, 1)))
assert edge["cause"] is None, "A PSI of exactly 0.1 is not above 0.1."
first = columns_of(debts=(8.0, 0.001, 2))
first = {"channel": first.pop("channel")} | first
assert inputs_say(first)["column"] == "debts", "The order of the columns is open."
year = inputs_say(columns_of(years_employed=(3.2, 12.0, 0)))
why_5 = "Months for years should be a matter of the feed."
assert year == {"cause": "feed", "column": "years_employed"}, why_5
people = {"channel": (0.5, None, 2), "age": (0.2, 0.9, 1)}
both = inputs_say(columns_of(debts=(8.0, 0.001, 2), **people))
why_5 = "The feed comes before the people: check in the order of the text."
assert both["cause"] == "feed", why_5
one = inputs_say(columns_of(age=(0.14, 0.97, 1)))
why_5 = "One column alone, slightly moved, should be neither feed nor people."
assert one["cause"] is None, why_5
shifted = inputs_say(columns_of(channel=(0.6, None, 2), amount=(0.2, 1.25, 1)))
why_5 = "People who ask for a quarter more should be no broken feed."
assert shifted["cause"] == "applicants", why_5
for cause in ("feed", "stale", "applicants", "release", "chance", "disk"):
    for seed in (7_420_955_131, 7_420_955_132, 7_420_955_133):
        truth = draw(seed, cause)
        said = inputs_say(Desk(truth).ask("inputs"))
        want = cause if cause in ("feed", "stale", "applicants") else None
        why_5 = f"On another evening the inputs should say {want}, not {said['cause']}."
        assert said["cause"] == want, why_5
        why_5 = f"On another evening the column should be {truth.target!r}."
        assert said["column"] == (truth.target or None), why_5
### END HIDDEN TESTS

# %% test="ex5" part="outcomes" points=2
# Covers a recession, an echo, chance. Not shown: both at once, other evenings.
fair = (92, 90.0, "whole"), (84, 90.0, "broken"), (102, 90.0, "whole")
why_5o = "No month is clearly worse than expected: None."
assert outcomes_say(months_of(*fair)) is None, why_5o
slump = outcomes_say(months_of(*fair, (140, 90.0, "whole"), (138, 90.0, "whole")))
why_5o = "outcomes_say returned nothing for two bad months of a whole feed."
assert slump is not None, why_5o
why_5o = "Two bad months of a whole feed: a recession."
assert isinstance(slump, str) and slump == "recession", why_5o
heard = outcomes_say(months_of(*fair, (140, 90.0, "broken")))
assert heard == "echo", "The bad month was granted on a broken feed: an echo."
### BEGIN HIDDEN TESTS
mixed = outcomes_say(months_of(*fair, (140, 90.0, "broken"), (138, 90.0, "whole")))
why_5o = "A bad month of a whole feed is a recession, whatever else was broken."
assert mixed == "recession", why_5o
early = outcomes_say(months_of((140, 90.0, "broken"), *fair))
assert early == "echo", "Any month may be the bad one, the first too."
better = outcomes_say(months_of((40, 90.0, "whole"), *fair))
assert better is None, "A month that went better than expected is no alarm."
for cause in ("recession", "echo", "chance", "worker"):
    for seed in range(7_420_955_141, 7_420_955_147):
        said = outcomes_say(desk_of(seed, cause).ask("outcomes"))
        want = cause if cause in ("recession", "echo") else None
        why_5o = f"On another evening the outcomes should say {want}, not {said}."
        assert said == want, why_5o
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 6: how sure must you be?
#
# A release went out in the minute in which approvals moved. Do you take it back, or ask about the inputs first? Waiting has its
# price, too.
#
# `sure_enough(loss, query, act, price)` returns the probability (float, 0 to 1) from which on it is cheaper to act at once.
# `loss` is what a minute of the fault costs in EUR, `query` the minutes of the question, `act` the minutes of each action,
# `price` what a wrong action costs in EUR. Compare:
# - **Ask first**: the question tells the truth, then comes the right action. The fault costs `query + act` minutes.
# - **Act first**: with your probability it was right, and the fault costs `act` minutes. Else the wrong action took `act`
#   minutes and its `price`, and after it you ask and act as above.
#
# If a minute costs nothing, only certainty is enough: return 1.0. Where a minute costs 1,000 EUR, a question takes 5 minutes, an
# action 3, and a wrong one costs 2,000 EUR, you need 0.5: `sure_enough(1000, 5, 3, 2000) == 0.5`.


# %% answer="ex6"
def sure_enough(loss, query, act, price):
    """Return the probability from which on to act before asking."""
    ### BEGIN SOLUTION
    if loss == 0:
        return 1.0
    return 1 - loss * query / (price + loss * (query + act))
    ### END SOLUTION


# %% test="ex6" points=2
# Covers the example, a free minute, and directions. Not shown: other numbers.
half = sure_enough(1000, 5, 3, 2000)
assert half is not None, "sure_enough returned nothing: return a probability."
assert isinstance(half, (int, float)), f"Return a number, not {type(half).__name__}."
assert near(half, 0.5), f"For the example of the text it is 0.5, not {half}."
why_6 = "A minute that costs nothing is no reason to hurry: 1.0."
assert near(sure_enough(0, 5, 3, 2000), 1.0), why_6
why_6 = "The dearer a minute, the less sure one must be."
assert sure_enough(9000, 5, 3, 2000) < half, why_6
why_6 = "The dearer a wrong action, the surer one must be."
assert sure_enough(1000, 5, 3, 9000) > half, why_6
### BEGIN HIDDEN TESTS
for loss, asking, act, price in (
    (7400, 5, 3, 10_000),
    (100, 10, 1, 8000),
    (2000, 2, 6, 0),
    (1, 6, 2, 1e6),
):
    at = sure_enough(loss, asking, act, price)
    assert 0 <= at <= 1, "A probability lies between 0 and 1."
    asked = loss * (asking + act)
    acted = at * loss * act + (1 - at) * (loss * act + price + asked)
    why_6 = "Just there, both ways should cost the same on average."
    assert math.isclose(asked, acted, rel_tol=1e-9), why_6
why_6 = "Where nothing costs anything, only certainty is enough: 1.0."
assert near(sure_enough(0, 5, 3, 0), 1.0), why_6
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 7: the runbook
#
# `next_step(state)` is asked again and again and returns the next move. `state` is a dict:
# - `"alert"`: the name of the alert that rang, `"minute"`: minutes since then,
# - `"seen"`: the queries so far, oldest first, each a dict with `"what"`, `"minute"`, `"answer"`,
# - `"done"`: the actions so far, each a dict with `"what"`, `"target"`, `"minute"`.
#
# A move is one of
# - `{"do": "query", "what": "logs"}`,
# - `{"do": "act", "what": "bypass", "target": "bureau"}` (a target only for `repair` and `bypass`),
# - `{"do": "close", "cause": "release", "reason": "version 42 grants too much"}`: the end. A cause counts only if you have asked a
#   query that can show it: nobody believes a guess. (`KINDS[cause].shown_by` in the grammar lists them, for `chance`
#   `PLAIN[alert]`. You may also ask after the action, when minutes no longer cost.)
# - `{"do": "escalate"}`: wake a colleague. 2,000 EUR; the fault ends 40 minutes later, and you have named no cause.
#
# Nothing is kept between two calls but what is in `state`. After an hour, or 30 moves, the drill is over.
#
# Three numbers, over the evenings of the grader, each cause equally often:
# - `"euros"`: 0 is what doing nothing costs, 100 the cost of somebody who knows the cause after eight minutes (quicker is above 100). The mean over
#   evenings on which there is something to win. **At least 80**, and where the table says `retrain`, do.
# - `"causes"`: the share of evenings whose cause you named. **At least 0.95.**
# - `"wrong"`: wrong actions an evening. **At most 0.1.**
#
# A good order of the queries depends on the alert. Write down, for each alert, which causes it may have, and which query parts them
# at the lowest price. Only the metrics by version tell a guilty release from an innocent one of the same minute. `logs` is
# one text: `read_log` wants its lines. Six evenings are few: `of_each(1000, KINDS, 3)` gives others.


# %% answer="ex7"
def next_step(state):
    """Return the next move."""
    ### BEGIN SOLUTION
    seen = {one["what"]: one["answer"] for one in state["seen"]}
    alert = state["alert"]

    def ask(what):
        return {"do": "query", "what": what}

    def finish(cause, act="", target=""):
        if act and not state["done"]:
            return {"do": "act", "what": act, "target": target}
        return {
            "do": "close",
            "cause": cause,
            "reason": f"{alert}: {', '.join(seen)} say {cause} {target}",
        }

    if alert in ("ServiceErrors", "ServiceSlow"):
        if "logs" not in seen:
            return ask("logs")
        blame = lay_blame(read_log(seen["logs"].splitlines()))
        if blame["version"]:
            return finish("release", "rollback")
        if alert == "ServiceErrors":
            full = blame["error"] == "OperationalError"
            if full:
                return finish("disk", "free_disk")
            return finish("input", "quarantine")
        if blame["part"] is None:
            return finish("chance")
        if blame["part"] == "service":
            return finish("worker", "restart")
        return finish("dependency", "bypass", blame["part"])
    if alert == "RefreshFailing":
        if "host" not in seen:
            return ask("host")
        if seen["host"]["certificate_days"] < 0:
            return finish("registry", "renew")
        return finish("chance")
    if alert == "DefaultsAboveForecast":
        if "outcomes" not in seen:
            return ask("outcomes")
        found = outcomes_say(seen["outcomes"])
        return finish(found or "chance", "retrain" if found == "recession" else "")
    if "inputs" not in seen:
        return ask("inputs")
    said = inputs_say(seen["inputs"])
    if said["cause"] in ("feed", "stale"):
        return finish(said["cause"], "repair", said["column"])
    if said["cause"] == "applicants":
        return finish("applicants", "retrain")
    if alert != "ApprovalsMoved":
        return finish("chance")
    if "metrics" not in seen:
        return ask("metrics")
    yes = increases(seen["metrics"]['oakbank_decisions_total{granted="true"}'])
    no = increases(seen["metrics"]['oakbank_decisions_total{granted="false"}'])
    share = [y / (y + n) if y and n else None for y, n in zip(yes, no, strict=True)]
    if change(share)["at"] is None:
        return finish("chance")
    if "releases" not in seen:
        return ask("releases")
    return finish("release", "rollback")
    ### END SOLUTION


# %% locked="moves"
# grader: these run where the answers run
def moves_of(states):
    """Return your next move for each of several evenings."""
    return [next_step(state) for state in states]


# %% locked="nights"
def worked(drills):
    """Return what became of each drill in your hands."""
    return play_side_by_side(moves_of, drills)


def of_each(first, causes, turns=1):
    """Return drills of each cause, so many as there are turns."""
    drawn = []
    for place, cause in enumerate(causes):
        drawn += [draw(first + 37 * place + turn, cause) for turn in range(turns)]
    return drawn


AT_STAKE = [name for name in KINDS if name not in ("registry", "echo", "chance")]

# %% test="ex7" points=3
# Covers moves, causes of the six evenings. Not shown: others, two of each cause.
monday = Desk(EVENINGS["Monday"])
why_7 = "A state has four keys."
assert set(monday.state) == {"alert", "minute", "seen", "done"}, why_7
first = next_step(monday.state)
assert first is not None, "next_step returned nothing: return a move."
assert isinstance(first, dict) and "do" in first, 'A move is a dict with "do".'
for move in (
    {"do": "query", "what": "logs"},
    {"do": "act", "what": "bypass", "target": "bureau"},
    {"do": "close", "cause": "release", "reason": "version 42 grants too much"},
):
    monday.step(move)
assert monday.over, "The desk takes the moves of the text, and closing is the end."
why_7 = "To wake a colleague is no wrong action."
assert play(lambda state: {"do": "escalate"}, EVENINGS["Monday"]).wrong == (), why_7
six = dict(zip(EVENINGS, worked(EVENINGS.values()), strict=True))
for day, result in six.items():
    why_7 = f"{day}: you said {result.said!r}, which is not the cause."
    if not result.said:
        why_7 = f"{day}: no cause was named, or no answer seen that shows it."
    assert result.right, why_7
assert summary(six.values())["causes"] == 1, "On the six evenings all causes are named."
### BEGIN HIDDEN TESTS
unseen = worked(of_each(7_420_955_200, KINDS, 2))
causes = summary(unseen)["causes"]
missed = [f"{one.drill.cause} ({one.drill.alert})" for one in unseen if not one.right]
why_7 = f"At least 95 % of the causes should be named; missed {', '.join(missed[:3])}."
assert causes >= 0.95, why_7
### END HIDDEN TESTS

# %% test="ex7" part="euros" points=2
# Covers the money of the six evenings. Not shown: an evening of each dear cause.
saved = summary(worked(EVENINGS.values()))["euros"]
why_7e = f"On the six evenings the euros should be at least 80, not {saved:.0f}."
assert saved >= 80, why_7e
### BEGIN HIDDEN TESTS
dear = worked(of_each(7_420_955_800, AT_STAKE))
won = summary(dear)["euros"]
why_7e = f"On other evenings the euros should be at least 80, not {won:.0f}."
assert won >= 80, why_7e
changed = [one for one in dear if one.drill.right[0] == "retrain"]
why_7e = "Where people or their risk have changed, a new model should be on its way."
assert all(one.score > 0 for one in changed), why_7e
### END HIDDEN TESTS

# %% test="ex7" part="wrong" points=2
# Covers wrong actions on the six evenings. Not shown: others, one of each cause.
six = worked(EVENINGS.values())
for day, result in zip(EVENINGS, six, strict=True):
    assert not result.wrong, f"{day}: {', '.join(result.wrong)} was not called for."
why_7w = "No wrong action, and no cause either: that is nobody at the desk."
assert any(result.right for result in six), why_7w
### BEGIN HIDDEN TESTS
harm = summary(worked(of_each(7_420_956_600, KINDS)))
why_7w = "On other evenings at least half of the causes should be named; to do nothing"
why_7w += " is no care."
assert harm["causes"] >= 0.5, why_7w
why_7w = f"On other evenings at most 0.1 wrong actions each, not {harm['wrong']:.2f}."
assert harm["wrong"] <= 0.1, why_7w
### END HIDDEN TESTS

# %% [markdown]
# ## Beside you: some habits
#
# What others make of the six evenings. Which of the three numbers tells each of them apart from you?

# %%
for habit, policy in {"you": next_step, **zoo()}.items():
    try:
        total = summary(play(policy, drill) for drill in EVENINGS.values())
    except (KeyError, TypeError, ValueError) as error:
        print(f"{habit:20} {error!r}")
    else:
        told = [f"{name} {value:6.2f}" for name, value in total.items()]
        print(f"{habit:20} {', '.join(told)}")
