# %% [markdown]
# # 08 Cost
#
# ## You will
#
# - put the bill of a service beside what its decisions earn, and say which is worth your week
# - compute the cost of a request from its service time, the price of a machine and the load, and say what part is idleness
# - size a service by its p99 and not by its mean, from measured times
# - say from how many hits a day a cache pays, and for what
# - choose how often a job on spot machines saves its state, and check the formula by simulation
#
# ## You need
#
# Lessons 03/03 (prices of machines) and 05/06 (queues, p99).
#
# ## Time
#
# 27 minutes to read, 20 seconds to run.
#
# ## The story so far
#
# The express lane of lesson 05/06 answers many times as fast as the first service. The head of finance asks how much
# the bank now saves.

# %% [markdown]
# ## The wrong bill
#
# `prices.yml` holds every price of this lesson, with its day and source. Where nobody publishes a price, the file says
# `assumption`. Two machines (one vCPU and 2 GB each) must stand, that is, run day and night, so that the service goes on
# when one of them fails. They cost a month:

# %%
import numpy as np
import pandas as pd

from oakbank.scale.cost import read_prices

prices = read_prices()
hour = (prices["vcpu_hour"] + 2 * prices["gb_hour"]) * prices["eur_per_usd"]
assert hour == prices.machine_hour(vcpu=1, gb=2)
bill = 2 * hour * 730
assert round(bill) == 65
print(f"{bill:.0f} EUR a month; assumed: {prices.assumed()}")

# %% [markdown]
# And what do the decisions earn? The simulator knows how each loan would have ended. **Guess:** how many EUR depend
# on one decision?

# %%
from oakbank.world import World

world = World(seed=3)
later, truth = world.applications(0), world.truth(0)
ends = truth.groupby("would_default")["profit_if_granted"].mean()
assert [round(end, -2) for end in ends] == [1200, -6500]
print(ends.round())

# %% [markdown]
# A loan that is paid back earns about 1,200 EUR, one that defaults loses about 6,500. The two machines cost 65 EUR a
# month, for 2,000 such decisions.
#
# So what is a slightly better model worth? Take twelve models that learned from different numbers of rows, measure the
# AUC of each and what it would have earned per application. The slope of a line through them is EUR per AUC.

# %%
from oakbank.scale.cost import learning_curve, worth_of_auc

past = range(-6, 0)
history = pd.concat([world.applications(month) for month in past])
outcome = pd.concat([world.truth(month) for month in past])["would_default"]
bad, earns = truth["would_default"], truth["expected_profit"]
sizes = (300, 1_000, 3_000, 12_000)
curve = learning_curve(history, outcome, later, bad, earns, sizes=sizes)
curve.groupby("rows")[["auc", "profit"]].mean().round(3)

# %%
by_hand = np.polyfit(curve["auc"], curve["profit"], 1)[0] / 1000
assert np.isclose(by_hand, worth_of_auc(curve["auc"], curve["profit"]))
worth = 2_000 * by_hand
assert (round(worth, -2), round(worth / bill)) == (2800, 44)
assert (2_000 * prices["bureau_report"], 8 * prices["engineer_hour"]) == (2000, 560)
print(f"0.001 of AUC: {worth:,.0f} EUR a month, {worth / bill:.0f} times the machines")

# %% [markdown]
# About 2,800 EUR a month for 0.001 of AUC: 44 times the whole bill of the machines. If the service were free, the bank
# would not notice. That is the **wrong bill**: it is easy to read, so people work on it. Other bills are larger, too: at
# the assumed prices, a credit bureau's reports on 2,000 applicants come to 2,000 EUR, and one day of an engineer to 560.
#
# ## What one request costs
#
# The bill is small, but it shows how such bills come about. A machine works on a request for its service time, and is paid
# day and night. The kept benchmark of 05/06 says how long one worker needs for one answer. **Guess:** of what the bank pays for a
# request, which share is for the time in which a machine works on it?

# %%
from oakbank.scale.cost import cache_break_even, recorded_seconds, unit_cost

slow = recorded_seconds("FastAPI and pandas, as one begins")
fast = recorded_seconds("chapter 5: the express lane")
rate = 70 / 86_400  # applications a second
request, compute = 2 * hour / 3600 / rate, slow * hour / 3600
print(f"a request {request:.3f} EUR, its compute {compute:.1e} EUR")

# %%
model = unit_cost(rate, seconds=slow, each=0.6 / slow, hour=hour)
assert np.allclose([model.request, model.compute], [request, compute])
assert round(request, 3) == 0.03
assert compute < 1e-7
assert round(1 / model.utilisation, -4) == 750_000
print(f"one part in {1 / model.utilisation:,.0f} is work")

# %% [markdown]
# 0.03 EUR, of which one part in about 750,000 is work. The rest pays for time in which the machines wait. So
# `request = compute / utilisation`: a hyperbola. Draw it for this service and for one that is more than ten times as fast.
# (`each` is how many requests per second one replica may get: here 60 % of those that it can answer. Where such a share
# comes from, we see below.)
#
# **Guess:** from how many requests a day does the faster service cost less?

# %%
loads = np.geomspace(10, 1e9, 200)
costs = pd.DataFrame(index=loads)
for name, s in {"first service": slow, "express lane": fast}.items():
    costs[name] = [unit_cost(n / 86_400, s, 0.6 / s, hour).request for n in loads]
third = 2 * 0.6 / slow * 86_400  # from here on, a third machine
assert slow / fast > 10
assert ((costs.nunique(axis=1) == 1) == (loads < third)).all()
assert round(third / 1e6) == 32
print(f"the same up to {third / 1e6:.0f} million requests a day")

# %%
axes = costs.plot(logx=True, logy=True, figsize=(7, 3), style=["-", "--"])
axes.axvline(70, color="grey", linestyle=":")
_ = axes.set(xlabel="requests a day (dotted: Oakbank)", ylabel="EUR a request")

# %% [markdown]
# Up to 32 million requests a day the two lines are one. **Speed saves money only when it removes a machine**, and two
# must stand. So the answer to the head of finance is: nothing. (Customers who wait less are another reason, and a good one.)
#
# ## How many machines, then?
#
# To give a service the machines that its load needs is called **right-sizing**. A spreadsheet multiplies requests per
# second by the mean service time. Lesson 05/06 showed what happens when machines are nearly 100 % busy. So measure the service times of the bank's
# scorer on your machine, let customers come at random to one replica, and look for the largest rate at which the p99
# keeps a promise. The promise here: twice the p99 of callers who find
# no queue.

# %%
from oakbank.pipelines import CreditModel, feature_matrix
from oakbank.pipelines.contract import requests_of, score
from oakbank.scale.cost import largest_rate, latencies, replicas, service_times

scorer = CreditModel.fit(feature_matrix(history), outcome)
asked = requests_of(later.head(300))
times = service_times(lambda one: score(scorer, "1", [one]), asked)
promise = 2 * np.quantile(times, 0.99)

# %%
by_mean, by_p99 = 1 / times.mean(), largest_rate(times, promise)
peak = 1.9 * by_mean  # requests a second
need = {"mean": replicas(peak, by_mean), "p99": replicas(peak, by_p99)}
late = np.quantile(latencies(peak / 2, times), 0.99) / promise
assert need["mean"] == 2 < need["p99"]
assert late > 1
print(need, f"two: p99 {late:.0f} x promise; allowed: {by_p99 / by_mean:.0%} busy")

# %% [markdown]
# By the mean, two machines are enough, each busy 95 % of the time, and the promise is broken. How busy a replica may
# be follows from *your* promise and *your* tail, and from that follows the `each` above. At such loads a faster call, or
# one with a shorter tail, can save machines.
#
# ## When does a cache pay?
#
# A managed cache costs by the hour, like a machine. A hit saves what would have been computed, or bought. A bureau's
# report on an applicant is bought (its price here is assumed). **Guess** the hits a day from which the cache pays, for a
# score and for a report.

# %%
saves = {"a score": compute, "a bureau report": prices["bureau_report"]}
hits = {what: prices.cache_day() / eur for what, eur in saves.items()}
assert hits["a score"] == cache_break_even(prices.cache_day(), compute)
assert hits["a score"] > 4e6
assert round(hits["a bureau report"], 2) == 0.18
print({what: float(f"{hit:.2g}") for what, hit in hits.items()})

# %% [markdown]
# Millions of hits a day for the one, 0.18 for the other: one repeat in five days pays for it. And even the millions are
# too few for the cached score: while the two machines stand, a hit saves nothing at all. (A cached report is an *old* report.
# What that costs, lesson 03/01 has computed.)
#
# ## Spot: cheap machines that go away
#
# A **spot instance** is spare capacity at a discount, up to 70 % here. The provider may take it back: AWS promises two
# minutes' notice, as a best effort. A job that was stopped starts again from its last *checkpoint*. Take a job of 20
# hours, three minutes to save (longer than the notice), six to start again, and an interruption every five hours on
# average. These four are assumed.

# %%
WORK, SAVE, RESTART, BETWEEN = 20, 0.05, 0.1, 5


def one_job(interval, rng):
    clock = done = waiting = 0
    while done < WORK:
        luck, stretch = rng.exponential(BETWEEN), waiting + interval + SAVE
        finished = luck > stretch
        clock += min(luck, stretch)
        done += interval if finished else 0
        waiting = 0 if finished else RESTART
    return clock


# %% [markdown]
# **Guess:** without checkpoints, at 30 % of the price, is spot cheaper than a machine on demand?

# %%
from oakbank.scale.cost import expected_hours, young

rng, rounds = np.random.default_rng(0), range(1_000)
tried = [0.125, 0.25, 0.5, 1, 2, 4, 20]
mean = pd.Series({i: np.mean([one_job(i, rng) for _ in rounds]) for i in tried})
exact = pd.Series({i: expected_hours(WORK, i, SAVE, RESTART, BETWEEN) for i in tried})
assert np.allclose(mean, exact, rtol=0.1)
price = exact * prices["spot_share"] / WORK
assert (round(price[20], 1), round(price[1], 2), price.idxmin()) == (4.1, 0.36, 0.5)
pd.DataFrame({"simulated, h": mean, "formula, h": exact, "x on demand": price}).round(2)

# %% [markdown]
# Without a checkpoint the job costs 4.1 times the price on demand: it must find 20 quiet hours in a row. Saving too often
# costs, too. In between there is a minimum. Young (1974) says roughly (to first order) where: `sqrt(2 * save * between)`.

# %%
best = young(SAVE, BETWEEN)
assert round(best, 2) == 0.71 == round(float(np.sqrt(2 * SAVE * BETWEEN)), 2)
least = expected_hours(WORK, best, SAVE, RESTART, BETWEEN)
assert least < exact.min() < exact[1] < 1.01 * least
print(f"save every {best:.2f} h")

# %% [markdown]
# Every 0.71 hours. The minimum is flat: once an hour costs less than 1 % more. So you need to know the time between
# interruptions only roughly, but you must save. And before you do any of this for Oakbank: this lesson trained its model
# twelve times while you waited. Such a job needs no spot machine.
#
# ## Your turn
#
# A price-comparison site will send 2,000 requests a second. Put into `saved` what the express lane then saves against
# the first service, EUR a month, with 60 % utilisation allowed.

# %%
# your code here

# %%
machines = np.ceil(2_000 * slow / 0.6) - 2
right = np.isclose(globals().get("saved", 0), machines * hour * 730)
print("right" if right else "not yet: two calls of `unit_cost`, and their `month`")

# %% [markdown]
# <details><summary>A solution</summary>
#
# ```python
# first, lane = (unit_cost(2_000, s, 0.6 / s, hour) for s in (slow, fast))
# saved = first.month - lane.month
# print(f"{saved:.0f} EUR, or {saved / prices['engineer_hour']:.0f} hours of an engineer")
# ```
#
# Compare it with the hours that it took to write the lane.
# </details>
#
# ## What this does not prove
#
# The machine, the cache and the spot discount have list prices of 2026 in one region; network, logs and load balancers
# can cost more than the machines. Exchange rate, bureau and engineer are assumed. The service times were measured on one
# computer, and a vCPU of a cloud is another one. The worth of AUC is a slope through twelve models of one simulated bank,
# which knows how declined loans would have ended (no real bank does); another world gives another number of this size. Real
# interruptions may hit many machines at once. With large models on GPUs the first section can come out the other way: there
# the machines are the bill.
#
# ## Check yourself
#
# <details><summary>Somebody offers to halve the bill of the machines in a week, or to look for 0.001 of AUC. What do you answer?</summary>
#
# Half of 65 EUR a month, against about 2,800: look for the AUC, and measure whether it is real.
# </details>
#
# <details><summary>A service needs 1.9 machines by its mean service time. How many do you start, and what do you ask first?</summary>
#
# More than two, as a rule. Ask for the promise and for the tail, then look for the largest rate that keeps it.
# </details>
#
# <details><summary>A colleague caches the scores, with 90 % hits, and the bill is as before. Why?</summary>
#
# The two machines stand as before. A hit saves money only when it removes a machine, or replaces something bought.
# </details>
#
# <details><summary>Interruptions come four times as often as you thought. How much more often should the job save?</summary>
#
# Twice: the interval goes with the square root. And if you leave it, the flat minimum forgives some of it.
# </details>
#
# ## Take-away
#
# **One decision is worth thousands of EUR, its compute less than a millionth of one EUR. What you pay for is idleness:
# speed saves money only when it removes a machine.**
#
# ## Go further
#
# - J. W. Young, *A first order approximation to the optimum checkpoint interval*, Communications of the ACM 17(9), 1974
# - J. T. Daly, *A higher order estimate of the optimum checkpoint interval for restart dumps*, Future Generation Computer Systems 22(3), 2006
# - AWS, *Spot Instance interruption notices*, EC2 User Guide, read in November 2026
# - The reference: `oakbank.scale.cost` and its `prices.yml`
# - In the glossary: [unit economics](../../../GLOSSARY.md#unit-economics), [right-sizing](../../../GLOSSARY.md#right-sizing), [spot instance](../../../GLOSSARY.md#spot-instance), [checkpoint interval](../../../GLOSSARY.md#checkpoint-interval)
