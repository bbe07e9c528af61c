# %% [markdown]
# # 05 Experiment tracking
#
# ## You will
#
# - name the four things that a result needs before anyone can trust it
# - keep a run log of your own in ten lines, and read it as a table
# - tell a real difference between two settings from the luck of a seed
# - log the same runs with MLflow, find them again by query, and check that both logs agree
# - go from a deployed model back to the run, the data and the code that made it
#
# ## You need
#
# Lesson 01/01, and pandas. The training pipeline is the reference implementation of this chapter; you only call it.
#
# ## Time
#
# 13 minutes to read, 15 seconds to run.
#
# ## The story so far
#
# Oakbank's model is trained by a pipeline now: it ingests the months in the lake, validates them, builds features,
# trains, and evaluates on the last two months. This week three colleagues tried "a few settings" with it, and each
# came back with a number.

# %% [markdown]
# ## A number in a mail
#
# Here is the bank's year of history in a lake of Parquet files, and one training run on it.

# %%
import tempfile
from pathlib import Path

from oakbank.pipelines import TrainingConfig, run_training
from oakbank.world import Lake, World, publish_history

folder = Path(tempfile.mkdtemp())
world, lake = World(seed=11, scenario="calm"), Lake(folder / "lake")
publish_history(world, lake)
run = run_training(TrainingConfig(), lake, folder / "first")
print(f"AUC {run.evaluation.auc:.4f}")

# %% [markdown]
# Suppose that line were all you had. Could you make the number again next month? You would need the **settings**, the
# **data** as it was that day, the **code** as it was, the **versions** of Python and the libraries, and the
# **measures**, all of them, not the one that looked best. With any of the five missing, a result is a rumour.
#
# ## A run log in ten lines
#
# The pipeline hands us four of them; the versions are the same for all runs below, those of `uv.lock` (lesson 01/04).
# Settings are a small dict; data and code are too large for a log, so it holds their hashes: two runs with the same
# `data_hash` saw the same bytes.

# %%
import json
from dataclasses import asdict

log = folder / "runs.jsonl"


def track(name, config):
    run = run_training(config, lake, folder / name)
    entry = {"run": name, "data": run.data_hash, "code": run.code_hash, **run.evaluation.metrics()}
    entry |= {f"config.{key}": value for key, value in asdict(config).items() if key != "params"}
    entry |= {f"config.{key}": value for key, value in config.params.items()}
    with log.open("a") as stream:
        stream.write(json.dumps(entry) + "\n")
    return run


# %% [markdown]
# One line per run, appended, never edited. Now the experiment: trees with few or many leaves, two seeds each. The seed
# decides which columns each tree may look at, and nothing else.

# %%
for leaves in (4, 12, 40):
    for seed in (0, 1):
        track(f"leaves{leaves}-seed{seed}", TrainingConfig(seed=seed, params={"num_leaves": leaves}))

# %%
import pandas as pd

runs = pd.read_json(log, lines=True).set_index("run")
runs[["config.num_leaves", "config.seed", "auc", "log_loss", "profit"]].round(4)

# %% [markdown]
# ## Which difference is real?
#
# The rows look like a ranking. Before you read on, decide: is the best row better than the second, or luckier? The
# two seeds of one setting can tell, for between them nothing changed that anybody cares about.

# %%
by_setting = runs.groupby("config.num_leaves")
table = pd.DataFrame({column: by_setting[column].mean() for column in ("auc", "profit")})
table["auc: seed to seed"] = (by_setting["auc"].max() - by_setting["auc"].min()).round(4)
table["profit: seed to seed"] = by_setting["profit"].max() - by_setting["profit"].min()
table.round(4)

# %%
import matplotlib.pyplot as plt

fig, axes = plt.subplots(1, 2, figsize=(8, 2.8))
for ax, column, unit, label in ((axes[0], "auc", 1, "AUC"), (axes[1], "profit", 1e3, "profit, thousand EUR")):
    for seed, marker in ((0, "o"), (1, "s")):
        part = runs[runs["config.seed"] == seed]
        ax.plot(part["config.num_leaves"].astype(str), part[column] / unit, marker, label=f"seed {seed}")
    ax.set(xlabel="leaves per tree", ylabel=label)
axes[0].legend()
fig.tight_layout()

# %% [markdown]
# In AUC the settings lie far apart and the seeds close together: fewer leaves are better here, and you can say so. In
# profit the two seeds of the largest trees lie about as far apart as the settings do: whoever ranks the rows by profit
# ranks luck as well. The log could show this only because it kept *every* run, the dull ones too. Somebody who mails the best of six numbers
# has not measured a setting; they have measured how often they tried.
#
# ## The same settings, another day
#
# Three months pass, new outcomes arrive, and a colleague runs the very same settings again.

# %%
from oakbank.world import publish_month, publish_outcomes

for month in range(3):
    publish_month(world, lake, month)
    lake.write("decisions", month, world.officer_decisions(month))
    publish_outcomes(world, lake, month)
later = track("leaves4-three-months-on", TrainingConfig(as_of=3, seed=0, params={"num_leaves": 4}))
runs = pd.read_json(log, lines=True).set_index("run")
runs.loc[["leaves4-seed0", "leaves4-three-months-on"], ["auc", "rows", "data"]]

# %% [markdown]
# Another AUC from the same settings and the same code. Without the hash in the last column this is how quarrels begin.
# With it the answer is short: other data, and another hold-out; **these two numbers were never comparable.**
#
# ## The tool: MLflow
#
# A file of JSON lines serves one person. A team wants to search it, see it plotted, keep the artefacts beside it, and
# write to it from several machines at once. MLflow is that: a run has *params*, *metrics*, *tags* and *artefacts*. Here
# it keeps them in an SQLite file, with no server.

# %%
import mlflow

mlflow.set_tracking_uri(f"sqlite:///{folder}/mlflow.db")
experiment = mlflow.create_experiment("leaves", artifact_location=(folder / "artifacts").as_uri())
for name, row in runs.iterrows():
    with mlflow.start_run(run_name=name, experiment_id=experiment):
        mlflow.set_tags({"data": row["data"], "code": row["code"]})
        mlflow.log_params({"num_leaves": row["config.num_leaves"], "seed": row["config.seed"]})
        mlflow.log_metrics({"auc": row["auc"], "log_loss": row["log_loss"], "profit": row["profit"]})

# %% [markdown]
# Now ask it a question instead of scrolling: which runs saw the data of the first experiment, best AUC first?

# %%
first_data = runs.loc["leaves4-seed0", "data"]
found = mlflow.search_runs([experiment], f"tags.data = '{first_data}'", order_by=["metrics.auc DESC"])
found[["tags.mlflow.runName", "params.num_leaves", "params.seed", "metrics.auc"]].head(4)

# %% [markdown]
# And our own log must say the same, number for number.

# %%
ours = runs[runs["data"] == first_data]["auc"]
theirs = found.set_index("tags.mlflow.runName")["metrics.auc"]
assert (ours == theirs[ours.index]).all()
print(f"{len(ours)} runs, both logs agree on every AUC")

# %% [markdown]
# `mlflow ui --backend-store-uri sqlite:///mlflow.db` shows this as a page; in the JupyterLab that `course start`
# opens, the launcher has a button for it.
#
# ## The same log, elsewhere
#
# MLflow is one of many. The tours of this chapter log the six runs with W&B, TensorBoard, Comet and ClearML and read
# them back, offline and without an account, such as `python3 bootstrap.py tour w-b`; the table in
# the chapter's README sets them side by side. All four give the numbers back. They differ in what they take along:
# TensorBoard keeps 32 bits, so the cents of a profit are gone; Comet's archive lists every package of your machine,
# ClearML's the uncommitted changes in your git repository. Look at what leaves your machine before you send it.
#
# ## From the model back to the run
#
# Tracking pays on the day when somebody asks about a model that is in use. The registry gives a run's model a version,
# and an *alias* such as `champion` says which version decides. Oakbank's registry writes the four things beside it:

# %%
from oakbank.pipelines import Registry

registry = Registry(folder / "registry")
registered = run_training(TrainingConfig(seed=0, params={"num_leaves": 4}), lake, folder / "leaves4-seed0", registry)
registry.set_alias("champion", registered.version)
{key: value[:12] for key, value in registry.tags(registered.version).items()}

# %%
champion = registry.load("champion")
print("model in use is the one registered:", champion.digest == registry.tags(registered.version)["model_hash"])
print("trained on the data of our log:    ", registered.data_hash == first_data)

# %% [markdown]
# The pipeline did not even train again: it found the steps of `leaves4-seed0` done, by their hashes, and registered
# what was there. Register it twice and there is still one version, because the key is the content:

# %%
again = run_training(TrainingConfig(seed=0, params={"num_leaves": 4}), lake, folder / "leaves4-seed0", registry)
print("steps that ran:", again.ran, "| version:", again.version, "| versions there are:", registry.versions())

# %% [markdown]
# ## What this does not prove
#
# A hash says *that* the data differ, not how; for that the data itself must be kept (lesson 01/05). Two seeds are a
# glance at the noise, not an estimate of it, and all runs here share one hold-out: choose among enough settings and
# you fit the hold-out too. SQLite on a laptop shows the interface, not what happens when forty people write at once.
#
# ## Check yourself
#
# <details><summary>Which five things must a result carry?</summary>
#
# Settings, data, code, versions, measures: the first four so that it can be made again, the last so that it can be
# compared.
# </details>
#
# <details><summary>Two runs have the same settings and code; one has AUC 0.75, the other 0.77. What do you check first?</summary>
#
# Whether the data hash is the same. If it is not, the numbers are not comparable. If it is, the training is not
# reproducible, and that comes before any talk of settings.
# </details>
#
# <details><summary>Why log the runs that failed to improve anything?</summary>
#
# They are the measure of noise, and of how often you tried. A best result means little without the number of attempts.
# </details>
#
# ## Take-away
#
# **A result without its settings, data, code and versions is a rumour. And the best of many results is partly luck:
# keep them all, or you cannot say how much.**
#
# ## Go further
#
# - MLflow 3 documentation: *Tracking* and *Model Registry*
# - J. Dodge et al., *Show Your Work: Improved Reporting of Experimental Results*, EMNLP 2019: what the number of attempts does to the best one
# - The reference: `oakbank.pipelines.registry` and `oakbank.pipelines.artifacts`
# - The lab `02-training-pipeline` builds the content hashes and the resume that this lesson leaned on
# - In the glossary: [experiment tracking](../../../GLOSSARY.md#experiment-tracking), [run](../../../GLOSSARY.md#run), [artefact](../../../GLOSSARY.md#artefact), [alias](../../../GLOSSARY.md#alias)
