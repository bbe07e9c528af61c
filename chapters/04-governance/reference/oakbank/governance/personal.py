"""What the audit log must not hold: data about people, in a store from which they can be erased.

The log gets a *commitment* to the data, HMAC-SHA256 keyed by a random salt of 32 bytes. While the store has data and
salt, anybody who is shown both can check that this is what was logged. Once they are deleted, the commitment is noise:
without the salt nobody can try all applicants until one fits, as with a plain hash. The chain still verifies.

The place in the log must not name the person either: append a batch in the order of the commitments, which is random.
While the salt is there, the commitment is personal data too (GDPR, article 4(5): pseudonymised). An erasure writes the
file anew (`VACUUM`): `secure_delete` alone overwrites what is freed, not the copies that SQLite left when it split a
page. What backups and the disk's own layer keep is beyond this file.
"""

import hashlib
import hmac
import json
import secrets
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oakbank.governance.entries import canonical

SALT_BYTES = 32
TABLE = """CREATE TABLE IF NOT EXISTS personal (
    commitment TEXT PRIMARY KEY, key TEXT UNIQUE, subject TEXT, salt BLOB, content BLOB) WITHOUT ROWID"""
INDEX = "CREATE INDEX IF NOT EXISTS by_subject ON personal (subject)"


class PersonalError(RuntimeError):
    """Data that cannot be kept or shown; the message says what to do."""


@dataclass(frozen=True)
class Opening:
    """What opens a commitment: shown to the person, or to whoever may see their data."""

    commitment: str
    salt: str
    content: dict[str, Any]

    def holds(self) -> bool:
        """Return whether this is what was committed to. Needs no store."""
        return hmac.compare_digest(_commit(bytes.fromhex(self.salt), canonical(self.content)), self.commitment)


class PersonalStore:
    """The store in one SQLite file; any number of processes may use it.

    Args:
        path: The file; it is made when something is kept.
        salt: Gives that many random bytes. For tests only: a salt that can be guessed protects nobody.
    """

    def __init__(self, path: str | Path, salt: Callable[[int], bytes] = secrets.token_bytes) -> None:
        self.path = Path(path)
        self._salt = salt

    def keep(self, key: str, subject: str, content: dict[str, Any]) -> str:
        """Keep data about a person, and return the commitment for the log. Keep first, then append.

        The commitment is a good `key` for the log's entry: kept again, the same data have the same one.

        Args:
            key: Idempotency key of the store, such as "decision-1000000700". It is erased with the data, so that a job
                that is repeated after an erasure would keep them anew: erase the person from its input, too.
            subject: Whose data it is.
            content: Plain JSON.

        Raises:
            PersonalError: The content is not JSON, or the key was used for other data.
        """
        return self.keep_many([(key, subject, content)])[0]

    def keep_many(self, rows: Iterable[tuple[str, str, dict[str, Any]]]) -> list[str]:
        """Keep rows of key, subject and content in one transaction, all or none; see `keep`."""
        given = [(key, subject, _text(content)) for key, subject, content in rows]
        with self._database() as database:
            return [self._keep(database, *row) for row in given]

    def _keep(self, database: sqlite3.Connection, key: str, subject: str, text: bytes) -> str:
        query = "SELECT commitment, subject, content FROM personal WHERE key = ?"
        found = database.execute(query, [key]).fetchone()
        if found is None:
            salt = self._salt(SALT_BYTES)
            commitment = _commit(salt, text)
            database.execute("INSERT INTO personal VALUES (?, ?, ?, ?, ?)", [commitment, key, subject, salt, text])
            return commitment
        commitment, owner, kept = found
        if (owner, bytes(kept)) != (subject, text):
            raise PersonalError(f"key {key!r} is that of other data: take another key")
        return str(commitment)

    def open(self, commitment: str) -> Opening | None:
        """Return what opens a commitment of the log; None: it was erased.

        Raises:
            PersonalError: There never was such a commitment, or its data were changed.
        """
        query = "SELECT commitment, salt, content FROM personal WHERE commitment = ?"
        with self._database() as database:
            row = database.execute(query, [commitment]).fetchone()
        if row is None:
            raise PersonalError(f"there is no data for {commitment[:12]}…: is this the store of this log?")
        return None if row[1] is None else _opening(*row)

    def about(self, subject: str) -> list[Opening]:
        """Return all that is kept about a person, in the order of the keys (an access request).

        Raises:
            PersonalError: Some of it was changed.
        """
        query = "SELECT commitment, salt, content FROM personal WHERE subject = ? ORDER BY key"
        with self._database() as database:
            rows = database.execute(query, [subject]).fetchall()
        return [_opening(*row) for row in rows]

    def erase(self, subject: str) -> list[str]:
        """Delete a person's data and salts, and return the commitments that nothing opens any more.

        Called again, it changes nothing and returns none. The commitment stays: it is in the log anyway. Killed half
        way, it is called again, so that no byte stays in the file.
        """
        with self._database() as database:
            query = "SELECT commitment FROM personal WHERE subject = ? ORDER BY key"
            found = [str(row[0]) for row in database.execute(query, [subject])]
            change = "UPDATE personal SET key = NULL, subject = NULL, salt = NULL, content = NULL WHERE subject = ?"
            database.execute(change, [subject])
        with self._connected() as database:
            database.execute("VACUUM")  # also where none was found: after a kill between the change and this
        return found

    @contextmanager
    def _database(self) -> Iterator[sqlite3.Connection]:
        """One transaction: all of it or, after an error or a kill, nothing."""
        with self._connected() as database, database:
            database.execute("BEGIN IMMEDIATE")
            database.execute(TABLE)
            database.execute(INDEX)
            yield database

    @contextmanager
    def _connected(self) -> Iterator[sqlite3.Connection]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with closing(sqlite3.connect(self.path, timeout=60)) as database:
                database.execute("PRAGMA secure_delete = ON")
                database.execute("PRAGMA synchronous = FULL")
                yield database
        except sqlite3.Error as error:
            raise PersonalError(f"{self.path}: {error}; is it the store, and is there room?") from error


def _commit(salt: bytes, text: bytes) -> str:
    return hmac.new(salt, text, hashlib.sha256).hexdigest()


def _text(content: dict[str, Any]) -> bytes:
    try:
        return canonical(content)
    except (TypeError, ValueError, RecursionError) as error:
        raise PersonalError(f"the data are not plain JSON ({error}): give str, int, float, list, dict") from None


def _opening(commitment: str, salt: bytes, content: bytes) -> Opening:
    try:
        opening = Opening(commitment, bytes(salt).hex(), json.loads(content))
        changed = not opening.holds()
    except (ValueError, TypeError):
        changed = True
    if changed:
        raise PersonalError(f"the data for {commitment[:12]}… were changed: they are not what the log committed to")
    return opening
