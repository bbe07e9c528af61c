"""The blocks that model card and technical file are made of; each says what one kind of record says."""

import json
from collections.abc import Callable, Sequence
from functools import lru_cache

from oakbank.governance.audit import Entry
from oakbank.governance.fairness import FOUR_FIFTHS, Verdict
from oakbank.governance.reports import measures, plots
from oakbank.governance.reports.document import Block, Figure, Missing, Section, Table, Text, facts
from oakbank.governance.reports.records import FAULTS, Records
from oakbank.governance.roles import SIGNATURE, SIGNS
from oakbank.governance.tracked import first_of
from oakbank.pipelines import OAKBANK
from oakbank.world import COLUMNS

Builder = Callable[[Records], Sequence[Block]]
_once = lru_cache(maxsize=1)
"""For what takes seconds and stands in both documents of the same records."""


def section(title: str, records: Records, *builders: Builder) -> Section:
    """Return a section; where a record lacks, its block is red and says so, and the others are there all the same."""
    blocks: list[Block] = []
    for build in builders:
        try:
            blocks += build(records)
        except FAULTS as error:
            blocks.append(Missing(str(error)))
    return Section(title, tuple(blocks))


def says(text: str) -> Builder:
    """Return a builder of a paragraph."""
    return lambda records: [Text(text)]


def month_name(month: int | str | None) -> str | None:
    """Return a month as the bank counts it and as the calendar does."""
    return None if month is None else f"{month} ({first_of(int(month)):%Y-%m})"


def identity(records: Records) -> list[Block]:
    """Which model it is."""
    found = records.deployed
    values = [
        ("registered model", found.name),
        ("version", found.version),
        ("model (sha256)", found.tags.get("model_hash")),
        ("training data (sha256)", found.tags.get("data_hash")),
        ("training code (sha256)", found.tags.get("code_hash")),
        ("trained as of month", month_name(found.tags.get("as_of"))),
        ("training run in MLflow", found.run_id),
        ("trained by", found.trained and found.trained.actor),
        ("promoted by", found.promoted.actor),
        ("promoted in month", month_name(found.promoted.when)),
        ("approver in the registry", found.tags.get("approver")),
    ]
    return [facts("The model that decided on this day", values)]


def gates(records: Records) -> list[Block]:
    """What it had to pass before it decided about customers."""
    found = json.loads(records.deployed.tags.get("gates", "[]"))
    if not found:
        return [
            Missing(f"version {records.deployed.version} has no gates on record: who says that it was good enough?")
        ]
    rows = tuple((one["name"], "passed" if one["passed"] else "NOT PASSED", one["detail"]) for one in found)
    red = frozenset(number for number, one in enumerate(found) if not one["passed"])
    return [Table("Gates before the promotion, from the registry", ("gate", "result", "detail"), rows, red)]


def software(records: Records) -> list[Block]:
    """Which packages it was stored with."""
    names = [tuple(line.split("==")) if "==" in line else (line, "") for line in records.software()]
    return [Table("Software stored with the model", ("package", "version"), tuple((a, b) for a, b in names))]


def settings(records: Records) -> list[Block]:
    """How it was trained."""
    return [facts("Settings of the training run, from MLflow", list(records.deployed.params.items()))]


def data(records: Records) -> list[Block]:
    """What it learned from."""
    blocks: list[Block] = [
        Table("Data sets of the training run, from MLflow", ("data", "digest"), records.deployed.data)
    ]
    kinds: dict[str, list[str]] = {}
    for one in records.origins():
        if one.name.startswith("lake/"):
            _, kind, file = one.name.split("/")
            kinds.setdefault(kind, []).append(file.removeprefix("month=").removesuffix(".parquet"))
    rows = tuple(
        (kind, str(len(months)), f"{min(map(int, months))} to {max(map(int, months))}")
        for kind, months in sorted(kinds.items())
    )
    blocks.append(Table("What these were made from, from the lineage", ("files of", "number", "months"), rows))
    return blocks


def inputs(records: Records) -> list[Block]:
    """What the model reads."""
    rows = tuple(
        (one.name, one.meaning, one.unit, "" if one.low is None else f"{one.low:g} to {one.high:g}")
        for one in COLUMNS
        if one.name in OAKBANK.columns
    )
    return [Table("What the model reads of an application", ("column", "meaning", "unit", "valid"), rows)]


def measured(records: Records) -> list[Block]:
    """How good it is on the hold-out."""
    found = measures.evaluation(records)
    values: list[tuple[str, object]] = [
        ("loans in the hold-out", f"{found.rows:,}"),
        ("default rate", f"{found.default_rate:.1%}"),
        ("mean predicted default probability", f"{found.mean_probability:.1%}"),
        ("AUC", f"{found.auc:.3f}"),
        ("Brier score", f"{found.brier:.4f}"),
        ("approved by the bank's rule", f"{found.approval_rate:.1%}"),
        ("default rate of these", f"{found.approved_default_rate:.1%}"),
        ("profit of these, EUR", f"{found.profit:,.0f}"),
    ]
    return [
        facts("Measures of the candidate on the hold-out, from MLflow", values),
        Text("The hold-out holds granted loans only: nothing is known of what the declined would have done."),
    ]


@_once
def calibration(records: Records) -> Sequence[Block]:
    """How far its probabilities can be trusted."""
    report = records.assessment()
    ranking, fitted = report["ranking"], report["calibration"]
    low, high = ranking["interval"]
    error = fitted["expected_error"]
    words = f"Ten levels of predicted risk; mean distance of observed from predicted: {error:.1%}."
    picture = plots.calibration(fitted["bins"])
    return [
        Text(f"AUC {ranking['auc']:.3f}, 95 % interval {low:.3f} to {high:.3f}, from the validation report."),
        Figure(picture, f"Calibration on the hold-out. {words}", words),
    ]


@_once
def fairness(records: Records) -> Sequence[Block]:
    """How groups are treated."""
    verdicts = {"hold-out": measures.on_holdout(records), "at the door": measures.at_the_door(records)}
    rows = [
        (where, name, f"{rate.n:,}", f"{rate.rate:.1%}", f"{rate.low:.1%} to {rate.high:.1%}")
        for where, verdict in verdicts.items()
        for name, rate in verdict.disparity.rates.items()
    ]
    told = [(where, *_ratio(verdict)) for where, verdict in verdicts.items()]
    failed = frozenset(number for number, row in enumerate(told) if row[-1] != "pass")
    words = "; ".join(f"{where}: group {name} {rate} ({interval})" for where, name, _, rate, interval in rows)
    picture = plots.approvals({where: verdict.disparity.rates for where, verdict in verdicts.items()})
    return [
        Table("Approved, by group", ("decisions", "group", "people", "approved", "95 % interval"), tuple(rows)),
        Table(
            f"Lowest over highest rate; limit {FOUR_FIFTHS:g}", ("decisions", "ratio", "verdict"), tuple(told), failed
        ),
        Figure(picture, "Approval by group, with 95 % intervals.", words),
    ]


def _ratio(verdict: Verdict) -> tuple[str, str]:
    low, high = verdict.disparity.ratio_interval
    return f"{verdict.disparity.ratio:.3f} ({low:.2f} to {high:.2f})", verdict.word


@_once
def declines(records: Records) -> Sequence[Block]:
    """Why applicants were declined."""
    found = measures.reasons(records)
    words = ", ".join(f"{name} {share:.0%}" for name, share in found.shares.items())
    caption = f"First reason of the {found.declined:,} applications that the model declined in month {found.month}."
    return [Figure(plots.bars(found.shares, "share of declined applications"), caption, words)]


def decisions(records: Records) -> list[Block]:
    """What it has decided so far."""
    rows = []
    for month in sorted(set(records.decided["month"].astype(int))):
        table = records.decided[records.decided["month"] == month]
        granted, people = int(table["granted"].sum()), int((table["reason"].astype(str) != "").sum())
        rows.append(
            (str(month_name(month)), f"{len(table):,}", f"{granted:,}", f"{granted / len(table):.1%}", str(people))
        )
    head = ("month", "applications", "granted", "share", "left to a person")
    return [Table("Decisions of this version until this day, from the lake", head, tuple(rows))]


def changes(records: Records) -> list[Block]:
    """What was changed, by whom, and whether it is signed."""
    found = records.changes()
    try:
        problems = records.unsigned()
    except FAULTS as error:
        return [_changes(found, {}, checked=False), Missing(str(error))]
    return [_changes(found, problems, checked=True)]


def _changes(entries: Sequence[Entry], problems: dict[int, str], *, checked: bool) -> Table:
    def signed(entry: Entry) -> str:
        if problem := problems.get(entry.seq):
            return f"NOT VALID: {problem}"
        return ("valid" if checked else "not checked") if SIGNATURE in entry.payload else "none"

    rows = tuple(
        (
            month_name(entry.when) or "not dated",
            f"{entry.kind} version {entry.payload.get('version')}",
            entry.actor,
            SIGNS.get(entry.kind, ""),
            signed(entry),
        )
        for entry in entries
    )
    red = frozenset(number for number, entry in enumerate(entries) if entry.seq in problems)
    return Table("Changes until this day, from the audit log", ("month", "what", "who", "as", "signature"), rows, red)


def log_head(records: Records) -> list[Block]:
    """What the audit log is worth."""
    head = records.tree_head()
    values: list[tuple[str, object]] = [("entries until this day", head.size), ("root of their tree", head.root)]
    blocks: list[Block] = [facts("The audit log", values)]
    if records.head is None:
        blocks.append(Missing("no head kept by somebody else was given, so a log that was written anew would not show"))
    return blocks
