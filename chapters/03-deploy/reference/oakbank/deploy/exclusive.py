"""The registry for one writer at a time, and one error for all that keeps it from answering."""

from collections.abc import Iterator
from contextlib import contextmanager

from filelock import FileLock, Timeout

from oakbank.pipelines import Registry, RegistryError
from oakbank.pipelines.tracking_store import close_databases

WAIT = 60.0
"""Seconds to wait for another writer."""


@contextmanager
def reachable(registry: Registry) -> Iterator[None]:
    """Use a registry that may have gone, or come back as another file.

    Raises:
        RegistryError: It cannot be read or written.
    """
    from mlflow.exceptions import MlflowException

    gone = f"the registry in {registry.folder} cannot be reached ({{}}): bring it back and call again"
    if not (registry.folder / "mlflow.db").is_file():  # SQLite would make an empty one
        raise RegistryError(gone.format("mlflow.db is not there"))
    # Restored from a backup it is another file: a connection that was left open would write to the lost one.
    close_databases()
    try:
        yield
    except (MlflowException, OSError) as error:
        what = " ".join(str(error).split())
        raise RegistryError(gone.format(f"{type(error).__name__}: {what[:200]}")) from error


@contextmanager
def exclusive(registry: Registry) -> Iterator[None]:
    """Hold a registry alone. The lock is a file's: it ends with its process, and reaches as far as the folder does.

    Raises:
        RegistryError: It cannot be reached, or another process has held it for `WAIT` seconds.
    """
    with reachable(registry):
        lock = FileLock(registry.folder / ".promote.lock")
        try:
            lock.acquire(timeout=WAIT)
        except Timeout:
            raise RegistryError(f"another process has held {registry.folder} for {WAIT:g} s: call again") from None
        try:
            yield
        finally:
            lock.release()
