"""What a delivery as a whole must be: enough rows, and few that break the contract."""

from collections.abc import Sequence

import pandas as pd

from oakbank.pipelines.validation import FeedReference, Problem, bad_rows, check_feed

VOLUME_RATIO = 2.0
"""Fewer rows than the usual divided by this, or more than the usual times this, and the delivery is broken."""
BAD_ROW_SHARE = 0.05
"""A few bad rows are quarantined and the month goes on. Beyond this share it is not the rows that are broken."""
DELIVERY = ""
"""The column of a problem that concerns no single column."""


def check_delivery(applications: pd.DataFrame, reference: FeedReference) -> list[Problem]:
    """Return what is wrong with a month as a whole: its volume, and the share of its rows that break the contract.

    What the values of one column tell is a matter of `check_feed`; neither can be mended by a median, so `repair_feed`
    refuses both.

    Args:
        applications: The month as delivered.
        reference: From good months; without its number of rows, the volume is not judged.
    """
    problems = []
    n = len(applications)
    if reference.rows and not reference.rows / VOLUME_RATIO <= n <= reference.rows * VOLUME_RATIO:
        detail = f"{n} rows, where {reference.rows} are usual"
        problems.append(Problem(DELIVERY, "volume", detail))
    reason = bad_rows(applications)
    broken = reason[reason != ""]
    if len(broken) > BAD_ROW_SHARE * n:
        commonest, often = broken.value_counts().index[0], int(broken.value_counts().iloc[0])
        detail = f"{len(broken)} of {n} rows break the contract; the commonest reason: {commonest} ({often} rows)"
        problems.append(Problem(DELIVERY, "bad_rows", detail))
    return problems


def check_month(applications: pd.DataFrame, history: Sequence[pd.DataFrame]) -> list[Problem]:
    """Return all that is wrong with a month, judged by the months delivered before it.

    Args:
        applications: The month as delivered.
        history: Earlier months as delivered, in order, at least one. Some may be broken: the others outvote them.

    Raises:
        ValueError: There is no history, so nothing says what is usual.
    """
    if not history:
        raise ValueError("no earlier month to compare with: give at least one, or check rows only, with bad_rows")
    reference = FeedReference.typical(FeedReference.of(month) for month in history)
    return check_delivery(applications, reference) + check_feed(applications, reference, history[-1])
