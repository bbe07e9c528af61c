# %% [markdown]
# # 01 ML in production
#
# ## You will
#
# - say what MLOps is, in a sentence that names a loss it prevents
# - train a default model by hand and check it against scikit-learn
# - turn a probability into a decision that earns money
# - watch a model that nobody touches lose its profit, and say why its file did not change
# - tell what retraining mends, and what it does not
#
# ## You need
#
# Python at the level of functions and data frames, and a rough idea of what a classifier is. Nothing else: no
# account, no container, no other lesson.
#
# ## Time
#
# 21 minutes to read, 10 seconds to run.
#
# ## The story so far
#
# Oakbank is a small online lender. Each month some 2,000 people ask it for a loan, loan officers say yes or no, and
# the bank has just asked you for a model that decides instead.

# %% [markdown]
# ## A month at the bank
#
# Oakbank is a simulator, which buys us one thing that no real bank has: we can look behind the curtain and see each
# applicant's true default probability. The bank itself never can. The same seed always gives the same people.

# %%
from oakbank.world import World

world = World(seed=7, scenario="recession")
january = world.applications(0)
january[["age", "income", "debts", "employment", "bureau_score", "purpose", "amount", "term"]].head()

# %% [markdown]
# Income and debts are EUR per month, the amount is EUR, the term is months. Before the first model there is a year
# of history, months -12 to -1, in which the officers decided. A loan's outcome is known three months after the
# application, and only if it was granted. So this is all that you may learn from:

# %%
import pandas as pd

months = []
for month in range(-12, -3):
    decided = world.officer_decisions(month)
    granted = decided.loc[decided["granted"], "application_id"]
    outcome = world.outcomes(month + 3, granted)[["application_id", "defaulted"]]
    months.append(world.applications(month).merge(outcome, on="application_id"))
history = pd.concat(months, ignore_index=True)
print(f"{len(history):,} loans with a known outcome, {history['defaulted'].mean():.1%} of them defaulted")

# %% [markdown]
# ## A model in ten lines
#
# A logistic regression says that the log-odds of default are a weighted sum of the columns. Newton's method finds
# the weights: start at zero, and step against the gradient, scaled by the curvature, until nothing moves.

# %%
import numpy as np


def logistic_regression(X, y, steps=8):
    weights = np.zeros(X.shape[1])
    for _ in range(steps):
        p = 1 / (1 + np.exp(-X @ weights))
        gradient = X.T @ (p - y)
        curvature = (X * (p * (1 - p))[:, None]).T @ X
        weights -= np.linalg.solve(curvature, gradient)
    return weights


# %%
columns = ["income", "debts", "bureau_score", "delinquencies", "amount", "term"]
numbers = history[columns].to_numpy(float)
scaled = (numbers - numbers.mean(axis=0)) / numbers.std(axis=0)
X = np.column_stack([np.ones(len(scaled)), scaled])
weights = logistic_regression(X, history["defaulted"].to_numpy(float))
pd.Series(weights[1:], index=columns).round(2)

# %% [markdown]
# Read the signs: more debts, late payments and a larger loan raise the risk; a better bureau score lowers it. That is
# what a colleague from the credit desk would have told you. Now the tool, which must agree with us:

# %%
from sklearn.linear_model import LogisticRegression

tool = LogisticRegression(C=np.inf, tol=1e-8).fit(scaled, history["defaulted"])
print("largest difference of a weight:", f"{np.abs(tool.coef_[0] - weights[1:]).max():.0e}")

# %% [markdown]
# ## From a probability to money
#
# A bank does not earn accuracy. A repaid loan earns a little interest, a defaulted one loses most of its amount; so
# for each loan there is a probability at which the two weigh the same. Below it the bank should say yes.

# %%
from oakbank.world import break_even

for term in (12, 36, 60):
    print(f"10,000 EUR over {term} months: worth granting below {break_even(10_000, term):.1%} risk")

# %% [markdown]
# A longer loan pays interest for longer, and so bears more risk. From here on we use the whole application, with its
# categories, through `first_model()`: the same logistic regression with scaling and one-hot columns before it.

# %%
from oakbank.intro.first_model import first_model

model = first_model().fit(history, history["defaulted"])
risk = model.predict_proba(january)[:, 1]
yes = risk < break_even(january["amount"], january["term"])
profit = world.truth(0)["profit_if_granted"]
officers = world.officer_decisions(0)["granted"]
print(f"officers {profit[officers].sum():>9,.0f} EUR\nmodel    {profit[yes].sum():>9,.0f} EUR")

# %% [markdown]
# On the same month and the same people the model earns many times what the officers do. This is the moment at
# which most tutorials stop, and most projects celebrate.
#
# ## Leave it alone
#
# `live` lets the model run the bank for two years: it decides each month, and nobody touches it. **Before you run the
# cell, write down a guess:** how much does the model earn in its last six months, compared with its first six? The
# file on disk is the same file throughout.

# %%
from oakbank.intro.life import live

alone = live(world)
first, last = alone["profit"].head(6).mean(), alone["profit"].tail(6).mean()
print(f"first six months {first:>9,.0f} EUR a month\nlast six months  {last:>9,.0f} EUR a month")

# %%
import matplotlib.pyplot as plt

fig, ax = plt.subplots(figsize=(8, 3.2))
ax.plot(alone.index, alone["best"] / 1e3, color="0.6", label="knew the true risk")
ax.plot(alone.index, alone["profit"] / 1e3, color="C3", label="model left alone")
ax.axhline(0, color="0.8", lw=1)
ax.set(xlabel="month", ylabel="profit, thousand EUR", title="The file did not change. The world did.")
ax.legend()
# %% [markdown]
# In month 9 a recession began. The same application, to the last digit, now defaults more often than it did, and the
# model's answer to it is still the old one. Nothing crashed. No test failed, no log shows an error, and each answer
# came back in time. That is what sets a system with ML in it apart: **it can be broken while all of it works.**
#
# The bank would have seen it, had it looked at one number it owns:

# %%
fig, ax = plt.subplots(figsize=(8, 2.6))
ax.plot(alone.index, alone["default_rate"], color="C3")
ax.set(xlabel="month of the loan", ylabel="share that defaulted", title="Loans granted by the model left alone")
ax.set_ylim(0)
# %% [markdown]
# ## Look after it
#
# Now the least that one can do: every three months, train again on the outcomes that have arrived since.

# %%
cared = live(world, retrain_every=3)
total = pd.Series(
    {"left alone": alone["profit"].sum(), "retrained": cared["profit"].sum(), "best": alone["best"].sum()}
)
(total / 1e6).round(2).rename("million EUR in 24 months")

# %%
fig, ax = plt.subplots(figsize=(8, 3.2))
ax.plot(alone.index, alone["profit"] / 1e3, color="C3", label="left alone")
ax.plot(cared.index, cared["profit"] / 1e3, color="C0", label="retrained every 3 months")
for month in cared.index[cared["trained"]]:
    ax.axvline(month, color="C0", lw=0.5, ls=":")
ax.axhline(0, color="0.8", lw=1)
ax.set(xlabel="month", ylabel="profit, thousand EUR", title="Retrainings are the dotted lines")
ax.legend()
assert cared.loc[12:14, "profit"].sum() < alone.loc[12:14, "profit"].sum()

# %% [markdown]
# Retraining pays, and the plot is more honest than that sentence. Look at months 12 to 14, just after the recession
# began: the retrained model does *worse* than the one left alone. Outcomes come three months late, so the training
# of month 12 saw none of the new world, and could not do better. That it does worse is due to what it learned from: the
# loans of months 0 to 8 that its own predecessors granted, instead of those that officers granted before. A calendar
# is a poor trigger. Knowing when to retrain, on which months, and whether the new model is better than the old one
# before it decides over people: that is work, it never ends, and it has a name.
#
# ## What MLOps is
#
# **MLOps is what keeps a model earning after the day it was deployed**: the practice of building, releasing, watching
# and renewing systems whose behaviour comes from data. Software operations keep code running. Code does not go stale
# by itself; a model does, because half of it is data that the world wrote.
#
# ```mermaid
# flowchart LR
#     D[data arrives] --> P[pipeline trains]
#     P --> G{better than the champion?}
#     G -- yes --> S[service decides]
#     G -- no --> D
#     S --> M[monitor watches]
#     M -- drift, losses --> D
#     S --> A[audit log, reasons, fairness]
# ```
#
# In words: data feeds a pipeline, the pipeline makes a model, a gate lets only a better one through to the service,
# a monitor watches what the service does, and what it sees starts the circle again; everything is written down for
# those who must answer for it. The course builds these boxes; the table in its README says which lessons are ready.
#
# It took the field some time to get here. At first a model was a report: an analyst fitted it, and people read the
# table. Then it became a nightly script that wrote scores into a database, kept alive by whoever had written it. Then
# it moved behind an API and decided in real time, and with the second model came the second copy of everything.
# In 2015 a group at Google wrote down why that hurts: the model code is the small box in the middle of the picture,
# and the debt is in the boxes around it. What is called a platform today is those boxes, built once.
#
# ## What this does not prove
#
# Our recession is sharp and our label delay is short; a real bank waits a year or more to see a loan default, and
# would bleed longer before it could learn. The retrained bank trains on loans that its own model granted, and we have
# not asked what that does to it (chapter 04 will). And one seed is an anecdote: the flight report of `course run`
# repeats the comparison on several seeds and scenarios.
#
# ## Check yourself
#
# <details><summary>The model's file is unchanged and its code has no bug. What changed, then?</summary>
#
# The relation between an application and its outcome: the same person defaults more often. The model is a summary
# of the old relation.
# </details>
#
# <details><summary>Why does the retraining in month 12 help so little, though the recession began in month 9?</summary>
#
# When month 12 begins, the youngest loans with a known outcome were applied for in month 8. All that it learns from
# lies before the recession.
# </details>
#
# <details><summary>A colleague proposes to watch the model's accuracy on its test set every night. What would it show?</summary>
#
# The same number every night. The test set is old data too; only new outcomes can tell.
# </details>
#
# ## Take-away
#
# **A model is not done when it is deployed. The file stays, the world moves, and nothing crashes when it does.**
#
# ## Go further
#
# - D. Sculley et al., *Hidden Technical Debt in Machine Learning Systems*, NeurIPS 2015
# - D. Kreuzberger, N. Kühl, S. Hirschl, *Machine Learning Operations (MLOps): Overview, Definition, and Architecture*, IEEE Access 2023
# - The schema and the economics of Oakbank: `chapters/01-intro/reference/oakbank/world/README.md`
# - The lab `01-reproducible-training` takes up the loans of this lesson; lesson 03/10 builds the monitor that it lacks
# - In the glossary: [MLOps](../../../GLOSSARY.md#mlops), [technical debt](../../../GLOSSARY.md#technical-debt)
