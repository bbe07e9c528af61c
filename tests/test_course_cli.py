"""The command itself: exit codes, messages, and that it starts fast."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
from typer.testing import CliRunner, Result

from authoring.repository import ROOT
from course import cli
from course.progress import load
from tests.mini_course import LESSON, make_course
from tests.small_tree import answer, graded, lab, lesson, markdown

HEAVY = ("jupyter_client", "mlflow", "nbclient", "nbformat", "numpy", "pandas", "papermill", "psutil", "pydantic")


def course(root: Path, *arguments: str) -> Result:
    return CliRunner().invoke(cli.app, ["--root", str(root), *arguments])


def graded_lab(root: Path, right: bool = True) -> Path:
    body = "def f():\n    return 1" if right else "def f():\n    ...  # your code here"
    test = graded("ex1-test", "assert f() == 1, 'f() is 1'", 2)
    return lab(root, "01-lab", markdown("# Exercise 1: one"), answer("ex1", body), test)


@pytest.mark.skipif(sys.platform == "win32", reason="locales as on Unix")
@pytest.mark.parametrize(
    ("environment", "shown"),
    [
        ({"PYTHONIOENCODING": "latin-1"}, b"there is no lab 'Nguy?n M\xfcller'"),
        ({"LC_ALL": "POSIX", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, b"there is no lab 'Nguy"),
    ],
)
def test_a_command_shows_what_a_terminal_can(environment: dict[str, str], shown: bytes) -> None:
    """public/25-terminal-that-is-not-utf8: a message with letters that the terminal has not, and no traceback."""
    command = [sys.executable, "-m", "course.cli", "check", "Nguyễn Müller"]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, capture_output=True, check=False)
    assert (done.returncode, done.stderr.count(b"\n")) == (2, 1)
    assert shown in done.stderr


def test_help_and_version_import_nothing_heavy() -> None:
    program = (
        "import sys, course.cli\n"
        "from typer.testing import CliRunner\n"
        "for option in ('--help', '--version'):\n"
        "    result = CliRunner().invoke(course.cli.app, [option])\n"
        "    assert result.exit_code == 0, result.output\n"
        f"print([name for name in {HEAVY} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_help_names_every_verb(tmp_path: Path) -> None:
    text = course(tmp_path, "--help").output
    for verb in ("start", "check", "progress", "reset", "solution", "run", "doctor", "build", "prove", "test"):
        assert f" {verb} " in text


def test_the_version_is_the_packages(tmp_path: Path) -> None:
    from importlib.metadata import version

    assert course(tmp_path, "--version").output == f"course {version('oakbank-course')}\n"


def test_check_passes_only_if_every_exercise_does(tmp_path: Path) -> None:
    lesson(tmp_path, "01-intro/01-first", "1")
    graded_lab(tmp_path, right=False)
    result = course(tmp_path, "check", "01")
    assert (result.exit_code, "f() is 1" in result.output) == (1, True)
    assert "Traceback" not in result.output
    assert load(tmp_path).labs["01-lab"].passed == 0
    graded_lab(tmp_path)
    result = course(tmp_path, "check", "01-lab")
    assert (result.exit_code, "1 of 1 exercises pass their visible tests" in result.output) == (0, True)
    assert load(tmp_path).labs["01-lab"].state == "checked"
    assert "0 of 1 labs done, 1 more pass what you can see" in course(tmp_path, "progress").output.replace("\n", " ")


def test_a_name_means_the_learners_copy_and_a_path_what_it_says(tmp_path: Path) -> None:
    (tmp_path / "chapters" / "01-intro").mkdir(parents=True)
    tracked = graded_lab(tmp_path, right=False)
    assert "Next: work/labs/01-lab/01-lab.ipynb" in course(tmp_path, "progress").output
    copy = tmp_path / "work" / "labs" / "01-lab" / "01-lab.ipynb"
    copy.write_text(copy.read_text(encoding="utf-8").replace("...  # your code here", "return 1"), encoding="utf-8")
    assert course(tmp_path, "check", "01-lab").exit_code == 0
    assert load(tmp_path).labs["01-lab"].state == "checked"
    assert course(tmp_path, "check", str(tracked)).exit_code == 1
    assert course(tmp_path, "check", str(copy)).exit_code == 0


def test_reset_wants_a_name_or_all(tmp_path: Path) -> None:
    graded_lab(tmp_path)
    course(tmp_path, "progress")
    for words in ([], ["01-lab", "--all"]):
        result = course(tmp_path, "reset", *words)
        assert (result.exit_code, "name the lesson or lab" in result.stderr) == (2, True)
    assert "work/labs/01-lab/01-lab.ipynb is as it came already." in course(tmp_path, "reset", "01-lab").output
    assert "Everything is as it came already." in course(tmp_path, "reset", "--all").output
    assert "is not in this folder" in course(tmp_path, "solution", "01-lab").stderr


def test_a_copy_that_cannot_be_read_is_put_right_by_reset(tmp_path: Path) -> None:
    graded_lab(tmp_path)
    course(tmp_path, "progress")
    copy = tmp_path / "work" / "labs" / "01-lab" / "01-lab.ipynb"
    copy.write_text("{", encoding="utf-8")
    assert "`python3 bootstrap.py reset 01-lab` keeps it in work/kept/" in course(tmp_path, "check", "01-lab").stderr
    assert course(tmp_path, "reset", "01-lab").exit_code == 0
    assert course(tmp_path, "check", "01-lab").exit_code == 0
    assert (tmp_path / "work" / "kept" / "labs" / "01-lab" / "01-lab-1.ipynb").read_text(encoding="utf-8") == "{"


def test_a_notebook_elsewhere_is_checked_but_not_noted(tmp_path: Path) -> None:
    elsewhere = graded_lab(tmp_path / "elsewhere")
    assert course(tmp_path, "check", str(elsewhere)).exit_code == 0
    assert load(tmp_path).labs == {}


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["check", "09"], "there is no lab '09'; there are: 01-lab"),
        (["check", "01-lab"], "cannot be read as a notebook"),
        (["run", "09"], "there are no chapters yet"),
    ],
)
def test_what_the_user_can_put_right_is_one_line(tmp_path: Path, arguments: list[str], said: str) -> None:
    graded_lab(tmp_path).write_text("{", encoding="utf-8")
    result = course(tmp_path, *arguments)
    assert result.exit_code == 2
    assert said in result.stderr
    assert result.stderr.startswith("course: ")
    assert "Traceback" not in result.output


def test_run_passes_only_if_everything_ran(tmp_path: Path) -> None:
    lesson(tmp_path, "01-intro/01-first", "1")
    result = course(tmp_path, "run", "--no-flight")
    assert result.exit_code == 0, result.output
    assert re.fullmatch(r"wall .* = [\d.]+, (within|over) the bar of 1\.6", result.output.splitlines()[-1])
    lesson(tmp_path, "01-intro/02-second", "1 / 0")
    result = course(tmp_path, "run", "01", "--jobs", "1")
    assert result.exit_code == 1
    assert "ZeroDivisionError" in result.output


@pytest.mark.skipif(sys.platform == "win32", reason="sends a signal to a process group")
def test_ctrl_c_ends_the_run_and_all_it_started(tmp_path: Path) -> None:
    for number in range(4):
        lesson(tmp_path, f"01-intro/0{number}-x", "import time; time.sleep(99)")
    command = [sys.executable, "-m", "course.cli", "--root", str(tmp_path), "run", "--no-flight", "-j", "2"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True) as process:
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(3)]
        assert [line.split()[0] for line in lines[1:]] == ["start", "start"]
        time.sleep(6)  # until the kernels are up
        below = psutil.Process(process.pid).children(recursive=True)
        assert len(below) >= 2
        os.killpg(process.pid, signal.SIGINT)
        rest = process.stdout.read()
        assert process.wait(60) == 130
    assert rest.endswith("stopped; what had run is noted\n")
    assert psutil.wait_procs(below, timeout=10)[1] == []


def test_offline_where_it_cannot_be_ends_with_the_reason(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from base import offline

    monkeypatch.setattr(offline, "has_network", lambda: True)
    monkeypatch.setattr(offline, "_probe", lambda: ([], "planted reason"))
    lesson(tmp_path, "01-intro/01-first", "1")
    result = course(tmp_path, "run", "--offline")
    assert (result.exit_code, result.stderr) == (2, "course: planted reason\n")


def test_doctor_fails_only_for_what_is_required(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert course(tmp_path, "doctor").exit_code == 0
    monkeypatch.setattr("course.doctor.PACKAGES", ("no_such_package",))
    result = course(tmp_path, "doctor")
    assert (result.exit_code, "no_such_package" in result.output) == (1, True)


def test_build_check_fails_on_a_difference_and_build_mends_it(tmp_path: Path) -> None:
    root = make_course(tmp_path)
    assert course(root, "build").exit_code == 0
    assert course(root, "build", "--check").output == "nothing differs\n"
    lesson_file = root / LESSON
    lesson_file.write_text(lesson_file.read_text(encoding="utf-8") + "\n# %%\n2\n", encoding="utf-8")
    result = course(root, "build", "--check", "--only", "01-first")
    assert (result.exit_code, "01-first.ipynb: differs" in result.output) == (1, True)
    assert course(root, "build", "--only", "01-first").exit_code == 0
    assert course(root, "build", "--check", "--only", "01-first").exit_code == 0


def test_tests_run_in_place_of_the_command_with_all_arguments(tmp_path: Path) -> None:
    (tmp_path / "test_two.py").write_text("def test_a(): pass\ndef test_b(): assert 0\n", encoding="utf-8")
    command = [sys.executable, "-m", "course.cli", "--root", str(tmp_path), "test", "-n", "0", "-k", "test_a", "-q"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[-1].startswith("1 passed, 1 deselected")
    done = subprocess.run([*command[:-4], "2", "-q"], capture_output=True, text=True)
    assert done.returncode == 1
    assert "1 failed, 1 passed" in done.stdout.splitlines()[-1]


def test_without_the_test_tools_it_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    result = course(tmp_path, "test")
    assert (result.exit_code, "python3 bootstrap.py test" in result.stderr) == (2, True)
