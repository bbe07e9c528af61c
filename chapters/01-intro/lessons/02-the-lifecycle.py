# %% [markdown]
# # 02 The lifecycle
#
# ## You will
#
# - take one small model through all ten stages of its life, from a question to new training data
# - say for each hand-over what is handed over, who gives, who takes, and which check holds it
# - tell data engineering from ML engineering by what each of them tests
# - pack a model so that another process can decide with it, and refuses it once it was altered
# - show in EUR what one missing check costs
#
# ## You need
#
# Lesson 01/01, for the bank and its money.
#
# ## Time
#
# 55 minutes to read, 20 seconds to run.
#
# ## The story so far
#
# Oakbank's first model earned well until nobody looked after it. The bank now wants it done properly, and it has hired:
# you are no longer alone with a notebook.

# %% [markdown]
# ## Ten stages, six hats
#
# ```mermaid
# flowchart LR
#     Q[1 question<br/>product owner] -- a bar in EUR --> D[2 data<br/>data engineer]
#     D -- table, hash --> V[3 validate<br/>data engineer]
#     V -- contract kept --> F[4 features<br/>data scientist]
#     F -- agreed columns --> T[5 train<br/>data scientist]
#     T -- model file --> E[6 evaluate<br/>validator]
#     E -- measured twice --> P[7 package<br/>ML engineer]
#     P -- manifest, version --> S[8 decide<br/>platform]
#     S -- decisions --> M[9 monitor<br/>platform]
#     M -- outcomes --> B[10 feed back<br/>data engineer]
#     B -- new data, new hash --> D
#     M -. the question was wrong .-> Q
# ```
#
# In words: the *product owner* asks a question and says how good is good enough. *Data engineers* bring a table and prove
# that it keeps its contract. *Data scientists* make features and train. A *validator*, who did not build it, measures it
# again. *ML engineers* pack what was measured, the *platform* people run it and watch it, and what they see becomes the
# next table. In a bank of ten one person wears three of these hats. The hand-overs are there all the same, and things
# break at hand-overs: inside a stage somebody knows what the numbers mean.
#
# So that is what we build first. A hand-over is a file, its hash, who gave it to whom, and what the taker checked before
# taking it. If a check fails, it is not taken.

# %%
import hashlib

ledger = []


def hand_over(stage, giver, taker, path, **checks):
    failed = [check for check, passed in checks.items() if not passed]
    if failed:
        raise ValueError(f"{taker} refuses {path.name} from {giver}: {', '.join(failed)}")
    mark = hashlib.sha256(path.read_bytes()).hexdigest()[:8]
    held = ", ".join(checks).replace("_", " ")
    ledger.append({"stage": stage, "from": giver, "to": taker, "artefact": path.name, "hash": mark, "checked": held})


# %% [markdown]
# ## 1 The question
#
# *Product owner.* "Use AI for lending" is no question. This is one: it names the decision, what counts, when the answer is
# known, and the bar. The bar is written down now, because after the first result everybody's idea of good enough moves.

# %%
import json
import tempfile
from pathlib import Path

scratch = tempfile.TemporaryDirectory()
folder = Path(scratch.name)
question = {
    "decision": "grant a loan where its default risk lies below its break-even",
    "outcome": "known three months after the application, for granted loans only",
    "test_months": [-5, -4],
    "auc_at_least": 0.70,
    "eur_a_month_above_officers": 200_000,
}

# %%
path = folder / "question.json"
path.write_text(json.dumps(question))
bars = question["auc_at_least"] > 0.5 and question["eur_a_month_above_officers"] > 0
hand_over("1 question", "product owner", "data scientist", path, has_a_bar_before_any_result=bars)

# %% [markdown]
# ## 2 The data
#
# *Data engineer.* Applications, decisions and outcomes arrive as files of their own, month by month, in the bank's lake.
# They become one table: each granted loan whose outcome was known when month 0 began.

# %%
from oakbank.world import Lake, World, publish_history

world = World(seed=7, scenario="broken-feed-unit")
lake = Lake(folder / "lake")
publish_history(world, lake)
applications, outcomes = lake.read("applications", range(-12, -3)), lake.read("outcomes", range(-9, 0))
loans = applications.merge(outcomes.drop(columns="month"), on="application_id", validate="one_to_one")
print(f"{len(applications):,} applications, {len(outcomes):,} outcomes, {len(loans):,} loans")

# %%
path = folder / "loans.parquet"
loans.to_parquet(path)
complete, months = len(loans) == len(outcomes), set(loans["month"]) == set(range(-12, -3))
hand_over("2 data", "data engineer", "data engineer", path, no_outcome_lost=complete, no_month_missing=months)

# %% [markdown]
# ## 3 Validate
#
# *Data engineer, with those who use the table.* A contract says in numbers what everybody thinks is obvious: which range
# a column keeps, and **in which unit**. Checking it takes a few lines.

# %%
from oakbank.world import COLUMNS

contract = {column.name: (column.low, column.high, column.unit) for column in COLUMNS if column.high is not None}


def breaches(frame):
    found = [f"{name} is missing" for name in contract if name not in frame]
    for name, (low, high, unit) in contract.items():
        if name in frame and not (inside := frame[name].between(low, high)).all():
            found.append(f"{1 - inside.mean():.0%} of {name} outside {low:,} to {high:,} {unit}")
    return found


contract["income"]

# %%
path = folder / "contract.json"
path.write_text(json.dumps(contract))
hand_over("3 validate", "data engineer", "data scientist", path, contract_kept=not breaches(loans))

# %% [markdown]
# ## 4 Features
#
# *Data scientist.* A model wants numbers of like size. By hand that is: numbers less their mean, over their standard
# deviation; and for each category one column per value. Mean and deviation come from the training months, no others.

# %%
import pandas as pd

from oakbank.world import CATEGORIES, FEATURES

train, validation = loans[loans["month"] < -7], loans[loans["month"].isin([-7, -6])]
test = loans[loans["month"].isin(question["test_months"])]
words = [column for column in FEATURES if column in CATEGORIES]
numbers = [column for column in FEATURES if column not in CATEGORIES]


# %%
def features(frame):
    scaled = (frame[numbers] - train[numbers].mean()) / train[numbers].std(ddof=0)
    return pd.concat([scaled, pd.get_dummies(frame[words])], axis=1).to_numpy(float)


# %% [markdown]
# The tool keeps the means with the model, so that nobody can forget to bring them along. It must give the same numbers:

# %%
import numpy as np

from oakbank.intro.first_model import first_model

prepare = first_model()[:-1].fit(train)
print("largest difference:", f"{np.abs(features(validation) - prepare.transform(validation)).max():.0e}")

# %% [markdown]
# Handed over is the list of columns that may go in. Checked is what must not be in it: the protected group, and anything
# that nobody knows yet on the day of the application.

# %%
path = folder / "features.json"
path.write_text(json.dumps(FEATURES))
later = {"known_month", "defaulted", "profit"} & set(FEATURES)
hand_over(
    "4 features", "data scientist", "data scientist", path, no_group="group" not in FEATURES, nothing_later=not later
)

# %% [markdown]
# ## 5 Train
#
# *Data scientist.* Model development is a small loop inside the large one: try, measure on the validation months, choose.
# It starts with the dullest candidates, so that one knows what the clever one is worth. **Guess:** a "model" that gives
# every applicant the same risk decides by the break-even alone. Does it beat the officers?

# %%
from sklearn.compose import make_column_transformer
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from oakbank.world import break_even

score_only = make_pipeline(make_column_transformer((StandardScaler(), ["bureau_score"])), LogisticRegression())
candidates = {"same risk for all": DummyClassifier(), "bureau score": score_only, "all columns": first_model()}


# %%
def measure(model, loans):
    risk = model.predict_proba(loans)[:, 1]
    kept = risk < break_even(loans["amount"], loans["term"])
    gain = loans.loc[kept, "profit"].sum() - loans["profit"].sum()
    return {"auc": round(roc_auc_score(loans["defaulted"], risk), 3), "eur": round(gain / loans["month"].nunique())}


pd.DataFrame({name: measure(model.fit(train, train["defaulted"]), validation) for name, model in candidates.items()}).T

# %% [markdown]
# `eur` is what a month would have earned above the officers, on the loans that they granted and we can therefore judge.
# The dummy knows nothing (an AUC of one half) and still earns most of it: the gain comes from the decision rule, which
# declines what cannot pay for its own risk. The model adds the rest. Whoever starts with the clever candidate puts all
# of it down to the model.
#
# We take all columns, and train on everything before the test months. Those nobody has looked at yet.

# %%
import joblib

before_test = loans[loans["month"] < -5]
model = first_model().fit(before_test, before_test["defaulted"])
path = folder / "model.joblib"
joblib.dump(model, path)
same = np.array_equal(joblib.load(path).predict_proba(test), model.predict_proba(test))
hand_over("5 train", "data scientist", "validator", path, file_answers_as_the_model=same)

# %% [markdown]
# ## 6 Evaluate
#
# *Data scientist, then validator.* In time, on months after the training, and in money. The scientist writes the claim;
# the validator believes nothing, takes the two files, and measures again.

# %%
claim = measure(model, test)
path = folder / "report.json"
path.write_text(json.dumps(claim))
claim

# %%
table, taken = pd.read_parquet(folder / "loans.parquet"), joblib.load(folder / "model.joblib")
again = measure(taken, table[table["month"].isin(question["test_months"])])
checks = {
    "claim_measured_again": again == claim,
    "auc_above_bar": again["auc"] >= question["auc_at_least"],
    "eur_above_bar": again["eur"] >= question["eur_a_month_above_officers"],
}
hand_over("6 evaluate", "validator", "ML engineer", path, **checks)

# %% [markdown]
# ## 7 Package
#
# *ML engineer.* A model file alone is an orphan. The package adds a manifest: which data, which bar, which versions of the
# tools, and five applications with the answers that the model gave at home. The version is the hash of the file: a name
# that cannot be given twice.

# %%
import shutil

import sklearn

package = folder / "package"
package.mkdir()
shutil.copy(folder / "model.joblib", package)
examples = test[list(FEATURES)].head(5)
examples.to_parquet(package / "examples.parquet")

# %%
signed, data = (hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in ("model.joblib", "loans.parquet"))
manifest = {"version": signed[:8], "model": signed, "data": data, "question": question, "measured": again}
manifest |= {"tools": {"scikit-learn": sklearn.__version__}}
manifest |= {"answers": model.predict_proba(examples)[:, 1].tolist()}
path = package / "manifest.json"
_ = path.write_text(json.dumps(manifest))

# %% [markdown]
# The program that decides runs elsewhere, as a process that shares nothing with us but the package. Before it opens the
# model it compares the hash: a file of this format runs code when it is opened, so afterwards would be too late.

# %%
_ = (package / "decide.py").write_text("""
import hashlib, json, sys
from pathlib import Path
import joblib
import pandas as pd
from oakbank.world import break_even

package, feed, decisions = Path(sys.argv[1]), pd.read_parquet(sys.argv[2]), Path(sys.argv[3])
manifest = json.loads((package / "manifest.json").read_text())
if hashlib.sha256((package / "model.joblib").read_bytes()).hexdigest() != manifest["model"]:
    sys.exit("refused: this model is not the one that was signed")
risk = joblib.load(package / "model.joblib").predict_proba(feed)[:, 1]
feed["granted"] = risk < break_even(feed["amount"], feed["term"])
feed["default_probability"], feed["model_version"] = risk, manifest["version"]
keys = ["application_id", "month", "granted", "default_probability", "model_version"]
feed[keys].to_parquet(decisions)
""")

# %%
import subprocess
import sys


def decide(package, feed, decisions):
    command = [sys.executable, package / "decide.py", package, feed, decisions]
    return subprocess.run(command, capture_output=True, text=True).stderr.strip()


# %% [markdown]
# Two proofs before the platform takes it: an altered copy is refused, and over there the package answers a month of
# applications as the model does here. One bit is enough to alter it:

# %%
altered = folder / "altered"
shutil.copytree(package, altered)
content = bytearray((altered / "model.joblib").read_bytes())
content[len(content) // 2] ^= 1
(altered / "model.joblib").write_bytes(content)
refusal = decide(altered, lake.path("applications", -1), folder / "nothing.parquet")
refusal

# %%
said = decide(package, lake.path("applications", -4), folder / "trial.parquet")
trial = pd.read_parquet(folder / "trial.parquet").set_index("application_id")["default_probability"]
month = loans[loans["month"] == -4]
home = np.allclose(trial[month["application_id"]], model.predict_proba(month)[:, 1], rtol=0, atol=1e-12)
checks = {"altered_copy_refused": refusal.startswith("refused"), "answers_as_at_home": home}
hand_over("7 package", "ML engineer", "platform", path, **checks)

# %% [markdown]
# ## 8 Decide
#
# *Platform.* Month 0. The feed comes in and is held to the contract, the package decides, and each decision carries the
# version that made it. In three years, when somebody asks why, this column is the only way back.


# %%
def month_at_the_bank(month):
    feed = lake.write("applications", month, world.applications(month))
    found = breaches(pd.read_parquet(feed))
    said = "" if found else decide(package, feed, lake.path("decisions", month))
    return feed, found, said


(lake.folder / "decisions").mkdir(exist_ok=True)
feed, found, said = month_at_the_bank(0)
decisions = lake.read("decisions", [0])
decisions.head(3)

# %%
whole = len(decisions) == len(pd.read_parquet(feed)) and not decisions["default_probability"].isna().any()
one = set(decisions["model_version"]) == {manifest["version"]}
path = lake.path("decisions", 0)
hand_over("8 decide", "platform", "platform", path, feed_kept_contract=not found, all_decided=whole, version_known=one)

# %% [markdown]
# ## 9 Monitor
#
# *Platform, with the data scientist.* Of a decision one can see at once who was granted, and three months later what
# became of it. Both are held against what the model promised.

# %%
yes = decisions[decisions["granted"]]
late = world.outcomes(3, yes["application_id"])
promised, came = yes["default_probability"].mean(), late["defaulted"].mean()
error = np.sqrt((yes["default_probability"] * (1 - yes["default_probability"])).mean() / len(yes))
print(f"granted {len(yes) / len(decisions):.1%}; promised {promised:.1%} defaults, came {came:.1%} (error {error:.1%})")

# %%
path = folder / "monitor.json"
path.write_text(json.dumps({"month": 0, "granted": len(yes), "promised": promised, "came": came}))
share = 0.35 < len(yes) / len(decisions) < 0.65
hand_over(
    "9 monitor", "platform", "data engineer", path, usual_share_granted=share, promise_kept=came - promised < 3 * error
)

# %% [markdown]
# ## 10 Feed back
#
# *Data engineer.* The outcomes go into the lake and the table grows: exactly by the loans that were granted, for of the
# others nobody will ever know. A new table is a new hash, and with it the loop begins again at stage 2.

# %%
lake.write("outcomes", 3, late)
fed = lake.read("applications", [0]).merge(late.drop(columns="month"), on="application_id", validate="one_to_one")
path = folder / "loans-next.parquet"
pd.concat([loans, fed], ignore_index=True).to_parquet(path)
grown = len(pd.read_parquet(path)) == len(loans) + len(yes)
hand_over(
    "10 feed back", "data engineer", "data scientist", path, grown_by_the_granted=grown, contract_kept=not breaches(fed)
)

# %%
pd.set_option("display.max_colwidth", None)
pd.DataFrame(ledger).set_index("stage")

# %% [markdown]
# That is the lifecycle: not ten boxes but ten hand-overs, each of which the taker can check without trusting the giver.
# None of the checks needs more than a line or two. What they need is somebody who has to sign:
#
# | role | asks | answers for |
# |---|---|---|
# | product owner | is it worth it, and how good is good enough? | the question and its bar |
# | data engineer | is this table what we agreed? | lake, contract, freshness |
# | data scientist | what can be learned from it? | features, model, an honest claim |
# | validator, risk | would I sign that? | the second measurement; the right to say no |
# | ML engineer | does it answer there as it did here? | package, tests of answers, way back |
# | platform, operations | does it run, and who is woken when it does not? | service, monitor, alarm |
#
# One rule survives in the smallest team: whoever built the model is not the one who signs stage 6.
#
# ## Data engineering, ML engineering
#
# Both write pipelines, both test them, and they are often taken for one job. The difference shows in what they test. The
# data engineer's tests know the **table** and not what it is for; the ML engineer's know the **answers** and not where
# the rows come from.


# %%
def data_tests(frame):
    return {
        "key is unique": frame["application_id"].is_unique,
        "nothing is missing": not frame.isna().any(axis=None),
        "contract kept": not breaches(frame),
    }


def ml_tests(score, frame):
    alone = [score(frame.iloc[[row]])[0] for row in range(20)]
    return {
        "examples answered as at home": np.allclose(score(examples), manifest["answers"], atol=1e-9),
        "one by one as in a batch": np.allclose(score(frame)[:20], alone, atol=1e-9),
    }


# %% [markdown]
# Two faults, both from life. In month 7 income comes in another unit; nobody was told. And a service that somebody wrote
# from memory scales each batch by the batch's own mean, not by that of the training. **Who finds which?**


# %%
def right(frame):
    return model.predict_proba(frame)[:, 1]


def from_memory(frame):
    return model[-1].predict_proba(first_model()[:-1].fit_transform(frame))[:, 1]


# %%
sound, changed = world.applications(6), world.applications(7)
cases = {"all is well": (right, sound), "unit changed": (right, changed), "scaled by the batch": (from_memory, sound)}
pd.DataFrame({name: data_tests(frame) | ml_tests(score, frame) for name, (score, frame) in cases.items()})

# %% [markdown]
# Each finds one, and neither finds the other's. To the ML engineer's tests the yearly income is a number like any other:
# the model answers it the same alone and in a batch. To the data engineer's tests the second table is perfect, because it
# is; the fault sits behind it. A bank that hires only one of the two has half of its tests.
#
# ## A hand-over without a check
#
# Now the story of month 7 as it went. A supplier's new interface delivers income per year. The data engineer who connected
# it noted that in the wiki of her team; it is not a bug, and nobody did anything foolish. First with the check:

# %%
feed, found, said = month_at_the_bank(7)
print(found, "| decided:", lake.path("decisions", 7).exists())

# %% [markdown]
# The hand-over is refused, nothing is decided by the model, and the message has everything that a person needs to ring the
# right colleague. Now the same month without it, beside month 6, which was sound. **How much does month 7 earn?**

# %%
said = decide(package, feed, lake.path("decisions", 7))
granted = lake.read("decisions", [7])["granted"]
usual = right(sound) < break_even(sound["amount"], sound["term"])
for month, yes in {6: usual, 7: granted}.items():
    result = world.truth(month).loc[yes, "profit_if_granted"].sum()
    print(f"month {month}: granted {yes.mean():.1%}, result {result:>10,.0f} EUR")

# %% [markdown]
# To the model everybody has become rich. No process crashed, each answer came in time. When would the bank have noticed?
# Four banks that differ in two things: when they find out, and what they do then. Until the feed is mended in month
# 13 the officers decide, who work on paper; the last bank rings the supplier's number and divides by twelve.


# %%
def earned(month, how):
    frame, truth = world.applications(month), world.truth(month)
    if how == "officers":
        return truth.loc[world.officer_decisions(month)["granted"], "profit_if_granted"].sum()
    if how == "mended":
        frame = frame.assign(income=frame["income"] / 12)
    return truth.loc[right(frame) < break_even(frame["amount"], frame["term"]), "profit_if_granted"].sum()


# %%
broken = range(7, 13)
banks = {
    "nobody looks": {},
    "outcomes tell, month 10": dict.fromkeys(range(10, 13), "officers"),
    "check refuses, officers decide": dict.fromkeys(broken, "officers"),
    "check refuses, unit mended": dict.fromkeys(broken, "mended"),
}
total = pd.DataFrame(
    {bank: [earned(m, how.get(m, "model")) for m in range(15)] for bank, how in banks.items()}
).cumsum()
(total.iloc[-1] / 1e6).round(2).rename("million EUR in 15 months")

# %%
import matplotlib.pyplot as plt

fig, ax = plt.subplots(figsize=(8, 3.4))
for bank, color, style in zip(total, ["C3", "C1", "C0", "C2"], ["-", "--", "-.", "-"], strict=True):
    ax.plot(total.index, total[bank] / 1e6, color=color, ls=style, label=bank)
ax.axvspan(7, 12, color="0.93")
ax.set(xlabel="month", ylabel="earned so far, million EUR", title="Shaded: income arrives per year")
_ = ax.legend(fontsize=8)

# %% [markdown]
# The check and the outcomes lead to the same fallback, and lie three million EUR apart. The difference is not cleverness
# but time: the check speaks before the first loan, the outcomes when nearly everybody who applied in three months has one.
# Then the upper two. The officers stop the bleeding and no more; only a person who understood the message brings the
# earnings back. (The monitor of stage 9 would have seen the share granted, at the end of month 7: sooner than the
# outcomes, and a million too late.)
#
# ## What this does not prove
#
# One loop in one process is a rehearsal: no queue, no permissions, nobody on holiday. The people here are variables, and
# "the validator" has the same keyboard as the scientist; chapter 04 makes signatures that cannot be forged. The test
# months judge only loans that the officers granted. Our contract caught income per year because the ranges lie apart; had
# the supplier sent another currency, a range might have let it through, and lesson 02/03 goes on from
# there. And month 7 was cheap to find because we knew where to look.

# %%
scratch.cleanup()

# %% [markdown]
# ## Check yourself
#
# <details><summary>The bar of stage 1 could also be agreed after stage 6, when one knows what is possible. Why not?</summary>
#
# Because then it is drawn round the result. A bar that was set before can be missed, and only then does passing say
# anything.
# </details>
#
# <details><summary>Data and model are both identified by a hash. What does the validator gain from that?</summary>
#
# She knows that she measures the very table and the very file of the claim, without asking anyone or trusting a file name.
# </details>
#
# <details><summary>A data engineer says: all my tests are green, so the model's input is right. What is missing?</summary>
#
# The part behind the table: the same features at home and in the service. "Scaled by the batch" passes every test of data.
# </details>
#
# <details><summary>The contract refused the feed. Which two things have to happen, and who does them?</summary>
#
# The fallback decides today (platform), and somebody who knows the feed mends it (data engineer). The curves show what
# each of the two is worth.
# </details>
#
# ## Take-away
#
# **Things break between the stages, where one person's obvious is another's unknown. Hand over a file, a hash and a
# check, and let the taker refuse.**
#
# ## Go further
#
# - M. Zinkevich, *Rules of Machine Learning: Best Practices for ML Engineering*, Google
# - S. Amershi et al., *Software Engineering for Machine Learning: A Case Study*, ICSE-SEIP 2019: nine stages at Microsoft
# - N. Sambasivan et al., *"Everyone wants to do the model work, not the data work": Data Cascades in High-Stakes AI*, CHI 2021
# - CRISP-DM 1.0, 2000: the loop before there was a word for operations
# - scikit-learn 1.9 user guide: *Model persistence*; lesson 06 looks at the split, chapter 02 makes each stage a step
# - In the glossary: [lifecycle](../../../GLOSSARY.md#lifecycle), [data engineer and ML engineer](../../../GLOSSARY.md#data-engineer-and-ml-engineer), [ground truth](../../../GLOSSARY.md#ground-truth)
