"""Each student's two files, made in a process with limits: no submission's page can stop or swell the run.

The process makes one student's graded notebook and page of feedback at a time. Where that takes too long or too much
memory, it is ended, and the student's files have the marks and a sentence in the place of the cells.
`python -m autograder.outputs.render` is the process; `Renderer` starts it and talks to it.
"""

import contextlib
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import time
import traceback
from dataclasses import asdict, replace
from typing import NoReturn

from autograder.lab.key import key_from_json, key_to_json
from autograder.model import NOTHING, ByHand, Key, Result
from kernels.channel import Channel, ClosedError, Closing, TooLargeError, pair

SECONDS, MEMORY_MB = 60.0, 1_500
"""What one student's files may take: wall time, and the process's address space. They take some 0.03 s and 200 MB."""
START = 120.0  # seconds that the process may take to start on a busy machine
LARGEST = 256 << 20  # bytes of a student's two files
NOT_SHOWN = (
    "What you handed in is too large to be shown here. It was graded, and your marks are right; "
    "your instructor has the file itself."
)


class _FailedError(Exception):
    """The files could not be made; the text says why, for the instructor."""


class Renderer(Closing):
    """Makes the files of one lab's students. The process starts when it is first needed, or warmed.

    Args:
        key: The lab.
        seconds: Wall time that one student's files may take.
        memory_mb: Address space of the process.
    """

    def __init__(self, key: Key, seconds: float = SECONDS, memory_mb: int = MEMORY_MB) -> None:
        self.key, self.seconds, self.memory_mb = key, seconds, memory_mb
        self.process: subprocess.Popen[bytes] | None = None
        self.ready = False

    def warm(self) -> "Renderer":
        """Start the process, and do not wait for it."""
        self.channel, theirs = pair(LARGEST)
        with theirs:
            self.process = subprocess.Popen(  # noqa: S603
                [sys.executable, "-P", "-m", "autograder.outputs.render", str(theirs.fileno()), str(self.memory_mb)],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for us alone
            )
        self.channel.send("k", json.dumps(key_to_json(replace(self.key, files={}))).encode())
        return self

    def __call__(self, result: Result, hand: ByHand = NOTHING) -> tuple[str, str]:
        """Return a student's graded notebook, and the page of feedback with what a person decided."""
        try:
            return self._made(result, hand, self.seconds)
        except _FailedError:
            return self._made(replace(result, cells=(), notes=(*result.notes, NOT_SHOWN)), hand, START)

    def _made(self, result: Result, hand: ByHand, seconds: float) -> tuple[str, str]:
        try:
            if self.process is None:
                self.warm()
            if not self.ready:
                self.channel.receive(time.monotonic() + START)
                self.ready = True
            until = time.monotonic() + seconds
            self.channel.connection.settimeout(seconds)  # it may have stopped reading
            self.channel.send("r", json.dumps([result.to_json(), asdict(hand)]).encode())
            kind, body, _ = self.channel.receive(until)
        except (ClosedError, TimeoutError, TooLargeError) as error:
            self.close()
            raise _FailedError(f"{result.student}: {type(error).__name__}") from None
        if kind == "f":
            raise RuntimeError(body.decode("utf-8", "replace"))
        notebook, page = json.loads(body)
        return notebook, page

    def close(self) -> None:
        """End the process."""
        if self.process is not None:
            self.channel.close()
            self.process.kill()
            self.process.wait()
            self.process, self.ready = None, False


def render(key: Key, result: Result, hand: ByHand = NOTHING) -> tuple[str, str]:
    """Return a student's graded notebook, and the page of feedback with what a person decided."""
    from autograder.outputs.feedback import feedback_page
    from autograder.outputs.graded import autograded_notebook

    return autograded_notebook(result, key), feedback_page(result, key, hand)


def main(arguments: list[str]) -> NoReturn:
    """Be the process: `FD MEMORY_MB`; FD is the channel, whose end is the end."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    most = int(arguments[1]) << 20
    resource.setrlimit(resource.RLIMIT_AS, (most, most))
    channel = Channel(socket.socket(fileno=int(arguments[0])))
    with contextlib.suppress(ClosedError):
        _, body, _ = channel.receive()
        key = key_from_json(json.loads(body))
        render(key, Result("nobody", key.lab, "", key.digest, "", ()))  # the first time costs the most
        channel.send("r")
        while True:
            _, body, _ = channel.receive()
            try:
                result, hand = json.loads(body)
                told = "p", json.dumps(render(key, Result.from_json(result), ByHand(**hand))).encode()
            except MemoryError:
                os._exit(1)
            except Exception:
                told = "f", traceback.format_exc().encode("utf-8", "backslashreplace")
            channel.send(*told)
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1:])
