"""The proof of a lab, on a lab small enough: it holds, and each planted fault breaks it."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from authoring.labs import load_misconceptions
from authoring.proof.prove import _limits, prove, prove_by_stock
from authoring.proof.table import ProofRow
from autograder.examiner.handles import Limits
from autograder.model import Cell, Key
from base.errors import BuildError, UserError
from tests.mini_course import LAB, LAB_SOURCE, LAB_TEXT, WRONG, make_course, misconception, write


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_course(tmp_path)


def test_a_good_lab_is_proven(root: Path) -> None:
    before = sorted(root.rglob("*"))
    table = prove(LAB, root)
    assert table.failures() == ""
    assert sorted(root.rglob("*")) == before, "a proof leaves nothing behind"
    assert table.ok
    ours = ["solution", "release", *sorted(WRONG)]
    assert [row.submission for row in table.rows] == [*ours, "solution (nbgrader)", "release (nbgrader)"]
    got = {row.submission: row.got for row in table.rows}
    assert got["solution"] == {"ex1-test": 2, "ex2-test": 3, "ex2-test-ties": 1}
    assert got["release"] == {"ex1-test": 0, "ex2-test": 0, "ex2-test-ties": 0}
    assert got["ex2-the-last"] == {"ex1-test": 2, "ex2-test": 3, "ex2-test-ties": 0}
    assert got["solution (nbgrader)"] == got["solution"]
    assert got["release (nbgrader)"] == got["release"]
    said = {row.submission: row.said for row in table.rows}
    assert said["ex1-a-square"] == {"ex1-test": "area(3) is nine times area(1)"}
    assert table.mutants is not None
    assert len(table.mutants.caught) > 5
    console = Console(file=io.StringIO(), width=120)
    console.print(table.render())
    assert isinstance(console.file, io.StringIO)
    assert "6 of 6" in console.file.getvalue()


def test_a_test_that_ends_in_an_error_at_a_hollow_answer_is_found(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Lab of the scoring service: `KeyError: 'ready'` for an answer without that key."""
    plain = 'assert longest(["a", "bb"]) == "bb", "longest: bb is longer than a"'
    write(root, LAB_TEXT, LAB_SOURCE.replace(plain, f"longest(['a'])[0]\n{plain}"))
    found = [line for line in prove(LAB, root).problems if "assert its form first" in line]
    assert len(found) == 1, found
    assert found[0].startswith(
        "ex2-test: an answer that returns 0: your answer leads to TypeError: 'int' object is not"
    )
    assert "(and 4 more)" in found[0]
    monkeypatch.setattr("authoring.proof.hollow.EXCUSED", (LAB,))
    assert prove(LAB, root).problems == []
    write(root, LAB_TEXT, LAB_SOURCE)
    assert prove(LAB, root).problems == [
        f"{LAB} tells every hollow answer something: take it off EXCUSED in authoring/proof/hollow.py"
    ]


def test_faults_of_the_tests_are_found(root: Path) -> None:
    """One run over a lab with a test that anybody passes, and wrong answers that lose more or less than they say."""
    strong = '# Covers two words.\nassert longest(["a", "bb"]) == "bb", "longest: bb is longer than a"'
    assert strong in LAB_SOURCE
    weak = LAB_SOURCE.replace(strong, "assert longest")
    write(root, LAB_TEXT, weak)
    (root / f"solutions/{LAB}/misconceptions/ex1-rounded-pi.py").unlink()
    (root / f"solutions/{LAB}/misconceptions/ex2-alphabet.py").unlink()
    misconception(root, "ex1-in-fact-right", "ex1", {"ex1-test": 2}, "def area(r):\n    return r**2 * math.pi")
    table = prove(LAB, root)
    assert not table.ok
    failures = table.failures().splitlines()
    assert "release: ex2-test: expected 0, got 3" in failures, "a release with points"
    assert "ex1-in-fact-right: ex1-test: expected 0, got 2" in failures, "a misconception that passes"
    assert "ex2-shortest: ex2-test: expected 0, got 3" in failures, "a test that cannot fail"
    assert "ex2 has 2 misconceptions: write at least 3" in failures
    assert not any(line.startswith("ex1 has") for line in failures)
    survivors = [line for line in failures if line.startswith("ex2:")]
    assert any("no test catches" in line and "mutants.yml" in line for line in survivors), "mutants that nobody catches"
    ties = "ex2-shortest: ex2-test-ties: expected 1, got 0"
    assert not any(line.startswith(ties) for line in failures), "min() keeps the first of equals"


def test_a_test_that_fails_beside_the_answers_is_found(root: Path) -> None:
    """Mutants run with their tests in one process: a test that always fails there would catch them all."""
    plain = 'assert longest(["a", "bb"]) == "bb", "longest: bb is longer than a"'
    write(root, LAB_TEXT, LAB_SOURCE.replace(plain, f"{plain}\nassert longest.__code__ is not longest.__code__"))
    alone = "ex2: its tests fail where they run in one process with the reference answers"
    assert alone in prove(LAB, root, only="ex2").failures().splitlines()
    write(root, LAB_TEXT, LAB_SOURCE)
    assert alone not in prove(LAB, root, only="ex2").failures().splitlines()


def test_a_lab_whose_own_cells_fail_is_refused(root: Path) -> None:
    write(root, LAB_TEXT, LAB_SOURCE.replace("import math", "import math\n\n1 / 0"))
    with pytest.raises(UserError, match="the lab's own first cells fail: ZeroDivisionError"):
        prove(LAB, root)


def test_a_right_answer_that_loses_points_is_found(root: Path) -> None:
    head = "# ---\n# answers: ex1\n# why: another way\n# ---\n"
    right = "def area(radius):\n    return sum([math.pi * radius] * radius)"
    write(root, f"solutions/{LAB}/alternatives/ex1-adds-up.py", head + right + "\n")
    write(root, f"solutions/{LAB}/alternatives/ex1-in-fact-wrong.py", head + "def area(radius):\n    return 0\n")
    table = prove(LAB, root, only="ex1")
    assert table.failures() == ("ex1-in-fact-wrong: ex1-test: expected 2, got 0 (area(3) is nine times area(1))")


def test_stock_nbgrader_grades_all_if_asked(root: Path) -> None:
    table = prove(LAB, root, only="ex2-the-last", stock=True)
    rows = {row.submission: row.got for row in table.rows}
    assert rows["ex2-the-last (nbgrader)"] == rows["ex2-the-last"] == {"ex1-test": 2, "ex2-test": 3, "ex2-test-ties": 0}
    assert table.failures() == ""


def test_an_exemption_that_holds_no_longer_is_found(root: Path) -> None:
    write(
        root,
        f"solutions/{LAB}/mutants.yml",
        "ex1:\n- was: return math.pi * radius**2\n  becomes: return None\n  reason: x\n",
    )
    assert "ex1" in prove(LAB, root, only="ex1").failures()


def test_a_wrong_solution_and_stderr_are_found(root: Path) -> None:
    broken = LAB_SOURCE.replace("return math.pi * radius**2", "return math.pi * radius**3")
    broken = broken.replace(
        'part="ties" points=1', 'part="ties" points=1\nimport sys\nprint("careful", file=sys.stderr)'
    )
    write(root, LAB_TEXT, broken)
    table = prove(LAB, root, only="ex2-the-last")
    assert [row.submission for row in table.rows[:3]] == ["solution", "release", "ex2-the-last"]
    failures = table.failures()
    assert "solution: ex1-test: expected 2, got 0 (area(3) is nine times area(1))" in failures
    assert "solution (nbgrader): ex2-test-ties: expected 1, got 0 (wrote to stderr: careful)" in failures
    assert "solution: ex2-test-ties" not in failures, "a warning costs nothing in our grader"
    assert (
        "solution (nbgrader): ex1-test: expected 2, got 0 (AssertionError: area(3) is nine times area(1))" in failures
    )


def test_an_unknown_misconception_is_refused(root: Path) -> None:
    with pytest.raises(BuildError, match="no misconception whose name contains 'ex7'"):
        prove(LAB, root, only="ex7")


def test_an_unknown_lab_is_refused(root: Path) -> None:
    with pytest.raises(BuildError, match=r"solutions/01-none/01-none\.py is missing"):
        prove("01-none", root)


@pytest.mark.parametrize(("name", "answers", "loses", "says"), [
    ("ex9-nobody", "ex9", {"ex1-test": 2.0}, "no such answer cell"),
    ("ex1-test-as-answer", "ex1-test", {"ex1-test": 2.0}, "no such answer cell"),
    ("ex1-unknown-test", "ex1", {"ex9-test": 2.0}, "no such test cell: ex1-test, ex2-test, ex2-test-ties"),
    ("ex1-too-much", "ex1", {"ex1-test": 3.0}, "is worth 2 points"),
    ("ex1-nothing", "ex1", {}, "loses must say"),
    ("ex1-not-mine", "ex2", {"ex2-test": 3.0}, "must start with ex2-"),
])  # fmt: skip
def test_a_misconception_that_names_what_is_not_there(
    root: Path, name: str, answers: str, loses: dict[str, float], says: str
) -> None:
    misconception(root, name, answers, loses, "def area(r):\n    return 1")
    with pytest.raises(BuildError, match=says) as error:
        load_misconceptions(LAB, root)
    assert f"misconceptions/{name}.py" in str(error.value)


@pytest.mark.parametrize("text", ["def area(r):\n    return 1\n", "# ---\n# answers: ex1\n# ---\nx = 1\n",
                                  "# ---\n# answers: [ex1\n# ---\nx = 1\n"])  # fmt: skip
def test_a_misconception_without_front_matter_is_refused(root: Path, text: str) -> None:
    write(root, f"solutions/{LAB}/misconceptions/ex1-plain.py", text)
    with pytest.raises(BuildError, match=r"ex1-plain.py: (start with|the front matter)"):
        load_misconceptions(LAB, root)


def test_a_row_without_points_is_wrong_everywhere() -> None:
    row = ProofRow("x", "", {"ex1-test": 0.0}, {}, {})
    assert row.wrong == ["ex1-test"], "not graded at all must never count as the zero that was expected"


def test_a_test_that_cannot_work_is_refused_with_the_reason(root: Path) -> None:
    """Case public/06-what-tests-watch: what cannot be carried is told to the instructor, not to a student."""
    test = 'import inspect\n\nassert "pi" in inspect.getsource(area), "use pi"\nassert area(0) == 0'
    write(root, LAB_TEXT, LAB_SOURCE.replace("assert area(0) == 0", test, 1))
    failures = prove(LAB, root, only="ex1").failures()
    lost = next(line for line in failures.splitlines() if line.startswith("solution: ex1-test: expected 2, got 0"))
    assert "the test cannot work here" in lost
    assert "What that asks of a lab" in lost


def test_an_effect_on_a_later_exercise_is_found(root: Path) -> None:
    """By the names that the cells share; and, where nothing in them shows it, by the one run of all tests."""
    builds_on_it = LAB_SOURCE.replace("key=lambda word: len(word))", "key=lambda word: area(len(word)))")
    write(root, LAB_TEXT, builds_on_it)
    misconception(
        root, "ex1-a-constant", "ex1", {"ex1-test": 2}, "def area(radius):\n    return 0 if radius < 1 else 1"
    )
    (row,) = (
        row for row in prove(LAB, root, only="ex1-a-constant", stock=None).rows if row.submission == "ex1-a-constant"
    )
    assert row.got == {"ex1-test": 0, "ex2-test": 3, "ex2-test-ties": 1}, "found, and graded again with the right area"

    write(root, LAB_TEXT, LAB_SOURCE)
    patch = "import builtins\n\nbuiltins.max = min\n\n\ndef area(radius):\n    return 1"
    misconception(root, "ex1-a-patch", "ex1", {"ex1-test": 2}, patch)
    found = prove(LAB, root, only="ex1-a-patch", stock=None)
    assert "ex1-a-patch: ex2-test changes with it, and no name in the cells says why" in found.failures()


def test_every_wrong_answer_is_graded_by_all_tests_if_asked(root: Path) -> None:
    """Of two, the one with the hidden effect is not the one that is graded in full."""
    patch = "import builtins\n\nbuiltins.max = min\n\n\ndef area(radius):\n    return 1"
    misconception(root, "ex1-z-patch", "ex1", {"ex1-test": 2}, patch)
    assert prove(LAB, root, stock=None).failures() == ""
    assert "ex1-z-patch: ex2-test changes with it" in prove(LAB, root, stock=None, everything=True).failures()


def test_a_mutant_is_given_time_by_the_reference() -> None:
    cells = (Cell("answer", "code", "x", "ex1"), Cell("test", "code", "x", "ex1-test", 1), Cell("locked", "code", "x"),
             Cell("answer", "code", "x", "ex2"), Cell("test", "code", "x", "ex2-test", 1),
             Cell("test", "code", "x", "ex2-test-more", 1), Cell("locked", "code", "x"))  # fmt: skip
    key, took = Key("01-lab", cells, {}, {}), dict(enumerate([0.0, 50.0, 4.0, 0.0, 1.0, 5.0, 90.0]))
    limits = _limits(Limits(), key, {"ex2-test", "ex2-test-more"}, took)
    assert limits.cell_seconds == 20, "four times the slowest of its own tests and what stands before them"
    assert _limits(Limits(), key, {"ex1-test"}, dict.fromkeys(range(7), 0.01)).cell_seconds == 1.5


def test_stock_nbgrader_grades_many_labs_at_once(root: Path) -> None:
    (table,) = prove_by_stock([LAB], root, workers=1)
    assert [row.got for row in table.rows] == [
        {"ex1-test": 2, "ex2-test": 3, "ex2-test-ties": 1},
        {"ex1-test": 0, "ex2-test": 0, "ex2-test-ties": 0},
    ]
    assert table.ok
    write(root, LAB_TEXT, LAB_SOURCE.replace("return math.pi * radius**2", "return math.pi * radius**3"))
    (table,) = prove_by_stock([LAB], root, workers=1)
    assert "solution (nbgrader): ex1-test: expected 2, got 0" in table.failures()
