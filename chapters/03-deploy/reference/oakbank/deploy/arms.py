"""Bundles at work: what scores an application, and what is counted of it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from oakbank.deploy.release import Bundle, ReleaseError
from oakbank.deploy.release_files import read_bundle
from oakbank.deploy.sequential import Counts
from oakbank.pipelines import CreditModel, ModelError, feature_matrix
from oakbank.pipelines.contract import Application, Score, to_frame
from oakbank.world import FEATURES, break_even

Features = Callable[[pd.DataFrame], NDArray[np.float32]]
FEATURE_CODE: Mapping[str, Features] = {"v1": feature_matrix}
"""Feature code by the name that a bundle calls it. Old code stays here for as long as a rollback may need it."""


class RoutedScore(Score):
    """The answer to one application, by the bundle that `model_version` names."""

    granted: bool = Field(description="whether the default probability is below cutoff * break_even")
    cutoff: float = Field(description="share of the break-even probability below which this bundle grants")


@dataclass(frozen=True)
class Loaded:
    """A bundle in memory."""

    bundle: Bundle
    model: CreditModel
    features: Features

    @property
    def version(self) -> str:
        """What each answer names: the bundle, for a model's version alone says not how it decides."""
        return self.bundle.name

    def score(self, application: Application) -> RoutedScore:
        """Score one validated application."""
        frame = to_frame([application])
        probability = float(self.model.predict_matrix(self.features(frame))[0])
        limit = float(break_even(frame["amount"], frame["term"])[0])
        return RoutedScore(
            application_id=application.application_id,
            default_probability=probability,
            granted=probability < self.bundle.cutoff * limit,
            break_even=limit,
            cutoff=self.bundle.cutoff,
            model_version=self.version,
        )


@dataclass(frozen=True)
class Shadow:
    """How often the challenger in shadow said the same as the champion."""

    compared: int = 0
    differ: int = 0
    """Other decisions."""
    failed: int = 0


@dataclass(frozen=True)
class Trial:
    """What is known of the release under way."""

    salt: str = ""
    canary: Counts = field(default_factory=Counts)
    baseline: Counts = field(default_factory=Counts)
    shadow: Shadow = field(default_factory=Shadow)


def applicant_of(application: Application) -> str:
    """Return who asks: the application's id, or, for want of one, what it says (the same form, the same arm)."""
    if application.application_id is not None:
        return str(application.application_id)
    return json.dumps(application.model_dump(), sort_keys=True)


def load(folder: Path, name: str, features: Mapping[str, Features]) -> Loaded:
    """Load a bundle.

    Raises:
        ReleaseError: It is missing or damaged, or needs feature code that is not there.
    """
    bundle = read_bundle(folder, name)
    if bundle.features not in features:
        raise ReleaseError(f"{name} needs the feature code {bundle.features}: deploy the service that has it first")
    try:
        model = CreditModel.load(folder / "bundles" / name / "model.lgb", bundle.digest)
    except ModelError as error:
        raise ReleaseError(f"the model of bundle {name} cannot be loaded: {error}") from error
    return Loaded(bundle, model, features[bundle.features])


def records_of(applications: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as a caller would send them, whether or not they are valid."""
    text = applications[["application_id", *FEATURES]].to_json(orient="records", double_precision=15)
    return list(json.loads(text))
