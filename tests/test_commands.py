"""What a text or a message tells somebody to type begins as a newcomer can type it, and names a verb that is there."""

import re
from pathlib import Path
from typing import Any

import pytest
import typer

from authoring.repository import COMMAND, ROOT
from course import cli
from tests.repository import files, text_of

OTHER_SPELLINGS = re.compile(
    r"uv run course|uv run --script chapters|uv run (?:jupyter|dask|pytest|python)\b|uv sync`"
    r"|\b(?:[Rr]un|[Tt]ype|[Uu]se|with) `course [a-z]+"
)
"""Ways to start the course that need something on PATH; a newcomer has none of them."""
TYPED = re.compile(rf"{re.escape(COMMAND)} ([a-z]+)")
ABOUT_THEM = {Path("tests/test_commands.py"), Path("autograder/tests/test_guide.py")}  # their planted faults


def texts() -> list[Path]:
    """Return the files that people read or that hold messages; not those that are generated from them."""
    kinds = {".md", ".py", ".yml", ".html"}
    return [path for path in files() if path.suffix in kinds and path not in ABOUT_THEM and path.parts[0] != "labs"]


def faults(text: str) -> list[str]:
    """Return what in a text cannot be typed as it stands."""
    verbs: Any = typer.main.get_command(cli.app)
    found = [match[0] for match in OTHER_SPELLINGS.finditer(text)]
    return found + [match[0] for match in TYPED.finditer(text) if match[1] not in verbs.commands]


def test_every_command_is_spelled_as_a_newcomer_can_type_it() -> None:
    wrong = {path: found for path in texts() if (found := faults(text_of(ROOT / path)))}
    assert wrong == {}
    assert sum(COMMAND in text_of(ROOT / path) for path in texts()) > 20


@pytest.mark.parametrize(
    "line",
    [
        "uv run course check 01-lab",
        "Run `course build`.",
        f"{COMMAND} chek 01-lab",
        "uv run --script chapters/01-intro/tours/lakefs.py",
    ],
)
def test_a_command_that_needs_more_is_found(line: str) -> None:
    assert len(faults(f"Then: {line}\n")) == 1
    assert faults(f"Then: {COMMAND} check 01-lab\n") == []
