"""A term of work in a clone: git sees nothing of it, a pull brings what is new, and the new arrives in `work/`."""

import json
import os
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient
from typer.testing import CliRunner, Result

from authoring.repository import ROOT
from autograder.lab.text import cell_id
from base.process import ONE_THREAD
from course import cli
from course.progress import load, steps
from tests.repository import files

LESSON = "01-intro/01-ml-in-production"
LAB = "01-reproducible-training"
TRACKED = f"chapters/{LESSON.replace('/', '/notebooks/')}.ipynb", f"labs/{LAB}/{LAB}.ipynb"


def git(folder: Path, *words: str) -> str:
    own = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}
    name = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org", "-c", "init.defaultBranch=main"]
    done = subprocess.run(
        ["git", *name, *words], cwd=folder, env={**os.environ, **own}, capture_output=True, text=True, check=True
    )
    return done.stdout


def course(root: Path, *words: str) -> Result:
    return CliRunner().invoke(cli.app, ["--root", str(root), *words])


def new_version(root: Path, name: str, text: str) -> None:
    """Publish another text of a notebook's first cell, named as the build names it."""
    path = root / name
    notebook = json.loads(path.read_text(encoding="utf-8"))
    first: Any = notebook["cells"][0]
    first["source"] = text
    del first["id"]

    first["id"] = cell_id(nbformat.from_dict(first), Counter())  # type: ignore[no-untyped-call]
    path.write_text(json.dumps(notebook), encoding="utf-8")


@pytest.fixture
def clones(tmp_path: Path) -> tuple[Path, Path]:
    """The course as it is published, and a learner's clone of it."""
    published, clone = tmp_path / "published", tmp_path / "clone"
    for name in files():
        if name.parts[0] in ("chapters", "labs", "solutions", "course") or len(name.parts) == 1:
            (published / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(ROOT / name, published / name)
    git(published, "init", "-q")
    git(published, "add", "-A")
    git(published, "commit", "-qm", "the course")
    git(tmp_path, "clone", "-q", str(published), str(clone))
    return published, clone


def test_a_term_of_work_leaves_the_clone_clean_and_pulls_arrive(clones: tuple[Path, Path]) -> None:
    published, clone = clones
    work = clone / "work"
    assert course(clone, "progress").exit_code == 0
    assert git(clone, "status", "--porcelain") == ""

    lesson = work / f"{LESSON}.ipynb"
    notebook = nbformat.read(lesson, as_version=4)  # type: ignore[no-untyped-call]
    os.environ.update(ONE_THREAD)
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(lesson.parent)}}).execute()
    nbformat.write(notebook, lesson)  # type: ignore[no-untyped-call]
    (lesson.parent / "mlruns").mkdir()
    (lesson.parent / "mlruns" / "meta.yaml").write_text("a: run\n", encoding="utf-8")
    (lesson.parent / "model.pkl").write_bytes(b"model")
    (work / "my-own.ipynb").write_text("{}", encoding="utf-8")

    lab = work / "labs" / LAB / f"{LAB}.ipynb"
    solved = {
        cell.metadata.get("nbgrader", {}).get("grade_id"): cell.source
        for cell in nbformat.read(ROOT / "solutions" / LAB / f"{LAB}.ipynb", as_version=4).cells  # type: ignore[no-untyped-call]
    }
    notebook = nbformat.read(lab, as_version=4)  # type: ignore[no-untyped-call]
    for cell in notebook.cells:
        if cell.metadata.get("nbgrader", {}).get("grade_id") == "ex1":
            cell.source = "# my answer\n" + solved["ex1"]
    nbformat.write(notebook, lab)  # type: ignore[no-untyped-call]
    assert course(clone, "check", LAB).exit_code == 1, "the other exercises are open"
    assert steps(clone)[0].note == "all cells run"
    assert load(clone).labs[LAB].passed == 1
    assert course(clone, "reset", "01/02").exit_code == 0
    assert course(clone, "solution", LAB).exit_code == 0
    assert git(clone, "status", "--porcelain") == ""

    for name, text in zip(TRACKED, ("# A lesson that is new", "# A lab that is new"), strict=True):
        new_version(published, name, text)
    git(published, "commit", "-qam", "new versions")
    git(clone, "pull", "-q")
    done = course(clone, "check", LAB)
    assert "with your answers in it" in done.stderr
    assert "# A lesson that is new" in lesson.read_text(encoding="utf-8")
    assert '"image/png"' in lesson.read_text(encoding="utf-8"), "what it showed is there still"
    text = lab.read_text(encoding="utf-8")
    assert "# A lab that is new" in text
    assert "# my answer" in text
    assert load(clone).labs[LAB].passed == 1
    assert (work / "my-own.ipynb").read_text(encoding="utf-8") == "{}"
    assert git(clone, "status", "--porcelain") == ""


def test_the_test_would_see_work_in_the_tracked_tree(clones: tuple[Path, Path]) -> None:
    _, clone = clones
    (clone / TRACKED[1]).write_text("{}", encoding="utf-8")
    (clone / "labs" / LAB / "model.pkl").write_bytes(b"model")
    assert len(git(clone, "status", "--porcelain").splitlines()) == 2
