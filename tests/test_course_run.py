"""All notebooks side by side: the order, the table, and each gate shown failing."""

import json
import os
import sys
from pathlib import Path

import psutil
import pytest
from rich.console import Console

from authoring.syllabus import load_syllabus
from base.errors import UserError
from course.execute import Failure, Outcome
from course.pool import Event, Job, run_jobs
from course.progress import load
from course.run import FLIGHT, Report, Result, plan, run
from course.show import Progress, print_report
from kernels.door import FOLDER
from tests.small_tree import lesson, notebook

linux = pytest.mark.skipif(sys.platform != "linux", reason="only there can a warm process be forked")


def console() -> Console:
    return Console(width=110, force_terminal=False)


def text_of(report: Report) -> str:
    out = console()
    with out.capture() as text:
        print_report(out, report)
    return text.get()


def run_tree(root: Path, slots: int = 2) -> tuple[Report, str]:
    out, jobs = console(), plan(root)
    with out.capture() as text:
        with Progress(out, [job for job in jobs if job.notebook]) as listen:
            report = run([job for job in jobs if job.notebook], slots, root, listen)
        print_report(out, report)
    return report, text.get()


def command_job(folder: Path, program: str) -> Job:
    return Job("x", "y", None, folder / "report.html", folder, command=(sys.executable, "-c", program))


def result(folder: Path, **outcome: object) -> Result:
    job = Job("01-a", "01-x", folder / "01-x.ipynb", folder / "o.ipynb", folder / "s", 3)
    return Result(job, Outcome(**{"cells": 2, "cell_seconds": 8.0, "seconds": 10.0, "peak_mb": 90.0} | outcome))  # type: ignore[arg-type]


def test_a_tree_that_runs_and_one_that_does_not(tmp_path: Path) -> None:
    lesson(tmp_path, "01-a/01-good", "x = 1", "print(x)")
    lesson(tmp_path, "01-a/02-good", "import os; print(os.environ['OMP_NUM_THREADS'])")
    report, text = run_tree(tmp_path)
    assert report.ok
    assert [line for line in text.splitlines() if line.startswith("start ")]
    assert "[2/2] " in text
    assert "2 of 2 ran as they should" in text
    assert text.splitlines()[-1] == text.strip().splitlines()[-1]
    assert text.splitlines()[-1].startswith("wall ")
    executed = (tmp_path / "build" / "run" / "01-a" / "02-good.ipynb").read_text(encoding="utf-8")
    assert '"1\\n"' in executed

    lesson(tmp_path, "02-b/01-bad", "x = 1", "raise RuntimeError('planted fault')", "never")
    report, text = run_tree(tmp_path)
    assert not report.ok
    assert "failed in cell 3" in text
    assert "RuntimeError: planted fault" in text
    assert "2 of 3 ran as they should" in text
    assert load(tmp_path).lessons == {"01-a/01-good": True, "01-a/02-good": True, "02-b/01-bad": False}


def test_a_notebook_over_the_memory_bar_is_told_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("course.run.MEMORY_BAR_MB", 200.0)
    lesson(tmp_path, "01-a/01-fat", "x = b'x' * 250_000_000\nimport time; time.sleep(1)")
    lesson(tmp_path, "01-a/02-thin", "1")
    report, text = run_tree(tmp_path)
    assert [one.over_memory for one in report.results] == [True, False]
    assert report.ok
    assert "needs over 200 MB" in text


def test_a_worker_that_is_killed_fails_its_notebook_alone(tmp_path: Path) -> None:
    lesson(
        tmp_path, "01-a/01-killer", "import os, psutil; psutil.Process(os.getppid()).kill()\nimport time; time.sleep(5)"
    )
    lesson(tmp_path, "01-a/02-good", "1")
    report, text = run_tree(tmp_path, slots=1)
    assert [one.ok for one in report.results] == [False, True]
    assert "signal 9, which the system does when memory runs out" in text


@pytest.fixture
def warm(monkeypatch: pytest.MonkeyPatch) -> None:
    """Warm kernels, as in every use of the command."""
    monkeypatch.delenv(FOLDER)


def parents(root: Path) -> set[str]:
    """Return what the lessons' last cells showed."""
    notebooks = [json.loads(path.read_text(encoding="utf-8")) for path in (root / "build" / "run").rglob("*.ipynb")]
    return {"".join(notebook["cells"][-1]["outputs"][0]["data"]["text/plain"]) for notebook in notebooks}


@linux
def test_more_lessons_than_slots_have_one_warm_parent(tmp_path: Path, warm: None) -> None:
    before = {process.pid for process in psutil.Process().children(recursive=True)}
    for number in range(4):
        lesson(tmp_path, f"01-a/0{number}-x", "import os; os.environ['OMP_NUM_THREADS'], os.getppid()")
    report, text = run_tree(tmp_path)
    assert report.ok, text
    assert len(parents(tmp_path)) == 1
    assert {process.pid for process in psutil.Process().children(recursive=True)} <= before


@linux
def test_a_worker_or_a_warm_parent_that_is_killed_fails_its_notebook_alone(tmp_path: Path, warm: None) -> None:
    kill = "import os, psutil, time; psutil.Process({}).kill(); time.sleep(30)"
    worker, parent = kill.format("int(os.environ['JPY_PARENT_PID'])"), kill.format("os.getppid()")
    for name, source in {"1": "1", "2": worker, "3": "1", "4": parent, "5": "import os; os.getppid()"}.items():
        lesson(tmp_path, f"01-a/0{name}-x", source)
    report, _ = run_tree(tmp_path, slots=1)
    assert [one.ok for one in report.results] == [True, False, True, False, True]
    errors = [one.outcome.failure.error for one in report.results if one.outcome.failure]
    assert "signal 9" in errors[0]
    assert "the kernel died" in errors[1]


@linux
def test_a_warm_parent_that_cannot_start_is_said_and_all_runs(
    tmp_path: Path, warm: None, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "lightgbm.py").write_text("raise RuntimeError('planted fault')", encoding="utf-8")
    planted = {**os.environ, "PYTHONPATH": str(tmp_path)}  # a variable that a command does not hand on
    monkeypatch.setattr("course.run.plain_environment", lambda: planted)
    for number in range(3):
        lesson(tmp_path, f"01-a/0{number}-x", "1")
    report, _ = run_tree(tmp_path)
    assert report.ok
    assert "imported everything anew" in caplog.text
    assert "planted fault" in caplog.text
    monkeypatch.setattr("kernels.door.can_fork", lambda: False)
    caplog.clear()
    report, _ = run_tree(tmp_path)
    assert report.ok
    assert "cannot fork" in caplog.text


@linux
def test_an_interruption_ends_the_warm_kernels_and_their_parent(tmp_path: Path, warm: None) -> None:
    for number in (1, 2, 3):
        lesson(
            tmp_path,
            f"01-a/0{number}-x",
            "import os; open('pid', 'w').write(f'{os.getpid()} {os.getppid()}')\n1",
            "import time; time.sleep(77)",
        )
    jobs, seen = [job for job in plan(tmp_path) if job.notebook], 0

    def listen(event: Event | None) -> None:
        nonlocal seen
        seen += event is not None and event.cell == 3
        if seen == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(jobs, 2, tmp_path, listen)
    pids = [int(word) for job in jobs for path in job.scratch.glob("pid") for word in path.read_text().split()]
    assert len(pids) == 4
    assert not any(map(psutil.pid_exists, pids))


def test_the_bar_is_a_gigabyte(tmp_path: Path) -> None:
    assert result(tmp_path, peak_mb=999.0).verdict == "ran"
    over = result(tmp_path, peak_mb=1001.0)
    assert (over.ok, over.verdict) == (True, "ran; needs over 1000 MB")


def test_what_a_verdict_mentions(tmp_path: Path) -> None:
    assert result(tmp_path, slowest_cell=31.0).verdict == "ran; a cell took 31 s"
    assert result(tmp_path, left_running=["sleep"]).verdict == "ran; left running: sleep"
    assert result(tmp_path, failure=Failure(0, "", "no kernel", [])).verdict == "failed"


def test_the_ratio_compares_the_wall_with_perfect_packing(tmp_path: Path) -> None:
    results = [result(tmp_path, cell_seconds=30.0), result(tmp_path, cell_seconds=10.0)]
    report = Report(results, seconds=30.0, jobs=2)
    assert report.ratio == pytest.approx(1.5)
    last = "wall 30 s / (40 s in cells / 2 jobs) = 1.50, within the bar of 1.6"
    assert text_of(report).splitlines()[-1] == last
    assert Report(results, 34.0, 2).ok
    assert text_of(Report(results, 34.0, 2)).endswith("= 1.70, over the bar of 1.6\n")
    assert Report([result(tmp_path, cell_seconds=0.0)], 1.0, 1).ratio is None


def test_a_long_name_does_not_take_the_numbers_their_place(tmp_path: Path) -> None:
    """On the usual terminal of 80 columns."""
    longest = max((lesson.name for chapter in load_syllabus().chapters for lesson in chapter.lessons), key=len)
    job = Job("05-governance", longest, tmp_path / "x.ipynb", tmp_path / "o.ipynb", tmp_path / "s", 3)
    outcome = Outcome(cells=39, cell_seconds=50.0, seconds=123.4, peak_mb=987.0)
    out = Console(width=80, force_terminal=False)
    with out.capture() as text:
        print_report(out, Report([Result(job, outcome)], 60.0, 2))
    for part in ("cells", "seconds", "verdict", "39", "123.4", "987", "ran"):
        assert part in text.get()
    assert "…" not in text.get()


def test_the_longest_goes_first_as_far_as_is_known(tmp_path: Path) -> None:
    lesson(tmp_path, "01-a/01-short", "1")
    lesson(tmp_path, "01-a/02-long", *["1"] * 40)
    lesson(tmp_path, "01-a/03-known", "1")
    known = tmp_path / "build" / "run" / "01-a" / "03-known.ipynb"
    known.parent.mkdir(parents=True)
    known.write_text('{"metadata": {"papermill": {"duration": 500.0}}}', encoding="utf-8")
    jobs = plan(tmp_path)
    assert [job.lesson for job in jobs] == ["01-short", "02-long", "03-known", "24 months"]
    order = sorted(jobs, key=lambda job: -job.guess)
    assert [job.lesson for job in order] == ["24 months", "03-known", "02-long", "01-short"]


def test_the_flight_comes_with_everything_only(tmp_path: Path) -> None:
    lesson(tmp_path, "01-a/01-x", "1")
    notebook(tmp_path / "solutions" / "01-lab" / "01-lab.ipynb")
    notebook(tmp_path / "solutions" / "02-lab" / "02-lab.ipynb")
    notebook(tmp_path / "solutions" / "02-lab" / "notes.ipynb")
    flight = plan(tmp_path)[-1]
    assert flight.command == (*FLIGHT, str(tmp_path / "build" / "flight"))
    assert [job.name for job in plan(tmp_path, flight=False)] == ["01-a/01-x"]
    assert [job.name for job in plan(tmp_path, "01")] == ["01-a/01-x"]
    everything = ["01-a/01-x", "solutions/01-lab", "solutions/02-lab", "flight/24 months"]
    assert [job.name for job in plan(tmp_path, solutions=True)] == everything
    assert [job.name for job in plan(tmp_path, "01", solutions=True)] == ["01-a/01-x", "solutions/01-lab"]


def test_nothing_to_run_and_a_broken_notebook_are_clear_errors(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no notebook to run"):
        plan(tmp_path)
    lesson(tmp_path, "01-a/01-x", "1").write_text("[]", encoding="utf-8")
    with pytest.raises(UserError, match=r"01-x\.ipynb is not a notebook"):
        plan(tmp_path)


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("import sys; print('printed'); sys.exit('planted fault')", "exit code 1"),
        ("print('printed')", "the command wrote no report.html"),
    ],
)
def test_a_flight_that_fails_or_writes_nothing_fails_the_run(tmp_path: Path, program: str, said: str) -> None:
    (tmp_path / "report.html").write_text("of the run before", encoding="utf-8")
    report = run([command_job(tmp_path, program)], 1, tmp_path, lambda event: None)
    assert not report.ok
    failure = report.results[0].outcome.failure
    assert failure is not None
    assert said in failure.error
    assert "printed" in failure.last_lines


def test_a_flight_that_lands_is_measured_and_named(tmp_path: Path) -> None:
    program = f"import time; x = b'x' * 10**8; time.sleep(1); open({str(tmp_path / 'report.html')!r}, 'w').close()"
    report = run([command_job(tmp_path, program)], 1, tmp_path, lambda event: None)
    outcome = report.results[0].outcome
    assert report.ok
    assert outcome.peak_mb > 100
    assert 1 <= outcome.cell_seconds == outcome.seconds
    assert f"flight report: {tmp_path / 'report.html'}" in text_of(report)


def test_an_interruption_ends_every_process(tmp_path: Path) -> None:
    for number in (1, 2):
        lesson(tmp_path, f"01-a/0{number}-x", "import time; time.sleep(77)")
    before, at_sleep = {process.pid for process in psutil.Process().children(recursive=True)}, 0

    def listen(event: Event | None) -> None:
        nonlocal at_sleep
        at_sleep += event is not None and event.cell == 2
        if at_sleep == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_jobs([job for job in plan(tmp_path) if job.notebook], 2, tmp_path, listen)
    assert {process.pid for process in psutil.Process().children(recursive=True)} <= before
    assert not (tmp_path / "build" / "run" / "01-a").exists() or not list(
        (tmp_path / "build" / "run" / "01-a").iterdir()
    )


def test_a_terminal_sees_a_live_block(tmp_path: Path) -> None:
    job = Job("01-a", "01-x", tmp_path / "x.ipynb", tmp_path / "o.ipynb", tmp_path, 3)
    out = Console(width=80, force_terminal=True)
    with out.capture() as text, Progress(out, [job]) as listen:
        listen(Event(job))
        listen(Event(job, cell=2))
        out.print(listen._block())
    assert "cell 2 of 3" in text.get()
    assert "0 of 1 done" in text.get()
