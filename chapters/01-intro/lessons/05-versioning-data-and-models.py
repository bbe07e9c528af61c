# %% [markdown]
# # 05 Versioning data and models
#
# ## You will
#
# - build a store that names files by their content, in ten lines, and see DVC agree with it to the byte
# - bring back the model of an older version together with the data it was trained on
# - let a pipeline run only what changed, and compare models over versions of their data
# - foretell what a new version of the data costs, from the way it is cut into files
# - say what a hash protects you from, when it is checked, and what it takes to forget
#
# ## You need
#
# Lesson 01, and git as far as commit, tag, checkout and clone. DVC came with the environment; no account is needed.
#
# ## Time
#
# 53 minutes to read, 50 seconds to run.
#
# ## The story so far
#
# A project that gives the same model on another machine needs the same code, the same environment and the same data.
# The first two are in git; the third lies in a folder that anybody may overwrite.

# %% [markdown]
# ## The bank this morning
#
# Everything happens in a temporary folder, with settings of its own: neither your git nor your DVC is touched. (One
# of them, `autostage`, lets DVC tell git about the files that it writes.)

# %%
import os
import sys
import tempfile
from pathlib import Path

from course.lesson import own_git

temporary = tempfile.TemporaryDirectory(prefix="oakbank-")
home = Path(temporary.name)
bank = home / "bank"
ENV = own_git(home, "2024-01-01T12:00:00Z") | {"TERM": "dumb", "NO_COLOR": "1"}
ENV["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])  # our python, our dvc
for what in ("GLOBAL_CONFIG", "SYSTEM_CONFIG", "SITE_CACHE"):
    ENV[f"DVC_{what}_DIR"] = str(home / what)
(home / "GLOBAL_CONFIG").mkdir()
_ = (home / "GLOBAL_CONFIG" / "config").write_text("[core]\nautostage = true\ncheck_update = false\n")

# %% [markdown]
# `sh` runs a command in the bank's folder and prints what it says.

# %%
import shlex
import subprocess


def sh(command, folder=bank, may_fail=False):
    done = subprocess.run(
        shlex.split(command), cwd=folder, env=ENV, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    print(f"$ {command}\n{done.stdout}".strip())
    assert may_fail or done.returncode == 0, f"{command} ended with {done.returncode}"


# %% [markdown]
# The data: loans that the officers granted, with their outcome, one file a month. Five months are there; three more
# will be delivered later. One month is kept aside, to judge models on people that none of them has seen.

# %%
import pandas as pd

from oakbank.world import Event, Scenario, World

supplier = Event(kind="feed_unit", column="income", factor=12, onset=-7, until=-4)
scenario = Scenario(name="one-bad-delivery", description="Three months come from a new supplier.", events=[supplier])
world = World(seed=7, scenario=scenario)


def loans_of(month):
    decided = world.officer_decisions(month)
    granted = decided.loc[decided["granted"], "application_id"]
    outcome = world.outcomes(month + 3, granted)[["application_id", "defaulted"]]
    return world.applications(month).merge(outcome, on="application_id")


# %%
def save(frame, path):
    path.parent.mkdir(parents=True, exist_ok=True)
    frame.to_csv(path, index=False, lineterminator="\n")


for month in range(-12, -7):
    save(loans_of(month), bank / "loans" / f"month={month:+03d}.csv")
save(loans_of(-1), bank / "holdout.csv")
sorted(path.name for path in (bank / "loans").iterdir())

# %% [markdown]
# ## Why not simply git?
#
# You can. Try it with the five files, and then think better of it and delete them:

# %%
import shutil


def size(folder):
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


shutil.copytree(bank / "loans", home / "naive" / "loans")
for command in ("init -q", "add .", "commit -qm loans", "rm -rq loans", "commit -qm 'no loans' --allow-empty"):
    sh(f"git {command}", home / "naive")
sh("git clone -q naive copy", home)
print(f"data in the clone: {(home / 'copy' / 'loans').exists()}; its history: {size(home / 'copy' / '.git'):,} bytes")

# %% [markdown]
# The clone has no data and pays for it all the same. Git gives every version of every file to everyone, for ever.
# For text of a few kilobytes that is its strength; for data of a few gigabytes it is the end of the repository,
# and for a customer who asks to be deleted it is a history that has to be rewritten.
#
# ## A store in ten lines
#
# So split the two. The bytes go on a shelf, under a name computed from the bytes. The name, 32 characters, goes
# into git.

# %%
import hashlib


def put(path, shelf):
    name = hashlib.md5(path.read_bytes()).hexdigest()
    place = shelf / name[:2] / name[2:]
    place.parent.mkdir(parents=True, exist_ok=True)
    if not place.exists():
        shutil.copy(path, place)
    return name


def get(name, shelf):
    content = (shelf / name[:2] / name[2:]).read_bytes()
    assert hashlib.md5(content).hexdigest() == name, "these are not the bytes that were put here"
    return content


# %% [markdown]
# Put a file there, spoil it in the folder, put it there again, and ask for the first one:

# %%
draft = Path(shutil.copy(bank / "holdout.csv", home / "draft.csv"))
first = put(draft, home / "mine")
draft.write_text(draft.read_text().replace("salaried", "retired"))
second = put(draft, home / "mine")
print(first, second, sep="\n")
print("the first is back:", get(first, home / "mine") == (bank / "holdout.csv").read_bytes())

# %% [markdown]
# Nobody had to invent `loans_final_v2_really.csv`. A name made of the content cannot be given twice to different
# data; the same data cannot take room twice; and whoever holds the name can check what he was handed.
#
# ```mermaid
# flowchart LR
#     subgraph git [git: small, everyone has all of it]
#         C[code] --- P[pointer: md5 and size]
#     end
#     subgraph shelf [shelf: large, fetched when needed]
#         B1[bytes of January]
#         B2[bytes of February]
#         M[bytes of the model]
#     end
#     P -. names .-> B1
#     P -. names .-> B2
#     P -. names .-> M
# ```
#
# In words: git holds code and pointers, the shelf holds bytes, and a commit names exactly one state of both.
#
# ## DVC does that beside git
#
# [DVC](https://dvc.org) is this idea with the rest of the work done. `dvc init` in a git repository; a *remote*,
# which is the shelf that a team shares. Ours is a folder. A bucket is the same line with another address.

# %%
sh("git init -q -b main")
sh("dvc init -q")
shelf = home / "shelf" / "files" / "md5"
sh(f"dvc remote add -q -d shelf {(home / 'shelf').as_posix()}")
sh("dvc add -q loans holdout.csv")
sh("git status --short")

# %% [markdown]
# Look at what git was given. The data is not in the list: DVC told git to ignore it, and left two pointers.

# %%
print((bank / ".gitignore").read_text())
print((bank / "holdout.csv.dvc").read_text())

# %% [markdown]
# Does it agree with our ten lines? On the name of a file and on its place; and a folder's pointer is the hash of a
# list that has the name of each file in it:

# %%
import json

import yaml

cache = bank / ".dvc" / "cache" / "files" / "md5"
pointer = yaml.safe_load((bank / "holdout.csv.dvc").read_text())["outs"][0]["md5"]
folder = yaml.safe_load((bank / "loans.dvc").read_text())["outs"][0]["md5"]
listed = json.loads((cache / folder[:2] / folder[2:]).read_text())
print("same name:", pointer == put(bank / "holdout.csv", home / "mine"))
print("same place:", get(pointer, cache) == (bank / "holdout.csv").read_bytes())
print("same list:", hashlib.md5((cache / folder[:2] / folder[2:]).read_bytes()).hexdigest() + ".dir" == folder)
print("same months:", all(put(bank / "loans" / one["relpath"], home / "mine") == one["md5"] for one in listed))

# %% [markdown]
# ## A model is a version too
#
# A model without its data is a number without a unit. So the two should move together, and the cheapest way is to let
# DVC make the model. Two scripts, as you would write them anyway:

# %%
(bank / "train.py").write_text("""
from pathlib import Path
import joblib, pandas as pd, yaml
from oakbank.intro.first_model import first_model

params = yaml.safe_load(Path("params.yaml").read_text())["train"]
loans = pd.concat(map(pd.read_csv, sorted(Path("loans").iterdir())))
model = first_model().set_params(logisticregression__C=params["C"])
joblib.dump(model.fit(loans, loans["defaulted"]), "model.joblib")
""")
_ = (bank / "evaluate.py").write_text("""
import json
from pathlib import Path
import joblib, pandas as pd, yaml
from sklearn.metrics import roc_auc_score

params = yaml.safe_load(Path("params.yaml").read_text())["evaluate"]
people = pd.read_csv("holdout.csv")
risk = joblib.load("model.joblib").predict_proba(people)[:, 1]
safest = people["defaulted"][risk <= pd.Series(risk).quantile(params["safest"])]
metrics = {"auc": roc_auc_score(people["defaulted"], risk), "defaulted": safest.mean()}
Path("metrics.json").write_text(json.dumps({name: round(value, 4) for name, value in metrics.items()}))
""")

# %% [markdown]
# What one may want to turn goes into a file of parameters:

# %%
_ = (bank / "params.yaml").write_text("train: {C: 1.0}\nevaluate: {safest: 0.5}\n")
# %% [markdown]
# `auc` is how well the model orders people by risk, 0.5 being a coin; `defaulted` is the share of bad loans in the half
# that the model calls safest. And the pipeline: for each stage what it runs, what it reads, what it leaves.

# %%
(bank / "dvc.yaml").write_text("""
stages:
  train:
    cmd: python train.py
    deps: [train.py, loans]
    params: [train]
    outs: [model.joblib]
  evaluate:
    cmd: python evaluate.py
    deps: [evaluate.py, holdout.csv, model.joblib]
    params: [evaluate]
    metrics:
      - metrics.json: {cache: false}
""")
sh("dvc repro")

# %% [markdown]
# DVC wrote down what it did, in `dvc.lock`, which git keeps. Read it as a sentence: *this* model came from *this* script,
# *this* data and *this* parameter.

# %%
stage = yaml.safe_load((bank / "dvc.lock").read_text())["stages"]["train"]
for role in ("deps", "outs"):
    for one in stage[role]:
        print(f"{role}  {one['md5'][:12]}  {one['path']}")
print("params", stage["params"]["params.yaml"])

# %% [markdown]
# Commit, give the state a name, and send the bytes to the shelf:

# %%
sh("git add -A")
sh("git commit -qm 'Model of five months'")
sh("git tag v1")
sh("dvc push")

# %% [markdown]
# ## More data, worse model
#
# Three more months are delivered. **Before you run the cell, guess:** eight months of training instead of five. What
# does that do to the AUC?

# %%
for month in (-7, -6, -5):
    save(loans_of(month), bank / "loans" / f"month={month:+03d}.csv")
sh("dvc repro")
sh("dvc metrics diff v1")

# %% [markdown]
# DVC saw that the folder had changed, took its new hash, and ran what depends on it. No script changed and no parameter;
# 60 % more data, and the model orders people worse: among those it calls safest, more default.
# Commit it all the same. A version is a state that was there, not a state to be proud of.

# %%
sh("git commit -qam 'Model of eight months'")
sh("git tag v2")

# %% [markdown]
# ## Yesterday's model, please
#
# The bank cannot wait for the cause. It wants the old model back, now. `git checkout v1` takes a moment.
# **Which model would a service load after it?**

# %%
sh("git checkout -q v1")
sh("dvc status")

# %% [markdown]
# Still the bad one. Git turned the *pointers* back and never knew of the bytes; `dvc status` says that the folder and
# its pointers disagree. It takes a second step, and forgetting it is the most common accident with DVC:

# %%
sh("dvc checkout")
locked = yaml.safe_load((bank / "dvc.lock").read_text())["stages"]["train"]["outs"][0]["md5"]
model_file = bank / "model.joblib"
print("the model that v1 names:", hashlib.md5(model_file.read_bytes()).hexdigest() == locked)
print("months beside it:", len(list((bank / "loans").iterdir())))

# %% [markdown]
# Model and data are back, as a pair, to the byte, without training. (`dvc install` adds a git hook that does the second
# step for you.)
#
# ## Find it, mend it
#
# Now there is time to look. Both states are at hand, so look at what came in between:

# %%
sh("git checkout -q main")
sh("dvc checkout -q")
files = {month: bank / "loans" / f"month={month:+03d}.csv" for month in range(-12, -4)}
pd.Series({month: pd.read_csv(path)["income"].median() for month, path in files.items()}, name="median income")

# %% [markdown]
# Nobody's raise: a supplier sends income per year, in a column that says per month. The repair is a division, and it
# is a new version of the data, not an edit that nobody will remember:

# %%
for month in (-7, -6, -5):
    broken = pd.read_csv(files[month])
    save(broken.assign(income=(broken["income"] / 12).round(2)), files[month])
sh("dvc repro -q")
sh("git commit -qam 'Months -7 to -5: income is per month'")
sh("git tag v3")
sh("dvc metrics show --all-tags")

# %% [markdown]
# Three models, three states of the data, judged on the same people. With the repair the eight months are worth
# about what the five were, or a shade more. The lines can be compared because `holdout.csv` has a version too, and it
# did not move.
#
# The models themselves are one step away. The name is in git, the bytes are in DVC's cache, and our own `get` can read
# them. How far is each model from the one before it, about the same person?

# %%
import io

import joblib

people = pd.read_csv(bank / "holdout.csv")
risk, names = {}, {}
for tag in ("v1", "v2", "v3"):
    lock = subprocess.check_output(["git", "show", f"{tag}:dvc.lock"], cwd=bank, env=ENV)
    names[tag] = yaml.safe_load(lock)["stages"]["train"]["outs"][0]["md5"]
    risk[tag] = joblib.load(io.BytesIO(get(names[tag], cache))).predict_proba(people)[:, 1]
pd.DataFrame(risk).diff(axis=1).abs()[["v2", "v3"]].mean().round(4).rename("mean change of the risk")

# %% [markdown]
# Some four points of a hundred, up or down, for a person who did not change at all. That is what a version of the data
# is to a customer.

# %% [markdown]
# ## Only what changed
#
# Suppose that the desk wants to know about the safest 30 % instead of the safest half. **Which stages must run?**

# %%
(bank / "params.yaml").write_text("train: {C: 1.0}\nevaluate: {safest: 0.3}\n")
sh("dvc repro")
sh("dvc metrics diff")

# %% [markdown]
# The training was skipped: its script, data and parameter have the hashes that the lock names, so its answer is on the
# shelf already. With a model that trains for a night, this is the difference between asking and not asking.
#
# That was a question, not a new state, so we put it back. Had we wanted to keep many such questions side by side, `dvc exp run
# --set-param` files each as an experiment; lesson 02/05 shows a tool made for that.

# %%
sh("git checkout -q .")

# %% [markdown]
# ## What a version costs
#
# A store that names files knows files, not rows. Keep a year of months in two ways, each month a new version: one file
# that grows, or a new file a month. **Guess the ratio after twelve.**

# %%
rows = [loans_of(month) for month in range(-12, 0)]
cost = {"one growing file": [], "one file a month": []}
for month, frame in enumerate(rows):
    save(pd.concat(rows[: month + 1]), home / "all.csv")
    save(frame, home / "one.csv")
    for way, path in zip(cost, (home / "all.csv", home / "one.csv"), strict=True):
        put(path, home / way)
        cost[way].append(size(home / way) / 1e6)
print(f"after 12 months: {cost['one growing file'][-1] / cost['one file a month'][-1]:.1f} times as much")

# %%
import matplotlib.pyplot as plt

fig, ax = plt.subplots(figsize=(7, 3))
for (way, megabytes), style in zip(cost.items(), ("C3o-", "C0o-"), strict=True):
    ax.plot(range(1, 13), megabytes, style, label=way)
ax.set(xlabel="versions kept", ylabel="store, MB", title="Same rows, same versions, other files")
_ = ax.legend()

# %% [markdown]
# One byte more and the whole file is new: n months cost 1 + 2 + ... + n. Cut by month, each version costs its own
# month and a short list of names. It is the layout that saves, not the tool: our ten lines and DVC behave alike
# here. The dear mistakes follow from it: a table sorted anew, a gzip with the time of day in its head, one Parquet file
# for everything.
#
# ## A colleague
#
# She has git and the shelf, and nothing of yours. `-T` sends what *all* tags name; a plain `dvc push` would send only
# the state in front of you, and v2 would live on your laptop alone. Look on the shelf yourself, by name:

# %%
sh("dvc push -T")
print({tag: (shelf / name[:2] / name[2:]).exists() for tag, name in names.items()})

# %% [markdown]
# Do look. While we wrote this lesson the remote was `../shelf`, relative; the same command then said *files pushed*, and
# DVC 3.67 had looked for the shelf of older tags below the root of the disk. Nobody would have missed v2 until the day
# it was needed. Give a remote its full address.

# %%
sh("git clone -q bank colleague", home)
sh("dvc pull -T", home / "colleague")
sh("dvc repro", home / "colleague")

# %% [markdown]
# *Up to date*, on a machine that never trained: the lock says what should come out, the shelf had it, and the hashes
# agree. That is what "reproducible" buys in a working day.
#
# ## A hash nobody checks
#
# Someone with access to the shelf changes one number in the people on whom we judge models, and leaves everything
# else as it was, file mode too. The name on the shelf is now a lie. **Will `dvc pull` notice?**

# %%
victim = shelf / pointer[:2] / pointer[2:]
mode = victim.stat().st_mode
victim.chmod(0o644)
victim.write_text(victim.read_text().replace("False", "True ", 1))
victim.chmod(mode)
sh("git clone -q bank newcomer", home)
sh("dvc pull -q", home / "newcomer")
sh("dvc status", home / "newcomer")

# %% [markdown]
# Not a word, and even the status is content: a file that comes off the shelf is believed to be what its name says,
# because hashing terabytes on every pull is slow. Our `get` would have said it, and so does DVC, when asked:

# %%
try:
    get(pointer, shelf)
except AssertionError as refusal:
    print("ours:", refusal)
sh("dvc remote modify shelf verify true", home / "newcomer")
shutil.rmtree(home / "newcomer" / ".dvc" / "cache")
(home / "newcomer" / "holdout.csv").unlink()
sh("dvc pull", home / "newcomer", may_fail=True)

# %% [markdown]
# And the bank, whose own copy is sound? It cannot mend the shelf by sending it again:

# %%
sh("dvc push")

# %% [markdown]
# There is something of that name already, so there is nothing to do. (Delete the bad file from the shelf first.)
#
# Set `verify` on any shelf that others can write to. And know what it is worth: an md5 catches bit rot and clumsy
# hands. Somebody who wants to cheat and may write to git as well changes the pointer too, and md5 itself has been broken
# for twenty years. Against him stand signed commits and signed models (lesson 05/04).
#
# ## Forgetting
#
# A store that keeps everything also keeps what you must not have. `dvc gc` drops what nothing names any more; `-w`
# says that only the present state counts, `-c` that the shelf is swept too, not only your cache.

# %%
before = size(cache)
sh("dvc gc -q -w -c -f")
print(f"cache: {before:,} -> {size(cache):,} bytes")
for where, place in (("cache", cache), ("shelf", shelf)):
    print(f"model of v1 in the {where}:", (place / locked[:2] / locked[2:]).exists())

# %% [markdown]
# Git still has the tag v1, with a pointer to nothing. That is the right order of things when a person asks to be
# forgotten: that there was a version stays known, the bytes go. The colleague, though, pulled all tags, and no command
# of yours reaches her disk. Lesson 04/06 takes that up.

# %%
print(
    "still in the colleague's cache:", (home / "colleague" / ".dvc/cache/files/md5" / locked[:2] / locked[2:]).exists()
)
temporary.cleanup()

# %% [markdown]
# ## Others who do it
#
# *Git LFS* is the pointer half alone: the bytes go to your git host's store, and there is no pipeline and no metric.
# *lakeFS*, whose makers took over DVC in November 2025 (its code is now at github.com/treeverse/dvc), moves the idea
# to the bucket: branch, commit and merge over a whole data lake, without copying, through a server that everyone
# reads and writes through. *Pachyderm* turns it round: commits of data start the pipelines, inside Kubernetes. Both
# need a server of their own, so both are tours: `python3 bootstrap.py tour lakefs` and
# `pachyderm.py` beside it, each with its real client, and each says where it had to stop. A *registry* (lessons 02/05
# and 03/06) says which version of a model is in charge, which a tag says badly.
#
# ## What this does not prove
#
# Our shelf is a folder on the same disk, so nothing here was slow, half uploaded or refused. Our data is under two
# megabytes; DVC hashes every byte it sees for the first time, and on a terabyte you wait. The model was trained once
# for each version on one machine, so nothing shows that another processor would train the same bytes. And the pipeline ran the
# Python that was there: the lock names scripts and data, not the environment. That was lesson 04.
#
# ## Check yourself
#
# <details><summary>You check out last month's tag with git, start the service, and it scores as before. Why?</summary>
#
# Git moved the pointers, not the bytes. `dvc checkout` (or the hook of `dvc install`) brings the model that they name.
# </details>
#
# <details><summary>Your one Parquet file of 10 GB gets 1 MB of new rows every day. What will a year of versions cost, and what would you change?</summary>
#
# Some 365 times 10 GB: each day is another file to a store that knows only files. Write one file a day; the year then costs
# the rows it brought.
# </details>
#
# <details><summary>`dvc repro` says that everything is up to date. Does that prove that the model is right?</summary>
#
# It proves that the hashes are those of the lock: same scripts, data and parameters as in the run that made it. If the data
# was wrong then, it is the same wrong model, as v2 was.
# </details>
#
# <details><summary>Why may `metrics.json` live in git (`cache: false`), and the model not?</summary>
#
# It is a few dozen bytes of text, and people want to read it in the diff of a pull request. The model is bytes that nobody
# reads, and with a larger one each version would stay in every clone for ever.
# </details>
#
# ## Take-away
#
# **Give data and models names made of their content, keep the names in git and the bytes on a shelf; then one commit
# names code, data and model together, and yesterday is two commands away.**
#
# ## Go further
#
# - Card: [git and DVC](../cards/git-dvc.md)
# - DVC 3 documentation: *Get Started*, `dvc.yaml` files, `dvc remote modify` (`verify`), `dvc gc`
# - *Pro Git*, 2nd edition, chapter 10.2 "Git Objects": git is itself such a store
# - lakeFS documentation, *Concepts and model*; Pachyderm documentation 2.12, *Data-driven pipelines*
# - Lab `01-reproducible-training`, exercise 3: a fingerprint of the data
# - In the glossary: [data versioning](../../../GLOSSARY.md#data-versioning), [content hash](../../../GLOSSARY.md#content-hash)
