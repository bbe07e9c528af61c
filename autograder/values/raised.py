"""Exceptions of the student's code, as they arrive in a test: of a class that it can catch, with what they carry."""

import builtins
import types
from collections.abc import Callable
from typing import Any

from autograder.values.classes import describe
from autograder.values.scalars import known_class

_LINKS = ("__cause__", "__context__")
_DEEPEST = 5
"""How many exceptions, one the cause of the other, travel with one."""


class StudentExitError(Exception):
    """The student's code tried to end Python."""


def text_of(error: BaseException) -> str:
    """Return the text of an exception, also where to ask for it raises another one."""
    try:
        return str(error)
    except Exception as worse:
        return f"(its text cannot be shown: {type(worse).__name__})"


def _is_pythons(kind: type) -> bool:
    """Whether an exception's class is Python's own."""
    return getattr(builtins, kind.__name__, None) is kind


def _slots(kind: type) -> dict[str, Any]:
    """Return what Python's own exceptions keep beside their arguments, such as `errno`: name to descriptor."""
    return {
        name: part
        for base in reversed(kind.__mro__)
        if base.__module__ == "builtins" and base is not BaseException
        for name, part in vars(base).items()
        if isinstance(part, (types.MemberDescriptorType, types.GetSetDescriptorType)) and not name.startswith("_")
    }


# Written in the student's kernel ---------------------------------------------------------------------------------


def write_error(writer: Any, error: BaseException, deep: int = 0) -> dict[str, Any]:
    """Return JSON of an exception and of those that led to it."""
    kind = type(error)
    named = kind.__name__ == "ValidationError" and kind.__module__ == "pydantic_core._pydantic_core"
    made: dict[str, Any] = {
        "h": writer.desk.lend(error),
        "c": describe(writer, kind),
        "text": text_of(error),
        "args": [_part(writer, value) for value in error.args],
        "slots": {name: _part(writer, getattr(error, name, None)) for name in _slots(kind) if name != "exceptions"},
        "dict": [[name, _part(writer, value)] for name, value in error.__dict__.items() if name != "_examiner"],
    }
    made["yours"] = error.__dict__.get("_examiner")
    if isinstance(error, BaseExceptionGroup):
        made["parts"] = [write_error(writer, part, deep + 1) for part in error.exceptions]
    if named:
        made["lines"] = [_line(writer, line) for line in error.errors(include_url=False)]  # type: ignore[attr-defined]
        made["title"] = error.title  # type: ignore[attr-defined]
    if deep < _DEEPEST:
        for link in _LINKS:
            other = getattr(error, link)
            made[link] = None if other is None else write_error(writer, other, deep + 1)
        made["__suppress_context__"] = error.__suppress_context__
    return made


def _part(writer: Any, value: Any) -> Any:
    return writer.value(value)


def _line(writer: Any, line: Any) -> Any:
    return [line["type"], line["msg"], _part(writer, line["loc"]), _part(writer, line["input"]),
            _part(writer, line.get("ctx"))]  # fmt: skip


# Read in the examiner's ------------------------------------------------------------------------------------------


def read_error(reader: Any, data: Any) -> Exception:
    """Return the exception: of its own class or of one made below it that says what it says, with its attributes."""
    if data.get("yours") in reader.desk.lent:
        return reader.desk.lent[data["yours"]]  # type: ignore[no-any-return]
    kind = reader.local_class(data["c"])
    if "lines" in data and (made := _validation_error(reader, data)) is not None:
        return made  # type: ignore[no-any-return]
    if not issubclass(kind, Exception):
        kind = StudentExitError
    values = [reader.value(value) for value in data["args"]]
    error: Any = _make(reader, kind, data, values)
    if not _is_pythons(type(error)):
        error.__dict__["_far"] = reader.handle(str(data["h"]))
        error.__dict__["_text"] = str(data["text"])
    error.__dict__.update({str(name): reader.value(value) for name, value in data["dict"]})
    slots = _slots(type(error))
    for name, value in dict(data["slots"]).items():
        if name in slots and value is not None:  # `filename2` set to None would be shown
            _set(error, slots[name], reader.value(value))
    for link in _LINKS:
        if data.get(link) is not None:
            setattr(error, link, read_error(reader, data[link]))
    error.__suppress_context__ = bool(data.get("__suppress_context__"))
    return error  # type: ignore[no-any-return]


def _set(error: Any, slot: Any, value: Any) -> None:
    try:
        slot.__set__(error, value)
    except (TypeError, AttributeError):  # one that can only be read
        return


def _make(reader: Any, kind: type, data: Any, values: list[Any]) -> Any:
    if issubclass(kind, ExceptionGroup):
        parts = [read_error(reader, part) for part in data["parts"]]
        return kind.__new__(kind, str(values[0]), parts)
    error: Any = kind.__new__(kind)
    here = all(type(type(value)) is type for value in values)  # else its text would be asked for over there
    error.args = tuple(values) if here or not _is_pythons(kind) else (str(data["text"]),)
    return error


def _validation_error(reader: Any, data: Any) -> Any:
    """Return pydantic's error, which only its own function makes."""
    kind: Any = known_class("pydantic_core._pydantic_core", "ValidationError")
    custom: Any = known_class("pydantic_core._pydantic_core", "PydanticCustomError")
    if kind is None:
        return None
    lines = []
    for name, message, where, given, context in data["lines"]:
        words = reader.value(context) or {}
        lines.append({"loc": reader.value(where), "input": reader.value(given), "type": str(name), "ctx": words,
                      "text": str(message)})  # fmt: skip
    try:
        return kind.from_exception_data(str(data["title"]), lines)
    except (KeyError, TypeError):  # of a kind of its own
        own = [
            line | {"type": custom(line["type"], line["text"].replace("{", "(").replace("}", ")"))} for line in lines
        ]
        return kind.from_exception_data(str(data["title"]), own)


# The other way: what a test's own object raised ------------------------------------------------------------------


def plain_error(
    classes: list[tuple[str, str]], text: str, args: tuple[Any, ...], main_class: Callable[[str], type | None]
) -> Exception:
    """Return an exception for the student's code: of the nearest class that it knows, with name, text and args."""
    kinds = (main_class(name) if module == ":main" else known_class(module, name) for module, name in classes)
    found = next((kind for kind in kinds if kind is not None), Exception)
    known: Any = found if issubclass(found, Exception) else Exception
    name = classes[0][1].rpartition(".")[2]
    if (
        known.__module__ == "builtins"
        and known.__name__ == name
        and not issubclass(known, (UnicodeError, ExceptionGroup))
    ):
        plain: Any = known(*args) if issubclass(known, OSError) else known.__new__(known)
        plain.args = args or (text,)
        return plain  # type: ignore[no-any-return]
    made: Any = type(
        name, (known,), {"__str__": lambda self: text, "__module__": known.__module__, "__init__": lambda *_: None}
    )
    error: Exception = made.__new__(made)
    error.args = args or (text,)
    return error
