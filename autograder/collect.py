"""Finding the submissions: in nbgrader's `submitted/` tree, a folder of notebooks, or a zip of an LMS download.

Nothing is unpacked and no link is followed: only regular files count, and what cannot be read is one student's fault,
told to that student, while the others go on. A notebook is read when it is graded: a cohort needs little memory.
"""

import datetime
import hashlib
import io
import os
import re
import stat
import struct
import unicodedata
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from autograder.model import Submission
from course.paths import CourseError

MOST_BYTES = 100_000_000
"""Size of a file that is read: nbgrader's own limit (`CourseDirectory.max_file_size`)."""
MOST_MEMBERS = 10_000
"""Files that a student's own zip may hold."""
MOST_DEPTH = 4
"""Folders below the one that was given."""
AGAIN_PLEASE = "Hand in the one notebook of the lab."

READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
NO_LINK, FOLDER = getattr(os, "O_NOFOLLOW", 0), getattr(os, "O_DIRECTORY", 0)
UNREADABLE = (zipfile.BadZipFile, zlib.error, struct.error, EOFError, OSError, RuntimeError, ValueError)

CANVAS = re.compile(r"(?P<name>[^_]+)_(?:LATE_)?(?P<id>\d+|(?<=anon_)\w+)_(?P<file>\d+)_(?P<base>.+)")
MOODLE = re.compile(r"(?P<name>.+)_(?P<id>\d+)_assignsubmission_(?:file|onlinetext)(?:_(?P<base>.*))?")
BLACKBOARD = re.compile(r".*_(?P<name>[^_]+)_attempt_(?P<time>\d{4}(?:-\d\d){5})(?:_(?P<base>.+))?")
AGAIN = re.compile(r"(?P<base>.+?)(?:-(?P<number>\d{1,9})| ?\((?P<copy>\d{1,9})\))")
WINDOWS = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?", re.IGNORECASE)


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
    parts = PurePosixPath(place).parts
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
            found = [entry for entry in _members(archive) if entry.notebook]
            if len(found) != 1:
                names = ": " + ", ".join(entry.path for entry in found[:3]) if found else ""
                raise _FaultError(f"The zip holds {len(found)} notebooks{names}. Hand in the one notebook itself.")
            if found[0].fault:
                raise _FaultError(found[0].fault)
            return _read_member(archive, archive.infolist()[found[0].member])
    except UNREADABLE as error:
        raise _FaultError(f"The zip could not be read ({error}): hand in the notebook itself.") from None


# --- listing ---


@dataclass(frozen=True)
class _Entry:
    """A file (or a folder, or something that is neither) below what was given, by its path with `/`."""

    path: str
    member: int = -1
    fault: str = ""
    folder: bool = False

    @property
    def parts(self) -> tuple[str, ...]:
        return tuple(self.path.split("/"))

    @property
    def notebook(self) -> bool:
        return not self.folder and self.path.lower().endswith(".ipynb")

    @property
    def candidate(self) -> bool:
        """Whether it may be what a student handed in: a notebook, a zip, or a link in the place of one."""
        return self.notebook or bool(self.fault) or (not self.folder and self.path.lower().endswith(".zip"))


def _hidden(part: str) -> bool:
    return part in ("__MACOSX", ".ipynb_checkpoints") or part.startswith("._") or part.endswith("-checkpoint.ipynb")


def _walk(folder: Path, above: str = "", depth: int = 0) -> Iterator[_Entry]:
    """Yield what is below a folder, in order, following no link."""
    with os.scandir(folder) as found:
        inside = sorted(found, key=lambda entry: entry.name)
    for entry in inside:
        if _hidden(entry.name):
            continue
        path = above + entry.name
        if entry.is_symlink():
            yield _Entry(path, fault="What was handed in is a link, not a file: hand in the notebook itself.")
        elif entry.is_dir(follow_symlinks=False):
            yield _Entry(path, folder=True)
            if depth < MOST_DEPTH:
                yield from _walk(folder / entry.name, f"{path}/", depth + 1)
        elif entry.is_file(follow_symlinks=False):
            yield _Entry(path)
        else:
            yield _Entry(path, fault="What was handed in is not a file: hand in the notebook itself.")


def _members(archive: zipfile.ZipFile) -> list[_Entry]:
    """Return what is in a zip; nothing of it is trusted, and nothing is written anywhere."""
    entries = []
    for number, info in enumerate(archive.infolist()):
        name = info.filename
        if not info.flag_bits & 0x800:  # the name is not marked as UTF-8, and often is nevertheless
            try:
                name = name.encode("cp437").decode("utf-8")
            except UnicodeError:
                name = info.filename
        whole = name.replace("\\", "/")
        parts = [part for part in whole.split("/") if part not in ("", ".")]
        kept = [part for part in parts if part != ".."]
        if not kept or any(_hidden(part) for part in kept):
            continue
        folder, kind = whole.endswith("/"), stat.S_IFMT(info.external_attr >> 16)
        fault = ""
        if len(kept) < len(parts) or whole.startswith("/") or re.match("[A-Za-z]:", whole):
            fault = "The path of the file in the zip leads out of it: hand in the notebook itself."
        elif kind not in (0, stat.S_IFREG) and not (folder and kind == stat.S_IFDIR):
            fault = "What was handed in is a link or a device, not a file: hand in the notebook itself."
        entries.append(_Entry("/".join(kept), number, fault, folder and not fault))
    return entries


# --- whose is it? ---


@dataclass(frozen=True)
class _Claim:
    """That an entry is what a student handed in.

    `base` is the student's name of the file; of several the one with the highest `rank` is the newest.
    """

    student: str
    entry: _Entry
    base: str
    rank: tuple[str, int, int, int] = ("", 0, 0, 0)
    tree: bool = False


def _base(stem: str, wanted: str) -> tuple[str, int]:
    """Return the name of a file without the number that it gets when it is handed in again, and the number."""
    again = AGAIN.fullmatch(stem)
    if stem == wanted or not again:
        return stem, 0
    return again["base"], int(again["number"] or again["copy"])


def _named(entry: _Entry, lab: str, wanted: str) -> _Claim | None:
    """Say whose an entry is where nbgrader's tree or an LMS names the student."""
    *folders, last = entry.parts
    stem = last if entry.folder else PurePosixPath(last).stem
    deep = -len(folders)
    base, again = _base(stem, wanted)
    for folder in [*folders, stem]:
        if moodle := MOODLE.fullmatch(folder):
            if folder == stem:
                base, again = _base(moodle["base"] or "", wanted)
            return _Claim(f"{moodle['name']}_{moodle['id']}", entry, base, ("", again, 0, deep))
    below = [*folders, stem if entry.fault or entry.folder else ""]
    if lab in below[1:]:
        return _Claim(below[below.index(lab, 1) - 1], entry, base, ("", again, 0, deep), tree=True)
    if canvas := CANVAS.fullmatch(stem):
        base, again = _base(canvas["base"], wanted)
        return _Claim(f"{canvas['name']}_{canvas['id']}", entry, base, ("", again, int(canvas["file"]), deep))
    if board := BLACKBOARD.fullmatch(stem):
        return _Claim(board["name"], entry, board["base"] or "", (board["time"], 0, 0, deep))
    return None


def _claims(entries: list[_Entry], lab: str, wanted: str) -> list[_Claim]:
    """Say whose every entry is that may have been handed in."""
    claims, plain = [], []
    for entry in entries:
        if claim := _named(entry, lab, wanted):
            claims.append(claim)
        elif entry.candidate:
            plain.append(entry)
    if any(claim.tree for claim in claims):  # what stands deeper belongs to other labs
        plain = [entry for entry in plain if len(entry.parts) == 1]
    # Folders are the students' if the file in them has the lab's name, or if there are several folders.
    inside = [entry for entry in plain if len(entry.parts) > 1]
    by_folder = any(_base(PurePosixPath(entry.path).stem, wanted)[0] == wanted for entry in inside)
    by_folder |= len({entry.parts[:-1] for entry in inside}) > 1
    for entry in plain:
        base, again = _base(PurePosixPath(entry.path).stem, wanted)
        whose = entry.parts[-2] if by_folder and len(entry.parts) > 1 else PurePosixPath(entry.path).stem
        claims.append(_Claim(whose, entry, base, ("", again, 0, -len(entry.parts))))
    return claims


def _choose(claims: list[_Claim], wanted: str) -> tuple[_Claim, str, str]:
    """Return which of a student's files counts, the fault if that cannot be said, and a note for the instructor."""
    paths = ", ".join(sorted(claim.entry.path for claim in claims)[:3])
    files = [claim for claim in claims if claim.entry.candidate]
    if not files:
        return claims[0], f"No notebook was handed in, only this: {paths}. {AGAIN_PLEASE}", ""
    for fits in (lambda claim: claim.entry.notebook, lambda claim: not claim.entry.fault):
        files = [claim for claim in files if fits(claim)] or files
    files = [claim for claim in files if claim.base == wanted] or files
    files = sorted(files, key=lambda claim: (claim.rank, claim.entry.path))
    names = ", ".join(claim.entry.path for claim in files[-3:])
    if len({claim.base for claim in files}) > 1 or (len(files) > 1 and files[-1].rank == files[-2].rank):
        return files[-1], f"More than one notebook was handed in: {names}. {AGAIN_PLEASE}", ""
    return files[-1], files[-1].entry.fault, f"the newest of {len(files)}: {names}" if len(files) > 1 else ""


LONGEST_NAME = 100  # bytes


def _safe(origins: list[str]) -> dict[str, str]:
    """Return a name for each student that is safe as a folder's on every system and for nbgrader, and is nobody else's.

    A name that has to change gets a hash of the old one: it is the same on every run, whoever hands in later.
    """
    taken: set[str] = set()
    names = {}
    for origin in sorted(origins):
        name = re.sub(r"[^\w .@'()=~-]", "-", unicodedata.normalize("NFC", origin)).strip(" .")
        # Room for the hash here and for what is added while a file is written: most systems take 255 bytes.
        name = name.encode()[:LONGEST_NAME].decode(errors="ignore").rstrip(" .")
        if name != origin or not name or WINDOWS.fullmatch(name) or name.casefold() in taken:
            name = f"{name or 'student'}-{hashlib.sha256(origin.encode('utf-8', 'surrogatepass')).hexdigest()[:8]}"
            name = f"student-{name}" if WINDOWS.fullmatch(name) else name
        taken.add(name.casefold())
        names[origin] = name
    return names


def _utc(text: str) -> str:
    """Return nbgrader's time stamp as ISO 8601 in UTC; empty where it is none (a time alone would mean today)."""
    from nbgrader.utils import parse_utc

    if not re.match(r"\d{4}-\d\d-\d\d", text):
        return ""
    try:
        return str(parse_utc(text).replace(tzinfo=datetime.UTC).isoformat())
    except (ValueError, OverflowError, TypeError):
        return ""


def _timestamp(claim: _Claim, root: Path, stamps: dict[str, _Entry]) -> str:
    """Return when a submission was handed in, if its place or its name tells."""
    if claim.rank[0]:  # as Blackboard writes it, in the time of the LMS
        day, clock = claim.rank[0][:10], claim.rank[0][11:].replace("-", ":")
        return _utc(f"{day} {clock}")
    stamp = stamps.get(str(PurePosixPath(claim.entry.path).parent / "timestamp.txt"))
    if not claim.tree or stamp is None or stamp.fault:
        return ""
    try:
        content = Source("", "", root, stamp.path, stamp.member).read().notebook
        return _utc(content[:100].decode("ascii").strip())
    except UnicodeDecodeError:
        return ""


def collect(path: Path, lab: str, notebook: str = "") -> list[Source]:
    """Find the submissions of a lab.

    Args:
        path: nbgrader's `submitted/` tree, a folder of notebooks, an LMS's zip, or one notebook.
        lab: Name of the lab.
        notebook: Name of the notebook, where it is not the lab's.

    Returns:
        One source a student, sorted by student. Files named by Canvas, Moodle or Blackboard are recognised; of several
        files of a student the one named like the lab counts, and of these the newest by the naming of the LMS.

    Raises:
        CourseError: There is nothing to find; the message says what was looked for.
    """
    wanted = notebook or lab
    if path.is_dir():
        entries = list(_walk(path))
    elif zipfile.is_zipfile(path):
        try:
            with zipfile.ZipFile(path) as archive:
                entries = _members(archive)
        except UNREADABLE as error:
            raise CourseError(f"{path} is a broken zip: {error}") from None
    elif path.suffix == ".ipynb" and path.is_file():
        return [Source(_safe([path.stem])[path.stem], path.stem, path)]
    else:
        raise CourseError(f"{path} is no folder, zip or notebook: give the submissions of {lab}")
    by_student: dict[str, list[_Claim]] = {}
    for claim in _claims(entries, lab, wanted):
        by_student.setdefault(claim.student, []).append(claim)
    if not by_student:
        raise CourseError(
            f"{path} holds no submission: want STUDENT/{lab}/{wanted}.ipynb, STUDENT.ipynb, or an LMS's zip"
        )
    stamps = {entry.path: entry for entry in entries if entry.parts[-1] == "timestamp.txt"}
    sources = []
    for origin, student in _safe(list(by_student)).items():
        claim, fault, note = _choose(by_student[origin], wanted)
        notes = [f"named {origin!r} where it came from"] if student != origin else []
        notes += [note] if note else []
        sources.append(
            Source(
                student,
                origin,
                path,
                claim.entry.path,
                claim.entry.member,
                _timestamp(claim, path, stamps),
                fault,
                "; ".join(notes),
            )
        )
    return sorted(sources, key=lambda source: source.student)
