"""Decisions that are made one at a time, and the letters that follow from them: an SQLite file with a unique key."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from oakbank.deploy.batch import REVIEW
from oakbank.world import DECISIONS, table_of

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
_SECONDS = 30.0
"""How long a writer waits for another one."""


class StoreError(RuntimeError):
    """The file is not a store of decisions, or cannot be written; the message says what to do."""


class DecisionStore:
    """The decisions of a stream: each application has one, and one letter in the outbox, or neither.

    Both are written in one transaction, which is on the disk when `write` returns. Several processes may share it.

    Args:
        path: The file; it is made where there is none.

    Raises:
        StoreError: It cannot be opened, or holds something else.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._connection = sqlite3.connect(self.path, timeout=_SECONDS)
            # FULL: each commit waits for the disk. WAL: readers do not wait for the writer.
            self._connection.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; {_SCHEMA}")
        except (OSError, sqlite3.Error) as error:
            raise StoreError(f"{path} cannot be opened as a store of decisions ({error}): name another file") from error

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
        rows = [(*row, content) for row, content in zip(table.itertuples(index=False), contents, strict=True)]
        letters = list(zip(table["application_id"], map(letter_of, table["granted"], table["reason"]), strict=True))
        try:
            with self._connection:
                self._connection.executemany("INSERT OR IGNORE INTO decisions VALUES (?, ?, ?, ?, ?, ?, ?)", rows)
                kept = "SELECT content FROM decisions WHERE application_id = ?"
                stand = [self._connection.execute(kept, (row[0],)).fetchone()[0] for row in rows]
                mine = [letter for letter, row, content in zip(letters, rows, stand, strict=True) if row[-1] == content]
                self._connection.executemany("INSERT OR IGNORE INTO outbox VALUES (?, ?, 0)", mine)
        except sqlite3.Error as error:
            raise self._refusal(error) from error
        return [place for place, row in enumerate(rows) if row[-1] != stand[place]]

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
        try:
            with self._connection:
                self._connection.executemany("UPDATE outbox SET sent = 1 WHERE application_id = ?", rows)
        except sqlite3.Error as error:
            raise self._refusal(error) from error

    def decisions(self) -> pd.DataFrame:
        """Return all decisions, columns as `oakbank.world.DECISIONS`, by application."""
        rows = self._connection.execute("SELECT * FROM decisions ORDER BY application_id").fetchall()
        frame = pd.DataFrame(rows, columns=[*(column.name for column in DECISIONS), "content"])
        del frame["content"]
        probability = frame["default_probability"].to_numpy(dtype=np.float64, na_value=np.nan)
        return table_of(DECISIONS, {**frame, "default_probability": probability})

    def _refusal(self, error: sqlite3.Error) -> StoreError:
        return StoreError(f"{self.path} cannot be written ({error}): mend the disk and start again; nothing is lost")

    def close(self) -> None:
        """Close the file."""
        self._connection.close()


def letter_of(granted: bool, reason: str) -> str:
    """Return which letter a decision makes: granted, declined, or review."""
    if reason.startswith(REVIEW):
        return "review"
    return "granted" if granted else "declined"
