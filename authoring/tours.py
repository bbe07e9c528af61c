"""What the tours of a chapter told when they were last run, and whether that is still of their scripts."""

import ast
import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

from authoring.repository import ROOT
from authoring.syllabus import Chapter
from base.errors import UserError

RESULTS = "results.json"
SOLVE = "solve"
"""The function of a tour that does the task with the system: what a reader would write."""


@dataclass(frozen=True)
class Result:
    """What one run of a tour told."""

    system: str
    ran: bool
    """False: the system was not to be had, and the tour did what it could."""
    lines: int
    """Lines of code, without blank lines, comments and docstrings, of the tour's function `solve`."""
    took: str
    """The seconds of the task with the system, as times those of something plain in the same run."""
    stores: str
    asks: str
    script: str
    """sha256 of the script that ran."""


def script_hash(script: Path) -> str:
    """Return the sha256 of a script without what its docstring says, whatever its line ends."""
    text = script.read_text(encoding="utf-8")
    said = ast.get_docstring(ast.parse(text), clean=False) or ""
    return hashlib.sha256(text.replace(said, "", 1).encode()).hexdigest()


def lines_of(text: str, name: str = SOLVE) -> int:
    """Return how many lines of code a function has.

    Raises:
        UserError: There is no such function.
    """
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            node.body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            return len(ast.unparse(node).splitlines())
    raise UserError(f"no function `{name}` at the top of the script: it holds what the system is used for")


def load_results(chapter: Chapter, root: Path = ROOT) -> dict[str, Result]:
    """Return the kept results of a chapter by system; none where nothing was measured."""
    path = root / "chapters" / chapter.id / "tours" / RESULTS
    if not path.is_file():
        return {}
    return {one["system"]: Result(**one) for one in json.loads(path.read_text(encoding="utf-8"))}


def stale(chapter: Chapter, root: Path = ROOT) -> list[str]:
    """Return the systems of a measured chapter whose script is not the one that was measured."""
    kept = load_results(chapter, root)
    scripts = {system: root / chapter.tour(system) for system in chapter.tours}
    there = {system: script_hash(script) for system, script in scripts.items() if script.is_file()}
    wrong = [system for system, script in there.items() if system not in kept or kept[system].script != script]
    return (wrong + [system for system in kept if system not in there]) if kept else []
