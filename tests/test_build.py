"""Generated files: built the same twice, and every way to be wrong is found."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import nbformat
import pytest
import yaml
from packaging.requirements import Requirement

from authoring.build import build
from authoring.environment import BINDER, locked_pins
from authoring.readme import chapters_table
from authoring.repository import ROOT
from authoring.syllabus import load_syllabus
from base.errors import BuildError
from base.quiet import TELEMETRY_OFF
from tests.mini_course import (
    LAB,
    LAB_SOURCE,
    LAB_TEXT,
    LESSON,
    LESSON_TEXT,
    NOTEBOOK,
    RELEASE,
    SOURCE,
    make_course,
    write,
)


def cells(path: Path) -> list[Any]:
    return list(nbformat.read(path, as_version=4).cells)  # type: ignore[no-untyped-call]


def test_a_built_course_has_no_difference(built: Path) -> None:
    assert build(check=True, root=built) == []


def test_two_builds_are_byte_equal(built: Path, tmp_path: Path) -> None:
    again = make_course(tmp_path)
    written = build(root=again)
    assert {NOTEBOOK, SOURCE, RELEASE, f"labs/{LAB}/data.csv", "environment.yml"} <= set(written)
    for name in written:
        assert (again / name).read_bytes() == (built / name).read_bytes(), name


def test_a_second_build_writes_nothing(root: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in root.rglob("*") if path.is_file()}
    assert build(root=root) == []
    assert {path: path.stat().st_mtime_ns for path in root.rglob("*") if path.is_file()} == before


def test_a_lesson_becomes_a_notebook_without_outputs(built: Path) -> None:
    notebook = nbformat.read(built / NOTEBOOK, as_version=4)  # type: ignore[no-untyped-call]
    assert "do not edit" in notebook.metadata["oakbank"]["notice"]
    assert notebook.metadata["kernelspec"]["name"] == "python3"
    assert [cell.cell_type for cell in notebook.cells] == ["markdown", "markdown", "code", "code", "markdown"]
    assert all(cell.outputs == [] and cell.execution_count is None for cell in notebook.cells if "outputs" in cell)


def test_cell_ids_stay_when_another_cell_changes(root: Path) -> None:
    before = [cell.id for cell in cells(root / NOTEBOOK)]
    assert len(set(before)) == len(before), "the same cell twice needs two ids"
    write(root, LESSON, LESSON_TEXT.replace("One and one:", "One and one, again:"))
    build(root=root, only="01-first")
    after = [cell.id for cell in cells(root / NOTEBOOK)]
    assert [old == new for old, new in zip(before, after, strict=True)] == [True, False, True, True, True]


def test_nbgrader_cells_are_called_by_their_grade_id(built: Path) -> None:
    ids = [cell.id for cell in cells(built / RELEASE) if "nbgrader" in cell.metadata]
    assert ids == ["setup", "ex1", "ex1-test", "ex2", "ex2-test", "ex2-test-ties"]
    assert ids == [cell.id for cell in cells(built / SOURCE) if "nbgrader" in cell.metadata]


def test_the_release_holds_stubs_and_no_answers(built: Path) -> None:
    text = {cell.id: cell.source for cell in cells(built / RELEASE)}
    assert text["ex1"].endswith('circle."""\n    ...  # your code here')
    assert "28.27" in (built / SOURCE).read_text(encoding="utf-8")
    assert "28.27" not in text["ex1-test"]
    names = sorted(path.name for path in (built / "labs" / LAB).rglob("*"))
    assert names == [f"{LAB}.ipynb", "data.csv"], "no text with answers, no misconceptions"


@pytest.mark.parametrize("name", [SOURCE, "environment.yml", ".devcontainer/devcontainer.json",
                                  "chapters/01-intro/README.md", f"labs/{LAB}/data.csv"])  # fmt: skip
def test_a_file_edited_by_hand_is_found_and_put_right(root: Path, name: str) -> None:
    path = root / name
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace("1", "2", 1), encoding="utf-8")
    assert build(check=True, root=root) == [f"{name}: differs from what is generated"]
    assert build(root=root) == [name]
    assert path.read_text(encoding="utf-8") == text


def edit(path: Path, old: str, new: str) -> str:
    """Put `new` for `old` into the cells of a notebook, as JupyterLab saves it; returns its text."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    assert any(old in "".join(cell["source"]) for cell in notebook["cells"])
    for cell in notebook["cells"]:
        cell["source"] = "".join(cell["source"]).replace(old, new)
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return path.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        (RELEASE, "...  # your code here", "return 42  # my evening"),
        (RELEASE, "# ", "# My notes. "),
        (NOTEBOOK, "1", "2"),
    ],
)
def test_what_a_person_wrote_is_never_written_over(root: Path, name: str, old: str, new: str) -> None:
    """public/11-build-eats-the-answers: an evening's answers were gone after a build, exit code 0."""
    path = root / name
    generated = path.read_text(encoding="utf-8")
    mine = edit(path, old, new)
    (root / "environment.yml").unlink()
    with pytest.raises(BuildError, match=rf"{name}: it holds somebody's work .* --aside"):
        build(root=root)
    assert path.read_text(encoding="utf-8") == mine
    assert (root / "environment.yml").is_file(), "all else is written"
    for number in (1, 2):
        assert build(root=root, aside=True) == [name]
        assert path.read_text(encoding="utf-8") == generated
        kept = root / "var/kept" / Path(name).parent / f"{path.stem}-{number}.ipynb"
        assert kept.read_text(encoding="utf-8") == mine
        edit(path, old, new)


def test_a_notebook_that_only_ran_is_written_anew(root: Path) -> None:
    """Nobody's work is in outputs; and a release of an older text is no answer."""
    notebook = json.loads((root / RELEASE).read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell["execution_count"] = 3
    (root / RELEASE).write_text(json.dumps(notebook), encoding="utf-8")
    assert build(root=root) == [RELEASE]
    write(root, LAB_TEXT, LAB_SOURCE.replace("circle", "disc"))
    assert RELEASE in build(root=root)
    write(root, LAB_TEXT, LAB_SOURCE)
    assert RELEASE in build(root=root)


def test_a_stale_notebook_with_work_in_it_stays(root: Path) -> None:
    stale = root / "chapters/01-intro/notebooks/07-gone.ipynb"
    shutil.copy(root / NOTEBOOK, stale)
    mine = edit(stale, "1", "2")
    with pytest.raises(BuildError, match=r"07-gone.ipynb: nothing generates it, but it holds somebody's work"):
        build(root=root)
    assert stale.read_text(encoding="utf-8") == mine
    build(root=root, aside=True)
    assert not stale.exists()
    assert (root / "var/kept/chapters/01-intro/notebooks/07-gone-1.ipynb").read_text(encoding="utf-8") == mine


def test_a_changed_lesson_makes_its_notebook_differ(root: Path) -> None:
    write(root, LESSON, LESSON_TEXT.replace("1 + 1", "1 + 2", 1))
    assert build(check=True, root=root) == [f"{NOTEBOOK}: differs from what is generated"]


def test_check_writes_nothing(root: Path) -> None:
    (root / NOTEBOOK).unlink()
    (root / RELEASE).write_text("{}", encoding="utf-8")
    assert len(build(check=True, root=root)) == 2
    assert not (root / NOTEBOOK).exists()
    assert (root / RELEASE).read_text(encoding="utf-8") == "{}"


def test_a_stale_notebook_is_found_and_deleted(root: Path) -> None:
    stale = root / "chapters/01-intro/notebooks/07-gone.ipynb"
    shutil.copy(root / NOTEBOOK, stale)
    name = stale.relative_to(root).as_posix()
    assert build(check=True, root=root) == [f"{name}: stale, nothing generates it"]
    assert build(root=root) == [name]
    assert not stale.exists()


def test_a_stale_lab_is_found(root: Path) -> None:
    shutil.rmtree(root / "solutions" / LAB)
    found = build(check=True, root=root)
    assert f"{RELEASE}: stale, nothing generates it" in found
    assert f"{LAB_TEXT}: ready in the syllabus, but there is no such file" in found


def test_a_file_that_is_not_ours_is_never_deleted(root: Path) -> None:
    mine = write(root, f"labs/{LAB}/my-notes.txt", "mine")
    with pytest.raises(BuildError, match=r"my-notes\.txt: nothing generates it: move it out of here"):
        build(root=root)
    assert mine.read_text(encoding="utf-8") == "mine"


def test_what_a_run_leaves_behind_is_no_difference(root: Path) -> None:
    write(root, f"labs/{LAB}/.ipynb_checkpoints/x-checkpoint.ipynb", "{}")
    assert build(check=True, root=root) == []


@pytest.mark.parametrize(("header", "says"), [
    ('# %% answer="one"', "ex1, ex2"),
    ('# %% answer="ex1" points=2', "a cell header is"),
    ('# %% solution="ex1"', "a cell header is"),
    ('# %% answer="ex3"', "must be ex1, ex2"),
    ('# %% answer="ex2"', "named twice: ex2"),
])  # fmt: skip
def test_a_wrong_answer_header_is_refused(root: Path, header: str, says: str) -> None:
    write(root, LAB_TEXT, LAB_SOURCE.replace('# %% answer="ex1"', header))
    assert any(says in line and LAB_TEXT in line for line in build(check=True, root=root))


@pytest.mark.parametrize(("before", "after", "says"), [
    ("points=2", "", "needs points"),
    ("points=2", "points=0", "needs points"),
    ("points=2", 'points="nan"', "needs points"),
    ('test="ex2" points=3', 'test="ex3" points=3', "answer without test or test without answer"),
    ('part="ties" ', "", "named twice: ex2-test"),
    ('locked="setup"', 'locked="Set Up"', "small letters"),
    ("    ### BEGIN SOLUTION\n    return math", "    return math", "needs ### BEGIN SOLUTION"),
    ("    ### END SOLUTION\n\n# %% test=\"ex1\"", "\n# %% test=\"ex1\"", "no end solution"),
    ("import math", "### BEGIN SOLUTION\nimport math\n### END SOLUTION", "Solution region detected in a non-solution"),
    ("# # 01 Mini\n", "", "oops"),
])  # fmt: skip
def test_a_lab_that_breaks_the_format_is_refused(root: Path, before: str, after: str, says: str) -> None:
    assert before in LAB_SOURCE
    text = LAB_SOURCE.replace(before, after, 1)
    write(root, LAB_TEXT, "oops\n" if says == "oops" else text)
    found = build(check=True, root=root)
    expected = "has no cell" if says == "oops" else says
    assert any(expected in line for line in found), found


def test_one_broken_lab_does_not_stop_the_others(root: Path) -> None:
    write(root, "solutions/01-broken/01-broken.py", '# %% answer="x"\n')
    (root / RELEASE).unlink()
    with pytest.raises(BuildError, match=r"solutions/01-broken/01-broken.py: cell 1"):
        build(root=root)
    assert (root / RELEASE).is_file()


def test_a_lab_hands_out_text_only(root: Path) -> None:
    (root / f"solutions/{LAB}/data.bin").write_bytes(b"\xff\xfe\x00")
    assert any("data.bin is not text" in line for line in build(check=True, root=root))


def test_a_changed_pin_is_found(root: Path) -> None:
    lock = root / "uv.lock"
    lock.write_text(lock.read_text(encoding="utf-8").replace('version = "3.4"', 'version = "3.5"'), encoding="utf-8")
    assert build(check=True, root=root) == ["environment.yml: differs from what is generated"]


def test_pins_are_those_of_linux_and_the_course_alone(built: Path) -> None:
    data = yaml.safe_load((built / "environment.yml").read_text(encoding="utf-8"))
    assert data["dependencies"][-1] == {"pip": ["alpha==1.2", "beta==3.4", "gamma==5.6", "numbers==2.0"]}
    assert data["variables"] == TELEMETRY_OFF


def test_the_devcontainer_switches_telemetry_off(built: Path) -> None:
    data = json.loads((built / ".devcontainer/devcontainer.json").read_text(encoding="utf-8"))
    assert data["containerEnv"] == TELEMETRY_OFF


@pytest.mark.parametrize(("text", "says"), [
    ("[[[", "not TOML"),
    ("version = 1\n", "must hold the course itself"),
])  # fmt: skip
def test_a_broken_lock_is_refused(root: Path, text: str, says: str) -> None:
    write(root, "uv.lock", text)
    assert any(says in line for line in build(check=True, root=root))


@pytest.mark.skipif(shutil.which("uv") is None, reason="uv is not on PATH")
def test_the_real_pins_are_those_that_uv_exports() -> None:
    options = ["--frozen", "--no-dev", "--no-hashes", "--no-emit-project", "--no-header", "--no-annotate"]
    run = subprocess.run(["uv", "export", *options], cwd=ROOT, capture_output=True, text=True, check=True)
    wanted = [Requirement(line) for line in run.stdout.splitlines() if line.strip()]
    kept = {one.name: str(one.specifier) for one in wanted
            if one.marker is None or one.marker.evaluate({**BINDER, "extra": ""})}  # fmt: skip
    assert {name: f"=={version}" for name, version in locked_pins(ROOT / "uv.lock").items()} == kept
    assert len(kept) > 100


def test_readme_keeps_what_a_person_wrote(built: Path) -> None:
    text = (built / "README.md").read_text(encoding="utf-8")
    assert text.startswith("# Mini\n\n<!-- generated: chapters -->\n| chapter |")
    assert text.endswith("<!-- end generated -->\n\nBye.\n")
    assert chapters_table(load_syllabus(built)) in text
    assert "1 of 2 written" in text


@pytest.mark.parametrize("text", ["# Mini\n", "<!-- end generated -->\n<!-- generated: chapters -->\n"])
def test_a_readme_without_its_region_is_left_and_reported(root: Path, text: str) -> None:
    write(root, "README.md", text)
    found = build(check=True, root=root)
    assert len(found) == 1
    assert "README.md needs one line" in found[0]
    with pytest.raises(BuildError, match=r"README\.md needs one line"):
        build(root=root)
    assert (root / "README.md").read_text(encoding="utf-8") == text


def test_a_chapter_says_honestly_what_is_not_written(built: Path) -> None:
    lines = (built / "chapters/01-intro/README.md").read_text(encoding="utf-8").splitlines()
    assert "generated" in lines[0]
    assert next(line for line in lines if "Second" in line).endswith("| Python | not written yet |")
    assert next(line for line in lines if "First" in line).endswith("| Python | 2 min |")
    assert lines[-1] == "| a far system | 02 | not written yet |"


def test_the_repository_has_no_difference() -> None:
    assert build(check=True) == []
