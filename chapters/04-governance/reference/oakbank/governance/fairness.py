"""Fairness in numbers, from scratch: who is granted, who should have been, and how sure a sample lets us be.

No measure here says "fair". Parity, equal opportunity and calibration ask different questions and, where the groups
differ in risk, cannot all be met at once (Kleinberg, Mullainathan and Raghavan 2016; Chouldechova 2017).
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from oakbank.deploy.gate import Gate, GateResult
from oakbank.pipelines import Evaluation

FOUR_FIFTHS = 0.8
"""A rule of thumb of 1978 for employment, never a rule of lending (29 CFR 1607.4(D), Uniform Guidelines): selecting a
group at less than four fifths of the rate of the most selected one is generally taken as evidence of adverse impact.
The EEOC had its rescission at the final rule stage in July 2026 (reginfo.gov, RIN 3046-AB43). And Regulation B knows no
effects test since 21 July 2026 (CFPB, final rule of 22 April 2026). Here it is the bank's own limit."""
Z = 1.959963984540054
"""Two-sided 95 %."""


@dataclass(frozen=True)
class Rate:
    """A share of `n` people, with its 95 % interval (Wilson)."""

    n: int
    rate: float
    low: float
    high: float


@dataclass(frozen=True)
class Disparity:
    """The lowest rate against the highest. `difference` is lowest minus highest, `ratio` lowest over highest.

    The intervals are normal approximations at 95 % (of the difference, and of the logarithm of the ratio); for a
    rate of 0 the ratio's runs from 0 to infinity. They take the two groups as chosen beforehand.
    """

    lowest: str
    highest: str
    rates: Mapping[str, Rate]
    difference: float
    difference_interval: tuple[float, float]
    ratio: float
    ratio_interval: tuple[float, float]


def selection_rates(granted: ArrayLike, group: ArrayLike) -> dict[str, Rate]:
    """Return the share of each group that was granted.

    Args:
        granted: Decisions, bool, shape (n,).
        group: The group of each, shape (n,).

    Raises:
        ValueError: The lengths differ, there are no rows, or a value is missing.
    """
    decided, member = _columns(granted, group)
    names = [str(name) for name in np.unique(member)]
    return {name: _rate(int(decided[member == name].sum()), int((member == name).sum())) for name in names}


def demographic_parity(granted: ArrayLike, group: ArrayLike) -> Disparity:
    """Compare who is granted, whatever their risk. Arguments as in `selection_rates`.

    Raises:
        ValueError: As in `selection_rates`, or there is only one group.
    """
    return _disparity(selection_rates(granted, group))


def equal_opportunity(granted: ArrayLike, repaid: ArrayLike, group: ArrayLike) -> Disparity:
    """Compare who is granted among those who repay.

    Args:
        granted: Decisions, bool, shape (n,).
        repaid: Whether each repaid (or would have), bool, shape (n,). A bank knows it of granted loans alone: over
            those, this compares a new policy with the old one's choices, and says nothing of whom the old one declined.
        group: The group of each, shape (n,).

    Raises:
        ValueError: As in `demographic_parity`, or a group has nobody who repaid.
    """
    decided, member = _columns(granted, group)
    good, _ = _columns(repaid, group)
    if missing := sorted({str(name) for name in member} - {str(name) for name in member[good]}):
        raise ValueError(f"nobody of {', '.join(missing)} repaid: equal opportunity cannot be told; take more months")
    return _disparity(selection_rates(decided[good], member[good]))


def calibration_by_group(probability: ArrayLike, defaulted: ArrayLike, group: ArrayLike, bins: int = 5) -> pd.DataFrame:
    """Compare predicted with observed default, by group and level of prediction.

    Args:
        probability: Predicted default probabilities, shape (n,).
        defaulted: Outcomes, bool, shape (n,).
        group: The group of each, shape (n,).
        bins: Number of levels; their edges are quantiles of all predictions, the same for each group.

    Returns:
        One row per group and level that has somebody: `group`, `level` (0 is the lowest), `n`, `predicted` (mean),
        `observed`, `low` and `high` (95 % interval of `observed`).
    """
    predicted = np.asarray(probability, dtype=np.float64)
    outcome, member = _columns(defaulted, group)
    level = _levels(predicted, bins)
    rows = []
    for name in np.unique(member):
        for number in np.unique(level[member == name]):
            inside = (member == name) & (level == number)
            rate = _rate(int(outcome[inside].sum()), int(inside.sum()))
            mean = float(predicted[inside].mean())
            rows.append((str(name), int(number), rate.n, mean, rate.rate, rate.low, rate.high))
    return pd.DataFrame(rows, columns=["group", "level", "n", "predicted", "observed", "low", "high"])


def bootstrap(
    statistic: Callable[[NDArray[np.intp]], float], n: int, draws: int = 1_000, seed: int = 0
) -> tuple[float, float]:
    """Return the 95 % percentile interval of a statistic that has no formula.

    Args:
        statistic: Takes row numbers, shape (n,), drawn with replacement; returns one number.
        n: Number of rows.
        draws: Number of resamples.
        seed: Of the resampling.
    """
    rng = np.random.default_rng(seed)
    values = [statistic(rng.integers(0, n, n)) for _ in range(draws)]
    low, high = np.quantile(values, [0.025, 0.975])
    return float(low), float(high)


@dataclass(frozen=True)
class TruthAudit:
    """What only the simulator can say: decisions against the true default probability, group against group.

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


def audit_with_truth(decisions: pd.DataFrame, truth: pd.DataFrame, levels: int = 20) -> TruthAudit:
    """Ask whether, among people of equal true risk, one group is declined more.

    Args:
        decisions: `application_id`, `granted`.
        truth: From `World.truth`: `application_id`, `default_probability`, `expected_profit`, `group`.
        levels: Levels of true risk (quantiles); within one, risks are taken as equal.

    Raises:
        ValueError: A decision has no truth, an id is there twice, or a level lacks one of the groups.
    """
    columns = ["application_id", "default_probability", "expected_profit", "group"]
    rows = decisions[["application_id", "granted"]].merge(
        truth[columns], on="application_id", how="left", validate="one_to_one"
    )
    if rows.isna().any(axis=None):
        raise ValueError("some decisions have no truth: give the truth of all their months")
    granted, member = _columns(rows["granted"], rows["group"])
    risk = rows["default_probability"].to_numpy(dtype=np.float64)
    level = _levels(risk, levels)
    table = pd.DataFrame({"level": level, "group": member, "risk": risk, "declined": ~granted})
    by_risk = table.groupby(["level", "group"], as_index=False).agg(
        n=("risk", "size"), risk=("risk", "mean"), declined=("declined", "mean")
    )
    share = by_risk.pivot_table(index="level", columns="group", values="declined")
    count = by_risk.pivot_table(index="level", columns="group", values="n")
    if share.isna().any(axis=None) or share.shape[1] < 2:
        raise ValueError(f"not every one of {levels} levels of risk has each group: use fewer levels or more months")
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


def fairness_gate(min_ratio: float = FOUR_FIFTHS, min_rows: int = 100) -> Gate:
    """Return a gate that blocks a challenger which approves one group at too small a part of another's rate.

    The ratio itself decides, not its significance: a small hold-out must not make a gate lenient. How sure it is, is
    said in the detail. A group of fewer than `min_rows` people blocks too: nothing can be told about it.

    The hold-out holds granted loans only, so people whom the policy of the day declined are not in it; a policy that
    picked harder from one group makes this ratio look better than it is at the door. Watch the decisions as well.

    Args:
        min_ratio: Least approval rate of any group as a part of the highest group's.
        min_rows: Least number of people in a group.
    """
    if not 0 < min_ratio <= 1:
        raise ValueError(f"min_ratio must be above 0 and at most 1, not {min_ratio}")

    def gate(challenger: Evaluation, champion: Evaluation | None) -> GateResult:
        def result(passed: bool, detail: str) -> GateResult:
            return GateResult("fairness", passed, detail)

        rates = challenger.approval_by_group
        if len(rates) < 2:
            return result(False, f"approval is known for {len(rates)} group(s): fairness needs two, nothing to compare")
        lowest, highest = min(rates, key=lambda g: rates[g]), max(rates, key=lambda g: rates[g])
        if not rates[highest] > 0:
            return result(False, "nobody is approved: equal, and no use")
        ratio = rates[lowest] / rates[highest]
        said = f"{lowest} is approved at {rates[lowest]:.1%}, {highest} at {rates[highest]:.1%}: ratio {ratio:.3f}"
        said += f", at least {min_ratio:g} wanted"
        sizes = group_sizes(challenger)
        if sizes is None:
            said += "; the groups' sizes are not known, so neither is the ratio's interval"
        else:
            disparity = _disparity({name: _rate(round(rates[name] * sizes[name]), sizes[name]) for name in rates})
            low, high = disparity.ratio_interval
            said += f" (95 % interval {low:.2f} to {high:.2f}; " + ", ".join(f"{g}: {n} rows" for g, n in sizes.items())
            said += "; the sample alone does not settle it)" if low < min_ratio <= high else ")"
            if small := [name for name, size in sizes.items() if size < min_rows]:
                return result(False, f"{said}; fewer than {min_rows} rows of {', '.join(small)}: enlarge the hold-out")
        return result(ratio >= min_ratio, said)

    return gate


def group_sizes(evaluation: Evaluation) -> dict[str, int] | None:
    """Return how many people each of two groups has, or None if it cannot be told.

    An `Evaluation` holds rates, not counts. Its overall rate is the mean of the groups' weighted by size, which
    gives the sizes back, unless the rates are equal or there are not two groups.
    """
    rates = evaluation.approval_by_group
    if len(rates) != 2 or len(set(rates.values())) == 1:
        return None
    (first, a), (second, b) = rates.items()
    size = round(evaluation.rows * (evaluation.approval_rate - b) / (a - b))
    if not 0 < size < evaluation.rows:
        return None
    return {first: size, second: evaluation.rows - size}


def _columns(flag: ArrayLike, group: ArrayLike) -> tuple[NDArray[np.bool_], NDArray[np.str_]]:
    if len(np.atleast_1d(np.asarray(flag))) == 0 or np.shape(flag) != np.shape(group):
        raise ValueError(f"{np.shape(flag)} decisions and {np.shape(group)} groups: give one of each per person")
    if pd.isna(np.asarray(flag)).any() or pd.isna(np.asarray(group)).any():
        raise ValueError("a decision, an outcome or a group is missing: leave those people out, and say how many")
    return np.asarray(flag, dtype=bool), np.asarray(group).astype(str)


def _levels(values: NDArray[np.float64], bins: int) -> NDArray[np.intp]:
    edges = np.quantile(values, np.linspace(0, 1, bins + 1)[1:-1])
    return np.searchsorted(edges, values, side="right")


def _rate(hits: int, n: int) -> Rate:
    """Wilson's interval: unlike rate ± 1.96 errors, it is right at 0, at 1 and for few people."""
    rate, square = hits / n, Z**2 / n
    middle = (rate + square / 2) / (1 + square)
    half = Z / (1 + square) * float(np.sqrt(rate * (1 - rate) / n + square / (4 * n)))
    return Rate(n, rate, max(0.0, middle - half), min(1.0, middle + half))


def _disparity(rates: Mapping[str, Rate]) -> Disparity:
    if len(rates) < 2:
        raise ValueError(f"only the group {', '.join(rates)} is there: a comparison needs two")
    lowest, highest = min(rates, key=lambda name: rates[name].rate), max(rates, key=lambda name: rates[name].rate)
    if lowest == highest:  # all alike: compare two of them all the same
        lowest, highest = list(rates)[:2]
    low, high = rates[lowest], rates[highest]
    difference = low.rate - high.rate
    error = float(np.sqrt(sum(r.rate * (1 - r.rate) / r.n for r in (low, high))))
    if low.rate == 0:
        ratio, interval = (0.0 if high.rate else 1.0), (0.0, float("inf"))
    else:
        ratio = low.rate / high.rate
        spread = float(np.exp(Z * np.sqrt(sum((1 - r.rate) / (r.rate * r.n) for r in (low, high)))))
        interval = (ratio / spread, ratio * spread)
    return Disparity(
        lowest=lowest,
        highest=highest,
        rates=dict(rates),
        difference=difference,
        difference_interval=(difference - Z * error, difference + Z * error),
        ratio=ratio,
        ratio_interval=interval,
    )
