"""The scoring service keeps its contract, says what is wrong, and lives without a registry."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from oakbank.deploy.service import ScoringService, create_app
from oakbank.deploy.stream import following
from oakbank.intro.protocol import MAX_BODY
from oakbank.pipelines import CreditModel, Registry, TrainingConfig, run_training
from oakbank.pipelines.contract import MAX_BATCH, MAX_ERRORS
from oakbank.pipelines.promise import hold_to_schema
from oakbank.pipelines.service import Loaded
from oakbank.pipelines.tracking_store import close_databases
from oakbank.world import CATEGORIES, COLUMNS, FEATURES, PROTECTED, break_even

GOOD: dict[str, Any] = {
    "application_id": 7,
    "age": 35,
    "income": 2800.0,
    "debts": 300,
    "employment": "salaried",
    "years_employed": 4.5,
    "housing": "rent",
    "bureau_score": 650,
    "delinquencies": 0,
    "purpose": "car",
    "region": "north",
    "channel": "web",
    "amount": 9000.0,
    "term": 36,
}


@pytest.fixture(scope="module")
def service(bank: Any, registry_folder: Path) -> TestClient:
    registry = Registry(registry_folder, create=False, name="credit-service")
    run = registry.register(bank.run)
    registry.set_alias("champion", str(run.version))
    return TestClient(create_app(registry), raise_server_exceptions=True)


def records(applications: pd.DataFrame) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(
        applications[["application_id", *FEATURES]].to_json(orient="records", double_precision=15)
    )
    return rows


def sample(client: TestClient, name: str, **labels: str) -> float:
    families = text_string_to_metric_families(client.get("/metrics").text)
    found = [s.value for f in families for s in f.samples if s.name == name and labels.items() <= s.labels.items()]
    return sum(found)


def test_one_application_is_scored_as_the_model_does(service: TestClient, bank: Any) -> None:
    answer = service.post("/score", json=GOOD)
    assert answer.status_code == 200
    expected = bank.model.predict(pd.DataFrame([GOOD]))[0]
    assert answer.json() == {
        "application_id": 7,
        "default_probability": expected,
        "granted": bool(expected < break_even(9000, 36)),
        "break_even": float(break_even(9000, 36)),
        "model_version": "1",
    }
    assert answer.headers["x-model-version"] == "1"
    without_id = {key: value for key, value in GOOD.items() if key != "application_id"}
    assert service.post("/score", json=without_id).json()["application_id"] is None


def test_a_month_through_the_service_equals_the_model(service: TestClient, bank: Any) -> None:
    month = bank.world.applications(0)[:MAX_BATCH]
    answer = service.post("/score/batch", json=records(month))
    assert answer.status_code == 200, answer.text[:500]
    body = answer.json()
    assert body["model_version"] == "1"
    assert [score["application_id"] for score in body["scores"]] == month["application_id"].tolist()
    given_out = np.array([score["default_probability"] for score in body["scores"]])
    assert np.array_equal(given_out, bank.model.predict(month))  # to the last bit
    for row, record in enumerate(records(month[:30])):
        assert service.post("/score", json=record).json() == body["scores"][row]  # alone as in a batch


@pytest.mark.parametrize(
    ("change", "field", "wanted"),
    [
        ({"income": -5}, "income", "300 to 30000 (EUR per month)"),
        ({"income": 33600}, "income", "300 to 30000 (EUR per month)"),
        ({"income": "2800"}, "income", "a number"),
        ({"income": True}, "income", "a number"),
        ({"income": None}, "income", "a number"),
        ({"income": float("nan")}, "income", "a number"),
        ({"income": float("inf")}, "income", "a number"),
        ({"income": 10**400}, "income", "a number"),
        ({"age": 35.5}, "age", "a whole number from 18 to 80 (years)"),
        ({"age": 17}, "age", "a whole number"),
        ({"age": True}, "age", "a whole number"),
        ({"term": 90}, "term", "6 to 84 (months)"),
        ({"channel": "fax"}, "channel", "one of web, branch, broker, aggregator"),
        ({"channel": "Web"}, "channel", "one of web"),
        ({"channel": 3}, "channel", "one of web"),
        ({"application_id": -1}, "application_id", "from 0"),
        ({"application_id": 2**70}, "application_id", "from 0"),
        ({PROTECTED: "A"}, PROTECTED, "leave it out"),
        ({"collection_calls": 0}, "collection_calls", "leave it out"),
    ],
)
def test_a_wrong_field_is_named_with_what_is_wanted(service: TestClient, change: Any, field: str, wanted: str) -> None:
    answer = service.post("/score", content=json.dumps(GOOD | change), headers={"content-type": "application/json"})
    assert answer.status_code == 422
    body = answer.json()
    assert [fault["field"] for fault in body["errors"]] == [field]
    assert wanted in body["errors"][0]["wanted"]
    assert body["model_version"] == answer.headers["x-model-version"] == "1"
    inside = service.post(
        "/score/batch", content=json.dumps([GOOD, GOOD | change]), headers={"content-type": "application/json"}
    )
    assert inside.status_code == 422
    assert [fault["field"] for fault in inside.json()["errors"]] == [f"[1].{field}"]


@pytest.mark.parametrize("name", FEATURES)
def test_a_missing_field_is_named(service: TestClient, name: str) -> None:
    answer = service.post("/score", json={key: value for key, value in GOOD.items() if key != name})
    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["errors"]] == [name]


@pytest.mark.parametrize(
    ("content", "content_type", "status"),
    [
        (b'{"age": 3', "application/json", 422),
        (b"", "application/json", 422),
        (b"\xff\xff\xff", "application/json", 400),
        (b"[" * 100_000, "application/json", 400),
        (b"9" * 5_000, "application/json", 400),
        (b"null", "application/json", 422),
        (json.dumps(GOOD | {"\ud800": 0}).encode(), "application/json", 422),
        (json.dumps([GOOD, GOOD | {"channel": "\udfff"}]).encode(), "application/json", 422),
        (b"[]", "application/json", 422),
        (json.dumps(GOOD).encode(), "text/plain", 422),
        (b" " * (MAX_BODY + 1), "application/json", 413),
        ([b"[", b"]"], "application/json", 422),  # in chunks, of unknown length
        ([b" " * MAX_BODY, b"[]"], "application/json", 413),
    ],
)
@pytest.mark.parametrize("route", ["/score", "/score/batch"])
def test_a_malformed_body_is_refused_with_the_version(
    service: TestClient, route: str, content: Any, content_type: str, status: int
) -> None:
    sent = iter(content) if isinstance(content, list) else content
    answer = service.post(route, content=sent, headers={"content-type": content_type})
    assert answer.status_code == status
    assert answer.json()["model_version"] == answer.headers["x-model-version"] == "1"
    assert any(hint in answer.text for hint in ("JSON", "one of web"))


def test_a_batch_is_bounded_and_its_faults_too(service: TestClient) -> None:
    assert service.post("/score/batch", json=[GOOD] * (MAX_BATCH + 1)).status_code == 422
    answer = service.post("/score/batch", json=[{}] * MAX_BATCH)
    assert answer.status_code == 422
    assert len(answer.json()["errors"]) == MAX_ERRORS + 1


def fits(name: str, value: object) -> bool:
    """The contract once more, in plain Python, as the judge of the test below."""
    column = {column.name: column for column in COLUMNS}[name]
    if name in CATEGORIES:
        return isinstance(value, str) and value in CATEGORIES[name]
    kinds = (int, float) if column.dtype == "float64" else (int,)
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # JSON has one kind of number: 36.0 is 36
    if isinstance(value, bool) or not isinstance(value, kinds):
        return False
    assert column.low is not None
    assert column.high is not None
    return column.low <= value <= column.high


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
field_values = json_values | st.integers(0, 1000) | st.floats(0, 70_000) | st.sampled_from(sum(CATEGORIES.values(), ()))


@settings(max_examples=150, deadline=None, derandomize=True)
@given(name=st.sampled_from(FEATURES), value=field_values)
def test_a_field_is_taken_exactly_if_it_fits(service: TestClient, name: str, value: object) -> None:
    body = json.dumps(GOOD | {name: value})
    answer = service.post("/score", content=body, headers={"content-type": "application/json"})
    assert answer.status_code == (200 if fits(name, value) else 422), answer.text
    if answer.status_code == 422:
        assert all(fault["field"].startswith(name) and fault["wanted"] for fault in answer.json()["errors"])


@settings(max_examples=100, deadline=None, derandomize=True)
@given(content=st.binary(max_size=60) | json_values.map(lambda value: json.dumps(value).encode()))
def test_no_body_whatever_is_a_fault_of_the_service(service: TestClient, content: Any) -> None:
    for route in ("/score", "/score/batch"):
        answer = service.post(route, content=content, headers={"content-type": "application/json"})
        assert answer.status_code in (400, 422)
        assert answer.json()["model_version"] == "1"


def test_the_schema_is_kept_by_every_generated_request(service: TestClient) -> None:
    answers = hold_to_schema(service.app, examples=30)  # type: ignore[arg-type]
    for route in ("POST /score", "POST /score/batch"):
        assert answers[route, 200] >= 15
        assert answers[route, 422] >= 15
    assert {status for _, status in answers} <= {200, 400, 422}
    assert {route for route, _ in answers} >= {"GET /healthz", "GET /readyz", "GET /version", "GET /metrics"}


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "/nowhere", 404), ("GET", "/score", 405)])
def test_other_errors_name_the_version_too(service: TestClient, method: str, path: str, status: int) -> None:
    answer = service.request(method, path)
    assert answer.status_code == status
    assert answer.json()["model_version"] == answer.headers["x-model-version"] == "1"


def test_a_fault_inside_is_a_500_in_the_log_with_the_version(bank: Any, caplog: pytest.LogCaptureFixture) -> None:
    class Broken(CreditModel):
        def predict(self, applications: pd.DataFrame) -> Any:
            raise RuntimeError("the disk is on fire")

    app = create_app(None)
    app.state.service.loaded = Loaded("9", Broken(bank.model.booster), {})
    client = TestClient(app, raise_server_exceptions=False)
    answer = client.post("/score", json=GOOD)
    assert (answer.status_code, answer.json()["model_version"], answer.headers["x-model-version"]) == (500, "9", "9")
    assert "fire" not in answer.text
    assert "the disk is on fire" in caplog.text
    assert sample(client, "oakbank_requests_total", route="/score", status="500") == 1


def test_without_a_registry_it_is_alive_and_says_what_to_do(tmp_path: Path) -> None:
    for source in (None, tmp_path / "nothing"):
        client = TestClient(create_app(source))
        assert client.get("/healthz").status_code == 200
        ready = client.get("/readyz")
        assert ready.status_code == 503
        assert "run the training pipeline" in ready.json()["detail"]
        refused = client.post("/score", json=GOOD)
        assert refused.status_code == 503
        assert "run the training pipeline" in refused.json()["detail"]
        assert refused.headers["x-model-version"] == "none"
        assert client.get("/version").json()["model_version"] is None
        assert sample(client, "oakbank_refresh_failures_total") == 1
    assert not (tmp_path / "nothing").exists()


def test_it_follows_the_alias_and_keeps_the_last_model(bank: Any, registry: Registry) -> None:
    app = create_app(registry)
    client, service = TestClient(app), app.state.service
    assert "train and promote" in client.get("/readyz").json()["detail"]

    first = registry.register(bank.run)
    registry.set_alias("champion", str(first.version))
    assert client.get("/readyz").status_code == 503  # a probe has no side effect
    assert service.refresh()
    assert client.get("/readyz").json() == {"status": "ready", "warning": "", "model_version": "1"}
    before = client.post("/score", json=GOOD).json()

    config = TrainingConfig(as_of=0, rounds=20)
    second = run_training(config, bank.lake, bank.folder / "rounds20", registry)
    registry.set_alias("champion", str(second.version))
    assert client.post("/score", json=GOOD).json() == before
    assert service.refresh()
    assert not service.refresh()
    after = client.post("/score", json=GOOD).json()
    assert after["model_version"] == "2"
    assert after["default_probability"] == second.model().predict(pd.DataFrame([GOOD]))[0]
    assert after["default_probability"] != before["default_probability"]
    lineage = client.get("/version").json()
    assert lineage["lineage"]["model_hash"] == second.model().digest
    assert sample(client, "oakbank_model_info", version="2") == 1
    assert sample(client, "oakbank_model_info", version="1") == 0

    service.alias = "nobody"
    assert not service.refresh()
    ready = client.get("/readyz")
    assert ready.status_code == 200
    assert "nobody" in ready.json()["warning"]
    assert client.post("/score", json=GOOD).json() == after


def test_a_registry_that_goes_away_and_comes_back(bank: Any, tmp_path: Path) -> None:
    """Also as another file: SQLite would go on reading the one that is gone, and nobody would hear of a promotion."""
    folder = tmp_path / "registry"
    registry = Registry(folder)
    registry.set_alias("champion", str(registry.register(bank.run).version))
    app = create_app(folder)
    client, service = TestClient(app), app.state.service
    consumer = following(ScoringService(folder), seconds=0)
    before = client.post("/score", json=GOOD).json()

    def still_served(problem: str) -> None:
        assert not service.refresh()
        assert client.post("/score", json=GOOD).json() == before
        assert problem in client.get("/readyz").json()["warning"]
        assert consumer().version == "1"

    still_served("")
    close_databases()
    shutil.copytree(folder, tmp_path / "backup")
    folder.rename(tmp_path / "away")
    still_served("mlflow.db is not there")
    assert not folder.exists()
    folder.mkdir()
    (folder / "mlflow.db").write_bytes(b"no database" * 1000)
    still_served("cannot be reached")
    shutil.rmtree(folder)
    (tmp_path / "backup").rename(folder)
    still_served("")
    config = TrainingConfig(as_of=0, rounds=20)
    restored = Registry(folder, create=False)
    restored.set_alias("champion", str(run_training(config, bank.lake, bank.folder / "rounds20", restored).version))
    assert service.refresh()
    assert client.post("/score", json=GOOD).json()["model_version"] == consumer().version == "2"


def test_it_refreshes_by_itself(bank: Any, registry: Registry) -> None:
    with TestClient(create_app(registry, refresh_seconds=0.05)) as client:
        assert client.get("/readyz").status_code == 503
        registry.set_alias("champion", str(registry.register(bank.run).version))
        until = time.monotonic() + 20
        while client.get("/readyz").status_code == 503:
            assert time.monotonic() < until, "the service did not see the alias"
            time.sleep(0.05)


def test_a_model_for_other_data_is_refused(bank: Any, registry: Registry) -> None:
    from oakbank.pipelines.german import GERMAN

    other = CreditModel.fit(
        np.random.default_rng(0).random((200, len(GERMAN.feature_names))).astype(np.float32),
        np.arange(200) % 2 == 0,
        spec=GERMAN,
        rounds=2,
    )
    path = bank.folder / "german.txt"
    other.save(path)
    registry.set_alias("champion", str(registry.register(replace(bank.run, model_path=path)).version))
    client = TestClient(create_app(registry))
    assert client.get("/readyz").status_code == 503
    assert "german" in client.get("/readyz").json()["detail"]


def test_metrics_count_what_happened(bank: Any, registry: Registry) -> None:
    registry.set_alias("champion", str(registry.register(bank.run).version))
    client, other = TestClient(create_app(registry)), TestClient(create_app(None))
    granted = client.post("/score", json=GOOD).json()["granted"]
    client.post("/score/batch", json=[GOOD] * 4)
    client.post("/score", json={})
    for number in range(50):
        client.get(f"/wp-admin/{number}")
    assert sample(client, "oakbank_requests_total", route="/score", status="200", method="POST") == 1
    assert sample(client, "oakbank_requests_total", route="/score", status="422") == 1
    assert sample(client, "oakbank_requests_total", route="unmatched", status="404") == 50
    assert sample(client, "oakbank_request_seconds_count", route="/score/batch") == 1
    assert sample(client, "oakbank_default_probability_count") == 5
    assert sample(client, "oakbank_decisions_total", granted=str(granted).lower()) == 5
    assert sample(client, "oakbank_model_info", version="1") == 1
    assert "wp-admin" not in client.get("/metrics").text
    assert sample(other, "oakbank_default_probability_count") == 0


def test_the_schema_says_units_and_ranges_and_no_page_needs_a_network(service: TestClient) -> None:
    properties = service.get("/openapi.json").json()["components"]["schemas"]["Application"]["properties"]
    assert set(properties) == {"application_id", *FEATURES}
    assert (properties["income"]["minimum"], properties["income"]["maximum"]) == (300, 30_000)
    assert "EUR per month" in properties["income"]["description"]
    assert properties["channel"]["enum"] == list(CATEGORIES["channel"])
    page = service.get("/docs")
    assert page.status_code == 200
    assert "http" not in page.text
    for part in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        assert service.get(part).status_code == 200, part
    assert service.get("/redoc").status_code == 404


def test_the_command_starts_without_a_registry_behind_a_proxy(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "oakbank.deploy.service", "--registry", str(tmp_path / "nothing")]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--port", str(port), "--root-path", f"/proxy/{port}"], stderr=log, stdout=log, env=os.environ
        )
        try:
            until = time.monotonic() + 60
            while True:
                try:
                    health = httpx.get(f"http://127.0.0.1:{port}/healthz")
                    break
                except httpx.TransportError:
                    assert process.poll() is None, Path(log.name).read_text()
                    assert time.monotonic() < until, Path(log.name).read_text()
                    time.sleep(0.1)
            assert health.json() == {"status": "alive", "model_version": None}
            ready = httpx.get(f"http://127.0.0.1:{port}/readyz")
            assert ready.status_code == 503
            assert "run the training pipeline" in ready.json()["detail"]
            assert httpx.get(f"http://127.0.0.1:{port}/openapi.json").json()["servers"] == [{"url": f"/proxy/{port}"}]
            process.terminate()
            process.wait(timeout=20)
        finally:
            process.kill()
            process.wait()
    assert re.search(r"WARNING oakbank.deploy: no model from the registry", (tmp_path / "log").read_text())
