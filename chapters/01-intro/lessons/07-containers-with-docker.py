# %% [markdown]
# # 07 Containers with Docker
#
# ## You will
#
# - say what an image is, and make one by hand that an engine accepts
# - read a Dockerfile line by line, and say which of its lines run again after a change
# - build Oakbank's service small, without root, and with a health check
# - set a memory limit, watch it being hit, and recognise it afterwards
# - tell a container that ends by itself from one that has to be killed, and say which yours will be
#
# ## You need
#
# Lesson 01 for the model. A container engine (Docker Desktop, Docker Engine, Colima, or Podman's Docker socket) lets
# you run everything; without one you can still read it, and the cells say what is missing.
#
# ## Time
#
# 42 minutes to read, 45 seconds to run.
#
# ## The story so far
#
# The first model is trained, and it works on your machine. On Monday it has to work on a machine that you will never
# log in to.

# %% [markdown]
# ## Is there an engine?
#
# An engine is a program in the background that starts containers for you; it is the one with the rights to do it. We
# talk to it through its own API, with the `docker` package. `engine()` returns a client, or says in one sentence what
# is missing and how to get it.

# %%
from oakbank.intro.containers import BASE, engine

client = engine()
if client:
    print("an engine answers; base image:", BASE)

# %% [markdown]
# Where that printed a sentence instead, cells that begin with `if client:` do nothing, and the rest goes on.
# Everything that this lesson makes carries a label, so that its last cell can remove it again.
#
# ## A container is a process
#
# Start one, and let it look around: what is its process number, how many processes does it see, and who is it?

# %%
MARK = {"org.oakbank.lesson": "01-07"}
look = """import os, socket
print("number", os.getpid(), "of", sum(name.isdigit() for name in os.listdir("/proc")), "on", socket.gethostname())
print("files ", *sorted(os.listdir("/")))"""
if client:
    print(client.containers.run(BASE, ["python", "-c", look], hostname="box", labels=MARK, remove=True).decode())

# %% [markdown]
# It believes that it is process number 1 and alone on a machine called `box`, with a file system of its own. Now look
# from the outside at one that sleeps:

# %%
if client:
    sleeper = client.containers.run(BASE, ["python", "-c", "import time; time.sleep(600)"], detach=True, labels=MARK)
    processes = sleeper.top()
    print(dict(zip(processes["Titles"], processes["Processes"][0], strict=True)))

# %% [markdown]
# An ordinary process with an ordinary, large number. There is no second operating system and nothing boots: the kernel
# shows this one process a different list of processes, another network and another root folder (*namespaces*), and
# counts what it takes (*cgroups*). That is why it starts as fast as any process, and also why it is no virtual machine:
# everyone shares the kernel.
#
# ## An image, by hand
#
# So where does that other root folder come from? From an image. Before we let a tool build one, we make one ourselves.
# We ask the engine for its base image as a file and open it:

# %%
import hashlib
import io
import json
import tarfile


def content(name):
    with tarfile.open(fileobj=io.BytesIO(saved)) as archive:
        return archive.extractfile(name).read()


if client:
    saved = b"".join(client.images.get(BASE).save())
    manifest = json.loads(content("manifest.json"))[0]
    config = json.loads(content(manifest["Config"]))
    print("layers  ", *(f"{name[:24]}… {len(content(name)) / 1e6:.0f} MB" for name in manifest["Layers"]))
    print("diff_ids", *(f"{name[:24]}…" for name in config["rootfs"]["diff_ids"]))

# %% [markdown]
# A tar file with tar files in it. Each inner one is a **layer**: a heap of files to lay over those below. Beside them
# lies a JSON that lists the SHA-256 of each layer, in order, and says which command to start. That is all there is.
#
# Then we can add a layer. Ours holds one file:


# %%
def tar_of(files):
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, data in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return buffer.getvalue()


layer = tar_of({"hello.py": b'print("a layer made by hand says hello")\n'})
by_hand = "sha256:" + hashlib.sha256(layer).hexdigest()
print(by_hand)

# %% [markdown]
# Put its hash into the list, name the command, wrap it up, and hand it to the engine:

# %%
if client:
    config["rootfs"]["diff_ids"].append(by_hand)
    config["history"] = [*config.get("history", []), {"created_by": "by hand"}]
    config["config"] |= {"Cmd": ["python", "/hello.py"], "Labels": MARK}
    parts = {name: content(name) for name in manifest["Layers"]} | {"mine.tar": layer}
    described = {"Config": "config.json", "RepoTags": ["oakbank/by-hand:1"], "Layers": list(parts)}
    parts |= {"config.json": json.dumps(config).encode(), "manifest.json": json.dumps([described]).encode()}
    client.images.load(tar_of(parts))
    print(client.containers.run("oakbank/by-hand:1", labels=MARK, remove=True).decode())

# %% [markdown]
# It runs. Do we and the engine agree on what the new layer is called?

# %%
if client:
    layers = client.images.get("oakbank/by-hand:1").attrs["RootFS"]["Layers"]
    print("the same name:", layers[-1] == by_hand, "| layers of the base reused:", len(layers) - 1)

# %% [markdown]
# A layer's name is the hash of its content. Two images with the same base share it on disk and on the wire, a layer
# that was changed on its way is noticed, and an image is as good a record of *exactly this environment* as a commit
# is of exactly this code.
#
# ```mermaid
# flowchart BT
#     B["python:3.11-slim<br>the base: C library, Python"] --> P["/packages<br>fastapi, uvicorn, pydantic"]
#     P --> M["model.json"]
#     M --> C["service.py, protocol.py, scorecard.py"]
#     C --> W["a thin writable layer, one per container<br>gone with it"]
# ```
#
# In words: at the bottom the base, on it the packages, on them the model and the code; above all of it each container
# gets a writable layer of its own, which dies with it. What is below is never changed, only covered.
#
# ## The Dockerfile, line by line
#
# Nobody packs tar files by hand twice. A Dockerfile is the recipe, and each line that touches files makes a layer. Here
# is the one of Oakbank's service, from the file itself; first its upper half:

# %%
from oakbank.intro.wheelhouse import CONTAINER

dockerfile = (CONTAINER / "Dockerfile").read_text(encoding="utf-8")
install, run = dockerfile.split("# 2.")
print(install)

# %% [markdown]
# `FROM` names the base: a version, never `latest`, because the same file must mean the same thing next year.
# `requirements.txt` was made from `uv.lock` and holds the hash of every package; `--require-hashes` makes pip refuse
# anything else. `--no-index` and the `wheelhouse` mean that the packages were fetched beforehand, so the build needs no
# network and nobody's outage is yours. The brackets after `RUN` start the program itself, without a shell between.
#
# This is stage one, called `builder`. Now the second:

# %%
print("# 2." + run)

# %% [markdown]
# A second `FROM` starts again from a clean base, and `COPY --from` fetches only the result: that is a **multi-stage**
# build. The model comes before the code because code changes more often; we shall see why that matters. `USER` gives up
# root for a number that owns nothing. `EXPOSE` is a note to the reader and opens no port. `HEALTHCHECK` asks the
# service every five seconds whether it is ready; three failures in a row, each at most three seconds after it was asked,
# and it is called unhealthy. `CMD` is what runs, as process 1. It says `python -m uvicorn` because packages installed with
# `--target` put no commands on the PATH, and `--host=0.0.0.0` because on 127.0.0.1 only the container itself could ask.
#
# The model is no pickle. `scorecard.py` writes the logistic regression of lesson 01 as the numbers that it is, so the
# image needs no scikit-learn, and loading it cannot run anybody's code:

# %%
from oakbank.intro.containers import service_model

model = service_model()
print("intercept", model["intercept"], "| income", model["numbers"]["income"])
print("housing  ", model["categories"]["housing"])

# %% [markdown]
# A linter knows the usual mistakes. Here is a Dockerfile as one writes it in a hurry, beside ours:

# %%
import shutil
import subprocess
import sysconfig

hadolint = shutil.which("hadolint", path=sysconfig.get_path("scripts"))


def lint(text):
    return (
        subprocess.run([hadolint, "--no-color", "-"], input=text, capture_output=True, text=True).stdout
        or "no finding\n"
    )


hurried = "FROM python\nADD . /app\nRUN pip install fastapi uvicorn\nUSER root\nCMD uvicorn service:app\n"
if hadolint:  # it has no wheel for Windows
    print(f"hurried:\n{lint(hurried)}\nours: {lint(dockerfile)}")

# %% [markdown]
# ## Build it
#
# `write_context` writes the folder that the engine is sent: the Dockerfile, the wheels, the model, the code. Beside them
# lies a `.dockerignore`. Its first line leaves out everything, the lines with `!` bring back what is named, and the last
# line that fits a file decides. A name without a slash is looked for at the top only; `**/` would mean at any depth.

# %%
print((CONTAINER / ".dockerignore").read_text(encoding="utf-8"))

# %% [markdown]
# We build with the network switched off.

# %%
import tempfile
from pathlib import Path

from oakbank.intro.containers import write_context

work = tempfile.TemporaryDirectory()
folder = Path(work.name, "context")


def build(tag, **options):
    image, log = client.images.build(path=str(folder), tag=tag, labels=MARK, network_mode="none", rm=True, **options)
    return image, "".join(line.get("stream", "") for line in log)


if client:
    write_context(folder, client.version()["Arch"])
    image, log = build("oakbank/lesson:1")
    print(f"{image.attrs['Size'] / 1e6:.0f} MB, {len(image.attrs['RootFS']['Layers'])} layers")

# %% [markdown]
# Which line put how much into it? The engine remembers:

# %%
import pandas as pd

if client:
    lines = pd.DataFrame(image.history()[:11])  # those of the second stage, the newest first
    lines["MB"] = (lines["Size"] / 1e6).round(2)
    lines["line"] = lines["CreatedBy"].str.replace(r"/bin/sh -c #\(nop\)|(?<=:)[0-9a-f]{64}", "", regex=True).str[:60]
    print(lines[["MB", "line"]].to_string(index=False))

# %% [markdown]
# Packages weigh, code does not, and lines that only note something (`ENV`, `USER`, `CMD`) weigh nothing.
#
# ## What one stage would have cost
#
# Had we stopped after stage one, we would ship the wheels too. A colleague has a remedy: "just delete them in a last
# line." So we build three images: up to `builder` only, the same with `RUN rm -rf /build`, and ours. **Guess first: how
# much does the deletion save?**

# %%
if client:
    one_stage, _ = build("oakbank/lesson:one-stage", target="builder")
    recipe = io.BytesIO(b"FROM oakbank/lesson:one-stage\nRUN rm -rf /build\n")
    deleted, _ = client.images.build(
        fileobj=recipe, tag="oakbank/lesson:deleted", network_mode="none", rm=True, labels=MARK
    )
    base_size = client.images.get(BASE).attrs["Size"]
    added = {"one stage": one_stage, "one stage, deleted": deleted, "two stages": image}
    added = pd.Series({name: (built.attrs["Size"] - base_size) / 1e6 for name, built in added.items()})
    print(added.round(2).rename("MB on top of the base").to_string())

# %%
import matplotlib.pyplot as plt

if client:
    fig, ax = plt.subplots(figsize=(8, 2))
    ax.barh(added.index[::-1], added.iloc[::-1], color=["C0", "C3", "C3"])
    _ = ax.set(xlabel="MB on top of the base image", title="Deleting in a later layer saves nothing")

# %% [markdown]
# It saves nothing at all: the new layer only notes that the files are to be hidden, and those below still carry them.
# (So does a password that somebody copied in and deleted again: it is still there, for everyone who has the image.)
# What should not be shipped must never get into the stage that is shipped.
#
# ## Cache
#
# The engine keeps each layer. On the next build it takes the old one as long as the line and what it copies are unchanged;
# from the first change on, everything below that line runs again. We change one line of the service.
# **Which steps run again: the installation? the model? the code?**


# %%
import time


def steps(log):
    for step in log.split("Step ")[1:]:
        line = step.splitlines()[0].split(" : ")[1]
        yield "kept" if "Using cache" in step else "runs", line[:70]


if client:
    service = folder / "oakbank" / "intro" / "service.py"
    service.write_text(service.read_text(encoding="utf-8") + f"# {time.time_ns()}\n", encoding="utf-8")
    _, log = build("oakbank/lesson:2")
    print(*(" ".join(step) for step in steps(log) if step[1].startswith(("RUN", "COPY"))), sep="\n")

# %% [markdown]
# Only the last `COPY` ran, and the notes after it. The installation was kept.
# Had the file said `COPY . .` at its top, as the one written in a hurry does, each change of a comment would have
# installed everything again. So order a Dockerfile by how often things change: packages, model, code.
#
# ## Run it, with as little as it needs
#
# Nothing to write to, no special rights, 128 MiB (`m` means MiB), and no network but its own loopback: so `ask` puts its
# question from inside the container. To be reached from outside, a container publishes a port: `ports={"8000/tcp": 8000}`.
# Processor time (`nano_cpus`, in billionths of one), the number of processes (`pids_limit`) and memory with swap
# (`memswap_limit`) are bounded in the same way, and `security_opt=["no-new-privileges"]` keeps a program inside from
# becoming more than it is.

# %%
from oakbank.intro.containers import ask, wait_until

if client:
    little = {"read_only": True, "cap_drop": ["ALL"], "mem_limit": "128m", "network_mode": "none"}
    bank = client.containers.run("oakbank/lesson:1", detach=True, labels=MARK, **little)
    wait_until(bank, health="starting")
    print("at first:", bank.health)
    wait_until(bank, health="healthy")
    print("then:    ", bank.health)

# %%
from oakbank.intro import scorecard
from oakbank.world import FEATURES, World

applicant = json.loads(World(seed=7).applications(0)[list(FEATURES)].head(1).to_json(orient="records"))[0]
outside = scorecard.probability(model, applicant)
print("outside:", outside)
if client:
    print("inside: ", ask(bank, "/score", applicant))

# %% [markdown]
# The same digits inside as outside: the image carries the model, not a likeness of it. And who is it in there, what may
# it do, how much does it take?

# %%
if client:
    print(bank.exec_run("id").output.decode(), bank.exec_run("touch /app/new").output.decode(), sep="")
    used = bank.stats(stream=False)["memory_stats"]
    print(f"{used['usage'] / 2**20:.0f} of {used['limit'] / 2**20:.0f} MiB")

# %% [markdown]
# ## A limit, hit
#
# What becomes of a process that wants more than its limit? This one asks for 10 MB again and again, and prints how far
# it got. Its limit is 64 MiB. **Do you expect a `MemoryError`?**

# %%
greedy = "kept = []\nwhile True:\n    kept.append(bytearray(10_000_000))\n    print(len(kept) * 10, 'MB', flush=True)"
if client:
    tight = {"mem_limit": "64m", "memswap_limit": "64m"}
    victim = client.containers.run(BASE, ["python", "-c", greedy], detach=True, labels=MARK, **tight)
    state = wait_until(victim, status="exited")
    print(victim.logs().decode() + f"exit code {state['ExitCode']}, killed for memory: {state['OOMKilled']}")

# %% [markdown]
# No exception, no last word in the log: the kernel ended it between two instructions. 137 is 128 + 9, and 9 is the
# number of SIGKILL. A training job that dies like that at night leaves nothing but those two facts, so know them by
# sight. Without a limit the kernel would have chosen a victim on the whole machine, perhaps your neighbour's service.
#
# ## Signals
#
# To stop a container the engine sends SIGTERM to its process 1, waits (ten seconds, unless told), then kills it. Every
# release and every scale-down does this to you. The sleeper from above is still there. It does nothing about signals,
# and outside a container SIGTERM would end it at once. We stop both: the service has its ten seconds, the sleeper only
# three, to spare you the wait. **What will their exit codes be?**


# %%
if client:
    for name, container, patience in (("service", bank, 10), ("sleeper", sleeper, 3)):
        start = time.perf_counter()
        container.stop(timeout=patience)
        share = (time.perf_counter() - start) / patience
        print(f"{name}: exit code {container.wait()['StatusCode']}, after {share:.0%} of the time it was given")

# %% [markdown]
# The service ended by itself, with 0. The sleeper had to be killed: for process 1 the kernel drops every signal that the
# process has no handler for. uvicorn has one; a plain Python script has not, and neither has the shell in
# `CMD uvicorn service:app`, which stands before your program and tells it nothing. Hence the brackets in our `CMD`. A
# request that is under way when the kill comes is lost.
#
# What did the service say?

# %%
if client:
    print(bank.logs().decode())

# %% [markdown]
# Whatever a container prints, the engine keeps. The service writes no log file, knows of no log server, and its last
# lines tell that it left in good order.
#
# ## Tidy up
#
# Containers and images go, by their label. What stays with the engine are the unnamed layers below them: that is the
# cache, and the reason why a second run of this lesson is faster. `noprune` leaves it alone, as another build may stand
# on the same layers at this moment; `docker image prune` removes such leftovers.

# %%
work.cleanup()
if client:
    mine = {"label": "org.oakbank.lesson=01-07"}
    for container in client.containers.list(all=True, filters=mine):
        container.remove(force=True)
    while images := client.images.list(filters=mine):  # those that stand on others first
        for name in [name for image in images for name in image.tags or [image.id]]:
            client.images.remove(name, noprune=True)
    print("left:", len(client.containers.list(all=True, filters=mine)), len(client.images.list(filters=mine)))
    client.close()

# %% [markdown]
# ## What this does not prove
#
# All of this ran on Docker Engine 20.10, of 2020, and its classic builder; newer engines were not tried here, and one
# that reports its steps in other words leaves the list of steps empty. A container is no wall against an attacker:
# its kernel is everybody's, and lesson 05/03 returns to what comes in with a base image. We built and ran on one
# machine, and pushed to no registry; there, layers travel compressed, so the sizes differ. Our Dockerfile names its
# base by a tag, which its publisher can move: a digest (`python@sha256:…`) cannot be, and somebody must then raise it
# by hand. And two builds of it differ in the time stamps of the installed files, so the layer's hash is of this
# build, not of this recipe.
#
# ## Check yourself
#
# <details><summary>Somebody committed <code>COPY .env .</code>, and the next line deletes it. Is the password safe?</summary>
#
# No. The deletion is a layer of its own; the one with the file is still part of the image, for everyone who can pull it.
# Change the password.
# </details>
#
# <details><summary>You change <code>model.json</code> only. Which lines of our Dockerfile run again?</summary>
#
# Its `COPY`, and what stands below: the copy of the code, and the notes. The packages stay.
# </details>
#
# <details><summary>A job ended at 3 a.m. with exit code 137, and its log ends in the middle. Where do you look first?</summary>
#
# 137 is SIGKILL. `OOMKilled` in its state says whether the memory limit did it; if not, somebody stopped it and it did
# not go by itself in time.
# </details>
#
# ## Take-away
#
# **An image is a list of layers named by their hashes; a container is a process that sees nothing else. What is in no
# shipped layer cannot leak, and what has no limit takes everything.**
#
# ## Go further
#
# - *OCI Image Format Specification* v1.1: `manifest`, `config`, `layer`; it reads in half an hour
# - Docker documentation, *Building best practices* and *Dockerfile reference*
# - Linux manual, `pid_namespaces(7)`: the section on process 1 and its signals
# - The service itself: `chapters/01-intro/reference/oakbank/intro/service.py`; the lab `01-containerise-the-model` has you
#   write the Dockerfile, and lesson 08 puts this image under Kubernetes
# - In the glossary: [image](../../../GLOSSARY.md#image), [layer](../../../GLOSSARY.md#layer), [multi-stage build](../../../GLOSSARY.md#multi-stage-build), [health check](../../../GLOSSARY.md#health-check), [graceful shutdown](../../../GLOSSARY.md#graceful-shutdown)
