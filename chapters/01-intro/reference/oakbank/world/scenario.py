"""Scenarios: what happens to the world, when, and how strongly. Data, not code: one YAML file each."""

from itertools import combinations
from pathlib import Path
from typing import Literal

import numpy as np
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from oakbank.world.schema import CATEGORIES, COLUMNS

SCENARIO_FOLDER = Path(__file__).parent / "scenarios"
FIRST_ID_MONTH = -100
"""The first month there is: application ids count from it."""

EventKind = Literal["data_drift", "concept_drift", "feed_unit", "feed_missing", "feed_stale", "leak"]
MIXES = ("employment", "housing", "purpose", "region", "channel")
LEVELS = ("age_years", "income_log", "amount_log", "discipline")
RISKS = (
    *("intercept", "discipline", "burden", "loan_to_income", "delinquencies", "young"),
    *(f"{column}.{value}" for column in ("employment", "purpose", "channel", "region") for value in CATEGORIES[column]),
)
NUMERIC = tuple(column.name for column in COLUMNS if column.dtype in ("float64", "int16") and column.name != "month")
KNOBS: dict[EventKind, set[str]] = {
    "data_drift": {"ramp", "mix", "level"},
    "concept_drift": {"ramp", "risk"},
    "feed_unit": {"column", "factor"},
    "feed_missing": {"column"},
    "feed_stale": {"column"},
    "leak": set(),
}
"""What each kind of event takes besides `kind`, `onset` and `until`. Any other knob would have no effect: an error."""


class ScenarioError(ValueError):
    """A scenario file that cannot be used; the message names the file, the field and what is wanted."""


class Event(BaseModel):
    """One thing that happens to the world, and its truth: kind, onset, length of the ramp, effect at full strength."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    kind: EventKind
    onset: int = Field(ge=FIRST_ID_MONTH, description="first month in which the event has an effect")
    ramp: int = Field(default=1, ge=1, description="months until full strength; 1 is sudden")
    until: int | None = Field(default=None, description="first month without it; None: it stays")
    mix: dict[str, dict[str, float]] = Field(default_factory=dict, description="data drift: new shares of a category")
    level: dict[str, float] = Field(default_factory=dict, description="data drift: shift of a population level")
    risk: dict[str, float] = Field(default_factory=dict, description="concept drift: shift of a risk coefficient")
    column: str | None = Field(default=None, description="broken feed: the column concerned")
    factor: float = Field(default=1.0, gt=0, description="broken feed: factor of the wrong unit")

    @field_validator("mix")
    @classmethod
    def _known_mix(cls, value: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
        for column, shares in value.items():
            if column not in MIXES:
                raise ValueError(f"mix of {column!r}: choose one of {', '.join(MIXES)}")
            if set(shares) != set(CATEGORIES[column]) or abs(sum(shares.values()) - 1) > 1e-9:
                raise ValueError(f"mix of {column!r} needs a share for each of {CATEGORIES[column]}, summing to 1")
            if min(shares.values()) < 0:
                raise ValueError(f"mix of {column!r} has a share below 0")
        return value

    @field_validator("level")
    @classmethod
    def _known_level(cls, value: dict[str, float]) -> dict[str, float]:
        if unknown := set(value) - set(LEVELS):
            raise ValueError(f"unknown level {sorted(unknown)}: choose from {', '.join(LEVELS)}")
        return value

    @field_validator("risk")
    @classmethod
    def _known_risk(cls, value: dict[str, float]) -> dict[str, float]:
        if unknown := set(value) - set(RISKS):
            raise ValueError(f"unknown risk {sorted(unknown)}: choose from {', '.join(RISKS)}")
        return value

    @model_validator(mode="after")
    def _complete(self) -> "Event":
        if self.until is not None and self.until <= self.onset:
            raise ValueError(f"until ({self.until}) must come after onset ({self.onset})")
        wanted = {"data_drift": bool(self.mix or self.level), "concept_drift": bool(self.risk)}
        if not wanted.get(self.kind, True):
            raise ValueError(f"{self.kind} needs {'mix or level' if self.kind == 'data_drift' else 'risk'}")
        if self.kind.startswith("feed_") and self.column not in NUMERIC:
            raise ValueError(f"{self.kind} needs a numeric column, one of {', '.join(NUMERIC)}")
        if self.kind == "feed_unit" and self.factor == 1.0:
            raise ValueError("feed_unit needs a factor other than 1")
        if self.kind == "feed_stale" and self.onset == FIRST_ID_MONTH:
            raise ValueError(f"feed_stale needs a month before its onset, so an onset after {FIRST_ID_MONTH}")
        for name, field in type(self).model_fields.items():
            taken = name in {"kind", "onset", "until"} | KNOBS[self.kind]
            if not taken and getattr(self, name) != field.get_default(call_default_factory=True):
                raise ValueError(f"{self.kind} takes no {name}")
        return self

    def overlaps(self, other: "Event") -> bool:
        """Return whether some month has both events."""
        return (self.until is None or other.onset < self.until) and (other.until is None or self.onset < other.until)

    def strength(self, month: int) -> float:
        """Return how much of the event is in effect in `month`: 0 before the onset, 1 at full strength."""
        if month < self.onset or (self.until is not None and month >= self.until):
            return 0.0
        return float(np.clip((month - self.onset + 1) / self.ramp, 0.0, 1.0))


class Scenario(BaseModel):
    """A named course of events, with the size of the bank and the manners of its loan officers."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    name: str
    description: str
    months: int = Field(default=24, ge=1, description="months of the flight, 0 to months - 1")
    history_months: int = Field(
        default=12, ge=1, le=-FIRST_ID_MONTH, description="months before month 0 that officers decided"
    )
    applications_per_month: int = Field(default=2_000, ge=1, le=5_000_000)
    label_delay: int = Field(default=3, ge=1, description="months from application to known outcome")
    officer_cutoff: float = Field(default=600.0, description="points an applicant needs from an officer")
    officer_noise: float = Field(default=50.0, ge=0, description="standard deviation of an officer's judgement, points")
    officer_bias: float = Field(default=30.0, description="points that officers take from group B at equal risk")
    events: tuple[Event, ...] = ()

    @model_validator(mode="after")
    def _can_be_flown(self) -> "Scenario":
        if self.history_months < self.label_delay:
            raise ValueError(
                f"history_months ({self.history_months}) must be at least label_delay ({self.label_delay}): "
                "the outcomes of month 0 are those of loans granted label_delay months before"
            )
        faults = [event for event in self.events if event.kind.startswith("feed_")]
        for one, other in combinations(faults, 2):
            if one.column == other.column and one.overlaps(other):
                raise ValueError(f"{one.kind} and {other.kind} break {one.column!r} in the same months; end one first")
        return self

    @classmethod
    def from_yaml(cls, path: str | Path) -> "Scenario":
        """Read a scenario file.

        Raises:
            ScenarioError: The file is missing, is not YAML, or a field does not fit.
        """
        path = Path(path)
        try:
            return cls.model_validate(yaml.safe_load(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            raise ScenarioError(f"no scenario file {path}; there are: {', '.join(list_scenarios())}") from None
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise ScenarioError(f"{path} is not valid YAML: {error}") from None
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"]) or "the file"
            raise ScenarioError(f"{path}: {field}: {first['msg']}") from None

    def truth(self, month: int) -> list[dict[str, object]]:
        """Return the events in effect in `month`: kind, onset, strength (0 to 1) and the column concerned."""
        return [
            {"kind": event.kind, "onset": event.onset, "strength": event.strength(month), "column": event.column}
            for event in self.events
            if event.strength(month) > 0
        ]


def list_scenarios() -> list[str]:
    """Return the names of the scenarios that come with the course, sorted."""
    return sorted(path.stem for path in SCENARIO_FOLDER.glob("*.yml"))


def load_scenario(name: str) -> Scenario:
    """Return a scenario that comes with the course.

    Raises:
        ScenarioError: There is none of that name; the message lists those there are.
    """
    return Scenario.from_yaml(SCENARIO_FOLDER / f"{name}.yml")
