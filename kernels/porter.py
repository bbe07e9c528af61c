"""The process behind a door: it imports the heavy libraries, then forks a kernel for whoever knocks.

`python -m kernels.porter '[LISTENING SOCKET, ITS PATH, SECONDS]'`; see `kernels.door`, which starts it. It speaks
in the frames of `kernels.channel.Channel`:

| from | kind | body |
|---|---|---|
| porter | `r` | ready: say what you want |
| porter | `n` | why there will be no kernel |
| client | `k` | the order, as JSON; with it go descriptors of the three standard streams |
| porter | `p` | process id of the kernel |
| porter | `x` | its exit status, as `subprocess` has it |

The kernel stays a zombie until the client has hung up, so that its process id is nobody else's before.
"""

import atexit
import contextlib
import gc
import importlib
import importlib.util
import io
import json
import os
import selectors
import signal
import socket
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

from base.files import write_text
from base.process import ONE_THREAD
from kernels.channel import Channel, ClosedError
from kernels.door import KNOCK, peer
from kernels.forks import die_with_parent
from kernels.warming import HEAVY, warm

KERNEL = (
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.oinspect",
    "IPython.extensions.storemagic",
    "ipykernel.debugger",
    "ipykernel.ipkernel",
    "ipykernel.kernelapp",
    "ipykernel.zmqshell",
    "multiprocessing.process",
    "sqlite3",
    "threadpoolctl",
    "tornado.platform.asyncio",
)
"""What a kernel itself imports as it starts."""


class Order(NamedTuple):
    """What a kernel is to become, and its standard streams."""

    argv: list[str]
    environment: dict[str, str]
    folder: str
    streams: list[int]


class _Kernel:
    """A forked kernel and who holds its leash."""

    def __init__(self, channel: Channel, holder: int, pid: int) -> None:
        self.channel, self.holder, self.pid = channel, holder, pid
        self.process = os.pidfd_open(pid)
        self.ended = self.let_go = False

    def fds(self) -> tuple[int, int, int]:
        """Return all descriptors: the connection, its holder's process, the kernel's process."""
        return self.channel.fileno(), self.holder, self.process

    def status(self) -> int:
        """Return the exit status as `subprocess` has it, and leave the zombie there."""
        found = os.waitid(os.P_PIDFD, self.process, os.WEXITED | os.WNOWAIT)
        assert found is not None
        return found.si_status if found.si_code == os.CLD_EXITED else -found.si_status

    def kill(self) -> None:
        """Kill it and what it started."""
        import psutil

        try:
            below = psutil.Process(self.pid).children(recursive=True)
        except psutil.NoSuchProcess:
            below = []
        with contextlib.suppress(ProcessLookupError):  # it has no group of its own yet
            os.killpg(self.pid, signal.SIGKILL)
        os.kill(self.pid, signal.SIGKILL)
        for process in below:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()

    def close(self) -> None:
        """Forget it."""
        self.channel.close()
        os.close(self.holder)
        os.close(self.process)


class _Server:
    """Answers the door. In a forked child, `serve` returns what the child shall become."""

    def __init__(self, listener: socket.socket, path: Path, idle: float | None) -> None:
        self.listener, self.path, self.idle = listener, path, idle
        self.inode, self.process = path.stat().st_ino, os.getpid()
        self.kernels: dict[int, _Kernel] = {}  # by each of its descriptors
        self.events = selectors.DefaultSelector()
        self.events.register(listener, selectors.EVENT_READ)
        if idle is None:
            self.events.register(0, selectors.EVENT_READ)
        self.quiet_since = time.monotonic()

    def serve(self) -> Order | None:
        """Answer until the end, and return None; in a child, return what it shall become."""
        try:
            while self._wanted():
                for key, _ in self.events.select(timeout=2.0):
                    if key.fileobj is self.listener:
                        order = self._answer()
                        if order is not None:
                            return order
                    elif key.fd == 0:
                        return None  # whose door this is has gone
                    kernel = self.kernels.get(key.fd)
                    if kernel is not None and kernel is key.data:  # its number may be another's since a moment ago
                        self._happened(kernel, key.fd)
        finally:
            if os.getpid() == self.process:
                self._end()
        return None

    def _wanted(self) -> bool:
        """Whether to go on: somebody may come, and would find us."""
        if self.kernels:
            self.quiet_since = time.monotonic()
        try:
            found = self.path.stat().st_ino == self.inode
        except FileNotFoundError:
            found = False
        idle = self.idle is not None and time.monotonic() - self.quiet_since > self.idle
        return bool(self.kernels) or self.idle is None or (found and not idle)

    def _answer(self) -> Order | None:
        """Let one in: read what is wanted, fork; who speaks in riddles or hangs up gets nothing."""
        connection, _ = self.listener.accept()
        connection.settimeout(KNOCK)
        channel, streams = Channel(connection), list[int]()
        try:
            pid, user, _ = peer(connection)
            holder = os.pidfd_open(pid)
        except ProcessLookupError:
            channel.close()
            return None
        try:
            if user != os.geteuid():
                raise ClosedError
            channel.send("r")
            kind, body, streams = channel.receive()
            if kind != "k" or len(streams) != 3:
                raise ClosedError
            order = Order(**json.loads(body), streams=streams)
            child = os.fork()
            if child == 0:
                self._leave_to_child(channel, holder)
                return order
            kernel = _Kernel(channel, holder, child)
            for fd in kernel.fds():
                self.kernels[fd] = kernel
                self.events.register(fd, selectors.EVENT_READ, kernel)
            with contextlib.suppress(ClosedError):  # then its descriptors tell
                channel.send("p", str(child).encode())
        except (ClosedError, TimeoutError, ValueError, TypeError):
            os.close(holder)
            channel.close()
        finally:
            if os.getpid() == self.process:
                for fd in streams:
                    os.close(fd)
        return None

    def _happened(self, kernel: _Kernel, fd: int) -> None:
        """Something of a kernel is readable: it ended, or whoever holds its leash let go."""
        if fd == kernel.process:
            kernel.ended = True
            self.events.unregister(fd)
            with contextlib.suppress(ClosedError, TimeoutError):
                kernel.channel.send("x", str(kernel.status()).encode())
        elif not kernel.let_go:
            kernel.let_go = True
            for other in kernel.fds()[:2]:
                self.events.unregister(other)
            if not kernel.ended:
                kernel.kill()
        if kernel.ended and kernel.let_go:
            os.waitpid(kernel.pid, 0)
            self._forget(kernel)

    def _forget(self, kernel: _Kernel) -> None:
        for fd in kernel.fds():
            del self.kernels[fd]
        kernel.close()

    def _leave_to_child(self, channel: Channel, holder: int) -> None:
        """Close, in a child, all that is the door's."""
        self.events.close()
        self.listener.close()
        channel.close()
        os.close(holder)
        for kernel in set(self.kernels.values()):
            kernel.close()
        die_with_parent()
        if os.getppid() != self.process:
            os._exit(1)

    def _end(self) -> None:
        """Nobody shall find the door, and no kernel survive it."""
        with contextlib.suppress(OSError):  # somebody was faster
            if self.path.stat().st_ino == self.inode:
                self.path.unlink()
                if self.idle is None:
                    self.path.parent.rmdir()
        self.listener.close()
        for kernel in set(self.kernels.values()):
            if not kernel.ended:
                kernel.kill()


def _refuse(listener: socket.socket, path: Path, reason: str) -> NoReturn:
    """The libraries could not be imported: say so to those who wait, and to those who come within a while."""
    write_text(path.with_suffix(".failed"), reason)
    path.unlink(missing_ok=True)
    listener.setblocking(False)
    with contextlib.suppress(BlockingIOError):
        while True:
            connection, _ = listener.accept()
            with contextlib.suppress(ClosedError):
                Channel(connection).send("n", reason.encode())
            connection.close()
    raise SystemExit(1)


def _become_kernel(order: Order, added: Mapping[str, str]) -> None:
    """Go on as the kernel that `python -m ipykernel_launcher` would be in a new process.

    `added` are the variables that the libraries set as they were imported.
    """
    import multiprocessing.process
    import random

    os.setsid()
    for number, fd in enumerate(order.streams):
        os.dup2(fd, number)
        os.close(fd)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.chdir(order.folder)
    os.environ.clear()
    os.environ.update({**added, **order.environment})
    time.tzset()
    tempfile.tempdir = None
    # What a new process draws or notes for itself as it starts.
    random.seed()
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed()
    multiprocessing.process.current_process().authkey = os.urandom(32)
    multiprocessing.process.ORIGINAL_DIR = order.folder  # type: ignore[attr-defined]
    _honour_thread_numbers(order.environment)
    for module in [module for module in sys.modules if module.partition(".")[0] in ("base", "kernels")]:
        del sys.modules[module]
    importlib.invalidate_caches()
    launcher = importlib.util.find_spec("ipykernel_launcher")
    assert launcher is not None
    sys.argv = [str(launcher.origin), *order.argv]
    sys.orig_argv[:] = [sys.executable, "-m", "ipykernel_launcher", *order.argv]

    from ipykernel.kernelapp import IPKernelApp

    app = IPKernelApp.instance(parent_handle=os.getppid())
    app.initialize(order.argv)  # type: ignore[no-untyped-call]
    if "matplotlib_inline.backend_inline" in sys.modules:  # does this on import, but then there was no shell
        sys.modules["matplotlib_inline.backend_inline"]._enable_matplotlib_integration()
    app.start()  # type: ignore[no-untyped-call]


def _honour_thread_numbers(environment: Mapping[str, str]) -> None:
    """Give the libraries, which were loaded for one thread, as many as the environment says, or as there are cores."""
    if all(environment.get(key) == value for key, value in ONE_THREAD.items()):
        return
    threadpoolctl: Any = importlib.import_module("threadpoolctl")
    cores = len(os.sched_getaffinity(0))

    def number(*keys: str) -> int:
        given = (environment.get(key, "").partition(",")[0].strip() for key in keys)
        return next((int(value) for value in given if value.isdigit() and int(value)), cores)

    keys = {"openblas": "OPENBLAS_NUM_THREADS", "mkl": "MKL_NUM_THREADS", "blis": "BLIS_NUM_THREADS"}
    for library in threadpoolctl.ThreadpoolController().lib_controllers:
        wanted = number(keys.get(library.internal_api, "OMP_NUM_THREADS"), "OMP_NUM_THREADS")
        library.set_num_threads(min(wanted, cores) if library.internal_api == "openblas" else wanted)  # as it does
    if "pyarrow" in sys.modules:
        sys.modules["pyarrow"].set_cpu_count(number("OMP_NUM_THREADS"))


def main(arguments: list[Any]) -> None:
    """Be a door: `[descriptor of the listening socket, its path, seconds to stay or None]`."""
    if not sys.flags.safe_path:
        del sys.path[0]  # the folder we were started in
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    number, path, idle = arguments
    listener = socket.socket(fileno=number)
    before = dict(os.environ)
    try:  # the first line is for systems too old, or too strange, to have such descriptors
        os.close(os.pidfd_open(os.getpid()))
        warm([*KERNEL, *HEAVY])  # KERNEL first: tqdm looks for it
    except Exception as error:
        _refuse(listener, Path(path), f"{type(error).__name__}: {error}")
    added = {key: value for key, value in os.environ.items() if key not in before}
    order = _Server(listener, Path(path), idle).serve()
    if order is None:
        return
    status = 1
    try:
        _become_kernel(order, added)
        status = 0
    except SystemExit as end:
        status = end.code if isinstance(end.code, int) else int(end.code is not None)
    except BaseException:
        sys.excepthook(*sys.exc_info())
    finally:
        _end(status)


def _end(status: int) -> NoReturn:
    """End as the interpreter does, except that what came from the parent is not torn down: it would be copied first."""
    threading._shutdown()  # type: ignore[attr-defined]  # waits for threads, as `Py_FinalizeEx` does
    atexit._run_exitfuncs()  # the shell's drops the user's objects
    gc.collect()
    for thing in gc.get_objects():  # those made since the fork: what came before is frozen
        if isinstance(thing, io.TextIOWrapper | io.BufferedWriter | io.BufferedRandom):
            with contextlib.suppress(OSError, ValueError):
                thing.flush()
    if sys.__stdout__ is not None:
        sys.__stdout__.flush()
    os._exit(status & 0xFF)


if __name__ == "__main__":
    main(json.loads(sys.argv[1]))
