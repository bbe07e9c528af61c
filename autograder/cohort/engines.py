"""Where submissions are graded: in threads of this process, or on the workers of a Dask cluster.

An engine takes submissions from a lazy list and gives outcomes as they come, in no fixed order. It holds a bounded
number of submissions at a time, however large the cohort is, and ends all that it started when it is closed.
"""

import concurrent.futures
import contextlib
import importlib.util
import signal
import threading
import traceback
from collections.abc import Callable, Collection, Generator, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Protocol, TypeVar

from autograder.model import Result, Submission
from base.errors import UserError

AHEAD = 2
"""Submissions in hand for each worker: one that it grades, one that it takes next."""
TICK = 0.5  # seconds between two looks at whether Ctrl-C was pressed

Future = TypeVar("Future")


class Grades(Protocol):
    """What grades one submission at a time, from many threads at once: `autograder.examiner.grader.Grader`."""

    def grade(self, submission: Submission) -> Result:
        """Grade one submission."""
        ...

    def close(self) -> None:
        """End everything that grading started."""
        ...


class Source(Protocol):
    """A submission that is read when its turn comes."""

    @property
    def student(self) -> str:
        """Who handed it in."""
        ...

    def read(self) -> Submission:
        """Read it."""
        ...


Open = Callable[[], Grades]
"""Makes a grader; it is called once in each process that grades, so it must survive pickling for Dask."""


@dataclass(frozen=True)
class Outcome:
    """What became of one submission: a result, or a fault of the grader's own (a traceback, for the instructor)."""

    student: str
    result: Result | None = None
    fault: str = ""


Engine = Callable[[Open, Iterable[Source]], Generator[Outcome]]


def read(source: Source) -> Submission | Outcome:
    """Read one submission; where that fails, only this one is lost, and the instructor is told."""
    try:
        return source.read()
    except Exception:
        return Outcome(source.student, fault=traceback.format_exc())


def attempt(grader: Grades, submission: Submission | Outcome) -> Outcome:
    """Grade one submission, if it could be read; a fault of the grader's own costs this submission alone.

    Raises:
        UserError: Nothing can be graded until the user has put something right.
    """
    if isinstance(submission, Outcome):
        return submission
    try:
        return Outcome(submission.student, grader.grade(submission))
    except UserError:
        raise
    except Exception:
        return Outcome(submission.student, fault=traceback.format_exc())


@contextlib.contextmanager
def interrupts_kept() -> Iterator[Callable[[], None]]:
    """Keep Ctrl-C until the yielded function is called, which raises `KeyboardInterrupt`; a second one does not wait.

    Raised wherever the signal comes, it is lost where Python ignores what is raised: in a finalizer, in a callback of
    a weak reference, which a busy run is often in.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: None
        return
    pressed = threading.Event()

    def check() -> None:
        if pressed.is_set():
            raise KeyboardInterrupt

    def keep(*_: object) -> None:
        check()
        pressed.set()

    before = signal.signal(signal.SIGINT, keep)
    try:
        yield check
    finally:
        signal.signal(signal.SIGINT, before)


def windowed(
    sources: Iterable[Source],
    width: int,
    submit: Callable[[Source], Future],
    wait: Callable[[Collection[Future]], Collection[Future]],
    collect: Callable[[Future, str], Outcome],
) -> Generator[Outcome]:
    """Keep `width` submissions in flight until there are none left; yields each outcome as it comes.

    `wait` returns those that are done, after a while also where none is.
    """
    rest, flying = iter(sources), dict[Future, str]()
    with interrupts_kept() as check:
        while True:
            flying |= {submit(source): source.student for source in islice(rest, width - len(flying))}
            if not flying:
                return
            for future in wait(flying):
                yield collect(future, flying.pop(future))
                check()
            check()


def local(open_grader: Open, sources: Iterable[Source], jobs: int) -> Generator[Outcome]:
    """Grade with `jobs` threads that share one grader: the computing is done in the kernels that it forks."""
    grader = open_grader()
    pool = concurrent.futures.ThreadPoolExecutor(jobs, thread_name_prefix="grade")

    def submit(source: Source) -> "concurrent.futures.Future[Outcome]":
        return pool.submit(lambda: attempt(grader, read(source)))

    try:
        yield from windowed(sources, AHEAD * jobs, submit, _first, lambda future, _: future.result())
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
        grader.close()  # before the threads are waited for: what they grade ends with it
        pool.shutdown()


def _first(
    futures: "Collection[concurrent.futures.Future[Outcome]]",
) -> "Collection[concurrent.futures.Future[Outcome]]":
    return concurrent.futures.wait(futures, TICK, concurrent.futures.FIRST_COMPLETED).done


def engine(name: str, jobs: int) -> Engine:
    """Return the engine of that name: `local`, `dask` (a cluster of its own), or `dask:` and a scheduler's address.

    Raises:
        UserError: There is no such engine, or its package is not installed.
    """
    kind, _, address = name.partition(":")
    if name == "local":
        return lambda open_grader, sources: local(open_grader, sources, jobs)
    if kind != "dask" or (":" in name and "://" not in address):
        raise UserError(
            f"there is no engine {name!r}; there are: local, dask, dask:tcp://HOST:PORT (a scheduler that runs)"
        )
    if importlib.util.find_spec("distributed") is None:
        raise UserError("the dask engine needs the package distributed: run `uv pip install distributed`")
    from autograder.cohort.dask_engine import on_dask

    return lambda open_grader, sources: on_dask(open_grader, sources, jobs, address)
