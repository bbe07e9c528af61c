"""What one kernel may have done to an object of the other."""

import copy
import inspect
import operator
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.values.classes import SPECIALS
from autograder.values.proxies import RemoteClass


def _array(thing: Any) -> Any:
    value = np.asarray(thing)
    if value.dtype.hasobject and value.ndim == 0:
        raise TypeError("this object is not an array")
    return value


def _signature(thing: Any, name: str) -> Any:
    try:
        return inspect.signature(thing)
    except (TypeError, ValueError):
        raise AttributeError(name) from None


def _special(name: str) -> Callable[..., Any]:
    """Return what an operator or a special method does, as Python does it."""
    if (function := getattr(operator, name, None)) is not None and name not in ("__call__",):
        return function  # type: ignore[no-any-return]
    return lambda thing, *args: getattr(type(thing), name)(thing, *args)


FOR_TESTS: dict[str, Callable[..., Any]] = {
    **{name: _special(name) for name in SPECIALS},
    "__len__": len,
    "__bool__": bool,
    "__iter__": iter,
    "__next__": next,
    "__hash__": hash,
    "__int__": int,
    "__float__": float,
    "__str__": str,
    "__repr__": repr,
    "getattr": getattr,
    "setattr": setattr,
    "array": _array,
    "call": lambda thing, *args, **kwargs: thing(*args, **kwargs),
    "isinstance": lambda thing, other: isinstance(other, thing),
    "issubclass": lambda thing, other: issubclass(other, thing),
    "signature": _signature,
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}
"""What a test may do to an object of the student's."""
FOR_STUDENTS = {act: does for act, does in FOR_TESTS.items() if act not in ("copy", "deepcopy", "signature")}

HIDDEN = (types.ModuleType, types.FrameType, types.CodeType, types.TracebackType, types.GeneratorType)


def allowed(act: str, thing: Any, args: tuple[Any, ...]) -> None:
    """Raise if the student's code may not do this to an object of the examiner's.

    It may call it, and use what is public in it: functions show nothing of themselves, and nothing leads to a module
    or a frame, from where the hidden tests could be read.
    """
    if act in ("getattr", "setattr"):
        name = str(args[0])
        if name.startswith("_") or isinstance(thing, (types.FunctionType, types.MethodType, type, *HIDDEN)):
            raise AttributeError(f"{type(thing).__name__!r} object has no attribute {name!r}")
        far = len(args) > 1 and isinstance(type(args[1]), RemoteClass)
        if act == "setattr" and (far or name not in getattr(thing, "__dict__", {})):
            raise AttributeError(f"{name} cannot be set")
