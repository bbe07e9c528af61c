"""One side's book of what it shares with the other kernel."""

from typing import Any

from autograder.values import arrays, containers, tables
from autograder.values.objects import INSTANCE, OBJECT
from autograder.values.rows import SharedRow

SYNCED = 256
"""How many of the latest shared lists and dicts are looked at again after each call; older ones have settled."""

SHARED = {row.kind: row for row in (*containers.SHARED, *arrays.SHARED, *tables.SHARED)}
"""The row of an exact type that is shared."""
SHARED_TAGS = {row.tag: row for row in (*SHARED.values(), INSTANCE, OBJECT)}
_BASES = (list, dict, set, bytearray, *(kind for kind in SHARED if kind.__module__.startswith("pandas")))
_BY_SUBCLASS: dict[type, SharedRow | None] = {}


def shared_row(thing: Any) -> SharedRow | None:
    """Return how an object is shared: by its type or, for a subclass, that of which it is one; None if it is not."""
    kind = type(thing)
    if kind in SHARED:
        return SHARED[kind]
    if kind not in _BY_SUBCLASS:
        found = next((base for base in kind.__mro__ if base in SHARED), None)
        _BY_SUBCLASS[kind] = SHARED[found] if found and issubclass(found, _BASES) else None
    return _BY_SUBCLASS[kind]


class Desk:
    """What one side shares with the other, by number: its own objects (lent) and the other's (borrowed).

    Args:
        side: `s` for the student's kernel, `t` for the examiner's; it starts the names of what is lent.
    """

    def __init__(self, side: str) -> None:
        self.side = side
        self.lent: dict[str, Any] = {}
        self.names: dict[int, str] = {}
        self.shared: dict[str, Any] = {}
        self.rows: dict[str, SharedRow] = {}
        self.seen: dict[str, Any] = {}  # what each shared object looked like when both sides agreed
        self.count = 0

    def forget(self) -> None:
        """Drop the shared objects: they are agreed upon within one test cell. What was lent stays lent."""
        self.names = {id(thing): name for name, thing in self.lent.items()}
        self.shared, self.rows, self.seen = {}, {}, {}

    def lend(self, thing: Any) -> str:
        """Return the name of an object that stays here."""
        name = self.names.get(id(thing)) or self.name(thing)
        self.lent[name] = thing
        return name

    def share(self, thing: Any, row: SharedRow | None, name: str = "") -> str:
        """Enter an object that lives on both sides, and how it travels; None: one that could not."""
        name = name or self.name(thing)
        self.names[id(thing)] = name
        self.shared[name] = thing
        if row is not None:
            self.rows[name] = row
        return name

    def withdraw(self, name: str) -> None:
        """Take back what was entered: it cannot be written."""
        del self.names[id(self.shared.pop(name))]
        self.rows.pop(name, None)

    def name(self, thing: Any) -> str:
        """Return a new name for an object."""
        self.count += 1
        name = f"{self.side}{self.count}"
        self.names[id(thing)] = name
        return name

    def look(self, name: str) -> None:
        """Remember what a shared object looks like now."""
        if name in self.rows:
            self.seen[name] = self.rows[name].look(self.shared[name])

    def touched(self, arguments: set[str]) -> dict[str, Any]:
        """Return the shared objects that changed since both sides agreed, and what they looked like before.

        Large ones are looked at only if they are `arguments`.
        """
        latest = [name for name in list(self.shared)[-SYNCED:] if name in self.rows]
        names = [name for name in latest if self.rows[name].small(self.shared[name])]
        changed = {}
        for name in dict.fromkeys([*names, *sorted(arguments.intersection(self.rows))]):
            look, before = self.rows[name].look(self.shared[name]), self.seen.get(name)
            if look != before:
                changed[name] = before
                self.seen[name] = look
        return changed
