"""The online view of the history: for each segment the newest counts, read by key while an applicant waits."""

import contextlib
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from oakbank.pipelines.history import COUNTS, HISTORY, HistoryError, HistorySpec, feature_values, segment_key

_NONE = (0, 0, 0)
_TABLE = """CREATE TABLE IF NOT EXISTS online
(segment TEXT PRIMARY KEY, known INTEGER NOT NULL, defaults INTEGER NOT NULL, recent INTEGER NOT NULL) WITHOUT ROWID"""
_ADD = """INSERT INTO online VALUES (?, ?, ?, ?) ON CONFLICT (segment) DO UPDATE
SET known = known + excluded.known, defaults = defaults + excluded.defaults, recent = recent + excluded.recent"""
_FIND = "SELECT online.* FROM json_each(?) AS wanted CROSS JOIN online ON online.segment = wanted.value"


class HistoryStore:
    """The online view: the newest counts of each segment, read by key, and the month as of which they hold.

    One SQLite file. A reader sees the store before a materialisation or after it, never between; so does the next
    process after a kill. Use it as a context manager, or `close` it.
    """

    def __init__(self, path: str | Path, spec: HistorySpec = HISTORY) -> None:
        """Open the store, or make an empty one.

        Raises:
            HistoryError: The file is no such store, or was made for another spec.
        """
        self.path, self.spec = Path(path), spec
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(self.path, isolation_level=None, check_same_thread=False)
        advice = f"delete {self.path} and materialise again"
        try:
            with self._transaction():
                self._db.execute(_TABLE)
                self._db.execute("CREATE TABLE IF NOT EXISTS state (spec TEXT NOT NULL, as_of INTEGER)")
                made_for = self._db.execute("SELECT spec FROM state").fetchone()
                if made_for is None:
                    self._db.execute("INSERT INTO state VALUES (?, NULL)", [repr(spec)])
        except sqlite3.DatabaseError as error:
            self._db.close()
            raise HistoryError(f"{self.path} is no history store ({error}): {advice}") from error
        if made_for is not None and made_for[0] != repr(spec):
            self._db.close()
            raise HistoryError(f"{self.path} counts other segments than are asked for: {advice}")

    def __enter__(self) -> "HistoryStore":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._db.close()

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[None]:
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    @property
    def as_of(self) -> int | None:
        """The month at whose beginning the values hold; None: nothing was ever materialised."""
        month: int | None = self._db.execute("SELECT as_of FROM state").fetchone()[0]
        return month

    def materialise(self, changed: pd.DataFrame, as_of: int, rebuild: bool = False) -> int:
        """Bring the store to the beginning of month `as_of`; a second time changes nothing.

        Args:
            changed: From `changes`. Only what became known since the last time is read, so older rows may be left out.
            as_of: The month.
            rebuild: Forget what is there and start from the first change: after the past itself was corrected.

        Returns:
            The number of segments that changed.

        Raises:
            HistoryError: The store is further already.
        """
        with self._transaction():
            last = None if rebuild else self.as_of
            if last is not None and last > as_of:
                raise HistoryError(f"{self.path} is at month {last} already: pass rebuild=True to go back to {as_of}")
            if rebuild:
                self._db.execute("DELETE FROM online")
            moment = changed["moment"]
            new = changed[(moment <= as_of) & ((moment > last) if last is not None else True)]
            sums = new.groupby("segment")[list(COUNTS)].sum()
            rows = [(segment, *map(int, row)) for segment, row in zip(sums.index, sums.to_numpy(), strict=True)]
            self._db.executemany(_ADD, rows)
            self._db.execute("UPDATE state SET as_of = ?", [as_of])
        return len(sums)

    def lookup(self, application: Mapping[str, Any]) -> dict[str, float]:
        """Return the features of one application, given as a mapping of column to value."""
        keys = [segment_key(application, columns) for columns in ((), *self.spec.segments)]
        everybody, *own = self._read(keys)
        values: dict[str, Any] = {}
        for columns, counts in zip(self.spec.segments, own, strict=True):
            values |= feature_values(columns, counts, everybody, self.spec)
        return {name: float(value) for name, value in values.items()}

    def features(self, applications: pd.DataFrame) -> pd.DataFrame:
        """Return `lookup` for each row: what serving sees now, whatever the row's month. Index and order as given."""
        columns = sorted({column for columns in self.spec.segments for column in columns} & set(applications))
        rows = [
            self.lookup({str(name): value for name, value in row.items()})
            for row in applications[columns].to_dict("records")
        ]
        return pd.DataFrame(rows, columns=list(self.spec.feature_names), index=applications.index)

    def differing(self, changed: pd.DataFrame) -> list[str]:
        """Return the segments whose counts here are not those that training would use as of the same month.

        Run it after each materialisation: it finds a past that was corrected without `rebuild`.

        Args:
            changed: From `changes`, all of them.
        """
        as_of = self.as_of
        stop = as_of if as_of is not None else changed["moment"].min() - 1
        due = changed[changed["moment"] <= stop].groupby("segment")[list(COUNTS)].sum()
        want = {segment: tuple(map(int, row)) for segment, row in zip(due.index, due.to_numpy(), strict=True)}
        have = {segment: tuple(row) for segment, *row in self._db.execute("SELECT * FROM online")}
        return sorted(key for key in want | have if want.get(key, _NONE) != have.get(key, _NONE))

    def _read(self, keys: Sequence[str]) -> list[dict[str, int]]:
        """Return the counts of each key, in one statement: all of the same moment."""
        found = {key: counts for key, *counts in self._db.execute(_FIND, [json.dumps(keys)])}
        return [dict(zip(COUNTS, found.get(key, _NONE), strict=True)) for key in keys]
