"""The labs of this repository: a text in `solutions/` -> its source notebook -> what learners get, by nbgrader."""

import shutil
import tempfile
from pathlib import Path
from typing import Any

from authoring.notebooks import about
from authoring.repository import COMMAND
from autograder.lab import text
from autograder.lab.cells import grade_cells
from autograder.lab.misconceptions import Misconception, read_misconceptions
from autograder.lab.settings import CONFIG
from autograder.lab.text import to_json
from autograder.nbgrader.release import generate_assignment
from base.errors import BuildError, UserError
from base.files import write_text

NOT_COPIED = shutil.ignore_patterns("*.ipynb", "__pycache__", ".ipynb_checkpoints")


def lab_names(root: Path) -> list[str]:
    """Return the labs that have a folder in `solutions/`, sorted."""
    return sorted(path.name for path in root.glob("solutions/*") if path.is_dir() and any(path.glob("*.py")))


def source_notebook(lab: str, root: Path) -> Any:
    """Return the source notebook of a lab, headers expanded.

    Raises:
        BuildError: The text breaks the format; the message names the cell.
    """
    name = f"solutions/{lab}/{lab}.py"
    return text.source_notebook(root / name, name, about(name))


def load_misconceptions(lab: str, root: Path) -> list[Misconception]:
    """Return the wrong answers of a lab, see `autograder.lab.misconceptions.read_misconceptions`."""
    cells = grade_cells(source_notebook(lab, root))
    points = {name: cell.metadata["nbgrader"].get("points", 0) for name, cell in cells.items()}
    return read_misconceptions(root / "solutions" / lab, points)


def set_up_course(folder: Path, labs: list[str], root: Path) -> None:
    """Make `folder` a course directory of nbgrader with the sources of `labs` in it."""
    shutil.copy(root / CONFIG, folder / CONFIG)
    for lab in labs:
        shutil.copytree(root / "solutions" / lab, folder / "solutions" / lab, ignore=NOT_COPIED)
        write_text(folder / "solutions" / lab / f"{lab}.ipynb", to_json(source_notebook(lab, root)))


def require_built(lab: str, root: Path) -> None:
    """Raise UserError where the notebook of a lab is not what its text makes; a lab may have no text."""
    text, notebook = (root / "solutions" / lab / f"{lab}{ending}" for ending in (".py", ".ipynb"))
    if not text.is_file():
        return
    if not notebook.is_file() or to_json(source_notebook(lab, root)) != notebook.read_text(encoding="utf-8"):
        raise UserError(
            f"{notebook} is not what its text makes. What was changed in the notebook itself, carry over into "
            f"{text.name} first: `{COMMAND} build --only {lab}` writes the notebook anew"
        )


def lab_files(labs: list[str], root: Path) -> dict[str, str]:
    """Return the text of the source notebook and of every released file of `labs`, by path."""
    files: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="course-build-") as name:
        folder = Path(name).resolve()
        set_up_course(folder, labs, root)
        for lab in labs:
            generate_assignment(lab, folder, gradebook=False)
            source = f"solutions/{lab}/{lab}.ipynb"
            files[source] = (folder / source).read_text(encoding="utf-8")
            for path in sorted((folder / "labs" / lab).rglob("*")):
                if path.is_file():
                    files[path.relative_to(folder).as_posix()] = _text(path)
    return files


def _text(path: Path) -> str:
    try:
        text = path.read_bytes().decode("utf-8")
    except UnicodeDecodeError:
        raise BuildError(f"{path.name} is not text: a lab hands out text files only (CSV, YAML, …)") from None
    return text if text.endswith("\n") else text + "\n"
