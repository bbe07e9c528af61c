"""Objects of which each kernel holds one, alike in their attributes: values of the instructor's classes, models."""

import sys
import types
from typing import Any

import numpy as np

from autograder.values.rows import SharedRow, WireError, mark
from autograder.values.scalars import known_class

_LONGEST = 2_000
"""An attribute with more entries than this is told to be another only by its identity."""


def _slots(kind: type) -> list[str]:
    return [name for base in kind.__mro__ for name, part in vars(base).items()
            if isinstance(part, types.MemberDescriptorType)]  # fmt: skip


def state_of(thing: Any) -> dict[str, Any]:
    """Return the attributes of an object, by name: those in its `__dict__` and those in slots."""
    slots = {name: getattr(thing, name) for name in _slots(type(thing)) if hasattr(thing, name)}
    return slots | dict(getattr(thing, "__dict__", {}))


def _set_state(thing: Any, state: dict[str, Any]) -> None:
    slots = _slots(type(thing))
    for name, value in state.items():
        if name in slots:
            object.__setattr__(thing, name, value)
        else:
            thing.__dict__[name] = value


def _look_state(thing: Any) -> Any:
    return {name: _mark_part(value) for name, value in state_of(thing).items()}


def _mark_part(value: Any) -> Any:
    if type(value) is np.ndarray and value.size <= _LONGEST and not value.dtype.hasobject:
        return id(value), hash(value.tobytes())
    return (id(value), len(value)) if type(value) in (list, dict, set) else mark(value)


def by_value(kind: type) -> bool:
    """Whether instances of a class of the instructor's are compared by value, and have no more than attributes."""
    own: Any = kind
    return (
        own.__eq__ is not object.__eq__
        and own.__new__ is object.__new__
        and not issubclass(kind, (type, BaseException))
        and type(kind).__module__ not in ("enum",)
    )


def _write_instance(writer: Any, thing: Any) -> Any:
    return [writer.main_name(type(thing)), [[name, writer.value(part)] for name, part in state_of(thing).items()]]


def _make_instance(reader: Any, data: Any) -> Any:
    kind = reader.main_class(data[0])
    if kind is None or not by_value(kind):
        raise WireError(f"{data[0]} is no such class")
    return object.__new__(kind)


def empty_instance(reader: Any, data: Any) -> Any:
    """Return one that may hold itself, to be filled; None where its attributes decide on its hash."""
    made = _make_instance(reader, data)
    return made if type(made).__hash__ is None else None


def _read_instance(reader: Any, data: Any) -> Any:
    made = _make_instance(reader, data)
    _set_state(made, {str(name): reader.value(part) for name, part in data[1]})
    return made


def _renew_instance(thing: Any, new: Any) -> None:
    _set_state(thing, state_of(new))


class Change:
    """What became of the attributes of an object."""

    def __init__(self, new: dict[str, Any], gone: list[str]) -> None:
        self.new, self.gone = new, gone


def _write_object(writer: Any, thing: Any) -> Any:
    now, before = _look_state(thing), writer.before
    parts = state_of(thing)
    new = [[name, writer.value(parts[name])] for name in now if name not in before or before[name] != now[name]]
    return [new, [name for name in before if name not in now]]


def _read_object(reader: Any, data: Any) -> Change:
    return Change({str(name): reader.value(part) for name, part in data[0]}, [str(name) for name in data[1]])


def _renew_object(thing: Any, new: Any) -> None:
    change = new if isinstance(new, Change) else Change(vars(new), list(set(vars(thing)) - set(vars(new))))
    for name in change.gone:
        vars(thing).pop(name, None)
    vars(thing).update(change.new)


INSTANCE = SharedRow(
    "instance", object, _write_instance, _read_instance, _look_state, _renew_instance, small=lambda thing: True
)
"""Of a class that the instructor's cells define on both sides and that compares by value, such as a dataclass."""

OBJECT = SharedRow(
    "object", object, _write_object, _read_object, _look_state, _renew_object, small=lambda thing: True, born=False
)
"""Of a library's class, made by a test and handed over, such as a model to be fitted."""

_VALUES = {
    "asyncio", "concurrent", "ctypes", "datetime", "decimal", "email", "enum", "fractions", "functools", "inspect",
    "logging", "matplotlib", "multiprocessing", "numpy", "pandas", "pathlib", "pyarrow", "re", "threading", "types",
    "typing", "unittest", "uuid", "zoneinfo",
}  # fmt: skip
"""Packages whose objects are values, belong to a process, or are too interwoven for their attributes to tell."""
_known: dict[type, bool] = {}


def is_object(thing: Any) -> bool:
    """Whether an object is one of a library, with attributes: changes of these come back to the test.

    Objects of modules that are not installed, such as the course's own, are handed over as copies: what a test
    takes for true may depend on them.
    """
    kind = type(thing)
    if kind not in _known:
        root = kind.__module__.partition(".")[0]
        path = str(getattr(sys.modules.get(root), "__file__", "") or "")
        library = root in sys.stdlib_module_names or "site-packages" in path
        odd = issubclass(kind, (type, BaseException, str, int, float, tuple, types.ModuleType, types.FunctionType))
        plain = kind.__dictoffset__ != 0 and known_class(kind.__module__, kind.__qualname__) is kind
        _known[kind] = library and plain and not odd and root not in _VALUES and not hasattr(kind, "__next__")
    return _known[kind]
