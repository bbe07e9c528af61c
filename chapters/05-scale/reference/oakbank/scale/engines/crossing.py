"""From how many rows on an engine is faster than one thread, and how much faster many workers can make it.

The question is COST, the configuration that outperforms a single thread: F. McSherry, M. Isard, D. Murray,
*Scalability! But at what COST?*, HotOS 2015. The limit is G. Amdahl's, AFIPS 1967.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np


@dataclass(frozen=True)
class Line:
    """Seconds of a job over its rows: `fixed + per_row * rows`."""

    fixed: float
    per_row: float

    @classmethod
    def fit(cls, rows: Sequence[float], seconds: Sequence[float]) -> "Line":
        """Return the line of least squares through measurements.

        Raises:
            ValueError: Fewer than two sizes were measured.
        """
        if len(set(rows)) < 2:
            raise ValueError("one size gives no line: measure the job with two numbers of rows or more")
        per_row, fixed = np.polyfit(rows, seconds, 1)
        return cls(float(fixed), float(per_row))

    def at(self, rows: float) -> float:
        """Return the seconds of so many rows."""
        return self.fixed + self.per_row * rows

    def shared(self, workers: int) -> "Line":
        """Return the line if so many workers shared the rows, each with a core of its own: at best it is so.

        Raises:
            ValueError: There is no worker.
        """
        if workers < 1:
            raise ValueError(f"{workers} workers do no work: give one or more")
        return replace(self, per_row=self.per_row / workers)


def crossing(thread: Line, engine: Line) -> float:
    """Return the rows from which on the engine is faster, for good. `inf`: from none."""
    if engine.per_row >= thread.per_row:
        return 0.0 if engine.fixed < thread.fixed and engine.per_row == thread.per_row else math.inf
    return max(0.0, (engine.fixed - thread.fixed) / (thread.per_row - engine.per_row))


def speedup(serial: float, workers: float) -> float:
    """Return by Amdahl's law how many times as fast a job is on `workers` (`math.inf`: on any number) as on one.

    Args:
        serial: The part of the job, from 0 to 1, that only one can do.
        workers: How many share the rest.

    Raises:
        ValueError: No such part, or no worker.
    """
    if not 0 <= serial <= 1 or workers < 1:
        raise ValueError(f"serial={serial}, workers={workers}: a part is from 0 to 1, and one worker is the least")
    spent = serial + (1 - serial) / workers
    return float(1 / spent) if spent else math.inf


def serial_part(each_task: float, per_row: float, rows: float) -> float:
    """Return which part of a task only the scheduler does.

    Args:
        each_task: Seconds of the scheduler for one task, whatever is in it.
        per_row: Seconds of a worker for one row.
        rows: Rows in a task.
    """
    return each_task / (each_task + per_row * rows)


def rows_in_a_task(each_task: float, per_row: float, workers: int) -> int:
    """Return the fewest rows in a task with which one scheduler keeps so many workers busy.

    The scheduler hands out a task in `each_task` seconds, and in the same time `workers` tasks must not yet be done.
    """
    return math.ceil(each_task * workers / per_row)
