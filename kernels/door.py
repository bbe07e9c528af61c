"""The door of a warm parent: a Unix socket where whoever knocks gets a Jupyter kernel forked.

Who knocks sends what a new process would be given (arguments, environment, working directory, standard streams) and
gets the kernel's process id, later its exit status. The connection is the leash: when it ends, or the process at its
other end does, the kernel and what it started are killed. When the door itself ends, all its kernels do.

There are two kinds. `Door` belongs to one command and ends with it. `leave` starts one that outlives the command, for
whoever comes next (the same command, again and again), and ends by itself when nobody comes. Doors have names made from
everything a kernel would inherit or read as it starts (`name`), so that nobody gets a kernel that is not what a new
process would have become. `kernels.porter` is the process behind a door; `kernels.provisioner` knocks.
"""

import errno
import hashlib
import json
import os
import re
import shutil
import socket
import stat
import struct
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path

from base.errors import UserError
from kernels.channel import Closing
from kernels.forks import can_fork
from kernels.warming import ENVIRONMENT

FOLDER = "WARM_KERNELS"  # environment variable: the folder of a command's own door; "off": no warm kernels
IDLE = 600.0  # seconds that a door which outlives its command waits for the next
KNOCK = 10.0  # seconds to say what is wanted
RETRY = 600.0  # seconds until a door that could not open is tried again
INLINE = ENVIRONMENT["MPLBACKEND"]

# Read while Python starts or a library is imported: a child of a process with another value would differ from a new
# process. Found by recording what importing HEAVY reads, and from the manuals of the libraries in C.
_READ_AT_START = re.compile(
    r"""
    ARROW_ | DATABRICKS_ | GLIBC_ | GOMP_ | HOME$ | IPYTHON_ | JE_ARROW_ | JOBLIB_ | JUPYTER_ALLOW_INSECURE |
    JUPYTER_PLATFORM_DIRS | KMP_ | LANG | LC_ | LD_ | LIGHTGBM_ | LOKY_ | MALLOC_ | MATPLOTLIB | MIMALLOC_ | MKL_ |
    MLFLOW_ | MPL | NPY_ | NUMPY_ | OMP_ | OPENBLAS_ | OTEL_ | PANDAS_ | PILLOW_ | PROTOCOL_BUFFERS | PYDANTIC_ |
    PYTHON | PYZMQ_ | REQUESTS_CA | SCIPY_ | SKLEARN_ | SSL_CERT | TRAITLETS_ | TZ$ | XDG_(CACHE|CONFIG|DATA)_HOME$
    """,
    re.VERBOSE,
)
_INHERITED = ("attr/current", "cgroup", "limits", "oom_score_adj")  # of /proc/self
_STATUS = ("CapBnd", "CapEff", "Cpus_allowed", "Gid", "Groups", "NoNewPrivs", "Seccomp", "Uid", "Umask")
_CREDENTIALS = struct.Struct("3i")  # struct ucred: pid, uid, gid


class NoKernelError(Exception):
    """There is no kernel to be had at a door; the message says why."""


class NotYetError(NoKernelError):
    """There is none now, but there will be."""


def read_at_start(environment: Mapping[str, str]) -> dict[str, str]:
    """Return the variables that a process reads once, as it starts, except those that a door sets."""
    return {
        key: environment[key]
        for key in sorted(environment)
        if _READ_AT_START.match(key)
        and (key not in ENVIRONMENT or (key == "MPLBACKEND" and environment[key] != INLINE))
    }


def name(environment: Mapping[str, str], *more: int) -> str:
    """Return the name of the door whose kernels are as a new process of ours with this environment would be.

    It changes with the interpreter, the installed packages, and whatever a child process inherits: namespaces, limits,
    control group, capabilities, the processors it may use; and with `more`.
    """
    proc = Path("/proc/self")
    status = (line.partition(":") for line in (proc / "status").read_text(encoding="utf-8").splitlines())
    facts = {
        "more": more,
        "python": [sys.executable, sys.version],
        "packages": {folder: Path(folder).stat().st_mtime_ns for folder in _package_folders()},
        "variables": read_at_start(environment),
        "namespaces": [str(path.readlink()) for path in sorted((proc / "ns").iterdir())],
        "root": str((proc / "root").readlink()),
        "nice": os.getpriority(os.PRIO_PROCESS, 0),
        "inherited": [_text(proc / file) for file in _INHERITED],
        "status": [[key, value] for key, _, value in status if key in _STATUS],
    }
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]


def _package_folders() -> list[str]:
    """Return the folders of installed packages: installing, removing or updating one changes its folder's time."""
    folders = {sysconfig.get_path("purelib"), sysconfig.get_path("platlib")}
    return sorted(folder for folder in folders if Path(folder).is_dir())


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8", errors="replace")
    except OSError:  # no such security module or control groups here
        return ""


def users_door(environment: Mapping[str, str]) -> Path:
    """Return where this user's door is, or would be. One that runs older code of ours is not it."""
    code = [path.stat().st_mtime_ns for path in sorted(Path(__file__).parent.glob("*.py"))]
    return users_folder() / f"{name(environment, *code)}.sock"


def users_folder() -> Path:
    """Return the folder of this user's doors, made if need be. Nobody else can enter it.

    Raises:
        NoKernelError: Somebody else made it, or could enter it.
    """
    runtime, user = os.environ.get("XDG_RUNTIME_DIR", ""), os.geteuid()
    if runtime and Path(runtime).is_dir() and Path(runtime).stat().st_uid == user:
        folder = Path(runtime) / "warm-kernels"
    else:
        folder = Path(tempfile.gettempdir()) / f"warm-kernels-{user}"
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != user or found.st_mode & 0o077:
        raise NoKernelError(f"{folder} is not a folder that this user alone can enter: remove it")
    return folder


def _listen(path: Path) -> socket.socket:
    """Return a listening socket at `path`.

    Raises:
        NotYetError: Another process is at it.
        NoKernelError: There cannot be one: its path is too long, or the disk is full.
    """
    listener = socket.socket(socket.AF_UNIX)
    try:
        listener.bind(str(path))
        listener.listen(128)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise NotYetError("another process is starting the warm parent") from None
        raise NoKernelError(f"no socket at {path}: {error}") from None
    return listener


def _start(path: Path, environment: Mapping[str, str], idle: float | None) -> "subprocess.Popen[bytes]":
    """Start the process of a door. It has its socket from the start; with no `idle`, the end of its stdin ends it."""
    with _listen(path) as listener:
        return subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "kernels.porter", json.dumps([listener.fileno(), str(path), idle])],
            pass_fds=[listener.fileno()],
            stdin=subprocess.PIPE if idle is None else subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={key: value for key, value in environment.items() if not key.startswith("JPY_")} | ENVIRONMENT,
            cwd="/",
            start_new_session=True,  # Ctrl-C is for the command alone
        )


_left: list["subprocess.Popen[bytes]"] = []  # kept: a Popen that is dropped complains that its process lives


def leave(path: Path, environment: Mapping[str, str], idle: float = IDLE) -> None:
    """Start a door that outlives this process.

    Raises:
        NoKernelError: It could not open a short while ago, or another process is starting it.
    """
    failed = path.with_suffix(".failed")
    if failed.exists():
        if time.time() - failed.stat().st_mtime < RETRY:
            raise NoKernelError(_text(failed))
        failed.unlink(missing_ok=True)
    _left.append(_start(path, environment, idle))


class Door(Closing):
    """A door that belongs to this process, and ends with it.

    Args:
        environment: What the kernels' environment will be, as far as `read_at_start` goes.

    Raises:
        UserError: This system cannot fork a process that has libraries loaded, or has no place for a socket.
    """

    def __init__(self, environment: Mapping[str, str]) -> None:
        if not can_fork():
            raise UserError(f"{sys.platform} cannot fork a process that has libraries loaded")
        self.folder = Path(tempfile.mkdtemp(prefix="warm-kernels-"))
        self.path = self.folder / f"{name(environment)}.sock"
        try:
            self.process = _start(self.path, environment, None)
        except NoKernelError as reason:
            self.folder.rmdir()
            raise UserError(str(reason)) from None

    @property
    def variables(self) -> dict[str, str]:
        """The environment variable that leads a process here."""
        return {FOLDER: str(self.folder)}

    @property
    def failure(self) -> str:
        """Why it could not open; empty: it is open, or will be."""
        return _text(self.path.with_suffix(".failed"))

    def close(self) -> None:
        """End it and all its kernels."""
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)  # the door does so too, if it ends in peace


def peer(connection: socket.socket) -> tuple[int, int, int]:
    """Return process, user and group at the other end of a Unix socket."""
    found = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)  # type: ignore[attr-defined,unused-ignore]
    pid, user, group = _CREDENTIALS.unpack(found)
    return pid, user, group
