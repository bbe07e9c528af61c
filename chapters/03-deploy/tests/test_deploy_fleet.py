import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oakbank.deploy.fleet import (
    KINDS,
    NO_MODEL,
    Fleet,
    Harm,
    Kind,
    Release,
    harm,
    installed,
    silence,
    simulate,
    with_expiry,
)

DAY = 24


def fleet_of(*rows: str) -> Fleet:
    """A fleet by hand: `#` is an hour online."""
    return Fleet(np.array([[mark == "#" for mark in row] for row in rows]), np.array(["any"] * len(rows)))


def test_the_same_seed_gives_the_same_hours_and_the_shares_are_as_declared() -> None:
    fleet = simulate(3, 60 * DAY)
    assert np.array_equal(fleet.online, simulate(3, 60 * DAY).online)
    assert not np.array_equal(fleet.online, simulate(4, 60 * DAY).online)
    for kind in KINDS:
        mine = fleet.online[fleet.kind == kind.name]
        assert len(mine) == kind.branches
        assert mine.mean() == pytest.approx(kind.online / (kind.online + kind.offline), rel=0.15)
        spells = (mine[:, 1:] & ~mine[:, :-1]).sum()
        expected = mine[:, 1:].size / (kind.online + kind.offline)
        assert spells == pytest.approx(expected, rel=0.15)


def test_a_branch_takes_what_is_newest_when_it_is_online() -> None:
    fleet = fleet_of("#..#..", "......", "######")
    versions = installed(fleet, [Release(1, 0), Release(2, 2), Release(3, 4)])
    assert versions.tolist() == [[1, 1, 1, 2, 2, 2], [1, 1, 1, 1, 1, 1], [1, 1, 2, 2, 3, 3]]


def test_what_is_silent_too_long_has_no_model() -> None:
    fleet = fleet_of("#....#", "......")
    assert silence(fleet).tolist() == [[0, 1, 2, 3, 4, 0], [1, 2, 3, 4, 5, 6]]
    assert with_expiry(np.ones((2, 6), dtype=np.int64), fleet, 3).tolist() == [
        [1, 1, 1, 1, NO_MODEL, 1],
        [1, 1, 1, NO_MODEL, NO_MODEL, NO_MODEL],
    ]


def test_harm_counts_hours_of_branches() -> None:
    versions = np.array([[1, 2, 2, 3], [1, 2, 2, 2], [1, 1, NO_MODEL, 3]])
    assert harm(versions, 2, since=2) == Harm(hours=5, last=2 / 24, no_answer=1 / 12)
    assert harm(versions, 2, since=4).last == 0
    assert harm(versions, 9, since=2) == Harm(hours=0, last=0, no_answer=1 / 12)


@given(st.integers(0, 99), st.integers(0, 9), st.floats(0, 1), st.integers(1, 200))
@settings(max_examples=40, deadline=None, derandomize=True, database=None)
def test_rules_that_hold_in_every_fleet(seed: int, order: int, share: float, hours: int) -> None:
    fleet = simulate(seed, 10 * DAY, (Kind("a", 20, 5, 30), Kind("b", 10, 50, 2)))
    follow = [Release(1, 0), Release(2, 3 * DAY), Release(3, 5 * DAY)]
    staged = [Release(1, 0), Release(2, 3 * DAY, share), Release(3, 5 * DAY)]
    versions, few = installed(fleet, follow, order), installed(fleet, staged, order)
    assert (np.diff(versions, axis=1) >= 0).all()
    assert (versions[:, : 3 * DAY] == 1).all()
    newest = np.where(np.arange(10 * DAY) < 3 * DAY, 1, np.where(np.arange(10 * DAY) < 5 * DAY, 2, 3))
    assert (versions == np.broadcast_to(newest, versions.shape))[fleet.online].all()
    assert (few == 2).any(axis=1).sum() <= np.ceil(share * 30)
    assert (versions == 2)[few == 2].all(), "a staged release reaches nobody whom the whole one does not reach"
    late = with_expiry(versions, fleet, hours)
    assert (late[fleet.online] != NO_MODEL).all()
    assert not (late[:, 5 * DAY + hours :] == 2).any(), "an expiry bounds how long a bad release decides"


@pytest.mark.parametrize(
    "releases",
    [
        [],
        [Release(1, 5), Release(2, 3)],
        [Release(0, 0)],
        [Release(1, 0), Release(2, 1, 1.5)],
        [Release(1, 0), Release(2, 1, float("nan"))],
    ],
)
def test_releases_that_make_no_sense_are_refused(releases: list[Release]) -> None:
    with pytest.raises(ValueError, match=r"release|version"):
        installed(fleet_of("#"), releases)


@pytest.mark.parametrize(
    "kinds", [(), (Kind("a", 1, 0.5, 2),), (Kind("a", 0, 2, 2),), (Kind("a", 1, 2, float("nan")),)]
)
def test_a_fleet_that_makes_no_sense_is_refused(kinds: tuple[Kind, ...]) -> None:
    with pytest.raises(ValueError, match="a fleet needs"):
        simulate(1, 10, kinds)
    with pytest.raises(ValueError, match="a fleet needs"):
        simulate(1, 0)
