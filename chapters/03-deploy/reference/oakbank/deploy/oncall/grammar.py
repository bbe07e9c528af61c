"""What may happen in a drill: kinds of faults with their ranges, what lies beside them, and what queries and acts cost.

Published as it is: whoever is on call knows how the bank may break, and not which of it is true tonight.
"""

from dataclasses import dataclass, field

import numpy as np

SHIFT = 60
"""Minutes from the alert until the day shift takes over. The hour before the alert can be looked at."""
PAR = 8
"""Minutes after which somebody who is good at it knows the cause; then comes the act."""
RATE = 60
"""Applications a minute."""
LATE = 20_000.0
"""EUR: what a new model that comes a day later costs, where the applicants or their risk have really changed."""
OWNER, OWNER_PRICE = 40, 2_000.0
"""Minutes until a colleague who was woken has mended the fault, and what that costs in EUR."""

QUERIES = {"metrics": 2, "releases": 3, "host": 4, "inputs": 5, "logs": 6, "outcomes": 10}
"""Minutes that each answer takes."""


@dataclass(frozen=True)
class Act:
    """What can be done: how long it takes, and what it costs where it was not called for."""

    minutes: int
    price: float
    """EUR, besides what it does to the bank's answers."""
    targets: tuple[str, ...] = ()
    """What it can be about; empty: it takes no target."""


FEED_COLUMNS = ("debts", "income", "years_employed", "bureau_score")
DEPENDENCIES = ("bureau", "identity")
ACTS = {
    "rollback": Act(3, 10_000),
    "repair": Act(4, 1_000, FEED_COLUMNS),
    "bypass": Act(2, 1_000, DEPENDENCIES),
    "quarantine": Act(3, 1_000),
    "free_disk": Act(5, 1_000),
    "restart": Act(2, 2_000),
    "renew": Act(6, 1_000),
    "retrain": Act(1, 8_000),
}
"""`repair`: the median for everybody; `bypass`: answer without asking; `quarantine`: what crashes goes to a person."""


@dataclass(frozen=True)
class Kind:
    """One cause."""

    text: str
    alerts: tuple[str, ...]
    act: str
    """The right one; "": none helps."""
    shown_by: tuple[str, ...]
    """Queries of which at least one must have been asked: a cause that was only guessed does not count."""


KINDS = {
    "release": Kind(
        "A new version answers a part of the traffic and grants too much or too little, fails, or is slow.",
        ("ApprovalsMoved", "ServiceErrors", "ServiceSlow"),
        "rollback",
        ("releases", "logs"),
    ),
    "feed": Kind(
        "A supplier sends a column in another unit. What leaves the contract's range is refused with 422.",
        ("InputsBroken", "ApprovalsMoved"),
        "repair",
        ("inputs",),
    ),
    "stale": Kind(
        "A feature table is no longer refreshed: everybody gets a value of one of few earlier applicants.",
        ("InputsMoved",),
        "repair",
        ("inputs",),
    ),
    "dependency": Kind(
        "Bureau or identity check answer late; half of the applicants who wait leave.",
        ("ServiceSlow",),
        "bypass",
        ("logs",),
    ),
    "input": Kind(
        "A kind of application crashes the service, whatever version answers.",
        ("ServiceErrors",),
        "quarantine",
        ("logs",),
    ),
    "disk": Kind(
        "The disk of the decision store is full: what cannot be written fails.",
        ("ServiceErrors",),
        "free_disk",
        ("logs", "host"),
    ),
    "worker": Kind(
        "Workers hold ever more memory, and are slow whatever version they serve.",
        ("ServiceSlow",),
        "restart",
        ("logs", "host"),
    ),
    "registry": Kind(
        "The registry's certificate has run out. The service goes on with its last champion, until it is restarted.",
        ("RefreshFailing",),
        "renew",
        ("host",),
    ),
    "recession": Kind(
        "Loans go worse than predicted, and the feed was whole when they were granted.",
        ("DefaultsAboveForecast",),
        "retrain",
        ("outcomes",),
    ),
    "echo": Kind(
        "Loans go worse than predicted that were granted on a broken feed, which has long been mended.",
        ("DefaultsAboveForecast",),
        "",
        ("outcomes",),
    ),
    "applicants": Kind(
        "Other people apply: several columns have moved, each of them plausible.",
        ("InputsMoved", "ApprovalsMoved"),
        "retrain",
        ("inputs",),
    ),
    "chance": Kind(
        "Nothing has happened. The alarm rang by chance.",
        ("ApprovalsMoved", "InputsMoved", "ServiceSlow", "RefreshFailing", "DefaultsAboveForecast"),
        "",
        ("metrics", "inputs", "logs", "host", "outcomes"),
    ),
}
PLAIN = {
    "ApprovalsMoved": ("metrics", "inputs"),
    "InputsMoved": ("inputs",),
    "ServiceSlow": ("metrics", "logs"),
    "RefreshFailing": ("host",),
    "DefaultsAboveForecast": ("outcomes",),
}
"""Queries, by alert, of which at least one must have been asked before an alarm counts as chance."""
UNITS = (("debts", "0.001"), ("debts", "12"), ("income", "12"), ("income", "0.4615"), ("years_employed", "12"))
"""Wrong units: thousands of EUR, a year for a month, two weeks for a month, months for years."""
STALE = ("bureau_score", "income")
FLAWS = {"ApprovalsMoved": ("lenient", "strict"), "ServiceErrors": ("failing",), "ServiceSlow": ("slow",)}
"""What may be wrong with a release, by the alert that it raises."""
DECOYS = {
    "release": "an innocent release on the same evening, in a third of all drills in the minute of the onset",
    "disk": "a disk with little free space, and not full",
    "certificate": "a certificate that runs out in a few days",
    "feed": "a month whose feed was broken and repaired in time",
}
"""What may lie beside any fault, and beside none."""


@dataclass(frozen=True)
class Rollout:
    """A new version that answers a share of the traffic."""

    minute: int
    """Of its promotion; the alert rings in minute 0."""
    share: float
    flaw: str = ""
    """"" : innocent."""


@dataclass(frozen=True)
class Drill:
    """One evening and its truth, which nobody on call can see."""

    seed: int
    cause: str
    alert: str
    onset: int
    """Minute in which it began, before 0."""
    strength: float
    """Share of the answers that are concerned."""
    target: str = ""
    """Column or dependency."""
    factor: str = ""
    """Of a wrong unit; `stale`."""
    rollout: Rollout | None = None
    decoys: frozenset[str] = field(default_factory=frozenset)

    @property
    def right(self) -> tuple[str, str]:
        """The act that mends it, and its target."""
        act = KINDS[self.cause].act
        return act, self.target if act and ACTS[act].targets else ""

    @property
    def shown_by(self) -> tuple[str, ...]:
        """Queries of which at least one must have been asked for the cause to count."""
        return PLAIN[self.alert] if self.cause == "chance" else KINDS[self.cause].shown_by


def draw(seed: int, cause: str = "") -> Drill:
    """Draw a drill.

    Args:
        seed: Any non-negative integer. The same seed gives the same drill.
        cause: One of `KINDS`; "": each is as likely.

    Raises:
        ValueError: There is no such cause.
    """
    if cause not in ("", *KINDS):
        raise ValueError(f"no cause {cause!r}: choose one of {', '.join(KINDS)}")
    rng = np.random.default_rng([seed, 0])
    cause = cause or str(rng.choice(list(KINDS)))
    alert = str(rng.choice(KINDS[cause].alerts))
    onset = -int(rng.integers(10, 21))
    strength = float(rng.uniform(0.3, 0.7))
    target = factor = ""
    if cause == "feed":
        target, factor = UNITS[rng.integers(len(UNITS))]
    elif cause == "stale":
        target, factor = str(rng.choice(STALE)), "stale"
    elif cause == "dependency":
        target = str(rng.choice(DEPENDENCIES))
    rollout = None
    place, other, share, evening = rng.random(), int(rng.integers(30, 56)), rng.uniform(0.35, 0.65), rng.random(3)
    if cause == "release":
        rollout = Rollout(onset, float(share), str(rng.choice(FLAWS[alert])))
    elif place < 2 / 3:
        rollout = Rollout(onset if place < 1 / 3 else -other, float(share))
    names = [name for name, drawn in zip(("disk", "certificate", "feed"), evening, strict=True) if drawn < 0.5]
    return Drill(seed, cause, alert, onset, strength, target, factor, rollout, frozenset(names))
