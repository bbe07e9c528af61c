"""One night, minute by minute: what each application meets, and what it costs, given the fault and what was done."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from oakbank.deploy.oncall.bank import Bank
from oakbank.deploy.oncall.grammar import RATE, SHIFT, Drill

LEAVES = 0.8
"""Share of the applicants who leave when an answer takes seconds."""
PERSON = 0.3
"""Share of them who leave when a person has to look first."""
UNCHECKED = 25.0
"""EUR for each application whose identity nobody checked: the fraud that comes of it."""
SLOW = 0.004
"""Share of requests that are slow on any evening."""
OLD, CHAMPION, NEW = "40", "41", "42"
"""Versions. `NEW` is there only where a release is."""


@dataclass(frozen=True)
class Minute:
    """The requests of one minute: arrays of shape (n,), one entry each."""

    row: NDArray[np.int64]
    """Which applicant of the population."""
    version: NDArray[np.str_]
    status: NDArray[np.int64]
    granted: NDArray[np.bool_]
    """Of those with status 200."""
    own: NDArray[np.float64]
    """Milliseconds in the service itself."""
    asked: dict[str, NDArray[np.float64]]
    """Milliseconds that each dependency took; one that is bypassed is not there."""
    milliseconds: NDArray[np.float64]
    """From request to answer."""


class Night:
    """What happens, from an hour before the alert on.

    Args:
        drill: What is true.
        bank: Where it happens.
    """

    def __init__(self, drill: Drill, bank: Bank) -> None:
        self.drill, self.bank = drill, bank
        self._acts: dict[tuple[str, str], int] = {}
        self._lived: dict[int, Minute] = {}

    def act(self, what: str, target: str, minute: int) -> None:
        """Do something, with effect from `minute` on, which must lie ahead of all minutes that were looked at."""
        self._acts.setdefault((what, target), minute)

    def when(self, what: str, target: str | None = None) -> int | None:
        """Return from which minute on something was done, target None: to whatever; None: it was not."""
        found = (minute for (name, about), minute in self._acts.items() if name == what and target in (None, about))
        return min(found, default=None)

    def done(self, what: str, minute: int, target: str | None = None) -> bool:
        """Return whether something had been done by a minute."""
        began = self.when(what, target)
        return began is not None and minute >= began

    def broken(self, cause: str, minute: int) -> bool:
        """Return whether this fault is there in a minute."""
        return (
            self.drill.cause == cause
            and minute >= self.drill.onset
            and not self.done(self.drill.right[0], minute, self.drill.right[1])
        )

    def shares(self, minute: int) -> dict[str, float]:
        """Return the share of the traffic that each version answers."""
        rollout = self.drill.rollout
        if self.done("rollback", minute):
            return {CHAMPION if rollout else OLD: 1.0}
        if rollout is None or minute < rollout.minute:
            return {CHAMPION: 1.0}
        return {CHAMPION: 1 - rollout.share, NEW: rollout.share}

    def flaw(self, version: str) -> str:
        """Return what is wrong with a version; "": nothing."""
        return self.drill.rollout.flaw if version == NEW and self.drill.rollout else ""

    def failing(self, version: str, minute: int) -> float:
        """Return the share of a version's requests that end with 500."""
        if self.flaw(version) == "failing":
            return 0.4 + self.drill.strength / 2
        if self.broken("input", minute):
            return self.drill.strength / 2
        return self.drill.strength if self.broken("disk", minute) else 0.0

    def slow(self, version: str, minute: int) -> float:
        """Return the share of a version's requests that take seconds."""
        late = self.flaw(version) == "slow" or self.broken("worker", minute) or self.broken("dependency", minute)
        return self.drill.strength if late else SLOW

    def gone(self, minute: int) -> bool:
        """Return whether nobody serves: for a minute after a restart, and on where the registry is away."""
        began = self.when("restart")
        if began is None or minute < began:
            return False
        return minute == began or self.broken("registry", minute)

    def delivered(self, minute: int) -> tuple[bool, str, str]:
        """Return the arguments of `Bank.feed` for what suppliers send in a minute, whatever is done with it."""
        there = minute >= self.drill.onset
        if there and self.drill.cause in ("feed", "stale"):
            return False, self.drill.factor, self.drill.target
        return there and self.drill.cause == "applicants", "", ""

    def decided_on(self, minute: int) -> tuple[bool, str, str]:
        """Return the arguments of `Bank.feed` for what decisions are made on: repaired, or without the bureau."""
        changed, kind, column = self.delivered(minute)
        if kind and not self.done("repair", minute, column):
            return changed, kind, column
        for (what, target), since in self._acts.items():
            if minute >= since and (what == "repair" or target == "bureau"):
                return changed, "typical", target if what == "repair" else "bureau_score"
        return changed, "", ""

    def release(self, version: str) -> str:
        """Return which of `CUTOFFS` a version is."""
        flaw = self.flaw(version)
        return "previous" if version == OLD else flaw if flaw in ("lenient", "strict") else "champion"

    def loss(self, minute: int) -> float:
        """Return what an application of a minute earns less than on a sound evening, EUR."""
        changed, kind, column = self.decided_on(minute)
        best = self.bank.outlook(changed, "champion").euros
        if self.gone(minute):
            return best
        earned = 0.0
        for version, share in self.shares(minute).items():
            answered = (1 - self.failing(version, minute)) * (1 - LEAVES * self.slow(version, minute))
            answered /= 1 - LEAVES * SLOW
            answered -= PERSON * self._set_aside(minute)
            earned += share * answered * self.bank.outlook(changed, self.release(version), kind, column).euros
        return best - earned + UNCHECKED * self.done("bypass", minute, "identity")

    def _set_aside(self, minute: int) -> float:
        """Return the share of applications that go to a person because they would crash the service."""
        crashing = self.drill.cause == "input" and minute >= self.drill.onset and self.done("quarantine", minute)
        return self.drill.strength / 2 if crashing else 0.0

    def minute(self, minute: int) -> Minute:
        """Return the requests of a minute that has passed: the same numbers are drawn whatever was done."""
        if minute not in self._lived:
            self._lived[minute] = self._live(minute)
        return self._lived[minute]

    def _live(self, minute: int) -> Minute:
        rng = np.random.default_rng([self.drill.seed, 1, minute + SHIFT])
        n = int(rng.poisson(RATE))
        feed = self.decided_on(minute)
        shares = self.shares(minute)
        row = rng.integers(len(self.bank.feed(feed[0])), size=n)
        chosen, fails, waits, late = rng.random((4, n))
        version = np.where(chosen < shares.get(NEW, 0.0), NEW, next(iter(shares)))
        own, usual, there = rng.lognormal(2.3, 0.4, (3, n))
        asked = {"bureau": 4 * usual, "identity": 2 * there}
        refused, granted = np.zeros(n, bool), np.zeros(n, bool)
        failing, slow = np.zeros(n), np.zeros(n)
        for name in shares:
            mine = version == name
            outlook = self.bank.outlook(feed[0], self.release(name), *feed[1:])
            refused[mine], granted[mine] = outlook.refused[row[mine]], outlook.granted[row[mine]]
            failing[mine], slow[mine] = self.failing(name, minute), self.slow(name, minute)
        seconds = np.where(waits < slow, 2_000 + 4_000 * late, 0.0)
        if self.broken("dependency", minute):
            asked[self.drill.target] += seconds
        else:
            own += seconds
        asked = {name: took for name, took in asked.items() if not self.done("bypass", minute, name)}
        status = np.select(
            [np.full(n, self.gone(minute)), refused, fails < self._set_aside(minute), fails < failing],
            [503, 422, 202, 500],
            200,
        )
        reached = ~np.isin(status, (422, 503))
        milliseconds = own + reached * np.sum(list(asked.values()), axis=0)
        return Minute(row, version, status, granted & (status == 200), own, asked, milliseconds)
