"""Engines: everything once, little in hand, one fault costs one, and a dead worker costs nothing."""

import contextlib
import http.client
import importlib.util
import json
import os
import signal
import threading
import time
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import psutil
import pytest

from autograder.cohort.engines import AHEAD, Grades, Open, Outcome, engine, local, windowed
from autograder.model import ANSWER, TEST, Cell, Key, Result, Submission
from autograder.tests.mini_grader import DIE, FAULT, HANG, STOP, MiniGrader
from base.errors import UserError

KEY = Key(
    "mini",
    (Cell(ANSWER, "code", "x = 1", "ex1"), Cell(TEST, "code", "assert x == 1", "ex1-test", 2.0, "x")),
    {"ex1": "x = ..."},
    {},
)
needs_dask = pytest.mark.skipif(importlib.util.find_spec("distributed") is None, reason="distributed is not installed")


@dataclass(frozen=True)
class Handed:
    """A submission whose one answer is `text`."""

    student: str
    text: str = "x = 1"

    def read(self) -> Submission:
        if self.text == "gone":
            raise FileNotFoundError(self.student)
        cell = {"metadata": {"nbgrader": {"grade_id": "ex1", "solution": True}}, "source": self.text}
        return Submission(self.student, json.dumps({"cells": [cell]}).encode())


def cohort(count: int, **special: str) -> list[Handed]:
    return [Handed(f"s{number:02}", special.get(f"s{number:02}", "x = 1")) for number in range(count)]


def opener(log: Path | None = None, seconds: float = 0.0) -> Open:
    return partial(MiniGrader, KEY, seconds=seconds, log=log)


def grade_all(name: str, handed: list[Handed], open_grader: Open, jobs: int = 2) -> dict[str, Outcome]:
    with contextlib.closing(engine(name, jobs)(open_grader, handed)) as outcomes:
        found = list(outcomes)
    assert sorted(outcome.student for outcome in found) == sorted(one.student for one in handed)  # each of them once
    return {outcome.student: outcome for outcome in found}


def check_mixed(name: str, log: Path) -> None:
    """Right, wrong, faulty and unreadable submissions: each gets its own."""
    found = grade_all(name, cohort(12, s03="x = 2", s05=FAULT, s07="gone"), opener(log))
    scores = {student: outcome.result.score for student, outcome in found.items() if outcome.result is not None}
    assert scores == {f"s{number:02}": 0.0 if number == 3 else 2.0 for number in range(12) if number not in (5, 7)}
    assert f"RuntimeError: {FAULT} in s05" in found["s05"].fault
    assert "FileNotFoundError: s07" in found["s07"].fault
    assert "Traceback" in found["s05"].fault


@pytest.mark.parametrize("jobs", [1, 2, 5])
def test_every_submission_is_graded_once(jobs: int) -> None:
    found = grade_all("local", cohort(23, s03="x = 2"), opener(), jobs)
    assert {student for student, outcome in found.items() if outcome.result and outcome.result.score == 0} == {"s03"}


def test_a_fault_costs_one_submission(tmp_path: Path) -> None:
    check_mixed("local", tmp_path / "log")


def test_threads_work_side_by_side() -> None:
    """Three submissions that wait for one another get through with three jobs, and with two they do not."""
    barrier = threading.Barrier(3)

    class Together(MiniGrader):
        def grade(self, submission: Submission) -> Result:
            barrier.wait(1)
            return super().grade(submission)

    assert all(outcome.result for outcome in local(lambda: Together(KEY), cohort(3), 3))
    assert not all(outcome.result for outcome in local(lambda: Together(KEY), cohort(3), 2))


def test_few_submissions_are_in_hand_however_large_the_cohort() -> None:
    taken = 0

    def sources() -> Iterator[Handed]:
        nonlocal taken
        for one in cohort(60):
            taken += 1
            yield one

    for done, _ in enumerate(local(opener(), sources(), 3), 1):
        assert taken - done <= AHEAD * 3 - 1
    assert taken == 60


def test_what_the_user_has_to_put_right_stops_the_run(tmp_path: Path) -> None:
    log = tmp_path / "log"
    with pytest.raises(UserError, match="put it right"):
        grade_all("local", cohort(30, s04=STOP), opener(log))
    noted = log.read_text(encoding="utf-8")
    assert noted.count("close") == 1
    assert noted.count("begin") < 30


def test_closing_ends_what_is_being_graded(tmp_path: Path) -> None:
    """Also a submission that would never end: the grader is closed first, then its threads are waited for."""
    before = threading.active_count()
    with contextlib.closing(local(opener(tmp_path / "log"), cohort(9, s01=HANG, s02=HANG), 3)) as outcomes:
        assert next(outcomes).result is not None
    assert threading.active_count() == before
    assert (tmp_path / "log").read_text(encoding="utf-8").count("close") == 1


@pytest.mark.parametrize("name", ["dusk", "dask:", "dask:here", "local:4", ""])
def test_an_unknown_engine_is_named_with_those_that_are_there(name: str) -> None:
    with pytest.raises(UserError, match="there are: local, dask, dask:tcp://HOST:PORT"):
        engine(name, 2)


def test_without_the_package_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(UserError, match="uv pip install distributed"):
        engine("dask", 2)


@pytest.fixture(scope="module")
def scheduler() -> Iterator[str]:
    """A cluster that somebody else has started."""
    from distributed import LocalCluster

    with LocalCluster(n_workers=2, threads_per_worker=2, dashboard_address=None, memory_limit=0) as cluster:  # type: ignore[no-untyped-call]
        yield f"dask:{cluster.scheduler_address}"


@needs_dask
def test_dask_does_the_same_and_leaves_nothing_on_the_workers(scheduler: str, tmp_path: Path) -> None:
    log = tmp_path / "log"
    check_mixed(scheduler, log)
    noted = log.read_text(encoding="utf-8").splitlines()
    made = {line.split()[2] for line in noted if line.startswith("begin")}
    assert {line.split()[1] for line in noted if line.startswith("close")} == made
    assert len(made) == 2  # one grader in each process, for both of its threads


@needs_dask
def test_what_the_user_has_to_put_right_comes_back_from_a_worker(scheduler: str) -> None:
    with pytest.raises(UserError, match="put it right"):
        grade_all(scheduler, cohort(9, s04=STOP), opener())


@needs_dask
def test_a_worker_that_dies_costs_nothing(scheduler: str, tmp_path: Path) -> None:
    """It dies with a submission in its hands; that one and those that waited behind it are graded elsewhere."""
    log = tmp_path / "log"
    found = grade_all(scheduler, cohort(12, s02=f"x = 1  # {DIE}"), opener(log, 0.05))
    assert log.with_suffix(".died").exists()
    assert [outcome.fault for outcome in found.values()] == [""] * 12
    assert all(outcome.result and outcome.result.score == 2 for outcome in found.values())


def listening(process: psutil.Process) -> set[tuple[str, int]]:
    """Return the addresses at which a process or one below it can be reached."""
    found = set[tuple[str, int]]()
    for each in [process, *process.children(recursive=True)]:
        with contextlib.suppress(psutil.NoSuchProcess, psutil.AccessDenied):
            found |= {
                (one.laddr.ip, one.laddr.port)
                for one in each.net_connections("tcp")
                if one.status == psutil.CONN_LISTEN
            }
    return found


def tells(address: tuple[str, int]) -> list[str]:
    """Return the pages of Dask's HTTP server that anybody on the machine could read there."""
    found = []
    for page in ("health", "info/main/workers.html"):
        with contextlib.suppress(OSError, http.client.HTTPException):
            urllib.request.urlopen(f"http://{address[0]}:{address[1]}/{page}", timeout=0.5)
            found.append(page)
    return found


@needs_dask
def test_workers_import_nothing_from_the_working_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """public/20-cwd-is-imported: students' files may lie there, and one may be named like a module."""
    for name in ("socket", "random", "select"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w').close()\nraise ImportError\n")
    monkeypatch.chdir(tmp_path)
    assert grade_all("dask", cohort(1), opener(), 1)["s00"].result is not None
    assert not (tmp_path / "ran").exists()
    assert "PYTHONSAFEPATH" not in os.environ


@needs_dask
def test_a_cluster_of_our_own_survives_kill_9_and_is_gone_afterwards(tmp_path: Path) -> None:
    """Its workers are killed from outside, one after the other; it listens on the loopback, and to us alone."""
    from distributed import default_client

    log, me, seen = tmp_path / "log", psutil.Process(), set[tuple[str, int]]()
    below, before = set(me.children(recursive=True)), listening(me)
    killed, open_pages, scheme = list[int](), list[str](), ""
    with contextlib.closing(engine("dask", 2)(opener(log, 0.2), cohort(16))) as outcomes:
        found = list[Outcome]()
        for outcome in outcomes:
            found.append(outcome)
            seen |= listening(me) - before
            if len(found) == 2:
                open_pages = [page for address in seen for page in tells(address)]
                scheme = default_client().scheduler.address.partition(":")[0]  # type: ignore[no-untyped-call]
            if len(found) in (3, 8):
                busy = [
                    int(line.split()[2]) for line in log.read_text(encoding="utf-8").splitlines() if "begin" in line
                ]
                killed.append(next(pid for pid in reversed(busy) if pid not in killed))
                os.kill(killed[-1], signal.SIGKILL)
    assert len(set(killed)) == 2
    assert sorted(outcome.student for outcome in found) == [one.student for one in cohort(16)]
    assert all(outcome.result and outcome.result.score == 2 for outcome in found)
    assert {address for address, _ in seen} == {"127.0.0.1"}
    assert open_pages == []
    assert scheme == "tls"  # with certificates of this run alone: no other user of the machine gets in
    deadline = time.monotonic() + 10
    while set(me.children(recursive=True)) - below and time.monotonic() < deadline:
        time.sleep(0.1)
    left = [process.cmdline() for process in set(me.children(recursive=True)) - below]
    assert [line for line in left if "resource_tracker" not in " ".join(line)] == []


@needs_dask
def test_where_no_scheduler_is_it_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autograder.cohort.dask_engine.CONNECT", 1.0)
    with pytest.raises(UserError, match=r"no Dask workers at tcp://127.0.0.1:9"):
        grade_all("dask:tcp://127.0.0.1:9", cohort(1), opener())


@needs_dask
def test_a_cluster_without_workers_is_given_up(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Its only worker dies and nobody starts another one."""
    from distributed import LocalCluster, Worker

    monkeypatch.setattr("autograder.cohort.dask_engine.NO_WORKERS", 1.0)
    monkeypatch.setattr("autograder.cohort.dask_engine.TICK", 0.5)
    options = {"n_workers": 1, "dashboard_address": None, "memory_limit": 0, "worker_class": Worker}
    with LocalCluster(processes=False, protocol="tcp", **options) as cluster:  # type: ignore[no-untyped-call]
        name = f"dask:{cluster.scheduler_address}"
        with contextlib.closing(engine(name, 1)(opener(None, 0.3), cohort(9))) as outcomes:
            assert next(outcomes).result is not None
            cluster.scale(0)
            with pytest.raises(UserError, match="has had no workers for 1 s"):
                list(outcomes)


@needs_dask
def test_an_outcome_whose_worker_dies_before_it_is_fetched_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is done, then its only worker goes away with it, and nobody is left to do it again."""
    from distributed import Client, LocalCluster, Worker, wait

    from autograder.cohort import dask_engine

    monkeypatch.setattr(dask_engine, "NO_WORKERS", 1.0)
    monkeypatch.setattr(dask_engine, "TICK", 0.5)
    options = {"n_workers": 1, "dashboard_address": ":0", "memory_limit": 0, "worker_class": Worker}
    with LocalCluster(processes=False, protocol="tcp", **options) as cluster, Client(cluster) as client:  # type: ignore[no-untyped-call]
        future = client.submit(abs, -1)  # type: ignore[no-untyped-call]
        assert wait([future], 30).done  # type: ignore[no-untyped-call]
        cluster.scale(0)
        while client.scheduler_info()["workers"]:
            time.sleep(0.05)
        with pytest.raises(UserError, match="has had no workers for 1 s"):
            dask_engine._collect(client, future, "ada")


def test_a_grader_is_what_the_engines_ask_for() -> None:
    grader: Grades = MiniGrader(KEY)
    grader.close()


class PressesCtrlC:
    """Presses Ctrl-C while Python clears it away, where what is raised is ignored."""

    def __del__(self) -> None:
        signal.raise_signal(signal.SIGINT)


def test_ctrl_c_is_not_lost_in_a_finalizer() -> None:
    graded: list[str] = []

    def submit(source: Handed) -> str:
        if len(graded) == 3:
            PressesCtrlC()
        return source.student

    def collect(future: str, student: str) -> Outcome:
        graded.append(student)
        return Outcome(student)

    before = signal.getsignal(signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        list(windowed(cohort(20), 1, submit, list, collect))
    assert graded == ["s00", "s01", "s02", "s03"]  # what was in hand when it was pressed is kept
    assert signal.getsignal(signal.SIGINT) is before


def test_a_second_ctrl_c_does_not_wait() -> None:
    graded: list[str] = []

    def collect(future: str, student: str) -> Outcome:
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        graded.append(student)
        return Outcome(student)

    with pytest.raises(KeyboardInterrupt):
        list(windowed(cohort(20), 1, lambda source: source.student, list, collect))
    assert graded == []
