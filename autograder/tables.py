"""Arrays, frames and what they are made of: how NumPy's, pandas' and Arrow's values travel from the student's kernel."""

import base64
import io
from typing import Any

import numpy as np
import pandas
from pandas.tseries.frequencies import to_offset

from autograder.rows import SIMPLE, Row, SharedRow, StaysError, WireError, mark
from autograder.scalars import read_zone, write_zone

pd: Any = pandas  # its overloads want to know types that only run time knows


# Arrays ----------------------------------------------------------------------------------------------------------


def write_npy(array: Any) -> str:
    """Return base64 of an array without objects as `.npy`."""
    stream = io.BytesIO()
    np.save(stream, array, allow_pickle=False)
    return base64.b64encode(stream.getvalue()).decode()


def read_npy(text: str) -> Any:
    """Return the array. Raises `ValueError` for a pickle."""
    array = np.load(io.BytesIO(base64.b64decode(text)), allow_pickle=False)
    return array


def write_array(writer: Any, array: Any) -> Any:
    """Return JSON of an array, whatever its class; objects are written one by one, text in one go."""
    plain = np.asarray(array)
    if not plain.dtype.hasobject:
        return write_npy(plain)
    if plain.dtype.names:
        raise StaysError  # objects within records
    items = plain.ravel().tolist()
    if set(map(type, items)) <= {str, float, bool, type(None)}:
        return {"shape": list(plain.shape), "p": items}
    return {"shape": list(plain.shape), "v": [writer.value(item) for item in items]}


def read_array(reader: Any, data: Any) -> Any:
    """Return the array: an exact `numpy.ndarray`."""
    if isinstance(data, str):
        return read_npy(data)
    array = np.empty(int(np.prod(data["shape"], dtype=int)), dtype=object)
    if "p" in data:
        if not set(map(type, data["p"])) <= set(SIMPLE) or len(data["p"]) != len(array):
            raise WireError("no plain values")
        array[:] = data["p"]
    else:
        for at, item in enumerate(data["v"]):
            array[at] = reader.value(item)
    return array.reshape([int(length) for length in data["shape"]])


def _write_masked(writer: Any, array: Any) -> Any:
    masks = np.ma.getmask(array)
    mask = None if masks is np.ma.nomask else write_npy(masks)
    fill = None if array._fill_value is None else write_array(writer, np.asarray(array._fill_value))
    return [write_array(writer, np.ma.getdata(array)), mask, fill, bool(array.hardmask)]


def _read_masked(reader: Any, data: Any) -> Any:
    content, mask, fill, hard = data
    masks = np.ma.nomask if mask is None else read_npy(mask)
    fill_value = None if fill is None else read_array(reader, fill)[()]
    return np.ma.MaskedArray(read_array(reader, content), masks, fill_value=fill_value, hard_mask=bool(hard))


def _renew_array(thing: Any, new: Any) -> None:
    if thing.shape == new.shape and thing.dtype == new.dtype and thing.flags.writeable:
        thing[...] = new


def _look_array(thing: Any) -> Any:
    if thing.dtype.hasobject:
        parts = np.asarray(thing).ravel().tolist()
        try:
            return thing.shape, hash(tuple(parts)), hash(tuple(map(type, parts)))
        except TypeError:  # a list among them
            return thing.shape, tuple(map(mark, parts))
    return thing.shape, thing.dtype.str, hash(thing.tobytes())


def _look_masked(thing: Any) -> Any:
    return _look_array(np.ma.getdata(thing)), hash(np.ma.getmaskarray(thing).tobytes())


# Types of columns ------------------------------------------------------------------------------------------------


def _write_dtype(writer: Any, dtype: Any) -> Any:
    if isinstance(dtype, np.dtype):
        return ["np", "O"] if dtype == object else ["np", write_npy(np.empty(0, dtype))]
    if isinstance(dtype, pd.CategoricalDtype):
        categories = None if dtype.categories is None else _write_index(writer, dtype.categories)
        return ["category", categories, dtype.ordered]
    if isinstance(dtype, pd.StringDtype):
        return ["string", dtype.storage, "nan" if dtype.na_value is np.nan else "na"]
    if isinstance(dtype, pd.IntervalDtype):
        return ["interval", None if dtype.subtype is None else _write_dtype(writer, dtype.subtype), dtype.closed]
    if isinstance(dtype, pd.PeriodDtype):
        return ["period", str(dtype)]
    if isinstance(dtype, pd.DatetimeTZDtype):
        return ["zone", dtype.unit, write_zone(dtype.tz)]
    if isinstance(dtype, pd.SparseDtype):
        return ["sparse", _write_dtype(writer, dtype.subtype), writer.value(dtype.fill_value)]
    if isinstance(dtype, pd.ArrowDtype):
        return ["arrow", _write_arrow(dtype.pyarrow_dtype)]
    if type(dtype).__module__.startswith("pandas.core.arrays"):  # Int64, boolean, Float32
        return ["named", str(dtype)]
    raise StaysError


def _read_dtype(reader: Any, data: Any) -> Any:
    kind, *rest = data
    if kind == "np":
        return np.dtype(object) if rest[0] == "O" else read_npy(rest[0]).dtype
    if kind == "category":
        return pd.CategoricalDtype(None if rest[0] is None else _read_index(reader, rest[0]), ordered=rest[1])
    if kind == "string":
        return pd.StringDtype(str(rest[0]), na_value=np.nan if rest[1] == "nan" else pd.NA)
    if kind == "interval":
        return pd.IntervalDtype(None if rest[0] is None else _read_dtype(reader, rest[0]), closed=rest[1])
    if kind == "period":
        return pd.PeriodDtype.construct_from_string(str(rest[0]))
    if kind == "zone":
        return pd.DatetimeTZDtype(str(rest[0]), tz=read_zone(rest[1]))
    if kind == "sparse":
        return pd.SparseDtype(_read_dtype(reader, rest[0]), fill_value=reader.value(rest[1]))
    if kind == "arrow":
        return pd.ArrowDtype(_read_arrow(rest[0]))
    return pd.api.types.pandas_dtype(str(rest[0]))


def _write_arrow(kind: Any) -> Any:
    """Return JSON of Arrow's type of a column, types within it included."""
    from pyarrow import types as of

    if of.is_decimal(kind):
        return [f"decimal{kind.bit_width}", kind.precision, kind.scale]
    if of.is_timestamp(kind):
        return ["timestamp", kind.unit, kind.tz]
    if of.is_list(kind) or of.is_large_list(kind):
        return ["list" if of.is_list(kind) else "large_list", _write_arrow(kind.value_type)]
    if of.is_fixed_size_list(kind):
        return ["fixed", _write_arrow(kind.value_type), kind.list_size]
    if of.is_struct(kind):
        return ["struct", [[part.name, _write_arrow(part.type)] for part in kind]]
    if of.is_map(kind):
        return ["map", _write_arrow(kind.key_type), _write_arrow(kind.item_type)]
    if of.is_dictionary(kind):
        return ["dictionary", _write_arrow(kind.index_type), _write_arrow(kind.value_type), kind.ordered]
    if of.is_fixed_size_binary(kind):
        return ["binary", kind.byte_width]
    return ["named", str(kind)]


def _read_arrow(data: Any) -> Any:
    import pyarrow as pa

    name, *rest = data
    made = {
        "decimal128": lambda: pa.decimal128(*rest),
        "decimal256": lambda: pa.decimal256(*rest),
        "timestamp": lambda: pa.timestamp(*rest),
        "list": lambda: pa.list_(_read_arrow(rest[0])),
        "large_list": lambda: pa.large_list(_read_arrow(rest[0])),
        "fixed": lambda: pa.list_(_read_arrow(rest[0]), int(rest[1])),
        "struct": lambda: pa.struct([(str(part), _read_arrow(kind)) for part, kind in rest[0]]),
        "map": lambda: pa.map_(_read_arrow(rest[0]), _read_arrow(rest[1])),
        "dictionary": lambda: pa.dictionary(_read_arrow(rest[0]), _read_arrow(rest[1]), bool(rest[2])),
        "binary": lambda: pa.binary(int(rest[0])),
        "named": lambda: pa.type_for_alias(str(rest[0])),
    }
    return made[name]()


# pandas' own arrays ----------------------------------------------------------------------------------------------


def _write_column(writer: Any, array: Any) -> Any:
    """Return JSON of the array behind a column or an index."""
    dtype = array.dtype
    if type(array) is pd.arrays.NumpyExtensionArray or isinstance(dtype, np.dtype):
        return write_array(writer, array)
    made: dict[str, Any] = {"d": _write_dtype(writer, dtype)}
    if isinstance(dtype, pd.CategoricalDtype):
        return made | {"codes": write_npy(np.asarray(array.codes))}
    if isinstance(dtype, (pd.PeriodDtype, pd.DatetimeTZDtype)):
        return made | {"i8": write_npy(array.asi8)}
    if isinstance(dtype, pd.IntervalDtype):
        return made | {"sides": [_write_index(writer, array.left), _write_index(writer, array.right)]}
    if isinstance(dtype, pd.SparseDtype):
        index = array.sp_index.to_int_index()
        return made | {"sparse": [write_array(writer, array.sp_values), write_npy(index.indices), index.length]}
    if made["d"][0] == "named":
        gaps = np.asarray(array.isna())
        filled = array.fillna(array.dtype.type(0)) if gaps.any() else array
        return made | {"filled": write_npy(filled.to_numpy(dtype=dtype.numpy_dtype)), "gaps": write_npy(gaps)}
    if isinstance(dtype, pd.ArrowDtype):
        return made | {"v": [_write_nested(writer, item) for item in array._pa_array.to_pylist()]}
    return made | {"v": [writer.value(item) for item in np.asarray(array, object).tolist()]}


def _read_column(reader: Any, data: Any) -> Any:
    if isinstance(data, str) or "d" not in data:
        return read_array(reader, data)
    dtype = _read_dtype(reader, data["d"])
    if "codes" in data:
        return pd.Categorical.from_codes(read_npy(data["codes"]), dtype=dtype)
    if "i8" in data and isinstance(dtype, pd.PeriodDtype):
        return pd.arrays.PeriodArray(read_npy(data["i8"]), dtype=dtype)
    if "i8" in data:
        moments = read_npy(data["i8"]).view(f"M8[{dtype.unit}]")
        return pd.DatetimeIndex(moments).tz_localize("UTC").tz_convert(dtype.tz).array
    if "sides" in data:
        left, right = (_read_index(reader, side) for side in data["sides"])
        return pd.arrays.IntervalArray.from_arrays(left, right, closed=dtype.closed, dtype=dtype)
    if "sparse" in data:
        values, indices, length = data["sparse"]
        index = pd._libs.sparse.IntIndex(int(length), read_npy(indices))
        return pd.arrays.SparseArray(read_array(reader, values), sparse_index=index, dtype=dtype)
    if "filled" in data:
        array = pd.array(read_npy(data["filled"]), dtype=dtype)
        array[read_npy(data["gaps"])] = pd.NA
        return array
    if isinstance(dtype, pd.ArrowDtype):
        import pyarrow as pa

        items = [_read_nested(reader, item) for item in data["v"]]
        return pd.arrays.ArrowExtensionArray(pa.chunked_array([pa.array(items, type=dtype.pyarrow_dtype)]))
    return pd.array([reader.value(item) for item in data["v"]], dtype=dtype)


def _write_nested(writer: Any, item: Any) -> Any:
    """Return JSON of a value of Arrow's, whose lists and dicts belong to it: nobody else holds them."""
    if isinstance(item, list):
        return [_write_nested(writer, part) for part in item]
    if isinstance(item, dict):
        return {"t": "parts", "v": [[name, _write_nested(writer, part)] for name, part in item.items()]}
    return writer.value(item)


def _read_nested(reader: Any, data: Any) -> Any:
    if isinstance(data, list):
        return [_read_nested(reader, part) for part in data]
    if isinstance(data, dict) and data["t"] == "parts":
        return {str(name): _read_nested(reader, part) for name, part in data["v"]}
    return reader.value(data)


def _write_offset(writer: Any, offset: Any) -> Any:
    """Return JSON of a frequency. Raises `StaysError` for one that its name does not tell whole."""
    try:
        if to_offset(offset.freqstr) == offset:
            return offset.freqstr
    except ValueError:
        pass
    if type(offset) is pd.offsets.DateOffset:
        return [offset.n, offset.normalize, {name: writer.value(value) for name, value in offset.kwds.items()}]
    raise StaysError


def _read_offset(reader: Any, data: Any) -> Any:
    if isinstance(data, str):
        return to_offset(data)
    words = {str(name): reader.value(value) for name, value in data[2].items()}
    return pd.offsets.DateOffset(int(data[0]), normalize=bool(data[1]), **words)


def _write_index(writer: Any, index: Any) -> Any:
    if isinstance(index, pd.RangeIndex):
        return {"range": [index.start, index.stop, index.step], "n": writer.value(index.name)}
    if isinstance(index, pd.MultiIndex):
        levels = [_write_index(writer, level) for level in index.levels]
        codes = [write_npy(np.asarray(code)) for code in index.codes]
        return {"levels": levels, "codes": codes, "n": [writer.value(name) for name in index.names]}
    made = {"v": _write_column(writer, index.array), "n": writer.value(index.name)}
    if isinstance(index, (pd.DatetimeIndex, pd.TimedeltaIndex)) and index.freq is not None:
        made["f"] = _write_offset(writer, index.freq)
    return made


def _read_index(reader: Any, data: Any) -> Any:
    if "range" in data:
        return pd.RangeIndex(*(int(part) for part in data["range"]), name=reader.value(data["n"]))
    if "levels" in data:
        names = [reader.value(name) for name in data["n"]]
        levels = [_read_index(reader, level) for level in data["levels"]]
        return pd.MultiIndex(levels=levels, codes=[read_npy(code) for code in data["codes"]], names=names)
    column = _read_column(reader, data["v"])
    dtype = column.dtype if column.dtype == object else None  # what is of objects stays so
    index = pd.Index(column, name=reader.value(data["n"]), dtype=dtype)
    if "f" in data:
        index.freq = _read_offset(reader, data["f"])
    return index


# Frames ----------------------------------------------------------------------------------------------------------


def _attrs(writer: Any, thing: Any) -> Any:
    return [[writer.value(key), writer.value(value)] for key, value in thing.attrs.items()]


def _read_attrs(reader: Any, data: Any) -> dict[Any, Any]:
    return {reader.value(key): reader.value(value) for key, value in data}


def _write_frame(writer: Any, frame: Any) -> Any:
    columns = [_write_column(writer, frame.iloc[:, at].array) for at in range(frame.shape[1])]
    return [_write_index(writer, frame.index), _write_index(writer, frame.columns), columns, _attrs(writer, frame)]


def _read_frame(reader: Any, data: Any) -> Any:
    index, columns = _read_index(reader, data[0]), _read_index(reader, data[1])
    made = {at: _series(_read_column(reader, column), index) for at, column in enumerate(data[2])}
    frame = pd.DataFrame(made, index=index)
    frame.columns = columns
    frame.attrs = _read_attrs(reader, data[3])
    return frame


def _series(column: Any, index: Any) -> Any:
    return pd.Series(column, index=index, dtype=column.dtype)


def _write_series(writer: Any, series: Any) -> Any:
    column = _write_column(writer, series.array)
    return [_write_index(writer, series.index), writer.value(series.name), column, _attrs(writer, series)]


def _read_series(reader: Any, data: Any) -> Any:
    series = _series(_read_column(reader, data[2]), _read_index(reader, data[0]))
    series.name = reader.value(data[1])
    series.attrs = _read_attrs(reader, data[3])
    return series


def _look_index(index: Any) -> Any:
    kinds = tuple(map(str, index.dtypes)) if isinstance(index, pd.MultiIndex) else str(index.dtype)
    return tuple(index.names), kinds, _look_array(np.asarray(index))


def _look_column(column: Any) -> Any:
    return str(column.dtype), _look_array(np.asarray(column))


def _look_attrs(thing: Any) -> Any:
    return tuple((mark(key), mark(value)) for key, value in thing.attrs.items())


def _look_frame(thing: Any) -> Any:
    columns = tuple(_look_column(thing.iloc[:, at]) for at in range(thing.shape[1]))
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
        parts = [thing.index, thing.columns, *(thing.iloc[:, at] for at in range(thing.shape[1]))]
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
    moment = pd.Timestamp(np.datetime64(int(data[0]), str(data[1])))
    return moment if data[2] is None else moment.tz_localize("UTC").tz_convert(read_zone(data[2]))


def _is_dtype(value: Any) -> bool:
    return isinstance(value, (np.dtype, pd.api.extensions.ExtensionDtype))


def _write_npscalar(writer: Any, value: Any) -> Any:
    if value.dtype.hasobject:
        raise StaysError
    return [write_npy(np.asarray(value)), isinstance(value, np.record)]


def _read_npscalar(reader: Any, data: Any) -> Any:
    array = read_npy(data[0])
    return (array.view(np.dtype((np.record, array.dtype))) if data[1] else array)[()]


ROWS = (
    Row("npscalar", (), _write_npscalar, _read_npscalar, matches=lambda value: isinstance(value, np.generic)),
    Row("dtype", (), _write_dtype, _read_dtype, matches=_is_dtype),
    Row("timestamp", (pd.Timestamp,), _write_timestamp, _read_timestamp),
    Row(
        "timedelta",
        (pd.Timedelta,),
        lambda writer, span: [int(span.asm8.view("i8")), span.unit],
        lambda reader, data: pd.Timedelta(np.timedelta64(int(data[0]), str(data[1]))),
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
    Row("index", (), _write_index, _read_index, matches=lambda value: isinstance(value, pd.Index)),
    Row("offset", (), _write_offset, _read_offset, matches=lambda value: isinstance(value, pd.tseries.offsets.BaseOffset)),
    Row(
        "extension",
        (),
        lambda writer, array: _write_column(writer, array),
        lambda reader, data: _read_extension(reader, data),
        matches=lambda value: isinstance(value, pd.api.extensions.ExtensionArray),
    ),
)


def _read_extension(reader: Any, data: Any) -> Any:
    column = _read_column(reader, data)
    return pd.array(column) if isinstance(column, np.ndarray) else column


SHARED = (
    SharedRow("array", np.ndarray, write_array, read_array, _look_array, _renew_array),
    SharedRow("masked", np.ma.MaskedArray, _write_masked, _read_masked, _look_masked, _renew_array),
    SharedRow(
        "matrix", np.matrix, write_array, lambda reader, data: np.asmatrix(read_array(reader, data)), _look_array,
        _renew_array,
    ),
    SharedRow(
        "records", np.recarray, write_array, lambda reader, data: read_array(reader, data).view(np.recarray),
        _look_array, _renew_array,
    ),
    SharedRow("frame", pd.DataFrame, _write_frame, _read_frame, _look_frame, _renew_table),
    SharedRow("series", pd.Series, _write_series, _read_series, _look_series, _renew_table),
)
