"""Splits in time: what a model could have learned by a day, and what it may be tested on."""

from dataclasses import dataclass

import pandas as pd


@dataclass(frozen=True)
class TimeSplit:
    """Two tables to use and one to count.

    Attributes:
        train: Loans whose outcome was known on the first morning of the test.
        test: Loans applied for in the months of the test.
        purged: Loans applied for before the test began, whose outcome was not known yet: of no use to anybody then.
    """

    train: pd.DataFrame
    test: pd.DataFrame
    purged: pd.DataFrame


def split_in_time(loans: pd.DataFrame, start: int, end: int | None = None) -> TimeSplit:
    """Split loans as the calendar would have done it.

    Args:
        loans: One row per loan, in any order, with `month` (of the application) and `known_month` (in which its
            outcome arrived), months since January 2024. Nothing in it is changed.
        start: First month of the test. The model is trained on its first morning, before anything of it arrives.
        end: First month after the test; None: all that follows is tested.

    Returns:
        The three parts, rows in their order. A loan applied for in `end` or later is in none of them.

    Raises:
        ValueError: No loan to train on or none to test on, or an outcome that was known before its application.
    """
    if (loans["known_month"] < loans["month"]).any():
        raise ValueError("an outcome was known before the month of its application: check known_month")
    before = loans["month"] < start
    known = loans["known_month"] < start
    tested = ~before if end is None else ~before & (loans["month"] < end)
    for part, what in ((known, f"has an outcome known before month {start}"), (tested, "lies in the test months")):
        if not part.any():
            raise ValueError(f"no loan {what}; there are months {loans['month'].min()} to {loans['month'].max()}")
    return TimeSplit(train=loans[known], test=loans[tested], purged=loans[before & ~known])
