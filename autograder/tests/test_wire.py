"""What travels between two kernels: plain data arrives equal and of exact types, everything else stays behind."""

import collections
import contextlib
import datetime
import decimal
import enum
import fractions
import json
import math
import pathlib
import queue
import threading
import uuid
from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from autograder.examiner.links import ExaminerLink, Gone, StudentLink
from autograder.values.desk import Desk
from autograder.values.proxies import Remote
from autograder.values.rows import WireError
from autograder.values.wire import Writer


def there(value: Any) -> Any:
    """Send a value from a student's side to an examiner's."""
    link = ExaminerLink(None, None, {})
    return link.reader.message(Writer(Desk("s"), lambda thing: None).message(value, set()))[0]


Point = collections.namedtuple("Point", ["x", "y"])
SAMPLES = [
    None, True, 3, 2**70, -(2**53), 1.5, math.inf, "ä\ud800\0", b"\xff", (1, (2,)), frozenset({1}), 1 + 2j, ...,
    range(2, 9, 3), slice(None, 3), datetime.date(2026, 1, 2),
    datetime.datetime(2026, 1, 2, 3, 4),
    datetime.timedelta(days=1, microseconds=5), decimal.Decimal("1.10"), fractions.Fraction(1, 3), uuid.UUID(int=7),
    pathlib.Path("/a/b"), np.dtype("float32"), pd.Timestamp("2026-01-02"),
    pd.Timestamp("2026-01-02", tz="Europe/Paris"),
    pd.Timedelta("3h"), [1, [2, {"a": {3}}]], {(1, 2): [None]}, bytearray(b"x"), int, np.float64, ValueError,
    datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC),
]  # fmt: skip


@pytest.mark.parametrize("value", SAMPLES, ids=repr)
def test_plain_data_arrives(value: Any) -> None:
    got = there(value)
    assert got == value
    assert type(got) is type(value)


@pytest.mark.parametrize("value", [
    np.arange(6).reshape(2, 3), np.array([1.5, np.nan]), np.array(["a", "bc"]),
    np.array([1, "a", None], dtype=object),
    np.array("2026-01-02", dtype="datetime64[D]"), np.zeros((0, 3), dtype="int8"), np.float32(1.5), np.bool_(True),
], ids=repr)  # fmt: skip
def test_arrays_arrive(value: Any) -> None:
    got = there(value)
    assert type(got) is type(value)
    assert got.dtype == value.dtype
    np.testing.assert_array_equal(got, value)


FRAME = pd.DataFrame(
    {
        "n": [1, 2, 3],
        "x": [0.5, np.nan, 2.0],
        "s": ["a", None, "c"],
        "when": pd.to_datetime(["2026-01-01", "2026-02-01", None]),
        "kind": pd.Categorical(["u", "v", "u"], categories=["v", "u"], ordered=True),
        "whole": pd.array([1, None, 3], dtype="Int64"),
        "zone": pd.to_datetime(["2026-01-01"] * 3).tz_localize("UTC"),
        "text": pd.array(["a", None, "b"], dtype="string"),
    },
    index=pd.Index([7, 5, 5], name="id"),
)
FRAMES = [FRAME, FRAME.iloc[:0], FRAME.set_index("s", append=True), FRAME.T, pd.DataFrame(), FRAME.reset_index(),
          pd.DataFrame(np.eye(2), columns=pd.MultiIndex.from_product([["a"], ["b", "c"]])),
          FRAME[["n", "n"]]]  # fmt: skip


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: str(frame.shape))
def test_frames_arrive(frame: pd.DataFrame) -> None:
    pd.testing.assert_frame_equal(there(frame), frame)


@pytest.mark.parametrize("name", FRAME.columns)
def test_columns_and_indices_arrive(name: str) -> None:
    pd.testing.assert_series_equal(there(FRAME[name]), FRAME[name])
    pd.testing.assert_index_equal(there(pd.Index(FRAME[name])), pd.Index(FRAME[name]))


values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text() | st.binary(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner) | st.tuples(inner, inner),
    max_leaves=20,
)


@given(values)
def test_any_nesting_arrives(value: Any) -> None:
    assert there(value) == value


def test_a_list_that_holds_itself_arrives() -> None:
    loop: list[Any] = [1]
    loop.append(loop)
    got = there(loop)
    assert got[1] is got


class Same(float):
    """Equal to everything."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = float.__hash__


class Colour(enum.Enum):
    RED = "red"


def test_a_class_of_its_own_arrives_as_what_it_is() -> None:
    assert type(there(Same(2.5))) is float
    assert there(Same(2.5)) != 3
    assert type(there(collections.OrderedDict(a=1))) is collections.OrderedDict
    assert type(there(collections.Counter("aab"))) is collections.Counter
    assert there(Point(1, 2)).y == 2
    assert there(Colour.RED) is Colour.RED
    assert isinstance(there(lambda: 1), Remote)
    assert isinstance(there(object()), Remote)
    assert there(threading.Thread) is not threading.Thread, "a class that does something, which a test might call"


HOSTILE = [
    b"", b"{", b"[]", b'{"value": 1}', b'{"value": {"t": "nothing"}, "objects": {}, "changed": {}}',
    b'{"value": {"t": "shared", "v": "s9"}, "objects": {}, "changed": {}}',
    b'{"value": {"t": "yours", "v": "t9"}, "objects": {}, "changed": {}}',
    b'{"value": 1, "objects": {"t1": ["list", []]}, "changed": {}}',
    b'{"value": 1, "objects": {}, "changed": {"t1": ["list", []]}}',
    b'{"value": 1, "objects": {"s1": ["array", "AAAA"]}, "changed": {}}',
    json.dumps({"value": 1, "objects": {"s1": ["frame", 1, 2, 3]}, "changed": {}}).encode(),
    b'{"value": {"t": "npscalar", "v": "gASVCgAAAAAAAACMBHRlc3SUlC4="}, "objects": {}, "changed": {}}',  # a pickle
    *(json.dumps({"changed": {}, "classes": {}} | more).encode() for more in (
        {"value": 1, "objects": {"s1": ["instance", ["Money", [["v", 1]]]]}},  # of a class that no cell made
        {"value": 1, "objects": {"s1": ["object", [[["v", 1]], []]]}},  # only what a test handed over changes so
        {"value": 1, "objects": {"s1": ["random", [3, [1], None]]}},
        {"value": {"t": "handle", "h": "s1", "c": "s2"}, "objects": {}},  # of a class that is not described
        {"value": {"t": "enum", "v": ["os", "PathLike", "", "A", None]}, "objects": {}},
        {"value": {"t": "zone", "v": ["dateutil", "/etc/passwd"]}, "objects": {}},
        {"value": {"t": "zone", "v": ["zone", "../../etc/passwd"]}, "objects": {}},
    )),
]  # fmt: skip


def _described(**more: Any) -> dict[str, Any]:
    return {"mro": [["__main__", "A"]], "bases": [], "specials": [], "meta": [], "base": "", "over": [],
            "unhashable": False} | more  # fmt: skip


@pytest.mark.parametrize("told", [
    _described(base="list"),  # a list without its items
    _described(mro=[]),
    _described(base="tuple", fields=["a", "a"]),
    _described(data=["a b"]),
    _described(data=["a: __import__('os').system('true')"]),
    _described(bases=["s9"]),
], ids=str)  # fmt: skip
def test_a_class_that_cannot_be_is_refused(told: dict[str, Any]) -> None:
    handle = {"t": "handle", "h": "s1", "c": "s2"}
    body = json.dumps({"value": handle, "objects": {}, "changed": {}, "classes": {"s2": told}}).encode()
    with pytest.raises(WireError):
        ExaminerLink(None, None, {}).reader.message(body)


@pytest.mark.parametrize("kind", [pd.DataFrame, np.ndarray, float, str, list, datetime.date, decimal.Decimal])
def test_nothing_passes_for_data_that_is_none(kind: type) -> None:
    told = _described(mro=[[kind.__module__, kind.__name__], ["builtins", "object"]])
    handle = {"t": "handle", "h": "s1", "c": "s2"}
    body = json.dumps({"value": handle, "objects": {}, "changed": {}, "classes": {"s2": told}}).encode()
    assert not isinstance(ExaminerLink(None, None, {}).reader.message(body)[0], kind)


@pytest.mark.parametrize("body", HOSTILE, ids=repr)
def test_what_no_writer_wrote_is_refused(body: bytes) -> None:
    with pytest.raises(WireError):
        ExaminerLink(None, None, {}).reader.message(body)


@given(st.binary(max_size=60) | st.recursive(st.none() | st.text(max_size=5), lambda x: st.lists(x) | st.dictionaries(
    st.sampled_from(["t", "v", "n", "h", "c", "main", "shared", "list"]), x)).map(
        lambda x: json.dumps(
            {"value": x, "objects": {"s1": x}, "changed": {}, "classes": {"s1": x}}).encode()))  # fmt: skip
def test_nothing_but_a_wire_error_comes_of_nonsense(body: bytes) -> None:
    with contextlib.suppress(WireError):
        ExaminerLink(None, None, {}).reader.message(body)


class Pair:
    """Two links, the student's served by a thread."""

    def __init__(self) -> None:
        to_student, to_examiner = queue.Queue[Any](), queue.Queue[Any]()
        self.main: dict[str, Any] = {}
        self.student = StudentLink(lambda *frame: to_examiner.put(frame), lambda: to_student.get(timeout=10), self.main)
        self.examiner = ExaminerLink(lambda *frame: to_student.put(frame), lambda: to_examiner.get(timeout=10), {})
        self.stop, self.to_examiner = lambda: to_student.put(("q", b"")), to_examiner

        def serve() -> None:
            while (frame := to_student.get())[0] == "a":
                self.student.serve(frame[1])

        threading.Thread(target=serve, daemon=True).start()

    def get(self, name: str, value: Any) -> Any:
        """Have the student define something; returns what a test gets for it."""
        self.main[name] = value
        return self.examiner.names([name])[name]


@pytest.fixture
def pair() -> Iterator[Pair]:
    made = Pair()
    yield made
    made.stop()


def test_a_function_is_called_where_it_is(pair: Pair) -> None:
    double = pair.get("double", lambda x, *, by=2: x * by)
    assert issubclass(type(double), Remote)
    assert double(4) == 8
    assert double([1], by=3) == [1, 1, 1]


def test_a_callback_runs_in_the_test(pair: Pair) -> None:
    calls = []

    def price(term: int) -> float:
        calls.append(term)
        return 100.0 - term

    assert pair.get("cheapest", lambda terms, f: min(terms, key=f))([12, 24], price) == 24
    assert calls == [12, 24]


def test_an_argument_that_is_changed_is_changed_here(pair: Pair) -> None:
    def spoil(a: Any, b: Any, c: Any, d: Any) -> None:
        a.append(1)
        b["k"] = a
        c[0] = 9
        d["new"] = 1
        d.loc[0, "old"] = 5

    a, b, c, d = [0], dict[str, Any](), np.zeros(2), pd.DataFrame({"old": [1, 2]})
    assert pair.get("spoil", spoil)(a, b, c, d) is None
    assert a == [0, 1]
    assert b["k"] is a
    assert c.tolist() == [9, 0]
    assert d.to_dict("list") == {"old": [5, 2], "new": [1, 1]}


@pytest.mark.parametrize("frame", FRAMES, ids=lambda frame: str(frame.shape))
def test_a_tests_frame_arrives(pair: Pair, frame: pd.DataFrame) -> None:
    assert pair.get("keep", lambda frame: pair.main.update(kept=frame))(frame) is None
    assert pair.main["kept"] is not frame
    pd.testing.assert_frame_equal(pair.main["kept"], frame)


@pytest.mark.parametrize("module", ["__main__", __name__])  # a cell of the notebook, and what cannot be pickled
def test_what_a_frame_holds_of_the_test_stays_there(pair: Pair, module: str) -> None:
    calls: list[int] = []

    def note(number: int) -> None:
        calls.append(number)

    note.__module__ = module
    frame = pd.DataFrame({"text": ["a", "b"], "call": [note, len]})
    assert pair.get("use", lambda frame: frame["call"][0](7))(frame) is None
    assert calls == [7]


def test_what_comes_back_is_the_same_object(pair: Pair) -> None:
    same, kept = pair.get("same", lambda x: {"in": x}), {"seed": 1}
    record = same(kept)
    assert record["in"] is kept
    kept["seed"] = 99
    assert record["in"]["seed"] == 99
    copied = pair.get("copy", lambda x: dict(x))(kept)
    kept["seed"] = 1
    assert copied == {"seed": 99}


def test_a_default_that_is_kept_is_seen_to_grow(pair: Pair) -> None:
    def collect(x: int, into: list[int] = []) -> list[int]:  # noqa: B006
        into.append(x)
        return into

    remote = pair.get("collect", collect)
    first = remote(1)
    remote(2)
    assert first == [1, 2], "as in one process"


def test_errors_arrive_as_what_they_are(pair: Pair) -> None:
    def fail(kind: str) -> None:
        raise {"v": ValueError("no"), "k": KeyError("key"), "x": SystemExit(3), "o": Own("mine")}[kind]

    class Own(ValueError):
        pass

    remote = pair.get("fail", fail)
    with pytest.raises(ValueError, match=r"^no$"):
        remote("v")
    with pytest.raises(KeyError) as error:
        remote("k")
    assert error.value.args == ("key",)
    with pytest.raises(ValueError, match="mine") as own:
        remote("o")
    assert type(own.value).__name__ == "Own"
    with pytest.raises(Exception, match="3") as exited:
        remote("x")
    assert isinstance(exited.value, Exception), "not a SystemExit, which would end the test"


def test_the_tests_own_error_passes_through(pair: Pair) -> None:
    class Boom(Exception):
        pass

    def write(stream: Any) -> None:
        raise Boom("the machine stopped")

    with pytest.raises(Boom, match="stopped"):
        pair.get("run", lambda f: f(None))(write)


def test_an_object_of_a_library_is_used_from_afar(pair: Pair) -> None:
    from sklearn.linear_model import LogisticRegression

    x, y = np.array([[0.0], [1.0], [2.0], [3.0]]), np.array([0, 0, 1, 1])
    model = pair.get("train", lambda x, y: LogisticRegression().fit(x, y))(x, y)
    assert isinstance(model, LogisticRegression)
    assert model.predict(x).tolist() == [0, 0, 1, 1]
    assert model.coef_.shape == (1, 1)


class Always:
    """Agrees with everything."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def _yes(self, *args: Any) -> bool:
        self.seen += args
        return True

    __eq__ = __lt__ = __gt__ = __contains__ = _yes  # type: ignore[assignment]
    __hash__ = object.__hash__

    def __sub__(self, other: Any) -> Any:
        return self._yes(other) and self

    def __abs__(self) -> Any:
        return self


def test_two_objects_of_the_students_are_compared_over_there(pair: Pair) -> None:
    """Cases public/01-undeserved and public/03-dates-and-scalars."""
    a, b = pair.get("both", lambda: (fractions.Fraction, Amount(2), Amount(2)))()[1:]
    assert a == b
    assert (a + b).value == 4
    assert sorted([a, b])[0] is a
    assert a != None  # noqa: E711  # says nothing of what is expected
    with pytest.raises(TypeError, match="an object of Amount came back"):
        assert a == 2


class Amount:
    """Compares and adds."""

    def __init__(self, value: int) -> None:
        self.value = value

    def __eq__(self, other: Any) -> bool:
        return bool(self.value == other.value)

    __hash__ = None  # type: ignore[assignment]

    def __lt__(self, other: Any) -> bool:
        return bool(self.value < other.value)

    def __add__(self, other: Any) -> Any:
        return Amount(self.value + other.value)


def test_what_a_kernel_was_is_forgotten_with_it(pair: Pair) -> None:
    first = pair.get("first", Amount(1))
    pair.student.desk.__init__("s")  # type: ignore[misc]
    pair.student.writer.desk = pair.student.desk
    pair.student.kernel = "another"
    again = pair.get("second", lambda: 3)
    assert again is not first
    assert again() == 3, "a name of the old kernel is not taken for one of the new"


def test_an_object_of_the_students_judges_nothing(pair: Pair) -> None:
    always = Always()
    remote = pair.get("answer", lambda: always)()
    for judge in (
        lambda: remote == 42,
        lambda: remote != 42,
        lambda: remote < 3,
        lambda: remote - 3,
        lambda: abs(remote),
        lambda: 3 in remote,
        lambda: remote >= 3,
    ):
        with pytest.raises(TypeError, match="an object of Always came back"):
            judge()
    assert always.seen == [], "it was told nothing of what a test expects"


def test_the_student_cannot_look_into_a_test(pair: Pair) -> None:
    def secret() -> int:
        return 42

    class Box:
        def __init__(self) -> None:
            self.visible, self._hidden = 1, 2

    def pry(function: Any, box: Any) -> list[str]:
        link = object.__getattribute__(function, "_link")
        found = []
        for thing, name in ((function, "__globals__"), (function, "__code__"), (box, "_hidden"), (box, "__class__")):
            try:
                link.ask("getattr", object.__getattribute__(thing, "_name"), (name,), {})
                found.append("got it")
            except AttributeError:
                found.append("no")
        return [*found, str(box.visible)]

    Box.__module__ = secret.__module__ = "__main__"
    assert pair.get("pry", pry)(secret, Box()) == ["no", "no", "no", "no", "1"]


def test_a_kernel_that_is_gone_ends_the_test(pair: Pair) -> None:
    remote = pair.get("f", lambda: 1)
    pair.stop()
    pair.to_examiner.put(("z", b"it crashed"))
    with pytest.raises(Gone, match="it crashed"):
        remote()
    assert not issubclass(Gone, Exception), "a test that expects an exception must not take it for one"
