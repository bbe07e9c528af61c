"""Grading all submissions of a lab: what is graded stays graded, whatever stops the run.

A run plans (which submissions are new or changed, or were graded on other terms), grades those, and then writes
nbgrader's gradebook, the tables for the LMS and the class report from the stored results alone. What is written depends
on the submissions, the key and the terms: not on the engine, the number of jobs, or how often a run was stopped.
"""

import contextlib
import importlib
import json
import sys
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from autograder.cohort.engines import Engine, Grades, Open, Outcome, Source, engine, read
from autograder.cohort.publish import Part, publish
from autograder.cohort.store import GRADER, Graded, Roster, Store, folders, known_students, locked
from autograder.cohort.told import Listener, Note, Summary
from autograder.lab.key import load_key, notebooks
from autograder.lab.settings import own_ways, settings_of
from autograder.model import Key, Mark, Result
from autograder.outputs.render import Renderer
from autograder.submissions.collect import survey
from base.errors import UserError
from kernels.warming import made_to_stay

Render = Callable[[Result], tuple[str, str]]
"""Makes a student's graded notebook and page of feedback."""


@dataclass(frozen=True)
class Options:
    """How to grade.

    Attributes:
        jobs: How many submissions at a time.
        engine: Where, see `autograder.cohort.engines.engine`.
        sandbox: Confine the students' code.
        cell_seconds: Time that one cell may take.
        processes: Processes and threads that a submission may have at a time.
    """

    jobs: int = 1
    engine: str = "local"
    sandbox: bool = True
    cell_seconds: float = 60.0
    processes: int = 512

    @property
    def terms(self) -> dict[str, object]:
        """What of it can change a mark; the engine and the number of jobs cannot."""
        own = {"cell_seconds": self.cell_seconds, "processes": self.processes}
        return {"grader": GRADER, "sandbox": self.sandbox, **own}


def open_grader(key: Key, options: Options, course: Path) -> Grades:
    """Return a grader for this process, whose submissions see nothing of the course."""
    from autograder.examiner.grader import Grader
    from autograder.examiner.handles import Limits

    limits = Limits(cell_seconds=options.cell_seconds, processes=options.processes)
    return Grader(key, limits, options.sandbox, options.jobs, hidden=[course])


def plan(store: Store, key: Key, sources: Sequence[Source], terms: Mapping[str, object]) -> tuple[Roster, list[Source]]:
    """Return the roster of a run, and which submissions it has to grade. Only one is in memory at a time."""
    submissions, todo = dict[str, str](), list[Source]()
    for source in sources:
        if source.student in submissions:
            raise UserError(f"there are two submissions of {source.student}: keep the one that counts")
        found = read(source)
        submissions[source.student] = "" if isinstance(found, Outcome) else found.digest
    roster = Roster(key.digest, terms, submissions)
    todo = [source for source in sources if store.graded(source.student, roster) is None]
    return roster, todo


def settle(store: Store, roster: Roster, outcome: Outcome, render: Render) -> Note:
    """Write what became of one submission, and say it in one line.

    Raises:
        UserError: A file cannot be written.
    """
    student, result, fault = outcome.student, outcome.result, outcome.fault
    if result is not None:
        try:
            if (result.student, result.submission, result.key) != (student, roster.submissions[student], roster.key):
                raise RuntimeError("the submission or the lab changed while it was graded")
            store.commit(result, *render(result), roster)
            return Note(student, f"{result.score:g} of {result.points:g}")
        except UserError:
            raise
        except Exception:
            fault = traceback.format_exc()
    store.note_fault(student, fault)
    return Note(student, f"not graded: {fault.strip().splitlines()[-1]}", fault=True)


def run(
    store: Store,
    key: Key,
    sources: Iterable[Source],
    terms: Mapping[str, object],
    where: Engine,
    open_grader: Open,
    render: Render,
    listen: Listener,
) -> tuple[Roster, int]:
    """Grade what has to be graded. It may be stopped anywhere and started again.

    Args:
        store: Where everything goes.
        key: The answer key.
        sources: All submissions, in any order.
        terms: What a mark can depend on beside submission and key.
        where: The engine.
        open_grader: Makes a grader.
        render: Makes the graded notebook and the page of feedback.
        listen: Hears what is to be done, then of each student.

    Returns:
        Who is graded on which terms, and how many were graded in this run.

    Raises:
        UserError: The user has to put something right; what is graded is kept.
    """
    store.sweep()
    roster, todo = plan(store, key, sorted(sources, key=lambda source: source.student), terms)
    store.write_roster(roster)
    listen.begin(store.name, len(roster.students), len(todo))
    graded = 0
    if todo:
        with contextlib.closing(where(open_grader, todo)) as outcomes:
            for outcome in outcomes:
                note = settle(store, roster, outcome, render)
                graded += not note.fault
                listen.note(note)
    return roster, graded


def warm_up(source: Path) -> None:
    """Have the libraries of a lab's kernels imported ahead of `grade_lab`; what is wrong with the lab, that says.

    Args:
        source: The folder of its sources. To read it off the settings would take as long as some of the libraries.
    """
    from autograder.examiner.ahead import warm_ahead

    for path in sorted(source.glob("*.ipynb")):
        with contextlib.suppress(OSError, ValueError, KeyError, TypeError, AttributeError):
            cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
            warm_ahead("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")


def _import_late_ones() -> None:
    """Import what is needed at the end: while the kernels' libraries are imported, there is a core to spare."""
    late = "autograder.nbgrader.gradebook", "autograder.outputs.report"
    if not set(late) <= sys.modules.keys():
        with made_to_stay():
            for name in late:
                importlib.import_module(name)


def _rehearse(key: Key) -> None:
    """Do for nobody what will be done for everybody: its first time costs the most, and there is a core to spare."""
    from autograder.outputs.report import class_report

    marks = tuple(Mark(cell.grade_id, key.exercise(cell.grade_id), cell.points, 0.0) for cell in key.tests)
    class_report([Result("nobody", key.lab, "", key.digest, "", marks)], key)


def grade_lab(
    lab: str, submissions: Path | None, course: Path, out: Path | None, options: Options, listen: Listener
) -> Summary:
    """Grade the submissions of a lab and write everything that comes of it.

    Args:
        lab: Name of the lab.
        submissions: nbgrader's `submitted/` tree, a folder of notebooks or an LMS's zip; the course's own tree if None.
        course: The course's folder.
        out: Where everything but the gradebook goes; where nbgrader's settings say if None.
        options: How to grade.
        listen: Hears how it goes.

    Raises:
        UserError: The user has to put something right; what is graded is kept.
    """
    where = engine(options.engine, options.jobs)
    if options.engine == "local":
        _import_late_ones()
    keys = [load_key(lab, course, name) for name in notebooks(lab, course)]
    if options.engine == "local":
        for key in keys:
            _rehearse(key)
    places = folders(course, out)
    settings = settings_of(course)
    handed_in = submissions or course / str(settings.submitted_directory)
    copies = own_ways(settings).copies
    with locked(lab, places):
        parts, graded, known = list[Part](), 0, known_students(places)
        for key in keys:
            store = Store(lab, places, key.lab)
            found = survey(handed_in, lab, key.lab, known, copies)
            listen.found(store.name, found)
            opened = partial(open_grader, key, options, course)
            with Renderer(key) as render:
                roster, count = run(store, key, found.sources, options.terms, where, opened, render, listen)
            parts.append(Part(key, Graded(store, roster)))
            graded += count
        return publish(lab, course, parts, graded)
