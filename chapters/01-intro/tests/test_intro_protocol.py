"""The protocol that all services keep: the version in every answer, every error in one form, probes that tell apart."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

import httpx
import pytest
from fastapi import Depends, FastAPI
from fastapi.testclient import TestClient
from starlette.responses import PlainTextResponse

from oakbank.intro.protocol import ERRORS, PROBLEM_JSON, SCORING_ERRORS, Fault, Problem, field_of, needed, protocol_app


@dataclass
class Model:
    version: str


@dataclass
class Box:
    loaded: Model | None = None
    problem: str = ""


LIMIT = 1_000


def service(box: Box) -> FastAPI:
    app = protocol_app(FastAPI, box)

    @app.post("/double", responses=SCORING_ERRORS, max_body_size=LIMIT)
    async def double(numbers: list[int], loaded: Annotated[Model, Depends(needed)]) -> list[int]:
        if 13 in numbers:
            raise ZeroDivisionError(f"unlucky with {numbers}")
        return [2 * number for number in numbers]

    @app.get("/plain")
    async def plain() -> PlainTextResponse:
        return PlainTextResponse("as I like it", 418)

    return app


@pytest.fixture
def client() -> TestClient:
    return TestClient(service(Box(Model("7"))), raise_server_exceptions=False)


def problem_of(answer: httpx.Response, status: int, version: str | None = "7") -> Problem:
    """Return an error after a look at everything that all errors have."""
    assert answer.status_code == status
    assert answer.headers["content-type"] == PROBLEM_JSON
    assert answer.headers["x-model-version"] == (version or "none")
    told = Problem.model_validate_json(answer.content, strict=True)
    assert (told.status, told.model_version) == (status, version)
    assert told.title
    assert told.detail
    return told


def chunks(size: int) -> Iterator[bytes]:
    yield from (b" " * 100 for _ in range(size // 100))


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("GET", "/nowhere", b"", 404),
        ("POST", "/nowhere", b" " * 2 * LIMIT, 404),
        ("GET", "/double", b"", 405),
        ("POST", "/double", b"\xff", 400),
        ("POST", "/double", b" " * (LIMIT + 1), 413),
        ("POST", "/double", "chunks", 413),
        ("POST", "/double", b"[13]", 500),
        ("GET", "/plain", b"", 418),
    ],
)
def test_every_error_has_the_one_form(client: TestClient, method: str, path: str, content: Any, status: int) -> None:
    body = chunks(2 * LIMIT) if content == "chunks" else content
    told = problem_of(client.request(method, path, content=body, headers={"content-type": "application/json"}), status)
    assert told.errors == []
    assert "unlucky" not in told.detail
    if status in (400, 413):
        assert "JSON" in told.detail, "say what would be taken"


def test_a_body_within_the_limit_may_come_in_chunks(client: TestClient) -> None:
    parts = iter([b"[1", b"0, 2", b"0]"])
    assert client.post("/double", content=parts, headers={"content-type": "application/json"}).json() == [20, 40]


def test_a_refused_method_says_which_are_allowed(client: TestClient) -> None:
    assert client.get("/double").headers["allow"] == "POST"


def test_a_broken_contract_is_told_field_by_field_and_never_echoed(client: TestClient) -> None:
    told = problem_of(client.post("/double", json=[1, "born 1971", 2, None]), 422)
    assert [fault.field for fault in told.errors] == ["[1]", "[3]"]
    assert told.detail == f"[1]: {told.errors[0].problem}"
    assert "1971" not in told.model_dump_json()
    half = problem_of(client.post("/double", content=b"[1,", headers={"content-type": "application/json"}), 422)
    assert [fault.field for fault in half.errors] == ["body"]


@pytest.mark.parametrize(
    ("loc", "field"),
    [
        (("body",), "body"),
        (("body", "income"), "income"),
        (("body", 3), "[3]"),
        (("body", 3, "income"), "[3].income"),
        (("body", "more", 0, "x"), "more[0].x"),
    ],
)
def test_a_field_is_named_as_one_would_write_it(loc: tuple[int | str, ...], field: str) -> None:
    assert field_of({"type": "missing", "loc": loc}) == field


def test_alive_and_ready_are_two_questions() -> None:
    box = Box(problem="no model yet: train one")
    client = TestClient(service(box))
    assert client.get("/healthz").json() == {"status": "alive", "model_version": None}
    for answer in (client.get("/readyz"), client.post("/double", json=[1])):
        assert problem_of(answer, 503, version=None).detail == "no model yet: train one"
    box.loaded, box.problem = Model("8"), "the registry is away"
    ready = client.get("/readyz")
    assert (ready.status_code, ready.headers["x-model-version"]) == (200, "8")
    assert ready.json() == {"status": "ready", "warning": "the registry is away", "model_version": "8"}
    assert client.post("/double", json=[1]).headers["x-model-version"] == "8"


def test_one_model_answers_from_begin_to_end() -> None:
    """A model that is replaced while a request is under way does not answer it, nor is it named."""
    box = Box(Model("1"))
    app = service(box)

    @app.get("/slow")
    async def slow(loaded: Annotated[Model, Depends(needed)]) -> str:
        box.loaded = Model("2")
        return loaded.version

    client = TestClient(app)
    answer = client.get("/slow")
    assert (answer.json(), answer.headers["x-model-version"]) == ("1", "1")
    assert client.get("/healthz").headers["x-model-version"] == "2"


def test_the_schema_says_what_errors_look_like(client: TestClient) -> None:
    schema = client.get("/openapi.json").json()
    responses = schema["paths"]["/double"]["post"]["responses"]
    assert set(responses) == {"200"} | {str(status) for status in ERRORS | SCORING_ERRORS}
    for status in set(responses) - {"200"}:
        assert responses[status]["content"] == {PROBLEM_JSON: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    assert set(responses["200"]["content"]) == {"application/json"}
    assert set(schema["components"]["schemas"]["Problem"]["required"]) == set(Problem.model_fields)
    assert set(schema["components"]["schemas"]["Fault"]["required"]) == set(Fault.model_fields)
