"""Steps 1 and 2: a process and its children see only what a view shows, then have files of their own."""

import os
import platform
import re
import shutil
import socket
import sys
from collections.abc import Iterator
from pathlib import Path

from autograder.sandbox.filter import MACHINES, filter_program
from autograder.sandbox.linux import (
    CAP_SYS_ADMIN,
    MNT_DETACH,
    MS_BIND,
    MS_PRIVATE,
    MS_REC,
    NEWIPC,
    NEWNET,
    NEWNS,
    NEWUSER,
    NEWUTS,
    NOBODY,
    PROC,
    ROOTLESS,
    TMP,
    Unavailable,
    allowed,
    call,
    map_user,
    mount,
    status,
    tmpfs,
)
from autograder.sandbox.view import View, build
from base.errors import UserError
from base.offline import loopback_up


def enter(view: View) -> None:
    """Step 1, once in a fresh fork: see only what `view` shows, without network. Children inherit it.

    The process keeps its rights inside, to take the next steps. It may now write what belongs into `view.cwd`.

    Raises:
        Unavailable: The machine does not allow it.
        UserError: `view` shows everything, or nothing to work in.
    """
    if any(TMP.is_relative_to(path.resolve()) for path in view.readonly) or TMP not in view.cwd.parents:
        raise UserError("a sandbox shows some folders, not the whole disk or /tmp, and works in a folder below /tmp")
    if sys.platform != "linux" or platform.machine() not in MACHINES:
        raise Unavailable(f"the sandbox needs Linux on x86-64 or aarch64, this is {sys.platform}, {platform.machine()}")
    uid, gid = os.geteuid(), os.getegid()
    may = bool(int(status("CapEff", (PROC / "self/status").read_text()), 16) >> CAP_SYS_ADMIN & 1)
    if uid == 0 and not may:
        raise Unavailable("root has no CAP_SYS_ADMIN here: grade as an ordinary user, or give the container that right")
    filter_program()  # made here, it is not made again in each kernel
    mask = os.umask(0o022)
    with allowed("namespaces" if may else ROOTLESS):
        call("unshare", (0 if may else NEWUSER) | NEWNS | NEWIPC | NEWUTS | NEWNET)
        if not may:
            map_user(0, uid, gid)
        loopback_up()
        socket.sethostname("lab")
    with allowed("mounts in a namespace; Linux 5.14 or newer is needed"):
        mount("none", Path("/"), flags=MS_REC | MS_PRIVATE)
        build(TMP, view)
        os.chdir(TMP)
        call("pivot_root", b".", b".")
        call("umount2", b".", MNT_DETACH)
    os.umask(mask)
    os.chdir(view.cwd)


def owner_of(uid: int) -> int:
    """Return `uid` if this user namespace has it and this process may become it, else the process's own."""
    spans = (map(int, line.split()) for line in (PROC / "self/uid_map").read_text().splitlines())
    known = any(first <= uid < first + count for first, _, count in spans)
    return uid if known and os.geteuid() == 0 else os.geteuid()


def _copy(source: Path, target: Path, owner: int, leave: set[Path]) -> None:
    """Copy a folder's files, folders and links with their modes and times, for `owner`."""
    for entry in source.iterdir():
        to = target / entry.name
        if to in leave:
            continue
        if entry.is_symlink():
            to.symlink_to(entry.readlink())
        elif entry.is_dir():
            to.mkdir()
            _copy(entry, to, owner, leave)
        elif entry.is_file():
            shutil.copyfile(entry, to)
        else:
            continue  # a socket or a pipe is somebody's, not content
        os.chown(to, owner, owner, follow_symlinks=False)
        shutil.copystat(entry, to, follow_symlinks=False)


def _mounts() -> Iterator[Path]:
    """Yield where something is mounted."""
    for line in (PROC / "self/mountinfo").read_text().splitlines():
        yield Path(re.sub(r"\\(\d{3})", lambda found: chr(int(found[1], 8)), line.split()[4]))


def fresh_scratch(scratch_mb: int, uid: int = NOBODY) -> None:
    """Step 2, in a fork of the process that entered: an own /tmp with a copy of the files that are in it now.

    Args:
        scratch_mb: Its size.
        uid: Who may write the copies: `Confine.uid` of the kernels to come.

    Raises:
        Unavailable: The machine does not allow it.
    """
    here = Path.cwd()
    owner = owner_of(uid)
    with allowed("mounts in a namespace"):
        call("unshare", NEWNS)
        old = os.open(TMP, os.O_PATH)
        gates = {TMP / place.parts[2] for place in _mounts() if TMP in place.parents}
        tmpfs(TMP, scratch_mb)
        for gate in sorted(gates):
            gate.mkdir()
            mount(f"/proc/self/fd/{old}/{gate.name}", gate, flags=MS_BIND | MS_REC)
    _copy(Path(f"/proc/self/fd/{old}"), TMP, owner, gates)
    os.close(old)
    os.chdir(here)  # the old one is still the template's
