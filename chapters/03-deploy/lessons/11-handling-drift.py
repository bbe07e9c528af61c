# %% [markdown]
# # 11 Handling drift
#
# ## You will
#
# - answer an alarm with a question about the feed, on inputs and on outcomes
# - show that the youngest labels are the kindest, and cut them by a fixed outcome window
# - start the training pipeline from a trigger, and let its model pass the gates
# - compare policies of retraining by their regret in EUR, and say where each fails
#
# ## You need
#
# Lessons 03/06 and 03/10.
#
# ## Time
#
# 26 minutes to read, 40 seconds to run.
#
# ## The story so far
#
# The monitors of lesson 10 tell a moved input from a moved outcome. Now an alarm has come, and somebody asks: shall we
# train again?

# %%
import pandas as pd

from course.lesson import own_folder, show_source
from oakbank.deploy import regret
from oakbank.deploy.monitor import drift_report, performance_report
from oakbank.deploy.trigger import fixed_window, retrain, should_retrain
from oakbank.pipelines import CreditModel, Problem, feature_matrix, grant
from oakbank.world import Lake, World, publish_history, publish_month, publish_outcomes

own_folder()  # the files of this lesson lie there

# %% [markdown]
# ## Four alarms, two reasons
#
# An alarm has a branch (inputs or outcomes) and a cause. A month whose feed is broken moves its inputs at once; three months
# later its loans default more, as they were granted on wrong numbers. Training on either would teach the model the fault.
# So a trigger asks the same question twice: **was the feed whole in the month that this alarm is about?** (`echo`: the
# outcomes of loans granted on a broken feed.)


# %%
def wants(moved, defaults, broken_now, broken_then):
    return (moved and not broken_now) or (defaults and not broken_then)


channel, broken = wants(True, False, False, False), wants(True, False, True, False)
recession, echo = wants(False, True, False, False), wants(False, True, False, True)
print(f"{channel = }, {broken = }, {recession = }, {echo = }")

# %% [markdown]
# Oakbank's `should_retrain` asks the same, with reasons in words. Real monitors, with made-up outcomes and faults, must
# give the same four answers:

# %%
past = pd.concat([World(5).applications(month) for month in range(-12, 0)])


def moved(scenario, month):
    return drift_report(past, World(5, scenario).applications(month))


n = range(2000)
loans = pd.DataFrame({"application_id": n, "granted": True, "default_probability": 0.1})
bad = pd.DataFrame({"application_id": n, "defaulted": [True, *[False] * 4] * 400})
late = performance_report(loans, bad)  # 20 % default, 10 % were predicted
fault = [Problem("income", "unit", "12 times")]
asked = [
    should_retrain(moved("data-drift-sudden", 8), None, 6),
    should_retrain(moved("broken-feed-unit", 8), None, 6, problems=fault),
    should_retrain(moved("recession", 12), late, 6),
    should_retrain(moved("calm", 12), late, 6, problems_then=fault),
]
assert [trigger.fire for trigger in asked] == [channel, broken, recession, echo]
asked[0].reasons + asked[2].reasons

# %% [markdown]
# ## The youngest labels are the kindest
#
# A retraining needs labels. Until now each loan of ours had its outcome after three months. Real borrowers pay for a
# while before they stop, so we spread the defaults evenly over the first twelve months of a loan. **What share of the
# loans has defaulted so far, by their age?**

# %%
world, months = World(5), []
for month in range(-12, 0):
    yes = world.officer_decisions(month)["granted"].to_numpy()
    bad = world.truth(month)["would_default"].to_numpy()
    months.append(world.applications(month).assign(bad=bad)[yes])
book = pd.concat(months, ignore_index=True)
ends = book["month"] + 1 + book.index % 12
book["default_month"] = ends.where(book["bad"])
so_far = book["default_month"] <= 0
by_age = so_far.groupby(-book["month"]).mean()
assert by_age[1] < 0.03 < 0.12 < by_age[12]
_ = by_age.plot.bar(xlabel="age in months", ylabel="defaulted so far", figsize=(6, 2.5))

# %% [markdown]
# Nothing happened in this world: all twelve months are equally good. Yet by this picture the bank picks better
# customers every month. A model trained on it learns that young loans are safe; a monitor of it sees a recession late.
#
# A **fixed outcome window** judges each loan by its first months only, and leaves out loans younger than that:

# %%
show_source(fixed_window, docstring=False)
fixed = fixed_window(book, as_of=0, window=6)
fixed.groupby(-fixed["month"])["defaulted"].mean().round(3)

# %% [markdown]
# The months are alike, but six months see only half of the defaults that come. What is each label worth to the bank?
# **Guess the order**, then see what models earn in the next three months. They learned from: what is known so far; six
# months; six months, with the probability doubled for the half to come; and all twelve, which nobody has yet.

# %%
future = pd.concat([world.applications(month) for month in range(3)])
gain = pd.concat([world.truth(month)["expected_profit"] for month in range(3)])


def earns(rows, defaulted, times=1):
    risk = times * CreditModel.fit(feature_matrix(rows), defaulted).predict(future)
    return gain.to_numpy()[grant(risk, future["amount"], future["term"])].sum()


earned = {
    "six months": earns(fixed, fixed["defaulted"]),
    "so far": earns(book, so_far),
    "six months, doubled": earns(fixed, fixed["defaulted"], 2),
    "twelve months": earns(book, book["bad"]),
}
assert sorted(earned, key=earned.get) == list(earned)
pd.Series(earned).round(-3)

# %% [markdown]
# A window makes months comparable; it does not make them complete. Used as if it were the whole truth, it is the worst
# of all, worse than `so far`. With its missing half put back it is nearly as good as knowing everything. So state
# the window with each default rate, and use one for model, monitor and gate. In Oakbank's pipeline it is the label
# delay: a training as of a month reads no loan that is younger.
#
# ## A retraining is a release
#
# A retraining starts the pipeline of chapter 2, and its model must pass the gates of lesson 06. Take month 15 of the
# recession world, after an alarm. **Will the gates let the new model in?**

# %%
from oakbank.deploy.batch import score_month
from oakbank.deploy.gate import DEFAULT_GATES, promote
from oakbank.pipelines import FeedReference, Registry, TrainingConfig

slump, lake, registry = World(5, "recession"), Lake("lake"), Registry("registry")
publish_history(slump, lake)
first = retrain(TrainingConfig(as_of=0), lake, "training", registry)
assert promote(registry, first, DEFAULT_GATES, approver="Ada").promoted

# %%
whole = FeedReference.from_lake(lake)
for month in range(15):
    publish_month(slump, lake, month)
    score_month(first.model(), str(first.version), lake, month, whole)
    publish_outcomes(slump, lake, month)

# %%
second = retrain(TrainingConfig(as_of=15), lake, "training", registry)
promotion = promote(registry, second, DEFAULT_GATES, approver="Ada")
assert not promotion.promoted
for result in promotion.results:
    print(result.name, "passed" if result.passed else "REFUSED", result.detail)

# %% [markdown]
# `calibrated` refuses the new model: the two months of the hold-out lie in the recession, and the candidate saw little
# of it. The champion stays, which learned nothing of it at all. A gate set in calm times must compare with the
# champion, or allow an exception that a named person signs. Switching the gates off is no remedy.
#
# ## The regret table
#
# When should one train? Four policies, four worlds. **Regret** is how much less a bank earned than one that knows each
# applicant's true risk. `never` and `calendar` (every three months) ignore alarms; `every alarm` trains on any alarm of
# inputs or outcomes, without gates; `checked alarm` asks `should_retrain` about months with labels, leaves broken
# months out, has two gates (rows, AUC), and trains after six months in any case. All four decide on a repaired feed, so
# that nothing but the training differs. **Guess which row is worst in which column.**
#
# Simulating six seeds takes minutes; a script has kept the results. (`checked alarm` was tuned on seed 5, which is not
# among them: a policy that is judged where it was tuned has seen its hold-out.) Here we repeat one of them:

# %%
lives = pd.DataFrame(regret.kept()["lives"])
again = regret.live(regret.small_world(11, "calm"), regret.POLICIES[0], regret.MONTHS)
assert abs(sum(again.profit) / lives["profit"][0] - 1) < 0.02  # never, calm, seed 11
regret.kept()["date"], regret.kept()["versions"]


# %%
def oracle(seed, name):
    world, total = regret.small_world(seed, name), 0
    for month in range(regret.MONTHS):
        good = world.truth(month)["expected_profit"].to_numpy() > 0
        ids = world.applications(month)["application_id"][good]
        total += world.outcomes(month + 3, ids)["profit"].sum()
    return total


best = {(s, w): oracle(s, w) for s in set(lives["seed"]) for w in regret.WORLDS}
lives["best"] = [best[key] for key in zip(lives["seed"], lives["world"], strict=True)]
lives["regret"] = (lives["best"] - lives["profit"]) / 1000
lives.pivot_table("regret", "policy", "world")[list(regret.WORLDS)].round()

# %% [markdown]
# (Thousands of EUR in 24 months, the mean of six seeds.) Which differences are more than chance? A simple question that
# needs no theory: in how many of the six seeds is a policy better than `every alarm`?

# %%
seeds = lives.pivot_table("regret", ["world", "seed"], "policy")
better = seeds.lt(seeds["every alarm"], axis=0).groupby("world").sum()
assert (better["never"].tolist(), better["checked alarm"].iloc[0]) == ([3, 1, 0, 0], 6)
better

# %% [markdown]
# - Where applicants or their risk change, `never` is better in none of six, and by far worse. How the others decide matters
#   little: nobody can learn before the labels come, and then each of them trains soon.
# - Where the feed breaks, training on every alarm gains nothing over never training: `never` is better in three of
#   six. `every alarm` learns from months in which a column meant something else. `checked alarm` leaves these months out
#   and is better in all six. (It also has gates and waits longer, so not all of that is the check.)
# - Where nothing happens, there are hardly any alarms, and no policy is clearly ahead.
#
# So asking about the feed is worth most where a retraining would do harm. And a recession costs much whatever you do:
# the labels are three months late, and no policy is quicker.
#
# ## Your turn
#
# Write a policy for the recession: `mine(signals)` returns whether to train at the end of the month. `signals.performance`
# is the report on the loans whose outcomes arrived (None: none yet), with `alarm`; `signals.since` is the age of the model in
# months. It must win back a third of the regret of `never`, with at most six trainings in 24 months.


# %%
def mine(signals):
    return False  # your code here


# %%
life = regret.live(regret.small_world(11, "recession"), regret.Policy("mine", mine), 24)
left = lives.query("seed == 11 and world == 'recession' and policy == 'never'")
wanted = (left["best"] + 2 * left["profit"]).item() / 3
right = sum(life.profit) > wanted and len(life.trained) <= 6
print("right" if right else f"not yet: trained in months {life.trained}")

# %% [markdown]
# <details><summary>A solution</summary>
#
# ```python
# def mine(signals):
#     late = signals.performance
#     return late is not None and late.alarm and signals.since >= 3
# ```
#
# </details>
#
# ## What this does not prove
#
# Six seeds, one bank, labels after three months: the order of policies that lie close together may be another elsewhere.
# Defaults were spread evenly; real ones have a peak. A training costs nothing in the table; a review, an
# approval and a new model's surprises do. And a training resets what drift is measured against, so that the alarm falls
# silent whatever the training was worth.
#
# ## Check yourself
#
# <details><summary>The outcomes of March show twice the predicted defaults, and the feed was broken in March and is whole today. Train?</summary>
#
# No. Those loans were granted on wrong numbers. The question is about the feed of the month that the alarm is about.
# </details>
#
# <details><summary>The default rate of the last six months falls from month to month. What do you ask first?</summary>
#
# How old the loans are. Counted so far, the youngest are the best; judge all by the same window.
# </details>
#
# <details><summary>The gates refuse a retrained model as badly calibrated, and the champion is worse. What is wrong, and what is not the remedy?</summary>
#
# The gate has a fixed bound that nobody can meet while the world changes: it should compare with the champion. To
# release without gates is no remedy.
# </details>
#
# ## Take-away
#
# **Before you train, ask whether the feed was whole and whether the labels are old enough. Then an alarm is worth
# something, and often hardly more than a calendar.**
#
# ## Go further
#
# - The reference: `oakbank.deploy.trigger` and `regret`; `python3 bootstrap.py exec python -m oakbank.deploy.regret` fills the table anew
# - N. Siddiqi, *Credit Risk Scorecards*, Wiley 2006: performance windows and the age of loans
# - J. Gama et al., *A Survey on Concept Drift Adaptation*, ACM Computing Surveys 46(4), 2014
# - In the glossary: [retraining trigger](../../../GLOSSARY.md#retraining-trigger), [outcome window](../../../GLOSSARY.md#outcome-window), [regret](../../../GLOSSARY.md#regret)
