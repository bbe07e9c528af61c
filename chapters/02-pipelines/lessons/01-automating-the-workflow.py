# %% [markdown]
# # 01 Automating the workflow
#
# ## You will
#
# - write a pipeline as a graph of steps, and let a runner of ten lines find the order
# - say which faults a retry mends, and show how a retry spoils a step that is not idempotent
# - cache steps by the content of what they read, and predict what a change makes run again
# - kill a training run half-way and resume it, and tell from the files why nothing is lost
# - backfill past months, and run again exactly those that a correction reaches
#
# ## You need
#
# Lessons 01/02 (the stages of a model's life) and 01/05 (a hash stands for the content of a file). Python at the level
# of functions, dicts and files.
#
# ## Time
#
# 56 minutes to read, 20 seconds to run.
#
# ## The story so far
#
# Oakbank trains its model from a notebook. Somebody opens it on the first of the month, runs the cells from top to
# bottom, and writes the AUC into a mail; in March somebody was ill, and in April two people did it.

# %% [markdown]
# ## Steps
#
# The notebook has to become something that runs at night with nobody there. Nights have faults that days do not: a
# connection drops, a machine is restarted, a month of data is wrong and comes again. Whoever looks in the morning wants
# to type one command, without first finding out how far it got.
#
# Start with the unit. **A step is a function from files to files.** It reads nothing but the files that it is given
# and its settings, and leaves nothing but the files that it promised. Here are the bank's year of history and one such
# step, called by hand.

# %%
import tempfile
from pathlib import Path

from oakbank.pipelines.steps import evaluate, features, ingest, train, validate
from oakbank.world import Lake, World, publish_history

scratch = tempfile.TemporaryDirectory()
folder = Path(scratch.name)
lake = Lake(folder / "lake")
publish_history(World(seed=11, scenario="calm"), lake)

# %%
from oakbank.pipelines import TrainingConfig
from oakbank.pipelines.training import lake_inputs

files = lake_inputs(lake, TrainingConfig(as_of=0), label_delay=3)
ingest(**files, labelled=folder / "labelled.parquet", feed=folder / "feed.json")
print({name: len(paths) for name, paths in files.items()}, "files in,", "labelled.parquet and feed.json out")

# %% [markdown]
# Files between the steps look old-fashioned next to passing a data frame along. They are the whole trick: what is on
# the disk survives the process, can be looked at in the morning, and has bytes that can be compared.
#
# ## A graph, not a list
#
# Now all five. For each step: the function, what it reads, what it writes, its settings. What it reads of another
# step is written `step/output`. Nobody writes down an order, so we put `evaluate` first to see whether that matters.

# %%
pipeline = {
    "evaluate": (
        evaluate,
        {"matrix": "features/matrix", "accepted": "validate/accepted", "candidate": "train/candidate"},
        ["evaluation", "held_out"],
        {},
    ),
    "train": (train, {"matrix": "features/matrix"}, ["model", "candidate"], {"rounds": 150}),
    "features": (features, {"accepted": "validate/accepted"}, ["matrix"], {}),
    "validate": (
        validate,
        {"labelled": "ingest/labelled", "feed": "ingest/feed"},
        ["accepted", "quarantined", "report"],
        {},
    ),
    "ingest": (ingest, files, ["labelled", "feed"], {"as_of": 0}),
}

# %% [markdown]
# The order is already in there: a step is ready when all that it needs is done. Take the first that is ready, and
# again, until none is left.


# %%
def order(needs):
    done = []
    while len(done) < len(needs):
        ready = [step for step in needs if step not in done and needs[step] <= set(done)]
        if not ready:
            raise ValueError(f"a circle among {sorted(set(needs) - set(done))}: none of them can start")
        done.append(ready[0])
    return done


needs = {
    name: {source.split("/")[0] for source in reads.values() if isinstance(source, str)}
    for name, (_, reads, _, _) in pipeline.items()
}
order(needs)

# %% [markdown]
# This is a **DAG**, a directed acyclic graph: steps, arrows from what is made to who reads it, and no circle. The last
# point is no formality. Suppose a colleague wants the validation to look at the last model's mistakes:

# %%
try:
    order(needs | {"validate": {"ingest", "evaluate"}})
except ValueError as error:
    print(error)

# %% [markdown]
# Each of the four waits for another one. A list of commands would have run all the same, on whatever file lay there
# from last month. Python has our ten lines in its standard library; both orders are right if no step comes before
# what it needs:

# %%
from graphlib import TopologicalSorter

for found in (order(needs), list(TopologicalSorter(needs).static_order())):
    right = all(found.index(need) < found.index(step) for step in needs for need in needs[step])
    print("each step finds what it reads:", right, found)

# %% [markdown]
# ```mermaid
# flowchart LR
#     L[(lake)] -- months --> ingest
#     ingest -- labelled, feed --> validate
#     validate -- accepted --> features
#     validate -. quarantined .-> Q[(set aside)]
#     features -- matrix --> train
#     features -- matrix --> evaluate
#     validate -- accepted --> evaluate
#     train -- candidate --> evaluate
#     train -- model --> R[(registry)]
# ```
#
# In words: `ingest` joins the months of the lake, `validate` parts good rows from bad, `features` makes numbers of
# them, `train` fits, and `evaluate` needs three of them: the numbers, the rows and the model.
#
# Running the graph is a loop over that order which hands each step the files of the others.


# %%
def files_of(reads, made):
    return {argument: made[source] if isinstance(source, str) else source for argument, source in reads.items()}


def run(pipeline, root):
    made = {}
    for name in order(needs):
        function, reads, writes, settings = pipeline[name]
        outputs = {output: root / name / output for output in writes}
        function(**files_of(reads, made), **outputs, **settings)
        made |= {f"{name}/{output}": path for output, path in outputs.items()}
    return made


# %%
made = run(pipeline, folder / "plain")
print(made["evaluate/evaluation"].read_text()[:180])

# %% [markdown]
# ## Retries
#
# The first thing that goes wrong at night is something that would have worked a second later. Say the archive with
# the outcomes answers only in seven of ten cases. A retry waits and asks again, each time waiting twice as long, so
# that a service in trouble is not beaten while it is down. We note the waits down instead of sitting through them.

# %%
import numpy as np

rng, waits = np.random.default_rng(seed=4), []


def fetch():
    if rng.random() < 0.3:
        raise ConnectionError("the archive does not answer")
    return "outcomes"


def retry(function, retries, wait=waits.append):
    for attempt in range(retries + 1):
        try:
            return function()
        except OSError:
            if attempt == retries:
                raise
            wait(0.5 * 2**attempt)


# %% [markdown]
# A year of nights is 365; how many of them are lost?

# %%
for retries in range(4):
    lost = 0
    for _ in range(365):
        try:
            retry(fetch, retries)
        except ConnectionError:
            lost += 1
    print(f"{retries} retries: {lost:>3} nights lost")
print("seconds waited before a try:", sorted(set(waits)))

# %% [markdown]
# Each retry leaves about three in ten of what was left before. That is cheap, which tempts people to retry everything.
# Look at what we catch: `OSError`, the disk and the network (and, a weakness of our toy, a file that is missing or must
# not be read, which no waiting mends). A month that lacks a column lacks it half a second later as
# well, and three attempts bring the same message later. **Retry what may pass by itself; let the rest be loud.**
#
# ## What a retry may break
#
# Here is a step for the accountants: it appends the result of a month's loans, in EUR, to a ledger. The ledger lies on
# a share in the same tired network, so sometimes the answer gets lost *after* the line was written.

# %%
ledger = folder / "ledger.csv"
profit = lake.read("outcomes", [-1])["profit"].sum()


def book(lost):
    with ledger.open("a") as stream:
        stream.write(f"-1,{profit:.2f}\n")
    if lost.pop(0):
        raise TimeoutError("no answer from the share")


# %% [markdown]
# **Before you run this:** the answer is lost once, then all is well. No error reaches anybody. What does the ledger say?

# %%
import pandas as pd

lost = [True, False]  # the first answer, the second
retry(lambda: book(lost), retries=3)
booked = pd.read_csv(ledger, names=["month", "profit"])
print(f"the month's result is {profit:,.2f} EUR, the ledger says {booked['profit'].sum():,.2f} EUR")

# %% [markdown]
# Booked twice, silently, by the very thing that was to make the night safer. A retry cannot know whether the fault
# came before or after the effect. Nor can you, in the morning, before you run it again.
#
# The way out is not a cleverer retry. It is a step for which twice is the same as once: it is **idempotent**. The
# recipe is nearly always this one: do not append to what is there, but write the whole of a place that belongs to you,
# and derive the place from the input. One file per month, here:


# %%
def book_month(lost):
    (folder / "ledger").mkdir(exist_ok=True)
    (folder / "ledger" / "month=-1.csv").write_text(f"-1,{profit:.2f}\n")
    if lost.pop(0):
        raise TimeoutError("no answer from the share")


lost = [True, True, False]
retry(lambda: book_month(lost), retries=3)
parts = [pd.read_csv(part, names=["month", "profit"]) for part in (folder / "ledger").iterdir()]
print(f"the ledger says {pd.concat(parts)['profit'].sum():,.2f} EUR")

# %% [markdown]
# The same faults and more, and the sum is right. All of this lesson hangs on this property: retry, resume and backfill are
# three names for running a step again. If that does no harm, you may do it without knowing what happened before.
#
# ## A cache that looks at content
#
# Harmless is not free. If only the number of trees changed, why ingest a year again? `make` asks for the *time* at
# which a file was written; a copy, a checkout or a wrong clock fools it. We ask for the content: a step's **key** is
# the hash of its name, its settings and the bytes that it reads. Same key as last time: nothing to do.

# %%
import hashlib
import json


def key(name, inputs, settings):
    digest = hashlib.sha256(json.dumps([name, settings]).encode())
    for argument in sorted(inputs):
        paths = inputs[argument]
        for path in paths if isinstance(paths, list) else [paths]:
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


# %% [markdown]
# The runner as before, with three more lines: compute the key, skip if it is the recorded one, and record it when the
# step has ended. After, not before: a record must not speak of work that was never finished.


# %%
def run_cached(pipeline, root):
    made, ran = {}, []
    for name in order(needs):
        function, reads, writes, settings = pipeline[name]
        inputs, outputs = files_of(reads, made), {output: root / name / output for output in writes}
        wanted, record = key(name, inputs, settings), root / name / "key"
        if not record.exists() or record.read_text() != wanted:
            function(**inputs, **outputs, **settings)
            record.write_text(wanted)
            ran.append(name)
        made |= {f"{name}/{output}": path for output, path in outputs.items()}
    return ran


# %%
print("first  ", run_cached(pipeline, folder / "cached"))
print("again  ", run_cached(pipeline, folder / "cached"))
more = pipeline | {"train": (*pipeline["train"][:3], {"rounds": 100})}
print("rounds ", run_cached(more, folder / "cached"))

# %% [markdown]
# Now a harder one. The archive sends last month's outcomes again, with the profit of each loan corrected; who
# defaulted is as before. The file has other bytes. **Which of the five steps will run?**

# %%
outcomes = lake.read("outcomes", [-1])
lake.write("outcomes", -1, outcomes.assign(profit=outcomes["profit"] - 10))
print("corrected", run_cached(more, folder / "cached"))

# %% [markdown]
# Only `ingest`. It reads the file, so it has to run; but it takes only `defaulted` from it, and so writes the same
# bytes as before, and for everybody behind it nothing has happened. A cache by time would have trained again for nothing.
#
# ## Killed in the middle
#
# Our toy has three holes. Its key does not know the step's *code*: we put another function in place of `train`, one
# that does nothing, and what the old one made counts as its work.

# %%
idle = more | {"train": (lambda **files: None, *more["train"][1:])}
ran = run_cached(idle, folder / "cached")
print("ran, with another train:", ran)
assert ran == []

# %% [markdown]
# It also believes its record, whatever has become of the files since:

# %%
damaged = folder / "cached" / "train" / "model"
damaged.write_text(damaged.read_text()[:1000])
print("ran, with the head of a model:", run_cached(more, folder / "cached"))

# %% [markdown]
# Nothing ran: what is to be deployed is a ruin, and counts as done. And `train` writes two files under their final names. A kill between them leaves
# the new candidate beside the old model, for everybody who looks. The reference closes all three. This is how it
# makes a step, shown as it stands in `oakbank.pipelines.artifacts`:

# %%
from course.lesson import show_source
from oakbank.pipelines.artifacts import Steps

show_source(Steps.make)

# %% [markdown]
# Read it for one thing: in which order do names appear on the disk? The step works in a hidden folder. When it has ended,
# its outputs are hashed into `step.json`, by which the next run can tell that they are still what they were. Then the old
# folder is put aside, and one `rename` puts the new one in its place. A reader sees the old result or the new one or, for
# the blink between the two renamings, none; never a part of one. That holds whenever the plug is pulled.
#
# So let us pull it. A training run in a process of its own, with many trees so that `train` takes a while; once `train` has
# made its hidden folder we kill the process, with the signal that no program can catch (number 9).

# %%
import subprocess
import sys
import time

program = """
import sys
from oakbank.pipelines import TrainingConfig, run_training
from oakbank.world import Lake
run_training(TrainingConfig(rounds=500), Lake(sys.argv[1]), sys.argv[2])
"""
killed = folder / "killed"
process = subprocess.Popen([sys.executable, "-c", program, str(lake.folder), str(killed)])
while process.poll() is None and not list(killed.glob(".train.*")):
    time.sleep(0.005)
process.kill()
print("exit code", process.wait())

# %% [markdown]
# What does it leave? Names with a dot at the front are hidden: nobody who looks for results sees them.

# %%
for path in sorted(killed.iterdir()):
    if path.is_dir():
        hidden, name = path.name.startswith("."), path.name.strip(".").split(".")[0]
        print(f"{name:9}", "half-made, hidden" if hidden else sorted(file.name for file in path.iterdir()))

# %% [markdown]
# Three steps whole, one half-made and hidden. **Write down what will run** when we start the very same command once more;
# then whether the model will be the one that an undisturbed run gives, to the byte.

# %%
from oakbank.pipelines import run_training

config = TrainingConfig(rounds=500)
resumed = run_training(config, lake, killed)
print("ran again:", resumed.ran)

# %%
undisturbed = run_training(config, lake, folder / "undisturbed")
left, right = resumed.model_path.read_bytes(), undisturbed.model_path.read_bytes()
print("the same model, to the byte:", left == right, f"({len(left):,} bytes)")
print("left over from the kill:", [path.name for path in killed.glob(".*.tmp")])

# %% [markdown]
# Nobody had to find out where it stopped. That is worth more than the time it saves: at half past three in the
# morning the instruction is "start it again", and it is right whatever happened.
#
# ## The reference, and what it adds
#
# The reference has our graph with types, and says what is wrong before anything runs. Its declaration of the training
# pipeline is `training_dag`, and its loop is ours:

# %%
from oakbank.pipelines.dag import Dag
from oakbank.pipelines.training import training_dag

show_source(Dag.run)

# %%
dag = training_dag(TrainingConfig(), lake)
print(dag.mermaid())

# %% [markdown]
# A typing error in a list of commands shows up at night, after the ingest. Here it shows up when you declare it:

# %%
from dataclasses import replace

wrong = replace(dag.steps["train"], inputs={"matrix": "features.matrx"})
try:
    Dag((dag.steps | {"train": wrong}).values())
except ValueError as error:
    print(error)

# %% [markdown]
# And `Steps.run` retries, with the distinction from above: a disk that stutters is waited for, a full one is not, and
# neither is a fault of the data.

# %%
from oakbank.pipelines.artifacts import is_transient
from oakbank.world import LakeError

for fault in (ConnectionResetError(), OSError(5, "I/O error"), OSError(28, "no space"), LakeError("no income")):
    print(f"{type(fault).__name__:20} {fault!s:22} try again: {is_transient(fault)}")

# %% [markdown]
# ## Backfill
#
# The pipeline is right, and now the bank asks: what would it have said *then*, in each of the last months? Running a
# pipeline for past periods as if it had run then is a **backfill**. It asks one thing more of a step: it may not look
# at the clock, nor at "the newest file". The month is a setting, `as_of`, and the run reads only what was known by then.

# %%
from oakbank.pipelines.backfill import BackfillError, backfill

small = TrainingConfig(window=3, holdout=1, rounds=40)
for month in backfill(range(-4, 1), lake, folder / "months", small):
    print(month)

# %% [markdown]
# Five runs, each in its own folder. Now history changes: the archive finds that the outcomes that became known in month
# -4 had been entered the wrong way round, and sends that month again. These are loans of month -7; a run learns from
# three months of loans, the youngest of which is four months older than the run. **Which of the five runs will train again?**


# %%
def run_again():
    done = backfill(range(-4, 1), lake, folder / "months", small)
    return pd.DataFrame({month.month: {step: step in month.run.ran for step in dag.order} for month in done}).T


wrong_way = lake.read("outcomes", [-4])
lake.write("outcomes", -4, wrong_way.assign(defaulted=~wrong_way["defaulted"]))
relabelled = run_again()
print("trained again:", list(relabelled.index[relabelled["train"]]))

# %% [markdown]
# The run as of -4 is too early: in month -4 that file was not known yet. The run as of 0 is too late: its window
# begins at month -6. Nobody kept a list of who depends on what; each run compared the bytes that it reads. And if only
# the profits of that month are corrected, which no feature uses? You have seen it in small:

# %%
lake.write("outcomes", -4, lake.read("outcomes", [-4]).assign(profit=0.0))
repriced = run_again()

# %%
import matplotlib.pyplot as plt

fig, axes = plt.subplots(1, 2, figsize=(9, 2.6), sharey=True)
for ax, ran, what in ((axes[0], relabelled, "who defaulted"), (axes[1], repriced, "profits only")):
    ax.pcolormesh(ran.columns, ran.index, ran, cmap="Blues", vmin=0, vmax=1.6, edgecolors="0.8")
    ax.set(title=f"corrected: {what}", xlabel="step (blue: ran again)")
    ax.tick_params(axis="x", labelrotation=30)
_ = axes[0].set_ylabel("run as of month")

# %% [markdown]
# A month can also fail. One truncated file, and the months that need it:

# %%
path = lake.path("outcomes", -3)
whole = path.read_bytes()
path.write_bytes(whole[:-100])
try:
    backfill(range(-4, 1), lake, folder / "months", small)
except BackfillError as error:
    print(str(error).replace(str(folder), "..."))

# %% [markdown]
# The others were not stopped, the reason names the file, and the command ends with an error, so that a scheduler
# notices. Mend the file and run the same again:

# %%
path.write_bytes(whole)
for month in backfill(range(-4, 1), lake, folder / "months", small):
    print(month)

# %% [markdown]
# All of them were done already: the mended file has the bytes from before, so there was never anything to do but read it.
#
# ## Toy and reference agree
#
# Our runner and the reference run the same functions. If both are right, the same bytes come out, file by file.

# %%
reference = training_dag(TrainingConfig(), lake).run(Steps(folder / "reference"))
toy = run(pipeline, folder / "toy")
for name, path in toy.items():
    step, output = name.split("/")
    assert path.read_bytes() == reference[step][output].read_bytes(), name
print(f"{len(toy)} files, all equal to the byte")

# %%
scratch.cleanup()

# %% [markdown]
# ## What this does not prove
#
# We killed one process at one moment here; the tests of the reference do it at every moment at which a name changes on
# the disk. A power cut is worse than a kill, since a disk may lie about what it has written. The keys hold the bytes
# of the inputs, the settings, the versions of the libraries and the source of `oakbank.pipelines` and `oakbank.world`; a
# step that asks the clock, a database or a module of yours behind their back is cached wrongly, and nothing here would
# notice. And all of it ran on one machine, one step at a time: two machines need a scheduler, which is lesson 02/08.
#
# ## Check yourself
#
# <details><summary>A step sends each customer a mail and then writes a file. Why is that worse than a step that trains for an hour?</summary>
#
# Running it again has an effect outside its files: a retry, a resume or a backfill sends the mails again. Let the step
# write the list of mails, and give the sending to something that keeps a record by customer and month.
# </details>
#
# <details><summary>Why does the record of a finished step hold the hashes of its outputs, when the key already says what went in?</summary>
#
# Somebody may have deleted, changed or truncated an output since. The key says that the work was done; the hashes
# say that its result is still there.
# </details>
#
# <details><summary>A step failed with "column income is missing". A colleague sets retries to 10. What happens?</summary>
#
# With this reference, nothing else than before: that is a fault of the data, and it is not tried again. With a runner
# that retries everything, the same message comes ten waits later.
# </details>
#
# <details><summary>You add a comment to one of the reference's modules. What runs tonight?</summary>
#
# Every step: the source is part of the key, and a hash cannot tell a comment from a change of meaning. But the outputs
# will be the same bytes, so it costs one night of computing and changes nothing.
# </details>
#
# ## Take-away
#
# **A pipeline is a graph of steps that may each be run again without harm. Then a retry, a restart and a backfill are the same
# thing, and whoever is called at night does not have to know what happened.**
#
# ## Go further
#
# - M. Kleppmann, *Designing Data-Intensive Applications*, O'Reilly 2017, chapter 10: batch jobs as functions from files to files
# - M. Brooker, *Exponential Backoff and Jitter*, AWS Architecture Blog 2015: why many clients should not wait the same time
# - Python 3.11 documentation: `graphlib.TopologicalSorter`
# - The reference: `oakbank.pipelines.artifacts`, `oakbank.pipelines.dag` and `oakbank.pipelines.backfill`; from a shell, `python -m oakbank.pipelines.backfill LAKE FOLDER --first -4 --last 0`
# - The lab `02-training-pipeline` lets you build the keys and the resume yourself; lesson 02/08 gives the same functions to a scheduler
# - In the glossary: [pipeline](../../../GLOSSARY.md#pipeline), [DAG](../../../GLOSSARY.md#dag), [idempotence](../../../GLOSSARY.md#idempotence), [retry](../../../GLOSSARY.md#retry), [backfill](../../../GLOSSARY.md#backfill)
