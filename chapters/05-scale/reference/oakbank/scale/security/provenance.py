"""What holds against poisoned labels: who reported each one, a look at the payments, and slices on checked labels.

Labels that one party reports agree with each other, whatever they say. So nothing that is computed from them alone
shows the lie; it takes a second source, here the bank's own record of payments. A person looks up each loan in it, so
the number of look-ups counts.
"""

import math
from collections.abc import Callable, Iterable, Sequence

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from oakbank.deploy.gate import GateResult
from oakbank.pipelines import CreditModel
from oakbank.pipelines.measures import slices
from oakbank.scale.security.labels import rewrite_outcomes
from oakbank.world import Lake

SLICED = ("channel", "purpose")
LookUp = Callable[[NDArray[np.int64]], ArrayLike]
"""Takes application ids; returns, by the bank's own payments, which defaulted. Shape (n,), bool."""


def look_ups(false_share: float, confidence: float = 0.95) -> int:
    """Return how many loans to look up to meet a false report with this confidence.

    Args:
        false_share: Share of the reports that is false, above 0 and below 1.
        confidence: Probability to draw at least one of them.

    Raises:
        ValueError: One of them is not between 0 and 1.
    """
    if not (0 < false_share < 1 and 0 < confidence < 1):
        raise ValueError(f"both must lie between 0 and 1, not {false_share} and {confidence}")
    return math.ceil(math.log(1 - confidence) / math.log(1 - false_share))


def check_reports(
    loans: pd.DataFrame, look_up: LookUp, n: int, reporter: str = "channel", seed: int = 0
) -> pd.DataFrame:
    """Look up `n` loans of each reporter that were reported as repaid.

    Args:
        loans: Reported loans, columns `application_id`, `defaulted` and the reporter's.
        look_up: The bank's own record of payments.
        n: Loans of each reporter; all, where it has fewer.
        reporter: Column that says who reported.
        seed: Of the draw. Whoever reports must not be able to guess it.

    Returns:
        One row a reporter, by name: `reported` (loans said to be repaid), `looked_up`, `false`.

    Raises:
        ValueError: `n` is below 1.
    """
    if n < 1:
        raise ValueError(f"look up at least one loan of each reporter, not {n}")
    rng = np.random.Generator(np.random.PCG64(seed))
    repaid = loans[~loans["defaulted"]].sort_values("application_id")
    found = []
    for name in sorted(repaid[reporter].astype(str).unique()):
        ids = repaid.loc[repaid[reporter].astype(str) == name, "application_id"].to_numpy()
        drawn = np.sort(rng.choice(ids, min(n, len(ids)), replace=False))
        false = int(np.asarray(look_up(drawn), dtype=bool).sum())
        found.append({reporter: name, "reported": len(ids), "looked_up": len(drawn), "false": false})
    return pd.DataFrame(found).set_index(reporter)


def disputed(checks: pd.DataFrame) -> list[str]:
    """Return the reporters of `check_reports` with a false report."""
    return [str(name) for name in checks.index[checks["false"] > 0]]


def mend(lake: Lake, look_up: LookUp, refused: Iterable[str], reporter: str = "channel") -> int:
    """Replace, in a lake, the outcomes that refused reporters told by the bank's own payments.

    `profit` of a corrected row is left as it was reported: the pipeline does not read it.

    Returns:
        How many defaults had been hidden.
    """
    names = list(refused)

    def by_payments(outcomes: pd.DataFrame, applications: pd.DataFrame) -> pd.DataFrame:
        who = outcomes[["application_id"]].merge(applications[["application_id", reporter]], how="left")[reporter]
        theirs = who.astype(str).isin(names).to_numpy()
        mended, ids = outcomes.copy(), outcomes.loc[theirs, "application_id"].to_numpy()
        mended.loc[theirs, "defaulted"] = np.asarray(look_up(ids), dtype=bool)
        return mended

    return -rewrite_outcomes(lake, by_payments)


def slices_hold(model: CreditModel, holdout: pd.DataFrame, columns: Sequence[str] = SLICED) -> GateResult:
    """Say whether a model's mean prediction fits what happened in each slice, also where two columns cross.

    Args:
        model: A candidate that has not seen the hold-out.
        holdout: Applications with `defaulted`.
        columns: Columns to slice by, alone and in pairs. Slices that are small (see `oakbank.pipelines.measures`) do
            not count, and the bounds are widened for the number of slices.
    """
    pairs = [(one, other) for place, one in enumerate(columns) for other in columns[place + 1 :]]
    names = {f"{one} and {other}": (one, other) for one, other in pairs}
    crossed = {
        name: holdout[one].astype(str) + " " + holdout[other].astype(str) for name, (one, other) in names.items()
    }
    rows = holdout.assign(**crossed)
    outcome = holdout["defaulted"].to_numpy(dtype=bool)
    # No "small": a slice with many rows and no default at all is what a lie looks like.
    found = slices(rows, outcome, model.predict(holdout), [*columns, *names])
    off = [one for one in found if one["off"] and one["rows"] >= 100]
    told = [f"{one['value']}: predicted {one['predicted']:.3f}, happened {one['default_rate']:.3f}" for one in off]
    return GateResult("slices_hold", not off, "; ".join(told) or f"{len(found)} slices fit")
