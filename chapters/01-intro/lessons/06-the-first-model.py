# %% [markdown]
# # 06 The first model
#
# ## You will
#
# - compute AUC, Brier score and calibration by hand and check them against scikit-learn
# - hold a promise made by a random split against the months that followed, in AUC and in money
# - split in time, and leave out of training what was not known yet
# - say what training, validation and test data are each for, and measure what it costs to mix them up
# - compare three libraries on one split, and find a leak that no split can find
#
# ## You need
#
# Lesson 01/01. Data frames; what a probability is.
#
# ## Time
#
# 45 minutes to read, 25 seconds to run.
#
# ## The story so far
#
# In lesson 01/01 a model went straight to work. This time the bank is careful: the loan officers still decide, and
# before any model may, somebody has to say what it is going to earn.

# %% [markdown]
# ## A promise
#
# It is the first morning of month 15. `known` holds every loan that the officers granted and whose outcome has arrived
# by today, 24 months of them: outcomes take three months. The loans of months 15 to 20 go into a drawer. We shall open
# it when we have made our promise.

# %%
from threadpoolctl import threadpool_limits

from oakbank.intro.loans import known_loans
from oakbank.world import World

_ = threadpool_limits(1)  # one thread, so that times can be compared further down

# %%
today = 15
loans = known_loans(World(seed=7, scenario="recession"), range(-12, 21))
known = loans[loans["known_month"] < today]
drawer = loans[loans["month"] >= today]
print(f"{len(known):,} loans known today, {known['defaulted'].mean():.1%} defaulted; {len(drawer):,} in the drawer")

# %% [markdown]
# A model is judged on loans that it has not learned from, or a model that learned the table by heart would win. So keep
# a quarter back, drawn at random, and train on the rest. Most tutorials do exactly this.

# %%
from sklearn.model_selection import train_test_split

from oakbank.intro.first_model import first_model
from oakbank.world import FEATURES

inputs = list(FEATURES)  # what an application says; the protected group is not among it

# %%
train, test = train_test_split(known, test_size=0.25, random_state=0)
model = first_model().fit(train[inputs], train["defaulted"])
risk = model.predict_proba(test[inputs])[:, 1]
bad = test["defaulted"].to_numpy()

# %% [markdown]
# ## Three questions to a probability
#
# **Does it rank?** Take one loan that defaulted and one that was repaid. The AUC is the share of all such pairs in
# which the defaulted one had the higher risk; a tie counts half. 0.5 is a coin, 1 is an oracle.
#
# **How far off is it?** The Brier score is the mean squared distance between the probability and what happened, 0 or 1.
# Smaller is better.


# %%
import numpy as np


def auc(bad, risk):
    repaid = np.sort(risk[~bad])
    below = np.searchsorted(repaid, risk[bad], side="left")
    tied = np.searchsorted(repaid, risk[bad], side="right") - below
    return (below + tied / 2).mean() / len(repaid)


# %%
def brier(bad, risk):
    return ((risk - bad) ** 2).mean()


# %% [markdown]
# **Can it be taken at its word?** Of all loans with a risk of about 20 %, do about 20 % default? Sort the loans by
# risk, cut them into tenths, and compare. That is calibration.

# %%
import pandas as pd


def calibration(bad, risk, bins=10):
    tenth = np.searchsorted(np.quantile(risk, np.arange(1, bins) / bins), risk, side="left")
    return pd.DataFrame({"predicted": risk, "defaulted": bad}).groupby(tenth).mean()


calibration(bad, risk).round(3).T

# %% [markdown]
# The two rows keep close together. scikit-learn has all three, and must agree with us:

# %%
from sklearn.calibration import calibration_curve
from sklearn.metrics import brier_score_loss, roc_auc_score

# %%
observed, predicted = calibration_curve(bad, risk, n_bins=10, strategy="quantile")
ours = calibration(bad, risk)
gaps = [auc(bad, risk) - roc_auc_score(bad, risk), brier(bad, risk) - brier_score_loss(bad, risk)]
gaps += [*(ours["predicted"] - predicted), *(ours["defaulted"] - observed)]
assert max(map(abs, gaps)) < 1e-12
print("all agree to 1e-12")

# %% [markdown]
# And a fourth question, the bank's own: **what does it earn?** Grant where the risk is below the loan's break-even, as
# in lesson 01/01, and divide by all loans tested, granted or not, so that tests of any size compare. No number means
# anything alone, so the first two rows are what you have without a model: the same risk for everybody, and the
# officers, who granted all of these.

# %%
from oakbank.world import break_even


def score(loans, risk):
    bad, yes = loans["defaulted"].to_numpy(), risk < break_even(loans["amount"], loans["term"])
    earned = loans.loc[yes, "profit"].sum() / len(loans)
    return {"AUC": auc(bad, risk), "Brier": brier(bad, risk), "granted": yes.mean(), "EUR a loan": earned}


# %%
rate = np.full(len(test), train["defaulted"].mean())
officers = {"granted": 1, "EUR a loan": test["profit"].mean()}
promised = score(test, risk)
pd.DataFrame({"the mean rate": score(test, rate), "officers": officers, "model": promised}).T.round(3)

# %% [markdown]
# The first row is not silly: with the same risk for everybody, break-even grants the longer loans and declines the
# shorter ones, and that alone beats the officers. A model has to be better than *that*. It is: 470 EUR for each loan,
# where the officers earn next to nothing. You put that on a slide. The bank agrees, the model is trained once more on
# everything known, and goes to work in month 15.
#
# ## The drawer
#
# **Before you run the cell, write down a guess:** what do the next six months keep of the AUC, and what of the money?


# %%
def trial(model, train, test, columns=inputs):
    fitted = model.fit(train[columns], train["defaulted"])
    return score(test, fitted.predict_proba(test[columns])[:, 1].astype(float))


final = first_model()
delivered = trial(final, known, drawer)
pd.DataFrame({"random split promised": promised, "months 15 to 20 delivered": delivered}).T.round(3)

# %% [markdown]
# The AUC is nearly what you said. The money is less than a quarter of it. Nobody cheated, and no row was in both
# halves. What was wrong? Look at the promise again, month by month.

# %%
import matplotlib.pyplot as plt


def by_month(loans, risk):
    parts = {month: (loans["month"] == month).to_numpy() for month in sorted(loans["month"].unique())}
    return pd.Series({month: score(loans[rows], risk[rows])["EUR a loan"] for month, rows in parts.items()})


# %%
fig, ax = plt.subplots(figsize=(8, 3.4))
ax.plot(by_month(test, risk), "o", color="0.6", label="random test, its months one by one")
ax.hlines(promised["EUR a loan"], -12, 20, color="0.6", ls="--", label="random test: the promise")
ax.plot(by_month(drawer, final.predict_proba(drawer[inputs])[:, 1]), "s", color="C3", label="delivered")
ax.axvline(14.5, color="0.8", lw=1)
ax.set(xlabel="month of application", ylabel="EUR a loan", title="A promise about months that will not come again")
ax.set_ylim(0, 950)
_ = ax.legend(ncols=3, fontsize=8, loc="upper center")

# %% [markdown]
# In month 9 a recession began. A random test is a sample of the past, and 21 of its 24 months were good ones; its mean
# describes a bank that no longer exists. It never asked the question that the bank asked: *you know the past up to
# today; what happens next?*
#
# The second fault is harder to see. Each month lies in both halves. When the model was tested on a loan of month 11, it
# had learned from other loans of month 11, whose outcomes nobody knew in month 11. It was allowed to look ahead. Such
# knowledge that will not be there in use is called **leakage**, and a random split hides this kind, because both halves
# have it.
#
# ## Split in time
#
# So ask the test the bank's question. Pretend that it is the first morning of month 9. Train on what was known that
# morning, test on what followed.

# %%
from course.lesson import show_source
from oakbank.intro.splits import split_in_time

show_source(split_in_time, docstring=False)

# %%
split = split_in_time(known, start=9)
for name in ("train", "purged", "test"):
    part = getattr(split, name)
    print(f"{name:7}{len(part):>7,} loans, months {part['month'].min():>3} to {part['month'].max():>2}")

# %%
months = known.groupby("month").size()
fig, ax = plt.subplots(figsize=(8, 2.2))
colours = {"train": "C0", "purged": "0.8", "test": "C1"}
for name, colour in colours.items():
    size = getattr(split, name).groupby("month").size()
    ax.bar(size.index, size, color=colour, label=name)
ax.bar(range(12, 15), months.max(), color="none", edgecolor="0.7", ls=":", label="outcome not known today")
ax.bar(range(15, 21), drawer.groupby("month").size(), color="C3", label="the drawer")
ax.set(xlabel="month of application", ylabel="loans", title="Time runs to the right, and nobody looks back")
ax.set_ylim(0, 1600)
_ = ax.legend(ncols=5, fontsize=8, loc="upper center")

# %% [markdown]
# From left to right: months -12 to 5 train the model; months 6 to 8 had been applied for, but their outcomes were still
# out, so they are **purged**; months 9 to 11 test it. Months 12 to 14 are in the same state today as 6 to 8 were then.
# The test is today's situation, six months earlier.

# %%
honest = trial(first_model(), split.train, split.test)
rows = {"random split promised": promised, "split in time promised": honest, "delivered": delivered}
pd.DataFrame(rows).T.round(3)

# %% [markdown]
# A poor promise, and a kept one. How much of the gap was the looking ahead? Take the recession loans of the random
# test, and score them with both models: the one that has seen other loans of the same months, and the one that has not.

# %%
late = test[test["month"] >= 9]
kinds = {"has seen their months": train, "has not": split.train}
pd.DataFrame({name: trial(first_model(), part, late) for name, part in kinds.items()}).T.round(3)

# %% [markdown]
# Here it is a small part: the first fault, asking about the wrong months, does most of the damage. It will not always
# be so; the next section has a world in which the second fault decides between profit and loss.
#
# One seed is an anecdote, so here are four banks. In each: what the random split promised, what the split in time
# promised, what came. All in EUR a loan.

# %%
banks = {}
for seed in (1, 3, 7, 11):
    table = known_loans(World(seed, "recession"), range(-12, 21))
    live, in_time = split_in_time(table, start=today), split_in_time(table, start=9, end=12)
    at_random = train_test_split(live.train, test_size=0.25, random_state=0)
    cuts = {"random": at_random, "in time": (in_time.train, in_time.test), "delivered": (live.train, live.test)}
    banks[seed] = {name: trial(first_model(), *cut)["EUR a loan"] for name, cut in cuts.items()}
pd.DataFrame(banks).T.rename_axis("seed").round(0).astype(int)

# %% [markdown]
# The split in time misses, by up to some 50 EUR. The random split misses by more than 350, each time to the same side.
#
# ## What was not known yet
#
# Back to the purged months. They cost us 3,428 loans, and it is tempting to keep them: they are older than the test,
# after all. Take another world: in month 8 a price-comparison site begins to send half of the customers, and they
# default far more often. We test in month 9, once with the purged months among the training data and once without, with
# a model of boosted trees (LightGBM; more on it below).

# %%
from lightgbm import LGBMClassifier

size = {"n_estimators": 150, "learning_rate": 0.05, "random_state": 0, "n_jobs": 1}
steady = {"deterministic": True, "force_row_wise": True, "verbosity": -1}
trees = LGBMClassifier(num_leaves=8, min_child_samples=40, **size, **steady)

# %%
site = split_in_time(known_loans(World(7, "data-drift-sudden"), range(-12, 10)), start=9)
everything = pd.concat([site.train, site.purged])
kept, left_out = trial(trees, everything, site.test), trial(trees, site.train, site.test)
pd.DataFrame({"purged months kept": kept, "purged": left_out}).T.round(3)

# %% [markdown]
# With the purged months the promise is a healthy profit; without them, a loss. The upper row had seen what became of
# the first customers of month 8. In month 9 nobody had: those outcomes arrive in month 11. The lower row is the model
# that the bank could really have had. **A row belongs to training from the day on which its outcome was known, not from
# the day on which the customer came.** The gap you leave is as long as the label delay.
#
# ## Three roles of data
#
# A model learns its weights from the **training** data. You learn something, too: which threshold, which settings,
# which library. What you choose by is **validation** data. What says how good the choice is must have served neither:
# that is the **test** (some say *hold-out*), and it can be asked once.
#
# Why so strict? Choose the best of many on a month, and part of what made it the best is the luck of that month. Let us
# measure how much. In a calm world, where nothing changes, a colleague tunes the caution of the bank: grant where `risk
# < k * break_even`, 43 values of `k`, and takes the one that earned most in the test month. **Guess first:** he reports
# the profit of that same month. What does his `k` earn in the next?

# %%
calm = known_loans(World(7, "calm"), range(-12, 24))
start = split_in_time(calm, start=0)
fitted = first_model().fit(start.train[inputs], start.train["defaulted"])
tuned = start.test.assign(risk=fitted.predict_proba(start.test[inputs])[:, 1])

# %%
factors = np.linspace(0.4, 2.5, 43)
limit = break_even(tuned["amount"], tuned["term"])
earned = pd.DataFrame({k: tuned["profit"].where(tuned["risk"] < k * limit, 0) for k in factors})
earned = earned.groupby(tuned["month"]).mean()  # one row a month, one column for each k, EUR a loan

# %%
best = earned.idxmax(axis=1)  # the k that won in each month
pairs = [(earned.loc[m, best[m]], earned.loc[m + 1, best[m]], earned.loc[m + 1].iloc[12]) for m in range(23)]
table = pd.DataFrame(pairs, columns=["best k, same month", "that k, next month", "k = 1, next month"])
print(f"k = {factors[12]:.1f} in the last column; winning k between {best.min():.2f} and {best.max():.2f}")
table.mean().round(0)

# %% [markdown]
# The first number is what he reports, the second what the bank gets, on average over 23 months. The difference is
# **optimism**: it comes from choosing, in a world where nothing changed. And the break-even, which nobody tuned, does
# about as well as the winner. So the month by which you chose is validation, whatever you call it, and the second
# column is the test: a month that had no say. With ten colleagues and ten ideas each, the gap grows; lesson 02/06 comes
# back to that.
#
# ## Three libraries, one split
#
# Now that there is a test to trust, tools can be compared. Logistic regression adds up columns. **XGBoost** and
# **LightGBM** add up small trees, each one fitted to what those before it left over, so they find steps and
# combinations by themselves. The same rows, one thread each, fixed seeds.

# %%
from time import perf_counter

from xgboost import XGBClassifier

# %%
boost = XGBClassifier(max_depth=3, tree_method="hist", enable_categorical=True, **size)
models = {"logistic regression": first_model(), "XGBoost": boost, "LightGBM": trees}

# %%
rows, seconds = {}, {}
for name, candidate in models.items():
    clock = perf_counter()
    rows[name] = trial(candidate, split.train, split.test)
    seconds[name] = perf_counter() - clock

# %%
flat = np.full(len(split.test), split.train["defaulted"].mean())
first_rows = {
    "the mean rate": score(split.test, flat),
    "officers": {"granted": 1, "EUR a loan": split.test["profit"].mean()},
}
table = pd.DataFrame(first_rows | rows).T.round(3)
table["time"] = (pd.Series(seconds) / seconds["logistic regression"]).round(1)
table

# %% [markdown]
# The time (to train and to answer) is a multiple of the first model's, and the only figure here that will differ on
# your machine. The rest: the gap between any model and none is hundreds of EUR; the gap between the libraries is a few.
# Would the same order come out in the months of the drawer?

# %%
pd.DataFrame({name: trial(candidate, known, drawer) for name, candidate in models.items()}).T.round(3)

# %% [markdown]
# It would not. Differences this small do not survive half a year, so on this data take the simplest: the logistic
# regression, which anybody can read. Trees earn their keep where columns interact and rows are many; you know it when
# you have measured it.
#
# ## The leak that no split finds
#
# Next week the data warehouse offers a new column, `collection_calls`: how often the collections team rang the
# customer. Nobody told you more. You train with it, and being careful now, you split in time.

# %%
export = known_loans(World(7, "planted-leak"), range(-12, 6))
wide = [*inputs, "collection_calls"]
past = split_in_time(export, start=-6, end=0)
pd.Series(trial(trees, past.train, past.test, wide)).round(3)

# %% [markdown]
# An AUC of 0.98, on an honest split. **What do you do: open the champagne, or ask a question?** Here is what months 0
# to 5 then delivered, with the column and without it.

# %%
live = split_in_time(export, start=0)
kinds = {"with the calls": wide, "without": inputs}
pd.DataFrame({name: trial(trees, live.train, live.test, columns) for name, columns in kinds.items()}).T.round(3)

# %% [markdown]
# The team rings people who have stopped paying. On the day somebody applies, nobody has rung yet, the column is 0, and
# 0 says "safe": the model grants nearly everybody (column `granted`). The split could not see it, since the whole
# export was written *after* the outcomes, the test months included. A split in time cuts rows by time. A column can
# still come from the future.
#
# What finds it is mistrust, and that can be automated. Score each column alone, as if it were the model. Single columns
# of a real application are weak; one that is nearly an oracle has seen the answer.

# %%
outcome = live.train["defaulted"].to_numpy()
numbers = live.train[wide].select_dtypes("number")
alone = {column: auc(outcome, values.to_numpy(float)) for column, values in numbers.items()}

# %%
strength = pd.Series({column: max(value, 1 - value) for column, value in alone.items()}).sort_values()
ax = strength.plot.barh(figsize=(8, 2.8), color=["C3" if value > 0.9 else "C0" for value in strength])
ax.set(xlim=(0.5, 1), xlabel="AUC of the column alone", title="One column knows too much")
_ = ax.axvline(0.9, color="0.6", ls=":")

# %% [markdown]
# Where to draw the line is a habit, not mathematics; 0.9 is far above anything that an application form holds. A weaker
# leak passes below any line. The question that catches all of them is asked of each column before training: **at which
# moment was this value written, and would it stand there at the moment of decision?** Chapter 2 turns it into joins
# that cannot look ahead (lesson 02/04) and a contract at the door (lesson 02/03).
#
# ## What this does not prove
#
# The officers chose every loan in this lesson, so each score speaks about the kind of people whom officers grant. Of
# those they turned away no outcome exists; a model that would grant them has not been tested on a single one. There are
# methods that guess the missing outcomes (*reject inference*); they cannot replace having granted a few. Lesson 04/06
# comes back to it.
#
# A split in time does not foresee. Here the recession had begun before the test; had we stood in month 9, both splits
# would have promised the good years. It tells how well the past prepared a model for the next months, as of the last
# few. And we looked into the drawer several times. In earnest it would be empty by now: the next test is the next
# months.
#
# ## Check yourself
#
# <details><summary>It is the first morning of month 20, outcomes take three months. Which is the youngest month to train on?</summary>
#
# Month 16: its outcomes arrived in month 19. Those of month 17 arrive during month 20.
# </details>
#
# <details><summary>A colleague compares 40 settings on the test months and reports the best. Which data did she use for what?</summary>
#
# She used the test as validation, and has no test. What she reports holds the optimism of 40 tries; months that had no
# say in the choice would show how much.
# </details>
#
# <details><summary>AUC 0.98 on a split in time. What do you do first?</summary>
#
# Look at each column alone, and find out when the strongest was written. Credit risk from an application form ranks at
# 0.7 to 0.8 here; far above it is a leak until shown otherwise.
# </details>
#
# <details><summary>The AUC was kept and the money was not. How can that be?</summary>
#
# AUC sees only the order. When everybody's risk rises, the order can stay while every probability is too low, and the
# decision compares the probability with a break-even.
# </details>
#
# ## Take-away
#
# **Test a model as it will be used: trained on what was known that day, asked about what came after. Anything else is a
# promise about a past that will not come again.**
#
# ## Go further
#
# - S. Kaufman, S. Rosset, C. Perlich, *Leakage in Data Mining: Formulation, Detection, and Avoidance*, KDD 2011
# - S. Kapoor, A. Narayanan, *Leakage and the Reproducibility Crisis in Machine-Learning-Based Science*, Patterns 4(9), 2023
# - scikit-learn 1.9 user guide: *Cross-validation of time series data*, *Probability calibration*; XGBoost 3 and LightGBM 4 documentation: *Parameters*
# - The lab `01-reproducible-training` builds a training run that splits in time, and leaves the purging to you; lesson 02/07 looks at the metrics again, one group of customers at a time
# - In the glossary: [split in time](../../../GLOSSARY.md#split-in-time), [data leakage](../../../GLOSSARY.md#data-leakage), [label delay](../../../GLOSSARY.md#label-delay), [purging](../../../GLOSSARY.md#purging), [optimism](../../../GLOSSARY.md#optimism), [test set](../../../GLOSSARY.md#test-set)
