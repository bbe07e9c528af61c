"""What a lab's tests tell a learner: each names what it covers, and no assert fails without a sentence."""

import ast
import re
from collections.abc import Iterator
from typing import Any

from autograder.lab.cells import HIDDEN

FEWEST_WORDS = 5
"""Words that the message of a hidden assert has at least: fewer cannot say what was expected of which behaviour."""
COVERS, REST = "# Covers ", "Not shown: "
_HOLE = " something "


def _tests(notebook: Any) -> Iterator[tuple[str, str]]:
    for cell in notebook.cells:
        marks = cell.metadata.get("nbgrader", {})
        if marks.get("grade"):
            yield marks["grade_id"], cell.source


def _words(message: ast.expr) -> int | None:
    """Return the words of a message, holes of an f-string counted as one; None where they are not spelled there."""
    if isinstance(message, ast.Constant):
        return len(str(message.value).split())
    if isinstance(message, ast.JoinedStr):
        pieces = [str(part.value) if isinstance(part, ast.Constant) else _HOLE for part in message.values]
        return len("".join(pieces).split())
    return None


def message_faults(notebook: Any) -> list[str]:
    """Return the asserts of a lab's tests that would fail without a sentence: hidden ones need one of some length."""
    faults = []
    for name, source in _tests(notebook):
        regions = [
            range(source.count("\n", 0, found.start()) + 1, source.count("\n", 0, found.end()) + 2)
            for found in HIDDEN.finditer(source)
        ]
        for node in ast.walk(ast.parse(source)):
            if not isinstance(node, ast.Assert):
                continue
            hidden = any(node.lineno in region for region in regions)
            said = None if node.msg is None else _words(node.msg)
            where = f"{name}: line {node.lineno}: "
            if node.msg is None:
                faults.append(f"{where}an assert without a message: say what was expected of the behaviour")
            elif said is not None and said < (FEWEST_WORDS if hidden else 1):
                faults.append(
                    f"{where}{ast.unparse(node.msg)} tells too little: say in {FEWEST_WORDS} words or more what was "
                    "expected of the behaviour, not the answer"
                )
    return faults


def _comment(source: str) -> str:
    """Return the comment that a test begins with, as one line."""
    lines = []
    for line in source.strip().splitlines():
        if not line.startswith("#") or line.startswith("###"):
            break
        lines.append(line.lstrip("# ").strip())
    return "# " + " ".join(lines) if lines else ""


def cover_faults(notebook: Any) -> list[str]:
    """Return the tests that do not say what they cover, and where hidden tests go further, what they do not show."""
    faults = []
    for name, source in _tests(notebook):
        comment, hidden = _comment(source), bool(HIDDEN.search(source))
        if not re.match(re.escape(COVERS) + r"\S", comment):
            faults.append(f"{name}: begin the test with a comment `{COVERS}…` that names what it covers")
        elif hidden and REST not in comment:
            faults.append(f"{name}: it has hidden tests: say in its first comment `{REST}…` where they go further")
        elif not hidden and REST in comment:
            faults.append(f"{name}: says `{REST}…`, and has no hidden test")
    return faults
