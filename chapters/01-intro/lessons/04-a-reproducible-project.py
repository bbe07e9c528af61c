# %% [markdown]
# # 04 A reproducible project
#
# ## You will
#
# - lay out a project so that a colleague can run it from a fresh checkout, and prove it with a hash
# - name seven reasons why the same script writes another model file, and mend those that lie in the script
# - say what git, a lock file, conda and Docker each hold fixed, and what none of them does
# - keep a notebook as text, run it from the top with other parameters, and see hidden state before it bites
# - state what equality to the byte promises, and where it ends
#
# ## You need
#
# Lesson 01/01, and git on your PATH. All happens in a temporary folder; your own git settings are not touched.
#
# ## Time
#
# 69 minutes to read, 45 seconds to run.
#
# ## The story so far
#
# You trained Oakbank's first model and it earned money. Now a colleague is to take it over, and asks the only question
# that counts: "can I make the same one?"

# %% [markdown]
# ## A project is a folder
#
# Here is the layout that most projects end up with. One rule made it: **what a person wrote is kept, what a run wrote is
# not**, because a run can write it again. That is a claim, and this lesson tests it.
#
# | folder | who writes it | in git |
# |---|---|---|
# | `pyproject.toml`: Python, packages | a person | yes |
# | `src/`: code that runs | a person | yes |
# | `tests/`: what must stay true | a person | yes |
# | `notebooks/`: for reading, no logic of its own | a person | yes, as text |
# | `data/`, `models/` | a run | no |
#
# Two helpers first: one writes a file of the project, one runs a command in a folder. Git gets a name and a date that
# are fixed, so your commits will have the same hashes as ours.

# %%
import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

home = tempfile.TemporaryDirectory()
mine, theirs = Path(home.name) / "mine", Path(home.name) / "theirs"


def write(name, text):
    (mine / name).parent.mkdir(parents=True, exist_ok=True)
    (mine / name).write_text(text, encoding="utf-8", newline="\n")


# %%
from course.lesson import own_git

SETTINGS = own_git(Path(home.name), "2024-01-31T12:00:00Z")  # your own settings stay out of it


# %%
def run(*command, cwd, **settings):
    done = subprocess.run(command, cwd=cwd, env=SETTINGS | settings, capture_output=True, text=True)
    if done.returncode:
        raise RuntimeError(done.stdout + done.stderr)
    return done.stdout.strip()


# %% [markdown]
# Now the project. The data come from the simulator by a seed, one CSV file a month: the loans whose outcome is known.

# %%
write("pyproject.toml", '[project]\nname = "credit"\nversion = "0.1"\nrequires-python = ">=3.11"\n')
write(".gitignore", "data/\nmodels/\n__pycache__/\n")
write("src/data.py", '''"""Write the bank's history to data/, one file a month."""
from pathlib import Path
from oakbank.world import World

world, folder = World(seed=7, scenario="calm"), Path("data")
folder.mkdir(exist_ok=True)
for month in range(-12, -3):
    decided = world.officer_decisions(month)
    granted = decided.loc[decided["granted"], "application_id"]
    outcome = world.outcomes(month + 3, granted)[["application_id", "defaulted"]]
    loans = world.applications(month).merge(outcome, on="application_id")
    loans.to_csv(folder / f"month{month:+03d}.csv", index=False, lineterminator="\\n")
''')  # fmt: skip

# %% [markdown]
# And the training script, as one writes it on a good afternoon: a logistic regression by stochastic gradient descent.
# It takes the loans in random order, 32 at a time, and after each batch pushes the weights a little towards the
# outcomes. **Before you go on, count the lines that could make the file come out different for your colleague.**

# %%
write("src/train.py", '''"""Train the default model."""
import pickle
import time
from pathlib import Path
import numpy as np
import pandas as pd

COLUMNS = {"income", "debts", "bureau_score", "delinquencies", "amount", "term"}

loans = pd.concat(pd.read_csv(file) for file in Path("data").glob("*.csv"))
X = loans[list(COLUMNS)].to_numpy(float)
X = np.column_stack([np.ones(len(X)), (X - X.mean(axis=0)) / X.std(axis=0)])
y = loans["defaulted"].to_numpy(float)
weights = np.random.normal(0, 0.01, size=X.shape[1])
for batch in np.array_split(np.random.permutation(len(X)), len(X) // 32):
    risk = 1 / (1 + np.exp(-X[batch] @ weights))
    weights += 0.01 * X[batch].T @ (y[batch] - risk)

model = {"weights": weights, "data": str(Path("data").resolve()), "trained_at": time.time()}
Path("models").mkdir(exist_ok=True)
Path("models/model.pkl").write_bytes(pickle.dumps(model))
''')  # fmt: skip

# %% [markdown]
# ## What git keeps
#
# A commit is a snapshot of the folder under a name that is made from the content: a hash. For one file you can make it
# by hand. Git puts a short header before the bytes and takes SHA-1:

# %%
content = (mine / "src/train.py").read_bytes()
by_hand = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
run("git", "init", "--quiet", "--initial-branch=main", cwd=mine)
by_git = run("git", "hash-object", "src/train.py", cwd=mine)
print(by_hand[:12], by_git[:12], by_hand == by_git)


# %% [markdown]
# A folder is hashed from the names and hashes of its files, a commit from its folder, author, date and the commit before
# it. So one hash stands for all that led to it.


# %%
def commit(message):
    run("git", "add", "--all", cwd=mine)
    run("git", "commit", "--quiet", f"--message={message}", cwd=mine)


commit("Train a default model")
print(run("git", "log", "--oneline", cwd=mine))
print(run("git", "ls-files", cwd=mine))

# %% [markdown]
# ## Your colleague's turn
#
# She clones the repository into a folder of her own, makes the data, trains. Each script runs in a process of its own,
# as it would on her machine. `fingerprint` hashes all files of a folder, names and bytes.


# %%
def fingerprint(folder):
    whole = hashlib.sha256()
    for file in sorted(folder.iterdir()):
        whole.update(file.name.encode() + b"\0" + hashlib.sha256(file.read_bytes()).digest())
    return whole.hexdigest()[:12]


run("git", "clone", "--quiet", str(mine), str(theirs), cwd=home.name)
for who in (mine, theirs):
    run(sys.executable, "src/data.py", cwd=who)
print("data ", fingerprint(mine / "data"), fingerprint(theirs / "data"))

# %%
models = []
for who in (mine, theirs, mine):
    run(sys.executable, "src/train.py", cwd=who)
    models.append(fingerprint(who / "models"))
print(f"{len(models)} trainings, {len(set(models))} different models")

# %% [markdown]
# The data are the same to the byte. The model is not: not in her folder, and not even in yours a second time. Nobody made
# a mistake that a test would catch; each line does what it says. So let us find the causes one at a time.
#
# ## Cause 1: chance
#
# The script draws from a generator that the operating system seeds anew in each process. The usual mending is
# `np.random.seed(7)` at the top. Then somebody adds one innocent draw, in a library that you have never read:

# %%
import numpy as np


def mark(data):
    return hashlib.sha256(bytes(data)).hexdigest()[:12]


for neighbour in ("alone", "with a neighbour"):
    np.random.seed(7)
    rng = np.random.default_rng(7)
    _ = np.random.random() if neighbour != "alone" else None
    print(f"{neighbour:<18} global", mark(np.random.permutation(1000)), "  own", mark(rng.permutation(1000)))

# %% [markdown]
# A global seed belongs to everybody in the process. A generator of your own belongs to you, and can be handed on.
# ## Cause 2: order
#
# `glob` promises no order; the file system answers as it likes. A database promises none either, unless you ask.
# Does it matter, with the same rows and the same seed? Guess: how many of a month's 2,000 applicants get another
# answer, yes instead of no, because the training rows came in another order?

# %%
import pandas as pd
from sklearn.ensemble import RandomForestClassifier

from oakbank.world import World, break_even

columns = ["income", "debts", "bureau_score", "delinquencies", "amount", "term"]
files = sorted((mine / "data").glob("*.csv"))
january = World(seed=7, scenario="calm").applications(0)
risk = []
for order in (files, files[::-1]):
    loans = pd.concat(pd.read_csv(file) for file in order)
    forest = RandomForestClassifier(n_estimators=40, min_samples_leaf=20, random_state=7)
    forest.fit(loans[columns], loans["defaulted"])
    risk.append(forest.predict_proba(january[columns])[:, 1])
print([mark(probabilities.tobytes()) for probabilities in risk])

# %%
import matplotlib.pyplot as plt

limit = break_even(january["amount"], january["term"])
flips = (risk[0] < limit) != (risk[1] < limit)
fig, ax = plt.subplots(figsize=(5, 4))
ax.scatter(risk[0][~flips], risk[1][~flips], s=4, color="0.7", label="same answer")
ax.scatter(risk[0][flips], risk[1][flips], s=8, color="C3", label=f"{flips.sum()} get another")
ax.set(xlabel="risk, files in order", ylabel="risk, files reversed", title="Same rows, same seed")
_ = ax.legend()

# %% [markdown]
# Each red dot is a person. The forest draws its samples by position, and in another order the same positions are
# other loans. The seed fixed the draw, and nobody fixed what was drawn from. Sort by a key of your own.
#
# ## Cause 3: sets
#
# `COLUMNS` is a set. Python shuffles the hashes of text anew in each process, against attackers with chosen keys, and the
# order of a set follows them. `PYTHONHASHSEED` fixes the shuffle, so we can watch it:

# %%
show = "print(list({'income', 'debts', 'amount', 'term'}))"
for shuffle in ("1", "2", "3"):
    print(run(sys.executable, "-c", show, cwd=mine, PYTHONHASHSEED=shuffle))

# %% [markdown]
# The first weight belongs to another column each time. Write a list, or `sorted(...)`; do not rely on everyone setting a
# variable.
#
# ## Cause 4: clocks and paths
#
# `trained_at` and the folder's path sit inside the artefact: no two runs and no two people can ever agree. They are
# useful *beside* the model, in a record of the run. And some formats bring a clock of their own:

# %%
import gzip

text = b"income 0.25\n" * 100
monday, tuesday = gzip.compress(text, mtime=1_700_000_000), gzip.compress(text, mtime=1_700_086_400)
print(mark(monday), mark(tuesday))
print("bytes that differ:", [at for at, (a, b) in enumerate(zip(monday, tuesday, strict=True)) if a != b])

# %% [markdown]
# We gave gzip its two days by hand; on Python 3.11 to 3.13 its default is now. `mtime=0` mends it.
#
# ## Cause 5: pickle
#
# A pickle does not hold values, it holds the steps to rebuild objects, shared ones included. Two equal lists:

# %%
import json
import pickle

lists = ["income", "income"], ["income", "".join("income")]
print("equal:", lists[0] == lists[1])
print("pickle", [mark(pickle.dumps(one)) for one in lists])
print("json  ", [mark(json.dumps(one).encode()) for one in lists])

# %% [markdown]
# In the first list the name is stored once and pointed to twice, in the second it is stored twice. JSON depends on the
# values alone, once its keys are sorted, and it loses nothing: Python writes a float with as many digits as bring
# exactly that float back.
#
# ## Cause 6: the order of a sum
#
# A float keeps some 16 digits. Each addition rounds, so the sum depends on who is added to whom first. With two
# threads each sums its share, and the shares meet at the end. By hand, and then a real dot product in NumPy's BLAS:

# %%
values = np.random.default_rng(7).normal(size=100_000)
for threads in (1, 2, 4):
    parts = [float(np.cumsum(values[start::threads])[-1]) for start in range(threads)]
    print(threads, "threads by hand", repr(float(np.cumsum(parts)[-1])))

# %%
dot = "import numpy; x = numpy.random.default_rng(7).normal(size=300_000); print(repr(float(x @ numpy.abs(x))))"
for threads in ("1", "2", "4"):
    print(threads, "threads in BLAS", run(sys.executable, "-c", dot, cwd=mine, OPENBLAS_NUM_THREADS=threads))

# %% [markdown]
# The last digits move. (If your lines of BLAS agree, yours splits its work otherwise, or has one core.) Mostly this is
# noise that nobody needs to fear, but a hash sees every bit. Fix the number of threads of a run that is to be repeated.
# Where only the sum counts, `math.fsum` is exact and does not care about order:

# %%
import math

print({math.fsum(values), math.fsum(values[::-1]), math.fsum(np.random.default_rng(1).permutation(values))})

# %% [markdown]
# ## Cause 7: another version
#
# Add 0.1 ten times. What comes out depends on your Python, and the cell knows how:

# %%
print(sys.version.split()[0], sum([0.1] * 10))
assert sum([0.1] * 10) == (1.0 if sys.version_info >= (3, 12) else 0.9999999999999999)

# %% [markdown]
# With Python 3.12, `sum` of floats became more accurate: an improvement, announced, in the most boring function there
# is, and it changes every hash behind it. Libraries change their defaults, solvers and random streams in the same way.
# So versions are an input of the run, like data.
#
# ## Mended
#
# The script has seven such places, of causes 1 to 5: two random draws, `glob`, the set, the path, the clock, the
# pickle. Now a generator of its own, sorted files and rows, a list of columns, text without clock or path. Causes 6
# and 7, threads and versions, are not in the script's hands; we come back to them.

# %%
write("src/train.py", '''"""Train the default model: python src/train.py [SEED]"""
import json, sys
from pathlib import Path
import numpy as np
import pandas as pd

COLUMNS = ["income", "debts", "bureau_score", "delinquencies", "amount", "term"]

def load(folder):
    loans = pd.concat(pd.read_csv(file) for file in sorted(Path(folder).glob("*.csv")))
    return loans.sort_values("application_id", ignore_index=True)

def train(loans, seed):
    rng, X, y = np.random.default_rng(seed), loans[COLUMNS].to_numpy(float), loans["defaulted"].to_numpy(float)
    X = np.column_stack([np.ones(len(X)), (X - X.mean(axis=0)) / X.std(axis=0)])
    weights = rng.normal(0, 0.01, size=X.shape[1])
    for batch in np.array_split(rng.permutation(len(X)), len(X) // 32):
        risk = 1 / (1 + np.exp(-X[batch] @ weights))
        weights += 0.01 * X[batch].T @ (y[batch] - risk)
    return dict(zip(["intercept", *COLUMNS], weights.tolist(), strict=True))

if __name__ == "__main__":
    model = train(load("data"), seed=int(sys.argv[1]) if sys.argv[1:] else 7)
    Path("models").mkdir(exist_ok=True)
    Path("models/model.json").write_text(json.dumps(model, indent=1, sort_keys=True))
''')  # fmt: skip

# %% [markdown]
# Such a property dies with the next careless edit unless a test watches it. This one trains in two processes with
# different shuffles of the hashes, and compares what lies in `models/`:

# %%
write("tests/test_train.py", '''import os, subprocess, sys
from pathlib import Path

def files_of_a_run(shuffle):
    env = os.environ | {"PYTHONHASHSEED": shuffle}
    subprocess.run([sys.executable, "src/train.py"], check=True, env=env)
    return {file.name: file.read_bytes() for file in Path("models").iterdir()}

def test_two_runs_write_the_same_bytes():
    assert files_of_a_run("1") == files_of_a_run("2")
''')  # fmt: skip
commit("The same inputs give the same model file")

# %% [markdown]
# A test that was never red proves nothing. So git first gives it the old script back, then the new one:

# %%
pytest = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
for commit_id in ("HEAD~1", "HEAD"):
    run("git", "checkout", "--quiet", commit_id, "--", "src/train.py", cwd=mine)
    env = SETTINGS | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(pytest, cwd=mine, env=env, capture_output=True, text=True)
    print(f"script of {commit_id:<7}", {0: "green", 1: "red"}[done.returncode])

# %% [markdown]
# ## The proof
#
# Both of you start from nothing: she clones anew, you have git remove whatever it does not know. Data, train.

# %%
shutil.rmtree(theirs)
run("git", "clone", "--quiet", str(mine), str(theirs), cwd=home.name)
run("git", "clean", "-fdx", "--quiet", cwd=mine)
for who in (mine, theirs):
    run(sys.executable, "src/data.py", cwd=who)
    run(sys.executable, "src/train.py", cwd=who)
    model = (who / "models/model.json").read_bytes()
    print(f"{who.name:<7}", hashlib.sha256(model).hexdigest())

# %% [markdown]
# **Equal to the byte, from a fresh checkout.** All that travelled between the two folders is a commit. From now on, "do
# you get the same?" is settled by two people who read each other twelve characters over the phone.
#
# And when they do not match, you want to know where to look. That takes a record beside the model: all that went in,
# each thing as a hash or a version, and what came out.


# %%
def record(folder, seed):
    return {
        "commit": run("git", "rev-parse", "HEAD", cwd=folder),
        "edited": bool(run("git", "status", "--porcelain", cwd=folder)),
        "data": fingerprint(folder / "data"),
        "seed": seed,
        "environment": [sys.version, np.__version__, pd.__version__],
        "model": fingerprint(folder / "models"),
    }


# %% [markdown]
# Now she trains with another seed, and afterwards changes a line, "just to try something":

# %%
run(sys.executable, "src/train.py", "8", cwd=theirs)
with (theirs / "src/train.py").open("a") as script:
    script.write("# just trying something\n")
ours, hers = record(mine, 7), record(theirs, 8)
print("differs:", [key for key in ours if ours[key] != hers[key]])

# %% [markdown]
# The model differs, and the record names two suspects. `edited` matters more than it looks: a commit describes a run
# only if nothing was changed since. In the lab you build such a record, and a check that tells "explained" from "not
# reproducible".
#
# ## Environments: what else travelled
#
# Both folders used one Python with one set of packages. On her own machine they would be hers. Who holds which layer?
#
# ```mermaid
# flowchart TB
#     A[seed, configuration] --- B[code]
#     B --- C[data]
#     C --- D[Python packages]
#     D --- E[Python itself, C libraries]
#     E --- F[operating system's files]
#     F --- G[kernel, driver]
#     G --- H[processor]
# ```
#
# | tool | holds | leaves open |
# |---|---|---|
# | git | seed, configuration, code | data of any size, everything below |
# | uv with `uv.lock` | each package, by hash; asks for a range of Pythons, and can fetch one | C libraries of the system |
# | conda | Python and C libraries too, as packages | hashes, unless you export an explicit list |
# | Docker | every file down to the operating system's | kernel, driver, processor |
#
# In words: each tool reaches one layer deeper, and none reaches the processor. They stack rather than compete: an
# image is built from a lock file, which lies in git.
#
# The heart of a lock file is the **hash pin**. By hand: a wheel is a zip file, and its SHA-256 says which one you mean.

# %%
import zipfile

wheel, about = Path(home.name) / "tiny-1.0-py3-none-any.whl", "tiny-1.0.dist-info"
texts = {"METADATA": "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n", "RECORD": ""}
texts |= {"WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\n"}


def make_wheel(body):
    with zipfile.ZipFile(wheel, "w") as package:
        for name, text in {"tiny.py": body, **{f"{about}/{name}": text for name, text in texts.items()}}.items():
            package.writestr(zipfile.ZipInfo(name), text)
    return hashlib.sha256(wheel.read_bytes()).hexdigest()


pin = make_wheel("answer = 42\n")
print(make_wheel("answer = 42\n") == pin, make_wheel("answer = 43\n") == pin)

# %% [markdown]
# Both call themselves tiny 1.0. A version is a name that somebody promises not to use twice; a hash needs no promise.
# Here is this course's own lock file:

# %%
import tomllib

from course.lesson import ROOT

lock = tomllib.loads((ROOT / "uv.lock").read_text())
[sklearn] = [package for package in lock["package"] if package["name"] == "scikit-learn"]
print(f"{len(lock['package'])} packages, {sum(len(p.get('wheels', [])) for p in lock['package'])} wheels with a hash")
print(f"{len(sklearn['wheels'])} of them are scikit-learn, e.g. with {sklearn['wheels'][0]['hash']}")

# %% [markdown]
# One version, many wheels: so even a perfect lock gives Linux and macOS different compiled code. Now the tool; it is one of
# the course's own packages:

# %%
from uv import find_uv_bin

uv = find_uv_bin()
print(run(uv, "--version", cwd=home.name))

# %% [markdown]
# Does uv read the same hashes out of the lock as we did, and does the lock still fit `pyproject.toml`? Both without
# network, for all that is asked lies in these two files:

# %%
project = ["--project", str(ROOT), "--offline", "--no-config"]
text = run(uv, "export", *project, "--frozen", "--no-header", "--no-annotate", "--no-emit-project", cwd=home.name)
entry = re.search(r"^scikit-learn==.*?(?=^\S)", text, re.MULTILINE | re.DOTALL)[0]
ours = {wheel["hash"] for wheel in [*sklearn["wheels"], sklearn["sdist"]]}
print("uv exports the same hashes:", set(re.findall(r"sha256:\w+", entry)) == ours)
run(uv, "lock", "--check", *project, "--no-cache", cwd=home.name)  # an error, if the lock were out of date
print("the lock fits pyproject.toml")

# %% [markdown]
# And does a pin refuse? We pin the wheel with 42 in it, and let uv install once that one, once the other:

# %%
(Path(home.name) / "pins.txt").write_text(f"tiny==1.0 --hash=sha256:{pin}\n")
install = "--color=never --no-config --offline --no-cache pip install --no-index --find-links=. --target=here"
hashes = ["--reinstall", "--require-hashes", "--requirement=pins.txt", "--python", sys.executable]
for body in ("answer = 42\n", "answer = 43\n"):
    make_wheel(body)
    done = subprocess.run([uv, *install.split(), *hashes], cwd=home.name, env=SETTINGS, capture_output=True, text=True)
    print(body.strip(), "->", (re.search(r"\+ tiny.*|Hash mismatch.*", done.stderr) or [done.stderr])[0])

# %% [markdown]
# A lock only helps those who use it. Which packages of *this* notebook's environment are not the locked version?

# %%
from importlib.metadata import distributions

locked = {}
for package in lock["package"]:
    locked.setdefault(package["name"], set()).add(package.get("version"))
here = {re.sub(r"[-_.]+", "-", one.metadata["Name"]).lower(): one.version for one in distributions()}
print({name: version for name, version in here.items() if name in locked and version not in locked[name]})

# %% [markdown]
# An empty `{}` means that you have what we had. Anything else is cause 7, waiting.
#
# **conda** solves the layer below: its packages include Python, BLAS, even CUDA. This repository carries an
# `environment.yml` for Binder and conda, made from the lock:

# %%
text = (ROOT / "environment.yml").read_text()
print("\n".join(text.splitlines()[1:9]) + f"\n  … {text.count('==')} pins, {text.count('sha256')} hashes")

# %% [markdown]
# Versions, no hashes, and `python=3.12` in whatever build the channel has that day. conda's own way to the hash is
# `conda list --explicit --sha256`, one file per platform. We did not run conda here.
#
# **Docker** takes everything down to the operating system's files into one image. Its recipe is no pin: a tag like
# `python:3.11-slim` moves with every update, and `RUN pip install pandas` means the newest of that day. What pins is
# `FROM python:3.11-slim@sha256:…` and an install from a lock. The *image*, once built, has a hash for good. Lesson 01/07
# builds one.
#
# ## Notebooks
#
# A notebook is the best place to think and the worst place to keep what you thought. A kernel remembers every cell
# that ever ran, in the order of your clicks; the file keeps cells in the order of the page. Here is one in a real
# kernel. The person at the keyboard runs the second cell twice, as one does. Guess what the last cell prints.

# %%
import nbformat
from nbclient import NotebookClient

sources = ["rate = 0.12", "rate = rate + 0.02", "print(f'{rate:.2f}')"]
clicked = nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, sources)))
quiet = {"extra_arguments": ["--log-level=ERROR"]}  # no warning that this kernel's wire is not encrypted
client = NotebookClient(clicked, kernel_name="python3", **quiet)
with client.setup_kernel():
    for click in (0, 1, 1, 2):
        client.execute_cell(clicked.cells[click], click)
print("the page says", clicked.cells[2].outputs[0].text.strip(), [cell.execution_count for cell in clicked.cells])

# %%
fresh = nbformat.v4.new_notebook(cells=list(map(nbformat.v4.new_code_cell, sources)))
NotebookClient(fresh, kernel_name="python3", **quiet).execute()
print("from the top ", fresh.cells[2].outputs[0].text.strip(), [cell.execution_count for cell in fresh.cells])

# %% [markdown]
# Everyone who reads the page computes 0.14 and sees 0.16. The only trace is the numbers in brackets: they should be 1,
# 2, 3. **Restart and run all**, before you believe a notebook and before you show it.
#
# ### Text is the truth
#
# The second trouble is the file: JSON with outputs, counts and pictures in it, which nobody can review. So keep the
# notebook as text, in the percent format: `# %%` starts a cell, `[markdown]` makes it prose. This lesson is written
# so, and so is this report for the project:

# %%
write("notebooks/report.py", """# %% [markdown]
# # What drives the risk?

# %% tags=["parameters"]
seed = 7

# %%
import sys

sys.path.insert(0, "../src")
from train import load, train

weights = train(load("../data"), seed)
print(f"seed {seed}: bureau score {weights['bureau_score']:+.3f}")
""")  # fmt: skip
commit("A report, as text")

# %% [markdown]
# A format that simple can be counted by hand. `jupytext`, the tool, makes a notebook of it, and text again:

# %%
import jupytext

source = (mine / "notebooks/report.py").read_text()
notebook, again = (jupytext.reads(source, fmt="py:percent") for _ in range(2))
print("the same cells:", len(re.findall(r"^# %%", source, flags=re.MULTILINE)) == len(notebook.cells))
notebook.metadata["jupytext"] = {"notebook_metadata_filter": "-all"}
print("text -> notebook -> text, equal to the byte:", jupytext.writes(notebook, fmt="py:percent") == source)
print("text -> notebook, done twice, equal:", notebook.cells == again.cells)

# %% [markdown]
# The round trip loses nothing. But two notebooks of one text differ: each cell has an id, and jupytext draws it at
# random. Cause 1, once more. (This course makes the ids from the cells' content.)
#
# ### Parameters
#
# Tomorrow you need the report for another seed. By hand: edit a cell, run all, hope that you put it back. `papermill` runs a
# notebook from the top in a fresh kernel, with a cell of your values after the one tagged `parameters`:

# %%
import papermill

report, report_8 = Path(home.name) / "report.ipynb", Path(home.name) / "report-8.ipynb"
jupytext.write(notebook, report)
options = {"cwd": mine / "notebooks", "kernel_name": "python3", "language": "python", "progress_bar": False, **quiet}
ran = papermill.execute_notebook(report, report_8, parameters={"seed": 8}, **options)
for cell in ran.cells[1:]:
    print(
        f"{cell.metadata['tags']!s:<25}{cell.source.splitlines()[-1]:<65}", *(one.text.strip() for one in cell.outputs)
    )

# %% [markdown]
# The text in `notebooks/` was not touched; `report-8.ipynb` holds code, parameters and outputs together, the record of
# one run. Your colleague trained with seed 8, in another folder and another process. Does her model agree?

# %%
model = json.loads((theirs / "models/model.json").read_text())
print(f"her model, seed 8: bureau score {model['bureau_score']:+.3f}")

# %% [markdown]
# And how much would there be to review?

# %%
print(len(source.splitlines()), "lines of text,", len(report_8.read_text().splitlines()), "lines of notebook")

# %% [markdown]
# ## Another processor
#
# Back to the proof. Two folders on one machine are the mildest test there is. A processor of another age has narrower
# registers and adds up in another order; NumPy's BLAS picks its routines at start, by what it finds. On Intel and AMD
# we can ask it to take the routines of an older one. **Will the model's hash survive?**

# %%
import platform

intel = platform.machine() in ("x86_64", "AMD64")
AGES = ("Haswell", "Nehalem") if intel else ("NEOVERSEN1", "ARMV8")


def train_on_each():
    for age in AGES:
        run(sys.executable, "src/train.py", cwd=mine, OPENBLAS_CORETYPE=age)
        weights = json.loads((mine / "models/model.json").read_text())
        print(f"{age:<10}", fingerprint(mine / "models"), weights["bureau_score"])


train_on_each()

# %% [markdown]
# Same commit, data, seed, lock, even the same machine: and on Intel and AMD another hash, for the sums over a batch were
# rounded in another order. (On ARM, or where NumPy uses Apple's library, the two lines may agree.) No container would
# have helped; the processor is not in the image. There are two ways out, and you should know which one you took. Either the
# promise becomes "equal within a tolerance", and you compare with `np.allclose`. Or the file holds no more digits than
# you mean:

# %%
exact = (mine / "src/train.py").read_text()
write("src/train.py", exact.replace("weights.tolist()", "weights.round(6).tolist()"))
commit("Six digits are meant, six are kept")
train_on_each()

# %% [markdown]
# The hash is back, and six digits of a weight are more than the data can know. It is no guarantee: a weight that lies
# just on the edge between two roundings can still fall to either side.

# %%
home.cleanup()

# %% [markdown]
# ## What this does not prove
#
# Both folders lie on one machine, with one environment; the older processor was imitated, and only in what NumPy's BLAS
# does. We have not run this on ARM, on macOS or on a GPU. On a GPU, thousands of threads add into one number in whatever
# order they arrive, so two runs on the *same* card can differ, unless the library is told to take slower routines. No second version of a library was installed, no conda environment made, no image
# built. And equality is not quality: a leak or a wrong column is reproduced to the byte as well.
#
# ## Check yourself
#
# <details><summary>Your script sets <code>random_state=7</code> everywhere, and after the data team moved the table to another
# database the model is another one. What happened?</summary>
#
# The rows came in another order. The seed fixes which positions are drawn, not which loans stand there. Sort by a key.
# </details>
#
# <details><summary>Both of you run from the same commit and the same <code>uv.lock</code>, and the hashes differ. Name two causes that are
# left.</summary>
#
# The data, edits that were never committed, another wheel of the same version on another system, threads, the
# processor. The record tells the first two apart from the rest.
# </details>
#
# <details><summary>A notebook's cells are numbered 1, 2, 5, 6. What do you know, and what do you do?</summary>
#
# Cells were run again or deleted; the outputs may not follow from the code. Restart, run all, compare.
# </details>
#
# ## Take-away
#
# **A result counts when a colleague gets the same one from a fresh checkout. Everything that goes in is in the commit or
# has a hash; what comes out holds nothing but the result.**
#
# ## Go further
#
# - Card: [papermill, jupytext, nbgrader](../cards/papermill-nbgrader.md)
# - uv 0.13: *Locking and syncing*; conda: *Managing environments*; Docker: *Building best practices*, on digests
# - Python: *What's New in 3.12*, on `sum()`; *Command line and environment*, on `PYTHONHASHSEED`
# - scikit-learn 1.9: *Controlling randomness*; NumPy: NEP 19, what a random stream promises
# - The documentation of jupytext 1.19 and papermill 2.7; Joel Grus, *I don't like notebooks*, JupyterCon 2018
# - The lab `01-reproducible-training` builds the record and the check; lesson 01/05 gives the data a history
# - In the glossary: [reproducibility](../../../GLOSSARY.md#reproducibility), [environment](../../../GLOSSARY.md#environment), [lock file](../../../GLOSSARY.md#lock-file), [seed](../../../GLOSSARY.md#seed)
