"""One trained model and one registry for all tests of this chapter; a test takes its own model name in it."""

from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

import pytest

from oakbank.pipelines import CreditModel, FeedReference, Registry, TrainingConfig, TrainingRun, run_training
from oakbank.world import Lake, World, publish_history


@dataclass(frozen=True)
class Bank:
    """A bank at month 0: history in the lake, a model trained, nothing decided."""

    folder: Path
    world: World
    lake: Lake
    reference: FeedReference
    run: TrainingRun
    model: CreditModel


@pytest.fixture(scope="session")
def bank(tmp_path_factory: pytest.TempPathFactory) -> Bank:
    folder = tmp_path_factory.mktemp("bank")
    world, lake = World(1, "calm"), Lake(folder / "lake")
    publish_history(world, lake)
    run = run_training(TrainingConfig(as_of=0), lake, folder / "training")
    return Bank(folder, world, lake, FeedReference.from_lake(lake), run, run.model())


@pytest.fixture(scope="session")
def registry_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("registry")
    Registry(folder)
    return folder


@pytest.fixture
def registry(registry_folder: Path) -> Registry:
    return Registry(registry_folder, create=False, name=f"credit-{uuid4().hex}")
