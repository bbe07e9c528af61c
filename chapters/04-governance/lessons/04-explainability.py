# %% [markdown]
# # 04 Explainability
#
# ## You will
#
# - ask a model two questions and keep them apart: what do you go by, and why this answer
# - compute exact Shapley values by hand and check `shap` against them
# - turn 34 contributions into four reasons that a declined applicant can read
# - test a reason as you would test any claim: does it add up, would it turn the decision, does it survive a new column
# - say what an explanation cannot know, with a bias that none of its numbers shows
#
# ## You need
#
# Lesson 01/01, and what a log-odds is: `log(p / (1 - p))`, the scale on which a credit model adds things up.
#
# ## Time
#
# 36 minutes to read, 20 seconds to run.
#
# ## The story so far
#
# Oakbank's model declines some 900 people a month. Each of them may ask why. In the EU they may ask how the decision
# came about, in words that they understand (GDPR, articles 15 and 22); in the USA the law says what an answer is: the
# principal reasons, and specific ones. "You did not reach our score" is not enough.

# %% [markdown]
# ## A model to question
#
# The pipeline trains the model on the year that officers decided, and the model decides over month 0.

# %%
import tempfile
from pathlib import Path

from oakbank.pipelines import FEATURE_NAMES, TrainingConfig, grant, run_training
from oakbank.world import Lake, World, publish_history

world = World(seed=4, scenario="calm")
lake = Lake(Path(tempfile.mkdtemp()) / "lake")
publish_history(world, lake)
model = run_training(TrainingConfig(), lake, lake.folder.parent / "run").model()

# %%
month = world.applications(0)
risk = model.predict(month)
yes = grant(risk, month["amount"], month["term"])
declined = month[~yes]
print(f"{len(month):,} applications, {len(declined)} declined; the model sees {len(FEATURE_NAMES)} numbers of each")

# %% [markdown]
# To see what an explanation is made of, we need a model small enough to take apart: four columns, forty small trees.

# %%
import lightgbm as lgb
import numpy as np
import pandas as pd

outcomes = lake.read("outcomes", range(-9, 0))[["application_id", "defaulted"]]
history = lake.read("applications", range(-12, -3)).merge(outcomes, on="application_id")
columns = ["income", "bureau_score", "delinquencies", "amount"]
settings = {"objective": "binary", "num_leaves": 8, "min_data_in_leaf": 60, "num_threads": 1, "verbosity": -1}


def fit(table):
    return lgb.train(settings, lgb.Dataset(table.to_numpy(float), history["defaulted"].to_numpy(int)), 40)


small = fit(history[columns])

# %% [markdown]
# ## What does it go by? A global answer
#
# Give each applicant the bureau score of somebody else, leave the rest, and see how far the answers move. If they do not
# move, the model does not look at that column. This is permutation importance (here of the answers, not of the error).


# %%
def log_odds(table):
    return small.predict(np.asarray(table, dtype=float), raw_score=True)


people = month[columns].to_numpy(float)
rng = np.random.default_rng(0)
for position, name in enumerate(columns):
    shuffled = people.copy()
    shuffled[:, position] = rng.permutation(shuffled[:, position])
    print(f"{name:14}{np.abs(log_odds(shuffled) - log_odds(people)).mean():.2f}")

# %% [markdown]
# A **global explanation**: useful to you, who look after the model, and none at all to the applicant in row 6. She did not
# ask what matters on average. She asked why *she* was declined.

# %%
hero = 6
print(month.loc[hero, ["income", "debts", "bureau_score", "delinquencies", "amount", "term"]].to_dict())
print(f"default probability {risk[hero]:.1%}, granted: {yes[hero]}")

# %% [markdown]
# ## Why this answer? A local one, from scratch
#
# A **local explanation** shares out one answer among its inputs. The question needs a second half: her answer *instead of
# what?* Take a background, here a hundred granted loans. Start with their values in all four columns, then put in
# hers, one column after the other, and note how far each step moves the mean answer. The steps add up to the whole
# way, by construction. One thing is arbitrary: the order. So take every order and average. That is all Shapley did in
# 1953, for players who share a win.

# %%
from itertools import permutations


def shapley(answer, row, background):
    share = np.zeros(len(row))
    orders = list(permutations(range(len(row))))
    for order in orders:
        mixed = background.copy()
        before = answer(mixed).mean()
        for position in order:
            mixed[:, position] = row[position]
            after = answer(mixed).mean()
            share[position] += (after - before) / len(orders)
            before = after
    return share


background = people[yes][:100]
by_hand = shapley(log_odds, people[hero], background)
pd.Series(by_hand, index=columns).round(2)

# %% [markdown]
# In log-odds: above 0 pushes towards default. For the small model it is the amount. Her clean record speaks for her, and
# her bureau score says nothing either way: it is an ordinary one among granted loans.
#
# Four columns have 24 orders. Thirty-four have 3 times 10 to the 38th. Even over sets instead of orders, it is 2 to
# the 34th sets, each asked over the whole background. For trees there is a short cut (Lundberg and Lee called the
# values SHAP; the exact algorithm for trees came a year later), and `shap` has it. It must agree with us.

# %%
import shap

tool = shap.TreeExplainer(small, background)
by_tool = tool(people[[hero]]).values[0]
print("largest difference:", f"{np.abs(by_tool - by_hand).max():.0e}")

# %% [markdown]
# ## The real model
#
# Oakbank's reference gives `shap` no background. Then the trees' own counts of training loans stand in for it: another
# "instead of what", a little other numbers. It also does what you should do with every explanation that leaves the
# house: it checks that it adds up, and refuses if it does not.

# %%
from course.lesson import show_source
from oakbank.governance import reasons

show_source(reasons.contributions, docstring=False)

# %%
values, start = reasons.contributions(model, month)
print(f"start {start[hero]:.3f} + contributions {values[hero].sum():.3f} = {start[hero] + values[hero].sum():.3f}")
print(f"the model's log-odds for her: {np.log(risk[hero] / (1 - risk[hero])):.3f}")
print(f"largest gap over the month: {reasons.additivity(model, month):.0e}")

# %% [markdown]
# The mean size of the local values is a global explanation too, and in production the more useful one: plot it each month.

# %%
pd.Series(np.abs(values).mean(axis=0), index=FEATURE_NAMES).nlargest(6).round(2)

# %% [markdown]
# ## From contributions to reasons
#
# `loan_to_income` and `employment_salaried = 0` are features, not reasons. The instalment, the amount and its ratio to
# income belong to what a person calls the amount; five one-hot columns are one employment. Since contributions add up,
# so do groups of them. Then keep what pushes towards default, strongest first, up to four, and write it with her own
# value and a typical one.

# %%
codes = reasons.reason_codes(model, month)
for code in codes[hero]:
    print(f"{code.contribution:.2f}  {code.feature}: {code.text}")

# %% [markdown]
# One of them is no feature at all. A 24-month loan earns less than a longer one, so the bank declines it at a risk at
# which it grants others: the rule declines, and the model only advises it. **Guess first:** of all the declined, take the
# one with the lowest default probability. What was the reason?

# %%
safest = declined.index[np.argmin(risk[declined.index])]
print(f"default probability {risk[safest]:.1%}")
print(codes[safest][0].text)

# %% [markdown]
# Somebody who would very likely repay, declined since a loan so small does not earn its own cost. Explain the model
# alone, and you tell this person about debts. **Explain the decision, and the model is only one part of it.**
#
# ## An explanation is a claim: test it
#
# You have a list of reasons that add up to the tenth digit. Four tests show what they do and do not say.
#
# ### Would it turn the decision?
#
# Readers take "your bureau score was too low" for "with a better score you would have got it". **Guess first:** of the
# declined whose first reason is the bureau score, how many are granted once we give them the typical score of the
# granted? And of *all* the declined, how many with a typical income, which is the first reason of nobody?


# %%
def decide(people):
    return grant(model.predict(people), people["amount"], people["term"])


typical = month[yes].median(numeric_only=True)
first = pd.Series([found[0].feature if found else "" for found in codes])
named = month[first == "bureau_score"]
print(f"score named first, and typical now:   {decide(named.assign(bureau_score=typical['bureau_score'])).mean():.0%}")
print(f"income named first: {(first == 'income').sum()} people")
print(f"income typical now, of all declined:  {decide(declined.assign(income=typical['income'])).mean():.0%}")

# %% [markdown]
# The strongest push is not the switch. A decision far below the line needs several pushes less; one close to it turns by a
# feather. What would have to be different is a question of its own, a **counterfactual**, and it is answered by asking
# the model again, not by reading off contributions. Here for row 6, one column at a time:

# %%
her = month.loc[[hero]]
for name in ["debts", "income", "bureau_score", "amount", "term"]:
    other = her.assign(**{name: typical[name]})
    print(f"{name:13} {her[name].iloc[0]:>7,.0f} -> {typical[name]:>6,.0f}   granted: {decide(other)[0]}")

# %% [markdown]
# Not even the amount helps by itself: a smaller loan has a smaller burden and earns less. The same money over 36 months
# does. That sentence is worth more to her than the four reasons, and no list of contributions holds it.
#
# ### Does it survive a second column?
#
# Oakbank buys the score of a second bureau, which says nearly the same as the first. We train the small model again with
# both. **Guess first:** how do the answers change, and how often does the bureau score remain the first reason?

# %%
second = [frame["bureau_score"] + rng.normal(0, 5, len(frame)) for frame in (history, month)]
both = fit(history[columns].assign(second_score=second[0]))
wider = month[columns].assign(second_score=second[1]).to_numpy(float)

one = tool(people[~yes]).values
two = shap.TreeExplainer(both, wider[yes][:100])(wider[~yes]).values
moved = np.abs(both.predict(wider) - small.predict(people))
print(f"median change of an answer: {np.median(moved):.3f}")
print(
    f"score is the first reason: {(one.argmax(axis=1) == 1).mean():.0%} before, {(two.argmax(axis=1) == 1).mean():.0%} now"
)

# %%
sizes = [pd.Series(np.abs(v).mean(axis=0), index=[*columns, "second_score"][: v.shape[1]]) for v in (one, two)]
pd.concat(sizes, axis=1, keys=["one bureau", "two bureaus"]).round(2)

# %% [markdown]
# The answers hardly moved. The credit was split, and the letters changed: a reason fell down the list because it has a
# twin. So group what measures the same thing *before* you rank, and treat a new column as a change of all letters.
#
# ### Instead of what?
#
# The same model, the same applicant, three backgrounds:

# %%
backgrounds = {"granted": people[yes][:100], "everybody": people[:100], "declined": people[~yes][:100]}
explained = {name: shap.TreeExplainer(small, rows)(people[~yes]).values for name, rows in backgrounds.items()}
pd.DataFrame({name: v[declined.index.get_loc(hero)] for name, v in explained.items()}, index=columns).round(2)

# %%
for name, v in explained.items():
    other = (v.argmax(axis=1) != explained["granted"].argmax(axis=1)).mean()
    print(f"against {name}: first reason differs for {other:.0%} of the declined")

# %% [markdown]
# All three are right; they answer three questions. Among the granted her score is ordinary, among the declined it is a
# merit. For a decline, "instead of a granted loan" is the one a reader means. Write the background into the record.
#
# LIME asks yet another question. It fits a straight line to the model's answers near one applicant, so what it gives
# is a slope: what would a little more do? The core of it, with a neighbourhood drawn at random:


# %%
def slopes(answer, row, spread, width, n=4000):
    steps = np.random.default_rng(0).normal(0, width, size=(n, len(row)))
    line = np.column_stack([np.ones(n), steps])
    return np.linalg.lstsq(line, answer(row + steps * spread), rcond=None)[0][1:]


near = {f"slope, width {w}": slopes(log_odds, people[hero], people.std(axis=0), w) for w in (0.1, 0.3, 1)}
pd.DataFrame(near | {"SHAP": by_hand}, index=columns).round(2)

# %% [markdown]
# SHAP gives her score 0 and the line gives it a clear slope: it is an ordinary score, *and* a better one would lower the
# risk. Both are true. Look at the late payments, too: their slope is ten times larger in the narrow neighbourhood than
# in the wide one. She has none, the model takes a step there, and a step has no slope; the line was drawn through
# people with a tenth of a late payment. Whoever reads LIME has to know the width.
#
# ### Is it fair? It does not know
#
# In Oakbank's world the bureau reads 20 points too low for people of group B; we know, because we built it. The group
# itself is not among the features. What will the explanations show? Below, three months of applicants by their **true**
# default probability, which only a simulator has, against what the bureau score contributed.

# %%
audience = pd.concat([world.applications(m) for m in range(3)], ignore_index=True)
truth = pd.concat([world.truth(m) for m in range(3)], ignore_index=True)
table = pd.DataFrame({"truth": truth["default_probability"], "group": audience["group"]})
table["push"] = reasons.contributions(model, audience)[0][:, FEATURE_NAMES.index("bureau_score")]
table["level"] = pd.qcut(table["truth"], 10, labels=False)
mean = table.groupby(["group", "level"], observed=True)[["truth", "push"]].mean()

# %%
import matplotlib.pyplot as plt

fig, ax = plt.subplots(figsize=(8, 3.6))
for group, marker in (("A", "o-"), ("B", "s--")):
    ax.plot(mean.loc[group, "truth"], mean.loc[group, "push"], marker, label=f"group {group}")
ax.axhline(0, color="0.8", lw=1)
ax.set(xlabel="true default probability", ylabel="push of the bureau score, log-odds")
ax.set_title("Same risk, another push: no letter shows it")
ax.legend()
# %% [markdown]
# At the same true risk, the score pushes B harder towards a decline, at every level. How many people does that cost
# a loan? Mend the ruler for group B, leave the model as it is, and see whose decision turns.

# %%
mended = audience.assign(bureau_score=audience["bureau_score"] + 20 * (audience["group"] == "B"))
wronged = audience[decide(mended) & ~decide(audience)]
told = reasons.reason_codes(model, wronged, portfolio=month[yes])
score_named = np.mean([any(code.feature == "bureau_score" for code in found) for found in told])
print(f"{len(wronged)} people of B were declined for the ruler alone; {score_named:.0%} are told about their score")
print(next(found[0].text for found in told if found[0].feature == "bureau_score"))

# %% [markdown]
# Each of these letters is true: the model did go by the score. It adds up, and it turns the decision. It is the same
# letter that somebody gets whose score was measured well. **SHAP names the column; it cannot name what is wrong with
# it**, since it has only the model to ask, and the model knows nothing else. To find the bias you need the group,
# outcomes and a comparison: lesson 04/03.
#
# ```mermaid
# flowchart LR
#     W[the world] -- measured, perhaps badly --> X[columns]
#     X --> M[model]
#     M --> D[decision rule]
#     D --> L[letter]
#     M -. explained by SHAP .-> L
#     W -. not seen .-> L
# ```
#
# In words: the world is measured into columns, the model turns columns into a risk, a rule turns the risk into a
# decision. SHAP speaks about the middle step. The first one it does not see, and the last you must add yourself.
#
# ## What this does not prove
#
# That our reasons are *the* reasons: another background, another grouping or a twin column gives another list that adds
# up as well. That a reason is lawful: the letter shows what the model used, and whether it may use it (age, region) has
# to be settled before training. That changing a value changes the person: we asked the model about a typical score, and
# nobody becomes safer because a bureau's number is corrected upwards. And `shap` mixes values that no person has: a
# retired applicant of 25 is put to the model like anyone else, and it answers.
#
# There is another way out, which Rudin urges for decisions of this weight: a model so small that it is its own
# explanation. It would not have spared us the last plot, for the ruler would be as wrong.
#
# ## Check yourself
#
# <details><summary>Contributions add up to the model's log-odds to ten digits. What have you proved?</summary>
#
# That they are a bookkeeping of this model's answer. Every other background gives other contributions that add up too.
# </details>
#
# <details><summary>A letter's first reason is the bureau score. May you write "with a better score we would have granted
# the loan"?</summary>
#
# Only after asking the model with the better score, and the rule with its answer. Here it was untrue for about a third of
# those people.
# </details>
#
# <details><summary>A feature's mean contribution has halved since the last release, AUC is the same. What do you look at
# first?</summary>
#
# Whether a column was added that measures the same thing. The credit is split, not gone.
# </details>
#
# <details><summary>The protected group is no feature and never appears in a letter. Is the model blind to it?</summary>
#
# No. A column that was measured worse for that group carries it in. Explanations name the column and stop there.
# </details>
#
# ## Take-away
#
# **An explanation explains the model, not the world. It is a claim that can be checked: it adds up, or not; it would turn
# the decision, or not. Whether the decision was right, it cannot say.**
#
# ## Go further
#
# - L. Shapley, *A Value for n-Person Games*, Contributions to the Theory of Games II, 1953
# - S. Lundberg, S.-I. Lee, *A Unified Approach to Interpreting Model Predictions*, NeurIPS 2017
# - M. Ribeiro, S. Singh, C. Guestrin, *"Why Should I Trust You?"*, KDD 2016 (LIME)
# - C. Rudin, *Stop Explaining Black Box Machine Learning Models for High Stakes Decisions*, Nature Machine Intelligence 1, 2019
# - As of November 2026, EU: GDPR, articles 15(1)(h) and 22; Court of Justice, C-634/21 *SCHUFA* (7 December 2023) and
#   C-203/22 *Dun & Bradstreet Austria* (27 February 2025); Directive (EU) 2023/2225, article 18, which applies since 20 November 2026
# - As of November 2026, USA: Regulation B, 12 CFR 1002.9 (the duty to give reasons), with its official interpretation
# - The reference: `oakbank.governance.reasons`
# - The lab `04-explain-a-decline`: a decline letter whose reasons you have checked
# - In the glossary: [SHAP values](../../../GLOSSARY.md#shap-values), [LIME](../../../GLOSSARY.md#lime), [counterfactual explanation](../../../GLOSSARY.md#counterfactual-explanation), [reason code](../../../GLOSSARY.md#reason-code)
