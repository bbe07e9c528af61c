"""Where things are in the course's repository, how a learner names them, and how files are written."""

import os
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMMAND = "python3 bootstrap.py"
"""How a learner starts any verb: it works in each shell after the first set-up, with nothing on PATH."""
WORK = "work"
"""A learner's own folder, see `course.work`."""


class CourseError(RuntimeError):
    """Something the user can put right; the message says what. The command prints it without a traceback."""


class BuildError(CourseError):
    """A source that no file can be generated from; the message names it and says what to change."""


def literal(path: Path | str) -> str:
    """Return a path for those who fill in what stands in braces (papermill, JupyterLab's proxy)."""
    return str(path).replace("{", "{{").replace("}", "}}")


def write_text(path: Path, text: str) -> None:
    """Write a text file in UTF-8 as `write_bytes` does."""
    write_bytes(path, text.encode())


def write_bytes(path: Path, content: bytes) -> None:
    """Write a file so that a reader sees the old file or the whole new one, also after a kill or a full disk.

    Raises `OSError` (the old file stays, no temporary file is left).
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.", suffix=".tmp")
    temporary = Path(name)
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.chmod(0o644)  # mkstemp makes files that only their owner can read
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def pick(wanted: str, names: list[str], kind: str) -> str:
    """Return the one of `names` that `wanted` means: the name itself, or the start of exactly one."""
    if wanted in names:
        return wanted
    fitting = [name for name in names if name.startswith(wanted)]
    if len(fitting) == 1:
        return fitting[0]
    if not names:
        raise CourseError(f"there are no {kind}s yet")
    if fitting and wanted:
        raise CourseError(f"{wanted!r} could be {', '.join(fitting)}: give a few letters more")
    raise CourseError(f"there is no {kind} {wanted!r}; there are: {', '.join(names)}")


def chapters(root: Path = ROOT) -> list[str]:
    """Return the chapters' folder names in order, e.g. `01-intro`."""
    return sorted(path.name for path in (root / "chapters").glob("[0-9][0-9]-*") if path.is_dir())


def lessons(root: Path = ROOT, wanted: str = "") -> list[Path]:
    """Return the lesson notebooks in course order.

    Args:
        root: The repository.
        wanted: Nothing for all of them, a chapter (`02`, `02-pipelines`), or one lesson of it (`02/07`).

    Raises:
        CourseError: No chapter or lesson, or more than one, fits `wanted`.
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
        CourseError: There is no such notebook or lab, or more than one lab fits.
    """
    if wanted.endswith(".ipynb") or "/" in wanted or os.sep in wanted:
        path = Path(wanted)
        path = path / f"{path.name}.ipynb" if path.is_dir() else path
        if not path.is_file():
            raise CourseError(f"there is no notebook {wanted}")
        return path.resolve()
    name = pick(wanted, labs(root), "lab")
    copy = root / WORK / "labs" / name / f"{name}.ipynb"
    return copy if copy.is_file() else root / "labs" / name / copy.name


def is_lab(path: Path, root: Path = ROOT) -> bool:
    """Whether a notebook is a lab of the course, in `work/` or as it is handed out."""
    lab = path.resolve().parent
    return lab.name == path.stem and lab.parent in ((root / WORK / "labs").resolve(), (root / "labs").resolve())


def registry_folder(root: Path = ROOT) -> Path:
    """Return the model registry that JupyterLab's MLflow page and scoring service show; a notebook may write to it."""
    return root / "var" / "registry"
