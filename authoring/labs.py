"""A lab's text -> its source notebook -> what learners get, by nbgrader itself.

Cell headers are short in the text and expanded here to nbgrader's metadata:
`answer="ex1"` (with a solution region), `test="ex1" points=2` (optional `part="late"`), `locked="setup"`.
"""

import re
import shutil
import tempfile
from pathlib import Path
from typing import Any

from nbgrader.converters import GenerateAssignment
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import capture_log
from traitlets.config import Config
from traitlets.config.loader import PyFileConfigLoader

from authoring.notebooks import read_percent, to_json
from autograder.lab.misconceptions import EXERCISE, Misconception, read_misconceptions
from base.errors import BuildError
from base.process import own_tools

CONFIG = "nbgrader_config.py"
SLUG = re.compile(r"[a-z][a-z0-9-]*")
NOT_COPIED = shutil.ignore_patterns("*.ipynb", "__pycache__", ".ipynb_checkpoints")


def lab_names(root: Path) -> list[str]:
    """Return the labs that have a folder in `solutions/`, sorted."""
    return sorted(path.name for path in root.glob("solutions/*") if path.is_dir() and any(path.glob("*.py")))


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


def source_notebook(lab: str, root: Path) -> Any:
    """Return the source notebook of a lab, headers expanded.

    Raises:
        BuildError: The text breaks the format; the message names the cell.
    """
    path = root / "solutions" / lab / f"{lab}.py"
    notebook = read_percent(path, root)
    where = path.relative_to(root).as_posix()
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


def grade_cells(notebook: Any) -> dict[str, Any]:
    """Return the cells that nbgrader knows, by `grade_id`."""
    known = [cell for cell in notebook.cells if "nbgrader" in cell.metadata]
    return {cell.metadata["nbgrader"]["grade_id"]: cell for cell in known}


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


def load_misconceptions(lab: str, root: Path) -> list[Misconception]:
    """Return the wrong answers of a lab, see `autograder.lab.misconceptions.read_misconceptions`."""
    cells = grade_cells(source_notebook(lab, root))
    return read_misconceptions(
        lab, root, {name: cell.metadata["nbgrader"].get("points", 0) for name, cell in cells.items()}
    )


def set_up_course(folder: Path, labs: list[str], root: Path) -> None:
    """Make `folder` a course directory of nbgrader with the sources of `labs` in it."""
    shutil.copy(root / CONFIG, folder / CONFIG)
    for lab in labs:
        shutil.copytree(root / "solutions" / lab, folder / "solutions" / lab, ignore=NOT_COPIED)
        text = to_json(source_notebook(lab, root))
        (folder / "solutions" / lab / f"{lab}.ipynb").write_text(text, encoding="utf-8", newline="\n")


def course_config(folder: Path) -> Config:
    """Return nbgrader's settings for the course in `folder`."""
    config: Config = PyFileConfigLoader(CONFIG, path=str(folder)).load_config()
    return config


def generate_assignment(folder: Path, lab: str, gradebook: bool = True) -> None:
    """Run nbgrader's generate_assignment for `lab` of the course in `folder`.

    Args:
        folder: A course directory, see `set_up_course`.
        lab: Name of the lab.
        gradebook: Enter the lab into the gradebook, which grading needs and making a release does not.

    Raises:
        BuildError: nbgrader refused, with what it said.
    """
    config = course_config(folder)
    config.CourseDirectory.assignment_id = lab
    if not gradebook:  # as `nbgrader generate_assignment --no-db`
        config.SaveCells.enabled = False
        config.GenerateAssignment.no_database = True
    converter = GenerateAssignment(coursedir=CourseDirectory(config=config), config=config)
    converter.log.propagate = False
    with own_tools():
        result = capture_log(converter)
    if not result["success"]:
        raise BuildError(f"nbgrader cannot make the release of {lab}:\n" + result.get("log", result["error"]))


def lab_files(labs: list[str], root: Path) -> dict[str, str]:
    """Return the text of the source notebook and of every released file of `labs`, by path."""
    files: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="course-build-") as name:
        folder = Path(name).resolve()
        set_up_course(folder, labs, root)
        for lab in labs:
            generate_assignment(folder, lab, gradebook=False)
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
