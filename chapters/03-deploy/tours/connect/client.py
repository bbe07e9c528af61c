# /// script
# requires-python = "==3.12.*"
# dependencies = ["databricks-connect==17.3.*", "pandas<3", "setuptools<81"]
# ///
"""Databricks' own client: rates by region, and a function that runs in the engine. `client.py APPLICATIONS.parquet`.

Prints JSON. With `DATABRICKS_HOST` and the like set it goes to a workspace, with `SPARK_REMOTE` to that address.
"""

import json
import sys
from importlib.metadata import version

import pandas as pd
from databricks.connect import DatabricksSession
from pyspark.sql import functions as F  # noqa: N812


def solve(file: str) -> dict[str, list[float]]:
    """Return for each region: loans asked for, their sum in EUR, and the largest burden."""
    spark = DatabricksSession.builder.getOrCreate()

    @F.pandas_udf("double")
    def burden(debts: pd.Series, income: pd.Series) -> pd.Series:
        return debts / income

    table = spark.createDataFrame(pd.read_parquet(file))  # sent from here: a cluster does not see this disk
    rows = (
        table.withColumn("burden", burden("debts", "income"))
        .groupBy("region")
        .agg(F.count("*").alias("count"), F.sum("amount").alias("amount"), F.max("burden").alias("burden"))
        .collect()
    )
    return {row["region"]: [row["count"], row["amount"], row["burden"]] for row in rows}  # `row.count` is a method


if __name__ == "__main__":
    found = solve(sys.argv[1])
    print(json.dumps({"client": version("databricks-connect"), "regions": found}))
