"""Which arm of a release answers an applicant. Needs the standard library alone: it runs in chapter 1's image."""

import hashlib
from typing import Literal

Arm = Literal["champion", "canary", "baseline"]
MAX_SHARE = 0.5
"""Canary and baseline have the same share: at 0.5 nobody is left for a third arm."""


def place(applicant: str, salt: str) -> float:
    """Return where an applicant stands, from 0 to below 1: always the same, and even over many applicants."""
    digest = hashlib.sha256(f"{salt}:{applicant}".encode()).digest()
    return int.from_bytes(digest[:6]) / 2**48


def arm_of(applicant: str, salt: str, share: float) -> Arm:
    """Return who answers an applicant. If the share grows, whoever is in the canary or its baseline stays there."""
    at = place(applicant, salt)
    if at < share:
        return "canary"
    return "baseline" if MAX_SHARE <= at < MAX_SHARE + share else "champion"
