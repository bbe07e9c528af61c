"""Forks: children that end with their parent, and the loop of a process that forks them."""

import contextlib
import ctypes
import importlib
import os
import select
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from kernels.channel import Channel, ClosedError

_PR_SET_PDEATHSIG = 1
_HUGE, _MADV_COLLAPSE = 2 << 20, 25  # bytes of a huge page on x86-64 and aarch64


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


def can_fork() -> bool:
    """Return whether a process with libraries loaded can be forked safely here: on Linux only."""
    return sys.platform == "linux"
