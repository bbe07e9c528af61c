"""What every lesson keeps to, with no excuse: its headings, its rhythm, and code that is shown, not pasted."""

import re
from pathlib import Path
from statistics import median
from typing import Any

from authoring.lesson.text import FENCE
from authoring.notebooks import percent_notebook
from authoring.syllabus import stated_minutes

BEFORE = ("You will", "You need", "Time", "The story so far")
AFTER = ("What this does not prove", "Check yourself", "Take-away", "Go further")
MEDIAN_LINES, MOST_LINES = 6, 25
PASTED = 6
"""Code lines in a row, equal to the reference system's, from which on they are a copy."""

_RUN = re.compile(r"\d+ (minute|second)s? to run")


def code_lines(source: str) -> list[str]:
    """Return the lines of a cell or module that are neither blank nor comments, without their indent."""
    lines = [line.strip() for line in source.splitlines()]
    return [line for line in lines if line and not line.startswith("#")]


def sections(notebook: Any) -> list[tuple[str, str]]:
    """Return the `## ` sections of a lesson's prose in order: heading and text."""
    prose = "\n\n".join(cell.source for cell in notebook.cells if cell.cell_type == "markdown")
    parts = re.split(r"^## (.+)$", FENCE.sub("", prose), flags=re.MULTILINE)
    return list(zip([heading.strip() for heading in parts[1::2]], parts[2::2], strict=True))


def _heading_faults(notebook: Any, number: str) -> list[str]:
    first = notebook.cells[0]
    faults = []
    if first.cell_type != "markdown" or not re.match(rf"# {number} \S", first.source):
        faults.append(f"the first cell must start with `# {number} Title`")
    headings = [heading for heading, _ in sections(notebook)]
    if tuple(headings[: len(BEFORE)]) != BEFORE:
        faults.append(f"the first sections must be {', '.join(BEFORE)}, not {', '.join(headings[: len(BEFORE)])}")
    if tuple(headings[-len(AFTER) :]) != AFTER:
        faults.append(f"the last sections must be {', '.join(AFTER)}, not {', '.join(headings[-len(AFTER) :])}")
    text = dict(sections(notebook))
    outcomes = len(re.findall(r"^[-*] ", text.get("You will", ""), flags=re.MULTILINE))
    if not 3 <= outcomes <= 5:
        faults.append(f"You will: 3 to 5 outcomes, not {outcomes}")
    questions = text.get("Check yourself", "").count("<details>")
    if not 2 <= questions <= 4:
        faults.append(f"Check yourself: 2 to 4 questions with their answers in <details>, not {questions}")
    return faults


def _time_faults(notebook: Any) -> list[str]:
    text = dict(sections(notebook)).get("Time", "")
    if stated_minutes(text) is None or not _RUN.search(text):
        return ["Time: say `N minutes to read` and `N minutes to run` (or `N seconds to run`)"]
    return []


def _rhythm_faults(notebook: Any) -> list[str]:
    sizes = {
        number: len(code_lines(cell.source))
        for number, cell in enumerate(notebook.cells, 1)
        if cell.cell_type == "code"
    }
    if not sizes:
        return ["a lesson runs something: there is no code cell"]
    faults = [f"cell {number} has {size} lines of code, at most {MOST_LINES}: split it"
              for number, size in sizes.items() if size > MOST_LINES]  # fmt: skip
    if median(sizes.values()) > MEDIAN_LINES:
        faults.append(f"the median code cell has {median(sizes.values()):g} lines, at most {MEDIAN_LINES}")
    return faults


def _windows(lines: list[str]) -> set[tuple[str, ...]]:
    return {tuple(lines[start : start + PASTED]) for start in range(len(lines) - PASTED + 1)}


def reference_windows(root: Path) -> dict[tuple[str, ...], str]:
    """Return every `PASTED` code lines in a row of the reference system, with the file they are in."""
    return {
        window: path.relative_to(root).as_posix()
        for path in sorted(root.glob("chapters/*/reference/**/*.py"))
        for window in _windows(code_lines(path.read_text(encoding="utf-8")))
    }


def frame_faults(path: Path, root: Path) -> list[str]:
    """Return what a lesson's text breaks of the rules above; empty when all is well.

    Raises:
        BuildError: The text holds no notebook.
    """
    notebook = percent_notebook(path, root)
    faults = _heading_faults(notebook, path.stem[:2])
    faults += _time_faults(notebook)
    faults += _rhythm_faults(notebook)
    known = reference_windows(root)
    for number, cell in enumerate(notebook.cells, 1):
        copied = {known[window] for window in _windows(code_lines(cell.source)) & set(known)}
        faults += [f"cell {number} repeats code of {name}: show it with inspect.getsource" for name in sorted(copied)]
    return faults
