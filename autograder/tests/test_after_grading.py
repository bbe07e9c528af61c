"""What comes after grading: a person's marks on the pages, dates set late, nbgrader's own commands, odd folders."""

import datetime
import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from nbgrader.api import Gradebook
from nbgrader.auth import Authenticator
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange.default import (
    ExchangeCollect,
    ExchangeFetchAssignment,
    ExchangeFetchFeedback,
    ExchangeReleaseAssignment,
    ExchangeReleaseFeedback,
    ExchangeSubmit,
)
from nbgrader.plugins import CsvExportPlugin
from nbgrader.utils import get_username
from typer.testing import CliRunner, Result

from autograder.cohort.store import SECRET, TIMESTAMP
from autograder.lab.settings import settings_of
from autograder.tests.test_cohort import grade, hand_in, mini, released, root  # noqa: F401  # fixtures
from base.process import own_tools
from course import cli
from tests.mini_course import LAB

EARLIER = datetime.datetime(2026, 1, 1)  # as nbgrader keeps it


def report(root: Path) -> Result:  # noqa: F811
    return CliRunner().invoke(cli.app, ["report", LAB, "--root", str(root)])


def page(root: Path, student: str) -> str:  # noqa: F811
    text = (root / "grading/feedback" / student / LAB / f"{LAB}.html").read_text(encoding="utf-8")
    return " ".join(re.sub(r"<[^>]*>", " ", text.partition("<body>")[2]).split())


def marked(root: Path, change: Callable[[Gradebook], None]) -> None:  # noqa: F811
    with Gradebook(f"sqlite:///{root}/grading/gradebook.db", "") as gradebook:
        change(gradebook)
        gradebook.db.commit()


def by_hand(student: str, test: str = "ex1-test", comment: str = "", **grade: Any) -> Callable[[Gradebook], None]:
    def change(gradebook: Gradebook) -> None:
        found = gradebook.find_grade(test, LAB, LAB, student)
        for name, value in grade.items():
            setattr(found, name, value)
        found.needs_manual_grade = False
        if comment:
            gradebook.find_comment("ex1", LAB, LAB, student).manual_comment = comment

    return change


@pytest.mark.usefixtures("mini")
def test_what_a_person_decides_is_on_the_students_page(root: Path) -> None:  # noqa: F811
    assert grade(root).exit_code == 0
    before, other = page(root, "s03"), page(root, "s00")
    assert "0 of 6 points" in before
    marked(root, by_hand("s03", manual_score=1.5, extra_credit=0.25, comment="Close: mind the <radius>."))
    assert report(root).exit_code == 0
    after = page(root, "s03")
    assert "1.75 of 6 points" in after
    assert after.count("Close: mind the &lt;radius&gt;.") == 2, "beside the exercise, and at the answer"
    assert page(root, "s00") == other, "nobody else's"
    assert grade(root).exit_code == 0
    assert page(root, "s03") == after, "a later run keeps it"
    hand_in(root, "s03", {"ex1": "def area(radius):\n    return math.pi * radius**2"})
    assert grade(root).exit_code == 0
    assert "points are marked by a human" in page(root, "s03").replace("2 of them", "points"), (
        "changed: looked at again"
    )
    marked(root, by_hand("s03", manual_score=None, extra_credit=0.0))
    assert report(root).exit_code == 0
    assert "2 of 6 points" in page(root, "s03")


@pytest.mark.usefixtures("mini")
def test_a_page_made_anew_tells_it_too(root: Path) -> None:  # noqa: F811
    """The same submission graded again writes the same result: the page must not lose what a person said."""
    assert grade(root).exit_code == 0
    marked(root, by_hand("s03", manual_score=1.0, comment="Seen."))
    assert report(root).exit_code == 0
    (root / "grading/feedback/s03" / LAB / f"{LAB}.html").unlink()
    assert grade(root).exit_code == 0
    assert "Seen." in page(root, "s03")


@pytest.mark.usefixtures("mini")
def test_a_due_date_set_afterwards_counts_at_the_next_report(root: Path) -> None:  # noqa: F811
    for name in ("s00", "s01"):
        (root / f"grading/submitted/{name}" / LAB / TIMESTAMP).write_text("2026-01-02 12:00:00 UTC", encoding="utf-8")
    with (root / "nbgrader_config.py").open("a", encoding="utf-8") as settings:
        settings.write('\nc.LateSubmissionPlugin.penalty_method = "zero"\n')
    assert grade(root).exit_code == 0
    assert "6 of 6 points" in page(root, "s00")
    marked(root, lambda book: setattr(book.find_assignment(LAB), "duedate", EARLIER))
    assert report(root).exit_code == 0
    assert "0 of 6 points It came late: 6 points are taken off" in page(root, "s00")
    assert "s00,0" in (root / f"grading/reports/{LAB}/moodle.csv").read_text(encoding="utf-8")
    marked(root, lambda book: setattr(book.find_submission(LAB, "s00"), "extension", datetime.timedelta(days=3)))
    assert report(root).exit_code == 0
    assert "6 of 6 points" in page(root, "s00")
    assert "0 of 6 points" in page(root, "s01")
    marked(root, lambda book: setattr(book.find_assignment(LAB), "duedate", None))
    assert "were graded before" in grade(root).output, "no code runs again"
    assert "late" not in page(root, "s01")


@pytest.mark.usefixtures("mini")
def test_nbgraders_exchange_goes_on_after_ours(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: F811
    config = settings_of(root).config
    for name in ("exchange", "cache", "home"):
        (tmp_path / name).mkdir()
    (tmp_path / "exchange").chmod(0o777)
    config.Exchange.root, config.Exchange.cache = str(tmp_path / "exchange"), str(tmp_path / "cache")
    config.Exchange.assignment_dir = str(tmp_path / "home")
    config.CourseDirectory.course_id, config.CourseDirectory.assignment_id = "oakbank", LAB
    monkeypatch.chdir(tmp_path / "home")

    def run(step: Any) -> None:
        course, who = CourseDirectory(config=config), Authenticator(config=config)
        with own_tools():  # as in an environment that is switched on
            step(coursedir=course, authenticator=who, config=config).start()

    shutil.rmtree(root / "grading/submitted")
    hand_in(root, "by-mail", {})
    for step in (ExchangeReleaseAssignment, ExchangeFetchAssignment, ExchangeSubmit, ExchangeCollect):
        run(step)
    student = get_username()
    assert (root / f"grading/submitted/{student}" / LAB / SECRET).is_file()
    assert grade(root).exit_code == 0
    run(ExchangeReleaseFeedback)
    run(ExchangeFetchFeedback)
    (fetched,) = (tmp_path / "home").rglob(f"{LAB}.html")
    assert fetched.read_bytes() == (root / f"grading/feedback/{student}" / LAB / f"{LAB}.html").read_bytes()
    assert (root / f"grading/feedback/by-mail/{LAB}" / SECRET).is_file(), "who never submitted there stops nobody"
    run(ExchangeCollect)
    with Gradebook(f"sqlite:///{root}/grading/gradebook.db", "oakbank") as gradebook:
        exporter = CsvExportPlugin(config=config)
        exporter.to = str(tmp_path / "grades.csv")
        exporter.export(gradebook)
    assert f"{LAB},," in (tmp_path / "grades.csv").read_text(encoding="utf-8")


@pytest.mark.usefixtures("mini")
def test_a_course_in_a_folder_with_any_name(root: Path, tmp_path: Path) -> None:  # noqa: F811
    """public/19-names-of-the-folder: pasted into the database's URL, alembic's settings and patterns of file names."""
    place = tmp_path / "why" / "50% off? [2026] {x} #1 'ü' \"q\""
    place.parent.mkdir()
    root.rename(place)
    released_again = CliRunner().invoke(cli.app, ["release", LAB, "--root", str(place)])
    assert (released_again.exit_code, str(place / "labs" / LAB) in released_again.output) == (0, True)
    done = grade(place)
    assert done.exit_code == 0, done.output
    assert report(place).exit_code == 0
    assert (place / "grading" / "gradebook.db").is_file()
    assert [path.name for path in place.parent.iterdir()] == [place.name], "nothing beside the course"


@pytest.mark.usefixtures("mini")
def test_a_clone_in_which_somebody_works_grades_and_keeps_the_work(root: Path) -> None:  # noqa: F811
    """public/11-build-eats-the-answers: grading stopped, and what it advised would have written over the answers."""
    path = root / "labs" / LAB / f"{LAB}.ipynb"
    notebook = json.loads(path.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("solution"):
            cell["source"] = "def area(radius):\n    return 42  # my evening"
    notebook["cells"].insert(1, {"cell_type": "markdown", "id": "a1b2c3d4", "metadata": {}, "source": "My notes."})
    mine = json.dumps(notebook)
    path.write_text(mine, encoding="utf-8")
    assert grade(root).exit_code == 0
    said = CliRunner().invoke(cli.app, ["release", LAB, "--root", str(root)])
    assert (said.exit_code, "holds somebody's answers" in said.stderr, "--aside" in said.stderr) == (2, True, True)
    assert path.read_text(encoding="utf-8") == mine
    assert CliRunner().invoke(cli.app, ["release", LAB, "--aside", "--root", str(root)]).exit_code == 0
    assert (root / f"grading/kept/labs/{LAB}/{LAB}-1.ipynb").read_text(encoding="utf-8") == mine
    assert "my evening" not in path.read_text(encoding="utf-8")
