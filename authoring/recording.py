"""What cells showed on a machine that had all they need: kept beside the lesson, shown where a machine lacks it.

A cell is recorded if it holds commands (`# %% language="shell"` in the lesson's text) or its header says
`recorded=true`. `chapters/01-intro/recorded/07-containers-with-docker.yml` holds, of each such cell, its text and
its outputs, with the day and the versions; a picture is a file of its own beside it. `course record` writes them.
"""

import base64
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from base.errors import BuildError
from base.files import write_text

HEADER = "# written by `python3 bootstrap.py record {lesson}`; do not edit\n"
MAGIC = "%%shell"
PICTURE = "image/png"
KINDS = ("text/html", PICTURE, "text/plain")
"""What is kept of a cell's displays, by MIME type; what it printed is kept under `text`."""

Output = dict[str, str]
"""One output by kind. A picture's bytes are in Base64, as in a notebook."""


@dataclass(frozen=True)
class Cell:
    """A recorded cell: its text, and what it showed."""

    source: str
    outputs: tuple[Output, ...]


@dataclass(frozen=True)
class Recording:
    """What a lesson's cells showed.

    Attributes:
        lesson: As the commands call it: `01/07`.
        date: The day, as `2026-11-29`.
        versions: Of what the cells need, by name.
        cells: In the order of the lesson.
    """

    lesson: str
    date: str
    versions: dict[str, str]
    cells: tuple[Cell, ...]

    @property
    def made_with(self) -> str:
        """The versions, as a reader sees them."""
        return ", ".join(f"{name} {version}" for name, version in self.versions.items())


def name_of(path: Path) -> str:
    """Return what commands call a lesson, `01/07`, by its text, notebook or recording."""
    return f"{path.parents[1].name[:2]}/{path.stem[:2]}"


def recording_path(path: Path) -> Path:
    """Return where the recording of a lesson is, by its text or notebook."""
    return path.parents[1] / "recorded" / f"{path.stem}.yml"


def is_recorded(cell: Mapping[str, Any]) -> bool:
    """Whether a code cell of a notebook, executed or not, is one whose output is recorded."""
    return bool(cell.get("metadata", {}).get("recorded")) or "".join(cell.get("source", "")).startswith(MAGIC)


def recorded_sources(notebook: Any) -> list[str]:
    """Return the texts of those cells whose output is recorded."""
    return [cell.source.strip() for cell in notebook.cells if cell.cell_type == "code" and is_recorded(cell)]


def _seal(content: dict[str, Any]) -> str:
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:16]


def _content(recording: Recording) -> dict[str, Any]:
    cells = [{"source": cell.source, "outputs": list(cell.outputs)} for cell in recording.cells]
    return {"date": recording.date, "versions": recording.versions, "cells": cells}


class _Dumper(yaml.SafeDumper):
    """Writes text of several lines as it stands."""


def _as_it_stands(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _as_it_stands)


def save(recording: Recording, path: Path) -> None:
    """Write a recording; the pictures of an earlier one go."""
    content = _content(recording)
    seal = _seal(content)
    path.parent.mkdir(exist_ok=True)
    for old in path.parent.glob(f"{path.stem}-*.png"):
        old.unlink()
    pictures = 0
    for cell in content["cells"]:
        for number, output in enumerate(cell["outputs"]):
            if PICTURE in output:
                pictures += 1
                file = path.with_name(f"{path.stem}-{pictures}.png")
                file.write_bytes(base64.b64decode(output[PICTURE]))
                cell["outputs"][number] = output | {PICTURE: file.name}
    text = yaml.dump({**content, "seal": seal}, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000)
    write_text(path, HEADER.format(lesson=recording.lesson) + text)


def load(path: Path) -> Recording:
    """Read a recording.

    Raises:
        BuildError: It is not what `course record` wrote.
    """
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        seal = data.pop("seal")
        for output in (output for cell in data["cells"] for output in cell["outputs"]):
            if PICTURE in output:
                output[PICTURE] = base64.b64encode((path.parent / output[PICTURE]).read_bytes()).decode()
        genuine = seal == _seal(data)
        cells = tuple(Cell(cell["source"], tuple(cell["outputs"])) for cell in data["cells"])
        recording = Recording(name_of(path), data["date"], data["versions"], cells)
    except (OSError, yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise BuildError(f"{path.name} cannot be read: {error}") from None
    if not genuine:
        raise BuildError("it was edited by hand: a recording shows what a machine showed")
    return recording


def recording_faults(root: Path) -> Iterator[str]:
    """Yield what is wrong with the recordings, one `file: what` each; what a machine shows today is not looked at."""
    from authoring.notebooks import percent_notebook

    lessons = {recording_path(path): path for path in sorted(root.glob("chapters/*/lessons/*.py"))}
    for path in sorted({*lessons, *root.glob("chapters/*/recorded/*.yml")}):
        name = path.relative_to(root).as_posix()
        again = f"run `python3 bootstrap.py record {name_of(path)}`"
        sources = recorded_sources(percent_notebook(lessons[path], root)) if path in lessons else []
        if not path.is_file():
            if sources:
                yield f"{name}: missing, and the lesson has cells to record: {again}"
            continue
        if not sources:
            yield f"{name}: no lesson has cells of which this is the recording"
            continue
        try:
            recording = load(path)
        except BuildError as error:
            yield f"{name}: {error}; {again}"
            continue
        if [cell.source for cell in recording.cells] != sources:
            yield f"{name}: stale, the lesson's cells are others now: {again}"
