"""Runs the cells of a lesson where the machine has what they need; elsewhere shows what they showed when recorded."""

import base64
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from authoring.recording import MAGIC, PICTURE, Recording, load, recording_path
from authoring.repository import ROOT
from course.paths import lessons

VERSIONS = "application/vnd.oakbank.versions+json"
"""With this type the recorder finds, in an executed notebook, what it was made with."""
CHANGED = "There is no recording of this cell: it was changed, and this machine lacks what it needs to run."

_shown: dict[str, tuple[Recording, int]] = {}
"""The cells that are shown and not run, by their text."""
_live = True


def recorded(lesson: str, versions: Mapping[str, str] | None, root: Path = ROOT) -> None:
    """Have the cells of a lesson run, or show what they showed where they were recorded; say which in one sentence.

    Cells of commands (`%%shell`) work from here on: each line is typed into a shell.

    Args:
        lesson: Such as `01/07`.
        versions: Of what the cells need, by name; None where this machine lacks it.
        root: The repository.
    """
    global _live
    from IPython import get_ipython
    from IPython.display import display

    shell: Any = get_ipython()
    shell.register_magic_function(run_commands, "cell", MAGIC.strip("%"))
    shell.register_magic_function(show, "line", "show_recorded")
    if instead not in shell.input_transformers_cleanup:
        shell.input_transformers_cleanup.append(instead)
    _shown.clear()
    _live = versions is not None
    if versions is not None:
        made_with = ", ".join(f"{name} {version}" for name, version in versions.items())
        said = {"text/plain": f"The cells below run here, with {made_with}.", VERSIONS: dict(versions)}
        display(said, raw=True)  # type: ignore[no-untyped-call]
        return
    path = recording_path(lessons(root, lesson)[0])
    if not path.is_file():
        print("What the cells below show was not recorded yet.")
        return
    recording = load(path)
    _shown.update({cell.source: (recording, number) for number, cell in enumerate(recording.cells)})
    print(f"The cells that need it show what they showed on {recording.date}, with {recording.made_with}.")


def instead(lines: list[str]) -> list[str]:
    """Return the lines to run for those of a cell: its own, or one that shows its recording."""
    found = _shown.get("".join(lines).strip())
    return [f"%show_recorded {found[1]}\n"] if found else lines


def show(number: str) -> None:
    """Show what a cell showed when it was recorded, marked as recorded."""
    from IPython.display import display

    recording, _ = next(one for one in _shown.values() if one[1] == int(number))
    print(f"[recorded on {recording.date} with {recording.made_with}; not run here]")
    for output in recording.cells[int(number)].outputs:
        if "text" in output:
            print(output["text"], end="")
        else:
            picture = {PICTURE: base64.b64decode(output[PICTURE])} if PICTURE in output else {}
            display({**output, **picture}, raw=True)  # type: ignore[no-untyped-call]


def run_commands(line: str, cell: str) -> None:
    """Type commands into a shell, one after the other, and show what a terminal would show.

    A command that fails says so by its exit code, and the next one follows. A backslash at its end continues a line.
    """
    del line
    if not _live:
        print(CHANGED)
        return
    for command in re.split(r"(?<!\\)\n", cell.strip()):
        print(f"$ {command}", flush=True)
        text = "\n"
        with subprocess.Popen(  # noqa: S602
            re.sub(r"\\\n\s*", " ", command),
            shell=True,  # the learner's own commands, as in a terminal
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        ) as process:
            assert process.stdout is not None
            for text in process.stdout:
                print(text, end="", flush=True)
        if not text.endswith("\n"):
            print()
        if process.returncode:
            print(f"[exit code {process.returncode}]")
