"""The world around Oakbank: a seeded simulator of loan applicants with known truth.

`World(seed, scenario)` is a pure function of its arguments: the same seed and scenario give the same bytes.
Here is what later chapters use; all else is in the modules.
"""

from oakbank.world.economics import LOAN_RATE, break_even, loan_profit
from oakbank.world.feed import Feed
from oakbank.world.lake import Lake, LakeError, publish_history, publish_month, publish_outcomes
from oakbank.world.scenario import Event, Scenario, ScenarioError, load_scenario
from oakbank.world.schema import (
    CATEGORIES,
    COLUMNS,
    DECISIONS,
    FEATURES,
    OFFICERS,
    PROTECTED,
    Column,
    table_of,
)
from oakbank.world.simulator import World

__all__ = [
    "CATEGORIES",
    "COLUMNS",
    "DECISIONS",
    "FEATURES",
    "LOAN_RATE",
    "OFFICERS",
    "PROTECTED",
    "Column",
    "Event",
    "Feed",
    "Lake",
    "LakeError",
    "Scenario",
    "ScenarioError",
    "World",
    "break_even",
    "load_scenario",
    "loan_profit",
    "publish_history",
    "publish_month",
    "publish_outcomes",
    "table_of",
]
