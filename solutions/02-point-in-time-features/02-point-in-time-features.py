# %% [markdown]
# # 02 Point-in-time features
#
# The credit desk wants a feature: how have loans like this one done lately? In this lab you build it so that it holds,
# for every application, only what the bank knew on the day. Then you build the detector that finds those who did not,
# the online view that serves the same numbers, and the table that shows what the leaky join would have promised.
#
# You need lesson 02/04. About 80 minutes; seven exercises, 22 points. `python3 bootstrap.py check
# 02-point-in-time-features` runs the tests that you see. A grader's tests go further; the first line of each test says
# where.
#
# Two rules hold throughout. An outcome is **known from the month after its `known_month`**: month m begins with what
# became known before m. And applications of month m are decided when m begins.

# %% locked="setup"
import copy

import numpy as np
import pandas as pd
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from oakbank.world import World, load_scenario

FORM = ["income", "debts", "bureau_score", "delinquencies", "amount", "term"]


def bank(seed, first, last):
    """Return loans with their outcomes; every twentieth outcome comes two months late."""
    world = World(seed, load_scenario("calm").model_copy(update={"applications_per_month": 500}))
    months = []
    for month in range(first, last + 1):
        decided = world.officer_decisions(month)
        outcome = world.outcomes(month + 3, decided.loc[decided["granted"], "application_id"])
        table = world.applications(month).merge(
            outcome[["application_id", "known_month", "defaulted"]], on="application_id"
        )
        months.append(table)
    loans = pd.concat(months, ignore_index=True).astype({"month": int, "known_month": int})
    loans["segment"] = (
        loans["channel"].astype(str) + " " + loans["purpose"].astype(str) + " " + loans["region"].astype(str)
    )
    loans.loc[loans["application_id"] % 20 == 0, "known_month"] += 2
    return loans[["application_id", "month", "segment", *FORM, "known_month", "defaulted"]]


LOANS = bank(4, -12, 5)


def table(text):
    """Return a small table: one row per line, `id month segment known_month defaulted`."""
    rows = [line.split() for line in text.strip().splitlines()]
    return pd.DataFrame(
        {
            "application_id": [int(row[0]) for row in rows],
            "month": [int(row[1]) for row in rows],
            "segment": [row[2] for row in rows],
            "known_month": [int(row[3]) for row in rows],
            "defaulted": [row[4] == "yes" for row in rows],
        }
    )


def numbers(values):
    """Return values as a list of floats, or None if they are not a row of numbers."""
    if isinstance(values, (str, dict)) or not hasattr(values, "__iter__"):
        return None
    try:
        return [float(value) for value in values]
    except (TypeError, ValueError):
        return None


def near(got, want):
    """Return whether two numbers are the same but for rounding; NaN is near NaN, and what is no number near nothing."""
    if not isinstance(got, (int, float, np.number)):
        return False
    return bool(np.isclose(float(got), float(want), rtol=0, atol=1e-12, equal_nan=True))


SMALL = table("""
1 0 car 3 yes
2 0 car 3 yes
3 0 home 3 no
4 0 home 4 no
5 1 car 4 no
6 1 home 8 yes
""")
PEOPLE = SMALL[["application_id", "month", "segment"]]
LIVE = pd.concat([PEOPLE, pd.DataFrame({"application_id": [9], "month": [4], "segment": ["car"]})], ignore_index=True)

# %% [markdown]
# ## Exercise 1: what is known
#
# `known_before(outcomes, month)` returns the outcomes that are known when `month` begins, as a data frame with the same
# columns.
# - `outcomes` has the columns `application_id`, `month` (of the application), `segment`, `known_month`, `defaulted`.
# - An application can have several rows: a correction comes later than what it corrects. Of those known by then, keep
#   the one with the highest `known_month` (no two rows of one application share it); so the result has one row
#   for each application.
# - The rows of the table may be in any order, and so may yours.


# %% answer="ex1"
def known_before(outcomes, month):
    """Return the newest known outcome of each application, as of the beginning of `month`."""
    ### BEGIN SOLUTION
    known = outcomes[outcomes["known_month"] < month]
    return known.sort_values("known_month").drop_duplicates("application_id", keep="last")
    ### END SOLUTION


# %% test="ex1" points=2
# Covers known outcomes, late ones, all columns. Not shown: other months.
TOLD = table("""
1 0 car 3 no
2 0 car 3 yes
3 1 home 4 no
4 1 car 9 yes
""")
first = known_before(TOLD, 4)
assert first is not None, "known_before returned nothing: return a data frame."
assert isinstance(first, pd.DataFrame), f"known_before should return a data frame, not {type(first).__name__}."
assert set(first.columns) == set(TOLD.columns), "Keep all columns."
assert sorted(first["application_id"]) == [1, 2], "When month 4 begins, those with known_month 3 are known: 1 and 2."
assert len(known_before(TOLD, 3)) == 0, "What becomes known in month 3 is not there when month 3 begins."
assert sorted(known_before(TOLD, 5)["application_id"]) == [1, 2, 3], "When month 5 begins, 3 is known as well."
assert sorted(known_before(TOLD, 9)["application_id"]) == [1, 2, 3], "4 is late: it counts from when it came."
### BEGIN HIDDEN TESTS
assert sorted(known_before(TOLD, 10)["application_id"]) == [1, 2, 3, 4], "A late outcome counts too, once it is here."
### END HIDDEN TESTS

# %% test="ex1" part="corrected" points=1
# Covers a correction, before and after it came. Not shown: other orders of the rows.
CORRECTED = table("""
7 0 car 6 no
8 0 car 3 yes
7 0 car 3 yes
""")
told = known_before(CORRECTED, 7)
assert isinstance(told, pd.DataFrame) and set(told) == set(CORRECTED), "Return a data frame with all columns."
assert len(told) == 2, "Two applications, of which 7 was corrected in month 6: two rows."
early = known_before(CORRECTED, 5).set_index("application_id")["defaulted"]
assert sorted(early.index) == [7, 8] and bool(early[7]), (
    "Before the correction came, the first word was what the bank knew."
)
late = known_before(CORRECTED, 7).set_index("application_id")["defaulted"]
assert not bool(late[7]), "After the correction, it is what counts."
assert bool(late[8]), "Nobody corrected 8, so its first word still counts."
### BEGIN HIDDEN TESTS
mixed = known_before(CORRECTED.iloc[[2, 1, 0]].set_axis([5, 5, 5]), 7).set_index("application_id")["defaulted"]
assert not bool(mixed[7]) and bool(mixed[8]), "The rows may be in any order, with any index: the newest one counts."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 2: the rate of a segment, as of a month
#
# `rates_as_of(outcomes, segments, month, prior=50)` returns a dict from each of `segments` (a list of str) to its
# smoothed share of defaults among the outcomes known when `month` begins:
#
# $$\frac{\text{defaults of the segment} + \text{prior} \cdot \text{overall}}{\text{outcomes of the segment} + \text{prior}}$$
#
# - `overall` is the share of defaults among **all** outcomes known by then, of whatever segment.
# - A segment without a known outcome gets `overall`. If no outcome is known at all, each gets `nan`.
# - From here on no application has more than one row, unless an exercise says so.


# %% answer="ex2"
def rates_as_of(outcomes, segments, month, prior=50):
    """Return the smoothed default rate of each segment, as known when `month` begins."""
    ### BEGIN SOLUTION
    known = outcomes[outcomes["known_month"] < month]
    overall = known["defaulted"].mean()  # nan if nothing is known
    by_segment = known.groupby("segment")["defaulted"]
    size, bad = by_segment.size(), by_segment.sum()
    return {name: (bad.get(name, 0) + prior * overall) / (size.get(name, 0) + prior) for name in segments}
    ### END SOLUTION


# %% test="ex2" points=3
# Covers both segments, a new segment, a month in which nothing is known, the prior. Not shown: other tables.
rates = rates_as_of(SMALL, ["car", "home"], 4, prior=2)
assert rates is not None, "rates_as_of returned nothing: return a dict from segment to rate."
assert isinstance(rates, dict), f"rates_as_of should return a dict, not {type(rates).__name__}."
assert set(rates) == {"car", "home"}, "Want a rate for each segment that was asked for, and no other."
assert near(rates["car"], (2 + 2 * (2 / 3)) / (2 + 2)), "car: 2 defaults of 2, drawn to 2/3 by a prior of 2."
assert near(rates["home"], (0 + 2 * (2 / 3)) / (1 + 2)), "home: 0 of 1, drawn towards what is known of all."
later = rates_as_of(SMALL, ["home", "boat"], 9, prior=2)
assert near(later["home"], (1 + 2 * (3 / 6)) / (3 + 2)), "As of month 9 all six outcomes are known."
assert near(later["boat"], 3 / 6), "A segment without outcomes starts at the overall rate."
assert set(later) == {"home", "boat"}, "Also a new segment gets a rate."
never = rates_as_of(SMALL, ["car"], 3)
assert near(never["car"], float("nan")), "Nothing is known when month 3 begins: there is no rate."
assert near(rates_as_of(SMALL, ["car"], 5)["car"], (2 + 50 * 2 / 5) / (3 + 50)), "The usual prior is 50."
### BEGIN HIDDEN TESTS
for month in (-6, 1):
    told = LOANS[LOANS["known_month"] < month]
    name = told["segment"].iloc[0]
    own = told[told["segment"] == name]["defaulted"]
    want = (own.sum() + 7 * told["defaulted"].mean()) / (len(own) + 7)
    assert near(rates_as_of(LOANS, [name], month, prior=7)[name], want), (
        f"On real loans the rate of month {month} differs."
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 3: the join
#
# `join_as_of(applications, outcomes, prior=50)` returns, for each row of `applications`, the rate of its segment as of
# its own `month`: the same numbers as in exercise 2. Return a list, array or Series of floats in the order of the rows.
# - `applications` has `month` and `segment`, in any order and with any index; both tables have some 5,000 rows when
#   it counts, so a loop over all rows is too slow. (`month` and `known_month` are whole numbers.)
#
# <details><summary>Hint</summary>
#
# Two ways. Either call `rates_as_of` once for each month that occurs, and look the rates up. Or the `merge_asof` of the
# lesson: running sums by segment, once more for everybody, and the rows' order put back at the end.
# </details>


# %% answer="ex3"
def join_as_of(applications, outcomes, prior=50):
    """Return the rate of each row's segment, as known when the row's month begins."""
    ### BEGIN SOLUTION
    segments = list(applications["segment"].unique())
    rates = {month: rates_as_of(outcomes, segments, month, prior) for month in applications["month"].unique()}
    return [
        rates[month][segment] for month, segment in zip(applications["month"], applications["segment"], strict=True)
    ]
    ### END SOLUTION


# %% test="ex3" points=3
# Covers the order of the rows, a new segment, months without a rate. Not shown: some 5,000 real loans.
ASKED = pd.DataFrame({"month": [9, 4, 5], "segment": ["home", "car", "boat"]}, index=[70, 30, 50])
joined = join_as_of(ASKED, SMALL, prior=2)
assert joined is not None, "join_as_of returned nothing: return one float for each row."
joined = numbers(joined)
assert joined is not None, "join_as_of should return a list, array or Series of floats."
assert len(joined) == 3, "One rate for each application, no row more or less."
assert near(joined[1], (2 + 2 * (2 / 3)) / (2 + 2)), "The second row is a car in month 4: as in exercise 2."
assert near(joined[0], (1 + 2 * (3 / 6)) / (3 + 2)), "Each row as of its own month, in the order of the rows."
assert near(joined[2], 2 / 5), "A segment that has no outcomes yet: the overall rate of that month."
nobody = join_as_of(pd.DataFrame({"month": [3, 2], "segment": ["car", "car"]}), SMALL)
assert all(near(value, float("nan")) for value in nobody), "Nothing is known when months 2 and 3 begin."
### BEGIN HIDDEN TESTS
some = LOANS.sample(40, random_state=3)
want = [rates_as_of(LOANS, [row.segment], row.month)[row.segment] for row in some.itertuples()]
got = [float(value) for value in join_as_of(LOANS, LOANS)]
at = [got[position] for position in some.index]
assert all(near(a, b) for a, b in zip(at, want, strict=True)), "On real loans it differs from exercise 2."
future = LOANS.assign(defaulted=LOANS["defaulted"] ^ (LOANS["known_month"] >= 0))
moved = [float(value) for value in join_as_of(LOANS, future)]
still = [near(a, b) for a, b, month in zip(got, moved, LOANS["month"], strict=True) if month <= 0]
assert all(still), "Outcomes known in month 0 or later were changed, and a rate of month 0 or earlier moved."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 4: how busy is the segment?
#
# `recent(applications, asked, window=3)` returns, for each row of `asked` (`month`, `segment`), how many applications
# of its segment came in the `window` months before its month. For month 9 and a window of 3 these are months 6, 7
# and 8. Applications are known at once, but those of the month itself are not there yet when it begins. Return whole
# numbers in the order of the rows; some 5,000 rows in each table.
#
# <details><summary>Hint</summary>
#
# Count by segment and month once; then each row is a sum over `window` of those counts, 0 where there is none.
# </details>


# %% answer="ex4"
def recent(applications, asked, window=3):
    """Return the number of applications in the segment, over the `window` months before each row's month."""
    ### BEGIN SOLUTION
    counts = applications.groupby(["segment", "month"]).size().to_dict()
    return [
        int(sum(counts.get((segment, month - back), 0) for back in range(1, window + 1)))
        for month, segment in zip(asked["month"], asked["segment"], strict=True)
    ]
    ### END SOLUTION


# %% test="ex4" points=2
# Covers the months of a window, its segment, a window of 1. Not shown: real loans.
CAME = pd.DataFrame({"month": [5, 6, 7, 7, 8, 9, 7], "segment": ["car"] * 6 + ["home"]})
busy = recent(CAME, pd.DataFrame({"month": [9, 6], "segment": ["car", "car"]}))
assert busy is not None, "recent returned nothing: return one whole number for each row."
assert numbers(busy) is not None, "recent should return a list, array or Series of whole numbers."
assert [int(count) for count in busy] == [4, 1], "Months 6 to 8 have four cars, months 3 to 5 have one."
more = recent(CAME, pd.DataFrame({"month": [8, 10, 11, 12, 8], "segment": ["home", "car", "car", "car", "boat"]}))
assert [int(count) for count in more] == [1, 4, 2, 1, 0], "Only its own segment; a month leaves after three months."
one = recent(CAME, pd.DataFrame({"month": [8, 9, 6], "segment": ["car", "car", "car"]}, index=[4, 2, 9]), window=1)
assert [int(count) for count in one] == [2, 1, 1], "A window of 1 is the month before, and no other."
### BEGIN HIDDEN TESTS
counts = LOANS.groupby(["segment", "month"]).size()
picked = LOANS.iloc[::97]
got = recent(LOANS, picked, window=2)
for value, row in zip(got, picked.itertuples(), strict=True):
    want = sum(counts.get((row.segment, row.month - back), 0) for back in (1, 2))
    assert int(value) == want, f"On real loans, a window of 2 should give {want} for one row, not {value}."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 5: the leak detector
#
# `leaks(build, applications, outcomes, month)` finds the features that have seen the future.
# - `build(applications, outcomes)` is somebody's code. It returns a data frame of numbers, a row for each application in
#   order, a column for each feature. Values may be `nan`; a `nan` that stays `nan` has not moved.
# - What became known in `month` or later is the future. A feature leaks if its value for **some application of `month`
#   or earlier** is another one when the future says something else, *or when the future is not there at all*.
# - Return the sorted list of the names of columns that leak. Leave `outcomes` as it was; `build` may write into the tables
#   that it gets, so hand it copies.
# - Two values are the same only if they are equal, without tolerance. Compare by position: the index of what `build`
#   returns means nothing.
#
# <details><summary>Hint</summary>
#
# Call `build` three times: with the outcomes as they are, with the future's `defaulted` turned round, and without the
# future's rows. Compare only the rows of `month` or earlier. Why also without the rows? A feature that counts outcomes
# does not move when `defaulted` is turned round.
# </details>


# %% answer="ex5"
def leaks(build, applications, outcomes, month):
    """Return the names of the columns whose past values depend on what became known in `month` or later."""
    ### BEGIN SOLUTION
    future = (outcomes["known_month"] >= month).to_numpy()
    turned = outcomes.assign(defaulted=outcomes["defaulted"] ^ future)
    past = (applications["month"] <= month).to_numpy()
    before = build(applications, outcomes)
    found = set()
    for other in (turned, outcomes[~future]):
        after = build(applications, other)
        for name in before.columns:
            a, b = before[name].to_numpy(float)[past], after[name].to_numpy(float)[past]
            if not np.array_equal(a, b, equal_nan=True):
                found.add(str(name))
    return sorted(found)
    ### END SOLUTION


# %% locked="builders"
def somebody(applications, outcomes):
    """Return three features, by somebody who read half of the lesson."""
    known = {month: outcomes[outcomes["known_month"] < month] for month in set(applications["month"])}
    at_once = {month: outcomes[outcomes["month"] < month] for month in set(applications["month"])}
    return pd.DataFrame(
        {
            "known": [len(known[month]) for month in applications["month"]],
            "bad_so_far": [known[month]["defaulted"].mean() for month in applications["month"]],
            "bad_at_once": [at_once[month]["defaulted"].mean() for month in applications["month"]],
        }
    )


# %% test="ex5" points=2
# Covers a builder with one leak, and one that takes the mean of all. Not shown: no future, the tables given.
found = leaks(somebody, LIVE, SMALL, 4)
assert found is not None, "leaks returned nothing: return a list of column names."
assert isinstance(found, list), f"leaks should return a list of names, not {type(found).__name__}."
assert "bad_at_once" in found, "bad_at_once counts outcomes from the month of the application on: it leaks."
assert found == ["bad_at_once"], "The other two columns hold what was known on the day: a false alarm costs, too."
kept = SMALL.copy()


def overall_mean(applications, outcomes):
    mean = outcomes["defaulted"].mean()
    return pd.DataFrame({"z_mean": [mean] * len(applications), "a_month": applications["month"].to_numpy()})


assert leaks(overall_mean, LIVE, SMALL, 4) == ["z_mean"], "The mean over the whole table has seen the future."
### BEGIN HIDDEN TESTS
assert leaks(overall_mean, LIVE, SMALL, 99) == [], "As of month 99 there is no future."
assert SMALL.equals(kept), "The outcomes that were given must stay as they were."
### END HIDDEN TESTS

# %% test="ex5" part="sharp" points=2
# Covers counts, and who is still to come. Not shown: the very month, tables in another order.


def curious(applications, outcomes):
    told = [outcomes[outcomes["known_month"] <= month] for month in applications["month"]]
    number = [len(outcomes[outcomes["month"] <= month]) for month in applications["month"]]
    later = [outcomes[outcomes["known_month"] < month + 50]["defaulted"].sum() for month in applications["month"]]
    after = [value if month > 4 else 0 for value, month in zip(later, applications["month"], strict=True)]
    return pd.DataFrame({"same_month": [part["defaulted"].sum() for part in told], "number": number, "after": after})


sharp = leaks(curious, LIVE, SMALL, 4)
assert sharp is not None, "leaks returned nothing: return a list of column names."
assert isinstance(sharp, list), f"leaks should return a list of names, not {type(sharp).__name__}."
assert "number" in sharp, "How many outcomes there are is knowledge as well, whatever they say."
more_people = pd.concat([LIVE, LIVE.tail(1).assign(month=6)], ignore_index=True)
assert "after" not in leaks(curious, more_people, SMALL, 4), "For an application of month 6, month 5 is the past."
### BEGIN HIDDEN TESTS
assert "same_month" in sharp, "A feature of month 4 used what became known in month 4: one month too curious."
assert sharp == sorted(sharp), "The names of the columns that leak should be sorted."
back_to_front = pd.concat([SMALL.tail(3), SMALL.head(3)])
assert leaks(somebody, LIVE, back_to_front, 4) == ["bad_at_once"], "Whatever the order and the index of the outcomes."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 6: the online view
#
# The service has milliseconds. So a nightly job keeps a *store*, plain data that could be a JSON file:
# `{"as_of": month or None, "counts": {segment: [known, defaults]}}`. An empty one is `{"as_of": None, "counts": {}}`.
#
# `materialise(store, outcomes, month)` returns the store as of the beginning of `month`.
# - Every outcome known by then is counted once. The nightly job hands over only the outcomes since the last one, perhaps
#   with some that were handed over before: so **add** those that became known since `store["as_of"]`, and no others. With
#   `as_of` `None` nothing was counted yet. An example: a store as of 4 holds `known_month` 3 and earlier. As of 6 it adds
#   4 and 5; a 3 that is handed over again is not added, and a 6 has to wait.
# - A second time with the same month changes nothing. A month before `as_of` is a `ValueError`. The store that was given
#   stays as it was: the job may die, and then the old one must be good.
#
# `serve(store, segment, prior=50)` returns the rate from the store alone: the same number as `rates_as_of` for that
# month, for segments that the store has never seen as well; `nan` from an empty store.


# %% answer="ex6"
def materialise(store, outcomes, month):
    """Return the store as of the beginning of `month`."""
    ### BEGIN SOLUTION
    last = store["as_of"]
    if last is not None and month < last:
        raise ValueError(f"the store is at month {last} already, {month} is before it")
    counts = {segment: list(pair) for segment, pair in store["counts"].items()}
    new = outcomes[outcomes["known_month"] < month]
    if last is not None:
        new = new[new["known_month"] >= last]
    for segment, bad in zip(new["segment"], new["defaulted"], strict=True):
        pair = counts.setdefault(segment, [0, 0])
        pair[0] += 1
        pair[1] += int(bad)
    return {"as_of": month, "counts": counts}
    ### END SOLUTION


def serve(store, segment, prior=50):
    """Return the smoothed rate of a segment from the store."""
    ### BEGIN SOLUTION
    counts = store["counts"]
    everybody = sum(pair[0] for pair in counts.values())
    if everybody == 0:
        return float("nan")
    overall = sum(pair[1] for pair in counts.values()) / everybody
    known, bad = counts.get(segment, [0, 0])
    return (bad + prior * overall) / (known + prior)
    ### END SOLUTION


# %% test="ex6" points=2
# Covers one night, the next, the same again, a step back. Not shown: other outcomes handed over.
EMPTY = {"as_of": None, "counts": {}}
night = materialise(EMPTY, SMALL, 4)
assert night is not None, "materialise returned nothing: return the new store."
assert isinstance(night, dict) and set(night) == {"as_of", "counts"}, "Return a store: a dict with as_of and counts."
assert isinstance(night["counts"], dict), "`counts` of the store is a dict from segment to [known, defaults]."
assert night["as_of"] == 4, "The store must say as of which month it holds."
assert night["counts"] == {"car": [2, 2], "home": [1, 0]}, f"Known before 4: two cars, both bad, and a home, not bad."
assert EMPTY == {"as_of": None, "counts": {}}, "The store that was given must stay as it was."
saved = copy.deepcopy(night)
assert materialise(night, SMALL, 4) == night, "A second time with the same month changes nothing."
next_night = materialise(night, SMALL, 5)
assert next_night == {"as_of": 5, "counts": {"car": [3, 2], "home": [2, 0]}}, "Month 4 was added, once."
assert night == saved, "Also the lists inside the given store must stay as they were."
only_new = SMALL[SMALL["known_month"] >= 4]
assert materialise(night, only_new, 5) == next_night, "Outcomes counted before need not be handed over again."
refused = False
try:
    materialise(next_night, SMALL, 4)
except ValueError:
    refused = True
assert refused, "Going back in time must be a ValueError."
### BEGIN HIDDEN TESTS
late = materialise(next_night, SMALL[SMALL["known_month"] >= 5], 9)
assert late == {"as_of": 9, "counts": {"car": [3, 2], "home": [3, 1]}}, "A late outcome counts from when it came."
### END HIDDEN TESTS

# %% test="ex6" part="serve" points=2
# Covers a known segment, a new one, the prior, an empty store. Not shown: training and serving side by side.
GIVEN = {"as_of": 4, "counts": {"car": [2, 2], "home": [1, 0]}}
rate = serve(GIVEN, "car", prior=2)
assert rate is not None, "serve returned nothing: return the rate."
assert isinstance(rate, (int, float)), f"serve should return one rate, not {type(rate).__name__}."
assert near(rate, (2 + 2 * (2 / 3)) / (2 + 2)), "The same as rates_as_of for month 4."
assert near(serve(GIVEN, "boat", prior=2), 2 / 3), "A segment that the store has never seen: the overall rate."
assert near(serve(GIVEN, "home"), (0 + 50 * 2 / 3) / (1 + 50)), "The usual prior is 50."
assert near(serve({"as_of": None, "counts": {}}, "car"), float("nan")), "An empty store knows no rate."
assert GIVEN == {"as_of": 4, "counts": {"car": [2, 2], "home": [1, 0]}}, "Reading must not change the store."
### BEGIN HIDDEN TESTS
view = {"as_of": None, "counts": {}}
for month in (-6, -5, 0, 2):
    view = materialise(view, LOANS, month)
    names = [*sorted(LOANS["segment"].unique())[:40], "new segment"]
    trained = rates_as_of(LOANS, names, month)
    assert all(near(serve(view, name), trained[name]) for name in names), (
        f"Training and serving differ in month {month}."
    )
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 7: what the leaky join would have promised
#
# `auc(train, test, columns)` is given: it fits a logistic regression on some columns of one table and returns the AUC
# on another. Write `promises(loans, today)`; month `today` begins.
# - `known`: loans with an outcome known by then. The hold-out is its last two months of **application**; the rest
#   of `known` is for training.
# - `live`: the loans of months `today`, `today + 1` and `today + 2`. Their outcomes serve for measuring alone.
# - The *leaky* feature is the share of defaults by segment and month of application, taken over `known`. Live loans get
#   their segment's share in the last month of application in `known`, which is the same for all segments; a segment
#   without a loan in it gets the share of defaults of all `known`.
# - The *honest* feature is `join_as_of(loans, loans)`. Its first months are `nan`; wherever it is, put the share of defaults
#   of the training rows.
# - Return `{"form": (promised, delivered), "leaky": (..., ...), "honest": (..., ...)}`: the AUC on the hold-out and on the
#   live loans of a model trained on the training rows, with the columns `FORM` alone, and with the feature added.
#
# The form alone delivers less than it promised, too: the months differ, and there are only some hundred loans in each. So
# compare each feature with `form` in the same column.


# %% locked="auc"
def auc(train, test, columns):
    """Return the AUC on `test` of a logistic regression trained on `train`."""
    model = make_pipeline(StandardScaler(), LogisticRegression(solver="newton-cholesky"))
    model.fit(train[columns].to_numpy(float), train["defaulted"])
    return float(roc_auc_score(test["defaulted"], model.predict_proba(test[columns].to_numpy(float))[:, 1]))


# %% answer="ex7"
def promises(loans, today):
    """Return what each feature promises on the hold-out and delivers on the live months."""
    ### BEGIN SOLUTION
    loans = loans.assign(honest=join_as_of(loans, loans))
    known = loans[loans["known_month"] < today].copy()
    live = loans[loans["month"].between(today, today + 2)].copy()
    last = known["month"].max()
    training, hold_out = known["month"] <= last - 2, known["month"] > last - 2
    shares = known.groupby(["segment", "month"])["defaulted"].mean()
    known["leaky"] = known.groupby(["segment", "month"])["defaulted"].transform("mean")
    live["leaky"] = live["segment"].map(shares.xs(last, level="month")).fillna(known["defaulted"].mean())
    start = known.loc[training, "defaulted"].mean()
    known["honest"], live["honest"] = known["honest"].fillna(start), live["honest"].fillna(start)
    result = {}
    for name, columns in {"form": FORM, "leaky": [*FORM, "leaky"], "honest": [*FORM, "honest"]}.items():
        train = known[training]
        result[name] = auc(train, known[hold_out], columns), auc(train, live, columns)
    return result
    ### END SOLUTION


# %% test="ex7" points=1
# Covers the shape of the answer. Not shown: the split into training, hold-out and live.
answer = promises(LOANS, 3)
assert answer is not None, "promises returned nothing: return a dict with form, leaky and honest."
assert isinstance(answer, dict), f"promises should return a dict, not {type(answer).__name__}."
assert set(answer) == {"form", "leaky", "honest"}, "Want the three keys form, leaky and honest."
for name, pair in answer.items():
    assert isinstance(pair, (tuple, list)) and len(pair) == 2, f"{name}: the value is a pair (promised, delivered)."
### BEGIN HIDDEN TESTS


def close(got, want):
    return all(abs(float(a) - float(b)) < 1e-6 for a, b in zip(got, want, strict=True))


def split(today):
    told = LOANS[LOANS["known_month"] < today]
    cut = told["month"].max() - 1
    return told[told["month"] < cut], told[told["month"] >= cut], LOANS[(LOANS["month"] - today).isin([0, 1, 2])], told


for today in (0, 3):
    fit_on, held, future, _ = split(today)
    expected = auc(fit_on, held, FORM), auc(fit_on, future, FORM)
    given = answer if today == 3 else promises(LOANS, today)
    assert close(given["form"], expected), "form: check the split into training, hold-out and live."
### END HIDDEN TESTS

# %% test="ex7" part="leaky" points=1
# Covers that the leaky column promises more. Not shown: which shares each loan gets.
answer = promises(LOANS, 3)
two = isinstance(answer, dict) and all(len(answer.get(name) or ()) == 2 for name in ("form", "leaky"))
assert two, "Return a dict with a pair (promised, delivered) for form, leaky and honest."
assert answer["leaky"][0] > answer["form"][0], (
    "On the hold-out the leaky column should promise more than the form alone."
)
### BEGIN HIDDEN TESTS
fit_on, held, future, told = split(3)
cells = told.groupby(["segment", "month"])["defaulted"].mean().rename("cell").reset_index()
newest = cells[cells["month"] == told["month"].max()].set_index("segment")["cell"]
fit_on, held = (part.merge(cells, on=["segment", "month"]) for part in (fit_on, held))
served = future.assign(cell=[newest.get(name, told["defaulted"].mean()) for name in future["segment"]])
expected = auc(fit_on, held, [*FORM, "cell"]), auc(fit_on, served, [*FORM, "cell"])
assert close(answer["leaky"], expected), "leaky: which shares do training, hold-out and live loans get?"
### END HIDDEN TESTS

# %% test="ex7" part="honest" points=1
# Covers that the honest column promises no more. Not shown: the rate of each loan.
answer = promises(LOANS, 3)
two = isinstance(answer, dict) and all(len(answer.get(name) or ()) == 2 for name in ("form", "honest"))
assert two, "Return a dict with a pair (promised, delivered) for form, leaky and honest."
near_form = abs(answer["honest"][0] - answer["form"][0]) < 0.05
assert near_form, "On the hold-out, the honest column promises about what the form alone does."
### BEGIN HIDDEN TESTS


def honest_rate(part, start):
    values = {}
    for month in part["month"].unique():
        told = LOANS[LOANS["known_month"] < month]
        tally = told.groupby("segment")["defaulted"].agg(["size", "sum"])
        tally = tally.reindex(part["segment"].unique(), fill_value=0)
        rates = (tally["sum"] + 50 * told["defaulted"].mean()) / (tally["size"] + 50)
        values |= {(name, month): value for name, value in rates.items()}
    rate = [values[key] for key in zip(part["segment"], part["month"], strict=True)]
    return part.assign(rate=pd.Series(rate, index=part.index).fillna(start))


fit_on, held, future, _ = split(3)
start = fit_on["defaulted"].mean()
fit_on, held, future = (honest_rate(part, start) for part in (fit_on, held, future))
expected = auc(fit_on, held, [*FORM, "rate"]), auc(fit_on, future, [*FORM, "rate"])
assert close(answer["honest"], expected), "honest: each loan as of its own month; nan as said."
assert not {"leaky", "honest"} & set(LOANS.columns), "The table that was given should stay as it was."
### END HIDDEN TESTS

# %% [markdown]
# ## All of it
#
# When all tests pass, run this in a cell of your own, and say in a sentence what each row means for the bank.
#
# ```python
# pd.DataFrame(promises(LOANS, 3), index=["promised", "delivered"]).T.round(3)
# ```
