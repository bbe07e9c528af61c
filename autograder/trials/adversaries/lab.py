# ruff: noqa
# mypy: ignore-errors
# What stands above the first cell is no part of the lab. `make_lab` copies the rest into a course of its own.

# %% [markdown]
# # 01 Target
#
# A small lab to be attacked: exercise 2 builds on exercise 1, exercise 3 takes a callback, exercise 4 returns a data
# frame and is in part graded by how close it comes.

# %% locked="setup"
import numpy as np
import pandas as pd

LOANS = pd.DataFrame(
    {
        "grade": list("AAAABBBBCCCCDDDD"),
        "amount": [900, 1200, 300, 500, 800, 700, 650, 100, 2000, 450, 300, 900, 150, 250, 800, 600],
        "defaulted": [0, 0, 0, 0, 0, 0, 1, 0, 1, 0, 0, 1, 1, 1, 0, 1],
    }
)

# %% [markdown]
# ## Exercise 1
#
# `monthly_rate(annual)`: the monthly interest that compounds to `annual` in twelve months, both as fractions. Takes a
# number or an array.


# %% answer="ex1"
def monthly_rate(annual):
    """Return the monthly rate that compounds to `annual` in a year."""
    ### BEGIN SOLUTION
    return (1 + annual) ** (1 / 12) - 1
    ### END SOLUTION


# %% test="ex1" points=2
assert monthly_rate(0.0) is not None, "monthly_rate returned nothing: return a number."
assert abs(monthly_rate(0.0)) < 1e-12, "No interest in a year is no interest in a month."
assert abs(monthly_rate(0.1268250301319698) - 0.01) < 1e-9, "One per cent a month is 12.68 % a year: it compounds."
### BEGIN HIDDEN TESTS
assert abs(monthly_rate(0.2682417945625455) - 0.02) < 1e-9, "Two per cent a month is 26.82 % a year."
many = monthly_rate(np.array([0.0, 0.2682417945625455, 0.42576088684617863]))
assert np.allclose(many, [0.0, 0.02, 0.03], atol=1e-9), "An array of rates gives an array of rates."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 2
#
# `instalment(amount, annual, months)`: what a borrower pays at the end of each month; use `monthly_rate`.


# %% answer="ex2"
def instalment(amount, annual, months):
    """Return the constant monthly payment that repays `amount` with interest."""
    ### BEGIN SOLUTION
    rate = monthly_rate(annual)
    return amount / months if rate == 0 else amount * rate / (1 - (1 + rate) ** -months)
    ### END SOLUTION


# %% test="ex2" points=2
assert instalment(1200, 0.0, 12) is not None, "instalment returned nothing: return a number."
assert abs(instalment(1200, 0.0, 12) - 100) < 1e-6, "Without interest, twelve months of 100 repay 1200."
assert abs(instalment(1000, 0.1268250301319698, 12) - 88.84878867834167) < 1e-6, "1000 at one per cent a month."
### BEGIN HIDDEN TESTS
assert abs(instalment(5000, 0.2682417945625455, 24) - 264.35548626550405) < 1e-6, "5000 at two per cent over two years."
assert abs(instalment(450, 0.0, 9) - 50) < 1e-6, "Without interest, nine months of 50 repay 450."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 3
#
# `cheapest(terms, price)`: the term (months, one of the list `terms`) for which `price(term)` is lowest, the first of
# equals. Ask for each price once: `price` is slow.


# %% answer="ex3"
def cheapest(terms, price):
    """Return the first of `terms` with the lowest `price(term)`."""
    ### BEGIN SOLUTION
    return min(terms, key=price)
    ### END SOLUTION


# %% test="ex3" points=2
assert cheapest([12], lambda term: 5.0) == 12, "The only term there is, is the cheapest."
assert cheapest([12, 24], lambda term: 100 - term) == 24, "24 months cost 76, 12 months cost 88."
### BEGIN HIDDEN TESTS
asked = []


def quoted(term):
    asked.append(term)
    return {6: 71.25, 18: 33.5, 30: 33.5, 42: 90.0}[term]


assert cheapest([6, 18, 30, 42], quoted) == 18, "Of the equals 18 and 30 the first one counts."
assert sorted(asked) == [6, 18, 30, 42], "The price of each term is asked for exactly once."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 4
#
# `default_rates(loans)`: a data frame with the columns `grade` and `rate` (the share of loans that defaulted), one row
# per grade that occurs, sorted by grade, index 0, 1, …


# %% answer="ex4"
def default_rates(loans):
    """Return one row per grade: its name and the share of its loans that defaulted."""
    ### BEGIN SOLUTION
    return loans.groupby("grade", as_index=False)["defaulted"].mean().rename(columns={"defaulted": "rate"})
    ### END SOLUTION


# %% test="ex4" points=2
rates = default_rates(LOANS)
assert rates is not None, "default_rates returned nothing: return a data frame."
assert isinstance(rates, pd.DataFrame), "Return a data frame."
assert list(rates.columns) == ["grade", "rate"], "The columns are grade and rate, in this order."
assert rates["grade"].tolist() == ["A", "B", "C", "D"], "One row per grade, sorted."
### BEGIN HIDDEN TESTS
assert rates["rate"].tolist() == [0.0, 0.25, 0.5, 0.75], "The rate of a grade is the mean of what defaulted."
late = default_rates(LOANS.tail(5).iloc[::-1])
assert late["grade"].tolist() == ["C", "D"], "Grades that do not occur have no row, whatever the order of the loans."
assert late["rate"].tolist() == [1.0, 0.75], "Count the loans that were given, not all there are."
### END HIDDEN TESTS

# %% [markdown]
# The next test gives a point for each grade that is named, and takes off eight times the mean error of the rates.

# %% test="ex4" points=4 part="close"
book = LOANS
### BEGIN HIDDEN TESTS
book = pd.DataFrame({"grade": list("PPPPPQQQQQRRRRRSSSSS"), "defaulted": [1, 1, 0, 0, 0] + [1, 0, 0, 0, 0] * 3})
### END HIDDEN TESTS
truth = book.groupby("grade")["defaulted"].mean()
found = default_rates(book)
assert found is not None, "default_rates returned nothing: return a data frame."
assert set(found["grade"]) <= set(truth.index), "The rows name grades that the loans have."
named = sum(grade in truth.index for grade in found["grade"])
error = abs(found["rate"].to_numpy() - truth.loc[found["grade"].tolist()].to_numpy()).mean()
round(float(4 * named / len(truth) - 8 * error), 2)
