"""One small bank, one training run and one migrated MLflow database for all tests of this chapter."""

import shutil
from pathlib import Path

import pytest

from oakbank.pipelines import Registry, TrainingConfig, TrainingRun, run_training
from oakbank.world import Lake, World, load_scenario, publish_history


@pytest.fixture(scope="session")
def small_world() -> World:
    return World(1, load_scenario("calm").model_copy(update={"applications_per_month": 500}))


@pytest.fixture(scope="session")
def history(small_world: World, tmp_path_factory: pytest.TempPathFactory) -> Lake:
    """The bank's past; read only."""
    lake = Lake(tmp_path_factory.mktemp("history"))
    publish_history(small_world, lake)
    return lake


@pytest.fixture
def lake(history: Lake, tmp_path: Path) -> Lake:
    """A copy of the bank's past for the test to spoil."""
    return Lake(shutil.copytree(history.folder, tmp_path / "lake"))


@pytest.fixture(scope="session")
def trained(history: Lake, tmp_path_factory: pytest.TempPathFactory) -> TrainingRun:
    """A finished run over the history; read only."""
    return run_training(TrainingConfig(), history, tmp_path_factory.mktemp("trained"))


@pytest.fixture(scope="session")
def migrated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty registry: its migrations take seconds, so tests get copies."""
    folder = tmp_path_factory.mktemp("migrated")
    Registry(folder)
    return folder / "mlflow.db"


@pytest.fixture
def registry(migrated: Path, tmp_path: Path) -> Registry:
    folder = tmp_path / "registry"
    folder.mkdir()
    # MLflow notes where models go when the first one comes, so an empty database can be copied.
    shutil.copy(migrated, folder / "mlflow.db")
    return Registry(folder, create=False)
