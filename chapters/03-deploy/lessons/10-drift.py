# %% [markdown]
# # 10 Drift
#
# ## You will
#
# - tell data drift from concept drift by what changed: who applies, or what becomes of them
# - compute PSI and the Kolmogorov-Smirnov test by hand, and check them against SciPy and Evidently
# - count the false alarms of a monitor in a world where nothing happens
# - say in which month each kind of drift can be seen at the earliest, and why
# - read an alarm as a question about money, not as an order to retrain
#
# ## You need
#
# Lessons 01/01, 01/02 and 02/05. Histograms and p-values should be no strangers.
#
# ## Time
#
# 23 minutes to read, 15 seconds to run.
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
worlds = {name: World(seed=5, scenario=name) for name in ("calm", "data-drift-sudden", "recession")}
lake = Lake(folder / "lake")
publish_history(worlds["calm"], lake)  # history is the same in all three
run = run_training(TrainingConfig(), lake, folder / "run")
model = run.model()

# %% [markdown]
# A monitor compares what comes in now with what the model was trained on. The second is our *reference*:

# %%
import pandas as pd

reference = lake.read("applications", range(-12, 0))
now = worlds["data-drift-sudden"].applications(8)
shares = pd.DataFrame({"reference": reference["channel"].value_counts(normalize=True)})
shares["month 8"] = now["channel"].value_counts(normalize=True)
shares.round(3)

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
    p = np.bincount(np.searchsorted(edges, reference, side="right"), minlength=bins) / len(reference)
    q = np.bincount(np.searchsorted(edges, current, side="right"), minlength=bins) / len(current)
    p, q = np.maximum(p, 1e-4), np.maximum(q, 1e-4)  # an empty bin must not make it infinite
    return np.sum((p - q) * np.log(p / q))


for column in ("age", "amount", "bureau_score"):
    print(f"{column:13} {psi(reference[column], now[column]):.3f}")

# %% [markdown]
# The trade reads it so: below 0.1 nothing, above 0.25 something happened. Those are habits, not mathematics. Age and
# amount moved a little, the bureau score did not, as the scenario has it.
#
# ## A number for "is it chance": Kolmogorov-Smirnov
#
# PSI says how far, not whether chance alone could do it. The Kolmogorov-Smirnov statistic is the largest gap between
# the two cumulative curves; theory knows how large it gets by chance.

# %%
from scipy.stats import ks_2samp


def ks_statistic(a, b):
    a, b = np.sort(a), np.sort(b)
    both = np.concatenate([a, b])
    return np.abs(np.searchsorted(a, both, "right") / len(a) - np.searchsorted(b, both, "right") / len(b)).max()


by_hand, scipy = ks_statistic(reference["amount"], now["amount"]), ks_2samp(reference["amount"], now["amount"])
print(f"by hand {by_hand:.6f}, SciPy {scipy.statistic:.6f}, p-value {scipy.pvalue:.1e}")

# %% [markdown]
# ## An alarm in a calm world
#
# Before a monitor may wake anybody, let it run where nothing happens. We test eight numeric columns over 24 calm months,
# each at the usual p < 0.05. **Guess first:** in how many of the 24 months does at least one column raise an alarm?

# %%
numeric = ["age", "income", "debts", "years_employed", "bureau_score", "delinquencies", "amount", "term"]
calm = {month: worlds["calm"].applications(month) for month in range(24)}
p_values = np.array([[ks_2samp(reference[c], calm[m][c]).pvalue for c in numeric] for m in calm])
print("months with an alarm at 0.05:    ", int((p_values < 0.05).any(axis=1).sum()), "of 24")
print("months with an alarm at 0.05 / 8:", int((p_values < 0.05 / 8).any(axis=1).sum()), "of 24")

# %% [markdown]
# A test at 0.05 is wrong once in twenty, by construction, and eight of them a month are 192 tests. Dividing the level
# by the number of columns (Bonferroni) helps. The other half of the answer is size: with 24,000 reference rows a test
# finds differences that no model would notice. So Oakbank's monitor wants both, a p-value that survives the correction
# *and* a PSI above 0.1:

# %%
from course.lesson import show_source
from oakbank.deploy import monitor

show_source(monitor.compare_column)

# %%
report = monitor.drift_report(reference, now, model=model)
report.frame()[["psi", "test", "p_value", "drifted"]].sort_values("psi", ascending=False).head(5).round(4)

# %% [markdown]
# ## The tool: Evidently
#
# Evidently computes the same measures and makes a page of them that a colleague can read. Its answer must be ours.

# %%
page = folder / "drift.html"
columns = ["age", "amount", "bureau_score", "channel"]
evidently = monitor.evidently_report(reference, now, page, columns)
pd.DataFrame(evidently).T

# %%
own = {column: monitor.ks(reference[column], now[column])[1] for column in columns[:3]}
for column, p_value in own.items():
    assert np.isclose(p_value, evidently[column]["value"], rtol=0.05, atol=1e-6), column
print(f"p-values agree; the page has {page.stat().st_size / 1e6:.1f} MB and opens without a network")

# %% [markdown]
# ## The drift that hurts and cannot be seen
#
# Now the recession. Month 12, three months in: profit is gone. Which columns have drifted?

# %%
recession = monitor.drift_report(reference, worlds["recession"].applications(12), model=model)
print("drifted columns:", recession.drifted, "| largest PSI:", round(max(c.psi for c in recession.columns.values()), 3))
print("the model's answers: PSI", round(recession.score.psi, 3))

# %% [markdown]
# None. And none ever will, in any monitor of inputs, because the inputs did not change: the same people apply. What
# changed is what becomes of them. The first is **data drift**, P(x) moves; the second is **concept drift**, P(y | x)
# moves, and y is what you have to wait for. So the second monitor holds predictions against outcomes, as they arrive.

# %%
from oakbank.pipelines import grant


def watch(world, month):
    applied = month - world.scenario.label_delay  # whose outcomes arrive in this month
    feed = world.applications(applied)
    risk = model.predict(feed)
    yes = grant(risk, feed["amount"], feed["term"])
    decisions = pd.DataFrame({"application_id": feed["application_id"], "granted": yes, "default_probability": risk})
    return monitor.performance_report(decisions, world.outcomes(month, feed["application_id"][yes]))


late = watch(worlds["recession"], 14)
print(f"predicted {late.mean_probability:.1%}, defaulted {late.default_rate:.1%}, z = {late.z:.0f}")

# %% [markdown]
# ## When could we have known?
#
# Both monitors over both worlds, month by month: the inputs' largest PSI, and the gap between realised and predicted
# defaults in standard errors. The dashed line is the truth, which only a simulator has.

# %%
curves = {}
for name in ("data-drift-sudden", "recession"):
    world = worlds[name]
    drift = [max(monitor.psi(reference[c], world.applications(m)[c]) for c in ("channel", "age")) for m in range(20)]
    curves[name] = pd.DataFrame({"inputs: PSI": drift, "outcomes: z": [watch(world, m).z for m in range(3, 23)]})
    curves[name]["outcome month"] = range(3, 23)

# %%
import matplotlib.pyplot as plt

fig, axes = plt.subplots(2, 2, figsize=(9, 4.4), sharex=True)
for column, (name, curve) in enumerate(curves.items()):
    onset = worlds[name].scenario.events[0].onset
    axes[0, column].plot(curve.index, curve["inputs: PSI"], "o-", ms=3)
    axes[0, column].axhline(monitor.PSI_MAJOR, color="C3", lw=1)
    axes[1, column].plot(curve["outcome month"], curve["outcomes: z"], "o-", ms=3)
    axes[1, column].axhline(monitor.Z_ALARM, color="C3", lw=1)
    for ax in axes[:, column]:
        ax.axvline(onset, color="0.4", ls="--")
    axes[0, column].set(title=name, ylabel="inputs: PSI")
    axes[1, column].set(xlabel="month in which you look", ylabel="outcomes: z")
fig.tight_layout()

# %% [markdown]
# Read the four panels. On the left the inputs alarm in the very month; three months later the outcomes say that it
# hurts, too. On the right the inputs stay flat for good, and the outcomes speak three months after the onset, the label
# delay, not a day sooner. **No cleverness shortens that wait**; only faster labels do (a missed first instalment is
# known after one month, a default after many).
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
# the fault. If the feed is sound, only outcomes can say whether the drift costs money; until they are in, be careful
# rather than clever. An alarm on outcomes asks the same question of the months in which those loans were decided: in
# lesson 01/02 the outcomes of month 10 told of a feed that had broken in month 7. Only with a sound feed is it a reason
# to retrain.
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
# - Evidently 0.7 documentation: *Data drift*
# - The reference: `oakbank.deploy.drift`, `monitor` and `trigger`
# - The lab `03-drift-detective`: find the onset in worlds that you have not seen
# - In the glossary: [data drift](../../../GLOSSARY.md#data-drift), [concept drift](../../../GLOSSARY.md#concept-drift), [broken feed](../../../GLOSSARY.md#broken-feed), [drift test](../../../GLOSSARY.md#drift-test), [PSI](../../../GLOSSARY.md#psi)
