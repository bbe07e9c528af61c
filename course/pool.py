"""Job slots side by side: each takes the next job from a common list and gives it to its own worker process."""

import json
import queue
import signal
import subprocess
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import psutil

from base.process import ONE_THREAD, plain_environment, python
from course.execute import Failure, Outcome, watched

STOP_WITHIN = 10.0  # seconds a worker has to shut its kernel down before it is killed
LAST_LINES = 8


@dataclass(frozen=True)
class Job:
    """One notebook to run, or a command (then `notebook` is None) that has to write `output`."""

    chapter: str
    lesson: str
    notebook: Path | None
    output: Path
    scratch: Path
    cells: int = 0
    guess: float = 0.0
    command: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """`chapter/lesson`."""
        return f"{self.chapter}/{self.lesson}"


@dataclass(frozen=True)
class Event:
    """What a slot tells: a job started (`cell` 0), it is at a cell, it ended (`outcome`), or the slot broke."""

    job: Job | None
    cell: int = 0
    outcome: Outcome | None = None
    fault: BaseException | None = None


def _ending(code: int) -> str:
    """Say how a process ended."""
    if code < 0:
        hint = ", which the system does when memory runs out" if -code == getattr(signal, "SIGKILL", 9) else ""
        return f"signal {-code}{hint}"
    return f"exit code {code}"


def _tail(log: Path) -> list[str]:
    return log.read_text(encoding="utf-8", errors="replace").splitlines()[-LAST_LINES:]


class Slot(threading.Thread):
    """Runs jobs one after the other until the list is empty. Its worker process imports papermill once."""

    def __init__(
        self, log: Path, todo: deque[Job], events: "queue.SimpleQueue[Event]", variables: Mapping[str, str]
    ) -> None:
        super().__init__(daemon=True)
        self.log, self.todo, self.events, self.variables = log, todo, events, variables
        self.processes: list[subprocess.Popen[str]] = []
        self.worker: subprocess.Popen[str] | None = None
        self.stopping = False
        self.lock = threading.Lock()  # no process may start after `stop` has looked for them

    def run(self) -> None:
        """Take jobs until there are none; then end the worker. A fault of ours goes to whoever listens."""
        try:
            while not self.stopping:
                try:
                    job = self.todo.popleft()
                except IndexError:
                    break
                self.events.put(Event(job))
                outcome = self._notebook(job) if job.notebook else self._command(job)
                self.events.put(Event(job, outcome=outcome))
        except BaseException as fault:
            self.events.put(Event(None, fault=fault))
        finally:
            self.stop()

    def stop(self) -> None:
        """End the processes of this slot: they shut their kernel down; killed if they do not end in time."""
        with self.lock:
            self.stopping = True
        for process in self.processes:
            process.terminate()
        for process in self.processes:
            try:
                process.wait(STOP_WITHIN)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()

    def _start(self, command: Sequence[str], log: Path) -> "subprocess.Popen[str]":
        log.parent.mkdir(parents=True, exist_ok=True)
        with self.lock, log.open("w", encoding="utf-8") as errors:
            if self.stopping:
                raise RuntimeError("stopped before it started")
            process = subprocess.Popen(  # noqa: S603
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
                encoding="utf-8",
                env={**plain_environment(), **ONE_THREAD, **self.variables},
            )
            self.processes.append(process)
        return process

    def _notebook(self, job: Job) -> Outcome:
        if self.worker is None or self.worker.poll() is not None:
            self.worker = self._start(python("-m", "course.execute"), self.log)
        stdin, stdout = self.worker.stdin, self.worker.stdout
        assert stdin is not None
        assert stdout is not None
        begin, at = time.monotonic(), 0
        request = {"notebook": str(job.notebook), "output": str(job.output), "scratch": str(job.scratch)}
        try:
            stdin.write(json.dumps(request) + "\n")
            stdin.flush()
            for line in stdout:
                event = json.loads(line)
                if "outcome" in event:
                    return Outcome.from_json(event["outcome"])
                at = event["cell"]
                self.events.put(Event(job, cell=at))
        except BrokenPipeError:
            pass  # the worker is gone, as it is when the lines end: said below
        how = _ending(self.worker.wait())
        failure = Failure(at, "", f"the process that ran the notebook ended with {how}", _tail(self.log))
        return Outcome(seconds=time.monotonic() - begin, failure=failure)

    def _command(self, job: Job) -> Outcome:
        """Run a command. It counts as one cell: all of its seconds are computing."""
        log, begin, failure = job.scratch / "log.txt", time.monotonic(), None
        job.output.unlink(missing_ok=True)  # an older one must not stand in for this run's
        process = self._start(job.command, log)
        with watched(psutil.Process(process.pid), itself=True) as sampler:
            printed, _ = process.communicate()
        lines = (printed.splitlines() + _tail(log))[-LAST_LINES:]
        if process.returncode:
            failure = Failure(0, "", f"the command ended with {_ending(process.returncode)}", lines)
        elif not job.output.is_file():
            failure = Failure(0, "", f"the command wrote no {job.output.name}", lines)
        seconds = time.monotonic() - begin
        return Outcome(1, seconds, seconds, seconds, sampler.peak / 1e6, sampler.end_leftovers(), failure)


def run_jobs(
    jobs: Sequence[Job],
    slots: int,
    logs: Path,
    listen: Callable[[Event | None], None],
    variables: Mapping[str, str] = MappingProxyType({}),
) -> None:
    """Run all jobs, `slots` at a time, longest first by their `guess`, with `variables` in their environment.

    `listen` gets every event in the calling thread, and None a few times a second. Whatever is raised in it, and
    Ctrl-C, ends all processes before it goes on.
    """
    todo = deque(sorted(jobs, key=lambda job: -job.guess))
    events: queue.SimpleQueue[Event] = queue.SimpleQueue()
    pool = [Slot(logs / f"worker-{number}.log", todo, events, variables) for number in range(min(slots, len(jobs)))]
    for slot in pool:
        slot.start()
    open_jobs = len(jobs)
    try:
        while open_jobs:
            try:
                event = events.get(timeout=0.2)
            except queue.Empty:
                listen(None)
                continue
            if event.fault is not None:
                raise event.fault
            open_jobs -= event.outcome is not None
            listen(event)
    finally:
        for slot in pool:
            slot.stopping = True  # all at once; one after the other they take their time
        for slot in pool:
            slot.stop()
            slot.join()
