"""Finding lessons and labs by what a learner types, and writing files whole."""

import os
from pathlib import Path

import pytest

from authoring.repository import ROOT
from base.errors import UserError
from base.files import write_text
from course.paths import chapters, lab_notebook, labs, lessons
from tests.small_tree import lab, lesson


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name in ("02-pipes/01-first", "01-intro/02-second", "01-intro/01-first", "02-pipes/10-tenth"):
        lesson(tmp_path, name, "1")
    for name in ("01-train", "02-train", "02-serve"):
        lab(tmp_path, name)
    (tmp_path / "chapters" / "notes").mkdir()
    (tmp_path / "labs" / "empty").mkdir()
    return tmp_path


def names(found: list[Path]) -> list[str]:
    return [f"{path.parent.parent.name}/{path.stem}" for path in found]


def test_lessons_come_in_course_order(root: Path) -> None:
    assert chapters(root) == ["01-intro", "02-pipes"]
    assert names(lessons(root)) == [
        "01-intro/01-first",
        "01-intro/02-second",
        "02-pipes/01-first",
        "02-pipes/10-tenth",
    ]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ("02", ["02-pipes/01-first", "02-pipes/10-tenth"]),
        ("02-pipes", ["02-pipes/01-first", "02-pipes/10-tenth"]),
        ("02-pipes/", ["02-pipes/01-first", "02-pipes/10-tenth"]),
        ("01/02", ["01-intro/02-second"]),
        ("02-pipes/10-tenth", ["02-pipes/10-tenth"]),
    ],
)
def test_a_chapter_or_lesson_is_named_by_its_start(root: Path, wanted: str, found: list[str]) -> None:
    assert names(lessons(root, wanted)) == found


@pytest.mark.parametrize(
    ("wanted", "said"),
    [
        ("07", "no chapter '07'; there are: 01-intro, 02-pipes"),
        ("0", "'0' could be 01-intro, 02-pipes"),
        ("01/9", "no lesson '9'; there are: 01-first, 02-second"),
    ],
)
def test_a_name_that_fits_nothing_says_what_there_is(root: Path, wanted: str, said: str) -> None:
    with pytest.raises(UserError, match=said):
        lessons(root, wanted)


def test_labs_are_the_folders_that_hold_their_notebook(root: Path) -> None:
    assert labs(root) == ["01-train", "02-serve", "02-train"]


def test_a_lab_is_named_by_its_start_or_path(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = root / "labs" / "02-serve" / "02-serve.ipynb"
    assert lab_notebook("02-serve", root) == path
    assert lab_notebook("02-s", root) == path
    assert lab_notebook(str(path), root) == path
    assert lab_notebook(str(path.parent), root) == path
    monkeypatch.chdir(root / "labs")
    assert lab_notebook("02-serve/02-serve.ipynb", root) == path
    assert lab_notebook("02-serve/", root) == path


@pytest.mark.parametrize("wanted", ["02", "03", "", "nowhere/x.ipynb", "x.ipynb"])
def test_a_lab_that_is_not_there_or_not_clear_is_an_error(root: Path, wanted: str) -> None:
    with pytest.raises(UserError, match=r"could be 02-serve, 02-train|there is no"):
        lab_notebook(wanted, root)


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "new" / "file.txt"
    write_text(path, "old\n")
    assert path.read_bytes() == b"old\n"

    def full(_: int) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="no space"):
        write_text(path, "new\n")
    assert [found.name for found in path.parent.iterdir()] == ["file.txt"]
    assert path.read_bytes() == b"old\n"


def test_the_root_is_this_repository() -> None:
    assert (ROOT / "pyproject.toml").is_file()
