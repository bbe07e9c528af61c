"""The grader's verdict for a learner alone: points and hints as on the feedback page, and no line of a hidden test."""

import shutil
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from base.errors import UserError
from course import cli, verdict
from course.progress import load
from course.verdict import grade_alone, render
from kernels.forks import can_fork
from tests.mini_course import LAB, RELEASE, SOURCE

pytestmark = pytest.mark.skipif(not can_fork(), reason="the grader runs on Linux only")


def full(root: Path) -> Result:
    return CliRunner().invoke(cli.app, ["--root", str(root), "check", LAB, "--full"])


def learn(root: Path, answer: str) -> Path:
    """Put the reference answers into the learner's notebook, of exercise 1 this one."""
    text = (root / SOURCE).read_text(encoding="utf-8")
    assert "math.pi * radius**2" in text
    (root / RELEASE).write_text(text.replace("math.pi * radius**2", answer), encoding="utf-8")
    return root / RELEASE


def test_a_learner_gets_points_and_hints_and_no_hidden_line(root: Path) -> None:
    path = learn(root, "2 * math.pi * radius")
    before = path.read_bytes()
    result = full(root)
    assert result.exit_code == 1, result.output
    assert "4 of 6 points, hidden tests included." in result.output
    assert "area(3) is nine times area(1)" in result.output
    assert "28.27" not in result.output, "a line of a hidden test"
    assert path.read_bytes() == before
    assert not list(root.rglob("gradebook.db")), "nothing is entered anywhere"
    score = load(root).labs[LAB]
    assert (score.score, score.points, score.note) == (4, 6, "4 of 6 points")
    learn(root, "math.pi * radius**2")
    result = full(root)
    assert (result.exit_code, "6 of 6 points" in result.output) == (0, True)
    assert load(root).labs[LAB].state == "done"


def test_an_untouched_release_gets_nothing(root: Path) -> None:
    found = grade_alone(root / RELEASE, root)
    assert (found.score, found.points) == (0, 6)
    assert "a point has no area" in found.exercises[0].hints[0]


def test_where_the_hidden_tests_are_not_here_it_says_so(root: Path) -> None:
    shutil.rmtree(root / "solutions")
    with pytest.raises(UserError, match=r"hidden tests of 01-mini are not in this folder: hand it in"):
        grade_alone(root / RELEASE, root)


def test_another_system_is_told_where_the_grader_runs(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verdict, "can_fork", lambda: False)
    result = full(root)
    assert result.exit_code == 2
    assert "the grader runs on Linux only: open the course in Codespaces" in result.output
    assert "Traceback" not in result.output


def test_without_a_sandbox_it_grades_and_says_so(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(verdict, "why_not", lambda: "this machine allows none")
    found = grade_alone(learn(root, "math.pi * radius**2"), root)
    assert found.score == found.points
    assert "without a sandbox (this machine allows none)" in found.notes[0]
    console = Console(width=120)
    with console.capture() as text:
        console.print(render(found))
    assert "full points" in text.get()
