"""A place for code that nobody trusts: namespaces, mounts, limits and a filter of system calls. No root needed.

A forked process, still single-threaded, is put away in three steps. `enter`: it and its children see only what a `View`
shows and have no network. `fresh_scratch`: its files are those of nobody else. `confine`: it has no rights left.

Needs Linux 5.14 (`mount_setattr`; process limits counted for each user namespace). Sources: `user_namespaces(7)`,
`pivot_root(2)`, `mount_setattr(2)`, `capabilities(7)`, `seccomp(2)`, and bubblewrap's order of mounts.
"""

import contextlib
import ctypes
import errno
import functools
import os
import platform
import re
import shutil
import signal
import socket
import stat
import struct
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from base.errors import UserError

if sys.platform == "linux":
    import fcntl
    import resource

NOBODY = 65534
_FINE = "confined"
_maker = ""
TMP, SHM, PROC = Path("/tmp"), Path("/dev/shm"), Path("/proc")  # noqa: S108
SHM_MB = 64
FEWEST_FILES, MOST_FILES = 256, 1024
"""Open files: what a grader needs, and what a process may have."""

_NEWNS, _NEWUTS, _NEWIPC, _NEWUSER, _NEWPID, _NEWNET = 1 << 17, 1 << 26, 1 << 27, 1 << 28, 1 << 29, 1 << 30  # CLONE_*
_NEW_ANY = 0x7E020000  # these and CLONE_NEWCGROUP
_MS_NOSUID, _MS_NODEV, _MS_NOEXEC, _MS_BIND, _MS_REC, _MS_PRIVATE = 2, 4, 8, 1 << 12, 1 << 14, 1 << 18
_READ_ONLY = 1 | 2 | 4  # MOUNT_ATTR_RDONLY, NOSUID, NODEV
_AT_FDCWD, _AT_RECURSIVE, _MNT_DETACH, _SYS_MOUNT_SETATTR = -100, 0x8000, 2, 442
_PDEATHSIG, _DUMPABLE, _SET_SECCOMP, _CAPBSET_DROP, _SECUREBITS, _NO_NEW_PRIVS = 1, 4, 22, 24, 28, 38  # PR_*
_CAP_SYS_ADMIN, _NO_SETUID_FIXUP, _CAPABILITY_V3 = 21, 1 << 2, 0x20080522
_IFF_UP, _SIOCSIFFLAGS = 1, 0x8914

_SYSTEM = (
    *("/usr", "/bin", "/sbin", "/lib", "/lib64", "/nix/store", "/sys/devices/system/cpu"),
    *("/etc/ld.so.cache", "/etc/ld.so.conf", "/etc/ld.so.conf.d", "/etc/alternatives"),
    *("/etc/localtime", "/etc/timezone", "/etc/fonts", "/etc/mime.types"),
)
_ETC = {
    "passwd": f"root:x:0:0::/:/bin/sh\nnobody:x:{NOBODY}:{NOBODY}::{TMP}:/bin/sh\n",
    "group": f"root:x:0:\nnogroup:x:{NOBODY}:\n",
    "hosts": "127.0.0.1 localhost lab\n::1 localhost\n",
    "nsswitch.conf": "passwd: files\ngroup: files\nhosts: files\n",
}
_ROOTLESS = (
    "namespaces to an ordinary user; look at a container's seccomp profile and the sysctls user.max_user_namespaces, "
    "kernel.unprivileged_userns_clone, kernel.apparmor_restrict_unprivileged_userns"
)
_BIND, _MASK, _GATE, _SCRATCH = "bind", "mask", "gate", "scratch"

# Refused system calls: name, number on x86-64, number on aarch64. No process of a notebook needs them.
_FORBIDDEN = """
mount 165 40, umount2 166 39, pivot_root 155 41, chroot 161 51, open_tree 428 428, move_mount 429 429, fsopen 430 430,
fsconfig 431 431, fsmount 432 432, fspick 433 433, mount_setattr 442 442, open_tree_attr 467 467,
setns 308 268, unshare 272 97, open_by_handle_at 304 265, name_to_handle_at 303 264, fanotify_init 300 262,
ptrace 101 117, process_vm_readv 310 270, process_vm_writev 311 271, kcmp 312 272, pidfd_getfd 438 438,
kexec_load 246 104, kexec_file_load 320 294, init_module 175 105, finit_module 313 273, delete_module 176 106,
bpf 321 280, perf_event_open 298 241, lookup_dcookie 212 18, syslog 103 116, acct 163 89, personality 135 92,
add_key 248 217, request_key 249 218, keyctl 250 219, userfaultfd 323 282,
quotactl 179 60, quotactl_fd 443 443, swapon 167 224, swapoff 168 225, reboot 169 142, vhangup 153 58,
settimeofday 164 170, clock_settime 227 112, adjtimex 159 171, clock_adjtime 305 266, sethostname 170 161,
setdomainname 171 162, migrate_pages 256 238, move_pages 279 239, iopl 172 -, ioperm 173 -, modify_ldt 154 -
"""
# Answered as if the kernel lacked them, for which callers are prepared: clone3 hides its flags from a filter, io_uring
# its calls; the others are memory that no limit counts.
_ABSENT = """
clone3 435 435, io_uring_setup 425 425, io_uring_enter 426 426, io_uring_register 427 427,
memfd_create 319 279, memfd_secret 447 447, shmget 29 194, msgget 68 186, semget 64 190
"""
# Refused for some arguments: the same, then which argument, the test, its values and the error.
_SOCKETS = (1, 2, 10, 16)  # AF_UNIX, AF_INET, AF_INET6, AF_NETLINK
_PARTLY: tuple[tuple[str, int, str, tuple[int, ...], int], ...] = (
    ("clone 56 220", 0, "any bit of", (_NEW_ANY,), errno.EPERM),
    ("prctl 157 167", 0, "one of", (_PDEATHSIG,), errno.EPERM),
    ("ioctl 16 29", 1, "one of", (0x5412, 0x541C), errno.EPERM),  # TIOCSTI, TIOCLINUX: typing into a terminal
    ("socket 41 198", 0, "none of", _SOCKETS, errno.EAFNOSUPPORT),
    ("socketpair 53 199", 0, "none of", _SOCKETS, errno.EAFNOSUPPORT),
)
_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # column of the tables, AUDIT_ARCH_*
_X32 = 0x40000000  # bit of a second, 32-bit ABI of x86-64


class Unavailable(UserError):  # noqa: N818
    """The machine does not allow the sandbox; the message says what is missing."""


def _there(path: Path) -> bool:
    """Return whether this user can reach a path."""
    return os.access(path, os.F_OK)


def python_paths(skip: Iterable[Path] = ()) -> tuple[Path, ...]:
    """Return what this Python and its libraries need to be read: system folders, installation, environment, `sys.path`.

    Entries of `sys.path` that are the working directory, or one of `skip` or /tmp or above these, are left out.
    """
    private = [TMP, *(Path(path).resolve() for path in skip)]
    fit = [
        entry
        for entry in sys.path
        if Path(entry).resolve() != Path.cwd() and not any(one.is_relative_to(Path(entry).resolve()) for one in private)
    ]
    prefixes = (sys.executable, sys.prefix, sys.exec_prefix, sys.base_prefix, sys.base_exec_prefix)
    paths = dict.fromkeys(Path(entry) for entry in (*_SYSTEM, *prefixes, *fit))
    return tuple(path for path in paths if path.is_absolute() and _there(path))


@dataclass(frozen=True)
class View:
    """What is seen inside.

    Attributes:
        readonly: Files and folders that are shown, at their own places; what does not exist is left out.
        hidden: Folders of which nothing is shown but what `readonly` names below them.
        scratch_mb: Size of /tmp, the one place to write.
        cwd: The working directory, below /tmp; it is made.
    """

    readonly: tuple[Path, ...]
    hidden: tuple[Path, ...] = ()
    scratch_mb: int = 256
    cwd: Path = TMP / "lab"


@dataclass(frozen=True)
class Confine:
    """Limits of one kernel.

    Attributes:
        memory_mb: Address space that each of its processes may add to what the forked process has.
        processes: Processes and threads.
        cpu_seconds: CPU time of each process.
        file_mb: Size of one file.
        uid: User and group outside, where root runs this: one of its own for each box that runs at a time. Without root
            it is the user who runs this. Inside it is always 65534.
    """

    memory_mb: int = 2000
    processes: int = 64
    cpu_seconds: int = 600
    file_mb: int = 256
    uid: int = NOBODY


@functools.cache
def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _call(name: str, *arguments: int | bytes | ctypes.Array[ctypes.c_char]) -> int:
    """Call a function of the C library; where it fails, raise an `OSError` that names it."""
    wide = (ctypes.c_long(one) if isinstance(one, int) else one for one in arguments)
    found: int = getattr(_libc(), name)(*wide)
    if found < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{name}: {os.strerror(number)}")
    return found


@contextlib.contextmanager
def _allowed(what: str) -> Iterator[None]:
    """Turn a refusal of the system into the sentence that says what this machine does not allow."""
    try:
        yield
    except OSError as error:
        raise Unavailable(f"this machine does not allow {what} ({error.strerror or error})") from error


def _prctl(option: int, value: int = 0) -> None:
    _call("prctl", option, value, 0, 0, 0)


def _status(field: str, text: str) -> str:
    """Return a field of a `/proc/PID/status`."""
    return next(line.split(":", 1)[1].strip() for line in text.splitlines() if line.startswith(field + ":"))


def _mount(source: str, target: Path, kind: str = "", flags: int = 0, options: str = "") -> None:
    try:
        _call("mount", os.fsencode(source), os.fsencode(target), kind.encode(), flags, options.encode())
    except OSError as error:
        raise OSError(error.errno, f"{error.strerror}: {kind or source} on {target}") from None


def _tmpfs(target: Path, size_mb: int, mode: int = 0o1777) -> None:
    """Mount an empty file system in memory; the number of files is limited too, for each costs memory."""
    options = f"size={size_mb}m,nr_inodes={max(4096, 64 * size_mb)},mode={mode:o}"
    _mount("tmpfs", target, "tmpfs", _MS_NOSUID | _MS_NODEV, options)


def _seal(target: Path, below: int = 0) -> None:
    """Make a mount read-only; with `_AT_RECURSIVE` also those below it."""
    attributes = ctypes.create_string_buffer(struct.pack("4Q", _READ_ONLY, 0, 0, 0), 32)
    _call("syscall", _SYS_MOUNT_SETATTR, _AT_FDCWD, os.fsencode(target), below, attributes, 32)


def _map_user(inner: int, outer_uid: int, outer_gid: int) -> None:
    """Name one user and one group of a new user namespace."""
    _prctl(_DUMPABLE, 1)  # else /proc/self belongs to root
    (PROC / "self/setgroups").write_text("deny")
    (PROC / "self/uid_map").write_text(f"{inner} {outer_uid} 1")
    (PROC / "self/gid_map").write_text(f"{inner} {outer_gid} 1")


def _loopback() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", _IFF_UP))


def _trail(path: Path) -> Iterator[tuple[Path, str]]:
    """Yield each symbolic link on the way to an existing path with what it says; last the real path, with nothing."""
    done, ahead = Path("/"), list(path.parts[1:])
    while ahead:
        step = ahead.pop(0)
        if step == "..":
            done = done.parent
        elif (done / step).is_symlink():
            said = (done / step).readlink()
            yield done / step, str(said)
            done, ahead = Path("/") if said.is_absolute() else done, [*said.relative_to(said.anchor).parts, *ahead]
        else:
            done /= step
    yield done, ""


def _plan(view: View) -> tuple[dict[Path, str], dict[Path, str]]:
    """Return what to mount where, outer places first, and the symbolic links to make."""
    trails = [list(_trail(path.absolute())) for path in view.readonly if _there(path)]
    links = {place: said for trail in trails for place, said in trail[:-1]}
    masks = {path.resolve() for path in view.hidden if _there(path)}
    binds = {trail[-1][0] for trail in trails} - masks
    # What is shown below /tmp gets a fixed mount at the top, which the owner of the scratch files cannot move away.
    gates = {TMP / place.parts[2] for place in binds if TMP in place.parents} - binds
    wanted = {TMP: _SCRATCH} | dict.fromkeys(binds, _BIND) | dict.fromkeys(masks, _MASK) | dict.fromkeys(gates, _GATE)
    mounts: dict[Path, str] = {}
    for place in sorted(wanted, key=lambda path: (len(path.parts), path)):
        over = _over(place, mounts)
        if (wanted[place], over == _BIND) not in ((_BIND, True), (_MASK, False)):  # shown already; hidden already
            mounts[place] = wanted[place]
    return mounts, {place: said for place, said in links.items() if _over(place, mounts) != _BIND}


def _over(place: Path, mounts: dict[Path, str]) -> str:
    """Return what kind of mount a place lies in; nothing for the root."""
    return next((mounts[above] for above in place.parents if above in mounts), "")


def _build(root: Path, view: View) -> None:
    """Mount what a view shows below `root`, which may cover what is shown."""
    mounts, links = _plan(view)
    sources = {place: os.open(place, os.O_PATH) for place, kind in mounts.items() if kind == _BIND}
    _tmpfs(root, 4, 0o755)
    for place, kind in mounts.items():
        target = root / place.relative_to("/")
        if kind == _BIND and not stat.S_ISDIR(os.fstat(sources[place]).st_mode):
            target.parent.mkdir(parents=True, exist_ok=True)
            target.touch()
        else:
            target.mkdir(parents=True, exist_ok=True)
        if kind == _BIND:
            _mount(f"/proc/self/fd/{sources[place]}", target, flags=_MS_BIND | _MS_REC)
            _seal(target, _AT_RECURSIVE)
            os.close(sources[place])
        else:
            _tmpfs(target, view.scratch_mb if kind == _SCRATCH else 1, 0o1777 if kind == _SCRATCH else 0o755)
    for place, said in links.items():
        link = root / place.relative_to("/")
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(said)
    for name in ("etc", "proc", "dev"):
        (root / name).mkdir(exist_ok=True)
    for name, text in _ETC.items():
        (root / "etc" / name).write_text(text)
    _mount("/proc", root / "proc", flags=_MS_BIND | _MS_REC)  # without one in sight a new one is refused
    _devices(root / "dev")
    (root / view.cwd.relative_to("/")).mkdir(parents=True, exist_ok=True)
    for place in (root, *(root / place.relative_to("/") for place, kind in mounts.items() if kind in (_MASK, _GATE))):
        _seal(place)


def _devices(dev: Path) -> None:
    for name in ("null", "zero", "full", "random", "urandom"):
        (dev / name).touch()
        _mount(f"/dev/{name}", dev / name, flags=_MS_BIND)
    for name, target in ("fd", ""), ("stdin", "/0"), ("stdout", "/1"), ("stderr", "/2"):
        (dev / name).symlink_to(f"/proc/self/fd{target}")
    (dev / "shm").mkdir()
    _tmpfs(dev / "shm", SHM_MB)


def enter(view: View) -> None:
    """Step 1, once in a fresh fork: see only what `view` shows, without network. Children inherit it.

    The process keeps its rights inside, to take the next steps. It may now write what belongs into `view.cwd`.

    Raises:
        Unavailable: The machine does not allow it.
        UserError: `view` shows everything, or nothing to work in.
    """
    if any(TMP.is_relative_to(path.resolve()) for path in view.readonly) or TMP not in view.cwd.parents:
        raise UserError("a sandbox shows some folders, not the whole disk or /tmp, and works in a folder below /tmp")
    if sys.platform != "linux" or platform.machine() not in _MACHINES:
        raise Unavailable(f"the sandbox needs Linux on x86-64 or aarch64, this is {sys.platform}, {platform.machine()}")
    uid, gid = os.geteuid(), os.getegid()
    may = bool(int(_status("CapEff", (PROC / "self/status").read_text()), 16) >> _CAP_SYS_ADMIN & 1)
    if uid == 0 and not may:
        raise Unavailable("root has no CAP_SYS_ADMIN here: grade as an ordinary user, or give the container that right")
    _filter()  # made here, it is not made again in each kernel
    mask = os.umask(0o022)
    with _allowed("namespaces" if may else _ROOTLESS):
        _call("unshare", (0 if may else _NEWUSER) | _NEWNS | _NEWIPC | _NEWUTS | _NEWNET)
        if not may:
            _map_user(0, uid, gid)
        _loopback()
        socket.sethostname("lab")
    with _allowed("mounts in a namespace; Linux 5.14 or newer is needed"):
        _mount("none", Path("/"), flags=_MS_REC | _MS_PRIVATE)
        _build(TMP, view)
        os.chdir(TMP)
        _call("pivot_root", b".", b".")
        _call("umount2", b".", _MNT_DETACH)
    os.umask(mask)
    os.chdir(view.cwd)


def _owner(uid: int) -> int:
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
    owner = _owner(uid)
    with _allowed("mounts in a namespace"):
        _call("unshare", _NEWNS)
        old = os.open(TMP, os.O_PATH)
        gates = {TMP / place.parts[2] for place in _mounts() if TMP in place.parents}
        _tmpfs(TMP, scratch_mb)
        for gate in sorted(gates):
            gate.mkdir()
            _mount(f"/proc/self/fd/{old}/{gate.name}", gate, flags=_MS_BIND | _MS_REC)
    _copy(Path(f"/proc/self/fd/{old}"), TMP, owner, gates)
    os.close(old)
    os.chdir(here)  # the old one is still the template's


def new_pid_namespace() -> None:
    """Make the next fork's child the first process of a pid namespace, which ends with it.

    Again in the same process for another one; without root only a process that itself lives in such a namespace can.
    """
    global _maker
    _maker = str((PROC / "self").readlink())  # as `confine` will see its parent
    with _allowed("pid namespaces"):
        try:
            _call("unshare", _NEWPID)
        except OSError as error:
            if error.errno != errno.EINVAL:
                raise
            own = os.open(PROC / "self/ns/pid", os.O_RDONLY)  # a process can leave its own for children but once
            _call("setns", own, _NEWPID)
            os.close(own)
            _call("unshare", _NEWPID)


@functools.cache
def _filter() -> bytes:
    """Return the program (classic BPF) that judges each system call."""
    column, architecture = _MACHINES[platform.machine()]
    load, equal, at_least, any_bit, answer = 0x20, 0x15, 0x35, 0x45, 0x06
    allow, fail, kill = 0x7FFF0000, 0x00050000, 0x80000000

    def calls(table: str) -> Iterator[int]:
        """Yield the numbers of a table's calls."""
        yield from (int(row.split()[1 + column]) for row in table.split(",") if row.split()[1 + column] != "-")

    lines = [(load, 0, 0, 4), (equal, 1, 0, architecture), (answer, 0, 0, kill), (load, 0, 0, 0)]
    if column == 0:
        lines += [(at_least, 0, 1, _X32), (answer, 0, 0, kill)]
    for table, number in (_FORBIDDEN, errno.EPERM), (_ABSENT, errno.ENOSYS):
        for call in calls(table):
            lines += [(equal, 0, 1, call), (answer, 0, 0, fail | number)]
    for row, argument, test, values, number in _PARTLY:
        hit, miss = (allow, fail | number) if test == "none of" else (fail | number, allow)
        body = [(load, 0, 0, 16 + 8 * argument)]  # the low half: each of these is an int
        for value in values:
            body += [(any_bit if test == "any bit of" else equal, 0, 1, value), (answer, 0, 0, hit)]
        body += [(answer, 0, 0, miss)]
        lines += [(equal, 0, len(body), next(calls(row))), *body]
    return b"".join(struct.pack("=HBBI", *line) for line in [*lines, (answer, 0, 0, allow)])


def _limit(limits: Confine, used: int) -> None:
    """Set the limits; `used` is the address space in use, bytes."""
    mb = 1 << 20
    for kind, most in (
        (resource.RLIMIT_AS, used + limits.memory_mb * mb),
        (resource.RLIMIT_NPROC, limits.processes),
        (resource.RLIMIT_FSIZE, limits.file_mb * mb),
        (resource.RLIMIT_NOFILE, MOST_FILES),
        (resource.RLIMIT_CORE, 1),  # 1: none, also where a program takes them (0 stops only files)
        (resource.RLIMIT_MSGQUEUE, 0),
    ):
        _set_limit(kind, most, most)
    _set_limit(resource.RLIMIT_CPU, limits.cpu_seconds, limits.cpu_seconds + 1)


def _set_limit(kind: int, soft: int, hard: int) -> None:
    """Set a limit, or leave it where this process may have even less already."""
    now = resource.getrlimit(kind)[1]
    top = hard if now == resource.RLIM_INFINITY else min(hard, now)
    resource.setrlimit(kind, (min(soft, top), top))


def require_files() -> None:
    """Let this process open as many files as it may, and say so where they are too few to grade with.

    Raises:
        UserError: They are.
    """
    if sys.platform != "linux":
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    top = MOST_FILES if hard == resource.RLIM_INFINITY else min(MOST_FILES, hard)
    if top < FEWEST_FILES:
        raise UserError(
            f"only {hard} files may be open at a time here, and grading needs {FEWEST_FILES}: "
            f"`ulimit -Hn` shows the limit, open a shell in which it is higher"
        )
    if soft != resource.RLIM_INFINITY and soft < top:
        resource.setrlimit(resource.RLIMIT_NOFILE, (top, hard))


def _close_all_but(keep: set[int]) -> None:
    ends = sorted(keep)
    for first, end in zip([0, *(one + 1 for one in ends)], [*ends, 1 << 30], strict=True):
        if first < end:  # os.closerange takes an empty range for all
            os.closerange(first, end)


def _drop_rights() -> None:
    """Give up every capability, for good."""
    for capability in range(int((PROC / "sys/kernel/cap_last_cap").read_text()) + 1):
        _prctl(_CAPBSET_DROP, capability)
    header = ctypes.create_string_buffer(struct.pack("Ii", _CAPABILITY_V3, 0), 8)
    _call("capset", header, ctypes.create_string_buffer(24))
    _prctl(_NO_NEW_PRIVS, 1)


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
    uid = _owner(limits.uid)
    program = ctypes.create_string_buffer(_filter())
    with _allowed("a namespace within a namespace"):
        _call("unshare", _NEWNS | _NEWIPC | _NEWNET)
        _loopback()
        _tmpfs(SHM, SHM_MB)
    with _allowed("a /proc for a pid namespace, as in a container that hides parts of /proc"):
        _mount("proc", PROC, "proc", _MS_NOSUID | _MS_NODEV | _MS_NOEXEC)
    with _allowed("to become nobody in a user namespace"):
        (PROC / "self/oom_score_adj").write_text("1000")  # short of memory, the system ends this first
        if uid != os.geteuid():
            _prctl(_SECUREBITS, _NO_SETUID_FIXUP)  # some systems let only root make user namespaces
            os.setgroups([])
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
        outer_ids = os.geteuid(), os.getegid()
        _call("unshare", _NEWUSER)
        _map_user(NOBODY, *outer_ids)
    _close_all_but({*keep, outer})
    _limit(limits, int((PROC / "self/statm").read_text().split()[0]) * resource.getpagesize())
    _drop_rights()
    _prctl(_PDEATHSIG, signal.SIGKILL)  # a change of user cleared it
    if _status("PPid", os.pread(outer, 1 << 14, 0).decode()) != _maker:
        os._exit(1)  # the parent ended before that
    os.close(outer)
    with _allowed("a filter of system calls (seccomp)"):
        text = struct.pack("HP", len(program) // 8, ctypes.addressof(program))
        _call("prctl", _SET_SECCOMP, 2, ctypes.create_string_buffer(text, 16), 0, 0)
    left = (PROC / "self/status").read_text()
    rights = [_status(name, left) for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb")]
    if os.getuid() != NOBODY or any(int(right, 16) for right in rights) or _status("Seccomp", left) != "2":
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
