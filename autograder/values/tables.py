"""How frames, and pandas' scalars, travel from the student's kernel."""

from typing import Any

import numpy as np
import pandas

from autograder.values.arrays import look_array
from autograder.values.columns import (
    read_column,
    read_dtype,
    read_index,
    read_offset,
    write_column,
    write_dtype,
    write_index,
    write_offset,
)
from autograder.values.rows import SIMPLE, Row, SharedRow, mark
from autograder.values.scalars import read_zone, write_zone

pd: Any = pandas  # its overloads want to know types that only run time knows
_np: Any = np


def _attrs(writer: Any, thing: Any) -> Any:
    return [[writer.value(key), writer.value(value)] for key, value in thing.attrs.items()]


def _read_attrs(reader: Any, data: Any) -> dict[Any, Any]:
    return {reader.value(key): reader.value(value) for key, value in data}


def _columns(frame: Any) -> list[Any]:
    """Return the columns of a frame, also where several have one name; by `iloc` each would cost twice as much."""
    return [column for _, column in pd.DataFrame.items(frame)]


def _write_frame(writer: Any, frame: Any) -> Any:
    columns = [write_column(writer, column.array) for column in _columns(frame)]
    return [write_index(writer, frame.index), write_index(writer, frame.columns), columns, _attrs(writer, frame)]


def _read_frame(reader: Any, data: Any) -> Any:
    index, columns = read_index(reader, data[0]), read_index(reader, data[1])
    made = {at: _series(read_column(reader, column), index) for at, column in enumerate(data[2])}
    frame = pd.DataFrame(made, index=index)
    frame.columns = columns
    frame.attrs = _read_attrs(reader, data[3])
    return frame


def _series(column: Any, index: Any) -> Any:
    return pd.Series(column, index=index, dtype=column.dtype)


def _write_series(writer: Any, series: Any) -> Any:
    column = write_column(writer, series.array)
    return [write_index(writer, series.index), writer.value(series.name), column, _attrs(writer, series)]


def _read_series(reader: Any, data: Any) -> Any:
    series = _series(read_column(reader, data[2]), read_index(reader, data[0]))
    series.name = reader.value(data[1])
    series.attrs = _read_attrs(reader, data[3])
    return series


def _look_index(index: Any) -> Any:
    kinds = tuple(map(str, index.dtypes)) if isinstance(index, pd.MultiIndex) else str(index.dtype)
    return tuple(index.names), kinds, look_array(np.asarray(index))


def _look_column(column: Any) -> Any:
    return str(column.dtype), look_array(np.asarray(column))


def _look_attrs(thing: Any) -> Any:
    return tuple((mark(key), mark(value)) for key, value in thing.attrs.items())


def _look_frame(thing: Any) -> Any:
    columns = tuple(map(_look_column, _columns(thing)))
    return _look_index(thing.index), tuple(map(str, thing.columns)), thing.columns.names, columns, _look_attrs(thing)


def _look_series(thing: Any) -> Any:
    return thing.name, _look_index(thing.index), _look_column(thing), _look_attrs(thing)


def _renew_table(thing: Any, new: Any) -> None:
    thing._update_inplace(new)
    thing.attrs = new.attrs
    if isinstance(thing, pd.Series):
        thing.name = new.name


def is_table(thing: Any) -> bool:
    """Whether there is nothing but numbers and strings in an array or a frame, which are then packed in one go."""
    if type(thing) is np.ndarray:
        return not thing.dtype.hasobject or set(map(type, thing.ravel().tolist())) <= set(SIMPLE)
    if type(thing) is pd.DataFrame:
        parts = [thing.index, thing.columns, *_columns(thing)]
    elif type(thing) is pd.Series:
        parts = [thing.index, thing]
    else:
        return False
    known = all(type(part.dtype).__module__.startswith("numpy") and type(part.name) in SIMPLE for part in parts)
    return not thing.attrs and known and all(is_table(np.asarray(part)) for part in parts)


# Rows ------------------------------------------------------------------------------------------------------------


def _write_timestamp(writer: Any, moment: Any) -> Any:
    return [int(moment.asm8.view("i8")), moment.unit, write_zone(moment.tz)]


def _read_timestamp(reader: Any, data: Any) -> Any:
    moment = pd.Timestamp(_np.datetime64(int(data[0]), str(data[1])))
    return moment if data[2] is None else moment.tz_localize("UTC").tz_convert(read_zone(data[2]))


def _is_dtype(value: Any) -> bool:
    return isinstance(value, (np.dtype, pd.api.extensions.ExtensionDtype))


ROWS = (
    Row("dtype", (), write_dtype, read_dtype, matches=_is_dtype),
    Row("timestamp", (pd.Timestamp,), _write_timestamp, _read_timestamp),
    Row(
        "timedelta",
        (pd.Timedelta,),
        lambda writer, span: [int(span.asm8.view("i8")), span.unit],
        lambda reader, data: pd.Timedelta(_np.timedelta64(int(data[0]), str(data[1]))),
    ),
    Row(
        "period",
        (pd.Period,),
        lambda writer, period: [period.ordinal, period.freqstr],
        lambda reader, data: pd.Period(ordinal=int(data[0]), freq=str(data[1])),
    ),
    Row(
        "interval",
        (pd.Interval,),
        lambda writer, value: [writer.value(value.left), writer.value(value.right), value.closed],
        lambda reader, data: pd.Interval(reader.value(data[0]), reader.value(data[1]), closed=str(data[2])),
    ),
    Row("index", (), write_index, read_index, matches=lambda value: isinstance(value, pd.Index)),
    Row(
        "offset", (), write_offset, read_offset, matches=lambda value: isinstance(value, pd.tseries.offsets.BaseOffset)
    ),
    Row(
        "extension",
        (),
        lambda writer, array: write_column(writer, array),
        lambda reader, data: _read_extension(reader, data),
        matches=lambda value: isinstance(value, pd.api.extensions.ExtensionArray),
    ),
)


def _read_extension(reader: Any, data: Any) -> Any:
    column = read_column(reader, data)
    return pd.array(column) if isinstance(column, np.ndarray) else column


SHARED = (
    SharedRow("frame", pd.DataFrame, _write_frame, _read_frame, _look_frame, _renew_table),
    SharedRow("series", pd.Series, _write_series, _read_series, _look_series, _renew_table),
)
