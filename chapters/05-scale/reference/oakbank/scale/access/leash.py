"""A server that ends with the process that started it, however that one ends.

`atexit` is not called when a kernel is killed. So between the two stands a keeper: it waits for the end of its own
standard input, which the operating system closes when the process at the other end is gone, and then ends the server.
The keeper is this file, run as a program.
"""

import atexit
import json
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

PATIENCE = 10.0
"""Seconds that a server has to end before it is killed."""


class Leashed:
    """A program that runs until `stop`, or until this process is gone.

    Args:
        command: Program and arguments. Others on the machine can read them: no secret belongs here.
        folder: It works here, and writes its output to `server.log`.
        user: Number of the user and group that it runs as; only root may choose. None: as ourselves.
        end: The signal that asks it to end.
    """

    def __init__(
        self, command: Sequence[str], folder: Path, *, user: int | None = None, end: signal.Signals = signal.SIGTERM
    ) -> None:
        told = json.dumps({"command": [*command], "folder": str(folder), "user": user, "end": end})
        # A session of its own: Ctrl-C and the interrupt of a notebook are for the cell, not for the server.
        self._keeper = subprocess.Popen(  # noqa: S603
            [sys.executable, "-P", __file__, told], stdin=subprocess.PIPE, start_new_session=True
        )
        self.log = folder / "server.log"
        atexit.register(self.stop)

    @property
    def running(self) -> bool:
        """Whether it still runs."""
        return self._keeper.poll() is None

    def stop(self) -> None:
        """End it, and wait until it has ended."""
        if self._keeper.stdin is not None:
            self._keeper.stdin.close()
        self._keeper.wait()
        atexit.unregister(self.stop)


class LeashedServer:
    """A server with a folder of its own, which goes when the server ends; `start` of a class below sets both."""

    def __init__(self) -> None:
        self._server: Leashed | None = None
        self._folder: Path | None = None

    def start(self) -> Self:
        """Start it, and wait until it answers."""
        raise NotImplementedError

    def given_up(self) -> str:
        """End a server that does not answer, and return the end of its log."""
        assert self._server is not None
        log = self._server.log.read_text(encoding="utf-8", errors="replace")[-500:]
        self.stop()
        return log.strip()

    def stop(self) -> None:
        """End it; what it kept is gone."""
        if self._server is not None:
            self._server.stop()
            self._server = None
        if self._folder is not None:
            shutil.rmtree(self._folder, ignore_errors=True)
            self._folder = None

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


def _keep(told: str) -> int:
    """Run a server until it ends by itself, or the process that started us has gone; return its exit code."""
    asked = json.loads(told)
    user = asked["user"]
    other: dict[str, Any] = {} if user is None else {"user": user, "group": user, "extra_groups": []}
    with (Path(asked["folder"]) / "server.log").open("ab") as log:
        server = subprocess.Popen(  # noqa: S603
            asked["command"], stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=asked["folder"], **other
        )
    threading.Thread(target=_end_with_parent, args=(server, asked["end"]), daemon=True).start()
    return server.wait()


def _end_with_parent(server: subprocess.Popen[bytes], end: int) -> None:
    sys.stdin.buffer.read()
    server.send_signal(end)
    try:
        server.wait(PATIENCE)
    except subprocess.TimeoutExpired:
        server.kill()


if __name__ == "__main__":
    sys.exit(_keep(sys.argv[1]))
