"""nbgrader's gradebook as we write it, beside the one that `nbgrader autograde` writes for the same submissions."""

import base64
import csv
import io
import itertools
import json
import os
import re
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import nbconvert
import nbformat as untyped_nbformat
import pytest
from nbgrader.api import Gradebook
from nbgrader.apps.api import NbGraderAPI
from nbgrader.converters import Autograde
from nbgrader.coursedir import CourseDirectory
from nbgrader.nbgraderformat import reads as nbgrader_reads
from nbgrader.utils import compute_checksum
from traitlets.config import Config

from authoring.labs import set_up_course
from autograder.lab.cells import grade_cells
from autograder.lab.key import key_from_source
from autograder.lab.settings import settings_of
from autograder.model import ANSWER, EXTRA, MANUAL, TEST, Cell, CellRun, Key, Mark, Output, Result
from autograder.nbgrader.gradebook import totals, write
from autograder.nbgrader.release import generate_assignment
from autograder.outputs.graded import autograded_notebook
from base.errors import UserError
from base.process import tools_path
from tests.mini_course import LAB, make_course

nbformat: Any = untyped_nbformat
HTMLExporter: Any = nbconvert.HTMLExporter

AREA = "def area(radius):\n    return math.pi * radius**2"
LONGEST = "def longest(words):\n    return max(words, key=len)"
WORDS = "A circle is round."
PNG = base64.b64encode(
    base64.b64decode("iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==")
).decode()

SOLVED = {"ex1": AREA, "ex2": LONGEST, "essay": WORDS}
ANSWERS: dict[str, dict[str, str]] = {
    "ada": SOLVED,
    "bob": {},
    "cyd": {"ex1": "def area(radius):\n    return radius", "ex2": LONGEST, "essay": WORDS},
}
SCORES: dict[str, dict[str, float | None]] = {
    "ada": {"ex1-test": 2.0, "ex2-test": 3.0, "ex2-test-ties": 1.0, "essay": None, "task": None},
    "bob": {"ex1-test": 0.0, "ex2-test": 0.0, "ex2-test-ties": 0.0, "essay": 0.0, "task": None},
    "cyd": {"ex1-test": 0.0, "ex2-test": 3.0, "ex2-test-ties": 1.0, "essay": None, "task": None},
}
TIMES = {"ada": "2025-03-01 12:00:00 UTC", "bob": "", "cyd": "2025-03-02T09:30:00+02:00"}
RELEASE = "labs"


def _nbgrader(name: str, **flags: Any) -> dict[str, Any]:
    base = {"grade": False, "solution": False, "locked": False, "task": False, "schema_version": 3, "grade_id": name}
    return {"nbgrader": base | flags}


@pytest.fixture(scope="session")
def released(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A course folder with the mini lab released, a written answer and a task for a human in it."""
    root = make_course(tmp_path_factory.mktemp("repository"))
    folder = tmp_path_factory.mktemp("course")
    set_up_course(folder, [LAB], root)
    path = folder / "solutions" / LAB / f"{LAB}.ipynb"
    source = nbformat.read(path, as_version=4)
    essay = nbformat.v4.new_markdown_cell("What is a circle?\n\n### BEGIN SOLUTION\nRound.\n### END SOLUTION")
    essay.metadata = nbformat.from_dict(_nbgrader("essay", grade=True, solution=True, points=4.0))
    task = nbformat.v4.new_markdown_cell("Draw one below.")
    task.metadata = nbformat.from_dict(_nbgrader("task", task=True, locked=True, points=5.0))
    source.cells += [essay, task]
    nbformat.write(source, path)
    generate_assignment(LAB, folder)
    return folder


@pytest.fixture(scope="session")
def key(released: Path) -> Key:
    source = nbformat.read(released / "solutions" / LAB / f"{LAB}.ipynb", as_version=4)
    return key_from_source(source, lab=LAB, config=settings_of(released).config)


@pytest.fixture
def course(released: Path, tmp_path: Path) -> Path:
    """The released course with its gradebook, nothing submitted."""
    return Path(shutil.copytree(released, tmp_path / "course"))


def make_result(key: Key, student: str, answers: dict[str, str], scores: dict[str, Any], timestamp: str = "") -> Result:
    """Return a result by hand, cells as they would come from a grader."""
    runs = []
    for cell in key.cells:
        source = (
            cell.visible if cell.kind == TEST else answers.get(cell.grade_id, key.stubs.get(cell.grade_id, cell.source))
        )
        runs.append(CellRun(cell.kind, cell.cell_type, source, cell.grade_id))
    marks = tuple(Mark(c.grade_id, key.exercise(c.grade_id), c.points, scores[c.grade_id]) for c in key.tests)
    return Result(student, key.lab, f"digest of {student}", key.digest, timestamp, marks, tuple(runs))


def cohort(key: Key) -> list[Result]:
    return [make_result(key, name, ANSWERS[name], SCORES[name], TIMES[name]) for name in ANSWERS]


def rows(course: Path) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of the gradebook that means something, without the ids, which are random."""
    queries = {
        "course": "select id from course",
        "assignment": "select name, duedate, course_id from assignment",
        "notebook": "select n.name, a.name, n.kernelspec from notebook n join assignment a on a.id = n.assignment_id",
        "cells": "select b.name, b.type, g.max_score, g.cell_type, t.max_score, t.cell_type from base_cell b "
        "left join grade_cells g on g.id = b.id left join task_cells t on t.id = b.id",
        "sources": "select name, cell_type, locked, source, checksum from source_cell",
        "students": "select id, first_name, last_name, email, lms_user_id from student",
        "submissions": "select s.student_id, a.name, s.timestamp, s.extension from submitted_assignment s "
        "join assignment a on a.id = s.assignment_id",
        "notebooks": "select s.student_id, n.name, sn.flagged, sn.late_submission_penalty from submitted_notebook sn "
        "join submitted_assignment s on s.id = sn.assignment_id join notebook n on n.id = sn.notebook_id",
        "grades": "select s.student_id, b.name, b.type, g.auto_score, g.manual_score, g.extra_credit, "
        "g.needs_manual_grade from grade g join base_cell b on b.id = g.cell_id "
        "join submitted_notebook sn on sn.id = g.notebook_id join submitted_assignment s on s.id = sn.assignment_id",
        "comments": "select s.student_id, b.name, b.type, c.auto_comment, c.manual_comment from comment c "
        "join base_cell b on b.id = c.cell_id join submitted_notebook sn on sn.id = c.notebook_id "
        "join submitted_assignment s on s.id = sn.assignment_id",
        "version": "select version_num from alembic_version",
    }
    with sqlite3.connect(course / "grading" / "gradebook.db") as database:
        return {name: sorted(database.execute(query), key=repr) for name, query in queries.items()}


def dump(course: Path) -> list[str]:
    """Return the gradebook as text, ids and all."""
    with sqlite3.connect(course / "grading" / "gradebook.db") as database:
        return list(database.iterdump())


def stock(course: Path) -> None:
    """Run nbgrader's own autograde on all that is submitted."""
    config: Config = settings_of(course).config
    config.CourseDirectory.assignment_id = LAB
    converter = Autograde(coursedir=CourseDirectory(config=config), config=config)
    converter.force = True
    before = os.environ["PATH"]
    os.environ["PATH"] = tools_path()
    try:
        converter.start()
    finally:
        os.environ["PATH"] = before


def submit(course: Path, student: str, answers: dict[str, str], timestamp: str = "") -> None:
    folder = course / "grading" / "submitted" / student / LAB
    folder.mkdir(parents=True)
    notebook = nbformat.read(course / RELEASE / LAB / f"{LAB}.ipynb", as_version=4)
    for name, source in answers.items():
        grade_cells(notebook)[name].source = source
    nbformat.write(notebook, folder / f"{LAB}.ipynb")
    if timestamp:
        (folder / "timestamp.txt").write_text(timestamp)


@pytest.fixture(scope="session")
def by_nbgrader(released: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The course after nbgrader's own autograde of the cohort."""
    course = Path(shutil.copytree(released, tmp_path_factory.mktemp("stock") / "course"))
    for name, answers in ANSWERS.items():
        submit(course, name, answers, TIMES[name])
    stock(course)
    return course


def test_it_writes_what_nbgrader_writes(course: Path, key: Key, by_nbgrader: Path) -> None:
    assert write(cohort(key), key, course) == 3
    ours, theirs = rows(course), rows(by_nbgrader)
    for table in theirs:
        assert ours[table] == theirs[table], table
    assert len(theirs["grades"]) == 15
    assert [row[:2] for row in theirs["comments"] if row[3]] == [("bob", "essay"), ("bob", "ex1"), ("bob", "ex2")]


def test_a_lab_that_the_gradebook_does_not_know_is_entered_as_nbgrader_does(
    course: Path, key: Key, by_nbgrader: Path
) -> None:
    (course / "grading" / "gradebook.db").unlink()
    write(cohort(key), key, course)
    assert rows(course) == rows(by_nbgrader)


def test_written_twice_is_written_once(course: Path, key: Key) -> None:
    write(cohort(key), key, course)
    before = dump(course)
    write(reversed(cohort(key)), key, course, batch=1)
    assert dump(course) == before


def test_of_two_results_of_one_student_the_last_one_counts(course: Path, key: Key) -> None:
    first = make_result(key, "ada", SOLVED, SCORES["bob"])
    for size in (1, 10):
        write([first, *cohort(key)], key, course, batch=size)
        assert ("ada", "ex1-test", "GradeCell", 2.0, None, None, 0) in rows(course)["grades"]


def _mark_by_hand(course: Path, student: str, **values: Any) -> None:
    with Gradebook(f"sqlite:///{course / 'grading' / 'gradebook.db'}", "oakbank") as book:
        grade = book.find_grade("essay", LAB, LAB, student)
        for name, value in values.items():
            setattr(grade, name, value)
        book.find_comment("ex1", LAB, LAB, student).manual_comment = "Well done."
        book.db.commit()


def test_marks_by_hand_are_kept_and_looked_at_again_as_nbgrader_does(
    course: Path, key: Key, by_nbgrader: Path, tmp_path: Path
) -> None:
    other = Path(shutil.copytree(by_nbgrader, tmp_path / "stock"))
    write(cohort(key), key, course)
    for folder in (course, other):
        for student in ("ada", "bob"):
            _mark_by_hand(folder, student, manual_score=3.5, extra_credit=0.5, needs_manual_grade=False)
    write(cohort(key), key, course)
    stock(other)
    assert rows(course)["grades"] == rows(other)["grades"]
    assert rows(course)["comments"] == rows(other)["comments"]
    assert ("ada", "essay", "GradeCell", None, 3.5, 0.5, 1) in rows(course)["grades"]


def test_points_are_updated_and_other_cells_refused(course: Path, key: Key) -> None:
    write(cohort(key), key, course)
    dearer = Key(key.lab, tuple(_with(cell, "ex1-test", points=8.0) for cell in key.cells), key.stubs, {})
    write(cohort(dearer), dearer, course)
    assert ("ex1-test", "GradeCell", 8.0, "code", None, None) in rows(course)["cells"]
    assert len(rows(course)["grades"]) == 15

    other = Key(key.lab, tuple(_with(cell, "ex1-test", grade_id="ex1-new") for cell in key.cells), key.stubs, {})
    scores = SCORES["ada"] | {"ex1-new": 2.0}
    with pytest.raises(UserError, match="nbgrader db assignment remove"):
        write([make_result(other, "ada", SOLVED, scores)], other, course)


def _with(cell: Cell, name: str, **values: Any) -> Cell:
    return Cell(**{**vars(cell), **values}) if cell.grade_id == name else cell


def test_late_is_late_as_nbgrader_says(course: Path, key: Key, tmp_path: Path, by_nbgrader: Path) -> None:
    other = Path(shutil.copytree(by_nbgrader, tmp_path / "stock"))
    for folder in (course, other):
        with (folder / "nbgrader_config.py").open("a") as config:
            config.write('\nc.LateSubmissionPlugin.penalty_method = "zero"\n')
        with Gradebook(f"sqlite:///{folder / 'grading' / 'gradebook.db'}", "oakbank") as book:
            book.update_or_create_assignment(LAB, duedate="2025-03-02 00:00:00 UTC")
    write(cohort(key), key, course)
    stock(other)
    assert rows(course)["notebooks"] == rows(other)["notebooks"]
    assert [row[3] for row in rows(course)["notebooks"]] == [None, None, 4.0]
    with Gradebook(f"sqlite:///{course / 'grading' / 'gradebook.db'}", "oakbank") as book:
        book.update_or_create_assignment(LAB, duedate=None)
    write(cohort(key), key, course)
    assert [row[3] for row in rows(course)["notebooks"]] == [None, None, None]


def test_a_submission_that_cannot_be_read_is_there_with_its_reason(course: Path, key: Key) -> None:
    zeros = dict.fromkeys(SCORES["ada"], 0.0)
    broken = make_result(key, "eve", {}, zeros)
    broken = Result.from_json(broken.to_json() | {"cells": (), "fault": "This is no notebook."})
    write([broken], key, course)
    found = {row[1]: row[3] for row in rows(course)["comments"]}
    assert found == {
        "ex1": "This is no notebook.",
        "ex2": "This is no notebook.",
        "essay": "This is no notebook.",
        "task": None,
    }


def test_the_totals_are_the_gradebooks(course: Path, key: Key) -> None:
    write(cohort(key), key, course)
    assert totals(LAB, course) == {"ada": None, "bob": None, "cyd": None}
    with Gradebook(f"sqlite:///{course / 'grading' / 'gradebook.db'}", "oakbank") as book:
        for name, mark in (("essay", 3.5), ("task", 5.0)):
            grade = book.find_grade(name, LAB, LAB, "ada")
            grade.manual_score, grade.needs_manual_grade = mark, False
        book.db.commit()
    assert totals(LAB, course) == {"ada": 14.5, "bob": None, "cyd": None}


@pytest.mark.parametrize("fault", ["tomorrow-ish", "2025-13-45"])
def test_a_time_that_is_none_is_said(course: Path, key: Key, fault: str) -> None:
    with pytest.raises(UserError, match="ada: the time of submission"):
        write([make_result(key, "ada", {}, SCORES["ada"], fault)], key, course)


def test_a_result_of_another_lab_or_without_a_mark_is_refused(course: Path, key: Key) -> None:
    good = make_result(key, "ada", {}, SCORES["ada"])
    with pytest.raises(ValueError, match="another for 01-mini"):
        write([Result.from_json(good.to_json() | {"lab": "another"})], key, course)
    with pytest.raises(ValueError, match="no mark for ex1-test"):
        write([Result.from_json(good.to_json() | {"marks": good.to_json()["marks"][1:]})], key, course)
    assert rows(course)["submissions"] == []


def test_nbgraders_export_agrees(course: Path, key: Key, tmp_path: Path) -> None:
    write(cohort(key), key, course)
    command = [sys.executable, "-m", "nbgrader", "export", f"--to={tmp_path / 'grades.csv'}"]
    environment = os.environ | {"PATH": tools_path(), "JUPYTER_CONFIG_DIR": str(tmp_path / "settings")}
    subprocess.run(command, cwd=course, check=True, capture_output=True, env=environment)
    table = list(csv.DictReader(io.StringIO((tmp_path / "grades.csv").read_text())))
    assert {row["student_id"]: (float(row["score"]), float(row["max_score"])) for row in table} == {
        "ada": (6.0, 15.0),
        "bob": (0.0, 15.0),
        "cyd": (4.0, 15.0),
    }
    assert [row["timestamp"] for row in table] == ["2025-03-01 12:00:00", "", "2025-03-02 07:30:00"]


KILLED = """
import json, sys, time
from pathlib import Path
from autograder.nbgrader.gradebook import write
from autograder.model import Cell, Key, Result
data = json.loads(Path(sys.argv[1]).read_text())
key = Key(data["key"]["lab"], tuple(Cell(**cell) for cell in data["key"]["cells"]), data["key"]["stubs"], {})
def results():
    for number, one in enumerate(data["results"] * 1000):
        print(number, flush=True)
        yield Result.from_json(one | {"student": f"student-{number:05}"})
write(results(), key, Path(sys.argv[2]), batch=7)
"""


def test_a_kill_leaves_whole_submissions(course: Path, key: Key, tmp_path: Path) -> None:
    plain = {"lab": key.lab, "cells": [vars(cell) for cell in key.cells], "stubs": key.stubs}
    data = tmp_path / "data.json"
    data.write_text(json.dumps({"key": plain, "results": [one.to_json() for one in cohort(key)]}))
    command = [sys.executable, "-c", KILLED, str(data), str(course)]
    for stop in (20, 90):
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            assert process.stdout is not None
            for line in process.stdout:
                if int(line) == stop:
                    break
            process.send_signal(signal.SIGKILL)
        found = rows(course)
        students = [row[0] for row in found["submissions"]]
        assert len(students) >= stop // 7 * 7
        assert students == [f"student-{number:05}" for number in range(len(students))]
        assert len(found["grades"]) == 5 * len(students)
        assert len(found["comments"]) == 4 * len(students)


def test_results_are_read_as_they_come(course: Path, key: Key) -> None:
    """A cohort is never in memory: when a batch is asked for, the one before it is in the gradebook."""
    seen = []

    def results() -> Iterator[Result]:
        for number in range(30):
            if number and number % 10 == 0:
                seen.append(len(rows(course)["submissions"]))
            yield make_result(key, f"s{number:03}", SOLVED, SCORES["ada"])

    write(results(), key, course, batch=10)
    assert seen == [10, 20]


def test_the_gradebook_takes_little_time(course: Path, key: Key) -> None:
    results = [make_result(key, f"s{number:03}", SOLVED, SCORES["ada"], TIMES["ada"]) for number in range(500)]
    write(results[:1], key, course)
    start = time.perf_counter()
    write(results, key, course)
    each = (time.perf_counter() - start) * 1000 / len(results)
    print(f"{each:.2f} ms a submission")
    assert each < 25, "nbgrader's own way takes more than 500 ms"


# The notebook that formgrader opens.


def _graded(key: Key, *extra: CellRun, outputs: tuple[Output, ...] = (), essay: str = WORDS) -> Result:
    result = make_result(key, "ada", SOLVED | {"essay": essay}, SCORES["ada"])
    cells = [
        CellRun(run.kind, run.cell_type, run.source, run.grade_id, outputs if run.kind in (ANSWER, TEST) else ())
        for run in result.cells
    ]
    return Result.from_json(result.to_json() | {"cells": [_plain(cell) for cell in [*cells[:2], *extra, *cells[2:]]]})


def _plain(run: CellRun) -> dict[str, Any]:
    return {**vars(run), "outputs": [vars(output) for output in run.outputs]}


def test_the_notebook_is_the_instructors_with_the_students_text(key: Key, by_nbgrader: Path) -> None:
    ours = nbgrader_reads(autograded_notebook(_graded(key), key), as_version=4)
    theirs = nbformat.read(by_nbgrader / "grading" / "autograded" / "ada" / LAB / f"{LAB}.ipynb", as_version=4)
    nbformat.validate(ours)
    assert [cell.source for cell in ours.cells] == [cell.source for cell in theirs.cells]
    for mine, stocks in zip(ours.cells, theirs.cells, strict=True):
        assert mine.metadata.get("nbgrader") == stocks.metadata.get("nbgrader")
        assert mine.cell_type == stocks.cell_type
    test = grade_cells(ours)["ex1-test"]
    assert "BEGIN HIDDEN TESTS" in test.source
    assert compute_checksum(test) == test.metadata.nbgrader.checksum
    assert autograded_notebook(_graded(key), key) == autograded_notebook(_graded(key), key)


def test_outputs_are_text_and_pictures_only(key: Key) -> None:
    outputs = (
        Output("stdout", "\x1b[2J<b>hello</b>\x00\u202e\n"),
        Output("stderr", "careful\n"),
        Output("result", "<script>alert(1)</script>"),
        Output("png", PNG),
        Output("png", base64.b64encode(b"<svg onload=alert(1)>").decode()),
        Output("png", PNG[:60]),
        Output("error", "Traceback\nValueError: no: really"),
    )
    notebook = nbformat.reads(autograded_notebook(_graded(key, outputs=outputs), key), as_version=4)
    nbformat.validate(notebook)
    shown = grade_cells(notebook)["ex1"].outputs
    assert [one.get("text") for one in shown[:2]] == ["<b>hello</b>\\u202e\n", "careful\n"]
    assert shown[2].data == {"text/plain": "<script>alert(1)</script>"}
    assert shown[3].data == {"image/png": PNG}
    assert "image/png" not in shown[4].data
    assert "image/png" not in shown[5].data
    assert (shown[6].ename, shown[6].evalue) == ("ValueError", "no: really")


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "a <img src=x onerror=alert(1)> b",
        "[click](javascript:alert(1))",
        "[click](<java\tscript:alert(1)>)",
        "[click](jav&#97;script:alert(1))",
        "[click][1]\n\n[1]: javascript:alert(1)",
        "[1]\n\n[1]: javascript:alert(1)",
        "![x](https://example.org/who-marks-me.png)",
        "<javascript:alert(1)>",
        r"$\href{javascript:alert(1)}{x}$ and $$\\href{javascript:alert(1)}{x}$$",
        "<svg/onload=alert(1)>",
        "<!-- --><a href='javascript:alert(1)'>x</a>",
        "\x00<script\x00>alert(1)</script>",
    ],
)
def test_a_students_markdown_does_nothing_in_the_instructors_session(key: Key, text: str) -> None:
    source = autograded_notebook(_graded(key, CellRun(EXTRA, "markdown", text), essay=text), key)
    html, _ = HTMLExporter(template_name="basic").from_notebook_node(nbformat.reads(source, as_version=4))
    for live in ("<script>alert", "<img src=x", 'href="javascript', r"\href", "<svg/", "<!-- -->"):
        assert live not in html, live
    links = re.findall(r'<a href="([^"]*)"', html)  # an address that is written out is one to click on
    assert [link for link in links if not link.startswith("https://")] == []
    assert "<img" not in html


def test_a_broken_submission_is_the_release_with_the_reason_on_top(key: Key) -> None:
    result = Result("eve", LAB, "", key.digest, "", (), (), ("A note <b>.",), "This is <script> no notebook.")
    notebook = nbgrader_reads(autograded_notebook(result, key), as_version=4)
    assert notebook.cells[0].source == "**From the grader**\n\n- This is &lt;script> no notebook.\n- A note &lt;b>."
    cells = grade_cells(notebook)
    assert cells["ex1"].source == key.stubs["ex1"]
    assert "Round." not in cells["essay"].source
    assert set(cells) == {cell.grade_id for cell in key.cells if cell.grade_id}


def test_formgraders_own_view_has_them_graded(course: Path, key: Key) -> None:
    results = cohort(key)
    write(results, key, course)
    for one in results:
        for tree, text in (("submitted", "{}"), ("autograded", autograded_notebook(one, key))):
            folder = course / "grading" / tree / one.student / LAB
            folder.mkdir(parents=True)
            (folder / f"{LAB}.ipynb").write_text(text)
            if one.timestamp:
                (folder / "timestamp.txt").write_text(one.timestamp)
    config = settings_of(course).config
    api = NbGraderAPI(CourseDirectory(config=config), config=config)
    submissions = {one["student"]: one for one in api.get_submissions(LAB)}
    assert {name: (one["autograded"], one["score"], one["max_score"]) for name, one in submissions.items()} == {
        "ada": (True, 6.0, 15.0),
        "bob": (True, 0.0, 15.0),
        "cyd": (True, 4.0, 15.0),
    }
    assert all(one["needs_manual_grade"] for one in submissions.values())
    assert {one["student"] for one in api.get_notebook_submissions(LAB, LAB)} == {"ada", "bob", "cyd"}


def test_a_manual_cell_that_is_worth_nothing_has_its_row(course: Path, key: Key) -> None:
    (course / "grading" / "gradebook.db").unlink()
    free = Key(key.lab, tuple(_with(cell, "essay", points=0.0) for cell in key.cells), key.stubs, {})
    assert "essay" not in {cell.grade_id for cell in free.tests}
    assert next(cell for cell in free.cells if cell.grade_id == "essay").kind == MANUAL
    write(cohort(free), free, course)
    found = {row[0]: row[3:] for row in rows(course)["grades"] if row[1] == "essay"}
    assert found == {"ada": (None, None, None, 1), "bob": (0.0, None, None, 0), "cyd": (None, None, None, 1)}


def test_two_notebooks_of_one_assignment(course: Path, key: Key) -> None:
    second = Key("second", key.cells, key.stubs, {})
    write(cohort(key), key, course)
    write([Result.from_json(one.to_json() | {"lab": "second"}) for one in cohort(key)], second, course, assignment=LAB)
    found = rows(course)
    assert len(found["submissions"]) == 3
    assert sorted({row[1] for row in found["notebooks"]}) == [LAB, "second"]
    assert len(list(itertools.chain(found["grades"]))) == 30
