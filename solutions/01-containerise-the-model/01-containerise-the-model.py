# %% [markdown]
# # 01 Containerise the model
#
# The scoring service of Oakbank runs on its author's laptop. Tonight it has to run on somebody else's machine, which
# may have no network, will not give it root, and will kill it if it takes too much. In this lab you write its
# `Dockerfile` part by part, its `.dockerignore` and the options it is run with, and each part has to prove what it
# promises.
#
# You need lesson 01/07. About 75 minutes; seven exercises, 20 points. Each answer is a function that returns text (or,
# at the end, a dict). `python3 bootstrap.py check 01-containerise-the-model` runs the tests that you see. A grader's
# tests go further; the first line of each test says where.

# %% locked="setup"
import re

from oakbank.intro.image.dockerfile import DockerfileError
from oakbank.intro.image.examiner import Reader, examiner

look = examiner()
print(look.how)
BASE = "python:3.11-slim"
INSTALL = "RUN pip install --no-index --find-links=wheelhouse --target=/packages -r requirements.in"


def limits_of(options):
    """Return what the options limit, and "" or why the Docker SDK refuses them."""
    try:
        return look.limits(options), ""
    except DockerfileError as refused:
        return {}, str(refused)


def dockerfile(*parts):
    """Put the parts of a Dockerfile together."""
    assert all(isinstance(part, str) for part in parts), "A part is still missing: an exercise above returns no text."
    return "\n".join(parts) + "\n"


# %% [markdown]
# `look` is who examines you. Where a container engine answers and holds what the build needs, it builds your image,
# looks into its layers and runs it; elsewhere it works the same things out from your text. The questions and the points
# are the same. Three rules follow: builds have **no network**; they use the classic builder, so no `RUN --mount` and
# no heredocs; and files are put in place by `COPY` and by `pip install --target`, since nobody can read from a text what
# a `cp` in a `RUN` line finds.
#
# The service's project, as it lies on that laptop:

# %% locked="project"
PROJECT = """
Dockerfile
.dockerignore
.env                                  the password of the loan database
.git/config
README.md
data/2026/loans.csv                   real people
model.json                            the model: goes into the image
notebooks/explore.ipynb
oakbank/intro/.env.local              another password
oakbank/intro/__pycache__/service.cpython-311.pyc
oakbank/intro/protocol.py             code: goes into the image
oakbank/intro/scorecard.py            code: goes into the image
oakbank/intro/service.py              code: goes into the image
requirements.in                       fastapi and uvicorn, by name
requirements.txt                      the same and all they need, pinned, with hashes
tests/test_service.py
wheelhouse/fastapi-0.165.0-py3-none-any.whl     and the other wheels of requirements.txt
wheelhouse/idna-3.20-py3-none-any.whl
"""
TODAY = [line.split()[0] for line in PROJECT.split("\n") if line]

# %% [markdown]
# ## Exercise 1: what the build gets to see
#
# Before anything is built, the client sends the project to the engine. What was sent can end up in a layer, and a layer
# is public to whoever gets the image.
#
# `ignored()` returns the text of a `.dockerignore` with which exactly these are sent: `model.json`,
# `requirements.in`, `requirements.txt`, of `wheelhouse/` only the `.whl` files, and below `oakbank/` everything but secrets
# (files whose name starts with `.env`) and `__pycache__`. Nothing else, also not what a colleague adds to the project
# tomorrow, wherever they put it. (`Dockerfile` and `.dockerignore` are for Docker itself and are not looked at.)
#
# <details><summary>Hint 1</summary>
#
# You cannot name what does not exist yet. Leave out everything first, then bring back with `!`.
# </details>
# <details><summary>Hint 2</summary>
#
# Of all lines that match a file, the last one decides. And unlike in `.gitignore`, a name without a slash is looked
# for at the top only; `**/` means "at any depth", and `!folder` brings back all that is below it.
# </details>


# %% answer="ex1"
def ignored():
    """Return the text of .dockerignore."""
    ### BEGIN SOLUTION
    return """
*
!model.json
!requirements.*
!wheelhouse/*.whl
!oakbank
**/.env*
**/__pycache__
"""
    ### END SOLUTION


# %% test="ex1" points=2
# Covers today's project: what is sent, what is not.
rules = ignored()
assert rules is not None, "ignored returned nothing: return the text of a .dockerignore, a pattern a line."
assert isinstance(rules, str) and rules.strip(), "ignored should return a text, a pattern a line."
sent = look.context(TODAY, rules)
assert ".env" not in sent, "The password in .env is sent to the engine."
assert "oakbank/intro/service.py" in sent, "The service's code is not sent: no COPY will find it."
assert "oakbank/intro/.env.local" not in sent, "A password two folders down is sent too: how deep does a pattern look?"
needed = {name for name in TODAY if name.startswith(("model", "requirements", "wheelhouse"))}
needed |= {f"oakbank/intro/{name}.py" for name in ("protocol", "scorecard", "service")}
assert not needed - set(sent), f"Not sent, and the build needs it: {min(needed - set(sent))}"
assert not set(sent) - needed, f"This is sent, and the build does not need it: {min(set(sent) - needed)}"

# %% test="ex1" part="tomorrow" points=1
# Covers what a colleague adds. Not shown: other files that come tomorrow.
rules = ignored()
assert rules is not None, "ignored returned nothing: return the text of a .dockerignore, a pattern a line."
assert isinstance(rules, str) and rules.strip(), "ignored should return a text, a pattern a line."
assert not look.context(["dump.sql"], rules), "A colleague's dump.sql is sent: say what to send, not what not to."
### BEGIN HIDDEN TESTS
good = ["oakbank/intro/rules/limits.py", "oakbank/rates.json", "wheelhouse/h11-0.16.0-py3-none-any.whl", "model.json"]
assert look.context(good, rules) == sorted(good), "New code, data of the code and wheels belong in the build as well."
bad = ["oakbank/.env", "oakbank/intro/rules/.env.test", "oakbank/__pycache__/a.pyc", "backup/oakbank/intro/service.py"]
bad += ["oakbank/intro/rules/__pycache__/limits.cpython-311.pyc", "keys/id_rsa", "old/model.json", "data/.env"]
assert not look.context(bad, rules), "Tomorrow's secrets and leftovers are sent."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 2: what a change costs
#
# From here on the build sees what exercise 1 lets through. This Dockerfile works, and each change of a comment in the
# code installs all packages again:

# %% locked="careless"
CARELESS = dockerfile(f"FROM {BASE}", "WORKDIR /app", "COPY . .", INSTALL)
for step in Reader().again(CARELESS, ["oakbank/intro/service.py"]):
    print("runs again:", step)

# %% [markdown]
# `ordered()` returns a Dockerfile with one stage that holds, of our files, at least: the packages (by the line in `INSTALL`, as it
# stands), `/app/model.json` and `/app/oakbank/intro/…`. A change of the code, or a new model, must not install again.


# %% answer="ex2"
def ordered():
    """Return the text of a Dockerfile."""
    ### BEGIN SOLUTION
    return f"""
FROM {BASE}
WORKDIR /app
COPY requirements.in ./
COPY wheelhouse wheelhouse
{INSTALL}
COPY model.json ./
COPY oakbank oakbank
"""
    ### END SOLUTION


# %% test="ex2" points=2
# Covers what runs again, and what is in the image.
text = ordered()
assert text is not None, "ordered returned nothing: return the text of a Dockerfile, an instruction a line."
assert isinstance(text, str) and text.strip(), "ordered should return a text, an instruction a line."
steps = look.again(text, ["oakbank/intro/service.py", "model.json"])
assert not any("pip install" in step for step in steps), (
    "Another code or model installs the packages again: copy them only after what costs most."
)
there = look.paths(text)
assert "/packages" in there, "The packages are not in /packages: is INSTALL in your Dockerfile?"
code = [f"/app/oakbank/intro/{name}.py" for name in ("protocol", "scorecard", "service")]
for name in ("/app/model.json", *code):
    assert name in there, f"{name} is not in the image. Mind what COPY does with a folder: it takes what is in it."

# %% [markdown]
# ## Exercise 3: exactly these packages
#
# `INSTALL` takes whatever wheel lies in the wheelhouse under the right name. Whoever can write into that folder can
# write into your image. `requirements.txt` names every package with version and SHA-256.
#
# `packages_stage()` returns the text of a first stage, from its `FROM` on, which has the name `build` and starts from
# `BASE`. It works in a folder of your choice. At its end `/packages` holds, for `PYTHONPATH`, all that
# `requirements.txt` names. If a wheel is not the one that was locked, the build fails. A change of the code runs nothing
# in this stage again.


# %% answer="ex3"
def packages_stage():
    """Return the first stage of the Dockerfile, which installs the packages."""
    ### BEGIN SOLUTION
    return f"""
FROM {BASE} AS build
WORKDIR /wheels
COPY requirements.txt ./
COPY wheelhouse wheelhouse
RUN pip install --no-cache-dir --no-index --find-links wheelhouse --require-hashes --target /packages -r requirements.txt
"""
    ### END SOLUTION


# %% test="ex3" points=2
# Covers the packages, and what a change of the code runs again. Not shown: the name of the stage.
stage = packages_stage()
assert stage is not None, "packages_stage returned nothing: return the text of a stage, from FROM on."
assert isinstance(stage, str) and stage.strip(), "packages_stage should return a text that begins with FROM."
found = look.installed(dockerfile(stage), "/packages")
assert found["complete"], "With PYTHONPATH=/packages, not every package of requirements.txt is found."
steps = look.again(dockerfile(stage), ["oakbank/intro/service.py", "model.json"])
assert not steps, f"The code has no place in this stage; when it changes, this runs again: {steps[0]}"
### BEGIN HIDDEN TESTS
target = dockerfile(stage, f"FROM {BASE}", "COPY --from=build /packages /copied")
assert "/copied" in look.paths(target), "COPY --from=build does not find the packages: what is the name of the stage?"
### END HIDDEN TESTS

# %% test="ex3" part="hashes" points=1
# Covers a wheel that somebody changed.
stage = packages_stage()
assert stage is not None, "packages_stage returned nothing: return the text of a stage, from FROM on."
assert isinstance(stage, str) and stage.strip(), "packages_stage should return a text that begins with FROM."
assert look.installed(dockerfile(stage), "/packages")["refuses_others"], (
    "Somebody put a file into a wheel, and your build installed it. Which of the two lists has hashes?"
)

# %% [markdown]
# ## Exercise 4: nothing else
#
# `final_stage()` returns the text of a second stage, from its `FROM` on, that follows the first. It starts from `BASE`
# and holds, in all of its layers, of our files only `/packages` (with what `/packages` of the first stage holds),
# `/app/model.json`, and in `/app/oakbank/intro` the files `service.py`, `protocol.py` and `scorecard.py`; it works in
# `/app`. A change of the code copies no packages again.


# %% answer="ex4"
def final_stage():
    """Return the second stage of the Dockerfile, which becomes the image."""
    ### BEGIN SOLUTION
    return f"""
FROM {BASE}
WORKDIR /app
COPY --from=build /packages /packages
COPY model.json ./
COPY oakbank oakbank
"""
    ### END SOLUTION


# %% test="ex4" points=2
# Covers what is in the layers.
last = final_stage()
assert last is not None, "final_stage returned nothing: return the text of a stage, from FROM on."
assert isinstance(last, str) and last.strip(), "final_stage should return a text that begins with FROM."
there = look.paths(dockerfile(packages_stage(), last))
assert "/packages" in there, "The packages of the first stage are not in /packages of the image."
assert not [name for name in there if name.endswith(".whl")], "Wheels are in a layer. A layer keeps what it once held."
ours = {"/packages", "/app/model.json"}
ours |= {f"/app/oakbank/intro/{name}.py" for name in ("protocol", "scorecard", "service")}
assert not ours - set(there), f"{min(ours - set(there))} is not in the image."
assert not set(there) - ours, f"{min(set(there) - ours)} has no business in the image."

# %% test="ex4" part="order" points=1
# Covers what a change of the code copies again.
last = final_stage()
assert last is not None, "final_stage returned nothing: return the text of a stage, from FROM on."
assert isinstance(last, str) and last.strip(), "final_stage should return a text that begins with FROM."
steps = look.again(dockerfile(packages_stage(), last), ["oakbank/intro/service.py"])
assert steps, "A change of the code changes nothing in this image: where is the code?"
assert not any("COPY" in step and "/packages" in step for step in steps), (
    "A change of the code copies the packages again: what comes first?"
)

# %% [markdown]
# ## Exercise 5: how it starts
#
# `start()` returns the instructions that follow the second stage and say how the service runs:
# - Python finds the packages (`PYTHONPATH`), the service its model (`OAKBANK_MODEL`, a path).
# - It runs as a user who is not root, written **as a number**: Kubernetes refuses to believe a name.
# - `uvicorn` serves the application `oakbank.intro.service:app` on port 8000, and a client outside the container gets
#   200 from `/healthz` and from `/readyz`.
# - An engine's signals reach the service itself: its process is the first, and no shell stands before it.


# %% answer="ex5"
def start():
    """Return the instructions that say how the service is started."""
    ### BEGIN SOLUTION
    return """
ENV PYTHONPATH=/packages OAKBANK_MODEL=/app/model.json
USER 10001:10001
EXPOSE 8000
CMD ["python", "-m", "uvicorn", "oakbank.intro.service:app", "--host", "0.0.0.0", "--port", "8000"]
"""
    ### END SOLUTION


# %% test="ex5" points=1
# Covers /healthz and /readyz from outside.
lines = start()
assert lines is not None, "start returned nothing: return the instructions as text, one a line."
assert isinstance(lines, str) and lines.strip(), "start should return a text, an instruction a line."
status = look.answers(dockerfile(packages_stage(), final_stage(), lines))
assert status["/healthz"] == 200, "From outside nothing answers: does it start, and on which address does it listen?"
assert status["/readyz"] == 200, "The service lives and has no model: where does it look for one?"

# %% test="ex5" part="user" points=1
# Covers root. Not shown: how the user is written.
lines = start()
assert lines is not None, "start returned nothing: return the instructions as text, one a line."
assert isinstance(lines, str) and lines.strip(), "start should return a text, an instruction a line."
user = look.config(dockerfile(f"FROM {BASE}", lines))["user"]
assert user.partition(":")[0] not in ("", "0", "root"), "The service runs as root, in the container's world at least."
### BEGIN HIDDEN TESTS
assert re.fullmatch(r"[1-9]\d*(:\d+)?", user), "The user should be written as a number, and not be 0."
### END HIDDEN TESTS

# %% test="ex5" part="signals" points=1
# Covers the first process. Not shown: which program it is.
lines = start()
assert lines is not None, "start returned nothing: return the instructions as text, one a line."
assert isinstance(lines, str) and lines.strip(), "start should return a text, an instruction a line."
argv = look.config(dockerfile(f"FROM {BASE}", lines))["argv"]
assert argv != ["python3"], "No command is set: the container would start what the base image starts."
assert argv[0] not in ("/bin/sh", "sh", "/bin/bash", "bash"), (
    "The first process is a shell. There are two ways to write a command; which one goes without?"
)
### BEGIN HIDDEN TESTS
assert argv[0].rpartition("/")[2].startswith(("python", "uvicorn")), "The first process should be the service."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 6: is it well?
#
# A container is healthy if its service can do its work, and asking is the only way to know. `health()` returns one
# `HEALTHCHECK` instruction whose command ends with 0 if `/readyz` on port 8000 answers 200, and with another number if
# it answers anything else or nothing. `BASE` has Python and its standard library; it has no `curl`.
#
# If the service hangs, the engine says so within 30 seconds: it waits `interval`, asks, gives up after `timeout`, and
# calls the container unhealthy after `retries` such rounds. (`start-period`, if you give one, is not counted here.)
#
# <details><summary>Hint</summary>
#
# `python -c "…"` runs a line of Python. `urllib.request.urlopen` raises an exception for a 503, and an exception that
# nobody catches ends Python with 1.
# </details>


# %% answer="ex6"
def health():
    """Return the HEALTHCHECK of the image."""
    ### BEGIN SOLUTION
    return """
HEALTHCHECK --interval=5s --timeout=3s --retries=3 \\
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/readyz')"]
"""
    ### END SOLUTION


# %% locked="ask"
# grader: these run where the answers run
def ask_health(text):
    """Return what the health check of a Dockerfile says: with the service ready, with no model, and gone."""
    return look.health(text)


# %% test="ex6" points=2
# Covers a service that is ready, one without a model, and none.
check = health()
assert check is not None, "health returned nothing: return a HEALTHCHECK instruction as text."
assert isinstance(check, str) and check.strip(), "health should return a HEALTHCHECK instruction as text."
well = ask_health(dockerfile(packages_stage(), final_stage(), start(), check))
assert well is not None, "There is no health check in this: write HEALTHCHECK CMD and a command."
assert well["ready"], "The service is ready and your check says it is not: does its program exist in the image?"
assert not well["gone"], "Nothing listens on port 8000 any more and your check says all is well: does it ask?"
assert not well["no model"], "The service answers /readyz with 503 and your check says all is well."

# %% test="ex6" part="patience" points=1
# Covers the pauses. Not shown: a service that hangs.
check = health()
assert check is not None, "health returned nothing: return a HEALTHCHECK instruction as text."
assert isinstance(check, str) and check.strip(), "health should return a HEALTHCHECK instruction as text."
often = look.config(dockerfile(f"FROM {BASE}", check))["health"]
assert often is not None, "There is no health check in this: write HEALTHCHECK CMD and a command."
assert often["retries"] * often["interval"] <= 30, "With these pauses alone, it takes longer than 30 seconds."
### BEGIN HIDDEN TESTS
assert often["retries"] * (often["interval"] + often["timeout"]) <= 30, "A check that hangs takes its time, too."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 7: what it may take
#
# `run_options()` returns a dict of options for `client.containers.run(image, **options)` of the Docker SDK for Python
# (`import docker`, then `help(docker.models.containers.ContainerCollection.run)`, lists them). With them the service
# - gets 256 MiB of memory and no swap on top,
# - gets half a processor's time, even if the rest is idle, and 64 processes,
# - can write nowhere but into `/tmp`, which is kept in memory,
# - has none of the kernel's capabilities, and cannot gain privileges by starting another program.
#
# It must not say anything else about the container's life (no `detach`, no `ports`).
#
# <details><summary>Hint</summary>
#
# `memswap_limit` is memory and swap together. The engine knows the last property as `no-new-privileges`, one of the
# texts that `security_opt` takes.
# </details>


# %% answer="ex7"
def run_options():
    """Return the options that the service is run with."""
    ### BEGIN SOLUTION
    return {
        "mem_limit": "256m",
        "memswap_limit": "256m",
        "nano_cpus": 500_000_000,
        "pids_limit": 64,
        "read_only": True,
        "tmpfs": {"/tmp": "size=16m"},
        "cap_drop": ["ALL"],
        "security_opt": ["no-new-privileges"],
    }
    ### END SOLUTION


# %% test="ex7" points=2
# Covers memory, swap, processor and processes.
options = run_options()
assert options is not None, "run_options returned nothing: return a dict."
assert isinstance(options, dict) and options, "run_options should return a dict of options of the Docker SDK."
assert {"detach", "ports"}.isdisjoint(options), "Whether it runs in the background and where it listens is not asked."
limits, refused = limits_of(options)
assert not refused, f"These options cannot be used: {refused}"
assert limits["memory"] is not None, "Nothing limits the memory: a reservation is a wish, not a limit."
assert limits["cpus"] is not None, "Nothing limits the processor: shares only count while others want it, too."
assert limits["memory"] == 256, "256 MiB of memory, as asked. Mind the unit."
assert limits["swap"] == 0, "The service can swap: the limit for memory and swap together is another option."
assert limits["cpus"] == 0.5, "Half a processor, as asked. Mind the unit."
assert limits["processes"] == 64, "64 processes are asked for, no more and no fewer."

# %% test="ex7" part="locked" points=1
# Covers the file system and /tmp. Not shown: capabilities, privileges, and whether it comes up.
options = run_options()
assert options is not None, "run_options returned nothing: return a dict."
assert isinstance(options, dict) and options, "run_options should return a dict of options of the Docker SDK."
limits, refused = limits_of(options)
assert not refused, f"These options cannot be used: {refused}"
assert limits["read_only"], "The service can change its own files."
assert limits["writable"] == ["/tmp"], "/tmp, and only it, should be a file system in memory."
### BEGIN HIDDEN TESTS
assert limits["dropped"] == ["ALL"], "Drop all capabilities, not some: the list is longer than one thinks."
assert not limits["may_gain"], "A setuid program could still give the process new privileges."
ready = look.answers(dockerfile(packages_stage(), final_stage(), start()), options)
assert ready["/readyz"] == 200, "Run with these options, the service does not come up."
### END HIDDEN TESTS

# %% [markdown]
# ## All of it
#
# When all tests pass, call `ship()` in a cell of your own. That is what you hand to whoever runs the service: a text, a
# dict, and the proof.


# %% locked="all"
def ship():
    text = dockerfile(packages_stage(), final_stage(), start(), health())
    print(text)
    return {
        "in the image": look.paths(text),
        "answers within its limits": look.answers(text, run_options()),
        "limits": look.limits(run_options()),
    }
