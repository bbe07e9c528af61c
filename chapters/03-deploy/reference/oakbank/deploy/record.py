"""What a service decides, kept before it is answered: the same record as that of batch and stream."""

import argparse
import logging
from collections.abc import Callable, Sequence
from datetime import UTC, date, datetime
from pathlib import Path
from threading import Lock
from typing import Any, TypeVar

from fastapi import HTTPException

from oakbank.deploy.store import Decision, DecisionStore, OtherContentError, StoreError, content_of
from oakbank.intro.protocol import SCORING_ERRORS, Problem
from oakbank.pipelines.contract import Score

log = logging.getLogger("oakbank.deploy")

S = TypeVar("S", bound=Score)

WAIT = 2.0
"""Seconds that a request waits for those before it, and as many for another process that writes."""
RECORD_ERRORS: dict[int | str, dict[str, Any]] = SCORING_ERRORS | {
    409: {"model": Problem, "description": "An application of this id was decided before, on other content"},
    503: {"model": Problem, "description": "No model is loaded, or the decision cannot be kept, and what to do"},
}
"""Of a route whose decisions are kept."""


def month_of(day: date) -> int:
    """Return the month of a day as `oakbank.world.COLUMNS` count them: 0 is January 2024."""
    return 12 * (day.year - 2024) + day.month - 1


def calendar_month() -> int:
    """Return the month that it is now (UTC)."""
    return month_of(datetime.now(UTC))


class DecisionRecord:
    """Keeps the decisions of a service in the file of a `DecisionStore`, which a stream's consumer may share.

    The decision is on the disk before its answer leaves, so an answer that nobody got can be asked for again: an
    application keeps the decision that it had first, whichever model serves by then, in whichever month. Where a
    decision cannot be kept none is given. A file that was open and is gone is waited for and never made anew: an empty
    one would have forgotten who has an answer.

    Args:
        path: The file; it is made when the first decision is kept.
        month: Tells the month of an application that comes now. Requests do not say it: online it is today's.
    """

    def __init__(self, path: str | Path, month: Callable[[], int] = calendar_month) -> None:
        self.path, self.month = Path(path), month
        self._store: DecisionStore | None = None
        self._lock = Lock()
        self._away = False

    def keep(self, applications: Sequence[Any], scores: Sequence[S]) -> list[S]:
        """Keep decisions, all or none, and return those that stand: of an application decided before, that one.

        Args:
            applications: As validated, each with an id.
            scores: One for each.

        Raises:
            OtherContentError: An application was decided before, on other content.
            StoreError: The disk is full, or the file is gone or locked.
        """
        month = self.month()
        decisions = [
            Decision(each.application_id, score.granted, score.default_probability, score.model_version, month, "")
            for each, score in zip(applications, scores, strict=True)
        ]
        contents = [content_of(application.model_dump()) for application in applications]
        if not self._lock.acquire(timeout=WAIT):  # one writer at a time is all that SQLite has
            raise StoreError(f"{self.path} is slow: other decisions wait to be kept")
        try:
            stand = self._opened().settle(decisions, contents)
        finally:
            self._lock.release()
        return [score.model_copy(update=_told(row)) for score, row in zip(scores, stand, strict=True)]

    def answer(self, applications: Sequence[Any], scores: Sequence[S]) -> list[S]:
        """Keep decisions as `keep` does, for a route.

        Raises:
            HTTPException: 409 or 503, with what to do. The reason of a 503 is in the log.
        """
        try:
            kept = self.keep(applications, scores)
        except OtherContentError as error:
            raise HTTPException(409, f"{error}: nothing was decided; what is new needs an id of its own") from None
        except StoreError as error:
            if not self._away:
                log.warning("no decision can be kept, so none is given: %s", error)
            self._away = True
            detail = "the decision cannot be kept, so none is given: ask again; what was decided stands"
            raise HTTPException(503, detail, headers={"Retry-After": "1"}) from None
        if self._away:
            log.info("decisions are kept again in %s", self.path)
        self._away = False
        return kept

    def _opened(self) -> DecisionStore:
        if self._store is not None and not self._store.in_place:
            if not self.path.exists():
                raise StoreError(f"{self.path} is no longer there: put it back")
            self._store.close()  # another file has its name, such as one from a backup
            self._store = None
        if self._store is None:
            self._store = DecisionStore(self.path, WAIT)
        return self._store


def _told(kept: Decision) -> dict[str, Any]:
    """Return what an answer tells of a decision."""
    return {
        "granted": bool(kept.granted),  # SQLite knows 0 and 1
        "default_probability": kept.default_probability,
        "model_version": kept.model_version,
    }


def add_record_options(parser: argparse.ArgumentParser) -> None:
    """Add to a service's command what `record_of` reads."""
    parser.add_argument("--decisions", type=Path, help="file that keeps each decision; made where there is none")
    parser.add_argument("--month", type=int, help="of the applications (default: today's; 0 is January 2024)")


def record_of(options: argparse.Namespace) -> DecisionRecord | None:
    """Return the record that a command asks for, or None if it asks for none."""
    if options.decisions is None:
        return None
    return DecisionRecord(options.decisions, calendar_month if options.month is None else lambda: int(options.month))
