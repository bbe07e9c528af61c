"""What all tours share: nothing reports home, the same things are said in the same order, the exit code is honest.

A tour is one script with an environment of its own (`chapters/*/tours/NAME.py`, `tour NAME`), so this
module uses the standard library only, and a tour finds it by putting the repository in front of `sys.path`.
"""

import platform
import sys
import time
from collections.abc import Callable
from importlib.metadata import version
from typing import NoReturn, TypeVar

from base.quiet import quiet

quiet()  # on import, and only then: tools read their settings when imported, and a tour sets some of its own
RAN, NOT_RUN = 0, 3
"""Exit codes of a tour: the real system did it all, or some of it had no system to run on. A fault is 1, as always."""

T = TypeVar("T")


class Tour:
    """One tour while it runs.

    Args:
        system: What is toured, as the syllabus calls it.
        packages: Distributions whose versions are worth a line.
    """

    def __init__(self, system: str, *packages: str) -> None:
        self.system, self._began = system, time.monotonic()
        self._plain: tuple[str, float] | None = None
        self._seconds: float | None = None
        found = [f"Python {platform.python_version()}", *(f"{name} {version(name)}" for name in packages)]
        print(f"== {system}\nversions: {', '.join(found)}\n", flush=True)

    def say(self, text: str) -> None:
        """Print what was just done."""
        print(text, flush=True)

    def plain(self, what: str, work: Callable[[], T]) -> T:
        """Do the task without the system, or the work that the system goes with: its seconds are the measure.

        Args:
            what: What is done, for "times ...".
            work: Does it; what it returns is returned.
        """
        seconds, value = _timed(work)
        self._plain = what, seconds
        return value

    def system_does(self, work: Callable[[], T]) -> T:
        """Do the task with the system; `end` tells how many times the seconds of `plain` it took."""
        seconds, value = _timed(work)
        self._seconds = seconds
        return value

    def end(
        self, *, stores: str, not_proven: str, real: tuple[str, ...], asks: str = "", missing: str = ""
    ) -> NoReturn:
        """Print the account and leave.

        Args:
            stores: What the system keeps, and where.
            asks: What it asks of whoever uses it, beyond the code.
            not_proven: What this way of running it does not show.
            real: The lines that point the same code at the real service, few.
            missing: What did not run and why, in one sentence; empty when everything ran on the real system.
        """
        print(f"\nstores: {stores}")
        if asks:
            print(f"asks of you: {asks}")
        if self._plain and self._seconds is not None:
            what, seconds = self._plain
            times = self._seconds / seconds
            print(f"took: {times:.2g} times {what}" if times < 10 else f"took: {times:.0f} times {what}")
        print(f"does not prove: {not_proven}\nat the real service:")
        print("".join(f"    {line}\n" for line in real), end="")
        print(f"seconds: {time.monotonic() - self._began:.1f}")
        print(
            f"status: NOT RUN on {self.system}: {missing}" if missing else f"status: ran on {self.system}", flush=True
        )
        sys.exit(NOT_RUN if missing else RAN)


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    began = time.perf_counter()
    value = work()
    return time.perf_counter() - began, value
