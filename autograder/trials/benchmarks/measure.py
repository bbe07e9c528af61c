"""What commands cost: wall time, CPU time of all that they start, memory.

CPU time comes from a control group of their own, which also counts processes that nobody waits for. Where none can be
made, it is that of the processes that were waited for (`getrusage`), and the result says so.
"""

import contextlib
import os
import resource
import signal
import subprocess
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

EVERY = 0.5  # seconds between two looks at the memory
GONE = 5.0  # seconds that a killed process may take to go
CGROUP, RUSAGE = "cgroup", "getrusage"


@dataclass(frozen=True)
class Cost:
    """What commands cost, in seconds and MB.

    Attributes:
        wall: From the start of the first to the end of the last.
        cpu: CPU time of all processes.
        counted: How the CPU time was counted: `cgroup`, or `getrusage` (processes that were waited for).
        codes: Their exit codes.
        main_mb: Most memory of the command itself (resident).
        all_mb: Most memory of it and all below it, shared memory counted once (sum of the proportional sizes, sampled);
            None if it was not wanted or a process did not let itself be looked at.
    """

    wall: float
    cpu: float
    counted: str
    codes: tuple[int, ...]
    main_mb: float | None = None
    all_mb: float | None = None


def _parents() -> Iterator[Path]:
    """Yield this process's control groups that count CPU time, version 1 first."""
    try:
        mounts = [line.split() for line in Path("/proc/mounts").read_text(encoding="utf-8").splitlines()]
        groups = [line.split(":", 2) for line in Path("/proc/self/cgroup").read_text(encoding="utf-8").splitlines()]
    except FileNotFoundError:  # not Linux
        return
    for kind, controller in (("cgroup", "cpuacct"), ("cgroup2", "")):
        for _, where, found, options, *_ in mounts:
            if found != kind or (controller and controller not in options.split(",")):
                continue
            for number, controllers, path in groups:
                if controller in controllers.split(",") if controller else number == "0":
                    own = Path(where) / path.lstrip("/")
                    yield own if own.is_dir() else Path(where)


def _enter(group: Path, command: Sequence[str]) -> list[str]:
    """Return a command that goes into a control group first."""
    return ["/bin/sh", "-c", 'echo $$ > "$0" && exec "$@"', str(group / "cgroup.procs"), *command]


def _members(group: Path) -> list[int]:
    return [int(line) for line in (group / "cgroup.procs").read_text(encoding="ascii").split()]


def _remove(group: Path) -> None:
    """End what is left in a control group and remove it."""
    until = time.monotonic() + GONE
    while left := _members(group):
        for pid in left:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if time.monotonic() > until:
            raise RuntimeError(f"processes that cannot be ended: {left}")
        time.sleep(0.05)
    group.rmdir()


@contextlib.contextmanager
def _own_group() -> Iterator[Path | None]:
    """Yield a new control group; None where this machine lets us make none."""
    for parent in _parents():
        group = parent / f"benchmark-{os.getpid()}"
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            if subprocess.run(_enter(group, ["true"]), stderr=subprocess.DEVNULL).returncode == 0:  # noqa: S603
                yield group
                return
        finally:
            _remove(group)
    yield None


def _group_cpu(group: Path) -> float:
    """Return the CPU seconds that a control group has used."""
    if (group / "cpuacct.usage").exists():
        return int((group / "cpuacct.usage").read_text(encoding="ascii")) / 1e9
    stat = dict(line.split() for line in (group / "cpu.stat").read_text(encoding="ascii").splitlines())
    return int(stat["usage_usec"]) / 1e6


def _waited_cpu() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def _field(path: Path, name: str) -> float:
    """Return a size of a file of /proc in MB; 0 for a process that is ending."""
    for line in path.read_text(encoding="ascii").splitlines():
        if line.startswith(name):
            return int(line.split()[1]) / 1024
    return 0.0


class _Watch:
    """Looks at the memory of a process and of all below it, as a context manager."""

    def __init__(self, pid: int, group: Path | None) -> None:
        self.pid, self.group = pid, group
        self.main = self.all = 0.0
        self.hidden = False
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._run)

    def __enter__(self) -> "_Watch":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.over.set()
        self.thread.join()

    def _run(self) -> None:
        while not self.over.wait(EVERY):
            with contextlib.suppress(FileNotFoundError, ProcessLookupError, psutil.NoSuchProcess):
                self._look()

    def _look(self) -> None:
        below = [child.pid for child in psutil.Process(self.pid).children(recursive=True)]
        self.main = max(self.main, _field(Path(f"/proc/{self.pid}/status"), "VmHWM:"))
        total = 0.0
        for pid in {self.pid, *below} if self.group is None else _members(self.group):
            try:
                total += _field(Path(f"/proc/{pid}/smaps_rollup"), "Pss:")
            except (FileNotFoundError, ProcessLookupError):  # it ended
                continue
            except PermissionError:
                self.hidden = True
        self.all = max(self.all, total)


def measure(
    commands: Sequence[Sequence[str]], folder: Path, environment: dict[str, str], log: Path, memory: bool = False
) -> Cost:
    """Run commands one after the other and return what they cost together.

    Args:
        commands: The commands.
        folder: Where they run.
        environment: All of their environment.
        log: Where their output goes.
        memory: Watch the memory of the last one.
    """
    codes, main, whole = [], None, None
    with _own_group() as group, log.open("wb") as stream:
        waited, begin = _waited_cpu(), time.perf_counter()
        for command in commands:
            process = subprocess.Popen(  # noqa: S603
                _enter(group, command) if group else list(command),
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
            )
            try:
                if memory:
                    with _Watch(process.pid, group) as watch:
                        codes.append(process.wait())
                    main, whole = watch.main, None if watch.hidden else watch.all
                else:
                    codes.append(process.wait())
            finally:
                if process.poll() is None:
                    process.kill()
                    process.wait()
        wall = time.perf_counter() - begin
        cpu = _group_cpu(group) if group else _waited_cpu() - waited
    return Cost(wall, cpu, CGROUP if group else RUSAGE, tuple(codes), main, whole)
