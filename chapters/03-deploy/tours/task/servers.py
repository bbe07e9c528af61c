"""A server of a tour, started for as long as it is asked."""

import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def server(command: Sequence[str], ready: str, folder: Path, environment: Mapping[str, str]) -> Iterator[float]:
    """Run a server until the block ends; yields the seconds until it was ready.

    Args:
        command: Starts it.
        ready: An address that answers, not with 5xx, when it is.
        folder: Its working directory; its output goes to `server.log` there.
        environment: All its variables.

    Raises:
        RuntimeError: It ended, or was not ready within five minutes; the message has the end of its log.
    """
    log, began = folder / "server.log", time.monotonic()
    with log.open("wb") as stream:
        process = subprocess.Popen(  # noqa: S603
            command, cwd=folder, env=dict(environment), stdout=stream, stderr=subprocess.STDOUT
        )
    try:
        while not _answers(ready):
            if process.poll() is not None or time.monotonic() - began > 300:
                raise RuntimeError(f"{command[0]} is not ready: {log.read_text(errors='replace')[-1500:]}")
            time.sleep(0.2)
        yield time.monotonic() - began
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2):  # noqa: S310 - an address of this machine
            return True
    except urllib.error.HTTPError as error:
        return error.code < 500  # it is there, and has no such page
    except OSError:
        return False
