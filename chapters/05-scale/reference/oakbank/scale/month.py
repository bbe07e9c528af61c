"""What a bank knows of a month, and what the next month must know of it."""

from dataclasses import dataclass, field

import pandas as pd

from oakbank.deploy.monitor import DriftReport, PerformanceReport
from oakbank.pipelines import Problem


@dataclass(frozen=True)
class State:
    """What one month must know of the one before; the rest is in the bank's files."""

    champion: str
    """Version that decides."""
    champion_as_of: int
    """Month as of which it was trained."""
    previous: str | None
    """The champion before it, while it is on trial."""
    trained_as_of: int
    """Month as of which the last training ran, whatever became of it."""


@dataclass
class Month:
    """What the bank itself knows of a month. Rates are shares."""

    month: int
    version: str
    """Version of the model that decided."""
    decisions: pd.DataFrame
    feed_problems: list[Problem] = field(default_factory=list)
    drift: DriftReport | None = None
    performance: PerformanceReport | None = None
    """Of the champion, on the loans whose outcome became known this month."""
    alarms: list[str] = field(default_factory=list)
    """What has changed in the month's applications."""
    reasons: list[str] = field(default_factory=list)
    """What spoke for training again, among what there is to learn from."""
    held: str = ""
    """Why there was no training in spite of alarms or reasons."""
    trained: str | None = None
    """Version trained at the end of the month."""
    refused: list[str] = field(default_factory=list)
    """What the gates had against it; empty: it was promoted."""
    rolled_back: str | None = None
    """Version taken back at the end of the month."""
