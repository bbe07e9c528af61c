# %% [markdown]
# # 07 Databricks
#
# ## You will
#
# - give back the table a model was trained on, byte for byte, after it was overwritten, with one line of Delta
# - say which of a version's number and its date is safe to write down, and what `VACUUM` takes away
# - write a Spark script, run it through Spark Connect, and say where its last digit may differ from pandas
# - load a model once for many batches, and say what it costs to load it for each row
# - describe a job in typed Python, and find a misspelt field before it is deployed
#
# ## You need
#
# Lessons 02/05 (the registry's aliases) and 02/06 (jobs). The first time, uv fetches Spark's client and engine (700 MB).
#
# ## Time
#
# 24 minutes to read, 60 seconds to run.
#
# ## The story so far
#
# Oakbank's champion was trained on the morning of 3 March, on a file that the loan system writes anew each night. It is
# summer now, and the auditor asks: what did the model see on 3 March?

# %% [markdown]
# ## What runs here is not Databricks
#
# Databricks is a service in the cloud: to use it, you need an account. Three of its parts are open, and they run here:
# the table format **Delta** (here by the library `deltalake`), the protocol **Spark Connect**, by which a small client
# sends data-frame code to an engine, and the client of its interface, `databricks-sdk`. The engine here is **Sail**, which
# speaks that protocol. It is neither Databricks nor Apache Spark: equal answers here promise none there.
#
# Spark's client would break `mlflow.autolog` in this environment, so it lives in one of its own, with a lock file;
# `engine.python` is its interpreter.

# %%
import hashlib

import lightgbm as lgb
import numpy as np
import pandas as pd

from course.lesson import own_folder, recorded
from oakbank.deploy import spark
from oakbank.intro import known_loans
from oakbank.world import World

own_folder()
engine = spark.engine()
recorded("03/07", engine and engine.versions)

# %% [markdown]
# ## A file that forgets
#
# Each night the loan system exports all loans with a known outcome, and each night the credit bureau has corrected some
# debts. So `loans.csv` has been another file five times, from 1 to 5 March. We train on the third:

# %%
COLUMNS = ["income", "debts", "bureau_score", "delinquencies", "amount", "term"]
SETTINGS = {"objective": "binary", "num_leaves": 8, "num_threads": 1, "verbosity": -1}


def train(table):
    rows = lgb.Dataset(table[COLUMNS], table["defaulted"])
    return lgb.train(SETTINGS, rows, 60).model_to_string()


def fingerprint(table):
    return hashlib.sha256(table.to_csv(index=False).encode()).hexdigest()[:12]


rng = np.random.default_rng(7)
loans = known_loans(World(seed=7, scenario="calm"), range(-12, -3))
loans = loans[["application_id", "region", *COLUMNS, "defaulted"]]
nights = []
for day in range(5):
    loans.loc[rng.choice(len(loans), 40), "debts"] += 100.0
    nights.append(loans.copy())
    loans.to_csv("loans.csv", index=False)
champion = train(nights[2])
seen = fingerprint(nights[2])  # a good log has written this down

# %%
today = pd.read_csv("loans.csv")
assert train(today) != champion and fingerprint(today) != seen
print("seen on 3 March:", seen, "  in the file today:", fingerprint(today))

# %% [markdown]
# The log's hash proves that the data are others. It does not give them back.
#
# ## Versions in ten lines
#
# Two rules are enough: never write over a data file, and keep a numbered log of which files make up the table.

# %%
import json
from pathlib import Path

own = Path("own")
(own / "log").mkdir(parents=True)
for number, table in enumerate(nights):
    name = f"{fingerprint(table)}.parquet"
    table.to_parquet(own / name)
    (own / "log" / f"{number}.json").write_text(json.dumps([name]))


def as_of(number):
    names = json.loads((own / "log" / f"{number}.json").read_text())
    return pd.concat(pd.read_parquet(own / name) for name in names)


assert fingerprint(as_of(2)) == seen

# %% [markdown]
# ## The same, as Delta
#
# That is Delta's idea, too. Its log says for each version which files were added and which no longer count:

# %%
from deltalake import DeltaTable, write_deltalake

for table in nights:
    write_deltalake("loans", table, mode="overwrite")

for file in sorted(Path("loans/_delta_log").glob("*.json")):
    actions = [json.loads(line) for line in file.read_text().splitlines()]
    print(file.name[-7:], [*(kind for action in actions for kind in action)])

# %% [markdown]
# `remove` deletes nothing: it is a line in the log, and the file stays. So the auditor's question takes one line, and
# the model can be made again from the answer:

# %%
table = DeltaTable("loans", version=2).to_pandas()

assert table.equals(nights[2]) and table.equals(as_of(2))
assert fingerprint(table) == seen
assert train(table) == champion
print("the same table, and the same model to the byte")

# %% [markdown]
# In SQL the line reads `SELECT * FROM loans VERSION AS OF 2`, in Spark `.option("versionAsOf", 2)`.
#
# ## By its number, not by its date
#
# Delta also answers by time, `TIMESTAMP AS OF '2026-03-03 09:00'`. When was a version made? Unless a table is set to write
# the time *into* its log (in-commit timestamps), it is the time stamp of the log's **file**. Our five nights passed in a
# second, so we set these to 01:00 each night. Then a colleague copies the table to another disk. **What will the copy
# answer?**

# %%
import os
import shutil
from datetime import UTC, datetime

for number, file in enumerate(sorted(Path("loans/_delta_log").glob("*.json"))):
    at = datetime(2026, 3, 1 + number, 1, tzinfo=UTC).timestamp()
    os.utime(file, (at, at))
shutil.copytree("loans", "copy", copy_function=shutil.copyfile)  # as a download does

found = {}
for place in ("loans", "copy"):
    delta = DeltaTable(place)
    delta.load_as_version("2026-03-03T09:00:00Z")
    found[place] = delta.version()
assert found == {"loans": 2, "copy": 0}
print(found)

# %% [markdown]
# The copy gives version 0, another night's table, and no error. **Log the number with the run**, beside the hash:
# `mlflow.log_param("table_version", 2)`.
#
# ## VACUUM
#
# All old files stay, so tables grow. `VACUUM` deletes files that the newest version does not use and that were removed
# longer ago than 7 days, by default. Ours are younger, so it would delete none:

# %%
from deltalake.exceptions import DeltaError

delta = DeltaTable("loans")
assert delta.vacuum() == []  # a list of what it would delete
try:
    delta.vacuum(retention_hours=0)
except DeltaError as refusal:
    print(refusal)
gone = delta.vacuum(0, dry_run=False, enforce_retention_duration=False)
assert len(gone) == 4
try:
    DeltaTable("loans", version=2).to_pandas()
except FileNotFoundError:
    print("version 2 is in the log; its file is gone")

# %% [markdown]
# So time travel is no archive. For a table that a model was trained on, set `delta.deletedFileRetentionDuration` (and
# `delta.logRetentionDuration`, 30 days by default), or copy the version away. The copy above still has it. And the other
# way round: a customer whose row was erased is in the old files until `VACUUM` has run.
#
# ## The same code through Spark
#
# A Spark script looks like pandas, but it computes nothing until somebody asks for the result: it builds a plan, and
# the engine runs the plan where the data are, on as many machines as it has. `SPARK_REMOTE` says where the engine is.

# %%
# %%writefile summary.py
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

spark = SparkSession.builder.getOrCreate()
table = spark.read.format("delta").option("versionAsOf", 2).load("copy")
by_region = (
    table.withColumn("rate", F.col("amount") / F.col("term"))
    .groupBy("region")
    .agg(
        F.count("*").alias("loans"),
        F.sum("amount").alias("amount"),
        F.sum("rate").alias("rate"),
        F.sum(F.round("rate", 2).cast("decimal(18, 2)")).alias("cents"),
    )
)
by_region.orderBy("region").toPandas().to_parquet("summary.parquet")

# %% [markdown]
# pandas does the same beside it. **Which of the four columns will be equal to the last digit?**

# %% recorded=true
# !{engine.python} summary.py
far = pd.read_parquet("summary.parquet").set_index("region")
rates = nights[2].assign(rate=nights[2]["amount"] / nights[2]["term"])
regions = rates.groupby("region")
assert (far["loans"] == regions.size()).all()
assert (far["amount"] == regions["amount"].sum()).all()
near = regions["rate"].sum()
assert 0 < (far["rate"] / near - 1).abs().max() < 1e-13
in_cents = rates["rate"].mul(100).round().groupby(rates["region"]).sum()
assert (far["cents"].astype(float) * 100).round().equals(in_cents)
print(pd.DataFrame({"Spark": far["rate"], "pandas": near}).map("{:.10f}".format))

# %% [markdown]
# Counts and sums of whole euros are equal. So is each single `rate`; but the **sum** of fractions depends on the order
# of adding, as each step is rounded. An engine adds part by part, pandas carries the rounding error along. Sums of cents
# as `decimal` are exact, and equal again. So compare money as decimals, and never hash a sum of floats from two engines.
#
# ## A model for many rows
#
# To score in Spark is to send a function to the rows. Spark calls a plain `udf` for each row, a `pandas_udf` for each
# batch of some thousand. With an iterator of batches it is called once per task, and what you do before the loop is done once.

# %%
# %%writefile score.py
import time
from collections.abc import Iterator
from pathlib import Path

import lightgbm as lgb
import pandas as pd
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

MODEL = str(Path("model.txt").resolve())
COLUMNS = ["income", "debts", "bureau_score", "delinquencies", "amount", "term"]


@F.udf("double")
def per_row(*row):
    return float(lgb.Booster(model_file=MODEL).predict([row])[0])


@F.pandas_udf("double")
def once(batches: Iterator[pd.DataFrame]) -> Iterator[pd.Series]:
    model = lgb.Booster(model_file=MODEL)
    for batch in batches:
        yield pd.Series(model.predict(batch))


# %% [markdown]
# The rest of the script times both, the slow one on 200 rows:

# %%
# %%writefile -a score.py
spark = SparkSession.builder.getOrCreate()
table = spark.read.format("delta").option("versionAsOf", 2).load("copy")
table.select(once(F.struct(*COLUMNS))).limit(1).collect()  # the first call is slower
taken = {}
for name, rows, score in (
    ("per row", table.limit(200), per_row(*COLUMNS)),
    ("once", table, once(F.struct(*COLUMNS))),
):
    began = time.perf_counter()
    scored = rows.select("application_id", score.alias("risk")).toPandas()
    taken[name] = (time.perf_counter() - began) / len(scored)
scored.to_parquet("scored.parquet")
print("a row costs", "more than 50" if taken["per row"] > 50 * taken["once"] else "less", "times as much")

# %% recorded=true
Path("model.txt").write_text(champion)
# !{engine.python} score.py
scored = pd.read_parquet("scored.parquet").set_index("application_id")["risk"]
risk = lgb.Booster(model_str=champion).predict(table[COLUMNS])
assert (scored[table["application_id"]].to_numpy() == risk).all()
print(len(scored), "scores, equal to those of this process to the last bit")
