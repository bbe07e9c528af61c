"""Many short byte strings looked for in one pass: the first bytes of each, at every place, by a table of hashes."""

from collections import defaultdict
from collections.abc import Iterator

import numpy as np

SIZES = (8, 6, 4)
_BITS = 22
_FACTOR = np.uint64(0x9E3779B97F4A7C15)


class Windows:
    """Needles of 4 bytes or more, and what each stands for."""

    def __init__(self) -> None:
        self._needles: dict[int, dict[int, list[tuple[bytes, str]]]] = {size: defaultdict(list) for size in SIZES}
        self._tables: dict[int, np.ndarray[tuple[int], np.dtype[np.bool_]]] = {}

    def add(self, needle: bytes, told: str) -> None:
        """Add a needle; one that is there already keeps what it stands for."""
        size = next(size for size in SIZES if size <= len(needle))
        same = self._needles[size][int.from_bytes(needle[:size], "little")]
        if all(needle != other for other, _ in same):
            same.append((needle, told))
        self._tables.clear()

    def find(self, content: bytes) -> Iterator[tuple[int, bytes, str]]:
        """Yield each place of a needle, the needle, and what it stands for."""
        padded = np.frombuffer(content + bytes(16), dtype=np.uint8)
        for start in range(8):
            window = padded[start : start + (len(content) + 7 - start) // 8 * 8].view("<u8")
            for size, needles in self._needles.items():
                if needles:
                    low = window & np.uint64(2 ** (8 * size) - 1)
                    for place in np.flatnonzero(self._table(size)[(low * _FACTOR) >> np.uint64(64 - _BITS)]):
                        at = start + 8 * int(place)
                        for needle, told in needles.get(int(low[place]), ()):
                            if content.startswith(needle, at):
                                yield at, needle, told

    def _table(self, size: int) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
        if size not in self._tables:
            table = np.zeros(2**_BITS, dtype=np.bool_)
            table[(np.array(list(self._needles[size]), dtype=np.uint64) * _FACTOR) >> np.uint64(64 - _BITS)] = True
            self._tables[size] = table
        return self._tables[size]
