"""One release is one bundle; the state says which bundle decides about whom.

A step is a function from a state to a state. The only one without a person's name is `abort`.
"""

import re
import secrets
from dataclasses import dataclass, field, replace
from typing import Literal

from oakbank.deploy.assignment import MAX_SHARE
from oakbank.deploy.sequential import Rules

NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
"""Of a bundle."""


class ReleaseError(RuntimeError):
    """A bundle or state that is not there, broken, or does not allow what is asked; the message says what to do."""


@dataclass(frozen=True)
class Bundle:
    """All that decides: what is released together and taken back together."""

    name: str
    version: str
    """Of the model in the registry."""
    digest: str
    """`CreditModel.digest` of its model."""
    features: str = "v1"
    """Name of the feature code, which the router must have."""
    cutoff: float = 1.0
    """A loan is granted below this share of its break-even probability; lower is stricter."""

    def __post_init__(self) -> None:
        texts = (self.name, self.version, self.digest, self.features)
        if not all(isinstance(text, str) and text for text in texts) or not NAME.fullmatch(self.name):
            raise ValueError("a bundle needs a name of a-z, 0-9, '.', '_', '-', a version, a digest and feature code")
        if type(self.cutoff) not in (int, float) or not 0 < self.cutoff <= 2:
            raise ValueError(f"cutoff must be a number above 0 and at most 2, not {self.cutoff!r}")


@dataclass(frozen=True)
class Release:
    """A challenger on trial."""

    challenger: str
    """Name of its bundle."""
    mode: Literal["shadow", "canary"]
    share: float
    """Of applicants in the canary, and as many in the baseline; 0 in shadow."""
    salt: str
    """Another one for each release, so that it is not always the same people who try what is new."""
    by: str
    rules: Rules = field(default_factory=Rules)
    stopped: str = ""
    """Why it was stopped; "" while it runs."""

    def __post_init__(self) -> None:
        right = self.share == 0 if self.mode == "shadow" else 0 < self.share <= MAX_SHARE
        if self.mode not in ("shadow", "canary") or type(self.share) not in (int, float) or not right:
            raise ValueError(f"a canary has a share above 0 and at most {MAX_SHARE}, a shadow 0, not {self.share!r}")


@dataclass(frozen=True)
class State:
    """Which bundle decides about whom."""

    champion: str
    previous: str | None = None
    release: Release | None = None

    @property
    def running(self) -> Release | None:
        """The release under way, unless it was stopped."""
        return None if self.release is None or self.release.stopped else self.release


def start(
    state: State,
    challenger: str,
    mode: Literal["shadow", "canary"],
    share: float,
    by: str,
    rules: Rules | None = None,
    salt: str | None = None,
) -> State:
    """Put a challenger on trial.

    Args:
        state: The state so far.
        challenger: Name of its bundle.
        mode: shadow (it answers nobody) or canary (it answers a share).
        share: Of applicants in the canary, and as many in its baseline; 0 in shadow.
        by: Who decides it.
        rules: What may stop it; None: the defaults of `Rules`.
        salt: Of the hash that assigns applicants; None: a new one.

    Raises:
        ReleaseError: A release is under way, the challenger is the champion, or nobody is named.
        ValueError: The mode or the share is none.
    """
    _person(by)
    if state.running is not None:
        raise ReleaseError(f"{state.running.challenger} is on trial: stop or promote it first")
    if challenger == state.champion:
        raise ReleaseError(f"{challenger} is the champion already")
    drawn = secrets.token_hex(8) if salt is None else salt
    return replace(state, release=Release(challenger, mode, share, drawn, by, rules or Rules()))


def grow(state: State, share: float, by: str) -> State:
    """Give a canary a larger share; it never shrinks, for that would move people back and forth."""
    _person(by)
    release = _on_trial(state)
    if release.mode != "canary" or share < release.share:
        raise ReleaseError(f"only a canary grows, from {release.share:g} upwards: stop it and start another one")
    return replace(state, release=replace(release, share=share))


def abort(state: State, reason: str) -> State:
    """Stop the release under way: the champion answers everybody again. The one step that needs no person."""
    return replace(state, release=replace(_on_trial(state), stopped=reason or "no reason was given"))


def promote(state: State, by: str) -> State:
    """Make the challenger on trial the champion."""
    _person(by)
    return switch(state, _on_trial(state).challenger, by)


def switch(state: State, bundle: str, by: str) -> State:
    """Give all applicants to a bundle at once (blue/green). The old champion stays ready: see `rollback`."""
    _person(by)
    if bundle == state.champion:
        raise ReleaseError(f"{bundle} is the champion already")
    return State(bundle, previous=state.champion)


def rollback(state: State, by: str) -> State:
    """Go back to the champion before this one, with its cutoff and its feature code; a trial under way ends."""
    _person(by)
    if state.previous is None:
        raise ReleaseError(f"there is no champion before {state.champion} to go back to")
    return State(state.previous)


def _person(by: str) -> None:
    if not by.strip():
        raise ReleaseError("this needs the name of the person who decides it")


def _on_trial(state: State) -> Release:
    if state.running is None:
        raise ReleaseError("no release is under way: start one first")
    return state.running
