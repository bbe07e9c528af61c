"""The warm parent: a process that has imported the heavy libraries and forks a child whenever one is asked for.

A fork shares the parent's memory, so a child has the libraries without importing them. The parent itself only imports:
whatever starts a thread (one parallel fit of scikit-learn is enough) would leave locks in the children that nobody
opens. `python -m kernels.parent` is the process; `Parent` starts it and talks to it.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NoReturn, Self

from base.errors import UserError
from base.process import python
from kernels.channel import Channel, ClosedError, Closing, pair
from kernels.forks import can_fork, find, fork, serve_forks
from kernels.warming import ENVIRONMENT, HEAVY, ThreadStartedError, warm

_INHERITED = ("HOME", "LD_LIBRARY_PATH", "PYTHONDONTWRITEBYTECODE")
"""What students' processes get of the shell that called: where font caches and shared libraries are, nothing else."""
_FIXED = {
    "LANG": "C.UTF-8",
    "PATH": os.pathsep.join([str(Path(sys.executable).parent), "/usr/local/bin", "/usr/bin", "/bin"]),
    "PYTHONUTF8": "1",
    "TZ": "UTC",
}


def students_environment() -> dict[str, str]:
    """Return the variables of processes in which students' code will run: the same on every machine, and no secrets.

    They are given at the start of a process, for its `/proc/self/environ` shows those for ever.
    """
    return {name: os.environ[name] for name in _INHERITED if name in os.environ} | _FIXED | ENVIRONMENT


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
