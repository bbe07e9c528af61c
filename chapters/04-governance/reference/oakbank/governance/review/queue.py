"""The review queue: cases that a person decides, in an SQLite file, with an audit entry for each decision.

Whoever overrides the model names a reason from a list; above an amount a second person must agree. What nobody has
reviewed in time keeps the model's decision, as without a queue: an applicant may not wait for ever. Only who asked for
a person waits for one (directive 2023/2225, art. 18; GDPR, art. 22(3)): silence would make that right a form.
"""

import contextlib
import json
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oakbank.deploy.gate import same_person
from oakbank.governance.audit import AuditLog

REASONS = ("income proven otherwise", "debt not in the data", "data wrong", "purpose doubtful", "hardship explained")
"""Why an officer may override the model. A list, because free text cannot be counted."""
BIG = 10_000.0
"""EUR above which an override needs a second person."""

_SCHEMA = """
CREATE TABLE IF NOT EXISTS cases (
    application INTEGER PRIMARY KEY, due INTEGER NOT NULL, amount REAL NOT NULL, proposed INTEGER NOT NULL,
    priority REAL NOT NULL, asked INTEGER NOT NULL, state TEXT NOT NULL DEFAULT 'open',
    officer TEXT, granted INTEGER, reason TEXT, second TEXT, decided INTEGER
) STRICT;
CREATE TABLE IF NOT EXISTS entries (
    number INTEGER PRIMARY KEY, kind TEXT NOT NULL, actor TEXT NOT NULL, time INTEGER NOT NULL,
    content TEXT NOT NULL, told INTEGER NOT NULL DEFAULT 0
) STRICT;
"""
_NEXT = """SELECT application FROM cases WHERE state = 'open' AND (due >= ? OR asked)
ORDER BY asked DESC, priority DESC, application LIMIT ?"""
_CLEAR = "UPDATE cases SET state = 'open', officer = NULL, granted = NULL, reason = NULL WHERE application = ?"
_LATE = "SELECT application FROM cases WHERE state IN ('open', 'second') AND due < ? AND NOT asked ORDER BY application"


class ReviewError(ValueError):
    """A step that the queue does not take; the message says what to do. Nothing was written."""


@dataclass(frozen=True)
class Case:
    """An application that a person should see; the amount is in EUR."""

    application: int
    amount: float
    proposed: bool
    """Whether the model grants."""
    priority: float
    """The higher, the sooner."""
    due: int
    """Last period (day or month, as the caller counts) in which it can be reviewed."""
    asked: bool = False
    """The applicant asked for a person: comes first and waits until a person has decided."""


@dataclass(frozen=True)
class Review:
    """Where a case stands."""

    application: int
    state: str
    """`open`, `second` (an override waits for the second person), `reviewed`, or `lapsed`."""
    granted: bool | None
    """What stands; None: not decided."""
    officer: str | None
    reason: str | None
    second: str | None


class ReviewQueue:
    """Cases in one file, which several processes may share.

    Args:
        path: The file; it is made where there is none.
        audit: Where each decision goes. An entry is kept with its decision first, in one transaction, and told to the
            log afterwards: after a kill in between, the next call or opening tells it, once.
        slots: Cases that all officers together can decide in a period.
        big: EUR above which an override needs a second person.

    Raises:
        ReviewError: The file holds something else, or there are no slots.
    """

    def __init__(self, path: str | Path, audit: AuditLog, slots: int, big: float = BIG) -> None:
        if slots < 1:
            raise ReviewError("a queue without slots reviews nothing: give at least 1")
        self.path, self.audit, self.slots, self.big = Path(path), audit, slots, big
        try:
            self._connection = sqlite3.connect(self.path, timeout=30, isolation_level=None)
            self._connection.executescript(f"PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; {_SCHEMA}")
        except sqlite3.Error as error:
            raise ReviewError(f"{path} cannot be opened as a review queue ({error}): name another file") from error
        self._tell()

    def submit(self, cases: Iterable[Case]) -> None:
        """Put cases in, all or none. One that is there already must be the same, and stays as it stands."""
        with self._transaction() as run:
            for case in cases:
                given = (case.application, case.due, case.amount, case.proposed, case.priority, case.asked)
                run(
                    "INSERT OR IGNORE INTO cases VALUES (?, ?, ?, ?, ?, ?, 'open', NULL, NULL, NULL, NULL, NULL)", given
                )
                kept = run(
                    "SELECT application, due, amount, proposed, priority, asked FROM cases WHERE application = ?",
                    given[:1],
                ).fetchone()
                if kept != given:
                    raise ReviewError(f"application {case.application} is in the queue with other content: look at it")

    def ask(self, application: int, now: int) -> None:
        """Note that the applicant asks for a person. A case that has lapsed opens again; twice is once."""
        with self._transaction() as run:
            case = self._case(application)
            if not case["asked"]:
                run("UPDATE cases SET asked = 1 WHERE application = ?", (case["application"],))
                if case["state"] == "lapsed":
                    run(_CLEAR, (case["application"],))
                self._note("review asked", "applicant", now, case)
        self._tell()

    def next(self, now: int) -> list[int]:
        """Return the cases to decide in this period, the most urgent first: as many as there are slots left."""
        used = self._connection.execute("SELECT count(*) FROM cases WHERE decided = ?", (now,)).fetchone()[0]
        return [one for (one,) in self._connection.execute(_NEXT, (now, max(self.slots - used, 0)))]

    def decide(self, application: int, officer: str, granted: bool, now: int, reason: str = "") -> Review:
        """Write an officer's decision. The same call twice changes nothing.

        Raises:
            ReviewError: The case is unknown, decided otherwise, or too late; no slot is left; nobody decides; or an
                override has no reason from `REASONS`.
        """
        _check_name(officer)
        with self._transaction() as run:
            case = self._case(application)
            override = bool(granted) != bool(case["proposed"])
            if override and reason not in REASONS:
                raise ReviewError(f"an override needs a reason, one of: {'; '.join(REASONS)}")
            if not override and reason:
                raise ReviewError("this agrees with the model: a reason is for overrides")
            if case["state"] != "open":
                if (case["officer"], case["granted"], case["reason"]) == (officer, granted, reason):
                    return self.review(application)
                raise ReviewError(f"application {application} is {case['state']}: it cannot be decided again")
            if now > case["due"] and not case["asked"]:
                raise ReviewError(f"application {application} was due in period {case['due']}: let it lapse")
            if run("SELECT count(*) FROM cases WHERE decided = ?", (now,)).fetchone()[0] >= self.slots:
                raise ReviewError(f"the {self.slots} slots of period {now} are used: the case waits for the next")
            state = "second" if override and case["amount"] > self.big else "reviewed"
            change = (
                "UPDATE cases SET state = ?, officer = ?, granted = ?, reason = ?, decided = ? WHERE application = ?"
            )
            run(change, (state, officer, bool(granted), reason, now, case["application"]))
            self._note("review", officer, now, case, granted=bool(granted), reason=reason, stands=state == "reviewed")
        self._tell()
        return self.review(application)

    def confirm(self, application: int, second: str, agrees: bool, now: int) -> Review:
        """Let a second person look at a big override. Who does not agree sends the case back to the queue.

        Raises:
            ReviewError: Nothing waits for a second person, or the second is the first.
        """
        _check_name(second)
        with self._transaction() as run:
            case = self._case(application)
            if case["state"] != "second":
                raise ReviewError(
                    f"application {application} is {case['state']}: no override waits for a second person"
                )
            if same_person(case["officer"], second):
                raise ReviewError(f"{case['officer']} decided this: somebody else has to look at it")
            if agrees:
                run(
                    "UPDATE cases SET state = 'reviewed', second = ? WHERE application = ?",
                    (second, case["application"]),
                )
            else:
                run(_CLEAR, (case["application"],))
            self._note("second look", second, now, case, first=case["officer"], agrees=agrees)
        self._tell()
        return self.review(application)

    def lapse(self, now: int) -> list[int]:
        """End what was due before this period: the model's decision stands. Returns the applications.

        An override that has not found its second person lapses too: one person alone may not make it.
        """
        with self._transaction() as run:
            late = [one for (one,) in run(_LATE, (now,))]
            for application in late:
                case = self._case(application)
                run(
                    "UPDATE cases SET state = 'lapsed', granted = proposed, officer = NULL, reason = NULL "
                    "WHERE application = ?",
                    (application,),
                )
                self._note("review lapsed", "queue", now, case, granted=bool(case["proposed"]))
        self._tell()
        return late

    def review(self, application: int) -> Review:
        """Return where a case stands."""
        case = self._case(application)
        granted = None if case["state"] in ("open", "second") else bool(case["granted"])
        return Review(application, case["state"], granted, case["officer"], case["reason"], case["second"])

    def close(self) -> None:
        """Close the file."""
        self._connection.close()

    def _case(self, application: int) -> dict[str, Any]:
        cursor = self._connection.execute("SELECT * FROM cases WHERE application = ?", (int(application),))
        row = cursor.fetchone()
        if row is None:
            raise ReviewError(f"application {application} is not in the queue: submit it first")
        return dict(zip([column[0] for column in cursor.description], row, strict=True))

    def _note(self, kind: str, actor: str, now: int, case: dict[str, Any], **content: Any) -> None:
        about = {"application_id": case["application"], "proposed": bool(case["proposed"])} | content
        row = (kind, actor, now, json.dumps(about))
        self._connection.execute("INSERT INTO entries (kind, actor, time, content) VALUES (?, ?, ?, ?)", row)

    def _tell(self) -> None:
        untold = self._connection.execute("SELECT * FROM entries WHERE NOT told ORDER BY number").fetchall()
        for number, kind, actor, time, content, _ in untold:
            about = json.loads(content)
            self.audit.append(kind, actor, when=time, key=f"review-{about['application_id']}-{number}", **about)
            self._connection.execute("UPDATE entries SET told = 1 WHERE number = ?", (number,))

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[Any]:
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            yield self._connection.execute
        except BaseException:
            self._connection.execute("ROLLBACK")
            raise
        self._connection.execute("COMMIT")


def _check_name(name: str) -> None:
    if not name.strip() or not name.isprintable():
        raise ReviewError("a decision needs the name of who makes it, on one line")
