"""The gate: a model that approves one group at too small a part of another's rate is stopped.

The interval decides. A ratio of a sample is a random variable: with 60 people in a group it lies below four fifths for
many a fair model, and above it for many an unfair one (`oakbank.governance.gate_benchmark`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from numpy.typing import ArrayLike

from oakbank.deploy.gate import Gate, GateResult
from oakbank.governance.disparity import Disparity, Rate, disparity, rate_of, selection_rates
from oakbank.pipelines import Evaluation

FOUR_FIFTHS = 0.8
"""A rule of thumb of 1978 for employment, never a rule of lending (29 CFR 1607.4(D), Uniform Guidelines): selecting a
group at less than four fifths of the rate of the most selected one is generally taken as evidence of adverse impact.
The EEOC had its rescission at the final rule stage in July 2026 (reginfo.gov, RIN 3046-AB43). And Regulation B knows no
effects test since 21 July 2026 (CFPB, final rule of 22 April 2026); state law and the Fair Housing Act go on. Here it
is the bank's own limit. Not legal advice; as of 30 November 2026."""

Word = Literal["pass", "refuse", "not enough data"]


@dataclass(frozen=True)
class Verdict:
    """What a sample says of a ratio and a limit."""

    word: Word
    """`pass`: the 95 % interval of each group's ratio to the highest is at the limit or above. `refuse`: that of one is
    below. `not enough data`: nobody can say yet."""
    detail: str
    """The numbers, and what to do."""
    disparity: Disparity


def judge(granted: ArrayLike, group: ArrayLike, *, min_ratio: float = FOUR_FIFTHS, min_rows: int = 100) -> Verdict:
    """Judge decisions over everybody who applied.

    Args:
        granted: Decisions, bool, shape (n,).
        group: The group of each, shape (n,).
        min_ratio: Least approval rate of any group as a part of the highest group's.
        min_rows: Least number of people in a group; with fewer nothing is said.

    Raises:
        ValueError: As in `selection_rates`, there is only one group, or the limit makes no sense.
    """
    return judge_rates(selection_rates(granted, group), min_ratio=min_ratio, min_rows=min_rows)


def judge_rates(rates: Mapping[str, Rate], *, min_ratio: float = FOUR_FIFTHS, min_rows: int = 100) -> Verdict:
    """Judge the rates of `selection_rates`; see `judge`."""
    _check_limit(min_ratio)
    found = disparity(rates)
    said = f"{_said(found)}, at least {min_ratio:g} wanted"
    if small := [name for name, rate in rates.items() if rate.n < min_rows]:
        few = f"fewer than {min_rows} rows of {', '.join(small)}: enlarge the hold-out"
        return Verdict("not enough data", f"{said}; {few}", found)
    others = [name for name in rates if name != found.highest]
    bounds = [disparity({found.highest: rates[found.highest], name: rates[name]}).ratio_interval for name in others]
    if any(high < min_ratio for _, high in bounds):
        return Verdict("refuse", said, found)
    if all(low >= min_ratio for low, _ in bounds):
        return Verdict("pass", said, found)
    return Verdict("not enough data", f"{said}; the sample does not settle it: enlarge the hold-out", found)


def fairness_gate(
    min_ratio: float = FOUR_FIFTHS, min_rows: int = 100, undecided: Literal["refuse", "ratio"] = "refuse"
) -> Gate:
    """Return a gate that lets a challenger pass where the hold-out shows that no group falls below the limit.

    `not enough data` does not pass either: a small hold-out must not make a gate lenient. The champion then stays,
    and it may be the less fair of the two: enlarge the hold-out soon. A bank too small for that can let the bare
    ratio decide such cases (`undecided="ratio"`), and will often be wrong: see `gate_benchmark`.

    The hold-out holds granted loans only, so people whom the policy of the day declined are not in it; a policy that
    picked harder from one group makes this ratio look better than it is at the door. Watch the decisions as well, with
    `judge`.

    Args:
        min_ratio: Least approval rate of any group as a part of the highest group's.
        min_rows: Least number of people in a group; with fewer it never passes.
        undecided: What decides where the interval does not.
    """
    _check_limit(min_ratio)

    def gate(challenger: Evaluation, champion: Evaluation | None) -> GateResult:
        rates = challenger.approval_by_group
        if len(rates) < 2:
            return _refused(f"approval is known for {len(rates)} group(s): fairness needs two, nothing to compare")
        if not max(rates.values()) > 0:
            return _refused("nobody is approved: equal, and no use")
        sizes = group_sizes(challenger)
        if sizes is None:
            said = ", ".join(f"{name} at {rate:.1%}" for name, rate in rates.items())
            passed = undecided == "ratio" and min(rates.values()) >= min_ratio * max(rates.values())
            unknown = f"approved: {said}; the groups' sizes are not known: judge the decisions themselves"
            return GateResult("fairness", passed, unknown)
        counted = {name: rate_of(round(rates[name] * size), size) for name, size in sizes.items()}
        verdict = judge_rates(counted, min_ratio=min_ratio, min_rows=min_rows)
        few = min(sizes.values()) < min_rows
        by_ratio = undecided == "ratio" and not few and verdict.disparity.ratio >= min_ratio
        return GateResult("fairness", verdict.word == "pass" or by_ratio, verdict.detail)

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


def _said(found: Disparity) -> str:
    low, high = found.ratio_interval
    rates = ", ".join(f"{name} is approved at {rate.rate:.1%}" for name, rate in found.rates.items())
    sizes = ", ".join(f"{name}: {rate.n} rows" for name, rate in found.rates.items())
    return f"{rates}: ratio {found.ratio:.3f} (95 % interval {low:.2f} to {high:.2f}; {sizes})"


def _refused(detail: str) -> GateResult:
    return GateResult("fairness", False, detail)


def _check_limit(min_ratio: float) -> None:
    if not 0 < min_ratio <= 1:
        raise ValueError(f"min_ratio must be above 0 and at most 1, not {min_ratio}")
