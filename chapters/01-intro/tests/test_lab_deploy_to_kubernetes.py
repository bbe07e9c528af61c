"""The lab's answers on a real cluster: right and wrong ones do what the lab's checks, which need none, say they do."""

import copy
import functools
import json
import os
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import docker  # type: ignore[import-untyped]
import pytest
from kubernetes.client import ApiClient, AppsV1Api, BatchV1Api, CoreV1Api  # type: ignore[import-untyped]

from authoring.labs import load_misconceptions, source_notebook
from authoring.proof.answers import load_alternatives
from autograder.lab.cells import grade_cells
from oakbank.intro.cluster import kubectl, load_image, namespace
from oakbank.intro.containers import TAG, build_service_image
from oakbank.intro.kube import (
    container_of,
    endpoints,
    environment,
    fit,
    live,
    matches,
    problems,
    qos_class,
    quantity,
    requests_of,
    roll_out,
    runs,
)
from oakbank.intro.watch import is_ready, until

LAB, ROOT = "01-deploy-to-kubernetes", Path(__file__).parents[3]
SPACE = f"oakbank-lab-{os.environ.get('PYTEST_XDIST_WORKER', '0')}"
SLEEP = ["sleep", "3600"]
PROCESS = """
import sys, time, signal, http.server
born = time.time()
print(born, flush=True)
listens, unfit, fit, silent = map(float, sys.argv[1:])
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
class Door(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        age = time.time() - born
        if age >= silent:
            time.sleep(3600)
        self.send_response(503 if self.path == "/readyz" and unfit <= age < fit else 200)
        self.end_headers()
    def log_message(self, *_):
        pass
time.sleep(listens)
http.server.ThreadingHTTPServer.daemon_threads = True
http.server.ThreadingHTTPServer(("", 8000), Door).serve_forever()
"""
pytestmark = [
    pytest.mark.cluster,
    pytest.mark.engine,
    pytest.mark.skipif(
        "COURSE_QUIET" not in os.environ,
        reason="measures seconds of a real cluster: set COURSE_QUIET=1 on a machine that does nothing else",
    ),
]

Manifest = dict[str, Any]
Answer = Callable[..., Any]


@functools.cache
def cells() -> tuple[dict[str, Any], dict[str, Any]]:
    """The names that the lab's locked cells define, and the reference answers by exercise."""
    notebook = source_notebook(LAB, ROOT)
    names: dict[str, Any] = {}
    for cell in notebook.cells:
        grading = cell.metadata.get("nbgrader", {})
        if cell.cell_type == "code" and grading.get("locked") and not grading.get("grade"):
            exec(cell.source, names)
    return names, {name: cell.source for name, cell in grade_cells(notebook).items()}


def answers(exercise: str) -> dict[str, Answer]:
    """The functions of an exercise: "solution", and each other answer by its name."""
    names, reference = cells()
    sources = {"solution": reference[exercise]}
    others: list[Any] = [*load_misconceptions(LAB, ROOT), *load_alternatives(LAB, ROOT)]
    sources |= {one.name: one.source for one in others if one.answers == exercise}
    found = {}
    for name, source in sources.items():
        inside = dict(names)
        exec(source, inside)
        wanted = sources["solution"].partition("def ")[2].partition("(")[0]
        found[name] = inside[wanted]
    return found


def given(name: str = "scorer", replicas: int = 1, command: list[str] = SLEEP) -> Manifest:
    """The Deployment that the lab hands out, under another name, with a process that runs here."""
    made: Manifest = copy.deepcopy(cells()[0]["GIVEN"])
    made["metadata"]["name"] = name
    made["spec"]["replicas"] = replicas
    made["spec"]["selector"]["matchLabels"]["run"] = name
    made["spec"]["template"]["metadata"]["labels"]["run"] = name
    made["spec"]["template"]["spec"]["terminationGracePeriodSeconds"] = 1
    container_of(made).update(image=TAG, command=command, imagePullPolicy="IfNotPresent")
    return made


def send(verb: str, manifests: list[Manifest], *options: str) -> str:
    """Hand manifests to the cluster and return why it refused; empty where it took them."""
    text = json.dumps({"apiVersion": "v1", "kind": "List", "items": manifests})
    said = kubectl(verb, "-n", SPACE, "-f", "-", *options, stdin=text, check=False)
    lines = [line for line in said.splitlines() if not line.startswith("Warning")]
    taken = ("created", "configured", "unchanged", "replaced")
    return "" if all(line.partition(" (")[0].endswith(taken) for line in lines) else said


@pytest.fixture(scope="module")
def space(cluster: ApiClient, engine: docker.DockerClient) -> Iterator[str]:
    """A namespace, on nodes that have the service's image: its Python runs whatever process a test needs."""
    build_service_image(engine, TAG)
    load_image(TAG)
    with namespace(cluster, SPACE) as name:
        yield name


@pytest.fixture(autouse=True)
def swept(space: str) -> Iterator[None]:
    yield
    kinds = "deployment,service,configmap,secret,job,pod"
    kubectl("delete", kinds, "--all", "-n", space, "--grace-period=0", "--force", check=False)


def knows_cron_jobs() -> bool:
    return "cronjobs" in kubectl("get", "--raw", "/apis/batch/v1")


def made_by_the_answers() -> Iterator[tuple[str, Manifest]]:
    """What each answer to exercises 1 to 6 and 8 makes, with the name of the answer."""
    node = {"cpu": "1930m", "memory": "3Gi"}
    calls: dict[str, Callable[[Answer], list[Manifest]]] = {
        "ex1": lambda answer: [answer("oakbank", "oakbank/service:1", 3)],
        "ex2": lambda answer: [answer(copy.deepcopy(cells()[0]["SILENT"]), given())],
        "ex3": lambda answer: [answer(given(), 60, 30)],
        "ex4": lambda answer: [answer(given(), node, 3)],
        "ex5": lambda answer: answer(given(), {"A": "x", "B": 0.08}, {"P": "swordfish-19"}),
        "ex6": lambda answer: [answer(given(replicas=4), 4, 5, 5, 120), answer(given(replicas=4), 3, 4, 5, 120)],
        "ex8": lambda answer: [answer("nightly", "oakbank/batch:1", 2, 30, 3, 240)],
    }
    for exercise, call in calls.items():
        for name, answer in answers(exercise).items():
            for manifest in call(answer):
                yield f"{exercise} {name}", manifest


def test_the_api_takes_and_refuses_the_answers_as_the_check_does(space: str) -> None:
    """What it must take goes over in one list, what it must refuse alone."""
    crons, fine, refused = knows_cron_jobs(), [], []
    for name, manifest in made_by_the_answers():
        if manifest["kind"] == "CronJob" and not crons:  # then at least its Job
            inside = manifest["spec"]["jobTemplate"]
            manifest = {"apiVersion": "batch/v1", "kind": "Job", **inside, "metadata": {"name": "nightly"}}
        if problems(manifest):
            refused.append((name, send("create", [manifest], "--dry-run=server")))
        else:
            fine.append(manifest)
    assert send("create", fine, "--dry-run=server") == ""
    assert [name for name, said in refused if not said] == []
    assert len(refused) >= 5
    assert len(fine) > len(refused)


def test_ex1_a_selector_that_names_the_release_stops_the_next_one(space: str) -> None:
    for name, answer in answers("ex1").items():
        if problems(answer("oakbank", TAG, 0)):
            continue
        assert send("apply", [answer("oakbank", TAG, 0)]) == "", name
        refused = send("apply", [answer("oakbank", "oakbank/service:2", 0)])
        foretold = problems(answer("oakbank", "oakbank/service:2", 0), answer("oakbank", TAG, 0))
        assert bool(refused) == bool(foretold) == (name == "ex1-release-in-the-selector"), (name, refused)
        kubectl("delete", "deployment", "oakbank", "-n", space)


def test_ex1_a_selector_picks_the_pods_that_the_check_says(cluster: ApiClient, space: str) -> None:
    core = CoreV1Api(cluster)
    for name in ("solution", "ex1-one-label-for-all"):
        both = [answers("ex1")[name](one, TAG, 1) for one in ("mine", "theirs")]
        assert send("apply", both) == ""
        until(lambda: len(core.list_namespaced_pod(space).items) == 2, 30, "the pods are not there")
        selector = ",".join(f"{key}={value}" for key, value in both[0]["spec"]["selector"]["matchLabels"].items())
        real = len(core.list_namespaced_pod(space, label_selector=selector).items)
        labels = [one["spec"]["template"]["metadata"]["labels"] for one in both]
        assert (
            real == sum(matches(both[0]["spec"]["selector"], one) for one in labels) == (1 if name == "solution" else 2)
        )
        kubectl("delete", "deployment,pod", "--all", "-n", space, "--grace-period=0", "--force")


def test_ex2_services_reach_the_pods_that_the_check_says(cluster: ApiClient, space: str) -> None:
    """This release, and a later one with other labels and another port."""
    core, labels = CoreV1Api(cluster), {"run": "scorer", "team": "credit", "release": "1"}
    first = given("scorer", 2)
    second = copy.deepcopy(first)
    second["spec"]["template"]["metadata"]["labels"] = labels | {"team": "lending", "release": "2"}
    container_of(second)["ports"][0]["containerPort"] = 8181
    services = {}
    for number, (name, answer) in enumerate(answers("ex2").items()):
        services[name] = answer(copy.deepcopy(cells()[0]["SILENT"]), copy.deepcopy(first))
        services[name]["metadata"] = {"name": f"door-{number}"}
    assert send("apply", list(services.values())) == ""
    for release in (first, second):
        assert send("apply", [release]) == ""
        kubectl("rollout", "status", "deployment/scorer", "-n", space, "--timeout=120s")
        until(lambda: len(core.list_namespaced_pod(space).items) == 2, 60, "the old pods do not go")
        pods = [one.to_dict() for one in core.list_namespaced_pod(space).items]
        there = [
            {"metadata": {"name": pod["metadata"]["name"], "labels": pod["metadata"]["labels"]}, **spec_of(release)}
            for pod in pods
        ]
        for name, service in services.items():
            foretold = endpoints(service, there)

            def as_foretold(service: Manifest = service, foretold: dict[int, list[str]] = foretold) -> bool:
                subsets = core.read_namespaced_endpoints(service["metadata"]["name"], space).subsets or []
                real = [
                    f"{address.target_ref.name}:{port.port}"
                    for subset in subsets
                    for address in subset.addresses or []
                    for port in subset.ports
                ]
                return sorted(real) == foretold[80]

            until(as_foretold, 20, f"{name}: the endpoints are not {foretold}")


def spec_of(deployment: Manifest) -> Manifest:
    return {"spec": deployment["spec"]["template"]["spec"]}


def test_ex3_probes_kill_and_spare_as_the_check_says(cluster: ApiClient, space: str) -> None:
    """One life for every answer: listens at 14 s, cannot score from 26 to 46 s, falls silent at 60 s."""
    listens, unfit, well, silent, seen_until, slack = 14, 26, 46, 60, 84, 4.0
    process = ["python", "-c", PROCESS, *map(str, (listens, unfit, well, silent))]
    every = {f"ex3-{number}": (name, answer) for number, (name, answer) in enumerate(answers("ex3").items())}
    made = {one: answer(given(one, 1, process), 15, 10) for one, (_, answer) in every.items()}
    assert send("apply", list(made.values())) == ""
    core = CoreV1Api(cluster)
    begun: dict[str, float] = {}
    restarts: dict[str, list[float]] = {one: [] for one in made}
    ready: dict[str, list[tuple[float, bool]]] = {one: [] for one in made}
    end = time.monotonic() + 300
    while time.monotonic() < end and (len(begun) < len(made) or time.time() < max(begun.values()) + seen_until):
        for pod in core.list_namespaced_pod(space).items:
            one, status = pod.metadata.labels["run"], (pod.status.container_statuses or [None])[0]
            if status is None or (status.state.running is None and status.last_state.terminated is None):
                continue
            if one not in begun:  # by the process itself: on a busy machine that is later than the container's start
                said = core.read_namespaced_pod_log(pod.metadata.name, space).strip()
                if not said:
                    continue
                begun[one] = float(said)
            now = time.time() - begun[one]
            restarts[one] += [now] * (status.restart_count - len(restarts[one]))
            ready[one].append((now, is_ready(pod)))
        time.sleep(0.4)

    def answer_of(path: str, age: float, now: float) -> int | None:
        if age < listens:
            return 0
        return None if age >= silent else 503 if path == "/readyz" and unfit <= age < well else 200

    some = (0.0, 0.33, 0.66, 0.99)
    looks = [(startup, liveness, readiness) for startup in some for liveness in some for readiness in some]
    wrong: list[tuple[Any, ...]] = []
    for one, (name, _) in every.items():
        lives = [live(container_of(made[one]), answer_of, seen_until, phases) for phases in looks]
        real = [second for second in restarts[one] if second < seen_until - slack]
        first = [life.killed[0] for life in lives if life.killed]
        if first and max(first) < seen_until - 2 * slack:
            if not real or not min(first) - slack <= real[0] <= max(first) + slack:
                wrong.append((name, "killed", real, first))
        elif not first and real:
            wrong.append((name, "spared", real))
        # Traffic up to the first time that it may be killed, wherever all phases agree for some seconds around.
        for now, got in ready[one]:
            if now > min(first, default=seen_until) - slack or now < 2:
                continue
            around = {life.serves(max(now + step, 0)) for life in lives for step in (-slack, -2, 0, 2)}
            if around == {not got}:
                wrong.append((name, "traffic", now, got))
    assert len(begun) == len(made)
    assert wrong == []
    by_name = {name: restarts[one] for one, (name, _) in every.items()}
    assert by_name["ex3-liveness-kills-the-slow"][0] < listens + slack
    assert unfit < by_name["ex3-liveness-asks-readyz"][0] < silent
    assert silent < by_name["solution"][0] < silent + 10 + slack


def test_ex4_the_scheduler_fits_as_many_as_the_check_says(cluster: ApiClient, space: str) -> None:
    """On what a node has left beside the pods that run already: four copies want in, three should fit."""
    core, foretold, real = CoreV1Api(cluster), {}, {}
    node = core.list_node().items[0]

    def settled() -> list[Any] | None:
        pods = core.list_namespaced_pod(space).items
        decided = [pod for pod in pods if any(one.type == "PodScheduled" for one in pod.status.conditions or [])]
        return pods if len(decided) == 4 else None

    def one_answer(name: str, answer: Answer) -> bool:
        room = left_on(core, node, space)
        made = answer(given("ex4", 4), room, 3)
        if problems(made):
            return True
        container_of(made).update(image="oakbank/none:1", imagePullPolicy="Never")
        spec = spec_of(made)["spec"] | {"nodeSelector": {"kubernetes.io/hostname": node.metadata.name}}
        for number in range(4):
            core.create_namespaced_pod(space, {"metadata": {"name": f"ex4-{number}"}, "spec": spec})
        pods = until(settled, 60, f"{name}: the pods were not scheduled")
        real[name] = (sum(pod.spec.node_name is not None for pod in pods), pods[0].status.qos_class)
        foretold[name] = (min(4, fit(room, spec)), qos_class(spec))
        core.delete_collection_namespaced_pod(space, grace_period_seconds=0)
        until(lambda: not core.list_namespaced_pod(space).items, 60, "the pods of the last answer do not go")
        return left_on(core, node, space) == room  # else somebody else's pods came or went: once more

    for name, answer in answers("ex4").items():
        until(lambda: one_answer(name, answer), 300, "the node is never quiet")  # noqa: B023
    assert real == foretold
    assert real["solution"] == (3, "Burstable")
    assert real["ex4-rounds-up"][0] == 2
    assert real["ex4-cores-for-millicores"][0] == 0


def left_on(core: CoreV1Api, node: Any, space: str) -> dict[str, str]:
    """What a node has to give beside the pods of other namespaces, in millicores and bytes.

    One less than a multiple of three, so that rounding up is one too many.
    """
    free = {name: quantity(node.status.allocatable[name]) for name in ("cpu", "memory")}
    for pod in core.list_pod_for_all_namespaces(field_selector=f"spec.nodeName={node.metadata.name}").items:
        if pod.status.phase in ("Pending", "Running") and pod.metadata.namespace != space:
            spec = {"containers": [{"resources": one.resources.to_dict()} for one in pod.spec.containers]}
            free = {name: free[name] - asked for name, asked in requests_of(spec).items()}
    return {"cpu": f"{int(free['cpu'] * 1000) // 3 * 3 - 1}m", "memory": f"{int(free['memory']) // 3 * 3 - 1}"}


def test_ex5_the_container_sees_what_the_check_says_and_rolls_when_it_says(cluster: ApiClient, space: str) -> None:
    tell = ["python", "-c", "import json, os, time; print(json.dumps(dict(os.environ)), flush=True); time.sleep(3600)"]
    config, secret = {"OAKBANK_VERSION": "7", "THRESHOLD": 0.08}, {"LAKE_PASSWORD": "swordfish-19", "ANOTHER": "ö=?"}
    cases = {}
    for number, (name, answer) in enumerate(answers("ex5").items()):
        start = given(f"ex5-{number}", 1, tell)
        container_of(start)["env"] = [{"name": "KEPT", "value": "yes"}]
        versions = [
            answer(copy.deepcopy(start), config, secret),
            answer(copy.deepcopy(start), dict(reversed(config.items())), dict(reversed(secret.items()))),
            answer(copy.deepcopy(start), config, secret | {"LAKE_PASSWORD": "swordfish-20"}),
            answer(copy.deepcopy(start), config | {"THRESHOLD": 0.09}, secret),
        ]
        if not any(problems(one) for one in versions[0]):
            cases[f"ex5-{number}"] = (name, versions)
    core, apps = CoreV1Api(cluster), AppsV1Api(cluster)

    def deployment_in(manifests: list[Manifest]) -> Manifest:
        return next(one for one in manifests if one["kind"] == "Deployment")

    def releases(one: str) -> int:
        return len(apps.list_namespaced_replica_set(space, label_selector=f"run={one}").items)

    for name, versions in cases.values():
        assert send("apply", versions[0]) == "", name
    for one, (name, versions) in cases.items():

        def said(one: str = one) -> str:
            pods = core.list_namespaced_pod(space, label_selector=f"run={one}").items
            running = [pod for pod in pods if pod.status.phase == "Running"]
            # As text: the client makes a dict of what looks like JSON, and shows it as Python would.
            return kubectl("logs", "-n", space, running[0].metadata.name) if running else ""

        real = json.loads(until(said, 90, f"{name}: no pod says its environment"))
        others = [other for other in versions[0] if other["kind"] != "Deployment"]
        foretold = environment(deployment_in(versions[0]), others)
        assert {key: real.get(key) for key in foretold} == foretold, name
        assert ("KEPT" in real) == ("KEPT" in foretold) == (name != "ex5-forgets-what-was-there"), name
    for one, (name, versions) in cases.items():
        templates = [json.dumps(deployment_in(versions[0])["spec"]["template"], sort_keys=True)]
        for version in versions[1:]:
            assert send("apply", version) == "", name
            templates.append(json.dumps(deployment_in(version)["spec"]["template"], sort_keys=True))
            wanted = apps.read_namespaced_deployment(one, space).metadata.generation
            until(
                lambda: apps.read_namespaced_deployment(one, space).status.observed_generation >= wanted,  # noqa: B023
                30,
                f"{name}: the controller does not look",
            )
            assert releases(one) == len(set(templates)), name
    assert releases(next(one for one, (name, _) in cases.items() if name == "solution")) == 3
    assert releases(next(one for one, (name, _) in cases.items() if name == "ex5-annotates-the-deployment")) == 1


def test_ex6_a_broken_release_takes_what_the_check_says(cluster: ApiClient, space: str) -> None:
    core, apps, patience = CoreV1Api(cluster), AppsV1Api(cluster), 20
    made, foretold = {}, {}
    for number, (name, answer) in enumerate(answers("ex6").items()):
        manifest = answer(given(f"ex6-{number}", 4), 4, 5, 2, patience)
        if not problems(manifest):
            made[name] = manifest
            foretold[name] = roll_out(manifest, starts=None, until=45)
    assert send("apply", list(made.values())) == ""
    for manifest in made.values():
        kubectl("rollout", "status", f"deployment/{manifest['metadata']['name']}", "-n", space, "--timeout=180s")
    for manifest in made.values():
        container_of(manifest).update(image="oakbank/none:1", imagePullPolicy="Never")
    assert send("apply", list(made.values())) == ""
    fewest, most = dict.fromkeys(made, 99), dict.fromkeys(made, 0)
    end = time.monotonic() + patience + 15
    while time.monotonic() < end:
        found = core.list_namespaced_pod(space).items
        for name, manifest in made.items():
            own = [pod for pod in found if pod.metadata.labels["run"] == manifest["metadata"]["name"]]
            alive = [pod for pod in own if pod.metadata.deletion_timestamp is None]
            fewest[name] = min(fewest[name], sum(map(is_ready, alive)))
            most[name] = max(most[name], len(alive))
        time.sleep(0.5)
    reported = {}
    for name, manifest in made.items():
        conditions = apps.read_namespaced_deployment(manifest["metadata"]["name"], space).status.conditions
        reported[name] = any(one.reason == "ProgressDeadlineExceeded" for one in conditions)
    assert fewest == {name: one.fewest for name, one in foretold.items()}
    # Where old pods may go, they are gone before anybody can count them.
    assert all(most[name] <= one.most for name, one in foretold.items()), (most, foretold)
    assert {name: most[name] for name, one in foretold.items() if one.fewest == 4} == {
        name: one.most for name, one in foretold.items() if one.fewest == 4
    }
    assert reported == {name: one.reported is not None for name, one in foretold.items()}
    assert (fewest["solution"], most["solution"], reported["solution"]) == (4, 5, True)
    assert fewest["ex6-recreate"] == 0


def test_ex7_goes_back_to_where_kubectl_does(cluster: ApiClient, space: str) -> None:
    """After eleven releases, beside another Deployment whose name begins alike. No pod has to run for that."""
    apps = AppsV1Api(cluster)
    for owner, count in (("scorer", 11), ("scorer-batch", 11)):
        manifest = given(owner, 0)
        for number in range(count):
            container_of(manifest)["image"] = f"oakbank/{owner}:{number}"
            assert send("apply", [manifest]) == ""
            until(
                lambda: len(apps.list_namespaced_replica_set(space, label_selector=f"run={owner}").items) > number,  # noqa: B023
                30,
                "the release is not recorded",
            )
    deployment = json.loads(kubectl("get", "deployment", "scorer", "-n", space, "-o", "json"))
    deployment["spec"]["replicas"] = 3  # as if somebody had scaled it; none of the ReplicaSets knows
    replicasets = json.loads(kubectl("get", "replicasets", "-n", space, "-o", "json"))["items"]
    backs = {
        name: answer(copy.deepcopy(deployment), copy.deepcopy(replicasets)) for name, answer in answers("ex7").items()
    }
    kubectl("rollout", "undo", "deployment/scorer", "-n", space)
    undone = json.loads(kubectl("get", "deployment", "scorer", "-n", space, "-o", "json"))
    wanted = {**deployment["spec"], "template": undone["spec"]["template"]}
    right = {name for name, back in backs.items() if back["spec"] == wanted}
    assert container_of(undone)["image"] == "oakbank/scorer:9"
    assert right == {"solution", "ex7-highest-twice", "ex7-stays-silently"}


def test_ex8_jobs_try_and_end_as_the_check_says(cluster: ApiClient, space: str) -> None:
    batch, core = BatchV1Api(cluster), CoreV1Api(cluster)
    made = {}
    for number, (name, answer) in enumerate(answers("ex8").items()):
        for kind, command, times, most in (("fails", ["false"], 2, 60), ("hangs", SLEEP, 1, 1)):
            cronjob = answer(f"ex8-{kind}-{number}", TAG, 2, 30, times, most)
            if problems(cronjob):
                continue
            job = copy.deepcopy(cronjob["spec"]["jobTemplate"]["spec"])
            job["template"]["spec"]["terminationGracePeriodSeconds"] = 1
            job["template"]["spec"]["containers"][0] |= {"command": command, "imagePullPolicy": "IfNotPresent"}
            made[name, kind] = (
                cronjob,
                {"apiVersion": "batch/v1", "kind": "Job", "metadata": cronjob["metadata"], "spec": job},
            )
    assert send("create", [job for _, job in made.values()]) == ""
    tries = dict.fromkeys(made, 0)
    ended: dict[tuple[str, str], str] = {}
    end = time.monotonic() + 100
    while time.monotonic() < end:
        for key, (_, job) in made.items():
            name = job["metadata"]["name"]
            pods = core.list_namespaced_pod(space, label_selector=f"job-name={name}").items
            begun = [status.restart_count + 1 for pod in pods for status in pod.status.container_statuses or []]
            tries[key] = max(tries[key], sum(begun))
            over = batch.read_namespaced_job_status(name, space).status.conditions or []
            for one in over:
                if one.type == "Failed" and one.status == "True":
                    ended[key] = one.reason
        time.sleep(0.5)
    begin = datetime(2026, 3, 1)
    failing = {
        name: runs(cronjob, begin, 24, [timedelta(seconds=1)], 99)[0]
        for (name, kind), (cronjob, _) in made.items()
        if kind == "fails"
    }
    for name, run in failing.items():
        assert tries[name, "fails"] == run.tries, (name, tries[name, "fails"], run.tries)
        assert (ended.get((name, "fails")) is not None) == (
            run.outcome == "failed" and run.end - run.begin < timedelta(seconds=100)
        )
    hanging = {
        name: runs(cronjob, begin, 24, [timedelta(hours=9)])[0]
        for (name, kind), (cronjob, _) in made.items()
        if kind == "hangs"
    }
    for name, run in hanging.items():
        assert (ended.get((name, "hangs")) == "DeadlineExceeded") == (run.end - run.begin <= timedelta(seconds=60)), (
            name
        )
    assert (tries["solution", "fails"], ended["solution", "hangs"]) == (2, "DeadlineExceeded")
