"""The router on Kubernetes: a hash keeps applicants where they are, on every pod; `rollout undo` is the way back."""

import json
import socket
from collections import Counter
from collections.abc import Iterator
from typing import Any

import docker  # type: ignore[import-untyped]
import pytest
import yaml
from fastapi import FastAPI, HTTPException, Response
from fastapi.testclient import TestClient
from kubernetes.client import ApiClient  # type: ignore[import-untyped]

from oakbank.deploy import front, manifests
from oakbank.deploy.assignment import arm_of
from oakbank.deploy.front import Split, create_app
from oakbank.deploy.prometheus import serve
from oakbank.intro.cluster import MANIFESTS, ask, kubectl, load_image, namespace, validate
from oakbank.intro.containers import TAG, build_service_image
from oakbank.intro.watch import pods, rolled_out, until, wait_for_pods

APPLICATION: dict[str, Any] = json.loads((MANIFESTS / "base" / "applications.json").read_text(encoding="utf-8"))[0]
ARMS: Any = {"champion": "scorer-old", "canary": "scorer-new"}
IDS = range(40)
SHARE, SALT = 0.3, "s"


def arm(status: int, version: str) -> tuple[str, int]:
    """Start an arm that answers so."""
    app = FastAPI()

    @app.post("/score")
    def score(response: Response) -> dict[str, str]:
        if status >= 400:
            raise HTTPException(status, "as asked", headers={"x-model-version": version})
        response.headers["x-model-version"] = version
        return {"model_version": version}

    host, _, port = serve(app).partition(":")
    return host, int(port)


def nobody() -> tuple[str, int]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return "127.0.0.1", int(probe.getsockname()[1])


# --- without a cluster


def test_an_applicant_has_one_arm_and_each_answer_names_it() -> None:
    split = Split(SALT, SHARE, {"champion": arm(200, "1"), "canary": arm(200, "2")})
    client = TestClient(create_app(split))
    for number in [*IDS, *IDS]:
        answer = client.post("/score", json={"application_id": number})
        assert answer.json()["model_version"] == ("2" if arm_of(str(number), SALT, SHARE) == "canary" else "1")
        assert answer.headers.get_list("x-model-version") == [answer.json()["model_version"]]


@pytest.mark.parametrize("canary", ["absent", "failing"])
def test_where_the_canary_fails_the_champion_answers(canary: str) -> None:
    broken = nobody() if canary == "absent" else arm(500, "2")
    client = TestClient(create_app(Split(SALT, 0.5, {"champion": arm(200, "1"), "canary": broken})))
    answers = [client.post("/score", json={"application_id": number}) for number in IDS]
    assert {(answer.status_code, answer.headers["x-model-version"]) for answer in answers} == {(200, "1")}


def test_without_a_champion_it_is_503_and_a_refusal_is_an_answer() -> None:
    client = TestClient(create_app(Split(SALT, 0.0, {"champion": nobody()})))
    answer = client.post("/score", json={"application_id": 1})
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    client = TestClient(create_app(Split(SALT, 0.0, {"champion": arm(422, "1")})))
    assert client.post("/score", json={"application_id": 1}).status_code == 422


@pytest.mark.parametrize("body", [b"", b"{}", b"[1]", b"\xff", b'{"application_id": -1}', b'{"application_id": "7"}'])
def test_an_application_without_an_id_has_no_arm(body: bytes) -> None:
    client = TestClient(create_app(Split(SALT, 0.0, {"champion": nobody()})))
    assert client.post("/score", content=body, headers={"content-type": "application/json"}).status_code in (400, 422)
    assert client.get("/readyz").status_code == 200


def test_its_settings_are_those_of_its_pod(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="set OAKBANK_CHAMPION"):
        _ = front.app
    for name, value in {"CHAMPION": "scorer-old", "CANARY": "scorer-new", "SHARE": "0.3", "SALT": SALT}.items():
        monkeypatch.setenv(f"OAKBANK_{name}", value)
    monkeypatch.setenv("SCORER_OLD_SERVICE_HOST", "10.0.0.1")
    monkeypatch.setenv("SCORER_OLD_SERVICE_PORT", "8080")
    split = Split.from_environment()
    assert split == Split(SALT, 0.3, {"champion": ("10.0.0.1", 8080), "canary": ("scorer-new", 80)})
    monkeypatch.setenv("OAKBANK_SHARE", "0.6")
    with pytest.raises(ValueError, match=r"OAKBANK_SHARE from 0 to 0\.5"):
        Split.from_environment()


def test_its_manifests_fit_the_schema_and_name_nothing_that_is_not_there() -> None:
    texts = [manifests.front(TAG, ARMS, SHARE, SALT), *(manifests.arm(name, TAG) for name in ARMS.values())]
    documents = [document for text in texts for document in yaml.safe_load_all(text)]
    assert validate("---\n".join(texts)) == []
    there = {document["metadata"]["name"] for document in documents if document["kind"] == "ConfigMap"}
    for document in documents:
        if document["kind"] == "Deployment":
            pod = document["spec"]["template"]["spec"]
            wanted = [volume["configMap"]["name"] for volume in pod["volumes"] if "configMap" in volume]
            assert "envFrom" not in pod["containers"][0]
            assert set(wanted) <= there
    with pytest.raises(ValueError, match=r"a share is from 0 to 0\.5"):
        manifests.front(TAG, ARMS, 0.51, SALT)


# --- on a cluster


@pytest.fixture(scope="module")
def space(cluster: ApiClient, engine: docker.DockerClient) -> Iterator[str]:
    """A namespace with two models; no router yet."""
    build_service_image(engine, TAG)
    load_image(TAG)
    with namespace(cluster, "oakbank-front") as name:
        for version, service in enumerate(ARMS.values(), 1):
            kubectl("apply", "-n", name, "-f", "-", stdin=manifests.arm(service, TAG, version=str(version)))
        yield name


@pytest.mark.cluster
@pytest.mark.engine
@pytest.mark.long  # three releases, each with pods that start and pods that end in peace
def test_on_a_cluster_the_split_is_sticky_and_a_rollback_takes_it_back(cluster: ApiClient, space: str) -> None:
    def release(share: float, salt: str) -> None:
        kubectl("apply", "-n", space, "-f", "-", stdin=manifests.front(TAG, ARMS, share, salt))
        until(lambda: rolled_out(cluster, space, "router"), 90, "the router is not out")

    def answered_by() -> dict[int, str]:
        found = {}
        for number in IDS:
            status, answer = ask(cluster, space, "/score", APPLICATION | {"application_id": number}, "router")
            assert status == 200, answer
            found[number] = answer["model_version"]
        return found

    for service in ARMS.values():
        wait_for_pods(cluster, space, service, 1, 120)
    release(0.0, "none")
    assert set(answered_by().values()) == {"1"}
    release(SHARE, SALT)
    chosen = {number: "2" if arm_of(str(number), SALT, SHARE) == "canary" else "1" for number in IDS}
    assert Counter(chosen.values())["2"] >= 5
    assert answered_by() == answered_by() == chosen
    assert len(pods(cluster, space, "router")) == 2  # whichever of them was asked
    kubectl("scale", "-n", space, "deployment/scorer-new", "--replicas=0")
    # One that is about to end still answers for some seconds; where none is left to wait for, kubectl says so.
    labelled = f"--selector={manifests.NAME}=scorer-new"
    kubectl("wait", "-n", space, "pod", labelled, "--for=delete", "--timeout=60s", check=False)
    assert set(answered_by().values()) == {"1"}  # a canary that is gone costs nobody an answer
    kubectl("scale", "-n", space, "deployment/scorer-new", "--replicas=1")
    wait_for_pods(cluster, space, "scorer-new", 1)
    kubectl("rollout", "undo", "-n", space, "deployment/router")
    until(lambda: rolled_out(cluster, space, "router"), 90, "the rollback is not out")
    assert set(answered_by().values()) == {"1"}
