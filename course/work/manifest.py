"""What was given out, remembered in `work/.origin.json`, so that a new version can tell a learner's work from ours."""

import sys
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from base.files import write_text

NAME = ".origin.json"


class Given(BaseModel):
    """A copy as it was given out.

    Attributes:
        version: Of the file in the course's folder that it was made from; empty: not known.
        cells: Its cells, as `Contents.cells`; a cell that is missing here was the learner's already.
        offered: A newer version that lies beside it, since the copy itself is the learner's.
        beside: It is such a newer version.
        earlier: What was written into the tracked notebook, as it was when that was last looked at.
    """

    model_config = ConfigDict(extra="forbid")

    version: str = ""
    cells: dict[str, str] = {}
    offered: str = ""
    beside: bool = False
    earlier: str = ""


class Manifest(BaseModel):
    """The content of the file: copies by their path in `work/`."""

    model_config = ConfigDict(extra="forbid")

    format: int = 1
    files: dict[str, Given] = {}


def load(folder: Path) -> Manifest:
    """Read the manifest of a learner's folder; where nothing was given out yet, an empty one.

    One that cannot be understood is put aside, and all copies count as worked in: none of them is written over.
    """
    path = folder / NAME
    try:
        return Manifest.model_validate_json(path.read_bytes())
    except FileNotFoundError:
        return Manifest()
    except ValidationError:
        number = 1
        while (aside := path.with_name(f"{path.stem}.damaged-{number}.json")).exists():
            number += 1
        path.rename(aside)
        print(f"{path} is damaged: it is kept beside as {aside.name}. Your notebooks are untouched.", file=sys.stderr)
        return Manifest()


def save(folder: Path, manifest: Manifest) -> None:
    """Write the manifest, whole or not at all."""
    write_text(folder / NAME, manifest.model_dump_json(indent=1, exclude_defaults=True) + "\n")
