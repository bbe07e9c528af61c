"""Loans with a known outcome: what a bank can learn from, whoever granted them."""

from collections.abc import Callable, Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from oakbank.world import World

Grants = Callable[[pd.DataFrame], "NDArray[np.bool_] | pd.Series[bool]"]
"""Takes the applications of a month, shape (n, columns), and says of each whether it is granted, bool (n,)."""


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
        parts.append(feed.merge(outcomes.drop(columns="month"), on="application_id", validate="one_to_one"))
    if not parts:
        raise ValueError("known_loans needs at least one month of application")
    return pd.concat(parts, ignore_index=True)
