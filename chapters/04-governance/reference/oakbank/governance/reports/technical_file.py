"""The technical file in the order of Annex IV of the EU AI Act: nine parts, and red where a part has no evidence."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Annotated

import yaml
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from oakbank.governance.duties import Duty, DutyError, missing_evidence
from oakbank.governance.reports import blocks, card
from oakbank.governance.reports.document import Block, Document, Section, Table, Text
from oakbank.governance.reports.records import Records

ANNEX = Path(__file__).with_name("annex_iv.yml")
"""The nine parts: what each asks, and what in the repository answers it."""
DUTY = "eu-ai-technical-file"
"""The duty that asks for this file, in `duties.yml`."""

Line = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Item(BaseModel):
    """One thing that a part asks for, and its evidence: as for a duty, tests and files of the repository."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    asks: Line
    evidence: tuple[Line, ...]


class Part(BaseModel):
    """One of the nine parts."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: Line
    items: tuple[Item, ...]


PURPOSE = blocks.says(card.USE)
RECORDED: Mapping[int, tuple[blocks.Builder, ...]] = {
    1: (PURPOSE, blocks.identity, blocks.software),
    2: (blocks.settings, blocks.data, blocks.measured, blocks.calibration, blocks.gates),
    3: (blocks.says(card.LIMITS), blocks.inputs, blocks.fairness, blocks.declines),
    6: (blocks.changes, blocks.log_head),
    9: (blocks.decisions,),
}
"""Which records answer a part."""


def read_annex(path: str | Path = ANNEX) -> tuple[Part, ...]:
    """Read the parts.

    Raises:
        DutyError: The file is missing or a part lacks something; the message names it.
    """
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
        return tuple(Part.model_validate(entry) for entry in content)
    except (OSError, yaml.YAMLError, ValidationError, TypeError) as error:
        raise DutyError(f"{path} cannot be used: {error}") from None


def technical_file(records: Records, duties: Sequence[Duty], root: Path, parts: Sequence[Part] = ()) -> Document:
    """Return the technical file of the model that decided on the day.

    Args:
        records: The bank's.
        duties: To say whether the law asks for the file on that day.
        root: Of the repository in which the evidence must exist.
        parts: Default: those of `ANNEX`.

    Raises:
        DutyError: The parts cannot be read, or there is no duty to keep such a file.
    """
    made = []
    for number, part in enumerate(parts or read_annex(), 1):
        told = blocks.section(f"{number}. {part.title}", records, *RECORDED.get(number, ()))
        made.append(replace(told, blocks=(*told.blocks, _evidence(part, root))))
    first = Section("Whether the law asks for this file", (_asked(duties, records.as_of),))
    return Document("Technical file: Oakbank credit risk", records.as_of, (first, *made))


def _asked(duties: Sequence[Duty], day: date) -> Block:
    found = [duty for duty in duties if duty.id == DUTY]
    if not found:
        raise DutyError(f"no duty is called {DUTY}: add it to duties.yml, with its source and its dates")
    duty = found[0]
    if duty.applies(day):
        return Text(f"Yes, since {duty.in_force_from}: {duty.source}.")
    return Text(f"Not on this day; {duty.source} applies from {duty.in_force_from}. The bank keeps it all the same.")


def _evidence(part: Part, root: Path) -> Table:
    rows, red = [], set()
    for number, item in enumerate(part.items):
        lacks = missing_evidence(item.evidence, root)
        if lacks:
            red.add(number)
        told = f"MISSING: {'; '.join(lacks)}" if lacks else "; ".join(item.evidence)
        rows.append((item.asks, told))
    return Table("What this part asks beyond the records", ("asked", "evidence"), tuple(rows), frozenset(red))
