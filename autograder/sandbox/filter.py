"""The filter of system calls: which of them no process of a notebook needs, and the program that judges each."""

import errno
import functools
import platform
import struct
from collections.abc import Iterator

from autograder.sandbox.linux import NEW_ANY, PDEATHSIG

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
    ("clone 56 220", 0, "any bit of", (NEW_ANY,), errno.EPERM),
    ("prctl 157 167", 0, "one of", (PDEATHSIG,), errno.EPERM),
    ("ioctl 16 29", 1, "one of", (0x5412, 0x541C), errno.EPERM),  # TIOCSTI, TIOCLINUX: typing into a terminal
    ("socket 41 198", 0, "none of", _SOCKETS, errno.EAFNOSUPPORT),
    ("socketpair 53 199", 0, "none of", _SOCKETS, errno.EAFNOSUPPORT),
)
MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # column of the tables, AUDIT_ARCH_*
_X32 = 0x40000000  # bit of a second, 32-bit ABI of x86-64


@functools.cache
def filter_program() -> bytes:
    """Return the program (classic BPF) that judges each system call."""
    column, architecture = MACHINES[platform.machine()]
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
