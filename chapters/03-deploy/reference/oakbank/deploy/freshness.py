"""What old data would have shown: the bureau's columns as a file delivered some days ago has them."""

import numpy as np
import pandas as pd

WINDOW = 730
"""Days over which the bureau counts late payments: 24 months."""


def bureau_as_of(applications: pd.DataFrame, days: int, seed: int = 0) -> pd.DataFrame:
    """Return applications as the bank would see them with a bureau file that is some days old.

    The file lacks the late payments of the last days, and its score is higher by what one late payment goes with in
    these applications. Nothing says when a payment was late, so a day is drawn for each, evenly over `WINDOW`.

    Args:
        applications: With `delinquencies` and `bureau_score`, and an index that names each row once.
        days: Age of the file; with 0 nothing changes.
        seed: Of the days drawn: the same for all ages, so an older file lacks all that a newer one lacks.
    """
    late = applications["delinquencies"].to_numpy()
    drawn = np.random.default_rng(seed).integers(0, WINDOW, int(late.sum()))
    recent = pd.Series(drawn < days, index=np.repeat(applications.index, late))
    missing = recent.groupby(level=0).sum().reindex(applications.index, fill_value=0)
    points = -np.polyfit(late, applications["bureau_score"], 1)[0]
    score = (applications["bureau_score"] + points * missing).clip(upper=850.0)
    return applications.assign(delinquencies=(late - missing).astype(late.dtype), bureau_score=score)
