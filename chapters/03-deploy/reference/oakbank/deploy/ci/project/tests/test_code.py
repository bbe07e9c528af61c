"""Code: each test brings its own input and knows the right answer."""

import bank
import numpy as np
import pandas as pd
import pytest


def test_a_safe_loan_is_granted():
    assert bank.decide(0.01, 10_000, 36) == "grant"


def test_a_risky_loan_is_declined():
    assert bank.decide(0.60, 10_000, 36) == "decline"


@pytest.mark.parametrize("unknown", [(np.nan, 10_000, 36), (0.01, np.nan, 36), (0.01, 10_000, np.nan)])
def test_who_leaves_something_out_is_not_granted_by_accident(unknown):
    assert bank.decide(*unknown) == "decline"


def test_profit_of_a_repaid_loan():
    assert bank.profit(10_000, 36, 0) == pytest.approx(1387.9, abs=0.1)


def test_auc_of_a_known_order():
    assert bank.auc([False, False, True], [0.1, 0.2, 0.3]) == 1
    assert bank.auc([True, False, True], [0.1, 0.2, 0.3]) == 0.5


def test_the_newest_months_are_kept_from_training():
    older, newest = bank.split(pd.DataFrame({"month": [1, 2, 3, 4, 5]}))
    assert (list(older["month"]), list(newest["month"])) == ([1, 2], [3, 4, 5])
