"""Step 3: a process becomes nobody, without rights, within limits. And whether this machine allows the sandbox."""

import ctypes
import errno
import functools
import os
import signal
import struct
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

from autograder.sandbox.enter import enter, fresh_scratch, owner_of
from autograder.sandbox.filter import filter_program
from autograder.sandbox.limits import Confine, set_limits
from autograder.sandbox.linux import (
    CAPABILITY_V3,
    CAPBSET_DROP,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    NEWIPC,
    NEWNET,
    NEWNS,
    NEWPID,
    NEWUSER,
    NO_NEW_PRIVS,
    NO_SETUID_FIXUP,
    NOBODY,
    PDEATHSIG,
    PROC,
    SECUREBITS,
    SET_SECCOMP,
    SHM,
    SHM_MB,
    Unavailable,
    allowed,
    call,
    map_user,
    mount,
    prctl,
    status,
    tmpfs,
)
from autograder.sandbox.view import View
from base.offline import loopback_up

if sys.platform == "linux":
    import resource

_FINE = "confined"
_maker = ""


def new_pid_namespace() -> None:
    """Make the next fork's child the first process of a pid namespace, which ends with it.

    Again in the same process for another one; without root only a process that itself lives in such a namespace can.
    """
    global _maker
    _maker = str((PROC / "self").readlink())  # as `confine` will see its parent
    with allowed("pid namespaces"):
        try:
            call("unshare", NEWPID)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            own = os.open(PROC / "self/ns/pid", os.O_RDONLY)  # a process can leave its own for children but once
            call("setns", own, NEWPID)
            os.close(own)
            call("unshare", NEWPID)


def _close_all_but(keep: set[int]) -> None:
    ends = sorted(keep)
    for first, end in zip([0, *(one + 1 for one in ends)], [*ends, 1 << 30], strict=True):
        if first < end:  # os.closerange takes an empty range for all
            os.closerange(first, end)


def _drop_rights() -> None:
    """Give up every capability, for good."""
    for capability in range(int((PROC / "sys/kernel/cap_last_cap").read_text()) + 1):
        prctl(CAPBSET_DROP, capability)
    header = ctypes.create_string_buffer(struct.pack("Ii", CAPABILITY_V3, 0), 8)
    call("capset", header, ctypes.create_string_buffer(24))
    prctl(NO_NEW_PRIVS, 1)


def confine(limits: Confine, keep: Iterable[int] = (0, 1, 2)) -> None:
    """Step 3, in the first child after `new_pid_namespace`: become nobody, without rights, within limits. No way back.

    It ends with its parent, whatever it does.

    Args:
        limits: What it may use.
        keep: File descriptors that stay open; all others are closed, for a folder left open is a way out.

    Raises:
        Unavailable: The machine does not allow it.
    """
    outer = os.open(PROC / "self/status", os.O_RDONLY)  # this process as it is seen from outside its pid namespace
    if limits.uid == 0:
        raise ValueError("a kernel cannot be root: /proc/sys would be open to it")
    uid = owner_of(limits.uid)
    program = ctypes.create_string_buffer(filter_program())
    with allowed("a namespace within a namespace"):
        call("unshare", NEWNS | NEWIPC | NEWNET)
        loopback_up()
        tmpfs(SHM, SHM_MB)
    with allowed("a /proc for a pid namespace, as in a container that hides parts of /proc"):
        mount("proc", PROC, "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC)
    with allowed("to become nobody in a user namespace"):
        (PROC / "self/oom_score_adj").write_text("1000")  # short of memory, the system ends this first
        if uid != os.geteuid():
            prctl(SECUREBITS, NO_SETUID_FIXUP)  # some systems let only root make user namespaces
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
        outer_ids = os.geteuid(), os.getegid()
        call("unshare", NEWUSER)
        map_user(NOBODY, *outer_ids)
    _close_all_but({*keep, outer})
    set_limits(limits, int((PROC / "self/statm").read_text().split()[0]) * resource.getpagesize())
    _drop_rights()
    prctl(PDEATHSIG, signal.SIGKILL)  # a change of user cleared it
    if status("PPid", os.pread(outer, 1 << 14, 0).decode()) != _maker:
        os._exit(1)  # the parent ended before that
    os.close(outer)
    with allowed("a filter of system calls (seccomp)"):
        text = struct.pack("HP", len(program) // 8, ctypes.addressof(program))
        call("prctl", SET_SECCOMP, 2, ctypes.create_string_buffer(text, 16), 0, 0)
    left = (PROC / "self/status").read_text()
    rights = [status(name, left) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")]
    if os.getuid() != NOBODY or any(int(right, 16) for right in rights) or status("Seccomp", left) != "2":
        raise Unavailable("this machine leaves rights to a process that gave them up")


def _probe(answer: int) -> None:
    """Take the three steps; `confine` in a child."""
    enter(View(readonly=(Path("/usr"),), scratch_mb=1))
    fresh_scratch(1)
    new_pid_namespace()
    _fork(answer, lambda: confine(Confine(), (answer,)), _FINE)


def _fork(answer: int, steps: Callable[[], None], end: str) -> None:
    """Take steps in a child, which writes to `answer` what went wrong or `end`; waits for it."""
    if child := os.fork():
        os.waitpid(child, 0)
        return
    try:
        steps()
    except Exception as error:
        end = str(error)
    finally:
        os.write(answer, end.encode())
        os._exit(0)


@functools.cache
def why_not() -> str | None:
    """Return why code cannot be confined here, one sentence; None if it can, which is tried in a fork."""
    if sys.platform != "linux":
        return f"the sandbox needs Linux, this is {sys.platform}"
    ours, answer = os.pipe()
    _fork(answer, lambda: _probe(answer), "")
    os.close(answer)
    with open(ours, encoding="utf-8") as said:  # noqa: PTH123
        text = said.read()
    return None if text == _FINE else text or "a process that tries the sandbox ends at once"
