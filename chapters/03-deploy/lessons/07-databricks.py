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
from pathlib import Path

import pandas as pd

from course.lesson import own_folder, recorded
from oakbank.deploy import exports, spark

own_folder()
engine = spark.engine()
recorded("03/07", engine and engine.versions)

# %% [markdown]
# ## A file that forgets
#
# Each night the loan system exports all loans with a known outcome, and each night the credit bureau has corrected some
# debts. So `loans.csv` has been another file five times, from 1 to 5 March. We train on the third:

# %%
nights = exports.nightly()
for table in nights:
    table.to_csv("loans.csv", index=False)
champion, seen = exports.train(nights[2]), exports.fingerprint(nights[2])

today = pd.read_csv("loans.csv")
assert exports.train(today) != champion
print("seen on 3 March:", seen, "  today:", exports.fingerprint(today))

# %% [markdown]
# The log's hash proves that the data are others. It does not give them back.
#
# ## Versions in ten lines
#
# Two rules are enough: never write over a data file, and keep a numbered log of which files make up the table.

# %%
log = []
for table in nights:
    name = f"{exports.fingerprint(table)}.parquet"
    table.to_parquet(name)
    log.append([name])  # version 0, 1, 2, ...

by_hand = pd.concat(pd.read_parquet(name) for name in log[2])
assert exports.fingerprint(by_hand) == seen

# %% [markdown]
# ## The same, as Delta
#
# That is Delta's idea, too. Its log says for each version which files were added and which no longer count:

# %%
from deltalake import DeltaTable, write_deltalake

for table in nights:
    write_deltalake("loans", table, mode="overwrite")

for file in sorted(Path("loans/_delta_log").glob("*.json")):
    print(file.name[-7:], [*pd.read_json(file, lines=True)])

# %% [markdown]
# `remove` deletes nothing: it is a line in the log, and the file stays. So the auditor's question takes one line, and
# the model can be made again from the answer:

# %%
table = DeltaTable("loans", version=2).to_pandas()

assert table.equals(by_hand)
assert exports.fingerprint(table) == seen
assert exports.train(table) == champion

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
import shutil

exports.date_versions("loans", first="2026-03-01T01:00+00:00")
shutil.copytree("loans", "copy", copy_function=shutil.copyfile)  # as a download does
found = {"loans": DeltaTable("loans"), "copy": DeltaTable("copy")}
for place, delta in found.items():
    delta.load_as_version("2026-03-03T09:00:00Z")
    print(place, "answers with version", delta.version())
assert [delta.version() for delta in found.values()] == [2, 0]

# %% [markdown]
# The copy gives version 0, another night's table, and no error. **Log the number with the run**, beside the hash:
# `mlflow.log_param("table_version", 2)`.
#
# ## VACUUM
#
# All old files stay, so tables grow. `VACUUM` deletes files that the newest version does not use and that were removed
# longer ago than 7 days, by default. Ours are younger, so it would delete none:

# %%
delta = DeltaTable("loans")
assert delta.vacuum() == []  # what it would delete
gone = delta.vacuum(0, dry_run=False, enforce_retention_duration=False)
assert len(gone) == 4
try:
    DeltaTable("loans", version=2).to_pandas()
except FileNotFoundError:
    print("version 2 is in the log, and its file is gone")

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
rates = table.withColumn("rate", F.col("amount") / F.col("term"))
sums = rates.groupBy("region").agg(F.sum("amount"), F.sum("rate")).orderBy("region")
sums.toPandas().to_parquet("summary.parquet")

# %% [markdown]
# pandas does the same beside it. **Which of the four columns will be equal to the last digit?**

# %% recorded=true
# !{engine.python} summary.py
far = pd.read_parquet("summary.parquet").set_index("region")
near = nights[2].assign(rate=nights[2]["amount"] / nights[2]["term"])
near = near.groupby("region")[["amount", "rate"]].sum()
assert (far["sum(amount)"] == near["amount"]).all()
assert 0 < (far["sum(rate)"] / near["rate"] - 1).abs().max() < 1e-13
far.join(near).map("{:.10f}".format)

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

spark = SparkSession.builder.getOrCreate()
table = spark.read.format("delta").option("versionAsOf", 2).load("copy")
inputs = ["income", "debts", "bureau_score", "delinquencies", "amount", "term"]


@F.pandas_udf("double")
def risk(batches: Iterator[pd.DataFrame]) -> Iterator[pd.Series]:
    model = lgb.Booster(model_file="model.txt")
    for batch in batches:
        yield pd.Series(model.predict(batch))


scored = table.select("application_id", risk(F.struct(*inputs)).alias("risk"))
scored.toPandas().to_parquet("scored.parquet")

# %% [markdown]
# `loads.py` of the reference times the three ways. **How much dearer is a row, if each loads the model?**

# %% recorded=true
Path("model.txt").write_text(champion)
# !{engine.python} score.py
# !{engine.python} {spark.SCRIPTS / "loads.py"} copy model.txt loads.json
risk = pd.read_parquet("scored.parquet").set_index("application_id")["risk"]
assert (risk[table["application_id"]].to_numpy() == exports.scores(champion, table)).all()
each = pd.read_json("loads.json", typ="series")
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
nights[4].to_parquet("loans.parquet")
# !{engine.python} {spark.SCRIPTS / "crossing.py"} loans.parquet crossing.json
took = pd.read_json("crossing.json").pivot(index="rows", columns="tool")["seconds"]
largest = took.iloc[-1]
assert largest["DuckDB"] < largest["Spark Connect"] < largest["pandas"]
_ = took.plot(loglog=True, marker="o", ylabel="seconds for a query", figsize=(6, 3.5))

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
from databricks.sdk.service import jobs

task = jobs.Task("score", max_retries=2, environment_key="python")
task.spark_python_task = jobs.SparkPythonTask("score.py")
job = jobs.JobSettings(name="nightly-scores", tasks=[task])
job.schedule = jobs.CronSchedule("0 30 1 * * ?", "Europe/Berlin")
text = yaml.safe_dump({"resources": {"jobs": {"nightly_scores": job.as_dict()}}})
print(text)

edited = yaml.safe_load(text.replace("max_retries", "max_retry"))
written = edited["resources"]["jobs"]["nightly_scores"]
read = jobs.JobSettings.from_dict(written)
assert read.tasks[0].max_retries is None
assert read.as_dict() != written

# %% [markdown]
# Nothing: `from_dict` drops a field that it does not know, and the job would never be tried again. In Python the same
# mistake is a `TypeError`. So for YAML, compare what was read with what was written, as the last line does; at work,
# `databricks bundle validate` does it. A trap: a bundle does not adopt a job that somebody clicked together. `deploy`
# makes a second one beside it, unless you `databricks bundle deployment bind` the two first.
#
# ## The registry, with three names
#
# Unity Catalog is Databricks' list of tables *and* models, with one set of permissions. MLflow's client is the same as in
# 02/05, after `mlflow.set_registry_uri("databricks-uc")`. By MLflow 3.17, three things differ: a name has three parts,
# `prod.credit.default_risk` (catalog, schema, model); a signature is compulsory; and *stages*, deprecated since MLflow
# 2.9, are refused: aliases take their place. Rights are given with `GRANT`.
#
# ## Your turn
#
# "How many loans did the model see otherwise than they stand today?" Compare version 2 in `copy` with the newest version
# there. Put the `application_id` of each loan whose debts differ into a list `changed`.

# %%
# your code here

# %%
differ = nights[2]["debts"] != nights[4]["debts"]
expected = sorted(nights[2].loc[differ, "application_id"])
right = sorted(globals().get("changed", [])) == expected
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
