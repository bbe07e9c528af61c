"""How often a hold-out was looked at: of many equal models the best on one hold-out owes its lead to luck.

Nothing new is stored for it. A registered training run names the data that it was evaluated on (`Registry.register`),
so the looks at a hold-out are the runs that name it: those that were never put up for promotion among them.
"""

from typing import Any

from oakbank.pipelines import Registry

LOOKS = 10
"""Of so many equal models the best is expected 1.5 standard deviations of their noise above their mean."""
MOST = 1000
"""MLflow returns at most so many runs at once; a count that reaches it means "at least"."""
DIGEST = 36
"""MLflow keeps so many characters of a data set's digest."""


def record_look(registry: Registry, version: str, holdout: str) -> int:
    """Note on a version's training run that it is evaluated on a hold-out; return how many runs were.

    The same run counts once, however often it is asked; a deleted run counts, for nobody has unseen what it showed. The
    hold-out goes by its content: another file with the same rows is the same, one row less is another one. The caller
    holds the registry's lock.

    Args:
        registry: Where the version is.
        version: Version of the model that is to be evaluated.
        holdout: sha256 of the file of labelled applications.

    Raises:
        RegistryError: There is no such version.
    """
    from mlflow.entities import Dataset, DatasetInput, InputTag, ViewType
    from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT

    digest = holdout[:DIGEST]
    data = Dataset("hold-out", digest, "local", "{}")
    looked = DatasetInput(data, [InputTag(MLFLOW_DATASET_CONTEXT, "evaluation")])
    run_id = registry.run_id(version)
    registry.client.log_inputs(run_id, [looked])  # a second time, it changes nothing
    experiment = registry.client.get_run(run_id).info.experiment_id
    found = registry.client.search_runs([experiment], f"dataset.digest = '{digest}'", ViewType.ALL, MOST)
    return sum(_evaluated_on(digest, run) for run in found)


def _evaluated_on(digest: str, run: Any) -> bool:
    """Say whether a run of MLflow's was evaluated on a data set.

    A query for digest and context would also find a run that learned from this data set and was evaluated on another.
    """
    from mlflow.utils.mlflow_tags import MLFLOW_DATASET_CONTEXT

    inputs = [one for one in run.inputs.dataset_inputs if one.dataset.digest == digest]
    return any(tag.key == MLFLOW_DATASET_CONTEXT and tag.value == "evaluation" for one in inputs for tag in one.tags)
