"""What one request costs, and from when a cache pays."""

from dataclasses import dataclass

from oakbank.scale.cost.sizing import replicas

HOURS_A_MONTH = 730
"""As clouds bill: 365 * 24 / 12."""


@dataclass(frozen=True)
class UnitCost:
    """A service at one load."""

    replicas: int
    utilisation: float
    """Share of the paid time in which a request is worked on."""
    month: float
    """The bill of the machines, EUR a month."""
    request: float
    """EUR for each request."""
    compute: float
    """Of it, EUR for the time in which the request is worked on; the rest pays for idleness."""


def unit_cost(rate: float, seconds: float, each: float, hour: float, at_least: int = 2) -> UnitCost:
    """Return what a request costs.

    Args:
        rate: Requests per second.
        seconds: Mean service time of a request.
        each: Requests per second that one replica may bear, such as `largest_rate`.
        hour: Price of one replica, EUR an hour.
        at_least: Replicas that stand anyway.

    Raises:
        ValueError: A number is not above 0, or a replica shall bear more than it can.
    """
    if not seconds > 0 or not hour > 0:
        raise ValueError("service time and price must be above 0")
    if each * seconds > 1 + 1e-9:
        raise ValueError(f"a replica cannot bear {each:g} requests a second of {seconds:g} s each")
    count = replicas(rate, each, at_least)
    an_hour = count * hour
    compute = seconds * hour / 3600
    return UnitCost(count, rate * seconds / count, HOURS_A_MONTH * an_hour, an_hour / 3600 / rate, compute)


def cache_break_even(cache_day: float, saved: float) -> float:
    """Return the hits a day from which a cache pays.

    Args:
        cache_day: What the cache costs a day, EUR.
        saved: What one hit saves, EUR. A machine that stands anyway is not saved.

    Raises:
        ValueError: A number is not above 0.
    """
    if not cache_day > 0 or not saved > 0:
        raise ValueError("the cost of the cache and what a hit saves must be above 0")
    return cache_day / saved
