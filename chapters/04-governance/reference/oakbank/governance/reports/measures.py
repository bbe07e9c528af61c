"""What the report measures anew, from decisions and measures on record."""

from dataclasses import dataclass, fields

from oakbank.deploy.batch import REVIEW, as_asked
from oakbank.governance.disparity import rate_of
from oakbank.governance.fairness import Verdict, group_sizes, judge, judge_rates
from oakbank.governance.reasons import reason_codes
from oakbank.governance.reports.records import RecordError, Records
from oakbank.pipelines import Evaluation, bad_rows
from oakbank.world import PROTECTED

BY_GROUP = "approval_rate_"
"""How MLflow's names of a group's approval rate begin, see `Evaluation.metrics`."""


def evaluation(records: Records) -> Evaluation:
    """Return the candidate's measures on the hold-out, as MLflow has them.

    Raises:
        RecordError: A measure was not logged.
    """
    found = records.deployed.metrics
    names = [one.name for one in fields(Evaluation) if one.name != "approval_by_group"]
    if lost := [name for name in names if name not in found]:
        raise RecordError(f"run {records.deployed.run_id} has no {', '.join(lost)} in MLflow")
    groups = {name.removeprefix(BY_GROUP): value for name, value in sorted(found.items()) if name.startswith(BY_GROUP)}
    values = {name: found[name] for name in names if name != "rows"}
    return Evaluation(rows=int(found["rows"]), approval_by_group=groups, **values)


def on_holdout(records: Records) -> Verdict:
    """Judge the approval rates on the hold-out.

    Raises:
        RecordError: The sizes of the groups cannot be told.
    """
    measured = evaluation(records)
    sizes = group_sizes(measured)
    if sizes is None:
        raise RecordError("the sizes of the groups in the hold-out cannot be told from the measures on record")
    rates = measured.approval_by_group
    return judge_rates({name: rate_of(round(rates[name] * size), size) for name, size in sizes.items()})


def at_the_door(records: Records) -> Verdict:
    """Judge all decisions of the deployed model until the day; who was left to a person is not among them.

    Raises:
        RecordError: There is only one group, or nobody knows the groups.
    """
    table = records.decided
    by_model = table[~table["reason"].astype(str).str.startswith(REVIEW) & table[PROTECTED].notna()]
    try:
        return judge(by_model["granted"], by_model[PROTECTED].astype(str))
    except ValueError as error:
        raise RecordError(f"the decisions cannot be compared by group: {error}") from None


@dataclass(frozen=True)
class Reasons:
    """The first reasons of one month's declined applications."""

    month: int
    declined: int
    shares: dict[str, float]
    """Reason -> share of the declined whose first reason it is, the most frequent first."""


def reasons(records: Records) -> Reasons:
    """Explain the declines of the last month that the deployed model decided, as the model was asked.

    Raises:
        RecordError: Nobody was declined for a reason.
        ReasonsError: An explanation does not add up.
    """
    month = int(records.decided["month"].max())
    asked = as_asked(records.lake, month)
    asked = asked[(bad_rows(asked) == "").to_numpy()].reset_index(drop=True)
    model = records.registry.load(records.deployed.version)
    try:
        first = [codes[0].feature for codes in reason_codes(model, asked, k=1) if codes]
    except ValueError as error:
        raise RecordError(f"the declines of month {month} cannot be explained: {error}") from None
    if not first:
        raise RecordError(f"nobody was declined for a reason in month {month}")
    counts = {name: first.count(name) for name in sorted(set(first))}
    ordered = sorted(counts, key=lambda name: (-counts[name], name))
    return Reasons(month, len(first), {name: counts[name] / len(first) for name in ordered})
