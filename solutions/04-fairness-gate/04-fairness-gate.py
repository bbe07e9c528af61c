# %% [markdown]
# # 04 Fairness gate
#
# A new model waits for its release. You measure how it treats two groups of people, claim
# no more than the sample can show, and write the gate that stops a model which treats one group
# worse. Then you mend one, say who pays for it, and choose among models that are equally good.
#
# You need lesson 04/03. About 85 minutes; seven exercises, 24 points.
# `python3 bootstrap.py check 04-fairness-gate` runs the tests that you see. A grader's tests
# (`--full`) go further, in worlds of other seeds; the first line of each test says where.

# %% locked="setup"
import copy
import math

import numpy as np
import pandas as pd
from fairlearn.postprocessing import ThresholdOptimizer
from sklearn.base import BaseEstimator, ClassifierMixin

from oakbank.world import World, load_scenario


def near(got, want, by=1e-6):
    """Whether two numbers agree."""
    number = isinstance(got, (int, float))
    return number and math.isclose(got, want, rel_tol=by, abs_tol=by)


# %% [markdown]
# ## Exercise 1: rates by group
#
# `rates(granted, group)` returns a dict with one entry for each group, in any order. Each is a
# dict with three numbers: `"n"` (people, int), `"granted"` (of them granted, int) and `"rate"`
# (their share, float from 0 to 1, not rounded).
# - `granted` is a list of `True` and `False`; `group` a list of as many names, such as `"A"`.
# - Raise `ValueError` where the two lists differ in length.
#
# `rates([True, False, True], ["A", "A", "B"])` has 2 people in A, one of them granted.


# %% answer="ex1"
def rates(granted, group):
    """Return "n", "granted" and "rate" of each group."""
    ### BEGIN SOLUTION
    found = {}
    for yes, name in zip(granted, group, strict=True):
        one = found.setdefault(name, {"n": 0, "granted": 0})
        one["n"] += 1
        one["granted"] += yes
    for one in found.values():
        one["rate"] = one["granted"] / one["n"]
    return found
    ### END SOLUTION


# %% locked="refuses"
def refuses(granted, group):
    """Whether rates raises ValueError."""
    try:
        rates(granted, group)
    except ValueError:
        return True
    except Exception:
        return False
    return False


# %% test="ex1" points=3
# Covers two groups, lists of other lengths. Not shown: more groups, everybody, nobody.
found = rates([True, False, True], ["A", "A", "B"])
assert found is not None, "rates returned nothing: return a dict."
assert isinstance(found, dict), f"Return a dict, not {type(found).__name__}."
assert set(found) == {"A", "B"}, f"Want the groups A and B, not {sorted(found)}."
for name, one in found.items():
    assert isinstance(one, dict), f"Want a dict for the group {name}."
    assert set(one) == {"n", "granted", "rate"}, f"{name} has {sorted(one)}."
assert found["A"]["n"] == 2, "There are two people in A."
assert found["A"]["granted"] == 1, "One of A is granted."
assert near(found["A"]["rate"], 0.5), "Half of A is granted."
assert near(found["B"]["rate"], 1.0), "All of B are granted."
assert refuses([True], ["A", "B"]), "One decision for two people: raise ValueError."
### BEGIN HIDDEN TESTS
three = rates([True, True, False, False, False], ["x", "y", "z", "y", "y"])
assert {name: (one["n"], one["granted"]) for name, one in three.items()} == {
    "x": (1, 1),
    "y": (3, 1),
    "z": (1, 0),
}, "Each of three groups should be there, also one in which nobody is granted."
assert near(three["y"]["rate"], 1 / 3), "Want the exact share of its own group."
assert near(three["z"]["rate"], 0.0), "Where nobody is granted the rate should be 0."
assert refuses([True, False], ["A"]), "A decision without a group is a ValueError."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 2: how sure is a ratio?
#
# `ratio_interval(granted_1, n_1, granted_2, n_2)` returns a tuple of two floats, the lower and
# upper end of a 95 % interval of the **ratio of rates**, `(granted_1 / n_1) / (granted_2 / n_2)`.
# All four are whole numbers; both `n` are above 0.
# - Take a method that you can defend: a bootstrap, the interval of the logarithm of the ratio,
#   one made from Wilson's intervals. Over many samples, about 95 % of your intervals should
#   cover the true ratio, and they should not be wider than necessary. The same numbers give the
#   same interval. The tests call it hundreds of times: for a bootstrap, draw all samples at once
#   with NumPy (`draw.binomial(n_1, granted_1 / n_1, 2000)`), not in a loop.
# - If nobody of one of the groups is granted, the data say next to nothing: return
#   `(0.0, math.inf)`.
#
# <details><summary>Hint</summary>
#
# The logarithm of the ratio has about the variance
# `(1 - p_1) / (n_1 * p_1) + (1 - p_2) / (n_2 * p_2)`, with the two rates `p`. (If everybody of
# both groups is granted, this is 0, and the interval too sure.)
# </details>


# %% answer="ex2"
def ratio_interval(granted_1, n_1, granted_2, n_2):
    """Return the lower and upper end of the 95 % interval of a ratio of rates."""
    ### BEGIN SOLUTION
    if granted_1 == 0 or granted_2 == 0:
        return 0.0, math.inf
    p_1, p_2 = granted_1 / n_1, granted_2 / n_2
    error = math.sqrt((1 - p_1) / granted_1 + (1 - p_2) / granted_2)
    return p_1 / p_2 * math.exp(-1.96 * error), p_1 / p_2 * math.exp(1.96 * error)
    ### END SOLUTION


# %% locked="covers"
# grader: these run where the answers run
def covered(p_1, n_1, p_2, n_2, seed, samples):
    """Return the shares of intervals that cover the ratio, lie above it, below it."""
    draw = np.random.default_rng(seed)
    first = draw.binomial(n_1, p_1, samples).tolist()
    second = draw.binomial(n_2, p_2, samples).tolist()
    ends = [ratio_interval(a, n_1, b, n_2) for a, b in zip(first, second, strict=True)]
    above = sum(low > p_1 / p_2 for low, _ in ends) / samples
    below = sum(high < p_1 / p_2 for _, high in ends) / samples
    return 1 - above - below, above, below


# %% test="ex2" points=2
# Covers form, two tables, and groups without a grant. Not shown: other tables.
ends = ratio_interval(120, 200, 300, 400)
assert ends is not None, "ratio_interval returned nothing: return two numbers."
assert isinstance(ends, (tuple, list)), f"Return a tuple, not {type(ends).__name__}."
assert len(ends) == 2, f"Return two numbers, not {len(ends)}."
assert all(isinstance(end, (int, float)) for end in ends), "Both ends are numbers."
assert ends[0] < 0.8 < ends[1], "0.6 against 0.75 is a ratio of 0.8: it lies inside."
assert abs(ends[0] - 0.704) < 0.03, f"The lower end is near 0.704, not {ends[0]:.3f}."
assert abs(ends[1] - 0.908) < 0.03, f"The upper end is near 0.908, not {ends[1]:.3f}."
assert tuple(ratio_interval(0, 30, 5, 30)) == (0.0, math.inf), "Nobody of the first."
assert tuple(ratio_interval(5, 30, 0, 30)) == (0.0, math.inf), "Nobody of the second."
again = ratio_interval(120, 200, 300, 400)
assert tuple(again) == tuple(ends), "Ask twice, and the answer should be the same."
### BEGIN HIDDEN TESTS
for numbers, low, high in (
    ((300, 400, 120, 200), 1.101, 1.420),
    ((45, 150, 90, 150), 0.379, 0.659),
    ((900, 1000, 880, 1000), 0.992, 1.054),
):
    got = ratio_interval(*numbers)
    room = 0.12 * (high - low)
    assert abs(got[0] - low) < room, f"The lower end of {numbers} should be near {low}."
    assert abs(got[1] - high) < room, f"Of {numbers} the upper end is about {high}."
assert tuple(ratio_interval(0, 9, 0, 9)) == (0.0, math.inf), (
    "Nobody of either group should give an interval without an upper end."
)
### END HIDDEN TESTS

# %% test="ex2" part="covers" points=2
# Covers 150 samples of one table. Not shown: other rates and sizes.
pair = ratio_interval(60, 120, 180, 300)
assert isinstance(pair, (tuple, list)), f"Return a tuple, not {type(pair).__name__}."
assert len(pair) == 2, f"Return a lower and an upper end, not {len(pair)} numbers."
assert all(isinstance(end, (int, float)) for end in pair), "Want a number for each end."
share, above, below = covered(0.5, 120, 0.6, 300, 1, 150)
assert share > 0.9, f"Of 150 intervals {share:.0%} cover the truth, not 95 %."
assert share < 1, "All of 150 intervals cover the ratio: they are wider than necessary."
### BEGIN HIDDEN TESTS
for seed, (p_1, n_1, p_2, n_2) in enumerate(
    [
        (0.4, 80, 0.6, 250),
        (0.85, 150, 0.9, 400),
        (0.5, 400, 0.5, 100),
        (0.3, 90, 0.3, 90),
    ]
):
    share, above, below = covered(p_1, n_1, p_2, n_2, 40 + seed, 120)
    assert share > 0.9, f"{share:.0%} of the intervals cover the truth, not about 95 %."
    assert max(above, below) < 0.07, "Both ends should miss about equally often."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 3: by labels, and by truth
#
# Equal opportunity compares those who repay. A bank knows the outcome of loans that it has
# granted; a simulator knows everybody's. `opportunity(people)` returns a dict with two numbers:
# - `"labels"`: the rate at which the new model grants to B, less the same for A, among those
#   whom the bank **knows** to have repaid: `repaid` is `True`,
# - `"truth"`: the same among all who would repay: `would_repay` is `True`.
#
# Below 0, B is worse off. Where one of the two groups has nobody to measure on, the number is
# `None`, not 0: nobody has measured that they are equal.
#
# `people` is a data frame with one row a person: `"group"` (`"A"` or `"B"`), `yes` (bool: the
# new model grants), `repaid` (`True` or `False`, or `None` where the old policy declined) and
# `would_repay` (bool). It stays as it was.


# %% answer="ex3"
def opportunity(people):
    """Return the differences in grants among those who repay: "labels" and "truth"."""
    ### BEGIN SOLUTION
    found = {}
    for name, column in (("labels", "repaid"), ("truth", "would_repay")):
        share = people[people[column].eq(True)].groupby("group")["yes"].mean()
        found[name] = share["B"] - share["A"] if len(share) == 2 else None
    return found
    ### END SOLUTION


# %% locked="people"
def people_of(rows):
    """Return a frame of (group, yes, repaid, would_repay)."""
    table = pd.DataFrame(rows, columns=["group", "yes", "repaid", "would_repay"])
    return table.astype({"repaid": object, "yes": bool, "would_repay": bool})


SMALL = people_of(
    [
        ("A", True, True, True),
        ("A", True, True, True),
        ("A", False, False, False),
        ("A", False, None, True),
        ("B", True, True, True),
        ("B", False, None, True),
        ("B", False, None, True),
        ("B", False, None, False),
    ]
)

# %% test="ex3" points=3
# Covers the table above, and a group without labels. Not shown: other tables.
seen = opportunity(SMALL)
assert seen is not None, "opportunity returned nothing: return a dict."
assert isinstance(seen, dict), f"Return a dict, not {type(seen).__name__}."
assert set(seen) == {"labels", "truth"}, f"Want two numbers, not {sorted(seen)}."
assert near(seen["labels"], 0.0), "By labels all who repaid are granted, A and B."
assert near(seen["truth"], 1 / 3 - 2 / 3), "By truth 1 of 3 in B and 2 of 3 in A."
unknown = SMALL.assign(repaid=SMALL["repaid"].where(SMALL["group"] == "A", None))
assert opportunity(unknown)["labels"] is None, "Nobody of B has an outcome: None."
### BEGIN HIDDEN TESTS
draw = np.random.default_rng(5)
crowd = people_of(
    [
        (name, yes, good if old else None, good)
        for name, yes, good, old in zip(
            draw.choice(["A", "B"], 500).tolist(),
            (draw.random(500) < 0.6).tolist(),
            (draw.random(500) < 0.8).tolist(),
            (draw.random(500) < 0.5).tolist(),
            strict=True,
        )
    ]
)
for column, name in (("repaid", "labels"), ("would_repay", "truth")):
    good = [value is not None and bool(value) for value in crowd[column]]
    part = crowd[good]
    share = {name: part["yes"][part["group"] == name].mean() for name in "AB"}
    want = share["B"] - share["A"]
    got = opportunity(crowd)[name]
    assert near(got, want), f"By {name} the difference should be {want:.4f}."
none = people_of([("A", True, True, True), ("B", True, False, False)])
assert opportunity(none) == {"labels": None, "truth": None}, (
    "Where nobody of B repays, neither of the numbers should be told."
)
own = people_of([("A", True, None, True), ("B", True, None, True)])
opportunity(own)
assert own["repaid"].isna().all(), "Measuring should not change the table."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 4: the gate
#
# `gate(granted, group, limit, least)` returns `"pass"`, `"refuse"` or `"not enough data"`.
# `granted` and `group` are lists as in exercise 1.
# 1. Fewer than two groups, or a group of fewer than `least` people: `"not enough data"`.
# 2. Compare each other group with the one that has the highest rate: the interval of
#    exercise 2 for its rate, divided by the highest. If the **upper** end of one of them is
#    below `limit`: `"refuse"`.
# 3. If the **lower** ends of all of them are `limit` or more: `"pass"`.
# 4. Else `"not enough data"`. It is no pass: a small sample must not make a gate lenient.
#
# The hidden test lets it judge loan officers of worlds whose true ratio is known.


# %% answer="ex4"
def gate(granted, group, limit, least):
    """Return "pass", "refuse" or "not enough data"."""
    ### BEGIN SOLUTION
    found = rates(granted, group)
    if len(found) < 2 or min(one["n"] for one in found.values()) < least:
        return "not enough data"
    top = max(found, key=lambda name: found[name]["rate"])
    high = found.pop(top)
    most = (high["granted"], high["n"])
    ends = [ratio_interval(one["granted"], one["n"], *most) for one in found.values()]
    if any(upper < limit for _, upper in ends):
        return "refuse"
    return "pass" if all(lower >= limit for lower, _ in ends) else "not enough data"
    ### END SOLUTION


# %% locked="crowds"
def crowd_of(**groups):
    """Return lists of decisions and groups from pairs (granted, people)."""
    granted, group = [], []
    for name, (yes, n) in groups.items():
        granted += [True] * yes + [False] * (n - yes)
        group += [name] * n
    return granted, group


# %% test="ex4" points=3
# Covers each answer, and small groups. Not shown: other limits, sizes, and no grants.
said = gate(*crowd_of(A=(600, 1000), B=(580, 1000)), 0.8, 30)
assert said is not None, "gate returned nothing: return one of the three texts."
assert isinstance(said, str), f"Return a text, not {type(said).__name__}."
assert said == "pass", f"0.967 of 2,000 people is well above 0.8: pass, not {said!r}."
said = gate(*crowd_of(A=(600, 1000), B=(400, 1000)), 0.8, 30)
assert said == "refuse", f"0.667 of 2,000 people is well below 0.8, not {said!r}."
said = gate(*crowd_of(A=(120, 200), B=(35, 60)), 0.8, 30)
assert said == "not enough data", f"60 people settle nothing near 0.8, not {said!r}."
said = gate(*crowd_of(A=(600, 1000), B=(2, 20)), 0.8, 30)
assert said == "not enough data", "20 people are fewer than 30, whatever their rate."
assert gate([True, False], ["A", "A"], 0.8, 1) == "not enough data", "One group only."
### BEGIN HIDDEN TESTS
three = {"A": (610, 1000), "B": (590, 1000)}
said = gate(*crowd_of(**three, C=(300, 1000)), 0.8, 30)
assert said == "refuse", "The third group should be compared as well."
said = gate(*crowd_of(C=(300, 1000), **three), 0.8, 30)
assert said == "refuse", "The order of the groups should not matter."
said = gate(*crowd_of(**three, C=(24, 40)), 0.8, 30)
assert said == "not enough data", "A small third group should leave it open."
said = gate(*crowd_of(**three, C=(580, 1000)), 0.8, 30)
assert said == "pass", "Three groups that are treated alike should pass."
said = gate(*crowd_of(B=(600, 1000), A=(400, 1000)), 0.8, 30)
assert said == "refuse", "The group with the highest rate should be found by its rate."
said = gate(*crowd_of(A=(500, 1000), B=(180, 200)), 0.8, 30)
assert said == "refuse", "The highest rate should be found, not the most grants."
said = gate(*crowd_of(A=(600, 1000), B=(580, 1000), C=(2, 20)), 0.8, 30)
assert said == "not enough data", "A small third group should not be left out."
nobody = crowd_of(A=(0, 500), B=(0, 500))
assert gate(*nobody, 0.8, 30) == "not enough data", "No grants should settle nothing."
exactly = crowd_of(A=(600, 1000), B=(29, 30))
assert gate(*exactly, 0.5, 30) == "pass", "A group of just `least` people should count."
half = crowd_of(A=(600, 1000), B=(400, 1000))
assert gate(*half, 0.5, 30) == "pass", "With the `limit` 0.5, 0.667 should pass."
### END HIDDEN TESTS

# %% locked="worlds"
# The loan officers of a world decide a month. With a bias of -20 points they grant B
# at 0.997 of A's rate, with 30 at 0.655: so it is over 200,000 people.


def officers(seed, bias, people):
    """Return lists of decisions and groups."""
    changes = {"officer_bias": float(bias), "applications_per_month": people}
    world = World(seed, load_scenario("calm").model_copy(update=changes))
    granted = world.officer_decisions(-1)["granted"].tolist()
    return granted, world.applications(-1)["group"].astype(str).tolist()


# %% locked="judged"
# grader: these run where the answers run
def answers_of(months):
    """Return what the gate says of several months."""
    return [gate(granted, group, 0.8, 30) for granted, group in months]


# %% test="ex4" part="worlds" points=2
# Covers six worlds of 1,500 people. Not shown: more of them, of other seeds and sizes.
fair = answers_of([officers(seed, -20, 1500) for seed in range(3)])
assert "refuse" not in fair, f"These officers are fair, and the gate says {fair}."
unfair = answers_of([officers(seed, 30, 1500) for seed in range(3)])
assert "pass" not in unfair, f"These officers are unfair, and the gate says {unfair}."
### BEGIN HIDDEN TESTS
fair = answers_of([officers(seed, -20, 1500) for seed in range(100, 120)])
unfair = answers_of([officers(seed, 30, 1500) for seed in range(200, 220)])
assert fair.count("refuse") == 0, "None of 20 fair worlds should be refused."
assert unfair.count("pass") == 0, "None of 20 unfair worlds should pass."
assert fair.count("pass") >= 16, "With 1,500 people most fair worlds should pass."
assert unfair.count("refuse") >= 12, "Most unfair worlds should be refused."
small = answers_of([officers(seed, 30, 200) for seed in range(300, 320)])
assert small.count("pass") <= 1, "With 200 people, an unfair world should not pass."
assert small.count("not enough data") >= 8, "200 people should often be too few."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 5: thresholds by group, by Fairlearn
#
# `equal_rates(past, people, seed)` returns who is granted among `people`, a list or array of bools
# in their order, so that both groups are granted at about the same rate.
# - `past` is a data frame of people whose outcome is known, whether granted or not: `"score"`
#   (float from 0 to 1, higher is better), `"group"` and `repaid` (bool). `people` has
#   `"score"` and `"group"`.
# - Use Fairlearn's `ThresholdOptimizer`: fit it on `past` with the constraint
#   `demographic_parity` and the objective `balanced_accuracy_score`; predict with `seed` as
#   `random_state`. As estimator take `AsIs()` from the cell below, which gives the score back
#   as a probability: hand it a frame of one column, `past[["score"]]`. It needs no training
#   (`prefit=True`, `predict_method="predict_proba"`).
#
# The group is asked for at every decision. In lending in the USA that is disparate treatment,
# whatever it is for (Regulation B, 12 CFR 1002.4(a); not legal advice, as of 30 November 2026).


# %% locked="asis"
class AsIs(ClassifierMixin, BaseEstimator):
    """A classifier whose probability of class 1 is the one column that it is given."""

    def __init__(self):
        self.classes_ = np.array([0, 1])

    def fit(self, features, labels):
        """Refuse: there is nothing to learn."""
        raise RuntimeError("AsIs needs no training: say prefit=True")

    def predict_proba(self, features):
        """Return the probabilities of both classes."""
        score = np.asarray(features, dtype=float).reshape(len(features), -1)[:, 0]
        return np.column_stack([1 - score, score])


def bank(seed, n, gap):
    """Return people whose scores in group B are lower by gap."""
    draw = np.random.default_rng(seed)
    group = np.where(draw.random(n) < 0.4, "B", "A")
    score = 1 / (1 + np.exp(-draw.normal(1.0, 1.0, n) + gap * (group == "B")))
    repaid = draw.random(n) < score
    return pd.DataFrame({"score": score, "group": group, "repaid": repaid})


# %% answer="ex5"
def equal_rates(past, people, seed):
    """Return who is granted, so that both groups have about the same rate."""
    ### BEGIN SOLUTION
    chosen = ThresholdOptimizer(
        estimator=AsIs(),
        constraints="demographic_parity",
        objective="balanced_accuracy_score",
        prefit=True,
        predict_method="predict_proba",
    )
    chosen.fit(past[["score"]], past["repaid"], sensitive_features=past["group"])
    group = people["group"]
    rows = people[["score"]]
    granted = chosen.predict(rows, sensitive_features=group, random_state=seed)
    return granted.astype(bool)
    ### END SOLUTION


# %% test="ex5" points=3
# Covers one bank: form and parity. Not shown: others, who is granted within a group.
past, people = bank(1, 3000, 0.8), bank(2, 2000, 0.8)
granted = equal_rates(past, people[["score", "group"]], 0)
assert granted is not None, "equal_rates returned nothing: return a list of bools."
assert isinstance(granted, (list, np.ndarray)), f"Not {type(granted).__name__}: a list."
assert len(granted) == 2000, f"Want one answer for each of 2000, not {len(granted)}."
assert all(isinstance(yes, (bool, np.bool_)) for yes in granted), "Want bools."
given = np.asarray(granted, dtype=bool)
shares = [given[(people["group"] == name).to_numpy()].mean() for name in "AB"]
assert min(shares) > 0.05, "Hardly anybody is granted: that is equal, and no use."
assert max(shares) < 0.95, "Nearly everybody is granted: that is equal, and no use."
assert abs(shares[0] - shares[1]) < 0.06, f"A and B should have one rate: {shares}."
### BEGIN HIDDEN TESTS
for seed, gap in ((11, 0.5), (12, 1.2), (13, -0.6)):
    past, people = bank(seed, 3000, gap), bank(seed + 50, 2000, gap)
    given = np.asarray(equal_rates(past, people[["score", "group"]], seed), dtype=bool)
    parts = {name: (people["group"] == name).to_numpy() for name in "AB"}
    shares = {name: given[part].mean() for name, part in parts.items()}
    assert abs(shares["A"] - shares["B"]) < 0.07, "Both should have about one rate."
    again = np.asarray(equal_rates(past, people[["score", "group"]], seed), dtype=bool)
    assert (again == given).all(), "The same seed should give the same answers."
    assert 0.3 < shares["A"] < 0.9, "The share granted is not that of the objective."
    best = people[people["score"] >= people["score"].quantile(0.95)]
    best = best[["score", "group"]].reset_index(drop=True)
    alone = np.asarray(equal_rates(past, best, seed), dtype=bool)
    why_5 = "Thresholds should come from `past`: all of these people score high."
    assert alone.mean() > 0.9, why_5
    for part in parts.values():
        order = people["score"].to_numpy()[part].argsort()
        mine = given[part][order]
        assert not mine[: len(mine) // 10].any(), "The lowest scores should lose."
        assert mine[-len(mine) // 10 :].all(), "The highest scores should be granted."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 6: who pays?
#
# `who_pays(before, after, group, profit)` compares two lists of decisions about the same
# people and returns a dict:
# - `"cost"`: what the bank earns less, in EUR (float; below 0: it earns more),
# - `"gained"` and `"lost"`: dicts with a whole number for **each** group: people of it who get a
#   loan by `after` and not by `before`, and the other way round. The difference alone would hide
#   that some people gain a loan while others lose theirs.
#
# `profit` is a list with what each loan is expected to earn, in EUR, if it is granted.


# %% answer="ex6"
def who_pays(before, after, group, profit):
    """Return "cost", "gained" and "lost"."""
    ### BEGIN SOLUTION
    bill = {
        "cost": 0.0,
        "gained": dict.fromkeys(group, 0),
        "lost": dict.fromkeys(group, 0),
    }
    for old, new, name, eur in zip(before, after, group, profit, strict=True):
        bill["cost"] += eur * (old - new)
        if old != new:
            bill["gained" if new else "lost"][name] += 1
    return bill
    ### END SOLUTION


# %% test="ex6" points=3
# Covers five people. Not shown: others, more groups, and nothing that changes.
old, new = [True, True, False, False, True], [True, False, True, False, False]
bill = who_pays(old, new, ["A", "A", "B", "B", "B"], [500.0, 300.0, -100.0, 50.0, 80.0])
assert bill is not None, "who_pays returned nothing: return a dict."
assert isinstance(bill, dict), f"Return a dict, not {type(bill).__name__}."
assert set(bill) == {"cost", "gained", "lost"}, f"It has {sorted(bill)}."
assert near(bill["cost"], 480.0), "880 EUR before and 400 after: it costs 480."
for name in ("gained", "lost"):
    assert isinstance(bill[name], dict), f"Want a dict of groups for {name}."
    assert set(bill[name]) == {"A", "B"}, f"{name} is told for each group."
assert bill["gained"] == {"A": 0, "B": 1}, "One of B gets a loan."
assert bill["lost"] == {"A": 1, "B": 1}, "One of A and one of B lose theirs."
### BEGIN HIDDEN TESTS
same = who_pays(new, new, ["A", "A", "B", "B", "C"], [1.0, 2.0, 3.0, 4.0, 5.0])
zeros = {"A": 0, "B": 0, "C": 0}
both = [same["gained"], same["lost"]]
why_6 = "Each group that occurs should be there, with 0 where nothing changes."
assert both == [zeros, zeros], why_6
assert near(same["cost"], 0.0), "Where nothing changes, it should cost nothing."
more = who_pays([False] * 3, [True] * 3, ["A", "B", "B"], [10.0, 20.0, -50.0])
assert near(more["cost"], 20.0), "Loans that lose money count with their sign."
assert more["gained"] == {"A": 1, "B": 2}, "All who get a loan should be counted."
assert more["lost"] == {"A": 0, "B": 0}, "Nobody should be counted as a loser here."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 7: the fairest of the equals
#
# Many models rank equally well, and their ratios differ. A bank that can have the fairer one
# for nothing should take it: the *least discriminatory alternative*. But the largest of many
# ratios is large by luck, too, so it is told on people whom the choice has not seen.
#
# `choose(models, group, fresh, tolerance)` returns a dict with `"name"` (of the chosen model),
# `"equals"` (how many models were compared, int), `"seen"` and `"fresh"` (floats, ratios).
# - `models` is a list of dicts: `"name"`, `auc`, and `"granted"`, its decisions about all
#   people. `group` and `fresh` are lists of as many groups, and of bools.
# - The **equals** are the models whose AUC is not more than `tolerance` below the best AUC.
# - A ratio is the lowest group's rate divided by the highest group's, whichever groups these are.
#   (The lesson took B over A, and its equals lay around the median AUC.)
# - Choose the equal with the highest ratio among the people who are **not** fresh; the first of
#   them, where several have it. `"seen"` is that ratio, `"fresh"` the same model's ratio among
#   the fresh people. Nothing but this last number may depend on them.


# %% answer="ex7"
def choose(models, group, fresh, tolerance):
    """Return "name", "equals", "seen" and "fresh"."""

    ### BEGIN SOLUTION
    def ratio(model, wanted):
        rows = [number for number, new in enumerate(fresh) if new == wanted]
        found = rates([model["granted"][n] for n in rows], [group[n] for n in rows])
        shares = [one["rate"] for one in found.values()]
        return min(shares) / max(shares)

    best = max(model["auc"] for model in models)
    equals = [model for model in models if model["auc"] >= best - tolerance]
    chosen = max(equals, key=lambda model: ratio(model, False))
    return {
        "name": chosen["name"],
        "equals": len(equals),
        "seen": ratio(chosen, False),
        "fresh": ratio(chosen, True),
    }
    ### END SOLUTION


# %% locked="models"
def models_of(seed, n, people):
    """Return models of a true ratio of 0.8 with AUCs of 0.74 to 0.76, groups, fresh."""
    draw = np.random.default_rng(seed)
    group = np.where(np.arange(people) % 3 == 0, "B", "A")
    rate = np.where(group == "B", 0.48, 0.6)
    models = [
        {
            "name": f"model-{number}",
            "auc": float(round(draw.uniform(0.74, 0.76), 4)),
            "granted": (draw.random(people) < rate).tolist(),
        }
        for number in range(n)
    ]
    return models, group.tolist(), (draw.random(people) < 0.5).tolist()


TWO = [
    {
        "name": "one",
        "auc": 0.75,
        "granted": [True, True, True, False, True, True, True, True],
    },
    {
        "name": "two",
        "auc": 0.749,
        "granted": [True, True, True, True, True, True, True, False],
    },
    {"name": "bad", "auc": 0.6, "granted": [True] * 8},
]
GROUPS = ["A", "A", "B", "B", "A", "A", "B", "B"]
FRESH = [False] * 4 + [True] * 4

# %% test="ex7" points=3
# Covers three models of eight people. Not shown: many models, other tolerances, luck.
chosen = choose(TWO, GROUPS, FRESH, 0.002)
assert chosen is not None, "choose returned nothing: return a dict."
assert isinstance(chosen, dict), f"Return a dict, not {type(chosen).__name__}."
assert set(chosen) == {"name", "equals", "seen", "fresh"}, f"It has {sorted(chosen)}."
assert chosen["equals"] == 2, "Two models lie within 0.002 of the best AUC."
assert chosen["name"] == "two", "Model two has ratio 1 among those who are not fresh."
assert near(chosen["seen"], 1.0), "Model two grants all four people seen."
assert near(chosen["fresh"], 0.5), "Of the fresh, half of B and all of A are granted."
### BEGIN HIDDEN TESTS
tight = choose(TWO, GROUPS, FRESH, 0.0005)
assert tight["name"] == "one", "With a small tolerance only the best counts."
assert tight["equals"] == 1, "With a small tolerance there should be one equal."
edge = [{**TWO[0], "auc": 0.75}, {**TWO[1], "auc": 0.5}]
edge = choose(edge, GROUPS, FRESH, 0.25)
assert edge["equals"] == 2, "A model that is the tolerance below should be an equal."
twins = [{**TWO[1], "name": "first", "auc": 0.7495}, {**TWO[1], "name": "second"}]
twins = choose(twins, GROUPS, FRESH, 0.002)
assert twins["name"] == "first", "Of several with one ratio the first should be chosen."
better = [{**TWO[0]}, {**TWO[1]}]
swapped = choose(better, ["B" if name == "A" else "A" for name in GROUPS], FRESH, 0.002)
assert swapped["fresh"] == 0.5, "The lowest rate may be A's: a ratio is never above 1."
leads = []
for seed in (3, 4, 5):
    models, group, fresh = models_of(seed, 30, 600)
    got = choose(models, group, fresh, 0.005)
    best = max(model["auc"] for model in models)
    table = {}
    for model in models:
        if model["auc"] >= best - 0.005:
            part = pd.DataFrame({"yes": model["granted"], "g": group, "new": fresh})
            share = part.groupby(["new", "g"])["yes"].mean().unstack()
            table[model["name"]] = share.min(axis=1) / share.max(axis=1)
    want = max(table, key=lambda name: table[name][False])
    assert got["equals"] == len(table), "Models below the tolerance should be left out."
    assert got["name"] == want, "The choice should be by the people who are not fresh."
    assert near(got["seen"], table[want][False]), "The ratio seen should be its own."
    assert near(got["fresh"], table[want][True]), "The fresh ratio is measured anew."
    leads.append(got["seen"] - got["fresh"])
    turned = copy.deepcopy(models)
    for model in turned:
        pairs = zip(model["granted"], fresh, strict=True)
        model["granted"] = [yes != new for yes, new in pairs]
    again = choose(turned, group, fresh, 0.005)
    assert again["name"] == got["name"], "The fresh people should not move the choice."
    assert near(again["seen"], got["seen"]), "Fresh people should not move this ratio."
    assert not near(again["fresh"], got["fresh"]), "The fresh ratio should follow them."
assert sum(leads) > 0, "The ratio that was chosen should be larger than the fresh one."
### END HIDDEN TESTS

# %% [markdown]
# ## All of it
#
# When all tests pass, run this in a cell of your own: thirty models whose true ratio is 0.8,
# the fairest of the equals, and what your gate says of it on both halves.
#
# ```python
# models, group, fresh = models_of(8, 30, 3000)
# found = choose(models, group, fresh, 0.005)
# granted = next(one["granted"] for one in models if one["name"] == found["name"])
# for half in (False, True):
#     rows = [(yes, name) for yes, name, new in zip(granted, group, fresh) if new == half]
#     print("fresh" if half else "seen", gate(*map(list, zip(*rows)), 0.75, 30))
# print(found)
# ```
