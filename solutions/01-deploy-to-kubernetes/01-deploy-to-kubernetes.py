# %% [markdown]
# # 01 Deploy to Kubernetes
#
# Oakbank's scoring service has an image and no home. A colleague left manifests that a cluster refuses, and one that
# it takes and that then serves nobody. In this lab you write and mend them one property at a time, until the service
# starts, is found, is sized, is configured, can be released on a working day, and can be taken back.
#
# You need lesson 01/08 and no cluster; its manifests, in `chapters/01-intro/reference/oakbank/intro/manifests`, are good to have
# beside you. About 90 minutes, more if YAML of this kind is new to you; eight exercises, 28 points. Each exercise is a function that
# takes and returns manifests as dicts, just as `yaml.safe_load` would read them. Where it takes one it leaves it as it
# is and returns a changed copy; `copy.deepcopy` copies all of a nested dict.
#
# The tests hold your manifests against the API's schema and against a small model of what a cluster does with them:
# `oakbank.intro.kube`, which is compared with a real cluster in `chapters/01-intro/tests`. You may use it, too:
# `problems(manifest)` says what the API would refuse, in a list that is empty when all is well.
#
# `python3 bootstrap.py check 01-deploy-to-kubernetes` runs the tests that you see. A grader's tests go further; the first
# line of each test says where.

# %% locked="setup"
import base64
import copy
import hashlib
import json
from datetime import datetime, timedelta

import yaml

from oakbank.intro.kube import (
    container_of,
    endpoints,
    environment,
    fit,
    live,
    matches,
    pods_of,
    problems,
    qos_class,
    quantity,
    roll_out,
    runs,
)

REFUSED = yaml.safe_load("""
apiVersion: v1
kind: Deployment
metadata: {name: oakbank}
spec:
  replica: 3
  selector: {matchLabels: {app: oakbank, release: "1"}}
  template:
    metadata: {labels: {app: scoring, release: "1"}}
    spec:
      containers:
      - name: service
        image: oakbank/service:1
        ports: [{name: http, containerPort: "8000"}]
""")

# %% [markdown]
# ## Exercise 1: a Deployment that the API takes
#
# `REFUSED` above is what the colleague left. Ask why, mend a copy of it in a cell of your own, and ask again: the API names
# one fault of the schema at a time, and then what no schema can say.

# %%
problems(REFUSED)

# %% [markdown]
# `deployment(name, image, replicas)` returns a Deployment as a dict.
# - The API takes it. It is called `name` (a str) and runs `replicas` (an int) copies of `image` (a str) in one
#   container, which declares port 8000 under the name `http`.
# - Two Deployments with different names share a namespace. The selector of one must not pick pods of the other.
# - The next release is the same call with another `image`, and the API must take it as an update of what is there. A
#   selector cannot be changed once it is made.


# %% answer="ex1"
def deployment(name, image, replicas):
    """Return a Deployment of the scoring service, as a dict."""
    ### BEGIN SOLUTION
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": name},
        "spec": {
            "replicas": replicas,
            "selector": {"matchLabels": {"app": name}},
            "template": {
                "metadata": {"labels": {"app": name}},
                "spec": {
                    "containers": [
                        {"name": "service", "image": image, "ports": [{"name": "http", "containerPort": 8000}]}
                    ]
                },
            },
        },
    }
    ### END SOLUTION


# %% test="ex1" points=2
# Covers that the API takes it, its name, image, copies and port. Not shown: another name.
first = deployment("oakbank", "oakbank/service:1", 3)
assert first is not None, "deployment returned nothing: return the manifest as a dict."
said = problems(first)
assert not said, f"The API would refuse it: {said[0]}"
assert first["metadata"]["name"] == "oakbank", "metadata.name is the name of the Deployment."
assert first["spec"]["replicas"] == 3, "spec.replicas says how many copies run."
assert first["kind"] == "Deployment", "It should be a manifest of the kind Deployment."
assert container_of(first)["image"] == "oakbank/service:1", "The container should run the image that was given."
ports = [(one.get("name"), one["containerPort"]) for one in container_of(first).get("ports", [])]
assert ports == [("http", 8000)], f"The container has one port, 8000, called http; here it has {ports}."
### BEGIN HIDDEN TESTS
other = deployment("oakbank-batch", "oakbank/batch:7", 1)
assert problems(other) == [], "Another name must do as well."
assert other["metadata"]["name"] == "oakbank-batch" and other["spec"].get("replicas", 1) == 1, (
    "Name and number of copies should be those that were given."
)
assert container_of(other)["image"] == "oakbank/batch:7", "Run the image that was given."
ports = [(one.get("name"), one["containerPort"]) for one in container_of(other)["ports"]]
assert ports == [("http", 8000)], "Whatever its name, the container should have one port, 8000, called http."
### END HIDDEN TESTS

# %% test="ex1" part="apart" points=1
# Covers the next release, and another Deployment beside it. Not shown: other images.
mine = deployment("oakbank", "oakbank/service:1", 3)
assert mine is not None, "deployment returned nothing: return the manifest as a dict."
said = problems(mine)
assert not said, f"The API would refuse it: {said[0]}"
assert problems(deployment("oakbank", "oakbank/service:2", 3), mine) == [], (
    "The next release must be taken as an update."
)
theirs = deployment("oakbank-shadow", "oakbank/service:1", 1)
labels = [one["spec"]["template"]["metadata"]["labels"] for one in (mine, theirs)]
assert not matches(mine["spec"]["selector"], labels[1]), "The selector of one Deployment picks pods of another."
assert not matches(theirs["spec"]["selector"], labels[0]), "The selector of one Deployment picks pods of another."
### BEGIN HIDDEN TESTS
assert matches(mine["spec"]["selector"], labels[0]), "The selector of a Deployment should pick its own pods."
assert problems(deployment("oakbank", "registry.bank:5000/service:2024-01", 5), mine) == [], (
    "Only the image changed: the API should take it as an update."
)
### END HIDDEN TESTS

# %% [markdown]
# From here on the exercises start from this Deployment, whoever wrote it, so that none depends on another.

# %% locked="given"
GIVEN = yaml.safe_load("""
apiVersion: apps/v1
kind: Deployment
metadata:
  name: scorer
  labels: {app.kubernetes.io/name: scorer, team: credit}
spec:
  replicas: 4
  selector: {matchLabels: {run: scorer}}
  template:
    metadata: {labels: {run: scorer, team: credit, release: "1"}}
    spec:
      containers:
      - name: service
        image: oakbank/service:1
        ports: [{name: http, containerPort: 8000}]
""")

SILENT = yaml.safe_load("""
apiVersion: v1
kind: Service
metadata: {name: scorer}
spec:
  type: ClusterIP
  selector: {app: scorer}
  ports: [{name: http, port: 80, targetPort: 8080}]
""")

# %% [markdown]
# ## Exercise 2: a Service that reaches its pods
#
# The API takes `SILENT`, and no request ever arrives. `endpoints(service, pods)` says where each port of a Service
# leads, and here that is nowhere:

# %%
endpoints(SILENT, pods_of(GIVEN))

# %% [markdown]
# `mend(service, deployment)` returns a copy of `service` (a Service as a dict) that reaches the pods of `deployment`.
# - It reaches the pods of this release **and of every later one**. A later release keeps the Deployment's selector and
#   the names of its ports; its other labels and its port numbers may be new.
# - It reaches no pod of another Deployment.
# - Each port of the Service has a name already; make it lead to the container's port of that name.
# - All else of the Service stays as it is. So do `service` and `deployment` themselves.


# %% answer="ex2"
def mend(service, deployment):
    """Return a copy of the Service that reaches the pods of the Deployment."""
    ### BEGIN SOLUTION
    mended = copy.deepcopy(service)
    mended["spec"]["selector"] = deployment["spec"]["selector"]["matchLabels"]
    for port in mended["spec"]["ports"]:
        port["targetPort"] = port["name"]
    return mended
    ### END SOLUTION


# %% test="ex2" points=2
# Covers a Service with one port, and what it leaves as it is. Not shown: other ports and names.
heard = mend(copy.deepcopy(SILENT), copy.deepcopy(GIVEN))
assert heard is not None, "mend returned nothing: return the Service as a dict."
said = problems(heard)
assert not said, f"The API would refuse it: {said[0]}"
reached = endpoints(heard, pods_of(GIVEN))
assert reached[80], "Port 80 still leads nowhere: do the selector and the labels of the pods fit, and the ports?"
again = copy.deepcopy(GIVEN)
container_of(again)["ports"][0]["containerPort"] = 8433
found = endpoints(mend(copy.deepcopy(SILENT), again), pods_of(again))[80]
assert found == [f"scorer-{number}:8433" for number in range(4)], "The container listens on 8433 here, called http."
assert reached == {80: [f"scorer-{number}:8000" for number in range(4)]}, "Want all four pods, at the port they have."
### BEGIN HIDDEN TESTS
risk = copy.deepcopy(GIVEN) | {"metadata": {"name": "risk", "labels": {"run": "nothing", "app": "nothing"}}}
risk["spec"]["selector"] = {"matchLabels": {"svc": "risk", "tier": "api"}}
risk["spec"]["template"]["metadata"]["labels"] = {"svc": "risk", "tier": "api", "team": "credit", "release": "7"}
container_of(risk)["ports"] = [{"name": "numbers", "containerPort": 9102}, {"name": "web", "containerPort": 8433}]
door = copy.deepcopy(SILENT) | {"metadata": {"name": "door", "labels": {"team": "credit"}}}
door["spec"] |= {"type": "NodePort", "ports": [{"name": "web", "port": 443}, {"name": "numbers", "port": 9000}]}
door_before, risk_before = copy.deepcopy(door), copy.deepcopy(risk)
opened = mend(door, risk)
assert door == door_before and risk == risk_before, "Leave what you were given as it is; return a copy."
pods = pods_of(risk)
assert endpoints(opened, pods) == {
    443: [f"risk-{number}:8433" for number in range(4)],
    9000: [f"risk-{number}:9102" for number in range(4)],
}, "Each port of the Service leads to the container's port of the same name."
assert opened["metadata"] == door["metadata"] and opened["spec"]["type"] == "NodePort", "Keep all else of the Service."
assert [one["port"] for one in opened["spec"]["ports"]] == [443, 9000], "The Service's own ports stay."
### END HIDDEN TESTS

# %% test="ex2" part="later" points=1
# Covers a later release with other labels. Not shown: another port, another Deployment.
heard = mend(copy.deepcopy(SILENT), copy.deepcopy(GIVEN))
assert heard is not None, "mend returned nothing: return the Service as a dict."
said = problems(heard)
assert not said, f"The API would refuse it: {said[0]}"
assert endpoints(heard, pods_of(GIVEN))[80], "Port 80 leads nowhere."
later = copy.deepcopy(GIVEN)
later["spec"]["template"]["metadata"]["labels"] = {"run": "scorer", "team": "lending", "release": "2"}
assert len(endpoints(heard, pods_of(later))[80]) == 4, "After the next release the Service finds no pod any more."
### BEGIN HIDDEN TESTS
container_of(later)["ports"][0]["containerPort"] = 8181
moved = endpoints(heard, pods_of(later))[80]
assert moved and all(one.endswith(":8181") for one in moved), "The next release listens elsewhere, under the same name."
stranger = copy.deepcopy(GIVEN)
stranger["spec"]["template"]["metadata"]["labels"] = {"run": "batch", "team": "credit", "release": "1"}
assert endpoints(heard, pods_of(stranger))[80] == [], "The Service sends requests to another Deployment's pods."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 3: probes that mean the right thing
#
# Three questions, three probes: has it started (`startupProbe`)? Should it be killed (`livenessProbe`)? Should it get
# requests (`readinessProbe`)? The service answers two paths. `/healthz` says 200 while the process is well. `/readyz`
# says 200 while it can score, and 503 with a reason while it cannot, which mends itself.
#
# `with_probes(deployment, slow, hang)` returns a copy whose container is probed on its port `http` so that
# - a container that needs up to `slow` seconds (an int) until it listens is not killed for that; one that still does
#   not listen is killed no later than `slow` + 30 seconds after its start;
# - a container that has listened for ten seconds or more and then answers nothing any more is killed no later than `hang`
#   seconds (an int, 10 or more) after it fell silent, even while `slow` seconds have not yet passed; one that, having
#   listened for ten seconds, pauses for half of `hang` or less is not killed;
# - a container that says 503 on `/readyz` gets no more requests after 10 seconds, gets them again within 10 seconds
#   after it says 200, and is never killed for it; a new one gets them within 10 seconds after its first 200.
#
# An answer that stays away counts as failed after `timeoutSeconds`. When a probe first looks is not promised: each
# somewhere within its first period.
#
# <details><summary>Hint</summary>
#
# Draw a line of seconds. With `periodSeconds: p`, `failureThreshold: f` and a timeout of a second, a process that falls
# silent is killed no sooner than about p · (f - 1) seconds later, and no later than p · f + 1. Small periods make
# the two lie close together.
# </details>


# %% answer="ex3"
def with_probes(deployment, slow, hang):
    """Return a copy of the Deployment whose container has its three probes."""
    ### BEGIN SOLUTION
    made = copy.deepcopy(deployment)
    alive = {"httpGet": {"path": "/healthz", "port": "http"}, "periodSeconds": 1}
    container_of(made).update(
        startupProbe=alive | {"failureThreshold": slow + 1},
        livenessProbe=alive | {"failureThreshold": hang - 1},
        readinessProbe={"httpGet": {"path": "/readyz", "port": "http"}, "periodSeconds": 3},
    )
    return made
    ### END SOLUTION


# %% locked="lives"
def lives(manifest, answers, until):
    """Return what becomes of the container of a Deployment, for several moments at which its probes first look."""
    looks = [(0.0, 0.0, 0.0), (0.3, 0.6, 0.95), (0.6, 0.95, 0.0), (0.95, 0.3, 0.6), (0.95, 0.95, 0.95)]
    return [live(container_of(manifest), answers, until, first) for first in looks]


def listens_after(seconds):
    """Return a process that listens so many seconds after its start, and is well from then on."""
    return lambda path, age, now: 0 if age < seconds else 200


def silent_between(begin, end):
    """Return a process that listens after a second, and answers nothing for a while (seconds of the pod)."""
    return lambda path, age, now: 0 if age < 1 else None if begin <= now < end else 200


def unfit_between(begin, end):
    """Return a process that is well, and cannot score for a while (seconds of the pod)."""
    return lambda path, age, now: 503 if path.startswith("/readyz") and begin <= now < end else 200


# %% test="ex3" points=2
# Covers a start that takes all its 60 seconds, and one that never ends. Not shown: other times.
probed = with_probes(copy.deepcopy(GIVEN), 60, 30)
assert probed is not None, "with_probes returned nothing: return the Deployment as a dict."
said = problems(probed)
assert not said, f"The API would refuse it: {said[0]}"
for life in lives(probed, listens_after(60), 200):
    assert not life.killed, f"It needed 60 of its 60 seconds to start, and was killed after {life.killed[0]:.0f}."
    assert life.serves(199), "It has long started, and gets no requests."
for life in lives(probed, listens_after(10**6), 160):
    assert life.killed and life.killed[0] <= 90, "A container that never listens is killed 30 seconds later, at most."
### BEGIN HIDDEN TESTS
for slow in (1, 4, 17, 90, 300):
    patient = with_probes(copy.deepcopy(GIVEN), slow, 20)
    assert problems(patient) == [], f"The API should take it when it may need {slow} seconds to start."
    for life in lives(patient, listens_after(slow), slow + 60):
        assert not life.killed, f"It may need {slow} seconds to start, and was killed after {life.killed[0]:.0f}."
    for life in lives(patient, listens_after(10**6), slow + 100):
        assert life.killed, "A container that never listens is never killed."
        assert life.killed[0] <= slow + 30, "A container that never listens is killed too late."
### END HIDDEN TESTS

# %% test="ex3" part="hang" points=1
# Covers a service that falls silent for good. Not shown: other times, and pauses.
probed = with_probes(copy.deepcopy(GIVEN), 60, 30)
assert probed is not None, "with_probes returned nothing: return the Deployment as a dict."
said = problems(probed)
assert not said, f"The API would refuse it: {said[0]}"
stuck = lives(probed, silent_between(100, 200), 131)
assert all(life.killed for life in stuck), "It fell silent at second 100, and at 130 nobody has killed it."
### BEGIN HIDDEN TESTS
for slow, hang in ((60, 30), (120, 10), (5, 60), (240, 15)):
    probed = with_probes(copy.deepcopy(GIVEN), slow, hang)
    assert problems(probed) == [], f"The API should take it when hang is {hang}."
    for silent in (12.4, slow + 12.7):
        for life in lives(probed, silent_between(silent, 400), 400):
            assert life.killed, "It fell silent, and nobody kills it."
            assert life.killed[0] <= silent + hang, "It fell silent, and is killed too late."
        for life in lives(probed, silent_between(silent, silent + hang / 2), 400):
            assert not life.killed, "It was killed for a pause of half of `hang`."
### END HIDDEN TESTS

# %% test="ex3" part="traffic" points=1
# Covers a service that says 503 for a while. Not shown: other moments.
probed = with_probes(copy.deepcopy(GIVEN), 60, 30)
assert probed is not None, "with_probes returned nothing: return the Deployment as a dict."
said = problems(probed)
assert not said, f"The API would refuse it: {said[0]}"
fasting = lives(probed, unfit_between(100, 200), 300)
assert not any(life.serves(second) for life in fasting for second in range(111, 200)), "It said 503, and got requests."
assert not any(life.killed for life in fasting), "503 on /readyz mends itself: killing the container does not help."
assert all(life.serves(second) for life in fasting for second in range(211, 300)), "It says 200 again: send requests."
### BEGIN HIDDEN TESTS
for slow, hang in ((60, 30), (150, 10)):
    probed = with_probes(copy.deepcopy(GIVEN), slow, hang)
    assert problems(probed) == [], f"The API should take it when slow is {slow}."
    for begin, end in ((0, 40), (100, 290), (203.5, 220.5)):
        for life in lives(probed, unfit_between(begin, end), 320):
            assert not life.killed, "503 on /readyz mends itself: killing the container does not help."
            assert not any(life.serves(second) for second in range(int(begin) + 11, int(end))), (
                "It said 503 on /readyz, and got requests."
            )
            assert all(life.serves(second) for second in range(int(end) + 11, 320)), "200 again, and no requests."
            assert all(life.serves(second) for second in range(11, int(begin))), "200 from the start, and no requests."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 4: how large is a pod?
#
# The scheduler puts a pod on a node that has room for what its containers *request*; a container that takes more
# memory than its *limit* is killed. `quantity(text)` reads both notations exactly: `quantity("250m")` is a quarter of
# a core, `quantity("1Gi")` is 1,073,741,824 bytes.
#
# `sized(deployment, node, copies)` returns a copy of `deployment`, which has one container.
# - `node` says what an empty node has to give, such as `{"cpu": "1930m", "memory": "3Gi"}` (quantities, str);
#   `copies` (an int) is how many pods of the Deployment must fit on it.
# - The container requests as much as it can so that they fit: whole millicores of CPU, whole MiB (1,048,576 bytes) of
#   memory.
# - It may never use more memory than it requests. Of CPU it may use whatever is free, so it has no limit there. What the
#   Deployment said about resources before is replaced.


# %% answer="ex4"
def sized(deployment, node, copies):
    """Return a copy of the Deployment of which `copies` pods fit on the node."""
    ### BEGIN SOLUTION
    made = copy.deepcopy(deployment)
    millicores = int(quantity(node["cpu"]) * 1000 / copies)
    mebibytes = int(quantity(node["memory"]) / 1024**2 / copies)
    container_of(made)["resources"] = {
        "requests": {"cpu": f"{millicores}m", "memory": f"{mebibytes}Mi"},
        "limits": {"memory": f"{mebibytes}Mi"},
    }
    return made
    ### END SOLUTION


# %% locked="pods"
def pod(manifest):
    """Return the specification of the pods of a Deployment."""
    return manifest["spec"]["template"]["spec"]


# %% test="ex4" points=2
# Covers how many fit, and whether it is the most. Not shown: other nodes.
NODE = {"cpu": "1930m", "memory": "3Gi"}
three = sized(copy.deepcopy(GIVEN), NODE, 3)
assert three is not None, "sized returned nothing: return the Deployment as a dict."
said = problems(three)
assert not said, f"The API would refuse it: {said[0]}"
assert container_of(three).get("resources", {}).get("requests"), "What does the container request?"
assert fit(NODE, pod(three)) == 3, f"{fit(NODE, pod(three))} pods fit on the node, and 3 were asked for."
asked = container_of(three)["resources"]["requests"]
assert quantity(asked["memory"]) == 1024 * 2**20, "The memory requested is not the most that lets them fit."
assert quantity(asked["cpu"]) * 1000 == 643, "The CPU requested is not the most that lets them fit."
### BEGIN HIDDEN TESTS
for node, copies, cpu, memory in (
    ({"cpu": "4", "memory": "8000000Ki"}, 7, 571, 1116),
    ({"cpu": "0.75", "memory": "900M"}, 2, 375, 429),
    ({"cpu": "2", "memory": "2147483648"}, 1, 2000, 2048),
):
    made = sized(copy.deepcopy(GIVEN), node, copies)
    assert problems(made) == [], "The API should take it for other nodes as well."
    asked = container_of(made)["resources"]["requests"]
    assert quantity(asked["cpu"]) * 1000 == cpu, "The CPU requested is not the most that lets them fit."
    assert quantity(asked["memory"]) == memory * 2**20, "The memory requested is not the most that lets them fit."
    assert fit(node, pod(made)) == copies, f"Exactly {copies} pods should fit on another node."
whole = copy.deepcopy(GIVEN)
sized(whole, NODE, 2)
assert whole == GIVEN, "Leave what you were given as it is; return a copy."
### END HIDDEN TESTS

# %% test="ex4" part="limits" points=1
# Covers the limit of memory, and that there is none of CPU. Not shown: other nodes.
three = sized(copy.deepcopy(GIVEN), {"cpu": "1930m", "memory": "3Gi"}, 3)
assert three is not None, "sized returned nothing: return the Deployment as a dict."
said = problems(three)
assert not said, f"The API would refuse it: {said[0]}"
limits = container_of(three).get("resources", {}).get("limits", {})
assert "cpu" not in limits, "It may use whatever CPU is free, so it has no limit of CPU."
assert "memory" in limits, "Nothing stops it from eating all the memory."
### BEGIN HIDDEN TESTS
for node, copies in (({"cpu": "1930m", "memory": "3Gi"}, 3), ({"cpu": "8", "memory": "16G"}, 5)):
    resources = container_of(sized(copy.deepcopy(GIVEN), node, copies))["resources"]
    same = quantity(resources["limits"]["memory"]) == quantity(resources["requests"]["memory"])
    assert same, "It should never be able to use more memory than it requests."
    assert "cpu" not in resources["limits"], "A limit of CPU slows it down while the node has nothing else to do."
    quality = qos_class({"containers": [{"resources": resources}]})
    assert quality == "Burstable", f"With requests, and a limit of memory alone, it should be Burstable, not {quality}."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 5: configuration by reference
#
# What differs between test and production belongs in a ConfigMap, and what only the service may read in a Secret. A
# pod reads its environment once, when it starts: changing a ConfigMap changes no pod that runs. Only a change of the
# pod *template* makes the Deployment replace its pods.
#
# `configured(deployment, config, secret)` returns a list of three manifests, in any order: a ConfigMap, a Secret and
# a copy of `deployment`.
# - The ConfigMap holds `config` (a dict from name to text, int or float), the Secret `secret` (a dict from name to
#   text). The container reads both from there, as environment variables beside those that it has already. A number is
#   seen as `str(number)`.
# - The values of `secret` stand in the Secret and nowhere else (a checksum of them may).
# - When a value or a name in one of them changes, applying the three replaces the pods. With the same names and values,
#   in whatever order, it does not: then the pod template is the same.
#
# <details><summary>Hint</summary>
#
# `envFrom` takes all of a ConfigMap or a Secret. An annotation in the pod template is a place for a checksum, such as
# `hashlib.sha256(text.encode()).hexdigest()`; which `text` says all that matters and nothing else? A Secret's `data`
# is base64, its `stringData` plain text.
# </details>


# %% answer="ex5"
def configured(deployment, config, secret):
    """Return a ConfigMap, a Secret, and a copy of the Deployment that reads them."""
    ### BEGIN SOLUTION
    made, name = copy.deepcopy(deployment), deployment["metadata"]["name"]
    texts = {key: str(value) for key, value in config.items()}
    plain = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": f"{name}-config"}, "data": texts}
    hidden = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": f"{name}-secret"}, "stringData": secret}
    container_of(made).setdefault("envFrom", []).extend(
        [{"configMapRef": {"name": plain["metadata"]["name"]}}, {"secretRef": {"name": hidden["metadata"]["name"]}}]
    )
    checksum = hashlib.sha256(json.dumps([texts, secret], sort_keys=True).encode()).hexdigest()
    made["spec"]["template"]["metadata"].setdefault("annotations", {})["checksum/config"] = checksum
    return [plain, hidden, made]
    ### END SOLUTION


# %% locked="kinds"
def by_kind(manifests):
    """Return manifests as a dict from their kind."""
    return {one["kind"]: one for one in manifests}


# %% test="ex5" points=2
# Covers what the container sees, and where the values stand. Not shown: another Deployment, other values.
SETTINGS, PASSWORDS = {"OAKBANK_VERSION": "7", "THRESHOLD": 0.08}, {"LAKE_PASSWORD": "swordfish-19"}
three = configured(copy.deepcopy(GIVEN), dict(SETTINGS), dict(PASSWORDS))
assert three is not None, "configured returned nothing: return a list of three manifests."
manifests = isinstance(three, (list, tuple)) and all(isinstance(one, dict) for one in three)
assert manifests and sorted(one.get("kind", "") for one in three) == ["ConfigMap", "Deployment", "Secret"], (
    "Return a list of three manifests: a ConfigMap, a Secret and a Deployment."
)
said = [fault for one in three for fault in problems(one)]
assert not said, f"The API would refuse one of them: {said[0]}"
kinds = by_kind(three)
assert set(kinds) == {"ConfigMap", "Secret", "Deployment"}, "Want a ConfigMap, a Secret and a Deployment."
seen = environment(kinds["Deployment"], [kinds["ConfigMap"], kinds["Secret"]])
assert seen.get("OAKBANK_VERSION") == "7", "The container does not see OAKBANK_VERSION."
assert seen == {"OAKBANK_VERSION": "7", "THRESHOLD": "0.08", "LAKE_PASSWORD": "swordfish-19"}, (
    "The container should see all names and values, and no others."
)
moved = kinds["ConfigMap"] | {"data": kinds["ConfigMap"]["data"] | {"THRESHOLD": "0.5"}}
seen = environment(kinds["Deployment"], [moved, kinds["Secret"]])
assert seen["THRESHOLD"] == "0.5", "The container does not read the ConfigMap; it has a copy of the value."
open_to_all = json.dumps([kinds["ConfigMap"], kinds["Deployment"]])
for text in ("swordfish-19", base64.b64encode(b"swordfish-19").decode()):
    assert text not in open_to_all, "The secret can be read outside of the Secret."
### BEGIN HIDDEN TESTS
full = copy.deepcopy(GIVEN)
full["metadata"]["name"] = "risk"
container_of(full)["env"] = [{"name": "OAKBANK_MODEL", "value": "/model.json"}]
before = copy.deepcopy(full)
more = by_kind(configured(full, {"A": 1, "B": "two"}, {"C": "ö=?", "D": ""}))
assert all(problems(one) == [] for one in more.values()), "The API should take all three for another Deployment."
seen = environment(more["Deployment"], [more["ConfigMap"], more["Secret"]])
assert seen == {"OAKBANK_MODEL": "/model.json", "A": "1", "B": "two", "C": "ö=?", "D": ""}, (
    "The container should keep what it has already, and see all values as text."
)
assert full == before, "Leave what you were given as it is; return a copy."
assert more["Deployment"]["metadata"]["name"] == "risk", "The name of the Deployment should stay as it is."
assert more["Deployment"]["spec"]["replicas"] == 4, "The number of copies should stay as it is."
read = configured(by_kind(three)["Deployment"], {"LATE": 1}, {"LATER": "x"})
kinds = by_kind(read)
names = {kinds["ConfigMap"]["metadata"]["name"], kinds["Secret"]["metadata"]["name"]}
assert kinds["Deployment"]["metadata"]["name"] == "scorer", "Configured twice, the Deployment should keep its name."
assert all(names), "The ConfigMap and the Secret should have names."
### END HIDDEN TESTS

# %% test="ex5" part="rolls" points=2
# Covers a changed value, a changed password, another order, nothing changed. Not shown: names, swapped values.
three = configured(copy.deepcopy(GIVEN), dict(SETTINGS), dict(PASSWORDS))
assert three is not None, "configured returned nothing: return a list of three manifests."
manifests = isinstance(three, (list, tuple)) and all(isinstance(one, dict) for one in three)
assert manifests and sorted(one.get("kind", "") for one in three) == ["ConfigMap", "Deployment", "Secret"], (
    "Return a list of three manifests: a ConfigMap, a Secret and a Deployment."
)
template = by_kind(three)["Deployment"]["spec"]["template"]
changed = configured(copy.deepcopy(GIVEN), SETTINGS | {"THRESHOLD": 0.09}, dict(PASSWORDS))
assert by_kind(changed)["Deployment"]["spec"]["template"] != template, "The threshold changed, and no pod would notice."
taken = problems(by_kind(changed)["Deployment"], by_kind(three)["Deployment"]) == []
assert taken, "The API should take the changed configuration as an update."


def template_with(config, secret, start=GIVEN):
    return by_kind(configured(copy.deepcopy(start), config, secret))["Deployment"]["spec"]["template"]


assert template_with(dict(SETTINGS), dict(PASSWORDS)) == template, "Nothing changed, and yet the pods are replaced."
turned = dict(reversed(SETTINGS.items()))
assert template_with(turned, dict(PASSWORDS)) == template, "Only the order changed, and the pods are replaced."
assert template_with(dict(SETTINGS), {"LAKE_PASSWORD": "swordfish-20"}) != template, "The new password reaches no pod."
### BEGIN HIDDEN TESTS
pair = template_with({"A": "x"}, {"P": "1", "Q": "2"})
assert pair == template_with({"A": "x"}, {"Q": "2", "P": "1"}), "Only the order changed, and the pods are replaced."
assert pair != template_with({"B": "x"}, {"P": "1", "Q": "2"}), "A name changed, and no pod would notice."
assert pair != template_with({"A": "x"}, {"P": "2", "Q": "1"}), "Two values were swapped, and no pod would notice."
noted = copy.deepcopy(GIVEN)
noted["spec"]["template"]["metadata"]["annotations"] = {"owner": "credit-desk"}
assert template_with({"A": "x"}, {}, noted)["metadata"]["annotations"]["owner"] == "credit-desk", (
    "Annotations that the pod template has already should stay."
)
labels = template_with({"A": "x"}, {}, noted)["metadata"]["labels"]
assert labels == GIVEN["spec"]["template"]["metadata"]["labels"], "The labels of the pod template should stay."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 6: a release on a working day
#
# A rolling update replaces pods a few at a time, and goes on only as new ones become available. A release that never
# works should therefore do no harm. How much it can do is decided by numbers, and the defaults do not know yours.
#
# `careful(deployment, keep, room, settle, patience)` returns a copy of `deployment` such that, during any release,
# - never fewer than `keep` pods can serve and never more than `room` exist (ints, `keep` <= replicas <= `room`, and not
#   both equal);
# - a new pod counts as available only when it has been ready for `settle` seconds (an int); so a release whose pods
#   crash before that replaces at most the pods above `keep`;
# - a release that does not get on for `patience` seconds (an int, more than `settle`) is reported as failed by the
#   Deployment, one that gets on is not;
# - a release that works comes through.
#
# <details><summary>Hint</summary>
#
# All of it stands in the `spec` of the Deployment: in `strategy`, `minReadySeconds` and `progressDeadlineSeconds`. Of the
# two numbers of a rolling update one counts below `replicas` and one above, and they may not both be 0.
# </details>


# %% answer="ex6"
def careful(deployment, keep, room, settle, patience):
    """Return a copy of the Deployment that survives a bad release."""
    ### BEGIN SOLUTION
    made = copy.deepcopy(deployment)
    replicas = made["spec"]["replicas"]
    made["spec"]["strategy"] = {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxUnavailable": replicas - keep, "maxSurge": room - replicas},
    }
    made["spec"] |= {"minReadySeconds": settle, "progressDeadlineSeconds": patience}
    return made
    ### END SOLUTION


# %% locked="sizes"
def of_size(replicas):
    """Return the given Deployment with so many replicas."""
    manifest = copy.deepcopy(GIVEN)
    manifest["spec"]["replicas"] = replicas
    return manifest


# %% test="ex6" points=2
# Covers a release that never starts, one that works, a full room. Not shown: other numbers.
calm = careful(of_size(4), keep=4, room=5, settle=5, patience=120)
assert calm is not None, "careful returned nothing: return the Deployment as a dict."
said = problems(calm)
assert not said, f"The API would refuse it: {said[0]}"
assert roll_out(calm, starts=None).fewest >= 4, "A release that never starts takes pods away that worked."
assert roll_out(calm, starts=10).finished is not None, "A release that works does not come through."
full = careful(of_size(4), keep=3, room=4, settle=5, patience=120)
told = roll_out(full, starts=10)
assert told.most <= 4, f"There is room for 4 pods, and during a release there are {told.most}."
assert told.fewest >= 3, f"At least 3 pods have to serve, and during a release {told.fewest} do."
assert told.finished is not None, "A release comes through when 3 of 4 pods serve and there is no room for a fifth."
### BEGIN HIDDEN TESTS
for replicas, keep, room in (
    (4, 4, 5),
    (4, 3, 4),
    (10, 8, 10),
    (3, 3, 4),
    (10, 9, 13),
    (7, 5, 8),
    (1, 0, 1),
    (20, 20, 21),
):
    manifest = careful(of_size(replicas), keep, room, settle=2, patience=60)
    assert problems(manifest) == [], f"The API should take it for {replicas} replicas."
    assert manifest["spec"]["replicas"] == replicas, "The number of replicas should stay as it is."
    broken, good = roll_out(manifest, starts=None), roll_out(manifest, starts=9)
    assert min(broken.fewest, good.fewest) >= keep, "Fewer pods serve than must."
    assert max(broken.most, good.most) <= room, "There are more pods than there is room for."
    assert good.finished is not None and broken.finished is None, "A release that works does not come through."
same = of_size(4)
careful(same, 3, 5, 5, 60)
assert same == of_size(4), "Leave what you were given as it is; return a copy."
### END HIDDEN TESTS

# %% test="ex6" part="settle" points=1
# Covers pods that crash after 20 of 30 seconds. Not shown: other times.
calm = careful(of_size(4), keep=4, room=6, settle=30, patience=120)
assert calm is not None, "careful returned nothing: return the Deployment as a dict."
said = problems(calm)
assert not said, f"The API would refuse it: {said[0]}"
crashing = roll_out(calm, starts=5, dies=20)
assert crashing.fewest >= 4, "Its pods crash after 20 seconds, and they have replaced those that worked."
### BEGIN HIDDEN TESTS
for settle in (1, 7, 40):
    manifest = careful(of_size(6), keep=6, room=8, settle=settle, patience=100)
    assert problems(manifest) == [], f"The API should take it when settle is {settle}."
    late = roll_out(manifest, starts=3, dies=settle)
    assert late.fewest >= 6 and late.finished is None, "A pod that crashes before it has settled counts as available."
    slow, quick = roll_out(manifest, starts=3), roll_out(careful(of_size(6), 6, 8, 1, 100), starts=3)
    assert slow.finished is not None, "A release that works should come through, however long its pods have to settle."
    assert slow.finished >= quick.finished, "Pods that have to settle longer should not be available sooner."
### END HIDDEN TESTS

# %% test="ex6" part="told" points=1
# Covers a release that gets nowhere. Not shown: when it is reported, and when not.
calm = careful(of_size(4), keep=4, room=5, settle=5, patience=120)
assert calm is not None, "careful returned nothing: return the Deployment as a dict."
said = problems(calm)
assert not said, f"The API would refuse it: {said[0]}"
assert roll_out(calm, starts=None).reported is not None, "A release that gets nowhere for 15 minutes is never reported."
### BEGIN HIDDEN TESTS
for settle, patience in ((5, 120), (0, 31), (20, 300)):
    manifest = careful(of_size(4), keep=4, room=5, settle=settle, patience=patience)
    assert problems(manifest) == [], f"The API should take it when patience is {patience}."
    told = roll_out(manifest, starts=None).reported
    assert told is not None and told <= patience + 1, "A release that gets nowhere is reported too late."
    assert roll_out(manifest, starts=patience - 2).reported is None, "A slow release that works is reported as failed."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 7: back to the last release
#
# A Deployment keeps a ReplicaSet for each of its releases. `kubectl rollout undo` looks the last one up and puts its
# pod template back. Then the release goes out as any other does. You write that.
#
# `undone(deployment, replicasets)` returns a copy of `deployment` with the pod template of the release before its
# present one.
# - `deployment` and `replicasets` (a list, in any order) are as the API gives them. A ReplicaSet's number is the text
#   in `metadata.annotations["deployment.kubernetes.io/revision"]`; the highest is the present release, the next
#   lower one that there is (there may be gaps) is the one to go back to.
# - There are ReplicaSets of other Deployments among them. Those of this one name its `metadata.uid` as `uid` in one of
#   their `metadata.ownerReferences`.
# - To tell pods apart, a Deployment adds the label `pod-template-hash` to the template of each ReplicaSet. It must not
#   come back with it. All else of the template does; all else of the Deployment stays.
# - Without an earlier release, raise a `ValueError`.


# %% answer="ex7"
def undone(deployment, replicasets):
    """Return a copy of the Deployment with the pod template of the release before its present one."""
    ### BEGIN SOLUTION
    revisions = {}
    for one in replicasets:
        if deployment["metadata"]["uid"] in [owner["uid"] for owner in one["metadata"].get("ownerReferences", [])]:
            revisions[int(one["metadata"]["annotations"]["deployment.kubernetes.io/revision"])] = one
    if len(revisions) < 2:
        raise ValueError("there is no earlier release")
    made = copy.deepcopy(deployment)
    made["spec"]["template"] = copy.deepcopy(revisions[sorted(revisions)[-2]]["spec"]["template"])
    made["spec"]["template"]["metadata"]["labels"].pop("pod-template-hash")
    return made
    ### END SOLUTION


# %% locked="history"
def release(image):
    """Return the pod template of a release."""
    template = copy.deepcopy(GIVEN["spec"]["template"])
    template["spec"]["containers"][0]["image"] = image
    return template


def recorded(owner, revision, image, count=0):
    """Return the ReplicaSet of a release, as the API gives it."""
    template, mark = release(image), hashlib.sha256(image.encode()).hexdigest()[:9]
    template["metadata"]["labels"]["pod-template-hash"] = mark
    return {
        "metadata": {
            "name": f"{owner['metadata']['name']}-{mark}",
            "annotations": {"deployment.kubernetes.io/revision": str(revision)},
            "ownerReferences": [{"uid": owner["metadata"]["uid"], "kind": "Deployment"}],
        },
        "spec": {"replicas": count, "template": template},
    }


SCORER = copy.deepcopy(GIVEN)
SCORER["metadata"]["uid"] = "5d0e-scorer"
SCORER["spec"]["template"] = release("oakbank/service:3")
HISTORY = [recorded(SCORER, number, f"oakbank/service:{number}") for number in (1, 2, 3)]

# %% test="ex7" points=2
# Covers the release before the present one, to the last label. Not shown: numbers in another order, with gaps.
back = undone(copy.deepcopy(SCORER), copy.deepcopy(HISTORY))
assert back is not None, "undone returned nothing: return the Deployment as a dict."
said = problems(back)
assert not said, f"The API would refuse it: {said[0]}"
assert container_of(back)["image"] == "oakbank/service:2", "Release 3 runs, so the one to go back to is release 2."
assert back["spec"]["template"] == release("oakbank/service:2"), "The template is not what was applied then."
assert back["metadata"] == SCORER["metadata"] and back["spec"]["replicas"] == 4, "All else of the Deployment stays."
### BEGIN HIDDEN TESTS
long = copy.deepcopy(SCORER)
long["spec"]["replicas"] = 9
past = [recorded(long, number, f"oakbank/service:{number}", 2) for number in (10, 9, 11, 2, 8)]
kept = copy.deepcopy((long, past))
twelfth = undone(long, past)
assert container_of(twelfth)["image"] == "oakbank/service:10", "After 11 comes 10, and 9 only then."
assert twelfth["spec"]["replicas"] == 9, "How many pods there are is no matter of the release."
assert (long, past) == kept, "Leave what you were given as it is; return a copy."
gaps = [recorded(SCORER, number, f"oakbank/service:{number}") for number in (100, 40, 99, 7)]
found = container_of(undone(copy.deepcopy(SCORER), gaps))["image"]
assert found == "oakbank/service:99", "Of the releases 7, 40, 99 and 100 the one to go back to should be 99."
sparse = [recorded(SCORER, number, f"oakbank/service:{number}") for number in (12, 3, 5)]
assert container_of(undone(copy.deepcopy(SCORER), sparse))["image"] == "oakbank/service:5", (
    "Numbers may be missing: of 3, 5 and 12 the one to go back to should be 5."
)
### END HIDDEN TESTS

# %% test="ex7" part="others" points=1
# Covers ReplicaSets of others, and no earlier release. Not shown: both at once.
mixed = [*copy.deepcopy(HISTORY[1:]), {"metadata": {"name": "loose", "annotations": {}}, "spec": {}}]
back = undone(copy.deepcopy(SCORER), mixed)
assert back is not None, "undone returned nothing: return the Deployment as a dict."
said = problems(back)
assert not said, f"The API would refuse it: {said[0]}"
assert container_of(back)["image"] == "oakbank/service:2", "A ReplicaSet without an owner is none of this Deployment's."


def refuses(replicasets):
    """Return whether undone raises a ValueError."""
    try:
        undone(copy.deepcopy(SCORER), replicasets)
    except ValueError:
        return True
    return False


assert refuses([]), "Without any release there is nothing to go back to: raise a ValueError."
assert refuses(copy.deepcopy(HISTORY[:1])), "There is no earlier release than the only one: raise a ValueError."
### BEGIN HIDDEN TESTS
batch = copy.deepcopy(SCORER) | {"metadata": {"name": "scorer-batch", "uid": "77aa-batch"}}
theirs = [recorded(batch, number, f"oakbank/batch:{number}") for number in (2, 3, 4, 5)]
back = undone(copy.deepcopy(SCORER), [theirs[0], *copy.deepcopy(HISTORY[1:]), *theirs[1:]])
assert container_of(back)["image"] == "oakbank/service:2", "It took up a release of another Deployment."
assert refuses([*theirs, HISTORY[2]]), "Earlier releases of others only: there is none of this Deployment. Raise."
### END HIDDEN TESTS

# %% [markdown]
# ## Exercise 8: every night
#
# The batch job scores all open applications once a night. `runs(cronjob, ...)` says what a CronJob would run.
#
# `nightly(name, image, hour, minute, tries, most)` returns a CronJob as a dict.
# - It is called `name` and runs `image` in one container, every day at `hour`:`minute` (ints; the cluster's clock, no
#   time zone of its own).
# - A night that comes while the last one still runs is left out; the one that runs is left alone. (`runs` leaves it out
#   for good. A real cluster may start it late, when the other has ended, within `startingDeadlineSeconds`.)
# - A run that fails is tried again, `tries` times in all (an int, 1 or more).
# - All tries of a night together take at most `most` minutes (an int); then the run is ended, and has failed.
#
# <details><summary>Hint</summary>
#
# Two fields of the Job limit it, one by number and one in seconds. Of its two restart policies, `OnFailure` restarts the
# container inside its pod; Kubernetes counts those restarts, and ends the Job as the last of them begins, so the last try
# never gets to its end.
# </details>


# %% answer="ex8"
def nightly(name, image, hour, minute, tries, most):
    """Return a CronJob that runs an image every night, as a dict."""
    ### BEGIN SOLUTION
    pod = {"restartPolicy": "Never", "containers": [{"name": "batch", "image": image}]}
    job = {"backoffLimit": tries - 1, "activeDeadlineSeconds": 60 * most, "template": {"spec": pod}}
    return {
        "apiVersion": "batch/v1",
        "kind": "CronJob",
        "metadata": {"name": name},
        "spec": {"schedule": f"{minute} {hour} * * *", "concurrencyPolicy": "Forbid", "jobTemplate": {"spec": job}},
    }
    ### END SOLUTION


# %% locked="clock"
def moment(text):
    """Return a moment, such as moment("2025-12-30 00:00")."""
    return datetime.fromisoformat(text)


# %% test="ex8" points=2
# Covers when it runs, what it is called. Not shown: another time, the image.
batch = nightly("scores", "oakbank/batch:1", 2, 30, tries=3, most=240)
assert batch is not None, "nightly returned nothing: return the manifest as a dict."
said = problems(batch)
assert not said, f"The API would refuse it: {said[0]}"
nights = [run.begin for run in runs(batch, moment("2025-12-30 00:00"), 72)]
assert len(nights) == 3, f"In three days it runs {len(nights)} times."
assert nights == [moment(f"{day} 02:30") for day in ("2025-12-30", "2025-12-31", "2026-01-01")], (
    "It should run every day at 02:30."
)
### BEGIN HIDDEN TESTS
early = nightly("early", "oakbank/batch:2", 0, 7, tries=1, most=30)
assert problems(early) == [], "The API should take another CronJob as well."
assert early["metadata"]["name"] == "early" and batch["metadata"]["name"] == "scores", "Use the name that was given."
fortnight = [run.begin for run in runs(early, moment("2026-02-20 00:00"), 24 * 14)]
assert fortnight == [moment("2026-02-20 00:07") + timedelta(days=day) for day in range(14)], (
    "It should run every day at 00:07, also across the end of a month."
)
inside = early["spec"]["jobTemplate"]["spec"]["template"]["spec"]
assert [one["image"] for one in inside["containers"]] == ["oakbank/batch:2"], "Run the image that was given."
### END HIDDEN TESTS

# %% test="ex8" part="trouble" points=2
# Covers tries that fail, and a run without end. Not shown: other numbers, a night that comes too early.
batch = nightly("scores", "oakbank/batch:1", 2, 30, tries=3, most=240)
assert batch is not None, "nightly returned nothing: return the manifest as a dict."
said = problems(batch)
assert not said, f"The API would refuse it: {said[0]}"
good = runs(batch, moment("2026-03-01 00:00"), 24, [timedelta(minutes=20)], fails=2)
assert [(run.tries, run.outcome) for run in good] == [(3, "complete")], "Two tries fail, the third goes well."
endless = runs(batch, moment("2026-03-01 00:00"), 24, [timedelta(hours=300)])
assert endless[0].end == moment("2026-03-01 06:30") and endless[0].outcome == "failed", (
    "It has 240 minutes from 02:30 on: then it is ended, and has failed."
)
### BEGIN HIDDEN TESTS
for tries in (1, 2, 4, 9):
    stubborn = nightly("scores", "oakbank/batch:1", 2, 30, tries=tries, most=1200)
    failing = runs(stubborn, moment("2026-03-01 00:00"), 24, [timedelta(minutes=5)], fails=50)
    assert [(run.tries, run.outcome) for run in failing] == [(tries, "failed")], "It tries too often, or not enough."
brief = runs(
    nightly("brief", "oakbank/batch:1", 1, 0, 1, most=45), moment("2026-03-01 00:00"), 24, [timedelta(hours=1)]
)
assert brief[0].end == moment("2026-03-01 01:45"), "A run that may take 45 minutes should be ended after them."
patient = nightly("patient", "oakbank/batch:1", 22, 0, tries=1, most=60 * 24 * 9)
long = runs(patient, moment("2026-03-01 00:00"), 24 * 6, [timedelta(hours=60), timedelta(hours=1)])
ends = [(run.begin.day, run.outcome, run.end - run.begin) for run in long]
assert ends[0] == (1, "complete", timedelta(hours=60)), "The run of the night before is not left alone."
assert [day for day, _, _ in ends] == [1, 4, 5, 6], "While one runs, the next is left out."
### END HIDDEN TESTS

# %% [markdown]
# ## All of it
#
# When the tests pass, this is the service whole: run `manifests = everything()` in a cell of your own, then
# `print(yaml.safe_dump_all(manifests, sort_keys=False))`. That text is what `kubectl apply -f -` takes. If a cluster
# answers on your machine (lesson 01/08 says how to get one, and how it learns of the image), apply it, and break it:
# give the Deployment an image that does not exist, look at the pods, and go back with `kubectl rollout undo`.


# %% locked="all"
def everything(image="oakbank/service:1"):
    start = careful(deployment("oakbank", image, 3), keep=3, room=4, settle=2, patience=60)
    fitted = sized(with_probes(start, slow=30, hang=10), {"cpu": "1900m", "memory": "3Gi"}, 8)
    door = mend(copy.deepcopy(SILENT) | {"metadata": {"name": "oakbank"}}, fitted)
    made = configured(fitted, {"OAKBANK_VERSION": image.rpartition(":")[2]}, {"LAKE_PASSWORD": "change-me"})
    return [*made, door, nightly("oakbank-scores", "oakbank/batch:1", 2, 30, tries=3, most=240)]
