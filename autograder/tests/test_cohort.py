"""Cohorts: nothing is lost, doubled or half-written, whatever stops a run, and every run gives the same bytes."""

import contextlib
import importlib.util
import json
import os
import random
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest
from filelock import FileLock
from nbgrader.api import Gradebook
from rich.console import Console
from typer.testing import CliRunner, Result

from authoring.build import build
from authoring.repository import ROOT
from autograder.cohort import run as cohort
from autograder.cohort.show import Display
from autograder.cohort.store import GRADER, SECRET
from autograder.model import NOTHING, ByHand, Submission
from autograder.model import Result as Graded
from autograder.outputs.render import Renderer
from autograder.sandbox.confine import why_not
from autograder.submissions.collect import Found, Source
from autograder.submissions.names import safe_names
from autograder.tests.mini_grader import FAULT, STOP, MiniGrader
from base.files import write_text
from course import cli
from tests.mini_course import LAB, LAB_TEXT, SOURCE, make_course
from tests.small_tree import answer, graded, notebook

STUDENTS = 16
KILLS = 4
"""Moments at which a run is killed, all but the first in the weekly run only; on the real grader: `COURSE_KILLS`."""
SEED = 3
RIGHT = {
    "ex1": "def area(radius):\n    return math.pi * radius**2",
    "ex2": "def longest(w):\n    return max(w, key=len)",
}
ANSWERS = [
    RIGHT,
    {**RIGHT, "ex1": "def area(radius):\n    return 3.14 * radius**2"},
    {**RIGHT, "ex2": "def longest(w):\n    return max(reversed(w), key=len)"},
    {},
    {"ex1": "def area(radius):\n    return radius * radius", "ex2": "def longest(w):\n    return min(w, key=len)"},
]
SCORES = [6.0, 4.0, 5.0, 0.0, 1.0]
needs_sandbox = pytest.mark.skipif(why_not() is not None, reason=f"no sandbox here: {why_not()}")
needs_dask = pytest.mark.skipif(importlib.util.find_spec("distributed") is None, reason="distributed is not installed")
needs_root = pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root can mount")
needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="signals as on Unix")


def hand_in(root: Path, student: str, answers: dict[str, str]) -> Path:
    """Write a submission into the course's own tree."""
    notebook = json.loads((root / "labs" / LAB / f"{LAB}.ipynb").read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        name = cell["metadata"].get("nbgrader", {}).get("grade_id")
        cell["source"] = answers.get(name, cell["source"])
    path = root / "grading" / "submitted" / student / LAB / f"{LAB}.ipynb"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return path


def student(number: int) -> str:
    return f"s{number:02}"


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The mini course, built, with a cohort of submissions; to be copied."""
    root = make_course(tmp_path_factory.mktemp("released"))
    build(root=root)
    for number in range(STUDENTS):
        hand_in(root, student(number), ANSWERS[number % len(ANSWERS)])
    return root


@pytest.fixture
def root(released: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(released, tmp_path / "course"))


@pytest.fixture(scope="session")
def undisturbed(released: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, object]:
    """What a run that nothing disturbs leaves behind."""
    root = Path(shutil.copytree(released, tmp_path_factory.mktemp("undisturbed") / "course"))
    done = command(root)
    assert done.returncode == 0, done.stderr + done.stdout
    return state(root)


@pytest.fixture
def mini(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """Grade with the grader of the tests; returns its log."""
    log = tmp_path / "log"
    monkeypatch.setenv("MINI_LOG", str(log))
    monkeypatch.setattr(cohort, "open_grader", MiniGrader)
    return log


def grade(root: Path, *more: str) -> Result:
    return CliRunner().invoke(cli.app, ["grade", LAB, "--root", str(root), "--jobs", "2", *more])


def start(root: Path, *more: str, real: bool = False, **environment: str) -> "subprocess.Popen[str]":
    """Start `python3 bootstrap.py grade` in a process group of its own."""
    module = "course.cli" if real else "autograder.tests.mini_run"
    return subprocess.Popen(
        [sys.executable, "-m", module, "grade", LAB, "--root", str(root), "--jobs", "2", *more],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, **environment},
    )


def command(root: Path, *more: str, real: bool = False, **environment: str) -> "subprocess.CompletedProcess[str]":
    with start(root, *more, real=real, **environment) as process:
        out, errors = process.communicate()
    return subprocess.CompletedProcess([], process.returncode, out, errors)


def begun(log: Path) -> list[str]:
    """Return the students whose grading was begun, as often as it was."""
    if not log.exists():
        return []
    return sorted(line.split()[1] for line in log.read_text(encoding="utf-8").splitlines() if line.startswith("begin"))


def scores(root: Path) -> dict[str, float | None]:
    """Return what nbgrader's gradebook says."""
    query = (
        "select assignment.name, student.id, notebook.name, grade_cell.name, grade.auto_score from grade"
        " join submitted_notebook on grade.notebook_id = submitted_notebook.id"
        " join notebook on submitted_notebook.notebook_id = notebook.id"
        " join submitted_assignment on submitted_notebook.assignment_id = submitted_assignment.id"
        " join student on submitted_assignment.student_id = student.id"
        " join assignment on submitted_assignment.assignment_id = assignment.id"
        " join base_cell grade_cell on grade.cell_id = grade_cell.id"
    )
    ours = root / "grading" / "gradebook.db"
    with contextlib.closing(sqlite3.connect(ours if ours.is_file() else root / "gradebook.db")) as database:
        rows = database.execute(query).fetchall()
    assert len({row[:4] for row in rows}) == len(rows)  # none doubled
    return {"/".join(row[:4]): row[4] for row in sorted(rows)}


def state(root: Path) -> dict[str, object]:
    """Return every file that a run leaves, byte for byte, and the gradebook by its content."""
    folder = root / "grading"
    files: dict[str, object] = {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for tree in ("autograded", "feedback", "results", "reports")
        for path in sorted((folder / tree).rglob("*"))
        if path.is_file() and path.suffix != ".lock" and path.name != SECRET  # which is another each time
    }
    return files | {"gradebook": scores(root)}


def totals(root: Path) -> dict[str, float]:
    found = dict.fromkeys((student(number) for number in range(STUDENTS)), 0.0)
    for name, score in scores(root).items():
        found[name.split("/")[1]] += score or 0.0
    return found


def results(root: Path) -> list[str]:
    """Return the students who have a result."""
    return sorted(path.stem for path in (root / "grading" / "results" / LAB).glob("[!.]*.json"))


def test_every_student_gets_the_marks_of_the_answers(root: Path, undisturbed: dict[str, object], mini: Path) -> None:
    result = grade(root)
    assert result.exit_code == 0, result.output
    assert totals(root) == {student(number): SCORES[number % len(SCORES)] for number in range(STUDENTS)}
    names = set(undisturbed)
    for number in range(STUDENTS):
        name = student(number)
        assert {
            f"autograded/{name}/{LAB}/{LAB}.ipynb",
            f"feedback/{name}/{LAB}/{LAB}.html",
            f"results/{LAB}/{name}.json",
        } <= names
    assert state(root) == undisturbed
    assert f"{STUDENTS} of {STUDENTS} submissions are graded" in result.output
    assert f"[{STUDENTS}/{STUDENTS}] " in result.output
    assert "s00: 6 of 6" in result.output


@pytest.mark.parametrize(
    "more",
    [
        ("--jobs", "1"),
        ("--jobs", "4"),
        pytest.param(("--engine", "dask"), marks=needs_dask),
    ],
)
def test_the_same_bytes_at_any_parallelism(root: Path, undisturbed: dict[str, object], more: tuple[str, ...]) -> None:
    done = command(root, *more, MINI_SECONDS="0.01")
    assert done.returncode == 0, done.stderr
    assert state(root) == undisturbed


def test_what_is_graded_is_not_graded_again(root: Path, mini: Path) -> None:
    assert grade(root).exit_code == 0
    before = state(root)
    result = grade(root)
    assert result.exit_code == 0
    assert f"{STUDENTS} submissions, {STUDENTS} were graded before" in result.output
    assert begun(mini) == [student(number) for number in range(STUDENTS)]
    assert state(root) == before


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("results/{lab}/s03.json", None),
        ("results/{lab}/s03.json", "{"),
        ("results/{lab}/s03.json", "[]"),
        ("feedback/s03/{lab}/{lab}.html", None),
        ("autograded/s03/{lab}/{lab}.ipynb", None),
    ],
)
def test_what_is_lost_or_broken_is_graded_again(root: Path, mini: Path, name: str, text: str | None) -> None:
    grade(root)
    before = state(root)
    path = root / "grading" / name.format(lab=LAB)
    path.unlink() if text is None else path.write_text(text, encoding="utf-8")
    mini.unlink()
    assert grade(root).exit_code == 0
    assert begun(mini) == ["s03"]
    assert state(root) == before


def test_only_a_changed_submission_is_graded_anew(root: Path, mini: Path) -> None:
    grade(root)
    mini.unlink()
    hand_in(root, "s03", RIGHT)
    (root / "grading" / "submitted" / "s04" / LAB / "timestamp.txt").write_text("2025-03-01 12:00:00 UTC")
    assert grade(root).exit_code == 0
    assert begun(mini) == ["s03", "s04"]
    assert totals(root)["s03"] == 6


def test_a_changed_lab_or_other_terms_grade_everybody_anew(root: Path, mini: Path) -> None:
    grade(root)
    for more in (("--timeout", "9"), ("--timeout", "9", "--no-sandbox")):
        mini.unlink()
        grade(root, *more)
        assert len(begun(mini)) == STUDENTS
    mini.unlink()
    path = root / LAB_TEXT
    path.write_text(path.read_text(encoding="utf-8").replace("area(3) -", "area(3.0) -"), encoding="utf-8")
    build(root=root)
    result = grade(root, "--timeout", "9", "--no-sandbox")
    assert result.exit_code == 0, result.output
    assert len(begun(mini)) == STUDENTS


def test_a_new_version_of_the_grader_grades_everybody_anew(
    root: Path, mini: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grade(root)
    mini.unlink()
    monkeypatch.setattr(cohort, "GRADER", GRADER + 1)
    grade(root)
    assert len(begun(mini)) == STUDENTS


def test_a_fault_of_the_grader_is_no_zero_and_is_tried_again(
    root: Path, undisturbed: dict[str, object], mini: Path
) -> None:
    hand_in(root, "s03", {"ex1": f"# {FAULT}"})
    result = grade(root)
    assert result.exit_code == 1
    assert f"s03: not graded: RuntimeError: {FAULT} in s03" in result.output
    assert f"{STUDENTS - 1} of {STUDENTS} submissions are graded" in result.output
    assert results(root) == [student(number) for number in range(STUDENTS) if number != 3]
    assert [name for name in scores(root) if "/s03/" in name] == []
    text = (root / "grading" / "results" / LAB / "s03.fault.txt").read_text(encoding="utf-8")
    assert "Traceback" in text
    mini.unlink()
    assert grade(root).exit_code == 1
    assert begun(mini) == ["s03"]
    hand_in(root, "s03", ANSWERS[3])
    assert grade(root).exit_code == 0
    assert state(root) == undisturbed  # and nothing is left of the fault


def test_after_a_fault_an_older_result_does_not_count(root: Path, mini: Path) -> None:
    grade(root)
    hand_in(root, "s03", {"ex1": f"# {FAULT}"})
    assert grade(root).exit_code == 1
    assert "s03" not in results(root)
    assert not (root / "grading" / "feedback" / "s03" / LAB / f"{LAB}.html").exists()


def test_a_page_that_cannot_be_made_costs_one(root: Path, mini: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Broken(Renderer):
        def __call__(self, result: Graded, hand: ByHand = NOTHING) -> tuple[str, str]:
            if result.student == "s05":
                raise KeyError("planted")
            return super().__call__(result, hand)

    monkeypatch.setattr(cohort, "Renderer", Broken)
    result = grade(root)
    assert result.exit_code == 1
    assert "s05: not graded: KeyError: 'planted'" in result.output
    assert len(results(root)) == STUDENTS - 1


def test_an_answer_for_another_submission_is_a_fault(root: Path, mini: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Mixed(MiniGrader):
        def grade(self, submission: Submission):  # type: ignore[no-untyped-def]
            other = "s05" if submission.student == "s06" else submission.student
            return super().grade(Submission(other, submission.notebook, submission.timestamp))

    monkeypatch.setattr(cohort, "open_grader", Mixed)
    assert grade(root).exit_code == 1
    assert {name.split("/")[1] for name in scores(root)} == {student(n) for n in range(STUDENTS) if n != 6}


def test_broken_files_get_a_verdict_and_the_others_their_marks(root: Path, mini: Path) -> None:
    path = root / "grading" / "submitted" / "s02" / LAB / f"{LAB}.ipynb"
    path.write_text("{", encoding="utf-8")
    assert grade(root).exit_code == 0
    assert totals(root)["s02"] == 0
    assert totals(root)["s05"] == 6


def test_a_student_who_is_gone_keeps_the_result_but_is_not_reported(root: Path, mini: Path) -> None:
    grade(root)
    shutil.rmtree(root / "grading" / "submitted" / "s03")
    result = grade(root)
    assert result.exit_code == 0
    assert f"{STUDENTS - 1} of {STUDENTS - 1} submissions are graded" in result.output
    assert "s03" in results(root)
    for path in (root / "grading" / "reports" / LAB).iterdir():
        assert b"s03" not in path.read_bytes(), path.name
        assert b"s04" in path.read_bytes(), path.name


def test_what_the_user_has_to_put_right_keeps_what_is_graded(root: Path, mini: Path) -> None:
    hand_in(root, "s15", {"ex1": f"# {STOP}"})
    result = grade(root, "--jobs", "1")
    assert (result.exit_code, result.stderr) == (2, "course: planted: put it right\n")
    assert len(results(root)) >= STUDENTS - 3
    assert "Traceback" not in result.output


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["09-none"], "there is no lab '09-none'; there are: 01-mini"),
        ([LAB, "--engine", "dusk"], "there is no engine 'dusk'"),
        ([LAB, "--submissions", "nowhere"], "nowhere is no folder, zip or notebook"),
        ([LAB, "--root", "{tmp}"], "there is no lab '01-mini'; there are: none"),
    ],
)
def test_mistakes_are_said_in_one_line(root: Path, mini: Path, tmp_path: Path, arguments: list[str], said: str) -> None:
    given = ["grade", "--root", str(root), *(word.format(tmp=tmp_path) for word in arguments)]
    result = CliRunner().invoke(cli.app, given)
    assert result.exit_code == 2, result.output
    assert said in result.stderr
    assert result.stderr.count("\n") == 1


def test_with_out_everything_but_the_gradebook_goes_there(root: Path, mini: Path, tmp_path: Path) -> None:
    assert grade(root, "--out", str(tmp_path / "elsewhere")).exit_code == 0
    assert sorted(path.name for path in (root / "grading").iterdir()) == ["gradebook.db", "submitted"]
    assert {"autograded", "feedback", "results", "reports"} <= {
        path.name for path in (tmp_path / "elsewhere").iterdir()
    }


def test_a_second_run_of_the_same_lab_is_turned_away(root: Path, mini: Path) -> None:
    assert grade(root).exit_code == 0
    with FileLock(root / "grading" / "results" / f".{LAB}.lock"):
        result = grade(root)
    assert result.exit_code == 2
    assert f"another run is grading {LAB}" in result.stderr
    assert grade(root).exit_code == 0


# --- killed, stopped, full ---


def wait_for(root: Path, count: int, process: "subprocess.Popen[str]") -> None:
    """Wait until so many submissions are graded, or the run is over."""
    while len(results(root)) < count and process.poll() is None:
        time.sleep(0.005)


def below(pid: int) -> list[psutil.Process]:
    return psutil.Process(pid).children(recursive=True)


@needs_posix
@pytest.mark.parametrize("moment", [0, *(pytest.param(one, marks=pytest.mark.weekly) for one in range(1, KILLS))])
def test_kill_9_loses_nothing_and_doubles_nothing(
    root: Path, undisturbed: dict[str, object], tmp_path: Path, moment: int
) -> None:
    """The run is killed again and again before it gets through; each time something is graded for good."""
    log, chance = tmp_path / "log", random.Random(SEED * 1000 + moment)
    for attempt in range(2):
        dask = moment == 0 and attempt == 0 and importlib.util.find_spec("distributed") is not None
        already = len(results(root))
        with start(root, *(["--engine", "dask"] if dask else []), MINI_LOG=str(log), MINI_SECONDS="0.5") as process:
            wait_for(root, already + chance.randrange(1, STUDENTS // 3), process)
            time.sleep(chance.random() * 0.1)
            children = below(process.pid)
            assert process.poll() is None
            process.kill()
            process.communicate()
        assert psutil.wait_procs(children, timeout=10)[1] == []
    graded = results(root)
    assert 0 < len(graded) < STUDENTS
    mark = len(begun(log))
    done = command(root, MINI_LOG=str(log))
    assert done.returncode == 0, done.stderr
    assert len(begun(log)) - mark == STUDENTS - len(graded)
    assert state(root) == undisturbed  # no temporary file either


@needs_posix
def test_a_kill_between_the_files_of_a_student_is_mended(
    root: Path, undisturbed: dict[str, object], mini: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After each single file of a student that is written; an older result must not stand beside newer feedback."""
    grade(root)
    hand_in(root, "s03", RIGHT)
    for count in range(1, 3):
        left = count

        def write_and_die(path: Path, text: str) -> None:
            nonlocal left
            if "s03" in str(path) and left == 0:
                raise SystemExit("planted death")
            left -= "s03" in str(path)
            write_text(path, text)

        with monkeypatch.context() as patch:
            patch.setattr("autograder.cohort.store.write_text", write_and_die)
            assert "planted death" in str(grade(root).exception)
        assert "s03" not in results(root)
    hand_in(root, "s03", ANSWERS[3])
    assert grade(root).exit_code == 0
    assert state(root) == undisturbed


def test_what_a_killed_run_left_half_written_is_cleared_away(
    root: Path, undisturbed: dict[str, object], mini: Path
) -> None:
    grade(root)
    folder = root / "grading"
    for name in (f"results/.{LAB}.json", f"results/{LAB}/.s01.json", f"feedback/s01/{LAB}/.{LAB}.html"):
        (folder / f"{name}.abcdef.tmp").write_text("half")
    assert grade(root).exit_code == 0
    assert state(root) == undisturbed


@needs_posix
@pytest.mark.parametrize("more", [(), pytest.param(("--engine", "dask"), marks=needs_dask)], ids=["local", "dask"])
def test_ctrl_c_stops_cleanly_and_says_how_to_go_on(
    root: Path, undisturbed: dict[str, object], more: tuple[str, ...]
) -> None:
    with start(root, *more, MINI_SECONDS="0.3") as process:
        wait_for(root, 5, process)
        children = below(process.pid)
        os.killpg(process.pid, signal.SIGINT)
        out, errors = process.communicate(timeout=60)
    assert process.returncode == 130, errors
    assert out.endswith("stopped; what is graded is kept: run the same command again to go on\n")
    assert "Traceback" not in errors
    assert psutil.wait_procs(children, timeout=10)[1] == []
    assert 0 < len(results(root)) < STUDENTS
    assert command(root).returncode == 0
    assert state(root) == undisturbed


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk that is full after some students."""
    place = tmp_path / "disk"
    place.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", str(place)], check=True)
    yield place
    subprocess.run(["umount", str(place)], check=True)


@needs_root
@needs_posix
def test_a_full_disk_is_said_and_nothing_is_half_written(
    root: Path, undisturbed: dict[str, object], small_disk: Path
) -> None:
    done = command(root, "--out", str(small_disk))
    assert done.returncode == 2
    assert "No space left on device: make room there; what is graded is kept" in done.stderr
    assert done.stderr.count("\n") == 1
    mine = {".lock", ".txt"}  # a lock, and a secret that is another each time
    written = [path for path in small_disk.rglob("*") if path.is_file() and path.suffix not in mine]
    assert [path for path in written if path.suffix == ".tmp"] == []
    wanted = {
        name: content
        for name, content in undisturbed.items()
        if isinstance(content, bytes) and not name.endswith(".txt")
    }
    found = {path.relative_to(small_disk).as_posix(): path.read_bytes() for path in written}
    assert found
    assert found.items() <= wanted.items()
    subprocess.run(["mount", "-o", "remount,size=20m", str(small_disk)], check=True)
    done = command(root, "--out", str(small_disk))
    assert done.returncode == 0, done.stderr
    assert "were graded before" in done.stdout
    paths = [path for path in small_disk.rglob("*") if path.is_file() and path.suffix not in mine]
    assert {path.relative_to(small_disk).as_posix(): path.read_bytes() for path in paths} == wanted


@needs_root
@needs_posix
def test_a_folder_that_cannot_be_written_is_said(root: Path, small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    done = command(root, "--out", str(small_disk))
    assert done.returncode == 2
    assert "Read-only file system: make the folder writable, or name another one with --out" in done.stderr
    assert done.stderr.count("\n") == 1


def test_on_a_terminal_a_bar_moves_and_only_faults_are_lines() -> None:
    console = Console(width=100, force_terminal=True, color_system=None)
    with console.capture() as shown, Display(console) as display:
        display.begin("01-mini", 5, 3)
        display.note(cohort.Note("ada", "6 of 6"))
        display.live.refresh()
        display.note(cohort.Note("b\x1b[2Job", "not graded: KeyError: 'x'", fault=True))
    text = shown.get()
    assert "01-mini: 5 submissions, 2 were graded before" in text
    assert "1/3" in text
    assert "ada" not in text
    assert "[2/3] b?[2Job: not graded: KeyError: 'x'" in text


# --- what was found ---


def test_what_was_found_is_shown_before_anything_is_graded(root: Path, mini: Path, tmp_path: Path) -> None:
    """lms-collapsed-cohorts, public/16-students-who-vanish: students, files, what is left out and why."""
    right = (root / "grading" / "submitted" / "s00" / LAB / f"{LAB}.ipynb").read_bytes()
    for name in ("ada.ipynb", "Bo, Roe.ipynb", "cy.pdf", "README.md"):
        (tmp_path / "in" / name).parent.mkdir(exist_ok=True)
        (tmp_path / "in" / name).write_bytes(right)
    shown, bo = (
        grade(root, "--submissions", str(tmp_path / "in")).output.splitlines(),
        safe_names(["Bo, Roe"])["Bo, Roe"],
    )
    assert shown[:4] == [
        f"{LAB}: 3 students, 3 files: {bo}, ada, cy",
        "  no points: cy: No notebook was handed in, only this: cy.pdf. Hand in the one notebook of the lab.",
        f"  note: {bo}: named 'Bo, Roe' where it came from",
        "  left out: README.md: is not called like a student's file",
    ]
    assert shown[4] == f"{LAB}: 3 submissions"
    assert results(root) == [bo, "ada", "cy"]


def test_a_student_keeps_the_name_when_a_namesake_comes(root: Path, mini: Path, tmp_path: Path) -> None:
    """denial-names-that-collide: whoever hands in first, in two labs or two runs."""
    right = (root / "grading" / "submitted" / "s00" / LAB / f"{LAB}.ipynb").read_bytes()
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "Ada.ipynb").write_bytes(right)
    assert grade(root, "--submissions", str(tmp_path / "in")).exit_code == 0
    (tmp_path / "in" / "ada.ipynb").write_bytes(right)
    done = grade(root, "--submissions", str(tmp_path / "in"))
    assert "2 students, 2 files: Ada, ada-" in done.output
    assert f"{LAB}: 2 submissions, 1 were graded before" in done.output


def test_a_long_list_is_shortened() -> None:
    sources = tuple(Source(f"s{number}", "", Path(), fault="no") for number in range(100))
    console = Console(width=100, color_system=None)
    with console.capture() as shown:
        Display(console).found(LAB, Found(sources, 100, (("x\x1b[2J", "why"),)))
    lines = shown.get().splitlines()
    assert lines[0].startswith(f"{LAB}: 100 students, 100 files: s0, s1, ")
    assert lines[0].endswith("s59 and 40 more")
    assert lines[1:] == [
        *(f"  no points: s{n}: no" for n in range(10)),
        "  no points: 90 more",
        "  left out: x?[2J: why",
    ]


@needs_posix
@pytest.mark.parametrize(
    ("environment", "shown"),
    [
        ({"PYTHONIOENCODING": "latin-1"}, "Bo M\xfcller, Chi Nguy?n"),
        ({"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, "Bo M?ller, Chi Nguy?n"),
    ],
)
def test_a_terminal_that_is_not_utf8_shows_question_marks(
    root: Path, tmp_path: Path, environment: dict[str, str], shown: str
) -> None:
    """public/25-terminal-that-is-not-utf8; and the names are those of every other terminal."""
    right = (root / "grading" / "submitted" / "s00" / LAB / f"{LAB}.ipynb").read_bytes()
    (tmp_path / "in").mkdir()
    for name in ("Bo Müller", "Chi Nguyễn"):
        (tmp_path / "in" / f"{name}.ipynb").write_bytes(right)
    done = subprocess.run(
        [sys.executable, "-m", "autograder.tests.mini_run", "grade", LAB, "--root", str(root), "--submissions", "in"],
        cwd=tmp_path, env={**os.environ, **environment, "PYTHONPATH": str(ROOT)}, capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert f"2 students, 2 files: {shown}" in done.stdout.decode("latin-1")
    assert results(root) == ["Bo Müller", "Chi Nguyễn"]


# --- with the real grader ---


@needs_posix
@needs_sandbox
def test_the_real_grader_gives_the_same_marks_and_survives_kill_9(root: Path, tmp_path: Path) -> None:
    """`COURSE_KILLS` says at how many moments the run is killed; each kill is of a run of its own."""
    reference = Path(shutil.copytree(root, tmp_path / "reference"))
    done = command(reference, real=True)
    assert done.returncode == 0, done.stderr
    assert totals(reference) == {student(number): SCORES[number % len(SCORES)] for number in range(STUDENTS)}
    chance = random.Random(SEED)
    for _ in range(int(os.environ.get("COURSE_KILLS", "1"))):
        disturbed = Path(shutil.copytree(root, tmp_path / "disturbed"))
        count = chance.randrange(1, STUDENTS - 2)
        with start(disturbed, real=True) as process:
            wait_for(disturbed, count, process)
            time.sleep(chance.random() * 0.3)
            children = below(process.pid)
            assert process.poll() is None
            process.kill()
            process.communicate()
        assert psutil.wait_procs(children, timeout=10)[1] == []
        assert command(disturbed, real=True).returncode == 0
        assert state(disturbed) == state(reference)
        shutil.rmtree(disturbed)


@needs_posix
@needs_sandbox
@needs_dask
def test_the_kernels_of_a_worker_die_with_it(root: Path, tmp_path: Path) -> None:
    """A worker of Dask is killed in the middle of grading; what it had forked is gone, and every mark is there."""
    for number in range(STUDENTS):
        hand_in(root, student(number), {**RIGHT, "ex1": "import time\ntime.sleep(0.5)\n" + RIGHT["ex1"]})
    with start(root, "--engine", "dask", real=True) as process:
        wait_for(root, 2, process)
        workers = [one for one in psutil.Process(process.pid).children() if one.children()]
        orphans = workers[0].children(recursive=True)
        workers[0].kill()
        gone = psutil.wait_procs(orphans, timeout=10)[1] == []
        _, errors = process.communicate(timeout=120)
    assert orphans
    assert gone
    assert process.returncode == 0, errors
    assert set(totals(root).values()) == {6.0}


def test_the_source_is_what_is_graded(root: Path, mini: Path) -> None:
    """A release that is out of date is refused before anything is graded."""
    path = root / SOURCE
    path.write_text(path.read_text(encoding="utf-8").replace("a point has no area", "a dot has no area"), "utf-8")
    result = grade(root)
    assert result.exit_code == 2
    assert "is not the release of its source" in result.stderr
    assert begun(mini) == []


# --- report and release ---


def mark_by_hand(root: Path, student: str, points: float) -> None:
    with Gradebook(f"sqlite:///{root / 'grading' / 'gradebook.db'}") as gradebook:
        marked = gradebook.find_grade("ex1-test", LAB, LAB, student)
        marked.manual_score, marked.needs_manual_grade = points, False
        gradebook.db.commit()


def waits(root: Path) -> list[str]:
    """Return the students whom a human has to mark."""
    with Gradebook(f"sqlite:///{root / 'grading' / 'gradebook.db'}") as gradebook:
        found = gradebook.find_assignment(LAB).submissions
        return sorted(one.student.id for one in found if one.needs_manual_grade)


def test_report_takes_over_what_was_marked_by_hand(root: Path, mini: Path) -> None:
    grade(root)
    mark_by_hand(root, "s03", 1.5)
    before = state(root)
    mini.unlink()
    result = CliRunner().invoke(cli.app, ["report", LAB, "--root", str(root)])
    assert result.exit_code == 0, result.output
    assert begun(mini) == []
    changed = {name for name, content in state(root).items() if content != before[name]}
    page = f"feedback/s03/{LAB}/{LAB}.html"
    assert changed == {page, f"reports/{LAB}/canvas.csv", f"reports/{LAB}/moodle.csv"}
    assert "s03,1.5" in (root / "grading" / "reports" / LAB / "moodle.csv").read_text(encoding="utf-8")


def test_a_mark_by_hand_is_looked_at_again_only_if_the_submission_changed(root: Path, mini: Path) -> None:
    grade(root)
    mark_by_hand(root, "s03", 1.5)
    mark_by_hand(root, "s04", 1.5)
    hand_in(root, "s04", RIGHT)
    assert grade(root).exit_code == 0
    assert waits(root) == ["s04"]


@needs_posix
def test_a_gradebook_that_is_gone_is_written_again(root: Path, mini: Path) -> None:
    grade(root)
    before = state(root)
    (root / "grading" / "gradebook.db").unlink()
    assert grade(root).exit_code == 0
    assert state(root) == before


def test_report_fills_in_what_the_lms_wrote(root: Path, mini: Path, tmp_path: Path) -> None:
    grade(root)
    export = tmp_path / "export.csv"
    head = f"Student,ID,SIS User ID,SIS Login ID,Section,{LAB} (7)\r\n    Points Possible,,,,,6\r\n"
    export.write_bytes((head + "Ada,1,s00,ada,A,\r\nEve,2,eve,eve,A,3\r\n").encode())
    result = CliRunner().invoke(cli.app, ["report", LAB, "--root", str(root), "--canvas", str(export)])
    assert result.exit_code == 0, result.output
    text = (root / "grading" / "reports" / LAB / "canvas.csv").read_bytes().decode()
    assert text == head + "Ada,1,s00,ada,A,6\r\nEve,2,eve,eve,A,3\r\n"
    assert "canvas.csv: left as they were: Eve" in result.output
    for wrong in (tmp_path / "none.csv", root / "grading" / "gradebook.db"):
        result = CliRunner().invoke(cli.app, ["report", LAB, "--root", str(root), "--canvas", str(wrong)])
        assert result.exit_code == 2
        assert str(wrong) in result.stderr


def test_report_needs_a_graded_lab_that_has_not_changed(root: Path, mini: Path) -> None:
    result = CliRunner().invoke(cli.app, ["report", LAB, "--root", str(root)])
    assert result.exit_code == 2
    assert f"run `python3 bootstrap.py grade {LAB}`" in result.stderr
    grade(root)
    path = root / LAB_TEXT
    path.write_text(path.read_text(encoding="utf-8").replace("area(3) -", "area(3.0) -"), encoding="utf-8")
    build(root=root)
    result = CliRunner().invoke(cli.app, ["report", LAB, "--root", str(root)])
    assert result.exit_code == 2
    assert f"{LAB} has changed since it was graded" in result.stderr


def test_release_makes_what_the_build_makes_and_enters_the_lab(root: Path) -> None:
    made = {path.name: path.read_bytes() for path in (root / "labs" / LAB).iterdir()}
    shutil.rmtree(root / "labs")
    result = CliRunner().invoke(cli.app, ["release", LAB, "--root", str(root)])
    assert result.exit_code == 0, result.output
    assert result.output == f"hand out {root / 'labs' / LAB}\n"
    assert {path.name: path.read_bytes() for path in (root / "labs" / LAB).iterdir()} == made
    with Gradebook(f"sqlite:///{root / 'grading' / 'gradebook.db'}") as gradebook:
        assert gradebook.find_assignment(LAB).max_score == 6
    text = root / LAB_TEXT
    text.write_text(text.read_text(encoding="utf-8").replace("# 01 Mini", "# 01 Other"), encoding="utf-8")
    result = CliRunner().invoke(cli.app, ["release", LAB, "--root", str(root)])
    assert (result.exit_code, "`python3 bootstrap.py build" in result.stderr) == (2, True)
    result = CliRunner().invoke(cli.app, ["release", "09-none", "--root", str(root)])
    assert (result.exit_code, result.stderr) == (2, f"course: there is no lab '09-none'; there are: {LAB}\n")


def test_an_assignment_of_several_notebooks_is_one_column(tmp_path: Path, mini: Path) -> None:
    """A course in nbgrader's own folders; the marks of both notebooks add up."""
    for name, points in (("one", 2), ("two", 3)):
        cells = [answer("a", "### BEGIN SOLUTION\nx = 1\n### END SOLUTION"), graded("t", "assert x == 1", points)]
        notebook(tmp_path / "source" / "ps1" / f"{name}.ipynb", *cells)
    (tmp_path / "nbgrader_config.py").write_text("c = get_config()\n", encoding="utf-8")
    assert CliRunner().invoke(cli.app, ["release", "ps1", "--root", str(tmp_path)]).exit_code == 0
    for name, folder in (("ada", "source"), ("bob", "release")):
        shutil.copytree(tmp_path / folder / "ps1", tmp_path / "submitted" / name / "ps1")
    result = CliRunner().invoke(cli.app, ["grade", "ps1", "--root", str(tmp_path)])
    assert result.exit_code == 0, result.output
    table = (tmp_path / "grading" / "reports" / "ps1" / "moodle.csv").read_text(encoding="utf-8")
    assert table == "Student,ps1\nada,5\nbob,0\n"
    for path in ("autograded/ada/ps1/one.ipynb", "feedback/bob/ps1/two.html"):
        assert (tmp_path / path).is_file()
    assert set(scores(tmp_path).values()) == {2.0, 3.0, 0.0}
