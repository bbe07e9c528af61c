"""The Jupyter kernel provisioner `python3-warm`: kernels forked from a warm parent, or normal ones where there is none.

It is an ordinary kernelspec: nbgrader, papermill, nbclient and JupyterLab use it unchanged. A kernel is forked
at the door of the command that runs, else at the user's. The first to come there gets a normal kernel, and leaves a
door for the next. See `kernels.door`.
"""

import contextlib
import json
import logging
import os
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import IO, Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.kernelspec import NATIVE_KERNEL_NAME, KernelSpecManager
from jupyter_client.provisioning.local_provisioner import LocalProvisioner

from kernels import door
from kernels.channel import Channel, ClosedError
from kernels.door import FOLDER, NoKernelError, NotYetError
from kernels.forks import can_fork

KERNEL_NAME = "python3-warm"
OPENING = 120.0  # seconds to wait for a command's own door to open
AT_ONCE = 0.3  # seconds to wait for the user's: while it warms up, a normal kernel is faster
_HONOURED = {"cwd", "env", "independent", "kernel_id", "stderr", "stdin", "stdout"}  # of what Popen could be told
_said: set[str] = set()
_running: dict[int, "WarmProcess"] = {}  # whose end was not seen yet; kept, for a leash that is dropped ends its kernel


class WarmProcess:
    """A forked kernel, with the methods of a `subprocess.Popen`."""

    def __init__(self, channel: Channel, pid: int, streams: list[IO[bytes] | None]) -> None:
        self.channel, self.pid = channel, pid
        self.stdin, self.stdout, self.stderr = streams
        self.returncode: int | None = None
        self.lock = threading.Lock()
        _running[pid] = self

    def poll(self) -> int | None:
        """Return the exit status, or None while it runs."""
        return self._ended(0)

    def wait(self, timeout: float | None = None) -> int:
        """Wait for its end and return the exit status. Raises `subprocess.TimeoutExpired`."""
        if self._ended(timeout) is None:
            raise subprocess.TimeoutExpired(f"kernel {self.pid}", timeout or 0)
        assert self.returncode is not None
        return self.returncode

    def _ended(self, timeout: float | None) -> int | None:
        with self.lock:
            if self.returncode is None and select.select([self.channel], [], [], timeout)[0]:
                try:
                    self.returncode = int(self.channel.receive()[1])
                except ClosedError:  # the door ended, and so all its kernels
                    self.returncode = -signal.SIGKILL
                self.channel.close()  # only now may its process id go to another
                del _running[self.pid]
            return self.returncode

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it ended."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """Kill it."""
        self.send_signal(signal.SIGKILL)


class WarmProvisioner(LocalProvisioner):
    """Has kernels forked from a warm parent, and starts them as usual where that cannot be, which it says once."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Launch a kernel: warm if possible."""
        try:
            process = fork_kernel(cmd, kwargs)
        except NotYetError as reason:
            self.log.debug("a normal kernel: %s", reason)
        except NoKernelError as reason:
            (self.log.debug if str(reason) in _said else self.log.warning)(
                "a normal kernel, not a warm one: %s", reason
            )
            _said.add(str(reason))
        else:
            self.process, self.pid, self.pgid = process, process.pid, process.pid  # type: ignore[assignment]
            self.cwd = kwargs.get("cwd") or Path.cwd()
            return self.connection_info
        return await super().launch_kernel(cmd, **kwargs)


def fork_kernel(command: list[str], options: Mapping[str, Any]) -> WarmProcess:
    """Have a kernel forked that is what `subprocess.Popen(command, **options)` would start.

    Raises:
        NoKernelError: There is no warm parent, or none that could do this.
    """
    try:
        return _fork_kernel(command, options)
    except OSError as error:  # a folder, a socket or /proc that this system does not have
        raise NoKernelError(str(error)) from None


def _fork_kernel(command: list[str], options: Mapping[str, Any]) -> WarmProcess:
    if not can_fork():
        raise NoKernelError(f"{sys.platform} cannot fork a process that has libraries loaded")
    if os.environ.get(FOLDER) == "off":
        raise NotYetError(f"{FOLDER} is off")
    if command[:3] != [sys.executable, "-m", "ipykernel_launcher"]:
        raise NoKernelError(
            f"only `{sys.executable} -m ipykernel_launcher` can be forked, not `{' '.join(command[:3])}`"
        )
    strange = sorted(set(options) - _HONOURED) + ["independent"] * bool(options.get("independent"))
    if strange:
        raise NoKernelError(f"only a new process can be started with {', '.join(strange)}")
    environment = {**(os.environ if options.get("env") is None else options["env"]), "JPY_PARENT_PID": str(os.getpid())}
    folder = os.path.abspath(options.get("cwd") or os.getcwd())  # noqa: PTH100, PTH109
    if not os.path.isdir(folder):  # noqa: PTH112
        raise NoKernelError(f"there is no folder {folder}")  # the usual way raises the usual error
    order = {"argv": command[3:], "environment": environment, "folder": folder}
    channel = _knock(environment)
    with contextlib.ExitStack() as ours:
        ours.callback(channel.close)
        with contextlib.ExitStack() as theirs:
            fds, streams = _streams(options, ours, theirs)
            try:
                channel.send("k", json.dumps(order).encode(), fds)
                _, body, _ = channel.receive()
            except (ClosedError, TimeoutError):
                raise NoKernelError("the warm parent did not answer") from None
        channel.connection.settimeout(None)
        process = WarmProcess(channel, int(body), streams)
        ours.pop_all()
    return process


def _knock(environment: Mapping[str, str]) -> Channel:
    """Return a connection to a door that is open. Raises `NoKernelError`."""
    own = os.environ.get(FOLDER)
    path = Path(own, f"{door.name(environment)}.sock") if own else door.users_door(environment)
    connection = socket.socket(socket.AF_UNIX)
    channel = Channel(connection)
    try:
        connection.settimeout(OPENING if own else AT_ONCE)
        connection.connect(str(path))
        if door.peer(connection)[1] != os.geteuid():
            raise NoKernelError(f"{path} is not this user's")
        kind, body, _ = channel.receive()
        if kind != "r":
            raise NoKernelError(f"the warm parent did not start: {body.decode()}")
        connection.settimeout(door.KNOCK)
    except BaseException as error:
        channel.close()
        if isinstance(error, TimeoutError):
            raise NotYetError("the warm parent is not ready yet") from None
        if not isinstance(error, FileNotFoundError | ConnectionRefusedError | ClosedError):
            raise
        if own:
            raise NoKernelError("this command's warm parent is gone, or is for another environment") from None
        if isinstance(error, ConnectionRefusedError):
            path.unlink(missing_ok=True)  # of a door that was killed
        door.leave(path, environment)
        raise NotYetError("the first; the warm parent is starting, the next will be warm") from None
    return channel


def _streams(
    options: Mapping[str, Any], ours: contextlib.ExitStack, theirs: contextlib.ExitStack
) -> tuple[list[int], list[IO[bytes] | None]]:
    """Return the kernel's three standard streams, and our ends of those that are pipes, as `subprocess` understands it.

    `theirs` closes what is only the kernel's. As `jupyter_client.launcher` has it, an input that is not given is empty.
    """
    fds: list[int] = []
    streams: list[IO[bytes] | None] = []

    def opened(fd: int, stack: contextlib.ExitStack) -> int:
        stack.callback(os.close, fd)
        return fd

    for number, key in enumerate(("stdin", "stdout", "stderr")):
        given, stream = options.get(key), None
        if given == subprocess.PIPE:
            read, write = os.pipe()
            kernels, mine = (read, write) if number == 0 else (write, read)
            fds.append(opened(kernels, theirs))
            stream = ours.enter_context(open(mine, "wb" if number == 0 else "rb", 0))  # noqa: PTH123, SIM115
        elif given is None and number == 0:
            read, write = os.pipe()
            os.close(write)
            fds.append(opened(read, theirs))
        elif given == subprocess.DEVNULL:
            fds.append(opened(os.open(os.devnull, os.O_RDWR), theirs))
        elif given == subprocess.STDOUT:
            fds.append(fds[1])
        elif given is None:
            fds.append(number)
        else:
            fds.append(given if isinstance(given, int) else given.fileno())
        streams.append(stream)
    return fds, streams


def kernel_name() -> str:
    """Return the kernelspec that commands of ours use: the warm one where there can be warm kernels."""
    if can_fork() and os.environ.get(FOLDER) != "off" and KERNEL_NAME in KernelSpecManager().find_kernel_specs():
        return KERNEL_NAME
    logging.getLogger(__name__).debug("normal kernels: no warm ones on this system, or in this environment")
    return NATIVE_KERNEL_NAME


def own_kernel_name() -> str:
    """Return the kernelspec for a process that forks kernels only at its command's own door."""
    return kernel_name() if FOLDER in os.environ else NATIVE_KERNEL_NAME


def running() -> list[int]:
    """Return the process ids of the warm kernels that this process started and that have not ended."""
    return list(_running)
