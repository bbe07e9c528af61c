"""The model registry: MLflow over SQLite, with aliases. Registering the same content twice gives one version."""

import contextlib
import hashlib
import json
import os
import re
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import lightgbm as lgb
from filelock import FileLock

from oakbank.pipelines.model import CreditModel, ModelError
from oakbank.pipelines.runs import TrainingRun
from oakbank.pipelines.tracking_store import create_database
from oakbank.world.files import file_hash, sqlite_url

MODEL_NAME = "oakbank-credit"
os.environ.setdefault("MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR", "false")  # a bar per file of a few kB is noise
EXPERIMENT = "oakbank-training"

_VERSION = re.compile("[1-9][0-9]{0,15}")


class RegistryError(RuntimeError):
    """A registry, an alias or a version that is not there; the message says what to do."""


class Registry:
    """Oakbank's registered models in a local folder: `mlflow.db` (SQLite) and `artifacts/`.

    Point `mlflow ui --backend-store-uri` at `tracking_uri` to look at it.

    Args:
        folder: Folder of the registry.
        create: Make it if it is not there; otherwise a missing registry is an error.
        name: Name of the registered model.
    """

    def __init__(self, folder: str | Path, *, create: bool = True, name: str = MODEL_NAME) -> None:
        self.folder = Path(folder).resolve()
        self.name = name
        database = self.folder / "mlflow.db"
        if not database.is_file():
            if not create:
                raise RegistryError(f"no model registry in {self.folder}: run the training pipeline first")
            self.folder.mkdir(parents=True, exist_ok=True)
            with FileLock(self.folder / ".create.lock"):
                if not database.is_file():
                    create_database(database)
        # Imported late: MLflow takes seconds, and training without a registry does not need it.
        from mlflow import MlflowClient

        self.tracking_uri = sqlite_url(database)
        self.client = MlflowClient(tracking_uri=self.tracking_uri, registry_uri=self.tracking_uri)

    def _experiment(self) -> str:
        found = self.client.get_experiment_by_name(EXPERIMENT)
        if found is not None:
            return str(found.experiment_id)
        return str(self.client.create_experiment(EXPERIMENT, artifact_location=(self.folder / "artifacts").as_uri()))

    def register(self, run: TrainingRun, **tags: str) -> TrainingRun:
        """Log a training run and register its model; return the run with its version.

        Keyed by content (model, data, code, config): after a kill, or called twice, there is one run and one version.
        """
        model = run.model()
        config = {key: json.dumps(value) for key, value in asdict(run.config).items()}
        content = json.dumps([model.digest, run.data_hash, run.code_hash, config], sort_keys=True)
        key = hashlib.sha256(content.encode()).hexdigest()
        with FileLock(self.folder / ".register.lock"):
            known = self.client.search_model_versions(f"name='{self.name}' and tags.training_key='{key}'")
            if known:
                return replace(run, version=str(known[0].version))
            lineage = {
                "training_key": key,
                "model_hash": model.digest,
                "data_hash": run.data_hash,
                "code_hash": run.code_hash,
                "as_of": str(run.config.as_of),
            } | tags
            run_id = self._run(key, run, config, lineage)
            with tempfile.TemporaryDirectory() as scratch:
                self._save_flavour(model, Path(scratch) / "model")
                self.client.log_artifacts(run_id, scratch)
            if not self.client.search_registered_models(f"name='{self.name}'"):
                self.client.create_registered_model(self.name)
            # The run ends before there is a version, so that a kill in between leaves no version of an unfinished run.
            self.client.set_terminated(run_id)
            source = f"runs:/{run_id}/model"
            made = self.client.create_model_version(self.name, source=source, run_id=run_id, tags=lineage)
            return replace(run, version=str(made.version))

    def _run(self, key: str, run: TrainingRun, config: dict[str, str], lineage: dict[str, str]) -> str:
        """Return the MLflow run of a training run: a new one, or the one that a kill left half-made."""
        from mlflow.entities import Metric, Param

        experiment = self._experiment()
        half_made = self.client.search_runs([experiment], f"tags.training_key = '{key}'")
        made = half_made[0] if half_made else self.client.create_run(experiment, tags=lineage)
        run_id = str(made.info.run_id)
        now = int(time.time() * 1000)
        measured = run.evaluation.metrics()
        self.client.log_batch(
            run_id,
            metrics=[Metric(name, measured[name], now, 0) for name in measured if name not in made.data.metrics],
            params=[Param(name, value) for name, value in config.items() if name not in made.data.params],
        )
        accepted = run.folder / "validate" / "accepted.parquet"
        self._log_data(run_id, "accepted", run.data_hash, accepted, "training")
        self._log_data(run_id, "hold-out", file_hash(run.holdout_path), run.holdout_path, "evaluation")
        return run_id

    def _log_data(self, run_id: str, name: str, digest: str, path: Path, context: str) -> None:
        """Say which data a run read: MLflow keeps the first 36 characters of a digest, once for the same data."""
        from mlflow.entities import Dataset, DatasetInput, InputTag
        from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT

        data = Dataset(name, digest[:36], "local", json.dumps({"uri": path.resolve().as_uri()}))
        self.client.log_inputs(run_id, [DatasetInput(data, [InputTag(MLFLOW_DATASET_CONTEXT, context)])])

    @staticmethod
    def _save_flavour(model: CreditModel, path: Path) -> None:
        import mlflow.lightgbm
        from mlflow.models import ModelSignature
        from mlflow.types import ColSpec, Schema

        names = model.spec.feature_names
        signature = ModelSignature(
            Schema([ColSpec("float", name) for name in names]), Schema([ColSpec("double", "default_probability")])
        )
        # Naming the environment spares MLflow loading the model in a new process to guess it.
        environment = {"name": "oakbank", "dependencies": ["python", "pip", {"pip": [f"lightgbm=={lgb.__version__}"]}]}
        mlflow.lightgbm.save_model(model.booster, str(path), signature=signature, conda_env=environment)
        model.save(path / "model.lgb")  # with the specification of data of one's own; else the same bytes

    def alias(self, alias: str) -> str | None:
        """Return the version that an alias points to, or None."""
        registered = self.client.search_registered_models(f"name='{self.name}'")
        if not registered:
            return None
        version = registered[0].aliases.get(alias)
        return None if version is None else str(version)

    def set_alias(self, alias: str, version: str) -> None:
        """Point an alias at a version.

        Raises:
            RegistryError: There is no such version, or no alias can be called so.
        """
        self._version(version)
        if alias.isdigit():
            raise RegistryError(f"an alias of digits would be taken for a version: not {alias[:50]!r}")
        with _names_refused():
            self.client.set_registered_model_alias(self.name, alias, version)

    def versions(self) -> list[str]:
        """Return all versions, oldest first."""
        found = self.client.search_model_versions(f"name='{self.name}'")
        return sorted((str(version.version) for version in found), key=int)

    def tags(self, version: str) -> dict[str, str]:
        """Return a version's lineage: `model_hash`, `data_hash`, `code_hash`, `as_of`, `training_key` and more.

        Raises:
            RegistryError: There is no such version.
        """
        return dict(self._version(version).tags)

    def set_tag(self, version: str, key: str, value: str) -> None:
        """Add a tag to a version, such as its approver.

        Raises:
            RegistryError: There is no such version, or no tag can be called so, or is so long.
        """
        self._version(version)
        with _names_refused():
            self.client.set_model_version_tag(self.name, version, key, value)

    def run_id(self, version: str) -> str:
        """Return MLflow's id of a version's training run.

        Raises:
            RegistryError: There is no such version.
        """
        return str(self._version(version).run_id)

    def metrics(self, version: str) -> dict[str, float]:
        """Return the measures of a version's training run."""
        return {name: float(value) for name, value in self._run_of(version).data.metrics.items()}

    def load(self, alias_or_version: str = "champion") -> CreditModel:
        """Load a model by alias or version, and check that it is the one that was registered.

        Raises:
            RegistryError: There is no such alias or version, or the stored file is gone or was changed.
        """
        version = alias_or_version if alias_or_version.isdigit() else self.alias(alias_or_version)
        if version is None:
            raise RegistryError(
                f"no model has the alias {alias_or_version!r} in {self.folder}: promote a version first"
            )
        found = self._version(version)
        digest = dict(found.tags).get("model_hash")
        if digest is None:
            raise RegistryError(f"version {version} was not registered by this pipeline: it has no model_hash")
        from mlflow.artifacts import download_artifacts
        from mlflow.exceptions import MlflowException

        uri = f"{self.client.get_run(found.run_id).info.artifact_uri}/model/model.lgb"
        try:
            # The artefacts lie in a local folder: MLflow names the file itself, and nothing is copied.
            return CreditModel.load(download_artifacts(artifact_uri=uri, tracking_uri=self.tracking_uri), digest)
        except (ModelError, MlflowException, OSError) as error:
            raise RegistryError(
                f"version {version}: the stored model is gone or not the one registered ({error}); "
                f"load another version, or train this one again in a new registry"
            ) from error

    def _version(self, version: str) -> Any:
        from mlflow.exceptions import MlflowException

        try:
            # MLflow itself would make a number of "1 " and of digits in any script.
            if _VERSION.fullmatch(str(version)):
                return self.client.get_model_version(self.name, version)
        except MlflowException as error:
            if error.error_code not in ("RESOURCE_DOES_NOT_EXIST", "INVALID_PARAMETER_VALUE"):
                raise
        raise RegistryError(f"no version {version} of {self.name} in {self.folder}: {self.versions()}")

    def _run_of(self, version: str) -> Any:
        return self.client.get_run(self._version(version).run_id)


@contextlib.contextmanager
def _names_refused() -> Iterator[None]:
    from mlflow.exceptions import MlflowException

    try:
        yield
    except MlflowException as error:
        if error.error_code == "INVALID_PARAMETER_VALUE":
            raise RegistryError(f"MLflow does not take it: {error}") from error
        raise
