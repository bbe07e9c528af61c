"""Lint, layout and types of everything in the repository, each shown failing on a planted defect."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from authoring.repository import ROOT

ROOMS = ("base", "kernels", "autograder", "authoring", "course")
SETTINGS = str(ROOT / "pyproject.toml")
TYPED = [
    path.relative_to(ROOT).as_posix()
    for pattern in (*ROOMS, "tests", "bootstrap.py", "chapters/*/reference")
    for path in sorted(ROOT.glob(pattern))
    if path.is_file() or any(path.rglob("*.py"))
]


def tool(*command: str, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    """Run a tool of the environment as a module."""
    return subprocess.run(
        [sys.executable, "-m", *command], cwd=cwd, capture_output=True, text=True, encoding="utf-8", check=False
    )


def notebook(source: str) -> str:
    """Return a notebook with one code cell."""
    cell: dict[str, object] = {
        "cell_type": "code",
        "id": "a",
        "metadata": {},
        "source": source,
        "outputs": [],
        "execution_count": None,
    }
    return json.dumps({"cells": [cell], "metadata": {}, "nbformat": 4, "nbformat_minor": 5})


def test_lint() -> None:
    """Code, lessons, labs and notebooks; what a lesson may do otherwise is said in pyproject.toml."""
    result = tool("ruff", "check", "--output-format", "concise", ".")
    assert result.returncode == 0, result.stdout + result.stderr


def test_layout() -> None:
    """Nobody argues about layout: `ruff format` decides."""
    result = tool("ruff", "format", "--check", ".")
    assert result.returncode == 0, result.stdout + result.stderr


def test_types() -> None:
    """The reference system, the command, the grader, the bootstrap and these tests under `mypy --strict`."""
    assert {*ROOMS, "bootstrap.py", "chapters/01-intro/reference"} <= set(TYPED)
    result = tool("mypy", *TYPED)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("name", "text", "rule"),
    [
        ("planted.py", '"""Doc."""\n\nimport os\n', "F401"),
        ("planted.py", '"""Doc."""\n\n\ndef f(value: int) -> int:\n    return value\n', "D103"),
        ("planted.py", '"""Doc."""\n\nvalues = eval("1")\n', "S307"),
        ("planted.ipynb", notebook("import os"), "F401"),
    ],
    ids=["unused import", "no docstring", "eval", "unused import in a notebook"],
)
def test_lint_finds_a_planted_fault(tmp_path: Path, name: str, text: str, rule: str) -> None:
    """An unused import, a function without a docstring, an eval; in a notebook too."""
    (tmp_path / name).write_text(text, encoding="utf-8")
    result = tool("ruff", "check", "--config", SETTINGS, "--output-format", "concise", name, cwd=tmp_path)
    assert result.returncode == 1
    assert f" {rule} " in result.stdout


@pytest.mark.parametrize(
    ("name", "text"),
    [("planted.py", "x = [1,2]\n"), ("planted.ipynb", notebook("x = [1,2]"))],
    ids=["module", "notebook"],
)
def test_layout_finds_a_planted_fault(tmp_path: Path, name: str, text: str) -> None:
    """A missing blank, in a module and in a notebook."""
    (tmp_path / name).write_text(text, encoding="utf-8")
    result = tool("ruff", "format", "--check", "--config", SETTINGS, name, cwd=tmp_path)
    assert result.returncode == 1
    assert "planted" in result.stdout


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ("def double(value):\n    return 2 * value\n", "no-untyped-def"),
        ("import numpy as np\n\nnumber: int = np.zeros(3).mean()\nname: str = 3\n", "assignment"),
        ("from oakbank.world import World\n\nWorld(seed='one', scenario='calm')\n", "arg-type"),
    ],
    ids=["no annotation", "wrong annotation", "wrong argument"],
)
def test_types_find_a_planted_fault(tmp_path: Path, code: str, rule: str) -> None:
    """No annotation, a wrong one, and a wrong argument to the reference system."""
    planted = tmp_path / "planted.py"
    planted.write_text(code, encoding="utf-8")
    result = tool("mypy", "--config-file", SETTINGS, "--cache-dir", str(ROOT / ".mypy_cache"), str(planted))
    assert result.returncode == 1, result.stderr
    assert f"[{rule}]" in result.stdout
