# %% [markdown]
# # 02 Training pipeline
#
# A training pipeline runs at night, on a machine that somebody restarts. In this lab you build the core of one: a
# step has a key made of everything that decides its result, writes its output whole or not at all, and is not run
# again if nothing changed. Then the steps become a Kubeflow pipeline, which you run here, and which goes on after a
# disk was full. At the end you run it for the months that nobody ran.
#
# You need lessons 02/01 and 02/08. About 90 minutes; eight exercises, 26 points. `uv run course check
# 02-training-pipeline` runs all tests at once.

# %% locked="setup"
import hashlib
import json
import logging
import os
import tempfile
from pathlib import Path

import pandas as pd
from kfp import compiler, dsl, local
from kfp.dsl import Dataset, Input, Output

from oakbank.world import World

logging.disable(logging.INFO)  # kfp tells every step of every step


def scratch():
    """Return a new empty folder for a test."""
    return Path(tempfile.mkdtemp())


# %% [markdown]
# ## Exercise 1: a key for a step
#
# A step need not run again if nothing changed that decides its result: its name, the content of its inputs, its
# parameters.
#
# `step_key(name, inputs, params)` returns a string.
# - `name` is a str, `inputs` maps argument names to the `Path`s of existing files, `params` is a dict of JSON values.
# - The same name, input **content** and params give the same key, in whatever folder the files lie, whenever they were
#   written, and in whatever order the dicts were filled. Any change of one of the three gives another key.
#
# <details><summary>Hint</summary>
#
# `hashlib.sha256(path.read_bytes()).hexdigest()` names the content of a file. `json.dumps(..., sort_keys=True)` makes
# one text of nested dicts and lists, whatever their order.
# </details>


# %% answer="ex1"
def step_key(name, inputs, params):
    """Return a key that changes exactly when the result of the step could."""
    ### BEGIN SOLUTION
    content = {argument: hashlib.sha256(path.read_bytes()).hexdigest() for argument, path in inputs.items()}
    return hashlib.sha256(json.dumps([name, content, params], sort_keys=True).encode()).hexdigest()
    ### END SOLUTION


# %% test="ex1" points=3
here, there = scratch() / "a.csv", scratch() / "b.csv"
for file in (here, there):
    file.write_text("income\n2500\n")
key = step_key("train", {"rows": here}, {"seed": 1, "rounds": 50})
assert key is not None, "step_key returned nothing: return the key as a string."
assert isinstance(key, str), "The key should be a string, such as a hexadecimal digest."
assert key == step_key("train", {"rows": here}, {"seed": 1, "rounds": 50}), "The same step must have the same key."
assert key != step_key("train", {"rows": here}, {"seed": 2, "rounds": 50}), "Another parameter is another key."
### BEGIN HIDDEN TESTS
assert key == step_key("train", {"rows": here}, {"rounds": 50, "seed": 1}), "The order of a dict must not matter."
assert key == step_key("train", {"rows": there}, {"seed": 1, "rounds": 50}), "The same content in another place."
assert key != step_key("evaluate", {"rows": here}, {"seed": 1, "rounds": 50}), "Another step is another key."
assert key != step_key("train", {"test": here}, {"seed": 1, "rounds": 50}), "The same file in another role."
before = here.stat()
here.write_text("income\n9500\n")
os.utime(here, ns=(before.st_atime_ns, before.st_mtime_ns))
assert key != step_key("train", {"rows": here}, {"seed": 1, "rounds": 50}), "Same size and time, other content."
assert step_key("a", {}, {"x": [1, 2]}) != step_key("a", {}, {"x": [2, 1]}), "The order of a list does matter."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 2: whole or not at all
#
# The machine may stop in the middle of a write. Whoever reads the file afterwards must find the old content or the
# new, never a piece of the new.
#
# `write_whole(path, write)` calls `write(stream)` once with a text stream opened for writing and puts the result at
# `path`. If `write` raises, the exception passes on, whatever was at `path` before is still there unchanged, and the
# folder holds no other new file.
#
# <details><summary>Hint</summary>
#
# Write into another file *in the same folder*; `os.replace(temporary, path)` then swaps it in, in one step.
# </details>


# %% answer="ex2"
def write_whole(path, write):
    """Write a file so that it is there whole or not at all."""
    ### BEGIN SOLUTION
    part = path.with_name(path.name + ".tmp")
    try:
        with part.open("w") as stream:
            write(stream)
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)
    ### END SOLUTION


# %% test="ex2" points=3
place = scratch()
write_whole(place / "new.txt", lambda stream: stream.write("all of it"))
assert (place / "new.txt").exists(), "write_whole wrote nothing: open a stream, call write(stream), put it at path."
assert (place / "new.txt").read_text() == "all of it", "The file should hold what `write` wrote."
### BEGIN HIDDEN TESTS
kept = place / "kept.txt"
kept.write_text("old")
seen = []


def breaks(stream):
    stream.write("half")
    stream.flush()
    seen.append(kept.read_text())
    raise RuntimeError("the machine stopped")


raised = False
try:
    write_whole(kept, breaks)
except RuntimeError:
    raised = True
assert raised, "The exception of `write` must pass on: who calls has to know."
assert seen == ["old"], "While the new content is being written, readers must still find the old (and write once)."
assert kept.read_text() == "old", "A write that broke off must leave the old content."
assert sorted(file.name for file in place.iterdir()) == ["kept.txt", "new.txt"], "Leave no other file behind."
write_whole(kept, lambda stream: stream.write("new"))
assert kept.read_text() == "new", "A later write replaces the old content."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 3: run it only if it must
#
# `run_step(folder, name, function, inputs, params, key)` returns the `Path` `folder / f"{name}.out"`, with the result
# of the step in it.
# - `function(inputs, params)` returns the result as text.
# - `key` is the step's key (a str; a key as in exercise 1). Beside the result, `folder / f"{name}.key"` remembers with
#   which key it was made: a text file that holds just the key.
# - If the result is there **and** was made with this key, `function` is not called. Otherwise it is, and both files are
#   as they should be afterwards. `folder` exists.
# - The machine may stop between the two writes as well. Whatever is on the disk then, no later call may take a result
#   for one that was made with another key. (Which of the two must not be there while the other changes?)
# - If `function` raises, the exception passes on, and the next call with the same key calls it again. A result made
#   earlier may stay where it is.


# %% answer="ex3"
def run_step(folder, name, function, inputs, params, key):
    """Return the path of the step's result, made anew only if it must be."""
    ### BEGIN SOLUTION
    result, made_with = folder / f"{name}.out", folder / f"{name}.key"
    if result.exists() and made_with.exists() and made_with.read_text() == key:
        return result
    text = function(inputs, params)
    made_with.unlink(missing_ok=True)
    result.write_text(text)
    made_with.write_text(key)
    return result
    ### END SOLUTION


# %% test="ex3" points=4
calls = []


def double(inputs, params):
    calls.append(params["x"])
    return str(2 * params["x"])


house = scratch()
out = run_step(house, "double", double, {}, {"x": 4}, "key-4")
assert out is not None, "run_step returned nothing: return the path of the result."
assert out == house / "double.out" and out.read_text() == "8", "The result belongs into NAME.out."
assert calls == [4], "Nothing was there yet: the function must be called, once."
run_step(house, "double", double, {}, {"x": 4}, "key-4")
assert calls == [4], "The second call has the same key: do not run the function again."
### BEGIN HIDDEN TESTS
assert run_step(house, "double", double, {}, {"x": 5}, "key-5").read_text() == "10" and calls == [4, 5]
assert (house / "double.key").read_text() == "key-5", "Remember the key that the result was made with."
run_step(house, "double", double, inputs={}, params={"x": 4}, key="key-4")
assert calls == [4, 5, 4], "Back to the first key: the result there is that of the other key."
out.unlink()
assert run_step(house, "double", double, {}, {"x": 4}, "key-4").read_text() == "8", "A lost result is made again."
kept_path = run_step(house, "double", double, {}, {"x": 4}, "key-4")
assert kept_path == house / "double.out", "Return the path, also of a result that was kept."
assert calls == [4, 5, 4, 4], "A result made again is kept like any other."
(house / "double.key").unlink()
run_step(house, "double", double, {}, params={"x": 4}, key="key-4")
assert calls == [4, 5, 4, 4, 4], "Without its key nobody knows what a result was made of: make it again."


def fails(inputs, params):
    raise ValueError("no data tonight")


for _ in range(2):
    passed_on = False
    try:
        run_step(house, "broken", fails, {}, {}, "key-b")
    except ValueError:
        passed_on = True
    assert passed_on, "An exception of the function must pass on, each time."
assert run_step(house, "broken", double, {}, {"x": 1}, "key-b").read_text() == "2", "After a failure, run again."
failed = False
try:
    run_step(house, "double", fails, {}, {}, "key-9")
except ValueError:
    failed = True
run_step(house, "double", double, {}, {"x": 9}, "key-9")
assert failed and (house / "double.out").read_text() == "18", "A failed step is not done, whatever lies there of old."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 4: what has to run again?
#
# Steps hang together: what one writes, another reads. `stale(steps, changed)` says what must run again.
# - `steps` maps each step's name to the list of names it reads from: other steps, or sources such as `"lake"`.
# - `changed` is a set of names of steps or sources whose content changed.
# - Return the list of the steps to run, in an order in which each comes after all that it reads from. A step must run
#   if it, or anything that it reads from directly or through other steps, changed. There is no circle.
# - A step could go next when all steps *of your list* that it reads from are in the order already; sources, and steps that
#   need not run, are there from the start. Of those that could go next, take the first in alphabetical order, and look
#   again.
#
# <details><summary>Hint</summary>
#
# First find the set: begin with `changed` and add each step that reads from the set, until nothing is added. Then the loop
# `order` of lesson 02/01 over that set alone, with `min(ready)`.
# </details>


# %% answer="ex4"
def stale(steps, changed):
    """Return the steps to run again, each after those it reads from."""
    ### BEGIN SOLUTION
    order, left = [], set(steps)
    while left:
        ready = min(name for name in left if not left.intersection(steps[name]))
        order.append(ready)
        left.remove(ready)
    dirty = set(changed)
    for name in order:
        if dirty.intersection(steps[name]):
            dirty.add(name)
    return [name for name in order if name in dirty]
    ### END SOLUTION


# %% test="ex4" points=3
graph = {"train": ["features"], "features": ["ingest"], "ingest": ["lake"], "report": ["ingest"]}
assert stale(graph, {"train"}) is not None, "stale returned nothing: return a list of names."
assert stale(graph, {"train"}) == ["train"], "Nothing reads from train: it alone must run."
assert stale(graph, set()) == [], "Nothing changed, nothing to do."
assert stale(graph, {"features"}) == ["features", "train"], "train reads from features, so it must run after it."
### BEGIN HIDDEN TESTS
assert stale(graph, {"lake"}) == ["ingest", "features", "report", "train"], "Each after what it reads from."
assert stale(graph, {"ingest"}) == ["ingest", "features", "report", "train"], "Through other steps, too."
two = {"b": ["x"], "a": ["y"], "join": ["a", "b"], "z": []}
assert stale(two, {"x"}) == ["b", "join"], "A step that reads nothing changed does not run."
assert stale(two, {"x", "y"}) == ["a", "b", "join"], "Among those that could go next, alphabetical order."
assert stale({"z": ["lake"], "a": ["z"], "m": ["lake"]}, {"lake"}) == ["m", "z", "a"]
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 5: a Kubeflow pipeline
#
# In Kubeflow a step is a *component*: a function that is sent to a container alone, so it must import what it needs
# inside itself, and it reads and writes files whose paths it is given. Two components are given below. `applications`
# writes one month of Oakbank's applications; `mean_income` reads a file of them.
#
# Write `income_pipeline()` so that it returns a pipeline (a function decorated with `@dsl.pipeline`, named
# `"oakbank-income"`) with one parameter `month` (int), that passes `month` on to `applications`, hands its file to
# `mean_income`, and returns the mean as its output (float).
#
# <details><summary>Hint</summary>
#
# Inside the pipeline function, calling a component gives a task. `task.outputs["rows"]` is a file that it wrote, under
# the name of the argument; `task.outputs["Output"]` is what it returned. Components take keyword arguments only.
# </details>


# %% locked="components"
# grader: these run where the answers run
@dsl.component(base_image="python:3.12", install_kfp_package=False)
def applications(month: int, rows: Output[Dataset]) -> None:
    """Write the applications of one month."""
    from oakbank.world import World

    World(seed=5).applications(month).to_csv(rows.path, index=False)


@dsl.component(base_image="python:3.12", install_kfp_package=False)
def mean_income(rows: Input[Dataset]) -> float:
    """Return the mean income, EUR per month."""
    import pandas as pd

    return float(pd.read_csv(rows.path)["income"].mean())


def compiled(pipeline):
    """Return the pipeline as Kubeflow would get it, as a dict."""
    target = scratch() / "pipeline.json"
    compiler.Compiler().compile(pipeline, str(target))
    return json.loads(target.read_text())


# %% answer="ex5"
def income_pipeline():
    """Return a pipeline: the applications of a month, then their mean income."""

    ### BEGIN SOLUTION
    @dsl.pipeline(name="oakbank-income")
    def pipeline(month: int) -> float:
        table = applications(month=month)
        return mean_income(rows=table.outputs["rows"]).outputs["Output"]

    return pipeline
    ### END SOLUTION


# %% test="ex5" points=3
made = income_pipeline()
assert made is not None, "income_pipeline returned nothing: return the decorated function itself."
plan = compiled(made)
assert plan["pipelineInfo"]["name"] == "oakbank-income", 'Name the pipeline "oakbank-income".'
assert set(plan["root"]["dag"]["tasks"]) == {"applications", "mean-income"}, "Want one task of each component."
### BEGIN HIDDEN TESTS
tasks = plan["root"]["dag"]["tasks"]
given = tasks["applications"]["inputs"]["parameters"]["month"]
assert given == {"componentInputParameter": "month"}, "Pass the pipeline's own month on, not a number."
assert plan["root"]["inputDefinitions"]["parameters"]["month"]["parameterType"] == "NUMBER_INTEGER"
handed = tasks["mean-income"]["inputs"]["artifacts"]["rows"]["taskOutputArtifact"]
assert handed == {"outputArtifactKey": "rows", "producerTask": "applications"}, "Hand the file from task to task."
result = plan["root"]["dag"].get("outputs", {}).get("parameters", {}).get("Output")
assert result is not None, "The pipeline has no output: return the mean."
assert result["valueFromParameter"]["producerSubtask"] == "mean-income", "The output is what mean_income returned."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 6: run it, and trust it
#
# The same pipeline file runs on a cluster or here. `run_here(pipeline, **arguments)` runs a pipeline on this machine,
# each step in a process of its own, and returns its output. It is given.
#
# Write `same_on_both(pipeline, month, by_hand)`: run `pipeline` for `month`, call `by_hand(month)`, which returns a
# float, and return `(kubeflow, hand, agree)`: both numbers, and whether they differ by less than one part in a million
# of the larger (True or False; both zero agree).


# %% locked="run"
# grader: these run where the answers run
def run_here(pipeline, **arguments):
    """Run a Kubeflow pipeline on this machine and return its output."""
    local.init(runner=local.SubprocessRunner(use_venv=False), pipeline_root=str(scratch()), raise_on_error=True)
    return pipeline(**arguments).output


def run_on_a_full_disk(pipeline, **arguments):
    """Run a pipeline whose steps may write 20,000 bytes to a file and no more; return whether it came to its end."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        run_here(pipeline, **arguments)
        return True
    except RuntimeError as failure:
        print(failure)
        return False
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


# %% locked="known"
@dsl.component(base_image="python:3.12", install_kfp_package=False)
def thousandfold(month: int) -> float:
    """Return a thousand times the month."""
    return 1000.0 * month


@dsl.pipeline(name="thousandfold")
def known(month: int) -> float:
    """Return a number that is easy to check."""
    return thousandfold(month=month).outputs["Output"]


# %% answer="ex6"
def same_on_both(pipeline, month, by_hand):
    """Return (kubeflow's number, the number by hand, whether they agree)."""
    ### BEGIN SOLUTION
    kubeflow, hand = run_here(pipeline, month=month), by_hand(month)
    return kubeflow, hand, abs(kubeflow - hand) <= 1e-6 * max(abs(kubeflow), abs(hand))
    ### END SOLUTION


# %% test="ex6" points=2
answer = same_on_both(known, 3, lambda month: 1000.0 * month)
assert answer is not None, "same_on_both returned nothing: return (kubeflow, hand, agree)."
assert answer[0] == 3000.0, "The first number is the output of the pipeline, run for this month."
assert answer[2] == True, "3000 and 3000 agree."  # noqa: E712
### BEGIN HIDDEN TESTS
close = same_on_both(known, 7, lambda month: 1000.0 * month + 0.001)
assert close[:2] == (7000.0, 7000.001) and close[2] == True, "One part in seven million: they agree."  # noqa: E712
assert same_on_both(known, 2, lambda month: 2000.004)[2] == False, "Two parts in a million: they differ."  # noqa: E712
assert same_on_both(known, -1, lambda month: 1000.0)[2] == False, "Minus a thousand is not a thousand."  # noqa: E712
assert same_on_both(known, 0, lambda month: 0.0)[2] == True, "Both zero: they agree."  # noqa: E712
below = same_on_both(known, -1, lambda month: -1000.0007)
assert below[2] == True, "Seven parts in ten million, below zero: they agree."  # noqa: E712
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 7: a run that goes on
#
# Each run of Kubeflow gets a new folder, so tonight's run cannot see what last night's had finished when it died. What
# they share must lie beside them: a folder that we call the store.
#
# Write `resuming_pipeline()` so that it returns a pipeline, named `"oakbank-resume"`, with the parameters `month` (int)
# and `store` (str, the path of a folder that exists). It has two steps and returns the mean income of the month (float):
# - The first is a component of your own with an output artefact `rows`: the applications of the month, as the
#   component `applications` above makes them, as CSV. It keeps them as the file `applications-MONTH.csv` in the store
#   (`applications-6.csv` for month 6). If that file is there, it is what goes into `rows`, and nothing is made.
# - If not, they are made, and the file is in the store whole or not at all: the disk may be full in the middle, and the
#   next run must not take half a month for a month.
# - The second is `mean_income`, which reads the artefact.
#
# <details><summary>Hint</summary>
#
# Only the component's own source travels: the imports, and whatever you did in exercise 2, belong inside it.
# `shutil.copyfile(one, other)` copies a file; `rows.path` is a str. If a run fails, the reason stands in the middle of
# what Kubeflow prints: look for the line that begins with the name of an error.
# </details>


# %% answer="ex7"
def resuming_pipeline():
    """Return a pipeline whose first step asks the store before it works."""

    ### BEGIN SOLUTION
    @dsl.component(install_kfp_package=False, base_image="python:3.12")
    def kept_applications(month: int, store: str, rows: Output[Dataset]) -> None:
        import os
        import shutil

        from oakbank.world import World

        there = os.path.join(store, f"applications-{month}.csv")
        if not os.path.exists(there):
            World(seed=5).applications(month).to_csv(there + ".part", index=False)
            os.replace(there + ".part", there)
        shutil.copyfile(there, rows.path)

    @dsl.pipeline(name="oakbank-resume")
    def pipeline(month: int, store: str) -> float:
        table = kept_applications(month=month, store=store)
        return mean_income(rows=table.outputs["rows"]).outputs["Output"]

    return pipeline
    ### END SOLUTION


# %% test="ex7" points=2
resuming = resuming_pipeline()
assert resuming is not None, "resuming_pipeline returned nothing: return the decorated function itself."
drawing = compiled(resuming)
assert drawing["pipelineInfo"]["name"] == "oakbank-resume", 'Name the pipeline "oakbank-resume".'
shelf = scratch()
(shelf / "applications-6.csv").write_text("income\n1000\n3000\n")
mean = run_here(resuming, month=6, store=str(shelf))
assert mean == 2000.0, f"The store has two applications for month 6, of mean 2000; the pipeline says {mean}."
### BEGIN HIDDEN TESTS
nodes = drawing["root"]["dag"]["tasks"]
assert len(nodes) == 2 and "mean-income" in nodes, "Want two tasks, the second is mean_income."
source = nodes["mean-income"]["inputs"]["artifacts"]["rows"]["taskOutputArtifact"]
assert source["outputArtifactKey"] == "rows", "The rows go from task to task as the artefact `rows`."
assert (shelf / "applications-6.csv").read_text() == "income\n1000\n3000\n", "What the store has, stays as it is."
### END HIDDEN TESTS

# %% test="ex7" part="full" points=2
narrow = resuming_pipeline()
assert narrow is not None, "resuming_pipeline returned nothing: return a pipeline, to try it on a full disk."
hall = scratch()
(hall / "applications-6.csv").write_text("income\n1000\n3000\n")
finished = run_on_a_full_disk(narrow, month=7, store=str(hall))
assert not finished, "On a disk with room for 20,000 bytes a month does not fit: the step must fail, and say so."
assert not (hall / "applications-7.csv").exists(), "A piece of month 7 lies in the store under the name of the whole."
### BEGIN HIDDEN TESTS
seventh = World(seed=5).applications(7)
again = run_here(resuming_pipeline(), month=7, store=str(hall))
assert abs(again - seventh["income"].mean()) < 1e-6, "The disk has room again: the next run must get month 7 right."
shelved = hall / "applications-7.csv"
assert shelved.exists(), "What was made belongs into the store, for the run after this one."
on_shelf = pd.read_csv(shelved)
assert len(on_shelf) == len(seventh), "Want all applications of the month in the store."
assert list(on_shelf) == list(seventh), "Want the columns of the applications in the store, and no others."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 8: the months that nobody ran
#
# The bank wants last year's months through the pipeline: a *backfill*. Some are done, some will fail, and the network
# drops now and then.
#
# `backfill(months, run, kept, retries)` returns a dict with an entry for each month.
# - `months` is a list of ints in any order; a month may stand in it twice. `run(month)` does one month and returns its
#   result. `kept` is a dict from month to result: what is there already.
# - Go from the oldest month to the newest, each once. A month in `kept` is not run.
# - If `run` raises an `OSError` (disk, network: it may pass; the reference looks closer and does not wait for a full
#   disk, here you need not), call it again, up to `retries` times more. Any other exception would say the same the second
#   time: do not call again.
# - A month that fails does not stop the others, and `kept` stays as it was.
# - The entry of a month is a dict: `"status"` is `"kept"`, `"made"` or `"failed"`, `"result"` its result or None,
#   `"attempts"` how often `run` was called for it.


# %% answer="ex8"
def backfill(months, run, kept, retries):
    """Run the months that are missing, oldest first; return what became of each."""
    ### BEGIN SOLUTION
    report = {}
    for month in sorted(set(months)):
        entry = {"status": "failed", "result": None, "attempts": 0}
        if month in kept:
            entry = {"status": "kept", "result": kept[month], "attempts": 0}
        while entry["status"] == "failed" and entry["attempts"] <= retries:
            entry["attempts"] += 1
            try:
                entry |= {"result": run(month), "status": "made"}
            except OSError:
                continue
            except Exception:
                break
        report[month] = entry
    return report
    ### END SOLUTION


# %% test="ex8" points=2
asked = []


def one_month(month):
    asked.append(month)
    return f"model of month {month}"


report = backfill([3, 1, 2, 3], one_month, {2: "model of old"}, 0)
assert report is not None, "backfill returned nothing: return a dict with an entry for each month."
assert asked == [1, 3], f"Month 2 is kept; 1 and 3 are to be run once each, the oldest first. You ran {asked}."
assert report[3] == {"status": "made", "result": "model of month 3", "attempts": 1}, "The entry of month 3 is wrong."
### BEGIN HIDDEN TESTS
assert report[2] == {"status": "kept", "result": "model of old", "attempts": 0}, "The entry of a kept month is wrong."
assert set(report) == {1, 2, 3} and list(report) == [1, 2, 3], "Want one entry for each month that was asked for."
asked.clear()
backfill([7, 40, -2], one_month, {}, 0)
assert asked == [-2, 7, 40], f"Of the months 7, 40 and -2 the oldest is -2. You ran {asked}."
assert backfill([], one_month, {9: "x"}, 3) == {}, "No month was asked for: nothing to tell."
had = {-5: "model of old"}
more = backfill([-4, -5], one_month, had, 2)
assert had == {-5: "model of old"} and more[-4]["result"] == "model of month -4", "Leave `kept` as it was."
assert backfill([1], one_month, {1: None}, 0)[1]["status"] == "kept", "Kept is kept, also if the result is None."
### END HIDDEN TESTS

# %% test="ex8" part="faults" points=2
tried = []


def shaky(month):
    """Month 1 works at the third call, month 2 never, month 3 has bad data, month 4 works."""
    tried.append(month)
    if month == 2 or (month == 1 and tried.count(1) < 3):
        raise OSError("the network is away")
    if month == 3:
        raise ValueError("a row without income")
    return "done"


told = backfill([1, 2, 3, 4], shaky, {}, 2)
assert told is not None, "backfill returned nothing, although months failed."
assert told[4] == {"status": "made", "result": "done", "attempts": 1}, "Month 4 must not suffer from those before it."
### BEGIN HIDDEN TESTS
assert told[1] == {"status": "made", "result": "done", "attempts": 3}, "One call and two retries are three calls."
assert told[2] == {"status": "failed", "result": None, "attempts": 3}, "After the last retry the month has failed."
assert told[3] == {"status": "failed", "result": None, "attempts": 1}, "Bad data are no better the second time."
assert tried == [1, 1, 1, 2, 2, 2, 3, 4], f"The calls were {tried}."
alone = backfill([2], shaky, {}, 0)
assert alone[2]["attempts"] == 1, "No retries: one call."
### END HIDDEN TESTS

# %% [markdown]
# ## All of it
#
# When all tests pass, run this in a cell of your own: your pipeline, backfilled over three months. Run it a second time,
# with the same `store`: the first step takes every month from there. Delete a file in the store, and see which month
# is made again.
#
# ```python
# store, pipeline = scratch(), resuming_pipeline()
# backfill([6, 7, 8], lambda month: run_here(pipeline, month=month, store=str(store)), {}, retries=1)
# ```
#
# The retries have nothing to do here: `run_here` reports each failed component as a `RuntimeError`, whatever went wrong
# inside. A scheduler tries the component again, not the pipeline (`set_retry`, lesson 02/08).
