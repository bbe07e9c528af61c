"""The benchmarks measure what they say, their marks are compared, and README.md shows the numbers that are kept."""

import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

from autograder.model import Key
from autograder.sandbox.confine import why_not
from autograder.trials.benchmarks import growth, otter, throughput
from autograder.trials.benchmarks.classroom import WARNS, WRONG, Handed, make_classroom, submissions
from autograder.trials.benchmarks.measure import CGROUP, measure
from autograder.trials.benchmarks.results import END, README, RESULTS, START, bars, keep, read, renewed
from base.errors import UserError

needs_sandbox = pytest.mark.skipif(why_not() is not None, reason=str(why_not()))

BUSY = "import time\nwhile time.process_time() < 1: pass"
LEFT = f"""
import os
heard, held = os.pipe()
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        {BUSY.replace(chr(10), chr(10) + " " * 8)}
    os._exit(0)
os.close(held)
os.read(heard, 1)
"""
"""Ends with its grandchild, for which it does not wait."""


@pytest.fixture(scope="module")
def key(tmp_path_factory: pytest.TempPathFactory) -> Key:
    return make_classroom(tmp_path_factory.mktemp("course"))


def found_of(**changes: Any) -> dict[str, Any]:
    """A throughput section whose bars are all held, with changes."""
    cost = {"counted": CGROUP}
    return {
        "machine": {"cores": 2, "system": "Linux", "python": "3.12.1", "versions": {"nbgrader": "0.9.6"}},
        "submissions": 20,
        "tests": 6,
        "stock": {"wall": 120.0, "cpu": 110.0, **cost},
        "ours": {"wall": 12.0, "cpu": 22.0, **cost},
        "otter": {"wall": 160.0, "cpu": 140.0, "version": "7.0.0", "same": 119, **cost},
        "cells": 12.0,
        "rounds": [{"wall": 12.0, "cells": 12.0}, {"wall": 12.5, "cells": 11.0}],
        "marks": {"equal": 119, "warned": 1, "rescued": 0},
        "faults": [],
        **changes,
    }


@pytest.mark.weekly
@needs_sandbox
def test_two_submissions_are_measured_side_by_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throughput, "ROUNDS", 1)
    said: list[str] = []
    found = throughput.run(2, False, said.append)
    assert found["faults"] == []
    assert found["marks"] == {"equal": 11, "warned": 1, "rescued": 0}
    assert found["otter"] == {"why": "not asked for"}
    assert found["stock"]["cpu"] > found["cells"] > 0.2
    assert found["ours"]["cpu"] > found["cells"] * 0.5
    readme = tmp_path / "README.md"
    readme.write_text(f"above\n{START}\n{END}\nbelow\n")
    keep("throughput", found, tmp_path / "results.json", readme)
    text = readme.read_text()
    assert text.startswith("above\n")
    assert text.endswith("\nbelow\n")
    assert "| 2 submissions |" in text
    assert "otter-grader: not asked for." in text
    assert "were measured 1 times, in turn" in text
    assert len(bars(read(tmp_path / "results.json")["throughput"])) == 3


@pytest.mark.weekly
@needs_sandbox
def test_a_cohort_is_measured(tmp_path: Path) -> None:
    found = growth.run([2], lambda _: None)
    assert found["faults"] == []
    run = found["runs"][0]
    assert run["submissions"] == 2
    assert run["wall"] > run["cells"] / 2 > 0
    assert run["main_mb"] > 50
    assert run["all_mb"] is None or run["all_mb"] > run["main_mb"] / 2


def test_growth_is_told() -> None:
    first = {"submissions": 50, "wall": 30.0, "cpu": 50.0, "cells": 30.0, "counted": CGROUP}
    first |= {"main_mb": 100, "all_mb": 400}
    last = first | {"submissions": 500, "wall": 270.0, "cells": 300.0, "main_mb": 110, "all_mb": None}
    cohort = {"machine": found_of()["machine"], "runs": [first, last], "faults": []}
    text = renewed(f"{START}\n{END}", {"cohort": cohort}, "README.md")
    assert "10 times the submissions take 9.0 times the time and 1.10 times the grader's memory." in text
    assert "| 500 submissions | 270.0 | 0.54 | 1.8 | 50.0 | 110 | not known |" in text


def test_the_readme_shows_the_numbers_that_are_kept() -> None:
    again = "run `python -m autograder.trials.benchmarks throughput`, then `cohort`"
    assert RESULTS.is_file(), again
    text = README.read_text(encoding="utf-8")
    assert renewed(text, read(), README.name) == text, "run `python -m autograder.trials.benchmarks table`"
    assert read().keys() == {"throughput", "cohort"}, again


def test_another_number_changes_the_readme() -> None:
    text = renewed(f"{START}\n{END}", {"throughput": found_of()}, "README.md")
    assert renewed(text, {"throughput": found_of()}, "README.md") == text
    assert renewed(text, {"throughput": found_of(cells=13.0)}, "README.md") != text
    with pytest.raises(UserError, match="needs one line"):
        renewed("no place", {}, "README.md")


def test_how_far_the_rounds_lie_apart_is_told() -> None:
    text = renewed(f"{START}\n{END}", {"throughput": found_of()}, "README.md")
    assert (
        "measured 2 times, in turn: shown is the time with the median of their ratios, which were 2.0 to 2.3." in text
    )


def test_a_bar_that_is_missed_is_seen() -> None:
    assert [held for *_, held in bars(found_of())] == [True, True, True]
    slow = found_of(ours={"wall": 12.5, "cpu": 22.5, "counted": CGROUP})
    assert [held for *_, held in bars(slow)] == [False, False, False]
    assert "**no**" in renewed(f"{START}\n{END}", {"throughput": slow}, "README.md")


def test_submissions_are_the_same_each_time_and_of_every_kind(key: Key) -> None:
    handed = submissions(20, key)
    assert handed == submissions(20, key)
    assert handed[:5] == submissions(5, key)
    full = {cell.grade_id: cell.points for cell in key.tests}
    assert handed[0].marks(key) == full
    kinds = [answer.kind for one in handed for answer in one.answers.values()]
    assert kinds.count(WARNS) == 1
    assert 20 < kinds.count(WRONG) < 50
    assert sum(one.marks(key) == full for one in handed) >= 2
    assert len({json.dumps([answer.source for answer in one.answers.values()]) for one in handed}) >= 18


def test_marks_that_differ_are_found() -> None:
    full = {"ex1-test": 3.0, "ex2-test": 3.0}
    lost = {"ex1-test": 0.0, "ex2-test": 3.0}
    assert throughput.compare({"a": full}, {"a": full}, {}, {}) == {
        "equal": 2,
        "warned": 0,
        "rescued": 0,
        "different": [],
    }
    assert throughput.compare({"a": lost}, {"a": full}, {"a": {"ex1-test"}}, {})["warned"] == 1
    assert throughput.compare({"a": lost}, {"a": full}, {}, {"a": {"ex1-test"}})["rescued"] == 1
    for stock, ours in (({"a": lost}, {"a": full}), ({"a": full}, {"a": lost}), ({"a": full}, {}), ({}, {"a": full})):
        assert throughput.compare(stock, ours, {}, {})["different"]
    assert throughput.compare({"a": full}, {"a": lost}, {"a": {"ex1-test"}}, {"a": {"ex1-test"}})["different"]


def test_processes_that_nobody_waits_for_are_counted_and_ended(tmp_path: Path) -> None:
    cost = measure([[sys.executable, "-c", LEFT]], tmp_path, dict(os.environ), tmp_path / "log")
    assert cost.codes == (0,)
    assert (cost.cpu > 0.9) == (cost.counted == CGROUP)  # where it is not counted, the result says so
    waited = measure([[sys.executable, "-c", BUSY]] * 2, tmp_path, dict(os.environ), tmp_path / "log")
    assert 1.9 < waited.cpu < 4
    stays = "import subprocess; print(subprocess.Popen(['sleep', '300'], start_new_session=True).pid)"
    cost = measure([[sys.executable, "-c", stays]], tmp_path, dict(os.environ), tmp_path / "log")
    pid = int((tmp_path / "log").read_text())
    if cost.counted != CGROUP:
        os.kill(pid, signal.SIGKILL)
    assert not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


def test_memory_is_that_of_all_processes(tmp_path: Path) -> None:
    hold = "import time; x = bytearray(b'1' * 80_000_000); time.sleep(2.5)"
    both = f"import subprocess, sys; p = subprocess.Popen([sys.executable, '-c', {hold!r}]); {hold}; p.wait()"
    cost = measure([[sys.executable, "-c", both]], tmp_path, dict(os.environ), tmp_path / "log", memory=True)
    assert cost.main_mb is not None
    assert 75 < cost.main_mb < 250
    assert cost.all_mb is not None
    assert 150 < cost.all_mb < 500


def test_a_test_cell_becomes_a_test_file_of_otters(key: Key, tmp_path: Path) -> None:
    cell = key.tests[0]
    text = otter._test_file(cell.grade_id, cell.points, cell.source)
    stand_in = {"name": "", "points": 0.0}
    body = text.replace("from otter.test_files import test_case", "test_case = lambda: lambda function: function")
    exec(compile(body, "test", "exec"), stand_in)
    assert (stand_in["name"], stand_in["points"]) == (cell.grade_id, 3.0)
    with pytest.raises(NameError, match="clean"):
        stand_in["ex1_test"]({})  # type: ignore[operator]


def test_a_wrong_answer_counts_as_such(key: Key) -> None:
    one = submissions(1, key)[0]
    other = Handed(one.student, one.answers | {"ex2": type(one.answers["ex2"])(WRONG, "rates = None")})
    assert {test: points for test, points in other.marks(key).items() if not points} == {"ex2-test": 0.0}
