"""The files of a graded lab: for each student a graded notebook, a page of feedback and, last, the result.

The result is what counts: a student whose result is there, for the submission and the terms of the last run, is
graded, and the other two files are those of this result. Everything is written whole or not at all.
"""

import contextlib
import errno
import hashlib
import json
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from autograder.lab.settings import settings_of
from autograder.model import Result
from base.errors import UserError
from base.files import write_text

GRADER = 2
"""Raise it when the grader changes in a way that can change a mark or what the student reads."""
AGAIN = "what is graded is kept: run the same command again to go on"
TIMESTAMP, SECRET = "timestamp.txt", "submission_secret.txt"
_HEAD = 1_000  # characters of a page in which its head is
BUSY = 2.0  # seconds; a killed run's lock is free as soon as the last process below it is gone


@dataclass(frozen=True)
class Folders:
    """Where things go: nbgrader's two trees, and the folder of everything else."""

    autograded: Path
    feedback: Path
    out: Path


def folders(course: Path, out: Path | None) -> Folders:
    """Return where things of a course go: as nbgrader's settings say, or all of it below `out`.

    What nbgrader has no folder for lies beside its graded notebooks, or in `grading/` where these have no folder.
    """
    if out is not None:
        return Folders(out / "autograded", out / "feedback", out)
    settings = settings_of(course)
    autograded, feedback = course / str(settings.autograded_directory), course / str(settings.feedback_directory)
    beside = autograded.parent
    return Folders(autograded, feedback, course / "grading" if beside == course else beside)


@dataclass(frozen=True)
class Roster:
    """Who is graded, and on which terms: what a result must agree with to count.

    Attributes:
        key: Digest of the answer key.
        terms: What else a mark can depend on: version of the grader, limits, sandbox.
        submissions: Digest of each student's submission; empty if it could not be read.
    """

    key: str
    terms: Mapping[str, Any] = field(default_factory=dict)
    submissions: Mapping[str, str] = field(default_factory=dict)

    @property
    def students(self) -> list[str]:
        """The students, sorted."""
        return sorted(self.submissions)


@contextlib.contextmanager
def writing(folder: Path) -> Iterator[None]:
    """Say what to do where a file cannot be written."""
    try:
        yield
    except OSError as error:
        where = error.filename or folder
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        todo = "make room there" if full else "make the folder writable, or name another one with --out"
        raise UserError(f"cannot write {where}: {error.strerror or error}: {todo}; {AGAIN}") from error


@contextlib.contextmanager
def locked(lab: str, places: Folders) -> Iterator[None]:
    """Be the only run of a lab.

    Raises:
        UserError: Another run is grading it.
    """
    path = places.out / "results" / f".{lab}.lock"
    with writing(places.out):
        path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(path, timeout=BUSY)
        try:
            lock.acquire()
        except Timeout:
            raise UserError(
                f"another run is grading {lab} into {places.out}: wait until it has ended, or stop it"
            ) from None
    try:
        yield
    finally:
        lock.release()


class Store:
    """The files of one lab, or of one of its notebooks where nbgrader's assignment has several."""

    def __init__(self, lab: str, folders: Folders, notebook: str = "") -> None:
        self.lab, self.file, self.folders = lab, notebook or lab, folders
        self.name = lab if self.file == lab else f"{lab}.{self.file}"
        self.results = folders.out / "results" / self.name
        self.report = folders.out / "reports" / lab
        self._roster = folders.out / "results" / f"{self.name}.json"
        self._entered = folders.out / "results" / f"{self.name}.entered.json"

    def result(self, student: str) -> Path:
        """Return where the result of a student is, which says that the student is graded."""
        return self.results / f"{student}.json"

    def notebook(self, student: str) -> Path:
        """Return where the graded notebook of a student is."""
        return self.folders.autograded / student / self.lab / f"{self.file}.ipynb"

    def page(self, student: str) -> Path:
        """Return where the feedback of a student is."""
        return self.folders.feedback / student / self.lab / f"{self.file}.html"

    def fault(self, student: str) -> Path:
        """Return where the traceback is that says why a student could not be graded."""
        return self.results / f"{student}.fault.txt"

    def sweep(self) -> None:
        """Clear away what a killed run left half-written."""
        with writing(self.folders.out):
            for folder in (self.results.parent, self.results, self.report):
                _remove_temporaries(folder)
            for tree in (self.folders.autograded, self.folders.feedback):
                for student in tree.iterdir() if tree.is_dir() else ():
                    _remove_temporaries(student / self.lab)

    def write_roster(self, roster: Roster) -> None:
        """Note who is graded and on which terms."""
        data = {"key": roster.key, "terms": dict(roster.terms), "submissions": dict(roster.submissions)}
        with writing(self._roster):
            write_text(self._roster, _json(data))

    def read_roster(self, again: str) -> Roster:
        """Return what the last run noted.

        Args:
            again: How to grade the lab, if there was none.

        Raises:
            UserError: There was none.
        """
        try:
            return Roster(**json.loads(self._roster.read_bytes()))
        except (FileNotFoundError, ValueError, TypeError):
            raise UserError(f"{self.name} is not graded yet: {self._roster} is missing or broken; {again}") from None

    def read_entered(self) -> dict[str, str]:
        """Return which result of a student the gradebook was last told, by its digest."""
        try:
            entered = json.loads(self._entered.read_bytes())
        except (FileNotFoundError, ValueError):  # told again, then
            return {}
        return dict(entered) if isinstance(entered, dict) else {}

    def write_entered(self, entered: Mapping[str, str]) -> None:
        """Note what the gradebook was told."""
        with writing(self._entered):
            write_text(self._entered, _json(dict(entered)))

    def graded(self, student: str, roster: Roster) -> Result | None:
        """Return the student's result if it counts, which it does only with all that belongs to it."""
        try:
            data = json.loads(self.result(student).read_bytes())
            terms, result = data["terms"], Result.from_json(data["result"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):  # none, or spoilt: graded anew
            return None
        same = (result.student, result.submission, result.key) == (student, roster.submissions[student], roster.key)
        there = self.notebook(student).is_file() and self.page(student).is_file()
        return result if same and terms == roster.terms and there else None

    def commit(self, result: Result, notebook: str, page: str, roster: Roster) -> None:
        """Write what was found for a student; with the last file it counts. A killed run leaves no old result there."""
        student = result.student
        with writing(self.result(student)):
            self.result(student).unlink(missing_ok=True)
            write_text(self.notebook(student), notebook)
            write_text(self.page(student), page)
            self.fault(student).unlink(missing_ok=True)
            write_text(self.result(student), _json({"terms": dict(roster.terms), "result": result.to_json()}))

    def told_by_hand(self, student: str) -> str:
        """Return which decisions of a person a student's page tells, by their digest; empty if none."""
        with contextlib.suppress(OSError), self.page(student).open(encoding="utf-8") as stream:
            found = re.search(r'<meta name="by-hand" content="(\w*)">', stream.read(_HEAD))
            return found[1] if found else ""
        return ""

    def write_page(self, student: str, page: str) -> None:
        """Write a student's page of feedback anew."""
        with writing(self.page(student)):
            write_text(self.page(student), page)

    def write_for_exchange(self, result: Result, handed_in: Path) -> None:
        """Put beside a student's files what nbgrader's `release_feedback` and `generate_feedback` look for there.

        The secret is the one that came with the submission, so that `fetch_feedback` finds the page; where none came,
        a new one, with which nobody can.
        """
        try:
            secret = (handed_in / result.student / self.lab / SECRET).read_text(encoding="utf-8")
        except (OSError, ValueError):
            secret = ""
        for folder in (self.page(result.student).parent, self.notebook(result.student).parent):
            with writing(folder):
                write_text(folder / TIMESTAMP, result.timestamp)
                if secret or not (folder / SECRET).is_file():
                    write_text(folder / SECRET, secret or secrets.token_hex(32))

    def note_fault(self, student: str, text: str) -> None:
        """Keep for the instructor why a student could not be graded; what an earlier run found no longer counts."""
        with writing(self.fault(student)):
            self.result(student).unlink(missing_ok=True)
            for path in (self.notebook(student), self.page(student)):
                path.unlink(missing_ok=True)
            write_text(self.fault(student), text.encode("utf-8", "backslashreplace").decode("utf-8"))


class Graded:
    """The results that count, by student, read one at a time and as often as wanted: a cohort is never in memory."""

    def __init__(self, store: Store, roster: Roster) -> None:
        self.store, self.roster = store, roster

    def __iter__(self) -> Iterator[Result]:
        for student in self.roster.students:
            result = self.store.graded(student, self.roster)
            if result is not None:
                yield result

    def digests(self) -> dict[str, str]:
        """Return what names each student's result, by its content."""
        files = ((result.student, self.store.result(result.student)) for result in self)
        return {student: hashlib.sha256(path.read_bytes()).hexdigest() for student, path in files}

    def faults(self) -> list[tuple[str, str]]:
        """Return the students who have no result that counts, and why, in one line."""
        found = []
        for student in self.roster.students:
            if self.store.graded(student, self.roster) is None:
                try:
                    text = self.store.fault(student).read_text(encoding="utf-8").strip()
                except FileNotFoundError:
                    text = "the run ended before its turn"
                found.append((student, text.splitlines()[-1] if text else "no reason is known"))
        return found


def known_students(folders: Folders) -> set[str]:
    """Return who was graded before, in any lab: their names stay as they are."""
    known = set[str]()
    for path in sorted((folders.out / "results").glob("*.json")):
        with contextlib.suppress(OSError, ValueError, TypeError, KeyError):  # broken, or another table: it names nobody
            known |= set(json.loads(path.read_bytes())["submissions"])
    return known


def _json(data: Any) -> str:
    return json.dumps(data, indent=1, sort_keys=True) + "\n"


def _remove_temporaries(folder: Path) -> None:
    """Remove what `write_text` was writing when it was killed."""
    for path in folder.glob(".*.tmp"):
        path.unlink(missing_ok=True)
