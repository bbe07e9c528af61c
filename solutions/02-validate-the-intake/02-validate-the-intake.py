# %% [markdown]
# # 02 Validate the intake
#
# Oakbank's suppliers send rows that are broken, rows that come twice, and now and then a whole month that is wrong. In
# this lab you build what stands at the door: rules for rows with a reason for each, a quarantine that loses nothing,
# an intake in which the latest delivery counts, and at the end a watchman who looks at a month and names what is wrong
# with it. The watchman is judged against the truth: a fault that it misses costs, and a false alarm costs the same.
#
# You need lessons 02/02 and 02/03. About 90 minutes; seven exercises, 29 points. `python3 bootstrap.py check
# 02-validate-the-intake` runs the tests that you see. A grader's tests go further; the first line of each test says
# where.

# %% locked="setup"
import warnings

import numpy as np
import pandas as pd

from oakbank.world import CATEGORIES, COLUMNS, World, load_scenario

warnings.filterwarnings("ignore", "Mean of empty slice")  # the median of a column without any number

RANGES = {column.name: (column.low, column.high) for column in COLUMNS if column.high is not None}
VALUES = dict(CATEGORIES)


def feeds(seed, scenario="calm", months=range(-8, 4)):
    """Return honest months as they are delivered: never of quite the same size, and with a few holes."""
    rng = np.random.default_rng(seed)
    world = World(seed, load_scenario(scenario).model_copy(update={"applications_per_month": 500}))
    delivered = []
    for number in months:
        month = world.applications(number).head(int(500 * rng.uniform(0.8, 1.0))).astype(dict.fromkeys(VALUES, object))
        month["debts"] = month["debts"].mask(rng.permutation(len(month)) < 0.02 * len(month))
        delivered.append(month)
    return delivered


CALM = feeds(2)  # twelve months in which nothing happens

# %% [markdown]
# The contract of a row, in two tables: columns of numbers with the smallest and the largest value that is allowed, and
# columns of categories with their values.

# %%
RANGES

# %%
VALUES

# %% [markdown]
# The next cell is for exercise 7, where you will need it; you need not read it now. It plants faults in honest months
# and remembers the truth.


# %% locked="practice"
def plant(month, before, kind, column, strength):
    """Return the month with one fault, in a share `strength` of its rows (unit: times `strength`)."""
    hit = np.arange(len(month)) % 100 < 100 * strength
    if kind == "missing_column":
        return month.drop(columns=column)
    if kind == "unit":
        return month.assign(**{column: month[column] * strength})
    if kind == "stale":
        return month.assign(**{column: month[column].mask(hit, np.resize(before[column].to_numpy(), len(month)))})
    if kind == "missing_values":
        return month.assign(**{column: month[column].mask(hit)})
    if kind == "unknown_values":
        return month.assign(**{column: month[column].mask(hit, month[column].str.upper())})
    return pd.concat([month] * 3, ignore_index=True).head(int(len(month) * strength))  # volume


def case(months, at, faults, spoiled=()):
    """Return month `at` of `months`, the five before it, and the truth. A fault is (kind, column, strength).

    `spoiled` are faults that are no news, as (place, fault): -2 is the month before, 0 the oldest of the five.
    """
    months = months[at - 5 : at + 1]
    for place, fault in spoiled:
        months[place] = plant(months[place], months[place - 1], *fault)
    for fault in faults:
        months[-1] = plant(months[-1], months[-2], *fault)
    return {"history": months[:-1], "month": months[-1], "truth": {(column, kind) for kind, column, _ in faults}}


def errors(watchman, cases):
    """Return what a watchman misses, and what it says in vain: two lists of (number of the case, finding)."""
    missed, in_vain = [], []
    for number, one in enumerate(cases):
        told = {tuple(finding) for finding in watchman(one["month"], one["history"])}
        missed += [(number, finding) for finding in sorted(one["truth"] - told)]
        in_vain += [(number, finding) for finding in sorted(told - one["truth"])]
    return missed, in_vain


YEARLY = ("unit", "income", 12)
DRIFT = feeds(14, "data-drift-sudden", range(2, 14))  # from month 8, at place 6, other customers come
PRACTICE = [
    case(CALM, 5, [], [(-1, ("unknown_values", "region", 0.01))]),
    case(CALM, 8, [], [(-2, YEARLY), (1, ("volume", "", 0.4))]),
    case(DRIFT, 8, []),
    case(DRIFT, 7, [], [(-2, ("missing_column", "age", 1))]),
    case(CALM, 6, [YEARLY]),
    case(CALM, 7, [("unit", "debts", 2), ("missing_values", "age", 0.06)]),
    case(CALM, 9, [("unit", "amount", 0.5)], [(-2, ("unit", "amount", 0.5))]),
    case(CALM, 10, [("stale", "bureau_score", 1), ("unknown_values", "region", 0.06)]),
    case(CALM, 11, [("stale", "delinquencies", 0.5), ("missing_column", "housing", 1)]),
    case(CALM, 5, [("missing_values", "purpose", 0.5), ("volume", "", 0.55)]),
    case(DRIFT, 6, [("unknown_values", "employment", 1)]),
    case(CALM, 6, [("volume", "", 1.8), ("missing_column", "term", 1)]),
]

# %% [markdown]
# ## Exercise 1: a reason for every row
#
# `row_reasons(rows)` returns a list with one string for each row of the data frame, in its order: `""` if the row keeps
# the contract, else the first rule that it breaks.
# - Go through the columns of `RANGES` in their order, then those of `VALUES` in theirs. A column that `rows` does not
#   have is no fault of its rows: skip it. Other columns do not matter.
# - For a column of numbers the reasons are, in this order, `"income: missing"`, `"income: not a number"`,
#   `"income: out of range"` (with the column's name, of course). Both ends of a range are allowed. A text that reads as
#   a number, such as `"2500"`, is that number.
# - For a column of categories: `"channel: missing"`, `"channel: unknown value"`.
# - *Missing* is what pandas calls missing (`isna()`). The words that mean it (`n/a`, an empty cell: lesson 02/02) were dealt
#   with when the file was read; one that got through is not a number, or an unknown value.
# - The index of `rows` may be anything, and may hold a label twice. Leave `rows` itself as it is.
#
# <details><summary>Hint</summary>
#
# `pd.to_numeric(values, errors="coerce")` makes a number of what reads as one, and `NaN` of the rest. Arrays
# (`.to_numpy()`) have no index that could get in the way.
# </details>


# %% answer="ex1"
def row_reasons(rows):
    """Return for each row why it breaks the contract, or ""."""
    ### BEGIN SOLUTION
    reasons = np.full(len(rows), "", dtype=object)

    def mark(broken, reason):
        reasons[np.asarray(broken) & (reasons == "")] = reason

    for column in [name for name in RANGES if name in rows]:
        number = pd.to_numeric(rows[column], errors="coerce")
        mark(rows[column].isna(), f"{column}: missing")
        mark(number.isna(), f"{column}: not a number")
        mark(~number.between(*RANGES[column]), f"{column}: out of range")
    for column in [name for name in VALUES if name in rows]:
        mark(rows[column].isna(), f"{column}: missing")
        mark(~rows[column].isin(VALUES[column]), f"{column}: unknown value")
    return reasons.tolist()
    ### END SOLUTION


# %% test="ex1" points=3
# Covers each rule, the first of two, both ends of a range, labels that repeat. Not shown: other rows.
some = CALM[0].head(8).reset_index(drop=True).assign(debts=100.0).astype({"income": object, "age": object})
told = row_reasons(some)
assert told is not None, "row_reasons returned nothing: return a list with one string a row."
assert isinstance(told, list) and len(told) == 8, "Return a list with one string for each of the eight rows."
assert told == [""] * 8, "These eight rows are as they should be: eight times an empty string."
some.loc[2, "income"] = 31_000.0
some.loc[5, "region"] = "moon"
told = row_reasons(some)
assert isinstance(told, list) and len(told) == 8, "Return a list with one string for each of the eight rows."
assert told[2] == "income: out of range", "31,000 EUR a month is above the range of income."
assert told[5] == "region: unknown value", "The moon is none of the regions."
some.loc[0, "income"] = None
some.loc[1, "age"] = 17
some.loc[3, "income"] = 30_000.0
some.loc[4, "income"] = 300.0
some.loc[5, "term"] = 96
some.loc[6, "channel"] = None
some.loc[7, "channel"] = "pigeon"
wanted = ["income: missing", "age: out of range", "income: out of range", "", "", "term: out of range"]
wanted += ["channel: missing", "channel: unknown value"]
given = some.copy()
assert row_reasons(some) == wanted, "The first rule that breaks counts, and both ends of a range are allowed."
assert some.equals(given), "Leave the rows as they were."
less = row_reasons(some.drop(columns=["income", "channel"]))
assert less == ["", *wanted[1:2], "", "", "", wanted[5], "", ""], "A column that is not there is no fault of its rows."
again = pd.concat([some.head(3), some.head(3)])
assert row_reasons(again) == wanted[:3] * 2, "Two deliveries put together hold each label twice."
### BEGIN HIDDEN TESTS
assert row_reasons(some.head(0)) == [], "Without rows there should be no reasons."
turned = row_reasons(some.iloc[::-1].set_axis([4] * 8))
assert turned == wanted[::-1], "The reasons should come in the order of the rows, whatever the index."
several = some.head(1).assign(income=2_000.0, age=200, amount=-1.0, region="moon", channel=None)
first = next(name for name in RANGES if name in ("age", "amount"))
assert row_reasons(several) == [f"{first}: out of range"], (
    "Of several broken rules the first in the given order counts."
)
### END HIDDEN TESTS

# %% test="ex1" part="text" points=1
# Covers texts that read as numbers, and others. Not shown: a mixture, and infinity.
text = CALM[0].head(4).reset_index(drop=True).assign(debts=100.0, income=["2500", "plenty", "99000", "300"])
told = row_reasons(text)
assert isinstance(told, list) and len(told) == 4, "row_reasons should return a list with one string a row, four here."
assert told[0] == "", 'The text "2500" reads as a number, and that number is in range.'
assert told == ["", "income: not a number", "income: out of range", ""], f"Read numbers before you judge; not {told}."
### BEGIN HIDDEN TESTS
mixed = text.assign(income=pd.Series([np.inf, None, "", 2500.0], dtype=object))
wanted = ["income: out of range", "income: missing", "income: not a number", ""]
assert row_reasons(mixed) == wanted, (
    "Infinity is a number out of range, None is missing, an empty text is not a number."
)
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 2: quarantine, and no row lost
#
# `quarantine(rows, reasons)` returns a pair of data frames `(good, bad)`. `reasons` is a list like that of exercise 1.
# - `good` holds the rows whose reason is `""`, `bad` the others with a column `reason` more. Columns, values, order and
#   index labels stay as they are in `rows`; each row is in exactly one of the two.
# - As before, the index may hold a label twice: `rows` may be two deliveries, one below the other.


# %% answer="ex2"
def quarantine(rows, reasons):
    """Return (rows that keep the contract, the others with their reason)."""
    ### BEGIN SOLUTION
    reasons = np.array(reasons, dtype=object)
    good = reasons == ""
    return rows[good], rows[~good].assign(reason=reasons[~good])
    ### END SOLUTION


# %% test="ex2" points=2
# Covers columns, order, index, labels that repeat. Not shown: nothing bad, nothing good.
three = pd.DataFrame({"application_id": [7, 8, 9], "income": [2_000.0, -5.0, 2_500.0]})
pair = quarantine(three, ["", "income: out of range", ""])
assert pair is not None, "quarantine returned nothing: return two data frames, (good, bad)."
frames = isinstance(pair, (tuple, list)) and len(pair) == 2 and all(isinstance(one, pd.DataFrame) for one in pair)
assert frames, "Return two data frames: (good, bad)."
assert list(pair[0]) == ["application_id", "income"], "The good rows have the columns that they came with."
assert list(pair[1]) == ["application_id", "income", "reason"], "The bad rows have those, and `reason` behind them."
assert pair[0]["application_id"].tolist() == [7, 9], "The rows without a reason are the good ones."
assert pair[1]["reason"].tolist() == ["income: out of range"], "The bad row takes its reason along."
assert pair[1]["income"].tolist() == [-5.0], "The values of a bad row stay as they are."
assert list(three) == ["application_id", "income"] and len(three) == 3, "Leave the rows that you were given."
two = pd.concat([three, three.assign(application_id=[17, 18, 19])])
why = ["income: out of range", "", "age: missing", "", "", "age: missing"]
fine, broken = quarantine(two, why)
assert fine["application_id"].tolist() == [8, 17, 18], "A good row was lost, or a bad one got in: labels repeat here."
assert broken["application_id"].tolist() == [7, 9, 19], "Each row is in exactly one of the two, in its order."
assert broken["reason"].tolist() == [why[0], why[2], why[5]], "Each bad row takes its own reason along."
assert fine.index.tolist() == [1, 0, 1] and broken.index.tolist() == [0, 2, 2], "Index labels stay as they are."
### BEGIN HIDDEN TESTS
none_bad, nothing = quarantine(three, ["", "", ""])
assert len(none_bad) == 3 and len(nothing) == 0 and "reason" in nothing, "An empty quarantine has its column, too."
none_good, all_bad = quarantine(two, ["x"] * 6)
assert none_good.empty and list(none_good) == list(two), (
    "Where every row is bad, `good` should be empty, with its columns."
)
assert all_bad["application_id"].tolist() == [7, 8, 9, 17, 18, 19], "Where every row is bad, none should get lost."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 3: the latest delivery counts
#
# Rows arrive late, twice, and corrected. `intake(deliveries)` takes a list of data frames, in the order in which they
# arrived, and returns a dict from month (an int) to the data frame of its rows.
# - Every delivery has the columns `application_id` and `month`, and others; all have the same ones. A delivery may be
#   empty.
# - Of each application only the row that arrived **last** counts, whole: within a delivery, the lower row arrived later.
#   What is missing in it stays missing.
# - A row belongs to the month that **it** names, whichever delivery brought it. If a correction names another month, the
#   application has left the first one. A month without rows is not in the dict.
# - The rows of a month are sorted by `application_id`, with the index 0, 1, 2, ...


# %% answer="ex3"
def intake(deliveries):
    """Return the rows of each month, the latest of each application."""
    ### BEGIN SOLUTION
    rows = pd.concat(deliveries).drop_duplicates("application_id", keep="last").sort_values("application_id")
    return {int(month): part.reset_index(drop=True) for month, part in rows.groupby("month")}
    ### END SOLUTION


# %% test="ex3" points=3
# Covers corrections, late rows, a row without a value, a month that is left. Not shown: other deliveries.
def delivery(*rows):
    """Return a delivery: a row for each (application_id, month, income)."""
    return pd.DataFrame(list(rows), columns=["application_id", "month", "income"]).astype({"income": float})


first = delivery((3, 0, 2_000), (1, 0, 1_500), (2, 0, 1_800))
second = delivery((4, 1, 2_200), (1, 0, 1_700), (5, 0, 900))
lake = intake([first, second])
assert lake is not None, "intake returned nothing: return a dict from month to a data frame."
assert isinstance(lake, dict), f"intake should return a dict, not {type(lake).__name__}."
assert set(lake) == {0, 1}, "These rows are of months 0 and 1, and those are the keys."
assert all(isinstance(rows, pd.DataFrame) for rows in lake.values()), "The value of a month is a data frame."
assert lake[0]["application_id"].tolist() == [1, 2, 3, 5], "Month 0 has four applications; the last of them came late."
assert lake[0]["income"].tolist()[0] == 1_700, "The second delivery corrects the income of application 1."
assert lake[0]["income"].tolist() == [1_700, 1_800, 2_000, 900], "Each application of month 0 has its own income."
assert lake[1]["income"].tolist() == [2_200], "Month 1 has one application, with an income of 2,200."
assert list(lake[0]) == ["application_id", "month", "income"], "The rows keep the columns that they came with."
assert lake[0].index.tolist() == [0, 1, 2, 3], "The index of a month is 0, 1, 2, ..."
assert all(type(month) is int for month in lake), "The keys are plain ints, not NumPy's."
empty = delivery()
third = delivery((2, 1, 1_850), (4, 1, None), (6, -1, 700), (6, -1, 750))
lake = intake([first, empty, second, third])
assert lake[0]["application_id"].tolist() == [1, 3, 5], "Application 2 was corrected to month 1: it has left month 0."
assert lake[1]["application_id"].tolist() == [2, 4], "And it is in month 1 now."
assert lake[1]["income"].isna().tolist() == [False, True], "The last row counts whole, also what is missing in it."
assert lake[-1]["income"].tolist() == [750], "Within a delivery the lower row arrived later."
### BEGIN HIDDEN TESTS
assert set(intake([delivery((1, 3, 500)), delivery((1, 2, 500))])) == {2}, "A month that lost its only row is gone."
assert intake([second, first])[0]["income"].tolist()[0] == 1_500, "Order of arrival decides, nothing else."
assert len(first) == 3 and first["application_id"].tolist() == [3, 1, 2], "Leave the deliveries as they are."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 4: what is usual?
#
# A month is judged by the months before it, and some of those may be broken themselves. `usual(months)` takes a list of
# data frames and returns a dict with
# - `"rows"`: the usual number of rows of a month,
# - `"medians"`: a dict with the usual median of each column of `RANGES`. As in exercise 1, a text that reads as a number is
#   one, and other text is left out; a month in which nothing is left has no say, and a column of which no month has a
#   number is not in the dict.
# - `"columns"`: a list of the names of all columns that more than half of the months have.
#
# Fewer than half of the months may be broken, in any way: another unit, text in place of numbers, a column gone, a
# hundred times the rows. The answer must stay near (within 5 %) what the honest months alone would give. Each of these
# numbers is known to be much the same in all honest months.


# %% answer="ex4"
def usual(months):
    """Return what a month usually looks like, though some of `months` may be broken."""
    ### BEGIN SOLUTION
    medians = {}
    for column in RANGES:
        found = [pd.to_numeric(month[column], errors="coerce").median() for month in months if column in month]
        if pd.Series(found, dtype=float).notna().any():
            medians[column] = float(np.nanmedian(found))
    names = pd.Series([name for month in months for name in month]).value_counts()
    return {
        "rows": float(np.median([len(month) for month in months])),
        "medians": medians,
        "columns": names.index[names > len(months) / 2].tolist(),
    }
    ### END SOLUTION


# %% test="ex4" points=3
# Covers three months of seven broken in many ways, columns, a month of text. Not shown: months without numbers.
calm = CALM[:7]
reference = usual(calm)
assert reference is not None, 'usual returned nothing: return a dict with "rows", "medians" and "columns".'
keys = isinstance(reference, dict) and set(reference) == {"rows", "medians", "columns"}
assert keys and isinstance(reference["medians"], dict), 'Return a dict with "rows", "medians" (a dict) and "columns".'
assert set(reference["medians"]) == set(RANGES), "All these months have all columns of RANGES: want a median of each."
assert 400 <= reference["rows"] <= 500, "These months have between 400 and 500 rows."
assert sorted(reference["columns"]) == sorted(calm[0]), "Every month has every column: all of them are usual."
one_in_text = usual([*calm[:6], calm[6].assign(income="n/a")])["medians"].get("income", 0)
assert abs(one_in_text / reference["medians"]["income"] - 1) < 0.05, "A month of text must not move what is usual."
spoiled = list(calm)
spoiled[0] = pd.concat([calm[0].assign(income=calm[0]["income"] * 12, age=99)] * 100)
spoiled[3] = calm[3].drop(columns=["term", "region"]).assign(bureau_score="n/a", amount=np.nan, collection_calls=0)
spoiled[6] = calm[6].head(20).assign(income=calm[6]["income"] / 1_000).astype({"debts": str}).drop(columns="term")
robust = usual(spoiled)
for column in set(RANGES):
    assert column in robust["medians"], f"{column}: the honest months have numbers, so want a median."
    near = abs(robust["medians"][column] - reference["medians"][column]) <= 0.05 * reference["medians"][column]
    assert near, f"{column}: three broken months of seven moved what is usual."
assert abs(robust["rows"] - reference["rows"]) <= 0.05 * reference["rows"], "Broken months moved the number of rows."
assert sorted(robust["columns"]) == sorted(calm[0]), "Five of seven months have `term`; one has `collection_calls`."
### BEGIN HIDDEN TESTS
gone = usual([month.drop(columns="age").assign(debts="n/a") for month in calm])
assert "age" not in gone["medians"] and "debts" not in gone["medians"], "No month delivered numbers: no median."
half = usual([calm[0], calm[1].drop(columns="term")])
assert "term" not in half["columns"] and "age" in half["columns"], "Half of the months is not more than half."
two_of_five = [calm[0], calm[1].assign(age=1_000, term="?").head(3), calm[2], calm[3].assign(age=-5), calm[4]]
age, honest = usual(two_of_five)["medians"]["age"], usual([calm[0], calm[2], calm[4]])["medians"]["age"]
assert abs(age - honest) <= 0.05 * honest, "Two broken months of five should not move what is usual."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 5: values that stand still
#
# A cache answers instead of the bureau, and every applicant gets the score that somebody else had last month.
# `stale_columns(month, before, limit)` returns the sorted list of those columns of `RANGES` whose values repeat.
# - Compare the first row of `month` with the first of `before`, the second with the second, and so on, as far as both
#   go. Index labels do not matter. What is missing repeats nothing.
# - Most people have no late payment, this month and last, so chance explains some repeats. By chance, a share of
#   `sum over all values v of (share of v in month) * (share of v in before)` repeats, over the rows that you compare.
# - A column repeats if `same - chance > limit * (1 - chance)`, where `same` is the share of rows with the same value.
# - A column that one of the two lacks, or no rows to compare, is nothing to report. A broken month may hold text where
#   numbers should be: compare the values as they are.
#
# <details><summary>Hint</summary>
#
# `series.value_counts(normalize=True)` gives the shares of all values. The product of two such series matches their
# values by itself; where one lacks a value, it is `NaN`, and `sum()` leaves that out. Mind that `normalize` divides by
# the rows that are not missing: here shares are of all rows that you compare.
# </details>


# %% answer="ex5"
def stale_columns(month, before, limit=0.5):
    """Return the columns of numbers that repeat the month before, more than chance explains."""
    ### BEGIN SOLUTION
    n = min(len(month), len(before))
    found = []
    for column in [name for name in RANGES if n and name in month and name in before]:
        now, then = month[column].iloc[:n], before[column].iloc[:n]
        same = (now.to_numpy() == then.to_numpy()).mean()
        chance = (now.value_counts() * then.value_counts()).sum() / n**2
        if same - chance > limit * (1 - chance):
            found.append(column)
    return sorted(found)
    ### END SOLUTION


# %% test="ex5" points=3
# Covers repeats, chance, index, missing values, the limit. Not shown: text, empty months, other columns.
one, two = CALM[8], CALM[9]
still = two.copy()
shared = min(len(one), len(two))
still["bureau_score"] = np.resize(one["bureau_score"].to_numpy(), len(two))
told = stale_columns(still, one)
assert told is not None, "stale_columns returned nothing: return a list of columns."
assert isinstance(told, list), f"stale_columns should return a list, not {type(told).__name__}."
assert stale_columns(still, one) == ["bureau_score"], "The scores of `still` are those of the month before."
assert stale_columns(two, one) == [], "These are two honest months, whatever their late payments are."
quiet = [pd.DataFrame({"delinquencies": np.roll(np.arange(400) % 10 == 0, k).astype(int)}) for k in (0, 3)]
assert stale_columns(*quiet) == [], "Nine of ten have no late payment, in both months: that is chance."
assert stale_columns(quiet[0], quiet[0].copy()) == ["delinquencies"], "Here the late payments are the same people's."
for first, second in ((two.head(0), one), (two, one.head(0))):
    assert stale_columns(first, second) == [], "Without rows to compare there is nothing to report."
assert stale_columns(still, one.head(300)) == ["bureau_score"], "Compare as far as both go, whichever is longer."
edge = [pd.DataFrame({"age": ages}) for ages in ([1, 1, 2, 1], [1, 1, 2, 2])]  # same 3/4, by chance 1/2
assert stale_columns(*edge, 0.5) == [], "Three of four are the same, chance explains two: exactly at a limit of 0.5."
assert stale_columns(*edge, 0.49) == ["age"], "The same columns are above a limit of 0.49."
sixty = np.where(np.arange(shared) % 5 < 3, one["income"].to_numpy()[:shared], two["income"].to_numpy()[:shared])
partly = two.head(shared).assign(income=sixty)
assert stale_columns(partly, one) == ["income"], "Three of five incomes are repeated, which is above 0.5."
assert stale_columns(partly, one, limit=0.7) == [], "Three of five are below a limit of 0.7: use the limit."
assert stale_columns(partly.set_index(partly.index[::-1]), one) == ["income"], "Labels of the index do not matter."
### BEGIN HIDDEN TESTS
assert stale_columns(still.drop(columns="age"), one.drop(columns="term")) == ["bureau_score"], (
    "A column that one of the two months lacks is nothing to report."
)
both = still.assign(amount=np.resize(one["amount"].to_numpy(), len(two)))
assert stale_columns(both, one) == ["amount", "bureau_score"], "Name all of them, sorted."
texts = two.assign(age="n/a", debts=two["debts"].astype(object).where(np.arange(len(two)) > 3, "none"))
assert stale_columns(texts, one) == [] and stale_columns(texts, texts.assign(term=0)) != [], (
    "Text may stand there, too."
)
blank = pd.DataFrame({"income": [np.nan] * 8, "term": [12.0] * 2 + [np.nan] * 6})
assert stale_columns(blank, blank.copy()) == [], "What is missing repeats nothing; two rows of eight are too few."
held = pd.DataFrame({"income": [10.0, 20.0, 30.0, 40.0, 50.0, np.nan, np.nan, np.nan]})
said = "Five rows of eight are the same, chance explains five of 64: a limit of 0.59 is passed, one of 0.6 is not."
assert stale_columns(held, held.copy(), 0.59) == ["income"], said
assert stale_columns(held, held.copy(), 0.6) == [], said
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 6: rules for a month
#
# `feed_findings(month, before, reference, limits)` returns a sorted list of pairs `(column, kind)`. `before` is the
# month before as it was delivered, `reference` a dict like that of exercise 4, and `limits` a dict like `WIDE`, below.
#
# | kind | column | when |
# |---|---|---|
# | `"volume"` | `""` | fewer rows than the usual divided by `limits["volume"]`, or more than the usual times it |
# | `"missing_column"` | one of `reference["columns"]` | the month does not have it |
# | `"missing_values"` | of `RANGES` or `VALUES` | the share of values that are missing is above `limits["missing"]`; in a column of numbers, what does not read as a number is missing |
# | `"unknown_values"` | of `VALUES` | the share of all rows with a value that is neither missing nor known is above `limits["unknown"]` |
# | `"unit"` | of `RANGES` | its median is above `limits["unit"]` times the usual, or below the usual divided by it; not if the usual median is 0 or not known |
# | `"stale"` | of `RANGES` | `stale_columns(month, before, limits["stale"])` names it |
#
# Exactly at a limit is no finding. A month without any rows has no values to judge: there, only `"volume"` and
# `"missing_column"` can be found.

# %% locked="limits"
WIDE = {"volume": 3.0, "missing": 0.25, "unknown": 0.125, "unit": 4.0, "stale": 0.7}


# %% answer="ex6"
def feed_findings(month, before, reference, limits):
    """Return what is wrong with a month, as sorted pairs (column, kind)."""
    ### BEGIN SOLUTION
    found = [(column, "missing_column") for column in reference["columns"] if column not in month]
    found += [(column, "stale") for column in stale_columns(month, before, limits["stale"])]
    fewest, most = reference["rows"] / limits["volume"], reference["rows"] * limits["volume"]
    if len(month) < fewest or len(month) > most:
        found.append(("", "volume"))
    for column in [name for name in VALUES if name in month]:
        values = month[column].dropna()
        if 1 - len(values) / max(len(month), 1) > limits["missing"] and len(month):
            found.append((column, "missing_values"))
        if (~values.isin(VALUES[column])).sum() > limits["unknown"] * len(month):
            found.append((column, "unknown_values"))
    for column in [name for name in RANGES if name in month]:
        number = pd.to_numeric(month[column], errors="coerce")
        if number.isna().mean() > limits["missing"]:
            found.append((column, "missing_values"))
        usually = reference["medians"].get(column, 0)
        ratio = number.median() / usually if usually else 1
        if ratio > limits["unit"] or ratio < 1 / limits["unit"]:
            found.append((column, "unit"))
    return sorted(found)
    ### END SOLUTION


# %% test="ex6" points=3
# Covers each kind of finding. Not shown: other columns, and several findings at once.
past, today = CALM[:7], CALM[7]
known = {
    "rows": 450,
    "columns": list(today),
    "medians": {column: float(past[0][column].median()) for column in RANGES},
}
told = feed_findings(today, past[-1], known, WIDE)
assert told is not None, "feed_findings returned nothing: return a list of pairs."
assert isinstance(told, list), f"feed_findings should return a list of pairs, not {type(told).__name__}."
assert told == [], "This is an honest month."
yearly = today.assign(income=today["income"] * 12)
assert feed_findings(yearly, past[-1], known, WIDE) == [("income", "unit")], "Income per year is another unit."
less = today.head(100).drop(columns="region")
want = [("", "volume"), ("region", "missing_column")]
assert feed_findings(less, past[-1], known, WIDE) == want, f"A hundred rows, and no region: want {want}."
monthly = today.assign(debts=today["debts"] / 12)
assert feed_findings(monthly, past[-1], known, WIDE) == [("debts", "unit")], "A twelfth of the debts is another unit."
again = past[-1].assign(income=past[-1]["income"] * 12)
assert feed_findings(yearly, again, known, WIDE) == [("income", "unit")], "The month before was broken like this one."
assert feed_findings(today, again, known, WIDE) == [], "The month before was broken, this one is not."
old = today.assign(age=np.resize(past[-1]["age"].to_numpy(), len(today)))
assert feed_findings(old, past[-1], known, WIDE) == [("age", "stale")], "The ages are those of the month before."
fifth = np.arange(len(today)) % 5 == 0
holed = today.assign(age=today["age"].mask(fifth), region=today["region"].mask(fifth))
tight = WIDE | {"missing": 0.1, "unknown": 0.15}
assert feed_findings(holed, past[-1], known, WIDE) == [], "A fifth is missing, and the limit lies at a quarter."
want = [("age", "missing_values"), ("region", "missing_values")]
assert feed_findings(holed, past[-1], known, tight) == want, f"A fifth is missing, the limit lies at a tenth: {want}."
coded = today.assign(region=today["region"].where(~fifth, "N"), age=today["age"].astype(object).where(~fifth, "old"))
want = [("age", "missing_values"), ("region", "unknown_values")]
assert feed_findings(coded, past[-1], known, tight) == want, f"A fifth is text among numbers, or unknown: {want}."
assert feed_findings(coded, past[-1], known, WIDE) == [("region", "unknown_values")], "Each kind has its own limit."
assert feed_findings(today.head(0), past[-1], known, WIDE) == [("", "volume")], "No rows: no values to judge."
### BEGIN HIDDEN TESTS
four = feed_findings(pd.concat([today] * 4), past[-1], known, WIDE)
assert ("", "volume") in four, "Four times the usual rows should be a finding."
text = today.assign(amount=today["amount"].astype(str), income="n/a")
assert feed_findings(text, past[-1], known, WIDE) == [("income", "missing_values")], (
    "Text that reads as numbers is fine."
)
unheard = known | {"medians": {"income": 2_500.0}, "columns": ["age"]}
assert feed_findings(today.drop(columns="term"), past[-1], unheard, WIDE) == [], "Judge by the reference alone."
### END HIDDEN TESTS

# %% test="ex6" part="limits" points=2
# Covers volume and unit exactly at a limit. Not shown: the other limits.
flat = {column: [10] * 16 for column in RANGES} | {column: ["A"] * 16 for column in VALUES}
edge = pd.DataFrame(flat).assign(**{column: [VALUES[column][0]] * 16 for column in VALUES})
plain = {"rows": 16, "columns": list(edge), "medians": dict.fromkeys(RANGES, 10.0)}
told = feed_findings(edge, edge.head(0), plain, WIDE)
assert told is not None, "feed_findings returned nothing: return a list."
assert isinstance(told, list), f"feed_findings should return a list of pairs, not {type(told).__name__}."
assert feed_findings(edge, edge.head(0), plain, WIDE) == [], "Sixteen rows as usual."
many = pd.concat([edge] * 4, ignore_index=True)
for rows, wanted in ((48, []), (49, [("", "volume")])):
    assert feed_findings(many.head(rows), edge.head(0), plain, WIDE) == wanted, "Three times the usual is allowed."
    assert feed_findings(edge, edge.head(0), plain | {"rows": rows}, WIDE) == wanted, "A third of the usual is, too."
for score, wanted in ((40, []), (41, [("age", "unit")]), (2.5, []), (2.4, [("age", "unit")])):
    assert feed_findings(edge.assign(age=score), edge.head(0), plain, WIDE) == wanted, "At the limit is no finding yet."
### BEGIN HIDDEN TESTS
for gaps, wanted in ((4, []), (5, [("age", "missing_values")])):
    gap = edge.assign(age=[None] * gaps + [10.0] * (16 - gaps))
    assert feed_findings(gap, edge.head(0), plain, WIDE) == wanted, "A quarter is allowed, more is not."
for odd, wanted in ((2, []), (3, [("group", "unknown_values")])):
    strange = edge.assign(group=["C"] * odd + [None] * 3 + ["A"] * (13 - odd))
    assert feed_findings(strange, edge.head(0), plain, WIDE) == wanted, (
        "An eighth of all rows, those with a missing value included."
    )
nought = plain | {"medians": dict.fromkeys(RANGES, 0.0)}
assert feed_findings(edge, edge.head(0), nought, WIDE) == [], "A usual median of 0 has no unit to get wrong."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 7: the watchman
#
# Now put it together. `inspect(month, history)` returns the findings for a month, as pairs `(column, kind)` in a list.
# `history` is a list of the five months before it, in order, as they were delivered. One or two of them may be broken,
# also the last.
#
# You have all the parts; what nobody has told you is the limits. `PRACTICE` holds months with known truth: honest ones,
# some of them with customers who change or with a few bad rows (those are for the quarantine), and broken ones. Measure
# on them what each limit misses and what it stops in vain. The test has months of other worlds, with other faults in
# other columns, none of them weaker than the weakest of its kind here; its honest months are no wilder than these ("weaker"
# is meant in the `strength` that was planted; what you measure of it varies with the month). So do not put a limit right
# beside what you see: leave room on both sides.
#
# `errors` says only what was missed or said in vain. Better, print for each case the number that each rule compares with
# its limit beside the truth: the limit belongs between the largest honest number and the weakest fault. Twelve cases are
# few; `feeds(seed, scenario)` and `case` make as many more as you like.

# %% [markdown]
# This watchman sleeps soundly. Insert a cell, try what it misses, and then write yours.
#
# ```python
# errors(lambda month, history: feed_findings(month, history[-1], usual(history), WIDE), PRACTICE)
# ```


# %% answer="ex7"
def inspect(month, history):
    """Return what is wrong with a month, as pairs (column, kind), judged by the months before it."""
    ### BEGIN SOLUTION
    limits = {"volume": 1.45, "missing": 0.035, "unknown": 0.03, "unit": 1.6, "stale": 0.25}
    return feed_findings(month, history[-1], usual(history), limits)
    ### END SOLUTION


# %% test="ex7" points=2
# Covers the months of PRACTICE.
told = inspect(PRACTICE[4]["month"], PRACTICE[4]["history"])
assert told is not None, "inspect returned nothing: return a list of pairs (column, kind)."
pairs = isinstance(told, list) and all(isinstance(one, (tuple, list)) and len(one) == 2 for one in told)
assert pairs, "inspect should return a list of pairs (column, kind)."
missed, in_vain = errors(inspect, PRACTICE)
assert missed == [], f"In the months of PRACTICE it misses (case, finding): {missed}."
assert in_vain == [], f"In the months of PRACTICE it says in vain (case, finding): {in_vain}."

# %% [markdown]
# The next two tests use months that you do not have. In the first, honest months must pass. In the second, every fault
# that you miss and every false alarm cost a quarter of a point.

# %% test="ex7" part="honest" points=3
# Covers one month of PRACTICE. Not shown: honest months of other worlds.
told = inspect(PRACTICE[5]["month"], PRACTICE[5]["history"])
assert isinstance(told, list) and len(told) > 0, "In this month debts are doubled; inspect found nothing."
assert all(isinstance(one, (tuple, list)) and len(one) == 2 for one in told), "Return a list of pairs (column, kind)."
### BEGIN HIDDEN TESTS
few = [(-1, ("unknown_values", "employment", 0.01)), (-1, ("missing_values", "term", 0.01))]
quiet_run, drift_run = feeds(301, months=range(-5, 4)), feeds(302, "data-drift-sudden", range(4, 13))
honest = [
    case(quiet_run, 5, [], few),
    case(quiet_run, 6, [], [(-2, ("stale", "age", 1)), (1, ("unit", "debts", 1000))]),
    case(quiet_run, 7, [], [(-2, ("unit", "years_employed", 100)), (3, ("unit", "years_employed", 100))]),
    case(quiet_run, 8, [], [(-2, ("volume", "", 0.5)), (2, ("missing_values", "amount", 1))]),
    case(drift_run, 5, [], [(-2, ("missing_column", "bureau_score", 1)), (0, ("volume", "", 0.1))]),
    case(drift_run, 6, []),
    case(drift_run, 8, [], few),
]
_, alarms = errors(inspect, honest)
assert not alarms, (
    f"{len(alarms)} false alarms in {len(honest)} honest months; the kinds: {sorted({k for _, (_, k) in alarms})}."
)
### END HIDDEN TESTS

# %% test="ex7" part="unseen" points=4
# Covers one month of PRACTICE. Not shown: broken months of other worlds.
told = inspect(PRACTICE[8]["month"], PRACTICE[8]["history"])
assert isinstance(told, list) and len(told) > 0, "In this month a column is gone; inspect found nothing."
assert all(isinstance(one, (tuple, list)) and len(one) == 2 for one in told), "Return a list of pairs (column, kind)."
### BEGIN HIDDEN TESTS
calm_run, gradual_run = feeds(303, months=range(-5, 4)), feeds(304, "data-drift-gradual", range(2, 10))
unseen = [
    case(calm_run, 5, [("unit", "years_employed", 12), ("unknown_values", "channel", 0.07)]),
    case(calm_run, 5, [("unit", "income", 2.1), ("missing_values", "income", 0.07)]),
    case(calm_run, 6, [("unit", "bureau_score", 0.1)], [(-2, ("unit", "bureau_score", 0.1))]),
    case(calm_run, 6, [("unit", "term", 1 / 12), ("stale", "income", 0.6)]),
    case(calm_run, 7, [("stale", "delinquencies", 1)], [(1, ("stale", "delinquencies", 1))]),
    case(calm_run, 7, [("missing_column", "age", 1)], [(-2, ("missing_column", "age", 1))]),
    case(calm_run, 8, [("missing_values", "channel", 0.08), ("missing_values", "bureau_score", 1)]),
    case(calm_run, 8, [("volume", "", 1.9)], [(-2, ("volume", "", 1.9))]),
    case(gradual_run, 5, [("unknown_values", "housing", 0.5), ("volume", "", 0.5)]),
    case(gradual_run, 6, [("unit", "amount", 2), ("missing_column", "group", 1)]),
    case(gradual_run, 7, [("stale", "age", 0.5), ("missing_values", "purpose", 0.07)]),
    case(gradual_run, 7, []),
]
faults = sum(len(one["truth"]) for one in unseen)
missed, in_vain = errors(inspect, unseen)
print(f"{faults} faults: {len(missed)} missed, {len(in_vain)} false alarms")
max(0.0, 4 - 0.25 * (len(missed) + len(in_vain)))
### END HIDDEN TESTS

# %% [markdown]
# ## All of it
#
# When all tests pass, send your watchman through a whole flight: for each month of `World(8, "stormy")`, ask it with the
# five months before, as delivered, and compare with `load_scenario("stormy").events`. Then try what it was not made for:
# a fault in one region only.
