"""An append-only audit log: one JSON line an entry, each carrying the hash of the one before.

What the chain proves: nobody edited, removed, inserted or reordered entries and left the rest as it was.
What it does not prove: that the log is the original. Whoever can write the file can cut its end, or write all of it
anew with hashes that fit. Against that, somebody whom the log's writer cannot reach keeps its `tree_head()` (signed:
see `heads`), and `verify(head)` compares. What was appended after the newest head that is kept, nothing guards.

Nothing about a person belongs into the log, for nothing ever leaves it: see `personal`.

A million entries (364 MB, each with a key), appended a thousand at a time, took 34 s of a processor, `verify(head)`
16 s, a proof 20 s (an AMD EPYC in the cloud, Python 3.11, November 2026): `python -m oakbank.governance.audit_speed`.
"""

import json
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import FileIO
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from oakbank.governance.entries import START, Draft, Entry, Reader, canonical, parse_content, sealed
from oakbank.governance.merkle import Frontier, TreeHead, leaf_hash

__all__ = ["START", "AuditError", "AuditLog", "Draft", "Entry", "Verification"]

LOCK_SECONDS = 60.0


class AuditError(RuntimeError):
    """An entry that cannot be written or read; the message says what to do. The log is as it was before."""


@dataclass(frozen=True)
class Verification:
    """What `AuditLog.verify` found: `first_bad` is the place (from 0) of the first entry that does not hold."""

    ok: bool
    entries: int
    """Entries that hold, counted from the start."""
    first_bad: int | None
    detail: str


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
        self._by_key: dict[str, int] = {}  # where the entry's line begins

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
        return self.append_many([Draft(kind, actor, when, key, payload)])[0]

    def append_many(self, drafts: Sequence[Draft]) -> list[Entry]:
        """Add entries in this order, with one wait for the disk; see `append`.

        A kill leaves a beginning of them, each whole; if they have keys, the same call then adds the rest. An error
        leaves none.
        """
        contents = [_content(draft) for draft in drafts]
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with self._lock:
                return self._append(contents)
        except Timeout:
            raise AuditError(
                f"another process has held {self.path} for {LOCK_SECONDS:g} s: end it, try again"
            ) from None

    def _append(self, contents: list[dict[str, Any]]) -> list[Entry]:
        created = not self.path.exists()
        with self.path.open("ab+", buffering=0) as stream:
            if created:
                _sync_folder(self.path.parent)
            self._catch_up(stream)
            found, new, by_key = [], list[tuple[Entry, bytes]](), dict[str, Entry]()
            count, head = self._count, self._head
            for content in contents:
                key = content["key"]
                known = self._with_key(key) or by_key.get(key)
                if known is None:
                    known = sealed(content | {"seq": count, "previous": head})
                    new.append((known, canonical(vars(known)) + b"\n"))
                    count, head = known.seq + 1, known.hash
                    if key is not None:
                        by_key[key] = known
                elif canonical({name: getattr(known, name) for name in content}) != canonical(content):
                    raise AuditError(f"key {key!r} is that of entry {known.seq}, which says something else")
                found.append(known)
            if new:
                self._write(stream, b"".join(line for _, line in new))
            for entry, line in new:
                self._remember(entry, len(line))
            return found

    def _write(self, stream: FileIO, content: bytes) -> None:
        try:
            rest = memoryview(content)
            while rest:
                rest = rest[stream.write(rest) or 0 :]
            os.fsync(stream.fileno())
        except OSError as error:
            stream.truncate(self._offset)  # if even this is cut short, the next append puts the piece aside
            raise AuditError(f"{self.path}: entry not written ({error}); make room and append it again") from error

    def _with_key(self, key: str | None) -> Entry | None:
        if key is None or key not in self._by_key:
            return None
        with self.path.open("rb") as stream:
            stream.seek(self._by_key[key])
            try:
                entry = parse_content(stream.readline().removesuffix(b"\n"))
            except ValueError as error:
                raise AuditError(f"{self.path}: the entry with key {key!r} {error}; keep it for the auditors") from None
        return entry

    def _remember(self, entry: Entry, length: int) -> None:
        if entry.key is not None:
            self._by_key[entry.key] = self._offset
        self._offset, self._count, self._head = self._offset + length, entry.seq + 1, entry.hash

    def _catch_up(self, stream: FileIO) -> None:
        """Read what was added since the last look, and put aside what a killed process left unfinished."""
        if stream.seek(0, os.SEEK_END) < self._offset:
            raise AuditError(f"{self.path} is shorter than it was: entries were cut off; restore it from a copy")
        reader = Reader(self.path, self._offset, self._count, self._head)
        for entry in reader:
            self._remember(entry, len(reader.line) + 1)
        if reader.problem:
            raise AuditError(f"{self.path}: entry {self._count} {reader.problem}; keep the file for the auditors")
        if reader.unfinished:
            try:
                with self.torn_path.open("ab") as aside:
                    aside.write(reader.unfinished + b"\n")
                    aside.flush()
                    os.fsync(aside.fileno())
            except OSError as error:
                raise AuditError(f"{self.torn_path} cannot be written ({error}); make room and try again") from error
            stream.truncate(self._offset)

    def __iter__(self) -> Iterator[Entry]:
        """Yield the entries, oldest first; an unfinished last line is none (its append was never acknowledged).

        Raises:
            AuditError: The chain does not hold; `verify` says where.
        """
        return (entry for entry, _ in self._with_lines())

    def _with_lines(self) -> Iterator[tuple[Entry, bytes]]:
        reader = Reader(self.path)
        for entry in reader:
            yield entry, reader.line
        if reader.problem:
            raise AuditError(f"{self.path}: entry {reader.count} {reader.problem}; keep the file for the auditors")

    def entries(self) -> list[Entry]:
        """Return all entries, oldest first (`for entry in log` keeps only one in memory). Raises as that does."""
        return list(self)

    def head(self) -> str:
        """Return the hash of the last entry. It stands for all before it, but nothing short can be proved by it.

        Raises:
            AuditError: The chain does not hold.
        """
        last = START
        for entry in self:
            last = entry.hash
        return last

    def leaves(self) -> list[bytes]:
        """Return the leaf hashes of the log's Merkle tree: a leaf is an entry's line, without the line end.

        Raises:
            AuditError: The chain does not hold.
        """
        return [leaf_hash(line) for _, line in self._with_lines()]

    def tree_head(self) -> TreeHead:
        """Return size and Merkle root, which stand for the whole log: keep it where nobody can rewrite it.

        Raises:
            AuditError: The chain does not hold.
        """
        return Frontier(leaf_hash(line) for _, line in self._with_lines()).head()

    def verify(self, head: TreeHead | str | None = None) -> Verification:
        """Check the whole chain. While others append, an unfinished line may be seen: check again.

        Args:
            head: A `tree_head()` (or `head()`) kept from earlier. The log may have grown since; if it does not begin
                with those entries, its end was cut off or it was written anew. Without it neither can be seen.
        """
        reader, tree = Reader(self.path), Frontier()
        kept = head == START
        for entry in reader:
            kept = kept or entry.hash == head
            if isinstance(head, TreeHead) and tree.size < head.size:
                tree.add(leaf_hash(reader.line))
        count = reader.count
        if reader.problem:
            return Verification(False, count, count, f"entry {count} {reader.problem}")
        if isinstance(head, TreeHead):
            if tree.size < head.size:
                return Verification(False, count, None, f"the kept head has {head.size} entries: the log was cut short")
            kept = tree.head() == head
        if head is not None and not kept:
            return Verification(False, count, None, "the anchored head is gone: the log was cut short or rewritten")
        if reader.unfinished:
            detail = "bytes after the last entry: a killed append, or an edit; the next append puts them aside"
            return Verification(False, count, count, f"{len(reader.unfinished)} {detail}")
        anchor = "the anchored head is among them" if head else "no anchor was given, so a cut end would not show"
        aside = f"; unfinished bytes lie in {self.torn_path.name}" if self.torn_path.exists() else ""
        return Verification(True, count, None, f"{count} entries, each follows the one before; {anchor}{aside}")


def _content(draft: Draft) -> dict[str, Any]:
    try:
        content = json.loads(canonical(vars(draft)))
    except (TypeError, ValueError, RecursionError) as error:
        raise AuditError(
            f"this {draft.kind!r} entry is not plain JSON ({error}): give str, int, float, list, dict"
        ) from None
    assert isinstance(content, dict)
    return content


def _sync_folder(folder: Path) -> None:
    """Make a new file's name as durable as its content (Windows has no such call, and needs none)."""
    if os.name == "posix":
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
