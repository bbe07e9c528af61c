# %% [markdown]
# # 08 Orchestration with Kubernetes
#
# ## You will
#
# - write a control loop, and say what Kubernetes adds to it
# - read the manifests of a service, and check them without a cluster
# - run the Oakbank service on a cluster, and see it heal when a pod goes
# - release a new version without a lost request, stop a bad one half-way and take it back
# - choose between Deployment, Job and CronJob, and set limits and probes that mean something
#
# ## You need
#
# Lesson 07: what an image is, and the Oakbank service's. A Kubernetes cluster makes this lesson worth twice as much;
# on a laptop with Docker, `kind create cluster` gives you one in a minute. Without one it runs all the same, and says what
# you miss.
#
# ## Time
#
# 43 minutes to read, 60 seconds to run.
#
# ## The story so far
#
# The model is in an image, and one container of it answers. Now the machine under it is switched off for an
# update at three in the morning, and somebody should notice who is not you.

# %% [markdown]
# ## Somebody who keeps looking
#
# You could write a script that starts the container, and a second one that starts it again when it dies. Both say what
# to *do*. The idea of this lesson is to say what should *be*, and to leave the doing to a loop that compares:
#
# 1. observe what is there,
# 2. compare it with what is wanted,
# 3. do something about the difference, and start again.
#
# Here it is for processes of this machine. Each sleeps; think of each as one copy of the service.

# %%
import subprocess
import sys

COMMAND = [sys.executable, "-S", "-c", "import time; time.sleep(600)"]
running = []


def reconcile(wanted):
    running[:] = [process for process in running if process.poll() is None]
    for _ in range(wanted - len(running)):
        running.append(subprocess.Popen(COMMAND))
    while len(running) > wanted:
        extra = running.pop()
        extra.terminate()
        extra.wait()


# %% [markdown]
# `reconcile` never asks what happened. It does not know whether a process crashed, was killed or has not been started
# yet. **Predict:** we ask for three, two of them die, the loop runs once more, and then we ask for one. What does
# each line say?


# %%
def alive():
    return sum(process.poll() is None for process in running)


for step in ("start", "two die", "loop again", "ask for one"):
    if step == "two die":
        for process in running[:2]:
            process.kill()
            process.wait()
    else:
        reconcile(1 if step == "ask for one" else 3)
    print(f"{step:<12} {alive()} running")

# %% [markdown]
# Starting, healing and scaling down are the same few lines. That is all there is to the idea; a cluster has a few
# dozen such loops, each for one kind of thing, and what they want stands in a database instead of an argument.

# %%
reconcile(0)
print(alive(), "running: we leave nothing behind")

# %% [markdown]
# ## What is wanted, written down
#
# In Kubernetes you write each wish as a **manifest**, a piece of YAML, and hand it to the API server. Four kinds carry
# the Oakbank service:
#
# ```mermaid
# flowchart LR
#     C[client] --> S["Service: one address"]
#     S --> P1["Pod: container of oakbank/service:1"]
#     S --> P2["Pod: another one"]
#     D["Deployment: two pods of this template"] -. keeps .-> P1
#     D -. keeps .-> P2
#     M["ConfigMap: settings"] --> P1
#     M --> P2
# ```
#
# A **pod** is one running copy: a container (or a few that belong together) with an address of its own. It is
# mortal, and so is its address. A **Deployment** is the loop's wish: so many pods, made from this template. A
# **Service** is an address that stays; behind it are whatever pods carry the right label and are ready. A **ConfigMap**
# holds settings, so that the same image runs everywhere.

# %%
from oakbank.intro.cluster import MANIFESTS

print((MANIFESTS / "base" / "deployment.yaml").read_text())

# %% [markdown]
# Read it from the outside in. `apiVersion` names the group that a kind belongs to: `apps/v1` for a Deployment, plain `v1`
# for pods, Services, ConfigMaps and Secrets, `batch/v1` for work that ends. `spec` is the wish. Its `selector` says which
# pods the Deployment counts as its own, so the labels in `matchLabels` must be among those of the `template`, and
# cannot be changed later. The template is the pod. `envFrom` makes every entry of a ConfigMap (or, with `secretRef`, of a
# Secret) an environment variable, read once, as the container starts. And the Service, with the same label:

# %%
print((MANIFESTS / "base" / "service.yaml").read_text())

# %% [markdown]
# A client asks for port 80, and the Service hands it to the port that the container calls `http`, whatever its number is.
#
# ## Three probes
#
# Two words here are mixed up more than any others. **Readiness** asks *may it get traffic?* and its failure costs the pod
# its place behind the Service, nothing more. **Liveness** asks *is it beyond help?* and its failure gets the
# container killed. A service whose model is still loading is not ready, and very much alive; if both probes asked
# the same question, each slow start would end in a kill. So `/readyz` looks at the model and `/healthz` does not. The
# third, **startup**, holds the other two back until it has succeeded once: a slow start needs no patient liveness.
#
# A probe asks every `periodSeconds`, waits `timeoutSeconds` for the answer (1, if nothing is said), and draws its
# conclusion after `failureThreshold` failures in a row. So a hung process is found after about period times threshold:
# here liveness 5 s x 3, and startup gives 1 s x 60.
#
# **Requests** are what the scheduler sets aside when it picks a node. **Limits** are what the kernel enforces: above
# the CPU limit a container gets slower, above the memory limit it is killed. You will see that happen. (Ours sets both. Many
# leave the CPU limit out, so that a pod may use whatever is free.)
#
# ## Checked before anybody applies it
#
# The types of all these fields are published, so a manifest can be checked like code, with no cluster at all. First all
# of ours, against an old Kubernetes and the newest that the checker knows:

# %%
import kubernetes_validate

from oakbank.intro.cluster import validate

versions = ("1.25", kubernetes_validate.latest_version().removesuffix(".0"))
for file in sorted(MANIFESTS.glob("*/*.yaml")):
    if file.name != "kustomization.yaml":
        found = [problem for version in versions for problem in validate(file.read_text(), version)]
        print(f"{file.relative_to(MANIFESTS).as_posix():<27} {found or 'fine'}")
print("checked against Kubernetes", " and ".join(versions))

# %% [markdown]
# A check that has never failed proves nothing. So plant three faults, one at a time: a number as a word, a probe
# misspelt by one letter, and a Service's label that no pod carries. **Which of them does a schema see?**

# %%
text = (MANIFESTS / "base" / "deployment.yaml").read_text()
service = (MANIFESTS / "base" / "service.yaml").read_text()
faults = {
    "a number as a word": text.replace("replicas: 2", "replicas: two"),
    "a misspelt probe": text.replace("readinessProbe", "readinesProbe"),
    "a label nobody has": service.replace("{app.kubernetes.io/name: scorer} # every", "{app: scorer} # every"),
}
for name, planted in faults.items():
    print(f"{name:<20} {(validate(planted) or ['fine'])[0]}")

# %% [markdown]
# The last one passes, and would give you a Service with nobody behind it and no error anywhere. A schema knows words,
# not sense. The lab of this lesson looks at sense.
#
# ## On a cluster
#
# Everything below talks to a cluster through the same API, kind and minikube on a laptop or a cloud's. Where your
# `KUBECONFIG` leads to another cluster than one of your own machine, it is left alone, for it may be somebody's
# production; you offer it by its context's name in `OAKBANK_CLUSTER`. Only one thing differs between clusters, which
# is how an image gets to the nodes; `load_image` knows the usual ways, and in a cloud it is a registry.

# %%
from oakbank.intro.cluster import cluster, fresh_namespace, kubectl, load_image
from oakbank.intro.containers import TAG, build_service_image, engine

SPACE = "oakbank-lesson-08"
api, docker = cluster(), engine()
if api and docker:
    build_service_image(docker, TAG)
    load_image(TAG)
    fresh_namespace(api, SPACE)
live = bool(api and docker)
print("the cells below run on a cluster" if live else "the cells below print nothing; the text says what they would")

# %% [markdown]
# A **namespace** is a folder for objects; ours will be deleted at the end with all that is in it. `apply` hands the
# manifests over. It returns at once, because nothing has happened yet: a wish has been written down.

# %%
from oakbank.intro.watch import wait_for_pods

if live:
    print(kubectl("apply", "-n", SPACE, "-k", str(MANIFESTS / "base")))
    first = wait_for_pods(api, SPACE, "scorer", 2)
    print(kubectl("get", "-n", SPACE, "deployments,pods,services"))

# %% [markdown]
# Two pods, both ready, and a Service in front. The names with a hash come from *kustomize*, which is built into kubectl:
# it puts a digest of each ConfigMap's content into its name, so that a changed setting is a new name, hence a new
# release like any other. (Without kustomize one writes a checksum of the settings into an annotation of the pod template:
# what changes the template replaces the pods, and nothing else does.) Now ask the service, through the API server, which hands the request to one of the ready pods.

# %%
import json

from oakbank.intro.cluster import ask

applications = json.loads((MANIFESTS / "base" / "applications.json").read_text())
if live:
    for application in applications[:3]:
        print(*ask(api, SPACE, "/score", application))

# %% [markdown]
# ## It heals
#
# Delete a pod, as a dying node would. **Predict:** how many pods are there a moment later, and is one of them the
# pod that you deleted?

# %%
from oakbank.intro.watch import is_ready, pods

if live:
    before = pods(api, SPACE, "scorer")
    kubectl("delete", "pod", "-n", SPACE, "--wait=false", before[0].metadata.name)
    after = wait_for_pods(api, SPACE, "scorer", 2)
    same = {pod.metadata.uid for pod in before} & {pod.metadata.uid for pod in after}
    print(f"{len(before)} pods before, {len(after)} after, {len(same)} of them the same")

# %% [markdown]
# It is a new pod with a new name and a new address; the old one does not come back. That was `reconcile`, in the
# Deployment's colours. A second loop sits on the node itself: where the process in a pod ends, the kubelet starts the
# container again, in the same pod.

# %%
from oakbank.intro.watch import wait_for_restart

if live:
    name = after[0].metadata.name
    kubectl("exec", "-n", SPACE, name, "--", "python", "-c", "import os; os.kill(1, 15)")
    wait_for_restart(api, SPACE, name)
    print(kubectl("get", "-n", SPACE, "pods"))

# %% [markdown]
# ## A limit is a limit
#
# A pod of the same image that may have 64 MiB asks for a gigabyte:

# %%
from kubernetes import client

from oakbank.intro.watch import wait_for_end

limited = {"resources": {"limits": {"memory": "64Mi"}}}
command = ["python", "-c", "print(len(bytearray(10**9)))"]
spec = {"restartPolicy": "Never", "containers": [{"name": "greedy", "image": TAG, "command": command, **limited}]}
if live:
    core = client.CoreV1Api(api)
    core.create_namespaced_pod(SPACE, {"metadata": {"name": "greedy"}, "spec": spec})
    print(wait_for_end(api, SPACE, "greedy"))

# %% [markdown]
# Nothing was raised inside the process; the kernel killed it (137 is 128 + 9, the number of SIGKILL). Without a limit it
# would have taken the memory of its neighbours, and the kernel would have picked one of *them*. When you meet
# `OOMKilled` in your own service, measure what it needs before you raise the number.
#
# ## A release that nobody notices
#
# Our Deployment says `maxUnavailable: 0, maxSurge: 1`: never fewer ready pods than wanted, at most one more. So a release
# goes hand over hand:
#
# ```mermaid
# sequenceDiagram
#     participant D as Deployment
#     participant O as old pods
#     participant N as new pods
#     D->>N: start one
#     N-->>D: ready
#     D->>O: stop one
#     D->>N: start another
#     N-->>D: ready
#     D->>O: stop the last
# ```
#
# In words: one new pod starts; when its readiness probe succeeds it gets traffic and one old pod is stopped; then the next.
# If a new pod does not become ready, the next step never comes. How long it must have been ready before it counts is
# `minReadySeconds` (0, if nothing is said). Let us release version 2 (the same model under
# another name, so that the answer tells who gave it) and ask the service all the while.

# %%
import time

from oakbank.intro.watch import rolled_out


def ask_until_released(patience=40):
    end = time.monotonic() + patience
    while time.monotonic() < end and not rolled_out(api, SPACE, "scorer"):
        status, answer = ask(api, SPACE, "/score", applications[0])
        yield answer["model_version"] if status == 200 else f"error {status}"
        time.sleep(0.2)


# %%
if live:
    kubectl("set", "env", "-n", SPACE, "deployment/scorer", "OAKBANK_VERSION=2")
    seen = list(ask_until_released())
    print("versions, in the order in which they answered:", *seen)
    print("errors:", sum(answer.startswith("error") for answer in seen))

# %% [markdown]
# For a while both versions answer, in no order. That is the price of having no gap, and it is yours to pay: two
# versions side by side must understand the same requests.
#
# And one line of the manifest has earned its place here. A pod is taken out of the Service and told to stop *at the same
# time*, by different loops, so for a moment requests arrive at a process that has gone. `preStop` lets it answer for
# three seconds more. Before that line was there our test lost a request once, and dozens of requests later not again: too
# rare to show you on demand, and just rare enough to be found by customers first.
#
# ## A release that fails
#
# Now the mistake that happens: a setting with a typo. The path of the model leads nowhere, so the new pods start, and live,
# and never become ready. **Predict:** what do customers see, and for how long?

# %%
if live:
    kubectl("set", "env", "-n", SPACE, "deployment/scorer", "OAKBANK_MODEL=/app/modle.json")
    print(kubectl("rollout", "status", "-n", SPACE, "deployment/scorer", "--timeout=5s", check=False))
    for pod in pods(api, SPACE, "scorer"):
        print(pod.metadata.name, "ready" if is_ready(pod) else "not ready")

# %%
if live:
    endpoints = core.read_namespaced_endpoints("scorer", SPACE).subsets[0]
    print("gets traffic:", len(endpoints.addresses), " kept away:", len(endpoints.not_ready_addresses or []))
    print("answers:", {ask(api, SPACE, "/score", application)[0] for application in applications})
    broken = next(pod for pod in pods(api, SPACE, "scorer") if not is_ready(pod))
    log = core.read_namespaced_pod_log(broken.metadata.name, SPACE).splitlines()
    print(next(line for line in log if "no model" in line))

# %% [markdown]
# (`Endpoints` is deprecated since Kubernetes 1.33, which answers with a warning; its successor is the `EndpointSlice`.)
#
# They see nothing. The release stands still at its first step: one new pod that is not ready, two old ones that do all
# the work, and the reason in the log. It would stand there all night. After `progressDeadlineSeconds` the Deployment calls
# it failed; Kubernetes does not take it back by itself. You do:

# %%
if live:
    print(kubectl("rollout", "undo", "-n", SPACE, "deployment/scorer"))
    wait_for_pods(api, SPACE, "scorer", 2)
    print(kubectl("rollout", "history", "-n", SPACE, "deployment/scorer"))

# %% [markdown]
# `undo` is nothing new either. For each of its last templates (ten, unless `revisionHistoryLimit` says otherwise;
# beyond them `undo` fails) a Deployment keeps a **ReplicaSet**: the object that holds the pods of one release, with
# the Deployment in its `ownerReferences` and the number of the release in an annotation. `undo` takes the template of
# the one before and writes it down as the newest wish (revision 2 has become revision 4), and the loop does the rest.
# Mind what the probe saw, and what it did not: a model that is *there* and *wrong* passes `/readyz`. Chapter 03
# builds the gate for that one.
#
# ## Work that ends
#
# A Deployment restarts what ends. For work that is meant to end there is the **Job**: it tries until the work has
# succeeded once, or `backoffLimit` repetitions are used up, or `activeDeadlineSeconds` have passed over all of them. With
# `restartPolicy: Never` each try is a pod of its own, and stays to be looked at. Ours came with `apply` a while ago; it scores a batch through the service.

# %%
from oakbank.intro.watch import wait_for_job

if live:
    print(wait_for_job(api, SPACE, "score-a-batch"))
    print(kubectl("logs", "-n", SPACE, "job/score-a-batch"))

# %% [markdown]
# The first column is no application id but a keyed digest of it, and the key came from a **Secret**. Look at how secret
# that is:

# %%
import base64

if live:
    secret = next(one for one in core.list_namespaced_secret(SPACE).items if one.metadata.name.startswith("pseudonyms"))
    print(secret.data["key"], "is", base64.b64decode(secret.data["key"]).decode())

# %% [markdown]
# Base64 is spelling, not encryption. Whoever may read Secrets in the namespace has the key, and one that stands in a
# repository, as this one does, is public. What a Secret gives you is a separate right to read it; the rest is chapter 05.
#
# ## Every night, and under load
#
# The folder `production` adds three wishes. A **CronJob** makes the Job every night at two. A **PodDisruptionBudget** says
# that one pod stays when a node is emptied. And a **HorizontalPodAutoscaler** is one more loop, over the number that you
# have been writing by hand.

# %%
import yaml

nightly = yaml.safe_load((MANIFESTS / "production" / "cronjob.yaml").read_text())["spec"]
print(yaml.safe_dump({key: value for key, value in nightly.items() if key != "jobTemplate"}))
print("jobTemplate: spec:", {key: value for key, value in nightly["jobTemplate"]["spec"].items() if key != "template"})

# %% [markdown]
# `schedule` is minute, hour, day, month, weekday. `concurrencyPolicy: Forbid` lets no second run start beside one that
# still works (`Allow` would, `Replace` would end the first). A run that was held up may start up to
# `startingDeadlineSeconds` late. And the core of what the autoscaler computes is this:

# %%
import math

scaler = yaml.safe_load((MANIFESTS / "production" / "autoscaler.yaml").read_text())["spec"]
target = scaler["metrics"][0]["resource"]["target"]["averageUtilization"]


def pods_wanted(now, utilisation):
    close = abs(utilisation / target - 1) <= 0.1  # the default tolerance: what is as close as that is left as it is
    wanted = now if close else math.ceil(now * utilisation / target)
    return min(max(wanted, scaler["minReplicas"]), scaler["maxReplicas"])


print({f"{now} pods at {used} %": pods_wanted(now, used) for now, used in [(2, 35), (2, 75), (2, 180), (6, 180)]})
assert target == 70
assert pods_wanted(2, 75) == 2

# %% [markdown]
# At 75 % against a target of 70 nothing happens. And before a cluster takes pods away it waits: the largest number that
# was wanted in the last five minutes holds (a default, too). The per cent are of the CPU *request*, so a request
# plucked from the air makes an autoscaler that scales at random. We checked these three files against the schemas
# above, and did not apply them: they want a newer Kubernetes than every cluster has, and the autoscaler a metrics
# server. On yours it is one word: `kubectl apply -k production` instead of `base`.

# %%
from oakbank.intro.cluster import delete_namespace

if live:
    delete_namespace(api, SPACE)
    print(kubectl("get", "all", "-n", SPACE))

# %% [markdown]
# ## Elsewhere
#
# | | a cluster | the image gets there | then |
# |---|---|---|---|
# | kind | `kind create cluster` | `kind load docker-image oakbank/service:1` | `kubectl apply -k base` |
# | minikube | `minikube start` | `minikube image load oakbank/service:1` | the same |
# | a cloud | its console, or chapter 05's Terraform | `docker push` to its registry, and that name in the manifest | the same |
#
# That the last column does not change is the reason for Kubernetes. Whether you need it is another question: one
# service on one machine is well served by Docker with a restart policy, and a cluster is something that somebody
# must look after too.
#
# ## What this does not prove
#
# The cluster was of Kubernetes 1.20.2; newer ones, such as the 1.37 of the documentation below, were not tried. One
# node: we saw pods die, and no machine. The requests went through the API server, where a real client would come in
# by an Ingress or a load balancer. Some ten requests a second is no load; lesson 05/05 brings load. CronJob,
# autoscaler and disruption budget were checked against their schemas and not run.
#
# ## Check yourself
#
# <details><summary>You delete a pod by hand and it comes back. How do you really get rid of it?</summary>
#
# Change the wish: scale the Deployment down, or delete it. Whoever acts on what is observed works against the loop.
# </details>
#
# <details><summary>A service takes a minute to load its model, and liveness asks /readyz from the tenth second. What happens?</summary>
#
# It is killed before it is ready, again and again (`CrashLoopBackOff`). Liveness should ask something cheaper, and a
# startup probe should give it its minute.
# </details>
#
# <details><summary>Why did the bad release not take the service down?</summary>
#
# `maxUnavailable: 0`: no old pod is stopped before a new one is ready, and the readiness probe said that it never was.
# With a probe that always says yes, the release would have gone through, and every answer would have been an error.
# </details>
#
# ## Take-away
#
# **You do not tell a cluster what to do. You tell it what should be, and it never stops comparing.**
#
# ## Go further
#
# - Kubernetes documentation, *Controllers*, *Deployments*, *Configure Liveness, Readiness and Startup Probes* (1.37)
# - B. Burns et al., *Borg, Omega, and Kubernetes*, ACM Queue 14(1), 2016
# - The manifests, whole: `chapters/01-intro/reference/oakbank/intro/manifests`
# - The lab `01-deploy-to-kubernetes` gives you manifests with faults that no schema sees
# - In the glossary: [pod](../../../GLOSSARY.md#pod), [deployment](../../../GLOSSARY.md#deployment), [readiness probe](../../../GLOSSARY.md#readiness-probe), [rollout](../../../GLOSSARY.md#rollout)
