"""Values of the standard library that travel from the student's kernel as data."""

import base64
import collections
import datetime
import decimal
import enum
import fractions
import inspect
import pathlib
import sys
import time
import types
import uuid
import zoneinfo
from typing import Any

from autograder.values.rows import Row, StaysError, WireError


def known_class(module: str, name: str) -> type | None:
    """Return a class that this process has imported already, by name; never one of `__main__`."""
    found: Any = sys.modules.get(module) if module != "__main__" else None
    for part in name.split("."):
        found = getattr(found, part, None)
    return found if isinstance(found, type) else None


# Zones: an offset alone would be another zone's after the next change of the clocks --------------------------------


def write_zone(zone: Any) -> Any:
    """Return JSON of a time zone. Raises `StaysError` for one of a class that is not known."""
    module = type(zone).__module__.split(".")[0]
    if zone is None:
        return None
    if type(zone) is datetime.timezone:
        span, *name = zone.__getinitargs__()  # type: ignore[attr-defined]
        return ["fixed", [span.days, span.seconds, span.microseconds], *name]
    if type(zone) is zoneinfo.ZoneInfo and zone.key:
        return ["zone", zone.key]
    if module == "pytz":
        return ["pytz", zone.zone] if zone.zone else ["pytz", int(zone.utcoffset(None).total_seconds() // 60)]
    if module == "dateutil":
        return _write_dateutil(zone)
    raise StaysError


def _write_dateutil(zone: Any) -> Any:
    from dateutil import tz

    if isinstance(zone, tz.tzutc):
        return ["dateutil", "UTC"]
    if type(zone) is tz.tzoffset:
        return ["tzoffset", zone._name, int(zone._offset.total_seconds())]
    name = str(getattr(zone, "_filename", ""))
    for folder in zoneinfo.TZPATH:
        name = name.removeprefix(f"{folder}/")
    if isinstance(zone, tz.tzfile) and name in zoneinfo.available_timezones():
        return ["dateutil", name]
    raise StaysError


def read_zone(data: Any) -> Any:
    """Return the time zone."""
    if data is None:
        return None
    kind, *rest = data
    if kind == "fixed":
        return datetime.timezone(datetime.timedelta(*rest[0]), *rest[1:]) if rest[0] != [0, 0, 0] or rest[1:] else (
            datetime.UTC)  # fmt: skip
    if kind == "zone":
        return zoneinfo.ZoneInfo(str(rest[0]))
    if kind == "pytz":
        import pytz

        return pytz.FixedOffset(rest[0]) if isinstance(rest[0], int) else pytz.timezone(str(rest[0]))
    from dateutil import tz

    if kind == "tzoffset":
        return tz.tzoffset(rest[0] if rest[0] is None else str(rest[0]), int(rest[1]))
    if rest[0] == "UTC":
        return tz.UTC
    if rest[0] not in zoneinfo.available_timezones():
        raise WireError(f"{rest[0]} is no time zone")
    return tz.gettz(rest[0])


def _write_datetime(writer: Any, moment: datetime.datetime) -> Any:
    zone = write_zone(moment.tzinfo)
    if zone is not None and zone[0] == "pytz":  # of whose zones each offset is an object of its own
        moment = moment.astimezone(datetime.UTC)
    return [moment.replace(tzinfo=None, fold=0).isoformat(), moment.fold, zone]


def _read_datetime(reader: Any, data: Any) -> datetime.datetime:
    moment, zone = datetime.datetime.fromisoformat(str(data[0])), read_zone(data[2])
    if data[2] is not None and data[2][0] == "pytz":
        return zone.fromutc(moment.replace(tzinfo=zone))  # type: ignore[no-any-return]
    return moment.replace(tzinfo=zone, fold=int(data[1]))


def _write_time(writer: Any, moment: datetime.time) -> Any:
    return [moment.replace(tzinfo=None, fold=0).isoformat(), moment.fold, write_zone(moment.tzinfo)]


def _read_time(reader: Any, data: Any) -> datetime.time:
    return datetime.time.fromisoformat(str(data[0])).replace(tzinfo=read_zone(data[2]), fold=int(data[1]))


# Enums -----------------------------------------------------------------------------------------------------------


def _write_enum(writer: Any, member: Any) -> Any:
    kind = type(member)
    where = writer.main_name(kind)
    if not where and known_class(kind.__module__, kind.__qualname__) is not kind:
        raise StaysError  # one of the student's own
    name = member.name if member.name in kind.__members__ else None
    return [kind.__module__, kind.__qualname__, where, name, None if name else writer.value(int(member.value))]


def _read_enum(reader: Any, data: Any) -> Any:
    module, qualified, where, name, number = data
    kind = reader.main_class(where) if where else known_class(str(module), str(qualified))
    if kind is None or not issubclass(kind, enum.Enum):
        raise WireError(f"{qualified} is no Enum here")
    members: Any = kind
    return members[name] if name is not None else members(int(reader.value(number)))


# Functions' signatures -------------------------------------------------------------------------------------------

_NONE = inspect.Parameter.empty


def _write_signature(writer: Any, signature: inspect.Signature) -> Any:
    def optional(value: Any) -> Any:
        return [] if value is _NONE else [writer.value(value)]

    parts = [
        [part.name, int(part.kind), optional(part.default), optional(part.annotation)]
        for part in signature.parameters.values()
    ]
    return [parts, optional(signature.return_annotation)]


def _read_signature(reader: Any, data: Any) -> inspect.Signature:
    def optional(value: Any) -> Any:
        return reader.value(value[0]) if value else _NONE

    kinds = list(inspect._ParameterKind)
    parts = [
        inspect.Parameter(str(name), kinds[kind], default=optional(default), annotation=optional(annotation))
        for name, kind, default, annotation in data[0]
    ]
    return inspect.Signature(parts, return_annotation=optional(data[1]))


# Views and the rest ----------------------------------------------------------------------------------------------

_KEYS = tuple(type(made.keys()) for made in (dict[Any, Any](), collections.OrderedDict[Any, Any]()))
_VALUES = tuple(type(made.values()) for made in (dict[Any, Any](), collections.OrderedDict[Any, Any]()))
_ITEMS = tuple(type(made.items()) for made in (dict[Any, Any](), collections.OrderedDict[Any, Any]()))


def _items(writer: Any, values: Any) -> list[Any]:
    return [writer.value(item) for item in values]


def _read_items(reader: Any, data: Any) -> list[Any]:
    return [reader.value(item) for item in data]


def _text(tag: str, kind: type, write: Any, read: Any) -> Row:
    return Row(tag, (kind,), lambda writer, value: write(value), lambda reader, data: read(str(data)))


def _parts(tag: str, kind: type, names: str) -> Row:
    """Return the row of a type that is made of the values of some attributes."""
    return Row(
        tag,
        (kind,),
        lambda writer, value: _items(writer, (getattr(value, name) for name in names.split())),
        lambda reader, data: kind(*_read_items(reader, data)),
    )


def _write_struct_time(writer: Any, value: time.struct_time) -> Any:
    return _items(writer, (*value, value.tm_zone, value.tm_gmtoff))


def _read_struct_time(reader: Any, data: Any) -> time.struct_time:
    return time.struct_time(tuple(_read_items(reader, data)))


def _write_memory(writer: Any, value: memoryview) -> Any:
    if value.format != "B" or value.ndim != 1:
        raise StaysError
    return base64.b64encode(value.tobytes()).decode()


ROWS = (
    _text("date", datetime.date, datetime.date.isoformat, datetime.date.fromisoformat),
    Row("datetime", (datetime.datetime,), _write_datetime, _read_datetime),
    Row("time", (datetime.time,), _write_time, _read_time),
    _parts("span", datetime.timedelta, "days seconds microseconds"),
    Row(
        "zone",
        (datetime.timezone, zoneinfo.ZoneInfo),
        lambda writer, zone: write_zone(zone),
        lambda reader, data: read_zone(data),
        matches=lambda value: isinstance(value, datetime.tzinfo),
    ),
    Row("struct_time", (time.struct_time,), _write_struct_time, _read_struct_time),
    _text("decimal", decimal.Decimal, str, decimal.Decimal),
    _text("fraction", fractions.Fraction, str, fractions.Fraction),
    _text("uuid", uuid.UUID, str, uuid.UUID),
    _text("path", type(pathlib.Path()), str, pathlib.Path),
    _text("purepath", pathlib.PurePosixPath, str, pathlib.PurePosixPath),
    _text("windowspath", pathlib.PureWindowsPath, str, pathlib.PureWindowsPath),
    _parts("complex", complex, "real imag"),
    _parts("range", range, "start stop step"),
    _parts("slice", slice, "start stop step"),
    Row("frozenset", (frozenset,), _items, lambda reader, data: frozenset(_read_items(reader, data))),
    Row(
        "bytes",
        (bytes,),
        lambda writer, value: base64.b64encode(value).decode(),
        lambda reader, data: base64.b64decode(data),
    ),
    Row("memory", (memoryview,), _write_memory, lambda reader, data: memoryview(base64.b64decode(data))),
    Row("keys", _KEYS, _items, lambda reader, data: dict.fromkeys(_read_items(reader, data)).keys()),
    Row("values", _VALUES, _items, lambda reader, data: dict(enumerate(_read_items(reader, data))).values()),
    Row("items", _ITEMS, _items, lambda reader, data: dict(_read_items(reader, data)).items()),
    Row(
        "proxy",
        (types.MappingProxyType,),
        lambda writer, value: _items(writer, value.items()),
        lambda reader, data: types.MappingProxyType(dict(_read_items(reader, data))),
    ),
    Row("signature", (inspect.Signature,), _write_signature, _read_signature),
    Row("enum", (), _write_enum, _read_enum, matches=lambda value: isinstance(value, enum.Enum)),
)
