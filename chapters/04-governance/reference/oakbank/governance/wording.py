"""Reasons in plain words: the applicant's own value, what is typical of granted loans, and no term of the trade."""

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from oakbank.pipelines import OAKBANK, build_features

BREAK_EVEN = "break_even"
_RISKIER_ABOVE = {"debts": True, "delinquencies": True, "amount": True, "burden": True}
_RISKIER_ABOVE |= {"income": False, "years_employed": False, "bureau_score": False}
"""On which side of the typical value people expect risk. A column on which they have no view is not here."""

_NUMBERS = {
    "age": "Your age is {own}. For loans that we grant, {typical} is typical.",
    "income": "Your net income is {own} EUR a month. For loans that we grant, {typical} EUR is typical.",
    "debts": "You pay {own} EUR a month for other debts. For loans that we grant, {typical} EUR is typical.",
    "years_employed": "In your job, or in your last one, you have worked for {own} years. "
    "For loans that we grant, {typical} is typical.",
    "bureau_score": "Your score at the credit bureau is {own}, and a high score is good. "
    "For loans that we grant, {typical} is typical.",
    "delinquencies": "In the last 24 months you paid late this often: {own}. "
    "For loans that we grant, {typical} is typical.",
    "term": "You want to repay in {own} months. For loans that we grant, {typical} is typical.",
}
_CHOICES = {
    "employment": {
        "salaried": "have a steady job",
        "self_employed": "work for yourself",
        "temporary": "have a job for a limited time",
        "retired": "are retired",
        "unemployed": "have no job",
    },
    "housing": {"rent": "rent your home", "own": "own your home", "family": "live with your family"},
    "purpose": {
        "car": "want the loan for a car",
        "home": "want the loan for your home",
        "education": "want the loan for school or courses",
        "consolidation": "want the loan to pay off other loans",
        "business": "want the loan for a business",
        "other": "want the loan for something else",
    },
    "region": {part: f"live in the {part}" for part in OAKBANK.categories["region"]},
    "channel": {
        "web": "came to us by our web site",
        "branch": "came to us at a branch",
        "broker": "came to us through a broker",
        "aggregator": "came to us from a web site that compares loans",
    },
}
_SHARE = "This is so for {share:.0%} of the loans that we grant."
_GOOD = " By itself this is not bad. It counts together with the rest."


class Wording:
    """Writes the reasons of declined applications.

    Args:
        rows: The declined applications, shape (n, any).
        portfolio: Granted loans; their medians and shares are what is typical.
        limit: Default probability up to which each loan of `rows` pays, shape (n,).
        usual: The same of a typical granted loan.
    """

    def __init__(self, rows: pd.DataFrame, portfolio: pd.DataFrame, limit: NDArray[np.float64], usual: float) -> None:
        self.rows = rows
        self.features = build_features(rows)
        self.median = build_features(portfolio).median()
        self.share = {column: portfolio[column].value_counts(normalize=True) for column in OAKBANK.categories}
        self.limit, self.usual = limit, usual

    def text(self, reason: str, row: int) -> str:
        """Return a reason in sentences, for the declined application in this row (from 0)."""
        applicant = self.rows.iloc[row]
        if reason == BREAK_EVEN:
            return (
                f"A loan of {applicant['amount']:,.0f} EUR over {applicant['term']:.0f} months earns us little. "
                f"So we can grant it only if at most {_in_thousand(self.limit[row])} such loans go wrong. "
                f"For a typical loan, this limit is {_in_thousand(self.usual)}."
            )
        if reason in _CHOICES:
            value = str(applicant[reason])
            share = float(self.share[reason].get(value, 0.0))
            told = _CHOICES[reason].get(value, f"told us of your {reason}: {value}")
            return f"You {told}. {_SHARE.format(share=share)}"
        measure = "loan_to_income" if reason == "amount" else reason
        own, median = float(self.features[measure].iloc[row]), float(self.median[measure])
        above = _RISKIER_ABOVE.get(reason)
        good = above is not None and (own <= median if above else own >= median)
        if reason == "burden":
            said = (
                f"This loan and your other debts would take {own:.0%} of your net income. "
                f"For loans that we grant, {median:.0%} is typical."
            )
        elif reason == "amount":
            said = (
                f"You asked for {applicant['amount']:,.0f} EUR, which is {own:.1f} times your monthly net income. "
                f"For loans that we grant, {median:.1f} times is typical."
            )
        else:
            said = _NUMBERS[reason].format(own=_number(own), typical=_number(median))
        return said + _GOOD * good


def _in_thousand(share: float) -> str:
    return f"{1000 * share:.0f} in 1,000"


def _number(value: float) -> str:
    return f"{value:,.1f}".removesuffix(".0")
