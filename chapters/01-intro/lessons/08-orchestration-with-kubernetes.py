# %% [markdown]
# # 08 Orchestration with Kubernetes
#
# ## You will
#
# - write a control loop, and say what Kubernetes adds to it
# - read the manifests of a service, and check them without a cluster
# - run the Oakbank service on a cluster with `kubectl`, and see it heal when a pod goes
# - release a new version without a lost request, stop a bad one half-way, find out why, and take it back
# - choose between Deployment, Job and CronJob, and set limits and probes that mean something
#
# ## You need
#
# Lesson 07, and a Kubernetes cluster: with Docker, `kind create cluster` makes one in a minute. Without one, the cells
# show what they showed on a machine that has one.
#
# ## Time
#
# 28 minutes to read, 60 seconds to run.
#
# ## The story so far
#
# The model is in an image, and one container of it answers. Now its machine is switched off for an update at three in the
# morning, and nobody is awake.

# %% [markdown]
# ## A loop that keeps looking
#
# A script that restarts a dead container says what to *do*. The idea of this lesson is to say what should *be*: a loop
# observes what is there, compares it with what is wanted, and acts on the difference. Here it is for processes of this
# machine; think of each as one copy of the service. **Predict:** we ask for three, two die, the loop runs again, then we
# ask for one. What does each line print?

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
    return len(running)


print(reconcile(3), "after the start")
for process in running[:2]:
    process.kill()
    process.wait()
print(sum(process.poll() is None for process in running), "after two died")
print(reconcile(3), "after the loop;", reconcile(1), "wanted;", reconcile(0), "left")

# %% [markdown]
# Starting, healing and scaling down are the same lines. A cluster has dozens of such loops, one for each kind of thing;
# what they want stands in a database.
#
# ## What is wanted, written down
#
# Each wish is a **manifest**, a piece of YAML that you hand to the API server.
#
# | kind | is |
# |---|---|
# | **Pod** | one running copy: a container, with an address that goes with it |
# | **Deployment** | the wish: so many pods, made from this template |
# | **Service** | an address that stays; behind it are the pods with a label that are ready |
# | **ConfigMap**, **Secret** | settings, so that the same image runs everywhere |
# | **Job**, **CronJob** | work that ends; work that ends, every night |

# %%
from oakbank.intro.cluster import MANIFESTS, validate

text = (MANIFESTS / "base" / "deployment.yaml").read_text()
service = (MANIFESTS / "base" / "service.yaml").read_text()
print(text, service, sep="\n---\n")

# %% [markdown]
# `spec` is the wish; its `selector` says which pods count as the Deployment's own, so these labels stand in the
# `template`, the pod, too. The Service hands what a client sends to the port that the container calls `http`.
#
# | field | asks | on failure |
# |---|---|---|
# | `readinessProbe` | may it get requests? | no requests, nothing more |
# | `livenessProbe` | is it beyond help? | the container is killed and started again |
# | `startupProbe` | has it started? | killed; until it succeeds, the other two wait |
# | `requests` | what must be free on a node? | the pod waits for a node |
# | `limits` | what may it take? | slower (CPU), killed (memory) |
#
# A service whose model still loads is not ready, and very much alive: `/readyz` looks at the model, `/healthz` does not.
# A probe acts after about `periodSeconds` times `failureThreshold`: liveness here after 15 seconds.
#
# ## Checked before anybody applies it
#
# The fields and their types are published: a manifest can be checked without a cluster. We plant three faults. **Which does
# a schema see?**

# %%
faults = {
    "as it is": text,
    "a number as a word": text.replace("replicas: 2", "replicas: two"),
    "a misspelt probe": text.replace("readinessProbe", "readinesProbe"),
    "a label nobody has": service.replace("name: scorer} # every", "name: x} # every"),
}
for name, planted in faults.items():
    print(f"{name:<20} {(validate(planted) or ['fine'])[0]}")

# %% [markdown]
# The last one passes, and makes a Service with nobody behind it. A schema knows words, not sense.
#
# ## On a cluster
#
# `kubectl` talks to the cluster that `KUBECONFIG` names. One that is not of your own machine is left alone: it may be
# production. (`OAKBANK_CLUSTER` with its context's name offers it.) The next cell builds the image of lesson 07,
# loads it onto the nodes, and makes a **namespace**, a folder for objects.

# %%
import json
import os
import shutil
from pathlib import Path

from course.lesson import own_folder, recorded
from oakbank.intro import cluster, containers, watch

own_folder()
shutil.copytree(MANIFESTS, "manifests")
api, docker = cluster.cluster(), containers.engine()
recorded("01/08", cluster.versions(api) if api and docker else None)
if api and docker:
    containers.build_service_image(docker, containers.TAG)
    cluster.load_image(containers.TAG)
    cluster.fresh_namespace(api, "oakbank")
    cluster.settle_in("oakbank", Path("kubeconfig").resolve())
else:
    os.environ["KUBECONFIG"] = os.devnull  # a cell that you change reaches no cluster

# %% [markdown]
# `apply` hands the manifests over and returns at once: a wish is written down. `rollout status` waits until it is true.

# %% language="shell"
# kubectl apply -k manifests/base
# kubectl rollout status deployment/scorer
# kubectl get deployments,pods,services --selector app.kubernetes.io/name=scorer

# %% [markdown]
# `-f` applies a file, `-k` a folder with a `kustomization.yaml`: it puts a digest of each ConfigMap into its name, so a
# changed setting is a new release. We ask the service, through the API server, which hands the request to a ready pod:

# %% recorded=true
applications = json.loads(Path("manifests/base/applications.json").read_text())
for application in applications[:3]:
    print(*cluster.ask(api, "oakbank", "/score", application))

# %% [markdown]
# ## It heals
#
# Delete all pods, as a dying node would. **Predict:** how many pods are there afterwards, and are they the same?

# %% language="shell"
# kubectl delete pods --selector app.kubernetes.io/name=scorer
# kubectl rollout status deployment/scorer
# kubectl get pods --selector app.kubernetes.io/name=scorer

# %% [markdown]
# Two new pods with new names: that was the Deployment's loop. A second loop sits on each node: where the process in a pod
# ends, the kubelet starts the container again, in the same pod (`RESTARTS`). Change the wish, and the first loop follows:

# %% language="shell"
# kubectl exec deployment/scorer -- python -c "import os; os.kill(1, 15)"
# kubectl scale deployment/scorer --replicas=3
# kubectl rollout status deployment/scorer
# kubectl get pods --selector app.kubernetes.io/name=scorer
# kubectl scale deployment/scorer --replicas=2

# %% [markdown]
# ## A limit is a limit
#
# A Job that may have 64 MiB asks for a gigabyte:

# %% language="shell"
# kubectl apply -f manifests/lesson/greedy.yaml
# kubectl wait --for=condition=Failed job/greedy
# kubectl get pods --selector job-name=greedy
# kubectl get pods --selector job-name=greedy --output jsonpath={..exitCode}

# %% [markdown]
# `OOMKilled` and 137, as in lesson 07. Measure what a service needs before you raise its limit.
#
# ## A release that nobody notices
#
# Our Deployment says `maxUnavailable: 0, maxSurge: 1`: one new pod starts; when it is ready, one old pod is stopped; then
# the next. We release version 2 (the same model under another name) and ask the service all the while.

# %% recorded=true
import time

# !kubectl set env deployment/scorer OAKBANK_VERSION=2
seen, end = [], time.monotonic() + 40
while time.monotonic() < end and not watch.rolled_out(api, "oakbank", "scorer"):
    status, answer = cluster.ask(api, "oakbank", "/score", applications[0])
    seen.append(answer["model_version"] if status == 200 else f"error {status}")
    time.sleep(0.2)
print("versions that answered:", *sorted(set(seen)))
assert set(seen) == {"1", "2"}

# %% [markdown]
# No error, and for a while both versions answer: two versions side by side must understand the same requests. A pod is
# taken out of the Service and told to stop *at the same time*, by different loops, so for a moment requests arrive at a
# process that has gone. `preStop` lets it answer for three seconds more.
#
# ## A release that fails
#
# Now a typo: the path of the model leads nowhere, so new pods start, and live, and never become ready. **Predict:** what
# do customers see?

# %% language="shell"
# kubectl set env deployment/scorer OAKBANK_MODEL=/app/modle.json
# kubectl rollout status deployment/scorer --timeout=10s
# kubectl get pods --selector app.kubernetes.io/name=scorer

# %% [markdown]
# They see nothing. The release stands still at its first step: one new pod that is not ready (`0/1`), two old ones that
# do all the work. Why? With a broken pod, everybody types `describe` and `logs` first:

# %% recorded=true
from kubernetes import client

pods = client.CoreV1Api(api).list_namespaced_pod("oakbank", label_selector="!job-name")
broken = max(pods.items, key=lambda pod: pod.metadata.creation_timestamp).metadata.name
# !kubectl describe pod {broken}
# !kubectl logs {broken} --limit-bytes=195
answers = [cluster.ask(api, "oakbank", "/score", one)[0] for one in applications]
assert answers == [200] * 12

# %% [markdown]
# `describe` ends with the **events**: the readiness probe got a 503. The log has the reason. Kubernetes does not take a
# release back; after `progressDeadlineSeconds` it calls it failed. You do it:

# %% language="shell"
# kubectl rollout undo deployment/scorer
# kubectl rollout status deployment/scorer
# kubectl rollout history deployment/scorer
# kubectl wait --for=condition=Complete job/score-a-batch
# kubectl logs job/score-a-batch
# kubectl get secrets --field-selector type=Opaque --output jsonpath={..data.key}
# kubectl delete namespace oakbank

# %% [markdown]
# For each of its last templates (ten, unless `revisionHistoryLimit` says otherwise) a Deployment keeps a **ReplicaSet**,
# which holds the pods of one release. `undo` writes the template before down as the newest wish (revision 2 became 4), and
# the loop does the rest. A model that is *there* and *wrong* passes `/readyz`; chapter 03 builds the gate for that one.
#
# ## Work that ends
#
# A Deployment restarts what ends. A **Job** tries until the work has succeeded once, or `backoffLimit` or
# `activeDeadlineSeconds` are used up. Ours came with `apply` and scored a batch (its log is above). The first column is a
# keyed digest of the application's number; the key came from a Secret, and `get secrets` shows it: base64 does not
# encrypt.
#
# The folder `production` adds three wishes. A **CronJob** makes a Job every night: `schedule: "0 2 * * *"` is minute,
# hour, day, month, weekday; `concurrencyPolicy: Forbid` lets no second run start beside the first. A
# **PodDisruptionBudget** says that one pod stays when a node is emptied. A **HorizontalPodAutoscaler** is one more loop:
# it wants `ceil(pods * utilisation / target)` pods, tolerates 10 %, and waits five minutes before it takes pods away.
#
# <details><summary>Elsewhere</summary>
#
# | | a cluster | the image gets there | then |
# |---|---|---|---|
# | kind | `kind create cluster` | `kind load docker-image oakbank/service:1` | `kubectl apply -k base` |
# | minikube | `minikube start` | `minikube image load oakbank/service:1` | the same |
# | a cloud | its console, or chapter 05's Terraform | `docker push` to its registry, and that name in the manifest | the same |
#
# </details>
#
# Kubernetes orchestrates containers. *Workflows*, steps that wait for one another, sit on top: Argo (below Kubeflow) and
# Airflow, in chapter 02.

# %% [markdown]
# ## Your turn
#
# From `text`, make a manifest that wants 3 pods, and whose liveness probe kills a container after 20 seconds of silence
# instead of 15.

# %%
changed = text  # your code here

# %%
import yaml

wish = yaml.safe_load(changed)["spec"]
probe = wish["template"]["spec"]["containers"][0]["livenessProbe"]
silence = probe["periodSeconds"] * probe["failureThreshold"]
right = wish["replicas"] == 3 and silence == 20 and not validate(changed)
found = f"{wish['replicas']} pods, {silence} s, {validate(changed)}"
print("right" if right else f"not yet: {found}")

# %% [markdown]
# <details><summary>A solution</summary>
#
# ```python
# changed = text.replace("replicas: 2", "replicas: 3")
# changed = changed.replace("failureThreshold: 3", "failureThreshold: 4")
# ```
#
# </details>
#
# ## What this does not prove
#
# The recording is of Kubernetes 1.20 with one node: newer ones word some lines otherwise, and we saw pods die, no machine.
# Requests went through the API server; a real client comes in by an Ingress or a load balancer. Load comes in lesson
# 05/06. What is in `production` was not run.
#
# ## Check yourself
#
# <details><summary>You delete a pod by hand and it comes back. How do you really get rid of it?</summary>
#
# Change the wish: scale the Deployment down, or delete it.
# </details>
#
# <details><summary>A service takes a minute to load its model, and liveness asks /readyz from the tenth second. What happens?</summary>
#
# It is killed before it is ready, again and again (`CrashLoopBackOff`). Liveness should ask less, and a startup probe
# should give it its minute.
# </details>
#
# <details><summary>Why did the bad release not take the service down?</summary>
#
# `maxUnavailable: 0`: no old pod is stopped before a new one is ready, and the readiness probe said that it never was.
# </details>
#
# ## Take-away
#
# **You do not tell a cluster what to do. You tell it what should be, and it never stops comparing.**
#
# ## Go further
#
# - Card: [kubectl](../cards/kubectl.md)
# - Kubernetes documentation, *Controllers*, *Deployments*, *Configure Liveness, Readiness and Startup Probes* (1.37)
# - B. Burns et al., *Borg, Omega, and Kubernetes*, ACM Queue 14(1), 2016
# - The manifests: `chapters/01-intro/reference/oakbank/intro/manifests`
# - The lab `01-deploy-to-kubernetes`: faults that no schema sees
# - In the glossary: [pod](../../../GLOSSARY.md#pod), [deployment](../../../GLOSSARY.md#deployment), [readiness probe](../../../GLOSSARY.md#readiness-probe), [rollout](../../../GLOSSARY.md#rollout)
