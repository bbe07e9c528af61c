"""What both kernels share: containers, streams and random generators, whose changes the other side sees."""

import array
import base64
import collections
import io
import random
import types
from collections.abc import Callable
from typing import Any

import numpy as np

from autograder.values.rows import SharedRow, mark

LONGEST = 2_000
"""A container with more entries than this is looked at again only by a call that it is an argument of."""


def _small(thing: Any) -> bool:
    return len(thing) <= LONGEST


# Containers ------------------------------------------------------------------------------------------------------


def _items(base: type) -> Callable[[Any, Any], Any]:
    """Write what is within by the base's own iterator: a subclass of the student's may have another."""
    iterate: Any = base.__iter__  # type: ignore[attr-defined]
    return lambda writer, thing: [writer.value(item) for item in iterate(thing)]


def _pairs(writer: Any, thing: Any) -> Any:
    items: Any = collections.OrderedDict.items if isinstance(thing, collections.OrderedDict) else dict.items
    return [[writer.value(key), writer.value(value)] for key, value in items(thing)]


def _read_pairs(reader: Any, data: Any) -> dict[Any, Any]:
    return {reader.value(key): reader.value(value) for key, value in data}


def _look_dict(thing: Any) -> Any:
    items: Any = collections.OrderedDict.items if isinstance(thing, collections.OrderedDict) else dict.items
    return tuple((mark(key), mark(value)) for key, value in items(thing))


def _renew_list(thing: Any, new: Any) -> None:
    thing[:] = new


def _renew_dict(thing: Any, new: Any) -> None:
    dict.clear(thing)
    dict.update(thing, new)


def _renew_ordered(thing: Any, new: Any) -> None:
    thing.clear()
    thing.update(new)


def _renew_default(thing: Any, new: Any) -> None:
    _renew_dict(thing, new)
    thing.default_factory = new.default_factory


def _renew_deque(thing: Any, new: Any) -> None:
    thing.clear()
    thing.extend(new)


def _write_deque(writer: Any, thing: Any) -> Any:
    return [thing.maxlen, [writer.value(item) for item in thing]]


def _read_deque(reader: Any, data: Any) -> Any:
    return collections.deque((reader.value(item) for item in data[1]), data[0])


def _empty_deque(data: Any) -> Any:
    return collections.deque(maxlen=data[0])


def _read_default(reader: Any, data: Any) -> Any:
    return collections.defaultdict(reader.value(data[0]), _read_pairs(reader, data[1]))


def _renew_chain(thing: Any, new: Any) -> None:
    thing.maps[:] = new.maps


def _renew_namespace(thing: Any, new: Any) -> None:
    vars(thing).clear()
    vars(thing).update(vars(new))


# Streams and generators: their whole state is plain data ----------------------------------------------------------


def _write_stream(writer: Any, stream: Any) -> Any:
    return [writer.value(stream.getvalue()), stream.tell()] if not stream.closed else [None, 0]


def _renew_stream(stream: Any, new: Any) -> None:
    """Give it the content of another stream, or what `_write_stream` wrote."""
    content, at = new if isinstance(new, list) else (new.getvalue(), new.tell())
    if content is None:
        stream.close()
        return
    stream.seek(0)
    stream.truncate()
    stream.write(content)
    stream.seek(at)


def _read_stream(reader: Any, data: Any) -> Any:
    return [reader.value(data[0]), int(data[1])]


def _look_stream(stream: Any) -> Any:
    return None if stream.closed else (hash(stream.getvalue()), stream.tell())


def _frozen(state: Any) -> Any:
    """Return the state of a generator, which is of dicts, tuples, numbers and arrays, as tuples; dicts are marked."""
    if isinstance(state, dict):
        return ("dict", *((key, _frozen(value)) for key, value in state.items()))
    if isinstance(state, np.ndarray):
        return tuple(state.tolist())
    return tuple(map(_frozen, state)) if isinstance(state, tuple) else state


def _thawed(state: Any) -> Any:
    if isinstance(state, tuple) and state and state[0] == "dict":
        return {key: _thawed(value) for key, value in state[1:]}
    return tuple(map(_thawed, state)) if isinstance(state, tuple) else state


def _state(kind: Any, tag: str, read: Callable[[Any], Any], write: Callable[[Any, Any], None]) -> SharedRow:
    """Return the row of something whose state can be read and set."""

    def renew(thing: Any, new: Any) -> None:
        write(thing, read(new) if isinstance(new, kind) else new)

    return SharedRow(
        tag,
        kind,
        lambda writer, thing: writer.value(_frozen(read(thing))),
        lambda reader, data: _thawed(reader.value(data)),
        lambda thing: _frozen(read(thing)),
        renew,
        small=lambda thing: True,
        born=False,
    )


def _set_generator(thing: Any, state: Any) -> None:
    thing.bit_generator.state = state


def _stream(tag: str, kind: type) -> SharedRow:
    return SharedRow(tag, kind, _write_stream, _read_stream, _look_stream, _renew_stream, born=False)


SHARED = (
    SharedRow("list", list, _items(list), lambda reader, data: [reader.value(item) for item in data],
              lambda thing: tuple(map(mark, list.__iter__(thing))), _renew_list, lambda data: [], _small),
    SharedRow("dict", dict, _pairs, _read_pairs, _look_dict, _renew_dict, lambda data: {}, _small),
    SharedRow("set", set, _items(set), lambda reader, data: {reader.value(item) for item in data},
              lambda thing: frozenset(map(mark, set.__iter__(thing))),
              lambda thing, new: (set.clear(thing), set.update(thing, new))[1], lambda data: set(), _small),
    SharedRow("bytearray", bytearray, lambda writer, thing: base64.b64encode(thing).decode(),
              lambda reader, data: bytearray(base64.b64decode(data)), bytes, _renew_list, lambda data: bytearray(),
              _small),
    SharedRow("ordered", collections.OrderedDict, _pairs,
              lambda reader, data: collections.OrderedDict(_read_pairs(reader, data)), _look_dict, _renew_ordered,
              lambda data: collections.OrderedDict(), _small),
    SharedRow("counter", collections.Counter, _pairs,
              lambda reader, data: collections.Counter(_read_pairs(reader, data)), _look_dict, _renew_dict,
              lambda data: collections.Counter(), _small),
    SharedRow("default", collections.defaultdict,
              lambda writer, thing: [writer.value(thing.default_factory), _pairs(writer, thing)], _read_default,
              _look_dict, _renew_default, lambda data: collections.defaultdict(), _small),
    SharedRow("deque", collections.deque, _write_deque, _read_deque, lambda thing: tuple(map(mark, thing)),
              _renew_deque, _empty_deque, _small),
    SharedRow("chain", collections.ChainMap, lambda writer, thing: [writer.value(one) for one in thing.maps],
              lambda reader, data: collections.ChainMap(*(reader.value(one) for one in data)),
              lambda thing: tuple(map(id, thing.maps)), _renew_chain, lambda data: collections.ChainMap(), _small),
    SharedRow("namespace", types.SimpleNamespace,
              lambda writer, thing: [[name, writer.value(part)] for name, part in vars(thing).items()],
              lambda reader, data: types.SimpleNamespace(**_read_pairs(reader, data)),
              lambda thing: _look_dict(vars(thing)), _renew_namespace, lambda data: types.SimpleNamespace(),
              lambda thing: True),
    SharedRow("numbers", array.array, lambda writer, thing: [thing.typecode, [writer.value(item) for item in thing]],
              lambda reader, data: array.array(str(data[0]), [reader.value(item) for item in data[1]]),
              lambda thing: (thing.typecode, thing.tobytes()), _renew_list),
    _stream("text", io.StringIO),
    _stream("binary", io.BytesIO),
    _state(np.random.Generator, "generator", lambda thing: thing.bit_generator.state, _set_generator),
    _state(np.random.RandomState, "random_state", lambda thing: thing.get_state(legacy=False),
           lambda thing, state: thing.set_state(state)),
    _state(random.Random, "random", lambda thing: thing.getstate(), lambda thing, state: thing.setstate(state)),
)  # fmt: skip
