"""The answer key of a lab: nbgrader's source notebook beside what its release shows of it.

An assignment of several notebooks has a key for each of them, named after the notebook: `notebooks` lists them.
nbgrader is imported where it is needed: reading a key that came as JSON does without it.
"""

import base64
import copy
import fnmatch
import os
import stat
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from autograder.lab.cells import answered, written
from autograder.lab.settings import folder_of, own_ways, settings_of, source_folder
from autograder.model import ANSWER, LOCKED, MANUAL, TEST, TEXT, Cell, Key
from base.errors import UserError

if TYPE_CHECKING:
    from nbgrader.coursedir import CourseDirectory
    from traitlets.config import Config


def _kind(cell: Any) -> str:
    """Return the kind of one of the instructor's cells; plain code is `LOCKED`, since it runs as the instructor's."""
    marks = cell.metadata.get("nbgrader", {})
    if marks.get("task") or (marks.get("grade") and marks.get("solution")):
        return MANUAL
    if marks.get("solution"):
        return ANSWER
    if marks.get("grade"):
        return TEST
    return LOCKED if marks.get("locked") or cell.cell_type == "code" else TEXT


def _upgraded(notebook: Any, name: str) -> Any:
    """Return a copy with nbgrader's metadata in its newest schema, valid."""
    from nbgrader.nbgraderformat import MetadataValidator, SchemaTooNewError, SchemaTooOldError, ValidationError

    notebook = copy.deepcopy(notebook)
    validator = MetadataValidator()
    try:
        validator.upgrade_notebook_metadata(notebook)
        validator.validate_nb(notebook)
    except (ValidationError, SchemaTooNewError, SchemaTooOldError, ValueError, KeyError) as error:
        said = str(error).splitlines()[0]
        raise UserError(f"{name}: nbgrader's metadata is broken: {said}. Repair it in JupyterLab.") from None
    return notebook


def _released(notebook: Any, config: "Config", name: str) -> Any:
    """Return a copy as it is handed out: without solutions, hidden tests and marking schemes."""
    from nbgrader.preprocessors import ClearHiddenTests, ClearMarkScheme, ClearSolutions

    notebook = copy.deepcopy(notebook)
    try:
        for clear in (ClearSolutions, ClearHiddenTests, ClearMarkScheme):
            notebook, _ = clear(config=config).preprocess(notebook, {})
    except (RuntimeError, ValueError) as error:
        raise UserError(f"{name}: nbgrader cannot make the release: {' '.join(str(error).split())}") from None
    return notebook


def key_from_source(
    notebook: Any, *, lab: str, stub: str | None = None, config: "Config | None" = None, files: Any = None
) -> Key:
    """Make a key from nbgrader's source notebook alone.

    Args:
        notebook: The source, as nbformat reads it (version 4), any schema of nbgrader's metadata.
        lab: Name of the lab.
        stub: What replaces a solution; the setting in `config` if None.
        config: nbgrader's settings; its own defaults if None.
        files: What is handed out beside the notebook, by relative path.

    Returns:
        The key. Tests, and tasks that a human marks, have their released text in `visible`. `stubs` holds all cells
        that a student fills in; a task is not among them: its text is the instructor's, work on it stands below it.

    Raises:
        UserError: nbgrader cannot make a release of the notebook; the message says why.
    """
    from traitlets.config import Config

    config = copy.deepcopy(config) if config is not None else Config()
    if stub is not None:
        language = notebook.metadata.get("kernelspec", {}).get("language", "python")
        config.ClearSolutions.code_stub = {language: stub}
    source = _upgraded(notebook, lab)
    release = _released(source, config, lab)
    cells, stubs = [], {}
    for full, shown in zip(source.cells, release.cells, strict=True):
        marks, kind = full.metadata.get("nbgrader", {}), _kind(full)
        name = marks.get("grade_id", "") if any(marks.get(k) for k in ("grade", "solution", "locked", "task")) else ""
        fixed = kind == TEST or (kind == MANUAL and not marks.get("solution"))
        points = float(marks.get("points", 0)) if kind in (TEST, MANUAL) else 0.0
        cells.append(Cell(kind, full.cell_type, full.source, name, points, shown.source if fixed else ""))
        if kind in (ANSWER, MANUAL) and not fixed:
            stubs[name] = shown.source
    return Key(lab, tuple(cells), stubs, dict(sorted((files or {}).items())))


def _read(path: Path, name: str) -> Any:
    import nbformat

    try:
        return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    except FileNotFoundError:
        raise UserError(f"{name} is missing") from None
    except (ValueError, nbformat.ValidationError) as error:
        raise UserError(f"{name} is no notebook: {str(error).splitlines()[0]}") from None


def notebooks(lab: str, root: Path) -> list[str]:
    """Return the names of the notebooks of a lab; each has a key of its own.

    Raises:
        UserError: There is no such lab.
    """
    return _notebooks(settings_of(root), lab)


def _notebooks(course: "CourseDirectory", lab: str) -> list[str]:
    return sorted(path.stem for path in source_folder(course, lab).glob("*.ipynb"))


def _files(course: "CourseDirectory", folder: Path) -> dict[str, bytes]:
    """Return the regular files of a release beside its notebooks; links are not followed."""

    def ignored(name: str) -> bool:
        return any(fnmatch.fnmatch(name, pattern) for pattern in course.ignore)

    files = {}
    for place, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not ignored(name))
        for path in (Path(place) / name for name in sorted(names) if not ignored(name)):
            if path.suffix != ".ipynb" and stat.S_ISREG(path.lstat().st_mode):
                files[path.relative_to(folder).as_posix()] = path.read_bytes()
    return files


def _shape(cells: list[Any]) -> list[tuple[Any, ...]]:
    """Return what of a release counts, cell by cell: two releases with the same shape grade the same."""
    rows = []
    for cell in cells:
        marks = cell.metadata.get("nbgrader", {})
        flags = tuple(bool(marks.get(flag)) for flag in ("grade", "solution", "locked", "task"))
        rows.append((cell.cell_type, cell.source, marks.get("grade_id", ""), marks.get("points", 0), *flags))
    return rows


def _as_released(found: Any, made: Any) -> list[Any]:
    """Return the cells of a release without a learner's work: answers, their own cells, cells that they changed."""
    named = {cell.metadata.get("nbgrader", {}).get("grade_id"): cell for cell in made.cells}
    plain = {cell.get("id"): cell for cell in made.cells if "nbgrader" not in cell.metadata}
    texts = {(cell.cell_type, cell.source) for cell in made.cells if "nbgrader" not in cell.metadata}
    cells = []
    for cell in found.cells:
        if answered(cell):
            cells.append(named.get(cell.metadata.nbgrader.grade_id, cell))
        elif "id" not in cell or not written(cell) or (cell.cell_type, cell.source) in texts:
            cells.append(cell)  # nbgrader gives the cells of a header an id that is no hash, another each time
        elif cell.id in plain:
            cells.append(plain[cell.id])
    return cells


def _require_same(made: Any, found: Any, name: str, again: str) -> None:
    """Raise UserError where the release on disk, but for a learner's work in it, is not the one of the source."""
    old, new = _shape(_as_released(found, made)), _shape(made.cells)
    if old == new:
        return
    number = next((n for n, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new)))
    cell = (old + [("", "", "")] * len(new))[number]
    raise UserError(
        f"{name} is not the release of its source: "
        f"cell {number + 1}{f' ({cell[2]})' if cell[2] else ''} differs. {again}"
    )


def load_key(lab: str, root: Path, notebook: str | None = None, worked: bool = False) -> Key:
    """Return the key of a lab: from its source, compared with its release. Folders are those of nbgrader's settings.

    Args:
        lab: Name of the assignment.
        root: The course's folder, with `nbgrader_config.py` if there are settings.
        notebook: Which notebook, where the assignment has several; the key's `lab` is then its name.
        worked: The release may be one that a learner has worked in: it is not compared.

    Raises:
        UserError: No such lab or notebook, not released, or the release is out of date; the message says what to do.
    """
    from nbgrader.preprocessors import IncludeHeaderFooter

    course = settings_of(root)
    ways, names = own_ways(course), _notebooks(course, lab)
    if not names:
        raise UserError(f"the text of {lab} has not been made a notebook yet. {ways.first_release(lab)}")
    chosen = notebook or (lab if lab in names else names[0] if len(names) == 1 else "")
    if chosen not in names:
        problem = f"has no notebook {chosen!r}" if chosen else "has several notebooks, each with its own key"
        raise UserError(f"{lab} {problem}: name one of {', '.join(names)}")

    def place(step: str) -> tuple[Path, str]:
        path = folder_of(course, step, lab) / f"{chosen}.ipynb"
        return path, os.path.relpath(path, course.root).replace(os.sep, "/")

    source = _read(*place(course.source_directory))
    if any("AUTOTEST" in cell.source for cell in source.cells if cell.cell_type == "code"):
        path, name = place(course.source_with_tests_directory)
        if not path.is_file():
            raise UserError(
                f"{name} is missing: `nbgrader generate_assignment {lab} --source_with_tests --force` "
                "(that writes the release anew: copy it elsewhere first if somebody has worked in it)"
            )
        source = _read(path, name)
    source, _ = IncludeHeaderFooter(config=course.config).preprocess(source, {})
    path, name = place(course.release_directory)
    if not path.is_file():
        raise UserError(f"{lab} is not released: {name} is missing. {ways.first_release(lab)}")
    made = _released(_upgraded(source, chosen), course.config, chosen)
    if not worked:
        _require_same(made, _upgraded(_read(path, name), name), name, ways.new_release(lab))
    key = key_from_source(source, lab=chosen, config=course.config, files=_files(course, path.parent))
    return replace(key, version=ways.version)


def key_to_json(key: Key) -> dict[str, Any]:
    """Return plain data that `key_from_json` reads; files as base64."""
    files = {name: base64.b64encode(content).decode("ascii") for name, content in key.files.items()}
    cells = [asdict(cell) for cell in key.cells]
    return {"lab": key.lab, "cells": cells, "stubs": key.stubs, "files": files, "version": key.version}


def key_from_json(data: dict[str, Any]) -> Key:
    """Read what `key_to_json` gave, also after a way through JSON."""
    files = {name: base64.b64decode(content) for name, content in data["files"].items()}
    return Key(data["lab"], tuple(Cell(**cell) for cell in data["cells"]), dict(data["stubs"]), files, data["version"])
