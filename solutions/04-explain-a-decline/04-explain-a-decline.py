# %% [markdown]
# # 04 Explain a decline
#
# Oakbank has to tell declined applicants why. You build the letter: contributions that add up, put into words a person
# knows, ordered, and each checked against the model before anybody reads it. Where the check fails, no letter leaves.
#
# You need lesson 04/04. About 85 minutes; seven exercises, 21 points. Each exercise is a function; run the cell below
# it to test it. `python3 bootstrap.py check 04-explain-a-decline` runs the tests that you see. A grader's tests go
# further; the first line of each test says where.

# %% locked="setup"
import json
import tempfile
from itertools import combinations, permutations
from math import factorial
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pandas as pd
import shap

from oakbank.governance import reasons
from oakbank.pipelines import FEATURE_NAMES, OAKBANK, TrainingConfig, grant, run_training
from oakbank.world import Lake, World, publish_history

world = World(seed=6, scenario="calm")
lake = Lake(Path(tempfile.mkdtemp()) / "lake")
publish_history(world, lake)
model = run_training(TrainingConfig(), lake, lake.folder.parent / "run").model()
month = world.applications(0)
risk = model.predict(month)
yes = grant(risk, month["amount"], month["term"])
declined = month[~yes]

# A model small enough to take apart by hand: four columns, thirty trees.
COLUMNS = ["income", "bureau_score", "delinquencies", "amount"]
known = lake.read("outcomes", range(-9, 0))[["application_id", "defaulted"]]
history = lake.read("applications", range(-12, -3)).merge(known, on="application_id")
settings = {"objective": "binary", "num_leaves": 8, "min_data_in_leaf": 60, "num_threads": 1, "verbosity": -1}
table = lgb.Dataset(history[COLUMNS].to_numpy(float), history["defaulted"].to_numpy(int))
small = lgb.train(settings, table, 30)


def small_log_odds(person):
    """Return what the small model answers for a dict with the four columns: log-odds of default, a float."""
    return float(small.predict(np.array([[person[name] for name in COLUMNS]], dtype=float), raw_score=True)[0])


# What shap says: of three people by the small model, and of forty by the real one. Yours will be held against it.
granted_person = month.loc[yes, COLUMNS].median().to_dict()
small_people = declined[COLUMNS].head(3).astype(float).to_dict("records")
small_by_shap = shap.TreeExplainer(small, np.array([list(granted_person.values())]))(declined[COLUMNS].head(3)).values
real_values, real_start = reasons.contributions(model, declined.head(40))


# %% [markdown]
# In this lab a person is a dict, `{"income": 2100.0, "amount": 9000.0, ...}`, and so is an explanation: a name, and how
# far it pushes in log-odds. Above 0 pushes towards default.

# %%
small_people[0], small_log_odds(small_people[0]), small_log_odds(granted_person)

# %% [markdown]
# ## Exercise 1: share out the difference
#
# `shapley(score, applicant, reference)` returns the exact Shapley values as a dict: for each name in `applicant`, its
# share (float) of `score(applicant) - score(reference)`.
# - `score` takes a dict with all the names and returns a number. It may be any function.
# - `applicant` and `reference` are dicts with the same names, up to six of them. A name that is "not known yet" has the
#   reference's value.
# - The two dicts stay as they are.
#
# <details><summary>Hint</summary>
#
# `permutations` (of `itertools`, imported above) gives all orders. In each, begin with the reference, put in the
# applicant's values one after the other, give each name what its step moved, and average. Or over all coalitions, with
# the weights `s! (n - s - 1)! / n!` for a coalition of size `s`.
# </details>


# %% answer="ex1"
def shapley(score, applicant, reference):
    """Return each name's share of score(applicant) - score(reference)."""
    ### BEGIN SOLUTION
    orders = list(permutations(applicant))
    shares = dict.fromkeys(applicant, 0.0)
    for order in orders:
        person = dict(reference)
        reached = score(person)
        for name in order:
            person[name] = applicant[name]
            step, reached = score(person) - reached, score(person)
            shares[name] += float(step) / len(orders)
    return shares
    ### END SOLUTION


# %% test="ex1" points=2
# Covers functions in which each name acts alone. Not shown: other such functions.
plain = shapley(lambda p: 2 * p["a"] + 3 * p["b"], {"a": 5, "b": 1}, {"a": 1, "b": 2})
assert plain is not None, "shapley returned nothing: return a dict with one share for each name."
assert isinstance(plain, dict), f"shapley should return a dict, not {type(plain).__name__}."
assert set(plain) == {"a", "b"}, "Want the applicant's names, a and b."
assert np.isclose(plain["a"], 8) and np.isclose(plain["b"], -3), "A plain sum: each name's share is its own difference."
person, other = {"x": 3.0, "y": 1.0, "z": 2.0}, {"x": 1.0, "y": 1.0, "z": 4.0}
shares = shapley(lambda p: p["x"] ** 2 - p["z"], person, other)
assert np.isclose(shares["x"], 8) and np.isclose(shares["z"], 2), "Not known yet means the reference's value."
assert np.isclose(shares["y"], 0), "What is the same in both has no share."
assert person == {"x": 3.0, "y": 1.0, "z": 2.0} and other == {"x": 1.0, "y": 1.0, "z": 4.0}, (
    "The dicts stay as they are."
)
### BEGIN HIDDEN TESTS
four = shapley(
    lambda p: p["w"] - 5 * p["v"] + abs(p["u"]) + 0 * p["t"],
    dict(zip("tuvw", (9, -4, 2, 1), strict=True)),
    dict.fromkeys("tuvw", 1),
)
assert np.allclose([four[name] for name in "tuvw"], [0, 3, -5, 0]), (
    "Each of four names that act alone has its own part."
)
### END HIDDEN TESTS

# %% test="ex1" part="together" points=2
# Covers names that act together. Not shown: more such functions, and a model.
product = shapley(lambda p: p["a"] * p["b"], {"a": 3, "b": 5}, {"a": 1, "b": 1})
assert product is not None, "shapley returned nothing: return a dict with one share for each name."
assert isinstance(product, dict), f"shapley should return a dict, not {type(product).__name__}."
assert np.isclose(sum(product.values()), 14), "The shares must add up to score(applicant) - score(reference) = 15 - 1."
assert np.isclose(product["a"], 6) and np.isclose(product["b"], 8), "Average over both orders of a and b: 6 and 8."
triple = shapley(lambda p: p["a"] * p["b"] * p["c"], dict.fromkeys("abc", 1), dict.fromkeys("abc", 0))
assert all(np.isclose(value, 1 / 3) for value in triple.values()), "Three who are needed alike share alike."
### BEGIN HIDDEN TESTS
either = shapley(lambda p: max(p.values()), dict.fromkeys("abcd", 1), dict.fromkeys("abcd", 0))
assert all(np.isclose(value, 1 / 4) for value in either.values()), "Four who would each suffice share alike."
for asked, wanted in zip(small_people, small_by_shap, strict=True):
    mine = shapley(small_log_odds, asked, granted_person)
    assert np.allclose([mine[name] for name in COLUMNS], wanted, atol=1e-5), "shap finds other values for these trees."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 2: does it add up?
#
# From here on the contributions come from `shap`, and tools have bugs and versions. Before a letter is written, its
# numbers are checked.
#
# `misfits(contributions, start, probability, tolerance)` returns the rows (a list of int, ascending) whose explanation
# cannot be used: those where `start` plus the sum of the row's contributions differs from the log-odds of
# `probability` by more than `tolerance`, in either direction, and those where it cannot be told, because a
# contribution is NaN.
# - `contributions`: array of shape (n, features), log-odds; `start`: shape (n,), log-odds.
# - `probability`: what the model answered, shape (n,), between 0 and 1.


# %% answer="ex2"
def misfits(contributions, start, probability, tolerance=1e-6):
    """Return the rows whose contributions do not explain the model's answer."""
    ### BEGIN SOLUTION
    answered = np.log(probability) - np.log1p(-np.asarray(probability))
    explained = np.asarray(start) + np.asarray(contributions).sum(axis=1)
    fits = np.abs(answered - explained) <= tolerance
    return [int(row) for row in np.flatnonzero(~fits)]
    ### END SOLUTION


# %% test="ex2" points=2
# Covers what is off in either direction, the tolerance, NaN. Not shown: other tables.
three = np.array([[1.0, -1.0], [0.5, 0.5], [2.0, 0.0]])
begin = np.array([0.0, 0.0, -1.0])
answers = 1 / (1 + np.exp(-np.array([0.0, 1.0, 1.0])))  # log-odds 0, 1 and 1
sound = misfits(three, begin, answers, 1e-6)
assert sound is not None, "misfits returned nothing: return a list, empty if all is well."
assert isinstance(sound, list), f"misfits should return a list, not {type(sound).__name__}."
assert sound == [], "All three rows add up, in log-odds. Which scale are the answers on?"
assert misfits(three + np.array([[0.0, 0.0], [0.1, 0.0], [0.0, 0.0]]), begin, answers, 1e-6) == [1], (
    "Row 1 is off by 0.1."
)
assert misfits(three - np.array([[0.0, 0.0], [0.0, 0.0], [0.3, 0.0]]), begin, answers, 1e-6) == [2], (
    "Too little is wrong as well."
)
assert misfits(three + 0.1, begin, answers, 0.5) == [], "All rows lie within the tolerance given."
assert misfits(three * 1.1, begin, answers, 1e-6) == [1, 2], "Name each row that is off."
hole = three.copy()
hole[0, 1] = np.nan
assert misfits(hole, begin, answers, 1e-6) == [0], "Where a contribution is NaN, nothing has been explained."
### BEGIN HIDDEN TESTS
assert misfits(np.zeros((1, 2)), np.zeros(1), np.array([0.5]), 0.0) == [], "Off by 0 is not more than a tolerance of 0."
answered = model.predict(declined.head(40))
assert misfits(real_values, real_start, answered, 1e-6) == [], "These are sound: shap on the real model."
assert misfits(real_values[:, 1:], real_start, answered, 1e-6) != [], "Here a column is missing."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 3: words that a person knows
#
# Nobody has a `loan_to_income`, or an `employment_salaried` of 0. `by_reason(contributions, members)` returns a dict,
# reason to contribution (float): the sum over the features that belong to it.
# - `contributions`: dict, feature to log-odds. `members`: dict, reason to a list of features.
# - Every reason of `members` is in the result, also one whose sum is 0 or below.
# - Nothing may get lost or counted twice, or the letter no longer adds up. Raise `ValueError` and name the feature in
#   the message if one of `contributions` belongs to no reason or to more than one, or if `members` has a feature
#   that `contributions` does not.


# %% answer="ex3"
def by_reason(contributions, members):
    """Return the contribution of each reason; raise ValueError if a feature is lost or counted twice."""
    ### BEGIN SOLUTION
    claimed = [feature for features in members.values() for feature in features]
    odd = [feature for feature in contributions if claimed.count(feature) != 1]
    odd += [feature for feature in claimed if feature not in contributions]
    if odd:
        raise ValueError(f"must belong to exactly one reason and have a contribution: {', '.join(odd)}")
    return {reason: float(sum(contributions[feature] for feature in own)) for reason, own in members.items()}
    ### END SOLUTION


# %% locked="refuses"
def refusal(call, *arguments):
    """Return the message of the ValueError that a call raises, or None if it raises none."""
    try:
        call(*arguments)
    except ValueError as error:
        return str(error)
    return None


# %% test="ex3" points=2
# Covers sums of what pushes either way. Not shown: other reasons.
pushes = {"amount": 0.4, "loan_to_income": -0.1, "job_salaried": 0.3, "job_retired": -0.05, "age": -0.2}
owners = {"amount": ["amount", "loan_to_income"], "employment": ["job_salaried", "job_retired"], "age": ["age"]}
summed = by_reason(pushes, owners)
assert summed is not None, "by_reason returned nothing: return a dict, reason to sum."
assert isinstance(summed, dict), f"by_reason should return a dict, not {type(summed).__name__}."
assert set(summed) == {"amount", "employment", "age"}, "Want the three reasons, the one below 0 too."
assert np.isclose(summed["age"], -0.2), "A reason of one feature has that feature's contribution."
assert np.isclose(summed["amount"], 0.3), "What pulls the other way belongs to the sum."
assert np.isclose(summed["employment"], 0.25), "All the one-hot columns count, whichever of them is 1."
### BEGIN HIDDEN TESTS
assert by_reason({"f": 1.5}, {"a": ["f"], "b": []}) == {"a": 1.5, "b": 0.0}, "A reason without features pushes by 0."
more = by_reason({"a": -2.0, "b": 0.5, "c": 1.5, "d": 0.25}, {"x": ["d", "a", "c"], "y": ["b"]})
assert np.isclose(more["x"], -0.25) and np.isclose(more["y"], 0.5), "The sums are wrong for other features and reasons."
### END HIDDEN TESTS

# %% test="ex3" part="complete" points=1
# Covers a feature without a reason, one with two, one without a contribution. Not shown: other names.
assert by_reason(pushes, owners) is not None, "by_reason returned nothing: return a dict, reason to sum."
lost = refusal(by_reason, pushes | {"region_north": 0.7}, owners)
assert lost is not None, "region_north belongs to no reason: raise a ValueError."
assert "region_north" in lost, "The message should name the feature."
twice = refusal(by_reason, pushes, owners | {"burden": ["loan_to_income"]})
assert twice is not None and "loan_to_income" in twice, "loan_to_income belongs to two reasons: it counts twice."
absent = refusal(by_reason, pushes, owners | {"debts": ["debts"]})
assert absent is not None and "debts" in absent, "There is no contribution of debts: raise a ValueError that says so."
### BEGIN HIDDEN TESTS
double = refusal(by_reason, {"f": 1.0}, {"a": ["f", "f"]})
assert double is not None and "f" in double, "A feature that stands twice in one reason should be refused as well."
assert refusal(by_reason, {"f": 1.0}, {"a": ["f"], "b": ["g"]}) is not None, "A feature without contribution: refuse."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 4: up to four
#
# `pick(pushes, k, least, protected)` returns the names of the reasons to tell, a list, strongest first.
# - `pushes`: dict, reason to log-odds. Only what pushes towards default by at least `least` is a reason for a decline.
# - At most `k` of them; fewer if there are fewer. Equal contributions are ordered by name.
# - If a name of `protected` occurs in `pushes`, whatever its size, raise `ValueError` with that name in the message. A
#   model that uses what it may not use is not mended by a letter that keeps quiet about it.


# %% answer="ex4"
def pick(pushes, k=4, least=0.01, protected=("group",)):
    """Return up to k names that push towards default by at least `least`, strongest first."""
    ### BEGIN SOLUTION
    if forbidden := set(protected) & set(pushes):
        raise ValueError(f"the model must not use {sorted(forbidden)}: take it out of the model")
    strong = [name for name in pushes if pushes[name] >= least]
    return sorted(strong, key=lambda name: (-pushes[name], name))[:k]
    ### END SOLUTION


# %% test="ex4" points=3
# Covers order, ties, the limit, k, a protected name. Not shown: other pushes.
six = {"amount": 0.3, "income": 0.1, "age": -0.9, "region": 0.004, "employment": 0.3, "burden": 0.7}
names = pick(six, 4, 0.01, ("group",))
assert names is not None, "pick returned nothing: return a list of names."
assert isinstance(names, (list, tuple)) and len(names) > 0, "Return a list of names; here four of them push enough."
assert names[0] == "burden", "The strongest push towards default comes first."
assert pick({"age": -0.9}, 4, 0.01, ("group",)) == [], "What speaks for the applicant is no reason for a decline."
assert list(names) == ["burden", "amount", "employment", "income"], f"Strongest first, equal ones by name; not {names}."
assert list(pick(dict(reversed(six.items())), 2, 0.01, ("group",))) == ["burden", "amount"], (
    "Equal contributions are ordered by name, however the dict was filled."
)
assert list(pick(six, 9, 0.2, ("group",))) == ["burden", "amount", "employment"], "Below `least` it is no reason."
assert list(pick({"a": 0.5, "b": 0.25}, 4, 0.25, ())) == ["a", "b"], "At least: the limit itself counts."
told = refusal(pick, six | {"group": 0.2}, 4, 0.01, ("group",))
assert told is not None and "group" in told, "The model uses the protected group: raise a ValueError that names it."
### BEGIN HIDDEN TESTS
assert refusal(pick, six | {"group": -0.2}, 4, 0.01, ("group",)) is not None, "In its favour is use as well."
assert "region" in (refusal(pick, six, 2, 0.01, ("group", "region")) or ""), "Take the names from `protected`."
others = {"d": 0.5, "c": 0.5, "b": 2.0, "a": 0.49, "e": -3.0}
assert list(pick(others, 3, 0.1, ())) == ["b", "c", "d"], "The three strongest of other pushes, equal ones by name."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 5: what would turn it?
#
# The strongest push need not be the one that turns the decision. `turning_points(granted, applicant, typical)` asks the
# decision itself, not the contributions.
# - `granted` takes a person (dict) and returns whether the loan is granted; `applicant` is a declined person.
# - `typical`: dict, what a granted person usually has, for some of the applicant's names (up to six).
# - Returns the **smallest** sets of these names that turn the decision if they are set to the typical values and all
#   else stays as it is: a list of sorted lists of names, itself sorted. All sets in it have the same size. If each name
#   by itself fails, look at pairs, and so on; `[]` if not even all of them together turn it.
# - `applicant` stays as it is.
#
# <details><summary>Hint</summary>
#
# `combinations(names, size)` (of `itertools`, imported above) gives all sets of a size.
# </details>


# %% answer="ex5"
def turning_points(granted, applicant, typical):
    """Return the smallest sets of names that turn the decision when set to typical values."""
    ### BEGIN SOLUTION
    for size in range(1, len(typical) + 1):
        tries = combinations(sorted(typical), size)
        found = [list(names) for names in tries if granted(applicant | {name: typical[name] for name in names})]
        if found:
            return found
    return []
    ### END SOLUTION


# %% test="ex5" points=1
# Covers one name that is enough, or several such. Not shown: decisions that nothing turns.
usual = {"score": 650, "amount": 8000, "late": 0}
asker = {"score": 500, "amount": 9000, "late": 3, "age": 40}
found = turning_points(lambda p: p["score"] > 600, asker, usual)
assert found is not None, "turning_points returned nothing: return a list of lists of names."
assert isinstance(found, (list, tuple)), f"turning_points should return a list, not {type(found).__name__}."
assert all(isinstance(names, (list, tuple)) for names in found), "Return a list of lists of names."
assert [list(names) for names in found] == [["score"]], "The score alone turns this decision, and nothing else does."
two = turning_points(lambda p: p["score"] > 600 or p["late"] == 0, asker, usual)
assert [list(names) for names in two] == [["late"], ["score"]], "Two names, each enough by itself: both, sorted."
first = turning_points(lambda p: p["amount"] < 8500, asker, usual)
assert [list(names) for names in first] == [["amount"]], "Begin each try anew: the values of the last one do not stay."
assert asker == {"score": 500, "amount": 9000, "late": 3, "age": 40}, "The applicant stays as they are."
### BEGIN HIDDEN TESTS
assert list(turning_points(lambda p: p["age"] > 50, asker, usual)) == [], "Nothing that may be set turns this one."
### END HIDDEN TESTS

# %% test="ex5" part="together" points=2
# Covers a pair that is enough only together. Not shown: several pairs, all names.
both = turning_points(lambda p: p["score"] > 600 and p["late"] < 2, asker, usual)
assert both is not None, "turning_points returned nothing, although two names together turn this decision."
assert isinstance(both, (list, tuple)), "turning_points should return a list of lists of names."
assert [list(names) for names in both] == [["late", "score"]], "Neither is enough alone; the two together are."
### BEGIN HIDDEN TESTS
points = turning_points(lambda p: (p["score"] > 600) + (p["late"] == 0) + (p["amount"] < 8500) >= 2, asker, usual)
every_pair = [["amount", "late"], ["amount", "score"], ["late", "score"]]
assert [list(names) for names in points] == every_pair, (
    "Any two of three are enough here: want all three pairs, sorted."
)
every = turning_points(lambda p: p["score"] == 650 and p["late"] == 0 and p["amount"] == 8000, asker, usual)
assert [list(names) for names in every] == [["amount", "late", "score"]], "It may take all of them."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 6: the letter
#
# `letter(application_id, picked, texts, turning, sound)` returns the letter as plain data that `json.dumps` accepts:
#
# | key | value |
# |---|---|
# | `application_id` | int; it may come as a NumPy integer |
# | `decision` | `"declined"`; or `"referred"` to a person if `sound` is false or `picked` is empty |
# | `reasons` | for a declined one, in the order of `picked`, one dict each: `reason` (its name), `text` (from the dict `texts`), `enough_alone` (bool); for a referred one `[]` |
#
# - `picked`: list of names, as of exercise 4. `turning`: list of lists of names, as of exercise 5.
# - `enough_alone` is true only if this reason by itself turns the decision. One that does so only in company does not.
# - `sound`: whether the explanation adds up (exercise 2). A letter that nobody can stand behind is not sent.


# %% answer="ex6"
def letter(application_id, picked, texts, turning, sound):
    """Return the letter for one declined application, as plain data."""
    ### BEGIN SOLUTION
    usable = bool(sound) and len(picked) > 0
    alone = {names[0] for names in turning if len(names) == 1}
    told = [{"reason": name, "text": texts[name], "enough_alone": name in alone} for name in picked if usable]
    decision = "declined" if usable else "referred"
    return {"application_id": int(application_id), "decision": decision, "reasons": told}
    ### END SOLUTION


# %% test="ex6" points=3
# Covers a letter, its reasons, a NumPy id, and when it is not sent. Not shown: other letters.
words = {"bureau_score": "score 480, typical 660", "amount": "18,000 EUR asked for", "age": "19 years"}
note = letter(7, ["bureau_score", "amount"], words, [["bureau_score"]], True)
assert note is not None, "letter returned nothing: return a dict."
assert isinstance(note, dict), f"letter should return a dict, not {type(note).__name__}."
assert set(note) == {"application_id", "decision", "reasons"}, "Want the keys application_id, decision, reasons."
assert note["decision"] == "declined", "It is sound and there are reasons, so the application is declined."
told = note["reasons"]
assert isinstance(told, list) and all(isinstance(one, dict) for one in told), "`reasons` is a list of dicts."
assert all(set(one) == {"reason", "text", "enough_alone"} for one in told), "Each has reason, text, enough_alone."
assert [one["reason"] for one in told] == ["bureau_score", "amount"], "The reasons come in the order of `picked`."
assert told[0]["text"] == "score 480, typical 660", "The text comes from `texts`."
assert [one["enough_alone"] for one in told] == [True, False], "Only the score turns the decision by itself."
pair = letter(np.int64(8), ["amount", "bureau_score"], words, [["amount", "bureau_score"]], True)
assert [r["enough_alone"] for r in pair["reasons"]] == [False, False], "Together is not alone: do not promise it."
assert json.loads(json.dumps(note)) == note, "Plain data: json must take the letter and give it back."
try:
    wire = json.dumps(pair)
except TypeError:
    wire = ""
assert json.loads(wire or "{}") == pair, "application_id came as a NumPy integer: json refuses those."
stop = {"application_id": 9, "decision": "referred", "reasons": []}
assert letter(9, ["amount"], words, [], False) == stop, "It does not add up: to a person, and no reasons."
assert letter(9, [], words, [["amount"]], True) == stop, "Nothing to tell: to a person, not an empty letter."
### BEGIN HIDDEN TESTS
last = letter(3, ["age"], words, [["amount"], ["bureau_score"]], True)
want = [{"reason": "age", "text": "19 years", "enough_alone": False}]
assert last["reasons"] == want, "Age is the only reason, and others turn the decision: it should not be enough alone."
three = letter(4, ["amount", "age"], words, [["age"], ["amount"], ["bureau_score"]], np.True_)
assert [one["enough_alone"] for one in three["reasons"]] == [True, True], "Each reason that is enough alone is told so."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 7: ask the tool yourself
#
# So far, `reasons.contributions` has called `shap` for you. Next year brings another model and other people to compare
# with. `explain(model_text, background, people)` explains any binary LightGBM model and returns a dict:
#
# | key | value |
# |---|---|
# | `"values"` | array of shape (n, features): the exact Shapley values of each person's log-odds, compared with `background` |
# | `"start"` | float: the mean log-odds of the background; start and a person's values add up to their log-odds |
#
# - `model_text`: the model as text; `lgb.Booster(model_str=model_text)` brings it to life.
# - `background`: array of shape (b, features), the rows to compare with. Every row counts the same, however many there
#   are.
# - `people`: array of shape (n, features), the rows to explain.
#
# How you get there is yours: `shap` as in lesson 04/04, or arithmetic of your own.
#
# <details><summary>Hint</summary>
#
# `shap.TreeExplainer(model, background)(people)` has `values` and `base_values`. Of a background with more than 100 rows
# it draws 100 without a warning. With `shap.maskers.Independent(background, max_samples=len(background))` as the
# background, it takes all.
# </details>


# %% answer="ex7"
def explain(model_text, background, people):
    """Return the Shapley values of people against a background, and what they start from."""
    ### BEGIN SOLUTION
    booster = lgb.Booster(model_str=model_text)
    everybody = shap.maskers.Independent(background, max_samples=len(background))
    explained = shap.TreeExplainer(booster, everybody)(people)
    return {"values": explained.values, "start": float(np.mean(explained.base_values))}
    ### END SOLUTION


# %% test="ex7" points=1
# Covers shapes, the start, and that values add up. Not shown: another model.
small_text = small.model_to_string()
some = month[COLUMNS].to_numpy(float)
other, asked = some[yes][:60], some[~yes][:8]
told = explain(small_text, other, asked)
assert told is not None, "explain returned nothing: return a dict with values and start."
assert isinstance(told, dict), f"explain should return a dict, not {type(told).__name__}."
assert set(told) == {"values", "start"}, "Want the keys values and start."
assert isinstance(told["values"], np.ndarray), "`values` is an array."
assert told["values"].shape == (8, 4), "Want a row for each of 8 people, a column for each of 4 features."
assert isinstance(told["start"], float), "`start` is one float."
mean = small.predict(other, raw_score=True).mean()
assert np.isclose(told["start"], mean, atol=1e-5), "The start is the mean log-odds of the background, and of no others."
answered = small.predict(asked, raw_score=True)
assert np.allclose(told["start"] + told["values"].sum(axis=1), answered, atol=1e-5), (
    "The start and a person's values must add up to that person's log-odds."
)
### BEGIN HIDDEN TESTS
bad = history["defaulted"].head(2000).to_numpy(int)
wide = history[["age", "term", "debts", "income", "bureau_score"]].head(2000).to_numpy(float)
third = lgb.train(settings | {"num_leaves": 16}, lgb.Dataset(wide[:, :3], bad), 5)
news = explain(third.model_to_string(), wide[:30, :3], wide[40:45, :3])
assert np.shape(news["values"]) == (5, 3), "Another model has three features: want a column for each of them."
answered = third.predict(wide[40:45, :3], raw_score=True)
assert np.allclose(news["start"] + news["values"].sum(axis=1), answered, atol=1e-5), (
    "Values of another model should add up to its log-odds as well."
)
### END HIDDEN TESTS

# %% test="ex7" part="exact" points=2
# Covers a person compared with themselves. Not shown: exact values of other models, a long background.
told = explain(small.model_to_string(), some[yes][:1], some[~yes][:3])
assert told is not None, "explain returned nothing: return a dict with values and start."
assert isinstance(told, dict) and "values" in told, "explain should return a dict with values."
assert np.shape(told["values"]) == (3, 4), "Want a row for each of 3 people, a column for each of 4 features."
same = explain(small.model_to_string(), some[:1], some[:1])
assert np.allclose(same["values"], 0), "Compared with the same row, values are 0."
### BEGIN HIDDEN TESTS
for size, rounds, rows in ((3, 5, 40), (5, 8, 150)):
    table = lgb.Dataset(wide[:, :size], bad)
    judged = lgb.train(settings | {"num_leaves": 16}, table, rounds)
    against, asked = wide[:rows, :size], wide[300:302, :size]
    mine = np.zeros((2, size))
    for person in range(2):
        worth = {}
        for number in range(2**size):
            inside = [bool(number >> bit & 1) for bit in range(size)]
            mixed = np.where(inside, asked[person], against)
            worth[number] = judged.predict(mixed, raw_score=True).mean()
        for number in range(2**size):
            for bit in range(size):
                if not number >> bit & 1:
                    k = number.bit_count()
                    weight = factorial(k) * factorial(size - k - 1) / factorial(size)
                    mine[person, bit] += weight * (worth[number | 1 << bit] - worth[number])
    found = explain(judged.model_to_string(), against, asked)
    assert np.allclose(found["values"], mine, atol=1e-5), (
        f"A model of {size} features, {rows} people to compare with: the values should be the exact ones."
    )
### END HIDDEN TESTS

# %% [markdown]
# ## All of it
#
# When all tests pass, run `decline_letter(0)`, `decline_letter(1)` and so on in a cell of your own: letters to the people
# that the real model declined, in its 34 features, with texts of the reference. Then ask yourself:
# - How many of the first 25 begin with a reason that is enough alone? In how many is there none? What would you have
#   promised these people without exercise 5?
# - Let it return `turning` as well. Which way out do the letters keep quiet about, since it is no push?
# - Compare a letter with `reasons.reason_codes(model, month)`. Some have a reason there that yours lacks, and no
#   explanation of the model can find it. Which one, and why?

# %% locked="all"
members = {column: [column] for column in OAKBANK.numeric}
members["amount"] = ["amount", "instalment", "loan_to_income"]
members["burden"] = ["burden"]
members |= {name: [f"{name}_{value}" for value in values] for name, values in OAKBANK.categories.items()}
typical = month.loc[yes, ["income", "debts", "bureau_score", "delinquencies", "amount", "term"]].median().to_dict()


def decline_letter(number):
    """Return the checked letter for the declined applicant of this number (from 0)."""
    row = declined.iloc[[number]]
    values, start = reasons.contributions(model, row)
    chosen = pick(by_reason(dict(zip(FEATURE_NAMES, values[0], strict=True)), members))

    def granted(person):
        asked = pd.DataFrame([person])
        return bool(grant(model.predict(asked), asked["amount"], asked["term"])[0])

    turning = turning_points(granted, row.iloc[0].to_dict(), typical)
    codes = reasons.reason_codes(model, row, k=99, portfolio=month[yes])[0]
    texts = {code.feature: code.text for code in codes}
    sound = misfits(values, start, model.predict(row)) == []
    return letter(row["application_id"].iloc[0], chosen, texts, turning, sound)
