"""Running the pipeline by the clock: which month a night belongs to, and what Kubeflow is asked for.

Source: `kfp.Client.create_recurring_run` (kfp 2.16); the macros of a recurring run are those of Kubeflow's
controller (kubeflow/pipelines, `backend/src/common/util/parameter_formatter.go`).
"""

from datetime import date
from pathlib import Path
from typing import Any

import numpy as np

from oakbank.world.simulator import FIRST_MONTH

SCHEDULED_DAY = "[[ScheduledTime.2006-01-02]]"
"""What Kubeflow replaces, in a text parameter, by the day for which a run was scheduled. Go writes YYYY-MM-DD so."""


def month_of(day: str) -> int:
    """Return Oakbank's number of the month in which a day lies; that of its first application is 0.

    Args:
        day: As YYYY-MM-DD; what follows is not looked at.

    Raises:
        ValueError: It is no such day, such as a macro that nobody has replaced.
    """
    try:
        month = np.datetime64(date.fromisoformat(day[:10]), "M")
    except ValueError:
        raise ValueError(f"the scheduled day must be like 2024-01-31, not {day!r}") from None
    return int((month - FIRST_MONTH).astype(int))


def recurring_run(path: str | Path, lake: str, store: str, cron: str = "0 0 2 * * *") -> dict[str, Any]:
    """Return what `kfp.Client.create_recurring_run` takes, besides the experiment, to run the pipeline by the clock.

    The month comes from the time for which a run was scheduled, not from the time at which it happens to run: so a
    run that comes late, or again, does the same.

    Args:
        path: The compiled pipeline.
        lake: Folder of the lake, as the cluster's machines see it.
        store: Folder of the shared store, as the cluster's machines see it.
        cron: When, in Kubeflow's six fields, seconds first; every night at 02:00 if not said.

    Raises:
        ValueError: `cron` has not six fields.
    """
    if len(cron.split()) != 6:
        raise ValueError(f"Kubeflow's cron has six fields, seconds first (every night: '0 0 2 * * *'), not {cron!r}")
    return {
        "job_name": "oakbank-training",
        "cron_expression": cron,
        # A night that was missed is not made up for: the next one reads the same months and more.
        "no_catchup": True,
        "max_concurrency": 1,
        "pipeline_package_path": str(path),
        "params": {"lake": lake, "store": store, "scheduled": SCHEDULED_DAY},
    }
