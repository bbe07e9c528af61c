"""CI runs what the README says, and its workflows are valid."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from authoring.repository import ROOT

RUN, TEST = "python3 bootstrap.py run", "python3 bootstrap.py test"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
DEFECTS = {
    "no machine to run on": ("runs-on: ubuntu-latest", "runs-at: ubuntu-latest"),
    "a step that does two things": ("- run: .ci/run", "- run: .ci/run\n        uses: actions/checkout@v6"),
    "an unknown permission": ("contents: read", "contents: reed"),
}


def commands(text: str) -> list[str]:
    """Return the lines of the fenced listings of a page, without the remarks behind them."""
    return [line.partition("#")[0].strip() for listing in text.split("```")[1::2] for line in listing.splitlines()[1:]]


def schema_check(path: Path) -> subprocess.CompletedProcess[str]:
    """Hold a workflow against GitHub's schema."""
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.github-workflows", str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def test_ci_runs_the_command_of_the_readme() -> None:
    """`.ci/run` ends with the README's command, as a newcomer starts it: its last line is pytest's summary."""
    readme = commands((ROOT / "README.md").read_text(encoding="utf-8"))
    assert {RUN, TEST} <= set(readme)
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert script.splitlines()[-1] == f".ci/newcomer {TEST}"
    assert os.access(ROOT / ".ci" / "run", os.X_OK) or sys.platform == "win32"


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_a_workflow_is_valid(path: Path) -> None:
    """By GitHub's schema; and it may read the repository, no more."""
    result = schema_check(path)
    assert result.returncode == 0, result.stdout
    assert "permissions:\n  contents: read\n" in path.read_text(encoding="utf-8")


@pytest.mark.parametrize("defect", DEFECTS)
def test_a_fault_in_a_workflow_is_found(tmp_path: Path, defect: str) -> None:
    """The schema sees each planted one."""
    old, new = DEFECTS[defect]
    text = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "planted.yml").write_text(text.replace(old, new, 1), encoding="utf-8")
    assert schema_check(tmp_path / "planted.yml").returncode == 1


def test_ci_runs_on_every_python_of_the_range() -> None:
    """Each version that pyproject.toml admits has its job, and the script of the fresh clone is what runs there."""
    text = (ROOT / ".github" / "workflows" / "ci.yml").read_text(encoding="utf-8")
    assert 'python: ["3.11", "3.12", "3.13"]' in text
    assert "- run: .ci/run\n" in text
    assert 'requires-python = ">=3.11,<3.14"' in (ROOT / "pyproject.toml").read_text(encoding="utf-8")
