"""How values travel from the examiner's kernel to the student's: by pickle, which the student's side may trust.

What was made in a test cell, or cannot be pickled, stays, and its name travels; a handle of the student's goes home as
the object that it stands for. What is shared (`desk`) travels once and is kept alike on both sides; what else is an
object of a library travels as a copy.
"""

import io
import pickle
import types
from collections.abc import Callable
from typing import Any

from autograder.values.classes import describe
from autograder.values.desk import SHARED, SHARED_TAGS, Desk
from autograder.values.objects import OBJECT, is_object
from autograder.values.proxies import RemoteClass
from autograder.values.rows import SIMPLE, SharedRow
from autograder.values.tables import is_table

_BOUND = (types.FunctionType, types.MethodType, types.GeneratorType, type, BaseException)
_PAIRS = ("dict", "ordered", "counter", "default")
_ITEMS = ("list", "set", "deque")


def _stays(part: Any, kind: type) -> bool:
    """Whether an object stays: one of the test's own, one that is used up as it is read, and what belongs to these."""
    if isinstance(part, (types.BuiltinMethodType, types.MethodWrapperType)):
        return not isinstance(part.__self__, (types.ModuleType, type, type(None)))
    if isinstance(part, _BOUND) and getattr(part, "__module__", "__main__") == "__main__":
        return True
    return kind.__module__ == "__main__" or hasattr(kind, "__next__")


class _Packer(pickle.Pickler):
    """Pickles a value of the examiner's kernel; what stays there, and what is shared, goes as a token."""

    def __init__(self, stream: io.BytesIO, token: Callable[[Any], Any]) -> None:
        super().__init__(stream, protocol=5)
        self.token = token

    def persistent_id(self, thing: Any) -> Any:
        """Return a token, None for what travels by value (pickle asks for every object)."""
        return self.token(thing)


class _Unpacker(pickle.Unpickler):
    """Reads what `_Packer` wrote."""

    def __init__(self, stream: io.BytesIO, token: Callable[[Any], Any]) -> None:
        super().__init__(stream)
        self.token = token

    def persistent_load(self, pid: Any) -> Any:
        """Return what a token stands for."""
        return self.token(pid)


class Packing:
    """Writes messages of the examiner's kernel.

    Args:
        desk: The examiner's.
        own: Returns the student's name of a handle, None for anything else.
        known: Names of the classes that the instructor's own cells define on both sides, by `id`.
    """

    def __init__(self, desk: Desk, own: Callable[[Any], str | None], known: dict[int, str]) -> None:
        self.desk, self.own, self.known = desk, own, known
        self.objects: dict[str, bytes] = {}
        self.classes: dict[str, Any] = {}
        self.kinds: dict[str, type] = {}  # kept: a class's name is that of its id

    def message(self, parts: tuple[Any, ...], arguments: set[str]) -> bytes:
        """Return a whole message: the parts, shared objects that are new, and those that changed."""
        self.objects, self.classes = {}, {}
        packed = [self._dump(part) for part in parts]
        for name in self.objects:
            self.desk.look(name)
        names = [name for name in self.desk.touched(arguments) if name not in self.objects]
        changed = {name: self._content(self.desk.shared[name], self.desk.rows[name]) for name in names}
        return pickle.dumps((packed, self.objects, changed))

    def main_name(self, kind: type) -> str:
        """Return the name under which a class of the instructor's cells is known on both sides, "" for others."""
        return self.known.get(id(kind), "")

    def class_name(self, kind: type) -> str:
        """Return a name for a class, by which nothing can be asked of it unless it was handed over itself."""
        name = self.desk.names.get(id(kind)) or self.desk.name(kind)
        self.kinds[name] = kind
        return name

    def _dump(self, thing: Any, whole: bool = False) -> bytes:
        """Pickle a thing; `whole`: it is itself the shared object whose content is wanted."""
        fresh: dict[str, tuple[Any, SharedRow]] = {}

        def token(part: Any) -> Any:
            kind = type(part)
            if kind in SIMPLE or kind in (tuple, bytes) or (whole and part is thing):
                return None
            if (name := self.own(part)) is not None and self.desk.names.get(id(part)) not in self.desk.shared:
                return ("own", name)
            if (row := self._row(part, kind, whole)) is not None:  # a frame's own arrays belong to it
                name = self.desk.names.get(id(part), "")
                if name not in self.desk.shared:
                    name = self.desk.share(part, row)
                    fresh[name] = part, row
                return ("shared", name)
            if id(part) in self.known:
                return ("main", self.known[id(part)])
            return self._lent(part) if _stays(part, kind) else None

        stream = io.BytesIO()
        try:
            _Packer(stream, token).dump(thing)
        except (pickle.PickleError, TypeError, AttributeError, ValueError, NotImplementedError, RecursionError):
            for name in fresh:
                self.desk.withdraw(name)
            stream = io.BytesIO()
            _Packer(stream, lambda part: self._lent(thing) if part is thing else None).dump(thing)
            return stream.getvalue()
        for name, (part, row) in fresh.items():
            self.objects[name] = b""  # before its content: it may hold itself
            self.objects[name] = self._first(part, row)
        return stream.getvalue()

    def _row(self, part: Any, kind: type, whole: bool) -> SharedRow | None:
        if self.desk.names.get(id(part)) in self.desk.rows:
            return self.desk.rows[self.desk.names[id(part)]]
        if whole:
            return None
        if kind in SHARED:
            return SHARED[kind]
        return OBJECT if is_object(part) else None

    def _lent(self, thing: Any) -> Any:
        about = {
            key: text
            for key in ("__name__", "__qualname__", "__doc__")
            if isinstance(text := getattr(thing, key, None), str)
        }
        if isinstance(thing, type):
            name = self.desk.lend(thing)
            describe(self, thing)
            return ("class", name, self._described(), about)
        name = self.desk.lend(thing)
        return ("lent", name, describe(self, type(thing)), self._described(), about)

    def _described(self) -> dict[str, Any]:
        """Return the descriptions of classes whose objects stay whole, whatever built-in type they are also of."""
        made, self.classes = self.classes, {}
        return {name: told | {"base": ""} for name, told in made.items()}

    def _first(self, thing: Any, row: SharedRow) -> bytes:
        """Pack a new shared object: what the instructor's cells made is there already."""
        where = self.known.get(id(thing))
        return pickle.dumps(("main", row.tag, where)) if where else self._content(thing, row)

    def _content(self, thing: Any, row: SharedRow) -> bytes:
        """Pack what is in a shared object; parts one by one, so that one that cannot be pickled costs itself alone."""
        if isinstance(type(thing), RemoteClass):  # of a class of the student's, which has the object itself
            thing = row.kind(thing)
        if row.tag in _PAIRS:
            more = self._dump(thing.default_factory) if row.tag == "default" else None
            pairs = [(self._dump(key), self._dump(item)) for key, item in thing.items()]
            return pickle.dumps(("pairs", row.tag, (pairs, more)))
        if row.tag in ("list", "set") and all(type(item) in SIMPLE for item in thing):
            return pickle.dumps(("plain", row.tag, thing))
        if row.tag in _ITEMS:
            most = thing.maxlen if row.tag == "deque" else None
            return pickle.dumps(("items", row.tag, ([self._dump(item) for item in thing], most)))
        packed = pickle.dumps(thing, protocol=5) if is_table(thing) else self._dump(thing, whole=True)
        return pickle.dumps(("other", row.tag, packed))


class Unpacking:
    """Reads messages of the examiner, in the student's kernel.

    Args:
        desk: The student's.
        borrow: Makes what stands for an object, or a class, that stayed with the examiner.
        main: The student's own names.
    """

    def __init__(self, desk: Desk, borrow: Callable[..., Any], main: dict[str, Any]) -> None:
        self.desk, self.borrow, self.main = desk, borrow, main

    def message(self, body: bytes) -> list[Any]:
        """Return the parts of a message, after taking over new and changed shared objects."""
        packed, objects, changed = pickle.loads(body)  # noqa: S301  # the examiner is trusted here
        contents = {name: pickle.loads(content) for name, content in {**objects, **changed}.items()}  # noqa: S301
        for name, (how, tag, content) in contents.items():
            if name in self.desk.shared:
                continue
            row = SHARED_TAGS[tag]
            if how == "main":
                self.desk.share(self.main[content], row, name)
            elif how != "other" and row.empty is not None:
                self.desk.share(row.empty([content[1]] if tag == "deque" else None), row, name)
        late_first = list(contents.items())
        late_first.reverse()
        for name, (how, tag, content) in sorted(late_first, key=lambda one: one[1][0] != "other"):
            if how != "main":
                self._take(name, SHARED_TAGS[tag], self._content(how, tag, content))
        for name in contents:
            self.desk.look(name)
        return [self._load(part) for part in packed]

    def _take(self, name: str, row: SharedRow, new: Any) -> None:
        far = isinstance(type(new), RemoteClass)  # what could not travel is used from there
        if name not in self.desk.shared:
            self.desk.share(new, None if far else row, name)
        elif name in self.desk.rows and not far:
            row.renew(self.desk.shared[name], new)

    def _content(self, how: str, tag: str, content: Any) -> Any:
        if how == "plain":
            return content
        if how == "pairs":
            pairs, more = content
            made = {self._load(key): self._load(item) for key, item in pairs}
            kind: Any = SHARED_TAGS[tag].kind
            return kind(self._load(more), made) if tag == "default" else kind(made)
        if how == "items":
            items, most = content
            made_of = [self._load(item) for item in items]
            kind = SHARED_TAGS[tag].kind
            return kind(made_of, most) if tag == "deque" else kind(made_of)
        return self._load(content)

    def _load(self, packed: bytes) -> Any:
        return _Unpacker(io.BytesIO(packed), self._token).load()

    def _token(self, token: Any) -> Any:
        kind, name, *about = token
        if kind == "own":
            return self.desk.lent[name]
        if kind == "main":
            return self.main[name]
        if kind == "shared":
            return self.desk.shared[name]
        return self.borrow(kind, name, *about)
