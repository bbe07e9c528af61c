# %% [markdown]
# # 10 Drift
#
# ## You will
#
# - tell data drift from concept drift by what changed: who applies, or what becomes of them
# - compute PSI and the Kolmogorov-Smirnov test by hand, and with Evidently, its method named
# - count the false alarms of a monitor in a world where nothing happens
# - say in which month each kind of drift can be seen at the earliest, and why
# - read an alarm as a question about money, not as an order to retrain
#
# ## You need
#
# Lessons 01/01 and 01/02. You should know histograms and p-values.
#
# ## Time
#
# 27 minutes to read, 15 seconds to run.
#
# ## The story so far
#
# In lesson 01/01 a recession ate the profit of a model that nobody watched. Oakbank has learned from it and wants a
# monitor; the question is what it should look at.

# %% [markdown]
# ## Two worlds
#
# Take two copies of the bank. In one, a price-comparison site starts to send customers in month 8. In the other, a
# recession begins in month 9. The model is the same, trained by the pipeline on the year before.

# %%
import tempfile
from pathlib import Path

from oakbank.pipelines import TrainingConfig, run_training
from oakbank.world import Lake, World, publish_history

folder = Path(tempfile.mkdtemp())
names = ("calm", "data-drift-sudden", "recession")
worlds = {name: World(seed=5, scenario=name) for name in names}
lake = Lake(folder / "lake")
publish_history(worlds["calm"], lake)  # history is the same in all three
model = run_training(TrainingConfig(), lake, folder / "run").model()

# %% [markdown]
# A monitor compares what comes in now with what the model was trained on, our *reference*:

# %%
import pandas as pd

reference = lake.read("applications", range(-12, 0))
now = worlds["data-drift-sudden"].applications(8)
shares = now["channel"].value_counts(normalize=True).to_frame("month 8")
shares.assign(reference=reference["channel"].value_counts(normalize=True)).round(3)

# %% [markdown]
# A channel that hardly existed now brings half of the customers. You need no statistics to see this one; a monitor
# does, for it looks at every column, every night, with nobody there.
#
# ## A number for "how different": PSI
#
# Cut the reference into ten bins of equal share, see which share of the new values falls into each, and add up how
# far the shares moved. That is the *population stability index*, which credit departments have used for decades.

# %%
import numpy as np


def psi(reference, current, bins=10):
    edges = np.quantile(reference, np.arange(1, bins) / bins)
    bin_of = [np.searchsorted(edges, x, side="right") for x in (reference, current)]
    p, q = (np.bincount(x, minlength=bins) / len(x) for x in bin_of)
    p, q = np.maximum(p, 1e-4), np.maximum(q, 1e-4)  # an empty bin: not infinite
    return np.sum((p - q) * np.log(p / q))


numbers = ["age", "amount", "bureau_score"]
by_hand = pd.Series({name: psi(reference[name], now[name]) for name in numbers})
assert by_hand["bureau_score"] < 0.01 < 0.1 < by_hand["age"] < 0.25
by_hand.round(3)

# %% [markdown]
# The usual reading of PSI: below 0.1 nothing, above 0.25 something happened. Those are habits, not mathematics. Age
# moved a little, the bureau score did not, as the scenario says.
#
# ## A number for "is it chance": Kolmogorov-Smirnov
#
# PSI says how far, not whether chance alone could do it. The Kolmogorov-Smirnov statistic is the largest gap between
# the two cumulative curves; theory knows how large it gets by chance.

# %%
from scipy.stats import ks_2samp


def ks_statistic(a, b):
    both = np.concatenate([a, b])
    below_a = np.searchsorted(np.sort(a), both, "right") / len(a)
    below_b = np.searchsorted(np.sort(b), both, "right") / len(b)
    return np.abs(below_a - below_b).max()


ours = ks_statistic(reference["amount"], now["amount"])
scipy = ks_2samp(reference["amount"], now["amount"])
assert np.isclose(ours, scipy.statistic)
print(f"by hand {ours:.6f}, SciPy {scipy.statistic:.6f}, p-value {scipy.pvalue:.1e}")

# %% [markdown]
# ## An alarm in a calm world
#
# Before a monitor may wake anybody, let it run where nothing happens. We test eight numeric columns over 24 calm months,
# each at the usual p < 0.05. **Guess first:** in how many of the 24 months does at least one column raise an alarm?

# %%
eight = [*numbers, "income", "debts", "years_employed", "delinquencies", "term"]
months = [worlds["calm"].applications(month) for month in range(24)]
least = [min(ks_2samp(reference[n], new[n]).pvalue for n in eight) for new in months]
often, seldom = (sum(p < level for p in least) for level in (0.05, 0.05 / 8))
assert often >= 4 > seldom
print(f"months with an alarm: {often} of 24 at 0.05, {seldom} of 24 at 0.05 / 8")

# %% [markdown]
# A test at 0.05 is wrong once in twenty, by construction, and eight a month make 192 in all. Dividing the level by the
# number of columns (Bonferroni) helps. The other half of the answer is size: with 24,000 reference rows a test finds
# differences that no model would notice. So Oakbank's monitor wants both, a p-value that survives the correction
# *and* a PSI above 0.1:

# %%
from oakbank.deploy import monitor

report = monitor.drift_report(reference, now, model=model)
report.frame()[["psi", "test", "p_value", "drifted"]].round(4)

# %% [markdown]
# ## The tool: Evidently
#
# Evidently computes such measures for a whole table and makes a page of them that a colleague can read. It wants to know
# which columns are numbers, and which method to use:

# %%
from evidently import DataDefinition, Dataset, Report
from evidently.presets import DataDriftPreset

columns = [*numbers, "channel"]
definition = DataDefinition(numerical_columns=numbers, categorical_columns=["channel"])
before = Dataset.from_pandas(reference[columns], data_definition=definition)
after = Dataset.from_pandas(now[columns], data_definition=definition)
preset = DataDriftPreset(num_method="ks", cat_method="psi")
snapshot = Report([preset]).run(after, before)  # first what is new, then the reference
snapshot.save_html(str(folder / "drift.html"))


# %% [markdown]
# Open the page from the file browser, or show it here by the single word `snapshot`. The numbers behind it are in
# `snapshot.dict()`, here put into one row per column. For the same method they must equal SciPy's:

# %%
found = pd.json_normalize(snapshot.dict()["metrics"])
evidently = found.set_index("config.column")["value"]
scipy = [ks_2samp(reference[name], now[name]).pvalue for name in numbers]
assert np.allclose(evidently[numbers].astype(float), scipy, rtol=0.05, atol=1e-12)
print(f"p-values agree; PSI of the channel: {evidently['channel']:.2f}")

# %% [markdown]
# Does Evidently's PSI of numbers equal ours? Guess, then look:

# %%
other = Report([DataDriftPreset(num_method="psi")]).run(after, before)
found = pd.json_normalize(other.dict()["metrics"]).set_index("config.column")
assert by_hand["age"] < 0.25 < found["value"]["age"]
by_hand.to_frame("ours").assign(Evidently=found["value"].astype(float)).round(3)

# %% [markdown]
# It does not. Both are the population stability index; Evidently cuts the range into bins of equal *width*, we cut at
# the deciles. By the habit of 0.25 one of them rings for age and the other is silent. **An index is its formula and its
# bins**: write both beside each threshold. Without a method, Evidently 0.7 chooses one by the size of the reference
# (above 1,000 rows a Wasserstein distance, not KS), so the same column may be judged by another test next year.
# `oakbank.deploy.monitor.evidently_report` names its methods for that reason.

# %% [markdown]
# ## The drift that hurts and cannot be seen
#
# Now the recession. Month 12, three months in: profit is gone. Which columns have drifted?

# %%
month_12 = worlds["recession"].applications(12)
recession = monitor.drift_report(reference, month_12, model=model)
assert (recession.drifted, recession.score.drifted) == ([], False)
print("drifted:", recession.drifted, "PSI of answers:", round(recession.score.psi, 3))

# %% [markdown]
# None. And none ever will, in any monitor of inputs, because the inputs did not change: the same people apply. What
# changed is what becomes of them. If inputs change, P(x) moves: **data drift**. If outcomes change for the same inputs,
# P(y | x) moves: **concept drift**, and you must wait for y. So the second monitor compares predictions with outcomes.

# %%
from oakbank.pipelines import grant


def watch(world, month):
    feed = world.applications(month - world.scenario.label_delay)  # labels arrive now
    risk = model.predict(feed)
    yes = grant(risk, feed["amount"], feed["term"])
    decisions = feed[["application_id"]].assign(granted=yes, default_probability=risk)
    outcomes = world.outcomes(month, feed["application_id"][yes])
    return monitor.performance_report(decisions, outcomes)


late = watch(worlds["recession"], 14)
assert late.alarm
print(f"predicted {late.mean_probability:.1%}, defaulted {late.default_rate:.1%}")

# %% [markdown]
# ## When could we have known?
#
# Both monitors over both worlds, month by month: the PSI of the channel, and the gap between realised and predicted
# defaults in standard errors. The dashed line is the onset, which only a simulator knows.

# %%
curves, looks, usual = {}, range(3, 20), reference["channel"]
for name, world in list(worlds.items())[1:]:
    inputs = [monitor.psi(usual, world.applications(m)["channel"]) for m in looks]
    outcomes = [watch(world, month).z for month in looks]
    curves[name] = pd.DataFrame({"inputs": inputs, "outcomes": outcomes}, index=looks)
assert curves["recession"]["inputs"].max() < 0.1
levels = monitor.PSI_MAJOR, monitor.Z_ALARM
rang = {name: (curve >= levels).idxmax() for name, curve in curves.items()}
assert (*rang["data-drift-sudden"], rang["recession"]["outcomes"]) == (8, 8 + 3, 9 + 3)

# %%
import matplotlib.pyplot as plt

fig, axes = plt.subplots(2, 2, figsize=(9, 4.4), sharex=True, sharey="row")
for side, (name, curve) in zip(axes.T, curves.items(), strict=True):
    curve.plot(subplots=True, ax=side, style="o-", ms=3, legend=False)
    for ax, level in zip(side, levels, strict=True):
        ax.axhline(level, color="C3", lw=1)
        ax.axvline(worlds[name].scenario.events[0].onset, color="0.4", ls="--")
    side[0].set(title=name, ylabel="inputs: PSI of channel")
    _ = side[1].set(xlabel="month in which you look", ylabel="outcomes: z")

# %% [markdown]
# Read the four panels. On the left the inputs alarm in the month of the onset; three months later the outcomes say that
# the drift hurts. On the right the inputs stay flat, and the outcomes speak three months after the onset, the label
# delay, not a day sooner. **No cleverness shortens that wait**; only faster labels do (a missed first instalment is
# known after one month, a default after many). NannyML's CBPE estimates a model's AUC before the labels are there; it
# assumes that the same inputs default as before, so in the recession it sees nothing (`python3 bootstrap.py tour nannyml`).
#
# ```mermaid
# flowchart TD
#     A[alarm] --> B{inputs or outcomes?}
#     B -- inputs --> C{is the feed broken?}
#     C -- yes --> D[mend the feed, do not retrain]
#     C -- no --> E{do outcomes suffer?}
#     E -- not known yet --> F[shorten the leash: smaller loans, more reviews]
#     E -- no --> G[note it, move the reference]
#     E -- yes --> H[retrain on months that have labels]
#     B -- outcomes --> I{was the feed broken when these loans were decided?}
#     I -- yes --> D
#     I -- no --> H
# ```
#
# In words: an alarm on inputs first asks whether the feed is broken, because a model retrained on broken data learns
# the fault. If the feed is sound, only outcomes can say whether the drift costs money; until they are in, lend less
# and review more. An alarm on outcomes asks the same question of the months in which those loans were decided: in
# lesson 01/02 the outcomes of month 10 told of a feed that had broken in month 7. Only with a sound feed is it a reason
# to retrain.

# %% [markdown]
# ## Your turn
#
# Has the recession's month 12 drifted, according to Evidently? Compare `month_12` with the reference on the same four
# columns and with the same methods, and keep one number per column in `answer`, a series like `evidently`.

# %%
# your code here

# %%
wanted = ks_2samp(reference["age"], month_12["age"]).pvalue
got = globals().get("answer", {}).get("age", np.nan)
right = np.isclose(got, wanted, rtol=0.05)
print("right" if right else "not yet: a Dataset of month_12, then `run(new, before)`")

# %% [markdown]
# <details><summary>A solution</summary>
#
# ```python
# new = Dataset.from_pandas(month_12[columns], data_definition=definition)
# found = Report([preset]).run(new, before).dict()["metrics"]
# answer = pd.json_normalize(found).set_index("config.column")["value"]
# ```
# </details>
#
# ## What this does not prove
#
# Our drifts are sudden and large, and the reference is clean. A slow drift may hide below every threshold for a year.
# The outcomes monitor sees granted loans only: if the model begins to decline people who would have repaid, nobody
# will ever know. And a single seed per world shows when an alarm came here, not how often it comes late; the tests of
# `oakbank.deploy` repeat it over several.
#
# ## Check yourself
#
# <details><summary>A monitor of inputs has been silent for a year. Is the model fine?</summary>
#
# You know that the customers look as before. Whether they still repay as before it cannot tell.
# </details>
#
# <details><summary>With 2,000 new rows against 24,000, PSI is 0.02 and the KS p-value 0.0001. Alarm?</summary>
#
# No. The difference is real and too small to matter. A p-value speaks of chance, not of size.
# </details>
#
# <details><summary>In month 8 the channel mix has drifted. Why not retrain that night?</summary>
#
# There are no outcomes yet for the new customers. The training would see the old world once more.
# </details>
#
# <details><summary>Income's PSI jumps to 8 overnight. What is your first thought?</summary>
#
# A changed unit. No population moves that far in a night; feeds do.
# </details>
#
# ## Take-away
#
# **Drift of the inputs can be seen at once and may cost nothing; drift of the concept costs money and shows itself only
# when the labels arrive. Watch both, and know how long your labels take.**
#
# ## Go further
#
# - J. Gama et al., *A Survey on Concept Drift Adaptation*, ACM Computing Surveys 46(4), 2014
# - B. Yurdakul, *Statistical Properties of Population Stability Index*, Western Michigan University, 2018
# - Evidently 0.7 documentation: *Data drift*, *Drift methods* (which method it chooses, and from how many rows)
# - The reference: `oakbank.deploy.drift`, `monitor` and `trigger`
# - The lab `03-drift-detective`: find the onset in worlds that you have not seen
# - In the glossary: [data drift](../../../GLOSSARY.md#data-drift), [concept drift](../../../GLOSSARY.md#concept-drift), [broken feed](../../../GLOSSARY.md#broken-feed), [drift test](../../../GLOSSARY.md#drift-test), [PSI](../../../GLOSSARY.md#psi)
