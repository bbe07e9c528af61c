"""What is asked of a training run, and what it leaves behind."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from oakbank.pipelines.evaluation import Evaluation
from oakbank.pipelines.model import CreditModel
from oakbank.world.lake import read_parquet


@dataclass(frozen=True)
class TrainingConfig:
    """Everything that decides a training run, but for the data and the code."""

    as_of: int = 0
    """Month of the run: only outcomes known before it exist."""
    window: int = 12
    """Months of application to learn from, counted back from the last with known outcomes."""
    holdout: int = 2
    """The last months of the window, kept from training, to evaluate on (German credit: every fifth row)."""
    half_life: float | None = None
    """Months after which a row counts half; None: all count alike."""
    refit: bool = True
    """After evaluating, train once more on the whole window; this is the model that gets registered."""
    seed: int = 0
    rounds: int = 150
    params: dict[str, Any] = field(default_factory=dict)
    """LightGBM parameters that replace the defaults (for the German credit data, none means `GERMAN_PARAMS`)."""
    trials: int = 0
    """Settings that a search tries on the months before the hold-out; it decides `params` and `rounds`. 0: none."""

    def __post_init__(self) -> None:
        for name in ("window", "holdout", "rounds"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be 1 or more, not {getattr(self, name)}")
        if self.half_life is not None and self.half_life <= 0:
            raise ValueError(f"half_life must be above 0 months, or None, not {self.half_life}")
        if self.trials < 0:
            raise ValueError(f"trials must be 0 or more, not {self.trials}")
        if self.trials and self.params:
            raise ValueError("params and trials exclude each other: the search decides params, so leave one out")


@dataclass(frozen=True)
class TrainingRun:
    """What a training run left behind."""

    folder: Path
    config: TrainingConfig
    model_path: Path
    """The model to deploy (refitted on the whole window if the config says so)."""
    candidate_path: Path
    """The model that never saw the hold-out: the one to compare with."""
    holdout_path: Path
    """Parquet of the labelled applications of the hold-out."""
    assessment_path: Path
    """JSON of the candidate's validation: intervals, folds in time, calibration, money and slices (see `assess`)."""
    evaluation: Evaluation
    data_hash: str
    """sha256 of the validated training data."""
    code_hash: str
    ran: tuple[str, ...]
    """Steps that really ran; the others were found done."""
    version: str | None
    """Version in the registry, if there was one to register in."""
    digests: Mapping[Path, str] = field(default_factory=dict, repr=False)
    """sha256 of the models by path: a later run in the same folder writes others there, which are not of this run."""

    def model(self) -> CreditModel:
        """Load the model to deploy.

        Raises:
            ModelError: It is gone, or a later run in the same folder has replaced it.
        """
        return CreditModel.load(self.model_path, self.digests.get(self.model_path))

    def candidate(self) -> CreditModel:
        """Load the model that never saw the hold-out; raises as `model` does."""
        return CreditModel.load(self.candidate_path, self.digests.get(self.candidate_path))

    def holdout(self) -> pd.DataFrame:
        """Load the labelled hold-out."""
        return read_parquet(self.holdout_path)
