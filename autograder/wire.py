"""How values travel between the student's kernel and the examiner's, so that nothing of the student's runs there.

From the student: JSON whose only leaves are plain data (numbers, text, dates, NumPy arrays as `.npy` without pickle,
pandas frames column by column). What is none of these stays where it is, and a handle travels. `Reader` builds exact
built-in types, whatever a class of the student pretended to be. From the examiner: pickle, since the student's side
may trust the examiner's; only what is bound to the examiner's process (functions, classes of a test cell) is a handle.

Lists, dicts, sets, arrays and frames keep their identity on the way there and back, and what one side changes in them
the other sees after the next call, as if both ran in one process. A `Desk` is one side's book of what it shares.
"""

import base64
import collections
import datetime
import decimal
import enum
import fractions
import io
import json
import pathlib
import pickle
import sys
import types
import uuid
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas

pd: Any = pandas  # its overloads want to know types that only run time knows

DEEPEST = 200
"""Nesting at which a value from the student is refused."""
SYNCED = 256
"""How many of the latest shared lists and dicts are looked at again after each call; older ones have settled."""
LONGEST = 2_000
"""A shared list or dict with more entries than this is looked at again only by a call that it is an argument of."""

_TEXTS: dict[str, tuple[type, Callable[[Any], str], Callable[[str], Any]]] = {
    "date": (datetime.date, datetime.date.isoformat, datetime.date.fromisoformat),
    "datetime": (datetime.datetime, datetime.datetime.isoformat, datetime.datetime.fromisoformat),
    "time": (datetime.time, datetime.time.isoformat, datetime.time.fromisoformat),
    "decimal": (decimal.Decimal, str, decimal.Decimal),
    "fraction": (fractions.Fraction, str, fractions.Fraction),
    "uuid": (uuid.UUID, str, uuid.UUID),
    "path": (type(pathlib.Path()), str, pathlib.Path),
    "purepath": (pathlib.PurePosixPath, str, pathlib.PurePosixPath),
    "dtype": (np.dtype, lambda dtype: dtype.str, np.dtype),
    "timestamp": (pd.Timestamp, lambda moment: json.dumps([moment.value, moment.unit, str(moment.tz or "")]), str),
    "timedelta": (pd.Timedelta, lambda span: json.dumps([span.value, span.unit]), str),
}
_CONSTANTS = {"ellipsis": ..., "nat": pd.NaT, "na": pd.NA, "notimplemented": NotImplemented}
_EMPTY: dict[str, Callable[[], Any]] = {"list": list, "dict": dict, "set": set, "bytearray": bytearray}
SHARED = (list, dict, set, bytearray, np.ndarray, pd.DataFrame, pd.Series)


class WireError(Exception):
    """A value that cannot be read."""


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
        self.seen: dict[str, Any] = {}  # what each shared object looked like when both sides agreed
        self.count = 0

    def forget(self) -> None:
        """Drop the shared objects: they are agreed upon within one test cell. What was lent stays lent."""
        self.names = {id(thing): name for name, thing in self.lent.items()}
        self.shared, self.seen = {}, {}

    def lend(self, thing: Any) -> str:
        """Return the name of an object that stays here."""
        name = self.names.get(id(thing)) or self._name(thing)
        self.lent[name] = thing
        return name

    def share(self, thing: Any, name: str = "") -> str:
        """Enter an object that lives on both sides."""
        name = name or self._name(thing)
        self.names[id(thing)] = name
        self.shared[name] = thing
        return name

    def _name(self, thing: Any) -> str:
        self.count += 1
        name = f"{self.side}{self.count}"
        self.names[id(thing)] = name
        return name

    def look(self, name: str) -> None:
        """Remember what a shared object looks like now."""
        self.seen[name] = _look(self.shared[name])

    def touched(self, arguments: set[str]) -> list[str]:
        """Return which shared objects changed since both sides agreed; large ones only if they are `arguments`."""
        latest = list(self.shared)[-SYNCED:]
        names = [name for name in latest if _small(self.shared[name])] + sorted(arguments.intersection(self.shared))
        changed = []
        for name in dict.fromkeys(names):
            look = _look(self.shared[name])
            if look != self.seen.get(name):
                changed.append(name)
                self.seen[name] = look
        return changed


def _small(thing: Any) -> bool:
    return isinstance(thing, (list, dict, set, bytearray)) and len(thing) <= LONGEST


def _mark(item: Any) -> Any:
    """Return what tells whether an entry is still the same: its value if it cannot change, else its identity."""
    return (type(item), item) if type(item) in (int, float, str, bool, bytes, type(None)) else id(item)


def _look(thing: Any) -> Any:
    """Return something that differs if the object's own content does (not that of objects within it)."""
    if isinstance(thing, np.ndarray):
        if thing.dtype.hasobject:
            parts = thing.ravel().tolist()
            try:
                return thing.shape, hash(tuple(parts)), hash(tuple(map(type, parts)))
            except TypeError:  # a list among them
                return thing.shape, tuple(map(_mark, parts))
        return thing.shape, thing.dtype.str, hash(thing.tobytes())
    if isinstance(thing, pd.DataFrame):
        columns = [_look(np.asarray(thing.iloc[:, at])) for at in range(thing.shape[1])]
        return tuple(map(str, thing.columns)), _look(np.asarray(thing.index)), tuple(columns)
    if isinstance(thing, pd.Series):
        return thing.name, _look(np.asarray(thing.index)), _look(np.asarray(thing))
    if isinstance(thing, dict):
        return tuple((_mark(key), _mark(value)) for key, value in dict.items(thing))
    if isinstance(thing, set):
        return frozenset(map(_mark, set.__iter__(thing)))
    if isinstance(thing, bytearray):
        return bytes(thing)
    if isinstance(thing, list):
        return tuple(map(_mark, list.__iter__(thing)))
    return id(thing)  # what stands for one that could not travel


def _is_table(thing: Any) -> bool:
    """Whether there is nothing but numbers and strings in an array or a frame, which are then packed in one go."""
    if isinstance(thing, np.ndarray):
        return not thing.dtype.hasobject or set(map(type, thing.ravel().tolist())) <= set(SIMPLE)
    if isinstance(thing, pd.DataFrame):
        parts = [thing.index, thing.columns, *(thing.iloc[:, at] for at in range(thing.shape[1]))]
    elif isinstance(thing, pd.Series):
        parts = [thing.index, thing]
    else:
        return False
    known = all(type(part.dtype).__module__.startswith("numpy") and type(part.name) in SIMPLE for part in parts)
    return not thing.attrs and known and all(_is_table(np.asarray(part)) for part in parts)


def renew(thing: Any, new: Any) -> None:
    """Give a shared object the content of `new`, in place."""
    if isinstance(thing, (list, bytearray)):
        thing[:] = new
    elif isinstance(thing, (dict, set)):
        thing.clear()
        thing.update(new)
    elif isinstance(thing, np.ndarray):
        if thing.shape == new.shape and thing.dtype == new.dtype and thing.flags.writeable:
            thing[...] = new
    elif type(thing) is type(new):
        thing._update_inplace(new)


# From the student ------------------------------------------------------------------------------------------------


class Writer:
    """Writes values of the student's kernel as JSON. `describe` says what a handle is: its class and whether it calls.

    Nothing here protects anything: it runs in the student's process. `Reader` does.
    """

    def __init__(self, desk: Desk, borrowed: Callable[[Any], str | None]) -> None:
        self.desk, self.borrowed = desk, borrowed
        self.objects: dict[str, Any] = {}

    def message(self, value: Any, arguments: set[str], **more: Any) -> bytes:
        """Return a whole message: the value, shared objects that are new, and those that changed."""
        self.objects = {}
        encoded = self.value(value)
        changed: dict[str, Any] = {}
        for name in self.desk.touched(arguments):
            if name not in self.objects:
                changed[name] = self._content(self.desk.shared[name])
        return json.dumps({"value": encoded, "objects": self.objects, "changed": changed, **more}).encode()

    def value(self, value: Any) -> Any:
        """Return plain JSON that `Reader.value` reads."""
        kind = type(value)
        if value is None or kind in (bool, float, str):
            return value
        if kind is int:
            return value if -(1 << 53) < value < 1 << 53 else {"t": "int", "v": hex(value)}
        for name, constant in _CONSTANTS.items():
            if value is constant:
                return {"t": name}
        if (yours := self.borrowed(value)) is not None:
            return {"t": "yours", "v": yours}
        if isinstance(value, SHARED) and (name := self.desk.names.get(id(value), "")) in self.desk.shared:
            return {"t": "shared", "v": name}
        for name, (text_type, write, _) in _TEXTS.items():
            if kind is text_type or (name == "dtype" and isinstance(value, np.dtype) and not value.hasobject):
                return {"t": name, "v": write(value)}
        return self._compound(value, kind)

    def _compound(self, value: Any, kind: type) -> Any:
        if isinstance(value, enum.Enum):
            return {"t": "enum", "c": [kind.__module__, kind.__qualname__], "v": value.name, **self._handle(value)}
        if isinstance(value, np.generic) and not value.dtype.hasobject:
            return {"t": "npscalar", "v": _npy(np.asarray(value))}
        if isinstance(value, tuple):
            items = [self.value(item) for item in tuple.__iter__(value)]
            fields = getattr(kind, "_fields", None)
            return {"t": "tuple", "v": items, **({"n": [kind.__name__, list(fields)]} if fields else {})}
        if isinstance(value, frozenset):
            return {"t": "frozenset", "v": [self.value(item) for item in frozenset.__iter__(value)]}
        if isinstance(value, SHARED):
            name = self.desk.share(value)
            self.objects[name] = None  # a list that holds itself must not be written for ever
            self.objects[name] = self._content(value)
            self.desk.look(name)
            return {"t": "shared", "v": name}
        if isinstance(value, bytes):
            return {"t": "bytes", "v": base64.b64encode(value).decode()}
        if kind is complex:
            return {"t": "complex", "v": [value.real, value.imag]}
        if kind is datetime.timedelta:
            return {"t": "span", "v": [value.days, value.seconds, value.microseconds]}
        if kind in (range, slice):
            return {"t": kind.__name__, "v": [self.value(part) for part in (value.start, value.stop, value.step)]}
        if isinstance(value, (int, float, str)):  # of a class of its own: its plain value
            base = next(base for base in (int, float, str) if isinstance(value, base))
            to_plain: dict[type, Callable[[Any], Any]] = {int: int.__int__, float: float.__float__, str: str.__str__}
            plain = to_plain[base](value)
            return self.value(plain) if type(plain) is base else {"t": "text", "v": repr(plain)}
        if isinstance(value, pd.Index):
            return self._index(value)
        if isinstance(value, pd.api.extensions.ExtensionArray):
            return {"t": "extension", "d": str(value.dtype), "v": [self.value(item) for item in value]}
        if isinstance(value, type):
            return {"t": "class", "v": [value.__module__, value.__qualname__], **self._handle(value)}
        return {"t": "handle", **self._handle(value)}

    def _handle(self, value: Any) -> dict[str, Any]:
        kind = type(value)
        bases = [[base.__module__, base.__qualname__] for base in kind.__mro__[:-1] or kind.__mro__]
        return {"h": self.desk.lend(value), "b": bases, "calls": callable(value)}

    def _content(self, value: Any) -> Any:
        if isinstance(value, list):
            return ["list", [self.value(item) for item in list.__iter__(value)]]
        if isinstance(value, dict):
            return ["dict", [[self.value(key), self.value(item)] for key, item in dict.items(value)]]
        if isinstance(value, set):
            return ["set", [self.value(item) for item in set.__iter__(value)]]
        if isinstance(value, bytearray):
            return ["bytearray", base64.b64encode(value).decode()]
        if isinstance(value, pd.DataFrame):
            columns = [self._column(value.iloc[:, at]) for at in range(value.shape[1])]
            return ["frame", self._index(value.index), self._index(value.columns), columns]
        if isinstance(value, pd.Series):
            return ["series", self._index(value.index), self.value(value.name), self._column(value)]
        return ["array", self._array(value)]

    def _array(self, value: Any) -> Any:
        plain = np.asarray(value)
        if plain.dtype.hasobject:
            return {"shape": list(plain.shape), "v": [self.value(item) for item in plain.ravel().tolist()]}
        return _npy(plain)

    def _column(self, value: Any) -> Any:
        if isinstance(value.dtype, pd.CategoricalDtype):
            codes = _npy(np.asarray(value.cat.codes))
            return {"codes": codes, "c": self._index(value.cat.categories), "o": bool(value.cat.ordered)}
        if isinstance(value.dtype, pd.api.extensions.ExtensionDtype):
            return {"d": str(value.dtype), "v": [self.value(item) for item in value.array]}
        return self._array(value)

    def _index(self, value: Any) -> Any:
        if isinstance(value, pd.RangeIndex):
            return {"t": "rangeindex", "v": [value.start, value.stop, value.step], "n": self.value(value.name)}
        if isinstance(value, pd.MultiIndex):
            levels = [self._column(value.get_level_values(at).to_series()) for at in range(value.nlevels)]
            return {"t": "multiindex", "v": levels, "n": [self.value(name) for name in value.names]}
        return {"t": "index", "v": self._column(value.to_series()), "n": self.value(value.name)}


def _npy(array: Any) -> str:
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=False)
    return base64.b64encode(stream.getvalue()).decode()


class Reader:
    """Reads what `Writer` wrote, in the examiner's kernel: exact built-in types, known classes and handles only.

    Args:
        desk: The examiner's.
        handle: Makes what stands for an object that stayed with the student: name, classes, whether it can be called.
    """

    def __init__(self, desk: Desk, handle: Callable[[str, list[list[str]], bool], Any]) -> None:
        self.desk, self.handle = desk, handle
        self.depth = 0

    def message(self, body: bytes) -> tuple[Any, dict[str, Any]]:
        """Return the value of a message and the rest of it, after taking over new and changed shared objects.

        Raises:
            WireError: It is not what `Writer` writes.
        """
        try:
            message = json.loads(body)
            objects, changed = dict(message["objects"]), dict(message["changed"])
            for name, content in objects.items():
                if name in self.desk.shared or not name.startswith("s"):
                    raise WireError(f"{name} is known")
                if content[0] in _EMPTY:
                    self.desk.share(_EMPTY[content[0]](), name)
            if missing := set(changed) - set(self.desk.shared):
                raise WireError(f"{sorted(missing)} are not known")
            # What cannot be made empty and filled later is made first, parts before the wholes that they were found in.
            both = [*reversed(objects.items()), *changed.items()]
            for name, content in sorted(both, key=lambda one: one[1][0] in _EMPTY):
                self._fill(name, content)
            for name in (*objects, *changed):
                self.desk.look(name)
            return self.value(message["value"]), message
        except WireError:
            raise
        except (KeyError, TypeError, ValueError, RecursionError, AttributeError, IndexError, OverflowError) as error:
            raise WireError(f"{type(error).__name__}: {error}") from None
        except Exception as error:  # pandas and NumPy raise many kinds at data that does not fit together
            raise WireError(f"{type(error).__name__}: {error}") from None

    def _fill(self, name: str, content: Any) -> None:
        new = self._content(content)
        if name not in self.desk.shared:
            self.desk.share(new, name)
        elif type(new) is type(self.desk.shared[name]):
            renew(self.desk.shared[name], new)
        else:
            raise WireError(f"{name} changed its type")

    def value(self, data: Any) -> Any:
        """Return the value that plain JSON stands for."""
        if data is None or isinstance(data, (bool, int, float, str)):
            return data
        self.depth += 1
        try:
            if self.depth > DEEPEST:
                raise WireError("nested too deeply")
            return self._tagged(data["t"], data)
        finally:
            self.depth -= 1

    def _tagged(self, tag: str, data: dict[str, Any]) -> Any:
        if tag in _CONSTANTS:
            return _CONSTANTS[tag]
        if tag == "timestamp":
            moment, unit, zone = json.loads(data["v"])
            return pd.Timestamp(moment, unit="ns").as_unit(unit).tz_localize("UTC" if zone else None).tz_convert(zone) \
                if zone else pd.Timestamp(moment, unit="ns").as_unit(unit)  # fmt: skip
        if tag == "timedelta":
            span, unit = json.loads(data["v"])
            return pd.Timedelta(span, unit="ns").as_unit(unit)
        if tag in _TEXTS:
            return _TEXTS[tag][2](str(data["v"]))
        if tag == "int":
            return int(str(data["v"]), 16)
        if tag == "text":
            return str(data["v"])
        if tag == "yours":
            return self.desk.lent[data["v"]]
        if tag == "shared":
            return self.desk.shared[data["v"]]
        if tag == "tuple":
            items = tuple(self.value(item) for item in data["v"])
            if "n" in data:
                name, fields = data["n"]
                return collections.namedtuple(name, fields)(*items)
            return items
        if tag == "frozenset":
            return frozenset(self.value(item) for item in data["v"])
        if tag == "bytes":
            return base64.b64decode(data["v"])
        if tag == "npscalar":
            return _array_of(data["v"])[()]
        if tag == "complex":
            return complex(*data["v"])
        if tag == "span":
            return datetime.timedelta(*data["v"])
        if tag in ("range", "slice"):
            return {"range": range, "slice": slice}[tag](*(self.value(part) for part in data["v"]))
        if tag in ("index", "rangeindex", "multiindex"):
            return self._index(data)
        if tag == "extension":
            return pd.array([self.value(item) for item in data["v"]], dtype=str(data["d"]))
        if tag == "class":
            known = known_class(*data["v"])
            harmless = known is not None and (known.__module__ == "builtins" or issubclass(known, np.generic))
            return known if harmless else self._handle(data)  # what a test may call must not be the student's choice
        if tag == "enum":
            known = known_class(*data["c"])
            is_enum = known is not None and issubclass(known, enum.Enum)
            return known[data["v"]] if is_enum and known else self._handle(data)  # type: ignore[index]
        if tag == "handle":
            return self._handle(data)
        raise WireError(f"unknown: {tag}")

    def _handle(self, data: dict[str, Any]) -> Any:
        return self.handle(str(data["h"]), [[str(a), str(b)] for a, b in data["b"]], bool(data["calls"]))

    def _content(self, content: Any) -> Any:
        kind, *parts = content
        if kind == "list":
            return [self.value(item) for item in parts[0]]
        if kind == "dict":
            return {self.value(key): self.value(item) for key, item in parts[0]}
        if kind == "set":
            return {self.value(item) for item in parts[0]}
        if kind == "bytearray":
            return bytearray(base64.b64decode(parts[0]))
        if kind == "frame":
            index, columns = self._index(parts[0]), self._index(parts[1])
            data = {at: pd.Series(self._column(column), index=index) for at, column in enumerate(parts[2])}
            frame = pd.DataFrame(data, index=index)
            frame.columns = columns
            return frame
        if kind == "series":
            return pd.Series(self._column(parts[2]), index=self._index(parts[0]), name=self.value(parts[1]))
        if kind == "array":
            return self._array(parts[0])
        raise WireError(f"unknown: {kind}")

    def _array(self, data: Any) -> Any:
        if isinstance(data, str):
            return _array_of(data)
        array = np.empty(int(np.prod(data["shape"], dtype=int)), dtype=object)
        for at, item in enumerate(data["v"]):
            array[at] = self.value(item)
        return array.reshape([int(length) for length in data["shape"]])

    def _column(self, data: Any) -> Any:
        if isinstance(data, dict) and "codes" in data:
            categories = self._index(data["c"])
            return pd.Categorical.from_codes(_array_of(data["codes"]), categories=categories, ordered=data["o"])
        if isinstance(data, dict) and "d" in data:
            return pd.array([self.value(item) for item in data["v"]], dtype=str(data["d"]))
        return self._array(data)

    def _index(self, data: Any) -> Any:
        if data["t"] == "rangeindex":
            return pd.RangeIndex(*(int(part) for part in data["v"]), name=self.value(data["n"]))
        if data["t"] == "multiindex":
            names = [self.value(name) for name in data["n"]]
            return pd.MultiIndex.from_arrays([self._column(level) for level in data["v"]], names=names)
        return pd.Index(self._column(data["v"]), name=self.value(data["n"]))


def _array_of(text: str) -> Any:
    array = np.load(io.BytesIO(base64.b64decode(text)), allow_pickle=False)
    return array


def known_class(module: str, name: str) -> type | None:
    """Return a class that this process has imported already, by name; never one of `__main__`."""
    found: Any = sys.modules.get(module) if module != "__main__" else None
    for part in name.split("."):
        found = getattr(found, part, None)
    return found if isinstance(found, type) else None


# From the examiner -----------------------------------------------------------------------------------------------

_BOUND = (types.FunctionType, types.MethodType, types.GeneratorType, type, BaseException)
SIMPLE = (int, float, str, bool, type(None))


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

    What was made in a test cell, or cannot be pickled, stays, and its name travels; a handle of the student's goes
    home as the object that it stands for. Instances of library classes travel as copies.

    Args:
        desk: The examiner's.
        own: Returns the student's name of a handle, None for anything else.
        known: Names of the classes that the instructor's own cells define on both sides, by `id`.
    """

    def __init__(self, desk: Desk, own: Callable[[Any], str | None], known: dict[int, str]) -> None:
        self.desk, self.own, self.known = desk, own, known
        self.objects: dict[str, bytes] = {}

    def message(self, parts: tuple[Any, ...], arguments: set[str]) -> bytes:
        """Return a whole message: the parts, shared objects that are new, and those that changed."""
        self.objects = {}
        packed = [self._dump(part) for part in parts]
        for name in self.objects:
            self.desk.look(name)
        names = [name for name in self.desk.touched(arguments) if name not in self.objects]
        changed = {name: self._content(self.desk.shared[name]) for name in names}
        return pickle.dumps((packed, self.objects, changed))

    def _dump(self, thing: Any, whole: bool = False) -> bytes:
        """Pickle a thing; `whole`: it is itself the shared object whose content is wanted."""
        fresh: dict[str, Any] = {}

        def token(part: Any) -> Any:
            kind = type(part)
            if kind in SIMPLE or kind in (tuple, bytes) or (whole and part is thing):
                return None
            if (name := self.own(part)) is not None:
                return ("own", name)
            if id(part) in self.known:
                return ("main", self.known[id(part)])
            if kind in SHARED and not whole:  # a frame's own arrays belong to it
                name = self.desk.names.get(id(part), "")
                if name not in self.desk.shared:
                    name = self.desk.share(part)
                    fresh[name] = part
                return ("shared", name)
            made_here = kind.__module__ == "__main__" or (
                isinstance(part, _BOUND) and getattr(part, "__module__", "__main__") == "__main__"
            )
            return self._lent(part) if made_here else None

        stream = io.BytesIO()
        try:
            _Packer(stream, token).dump(thing)
        except (pickle.PickleError, TypeError, AttributeError, ValueError, NotImplementedError, RecursionError):
            stream = io.BytesIO()
            _Packer(stream, lambda part: self._lent(thing) if part is thing else None).dump(thing)
            return stream.getvalue()
        for name, part in fresh.items():
            self.objects[name] = b""  # before its content: it may hold itself
            self.objects[name] = self._content(part)
        return stream.getvalue()

    def _lent(self, thing: Any) -> Any:
        about = {key: text for key in ("__name__", "__doc__") if isinstance(text := getattr(thing, key, None), str)}
        return ("lent", self.desk.lend(thing), callable(thing), self.known.get(id(type(thing)), ""), about)

    def _content(self, thing: Any) -> bytes:
        """Pack what is in a shared object; parts one by one, so that one that cannot be pickled costs itself alone."""
        kind = type(thing).__name__
        if isinstance(thing, dict):
            return pickle.dumps((kind, [(self._dump(key), self._dump(item)) for key, item in thing.items()]))
        if isinstance(thing, (list, set)):
            if all(type(item) in SIMPLE for item in thing):
                return pickle.dumps(("plain", thing))
            return pickle.dumps((kind, [self._dump(item) for item in thing]))
        packed = pickle.dumps(thing, protocol=5) if _is_table(thing) else self._dump(thing, whole=True)
        return pickle.dumps(("other", packed))


class Unpacking:
    """Reads messages of the examiner, in the student's kernel.

    Args:
        desk: The student's.
        borrow: Makes what stands for an object that stayed with the examiner.
        main: The student's own names.
    """

    def __init__(self, desk: Desk, borrow: Callable[..., Any], main: dict[str, Any]) -> None:
        self.desk, self.borrow, self.main = desk, borrow, main

    def message(self, body: bytes) -> list[Any]:
        """Return the parts of a message, after taking over new and changed shared objects."""
        packed, objects, changed = pickle.loads(body)  # noqa: S301  # the examiner is trusted here
        contents = {name: pickle.loads(content) for name, content in {**objects, **changed}.items()}  # noqa: S301
        for name, (kind, content) in contents.items():
            if name not in self.desk.shared and kind != "other":
                self.desk.share(type(content)() if kind == "plain" else _EMPTY[kind](), name)
        late_first = list(contents.items())
        late_first.reverse()
        for name, (kind, content) in sorted(late_first, key=lambda one: one[1][0] != "other"):
            new = self._content(kind, content)
            if name in self.desk.shared:
                renew(self.desk.shared[name], new)
            else:
                self.desk.share(new, name)
        for name in contents:
            self.desk.look(name)
        return [self._load(part) for part in packed]

    def _content(self, kind: str, content: Any) -> Any:
        if kind == "plain":
            return content
        if kind == "dict":
            return {self._load(key): self._load(item) for key, item in content}
        if kind in ("list", "set"):
            return _EMPTY[kind]().__class__([self._load(item) for item in content])
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
        return self.borrow(name, *about)
