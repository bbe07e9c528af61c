"""The router keeps applicants where they are, goes back whole and fast, and answers whatever is taken away."""

import contextlib
import json
import math
import multiprocessing
import os
import signal
import socket
import subprocess
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pandas as pd
import pytest
from fastapi.testclient import TestClient
from hypothesis import given, settings
from hypothesis import strategies as st

from base.process import python
from oakbank.deploy import release as steps
from oakbank.deploy import release_files
from oakbank.deploy.arms import FEATURE_CODE, load
from oakbank.deploy.assignment import Arm, arm_of, place
from oakbank.deploy.release import Bundle, ReleaseError, State
from oakbank.deploy.release_files import read_bundle, read_state, save_bundle, save_state
from oakbank.deploy.router import SAVE_EVERY, Router
from oakbank.deploy.router_app import create_app, main
from oakbank.deploy.sequential import Counts, Rules
from oakbank.intro.protocol import MAX_BODY, PROBLEM_JSON
from oakbank.pipelines import CreditModel, feature_matrix
from oakbank.pipelines.contract import Application, score
from oakbank.pipelines.promise import hold_to_schema
from oakbank.world import FEATURES, World

STEADY = settings(max_examples=40, deadline=None, derandomize=True, database=None)
WORLD = World(0)


def fit(rounds: int) -> CreditModel:
    return CreditModel.fit(feature_matrix(WORLD.applications(-1)), WORLD.truth(-1)["would_default"], rounds=rounds)


@pytest.fixture(scope="module")
def models() -> tuple[CreditModel, CreditModel]:
    return fit(40), fit(60)


@pytest.fixture(scope="module")
def forms() -> list[Any]:
    rows = WORLD.applications(0)[["application_id", *FEATURES]].head(300)
    return [Application(**row) for row in json.loads(rows.to_json(orient="records", double_precision=15))]


def double(applications: pd.DataFrame) -> Any:
    """New feature code: it believes that the income is half."""
    return feature_matrix(applications.assign(income=applications["income"] / 2))


def broken(applications: pd.DataFrame) -> Any:
    raise ZeroDivisionError("a challenger that falls over")


def sleepy(applications: pd.DataFrame) -> Any:
    time.sleep(0.03)
    return feature_matrix(applications)


CODE = {**FEATURE_CODE, "v2": double, "broken": broken, "sleepy": sleepy}


@pytest.fixture
def folder(tmp_path: Path, models: tuple[CreditModel, CreditModel]) -> Path:
    save_bundle(tmp_path, "old", models[0], "1")
    save_bundle(tmp_path, "new", models[1], "2", features="v2", cutoff=0.5)
    save_bundle(tmp_path, "same", models[0], "1")
    save_bundle(tmp_path, "broken", models[0], "1", features="broken")
    save_bundle(tmp_path, "sleepy", models[0], "1", features="sleepy")
    Router.create(tmp_path, "old")
    return tmp_path


def begin(challenger: str, share: float = 0.5, **rules: Any) -> Callable[[State], State]:
    mode: Any = "canary" if share else "shadow"
    return lambda state: steps.start(state, challenger, mode, share, "ada", Rules(**rules), salt="s")


# Assignment


def test_the_same_applicant_gets_the_same_arm_and_a_growing_share_moves_nobody_who_is_in() -> None:
    before: dict[str, Arm] = {}
    for share in (0.01, 0.05, 0.2, 0.5):
        now = {str(who): arm_of(str(who), "salt", share) for who in range(20_000)}
        assert now == {who: arm_of(who, "salt", share) for who in now}
        assert all(now[who] == arm for who, arm in before.items() if arm != "champion")
        counts = Counter(now.values())
        for arm in ("canary", "baseline"):
            assert abs(counts[arm] - 20_000 * share) < 4 * math.sqrt(20_000 * share)
        before = now
    assert "champion" not in before.values()


def test_another_release_tries_other_people() -> None:
    first, second = ({who for who in range(10_000) if place(str(who), salt) < 0.1} for salt in "ab")
    assert abs(len(first & second) - 100) < 50


def test_the_place_does_not_depend_on_the_python_that_asks() -> None:
    """The first 12 hexadecimal digits of `printf salt:7 | sha256sum`, as a share of all that there are."""
    assert place("7", "salt") == 0x0BDC73C5926D / 16**12


# Answers


def test_the_first_bundle_answers_as_the_scoring_core_does(folder: Path, models: Any, forms: list[Any]) -> None:
    router = Router(folder, CODE)
    for form, expected in zip(forms[:100], score(models[0], "old", forms[:100]), strict=True):
        given = router.answer(form).model_dump()
        assert given.pop("cutoff") == 1
        assert given == expected.model_dump()


def test_a_canary_answers_its_share_only_and_everyone_always_alike(folder: Path, forms: list[Any]) -> None:
    router = Router(folder, CODE)
    router.change(begin("new", 0.2, false_alarm=1e-99))
    first = {form.application_id: router.answer(form) for form in forms}
    assert {form.application_id: router.answer(form) for form in reversed(forms)} == first
    for who, answer in first.items():
        arm = arm_of(str(who), "s", 0.2)
        assert (answer.model_version, answer.cutoff) == (("new", 0.5) if arm == "canary" else ("old", 1))
    expected = Counter(arm_of(str(form.application_id), "s", 0.2) for form in forms)
    assert router.trial.canary.answered == expected["canary"]  # who asks again is counted once
    assert router.trial.baseline.answered == expected["baseline"]


def test_a_form_without_an_id_stays_where_it_is_too(folder: Path, forms: list[Any]) -> None:
    router = Router(folder, CODE)
    router.change(begin("new", 0.3))
    for form in forms[:30]:
        nameless = form.model_copy(update={"application_id": None})
        assert router.answer(nameless) == router.answer(nameless)


def test_a_canary_that_falls_over_costs_no_answer_and_is_stopped(folder: Path, forms: list[Any]) -> None:
    router = Router(folder, CODE)
    router.change(begin("broken"))
    answers = [router.answer(form) for form in forms]
    assert {answer.model_version for answer in answers} == {"old"}
    state = read_state(folder)
    assert state.running is None
    assert state.release is not None
    assert state.release.stopped.startswith("failed: ")
    assert router.verdict().says == "abort"
    assert Router(folder, CODE).verdict().says == "abort"  # the evidence is kept, too


def test_a_canary_that_decides_otherwise_is_stopped(folder: Path, forms: list[Any]) -> None:
    router = Router(folder, CODE)
    router.change(begin("new"))
    for form in forms:
        router.answer(form)
    release = read_state(folder).release
    assert release is not None
    assert release.stopped.startswith("declined: ")
    assert {router.answer(form).model_version for form in forms[:50]} == {"old"}


def test_an_applicant_who_asks_again_and_again_stops_nothing(folder: Path, forms: list[Any]) -> None:
    """Each of their answers would fall on the same side of the coin."""
    router = Router(folder, CODE)
    router.change(begin("same", least=1, slow_seconds=60))
    stubborn = next(form for form in forms if arm_of(str(form.application_id), "s", 0.5) == "canary")
    calm = next(form for form in forms if arm_of(str(form.application_id), "s", 0.5) == "baseline")
    router.answer(calm)
    for _ in range(100):
        router.answer(stubborn)
    assert router.trial.canary.answered == 1
    assert read_state(folder).running is not None


def test_a_slow_canary_is_stopped(folder: Path, forms: list[Any]) -> None:
    router = Router(folder, CODE)
    router.change(begin("sleepy", slow_seconds=0.02))
    for form in forms:
        if read_state(folder).running is None:
            break
        router.answer(form)
    release = read_state(folder).release
    assert release is not None
    assert release.stopped.startswith("slow: ")


def test_a_canary_that_is_the_same_model_runs_on(folder: Path, forms: list[Any]) -> None:
    router = Router(folder, CODE)
    router.change(begin("same", slow_seconds=60))
    for form in forms:
        router.answer(form)
    assert router.verdict().says == "nothing found"
    assert read_state(folder).running is not None


def test_a_shadow_answers_nobody_and_compares(folder: Path, forms: list[Any]) -> None:
    router = Router(folder, CODE)
    router.change(begin("new", 0.0))
    apart = 0
    for form in forms[:100]:
        given = router.answer(form)
        assert given.model_version == "old"
        router.shadow(form, given)
        apart += load(folder, "new", CODE).score(form).granted != given.granted
    assert router.trial.shadow.compared == 100
    assert router.trial.shadow.differ == apart > 0
    assert router.trial.canary == Counts()


def test_a_shadow_that_falls_over_is_counted_and_seen_by_nobody(folder: Path, forms: list[Any]) -> None:
    router = Router(folder, CODE)
    router.change(begin("broken", 0.0))
    for form in forms[:40]:
        router.shadow(form, router.answer(form))
    assert router.trial.shadow.failed == 40
    assert "40 failed" in router.verdict().reason


# Steps


def test_promotion_asks_for_a_person_and_for_data(folder: Path, forms: list[Any]) -> None:
    router = Router(folder, CODE)
    with pytest.raises(ReleaseError, match="no release was started"):
        router.promote("ada")
    router.change(begin("same", slow_seconds=60))
    with pytest.raises(ReleaseError, match="seen enough"):
        router.promote("ada")
    for form in forms:
        router.answer(form)
    with pytest.raises(ReleaseError, match="name of the person"):
        router.promote(" ")
    assert router.promote("ada") == State("same", previous="old")
    assert router.answer(forms[0]).model_version == "same"


def test_rollback_takes_model_cutoff_and_feature_code_and_is_fast(folder: Path, forms: list[Any]) -> None:
    router = Router(folder, CODE)
    before = [router.answer(form) for form in forms[:50]]
    router.change(lambda state: steps.switch(state, "new", "ada"))
    assert all(answer.cutoff == 0.5 for answer in map(router.answer, forms[:50]))
    begin_at = time.perf_counter()
    router.change(lambda state: steps.rollback(state, "ada"))
    assert [router.answer(form) for form in forms[:50]] == before
    assert time.perf_counter() - begin_at < 60


@pytest.mark.parametrize(
    ("step", "match"),
    [
        (lambda s: steps.start(s, "old", "canary", 0.1, "ada"), "champion already"),
        (lambda s: steps.start(s, "new", "canary", 0.1, ""), "name of the person"),
        (lambda s: steps.start(s, "absent", "canary", 0.1, "ada"), "is not there"),
        (lambda s: steps.grow(s, 0.2, "ada"), "no release is under way"),
        (lambda s: steps.abort(s, "x"), "no release is under way"),
        (lambda s: steps.promote(s, "ada"), "no release is under way"),
        (lambda s: steps.switch(s, "old", "ada"), "champion already"),
        (lambda s: steps.rollback(s, "ada"), "no champion before"),
        (lambda s: steps.start(steps.start(s, "new", "canary", 0.1, "a"), "same", "canary", 0.1, "a"), "on trial"),
        (lambda s: steps.grow(steps.start(s, "new", "canary", 0.1, "a"), 0.05, "a"), "only a canary grows"),
        (lambda s: steps.grow(steps.start(s, "new", "shadow", 0, "a"), 0.05, "a"), "only a canary grows"),
    ],
)
def test_a_step_that_is_not_allowed_changes_nothing(folder: Path, step: Any, match: str) -> None:
    router = Router(folder, CODE)
    before = (folder / "state.json").read_bytes()
    with pytest.raises(ReleaseError, match=match):
        router.change(step)
    assert (folder / "state.json").read_bytes() == before


@pytest.mark.parametrize(("mode", "share"), [("canary", 0), ("canary", 0.51), ("canary", math.nan), ("shadow", 0.1)])
def test_a_share_that_makes_no_sense_is_refused(mode: Any, share: float) -> None:
    with pytest.raises(ValueError, match="a canary has a share"):
        steps.start(State("old"), "new", mode, share, "ada")


@pytest.mark.parametrize(
    "change", [{"name": "../x"}, {"name": ""}, {"cutoff": 0}, {"cutoff": math.nan}, {"version": ""}]
)
def test_a_bundle_that_makes_no_sense_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"bundle needs|cutoff must"):
        Bundle(**{"name": "a", "version": "1", "digest": "d"} | change)


def test_a_bundle_is_never_changed(folder: Path, models: Any) -> None:
    save_bundle(folder, "old", models[0], "1")
    with pytest.raises(ReleaseError, match="another bundle"):
        save_bundle(folder, "old", models[0], "1", cutoff=0.9)
    assert read_bundle(folder, "old").cutoff == 1


def test_feature_code_that_is_not_there_yet_is_refused_and_the_champion_stays(folder: Path, forms: list[Any]) -> None:
    router = Router(folder)  # knows v1 only
    with pytest.raises(ReleaseError, match="feature code v2"):
        router.change(begin("new", 0.1))
    save_state(folder, begin("new", 0.5)(State("old")))  # another process had it
    fresh = Router(folder)
    assert {fresh.answer(form).model_version for form in forms[:50]} == {"old"}
    assert "feature code v2" in fresh.problem
    assert fresh.verdict().says == "no data"


# What is taken away


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        "null",
        '{"format": 1}',
        '{"format": 2}',
        '{"format": 1, "champion": 7, "previous": null, "release": 3}',
    ],
)
def test_a_broken_or_old_state_is_told_and_the_last_champion_answers(folder: Path, forms: list[Any], text: str) -> None:
    router = Router(folder, CODE)
    (folder / "state.json").write_text(text)
    with pytest.raises(ReleaseError, match=r"state\.json (is broken|has format)"):
        read_state(folder)
    router.refresh()
    assert "state.json" in router.problem
    assert router.answer(forms[0]).model_version == "old"
    client = TestClient(create_app(folder, features=CODE))
    answer = client.post("/score", json=forms[0].model_dump())
    assert answer.status_code == 503
    assert "state.json" in answer.json()["detail"]


JSON = st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists, max_leaves=8)


@STEADY
@given(
    st.fixed_dictionaries({"champion": JSON, "previous": JSON, "release": JSON | st.dictionaries(st.text(), JSON)})
    | st.dictionaries(st.text(), JSON)
)
def test_any_state_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, value: dict[str, Any]) -> None:
    path = tmp_path_factory.getbasetemp() / "any-state"
    path.mkdir(exist_ok=True)
    (path / "state.json").write_text(json.dumps({"format": release_files.FORMAT, **value}))
    with contextlib.suppress(ReleaseError):
        assert isinstance(read_state(path), State)


def test_all_files_may_go_and_the_last_champion_answers(folder: Path, forms: list[Any]) -> None:
    router = Router(folder, CODE)
    router.change(begin("same", slow_seconds=60))
    aside = folder.with_name(folder.name + "-aside")
    folder.rename(aside)
    router.refresh()
    assert "is not there" in router.problem
    for form in forms:
        assert router.answer(form).model_version in ("old", "same")
    assert router.trial.canary.answered + router.trial.baseline.answered == len(forms)


def test_a_stop_that_the_disk_does_not_take_stops_all_the_same(
    folder: Path, forms: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    router = Router(folder, CODE)
    router.change(begin("broken"))

    def full(*_: Any) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("oakbank.deploy.router.save_state", full)
        patch.setattr("oakbank.deploy.router.write_json", full)
        for form in forms:
            assert router.answer(form).model_version == "old"
        counted = router.trial.canary.answered
        assert counted < 100
        assert "make room" in router.problem
        router.refresh()
        assert "No space left" in router.problem
    assert read_state(folder).running is not None
    router.refresh()
    assert read_state(folder).running is None
    assert router.problem == ""


def test_a_damaged_model_is_not_served(folder: Path) -> None:
    path = folder / "bundles" / "new" / "model.lgb"
    path.write_bytes(path.read_bytes().replace(b"leaf_value=0", b"leaf_value=1", 1))
    with pytest.raises(ReleaseError, match="cannot be loaded"):
        Router(folder, CODE).change(lambda state: steps.switch(state, "new", "ada"))


def test_counts_are_kept_over_a_restart_and_belong_to_one_release(folder: Path, forms: list[Any]) -> None:
    router = Router(folder, CODE)
    router.change(begin("same", slow_seconds=60))
    for form in forms:
        router.answer(form)
    total = router.trial.canary.answered + router.trial.baseline.answered
    kept = Router(folder, CODE).trial
    assert total - SAVE_EVERY < kept.canary.answered + kept.baseline.answered <= total
    router.change(lambda state: steps.abort(state, "enough"))
    router.change(lambda state: steps.start(state, "same", "canary", 0.5, "ada", salt="other"))
    assert router.trial.canary == Counts()


def write_for_ever(folder: Path, ready: Any) -> None:
    ready.set()
    while True:
        save_state(folder, steps.start(State("old", "same"), "new", "canary", 0.3, "ada"))
        save_state(folder, State("old"))


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is POSIX")
def test_a_kill_at_any_moment_leaves_a_whole_state(folder: Path) -> None:
    pause, fork = np.random.default_rng(0), multiprocessing.get_context("fork")
    for _ in range(12):
        ready = fork.Event()
        writer = fork.Process(target=write_for_ever, args=(folder, ready))
        writer.start()
        assert ready.wait(30)
        time.sleep(float(pause.uniform(0, 0.03)))
        writer.kill()
        writer.join()
        assert read_state(folder).champion == "old"


def test_threads_lose_no_count(folder: Path, forms: list[Any]) -> None:
    router = Router(folder, CODE)
    router.change(begin("same", slow_seconds=60))
    parts = [forms[first::4] for first in range(4)]
    threads = [threading.Thread(target=lambda part=part: [router.answer(form) for form in part]) for part in parts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert router.trial.canary.answered + router.trial.baseline.answered == len(forms)


# HTTP


@pytest.fixture
def client(folder: Path) -> TestClient:
    return TestClient(create_app(folder, features=CODE), raise_server_exceptions=True)


def test_each_answer_names_the_bundle_that_gave_it(client: TestClient, forms: list[Any]) -> None:
    client.app.state.service.change(begin("new", 0.3, false_alarm=1e-99))  # type: ignore[attr-defined]
    seen = set()
    for form in forms[:60]:
        answer = client.post("/score", json=form.model_dump())
        assert answer.headers.get_list("x-model-version") == [answer.json()["model_version"]]
        seen.add(answer.json()["model_version"])
    assert seen == {"old", "new"}
    report = client.get("/release").json()
    assert (report["champion"], report["challenger"], report["mode"]) == ("old", "new", "canary")
    assert report["trial"]["canary"]["answered"] > 0


def test_the_shadow_hears_of_it_after_the_answer(client: TestClient, forms: list[Any]) -> None:
    client.app.state.service.change(begin("new", 0.0))  # type: ignore[attr-defined]
    for form in forms[:20]:
        assert client.post("/score", json=form.model_dump()).json()["model_version"] == "old"
    assert client.app.state.service.trial.shadow.compared == 20  # type: ignore[attr-defined]


def test_the_service_keeps_the_promise_of_its_schema(folder: Path) -> None:
    app = create_app(folder, features=CODE)
    app.state.service.change(begin("broken", 0.5, false_alarm=1e-99))
    answers = hold_to_schema(app, examples=8)
    assert answers["POST /score", 200] > 0
    assert answers["POST /score", 422] > 0
    assert not [status for _, status in answers if status >= 500]


@STEADY
@given(st.binary(max_size=300))
def test_bytes_that_are_no_application_are_refused(tmp_path_factory: pytest.TempPathFactory, body: bytes) -> None:
    client = CLIENTS.setdefault("any", TestClient(create_app(tmp_path_factory.getbasetemp() / "nowhere")))
    answer = client.post("/score", content=body, headers={"content-type": "application/json"})
    assert answer.status_code in (400, 422, 503)
    assert answer.headers["content-type"] == PROBLEM_JSON


CLIENTS: dict[str, TestClient] = {}


def test_a_body_that_is_too_large_is_refused(client: TestClient) -> None:
    assert client.post("/score", content=b" " * (MAX_BODY + 1)).status_code == 413


def test_without_a_champion_it_is_alive_and_says_what_to_do(tmp_path: Path, forms: list[Any]) -> None:
    client = TestClient(create_app(tmp_path / "none"))
    assert client.get("/healthz").status_code == 200
    answer = client.post("/score", json=forms[0].model_dump())
    assert answer.status_code == 503
    assert "Router.create" in answer.json()["detail"]
    assert client.get("/release").json()["verdict"] == "no data"


def test_a_person_releases_from_another_process(
    folder: Path, client: TestClient, forms: list[Any], capsys: Any
) -> None:
    service = client.app.state.service  # type: ignore[attr-defined]
    main(["switch", str(folder), "--bundle", "same", "--by", "ada"])
    service.refresh()
    assert client.post("/score", json=forms[0].model_dump()).json()["model_version"] == "same"
    main(["rollback", str(folder), "--by", "ada"])
    service.refresh()
    assert client.post("/score", json=forms[0].model_dump()).json()["model_version"] == "old"
    main(["start", str(folder), "--bundle", "same", "--share", "0.1", "--by", "ada"])
    main(["grow", str(folder), "--share", "0.2", "--by", "ada"])
    main(["stop", str(folder), "--by", "ada"])
    main(["status", str(folder)])
    assert "ada stopped it" in capsys.readouterr().out.splitlines()[-1]
    with pytest.raises(SystemExit) as stop:
        main(["promote", str(folder), "--by", "ada"])
    assert stop.value.code == 1
    assert "the canary has answered nothing" in capsys.readouterr().err


def test_the_command_serves_and_follows_the_state_within_a_minute(folder: Path, forms: list[Any]) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command = [*python(), "-m", "oakbank.deploy.router_app", "serve", str(folder), "--port", str(port)]
    service = subprocess.Popen([*command, "--refresh-seconds", "0.2"], stderr=subprocess.DEVNULL)

    def version() -> str | None:
        try:
            answer = httpx.post(f"http://127.0.0.1:{port}/score", json=forms[0].model_dump())
        except httpx.TransportError:
            return None
        return str(answer.json()["model_version"])

    def wait_for(name: str) -> float:
        begin_at = time.monotonic()
        while version() != name:
            assert time.monotonic() - begin_at < 60
            time.sleep(0.05)
        return time.monotonic() - begin_at

    try:
        wait_for("old")
        router = Router(folder)
        router.change(lambda state: steps.switch(state, "same", "ada"))
        wait_for("same")
        router.change(lambda state: steps.rollback(state, "ada"))
        assert wait_for("old") < 60
    finally:
        service.send_signal(signal.SIGTERM)
        service.wait(timeout=20)
