"""The task of the tours of lesson 09: one month at two banks, of which one gets its debts in thousands of EUR."""

import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass

import pandas as pd

from oakbank.deploy.drift import psi
from oakbank.world import CATEGORIES, FEATURES, Event, Scenario, World

SEED, PAST, MONTH, ROWS = 5, range(-12, 0), 12, 250
DEBTS = Scenario(
    name="debts",
    description="A supplier sends debts in thousands of EUR: each value is within the contract's range.",
    events=(Event(kind="feed_unit", onset=0, column="debts", factor=0.001),),
)
"""As in `oakbank.deploy.watched`, which needs packages that a tour has not."""
LESSON = {"calm": 0.083, "debts": 8.475}
"""The PSI of debts that Prometheus has in the lesson, by bank."""
COLUMNS = tuple(FEATURES)
NUMBERS = tuple(column for column in FEATURES if column not in CATEGORIES)


@dataclass(frozen=True)
class Feeds:
    """What a monitor is given."""

    past: pd.DataFrame
    """A year of applications before month 0, the reference."""
    today: dict[str, pd.DataFrame]
    """By bank: the applications of the lesson, as its feed delivers them."""


def prepare() -> Feeds:
    """Return what the lesson's three banks are asked, without the recession, which moves no input."""
    worlds = {"calm": World(SEED, "calm"), "debts": World(SEED, DEBTS)}
    past = pd.concat([worlds["calm"].applications(month) for month in PAST], ignore_index=True)
    return Feeds(past, {name: world.applications(MONTH).head(ROWS) for name, world in worlds.items()})


def indices(feeds: Feeds) -> dict[str, dict[str, float]]:
    """Return the PSI of every column, by bank: what a system's seconds are measured in."""
    return {
        name: {column: psi(feeds.past[column], today[column]) for column in COLUMNS}
        for name, today in feeds.today.items()
    }


def as_in_the_lesson(found: Mapping[str, float], within: float = 5e-4) -> str:
    """Check a PSI of debts for each bank; return a line that says so.

    Raises:
        RuntimeError: One is not the lesson's, which has three digits.
    """
    for name, wanted in LESSON.items():
        if not abs(found[name] - wanted) <= within:
            raise RuntimeError(f"the PSI of debts is {found[name]:.3f} at the bank `{name}`, in the lesson {wanted}")
    return ", ".join(f"{name} {found[name]:.3f}" for name in LESSON)


def own_home() -> "tempfile.TemporaryDirectory[str]":
    """Return a folder that is this process's home until it ends: clients keep things there."""
    folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    os.environ |= {"HOME": folder.name, "USERPROFILE": folder.name}
    return folder
