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
# Lesson 02/05 (runs, aliases). The first time, uv fetches Spark's client and an engine (700 MB on disk); without them,
# the cells show recorded output.
#
# ## Time
#
# 27 minutes to read, 45 seconds to run.
#
# ## The story so far
#
# Oakbank's champion was trained on the morning of 3 March, on a file that the loan system writes anew each night. It is
# summer now, and the auditor asks: what did the model see on 3 March?

# %% [markdown]
# ## What runs here is not Databricks
#
# Databricks is a service in the cloud, and using it takes an account. Parts of it are open, and run here: the table format
# **Delta**, by the library `deltalake`; **Spark Connect**, the protocol by which a small client sends data-frame code to
# an engine; and `databricks-sdk`, the client of Databricks' API. The engine here is **Sail**, which speaks that
# protocol. It is neither Databricks nor Apache Spark, so their answers may differ.
#
# Spark's client would break `mlflow.autolog`, so it has an environment of its own, whose interpreter is `engine.python`.

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
# `exports` plays the loan system: each night it writes all loans anew, with some debts corrected. So `loans.csv` has been
# five files, from 1 to 5 March. The champion learned from the third:

# %%
nights = exports.nightly()
for table in nights:
    table.to_csv("loans.csv", index=False)
champion, seen = exports.train(nights[2]), exports.fingerprint(nights[2])

today = pd.read_csv("loans.csv")
assert exports.train(today) != champion
print("seen on 3 March:", seen, "  today:", exports.fingerprint(today))

# %% [markdown]
# A logged hash proves that the data have changed. It does not give the old data back.
#
# ## Versions by hand
#
# Two rules are enough: never write over a data file, and log which files make up each version.

# %%
log = []
for table in nights:
    log.append([f"{exports.fingerprint(table)}.parquet"])  # version 0, 1, 2, ...
    table.to_parquet(log[-1][0])

by_hand = pd.concat(pd.read_parquet(name) for name in log[2])

# %% [markdown]
# ## The same, as Delta
#
# That is Delta's idea, too. Its log says for each version which files were added, and which no longer count:

# %%
from deltalake import DeltaTable, write_deltalake

for table in nights:
    write_deltalake("loans", table, mode="overwrite")

for file in sorted(Path("loans/_delta_log").glob("*.json")):
    print(file.name[-7:], [*pd.read_json(file, lines=True)])

# %% [markdown]
# `remove` is a line in the log; the file stays. So one line answers the auditor, and the model can be made again:

# %%
table = DeltaTable("loans", version=2).to_pandas()

assert table.equals(by_hand)
assert exports.fingerprint(table) == seen
assert exports.train(table) == champion

# %% [markdown]
# In SQL: `SELECT * FROM loans VERSION AS OF 2`. In Spark: `.option("versionAsOf", 2)`.
#
# ## By its number, not by its date
#
# Delta also answers by time: `TIMESTAMP AS OF '2026-03-03 09:00'`. The time of a version is the time stamp of its log
# **file**, unless the table was told to write it *into* the log (in-commit timestamps). Our five nights took a second, so
# `date_versions` sets the stamps to 01:00 each night. Then a colleague copies the table. **What will the copy answer?**

# %%
import shutil

exports.date_versions("loans", first="2026-03-01T01:00+00:00")
shutil.copytree("loans", "copy", copy_function=shutil.copyfile)  # as a download does
for place, answer in {"loans": 2, "copy": 0}.items():
    delta = DeltaTable(place)
    delta.load_as_version("2026-03-03T09:00:00Z")
    assert delta.version() == answer
    print(place, "answers with version", answer)

# %% [markdown]
# The copy gives another table, and no error. **Log the number with the run**, beside the hash:
# `mlflow.log_params({"table_version": 2, "table_hash": seen})`.
#
# ## VACUUM
#
# `VACUUM` deletes files removed over 7 days ago (default). Ours were just removed; the second call ignores that limit:

# %%
assert DeltaTable("loans").vacuum() == []  # what it would delete
DeltaTable("loans").vacuum(0, dry_run=False, enforce_retention_duration=False)
try:
    DeltaTable("loans", version=2).to_pandas()
except FileNotFoundError:
    print("version 2 is in the log, and its file is gone")

# %% [markdown]
# So time travel is no archive. For a table that models learn from, raise `delta.deletedFileRetentionDuration` (and
# `delta.logRetentionDuration`, 30 days), or copy the version away, as we did with `copy`. Conversely, the row of an
# erased customer stays in old files until `VACUUM` has run.
#
# ## The same code through Spark
#
# A Spark script computes nothing until somebody asks for the result: it builds a plan, which the engine runs where the
# data are, on as many machines as it has. The variable `SPARK_REMOTE` says where the engine is.

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
# **Which of the two sums will pandas give to the last digit?**

# %% recorded=true
# !{engine.python} summary.py
far = pd.read_parquet("summary.parquet").set_index("region")
near = nights[2].eval("rate = amount / term").groupby("region").sum()
assert far["sum(amount)"].equals(near["amount"])
assert 0 < (far["sum(rate)"] / near["rate"] - 1).abs().max() < 1e-13
far.join(near[["amount", "rate"]]).map("{:.10f}".format)

# %% [markdown]
# Sums of whole euros are equal. Each single `rate` is, too, but their **sum** is rounded at each step, and an engine adds
# in another order than pandas. Rounded to cents, as `decimal(18, 2)`, they are equal again (a test of the repository
# holds that). So compare money as decimals, and never hash a sum of floats.
#
# ## A model for many rows
#
# Scoring in Spark means sending a function to the rows. A plain `udf` (user-defined function) is called for each row,
# a `pandas_udf` for each batch of some thousand rows. With an **iterator** of batches it is called once per task, a
# part of the table:

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
# The reference's `loads.py` times the three ways. **What does a row cost if each row loads the model?**

# %% recorded=true
_ = Path("model.txt").write_text(champion)
# !{engine.python} score.py
# !{engine.python} {spark.SCRIPTS / "loads.py"} copy model.txt loads.json
risk = pd.read_parquet("scored.parquet").set_index("application_id")["risk"]
assert risk[table["application_id"]].to_list() == exports.scores(champion, table)
each = pd.read_json("loads.json", typ="series")
assert each["row"] > 100 * each["task"]

# %% [markdown]
# The scores are equal to the last bit. Loading per row costs more than a hundred times loading per task. Batch and task
# differ little: this model loads faster than a batch is scored. A gigabyte model would not.
#
# ## From which size on does an engine pay?
#
# `crossing.py` sums the rates of more and more loans: with pandas, with DuckDB (an engine inside your process), and through
# Spark Connect, from the same Parquet file.

# %% recorded=true
nights[4].to_parquet("loans.parquet")
# !{engine.python} {spark.SCRIPTS / "crossing.py"} loans.parquet crossing.json
took = pd.read_json("crossing.json").pivot(index="rows", columns="tool")["seconds"]
largest = took.iloc[-1]
assert max(largest["DuckDB"], largest["Spark Connect"]) < largest["pandas"]
_ = took.plot(loglog=True, marker="o", ylabel="seconds for a query", figsize=(6, 3.5))

# %% [markdown]
# At 660,000 rows both engines are ahead of pandas: they are compiled and read only what they need. But DuckDB needs no
# server for that, and connecting alone took longer than any of these queries. A server pays when the data do
# not fit into one machine, or lie elsewhere already.
#
# ## A job as code
#
# *Lakeflow Jobs* (formerly Databricks Jobs) run such a script each night. The SDK describes a job in typed objects, and
# `WorkspaceClient().jobs.create(...)` sends it. Or you write it as YAML in git, in a *Declarative Automation Bundle*
# (until March 2026: Asset Bundle). The fields are the same. Somebody mistypes `max_retries` in the YAML. **What does
# the SDK say?**

# %%
import yaml
from databricks.sdk.service import jobs

task = jobs.Task("score", max_retries=2, environment_key="python")
task.spark_python_task = jobs.SparkPythonTask("score.py")
job = jobs.JobSettings(name="nightly-scores", tasks=[task])
job.schedule = jobs.CronSchedule("0 30 1 * * ?", "Europe/Berlin")
text = yaml.safe_dump({"resources": {"jobs": {"scores": job.as_dict()}}})
print(text)

edited = yaml.safe_load(text.replace("max_retries", "max_retry"))
written = edited["resources"]["jobs"]["scores"]
read = jobs.JobSettings.from_dict(written)
assert read.as_dict() != written
print("retries:", read.tasks[0].max_retries)

# %% [markdown]
# Nothing: `from_dict` drops a field that it does not know, and the retries are lost. `jobs.Task(max_retry=2)` would be
# a `TypeError`. So compare what was read with what was written, as the `assert` does; at work `databricks bundle
# validate` checks this. A trap: a bundle does not adopt a job made in the browser; `deploy` makes a second one, unless
# you first run `databricks bundle deployment bind`.
#
# ## The registry, with three names
#
# Unity Catalog is Databricks' list of tables *and* models, with one set of permissions. MLflow's calls are those of 02/05,
# after `mlflow.set_registry_uri("databricks-uc")`. Three things differ (MLflow 3.17): a name has three parts,
# `prod.credit.default_risk` (catalog, schema, model); a signature is compulsory; and *stages*, deprecated since
# MLflow 2.9, are refused: use aliases.
#
# ## Your turn
#
# "How many loans did the model see with other values than today's?" Compare version 2 in `copy` with the newest version
# there. Put the `application_id` of each loan whose debts differ into a list `changed`.

# %%
# your code here

# %%
differ = nights[2]["debts"] != nights[4]["debts"]
right = set(globals().get("changed", [])) == set(table["application_id"][differ])
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
# One process of Sail is no cluster: no network between workers, no machine that dies. These rows say nothing about a
# terabyte. Job and YAML were checked by their form and never sent; the `databricks`
# command did not run, and Unity Catalog was not asked. The tour `python3 bootstrap.py tour databricks-connect` runs
# Databricks' own client, against Sail as well. A real workspace without a bill is the Free Edition: serverless only,
# with quotas (the Community Edition ended with 2025).
#
# ## Check yourself
#
# <details><summary>A run has logged <code>2026-03-03 09:00</code> as the state of its table. When does that fail, and what would you log?</summary>
#
# When the log's files get other time stamps, as by a copy: then another version answers, without an error. Log the
# version's number and a hash of the content. Both fail once `VACUUM` has deleted the files.
# </details>
#
# <details><summary>Spark's sum of a column differs from pandas' in the 16th digit. Is that a bug, and what do you compare?</summary>
#
# No: a sum of fractions is rounded at each step, and the two add in another order. Compare counts, whole numbers, single
# rows, and sums of decimals.
# </details>
#
# <details><summary>A job that scores with a plain <code>udf</code> takes hours. What do you change, and what if the model is small?</summary>
#
# A `pandas_udf` on an iterator of batches, with the model loaded before the loop. For a small model the batches bring
# nearly all; loading once for each task matters when it takes longer than to score a batch.
# </details>
#
# <details><summary>The retries in a bundle's YAML are misspelt. Who notices?</summary>
#
# Not the SDK's `from_dict`. The comparison of what was read with what was written does, or `databricks bundle validate`.
# Typed Python refuses the name at once.
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
# - delta-rs 1.6: *Time travel*, *Vacuum*; the Delta protocol: *In-Commit Timestamps*
# - Databricks documentation (November 2026): *VACUUM*, *Databricks Connect*, *Declarative Automation Bundles*, *Models in Unity Catalog*
# - F. McSherry, M. Isard, D. Murray, *Scalability! But at what COST?*, HotOS 2015
# - The reference: `oakbank.deploy.spark`, `oakbank.deploy.exports`
# - In the glossary: [Delta](../../../GLOSSARY.md#delta), [Spark](../../../GLOSSARY.md#spark), [Spark Connect](../../../GLOSSARY.md#spark-connect), [time travel](../../../GLOSSARY.md#time-travel)
