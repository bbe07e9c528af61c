"""One content, one version, whatever is killed or run at once; and only the registered bytes are ever loaded."""

import contextlib
import json
import os
import pickle
import shutil
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oakbank.pipelines import Registry, RegistryError, TrainingConfig, TrainingRun, run_training
from oakbank.pipelines.registry import EXPERIMENT
from oakbank.world import Lake
from oakbank.world.files import file_hash

posix = pytest.mark.skipif(os.name != "posix", reason="fork and signals of POSIX")


def stored(registry: Registry) -> Path:
    (path,) = (registry.folder / "artifacts").rglob("model.lgb")
    return path


def runs(registry: Registry) -> list[tuple[str, int, int]]:
    """Return status, number of params and of measures of every MLflow run."""
    experiment = registry.client.get_experiment_by_name(EXPERIMENT)
    if experiment is None:
        return []
    found = registry.client.search_runs([experiment.experiment_id])
    return [(run.info.status, len(run.data.params), len(run.data.metrics)) for run in found]


def finished(run: TrainingRun) -> tuple[str, int, int]:
    return ("FINISHED", len(TrainingConfig.__dataclass_fields__), len(run.evaluation.metrics()))


def test_what_is_registered_can_be_loaded_and_traced(registry: Registry, trained: TrainingRun) -> None:
    run = registry.register(trained, scenario="calm")
    assert (run.version, registry.versions()) == ("1", ["1"])
    assert run == replace(trained, version="1")
    model = registry.load("1")
    assert model.text() == trained.model().text()
    rows = trained.holdout()
    assert model.predict(rows).tobytes() == trained.model().predict(rows).tobytes()
    tags = registry.tags("1")
    assert tags["model_hash"] == trained.model().digest
    assert (tags["data_hash"], tags["code_hash"]) == (trained.data_hash, trained.code_hash)
    assert (tags["as_of"], tags["scenario"]) == ("0", "calm")
    assert registry.metrics("1") == pytest.approx(trained.evaluation.metrics())
    assert runs(registry) == [finished(trained)]


def test_a_run_names_the_data_that_it_read(registry: Registry, trained: TrainingRun) -> None:
    """Once, however often it is registered."""
    registry.register(trained)
    registry.register(trained)
    experiment = registry.client.get_experiment_by_name(EXPERIMENT)
    assert experiment is not None
    (run,) = registry.client.search_runs([experiment.experiment_id])
    inputs = {one.tags[0].value: one.dataset for one in run.inputs.dataset_inputs}
    assert len(inputs) == len(run.inputs.dataset_inputs) == 2
    assert inputs["training"].digest == trained.data_hash[:36]
    assert inputs["evaluation"].digest == file_hash(trained.holdout_path)[:36]
    assert json.loads(inputs["training"].source)["uri"].endswith("/validate/accepted.parquet")


def test_the_same_content_is_one_version(registry: Registry, trained: TrainingRun, history: Lake) -> None:
    first = registry.register(trained)
    assert registry.register(trained).version == first.version
    again = run_training(trained.config, history, trained.folder, registry)
    assert (again.version, again.ran) == ("1", ())
    assert Registry(registry.folder, create=False).register(trained).version == "1"
    assert (registry.versions(), runs(registry)) == (["1"], [finished(trained)])


def test_other_content_is_another_version(
    registry: Registry, trained: TrainingRun, history: Lake, tmp_path: Path
) -> None:
    registry.register(trained)
    other = run_training(replace(trained.config, seed=1), history, tmp_path / "other", registry)
    data = registry.register(replace(trained, data_hash="0" * 64))
    assert (other.version, data.version, registry.versions()) == ("2", "3", ["1", "2", "3"])
    assert registry.load("2").digest == other.model().digest != registry.load("1").digest


def test_aliases_point_at_versions_that_exist(registry: Registry, trained: TrainingRun) -> None:
    assert registry.alias("champion") is None
    assert registry.versions() == []
    with pytest.raises(RegistryError, match=r"no model has the alias 'champion'.*promote a version first"):
        registry.load("champion")
    registry.register(trained)
    with pytest.raises(RegistryError, match="no model has the alias 'champion'"):
        registry.load()
    for missing in ("2", "latest", "-1"):
        with pytest.raises(RegistryError, match=rf"no version {missing} of oakbank-credit .*\['1'\]"):
            registry.set_alias("champion", missing)
        with pytest.raises(RegistryError, match=f"no version {missing}"):
            registry.tags(missing)
        with pytest.raises(RegistryError, match=f"no version {missing}"):
            registry.set_tag(missing, "approver", "nobody")
    registry.set_alias("champion", "1")
    registry.set_tag("1", "approver", "Ada")
    fresh = Registry(registry.folder, create=False)
    assert (fresh.alias("champion"), fresh.tags("1")["approver"]) == ("1", "Ada")
    assert fresh.load().digest == trained.model().digest
    with pytest.raises(RegistryError, match="no version 7"):
        fresh.load("7")


@settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.text(max_size=300) | st.integers(-(2**70), 2**70).map(str) | st.sampled_from(["1 ", "\u0661", "\u00b2", "01"])
)
def test_any_name_is_taken_or_refused_in_words(registry: Registry, trained: TrainingRun, name: str) -> None:
    """U+0661 is a digit one, too: `int` takes it, and MLflow would."""
    if not registry.versions():
        registry.register(trained)
    calls = (
        lambda: registry.load(name),
        lambda: registry.tags(name),
        lambda: registry.set_alias("other", name),
        lambda: registry.set_alias(name, "1"),
        lambda: registry.set_tag("1", name, name),
    )
    for call in calls if name != "1" else ():
        with contextlib.suppress(RegistryError):
            assert call() is None
    taken = registry.alias(name)
    assert taken is None or registry.load(name).digest == trained.model().digest
    assert registry.versions() == ["1"]
    assert registry.alias("other") is None


@posix
def test_a_registry_stands_in_its_folder_whatever_that_is_called(trained: TrainingRun, tmp_path: Path) -> None:
    """public/19-names-of-the-folder: what URLs read otherwise; a model comes back, and nothing stands beside it."""
    folder = tmp_path / "course" / "50% off %2F? a=1 #b {x} [2026] ü';&+"
    registry = Registry(folder / "registry")
    version = registry.register(trained).version
    assert registry.load(str(version)).digest == trained.model().digest
    assert (folder / "registry" / "mlflow.db").is_file()
    assert [path.name for path in (tmp_path / "course").iterdir()] == [folder.name]


def test_a_missing_registry_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(RegistryError, match=r"no model registry in .*run the training pipeline first"):
        Registry(tmp_path / "absent", create=False)
    assert list(tmp_path.iterdir()) == []


def test_a_changed_or_absent_model_file_is_not_loaded(registry: Registry, trained: TrainingRun) -> None:
    registry.register(trained)
    path = stored(registry)
    content = path.read_bytes()
    digit = content.index(b"leaf_value=") + len(b"leaf_value=-0.1")
    other = b"1" if content[digit : digit + 1] != b"1" else b"2"
    tampered = [
        content[:digit] + other + content[digit + 1 :],
        content[: len(content) // 2],
        content + b"\n",
        b"",
        pickle.dumps(print),
    ]
    for changed in tampered:
        path.write_bytes(changed)
        with pytest.raises(RegistryError, match="version 1: the stored model is gone or not the one registered"):
            registry.load("1")
    path.unlink()
    with pytest.raises(RegistryError, match="version 1: the stored model is gone"):
        registry.load("1")
    path.write_bytes(content)
    assert registry.load("1").digest == trained.model().digest


def test_a_version_of_another_pipeline_is_not_loaded(registry: Registry) -> None:
    registry.client.create_registered_model(registry.name)
    made = registry.client.create_model_version(registry.name, source="somewhere/else")
    with pytest.raises(RegistryError, match="not registered by this pipeline"):
        registry.load(str(made.version))


def test_a_run_whose_model_was_replaced_is_not_registered(registry: Registry, history: Lake, tmp_path: Path) -> None:
    first = run_training(TrainingConfig(rounds=5), history, tmp_path / "run")
    run_training(TrainingConfig(rounds=9, params={"num_leaves": 4}), history, tmp_path / "run")
    with pytest.raises(Exception, match="not the model that is wanted"):
        registry.register(first)
    assert (registry.versions(), runs(registry)) == ([], [])


def test_mlflow_itself_can_load_it(registry: Registry, trained: TrainingRun) -> None:
    import mlflow.lightgbm

    registry.register(trained)
    booster = mlflow.lightgbm.load_model(stored(registry).parent.as_uri())
    assert booster.model_to_string(num_iteration=-1) == trained.model().text()


# The parent imports MLflow once and computes nothing; each child is a process of its own.
DISTURB = """
    import os, signal, sys
    from pathlib import Path

    import mlflow.lightgbm
    from mlflow import MlflowClient
    from oakbank.pipelines import Registry, TrainingConfig, run_training
    from oakbank.world import Lake

    folder, lake = Path(sys.argv[1]), Lake(sys.argv[2])


    def start(name, registry, config):
        child = os.fork()
        if not child:
            try:
                run_training(config, lake, folder / name, Registry(folder / registry))
            except BaseException as error:
                print(repr(error), file=sys.stderr, flush=True)
                os._exit(1)
            os._exit(0)
        return child


    def end(child):
        return os.waitpid(child, 0)[1]


    def killed(*args, **settings):
        os.kill(os.getpid(), signal.SIGKILL)


    one, other = TrainingConfig(rounds=5), TrainingConfig(rounds=5, seed=1)
    for name in ("log_artifacts", "set_terminated", "create_model_version"):
        whole = getattr(MlflowClient, name)
        setattr(MlflowClient, name, killed)
        status = end(start("run", "killed", one))
        assert os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL, (name, status)
        setattr(MlflowClient, name, whole)
    assert end(start("run", "killed", one)) == 0

    children = [start("run", "at-once", one), start("again", "at-once", one), start("other", "at-once", other)]
    assert [end(child) for child in children] == [0, 0, 0]
"""


@pytest.fixture(scope="module")
def disturbed(migrated: Path, history: Lake, tmp_path_factory: pytest.TempPathFactory) -> tuple[Registry, Registry]:
    """A registry in which each moment of a registration was killed once, and one that three processes began at once."""
    folder = tmp_path_factory.mktemp("disturbed")
    (folder / "killed").mkdir()
    shutil.copy(migrated, folder / "killed" / "mlflow.db")
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(DISTURB), str(folder), str(history.folder)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return Registry(folder / "killed", create=False), Registry(folder / "at-once", create=False)


@posix
def test_a_kill_between_logging_and_registering_leaves_one_run_and_one_version(
    disturbed: tuple[Registry, Registry], trained: TrainingRun
) -> None:
    registry = disturbed[0]
    assert registry.versions() == ["1"]
    assert runs(registry) == [finished(trained)]
    assert registry.load("1").digest == registry.tags("1")["model_hash"]


@posix
def test_processes_that_register_at_once_in_a_new_registry(
    disturbed: tuple[Registry, Registry], trained: TrainingRun
) -> None:
    registry = disturbed[1]
    assert registry.versions() == ["1", "2"]
    assert runs(registry) == [finished(trained)] * 2
    assert {registry.tags(version)["model_hash"] for version in ("1", "2")} == {
        registry.load(version).digest for version in ("1", "2")
    }
    locks = [path.name for path in registry.folder.iterdir() if path.name.startswith(".")]
    assert sorted(locks) == [".create.lock", ".register.lock"]
