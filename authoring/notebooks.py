"""Percent text -> notebook: no outputs, stable cell ids, the same bytes on every machine."""

import hashlib
from collections import Counter
from pathlib import Path
from typing import Any

import jupytext
import nbformat

from base.errors import BuildError

KERNELSPEC = {"display_name": "Python 3", "language": "python", "name": "python3"}
NOTICE = "generated from {source} by `course build`"


def cell_id(cell: Any, seen: Counter[str]) -> str:
    """Return the id of a cell: its `grade_id`, else a hash of type and source, numbered where the same cell returns."""
    grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
    name = grade_id or hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:12]
    seen[name] += 1
    return name if seen[name] == 1 else f"{name}-{seen[name]}"


def read_percent(path: Path, root: Path) -> Any:
    """Return the notebook of a percent text, with the metadata of its cells as written there.

    Raises:
        BuildError: The file is missing, is not UTF-8 or holds no cell.
    """
    name = path.relative_to(root).as_posix()
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        raise BuildError(f"{name} is missing") from None
    except UnicodeDecodeError as error:
        raise BuildError(f"{name} is not UTF-8 text: {error}") from None
    if "\n# %%" not in f"\n{text}":
        raise BuildError(f"{name} has no cell: start each one with `# %%` or `# %% [markdown]`")
    cells = jupytext.reads(text, fmt="py:percent").cells
    for cell in cells:
        cell.metadata.pop("lines_to_next_cell", None)
    # Learners do edit the notebook of a lab, so only a lesson's says not to.
    notice = NOTICE.format(source=name) + ("; do not edit" if "/lessons/" in name else "")
    metadata = {"kernelspec": KERNELSPEC, "oakbank": {"notice": notice}}
    return nbformat.from_dict({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})  # type: ignore[no-untyped-call]


def to_json(notebook: Any) -> str:
    """Return a notebook as text: ids set, no outputs, keys sorted."""
    seen: Counter[str] = Counter()
    for cell in notebook.cells:
        cell.id = cell_id(cell, seen)
        if cell.cell_type == "code":
            cell.outputs = []
            cell.execution_count = None
    nbformat.validate(notebook)
    return str(nbformat.writes(notebook)) + "\n"  # type: ignore[no-untyped-call]


def lesson_notebook(source: Path, root: Path) -> tuple[str, str]:
    """Return the path of a lesson's notebook, relative to the root, and its text."""
    path = source.parent.parent / "notebooks" / f"{source.stem}.ipynb"
    return path.relative_to(root).as_posix(), to_json(read_percent(source, root))
