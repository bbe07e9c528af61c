"""From one decision back to everything it came from: model, data, code, gates, approver, and what the log says."""

import math
import operator
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from oakbank.deploy.batch import BatchError, decide_month
from oakbank.governance.audit import AuditLog, Entry, Verification
from oakbank.pipelines import CreditModel, FeedReference, Registry, RegistryError, code_hash
from oakbank.world import OFFICERS, Lake, LakeError

PROMOTE = "promote"
"""Kind of the log's entry that makes a version the champion: its actor is the approver, its payload has `version`."""


class LineageError(LookupError):
    """A decision that is not there; the message says what is known of the application."""


@dataclass(frozen=True)
class Lineage:
    """Where one decision came from. What could not be confirmed is in `warnings`: none means all of it held."""

    application_id: int
    month: int
    granted: bool
    probability: float | None
    """Default probability as decided on; None if no model was asked."""
    reason: str
    """Why a person must look at it; "" otherwise."""
    version: str
    """Version of the model, or "officers"."""
    model_hash: str | None
    data_hash: str | None
    code_hash: str | None
    as_of: int | None
    """Month of the training run: it knew only outcomes from before it."""
    run_id: str | None
    """MLflow's id of the training run."""
    approver: str | None
    feed_problems: tuple[str, ...]
    """What was wrong with the feed of that month, and was repaired before the model was asked."""
    reproduced: bool | None
    """Whether version, feed and repair give this very decision again; None: a person's decision cannot be rerun."""
    entries: tuple[Entry, ...]
    """The audit log's entries that concern it."""
    log: Verification
    warnings: tuple[str, ...]

    def markdown(self) -> str:
        """Return it as a page for a person: an applicant's adviser, an auditor."""
        told = {True: "yes", False: "NO", None: "not possible"}[self.reproduced]
        rows = {
            "decision": f"{'granted' if self.granted else 'not granted'} in month {self.month}",
            "default probability": None if self.probability is None else f"{self.probability:.6f}",
            "to be reviewed": self.reason or None,
            "decided by": "loan officers" if self.version == OFFICERS else f"model version {self.version}",
            "model (sha256)": self.model_hash,
            "training data (sha256)": self.data_hash,
            "training code (sha256)": self.code_hash,
            "trained as of month": self.as_of,
            "training run": self.run_id,
            "approved by": self.approver,
            "feed repaired": "; ".join(self.feed_problems) or None,
            "reproduced today": told,
            "audit log": f"{'holds' if self.log.ok else 'DOES NOT HOLD'}: {self.log.detail}",
        }
        lines = [f"# Application {self.application_id}", "", "| | |", "|---|---|"]
        lines += [f"| {name} | {_cell(value)} |" for name, value in rows.items() if value is not None]
        if self.entries:
            lines += ["", "## In the audit log", "", "| entry | month | what | who |", "|---|---|---|---|"]
            lines += [
                f"| {e.seq} | {'' if e.when is None else e.when} | {_cell(e.kind)} | {_cell(e.actor)} |"
                for e in self.entries
            ]
        if self.warnings:
            lines += ["", "## Not confirmed", "", *(f"- {_cell(warning)}" for warning in self.warnings)]
        return "\n".join(lines) + "\n"


def trace(
    application_id: int,
    lake: Lake,
    registry: Registry,
    audit: AuditLog,
    *,
    reference: FeedReference | None = None,
    head: str | None = None,
) -> Lineage:
    """Find where a decision came from, and decide it again to see whether that is true.

    Args:
        application_id: The application.
        lake: The lake with its decision.
        registry: The registry of the model that decided.
        audit: The audit log. An entry concerns a decision if all it names of `application_id`, `version` and
            `month` (in its payload) fits, and it names one of them.
        reference: What the batch job knew of good feeds; None: the months of history, as in its command.
        head: Anchor of the audit log, see `AuditLog.verify`.

    Raises:
        LineageError: There is no decision on this application.
        LakeError: The lake's decisions cannot be read.
    """
    application_id = operator.index(application_id)
    row, warnings = _decision(application_id, lake)
    month, version = int(row["month"]), str(row["model_version"])
    origin = _Origin() if version == OFFICERS else _origin(row, lake, registry, reference)
    warnings += origin.warnings
    approver, as_of = origin.tags.get("approver"), origin.tags.get("as_of")
    log = audit.verify(head)
    entries = [e for e in audit.entries() if _concerns(e, application_id, version, month)] if log.ok else []
    if not log.ok:
        warnings.append(f"the audit log does not hold, so nothing is quoted from it: {log.detail}")
    elif version != OFFICERS:
        warnings += _approval(entries, approver, version)
    return Lineage(
        application_id=application_id,
        month=month,
        granted=bool(row["granted"]),
        probability=None if math.isnan(row["default_probability"]) else float(row["default_probability"]),
        reason=str(row["reason"]),
        version=version,
        model_hash=origin.tags.get("model_hash"),
        data_hash=origin.tags.get("data_hash"),
        code_hash=origin.tags.get("code_hash"),
        as_of=None if as_of is None else int(as_of),
        run_id=origin.run_id,
        approver=approver,
        feed_problems=origin.feed_problems,
        reproduced=origin.reproduced,
        entries=tuple(entries),
        log=log,
        warnings=tuple(warnings),
    )


@dataclass
class _Origin:
    """What registry and lake say of the model that decided, as far as they could be asked."""

    tags: dict[str, str] = field(default_factory=dict)
    run_id: str | None = None
    reproduced: bool | None = None
    feed_problems: tuple[str, ...] = ()
    warnings: list[str] = field(default_factory=list)


def _origin(row: "pd.Series[Any]", lake: Lake, registry: Registry, reference: FeedReference | None) -> _Origin:
    """Ask the registry for a decision's model, and decide again with it."""
    version, origin = str(row["model_version"]), _Origin(reproduced=False)
    try:
        origin.tags = registry.tags(version)
        origin.run_id = registry.run_id(version)
        model = registry.load(version)  # its digest is checked before LightGBM sees it
        usual = reference or FeedReference.from_lake(lake)
        origin.reproduced, origin.feed_problems = _again(row, model, lake, usual)
        if not origin.reproduced:
            origin.warnings.append("decided again, the result differs: the feed, the reference or the code has changed")
    except (BatchError, LakeError, RegistryError) as error:
        origin.warnings.append(f"could not be decided again: {error}")
    if origin.tags and origin.tags.get("code_hash") != code_hash():
        origin.warnings.append("the pipeline's code is not that of the training run any more")
    return origin


def _decision(application_id: int, lake: Lake) -> tuple["pd.Series[Any]", list[str]]:
    for month in reversed(lake.months("decisions")):
        decisions = lake.read("decisions", [month])
        found = decisions[decisions["application_id"] == application_id]
        if len(found) > 1:
            return found.iloc[0], [f"the application was delivered {len(found)} times; this is the first"]
        if len(found):
            return found.iloc[0], []
    for month in lake.months("applications"):
        if (lake.read("applications", [month])["application_id"] == application_id).any():
            raise LineageError(f"application {application_id} of month {month} is not decided yet: run the batch job")
    raise LineageError(f"no application {application_id} in {lake.folder}: check the number")


def _again(
    row: "pd.Series[Any]", model: CreditModel, lake: Lake, reference: FeedReference
) -> tuple[bool, tuple[str, ...]]:
    """Decide the whole month again, since its repair depends on the whole month; compare one row, to the last bit."""
    month = int(row["month"])
    decisions, problems = decide_month(model, str(row["model_version"]), lake, month, reference)
    again = decisions[decisions["application_id"] == row["application_id"]].reset_index(drop=True)
    recorded = pd.DataFrame([row]).reset_index(drop=True)
    names = [name for name in again if name in recorded]
    same = len(again) > 0 and all(_same(again.at[0, name], recorded.at[0, name]) for name in names)
    return same, tuple(f"{p.column}: {p.kind}: {p.detail}" for p in problems)


def _same(one: Any, other: Any) -> bool:
    return bool(one == other) or (pd.isna(one) and pd.isna(other))


def _concerns(entry: Entry, application_id: int, version: str, month: int) -> bool:
    wanted = {"application_id": str(application_id), "version": version, "month": str(month)}
    named = {name: str(entry.payload[name]) for name in wanted if name in entry.payload}
    return bool(named) and all(wanted[name] == value for name, value in named.items())


def _approval(entries: list[Entry], approver: str | None, version: str) -> list[str]:
    actors = {entry.actor for entry in entries if entry.kind == PROMOTE}
    if approver is None:
        return [f"version {version} has no approver in the registry"]
    if not actors:
        return [f"the audit log has no {PROMOTE!r} entry for version {version}"]
    if approver not in actors:
        return [f"the registry names {approver} as approver, the audit log {', '.join(sorted(actors))}"]
    return []


def _cell(value: object) -> str:
    """Text from outside must not break the table it stands in, nor become HTML."""
    return " ".join(str(value).split()).replace("|", "\\|").replace("<", "&lt;")
