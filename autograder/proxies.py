"""What stands in one kernel for an object that stayed in the other, and what may be done to it from there."""

import operator
import types
from collections.abc import Callable
from typing import Any

from autograder.wire import Desk, Packing, Reader, Unpacking, WireError, Writer, known_class

_DEEPEST = 40
"""Calls back and forth within one another."""


class Gone(BaseException):
    """The student's kernel is no longer there. Not an `Exception`: a test that expects one must not take it for it."""


class StudentExitError(Exception):
    """The student's code tried to end Python."""


class Remote:
    """An object of the other kernel. What is done to it is done there; equality is identity.

    There is no arithmetic, order or membership: a student's class would be told what a test expects, and judge it.
    """

    __slots__ = ("__weakref__", "_about", "_link", "_name")

    def __init__(self, link: "Link", name: str, calls: bool, kind: type | None, about: dict[str, str]) -> None:
        object.__setattr__(self, "_link", link)
        object.__setattr__(self, "_name", name)
        object.__setattr__(self, "_about", (calls, kind, about))

    def __getattribute__(self, name: str) -> Any:
        if name == "__class__":
            return object.__getattribute__(self, "_about")[1] or Remote
        if name.startswith("__") and name.endswith("__"):
            about = object.__getattribute__(self, "_about")[2]
            return about[name] if name in about else object.__getattribute__(self, name)
        return _do(self, "getattr", name)

    def __setattr__(self, name: str, value: Any) -> None:
        _do(self, "setattr", name, value)

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Call it over there."""
        return _do(self, "call", *args, **kwargs)

    def __iter__(self) -> Any:
        return _do(self, "iter")

    def __repr__(self) -> str:
        kind = object.__getattribute__(self, "_about")[1]
        return f"<object of the other kernel{f': {kind.__name__}' if kind else ''}>"

    __hash__ = object.__hash__


def _do(remote: Remote, act: str, *args: Any, **kwargs: Any) -> Any:
    link: Link = object.__getattribute__(remote, "_link")
    return link.ask(act, object.__getattribute__(remote, "_name"), args, kwargs)


def _forward(act: str) -> Callable[..., Any]:
    def method(self: Remote, *args: Any) -> Any:
        return _do(self, act, *args)

    return method


for _act in ("getitem", "setitem", "delitem", "next", "enter", "exit", "str"):
    setattr(Remote, f"__{_act}__", _forward(_act))


def _refuse(self: Remote, *_: Any) -> Any:
    """Arithmetic, order or membership."""
    name = object.__getattribute__(self, "_about")[2].get("class", "another class")
    raise TypeError(f"an object of {name} came back: tests calculate with plain numbers, arrays and data frames only")


for _act in (  # noqa: SIM905
    "abs add and contains floordiv ge gt invert le lshift lt matmul mod mul neg or pos pow radd rand rfloordiv rlshift "
    "rmatmul rmod rmul ror round rpow rrshift rshift rsub rtruediv rxor sub truediv xor"
).split():
    setattr(Remote, f"__{_act}__", _refuse)


def _plain(act: str, kinds: tuple[type, ...]) -> Callable[..., Any]:
    """Return a special method that Python wants a plain value from."""

    def method(self: Remote) -> Any:
        value = _do(self, act)
        if type(value) not in kinds:
            raise TypeError(f"{act}() gave {type(value).__name__}")
        return value

    return method


for _act, _kinds in {"bool": (bool,), "len": (int,), "int": (int,), "float": (float,), "index": (int,)}.items():
    setattr(Remote, f"__{_act}__", _plain(_act, _kinds))


def _as_array(self: Remote, dtype: Any = None, copy: Any = None) -> Any:
    import numpy as np

    value = _do(self, "array")
    if not isinstance(value, np.ndarray):
        raise TypeError("this object is not an array")
    return value if dtype is None else value.astype(dtype)


Remote.__array__ = _as_array  # type: ignore[attr-defined]


def _array(thing: Any) -> Any:
    import numpy as np

    value = np.asarray(thing)
    if value.dtype.hasobject and value.ndim == 0:
        raise TypeError("this object is not an array")
    return value


_ACTS: dict[str, Callable[..., Any]] = {
    "getattr": getattr,
    "setattr": setattr,
    "getitem": operator.getitem,
    "setitem": operator.setitem,
    "delitem": operator.delitem,
    "iter": iter,
    "next": next,
    "len": len,
    "bool": bool,
    "int": int,
    "float": float,
    "index": operator.index,
    "str": str,
    "array": _array,
    "enter": lambda thing: type(thing).__enter__(thing),
    "exit": lambda thing, *how: type(thing).__exit__(thing, *how),
    "call": lambda thing, *args, **kwargs: thing(*args, **kwargs),
}

_NOTHING = object()
_HIDDEN = (types.ModuleType, types.FrameType, types.CodeType, types.TracebackType, types.GeneratorType)


def allowed(act: str, thing: Any, args: tuple[Any, ...]) -> None:
    """Raise if the student's code may not do this to an object of the examiner's.

    It may call it, and use what is public in it: functions show nothing of themselves, and nothing leads to a module
    or a frame, from where the hidden tests could be read.
    """
    if act in ("getattr", "setattr"):
        name = str(args[0])
        if name.startswith("_") or isinstance(thing, (types.FunctionType, types.MethodType, type, *_HIDDEN)):
            raise AttributeError(f"{type(thing).__name__!r} object has no attribute {name!r}")
        if act == "setattr" and (isinstance(args[1], Remote) or name not in getattr(thing, "__dict__", {})):
            raise AttributeError(f"{name} cannot be set")


class Link:
    """One kernel's end of the conversation: asks the other kernel to do something, and does what it is asked.

    Args:
        send: Sends a frame.
        receive: Waits for a frame.
        desk: What this side shares.
    """

    def __init__(
        self, send: Callable[[str, bytes], None], receive: Callable[[], tuple[str, bytes]], desk: Desk
    ) -> None:
        self.send, self.receive, self.desk = send, receive, desk
        self.remotes: dict[str, Remote] = {}
        self.depth = 0

    def name_of(self, thing: Any) -> str | None:
        """Return the other side's name for a `Remote`, None for anything else."""
        return object.__getattribute__(thing, "_name") if type(thing) is Remote else None

    def remote(self, name: str, calls: bool, kind: type | None, about: dict[str, str]) -> Remote:
        """Return what stands for an object of the other side, always the same for the same."""
        if name not in self.remotes:
            self.remotes[name] = Remote(self, name, calls, kind, about)
        return self.remotes[name]

    def ask(self, act: str, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Have the other side do something and return what came of it, or raise what it raised."""
        if self.depth >= _DEEPEST:
            raise RecursionError("too many calls back and forth")
        self.depth += 1
        try:
            self.send("a", self._question(act, name, args, kwargs))
            while True:
                kind, body = self.receive()
                if kind == "z":
                    raise Gone(body.decode(errors="replace"))
                if kind == "k":
                    return self._answer(body)
                self.serve(body)
        finally:
            self.depth -= 1

    def _shared(self, values: tuple[Any, ...]) -> set[str]:
        """Return the names of what is shared among some arguments."""
        names = {self.desk.names.get(id(value), "") for value in values}
        return {name for name in names if name in self.desk.shared}

    def serve(self, body: bytes) -> None:
        """Do what the other side asks, and answer."""
        raise NotImplementedError

    def _question(self, act: str, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bytes:
        raise NotImplementedError

    def _answer(self, body: bytes) -> Any:
        raise NotImplementedError


class StudentLink(Link):
    """The student's end. Nothing here protects the examiner: this runs in the student's process."""

    def __init__(self, send: Any, receive: Any, main: dict[str, Any]) -> None:
        super().__init__(send, receive, Desk("s"))
        self.main = main
        self.writer = Writer(self.desk, self.name_of)
        self.reader = Unpacking(self.desk, self._borrow, main)

    def _borrow(self, name: str, calls: bool, kind: str, about: dict[str, str]) -> Remote:
        return self.remote(name, calls, self.main.get(kind), about)

    def serve(self, body: bytes) -> None:
        """Do what the examiner asks, and answer."""
        act, name, keys, *values = self.reader.message(body)
        args, kwargs = (
            values[: len(values) - len(keys)],
            dict(zip(keys, values[len(values) - len(keys) :], strict=True)),
        )
        try:
            if act == "names":
                result: Any = tuple((one, self.main[one]) for one in args if one in self.main)
            elif act == "bind":
                result = self.main.update(kwargs)
            elif act == "unbind":
                for one in args:
                    self.main.pop(one, None)
                result = None
            else:
                result = _ACTS[act](self.desk.lent[name], *args, **kwargs)
            answer = self.writer.message(result, self._shared(tuple(values)))
        except BaseException as error:
            try:
                answer = self._failure(error)
            except Exception as worse:  # what cannot be written, such as a list nested too deeply, is among the shared
                self.desk.forget()
                answer = self._failure(worse)
        self.send("k", answer)

    def _failure(self, error: BaseException) -> bytes:
        kind = type(error)
        about = {
            "classes": [[base.__module__, base.__qualname__] for base in kind.__mro__],
            "text": _text_of(error),
            "yours": error.__dict__.get("_examiner"),
        }
        plain = tuple(arg if type(arg) in (str, int, float, bool) else None for arg in error.args)
        return self.writer.message(plain, set(self.desk.shared), error=about)

    def _question(self, act: str, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bytes:
        what = (act, name, tuple(args), tuple(kwargs.items()))
        return self.writer.message(what, self._shared((*args, *kwargs.values())))

    def _answer(self, body: bytes) -> Any:
        fine, *rest = self.reader.message(body)
        if fine:
            return rest[0]
        classes, text, name = rest
        known = next((found for one in classes if (found := known_class(*one)) is not None), Exception)
        error = _exception(known if issubclass(known, Exception) else Exception, classes[0][1], text, ())
        error.__dict__["_examiner"] = name
        raise error


class ExaminerLink(Link):
    """The examiner's end: what it reads was written by a process that may lie."""

    def __init__(self, send: Any, receive: Any, known: dict[int, str]) -> None:
        super().__init__(send, receive, Desk("t"))
        self.watch({}, [])
        self.reader = Reader(self.desk, self._handle)
        self.packing = Packing(self.desk, self.name_of, known)

    def _handle(self, name: str, bases: list[list[str]], calls: bool) -> Remote:
        kind = None
        if not bases:
            raise WireError("a handle of no class")
        for module, qualified in bases:
            if module.split(".")[0] in ("builtins", "numpy", "pandas", "collections", "enum"):
                break  # of these, whatever is data came as data
            if (kind := known_class(module, qualified)) is not None:
                break
        return self.remote(name, calls, kind, {"class": bases[0][1].rpartition(".")[2]})

    def watch(self, main: dict[str, Any], names: list[str]) -> None:
        """Begin a test: an answer's name that it deletes or binds anew is, at its next call, so on the other side."""
        self.main, self.answers = main, {name: main[name] for name in names}

    def ask(self, act: str, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Have the other side do something, with the answers' names bound there as here."""
        if act != "names" and self.depth == 0:
            now = {one: self.main.get(one, _NOTHING) for one in self.answers}
            moved = {one: value for one, value in now.items() if value is not self.answers[one]}
            self.answers = now
            if gone := tuple(one for one, value in moved.items() if value is _NOTHING):
                super().ask("unbind", "", gone, {})
            if new := {one: value for one, value in moved.items() if value is not _NOTHING}:
                super().ask("bind", "", (), new)
        return super().ask(act, name, args, kwargs)

    def names(self, wanted: list[str]) -> dict[str, Any]:
        """Return what the student's kernel has under some names; those that it has not are left out."""
        found = self.ask("names", "", tuple(wanted), {})
        return {name: value for name, value in found if name in wanted}

    def serve(self, body: bytes) -> None:
        """Do what the student's code asks of an object that a test gave it, and answer."""
        values: tuple[Any, ...] = ()
        try:
            (act, name, args, pairs), _ = self.reader.message(body)
            kwargs = {str(key): value for key, value in pairs}
            values = (*args, *kwargs.values())
            thing = self.desk.lent[name]
            allowed(act, thing, args)
            result = _ACTS[act](thing, *args, **kwargs)
            if isinstance(result, _HIDDEN[:4]):
                raise AttributeError("this stays with the tests")
            answer = self.packing.message((True, result), self._shared(values))
        except Exception as error:
            kind = type(error)
            classes = [(base.__module__, base.__qualname__) for base in kind.__mro__]
            answer = self.packing.message((False, classes, _text_of(error), self.desk.lend(error)), set())
        self.send("k", answer)

    def _question(self, act: str, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bytes:
        values = (*args, *kwargs.values())
        return self.packing.message((act, name, tuple(kwargs), *values), self._shared(values))

    def _answer(self, body: bytes) -> Any:
        value, message = self.reader.message(body)
        if "error" not in message:
            return value
        about = message["error"]
        if about.get("yours") in self.desk.lent:
            raise self.desk.lent[about["yours"]]
        known = None
        for module, name in about["classes"]:
            if (known := known_class(str(module), str(name))) is not None:
                break
        if known is None or not issubclass(known, Exception):
            known = StudentExitError
        raise _exception(known, str(about["classes"][0][1]).rpartition(".")[2], str(about["text"]), value)


def _text_of(error: BaseException) -> str:
    try:
        return str(error)
    except Exception as worse:
        return f"(its text cannot be shown: {type(worse).__name__})"


def _exception(known: type, name: str, text: str, args: Any) -> Exception:
    """Return an exception of a known class, or of a class made below it, with this name and text."""
    if known.__module__ == "builtins" and known.__name__ == name and not issubclass(known, (OSError, UnicodeError)):
        plain: Any = known.__new__(known)
        plain.args = tuple(args) if args and None not in args else (text,)
        if isinstance(plain, KeyError | StopIteration):
            plain.args = plain.args[:1]
        error: Exception = plain
        return error
    made: Any = type(
        name, (known,), {"__str__": lambda self: text, "__module__": known.__module__, "__init__": _no_init}
    )
    error = made.__new__(made)
    error.args = (text,)
    return error


def _no_init(self: Any, *args: Any) -> None:
    """Take what comes."""
