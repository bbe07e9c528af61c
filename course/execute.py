"""Execute one notebook with papermill: what it cost in seconds and memory, and where it failed if it did.

`python -m course.execute` is the worker that `course run` starts once per job slot: it imports papermill once, then
reads one job a line from standard input and answers with one event a line (JSON both ways). See `course.run`.
"""

import json
import os
import shutil
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TextIO

import psutil

from base.files import write_text
from base.process import lean_imports
from base.text import without_escapes

CELL_TIMEOUT = 600  # seconds; a lesson's cell should take less than 30, this is for one that never ends
SAMPLE_EVERY = 0.2  # seconds between two looks at the kernel's memory
GRACE = 3.0  # seconds a process may live on after its kernel


@dataclass(frozen=True)
class Failure:
    """Why a notebook did not run to its end. `cell` counts from 1 over all cells, 0: before the first."""

    cell: int
    source: str
    error: str
    last_lines: list[str]


@dataclass(frozen=True)
class Outcome:
    """What one run cost: seconds in its cells and from start to end, peak megabytes of its kernel and children."""

    cells: int = 0
    cell_seconds: float = 0.0
    slowest_cell: float = 0.0
    seconds: float = 0.0
    peak_mb: float = 0.0
    left_running: list[str] = field(default_factory=list)
    failure: Failure | None = None

    def to_json(self) -> dict[str, Any]:
        """Return plain data that `from_json` reads."""
        return asdict(self)

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> "Outcome":
        """Read what `to_json` wrote."""
        failure = data["failure"]
        return cls(**{**data, "failure": Failure(**failure) if failure else None})


def _proportional(process: psutil.Process) -> int:
    """Return a process's memory in bytes, what it shares counted by its share (Linux; elsewhere what it holds)."""
    info = process.memory_full_info()
    return int(getattr(info, "pss", info.rss))


class MemorySampler:
    """Watches the processes below `above`: the peak of their memory, shared pages counted once, and who they were.

    `itself` counts `above` too. `forked` returns the warm kernels, which are below somebody else. One counts as much as
    a kernel of its own would: what its parent imported is its own, as are the files that only the parent has touched.
    """

    def __init__(self, above: psutil.Process, itself: bool, forked: Callable[[], Iterable[int]]) -> None:
        self.above, self.itself, self.forked = above, itself, forked
        self.peak = 0
        self.seen: dict[int, psutil.Process] = {}

    def sample(self) -> None:
        """Look once."""
        try:
            processes = self.above.children(recursive=True) + [self.above] * self.itself
        except psutil.NoSuchProcess:
            return
        total = 0
        for pid in self.forked():
            try:
                kernel = psutil.Process(pid)
                own, parent = kernel.memory_info(), psutil.Process(kernel.ppid()).memory_info()
                total += own.rss - own.shared + max(own.shared, parent.shared)
                processes += kernel.children(recursive=True)
                self.seen.setdefault(pid, kernel)
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue
        if total + sum(self._each(processes, lambda process: int(process.memory_info().rss))) > self.peak:
            # Only then: to ask for proportions, the system walks through all pages of a process.
            self.peak = max(self.peak, total + sum(self._each(processes, _proportional)))

    def _each(self, processes: list[psutil.Process], measure: Callable[[psutil.Process], int]) -> Iterator[int]:
        for process in processes:
            self.seen.setdefault(process.pid, process)
            try:
                yield measure(process)
            except (psutil.NoSuchProcess, psutil.AccessDenied):
                continue

    def end_leftovers(self) -> list[str]:
        """End the processes seen that outlived their kernel, and return their names."""
        _, alive = psutil.wait_procs([process for process in self.seen.values() if process.is_running()], timeout=GRACE)
        names = []
        for process in alive:
            try:
                names.append(process.name())
                process.kill()
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(alive, timeout=GRACE)
        return names


@contextmanager
def watched(
    above: psutil.Process, itself: bool = False, forked: Callable[[], Iterable[int]] = tuple
) -> Iterator[MemorySampler]:
    """Sample in a thread as long as the block runs."""
    sampler, over = MemorySampler(above, itself, forked), threading.Event()

    def watch() -> None:
        while not over.wait(SAMPLE_EVERY):
            sampler.sample()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    try:
        yield sampler
    finally:
        over.set()
        thread.join()


def execute(
    notebook: Path, output: Path, scratch: Path, on_cell: Callable[[int], None], kernel: str = "python3"
) -> Outcome:
    """Run `notebook` from top to bottom with the fresh folder `scratch` as working directory.

    The executed notebook goes to `output`, whole or not at all; after a failed cell it is written too, with the
    error in it. The run proves a lesson's *Your turn* (`course.turns`). `on_cell` is told the number of each cell as it
    starts, `kernel` is the kernelspec's name. Everything that goes wrong is in the outcome.
    """
    import papermill
    from nbclient.exceptions import CellTimeoutError, DeadKernelError
    from papermill.exceptions import PapermillExecutionError

    from course.paths import literal
    from course.turns import prepare
    from kernels.provisioner import running

    shutil.rmtree(scratch, ignore_errors=True)
    scratch.mkdir(parents=True)
    output.parent.mkdir(parents=True, exist_ok=True)
    temporary = output.with_name(f".{output.name}.{os.getpid()}.tmp.ipynb")
    proof = prepare(notebook, temporary.with_suffix(".proof.ipynb"))
    at = 0

    def started(cell: Any, cell_index: int) -> None:
        nonlocal at
        at = cell_index + 1
        on_cell(proof.place(at))

    def where(error: str, last_lines: list[str]) -> Failure:
        source = json.loads(proof.path.read_text(encoding="utf-8"))["cells"][at - 1]["source"] if at else ""
        return Failure(proof.place(at), "".join(source), error, last_lines)

    begin, failure = time.monotonic(), None
    try:
        with watched(psutil.Process(), forked=running) as sampler:
            try:
                papermill.execute_notebook(
                    literal(proof.path),
                    literal(temporary),
                    cwd=scratch,
                    kernel_name=kernel,
                    progress_bar=False,
                    request_save_on_cell_execute=False,
                    execution_timeout=CELL_TIMEOUT,
                    on_cell_start=started,
                )
            except PapermillExecutionError as error:
                lines = without_escapes("\n".join(error.traceback)).splitlines()
                failure = where(without_escapes(f"{error.ename}: {error.evalue}").strip(), lines[-8:])
            except CellTimeoutError:
                failure = where(f"the cell did not end within {CELL_TIMEOUT} s", [])
            except DeadKernelError:
                failure = where("the kernel died (killed for its memory, or a crash in compiled code)", [])
            except Exception as error:  # the worker must live on for the next notebook: said in the outcome, not hidden
                failure = where(f"{type(error).__name__}: {error}", [])
        left_running = sampler.end_leftovers()
        measured = dict[str, Any]()
        if temporary.exists():
            fault = proof.settle(temporary)
            failure = failure or (where(fault, []) if fault else None)
            measured = _measure(temporary)
            temporary.replace(output)
        else:
            output.unlink(missing_ok=True)  # an older success must not stand in for this failure
    finally:
        temporary.unlink(missing_ok=True)
        proof.discard()
    seconds = time.monotonic() - begin
    return Outcome(seconds=seconds, peak_mb=sampler.peak / 1e6, left_running=left_running, failure=failure, **measured)


def _measure(executed: Path) -> dict[str, Any]:
    """Read papermill's clock from an executed notebook, and take this machine's paths out of it."""
    notebook = json.loads(executed.read_text(encoding="utf-8"))
    for key in ("input_path", "output_path"):
        notebook["metadata"]["papermill"].pop(key, None)
    write_text(executed, json.dumps(notebook, indent=1, ensure_ascii=False) + "\n")
    code = [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]
    durations = [cell["metadata"].get("papermill", {}).get("duration") or 0.0 for cell in code]
    return {"cells": len(code), "cell_seconds": sum(durations), "slowest_cell": max(durations, default=0.0)}


def _stop(*_: object) -> None:
    raise SystemExit(143)  # leaves through the finally blocks: the kernel is shut down, no temporary file stays


def serve(jobs: TextIO, events: TextIO, kernel: str = "python3") -> None:
    """Run the jobs that come in, one a line: `{notebook, output, scratch}` -> `{cell: n}`…, `{outcome: {...}}`."""

    def tell(event: dict[str, Any]) -> None:
        events.write(json.dumps(event) + "\n")
        events.flush()

    for line in jobs:
        job = {key: Path(value) for key, value in json.loads(line).items()}
        outcome = execute(job["notebook"], job["output"], job["scratch"], lambda cell: tell({"cell": cell}), kernel)
        tell({"outcome": outcome.to_json()})


if __name__ == "__main__":
    lean_imports()
    signal.signal(signal.SIGINT, _stop)
    signal.signal(signal.SIGTERM, _stop)
    from kernels.provisioner import own_kernel_name

    # Events get standard output for themselves: what a library or a kernel prints goes to standard error, a log file.
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as own:
        os.dup2(2, 1)
        serve(sys.stdin, own, own_kernel_name())
