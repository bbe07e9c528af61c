"""How long one query takes on more and more rows: with pandas, with DuckDB, and through Spark Connect.

`python crossing.py APPLICATIONS.parquet RESULT.json` writes a row for each tool and size: the seconds of its best
run. `SPARK_REMOTE` says where Spark is. To connect is no part of a query; its seconds are printed.
"""

import json
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import duckdb
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.sql import SparkSession
from pyspark.sql import functions as F  # noqa: N812

COPIES = (1, 8, 32, 64)
RUNS = 3
SQL = "SELECT region, count(*) AS loans, sum(amount / term) AS rate FROM read_parquet('{}') GROUP BY region"


def with_pandas(file: str) -> pd.DataFrame:
    """Return loans and their monthly rates (EUR) by region."""
    rows = pd.read_parquet(file, columns=["region", "amount", "term"])
    rates = rows.assign(rate=rows["amount"] / rows["term"]).groupby("region")["rate"]
    found: pd.DataFrame = rates.agg(loans="size", rate="sum").reset_index()
    return found


def with_duckdb(database: duckdb.DuckDBPyConnection, file: str) -> pd.DataFrame:
    """Return the same from SQL."""
    found: pd.DataFrame = database.execute(SQL.format(file)).df()
    return found


def with_spark(spark: SparkSession, file: str) -> pd.DataFrame:
    """Return the same from Spark."""
    rates = spark.read.parquet(file).withColumn("rate", F.col("amount") / F.col("term"))
    sums = rates.groupBy("region").agg(F.count("*").alias("loans"), F.sum("rate").alias("rate"))
    found: pd.DataFrame = sums.toPandas()
    return found


def seconds(work: Callable[[], object], runs: int = RUNS) -> float:
    """Return the least seconds of some runs."""
    found = []
    for _ in range(runs):
        began = time.perf_counter()
        work()
        found.append(time.perf_counter() - began)
    return min(found)


def main() -> None:
    """Measure and write."""
    began = time.perf_counter()
    spark = SparkSession.builder.getOrCreate()
    spark.range(1).toPandas()
    print(f"to connect took {time.perf_counter() - began:.1f}s")
    rows: list[dict[str, str | int | float]] = []
    database = duckdb.connect()
    table = pq.read_table(sys.argv[1])
    with tempfile.TemporaryDirectory() as folder:
        for copies in COPIES:
            file = str(Path(folder) / f"{copies}.parquet")
            pq.write_table(pa.concat_tables([table] * copies), file)
            tools: dict[str, Callable[[], pd.DataFrame]] = {
                "pandas": lambda file=file: with_pandas(file),  # type: ignore[misc]
                "DuckDB": lambda file=file: with_duckdb(database, file),  # type: ignore[misc]
                "Spark Connect": lambda file=file: with_spark(spark, file),  # type: ignore[misc]
            }
            counts = {name: sorted(work()["loans"]) for name, work in tools.items()}
            if len(set(map(tuple, counts.values()))) != 1:
                raise RuntimeError(f"the tools count differently: {counts}")
            size = copies * table.num_rows
            rows += [{"tool": name, "rows": size, "seconds": seconds(work)} for name, work in tools.items()]
    Path(sys.argv[2]).write_text(json.dumps(rows), encoding="utf-8")


if __name__ == "__main__":
    main()
