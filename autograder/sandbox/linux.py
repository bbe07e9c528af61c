"""What the sandbox asks of Linux, by the C library: namespaces, mounts, and what it is refused."""

import contextlib
import ctypes
import functools
import os
import struct
from collections.abc import Iterator
from pathlib import Path

from base.errors import UserError

NOBODY = 65534
TMP, SHM, PROC = Path("/tmp"), Path("/dev/shm"), Path("/proc")  # noqa: S108
SHM_MB = 64

NEWNS, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET = 1 << 17, 1 << 26, 1 << 27, 1 << 28, 1 << 29, 1 << 30  # CLONE_*
NEW_ANY = 0x7E020000  # these and CLONE_NEWCGROUP
MS_NOSUID, MS_NODEV, MS_NOEXEC, MS_BIND, MS_REC, MS_PRIVATE = 2, 4, 8, 1 << 12, 1 << 14, 1 << 18
_READ_ONLY = 1 | 2 | 4  # MOUNT_ATTR_RDONLY, NOSUID, NODEV
_AT_FDCWD, AT_RECURSIVE, MNT_DETACH, _SYS_MOUNT_SETATTR = -100, 0x8000, 2, 442
PDEATHSIG, DUMPABLE, SET_SECCOMP, CAPBSET_DROP, SECUREBITS, NO_NEW_PRIVS = 1, 4, 22, 24, 28, 38  # PR_*
CAP_SYS_ADMIN, NO_SETUID_FIXUP, CAPABILITY_V3 = 21, 1 << 2, 0x20080522
ROOTLESS = (
    "namespaces to an ordinary user; look at a container's seccomp profile and the sysctls user.max_user_namespaces, "
    "kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns"
)


class Unavailable(UserError):  # noqa: N818
    """The machine does not allow the sandbox; the message says what is missing."""


def is_there(path: Path) -> bool:
    """Return whether this user can reach a path."""
    return os.access(path, os.F_OK)


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def call(name: str, *arguments: int | bytes | ctypes.Array[ctypes.c_char]) -> int:
    """Call a function of the C library; where it fails, raise an `OSError` that names it."""
    wide = (ctypes.c_long(one) if isinstance(one, int) else one for one in arguments)
    found: int = getattr(_libc(), name)(*wide)
    if found < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return found


@contextlib.contextmanager
def allowed(what: str) -> Iterator[None]:
    """Turn a refusal of the system into the sentence that says what this machine does not allow."""
    try:
        yield
    except OSError as error:
        raise Unavailable(f"this machine does not allow {what} ({error.strerror or error})") from error


def prctl(option: int, value: int = 0) -> None:
    """Call `prctl(2)`."""
    call("prctl", option, value, 0, 0, 0)


def status(field: str, text: str) -> str:
    """Return a field of a `/proc/PID/status`."""
    return next(line.split(":", 1)[1].strip() for line in text.splitlines() if line.startswith(field + ":"))


def mount(source: str, target: Path, kind: str = "", flags: int = 0, options: str = "") -> None:
    """Call `mount(2)`; the error names what and where."""
    try:
        call("mount", os.fsencode(source), os.fsencode(target), kind.encode(), flags, options.encode())
    except OSError as error:
        raise OSError(error.errno, f"{error.strerror}: {kind or source} on {target}") from None


def tmpfs(target: Path, size_mb: int, mode: int = 0o1777) -> None:
    """Mount an empty file system in memory; the number of files is limited too, for each costs memory."""
    options = f"size={size_mb}m,nr_inodes={max(4096, 64 * size_mb)},mode={mode:o}"
    mount("tmpfs", target, "tmpfs", MS_NOSUID | MS_NODEV, options)


def seal(target: Path, below: int = 0) -> None:
    """Make a mount read-only; with `AT_RECURSIVE` also those below it."""
    attributes = ctypes.create_string_buffer(struct.pack("4Q", _READ_ONLY, 0, 0, 0), 32)
    call("syscall", _SYS_MOUNT_SETATTR, _AT_FDCWD, os.fsencode(target), below, attributes, 32)


def map_user(inner: int, outer_uid: int, outer_gid: int) -> None:
    """Name one user and one group of a new user namespace."""
    prctl(DUMPABLE, 1)  # else /proc/self belongs to root
    (PROC / "self/setgroups").write_text("deny")
    (PROC / "self/uid_map").write_text(f"{inner} {outer_uid} 1")
    (PROC / "self/gid_map").write_text(f"{inner} {outer_gid} 1")
