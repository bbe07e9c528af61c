"""The first model as plain numbers: what a service needs in order to score, without the library that trained it.

A logistic regression is an intercept, a weight for each scaled number and a weight for each value of a category. As
JSON that is two kilobytes which anybody can read, which run no code when loaded, and which fit any language. This
module imports the standard library only: it goes into the image as it is.
"""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypedDict

DIGITS = 9
"""Digits after the point that are kept: the last bits of a fit differ between processors, no decision needs them."""


class Number(TypedDict):
    """A numeric column: mean and standard deviation it was scaled with (in its unit), and its weight (log-odds)."""

    mean: float
    scale: float
    weight: float


class Scorecard(TypedDict):
    """The model: log-odds = intercept + sum of weight * (value - mean) / scale + weight of each category's value."""

    intercept: float
    numbers: dict[str, Number]
    categories: dict[str, dict[str, float]]


class ApplicationError(ValueError):
    """An application that the model has no answer for; the message names the column.

    Args:
        column: The column.
        wanted: What it must be.
        value: What it is.
    """

    def __init__(self, column: str, wanted: str, value: object) -> None:
        super().__init__(f"{column} must be {wanted}, not {value!r}")
        self.column, self.wanted = column, wanted


def export(model: Any) -> Scorecard:
    """Return the numbers of a fitted `first_model()`.

    Args:
        model: The fitted pipeline: a column transformer of a scaler and a one-hot encoder, then a logistic regression.
    """
    transformer, regression = (step for _, step in model.steps)
    (_, scaler, numbers), (_, encoder, categories) = transformer.transformers_[:2]
    weights = [float(weight) for weight in regression.coef_[0]]
    card = Scorecard(intercept=round(float(regression.intercept_[0]), DIGITS), numbers={}, categories={})
    for column, mean, scale in zip(numbers, scaler.mean_, scaler.scale_, strict=True):
        card["numbers"][column] = Number(
            mean=round(float(mean), DIGITS), scale=round(float(scale), DIGITS), weight=round(weights.pop(0), DIGITS)
        )
    for column, values in zip(categories, encoder.categories_, strict=True):
        card["categories"][column] = {str(value): round(weights.pop(0), DIGITS) for value in values}
    assert not weights  # every weight has found its column
    return card


def probability(card: Scorecard, application: Mapping[str, Any]) -> float:
    """Return the default probability (0 to 1) of one application.

    Args:
        card: The model.
        application: A value for each column of the model, in the units of the schema; other columns are not looked at.

    Raises:
        ApplicationError: A column is missing, is not a finite number, or has a value that the model never saw.
    """
    odds = card["intercept"]
    for column, number in card["numbers"].items():
        value = application.get(column)
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            raise ApplicationError(column, "a finite number", value)
        odds += number["weight"] * (value - number["mean"]) / number["scale"]
    for column, weights in card["categories"].items():
        value = application.get(column)
        if value not in weights:
            raise ApplicationError(column, f"one of {', '.join(weights)}", value)
        odds += weights[value]
    if odds >= 0:  # either form of the logistic function overflows on one side
        return 1 / (1 + math.exp(-odds))
    return math.exp(odds) / (1 + math.exp(odds))


def save(card: Scorecard, path: Path) -> None:
    """Write the model as JSON, whole or not at all."""
    aside = path.with_name(f"{path.name}.part")
    aside.write_text(json.dumps(card, indent=1) + "\n", encoding="utf-8")
    aside.replace(path)


def load(path: Path) -> Scorecard:
    """Read a model that `save` wrote.

    Raises:
        OSError: The file is not there, or may not be read.
        ValueError: It holds something else.
    """
    card = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(card, dict) or set(card) != {"intercept", "numbers", "categories"}:
        raise ValueError(f"{path.name} is no scorecard: it must hold intercept, numbers and categories")
    return Scorecard(intercept=card["intercept"], numbers=card["numbers"], categories=card["categories"])
