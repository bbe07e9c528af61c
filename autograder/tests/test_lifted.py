"""The grader lifted out: its floors alone, copied elsewhere, grade a course of nbgrader that is not this one."""

import csv
import os
import re
import shutil
import subprocess
import sys
import sysconfig
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import nbformat as untyped_nbformat
import pytest
from nbgrader.api import Gradebook

from authoring.repository import ROOT
from autograder.lab.cells import grade_cells
from autograder.sandbox.confine import why_not
from base.process import ONE_THREAD, tools_path

nbformat: Any = untyped_nbformat
pytestmark = pytest.mark.skipif(why_not() is not None, reason=f"no sandbox here: {why_not()}")

FLOORS = ("base", "kernels", "autograder")
LAB = "hw1"
SOLUTION = "def longest(words):\n    ### BEGIN SOLUTION\n    return max(words, key=len)\n    ### END SOLUTION"
VISIBLE = "assert longest(['a', 'bcd', 'ef']) == 'bcd', 'the word with the most letters'"
HIDDEN = (
    "### BEGIN HIDDEN TESTS\nassert longest(['ab', 'cd']) == 'ab', 'of equal words the first'\n### END HIDDEN TESTS"
)
STUDENTS = {
    "right": ("def longest(words):\n    return sorted(words, key=lambda word: -len(word))[0]", 5.0),
    "last-one": ("def longest(words):\n    return sorted(words, key=len)[-1]", 2.0),
    "crashes": ("import os\nos._exit(1)", 0.0),
    "peeks": ("def longest(words):\n    import authoring", 0.0),
}
"""What each hands in, and the points that it must get."""


@dataclass(frozen=True)
class Lifted:
    """An environment with the floors and all packages, and without this repository; a course beside it."""

    python: Path
    course: Path

    def run(self, *words: str) -> "subprocess.CompletedProcess[str]":
        """Run that Python in the folder of the course."""
        home = self.course.parent
        own = {"JUPYTER_CONFIG_DIR": str(home / "config"), "IPYTHONDIR": str(home / "ipython"), "PATH": tools_path()}
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
        return subprocess.run(
            [str(self.python), "-P", *words],
            cwd=self.course if self.course.is_dir() else home,
            env={**environment, **ONE_THREAD, **own},
            capture_output=True,
            text=True,
            check=False,
        )

    def grader(self, *words: str) -> str:
        """Run the grader's own command, which must succeed; returns what it said."""
        done = self.run("-m", "autograder", *words, "--root", str(self.course))
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


def marks(name: str, **kind: Any) -> dict[str, Any]:
    return {"nbgrader": {"grade_id": name, "schema_version": 3, "task": False, "cell_type": "code", **kind}}


def source_notebook() -> Any:
    """The assignment: names of its own, one answer, a visible test and one with a hidden part."""
    cell = nbformat.v4.new_code_cell
    answer = marks("longest-word", grade=False, solution=True, locked=False)
    tests = [marks(name, grade=True, solution=False, locked=True, points=worth) for name, worth in (("a", 2), ("b", 3))]
    cells = [
        nbformat.v4.new_markdown_cell("# Homework 1\n\n## The longest word"),
        cell(SOLUTION, metadata=answer),
        cell(VISIBLE, metadata=tests[0]),
        cell(f"assert longest(['a']) == 'a'\n{HIDDEN}", metadata=tests[1]),
    ]
    kernel = {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}}
    return nbformat.v4.new_notebook(cells=cells, metadata=kernel)


@pytest.fixture(scope="module")
def lifted(tmp_path_factory: pytest.TempPathFactory) -> Lifted:
    """The floors as another environment has them, and a course that `nbgrader quickstart` made."""
    home = tmp_path_factory.mktemp("lifted")
    for room in FLOORS:
        shutil.copytree(ROOT / room, home / "code" / room, ignore=shutil.ignore_patterns("tests", "__pycache__"))
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(home / "env")], check=True)
    [packages] = (home / "env").glob("lib/python*/site-packages")
    (packages / "lifted.pth").write_text(f"{home / 'code'}\n{sysconfig.get_path('purelib')}\n", encoding="utf-8")
    found = Lifted(home / "env" / "bin" / "python", home / "course101")
    made = found.run("-m", "nbgrader", "quickstart", found.course.name)
    assert made.returncode == 0, made.stderr
    shutil.rmtree(found.course / "source" / "ps1")
    (found.course / "source" / LAB).mkdir(parents=True)
    nbformat.write(source_notebook(), found.course / "source" / LAB / "words.ipynb")
    found.grader("release", LAB)
    for student, (answer, _) in STUDENTS.items():
        notebook = nbformat.read(found.course / "release" / LAB / "words.ipynb", as_version=4)
        grade_cells(notebook)["longest-word"].source = answer
        target = found.course / "submitted" / student / LAB / "words.ipynb"
        target.parent.mkdir(parents=True)
        nbformat.write(notebook, target)
    return found


@pytest.fixture(scope="module")
def said(lifted: Lifted) -> str:
    """What the run said that graded all of them."""
    return lifted.grader("grade", LAB, "--jobs", "2")


def test_it_has_nothing_of_the_other_floors(lifted: Lifted) -> None:
    """Neither the modules nor the folder of this repository."""
    look = "import importlib.util as u, sys; print([u.find_spec(n) is None for n in sys.argv[1:]], sys.path)"
    shown = lifted.run("-c", look, "authoring", "course", "oakbank", "base", "kernels", "autograder").stdout
    assert shown.startswith("[True, True, True, False, False, False]")
    assert str(ROOT) not in shown.replace(sysconfig.get_path("purelib"), "")


def test_everyone_gets_the_points_of_their_answer(lifted: Lifted, said: str) -> None:
    assert f"{len(STUDENTS)} of {len(STUDENTS)} submissions are graded" in said
    with (lifted.course / "grading" / "reports" / LAB / "moodle.csv").open(encoding="utf-8") as table:
        points = {row["Student"]: float(row[LAB]) for row in csv.DictReader(table)}
    assert points == {student: worth for student, (_, worth) in STUDENTS.items()}
    with Gradebook(f"sqlite:///{lifted.course / 'gradebook.db'}") as gradebook:
        entered = {student: gradebook.find_submission(LAB, student).score for student in STUDENTS}
    assert entered == points


def test_everyone_gets_feedback(lifted: Lifted, said: str) -> None:
    """Marks, reasons and the visible test; no line of the hidden one. And the instructor gets a report."""
    for student, (_, worth) in STUDENTS.items():
        page = (lifted.course / "feedback" / student / LAB / "words.html").read_text(encoding="utf-8")
        assert f"{worth:g}" in page
        assert "most letters" in page
        assert "cd&#39;]" not in page.replace("bcd", "")
        assert (lifted.course / "autograded" / student / LAB / "words.ipynb").is_file()
    assert "of equal words the first" in page_of(lifted, "last-one")
    assert "No module named &#39;authoring&#39;" in page_of(lifted, "peeks")
    assert (lifted.course / "grading" / "reports" / LAB / "report.html").is_file()


def page_of(lifted: Lifted, student: str) -> str:
    return (lifted.course / "feedback" / student / LAB / "words.html").read_text(encoding="utf-8")


def test_nothing_that_anybody_reads_names_this_course(lifted: Lifted, said: str) -> None:
    pages = [*lifted.course.glob("feedback/**/*.html"), *lifted.course.glob("grading/reports/**/*.*")]
    assert len(pages) == len(STUDENTS) + 3
    ours = re.compile("oakbank|bootstrap", re.IGNORECASE)
    assert [path for path in pages if ours.search(path.read_text(encoding="utf-8"))] == []
    assert not ours.search(said)


def test_a_second_run_has_nothing_to_do_and_a_fault_says_nbgraders_own_command(lifted: Lifted, said: str) -> None:
    assert f"{len(STUDENTS)} submissions, {len(STUDENTS)} were graded before" in lifted.grader("grade", LAB)
    path = lifted.course / "source" / LAB / "words.ipynb"
    before = path.read_bytes()
    path.write_bytes(before.replace(b"most letters", b"largest number of letters"))
    done = lifted.run("-m", "autograder", "grade", LAB, "--root", str(lifted.course))
    path.write_bytes(before)
    assert done.returncode == 2
    assert f"then run `nbgrader generate_assignment {LAB} --force`" in done.stderr
    done = lifted.run("-m", "autograder", "report", "hw2", "--root", str(lifted.course))
    assert (done.returncode, done.stderr) == (2, f"autograder: there is no lab 'hw2'; there are: {LAB}\n")
