"""Servers side by side: what differs is counted, a refusal is told apart, the run that is kept is of this code."""

import json
import shutil
import sys
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest
from flask import Flask, request

from oakbank.deploy import serving_tools, serving_ways
from oakbank.deploy.agreement import CALLERS, Agreement, applications, champion, compare
from oakbank.deploy.load import BenchmarkError, Server, serve_wsgi, serving
from oakbank.deploy.ports import free_port
from oakbank.deploy.prometheus import serve
from oakbank.deploy.protocols import OWN, PLAIN, V2, RefusedError, ask, dataframe_split, infer_request, records
from oakbank.deploy.serving_ways import FIRST, WAYS, Way, code_hash, lines_of
from oakbank.pipelines import CreditModel, grant
from oakbank.pipelines.service import create_app
from oakbank.world import FEATURES


@pytest.fixture(scope="module")
def model() -> CreditModel:
    return champion()


@pytest.fixture(scope="module")
def rows() -> pd.DataFrame:
    return applications(1_200)


@pytest.fixture(scope="module")
def flask_at(model: CreditModel) -> str:
    app = Flask(__name__)

    @app.post("/score")
    def score() -> dict[str, Any]:
        return {"default_probabilities": model.predict(pd.DataFrame(request.get_json())).tolist()}

    @app.post(V2.path)
    def infer() -> dict[str, Any]:
        frame = pd.DataFrame({one["name"]: one["data"] for one in request.get_json()["inputs"]})
        return {"outputs": [{"name": "p", "data": model.predict(frame).tolist()}]}

    return serve_wsgi(app)


def test_the_applications_are_what_callers_have(rows: pd.DataFrame) -> None:
    assert list(rows) == list(FEATURES)
    assert {str(kind) for kind in rows.dtypes} == {"int64", "float64", "object"}
    assert len(applications(2_001)) == 2_001  # over the end of a month


def test_two_servers_and_two_protocols_agree(model: CreditModel, rows: pd.DataFrame, flask_at: str) -> None:
    own_at = "http://" + serve(create_app(model, "1"))
    for address, protocol in ((own_at, OWN), (flask_at, PLAIN), (flask_at, V2)):
        assert compare(partial(ask, address, protocol), model, rows) == Agreement(1_200, 0, 0, 0)


def test_a_strict_server_refuses_and_a_lax_one_decides(model: CreditModel, rows: pd.DataFrame, flask_at: str) -> None:
    own_at = "http://" + serve(create_app(model, "1"))
    first = rows.head(500)
    for name in ("1 % without income", "an unknown purpose", "a negative income"):
        strict = compare(partial(ask, own_at, OWN), model, first, CALLERS[name])
        assert (strict.refused, strict.decisions, str(strict)) == (500, 0, "refused")
        lax = compare(partial(ask, flask_at, PLAIN), model, first, CALLERS[name])
        assert lax.refused == 0
        assert lax.decisions > 0


def test_what_differs_is_counted(model: CreditModel, rows: pd.DataFrame) -> None:
    """Of the second request one score is another in its last bit, of the third two decisions; the first is refused."""
    turn = iter(range(3))

    def planted(part: pd.DataFrame) -> list[float]:
        found = model.predict(part)
        number = next(turn)
        if number == 0:
            raise RefusedError("500: no")
        if number == 1:
            found[0] = np.nextafter(found[0], 1)
        if number == 2:
            granted = grant(found, part["amount"], part["term"])
            found[:2] = np.where(granted[:2], 1.0, 0.0)
        return list(found)

    found = compare(planted, model, rows, size=400)
    assert found == Agreement(asked=1_200, refused=400, scores=3, decisions=2)
    assert str(found) == "2, 400 refused"


def test_a_gap_is_null_and_a_tensor_has_its_type(rows: pd.DataFrame) -> None:
    gaps = CALLERS["1 % without delinquencies"](rows).head(2)
    assert records(gaps)[0]["delinquencies"] is None
    assert dataframe_split(gaps)["dataframe_split"]["data"][0][list(FEATURES).index("delinquencies")] is None
    types = {one["name"]: one["datatype"] for one in infer_request(gaps)["inputs"]}
    assert (types["age"], types["delinquencies"], types["purpose"]) == ("INT64", "FP64", "BYTES")
    single = infer_request(CALLERS["decimals as float32"](rows).head(2))["inputs"]
    assert {one["datatype"] for one in single} == {"INT64", "FP32", "BYTES"}
    json.dumps(infer_request(gaps), allow_nan=False)


def test_a_refusal_says_what_the_server_said(rows: pd.DataFrame, flask_at: str) -> None:
    with pytest.raises(RefusedError, match=r"^404: "):
        ask(flask_at, OWN, rows.head(1))
    short = Flask("short", root_path=".")
    short.post("/score")(lambda: {"default_probabilities": [0.5]})
    with pytest.raises(RefusedError, match="1 probabilities came back for 2 applications"):
        ask(serve_wsgi(short), PLAIN, rows.head(2))


def test_a_server_is_ended_with_all_that_it_started(tmp_path: Path) -> None:
    port = free_port()
    command = [sys.executable, "-m", "http.server", str(port), "--bind", "127.0.0.1"]
    url = f"http://127.0.0.1:{port}/"
    with serving(command, tmp_path / "log", url) as server:
        assert server.seconds > 0
        assert httpx.get(url).status_code == 200
    with pytest.raises(httpx.ConnectError):
        httpx.get(url)
    broken = Server([sys.executable, "-c", "raise SystemExit('no such thing here')"], tmp_path / "log")
    with pytest.raises(BenchmarkError, match="no such thing here"):
        broken.wait(url)
    broken.stop()


@pytest.fixture(scope="module")
def kept() -> dict[str, Any]:
    return serving_tools.kept()


def stale(found: dict[str, Any]) -> list[str]:
    """Return the ways whose code or lock is not that of the run."""
    return [name for name, way in WAYS.items() if found["ways"].get(name, {}).get("code") != code_hash(way)]


def test_the_run_that_is_kept_is_of_the_code_that_is_here(kept: dict[str, Any]) -> None:
    assert stale(kept) == [], "python -m oakbank.deploy.serving_tools measure"
    assert set(kept["ways"]) == set(WAYS)
    for name, way in kept["ways"].items():
        assert set(way["agreements"]) == set(CALLERS)
        # Of Oakbank's own service they change with the service.
        assert way["lines"] == lines_of(WAYS[name].files) or name == FIRST
    changed = json.loads(json.dumps(kept))
    changed["ways"]["Triton"]["code"] = "0"
    assert stale(changed) == ["Triton"]


def test_the_tables_are_made_from_the_run(kept: dict[str, Any]) -> None:
    made = serving_tools.table(kept)
    assert made.count("\n| ") == len(WAYS) + 1
    assert kept["machine"]["date"] in made
    first = next(line for line in made.splitlines() if line.startswith(f"| {FIRST}"))
    assert " | 1.0 | 1.0 | 1.0 | " in first
    slower = json.loads(json.dumps(kept))
    for one in slower["rounds"]:
        one["Flask"]["1"]["p50_ms"] = 20 * one[FIRST]["1"]["p50_ms"]
    assert next(line for line in serving_tools.table(slower).splitlines() if "Flask" in line).count(" | 20 | ") == 1
    assert serving_tools.matrix(kept).splitlines()[2].startswith("| as they are | 0 |")


def test_lines_of_code_are_counted_without_words(tmp_path: Path) -> None:
    file = tmp_path / "one.py"
    file.write_text(
        '"""Words."""\n\n# more\n\n\ndef f(a):\n    """Words."""\n    return (\n        a\n    )\n', encoding="utf-8"
    )
    assert lines_of([file, file]) == 4


@pytest.mark.skipif(shutil.which("wrk") is None, reason="no wrk here (on Debian: apt install wrk)")
@pytest.mark.skipif(sys.platform != "linux", reason="proportional memory is Linux'")
@pytest.mark.long
def test_it_measures() -> None:
    """Long: it starts Oakbank's service and gunicorn, and saves a model by MLflow."""
    found = serving_tools.measure([FIRST, "Flask"], starts=1, rounds=1, seconds=1, n=200)
    for name in found["ways"]:
        assert found["ways"][name]["agreements"]["as they are"] == asdict(Agreement(200, 0, 0, 0))
        assert 20 < found["ways"][name]["memory_mb"] < 1_000
        assert found["rounds"][0][name]["8"]["answers_per_s"] > 1
    assert "| Flask" in serving_tools.table(found)


def test_a_tour_without_its_package_in_the_lock_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "kserve.py.lock").write_text('name = "other"\nversion = "1"\n', encoding="utf-8")
    monkeypatch.setattr(serving_ways, "TOURS", tmp_path)
    with pytest.raises(BenchmarkError, match="names no kserve"):
        serving_ways.version_of(Way(V2, (), "", "kserve", "kserve"))
