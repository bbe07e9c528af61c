"""The conversation of the two kernels: each asks the other to do something, and does what it is asked."""

import asyncio
import os
from collections.abc import Callable
from typing import Any

from autograder.examiner.acts import FOR_STUDENTS, FOR_TESTS, HIDDEN, allowed
from autograder.examiner.protocol import Cells
from autograder.examiner.standins import make_class
from autograder.examiner.watching import Told, Watch
from autograder.values.desk import Desk
from autograder.values.packing import Packing, Unpacking
from autograder.values.proxies import Remote, RemoteClass, link_and_name, make_data, make_remote
from autograder.values.raised import plain_error, text_of
from autograder.values.rows import WireError
from autograder.values.wire import Reader, Writer

_DEEPEST = 40
"""Calls back and forth within one another."""
_NESTED = 64
"""How many entries of an argument are looked through for what is shared within it."""


class Gone(BaseException):
    """The student's kernel is no longer there. Not an `Exception`: a test that expects one must not take it for it."""


_NOTHING = object()


class Link:
    """One kernel's end of the conversation.

    Args:
        send: Sends a frame.
        receive: Waits for a frame.
        desk: What this side shares.
    """

    def __init__(
        self, send: Callable[[str, bytes], None], receive: Callable[[], tuple[str, bytes]], desk: Desk
    ) -> None:
        self.send, self.receive, self.desk = send, receive, desk
        self.remotes: dict[str, Any] = {}
        self.classes: dict[str, type] = {}
        self.about: dict[str, dict[str, str]] = {}
        self.depth = 0

    def name_of(self, thing: Any) -> str | None:
        """Return the other side's name for what stands for something of its own, None for anything else."""
        return link_and_name(thing)[1]

    def is_theirs(self, thing: Any) -> bool:
        """Whether something stands for an object or a class of the other side."""
        return link_and_name(thing)[1] is not None

    def may_be_told(self, others: tuple[Any, ...]) -> bool:
        """Whether the other side's object may see the operands of an operator."""
        raise NotImplementedError

    def local_class(self, name: str, descriptions: dict[str, Any]) -> type:
        """Return what stands for a class of the other side, always the same for the same."""
        if name not in self.classes:
            self.classes[name] = make_class(self, name, descriptions)
        return self.classes[name]

    def stand_in(self, name: str, kind: Any = None, base: type | None = None, *content: Any) -> Any:
        """Return what stands for an object of the other side, always the same for the same.

        Args:
            name: The object's name there.
            kind: What stands for its class.
            base: The built-in type that it is also an object of.
            content: What that is made of.
        """
        if name not in self.remotes:
            if base is None and isinstance(kind, RemoteClass) and not issubclass(kind, Remote):
                raise WireError("an object without its content")
            if base is not None:
                self.remotes[name] = make_data(self, name, kind, base, content)
            else:
                self.remotes[name] = make_remote(self, name, kind or Remote)
        return self.remotes[name]

    def ask(self, act: str, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Have the other side do something and return what came of it, or raise what it raised."""
        if self.depth >= _DEEPEST:
            raise RecursionError("too many calls back and forth")
        self.depth += 1
        try:
            self.send(Cells.ASK, self._question(act, name, args, kwargs))
            while True:
                kind, body = self.receive()
                if kind == Cells.GONE:
                    raise Gone(body.decode(errors="replace"))
                if kind == Cells.ANSWER:
                    return self._answer(body)
                self.serve(body)
        finally:
            self.depth -= 1

    def _shared(self, values: tuple[Any, ...], deep: int = 0) -> set[str]:
        """Return the names of what is shared among some arguments, and within them."""
        names = set()
        for value in values[:_NESTED]:
            name = self.desk.names.get(id(value), "")
            if name in self.desk.shared:
                names.add(name)
            if deep < 2 and isinstance(value, (list, tuple, dict)) and type(value).__module__ == "builtins":
                within = tuple(value.values()) if isinstance(value, dict) else tuple(value)
                names |= self._shared(within, deep + 1)
        return names

    def serve(self, body: bytes) -> None:
        """Do what the other side asks, and answer."""
        raise NotImplementedError

    def _question(self, act: str, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bytes:
        raise NotImplementedError

    def _answer(self, body: bytes) -> Any:
        raise NotImplementedError


class StudentLink(Link):
    """The student's end. Nothing here protects the examiner: this runs in the student's process.

    Args:
        send: Sends a frame.
        receive: Waits for a frame.
        main: The student's own names.
        known: Names of what the instructor's own cells define on both sides, by `id`.
        told: Collects what the student's code prints, warns and logs.
    """

    def __init__(
        self, send: Any, receive: Any, main: dict[str, Any], known: dict[int, str] | None = None,
        told: Told | None = None,
    ) -> None:  # fmt: skip
        super().__init__(send, receive, Desk("s"))
        self.main, self.told = main, told or Told()
        self.writer = Writer(self.desk, self.name_of, known)
        self.reader = Unpacking(self.desk, self._borrow, main)
        self.loop: asyncio.AbstractEventLoop | None = None
        self.kernel = os.urandom(8).hex()

    def main_class(self, name: str) -> type | None:
        """Return a class of the instructor's cells."""
        found = self.main.get(name)
        return found if isinstance(found, type) else None

    def may_be_told(self, others: tuple[Any, ...]) -> bool:
        """A test's object may be told anything."""
        return True

    def _borrow(self, how: str, name: str, *rest: Any) -> Any:
        descriptions, about = rest[-2:]
        self.about[name] = about
        if how == "class":
            return self.local_class(name, descriptions)
        return self.stand_in(name, self.local_class(rest[0], descriptions))

    def serve(self, body: bytes) -> None:
        """Do what the examiner asks, and answer."""
        act, name, keys, watch, *values = self.reader.message(body)
        at = len(values) - len(keys)
        args, kwargs = values[:at], dict(zip(keys, values[at:], strict=True))
        thing = self.desk.lent.get(name)
        with self.told.listening(watch):
            try:
                answer = self._told(self._do(act, thing, args, kwargs), self._shared((thing, *values)))
            except BaseException as error:
                try:
                    answer = self._told(error, set(self.desk.shared), raised=True)
                except Exception as worse:  # what cannot be written, such as a list nested too deeply, is shared
                    self.desk.forget()
                    answer = self._told(worse, set(), raised=True)
        self.send(Cells.ANSWER, answer)

    def _told(self, value: Any, arguments: set[str], **more: Any) -> bytes:
        return self.writer.message(value, arguments, **more, **self.told.take())

    def _do(self, act: str, thing: Any, args: list[Any], kwargs: dict[str, Any]) -> Any:
        if act == "kernel":
            return self.kernel
        if act == "names":
            return tuple((one, self.main[one]) for one in args if one in self.main)
        if act == "bind":
            return self.main.update(kwargs)
        if act == "unbind":
            for one in args:
                self.main.pop(one, None)
            return None
        if act == "await":
            return self._await(thing)
        return FOR_TESTS[act](thing, *args, **kwargs)

    def _await(self, thing: Any) -> Any:
        async def result() -> Any:
            return await thing

        self.loop = self.loop or asyncio.new_event_loop()
        return self.loop.run_until_complete(result())

    def _question(self, act: str, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bytes:
        what = (act, name, tuple(args), tuple(kwargs.items()))
        return self._told(what, self._shared((*args, *kwargs.values())))

    def _answer(self, body: bytes) -> Any:
        fine, *rest = self.reader.message(body)
        if fine:
            return rest[0]
        classes, text, args, name = rest
        error = plain_error(classes, text, args, self.main_class)
        error.__dict__["_examiner"] = name
        raise error


class ExaminerLink(Link):
    """The examiner's end: what it reads was written by a process that may lie.

    Args:
        send: Sends a frame.
        receive: Waits for a frame.
        known: Names of what the instructor's own cells define on both sides, by `id`.
        kept: The same, by name.
        watch: What a test looks at beside what is returned.
    """

    def __init__(
        self, send: Any, receive: Any, known: dict[int, str], kept: dict[str, Any] | None = None,
        watch: Watch | None = None,
    ) -> None:  # fmt: skip
        super().__init__(send, receive, Desk("t"))
        self.kept, self.looks = {} if kept is None else kept, watch
        self.kernel: Any = None
        self.watch({}, [])
        self.reader = Reader(self.desk, self.stand_in, self.local_class, self.kept.get)
        self.packing = Packing(self.desk, self.name_of, known)

    def main_class(self, name: str) -> type | None:
        """Return a class of the instructor's cells."""
        return self.reader.main_class(name)

    def may_be_told(self, others: tuple[Any, ...]) -> bool:
        """The student's object may see what is the student's."""
        return bool(others) and all(map(self.is_theirs, others))

    def watch(self, main: dict[str, Any], names: list[str]) -> None:
        """Begin a test: an answer's name that it deletes or binds anew is, at its next call, so on the other side."""
        self.main, self.answers = main, {name: main[name] for name in names}

    def ask(self, act: str, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Have the other side do something, with the answers' names bound there as here."""
        if act not in ("names", "kernel") and self.depth == 0:
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
        if (kernel := self.ask("kernel", "", (), {})) != self.kernel:  # a new one counts its names anew
            self.kernel = kernel
            self.remotes.clear()
            self.classes.clear()
        found = self.ask("names", "", tuple(wanted), {})
        return {name: value for name, value in found if name in wanted}

    def serve(self, body: bytes) -> None:
        """Do what the student's code asks of an object that a test gave it, and answer."""
        values: tuple[Any, ...] = ()
        try:
            (act, name, args, pairs), more = self.reader.message(body)
            self._tell(more)
            kwargs = {str(key): value for key, value in pairs}
            values = (*args, *kwargs.values())
            if name not in self.desk.lent:  # an object of a test that is over, which the student's side kept
                raise AttributeError("the test that this came from is over")
            thing = self.desk.lent[name]
            allowed(act, thing, args)
            result = FOR_STUDENTS[act](thing, *args, **kwargs)
            if isinstance(result, HIDDEN[:4]):
                raise AttributeError("this stays with the tests")
            answer = self.packing.message((True, result), self._shared((thing, *values)))
        except Exception as error:
            classes = [self._class_name(base) for base in type(error).__mro__]
            plain = error.args if all(type(arg) in (str, int, float, bool, type(None)) for arg in error.args) else ()
            parts = (False, classes, text_of(error), plain, self.desk.lend(error))
            answer = self.packing.message(parts, set())
        self.send(Cells.ANSWER, answer)

    def _class_name(self, kind: type) -> tuple[str, str]:
        where = self.packing.main_name(kind)
        return (":main", where) if where else (kind.__module__, kind.__qualname__)

    def _question(self, act: str, name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bytes:
        values = (*args, *kwargs.values())
        watch = self.looks.state() if self.looks else None
        return self.packing.message((act, name, tuple(kwargs), watch, *values), self._shared(values))

    def _tell(self, more: dict[str, Any]) -> None:
        if self.looks:
            self.looks.tell(more)

    def _answer(self, body: bytes) -> Any:
        value, more = self.reader.message(body)
        self._tell(more)
        if not more.get("raised"):
            return value
        if not isinstance(value, Exception):
            raise WireError("no exception")
        raise value
