"""No answer reaches a learner: each way it could is planted and found."""

import json
import shutil
from pathlib import Path

import pytest

from authoring.build import build
from authoring.leaks import find_leaks
from base.errors import BuildError
from tests.mini_course import LAB, LAB_SOURCE, LAB_TEXT, RELEASE, write

ANSWER = "return math.pi * radius**2"


def plant(root: Path, cell_source: list[str]) -> None:
    path = root / RELEASE
    notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook["cells"][0]["source"] = cell_source
    path.write_text(json.dumps(notebook), encoding="utf-8")


def test_an_honest_release_has_no_leak(built: Path) -> None:
    assert find_leaks(LAB, built) == []


@pytest.mark.parametrize("source", [
    [ANSWER],
    ["so we\n", f"  {ANSWER}  # of course"],
    ["return math.pi*radius ** 2"],
    ["return math.pi * ", "radius**2"],
    ['assert abs(area(3) - 28.274333882308138) < 1e-9, "area(3) is nine times area(1)"'],
])  # fmt: skip
def test_an_answer_in_a_cell_is_found(root: Path, source: list[str]) -> None:
    plant(root, source)
    assert len(find_leaks(LAB, root)) == 1
    assert any("a line of an answer or a hidden test" in line for line in build(check=True, root=root))


def test_an_answer_in_an_output_is_found(root: Path) -> None:
    path = root / RELEASE
    notebook = json.loads(path.read_text(encoding="utf-8"))
    notebook["cells"][1]["outputs"] = [{"output_type": "stream", "name": "stdout", "text": [ANSWER, "\n"]}]
    path.write_text(json.dumps(notebook), encoding="utf-8")
    assert len(find_leaks(LAB, root)) == 1


def test_an_answer_in_another_file_is_found(root: Path) -> None:
    write(root, f"labs/{LAB}/hints/one.md", f"Try `{ANSWER}`.")
    assert find_leaks(LAB, root) == [f"labs/{LAB}/hints/one.md: a line of an answer or a hidden test: {ANSWER}"]


def test_a_marker_is_found(root: Path) -> None:
    plant(root, ["### BEGIN HIDDEN TESTS\n", "pass"])
    assert find_leaks(LAB, root) == [f"{RELEASE}: the marker 'BEGIN HIDDEN TESTS'"]


def test_a_copied_misconception_is_found(root: Path) -> None:
    shutil.copytree(root / f"solutions/{LAB}/misconceptions", root / f"labs/{LAB}/misconceptions")
    assert sum(line.endswith(": right or wrong answers of the lab's author") for line in find_leaks(LAB, root)) == 6


def test_the_text_with_the_answers_is_found(root: Path) -> None:
    shutil.copy(root / LAB_TEXT, root / f"labs/{LAB}/{LAB}.py")
    assert any("BEGIN SOLUTION" in line for line in find_leaks(LAB, root))


def test_short_lines_and_imports_are_no_secret(root: Path) -> None:
    plant(root, ["return result\n", "import math\n", "from math import pi, sqrt"])
    assert find_leaks(LAB, root) == []


def test_an_answer_that_the_author_left_in_plain_sight_stops_the_build(root: Path) -> None:
    visible = LAB_SOURCE.replace("# ## Exercise 1", "# ## Exercise 1\n# " + ANSWER)
    write(root, LAB_TEXT, visible)
    with pytest.raises(BuildError, match="a line of an answer"):
        build(root=root)


def test_without_nbgraders_ignore_list_the_answers_get_out(root: Path) -> None:
    """What the ignore list of nbgrader_config.py is for: without it, the leak check must cry."""
    config = root / "nbgrader_config.py"
    lines = config.read_text(encoding="utf-8").replace('"*.py",', "").replace('"misconceptions",', "")
    config.write_text(lines, encoding="utf-8")
    with pytest.raises(BuildError, match=r"misconceptions/ex1-a-square\.py: right or wrong answers"):
        build(root=root)
