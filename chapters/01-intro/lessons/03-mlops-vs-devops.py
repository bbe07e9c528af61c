# %% [markdown]
# # 03 MLOps vs DevOps
#
# ## You will
#
# - make two models that behave differently from one commit, and name what differs
# - write the three kinds of test with pytest: of code, of data, of the model
# - plant seven faults and predict, for each, which kind of test turns red
# - say what CI must run when no line of code has changed, and what continuous training adds to it
# - tell which habits of DevOps carry over as they are
#
# ## You need
#
# Lessons 01/01 and 01/02. You have seen a test function with an `assert` in it, and `git commit`.
#
# ## Time
#
# 55 minutes to read, 50 seconds to run.
#
# ## The story so far
#
# Oakbank's model has gone once through all stages of its life. The software team next door asks why all this needs a
# name of its own: they test each commit, deploy it when the tests are green, and sleep well.

# %% [markdown]
# ## One commit
#
# Their habits first, because they are good ones. Here is the bank's code, small, in a folder of its own, under git.
# `train` takes every column but those it is told to leave alone; `grant` says yes below the break-even of the loan.

# %%
import tempfile
from pathlib import Path

scratch = tempfile.TemporaryDirectory()
project = Path(scratch.name) / "bank"
(project / "tests").mkdir(parents=True)

# %%
_ = (project / "bank.py").write_text("""
from sklearn.compose import make_column_selector, make_column_transformer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from oakbank.world import break_even

NO_INPUT = ["application_id", "month", "applied_on", "group", "known_month", "defaulted", "profit"]
NUMBERS = make_column_selector(dtype_include="number")
WORDS = make_column_selector(dtype_include="category")

def train(loans):
    prepare = make_column_transformer((StandardScaler(), NUMBERS), (OneHotEncoder(handle_unknown="ignore"), WORDS))
    model = make_pipeline(prepare, LogisticRegression(max_iter=1_000))
    return model.fit(loans.drop(columns=NO_INPUT), loans["defaulted"])

def grant(risk, amount, term):
    return risk < break_even(amount, term)
""")

# %% [markdown]
# Commands run in an environment of their own: your git settings are neither read nor changed, and with a fixed
# author and date the commit has the same hash on every machine.

# %%
import subprocess

from course.lesson import own_git

env = own_git(Path(scratch.name), "2024-01-02T09:00:00+0000") | {"PYTHONDONTWRITEBYTECODE": "1"}
env["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"  # other packages' plugins: not needed, and half of the start


# %%
def git(*words):
    return subprocess.run(["git", *words], cwd=project, env=env, check=True, capture_output=True, text=True).stdout


git("init", "-q", "-b", "main")
git("add", "bank.py")
git("commit", "-q", "-m", "Oakbank's model and its decision")
print(git("log", "--oneline"))

# %% [markdown]
# ## Two models
#
# `known_loans` gives the loans of some months with what became of them. We train the commit once on the year that
# the officers left behind, and let that model decide.

# %%
import runpy

from oakbank.intro.loans import known_loans
from oakbank.world import World

calm, recession = World(seed=7, scenario="calm"), World(seed=7, scenario="recession")
before = known_loans(calm, range(-12, -3))

# %%
bank = runpy.run_path(str(project / "bank.py"))
champion = bank["train"](before)


# %%
def decide(feed):
    risk = champion.predict_proba(feed)[:, 1]
    return bank["grant"](risk, feed["amount"], feed["term"])


during = known_loans(recession, range(9, 18), decide)

# %% [markdown]
# The second table, `during`, has the loans that the champion granted in a recession. Now the same commit is trained on
# each, and both models answer the same 2,000 people of month 18. **Guess first:** how far apart are they?

# %%
import hashlib

people = recession.applications(18)


def answers(loans):
    risk = bank["train"](loans).predict_proba(people)[:, 1]
    yes = bank["grant"](risk, people["amount"], people["term"])
    data = hashlib.sha256(loans.to_csv(index=False).encode()).hexdigest()[:7]
    commit = git("rev-parse", "--short", "HEAD").strip()
    return {"commit": commit, "data": data, "mean risk": f"{risk.mean():.1%}", "granted": f"{yes.mean():.1%}"}


# %%
import pandas as pd

pd.DataFrame({"before": answers(before), "during": answers(during)}).T

# %% [markdown]
# One commit, two banks. For the team next door a commit *is* the behaviour: test it once, and the verdict holds until
# the next commit. Here the behaviour is made of the commit **and** the data, and the data changes while everyone is
# asleep. That is the whole difference between DevOps and MLOps; the rest of this lesson is what follows from it.
#
# ## A test of code
#
# A test of code brings its own input and knows the right answer. Three of them hold the decision:

# %%
_ = (project / "tests" / "test_code.py").write_text("""
from bank import grant
from oakbank.world import break_even

def test_a_safe_loan_is_granted():
    assert grant(0.01, amount=10_000, term=36)

def test_a_risky_loan_is_declined():
    assert not grant(0.60, amount=10_000, term=36)

def test_a_loan_that_earns_nothing_is_declined():
    assert not grant(break_even(10_000, 36), amount=10_000, term=36)
""")

# %% [markdown]
# What runs them? A test runner is no magic: it finds functions by their name, calls them, and notes who complains.

# %%
import sys


def run_tests(path):
    sys.path.insert(0, str(project))
    verdicts = {}
    for name, test in runpy.run_path(str(path)).items():
        if name.startswith("test_"):
            try:
                test()
                verdicts[name] = "passed"
            except AssertionError:
                verdicts[name] = "failed"
    return verdicts


# %%
run_tests(project / "tests" / "test_code.py")

# %% [markdown]
# pytest is that, with fixtures, messages and reports. We start it as CI does: a process of its own, which leaves a
# report that a machine can read.

# %%
from xml.etree import ElementTree


def pytest(*files, data="", folder=project):
    report = Path(tempfile.mkdtemp(dir=scratch.name)) / "report.xml"
    options = ["-q", "--color=no", "-p", "no:cacheprovider", f"--junitxml={report}"]
    command = [sys.executable, "-m", "pytest", *options, *files]
    run = subprocess.run(command, cwd=folder, env=env | {"BANK_DATA": str(data)}, capture_output=True, text=True)
    cases = ElementTree.parse(report).iter("testcase")
    return run.stdout, {case.get("name"): "failed" if len(case) else "passed" for case in cases}


screen, verdicts = pytest("tests/test_code.py")
print(screen)

# %%
assert verdicts == run_tests(project / "tests" / "test_code.py")
print("runner of our own and pytest agree on", len(verdicts), "tests")

# %% [markdown]
# A test that cannot fail is worth nothing, so here is one seen failing. A colleague turns the comparison round:

# %%
import shutil


def plant(fault, old, new):
    folder = Path(scratch.name) / fault
    shutil.copytree(project, folder, ignore=shutil.ignore_patterns(".git"))
    code = (folder / "bank.py").read_text()
    assert old in code, "nothing to plant"
    (folder / "bank.py").write_text(code.replace(old, new))
    return folder


# %%
turned = plant("turned", "risk < break_even", "risk >= break_even")
screen, verdicts = pytest("tests/test_code.py", folder=turned)
verdicts

# %% [markdown]
# All three red: nobody will ever deploy that. So far everything is as next door, and everything is right.
#
# ## Green all the while
#
# Now what does not happen next door. `pack` lays on the table what the bank has at the end of a month: the `loans` it
# trains on, the `fresh` ones whose outcome has just arrived (granted three months before), and the `feed` of today.


# %%
def pack(name, world, month, loans=None):
    folder = Path(scratch.name) / "data" / name
    folder.mkdir(parents=True)
    fresh = known_loans(world, [month - 3], decide if month >= 3 else None)
    loans = known_loans(world, range(-12, -3)) if loans is None else loans
    for table, frame in {"loans": loans, "fresh": fresh, "feed": world.applications(month)}.items():
        frame.to_parquet(folder / f"{table}.parquet")
    return folder


# %%
situations = {
    "calm": (calm, 7),
    "unit": (World(seed=7, scenario="broken-feed-unit"), 7),
    "leak": (World(seed=7, scenario="planted-leak"), 0),
    "recession": (recession, 12),
}
data = {name: pack(name, world, month) for name, (world, month) in situations.items()}

# %% [markdown]
# Three things go wrong, each in a copy of the same bank. A supplier begins to send income per year where it was per
# month. The history export holds a column that is filled only after a loan has gone bad. A recession comes. The
# function earns the month: it trains, decides on the feed, and asks the world what became of it.


# %%
def earn(name, code=project):
    world, month = situations[name]
    bank = runpy.run_path(str(code / "bank.py"))
    feed, loans = world.applications(month), pd.read_parquet(data[name] / "loans.parquet")
    risk = bank["train"](loans).predict_proba(feed)[:, 1]
    yes = bank["grant"](risk, feed["amount"], feed["term"])
    return world.truth(month).loc[yes, "profit_if_granted"].sum()


# %% [markdown]
# **Write down before you run it:** in which of the four banks does a test of code turn red?

# %%
for name in situations:
    print(f"{name:10} {earn(name):>12,.0f} EUR")
pytest("tests/test_code.py", data=data["unit"])[1]

# %% [markdown]
# In none (shown is the bank with the broken feed; a trial further down runs them in all). The tests are not bad: they
# read `bank.py`, and `bank.py` is right. A suite that reads code alone has to say the same in all four banks, however
# much money is on fire, and ten more tests of that kind would be green too.
#
# ## A test of data
#
# So let the tests read what changes. A fixture hands a test what it asks for by name, here the tables of the day:

# %%
_ = (project / "tests" / "conftest.py").write_text("""
import os
from pathlib import Path
import pandas as pd
import pytest
import bank

def table(name):
    return pd.read_parquet(Path(os.environ["BANK_DATA"]) / f"{name}.parquet")

loans = pytest.fixture(lambda: table("loans"), name="loans")
fresh = pytest.fixture(lambda: table("fresh"), name="fresh")
feed = pytest.fixture(lambda: table("feed"), name="feed")
model = pytest.fixture(lambda: bank.train(table("loans")), scope="session", name="model")
""")

# %% [markdown]
# A test of data knows no right answer. It knows what was agreed: which columns there are, what range each keeps (the
# bank's schema says so, in units), and that people come by about the same ways as those the model learned from.

# %%
_ = (project / "tests" / "test_data.py").write_text("""
from oakbank.world import COLUMNS

def test_columns_are_those_agreed(loans):
    assert set(loans) == {column.name for column in COLUMNS} | {"known_month", "defaulted", "profit"}

def test_numbers_keep_their_range(feed):
    for column in COLUMNS:
        if column.high is not None:
            outside = ~feed[column.name].between(column.low, column.high)
            assert not outside.any(), f"{outside.mean():.0%} of {column.name} is no {column.unit}"

def test_people_come_the_usual_ways(loans, feed):
    usual, today = (frame["channel"].value_counts(normalize=True) for frame in (loans, feed))
    assert (usual - today).abs().max() < 0.10
""")

# %%
screen, verdicts = pytest("tests/test_data.py", data=data["unit"])
print(next(line for line in screen.splitlines() if line.startswith("E ")))
verdicts

# %% [markdown]
# Red, and the message names the column and the unit it should have; whoever reads it at six in the morning knows whom to
# ring. Note *when* it speaks: before the first loan of the month is paid out.
#
# ## A test of the model
#
# The third kind asks the trained model itself. Its oldest form looks at the result alone: how good on fresh outcomes?
# Before that come questions that need no outcome at all, and that a colleague from the credit desk could write. They
# come in three shapes: *minimum functionality* (simple cases that it must get right), *invariance* (a change that must
# not matter), *direction* (a change whose sign is known).

# %%
_ = (project / "tests" / "test_behaviour.py").write_text("""
def risk(model, applications):
    return model.predict_proba(applications)[:, 1]

def test_simple_cases_are_told_apart(model, feed):
    safe = feed.head(1).assign(income=6_000, debts=0, bureau_score=800, delinquencies=0, amount=5_000, term=24)
    grave = feed.head(1).assign(income=1_000, debts=600, bureau_score=400, delinquencies=6, amount=20_000)
    assert risk(model, safe)[0] < 0.05 and risk(model, grave)[0] > 0.40

def test_group_makes_no_difference(model, feed):
    swapped = feed.assign(group=feed["group"].map({"A": "B", "B": "A"}))
    assert abs(risk(model, swapped) - risk(model, feed)).max() < 1e-9

def test_risk_moves_the_right_way(model, feed):
    for change in ({"debts": feed["debts"] + 500}, {"bureau_score": feed["bureau_score"] - 50}):
        assert (risk(model, feed.assign(**change)) - risk(model, feed)).mean() > 0.01, change.keys()
""")

# %% [markdown]
# Then those that need outcomes, each with a bar that was agreed *before* anyone saw the result. The model must sort
# people better than the rule that one could use instead (the bureau score), and not so well that it cannot be true:

# %%
_ = (project / "tests" / "test_quality.py").write_text("""
from sklearn.metrics import roc_auc_score

def test_it_beats_sorting_by_score(model, fresh):
    risk = model.predict_proba(fresh)[:, 1]
    assert roc_auc_score(fresh["defaulted"], risk) > roc_auc_score(fresh["defaulted"], -fresh["bureau_score"]) + 0.02

def test_it_is_not_too_good_to_be_true(model, fresh):
    assert roc_auc_score(fresh["defaulted"], model.predict_proba(fresh)[:, 1]) < 0.90
""")

# %% [markdown]
# And it must be worth its place: 400 EUR for each loan it would grant, and in no slice of the customers may defaults
# lie far above what it promised.

# %%
_ = (project / "tests" / "test_worth.py").write_text("""
import numpy as np
from bank import grant

def test_a_loan_earns_its_bar(model, fresh):
    yes = grant(model.predict_proba(fresh)[:, 1], fresh["amount"], fresh["term"])
    assert fresh.loc[yes, "profit"].mean() > 400

def test_no_slice_defaults_more_than_promised(model, fresh):
    told = fresh.assign(risk=model.predict_proba(fresh)[:, 1])
    for name, part in told.groupby("employment", observed=True):
        error = np.sqrt((part["risk"] * (1 - part["risk"])).mean() / len(part))
        assert part["defaulted"].mean() - part["risk"].mean() < 3 * error, name
""")

# %%
git("add", "tests")
git("commit", "-q", "-m", "Tests of code, of data, of the model")
print(git("log", "--oneline"))

# %% [markdown]
# ## Seven faults
#
# Now the trial. To the faults we have met come four more. In the code: the comparison turned round, and the
# protected group left among the inputs, by a colleague who tidied a list. In the data: a new sales channel in month 8,
# and an export of outcomes that slipped by one row, so that each loan got its neighbour's fate.

# %%
slipped = before.assign(defaulted=before["defaulted"].shift(fill_value=False))
situations |= {"slipped": (calm, 0), "channel": (World(seed=7, scenario="data-drift-sudden"), 8)}
data["slipped"] = pack("slipped", calm, 0, loans=slipped)
data["channel"] = pack("channel", *situations["channel"])

# %% [markdown]
# Each trial is a folder of code in one of the situations. **Before you go on, take a sheet of paper:** seven rows,
# three columns (code, data, model), and a cross where you expect red.

# %%
faults = {
    "nothing": (project, "calm"),
    "comparison turned": (plant("turned-too", "risk < break_even", "risk >= break_even"), "calm"),
    "group among inputs": (plant("group", '"group", ', ""), "calm"),
    "income per year": (project, "unit"),
    "new channel": (project, "channel"),
    "leak in the history": (project, "leak"),
    "outcomes slipped": (project, "slipped"),
    "recession": (project, "recession"),
}

# %%
from concurrent.futures import ThreadPoolExecutor

with ThreadPoolExecutor(2) as two_at_a_time:
    runs = two_at_a_time.map(lambda fault: pytest("tests", folder=fault[0], data=data[fault[1]])[1], faults.values())
    results = dict(zip(faults, runs, strict=True))
assert set(results["nothing"].values()) == {"passed"}

# %%
import re

files = [project / "tests" / f"test_{kind}.py" for kind in ("code", "data", "behaviour", "quality", "worth")]
order = [name for file in files for name in re.findall(r"def (test_\w+)", file.read_text())]
red = (pd.DataFrame(results) == "failed").loc[order]
assert red.any(axis=1).all(), "a test that nobody has seen failing"

# %%
import matplotlib.pyplot as plt
from matplotlib.colors import ListedColormap

fig, ax = plt.subplots(figsize=(9, 5.2))
ax.imshow(red, cmap=ListedColormap(["0.93", "C3"]), aspect="auto")
ax.set_yticks(range(len(red)), [name[5:].replace("_", " ") for name in red.index], fontsize=8)
money = [f"{fault}\n{earn(name, code) / 1e3:,.0f}" for fault, (code, name) in faults.items()]
ax.set_xticks(range(len(faults)), money, fontsize=8, rotation=40)
ax.set_xticks([fault + 0.5 for fault in range(len(faults))], minor=True)
ax.grid(which="minor", axis="x", color="white", lw=2)
ax.hlines([2.5, 5.5], -0.5, len(faults) - 0.5, color="0.3")
for kind, row in {"code": 1, "data": 4, "model": 9}.items():
    ax.text(len(faults) - 0.4, row, kind, va="center")
_ = ax.set(xlabel="planted fault, and what the month earned (thousand EUR)", title="Red: the test failed")

# %% [markdown]
# Read it by columns. With nothing planted, nothing is red: a suite that cries in a calm month is soon ignored. Then
# compare with your sheet. Of seven faults the tests of code see **one**, the one that a person typed into the decision.
#
# - The new channel is seen by the tests of data alone: its first loans will have outcomes three months from now.
# - Income per year is seen by its range, and once more by *direction*: to the model everybody is so rich that another
#   500 EUR of debts no longer move the risk.
# - The recession is seen by the tests of the model alone. Every column is in range; only outcomes can tell.
# - The group among the inputs is a fault *in the code*, and no test of code sees it. It costs the bank next to nothing
#   in money, and it breaks a law. Invariance finds it without knowing how it came in.
# - The leak is seen by the agreed columns, and by a result too good to be true. Had it come inside an agreed column, the
#   first would have been silent; that is why one plans for two.
# - The slipped export keeps each range and each share. Only the model knows that it has learned nothing.
#
# Now read it by rows: each test is red at least once (the cell above insists on it). A test that you have never seen
# failing is a hope.

# %% [markdown]
# ## When to run what
#
# Next door one event starts the tests: a commit. Here there are four.
#
# | what happened | what runs | who is told |
# |---|---|---|
# | a commit | code; then train on fixed data, and the tests of that model | its author |
# | a delivery of data | data, before anybody uses it | the owner of the feed |
# | outcomes arrived | worth, of the model that is deciding now | the owner of the model |
# | a new model was trained | all of them, and a comparison with the present one | whoever signs for it |
#
# The first line is CI, *continuous integration*, as everyone knows it; the lines below are what CI must test beyond code.
# The last has a name of its own: **CT, continuous training**. The factory that makes the model is what you deploy, and it
# starts by itself. Let it run in the recession: every three months a challenger is trained on the six months before
# the fresh ones, and has to pass the same tests on the fresh ones. The champion keeps deciding until it does.

# %%
for month in (12, 18):
    newest = known_loans(recession, range(month - 9, month - 3), decide)
    verdicts = pytest("tests", data=pack(f"challenger-{month}", recession, month, loans=newest))[1]
    failed = [name[5:].replace("_", " ") for name in order if verdicts[name] == "failed"]
    print(f"month {month}, commit {git('rev-parse', '--short', 'HEAD').strip()}:", ", ".join(failed) or "all green")

# %% [markdown]
# In month 12 the challenger has learned from loans of before the recession only, and the same bar that turned the
# champion red turns it away as well; to promote it "because it is newer" would have been wrong. In month 18 it
# passes. Look at the commit: **the suite went from red to green without a commit.** Next door that would be called
# a flaky test. Here it is the system doing its work.
#
# ## What carries over
#
# ```mermaid
# flowchart LR
#     subgraph D["DevOps: one loop"]
#         direction LR
#         c1[commit] --> t1[test code] --> b1[build] --> r1[release] --> o1[operate] --> m1[monitor the service] --> c1
#     end
#     subgraph M["MLOps: the same loop, and two inside it"]
#         direction LR
#         c2[commit] --> t2[test code] --> tr[train] --> tm[test model] --> r2[release] --> o2[operate] --> m2["monitor service, data, model"] --> c2
#         d2[data arrives] --> td[test data] --> tr
#         m2 -- outcomes, alarms --> d2
#         tm -- refused --> d2
#     end
# ```
#
# In words: DevOps is one loop from commit to monitor and back. MLOps keeps it whole and adds two: data comes in by itself
# and is tested before it trains anything, and a trained model is tested before it replaces another. What the monitor
# sees can start either.
#
# | habit of DevOps | in MLOps |
# |---|---|
# | everything in version control | and the data and the model too, by hash (lesson 05) |
# | one build, many deployments | one *training pipeline*, many models |
# | tests before the release | three kinds of tests, and two of them go on after it |
# | small steps, quick rollback | the same: the previous model stays ready |
# | monitor latency and errors | the same, and inputs, answers, outcomes, money |
# | no blame, a written post-mortem | the same; ask which hand-over had no check |
#
# Nothing in the left column is wrong or old. A team that has none of it does not need MLOps yet; it needs DevOps first.
#
# ## What this does not prove
#
# Our bars (400 EUR, three standard errors, ten points of a share) fit this bank and its 2,000 applications a month; with
# fewer loans the slices would cry wolf, with more they would see less than matters. We set them with this seed's numbers
# in view; you set yours before. Each fault was planted once, at one
# strength and one seed: the matrix shows which kind of test *can* see it, not how early or how surely. The tests of the
# model look at loans that the champion granted, so whom it wrongly declines stays unseen (chapter 04). And the suites were
# started by a notebook; lesson 03/05 lets a CI server start them.

# %%
scratch.cleanup()

# %% [markdown]
# ## Check yourself
#
# <details><summary>All tests of code are green and the bank loses a million in a month. What do you conclude about the code?</summary>
#
# That it does what it did yesterday. Whether that is right depends on what came in; ask the data, then the model.
# </details>
#
# <details><summary>A colleague drops a column from the training data by mistake, in a way that leaves every range intact.
# Which kind of test can see it?</summary>
#
# The agreed columns (data). If the column stays but holds its neighbour's values: only the model, which gets worse than
# the simple rule or stops moving in the right direction.
# </details>
#
# <details><summary>Why must the challenger be tested on loans that it was not trained on, though they are newer than its training?</summary>
#
# That is how it will be used: on people who come after those it learned from.
# </details>
#
# <details><summary>The suite turned green overnight and nobody committed. Flaky?</summary>
#
# Compare the data's hash first. Other data is another input, and a change of verdict is then a result. Flaky is a
# verdict that changes with the same commit and the same data.
# </details>
#
# ## Take-away
#
# **Behaviour is code and data together. Test the code when it changes, the data when it arrives, and the model whenever
# either could have changed it.**
#
# ## Go further
#
# - E. Breck et al., *The ML Test Score: A Rubric for ML Production Readiness and Technical Debt Reduction*, IEEE Big Data 2017
# - M. T. Ribeiro et al., *Beyond Accuracy: Behavioral Testing of NLP Models with CheckList*, ACL 2020: minimum
#   functionality, invariance, direction
# - Google Cloud Architecture Center, *MLOps: Continuous delivery and automation pipelines in machine learning*
# - pytest 9 documentation: *How to use fixtures*, *Good Integration Practices*
# - Lesson 02/03 replaces our tests of data by contracts, lesson 03/05 puts all three kinds into CI
# - In the glossary: [DevOps](../../../GLOSSARY.md#devops), [data test](../../../GLOSSARY.md#data-test), [behavioural test](../../../GLOSSARY.md#behavioural-test)
