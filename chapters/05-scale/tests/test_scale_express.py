"""The express lane answers byte by byte as the app behind it does, and takes only what is ordinary."""

import asyncio
import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import example, given, settings
from hypothesis import strategies as st

from oakbank.deploy import service as deploy
from oakbank.deploy.onnx_runtime import threshold_probe
from oakbank.deploy.record import DecisionRecord
from oakbank.deploy.store import DecisionStore
from oakbank.pipelines import OAKBANK, CreditModel, ModelError, feature_matrix
from oakbank.pipelines.contract import Application, score
from oakbank.pipelines.features import feature_row
from oakbank.pipelines.german import GERMAN
from oakbank.pipelines.promise import hold_to_schema
from oakbank.pipelines.service import Loaded
from oakbank.scale.express import LONGEST, ExpressLane, add_express_lane
from oakbank.scale.service import create_app
from oakbank.scale.single_row import RowScorer, SingleRow
from oakbank.world import CATEGORIES, COLUMNS, FEATURES, World

STEADY = settings(max_examples=300, deadline=None, derandomize=True, database=None)
JSON = {"content-type": "application/json"}


def fit(rounds: int = 150, seed: int = 0) -> CreditModel:
    world = World(seed)
    return CreditModel.fit(feature_matrix(world.applications(-1)), world.truth(-1)["would_default"], rounds=rounds)


@pytest.fixture(scope="module")
def model() -> CreditModel:
    return fit()


def app_with(model: CreditModel | None, version: str = "7") -> FastAPI:
    app = deploy.create_app(None)
    if model is not None:
        app.state.service.loaded, app.state.service.problem = Loaded(version, model), ""
    return app


@dataclass
class Pair:
    """The same service twice: without the lane and with it."""

    plain: TestClient
    fast: TestClient
    lane: ExpressLane

    def same(self, method: str, path: str, **sent: Any) -> httpx.Response:
        """Send one request to both, hold the answers against each other, and return one."""
        one, other = (
            client.request(method, path, follow_redirects=False, **sent) for client in (self.plain, self.fast)
        )
        assert (one.status_code, one.content, one.headers) == (other.status_code, other.content, other.headers)
        return other


def pair(model: CreditModel | None, **options: Any) -> Pair:
    plain, fast = app_with(model), add_express_lane(app_with(model))
    clients = [TestClient(app, raise_server_exceptions=False, **options) for app in (plain, fast)]
    fast.middleware_stack = layer = fast.build_middleware_stack()
    while not isinstance(layer, ExpressLane):
        layer = layer.app  # type: ignore[attr-defined]
    return Pair(clients[0], clients[1], layer)


@pytest.fixture(scope="module")
def both(model: CreditModel) -> Pair:
    return pair(model)


def number(name: str) -> st.SearchStrategy[float | int]:
    column = {column.name: column for column in COLUMNS}[name]
    assert column.low is not None
    assert column.high is not None
    low, high = column.low, column.high
    whole = st.integers(int(low), int(high))
    if column.dtype != "float64":
        return whole | whole.map(float)
    return st.floats(low, high) | whole | st.sampled_from([low, high, np.nextafter(low, high), np.nextafter(high, low)])


applications = st.fixed_dictionaries(
    {"application_id": st.none() | st.integers(0, 2**53 - 1)}
    | {name: st.sampled_from(CATEGORIES[name]) if name in CATEGORIES else number(name) for name in FEATURES}
)
GOOD: dict[str, Any] = json.loads(World(0).applications(0)[list(FEATURES)].head(1).to_json(orient="records"))[0]


# ---- a row is a row of the matrix


@STEADY
@given(row=applications)
def test_the_features_of_one_row_are_those_of_the_frame_to_the_last_bit(row: dict[str, Any]) -> None:
    frame = pd.DataFrame([row, row | {"term": 84, "amount": 500.0}])
    assert np.array(feature_row(row), dtype=np.float32).tobytes() == feature_matrix(frame)[0].tobytes()


def test_the_features_of_a_month_are_those_of_the_frame_to_the_last_bit() -> None:
    for world in (World(1), World(2, "stormy")):
        month = pd.concat([world.applications(month) for month in (-3, 5)], ignore_index=True)
        rows = month[list(FEATURES)].astype({name: object for name in CATEGORIES if name in FEATURES})
        mine = np.array([feature_row(row) for row in rows.to_dict("records")], dtype=np.float32)
        assert mine.tobytes() == feature_matrix(month).tobytes()


def test_what_is_missing_or_unknown_is_as_in_the_frame() -> None:
    row = GOOD | {"income": float("nan"), "channel": "fax"}
    assert np.array(feature_row(row), dtype=np.float32).tobytes() == feature_matrix(pd.DataFrame([row]))[0].tobytes()
    with pytest.raises(KeyError, match="term"):
        feature_row({name: GOOD[name] for name in FEATURES if name != "term"})


def test_data_without_ratios_has_rows_too() -> None:
    row: dict[str, Any] = {name: float(place) for place, name in enumerate(GERMAN.numeric)}
    row |= {name: values[-1] for name, values in GERMAN.categories.items()}
    mine = np.array(feature_row(row, GERMAN), dtype=np.float32)
    assert mine.tobytes() == feature_matrix(pd.DataFrame([row]), GERMAN)[0].tobytes()


# ---- the call, and the score around it


def test_the_single_row_call_gives_the_boosters_answers_on_every_threshold(model: CreditModel) -> None:
    probe = threshold_probe(model)
    single = SingleRow(model)
    assert [single.predict(row) for row in probe.tolist()] == model.predict_matrix(probe).tolist()


def test_two_models_and_two_handles_do_not_mix(model: CreditModel) -> None:
    other = fit(rounds=20, seed=1)
    probe = threshold_probe(model)[::50]
    handles = [SingleRow(model), SingleRow(other), SingleRow(model)]
    answers = np.array([[handle.predict(row) for handle in handles] for row in probe.tolist()])
    for column, one in zip(answers.T, (model, other, model), strict=True):
        assert column.tolist() == one.predict_matrix(probe).tolist()


def test_threads_at_once_do_not_mix(model: CreditModel) -> None:
    """Each has a handle of its own; with one for all, some answers would be of the neighbour's row."""
    single, probe = SingleRow(model), threshold_probe(model)[::5]
    expected = model.predict_matrix(probe).tolist()

    def ask(start: int) -> bool:
        order = [*range(start, len(probe)), *range(start)]
        return all(single.predict(probe[place].tolist()) == expected[place] for place in order)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(ask, range(0, len(probe), len(probe) // 16)))


@STEADY
@given(row=applications)
@example(row=GOOD | {"application_id": None, "amount": 500.0, "term": 6})
def test_a_score_is_that_of_the_batch_to_the_last_bit(model: CreditModel, row: dict[str, Any]) -> None:
    application = Application.model_validate(row)
    assert RowScorer(model, "7").score(application) == score(model, "7", [application])[0]


def test_a_month_of_scores_is_that_of_the_batch(model: CreditModel) -> None:
    columns = ["application_id", *FEATURES]
    rows = [Application.model_validate(row) for row in World(4).applications(2)[columns].to_dict("records")]
    scorer = RowScorer(model, "7")
    assert [scorer.score(row) for row in rows] == score(model, "7", rows)


def test_a_model_of_other_data_is_refused(model: CreditModel) -> None:
    with pytest.raises(ModelError, match="scores other data"):
        RowScorer(replace(model, spec=replace(OAKBANK, name="other")), "1")


# ---- the lane and the app behind it


@STEADY
@given(row=applications)
def test_an_ordinary_request_takes_the_lane_and_gets_the_same_bytes(both: Pair, row: dict[str, Any]) -> None:
    before = both.lane.answered
    assert both.same("POST", "/score", json=row).status_code == 200
    assert both.lane.answered == before + 1


@STEADY
@given(
    text=st.decimals(300, 30_000, places=25).map(str)
    | st.floats(300, 30_000).map(lambda value: f"{value:.30e}")
    | st.sampled_from(["3E3", "3000", "3e+3", "3000.0000000000000000000000000000001", "2999.9999999999999999999"])
)
def test_a_number_is_read_alike_however_it_is_written(both: Pair, text: str) -> None:
    """Two readers of JSON, one of Python's and one of pydantic's: both round to the nearest double."""
    body = json.dumps(GOOD | {"income": "?"}).replace('"?"', text)
    assert both.same("POST", "/score", content=body, headers=JSON).status_code == 200


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
NASTY = [b"NaN", b"-Infinity", b"1e400", b"9" * 5000, b"-0.0", b'"\\ud800"', b'"\\u0000"', b"0x10", b"01", b"+1", b""]


@st.composite
def odd_bodies(draw: st.DrawFn) -> bytes:
    """Return an application in which something may be off: a value, a key twice, an end cut off, a foreign byte."""
    pairs = [(name, json.dumps(value).encode()) for name, value in GOOD.items()]
    for _ in range(draw(st.integers(0, 2))):
        name = draw(st.sampled_from([*FEATURES, "application_id", "id"]))
        value = draw(st.sampled_from(NASTY) | (json_values | number("age")).map(lambda one: json.dumps(one).encode()))
        pairs.append((name, value))  # a key twice
    content = b"{" + b", ".join(json.dumps(name).encode() + b": " + value for name, value in pairs) + b"}"
    match draw(st.integers(0, 5)):
        case 0:
            content = content[: draw(st.integers(0, len(content)))]
        case 1:
            at = draw(st.integers(0, len(content)))
            content = content[:at] + draw(st.binary(min_size=1, max_size=3)) + content[at:]
        case 2:
            content = content.decode("utf-8").encode(draw(st.sampled_from(["utf-16", "utf-8-sig"])))
        case 3:
            content = b" \n" * draw(st.sampled_from([1, 2_000])) + content
    return content


@STEADY
@given(
    content=odd_bodies() | st.binary(max_size=60), kind=st.sampled_from(["application/json", "text/plain", "", "*/*"])
)
def test_whatever_is_sent_both_answer_alike(both: Pair, content: bytes, kind: str) -> None:
    both.same("POST", "/score", content=content, headers={"content-type": kind})


@pytest.mark.parametrize(
    ("method", "path", "sent"),
    [
        ("GET", "/score", {}),
        ("PUT", "/score", {"json": GOOD}),
        ("POST", "/score/", {"json": GOOD}),
        ("POST", "/score/batch", {"json": [GOOD]}),
        (
            "POST",
            "/score",
            {"content": json.dumps(GOOD), "headers": {"content-type": "application/json; charset=utf-8"}},
        ),
        ("POST", "/score", {"content": json.dumps(GOOD), "headers": {"content-type": "application/vnd.bank+json"}}),
        ("POST", "/score", {"content": json.dumps(GOOD).encode() + b" " * LONGEST, "headers": JSON}),
        ("POST", "/score", {"content": b" " * 2_000_000, "headers": JSON}),
        ("POST", "/score", {"json": GOOD, "headers": {"expect": "100-continue"}}),
        ("POST", "/score", {"json": GOOD | {"group": "A"}}),
        ("POST", "/score", {"json": {}}),
        ("GET", "/healthz", {}),
        ("GET", "/readyz", {}),
        ("GET", "/nowhere", {}),
    ],
)
def test_what_is_not_ordinary_the_app_answers(both: Pair, method: str, path: str, sent: dict[str, Any]) -> None:
    before = both.lane.answered
    both.same(method, path, **sent)
    assert both.lane.answered == before


def spoken(client: TestClient, messages: list[dict[str, Any]]) -> list[Any]:
    """Return what an app says to a request whose body comes in these messages."""
    length = sum(len(message.get("body", b"")) for message in messages)
    headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % length)]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/score",
        "raw_path": b"/score",
        "query_string": b"",
        "state": {},
    }
    scope |= {
        "headers": headers,
        "root_path": "",
        "http_version": "1.1",
        "scheme": "http",
        "client": None,
        "server": None,
    }
    said: list[Any] = []
    left = [*messages, {"type": "http.disconnect"}]

    async def receive() -> dict[str, Any]:
        return left.pop(0)

    async def send(message: Any) -> None:
        said.append(message)

    asyncio.run(client.app(scope, receive, send))  # type: ignore[arg-type]
    return said


def test_a_body_in_parts_is_the_apps_and_whoever_hangs_up_gets_nothing(both: Pair) -> None:
    content, before = json.dumps(GOOD).encode(), both.lane.answered
    parts = [
        {"type": "http.request", "body": content[:40], "more_body": True},
        {"type": "http.request", "body": content[40:], "more_body": False},
    ]
    for messages in (parts, parts[:1], []):
        said = spoken(both.fast, messages)
        assert said == spoken(both.plain, messages)
        assert [message.get("status") for message in said] == (
            [200, None] if messages is parts else said and [400, None]
        )
    assert both.lane.answered == before
    assert spoken(both.fast, [{"type": "http.request", "body": content, "more_body": False}])[0]["status"] == 200
    assert both.lane.answered == before + 1


def test_without_a_model_or_with_one_of_other_data_it_is_the_apps(model: CreditModel) -> None:
    other = replace(model, spec=replace(OAKBANK, name="other"))
    for unfit in (None, other):
        two = pair(unfit)
        assert two.same("POST", "/score", json=GOOD).status_code == 503
        assert two.lane.answered == 0


def test_behind_a_proxy_that_strips_a_prefix_it_is_the_same(model: CreditModel) -> None:
    two = pair(model, root_path="/proxy/8000")
    assert two.same("POST", "/score", json=GOOD).status_code == 200


def test_metrics_count_the_same(model: CreditModel) -> None:
    two = pair(model)
    for sent in (GOOD, GOOD | {"income": -1}, GOOD | {"amount": 60_000.0}):
        two.same("POST", "/score", json=sent)
    texts = []
    for client in (two.plain, two.fast):
        lines = client.get("/metrics").text.splitlines()
        texts.append(
            [line for line in lines if "seconds_sum" not in line and "_created" not in line and "le=" not in line]
        )
    assert texts[0] == texts[1]
    assert 'oakbank_requests_total{method="POST",route="/score",status="200"} 2.0' in texts[1]
    assert two.lane.answered == 2


def test_a_fault_in_the_lane_is_a_500_in_the_log(
    model: CreditModel, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(self: SingleRow, row: object) -> float:
        raise ModelError("the disk is on fire")

    monkeypatch.setattr(SingleRow, "predict", broken)
    answer = pair(model).fast.post("/score", json=GOOD)
    assert (answer.status_code, answer.json()["model_version"]) == (500, "7")
    assert "fire" not in answer.text
    assert "the disk is on fire" in caplog.text


def test_a_new_champion_answers_at_once(model: CreditModel) -> None:
    two = pair(model)
    old = two.same("POST", "/score", json=GOOD).json()
    for client in (two.plain, two.fast):
        client.app.state.service.loaded = Loaded("8", fit(rounds=20, seed=1))  # type: ignore[attr-defined]
    new = two.same("POST", "/score", json=GOOD).json()
    assert (old["model_version"], new["model_version"]) == ("7", "8")
    assert old["default_probability"] != new["default_probability"]
    assert two.lane.answered == 2


def test_the_schema_is_kept_by_every_generated_request(model: CreditModel) -> None:
    app = add_express_lane(app_with(model))
    answers = hold_to_schema(app, examples=30)
    assert answers["POST /score", 200] >= 15
    assert answers["POST /score", 422] >= 15


def test_without_a_registry_the_service_lives_and_says_what_to_do(tmp_path: Path) -> None:
    client = TestClient(create_app(tmp_path / "nothing"))
    assert client.get("/healthz").json() == {"status": "alive", "model_version": None}
    assert "run the training pipeline" in client.post("/score", json=GOOD).json()["detail"]


def test_with_a_record_there_is_no_lane(tmp_path: Path) -> None:
    """What the lane answers it would not keep."""
    path = tmp_path / "decisions.sqlite"
    app = create_app(None, record=DecisionRecord(path, lambda: 0))
    app.state.service.loaded = Loaded("1", fit(5))
    answer = TestClient(app).post("/score", json=GOOD | {"application_id": 7})
    assert answer.status_code == 200
    assert DecisionStore(path).decisions()["application_id"].tolist() == [7]
    with pytest.raises(ValueError, match="is not kept"):
        add_express_lane(app)
