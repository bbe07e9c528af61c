"""A fleet of branches with a model each, which hear of a release when they are online; simulated hour by hour."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

NO_MODEL = 0
"""In place of a version: the branch may not decide, because what it has is expired."""


@dataclass(frozen=True)
class Kind:
    """Branches that are connected alike; spells online and offline have geometric lengths."""

    name: str
    branches: int
    online: float
    """Mean hours of a spell online, 1 or more."""
    offline: float
    """Mean hours of a spell offline, 1 or more."""


KINDS = (Kind("line", 120, 200, 4), Kind("nightly", 60, 2, 22), Kind("van", 20, 3, 93))
"""Assumed, and to be replaced by what your own fleet shows: a line that fails now and then; a branch that connects
about once a day; a van, or an agent's laptop, that connects about every fourth day."""


@dataclass(frozen=True)
class Fleet:
    """When each branch is online."""

    online: NDArray[np.bool_]
    """Shape (branches, hours)."""
    kind: NDArray[np.str_]
    """Of each branch, shape (branches,)."""


@dataclass(frozen=True)
class Release:
    """A version that branches are offered from an hour on."""

    version: int
    """1 or more; a branch takes the last release that it is offered, whatever its number."""
    hour: int
    share: float = 1.0
    """Share of the branches to which it is offered, 0 to 1; the same branches first in every release of a fleet."""


def simulate(seed: int, hours: int, kinds: Sequence[Kind] = KINDS) -> Fleet:
    """Draw a fleet; the same seed gives the same hours.

    Raises:
        ValueError: There are no hours, or a kind has spells below an hour.
    """
    sound = [kind.online >= 1 and kind.offline >= 1 and kind.branches >= 1 for kind in kinds]
    if hours < 1 or not sound or not all(sound):
        raise ValueError("a fleet needs an hour, a branch of each kind, and mean spells of 1 hour or more")
    of_kind = np.repeat(np.arange(len(kinds)), [kind.branches for kind in kinds])
    on = np.array([kind.online for kind in kinds])[of_kind]
    off = np.array([kind.offline for kind in kinds])[of_kind]
    rng = np.random.default_rng(seed)
    draw = rng.random((len(of_kind), hours))
    online = np.zeros(draw.shape, dtype=bool)
    online[:, 0] = draw[:, 0] < on / (on + off)
    for hour in range(1, hours):
        online[:, hour] = np.where(online[:, hour - 1], draw[:, hour] >= 1 / on, draw[:, hour] < 1 / off)
    return Fleet(online, np.array([kind.name for kind in kinds])[of_kind])


def installed(fleet: Fleet, releases: Sequence[Release], seed: int = 0) -> NDArray[np.int64]:
    """Return the version that each branch has in each hour, shape (branches, hours).

    Args:
        fleet: The branches; all begin with the first release.
        releases: In the order of their hours; the first is installed everywhere.
        seed: Of the order in which branches are offered a release to a share of them.

    Raises:
        ValueError: There is no release, they are out of order, or a version or share is out of bounds.
    """
    hours = [release.hour for release in releases]
    if not releases or hours != sorted(hours):
        raise ValueError("give at least one release, in the order of their hours")
    if any(release.version < 1 or not 0 <= release.share <= 1 for release in releases):
        raise ValueError("a version is 1 or more, a share is 0 to 1")
    branches, length = fleet.online.shape
    rank = np.random.default_rng(seed).permutation(branches)
    has = np.full(branches, releases[0].version)
    found = np.empty((branches, length), dtype=np.int64)
    offered = has.copy()
    for hour in range(length):
        for release in releases[1:]:
            if release.hour == hour:
                offered = np.where(rank < release.share * branches, release.version, offered)
        has = np.where(fleet.online[:, hour], offered, has)
        found[:, hour] = has
    return found


def silence(fleet: Fleet) -> NDArray[np.int64]:
    """Return the hours since each branch was last online, shape (branches, hours); all were before the first hour."""
    hours = np.arange(fleet.online.shape[1])
    last = np.maximum.accumulate(np.where(fleet.online, hours, -1), axis=1)
    return np.asarray(hours - last, dtype=np.int64)


def with_expiry(versions: NDArray[np.int64], fleet: Fleet, hours: int) -> NDArray[np.int64]:
    """Return `versions` with `NO_MODEL` where a branch has been silent for more than `hours`.

    Head office stamps the last day anew at every contact, so what expires is the silence and not the model.
    """
    return np.where(silence(fleet) > hours, NO_MODEL, versions)


@dataclass(frozen=True)
class Harm:
    """What a bad release did, and what was paid to keep it small."""

    hours: int
    """Hours of a branch with the bad version, over all branches."""
    last: float
    """Days from `since` to the end of the last such hour; 0: there was none after it."""
    no_answer: float
    """Share of all hours of all branches, 0 to 1, in which no model decides."""


def harm(versions: NDArray[np.int64], bad: int, since: int) -> Harm:
    """Measure what a bad version did.

    Args:
        versions: Of each branch in each hour, shape (branches, hours), `NO_MODEL` where none decides.
        bad: The version.
        since: The hour in which its successor was published.
    """
    when = np.flatnonzero((versions == bad).any(axis=0))
    last = max(0, int(when[-1]) + 1 - since) / 24 if len(when) else 0.0
    return Harm(int((versions == bad).sum()), last, float((versions == NO_MODEL).mean()))
