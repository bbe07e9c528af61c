"""An append-only audit log: one JSON line an entry, each carrying the hash of the one before.

What the chain proves: nobody edited, removed, inserted or reordered entries and left the rest as it was.
What it does not prove: that the log is the original. Whoever can write the file can cut its end, or write all of it
anew with hashes that fit. Against that, keep the `head()` somewhere its writer cannot reach, and `verify(head=...)`.
"""

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from io import FileIO
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

START = "0" * 64
"""What stands for the hash before the first entry."""
LOCK_SECONDS = 60.0


class AuditError(RuntimeError):
    """An entry that cannot be written or read; the message says what to do. The log is as it was before."""


@dataclass(frozen=True)
class Entry:
    """One line of the log. `payload` is plain JSON; `hash` covers every other field."""

    seq: int
    kind: str
    actor: str
    when: int | None
    """Simulated month, as the caller gave it: the log reads no clock."""
    key: str | None
    """Idempotency key: a second append with the same key adds nothing."""
    payload: dict[str, Any]
    previous: str
    hash: str


@dataclass(frozen=True)
class Verification:
    """What `AuditLog.verify` found: `first_bad` is the place (from 0) of the first entry that does not hold."""

    ok: bool
    entries: int
    """Entries that hold, counted from the start."""
    first_bad: int | None
    detail: str


def _canonical(value: object) -> bytes:
    """One value, one spelling: sorted keys, no spaces, ASCII, no NaN."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False).encode("ascii")


def _sealed(fields: dict[str, Any]) -> Entry:
    return Entry(**fields, hash=hashlib.sha256(_canonical(fields)).hexdigest())


def _parse(line: bytes, seq: int, previous: str) -> Entry:
    """Return the entry of a line, or raise ValueError with what is wrong with it."""
    try:
        entry = Entry(**json.loads(line))
        fields = {name: value for name, value in vars(entry).items() if name != "hash"}
        unchanged = entry == _sealed(fields) and line == _canonical(vars(entry))
    except (ValueError, TypeError, RecursionError):
        raise ValueError("is not an entry") from None
    if not unchanged:
        raise ValueError("was changed: its content does not have its hash")
    if entry.previous != previous or entry.seq != seq:
        raise ValueError("does not follow the one before it: an entry was removed, inserted or moved")
    return entry


class AuditLog:
    """The log in one file. Any number of processes and threads may append; readers need no lock.

    Args:
        path: The file; it is made by the first append. Beside it live `.lock` and, after a kill, `.torn`.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        self.torn_path = self.path.with_name(self.path.name + ".torn")
        self._lock = FileLock(self.path.with_name(self.path.name + ".lock"), timeout=LOCK_SECONDS)
        # What this object has read so far, so that an append reads only what others have added since.
        self._offset, self._count, self._head = 0, 0, START
        self._by_key: dict[str, Entry] = {}

    def append(
        self, kind: str, actor: str, /, *, when: int | None = None, key: str | None = None, **payload: Any
    ) -> Entry:
        """Add an entry and return it once it is safely on the disk.

        Args:
            kind: What happened, such as "promote".
            actor: Who did it: a person or a process.
            when: Simulated month.
            key: Idempotency key: if the log has it with the same content, that entry is returned and nothing is added.
            payload: Anything JSON can say; a number from NumPy is not (use `int`, `float`).

        Raises:
            AuditError: The content is not JSON; the key was used for other content; the disk is full; another
                process holds the lock; or the log is damaged, so that nothing may be built on it.
        """
        try:
            content = json.loads(
                _canonical({"kind": kind, "actor": actor, "when": when, "key": key, "payload": payload})
            )
        except (TypeError, ValueError, RecursionError) as error:
            raise AuditError(
                f"this {kind!r} entry is not plain JSON ({error}): give str, int, float, list, dict"
            ) from None
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with self._lock:
                return self._append(content)
        except Timeout:
            raise AuditError(
                f"another process has held {self.path} for {LOCK_SECONDS:g} s: end it, try again"
            ) from None

    def _append(self, content: dict[str, Any]) -> Entry:
        created = not self.path.exists()
        with self.path.open("ab+", buffering=0) as stream:
            if created:
                _sync_folder(self.path.parent)
            self._catch_up(stream)
            known = self._by_key.get(content["key"])
            if known is not None:
                if {name: getattr(known, name) for name in content} != content:
                    raise AuditError(f"key {known.key!r} is that of entry {known.seq}, which says something else")
                return known
            entry = _sealed(content | {"seq": self._count, "previous": self._head})
            line = _canonical(asdict(entry)) + b"\n"
            try:
                rest = memoryview(line)
                while rest:
                    rest = rest[stream.write(rest) or 0 :]
                os.fsync(stream.fileno())
            except OSError as error:
                stream.truncate(self._offset)  # if even this is cut short, the next append puts the piece aside
                raise AuditError(f"{self.path}: entry not written ({error}); make room and append it again") from error
            self._remember(entry, len(line))
            return entry

    def _remember(self, entry: Entry, length: int) -> None:
        self._offset, self._count, self._head = self._offset + length, entry.seq + 1, entry.hash
        if entry.key is not None:
            self._by_key[entry.key] = entry

    def _catch_up(self, stream: FileIO) -> None:
        """Read what was added since the last look, and put aside what a killed process left unfinished."""
        size = stream.seek(0, os.SEEK_END)
        if size < self._offset:
            raise AuditError(f"{self.path} is shorter than it was: entries were cut off; restore it from a copy")
        stream.seek(self._offset)
        *lines, torn = _read_to(stream, size).split(b"\n")
        for line in lines:
            try:
                entry = _parse(line, self._count, self._head)
            except ValueError as error:
                raise AuditError(f"{self.path}: entry {self._count} {error}; keep the file for the auditors") from None
            self._remember(entry, len(line) + 1)
        if torn:
            try:
                with self.torn_path.open("ab") as aside:
                    aside.write(torn + b"\n")
                    aside.flush()
                    os.fsync(aside.fileno())
            except OSError as error:
                raise AuditError(f"{self.torn_path} cannot be written ({error}); make room and try again") from error
            stream.truncate(self._offset)

    def entries(self) -> list[Entry]:
        """Return all entries, oldest first; an unfinished last line is none (its append was never acknowledged).

        Raises:
            AuditError: The chain does not hold; `verify` says where.
        """
        found, _, problem = self._read()
        if problem:
            raise AuditError(f"{self.path}: entry {len(found)} {problem}; keep the file for the auditors")
        return found

    def head(self) -> str:
        """Return the hash of the last entry, which stands for the whole log: keep it where nobody can rewrite it.

        Raises:
            AuditError: The chain does not hold.
        """
        entries = self.entries()
        return entries[-1].hash if entries else START

    def verify(self, head: str | None = None) -> Verification:
        """Check the whole chain. While others append, an unfinished line may be seen: check again.

        Args:
            head: A `head()` kept from earlier. The log may have grown since; if that entry is gone, the end was cut
                off or the log was written anew. Without it neither can be seen.
        """
        entries, unfinished, problem = self._read()
        count = len(entries)
        if problem:
            return Verification(False, count, count, f"entry {count} {problem}")
        if head is not None and head != START and all(entry.hash != head for entry in entries):
            return Verification(False, count, None, "the anchored head is gone: the log was cut short or rewritten")
        if unfinished:
            detail = "bytes after the last entry: a killed append, or an edit; the next append puts them aside"
            return Verification(False, count, count, f"{unfinished} {detail}")
        anchor = "the anchored head is among them" if head else "no anchor was given, so a cut end would not show"
        aside = f"; unfinished bytes lie in {self.torn_path.name}" if self.torn_path.exists() else ""
        return Verification(True, count, None, f"{count} entries, each follows the one before; {anchor}{aside}")

    def _read(self) -> tuple[list[Entry], int, str]:
        """Return the entries that hold, the bytes of an unfinished last line, and what is wrong with the next entry."""
        *lines, rest = (self.path.read_bytes() if self.path.exists() else b"").split(b"\n")
        found: list[Entry] = []
        for line in lines:
            try:
                found.append(_parse(line, len(found), found[-1].hash if found else START))
            except ValueError as error:
                return found, len(rest), str(error)
        return found, len(rest), ""


def _read_to(stream: FileIO, size: int) -> bytes:
    """Read up to a position; a raw stream may return less than asked for."""
    parts = []
    while (left := size - stream.tell()) > 0 and (part := stream.read(left)):
        parts.append(part)
    return b"".join(parts)


def _sync_folder(folder: Path) -> None:
    """Make a new file's name as durable as its content (Windows has no such call, and needs none)."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
