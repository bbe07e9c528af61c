"""The form in which a type crosses from the student's kernel: one row a type, with both directions side by side.

The rows stand in `scalars` (values of the standard library), `tables` (NumPy, pandas) and `containers` (what both
sides share and change). `wire` goes through them.
"""

import dataclasses
from collections.abc import Callable
from typing import Any


class WireError(Exception):
    """A value that cannot be read."""


class StaysError(Exception):
    """A value that cannot be written as data: it stays where it is, and a handle travels."""


@dataclasses.dataclass(frozen=True)
class Row:
    """How a value travels from the student's kernel.

    Args:
        tag: Its name in the JSON.
        kinds: The exact types that it is for; with `matches`, what is to be asked of types that no row names.
        write: From a `wire.Writer` and the value to JSON. Raises `StaysError`.
        read: From a `wire.Reader` and that JSON to the value: exact types, no code of the student's.
        matches: Whether a value of another type is meant, such as one of a subclass.
    """

    tag: str
    kinds: tuple[type, ...]
    write: Callable[[Any, Any], Any]
    read: Callable[[Any, Any], Any]
    matches: Callable[[Any], bool] | None = None


@dataclasses.dataclass(frozen=True)
class SharedRow:
    """How an object travels that keeps its identity, and whose changes the other side sees.

    Args:
        tag: Its name in the JSON.
        kind: The exact type.
        write: From a `wire.Writer` and the object to JSON. Raises `StaysError`.
        read: From a `wire.Reader` and that JSON to a new object.
        look: Something that differs if the object's own content does (not that of objects within it).
        renew: Gives the first object the content of the second, in place.
        empty: From the JSON to an empty one, for what may hold itself; else it is made after what it holds.
        small: Whether it is looked at after each call; else only by a call that it is an argument of.
        born: Whether a new one of the student's travels so; else it stays there.
    """

    tag: str
    kind: type
    write: Callable[[Any, Any], Any]
    read: Callable[[Any, Any], Any]
    look: Callable[[Any], Any]
    renew: Callable[[Any, Any], None]
    empty: Callable[[Any], Any] | None = None
    small: Callable[[Any], bool] = lambda thing: False
    born: bool = True


SIMPLE = (int, float, str, bool, type(None))


def mark(item: Any) -> Any:
    """Return what tells whether an entry is still the same: its value if it cannot change, else its identity."""
    return (type(item), item) if type(item) in (int, float, str, bool, bytes, type(None)) else id(item)
