"""Every lab grades right, every lesson keeps to the frame; each rule is shown failing on a planted fault."""

from pathlib import Path

import pytest

from authoring.labs import lab_names, source_notebook
from authoring.lesson.frame import frame_faults
from authoring.proof.mutants import FEWER
from authoring.proof.prove import prove, prove_by_stock
from authoring.repository import ROOT
from tests.mini_course import LESSON, LESSON_TEXT, make_course, write

LESSONS = sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("chapters/*/lessons/*.py"))


@pytest.mark.long
@pytest.mark.parametrize("lab", lab_names(ROOT))
def test_a_lab_is_proven(lab: str) -> None:
    table = prove(lab, workers=1, stock=None, most=FEWER)
    assert table.ok, table.failures()


@pytest.mark.long
def test_stock_nbgrader_gives_solution_and_release_the_same_points() -> None:
    tables = prove_by_stock(lab_names(ROOT), workers=1)
    assert [table.lab for table in tables] == lab_names(ROOT)
    assert [table.failures() for table in tables if not table.ok] == []
    assert all(
        [row.submission for row in table.rows] == ["solution (nbgrader)", "release (nbgrader)"] for table in tables
    )


@pytest.mark.weekly
@pytest.mark.long
@pytest.mark.parametrize("lab", lab_names(ROOT))
def test_a_lab_is_proven_with_every_test_for_every_wrong_answer(lab: str) -> None:
    table = prove(lab, workers=1, stock=None, everything=True)
    assert table.ok, table.failures()


@pytest.mark.parametrize("lab", lab_names(ROOT))
def test_a_lab_has_four_to_eight_exercises(lab: str) -> None:
    cells = [cell.metadata["nbgrader"] for cell in source_notebook(lab, ROOT).cells if "nbgrader" in cell.metadata]
    assert 4 <= sum(cell["solution"] for cell in cells) <= 8


@pytest.mark.parametrize("lesson", LESSONS)
def test_a_lesson_keeps_to_the_rules(lesson: str) -> None:
    assert frame_faults(ROOT / lesson, ROOT) == []


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_course(tmp_path)


def faults(root: Path, before: str = "", after: str = "") -> list[str]:
    assert before in LESSON_TEXT
    return frame_faults(write(root, LESSON, LESSON_TEXT.replace(before, after, 1)), root)


def test_a_good_lesson_has_no_fault(root: Path) -> None:
    assert faults(root) == []


@pytest.mark.parametrize(("before", "after", "says"), [
    ("# # 01 First", "# # 02 First", "must start with `# 01 Title`"),
    ("# ## You need\n#\n# Nothing.\n#\n", "", "the first sections must be"),
    ("## You need", "## You should have", "the first sections must be"),
    ("## Take-away", "## Take away", "the last sections must be"),
    ("# ## Check yourself", "# ## Take-away\n#\n# ## Check yourself", "the last sections must be"),
    ("# - count\n", "", "3 to 5 outcomes, not 2"),
    ("# <details><summary>One?</summary>Yes.</details>\n", "", "2 to 4 questions with their answers"),
    ("2 minutes to read", "a while to read", "Time: say"),
    ("1 second to run", "quickly run", "Time: say"),
    ("total = 1 + 1\n", "total = 1\n" * 26, "at most 25: split it"),
    ("total = 1 + 1\n", "total = 1\n" * 18, "the median code cell has 10.5 lines"),
])  # fmt: skip
def test_a_lesson_that_breaks_a_rule_is_found(root: Path, before: str, after: str, says: str) -> None:
    found = faults(root, before, after)
    assert any(says in line for line in found), found


def test_a_lesson_without_code_is_found(root: Path) -> None:
    start, end = LESSON_TEXT.index("# %%\ntotal"), LESSON_TEXT.index("# %% [markdown]\n# ## What")
    assert "a lesson runs something: there is no code cell" in faults(root, LESSON_TEXT[start:end])


def test_code_pasted_from_the_reference_system_is_found(root: Path) -> None:
    code = "def f(x):\n    a = x + 1\n\n    # a comment\n    b = a * 2\n    c = b - 3\n    d = c / 4\n    return d\n"
    reference = "chapters/01-intro/reference/oakbank/demo/f.py"
    write(root, reference, f'"""Demo."""\n\n{code}')
    pasted = code.replace("    # a comment\n", "").replace("\n\n", "\n")
    assert faults(root, "total = 1 + 1\n", pasted) == [
        f"cell 3 repeats code of {reference}: show it with inspect.getsource"
    ]
    assert faults(root, "total = 1 + 1\n", pasted.replace("c = b - 3", "c = b - 4")) == []


def test_the_labs_and_lessons_are_looked_at() -> None:
    assert lab_names(ROOT), "no lab was found: the tests above ran on nothing"
    assert LESSONS, "no lesson was found: the tests above ran on nothing"
