"""A kernel of the grader: an IPython shell that runs cells and speaks frames over an inherited socket.

One is the student's (answers, own cells), one the examiner's (tests). Both are forks of a process in which the shell
is there already and the instructor's first cells have run.
"""

import base64
import builtins
import contextlib
import io
import json
import math
import numbers
import os
import subprocess
import sys
import threading
import time
import types
from collections import deque
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any

from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from traitlets import Type
from traitlets.config import Config

from autograder.examiner.links import ExaminerLink, Gone, StudentLink
from autograder.examiner.protocol import Cells, Task
from autograder.examiner.told import PICTURE
from autograder.examiner.watching import REPLACED, Told, Watch
from autograder.model import PICTURES, Output
from autograder.values.desk import shared_row
from autograder.values.rows import SIMPLE
from base.text import without_escapes
from kernels.channel import Channel, ClosedError

TELL_AGAIN = 0.5  # seconds
LONGEST_LINE = 2_000  # characters of an error's text


class Shown:
    """Collects what a cell shows, up to a number of characters."""

    def __init__(self) -> None:
        self.outputs: list[Output] = []
        self.left = 0
        self.stdin: Any = None

    def start(self, most: int) -> None:
        """Begin a cell."""
        self.outputs, self.left = [], most

    def add(self, kind: str, text: str) -> None:
        """Take an output; cut it where the cell has shown too much."""
        if self.left <= 0 or not text:
            return
        cut = kind not in PICTURES and len(text) > self.left
        if kind in PICTURES and len(text) > PICTURE * self.left:
            kind, text = "stderr", "(a picture was left out: it is too large)\n"
        if cut:
            text = text[: self.left] + "\n… (cut: the cell shows too much)\n"
        self.left -= len(text) if kind not in PICTURES else len(text) // PICTURE
        if cut:
            self.left = 0
        if self.outputs and self.outputs[-1].kind == kind and kind in ("stdout", "stderr"):
            self.outputs[-1] = Output(kind, self.outputs[-1].text + text)
        else:
            self.outputs.append(Output(kind, text))


class _Stream(io.TextIOBase):
    """What stands for `sys.stdout` and `sys.stderr`."""

    encoding = "utf-8"

    def __init__(self, kind: str, shown: Shown, descriptor: int) -> None:
        self.kind, self.shown, self.descriptor = kind, shown, descriptor

    def write(self, text: str) -> int:
        """Take text."""
        if not isinstance(text, str):
            raise TypeError(f"write() argument must be str, not {type(text).__name__}")
        self.shown.add(self.kind, text)
        return len(text)

    def writable(self) -> bool:
        """It is."""
        return True

    def fileno(self) -> int:
        """The descriptor behind it, for processes that the cell starts."""
        return self.descriptor


_MEDIA = {"image/png": "png", "image/jpeg": "jpeg", "image/gif": "gif", "image/svg+xml": "svg"}
_UNSEEN = (
    "(this cell shows {}, which needs scripts or a viewer and cannot be seen here: show a picture of it, for instance "
    "one of matplotlib)\n"
)


def _best(data: Any) -> tuple[str, str]:
    """Return the kind and the text of what can be seen best of an object: a picture, a table, else its text."""
    for media, kind in _MEDIA.items():
        value = data.get(media)
        if isinstance(value, bytes):
            value = value.decode(errors="replace") if kind == "svg" else base64.b64encode(value).decode()
        if isinstance(value, str):
            return kind, value
    text, html = data.get("text/plain"), data.get("text/html")
    named = isinstance(text, str) and text.startswith("<")  # says nothing but what it is: <Styler object at 0x...>
    if isinstance(html, str) and (text is None or named) and "<script" not in html.lower():
        return "html", html
    if text is None:
        return "result", _UNSEEN.format(", ".join(sorted(map(str, data)))[:200])
    return "result", f"{text}\n"


class _Publisher(DisplayPublisher):
    def publish(self, data: Any, metadata: Any = None, source: Any = None, **rest: Any) -> None:
        """Take what `display` shows: a picture or its text."""
        shell: Any = self.parent
        shown: Shown = shell.shown
        shown.add(*_best(data))


class _Hook(DisplayHook):
    def write_output_prompt(self) -> None:
        """No prompt."""

    def write_format_data(self, format_dict: Any, md_dict: Any = None) -> None:
        """Take the value of the cell's last line."""
        shell: Any = self.shell
        shell.display_pub.publish(format_dict)

    def finish_displayhook(self) -> None:
        """Nothing to end."""


class Shell(InteractiveShell):
    """IPython, silent: what cells show is collected, nothing is kept on disk."""

    display_pub_class = Type(_Publisher)
    displayhook_class = Type(_Hook)
    shown: Shown
    most = 0  # bytes that the running cell may show

    def system(self, cmd: str) -> None:
        """Run a shell escape (`!ls`, `%pip`, `%ls`): without a terminal, which a box does not have."""
        command = self.var_expand(cmd, depth=1)  # type: ignore[no-untyped-call]
        self.shown.add("stdout", printed(self.most))  # by processes before it
        code = subprocess.call(command, shell=True, stdin=subprocess.DEVNULL, stdout=1, stderr=1)  # noqa: S602
        sys.stdout.write(printed(self.most))
        self.user_ns["_exit_code"] = code
        if code and self.system_raise_on_error:
            raise subprocess.CalledProcessError(code, command)

    system_piped = system_raw = system

    def _showtraceback(self, etype: Any, evalue: Any, stb: Any) -> None:
        self.shown.add("error", without_escapes("\n".join(stb)))

    def ask_exit(self) -> None:
        """A cell called `exit()`."""
        raise SystemExit(0)

    def enable_gui(self, gui: Any = None) -> None:
        """There is no screen."""


def make_shell() -> Shell:
    """Make the one shell of this process."""
    config = Config()
    config.HistoryManager.enabled = False
    config.InteractiveShell.autoindent = False
    config.InteractiveShell.colors = "nocolor"
    config.InteractiveShell.xmode = "Plain"
    config.InteractiveShell.banner1 = ""
    Shell.clear_instance()
    shell: Shell = Shell.instance(config=config)
    shell.shown = Shown()
    sys.modules["__main__"] = shell.user_module  # classes of cells belong to it, as in a notebook
    builtins.exit = builtins.quit = shell.user_ns["exit"] = shell.user_ns["quit"] = shell.ask_exit  # type: ignore[assignment]
    if "matplotlib.pyplot" in sys.modules:
        from matplotlib_inline.backend_inline import configure_inline_support

        with contextlib.suppress(ValueError):
            shell.enable_matplotlib("inline")  # type: ignore[no-untyped-call]
        configure_inline_support(shell, "inline")  # type: ignore[no-untyped-call]
    return shell


_REPLACED = deque[Any](maxlen=REPLACED)
"""A thread may still print to a stream that was replaced, and Python's `print` holds no reference to it."""


def printed(most: int) -> str:
    """Take what processes have printed until now, the first `most` bytes and a little of it."""
    with contextlib.suppress(OSError):
        text = os.pread(1, most + 1, 0)
        os.ftruncate(1, 0)
        os.lseek(1, 0, os.SEEK_SET)
        return text.decode(errors="replace")
    return ""


@contextlib.contextmanager
def captured(shell: Shell, most: int) -> Iterator[Shown]:
    """Collect what is shown in the block, also what processes started by it print."""
    shown, shell.most = shell.shown, most
    shown.start(most)
    before = sys.stdout, sys.stderr, sys.stdin
    sys.stdout, sys.stderr = _Stream("stdout", shown, 1), _Stream("stderr", shown, 2)
    _REPLACED.extend((sys.stdout, sys.stderr))
    sys.stdin = shown.stdin = io.StringIO()  # input() has nobody to ask: EOFError
    printed(0)
    try:
        yield shown
    finally:
        sys.stdout, sys.stderr, sys.stdin = before
        shown.add("stdout", printed(most))


def run_cell(shell: Shell, source: str, most: int) -> tuple[dict[str, Any], Any]:
    """Run one cell; returns what the grader may know of it, and the whole result."""
    with captured(shell, most) as shown:
        result = InteractiveShell.run_cell(shell, source, store_history=False)  # type: ignore[no-untyped-call]
    error = result.error_before_exec or result.error_in_exec
    told: dict[str, Any] = {"ok": error is None, "outputs": [asdict(output) for output in shown.outputs]}
    if error is not None:
        told |= {"ename": type(error).__name__, "evalue": _text(error), "line": _line(error, source)}
    return told, result


def _text(error: BaseException) -> str:
    try:
        if isinstance(error, SyntaxError):
            return f"{error.msg} (line {error.lineno})"[:LONGEST_LINE]
        return str(error)[:LONGEST_LINE]
    except Exception as worse:
        return f"(its text cannot be shown: {type(worse).__name__})"


def _line(error: BaseException, source: str) -> str:
    """Return the line of the cell in which an error arose."""
    trace, found = error.__traceback__, ""
    lines = source.splitlines()
    while trace is not None:
        name = trace.tb_frame.f_code.co_filename
        if ("ipython-input" in name or "ipykernel" in name) and trace.tb_frame.f_code.co_name in (
            "<module>",
            "<cell line: 1>",
        ):
            found = lines[trace.tb_lineno - 1].strip() if 0 < trace.tb_lineno <= len(lines) else ""
        trace = trace.tb_next
    return found


class Kernel:
    """Serves one kernel. `ours` are the names that the instructor's cells bound before the fork."""

    def __init__(self, shell: Shell, channel: Channel, examiner: bool, ours: set[str], most: int) -> None:
        self.shell, self.channel, self.most = shell, channel, most
        self.main: dict[str, Any] = shell.user_ns
        self.theirs: set[str] = set()
        self.known: dict[int, str] = {}
        self.kept: dict[str, Any] = {}
        self.bound: list[Any] = []
        self._know(ours)
        if examiner:
            vars(shell)["showtraceback"] = vars(shell)["showsyntaxerror"] = _say_nothing
            watch = Watch(lambda: shell.shown.stdin)
            self.link: Any = ExaminerLink(channel.send, self._receive, self.known, self.kept, watch)
        else:
            told = Told(most, printed)
            self.link = StudentLink(channel.send, self._receive, self.main, self.known, told)
            self.process, self.told = os.getpid(), ("", 0.0)
            sys.addaudithook(self._tell_server)

    def _tell_server(self, event: str, about: tuple[Any, ...]) -> None:
        """Tell the grader which server the code asks for: where that is not there, the reason can name it."""
        if event not in ("socket.connect", "socket.getaddrinfo") or os.getpid() != self.process:
            return
        address = about[1] if event == "socket.connect" else about
        if isinstance(address, tuple) and len(address) > 1 and threading.current_thread() is threading.main_thread():
            server = f"{address[0]}:{address[1]}"
            if server != self.told[0] or time.monotonic() - self.told[1] > TELL_AGAIN:
                self.told = server, time.monotonic()
                with contextlib.suppress(ClosedError, OSError):
                    self.channel.send(Cells.SERVER, server.encode(errors="replace"))

    def _receive(self) -> tuple[str, bytes]:
        kind, body, _ = self.channel.receive()
        return kind, body

    def serve(self) -> None:
        """Do what the grader says until it hangs up."""
        while True:
            kind, body = self._receive()
            if kind == Cells.RUN:
                task = Task.read(body)
                told = self._test(task) if task.test else self._run(task)
                self.channel.send(Cells.TOLD, json.dumps(told).encode())
            elif kind == Cells.ASK:
                self.link.serve(body)
            elif kind == Cells.TEST_BEGINS:
                self.link.desk.forget()

    def _run(self, task: Task) -> dict[str, Any]:
        before = dict(self.main)
        told, result = run_cell(self.shell, task.source, self.most)
        told["value"] = _credit(result.result) if told["ok"] and task.credit else None
        if task.ours:  # the instructor's cell: what it binds is the same on both sides
            self._know({name for name, value in self.main.items() if before.get(name, self) is not value})
        return told

    def _know(self, names: set[str]) -> None:
        """Enter what the instructor's cell bound: it can be named instead of sent. Kept, for an id is used again."""
        found = {name: self.main[name] for name in sorted(names) if _same_on_both(self.main[name])}
        self.known.update({id(value): name for name, value in found.items()})
        self.kept.update(found)
        self.bound.extend(found.values())

    def _test(self, task: Task) -> dict[str, Any]:
        """Run a test with the student's names bound to what stands for them."""
        self.link.desk.forget()
        self.link.looks.begin()
        if "mock" in task.source:
            self.link.looks.follow_mocks()
        for name in self.theirs:
            self.main.pop(name, None)
        self.theirs = set()
        wanted = sorted(name for name in task.names if name in task.student or name not in self.main)
        try:
            found = self.link.names(wanted) if wanted else {}
        except Gone as gone:
            return {"ok": False, "ename": "Gone", "evalue": str(gone), "line": "", "value": None, "outputs": []}
        self.main.update(found)
        self.theirs = set(found)
        self.link.watch(self.main, [name for name in task.student if name in found])
        told = self._run(task)
        if told["ok"] and task.lend:
            try:
                self.link.ask("bind", "", (), {name: self.main[name] for name in task.lend if name in self.main})
            except Gone as gone:
                told |= {"ok": False, "ename": "Gone", "evalue": str(gone), "line": "", "value": None}
        return told


def _say_nothing(*_: Any, **__: Any) -> None:
    """Nobody looks at what a test shows, and to show it would import what is not needed else."""


def _same_on_both(value: Any) -> bool:
    """Whether an object that the instructor's cell made can be named instead of sent: no data, no plain function."""
    row = shared_row(value)
    data = row is not None and row.born
    return not data and not isinstance(value, (*SIMPLE, tuple, bytes, types.FunctionType, types.ModuleType))


def _credit(value: Any) -> float | str | None:
    """Return a test's last value as partial credit: a number; a complaint where it is none; None without a value.

    nbgrader gives full points for what it cannot read as a number (`nbgrader.utils.get_partial_grade`); a student whose
    answer decides that value could choose to be read so.
    """
    if value is None or value is True:
        return None
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        return f"the test ends with {type(value).__name__}, which is no number of points"
    number = float(value)
    return number if math.isfinite(number) else f"the test ends with {number}, which is no number of points"
