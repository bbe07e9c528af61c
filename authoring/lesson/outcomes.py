"""Each outcome of *You will* is measured: by a question of *Check yourself*, by *Your turn*, or in a lab."""

import re
from collections.abc import Mapping

from authoring.lesson.text import Cell, Fault, heading_line, section
from authoring.lesson.turn import HEADING

_SUMMARY = re.compile(r"<summary>(.*?)</summary>")
_TAG = re.compile(r"<[^>]+>")
_EXERCISE = re.compile(r"(\d\d-[a-z0-9-]+):(ex\d+)")


def stated_outcomes(cells: list[Cell]) -> list[tuple[int, str]]:
    """Return the outcomes of *You will*, each with its first line's number; one may go on in a second line."""
    found: list[tuple[int, str]] = []
    for number, line in section(cells, "You will"):
        if line.startswith(("- ", "* ")):
            found.append((number, line[2:].strip()))
        elif line.startswith("  ") and found:
            found[-1] = (found[-1][0], f"{found[-1][1]} {line.strip()}")
    return found


def questions(cells: list[Cell]) -> set[str]:
    """Return the questions of *Check yourself*, without tags."""
    text = "\n".join(line for _, line in section(cells, "Check yourself"))
    return {_TAG.sub("", summary) for summary in _SUMMARY.findall(text)}


def outcome_faults(cells: list[Cell], declared: Mapping[str, list[str]], labs: Mapping[str, set[str]]) -> list[Fault]:
    """Return where lesson, syllabus and labs do not agree on what measures an outcome.

    Args:
        cells: The lesson.
        declared: The syllabus: outcome -> what measures it.
        labs: The exercises of each lab that measures this lesson.
    """
    stated = stated_outcomes(cells)
    faults = [Fault(number, f"You will: the syllabus has no outcome {text!r}: add it there, with what measures it")
              for number, text in stated if text not in declared]  # fmt: skip
    start = heading_line(cells, "You will")
    known = {text: number for number, text in stated}
    asked = questions(cells)
    turn = bool(section(cells, HEADING))
    for text, measures in declared.items():
        if text not in known:
            faults.append(Fault(start, f"You will: does not state {text!r}, as the syllabus does: word them alike"))
        for measure in measures:
            if exercise := _EXERCISE.fullmatch(measure):
                lab, name = exercise.groups()
                wrong = f"{lab} has no {name}" if lab in labs else f"{lab} is no written lab that measures this lesson"
                there = name in labs.get(lab, ())
            else:
                wrong = f"the lesson has no question {measure!r}"
                there = turn if measure == HEADING else measure in asked
            if not there:
                faults.append(Fault(known.get(text, start), f"You will: {text!r}: {wrong}: name in the syllabus a "
                                    f"question as it is asked, `{HEADING}` or `LAB:ex1`"))  # fmt: skip
    return faults
