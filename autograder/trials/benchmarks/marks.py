"""The marks of the benchmarks' class as this version of the grader gives them.

`python -m autograder.trials.benchmarks.marks` keeps them. Who changes a mark counts `GRADER` up, so that everybody is
graded anew and the report says by which version.
"""

import json
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from autograder.cohort.store import GRADER
from autograder.examiner.grader import Grader
from autograder.model import Submission
from autograder.sandbox.confine import why_not
from autograder.trials.benchmarks.classroom import make_classroom, notebook, read_release, submissions
from base.files import write_text

KEPT = Path(__file__).resolve().parent / "marks.json"
COUNT = 20
Marks = Mapping[str, Mapping[str, float | None]]
"""Points of each test by student; None: a person marks it."""


def marks() -> dict[str, dict[str, float | None]]:
    """Grade the class by this version."""
    with tempfile.TemporaryDirectory(prefix="benchmark-") as folder:
        root = Path(folder).resolve()
        key, release = make_classroom(root), read_release(root)
        with Grader(key, sandbox=why_not() is None) as grader:
            found = {}
            for one in submissions(COUNT, key):
                handed_in = Submission(one.student, json.dumps(notebook(one, release)).encode())
                found[one.student] = {mark.test: mark.score for mark in grader.grade(handed_in).marks}
            return found


def fault(found: Marks, kept: Mapping[str, object], grader: int = GRADER) -> str:
    """Return what is to be done about marks that are not the kept ones; empty if they are, and the version too."""
    if found == kept["marks"] and grader == kept["grader"]:
        return ""
    if grader == kept["grader"]:
        return (
            f"version {grader} of the grader gives other marks than it did: if that is meant, count GRADER up in "
            "autograder/cohort/store.py, say it in CHANGELOG.md, and keep the new marks: "
            "python -m autograder.trials.benchmarks.marks"
        )
    return f"keep the marks of version {grader}: python -m autograder.trials.benchmarks.marks"


def main() -> None:
    """Keep the marks, unless this version has given others before."""
    found = marks()
    if KEPT.exists():
        told = fault(found, kept := json.loads(KEPT.read_text(encoding="utf-8")))
        if told and kept["grader"] == GRADER:
            sys.exit(told)
    write_text(KEPT, json.dumps({"grader": GRADER, "marks": found}, indent=1) + "\n")


if __name__ == "__main__":
    main()
