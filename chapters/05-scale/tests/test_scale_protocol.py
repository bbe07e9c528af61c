"""One protocol for the services of all chapters: the same probes, version and errors, whoever serves."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from pydantic import ValidationError

from oakbank.deploy import service as deploy
from oakbank.intro import service as intro
from oakbank.intro.containers import service_model
from oakbank.intro.protocol import PROBLEM_JSON, Problem
from oakbank.intro.scorecard import save
from oakbank.pipelines import CreditModel, feature_matrix
from oakbank.pipelines import service as pipelines
from oakbank.pipelines.service import Loaded
from oakbank.scale import service as scale
from oakbank.world import World

LEAST = ("get", "/nowhere", 404), ("get", "/score", 405), ("post", "/score", 422)


def breaches(app: FastAPI) -> list[str]:
    """Return what an app with a model does otherwise than the protocol says."""
    found = []
    with TestClient(app, raise_server_exceptions=False) as client:
        for path, status in (("/healthz", "alive"), ("/readyz", "ready")):
            answer = client.get(path)
            if answer.status_code != 200 or answer.json().get("status") != status:
                found.append(f"{path}: {answer.text}")
            elif "x-model-version" not in answer.headers or "model_version" not in answer.json():
                found.append(f"{path}: without the model's version")
        for method, path, status_code in LEAST:
            answer = client.request(method, path, **({"json": {}} if method == "post" else {}))
            try:
                told = Problem.model_validate_json(answer.content, strict=True)
            except ValidationError:
                found.append(f"{method} {path}: not the form of errors")
                continue
            header = answer.headers.get("x-model-version")
            if (answer.status_code, told.status, told.model_version) != (status_code, status_code, header):
                found.append(f"{method} {path}: {answer.status_code} {told} {header}")
            if answer.headers["content-type"] != PROBLEM_JSON:
                found.append(f"{method} {path}: {answer.headers['content-type']}")
        for path in client.get("/openapi.json").json()["paths"]:
            if path.strip("/") in {"health", "ready", "live", "livez", "ping", "status"}:
                found.append(f"{path}: another spelling of a probe")
    return found


@pytest.fixture(scope="module")
def model() -> CreditModel:
    world = World(0)
    return CreditModel.fit(feature_matrix(world.applications(-1)), world.truth(-1)["would_default"], rounds=10)


def of_chapter_1(model: CreditModel, folder: Path, monkeypatch: pytest.MonkeyPatch) -> FastAPI:
    save(service_model(), folder / "model.json")
    monkeypatch.setenv("OAKBANK_MODEL", str(folder / "model.json"))
    return intro.app


def of_chapter_3(model: CreditModel, *_: Any) -> FastAPI:
    app = deploy.create_app(None)
    app.state.service.loaded = Loaded("3", model)
    return app


SERVICES: dict[str, Callable[[CreditModel, Path, pytest.MonkeyPatch], FastAPI]] = {
    "01": of_chapter_1,
    "02": lambda model, *_: pipelines.create_app(model, "2"),
    "03": of_chapter_3,
    "05": lambda model, *_: scale.create_scaled_app(model, "5"),
}


@pytest.mark.parametrize("chapter", SERVICES)
def test_every_service_keeps_the_protocol(
    model: CreditModel, chapter: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert breaches(SERVICES[chapter](model, tmp_path, monkeypatch)) == []


def test_a_service_of_another_kind_is_found() -> None:
    app = FastAPI()

    @app.get("/health")
    def health() -> dict[str, str]:
        return {"status": "alive"}

    @app.post("/score")
    def score(numbers: list[int]) -> int:
        return len(numbers)

    found = breaches(app)
    assert [line.partition(":")[0] for line in found] == [
        *("/healthz", "/readyz", "get /nowhere", "get /score", "post /score", "/health")
    ]
