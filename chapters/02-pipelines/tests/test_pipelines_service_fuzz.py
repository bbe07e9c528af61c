"""The service keeps the promise of its schema, whatever it is sent."""

import itertools
import json
import re
import shutil
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest
import uvicorn
from fastapi import FastAPI, HTTPException
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field
from schemathesis.core.failures import FailureGroup

from oakbank.intro.protocol import MAX_BODY, PROBLEM_JSON, Problem
from oakbank.pipelines import CreditModel, feature_matrix
from oakbank.pipelines.contract import MAX_BATCH, Application, BatchScore, Score
from oakbank.pipelines.promise import hold_to_schema
from oakbank.pipelines.service import create_app
from oakbank.world import CATEGORIES, COLUMNS, FEATURES, World

ROUTES = ("/score", "/score/batch")
SHAPES: dict[str, type[BaseModel]] = {"/score": Score, "/score/batch": BatchScore}
BY_NAME = {column.name: column for column in COLUMNS}
STEADY = settings(max_examples=120, deadline=None, derandomize=True, database=None)
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.fixture(scope="module")
def model() -> CreditModel:
    world = World(0)
    return CreditModel.fit(feature_matrix(world.applications(-1)), world.truth(-1)["would_default"], rounds=40)


@pytest.fixture(scope="module")
def service(model: CreditModel) -> TestClient:
    return TestClient(create_app(model, "5"))


@pytest.fixture(scope="module")
def empty() -> TestClient:
    return TestClient(create_app(None))


def good(**changes: Any) -> dict[str, Any]:
    row: dict[str, Any] = json.loads(World(0).applications(0)[list(FEATURES)].head(1).to_json(orient="records"))[0]
    return row | changes


def judge(answer: httpx.Response, route: str) -> None:
    """Every answer is a score, or says what is the matter in the one form of errors."""
    assert answer.status_code in (200, 400, 413, 422), answer.text
    if answer.status_code == 200:
        assert answer.headers["content-type"] == "application/json"
        SHAPES[route].model_validate_json(answer.text, strict=True)
        return
    assert answer.headers["content-type"] == PROBLEM_JSON
    told = Problem.model_validate_json(answer.text, strict=True)
    assert (told.status, told.model_version) == (answer.status_code, answer.headers["x-model-version"])
    assert bool(told.errors) == (answer.status_code == 422)
    assert all(fault.problem and fault.wanted for fault in told.errors)


# ---- requests made from the schema


def test_the_schema_is_kept_by_every_generated_request(model: CreditModel) -> None:
    answers = hold_to_schema(create_app(model, "5"), examples=30)
    for route in ROUTES:
        assert answers[f"POST {route}", 200] >= 15
        assert answers[f"POST {route}", 422] >= 15
    assert answers["GET /healthz", 200]
    assert {status for _, status in answers} <= {200, 400, 422}


def test_a_schema_says_what_happens(service: TestClient) -> None:
    paths = service.get("/openapi.json").json()["paths"]
    for route in ROUTES:
        assert set(paths[route]["post"]["responses"]) == {"200", "400", "413", "422", "500", "503"}
    assert set(paths["/readyz"]["get"]["responses"]) >= {"200", "503"}


class Loan(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")
    debts: float = Field(ge=0, le=20_000)
    income: float = Field(ge=300, le=30_000)


def test_a_division_by_zero_is_found() -> None:
    app = FastAPI(responses={400: {}})

    @app.post("/burden")
    def burden(loan: Loan) -> float:
        return loan.debts / (loan.income - 300)

    with pytest.raises(ZeroDivisionError):
        hold_to_schema(app, examples=150)


def test_a_status_that_is_not_documented_is_found() -> None:
    app = FastAPI(responses={400: {}})

    @app.post("/burden")
    def burden(loan: Loan) -> float:
        if loan.income == 300:
            raise HTTPException(409, "no income")
        return loan.debts / (loan.income - 300)

    with pytest.raises(FailureGroup, match=r"Undocumented status code\s+Received: 409"):
        hold_to_schema(app, examples=150)


def test_an_answer_of_another_shape_is_found(model: CreditModel) -> None:
    app = create_app(model)
    del app.exception_handlers[next(e for e in app.exception_handlers if "RequestValidation" in str(e))]
    with pytest.raises(FailureGroup, match="model_version"):
        hold_to_schema(app, examples=20)


def test_a_fault_on_some_valid_input_is_found(model: CreditModel) -> None:
    @dataclass(frozen=True)
    class Fragile(CreditModel):
        def predict(self, applications: pd.DataFrame) -> Any:
            if (applications["debts"] == 0).any():
                raise ZeroDivisionError("income / debts")
            return super().predict(applications)

    with pytest.raises(FailureGroup, match="Server error"):
        hold_to_schema(create_app(Fragile(model.booster)), examples=150)


# ---- bytes made to hurt

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
nasty = st.sampled_from(
    [b"NaN", b"-Infinity", b"1e400", b"9" * 5000, b"-0.0", b"1E-400", b'"\\ud800"', b'"\\u0000"', b"0x10", b"01", b"+1"]
)
SECRET = "born 1971-03-04"


@st.composite
def bodies(draw: st.DrawFn) -> bytes:
    """Return one application in which something is off: a value, a key twice, an end cut off, a foreign byte."""
    pairs = [(name, json.dumps(value).encode()) for name, value in good(region=SECRET).items()]
    for _ in range(draw(st.integers(1, 3))):
        name = draw(st.sampled_from([*FEATURES, "application_id", "id"]))
        pairs.append((name, draw(nasty | json_values.map(lambda value: json.dumps(value).encode()))))  # perhaps twice
    content = b"{" + b", ".join(json.dumps(name).encode() + b": " + value for name, value in pairs) + b"}"
    depth = draw(st.sampled_from([0, 0, 1, 3, 50, 5_000]))
    content = b"[" * depth + content + b"]" * depth
    match draw(st.integers(0, 5)):
        case 0:
            content = content[: draw(st.integers(0, len(content)))]
        case 1:
            at = draw(st.integers(0, len(content)))
            content = content[:at] + draw(st.binary(min_size=1, max_size=3)) + content[at:]
        case 2:
            content = content.decode("utf-8").encode(draw(st.sampled_from(["utf-16", "utf-32", "utf-8-sig"])))
    return content


OTHER_TYPES = (
    "text/plain | application/xml | multipart/form-data; boundary=x | application/x-www-form-urlencoded | */* | \xff"
)
types = st.sampled_from(
    ["application/json", "application/problem+json", "application/json; charset=utf-16", "", *OTHER_TYPES.split(" | ")]
)


@pytest.mark.parametrize("route", ROUTES)
@STEADY
@given(content=bodies() | st.binary(max_size=80) | nasty, content_type=types)
def test_no_bytes_make_it_fail_and_none_come_back(
    service: TestClient, route: str, content: bytes, content_type: str
) -> None:
    answer = service.post(route, content=content, headers={"content-type": content_type.encode("latin-1")})
    judge(answer, route)
    assert answer.status_code != 200
    assert SECRET not in answer.text


@pytest.mark.parametrize("route", ROUTES)
@pytest.mark.parametrize("length", ["abc", "-5", "+3", "1e3", "", " ", "0", "3", "9" * 40, str(MAX_BODY), "٣", "1_0"])
def test_a_wrong_length_is_refused_in_the_documented_shape(service: TestClient, route: str, length: str) -> None:
    answer = service.post(route, content=b"{}", headers={"content-length": length.encode()})
    judge(answer, route)
    assert answer.status_code != 200


def test_a_key_twice_counts_as_its_last(service: TestClient) -> None:
    """As in every common parser: a proxy before us must read the same application as we do."""
    content = json.dumps(good()).replace('"income": ', '"income": 1, "income": ').encode()
    answer = service.post("/score", content=content, headers={"content-type": "application/json"})
    assert answer.json() == service.post("/score", json=good()).json()


# ---- valid requests at the bounds


def test_every_corner_of_the_schema_gets_a_score(service: TestClient) -> None:
    numeric = [name for name in FEATURES if name not in CATEGORIES]
    corners = list(itertools.product(*[(BY_NAME[name].low, BY_NAME[name].high) for name in numeric]))
    cycles = {name: itertools.cycle(CATEGORIES[name]) for name in FEATURES if name in CATEGORIES}
    rows = [
        {"application_id": (0, 2**53 - 1, None)[number % 3]}
        | dict(zip(numeric, corner, strict=True))
        | {name: next(values) for name, values in cycles.items()}
        for number, corner in enumerate(corners)
    ]
    answer = service.post("/score/batch", json=rows)
    assert answer.status_code == 200, answer.text[:300]
    scores = BatchScore.model_validate_json(answer.text).scores
    assert [score.application_id for score in scores] == [row["application_id"] for row in rows]
    assert all(0 <= score.default_probability <= 1 and np.isfinite(score.break_even) for score in scores)
    assert len({score.default_probability for score in scores}) > 30
    for row, score in list(zip(rows, scores, strict=True))[::16]:
        assert service.post("/score", json=row).json() == score.model_dump()


@pytest.mark.parametrize("size", [1, MAX_BATCH])
def test_the_smallest_and_the_largest_batch_are_scored_bit_by_bit(
    service: TestClient, model: CreditModel, size: int
) -> None:
    month = World(2).applications(1).head(size)
    rows = json.loads(month[list(FEATURES)].to_json(orient="records", double_precision=15))
    scores = service.post("/score/batch", json=rows).json()["scores"]
    assert [score["default_probability"] for score in scores] == model.predict(month).tolist()
    for wrong in ([], rows + rows[:1] if size == MAX_BATCH else [{}]):
        refused = service.post("/score/batch", json=wrong)
        judge(refused, "/score/batch")
        assert refused.status_code == 422


def test_whole_numbers_may_be_written_with_a_point_and_text_may_not(service: TestClient) -> None:
    """JSON Schema calls 36.0 an integer; Schemathesis found that an earlier version of the contract did not."""
    assert service.post("/score", json=good(term=36.0)).json() == service.post("/score", json=good(term=36)).json()
    for wrong in (36.5, "36", True, None):
        assert service.post("/score", json=good(term=wrong)).status_code == 422


# ---- the service at fault, and the service without a model


def test_a_fault_of_the_model_is_a_500_that_tells_the_log_and_not_the_caller(
    model: CreditModel, caplog: pytest.LogCaptureFixture
) -> None:
    @dataclass(frozen=True)
    class Broken(CreditModel):
        def predict(self, applications: pd.DataFrame) -> Any:
            raise RuntimeError(f"cannot score {applications['income'].iloc[0]}")

    client = TestClient(create_app(Broken(model.booster), "9"), raise_server_exceptions=False)
    answer = client.post("/score", json=good(income=4321.0))
    assert (answer.status_code, answer.headers["x-model-version"]) == (500, "9")
    assert Problem.model_validate_json(answer.text).model_version == "9"
    assert "4321" not in answer.text
    assert "cannot score 4321.0" in caplog.text
    assert client.post("/score", json=good(income="x")).status_code == 422, "wrong input is not the service's fault"
    assert client.get("/healthz").status_code == 200


def test_without_a_model_it_lives_and_says_what_to_do(empty: TestClient) -> None:
    assert empty.get("/healthz").json() == {"status": "alive", "model_version": None}
    for refused in (empty.get("/readyz"), empty.post("/score", json=good())):
        assert (refused.status_code, refused.headers["x-model-version"]) == (503, "none")
        assert "train one" in Problem.model_validate_json(refused.text).detail


def test_with_a_model_it_is_ready(service: TestClient) -> None:
    ready = service.get("/readyz")
    assert (ready.status_code, ready.json()) == (200, {"status": "ready", "warning": "", "model_version": "5"})


# ---- a real server, and the page in a real browser


@pytest.fixture
def port(model: CreditModel) -> Iterator[int]:
    server = uvicorn.Server(uvicorn.Config(create_app(model, "5"), port=0, log_level="critical"))
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        until = time.monotonic() + 30
        while not server.started:
            assert time.monotonic() < until
            time.sleep(0.01)
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        thread.join(30)
        assert not thread.is_alive()


def test_a_server_survives_what_is_no_http(port: int) -> None:
    head = b"POST /score HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    for sent in (
        b"\x00\xff\n\n\n",
        b"GET\r\n\r\n",
        head + b"Content-Length: 500\r\n\r\n{}",  # the rest never comes
        head + b"Content-Length: 1\r\n\r\n{}{}{}",
        head + b"Content-Length: -1\r\n\r\n{}",
        head + b"Content-Length: 2\r\nContent-Length: 9\r\n\r\n{}",
        head + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
    ):
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(sent)
            connection.shutdown(socket.SHUT_WR)
            answer = connection.recv(4096)
        assert b" 500 " not in answer[:20]
    assert httpx.post(f"http://127.0.0.1:{port}/score", json=good()).status_code == 200


def test_a_page_of_documentation_names_no_other_host(service: TestClient) -> None:
    page = service.get("/docs")
    assert "//" not in page.text.replace("<!-- ", "")
    parts = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    assert len(parts) >= 3
    assert all(service.get(part).status_code == 200 for part in parts)


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium here (on Debian: apt install chromium)")
def test_a_browser_shows_the_page_and_asks_nobody_else(port: int) -> None:
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
    # A name that is not local: on localhost Swagger leaves out what it would fetch elsewhere.
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=CHROMIUM, args=[*flags, "--host-resolver-rules=MAP bank.example 127.0.0.1"]
        )
        page = browser.new_page()
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"http://bank.example:{port}/docs", timeout=60_000)
        page.wait_for_selector(".opblock", timeout=60_000)
        page.click(".opblock-summary-post >> nth=0")
        page.wait_for_selector("text=A field breaks the contract", timeout=60_000)
        browser.close()
    assert asked
    assert all(url.startswith((f"http://bank.example:{port}/", "data:", "blob:")) for url in asked), asked


def test_the_contract_knows_every_feature() -> None:
    assert set(Application.model_fields) == {"application_id", *FEATURES}
