# %% [markdown]
# # 01 Reproducible training
#
# Last quarter a colleague trained a model, wrote "AUC 0.76" into a mail and went on holiday. Nobody can get 0.76
# again. In this lab you build a small training run that cannot end like that: it uses only what was known at its
# time, splits by time, gives the same model for the same inputs, and leaves a record by which two runs can be
# compared.
#
# You need lesson 01/01. About 60 minutes; six exercises, 15 points. Each exercise is a function; run the cell below
# it to test it. `uv run course check 01-reproducible-training` runs all tests at once.

# %% locked="setup"
import hashlib
import json

import numpy as np
import pandas as pd
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score

from oakbank.world import World

world = World(seed=3, scenario="calm")
months = []
for applied in range(-12, 0):
    officers = world.officer_decisions(applied)
    yes = officers.loc[officers["granted"], "application_id"]
    outcome = world.outcomes(applied + 3, yes)[["application_id", "known_month", "defaulted"]]
    months.append(world.applications(applied).merge(outcome, on="application_id"))
loans = pd.concat(months, ignore_index=True)
COLUMNS = ["age", "income", "debts", "bureau_score", "delinquencies", "amount", "term"]

# %% [markdown]
# `loans` holds every loan that the officers granted in months -12 to -1: the application, the month in which its
# outcome became known (`known_month`, always three months after `month`), and whether it `defaulted`.

# %%
loans[["application_id", "month", "known_month", "defaulted", *COLUMNS]].head()

# %% [markdown]
# ## Exercise 1: what was known then
#
# A run "as of month 0" takes place on the first morning of month 0. What arrives during month 0 is not there yet.
#
# `known_before(loans, month)` returns the rows whose outcome was known on the first morning of `month` (an integer),
# in their order, all columns kept. `loans` itself stays as it is.


# %% answer="ex1"
def known_before(loans, month):
    """Return the loans whose outcome was known before `month` began."""
    ### BEGIN SOLUTION
    return loans[loans["known_month"] < month]
    ### END SOLUTION


# %% test="ex1" points=2
table = pd.DataFrame({"month": [-6, -5, -4, -3], "known_month": [-3, -2, -1, 0], "defaulted": [0, 1, 0, 0]})
seen = known_before(table, 0)
assert seen is not None, "known_before returned nothing: filter the rows of `loans` and return them."
assert isinstance(seen, pd.DataFrame), "Return a data frame: the rows of `loans` that qualify."
assert len(known_before(table, -1)) == 2, "On the first morning of month -1, the outcomes of -3 and -2 are known."
### BEGIN HIDDEN TESTS
assert seen["known_month"].tolist() == [-3, -2, -1], "An outcome that arrives in month 0 is not known as it begins."
assert known_before(table, -9).empty and list(known_before(table, -9).columns) == list(table.columns)
slow = pd.DataFrame({"month": [-9, -8], "known_month": [-2, 4], "defaulted": [1, 0]})
assert known_before(slow, 0)["month"].tolist() == [-9], "The delay need not be three months for every loan."
assert len(table) == 4, "Leave `loans` as it is."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 2: split by time
#
# The model will decide over people who apply *after* those it learned from. Test it the same way.
#
# `split_in_time(loans, holdout)` returns `(train, test)`: `test` has the loans of the last `holdout` months of
# application that occur in `loans`, `train` all earlier ones. Rows may come in any order.


# %% answer="ex2"
def split_in_time(loans, holdout):
    """Return (train, test); test holds the last `holdout` months of application."""
    ### BEGIN SOLUTION
    months = sorted(loans["month"].unique())
    late = loans["month"].isin(months[-holdout:])
    return loans[~late], loans[late]
    ### END SOLUTION


# %% test="ex2" points=2
parts = split_in_time(loans, 2)
assert parts is not None, "split_in_time returned nothing: return two data frames, train and test."
train_part, test_part = parts
assert len(train_part) + len(test_part) == len(loans), "Each loan belongs to exactly one of the two parts."
assert train_part["month"].max() < test_part["month"].min(), "Every loan of train must be older than every one of test."
### BEGIN HIDDEN TESTS
assert sorted(test_part["month"].unique()) == [-2, -1], "holdout=2: the last two months, -2 and -1, are the test."
shuffled = loans.sample(frac=1, random_state=5)
mixed_train, mixed_test = split_in_time(shuffled, 3)
assert set(mixed_test["month"]) == {-3, -2, -1} and set(mixed_train["month"]) == set(range(-12, -3))
gaps = loans[loans["month"].isin([-12, -9, -4, -3])]
assert set(split_in_time(gaps, 3)[1]["month"]) == {-9, -4, -3}, "Count the months that occur, not calendar months."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 3: a fingerprint of the data
#
# "The data of last March" is not a name for data. A hash of the content is: `hashlib.sha256(some_bytes).hexdigest()`.
#
# `fingerprint(frame)` returns 64 hexadecimal digits. Two frames with the same columns and the same values in the
# same order have the same fingerprint, whatever their index; any other frame has another.
#
# <details><summary>Hint</summary>
#
# Make bytes of the whole content first. `DataFrame.to_csv` writes every row; look at its `index` argument.
# </details>


# %% answer="ex3"
def fingerprint(frame):
    """Return the sha256 of the content of a data frame, 64 hexadecimal digits."""
    ### BEGIN SOLUTION
    return hashlib.sha256(frame.to_csv(index=False).encode()).hexdigest()
    ### END SOLUTION


# %% test="ex3" points=3
mark = fingerprint(loans)
assert mark is not None, "fingerprint returned nothing: return the hexadecimal digest as a string."
assert isinstance(mark, str) and len(mark) == 64, "Want 64 hexadecimal digits, as hexdigest() gives."
assert mark == fingerprint(loans.copy()), "The same content must give the same fingerprint."
assert mark != fingerprint(loans.head(100)), "Fewer rows are other data."
### BEGIN HIDDEN TESTS
touched = loans.copy()
touched.loc[len(touched) // 2, "income"] += 10
assert mark != fingerprint(touched), "One changed number in the middle of the table must change the fingerprint."
assert mark == fingerprint(loans.set_axis(range(7, 7 + len(loans)))), "The index is no content."
assert mark != fingerprint(loans.rename(columns={"income": "salary"})), "A renamed column is other data."
assert mark != fingerprint(loans.iloc[::-1]), "Another order of the rows is other data."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 4: the same model again
#
# A random forest draws random samples of rows. Two things decide what it draws: the seed, and the order of the rows.
# A data base promises neither order nor patience.
#
# `train(rows, seed)` returns a fitted `RandomForestClassifier(n_estimators=40, min_samples_leaf=20)` that predicts
# `defaulted` from the columns in `COLUMNS`. The same rows *in any order* with the same `seed` (an integer) give the
# same probabilities; another seed gives others.


# %% answer="ex4"
def train(rows, seed):
    """Return a forest fitted on `rows`, the same for the same rows and seed."""
    ### BEGIN SOLUTION
    ordered = rows.sort_values("application_id")
    forest = RandomForestClassifier(n_estimators=40, min_samples_leaf=20, random_state=seed)
    return forest.fit(ordered[COLUMNS], ordered["defaulted"])
    ### END SOLUTION


# %% test="ex4" points=3
some, others = loans[loans["month"] < -6], loans[loans["month"] == -1]
forest = train(some, seed=1)
assert forest is not None, "train returned nothing: fit the forest and return it."
first = forest.predict_proba(others[COLUMNS])[:, 1]
again = train(some, seed=1).predict_proba(others[COLUMNS])[:, 1]
assert np.array_equal(first, again), "Two trainings with the same rows and seed differ: where does the seed go in?"
### BEGIN HIDDEN TESTS
upside_down = train(some.iloc[::-1], seed=1).predict_proba(others[COLUMNS])[:, 1]
assert np.array_equal(first, upside_down), "The same rows in another order must give the same model: order them first."
assert not np.array_equal(first, train(some, seed=2).predict_proba(others[COLUMNS])[:, 1]), "Use the seed given."
assert 0.68 < roc_auc_score(others["defaulted"], first) < 0.85, "The forest should predict defaults, and no miracles."
assert len(forest.estimators_) == 40, "n_estimators=40, as asked."
assert forest.min_samples_leaf == 20, "min_samples_leaf=20, as asked."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 5: a record of the run
#
# `make_record(config, data, outcome, probability)` returns a dict that `json.dumps` accepts:
#
# | key | value |
# |---|---|
# | `config` | a copy of `config` (a dict), so that later changes to it do not reach the record |
# | `data` | `data`, the fingerprint (str) |
# | `rows` | number of outcomes (int) |
# | `auc` | `roc_auc_score` of `outcome` (bool, shape (n,)) and `probability` (float, shape (n,)), rounded to 6 digits |
#
# The same arguments always give the same record.


# %% answer="ex5"
def make_record(config, data, outcome, probability):
    """Return the record of a run as plain data."""
    ### BEGIN SOLUTION
    auc = float(roc_auc_score(outcome, probability))
    return {"config": dict(config), "data": data, "rows": len(outcome), "auc": round(auc, 6)}
    ### END SOLUTION


# %% test="ex5" points=3
settings = {"seed": 1, "holdout": 2}
truth = np.array([True, False, False, True, False, False])
guess = np.array([0.8, 0.1, 0.4, 0.3, 0.2, 0.05])
record = make_record(settings, "ab" * 32, truth, guess)
assert record is not None, "make_record returned nothing: return a dict with config, data, rows and auc."
assert set(record) == {"config", "data", "rows", "auc"}, "Want the keys config, data, rows, auc, and no others."
assert record["rows"] == 6 and record["data"] == "ab" * 32, "rows counts outcomes; data is passed through."
### BEGIN HIDDEN TESTS
assert record["auc"] == 0.875, "The AUC of the six rows is 0.875."
assert json.loads(json.dumps(record)) == record, "Plain Python numbers only: json must take it and give it back."
settings["seed"] = 99
assert record["config"]["seed"] == 1, "Changing config afterwards changed the record: keep a copy."
third = make_record({}, "", np.array([True, False, True, False]), np.array([0.1, 0.7, 0.9, 0.2]))
assert third["auc"] == 0.5
odd = make_record({}, "", np.array([1, 0, 1, 0, 1], dtype=bool), np.array([0.9, 0.2, 0.4, 0.5, 0.6]))
assert odd["auc"] == round(5 / 6, 6), "Round to six digits."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 6: why do two runs differ?
#
# Two records lie before you. Either you can name the cause of a different result, or the training is not
# reproducible.
#
# `differences(a, b)` returns a sorted list of strings:
# - `"config.KEY"` for every key of the two configs whose value differs, or that only one of them has,
# - `"data"` if the fingerprints differ,
# - `"not reproducible"` if nothing of the above differs and yet `rows` or `auc` do.


# %% answer="ex6"
def differences(a, b):
    """Return what could explain that run `b` ended differently from run `a`."""
    ### BEGIN SOLUTION
    nothing = object()
    keys = set(a["config"]) | set(b["config"])
    found = [f"config.{key}" for key in keys if a["config"].get(key, nothing) != b["config"].get(key, nothing)]
    if a["data"] != b["data"]:
        found.append("data")
    if not found and (a["rows"], a["auc"]) != (b["rows"], b["auc"]):
        found.append("not reproducible")
    return sorted(found)
    ### END SOLUTION


# %% test="ex6" points=2
base = {"config": {"seed": 1, "holdout": 2}, "data": "aa", "rows": 100, "auc": 0.71}
assert differences(base, base) is not None, "differences returned nothing: return a list, empty if all is the same."
assert differences(base, base) == [], "A run compared with itself: an empty list."
assert differences(base, base | {"data": "bb", "auc": 0.7}) == ["data"], "Other data explains another AUC."
### BEGIN HIDDEN TESTS
assert differences(base, base | {"auc": 0.7}) == ["not reproducible"], "Same inputs, other AUC: not reproducible."
both = base | {"config": {"seed": 2, "holdout": 2}, "data": "cc"}
assert differences(base, both) == ["config.seed", "data"], "Name every cause, sorted."
more = base | {"config": {"seed": 1, "holdout": 2, "depth": None}}
assert differences(base, more) == ["config.depth"] == differences(more, base), "A key that only one config has differs."
assert differences(base, base | {"rows": 99}) == ["not reproducible"]
wide = base | {"config": base["config"] | dict.fromkeys("hgfedcba", 0)}
assert differences(wide, base) == [f"config.{letter}" for letter in "abcdefgh"], "Sort the list."
### END HIDDEN TESTS

# %% [markdown]
# ## All of it
#
# When all six tests pass, run `training_run(seed=1)` in a cell of your own, twice; then with another seed, and let
# `differences` tell you why the results are not the same. That record is what your colleague should have mailed.


# %% locked="all"
def training_run(seed, as_of=0, holdout=2):
    rows = known_before(loans, as_of)
    early, late = split_in_time(rows, holdout)
    probability = train(early, seed).predict_proba(late[COLUMNS])[:, 1]
    config = {"seed": seed, "as_of": as_of, "holdout": holdout}
    return make_record(config, fingerprint(rows), late["defaulted"].to_numpy(), probability)
