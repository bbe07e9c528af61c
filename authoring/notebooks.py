"""Texts of this repository -> their notebooks, each with a notice of what it is generated from."""

from pathlib import Path
from typing import Any

from autograder.lab.text import read_percent, to_json

NOTICE = "generated from {source} by `course build`"


def about(source: str) -> dict[str, Any]:
    """Return the metadata of a notebook that is generated from a text, named relative to the root."""
    # Learners do edit the notebook of a lab, so only a lesson's says not to.
    return {"oakbank": {"notice": NOTICE.format(source=source) + ("; do not edit" if "/lessons/" in source else "")}}


def percent_notebook(path: Path, root: Path) -> Any:
    """Return the notebook of a percent text in the repository.

    Raises:
        BuildError: The file is missing, is not UTF-8 or holds no cell.
    """
    name = path.relative_to(root).as_posix()
    return read_percent(path, name, about(name))


def lesson_notebook(source: Path, root: Path) -> tuple[str, str]:
    """Return the path of a lesson's notebook, relative to the root, and its text."""
    path = source.parent.parent / "notebooks" / f"{source.stem}.ipynb"
    return path.relative_to(root).as_posix(), to_json(percent_notebook(source, root))
