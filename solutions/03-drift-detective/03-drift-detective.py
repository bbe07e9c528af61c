# %% [markdown]
# # 03 Drift detective
#
# Each of the worlds in this lab hides something: a feed that broke, customers that changed, a recession, or nothing at
# all. You build the instruments one by one, and then name the month in which it began. Your answers are scored against
# the truth, which the simulator knows. A false alarm costs as much as a miss.
#
# You need lesson 03/10. About 85 minutes; seven exercises, 25 points. `python3 bootstrap.py check 03-drift-detective`
# runs the tests that you see. A grader's tests go further; the first line of each test says where.

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
past[-1].head(3).T

# %% [markdown]
# The bank's model, trained on the same year, and what it would have been surprised by. You need neither before
# exercise 6.

# %% locked="bank"
lake = Lake(Path(tempfile.mkdtemp()) / "lake")
publish_history(World(1), lake)
model = run_training(TrainingConfig(rounds=60), lake, lake.folder.parent / "run").model()


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
# Covers the edges of the bins, values beyond the reference, empty bins. Not shown: other samples.
draw = np.random.default_rng(0)
before, same, moved = draw.normal(0, 1, 5000), draw.normal(0, 1, 3000), draw.normal(1, 1, 3000)
value = psi(before, same)
assert value is not None, "psi returned nothing: return the sum over bins."
assert isinstance(value, (int, float)), f"psi should return one number, not {type(value).__name__}."
assert abs(psi(before, before)) < 1e-12, "A sample compared with itself has moved by 0."
assert psi(before, same) < 0.02 < 0.5 < psi(before, moved), "Two draws from one source are near 0; a shifted one far."
hundred = np.arange(100.0)
for bins in (10, 4):
    inside = (bins - 1) * (1 / bins - 1e-4) * np.log(1 / bins / 1e-4)  # the bins that are empty in `current`
    all_above = inside + (1 / bins - 1) * np.log(1 / bins)
    above, below = psi(hundred, np.full(50, 999.0), bins), psi(hundred, np.full(50, -999.0), bins)
    assert np.isclose(above, all_above), f"All values above the reference, {bins} bins: want {all_above}, not {above}."
    assert np.isclose(below, all_above), f"All values below the reference, {bins} bins: want {all_above}, not {below}."
on_the_edge = (1 / 3 - 1 / 4) * np.log((1 / 3) / (1 / 4)) + (2 / 3 - 3 / 4) * np.log((2 / 3) / (3 / 4))
touching = psi(np.array([1, 2, 3]), np.array([1, 2, 2, 2]), 2)
assert np.isclose(touching, on_the_edge), "Here every 2 lies on the edge: it belongs to the bin above."
### BEGIN HIDDEN TESTS
pairs = {"a shifted sample": (before, moved), "the two the other way round": (moved, before)}
pairs["a sample of which half lies beyond the reference"] = (before, np.concatenate([before, np.full(5000, 99.0)]))
pairs["a skewed sample"] = (np.exp(before), np.exp(moved))
for what, (first, second) in pairs.items():
    for bins in (10, 4, 25):
        want, got = monitor.psi(first, second, bins), psi(first, second, bins)
        assert np.isclose(got, want, rtol=1e-6), f"For {what} and {bins} bins psi should be {want}, not {got}."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 2: is the feed broken?
#
# Before customers are suspected, the feed is. `feed_fault(previous, current, column)` compares one numeric column of
# two months in a row, both as delivered (data frames), and returns
# - `"missing"` if `current` lacks the column, or more than half of its values are missing,
# - `"stale"` if more than half of the values compared are those of the month before, at the same position,
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


# %% test="ex2" points=2
# Covers each fault once, and sound months. Not shown: other columns and sizes.
def fault_of(before, after):
    """Return what feed_fault says of a column with these values in two months."""
    return feed_fault(pd.DataFrame({"x": before}, dtype=float), pd.DataFrame({"x": after}, dtype=float), "x")


good, next_month = past[3], past[4]
absent = feed_fault(good, next_month.drop(columns="income"), "income")
assert absent is not None, 'feed_fault returned None for a column that is not there: return "missing".'
assert isinstance(absent, str) and absent == "missing", f'The column is not there: "missing", not {absent!r}.'
assert feed_fault(good, next_month, "income") is None, "Two sound months: None."
holes = fault_of([1, 2, 3, 4], [None, None, None, 4])
assert holes == "missing", f'Three of four values are missing: "missing", not {holes!r}.'
unit = feed_fault(good, next_month.assign(income=next_month["income"] * 12), "income")
assert unit == "unit", f'The income is 12 times as high: "unit", not {unit!r}.'
unit = feed_fault(good, next_month.assign(income=next_month["income"] / 100), "income")
assert unit == "unit", f'The income is a hundredth: "unit", not {unit!r}.'
assert fault_of([1, 2, 3, 4], [1, 2, 3, 9]) == "stale", 'Three of four values are those of before: "stale".'
assert fault_of([1, 2, 3, 4], [4, 3, 2, 1]) is None, "The same values of other people, at other positions: None."
assert fault_of([1, 2, 3, 4, 5], [1, 2, 3]) == "stale", "Compare as many rows as the shorter month has."
assert feed_fault(good.drop(columns="income"), next_month, "income") is None, (
    "The month before lacks the column, so nothing can be compared: None."
)
### BEGIN HIDDEN TESTS
again = good["bureau_score"].sample(frac=1, random_state=1).to_numpy()
sound = feed_fault(good, next_month.assign(bureau_score=again), "bureau_score")
assert sound is None, "The same values of other people should be no fault."
frozen = next_month.assign(bureau_score=good["bureau_score"].to_numpy())
for first, second in (
    (good, frozen),
    (good, frozen.iloc[:700].set_axis(range(5000, 5700))),
    (good.iloc[:700], frozen),
):
    stale = feed_fault(first, second, "bureau_score")
    assert stale == "stale", f"Scores that stand still: compare by position over the shorter month. You say {stale!r}."
shifted = good.set_axis(range(len(good), 0, -1))
assert feed_fault(shifted, frozen, "bureau_score") == "stale", "The index should not matter for what stands still."
holes = next_month.assign(income=next_month["income"].where(np.arange(len(next_month)) % 3 == 0))
assert feed_fault(good, holes, "income") == "missing", "Two thirds of the values are missing, which is a fault."
few = next_month.assign(income=next_month["income"].where(np.arange(len(next_month)) % 3 != 0))
assert feed_fault(good, few, "income") is None, "A third of the values is missing, which should be no fault."
double = next_month.assign(income=next_month["income"] * 2)
assert feed_fault(good, double, "income") is None, "Twice the median should be within the bounds."
### END HIDDEN TESTS

# %% test="ex2" part="limits" points=1
# Covers what lies just on a limit. Not shown: what lies beside it, and gaps in the month before.
half = fault_of([1, 2, 3, 4], [3, None, None, 4])
assert half is None, f"Half of the values are missing, which is not more than half: None, not {half!r}."
treble = fault_of([2, 4, 6], [6, 12, 18])
assert treble is None, f"3 times is not more than 3 times: None, not {treble!r}."
more = fault_of([2, 4, 6], [7, 14, 21])
assert more is not None and more == "unit", f'3.5 times is more than 3 times: "unit", not {more!r}.'
### BEGIN HIDDEN TESTS
assert fault_of([1, 2, 3, 4], [1, 2, 5, 6]) is None, "Half of the values being those of before is not more than half."
assert fault_of([3, 6, 9], [1, 2, 3]) is None, "A third of the median is not less than a third."
assert fault_of([5, 10, 15], [2, 4, 6]) is None, "Two fifths of the median is not less than a third."
assert fault_of([10, 20, 30], [3, 6, 9]) == "unit", "Three tenths of the median is less than a third."
gaps = good.assign(income=good["income"].where(np.arange(len(good)) % 3 != 0))
assert feed_fault(gaps, next_month.assign(income=next_month["income"] * 12), "income") == "unit", (
    "Some values of the month before are missing, not all of them: compare with the others."
)
assert fault_of([None, None], [1, 2]) is None, "The month before has only missing values, so nothing can be compared."
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
# Covers a lasting alarm, single months, the threshold, a gap. Not shown: other signals.
lasting = first_alarm([0, 0, 5, 5, 5], 3, 2)
assert lasting is not None, "first_alarm returned None where there is an alarm."
assert isinstance(lasting, (int, np.integer)), f"Return a month, an int, not {type(lasting).__name__}."
assert lasting == 2, "It begins in month 2, though it is sure of it one month later."
assert first_alarm([0, 5, 0, 5, 0], 3, 2) is None, "Never two months in a row."
assert first_alarm([0, 5, 0, 5, 5], 3, 2) == 3, "A single odd month starts nothing; count anew after it."
assert first_alarm([3, 3], 3, 2) == 0, "At the threshold counts."
assert first_alarm([5, float("nan"), 5, 5], 3, 2) == 2, "A month without a measurement breaks the row."
assert first_alarm([0, 0, 9], 3, 2) is None, "One month is not two in a row, also at the end: None."
### BEGIN HIDDEN TESTS
assert first_alarm([1, 9, 1], 3, 1) == 1, "With a patience of 1 the first month above the threshold is the alarm."
assert first_alarm([9, 9, 1, 9, 9, 9, 9], 3, 3) == 3, "With a patience of 3 two months in a row should be no alarm."
assert first_alarm([], 3, 1) is None, "Without a month there is no alarm."
assert first_alarm([0.06, 0.05, 0.07, 0.2], 0.06, 2) == 2, "The threshold should be the one that is given."
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
# Covers the formula and which loans count. Not shown: other books.
book = pd.DataFrame({"application_id": [1, 2, 3, 4], "granted": [True, True, False, True]})
book["default_probability"] = [0.1, 0.2, 0.9, 0.5]
known = pd.DataFrame({"application_id": [4, 1, 2], "defaulted": [True, False, False]})
value = surprise(book, known)
assert value is not None, "surprise returned nothing: return the number of standard errors."
assert isinstance(value, (int, float)), f"surprise should return one number, not {type(value).__name__}."
assert np.isclose(value, 0.2 / np.sqrt(0.09 + 0.16 + 0.25)), "Match loans by application_id."
part = pd.DataFrame({"application_id": [2, 77], "defaulted": [True, True]})
assert np.isclose(surprise(book, part), 0.8 / 0.4), "Only loans of this book, and only those with an outcome."
odd = pd.DataFrame({"application_id": [3, 1], "defaulted": [False, True]})
assert np.isclose(surprise(book, odd), 0.9 / 0.3), "A declined application has no outcome that could count."
nothing = surprise(book, part.iloc[:0])
assert isinstance(nothing, float) and np.isnan(nothing), f'No outcome known: float("nan"), not {nothing!r}.'
### BEGIN HIDDEN TESTS
assert surprise(book, known.assign(defaulted=False)) < 0, "Fewer defaults than predicted should give less than zero."
ids = np.random.default_rng(3).permutation(5000)[:400]
risk = np.linspace(0.02, 0.6, 400)
large = pd.DataFrame({"application_id": ids, "granted": ids % 3 > 0, "default_probability": risk})
ended = pd.DataFrame({"application_id": np.sort(ids)[::-1], "defaulted": np.sort(ids)[::-1] % 5 == 0}).iloc[:300]
held = large["granted"] & large["application_id"].isin(ended["application_id"])
p, y = risk[held], (ids % 5 == 0)[held]
want, got = (y - p).sum() / np.sqrt((p * (1 - p)).sum()), surprise(large, ended)
assert np.isclose(got, want), f"Of 400 loans, some declined and some without an outcome, want {want}, not {got}."
declined_only = pd.DataFrame({"application_id": [3], "defaulted": [True]})
assert np.isnan(surprise(book, declined_only)), "Only a declined application has an outcome: nothing is known of loans."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 5: when did the customers change?
#
# `find_data_drift(reference, months)` gets the year before and a list of data frames: of months 0, 1, 2 ... the columns
# named below, as delivered.
# It returns `None` if the applicants did not change; otherwise `(onset, column)`: the month in which the change began
# (int) and the name of the column that has moved farthest in the last month.
#
# The worlds of the tests have changes in `channel`, `employment`, `purpose`, `age` or `income`, sudden or over a few
# months, and some have none: one change at most that stays, and none that begins in the last month. The feed is sound.
# `onset` may be off by one month where the change is gradual. A single odd month, after which all is as before, is no
# change.
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


# %% locked="applicants"
MAY_CHANGE = ["channel", "employment", "purpose", "age", "income"]


def applicants(world, months):
    """Return of each of `months` what may change, a list of data frames."""
    return [month[MAY_CHANGE] for month in feed(world, months)]


# %% test="ex5" points=2
# Covers one sudden change, and a calm year. Not shown: other calm years.
WEB = {"web": 0.2, "branch": 0.15, "broker": 0.15, "aggregator": 0.5}
sudden = world_with(11, Event(kind="data_drift", onset=7, mix={"channel": WEB}))
found = find_data_drift(reference, applicants(sudden, range(12)))
assert found is not None, "In this world the channels change in month 7, and you found nothing."
assert isinstance(found, (tuple, list)) and len(found) == 2, "Return two things: (onset, column)."
assert found[0] == 7, f"The change begins in month 7, you say {found[0]}."
assert found[1] == "channel", f"It is the channel that moved farthest, you say {found[1]}."
calm = find_data_drift(reference, applicants(World(20), range(12)))
assert calm is None, f"A false alarm: in this world nothing happens, and you say {calm}."
### BEGIN HIDDEN TESTS
for quiet in (7_120_441_093, 7_120_441_094):
    calm = find_data_drift(reference, applicants(World(quiet), range(12)))
    assert calm is None, "A false alarm: in one more world nothing happens, and you found a change."
other = world_with(7_120_441_090, Event(kind="data_drift", onset=5, mix={"channel": WEB}))
named = find_data_drift(reference, applicants(other, range(12)))
assert named is not None, "In another world the channels change in month 5, and you found nothing."
assert tuple(named) == (5, "channel"), f'In another world it should be (5, "channel"); you say {named}.'
### END HIDDEN TESTS

# %% test="ex5" part="unseen" points=2
# Covers a smaller change. Not shown: changes of other columns, one of them gradual.
WORK = {"salaried": 0.46, "self_employed": 0.21, "temporary": 0.17, "retired": 0.08, "unemployed": 0.08}
smaller = world_with(30, Event(kind="data_drift", onset=3, mix={"employment": WORK}))
found = find_data_drift(reference, applicants(smaller, range(12)))
assert found is not None, "In this world the employment changes a little in month 3, and you found nothing."
assert isinstance(found, (tuple, list)) and len(found) == 2, "Return two things: (onset, column)."
assert tuple(found) == (3, "employment"), f'In this world it is (3, "employment"), you say {found}.'
### BEGIN HIDDEN TESTS
unseen = [
    (8_300_517_331, Event(kind="data_drift", onset=6, mix={"employment": WORK}), 6, "employment", 0),
    (8_300_517_332, Event(kind="data_drift", onset=9, level={"income_log": -0.5}), 9, "income", 0),
    (8_300_517_333, Event(kind="data_drift", onset=5, level={"age_years": 9.0}), 5, "age", 0),
    (8_300_517_334, Event(kind="data_drift", onset=4, ramp=3, mix={"channel": WEB}), 4, "channel", 1),
]
for seed, event, onset, column, slack in unseen:
    named = find_data_drift(reference, applicants(world_with(seed, event), range(onset + 3)))
    assert named is not None, f"In one of the worlds {column} changes in month {onset}, and you found nothing."
    assert abs(named[0] - onset) <= slack, f"In a world {column} changes in month {onset}; you say {named[0]}."
    assert named[1] == column, f"In a world {column} moved farthest; you say {named[1]}."
### END HIDDEN TESTS

# %% test="ex5" part="odd" points=1
# Covers a month that is odd, after which all is as before. Not shown: an odd month before a change.
once = world_with(40, Event(kind="data_drift", onset=4, until=5, mix={"channel": WEB}))
nothing = find_data_drift(reference, applicants(once, range(12)))
assert nothing is None, f"Month 4 alone is odd here, which is no change: None, not {nothing}."
stays = find_data_drift(reference, applicants(sudden, range(12)))
assert stays is not None, "A change that stays must still be found."
### BEGIN HIDDEN TESTS
first = Event(kind="data_drift", onset=2, until=3, level={"age_years": 9.0})
then = Event(kind="data_drift", onset=8, mix={"employment": WORK})
named = find_data_drift(reference, applicants(world_with(9_044_118_207, first, then), range(12)))
assert named is not None, "After an odd month the employment changes in month 8, and you found nothing."
assert named[0] == 8, f"Month 2 is odd, and the change begins in month 8; you say {named[0]}."
assert named[1] == "employment", f"In the end it is the employment that moved farthest; you say {named[1]}."
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
# A model that chooses its own loans is a little too hopeful even in a calm world, so expect calm surprises of up to 3,
# and 3 is calm, too; the recessions here are worse than that, and they last.


# %% answer="ex6"
def find_concept_drift(surprises, delay):
    """Return the month of application from which on loans go worse than predicted, or None."""
    ### BEGIN SOLUTION
    above = [value >= 4.5 for value in surprises]
    starts = [month for month in range(len(above) - 1) if above[month] and above[month + 1]]
    return starts[0] - delay if starts else None
    ### END SOLUTION


# %% test="ex6" points=2
# Covers a lasting surprise, an odd month, an onset before month 0, a calm year. Not shown: other lists.
lasting = find_concept_drift([0, 1, 0, 2, 9, 11, 12], 3)
assert lasting is not None, "There is a lasting surprise, and you found nothing."
assert isinstance(lasting, (int, np.integer)), f"Return a month, an int, not {type(lasting).__name__}."
assert lasting == 1, "Outcomes that arrive in month 4 are of loans of month 1."
assert find_concept_drift([0, 1, -1, 2, 1, 0], 3) is None, "Nothing happens here."
assert find_concept_drift([0, 9, 0, 1, 0, 8, 9, 9], 2) == 3, "One odd month is no recession: it has to last."
assert find_concept_drift([8, 9, 9, 9], 3) == -3, "It began before month 0: the month is negative."
assert find_concept_drift([0, -9, -9, -9], 3) is None, "Loans that go better than predicted are no alarm."
assert find_concept_drift([2.5, 2.8, 3.0, 3.0, 3.0], 3) is None, "Surprises of up to 3 are calm, also in a row."
### BEGIN HIDDEN TESTS
assert find_concept_drift([2.9, 2.8, 7, 1, 2.7, 8, 9, 9], 4) == 1, "After an odd month the recession has to be found."
assert find_concept_drift([0, 0, 8, 9, 9], 0) == 2, "The delay should be the one that is given, also if it is 0."
assert find_concept_drift([2, -8, 2, -9, -9, -7], 2) is None, "Loans that go better for months should be no alarm."
assert find_concept_drift([], 3) is None, "No month has arrived, so nothing is found."
### END HIDDEN TESTS

# %% test="ex6" part="unseen" points=3
# Covers one world with a recession. Not shown: others, and calm ones.
RECESSION = {"intercept": 1.0, "discipline": 0.4}
slump = world_with(40, Event(kind="concept_drift", onset=8, risk=RECESSION))
named = find_concept_drift(surprises_of(slump, range(16)), DELAY)
assert named is not None, "In this world a recession begins in month 8, and you found nothing."
assert isinstance(named, (int, np.integer)), f"Return a month, an int, not {type(named).__name__}."
assert abs(named - 8) <= 1, f"In this world a recession begins in month 8; you say {named}."
### BEGIN HIDDEN TESTS
for seed, onset in ((6_550_238_141, 6), (6_550_238_142, 10)):
    hit = world_with(seed, Event(kind="concept_drift", onset=onset, risk=RECESSION))
    named = find_concept_drift(surprises_of(hit, range(16)), DELAY)
    assert named is not None, f"In one more world a recession begins in month {onset}, and you found nothing."
    assert abs(named - onset) <= 1, f"In one more world a recession begins in month {onset}; you say {named}."
named = find_concept_drift(surprises_of(World(6_550_238_151), range(16)), DELAY)
assert named is None, f"A false alarm: the world is calm, and you say {named}."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 7: a page for a colleague
#
# Your instruments fit this bank; a colleague wants a page that every tool can make. `evidently_page(reference, current,
# numbers, categories, page)` compares the columns `numbers` and `categories` (lists of names) of two data frames with
# **Evidently** (lesson 03/10), writes its page to the path `page`, and returns a dict with
# - `"rows"`: the rows of `current`, from Evidently's `RowCount` (`evidently.metrics`),
# - `"drifted"`: how many columns drifted, from its `DriftedColumnsCount`, which the preset brings along,
# - each column's name: its number from Evidently.
#
# Numbers are compared by the test `ks`, and drift if the p-value is below 0.05 divided by the number of columns in
# `numbers`; categories by `psi`, with the threshold 0.25. The preset has an argument for each of the four, and
# `help(DataDriftPreset)` names them. One of the lists may be empty. Of columns that are in neither list nothing is said.
#
# <details><summary>Hint</summary>
#
# `snapshot.dict()["metrics"]` is a list of dicts with `config` and `value`. `config["type"]` ends with the name of the
# metric; where a metric is about a column, `config["column"]` is its name. A `value` is a number, or a dict with a
# `count` and a `share`.
# </details>


# %% answer="ex7"
def evidently_page(reference, current, numbers, categories, page):
    """Write Evidently's page; return rows, drifted columns, and one number a column."""
    ### BEGIN SOLUTION
    from evidently import DataDefinition, Dataset, Report
    from evidently.metrics import RowCount
    from evidently.presets import DataDriftPreset

    definition = DataDefinition(numerical_columns=list(numbers), categorical_columns=list(categories))
    columns = [*numbers, *categories]
    before, after = (Dataset.from_pandas(frame[columns], definition) for frame in (reference, current))
    preset = DataDriftPreset(
        num_method="ks", num_threshold=0.05 / max(len(numbers), 1), cat_method="psi", cat_threshold=0.25
    )
    snapshot = Report([preset, RowCount()]).run(after, before)
    snapshot.save_html(str(page))
    found = {}
    for metric in snapshot.dict()["metrics"]:
        config, value = metric["config"], metric["value"]
        if config["type"].endswith("DriftedColumnsCount"):
            found["drifted"] = int(value["count"])
        elif config["type"].endswith("RowCount"):
            found["rows"] = int(value)
        else:
            found[config["column"]] = float(value)
    return found
    ### END SOLUTION


# %% test="ex7" points=2
# Covers two numbers and a category, of which one number and the category drift. Not shown: other tables.
from scipy.stats import ks_2samp

fold = Path(tempfile.mkdtemp())
rng = np.random.default_rng(3)
old = pd.DataFrame({"age": rng.normal(40, 9, 3000), "income": rng.normal(30, 5, 3000), "note": "x"})
new = pd.DataFrame({"age": rng.normal(44, 9, 1200), "income": rng.normal(30, 5, 1200), "note": "y"})
old["channel"], new["channel"] = rng.choice(["web", "shop"], 3000), rng.choice(["web", "shop"], 1200, p=[0.85, 0.15])
said = evidently_page(old, new, ["age", "income"], ["channel"], fold / "page.html")
assert isinstance(said, dict), f"evidently_page should return a dict, not {type(said).__name__}."
assert set(said) == {"rows", "drifted", "age", "income", "channel"}, f"The keys should be others than {sorted(said)}."
assert said["rows"] == 1200, f"`current` has 1200 rows, you say {said['rows']}: which table is the new one?"
for name in ("age", "income"):
    want = ks_2samp(old[name], new[name]).pvalue
    assert np.isclose(said[name], want, rtol=0.05, atol=1e-12), f"By `ks` {name} should be {want}, not {said[name]}."
want = monitor.psi(old["channel"], new["channel"])
assert np.isclose(said["channel"], want, rtol=0.01), f"By `psi` channel should be {want}, not {said['channel']}."
assert said["drifted"] == 2, f"Age and channel drift, so 2 columns do; you say {said['drifted']}."
assert (fold / "page.html").is_file(), "There is no page at the path `page`."
assert "<html" in (fold / "page.html").read_text(encoding="utf-8"), "The page should be Evidently's HTML."
### BEGIN HIDDEN TESTS
many = pd.DataFrame({f"n{k}": rng.normal(0, 1, 900) for k in range(3)})
less = many.iloc[:400].assign(n1=rng.normal(0.4, 1, 400))
told = evidently_page(many, less, ["n2", "n1"], [], fold / "other.html")
assert set(told) == {"rows", "drifted", "n2", "n1"}, "Of columns that are in neither list nothing is said."
assert told["rows"] == 400, "For another table, `rows` should be the rows of `current`."
want = ks_2samp(many["n1"], less["n1"]).pvalue
assert np.isclose(told["n1"], want, rtol=0.05, atol=1e-12), "For another table, a number should be compared by `ks`."
assert (fold / "other.html").stat().st_size > 100_000, "The other page should be at its path, too."
terms = pd.DataFrame({"term": np.repeat([12, 24, 36], [300, 400, 300])})
told = evidently_page(terms, terms.iloc[:600], ["term"], [], fold / "terms.html")
want = ks_2samp(terms["term"], terms["term"][:600]).pvalue
assert np.isclose(told["term"], want, rtol=0.05, atol=1e-12), (
    "A number of three values should be compared by `ks`, too."
)
### END HIDDEN TESTS

# %% test="ex7" part="thresholds" points=2
# Covers a number that drifts a little, a table without numbers. Not shown: more columns, other categories.
slight = pd.DataFrame({f"n{k}": np.arange(2000) % 1000 / 1000 for k in range(2)})
shifted = slight.iloc[:1000].copy()
shifted["n0"] = np.clip(shifted["n0"] + 0.054, 0, 1.2)  # the p-value is between 0.025 and 0.05
alone = evidently_page(slight, shifted, ["n0"], [], fold / "alone.html")
assert isinstance(alone, dict), f"evidently_page should return a dict, not {type(alone).__name__}."
assert {"n0", "drifted"} <= set(alone), f"The keys should be n0, drifted and rows, not {sorted(alone)}."
assert 0.025 < alone["n0"] < 0.05, f"By `ks` the p-value of n0 is between 0.025 and 0.05, not {alone['n0']}."
assert alone["drifted"] == 1, "A single number below 0.05 has drifted."
among = evidently_page(slight, shifted, list(slight), [], fold / "among.html")
assert among["drifted"] == 0, "Among two numbers 0.05 is shared out: at 0.025 none has drifted."
parts = pd.DataFrame({"kind": np.repeat(["a", "b"], [600, 400])})
much = pd.DataFrame({"kind": np.repeat(["a", "b"], [300, 700])})  # the index is above 0.25
try:
    drifted = evidently_page(parts, much, [], ["kind"], fold / "much.html")["drifted"]
except ZeroDivisionError:
    drifted = None
assert drifted is not None, "`numbers` may be empty: by how many columns do you divide 0.05 then?"
assert drifted == 1, f"Above 0.25 a category drifts, so 1 column does; you say {drifted}."
### BEGIN HIDDEN TESTS
shifted["n0"] = np.clip(slight["n0"][:1000] + 0.047, 0, 1.2)  # the p-value is between 0.05 and 0.1
more = evidently_page(slight, shifted, ["n0"], [], fold / "more.html")
assert more["drifted"] == 0, "A single number above 0.05 should not have drifted."
little = pd.DataFrame({"kind": np.repeat(["a", "b"], [420, 580])})  # the index is between 0.1 and 0.25
assert evidently_page(parts, little, [], ["kind"], fold / "k.html")["drifted"] == 0, "Below 0.25 no category drifts."
### END HIDDEN TESTS

# %% [markdown]
# ## All of it
#
# When all tests pass, try your instruments on `World(8, "stormy")`, in which several things happen, and compare with
# `load_scenario("stormy").events`.
