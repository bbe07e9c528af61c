"""Servers that run for a while, and load for them: what the benchmarks of this and of later chapters share.

The load comes from wrk, which is not ours (Debian: `apt-get install wrk`). It keeps N connections busy, each of which
sends its next request when it has its answer.
"""

import atexit
import contextlib
import json
import logging
import math
import os
import shutil
import signal
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

_POST = Path(__file__).with_name("post.lua")


class BenchmarkError(RuntimeError):
    """A measurement that cannot be made; the message says what to do."""


class Server:
    """A server in a process of its own, which ends with this one or by `stop`.

    Args:
        command: Starts it.
        log: File for its output.
        environment: All its variables; None: those of this process.
    """

    def __init__(self, command: Sequence[str], log: Path, environment: Mapping[str, str] | None = None) -> None:
        self._command, self._log, self._began = command, log, time.monotonic()
        with log.open("wb") as stream:
            self._process = subprocess.Popen(  # noqa: S603 - commands of ours
                command, stdout=stream, stderr=stream, env=environment, start_new_session=True
            )
        self.pid = self._process.pid
        self.seconds = math.nan
        """From its start to its first good answer."""
        atexit.register(self.stop)

    def wait(self, url: str, body: Any = None, seconds: float = 300) -> None:
        """Wait until it answers with 200.

        Args:
            url: What must answer.
            body: Is posted there as JSON; None: the address is only read.
            seconds: How long at most, from its start.

        Raises:
            BenchmarkError: It ended, or did not answer in time; the message holds the end of its log.
        """
        while not _answers(url, body):
            if self._process.poll() is not None or time.monotonic() - self._began > seconds:
                end = self._log.read_text(encoding="utf-8", errors="replace")[-2000:]
                raise BenchmarkError(f"{' '.join(self._command)} does not serve: {end}")
            time.sleep(0.1)
        self.seconds = time.monotonic() - self._began

    def stop(self) -> None:
        """End it, with all that it started."""
        atexit.unregister(self.stop)
        self._process.terminate()  # some servers have shared memory to give back
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(10)
        if hasattr(os, "killpg"):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.pid, signal.SIGKILL)
        else:
            self._process.kill()  # Windows has no groups of this kind
        self._process.wait()


@contextlib.contextmanager
def serving(
    command: Sequence[str],
    log: Path,
    url: str,
    body: Any = None,
    *,
    seconds: float = 300,
    environment: Mapping[str, str] | None = None,
) -> Iterator[Server]:
    """Run a server until the block ends; arguments and errors as those of `Server` and its `wait`."""
    server = Server(command, log, environment)
    try:
        server.wait(url, body, seconds)
        yield server
    finally:
        server.stop()


def serve_wsgi(app: Any) -> str:
    """Serve a WSGI app, such as Flask's, from a thread of this process until it ends, by what `flask run` uses.

    Returns:
        Its address, such as `http://127.0.0.1:45123`.
    """
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)  # no line for each request
    server = make_server("127.0.0.1", 0, app, threaded=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def _answers(url: str, body: Any) -> bool:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})  # noqa: S310 - on this machine
    try:
        with urllib.request.urlopen(request, timeout=5) as answer:  # noqa: S310
            return bool(answer.status == 200)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def load(url: str, bodies: Path, connections: int, seconds: int) -> dict[str, float]:
    """Keep a service busy and return `answers_per_s`, `p50_ms` and `p99_ms`.

    Args:
        url: Where to post.
        bodies: One JSON document a line; they are posted in turn.
        connections: How many requests are under way at a time.
        seconds: How long.

    Raises:
        BenchmarkError: wrk is not there, or an answer was an error.
    """
    program = shutil.which("wrk")
    if program is None:
        raise BenchmarkError("no wrk here, which makes the load: install it (Debian: apt-get install wrk)")
    command = [program, "-t1", f"-c{connections}", f"-d{seconds}s", "-s", str(_POST), url]
    done = subprocess.run([*command, "--", str(bodies)], capture_output=True, text=True, check=False)  # noqa: S603
    try:
        found = json.loads(done.stdout.strip().splitlines()[-1])
    except (ValueError, IndexError):
        raise BenchmarkError(f"wrk did not measure: {done.stdout}{done.stderr}") from None
    if found["failed"] or not found["answers"]:
        raise BenchmarkError(f"{url}: {found['failed']} of {found['answers']} answers failed")
    return {"answers_per_s": found["answers"] / found["seconds"]} | {name: found[name] for name in ("p50_ms", "p99_ms")}
