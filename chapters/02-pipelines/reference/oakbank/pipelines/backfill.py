"""Backfill: the training pipeline for past months, each as if it had run then.

    python -m oakbank.pipelines.backfill LAKE FOLDER --first 0 --last 11

A month's run reads only what was known by then, and has a folder of its own. What is done is found done, by content:
after a kill the same command goes on, and after a correction of the history it runs again what the correction reaches.
"""

import argparse
import sys
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from oakbank.pipelines.training import TrainingConfig, TrainingRun, run_training
from oakbank.world import Lake

if TYPE_CHECKING:
    from oakbank.pipelines.registry import Registry


@dataclass(frozen=True)
class MonthRun:
    """What became of one month."""

    month: int
    run: TrainingRun | None
    """None if it failed."""
    error: Exception | None = None

    def __str__(self) -> str:
        if self.run is None:
            return f"month {self.month:+d}: failed, {type(self.error).__name__}: {self.error}"
        return f"month {self.month:+d}: " + (f"ran {', '.join(self.run.ran)}" if self.run.ran else "was done")


class BackfillError(RuntimeError):
    """Some months failed, with the reason of each; the others are done, and in `months` are all of them."""

    def __init__(self, months: list[MonthRun]) -> None:
        self.months = months
        failed = [str(month) for month in months if month.run is None]
        reasons = "\n".join(failed)
        super().__init__(
            f"{len(failed)} of {len(months)} months failed; mend what they name and run the same again:\n{reasons}"
        )


def month_folder(folder: str | Path, month: int) -> Path:
    """Return where a backfill keeps the run as of a month."""
    return Path(folder) / f"as_of={month:+04d}"


def backfill(
    months: Iterable[int],
    lake: Lake,
    folder: str | Path,
    config: TrainingConfig | None = None,
    *,
    registry: "Registry | None" = None,
    label_delay: int = 3,
    retries: int = 2,
    tell: Callable[[MonthRun], object] = lambda month: None,
) -> list[MonthRun]:
    """Run the training pipeline as of each month, oldest first, resuming what is there; return what became of each.

    Args:
        months: Months of the runs, in any order; a month named twice runs once.
        lake: The bank's months.
        folder: Gets one folder for each month, see `month_folder`.
        config: Settings of every run; its `as_of` is replaced by the month.
        registry: Where to register the models, oldest first; None: nowhere.
        label_delay: Months from application to known outcome.
        retries: As in `run_training`.
        tell: Called after each month, to show how far it is.

    Raises:
        BackfillError: At least one month failed; it is raised when all others have been run.
        ValueError: No month was named.
    """
    wanted = sorted(set(months))
    if not wanted:
        raise ValueError("no months to run: name at least one; the last may not be before the first")
    done: list[MonthRun] = []
    for month in wanted:
        settings = replace(config or TrainingConfig(), as_of=month)
        try:
            run = run_training(settings, lake, month_folder(folder, month), registry, label_delay, retries)
            done.append(MonthRun(month, run))
        except Exception as error:  # of whatever kind: it is this month's, and it is told at the end
            done.append(MonthRun(month, None, error))
        tell(done[-1])
    errors = [month.error for month in done if month.error is not None]
    if errors:
        raise BackfillError(done) from ExceptionGroup("one for each month that failed", errors)
    return done


def main(arguments: list[str] | None = None) -> int:
    """Run a backfill from the command line; returns the exit code: 0 if every month is done, else 1."""
    default = TrainingConfig()
    parser = argparse.ArgumentParser(prog="backfill", description="Train as of each month, resuming what is there.")
    parser.add_argument("lake", type=Path, help="folder of the lake")
    parser.add_argument("folder", type=Path, help="folder of the runs, one for each month")
    parser.add_argument("--first", type=int, required=True, help="first month to run as of")
    parser.add_argument("--last", type=int, required=True, help="last month, included")
    parser.add_argument("--window", type=int, default=default.window, help="months to learn from")
    parser.add_argument("--rounds", type=int, default=default.rounds, help="number of trees")
    chosen = parser.parse_args(arguments)
    try:
        config = replace(default, window=chosen.window, rounds=chosen.rounds)
        months = range(chosen.first, chosen.last + 1)
        backfill(months, Lake(chosen.lake), chosen.folder, config, tell=_show)
    except (BackfillError, ValueError) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _show(month: MonthRun) -> None:
    print(month, flush=True)


if __name__ == "__main__":
    sys.exit(main())
