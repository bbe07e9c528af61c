"""The gate on labs' texts: numbers that are true, examples that are tried, tests that say what they cover and miss."""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from authoring.examples import example_faults
from authoring.hints import cover_faults, message_faults
from authoring.labs import source_notebook
from authoring.numbers import lab_numbers, number_faults, page_faults
from authoring.syllabus import Syllabus

RULES: dict[str, Callable[[Any], list[str]]] = {
    "messages": message_faults,
    "covers": cover_faults,
    "examples": example_faults,
}
EXCUSED: dict[str, tuple[str, ...]] = {}
"""Labs that do not keep a rule yet, by rule. A lab that keeps it must leave the list."""


def text_faults(lab: str, root: Path, minutes: int | None) -> list[str]:
    """Return what the text of a lab breaks of the rules, one `file: what` each; empty when all is well."""
    name = f"solutions/{lab}/{lab}.py"
    notebook = source_notebook(lab, root)
    faults = number_faults(notebook, lab_numbers(notebook, minutes))
    for rule, check in RULES.items():
        found = check(notebook)
        if lab not in EXCUSED.get(rule, ()):
            faults += found
        elif not found:
            faults.append(f"keeps the rule on {rule}: take it off EXCUSED in authoring/texts.py")
    return [f"{name}: {fault}" for fault in faults]


def all_text_faults(labs: Iterable[str], root: Path, syllabus: Syllabus) -> list[str]:
    """Return what the texts of these labs, and the pages and the syllabus that speak of them, break."""
    minutes = {lab.name: lab.minutes for lab in [*syllabus.labs, syllabus.capstone]}
    faults, numbers = [], {}
    for lab in labs:
        faults += text_faults(lab, root, minutes.get(lab))
        numbers[lab] = lab_numbers(source_notebook(lab, root), minutes.get(lab))
    return faults + page_faults(root, syllabus, numbers)
