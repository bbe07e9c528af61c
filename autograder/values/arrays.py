"""How NumPy's arrays and scalars travel from the student's kernel."""

import base64
import io
from typing import Any

import numpy as np

from autograder.values.rows import SIMPLE, Row, SharedRow, StaysError, WireError, mark


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


def look_array(thing: Any) -> Any:
    """Return something that differs if the content does."""
    if thing.dtype.hasobject:
        parts = np.asarray(thing).ravel().tolist()
        try:
            return thing.shape, hash(tuple(parts)), hash(tuple(map(type, parts)))
        except TypeError:  # a list among them
            return thing.shape, tuple(map(mark, parts))
    return thing.shape, thing.dtype.str, hash(thing.tobytes())


def _look_masked(thing: Any) -> Any:
    return look_array(np.ma.getdata(thing)), hash(np.ma.getmaskarray(thing).tobytes())


def _write_npscalar(writer: Any, value: Any) -> Any:
    if value.dtype.hasobject:
        raise StaysError
    return [write_npy(np.asarray(value)), isinstance(value, np.record)]


def _read_npscalar(reader: Any, data: Any) -> Any:
    array = read_npy(data[0])
    return (array.view(np.dtype((np.record, array.dtype))) if data[1] else array)[()]


ROWS = (Row("npscalar", (), _write_npscalar, _read_npscalar, matches=lambda value: isinstance(value, np.generic)),)

SHARED = (
    SharedRow("array", np.ndarray, write_array, read_array, look_array, _renew_array),
    SharedRow("masked", np.ma.MaskedArray, _write_masked, _read_masked, _look_masked, _renew_array),
    SharedRow(
        "matrix",
        np.matrix,
        write_array,
        lambda reader, data: np.asmatrix(read_array(reader, data)),
        look_array,
        _renew_array,
    ),
    SharedRow(
        "records",
        np.recarray,
        write_array,
        lambda reader, data: read_array(reader, data).view(np.recarray),
        look_array,
        _renew_array,
    ),
)
