"""The batch job decides as the service does, survives broken feeds and kills, and never rewrites history."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from fastapi.testclient import TestClient

from oakbank.deploy import batch
from oakbank.deploy.batch import NO_ID, REVIEW, BatchError, decide, score_month
from oakbank.deploy.service import create_app
from oakbank.pipelines import FeedReference, PipelineBusyError, Registry, folder_lock
from oakbank.world import (
    DECISIONS,
    FEATURES,
    Lake,
    LakeError,
    World,
    load_scenario,
    publish_history,
    publish_month,
    publish_outcomes,
)


@pytest.fixture
def lake(bank: Any, tmp_path: Path) -> Lake:
    lake = Lake(tmp_path / "lake")
    for month in (-1, 0, 1):
        publish_month(bank.world, lake, month)
    return lake


def test_batch_equals_service_equals_model(bank: Any, lake: Lake, registry: Registry) -> None:
    registry.set_alias("champion", str(registry.register(bank.run).version))
    client = TestClient(create_app(registry))
    month = lake.read("applications", [0])
    decisions = score_month(registry.load("champion"), "1", lake, 0, bank.reference).decisions
    rows = json.loads(month[["application_id", *FEATURES]][:500].to_json(orient="records", double_precision=15))
    online = client.post("/score/batch", json=rows).json()["scores"]
    assert [s["default_probability"] for s in online] == decisions["default_probability"][:500].tolist()
    assert [s["granted"] for s in online] == decisions["granted"][:500].tolist()
    assert [s["application_id"] for s in online] == decisions["application_id"][:500].tolist()
    assert np.array_equal(decisions["default_probability"], bank.model.predict(month))
    assert 0.2 < decisions["granted"].mean() < 0.9


def test_the_lake_gets_the_contract_and_outcomes_can_follow(bank: Any, tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    publish_history(bank.world, lake)
    publish_month(bank.world, lake, 0)
    scored = score_month(bank.model, "1", lake, 0, bank.reference)
    assert scored.written
    assert scored.problems == []
    saved = lake.read("decisions", [0])
    assert saved.equals(scored.decisions)
    assert [(name, str(kind)) for name, kind in saved.dtypes.items()] == [(c.name, c.dtype) for c in DECISIONS]
    assert len(lake.read("decisions", [-1, 0])) == 4000
    publish_outcomes(bank.world, lake, 3)
    assert len(lake.read("outcomes", [3])) == saved["granted"].sum()


def test_again_changes_nothing_and_another_version_is_refused(bank: Any, lake: Lake) -> None:
    first = score_month(bank.model, "1", lake, 0, bank.reference)
    before = first.path.read_bytes()
    modified = first.path.stat().st_mtime_ns
    again = score_month(bank.model, "1", lake, 0, bank.reference)
    assert not again.written
    assert again.decisions.equals(first.decisions)
    with pytest.raises(BatchError, match="decided by version 1, not by version 2"):
        score_month(bank.model, "2", lake, 0, bank.reference)
    richer = bank.world.applications(0)
    richer["income"] *= 1.5
    lake.write("applications", 0, richer)
    with pytest.raises(BatchError, match="feed or the reference has changed"):
        score_month(bank.model, "1", lake, 0, bank.reference)
    assert (first.path.read_bytes(), first.path.stat().st_mtime_ns) == (before, modified)


@pytest.mark.parametrize(
    ("scenario", "column", "kind"),
    [
        ("broken-feed-unit", "income", "unit"),
        ("broken-feed-missing", "bureau_score", "missing_column"),
        ("broken-feed-stale", "bureau_score", "stale"),
    ],
)
def test_a_broken_feed_is_seen_in_its_months_and_repaired(bank: Any, scenario: str, column: str, kind: str) -> None:
    world = World(1, scenario)
    (event,) = load_scenario(scenario).events
    assert event.until is not None
    for month in range(event.onset - 1, event.until + 1):
        applications = world.applications(month)
        decisions, problems = decide(
            bank.model, "1", applications, month, bank.reference, world.applications(month - 1)
        )
        broken = event.onset <= month < event.until
        assert [(problem.column, problem.kind) for problem in problems] == ([(column, kind)] if broken else [])
        if not broken:
            continue
        assert (decisions["reason"] == "").all()
        repaired = applications.assign(**{column: bank.reference.medians[column]})
        assert np.array_equal(decisions["default_probability"], bank.model.predict(repaired))
        assert 0.2 < decisions["granted"].mean() < 0.9  # yearly income as monthly would grant nearly everybody


def test_a_planted_column_is_reported_and_ignored(bank: Any) -> None:
    feed = World(1, "planted-leak").applications(0)
    decisions, problems = decide(bank.model, "1", feed, 0, bank.reference)
    assert [(problem.column, problem.kind) for problem in problems] == [("collection_calls", "unknown_column")]
    assert np.array_equal(decisions["default_probability"], bank.model.predict(World(1, "calm").applications(0)))


def test_a_row_that_breaks_the_contract_goes_to_a_person(bank: Any) -> None:
    feed = bank.world.applications(0)
    whole, _ = decide(bank.model, "1", feed, 0, bank.reference)
    safest = whole["default_probability"].nsmallest(4).index.to_numpy()
    assert whole["granted"][safest].all()
    broken = feed.copy()
    broken.loc[safest[0], "income"] = 31_000.0
    broken.loc[safest[1], "debts"] = np.nan
    broken.loc[safest[2], "age"] = 12
    broken.loc[safest[3], "application_id"] = broken["application_id"].iloc[(safest[3] + 1) % 2 if safest[3] > 1 else 5]
    decisions, _ = decide(bank.model, "1", broken, 0, bank.reference)
    rows = decisions[decisions["reason"] != ""]
    assert len(rows) == 4
    assert rows["reason"].str.startswith(REVIEW).all()
    assert not rows["granted"].any()
    assert rows["default_probability"].isna().all()
    assert "income is above 30000 EUR per month" in decisions.loc[safest[0], "reason"]
    others = decisions.index.difference(rows.index)
    assert decisions.loc[others, "default_probability"].equals(whole.loc[others, "default_probability"])


def test_rows_of_another_month_or_without_an_id_go_to_a_person(bank: Any) -> None:
    feed = bank.world.applications(0)
    feed.loc[3, "month"] = 5
    feed["application_id"] = feed["application_id"].astype("float64")
    feed.loc[4, "application_id"] = np.nan
    decisions, _ = decide(bank.model, "1", feed, 0, bank.reference)
    assert np.flatnonzero(decisions["reason"] != "").tolist() == [3, 4]
    assert not decisions["granted"][[3, 4]].any()
    assert decisions["application_id"].dtype == np.int64
    assert decisions["application_id"][[4, 5]].tolist() == [NO_ID, feed["application_id"][5]]


def test_a_month_of_bad_rows_only_grants_nothing(bank: Any) -> None:
    decisions, _ = decide(bank.model, "1", bank.world.applications(0).assign(age=90), 0, bank.reference)
    assert not decisions["granted"].any()
    assert decisions["reason"].str.contains("age is above 80").all()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda feed: feed[:0], "without applications"),
        (lambda feed: feed.drop(columns="channel"), "cannot repair channel"),
        (lambda feed: feed.drop(columns="application_id"), "cannot repair application_id"),
        (lambda feed: feed.assign(month=-1), "of another month"),
    ],
)
def test_a_feed_beyond_repair_writes_nothing(bank: Any, lake: Lake, change: Any, message: str) -> None:
    lake.write("applications", 1, change(lake.read("applications", [1])))
    with pytest.raises(BatchError, match=message):
        score_month(bank.model, "1", lake, 1, bank.reference)
    assert lake.months("decisions") == []
    with pytest.raises(LakeError, match="publish that month first"):
        score_month(bank.model, "1", lake, 2, bank.reference)


def test_the_reference_survives_a_broken_month_and_needs_history(bank: Any, tmp_path: Path) -> None:
    lake = Lake(tmp_path)
    with pytest.raises(LakeError, match="publish history first"):
        FeedReference.from_lake(lake)
    for month in (-3, -2, -1):
        publish_month(bank.world, lake, month)
    feed = lake.read("applications", [-2])
    lake.write("applications", -2, feed.assign(income=feed["income"] * 12))
    assert FeedReference.from_lake(lake).medians["income"] == pytest.approx(bank.reference.medians["income"], rel=0.1)


def test_two_jobs_do_not_write_at_once(bank: Any, lake: Lake) -> None:
    held = folder_lock(lake.folder / "decisions")
    with held, pytest.raises(PipelineBusyError, match="another run"):
        score_month(bank.model, "1", lake, 0, bank.reference)


def test_killed_and_restarted_it_ends_with_the_same_bytes(bank: Any, tmp_path: Path) -> None:
    months = list(range(12))
    lakes = {name: Lake(tmp_path / name) for name in ("killed", "whole")}
    for lake in lakes.values():
        for month in months:
            publish_month(bank.world, lake, month)
    for month in months:
        score_month(bank.model, "1", lakes["whole"], month, bank.reference)
    job = (
        "import sys\n"
        "from oakbank.deploy.batch import score_month\n"
        "from oakbank.pipelines import CreditModel, FeedReference\n"
        "from oakbank.world import Lake\n"
        f"reference = FeedReference({bank.reference.medians!r})\n"
        "model = CreditModel.load(sys.argv[1])\n"
        f"for month in {months}:\n"
        "    score_month(model, '1', Lake(sys.argv[2]), month, reference)\n"
    )
    command = [sys.executable, "-c", job, str(bank.run.model_path), str(lakes["killed"].folder)]
    process = subprocess.Popen(command, env=os.environ)
    until = time.monotonic() + 60
    while not lakes["killed"].path("decisions", 2).exists():
        assert process.poll() is None
        assert time.monotonic() < until
        time.sleep(0.001)
    process.kill()  # SIGKILL: it has no chance to tidy up
    process.wait()
    done = lakes["killed"].months("decisions")
    assert 3 <= len(done) < len(months), "the kill came too late to prove anything"
    lakes["killed"].read("decisions", done)  # whole files, each of them
    subprocess.run(command, check=True, env=os.environ)
    for month in months:
        killed, whole = (lakes[name].path("decisions", month).read_bytes() for name in ("killed", "whole"))
        assert killed == whole


def test_the_command_decides_with_the_champion(bank: Any, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    lake = Lake(tmp_path / "lake")
    world = World(1, "broken-feed-unit")
    publish_month(world, lake, -1)
    publish_month(world, lake, 7)
    arguments = ["--lake", str(lake.folder), "--month", "7", "--registry"]
    with pytest.raises(SystemExit, match="run the training pipeline first"):
        batch.main([*arguments, str(tmp_path / "nothing")])
    registry = Registry(tmp_path / "registry")
    with pytest.raises(SystemExit, match="train and promote one first"):
        batch.main([*arguments, str(registry.folder)])
    registry.set_alias("champion", str(registry.register(bank.run).version))
    batch.main([*arguments, str(registry.folder)])
    told = capsys.readouterr().out
    assert "month 7: income: unit: the median is" in told
    assert "month 7: 2000 decided" in told
    assert lake.read("decisions", [7])["model_version"].unique().tolist() == ["1"]
    batch.main([*arguments, str(registry.folder)])
    assert "(decided before)" in capsys.readouterr().out
