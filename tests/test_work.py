"""A learner's own folder: what is given out, how new versions arrive, and that nothing a learner wrote is lost."""

import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import nbformat
import pytest
from filelock import FileLock

from authoring.build import build
from authoring.leaks import MARKERS
from authoring.repository import ROOT
from authoring.syllabus import load_syllabus
from autograder.lab.text import cell_id
from base.errors import UserError
from course.progress import LabScore, note_lab, note_lessons, steps
from course.work import manifest
from course.work.page import NAME as PAGE
from course.work.reset import reset, solution
from course.work.update import prepare
from tests.kills import Function, killed_at
from tests.mini_course import LAB, NOTEBOOK
from tests.small_tree import Cell, answer, code, graded, lab, lesson, markdown
from tests.test_links import broken_links

LESSON = "01-intro/01-first.ipynb"
LAB_COPY = "labs/01-lab/01-lab.ipynb"
STUB = "def f():\n    ...  # your code here"
needs_posix = pytest.mark.skipif(sys.platform == "win32", reason="forks and signals as on Unix")


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A course of two lessons and a lab."""
    root = tmp_path / "course"
    lesson(root, "01-intro/01-first", "one = 1", "one + 1")
    lesson(root, "01-intro/02-second", "'second'")
    lab_of(root, markdown("# Lab"), answer("ex1", STUB), graded("ex1-test", "assert f() == 1"))
    return root


def lab_of(root: Path, *cells: Cell) -> Path:
    path = lab(root, "01-lab", *cells)
    (path.parent / "data.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    return path


def cell(text: str) -> Cell:
    """Return a markdown cell as the build makes it."""
    made = markdown(text)
    return {"id": cell_id(nbformat.from_dict(made), Counter()), **made}  # type: ignore[no-untyped-call]


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def sources(path: Path) -> list[str]:
    return ["".join(cell["source"]) for cell in read(path)["cells"]]


def changed(path: Path, change: Callable[[list[Cell]], Any]) -> Path:
    """Change the cells of a notebook, as an editor does."""
    data = read(path)
    change(data["cells"])
    path.write_text(json.dumps(data), encoding="utf-8")
    return path


def run_all(path: Path) -> None:
    """Leave a notebook as it is when somebody has run all of it and saved."""

    def ran(cells: list[Cell]) -> None:
        for number, cell in enumerate(cell for cell in cells if cell["cell_type"] == "code"):
            output = {"output_type": "stream", "name": "stdout", "text": [f"output {number}"]}
            cell |= {"execution_count": number + 1, "outputs": [output]}

    changed(path, ran)


def everything(folder: Path) -> dict[str, bytes]:
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


# --- what is given out ---


@pytest.fixture(scope="module")
def given_out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The `work/` of this very course, from a download without git."""
    root = tmp_path_factory.mktemp("download")
    for pattern in (
        "chapters/*/notebooks/*.ipynb",
        "chapters/*/lessons/*.py",
        "chapters/*/README.md",
        "chapters/*/cards/*.md",
        "chapters/*/pictures/*.png",
        "chapters/*/tours/*.py",
        "labs/*/*",
    ):
        for path in ROOT.glob(pattern):
            (root / path.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, root / path.relative_to(ROOT))
    for name in ("GLOSSARY.md", "course/syllabus.yml"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    assert prepare(root) == []
    return root / "work"


def test_a_learner_sees_lessons_labs_and_a_page_to_begin_at(given_out: Path) -> None:
    chapters = sorted(path.name for path in (ROOT / "chapters").glob("*-*"))
    shown = sorted(path.name for path in given_out.iterdir() if not path.name.startswith("."))
    assert shown == sorted([*chapters, "labs", "GLOSSARY.md", PAGE])
    assert {path.suffix for path in given_out.rglob("*") if path.is_file() and path.name[0] != "."} == {
        ".md",
        ".ipynb",
        ".png",
    }
    assert len(list(given_out.glob("*/*.ipynb"))) == len(list(ROOT.glob("chapters/*/notebooks/*.ipynb")))
    for path in given_out.rglob("*.ipynb"):
        assert not [mark for mark in MARKERS if mark in path.read_text(encoding="utf-8")], path
        assert "oakbank" not in read(path)["metadata"], "it is no generated file any more"
        assert read(path)["metadata"]["kernelspec"]["name"] == "python3"


def test_every_link_of_every_copy_leads_to_another_copy(given_out: Path) -> None:
    names = [path.relative_to(given_out) for path in given_out.rglob("*") if path.suffix in (".md", ".ipynb")]
    assert broken_links(given_out, names) == []
    glossary = (given_out / "GLOSSARY.md").read_text(encoding="utf-8")
    assert "](02-pipelines/09-a-fastapi-service.ipynb)" in glossary
    kubeflow = "\n".join(sources(given_out / "02-pipelines" / "08-kubeflow-pipelines.ipynb"))
    assert "[tours](README.md#tours)" in kubeflow
    readme = (given_out / "01-intro" / "README.md").read_text(encoding="utf-8")
    assert "lakefs.py (`chapters/01-intro/tours/lakefs.py`)" in readme, "what has no copy is named by its place"
    assert "](../labs/01-reproducible-training/01-reproducible-training.ipynb)" in readme


def test_the_code_of_a_copy_is_that_of_the_original(given_out: Path) -> None:
    for original in ROOT.glob("chapters/*/notebooks/*.ipynb"):
        copy = given_out / original.parent.parent.name / original.name
        for before, after in zip(read(original)["cells"], read(copy)["cells"], strict=True):
            assert before["id"] == after["id"]
            if before["cell_type"] == "code":
                assert before == after
    for original in ROOT.glob("labs/*/*.ipynb"):
        assert read(original)["cells"] == read(given_out / original.relative_to(ROOT))["cells"]


def test_a_picture_beside_a_lesson_comes_along(tree: Path) -> None:
    path = lesson(tree, "01-intro/01-first", "one = 1")
    (path.parent / "pictures").mkdir()
    (path.parent / "pictures" / "a b.png").write_bytes(b"\x89PNG")
    changed(path, lambda cells: cells.append(cell("![a](pictures/a%20b.png) [b](../../../labs/01-lab/01-lab.ipynb)")))
    prepare(tree)
    assert (tree / "work" / "01-intro" / "pictures" / "a b.png").read_bytes() == b"\x89PNG"
    assert sources(tree / "work" / LESSON)[-1] == "![a](pictures/a%20b.png) [b](../labs/01-lab/01-lab.ipynb)"


def test_a_second_start_writes_nothing(tree: Path) -> None:
    prepare(tree)
    before = {path: path.stat().st_mtime_ns for path in (tree / "work").rglob("*") if path.suffix != ".lock"}
    assert prepare(tree) == []
    assert {path: path.stat().st_mtime_ns for path in (tree / "work").rglob("*") if path.suffix != ".lock"} == before


def test_a_copy_that_was_deleted_comes_back(tree: Path) -> None:
    prepare(tree)
    (tree / "work" / LESSON).unlink()
    prepare(tree)
    assert sources(tree / "work" / LESSON) == ["# 01-first", "one = 1", "one + 1"]


# --- new versions ---


def test_a_copy_that_nobody_changed_becomes_the_new_version_in_silence(tree: Path) -> None:
    prepare(tree)
    lesson(tree, "01-intro/01-first", "one = 1", "one + 2")
    (tree / "labs" / "01-lab" / "data.csv").write_text("a,b\n3,4\n", encoding="utf-8")
    assert prepare(tree) == []
    assert sources(tree / "work" / LESSON) == ["# 01-first", "one = 1", "one + 2"]
    assert (tree / "work" / "labs" / "01-lab" / "data.csv").read_text(encoding="utf-8") == "a,b\n3,4\n"
    assert not (tree / "work" / "kept").exists()


def test_to_run_a_lesson_is_not_to_change_it(tree: Path) -> None:
    """Outputs of cells that are as they were stay, and JupyterLab's empty last cell is no work."""
    prepare(tree)
    run_all(tree / "work" / LESSON)
    changed(tree / "work" / LESSON, lambda cells: cells.append({**code(""), "id": "e1"}))
    assert steps(tree)[0].note == "all cells run"
    lesson(tree, "01-intro/01-first", "one = 1", "one + 2")
    assert prepare(tree) == []
    assert sources(tree / "work" / LESSON) == ["# 01-first", "one = 1", "one + 2"]
    cells = read(tree / "work" / LESSON)["cells"]
    assert [cell["execution_count"] for cell in cells[1:]] == [1, None]
    assert [bool(cell["outputs"]) for cell in cells[1:]] == [True, False]
    assert steps(tree)[0].note == "1 of 2 cells run"


def test_of_a_lesson_that_was_changed_the_new_version_lies_beside(tree: Path) -> None:
    prepare(tree)
    mine, beside = tree / "work" / LESSON, tree / "work" / "01-intro" / "01-first-new.ipynb"
    changed(mine, lambda cells: cells[1].update(source="one = 11  # mine"))
    lesson(tree, "01-intro/01-first", "one = 1", "one + 2")
    said = "work/01-intro/01-first.ipynb is yours and stays; its new version lies beside it: "
    assert prepare(tree) == [f"{said}work/01-intro/01-first-new.ipynb."]
    assert sources(mine)[1:] == ["one = 11  # mine", "one + 1"]
    assert sources(beside)[1:] == ["one = 1", "one + 2"]
    assert "01-first-new.ipynb](01-intro/01-first-new.ipynb)" in (tree / "work" / PAGE).read_text(encoding="utf-8")
    assert prepare(tree) == [], "said once"

    lesson(tree, "01-intro/01-first", "one = 1", "one + 3")
    assert prepare(tree) == [f"{said}work/01-intro/01-first-new.ipynb."], "in the place of one that nobody changed"
    assert sources(beside)[1:] == ["one = 1", "one + 3"]
    changed(beside, lambda cells: cells[1].update(source="mine, too"))
    lesson(tree, "01-intro/01-first", "one = 1", "one + 4")
    assert prepare(tree) == [f"{said}work/01-intro/01-first-new-2.ipynb."]
    assert sources(beside)[1] == "mine, too"

    second = tree / "work" / "01-intro" / "01-first-new-2.ipynb"
    second.unlink()
    assert prepare(tree) == []
    assert not second.exists(), "who deletes it does not want it"


def test_who_takes_the_new_version_over_is_asked_no_more(tree: Path) -> None:
    prepare(tree)
    mine, beside = tree / "work" / LESSON, tree / "work" / "01-intro" / "01-first-new.ipynb"
    changed(mine, lambda cells: cells[1].update(source="mine"))
    lesson(tree, "01-intro/01-first", "one = 1", "one + 2")
    prepare(tree)
    shutil.copy(beside, mine)
    lesson(tree, "01-intro/01-first", "one = 1", "one + 3")
    lesson(tree, "01-intro/01-first", "one = 1", "one + 2")
    reset(tree, "01/01")
    assert not beside.exists()
    assert prepare(tree) == []


ANSWERED = "def f():\n    return helper()"


def answer_lab(tree: Path) -> Path:
    """Answer the lab with a cell of one's own, which the answer needs."""
    path = tree / "work" / LAB_COPY

    def write(cells: list[Cell]) -> None:
        cells[1]["source"] = ANSWERED
        cells.insert(1, {**code("def helper():\n    return 1"), "id": "mine-1"})
        cells.append({**markdown("My notes."), "id": "mine-2"})

    return changed(path, write)


NEW_LAB = (
    markdown("# Lab, better said"),
    answer("ex1", "def f():\n    '''Return one.'''\n    ...  # your code here"),
    markdown("A hint that is new."),
    graded("ex1-test", "assert f() == 1, 'f() is 1'", 2),
)


def test_the_answers_of_a_lab_go_on_in_its_new_version(tree: Path) -> None:
    prepare(tree)
    mine = answer_lab(tree)
    before = mine.read_bytes()
    lab_of(tree, *NEW_LAB)
    said = "is the new version of the lab, with your answers in it; the file as it was is"
    assert prepare(tree) == [f"work/{LAB_COPY} {said} work/kept/labs/01-lab/01-lab-1.ipynb."]
    assert sources(mine) == [
        "# Lab, better said",
        "def helper():\n    return 1",
        ANSWERED,
        "A hint that is new.",
        "assert f() == 1, 'f() is 1'",
        "My notes.",
    ]
    assert read(mine)["cells"][4]["metadata"]["nbgrader"]["points"] == 2
    assert (tree / "work" / "kept" / LAB_COPY).with_name("01-lab-1.ipynb").read_bytes() == before
    assert prepare(tree) == []


def test_an_answer_that_nobody_gave_gets_the_new_stub(tree: Path) -> None:
    prepare(tree)
    changed(tree / "work" / LAB_COPY, lambda cells: cells.append({**markdown("My notes."), "id": "mine"}))
    lab_of(tree, *NEW_LAB)
    prepare(tree)
    assert sources(tree / "work" / LAB_COPY)[1] == NEW_LAB[1]["source"]
    assert sources(tree / "work" / LAB_COPY)[-1] == "My notes."


def test_a_lab_with_other_exercises_lies_beside(tree: Path) -> None:
    prepare(tree)
    mine = answer_lab(tree)
    before = mine.read_bytes()
    lab_of(tree, *NEW_LAB, answer("ex2", STUB), graded("ex2-test", "assert f() == 2"))
    (said,) = prepare(tree)
    assert said.endswith("its new version lies beside it: work/labs/01-lab/01-lab-new.ipynb.")
    assert mine.read_bytes() == before


@pytest.mark.parametrize("name", [LESSON, LAB_COPY])
@pytest.mark.parametrize("damage", [b"", b"{", b'{"cells": 3}', b'{\n<<<<<<< HEAD\n "cells": []}', b"\xff"])
def test_a_file_that_cannot_be_read_stays(tree: Path, name: str, damage: bytes) -> None:
    prepare(tree)
    mine = tree / "work" / name
    mine.write_bytes(damage)
    assert prepare(tree) == []
    lesson(tree, "01-intro/01-first", "one = 1", "one + 2")
    lab_of(tree, *NEW_LAB)
    assert [said for said in prepare(tree) if f"work/{name} is yours and stays" in said]
    assert mine.read_bytes() == damage


def test_what_the_course_no_longer_has_goes_unless_somebody_worked_in_it(tree: Path) -> None:
    prepare(tree)
    changed(tree / "work" / "01-intro" / "02-second.ipynb", lambda cells: cells[1].update(source="mine"))
    for name in ("01-first", "02-second"):
        (tree / "chapters" / "01-intro" / "notebooks" / f"{name}.ipynb").unlink()
    prepare(tree)
    assert not (tree / "work" / LESSON).exists()
    assert sources(tree / "work" / "01-intro" / "02-second.ipynb")[1] == "mine"


@pytest.mark.parametrize("damage", [b"", b"{", b"\xff", b'{"files": 3}', b'{"format": 1, "later": true}'])
def test_without_a_manifest_nothing_is_written_over(
    tree: Path, damage: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    prepare(tree)
    mine = answer_lab(tree)
    changed(tree / "work" / LESSON, lambda cells: cells[1].update(source="mine"))
    (tree / "work" / manifest.NAME).write_bytes(damage)
    lesson(tree, "01-intro/02-second", "'another'")
    before = everything(tree / "work")
    prepare(tree)
    assert "it is kept beside as .origin.damaged-1.json" in capsys.readouterr().err
    after = everything(tree / "work")
    assert ANSWERED in sources(mine)
    assert {name for name in before if after.get(name) != before[name]} <= {manifest.NAME, LAB_COPY, PAGE}
    assert after[".origin.damaged-1.json"] == damage
    assert prepare(tree) == []


# --- killed, and twice at once ---


def a_term(tree: Path) -> None:
    """Everything that a new version can meet: untouched, run, changed, answered, deleted."""
    prepare(tree)
    run_all(tree / "work" / "01-intro" / "02-second.ipynb")
    changed(tree / "work" / LESSON, lambda cells: cells[1].update(source="mine"))
    answer_lab(tree)
    lesson(tree, "01-intro/01-first", "one = 1", "one + 2")
    lesson(tree, "01-intro/02-second", "'second'", "'more'")
    lesson(tree, "01-intro/03-third", "'third'")
    lab_of(tree, *NEW_LAB)


def changes_of_the_disk(counted: Callable[[Function], Function]) -> None:
    """Have every change of the disk count."""
    os.replace, os.rename, os.unlink = counted(os.replace), counted(os.rename), counted(os.unlink)


@needs_posix
@pytest.mark.parametrize("verb", ["prepare", "reset"])
def test_killed_at_any_step_nothing_is_lost_and_the_next_start_ends_it(tree: Path, tmp_path: Path, verb: str) -> None:
    a_term(tree)
    before, action = everything(tree / "work"), {"prepare": prepare, "reset": reset}[verb]
    whole = Path(shutil.copytree(tree, tmp_path / "whole"))
    action(whole)
    wanted = everything(whole / "work")
    step = 0
    while killed_at(
        step, partial(action, copy := Path(shutil.copytree(tree, tmp_path / f"{step}"))), changes_of_the_disk
    ):
        found = everything(copy / "work")
        for name in (LESSON, LAB_COPY):
            assert before[name] in found.values(), "in its place, or kept"
        action(copy)
        left = {name: text for name, text in everything(copy / "work").items() if not name.endswith(".tmp")}
        assert left == wanted
        step += 1
    assert everything(copy / "work") == wanted
    assert step >= 6


def test_two_starts_at_once_end_as_one_does(tree: Path, tmp_path: Path) -> None:
    a_term(tree)
    whole = Path(shutil.copytree(tree, tmp_path / "whole"))
    prepare(whole)
    code = "import sys; from pathlib import Path; from course.work.update import prepare; prepare(Path(sys.argv[1]))"
    racers = [subprocess.Popen([sys.executable, "-c", code, str(tree)], cwd=ROOT) for _ in range(4)]
    assert [racer.wait() for racer in racers] == [0] * 4
    assert everything(tree / "work") == everything(whole / "work")


def test_a_folder_that_somebody_else_works_in_is_waited_for(tree: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    prepare(tree)
    monkeypatch.setattr("course.work.update.PATIENCE", 0.1)
    with FileLock(tree / "work" / ".origin.lock"), pytest.raises(UserError, match="another command is at work"):
        prepare(tree)


# --- what was written into the tracked notebooks ---


def write_answer(path: Path, text: str = "def area(radius):\n    return 42  # my evening") -> None:
    def write(cells: list[Cell]) -> None:
        for one in cells:
            if one["metadata"].get("nbgrader", {}).get("grade_id") == "ex1":
                one["source"] = text

    changed(path, write)


def test_work_in_the_tracked_tree_goes_on_in_work(root: Path) -> None:
    """An older clone: a lab was answered where it lies, a lesson was run there."""
    tracked, copy = root / f"labs/{LAB}/{LAB}.ipynb", root / f"work/labs/{LAB}/{LAB}.ipynb"
    pristine = tracked.read_bytes()
    write_answer(tracked)
    run_all(root / NOTEBOOK)
    before = {path: path.read_bytes() for path in (tracked, root / NOTEBOOK)}
    said, advice = prepare(root)
    assert said == f"What you wrote into labs/{LAB}/{LAB}.ipynb goes on in work/, which has a copy of it."
    assert "build --aside" in advice
    assert "my evening" in copy.read_text(encoding="utf-8")
    assert steps(root)[0].state == "done", "what was run counts"
    assert {path: path.read_bytes() for path in before} == before, "nothing there is touched"
    assert prepare(root) == []
    write_answer(copy, "def area(radius):\n    return 43  # the next evening")
    tracked.write_bytes(pristine)  # what `build --aside` does
    assert prepare(root) == []
    assert "the next evening" in copy.read_text(encoding="utf-8")
    assert not (root / "work" / "kept").exists()


def test_a_lesson_that_was_changed_there_is_taken_over_too(root: Path) -> None:
    pristine = (root / NOTEBOOK).read_bytes()
    changed(root / NOTEBOOK, lambda cells: cells[3].update(source="total = 11  # mine"))
    assert len(prepare(root)) == 2
    copy = root / "work" / "01-intro" / "01-first.ipynb"
    assert "total = 11  # mine" in sources(copy)
    (root / NOTEBOOK).write_bytes(pristine)
    assert prepare(root) == [], "it is the version that it was begun from"
    assert "total = 11  # mine" in sources(copy)
    assert not list(copy.parent.glob("*-new*"))


def test_a_new_version_after_that_meets_the_answers(root: Path) -> None:
    tracked, copy = root / f"labs/{LAB}/{LAB}.ipynb", root / f"work/labs/{LAB}/{LAB}.ipynb"
    pristine = tracked.read_bytes()
    write_answer(tracked)
    prepare(root)
    tracked.write_bytes(pristine)
    changed(tracked, lambda cells: cells.insert(1, cell("A hint that is new.")))
    (said,) = prepare(root)
    assert "with your answers in it" in said
    text = copy.read_text(encoding="utf-8")
    assert "my evening" in text
    assert "A hint that is new." in text


def test_work_that_was_moved_aside_for_a_pull_goes_on_too(root: Path) -> None:
    """`build --aside`, `git pull`, `start`: an older clone whose pull was refused."""
    tracked, copy = root / f"labs/{LAB}/{LAB}.ipynb", root / f"work/labs/{LAB}/{LAB}.ipynb"
    for evening in ("first", "second"):
        write_answer(tracked, f"def area(radius):\n    return 42  # the {evening} evening")
        build(root=root, aside=True)
    changed(tracked, lambda cells: cells.insert(1, cell("A hint that is new.")))
    said = prepare(root)
    assert f"What you wrote into var/kept/labs/{LAB}/{LAB}-2.ipynb goes on in work/" in said[0]
    text = copy.read_text(encoding="utf-8")
    assert "the second evening" in text
    assert "A hint that is new." in text
    copy.unlink()
    prepare(root)
    assert "the second evening" not in copy.read_text(encoding="utf-8"), "once"


def test_work_in_both_places_is_left_and_said_once(root: Path) -> None:
    tracked, copy = root / f"labs/{LAB}/{LAB}.ipynb", root / f"work/labs/{LAB}/{LAB}.ipynb"
    prepare(root)
    write_answer(copy, "def area(radius):\n    return 1  # in work")
    write_answer(tracked, "def area(radius):\n    return 2  # in labs")
    before = tracked.read_bytes(), copy.read_bytes()
    (said,) = prepare(root)
    assert said.startswith(f"labs/{LAB}/{LAB}.ipynb holds work, too, and other than work/labs/{LAB}/{LAB}.ipynb")
    assert prepare(root) == []
    assert (tracked.read_bytes(), copy.read_bytes()) == before
    with pytest.raises(UserError, match=f"build --aside --only labs/{LAB}/{LAB}.ipynb"):
        reset(root, LAB)


def test_work_there_replaces_a_copy_that_nobody_changed(root: Path) -> None:
    tracked, copy = root / f"labs/{LAB}/{LAB}.ipynb", root / f"work/labs/{LAB}/{LAB}.ipynb"
    prepare(root)
    write_answer(tracked)
    assert "goes on in work/" in prepare(root)[0]
    assert "my evening" in copy.read_text(encoding="utf-8")


# --- reset, solution ---


@pytest.mark.parametrize("name", ["01/01", "01-intro/01-first", "01-first", "work/" + LESSON, LESSON])
def test_a_lesson_comes_back_and_the_old_one_is_kept(tree: Path, name: str) -> None:
    prepare(tree)
    mine = tree / "work" / LESSON
    for number in (1, 2):
        changed(mine, lambda cells, number=number: cells[1].update(source=f"mine {number}"))  # type: ignore[misc]
        kept = f"work/kept/01-intro/01-first-{number}.ipynb"
        assert reset(tree, name) == [f"work/{LESSON} is as it came; yours is kept as {kept}."]
        assert sources(tree / kept)[1] == f"mine {number}"
        assert sources(mine)[1] == "one = 1"
    assert reset(tree, name) == [f"work/{LESSON} is as it came already."]


def test_a_lab_comes_back_with_what_lies_beside(tree: Path) -> None:
    prepare(tree)
    answer_lab(tree)
    data = tree / "work" / "labs" / "01-lab" / "data.csv"
    data.write_text("mine", encoding="utf-8")
    (data.parent / "notes.txt").write_text("my notes", encoding="utf-8")
    assert len(reset(tree, "01-lab")) == 2
    assert sources(tree / "work" / LAB_COPY)[1] == STUB
    assert data.read_text(encoding="utf-8") == "a,b\n1,2\n"
    kept = tree / "work" / "kept" / "labs" / "01-lab"
    assert (kept / "data-1.csv").read_text(encoding="utf-8") == "mine"
    assert ANSWERED in sources(kept / "01-lab-1.ipynb")
    assert (data.parent / "notes.txt").read_text(encoding="utf-8") == "my notes"


def test_reset_takes_the_new_version_that_lies_beside(tree: Path) -> None:
    prepare(tree)
    changed(tree / "work" / LESSON, lambda cells: cells[1].update(source="mine"))
    lesson(tree, "01-intro/01-first", "one = 1", "one + 2")
    prepare(tree)
    reset(tree, "01-first")
    assert sources(tree / "work" / LESSON)[2] == "one + 2"
    assert not (tree / "work" / "01-intro" / "01-first-new.ipynb").exists()


def test_all_are_reset_if_asked_for(tree: Path) -> None:
    a_term(tree)
    assert len(reset(tree)) >= 3
    assert sources(tree / "work" / LESSON)[1:] == ["one = 1", "one + 2"]
    assert sources(tree / "work" / LAB_COPY)[1] == NEW_LAB[1]["source"]
    assert reset(tree) == ["Everything is as it came already."]


@pytest.mark.parametrize(
    ("wanted", "said"),
    [("01", "'01' could be 01-first, 01-lab"), ("07-none", "there is no lesson or lab"), ("01/0", "could be")],
)
def test_a_name_that_is_not_clear_resets_nothing(tree: Path, wanted: str, said: str) -> None:
    a_term(tree)
    before = everything(tree / "work")
    with pytest.raises(UserError, match=said):
        reset(tree, wanted)
    assert everything(tree / "work") == before


def test_a_solution_is_shown_when_asked_for(root: Path) -> None:
    prepare(root)
    assert not (root / "work" / "solutions").exists()
    path = solution("01", root)
    assert path == root / "work" / "solutions" / f"{LAB}.ipynb"
    assert "math.pi * radius**2" in path.read_text(encoding="utf-8")
    changed(path, lambda cells: cells[0].update(source="my remarks"))
    solution(LAB, root)
    assert sources(root / "work" / "kept" / "solutions" / f"{LAB}-1.ipynb")[0] == "my remarks"
    shutil.rmtree(root / "solutions")
    with pytest.raises(UserError, match="is not in this folder"):
        solution(LAB, root)


# --- the page to begin at ---


def test_the_page_says_what_is_next(tree: Path) -> None:
    prepare(tree)
    page = tree / "work" / PAGE
    assert f"## Next: [Lesson 01/01, 01-first]({LESSON})" in page.read_text(encoding="utf-8")
    run_all(tree / "work" / LESSON)
    note_lessons(tree, {"01-intro/02-second": True})
    prepare(tree)
    text = page.read_text(encoding="utf-8")
    assert f"## Next: [Lab, 01-lab]({LAB_COPY})" in text
    assert "| 01-intro | 2 of 2 | 0 of 1 |" in text
    note_lab(tree, "01-lab", LabScore(passed=1, exercises=1, points=2, score=2))
    prepare(tree)
    assert "## You have done it all" in page.read_text(encoding="utf-8")


def test_notes_on_the_page_are_kept(tree: Path) -> None:
    prepare(tree)
    page = tree / "work" / PAGE
    page.write_text(page.read_text(encoding="utf-8") + "\nMy notes.\n", encoding="utf-8")
    prepare(tree)
    assert "My notes." not in page.read_text(encoding="utf-8")
    assert "My notes." in (tree / "work" / "kept" / "START-HERE-1.md").read_text(encoding="utf-8")


def test_the_page_of_this_course_is_short(given_out: Path) -> None:
    text = (given_out / PAGE).read_text(encoding="utf-8")
    assert "## Next: [Lesson 01/01, ML in production](01-intro/01-ml-in-production.ipynb)" in text
    assert f"({load_syllabus().chapters[0].lessons[0].minutes} minutes to read)" in text
    assert len(text.splitlines()) < 40
    assert broken_links(given_out, [Path(PAGE)]) == []
