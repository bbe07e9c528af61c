"""What a process may use: memory, processes, time, files."""

import sys
from dataclasses import dataclass

from autograder.sandbox.linux import (
    NOBODY,
)
from base.errors import UserError

if sys.platform == "linux":
    import resource

FEWEST_FILES, MOST_FILES = 256, 1024
"""Open files: what a grader needs, and what a process may have."""


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


def set_limits(limits: Confine, used: int) -> None:
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
