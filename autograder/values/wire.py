"""How values travel between the student's kernel and the examiner's, so that nothing of the student's runs there.

From the student, here: JSON whose only leaves are plain data (numbers, text, dates, NumPy arrays as `.npy` without
pickle, pandas frames column by column), one row a type in `rows`. What is none of these stays where it is, and a
handle travels. `Reader` builds exact types that it knows, whatever a class of the student pretended to be. From the
examiner, in `packing`: pickle, since the student's side may trust the examiner's; only what is bound to the
examiner's process (functions, classes of a test cell) is a handle.

What is shared (lists, dicts, arrays, frames, see `desk`) keeps its identity on the way there and back, and what one
side changes in it the other sees after the next call, as if both ran in one process.
"""

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas

from autograder.values import arrays, scalars, tables
from autograder.values.classes import describe, has_extras
from autograder.values.desk import SHARED_TAGS, Desk, shared_row
from autograder.values.objects import INSTANCE, by_value, empty_instance
from autograder.values.raised import read_error, write_error
from autograder.values.rows import Row, SharedRow, StaysError, WireError
from autograder.values.scalars import known_class

DEEPEST = 200
"""Nesting at which a value from the student is refused."""

_CONSTANTS: dict[str, Any] = {
    "ellipsis": ...,
    "nat": pandas.NaT,
    "na": pandas.NA,
    "notimplemented": NotImplemented,
    "masked": np.ma.masked,
}
_ROWS = (*scalars.ROWS, *arrays.ROWS, *tables.ROWS)
_BY_KIND: dict[type, Row] = {kind: row for row in _ROWS for kind in row.kinds}
_BY_MATCH = tuple((row, row.matches) for row in _ROWS if row.matches)
_BY_TAG = {row.tag: row for row in _ROWS}
_PLAIN: dict[type, Callable[[Any], Any]] = {
    int: int.__int__, float: float.__float__, str: str.__str__,
    bytes: lambda thing: bytes.__getitem__(thing, slice(None)), tuple: lambda thing: tuple(tuple.__iter__(thing)),
    frozenset: lambda thing: frozenset(frozenset.__iter__(thing)),
}  # fmt: skip
"""The plain value of what is of a subclass."""


class Writer:
    """Writes values of the student's kernel as JSON.

    Nothing here protects anything: it runs in the student's process. `Reader` does.

    Args:
        desk: The student's.
        borrowed: Returns the examiner's name of what stands for an object of its own, None for anything else.
        known: Names of the classes that the instructor's own cells define on both sides, by `id`.
    """

    def __init__(self, desk: Desk, borrowed: Callable[[Any], str | None], known: dict[int, str] | None = None) -> None:
        self.desk, self.borrowed, self.known = desk, borrowed, {} if known is None else known
        self.objects: dict[str, Any] = {}
        self.classes: dict[str, Any] = {}
        self.before: Any = None

    def message(self, value: Any, arguments: set[str], **more: Any) -> bytes:
        """Return a whole message: the value, shared objects that are new, and those that changed."""
        self.objects, self.classes = {}, {}
        encoded, told = self.value(value), {name: self.value(part) for name, part in more.items()}
        changed: dict[str, Any] = {}
        for name, before in self.desk.touched(arguments).items():
            self.before = before
            if name not in self.objects:
                changed[name] = self._content(self.desk.shared[name], self.desk.rows[name])
        parts = {"value": encoded, "objects": self.objects, "changed": changed, "classes": self.classes, "more": told}
        return json.dumps(parts).encode()

    def value(self, value: Any) -> Any:
        """Return plain JSON that `Reader.value` reads."""
        kind = type(value)
        if value is None or kind in (bool, float, str):
            return value
        if kind is int:
            return value if -(1 << 53) < value < 1 << 53 else {"t": "int", "v": hex(value)}
        if (yours := self.borrowed(value)) is not None:
            return {"t": "yours", "v": yours}
        if (name := self.desk.names.get(id(value), "")) in self.desk.shared:
            return {"t": "shared", "v": name}
        try:
            if (row := _BY_KIND.get(kind)) is not None:
                return {"t": row.tag, "v": row.write(self, value)}
            return self._other(value, kind)
        except StaysError:
            return {"t": "handle", **self.handle(value)}

    def main_name(self, kind: type) -> str:
        """Return the name under which a class of the instructor's cells is known on both sides, "" for others."""
        return self.known.get(id(kind), "")

    def class_name(self, kind: type) -> str:
        """Return the name of a class that stays here."""
        return self.desk.lend(kind)

    def handle(self, value: Any) -> dict[str, Any]:
        """Return the name of an object that stays here, and that of its class, which is described."""
        return {"h": self.desk.lend(value), "c": describe(self, type(value))}

    def _other(self, value: Any, kind: type) -> Any:
        for name, constant in _CONSTANTS.items():
            if value is constant:
                return {"t": name}
        if isinstance(value, tuple):
            return self._tuple(value, kind)
        if (shared := shared_row(value)) is not None and shared.born:
            return self._shared(value, shared)
        for row, matches in _BY_MATCH:
            if matches(value):
                try:
                    return {"t": row.tag, "v": row.write(self, value)}
                except StaysError:
                    break
        if self.main_name(kind) and by_value(kind):
            return self._shared(value, INSTANCE)
        base = next((base for base in _PLAIN if isinstance(value, base)), None)
        if base is not None:
            extra = self.handle(value) if has_extras(value, kind, base) else {}
            plain = _PLAIN[base](value)
            return {"t": "own", "v": self.value(plain), **extra} if extra else self.value(plain)
        if isinstance(value, BaseException):
            return {"t": "error", **write_error(self, value)}
        if isinstance(value, type):
            where = self.main_name(value)
            return {"t": "class", "v": [value.__module__, value.__qualname__, where], "c": describe(self, value)}
        raise StaysError

    def _tuple(self, value: Any, kind: type) -> Any:
        items = [self.value(item) for item in tuple.__iter__(value)]
        fields = getattr(kind, "_fields", None)
        if kind is tuple:
            return {"t": "tuple", "v": items}
        if self.main_name(kind) and fields:
            return {"t": "row", "v": items, "main": self.main_name(kind)}
        if has_extras(value, kind, tuple):
            return {"t": "own", "v": {"t": "tuple", "v": items}, **self.handle(value)}
        return {"t": "row", "v": items, "c": describe(self, kind)}

    def _shared(self, value: Any, row: SharedRow) -> Any:
        name = self.desk.share(value, row)
        self.objects[name] = None  # a list that holds itself must not be written for ever
        try:
            self.objects[name] = self._content(value, row)
        except StaysError:
            del self.objects[name]
            self.desk.withdraw(name)
            raise
        self.desk.look(name)
        return {"t": "shared", "v": name}

    def _content(self, value: Any, row: SharedRow) -> Any:
        written = [row.tag, row.write(self, value)]
        own = type(value) is not row.kind and isinstance(value, (list, dict, set, bytearray))
        return [*written, self.handle(value)] if own else written


class Reader:
    """Reads what `Writer` wrote, in the examiner's kernel: exact known types, and handles.

    Args:
        desk: The examiner's.
        handle: Makes what stands for an object that stayed with the student: its name and the class that stands for
            the object's.
        local: Makes what stands for a class: the class's name, and how it and others are described.
        main: What the instructor's cells define on both sides, by name.
    """

    def __init__(
        self,
        desk: Desk,
        handle: Callable[..., Any],
        local: Callable[[str, dict[str, Any]], type],
        main: Callable[[str], Any] = lambda name: None,
    ) -> None:
        self.desk, self.handle, self.local, self.main = desk, handle, local, main
        self.classes: dict[str, Any] = {}
        self.depth = 0

    def message(self, body: bytes) -> tuple[Any, dict[str, Any]]:
        """Return the value of a message and the rest of it, after taking over new and changed shared objects.

        Raises:
            WireError: It is not what `Writer` writes.
        """
        try:
            message = json.loads(body)
            objects, changed = dict(message["objects"]), dict(message["changed"])
            self.classes = dict(message.get("classes", {}))
            for name, content in objects.items():
                if name in self.desk.shared or not name.startswith("s"):
                    raise WireError(f"{name} is known")
                self._make_empty(name, content)
            if missing := set(changed) - set(self.desk.rows):
                raise WireError(f"{sorted(missing)} are not known")
            # What cannot be made empty and filled later is made first, parts before the wholes that they were found in.
            both = [*reversed(objects.items()), *changed.items()]
            for name, content in sorted(both, key=lambda one: one[0] in self.desk.shared and one[0] in objects):
                self._fill(name, content)
            for name in (*objects, *changed):
                self.desk.look(name)
            more = {name: self.value(part) for name, part in dict(message.get("more", {})).items()}
            return self.value(message["value"]), more
        except WireError:
            raise
        except Exception as error:  # pandas and NumPy raise many kinds at data that does not fit together
            raise WireError(f"{type(error).__name__}: {error}") from None

    def _make_empty(self, name: str, content: Any) -> None:
        row, data, own = _row_of(content)
        if own is not None:
            made = self._own(row.kind, own)
            made.__init__()
            self.desk.share(made, row, name)
        elif row is INSTANCE and (thing := empty_instance(self, data)) is not None:
            self.desk.share(thing, row, name)
        elif row.empty is not None:
            self.desk.share(row.empty(data), row, name)

    def _fill(self, name: str, content: Any) -> None:
        row, data, _ = _row_of(content)
        known = self.desk.shared.get(name)
        if known is not None and self.desk.rows[name] is not row:
            raise WireError(f"{name} changed its type")
        new = row.read(self, data)
        if known is None:
            if not row.born:
                raise WireError(f"no {row.tag} comes from there")
            self.desk.share(new, row, name)
        else:
            row.renew(known, new)

    def main_class(self, name: str) -> type | None:
        """Return a class of the instructor's cells, by the name that it has on both sides."""
        found = self.main(str(name))
        return found if isinstance(found, type) else None

    def value(self, data: Any) -> Any:
        """Return the value that plain JSON stands for."""
        if data is None or isinstance(data, (bool, int, float, str)):
            return data
        self.depth += 1
        try:
            if self.depth > DEEPEST:
                raise WireError("nested too deeply")
            tag = data["t"]
            if tag in _BY_TAG:
                return _BY_TAG[tag].read(self, data["v"])
            return self._tagged(tag, data)
        finally:
            self.depth -= 1

    def _tagged(self, tag: str, data: dict[str, Any]) -> Any:
        if tag in _CONSTANTS:
            return _CONSTANTS[tag]
        if tag == "int":
            return int(str(data["v"]), 16)
        if tag == "yours":
            return self.desk.lent[data["v"]]
        if tag == "shared":
            return self.desk.shared[data["v"]]
        if tag == "tuple":
            return tuple(self.value(item) for item in data["v"])
        if tag == "row":
            return self._named(data)
        if tag == "own":
            plain = self.value(data["v"])
            if type(plain) not in _PLAIN:
                raise WireError("no subclass of this travels")
            return self._own(type(plain), data, plain)
        if tag == "class":
            return self._class(data)
        if tag == "error":
            return read_error(self, data)
        if tag == "handle":
            return self.handle(str(data["h"]), self.local_class(data["c"]))
        raise WireError(f"unknown: {tag}")

    def local_class(self, name: str) -> type:
        """Return what stands for a class of the student's."""
        return self.local(str(name), self.classes)

    def _class(self, data: dict[str, Any]) -> Any:
        module, qualified, where = data["v"]
        if where and (known := self.main_class(where)) is not None:
            return known
        known = known_class(str(module), str(qualified))
        if known is not None and (known.__module__ == "builtins" or issubclass(known, (np.generic, BaseException))):
            return known  # what a test may call must not be the student's choice
        return self.local_class(data["c"])

    def _named(self, data: dict[str, Any]) -> Any:
        items = tuple(self.value(item) for item in data["v"])
        kind = self.main_class(data["main"]) if "main" in data else self.local_class(data["c"])
        if kind is None or not issubclass(kind, tuple) or len(type.__getattribute__(kind, "_fields")) != len(items):
            raise WireError("no such tuple")
        return tuple.__new__(kind, items)

    def _own(self, base: type, data: dict[str, Any], *content: Any) -> Any:
        kind = self.local_class(data["c"])
        if base not in kind.__mro__:
            raise WireError(f"no {base.__name__}")
        return self.handle(str(data["h"]), kind, base, *content)


def _row_of(content: Any) -> tuple[SharedRow, Any, Any]:
    tag, data, *own = content
    if tag not in SHARED_TAGS:
        raise WireError(f"unknown: {tag}")
    return SHARED_TAGS[tag], data, own[0] if own else None
