"""The processes of a grading run, each a fork of the one before, each seeing less.

    warm parent   has imported what the lab imports
    template      in the sandbox's view, first process of a pid namespace; has run the instructor's first cells
    box           one a submission, with a /tmp of its own
    kernel        the student's or the examiner's: first process of a pid namespace, nobody, confined

Each is told what to do over a channel, and ends when its channel does or the process above it.
"""

import base64
import contextlib
import gc
import io
import itertools
import json
import os
import random
import resource
import signal
import socket
import sys
import tempfile
import threading
import time
import traceback
from functools import partial
from pathlib import Path
from typing import Any

from autograder.examiner.protocol import Box, BoxOrder, Cells, EndOrder, KernelOrder, Template
from autograder.examiner.shell import Kernel, Shell, make_shell, run_cell
from autograder.sandbox.confine import confine, new_pid_namespace
from autograder.sandbox.enter import enter, fresh_scratch
from autograder.sandbox.view import View
from kernels.channel import Channel, ClosedError
from kernels.forks import fork, join_pages, serve_forks, threads

STACK = 2 << 20
"""Bytes of a thread's stack. With the usual 8 MB the limit of memory would let no more than some 150 threads start."""
MANY = 32
"""Boxes after which a template makes its forks cheaper, which itself costs as much as some twenty of them save."""


def _set_up(shell: Shell, sources: list[str]) -> dict[str, Any]:
    """Run the instructor's first cells; returns the names that they bound, or what went wrong."""
    before, calm = set(shell.user_ns), _start_arrow()
    for source in sources:
        told, _ = run_cell(shell, source, 10_000)
        if not told["ok"]:
            return {"fault": f"{told['ename']}: {told['evalue']}", "line": told["line"]}
    return {"names": sorted(set(shell.user_ns) - before), "threads": threads() - calm}


def _start_arrow() -> int:
    """Start pyarrow's threads, one of each kind; returns how many threads there are now.

    pyarrow starts them anew in a fork, so they are no reason not to fork; any others that come later are.
    """
    if "pyarrow" in sys.modules:
        import pyarrow
        from pyarrow import parquet

        pyarrow.set_io_thread_count(1)
        stream = io.BytesIO()
        parquet.write_table(pyarrow.table({"a": [1]}), stream)
        parquet.read_table(io.BytesIO(stream.getvalue()))
    return threads()


def template(options: dict[str, Any], fds: list[int]) -> None:
    """Be the template; a function for `Parent.fork`.

    Args:
        options: `sandbox` (bool), `readonly` and `hidden` (paths), `scratch_mb`, `files` (base64 by relative path),
            `setup` (sources of cells).
        fds: The control channel.
    """
    control = Channel(socket.socket(fileno=fds[0]))
    if not options["sandbox"]:
        os.chdir(options["folder"])
        _serve_boxes(options, control)
        return
    try:
        readonly, hidden = (tuple(map(Path, options[key])) for key in ("readonly", "hidden"))
        enter(View(readonly=readonly, hidden=hidden, scratch_mb=options["scratch_mb"]))
        new_pid_namespace()  # in one of its own, a box may make one for each of its kernels
    except Exception:
        control.send(Template.READY, json.dumps({"fault": traceback.format_exc(limit=-2)}).encode())
        return
    pid = fork(partial(_serve_boxes, options, control))
    control.close()
    os.waitpid(pid, 0)


def _serve_boxes(options: dict[str, Any], control: Channel) -> None:
    """Run the instructor's first cells, tell how that went, and fork a box whenever one is asked for."""
    try:
        for name, content in options["files"].items():
            path = Path(name)
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(base64.b64decode(content))
        home = Path.cwd().parent if options["sandbox"] else Path.cwd()
        os.environ |= {"HOME": str(home), "TMPDIR": str(home), "MPLCONFIGDIR": str(home / ".matplotlib")}
        tempfile.tempdir = None
        sys.path.insert(0, "")
        _seed()
        shell = make_shell()
        told = _set_up(shell, options["setup"])
        gc.collect()
        gc.freeze()
    except Exception:
        told = {"fault": traceback.format_exc(limit=-2)}
    control.send(Template.READY, json.dumps(told).encode())
    if "fault" in told:
        return
    names = set(told["names"])
    boxes = itertools.count(1)

    def handle(kind: str, body: bytes, fds: list[int]) -> None:
        def become() -> None:
            control.close()
            box(BoxOrder.read(body), Channel(socket.socket(fileno=fds[0])), shell, names)

        fork(become)
        if next(boxes) == MANY:
            join_pages()

    serve_forks(control, handle)


def _seed() -> None:
    """Start every kernel's random numbers alike: a submission graded twice gets the same marks."""
    random.seed(0)
    if "numpy" in sys.modules:
        sys.modules["numpy"].random.seed(0)


def box(order: BoxOrder, control: Channel, shell: Shell, names: set[str]) -> None:
    """Be a box: fork kernels, end them and say how they ended, until the control channel closes."""
    kernels: dict[int, int] = {}
    try:
        if order.sandbox:
            fresh_scratch(order.scratch_mb, order.uid)
        else:
            os.chdir(order.folder)
        while True:
            kind, body, fds = control.receive()
            if kind == Box.KERNEL:
                if order.sandbox:
                    new_pid_namespace()
                wanted = KernelOrder.read(body)
                kernels[wanted.number] = fork(partial(_be_kernel, wanted, order.sandbox, fds, shell, names))
                for fd in fds:
                    os.close(fd)
            elif kind == Box.END:
                ended = EndOrder.read(body)
                pid = kernels.pop(ended.number)
                if ended.gone:
                    _wait(pid, 2.0)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    if not order.sandbox:
                        os.killpg(pid, signal.SIGKILL)
                _, status = os.waitpid(pid, 0)
                control.send(Box.END, json.dumps({"code": os.waitstatus_to_exitcode(status)}).encode())
    except ClosedError:
        return
    finally:
        for pid in kernels.values():
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)


def _wait(pid: int, seconds: float) -> None:
    """Wait until a child has ended, which is left to be collected, but not longer than this."""
    until = time.monotonic() + seconds
    while os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is None and time.monotonic() < until:
        time.sleep(0.005)


def _trust_nothing() -> None:
    """Import and configure nothing from where the student's code can write, nor have a child process do so."""
    sys.path[:] = [entry for entry in sys.path if entry]
    os.environ |= {"HOME": "/", "MPLCONFIGDIR": "/", "PYTHONSAFEPATH": "1", "PYTHONNOUSERSITE": "1"}


def _be_kernel(order: KernelOrder, sandboxed: bool, fds: list[int], shell: Shell, names: set[str]) -> None:
    """Be a kernel; no way back."""
    limits = order.confine
    known_as = os.readlink("/proc/self")  # noqa: PTH115  # to the grader, whose /proc this still is
    null = os.open(os.devnull, os.O_RDONLY)
    printed, path = tempfile.mkstemp(prefix=".printed-")
    Path(path).unlink()
    os.dup2(null, 0)
    os.dup2(printed, 1)
    os.dup2(printed, 2)
    os.setsid()  # a signal to the process group must not reach anybody else's
    if order.examiner:
        _trust_nothing()
    if sandboxed:
        confine(limits, keep=(0, 1, 2, fds[0]))
    else:
        for kind, value in ((resource.RLIMIT_CPU, limits.cpu_seconds), (resource.RLIMIT_FSIZE, limits.file_mb << 20)):
            resource.setrlimit(kind, (value, value))
    if "pyarrow" in sys.modules:
        sys.modules["pyarrow"].set_io_thread_count(8)  # its own default
    threading.stack_size(STACK)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)  # too large a file is an error of the write, not the end
    channel = Channel(socket.socket(fileno=fds[0]))
    channel.send(Cells.PROCESS, os.fsencode(known_as))
    _seed()  # Python seeds `random` anew in every fork
    with contextlib.suppress(ClosedError):
        Kernel(shell, channel, order.examiner, set(names), order.output_bytes).serve()
