# %% [markdown]
# # 02 Training pipeline
#
# A training pipeline runs at night, on a machine that somebody restarts. In this lab you build the core of one: a
# step has a key made of everything that decides its result, writes its output whole or not at all, and is not run
# again if nothing changed. Then the steps become a Kubeflow pipeline, which you run here, and which goes on after a
# disk was full. At the end you run it for the months that nobody ran.
#
# You need lessons 02/01 and 02/08. About 90 minutes; eight exercises, 26 points. `python3 bootstrap.py check
# 02-training-pipeline` runs the tests that you see. A grader's tests go further; the first line of each test says where.

# %% locked="setup"
import contextlib
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


def at(plan, *path):
    """Return what stands in nested dicts and lists at a path of keys and positions, or None if there is no such place."""
    for step in path:
        try:
            plan = plan[step]
        except (KeyError, IndexError, TypeError):
            return None
    return plan


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


# %% test="ex1" points=2
# Covers name, content, place, parameters and their order. Not shown: other changes of the same kinds.
here, there = scratch() / "a.csv", scratch() / "b.csv"
for file in (here, there):
    file.write_text("income\n2500\n")
key = step_key("train", {"rows": here}, {"seed": 1, "rounds": 50})
assert key is not None, "step_key returned nothing: return the key as a string."
assert isinstance(key, str), "The key should be a string, such as a hexadecimal digest."
assert key == step_key("train", {"rows": here}, {"seed": 1, "rounds": 50}), "The same step must have the same key."
assert key == step_key("train", {"rows": here}, {"rounds": 50, "seed": 1}), "The order of a dict must not matter."
assert key == step_key("train", {"rows": there}, {"seed": 1, "rounds": 50}), (
    "The same content in another folder, under another file name, must give the same key."
)
assert key != step_key("train", {"rows": here}, {"seed": 2, "rounds": 50}), "Another parameter is another key."
assert key != step_key("evaluate", {"rows": here}, {"seed": 1, "rounds": 50}), "Another name is another key."
there.write_text("income\n9500\n")
assert key != step_key("train", {"rows": there}, {"seed": 1, "rounds": 50}), "Another content is another key."
### BEGIN HIDDEN TESTS
before = here.stat()
here.write_text("income\n1500\n")
os.utime(here, ns=(before.st_atime_ns, before.st_mtime_ns))
assert key != step_key("train", {"rows": here}, {"seed": 1, "rounds": 50}), (
    "Another content must give another key, also if size and time of the file are the same."
)
nested = step_key("split", {}, {"model": {"depth": 3, "rate": 0.1}})
assert nested == step_key("split", {}, {"model": {"rate": 0.1, "depth": 3}}), (
    "The order in which a dict inside the parameters was filled must not matter."
)
assert nested != step_key("split", {}, {"model": {"depth": 4, "rate": 0.1}}), "A change deep in the parameters counts."
### END HIDDEN TESTS

# %% test="ex1" part="role" points=1
# Covers the names of the inputs. Not shown: steps that differ in ways that are easy to overlook.
old, new = scratch() / "old.csv", scratch() / "new.csv"
old.write_text("income\n1\n")
new.write_text("income\n2\n")
key = step_key("train", {"rows": old}, {})
assert isinstance(key, str), "step_key should return the key as a string, also for a step without parameters."
assert key != step_key("train", {"test": old}, {}), "The same file as another argument is another step."
### BEGIN HIDDEN TESTS
assert step_key("train", {"rows": old, "test": new}, {}) != step_key("train", {"rows": new, "test": old}, {}), (
    "Two inputs that change places make another step."
)
assert step_key("ab", {"c": old}, {}) != step_key("a", {"bc": old}, {}), (
    "Two steps whose texts are the same only when they are strung together must have two keys."
)
assert step_key("a", {}, {"x": [1, 2]}) != step_key("a", {}, {"x": [2, 1]}), "The order of a list does matter."
assert step_key("a", {}, {"x": 1}) != step_key("a", {}, {"x": "1"}), "The number 1 and the text 1 are two parameters."
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


# %% test="ex2" points=2
# Covers a write that succeeds, and one that breaks off. Not shown: a file that was not there before.
place = scratch()
write_whole(place / "new.txt", lambda stream: stream.write("all of it"))
assert (place / "new.txt").exists(), "write_whole wrote nothing: open a stream, call write(stream), put it at path."
assert (place / "new.txt").read_text() == "all of it", "The file should hold what `write` wrote."
kept = place / "kept.txt"
kept.write_text("old")


def breaks(stream):
    stream.write("half")
    stream.flush()
    raise RuntimeError("the machine stopped")


def passes_on(path):
    """Return whether the exception of `breaks` comes out of write_whole."""
    try:
        write_whole(path, breaks)
    except RuntimeError:
        return True
    return False


assert passes_on(kept), "The exception of `write` must pass on: who calls has to know."
assert kept.read_text() == "old", "A write that broke off must leave the old content."
names = sorted(file.name for file in place.iterdir())
assert names == ["kept.txt", "new.txt"], f"Leave no other file behind; the folder holds {names}."
write_whole(kept, lambda stream: stream.write("new"))
assert kept.exists() and kept.read_text() == "new", "A later write replaces the old content."
### BEGIN HIDDEN TESTS
assert passes_on(place / "never.txt"), "The exception of `write` must pass on, also for a new file."
left = {file.name for file in place.iterdir()}
assert left == {"kept.txt", "new.txt"}, "A new file whose write broke off must not be there, nor any piece of it."
### END HIDDEN TESTS

# %% test="ex2" part="reader" points=1
# Covers what `write` is given. Not shown: what somebody else reads meanwhile.
desk = scratch() / "desk.txt"
desk.write_text("old")
handed = []
write_whole(desk, lambda stream: handed.append(stream.write("new")))
assert handed == [3], f"`write` is called once, with an open text stream; it was called {len(handed)} times."
assert desk.read_text() == "new", "The file should hold what `write` wrote, instead of what was there."
### BEGIN HIDDEN TESTS
seen = []


def looks(stream):
    stream.write("one half")
    stream.flush()
    seen.append(desk.read_text() if desk.exists() else None)
    stream.write(", and the other")


write_whole(desk, looks)
assert seen == ["new"], "While the next content is being written, readers must still find the one before."
assert desk.read_text() == "one half, and the other", "When the write is done, readers must find all of it."
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
#
# `on_a_full_disk(function, ...)`, below, calls a function on a disk that has no room. It is given.


# %% locked="disk"
# grader: these run where the answers run
def on_a_full_disk(function, *arguments):
    """Call a function that may write 20,000 bytes to a file and no more; return whether it came to its end."""
    import resource

    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        function(*arguments)
        return True
    except OSError:
        return False
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


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


# %% test="ex3" points=2
# Covers when the function is called, and when not. Not shown: other changes of the key.
calls = []


def double(inputs, params):
    calls.append(params["x"])
    return str(2 * params["x"])


def text_at(path):
    """Return the text of a file, or None if there is no such file."""
    return path.read_text() if isinstance(path, Path) and path.is_file() else None


house = scratch()
out = run_step(house, "double", double, {}, {"x": 4}, "key-4")
assert out is not None, "run_step returned nothing: return the path of the result."
assert out == house / "double.out", "Return the path of the result: NAME.out in the folder."
assert text_at(out) == "8", "What the function returned belongs into NAME.out."
assert calls == [4], "Nothing was there yet: the function must be called, once."
assert text_at(house / "double.key") == "key-4", "NAME.key remembers the key: the file holds just that."
assert run_step(house, "double", double, {}, {"x": 4}, "key-4") == out, (
    "Return the path, also of a result that was kept."
)
assert calls == [4], "The second call has the same key: do not run the function again."
run_step(house, "double", double, {}, {"x": 5}, "key-5")
assert calls == [4, 5], "Another key: the function must be called again."
assert text_at(out) == "10", "With another key the result must be made anew."
out.unlink(missing_ok=True)
run_step(house, "double", double, {}, {"x": 5}, "key-5")
assert calls == [4, 5, 5] and text_at(out) == "10", "The result is lost: it must be made again, whatever the key says."
### BEGIN HIDDEN TESTS
assert text_at(house / "double.key") == "key-5", "NAME.key should hold the key that the result was made with."
run_step(house, "double", double, inputs={}, params={"x": 4}, key="key-4")
assert calls == [4, 5, 5, 4], "Back to an earlier key: the result on the disk is that of the other key."
run_step(house, "double", double, inputs={}, params={"x": 4}, key="key-4")
assert calls == [4, 5, 5, 4], "A result that was made again should be kept like any other."
(house / "double.key").unlink(missing_ok=True)
run_step(house, "double", double, {}, params={"x": 4}, key="key-4")
assert calls == [4, 5, 5, 4, 4], "Without its key nobody knows what a result was made of: make it again."
run_step(house, "other", double, {}, {"x": 6}, "key-4")
assert text_at(house / "other.out") == "12" and text_at(house / "double.out") == "8", (
    "Two steps in one folder must not share their result, even if their keys are equal."
)
### END HIDDEN TESTS


# %% test="ex3" part="failure" points=1
# Covers a function that raises. Not shown: one that raises where an older result lies.
def fails(inputs, params):
    raise ValueError("no data tonight")


def failed(folder, name, key):
    """Return whether the exception of `fails` comes out of run_step."""
    try:
        run_step(folder, name, fails, {}, {}, key)
    except ValueError:
        return True
    return False


inn = scratch()
assert failed(inn, "broken", "key-b"), "An exception of the function must pass on."
assert failed(inn, "broken", "key-b"), "The step is not done yet: the next call with the same key must call it again."
made = run_step(inn, "broken", lambda inputs, params: "2", {}, {}, "key-b")
assert isinstance(made, Path) and made.is_file() and made.read_text() == "2", "After a failure, run it again."
### BEGIN HIDDEN TESTS
assert failed(inn, "broken", "key-c"), "An exception of the function must pass on, also where an older result lies."
made = run_step(inn, "broken", lambda inputs, params: "3", {}, {}, "key-c")
assert made.is_file() and made.read_text() == "3", "A failed step is not done, whatever older result lies there."
### END HIDDEN TESTS

# %% test="ex3" part="stop" points=1
# Covers a step on a full disk. Not shown: what the next calls make of what the stop left behind.
barn = scratch()
worked = on_a_full_disk(run_step, barn, "big", lambda inputs, params: "b" * 30_000, {}, {}, "key-b")
assert not worked, "On a disk with room for 20,000 bytes the step must fail, and say so: an OSError passes on."
again = run_step(barn, "big", lambda inputs, params: "b" * 30_000, {}, {}, "key-b")
assert again is not None, "run_step returned nothing: return the path of the result."
assert isinstance(again, Path) and again.is_file() and len(again.read_text()) == 30_000, (
    "The disk has room again: the next call with the same key must make the whole result."
)
### BEGIN HIDDEN TESTS
SMALL, BIG = "a", "b" * 30_000
for result, key in ((BIG, "key-b"), (SMALL + "b", "key-" + BIG)):  # it stops in the result, or in the key
    for next_key in ("key-a", key):
        shed = scratch()
        run_step(shed, "step", lambda inputs, params: SMALL, {}, {}, "key-a")
        on_a_full_disk(run_step, shed, "step", lambda inputs, params, text=result: text, {}, {}, key)
        want = SMALL if next_key == "key-a" else result
        after = run_step(shed, "step", lambda inputs, params, text=want: text, {}, {}, next_key)
        assert isinstance(after, Path) and after.is_file() and after.read_text() == want, (
            "The machine stopped while the step wrote its files, and a later call took for its own result what was "
            "made with another key, or a piece."
        )
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 4: what has to run again?
#
# Steps hang together: what one writes, another reads. `stale(steps, changed)` says what must run again.
# - `steps` maps each step's name to the list of names it reads from: other steps, or sources such as `"lake"`.
# - `changed` is a set of names of steps or sources whose content changed.
# - Both arguments stay as they were.
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


# %% test="ex4" points=2
# Covers which steps run, and that each comes after what it reads from. Not shown: other graphs.
graph = {"train": ["features"], "features": ["ingest"], "ingest": ["lake"], "report": ["ingest"]}
alone = stale(graph, {"train"})
assert alone is not None, "stale returned nothing: return a list of names."
assert isinstance(alone, list), f"Return a list of names, not {type(alone).__name__}."
assert alone == ["train"], "Nothing reads from train: it alone must run."
assert stale(graph, set()) == [], "Nothing changed, nothing to do."
assert stale(graph, {"features"}) == ["features", "train"], "train reads from features, so it must run after it."
whole = stale(graph, {"lake"})
assert sorted(whole) == ["features", "ingest", "report", "train"], (
    f"All read from the lake, directly or through other steps, so all must run; you run {whole}."
)
for step, sources in graph.items():
    for source in set(sources) & set(graph):
        assert whole.index(source) < whole.index(step), f"{step} reads from {source}, so it must come after it."
given, changed = {"b": ["a"], "a": ["lake"]}, {"lake"}
stale(given, changed)
assert (given, changed) == ({"b": ["a"], "a": ["lake"]}, {"lake"}), "`steps` and `changed` should stay as they were."
### BEGIN HIDDEN TESTS
two = {"b": ["x"], "a": ["y"], "join": ["a", "b"], "z": []}
assert stale(two, {"x"}) == ["b", "join"], "A step of which nothing changed that it reads from should not run."
assert stale(two, {"z"}) == ["z"], "A step that reads from nothing should run if it changed itself."
assert sorted(stale(graph, {"ingest", "train"})) == ["features", "ingest", "report", "train"], (
    "Two changes: all that read from one of them should run, each once."
)
long = {f"s{n}": [f"s{n - 1}"] for n in range(1, 9)}
assert stale(long, {"s3"}) == [f"s{n}" for n in range(3, 9)], "A change should go through any number of steps."
### END HIDDEN TESTS

# %% test="ex4" part="order" points=1
# Covers the alphabetical order. Not shown: other graphs.
graph = {"train": ["features"], "features": ["ingest"], "ingest": ["lake"], "report": ["ingest"]}
order = stale(graph, {"lake"})
assert order is not None, "stale returned nothing: return a list of names, in order."
assert order == ["ingest", "features", "report", "train"], (
    "After ingest, features and report could go next: the first in alphabetical order is features; then look again."
)
### BEGIN HIDDEN TESTS
two = {"b": ["x"], "a": ["y"], "join": ["a", "b"], "z": []}
assert stale(two, {"x", "y"}) == ["a", "b", "join"], "Among those that could go next, alphabetical order."
late = stale({"z": ["lake"], "a": ["z"], "m": ["lake"]}, {"lake"})
assert late == ["m", "z", "a"], "A step whose name comes first cannot go before what it reads from."
soon = stale({"c": ["lake"], "a": ["c"], "d": ["lake"]}, {"lake"})
assert soon == ["c", "a", "d"], "After each step, look again at all that could go next."
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
# Covers what the compiled pipeline says: its name, its tasks, what they hand on. Not shown: nothing else is looked at.
made = income_pipeline()
assert made is not None, "income_pipeline returned nothing: return the decorated function itself."
assert callable(made), "income_pipeline should return the decorated function itself, not what it gives when called."
plan = compiled(made)
assert plan["pipelineInfo"]["name"] == "oakbank-income", 'Name the pipeline "oakbank-income".'
tasks = plan["root"]["dag"]["tasks"]
assert set(tasks) == {"applications", "mean-income"}, "Want one task of each component."
month = at(plan, "root", "inputDefinitions", "parameters", "month", "parameterType")
assert month == "NUMBER_INTEGER", "The pipeline has one parameter, `month`, an int."
given = at(tasks, "applications", "inputs", "parameters", "month")
assert given == {"componentInputParameter": "month"}, "Pass the pipeline's own month on, not a number."
handed = at(tasks, "mean-income", "inputs", "artifacts", "rows", "taskOutputArtifact")
want = {"outputArtifactKey": "rows", "producerTask": "applications"}
assert handed == want, "Hand the file that the task `applications` wrote to mean_income, by its name `rows`."
result = at(plan, "root", "dag", "outputs", "parameters", "Output", "valueFromParameter", "producerSubtask")
assert result is not None, "The pipeline has no output: return the mean, and say that it is a float."
### BEGIN HIDDEN TESTS
assert result == "mean-income", "The output of the pipeline should be what mean_income returned."
inputs = at(plan, "root", "inputDefinitions", "parameters")
assert set(inputs) == {"month"}, "The pipeline should have no other parameter than `month`."
kind = at(plan, "root", "outputDefinitions", "parameters", "Output", "parameterType")
assert kind == "NUMBER_DOUBLE", "The output of the pipeline should be a float."
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


@dsl.component(base_image="python:3.12", install_kfp_package=False)
def half(month: int) -> float:
    """Return half the month."""
    return month / 2


@dsl.pipeline(name="halved")
def halved(month: int) -> float:
    """Return another number that is easy to check."""
    return half(month=month).outputs["Output"]


# %% answer="ex6"
def same_on_both(pipeline, month, by_hand):
    """Return (kubeflow's number, the number by hand, whether they agree)."""
    ### BEGIN SOLUTION
    kubeflow, hand = run_here(pipeline, month=month), by_hand(month)
    return kubeflow, hand, abs(kubeflow - hand) <= 1e-6 * max(abs(kubeflow), abs(hand))
    ### END SOLUTION


# %% test="ex6" points=2
# Covers numbers that agree, numbers that do not, and the limit between them. Not shown: numbers below zero, and zero.
answer = same_on_both(known, 3, lambda month: 1000.0 * month)
assert answer is not None, "same_on_both returned nothing: return (kubeflow, hand, agree)."
assert isinstance(answer, (tuple, list)) and len(answer) == 3, "Return three things: (kubeflow, hand, agree)."
assert answer[0] == 3000.0, "The first number is the output of the pipeline, run for this month."
assert answer[1] == 3000.0, "The second number is what `by_hand` returns for this month."
assert answer[2] == True, "3000 and 3000 agree."  # noqa: E712
near = same_on_both(known, 4, lambda month: 1000.0 * month + 0.001)
assert tuple(near[:2]) == (4000.0, 4000.001), "Return both numbers as they are."
assert near[2] == True, "4000 and 4000.001 differ by one part in four million: they agree."  # noqa: E712
far = same_on_both(known, 2, lambda month: 2000.004)
assert far[2] == False, "2000 and 2000.004 differ by two parts in a million: they do not agree."  # noqa: E712
### BEGIN HIDDEN TESTS
other = same_on_both(halved, 7, lambda month: -3.5)
assert tuple(other[:2]) == (3.5, -3.5), "The first number should be the output of the pipeline that is given."
assert other[2] == False, "Two numbers of which one is below zero do not agree."  # noqa: E712
close = same_on_both(known, 7, lambda month: 7000.001)
assert close[2] == True, "A difference of one part in seven million should count as agreement."  # noqa: E712
assert same_on_both(known, 0, lambda month: 0.0)[2] == True, "Both zero: they should agree."  # noqa: E712
below = same_on_both(known, -1, lambda month: -1000.0007)
assert below[2] == True, "Seven parts in ten million, both below zero: they should agree."  # noqa: E712
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
# Covers a month that is in the store. Not shown: how the rows get from step to step.
resuming = resuming_pipeline()
assert resuming is not None, "resuming_pipeline returned nothing: return the decorated function itself."
assert callable(resuming), (
    "resuming_pipeline should return the decorated function itself, not what it gives when called."
)
drawing = compiled(resuming)
assert drawing["pipelineInfo"]["name"] == "oakbank-resume", 'Name the pipeline "oakbank-resume".'
shelf = scratch()
(shelf / "applications-6.csv").write_text("income\n1000\n3000\n")
mean = run_here(resuming, month=6, store=str(shelf))
assert mean == 2000.0, f"The store has two applications for month 6, of mean 2000; the pipeline says {mean}."
assert (shelf / "applications-6.csv").read_text() == "income\n1000\n3000\n", "What the store has, stays as it is."
### BEGIN HIDDEN TESTS
nodes = drawing["root"]["dag"]["tasks"]
assert len(nodes) == 2 and "mean-income" in nodes, (
    "The pipeline should have two tasks, of which the second is mean_income."
)
source = at(nodes, "mean-income", "inputs", "artifacts", "rows", "taskOutputArtifact", "outputArtifactKey")
assert source == "rows", "The rows should go from task to task as the artefact `rows`."
### END HIDDEN TESTS

# %% test="ex7" part="full" points=2
# Covers a full disk, and the run after it. Not shown: what somebody finds in the store while a month is written.
narrow = resuming_pipeline()
assert narrow is not None, "resuming_pipeline returned nothing: return a pipeline, to try it on a full disk."
assert callable(narrow), "resuming_pipeline should return a pipeline, to try it on a full disk."
hall = scratch()
(hall / "applications-6.csv").write_text("income\n1000\n3000\n")
finished = run_on_a_full_disk(narrow, month=7, store=str(hall))
assert not finished, "On a disk with room for 20,000 bytes a month does not fit: the step must fail, and say so."
shelved = hall / "applications-7.csv"
assert not shelved.exists(), "A piece of month 7 lies in the store under the name of the whole."
seventh = World(seed=5).applications(7)
again = run_here(narrow, month=7, store=str(hall))
assert abs(again - seventh["income"].mean()) < 1e-6, "The disk has room again: the next run must get month 7 right."
assert shelved.exists(), "What was made belongs into the store, for the run after this one."
### BEGIN HIDDEN TESTS
on_shelf = pd.read_csv(shelved)
assert len(on_shelf) == len(seventh), "Want all applications of the month in the store."
assert list(on_shelf) == list(seventh), "Want the columns of the applications in the store, and no others."
# Whoever opens the final name to write into it, writes through this link. A file that is swapped in takes its place.
behind = scratch() / "written-in-place.csv"
(hall / "applications-8.csv").symlink_to(behind)
with contextlib.suppress(RuntimeError):  # to stop at a link that leads nowhere is no fault here
    run_here(narrow, month=8, store=str(hall))
assert not behind.exists(), (
    "The month is written into the store under its final name: who looks meanwhile, or after a stop, finds a piece."
)
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
# - A month that fails does not stop the others. `months` and `kept` stay as they were.
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
# Covers months that are made and kept, and their order. Not shown: other months.
asked = []


def one_month(month):
    asked.append(month)
    return f"model of month {month}"


months, there = [3, 1, 2, 3], {2: "model of old"}
report = backfill(months, one_month, there, 0)
assert report is not None, "backfill returned nothing: return a dict with an entry for each month."
assert isinstance(report, dict), f"Return a dict with an entry for each month, not {type(report).__name__}."
assert asked == [1, 3], f"Month 2 is kept; 1 and 3 are to be run once each, the oldest first. You ran {asked}."
made = {"status": "made", "result": "model of month 3", "attempts": 1}
assert report.get(3) == made, f"The entry of month 3 should be {made}, not {report.get(3)}."
kept = {"status": "kept", "result": "model of old", "attempts": 0}
assert report.get(2) == kept, f"The entry of month 2, which is kept, should be {kept}, not {report.get(2)}."
assert set(report) == {1, 2, 3}, "Want one entry for each month that was asked for."
assert (months, there) == ([3, 1, 2, 3], {2: "model of old"}), "`months` and `kept` stay as they were."
empty = backfill([1], one_month, {1: None}, 0).get(1)
assert empty == {"status": "kept", "result": None, "attempts": 0}, "Kept is kept, also if the result is None."
### BEGIN HIDDEN TESTS
asked.clear()
backfill([7, 40, -2], one_month, {}, 0)
assert asked == [-2, 7, 40], f"Of the months 7, 40 and -2 the oldest is -2. You ran {asked}."
assert backfill([], one_month, {9: "x"}, 3) == {}, "No month was asked for: want no entry."
had = {-5: "model of old"}
more = backfill([-4, -5], one_month, had, 2)
assert had == {-5: "model of old"}, "`kept` should stay as it was."
assert more[-4]["result"] == "model of month -4", "A month before month 0 is a month like any other."
### END HIDDEN TESTS

# %% test="ex8" part="faults" points=2
# Covers a fault that passes, one that lasts, and bad data. Not shown: other exceptions, no retries.
tried = []


def shaky(month):
    """Month 1 works at the third call, month 2 never, month 3 has bad data, month 4 works."""
    tried.append(month)
    if month == 2 or (month == 1 and tried.count(1) < 3):
        raise OSError("the network is away")
    if month == 3:
        raise ValueError("a row without income")
    return "done"


stopped = False
try:
    told = backfill([1, 2, 3, 4], shaky, {}, 2)
except (OSError, ValueError):
    stopped = True
assert not stopped, "A month that fails does not stop the others, but its exception came out of backfill."
assert told is not None, "backfill returned nothing, although months failed."
assert isinstance(told, dict) and set(told) == {1, 2, 3, 4}, "Want an entry for each month, also for those that failed."
done = {"status": "made", "result": "done", "attempts": 1}
assert told[4] == done, "Month 4 must not suffer from those before it."
assert told[1] == done | {"attempts": 3}, f"One call and two retries are three calls; the entry is {told[1]}."
lost = {"status": "failed", "result": None, "attempts": 3}
assert told[2] == lost, f"After the last retry the month has failed: {lost}, not {told[2]}."
assert told[3] == lost | {"attempts": 1}, f"Bad data are no better the second time; the entry is {told[3]}."
### BEGIN HIDDEN TESTS
assert tried == [1, 1, 1, 2, 2, 2, 3, 4], f"Want each month done before the next begins. The calls were {tried}."
assert backfill([2], shaky, {}, 0)[2]["attempts"] == 1, "Without retries there should be one call."


def unreachable(month):
    raise ConnectionResetError("the other side is gone")


assert backfill([5], unreachable, {}, 1)[5]["attempts"] == 2, (
    "Every kind of OSError may pass, a lost connection as well."
)
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
