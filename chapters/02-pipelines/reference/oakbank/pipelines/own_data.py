"""A CSV of one's own through the pipeline: `python -m oakbank.pipelines.own_data SPEC CSV FOLDER` (see the README)."""

import sys
from pathlib import Path

from oakbank.pipelines.registry import Registry
from oakbank.pipelines.table_spec import read_spec
from oakbank.pipelines.tables import OwnData, load_table
from oakbank.pipelines.training import TrainingConfig, run_training
from oakbank.world import LakeError


def main(arguments: list[str] | None = None) -> int:
    """Train on a CSV, register the model in FOLDER/registry as champion, and say how good it is."""
    given = sys.argv[1:] if arguments is None else arguments
    if len(given) != 3:
        print("usage: python -m oakbank.pipelines.own_data SPEC CSV FOLDER", file=sys.stderr)
        return 2
    spec, table, folder = (Path(argument) for argument in given)
    try:
        source = OwnData(table, read_spec(spec))
        load_table(table, source.spec)  # before MLflow is imported: a wrong file is told at once
        registry = Registry(folder / "registry")
        run = run_training(TrainingConfig(), source, folder / "run", registry)
    except (LakeError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    registry.set_alias("champion", str(run.version))
    print(f"AUC {run.evaluation.auc:.3f} on {run.evaluation.rows} rows held out; version {run.version} is champion")
    print(f"from Python: Registry({str(folder / 'registry')!r}, create=False).load(), and create_app(model) serves it")
    return 0


if __name__ == "__main__":
    sys.exit(main())
