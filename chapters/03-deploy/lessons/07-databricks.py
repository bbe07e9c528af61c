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
from oakbank.intro.loans import known_loans
from oakbank.world import World

own_folder()
engine = spark.engine()
recorded("03/07", engine and engine.versions)

COLUMNS = ["income", "debts", "bureau_score", "delinquencies", "amount", "term"]
SETTINGS = {"objective": "binary", "num_leaves": 8, "num_threads": 1, "verbosity": -1}


def train(table):
    rows = lgb.Dataset(table[COLUMNS], table["defaulted"])
    return lgb.train(SETTINGS, rows, 60).model_to_string()


def fingerprint(table):
    return hashlib.sha256(table.to_csv(index=False).encode()).hexdigest()[:12]


# %% [markdown]
# ## A file that forgets
#
# Each night the loan system exports all loans with a known outcome, and each night the credit bureau has corrected some
# debts. So `loans.csv` has been another file five times, from 1 to 5 March. We train on the third:

# %%
rng = np.random.default_rng(7)
loans = known_loans(World(seed=7, scenario="calm"), range(-12, -3))
loans = loans[["application_id", "region", *COLUMNS, "defaulted"]].astype({"region": str})
nights = []
for _night in range(5):
    loans.loc[rng.choice(len(loans), 40), "debts"] += 100.0
    nights.append(loans.copy())
    loans.to_csv("loans.csv", index=False)
champion = train(nights[2])
seen = fingerprint(nights[2])  # a good log has written this down

today = pd.read_csv("loans.csv")
assert train(today) != champion
assert fingerprint(today) != seen
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

assert table.equals(nights[2])
assert table.equals(as_of(2))
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
# batch of some thousand rows. With an **iterator** of batches it is called once for each task, and what you do before the
# loop is done once:

# %%
# %%writefile score.py
from collections.abc import Iterator

import lightgbm as lgb
import pandas as pd
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

COLUMNS = ["income", "debts", "bureau_score", "delinquencies", "amount", "term"]
spark = SparkSession.builder.getOrCreate()
table = spark.read.format("delta").option("versionAsOf", 2).load("copy")


@F.pandas_udf("double")
def risk(batches: Iterator[pd.DataFrame]) -> Iterator[pd.Series]:
    model = lgb.Booster(model_file="model.txt")
    for batch in batches:
        yield pd.Series(model.predict(batch))


scored = table.select("application_id", risk(F.struct(*COLUMNS)).alias("risk"))
scored.toPandas().to_parquet("scored.parquet")

# %% [markdown]
# `loads.py` of the reference times the three ways. **How much dearer is a row, if each loads the model?**

# %% recorded=true
Path("model.txt").write_text(champion)
# !{engine.python} score.py
scored = pd.read_parquet("scored.parquet").set_index("application_id")["risk"]
here = lgb.Booster(model_str=champion).predict(table[COLUMNS])
assert (scored[table["application_id"]].to_numpy() == here).all()
print(len(scored), "scores, equal to those of this process to the last bit")
# !{engine.python} {spark.SCRIPTS / "loads.py"} copy model.txt loads.json
each = json.loads(Path("loads.json").read_text())
assert each["row"] > 100 * each["task"]

# %% [markdown]
# More than a hundred times. Between batch and task there is little to see: this model is small, and loads in less time than a
# batch takes to score. For a model of a gigabyte it would be otherwise. Load per task anyway; it costs nothing.
#
# ## From which size on does an engine pay?
#
# `crossing.py` asks for the rates by region of more and more applications: with pandas, with DuckDB (an engine inside
# your process), and through Spark Connect. Each reads the same Parquet file.

# %% recorded=true
import matplotlib.pyplot as plt

loans.to_parquet("loans.parquet")
# !{engine.python} {spark.SCRIPTS / "crossing.py"} loans.parquet crossing.json
took = pd.read_json("crossing.json").pivot(index="rows", columns="tool", values="seconds")
connect = took.pop("Spark Connect, to connect").max()
took = took.dropna()
_, axes = plt.subplots(figsize=(6, 3.5))
took.plot(ax=axes, loglog=True, marker="o", ylabel="seconds for a query")
axes.axhline(connect, color="0.6", linestyle=":", label="to connect, once")
_ = axes.legend()
largest = took.iloc[-1]
assert largest["DuckDB"] < largest["Spark Connect"] < largest["pandas"]

# %% [markdown]
# Per query, Spark overtakes pandas at some hundred thousand rows, because a compiled engine reads only what it needs; to
# connect costs as much as a query of millions. DuckDB stays ahead at each size. So an engine pays when the data no longer fit
# into one machine, or lie elsewhere already: not because a table is "big".
#
# ## A job as code
#
# *Lakeflow Jobs* (before 2025: Databricks Jobs) runs such a script each night. The SDK describes a job in typed objects;
# `WorkspaceClient().jobs.create(...)` would send it. Or a *Declarative Automation Bundle* does (before March 2026: Asset
# Bundle): YAML in git, which `databricks bundle deploy` applies. Both hold the same fields. Then somebody edits the YAML,
# and mistypes `max_retries`. **What does the SDK say?**

# %%
import yaml
from databricks.sdk.service import compute, jobs

job = jobs.JobSettings(
    name="nightly-scores",
    schedule=jobs.CronSchedule("0 30 1 * * ?", "Europe/Berlin"),
    environments=[jobs.JobEnvironment("py", compute.Environment(environment_version="4"))],
    tasks=[
        jobs.Task(
            "score",
            spark_python_task=jobs.SparkPythonTask("score.py"),
            environment_key="py",
            max_retries=2,
        )
    ],
)
resources = {"jobs": {"nightly_scores": job.as_dict()}}
text = yaml.safe_dump({"bundle": {"name": "oakbank"}, "resources": resources})
print(text)

edited = yaml.safe_load(text.replace("max_retries", "max_retry"))
settings = edited["resources"]["jobs"]["nightly_scores"]
read = jobs.JobSettings.from_dict(settings)
assert read.tasks[0].max_retries is None
assert read.as_dict() != settings

# %% [markdown]
# Nothing: `from_dict` drops a field that it does not know, and the job would never be tried again. In Python the same
# mistake is a `TypeError`. So for YAML, compare what was read with what was written, as the last line does; at work,
# `databricks bundle validate` does it. A trap: a bundle does not adopt a job that somebody clicked together. `deploy`
# makes a second one beside it, unless you `databricks bundle deployment bind` the two first.
#
# ## The registry, with three names
#
# Unity Catalog is Databricks' list of tables *and* models, `catalog.schema.name`, with one set of permissions. Its
# models are used through MLflow. Here the whole chain, with the table's version in the run:

# %%
import mlflow

from oakbank.pipelines.tracking_store import create_database

create_database(Path("mlflow.db").resolve())
mlflow.set_tracking_uri("sqlite:///mlflow.db")
name, model = "prod.credit.default_risk", lgb.Booster(model_str=champion)
inputs = table[COLUMNS].astype(float)
signature = mlflow.models.infer_signature(inputs, model.predict(inputs))
with mlflow.start_run():
    mlflow.log_params({"table": "copy", "table_version": 2, "table_hash": seen})
    logged = mlflow.lightgbm.log_model(model, name="model", signature=signature, pip_requirements=["lightgbm"])
client = mlflow.MlflowClient()
version = mlflow.register_model(logged.model_uri, name).version
client.set_registered_model_alias(name, "champion", version)

run = mlflow.get_run(client.get_model_version_by_alias(name, "champion").run_id)
said = run.data.params
asked = DeltaTable(said["table"], version=int(said["table_version"])).to_pandas()
assert fingerprint(asked) == said["table_hash"]

# %% [markdown]
# With an account, `mlflow.set_registry_uri("databricks-uc")` comes first, and the rest stays. What differs there (MLflow 3.17): the three
# names are compulsory, so is a signature; there are no *stages* (deprecated in MLflow 2.9), a call for one is refused;
# rights come by `GRANT`, and which tables a run read is noted by the service.
#
# ## Your turn
#
# "How many loans did the model see otherwise than they stand today?" Compare version 2 in `copy` with the newest version
# there. Put the `application_id` of each loan whose debts differ into a list `changed`.

# %%
# your code here

# %%
differ = nights[2]["debts"] != nights[4]["debts"]
expected = set(nights[2].loc[differ, "application_id"])
right = set(globals().get("changed", [])) == expected
print("right" if right else "not yet: which two versions of `copy` do you read?")

# %% [markdown]
# <details><summary>A solution</summary>
#
# ```python
# then = DeltaTable("copy", version=2).to_pandas()
# now = DeltaTable("copy").to_pandas()
# changed = list(then.loc[then["debts"] != now["debts"], "application_id"])
# ```
# </details>
#
# ## What this does not prove
#
# One process of Sail on this machine is no cluster: no network between workers, no machine that dies, no Photon
# (Databricks' own engine). Sail knows much of Spark, not all of it. The job and the bundle were checked by their form
# and never sent; the bundle's own tool, the `databricks` command, was not run. Unity Catalog was not asked. Two cores and
# at most 1.3 million rows say nothing about a terabyte. The tour runs Databricks' own client against the same engine:
# `python3 bootstrap.py tour databricks-connect`. For a real workspace without a bill there is the Free Edition: serverless only, with quotas (the Community
# Edition ended with 2025).
#
# ## Check yourself
#
# <details><summary>A run has logged <code>2026-03-03 09:00</code> as the state of its table. When does that fail, and what would you log?</summary>
#
# When the log's files get other time stamps, as by a copy: then another version answers, without an error. Log the
# version's number and a hash of the content. Both fail once `VACUUM` has deleted the files: keep those versions.
# </details>
#
# <details><summary>Spark's sum of a column differs from pandas' in the 16th digit. Is that a bug, and what do you compare?</summary>
#
# No: a sum of fractions is rounded at each step, and the two add in another order. Counts, whole numbers and single
# rows must be equal; sums of money are equal as decimals.
# </details>
#
# <details><summary>A job that scores with a plain <code>udf</code> takes hours. What do you change, and what if the model is small?</summary>
#
# A `pandas_udf` on an iterator of batches, with the model loaded before the loop. For a small model nearly all is gained by
# batches; loading once for each task matters when loading takes longer than to score a batch.
# </details>
#
# <details><summary>The retries in a bundle's YAML are misspelt. Who notices?</summary>
#
# Not the SDK's `from_dict`, which drops the field. The comparison of what was read with what was written does, or
# `databricks bundle validate`. Typed Python refuses the name at once.
# </details>
#
# ## Take-away
#
# **Log the number of the table's version with each run: then "what did the model see?" takes one line, for as long as
# somebody keeps the files.**
#
# ## Go further
#
# - Card: [Delta](../cards/delta.md)
# - delta-rs 1.6 documentation, *Time travel* and *Vacuum*; the Delta protocol, *In-Commit Timestamps*
# - Databricks documentation (November 2026): *VACUUM*, *Databricks Connect*, *Declarative Automation Bundles*, *Models in Unity Catalog*
# - Spark 4.2: *Spark Connect*, *Pandas UDFs*; Sail 0.7 (`pysail`)
# - F. McSherry, M. Isard, D. Murray, *Scalability! But at what COST?*, HotOS 2015: how large an engine must be to beat one thread
# - The reference: `oakbank.deploy.spark` and its scripts
# - In the glossary: [Delta](../../../GLOSSARY.md#delta), [Spark](../../../GLOSSARY.md#spark), [Spark Connect](../../../GLOSSARY.md#spark-connect), [time travel](../../../GLOSSARY.md#time-travel)
