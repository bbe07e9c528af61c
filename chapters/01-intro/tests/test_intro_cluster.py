"""The service's manifests: checked without a cluster, then applied and exercised on one."""

import json
import os
import stat
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import docker  # type: ignore[import-untyped]
import pytest
import yaml
from kubernetes.client import ApiClient, AppsV1Api, CoreV1Api  # type: ignore[import-untyped]
from kubernetes_validate.utils import all_versions  # type: ignore[import-untyped]

from course import doctor
from oakbank.intro.cluster import MANIFESTS, NotOfferedError, ask, kubectl, load_image, namespace, validate
from oakbank.intro.cluster import cluster as find_cluster
from oakbank.intro.containers import TAG, build_service_image
from oakbank.intro.watch import (
    is_ready,
    pods,
    rolled_out,
    until,
    wait_for_end,
    wait_for_job,
    wait_for_pods,
    wait_for_restart,
)
from oakbank.world import FEATURES, World

BASE, PRODUCTION = MANIFESTS / "base", MANIFESTS / "production"
FILES = sorted(path for path in MANIFESTS.glob("*/*.yaml") if path.name != "kustomization.yaml")
SPACE = "oakbank-test"
FAULTS = {
    "a number as a word": ("replicas: 2", "replicas: two", "spec.replicas"),
    "a field misspelt": ("readinessProbe", "readinesProbe", "readinesProbe"),
    "a field at the wrong depth": ("automountServiceAccountToken: false", "runAsNonRoot: true", "runAsNonRoot"),
    "an API that is gone": ("apps/v1", "apps/v1beta1", "has no Deployment in apps/v1beta1"),
    "no kind": ("kind: Deployment\n", "", "needs apiVersion and kind"),
    "no YAML": ("spec:\n", "spec: {\n", "no YAML"),
}


def manifest(path: Path) -> dict[str, object]:
    return dict(yaml.safe_load(path.read_text(encoding="utf-8")))


def pod_specs() -> Iterator[tuple[str, dict[str, object]]]:
    """Each template of a pod that the manifests hold."""
    for path in FILES:
        spec = manifest(path).get("spec", {})
        assert isinstance(spec, dict)
        spec = spec.get("jobTemplate", {}).get("spec", spec)
        if "template" in spec:
            yield path.name, spec["template"]["spec"]


# --- without a cluster


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_manifests_are_of_the_schema(path: Path) -> None:
    """From the oldest version that the checker has to the newest."""
    for version in sorted(set(all_versions())):
        assert validate(path.read_text(encoding="utf-8"), version) == []


@pytest.mark.parametrize("fault", FAULTS)
def test_a_planted_fault_is_found(fault: str) -> None:
    old, new, message = FAULTS[fault]
    text = (BASE / "deployment.yaml").read_text(encoding="utf-8")
    assert old in text
    problems = validate(text.replace(old, new, 1))
    assert len(problems) == 1
    assert message in problems[0]


def test_every_document_of_a_text_is_checked() -> None:
    good = (BASE / "service.yaml").read_text(encoding="utf-8")
    bad = good.replace("port: 80", "port: eighty")
    assert validate(f"{bad}---\n---\n{good}---\n{bad}") == validate(bad) * 2
    assert len(validate(bad)) == 1


def test_every_pod_is_bounded_and_unprivileged() -> None:
    """Requests and limits, no root, nothing to write to, no token of the cluster's."""
    found = dict(pod_specs())
    assert sorted(found) == ["cronjob.yaml", "deployment.yaml", "greedy.yaml", "job.yaml"]
    for spec in found.values():
        assert spec["automountServiceAccountToken"] is False
        security = spec["securityContext"]
        assert isinstance(security, dict)
        assert security["runAsNonRoot"] is True
        assert security["runAsUser"] == 10001
        containers = spec["containers"]
        assert isinstance(containers, list)
        for container in containers:
            assert {"cpu", "memory"} <= container["resources"]["requests"].keys() & container["resources"][
                "limits"
            ].keys()
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert container["securityContext"]["allowPrivilegeEscalation"] is False
            assert container["image"] == TAG


def test_the_nightly_batch_is_the_batch() -> None:
    """A CronJob holds a copy of the Job: the two must not drift apart."""
    once, nightly = manifest(BASE / "job.yaml")["spec"], manifest(PRODUCTION / "cronjob.yaml")["spec"]
    assert isinstance(once, dict)
    assert isinstance(nightly, dict)
    again = nightly["jobTemplate"]["spec"]
    assert once["template"]["metadata"]["labels"] != again["template"]["metadata"]["labels"]
    for spec in (once, again):
        spec["template"].pop("metadata")
        spec["template"]["spec"]["containers"][0].pop("name")
    assert once == again


def test_the_batch_is_of_this_world() -> None:
    applications = World(seed=7, scenario="recession").applications(0).head(12)
    rows = json.loads(applications[["application_id", *FEATURES]].to_json(orient="records"))
    assert json.loads((BASE / "applications.json").read_text(encoding="utf-8")) == rows


def test_no_cluster_is_said_in_one_sentence(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Whatever is missing: kubectl, a configuration, an answer, a right."""
    said: list[str] = []
    (tmp_path / "kubectl").write_text("#!/bin/sh\n", encoding="utf-8")
    (tmp_path / "kubectl").chmod(stat.S_IRWXU)
    away = {
        "clusters": [{"name": "away", "cluster": {"server": "https://127.0.0.1:9"}}],
        "users": [{"name": "me", "user": {"token": "none"}}],
        "contexts": [{"name": "kind-away", "context": {"cluster": "away", "user": "me"}}],
        "current-context": "kind-away",
    }
    (tmp_path / "away.yaml").write_text(yaml.safe_dump(away), encoding="utf-8")
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    assert find_cluster(said.append) is None
    monkeypatch.setenv("PATH", str(tmp_path))
    for config in ("missing.yaml", "away.yaml"):
        monkeypatch.setenv("KUBECONFIG", str(tmp_path / config))
        assert find_cluster(said.append) is None
    assert ["kubectl" in said[0], "set up here:" in said[1], "does not answer" in said[2]] == [True] * 3
    assert all("kind create cluster" in sentence and sentence.count(".") == 1 for sentence in said)


@pytest.fixture
def production(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """KUBECONFIG leads to a cluster called production; what it was asked."""
    asked: list[str] = []

    class Server(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            body = json.dumps({"major": "1", "minor": "34", "gitVersion": "v1.34.0"} | NO_BUILD).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Stay quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Server)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    config = {
        "clusters": [{"name": "bank", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
        "users": [{"name": "me", "user": {"token": "none"}}],
        "contexts": [{"name": "production", "context": {"cluster": "bank", "user": "me"}}],
        "current-context": "production",
    }
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")
    (tmp_path / "kubectl").write_text('#!/bin/sh\necho "$*" >> "${0%/*}/said"\n', encoding="utf-8")
    (tmp_path / "kubectl").chmod(stat.S_IRWXU)
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "config.yaml"))
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.delenv("OAKBANK_CLUSTER", raising=False)
    yield asked
    server.shutdown()


NO_BUILD = dict.fromkeys(("buildDate", "compiler", "gitCommit", "gitTreeState", "goVersion", "platform"), "")


def test_a_cluster_that_nobody_offered_is_left_alone(production: list[str], tmp_path: Path) -> None:
    """It is not even asked for its version; kubectl is not started; `doctor` says it in the lesson's sentence."""
    said: list[str] = []
    assert find_cluster(said.append) is None
    assert "OAKBANK_CLUSTER=production" in said[0]
    with pytest.raises(NotOfferedError, match="OAKBANK_CLUSTER=production"):
        kubectl("delete", "namespace", "oakbank-lesson-08")
    with pytest.raises(NotOfferedError):
        load_image(TAG)
    finding = doctor.kubernetes()
    assert said[0] in finding.costs
    assert production == []
    assert not (tmp_path / "said").exists()


def test_a_cluster_that_is_offered_by_its_name_is_used(
    production: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And by no other, so that a change of context ends the offer."""
    monkeypatch.setenv("OAKBANK_CLUSTER", "staging")
    assert find_cluster([].append) is None
    monkeypatch.setenv("OAKBANK_CLUSTER", "production")
    api = find_cluster()
    assert api is not None
    api.close()
    assert production == ["/version/"]
    kubectl("get", "pods")
    assert (tmp_path / "said").read_text(encoding="utf-8") == "--context production get pods\n"


@pytest.mark.parametrize(
    ("context", "loader", "command"),
    [
        ("kind-lab", "", "kind load docker-image --name lab oakbank/service:1"),
        ("minikube", "", "minikube image load oakbank/service:1"),
        ("elsewhere", "hand over", "hand over oakbank/service:1"),
        ("kind-lab", "hand over", "hand over oakbank/service:1"),
    ],
)
def test_an_image_is_handed_over_in_the_way_of_the_cluster(
    context: str, loader: str, command: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The commands' own work is their makers'; that they are called like this is ours."""
    for name in ("kind", "minikube", "hand"):
        (tmp_path / name).write_text('#!/bin/sh\necho "${0##*/} $*" > "$SAID"\n', encoding="utf-8")
        (tmp_path / name).chmod(stat.S_IRWXU)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("SAID", str(tmp_path / "said"))
    monkeypatch.setenv("OAKBANK_IMAGE_LOADER", loader)
    monkeypatch.setenv("OAKBANK_CLUSTER", "elsewhere")
    monkeypatch.setattr("kubernetes.config.list_kube_config_contexts", lambda _: ([], {"name": context}))
    load_image(TAG)
    assert (tmp_path / "said").read_text(encoding="utf-8").strip() == command


def test_an_unknown_cluster_wants_to_be_told_how(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OAKBANK_IMAGE_LOADER", raising=False)
    monkeypatch.setenv("OAKBANK_CLUSTER", "cloud")
    monkeypatch.setattr("kubernetes.config.list_kube_config_contexts", lambda _: ([], {"name": "cloud"}))
    with pytest.raises(RuntimeError, match="push it to a registry"):
        load_image(TAG)


def test_waiting_ends() -> None:
    with pytest.raises(TimeoutError, match=r"no tea \(waited 0 s\)"):
        until(lambda: None, 0.3, "no tea")
    assert until(lambda: "tea", 0.3, "no tea") == "tea"


# --- on a cluster


@pytest.fixture(scope="module")
def space(cluster: ApiClient, engine: docker.DockerClient) -> Iterator[str]:
    """A namespace with the base applied, its pods ready."""
    build_service_image(engine, TAG)
    load_image(TAG)
    with namespace(cluster, SPACE) as name:
        kubectl("apply", "-n", name, "-k", str(BASE))
        wait_for_pods(cluster, name, "scorer", 2, 120)
        yield name


def application() -> dict[str, object]:
    return dict(json.loads((BASE / "applications.json").read_text(encoding="utf-8"))[0])


@pytest.mark.cluster
@pytest.mark.engine
def test_the_service_answers(cluster: ApiClient, space: str) -> None:
    status, answer = ask(cluster, space, "/score", application())
    assert status == 200
    assert answer["model_version"] == "1"
    assert 0 < answer["default_probability"] < 1
    assert ask(cluster, space, "/readyz") == (200, {"status": "ready", "warning": "", "model_version": "1"})
    assert ask(cluster, space, "/score", {"age": 30})[0] == 422


@pytest.mark.cluster
@pytest.mark.engine
def test_a_pod_that_goes_is_replaced_and_a_process_that_ends_is_restarted(cluster: ApiClient, space: str) -> None:
    before = pods(cluster, space, "scorer")
    kubectl("delete", "pod", "-n", space, "--wait=false", before[0].metadata.name)
    after = wait_for_pods(cluster, space, "scorer", 2)
    assert len({pod.metadata.uid for pod in before} & {pod.metadata.uid for pod in after}) == 1
    name = after[1].metadata.name
    kubectl("exec", "-n", space, name, "--", "python", "-c", "import os; os.kill(1, 15)")
    wait_for_restart(cluster, space, name)


@pytest.mark.cluster
@pytest.mark.engine
def test_above_its_memory_limit_a_container_is_killed(cluster: ApiClient, space: str) -> None:
    command = ["python", "-c", "print(len(bytearray(10**9)))"]
    container = {"name": "greedy", "image": TAG, "command": command, "resources": {"limits": {"memory": "64Mi"}}}
    pod = {"metadata": {"name": "greedy"}, "spec": {"restartPolicy": "Never", "containers": [container]}}
    CoreV1Api(cluster).create_namespaced_pod(space, pod)
    assert wait_for_end(cluster, space, "greedy") == ("OOMKilled", 137)


@pytest.mark.cluster
@pytest.mark.engine
def test_a_bad_release_gets_no_traffic_and_is_undone(cluster: ApiClient, space: str) -> None:
    """The new pod lives, is never ready, and is the only one of its kind; the old ones go on."""
    before = {pod.metadata.uid for pod in pods(cluster, space, "scorer")}
    kubectl("set", "env", "-n", space, "deployment/scorer", "OAKBANK_MODEL=/app/modle.json")
    said = kubectl("rollout", "status", "-n", space, "deployment/scorer", "--timeout=8s", check=False)
    assert "timed out" in said
    found = pods(cluster, space, "scorer")
    assert {pod.metadata.uid for pod in found if is_ready(pod)} == before
    assert len(found) == 3
    assert not rolled_out(cluster, space, "scorer")
    endpoints = CoreV1Api(cluster).read_namespaced_endpoints("scorer", space).subsets[0]
    assert {address.target_ref.uid for address in endpoints.addresses} == before
    assert {ask(cluster, space, "/score", application())[0] for _ in range(12)} == {200}
    kubectl("rollout", "undo", "-n", space, "deployment/scorer")
    assert {pod.metadata.uid for pod in wait_for_pods(cluster, space, "scorer", 2)} == before


@pytest.mark.cluster
@pytest.mark.engine
def test_a_release_loses_no_request(cluster: ApiClient, space: str) -> None:
    kubectl("set", "env", "-n", space, "deployment/scorer", "OAKBANK_VERSION=2")
    answers = []

    def released() -> bool:
        answers.append(ask(cluster, space, "/score", application()))
        return rolled_out(cluster, space, "scorer")

    until(released, 60, "the release is not out")
    assert {status for status, _ in answers} == {200}
    assert ask(cluster, space, "/readyz")[1]["model_version"] == "2"
    assert AppsV1Api(cluster).read_namespaced_deployment("scorer", space).status.available_replicas == 2


@pytest.mark.cluster
@pytest.mark.engine
def test_the_job_scores_the_batch_through_the_service(cluster: ApiClient, space: str) -> None:
    """With the probabilities of the service and pseudonyms for ids."""
    assert wait_for_job(cluster, space, "score-a-batch") == "Complete"
    lines = kubectl("logs", "-n", space, "job/score-a-batch").splitlines()
    rows = json.loads((BASE / "applications.json").read_text(encoding="utf-8"))
    assert len(lines) == len(rows) == len({line.split()[0] for line in lines})
    for line, row in zip(lines, rows, strict=True):
        number = row.pop("application_id")
        assert str(number) not in line
        _, answer = ask(cluster, space, "/score", row)
        assert line.split()[1] == f"{answer['default_probability']:.3f}"
