"""Measure: `python -m autograder.trials.benchmarks throughput`, then `cohort`. `table` renews the README's tables."""

import argparse
import os
import sys
from pathlib import Path

from autograder.trials.benchmarks import growth, throughput
from autograder.trials.benchmarks.results import README, RESULTS, bars, keep, read, show
from base.errors import UserError
from base.process import cores

CORES = 2


def _two_cores() -> None:
    """Go on with two cores, as the bars say; all that is started inherits it."""
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:CORES])
    if cores() != CORES:
        print(f"note: the bars are for {CORES} cores, this runs on {cores()}")


def _say(text: str) -> None:
    print(text, flush=True)


def main() -> int:
    """Run the command; returns its exit code: 1 where a mark is not as it must be."""
    parser = argparse.ArgumentParser(prog="python -m autograder.trials.benchmarks", description=__doc__)
    parser.add_argument("--results", type=Path, default=RESULTS, help="where the numbers are kept")
    parser.add_argument("--readme", type=Path, default=README, help="where the tables go")
    verbs = parser.add_subparsers(dest="verb", required=True)
    one = verbs.add_parser("throughput", help="against stock nbgrader and otter-grader")
    one.add_argument("--submissions", type=int, default=20)
    one.add_argument("--no-otter", action="store_true", help="leave otter-grader out (it is installed from PyPI)")
    many = verbs.add_parser("cohort", help="time and memory of growing cohorts")
    many.add_argument("--submissions", type=int, nargs="+", default=[50, 500])
    verbs.add_parser("table", help="write the README's tables from the numbers that are kept")
    wanted = parser.parse_args()
    try:
        if wanted.verb == "table":
            show(wanted.results, wanted.readme)
            return 0
        _two_cores()
        if wanted.verb == "throughput":
            found = throughput.run(wanted.submissions, not wanted.no_otter, _say)
        else:
            found = growth.run(wanted.submissions, _say)
        keep(wanted.verb, found, wanted.results, wanted.readme)
    except UserError as error:
        sys.exit(f"benchmarks: {error}")
    if wanted.verb == "throughput":
        for name, bar, measured, held in bars(read(wanted.results)["throughput"]):
            _say(f"{'held  ' if held else 'MISSED'} {name} {bar:g}: {measured:.1f}")
    for fault in found["faults"]:
        _say(f"wrong: {fault}")
    return 1 if found["faults"] else 0


if __name__ == "__main__":
    sys.exit(main())
