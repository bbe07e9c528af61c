# %% [markdown]
# # 07 Containers with Docker
#
# ## You will
#
# - say what an image is, and make one by hand that an engine accepts
# - read a Dockerfile line by line, and say which of its lines run again after a change
# - build Oakbank's service with `docker build`, and run it small, without root, and with a health check
# - set a memory limit, watch it being hit, and recognise it afterwards
# - tell a container that ends by itself from one that has to be killed, and say which yours will be
#
# ## You need
#
# Lesson 01 for the model, and a container engine (Docker Desktop, Docker Engine, Colima). Without one, the cells show
# what they showed on a machine that has one.
#
# ## Time
#
# 28 minutes to read, 30 seconds to run.
#
# ## The story so far
#
# The first model works on your machine. On Monday it has to work on one that you never log in to.

# %% [markdown]
# ## Is there an engine?
#
# An **engine** is a program in the background that starts containers. You talk to it with the `docker` command, or with
# Python's `docker` package. A cell that starts with `%%shell` holds commands for a terminal.

# %%
import hashlib
import io
import json
import tarfile
from pathlib import Path

import docker

from course.lesson import own_folder, recorded
from oakbank.intro import containers, scorecard

own_folder()  # the files of this lesson lie there
client = containers.engine()
recorded("01/07", client and containers.versions(client))
if client:
    containers.remove_leftovers(client, "oakbank-", "oakbank/scorer")
    containers.write_context(Path("context"), client.version()["Arch"])

# %% [markdown]
# ## A container is a process
#
# `docker run IMAGE COMMAND` starts a container; `--rm` removes it when it ends, `--detach` leaves it running in the
# background. **What is its process number, inside and outside?**

# %% language="shell"
# docker run --rm python:3.11-slim ls /
# docker run --rm python:3.11-slim python -c "import os; print('I am', os.getpid())"
# docker run --detach --name oakbank-sleeper python:3.11-slim sleep 600
# docker ps --filter name=oakbank
# docker top oakbank-sleeper -o pid,user,args

# %% [markdown]
# Inside, the program is process 1 and has a file system of its own. From outside (`docker top`) it is an ordinary
# process with an ordinary number. No second operating system boots: the kernel shows this process another list of
# processes, another network and another root folder (*namespaces*), and counts what it takes (*cgroups*). So it starts at
# once, and it is no virtual machine: all containers share the kernel.
#
# ## An image, by hand
#
# Where does that other root folder come from? From an image. `docker save` writes one as a file. We open it:

# %% recorded=true
# !docker save --output python.tar python:3.11-slim


def content(name):
    with tarfile.open("python.tar") as archive:
        return archive.extractfile(name).read()


manifest = json.loads(content("manifest.json"))[0]
config = json.loads(content(manifest["Config"]))
print("layers  ", *manifest["Layers"])
print("diff_ids", *config["rootfs"]["diff_ids"])
print("command ", config["config"]["Cmd"])

# %% [markdown]
# It is a tar file of tar files. Each inner one is a **layer**: files that are laid over those of the layers below. A JSON
# beside them has the SHA-256 of each layer, in order, and the command to start. That is all. So we can add a layer:


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
# We add its hash to the list, name the command, and load it:

# %% recorded=true
config["rootfs"]["diff_ids"].append(by_hand)
config["history"] = [*config.get("history", []), {"created_by": "by hand"}]
config["config"]["Cmd"] = ["python", "/hello.py"]
parts = {name: content(name) for name in manifest["Layers"]} | {"mine.tar": layer}
about = {"Config": "config.json", "RepoTags": ["oakbank/by-hand:1"], "Layers": [*parts]}
parts["config.json"] = json.dumps(config).encode()
parts["manifest.json"] = json.dumps([about]).encode()
Path("by-hand.tar").write_bytes(tar_of(parts))
# !docker load --quiet --input by-hand.tar
# !docker run --rm oakbank/by-hand:1
layers = client.images.get("oakbank/by-hand:1").attrs["RootFS"]["Layers"]
assert layers[-1] == by_hand
print("The engine calls our layer", layers[-1])

# %% [markdown]
# It runs, and the engine and we agree on the layer's name: the hash of its content. Images with the same base share it,
# a layer that was changed on the way is noticed, and an image records *exactly this environment* as a commit records
# exactly this code.
#
# On top of them each container gets a writable layer, which goes with it. Those below are never changed, only covered.
#
# ## The Dockerfile, line by line
#
# A Dockerfile is the recipe of an image; each line that touches files makes a layer. This one packs Oakbank's service, a
# program that waits on a port for HTTP requests, such as `POST /score` with an application.

# %%
print((containers.CONTAINER / "Dockerfile").read_text(encoding="utf-8"))

# %% [markdown]
# | line | means |
# |---|---|
# | `FROM python:3.11-slim` | the base, with a version: `latest` is another image next year |
# | two `FROM` | **multi-stage**: the second stage starts from a clean base |
# | `RUN ["python", …]` | runs while the image is built; the brackets: without a shell |
# | `--require-hashes` | pip installs only what `requirements.txt` names by its hash |
# | `COPY --from=builder` | takes only the installed packages out of the first stage |
# | `COPY model.json`, then the code | what changes most often comes last |
# | `USER 10001:10001` | gives up root |
# | `EXPOSE` | a note to the reader; opens no port |
# | `HEALTHCHECK` | asks every few seconds whether it is ready; some failures: *unhealthy* |
# | `CMD ["python", …]` | runs as process 1; `0.0.0.0`: reachable from outside |
#
# `model.json` holds the model's numbers; a pickle could run somebody's code.
#
# ## Build it
#
# `docker build` sends a folder, the **context**, to the engine. A `.dockerignore` in it says what stays behind: ours
# leaves out everything (`*`), and lines with `!` bring back what is named; the last line that fits a file decides. The
# packages lie in the context: no network is needed. `hadolint` finds usual mistakes: here none.

# %% language="shell"
# hadolint context/Dockerfile
# docker build --no-cache --network none --tag oakbank/scorer:1 context
# docker image ls oakbank/scorer
# docker history oakbank/scorer:1

# %% [markdown]
# `docker history` shows what each line weighs, the newest first: packages a lot, code little, notes (`ENV`, `USER`,
# `CMD`) nothing.
#
# ## Cache
#
# The next build takes a layer from the last one (`CACHED`) while the line and the files it copies are unchanged; from the
# first change on, each line of the stage runs again. We add a line to the service. **What runs again: the
# installation? the model? the code?**

# %% language="shell"
# python -c "import time; print('#', time.time())" >> context/oakbank/intro/service.py
# docker build --network none --tag oakbank/scorer:2 context

# %% [markdown]
# Only the last `COPY`. With `COPY . .` at the top, a changed comment would install everything again. So order a
# Dockerfile by how often things change: packages, model, code.
#
# ## What one stage would have cost
#
# With one stage we would ship the wheels, too. "Just delete them in a last line," says a colleague. We build the first
# stage alone, then with that line. **Guess first: how much does it save?**

# %% recorded=true
# !docker build -q --network none --target builder -t oakbank/scorer:fat context
Path("deleted").write_text("FROM oakbank/scorer:fat\nRUN rm -rf /build\n")
# !docker build -q -t oakbank/scorer:deleted - < deleted
sizes = {}
for tag in ("1", "fat", "deleted"):
    sizes[tag] = client.images.get(f"oakbank/scorer:{tag}").attrs["Size"]
    print(f"oakbank/scorer:{tag:<8} {sizes[tag] / 1e6:.0f} MB")
assert sizes["1"] < sizes["fat"] <= sizes["deleted"]

# %% [markdown]
# Nothing. The new layer only notes that the files are hidden; the layer below still carries them. What should not be
# shipped must never get into the stage that is shipped.
#
# ## Run it, with as little as it needs
#
# Port 8080 of this machine leads to port 8000 of the container. It gets 128 MiB, no place to write, no special rights.
# **Is it healthy at once?**

# %% language="shell"
# docker run --detach --name oakbank-scorer --publish 8080:8000 \
#     --memory 128m --read-only --cap-drop ALL oakbank/scorer:1
# docker ps --filter name=oakbank-scorer

# %% [markdown]
# `starting`: the first check comes after 5 seconds. We wait, and write an application to a file.

# %% recorded=true
from oakbank.world import FEATURES, World

bank = docker.from_env().containers.get("oakbank-scorer")
containers.wait_until(bank, health="healthy")
first = World(seed=7).applications(0)[list(FEATURES)].head(1)
applicant = json.loads(first.to_json(orient="records"))[0]
Path("applicant.json").write_text(json.dumps(applicant))
print("outside:", scorecard.probability(containers.service_model(), applicant))

# %% language="shell"
# docker ps --filter name=oakbank-scorer
# curl -s localhost:8080/score -H "Content-Type: application/json" -d @applicant.json
# docker exec oakbank-scorer id
# docker exec oakbank-scorer touch /app/new
# docker stats --no-stream --format "{{.Name}} {{.MemUsage}}" oakbank-scorer

# %% [markdown]
# The same digits inside and outside: the image carries the model itself. `docker exec` starts a second process in a
# running container. That process is not root, and cannot write.
#
# <details><summary>The same options from Python, as the lab wants them</summary>
#
# | `docker run` | `client.containers.run(image, …)` | bounds |
# |---|---|---|
# | `--publish 8080:8000` | `ports={"8000/tcp": 8080}` | |
# | `--memory 128m`, `--memory-swap 128m` | `mem_limit="128m"`, `memswap_limit="128m"` | memory, memory with swap |
# | `--cpus 0.5` | `nano_cpus=500_000_000` | processor time |
# | `--pids-limit 64` | `pids_limit=64` | the number of processes |
# | `--read-only`, `--cap-drop ALL` | `read_only=True`, `cap_drop=["ALL"]` | what it may write and do |
# | `--security-opt no-new-privileges` | `security_opt=["no-new-privileges"]` | no program gets more rights |
# | `--network none` | `network_mode="none"` | the network |
#
# </details>
#
# ## A limit, hit
#
# This process asks for a gigabyte and may have 64 MiB. **Do you expect a `MemoryError`?**

# %% language="shell"
# docker run --name oakbank-greedy --memory 64m --memory-swap 64m python:3.11-slim \
#     python -c "print(len(bytearray(10**9)))"
# docker logs oakbank-greedy
# docker inspect --format "{{.State.ExitCode}} {{.State.OOMKilled}}" oakbank-greedy

# %% [markdown]
# No exception, no word in the log: the kernel ended the process between two instructions. 137 is 128 + 9, and 9 is
# SIGKILL. A training job that dies so at night leaves only these two facts. Without a limit it chooses a victim
# on the whole machine.
#
# ## Signals
#
# `docker stop` sends SIGTERM to process 1, waits (10 seconds, unless told), then kills it. Every release does this.
# **Which exit codes will service and sleeper have?**

# %% language="shell"
# docker stop -t 3 oakbank-scorer oakbank-sleeper
# docker ps --all --filter name=oakbank
# docker logs --tail 4 oakbank-scorer
# docker rm --force oakbank-sleeper oakbank-scorer oakbank-greedy
# docker image rm oakbank/by-hand:1 oakbank/scorer:fat oakbank/scorer:deleted

# %% [markdown]
# The service ended by itself, with 0. The sleeper had to be killed: for process 1 the kernel drops every signal for which
# the process has no handler. uvicorn has one; a plain Python script has none, and neither has the shell of
# `CMD uvicorn service:app`, which stands between engine and program. Hence the brackets. A request that is under way
# when the kill comes is lost.
#
# What a container prints, the engine keeps until `docker rm`. `docker system prune` removes what nothing uses.

# %% [markdown]
# ## Your turn
#
# Write the command that starts `oakbank/scorer:2` in the background, named `oakbank-second`, on port 8081 of this machine,
# with at most 96 MiB. With an engine, run it in a `%%shell` cell and ask `localhost:8081/readyz`.

# %%
command = ""  # your code here

# %%
long = {"-d": "--detach", "-p": "--publish", "-m": "--memory"}
words = [long.get(word, word) for word in command.replace("=", " ").split()]
asked = dict(zip(words, [*words[1:], ""], strict=False))
wanted = {"docker": "run", "--name": "oakbank-second", "--publish": "8081:8000"}
wanted |= {"--memory": "96m", "oakbank/scorer:2": ""}  # the image comes last
wrong = [name for name, value in wanted.items() if asked.get(name) != value]
wrong += [] if "--detach" in words else ["--detach"]
print(f"not yet: look at {', '.join(wrong)}" if wrong else "right")

# %% [markdown]
# <details><summary>A solution</summary>
#
# ```python
# command = "docker run -d --name oakbank-second -p 8081:8000 -m 96m oakbank/scorer:2"
# ```
#
# </details>
#
# ## What this does not prove
#
# The recording is of Engine 20.10 with BuildKit, and of a base made without a registry: the official one has more layers,
# and newer engines word some lines otherwise. A container is no wall against an attacker: the kernel is everybody's. We
# pushed to no registry (`docker push`). A tag can be moved by its publisher; a digest (`python@sha256:…`) cannot. Two
# builds differ in time stamps: a layer's hash is of this build.
#
# ## Check yourself
#
# <details><summary>Somebody committed <code>COPY .env .</code>, and the next line deletes it. Is the password safe?</summary>
#
# No. The deletion is a layer of its own; the layer with the file is still in the image. Change the password.
# </details>
#
# <details><summary>You change <code>model.json</code> only. Which lines of our Dockerfile run again?</summary>
#
# Its `COPY` and the copy of the code below it. The packages stay.
# </details>
#
# <details><summary>A job ended at 3 a.m. with exit code 137, and its log ends in the middle. Where do you look first?</summary>
#
# 137 is SIGKILL. `OOMKilled` in `docker inspect` says whether the memory limit did it; if not, it was stopped and did not
# go in time.
# </details>
#
# ## Take-away
#
# **An image is a list of layers named by their hashes; a container is a process that sees nothing else. What is in no
# shipped layer cannot leak, and what has no limit takes everything.**
#
# ## Go further
#
# - Card: [Docker](../cards/docker.md)
# - *OCI Image Format Specification* v1.1: `manifest`, `config`, `layer`; it reads in half an hour
# - Docker documentation, *Building best practices*, *Dockerfile reference*
# - Linux manual, `pid_namespaces(7)`: the section on process 1 and its signals
# - The service: `chapters/01-intro/reference/oakbank/intro/service.py`. The lab `01-containerise-the-model` has you write
#   the Dockerfile; lesson 08 puts the image under Kubernetes
# - In the glossary: [image](../../../GLOSSARY.md#image), [layer](../../../GLOSSARY.md#layer), [multi-stage build](../../../GLOSSARY.md#multi-stage-build), [health check](../../../GLOSSARY.md#health-check), [graceful shutdown](../../../GLOSSARY.md#graceful-shutdown)
