"""One definition of the features, for training and for serving: a second one is how skew begins."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Protocol, TypeVar

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from oakbank.world import CATEGORIES, LOAN_RATE, PROTECTED

Number = TypeVar("Number", float, NDArray[np.float64])


class Derive(Protocol):
    """Makes derived numbers from raw ones: of many rows, arrays of shape (n,), or of one row, plain numbers."""

    def __call__(self, raw: Mapping[str, Number]) -> dict[str, Number]:
        """Return the derived numbers by name. Of one row they are those of many, to the last bit."""


@dataclass(frozen=True)
class DataSpec:
    """What a data set offers a model: numeric columns, categories with their values, and derived ratios."""

    name: str
    numeric: tuple[str, ...]
    categories: Mapping[str, tuple[str, ...]]
    derive: Derive | None = None
    derived: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    """Columns whose values may be missing."""
    dated: bool = False
    """Whether `month` tells the rows' order in time, so that the last ones are held out."""
    source: str = ""
    """The `TableSpec` that it was made from, as JSON: it is stored with the model. "": this package holds it."""
    feature_names: tuple[str, ...] = field(init=False)
    places: Mapping[tuple[str, str], int] = field(init=False, compare=False)
    """Which feature is 1 for a value of a category."""
    no_category: tuple[float, ...] = field(init=False, compare=False)
    """The features of the categories, where no value is any of them."""

    def __post_init__(self) -> None:
        numbers = self.numeric + self.derived
        one_hot = [(column, value) for column, values in self.categories.items() for value in values]
        names = (*numbers, *(f"{column}_{value}" for column, value in one_hot))
        object.__setattr__(self, "feature_names", tuple(_plain(name) for name in names))
        object.__setattr__(self, "places", {pair: place for place, pair in enumerate(one_hot, len(numbers))})
        object.__setattr__(self, "no_category", (0.0,) * len(one_hot))

    @property
    def key(self) -> str:
        """What names the data set in the settings of a step; `oakbank.pipelines.model.spec_of` turns it back."""
        return self.source or self.name

    @property
    def columns(self) -> tuple[str, ...]:
        """The raw columns that the features are made from."""
        return self.numeric + tuple(self.categories)

    @property
    def required(self) -> tuple[str, ...]:
        """The raw columns of which each row must have a value."""
        return tuple(column for column in self.columns if column not in self.optional)


def _plain(name: str) -> str:
    # LightGBM takes no feature names with JSON's characters, and changes those with spaces.
    return re.sub(r"[^\w.+-]", lambda found: f"%{ord(found[0]):02x}", name)


def _oakbank_ratios(raw: Mapping[str, Number]) -> dict[str, Number]:
    instalment = raw["amount"] * (LOAN_RATE / 12) / _discount(raw["term"])
    return {
        "instalment": instalment,
        "burden": (raw["debts"] + instalment) / raw["income"],
        "loan_to_income": raw["amount"] / raw["income"],
    }


def _discount(term: Number) -> Number:
    if isinstance(term, np.ndarray):
        return np.asarray(1 - (1 + LOAN_RATE / 12) ** -term)
    return _discount_of_one(term)


@lru_cache(maxsize=1024)
def _discount_of_one(term: float) -> float:
    # By NumPy, whose powers may differ in the last bit from Python's; with +, -, * and / both agree.
    return float(_discount(np.array([term], dtype=np.float64))[0])


OAKBANK = DataSpec(
    name="oakbank",
    numeric=("age", "income", "debts", "years_employed", "bureau_score", "delinquencies", "amount", "term"),
    categories={column: values for column, values in CATEGORIES.items() if column != PROTECTED},
    derive=_oakbank_ratios,
    derived=("instalment", "burden", "loan_to_income"),
    dated=True,
)
"""Oakbank's own applications. The protected group is no part of it."""

FEATURE_NAMES = OAKBANK.feature_names


def build_features(applications: pd.DataFrame, spec: DataSpec = OAKBANK) -> pd.DataFrame:
    """Turn raw applications into the numbers that a model sees.

    Args:
        applications: Shape (n, any), with the spec's raw columns; one that is absent becomes NaN (numeric) or
            no category at all. Whether that is acceptable is for validation to say, not for this function.
        spec: Which data set the applications are of.

    Returns:
        Shape (n, len(spec.feature_names)), float32, in the order of `spec.feature_names`. Row order is kept.

    Raises:
        ValueError: A numeric column holds something that is not a number; the message names it.
    """
    return pd.DataFrame(feature_matrix(applications, spec), columns=list(spec.feature_names), index=applications.index)


def feature_matrix(applications: pd.DataFrame, spec: DataSpec = OAKBANK) -> NDArray[np.float32]:
    """Return `build_features` as a bare C-ordered array, shape (n, len(spec.feature_names)), float32."""
    n = len(applications)
    raw: dict[str, NDArray[np.float64]] = {}
    for column in spec.numeric:
        values: Any = applications[column] if column in applications else np.full(n, np.nan)
        try:
            raw[column] = np.asarray(values, dtype=np.float64)
        except (TypeError, ValueError) as error:
            raise ValueError(f"column {column} must hold numbers: {error}") from None
    matrix = np.zeros((n, len(spec.feature_names)), dtype=np.float32)
    numbers = raw | (spec.derive(raw) if spec.derive else {})
    for position, column in enumerate(spec.numeric + spec.derived):
        matrix[:, position] = numbers[column]
    for column, values in spec.categories.items():
        if column in applications:
            codes = pd.Categorical(applications[column], categories=list(values)).codes
            rows = np.flatnonzero(codes >= 0)
            matrix[rows, spec.places[column, values[0]] + codes[rows]] = 1.0
    return matrix


def feature_row(application: Mapping[str, Any], spec: DataSpec = OAKBANK) -> list[float]:
    """Return `feature_matrix` of one application, without data frame and array: a hundredth of the time.

    Args:
        application: A value for each of the spec's raw columns. A number that is missing is NaN.
        spec: Which data set the application is of.

    Returns:
        `len(spec.feature_names)` numbers; as float32 they are those of `feature_matrix`, to the last bit.

    Raises:
        KeyError: A column is absent.
    """
    raw = {column: float(application[column]) for column in spec.numeric}
    derived = spec.derive(raw) if spec.derive else {}
    row = [*raw.values(), *(derived[name] for name in spec.derived), *spec.no_category]
    for column in spec.categories:
        place = spec.places.get((column, application[column]))
        if place is not None:  # a value that nobody knows is no category at all
            row[place] = 1.0
    return row
