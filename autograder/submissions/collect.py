"""Finding the submissions: in nbgrader's `submitted/` tree, a folder of notebooks, or a zip of an LMS download.

Nothing is unpacked and no link is followed: only regular files count, and what cannot be read is one student's fault,
told to that student, while the others go on. A notebook is read when it is graded: a cohort needs little memory.
Whose a file is, `autograder.submissions.whose` reads from its path.
"""

import datetime
import io
import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

from autograder.model import Submission
from autograder.submissions.claims import Claim, choose
from autograder.submissions.listing import Entry, as_bytes, members, walk
from autograder.submissions.names import safe_names
from autograder.submissions.platforms import submitters
from autograder.submissions.whose import Layout
from base.errors import UserError

MOST_BYTES = 100_000_000
"""Size of a file that is read: nbgrader's own limit (`CourseDirectory.max_file_size`)."""
MOST_MEMBERS = 10_000
"""Files that a student's own zip may hold."""

READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
NO_LINK, FOLDER = getattr(os, "O_NOFOLLOW", 0), getattr(os, "O_DIRECTORY", 0)
UNREADABLE = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError, ValueError)


class _FaultError(Exception):
    """A file that cannot be read; the message is for the student."""


@dataclass(frozen=True)
class Source:
    """Where one student's submission is to be read; small, and picklable.

    Attributes:
        student: Name that is safe as a folder's, the same on every run.
        origin: What the student or the LMS called it.
        root: The folder, zip or file that it is in.
        place: The notebook below `root`, or the member of the zip; empty where `root` is it.
        member: Number of the member in the zip, -1 where `root` is no zip.
        timestamp: When it was handed in, ISO 8601, if that is known.
        fault: Why there is nothing to read, for the student.
        note: What the instructor should know of it.
    """

    student: str
    origin: str
    root: Path
    place: str = ""
    member: int = -1
    timestamp: str = ""
    fault: str = ""
    note: str = ""

    def read(self) -> Submission:
        """Return the submission; what cannot be read has a `fault`."""
        if self.fault:
            return Submission(self.student, b"", self.timestamp, self.fault)
        try:
            content = self._content()
        except _FaultError as fault:
            return Submission(self.student, b"", self.timestamp, str(fault))
        return Submission(self.student, content, self.timestamp)

    def _content(self) -> bytes:
        if self.member < 0:
            content = _read_file(self.root, self.place)
        else:
            try:
                with zipfile.ZipFile(self.root) as archive:
                    content = _read_member(archive, archive.infolist()[self.member])
            except UNREADABLE as error:
                raise _FaultError(f"The file could not be read from the zip: {error}") from None
        return _only_notebook(content) if (self.place or self.root.name).lower().endswith(".zip") else content


# --- reading ---


def _read_file(root: Path, place: str = "") -> bytes:
    """Return the content of a regular file below `root`, following no link on the way down.

    Raises:
        _FaultError: It is something else, or too large.
    """
    parts = [as_bytes(part) for part in PurePosixPath(place).parts]
    handles: list[int] = []
    try:
        if parts and os.open in os.supports_dir_fd:
            handles.append(os.open(root, READ | FOLDER))
            for part in parts[:-1]:
                handles.append(os.open(part, READ | FOLDER | NO_LINK, dir_fd=handles[-1]))
            handles.append(os.open(parts[-1], READ | NO_LINK, dir_fd=handles[-1]))
        else:
            handles.append(os.open(root / place, READ | (NO_LINK if parts else 0)))
        status = os.fstat(handles[-1])
        if not stat.S_ISREG(status.st_mode):
            raise _FaultError("What was handed in is not a file: hand in the notebook itself.")
        if status.st_size > MOST_BYTES:
            raise _FaultError(_too_large(status.st_size))
        with os.fdopen(handles.pop(), "rb") as stream:
            content = stream.read(MOST_BYTES + 1)
    except OSError as error:
        raise _FaultError(f"The file could not be opened ({error.strerror}): hand in the notebook itself.") from None
    finally:
        for handle in handles:
            os.close(handle)
    if len(content) > MOST_BYTES:
        raise _FaultError(_too_large(len(content)))
    return content


def _too_large(size: int) -> str:
    return (
        f"The file is too large ({size // 1_000_000} MB, {MOST_BYTES // 1_000_000} MB are read): "
        "clear the outputs and hand it in again."
    )


def _read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> bytes:
    """Return the content of a member, whatever size it declares.

    Raises:
        _FaultError: It is no regular file, is encrypted, packed in a rare way, or too large.
    """
    if info.flag_bits & 1:
        raise _FaultError("The zip is locked with a password: hand in the notebook itself.")
    if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise _FaultError("The zip is packed in a way that is not read here: hand in the notebook itself.")
    if info.file_size > MOST_BYTES:
        raise _FaultError(_too_large(info.file_size))
    with archive.open(info) as stream:
        content = stream.read(MOST_BYTES + 1)
    if len(content) > MOST_BYTES:
        raise _FaultError(_too_large(len(content)))
    return content


def _only_notebook(content: bytes) -> bytes:
    """Return the notebook of a student's own zip, which must hold exactly one.

    Raises:
        _FaultError: It holds none or several, or cannot be read.
    """
    if content.count(b"PK\x01\x02") > MOST_MEMBERS:  # one per member: the directory is read whole by zipfile
        raise _FaultError(f"The zip holds more than {MOST_MEMBERS} files: hand in the notebook itself.")
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            found = [entry for entry in members(archive) if entry.notebook]
            found = [entry for entry in found if not entry.checkpoint] or found
            if len(found) != 1:
                names = ": " + ", ".join(entry.path for entry in found[:3]) if found else ""
                raise _FaultError(f"The zip holds {len(found)} notebooks{names}. Hand in the one notebook itself.")
            if found[0].fault:
                raise _FaultError(found[0].fault)
            return _read_member(archive, archive.infolist()[found[0].member])
    except UNREADABLE as error:
        raise _FaultError(f"The zip could not be read ({error}): hand in the notebook itself.") from None


# --- finding ---


@dataclass(frozen=True)
class Found:
    """What a folder or a zip holds.

    Attributes:
        sources: One a student, sorted by student.
        files: How many files they handed in.
        left: What is nobody's, and why.
    """

    sources: tuple[Source, ...]
    files: int = 1
    left: tuple[tuple[str, str], ...] = ()


def _utc(text: str) -> str:
    """Return nbgrader's time stamp as ISO 8601 in UTC; empty where it is none (a time alone would mean today)."""
    from nbgrader.utils import parse_utc

    if not re.match(r"\d{4}-\d\d-\d\d", text):
        return ""
    try:
        return str(parse_utc(text).replace(tzinfo=datetime.UTC).isoformat())
    except (ValueError, OverflowError, TypeError):
        return ""


def _timestamp(claim: Claim, root: Path, stamps: dict[str, Entry]) -> str:
    """Return when a submission was handed in, if its place or its name tells."""
    if claim.time[0]:  # as a platform writes it into a name, in its own time
        return _utc(claim.time[0])
    stamp = stamps.get(str(PurePosixPath(claim.entry.path).parent / "timestamp.txt"))
    if not claim.tree or stamp is None or stamp.fault:
        return ""
    try:
        content = Source("", "", root, stamp.path, stamp.member).read().notebook
        return _utc(content[:100].decode("ascii").strip())
    except UnicodeDecodeError:
        return ""


def _listed(path: Path, lab: str) -> list[Entry]:
    """Return what is in a folder or a zip.

    Raises:
        UserError: It is neither, or cannot be read.
    """
    try:
        if path.is_dir():
            return walk(path)
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                return members(archive)
    except PermissionError:
        raise UserError(f"{path} may not be read: make it readable for you, or copy it") from None
    except UNREADABLE as error:
        raise UserError(f"{path} is broken: {error}") from None
    raise UserError(f"{path} is no folder, zip or notebook: give the submissions of {lab}")


def _submitters(root: Path, entry: Entry) -> dict[str, list[str]]:
    """Return what a platform's table says of whose its folders are.

    Raises:
        UserError: It cannot be read.
    """
    table = Source("", "", root, entry.path, entry.member, fault=entry.fault).read()
    try:
        if table.fault:
            raise ValueError(table.fault)
        return submitters(table.notebook.decode("utf-8"))
    except ValueError:
        raise UserError(
            f"{entry.path} cannot be read, and it says whose the submissions are: export it again"
        ) from None


def survey(path: Path, lab: str, notebook: str = "", known: Collection[str] = (), copies: str = "") -> Found:
    """Find the submissions of a lab.

    Args:
        path: nbgrader's `submitted/` tree, a folder of notebooks, an LMS's zip, or one notebook.
        lab: Name of the lab.
        notebook: Name of the notebook, where it is not the lab's.
        known: Names that students got in earlier runs.
        copies: The folder of a student's own copies of labs in a course's repository, such as `mine/labs`: one in it
            counts before one of the same name elsewhere, which is as it was handed out.

    Returns:
        One source a student. Of several files of a student the one named like the lab counts, and of these the newest
        by the naming of the platform.

    Raises:
        UserError: There is nothing to find, or nobody can know whose it is; the message says what to do.
    """
    wanted = notebook or lab
    if path.suffix == ".ipynb" and path.is_file():
        return Found((Source(safe_names([path.stem])[path.stem], path.stem, path),))
    entries = _listed(path, lab)
    layout = Layout(lab, wanted, partial(_submitters, path), tuple(part for part in copies.split("/") if part))
    layout.read(entries)
    by_student: dict[str, list[Claim]] = {}
    for claim in layout.claims:
        by_student.setdefault(claim.student, []).append(claim)
    if not by_student:
        raise UserError(
            f"{path} holds no submission: want STUDENT/{lab}/{wanted}.ipynb, STUDENT.ipynb, or an LMS's zip"
        )
    stamps = {entry.path: entry for entry in entries if entry.parts[-1] == "timestamp.txt"}
    sources = []
    for origin, student in safe_names(by_student, known).items():
        claim, fault, note = choose(by_student[origin], wanted, alone=wanted == lab)
        notes = [f"named {origin!r} where it came from"] if student != origin else []
        notes += [note] if note else []
        time = _timestamp(claim, path, stamps)
        place, member = claim.entry.path, claim.entry.member
        sources.append(Source(student, origin, path, place, member, time, fault, "; ".join(notes)))
    files = sum(not claim.entry.folder for claim in layout.claims)
    return Found(tuple(sorted(sources, key=lambda source: source.student)), files, tuple(layout.left))


def collect(path: Path, lab: str, notebook: str = "") -> list[Source]:
    """Return the submissions of a lab alone, see `survey`."""
    return list(survey(path, lab, notebook).sources)
