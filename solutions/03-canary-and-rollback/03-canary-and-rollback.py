# %% [markdown]
# # 03 Canary and rollback
#
# Oakbank releases `credit-2` to a few applicants. Somebody must decide who they are, compare
# them with the right others, stop the release when it does harm and not before, and take all
# of it back. In this lab you write these rules, one by one, and mend a judge that has taken
# back every release so far. At the end you fly a release with your own rules.
#
# You need lesson 03/08. About 60 minutes; six exercises, 22 points.
# `python3 bootstrap.py check 03-canary-and-rollback` runs the tests that you see. A grader's
# tests go further; the first line of each test says where.

# %% locked="setup"
import copy
import hashlib
import math

import numpy as np

APPLICANTS = [str(number) for number in range(1, 601)]


def near(got, want):
    """Whether two numbers agree to six digits."""
    return isinstance(got, (int, float)) and math.isclose(got, want, rel_tol=1e-6)


# %% [markdown]
# ## Exercise 1: who is in the canary?
#
# `arm(applicant, share, salt)` returns who answers an applicant: `"canary"`, `"baseline"` or
# `"champion"`.
# - `applicant` and `salt` are texts. An applicant's *place* is a number from 0 to below 1: the
#   SHA-256 of the text `salt:applicant`, in UTF-8, as hexadecimal digits; the first eight of
#   them, read as a number, divided by `16**8`.
# - Below `share`: the canary. From 0.5 to below 0.5 + `share`: the baseline, which is as large.
#   All others: the champion. `share` is above 0 and at most 0.5.
#
# So every server comes to the same answer, and when the share grows, nobody is moved out of
# the canary or the baseline. With the salt `"spring"`, applicant `"3"` has the place 0.0504,
# and `arm("3", 0.1, "spring") == "canary"`. Applicant `"24"` has 0.5064, and
# `arm("24", 0.1, "spring") == "baseline"`.


# %% answer="ex1"
def arm(applicant, share, salt):
    """Return "canary", "baseline" or "champion"."""
    ### BEGIN SOLUTION
    digest = hashlib.sha256(f"{salt}:{applicant}".encode()).hexdigest()
    place = int(digest[:8], 16) / 16**8
    if place < share:
        return "canary"
    return "baseline" if 0.5 <= place < 0.5 + share else "champion"
    ### END SOLUTION


# %% locked="arms"
# grader: these run where the answers run
def arms_of(people, share, salt):
    """Return what arm says of several applicants, in their order."""
    return [arm(who, share, salt) for who in people]


# %% test="ex1" points=3
# Covers single applicants, and that nobody is moved. Not shown: other shares and salts.
first = arm("3", 0.1, "spring")
assert first is not None, 'arm returned nothing: want "canary", "baseline", "champion".'
assert isinstance(first, str), f"Return a text, not {type(first).__name__}."
assert first == "canary", f'The place 0.0504 is below 0.1: "canary", not {first!r}.'
assert arm("24", 0.1, "spring") == "baseline", "0.5064 is from 0.5 to below 0.6."
assert arm("1", 0.1, "spring") == "champion", "0.462 is in neither of the intervals."
assert arm("3", 0.05, "spring") == "champion", "0.0504 is not below 0.05."
small = arms_of(APPLICANTS, 0.05, "spring")
large = arms_of(APPLICANTS, 0.3, "spring")
for who, before, after in zip(APPLICANTS, small, large, strict=True):
    assert before in ("champion", after), f"Applicant {who} was moved."
### BEGIN HIDDEN TESTS
for share, salt in ((0.2, "autumn"), (0.5, "spring"), (0.01, "a:b")):
    for who, got in zip(APPLICANTS, arms_of(APPLICANTS, share, salt), strict=True):
        digest = hashlib.sha256(f"{salt}:{who}".encode()).hexdigest()
        at = int(digest[:8], 16) / 16**8
        want = "canary" if at < share else "champion"
        want = "baseline" if 0.5 <= at < 0.5 + share else want
        assert got == want, f"Place {at:.4f} should be {want}."
for who, start in (("3", 0.0), ("24", 0.5)):
    digest = hashlib.sha256(f"spring:{who}".encode()).hexdigest()
    share = int(digest[:8], 16) / 16**8 - start
    assert arm(who, share, "spring") == "champion", (
        "A place that is just at the end of an interval should not be in it any more."
    )
assert arm("Zoë", 0.5, "spring") in ("canary", "baseline"), (
    "At a share of 0.5 everybody should be in the canary or in the baseline."
)
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 2: what is known of the loans?
#
# A default is known as soon as it happens; that a loan is *good* is known only when its time
# is over. Whoever counts what is known today counts bad loans first.
#
# `known(loans, now, delay)` counts, for each arm, only the loans whose time is over: those of
# months up to and including `now - delay`. It returns a dict with a dict for `"canary"` and
# one for `"baseline"`, each with three whole numbers:
# - `"loans"`: loans of that arm whose time is over, with an outcome,
# - `"defaults"`: how many of them defaulted,
# - `"missing"`: loans of that arm whose time is over and that have no outcome all the same. They
#   are counted nowhere else: nobody knows that they are good.
#
# `loans` is a list of dicts with `"arm"` (`"canary"`, `"baseline"` or `"champion"`; the last is
# not counted), `"month"` (int), `"defaulted"` (`True`, `False`, or `None`: no outcome yet).


# %% answer="ex2"
def known(loans, now, delay):
    """Count the loans of canary and baseline whose time is over."""
    ### BEGIN SOLUTION
    counted = {}
    for name in ("canary", "baseline"):
        mine = [loan for loan in loans if loan["arm"] == name]
        over = [loan["defaulted"] for loan in mine if loan["month"] <= now - delay]
        counted[name] = {
            "loans": len([one for one in over if one is not None]),
            "defaults": len([one for one in over if one]),
            "missing": len([one for one in over if one is None]),
        }
    return counted
    ### END SOLUTION


# %% locked="loans"
def loan(arm_name, month, defaulted):
    """Return one loan."""
    return {"arm": arm_name, "month": month, "defaulted": defaulted}


BOOK = [
    loan("canary", 1, False),
    loan("canary", 2, True),
    loan("canary", 2, None),
    loan("canary", 3, True),  # known early, because it is bad
    loan("canary", 4, None),
    loan("baseline", 1, True),
    loan("baseline", 2, False),
    loan("baseline", 2, False),
    loan("champion", 1, True),
]

# %% test="ex2" points=3
# Covers the book above in month 5. Not shown: other months and delays, empty books.
seen = known(BOOK, 5, 3)
assert seen is not None, "known returned nothing: return a dict."
assert isinstance(seen, dict), f"Return a dict, not {type(seen).__name__}."
assert "champion" not in seen, "The champion is not on trial: count two arms only."
assert set(seen) == {"canary", "baseline"}, f"Want two arms, not {sorted(seen)}."
for name, one in seen.items():
    assert isinstance(one, dict), f"Want a dict for the arm {name}."
    assert set(one) == {"loans", "defaults", "missing"}, f"{name} has {sorted(one)}."
assert seen["baseline"]["loans"] == 3, "The baseline has three loans in months 1 and 2."
assert seen["baseline"]["defaults"] == 1, "One of the baseline's loans defaulted."
assert seen["canary"]["defaults"] == 1, (
    "In month 5, with a delay of 3, month 3 is not over: its default is an early one."
)
assert seen["canary"]["missing"] == 1, "One loan of month 2 has no outcome."
assert seen["canary"]["loans"] == 2, "The loan without an outcome is not a good loan."
### BEGIN HIDDEN TESTS
none = {"loans": 0, "defaults": 0, "missing": 0}
assert known([], 5, 3) == {"canary": none, "baseline": none}, (
    "An empty book should give both arms, with zeros everywhere."
)
assert known(BOOK, 3, 3)["canary"] == none, "In month 3 no month should be over yet."
later = known(BOOK, 7, 3)["canary"]
assert later == {"loans": 3, "defaults": 2, "missing": 2}, (
    "In month 7 all months up to 4 should be counted, with two outcomes missing."
)
at_once = known(BOOK, 2, 0)["canary"]
want = {"loans": 2, "defaults": 1, "missing": 1}
assert at_once == want, "With a delay of 0 the month itself should be counted."
before = copy.deepcopy(BOOK)
known(BOOK, 5, 3)
assert before == BOOK, "Counting should not change the book."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 3: a bet against a fair coin
#
# Canary and baseline are equally large. If the canary is no worse, each failed answer falls
# into the one or the other like a fair coin. `evidence(canary, baseline)` returns what the bet
# of lesson 03/08 has won so far, as a natural logarithm (float), from the failed answers in
# each arm so far (whole numbers from 0).
# - There are 50 coins: `p = 0.505, 0.515, ... 0.995`. The euro is spread over them equally: each
#   gets 1/50 of it.
# - What a coin got becomes `(2 * p) ** canary * (2 * (1 - p)) ** baseline` times as much.
# - The evidence is the logarithm of the **sum** over the coins.
#
# Before the first failure there is one euro, so `evidence(0, 0) == 0`. The mean of the coins
# is 0.75, so the first failure in the canary makes it 1.5 euros. Mind large numbers:
# `evidence(5000, 100)` is a number, although `2**5000` is not a float.
#
# <details><summary>Hint</summary>
#
# Take the logarithm for each coin, subtract the largest, then `exp`, then the sum; add the
# largest again. `np.logaddexp.reduce` does all of it.
# </details>


# %% answer="ex3"
def evidence(canary, baseline):
    """Return the logarithm of what the bet has won."""
    ### BEGIN SOLUTION
    coins = 0.505 + np.arange(50) / 100
    won = canary * np.log(2 * coins) + baseline * np.log(2 * (1 - coins))
    return float(np.logaddexp.reduce(won - np.log(50)))
    ### END SOLUTION


# %% test="ex3" points=3
# Covers a few counts, and a large one. Not shown: other counts.
start = evidence(0, 0)
assert start is not None, "evidence returned nothing: return a float."
assert isinstance(start, (int, float)), f"Return a number, not {type(start).__name__}."
assert abs(start) < 1e-9, f"One euro has the logarithm 0, not {start}."
assert near(evidence(1, 0), math.log(1.5)), "One failure, in the canary: 1.5 euros."
assert near(evidence(0, 1), math.log(0.5)), "One failure, in the baseline: half a euro."
assert evidence(4, 4) < 0, "As many in one as in the other: the bet has lost."
big = evidence(5000, 100)
assert isinstance(big, (int, float)), "5000 and 100 should give a number, too."
assert math.isfinite(big), f"5000 and 100 give a finite logarithm, not {big}."
### BEGIN HIDDEN TESTS
tried = [0.505 + step / 100 for step in range(50)]
for heads, tails in ((3, 0), (7, 2), (2, 7), (30, 12), (12, 30)):
    worth = sum((2 * p) ** heads * (2 - 2 * p) ** tails for p in tried) / 50
    assert near(evidence(heads, tails), math.log(worth)), (
        f"{heads} against {tails} should be worth the logarithm of {worth:.4f}."
    )
assert 3000 < big < 3100, "5000 against 100 failures should be worth about e**3033."
assert -3200 < evidence(0, 3000) < 0, "Failures of the baseline should lose the bet."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 4: when may it be stopped?
#
# `stop_day(days, alpha, least)` returns the first day on which the release may be stopped
# (int; the first day is 1), or `None`.
# - `days` is a list with a dict for each day, in order. Each holds what was new on that day:
#   `{"canary": (answers, failed), "baseline": (answers, failed)}`. An arm that reported
#   nothing has `None` in place of the pair. Such a day is left out, for **both** arms: what
#   one arm saw on a day on which the other was blind compares with nothing.
# - After each day you look at the sums of all days so far. Stop if the evidence of exercise 3
#   for the failed answers is `math.log(1 / alpha)` or more.
# - But never before **both** arms have given `least` answers or more in these sums.
#
# If nothing is wrong, at most the share `alpha` of releases may ever be stopped, though you
# look every day.


# %% answer="ex4"
def stop_day(days, alpha, least):
    """Return the first day on which the release may be stopped, or None."""
    ### BEGIN SOLUTION
    answers, failed = np.zeros(2, int), np.zeros(2, int)
    for number, day in enumerate(days, start=1):
        pairs = [day["canary"], day["baseline"]]
        if None in pairs:
            continue
        answers += [pair[0] for pair in pairs]
        failed += [pair[1] for pair in pairs]
        if min(answers) >= least and evidence(*failed) >= math.log(1 / alpha):
            return number
    return None
    ### END SOLUTION


# %% locked="days"
def day(canary, baseline):
    """Return one day; an arm that reported nothing is None."""
    return {"canary": canary, "baseline": baseline}


# %% locked="harmless"
# grader: these run where the answers run
def stopped(runs, length, rate, seed):
    """Return how many releases in which nothing is wrong are ever stopped."""
    draw = np.random.default_rng(seed)
    failed = draw.binomial(30, rate, size=(runs, length, 2)).tolist()
    releases = [[day((30, one[0]), (30, one[1])) for one in run] for run in failed]
    return sum(stop_day(days, 0.05, 30) is not None for days in releases)


# %% test="ex4" points=2
# Covers harm, its sums, and releases that do none. Not shown: others of them.
harm = [day((10, 2), (10, 0))] * 9
found = stop_day(harm, 0.05, 10)
assert found is not None, "stop_day returned None: 18 failures against none are harm."
assert isinstance(found, (int, np.integer)), f"Want a day, not {type(found).__name__}."
assert found == 4, f"Eight failures against none win 20 euros: on day 4, not {found}."
assert stop_day([day((10, 0), (10, 2))] * 9, 0.05, 10) is None, "The baseline fails."
assert stop_day([], 0.05, 10) is None, "Without a day there is nothing to stop."
false = stopped(60, 40, 0.1, 1)
assert false <= 4, f"Nothing is wrong in 60 releases, and {false} of them are stopped."
### BEGIN HIDDEN TESTS
for alpha, want in ((0.2, 2), (0.05, 4), (0.001, 7)):
    got = stop_day(harm, alpha, 10)
    assert got == want, f"With alpha {alpha} the stop should come on day {want}."
late = [day((10, 0), (10, 1))] * 3 + [day((10, 3), (10, 0))] * 20
assert stop_day(late, 0.05, 10) == 8, "The sums should begin with the first day."
false = stopped(100, 60, 0.2, 7)
assert false <= 7, f"Of 100 harmless releases {false} are stopped, not 5."
### END HIDDEN TESTS

# %% test="ex4" part="data" points=2
# Covers too little data and a blind day. Not shown: the other arm, and days beside.
crash = [day((5, 5), (5, 0))] * 9
assert stop_day(crash, 0.05, 30) == 6, "Both arms have 30 answers on day 6, not before."
blind = [day((10, 9), None)] * 9
assert stop_day(blind, 0.05, 10) is None, "The baseline never reported: None."
assert stop_day([day(None, None)] * 9, 0.05, 0) is None, "No data never stop a release."
### BEGIN HIDDEN TESTS
uneven = [day((5, 5), (50, 0))] * 9
assert stop_day(uneven, 0.05, 40) == 8, "The canary should have enough answers."
uneven = [day((50, 5), (5, 0))] * 9
assert stop_day(uneven, 0.05, 40) == 8, "The baseline should have enough, too."
mixed = [day((10, 9), None), *[day((10, 1), (10, 1))] * 5]
got = stop_day(mixed, 0.05, 10)
assert got is None, "What the canary saw on a blind day should not be counted."
mixed = [day(None, (10, 9)), *harm]
got = stop_day(mixed, 0.05, 10)
assert got == 5, "A blind day should be left out for both arms, and still be a day."
sound = [day((10, 0), (10, 0))] * 5
assert stop_day(sound, 0.05, 10) is None, "Without a failure nothing should stop it."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 5: the judge that takes everything back
#
# The judge below runs each night over what the shadow recorded. It has taken back every
# release so far, also those that were better. (A public project had this fault in 2026:
# Truxify, issue 13897.)
#
# ```python
# def judge(records, release):
#     right = {}
#     for record in records:
#         right.setdefault(record["version"], []).append(record["right"])
#     champion = right.get(release["champion"], [])
#     challenger = right.get("shadow", [])
#     if share(challenger) < share(champion) - 0.02:
#         return "rollback"
#     return "go on"
# ```
#
# `share([])` is 0. The router writes the *version* into each record, such as `"credit-2"`;
# nobody writes `"shadow"`. Write `judge(records, release)` so that it returns
# - `"no data"` if one of the two versions has fewer than 50 records with an answer,
# - else `"rollback"` if the challenger's share of right answers is more than 0.02 below that of
#   the champion,
# - else `"go on"`.
#
# `records` is a list of dicts with `"version"` (text) and `"right"` (`True`, `False`, or `None`:
# no answer, which counts for nothing). Records of other versions lie among them. `release` is a
# dict such as `{"champion": "credit-1", "challenger": "credit-2"}`.


# %% answer="ex5"
def judge(records, release):
    """Return "no data", "rollback" or "go on"."""
    ### BEGIN SOLUTION
    shares = []
    for role in ("champion", "challenger"):
        right = [one["right"] for one in records if one["version"] == release[role]]
        right = [answer for answer in right if answer is not None]
        if len(right) < 50:
            return "no data"
        shares.append(sum(right) / len(right))
    return "rollback" if shares[1] < shares[0] - 0.02 else "go on"
    ### END SOLUTION


# %% locked="records"
PAIR = {"champion": "credit-1", "challenger": "credit-2"}


def records(version, right, wrong, silent=0):
    """Return records of a version, so many right, wrong and without an answer."""
    answers = [True] * right + [False] * wrong + [None] * silent
    return [{"version": version, "right": answer} for answer in answers]


# %% test="ex5" points=3
# Covers better, worse, just within 0.02, and none. Not shown: other names and limits.
verdict = judge(records("credit-1", 80, 20) + records("credit-2", 90, 10), PAIR)
assert verdict is not None, 'judge returned nothing: "no data", "rollback" or "go on".'
assert isinstance(verdict, str), f"Return a text, not {type(verdict).__name__}."
assert verdict == "go on", f"90 of 100 is better than 80 of 100: not {verdict!r}."
worse = records("credit-1", 80, 20) + records("credit-2", 60, 40)
assert judge(worse, PAIR) == "rollback", "60 of 100 is far below 80 of 100."
just = records("credit-1", 4, 96) + records("credit-2", 2, 98)
assert judge(just, PAIR) == "go on", "0.02 is 0.02 below 0.04, not more than that."
assert judge(records("credit-1", 80, 20), PAIR) == "no data", "No record of credit-2."
assert judge([], PAIR) == "no data", "Without a record nobody knows anything."
release = {"champion": "credit-1", "challenger": "credit-2"}
mix = worse + [{"version": "shadow", "right": True}] * 90
assert judge(mix, release) == "rollback", "Nobody writes shadow: leave those out."
### BEGIN HIDDEN TESTS
other = {"champion": "credit-7", "challenger": "shadow-of-8"}
mix = records("credit-7", 90, 10) + records("shadow-of-8", 50, 50)
assert judge(mix, other) == "rollback", "The versions should be those of the release."
assert judge(records("credit-2", 99, 1), PAIR) == "no data", (
    "Without a record of the champion there should be no verdict."
)
few = records("credit-1", 80, 20) + records("credit-2", 9, 40)
assert judge(few, PAIR) == "no data", "49 records should be too few for a verdict."
enough = records("credit-1", 80, 20) + records("credit-2", 10, 40)
assert judge(enough, PAIR) == "rollback", "50 records should be enough for a verdict."
silent = records("credit-1", 80, 20) + records("credit-2", 30, 10, 60)
assert judge(silent, PAIR) == "no data", "Records without an answer should not count."
silent = records("credit-1", 80, 20) + records("credit-2", 80, 20, 60)
assert judge(silent, PAIR) == "go on", "No answer should not be taken for a wrong one."
edge = records("credit-1", 75, 25) + records("credit-2", 74, 26)
assert judge(edge, PAIR) == "go on", "0.01 below should be within what is allowed."
edge = records("credit-1", 75, 25) + records("credit-2", 72, 28)
assert judge(edge, PAIR) == "rollback", "0.03 below should be more than is allowed."
crowd = records("credit-0", 0, 500) + records("credit-1", 80, 20)
crowd += records("credit-2", 80, 20) + records("shadow", 0, 500)
assert judge(crowd, PAIR) == "go on", "Records of other versions should not be counted."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 6: one release is one bundle
#
# `step(state, action, by)` takes one step of a release and returns the new state, a dict of the
# same form; the state that it was given stays as it was. A state is
#
# ```python
# {"champion": BUNDLE, "previous": BUNDLE or None, "challenger": BUNDLE or None}
# ```
#
# and a `BUNDLE` is a dict with `"model"`, `"cutoff"` and `"features"`. All three go together.
# - `"abort"`: the trial ends, the challenger becomes `None`; champion and previous stay. Anybody
#   may do it, also the router, which gives its name as `"router"`.
# - `"promote"`: the challenger becomes the champion, the old champion the previous one; the
#   challenger becomes `None`.
# - `"rollback"`: the previous champion becomes the champion again; the other two become `None`.
#
# `promote` and `rollback` need a person: `by` is neither `"router"` nor empty or blank. Raise
# `ValueError`, with a sentence, where that is not so; where there is no challenger to abort or
# promote, or no previous champion; and for any other action.


# %% answer="ex6"
def step(state, action, by):
    """Return the state after a step."""
    ### BEGIN SOLUTION
    new = copy.deepcopy(state)
    if action in ("promote", "rollback") and by.strip() in ("", "router"):
        raise ValueError(f"{action} needs a person")
    if action in ("abort", "promote") and new["challenger"] is None:
        raise ValueError("no challenger is on trial")
    if action == "abort":
        new["challenger"] = None
    elif action == "promote":
        new["previous"], new["champion"] = new["champion"], new["challenger"]
        new["challenger"] = None
    elif action == "rollback":
        if new["previous"] is None:
            raise ValueError("there is no champion to go back to")
        new = {"champion": new["previous"], "previous": None, "challenger": None}
    else:
        raise ValueError(f"{action} is no step of a release")
    return new
    ### END SOLUTION


# %% locked="bundles"
ONE = {"model": "m1", "cutoff": 1.0, "features": "v1"}
TWO = {"model": "m2", "cutoff": 0.8, "features": "v2"}
THREE = {"model": "m3", "cutoff": 0.9, "features": "v2"}


def state_of(champion, previous=None, challenger=None):
    """Return a state of its own, that shares nothing with another one."""
    state = {"champion": champion, "previous": previous, "challenger": challenger}
    return copy.deepcopy(state)


def refuses(state, action, by):
    """Whether a step raises ValueError with a sentence."""
    try:
        step(copy.deepcopy(state), action, by)
    except ValueError as error:
        said = str(error)
    else:
        return False
    assert said.strip(), "Say in the ValueError what is wrong, in a sentence."
    return True


# %% test="ex6" points=2
# Covers each step once. Not shown: others, and that nothing else changes.
new = step(state_of(ONE, None, TWO), "promote", "Ada")
assert new is not None, "step returned nothing: return the new state."
assert isinstance(new, dict), f"Return a dict, not {type(new).__name__}."
assert set(new) == {"champion", "previous", "challenger"}, f"It has {sorted(new)}."
assert new == state_of(TWO, ONE), "After promote TWO is champion, ONE previous."
back = step(state_of(TWO, ONE), "rollback", "Ada")
assert back == state_of(ONE), "The way back takes model, cutoff and features along."
assert step(state_of(ONE, None, TWO), "abort", "router") == state_of(ONE), "ONE stays."
### BEGIN HIDDEN TESTS
ended = step(state_of(TWO, ONE, THREE), "abort", "Ada")
assert ended == state_of(TWO, ONE), "After abort the previous one should stay."
ended = step(state_of(TWO, ONE, THREE), "rollback", "Ada")
assert ended == state_of(ONE), "A rollback should end a trial that is under way."
ended = step(state_of(TWO, ONE, THREE), "promote", "Ada")
assert ended == state_of(THREE, TWO), "After promote the old one should be previous."
for action in ("abort", "promote", "rollback"):
    given = state_of(TWO, ONE, THREE)
    step(given, action, "Ada")
    assert given == state_of(TWO, ONE, THREE), "The state that was given should stay."
### END HIDDEN TESTS

# %% test="ex6" part="who" points=4
# Covers what is refused. Not shown: other actions and names, blank ones, states.
trial = state_of(TWO, ONE, THREE)
assert refuses(trial, "promote", "router"), "The router may stop, never promote."
assert refuses(trial, "rollback", ""), "A rollback needs the name of a person."
assert refuses(state_of(ONE), "rollback", "Ada"), "There is nothing to go back to."
assert refuses(state_of(ONE, TWO), "promote", "Ada"), "There is nobody to promote."
### BEGIN HIDDEN TESTS
assert not refuses(trial, "abort", "router"), "The router should be allowed to abort."
assert not refuses(trial, "promote", "Ada"), "A person should be allowed to promote."
assert not refuses(trial, "rollback", "Ada"), "A person should be allowed to go back."
assert refuses(trial, "rollback", "router"), "A rollback should need a person, too."
assert refuses(trial, "promote", ""), "A promotion should need the name of a person."
assert refuses(trial, "promote", "  "), "A blank name should be the name of nobody."
assert refuses(state_of(TWO, ONE), "abort", "router"), "There is no trial to abort."
assert refuses(trial, "delete", "Ada"), "A step that does not exist should be refused."
assert refuses(state_of(TWO, ONE), "", "Ada"), "No action at all should be refused."
### END HIDDEN TESTS

# %% [markdown]
# ## All of it
#
# When all tests pass, run this in a cell of your own: a release whose canary fails at every
# eighth answer, watched by your own rules.
#
# ```python
# draw = np.random.default_rng(3)
# state = {"champion": ONE, "previous": None, "challenger": TWO}
# days = []
# for number in range(1, 61):
#     today = {"canary": [0, 0], "baseline": [0, 0]}
#     for who in draw.integers(1, 10**6, 300):
#         name = arm(str(who), 0.1, "spring")
#         if name != "champion":
#             today[name][0] += 1
#             today[name][1] += int(draw.random() < (0.125 if name == "canary" else 0.01))
#     days.append({name: tuple(pair) for name, pair in today.items()})
#     if stop_day(days, 0.05, 100):
#         state = step(state, "abort", "router")
#         break
# print("stopped on day", number, "- champion:", state["champion"])
# ```
