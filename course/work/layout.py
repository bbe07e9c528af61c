"""What of the course is given out to learners, and where its copy lies in `work/`."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from authoring.repository import ROOT
from course.paths import WORK, chapters, labs

KEPT, SOLUTIONS = "kept", "solutions"
NOT_GIVEN = {"__pycache__", "mlruns", "mlflow.db"}
"""What a run leaves beside a notebook; hidden files are not given out either."""
PAGES = ("GLOSSARY.md",)


@dataclass(frozen=True)
class Item:
    """A file that is given out.

    Attributes:
        source: Where it is in the course's folder, e.g. `chapters/01-intro/notebooks/01-start.ipynb`.
        copy: Where its copy is in `work/`, e.g. `01-intro/01-start.ipynb`.
        kind: `lesson` and `lab` are notebooks, `beside` lies beside one, `page` is read.
    """

    source: str
    copy: str
    kind: Literal["lesson", "lab", "beside", "page"]


def ground(root: Path = ROOT) -> Path:
    """Return the learner's folder."""
    return root / WORK


def _files(folder: Path) -> list[str]:
    """Return the files below a folder that are given out, as paths relative to it."""
    found = []
    for place, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".") and name not in NOT_GIVEN]
        found += [Path(place, name) for name in names if not name.startswith(".") and name not in NOT_GIVEN]
    return sorted(path.relative_to(folder).as_posix() for path in found)


def items(root: Path = ROOT) -> list[Item]:
    """Return everything that is given out: pages, lessons in course order, labs."""
    found = [Item(name, name, "page") for name in PAGES if (root / name).is_file()]
    for chapter in chapters(root):
        room = f"chapters/{chapter}"
        if (root / room / "README.md").is_file():
            found.append(Item(f"{room}/README.md", f"{chapter}/README.md", "page"))
        for name in _files(root / room / "cards"):
            found.append(Item(f"{room}/cards/{name}", f"{chapter}/cards/{name}", "page"))
        for name in _files(root / room / "pictures"):
            found.append(Item(f"{room}/pictures/{name}", f"{chapter}/pictures/{name}", "beside"))
        for name in _files(root / room / "notebooks"):
            kind: Literal["lesson", "beside"] = "lesson" if name.endswith(".ipynb") else "beside"
            found.append(Item(f"{room}/notebooks/{name}", f"{chapter}/{name}", kind))
    for lab in labs(root):
        for name in _files(root / "labs" / lab):
            path = f"labs/{lab}/{name}"
            found.append(Item(path, path, "lab" if name == f"{lab}.ipynb" else "beside"))
    return found


def copy_of(source: Path, root: Path = ROOT) -> Path:
    """Return the learner's copy of a lesson's or lab's notebook, or the notebook itself where there is none."""
    name = source.relative_to(root).parts
    copy = ground(root).joinpath(*(name if name[0] == "labs" else (name[1], *name[3:])))
    return copy if copy.is_file() else source
