"""The batch job, one file at a time: the same function in a loop and as the task of an engine."""

from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa

from oakbank.pipelines import CreditModel
from oakbank.pipelines.scaling import measure_step
from oakbank.pipelines.streams import read_batches, write_rows
from oakbank.world import World, load_scenario

SCORES = pa.schema([("application_id", pa.int64()), ("probability", pa.float64())])
"""The columns of a file of scores."""


def large_bank(seed: int, applications: int = 20_000) -> World:
    """Return a calm world with so many applications each month: ten times Oakbank's, unless told otherwise."""
    return World(seed, load_scenario("calm").model_copy(update={"applications_per_month": applications}))


def write_months(world: World, months: Iterable[int], folder: Path = Path()) -> list[Path]:
    """Write the applications of each month to a file; returns the files."""
    files = []
    for month in months:
        files.append(folder / f"month-{month}.parquet")
        world.applications(month).to_parquet(files[-1])
    return files


def score_file(applications: Path, model: Path, folder: Path) -> int:
    """Score a file of applications a batch at a time: in memory are that batch and what pyarrow reads ahead.

    An engine may run a task twice, so a second run changes nothing: the file of scores is written whole or not at all,
    and its bytes depend on the two files that are read alone.

    Args:
        applications: Parquet with `application_id` and the model's columns.
        model: The model's text.
        folder: Where the scores go, `SCORES` under the name of the applications' file, rows in their order.

    Returns:
        How many rows were scored.

    Raises:
        LakeError: The applications are missing, damaged or lack a column.
        ModelError: The model is missing or damaged.
    """
    scorer = CreditModel.load(model)
    with write_rows(folder / applications.name, SCORES) as out:
        for batch in read_batches(applications, ["application_id", *scorer.spec.columns]):
            probability = pa.array(scorer.predict(batch.to_pandas()))
            out.write(pa.table([batch["application_id"], probability], names=SCORES.names))
    return out.rows


def score_whole(applications: Path, model: Path, folder: Path) -> int:
    """Do the same with all rows in memory at once, as one begins: what `score_file` is measured against."""
    rows = pd.read_parquet(applications)
    scores = rows[["application_id"]].assign(probability=CreditModel.load(model).predict(rows))
    folder.mkdir(exist_ok=True)
    scores.to_parquet(folder / applications.name, index=False)
    return len(rows)


def peaks(model: Path, applications: Sequence[Path], folder: Path) -> pd.DataFrame:
    """Return the most memory that each way of scoring a file takes, MB above that of the imports.

    Args:
        model: The model's text.
        applications: Files of different sizes.
        folder: Where the scores go.

    Returns:
        A row a file, a column a way; each cell is measured in a process of its own.
    """
    ways = [score_file, score_whole]
    found = pd.DataFrame(
        index=[file.name for file in applications], columns=[way.__name__ for way in ways], dtype=float
    )
    for file in applications:
        for way in ways:
            arguments = {"applications": file, "model": model, "folder": folder}
            found.loc[file.name, way.__name__] = measure_step(f"{__name__}:{way.__name__}", arguments)["peak_mb"]
    return found
