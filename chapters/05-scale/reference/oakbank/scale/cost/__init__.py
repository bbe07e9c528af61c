"""What a prediction costs: prices, replicas that keep a promise, idleness, caches, and machines that are taken away."""

from oakbank.scale.cost.prices import PRICES, Price, PriceError, Prices, read_prices
from oakbank.scale.cost.sizing import PromiseError, largest_rate, latencies, recorded_seconds, replicas, service_times
from oakbank.scale.cost.spot import daly, expected_hours, simulated_hours, young
from oakbank.scale.cost.units import UnitCost, cache_break_even, unit_cost
from oakbank.scale.cost.value import learning_curve, worth_of_auc

__all__ = [
    "PRICES",
    "Price",
    "PriceError",
    "Prices",
    "PromiseError",
    "UnitCost",
    "cache_break_even",
    "daly",
    "expected_hours",
    "largest_rate",
    "latencies",
    "learning_curve",
    "read_prices",
    "recorded_seconds",
    "replicas",
    "service_times",
    "simulated_hours",
    "unit_cost",
    "worth_of_auc",
    "young",
]
