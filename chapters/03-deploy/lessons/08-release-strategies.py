# %% [markdown]
# # 08 Release strategies
#
# ## You will
#
# - choose between shadow, canary, blue/green and a hold-out by what each can see, and how soon
# - assign applicants to a canary so that nobody is moved between two models
# - compare a canary with a baseline that differs from it in one thing only
# - look at a release every day without more false alarms than you have allowed
# - take back model, threshold and feature code together
#
# ## You need
#
# Lesson 03/06, and what a p-value is.
#
# ## Time
#
# 27 minutes to read, 30 seconds to run.
#
# ## The story so far
#
# A challenger has passed every gate of lesson 03/06. It could decide about all applicants tonight; the bank would rather
# begin with a few.

# %% [markdown]
# ## Four ways to begin
#
# | | whom the new model answers | the way back |
# |---|---|---|
# | **shadow** | nobody: its answers are only written down | nothing to take back |
# | **canary** | a small share | the share becomes 0 |
# | **blue/green** | everybody at once; the old one stays loaded | everybody at once |
# | hold-out (no release) | past applicants with a known outcome | nothing to take back |
#
# Here are the bank, its champion, and a challenger with smaller trees. A month has 2,000 applications; what becomes of a loan
# is known three months later.

# %%
from course.lesson import own_folder
from oakbank.pipelines import TrainingConfig, grant, run_training
from oakbank.world import Lake, World, publish_history

own_folder()
world, lake = World(seed=4, scenario="calm"), Lake("lake")
publish_history(world, lake)
old = run_training(TrainingConfig(), lake, "old")
new = run_training(TrainingConfig(params={"num_leaves": 4}), lake, "new")


def declines(model, table):
    return ~grant(model.predict(table), table["amount"], table["term"])


table = world.applications(0)
declined = declines(old.model(), table)
risk = world.truth(0)["default_probability"][~declined].mean()
print(f"{declined.mean():.0%} declined; {risk:.0%} of the others will default")

# %% [markdown]
# ## Who is in the canary?
#
# If each *request* is drawn anew, an applicant who asks twice may hear yes and then no. So draw the group (`arm`) by a
# hash of the applicant: every server comes to the same answer. The `salt` changes with each release, so the same people
# do not always try the new model.

# %%
import hashlib


def arm(applicant, share, salt="r1"):
    digest = hashlib.sha256(f"{salt}:{applicant}".encode()).digest()
    at = int.from_bytes(digest[:6]) / 2**48  # from 0 to below 1
    if at < share:
        return "canary"
    return "baseline" if 0.5 <= at < 0.5 + share else "champion"


# %% [markdown]
# **Guess:** of those in the canary at 5 %, how many leave it when the share grows
# to 20 %?

# %%
import pandas as pd

ids = table["application_id"]
before, after = (ids.map(lambda who, s=s: arm(who, s)) for s in (0.05, 0.20))
assert (after == before)[before != "champion"].all()
pd.crosstab(before, after, rownames=["at 5 %"], colnames=["at 20 %"])

# %% [markdown]
# None leave; others join.
#
# ## Compared with whom?
#
# The arm `baseline` keeps the **old** model, but starts with the canary and has its size. Suppose that a new sales
# channel opens in the month of the release, and that we release the *same* model again, so nothing is wrong with it.
# Does the canary's share of declines differ from the champion's in the eight months before, and from the baseline's?

# %%
from scipy.stats import fisher_exact

busy = World(seed=4, scenario="data-drift-sudden")
months = pd.concat([busy.applications(m) for m in range(9)], ignore_index=True)
arms = months["application_id"].map(lambda who: arm(who, 0.5))
arms[months["month"] < 8] = "past"
counted = pd.crosstab(arms, declines(old.model(), months))
past, twin = (fisher_exact(counted.loc[["canary", w]])[1] for w in ("past", "baseline"))
print(f"p = {past:.4f} against the past, {twin:.2f} against the baseline")
assert past < 0.01 < 0.2 < twin

# %% [markdown]
# Against the past the release looks guilty of what the channel did. Kayenta, the canary judge of Netflix and Google, asks
# for such a baseline, too: a process that has run for weeks also differs by its warm caches.
#
# ## Looking every day
#
# Somebody looks every morning, and stops at p < 0.05. Is that one false alarm in twenty? An **A/A test** tells:
# 1,000 times a model is released against itself, for 60 days, with 33 applicants a day in each arm. Every tenth answer is
# slow. **Guess** how many are stopped.

# %%
import numpy as np

draw = np.random.default_rng(1)
canary, baseline = draw.binomial(33, 0.1, size=(2, 1000, 60)).cumsum(axis=2)
spread = np.sqrt(2 * 0.1 * 0.9 * 33 * np.arange(1, 61))
alarm = abs(canary - baseline) > 1.96 * spread  # p < 0.05
once, daily = alarm[:, -1].mean(), alarm.any(axis=1).mean()
print(f"one look at the end: {once:.0%} stopped; a look a day: {daily:.0%}")
assert 0.03 < once < 0.07 < 0.25 < daily < 0.4

# %% [markdown]
# That is **peeking**, and it stops every third harmless release. The test is right about one look; there were 60.
#
# A **sequential test** pays for all looks in advance. The arms are equally large; if the canary is no worse, each
# slow answer falls into one of them like a *fair coin*, whatever the rate is. Bet one euro against the coin: at each
# slow answer, multiply the bet by how much better a bent coin explains it. How bent is unknown, so spread the euro over
# many coins. If the coin is fair, the bet's chance of *ever* reaching 20 euros is at most 1/20 (Ville's inequality).

# %%
coins = 0.5 + (np.arange(50) + 0.5) / 100
stakes = (coins * (1 - coins)) ** 9  # most on coins that are a little bent


def euros(canary, baseline):
    canary, baseline = np.asarray(canary)[..., None], np.asarray(baseline)[..., None]
    won = canary * np.log(2 * coins) + baseline * np.log(2 * (1 - coins))
    return (stakes * np.exp(won)).sum(axis=-1) / stakes.sum()


stopped = (euros(canary, baseline) >= 20).any(axis=1).mean()
print(f"{stopped:.1%} stopped; 12 slow answers of 12: {euros(12, 0):.0f} euros")
assert stopped < 0.05 < euros(12, 0) / 20 < 1

# %% [markdown]
# Twelve slow answers cannot win the bet, wherever they fall: too little data never stops a release. Oakbank's own
# function computes the sum as an integral, and returns its logarithm. Both agree:

# %%
from oakbank.deploy.sequential import log_evidence

theirs = np.exp(log_evidence(canary, baseline))
assert np.allclose(euros(canary, baseline), theirs, rtol=0.02, atol=0.02)

# %% [markdown]
# ## What can a canary see?
#
# Three kinds of harm, in Oakbank's numbers: a fifth of the requests crashes; 10 points more are declined; 2 points more of
# the loans default. **Guess** how long a canary of 5 % needs for each. `typical_wait` simulates releases until half of them
# are stopped (at 80 euros: the router's four signals share the 1/20).

# %%
from oakbank.deploy.planning import power_chart, typical_wait

waits = {}
for s in (0.05, 0.20, 0.50):
    days = [typical_wait(2000 / 30 * s, *rates) for rates in ((0, 0.2), (0.5, 0.6))]
    waits[s] = [*days, typical_wait(1000 * s, before=risk, now=risk + 0.02)]
assert np.all(np.array(waits[0.05]) > [10, 180, 72])
pd.DataFrame(waits, ["crashes, days", "declines, days", "defaults, months"]).astype(int)

# %% [markdown]
# Crashes show within a month, as the baseline has none. A jump of 10 points in the declines takes most of a year;
# defaults take years, and each becomes known three months late. Many looks cost data; so here is the test that needs
# the least: one look, at the right moment:

# %%
until = power_chart(1000, risk, risk + 0.02, shares=(0.05, 0.20, 0.50), late=3)
assert 6 < until[0.50] <= 12 < 60 < until[0.05]

# %% [markdown]
# **A canary cannot see what a bank fears.** At 5 % it needs more than five years; at 50 %, half of the customers try the
# challenger for most of a year. In shadow, both models decide about *all* applicants, the same ones. On
# the hold-out, the outcomes are known today:

# %%
shadow = declines(new.model(), table)
known = old.holdout()
loans = known[~declines(new.candidate(), known)]
print(f"shadow, after a month: {(shadow != declined).mean():.1%} decided otherwise")
print(f"hold-out, today: {len(loans)} loans, {loans['defaulted'].mean():.1%} default")
assert len(loans) > 24 * 1000 * 0.05

# %% [markdown]
# A canary of 5 % needs two years for so many. But the hold-out lacks applicants whom the old rule declined, and shows
# no change since.
#
# | question | asked of | known after |
# |---|---|---|
# | does it run, is it fast enough? | shadow, then canary | hours to weeks |
# | about whom does it decide otherwise? | shadow | days |
# | do more loans default? | hold-out | at once |
#
# ## The Oakbank router
#
# Oakbank's router runs releases around the scoring code that you know. One release is one **bundle**: model, threshold
# (`cutoff`, a share of the break-even probability) and feature code. `credit-2` has a fault: its code takes monthly
# income as yearly.

# %%
import time

from oakbank.deploy import manifests, release
from oakbank.deploy.arms import FEATURE_CODE
from oakbank.deploy.release_files import save_bundle
from oakbank.deploy.router import Router
from oakbank.pipelines.contract import requests_of

code = dict(FEATURE_CODE)
code["v2"] = lambda table: code["v1"](table.assign(income=table["income"] / 12))
save_bundle("bank", "credit-1", old.model(), "1")
save_bundle("bank", "credit-2", new.model(), "2", features="v2", cutoff=0.9)
Router.create("bank", "credit-1")
router = Router("bank", features=code)

# %%
router.change(lambda s: release.start(s, "credit-2", "canary", 0.2, "Ada", salt="r1"))
answers = [router.answer(form) for form in requests_of(table.head(900))]
print(pd.Series([answer.model_version for answer in answers]).value_counts().to_dict())
print(router.state.release.stopped)
assert router.state.running is None  # nobody had to look

# %% [markdown]
# The router checks the bet after every answer of the two arms, and stops once it is won. It counts an applicant once:
# the hash draws applicants, not requests. Where the canary raises an exception, the champion answers. Four rules hold:
# what may stop a release is fixed before it starts (`Rules`); too little data never stops it; missing data never count
# as good; the router may stop, only a person may promote.
#
# Suppose somebody had switched everyone to `credit-2`, blue/green. The rollback restores model, threshold and code:

# %%
router.change(lambda state: release.switch(state, "credit-2", by="Ada"))
wrong, begin = router.answer(requests_of(table)[0]), time.perf_counter()
router.change(lambda state: release.rollback(state, by="Ada"))
back, seconds = router.answer(requests_of(table)[0]), time.perf_counter() - begin
print(*(f"{a.model_version}: {a.default_probability:.2f}" for a in (wrong, back)))
assert (back.cutoff, back, seconds < 60) == (1.0, answers[0], True)

# %% [markdown]
# Far under a minute: the old bundle lies ready, and no registry is asked. The state is one file, written whole or not at
# all. In a shell: `python -m oakbank.deploy.router_app rollback bank --by Ada`; the running service follows.
#
# ## The same split on Kubernetes
#
# There each arm is a Deployment with a Service, and a route of the **Gateway API** splits by weight. No gateway runs here;
# we only read:

# %%
shares = {"scorer": 60, "scorer-baseline": 20, "scorer-canary": 20}
print(manifests.route(shares))

# %% [markdown]
# A weight is drawn per *request*. To give an applicant one model, a proxy in front hashes the id and sets a header for
# the route. Argo Rollouts and Flagger move such weights step by step, by your rules; check that they do not peek.
#
# ## Your turn
#
# `counts` has the declines of a canary and its baseline, summed up day by day. On which day may you stop the release, with a
# false-alarm rate of 5 % over all looks? Days count from 1.

# %%
rates = [[0.62], [0.5]]
counts = np.random.default_rng(5).binomial(40, rates, size=(2, 60)).cumsum(axis=1)
stop_day = None  # your code here

# %%
right = stop_day == 1 + sum(euros(*counts[:, :d]).max() < 20 for d in range(1, 61))
print("right" if right else "not yet: when does the bet first reach 1 / 0.05 euros?")

# %% [markdown]
# <details><summary>A solution</summary>
#
# ```python
# stop_day = int((log_evidence(*counts) >= np.log(1 / 0.05)).argmax()) + 1
# ```
# </details>
#
# ## What this does not prove
#
# No gateway ran, and one process is no fleet: several must add up their counts. The fair-coin test is exact, but
# wasteful for what hits every second applicant. Here an applicant has one application; a real bank hashes the customer.
#
# ## Check yourself
#
# <details><summary>A challenger has new feature code and should decline fewer good applicants. What do you ask of the shadow, the canary, the hold-out?</summary>
#
# Shadow: whom does it decide about otherwise? Canary: does it crash, is it slow? Hold-out: do the loans that it would grant
# default less?
# </details>
#
# <details><summary>Why is the baseline not simply all the rest of the traffic?</summary>
#
# It would differ in age and perhaps in time, and either could be the reason for what you see. And only with arms of one size
# is each event a fair coin.
# </details>
#
# <details><summary>A share grows from 5 to 20 %, and nobody may be moved. How do you assign?</summary>
#
# By a hash of applicant and release, compared with the share: a place below 0.05 is below 0.20, too.
# </details>
#
# <details><summary>After a bad release somebody puts the old model file back, and the approvals are still wrong. What was left behind?</summary>
#
# The threshold or the feature code. They belong to the release and go back with it.
# </details>
#
# ## Take-away
#
# **A canary shows large, early harm. A bank fears small, late harm: ask the hold-out. And before you start, fix the
# rule that may stop you, or you will stop for nothing.**
#
# ## Go further
#
# - M. Lindon and A. Malek, *Anytime-Valid Inference for Multinomial Count Data*, NeurIPS 2022; H. Robbins, *Statistical methods related to the law of the iterated logarithm*, 1970: the bet
# - R. Johari et al., *Peeking at A/B Tests*, KDD 2017
# - Google Cloud blog, *Canary analysis: Lessons learned and best practices from Google and Waze*, 14 January 2019; Gateway API v1, *HTTP traffic splitting*
# - The reference: `oakbank.deploy.router`, `sequential`
# - The lab `03-canary-and-rollback` builds the judge, and mends one that always rolls back
# - In the glossary: [canary release](../../../GLOSSARY.md#canary-release), [shadow deployment](../../../GLOSSARY.md#shadow-deployment), [blue/green deployment](../../../GLOSSARY.md#bluegreen-deployment), [rollback](../../../GLOSSARY.md#rollback), [A/A test](../../../GLOSSARY.md#aa-test), [peeking](../../../GLOSSARY.md#peeking), [sequential test](../../../GLOSSARY.md#sequential-test)
