"""What a learner is told about a lab, whatever they wrote into it."""

import os
import re
import sys
import time
from pathlib import Path

import pytest
from rich.console import Console

from autograder.door import FOLDER, Door
from course.check import Exercise, _was_edited, check, read_notebook, render
from course.paths import ROOT, CourseError, labs
from tests.small_tree import Cell, answer, code, graded, lab, markdown

FIRST = (markdown("# Lab\n\n## Exercise 1: *double*\n\nDo it."), answer("ex1", "def double(x):\n    return 2 * x"))
TEST = graded("ex1-test", "assert double(2) == 4, 'double(2) is 4: multiply by two'", 2)
SECOND = (
    markdown("## Exercise 2: `half`"),
    answer("ex2", "def half(x):\n    return x / 2"),
    graded("ex2-test", "assert half(2) == 1, 'half(2) is 1'", 1),
)


def hints(root: Path, *cells: Cell, timeout: int = 20) -> list[str]:
    return [exercise.hint for exercise in check(lab(root, "01-lab", *cells), root, timeout)]


def test_each_exercise_has_its_title_points_and_hint(tmp_path: Path) -> None:
    wrong = answer("ex2", "def half(x):\n    return x")
    path = lab(tmp_path, "01-lab", *FIRST, TEST, SECOND[0], wrong, SECOND[2])
    assert check(path, tmp_path) == [
        Exercise("ex1-test", "Exercise 1: double", 2.0, ""),
        Exercise("ex2-test", "Exercise 2: half", 1.0, "half(2) is 1"),
    ]


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ("...  # your code here", r"NameError: name 'double' is not defined"),
        ("def double(x):\n    ...  # your code here", r"^double\(2\) is 4: multiply by two$"),
        ("def double(x)\n    return 2 * x", r"^a cell above stops with SyntaxError: expected ':' \(line 1\)$"),
        ("import no_such_thing", r"^a cell above stops with ModuleNotFoundError: No module named 'no_such_thing'$"),
        ("def double(x):\n    return x.twice", r"^AttributeError: 'int' object has no attribute 'twice'$"),
        ("raise ValueError", r"^a cell above stops with ValueError$"),
        ("import sys; sys.exit()", r"^a cell above stops with SystemExit"),
        ("def double(x):\n    assert x == 3\n    return 2 * x", r"^this does not hold: assert"),
        ("def double(x):\n    assert False, 'w' * 5000", r"^w{299}…$"),
    ],
)
def test_what_a_wrong_answer_is_told(tmp_path: Path, source: str, hint: str) -> None:
    first, second = hints(tmp_path, FIRST[0], answer("ex1", source), TEST, *SECOND)
    assert re.search(hint, first)
    assert "\n" not in first
    assert second == ""


def test_an_early_error_is_named_where_it_shows(tmp_path: Path) -> None:
    found = hints(tmp_path, code("import no_such_thing\nk = 2"), *FIRST, TEST, graded("ex2-test", "assert k == 2", 1))
    assert found == ["", "a cell above stops with ModuleNotFoundError: No module named 'no_such_thing'"]


def test_a_loop_is_interrupted_and_the_rest_is_run(tmp_path: Path) -> None:
    endless = answer("ex1", "while True:\n    pass")
    first, second = hints(tmp_path, FIRST[0], endless, TEST, *SECOND, timeout=2)
    assert first == "a cell above stops with still running after 2 s: is there a loop that never ends?"
    assert second == ""


def test_a_loop_that_cannot_be_interrupted_fails_the_rest(tmp_path: Path) -> None:
    source = "import signal\nsignal.signal(signal.SIGINT, signal.SIG_IGN)\nwhile True:\n    pass"
    begin = time.monotonic()
    found = hints(tmp_path, *FIRST, TEST, SECOND[0], answer("ex2", source), SECOND[2], timeout=2)
    assert found[0] == ""
    assert found[1].startswith("a cell above stops with still running after 2 s")
    assert time.monotonic() - begin < 60


def test_a_kernel_that_dies_fails_the_rest(tmp_path: Path) -> None:
    first, second = hints(tmp_path, FIRST[0], answer("ex1", "import os; os._exit(0)"), TEST, *SECOND)
    assert first.startswith("a cell above stops with Python itself ended here")
    assert second.endswith("because Python itself ended in an earlier cell")


@pytest.mark.skipif(sys.platform != "linux", reason="only there can a warm process be forked")
def test_warm_or_not_a_learner_is_told_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    endless = answer("ex2", "def half(x):\n    while True:\n        pass")
    who = code("import os, pathlib; pathlib.Path(os.environ['WHO']).write_text(str(os.getppid()))")
    cells = (
        who,
        *FIRST,
        TEST,
        SECOND[0],
        endless,
        SECOND[2],
        graded("ex3", "import os; os._exit(1)", 1),
        graded("ex4", "1"),
    )
    monkeypatch.setenv("WHO", str(tmp_path / "who"))
    cold = hints(tmp_path, *cells, timeout=5)
    assert (tmp_path / "who").read_text(encoding="utf-8") == str(os.getpid())
    with Door(os.environ) as door:
        monkeypatch.setenv(FOLDER, str(door.folder))
        assert hints(tmp_path, *cells, timeout=5) == cold
        assert (tmp_path / "who").read_text(encoding="utf-8") == str(door.process.pid)
    assert hints(tmp_path, *cells, timeout=5) == cold, "a parent that is gone breaks a check"
    assert [bool(hint) for hint in cold] == [False, True, True, True]


def test_a_call_of_exit_passes_nothing(tmp_path: Path) -> None:
    first, second = hints(tmp_path, FIRST[0], answer("ex1", "exit()"), TEST, *SECOND)
    assert first.startswith("a cell above stops with Python itself ended here")
    assert second.endswith("because Python itself ended in an earlier cell")


def test_a_test_that_is_hidden_until_grading_is_not_an_exercise_that_passed(tmp_path: Path) -> None:
    assert hints(tmp_path, *FIRST, TEST, graded("ex1-unseen", "", 2), graded("ex1-unseen-2", "# hidden", 2)) == [""]


def test_a_test_that_is_not_run_has_not_passed(tmp_path: Path) -> None:
    skipped = {**TEST, "metadata": {**TEST["metadata"], "tags": ["skip-execution"]}}
    assert hints(tmp_path, *FIRST, skipped) == ["the cell was not run"]


def test_a_test_that_was_edited_has_not_passed(tmp_path: Path) -> None:
    marks = {**TEST["metadata"]["nbgrader"], "checksum": "0" * 32}
    assert hints(tmp_path, *FIRST, {**TEST, "metadata": {"nbgrader": marks}}) == [
        "the test itself was changed: put the original back."
    ]


def test_the_checksum_is_nbgraders(tmp_path: Path) -> None:
    from nbgrader.utils import compute_checksum

    cell = read_notebook(lab(tmp_path, "01-lab", *FIRST, TEST)).cells[2]
    cell.metadata.nbgrader["checksum"] = compute_checksum(cell)
    assert not _was_edited(cell)
    cell.source += " "
    assert _was_edited(cell)


def test_the_file_is_not_changed_and_nothing_is_left(tmp_path: Path) -> None:
    path = lab(tmp_path, "01-lab", *FIRST, code("open('written.txt', 'w').write('x')"), TEST)
    (path.parent / "data.csv").write_text("a,b\n", encoding="utf-8")
    before = path.read_bytes()
    check(path, tmp_path)
    assert path.read_bytes() == before
    assert sorted(found.name for found in path.parent.iterdir()) == ["01-lab.ipynb", "data.csv"]
    assert list((tmp_path / "build" / "scratch").iterdir()) == []


def test_data_beside_the_lab_can_be_read(tmp_path: Path) -> None:
    path = lab(tmp_path, "01-lab", graded("ex1-test", "assert open('data.csv').read() == 'a,b'", 1))
    (path.parent / "data.csv").write_text("a,b", encoding="utf-8")
    assert [exercise.hint for exercise in check(path, tmp_path)] == [""]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "not valid JSON"),
        (b'{"cells": [', "not valid JSON"),
        (b"\xff\xfe\x00", "not text in UTF-8"),
        (b"{}", "not a notebook that can be read"),
        (b"[1, 2]", "not a notebook that can be read"),
        (b'{"cells": 3, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}', "not a notebook that can be read"),
        (b'{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}', "holds no visible tests"),
    ],
)
def test_a_broken_notebook_is_a_clear_error(tmp_path: Path, content: bytes, said: str) -> None:
    path = lab(tmp_path, "01-lab")
    path.write_bytes(content)
    with pytest.raises(CourseError, match=said):
        check(path, tmp_path)


def test_a_missing_notebook_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(CourseError, match="there is no notebook"):
        check(tmp_path / "x.ipynb", tmp_path)


def test_eight_exercises_with_long_hints_fit_on_a_screen() -> None:
    exercises = [Exercise(f"ex{n}", f"Exercise {n}: a title of usual length", 2, "word " * 60) for n in range(8)]
    console = Console(width=120)
    with console.capture() as text:
        console.print(render(Path("01-lab.ipynb"), exercises))
    assert len(text.get().splitlines()) <= 50
    assert "0 of 8 pass. Next: Exercise 0" in text.get()


@pytest.mark.parametrize("name", labs(ROOT))
def test_an_untouched_lab_gives_hints_and_no_points(name: str) -> None:
    """Of every lab there is: who has not answered yet reads what to do, not an error."""
    exercises = check(ROOT / "labs" / name / f"{name}.ipynb", ROOT)
    for exercise in exercises:
        assert not exercise.passed
        assert not re.match(r"\w*(Error|Exception)\b|a cell above|this does not hold|not run", exercise.hint), exercise


def test_asserts_are_on_whatever_the_shell_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """public/08-asserts-switched-off: with PYTHONOPTIMIZE every test would pass, and that is found out."""
    monkeypatch.setenv("PYTHONOPTIMIZE", "1")
    empty = (FIRST[0], answer("ex1", "def double(x):\n    ..."), TEST)
    assert hints(tmp_path, *empty) == ["double(2) is 4: multiply by two"]
    monkeypatch.setattr("course.check.plain_environment", lambda: dict(os.environ))
    with pytest.raises(CourseError, match="asserts are switched off in this kernel"):
        hints(tmp_path / "again", *empty)
