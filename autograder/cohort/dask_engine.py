"""The Dask engine: each worker process has a grader of its own, this process reads and writes all files.

Only `autograder.cohort.engines.engine` imports this module, and only when it is asked for: `distributed` is optional.
"""

import concurrent.futures
import contextlib
import logging
import secrets
import signal
import threading
import time
from collections.abc import Collection, Generator, Iterable, Iterator
from functools import partial

import dask.config
from distributed import Client, Future, KilledWorker, LocalCluster, Worker, WorkerPlugin, get_worker, wait

from autograder.cohort.engines import AHEAD, Grades, Open, Outcome, Source, attempt, read, windowed
from autograder.cohort.store import AGAIN
from autograder.model import Submission
from base.errors import UserError
from base.process import safe_path

CONNECT, NO_WORKERS, TICK = 30.0, 120.0, 2.0  # seconds
DEATHS = 10
"""Workers that may die with a submission before it counts as the cause; only in a cluster of our own."""
SETTINGS = {
    "distributed.scheduler.allowed-failures": DEATHS,
    "distributed.scheduler.http.routes": [],  # nor does the HTTP server, which it starts in any case, tell anything
    "distributed.worker.http.routes": [],
    "distributed.worker.profile.enabled": False,
    "distributed.admin.large-graph-warning-threshold": "1GB",  # a submission travels in its task
    "distributed.admin.system-monitor.gil.enabled": False,
    "distributed.diagnostics.nvml": False,
}


class _Graders(WorkerPlugin):
    """Gives every worker the means to grade, those that come later too. The grader is made at the first task."""

    def __init__(self, name: str, open_grader: Open, ours: bool) -> None:
        self.name, self.open_grader, self.ours = name, open_grader, ours

    def setup(self, worker: Worker) -> None:
        if self.ours:  # Ctrl-C reaches the workers too, but it is for the coordinator to end them
            signal.signal(signal.SIGINT, lambda *_: None)
        self.lock, self.made, self.over = threading.Lock(), list[Grades](), False

    def teardown(self, worker: Worker) -> None:
        with self.lock:
            self.over = True  # a task that comes late makes no new one, which would live on
            while self.made:
                self.made.pop().close()

    def grader(self) -> Grades:
        with self.lock:
            if self.over:
                raise RuntimeError("the run is over")
            if not self.made:
                self.made.append(self.open_grader())
            return self.made[0]


def _grade(name: str, submission: Submission | Outcome) -> Outcome:
    """Grade one submission; runs on a worker."""
    plugin = get_worker().plugins[name]
    assert isinstance(plugin, _Graders)
    return attempt(plugin.grader(), submission)


@contextlib.contextmanager
def _client(jobs: int, address: str) -> Iterator[Client]:
    """Connect to a scheduler, or start one with `jobs` workers on this machine: no dashboard, no other user let in."""
    with contextlib.ExitStack() as stack:
        stack.enter_context(dask.config.set(SETTINGS))
        target: str | LocalCluster = address
        if not address:
            stack.enter_context(safe_path())
            cluster = LocalCluster(  # type: ignore[no-untyped-call]
                n_workers=jobs,
                threads_per_worker=1,
                scheduler_kwargs={"dashboard": False, "dashboard_address": "127.0.0.1:0"},
                security=True,  # whoever reaches an open scheduler runs code as the instructor
                memory_limit=0,
                silence_logs=logging.ERROR,
            )
            target = stack.enter_context(cluster)
        try:
            client = stack.enter_context(Client(target, timeout=CONNECT))  # type: ignore[no-untyped-call]
            client.wait_for_workers(1, timeout=CONNECT)
        except (OSError, TimeoutError) as error:
            raise UserError(
                f"no Dask workers at {address or 'the local cluster'} ({error}): start the scheduler and workers in "
                "this project's environment, and give the scheduler's address as it prints it"
            ) from None
        yield client


def on_dask(open_grader: Open, sources: Iterable[Source], jobs: int, address: str = "") -> Generator[Outcome]:
    """Grade on a Dask cluster; a worker that dies costs nothing, its submissions go to another one.

    Args:
        open_grader: Makes the grader of a worker process.
        sources: What to grade.
        jobs: Worker processes of a cluster of our own.
        address: The scheduler of a cluster that runs; empty for one of our own.
    """
    name = f"grade-{secrets.token_hex(8)}"  # two runs may share a cluster
    with _client(jobs, address) as client:
        client.register_plugin(_Graders(name, open_grader, not address), name)

        def submit(source: Source) -> "Future[Outcome]":
            return client.submit(_grade, name, read(source), pure=False)

        patience = _Patience(client)
        width = AHEAD * max(jobs if not address else 0, sum(client.nthreads().values()))  # type: ignore[no-untyped-call]
        try:
            yield from windowed(
                sources, width, submit, lambda futures: _first(patience, futures), partial(_collect, client)
            )
        finally:
            with contextlib.suppress(Exception):  # the cluster may be what failed
                client.unregister_worker_plugin(name)  # type: ignore[no-untyped-call]


class _Patience:
    """Gives up waiting where nobody is left to do the work."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self.alone_since: float | None = None

    def check(self) -> None:
        """Raise `UserError` if the scheduler went away, or has had no workers for too long."""
        if self._client.status in ("closing", "closed"):
            raise UserError(f"the Dask scheduler went away; {AGAIN}")
        if self._client.scheduler_info()["workers"]:
            self.alone_since = None
            return
        self.alone_since = self.alone_since or time.monotonic()
        if time.monotonic() - self.alone_since > NO_WORKERS:
            raise UserError(f"the Dask cluster has had no workers for {NO_WORKERS:.0f} s; {AGAIN}")


def _first(patience: _Patience, futures: "Collection[Future[Outcome]]") -> "Collection[Future[Outcome]]":
    """Wait a while for the first futures to be done; give up where nobody is left to do them."""
    try:
        done = list(wait(list(futures), TICK, "FIRST_COMPLETED").done)  # type: ignore[no-untyped-call]
        patience.alone_since = None
        return done
    except TimeoutError:
        patience.check()
        return ()
    except concurrent.futures.CancelledError as error:
        raise UserError(f"the Dask scheduler gave up submissions ({error}); {AGAIN}") from None


def _collect(client: Client, future: "Future[Outcome]", student: str) -> Outcome:
    """Fetch an outcome. One that was done is to be done again when its worker dies before it is fetched."""
    patience = _Patience(client)
    while True:
        try:
            outcome = future.result(TICK)
            break
        except TimeoutError:
            if future.status == "error":  # the grader's own
                raise
            patience.check()
        except KilledWorker as error:
            return Outcome(student, fault=f"KilledWorker: {error}")
        except concurrent.futures.CancelledError as error:
            raise UserError(f"the Dask scheduler gave up a submission ({error}); {AGAIN}") from None
    assert isinstance(outcome, Outcome)
    return outcome
