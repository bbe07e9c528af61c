"""What of a person's work is in a generated notebook: it is never written over.

A generated cell says by itself whether it is as it was made: nbgrader stores a checksum of each of its cells, and the
id of every other cell is a hash of its text (`authoring.notebooks.cell_id`).
"""

import hashlib
import json
import os
from pathlib import Path
from typing import Any

_HASH = 12  # characters of a text's hash in a cell's id
KEPT = "var/kept"
"""Where notebooks go that a person asks to have put aside; a run's own folder, outside of version control."""


def source_of(cell: dict[str, Any]) -> str:
    """Return the text of a cell, which a file may hold line by line."""
    source = cell.get("source", "")
    return "".join(source) if isinstance(source, list) else str(source)


def answered(cell: dict[str, Any]) -> bool:
    """Whether an answer cell of nbgrader's is not as it was released."""
    marks = cell.get("metadata", {}).get("nbgrader", {})
    if not marks.get("solution") or "checksum" not in marks:
        return False
    graded = bool(marks.get("grade"))
    parts = [source_of(cell), cell["cell_type"], str(graded), "True", "False", marks["grade_id"]]
    parts += [str(float(marks["points"]))] if graded else []
    return bool(hashlib.md5("".join(parts).encode(), usedforsecurity=False).hexdigest() != marks["checksum"])


def written(cell: dict[str, Any]) -> bool:
    """Whether a cell that is none of nbgrader's was changed or added."""
    if "nbgrader" in cell.get("metadata", {}) or not source_of(cell).strip():
        return False
    name = hashlib.sha256(f"{cell['cell_type']}\n{source_of(cell)}".encode()).hexdigest()[:_HASH]
    return not str(cell.get("id", "")).startswith(name)


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


def put_aside(path: Path, root: Path, kept: Path | None = None) -> Path:
    """Move a notebook to a free name in `kept`, or in `KEPT` of the course; returns where it is."""
    name, kept = path.relative_to(root), kept or root / KEPT
    for number in range(1, 10_000):
        target = kept / name.parent / f"{name.stem}-{number}{name.suffix}"
        target.parent.mkdir(parents=True, exist_ok=True)
        try:
            os.link(path, target)  # fails where there is one already
        except FileExistsError:
            continue
        except OSError:  # no links on this file system
            if target.exists():
                continue
            path.replace(target)
            return target
        path.unlink()
        return target
    raise OSError(f"there is no free name for {path} in {kept}")
