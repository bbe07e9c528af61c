"""The proof of a lesson's *Your turn* at the end of an ordinary run: two cells more, the solution and the check."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from authoring.lesson.turn import HEADING, Turn, TurnError, proof_fault, read_turn
from base.files import write_text
from base.text import without_escapes

SOLUTION, CHECK = "turn-solution", "turn-check"
"""The ids of the two cells."""


@dataclass(frozen=True)
class Proof:
    """What is run for a notebook of `cells` cells: itself, or a copy that goes on with the proof of its `turn`."""

    path: Path
    cells: int = 0
    turn: Turn | None = None

    def place(self, number: int) -> int:
        """Return the number of a cell (from 1) in the notebook: the proof's are those of answer and check."""
        return number - self.cells + self.turn.answer if self.turn and number > self.cells else number

    def settle(self, executed: Path) -> str | None:
        """Take the proof off an executed copy; returns what is wrong with *Your turn*, None if nothing is known."""
        if self.turn is None:
            return None
        notebook = json.loads(executed.read_text(encoding="utf-8"))
        ran = {cell["id"]: cell for cell in notebook["cells"]}
        notebook["cells"] = [cell for name, cell in ran.items() if name not in (SOLUTION, CHECK)]
        write_text(executed, json.dumps(notebook, indent=1, ensure_ascii=False) + "\n")
        if ran[CHECK]["execution_count"] is None:
            return None
        checks = [cell for cell in ran.values() if cell["source"] == ran[CHECK]["source"]]
        return proof_fault(_printed(checks[0]), _printed(ran[CHECK]))

    def discard(self) -> None:
        """Delete the copy, if there is one."""
        if self.turn:
            self.path.unlink()


def prepare(notebook: Path, copy: Path) -> Proof:
    """Return what to run for a notebook; where it has a *Your turn* in form, `copy` is written and goes on with it."""
    data = json.loads(notebook.read_text(encoding="utf-8"))
    cells = data.get("cells", [])
    try:
        turn = read_turn([(cell["cell_type"] == "code", "".join(cell["source"])) for cell in cells])
    except TurnError:
        return Proof(notebook)
    solution = f"# {HEADING}: the folded solution, in place of the answer\n{turn.solution}"
    proof = [{**cells[turn.answer], "id": SOLUTION, "source": solution}, {**cells[turn.check], "id": CHECK}]
    write_text(copy, json.dumps({**data, "cells": [*cells, *proof]}))
    return Proof(copy, len(cells), turn)


def _printed(cell: dict[str, Any]) -> str:
    """Return what a cell printed."""
    streams = [one for one in cell["outputs"] if one["output_type"] == "stream" and one["name"] == "stdout"]
    return without_escapes("".join("".join(one["text"]) for one in streams))
