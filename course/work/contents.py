"""What of a notebook counts: its cells. Outputs, counters and what an editor notes beside them do not."""

import copy
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from autograder.lab.cells import answered, source_of, written

Notebook = dict[str, Any]
WHOLE = ""
"""The one cell of a file that is no notebook."""


@dataclass(frozen=True)
class Contents:
    """What counts of a file.

    Attributes:
        cells: A hash of each cell's text by the cell's id, in order; empty cells are none.
        executed: Whether a cell was run.
    """

    cells: dict[str, str] = field(default_factory=dict)
    executed: bool = False

    def same(self, cells: Mapping[str, str]) -> bool:
        """Whether the cells are these, in this order."""
        return list(self.cells.items()) == list(cells.items())


def _hash(text: bytes) -> str:
    return hashlib.sha256(text).hexdigest()[:16]


def parse(content: bytes) -> Notebook | None:
    """Return a notebook as plain data; None if it cannot be read."""
    try:
        notebook: Notebook = json.loads(content)
        of_notebook(notebook)
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None
    return notebook


def name_of(cell: dict[str, Any]) -> str:
    """Return what a cell is called: nbgrader's name, which survives editors that drop ids, else its id."""
    return str(cell["metadata"].get("nbgrader", {}).get("grade_id") or cell.get("id", ""))


def _counts(cell: dict[str, Any]) -> bool:
    return bool(source_of(cell).strip() or cell.get("attachments") or "nbgrader" in cell["metadata"])


def cell_hash(cell: dict[str, Any]) -> str:
    """Return a hash of what a person can change of a cell."""
    parts = [cell["cell_type"], source_of(cell), cell.get("attachments") or {}]
    return _hash(json.dumps(parts, sort_keys=True).encode())


def of_notebook(notebook: Notebook) -> Contents:
    """Return what counts of a notebook."""
    counting = [cell for cell in notebook["cells"] if _counts(cell)]
    cells: dict[str, str] = {}
    for number, cell in enumerate(counting):
        name = name_of(cell)
        cells[name if name and name not in cells else f"#{number}"] = cell_hash(cell)
    return Contents(cells, any(cell.get("execution_count") is not None for cell in counting))


def of_file(content: bytes, notebook: bool) -> Contents | None:
    """Return what counts of a file; None if it is no notebook and should be one."""
    if not notebook:
        return Contents({WHOLE: _hash(content)})
    parsed = parse(content)
    return None if parsed is None else of_notebook(parsed)


def version_of(notebook: Notebook) -> str:
    """Return the name of a version of a notebook: another one where a cell, or what nbgrader knows of it, differs."""
    told = [[name_of(cell), cell_hash(cell), cell["metadata"].get("nbgrader")] for cell in notebook["cells"]]
    return _hash(json.dumps(told, sort_keys=True).encode())


def to_bytes(notebook: Notebook) -> bytes:
    """Return a notebook as Jupyter writes it."""
    return (json.dumps(notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n").encode()


def without_outputs(notebook: Notebook) -> Notebook:
    """Return a notebook as if nothing in it had been run."""
    made = copy.deepcopy(notebook)
    for cell in made["cells"]:
        if cell["cell_type"] == "code":
            cell["outputs"], cell["execution_count"] = [], None
    return made


def for_learner(notebook: Notebook, lead: Callable[[str], str]) -> Notebook:
    """Return the copy of a notebook: its links lead to other copies, and no notice says that it is generated."""
    made = copy.deepcopy(notebook)
    made.get("metadata", {}).pop("oakbank", None)
    for cell in made["cells"]:
        before = source_of(cell)
        if cell["cell_type"] == "markdown" and (after := lead(before)) != before:
            cell["source"] = after.splitlines(keepends=True)
    return made


def with_outputs_of(new: Notebook, old: Notebook) -> Notebook:
    """Return the new version with the outputs of those cells that are as they were."""
    made = copy.deepcopy(new)
    ran = {(name_of(cell), cell_hash(cell)): cell for cell in old["cells"] if cell["cell_type"] == "code"}
    for cell in made["cells"]:
        if cell["cell_type"] == "code" and (before := ran.get((name_of(cell), cell_hash(cell)))):
            cell["outputs"], cell["execution_count"] = before.get("outputs", []), before.get("execution_count")
    return made


def unedited_cells(notebook: Notebook) -> dict[str, str]:
    """Return those cells that a generated notebook itself shows to be as they were made."""

    def as_made(cell: dict[str, Any]) -> bool:
        marks = cell["metadata"].get("nbgrader", {})
        return not (answered(cell) or written(cell) or (marks.get("solution") and "checksum" not in marks))

    return of_notebook({"cells": [cell for cell in notebook["cells"] if as_made(cell)]}).cells


def _answers(notebook: Notebook) -> dict[str, dict[str, Any]] | None:
    """Return the answer cells by name; None if one is there twice."""
    found: dict[str, dict[str, Any]] = {}
    for cell in notebook["cells"]:
        if cell["metadata"].get("nbgrader", {}).get("solution"):
            if name_of(cell) in found:
                return None
            found[name_of(cell)] = cell
    return found


def with_answers_of(new: Notebook, mine: Notebook, given: Mapping[str, str]) -> Notebook | None:
    """Return the new version of a lab with a learner's answers, and the cells that the learner added, in their places.

    Args:
        new: The new version.
        mine: The learner's notebook.
        given: The cells of the version that it was begun from; cells that are missing here were changed or added.

    Returns:
        The notebook; None where the exercises are not the same, so that nobody can say which answer belongs where.
    """
    made = copy.deepcopy(new)
    theirs, ours = _answers(mine), _answers(made)
    if not ours or theirs is None or theirs.keys() != ours.keys():
        return None
    known, cells = {name_of(cell) for cell in made["cells"]} | given.keys(), without_outputs(mine)["cells"]
    for number, cell in enumerate(cells):
        name = name_of(cell)
        if name in ours and given.get(name) != cell_hash(cell):
            ours[name]["source"] = cell["source"]
        if name not in known and "nbgrader" not in cell["metadata"] and _counts(cell):
            made["cells"].insert(_place(made["cells"], cells[:number], cells[number + 1 :]), cell)
    return made


def _place(cells: list[dict[str, Any]], above: list[dict[str, Any]], below: list[dict[str, Any]]) -> int:
    """Return where a cell goes: under the one that stood above it, else over the first below it that is still there."""
    names = [name_of(cell) for cell in cells]
    if above and name_of(above[-1]) in names:
        return names.index(name_of(above[-1])) + 1
    return next((names.index(name) for cell in below if (name := name_of(cell)) in names), len(names))
