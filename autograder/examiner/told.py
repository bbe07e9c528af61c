"""What a kernel tells of a cell, read with limits of the reader's own: a student's kernel may tell anything."""

import json
from typing import Any

from autograder.model import PICTURES, SHOWN, Output

MOST_OUTPUTS = 1_000
"""Outputs of one cell that are kept."""
LONGEST_NAME, LONGEST_TEXT = 200, 2_000
"""Characters that are kept of an error's name, and of its text or the line it came from."""
PICTURE = 40
"""So many characters of a picture weigh as much as one of text: pictures are read by nobody's eye as text."""
CELLS = 200
"""A notebook may show as much as so many cells that show all they may."""

CUT = Output("stderr", "… (cut: the cell shows too much)\n")
SPENT = Output("stderr", "(not shown: the notebook has shown too much)\n")


def frame(most: int) -> int:
    """Return how large a frame may be that tells of a cell that may show `most` characters, in bytes.

    It is room for pictures, for signs that JSON writes as twelve, and for what an error says.
    """
    return 60 * most + 100_000


def weight(output: Output) -> int:
    """Return how much of its cell's room an output takes, in characters of text."""
    return len(output.text) // PICTURE if output.kind in PICTURES else len(output.text)


def _outputs(told: list[dict[str, Any]], most: int) -> tuple[Output, ...]:
    """Return the outputs that fit into `most` characters, and a last one that says so where some do not."""
    kept, left = list[Output](), most + len(CUT.text)  # the kernel's own cut says the same
    for one in told:
        if one["kind"] not in SHOWN or not isinstance(one["text"], str):
            raise ValueError("no output")
        output = Output(one["kind"], one["text"])
        if len(kept) == MOST_OUTPUTS or weight(output) > left:
            if output.kind not in PICTURES and len(kept) < MOST_OUTPUTS:
                kept.append(Output(output.kind, output.text[:left]))
            return (*kept, CUT)
        left -= weight(output)
        kept.append(output)
    return tuple(kept)


def read_told(body: bytes, most: int, room: int) -> dict[str, Any]:
    """Return what a kernel tells of a cell.

    Args:
        body: The frame.
        most: Characters that the cell may show.
        room: Characters that the notebook may show from here on.

    Raises:
        ValueError, TypeError, KeyError, RecursionError: It is nonsense.
    """
    told = json.loads(body)
    outputs = _outputs(told["outputs"], most)
    if outputs and sum(map(weight, outputs)) > room:
        outputs = (SPENT,)
    texts = {"ename": LONGEST_NAME, "evalue": LONGEST_TEXT, "line": LONGEST_TEXT}
    return {"ok": told["ok"] is True, "outputs": outputs, "value": told.get("value")} | {
        name: str(told.get(name, ""))[:longest] for name, longest in texts.items()
    }
