"""What it costs to load a model for each row, for each batch, or once for a task.

`python loads.py TABLE MODEL.txt RESULT.json`: TABLE is a Delta table with an application a row, MODEL.txt a LightGBM
model. `SPARK_REMOTE` says where Spark is, which must read the same files.
RESULT.json gets the milliseconds of a row for each way.
"""

import json
import sys
import tempfile
import time
from collections.abc import Iterator
from functools import reduce
from pathlib import Path

import lightgbm as lgb
import pandas as pd
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F  # noqa: N812

COLUMNS = ["income", "debts", "bureau_score", "delinquencies", "amount", "term"]
FEW, COPIES = 100, 8
"""Rows for the slow way, and how often the table is taken for the others."""


def main() -> None:
    """Time the three and print a line for each."""
    model_file = str(Path(sys.argv[2]).resolve())
    spark = SparkSession.builder.getOrCreate()
    table = spark.read.format("delta").load(str(Path(sys.argv[1]).resolve()))
    many = reduce(DataFrame.unionAll, [table] * COPIES).repartition(1)
    with tempfile.TemporaryDirectory() as folder:
        tally = str(Path(folder) / "loads.txt")

        def load() -> lgb.Booster:
            with open(tally, "a") as lines:  # noqa: PTH123  the function travels to the server as it stands
                lines.write("loaded\n")
            return lgb.Booster(model_file=model_file)

        @F.udf("double")  # type: ignore[untyped-decorator]
        def per_row(*row: float) -> float:
            return float(load().predict([row])[0])

        @F.pandas_udf("double")  # type: ignore[untyped-decorator]
        def per_batch(batch: pd.DataFrame) -> pd.Series:
            return pd.Series(load().predict(batch))

        @F.pandas_udf("double")  # type: ignore[untyped-decorator]
        def per_task(batches: Iterator[pd.DataFrame]) -> Iterator[pd.Series]:
            model = load()
            for batch in batches:
                yield pd.Series(model.predict(batch))

        features = F.struct(*COLUMNS)
        ways = {
            "row": (table.limit(FEW), per_row(*COLUMNS)),
            "batch": (many, per_batch(features)),
            "task": (many, per_task(features)),
        }
        many.limit(1).select(per_task(features)).collect()  # the first call starts Python in the server
        found = {}
        for name, (rows, score) in ways.items():
            Path(tally).write_text("", encoding="utf-8")
            began = time.perf_counter()
            scored = len(rows.select(score.alias("risk")).toPandas())
            found[name] = 1000 * (time.perf_counter() - began) / scored
            loads = len(Path(tally).read_text(encoding="utf-8").splitlines())
            print(f"a load per {name:<5} {scored:>6} rows, {loads:>3} loads, {found[name]:.3f}ms a row")
    Path(sys.argv[3]).write_text(json.dumps(found), encoding="utf-8")


if __name__ == "__main__":
    main()
