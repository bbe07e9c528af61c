"""What a night leaves in metrics, logs and records: the answers of the desk, as plain data."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from oakbank.deploy.oncall.grammar import FEED_COLUMNS, SHIFT
from oakbank.deploy.oncall.night import CHAMPION, NEW, OLD, Night

ALERT = datetime(2026, 3, 12, 21, 0, tzinfo=UTC)
"""Minute 0."""
STATUSES = (200, 202, 422, 500, 503)
WINDOW, INPUTS_WINDOW, ONE_IN = 20, 10, 6
"""Minutes that the logs and the inputs are about; of the requests, the log keeps one in six, whole."""
COLUMNS = (*FEED_COLUMNS, "age", "amount", "channel")
UNLUCKY = 0.02
"""Share of the scrapes that get no answer."""
_FAILED = {"failing": ("KeyError", "ratios:41"), "input": ("ValueError", "as_category:88")}


def metrics(night: Night, now: int) -> dict[str, list[float | None]]:
    """Return readings of counters, one at the end of each minute, None: no answer; and `minute`, of the readings.

    A counter begins at 0 again when the service starts: at a release and at a restart.
    """
    minutes = range(-SHIFT, now)
    new: dict[str, list[int]] = {f'oakbank_requests_total{{status="{status}"}}': [] for status in STATUSES}
    new |= {f'oakbank_decisions_total{{granted="{granted}"}}': [] for granted in ("true", "false")}
    new |= {f'oakbank_request_seconds_bucket{{le="{le}"}}': [] for le in ("1.0", "+Inf")}
    new["oakbank_refresh_failures_total"] = []
    for minute in minutes:
        one = night.minute(minute)
        counts = [int((one.status == status).sum()) for status in STATUSES]
        counts += [int(one.granted.sum()), int(((one.status == 200) & ~one.granted).sum())]
        counts += [int((one.milliseconds <= 1_000).sum()), len(one.status)]
        counts.append(12 if night.broken("registry", minute) or _hiccup(night, minute) else 0)
        for series, count in zip(new.values(), counts, strict=True):
            series.append(count)
    rng = np.random.default_rng([night.drill.seed, 2])
    begins = {night.when("restart"), night.when("rollback")}
    if night.drill.rollout:
        begins.add(night.drill.rollout.minute)
    silent = rng.random(2 * SHIFT) < UNLUCKY
    answer: dict[str, list[float | None]] = {"minute": [float(minute) for minute in minutes]}
    for name, counts in new.items():
        reading, readings = float(rng.integers(5_000, 90_000)), list[float | None]()
        for minute, count in zip(minutes, counts, strict=True):
            reading = float(count) + (0.0 if minute in begins else reading)
            readings.append(None if silent[minute + SHIFT] else reading)
        answer[name] = readings
    return answer


def _hiccup(night: Night, minute: int) -> bool:
    """Return whether the registry did not answer for a while and is there again."""
    chance = night.drill.cause == "chance" and night.drill.alert == "RefreshFailing"
    return chance and night.drill.onset <= minute < night.drill.onset + 5


def logs(night: Night, now: int) -> str:
    """Return lines of the last 20 minutes: of one request in six, with those of what it asked; some are cut off.

    The fields are those of `oakbank.deploy.logs`.
    """
    rng = np.random.default_rng([night.drill.seed, 3, now + SHIFT])
    lines: list[str] = []
    for minute in range(now - WINDOW, now):
        one = night.minute(minute)
        for place in range(int(rng.integers(ONE_IN)), len(one.status), ONE_IN):
            lines += _lines(night, minute, place, rng)
        if night.broken("registry", minute) or _hiccup(night, minute):
            told = {"level": "WARNING", "logger": "oakbank.deploy.service", "event": "refresh failed", "request_id": ""}
            lines.append(
                json.dumps({"time": _time(minute, 59.0)} | told | {"error": "ConnectionError", "at": "send:693"})
            )
    cut = rng.random(len(lines)) < 0.01
    return "\n".join(line[: len(line) // 2] if short else line for line, short in zip(lines, cut, strict=True))


def _time(minute: int, second: float) -> str:
    return (ALERT + timedelta(minutes=minute, seconds=second)).isoformat(timespec="milliseconds")


def _lines(night: Night, minute: int, place: int, rng: np.random.Generator) -> list[str]:
    one = night.minute(minute)
    status, version = int(one.status[place]), str(one.version[place])
    time, request = _time(minute, 60 * place / len(one.status)), rng.bytes(8).hex()

    def line(level: str, logger: str, event: str, **more: Any) -> str:
        head = {"time": time, "level": level, "logger": logger, "event": event, "request_id": request}
        return json.dumps(head | more)

    found = []
    if status not in (422, 503):  # refused before anybody is asked
        for name, took in one.asked.items():
            told = {"route": "/ask", "method": "GET", "status": 200, "milliseconds": round(float(took[place]), 1)}
            found.append(line("INFO", f"suppliers.{name}", "answered", **told))
    if status == 500:
        kind = "failing" if night.flaw(version) == "failing" else night.drill.cause
        error, at = _FAILED.get(kind, ("OperationalError", "put:57"))
        found.append(line("ERROR", "oakbank.deploy.service", "failed", error=error, at=at))
    told = {"route": "/score", "method": "POST", "status": status}
    told |= {"milliseconds": round(float(one.milliseconds[place]), 1), "model_version": version}
    found.append(line("INFO", "oakbank.deploy.logs", "answered", **told))
    return found


def releases(night: Night, now: int) -> list[dict[str, Any]]:
    """Return the versions, oldest first: `version`, `promoted` (minute), `by`, `share` of the traffic now."""
    shares = night.shares(now)
    versions = [(OLD, -41_000, "Ada"), (CHAMPION, -9_500, "Bob")]
    if night.drill.rollout:
        versions.append((NEW, night.drill.rollout.minute, "Ada"))
    return [{"version": v, "promoted": when, "by": by, "share": round(shares.get(v, 0), 2)} for v, when, by in versions]


def inputs(night: Night, now: int) -> dict[str, dict[str, float | None]]:
    """Return, for each column of the last 10 minutes' applications, how far it has moved and how old its source is.

    Returns:
        `psi`, `median` and `reference_median` (None for categories), `age_minutes` of the newest value.
    """
    rows: dict[tuple[bool, str, str], list[Any]] = {}
    for minute in range(now - INPUTS_WINDOW, now):
        rows.setdefault(night.delivered(minute), []).append(night.minute(minute).row)
    recent = pd.concat([night.bank.feed(*came).iloc[np.concatenate(parts)] for came, parts in rows.items()])
    rng = np.random.default_rng([night.drill.seed, 4, now + SHIFT])
    found: dict[str, dict[str, float | None]] = {}
    for name in COLUMNS:
        number = name != "channel"
        old = night.broken("stale", now - 1) and name == night.drill.target
        found[name] = {
            "psi": round(night.bank.moved(recent, name), 4),
            "median": float(recent[name].median()) if number else None,
            "reference_median": float(night.bank.reference[name].median()) if number else None,
            "age_minutes": now - night.drill.onset if old else int(rng.integers(6)),
        }
    return found


def host(night: Night, now: int) -> dict[str, float]:
    """Return `disk_free` and `memory_used` (shares), `certificate_days` (below 0: it has run out)."""
    rng = np.random.default_rng([night.drill.seed, 5])
    free, used, low, soon = rng.uniform(0.3, 0.7), rng.uniform(0.4, 0.7), rng.uniform(0.03, 0.1), rng.integers(2, 6)
    days = int(soon if "certificate" in night.drill.decoys else rng.integers(30, 80))
    free = low if "disk" in night.drill.decoys else free
    full, heavy, ended = (night.broken(cause, now - 1) for cause in ("disk", "worker", "registry"))
    used = 0.97 if heavy else used
    return {
        "disk_free": 0.0 if full else round(float(free), 3),
        "memory_used": round(float(used), 2),
        "certificate_days": -1 if ended else days,
    }


def outcomes(night: Night, now: int) -> list[dict[str, Any]]:
    """Return the last eight months of loans with outcomes: `month`, `loans`, `defaults`, `expected`, `feed`."""
    rng = np.random.default_rng([night.drill.seed, 6])
    cause, alert = night.drill.cause, night.drill.alert == "DefaultsAboveForecast"
    length = int(rng.integers(2, 4))
    broken, told = int(rng.integers(4)), []
    bad = {"recession": range(8 - length, 8), "echo": range(7, 8)}.get(cause, range(0))
    for month in range(8):
        loans = int(rng.integers(900, 1_100))
        expected = 0.09 * loans
        defaults = int(np.clip(rng.normal(expected, 9), expected - 14, expected + 14))
        if month in bad:
            defaults += int(expected * rng.uniform(0.45, 0.8))
        elif alert and cause == "chance" and month == 7:
            defaults = int(expected + rng.uniform(10, 16))
        feed = "whole"
        if (cause == "echo" and month in bad) or ("feed" in night.drill.decoys and month == broken):
            feed = "broken"
        told.append((month, loans, defaults, round(expected, 1), feed))
    names = ("month", "loans", "defaults", "expected", "feed")
    return [dict(zip(names, one, strict=True)) for one in told]


ANSWERS: dict[str, Callable[[Night, int], Any]] = {
    "metrics": metrics,
    "releases": releases,
    "host": host,
    "inputs": inputs,
    "logs": logs,
    "outcomes": outcomes,
}
