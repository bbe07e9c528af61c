"""A number that prose quotes from what a cell printed is asserted in a cell, so that it is true on every machine.

A number in prose, in digits, counts as quoted if the code cell right above or below prints it: the same number, or one
that rounds to it (`470` from 470.16, `68 %` from 0.678). It is held if it stands in the code of a cell up to there: in
an `assert round(profit) == 470`, or because the lesson itself set it. What a recorded cell shows is held by comparing
its recording with a fresh run (`authoring.recording`).

What this does not catch: a number that was wrong when it was written (it equals nothing that is printed), one in words
("half of the loans"), one that the code holds by chance, one that an earlier cell printed, and claims without a number
("fewer leaves are better"). Those an author asserts by the manner of a lesson, and a reviewer looks for.
"""

import re
from collections.abc import Iterator
from typing import Any

from authoring.lesson.text import FENCE, FOLD, Cell, Fault
from authoring.recording import is_recorded

_NUMBER = re.compile(r"(?<![\w./:-])(?P<digits>\d+(?:,\d{3})*(?:\.\d+)?)(?![\w/:-]|[.,]\d)(?P<percent> ?%)?")
_LITERAL = re.compile(r"\d[\d_]*(?:\.\d+)?")


def shown(cell: dict[str, Any]) -> str:
    """Return the text that an executed cell shows: what it printed, and values as text."""
    parts = []
    for output in cell.get("outputs", ()):
        if output["output_type"] == "stream":
            parts.append("".join(output["text"]))
        else:
            parts.append("".join(output.get("data", {}).get("text/plain", "")))
    return "\n".join(parts)


def _numbers(text: str) -> Iterator[tuple[int, str, float, int, bool]]:
    """Yield of each number where it is, as written, its value, its decimals, and whether it is a percentage."""
    for found in _NUMBER.finditer(text):
        digits = found["digits"].replace(",", "")
        decimals = len(digits.partition(".")[2])
        yield found.start(), found[0], float(digits), decimals, found["percent"] is not None


def _quoted(value: float, decimals: int, percent: bool, printed: set[float]) -> bool:
    """Say whether a number of prose is one that was printed; of small whole numbers only the same one counts."""
    if value in printed:
        return True
    if percent and any(round(100 * one, decimals) == value for one in printed):
        return True
    return (decimals > 0 or value >= 10) and any(round(one, decimals) == value for one in printed)


def printed_faults(cells: list[Cell], executed: list[dict[str, Any]]) -> list[Fault]:
    """Return the numbers that prose quotes and no code holds.

    Args:
        cells: The lesson as it was written.
        executed: Its cells after a run, with outputs.
    """
    faults = []
    for at, cell in enumerate(cells):
        if cell.code:
            continue
        around = [executed[number] for number in (at - 1, at + 1) if 0 <= number < len(cells) and cells[number].code]
        printed = {value for one in around if not is_recorded(one) for _, _, value, _, _ in _numbers(shown(one))}
        code = "\n".join(one.source for one in cells[: at + 2] if one.code)
        held = {float(literal.replace("_", "")) for literal in _LITERAL.findall(code)}
        prose = _blanked(_blanked(cell.source, FENCE), FOLD)
        for place, text, value, decimals, percent in _numbers(prose):
            kept = value in held or (percent and value / 100 in held)
            if not kept and _quoted(value, decimals, percent, printed):
                faults.append(Fault(cell.line_at(place), f"says {text}, as a cell beside it prints, and no code holds "
                              f"it: assert it there, such as `assert round(number) == {text.split()[0]}`"))  # fmt: skip
    return faults


def _blanked(text: str, pattern: re.Pattern[str]) -> str:
    """Return the text with what the pattern finds blanked, so that lines keep their places."""
    return pattern.sub(lambda found: re.sub(r"[^\n]", " ", found[0]), text)
