"""A Dask cluster on this machine: a scheduler here, workers in processes of their own, nobody else let in."""

import contextlib
import logging
import os
import time
from collections.abc import Callable, Iterator, Mapping
from typing import TypeVar

import pandas as pd
from distributed import Client, LocalCluster, Worker, WorkerPlugin

Job = TypeVar("Job")

START = 120.0
"""Seconds in which all workers must be there."""


class Quiet(WorkerPlugin):
    """Sends what libraries print on a worker nowhere: LightGBM announces its ports, whatever `verbosity` says."""

    def setup(self, worker: Worker) -> None:
        """Called on each worker, later ones too."""
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.close(nowhere)


@contextlib.contextmanager
def local_cluster(workers: int) -> Iterator[Client]:
    """Start that many workers of one thread each; they end with the block, and with this process however it ends.

    What reaches a scheduler runs code as its owner, so the connections are encrypted and ask for a certificate that
    only this process and its workers have. (LightGBM's own connections between workers are not: keep them off a
    network that others use.)

    Raises:
        TimeoutError: The workers did not start in time.
    """
    with (
        LocalCluster(  # type: ignore[no-untyped-call]
            n_workers=workers,
            threads_per_worker=1,
            dashboard_address=None,
            security=True,
            silence_logs=logging.ERROR,
        ) as cluster,
        Client(cluster) as client,  # type: ignore[no-untyped-call]
    ):
        client.wait_for_workers(workers, timeout=START)
        client.register_plugin(Quiet())
        yield client


def cpu_seconds(client: Client | None = None) -> float:
    """Return the processor time so far: of this process, where a local scheduler runs, and of a client's workers."""
    here = time.process_time()
    if client is None:
        return here
    workers: dict[str, float] = client.run(time.process_time)
    return here + sum(workers.values())


def spent(job: Callable[[], object], client: Client | None = None) -> tuple[float, float]:
    """Run a job and return what it took: its work (processor seconds, see `cpu_seconds`), and seconds by the clock.

    Work is what a job costs wherever it runs, and is little disturbed by other programs; the clock is what one waits.
    """
    began, before = time.perf_counter(), cpu_seconds(client)
    job()
    clock = time.perf_counter() - began
    return cpu_seconds(client) - before, clock


def race(ways: Mapping[str, Callable[[Job], object]], jobs: Mapping[int, Job], client: Client) -> pd.DataFrame:
    """Return what jobs of different sizes take in different ways, one after the other.

    Args:
        ways: Functions that do a job, by name.
        jobs: What each is given, by its number of rows.
        client: Its workers count as work in all ways, though a way may leave them idle.

    Returns:
        A row a size; columns (`work`, way) and (`clock`, way), seconds.
    """
    found = {}
    for rows, job in jobs.items():
        each = {name: spent(lambda way=way, job=job: way(job), client) for name, way in ways.items()}  # type: ignore[misc]
        found[rows] = {(kind, name): took[n] for n, kind in enumerate(("work", "clock")) for name, took in each.items()}
    return pd.DataFrame.from_dict(found, orient="index")


def workers_of(client: Client) -> list[str]:
    """Return the addresses of the workers, in the order of their names."""
    workers = client.scheduler_info(n_workers=-1)["workers"]
    return sorted(workers, key=lambda address: str(workers[address]["name"]))
