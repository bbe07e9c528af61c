"""Model card and technical file of the model that decided on a day, as HTML and PDF, from the bank's records.

A fact stands in them because a record says it: MLflow, the lineage, the lake, the audit log, the repository's tests.
What no record says is red. Made again later, a report as of the same day is the same bytes, unless a record of before
that day was changed, or the repository lost or gained evidence.
"""

from dataclasses import dataclass
from datetime import date
from pathlib import Path

from oakbank.governance.duties import Duty, read_duties, repository
from oakbank.governance.merkle import TreeHead
from oakbank.governance.reports.card import model_card
from oakbank.governance.reports.document import Document
from oakbank.governance.reports.page import html
from oakbank.governance.reports.pdf import pdf
from oakbank.governance.reports.records import RecordError, Records
from oakbank.governance.reports.technical_file import technical_file
from oakbank.governance.roles import Staff
from oakbank.world.files import whole

__all__ = ["Document", "RecordError", "Records", "Report", "html", "model_card", "pdf", "report", "technical_file"]


@dataclass(frozen=True)
class Report:
    """What was written."""

    card: Document
    file: Document
    paths: tuple[Path, ...]
    """`model-card.html`, `model-card.pdf`, `technical-file.html`, `technical-file.pdf`."""


def report(
    bank: str | Path,
    as_of: date,
    into: str | Path,
    *,
    staff: Staff | None = None,
    head: TreeHead | str | None = None,
    duties: tuple[Duty, ...] | None = None,
    root: str | Path | None = None,
) -> Report:
    """Write the model card and the technical file of a day.

    All four are made before the first is written, and each is written whole or not at all.

    Args:
        bank: Folder of the bank's records, see `Records`. What lacks in it is red.
        as_of: The day.
        into: Where to write.
        staff: Who may sign; without it signatures are not checked, which is red.
        head: Head of the audit log that somebody else keeps; without it the report says that none was given.
        duties: Default: those of `oakbank.governance.duties`.
        root: Of the repository with the evidence; default: the one that this code runs from.

    Raises:
        RecordError: There is no such folder.
        DutyError: The duties or parts cannot be read, or no repository is there.
        OSError: A file cannot be written.
    """
    if not Path(bank).is_dir():
        raise RecordError(f"{bank} is no folder: give the one with the bank's records")
    records = Records(Path(bank), as_of, staff, head)
    where = repository() if root is None else Path(root)
    card = model_card(records)
    file = technical_file(records, read_duties() if duties is None else duties, where)
    contents = {
        "model-card.html": html(card).encode(),
        "model-card.pdf": pdf(card),
        "technical-file.html": html(file).encode(),
        "technical-file.pdf": pdf(file),
    }
    paths = tuple(Path(into) / name for name in contents)
    for path, content in zip(paths, contents.values(), strict=True):
        with whole(path) as stream:
            stream.write(content)
    return Report(card, file, paths)
