"""What a function and a machine cost a day, from one file of dated prices that a learner may change."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import yaml

PRICES = Path(__file__).with_name("prices.yml")
"""Prices with date and source, in USD."""
_FUNCTION = ("per_request", "per_gb_second")
_MACHINE = ("vcpu", "per_vcpu_hour", "gb", "per_gb_hour")


class PriceError(ValueError):
    """A file of prices that lacks something; the message names it."""


@dataclass(frozen=True)
class Prices:
    """Prices in USD."""

    per_request: float
    per_gb_second: float
    machine_a_day: float
    as_of: date
    """The older of the two days on which they were read."""


def read_prices(path: str | Path = PRICES) -> Prices:
    """Read a file such as `PRICES`.

    Raises:
        PriceError: It is missing or no YAML, or a price, date or source is missing or not above 0.
    """
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise PriceError(f"{path} cannot be read: {error}") from None
    function, machine = _part(content, "function", _FUNCTION, path), _part(content, "machine", _MACHINE, path)
    an_hour = machine["vcpu"] * machine["per_vcpu_hour"] + machine["gb"] * machine["per_gb_hour"]
    return Prices(
        function["per_request"], function["per_gb_second"], 24 * an_hour, min(function["as_of"], machine["as_of"])
    )


def _part(content: Any, name: str, numbers: tuple[str, ...], path: str | Path) -> dict[str, Any]:
    part = content.get(name) if isinstance(content, dict) else None
    if not isinstance(part, dict):
        raise PriceError(f"{path}: there is no part `{name}`")
    for key in numbers:
        value = part.get(key)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 < value < float("inf"):
            raise PriceError(f"{path}: {name}.{key} is {value!r}: give a number above 0, such as 0.0000002")
    if not isinstance(part.get("as_of"), date) or not isinstance(part.get("source"), str):
        raise PriceError(f"{path}: {name} needs `source` and `as_of`, a day such as 2026-06-17")
    return part


def per_request(prices: Prices, gb: float, seconds: float) -> float:
    """Return what one request to a function costs, USD.

    Args:
        prices: From `read_prices`.
        gb: Memory of the function.
        seconds: Billed time; a cold start's import is part of it.
    """
    return prices.per_request + prices.per_gb_second * gb * seconds


def break_even(prices: Prices, gb: float, seconds: float) -> float:
    """Return the requests a day from which the machine, always on, is cheaper than the function; arguments as above."""
    return prices.machine_a_day / per_request(prices, gb, seconds)
