"""`python -m authoring [--check] [--only TEXT]`, or `--lesson FILE` to look at one lesson while writing it."""

import argparse
import sys
from pathlib import Path

from authoring.build import build
from authoring.lesson.frame import frame_faults
from authoring.lesson.gates import lesson_faults
from authoring.lesson.size import size_of
from authoring.lesson.text import read_cells
from authoring.repository import ROOT
from authoring.syllabus import load_syllabus
from base.errors import UserError


def look_at(path: Path) -> int:
    """Print the size of one lesson and what it breaks; returns the exit code."""
    size = size_of(read_cells(path, path.name))
    print(f"{size.minutes:.0f} minutes: {size.words} words, {size.lines} lines of code, {size.cells} code cells")
    faults = frame_faults(path, ROOT) + lesson_faults(path, ROOT, load_syllabus())
    print("\n".join(faults) if faults else "keeps to every rule")
    return 1 if faults else 0


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="course build", description="Write every generated file.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 where something differs")
    parser.add_argument("--only", default="", metavar="TEXT", help="only files whose path contains TEXT")
    parser.add_argument("--lesson", type=Path, metavar="FILE", help="measure a lesson and say what it breaks")
    wanted = parser.parse_args()
    if wanted.lesson:
        sys.exit(look_at(wanted.lesson.resolve()))
    try:
        found = build(check=wanted.check, root=ROOT, only=wanted.only)
    except UserError as error:
        sys.exit(f"course build: {error}")
    print("\n".join(found) if found else "nothing differs" if wanted.check else "nothing to write")
    sys.exit(1 if found and wanted.check else 0)
