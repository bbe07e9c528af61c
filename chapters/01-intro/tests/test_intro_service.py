"""The service as a process: what it answers, with and without a model, and how it ends."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest
from pydantic.fields import FieldInfo
from sklearn.pipeline import Pipeline

from oakbank.intro import scorecard
from oakbank.intro.first_model import first_model
from oakbank.intro.protocol import Problem
from oakbank.intro.scorecard import ApplicationError, Scorecard
from oakbank.intro.service import Application
from oakbank.world import CATEGORIES, COLUMNS, FEATURES, World


@pytest.fixture(scope="module")
def applications() -> pd.DataFrame:
    return World(seed=3).applications(0)


@pytest.fixture(scope="module")
def fitted(applications: pd.DataFrame) -> Pipeline:
    return first_model().fit(applications, World(seed=3).truth(0)["would_default"])


@pytest.fixture(scope="module")
def card(fitted: Pipeline) -> Scorecard:
    return scorecard.export(fitted)


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return rows as JSON would carry them."""
    rows: list[dict[str, Any]] = json.loads(frame[list(FEATURES)].to_json(orient="records", double_precision=15))
    return rows


class Running:
    """A service in a process of its own."""

    def __init__(self, process: "subprocess.Popen[str]", url: str) -> None:
        self.process, self.url = process, url

    def get(self, path: str) -> httpx.Response:
        return httpx.get(self.url + path, timeout=10)

    def score(self, application: dict[str, Any]) -> httpx.Response:
        return httpx.post(f"{self.url}/score", json=application, timeout=10)


def start(model: Path, **environment: str) -> Running:
    """Start a service on a port that the system picks, and wait for the line that names it."""
    process = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "oakbank.intro.service:app", "--port=0", "--timeout-graceful-shutdown=1"],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OAKBANK_MODEL": str(model), **environment},
    )
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if "Uvicorn running on " in line:
            return Running(process, line.split("Uvicorn running on ")[1].split()[0])
    raise AssertionError("".join(said))


@pytest.fixture(scope="module")
def service(card: Scorecard, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    path = tmp_path_factory.mktemp("model") / "model.json"
    scorecard.save(card, path)
    running = start(path, OAKBANK_VERSION="7")
    yield running
    running.process.kill()
    running.process.wait()


def test_a_scorecard_scores_as_the_model_does(card: Scorecard, fitted: Pipeline, applications: pd.DataFrame) -> None:
    ours = [scorecard.probability(card, row) for row in records(applications)]
    np.testing.assert_allclose(ours, fitted.predict_proba(applications)[:, 1], atol=1e-7)


def test_a_scorecard_survives_its_file(card: Scorecard, tmp_path: Path) -> None:
    scorecard.save(card, tmp_path / "model.json")
    assert scorecard.load(tmp_path / "model.json") == card
    assert [path.name for path in tmp_path.iterdir()] == ["model.json"]
    (tmp_path / "other.json").write_text('{"weights": []}', encoding="utf-8")
    with pytest.raises(ValueError, match="no scorecard"):
        scorecard.load(tmp_path / "other.json")


def test_probabilities_do_not_overflow(card: Scorecard, applications: pd.DataFrame) -> None:
    row = records(applications)[0]
    assert scorecard.probability({**card, "intercept": 5_000.0}, row) == 1.0
    assert scorecard.probability({**card, "intercept": -5_000.0}, row) == 0.0


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("income", None),
        ("income", "3000"),
        ("income", True),
        ("income", float("nan")),
        ("purpose", "yacht"),
        ("purpose", None),
    ],
)
def test_the_scorecard_names_the_column_it_has_no_answer_for(
    card: Scorecard, applications: pd.DataFrame, column: str, value: object
) -> None:
    with pytest.raises(ApplicationError, match=f"^{column} must be"):
        scorecard.probability(card, {**records(applications)[0], column: value})


def test_the_interface_is_the_worlds_schema() -> None:
    """The image does not carry the world, so the service spells its columns again; they must stay the same."""

    def bound(field: FieldInfo, name: str) -> object:
        return next((getattr(mark, name) for mark in field.metadata if hasattr(mark, name)), None)

    spelt = {
        name: (field.annotation is str, bound(field, "ge"), bound(field, "le"))
        for name, field in Application.model_fields.items()
    }
    assert spelt == {
        column.name: (column.name in CATEGORIES, column.low, column.high)
        for column in COLUMNS
        if column.name in FEATURES
    }


def test_the_service_answers_as_the_scorecard_does(
    service: Running, card: Scorecard, applications: pd.DataFrame
) -> None:
    for row in records(applications.head(20)):
        assert service.score(row).json() == {
            "default_probability": scorecard.probability(card, row),
            "model_version": "7",
        }


def test_the_protected_group_does_not_reach_the_model(service: Running, applications: pd.DataFrame) -> None:
    row = records(applications)[0]
    assert service.score({**row, "group": "A"}).json() == service.score({**row, "group": "B"}).json()


@pytest.mark.parametrize(
    ("column", "value"),
    [("income", -5), ("income", "much"), ("age", 17), ("term", 12.5), ("purpose", "yacht"), ("region", None)],
)
def test_a_bad_application_is_refused_with_its_column(
    service: Running, applications: pd.DataFrame, column: str, value: object
) -> None:
    answer = service.score({**records(applications)[0], column: value})
    assert answer.status_code == 422
    assert [fault["field"] for fault in answer.json()["errors"]] == [column]
    assert "yacht" not in answer.text, "what was sent does not come back"


def test_a_missing_column_is_refused(service: Running, applications: pd.DataFrame) -> None:
    row = records(applications)[0]
    del row["amount"]
    assert service.score(row).status_code == 422


def test_alive_is_not_ready(card: Scorecard, applications: pd.DataFrame, tmp_path: Path) -> None:
    """Without its model the process lives, says why it is not ready, and is ready as soon as the file is there."""
    running = start(tmp_path / "model.json")
    try:
        row = records(applications)[0]
        alive = running.get("/healthz")
        assert (alive.status_code, alive.json()) == (200, {"status": "alive", "model_version": None})
        for answer in (running.get("/readyz"), running.score(row)):
            assert answer.status_code == 503
            assert answer.headers["x-model-version"] == "none"
            assert "model.json" in Problem.model_validate(answer.json(), strict=True).detail
        (tmp_path / "model.json").write_text("{}", encoding="utf-8")
        assert "no scorecard" in running.get("/readyz").json()["detail"]
        scorecard.save(card, tmp_path / "model.json")
        assert running.get("/readyz").json() == {"status": "ready", "warning": "", "model_version": "unversioned"}
        (tmp_path / "model.json").unlink()
        assert running.score(row).status_code == 200  # what is loaded stays loaded
    finally:
        running.process.kill()
        running.process.wait()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGTERM that a process could answer")
def test_sigterm_ends_it_at_once(tmp_path: Path) -> None:
    running = start(tmp_path / "none.json")
    running.process.send_signal(signal.SIGTERM)
    assert running.process.wait(timeout=5) in (0, -signal.SIGTERM)  # uvicorn hands the signal on when it is done
