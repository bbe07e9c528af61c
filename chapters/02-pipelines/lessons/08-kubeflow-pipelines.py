# %% [markdown]
# # 08 Kubeflow pipelines
#
# ## You will
#
# - say what a function must declare before a stranger's machine can run it
# - make two functions into components, compile them, and read in the YAML what a scheduler gets
# - run Oakbank's training pipeline in Kubeflow's own runner and show that it writes the same bytes as before
# - kill it in the middle of the training and let the next run go on from there
# - schedule it, and say what "every night at 02:00" must not depend on
#
# ## You need
#
# Lesson 02/01: steps, content hashes, resume. No cluster: `kfp` compiles and runs pipelines here, in processes.
#
# ## Time
#
# 36 minutes to read, 50 seconds to run.
#
# ## The story so far
#
# The training pipeline is a graph of steps that may each be run again without harm. But it is one process on one
# laptop, started by hand; the bank wants it every night, on whatever machine is free, while you sleep.

# %% [markdown]
# ## A function that travels
#
# Suppose another machine shall run this function. What do you send it? The source, for a start.

# %%
import inspect
import subprocess
import sys
import tempfile
from pathlib import Path

from oakbank.world import World

home = tempfile.TemporaryDirectory()
folder = Path(home.name).resolve()


def applications(month, rows):
    World(seed=11, scenario="calm").applications(int(month)).to_csv(rows, index=False)


def run_alone(function, *arguments):
    source = inspect.getsource(function) + f"\nimport sys\n{function.__name__}(*sys.argv[1:])"
    command = [sys.executable, "-c", source, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True)


# %% [markdown]
# `run_alone` starts a new Python with nothing but the function's source and its arguments. `World` is imported above.
# **Before you run the next cell:** will it write the file?

# %%
print(run_alone(applications, 0, folder / "rows.csv").stderr.splitlines()[-1])

# %% [markdown]
# The import stayed here; only the function left. So a function that travels **brings its imports with it**, and the
# same goes for everything else that it finds lying around: globals, the working directory, a variable three cells up.
# What it needs comes in through its arguments, and what it makes leaves through a file:


# %%
def applications(month, rows):
    from oakbank.world import World

    World(seed=11, scenario="calm").applications(int(month)).to_csv(rows, index=False)


def mean_income(rows):
    import pandas as pd

    print(pd.read_csv(rows)["income"].mean())


run_alone(applications, 0, folder / "rows.csv")
by_hand = float(run_alone(mean_income, folder / "rows.csv").stdout)
print(f"{by_hand:.2f} EUR a month, passed from process to process through a file")

# %% [markdown]
# That is a **component**: a function, the inputs and outputs that it declares, and a process of its own. The two share
# no memory and need not share a machine, if somebody carries the file from one to the other.
#
# ## The tool: kfp
#
# Kubeflow Pipelines is that somebody. The type of an argument says what it is: a plain `int` is a *parameter*, an
# `Input[Dataset]` or `Output[Dataset]` an *artefact*, a file whose path Kubeflow chooses and whose content it carries.

# %%
from kfp import compiler, dsl, local
from kfp.dsl import Dataset, Input, Output


@dsl.component(base_image="python:3.11", install_kfp_package=False)
def applications_op(month: int, rows: Output[Dataset]) -> None:
    from oakbank.world import World

    World(seed=11, scenario="calm").applications(month).to_csv(rows.path, index=False)


@dsl.component(base_image="python:3.11", install_kfp_package=False)
def mean_income_op(rows: Input[Dataset]) -> float:
    import pandas as pd

    return float(pd.read_csv(rows.path)["income"].mean())


# %% [markdown]
# A pipeline is a function that calls components. It looks like a program, but it computes nothing: each call makes a
# node of the graph, and handing an output on makes an edge.


# %%
@dsl.pipeline(name="oakbank-income")
def income(month: int) -> float:
    table = applications_op(month=month)
    return mean_income_op(rows=table.outputs["rows"]).output


compiler.Compiler().compile(income, str(folder / "income.yaml"))

# %% [markdown]
# Compiling wrote a YAML file, and that file is *all* that a scheduler gets: no notebook, no repository. It is worth
# reading once. The graph:

# %%
import yaml

plan = yaml.safe_load((folder / "income.yaml").read_text())
print(yaml.dump(plan["root"]["dag"]["tasks"]["mean-income-op"]))

# %% [markdown]
# This node waits for `applications-op`, because it reads the artefact `rows` that the other produces. And what is to be
# run for it:

# %%
container = plan["deploymentSpec"]["executors"]["exec-mean-income-op"]["container"]
print("image:  ", container["image"])
print("command:", *[line for line in container["command"][2].splitlines() if line.strip()], sep="\n  ")
print("source:", container["command"][3])

# %% [markdown]
# An image, a shell command and the function's source as text: our `run_alone`, with a container around it. On a
# cluster the image must hold `oakbank` and `pandas`, or the step fails as ours did. Whatever the machine holds that
# the image does not, is not there.
#
# `kfp.local` runs the same file without a cluster. With `SubprocessRunner` a step is a process, not a container, and
# the image is not looked at. It logs much, so we keep the log aside:

# %%
import io
from contextlib import redirect_stdout


def run_here(pipeline, **arguments):
    runner = local.SubprocessRunner(use_venv=False)
    local.init(runner, pipeline_root=str(folder / "runs"), raise_on_error=False)
    with redirect_stdout(io.StringIO()) as log:
        task = pipeline(**arguments)
    return task, log.getvalue()


task, log = run_here(income, month=0)
print(f"by hand {by_hand:.2f}, Kubeflow {task.output:.2f}, equal: {task.output == by_hand}")

# %% [markdown]
# ## When a step fails
#
# A disk that is away for a second should not end a night. `set_retry` tells the scheduler to start a failed task again.
# This component fails each time, and keeps a diary of its attempts. **How many lines will there be?**


# %%
@dsl.component(base_image="python:3.11", install_kfp_package=False)
def flaky(diary: str) -> None:
    with open(diary, "a") as stream:  # noqa: PTH123
        stream.write("tried\n")
    raise OSError("the disk was away for a moment")


@dsl.pipeline(name="patient")
def patient(diary: str):
    flaky(diary=diary).set_retry(3, backoff_duration="60s")


task, log = run_here(patient, diary=str(folder / "diary.txt"))
print((folder / "diary.txt").read_text())

# %% [markdown]
# One. The three retries are in the YAML, and `kfp.local` does not read that part: it runs each task once, in order, and
# forgets all of it when it ends. It is a good place to test components, and no scheduler. What went wrong stands in
# the log, below the frames of Kubeflow's own code:

# %%
said = [line.strip() for line in log.splitlines()]
print(*[line for line in said if line.startswith(("raise", "OSError"))], sep="\n")

# %% [markdown]
# ## The training pipeline
#
# Oakbank's components are thin: each hands its files to a step that you know, and nothing is written a second time.

# %%
from course.lesson import show_source
from oakbank.pipelines.components import features_op

show_source(features_op.python_func)

# %% [markdown]
# ```mermaid
# flowchart LR
#     L[(lake)] --> I[ingest] -- labelled, feed --> V[validate] -- accepted --> F[features]
#     F -- matrix --> T[train] -- candidate --> E[evaluate]
#     T -- candidate --> A[assess]
#     F & V -- matrix, accepted --> E & A
# ```
#
# In words: the steps of lesson 01, each a process; on the arrows the files that Kubeflow carries. `evaluate` and
# `assess` read the same files and not each other's, so a cluster runs them side by side. Around the steps the pipeline
# says how a cluster shall treat each:

# %%
import pandas as pd

from oakbank.pipelines.kubeflow import compile_pipeline, run_locally, steps_run

plan = yaml.safe_load(compile_pipeline(folder / "training.yaml").read_text())
steps = plan["root"]["dag"]["tasks"]
boxes = {name: plan["deploymentSpec"]["executors"][f"exec-{name}"]["container"]["resources"] for name in steps}
pd.DataFrame(
    {
        "waits for": {name: ", ".join(step.get("dependentTasks", [])) for name, step in steps.items()},
        "retries": {name: step["retryPolicy"]["maxRetryCount"] for name, step in steps.items()},
        "cached": {name: step["cachingOptions"].get("enableCache", False) for name, step in steps.items()},
        "cores": {name: box["resourceCpuLimit"] for name, box in boxes.items()},
        "memory": {name: box["resourceMemoryLimit"] for name, box in boxes.items()},
    }
).loc[["ingest-op", "validate-op", "features-op", "train-op", "evaluate-op", "assess-op"]]

# %% [markdown]
# Limits keep a step that runs wild from taking its neighbours with it. Look at the column *cached*, though: a cluster
# skips a task that it has run before, and for one task we forbid it. **Why that one?**
#
# A cluster's key for a task is made of the image, the command, the values of the parameters, and the names and
# numbers of the artefacts that came in. `ingest` gets the *path* of the lake, as a text. Tonight there is another month in the lake
# and the text is the same: a cached `ingest` would hand on last night's rows, every night, and all lights would be
# green. A cache that does not look at the bytes is safe only for steps that get all they read as artefacts.
#
# ## Kill it
#
# Our own cache does look at the bytes. `run_stored`, in the component above, asks a folder that all runs share before
# it does anything: the *store*, keyed by the hash of the inputs and the parameters. Here is a night that ends badly. A
# run starts in a process of its own, and as soon as the training is at work we kill it with all that it started.

# %%
from oakbank.world import Lake, publish_history

lake, runs, store = Lake(folder / "lake"), folder / "training", folder / "store"
publish_history(World(seed=11, scenario="calm"), lake)
night = f"run_locally({str(lake.folder)!r}, {str(runs)!r}, store={str(store)!r}, rounds=200)"

# %%
import os
import signal
import time

program = f"from oakbank.pipelines.kubeflow import run_locally; {night}"
process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.DEVNULL, start_new_session=True)
while process.poll() is None and not list(store.glob("train/*/.train.*.tmp")):
    time.sleep(0.01)
os.killpg(process.pid, signal.SIGKILL)
process.wait()
first = steps_run(runs)
first

# %% [markdown]
# Three steps had ended, the training had not. Next night, or ten minutes later by a retry, the same pipeline starts
# from the top: a new run, a new folder, nothing in it. **Which steps will really run?**

# %%
auc = run_locally(lake.folder, runs, store=store, rounds=200)
pd.DataFrame({"killed run": first, "next run": steps_run(runs)}).map({True: "ran", False: "from the store"}.get).fillna(
    ""
)

# %% [markdown]
# Every component started, since a scheduler knows nothing of our store; three of them found their answer there and
# copied it. The half-made training left nothing that anybody could take for a model. And the result is the one that
# an undisturbed run in one process gives, byte for byte:

# %%
from oakbank.pipelines import TrainingConfig, run_training

plain = run_training(TrainingConfig(rounds=200), lake, folder / "plain")
newest = max(runs.iterdir())
pairs = {
    "features-op/matrix": "features/matrix.parquet",
    "train-op/model": "train/model.txt",
    "evaluate-op/evaluation": "evaluate/evaluation.json",
}
{a: (newest / a).read_bytes() == (plain.folder / b).read_bytes() for a, b in pairs.items()}

# %% [markdown]
# The store has a price: the bytes lie in it *and* in the run's folder, and it grows with every month until somebody
# deletes from it. Deleting is always safe; it costs the steps that made what was there.
#
# ## Every night at 02:00
#
# A schedule is a row of patterns that a clock is held against. Kubeflow's has six fields: second, minute, hour, day,
# month, weekday. From scratch:


# %%
def due(moment, cron):
    now = (moment.second, moment.minute, moment.hour, moment.day, moment.month, moment.dayofweek)
    return all(field == "*" or int(field) == value for field, value in zip(cron.split(), now, strict=True))


clock = pd.date_range("2027-01-01", "2028-01-01", freq="30min", inclusive="left", tz="Europe/Berlin")
strikes = [moment.date() for moment in clock if due(moment, "0 0 2 * * *")]
print(strikes[0], strikes[1], "...", len(strikes), "nights in 2027")

# %% [markdown]
# 365 nights, as it should be. Or is it? **Does each night have its one 02:00?**

# %%
nights = pd.Series(strikes).value_counts().reindex(pd.unique(clock.date), fill_value=0)
nights[nights != 1].rename("how often it is 02:00")

# %% [markdown]
# The sum was right because one night without a 02:00 and one with two of them cancel. (A cluster's clock is better kept
# on UTC for this reason.) But clocks are the harmless case: a scheduler that lost its connection does not know whether
# its run started, and asks again. **"Every night" means: usually once, sometimes not at all, sometimes twice.** Two
# promises make that harmless:
#
# - *twice is as good as once*: idempotence, from lesson 01. With the store, the second run finds all done;
# - *late is as good as on time*: the run must not ask the clock what day it is.
#
# Take the second literally. A run is due on 31 March at 23:50 and gets a machine half an hour later:

# %%
from oakbank.pipelines.schedule import month_of, recurring_run

scheduled, started = "2024-03-31T23:50", "2024-04-01T00:20"
print("as of the clock:   month", month_of(started))
print("as of the schedule: month", month_of(scheduled))

# %% [markdown]
# By the clock it would train on another window than the one that was asked for, and a repeat tomorrow on yet another.
# So the pipeline takes a parameter `scheduled`, and Kubeflow fills in the time for which the run was due. This is what
# it is asked for:

# %%
asked = recurring_run("training.yaml", lake="/data/lake", store="/data/store")
asked

# %% [markdown]
# `[[ScheduledTime...]]` is the blank that Kubeflow's controller fills (2006-01-02 is how Go spells a date). Missed
# nights are not made up for, since the next one reads their months too, and no two runs go at a time. On a cluster it
# is two lines:
#
# ```text
# client = kfp.Client(host="https://kubeflow.example.org/pipeline")
# client.create_recurring_run(client.create_experiment("oakbank").experiment_id, **asked)
# ```
#
# We have no cluster here, so they did not run. What can be checked is that the client would take the request, and that
# the pipeline knows each parameter in it:

# %%
import kfp

inspect.signature(kfp.Client.create_recurring_run).bind(None, "experiment", **asked)
known = plan["root"]["inputDefinitions"]["parameters"]
{name: known[name]["parameterType"] for name in asked["params"]}

# %% [markdown]
# ## What a cluster adds
#
# Each step gets a container on some machine, with its own image and limits; retries and the clock are kept by a
# process that outlives the run; steps that do not wait for each other go side by side; artefacts lie in an object store
# and the page shows who made them from what. What it does not add is that your steps may be run twice, late, and from
# the middle. That has to be in the functions, and then it hardly matters who calls them. The
# [tours](../README.md#tours) run one small task with Airflow, Prefect and Vertex AI, with a table of what each stores
# and asks of you: the functions are the same.

# %%
home.cleanup()

# %% [markdown]
# ## What this does not prove
#
# Nothing here ran on Kubernetes: no image was built or pulled, no limit held a step, no retry was waited for, and the
# clock struck only in a table. A process is a thinner wall than a container; our steps saw this machine's packages
# and disk. The store relies on locks of the file system, which on some network disks do nothing. And what the
# cluster's cache looks at is what its documentation says, not what we measured.
#
# ## Check yourself
#
# <details><summary>A component works in your notebook and fails on the cluster with <code>NameError</code>. What do you look for first?</summary>
#
# A name that the function finds outside itself: an import, a helper, a constant of the notebook. Only the function's
# source travels.
# </details>
#
# <details><summary>Every light is green, and the model has been the same for three weeks. Where do you look?</summary>
#
# At a cached step that reads something which is no artefact: a path, a table, an address. Its key has not changed
# while the content has.
# </details>
#
# <details><summary>Why did <code>validate</code> not run again, although the new run had an empty folder?</summary>
#
# Its inputs had the same bytes as in the run that died, so the store knew the answer. Names and times of the files
# play no part.
# </details>
#
# <details><summary>A colleague lets the pipeline take <code>date.today()</code> inside the component. When does that hurt?</summary>
#
# Whenever the run is late, repeated, or for a past month: it then answers a question that nobody asked, and no retry
# can give the first answer again.
# </details>
#
# ## Take-away
#
# **A component is a function that depends on nothing but what it declares. Then any machine may run it, at any time,
# twice; and a scheduler is only the one who calls.**
#
# ## Go further
#
# - Card: [Kubeflow Pipelines](../cards/kfp.md)
# - Kubeflow Pipelines SDK 2.16 documentation: *Create components*, *Run locally*, *Caching*
# - Kubeflow's backend, `parameter_formatter.go`: what a recurring run can fill in
# - The reference: `oakbank.pipelines.components`, `oakbank.pipelines.kubeflow`, `oakbank.pipelines.store`, `oakbank.pipelines.schedule`
# - The lab `02-training-pipeline` builds a pipeline that is killed and resumes
# - In the glossary: [component](../../../GLOSSARY.md#component), [artefact](../../../GLOSSARY.md#artefact), [DAG](../../../GLOSSARY.md#dag), [retry](../../../GLOSSARY.md#retry), [idempotence](../../../GLOSSARY.md#idempotence), [resource limit](../../../GLOSSARY.md#resource-limit)
