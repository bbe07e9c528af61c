"""Search by value: where below a folder anything of a person still stands.

It knows no store and nothing of how an erasure works: it opens every file, looks into tables, archives and databases,
and at the bytes between them, where a deleted row may still lie. It finds what it is given: a number, a name, a rare
value, and the plain hash of each, by which anybody can find the number again. It does not find what was rounded,
encrypted, or drawn as a picture.
"""

import hashlib
import json
import re
import struct
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from oakbank.governance.rights.contents import Column, ContentError, Raw, parts
from oakbank.governance.rights.windows import SIZES, Windows

Value: TypeAlias = str | int | float
SHORTEST = 4
"""Characters of a value: a shorter one would be found everywhere."""
_TOKEN = re.compile(rb"[0-9a-f]{32,64}|\d+(?:\.\d+)?(?:e[-+]?\d+)?", re.IGNORECASE)
_HASHES = ("md5", "sha1", "sha256")


class SearchError(ValueError):
    """A value that says nothing, or files that could not be looked into; the message names them."""


@dataclass(frozen=True, order=True)
class Found:
    """One value in one place of one file."""

    path: str
    """Below the folder, with `/`."""
    place: str
    """Where in the file: a column, a member, "bytes" or "name of the file"."""
    value: str
    """As it was given."""
    times: int


def search(root: str | Path, values: Iterable[Value], skip: Iterable[str | Path] = ()) -> list[Found]:
    """Return every place below a folder where one of the values stands, in order of path and place.

    Args:
        root: The folder.
        values: Numbers and texts. An integer is a whole number, not a part of another one; a float is found as
            float64 and float32. Give what only this person has: an age is everybody's.
        skip: Files to leave out, such as the request itself.

    Raises:
        SearchError: A value is empty or too short, the folder is not there, or a file cannot be looked into.
    """
    folder, wanted = Path(root), _Wanted(list(values))
    if not folder.is_dir():
        raise SearchError(f"{folder} is no folder: there is nothing to search")
    left_out = {Path(one).resolve() for one in skip}
    found, closed = list[Found](), list[str]()
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.resolve() not in left_out:
            name = path.relative_to(folder).as_posix()
            try:
                found += _in_file(name, path.read_bytes(), wanted)
            except ContentError as error:
                closed.append(f"{name}: {error}")
    if closed:
        raise SearchError(
            f"{len(closed)} files cannot be looked into, so nothing is shown of them: {'; '.join(closed[:5])}"
        )
    return sorted(found)


def _in_file(name: str, content: bytes, wanted: "_Wanted") -> Iterator[Found]:
    seen = list(parts(content))
    columns = [(part.place, wanted.in_column(part)) for part in seen if isinstance(part, Column)]
    shown = {value for _, hits in columns for value in hits}
    places = [("name of the file", wanted.in_bytes(name.encode(), binary=False)), *columns]
    for part in seen:
        if isinstance(part, Raw):  # what a column has shown stands in the bytes of its table, too
            hits = wanted.in_bytes(part.content, part.binary, packed=not part.binary)
            places.append((f"{part.place} bytes".strip(), Counter({k: n for k, n in hits.items() if k not in shown})))
    for place, hits in places:
        yield from (Found(name, place, value, times) for value, times in hits.items())


class _Wanted:
    """The values, in every form in which they may stand."""

    def __init__(self, values: Sequence[Value]) -> None:
        self.texts, self.packed = Windows(), Windows()
        self.tokens: dict[bytes, str] = {}
        """Numerals and hashes, as text."""
        self.integers: dict[int, str] = {}
        self.floats: dict[float, str] = {}
        if not values:
            raise SearchError("there is no value to search for: give what identifies the person")
        for value in values:
            self._add(value)

    def _add(self, value: Value) -> None:
        told = str(value)
        if len(told) < SHORTEST:
            raise SearchError(f"{told!r} is too short to tell a person: give {SHORTEST} characters or more")
        for name in _HASHES:
            self.tokens[hashlib.new(name, told.encode(), usedforsecurity=False).hexdigest().encode()] = told
        if isinstance(value, str):
            for spelled in (value, value.lower(), value.upper(), json.dumps(value)[1:-1]):
                self.texts.add(spelled.encode(), told)
            for code in ("utf-16-le", "utf-16-be"):
                self.texts.add(value.encode(code), told)
        elif isinstance(value, int):
            self.integers[value] = told
            self.tokens[told.encode()] = told
            for size in SIZES:  # SQLite has the shortest that fits, most significant byte first
                if value.bit_length() < 8 * size:
                    self.packed.add(value.to_bytes(size, "big", signed=True), told)
                    self.packed.add(value.to_bytes(size, "little", signed=True), told)
        else:
            self._add_float(float(value), told)

    def _add_float(self, value: float, told: str) -> None:
        for number in (value, float(np.float32(value))):
            self.floats[number] = told
            texts = {repr(number), f"{number:.10f}".rstrip("0"), f"{number:.15g}", f"{number:.17g}"}
            self.tokens |= {text.encode(): told for text in texts}
            for order in ("<d", ">d"):
                self.packed.add(struct.pack(order, number), told)
        self.tokens[str(np.float32(value)).encode()] = told

    def in_column(self, column: Column) -> Counter[str]:
        """Return how often each value stands in a column."""
        values = column.values
        if values.dtype.kind in "iu":
            return Counter(self.integers[int(one)] for one in values[np.isin(values, list(self.integers))])
        if values.dtype.kind == "f":
            known = self.floats | {float(number): told for number, told in self.integers.items()}
            return Counter(known[float(one)] for one in values[np.isin(values, list(known))])
        if values.dtype.kind in "bmM":
            return Counter()
        found = Counter(told for one in values if _is_number(one) and (told := self._number(one)) is not None)
        texts = [one if isinstance(one, bytes) else str(one).encode() for one in values if not _is_number(one)]
        return found + self.in_bytes(b"\n".join(texts), binary=False)

    def _number(self, one: Any) -> str | None:
        return self.integers.get(one, self.floats.get(one))  # 3 and 3.0 are one key

    def in_bytes(self, content: bytes, binary: bool, packed: bool = False) -> Counter[str]:
        """Return how often each value stands in bytes.

        Args:
            content: The bytes.
            binary: Whether numbers may stand there as a machine has them.
            packed: Whether they are compressed, so that digits in them are chance.
        """
        found = Counter(
            told
            for at, needle, told in self.texts.find(content)
            if not (content[at - 1 : at].isalnum() or content[at + len(needle) : at + len(needle) + 1].isalnum())
        )
        if not packed:
            found.update(told for one in _TOKEN.finditer(content) if (told := self.tokens.get(one[0].lower())))
        if binary and b"\0" in content:
            found.update(told for _, _, told in self.packed.find(content))
        return found


def _is_number(one: Any) -> bool:
    return isinstance(one, int | float | np.number) and not isinstance(one, bool)
