"""Keys of the mini lab, of every lab of the course, and of nbgrader's own quickstart assignment."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import nbgrader
import pytest

from authoring.build import build
from authoring.repository import ROOT
from autograder.lab.key import key_from_json, key_from_source, key_to_json, load_key, notebooks
from autograder.model import ANSWER, LOCKED, MANUAL, TEST, TEXT
from base.errors import UserError
from course.paths import labs
from tests.mini_course import LAB, RELEASE, SOURCE, make_course

QUICKSTART = Path(nbgrader.__file__).parent / "docs" / "source" / "user_guide" / "source"
CONFIG = 'c = get_config()\nc.IncludeHeaderFooter.header = "source/header.ipynb"\n'


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    root = make_course(tmp_path_factory.mktemp("key"))
    build(root=root)
    return root


@pytest.fixture
def root(built, tmp_path):
    return Path(shutil.copytree(built, tmp_path / "course"))


@pytest.fixture(scope="module")
def quickstart(tmp_path_factory):
    """What `nbgrader quickstart course101` and `nbgrader generate_assignment ps1` make."""
    root = tmp_path_factory.mktemp("quickstart")
    shutil.copytree(QUICKSTART, root / "source", ignore=shutil.ignore_patterns("*.html", "ps1_autotest"))
    (root / "nbgrader_config.py").write_text(CONFIG, encoding="utf-8")
    command = [sys.executable, "-m", "nbgrader", "generate_assignment", "ps1", "--no-db"]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    subprocess.run(command, cwd=root, check=True, capture_output=True, env={**os.environ, "PATH": path})
    return root


def read(root, name):
    return nbformat.read(root / name, as_version=4)


def edit(root, name, change):
    notebook = read(root, name)
    change(notebook)
    nbformat.write(notebook, root / name)


def test_the_mini_lab(built):
    key = load_key(LAB, built)
    assert [(cell.kind, cell.grade_id, cell.points) for cell in key.cells] == [
        (TEXT, "", 0),
        (LOCKED, "setup", 0),
        (TEXT, "", 0),
        (ANSWER, "ex1", 0),
        (TEST, "ex1-test", 2),
        (ANSWER, "ex2", 0),
        (TEST, "ex2-test", 3),
        (TEST, "ex2-test-ties", 1),
    ]
    answer, test = key.cells[3], key.cells[4]
    assert "math.pi" in answer.source
    assert "28.27" in test.source
    assert "28.27" not in test.visible
    assert "area(0) == 0" in test.visible
    assert key.stubs["ex1"].endswith("...  # your code here")
    assert "math.pi" not in "".join(key.stubs.values())
    assert key.files == {"data.csv": b"a,b\n1,2\n"}
    assert key.points == 6


@pytest.mark.parametrize("lab", labs(ROOT))
def test_every_lab_of_the_course(lab):
    key = load_key(lab, ROOT)
    release = (ROOT / "labs" / lab / f"{lab}.ipynb").read_text(encoding="utf-8")
    assert sorted(key.stubs) == [cell.grade_id for cell in key.cells if cell.kind == ANSWER]
    assert all(
        json.dumps(line, ensure_ascii=False)[1:-1] in release
        for cell in key.tests
        for line in cell.visible.splitlines()
    )
    assert any(cell.visible != cell.source for cell in key.tests), "no hidden test in the whole lab?"


def test_a_key_travels_as_json(built, quickstart):
    for key in (load_key(LAB, built), load_key("ps1", quickstart, "problem1")):
        again = key_from_json(json.loads(json.dumps(key_to_json(key))))
        assert again == key
        assert again.digest == key.digest


def test_the_key_of_a_source_alone(built):
    key = load_key(LAB, built)
    alone = key_from_source(read(built, SOURCE), lab=LAB, stub="...  # your code here", files=key.files)
    assert alone == key
    other = key_from_source(read(built, SOURCE), lab=LAB, stub="pass")
    assert other.stubs["ex1"].endswith("pass")


def test_nbgraders_quickstart(quickstart):
    assert notebooks("ps1", quickstart) == ["problem1", "problem2"]
    one = load_key("ps1", quickstart, "problem1")
    assert one.lab == "problem1"
    assert one.cells[1].source.startswith("NAME ="), "the header is part of the notebook"
    assert list(one.files) == ["jupyter.png"]
    assert {test.grade_id: test.points for test in one.tests} == {
        "correct_squares": 1,
        "squares_invalid_input": 1,
        "correct_sum_of_squares": 0.5,
        "sum_of_squares_uses_squares": 0.5,
        "sum_of_squares_equation": 1,
        "sum_of_squares_application": 2,
        "cell-938593c4a215c6cc": 4,
    }
    by_id = {cell.grade_id: cell for cell in one.cells}
    assert by_id["jupyter"].kind == LOCKED
    assert by_id["jupyter"].cell_type == "markdown"
    task = by_id["cell-938593c4a215c6cc"]
    assert task.kind == MANUAL
    assert task.grade_id not in one.stubs, "the text of a task is the instructor's"
    assert task.visible
    assert one.stubs["sum_of_squares_equation"] == "YOUR ANSWER HERE"
    assert set(load_key("ps1", quickstart, "problem2").stubs) == {"part-a", "part-b"}


def test_several_notebooks_must_be_chosen_from(quickstart):
    with pytest.raises(UserError, match=r"several notebooks.*problem1, problem2"):
        load_key("ps1", quickstart)
    with pytest.raises(UserError, match=r"no notebook 'problem9'.*problem1, problem2"):
        load_key("ps1", quickstart, "problem9")


@pytest.mark.parametrize("schema", [0, 1, 2])
def test_older_schemas(built, schema):
    notebook = read(built, SOURCE)
    for cell in notebook.cells:
        if marks := cell.metadata.get("nbgrader"):
            del marks["task"], marks["cell_type"], marks["schema_version"]
            if schema:
                marks["schema_version"] = schema
    key = load_key(LAB, built)
    assert key_from_source(notebook, lab=LAB, stub="...  # your code here", files=key.files) == key


def test_a_marking_scheme_is_not_shown(quickstart):
    notebook = read(quickstart, "source/ps1/problem1.ipynb")
    notebook.cells[-1].source += "\n=== BEGIN MARK SCHEME ===\nfour things\n=== END MARK SCHEME ==="
    task = key_from_source(notebook, lab="problem1").cells[-1]
    assert "four things" in task.source
    assert "four things" not in task.visible


def test_no_such_lab(built):
    with pytest.raises(UserError, match=f"no lab '02-none'; there are: {LAB}"):
        load_key("02-none", built)
    with pytest.raises(UserError, match="no lab"):
        load_key("../labs", built)


def test_not_released(root):
    (root / RELEASE).unlink()
    with pytest.raises(UserError, match=r"not released: labs/.* is missing.*bootstrap\.py build"):
        load_key(LAB, root)


def _worth(notebook):
    notebook.cells[4].metadata.nbgrader.points = 7


def _hidden(notebook):
    notebook.cells[4].source = notebook.cells[4].source.replace("area(0)", "area(1)")


def _more(notebook):
    notebook.cells.append(nbformat.v4.new_code_cell("1"))


@pytest.mark.parametrize(
    ("change", "cell"), [(_worth, r"cell 5 \(ex1-test\)"), (_hidden, r"cell 5 \(ex1-test\)"), (_more, "cell 9")]
)
def test_a_release_that_is_out_of_date(root, change, cell):
    load_key(LAB, root)
    edit(root, SOURCE, change)
    with pytest.raises(UserError, match=rf"{cell} differs.*bootstrap\.py build"):
        load_key(LAB, root)


def test_broken_metadata(root):
    edit(root, SOURCE, lambda notebook: notebook.cells[4].metadata.nbgrader.update(grade_id="ex1"))
    with pytest.raises(UserError, match="metadata is broken: Duplicate grade id: ex1"):
        load_key(LAB, root)


def test_a_solution_without_end(root):
    def change(notebook):
        notebook.cells[3].source = notebook.cells[3].source.replace("### END SOLUTION", "")

    edit(root, SOURCE, change)
    with pytest.raises(UserError, match="no end solution statement"):
        load_key(LAB, root)


def test_autotests_need_the_source_with_tests(root):
    edit(root, SOURCE, lambda notebook: notebook.cells[4].update(source="### AUTOTEST area(2)"))
    with pytest.raises(UserError, match=r"source_with_tests/.*is missing.*--source_with_tests"):
        load_key(LAB, root)


def test_links_and_rubbish_beside_the_notebook_are_not_handed_out(root):
    folder = (root / RELEASE).parent
    (folder / "link.csv").symlink_to("/etc/hostname")
    (folder / "away").symlink_to("/etc")
    (folder / "mlflow.db").write_text("x")
    (folder / "sub").mkdir()
    (folder / "sub" / "more.csv").write_text("c\n")
    assert list(load_key(LAB, root).files) == ["data.csv", "sub/more.csv"]


def test_the_version_of_the_course_goes_with_the_key_and_changes_no_mark(root):
    plain = load_key(LAB, root)
    with (root / "nbgrader_config.py").open("a", encoding="utf-8") as settings:
        settings.write("c.OwnWays.version = '2020.1'\n")
    key = load_key(LAB, root)
    assert key_from_json(key_to_json(key)).version == key.version == "2020.1" != plain.version
    assert key.digest == plain.digest


def test_a_setting_that_the_grader_does_not_know_is_refused(root):
    with (root / "nbgrader_config.py").open("a", encoding="utf-8") as settings:
        settings.write("c.OwnWays.grades = 'make grade'\n")
    with pytest.raises(UserError, match=r"there is no c\.OwnWays\.grades"):
        load_key(LAB, root)
