"""Where things are in the course's repository, and how a learner names them."""

import os
from pathlib import Path

from authoring.repository import ROOT
from base.errors import UserError
from base.text import pick

WORK = "work"
"""A learner's own folder, see `course.work`."""
RUNS = "COURSE_RUNS"
"""Variable that leads a notebook in the course's JupyterLab to `runs_folder`."""


def literal(path: Path | str) -> str:
    """Return a path for those who fill in what stands in braces (papermill, JupyterLab's proxy)."""
    return str(path).replace("{", "{{").replace("}", "}}")


def chapters(root: Path = ROOT) -> list[str]:
    """Return the chapters' folder names in order, e.g. `01-intro`."""
    return sorted(path.name for path in (root / "chapters").glob("[0-9][0-9]-*") if path.is_dir())


def lessons(root: Path = ROOT, wanted: str = "") -> list[Path]:
    """Return the lesson notebooks in course order.

    Args:
        root: The repository.
        wanted: Nothing for all of them, a chapter (`02`, `02-pipelines`), or one lesson of it (`02/07`).

    Raises:
        UserError: No chapter or lesson, or more than one, fits `wanted`.
    """
    chapter_wanted, _, lesson_wanted = wanted.strip("/").partition("/")
    names = [pick(chapter_wanted, chapters(root), "chapter")] if chapter_wanted else chapters(root)
    found = [path for name in names for path in sorted((root / "chapters" / name / "notebooks").glob("*.ipynb"))]
    if not lesson_wanted:
        return found
    stem = pick(lesson_wanted, [path.stem for path in found], "lesson")
    return [path for path in found if path.stem == stem]


def labs(root: Path = ROOT) -> list[str]:
    """Return the names of the labs that learners get, e.g. `02-training-pipeline`."""
    return sorted(path.name for path in (root / "labs").glob("*") if (path / f"{path.name}.ipynb").is_file())


def lab_notebook(wanted: str, root: Path = ROOT) -> Path:
    """Return the notebook that a learner means: a path to one, the name of a lab, or the start of exactly one name.

    A name means the learner's copy in `work/`, where there is one.

    Raises:
        UserError: There is no such notebook or lab, or more than one lab fits.
    """
    if wanted.endswith(".ipynb") or "/" in wanted or os.sep in wanted:
        path = Path(wanted)
        path = path / f"{path.name}.ipynb" if path.is_dir() else path
        if not path.is_file():
            raise UserError(f"there is no notebook {wanted}")
        return path.resolve()
    name = pick(wanted, labs(root), "lab")
    copy = root / WORK / "labs" / name / f"{name}.ipynb"
    return copy if copy.is_file() else root / "labs" / name / copy.name


def is_lab(path: Path, root: Path = ROOT) -> bool:
    """Whether a notebook is a lab of the course, in `work/` or as it is handed out."""
    lab = path.resolve().parent
    return lab.name == path.stem and lab.parent in ((root / WORK / "labs").resolve(), (root / "labs").resolve())


def registry_folder(root: Path = ROOT) -> Path:
    """Return the model registry whose champion JupyterLab's scoring service serves."""
    return root / "var" / "registry"


def runs_folder(root: Path = ROOT) -> Path:
    """Return the MLflow store of the learner: `mlflow.db` and `artifacts/`, shown by JupyterLab's MLflow page."""
    return root / WORK / "mlflow"
