"""A function platform on one machine: a process is started for a request and kept warm for a while."""

import json
import math
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path
from statistics import median
from types import TracebackType
from typing import IO, Any

_RUNTIME = Path(__file__).with_name("function_runtime.py")
_IMPORTED = """
import json, sys
from importlib.metadata import packages_distributions
exec(compile(open(sys.argv[1], encoding="utf-8").read(), sys.argv[1], "exec"), {"__name__": "handler"})
tops = {name.partition(".")[0] for name in sys.modules}
found = packages_distributions()
print("\\n" + json.dumps(sorted({one for top in tops for one in found.get(top, [])})))
"""


class FunctionError(RuntimeError):
    """A function that did not start, raised an exception, or took too long; the message says which."""


@dataclass(frozen=True)
class Answer:
    """What a call gave."""

    value: Any
    """What the handler returned, after JSON."""
    cold: bool
    """Whether a process was started for it."""
    seconds: float


class Function:
    """A deployed handler. Use it in a `with` block, which ends its process.

    Args:
        file: A Python file with `handler(event, context)`; runs in the working directory.
        keep: Seconds after the last request at which the process is ended.
        timeout: Seconds after which a call is given up.
    """

    def __init__(self, file: str | Path, keep: float = 600, timeout: float = 60) -> None:
        self.file, self.keep, self.timeout = Path(file).resolve(), keep, timeout
        if not self.file.is_file():
            raise FunctionError(f"no handler at {self.file}: write one with `def handler(event, context)`")
        self._process: subprocess.Popen[str] | None = None
        self._log: IO[bytes] | None = None
        self._last = -math.inf

    def invoke(self, event: Any, now: float) -> Answer:
        """Call the handler.

        Args:
            event: Anything that JSON holds.
            now: Seconds on the caller's clock; they decide whether a process is still warm.

        Raises:
            FunctionError: See there. After a process that ended or hung, the next call starts another one.
        """
        text = json.dumps(event)
        began = time.perf_counter()
        cold = self._process is None or self._process.poll() is not None or now - self._last > self.keep
        if cold:
            self.close()
            self._start()
        answer = self._ask(text)
        self._last = now
        if "error" in answer:
            raise FunctionError(f"{self.file.name}: {answer['error']}")
        return Answer(answer["value"], cold, time.perf_counter() - began)

    def _start(self) -> None:
        self._log = tempfile.TemporaryFile()  # noqa: SIM115 - `close` closes it
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-P", str(_RUNTIME), str(self.file)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            env=_environment(),
            text=True,
            encoding="utf-8",
        )

    def _ask(self, text: str) -> dict[str, Any]:
        process = self._process
        assert process is not None
        assert process.stdin is not None
        assert process.stdout is not None
        late = threading.Timer(self.timeout, process.kill)
        late.start()
        try:
            process.stdin.write(text + "\n")
            process.stdin.flush()
            line = process.stdout.readline()
        except BrokenPipeError:
            line = ""
        finally:
            hung = not late.is_alive()
            late.cancel()
        if line:
            return dict(json.loads(line))
        process.wait()
        said = self._said()
        self.close()
        if hung:
            raise FunctionError(f"{self.file.name} took longer than {self.timeout:g} s and was ended")
        raise FunctionError(f"{self.file.name} ended without an answer: {said or 'it said nothing'}")

    def _said(self) -> str:
        assert self._log is not None
        self._log.seek(0)
        return self._log.read().decode("utf-8", "replace").strip().rpartition("\n")[2]

    def close(self) -> None:
        """End the process, if there is one."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None
        if self._log is not None:
            self._log.close()
            self._log = None

    def __enter__(self) -> "Function":
        """Return itself."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """End the process."""
        self.close()


@dataclass(frozen=True)
class Startup:
    """What a package costs."""

    first: float
    """Seconds from the request to the first answer of a new process; the best of the rounds."""
    later: float
    """Seconds of an answer after that; the median."""
    megabytes: float
    """Size on disk of the installed packages that it imported."""


def measure(files: Sequence[str | Path], event: Any, rounds: int = 3, warm: int = 20) -> list[Startup]:
    """Measure handlers in new processes, side by side: in turn, so that a busy machine is busy for all.

    Args:
        files: Handlers.
        event: For each call.
        rounds: Processes of each handler.
        warm: Calls of each process after the first.
    """
    first: list[list[float]] = [[] for _ in files]
    later: list[list[float]] = [[] for _ in files]
    for _ in range(rounds):
        for place, file in enumerate(files):
            with Function(file) as function:
                first[place].append(function.invoke(event, 0).seconds)
                later[place] += [function.invoke(event, 0).seconds for _ in range(warm)]
    sizes = [sum(packages_of(file).values()) for file in files]
    return [Startup(min(a), median(b), size) for a, b, size in zip(first, later, sizes, strict=True)]


def packages_of(file: str | Path) -> dict[str, float]:
    """Return the installed packages that a handler imports at its start, with their megabytes on disk.

    Raises:
        FunctionError: The file cannot be imported.
    """
    file = Path(file).resolve()
    command = [sys.executable, "-P", "-c", _IMPORTED, str(file)]
    done = subprocess.run(  # noqa: S603
        command, capture_output=True, text=True, env=_environment(), check=False
    )
    if done.returncode:
        raise FunctionError(f"{file.name}: {done.stderr.strip().rpartition(chr(10))[2]}")
    return {name: _megabytes(name) for name in json.loads(done.stdout.splitlines()[-1])}


def _megabytes(name: str) -> float:
    paths = [path for one in distribution(name).files or [] if (path := Path(str(one.locate()))).is_file()]
    return sum(path.stat().st_size for path in paths if path.suffix != ".pyc") / 1e6


def _environment() -> dict[str, str]:
    """Return this process's variables, and where it finds packages: what a notebook can import, a function can."""
    return os.environ | {"PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}


def cold_share(requests_a_day: float, keep: float = 600) -> float:
    """Return the share of requests that find no warm process, 0 to 1.

    Requests come at random (Poisson), the same number every hour, and one process serves them all: the next comes
    later than `keep` seconds with probability exp(-rate * keep).
    """
    return math.exp(-requests_a_day * keep / 86_400)
