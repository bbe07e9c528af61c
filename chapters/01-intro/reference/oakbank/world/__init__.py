"""The world around Oakbank: a seeded simulator of loan applicants with known truth.

`World(seed, scenario)` is a pure function of its arguments: the same seed and scenario give the same bytes.
"""

from oakbank.world.economics import FUNDING_RATE, LOAN_RATE, LOSS_GIVEN_DEFAULT, break_even, loan_profit
from oakbank.world.feed import Feed
from oakbank.world.lake import Lake, publish_history, publish_month, publish_outcomes
from oakbank.world.scenario import Event, Scenario, ScenarioError, list_scenarios, load_scenario
from oakbank.world.schema import (
    CATEGORIES,
    COLUMNS,
    DECISIONS,
    FEATURES,
    OFFICERS,
    OUTCOMES,
    PROTECTED,
    Column,
    schema_markdown,
    table_of,
)
from oakbank.world.simulator import World

__all__ = [
    "CATEGORIES",
    "COLUMNS",
    "DECISIONS",
    "FEATURES",
    "FUNDING_RATE",
    "LOAN_RATE",
    "LOSS_GIVEN_DEFAULT",
    "OFFICERS",
    "OUTCOMES",
    "PROTECTED",
    "Column",
    "Event",
    "Feed",
    "Lake",
    "Scenario",
    "ScenarioError",
    "World",
    "break_even",
    "list_scenarios",
    "load_scenario",
    "loan_profit",
    "publish_history",
    "publish_month",
    "publish_outcomes",
    "schema_markdown",
    "table_of",
]
