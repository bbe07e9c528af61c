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
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Protocol

from autograder.cohort.engines import Engine, Grades, Open, Outcome, Source, engine, read
from autograder.cohort.store import AGAIN, GRADER, Graded, Roster, Store, folders, known_students, locked, writing
from autograder.lab.key import load_key, notebooks
from autograder.lab.misconceptions import read_misconceptions
from autograder.lab.settings import folder_of, own_ways, settings_of
from autograder.model import NOTHING, Key, Mark, Result
from autograder.outputs.render import Renderer
from autograder.submissions.collect import Found, survey
from base.errors import UserError
from base.files import write_text
from kernels.warming import made_to_stay

Render = Callable[[Result], tuple[str, str]]
"""Makes a student's graded notebook and page of feedback."""


@dataclass(frozen=True)
class Note:
    """What a run tells as it goes: a student is done, with `said` in one line."""

    student: str
    said: str
    fault: bool = False


@dataclass(frozen=True)
class Summary:
    """What came of a run.

    Attributes:
        lab: The lab.
        submissions: How many there are.
        graded: How many of them were graded in this run; the others were graded before.
        faults: Students who are not graded, and why, in one line. They have no mark, which is not a mark of zero.
        files: What was made from the results, for the instructor.
        remarks: What there is to say of it.
    """

    lab: str
    submissions: int
    graded: int
    faults: tuple[tuple[str, str], ...]
    files: tuple[Path, ...]
    remarks: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether every submission is graded."""
        return not self.faults


class Listener(Protocol):
    """Hears how a run goes."""

    def found(self, lab: str, found: Found) -> None:
        """So much was handed in for a lab, and so much is nobody's."""
        ...

    def begin(self, lab: str, students: int, todo: int) -> None:
        """A lab has so many submissions, of which so many have to be graded."""
        ...

    def note(self, note: Note) -> None:
        """A student is done."""
        ...


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


@dataclass(frozen=True)
class Part:
    """A notebook of the lab and its results. Labs of ours have one, an assignment of nbgrader may have several."""

    key: Key
    results: Graded


class Whole:
    """The results of a lab for the LMS: the marks of all its notebooks, of each student who has them all."""

    def __init__(self, lab: str, parts: Sequence[Part]) -> None:
        self.parts = [part.results for part in parts]
        self.key = Key(lab, tuple(cell for part in parts for cell in part.key.cells), {}, {})

    def __iter__(self) -> Iterator[Result]:
        for student in sorted({name for part in self.parts for name in part.roster.students}):
            found = [
                part.store.graded(student, part.roster) for part in self.parts if student in part.roster.submissions
            ]
            whole = [result for result in found if result is not None]
            if len(whole) == len(self.parts):
                marks = tuple(mark for result in whole for mark in result.marks)
                yield replace(whole[0], lab=self.key.lab, marks=marks, cells=())


def publish(
    lab: str,
    course: Path,
    parts: Sequence[Part],
    graded: int = 0,
    canvas: Path | None = None,
    moodle: Path | None = None,
) -> Summary:
    """Make everything that is made from the stored results: nbgrader's gradebook, the tables for the LMS, the report.

    Args:
        lab: Name of the lab.
        course: The course's folder.
        parts: Its notebooks and their results.
        graded: How many were graded in this run.
        canvas: Canvas' own export, to be filled in.
        moodle: Moodle's grading worksheet, to be filled in.

    Raises:
        UserError: A file cannot be written, or one of the LMS's own cannot be read.
    """
    from sqlalchemy.exc import OperationalError

    from autograder.nbgrader import gradebook
    from autograder.outputs.lms import canvas_csv, moodle_csv
    from autograder.outputs.report import class_report

    rosters = _text(canvas), _text(moodle)
    try:
        for part in parts:
            enter(part, lab, course)
            tell(part, lab, course)
        totals = gradebook.totals(lab, course)
    except OperationalError as error:
        raise UserError(f"cannot write the gradebook of {course}: {error.orig}; {AGAIN}") from error
    whole = Whole(lab, parts)
    points = {cell.grade_id: cell.points for cell in whole.key.cells if cell.grade_id}
    settings = settings_of(course)
    known = read_misconceptions(folder_of(settings, settings.source_directory, lab), points)
    sheets = {
        "canvas.csv": canvas_csv(whole, whole.key, rosters[0], totals=totals),
        "moodle.csv": moodle_csv(whole, whole.key, rosters[1], totals=totals),
    }
    texts = {name: sheet.text for name, sheet in sheets.items()}
    for part in parts:
        name = "report.html" if len(parts) == 1 else f"report-{part.key.lab}.html"
        texts[name] = class_report(part.results, part.key, known)
    folder = parts[0].results.store.report
    with writing(folder):
        for name, text in texts.items():
            write_text(folder / name, text)
    remarks = []
    for name, sheet in sheets.items():
        said = {
            "not found in it": sheet.unknown,
            "left to you, since the name is not that of the row with their number": sheet.doubtful,
            "left as they were": sheet.missing,
            "left as they were, since a word stands there": sheet.kept,
            "marked by hand": sheet.waiting,
        }
        remarks += [f"{name}: {what}: {', '.join(who)}" for what, who in said.items() if who]
        remarks += [f"{name}: {note}" for note in sheet.notes]
    return Summary(
        lab,
        sum(len(part.results.roster.students) for part in parts),
        graded,
        tuple(fault for part in parts for fault in part.results.faults()),
        tuple(folder / name for name in sorted(texts)),
        tuple(remarks),
    )


def enter(part: Part, lab: str, course: Path) -> None:
    """Tell the gradebook what it does not know yet: what it is told, a human who marked it has to look at again."""
    from autograder.nbgrader import gradebook

    store, there = part.results.store, gradebook.totals(lab, course)
    before, now = store.read_entered(), part.results.digests()
    fresh = {student for student, digest in now.items() if before.get(student) != digest or student not in there}
    if fresh:
        new = (result for result in part.results if result.student in fresh)
        gradebook.write(new, part.key, course, assignment=lab)
    store.write_entered(now)
    if now:
        gradebook.penalise(part.key, course, assignment=lab)


def tell(part: Part, lab: str, course: Path) -> None:
    """Have the students' pages say what a person decided since, and lay what nbgrader's exchange wants beside them."""
    from autograder.nbgrader import gradebook

    store, decided = part.results.store, gradebook.by_hand(part.key, course, assignment=lab)
    handed_in = course / str(settings_of(course).submitted_directory)
    with Renderer(part.key) as render:
        for result in part.results:
            store.write_for_exchange(result, handed_in)
            hand = decided.get(result.student, NOTHING)
            if store.told_by_hand(result.student) != hand.digest:
                store.write_page(result.student, render(result, hand)[1])


def _text(path: Path | None) -> str | None:
    """Return the text of an LMS's own table, its line ends kept."""
    try:
        return None if path is None else path.read_bytes().decode("utf-8")
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise UserError(f"{path} is not in UTF-8: give the file as the LMS wrote it, not saved anew") from None


def report_lab(
    lab: str, course: Path, out: Path | None, canvas: Path | None = None, moodle: Path | None = None
) -> Summary:
    """Make the outputs of the last run anew, with the marks that were given by hand since.

    Args:
        lab: Name of the lab.
        course: The course's folder.
        out: As it was given when the lab was graded.
        canvas: Canvas' own export, to be filled in.
        moodle: Moodle's grading worksheet, to be filled in.

    Raises:
        UserError: The lab is not graded, or has changed since.
    """
    places, parts = folders(course, out), list[Part]()
    again = own_ways(settings_of(course)).grade_again(lab)
    for key in [load_key(lab, course, name) for name in notebooks(lab, course)]:
        store = Store(lab, places, key.lab)
        roster = store.read_roster(again)
        if roster.key != key.digest:
            raise UserError(f"{lab} has changed since it was graded: {again}")
        parts.append(Part(key, Graded(store, roster)))
    with locked(lab, places):
        return publish(lab, course, parts, canvas=canvas, moodle=moodle)
