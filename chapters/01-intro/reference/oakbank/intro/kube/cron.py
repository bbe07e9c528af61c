"""When a CronJob runs, how often it tries, and what it does when one run meets the next.

Source: Kubernetes documentation, "CronJob" and "Jobs" (back-off policy, `activeDeadlineSeconds`);
restarts as counted by `pastBackoffLimitOnFailure` in `pkg/controller/job/job_controller.go`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

_FIELDS = (("minute", 0, 59), ("hour", 0, 23), ("day of month", 1, 31), ("month", 1, 12), ("day of week", 0, 7))
_MACROS = {"@hourly": "0 * * * *", "@daily": "0 0 * * *", "@midnight": "0 0 * * *", "@weekly": "0 0 * * 0"}


@dataclass(frozen=True)
class Run:
    """One run of a job.

    Attributes:
        begin: When it started.
        end: When it ended.
        tries: How many tries it began, in pods of their own (`Never`) or by restarts in one pod (`OnFailure`).
        outcome: "complete", "failed" or "replaced".
    """

    begin: datetime
    end: datetime
    tries: int
    outcome: str


def parse(schedule: str) -> list[frozenset[int]]:
    """Return the five fields of a schedule, each as the set of numbers that it allows.

    Raises:
        ValueError: The text is no schedule (names of months and days are not understood here).
    """
    words = _MACROS.get(schedule, schedule).split()
    if len(words) != len(_FIELDS):
        raise ValueError(f"{schedule!r} is no schedule: five fields, minute hour day month weekday")
    return [_field(word, *field) for word, field in zip(words, _FIELDS, strict=True)]


def _field(word: str, name: str, low: int, high: int) -> frozenset[int]:
    allowed: set[int] = set()
    try:
        for part in word.split(","):
            span, _, step = part.partition("/")
            first, _, last = span.partition("-")
            begin = low if first in "*?" else int(first)
            end = int(last) if last else high if first in "*?" or step else begin
            if not low <= begin <= end <= high:
                raise ValueError
            allowed |= set(range(begin, end + 1, int(step or 1)))
    except ValueError:
        raise ValueError(f"{word!r} is no {name}: numbers from {low} to {high}, such as 7, 1-5, 0,30 or */10") from None
    return frozenset(value % 7 for value in allowed) if name == "day of week" else frozenset(allowed)


def fires(schedule: str, begin: datetime, hours: int) -> list[datetime]:
    """Return the minutes at which a schedule is due from `begin` on, for so many hours."""
    minutes, of_day, days, months, weekdays = parse(schedule)
    every_day, every_weekday = len(days) == 31, len(weekdays) == 7
    due = []
    for number in range(hours * 60):
        now = begin + timedelta(minutes=number)
        dated, named = now.day in days, (now.weekday() + 1) % 7 in weekdays
        today = dated and named if every_day or every_weekday else dated or named
        if now.minute in minutes and now.hour in of_day and now.month in months and today:
            due.append(now)
    return due


def runs(
    cronjob: Mapping[str, Any],
    begin: datetime,
    hours: int,
    needs: Sequence[timedelta] = (timedelta(minutes=10),),
    fails: int = 0,
) -> list[Run]:
    """Return what a CronJob runs.

    Args:
        cronjob: The CronJob.
        begin: From when to look.
        hours: How many hours to look at.
        needs: What a try takes, run by run; the last one counts for all later runs.
        fails: How many tries of each run fail before one goes well.
    """
    spec = cronjob["spec"]
    job, policy = spec["jobTemplate"]["spec"], spec.get("concurrencyPolicy", "Allow")
    done: list[Run] = []
    if spec.get("suspend"):
        return done
    for now in fires(spec["schedule"], begin, hours):
        busy = [number for number, one in enumerate(done) if one.end > now]
        if busy and policy == "Forbid":
            continue
        if busy and policy == "Replace":
            for number in busy:
                done[number] = Run(done[number].begin, now, done[number].tries, "replaced")
        done.append(_run(job, now, needs[min(len(done), len(needs) - 1)], fails))
    return done


def _run(job: Mapping[str, Any], begin: datetime, need: timedelta, fails: int) -> Run:
    limit, begun = job.get("backoffLimit", 6), 1
    may_fail = limit
    if job["template"]["spec"].get("restartPolicy") == "OnFailure":
        # The controller counts restarts, and ends the Job as the last one that it allows begins.
        may_fail = max(limit, 1) - 1
        begun += fails > may_fail
    tries = min(fails, may_fail) + 1
    waits = sum((timedelta(seconds=min(10 * 2**number, 360)) for number in range(tries - 1)), timedelta())
    end, outcome = begin + tries * need + waits, "complete" if fails <= may_fail else "failed"
    seconds = job.get("activeDeadlineSeconds")
    if seconds is not None and end > begin + timedelta(seconds=seconds):
        end, outcome = begin + timedelta(seconds=seconds), "failed"
    return Run(begin, end, tries + begun - 1, outcome)
