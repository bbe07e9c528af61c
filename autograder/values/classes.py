"""What a kernel tells of the class of an object that stays: its names, its bases, what Python may do to its objects."""

import collections
import dataclasses
from typing import Any


def words(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


SPECIALS = words(
    "__abs__ __add__ __aenter__ __aexit__ __aiter__ __and__ __anext__ __array__ __await__ __bool__ __bytes__ __call__ "
    "__complex__ __contains__ __delitem__ __divmod__ __enter__ __eq__ __exit__ __float__ __floordiv__ __format__ "
    "__fspath__ __ge__ __getitem__ __gt__ __hash__ __iadd__ __iand__ __imul__ __index__ __int__ __invert__ __ior__ "
    "__isub__ __iter__ __le__ __len__ __length_hint__ __lshift__ __lt__ __matmul__ __missing__ __mod__ __mul__ __ne__ "
    "__neg__ __next__ __or__ __pos__ __pow__ __radd__ __rand__ __repr__ __reversed__ __rfloordiv__ __rlshift__ "
    "__rmatmul__ __rmod__ __rmul__ __ror__ __round__ __rpow__ __rrshift__ __rshift__ __rsub__ __rtruediv__ __rxor__ "
    "__setitem__ __str__ __sub__ __truediv__ __xor__"
)
"""Methods that Python looks for in the class: a stand-in has those that the real class has, and no others."""

_OF_CONTENT = words(
    "__eq__ __ne__ __lt__ __le__ __gt__ __ge__ __hash__ __len__ __iter__ __contains__ __reversed__ __bool__ __add__ "
    "__radd__ __mul__ __rmul__ __sub__ __rsub__ __mod__ __neg__ __pos__ __abs__ __truediv__ __rtruediv__ __floordiv__ "
    "__int__ __float__ __index__ __and__ __or__ __xor__ __ior__ __iadd__ __imul__ __array__ __round__ __pow__ "
    "__rpow__ __rmod__ __rand__ __ror__ __rxor__ __invert__ __divmod__ __next__"
)
"""Of a subclass of a built-in type these stay the type's own: they judge the plain content, which has travelled."""
_MACHINERY = words(
    "__module__ __doc__ __dict__ __weakref__ __slots__ __init__ __new__ __qualname__ __annotations__ __orig_bases__ "
    "__parameters__ __match_args__ __firstlineno__ __static_attributes__ __annotate_func__ __annotations_cache__ "
    "__getnewargs__ __reduce__ __reduce_ex__ __setstate__ __getstate__ __init_subclass__ __class_getitem__ "
    "__replace__ __copy__ __deepcopy__"
)
_NAMED = frozenset(dir(collections.namedtuple("_Any", "x"))) - {"x"}
_BUILTIN = (
    collections.Counter,
    collections.OrderedDict,
    collections.defaultdict,
    list,
    dict,
    set,
    bytearray,
    tuple,
    str,
    bytes,
    int,
    float,
    frozenset,
)


def _above(kind: type, base: type) -> list[type]:
    """Return the classes between a class and one of its bases."""
    return list(kind.__mro__[: kind.__mro__.index(base)])


def _added(kind: type, base: type) -> set[str]:
    names = {name for one in _above(kind, base) for name in vars(one)} - _MACHINERY - _OF_CONTENT
    return names - _NAMED - set(kind._fields) if hasattr(kind, "_fields") else names


def has_extras(value: Any, kind: type, base: type) -> bool:
    """Whether an object of a subclass of `base` has anything beside its plain content: attributes, methods, a text."""
    return bool(_added(kind, base) or getattr(value, "__dict__", None))


def describe(writer: Any, kind: type) -> str:
    """Describe a class, and those of its bases that are made where it is, in the message; returns its name."""
    name: str = writer.class_name(kind)
    if name not in writer.classes:
        writer.classes[name] = None
        own = [base for base in kind.__bases__ if base.__module__ == "__main__" and not writer.main_name(base)]
        writer.classes[name] = _description(kind, type(kind)) | {
            "mro": [[writer.main_name(base) and ":main", writer.main_name(base)] if writer.main_name(base)
                    else [base.__module__, base.__qualname__] for base in kind.__mro__[:-1] or kind.__mro__],
            "bases": [describe(writer, base) for base in own],
        }  # fmt: skip
    return name


_described: dict[int, tuple[type, dict[str, Any]]] = {}


def _description(kind: type, meta: type) -> dict[str, Any]:
    if id(kind) not in _described:
        base = next((base for base in _BUILTIN if issubclass(kind, base)), None)
        made: dict[str, Any] = {
            "specials": sorted(_defined(kind)),
            "meta": sorted(_defined(meta) - _defined(type)),
            "base": "" if base is None else base.__name__,
            "unhashable": kind.__hash__ is None,
        }
        if base is not None:
            made["over"] = sorted(name for name in _added(kind, base) if name in dir(base))
        if base is tuple and hasattr(kind, "_fields"):
            made["fields"] = list(kind._fields)
        if dataclasses.is_dataclass(kind):
            made["data"] = [field.name for field in dataclasses.fields(kind)]
        _described[id(kind)] = kind, made
    return _described[id(kind)][1]


def _defined(kind: type) -> set[str]:
    """Return the special methods of a class that are not those of every object."""
    return {name for base in kind.__mro__[:-1] for name in SPECIALS.intersection(vars(base))
            if getattr(kind, name, None) is not None}  # fmt: skip
