"""The lake's labels, read with who reported them, and rewritten."""

from collections.abc import Callable

import pandas as pd

from oakbank.world import Lake


def reported_loans(lake: Lake) -> pd.DataFrame:
    """Return the lake's outcomes, each with its application and so with who reported it.

    Raises:
        LakeError: A month cannot be read.
    """
    applications = lake.read("applications", lake.months("applications")).drop(columns="month")
    return lake.read("outcomes", lake.months("outcomes")).merge(applications, on="application_id", validate="1:1")


def rewrite_outcomes(lake: Lake, change: Callable[[pd.DataFrame, pd.DataFrame], pd.DataFrame]) -> int:
    """Replace each month of outcomes by `change(outcomes, applications)`; return in how many rows fewer defaults stand.

    Raises:
        LakeError: A month cannot be read.
    """
    applications = lake.read("applications", lake.months("applications"))
    gone = 0
    for month in lake.months("outcomes"):
        before = lake.read("outcomes", [month])
        after = change(before, applications)
        lake.write("outcomes", month, after)
        gone += int(before["defaulted"].sum()) - int(after["defaulted"].sum())
    return gone
