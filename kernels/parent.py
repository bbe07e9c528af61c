"""The warm parent: a process that has imported the heavy libraries and forks a child whenever one is asked for.

A fork shares the parent's memory, so a child has the libraries without importing them. The parent itself only imports:
whatever starts a thread (one parallel fit of scikit-learn is enough) would leave locks in the children that nobody
opens. `python -m kernels.parent` is the process; `Parent` starts it and talks to it.
"""

import builtins
import contextlib
import ctypes
import gc
import importlib
import json
import os
import select
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import types
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any, NoReturn, Self

from base.errors import UserError
from base.process import ONE_THREAD, python
from base.quiet import TELEMETRY_OFF

HEAVY = (
    "IPython.core.interactiveshell",
    "lightgbm",
    "matplotlib.pyplot",
    "matplotlib_inline.backend_inline",
    "mlflow",
    "numpy",
    "pandas",
    "pyarrow.parquet",
    "scipy.stats",
    "sklearn.ensemble",
    "sklearn.linear_model",
    "sklearn.metrics",
    "sklearn.model_selection",
    "sklearn.pipeline",
)
"""What nearly every lesson and lab imports."""

ENVIRONMENT = {
    **ONE_THREAD,
    **TELEMETRY_OFF,
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",  # pyarrow's allocator would start a thread on import
}
"""What a process needs so that importing the heavy libraries starts no thread and plots go into the notebook."""

_INHERITED = ("HOME", "LD_LIBRARY_PATH", "PYTHONDONTWRITEBYTECODE")
"""What students' processes get of the shell that called: where font caches and shared libraries are, nothing else."""
_FIXED = {
    "LANG": "C.UTF-8",
    "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"]),
    "PYTHONUTF8": "1",
    "TZ": "UTC",
}

_HEAD = struct.Struct("!QB")  # length of a frame's body, its kind
_PR_SET_PDEATHSIG = 1
_HUGE, _MADV_COLLAPSE = 2 << 20, 25  # bytes of a huge page on x86-64 and aarch64
MOST_FDS = 4


class ClosedError(Exception):
    """The other end of a channel is gone."""


class TooLargeError(Exception):
    """A frame is larger than its reader wants."""


class ThreadStartedError(UserError):
    """Importing `module` starts a thread: a fork would inherit its locks for ever."""

    def __init__(self, module: str) -> None:
        super().__init__(f"importing {module} starts a thread, so it cannot be imported before a fork")
        self.module = module


class Channel:
    """Frames over a Unix socket: a kind (one letter) and a body (bytes); file descriptors may go with one.

    Args:
        connection: The socket; the channel owns it.
        most: Largest body that is accepted, bytes.
        most_of: The same for single kinds of frames.
    """

    def __init__(
        self, connection: socket.socket, most: int = 1 << 30, most_of: Mapping[str, int] | None = None
    ) -> None:
        self.connection, self.most, self.most_of = connection, most, most_of or {}

    def fileno(self) -> int:
        """Return the socket's descriptor, for `select`."""
        return self.connection.fileno()

    def send(self, kind: str, body: bytes = b"", fds: Iterable[int] = ()) -> None:
        """Send one frame. Raises `ClosedError`, and `TimeoutError` if the socket has a timeout and nobody reads."""
        head = _HEAD.pack(len(body), ord(kind))
        try:
            if fds := list(fds):
                socket.send_fds(self.connection, [head], fds)
                self.connection.sendall(body)
            else:
                self.connection.sendall(head + body if len(body) < 1 << 16 else head)
                if len(body) >= 1 << 16:
                    self.connection.sendall(body)
        except (BrokenPipeError, ConnectionResetError):
            raise ClosedError from None

    def receive(self, until: float | None = None) -> tuple[str, bytes, list[int]]:
        """Wait for one frame; returns its kind, body and descriptors.

        Args:
            until: When the whole of it has to be here (monotonic clock), however slowly its bytes come; without one the
                socket's own timeout holds, for each piece.

        Raises:
            ClosedError: There will be no more.
            TooLargeError: The body would be larger than `most`, or what `most_of` says of its kind.
            TimeoutError: It is not here in time.
        """
        own = self.connection.gettimeout()
        try:
            return self._frame(until)
        except ConnectionResetError:
            raise ClosedError from None
        finally:
            if until is not None:
                self.connection.settimeout(own)

    def _frame(self, until: float | None) -> tuple[str, bytes, list[int]]:
        self._wait_until(until)
        head, fds, _, _ = socket.recv_fds(self.connection, _HEAD.size, MOST_FDS)
        if not head:
            raise ClosedError
        head += self._exactly(_HEAD.size - len(head), until)
        length, kind = _HEAD.unpack(head)
        if length > self.most_of.get(chr(kind), self.most):
            raise TooLargeError(f"{length} bytes")
        return chr(kind), self._exactly(length, until), fds

    def _wait_until(self, until: float | None) -> None:
        if until is None:
            return
        if (left := until - time.monotonic()) <= 0:
            raise TimeoutError
        self.connection.settimeout(left)

    def _exactly(self, length: int, until: float | None) -> bytes:
        whole = bytearray()
        while len(whole) < length:
            self._wait_until(until)
            if not (piece := self.connection.recv(min(length - len(whole), 1 << 20))):
                raise ClosedError
            whole += piece
        return bytes(whole)

    def close(self) -> None:
        """Close the socket."""
        self.connection.close()


def pair(most: int = 1 << 30, most_of: Mapping[str, int] | None = None) -> tuple[Channel, socket.socket]:
    """Return a channel and the bare other end, which a child gets."""
    ours, theirs = socket.socketpair()
    return Channel(ours, most, most_of), theirs


def die_with_parent() -> None:
    """Have the kernel kill this process when the one that forked it ends, however that ends (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)


def threads() -> int:
    """Return the number of this process's threads; 1 where that cannot be seen."""
    tasks = Path("/proc/self/task")
    return len(list(tasks.iterdir())) if tasks.is_dir() else 1


def fork(become: Callable[[], object]) -> int:
    """Fork a child that does `become()` and ends; returns its process id."""
    pid = os.fork()
    if pid:
        return pid
    code = 1
    try:
        die_with_parent()
        become()
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
    except BaseException:
        sys.excepthook(*sys.exc_info())  # the only place that could say it
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(code)


def serve_forks(control: Channel, handle: Callable[[str, bytes, list[int]], None]) -> None:
    """Handle each frame of `control` until its other end closes; children that ended meanwhile are reaped."""
    while True:
        ready, _, _ = select.select([control.fileno()], [], [], 1.0)
        reap()
        if ready:
            try:
                kind, body, fds = control.receive()
            except ClosedError:
                outlive(2.0)
                return
            handle(kind, body, fds)
            for fd in fds:
                os.close(fd)


def reap() -> None:
    """Collect children that ended."""
    with contextlib.suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def outlive(seconds: float) -> None:
    """Collect children until there are none, at most this long: who asks what they cost can then be told."""
    until = time.monotonic() + seconds
    with contextlib.suppress(ChildProcessError):
        while time.monotonic() < until:
            if not os.waitpid(-1, os.WNOHANG)[0]:
                time.sleep(0.01)


def find(name: str) -> Callable[..., Any]:
    """Return the function that `module:name` means."""
    module, _, attribute = name.partition(":")
    function: Callable[..., Any] = getattr(importlib.import_module(module), attribute)
    return function


@contextlib.contextmanager
def made_to_stay() -> Iterator[None]:
    """Keep the garbage collector from what the block makes: while it grows, and ever after."""
    gc.disable()
    try:
        yield
        gc.freeze()  # with the little garbage that imports leave: to look for it would take a tenth of their time
    finally:
        gc.enable()


def warm(imports: Iterable[str]) -> None:
    """Import, and put what was made out of the garbage collector's sight, so that it stays shared after a fork.

    Raises `ThreadStartedError`.
    """
    # What a library looks at, as it is imported, to know that it is in a notebook: pandas then shows wider frames.
    vars(builtins)["get_ipython"] = lambda: types.SimpleNamespace(kernel=None)
    try:
        with made_to_stay(), _one_look_at_packages():
            for name in imports:
                importlib.import_module(name)
                if threads() > 1:
                    raise ThreadStartedError(name)
            _use_first()
    finally:
        del vars(builtins)["get_ipython"]


@contextlib.contextmanager
def _one_look_at_packages() -> Iterator[None]:
    """Within the block, read the entry points of all packages once: mlflow, imported, asks for nine groups of them."""
    look, within = metadata.entry_points, True
    every = cache(look)

    def entry_points(**wanted: Any) -> Any:
        return every().select(**wanted) if within else look(**wanted)

    vars(metadata)["entry_points"] = entry_points
    try:
        yield
    finally:
        within, vars(metadata)["entry_points"] = False, look


def _use_first() -> None:
    """Do once what else each fork would: scikit-learn, first shown data, reads the names of all packages there are."""
    if "sklearn.utils.validation" in sys.modules:
        check = sys.modules["sklearn.utils.validation"].check_array
        check([[0.0]])
        if "pandas" in sys.modules:
            check(sys.modules["pandas"].DataFrame({"a": [0.0]}))


def join_pages() -> None:
    """Have the kernel put this process's memory into huge pages, where it can: a fork copies a table of all pages.

    `madvise(2)`, MADV_COLLAPSE, Linux 6.1; without it forks cost more, and that is all.
    """
    advise = ctypes.CDLL(None).madvise
    advise.argtypes = [ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int]
    for line in Path("/proc/self/maps").read_text(encoding="utf-8").splitlines():
        span, rights, *_, inode = line.split(maxsplit=5)[:5]
        if rights == "rw-p" and inode == "0":
            begin, end = (int(one, 16) for one in span.split("-"))
            begin = -(-begin // _HUGE) * _HUGE
            advise(begin, max(end // _HUGE * _HUGE - begin, 0), _MADV_COLLAPSE)


def students_environment() -> dict[str, str]:
    """Return the variables of processes in which students' code will run: the same on every machine, and no secrets.

    They are given at the start of a process, for its `/proc/self/environ` shows those for ever.
    """
    return {name: os.environ[name] for name in _INHERITED if name in os.environ} | _FIXED | ENVIRONMENT


class Closing:
    """What has a `close` and is closed when its block ends."""

    def close(self) -> None:
        """End it."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Parent(Closing):
    """A warm parent that belongs to this process and ends with it. It starts at once, and is of use when `ready`.

    Args:
        imports: Modules to import at the start.
        environment: Variables to set beside `students_environment`.

    Raises:
        UserError: This system cannot fork.
    """

    def __init__(self, imports: Iterable[str] = HEAVY, environment: Mapping[str, str] | None = None) -> None:
        if not can_fork():
            raise UserError(f"warm kernels need Linux: on {sys.platform} a process with libraries cannot be forked")
        self.lock = threading.Lock()
        self.control, theirs = pair()
        with theirs:
            self.process = subprocess.Popen(  # noqa: S603
                python("-m", "kernels.parent", str(theirs.fileno()), *imports),
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=students_environment() | dict(environment or {}),
                start_new_session=True,  # Ctrl-C is for us alone
            )

    def ready(self) -> Self:
        """Wait until it has imported everything.

        Raises:
            ThreadStartedError: One of the modules cannot be imported before a fork.
            UserError: An import fails.
        """
        try:
            kind, body, _ = self.control.receive()
        except ClosedError:
            _, said = self.process.communicate()
            text = said.decode(errors="replace").strip()
            raise UserError(f"the warm parent did not start:\n{text}") from None
        if kind == "t":
            self.close()
            raise ThreadStartedError(body.decode())
        return self

    def fork(self, function: str, arguments: dict[str, Any], fds: Iterable[int]) -> None:
        """Fork a child that calls `function` (`module:name`) with `arguments` (JSON) and copies of `fds`."""
        with self.lock:
            self.control.send("f", json.dumps([function, arguments]).encode(), fds)

    def close(self) -> None:
        """End it and all its children."""
        self.control.close()
        try:
            self.process.communicate(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.communicate()


def can_fork() -> bool:
    """Return whether a process with libraries loaded can be forked safely here: on Linux only."""
    return sys.platform == "linux"


def main(arguments: list[str]) -> NoReturn:
    """Be the warm parent: `FD IMPORT...`; FD is the control channel, whose end is the end."""
    if not __debug__:
        sys.exit("asserts are switched off in this Python (-O), so no test could fail")
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    control = Channel(socket.socket(fileno=int(arguments[0])))
    try:
        warm(arguments[1:])
    except ThreadStartedError as error:
        control.send("t", error.module.encode())
        os._exit(1)
    control.send("r")

    def handle(kind: str, body: bytes, fds: list[int]) -> None:
        function, options = json.loads(body)

        def become() -> None:
            control.close()
            find(function)(options, fds)

        fork(become)

    serve_forks(control, handle)
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
