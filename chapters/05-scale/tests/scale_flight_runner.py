"""Flies a small flight in forked processes that are killed on the way; run by test_scale_flight.py in a fresh process.

Imports are paid once, here; nothing is computed before the forks. `python scale_flight_runner.py MODE FOLDER`.
"""

import os
import random
import resource
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow.lightgbm
import mlflow.models  # noqa: F401

from oakbank.deploy.gate import Gate, GateResult
from oakbank.governance.audit import AuditLog
from oakbank.pipelines import Evaluation, Registry
from oakbank.scale import bank, flight
from oakbank.scale.policy import Policy
from oakbank.world import Event, Feed, Lake, Scenario, World

SCENARIO = Scenario(
    name="tiny",
    description="Everything in five months.",
    months=5,
    applications_per_month=300,
    events=(
        Event(
            kind="data_drift",
            onset=-2,
            mix={"channel": {"web": 0.2, "branch": 0.2, "broker": 0.2, "aggregator": 0.4}},
        ),
        Event(kind="feed_unit", onset=2, until=3, column="income", factor=12),
    ),
)


def odd_rows(challenger: Evaluation, champion: Evaluation | None) -> GateResult:
    return GateResult("odd_rows", challenger.rows % 2 == 1, f"{challenger.rows} rows, an odd number wanted")


class Fickle(Policy):
    """Lets some challengers through and refuses others, so that five months have every kind of step."""

    def gates(self) -> tuple[Gate, ...]:
        return (odd_rows,)


# Any champion is taken back the month after.
POLICY = Fickle("care", check_feed=True, retrain=True, half_life=3.0, rollback_z=-1e9)
STEPS = ("score_month", "drift_report", "retrain", "promote")
DELIVERIES = ("publish_history", "publish_month", "publish_outcomes")


def world() -> World:
    return World(1, SCENARIO)


def fly(folder: Path, months: int | None = None) -> None:
    flight.fly(world(), POLICY, folder, months)


def in_child(work: Callable[[], None]) -> tuple[int, int]:
    """Run in a forked process; return its exit code and the signal that ended it."""
    child = os.fork()
    if child == 0:
        try:
            work()
        except BaseException as error:
            print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
            os._exit(3)
        os._exit(0)
    status = os.waitpid(child, 0)[1]
    return os.WEXITSTATUS(status), os.WTERMSIG(status)


def watched(folder: Path, kills: Path) -> None:
    """Fly, and be killed after the first step of a kind that has not had a kill yet."""
    done = set(kills.read_text().split()) if kills.exists() else set()

    def at(label: str) -> None:
        if label not in done:
            with kills.open("a") as stream:
                stream.write(f"{label}\n")
                stream.flush()
                os.fsync(stream.fileno())
            os.kill(os.getpid(), signal.SIGKILL)

    def wrap(owner: Any, name: str, label: Callable[..., str]) -> None:
        real = getattr(owner, name)

        def call(*args: Any, **options: Any) -> Any:
            what = label(*args, **options)  # before it runs: it may change its arguments
            result = real(*args, **options)
            at(what)
            return result

        setattr(owner, name, call)

    for step in STEPS:
        wrap(bank, step, lambda *args, name=step, **options: name)
    for delivery in DELIVERIES:
        wrap(Feed, delivery, lambda *args, name=delivery: name)
    wrap(bank, "rollback", lambda *args: "rollback")
    wrap(AuditLog, "append", lambda self, *args, **options: f"audit-{args[0]}")
    wrap(Lake, "write", lambda self, kind, *args: f"lake-{self.folder.name}-{kind}")
    wrap(Registry, "register", lambda self, *args: "register")
    wrap(Registry, "set_alias", lambda self, alias, *args: f"alias-{alias}")
    wrap(Registry, "set_tag", lambda self, version, key, *args: f"tag-{key}")
    wrap(flight, "write_json", lambda path, value: f"json-{path.parent.name}" if path.stem != "flight" else "json")
    fly(folder)


def whole(folder: Path) -> None:
    sys.exit(in_child(lambda: fly(folder))[0])


def at_every_step(folder: Path) -> None:
    kills = folder.parent / "kills.txt"
    for _ in range(200):
        code, killed = in_child(lambda: watched(folder, kills))
        if not killed:
            sys.exit(code)
    sys.exit("no end")


def at_random(folder: Path) -> None:
    rng = random.Random(int(folder.parent.name.removeprefix("seed")))
    for _ in range(5):
        child = os.fork()
        if child == 0:
            fly(folder)
            os._exit(0)
        time.sleep(rng.uniform(0.3, 4.0))
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    sys.exit(in_child(lambda: fly(folder))[0])


def small_files(folder: Path) -> None:
    """Fly a month, then on where no file may grow beyond 400 kB (the registry's database does); then where it may."""
    assert in_child(lambda: fly(folder, months=1)) == (0, 0)

    def full() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, resource.RLIM_INFINITY))
        fly(folder)

    assert in_child(full) == (3, 0)
    sys.exit(in_child(lambda: fly(folder))[0])


if __name__ == "__main__":
    mode, target = sys.argv[1], Path(sys.argv[2])
    modes: dict[str, Callable[[Path], None]] = {
        "whole": whole,
        "steps": at_every_step,
        "random": at_random,
        "full": small_files,
    }
    modes[mode](target)
