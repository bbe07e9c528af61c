"""Loans with a known outcome: what a bank can learn from, whoever granted them."""

from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from oakbank.world import World

Grants = Callable[[pd.DataFrame], "NDArray[np.bool_] | pd.Series[bool]"]
"""Takes the applications of a month, shape (n, columns), and says of each whether it is granted, bool (n,)."""


def with_outcomes(
    applications: pd.DataFrame, outcomes: pd.DataFrame, columns: Sequence[str] = ("defaulted",)
) -> pd.DataFrame:
    """Return the applications, or decisions on them, whose outcome is known, with it; their order stays.

    Args:
        applications: `application_id` and whatever else, shape (n, any).
        outcomes: `application_id`, once each, and `columns`.
        columns: What to take of the outcomes.

    Raises:
        ValueError: An outcome is there twice.
    """
    return applications.merge(outcomes[["application_id", *columns]], on="application_id", validate="many_to_one")


def known_loans(world: World, months: Iterable[int], grants: Grants | None = None) -> pd.DataFrame:
    """Return the loans that were applied for in `months` and granted, with what became of them.

    Args:
        world: The world they live in.
        months: Months of application. An outcome is known `label_delay` months later: which months may already be
            learned from is for the caller to say.
        grants: Who decided; None: the loan officers, who alone decided before month 0.

    Returns:
        One row per loan, in the order of application: the columns of the feed as it was delivered, `known_month`
        (when its outcome became known), `defaulted` (bool) and `profit` (EUR).

    Raises:
        ValueError: No months.
    """
    delay = world.scenario.label_delay
    parts = []
    for month in months:
        feed = world.applications(month)
        yes = world.officer_decisions(month)["granted"] if grants is None else grants(feed)
        outcomes = world.outcomes(month + delay, feed.loc[yes, "application_id"])
        parts.append(with_outcomes(feed, outcomes, ["known_month", "defaulted", "profit"]))
    if not parts:
        raise ValueError("known_loans needs at least one month of application")
    return pd.concat(parts, ignore_index=True)
