"""Answers that give nothing of use: whatever their type, a learner must read a sentence, not a bare `KeyError: 'x'`."""

import ast
import builtins
import re
from collections.abc import Callable
from typing import Any

import nbformat

from autograder.lab.cells import EXERCISE, grade_cells
from autograder.model import STUCK, Result

VALUES = ("0", "''", "[]", "{}", "{'x': 1}")
"""What the functions of a hollow answer return; the untouched release, graded anyhow, returns None."""
EXCUSED: tuple[str, ...] = ()
"""Labs in which some test still ends in an error at such an answer. A lab that has none must leave the list."""
SILENT = ("a hidden test does not hold", "this does not hold")
"""How a reason begins that tells a learner nothing of what was expected."""


def tells_nothing(reason: str) -> bool:
    """Whether a reason is an error of Python's own: one that a lab raises itself brings a sentence."""
    name = re.match(rf"{re.escape(STUCK)}your answer leads to (\w+)", reason)
    return reason.startswith(SILENT) or bool(name and hasattr(builtins, name[1]))


def hollow_answer(source: str, value: str) -> str:
    """Return an answer whose functions return a value, whatever they are called with; the rest of it stays."""
    tree = ast.parse(source)
    for node in tree.body:
        if isinstance(node, ast.FunctionDef):
            node.body = ast.parse(f"return {value}").body
    return ast.unparse(tree)


def hollow_submissions(source: Any) -> dict[str, Any]:
    """Return a notebook for each value, with all answers hollow; by what they return."""
    notebooks = {}
    for value in VALUES:
        notebook = nbformat.from_dict(source)  # type: ignore[no-untyped-call]
        for name, cell in grade_cells(notebook).items():
            if EXERCISE.fullmatch(name):
                cell.source = hollow_answer(cell.source, value)
        notebooks[value] = notebook
    return notebooks


def hollow_faults(lab: str, source: Any, grade: Callable[[str, Any], Result]) -> list[str]:
    """Return the tests of a lab at which a hollow answer is told nothing.

    Args:
        lab: Its name.
        source: Its source notebook.
        grade: Grades a notebook under a name, without a second look.
    """
    told: dict[str, list[str]] = {}
    for value, notebook in hollow_submissions(source).items():
        for mark in grade(f"returns {value}", notebook).marks:
            if tells_nothing(mark.reason):
                told.setdefault(mark.test, []).append(f"{value}: {mark.reason.removeprefix(STUCK)}")
    if lab not in EXCUSED:
        return [
            f"{test}: an answer that returns {said[0]}; assert its form first, with a message"
            + (f" (and {len(said) - 1} more)" if len(said) > 1 else "")
            for test, said in told.items()
        ]
    return (
        [] if told else [f"{lab} tells every hollow answer something: take it off EXCUSED in authoring/proof/hollow.py"]
    )
