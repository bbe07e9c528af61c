"""Answers that got into what learners are given."""

import json
import re
from pathlib import Path
from typing import Any

from authoring.labs import source_notebook

MARKERS = ("BEGIN SOLUTION", "END SOLUTION", "BEGIN HIDDEN TESTS", "END HIDDEN TESTS", "BEGIN MARK SCHEME")
SHORTEST = 16
"""Characters without blanks from which on a line is taken for an answer; `return result` is nobody's secret."""

_REGION = re.compile(
    r"^[ \t]*### BEGIN (SOLUTION|HIDDEN TESTS)[^\n]*\n(.*?)^[ \t]*### END \1", re.DOTALL | re.MULTILINE
)


def _squeeze(text: str) -> str:
    return re.sub(r"\s+", "", text)


AUTHORS_OWN = {"alternatives", "misconceptions", "mutants.yml"}


def secrets(notebook: Any) -> list[str]:
    """Return the lines of a source notebook that no learner may see: of its solutions and of its hidden tests."""
    lines = [
        line.strip()
        for cell in notebook.cells
        for region in _REGION.finditer(cell.source)
        for line in region.group(2).splitlines()
    ]
    telling = [line for line in lines if len(_squeeze(line)) >= SHORTEST and not line.startswith(("import ", "from "))]
    return list(dict.fromkeys(telling))


def _strings(value: object) -> list[str]:
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        # The lines of a cell belong together: an answer may be spread over the pieces.
        together = ["".join(value)] if all(isinstance(one, str) for one in value) else []
        return together or [text for one in value for text in _strings(one)]
    if isinstance(value, dict):
        return [text for key, one in value.items() for text in (str(key), *_strings(one))]
    return []


def _readable(path: Path) -> str:
    text = path.read_bytes().decode("utf-8", errors="replace")
    if path.suffix == ".ipynb":
        try:
            return "\n".join(_strings(json.loads(text)))
        except json.JSONDecodeError:
            return text
    return text


def find_leaks(lab: str, root: Path) -> list[str]:
    """Return what learners of `lab` could read though they should not, one `file: what` each; empty when all is well.

    A leak is a telling line of a solution or of a hidden test (whole, or inside a longer line, whatever its
    blanks), a marker of such a region, or a file with known answers, anywhere under `labs/<lab>/`.
    """
    hidden = [(line, _squeeze(line)) for line in secrets(source_notebook(lab, root))]
    leaks = []
    for path in sorted((root / "labs" / lab).rglob("*")):
        if not path.is_file() or ".ipynb_checkpoints" in path.parts:
            continue
        name = path.relative_to(root).as_posix()
        text = _readable(path)
        squeezed = _squeeze(text)
        leaks += [f"{name}: the marker {marker!r}" for marker in MARKERS if marker in text]
        leaks += [f"{name}: a line of an answer or a hidden test: {line}" for line, key in hidden if key in squeezed]
        if AUTHORS_OWN.intersection(path.relative_to(root).parts):
            leaks.append(f"{name}: right or wrong answers of the lab's author")
    return leaks
