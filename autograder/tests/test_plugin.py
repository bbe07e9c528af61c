"""nbgrader's own autograde with our kernels in it: the same marks, and a submission that cannot fool it."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbgrader.api import Gradebook

from authoring.labs import set_up_course
from autograder.lab.cells import grade_cells
from autograder.lab.settings import settings_of
from autograder.nbgrader.release import generate_assignment
from autograder.nbgrader.steps import OURS, STOCK
from autograder.sandbox.confine import why_not
from base.process import ONE_THREAD, tools_path
from tests.mini_course import LAB, make_course

pytestmark = pytest.mark.skipif(why_not() is not None, reason=f"no sandbox here: {why_not()}")


@pytest.fixture(scope="module")
def course(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course with four submissions, graded by `nbgrader autograde` as our settings have it."""
    root, folder = make_course(tmp_path_factory.mktemp("root")), tmp_path_factory.mktemp("course")
    set_up_course(folder, [LAB], root)
    generate_assignment(LAB, folder)
    source = nbformat.read(folder / "solutions" / LAB / f"{LAB}.ipynb", as_version=4)
    answers = {
        "ann": {},
        "bob": {"ex1": "def area(radius):\n    return 3.14 * radius**2"},
        "cheat": {
            "ex1": "import sys, math\nget_ipython().run_cell = lambda *a, **k: None\n"
            "class Yes(float):\n    __eq__ = __lt__ = lambda *a: True\n    __sub__ = __abs__ = lambda self, *a: self\n"
            "def area(radius):\n    return Yes(0)"
        },
        "warns": {"ex1": "import warnings\ndef area(radius):\n    warnings.warn('hm')\n    return math.pi * radius**2"},
    }
    for student, changed in answers.items():
        notebook = nbformat.from_dict(source)
        for name, text in changed.items():
            grade_cells(notebook)[name].source = text
        path = folder / "grading" / "submitted" / student / LAB / f"{LAB}.ipynb"
        path.parent.mkdir(parents=True)
        nbformat.write(notebook, path)
    own = {"JUPYTER_CONFIG_DIR": str(folder / "config"), "IPYTHONDIR": str(folder / "ipython"), "PATH": tools_path()}
    done = subprocess.run(
        [sys.executable, "-m", "nbgrader", "autograde", LAB],
        cwd=folder, env={**os.environ, **ONE_THREAD, **own}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    return folder


def scores(course: Path, student: str) -> dict[str, float]:
    with Gradebook(f"sqlite:///{course / 'grading' / 'gradebook.db'}") as gradebook:
        grades = gradebook.find_submission_notebook(LAB, LAB, student).grades
        return {grade.name: grade.auto_score for grade in grades}


def test_a_right_answer_gets_all_and_a_wrong_one_loses_its_own(course: Path) -> None:
    assert scores(course, "ann") == {"ex1-test": 2, "ex2-test": 3, "ex2-test-ties": 1}
    assert scores(course, "bob") == {"ex1-test": 0, "ex2-test": 3, "ex2-test-ties": 1}


def test_a_cheat_gets_nothing_by_it(course: Path) -> None:
    assert scores(course, "cheat") == {"ex1-test": 0, "ex2-test": 3, "ex2-test-ties": 1}


def test_a_warning_costs_nothing(course: Path) -> None:
    assert scores(course, "warns")["ex1-test"] == 2


def test_the_instructor_sees_why(course: Path) -> None:
    path = course / "grading" / "autograded" / "bob" / LAB / f"{LAB}.ipynb"
    test = grade_cells(nbformat.read(path, as_version=4))["ex1-test"]
    assert [output.evalue for output in test.outputs] == ["area(3) is nine times area(1)"]


def test_the_settings_name_our_steps(course: Path) -> None:
    assert tuple(settings_of(course).config.Autograde.autograde_preprocessors) == OURS


def test_stock_is_what_nbgrader_does_itself() -> None:
    from nbgrader.converters import Autograde

    assert [name.rpartition(".")[2] for name in STOCK] == [one.__name__ for one in Autograde().autograde_preprocessors]


def test_where_nothing_can_be_forked_nbgrader_grades_and_says_so(
    course: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    from nbgrader.preprocessors import Execute

    from autograder.nbgrader import plugin

    ran: list[str] = []
    monkeypatch.setattr(plugin, "can_fork", lambda: False)
    monkeypatch.setattr(Execute, "preprocess", lambda self, nb, resources: (ran.append("stock"), (nb, resources))[1])
    examine = plugin.Examine()
    monkeypatch.setattr(examine.log, "propagate", True)
    with caplog.at_level("WARNING"):
        examine.preprocess({"cells": []}, {"nbgrader": {}})
    assert ran == ["stock"]
    assert "need Linux" in caplog.text
