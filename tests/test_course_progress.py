"""What is remembered of a learner, and that nothing of it is lost."""

import json
from pathlib import Path
from threading import Thread

import pytest
from rich.console import Console

from course.progress import LabScore, load, note_lab, note_lessons, render, steps
from tests.small_tree import code, lab, lesson, markdown, notebook


def shown(root: Path) -> str:
    console = Console(width=100)
    with console.capture() as text:
        console.print(render(steps(root), root))
    return text.get()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("01-intro/01-first", "01-intro/02-second", "02-pipes/01-third"):
        lesson(tmp_path, name, "1", "2")
    lab(tmp_path, "01-lab")
    return tmp_path


def states(root: Path) -> dict[str, str]:
    return {f"{step.chapter}/{step.name}": step.state for step in steps(root)}


def test_who_has_done_nothing_begins_with_the_first_lesson(root: Path) -> None:
    assert list(states(root)) == ["01-intro/01-first", "01-intro/02-second", "01-intro/01-lab", "02-pipes/01-third"]
    assert set(states(root).values()) == {"open"}
    assert "Next: chapters/01-intro/notebooks/01-first.ipynb" in shown(root)
    assert not (root / "var").exists()


def test_runs_and_checks_are_remembered(root: Path) -> None:
    note_lessons(root, {"01-intro/01-first": True, "01-intro/02-second": False})
    note_lab(root, "01-lab", LabScore(passed=2, exercises=3, points=9, hidden=7))
    assert list(states(root).values()) == ["done", "begun", "begun", "open"]
    assert "visible tests pass in 2 of 3 exercises" in shown(root)
    assert "1 of 3 lessons done, 0 of 1 labs done" in shown(root)
    note_lessons(root, {"01-intro/02-second": True})
    note_lab(root, "01-lab", LabScore(passed=3, exercises=3, points=9, hidden=7))
    assert list(states(root).values()) == ["done", "done", "checked", "open"]
    assert "Next: chapters/02-pipes/notebooks/01-third.ipynb" in shown(root)


@pytest.mark.parametrize(
    ("score", "state", "note"),
    [
        (LabScore(passed=0, exercises=0), "begun", "0 of 0 visible tests pass: check it again"),
        (
            LabScore(passed=9, exercises=9),
            "begun",
            "9 of 9 visible tests pass: check it again",
        ),  # noted before points were
        (
            LabScore(passed=3, exercises=3, points=9, hidden=7),
            "checked",
            "visible tests pass: 7 of 9 points are decided by tests you cannot see",
        ),
        (LabScore(passed=3, exercises=3, points=9), "checked", "visible tests pass"),
        (LabScore(passed=3, exercises=3, points=9, hidden=0), "done", "all tests pass"),
        (LabScore(passed=2, exercises=3, points=9, score=7), "begun", "7 of 9 points"),
        (LabScore(passed=3, exercises=3, points=9, score=9), "done", "9 of 9 points"),
    ],
)
def test_done_is_said_only_where_nothing_is_left_to_decide(root: Path, score: LabScore, state: str, note: str) -> None:
    note_lab(root, "01-lab", score)
    found = next(step for step in steps(root) if step.kind == "lab")
    assert (found.state, found.note) == (state, note)
    assert f"{int(state == 'done')} of 1 labs done" in shown(root)


def test_cells_that_the_learner_ran_and_saved_count(root: Path) -> None:
    folder = root / "chapters" / "01-intro" / "notebooks"
    notebook(folder / "01-first.ipynb", markdown("# x"), code("1", count=1), code("2", count=2), code(""))
    notebook(folder / "02-second.ipynb", markdown("# x"), code("1", count=7), code("2"))
    assert list(states(root).values())[:2] == ["done", "begun"]
    assert "1 of 2 cells run" in shown(root)


def test_a_broken_lesson_does_not_hide_the_others(root: Path) -> None:
    (root / "chapters" / "01-intro" / "notebooks" / "01-first.ipynb").write_text("{", encoding="utf-8")
    assert "the notebook cannot be read" in shown(root)
    assert len(states(root)) == 4


@pytest.mark.parametrize("damage", [b"", b"{", b"\xff\xfe", b'{"version": 1, "labs": {"01-lab": 3}}', b"[]"])
def test_a_damaged_file_is_kept_aside(root: Path, damage: bytes, capsys: pytest.CaptureFixture[str]) -> None:
    path = root / "var" / "progress.json"
    path.parent.mkdir()
    for number in (1, 2):
        path.write_bytes(damage)
        note_lessons(root, {"01-intro/01-first": True})
        assert f"kept beside as progress.damaged-{number}.json" in capsys.readouterr().err
    assert path.with_name("progress.damaged-1.json").read_bytes() == damage
    assert path.with_name("progress.damaged-2.json").read_bytes() == damage
    assert load(root).lessons == {"01-intro/01-first": True}


def test_notes_at_the_same_time_are_all_kept(root: Path) -> None:
    threads = [Thread(target=note_lessons, args=(root, {f"01-intro/{number}": True})) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(json.loads((root / "var" / "progress.json").read_text(encoding="utf-8"))["lessons"]) == 20


def test_a_course_that_is_done_says_so(root: Path) -> None:
    note_lessons(root, {f"{step.chapter}/{step.name}": True for step in steps(root) if step.kind == "lesson"})
    note_lab(root, "01-lab", LabScore(passed=3, exercises=3, points=9, score=9))
    assert "That was all." in shown(root)
