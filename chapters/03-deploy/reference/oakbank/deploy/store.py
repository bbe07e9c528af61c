"""Decisions that are made one at a time, and the letters that follow from them: an SQLite file with a unique key."""

import contextlib
import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from oakbank.deploy.batch import REVIEW
from oakbank.world import DECISIONS, FEATURES, table_of

_SCHEMA = """
CREATE TABLE IF NOT EXISTS decisions (
    application_id INTEGER PRIMARY KEY, granted INTEGER NOT NULL, default_probability REAL, model_version TEXT NOT NULL,
    month INTEGER NOT NULL, reason TEXT NOT NULL, content TEXT NOT NULL
) STRICT;
CREATE TABLE IF NOT EXISTS outbox (
    application_id INTEGER PRIMARY KEY REFERENCES decisions, letter TEXT NOT NULL, sent INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX IF NOT EXISTS unsent ON outbox (application_id) WHERE NOT sent;
"""


class StoreError(RuntimeError):
    """The file is not a store of decisions, or cannot be written; the message says what to do."""


class OtherContentError(ValueError):
    """An application was decided before, on other content; `application` is its id."""

    def __init__(self, application: int) -> None:
        super().__init__(f"application {application} was decided before, on other content")
        self.application = application


class Decision(NamedTuple):
    """One row of `oakbank.world.DECISIONS`."""

    application_id: int
    granted: bool
    default_probability: float | None
    model_version: str
    month: int
    reason: str


class DecisionStore:
    """Decisions: each application has one, and one letter in the outbox, or neither.

    Both are written in one transaction, which is on the disk when the call returns. Several processes may share the
    file, and one object several threads if they take turns.

    Args:
        path: The file; it is made where there is none.
        wait: Seconds that a writer waits for another one.

    Raises:
        StoreError: It cannot be opened, or holds something else.
    """

    def __init__(self, path: str | Path, wait: float = 30.0) -> None:
        self.path = Path(path)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(self.path, timeout=wait, check_same_thread=False)
            # FULL: each commit waits for the disk. WAL: readers do not wait for the writer.
            self._connection.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; {_SCHEMA}")
            self._file = self._there()
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"{path} cannot be opened as a store of decisions ({error}): name another file") from error

    def _there(self) -> tuple[int, int]:
        about = self.path.stat()
        return about.st_dev, about.st_ino

    @property
    def in_place(self) -> bool:
        """Whether the file that is open still has its name: into one that was moved away SQLite writes without a word.

        On the disk of the one that has the name now, nothing would be found.
        """
        try:
            return self._there() == self._file
        except OSError:
            return False

    def write(self, decisions: pd.DataFrame, contents: Sequence[str]) -> list[int]:
        """Write decisions and their letters, all or none; an application that has its decision keeps it.

        Args:
            decisions: Columns as `oakbank.world.DECISIONS`.
            contents: For each the hash of what was decided on.

        Returns:
            Places of applications that had been decided on other content.

        Raises:
            StoreError: The disk is full or gone; nothing was written.
        """
        table = decisions.astype(object).where(decisions.notna(), None)  # SQLite knows no NaN
        rows = [Decision(*row) for row in table.itertuples(index=False)]
        with self._transaction():
            stand = self._insert(rows, contents)
        return [place for place, (_, content) in enumerate(stand) if content != contents[place]]

    def settle(self, decisions: Sequence[Decision], contents: Sequence[str]) -> list[Decision]:
        """Write as `write` does, or nothing at all if one of them had been decided on other content.

        Returns:
            The decisions that stand, in the order given; of an application that has been decided before, that one.

        Raises:
            OtherContentError: One of them had been decided on other content; nothing was written.
            StoreError: The disk is full or gone; nothing was written.
        """
        with self._transaction():
            stand = self._insert(decisions, contents)
            for (decision, kept), content in zip(stand, contents, strict=True):
                if kept != content:
                    raise OtherContentError(decision.application_id)
        return [decision for decision, _ in stand]

    def _insert(self, decisions: Sequence[Decision], contents: Sequence[str]) -> list[tuple[Decision, str]]:
        """Insert what is new, within a transaction; return what stands, each with its content."""
        run, stand = self._connection.execute, []
        for row, content in zip(decisions, contents, strict=True):
            run("INSERT OR IGNORE INTO decisions VALUES (?, ?, ?, ?, ?, ?, ?)", (*row, content))
            *old, kept = run("SELECT * FROM decisions WHERE application_id = ?", (row.application_id,)).fetchone()
            stands = Decision(*old)
            if kept == content:
                letter = letter_of(stands.granted, stands.reason)
                run("INSERT OR IGNORE INTO outbox VALUES (?, ?, 0)", (row.application_id, letter))
            stand.append((stands, kept))
        return stand

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        try:
            with self._connection:
                yield
        except sqlite3.Error as error:
            message = f"{self.path} cannot be written ({error}): mend the disk and start again; nothing is lost"
            raise StoreError(message) from error
        if not self.in_place:
            raise StoreError(f"{self.path} is no longer there: put it back and start again; nothing is lost")

    def unsent(self, limit: int = 500) -> list[tuple[int, str]]:
        """Return letters that nobody has confirmed to have sent: application and letter, the oldest id first."""
        query = "SELECT application_id, letter FROM outbox WHERE NOT sent ORDER BY application_id LIMIT ?"
        return self._connection.execute(query, (limit,)).fetchall()

    def mark_sent(self, applications: Sequence[int]) -> None:
        """Note that these letters were sent.

        Raises:
            StoreError: The disk is full or gone; nothing was noted.
        """
        rows = [(application,) for application in applications]
        with self._transaction():
            self._connection.executemany("UPDATE outbox SET sent = 1 WHERE application_id = ?", rows)

    def decisions(self) -> pd.DataFrame:
        """Return all decisions, columns as `oakbank.world.DECISIONS`, by application."""
        rows = self._connection.execute("SELECT * FROM decisions ORDER BY application_id").fetchall()
        frame = pd.DataFrame([row[:-1] for row in rows], columns=[column.name for column in DECISIONS])
        probability = frame["default_probability"].to_numpy(dtype=np.float64, na_value=np.nan)
        return table_of(DECISIONS, {**frame, "default_probability": probability})

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def letter_of(granted: bool, reason: str) -> str:
    """Return which letter a decision makes: granted, declined, or review."""
    if reason.startswith(REVIEW):
        return "review"
    return "granted" if granted else "declined"


def content_of(application: Mapping[str, Any]) -> str:
    """Return the hash of what is decided on: the id and what a model may see, whichever way an application came.

    The month is none of it: an application that is sent again a month later is the same.
    """
    numbers = [application[name] for name in ("application_id", *FEATURES)]
    return hashlib.sha256(json.dumps(numbers).encode()).hexdigest()
