# %% [markdown]
# # 05 Experiment tracking
#
# ## You will
#
# - name the five things that a result needs before anyone can trust it
# - tell a real difference between two settings from the luck of a seed
# - log runs with MLflow, by hand and by `autolog`, and find them by query
# - log a model with its signature, load it back and get the same scores
# - register a model, give it an alias, and go from the alias back to the run that made it
#
# ## You need
#
# Lesson 01/01, and pandas. The training pipeline is the reference implementation of this chapter; you only call it.
#
# ## Time
#
# 27 minutes to read, 30 seconds to run.
#
# ## The story so far
#
# Oakbank's model is trained by a pipeline now: it ingests the months in the lake, validates them, builds features,
# trains, and evaluates on the last two months. This week three colleagues tried "a few settings" with it, and each
# came back with a number.

# %% [markdown]
# ## A number in a mail

# %%
import tempfile
from pathlib import Path

from oakbank.pipelines import TrainingConfig, run_training
from oakbank.world import Lake, World, publish_history

folder = Path(tempfile.mkdtemp())
lake = Lake(folder / "lake")
publish_history(World(seed=11, scenario="calm"), lake)
first = run_training(TrainingConfig(), lake, folder / "first")
print(f"AUC {first.evaluation.auc:.4f}")

# %% [markdown]
# Suppose that line were all you had. Could you make the number again next month? You would need the **settings**, the
# **data** as it was that day, the **code** as it was, the **versions** of Python and the libraries, and the
# **measures**, all of them, not the one that looked best.
#
# ## A run log in ten lines
#
# The pipeline gives us four of the five. The fifth, the versions, is in `uv.lock` and is the same for all runs (lesson
# 01/04). Data and code are too large for a log, so it holds their hashes: two runs with the same hash of the data saw
# the same bytes.

# %%
import json

log = folder / "runs.jsonl"
trained = {}
for leaves in (4, 12, 40):
    for seed in (0, 1):
        config = TrainingConfig(seed=seed, params={"num_leaves": leaves})
        run = run_training(config, lake, folder / f"leaves{leaves}-seed{seed}")
        entry = {"leaves": leaves, "seed": seed, "data": run.data_hash}
        entry |= {"code": run.code_hash, **run.evaluation.metrics()}
        with log.open("a") as stream:
            stream.write(json.dumps(entry) + "\n")
        trained[leaves, seed] = run

# %% [markdown]
# One line per run, appended, never edited. The seed decides which columns each tree may look at, and nothing else.
#
# ## Which difference is real?
#
# Below are the means of each setting, and how far its two seeds lie apart. Before you run it, decide: what would make
# you believe that one setting is better than another? (`precise_float`, or pandas gets the last digit of a float wrong.)

# %%
import pandas as pd

runs = pd.read_json(log, lines=True, precise_float=True)
by_setting = runs.groupby("leaves")[["auc", "profit"]]
apart = by_setting.max() - by_setting.min()
table = by_setting.mean().join(apart, rsuffix=": seed to seed").round(4)
assert table["auc"].is_monotonic_decreasing
assert apart["auc"].max() < table["auc"].diff().abs().min()
assert apart["profit"].max() > table["profit"].diff().abs().min()
table

# %% [markdown]
# In AUC the settings lie further apart than the seeds: fewer leaves are better here, and you can say so. In profit,
# the two seeds of the largest trees differ by more than 4 leaves differ from 12. If you rank by profit, you partly rank
# luck. The log shows this only because it kept *every* run. Somebody who mails the best of six numbers has not measured
# a setting; they have measured how often they tried.
#
# ## The tool: MLflow
#
# A file of JSON lines serves one person. MLflow is the same log for a team: a *run* has *params*, *metrics*, *tags*
# and *artefacts* (files); runs belong to an *experiment*. The tracking URI names the store that keeps them: here an
# SQLite file, so nothing leaves your machine. `own_runs` goes to the folder that this course's JupyterLab shows; the clock
# in the name keeps this evening's runs apart.

# %%
from datetime import datetime

import mlflow

from course.lesson import own_runs

own_runs()
mlflow.set_tracking_uri("sqlite:///mlflow.db")
experiment = mlflow.set_experiment(f"credit {datetime.now():%Y-%m-%d %H:%M:%S}")

# %% [markdown]
# Six runs that answer one question belong together: they are *nested* in a parent.

# %%
with mlflow.start_run(run_name="how many leaves?"):
    for (leaves, seed), run in trained.items():
        with mlflow.start_run(run_name=f"leaves{leaves}-seed{seed}", nested=True):
            mlflow.log_params({"num_leaves": leaves, "seed": seed})
            mlflow.log_metrics(run.evaluation.metrics())
            mlflow.set_tags({"data": run.data_hash, "code": run.code_hash})
            mlflow.log_artifact(run.model_path)

# %% [markdown]
# A run is RUNNING inside its `with`; then FINISHED, or FAILED if an exception leaves the `with`. A query finds it as
# `attributes.status = 'FAILED'`. `mlflow.start_run(run_id=…)` opens a run again, to add to it. A call of `mlflow.`
# logs to the active run, the one whose `with` you are in; an `MlflowClient` logs to any run, by its id. A client and
# the active experiment belong to one store: after another `set_tracking_uri`, call `set_experiment` again and make a
# new client.
#
# Now ask a question instead of scrolling: of the runs with seed 0, which has the best AUC? (The query looks into the
# active experiment; `experiment_names=["…"]` names others.)

# %%
found = mlflow.search_runs(
    filter_string="params.seed = '0'",
    order_by=["metrics.auc DESC"],
)
found[["tags.mlflow.runName", "params.num_leaves", "metrics.auc", "tags.data"]]

# %% [markdown]
# A column is there only if a run that was found has that param, metric or tag. Params and tags are text, so the query
# quotes the `'0'`; metrics are numbers. Text also sorts as text: `'100'` comes before `'9'`. Both logs must agree:

# %%
ours = runs[runs["seed"] == 0].set_index("leaves")["auc"]
theirs = found.set_index(found["params.num_leaves"].astype(int))["metrics.auc"]
assert (ours == theirs[ours.index]).all()
print("both logs agree on every AUC")

# %% [markdown]
# A page shows them: a table, plots, and *Compare* for runs that you tick. Here the launcher's
# MLflow button opens it (*File*, *New Launcher*).
#
# ![MLflow 3.17 compares the six runs, 30 November 2026](../pictures/05-experiment-tracking-compare.png)
#
# At work you start it in the folder of the file, and open `http://127.0.0.1:5000`:
#
# ```shell
# mlflow server --backend-store-uri sqlite:///mlflow.db --port 5000
# ```
#
# <details><summary>One server for a team?</summary>
#
# Started like this, it hears its own machine only. Add `--host 0.0.0.0 --allowed-hosts that-server:5000`: the first lets
# others in, the second names the address that they use (any other name is refused: 403, *Invalid Host header*). The
# members write `mlflow.set_tracking_uri("http://that-server:5000")`, and nothing else changes. Whoever reaches the port
# may read and write all of it: keep it inside your network, or put a login before it.
# </details>
#
# ## What MLflow writes down by itself
#
# For many libraries one line logs all that a training says: `autolog`. To be quick, we learn from the older of the two
# hold-out months and check on the newer.

# %%
import lightgbm as lgb

from oakbank.pipelines import build_features

rows = first.holdout()
features, defaulted = build_features(rows), rows["defaulted"]
old = rows["month"] == rows["month"].min()
settings = {"objective": "binary", "num_leaves": 4, "num_threads": 1, "verbosity": -1}
learn = lgb.Dataset(features[old], defaulted[old])
check = lgb.Dataset(features[~old], defaulted[~old])

# %%
mlflow.lightgbm.autolog(log_models=False)
with mlflow.start_run(run_name="autolog") as active:
    booster = lgb.train(settings, learn, 40, valid_sets=[check], valid_names=["newer"])
mlflow.lightgbm.autolog(disable=True)

client = mlflow.MlflowClient()
run_id = active.info.run_id
curve = client.get_metric_history(run_id, "newer-binary_logloss")
assert (len(curve), curve[-1].step) == (40, 39)
print(len(curve), "values of the loss, the last at step", curve[-1].step)
inputs = mlflow.get_run(run_id).inputs.dataset_inputs
print("data sets:", [each.dataset.name for each in inputs])

# %% [markdown]
# A metric may have a value for each *step* (autolog counts from 0: 40 values, last step 39); by hand that is
# `mlflow.log_metric("loss", value, step=number)`. A data set is logged as its columns and a digest, not as rows; by
# hand, `mlflow.log_input`.
#
# ## A model is more than a file
#
# `log_model` keeps the booster (LightGBM's name for a trained model) with a *signature*: which columns of which types
# go in, and what comes out. `pip_requirements` says what it needs; left out, MLflow imports the model in a new
# process to find out, which is slow. (The warning is about this course's environment, which has no pip.)

# %%
with mlflow.start_run(run_name="to be registered") as made:
    mlflow.log_params(settings)
    data = mlflow.data.from_pandas(features[old], name="older month")
    mlflow.log_input(data, context="training")
    logged = mlflow.lightgbm.log_model(
        booster,
        name="model",
        signature=mlflow.models.infer_signature(features, booster.predict(features)),
        pip_requirements=["lightgbm"],
    )

again = mlflow.pyfunc.load_model(logged.model_uri)
assert (again.predict(features) == booster.predict(features)).all()
print("loaded back, same scores")

# %% [markdown]
# What will the loaded model do with a table that lacks the income? LightGBM itself counts columns, and would not say
# which one is missing. Guess, then look:

# %%
try:
    again.predict(features.drop(columns="income"))
except mlflow.MlflowException as refusal:
    print(str(refusal).split("Error: ")[-1])

# %% [markdown]
# `log_model` also takes an `input_example`, which tells a colleague what a row looks like. It is stored **as it is**: if
# the row is a customer, a customer's data now lies in the store. Make a row up: the median of each column.
#
# ## From the model back to the run
#
# The *registry* counts versions of a model under a name, as whole numbers. An *alias* such as `champion` names the
# version that decides about loans today; to promote a version is to move the alias to it.

# %%
version = mlflow.register_model(logged.model_uri, "credit").version
client.set_registered_model_alias("credit", "champion", version)
mlflow.pyfunc.load_model("models:/credit@champion").predict(features.head(3)).round(4)

# %% [markdown]
# <details><summary>And the model of a run that a query found?</summary>
#
# `mlflow.register_model(f"runs:/{run_id}/model", "credit")`: the run's id, and the name that `log_model` was given. MLflow
# remarks that it took `models:/…` instead, which is the same model. `mlflow.pyfunc.load_model` reads such a URI as well.
# `client.search_model_versions("name = 'credit'")` lists all versions, each with its `run_id`.
# </details>
#
# A year later somebody asks what this model learned from. The alias leads to the version, the version to the run:

# %%
in_use = client.get_model_version_by_alias("credit", "champion")
origin = mlflow.get_run(in_use.run_id)
assert origin.inputs.dataset_inputs[0].dataset.digest == data.digest
print("version", in_use.version, "of run:", origin.info.run_name)
print("settings:", origin.data.params["num_leaves"], "leaves; data:", data.digest)

# %% [markdown]
# Oakbank's own `Registry` (`oakbank.pipelines.registry`) is MLflow's with one rule on top: the same bytes never become a
# second version, so if the nightly training is repeated, it registers nothing new.
#
# ## The same log, elsewhere
#
# The tours of this chapter log the six runs with W&B, TensorBoard, Comet and ClearML and read them back, offline and
# without an account: `python3 bootstrap.py tour w-b`. All four give the numbers back, but TensorBoard keeps 32 bits,
# so the cents of a profit are gone; Comet's archive lists every package of your machine, ClearML's the uncommitted
# changes in your git repository. Look at what leaves your machine before you send it.
#
# ## Your turn
#
# A colleague remembers only that the run with 12 leaves and seed 1 was "about as good". Find that run by a query, and
# log its AUC once more: as metric `auc` of a new run with the name `second look`.

# %%
# your code here

# %%
asked = runs.query("leaves == 12 and seed == 1")["auc"].item()
second = mlflow.search_runs(filter_string="attributes.run_name = 'second look'")
right = asked in set(second.get("metrics.auc", []))
print("right" if right else "not yet: join conditions with `and`; log all digits")

# %% [markdown]
# <details><summary>A solution</summary>
#
# ```python
# both = "params.num_leaves = '12' and params.seed = '1'"
# one = mlflow.search_runs(filter_string=both)
# with mlflow.start_run(run_name="second look"):
#     mlflow.log_metric("auc", one["metrics.auc"].item())
# ```
# </details>
#
# ## What this does not prove
#
# A digest says *that* data differ, not how; for that the data itself must be kept (lesson 01/05). Two seeds are a
# glance at the noise, and all runs here share one hold-out: choose among enough settings and you fit the hold-out
# too. SQLite on a laptop shows the interface, not what happens when forty people write at once.
#
# ## Check yourself
#
# <details><summary>Two runs have the same settings and code; one has AUC 0.75, the other 0.77. Which of the five things do you compare next?</summary>
#
# Of settings, data, code, versions and measures, the data: is the digest the same? If it is not, the numbers are not
# comparable. If data and versions are the same, the training is not reproducible, and that comes before any talk of
# settings.
# </details>
#
# <details><summary>Two settings have a mean AUC of 0.751 and 0.748; of each, two seeds lie 0.006 apart. Which one is better?</summary>
#
# You cannot say: the seeds lie further apart than the settings. So log the runs that improved nothing, too: they
# measure the noise.
# </details>
#
# <details><summary>The loaded model turned away a table without the income. Who knew that, from where, and who put it there?</summary>
#
# `mlflow.pyfunc` compares the table with the model's signature, before LightGBM sees it. `infer_signature` made it from
# features and scores, and `log_model` stored it, because it was told to: `signature=…`.
# </details>
#
# <details><summary>Which calls lead from <code>models:/credit@champion</code> to the data it was trained on?</summary>
#
# `client.get_model_version_by_alias("credit", "champion").run_id`, then `mlflow.get_run(run_id).inputs`.
# </details>
#
# ## Take-away
#
# **A result without its settings, data, code and versions is a rumour. And the best of many results is partly luck:
# keep them all, or you cannot say how much.**
#
# ## Go further
#
# - Card: [MLflow](../cards/mlflow.md)
# - MLflow 3.17 documentation: *Tracking*, *Models*, *Model Registry*
# - J. Dodge et al., *Show Your Work: Improved Reporting of Experimental Results*, EMNLP 2019: what the number of attempts does to the best one
# - The reference: `oakbank.pipelines.registry` and `oakbank.pipelines.artifacts`
# - Labs: `02-tracked-runs` is this lesson with your own hands; `02-training-pipeline` builds the content hashes
# - In the glossary: [experiment tracking](../../../GLOSSARY.md#experiment-tracking), [run](../../../GLOSSARY.md#run), [artefact](../../../GLOSSARY.md#artefact), [alias](../../../GLOSSARY.md#alias)
