"""What stands in one kernel for an object, or a class, that stayed in the other, and what may be done to it from there.

For each class of the other kernel there is one class here, made of what `classes.describe` tells: it has the special
methods that the real one has and no others, so that `callable`, `hasattr` and `isinstance` are true where they are true
over there. What else is asked of an object or a class is asked over there.
"""

import types
from collections.abc import Callable, Generator
from typing import Any

import numpy as np

from autograder.values.classes import SPECIALS, words

_ASKED = words(
    "__annotations__ __closure__ __code__ __defaults__ __doc__ __func__ __kwdefaults__ __members__ __module__ "
    "__name__ __qualname__ __self__ __signature__ __wrapped__"
)
"""What is always asked over there: here it would be the stand-in's own."""
POINTERS = ("__array_interface__", "__array_struct__", "__arrow_c_", "__dlpack", "__buffer__", "__cuda_", "__reduce")
"""Beginnings of what leads to memory of another process, or to a copy of the stand-in."""
_OPERATORS = words(
    "__abs__ __add__ __and__ __divmod__ __floordiv__ __ge__ __gt__ __invert__ __le__ __lshift__ __lt__ __matmul__ "
    "__mod__ __mul__ __neg__ __or__ __pos__ __pow__ __radd__ __rand__ __rfloordiv__ __rlshift__ __rmatmul__ __rmod__ "
    "__rmul__ __ror__ __round__ __rpow__ __rrshift__ __rshift__ __rsub__ __rtruediv__ __rxor__ __sub__ __truediv__ "
    "__xor__"
)
_COMPARED = words("__eq__ __ne__ __contains__")
_FORWARDED = words(
    "__getitem__ __setitem__ __delitem__ __missing__ __iter__ __reversed__ __next__ __enter__ __exit__ __aiter__ "
    "__anext__ __aenter__ __aexit__ __bytes__ __fspath__ __str__ __repr__ __format__"
)
_PLAIN: dict[str, type] = {"__bool__": bool, "__len__": int, "__int__": int, "__float__": float, "__index__": int,
                           "__hash__": int, "__complex__": complex, "__length_hint__": int}  # fmt: skip


class RemoteClass(type):
    """The class of what stands for a class: what is asked of it is asked over there.

    `_class_link` and `_class_name` say where.
    """

    def __call__(cls, *args: Any, **kwargs: Any) -> Any:
        """Make an object over there."""
        return _of_class(cls, "call", *args, **kwargs)

    def __getattribute__(cls, name: str) -> Any:
        hidden = name.startswith("__") and name.endswith("__")
        if hidden and name not in _ASKED:
            try:
                return type.__getattribute__(cls, name)
            except AttributeError:
                if name.startswith(POINTERS):
                    raise
        elif name in ("__name__", "__qualname__", "__module__", "mro"):
            return type.__getattribute__(cls, name)
        return _of_class(cls, "signature" if name == "__signature__" else "getattr", name)

    def __setattr__(cls, name: str, value: Any) -> None:
        if name.startswith("__") or name.startswith("_abc_"):
            type.__setattr__(cls, name, value)
        else:
            _of_class(cls, "setattr", name, value)

    def __instancecheck__(cls, thing: Any) -> bool:
        """Ask over there about what is from there."""
        if type.__instancecheck__(cls, thing):
            return True
        link = _class_part(cls, "_class_link")
        return link is not None and link.is_theirs(thing) and _of_class(cls, "isinstance", thing) is True

    def __subclasscheck__(cls, other: Any) -> bool:
        """Ask over there about a class from there."""
        if type.__subclasscheck__(cls, other):
            return True
        link = _class_part(cls, "_class_link")
        return link is not None and link.is_theirs(other) and _of_class(cls, "issubclass", other) is True


def _class_part(cls: type, name: str) -> Any:
    return type.__getattribute__(cls, name)


def _of_class(cls: type, act: str, *args: Any, **kwargs: Any) -> Any:
    return _class_part(cls, "_class_link").ask(act, _class_part(cls, "_class_name"), args, kwargs)


class Remote(metaclass=RemoteClass):
    """An object of the other kernel. What is done to it is done there.

    Two objects from there may be compared and calculated with over there. With a value of a test's own there is no
    arithmetic, order, equality or membership: a student's class would be told what a test expects, and judge it.
    """

    __slots__ = ("__weakref__", "_link", "_name")

    def __getattribute__(self, name: str) -> Any:
        kind = type(self)
        if name == "__class__":
            return _class_part(kind, "_kind") or kind
        if not (name.startswith("__") and name.endswith("__")):
            if name in ("send", "throw", "close") and _class_part(kind, "_kind") is types.CoroutineType:
                return types.MethodType(_COROUTINE[name], self)
            return do(self, "getattr", name)
        if name in _ASKED:
            about = _class_part(kind, "_class_link").about.get(object.__getattribute__(self, "_name"), {})
            if name in about:
                return about[name]
            return do(self, "signature" if name == "__signature__" else "getattr", name)
        if (name in SPECIALS and name in vars(object)) or name in _class_part(kind, "_specials"):
            return object.__getattribute__(self, name)
        if name in SPECIALS or name.startswith(POINTERS):
            raise AttributeError(f"{name_of(kind)!r} object has no attribute {name!r}")
        try:
            return object.__getattribute__(self, name)
        except AttributeError:
            return do(self, "getattr", name)

    def __setattr__(self, name: str, value: Any) -> None:
        do(self, "setattr", name, value)

    def __repr__(self) -> str:
        return f"<object of the other kernel: {name_of(type(self))}>"

    def __str__(self) -> str:
        return str(do(self, "__str__"))

    def __copy__(self) -> Any:
        """Copy it over there."""
        return do(self, "copy")

    def __deepcopy__(self, memo: Any) -> Any:
        """Copy it over there, with all that it holds."""
        return do(self, "deepcopy")

    __hash__ = object.__hash__


type.__setattr__(Remote, "_class_link", None)
type.__setattr__(Remote, "_class_name", None)
type.__setattr__(Remote, "_kind", None)
type.__setattr__(Remote, "_specials", frozenset())


def name_of(kind: type) -> str:
    """Return the name of a class, asked of nobody."""
    return str(type.__getattribute__(kind, "__name__"))


def link_and_name(thing: Any) -> tuple[Any, str | None]:
    """Return the link of what stands for something of the other kernel, and the name there; None for anything else."""
    kind = type(thing)
    if issubclass(kind, RemoteClass):
        return _class_part(thing, "_class_link"), _class_part(thing, "_class_name")
    if not isinstance(kind, RemoteClass):
        return None, None
    if issubclass(kind, Remote):
        return object.__getattribute__(thing, "_link"), object.__getattribute__(thing, "_name")
    far = object.__getattribute__(thing, "__dict__").get("_far")
    return (None, None) if far is None else link_and_name(far)


def do(thing: Any, act: str, *args: Any, **kwargs: Any) -> Any:
    """Have something done to what a stand-in stands for."""
    link, name = link_and_name(thing)
    return link.ask(act, name, args, kwargs)


# Special methods -------------------------------------------------------------------------------------------------


def _forward(act: str) -> Callable[..., Any]:
    return lambda self, *args: do(self, act, *args)


def _plain(act: str, kind: type) -> Callable[..., Any]:
    """Return a special method that Python wants a plain value from."""

    def method(self: Any) -> Any:
        value = do(self, act)
        if type(value) is not kind:
            raise TypeError(f"{act.strip('_')}() gave {type(value).__name__}")
        return value

    return method


def _operate(act: str) -> Callable[..., Any]:
    """Return an operator, which is asked over there only if it tells nothing of this side."""

    def method(self: Any, *others: Any) -> Any:
        link, _ = link_and_name(self)
        if link.may_be_told(others):
            return do(self, act, *others)
        if act in ("__eq__", "__ne__") and others == (None,):
            return act == "__ne__"
        raise TypeError(
            f"an object of {name_of(type(self))} came back: tests compare and calculate with plain numbers, arrays "
            "and data frames only"
        )

    return method


def as_array(self: Any, dtype: Any = None, copy: Any = None) -> Any:
    """Return what NumPy makes of it over there."""
    value = do(self, "array")
    if not isinstance(value, np.ndarray):
        raise TypeError("this object is not an array")
    return value if dtype is None else value.astype(dtype)


def _await(self: Any) -> Generator[Any, Any, Any]:
    return do(self, "await")
    yield  # so that it is a generator


def _send(self: Any, value: Any) -> Any:
    raise StopIteration(do(self, "await"))


def _throw(self: Any, error: Any, *rest: Any) -> Any:
    raise error


_COROUTINE: dict[str, Callable[..., Any]] = {"send": _send, "throw": _throw, "close": lambda self: None}
METHODS: dict[str, Callable[..., Any]] = {
    **{act: _operate(act) for act in _OPERATORS | _COMPARED},
    **{act: _forward(act) for act in _FORWARDED},
    **{act: _plain(act, kind) for act, kind in _PLAIN.items()},
    "__call__": lambda self, *args, **kwargs: do(self, "call", *args, **kwargs),
    "__array__": as_array,
    "__await__": _await,
}
for _act in _OPERATORS:  # so that each says why; whether they seem to be there is told by `_specials`
    type.__setattr__(Remote, _act, METHODS[_act])


def make_remote(link: Any, name: str, kind: type = Remote) -> Any:
    """Make what stands for an object."""
    made: Any = object.__new__(kind)
    object.__setattr__(made, "_link", link)
    object.__setattr__(made, "_name", name)
    return made


def make_data(link: Any, name: str, kind: type, base: type, content: tuple[Any, ...]) -> Any:
    """Make an object that is plain data, of a class of `_data_class`."""
    made: Any = base.__new__(kind, *content)
    object.__setattr__(made, "_far", make_remote(link, name))
    return made
