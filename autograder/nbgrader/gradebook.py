"""Marks into nbgrader's own gradebook, a cohort at a time.

The rows are those that `nbgrader autograde` (0.9) writes for the same scores: see nbgrader's
`converters/autograde.py`, `preprocessors/saveautogrades.py` and `assignlatepenalties.py`. It opens the gradebook nine
times for a submission and commits for every cell; here a batch is one transaction.
"""

import contextlib
import json
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.api import (
    Assignment,
    BaseCell,
    Comment,
    Grade,
    Gradebook,
    Notebook,
    Student,
    SubmittedAssignment,
    SubmittedNotebook,
)
from nbgrader.preprocessors import AssignLatePenalties, SaveCells
from nbgrader.utils import parse_utc
from sqlalchemy import insert, select, text, update
from traitlets.config import Config

from autograder.lab.settings import settings_of
from autograder.model import ANSWER, MANUAL, ByHand, Key, Result
from autograder.outputs.graded import KERNEL, is_task, released
from base.errors import UserError
from base.process import own_tools
from base.text import safe_text

BATCH = 100
"""Submissions of one transaction: few enough that the formgrader, which waits meanwhile, does not notice."""

_V4: Any = nbformat.v4  # untyped
NO_RESPONSE = "No response."


@dataclass(frozen=True)
class _Row:
    """What the gradebook needs of a `Result`."""

    student: str
    timestamp: Any
    scores: dict[str, float | None]
    comments: dict[str, str | None]


def _url(course: Any) -> str:
    """Return where the gradebook of a course is."""
    url: str = course.db_url
    if url.startswith("sqlite:") and "?" not in url:
        url += "?timeout=60"  # seconds to wait for another writer, such as the formgrader
    return url


def _open(course: Any) -> Any:
    with own_tools():
        return Gradebook(_url(course), course.course_id)


def _known(notebook: Any) -> dict[str, tuple[Any, ...]]:
    """Return what the gradebook knows of each cell of a notebook."""
    points = {cell.name: cell.max_score for cell in [*notebook.grade_cells, *notebook.task_cells]}
    return {
        cell.name: (cell.cell_type, cell.locked, cell.source, cell.checksum, points.get(cell.name))
        for cell in notebook.source_cells
    }


def _enter(gradebook: Any, key: Key, assignment: str, course: Any) -> None:
    """Enter the lab as `nbgrader generate_assignment` does, unless the gradebook has it as it is."""
    nodes = [released(cell, key, number) for number, cell in enumerate(key.cells) if cell.grade_id]
    wanted = {}
    for node in nodes:
        told = node.metadata.nbgrader
        points = float(told.points) if "points" in told else None
        wanted[told.grade_id] = (node.cell_type, told.locked, node.source, told.checksum, points)
    query = select(Notebook).join(Assignment).where(Assignment.name == assignment, Notebook.name == key.lab)
    notebook = gradebook.db.scalar(query)
    if notebook is not None and _known(notebook) == wanted:
        return
    kernel = KERNEL if notebook is None else json.loads(notebook.kernelspec or "{}")
    gradebook.update_or_create_assignment(assignment)
    gradebook.db.remove()
    made = _V4.new_notebook(cells=nodes, metadata={"kernelspec": kernel})
    resources = {"notebook": key.lab, "assignment": assignment, "db_url": _url(course)}
    try:
        SaveCells(config=course.config).preprocess(made, {"nbgrader": resources})
    except RuntimeError as error:
        raise UserError(
            f"the gradebook has marks for an older {assignment} with other cells ({error}): keep a copy of "
            f"gradebook.db, then run `nbgrader db assignment remove {assignment} --force` and grade again"
        ) from None


def _row(result: Result, key: Key) -> _Row:
    if result.lab != key.lab:
        raise ValueError(f"a result of {result.lab} for {key.lab}")
    try:
        timestamp = parse_utc(result.timestamp) if result.timestamp else None
    except (ValueError, OverflowError):
        raise UserError(
            f"{result.student}: the time of submission, {safe_text(result.timestamp)[:60]!r}, is no date: "
            "put it right in timestamp.txt"
        ) from None
    written = {cell.grade_id: cell.source for cell in result.cells if cell.kind in (ANSWER, MANUAL)}
    answers = [cell.grade_id for cell in key.cells if cell.kind in (ANSWER, MANUAL) and not is_task(cell, key)]
    blank = {name for name in answers if written.get(name, key.stubs[name]) == key.stubs[name]}
    comments = {name: NO_RESPONSE if name in blank else None for name in answers}
    if result.fault:
        comments = dict.fromkeys(answers, safe_text(result.fault))
    # A cell for a human that is worth nothing has no mark, but a row.
    unmarked = {cell.grade_id: 0.0 if cell.grade_id in blank else None for cell in key.cells if cell.kind == MANUAL}
    scores = unmarked | {mark.test: mark.score for mark in result.marks}
    if missing := [cell.grade_id for cell in key.tests if cell.grade_id not in scores]:
        raise ValueError(f"{result.student}: no mark for {', '.join(missing)}")
    return _Row(result.student, timestamp, scores, comments)


class _Writer:
    """Writes batches of rows for one lab."""

    def __init__(self, gradebook: Any, key: Key, assignment: str, config: Config) -> None:
        self.db = gradebook.db
        self.assignment = gradebook.find_assignment(assignment).id
        notebook = gradebook.find_notebook(key.lab, assignment)
        self.notebook = notebook.id
        self.graded = {cell.name: cell.id for cell in notebook.grade_cells}
        self.tasks = {cell.name: cell.id for cell in notebook.task_cells}
        self.answers = {cell.name: cell.id for cell in notebook.solution_cells}
        self.late = AssignLatePenalties(config=config)
        self.late.init_plugin()
        self.immediate = self.db.get_bind().dialect.name == "sqlite"
        self.db.remove()

    def write(self, rows: list[_Row]) -> None:
        """Write a batch in one transaction."""
        with self._transaction() as session:
            notebooks = self._submissions(session, {row.student: row for row in rows})
            self._grades(session, rows, notebooks)
            self._comments(session, rows, notebooks)
            self._penalties(session, list(notebooks.values()))
        self.db.remove()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[Any]:
        with self.db() as session, session.begin():
            if self.immediate:  # else two writers that both began by reading could never both write
                session.execute(text("BEGIN IMMEDIATE"))
            yield session

    def _submissions(self, session: Any, rows: dict[str, _Row]) -> dict[str, str]:
        """Make sure of students, submissions and their notebooks; returns the notebooks' ids by student."""
        known = set(session.scalars(select(Student.id).where(Student.id.in_(rows))))
        _insert(session, Student, [{"id": name} for name in rows if name not in known])

        columns = (SubmittedAssignment.student_id, SubmittedAssignment.id, SubmittedAssignment.timestamp)
        query = select(*columns).where(
            SubmittedAssignment.assignment_id == self.assignment, SubmittedAssignment.student_id.in_(rows)
        )
        found = {student: (name, timestamp) for student, name, timestamp in session.execute(query)}
        new = [name for name in rows if name not in found]
        _insert(
            session,
            SubmittedAssignment,
            [{"assignment_id": self.assignment, "student_id": name, "timestamp": rows[name].timestamp} for name in new],
        )
        moved = [
            {"id": found[name][0], "timestamp": rows[name].timestamp}
            for name in found
            if rows[name].timestamp and rows[name].timestamp != found[name][1]
        ]
        _update(session, SubmittedAssignment, moved)

        submissions = {student: name for student, name, _ in session.execute(query)}
        has = select(SubmittedNotebook.assignment_id, SubmittedNotebook.id).where(
            SubmittedNotebook.notebook_id == self.notebook, SubmittedNotebook.assignment_id.in_(submissions.values())
        )
        there = {name for name, _ in session.execute(has)}
        missing = [name for name in submissions.values() if name not in there]
        _insert(session, SubmittedNotebook, [{"assignment_id": name, "notebook_id": self.notebook} for name in missing])
        notebooks = dict(session.execute(has).all())
        return {student: notebooks[name] for student, name in submissions.items()}

    def _grades(self, session: Any, rows: list[_Row], notebooks: dict[str, str]) -> None:
        columns = (Grade.id, Grade.notebook_id, Grade.cell_id, Grade.auto_score, Grade.manual_score)
        query = select(*columns, Grade.needs_manual_grade).where(Grade.notebook_id.in_(notebooks.values()))
        found = {(one.notebook_id, one.cell_id): one for one in session.execute(query)}
        new, changed = [], []
        for row in rows:
            notebook = notebooks[row.student]
            for name, cell in self.graded.items():
                score = row.scores[name]
                one = found.get((notebook, cell))
                # A human's mark stays, but is looked at again.
                by_hand = score is None or (one is not None and one.manual_score is not None)
                told = {"auto_score": score, "needs_manual_grade": by_hand}
                if one is None:
                    new.append({"notebook_id": notebook, "cell_id": cell, **told})
                elif (one.auto_score, one.needs_manual_grade) != (score, by_hand):
                    changed.append({"id": one.id, **told})
            new += [
                {"notebook_id": notebook, "cell_id": cell, "auto_score": None, "needs_manual_grade": True}
                for cell in self.tasks.values()
                if (notebook, cell) not in found
            ]
        _insert(session, Grade, new)
        _update(session, Grade, changed)

    def _comments(self, session: Any, rows: list[_Row], notebooks: dict[str, str]) -> None:
        columns = (Comment.id, Comment.notebook_id, Comment.cell_id, Comment.auto_comment)
        query = select(*columns).where(Comment.notebook_id.in_(notebooks.values()))
        found = {(one.notebook_id, one.cell_id): one for one in session.execute(query)}
        new, changed = [], []
        for row in rows:
            notebook = notebooks[row.student]
            for name, cell in [*self.answers.items(), *self.tasks.items()]:
                comment = row.comments.get(name)
                one = found.get((notebook, cell))
                if one is None:
                    new.append({"notebook_id": notebook, "cell_id": cell, "auto_comment": comment})
                elif one.auto_comment != comment:
                    changed.append({"id": one.id, "auto_comment": comment})
        _insert(session, Comment, new)
        _update(session, Comment, changed)

    def penalise(self, batch: int) -> None:
        """Set all penalties anew, as due date, extensions, marks and policy are now."""
        with self.db() as session:
            query = select(SubmittedNotebook.id).where(SubmittedNotebook.notebook_id == self.notebook)
            everybody = list(session.scalars(query))
        for start in range(0, len(everybody), batch):
            with self._transaction() as session:
                self._penalties(session, everybody[start : start + batch])
        self.db.remove()

    def _penalties(self, session: Any, notebooks: list[str]) -> None:
        """Set the penalties for late submissions as nbgrader's plug-in says."""
        if session.scalar(select(Assignment.duedate).where(Assignment.id == self.assignment)) is None:
            late = SubmittedNotebook.late_submission_penalty.is_not(None)
            query = select(SubmittedNotebook.id).where(SubmittedNotebook.id.in_(notebooks), late)
            gone = [{"id": name, "late_submission_penalty": None} for name in session.scalars(query)]
            _update(session, SubmittedNotebook, gone)
            return
        for notebook in session.scalars(select(SubmittedNotebook).where(SubmittedNotebook.id.in_(notebooks))):
            seconds, penalty = notebook.assignment.total_seconds_late, None
            if seconds > 0:
                student = notebook.assignment.student_id
                penalty = self.late.plugin_inst.late_submission_penalty(student, notebook.score, seconds)
            notebook.late_submission_penalty = (
                None if penalty is None else self.late._check_late_penalty(notebook, penalty)
            )


def _insert(session: Any, model: Any, rows: list[dict[str, Any]]) -> None:
    if rows:
        session.execute(insert(model), rows)


def _update(session: Any, model: Any, rows: list[dict[str, Any]]) -> None:
    if rows:
        session.execute(update(model), rows)


def _batches(rows: Iterator[_Row], size: int) -> Iterator[list[_Row]]:
    while batch := list(islice(rows, size)):
        yield batch


def write(results: Iterable[Result], key: Key, course_root: Path, *, assignment: str = "", batch: int = BATCH) -> int:
    """Write marks into the gradebook of the course in `course_root`, as `nbgrader autograde` would.

    Students and submissions are created as they come, a human's marks and comments stay. Written twice is written
    once; after a kill every submission is in it whole or not at all.

    Args:
        results: Read one at a time; of several of one student the last one counts.
        key: Of the notebook that all of them are of. It is entered if the gradebook does not know it, or knows it
            with other points.
        course_root: nbgrader's course folder.
        assignment: nbgrader's name of the assignment, if it is not the notebook's.
        batch: Submissions of one transaction.

    Returns:
        How many results were written.

    Raises:
        UserError: The gradebook has marks of a version of the lab with other cells, or a time of submission is none.
    """
    course = settings_of(course_root)
    with _open(course) as gradebook:
        _enter(gradebook, key, assignment or key.lab, course)
        writer = _Writer(gradebook, key, assignment or key.lab, course.config)
        count = 0
        for rows in _batches((_row(result, key) for result in results), batch):
            writer.write(list({row.student: row for row in rows}.values()))
            count += len(rows)
    return count


def penalise(key: Key, course_root: Path, *, assignment: str = "", batch: int = BATCH) -> None:
    """Have due date, extensions and policy count as they are now, for everybody who is in the gradebook."""
    course = settings_of(course_root)
    with _open(course) as gradebook:
        _Writer(gradebook, key, assignment or key.lab, course.config).penalise(batch)


def by_hand(key: Key, course_root: Path, *, assignment: str = "") -> dict[str, ByHand]:
    """Return what persons decided about the notebook of `key`, by student; who is not there has the grader's marks."""
    about = (SubmittedAssignment.student_id, BaseCell.name)
    of_notebook = (Assignment.name == (assignment or key.lab), Notebook.name == key.lab)

    def rows(table: Any, *columns: Any) -> Any:
        query = select(*about, *columns).select_from(table).join(BaseCell, table.cell_id == BaseCell.id)
        query = query.join(SubmittedNotebook, table.notebook_id == SubmittedNotebook.id).join(SubmittedAssignment)
        query = query.join(Notebook, SubmittedNotebook.notebook_id == Notebook.id)
        return query.join(Assignment, Notebook.assignment_id == Assignment.id).where(*of_notebook)

    late = select(SubmittedAssignment.student_id, SubmittedNotebook.late_submission_penalty)
    late = late.select_from(SubmittedNotebook).join(SubmittedAssignment).join(Notebook).join(Assignment)
    late = late.where(*of_notebook, SubmittedNotebook.late_submission_penalty > 0)
    marks = rows(Grade, Grade.auto_score, Grade.manual_score, Grade.extra_credit, Grade.needs_manual_grade)
    marks = marks.where(Grade.manual_score.is_not(None) | (Grade.extra_credit != 0))
    said = rows(Comment, Comment.manual_comment).where(Comment.manual_comment.is_not(None))
    found: dict[str, ByHand] = defaultdict(ByHand)
    with _open(settings_of(course_root)) as gradebook:
        for student, name, auto, manual, extra, waits in gradebook.db.execute(marks):
            score = (auto if manual is None else manual) or 0.0
            found[student].scores[name] = None if waits else score + (extra or 0.0)
        for student, name, comment in gradebook.db.execute(said):
            if comment.strip():
                found[student].comments[name] = comment
        for student, penalty in gradebook.db.execute(late):
            found[student] = replace(found[student], penalty=penalty)
    return dict(found)


def totals(assignment: str, course_root: Path) -> dict[str, float | None]:
    """Return what the gradebook says each student has: marks by hand in, penalties for lateness off.

    None where a human has still to mark.
    """
    columns = (
        SubmittedAssignment.student_id,
        SubmittedAssignment.score,
        SubmittedAssignment.late_submission_penalty,
        SubmittedAssignment.needs_manual_grade,
    )
    query = select(*columns).join(Assignment).where(Assignment.name == assignment)
    with _open(settings_of(course_root)) as gradebook:
        rows = gradebook.db.execute(query.order_by(SubmittedAssignment.student_id)).all()
    return {student: None if waits else max(0.0, score - penalty) for student, score, penalty, waits in rows}
