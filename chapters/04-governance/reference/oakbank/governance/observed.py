"""Which files are really opened: Linux tells it, of every process and library, whatever a step declares."""

import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class ObserverError(RuntimeError):
    """The kernel cannot tell, or could not keep up; the message says what to do."""


def versions() -> dict[str, str] | None:
    """Return the kernel's version, or None where there is no inotify."""
    return {"Linux": platform.release().split("-")[0]} if sys.platform == "linux" else None


@contextmanager
def opened(folder: str | Path) -> Iterator[list[Path]]:
    """Collect the files below a folder that anybody opens meanwhile, by inotify(7).

    Folders that are made meanwhile are not watched.

    Yields:
        A list that is empty until the end, and then holds the paths, sorted, each once.

    Raises:
        ObserverError: This is not Linux, or so much was opened that the kernel's queue overflowed.
    """
    if sys.platform != "linux":
        raise ObserverError("only Linux tells which files are opened (inotify): run this there, or in a container")
    from inotify_simple import INotify, flags  # type: ignore[import-untyped]

    top, found = Path(folder), list[Path]()
    with INotify() as notify:
        watched = {notify.add_watch(one, flags.OPEN): one for one in (top, *top.rglob("*")) if one.is_dir()}
        yield found
        events = list(notify.read(timeout=0))
    if any(event.mask & flags.Q_OVERFLOW for event in events):
        raise ObserverError(f"more was opened in {folder} than the kernel remembers: observe a smaller step")
    found += sorted({watched[event.wd] / event.name for event in events if not event.mask & flags.ISDIR})
