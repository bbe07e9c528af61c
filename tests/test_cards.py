"""The cards of the tools: a page each, of which every command ran. Also shown: commands that did not."""

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from authoring.notebooks import percent_notebook
from authoring.recording import MAGIC, recorded_sources
from authoring.repository import ROOT
from course.lesson import own_git

CARDS = sorted(ROOT.glob("chapters/*/cards/*.md"))
RECORDED = {
    "docker": "07-containers-with-docker",
    "github-actions": "05-ci-cd-for-ml",
    "gitlab-ci": "05-ci-cd-for-ml",
    "kubectl": "08-orchestration-with-kubernetes",
}
"""Cards of systems that not every machine has, and the lessons in whose recordings their commands stand."""
SCHEMAS = {"github-actions": "vendor.github-workflows", "gitlab-ci": "vendor.gitlab-ci"}
"""Cards of files that a server reads, and the schema that each of their listings must pass."""
IN_PART = {"prometheus": "09-monitoring-and-logging"}
"""Cards of which the Python runs everywhere, and the commands stand in the recording of a lesson."""
PAGE = 80  # lines
YAML = re.compile(r"^```yaml\n(.*?)^```$", re.DOTALL | re.MULTILINE)
BLOCK = re.compile(r"^```(bash|python)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
DRIVER = r"""
import pathlib, re, subprocess, sys
sys.path.insert(0, ".")
names = {"__name__": "__main__"}
for language, code in __import__("json").load(sys.stdin):
    file = re.match(r"# ([\w-]+\.py)\n", code)
    if language == "bash":
        subprocess.run(["bash", "-emuo", "pipefail", "-c", code], check=True, stdin=subprocess.DEVNULL)
    elif file:
        pathlib.Path(file[1]).write_text(code)
    else:
        exec(code, names)
"""


def blocks(text: str) -> list[tuple[str, str]]:
    """Return the code of a card: language and text."""
    return BLOCK.findall(text)


def run_card(text: str, folder: Path) -> None:
    """Run the blocks of a card in order: a shell each, one Python for all; one that starts `# NAME.py` is a file."""
    work = folder / "work"
    work.mkdir()
    env = own_git(folder, "2026-01-31T12:00:00Z") | {"HOME": str(folder)}
    done = subprocess.run(
        [sys.executable, "-c", DRIVER],
        input=json.dumps(blocks(text)),
        cwd=work,
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def commands(text: str) -> list[str]:
    """Return the commands of a card or a recorded cell, a line each, without remarks."""
    lines = re.sub(r"\\\n\s*", "", text).splitlines()
    told = [re.sub(r"(^|\s+)# .*$", "", line).removeprefix("!").strip() for line in lines]
    return [command for command in told if command]


def not_recorded(text: str, sources: list[str]) -> list[str]:
    """Return those commands of a card that stand in no recorded cell."""
    typed = {command for source in sources for command in commands(source.removeprefix(MAGIC))}
    return [command for _, code in blocks(text) for command in commands(code) if command not in typed]


def of_lesson(lesson: str) -> list[str]:
    (path,) = ROOT.glob(f"chapters/*/lessons/{lesson}.py")
    return recorded_sources(percent_notebook(path, ROOT))


@pytest.mark.parametrize("card", [card for card in CARDS if card.stem not in RECORDED], ids=lambda card: card.stem)
def test_a_card_runs(card: Path, tmp_path: Path) -> None:
    text = card.read_text(encoding="utf-8")
    if lesson := IN_PART.get(card.stem):
        shell = "".join(f"{match[0]}\n" for match in BLOCK.finditer(text) if match[1] == "bash")
        assert blocks(shell)
        assert not_recorded(shell, of_lesson(lesson)) == []
        text = "".join(f"{match[0]}\n" for match in BLOCK.finditer(text) if match[1] == "python")
        assert blocks(text)
    run_card(text, tmp_path)


@pytest.mark.parametrize("card", RECORDED)
def test_the_commands_of_a_card_are_recorded(card: str) -> None:
    (path,) = ROOT.glob(f"chapters/*/cards/{card}.md")
    text = path.read_text(encoding="utf-8")
    assert len(blocks(text)) >= (1 if card in SCHEMAS else 3)
    assert not_recorded(text, of_lesson(RECORDED[card])) == []


def fits(listing: str, schema: str, folder: Path) -> bool:
    """Hold a listing against a server's schema."""
    file = folder / "listing.yml"
    file.write_text(listing, encoding="utf-8")
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(file)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


@pytest.mark.parametrize("card", SCHEMAS)
def test_the_listings_of_a_card_pass_their_schema(card: str, tmp_path: Path) -> None:
    (path,) = ROOT.glob(f"chapters/*/cards/{card}.md")
    listings = YAML.findall(path.read_text(encoding="utf-8"))
    assert listings
    for listing in listings:
        assert fits(listing, SCHEMAS[card], tmp_path), listing
        assert not fits(listing.replace("  timeout", "  time-out"), SCHEMAS[card], tmp_path) or "timeout" not in listing


def test_a_command_that_never_ran_is_found(tmp_path: Path) -> None:
    card = "```bash\ndocker ps --filter name=oakbank # as recorded\ndocker ps --size\n```\n"
    assert not_recorded(card, of_lesson(RECORDED["docker"])) == ["docker ps --size"]
    with pytest.raises(AssertionError, match="no such name"):
        run_card('```python\nlog = 1\n```\n\n```python\nassert log == 2, "no such name"\n```\n', tmp_path)


@pytest.mark.parametrize("card", CARDS, ids=lambda card: card.stem)
def test_a_card_is_a_page_that_its_lesson_links(card: Path) -> None:
    text = card.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= PAGE
    assert [line for _, code in blocks(text) for line in code.splitlines() if len(line) > 88] == []
    (lesson,) = re.findall(r"\(\.\./notebooks/([\w-]+)\.ipynb\)", text)
    prose = (card.parents[1] / "lessons" / f"{lesson}.py").read_text(encoding="utf-8").partition("# ## Go further")[2]
    assert f"](../cards/{card.name})" in prose
    assert f"](cards/{card.name})" in (card.parents[1] / "README.md").read_text(encoding="utf-8")
