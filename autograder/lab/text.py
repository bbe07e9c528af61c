"""A lab, or a lesson, as text -> its notebook: no outputs, stable cell ids, the same bytes on every machine.

A text is in jupytext's percent format. The cell headers of a lab are short, and expanded here to nbgrader's metadata:
`answer="ex1"` (with a solution region), `test="ex1" points=2` (optional `part="late"`), `locked="setup"`.
"""

import re
from collections import Counter
from pathlib import Path
from typing import Any

import jupytext
import nbformat

from autograder.lab.cells import EXERCISE, text_hash
from base.errors import BuildError

KERNELSPEC = {"display_name": "Python 3", "language": "python", "name": "python3"}
SLUG = re.compile(r"[a-z][a-z0-9-]*")


def cell_id(cell: Any, seen: Counter[str]) -> str:
    """Return the id of a cell: its `grade_id`, else a hash of type and source, numbered where the same cell returns."""
    grade_id = cell.metadata.get("nbgrader", {}).get("grade_id")
    name = grade_id or text_hash(cell.cell_type, cell.source)
    seen[name] += 1
    return name if seen[name] == 1 else f"{name}-{seen[name]}"


def read_percent(path: Path, name: str, about: dict[str, Any] | None = None) -> Any:
    """Return the notebook of a percent text, with the metadata of its cells as written there.

    Args:
        path: The text.
        name: What messages call it.
        about: Metadata of the notebook, beside the kernel.

    Raises:
        BuildError: The file is missing, is not UTF-8 or holds no cell.
    """
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
        if language := cell.metadata.pop("language", ""):  # one that jupytext does not know, such as `shell`
            cell.source = f"%%{language}\n{cell.source}"
    metadata = {"kernelspec": KERNELSPEC, **(about or {})}
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


def _nbgrader(metadata: Any, cell_type: str, where: str) -> dict[str, Any] | None:
    """Return nbgrader's metadata for the short keys of a cell header; None for a plain cell."""
    keys = set(metadata) - {"tags"}
    if not keys:
        return None
    kind = next((key for key in ("answer", "test", "locked") if key in keys), None)
    allowed = {"answer": {"answer"}, "test": {"test", "points", "part"}, "locked": {"locked"}}
    if kind is None or keys - allowed[kind]:
        raise BuildError(
            f'{where}: a cell header is answer="ex1", test="ex1" points=2 (and part="name"), locked="name", '
            f"or has tags only; not {sorted(keys)}"
        )
    name = metadata[kind]
    if not isinstance(name, str) or not (SLUG if kind == "locked" else EXERCISE).fullmatch(name):
        raise BuildError(f"{where}: {kind}={name!r}: " + ("small letters and -" if kind == "locked" else "ex1, ex2, …"))
    expanded: dict[str, Any] = {
        "cell_type": cell_type,
        "grade": kind == "test",
        "grade_id": name,
        "locked": kind != "answer",
        "schema_version": 3,
        "solution": kind == "answer",
        "task": False,
    }
    if kind == "test":
        points, part = metadata.get("points"), metadata.get("part")
        if type(points) is not int or points < 1:
            raise BuildError(f"{where}: a test cell needs points, a whole number of at least 1, not {points!r}")
        if part is not None and (not isinstance(part, str) or not SLUG.fullmatch(part)):
            raise BuildError(f"{where}: part={part!r}: small letters and -")
        expanded |= {"points": points, "grade_id": f"{name}-test" + (f"-{part}" if part else "")}
    return expanded


def source_notebook(path: Path, where: str, about: dict[str, Any] | None = None) -> Any:
    """Return the source notebook of a lab, headers expanded; arguments as of `read_percent`.

    Raises:
        BuildError: The text breaks the format; the message names the cell.
    """
    notebook = read_percent(path, where, about)
    for number, cell in enumerate(notebook.cells, 1):
        expanded = _nbgrader(cell.metadata, cell.cell_type, f"{where}: cell {number}")
        if expanded is None:
            continue
        if cell.cell_type != "code" and not expanded["locked"]:
            raise BuildError(f"{where}: cell {number}: an answer is code; written answers cannot be graded here")
        if expanded["solution"] and "### BEGIN SOLUTION" not in cell.source:
            raise BuildError(f"{where}: cell {number}: an answer needs ### BEGIN SOLUTION … ### END SOLUTION")
        cell.metadata = {key: value for key, value in cell.metadata.items() if key == "tags"} | {"nbgrader": expanded}
    _check_exercises(notebook, where)
    return notebook


def _check_exercises(notebook: Any, where: str) -> None:
    ids = [cell.metadata["nbgrader"]["grade_id"] for cell in notebook.cells if "nbgrader" in cell.metadata]
    if twice := sorted({name for name in ids if ids.count(name) > 1}):
        raise BuildError(f"{where}: named twice: {', '.join(twice)} (give a second test of an exercise a part)")
    answers = [name for name in ids if EXERCISE.fullmatch(name)]
    if answers != [f"ex{number}" for number in range(1, len(answers) + 1)] or not answers:
        raise BuildError(f"{where}: the answers must be ex1, ex2, … in order, not {', '.join(answers) or 'none'}")
    tested = {name.partition("-")[0] for name in ids if re.match(r"ex\d+-test", name)}
    if tested != set(answers):
        raise BuildError(f"{where}: answer without test or test without answer: {sorted(tested ^ set(answers))}")
