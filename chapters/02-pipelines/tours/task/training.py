"""The task of the tours of lesson 08: the training pipeline, its steps run by somebody else's scheduler."""

import hashlib
from pathlib import Path

from oakbank.pipelines import TrainingConfig, run_training
from oakbank.pipelines.steps import evaluate, features, ingest, train, validate
from oakbank.pipelines.training import lake_inputs
from oakbank.world import Lake, World, publish_history

CONFIG, LABEL_DELAY = TrainingConfig(), 3


def prepare(folder: Path) -> Lake:
    """Publish Oakbank's year of history."""
    lake = Lake(folder / "lake")
    publish_history(World(seed=11, scenario="calm"), lake)
    return lake


def by_ourselves(lake: Lake, folder: Path) -> str:
    """Run the pipeline as the reference does; return the sha256 of the model."""
    return digest(run_training(CONFIG, lake, folder / "plain").model_path)


def digest(model: Path) -> str:
    """Return the sha256 of a model's file."""
    return hashlib.sha256(model.read_bytes()).hexdigest()


class Steps:
    """The steps of the pipeline in a folder, each from files to files; each may be run again.

    Args:
        folder: Where `prepare` was.
    """

    def __init__(self, folder: str | Path) -> None:
        self.home = Path(folder)
        self.work = self.home / "scheduled"
        self.work.mkdir(exist_ok=True)

    def _file(self, name: str) -> Path:
        return self.work / name

    def ingest(self) -> None:
        """Read the lake."""
        files = lake_inputs(Lake(self.home / "lake"), CONFIG, LABEL_DELAY)
        ingest(**files, labelled=self._file("labelled"), feed=self._file("feed"), as_of=CONFIG.as_of)

    def validate(self) -> None:
        """Split off what breaks the contract."""
        validate(*map(self._file, ("labelled", "accepted", "quarantined", "report")), feed=self._file("feed"))

    def features(self) -> None:
        """Build the feature matrix."""
        features(self._file("accepted"), self._file("matrix"))

    def train(self) -> None:
        """Train."""
        train(*map(self._file, ("matrix", "model", "candidate")))

    def evaluate(self) -> None:
        """Measure."""
        evaluate(*map(self._file, ("matrix", "accepted", "candidate", "evaluation", "held_out")))

    def model(self) -> str:
        """Return the sha256 of the model that came out."""
        return digest(self._file("model"))
