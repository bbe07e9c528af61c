"""The classes of what stands for objects of the other kernel, made of what that kernel tells of the real ones."""

import collections
import dataclasses
import datetime
import decimal
import fractions
import types
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas

from autograder.values.classes import SPECIALS
from autograder.values.proxies import METHODS, POINTERS, Remote, RemoteClass, as_array, do, link_and_name, name_of
from autograder.values.raised import StudentExitError
from autograder.values.rows import WireError
from autograder.values.scalars import known_class

_DATA = (
    int, float, complex, str, bytes, bytearray, tuple, list, dict, set, frozenset, range, slice, memoryview, np.ndarray,
    np.generic, np.dtype, pandas.DataFrame, pandas.Series, pandas.Index, pandas.api.extensions.ExtensionArray,
    datetime.date, datetime.time, datetime.timedelta, decimal.Decimal, fractions.Fraction,
)  # fmt: skip
"""Whatever is one of these came as data: nothing else may pass for it."""
_FUNCTIONS: dict[str, type] = {
    str(kind.__name__): kind
    for kind in (types.FunctionType, types.MethodType, types.BuiltinFunctionType, types.GeneratorType,
                 types.CoroutineType, types.AsyncGeneratorType, types.ModuleType, types.CodeType)
}  # fmt: skip
_BASES: dict[str, type] = {
    kind.__name__: kind
    for kind in (collections.Counter, collections.OrderedDict, collections.defaultdict, list, dict, set, bytearray,
                 tuple, str, bytes, int, float, frozenset)
}  # fmt: skip


def make_class(link: Any, name: str, descriptions: dict[str, Any]) -> type:
    """Make what stands for a class, or return a class that is known here and is meant.

    Args:
        link: Where to ask.
        name: That of the class over there.
        descriptions: What is told of it and of its bases, by name.
    """
    told = descriptions[name]
    kinds = [link.main_class(where) if module == ":main" else _known(str(module), str(where))
             for module, where in told["mro"]]  # fmt: skip
    if not kinds:
        raise WireError("a handle of no class")
    raised = next((kind for kind in kinds if kind and issubclass(kind, BaseException)), None)
    if raised is not None:
        return _exception_class(link, name, told, kinds[0], raised, descriptions)
    base = _BASES.get(str(told["base"]))
    kind = next((kind for kind in kinds if kind is not None), None)
    if kind is not None and issubclass(kind, _DATA) and (base is None or not issubclass(kind, base)):
        kind = None
    if base is not None:
        return _data_class(link, name, told, base, kind)
    specials = SPECIALS.intersection(map(str, told["specials"]))
    space = {act: METHODS[act] for act in specials if act in METHODS}
    if told["unhashable"]:
        space["__hash__"] = None  # type: ignore[assignment]
    elif "__eq__" in space:
        space.setdefault("__hash__", object.__hash__)
    if not {"__array__"} & specials and {"__len__", "__getitem__"} <= specials:
        space["__array__"] = as_array
    if "data" in told:
        fields: Any = dataclasses.make_dataclass("_", [str(field) for field in told["data"]])
        space["__dataclass_fields__"] = fields.__dataclass_fields__
    above = tuple(one for one in (link.local_class(str(base), descriptions) for base in told["bases"])
                  if issubclass(one, Remote))  # fmt: skip
    return _made(link, name, told, above or (Remote,), {"__slots__": (), **space}, kind, specials)


def _known(module: str, name: str) -> type | None:
    return _FUNCTIONS.get(name) if module == "builtins" and name in _FUNCTIONS else known_class(module, name)


def _made(
    link: Any, name: str, told: Any, bases: tuple[type, ...], space: Any, kind: type | None, specials: frozenset[str]
) -> type:
    meta: type = type(bases[0]) if issubclass(type(bases[0]), RemoteClass) else RemoteClass
    if extra := SPECIALS.intersection(map(str, told["meta"])):
        methods = {act: _of_meta(act) for act in extra if act in METHODS and act not in ("__hash__", "__call__")}
        meta = type("RemoteClass", (meta,), methods)
    module, where = told["mro"][0]
    space |= {"_class_link": link, "_class_name": name, "_kind": kind, "_specials": specials, "__module__": str(module)}
    made: type = meta(str(where).rpartition(".")[2], bases, space)
    return made


def _of_meta(act: str) -> Callable[..., Any]:
    method = METHODS[act]
    return lambda cls, *args: method(cls, *args)


def _data_class(link: Any, name: str, told: Any, base: type, kind: type | None) -> type:
    """Make a class whose objects are plain data, which is here, and have attributes, which are asked over there."""
    space: dict[str, Any] = {"__getattr__": _far_getattr, "__setattr__": _far_setattr}
    for over in map(str, told["over"]):
        if over in METHODS or not over.startswith("__"):
            space[over] = METHODS[over] if over in METHODS else property(_far_getter(over))
    if kind is not None:
        space["__class__"] = property(lambda self: kind)
    if base is tuple and "fields" in told:
        make: Any = collections.namedtuple
        base = make("_Fields", [str(field) for field in told["fields"]], rename=True)
    return _made(link, name, told, (base,), space, kind, frozenset())


def _far_getattr(self: Any, name: str) -> Any:
    link, there = link_and_name(self)
    if there is None or name.startswith(POINTERS):
        raise AttributeError(f"{name_of(type(self))!r} object has no attribute {name!r}")
    return link.ask("getattr", there, (name,), {})


def _far_setattr(self: Any, name: str, value: Any) -> None:
    do(self, "setattr", name, value)


def _far_getter(name: str) -> Callable[[Any], Any]:
    return lambda self: _far_getattr(self, name)


def _exception_class(
    link: Any, name: str, told: Any, first: type | None, raised: type, descriptions: dict[str, Any]
) -> type:
    """Make a class that can be caught; Python's own are themselves, and none ends the test."""
    if not issubclass(raised, Exception):
        raised = StudentExitError
    elif first is not None and first.__module__ == "builtins":
        return first  # Python's own
    own = (link.local_class(str(base), descriptions) for base in told["bases"])
    above = tuple(one for one in own if issubclass(one, raised))
    space = {"__init__": _take_all, "__str__": _text, "__getattr__": _far_getattr}
    return _made(link, name, told, above or (raised,), space, None, frozenset())


def _take_all(self: Any, *args: Any, **kwargs: Any) -> None:
    """Take what comes."""


def _text(self: Any) -> str:
    return str(self.__dict__.get("_text", ""))
