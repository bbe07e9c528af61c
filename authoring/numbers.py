"""Numbers in prose that the code knows: a lab's exercises, points and minutes, in words or digits."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from authoring.syllabus import Lab, Syllabus

_ONES = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
         "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen")  # fmt: skip
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
WORDS = {word: number for number, word in enumerate(_ONES, 1)} | {word: 10 * n for n, word in enumerate(_TENS, 2)}
_WORD = "|".join([*_TENS, *reversed(_ONES)])
_CLAIM = re.compile(
    rf"(?<![\w.,/-])(?P<number>\d+|(?:{_WORD})(?:-(?:{'|'.join(_ONES[:9])}))?)[ \n]+(?P<unit>exercise|point|minute)s?"
    r"(?![\w-])",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class LabNumbers:
    """What is true of a lab: its exercises, its points, the minutes of the syllabus (None: not written there)."""

    exercises: int
    points: float
    minutes: int | None

    def wrong(self, text: str) -> list[str]:
        """Return the claims of a text about this lab that are not true, one `says …, has …` each."""
        true = {"exercise": self.exercises, "point": self.points, "minute": self.minutes}
        return [
            f"says {number} {unit}s, and it has {true[unit]:g}"
            for number, unit in claims(text)
            if true[unit] is not None and number != true[unit]
        ]


def claims(text: str) -> list[tuple[int, str]]:
    """Return every number of exercises, points or minutes that a text states."""
    return [(_number(found["number"].lower()), found["unit"].lower()) for found in _CLAIM.finditer(text)]


def _number(text: str) -> int:
    return int(text) if text.isdecimal() else sum(WORDS[part] for part in text.split("-"))


def lab_numbers(notebook: Any, minutes: int | None) -> LabNumbers:
    """Count the exercises and points of a lab's source notebook."""
    marks = [cell.metadata["nbgrader"] for cell in notebook.cells if "nbgrader" in cell.metadata]
    return LabNumbers(sum(one["solution"] for one in marks), sum(one.get("points", 0) for one in marks), minutes)


def number_faults(notebook: Any, true: LabNumbers) -> list[str]:
    """Return what a lab's text says of itself and is not so.

    Before its first exercise all that is said is of the lab; below, `points` are those of the exercise or of a test.
    """
    faults, texts = list[str](), list[str]()
    tests: list[int] = []
    inside = False
    for cell in notebook.cells:
        marks = cell.metadata.get("nbgrader", {})
        if cell.cell_type == "markdown":
            if re.search(r"^## Exercise", cell.source, re.MULTILINE):
                faults += _points_faults(texts, tests) if inside else []
                inside, texts, tests = True, [], []
            if inside:
                texts.append(cell.source)
            else:
                faults += [f"the text {fault}" for fault in true.wrong(cell.source)]
        tests += [marks["points"]] if marks.get("grade") else []
    return faults + (_points_faults(texts, tests) if inside else [])


def _points_faults(texts: list[str], tests: list[int]) -> list[str]:
    stated = [number for text in texts for number, unit in claims(text) if unit == "point"]
    title = re.sub(r"^#+ ", "", texts[0].splitlines()[0])
    return [f"{title}: says {number} points, and it has {sum(tests)}" for number in stated
            if number not in (sum(tests), *tests)]  # fmt: skip


def readme_faults(name: str, text: str, labs: dict[str, LabNumbers]) -> list[str]:
    """Return the untrue claims of a page about a lab: those in a paragraph, or a row of a table, that names one lab."""
    faults = []
    for part in re.split(r"\n\s*\n|\n(?=[|*-] ?)", text):
        named = [lab for lab in labs if lab in part]
        if len(named) == 1:
            faults += [f"{name}: of {named[0]} it {fault}" for fault in labs[named[0]].wrong(part)]
    return faults


def page_faults(root: Path, syllabus: Syllabus, labs: dict[str, LabNumbers]) -> list[str]:
    """Return the untrue claims of the syllabus and of the pages beside it about the labs that are there."""
    entries: list[Lab] = [lab for lab in [*syllabus.labs, syllabus.capstone] if lab.name in labs]
    faults = [
        f"course/syllabus.yml: {lab.name}: its line {fault}"
        for lab in entries
        for fault in labs[lab.name].wrong(f"{lab.title}. {lab.idea}")
    ]
    for page in ("README.md", "autograder/README.md", "CONTRIBUTING.md", *_chapter_pages(root)):
        if (root / page).is_file():
            faults += readme_faults(page, (root / page).read_text(encoding="utf-8"), labs)
    return faults


def _chapter_pages(root: Path) -> list[str]:
    return sorted(path.relative_to(root).as_posix() for path in root.glob("chapters/*/README.md"))
