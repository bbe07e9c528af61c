"""Everything that is made from the stored results: nbgrader's gradebook, the tables for the LMS, the class report."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from autograder.cohort.store import AGAIN, Graded, Store, folders, locked, writing
from autograder.cohort.told import Summary
from autograder.lab.key import load_key, notebooks
from autograder.lab.misconceptions import read_misconceptions
from autograder.lab.settings import folder_of, own_ways, settings_of
from autograder.model import NOTHING, Key, Result
from autograder.outputs.render import Renderer
from base.errors import UserError
from base.files import write_text


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
