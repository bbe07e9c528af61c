"""Prices with their day and source, and assumptions that say so: one file that a learner may change."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

PRICES = Path(__file__).with_name("prices.yml")
"""The file of lesson 05/08."""
NAMES = ("vcpu_hour", "gb_hour", "spot_share", "cache_gb_hour", "eur_per_usd", "bureau_report", "engineer_hour")
SMALLEST_CACHE_GB = 0.1
"""What ElastiCache Serverless for Valkey bills at least; source as in `PRICES`."""


class PriceError(ValueError):
    """A file of prices that lacks something; the message names it."""


@dataclass(frozen=True)
class Price:
    """One line of the bill."""

    what: str
    value: float
    unit: str
    as_of: date | None
    """The day of the text in which it was read; None for an assumption."""
    origin: str
    """The source, or why it is assumed."""


@dataclass(frozen=True)
class Prices:
    """All prices of a file, by name."""

    lines: Mapping[str, Price]

    def __getitem__(self, name: str) -> float:
        """Return the value of a price, in the unit that the file gives."""
        return self.lines[name].value

    def machine_hour(self, vcpu: float = 1.0, gb: float = 2.0, *, spot: bool = False) -> float:
        """Return what a machine costs an hour, EUR."""
        usd = vcpu * self["vcpu_hour"] + gb * self["gb_hour"]
        return usd * self["eur_per_usd"] * (self["spot_share"] if spot else 1.0)

    def cache_day(self, gb: float = SMALLEST_CACHE_GB) -> float:
        """Return what a managed cache costs a day, EUR, its requests not counted."""
        return 24 * max(gb, SMALLEST_CACHE_GB) * self["cache_gb_hour"] * self["eur_per_usd"]

    def assumed(self) -> list[str]:
        """Return the names of what is assumed, not read."""
        return [name for name, line in self.lines.items() if line.as_of is None]


def read_prices(path: str | Path = PRICES) -> Prices:
    """Read a file such as `PRICES`.

    Raises:
        PriceError: It cannot be read, a name of `NAMES` is missing or unknown, a value is not above 0, or a line has
            neither `source` and `as_of` nor `assumption`, or both.
    """
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise PriceError(f"{path} cannot be read: {error}") from None
    content = content if isinstance(content, dict) else {}
    if odd := sorted(set(NAMES) ^ {str(name) for name in content}):
        raise PriceError(f"{path}: missing or unknown: {', '.join(odd)}; the names are {', '.join(NAMES)}")
    return Prices({name: _line(content[name], f"{path}: {name}") for name in NAMES})


def _line(part: Any, where: str) -> Price:
    if not isinstance(part, dict) or not all(isinstance(part.get(key), str) for key in ("what", "unit")):
        raise PriceError(f"{where} needs the texts `what` and `unit`")
    value = part.get("value")
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < math.inf:
        raise PriceError(f"{where}: value is {value!r}: give a number above 0, such as 0.04")
    read, assumed = {"source", "as_of"} <= set(part), "assumption" in part
    if read == assumed or (assumed and {"source", "as_of"} & set(part)):
        raise PriceError(f"{where} needs either `source` and `as_of`, or `assumption`")
    origin, as_of = part.get("source", part.get("assumption")), part.get("as_of")
    if not isinstance(origin, str) or (read and not isinstance(as_of, date)):
        raise PriceError(f"{where}: `as_of` is a day such as 2026-06-17, and the source or assumption a text")
    return Price(part["what"], float(value), part["unit"], as_of, origin)
