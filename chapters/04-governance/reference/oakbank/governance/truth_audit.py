"""What only the simulator can say: decisions against the true default probability, group against group."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from oakbank.governance.disparity import Rate, Z, columns, levels, selection_rates


@dataclass(frozen=True)
class TruthAudit:
    """Whether people of equal true risk are declined alike.

    `by_risk`: one row per level of true risk and group: `level`, `group`, `n`, `risk` (mean true probability),
    `declined` (share). `declined_at_equal_risk`: by group, had it everybody's spread of risk. `wrongly_declined`: by
    group, the share declined of those whose loan was expected to earn something.
    """

    by_risk: pd.DataFrame
    declined_at_equal_risk: Mapping[str, float]
    gap: float
    """The most declined group's share less the least declined one's, at equal risk."""
    gap_interval: tuple[float, float]
    most_declined: str
    wrongly_declined: Mapping[str, Rate]


def audit_with_truth(decisions: pd.DataFrame, truth: pd.DataFrame, bins: int = 20) -> TruthAudit:
    """Ask whether, among people of equal true risk, one group is declined more.

    Args:
        decisions: `application_id`, `granted`.
        truth: From `World.truth`: `application_id`, `default_probability`, `expected_profit`, `group`.
        bins: Number of levels of true risk (quantiles); within one, risks are taken as equal.

    Raises:
        ValueError: A decision has no truth, an id is there twice, or a level lacks one of the groups.
    """
    known = ["application_id", "default_probability", "expected_profit", "group"]
    rows = decisions[["application_id", "granted"]].merge(
        truth[known], on="application_id", how="left", validate="one_to_one"
    )
    if rows.isna().any(axis=None):
        raise ValueError("some decisions have no truth: give the truth of all their months")
    granted, member = columns(rows["granted"], rows["group"])
    risk = rows["default_probability"].to_numpy(dtype=np.float64)
    level = levels(risk, bins)
    table = pd.DataFrame({"level": level, "group": member, "risk": risk, "declined": ~granted})
    by_risk = table.groupby(["level", "group"], as_index=False).agg(
        n=("risk", "size"), risk=("risk", "mean"), declined=("declined", "mean")
    )
    share = by_risk.pivot_table(index="level", columns="group", values="declined")
    count = by_risk.pivot_table(index="level", columns="group", values="n")
    if share.isna().any(axis=None) or share.shape[1] < 2:
        raise ValueError(f"not every one of {bins} levels of risk has each group: use fewer levels or more months")
    weight = count.sum(axis=1) / len(table)
    standardised = (share.mul(weight, axis=0)).sum()
    variance = (share * (1 - share) / count).mul(weight**2, axis=0).sum()
    most, least = str(standardised.idxmax()), str(standardised.idxmin())
    gap, error = float(standardised[most] - standardised[least]), float(np.sqrt(variance[most] + variance[least]))
    earning = rows["expected_profit"].to_numpy() > 0
    return TruthAudit(
        by_risk=by_risk,
        declined_at_equal_risk={str(name): float(value) for name, value in standardised.items()},
        gap=gap,
        gap_interval=(gap - Z * error, gap + Z * error),
        most_declined=most,
        wrongly_declined=selection_rates(~granted[earning], member[earning]),
    )
