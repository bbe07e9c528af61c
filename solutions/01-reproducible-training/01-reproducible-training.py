# %% [markdown]
# # 01 Reproducible training
#
# Last quarter a colleague trained a model, wrote "AUC 0.76" into a mail and went on holiday. Nobody can get 0.76
# again. In this lab you build a small training run that cannot end like that: it uses only what was known on its
# day, splits by time, writes the same model file for the same inputs, and leaves a record by which two runs can be
# compared. At the end you run it in two folders, and a check of yours says whether they are equal to the byte.
#
# You need lessons 01/01, 01/04 and 01/06; 01/02 and 01/05 help. About 90 minutes; eight exercises, 22 points. Each
# exercise is a function or two; run the cell below it to test it. `python3 bootstrap.py check 01-reproducible-training`
# runs the tests that you see. A grader's tests go further; the first line of each test says where.

# %% locked="setup"
import hashlib
import inspect
import json
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path

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


def scratch():
    """Return a new empty folder."""
    return Path(tempfile.mkdtemp())


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
# Covers the first morning of a month, and loans of another delay. Not shown: other months.
table = pd.DataFrame({"month": [-6, -5, -4, -3], "known_month": [-3, -2, -1, 0], "defaulted": [0, 1, 0, 0]})
seen = known_before(table, 0)
assert seen is not None, "known_before returned nothing: filter the rows of `loans` and return them."
assert isinstance(seen, pd.DataFrame), "Return a data frame: the rows of `loans` that qualify."
assert len(known_before(table, -1)) == 2, "On the first morning of month -1, the outcomes of -3 and -2 are known."
assert "known_month" in seen, "Return the rows with all columns kept."
assert seen["known_month"].tolist() == [-3, -2, -1], "An outcome that arrives in month 0 is not known as it begins."
slow = pd.DataFrame({"month": [-9, -8], "known_month": [-2, 4], "defaulted": [1, 0]})
assert known_before(slow, 0)["month"].tolist() == [-9], "The delay need not be three months for every loan."
### BEGIN HIDDEN TESTS
assert len(table) == 4, "Leave `loans` as it is."
none = known_before(table, -9)
assert none.empty and list(none.columns) == list(table.columns), "Nothing known yet: want no rows, and all columns."
mixed = pd.DataFrame({"month": [-4, -9, -5], "known_month": [1, -1, 5], "defaulted": [1, 0, 0]}, index=[7, 3, 5])
assert known_before(mixed, 2).index.tolist() == [7, 3], "The rows should keep their order, whatever their delay."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 2: split by time
#
# The model will decide over people who apply *after* those it learned from. Test it the same way.
#
# `split_in_time(loans, holdout)` returns `(train, test)`: `test` has the loans of the last `holdout` months of
# application that occur in `loans`, `train` all earlier ones. `holdout` is at least 1. The rows of `loans` may be in any
# order and months may be missing; the order of what you return is free. (Lesson 01/06 also purges what was not yet known
# when the test began. We do not, to keep this small: our last training months look ahead a little.)


# %% answer="ex2"
def split_in_time(loans, holdout):
    """Return (train, test); test holds the last `holdout` months of application."""
    ### BEGIN SOLUTION
    months = sorted(loans["month"].unique())
    late = loans["month"].isin(months[-holdout:])
    return loans[~late], loans[late]
    ### END SOLUTION


# %% test="ex2" points=2
# Covers the last months, rows in any order, missing months. Not shown: other tables.
parts = split_in_time(loans, 2)
assert parts is not None, "split_in_time returned nothing: return two data frames, train and test."
pair = isinstance(parts, (tuple, list)) and len(parts) == 2 and all(isinstance(one, pd.DataFrame) for one in parts)
assert pair, "Return two data frames: (train, test)."
train_part, test_part = parts
assert len(train_part) + len(test_part) == len(loans), "Each loan belongs to exactly one of the two parts."
assert train_part["month"].max() < test_part["month"].min(), "Every loan of train must be older than every one of test."
assert sorted(test_part["month"].unique()) == [-2, -1], "holdout=2: the last two months, -2 and -1, are the test."
shuffled = loans.sample(frac=1, random_state=5)
mixed_train, mixed_test = split_in_time(shuffled, 3)
assert set(mixed_test["month"]) == {-3, -2, -1}, "The rows may be in any order: the last three months are the test."
assert set(mixed_train["month"]) == set(range(-12, -3)), "The rows may be in any order: all earlier months are train."
gaps = loans[loans["month"].isin([-12, -9, -4, -3])]
assert set(split_in_time(gaps, 3)[1]["month"]) == {-9, -4, -3}, "Count the months that occur, not calendar months."
### BEGIN HIDDEN TESTS
late = pd.DataFrame({"month": [4, 1, 9, 1, 30, 9], "defaulted": 0})
assert sorted(split_in_time(late, 1)[1]["month"]) == [30], "holdout=1: the last month that occurs should be the test."
assert sorted(split_in_time(late, 2)[0]["month"]) == [1, 1, 4], "All loans of the earlier months should be in train."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 3: a fingerprint of the data
#
# "The data of last March" is not a name for data. A hash of the content is: `hashlib.sha256(some_bytes).hexdigest()`.
#
# `fingerprint(frame)` returns 64 hexadecimal digits. Two frames with the same columns and the same values in the
# same order have the same fingerprint, whatever their index. Any change that shows in the frame's CSV (a value, a
# column's name, the order) gives another.
#
# <details><summary>Hint</summary>
#
# Make bytes of the whole content first. `DataFrame.to_csv` writes every row; look at its `index` argument, and at
# `lineterminator`, which is not the same on every system.
# </details>


# %% answer="ex3"
def fingerprint(frame):
    """Return the sha256 of the content of a data frame, 64 hexadecimal digits."""
    ### BEGIN SOLUTION
    return hashlib.sha256(frame.to_csv(index=False).encode()).hexdigest()
    ### END SOLUTION


# %% test="ex3" points=3
# Covers a changed value, name, order, index. Not shown: other changes that show in the CSV.
few = loans.tail(2000)
mark = fingerprint(few)
assert mark is not None, "fingerprint returned nothing: return the hexadecimal digest as a string."
assert isinstance(mark, str) and len(mark) == 64, "Want 64 hexadecimal digits, as hexdigest() gives."
assert mark == fingerprint(few.copy()), "The same content must give the same fingerprint."
assert mark != fingerprint(few.head(100)), "Fewer rows are other data."
touched = few.copy()
touched.loc[touched.index[1000], "income"] += 10
assert mark != fingerprint(touched), "One changed number in the middle of the table must change the fingerprint."
assert mark == fingerprint(few.set_axis(range(7, 7 + len(few)))), "The index is no content."
assert mark != fingerprint(few.rename(columns={"income": "salary"})), "A renamed column is other data."
assert mark != fingerprint(few.iloc[::-1]), "Another order of the rows is other data."
### BEGIN HIDDEN TESTS
for column in ("month", "bureau_score", "defaulted"):
    other = few.copy()
    changed = other[column].to_numpy(copy=True)
    changed[-3] = 1 - changed[-3]
    other[column] = changed
    assert mark != fingerprint(other), f"One changed value in the column {column} should change the fingerprint."
assert mark != fingerprint(few[list(few)[::-1]]), "Another order of the columns should give another fingerprint."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 4: the same model again
#
# A random forest draws random samples of rows. Two things decide what it draws: the seed, and the order of the rows.
# A database promises no order; a key that no two rows share can give one.
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
# Covers the seed and the order of the rows. Not shown: what the forest predicts, and how it is set.
some, others = loans[loans["month"] < -9], loans[loans["month"] == -1]
forest = train(some, seed=1)
assert forest is not None, "train returned nothing: fit the forest and return it."
assert hasattr(forest, "predict_proba"), "Return the fitted forest, a RandomForestClassifier."
first = forest.predict_proba(others[COLUMNS])[:, 1]
again = train(some, seed=1).predict_proba(others[COLUMNS])[:, 1]
assert np.array_equal(first, again), "Two trainings with the same rows and seed differ: where does the seed go in?"
upside_down = train(some.iloc[::-1], seed=1).predict_proba(others[COLUMNS])[:, 1]
assert np.array_equal(first, upside_down), "The same rows in another order must give the same model: order them first."
assert not np.array_equal(first, train(some, seed=2).predict_proba(others[COLUMNS])[:, 1]), (
    "Another seed must give another model: use the seed that is given."
)
### BEGIN HIDDEN TESTS
assert 0.68 < roc_auc_score(others["defaulted"], first) < 0.85, "The forest should predict defaults, and no miracles."
assert len(forest.estimators_) == 40, "The forest should have 40 trees (n_estimators)."
assert forest.min_samples_leaf == 20, "A leaf of the forest should hold at least 20 rows (min_samples_leaf)."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 5: one model, one file
#
# Two equal models should be equal files, or nobody can compare them by hash. (How a forest becomes plain numbers is
# given, at the end.)
#
# `write_model(model, path)` writes `model` to the file `path` (a `Path`) as JSON and returns the sha256 of the file's
# bytes, 64 hexadecimal digits. `model` is a dict with text as keys; its values are numbers, text, lists, and dicts
# again.
# - Equal models give equal files, to the byte, wherever they are written, and in whatever order their dicts were filled.
# - Nothing is lost and nothing added: `json.loads` of the file's text equals `model`.


# %% answer="ex5"
def write_model(model, path):
    """Write the model as JSON whose bytes depend on the model alone, and return their sha256."""
    ### BEGIN SOLUTION
    content = json.dumps(model, sort_keys=True).encode()
    path.write_bytes(content)
    return hashlib.sha256(content).hexdigest()
    ### END SOLUTION


# %% test="ex5" points=3
# Covers one model, filled in another order, also inside. Not shown: dicts in lists, writing over another file.
small = {"seed": 1, "columns": ["income", "age"], "weights": {"income": -0.25, "age": 0.1 + 0.2}}
file = scratch() / "model.json"
digest = write_model(small, file)
assert digest is not None, "write_model returned nothing: return the sha256 of the file that you wrote."
assert file.exists(), "There is no file at `path`: write the model there."
assert digest == hashlib.sha256(file.read_bytes()).hexdigest(), "Hash the bytes that are in the file, and no others."
try:
    read_back = json.loads(file.read_bytes())
except ValueError:
    read_back = None
assert read_back is not None, "The file should hold JSON, which json.loads can read."
assert read_back == small, "Reading the file must give the model: no more, no less, no rounding."
backwards = {key: small[key] for key in reversed(small)}
assert write_model(backwards, scratch() / "model.json") == digest, (
    "Filled in another order, it is still the same model."
)
inner = small | {"weights": {"age": 0.1 + 0.2, "income": -0.25}}
assert write_model(inner, scratch() / "other.json") == digest, "The order inside an inner dict does not count either."
### BEGIN HIDDEN TESTS
in_list = [
    write_model({"trees": [tree]}, scratch() / "m") for tree in ({"left": 1, "right": 2}, {"right": 2, "left": 1})
]
assert in_list[0] == in_list[1], "The order of a dict does not count where the dict stands in a list, either."
assert write_model(small | {"columns": ["age", "income"]}, file) != digest, "The order of a list is part of the model."
assert write_model(small | {"weights": {"income": -0.25, "age": 0.3}}, file) != digest, "0.1 + 0.2 is not 0.3."
assert write_model(small, file) == digest, "Written over another model, the file holds this one."
assert json.loads(file.read_text()) == small, "Written over another model, the file holds this one and no rest of it."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 6: a record of the run
#
# `make_record(config, environment, inputs, model, outcome, probability)` returns a dict that `json.dumps` accepts:
#
# | key | value |
# |---|---|
# | `config` | `config`, a dict: seed, hold-out and so on |
# | `environment` | `environment`, a dict: `{"python": "3.11.7", "numpy": "2.4.6"}` and so on |
# | `inputs` | `inputs`, a dict of hashes: of the data, of the code |
# | `model` | `model`, the hash of the model file (str) |
# | `rows` | number of outcomes (int) |
# | `auc` | `roc_auc_score` of `outcome` (bool, shape (n,)) and `probability` (float, shape (n,)), rounded to 6 digits |
#
# A record is about the past: what happens later to the dicts that were passed in must not reach it. They hold text and
# numbers only (or `None`), no dicts or lists. The same arguments always give the same record.


# %% answer="ex6"
def make_record(config, environment, inputs, model, outcome, probability):
    """Return the record of a run as plain data."""
    ### BEGIN SOLUTION
    causes = {"config": dict(config), "environment": dict(environment), "inputs": dict(inputs)}
    auc = float(roc_auc_score(outcome, probability))
    return causes | {"model": model, "rows": len(outcome), "auc": round(auc, 6)}
    ### END SOLUTION


# %% test="ex6" points=3
# Covers all values, and what happens later to the dicts. Not shown: other runs.
settings = {"seed": 1, "holdout": 2}
versions = {"python": "3.11.7", "numpy": "2.4.6"}
origin = {"data": "ab" * 32, "code": "cd" * 32}
truth = np.array([True, False, False, True, False, False])
guess = np.array([0.8, 0.1, 0.4, 0.3, 0.2, 0.05])
record = make_record(settings, versions, origin, "ef" * 32, truth, guess)
keys = {"config", "environment", "inputs", "model", "rows", "auc"}
assert record is not None, "make_record returned nothing: return a dict with the six keys of the table."
assert isinstance(record, dict), "make_record should return a dict with the six keys of the table."
assert set(record) == keys, "Want the six keys of the table, and no others."
assert record["rows"] == 6 and record["model"] == "ef" * 32, "rows counts outcomes; model is passed through."
for part, passed in {"config": settings, "environment": versions, "inputs": origin}.items():
    assert record[part] == passed, f"`{part}` of the record should be the dict that was passed in."
assert record["auc"] == 0.875, "The AUC of the six rows is 0.875."
for name, kind in {"rows": int, "auc": float}.items():
    plain = type(record[name]) is kind
    assert plain, f"Plain Python numbers only, for json: `{name}` is of type {type(record[name]).__name__}."
assert json.loads(json.dumps(record)) == record, "Plain data only: json must take the record and give it back."
settings["seed"], versions["numpy"], origin["data"] = 99, "9.9", "00"
assert record["config"]["seed"] == 1, "Changing config afterwards changed the record: keep a copy."
assert record["environment"]["numpy"] == "2.4.6", "Changing environment afterwards changed the record: keep a copy."
assert record["inputs"]["data"] == "ab" * 32, "Changing inputs afterwards changed the record: keep a copy."
### BEGIN HIDDEN TESTS
third = make_record({}, {}, {}, "", np.array([True, False, True, False]), np.array([0.1, 0.7, 0.9, 0.2]))
assert third["auc"] == 0.5, "Of four outcomes of which half are ranked right, the AUC should be 0.5."
odd = make_record({}, {}, {}, "", np.array([1, 0, 1, 0, 1], dtype=bool), np.array([0.9, 0.2, 0.4, 0.5, 0.6]))
assert odd["auc"] == round(5 / 6, 6), "The AUC should be rounded to six digits."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 7: why do two runs differ?
#
# Two records lie before you. Either you can name the cause of a different result, or the training is not
# reproducible.
#
# `differences(a, b)` returns a sorted list of strings:
# - `"PART.KEY"`, such as `"config.seed"` or `"environment.numpy"`, for every key of the three parts `config`,
#   `environment` and `inputs` whose value differs, or that only one of the two records has (a key with the value `None` is there),
# - `"not reproducible"` if nothing of the above differs and yet `model`, `rows` or `auc` do.


# %% answer="ex7"
def differences(a, b):
    """Return what could explain that run `b` ended differently from run `a`."""
    ### BEGIN SOLUTION
    nothing = object()
    found = []
    for part in ("config", "environment", "inputs"):
        keys = set(a[part]) | set(b[part])
        found += [f"{part}.{key}" for key in keys if a[part].get(key, nothing) != b[part].get(key, nothing)]
    if not found and any(a[result] != b[result] for result in ("model", "rows", "auc")):
        found.append("not reproducible")
    return sorted(found)
    ### END SOLUTION


# %% test="ex7" points=2
# Covers each kind of difference once. Not shown: other keys and results.
base = {
    "config": {"seed": 1, "holdout": 2},
    "environment": {"python": "3.11.7", "numpy": "2.4.6"},
    "inputs": {"data": "aa", "code": "cc"},
    "model": "ee",
    "rows": 100,
    "auc": 0.71,
}
newer = base | {"environment": {"python": "3.11.7", "numpy": "2.5.0"}, "model": "ff"}
nothing = differences(base, base)
assert nothing is not None, "differences returned nothing: return a list, empty if all is the same."
assert isinstance(nothing, list), f"Return a list of strings, not {type(nothing).__name__}."
assert differences(base, base) == [], "A run compared with itself: an empty list."
assert differences(base, newer) == ["environment.numpy"], "Another NumPy explains another model."
for result in ({"auc": 0.7}, {"rows": 99}, {"model": "ff"}):
    assert differences(base, base | result) == ["not reproducible"], "Same causes, another result: not reproducible."
both = base | {"config": {"seed": 2, "holdout": 2}, "inputs": {"data": "bb", "code": "cc"}, "auc": 0.7}
assert differences(base, both) == ["config.seed", "inputs.data"], "Name every cause, sorted, and no result."
more = base | {"config": {"seed": 1, "holdout": 2, "depth": None}}
assert differences(base, more) == ["config.depth"] == differences(more, base), "A key that only one record has differs."
### BEGIN HIDDEN TESTS
wide = base | {"inputs": base["inputs"] | dict.fromkeys("zyxwvutsrq", "")}
assert differences(wide, base) == [f"inputs.{letter}" for letter in "qrstuvwxyz"], (
    "The list of causes should be sorted."
)
assert differences(base, base | {"inputs": {"data": "aa", "code": "c"}}) == ["inputs.code"], "The code is a cause, too."
lucky = base | {"environment": {"python": "3.12.1", "numpy": "2.4.6"}}
assert differences(base, lucky) == ["environment.python"], "A cause is named even where the result stayed the same."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 8: a second folder
#
# Your colleague trains in a folder of her own and wants to know whether it holds what yours does. You send her a
# manifest: each file with its hash.
#
# `manifest(folder)` returns a dict for all files in `folder` (a `Path`) and in the folders below it, at any depth: the
# key is the path below `folder` with forward slashes (`"models/model.json"`, a str), the value the sha256 of the file's
# bytes, 64 hexadecimal digits. Left out is what tools leave lying about: everything whose path *below `folder`* has a
# part that starts with a dot or is `__pycache__`.
#
# `verify(folder, expected)` compares `folder` with such a dict. It returns a sorted list of strings, empty if nothing
# differs: `"changed PATH"`, `"missing PATH"` for a file that only `expected` has, `"new PATH"` for one that only
# `folder` has.
#
# <details><summary>Hint</summary>
#
# `folder.rglob("*")` finds files and folders at any depth; `path.relative_to(folder)` has `parts` and `as_posix()`.
# </details>


# %% answer="ex8"
def manifest(folder):
    """Return the sha256 of each file below `folder` by its path."""
    ### BEGIN SOLUTION
    found = {}
    for path in folder.rglob("*"):
        name = path.relative_to(folder)
        litter = any(part.startswith(".") or part == "__pycache__" for part in name.parts)
        if path.is_file() and not litter:
            found[name.as_posix()] = hashlib.sha256(path.read_bytes()).hexdigest()
    return found
    ### END SOLUTION


def verify(folder, expected):
    """Return what differs between `folder` and a manifest."""
    ### BEGIN SOLUTION
    there = manifest(folder)
    report = [f"missing {name}" for name in expected if name not in there]
    report += [f"new {name}" for name in there if name not in expected]
    report += [f"changed {name}" for name in there if expected.get(name, there[name]) != there[name]]
    return sorted(report)
    ### END SOLUTION


# %% test="ex8" points=2
# Covers files at any depth, and what is left out. Not shown: folders above, bytes that are no text.
project = scratch() / "project"
for name, text in {"record.json": "{}", "models/model.json": "[1]", "data/2024/jan.csv": "a"}.items():
    (project / name).parent.mkdir(parents=True, exist_ok=True)
    (project / name).write_text(text)
listed = manifest(project)
assert listed is not None, "manifest returned nothing: return a dict from path to hash."
assert isinstance(listed, dict), "manifest should return a dict from path to hash."
assert set(listed) == {"record.json", "models/model.json", "data/2024/jan.csv"}, (
    "Want each file, by its path below folder."
)
assert listed["models/model.json"] == hashlib.sha256(b"[1]").hexdigest(), "The value is the sha256 of the file's bytes."
for name in ("__pycache__/train.pyc", "data/.ipynb_checkpoints/jan.csv", ".env"):
    (project / name).parent.mkdir(parents=True, exist_ok=True)
    (project / name).write_text("left by a tool")
assert manifest(project) == listed, "Left out: each path that has a part with a dot in front, or `__pycache__`."
### BEGIN HIDDEN TESTS
assert listed["data/2024/jan.csv"] == hashlib.sha256(b"a").hexdigest(), "Each file has the hash of its own bytes."
elsewhere = scratch() / ".cache" / "__pycache__"
for litter in ("src/__pycache__/train.pyc", ".git/objects/ab", "data/.ipynb_checkpoints/x.csv", ".env"):
    (elsewhere / litter).parent.mkdir(parents=True, exist_ok=True)
    (elsewhere / litter).write_text("litter")
(elsewhere / "empty").mkdir()
assert manifest(elsewhere) == {}, "Leave out what tools leave lying about, at any depth."
for name in ("src/train.py", "data/train.py", "notes.v1.txt"):
    (elsewhere / name).write_bytes(b"\xff\x00\r\n" + name.encode())
kept = manifest(elsewhere)
assert set(kept) == {"src/train.py", "data/train.py", "notes.v1.txt"}, "Only what lies below folder decides."
assert kept["src/train.py"] == hashlib.sha256(b"\xff\x00\r\nsrc/train.py").hexdigest(), "Hash the bytes as they are."
### END HIDDEN TESTS

# %% test="ex8" part="verify" points=2
# Covers a new, a changed, a missing file, and none of these. Not shown: many differences at once.
copy = scratch()
for name, text in {"record.json": "{}", "model.json": "[1]", "notes.txt": ""}.items():
    (copy / name).write_text(text)
hashes = {name: hashlib.sha256(text).hexdigest() for name, text in (("record.json", b"{}"), ("model.json", b"[1]"))}
report = verify(copy, hashes)
assert report is not None, "verify returned nothing: return a list, empty if nothing differs."
assert isinstance(report, list), f"verify should return a list of strings, not {type(report).__name__}."
assert verify(copy, hashes) == ["new notes.txt"], "notes.txt is the only difference: `new notes.txt`."
(copy / "notes.txt").unlink()
assert verify(copy, hashes) == [], "Nothing differs: an empty list."
(copy / "model.json").write_text("[2]")
assert verify(copy, hashes) == ["changed model.json"], "Same name and size, other bytes: changed."
(copy / "record.json").rename(copy / "a.json")
wanted = ["changed model.json", "missing record.json", "new a.json"]
assert verify(copy, hashes) == wanted, "Name every difference, sorted; a renamed file is one missing and one new."
### BEGIN HIDDEN TESTS
assert verify(copy, {}) == ["new a.json", "new model.json"], "Against an empty manifest, every file is new."
assert verify(scratch(), hashes) == ["missing model.json", "missing record.json"], "An empty folder misses every file."
many = ["missing b.csv", "missing z.csv", "new a.json", "new model.json"]
assert verify(copy, {"z.csv": "", "b.csv": ""}) == many, "All differences should be named, sorted as strings."
### END HIDDEN TESTS

# %% [markdown]
# ## All of it
#
# When all tests pass, run the cell below, and then this in a cell of your own. Two folders, two trainings; what do you
# expect to see?
#
# ```python
# here, there = scratch(), scratch()
# first, second = training_run(here, seed=1), training_run(there, seed=1)
# print(differences(first, second), verify(there, manifest(here)))
# ```
#
# Then train in `there` with another seed, and look again: `verify` says *that* the files differ, `differences` says why.
# `here` with its record is what your colleague should have mailed.


# %% locked="all"
def as_plain(forest):
    """Return a forest as plain numbers: for each tree its splits, and the share of defaults in each node."""
    fitted = [one.tree_ for one in forest.estimators_]
    names = {"left": "children_left", "right": "children_right", "column": "feature", "threshold": "threshold"}
    trees = [{name: getattr(tree, field).tolist() for name, field in names.items()} for tree in fitted]
    for plain, tree in zip(trees, fitted, strict=True):
        plain["share"] = tree.value[:, 0, 1].tolist()
    return {"columns": COLUMNS, "trees": trees}


def training_run(folder, seed, as_of=0, holdout=2):
    """Train in `folder`: leaves models/model.json and record.json there, and returns the record."""
    rows = known_before(loans, as_of)
    early, late = split_in_time(rows, holdout)
    forest = train(early, seed)
    probability = forest.predict_proba(late[COLUMNS])[:, 1]
    (folder / "models").mkdir(parents=True, exist_ok=True)
    model = write_model(as_plain(forest), folder / "models" / "model.json")
    code = "".join(inspect.getsource(step) for step in (known_before, split_in_time, train))
    record = make_record(
        {"seed": seed, "as_of": as_of, "holdout": holdout},
        {"python": sys.version.split()[0]} | {name: version(name) for name in ("numpy", "pandas", "scikit-learn")},
        {"data": fingerprint(rows), "code": hashlib.sha256(code.encode()).hexdigest()},
        model,
        late["defaulted"].to_numpy(),
        probability,
    )
    write_model(record, folder / "record.json")
    return record
