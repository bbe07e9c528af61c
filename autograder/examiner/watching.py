"""What a test looks at beside what is returned: what a call prints, warns and logs, and under what a test lets it run.

A test's own process knows nothing of what happens in the student's. So with each question goes what the test has set up
here (filters of warnings, loggers, variables, what `unittest.mock` has patched), and with each answer comes back what
was printed, warned and logged over there. A test that looks at neither pays nothing.
"""

import contextlib
import functools
import importlib
import io
import logging
import os
import sys
import types
import warnings
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

_STREAMS = ("stdout", "stderr")
REPLACED = 64
"""How many streams that took the place of `sys.stdout` stay in memory after their block."""


# In the student's kernel -----------------------------------------------------------------------------------------


class _Collecting(logging.Handler):
    """Keeps each record once, whatever number of loggers it comes by."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Take a record."""
        if not any(record is one for one in self.records):
            self.records.append(record)


class _Kept(io.TextIOBase):
    """Keeps the first characters that are written; the rest goes to the stream that it stands for."""

    encoding = "utf-8"

    def __init__(self, most: int, rest: Any) -> None:
        self.left, self.rest = most, rest
        self.parts: list[str] = []

    def write(self, text: str) -> int:
        """Take text."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        if self.left <= 0:
            self.rest.write(text)
        else:
            self.parts.append(text[: self.left])
            self.left -= len(text)
        return len(text)

    def writable(self) -> bool:
        """It is."""
        return True

    def fileno(self) -> int:
        """The descriptor of the stream that it stands for."""
        return int(self.rest.fileno())

    def take(self) -> str:
        """Return what was written since the last time."""
        parts, self.parts = self.parts, []
        return "".join(parts)


class Told:
    """What the student's code tells of itself beside what it returns.

    Args:
        most: How many characters of what a call prints are kept; 0: printing is left alone.
        below: Returns so much of what was printed by other means since it was last asked, such as by processes.
    """

    def __init__(self, most: int = 0, below: Callable[[int], str] = lambda most: "") -> None:
        self.most, self.below = most, below
        self.streams: dict[str, _Kept] = {}
        # A thread may still print to a stream that was replaced, and Python's `print` holds no reference to it.
        self.replaced = deque[_Kept](maxlen=REPLACED)
        self.caught: list[Any] = []
        self.logged = _Collecting()

    @contextlib.contextmanager
    def listening(self, watch: dict[str, Any] | None) -> Iterator[None]:
        """Collect what is told in the block, which runs as a test has set things up."""
        with contextlib.ExitStack() as stack:
            if self.most and not self.streams:
                self.streams = {name: _Kept(self.most, getattr(sys, name)) for name in _STREAMS}
                stack.enter_context(contextlib.redirect_stdout(self.streams["stdout"]))
                stack.enter_context(contextlib.redirect_stderr(self.streams["stderr"]))
                self.replaced.extend(self.streams.values())
                stack.callback(self.streams.clear)
            if watch:
                self._set_up(stack, watch)
            yield

    def _set_up(self, stack: contextlib.ExitStack, watch: dict[str, Any]) -> None:
        if "filters" in watch:
            self.caught = stack.enter_context(warnings.catch_warnings(record=True))
            warnings.resetwarnings()
            warnings.filters[:] = watch["filters"]  # type: ignore[index]
        for name, level in watch.get("loggers", ()):
            logger = logging.getLogger(name if name != "root" else None)
            stack.callback(logger.setLevel, logger.level)
            logger.addHandler(self.logged)
            stack.callback(logger.removeHandler, self.logged)
            logger.setLevel(level)
        for name, value in watch.get("variables", ()):
            stack.callback(_set_variable, name, os.environ.get(name))
            _set_variable(name, value)
        if "folder" in watch:
            stack.callback(os.chdir, _folder() or "/")
            os.chdir(watch["folder"])
        if "stdin" in watch:
            stack.callback(setattr, sys, "stdin", sys.stdin)
            sys.stdin = watch["stdin"]
        for module, where, attribute, value in watch.get("patches", ()):
            target: Any = importlib.import_module(module)
            for part in where.split(".") if where else ():
                target = getattr(target, part)
            stack.callback(setattr, target, attribute, getattr(target, attribute, None))
            setattr(target, attribute, value)

    def take(self) -> dict[str, Any]:
        """Return what was told since the last time, in tuples; nothing where there is nothing."""
        told: dict[str, Any] = {}
        printed = []
        for name, stream in self.streams.items():
            if text := stream.take():
                printed.append((name, text))
        if self.most and (text := self.below(self.most)):
            printed.append(("stdout", text))
        if printed:
            told["printed"] = tuple(printed)
        if self.caught:
            told["warned"] = tuple((one.message, one.filename, one.lineno) for one in self.caught)
            self.caught.clear()
        if self.logged.records:
            told["logged"] = tuple(map(_record, self.logged.records))
            self.logged.records.clear()
        return told


def _record(record: logging.LogRecord) -> tuple[Any, ...]:
    if record.exc_info:
        record.exc_text = record.exc_text or logging.Formatter().formatException(record.exc_info)
    return tuple((name, value) for name, value in vars(record).items() if name != "exc_info")


def _folder() -> str:
    """Return the working folder, "" where somebody deleted it."""
    try:
        return os.getcwd()  # noqa: PTH109
    except OSError:
        return ""


def _set_variable(name: str, value: str | None) -> None:
    if value is None:
        os.environ.pop(name, None)
    else:
        os.environ[name] = value


# In the examiner's -----------------------------------------------------------------------------------------------


class Watch:
    """What a test has set up in this process; it notes what tests do to loggers, and patches of `unittest.mock`.

    Args:
        stdin: Returns the standard input that a cell begins with.
    """

    def __init__(self, stdin: Callable[[], Any]) -> None:
        self.stdin = stdin
        self.loggers: dict[str, tuple[int, list[logging.Handler]]] = {}
        self.patches: dict[tuple[str, str, str], list[Any]] = {}
        for name in ("addHandler", "setLevel"):
            setattr(logging.Logger, name, self._noting(getattr(logging.Logger, name)))
        self.mocked = False
        self.begin()

    def begin(self) -> None:
        """Begin a test: this is how things are before it."""
        self.filters, self.folder = warnings.filters, _folder()
        self.variables = _variables().copy()

    def follow_mocks(self) -> None:
        """Note what `unittest.mock` patches from now on."""
        if self.mocked:
            return
        from unittest import mock

        self.mocked = True
        patch: Any = mock._patch
        enter, leave = patch.__enter__, patch.__exit__

        @functools.wraps(enter)
        def entered(patching: Any) -> Any:
            made = enter(patching)
            if (key := _target(patching)) is not None:
                self.patches.setdefault(key, []).append(getattr(patching.target, patching.attribute))
            return made

        @functools.wraps(leave)
        def left(patching: Any, *how: Any) -> Any:
            key = _target(patching)
            ended = leave(patching, *how)
            if key is not None and self.patches.get(key):
                self.patches[key].pop()
            return ended

        patch.__enter__, patch.__exit__ = entered, left

    def _noting(self, method: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(method)
        def noted(logger: logging.Logger, *args: Any) -> Any:
            self.loggers.setdefault(logger.name, (logger.level, list(logger.handlers)))
            return method(logger, *args)

        return noted

    def state(self) -> dict[str, Any] | None:
        """Return what is not as it was before the test; None where all is."""
        made: dict[str, Any] = {}
        if warnings.filters is not self.filters:
            made["filters"] = tuple(warnings.filters)
        now = {name: logging.getLogger(name if name != "root" else None) for name in self.loggers}
        if levels := {name: logger.level for name, logger in now.items()
                      if (logger.level, logger.handlers) != self.loggers[name]}:  # fmt: skip
            made["loggers"] = tuple(levels.items())
        if (variables := _variables()) != self.variables:
            names = {name for name, value in {*variables.items(), *self.variables.items()}
                     if variables.get(name) != self.variables.get(name)}  # fmt: skip
            made["variables"] = tuple((name, os.environ.get(name)) for name in map(os.fsdecode, names))
        if (folder := _folder()) != self.folder and folder:
            made["folder"] = folder
        if isinstance(sys.stdin, io.StringIO) and sys.stdin is not self.stdin():
            made["stdin"] = sys.stdin
        if patches := tuple((*key, values[-1]) for key, values in self.patches.items() if values):
            made["patches"] = patches
        return made or None

    def tell(self, told: dict[str, Any]) -> None:
        """Let it be printed, warned and logged here what was over there."""
        for name, text in told.get("printed", ()):
            if name in _STREAMS:
                getattr(sys, name).write(str(text))
        for message, file, line in told.get("warned", ()):
            if isinstance(message, Warning):
                warnings.showwarning(message, type(message), str(file), int(line))
        for pairs in told.get("logged", ()):
            record = logging.makeLogRecord({str(name): value for name, value in pairs})
            logger = logging.getLogger(None if record.name == "root" else str(record.name))
            if logger.isEnabledFor(int(record.levelno)):
                logger.handle(record)


def _variables() -> dict[bytes, bytes]:
    """Return the environment as it is kept: to decode it at each question would cost more than the question."""
    environ: Any = os.environ
    return environ._data  # type: ignore[no-any-return]


def _target(patching: Any) -> tuple[str, str, str] | None:
    """Return what a patch patches: module, class in it, attribute; None where that is no part of a library."""
    target = patching.target
    if isinstance(target, types.ModuleType):
        key = target.__name__, "", patching.attribute
    elif isinstance(target, type):
        key = target.__module__, target.__qualname__, patching.attribute
    else:
        return None
    return None if key[0] == "__main__" or sys.modules.get(key[0]) is None else key
