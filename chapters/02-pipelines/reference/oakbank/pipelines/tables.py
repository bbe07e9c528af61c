"""A CSV of one's own, read by its specification: each cell fits, or the file is refused."""

import csv
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from oakbank.pipelines.table_spec import Month, Number, SourceError, TableSpec, parse
from oakbank.world.lake import write_parquet
from oakbank.world.simulator import FIRST_MONTH

_START = pd.Timestamp(FIRST_MONTH)
MAX_FAULTS = 20
"""Faults listed in one message."""


@dataclass(frozen=True)
class OwnData:
    """A CSV file and what it must be: a source for `run_training`."""

    path: Path
    spec: TableSpec


def load_table(path: str | Path, spec: TableSpec) -> pd.DataFrame:
    """Return a CSV (UTF-8, with a header) as the pipeline's labelled table: whole, or not at all.

    Returns:
        One row per line, in order: the spec's columns (numbers as float64, categories as text, nothing as null), and
        `application_id` (0, 1, ...), `month`, `amount`, `term`, `group` ("all" without one), `defaulted` (bool).

    Raises:
        SourceError: Something does not fit; the message has line, column, value and what was wanted of each fault.
    """
    path = Path(path)
    if not path.is_file():
        raise SourceError(f"no file {path}: give the path of a CSV file")
    readers = _readers(spec)
    found: dict[str, list[Any]] = {name: [] for name in readers}
    faults: list[str] = []
    try:
        for line, cells in _rows(path, spec):
            for name, read in readers.items():
                try:
                    found[name].append(read(cells[name].strip()))
                except ValueError as error:
                    faults.append(f"line {line}, column {name}: {cells[name][:60]!r}; wanted: {error}")
            if len(faults) >= MAX_FAULTS:
                faults.append("and no further line was read")
                break
    except (csv.Error, UnicodeError) as error:
        raise SourceError(f"{path} is not a CSV in UTF-8 that can be read: {error}") from None
    if faults:
        raise SourceError(f"{path}:\n  " + "\n  ".join(faults))
    return _labelled(path, spec, found)


def _rows(path: Path, spec: TableSpec) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the number of the line on which each row ends, and the row's cells by column."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.reader(stream, delimiter=spec.separator, strict=True)
        header = [name.strip() for name in next(reader, [])]
        wanted = set(spec.names)
        for text, names in (
            ("missing", [name for name in spec.names if name not in header]),
            ("unknown (name them, or put them under ignore)", [name for name in header if name not in wanted]),
            ("there twice", [name for name in header if header.count(name) > 1]),
        ):
            if names:
                raise SourceError(f"{path}: line 1, columns that are {text}: {', '.join(dict.fromkeys(names))[:300]}")
        for cells in reader:
            if not cells:
                continue  # an empty line, as at the end of many files
            if len(cells) != len(header):
                raise SourceError(f"{path}: line {reader.line_num}: {len(cells)} cells; wanted: {len(header)}")
            yield reader.line_num, dict(zip(header, cells, strict=True))


def _readers(spec: TableSpec) -> dict[str, Callable[[str], Any]]:
    readers: dict[str, Callable[[str], Any]] = {name: column.read for name, column in spec.columns.items()}
    readers[spec.label.column] = spec.label.read
    if spec.group:
        readers[spec.group] = _something
    if spec.month:
        readers[spec.month.column] = _month_reader(spec.month)
    return readers


def _something(cell: str) -> str:
    if not cell:
        raise ValueError("a group")
    return cell


def _month_reader(month: Month) -> Callable[[str], int]:
    whole = Number(type="whole", low=-(2**15), high=2**15 - 1)

    def read(cell: str) -> int:
        if month.type == "whole":
            return int(whole.read(cell) or 0)
        try:
            day = date.fromisoformat(cell if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", cell) else "")
        except ValueError:
            raise ValueError("a date, such as 2024-05-31") from None
        return (day.year - _START.year) * 12 + day.month - _START.month

    return read


def _labelled(path: Path, spec: TableSpec, found: dict[str, list[Any]]) -> pd.DataFrame:
    outcome = np.array(found[spec.label.column], dtype=bool)
    if outcome.all() or not outcome.any():
        raise SourceError(f"{path}: {len(outcome)} rows, {int(outcome.sum())} of them bad: both kinds are wanted")
    columns: dict[str, Any] = {
        name: np.array(found[name], dtype=np.float64) if isinstance(column, Number) else found[name]
        for name, column in spec.columns.items()
    }
    number = np.arange(len(outcome), dtype=np.int64)
    own = {
        "application_id": number,
        "month": np.array(found[spec.month.column], dtype=np.int64) if spec.month else np.zeros_like(number),
        "amount": spec.loan("amount", columns),
        "term": spec.loan("term", columns),
        "group": found[spec.group] if spec.group else "all",
        "defaulted": outcome,
    }
    return pd.DataFrame(columns | own)


def ingest_table(source: Path, labelled: Path, spec: str) -> None:
    """Write a CSV of one's own as labelled rows; `spec` is a `DataSpec.source`."""
    write_parquet(load_table(source, parse(spec)), labelled)
