"""Examples that a lab's text spells out: each must stand in a visible test, so that a learner can try it."""

import ast
import re
from collections.abc import Iterator
from typing import Any

from authoring.lesson.text import FENCE
from autograder.lab.cells import EXERCISE, HIDDEN

SHORTEST = 3
"""Characters of a text in quotes from which on it is an example."""
_SPAN = re.compile(r"(?<!`)`([^`\n]+)`(?!`)")


def _expression(text: str) -> ast.expr | None:
    try:
        return ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError):
        return None


def _value(node: ast.expr) -> object:
    """Return the value that a literal spells; None where it is none, or has a hole (`...`)."""
    if any(isinstance(part, ast.Constant) and part.value is ... for part in ast.walk(node)):
        return None
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError):
        return None


def _called(node: ast.expr, names: set[str]) -> list[ast.expr]:
    """Return the parts of an example that calls the answer with values: the call, and what it equals."""
    parts = [node.left, *node.comparators] if isinstance(node, ast.Compare) else [node]
    for part in parts:
        if isinstance(part, ast.Call) and isinstance(part.func, ast.Name) and part.func.id in names:
            values = [*part.args, *(keyword.value for keyword in part.keywords)]
            if values and all(_value(value) is not None for value in values):
                return parts
    return []


def _is_tried(node: ast.expr, names: set[str], spelled: set[str], texts: str) -> bool:
    """Whether an example stands in a test. What is neither a call of the answer nor a text or collection is none."""
    if parts := _called(node, names):
        return all(ast.unparse(part) in spelled for part in parts)
    value = _value(node)
    if isinstance(value, str):  # a word in capitals stands for something else: "changed PATH"
        return len(value) < SHORTEST or bool(re.search(r"\b[A-Z]{2,}\b", value)) or value in texts
    return not isinstance(value, list | tuple | dict) or not value or ast.unparse(node) in spelled


def exercises(notebook: Any) -> Iterator[tuple[str, str, str, str]]:
    """Yield of each exercise its name, its text, its answer, and the visible source of its tests."""
    text, name, answer, tests = "", "", "", ""
    for cell in [*notebook.cells, None]:
        marks = {} if cell is None else cell.metadata.get("nbgrader", {})
        if cell is None or (cell.cell_type == "markdown" and tests):
            if name:
                yield name, text, answer, tests
            text, name, answer, tests = "", "", "", ""
        if cell is None:
            return
        if cell.cell_type == "markdown":
            text += FENCE.sub("", cell.source) + "\n"
        elif marks.get("solution") and EXERCISE.fullmatch(marks["grade_id"]):
            if name and tests:
                yield name, text, answer, tests
                text, tests = "", ""
            name, answer = marks["grade_id"], cell.source
        elif marks.get("grade"):
            tests += HIDDEN.sub("", cell.source) + "\n"


def example_faults(notebook: Any) -> list[str]:
    """Return the examples in the texts of a lab's exercises that no visible test of the exercise tries."""
    faults = []
    for name, text, answer, tests in exercises(notebook):
        names = {node.name for node in ast.parse(answer).body if isinstance(node, ast.FunctionDef | ast.ClassDef)}
        nodes = [node for node in ast.walk(ast.parse(tests)) if isinstance(node, ast.expr)]
        spelled = {ast.unparse(node) for node in nodes}
        texts = "\n".join(
            node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)
        )
        for span in dict.fromkeys(_SPAN.findall(text)):
            node = _expression(span)
            if node is not None and not _is_tried(node, names, spelled, texts):
                faults.append(f"{name}: the text spells out `{span}`, and no visible test of the exercise has it")
    return faults
