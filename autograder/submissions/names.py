"""What a student is called here: a name that is safe as a folder's on every system, and nobody else's."""

import hashlib
import re
import unicodedata
from collections.abc import Collection, Iterable

LONGEST_NAME = 100
"""Bytes: room is left for a hash and for what is added while a file is written, since most systems take 255."""
WINDOWS = re.compile(r"(?:con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(?:\..*)?", re.IGNORECASE)

_HASHED = re.compile(r"-(?=\d*[a-f])[0-9a-f]{8,64}$")
_NUMBER = re.compile(r"_\d{1,30}$")


def without_hash(name: str) -> str:
    """Return a name of `safe_names` without the hash that it may have got."""
    return _HASHED.sub("", name)


def safe_names(origins: Iterable[str], known: Collection[str] = ()) -> dict[str, str]:
    """Return a name for each student, by what the files or the platform call the student.

    A name that has to change gets a hash of the old one, and one that looks as if it had a hash gets one too. So it
    is the same on every run, whoever hands in later. Of names that differ in case alone, the one that is `known`
    stays as it is, else the one in small letters.

    Args:
        origins: Each once.
        known: Names that earlier runs gave.
    """
    taken: set[str] = set()
    names = {}
    for origin in sorted(origins, key=lambda origin: (origin not in known, origin != origin.lower(), origin)):
        name = _cleaned(origin)
        if name != origin or not name or name.casefold() in taken or WINDOWS.fullmatch(name) or _HASHED.search(name):
            name = _hashed(name or "student", origin, taken)
        taken.add(name.casefold())
        names[origin] = name
    return names


def _cleaned(origin: str) -> str:
    """Return a name without what a file's may not have; a platform's number at its end is never cut."""
    name = re.sub(r"[^\w .@'()=~-]", "-", unicodedata.normalize("NFC", origin)).strip(" .")
    number = found[0] if (found := _NUMBER.search(name)) else ""
    head = name.removesuffix(number).encode()[: LONGEST_NAME - len(number)].decode(errors="ignore")
    return f"{head}{number}".rstrip(" .")


def _hashed(name: str, origin: str, taken: Collection[str]) -> str:
    """Return a name with as much of the hash of its origin as makes it nobody else's; it always has a letter."""
    whole = hashlib.sha256(origin.encode("utf-8", "surrogatepass")).hexdigest()
    name = f"student-{name}" if WINDOWS.fullmatch(f"{name}-{whole[:8]}") else name
    for length in range(8, len(whole) + 1):
        longer = f"{name}-{whole[:length]}"
        if _HASHED.search(longer) and longer.casefold() not in taken:
            return longer
    raise ValueError(f"no name is free for {origin!r}")
