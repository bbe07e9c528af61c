"""The gate on labs' texts, shown failing on a planted fault of each kind."""

from pathlib import Path

import pytest

from authoring import texts
from authoring.build import build
from authoring.labs import lab_names
from authoring.numbers import LabNumbers, claims, readme_faults
from authoring.proof import hollow
from authoring.repository import ROOT
from authoring.texts import text_faults
from tests.mini_course import LAB, LAB_SOURCE, LAB_TEXT, make_course, write

TOLD = "# # 01 Mini\n#\n# About 45 minutes; two exercises, 6 points.\n"
EXAMPLE = '# ## Exercise 1\n#\n# `area(0)` is `0`; a square is `"not a circle"`.\n'


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return make_course(tmp_path)


def faults(root: Path, before: str = "", after: str = "") -> list[str]:
    assert before in LAB_SOURCE
    write(root, LAB_TEXT, LAB_SOURCE.replace(before, after, 1))
    return [line.removeprefix(f"{LAB_TEXT}: ") for line in text_faults(LAB, root, 45)]


def test_a_good_lab_has_no_fault(root: Path) -> None:
    assert faults(root) == []
    assert faults(root, "# # 01 Mini\n", TOLD) == []


@pytest.mark.parametrize(("wrong", "says"), [
    ("6 points", "18 points|says 18 points, and it has 6"),
    ("6 points", "eighteen points|says 18 points, and it has 6"),
    ("6 points", "twenty-one\n# points|says 21 points, and it has 6"),
    ("two exercises", "Seven exercises|says 7 exercises, and it has 2"),
    ("45 minutes", "ninety minutes|says 90 minutes, and it has 45"),
])  # fmt: skip
def test_a_number_that_the_code_knows_better_is_found(root: Path, wrong: str, says: str) -> None:
    """lab-points-in-prose."""
    becomes, expected = says.split("|")
    assert faults(root, "# # 01 Mini\n", TOLD.replace(wrong, becomes)) == [f"the text {expected}"]


def test_points_of_an_exercise_are_its_own(root: Path) -> None:
    assert faults(root, "# ## Exercise 1\n", "# ## Exercise 1 (2 points)\n") == []
    found = faults(root, "# ## Exercise 1\n", "# ## Exercise 1 (four points)\n")
    assert found == ["Exercise 1 (four points): says 4 points, and it has 6"]


def test_what_is_no_number_of_a_lab_is_left_alone() -> None:
    text = "Point-in-time, 2.5 points, 02/07 point, twenty-two points of 22 points, one exercise, 0.01 points"
    assert claims(text) == [(22, "point"), (22, "point"), (1, "exercise")]


def test_pages_and_syllabus_are_held_to_the_numbers(root: Path) -> None:
    labs = {"01-mini": LabNumbers(2, 6, 45), "01-other": LabNumbers(3, 9, 60)}
    page = "`01-mini` has 6 points.\n\n| `01-mini` | eight points |\n| `01-other` | nine points |\n\nNo lab: 3 points."
    assert readme_faults("README.md", page, labs) == ["README.md: of 01-mini it says 8 points, and it has 6"]
    build(root=root)
    path = root / "course" / "syllabus.yml"
    path.write_text(path.read_text().replace("Two functions, each", "Three exercises, each"), encoding="utf-8")
    build(root=root)
    found = build(check=True, root=root)
    assert "course/syllabus.yml: 01-mini: its line says 3 exercises, and it has 2" in found


@pytest.mark.parametrize(("before", "after", "says"), [
    (', "area(3) is nine times area(1)"', "", "an assert without a message"),
    ("area(3) is nine times area(1)", "Nine times.", "'Nine times.' tells too little"),
    (', "longest: bb is longer than a"', "", "an assert without a message"),
    ('"area(3) is nine times area(1)"', 'f"{area(3)} is wrong."', "tells too little"),
    ("# Covers two words.\n", "", "begin the test with a comment"),
    ("# Covers two words.", "# Two words.", "begin the test with a comment"),
    ("# Covers two words.", "# Covers two words. Not shown: three.", "and has no hidden test"),
    (" Not shown: a real circle.", "", "it has hidden tests: say in its first comment"),
    ("# ## Exercise 1\n", EXAMPLE, '`"not a circle"`, and no visible test'),
    ("# ## Exercise 1\n", "# ## Exercise 1\n#\n# So `area(2) == 12.5`.\n", "`area(2) == 12.5`, and no visible test"),
])  # fmt: skip
def test_a_lab_that_breaks_a_rule_is_found(root: Path, before: str, after: str, says: str) -> None:
    found = faults(root, before, after)
    assert len(found) == 1, found
    assert says in found[0]


def test_an_excuse_that_is_not_needed_is_a_fault(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(texts, "EXCUSED", {"covers": (LAB,)})
    assert faults(root, "# Covers two words.\n", "") == []
    assert faults(root) == ["keeps the rule on covers: take it off EXCUSED in authoring/texts.py"]


def test_only_labs_that_are_there_are_excused() -> None:
    assert {lab for many in (*texts.EXCUSED.values(), hollow.EXCUSED) for lab in many} <= set(lab_names(ROOT))
    assert set(texts.EXCUSED) <= set(texts.RULES)


def test_build_checks_the_texts(root: Path) -> None:
    write(root, LAB_TEXT, LAB_SOURCE.replace("# Covers two words.\n", ""))
    build(root=root)
    found = build(check=True, root=root)
    assert len(found) == 1, found
    assert found[0].startswith(f"{LAB_TEXT}: ex2-test: begin the test with a comment")
