"""What is counted, logged and rung: bounded series, logs without a person, alarms by a budget, rules that fire."""

import io
import json
import logging
import math
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from hypothesis import example, given
from hypothesis import strategies as st

from oakbank.deploy import alerts, prometheus
from oakbank.deploy.drift import bin_of, edges_of, psi
from oakbank.deploy.inputs import InputBins
from oakbank.deploy.logs import ALLOWED, JsonLines, RequestLog, request_id
from oakbank.deploy.metrics import Metrics
from oakbank.deploy.service import create_app
from oakbank.deploy.watched import DEBTS, STORM, WatchedBank
from oakbank.pipelines import Registry
from oakbank.world import CATEGORIES, FEATURES, World


@pytest.fixture(scope="module")
def champion(bank: Any, registry_folder: Path) -> Registry:
    registry = Registry(registry_folder, create=False, name="credit-monitoring")
    run = registry.register(bank.run)
    registry.set_alias("champion", str(run.version))
    return registry


@pytest.fixture(scope="module")
def past(bank: Any) -> pd.DataFrame:
    frame: pd.DataFrame = bank.lake.read("applications", range(-12, 0))
    return frame


@pytest.fixture(scope="module")
def bins(past: pd.DataFrame) -> InputBins:
    return InputBins(past)


def records(applications: pd.DataFrame) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = json.loads(
        applications[["application_id", *FEATURES]].to_json(orient="records", double_precision=15)
    )
    return rows


# What is counted


def test_one_row_falls_into_the_bin_that_a_frame_does(past: pd.DataFrame, bins: InputBins) -> None:
    month = World(1, DEBTS).applications(3).head(300)
    place = {column: bin_of(month[column], edges_of(past[column])) for column in FEATURES}
    for row, application in enumerate(records(month)):
        assert bins.of(application) == {column: place[column][row] for column in FEATURES}


@given(st.one_of(st.none(), st.just(math.nan), st.floats(-1e9, 1e9)), st.one_of(st.none(), st.text(max_size=5)))
def test_any_value_has_a_bin(income: float | None, channel: str | None) -> None:
    frame = pd.DataFrame({"income": np.arange(100.0), "channel": ["web", "branch"] * 50})
    small = InputBins(frame, ["income", "channel"])
    found = small.of({"income": income, "channel": channel})
    as_frame = pd.DataFrame({"income": [income], "channel": [channel]})
    assert found["income"] == bin_of(as_frame["income"].astype(float), edges_of(frame["income"]))[0]
    assert found["channel"] == bin_of(as_frame["channel"], edges_of(frame["channel"]))[0]
    metrics = Metrics(small)
    metrics.took_in([{"income": income, "channel": channel}])
    assert metrics.registry.get_sample_value("oakbank_inputs_total", {"column": "income", "bin": str(found["income"])})


def test_a_reference_that_does_not_fit_is_refused(past: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="lacks debts"):
        InputBins(past.drop(columns="debts"))
    with pytest.raises(ValueError, match="is empty"):
        InputBins(past.head(0))


def test_the_number_of_series_does_not_grow(champion: Registry, bins: InputBins) -> None:
    """Whoever applies, whatever is sent: the series of the first hour are those of the last."""
    client = TestClient(create_app(champion, bins=bins))

    def series() -> set[str]:
        lines = client.get("/metrics").text.splitlines()
        return {line.rpartition(" ")[0] for line in lines if not line.startswith("#")}

    rows = records(World(1, "stormy").applications(3))
    odd = [{}, {"income": "much"}, {**rows[0], "channel": "pigeon"}]
    for row in [*rows[:20], *odd]:
        client.post("/score", json=row)
    client.get("/nowhere/1")
    client.post("/score/batch", json=rows[:2])
    series()  # so that this route, too, has been asked
    before = series()
    for row in rows[20:120]:
        client.post("/score", json=row)
    client.get("/nowhere/2?name=Ada")
    assert series() == before
    assert len(before) < 500
    metrics = client.app.state.service.metrics  # type: ignore[attr-defined]
    debts = [metrics.registry.get_sample_value("oakbank_inputs_total", {"column": "debts", "bin": str(place)})
             for place in range(len(bins.shares["debts"]))]  # fmt: skip
    accepted = [
        all(300 <= row["income"] <= 30_000 for row in sent) for sent in (*([row] for row in rows[:120]), rows[:2])
    ]
    assert sum(debts) == sum(accepted[:-1]) + 2 * accepted[-1], "what the contract refuses is not counted"


def test_loans_are_held_against_what_was_predicted() -> None:
    metrics = Metrics()
    metrics.matured([0.1, 0.3], [False, True], [500.0, -6000.0])
    value = metrics.registry.get_sample_value
    assert value("oakbank_matured_loans_total", {"defaulted": "true"}) == 1
    assert value("oakbank_matured_expected_defaults_total") == pytest.approx(0.4)
    assert value("oakbank_matured_profit_euros") == -5500
    with pytest.raises(ValueError, match="give one of each"):
        metrics.matured([0.1], [False, True], [1.0, 2.0])
    with pytest.raises(ValueError, match="leave it out"):
        metrics.matured([math.nan], [False], [1.0])


# What is logged


@pytest.fixture
def logged() -> Iterator[tuple[logging.Logger, io.StringIO]]:
    stream = io.StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    logger = logging.Logger("test")
    logger.addHandler(handler)
    everything = logging.getLogger()  # what other loggers write must be as clean
    everything.addHandler(handler)
    yield logger, stream
    everything.removeHandler(handler)


def test_a_log_holds_nothing_of_a_person(champion: Registry, logged: tuple[logging.Logger, io.StringIO]) -> None:
    """Applications that are taken, refused, sent to a wrong path, or under an id that is a name."""
    logger, stream = logged
    app = create_app(champion)
    app.add_middleware(RequestLog, logger=logger)
    client = TestClient(app, raise_server_exceptions=False)
    rows = records(World(2, "calm").applications(0).head(60))
    for number, row in enumerate(rows):
        client.post("/score", json=row | {"income": 1234.5 + number})
        client.post("/score", json=row | {"income": 987654.25 + number})  # above the contract: refused
        client.post(f"/applicants/{row['application_id']}/Lovelace", json=row)
        client.get("/version", headers={"X-Request-ID": "Ada Lovelace, 12 Main Street"})
    text = stream.getvalue()
    lines = [json.loads(line) for line in text.splitlines()]
    assert len(lines) >= 240
    assert {line["status"] for line in lines if "status" in line} == {200, 422, 404}
    assert {line["route"] for line in lines if "route" in line} == {"/score", "/version", "unmatched"}
    fixed = {"time", "level", "logger", "event", "request_id"}
    assert all(set(line) <= fixed | ALLOWED for line in lines)
    for word in ("Lovelace", "Main Street", "1234.5", "987654.25"):
        assert word not in text
    # Whatever is told is one of few things: no number of an application can be among them.
    told = {str(line[name]) for line in lines for name in line if name not in ("time", "milliseconds", "request_id")}
    values = {str(value) for row in rows for name, value in row.items() if name not in CATEGORIES}
    assert not told & {value for value in values if len(value) > 3}


def test_a_careless_line_would_be_found(logged: tuple[logging.Logger, io.StringIO]) -> None:
    """A field that nobody allowed is dropped, and of an exception its text; the message itself is its author's."""
    logger, stream = logged
    try:
        raise ValueError("income of Ada is 4711")
    except ValueError:
        logger.exception("could not score", extra={"income": 4711, "status": 500})
    line = json.loads(stream.getvalue())
    assert "4711" not in stream.getvalue()
    assert (line["error"], line["status"]) == ("ValueError", 500)
    assert line["at"].startswith("test_a_careless_line_would_be_found:")


def test_a_request_can_be_followed(logged: tuple[logging.Logger, io.StringIO]) -> None:
    logger, stream = logged
    app = FastAPI()

    @app.get("/work")
    def work() -> str:
        logger.warning("half way")
        return request_id()

    app.add_middleware(RequestLog, logger=logger)
    client = TestClient(app)
    answer = client.get("/work", headers={"X-Request-ID": "a-1"})
    assert answer.json() == answer.headers["x-request-id"] == "a-1"
    lines = [json.loads(line) for line in stream.getvalue().splitlines()]
    assert [(line["event"], line["request_id"]) for line in lines] == [("half way", "a-1"), ("answered", "a-1")]
    assert request_id() == ""


@example("-")  # plain letters, and no name
@given(st.text(alphabet=st.characters(min_codepoint=32, max_codepoint=255, exclude_characters="\x7f"), max_size=90))
def test_a_request_id_is_plain_or_replaced(given_id: str) -> None:
    app = FastAPI()
    app.add_middleware(RequestLog, logger=logging.Logger("quiet"))
    answer = TestClient(app).get("/", headers={"X-Request-ID": given_id.encode("latin-1")})
    mine = answer.headers["x-request-id"]
    assert mine.isascii()
    assert mine.replace("-", "").isalnum()
    assert 1 <= len(mine) <= 64


# What rings


def test_a_night_has_the_index_of_its_rows(past: pd.DataFrame) -> None:
    month = World(1, "calm").applications(2)
    nightly = alerts.nightly_psi(past, month, ["debts", "channel"])
    for night in nightly.index[:3]:
        rows = month[month["applied_on"] == night]
        for column in nightly:
            assert nightly[column][night] == pytest.approx(psi(past[column], rows[column]))
    with pytest.raises(ValueError, match="at least one application"):
        alerts.nightly_psi(past, month.head(0))


def test_an_alarm_begins_once_and_after_its_nights() -> None:
    days = pd.date_range("2024-01-01", periods=8)
    nightly = pd.DataFrame({"debts": [0.0, 0.3, 0.3, 0.3, 0.0, 0.3, 0.3, 2.0]}, index=days)
    assert list(np.flatnonzero(alerts.begins(nightly, 0.25)["debts"])) == [1, 5]
    three = alerts.begins(nightly, 0.25, 3)["debts"]
    assert list(np.flatnonzero(three)) == [3, 7]
    assert alerts.nights_late(three, "2024-01-02") == 2
    assert alerts.nights_late(three, "2024-01-09") is None
    assert alerts.nights_late(alerts.begins(nightly, 0.25)["debts"], "2024-01-07") is None, "it rings already"
    with pytest.raises(ValueError, match="at least one night"):
        alerts.begins(nightly, 0.25, 0)


def test_the_two_rules_keep_to_the_budget_and_hear_both_faults() -> None:
    """Seeds that the lesson does not use."""
    for seed in (21, 22):
        calm = alerts.nightly_psi_of(World(seed, "calm"), 12)
        rung = sum(int(alerts.begins(calm, *rule).to_numpy().sum()) for rule in ((1.0, 1), (0.25, 3)))
        assert rung <= 3 * 12 / 4, "three a month are allowed; a quarter of that is what it takes"
        storm = alerts.nightly_psi_of(World(seed, STORM), 12)
        assert alerts.nights_late(alerts.begins(storm, 1.0)["debts"], "2024-04-01") == 0
        creeping = alerts.nights_late(alerts.begins(storm, 0.25, 3)["channel"], "2024-09-01")
        assert creeping is not None
        assert creeping <= 10


def test_a_years_income_would_not_be_all_green() -> None:
    share = (12 * World(5, "calm").applications(12)["income"] > 30_000).mean()
    assert 0.5 < share < 0.65


# Prometheus itself


@pytest.fixture(scope="module")
def tool() -> None:
    """Skip, or fail where the machine has promised it (`COURSE_NEEDS`)."""
    if prometheus.versions() is None:
        if os.environ.get("CI") == "true" and "prometheus" in os.environ.get("COURSE_NEEDS", "").split(","):
            pytest.fail("Prometheus was promised and is not there")
        pytest.skip("no Prometheus on this machine")


def promtool(folder: Path) -> int:
    command = ["promtool", "test", "rules", "bank.rules.test.yml"]
    return subprocess.run(command, cwd=folder, capture_output=True, check=False).returncode


@pytest.mark.usefixtures("tool")
def test_the_rules_pass_their_tests() -> None:
    assert promtool(prometheus.RULES.parent) == 0


@pytest.mark.usefixtures("tool")
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("psi1d > 1\n", "psi1d > 2\n"),
        ("for: 2d", "for: 1h"),
        ('status=~"5.."', 'status=~"[45].."'),
        ("> 0.65", "> 0.75"),
        ("gap30d > 0.03", "gap30d > 0.005"),
        ("0.99, sum", "0.5, sum"),
        ("up == 0", "up == 1"),
    ],
)
def test_the_tests_of_the_rules_see_a_rule_that_is_wrong(tmp_path: Path, old: str, new: str) -> None:
    for file in prometheus.RULES.parent.glob("*.yml"):
        shutil.copy(file, tmp_path)
    rules = tmp_path / prometheus.RULES.name
    text = rules.read_text(encoding="utf-8")
    assert text.count(old) == 1
    rules.write_text(text.replace(old, new), encoding="utf-8")
    assert promtool(tmp_path) == 1


@pytest.mark.usefixtures("tool")
def test_a_real_server_loads_the_rules_and_fires(
    champion: Registry, bins: InputBins, past: pd.DataFrame, tmp_path: Path
) -> None:
    worlds = {"calm": World(1, "calm"), "debts": World(1, DEBTS)}
    banks = {name: WatchedBank(world, champion, bins, tmp_path / f"{name}.log") for name, world in worlds.items()}
    server = prometheus.watch({name: bank.place for name, bank in banks.items()}, tmp_path)
    try:
        for bank in banks.values():
            assert set(bank.ask(4, 120)["status"]) == {200}
            bank.outcomes_arrive(4)
        server.wait_for('ALERTS{alertname="DefaultsAboveForecast",alertstate="firing"}')
        server.wait_for_scrapes()
        rung = {(one["metric"]["job"], one["metric"]["alertname"]) for one in server.ask('ALERTS{alertstate="firing"}')}
        assert {job for job, _ in rung} == {"debts"}
        assert {("debts", "InputsBroken"), ("debts", "DefaultsAboveForecast")} <= rung
        moved = {one["metric"]["job"]: one for one in server.ask('job:inputs:psi1d{column="debts"}')}
        for name, world in worlds.items():
            ours = psi(past["debts"], world.applications(4)["debts"].head(120))
            assert float(moved[name]["value"][1]) == pytest.approx(ours, abs=1e-6)
        with pytest.raises(prometheus.PrometheusError, match="parse error"):
            server.ask("rate(")
    finally:
        server.stop()
        server.stop()


@pytest.mark.usefixtures("tool")
def test_a_file_that_prometheus_refuses_is_told(tmp_path: Path) -> None:
    (tmp_path / "prometheus.yml").write_text("scrape_configs: 7\n", encoding="utf-8")
    with pytest.raises(prometheus.PrometheusError, match=r"Prometheus ended.*unmarshal"):
        prometheus.Prometheus(tmp_path / "prometheus.yml")


def test_the_times_of_scoring_begin_at_zero() -> None:
    """Prometheus reads increases: a series that is first seen with 250 requests in it has none."""
    text = TestClient(create_app(None)).get("/metrics").text
    assert 'oakbank_request_seconds_count{route="/score"} 0.0' in text
