# %% [markdown]
# # 03 Drift detective
#
# Each of the worlds in this lab hides something: a feed that broke, customers that changed, a recession, or nothing at
# all. You build the instruments one by one, and then name the month in which it began. Your answers are scored against
# the truth, which the simulator knows. A false alarm costs as much as a miss.
#
# You need lesson 03/09. About 75 minutes; six exercises, 21 points. `uv run course check 03-drift-detective` runs all
# tests at once.

# %% locked="setup"
import tempfile
from pathlib import Path

import numpy as np
import pandas as pd

from oakbank.deploy import monitor
from oakbank.pipelines import TrainingConfig, grant, run_training
from oakbank.world import Event, Lake, World, load_scenario, publish_history

CALM = load_scenario("calm")
DELAY = CALM.label_delay  # months from application to known outcome


def world_with(seed, *events):
    """Return a world in which these events happen, and nothing else."""
    return World(seed, CALM.model_copy(update={"events": events}))


def feed(world, months):
    """Return the applications of each of `months`, a list of data frames."""
    return [world.applications(month) for month in months]


past = feed(World(1), range(-12, 0))
reference = pd.concat(past, ignore_index=True)

# %% [markdown]
# `reference` holds the year on which the bank's model was trained, `past` its twelve months. Any month looks like this:

# %%
past[-1].head(3)

# %% [markdown]
# ## Exercise 1: how far did it move?
#
# `psi(reference, current, bins)` returns the population stability index of two samples of numbers (arrays or series of
# any lengths), a float: the sum over bins of `(p - q) * ln(p / q)`.
# - The inner edges of the bins are the quantiles `1/bins, 2/bins, ...` of the **reference**; the outer bins are open, so
#   that every value of `current` falls into a bin. A value equal to an edge belongs to the bin above it.
# - `p` and `q` are shares of the reference and of `current`. A share below `1e-4` counts as `1e-4`.


# %% answer="ex1"
def psi(reference, current, bins=10):
    """Return the population stability index of `current` against `reference`."""
    ### BEGIN SOLUTION
    inner = np.quantile(reference, [k / bins for k in range(1, bins)])
    shares = []
    for sample in (reference, current):
        counts = np.bincount(np.searchsorted(inner, sample, side="right"), minlength=bins)
        shares.append(np.maximum(counts / counts.sum(), 1e-4))
    return float(((shares[0] - shares[1]) * np.log(shares[0] / shares[1])).sum())
    ### END SOLUTION


# %% test="ex1" points=3
draw = np.random.default_rng(0)
before, same, moved = draw.normal(0, 1, 5000), draw.normal(0, 1, 3000), draw.normal(1, 1, 3000)
assert psi(before, same) is not None, "psi returned nothing: return the sum over bins."
assert abs(psi(before, before)) < 1e-12, "A sample compared with itself has moved by 0."
assert psi(before, same) < 0.02 < 0.5 < psi(before, moved), "Two draws from one source are near 0; a shifted one far."
### BEGIN HIDDEN TESTS
assert np.isclose(psi(before, moved), monitor.psi(before, moved), rtol=1e-6)
assert np.isclose(psi(before, moved, 4), monitor.psi(before, moved, 4), rtol=1e-6), "Use the number of bins given."
outside = np.concatenate([before, np.full(5000, 99.0)])
assert np.isclose(psi(before, outside), monitor.psi(before, outside), rtol=1e-6), "Values beyond the reference count."
far = psi(before, np.full(500, 99.0))
assert np.isclose(far, monitor.psi(before, np.full(500, 99.0)), rtol=1e-6), "An empty bin counts as 1e-4."
assert np.isclose(psi(moved, before), monitor.psi(moved, before), rtol=1e-6), "The bins come from the reference."
under = np.full(500, -99.0)
assert np.isclose(psi(before, under), monitor.psi(before, under), rtol=1e-6), "Values below the reference count, too."
on_the_edge = (1 / 3 - 1 / 4) * np.log((1 / 3) / (1 / 4)) + (2 / 3 - 3 / 4) * np.log((2 / 3) / (3 / 4))
touching = psi(np.array([1, 2, 3]), np.array([1, 2, 2, 2]), 2)
assert np.isclose(touching, on_the_edge), "Here every 2 lies on the edge: it belongs to the bin above."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 2: is the feed broken?
#
# Before customers are suspected, the feed is. `feed_fault(previous, current, column)` compares one numeric column of
# two months in a row, both as delivered (data frames), and returns
# - `"missing"` if `current` lacks the column, or more than half of its values are missing,
# - `"stale"` if more than half of the values are those of the month before, at the same position,
# - `"unit"` if the median is more than 3 times, or less than a third of, that of the month before,
# - `None` if none of these is so.
#
# Check in this order. Two months may have different numbers of rows; then compare as many as the shorter has. If the
# month before lacks the column, or has only missing values, nothing can be compared with it.


# %% answer="ex2"
def feed_fault(previous, current, column):
    """Return "missing", "stale", "unit" or None."""
    ### BEGIN SOLUTION
    if column not in current or current[column].isna().mean() > 0.5:
        return "missing"
    if column not in previous or previous[column].isna().all():
        return None
    rows = min(len(previous), len(current))
    if (previous[column].to_numpy()[:rows] == current[column].to_numpy()[:rows]).mean() > 0.5:
        return "stale"
    ratio = current[column].median() / previous[column].median()
    return "unit" if ratio > 3 or ratio < 1 / 3 else None
    ### END SOLUTION


# %% test="ex2" points=3
good, next_month = past[3], past[4]
assert feed_fault(good, next_month.drop(columns="income"), "income") is not None, (
    'feed_fault returned None for a column that is not there: return "missing".'
)
assert feed_fault(good, next_month.drop(columns="income"), "income") == "missing"
assert feed_fault(good, next_month, "income") is None, "Two sound months: None."
assert feed_fault(good, next_month.assign(income=next_month["income"] * 12), "income") == "unit"
### BEGIN HIDDEN TESTS
assert feed_fault(good, next_month.assign(income=next_month["income"] / 100), "income") == "unit", "Units go both ways."
assert feed_fault(good, next_month.assign(bureau_score=good["bureau_score"].to_numpy()), "bureau_score") == "stale"
again = good["bureau_score"].sample(frac=1, random_state=1).to_numpy()
assert feed_fault(good, next_month.assign(bureau_score=again), "bureau_score") is None, "Same values, other people."
shifted = next_month.assign(bureau_score=good["bureau_score"].to_numpy()).iloc[:700].set_axis(range(5000, 5700))
assert feed_fault(good, shifted, "bureau_score") == "stale", (
    "Compare by position, not by index, over the shorter month."
)
holes = next_month.assign(income=next_month["income"].where(np.arange(len(next_month)) % 3 == 0))
assert feed_fault(good, holes, "income") == "missing", "Two thirds of the values are missing."
few = next_month.assign(income=next_month["income"].where(np.arange(len(next_month)) % 3 != 0))
assert feed_fault(good, few, "income") is None, "A third is missing: not yet a fault."
assert feed_fault(good.drop(columns="income"), next_month, "income") is None, "Nothing to compare with."
assert feed_fault(good, next_month.assign(income=next_month["income"] * 2), "income") is None, "Twice is within bounds."
frozen = next_month.assign(bureau_score=good["bureau_score"].to_numpy())
assert feed_fault(good.iloc[:700], frozen, "bureau_score") == "stale", "The month before may be the shorter one."
gaps = good.assign(income=good["income"].where(np.arange(len(good)) % 3 != 0))
assert feed_fault(gaps, next_month.assign(income=next_month["income"] * 12), "income") == "unit", (
    "Some values of the month before are missing, not all of them: compare with the others."
)


def fault_of(before, after):
    return feed_fault(pd.DataFrame({"x": before}, dtype=float), pd.DataFrame({"x": after}, dtype=float), "x")


assert fault_of([1, 2, 3, 4], [3, None, None, 4]) is None, "Half of the values are missing: not more than half."
assert fault_of([1, 2, 3, 4], [1, 2, 5, 6]) is None, "Half of the values are those of before: not more than half."
assert fault_of([2, 4, 6], [6, 12, 18]) is None, "3 times is not more than 3 times."
assert fault_of([2, 4, 6], [7, 14, 21]) == "unit", "3.5 times is more than 3 times."
assert fault_of([3, 6, 9], [1, 2, 3]) is None, "A third is not less than a third."
assert fault_of([5, 10, 15], [2, 4, 6]) is None, "Two fifths is not less than a third."
assert fault_of([10, 20, 30], [3, 6, 9]) == "unit", "Three tenths is less than a third."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 3: one alarm is none
#
# A monitor that wakes people for a single odd month is switched off within a year. `first_alarm(signal, threshold,
# patience)` takes a list of numbers, one per month from month 0 on, and returns the first month from which on the
# signal is at or above `threshold` for at least `patience` months in a row; `None` if there is no such month. A value
# that is NaN (nothing measured) is below any threshold.


# %% answer="ex3"
def first_alarm(signal, threshold, patience):
    """Return the month in which the first lasting alarm begins, or None."""
    ### BEGIN SOLUTION
    length = 0
    for month, value in enumerate(signal):
        length = length + 1 if value >= threshold else 0
        if length == patience:
            return month - patience + 1
    return None
    ### END SOLUTION


# %% test="ex3" points=2
assert first_alarm([0, 0, 5, 5, 5], 3, 2) is not None, "first_alarm returned None where there is an alarm."
assert first_alarm([0, 0, 5, 5, 5], 3, 2) == 2, "It begins in month 2, though it is sure of it one month later."
assert first_alarm([0, 5, 0, 5, 0], 3, 2) is None, "Never two months in a row."
### BEGIN HIDDEN TESTS
assert first_alarm([0, 5, 0, 5, 5], 3, 2) == 3, "A single odd month starts nothing; count anew after it."
assert first_alarm([3, 3], 3, 2) == 0, "At the threshold counts."
assert first_alarm([1, 9, 1], 3, 1) == 1, "patience=1: the first month above."
assert first_alarm([5, float("nan"), 5, 5], 3, 2) == 2, "A month without a measurement breaks the row."
assert first_alarm([0, 0, 9], 3, 2) is None and first_alarm([], 3, 1) is None
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 4: do the predictions hold?
#
# `surprise(decisions, outcomes)` returns how far realised defaults lie above the predicted ones, in standard errors
# (float): `sum(y - p) / sqrt(sum(p * (1 - p)))` over the loans whose outcome is known.
# - `decisions`: data frame with `application_id`, `granted` (bool), `default_probability` (`p`).
# - `outcomes`: data frame with `application_id`, `defaulted` (bool, `y`), in any order, perhaps for a part of the loans
#   only, perhaps with loans that are not in `decisions`.
# - No loan with a known outcome: return `float("nan")`.


# %% answer="ex4"
def surprise(decisions, outcomes):
    """Return realised minus predicted defaults, in standard errors."""
    ### BEGIN SOLUTION
    both = decisions[decisions["granted"]].merge(outcomes, on="application_id")
    if both.empty:
        return float("nan")
    p = both["default_probability"]
    return float((both["defaulted"] - p).sum() / np.sqrt((p * (1 - p)).sum()))
    ### END SOLUTION


# %% test="ex4" points=3
book = pd.DataFrame({"application_id": [1, 2, 3, 4], "granted": [True, True, False, True]})
book["default_probability"] = [0.1, 0.2, 0.9, 0.5]
known = pd.DataFrame({"application_id": [4, 1, 2], "defaulted": [True, False, False]})
assert surprise(book, known) is not None, "surprise returned nothing: return the number of standard errors."
assert np.isclose(surprise(book, known), 0.2 / np.sqrt(0.09 + 0.16 + 0.25)), "Match loans by application_id."
### BEGIN HIDDEN TESTS
part = pd.DataFrame({"application_id": [2, 77], "defaulted": [True, True]})
assert np.isclose(surprise(book, part), 0.8 / 0.4), "Only loans of this book, and only those with an outcome."
assert np.isnan(surprise(book, part.iloc[:0])), "No outcome known: nan."
odd = pd.DataFrame({"application_id": [3, 1], "defaulted": [False, True]})
assert np.isclose(surprise(book, odd), 0.9 / 0.3), "A declined application has no outcome that could count."
assert surprise(book, known.assign(defaulted=False)) < 0, "Fewer defaults than predicted: below zero."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 5: when did the customers change?
#
# `find_data_drift(reference, months)` gets the year before and a list of data frames, months 0, 1, 2 ... as delivered.
# It returns `None` if the applicants did not change; otherwise `(onset, column)`: the month in which the change began
# (int) and the name of the column that moved farthest at the end.
#
# The worlds of the tests have changes in `channel`, `employment`, `purpose`, `age` or `income`, sudden or over a few
# months, and some have none. The feed is sound. `onset` may be off by one month where the change is gradual.
#
# You may use `monitor.psi`, which takes categories as well as numbers, and your own functions.
#
# <details><summary>Hint</summary>
#
# Measure what "nothing" looks like first: what is the largest PSI between `reference` and one of the months in `past`,
# over these columns? Put the threshold well above it and well below a change.
# </details>


# %% answer="ex5"
def find_data_drift(reference, months):
    """Return (onset, column) of a change in the applicants, or None."""
    ### BEGIN SOLUTION
    columns = ["channel", "employment", "purpose", "age", "income"]
    measured = [[monitor.psi(reference[name], month[name]) for name in columns] for month in months]
    over = [max(row) >= 0.06 for row in measured]
    for number in range(len(over)):
        if all(over[number:]):
            return number, columns[int(np.argmax(measured[-1]))]
    return None
    ### END SOLUTION


# %% test="ex5" points=2
WEB = {"web": 0.2, "branch": 0.15, "broker": 0.15, "aggregator": 0.5}
sudden = world_with(11, Event(kind="data_drift", onset=7, mix={"channel": WEB}))
found = find_data_drift(reference, feed(sudden, range(12)))
assert found is not None, "In this world the channels change in month 7, and you found nothing."
assert found[0] == 7, f"The change begins in month 7, you say {found[0]}."
assert found[1] == "channel", f"It is the channel that moved farthest, you say {found[1]}."
### BEGIN HIDDEN TESTS
for quiet in (21, 22, 23, 24):
    assert find_data_drift(reference, feed(World(quiet), range(12))) is None, "A false alarm: here nothing happens."
### END HIDDEN TESTS

# %% test="ex5" part="unseen" points=3
### BEGIN HIDDEN TESTS
WORK = {"salaried": 0.46, "self_employed": 0.21, "temporary": 0.17, "retired": 0.08, "unemployed": 0.08}
unseen = [
    (31, Event(kind="data_drift", onset=3, mix={"employment": WORK}), 3, "employment", 0),
    (32, Event(kind="data_drift", onset=9, level={"income_log": -0.5}), 9, "income", 0),
    (33, Event(kind="data_drift", onset=5, level={"age_years": 9.0}), 5, "age", 0),
    (34, Event(kind="data_drift", onset=4, ramp=3, mix={"channel": WEB}), 4, "channel", 1),
]
for seed, event, onset, column, slack in unseen:
    named = find_data_drift(reference, feed(world_with(seed, event), range(12)))
    assert named is not None, f"In one of the worlds {column} changes in month {onset}, and you found nothing."
    assert abs(named[0] - onset) <= slack, f"{column} changes in month {onset}; you say {named[0]}."
    assert named[1] == column, f"{column} moved farthest; you say {named[1]}."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 6: when did the world change?
#
# Inputs look as ever, and the bank loses money. `surprises` is a list with one number per month of **arrival**, from
# month 0 on: what exercise 4 gives for the outcomes that arrived in that month. `find_concept_drift(surprises, delay)`
# returns the month of **application** in which loans began to go worse than predicted, or `None`; `delay` is the number
# of months from an application to its outcome. The first numbers are of loans from before month 0: an onset there is a
# negative month.
#
# A model that chooses its own loans is a little too hopeful even in a calm world, so expect calm surprises of up to 3;
# the recessions here are worse than that, and they last.


# %% answer="ex6"
def find_concept_drift(surprises, delay):
    """Return the month of application from which on loans go worse than predicted, or None."""
    ### BEGIN SOLUTION
    above = [value >= 4.5 for value in surprises]
    starts = [month for month in range(len(above) - 1) if above[month] and above[month + 1]]
    return starts[0] - delay if starts else None
    ### END SOLUTION


# %% locked="bank"
lake = Lake(Path(tempfile.mkdtemp()) / "lake")
publish_history(World(1), lake)
model = run_training(TrainingConfig(), lake, lake.folder.parent / "run").model()


def surprises_of(world, months):
    """Return what the bank's model would have been surprised by: one number per month of arrival."""
    found = []
    for month in months:
        asked = world.applications(month - DELAY)
        risk = model.predict(asked)
        yes = grant(risk, asked["amount"], asked["term"])
        book = pd.DataFrame({"application_id": asked["application_id"], "granted": yes, "default_probability": risk})
        found.append(monitor.performance_report(book, world.outcomes(month, asked["application_id"][yes])).z)
    return found


# %% test="ex6" points=2
assert find_concept_drift([0, 1, 0, 2, 9, 11, 12], 3) is not None, "There is a lasting surprise, and you found nothing."
assert find_concept_drift([0, 1, 0, 2, 9, 11, 12], 3) == 1, "Outcomes that arrive in month 4 are of loans of month 1."
assert find_concept_drift([0, 1, -1, 2, 1, 0], 3) is None, "Nothing happens here."
### BEGIN HIDDEN TESTS
assert find_concept_drift([0, 9, 0, 1, 0, 8, 9, 9], 2) == 3, "One odd month is no recession: it has to last."
assert find_concept_drift([8, 9, 9, 9], 3) == -3, "It began before month 0."
assert find_concept_drift([0, -9, -9, -9], 3) is None, "Loans that go better than predicted are no alarm."
assert find_concept_drift([2.5, 2.8, 2.6, 2.9, 2.7, 2.5], 3) is None, "Surprises of up to 3 are calm, also in a row."
### END HIDDEN TESTS

# %% test="ex6" part="unseen" points=3
### BEGIN HIDDEN TESTS
for seed, onset in ((41, 6), (42, 10)):
    hit = world_with(seed, Event(kind="concept_drift", onset=onset, risk={"intercept": 1.0, "discipline": 0.4}))
    named = find_concept_drift(surprises_of(hit, range(18)), DELAY)
    assert named is not None, f"A recession begins in month {onset}, and you found nothing."
    assert abs(named - onset) <= 1, f"A recession begins in month {onset}; you say {named}."
for seed in (51, 52):
    assert find_concept_drift(surprises_of(World(seed), range(18)), DELAY) is None, "A false alarm: a calm world."
### END HIDDEN TESTS

# %% [markdown]
# ## All of it
#
# When all tests pass, try your instruments on `World(8, "stormy")`, in which several things happen, and compare with
# `load_scenario("stormy").events`.
