"""Data: what must be true of the loans, whatever code and model do with them."""

import bank
import pandas as pd
import pytest

RANGES = {
    "age": (18, 80),
    "income": (300, 30_000),
    "bureau_score": (300, 850),
    "amount": (500, 60_000),
    "term": (6, 84),
}


@pytest.fixture(scope="module")
def loans():
    return pd.read_csv(bank.LOANS)


def test_each_loan_is_there_once(loans):
    twice = int(loans["loan"].duplicated().sum())
    assert twice == 0


def test_no_value_is_missing(loans):
    missing = int(loans.isna().sum().sum())
    assert missing == 0


@pytest.mark.parametrize("column", RANGES)
def test_values_lie_in_their_range(loans, column):
    assert loans[column].between(*RANGES[column]).all()


def test_no_month_is_missing(loans):
    assert loans["month"].nunique() == loans["month"].max() - loans["month"].min() + 1


def test_defaults_are_neither_rare_nor_common(loans):
    assert loans.groupby("month")["defaulted"].mean().between(0.05, 0.3).all()
