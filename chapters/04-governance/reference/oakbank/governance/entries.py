"""The entries of the audit log: one JSON line each, one spelling only, sealed by its own hash."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

START = "0" * 64
"""What stands for the hash before the first entry."""
_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), allow_nan=False)
_HASH = b',"hash":"'


@dataclass(frozen=True)
class Draft:
    """What an entry is to say; the log adds its place and hashes."""

    kind: str
    actor: str
    when: int | None = None
    key: str | None = None
    payload: dict[str, Any] = field(default_factory=dict)


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

    def line(self) -> bytes:
        """Return the entry as it stands in the log, without the line end."""
        return canonical(vars(self))


def canonical(value: object) -> bytes:
    """One value, one spelling: sorted keys, no spaces, ASCII, no NaN."""
    return _ENCODER.encode(value).encode("ascii")


def sealed(fields: dict[str, Any]) -> Entry:
    """Return the entry of all fields but the hash."""
    return Entry(**fields, hash=hashlib.sha256(canonical(fields)).hexdigest())


def parse(line: bytes, seq: int, previous: str) -> Entry:
    """Return the entry of a line, or raise ValueError with what is wrong with it."""
    entry = parse_content(line)
    if entry.previous != previous or entry.seq != seq:
        raise ValueError("does not follow the one before it: an entry was removed, inserted or moved")
    return entry


def parse_content(line: bytes) -> Entry:
    """Return the entry of a line, wherever it stands, or raise ValueError with what is wrong with it."""
    try:
        entry = Entry(**json.loads(line))
        unchanged = line == entry.line()
    except (ValueError, TypeError, RecursionError):
        raise ValueError("is not an entry") from None
    # In one spelling, the line without its hash is what was hashed. A quote within a text stands behind a backslash.
    before, _, after = line.partition(_HASH)
    body = before + after[len(entry.hash) + 1 :] if isinstance(entry.hash, str) else b""
    if not unchanged or hashlib.sha256(body).hexdigest() != entry.hash:
        raise ValueError("was changed: its content does not have its hash")
    return entry


class Reader:
    """Yields the entries of a log as far as they hold; afterwards it says what comes then.

    Attributes:
        line: The last entry's line, without its end.
        problem: What is wrong with the next entry.
        unfinished: What follows the last line end.
    """

    def __init__(self, path: Path, offset: int = 0, count: int = 0, head: str = START) -> None:
        self.path, self.offset, self.count, self.head = path, offset, count, head
        self.line, self.problem, self.unfinished = b"", "", b""

    def __iter__(self) -> Iterator[Entry]:
        if not self.path.exists():
            return
        with self.path.open("rb") as stream:
            stream.seek(self.offset)
            for line in stream:
                if not line.endswith(b"\n"):
                    self.unfinished = line
                    return
                try:
                    self.line = line[:-1]
                    entry = parse(self.line, self.count, self.head)
                except ValueError as error:
                    self.problem = str(error)
                    return
                self.count, self.head = self.count + 1, entry.hash
                yield entry
