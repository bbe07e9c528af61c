"""One definition of the features, for training and for serving: a second one is how skew begins."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from oakbank.world import CATEGORIES, LOAN_RATE, PROTECTED

Derive = Callable[[Mapping[str, NDArray[np.float64]]], dict[str, NDArray[np.float64]]]


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

    def __post_init__(self) -> None:
        one_hot = tuple(f"{column}_{value}" for column, values in self.categories.items() for value in values)
        names = tuple(_plain(name) for name in self.numeric + self.derived + one_hot)
        object.__setattr__(self, "feature_names", names)

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


def _oakbank_ratios(raw: Mapping[str, NDArray[np.float64]]) -> dict[str, NDArray[np.float64]]:
    rate = LOAN_RATE / 12
    instalment = raw["amount"] * rate / (1 - (1 + rate) ** -raw["term"])
    return {
        "instalment": instalment,
        "burden": (raw["debts"] + instalment) / raw["income"],
        "loan_to_income": raw["amount"] / raw["income"],
    }


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
    position = len(spec.numeric) + len(spec.derived)
    for column, values in spec.categories.items():
        if column in applications:
            codes = pd.Categorical(applications[column], categories=list(values)).codes
            rows = np.flatnonzero(codes >= 0)
            matrix[rows, position + codes[rows]] = 1.0
        position += len(values)
    return matrix
