"""How what a frame is made of travels from the student's kernel: types, pandas' own arrays, Arrow's, and indices."""

from typing import Any

import numpy as np
import pandas
from pandas.tseries.frequencies import to_offset

from autograder.values.arrays import read_array, read_npy, write_array, write_npy
from autograder.values.rows import StaysError
from autograder.values.scalars import read_zone, write_zone

pd: Any = pandas  # its overloads want to know types that only run time knows


# Types -----------------------------------------------------------------------------------------------------------


def write_dtype(writer: Any, dtype: Any) -> Any:
    """Return JSON of the type of an array or a column. Raises `StaysError`."""
    if isinstance(dtype, np.dtype):
        return ["np", "O"] if dtype.kind == "O" else ["np", write_npy(np.empty(0, dtype))]
    if isinstance(dtype, pd.CategoricalDtype):
        categories = None if dtype.categories is None else write_index(writer, dtype.categories)
        return ["category", categories, dtype.ordered]
    if isinstance(dtype, pd.StringDtype):
        return ["string", dtype.storage, "nan" if dtype.na_value is np.nan else "na"]
    if isinstance(dtype, pd.IntervalDtype):
        return ["interval", None if dtype.subtype is None else write_dtype(writer, dtype.subtype), dtype.closed]
    if isinstance(dtype, pd.PeriodDtype):
        return ["period", str(dtype)]
    if isinstance(dtype, pd.DatetimeTZDtype):
        return ["zone", dtype.unit, write_zone(dtype.tz)]
    if isinstance(dtype, pd.SparseDtype):
        return ["sparse", write_dtype(writer, dtype.subtype), writer.value(dtype.fill_value)]
    if isinstance(dtype, pd.ArrowDtype):
        return ["arrow", _write_arrow(dtype.pyarrow_dtype)]
    if type(dtype).__module__.startswith("pandas.core.arrays"):  # Int64, boolean, Float32
        return ["named", str(dtype)]
    raise StaysError


def read_dtype(reader: Any, data: Any) -> Any:
    """Return the type."""
    kind, *rest = data
    if kind == "np":
        return np.dtype(object) if rest[0] == "O" else read_npy(rest[0]).dtype
    if kind == "category":
        return pd.CategoricalDtype(None if rest[0] is None else read_index(reader, rest[0]), ordered=rest[1])
    if kind == "string":
        return pd.StringDtype(str(rest[0]), na_value=np.nan if rest[1] == "nan" else pd.NA)
    if kind == "interval":
        return pd.IntervalDtype(None if rest[0] is None else read_dtype(reader, rest[0]), closed=rest[1])
    if kind == "period":
        return pd.PeriodDtype.construct_from_string(str(rest[0]))
    if kind == "zone":
        return pd.DatetimeTZDtype(str(rest[0]), tz=read_zone(rest[1]))
    if kind == "sparse":
        return pd.SparseDtype(read_dtype(reader, rest[0]), fill_value=reader.value(rest[1]))
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


def write_column(writer: Any, array: Any) -> Any:
    """Return JSON of the array behind a column or an index."""
    dtype = array.dtype
    if type(array) is pd.arrays.NumpyExtensionArray or isinstance(dtype, np.dtype):
        return write_array(writer, array)
    made: dict[str, Any] = {"d": write_dtype(writer, dtype)}
    if isinstance(dtype, pd.CategoricalDtype):
        return made | {"codes": write_npy(np.asarray(array.codes))}
    if isinstance(dtype, (pd.PeriodDtype, pd.DatetimeTZDtype)):
        return made | {"i8": write_npy(array.asi8)}
    if isinstance(dtype, pd.IntervalDtype):
        return made | {"sides": [write_index(writer, array.left), write_index(writer, array.right)]}
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


def read_column(reader: Any, data: Any) -> Any:
    """Return the array."""
    if isinstance(data, str) or "d" not in data:
        return read_array(reader, data)
    dtype = read_dtype(reader, data["d"])
    if "codes" in data:
        return pd.Categorical.from_codes(read_npy(data["codes"]), dtype=dtype)
    if "i8" in data and isinstance(dtype, pd.PeriodDtype):
        return pd.arrays.PeriodArray(read_npy(data["i8"]), dtype=dtype)
    if "i8" in data:
        moments = read_npy(data["i8"]).view(f"M8[{dtype.unit}]")
        return pd.DatetimeIndex(moments).tz_localize("UTC").tz_convert(dtype.tz).array
    if "sides" in data:
        left, right = (read_index(reader, side) for side in data["sides"])
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


def write_offset(writer: Any, offset: Any) -> Any:
    """Return JSON of a frequency. Raises `StaysError` for one that its name does not tell whole."""
    try:
        if to_offset(offset.freqstr) == offset:
            return offset.freqstr
    except ValueError:
        pass
    if type(offset) is pd.offsets.DateOffset:
        return [offset.n, offset.normalize, {name: writer.value(value) for name, value in offset.kwds.items()}]
    raise StaysError


def read_offset(reader: Any, data: Any) -> Any:
    """Return the frequency."""
    if isinstance(data, str):
        return to_offset(data)
    words = {str(name): reader.value(value) for name, value in data[2].items()}
    return pd.offsets.DateOffset(int(data[0]), normalize=bool(data[1]), **words)


def write_index(writer: Any, index: Any) -> Any:
    """Return JSON of an index."""
    if isinstance(index, pd.RangeIndex):
        return {"range": [index.start, index.stop, index.step], "n": writer.value(index.name)}
    if isinstance(index, pd.MultiIndex):
        levels = [write_index(writer, level) for level in index.levels]
        codes = [write_npy(np.asarray(code)) for code in index.codes]
        return {"levels": levels, "codes": codes, "n": [writer.value(name) for name in index.names]}
    made = {"v": write_column(writer, index.array), "n": writer.value(index.name)}
    if isinstance(index, (pd.DatetimeIndex, pd.TimedeltaIndex)) and index.freq is not None:
        made["f"] = write_offset(writer, index.freq)
    return made


def read_index(reader: Any, data: Any) -> Any:
    """Return the index."""
    if "range" in data:
        return pd.RangeIndex(*(int(part) for part in data["range"]), name=reader.value(data["n"]))
    if "levels" in data:
        names = [reader.value(name) for name in data["n"]]
        levels = [read_index(reader, level) for level in data["levels"]]
        return pd.MultiIndex(levels=levels, codes=[read_npy(code) for code in data["codes"]], names=names)
    column = read_column(reader, data["v"])
    dtype = column.dtype if column.dtype == object else None  # what is of objects stays so
    index = pd.Index(column, name=reader.value(data["n"]), dtype=dtype)
    if "f" in data:
        index.freq = read_offset(reader, data["f"])
    return index
