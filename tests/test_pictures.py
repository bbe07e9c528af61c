"""Pictures of pages in lessons: each belongs to a lesson that says of which version it is, and can be taken again."""

import re
from importlib.metadata import version
from pathlib import Path

import pytest
from PIL import Image

from authoring.repository import ROOT
from course.pictures import COMPARED, HEIGHT, WIDTH, take

PICTURES = sorted((ROOT / "chapters").glob("*/pictures/*.png"))


def says_its_version(picture: Path, lesson: str) -> bool:
    """Whether a lesson shows the picture, with product, version and day, and the version is the installed one."""
    line = rf"!\[(\w+) (\d+\.\d+) [^\]]*, \d+ \w+ \d{{4}}\]\(\.\./pictures/{re.escape(picture.name)}\)"
    found = re.search(line, lesson)
    return found is not None and version(found[1]).startswith(f"{found[2]}.")


@pytest.mark.parametrize("picture", PICTURES, ids=lambda path: path.stem)
def test_a_picture_is_of_the_version_that_a_learner_has(picture: Path) -> None:
    """Red: take it again by `python3 bootstrap.py exec python -m course.pictures`, and write version and day."""
    lessons = [path.read_text() for path in (picture.parents[1] / "lessons").glob("*.py")]
    assert any(says_its_version(picture, lesson) for lesson in lessons)


@pytest.mark.parametrize(
    "line",
    [
        "![MLflow 3.1 compares, 30 November 2026](../pictures/a.png)",
        "![MLflow compares](../pictures/a.png)",
        "![MLflow 3.17 compares](../pictures/a.png)",
        "![MLflow 3.17 compares, 30 November 2026](../pictures/b.png)",
    ],
)
def test_a_picture_of_another_version_or_without_one_is_found(line: str) -> None:
    assert not says_its_version(Path("a.png"), line)


@pytest.mark.weekly
@pytest.mark.long
def test_the_picture_can_be_taken_again(tmp_path: Path) -> None:
    """The lesson, its server and a browser: two minutes, so once a week."""
    take(tmp_path, tmp_path / "again.png")
    with Image.open(tmp_path / "again.png") as again, Image.open(COMPARED) as kept:
        assert again.size == kept.size == (WIDTH, HEIGHT)
        assert len(again.getcolors(100_000) or []) > 100  # a page with a plot, not an empty one
