# %% [markdown]
# # 06 Tuning and AutoML
#
# ## You will
#
# - write a random search over folds in time, in ten lines
# - measure how much of a winner's lead is luck, on trials that cannot be good
# - stop a boosted model by hand at the round where it begins to learn the noise
# - run the same search with Optuna and with FLAML, and check both against your own figures
# - say in AUC and EUR, with an interval, what a search found and what it cost
#
# ## You need
#
# Lesson 01/06: splits in time, validation and test. Lesson 02/05: why the best of many results is partly luck.
#
# ## Time
#
# 42 minutes to read, 15 seconds to run.
#
# ## The story so far
#
# The pipeline trains with settings that somebody once wrote down: learning rate 0.05, twelve leaves, 150 trees. A
# colleague says that this cannot be the best there is, and that a machine should look for it overnight.

# %% [markdown]
# ## What is searched, and what judges
#
# It is the first morning of month 0 at a bank where nothing changes. Outcomes take three months, so what is known
# goes up to month -4. The twelve months to come go into a drawer, which nothing below may open before the end.

# %%
from oakbank.intro.loans import known_loans
from oakbank.pipelines import CreditModel, feature_matrix
from oakbank.pipelines.model import TREE_PARAMS
from oakbank.world import World

# %%
loans = known_loans(World(seed=11, scenario="calm"), range(-12, 12))
past, drawer = loans[loans["month"] <= -4], loans[loans["month"] >= 0]
X, bad, month = feature_matrix(past), past["defaulted"].to_numpy(), past["month"].to_numpy()
print(f"{len(past):,} loans to learn from, {len(drawer):,} in the drawer; today's settings:", TREE_PARAMS)

# %% [markdown]
# The trees themselves are learned from rows. These five numbers are not: they say *how* to learn, and are called
# **hyper-parameters**. A search tries values and keeps the best; so it needs a judge, and the judge must ask the
# bank's question. Three folds: train on what was known on the first morning of a month, judge that month.

# %%
cut = [(month < judged - 3, month == judged) for judged in (-6, -5, -4)]
for earlier, later in cut:
    print(f"train on months {month[earlier].min()} to {month[earlier].max():>3}, judge month {month[later][0]}")

# %% [markdown]
# The judge's measure is the log loss: smaller is better, and it punishes a wrong probability as well as a wrong
# order. The bank compares probabilities with a break-even, so it wants both right.

# %%
import numpy as np
from sklearn.metrics import log_loss


def loss(params, rounds=100):
    losses = []
    for earlier, later in cut:
        model = CreditModel.fit(X[earlier], bad[earlier], params=params, rounds=rounds)
        losses.append(log_loss(bad[later], model.predict_matrix(X[later])))
    return np.mean(losses)


# %% [markdown]
# ## Random search in ten lines
#
# Draw settings from ranges, score each, sort. What must be *small or large* rather than *more or less* (a learning
# rate) is drawn on a logarithmic scale.


# %%
def draw(rng):
    return {
        "learning_rate": float(np.exp(rng.uniform(np.log(0.02), np.log(0.2)))),
        "num_leaves": int(rng.integers(3, 32)),
        "min_data_in_leaf": int(rng.integers(10, 201)),
        "lambda_l2": float(np.exp(rng.uniform(np.log(0.1), np.log(50)))),
        "feature_fraction": float(rng.uniform(0.3, 1)),
    }


# %%
import pandas as pd

rng = np.random.default_rng(0)
tried = [draw(rng) for _ in range(12)]
trials = pd.DataFrame(tried).assign(loss=[loss(params) for params in tried]).sort_values("loss")
today = loss(TREE_PARAMS)
print(f"today's settings: {today:.4f}")
trials.head(5).round(4)

# %% [markdown]
# Why not a grid? Five settings with four values each are 1,024 points, and if two of the five do not matter, most of
# these repeat one another. Random points hardly ever repeat a value (a whole number, such as leaves, they may), so none
# is wasted on a setting that does not matter.
#
# ## The best of many is too good
#
# Before we believe the top row: how good would the best of many be **if none of them knew anything?** Let a coin rank
# the judged loans, a thousand times, and measure the AUC of each. **Guess first: what AUC has the best coin?**


# %%
def coin(bad, rng):
    ranks = rng.permutation(len(bad)) + 1  # the order in which the coin puts the loans
    m, n = bad.sum(), (~bad).sum()
    return (ranks[bad].sum() - m * (m + 1) / 2) / (m * n)


judged = np.any([later for _, later in cut], axis=0)
seen = np.array([coin(bad[judged], rng) for _ in range(1000)])
unseen = np.array([coin(drawer["defaulted"].to_numpy(), rng) for _ in range(1000)])

# %%
import matplotlib.pyplot as plt

leader = [int(seen[: count + 1].argmax()) for count in range(1000)]
fig, ax = plt.subplots(figsize=(7.5, 3))
ax.step(range(1, 1001), seen[leader], where="post", label="best coin so far, on the months it was chosen by")
ax.step(range(1, 1001), unseen[leader], where="post", label="the same coin, on months that had no say")
ax.axhline(0.5, color="0.7", lw=1)
ax.set(xscale="log", xlabel="coins tried", ylabel="AUC", title="Trying more coins makes the best one look better")
_ = ax.legend()

# %%
counts = [1, 10, 100, 1000]
pd.DataFrame(
    {"best so far": [seen[leader[n - 1]] for n in counts], "unseen": [unseen[leader[n - 1]] for n in counts]},
    index=counts,
).round(3)

# %% [markdown]
# The best of a thousand coins has an AUC of 0.54 on the months it was chosen by, and 0.50 afterwards. Nothing is
# wrong with the code: the maximum of many noisy figures is high *because* it is the maximum. That is the **optimism**
# of every search, and it grows with each trial, so the score by which a winner was chosen says nothing about how good
# it is. A month that had no say does.
#
# Real trials are better than coins. So open the drawer for an autopsy, once, of all twelve: train each on the whole
# past, and hold its loss on the judged months against its loss in the drawer.

# %%
H, fate = feature_matrix(drawer), drawer["defaulted"].to_numpy()


def deliver(params, rounds):
    return CreditModel.fit(X, bad, params=params, rounds=rounds).predict_matrix(H)


trials["drawer"] = [log_loss(fate, deliver(tried[i], 100)) for i in trials.index]
today_drawer = log_loss(fate, deliver({}, 100))

# %%
fig, ax = plt.subplots(figsize=(5, 3.6))
ax.plot(trials["loss"], trials["drawer"], "o", label="a trial")
ax.plot(trials["loss"].iloc[0], trials["drawer"].iloc[0], "o", ms=14, mfc="none", label="the winner")
ax.plot(today, today_drawer, "k*", ms=12, label="today's settings")
ax.set(xlabel="log loss on the months judged", ylabel="log loss in the drawer")
_ = ax.legend()

# %%
winner = trials.iloc[0]
print(f"the winner's lead over the median trial: {trials['loss'].median() - winner['loss']:.4f} where it was chosen,")
print(f"                                         {trials['drawer'].median() - winner['drawer']:.4f} in the drawer")
print(f"rank of the winner in the drawer: {int((trials['drawer'] < winner['drawer']).sum()) + 1} of {len(trials)}")

# %% [markdown]
# This search did rank: what was better on the judged months was mostly better in the drawer, and the winner stayed
# first. Its lead shrank by nearly a fifth. These trials differ by more than chance does, unlike coins, so chance
# decides little between them; the more alike they are, the more of a lead is luck. And look at the star. On the
# months judged, eleven of the twelve draws are worse than the settings that we had, so all that the search can have
# found is the step from the star to the circle.
#
# ## Early stopping
#
# One setting need not be drawn at all: the number of trees. A boosted model is built one tree at a time, so a single
# fit passes through every smaller model on its way. Watch the loss on the later month as it grows, and stop when it
# has not improved for 25 rounds.

# %%
import lightgbm as lgb

from oakbank.pipelines.model import SAME_BYTES


def grow(params, fold, patience=25):
    earlier, later = cut[fold]
    settings = {"objective": "binary", "seed": 0} | SAME_BYTES | params
    rows = lgb.Dataset(X[earlier], bad[earlier], params=settings)
    booster = lgb.Booster(settings, rows)
    booster.add_valid(lgb.Dataset(X[later], bad[later], reference=rows), "later")
    curve = []
    while len(curve) < 400 and (not curve or len(curve) - 1 - np.argmin(curve) < patience):
        booster.update()  # one more tree
        curve.append(booster.eval_valid()[0][2])
    return np.array(curve)


# %%
fig, ax = plt.subplots(figsize=(7.5, 3))
for rate in (0.02, 0.05, 0.2):
    curve = grow(TREE_PARAMS | {"learning_rate": rate}, fold=2)
    line = ax.plot(range(1, len(curve) + 1), curve, label=f"learning rate {rate}")[0]
    ax.plot(curve.argmin() + 1, curve.min(), "o", color=line.get_color())
ax.set(xlabel="trees", ylabel="log loss on the later month", title="Each curve ends 25 trees after its best (dot)")
_ = ax.legend()

# %% [markdown]
# All three get to about the same place; a small learning rate only takes ten times as many trees to get there. So the
# rate and the number of trees are one setting rather than two, and stopping early saves a search one of them. Where
# to stop was read off the later month, which makes its loss a little too good as well: that month is validation now,
# in every sense.
#
# LightGBM does this itself when it is given the later months; the reference uses it, in a bench that scores one
# setting on one fold. Both must stop at the same tree.

# %%
from oakbank.pipelines import FEATURE_NAMES
from oakbank.pipelines.folds import time_folds
from oakbank.pipelines.tuning import Bench, search

table = pd.DataFrame(X, columns=list(FEATURE_NAMES))
table = table.assign(_month=month, _application_id=past["application_id"].to_numpy(), _defaulted=bad)
bench = Bench(table, time_folds(table, folds=3, gap=3))

# %%
curve, score = grow(TREE_PARAMS, fold=2), bench.score(2, TREE_PARAMS)
print(
    f"by hand {curve.argmin() + 1} trees, loss {curve.min():.6f} | LightGBM {score.rounds} trees, loss {score.loss:.6f}"
)

# %% [markdown]
# ## The tool: Optuna
#
# Random search learns nothing from its trials. **Optuna** does, in two ways. Its *sampler* looks at which settings
# did well so far and draws near them (this one is called TPE). And its *pruner* ends a trial that is behind the
# median of the others after its first fold or two: a search spends most of its time on settings that nobody will use,
# so it pays to drop them early.

# %%
from course.lesson import show_source

show_source(search, docstring=False)

# %% [markdown]
# The first trial is today's settings, so that the search can never come back with something worse on its own months.

# %%
study = search(bench, start=TREE_PARAMS, trials=12, seed=0)
states = pd.Series([trial.state.name.lower() for trial in study.trials]).value_counts()
print(states.to_dict(), "|", bench.fits - 1, "fits instead of", 3 * 12)
print(f"today's settings {study.trials[0].value:.4f}, best {study.best_value:.4f}:", study.best_params)

# %% [markdown]
# Do we agree with it? Take its best trial and score it with our own loop.

# %%
curves = [grow(study.best_params, fold) for fold in range(3)]
print(f"by hand {np.mean([curve.min() for curve in curves]):.9f}, Optuna's record {study.best_value:.9f}")

# %% [markdown]
# The same seed gives the same study: the sampler is seeded, LightGBM runs on one thread, and the pruner looks at
# losses, not at the clock.
#
# ## The tool: AutoML
#
# **AutoML** searches over kinds of model as well, and brings its own ranges, so that you bring data and a budget.
# **FLAML** starts with tiny models and grows them as long as it pays. Its budget is usually given in seconds; then a
# busy machine finds another model than an idle one. We count iterations instead, and let the kinds take turns. The
# folds are ours:


# %%
class OurFolds:
    shuffle = False

    def split(self, X, y=None, groups=None):
        return [(np.flatnonzero(earlier), np.flatnonzero(later)) for earlier, later in cut]

    def get_n_splits(self, X=None, y=None, groups=None):
        return len(cut)


# %%
from flaml import AutoML

budget = {"max_iter": 40, "time_budget": -1, "learner_selector": "roundrobin", "n_jobs": 1, "seed": 0}
judge = {"metric": "log_loss", "eval_method": "cv", "split_type": OurFolds(), "sample": False, "auto_augment": False}
auto = AutoML()
auto.fit(
    X_train=table.iloc[:, : X.shape[1]],
    y_train=bad.astype(int),
    task="classification",
    estimator_list=["lgbm", "xgb_limitdepth"],
    log_file_name="",
    verbose=0,
    **budget,
    **judge,
)
print(
    f"best: {auto.best_estimator}, loss {auto.best_loss:.4f};",
    {k: round(v, 4) for k, v in auto.best_loss_per_estimator.items()},
)

# %% [markdown]
# Again we score what it found with our own loop, and must get its figure:

# %%
from sklearn.base import clone

found, names = auto.model.estimator, table.columns[: X.shape[1]]
again = [
    clone(found).fit(table[names][earlier], bad[earlier]).predict_proba(table[names][later])[:, 1]
    for earlier, later in cut
]
by_hand = np.mean([log_loss(bad[later], risk) for risk, (_, later) in zip(again, cut, strict=True)])
print(f"by hand {by_hand:.9f}, FLAML's record {auto.best_loss:.9f}")

# %% [markdown]
# ## What did the search find?
#
# Now the drawer, for the four candidates. The last columns are what the bank wants to know: EUR for each loan of the
# drawer, and how much more than with today's settings. The difference is taken loan by loan, so its interval is much
# narrower than that of either amount.

# %%
from oakbank.pipelines import grant

rounds = int(np.median(study.best_trial.user_attrs["rounds"]))
risks = {
    "today's settings": deliver({}, 150),
    "random search": deliver(tried[trials.index[0]], 100),
    "Optuna": deliver(study.best_params, rounds),
    "FLAML": found.predict_proba(pd.DataFrame(H, columns=names))[:, 1].astype(float),
}

# %% [markdown]
# For the AUC the same trick: each default has a *placement*, the share of repaid loans that rank below it, and the
# AUC is their mean. Two models are compared placement by placement (DeLong's method).


# %%
def placements(risk):
    repaid, lost = np.sort(risk[~fate]), np.sort(risk[fate])
    return np.searchsorted(repaid, risk[fate]) / len(repaid), 1 - np.searchsorted(lost, risk[~fate]) / len(lost)


def half(*differences):
    return 1.96 * np.sqrt(sum(part.var(ddof=1) / len(part) for part in differences))


def earned(risk):
    return np.where(grant(risk, drawer["amount"], drawer["term"]), drawer["profit"], 0)


# %%
old, rows = risks["today's settings"], {}
for name, risk in risks.items():
    better = [new - was for new, was in zip(placements(risk), placements(old), strict=True)]
    more = earned(risk) - earned(old)
    auc = {"AUC": placements(risk)[0].mean(), "AUC more": better[0].mean(), "+-": half(*better)}
    rows[name] = auc | {"EUR a loan": earned(risk).mean(), "EUR more": more.mean(), "+- EUR": half(more)}
verdict = pd.DataFrame(rows).T
verdict["fits"] = [1, 3 * 12, bench.fits - 1, 3 * 40]
verdict.round({"AUC": 4, "AUC more": 4, "+-": 4, "EUR a loan": 1, "EUR more": 1, "+- EUR": 1}).astype({"fits": int})

# %% [markdown]
# All three beat today's settings in AUC, by 0.003 to 0.004, and the interval leaves out nil: **the searches found
# something.** The two that name leaves agree on what: three, where we have twelve, as lesson 02/05 suspected. And in
# money they found nothing: a few EUR up or down, with an interval of some 12 EUR either side. The AUC counts each
# pair of loans alike, and where the ranking improved is not where the bank's decision turns. Between the three tools
# nothing can be told apart, though FLAML fitted 120 models and Optuna 30.
#
# Would you deploy? There is nothing against it, since three leaves are simpler than twelve. But nobody should
# announce a gain.
#
# ## In the pipeline
#
# The reference has this search as a step between `features` and `train`: `TrainingConfig(trials=20)` turns it on, and
# 0, the default, leaves it out. What it may look at is in two lines of `tune`:

# %%
import inspect

from oakbank.pipelines.tuning import tune

source = inspect.getsource(tune).split('"""')[2]
print("\n".join(line for line in source.splitlines() if "table" in line))

# %% [markdown]
# The hold-out is cut off before anything else happens. A test changes every held-out row, outcomes included, and
# wants the same bytes. What the step writes holds all trials, the poor ones too, and the number of fits: a winner
# without the number of its rivals cannot be judged.
#
# **Ray Tune** does the same over many machines: it starts trials as processes of a cluster, moves what they report,
# and restarts those that die. `chapters/02-pipelines/tours/ray-tune.py` runs a small version of this search on it.
#
# ## What this does not prove
#
# That tuning is useless. Oakbank's default settings had been chosen with some care, its world is smooth, and its rows
# are few; a search pays where the first guess was poor, as the worse draws above show, or where the model has
# hundreds of choices. One drawer of one seed says how large the gain was here, with an interval; it says nothing
# about your data. The number of fits is an unfair measure of cost between tools: FLAML's first fits are tiny.
#
# The reference's step leaves no gap between training and judging unless it is asked to (`gap`), because a bank with
# seven training months has none to spare. And a calm world is kind: where the world moves, the settings that suit
# last year's months need not suit next year's.
#
# ## Check yourself
#
# <details><summary>A colleague reports the validation loss of the best of 500 trials as the model's quality. What do you answer?</summary>
#
# That it is the best of 500 noisy figures, so part of it is luck, and more so with 500 than with 50. The quality is
# read on months that neither trained nor chose anything.
# </details>
#
# <details><summary>Why is the budget here counted in iterations and not in seconds?</summary>
#
# With seconds the result depends on how busy the machine was: nobody gets the same model twice, and a colleague
# cannot check it.
# </details>
#
# <details><summary>A pruned trial had a poor loss on the first fold. Could it have won?</summary>
#
# Yes. Pruning is a bet that a trial which is behind on the first fold stays behind. It is worth it if the fits saved
# try out more than the rare winner would have brought.
# </details>
#
# <details><summary>You looked into the drawer, did not like it, and ran the search again with other ranges. May you report the drawer's figure now?</summary>
#
# No. The drawer has had a say in the ranges, so it is validation data. You need months that nobody has looked at.
# </details>
#
# ## Take-away
#
# **A search is an honest way to spend compute, and a dishonest way to measure: choose on validation months, read the
# gain on months that had no say, with an interval and the bill. If the gain is nil, keep the simple settings.**
#
# ## Go further
#
# - Card: [Optuna](../cards/optuna.md)
# - J. Bergstra, Y. Bengio, *Random Search for Hyper-Parameter Optimization*, JMLR 13, 2012
# - Optuna 5 documentation: *Efficient Optimization Algorithms* (samplers and pruners)
# - C. Wang et al., *FLAML: A Fast and Lightweight AutoML Library*, MLSys 2021; the documentation of FLAML 2.7
# - G. Cawley, N. Talbot, *On Over-fitting in Model Selection and Subsequent Selection Bias*, JMLR 11, 2010
# - The reference: `oakbank.pipelines.tuning` and `oakbank.pipelines.folds`
# - In the glossary: [hyper-parameter](../../../GLOSSARY.md#hyper-parameter), [early stopping](../../../GLOSSARY.md#early-stopping), [AutoML](../../../GLOSSARY.md#automl), [optimism](../../../GLOSSARY.md#optimism), [validation set](../../../GLOSSARY.md#validation-set)
