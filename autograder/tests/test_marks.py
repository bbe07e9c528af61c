"""The same version of the grader gives the same marks."""

import copy
import json

import pytest

from autograder.cohort.store import GRADER
from autograder.sandbox.confine import why_not
from autograder.trials.benchmarks.marks import KEPT, fault, marks


@pytest.mark.skipif(why_not() is not None, reason=str(why_not()))
def test_marks_change_only_with_the_graders_version() -> None:
    told = fault(marks(), json.loads(KEPT.read_text(encoding="utf-8")))
    assert told == "", told


def test_another_mark_under_the_same_version_is_found() -> None:
    kept = json.loads(KEPT.read_text(encoding="utf-8"))
    changed = copy.deepcopy(kept["marks"])
    changed["student-0003"]["ex1-test"] += 1
    assert "count GRADER up" in fault(changed, kept)
    assert fault(changed, kept, GRADER + 1).startswith(f"keep the marks of version {GRADER + 1}")
    assert fault(kept["marks"], kept) == ""
