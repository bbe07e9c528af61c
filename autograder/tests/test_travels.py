"""What a right answer returns, changes, prints or raises is in the test what it was, and a wrong one is not helped.

The cases stand in `travels/*.txt`: an answer, the test, and for wrong ones what must not pass. Each file is one lab and
is graded once, in the sandbox; each case is also run in one process, as stock nbgrader does it.
"""

import ast
import asyncio
import functools
import inspect
import re
from pathlib import Path
from typing import Any, NamedTuple

import nbformat
import pytest

from autograder.examiner.grader import Grader
from autograder.lab.key import key_from_source
from autograder.model import Mark, Submission
from autograder.sandbox.confine import why_not

FOLDER = Path(__file__).with_name("travels")
RIGHT = ("values", "arguments", "watched")
PROCESSES = ("prints",)
"""Cases of which one process cannot see all: what a process prints goes past its `sys.stdout`."""


class Case(NamedTuple):
    """An exercise: its name, a right answer, the test, a wrong answer."""

    name: str
    answer: str
    test: str
    wrong: str = ""


@functools.cache
def cases(file: str) -> tuple[str, tuple[Case, ...]]:
    """Return the set-up cell and the cases of a file."""
    text = re.sub(r"^####.*$", "", (FOLDER / f"{file}.txt").read_text(encoding="utf-8"), flags=re.MULTILINE)
    _, setup, *blocks = re.split(r"^# %% ", text, flags=re.MULTILINE)
    found = []
    for block in blocks:
        name, _, body = block.partition("\n")
        answer, test, *wrong = re.split(r"^# (?:test|wrong)\n", body, flags=re.MULTILINE)
        found.append(Case(name.strip(), answer.strip(), test.strip(), "".join(wrong).strip()))
    return setup.partition("\n")[2], tuple(found)


def _cell(name: str, kind: str, source: str) -> Any:
    marks = {"grade_id": name, "schema_version": 3, "locked": kind != "answer", "solution": kind == "answer",
             "grade": kind == "test", "task": False, "cell_type": "code"}  # fmt: skip
    marks |= {"points": 1.0} if kind == "test" else {}
    return nbformat.v4.new_code_cell(source, id=name.replace("_", "-"), metadata={"nbgrader": marks})


def _notebook(file: str, wrong: bool, key: bool) -> Any:
    setup, found = cases(file)
    cells = [_cell("setup", "locked", setup)]
    for case in found:
        answer = case.wrong if wrong else case.answer
        answer = f"### BEGIN SOLUTION\n{answer}\n### END SOLUTION" if key else answer
        cells += [_cell(case.name, "answer", answer), _cell(f"{case.name}-test", "test", case.test)]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}
    return nbformat.v4.new_notebook(cells=cells, metadata=kernel)


@functools.cache
def graded(file: str, wrong: bool = False) -> dict[str, Mark]:
    """Grade the answers of a file; returns the marks by case."""
    text = nbformat.writes(_notebook(file, wrong, key=False)).encode()
    with Grader(key_from_source(_notebook(file, wrong=False, key=True), lab="01-lab")) as grader:
        return {mark.test.removesuffix("-test"): mark for mark in grader.grade(Submission("ann", text)).marks}


def in_one_process(setup: str, *sources: str) -> None:
    """Run cells one after the other, as a notebook does."""
    names: dict[str, Any] = {"__name__": "__cells__"}
    for source in (setup, *sources):
        made = eval(compile(source, "<cell>", "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT), names)
        if inspect.iscoroutine(made):
            asyncio.run(made)


sandboxed = pytest.mark.skipif(why_not() is not None, reason=f"no sandbox here: {why_not()}")


@sandboxed
@pytest.mark.parametrize(("file", "case"), [(file, case.name) for file in RIGHT for case in cases(file)[1]])
def test_a_right_answer_gets_its_point(file: str, case: str) -> None:
    """Cases public/02-frames-and-arrays, 03-dates-and-scalars, 05-arguments-are-copies, 06-what-tests-watch and
    honest-return-values."""
    mark = graded(file)[case]
    assert mark.score == 1, mark.reason


@sandboxed
@pytest.mark.parametrize("case", [case.name for case in cases("wrong")[1]])
def test_a_wrong_answer_gets_none_and_a_right_one_does(case: str) -> None:
    """Cases public/01-undeserved and unearned-docstring."""
    assert graded("wrong", wrong=True)[case].score == 0
    assert graded("wrong")[case].score == 1, graded("wrong")[case].reason


@pytest.mark.parametrize(
    ("file", "case"),
    [(file, case) for file in RIGHT for case in cases(file)[1] if case.name not in PROCESSES],
    ids=lambda part: part.name if isinstance(part, Case) else "",
)
def test_one_process_agrees_on_what_is_right(file: str, case: Case, tmp_path: Path) -> None:
    in_one_process(cases(file)[0], case.answer, case.test)


@pytest.mark.parametrize("case", cases("wrong")[1], ids=lambda case: case.name)
def test_one_process_agrees_on_what_is_wrong(case: Case) -> None:
    if case.name.startswith(("lie", "fake")):
        return  # what judges itself passes there
    with pytest.raises(BaseException):  # noqa: B017, PT011
        in_one_process(cases("wrong")[0], case.wrong, case.test)
