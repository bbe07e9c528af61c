"""The bank's money, checked against an annuity schedule paid month by month."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oakbank.world import LOAN_RATE, break_even, loan_profit
from oakbank.world.economics import COST_PER_LOAN, FUNDING_RATE, LOSS_GIVEN_DEFAULT, break_even_of_one

MANY = settings(max_examples=200, deadline=None, derandomize=True)
amounts = st.integers(5, 600).map(lambda hundreds: 100.0 * hundreds)
terms = st.integers(6, 84)
CENT = 0.0051  # profits are rounded to the cent


def interest_by_schedule(amount: float, term: int, rate: float) -> float:
    """Pay an annuity off month by month and add up the interest."""
    low, high = amount / term, amount  # find the instalment by bisection, without the annuity formula
    for _ in range(200):
        instalment = (low + high) / 2
        debt, paid = amount, 0.0
        for _month in range(term):
            interest = debt * rate / 12
            paid += interest
            debt += interest - instalment
        low, high = (instalment, high) if debt > 0 else (low, instalment)
    return paid


@settings(max_examples=25, deadline=None, derandomize=True)
@given(amounts, terms)
def test_a_repaid_loan_earns_the_schedules_interest(amount: float, term: int) -> None:
    earned = interest_by_schedule(amount, term, LOAN_RATE) - interest_by_schedule(amount, term, FUNDING_RATE)
    assert float(loan_profit(amount, term, False)) == pytest.approx(earned - COST_PER_LOAN, abs=0.01)


@MANY
@given(amounts, terms)
def test_a_defaulted_loan_loses_its_share(amount: float, term: int) -> None:
    assert float(loan_profit(amount, term, True)) == pytest.approx(-LOSS_GIVEN_DEFAULT * amount - COST_PER_LOAN)


@MANY
@given(amounts, terms, st.floats(0, 1))
def test_expected_profit_lies_between(amount: float, term: int, probability: float) -> None:
    expected = (1 - probability) * loan_profit(amount, term, False) + probability * loan_profit(amount, term, True)
    assert float(loan_profit(amount, term, probability)) == pytest.approx(float(expected), abs=2 * CENT)


@MANY
@given(amounts, terms)
def test_break_even_is_where_a_loan_earns_nothing(amount: float, term: int) -> None:
    root = float(break_even(amount, term))
    assert 0 <= root < 1
    if root > 0:
        assert abs(float(loan_profit(amount, term, root))) < CENT
    else:  # too small to earn its cost, even if it is surely repaid
        assert float(loan_profit(amount, term, 0.0)) <= CENT
    assert float(loan_profit(amount, term, min(root + 0.01, 1.0))) < 0
    if root > 0.01:
        assert float(loan_profit(amount, term, root - 0.01)) > 0


@MANY
@given(amounts, terms, st.floats(0, 0.9))
def test_monotone(amount: float, term: int, probability: float) -> None:
    assert loan_profit(amount, term, probability + 0.1) < loan_profit(amount, term, probability)
    assert loan_profit(amount, term + 1, 0.0) > loan_profit(amount, term, 0.0)
    assert loan_profit(amount + 100, term, 0.0) > loan_profit(amount, term, 0.0)
    assert loan_profit(amount + 100, term, 1.0) < loan_profit(amount, term, 1.0)
    assert break_even(amount, term + 1) >= break_even(amount, term)
    assert break_even(amount + 100, term) >= break_even(amount, term)


def test_columns_of_any_number_type() -> None:
    amount, term = np.array([500, 8_000, 60_000], dtype=np.int32), np.array([12, 36, 84], dtype=np.int16)
    one = loan_profit(amount, term, np.array([False, True, False]))
    assert one.shape == (3,)
    assert one.dtype == np.float64
    assert one.tolist() == [float(loan_profit(a, t, d)) for a, t, d in zip(amount, term, [0, 1, 0], strict=True)]
    assert break_even(amount, term).tolist() == [float(break_even(a, t)) for a, t in zip(amount, term, strict=True)]


def test_one_loan_by_hand() -> None:
    # 10,000 EUR over 12 months at 12 %: instalment 888.49, interest 661.85; at 3 %: 846.94 and 163.24
    assert float(loan_profit(10_000, 12, False)) == pytest.approx(661.85 - 163.24 - 100, abs=0.02)
    assert float(loan_profit(10_000, 12, True)) == -6_100.0


@pytest.mark.parametrize(("amount", "term"), [(0, 12), (-100, 12), (1_000, 0), (1_000, -6)])
def test_no_loan_without_amount_and_term(amount: float, term: int) -> None:
    with pytest.raises(ValueError, match="must be above 0"):
        loan_profit([5_000, amount], [12, term], [False, False])
    with pytest.raises(ValueError, match="must be above 0"):
        break_even([5_000, amount], [12, term])


def test_a_missing_amount_gives_a_missing_result() -> None:
    """So that `probability < break_even(...)` is false: nobody is granted on a broken feed by accident."""
    assert np.isnan(break_even([float("nan"), 5_000], [12, 12])).tolist() == [True, False]
    assert np.isnan(loan_profit([float("nan"), 5_000], [12, 12], [0, 0])).tolist() == [True, False]


@given(amount=st.floats(1, 1e6) | st.sampled_from([500.0, 60_000.0, 1e-3]), term=st.integers(1, 360))
def test_the_break_even_of_one_loan_is_that_of_many_to_the_last_bit(amount: float, term: int) -> None:
    many = break_even([500.0, amount, 60_000.0], [84, term, 6])
    assert break_even_of_one(amount, term) == many[1]


def test_the_break_even_of_one_loan_is_that_of_many_for_every_term() -> None:
    amounts = np.linspace(500, 60_000, 400)
    for term in range(6, 85):
        many = break_even(amounts, np.full(len(amounts), term))
        assert [break_even_of_one(amount, term) for amount in amounts.tolist()] == many.tolist()
