"""How often a monitor of the inputs speaks: an index for each night, the alarms that begin, and what both cost."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from oakbank.deploy.drift import EMPTY_SHARE, bin_of, edges_of
from oakbank.world import FEATURES, World


def nightly_psi(reference: pd.DataFrame, applications: pd.DataFrame, columns: Sequence[str] = FEATURES) -> pd.DataFrame:
    """Return the population stability index of each night's applications: one row a day, one column a column.

    Args:
        reference: Applications that the model in use knows.
        applications: Of any number of days; `applied_on` says of which.
        columns: Which columns.

    Raises:
        ValueError: One of the two is empty.
    """
    if reference.empty or applications.empty:
        raise ValueError("drift needs at least one application in each of the two sets")
    night, days = pd.factorize(applications["applied_on"], sort=True)
    found = {}
    for column in columns:
        edges = edges_of(reference[column])
        width = len(edges) + 2
        p = np.bincount(bin_of(reference[column], edges), minlength=width) / len(reference)
        place = night * width + bin_of(applications[column], edges)
        counts = np.bincount(place, minlength=len(days) * width).reshape(len(days), width)
        q = counts / counts.sum(axis=1, keepdims=True)
        p, q = np.where(p == 0, EMPTY_SHARE, p), np.where(q == 0, EMPTY_SHARE, q)
        found[column] = ((p - q) * np.log(p / q)).sum(axis=1)
    return pd.DataFrame(found, index=pd.DatetimeIndex(days, name="night"))


def nightly_psi_of(world: World, months: int) -> pd.DataFrame:
    """Return `nightly_psi` of the first months of a world's flight, against its history."""
    first = -world.scenario.history_months
    reference = pd.concat([world.applications(month) for month in range(first, 0)])
    return nightly_psi(reference, pd.concat([world.applications(month) for month in range(months)]))


def begins(nightly: pd.DataFrame, threshold: float, nights: int = 1) -> pd.DataFrame:
    """Return where an alarm begins, as Prometheus has it: `> threshold` with `for: nights - 1` days.

    An alarm that goes on is one alarm. So one that chance has raised already hides whatever comes next.

    Args:
        nightly: As `nightly_psi` returns it.
        threshold: The index must be above it.
        nights: So many nights in a row.

    Returns:
        A frame of bool, shaped as `nightly`.

    Raises:
        ValueError: `nights` is below 1.
    """
    if nights < 1:
        raise ValueError(f"an alarm needs at least one night, not {nights}")
    lasting = (nightly > threshold).rolling(nights).sum() >= nights
    return lasting & ~lasting.shift(fill_value=False)


def nights_late(alarms: "pd.Series[bool]", onset: str | pd.Timestamp) -> int | None:
    """Return how many nights of a fault pass before an alarm of its column begins; None: none ever does.

    0: it begins in the night of the onset.
    """
    after = alarms[alarms.index >= pd.Timestamp(onset)]
    return int(np.argmax(after.to_numpy())) if after.any() else None
