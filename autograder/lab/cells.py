"""What the cells of a lab's notebook say of themselves: nbgrader's marks, and whether somebody changed them.

nbgrader stores a checksum of each of its cells, and the id of every other cell is a hash of its text
(`autograder.lab.text.cell_id`): what a person wrote into a generated notebook is told from what was generated.
"""

import hashlib
import json
import re
from pathlib import Path
from typing import Any

EXERCISE = re.compile(r"ex[1-9]\d*")
"""What an answer is named in a lab that is written as text."""
HIDDEN = re.compile(r"^[ \t]*### BEGIN HIDDEN TESTS.*?^[ \t]*### END HIDDEN TESTS[^\n]*\n?", re.DOTALL | re.MULTILINE)
"""What nbgrader takes out of a test when it makes the release."""
_HASH = 12  # characters of a text's hash in a cell's id


def grade_cells(notebook: Any) -> dict[str, Any]:
    """Return the cells that nbgrader knows, by `grade_id`."""
    known = [cell for cell in notebook.cells if "nbgrader" in cell.metadata]
    return {cell.metadata["nbgrader"]["grade_id"]: cell for cell in known}


def text_hash(cell_type: str, source: str) -> str:
    """Return a hash of a cell's text, the beginning of its id."""
    return hashlib.sha256(f"{cell_type}\n{source}".encode()).hexdigest()[:_HASH]


def source_of(cell: dict[str, Any]) -> str:
    """Return the text of a cell, which a file may hold line by line."""
    source = cell.get("source", "")
    return "".join(source) if isinstance(source, list) else str(source)


def is_changed(cell: dict[str, Any]) -> bool:
    """Whether a cell is not as nbgrader's release made it, which is seen by the checksum that it stored there."""
    marks = cell.get("metadata", {}).get("nbgrader", {})
    if "checksum" not in marks:
        return False
    graded, solution = bool(marks.get("grade")), bool(marks.get("solution"))
    locked = not solution and (graded or bool(marks.get("locked")))
    parts = [source_of(cell), cell["cell_type"], str(graded), str(solution), str(locked), marks["grade_id"]]
    parts += [str(float(marks["points"]))] if graded else []
    return bool(hashlib.md5("".join(parts).encode(), usedforsecurity=False).hexdigest() != marks["checksum"])


def answered(cell: dict[str, Any]) -> bool:
    """Whether an answer cell of nbgrader's is not as it was released."""
    return bool(cell.get("metadata", {}).get("nbgrader", {}).get("solution")) and is_changed(cell)


def written(cell: dict[str, Any]) -> bool:
    """Whether a cell that is none of nbgrader's was changed or added."""
    if "nbgrader" in cell.get("metadata", {}) or not source_of(cell).strip():
        return False
    return not str(cell.get("id", "")).startswith(text_hash(cell["cell_type"], source_of(cell)))


def holds_answers(path: Path) -> bool:
    """Whether a released notebook holds answers; also one that cannot be read, for nobody knows what is in it."""
    return _any(path, answered)


def holds_work(path: Path) -> bool:
    """Whether a generated notebook holds answers, or cells that a person changed or added."""
    return _any(path, lambda cell: answered(cell) or written(cell) or bool(cell.get("attachments")))


def _any(path: Path, told: Any) -> bool:
    if path.suffix != ".ipynb" or not path.is_file():
        return False
    try:
        return any(told(cell) for cell in json.loads(path.read_text(encoding="utf-8"))["cells"])
    except (ValueError, KeyError, TypeError, AttributeError):
        return bool(path.read_bytes().strip() not in (b"", b"{}"))
