"""`course run`: all notebooks side by side, longest first, and the bank's flight beside them."""

import json
import logging
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from authoring.repository import ROOT
from base.errors import UserError
from base.process import ONE_THREAD, plain_environment, python
from course.execute import Outcome
from course.paths import lessons
from course.pool import Event, Job, run_jobs

MEMORY_BAR_MB = 1000.0
"""A lesson with its children that takes more is told so, for the smallest machine has 2 GB; CI fails for it."""
WALL_BAR = 1.6  # wall time over what the cells would take in perfect packing with no overhead
SLOW_CELL = 30.0  # seconds
FLIGHT = python("-m", "oakbank.scale.report")  # + the folder it writes report.html to


@dataclass(frozen=True)
class Result:
    """A job and how it went."""

    job: Job
    outcome: Outcome

    @property
    def over_memory(self) -> bool:
        """Whether a notebook took more memory than the bar."""
        return self.job.notebook is not None and self.outcome.peak_mb > MEMORY_BAR_MB

    @property
    def ok(self) -> bool:
        """Whether it ran to its end."""
        return self.outcome.failure is None

    @property
    def verdict(self) -> str:
        """One line: `ran`, or what is wrong with it."""
        failure = self.outcome.failure
        if failure is not None:
            return f"failed in cell {failure.cell}" if failure.cell else "failed"
        remarks = [f"needs over {MEMORY_BAR_MB:.0f} MB"] if self.over_memory else []
        if self.job.notebook is not None and self.outcome.slowest_cell > SLOW_CELL:
            remarks.append(f"a cell took {self.outcome.slowest_cell:.0f} s")
        if self.outcome.left_running:
            remarks.append(f"left running: {', '.join(self.outcome.left_running)}")
        return "; ".join(["ran", *remarks])


@dataclass(frozen=True)
class Report:
    """All results in course order, the wall time of the whole, and how many jobs ran side by side."""

    results: list[Result]
    seconds: float
    jobs: int

    @property
    def ok(self) -> bool:
        """Whether everything ran."""
        return all(result.ok for result in self.results)

    @property
    def cell_seconds(self) -> float:
        """Seconds of work: the cells of all notebooks, and the flight."""
        return sum(result.outcome.cell_seconds for result in self.results)

    @property
    def ratio(self) -> float | None:
        """Wall time over (cell seconds / jobs); None if nothing was computed."""
        return self.seconds * self.jobs / self.cell_seconds if self.cell_seconds else None


def plan(root: Path = ROOT, wanted: str = "", *, solutions: bool = False, flight: bool = True) -> list[Job]:
    """Return the jobs for everything, a chapter (`02`) or one lesson (`02/07`), in course order.

    The flight comes only with everything; `solutions` adds the labs' solutions (of that chapter).

    Raises:
        UserError: Nothing fits `wanted`, or a notebook cannot be read.
    """
    jobs = [_job(root, path.parent.parent.name, path) for path in lessons(root, wanted)]
    if solutions:
        paths = sorted((root / "solutions").glob(f"{wanted[:2]}*/*.ipynb"))
        jobs += [_job(root, "solutions", path) for path in paths if path.stem == path.parent.name]
    if not jobs:
        raise UserError("there is no notebook to run" + (f" in {wanted!r}" if wanted else ""))
    if flight and not wanted:
        folder = root / "build" / "flight"
        command = (*FLIGHT, str(folder))
        jobs.append(Job("flight", "24 months", None, folder / "report.html", folder, 1, float("inf"), command))
    return jobs


def _job(root: Path, chapter: str, notebook: Path) -> Job:
    try:
        cells = len(json.loads(notebook.read_text(encoding="utf-8"))["cells"])
    except (ValueError, KeyError, TypeError) as error:
        from course.learner import whole_again

        raise UserError(f"{notebook} is not a notebook ({error}). {whole_again(notebook, root)}") from None
    output = root / "build" / "run" / chapter / notebook.name
    try:  # only the order depends on this guess: what it took the last time, else more cells take longer
        guess = float(json.loads(output.read_text(encoding="utf-8"))["metadata"]["papermill"]["duration"])
    except (OSError, ValueError, KeyError, TypeError):
        guess = 5.0 + 0.5 * cells
    scratch = root / "build" / "scratch" / f"{chapter}-{notebook.stem}"
    return Job(chapter, notebook.stem, notebook, output, scratch, cells, guess)


def run(jobs: list[Job], slots: int, root: Path, listen: Callable[[Event | None], None]) -> Report:
    """Run the jobs, `slots` at a time; `listen` as in `run_jobs`. Lessons that ran are noted in the progress."""
    from course.progress import note_lessons

    begin, outcomes = time.monotonic(), dict[str, Outcome]()

    def keep(event: Event | None) -> None:
        if event is not None and event.job is not None and event.outcome is not None:
            outcomes[event.job.name] = event.outcome
        listen(event)

    try:
        with _warm_kernels(jobs, slots) as variables:
            run_jobs(jobs, slots, root / "build" / "scratch", keep, variables)
    finally:
        lessons_run = [job.name for job in jobs if job.notebook and job.chapter != "solutions"]
        note_lessons(root, {name: outcomes[name].failure is None for name in lessons_run if name in outcomes})
    results = [Result(job, outcomes[job.name]) for job in jobs]
    return Report(results, time.monotonic() - begin, min(slots, len(jobs)))


@contextmanager
def _warm_kernels(jobs: list[Job], slots: int) -> Iterator[dict[str, str]]:
    """Yield the variables with which workers fork their kernels from one warm parent, as long as the block runs.

    One notebook a slot would gain nothing: each waits for the parent's imports as long as for its own.
    """
    from kernels.door import FOLDER, Door

    if sum(job.notebook is not None for job in jobs) <= slots or os.environ.get(FOLDER) == "off":
        yield {}
        return
    log = logging.getLogger(__name__)
    try:
        door = Door({**plain_environment(), **ONE_THREAD})
    except UserError as reason:
        log.warning("the kernels import everything anew, which takes longer: %s", reason)
        yield {}
        return
    with door:
        yield door.variables
        if door.failure:
            log.warning("the kernels imported everything anew, which took longer: %s", door.failure)
