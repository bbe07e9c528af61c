"""Marks for Canvas and Moodle, as the files that their gradebooks take.

With a roster (the LMS's own export) only the column of the lab is filled and all else is kept: that is what both take
back without asking. What they read was looked up in their importers: Canvas, `lib/gradebook_importer.rb`; Moodle,
`mod/assign/feedback/offline/importgradeslib.php` (grading worksheet) and `grade/import/csv` (import into the grader
report, which asks which column is which).
"""

import csv
import io
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from autograder.model import Key, Result
from autograder.submissions.names import without_hash
from base.errors import UserError
from base.text import safe_text

_NUMBER = re.compile(r"[+-]?\d[\d.,]*%?|-+")


@dataclass(frozen=True)
class Sheet:
    """A file for an LMS, and what the instructor should know of it.

    Attributes:
        text: The CSV.
        unknown: Students with a result who are not in the roster, or fit several of its rows.
        missing: Rows of the roster without a result; their cell is as it was.
        waiting: Students whose mark is not in it, since a human has still to mark.
        doubtful: Students whose number is that of a row with another name, and that name.
        kept: Rows whose cell holds a word (EX, excused, in Canvas), and the word: it is as it was.
        notes: What was done beside filling in, a sentence each.
    """

    text: str
    unknown: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    waiting: tuple[str, ...] = ()
    doubtful: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def neutral(cell: str) -> str:
    """Return a cell that no spreadsheet takes for a formula (OWASP, CSV injection); a number stays one."""
    text = cell.lstrip()
    if (text.startswith(("=", "+", "-", "@")) or cell.startswith(("\t", "\r", "\n"))) and not _NUMBER.fullmatch(text):
        return "'" + cell
    return cell


def _number(value: float) -> str:
    return f"{round(value, 2):.2f}".rstrip("0").rstrip(".")


def _scores(results: Iterable[Result], key: Key, totals: Mapping[str, float | None] | None) -> dict[str, float | None]:
    """Return each student's points, None where a human has still to mark, by student in order."""
    scores: dict[str, float | None] = {}
    for result in results:
        if result.lab != key.lab:
            raise ValueError(f"a result of {result.lab} for {key.lab}")
        marked = all(mark.score is not None for mark in result.marks)
        scores[result.student] = result.score if marked else None
    if totals is not None:  # the gradebook knows what a human marked
        scores = {student: totals.get(student, score) for student, score in scores.items()}
    return dict(sorted(scores.items()))


def _squashed(name: str) -> str:
    return re.sub(r"[\W_]", "", unicodedata.normalize("NFC", name)).casefold()


class _Table:
    """A roster: its rows, and how it was written."""

    def __init__(self, text: str, what: str) -> None:
        self.bom = "\ufeff" if text.startswith("\ufeff") else ""
        text = text.removeprefix("\ufeff")
        head = text.partition("\n")[0]
        self.delimiter = ";" if head.count(";") > head.count(",") else ","
        self.end = "\r\n" if head.endswith("\r") else "\n"
        try:
            self.rows = list(csv.reader(io.StringIO(text, newline=""), delimiter=self.delimiter, strict=True))
        except csv.Error as error:
            raise UserError(f"the {what} is no CSV: {error}") from None
        if not self.rows or not self.rows[0]:
            raise UserError(f"the {what} is empty: download it again")
        width = len(self.rows[0])
        for number, row in enumerate(self.rows, 1):
            if row and len(row) < width:
                row += [""] * (width - len(row))
            if len(row) > width:
                raise UserError(f"the {what} has more cells in line {number} than in its first line")

    @property
    def head(self) -> list[str]:
        return [cell.strip() for cell in self.rows[0]]

    def column(self, *names: str) -> int | None:
        """Return where the first of `names` is that there is."""
        heads = [cell.casefold() for cell in self.head]
        return next((heads.index(name.casefold()) for name in names if name.casefold() in heads), None)

    def text(self) -> str:
        return self.bom + _csv(self.rows, self.delimiter, self.end)


def _csv(rows: list[list[str]], delimiter: str = ",", end: str = "\n") -> str:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream, delimiter=delimiter, lineterminator=end)
    writer.writerows([[neutral(cell) for cell in row] for row in rows])
    return stream.getvalue()


@dataclass(frozen=True)
class _Person:
    """How a row of a roster may be called in the name of a submission, surest first; no `names`: it says none."""

    row: int
    called: str
    ids: frozenset[str]
    numbers: frozenset[str]
    names: frozenset[str]

    def fits(self, name: str) -> bool:
        """Whether a name may be this person's; a group may stand before it (`Group A-Jane Doe`)."""
        parts = name.removesuffix("_LATE").split("-")
        return not self.names or any(_squashed("".join(parts[at:])) in self.names for at in range(len(parts)))


def _find(student: str, people: list[_Person]) -> tuple[list[_Person], list[_Person]]:
    """Return whom a student's name in the submissions may mean, and whose number it has without the name.

    It is an id of the LMS, or a name with the LMS's number behind it (`Jane Doe_123` of Moodle, `doejane_123` of
    Canvas, where more may follow: `doejane_LATE_123_456_lab`), or a name alone. A number counts only with the name of
    its row, since students choose what they are called, and a number in a name is none of the LMS's.
    """
    exact = student.strip().casefold()
    if fits := [one for one in people if exact in one.ids]:
        return fits, []
    bare = without_hash(student)
    numbered = [(bare[: one.start()], one[1]) for one in re.finditer(r"_(\d+)(?=_|$)", bare)]
    rows = [(one, name) for name, number in numbered for one in people if number in one.numbers]
    if fits := [one for one, name in rows if one.fits(name)]:
        return list(dict.fromkeys(fits)), []
    if rows:
        return [], [one for one, _ in rows]
    name = _squashed(bare)
    return [one for one in people if name and name in one.names], []


def _fill(table: _Table, people: list[_Person], column: int, scores: dict[str, float | None], share: float) -> Sheet:
    """Fill the column of a roster."""
    unknown, doubtful, waiting, kept = list[str](), list[str](), list[str](), list[str]()
    owner: dict[int, list[str]] = {}
    for student in scores:
        found, doubts = _find(student, people)
        if len(found) == 1:
            owner.setdefault(found[0].row, []).append(student)
        elif doubts:
            doubtful.append(f"{student} (the number of {', '.join(one.called for one in doubts)})")
        else:
            unknown.append(student)
    for row, students in owner.items():
        score, there = scores[students[0]], table.rows[row][column].strip()
        if len(students) > 1:  # two submissions for one row: which one counts is not for a program to say
            unknown += students
        elif there and not _NUMBER.fullmatch(there):
            kept.append(f"{students[0]} ({there})")
        elif score is None:
            waiting.append(students[0])
        else:
            table.rows[row][column] = _number(score * share)
    missing = [one.called for one in people if one.row not in owner]
    lists = sorted(unknown), missing, waiting, sorted(doubtful), kept
    return Sheet(table.text(), *(tuple(map(safe_text, names)) for names in lists))


def _share(worth: str, key: Key) -> tuple[float, tuple[str, ...]]:
    """Return by what to multiply points, where the LMS counts to another maximum, and the note that says so."""
    try:
        most = float(worth.replace(",", "."))
    except ValueError:
        return 1.0, ()
    if most <= 0 or not key.points or most == key.points:
        return 1.0, ()
    return most / key.points, (
        f"The LMS counts to {_number(most)}, the lab to {_number(key.points)}: marks are scaled.",
    )


def _words(name: str) -> frozenset[str]:
    """Return the ways to write a name without its spaces: `Doe, Jane` is also `Jane Doe`."""
    family, comma, given = name.partition(",")
    return frozenset(squashed for squashed in (_squashed(name), _squashed(given + family) if comma else "") if squashed)


def canvas_csv(
    results: Iterable[Result],
    key: Key,
    roster: str | None = None,
    *,
    column: str = "",
    totals: Mapping[str, float | None] | None = None,
) -> Sheet:
    """Return the CSV for Canvas: Grades, Import.

    Args:
        results: One of each student.
        key: Of the lab.
        roster: The text of Canvas' own export (Grades, Export Entire Gradebook). Without it Canvas has to find the
            students by the names of their submissions.
        column: The assignment's name in Canvas, if it is not the lab's.
        totals: Points by student that count instead, see `autograder.nbgrader.gradebook.totals`.

    Raises:
        UserError: The roster is not Canvas', or has no such assignment.
    """
    scores = _scores(results, key, totals)
    title = column or key.lab
    if roster is None:
        head = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", title]
        rows = [head, ["    Points Possible", "", "", "", "", _number(key.points)]]
        rows += [[name, "", name, name, "", _number(score)] for name, score in scores.items() if score is not None]
        return Sheet(_csv(_clean(rows)), waiting=tuple(safe_text(name) for name in scores if scores[name] is None))

    table = _Table(roster, "Canvas gradebook")
    if table.column("Student") != 0 or table.column("ID") != 1 or (section := table.column("Section")) is None:
        raise UserError("this is no Canvas gradebook (Student, ID, … Section): in Canvas, Grades, Export")
    titles = [re.sub(r"\s*\(\d+\)$", "", cell).casefold() for cell in table.head]
    places = [at for at, name in enumerate(titles) if at > section and name == title.casefold()]
    exact = [at for at, name in enumerate(table.head) if at > section and name.casefold() == title.casefold()]
    if len(places := exact or places) != 1:
        there = ", ".join(name for name in table.head[section + 1 :] if re.search(r"\(\d+\)$", name)) or "none"
        raise UserError(
            f"the Canvas gradebook has {'no' if not places else 'more than one'} assignment {title!r}; "
            f"its assignments are: {safe_text(there)}. Name one with column="
        )
    share, notes = _share("", key)
    people: list[_Person] = []
    more = [at for at in (table.column("SIS User ID"), table.column("SIS Login ID")) if at is not None]
    for number, row in enumerate(table.rows[1:], 1):
        if not row:
            continue
        if "Points Possible" in row[0]:
            share, notes = _share(row[places[0]], key)
        elif row[1].strip():
            ids = {row[at].strip().casefold() for at in (1, *more)} - {""}
            people.append(_Person(number, row[0], frozenset(ids), frozenset({row[1].strip()}), _words(row[0])))
    return replace(_fill(table, people, places[0], scores, share), notes=notes)


def moodle_csv(
    results: Iterable[Result],
    key: Key,
    roster: str | None = None,
    *,
    totals: Mapping[str, float | None] | None = None,
) -> Sheet:
    """Return the CSV for Moodle.

    Args:
        results: One of each student.
        key: Of the lab.
        roster: The text of the assignment's grading worksheet (View all submissions, Download grading worksheet),
            which Upload grading worksheet takes back. Without it the file is for Grades, Import, CSV file, where
            Moodle asks which of its fields `Student` is.
        totals: Points by student that count instead, see `autograder.nbgrader.gradebook.totals`.

    Raises:
        UserError: The roster is no grading worksheet.
    """
    scores = _scores(results, key, totals)
    if roster is None:
        rows = [["Student", key.lab]]
        rows += [[name, _number(score)] for name, score in scores.items() if score is not None]
        return Sheet(_csv(_clean(rows)), waiting=tuple(safe_text(name) for name in scores if scores[name] is None))

    table = _Table(roster, "grading worksheet")
    identifier, grade = table.column("Identifier"), table.column("Grade")
    if identifier is None or grade is None or table.column("Last modified (grade)") is None:
        raise UserError(
            "this is no grading worksheet (Identifier, Grade, Last modified (grade)): in Moodle, with English as "
            "language, View all submissions, Download grading worksheet"
        )
    most = table.column("Maximum grade")
    share, notes = _share("", key)
    people: list[_Person] = []
    columns = [table.column("Username"), table.column("ID number"), table.column("Email address")]
    name = table.column("Full name")
    for number, row in enumerate(table.rows[1:], 1):
        if not row or not row[identifier].strip():
            continue
        if most is not None and not people:
            share, notes = _share(row[most], key)
        ids = {row[at].strip().casefold() for at in columns if at is not None}
        ids |= {row[identifier].strip().casefold()} | {one.partition("@")[0] for one in ids if "@" in one}
        digits = frozenset(re.findall(r"\d+$", row[identifier].strip()))
        called = row[name] if name is not None else row[identifier]
        blind = {_squashed(row[identifier]), _squashed(row[identifier].rstrip("0123456789"))}  # `Participant_501`
        names = _words(called) | blind if name is not None else frozenset()
        people.append(_Person(number, called, frozenset(ids - {""}) | digits, digits, frozenset(names - {""})))
    return replace(_fill(table, people, grade, scores, share), notes=notes)


def _clean(rows: list[list[str]]) -> list[list[str]]:
    return [[safe_text(cell) for cell in row] for row in rows]
