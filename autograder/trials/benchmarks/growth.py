"""Cohorts of growing size, each graded in one run: time and memory, and what the bare cells cost."""

import tempfile
from pathlib import Path
from typing import Any

from autograder.trials.benchmarks.classroom import hand_in, make_classroom, submissions
from autograder.trials.benchmarks.throughput import Say, grade_ours, run_cells


def run(sizes: list[int], say: Say) -> dict[str, Any]:
    """Grade one cohort of each size.

    Returns:
        The section `cohort` of the results; `faults` in it are marks that are not as they must be.

    Raises:
        UserError: A cohort could not be graded.
    """
    runs, faults = [], []
    for size in sorted(sizes):
        with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
            root = Path(name).resolve()
            key = make_classroom(root)
            all_handed = submissions(size, key)
            hand_in(root, all_handed)
            say(f"{size} submissions")
            cost, marks, _ = grade_ours(root, all_handed, memory=True)
            cells, _ = run_cells(root, all_handed, key)
            faults += [
                f"{one.student} of {size}: this grader gives {marks[one.student]}, right is {one.marks(key)}"
                for one in all_handed
                if marks[one.student] != one.marks(key)
            ]
        runs.append(
            {
                "submissions": size,
                "wall": round(cost.wall, 2),
                "cpu": round(cost.cpu, 2),
                "counted": cost.counted,
                "cells": round(cells, 2),
                "main_mb": None if cost.main_mb is None else round(cost.main_mb),
                "all_mb": None if cost.all_mb is None else round(cost.all_mb),
            }
        )
        say(f"  {cost.wall:.1f} s, {cost.cpu:.1f} s of CPU, {cost.main_mb or 0:.0f} MB, all {cost.all_mb or 0:.0f} MB")
    return {"runs": runs, "faults": faults}
