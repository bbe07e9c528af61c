"""Writes small notebooks, and trees of them that look like the course to its command."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import nbformat

from autograder.lab.text import cell_id

Cell = dict[str, Any]


def markdown(text: str) -> Cell:
    """Return a markdown cell."""
    return {"cell_type": "markdown", "metadata": {}, "source": text}


def code(text: str, count: int | None = None, **nbgrader: Any) -> Cell:
    """Return a code cell, run as number `count`, with nbgrader's marks if there are any."""
    metadata = {"nbgrader": {"schema_version": 3, **nbgrader}} if nbgrader else {}
    return {"cell_type": "code", "metadata": metadata, "source": text, "execution_count": count, "outputs": []}


def answer(name: str, text: str) -> Cell:
    """Return a cell that a learner fills in."""
    return code(text, grade=False, solution=True, locked=False, grade_id=name)


def graded(name: str, text: str, points: float = 1) -> Cell:
    """Return a locked cell that tests the answer above it."""
    return code(text, grade=True, solution=False, locked=True, grade_id=name, points=points)


def notebook(path: Path, *cells: Cell) -> Path:
    """Write a notebook, its cells named as the build names them; returns its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    seen: Counter[str] = Counter()
    numbered = [{"id": cell_id(nbformat.from_dict(cell), seen), **cell} for cell in cells]  # type: ignore[no-untyped-call]
    kernel = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
    data = {"cells": numbered, "metadata": kernel, "nbformat": 4, "nbformat_minor": 5}
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def lesson(root: Path, name: str, *sources: str) -> Path:
    """Write the lesson `chapter/stem` with a title and code cells; returns its path."""
    chapter, stem = name.split("/")
    cells = [markdown(f"# {stem}"), *(code(source) for source in sources)]
    return notebook(root / "chapters" / chapter / "notebooks" / f"{stem}.ipynb", *cells)


def lab(root: Path, name: str, *cells: Cell) -> Path:
    """Write a lab as learners get it; returns its path."""
    return notebook(root / "labs" / name / f"{name}.ipynb", *cells)
