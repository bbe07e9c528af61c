"""The mini course: built once for a session, copied for each test that spoils it."""

import shutil
from pathlib import Path

import pytest

from authoring.build import build
from tests.mini_course import make_course


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The mini course, built: read it, or copy it to plant a fault."""
    root = make_course(tmp_path_factory.mktemp("built"))
    build(root=root)
    return root


@pytest.fixture
def root(built: Path, tmp_path: Path) -> Path:
    """A copy of the built mini course that a test may spoil."""
    return Path(shutil.copytree(built, tmp_path / "course-copy"))
