"""What a changed answer can reach, and which cells of ours none can: for each shortcut of a proof a hole is planted."""

from typing import Any

import nbformat
import pytest

from autograder.examiner.grader import Grader
from autograder.lab.key import key_from_source
from autograder.lab.marks import BESIDE
from autograder.lab.reach import independent, reached, with_needed
from autograder.model import Key, Submission
from autograder.sandbox.confine import why_not

needs_sandbox = pytest.mark.skipif(why_not() is not None, reason=f"no sandbox here: {why_not()}")

SETUP = "import os, tempfile\nfrom pathlib import Path\n\n\ndef plain(x):\n    return x"
HELPER = "def ask(x):\n    return base(x)"
BASE = "def base(x):\n    ### BEGIN SOLUTION\n    return 3 * x\n    ### END SOLUTION"
SHELF = "stamp = os.urandom(8).hex()\nshelf, folder = [], Path(tempfile.mkdtemp())"
PUT = (
    "def put(x):\n    ### BEGIN SOLUTION\n    shelf.append(x)\n"
    "    (folder / str(len(list(folder.iterdir())))).touch()\n"
    "    return len(shelf) + len(list(folder.iterdir()))\n    ### END SOLUTION"
)


def lab(locked: str = SHELF, ex2: str = PUT, *tests: str, again: str = "assert put(2) == 4, 'two'") -> Any:
    rows = [
        ("setup", SETUP),
        ("helper", HELPER),
        ("ex1", BASE),
        ("ex1-test", "made = base(1)\nassert made == 3, 'three'"),
        ("given", locked),
        ("ex2", ex2),
        ("ex2-test", *(tests or ("assert put(1) == 2, 'one'",))),
        ("ex2-test-again", again),
    ]
    cells = []
    for name, source in rows:
        test, answer = "-test" in name, name in ("ex1", "ex2")
        marks = {"grade_id": name, "schema_version": 3, "locked": not answer, "solution": answer, "grade": test,
                 "task": False, "cell_type": "code", **({"points": 1} if test else {})}  # fmt: skip
        cells.append(nbformat.v4.new_code_cell(source, id=name, metadata={"nbgrader": marks}))
    return nbformat.v4.new_notebook(cells=cells, metadata={"kernelspec": {"name": "python3", "display_name": "P"}})


def key_of(notebook: Any) -> Key:
    return key_from_source(notebook, lab="01-lab")


def handed_in(notebook: Any, answers: dict[str, str] | None = None, own: str = "") -> Submission:
    notebook = nbformat.from_dict(notebook)
    for cell in notebook.cells:
        cell.source = (answers or {}).get(cell.id, cell.source)
    if own:
        notebook.cells.append(nbformat.v4.new_code_cell(own))
    return Submission("ann", nbformat.writes(notebook).encode())


def test_a_cell_that_reads_no_answer_may_run_before_them() -> None:
    assert independent(key_of(lab())) == [SHELF]
    assert independent(key_of(lab("shelf = plain(1)"))) == ["shelf = plain(1)"]


@pytest.mark.parametrize("locked", [
    "shelf = base(1)",
    "shelf = ask(1)",
    "def later():\n    return base(1)",
    "shelf = getattr(__import__('__main__'), 'base')(1)",
    "shelf = globals()['ba' + 'se'](1)",
    "shelf = eval('ba' 'se(1)')",
    "shelf = made",
    "%time shelf = base(1)",
    f"{BESIDE}\nshelf = []",
    "def base(x):\n    return 4",
    "x = 3",
], ids=["names it", "by a function", "in a function", "by its text", "globals", "eval", "of a test", "magic", "beside",
        "binds it", "is named above"])  # fmt: skip
def test_a_cell_that_reads_an_answer_runs_after_it(locked: str) -> None:
    assert independent(key_of(lab(locked))) == []


@pytest.mark.parametrize(("locked", "ex2", "test"), [
    (SHELF, "def put(x):\n    return base(x)", "assert put(1)"),
    ("shelf = ask(2)", "def put(x):\n    return shelf", "assert put(1)"),
    (SHELF, PUT, "assert put(made)"),
    (SHELF, PUT, "assert ask(1) and put(1)"),
    (SHELF, PUT, "base = base(1)\nassert put(base)"),
    (SHELF, "import sys\ndef put(x):\n    return getattr(sys.modules['__main__'], 'base')(x)", "assert put(1)"),
    (SHELF, "def put(x):\n    return globals()['ba' + 'se'](x)", "assert put(1)"),
    (SHELF, "%timeit\ndef put(x):\n    return base(x)", "assert put(1)"),
], ids=["an answer", "a cell of ours", "a name of a test", "a test", "its own name", "by its text", "globals",
        "magic"])  # fmt: skip
def test_what_builds_on_an_answer_is_reached(locked: str, ex2: str, test: str) -> None:
    assert "ex2-test" in reached(key_of(lab(locked, ex2, test)), "ex1")


def test_what_does_not_build_on_an_answer_is_not_reached() -> None:
    key = key_of(lab())
    assert reached(key, "ex1") == {"ex1-test"}
    assert reached(key, "ex2") == {"ex2-test", "ex2-test-again"}
    every = {"ex1-test", "ex2-test", "ex2-test-again"}
    assert reached(key, "ex1", "def base(x):\n    return 1\n\n\nshelf = [9]") == every
    assert reached(key, "ex1", "import this as shelf\n\n\ndef base(x):\n    return 1") == every


def test_a_text_is_a_name_only_where_something_looks_names_up() -> None:
    assert reached(key_of(lab(SHELF, PUT, "assert put(1) and 'base'")), "ex1") == {"ex1-test"}
    looks = "import operator\nassert put(1) and operator.attrgetter('base')"
    assert reached(key_of(lab(SHELF, PUT, looks)), "ex1") >= {"ex2-test"}


def test_a_test_brings_the_ones_whose_names_it_reads() -> None:
    """`made` is of the first exercise's test: without it, every answer to the second would lose, right or wrong."""
    key = key_of(lab(SHELF, PUT, "given = made\nassert put(1) == 2", again="assert put(given - 1) == 4"))
    assert with_needed(key, {"ex2-test-again"}) == {"ex1-test", "ex2-test", "ex2-test-again"}
    assert with_needed(key, {"ex1-test"}) == {"ex1-test"}
    assert with_needed(key_of(lab()), {"ex2-test-again"}) == {"ex2-test-again"}


@needs_sandbox
def test_a_cell_run_ahead_runs_once_and_its_state_is_new_for_each_submission() -> None:
    """Lists and files that one answer changes are as they were for the next one, which would else lose its points."""
    notebook = lab()
    key = key_of(notebook)
    with Grader(key, jobs=1) as grader:
        grades = [grader.grade(handed_in(notebook, own="print(stamp)")) for _ in range(2)]
        assert grader.run_ahead(independent(key))
        grades += [grader.grade(handed_in(notebook, own="print(stamp)")) for _ in range(3)]
    assert [grade.score for grade in grades] == [3.0] * 5
    stamps = [grade.cells[-1].outputs[0].text for grade in grades]
    assert len(set(stamps[:3])) == 3, "run anew for each"
    assert len(set(stamps[2:])) == 1, "run once for all"


@needs_sandbox
def test_a_cell_that_fails_ahead_of_the_answers_runs_in_its_place() -> None:
    """Whatever is told of it: a cell that needs an answer fails in its absence."""
    notebook = lab("shelf, folder = [], Path(tempfile.mkdtemp())\nassert base(1) == 3")
    with Grader(key_of(notebook), jobs=1) as grader:
        assert not grader.run_ahead(["shelf, folder = [], Path(tempfile.mkdtemp())\nassert base(1) == 3"])
        assert grader.grade(handed_in(notebook)).score == 3.0


@needs_sandbox
def test_beside_the_answers_tests_run_to_the_first_loss_and_see_the_last_one() -> None:
    notebook = lab()
    with Grader(key_of(notebook), jobs=1) as grader:

        def marks(source: str) -> list[float | None]:
            found = grader.grade(handed_in(notebook, {"ex2": source}), {"ex2-test", "ex2-test-again"}, together=True)
            return [mark.score for mark in found.marks]

        assert marks("def put(x):\n    return 2 * x") == [None, 1.0, 1.0]
        assert marks("def put(x):\n    return 2") == [None, 1.0, 0.0], "only the last test sees it"
        assert marks("def put(x):\n    return 2 * x if x == 2 else 7") == [None, 0.0, 0.0], "the last one did not run"
