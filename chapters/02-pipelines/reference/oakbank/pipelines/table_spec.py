"""What a CSV of one's own must be, written in a small YAML or JSON file; `oakbank.pipelines.tables` reads by it."""

import json
import math
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import pandas as pd
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from oakbank.pipelines.features import DataSpec

KEPT = ("application_id", "month", "amount", "term", "group", "defaulted")
"""Columns that the pipeline itself adds to each row."""
LARGEST = {"number": 3.4e38, "whole": 2.0**53 - 1}
"""Features are float32, which ends there; above the other one, a float does not name one whole number only."""
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


class SourceError(ValueError):
    """A data file that is not what it should be; the message says what was found and what is wanted."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Number(_Part):
    """A column of numbers, or of whole numbers, and their bounds (inclusive)."""

    type: Literal["number", "whole"]
    low: float | None = None
    high: float | None = None
    missing: bool = False
    """Whether a cell may be empty."""

    @property
    def span(self) -> tuple[float, float]:
        """The bounds: those given, within what the type holds."""
        most = LARGEST[self.type]
        low, high = -most if self.low is None else self.low, most if self.high is None else self.high
        return max(low, -most), min(high, most)

    @property
    def wanted(self) -> str:
        """In words, what a cell must hold."""
        kind = "a whole number" if self.type == "whole" else "a number"
        return f"{kind} from {self.span[0]:.16g} to {self.span[1]:.16g}" + (", or nothing" if self.missing else "")

    def read(self, cell: str) -> float | None:
        """Return a cell's number; None for an empty one.

        Raises:
            ValueError: It is not what is wanted; NaN, infinity and "1_000" are no numbers.
        """
        if not cell and self.missing:
            return None
        value = float(cell) if _NUMBER.fullmatch(cell) else math.nan
        low, high = self.span
        if not low <= value <= high or (self.type == "whole" and not value.is_integer()):
            raise ValueError(self.wanted)
        return value


class Category(_Part):
    """A column of words or codes, all of which are known."""

    type: Literal["category"]
    values: tuple[str, ...] = Field(min_length=1)
    missing: bool = False

    @property
    def wanted(self) -> str:
        """In words, what a cell must hold."""
        return f"one of {', '.join(self.values)}" + (", or nothing" if self.missing else "")

    def read(self, cell: str) -> str | None:
        """Return a cell's value; None for an empty one. Raises ValueError as `Number.read` does."""
        if not cell and self.missing:
            return None
        if cell not in self.values:
            raise ValueError(self.wanted)
        return cell


class Label(_Part):
    """The column that says how a loan ended, and both of its codes: which of them is bad is never guessed."""

    column: str
    bad: tuple[str, ...] = Field(min_length=1)
    good: tuple[str, ...] = Field(min_length=1)

    @property
    def wanted(self) -> str:
        """In words, what a cell must hold."""
        return f"{' or '.join(self.bad)} (bad), or {' or '.join(self.good)} (good)"

    def read(self, cell: str) -> bool:
        """Return whether the loan was not repaid. Raises ValueError as `Number.read` does."""
        if cell not in self.bad + self.good:
            raise ValueError(self.wanted)
        return cell in self.bad


class Month(_Part):
    """The column that dates a row: a date (2024-05-31), or a whole number that grows with time (a split is one)."""

    column: str
    type: Literal["date", "whole"]


Column = Annotated[Number | Category, Field(discriminator="type")]


class TableSpec(_Part):
    """A whole specification. Each column of the file is named once: as a feature, in a role, or to be ignored."""

    columns: dict[str, Column] = Field(min_length=1)
    """The features."""
    label: Label
    amount: str
    """The loan: a column of `columns` with a `low` above 0, or one number for all rows."""
    term: str
    """Months to repay; as `amount`."""
    group: str | None = None
    """A protected attribute: kept for audits, never a feature."""
    month: Month | None = None
    """The last months are held out; without it, every fifth row."""
    ignore: tuple[str, ...] = ()
    separator: str = Field(default=",", pattern=r"^[^\s\"]$|^\t$")

    @property
    def names(self) -> list[str]:
        """All columns that the file must have, and the only ones that it may have."""
        roles = [self.label.column, self.group, self.month and self.month.column]
        return [*self.columns, *(name for name in roles if name), *self.ignore]

    @model_validator(mode="after")
    def _consistent(self) -> "TableSpec":
        if twice := sorted({name for name in self.names if self.names.count(name) > 1}):
            raise ValueError(f"column {twice[0]} is named twice: it is a feature, or has one role, or is ignored")
        if both := set(self.label.bad) & set(self.label.good):
            raise ValueError(f"label: {sorted(both)[0]} is both bad and good")
        for name, column in self.columns.items():
            if name.startswith("_") or (
                name in KEPT and (name not in ("amount", "term") or getattr(self, name) != name)
            ):
                raise ValueError(f"columns: the pipeline keeps the name {name} for itself; rename the column")
            if isinstance(column, Number) and column.span[0] > column.span[1]:
                raise ValueError(f"columns: {name} has a low above its high")
            if isinstance(column, Category) and len({*column.values, ""}) <= len(column.values):
                raise ValueError(f"columns: {name} has a value twice, or an empty one (say missing: true)")
        for role in ("amount", "term"):
            self._loan(role)
        features = self.data_spec().feature_names
        if alike := sorted({name for name in features if features.count(name) > 1}):
            raise ValueError(f"columns: two features would both be called {alike[0]}; rename a column")
        return self

    def _loan(self, role: str) -> None:
        given = getattr(self, role)
        column = self.columns.get(given)
        if column is None:
            if not _NUMBER.fullmatch(given) or not 0 < float(given) <= LARGEST["number"]:
                raise ValueError(f"{role}: want one of `columns`, or a number above 0, not {given}")
        elif not isinstance(column, Number) or column.missing or not column.span[0] > 0:
            raise ValueError(f"{role}: column {given} must be a number with a low above 0, and never missing")

    def loan(self, role: str, columns: Mapping[str, Any] | pd.DataFrame) -> Any:
        """Return "amount" or "term" of rows: a column, or the one number of the specification."""
        given = getattr(self, role)
        return columns[given] if given in self.columns else float(given)

    def data_spec(self) -> DataSpec:
        """Return what the features, the model and the steps need; the whole specification goes with it as JSON."""
        return DataSpec(
            name="own",
            numeric=tuple(name for name, column in self.columns.items() if isinstance(column, Number)),
            categories={name: c.values for name, c in self.columns.items() if isinstance(c, Category)},
            optional=tuple(name for name, column in self.columns.items() if column.missing),
            dated=self.month is not None,
            source=self.model_dump_json(),
        )


@cache
def parse(source: str) -> TableSpec:
    """Return the specification that `DataSpec.source` holds.

    Raises:
        ValueError: It holds none.
    """
    return TableSpec.model_validate_json(source)


class _Text(yaml.BaseLoader):
    """YAML in which each value is text: `no` is a word and `01` a code, as in a CSV. A key given twice is a slip."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        return _once(
            [(self.construct_object(k, deep=True), self.construct_object(v, deep=True)) for k, v in node.value]
        )


def _once(pairs: list[tuple[Any, Any]]) -> dict[Any, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        raise ValueError(f"{next(name for name in names if names.count(name) > 1)} is given twice")
    return found


def read_spec(path: str | Path) -> TableSpec:
    """Read a specification from a `.json` file, or from any other as YAML.

    Raises:
        SourceError: It is missing or wrong; the message says where, and what is wanted.
    """
    path = Path(path)
    if not path.is_file():
        raise SourceError(f"no file {path}: give the path of a specification (YAML or JSON)")
    try:
        text = path.read_text(encoding="utf-8-sig")
        if path.suffix == ".json":
            content = json.loads(text, parse_int=str, parse_float=str, parse_constant=str, object_pairs_hook=_once)
        else:
            content = yaml.load(text, _Text)  # noqa: S506 - makes text, lists and mappings only
        return TableSpec.model_validate(content)
    except ValidationError as error:
        told = "; ".join(f"{'.'.join(map(str, e['loc'])) or 'file'}: {e['msg']}" for e in error.errors()[:5])
        raise SourceError(f"{path}: {told}") from None
    except (ValueError, TypeError, yaml.YAMLError, RecursionError) as error:
        raise SourceError(f"{path} is not YAML or JSON that can be read: {' '.join(str(error).split())}") from None
