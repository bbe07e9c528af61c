# %% [markdown]
# # 02 Tracked runs
#
# A colleague mails "AUC 0.7519, let us take that one", and leaves for three weeks. In this
# lab you record runs so that every one can be found again, keep a model with its contract,
# track a whole study, find the run behind a number among fifty, and put the best one in
# charge. What you build at the end is a tracking store with a champion that can be loaded,
# and that can be asked where it came from.
#
# You need lessons 02/05 and 02/06. About 90 minutes; eight exercises, 29 points.
# `python3 bootstrap.py check 02-tracked-runs` runs the tests that you see. A grader's tests
# go further; the first line of each test says where. All tests look into MLflow's store, at
# what was recorded there; how you recorded it is up to you.
#
# The first three cells make a new store in a temporary folder and point MLflow at it; an
# experiment with fifty runs of your colleagues, the *history*; and five runs with models,
# the *candidates*. Run them again, and you begin with a new store.

# %% locked="setup"
import contextlib
import itertools
import logging
import math
import os
import random
import tempfile
from pathlib import Path

import lightgbm as lgb
import matplotlib.pyplot as plt  # autolog draws with it
import mlflow
import mlflow.lightgbm
import numpy as np
import optuna
import pandas as pd
from mlflow.entities import Metric, Param
from mlflow.exceptions import MlflowException
from mlflow.utils.logging_utils import disable_logging
from sqlalchemy import Engine, event

from oakbank.pipelines.tracking_store import close_databases, create_database
from oakbank.world import World
from oakbank.world.files import sqlite_url

logging.getLogger("mlflow").setLevel(logging.ERROR)
# MLflow takes a model's library as what it needs: it starts no process to find out,
# and does not take the hundreds of packages of this course's own lock file.
os.environ["MLFLOW_REQUIREMENTS_INFERENCE_TIMEOUT"] = "0"
os.environ["MLFLOW_UV_AUTO_DETECT"] = "false"
optuna.logging.set_verbosity(optuna.logging.ERROR)


@event.listens_for(Engine, "connect")
def do_not_wait(connection, _):
    """Let SQLite not wait for the disk: this store may be lost."""
    connection.execute("PRAGMA synchronous = OFF")


STORE = Path(tempfile.mkdtemp())
create_database(STORE / "mlflow.db")
mlflow.set_tracking_uri(sqlite_url(STORE / "mlflow.db"))
CLIENT = mlflow.MlflowClient()

FEATURES = ["income", "debts", "amount", "term", "bureau_score"]
WORLD = World(seed=12, scenario="calm")


def table_of(month, rows):
    """Return applications of a month: the columns FEATURES (floats) and `defaulted`."""
    table = WORLD.applications(month)[FEATURES].astype(float)
    return table.assign(defaulted=WORLD.truth(month)["would_default"]).head(rows)


LEARN, CHECK = table_of(-5, 500), table_of(-1, 300)
SETTINGS = {"objective": "binary", "num_leaves": 4, "num_threads": 1, "verbosity": -1}


def trained(settings, table=LEARN):
    """Return a booster of 20 rounds."""
    return lgb.train(settings, lgb.Dataset(table[FEATURES], table["defaulted"]), 20)


def outcome(function, *arguments):
    """Return what a call returns, or the exception that it raises."""
    try:
        return function(*arguments)
    except Exception as error:
        return error


NUMBERS = itertools.count(1)


def fresh(what):
    """Return a name that nothing in the store has yet."""
    return f"{what} {next(NUMBERS)} of {os.getpid()}"


def new_experiment(what):
    """Make an empty experiment and return its name."""
    name = fresh(what)
    CLIENT.create_experiment(name, artifact_location=(STORE / "artifacts").as_uri())
    return name


def runs_of(experiment):
    """Return the runs of an experiment, the oldest first."""
    number = CLIENT.get_experiment_by_name(experiment).experiment_id
    return CLIENT.search_runs([number], order_by=["start_time ASC"])


def run_of(experiment, run_id):
    """Return the run with an id if the experiment has it, or None."""
    number = CLIENT.get_experiment_by_name(experiment).experiment_id
    with contextlib.suppress(MlflowException):
        run = CLIENT.get_run(run_id)
        return run if run.info.experiment_id == number else None


def curve_of(run, name):
    """Return all values of a metric of a run, as a list of (step, value)."""
    values = CLIENT.get_metric_history(run.info.run_id, name)
    return [(one.step, one.value) for one in values]


def champion_of(name):
    """Return the version of a registered model that is the champion, or None."""
    with contextlib.suppress(MlflowException):
        return CLIENT.get_model_version_by_alias(name, "champion")


# %% locked="history"
def put(experiment, row, minute):
    """Write a finished, failed or running run into an experiment; return its id."""
    name, data, auc, leaves, status = row
    start = 1_930_000_000_000 + 60_000 * minute
    tags = {"mlflow.runName": name, "data": data}
    run_id = CLIENT.create_run(experiment, start_time=start, tags=tags).info.run_id
    metrics = [] if auc is None else [Metric("auc", auc, start, 0)]
    CLIENT.log_batch(run_id, metrics, [Param("leaves", str(leaves))])
    if status != "RUNNING":
        CLIENT.set_terminated(run_id, status)
    return run_id


# name, data, auc, leaves, status; in the order of their start
ROWS = [
    ("a", "march", 0.75196, 8, "FINISHED"),
    ("b", "april", 0.75190, 8, "FINISHED"),
    ("c", "march", 0.75193, 16, "FINISHED"),
    ("d", "march", 0.75184, 8, "FINISHED"),
    ("e", "april", 0.76220, 12, "FINISHED"),
    ("f", "april", 0.79100, 12, "FAILED"),
    ("g", "april", 0.78500, 30, "RUNNING"),
    ("h", "april", 0.76190, 4, "FINISHED"),
    ("i", "april", None, 4, "FAILED"),
    ("j", "may", math.nan, 3, "FINISHED"),
    ("k", "may", 0.70110, 9, "FINISHED"),
    ("l", "may", 0.69990, 5, "FINISHED"),
    ("m", "june", 0.74330, 12, "FINISHED"),
    ("n", "june", 0.74330, 9, "FINISHED"),
    ("o", "june", 0.74330, 9, "FINISHED"),
    ("p", "june", 0.74330, 100, "FINISHED"),
    ("q", "june", 0.74310, 2, "FINISHED"),
    ("r", "july", math.nan, 6, "FINISHED"),
    ("s", "july", 0.73000, 6, "FAILED"),
    ("t", "august", 0.75040, 6, "FINISHED"),
    ("u", "august", 0.75460, 6, "FAILED"),
    ("v", "august", 0.00002, 6, "FINISHED"),
    ("w", "august", math.nan, 6, "FINISHED"),
]
DICE = random.Random(7)
FILL = [
    (f"fill {number}", data, DICE.uniform(0.6, 0.74), 8)
    for number, data in enumerate(DICE.choices(["march", "april"], k=50 - len(ROWS)))
]


def make_history():
    """Return the experiment's name, and the ids of the runs in ROWS by their name."""
    name = new_experiment("history")
    place = CLIENT.get_experiment_by_name(name).experiment_id
    elsewhere = new_experiment("somebody else's")
    other = CLIENT.get_experiment_by_name(elsewhere).experiment_id
    put(other, ("x", "march", 0.75192, 8, "FINISHED"), 1)
    put(other, ("y", "june", 0.80000, 2, "FINISHED"), 2)
    for minute, auc in enumerate((0.75191, 0.75460)):
        for data in ("march", "april", "june"):
            row = ("gone", data, auc + 0.1 * minute, 2, "FINISHED")
            CLIENT.delete_run(put(place, row, 3))
    for minute, row in enumerate(FILL):
        put(place, (*row, "FINISHED"), 200 + minute)
    # From the last to the first: the store's own order is not that of the starts.
    ids = {}
    for minute, row in reversed([*enumerate(ROWS)]):
        ids[row[0]] = put(place, row, minute)
    return name, ids


HISTORY, IDS = make_history()
NAMES = {run_id: name for name, run_id in IDS.items()}
BARE = new_experiment("no AUC")  # its only run has none
NUMBER = CLIENT.get_experiment_by_name(BARE).experiment_id
_ = put(NUMBER, ("z", "march", None, 4, "FINISHED"), 0)

# %% locked="candidates"
CANDIDATES = {}  # run ids by name
BOOSTERS, MODELS = {}, {}


def make_candidate(name, leaves, auc, data, context):
    """Record a run with a model, and the data that it learnt and was judged on."""
    BOOSTERS[name] = trained(SETTINGS | {"num_leaves": leaves})
    with mlflow.start_run(run_name=name) as run:
        CANDIDATES[name] = run.info.run_id
        mlflow.log_params({"num_leaves": leaves, "seed": 0})
        mlflow.log_metric("auc", auc)
        mlflow.set_tag("data", data)
        for table, use in ((CHECK, "evaluation"), (LEARN.head(300 + leaves), context)):
            told = mlflow.data.from_pandas(table[FEATURES], name=use)
            mlflow.log_input(told, context=use, tags={"part of": "training"})
        MODELS[name] = mlflow.lightgbm.log_model(
            BOOSTERS[name],
            name="model",
            signature=mlflow.models.infer_signature(LEARN[FEATURES], np.zeros(1)),
        ).model_uri


mlflow.set_experiment(new_experiment("candidates"))
for row in (
    ("first", 3, 0.74, "march", "training"),
    ("better", 4, 0.76, "march", "training"),
    ("between", 5, 0.75, "march", "training"),
    ("equal", 6, 0.76, "march", "train"),
    ("other data", 7, 0.79, "april", "training"),
):
    make_candidate(*row)
mlflow.set_experiment("Default")
# What has been used once is quick in the tests.
disable_logging()  # of what MLflow registers, on stderr
mlflow.register_model(MODELS["first"], "rehearsal")
CLIENT.set_registered_model_alias("rehearsal", "champion", "1")
mlflow.pyfunc.load_model("models:/rehearsal@champion").predict(CHECK[FEATURES])
assert champion_of("rehearsal") and not champion_of("nobody")
close_databases()  # the grader forks here

# %% [markdown]
# ## Exercise 1: a run that tells all
#
# `record(experiment, name, params, data, losses)` records one training as one run and returns
# its run id (str).
# - `experiment` is the name of an experiment that exists; `name` is the name of the run.
# - `params` is a dict; each entry becomes a param. `data` is a digest (str), which becomes the
#   tag `data`.
# - `losses` is an iterator. Each `next(losses)` trains one round and returns the loss after it
#   (float); so log while you loop. Each loss is a value of the metric `loss`, the first with
#   step 1.
# - At the end, and once, the lowest loss is logged as the metric `best_loss`. The run has the
#   status FINISHED then.
# - Training can fail half-way: an exception comes out of `losses`. Then the run has the status
#   FAILED, keeps the losses up to there, has no `best_loss`, and the exception passes on.
#
# <details><summary>Hint</summary>
#
# `with mlflow.start_run(...) as run:` ends a run in both cases, each with its right status.
# </details>


# %% answer="ex1"
def record(experiment, name, params, data, losses):
    """Record a training as a run; return its id."""
    ### BEGIN SOLUTION
    mlflow.set_experiment(experiment)
    with mlflow.start_run(run_name=name, tags={"data": data}) as run:
        mlflow.log_params(params)
        best = math.inf
        for step, loss in enumerate(losses, start=1):
            mlflow.log_metric("loss", loss, step=step)
            best = min(best, loss)
        mlflow.log_metric("best_loss", best)
    return run.info.run_id
    ### END SOLUTION


# %% test="ex1" points=2
# Covers a training of three rounds. Not shown: another one.
place = new_experiment("record")
settings = {"rate": 0.1, "leaves": 7}
one = record(place, "first try", settings, "7f3a", iter([0.6, 0.5, 0.55]))
assert one is not None, "record returned nothing: return the run id."
assert isinstance(one, str), f"Return the run id, a str, not {type(one).__name__}."
run = run_of(place, one)
assert run is not None, f"{place!r} has no run with the id that you return."
assert run.info.run_name == "first try", f"The run is named {run.info.run_name!r}."
assert run.info.status == "FINISHED", f"The run is {run.info.status}."
assert run.data.params == {"rate": "0.1", "leaves": "7"}, (
    f"Want a param for each entry of `params`, no other; there are {run.data.params}."
)
assert run.data.tags.get("data") == "7f3a", "The digest belongs into the tag `data`."
assert set(run.data.metrics) == {"loss", "best_loss"}, (
    f"Want the metrics loss and best_loss; there are {sorted(run.data.metrics)}."
)
seen = curve_of(run, "loss")
assert seen == [(1, 0.6), (2, 0.5), (3, 0.55)], (
    f"Want (step, loss) (1, 0.6), (2, 0.5), (3, 0.55) in the metric loss, not {seen}."
)
assert run.data.metrics["best_loss"] == 0.5, "The lowest of 0.6, 0.5 and 0.55 is 0.5."
### BEGIN HIDDEN TESTS
two = record(place, "second", {"depth": 3}, "c01d", iter([3.0]))
other = run_of(place, two)
assert other is not None and other.info.run_name == "second", (
    "A second training should become a run of its own, under its own name."
)
assert (other.data.params, other.data.tags.get("data")) == ({"depth": "3"}, "c01d"), (
    "The second run should have its own params and digest, and nothing of the first."
)
assert curve_of(other, "loss") == [(1, 3.0)], "One round is one value, with step 1."
assert curve_of(other, "best_loss")[0][1] == 3.0, "Losses above 1 are losses, too."
assert len(curve_of(run, "best_loss")) == 1, "The lowest loss should be logged once."
assert len(runs_of(place)) == 2, "Two trainings should be two runs."
### END HIDDEN TESTS

# %% test="ex1" part="crash" points=2
# Covers a training that fails. Not shown: what the store has then.


def crashes():
    """Fail after two rounds."""
    yield 0.7
    yield 0.4
    raise ArithmeticError("the loss is infinite")


place = new_experiment("crash")
passed_on = False
try:
    record(place, "doomed", {"rate": 9.9}, "7f3a", crashes())
except ArithmeticError:
    passed_on = True
there = runs_of(place)
assert len(there) == 1, f"A training that fails is one run; there are {len(there)}."
assert passed_on, "The exception should pass on: whoever called must learn of it."
state = there[0].info.status
assert state == "FAILED", f"A training that raised is FAILED, not {state}."
### BEGIN HIDDEN TESTS
want = {"rate": "9.9"}
assert there[0].data.params == want, "Params should be those of `params`, no other."
assert curve_of(there[0], "loss") == [(1, 0.7), (2, 0.4)], (
    "The losses up to the failure should be in the store: they say where it went wrong."
)
assert "best_loss" not in there[0].data.metrics, "A failed run should have no best."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 2: what MLflow writes down by itself
#
# `fit(experiment, settings, learn, check)` trains one booster and lets `autolog` record it;
# it returns the run id (str).
# - `settings` is a dict for `lgb.train`; `learn` and `check` are frames with the columns
#   `FEATURES` and `defaulted`. Train 20 rounds on `learn`.
# - The run is in `experiment` (the name of one that exists) and FINISHED. It has the settings
#   as params, and the data sets, which autolog logs unless told otherwise. The loss on `check`
#   after each round is the metric `check-binary_logloss`: autolog takes the name from
#   `valid_names`. You may have other validation sets besides.
# - No model is logged: that is the next exercise.
# - Afterwards autolog is off, also if the training raises (it passes on): otherwise the next
#   `lgb.train` of anybody in this process becomes a run, too.


# %% locked="aside"
# grader: these run where the answers run
def train_aside():
    """Train a booster that nobody asked to record."""
    table = lgb.Dataset(LEARN[FEATURES].head(50), LEARN["defaulted"].head(50))
    lgb.train(SETTINGS, table, 1)


# %% answer="ex2"
def fit(experiment, settings, learn, check):
    """Train a booster recorded by autolog; return the id of the run."""
    ### BEGIN SOLUTION
    mlflow.set_experiment(experiment)
    mlflow.lightgbm.autolog(log_models=False)
    try:
        with mlflow.start_run() as run:
            known = lgb.Dataset(learn[FEATURES], learn["defaulted"])
            new = lgb.Dataset(check[FEATURES], check["defaulted"])
            lgb.train(settings, known, 20, valid_sets=[new], valid_names=["check"])
    finally:
        mlflow.lightgbm.autolog(disable=True)
    return run.info.run_id
    ### END SOLUTION


# %% test="ex2" points=2
# Covers params, curve and data of one fit. Not shown: whose losses they are; models.
place = new_experiment("autolog")
fitted = fit(place, SETTINGS, LEARN, CHECK)
assert fitted is not None, "fit returned nothing: return the run id."
assert isinstance(fitted, str), f"Return the run id, not {type(fitted).__name__}."
run = run_of(place, fitted)
assert run is not None, f"{place!r} has no run with the id that you return."
assert run.info.status == "FINISHED", f"The run is {run.info.status}."
assert run.data.params.get("num_leaves") == "4", (
    "The settings should be params: was autolog on before the training began?"
)
assert run.data.params.get("num_boost_round") == "20", "Train 20 rounds."
curve = curve_of(run, "check-binary_logloss")
assert len(curve) == 20, (
    f"Want 20 values of check-binary_logloss; there are {len(curve)}. "
    f"The run has the metrics {sorted(run.data.metrics)}."
)
sets = {tag.value for each in run.inputs.dataset_inputs for tag in each.tags}
assert " ".join(sorted(sets)) == "eval train", (
    "Want the data sets that autolog logs, with the contexts train and eval; there are "
    f"{sorted(sets)}. Is `log_datasets` off, or is `check` no validation set?"
)
### BEGIN HIDDEN TESTS
chance = trained(SETTINGS).predict(CHECK[FEATURES])
last = -np.log(np.where(CHECK["defaulted"], chance, 1 - chance)).mean()
gap = abs(curve[-1][1] - last)
assert gap < 1e-6, "Want the loss of a model trained on `learn`, judged on `check`."
assert not run.outputs.model_outputs, "No model should be logged here."
### END HIDDEN TESTS

# %% test="ex2" part="off" points=1
# Covers autolog after a training that raises.
quiet = new_experiment("off")
raised = False
try:
    fit(quiet, SETTINGS | {"num_leaves": {"a dict": 1}}, LEARN.head(60), CHECK.head(30))
except TypeError:
    raised = True
assert raised, "LightGBM takes no dict for num_leaves: its TypeError should pass on."
before = len(runs_of(quiet))
train_aside()
after = len(runs_of(quiet))
assert after == before, "An ordinary lgb.train became a run: autolog is still on."

# %% [markdown]
# ## Exercise 3: a model with its contract
#
# `keep_model(run_id, booster, features)` logs a booster into a run that exists and has ended,
# and returns the model's URI (str), such as `models:/m-5c…`.
# - `features` is a frame, one row per application, of floats. The model is named `model`.
# - It has a signature: the columns that go in, by name, and the score that comes out. So
#   columns in another order give the same scores, and a frame without one is refused.
# - It has an input example, one row with the columns of `features`. The example stays in the
#   store for all to see, so it must be nobody's row, but with values that could be one, such
#   as the median of each column.
# - No other run is made, and the run is FINISHED again afterwards.
#
# <details><summary>Hint</summary>
#
# `start_run` takes a `run_id`, too; the active experiment must be that of the run
# (`mlflow.get_run(run_id).info` has its id, and `set_experiment` takes one).
# `features.median()` is a series, `features.median().to_frame().T` a frame of one row.
# </details>


# %% answer="ex3"
def keep_model(run_id, booster, features):
    """Log a booster with signature and example into a run; return the model's URI."""
    ### BEGIN SOLUTION
    scores = booster.predict(features)
    mlflow.set_experiment(experiment_id=mlflow.get_run(run_id).info.experiment_id)
    with mlflow.start_run(run_id=run_id):
        logged = mlflow.lightgbm.log_model(
            booster,
            name="model",
            signature=mlflow.models.infer_signature(features, scores),
            input_example=pd.DataFrame([features.median()]),
        )
    return logged.model_uri
    ### END SOLUTION


# %% test="ex3" points=2
# Covers a model that is loaded back. Not shown: what the signature says comes out.
place = new_experiment("model")
number = CLIENT.get_experiment_by_name(place).experiment_id
empty = put(number, ("empty", "march", 0.7, 4, "FINISHED"), 0)
booster, table = trained(SETTINGS), LEARN[FEATURES]
uri = None  # until there is one
uri = keep_model(empty, booster, table)
assert uri is not None, "keep_model returned nothing: return the model's URI."
assert isinstance(uri, str) and ":/" in uri, f"Return the model's URI, not {uri!r}."
info = mlflow.models.get_model_info(uri)
assert info.run_id == empty, "The model should belong to the run that was given."
assert len(runs_of(place)) == 1, "No other run should be made."
state = run_of(place, empty).info.status
assert state == "FINISHED", f"The run had ended; now it is {state}."
loaded = mlflow.pyfunc.load_model(uri)
assert (loaded.predict(table) == booster.predict(table)).all(), (
    "The model that is loaded back should give the booster's scores."
)
assert info.signature is not None, "The model has no signature."
named = info.signature.inputs.input_names()
assert named == FEATURES, f"The signature should name each column; it has {named}."
assert (loaded.predict(table[FEATURES[::-1]]) == booster.predict(table)).all(), (
    "Columns in another order should give the same scores."
)
refused = False
try:
    loaded.predict(table.drop(columns="income"))
except mlflow.MlflowException:
    refused = True
assert refused, "A table without the income should be refused by the signature."
### BEGIN HIDDEN TESTS
assert info.name == "model", "The model should be named `model`."
assert info.signature.outputs is not None, "What comes out should be in the signature."
kinds = {str(one.type) for one in info.signature.inputs.inputs}
assert kinds == {"DataType.double"}, "The columns in the signature should be floats."
### END HIDDEN TESTS

# %% test="ex3" part="example" points=2
# Covers an example that could be a row. Not shown: whose row it is.
assert isinstance(uri, str) and ":/" in uri, "No URI: begin with the test above."
loaded = mlflow.pyfunc.load_model(uri)
example = loaded.input_example
assert example is not None, "The model has no input example."
assert isinstance(example, pd.DataFrame), "The example should be a frame of one row."
assert list(example) == FEATURES, "The example should have the columns of `features`."
assert len(example) == 1, f"One row is enough; the example has {len(example)}."
low, high = table.min().to_numpy(), table.max().to_numpy()
inside = (example.to_numpy()[0] >= low) & (example.to_numpy()[0] <= high)
assert inside.all(), (
    "Each value should lie between the lowest and the highest of its column; these do "
    f"not: {np.array(FEATURES)[~inside].tolist()}."
)
### BEGIN HIDDEN TESTS
alike = (np.abs(table.to_numpy() - example.to_numpy()) < 1e-6).all(axis=1)
assert not alike.any(), "The example is the row of a customer, who is now in the store."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 4: a study whose every trial is a run
#
# `tracked_study(experiment, name, loss, trials, seed)` searches settings with Optuna, records
# every trial, and returns the run id (str) of the *parent*.
# - The parent is a run named `name` in `experiment`. Each trial is a run nested in it, in
#   the order of the trials: its tag `mlflow.parentRunId` is the parent's id.
# - A trial first draws `rate`, a float from 0.01 to 0.3, then `leaves`, an int from 2 to 31,
#   both evenly (no `log`), and calls `loss(rate, leaves)`, which returns a float; the lower,
#   the better.
#   Its run has both params, the tag `trial` (`0`, `1`, …), and the metric `loss`.
# - The study draws with Optuna's `TPESampler` and this `seed`: so anybody who runs the same
#   call gets the same settings.
# - If `loss` raises a `ValueError` or returns `nan`, the trial has failed: its run keeps its
#   params, has the status FAILED and no metric `loss`, and the study goes on. Any other
#   exception ends the study, parent and trial are FAILED, and it passes on.
# - At the end the parent gets the best trial's `rate` and `leaves` as params, and its loss as
#   the metric `best_loss`. (At least one trial succeeds.)
#
# <details><summary>Hint</summary>
#
# `study.optimize` has an argument `catch`. What leaves the `with` of a run as an exception
# makes the run FAILED.
# </details>


# %% answer="ex4"
def tracked_study(experiment, name, loss, trials, seed):
    """Record a study and its trials; return the id of the parent run."""
    ### BEGIN SOLUTION
    mlflow.set_experiment(experiment)

    def objective(trial):
        with mlflow.start_run(nested=True, tags={"trial": str(trial.number)}):
            rate = trial.suggest_float("rate", 0.01, 0.3)
            leaves = trial.suggest_int("leaves", 2, 31)
            mlflow.log_params({"rate": rate, "leaves": leaves})
            value = loss(rate, leaves)
            if math.isnan(value):
                raise ValueError("no number")
            mlflow.log_metric("loss", value)
            return value

    study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=seed))
    with mlflow.start_run(run_name=name) as parent:
        study.optimize(objective, trials, catch=(ValueError,))
        mlflow.log_params(study.best_params)
        mlflow.log_metric("best_loss", study.best_value)
    return parent.info.run_id
    ### END SOLUTION


# %% locked="study"
def trials_of(experiment, parent_id):
    """Return the runs that are nested in a run, in the order of their tag `trial`."""
    runs = runs_of(experiment)
    nested = "mlflow.parentRunId"
    inside = [run for run in runs if run.data.tags.get(nested) == parent_id]
    return sorted(inside, key=lambda run: int(run.data.tags.get("trial", "-1")))


def settings_of(runs):
    """Return what trials tried, as a list of (rate, leaves)."""
    params = [{"rate": "nan", "leaves": "0"} | run.data.params for run in runs]
    return [(float(each["rate"]), int(each["leaves"])) for each in params]


# %% test="ex4" points=3
# Covers a study of three trials, and a repeat. Not shown: which settings it tries.
asked = []


def bowl(rate, leaves):
    """Return a loss that is lowest at a rate of 0.1 and 8 leaves."""
    asked.append((rate, leaves))
    return 1.5 + (rate - 0.1) ** 2 + 0.001 * abs(leaves - 8)


place = new_experiment("study")
parent_id = tracked_study(place, "which leaves?", bowl, 3, 3)
assert parent_id is not None, "tracked_study returned nothing: return a run id."
assert isinstance(parent_id, str), f"Return a run id, not {type(parent_id).__name__}."
parent = run_of(place, parent_id)
assert parent is not None, f"{place!r} has no run with the id that you return."
assert parent.info.run_name == "which leaves?", "The parent has the given name."
assert parent.info.status == "FINISHED", f"The parent is {parent.info.status}."
inside = trials_of(place, parent_id)
assert len(inside) == 3, f"Want 3 runs nested in the parent; there are {len(inside)}."
assert len(runs_of(place)) == 4, "Want the parent, three trials, no other run."
numbers = [run.data.tags.get("trial") for run in inside]
assert numbers == ["0", "1", "2"], f"Want the tags 0, 1, 2, not {numbers}."
tried = settings_of(inside)
assert len(asked) == 3 and tried == asked, (
    "Want the rate and the leaves of each trial as its params, as `loss` got them."
)
losses = [run.data.metrics.get("loss") for run in inside]
first = bowl(*tried[0])
assert losses[0] == first, f"Trial 0 got {first}; its metric is {losses[0]}."
states = {run.info.status for run in inside}
assert states == {"FINISHED"}, f"All three trials are FINISHED, not {states}."
winner = min(range(3), key=lambda trial: bowl(*tried[trial]))
assert parent.data.metrics.get("best_loss") == losses[winner], (
    "The parent's best_loss is the lowest loss of its trials."
)
assert parent.data.params.get("rate") == inside[winner].data.params["rate"], (
    "The parent's params are those of the best trial."
)
again = tracked_study(place, "again", bowl, 1, 3)
repeat = settings_of(trials_of(place, again))
assert repeat == tried[:1], "The same seed should try the same settings again."
### BEGIN HIDDEN TESTS
assert parent.data.params == inside[winner].data.params, (
    "The parent's params should be those of its best trial, and no others."
)
more = tracked_study(place, "more", lambda rate, leaves: -rate - leaves, 3, 4)
study = optuna.create_study(sampler=optuna.samplers.TPESampler(seed=4))
draws = [study.ask() for _ in range(3)]
want = []
for one in draws:
    drawn = one.suggest_float("rate", 0.01, 0.3)
    want.append((drawn, one.suggest_int("leaves", 2, 31)))
assert settings_of(trials_of(place, more)) == want, (
    "Another seed should give what this sampler draws: the rate first, then the "
    "leaves, both evenly (no `log`), from the ranges of the text."
)
best = run_of(place, more).data.metrics.get("best_loss")
lowest = min(-rate - leaves for rate, leaves in want)
assert best == lowest, "The best loss is wrong where losses are below zero."
### END HIDDEN TESTS

# %% test="ex4" part="failed" points=2
# Covers a ValueError and a nan. Not shown: other exceptions.
calls = []


def shaky(rate, leaves):
    """Fail at the first call, give no number at the third."""
    calls.append(rate)
    if len(calls) == 1:
        raise ValueError("too few rows for so many leaves")
    return math.nan if len(calls) == 3 else 1.0 + rate


place = new_experiment("failed")
try:
    survived = tracked_study(place, "shaky", shaky, 4, 0)
except ValueError:
    survived = None
assert survived is not None, "A trial that raises a ValueError must not end the study."
assert isinstance(survived, str), "tracked_study should return the parent's run id."
inside = trials_of(place, survived)
assert len(inside) == 4, f"Want 4 trials, failed ones too, not {len(inside)}."
states = [run.info.status for run in inside]
assert states == ["FAILED", "FINISHED", "FAILED", "FINISHED"], (
    f"The first trial raised, the third gave nan: both are FAILED. They are {states}."
)
assert [("loss" in run.data.metrics) for run in inside] == [False, True, False, True], (
    "A trial that failed has no loss, one that did not has one."
)
kept = [run.data.params.get("rate") for run in inside]
assert all(kept), f"A failed trial keeps its params; the rates are {kept}."
### BEGIN HIDDEN TESTS
parent = run_of(place, survived)
assert parent is not None and parent.info.status == "FINISHED", (
    "A parent whose trials failed only in part should be FINISHED."
)
assert parent.data.metrics.get("best_loss") == 1.0 + min(calls[1], calls[3]), (
    "The best loss should be that of the trials that succeeded."
)


def broken(rate, leaves):
    raise KeyError("a mistake in the code")


came_out = outcome(tracked_study, place, "broken", broken, 3, 0)
ended = isinstance(came_out, KeyError)
assert ended, "Any exception but a ValueError should end the study; did you catch it?"
last = runs_of(place)[5:]
assert [run.info.status for run in last] == ["FAILED", "FAILED"], (
    "Parent and trial of a study that broke off should both be FAILED."
)
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 5: whose number is it?
#
# The mail said `"0.7519"`, and you know which data it was.
#
# `find_runs(experiment, auc, data)` returns the ids of the runs that the number can have come
# from, as a list, the oldest start first; an empty list if there is none.
# - `auc` is the number as it was written, a str with at least one decimal. A run fits if its
#   metric `auc`, written with as many decimals, is that text: 0.75193 and 0.75186 fit
#   `"0.7519"`, 0.75196 does not; all three fit `"0.752"`.
# - The run has the tag `data` with the text `data`, and is in `experiment`. Its status does
#   not matter; a run that was deleted does not count.
#
# `HISTORY` is the name of the experiment with fifty runs; `NAMES` has the names of some of
# them, by id.


# %% answer="ex5"
def find_runs(experiment, auc, data):
    """Return the ids of the runs that a number in a mail can have come from."""
    ### BEGIN SOLUTION
    decimals = len(auc.partition(".")[2])
    found = mlflow.search_runs(
        experiment_names=[experiment],
        filter_string=f"tags.data = '{data}'",
        order_by=["attributes.start_time ASC"],
        output_format="list",
    )
    fitting = []
    for run in found:
        value = run.data.metrics.get("auc", math.nan)
        if f"{value:.{decimals}f}" == auc:
            fitting.append(run.info.run_id)
    return fitting
    ### END SOLUTION


# %% test="ex5" points=3
# Covers the number of the mail, three digits of it, no AUC. Not shown: other numbers.
found = find_runs(HISTORY, "0.7519", "march")
assert found is not None, "find_runs returned nothing: return a list of run ids."
assert isinstance(found, list), f"Return a list of run ids, not {type(found).__name__}."
assert found, "No run found: round the recorded AUC to the decimals of the text."
names = [NAMES.get(one, "another") for one in found]
assert "c" in names, "Run c, with 0.75193 on march, fits."
assert len(found) == 1, (
    f"Only run c fits; you have {names}. Which have other data, round to another "
    "text, are deleted, or are in another experiment?"
)
three = find_runs(HISTORY, "0.752", "march")
assert [NAMES.get(one) for one in three] == ["a", "c", "d"], (
    "0.75196, 0.75193 and 0.75184 all fit 0.752; want them with the oldest start first."
)
none = find_runs(HISTORY, "0.9999", "march")
assert none == [], "No run has 0.9999: want an empty list."
for place, text in ((BARE, "march"), (HISTORY, "nobody")):
    none = outcome(find_runs, place, "0.7519", text)
    assert none == [], f"An experiment (or data) with no AUC: want [], not {none!r}."
### BEGIN HIDDEN TESTS
queries = {
    ("0.7519", "april"): ["b"],
    ("0.750", "august"): ["t"],
    ("0.75", "august"): ["t", "u"],
    ("0.8", "august"): ["t", "u"],
    ("0.0", "august"): ["v"],
    ("0.00002", "august"): ["v"],
    ("0.7546", "august"): ["u"],
    ("0.7", "may"): ["k", "l"],
    ("0.7433", "june"): ["m", "n", "o", "p"],
    ("0.7433", "march"): [],
}
for (text, digest), want in queries.items():
    got = outcome(find_runs, HISTORY, text, digest)
    assert isinstance(got, list), "Every search should give a list, also an empty one."
    assert [NAMES.get(one) for one in got] == want, (
        f"For a number of {len(text) - 2} decimals the runs or their order are wrong."
    )
empty = outcome(find_runs, new_experiment("empty"), "0.7519", "march")
assert empty == [], "An experiment without runs should give an empty list."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 6: the best run, and no other
#
# `best_run(experiment, data)` returns the id (str) of the best run of an experiment, or None if
# it has none.
# - Only runs count that are FINISHED, have the tag `data` with the text `data`, and have a
#   metric `auc` that is a number (not `nan`).
# - The best has the highest `auc`. Of several with the same, the one with the fewest leaves
#   (param `leaves`, a whole number); of those, the one that started first.


# %% answer="ex6"
def best_run(experiment, data):
    """Return the id of the best finished run on some data, or None."""
    ### BEGIN SOLUTION
    wanted = f"attributes.status = 'FINISHED' and tags.data = '{data}'"
    found = mlflow.search_runs(
        experiment_names=[experiment],
        filter_string=wanted,
        output_format="list",
    )
    counted = []
    for run in found:
        if not math.isnan(run.data.metrics.get("auc", math.nan)):
            counted.append(run)

    def rank(run):
        leaves = int(run.data.params["leaves"])
        return -run.data.metrics["auc"], leaves, run.info.start_time

    return min(counted, key=rank).info.run_id if counted else None
    ### END SOLUTION


# %% test="ex6" points=3
# Covers failed, running, deleted runs, a tie, no AUC. Not shown: nan, other ties.
best = best_run(HISTORY, "april")
assert best is not None, "best_run returned nothing: there are finished runs on april."
assert isinstance(best, str), f"Return a run id, a str, not {type(best).__name__}."
assert best in NAMES, "That is none of the runs a to w: is it deleted, or elsewhere?"
assert NAMES[best] != "f", "Run f has failed: its AUC does not count."
assert NAMES[best] != "g", "Run g is still running: its AUC may not be the last."
assert NAMES[best] == "e", f"The best finished run on april is e, not {NAMES[best]}."
tie = best_run(HISTORY, "june")
assert NAMES.get(tie) not in ("m", "p"), (
    "Of m, n and p, n has the fewest leaves: 9, not 12 or 100. Params are text, and "
    "`100` comes before `9` as text: compare them as numbers."
)
assert NAMES.get(tie) != "q", "Run q has fewer leaves, but a lower AUC."
assert NAMES.get(tie) == "n", "Runs n and o are equal in all; n started first."
for place, text in ((BARE, "march"), (HISTORY, "nobody")):
    none = outcome(best_run, place, text)
    assert none is None, f"Experiment or data with no AUC: want None, not {none!r}."
### BEGIN HIDDEN TESTS
assert NAMES.get(best_run(HISTORY, "may")) == "k", "A nan should not count."
none = outcome(best_run, HISTORY, "july")
assert none is None, "Where no finished run has an AUC but nan, None should come back."
best = best_run(HISTORY, "august")
assert NAMES.get(best) == "t", "A failed run should not count, on whatever data."
few = new_experiment("few")
number = CLIENT.get_experiment_by_name(few).experiment_id
put(number, ("one", "march", None, 4, "FINISHED"), 1)
late = put(number, ("two", "march", 0.3, 20, "FINISHED"), 2)
assert outcome(best_run, few, "march") == late, (
    "An AUC below 0.5 is an AUC, too: do not filter it out. One without does not count."
)
soon = put(number, ("three", "march", 0.3, 20, "FINISHED"), 0)
assert best_run(few, "march") == soon, "Of equal runs, want the one that began first."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 7: who is the champion?
#
# `promote(name, run_id)` registers the model of a run and makes it the champion if it has
# earned it; it returns the version that is the champion afterwards, as MLflow has it (a whole
# number) or as text.
# - The run has a model named `model`; its URI is `runs:/RUN_ID/model`. It becomes a version of
#   the registered model `name`, unless a version of `name` comes from this run already.
#   Register it by `mlflow.register_model`: it looks up where the model is. The client's
#   `create_model_version` does not, and what it registers cannot be loaded.
# - The alias `champion` moves to the version of this run if there is no champion yet, or if
#   the run's metric `auc` is higher than that of the champion's run. Equal is not higher.
# - Two AUCs can be compared only if they are from the same data: if the tag `data` of the two
#   runs differs, the alias stays.
#
# `CANDIDATES` has five run ids by name; each of these runs has a model:
#
# | name | `auc` | `data` |
# |---|---|---|
# | `first` | 0.74 | march |
# | `better` | 0.76 | march |
# | `between` | 0.75 | march |
# | `equal` | 0.76 | march |
# | `other data` | 0.79 | april |
#
# <details><summary>Hint</summary>
#
# `CLIENT.search_model_versions` with a filter on `name` (its value in single quotes, as in
# `search_runs`) returns all versions of a model; each knows its `run_id`. Where there is no
# champion, MLflow raises; `champion_of`, above, returns None.
# </details>


# %% answer="ex7"
def promote(name, run_id):
    """Register a run's model, make it champion if it is better; return the champion."""
    ### BEGIN SOLUTION
    versions = CLIENT.search_model_versions(f"name = '{name}'")
    known = {one.run_id: one for one in versions}
    mine = known.get(run_id) or mlflow.register_model(f"runs:/{run_id}/model", name)
    try:
        holder = CLIENT.get_model_version_by_alias(name, "champion")
    except MlflowException:
        holder = None
    if holder is not None:
        old, new = CLIENT.get_run(holder.run_id).data, CLIENT.get_run(run_id).data
        worse = new.metrics["auc"] <= old.metrics["auc"]
        if worse or new.tags["data"] != old.tags["data"]:
            return holder.version
    CLIENT.set_registered_model_alias(name, "champion", mine.version)
    return mine.version
    ### END SOLUTION


# %% locked="registry"
disable_logging()  # autolog has switched it on again


def runs_registered(name):
    """Return the names of the candidates that are versions of a model, in order."""
    by_id = {run_id: name for name, run_id in CANDIDATES.items()}
    there = CLIENT.search_model_versions(f"name = '{name}'")
    numbered = sorted((int(one.version), by_id.get(one.run_id)) for one in there)
    return [candidate for _, candidate in numbered]


def champion_name(name):
    """Return the name of the candidate that is the champion, or None."""
    version = champion_of(name)
    by_id = {run_id: name for name, run_id in CANDIDATES.items()}
    return version and by_id.get(version.run_id)


# %% test="ex7" points=2
# Covers a first champion, a better one, a worse one.
credit = fresh("credit")
now = promote(credit, CANDIDATES["first"])
assert now is not None, "promote returned nothing: return the champion's version."
assert isinstance(now, (int, str)), f"Return the version, not {type(now).__name__}."
there = runs_registered(credit)
assert there == ["first"], f"Want the model of `first` as version 1; there is {there}."
assert champion_name(credit) == "first", "There was no champion: `first` should be it."
assert str(now) == "1", f"The champion is version 1; you return {now!r}."
now = promote(credit, CANDIDATES["better"])
assert champion_name(credit) == "better", "0.76 is better than 0.74, on the same data."
assert str(now) == "2", f"The champion is version 2 now; you return {now!r}."
now = promote(credit, CANDIDATES["between"])
assert runs_registered(credit) == ["first", "better", "between"], (
    "A model that is not good enough is registered all the same."
)
assert champion_name(credit) == "better", "0.75 is below 0.76: the alias stays."
assert str(now) == "2", f"The champion is still version 2; you return {now!r}."
loaded = outcome(mlflow.pyfunc.load_model, f"models:/{credit}@champion")
assert isinstance(loaded, mlflow.pyfunc.PyFuncModel), (
    "The champion cannot be loaded: register with `mlflow.register_model`; the "
    "client's `create_model_version` does not look up `runs:/`."
)
wanted = BOOSTERS["better"].predict(CHECK[FEATURES])
assert (loaded.predict(CHECK[FEATURES]) == wanted).all(), (
    "The champion, loaded back, should give the scores of the candidate `better`."
)

# %% test="ex7" part="fair" points=2
# Covers an equal AUC, other data. Not shown: a run again, an alias taken back.
fair = fresh("credit")
promote(fair, CANDIDATES["better"])
assert champion_name(fair) == "better", "There was no champion: `better` should be it."
now = promote(fair, CANDIDATES["equal"])
assert str(now) == "1", f"Equal is not higher: version 1 stays; you return {now!r}."
assert champion_name(fair) == "better", "An equal AUC does not move the alias."
now = promote(fair, CANDIDATES["other data"])
assert str(now) == "1", f"Other data: version 1 stays; you return {now!r}."
assert champion_name(fair) == "better", "An AUC on other data does not move the alias."
### BEGIN HIDDEN TESTS
CLIENT.delete_registered_model_alias(fair, "champion")
assert str(promote(fair, CANDIDATES["equal"])) == "2", (
    "Without a champion, a run that has a version should become it, with that version."
)
assert len(runs_registered(fair)) == 3, "A run should get one version, not two."
promote(fair, CANDIDATES["first"])
CLIENT.set_registered_model_alias(fair, "champion", "4")  # somebody goes back
assert str(promote(fair, CANDIDATES["between"])) == "5", (
    "Somebody went back: the one to beat should be the champion, not the best ever."
)
assert champion_name(fair) == "between", "The alias should be on version 5."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 8: an answer that says where it comes from
#
# A year later a customer asks why, and which model it was.
#
# `answer(name, features)` scores applications with the champion of the registered model `name`
# and says where it came from; None if there is no champion. It returns a dict:
# - `"scores"`: what the champion, loaded from the registry, gives for the frame `features`: a
#   list of floats;
# - `"version"`: the champion's version, as MLflow has it or as text; `"run_id"`: the run that
#   made it (str);
# - `"params"`: that run's params, a dict of str;
# - `"trained_on"`: the digest (str) of the data set that the run learnt from: the input whose
#   context is `training`, as one writes by hand, or `train`, as autolog writes. A run has
#   other inputs, too.
#
# <details><summary>Hint</summary>
#
# `mlflow.get_run(run_id).inputs.dataset_inputs`: each has a `dataset` with a `digest`, and
# `tags`, of which `mlflow.data.context` says what the run did with it.
# </details>


# %% answer="ex8"
def answer(name, features):
    """Score with the champion; return the scores and the champion's origin."""
    ### BEGIN SOLUTION
    try:
        version = CLIENT.get_model_version_by_alias(name, "champion")
    except MlflowException:
        return None
    run = mlflow.get_run(version.run_id)
    digests = {}
    for told in run.inputs.dataset_inputs:
        tags = {tag.key: tag.value for tag in told.tags}
        digests[tags["mlflow.data.context"]] = told.dataset.digest
    model = mlflow.pyfunc.load_model(f"models:/{name}/{version.version}")
    return {
        "scores": model.predict(features).tolist(),
        "version": version.version,
        "run_id": version.run_id,
        "params": run.data.params,
        "trained_on": digests.get("training") or digests["train"],
    }
    ### END SOLUTION


# %% locked="champions"
def put_in_charge(names, alias):
    """Register candidates under a new name, the first with an alias; return it."""
    name = fresh("in charge")
    for candidate in names:
        mlflow.register_model(MODELS[candidate], name)
    CLIENT.set_registered_model_alias(name, alias, "1")
    return name


# %% test="ex8" points=3
# Covers a champion that is the only version. Not shown: several versions, no champion.
sole = put_in_charge(["first"], "champion")
five = CHECK[FEATURES].head(5)
reply = answer(sole, five)
assert reply is not None, "answer returned nothing: there is a champion, version 1."
assert isinstance(reply, dict), f"Return a dict, not {type(reply).__name__}."
wanted = {"scores", "version", "run_id", "params", "trained_on"}
assert set(reply) == wanted, f"Want the keys {sorted(wanted)}, not {sorted(reply)}."
assert isinstance(reply["scores"], list), "The scores should be a list."
want = BOOSTERS["first"].predict(five).tolist()
assert reply["scores"] == want, "The scores should be those of the champion, in order."
version = reply["version"]
assert str(version) == "1", f"The only version is the champion, 1, not {version!r}."
assert reply["run_id"] == CANDIDATES["first"], "The champion is the run `first`."
params = {"num_leaves": "3", "seed": "0"}
assert reply["params"] == params, f"Want {params}, not {reply['params']}."
learnt = mlflow.data.from_pandas(LEARN.head(303)[FEATURES]).digest
assert reply["trained_on"] == learnt, (
    "`trained_on` is the digest of another input: take the one whose tag "
    "`mlflow.data.context` is `training` or `train`. Another tag may say so, too."
)
### BEGIN HIDDEN TESTS
several = put_in_charge(["better", "first", "equal"], "champion")
reply = answer(several, five)
assert isinstance(reply, dict) and set(reply) == wanted, "Want the same keys each time."
assert reply["scores"] == BOOSTERS["better"].predict(five).tolist(), (
    "Of several versions, the champion's scores are wanted."
)
assert (str(reply["version"]), reply["run_id"]) == ("1", CANDIDATES["better"]), (
    "Of several versions, the champion's own version and run are wanted."
)
assert reply["params"]["num_leaves"] == "4", "Want the params of the champion's run."
learnt = mlflow.data.from_pandas(LEARN.head(304)[FEATURES]).digest
assert reply["trained_on"] == learnt, "Want the digest of the context `training`."
CLIENT.set_registered_model_alias(several, "champion", "3")
moved = answer(several, five)
assert moved["run_id"] == CANDIDATES["equal"] and str(moved["version"]) == "3", (
    "The alias has moved: the version that it is on now should answer."
)
want = BOOSTERS["equal"].predict(five).tolist()
assert moved["scores"] == want, "The scores should move with the alias."
learnt = mlflow.data.from_pandas(LEARN.head(306)[FEATURES]).digest
assert moved["trained_on"] == learnt, "A context may be `train`, as autolog writes."
aside = outcome(answer, put_in_charge(["first"], "challenger"), five)
assert aside is None, "Where no version is the champion, None should come back."
### END HIDDEN TESTS

# %% [markdown]
# ## All of it
#
# When all tests pass, run this in a cell of your own. A study, the best of its settings
# trained by autolog, its model kept, registered and asked: each number leads back to a run.
# Then run what the last line prints in a terminal, after `python3 bootstrap.py exec`, and
# look for your study on the page.
#
# ```python
# from sklearn.metrics import log_loss, roc_auc_score
#
# place = new_experiment("all of it")
# tuned = {}
#
#
# def loss(rate, leaves):
#     settings = SETTINGS | {"learning_rate": rate, "num_leaves": leaves}
#     tuned[rate] = trained(settings)
#     return log_loss(CHECK["defaulted"], tuned[rate].predict(CHECK[FEATURES]))
#
#
# parent = CLIENT.get_run(tracked_study(place, "which leaves?", loss, 12, 0))
# rate, leaves = float(parent.data.params["rate"]), int(parent.data.params["leaves"])
# best = SETTINGS | {"learning_rate": rate, "num_leaves": leaves}
# run_id = fit(place, best, LEARN, CHECK)
# keep_model(run_id, tuned[rate], LEARN[FEATURES])
# scores = tuned[rate].predict(CHECK[FEATURES])
# CLIENT.log_metric(run_id, "auc", roc_auc_score(CHECK["defaulted"], scores))
# CLIENT.set_tag(run_id, "data", "month -1")
# print("champion: version", promote("credit", run_id))
# print(answer("credit", CHECK[FEATURES].head(3)))
# print(f"mlflow server --backend-store-uri '{mlflow.get_tracking_uri()}'")
# ```
