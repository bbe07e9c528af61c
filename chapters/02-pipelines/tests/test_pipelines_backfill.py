"""Many months: each as if it had run then, a failure costs its own month, and a correction what it reaches."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from oakbank.pipelines import Registry, TrainingConfig, run_training
from oakbank.pipelines.backfill import BackfillError, MonthRun, backfill, main, month_folder
from oakbank.world import Lake, LakeError, World, publish_month, publish_outcomes

QUICK = TrainingConfig(window=3, holdout=1, rounds=3)
MONTHS = range(-3, 1)


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


def ran(months: list[MonthRun]) -> dict[int, tuple[str, ...]]:
    return {month.month: month.run.ran for month in months if month.run is not None}


def test_each_month_is_the_run_that_it_would_have_been(small_world: World, lake: Lake, tmp_path: Path) -> None:
    done = backfill([0, -2, -2], lake, tmp_path / "runs", QUICK)
    assert [month.month for month in done] == [-2, 0]
    for month in done:
        assert month.run is not None
        alone = run_training(TrainingConfig(month.month, 3, 1, rounds=3), lake, tmp_path / f"alone{month.month}")
        assert files(month_folder(tmp_path / "runs", month.month)) == files(alone.folder)
        assert str(month) == f"month {month.month:+d}: ran {', '.join(alone.ran)}"
    # What comes in later is not of these months, and they are found done.
    publish_month(small_world, lake, 0)
    publish_outcomes(small_world, lake, 0)
    again = backfill([-2, 0], lake, tmp_path / "runs", QUICK)
    assert [str(month) for month in again] == ["month -2: was done", "month +0: was done"]


def test_a_month_that_fails_stops_no_other_and_is_told_with_its_reason(lake: Lake, tmp_path: Path) -> None:
    spoiled = lake.path("outcomes", -4)
    whole = spoiled.read_bytes()
    spoiled.write_bytes(whole[:-50])
    told: list[MonthRun] = []
    with pytest.raises(
        BackfillError, match=r"4 of 5 months failed; mend what they name and run the same again"
    ) as error:
        backfill([-12, *MONTHS], lake, tmp_path, QUICK, tell=told.append)
    text = str(error.value)
    assert "month -12: failed, LakeError" in text
    assert "no outcomes known before month -12: publish history first" in text
    assert text.count("month=-004.parquet cannot be read") == 3
    assert error.value.months == told
    assert isinstance(error.value.__cause__, ExceptionGroup)
    assert [type(each) for each in error.value.__cause__.exceptions] == [LakeError] * 4
    spoiled.write_bytes(whole)
    assert [bool(steps) for steps in ran(backfill(MONTHS, lake, tmp_path, QUICK)).values()] == [True, True, True, False]


def test_a_corrected_month_runs_exactly_the_months_that_read_it_again(lake: Lake, tmp_path: Path) -> None:
    first = backfill(MONTHS, lake, tmp_path, QUICK)
    assert all(ran(first).values())
    outcomes = lake.read("outcomes", [-4])
    # Known in -4: read by the runs as of -3, -2 and -1, whose windows hold the applications of -7, and not as of 0.
    lake.write("outcomes", -4, outcomes.assign(defaulted=~outcomes["defaulted"]))
    corrected = ran(backfill(MONTHS, lake, tmp_path, QUICK))
    assert {month for month, steps in corrected.items() if steps} == {-3, -2, -1}
    assert all("train" in corrected[month] for month in (-3, -2, -1))
    assert not any(ran(backfill(MONTHS, lake, tmp_path, QUICK)).values())
    # A correction of what no step uses runs the step that reads it, and there it ends.
    lake.write("outcomes", -4, lake.read("outcomes", [-4]).assign(profit=0.0))
    assert ran(backfill(MONTHS, lake, tmp_path, QUICK)) == {-3: ("ingest",), -2: ("ingest",), -1: ("ingest",), 0: ()}


def test_a_backfill_registers_in_the_order_of_the_months(registry: Registry, history: Lake, tmp_path: Path) -> None:
    done = backfill([0, -1], history, tmp_path / "runs", QUICK, registry=registry)
    assert [month.run.version for month in done if month.run] == ["1", "2"]
    assert [registry.tags(version)["as_of"] for version in ("1", "2")] == ["-1", "0"]
    again = backfill([0, -1], history, tmp_path / "runs", QUICK, registry=registry)
    assert [month.run.version for month in again if month.run] == ["1", "2"]


def test_no_months_is_an_error(history: Lake, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no months to run: name at least one"):
        backfill([], history, tmp_path)


def test_the_command_tells_by_its_exit_code(history: Lake, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    common = [str(history.folder), str(tmp_path), "--window", "3", "--rounds", "3"]
    assert main([*common, "--first", "-1", "--last", "0"]) == 0
    assert capsys.readouterr().out.startswith("month -1: ran ingest, ")
    assert main([*common, "--first", "-12", "--last", "-12"]) == 1
    assert "1 of 1 months failed" in capsys.readouterr().err
    assert main([*common, "--first", "1", "--last", "0"]) == 1
    assert "no months to run" in capsys.readouterr().err


@pytest.mark.skipif(os.name != "posix", reason="SIGKILL is of POSIX")
def test_killed_from_outside_and_started_again_it_ends_in_the_same_bytes(history: Lake, tmp_path: Path) -> None:
    command = [
        *(sys.executable, "-m", "oakbank.pipelines.backfill", str(history.folder)),
        *(str(tmp_path / "killed"), "--first", "-3", "--last", "0", "--window", "3", "--rounds", "3"),
    ]
    kills, seen = 0, list[str]()
    for wait in (1, 2):  # killed when so many months are told, which is in the midst of the next one
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            seen = [process.stdout.readline() for _ in range(wait)]
            process.send_signal(signal.SIGKILL)
        kills += process.returncode == -signal.SIGKILL
    assert kills == 2
    assert seen[0] == "month -3: was done\n"
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("month -3: was done\nmonth -2: was done\n")
    backfill(MONTHS, history, tmp_path / "undisturbed", TrainingConfig(window=3, rounds=3))
    assert files(tmp_path / "killed") == files(tmp_path / "undisturbed")
    assert {path.parts[-3] for path in (tmp_path / "killed").glob("*/*/step.json")} == {
        month_folder("", month).name for month in MONTHS
    }
