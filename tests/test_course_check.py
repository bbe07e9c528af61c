"""What a learner is told about a lab, whatever they wrote into it."""

import json
import os
import re
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from authoring.repository import ROOT
from autograder.lab.cells import is_changed
from base.errors import UserError
from base.process import plain_environment
from course.check import Checked, Checkup, check, render
from course.learner import read_notebook
from course.paths import labs
from kernels.door import FOLDER, Door
from tests.small_tree import Cell, answer, code, graded, lab, markdown

CONFLICT = b'{\n "cells": [\n<<<<<<< HEAD\n  {"cell_type": "code"}\n=======\n>>>>>>> theirs\n ]\n}\n'
FIRST = (markdown("# Lab\n\n## Exercise 1: *double*\n\nDo it."), answer("ex1", "def double(x):\n    return 2 * x"))
TEST = graded("ex1-test", "assert double(2) == 4, 'double(2) is 4: multiply by two'", 2)
SECOND = (
    markdown("## Exercise 2: `half`"),
    answer("ex2", "def half(x):\n    return x / 2"),
    graded("ex2-test", "assert half(2) == 1, 'half(2) is 1'", 1),
)


def hints(root: Path, *cells: Cell, timeout: int = 20) -> list[str]:
    return [exercise.hint for exercise in check(lab(root, "01-lab", *cells), root, timeout).exercises]


def shown(found: Checkup, full: str = "") -> str:
    console = Console(width=120)
    with console.capture() as text:
        console.print(render(found, full))
    return text.get()


def test_each_exercise_has_its_title_points_and_hint(tmp_path: Path) -> None:
    wrong = answer("ex2", "def half(x):\n    return x")
    part = graded("ex2-test-type", "assert half(2) is not None, 'half: return a number'", 3)
    path = lab(tmp_path, "01-lab", *FIRST, TEST, SECOND[0], wrong, SECOND[2], part)
    assert check(path, tmp_path).exercises == (
        Checked("ex1", "Exercise 1: double", 2.0, 1, 1, ""),
        Checked("ex2", "Exercise 2: half", 4.0, 2, 1, "half(2) is 1"),
    )


def test_tests_are_called_tests_and_exercises_exercises(tmp_path: Path) -> None:
    part = graded("ex2-test-type", "assert half(2) is not None, 'half: return a number'", 3)
    text = shown(check(lab(tmp_path, "01-lab", *FIRST, TEST, *SECOND, part), tmp_path))
    assert "2 of 2 exercises pass their visible tests (3 of 3 tests)." in text
    assert "Grading runs tests that you cannot see as well." in text, "the lab's source is not here: no number is known"
    assert "done" not in text.lower()


def test_it_is_said_how_many_points_hidden_tests_decide(tmp_path: Path) -> None:
    secret = TEST["source"] + "\n### BEGIN HIDDEN TESTS\nassert double(3) == 6\n### END HIDDEN TESTS\n"
    source = lab(tmp_path / "aside", "01-lab", *FIRST, {**TEST, "source": secret}, *SECOND)
    (tmp_path / "solutions").mkdir()
    source.parent.rename(tmp_path / "solutions" / "01-lab")
    found = check(lab(tmp_path, "01-lab", *FIRST, TEST, *SECOND), tmp_path)
    assert (found.hidden, found.points) == (2.0, 3.0)
    assert "2 of 3 points are decided by tests you cannot see. The grader's verdict, with hints: ask" in shown(
        found, "ask"
    )
    lost = check(lab(tmp_path, "01-lab", *FIRST, TEST, *SECOND[:2]), tmp_path)
    assert (lost.ok, lost.missing) == (False, ("ex2-test",)), "a test that was deleted has not passed"
    assert "Tests that this notebook has lost: ex2-test." in shown(lost)
    bare = check(lab(tmp_path, "01-lab", *FIRST, {**TEST, "metadata": {}}, *SECOND), tmp_path)
    assert (bare.ok, bare.points) == (True, 3.0), "an editor dropped the marks of a test"


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        (
            "...  # your code here",
            r"^the test cannot go on: your answer leads to NameError: name 'double' is not defined \(",
        ),
        ("def double(x):\n    ...  # your code here", r"^double\(2\) is 4: multiply by two$"),
        ("def double(x)\n    return 2 * x", r"^a cell above stops with SyntaxError: expected ':' \(line 1\)$"),
        ("import no_such_thing", r"^a cell above stops with ModuleNotFoundError: No module named 'no_such_thing'$"),
        (
            "def double(x):\n    return x.twice",
            r"your answer leads to AttributeError: 'int' object has no attribute 'twice' \(an error in your code, or",
        ),
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
    second = (*SECOND[:2], graded("ex2-test", "assert k == 2", 1))
    found = hints(tmp_path, code("import no_such_thing\nk = 2"), *FIRST, TEST, *second)
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
        answer("ex3", "1"),
        graded("ex3-test", "import os; os._exit(1)", 1),
        answer("ex4", "1"),
        graded("ex4-test", "1"),
    )
    monkeypatch.setenv("WHO", str(tmp_path / "who"))
    cold = hints(tmp_path, *cells, timeout=5)
    assert (tmp_path / "who").read_text(encoding="utf-8") == str(os.getpid())
    with Door(plain_environment()) as door:
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


def test_a_tag_of_an_editor_keeps_no_test_from_being_run(tmp_path: Path) -> None:
    skipped = {**TEST, "metadata": {**TEST["metadata"], "tags": ["skip-execution"]}}
    assert hints(tmp_path, FIRST[0], answer("ex1", "double = abs"), skipped) == ["double(2) is 4: multiply by two"]


def test_a_test_that_was_edited_has_not_passed(tmp_path: Path) -> None:
    marks = {**TEST["metadata"]["nbgrader"], "checksum": "0" * 32}
    assert hints(tmp_path, *FIRST, {**TEST, "metadata": {"nbgrader": marks}}) == [
        "the test itself was changed: put the original back."
    ]


def test_the_checksum_is_nbgraders(tmp_path: Path) -> None:
    from nbgrader.utils import compute_checksum

    cell = read_notebook(lab(tmp_path, "01-lab", *FIRST, TEST)).cells[2]
    cell.metadata.nbgrader["checksum"] = compute_checksum(cell)
    assert not is_changed(cell)
    cell.source += " "
    assert is_changed(cell)


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
    assert check(path, tmp_path).ok


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "The file is empty"),
        (b'{"cells": [', "The file is not a notebook: line 1 column"),
        (b"\xff\xfe\x00", "The file is not a notebook"),
        (b"{}", "it has no list of cells"),
        (b"[1, 2]", "it has no list of cells"),
        (b'{"cells": 3, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}', "it has no list of cells"),
        (CONFLICT, r"git left both \(the marks <<<<<<< in line 3\)"),
        (b'{"cells": [], "metadata": {}, "nbformat": 4, "nbformat_minor": 5}', "holds no visible tests"),
    ],
)
def test_a_broken_notebook_is_a_clear_error(tmp_path: Path, content: bytes, said: str) -> None:
    path = lab(tmp_path, "01-lab")
    path.write_bytes(content)
    with pytest.raises(UserError, match=said) as refused:
        check(path, tmp_path)
    if "holds no visible tests" not in said:
        assert re.search(r"first copy it aside as 01-lab\.ipynb\.mine\. Then .*git show HEAD:labs", str(refused.value))
    assert "checkout" not in str(refused.value), "that would throw the answers away (12-check-says-throw-it-away)"


def _as_other_editors_leave_it(kind: str, data: dict[str, Any]) -> None:
    first, test = data["cells"][0], data["cells"][2]
    if kind == "kernelspec without display_name":
        data["metadata"]["kernelspec"] = {"name": "conda-env-mine-py"}
    elif kind == "metadata null":
        data["metadata"] = None
    elif kind == "a cell's metadata null":
        first["metadata"] = None
    elif kind == "missing outputs":
        del test["outputs"], test["execution_count"]
    elif kind == "extra keys":
        data["extra"], test["collapsed"] = 1, True
    elif kind == "markdown with outputs":
        first |= {"outputs": [], "execution_count": 3}
    elif kind == "lines":
        test["source"] = test["source"].splitlines(keepends=True)
    else:
        data["nbformat_minor"] = "five"


@pytest.mark.parametrize("kind", [
    "kernelspec without display_name", "metadata null", "a cell's metadata null", "missing outputs", "extra keys",
    "markdown with outputs", "lines", "a format that is no number",
])  # fmt: skip
def test_what_jupyter_opens_can_be_checked(tmp_path: Path, kind: str) -> None:
    """public/12-check-says-throw-it-away: these get full points from `course grade`."""
    path = lab(tmp_path, "01-lab", *FIRST, TEST)
    data = json.loads(path.read_text(encoding="utf-8"))
    _as_other_editors_leave_it(kind, data)
    path.write_text(json.dumps(data), encoding="utf-8")
    assert len(read_notebook(path, tmp_path).cells) == 3
    assert [cell.source for cell in read_notebook(path, tmp_path).cells][2] == TEST["source"]


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_byte_order_mark_is_no_fault(tmp_path: Path, encoding: str) -> None:
    """public/12-check-says-throw-it-away."""
    path = lab(tmp_path, "01-lab", *FIRST, TEST)
    path.write_text(path.read_text(encoding="utf-8"), encoding=encoding)
    assert check(path, tmp_path).ok


def test_without_the_environments_packages_nothing_is_checked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """public/18-moved-clone: before the set-up, a right notebook got 3 of 9."""
    path = lab(tmp_path, "01-lab", *FIRST, TEST)
    monkeypatch.setattr("course.check.NEEDED", ("ipykernel", "no_such_package"))
    with pytest.raises(UserError, match=r"\(no_such_package\).*run `python3 bootstrap\.py doctor` first"):
        check(path, tmp_path)
    assert not (tmp_path / "build").exists(), "a kernel was started"


def test_a_missing_notebook_is_a_clear_error(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="there is no notebook"):
        check(tmp_path / "x.ipynb", tmp_path)


def test_eight_exercises_with_long_hints_fit_on_a_screen() -> None:
    title = "Exercise {}: a title of usual length"
    text = shown(Checkup("01-lab", tuple(Checked(f"ex{n}", title.format(n), 2, 2, 0, "word " * 60) for n in range(8))))
    assert len(text.splitlines()) <= 50
    assert "0 of 8 exercises pass their visible tests (0 of 16 tests)" in text
    assert "Next: Exercise 0" in text


@pytest.mark.parametrize(
    "name", [*labs(ROOT)[:2], *(pytest.param(lab, marks=pytest.mark.weekly) for lab in labs(ROOT)[2:])]
)
def test_an_untouched_lab_gives_hints_and_no_points(name: str) -> None:
    """Of every lab there is: who has not answered yet reads what to do, not an error."""
    found = check(ROOT / "labs" / name / f"{name}.ipynb", ROOT)
    assert found.hidden, "every lab has tests that a learner does not see"
    for exercise in found.exercises:
        assert not exercise.passed_tests
        assert not re.match(
            r"\w*(Error|Exception)\b|the test cannot go on|a cell above|this does not hold|not run", exercise.hint
        ), exercise


def test_asserts_are_on_whatever_the_shell_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """public/08-asserts-switched-off: with PYTHONOPTIMIZE every test would pass, and that is found out."""
    monkeypatch.setenv("PYTHONOPTIMIZE", "1")
    empty = (FIRST[0], answer("ex1", "def double(x):\n    ..."), TEST)
    assert hints(tmp_path, *empty) == ["double(2) is 4: multiply by two"]
    monkeypatch.setattr("course.check.plain_environment", lambda: dict(os.environ))
    with pytest.raises(UserError, match="asserts are switched off in this kernel"):
        hints(tmp_path / "again", *empty)
