"""Broken rows, a full disk and a disk that stutters: a clear error or a result, never a lost row or half a file."""

import errno
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from oakbank.pipelines import ModelError, TrainingConfig, bad_rows, run_training
from oakbank.pipelines.artifacts import Steps, is_transient
from oakbank.pipelines.steps import features, ingest, validate
from oakbank.pipelines.training import lake_inputs, training_dag
from oakbank.pipelines.validation import numbers
from oakbank.world import COLUMNS, Lake, LakeError, World
from oakbank.world.files import write_text
from oakbank.world.lake import read_parquet, write_parquet

OLD, NEW = TrainingConfig(window=4, rounds=3), TrainingConfig(window=5, rounds=3)


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


# ---- retries ----


def flaky(faults: list[Exception]) -> Callable[..., None]:
    def function(result: Path) -> None:
        assert list(result.parent.iterdir()) == []  # each attempt starts in an empty folder
        write_text(result, "half")
        if faults:
            raise faults.pop(0)
        write_text(result, "whole")

    return function


def attempt(folder: Path, function: Callable[..., None], retries: int) -> list[float]:
    waits: list[float] = []
    steps = Steps(folder, sleep=waits.append)
    try:
        steps.run("s", function, inputs={}, outputs={"result": "r.txt"}, params={}, retries=retries)
    finally:
        assert steps.ran == (["s"] if (folder / "s" / "r.txt").exists() else [])
    return waits


def test_a_fault_that_passes_is_waited_for_ever_longer(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    faults = [OSError(errno.EIO, "Input/output error"), ConnectionResetError(), TimeoutError("no answer")]
    with caplog.at_level(logging.WARNING):
        assert attempt(tmp_path, flaky(list(faults)), retries=3) == [0.5, 1.0, 2.0]
    assert (tmp_path / "s" / "r.txt").read_text() == "whole"
    assert [record.getMessage() for record in caplog.records] == [
        "step s: [Errno 5] Input/output error; retry 1 of 3 in 0.5 s",
        "step s: ; retry 2 of 3 in 1 s",
        "step s: no answer; retry 3 of 3 in 2 s",
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["s"]


def test_retries_have_an_end(tmp_path: Path) -> None:
    faults: list[Exception] = [OSError(errno.EIO, f"fault {n}") for n in range(9)]
    with pytest.raises(OSError, match="fault 2"):
        attempt(tmp_path, flaky(faults), retries=2)
    assert len(faults) == 6
    with pytest.raises(OSError, match="fault 3"):
        attempt(tmp_path, flaky(faults), retries=0)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ValueError, match="retries must be 0 or more, not -1"):
        attempt(tmp_path, flaky([]), retries=-1)


@pytest.mark.parametrize(
    "fault",
    [
        LakeError("m"), ValueError("m"), ModelError("m"), FileNotFoundError("m"), PermissionError("m"),
        OSError(errno.ENOSPC, "m"), OSError(errno.EFBIG, "m"), KeyError("m"), MemoryError("m"),
    ],
)  # fmt: skip
def test_what_says_the_same_the_second_time_is_not_tried_again(tmp_path: Path, fault: Exception) -> None:
    assert not is_transient(fault)
    steps = Steps(tmp_path, sleep=lambda seconds: pytest.fail(f"waited {seconds} s"))
    with pytest.raises(type(fault), match="m"):
        steps.run("s", flaky([fault]), inputs={}, outputs={"result": "r.txt"}, params={}, retries=5)
    assert list(tmp_path.iterdir()) == []


# ---- the disk ----


def test_a_folder_that_cannot_take_its_place_leaves_the_old_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    attempt(tmp_path, flaky([]), retries=0)
    before, real = files(tmp_path), Path.rename

    def rename(path: Path, target: Path) -> Path:
        if path.name.endswith(".tmp") and target.name == "s" and "half" in (path / "r.txt").read_text():
            raise OSError(errno.EIO, "Input/output error")
        return real(path, target)

    def half(result: Path, other: int) -> None:
        write_text(result, "half")

    monkeypatch.setattr(Path, "rename", rename)
    steps = Steps(tmp_path)
    with pytest.raises(OSError, match="Input/output error"):
        steps.run("s", half, inputs={}, outputs={"result": "r.txt"}, params={"other": 1})
    assert files(tmp_path) == before
    assert [path.name for path in tmp_path.iterdir()] == ["s"]


def test_a_disk_that_is_full_at_any_write_leaves_what_was_there(
    history: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    old, new = run_training(OLD, history, tmp_path / "old"), run_training(NEW, history, tmp_path / "new")
    before, after = files(old.folder), files(new.folder)
    real, left, run = os.fsync, 0, tmp_path / "old"

    def fsync(stream: int) -> None:
        nonlocal left
        left -= 1
        if left < 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        real(stream)

    monkeypatch.setattr(os, "fsync", fsync)
    full, step, writes = 0, "", 0
    while True:  # the disk is full at each write of a step in turn, then at those of the next step
        left = writes
        try:
            run_training(NEW, history, run)
            break
        except OSError as error:
            note = error.__notes__[0]
        full += 1
        writes = writes + 1 if f"step {step} " in note else 1
        step = note.split()[1]
        assert note.endswith("did not end; what was there before is still there")
        found = files(run)
        assert found.keys() == before.keys()
        for name in {path.partition("/")[0] for path in found}:  # each step is the old one or the new one, whole
            mine = {path: content for path, content in found.items() if path.startswith(f"{name}/")}
            assert mine.items() <= before.items() or mine.items() <= after.items()
    assert full == len(after)
    assert files(run) == after


def test_a_disk_that_stutters_at_every_step_costs_a_retry_each(
    history: Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    calm = run_training(NEW, history, tmp_path / "calm")
    real, waits, met = os.fsync, list[float](), 0

    def fsync(stream: int) -> None:
        nonlocal met
        met += 1
        if met % 5 == 2:
            raise OSError(errno.EIO, "Input/output error")
        real(stream)

    monkeypatch.setattr(os, "fsync", fsync)
    steps = Steps(tmp_path / "stutters", sleep=waits.append)
    training_dag(NEW, history, retries=3).run(steps)
    monkeypatch.undo()
    assert tuple(steps.ran) == calm.ran
    assert files(tmp_path / "stutters") == files(calm.folder)
    assert len(waits) == len(caplog.records) >= 3


# ---- broken rows ----

BAD = [np.nan, np.inf, -np.inf, -1.0, 0.0, 1e308, -1e308, 5e-324, 1e18]
WRONG = ["", "abc", "12,5", "nan", "inf", "1e999", "2024-13-45", "\x00", "None"]


def refused(step: Callable[..., None], *paths: Path, **named: Any) -> str:
    """Return the error with which a step refuses its input, or "" if it does not."""
    try:
        step(*paths, **named)
    except LakeError as error:
        return str(error)
    return ""


@st.composite
def broken(draw: st.DrawFn, rows: pd.DataFrame) -> pd.DataFrame:
    """Rows as a broken feed could deliver them: values, types, categories, rows and columns that are not right."""
    frame = rows.head(draw(st.integers(1, len(rows)))).reset_index(drop=True)
    for name in draw(st.sets(st.sampled_from([column.name for column in COLUMNS]), max_size=4)):
        where = draw(st.lists(st.integers(0, len(frame) - 1), max_size=len(frame)))
        how = draw(st.sampled_from(["number", "text", "missing", "dates", "bool"]))
        if how == "number" and pd.api.types.is_numeric_dtype(frame[name]):
            values = frame[name].astype(np.float64)
            values.iloc[where] = [draw(st.sampled_from(BAD)) for _ in where]
        elif how == "dates":
            values = pd.Series(pd.Timestamp("1677-09-22"), index=frame.index)
        elif how == "bool":
            values = pd.Series(draw(st.booleans()), index=frame.index)
        else:
            values = frame[name].astype(object).map(str)
            values.iloc[where] = [None if how == "missing" else draw(st.sampled_from(WRONG)) for _ in where]
        frame[name] = values
    repeated = draw(st.lists(st.integers(0, len(frame) - 1), max_size=5))
    return pd.concat([frame, frame.iloc[repeated]], ignore_index=True)


quick = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def forty(small_world: World) -> pd.DataFrame:
    month = small_world.applications(-6).head(40)
    return month.assign(defaulted=np.arange(len(month)) % 4 == 0)


@quick
@given(data=st.data())
def test_validation_loses_no_row_whatever_the_rows_hold(
    data: st.DataObject, forty: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    rows = data.draw(broken(forty))
    write_parquet(rows.assign(_row=range(len(rows))), folder / "labelled.parquet")
    out = folder / "out"
    paths = [out / "accepted.parquet", out / "quarantined.parquet", out / "report.json"]
    if message := refused(validate, folder / "labelled.parquet", *paths):
        assert "rows keeps the contract; why, and how often" in message
        assert not out.exists() or not list(out.iterdir())
        return
    accepted, quarantined = read_parquet(paths[0]), read_parquet(paths[1])
    assert sorted([*accepted["_row"], *quarantined["_row"]]) == list(range(len(rows)))
    assert (bad_rows(accepted) == "").all()
    assert (quarantined["reason"] != "").all()
    assert np.isfinite(accepted["income"].astype(float)).all()
    features(paths[0], out / "matrix.parquet")
    matrix = read_parquet(out / "matrix.parquet")
    assert len(matrix) == len(accepted)
    assert np.isfinite(matrix.drop(columns=[name for name in matrix if name[0] == "_"]).to_numpy()).all()


@quick
@given(data=st.data())
def test_a_broken_month_costs_no_labelled_row_or_says_which_file(
    data: st.DataObject, history: Lake, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("month")
    inputs: dict[str, Any] = lake_inputs(history, TrainingConfig(window=2), 3)
    whole = read_parquet(inputs["applications"][0])
    frame = data.draw(broken(whole.head(60)))
    if data.draw(st.booleans()):
        frame = frame.drop(columns=data.draw(st.sampled_from([column.name for column in COLUMNS])))
    write_parquet(frame, folder / "broken.parquet")
    out = folder / "out"
    inputs["applications"] = [folder / "broken.parquet", inputs["applications"][1]]
    if message := refused(ingest, **inputs, labelled=out / "labelled.parquet", feed=out / "feed.json", as_of=0):
        assert "broken.parquet" in message or "no outcome is known" in message
        assert not out.exists() or not list(out.iterdir())
        return
    known = set(history.read("outcomes", [-2, -1])["application_id"])
    delivered = [frame, history.read("applications", [-4])]
    ids = [value for month in delivered for value in numbers(month["application_id"]) if value in known]
    assert sorted(read_parquet(out / "labelled.parquet")["application_id"]) == sorted(ids)


def test_a_feed_in_ruins_leaves_the_last_good_run_as_it_was(lake: Lake, tmp_path: Path) -> None:
    run_training(OLD, lake, tmp_path / "run")
    before = files(tmp_path / "run")
    whole = lake.read("applications", [-4])
    for ruined, message in (
        (whole.assign(application_id="x"), "no outcome|application_id"),
        (whole.drop(columns="employment"), "cannot repair employment"),
    ):
        lake.write("applications", -4, ruined)
        with pytest.raises((LakeError, ValueError), match=message):
            run_training(TrainingConfig(window=1, rounds=3), lake, tmp_path / "run")
        assert files(tmp_path / "run") == before
    lake.write("applications", -4, whole)
    assert run_training(OLD, lake, tmp_path / "run").ran == ()
