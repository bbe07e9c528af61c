"""`python -m authoring [--check] [--only TEXT]`, or `--lesson FILE` to look at one lesson while writing it."""

import argparse
import sys
from pathlib import Path

from authoring.build import build
from authoring.repository import ROOT
from authoring.rules import lesson_faults
from authoring.syllabus import count_text, reading_minutes
from base.errors import UserError

if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="course build", description="Write every generated file.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit with 1 where something differs")
    parser.add_argument("--only", default="", metavar="TEXT", help="only files whose path contains TEXT")
    parser.add_argument("--lesson", type=Path, metavar="FILE", help="measure a lesson and say what it breaks")
    wanted = parser.parse_args()
    if wanted.lesson:
        words, lines = count_text(wanted.lesson.read_text(encoding="utf-8"))
        print(f"{reading_minutes(wanted.lesson)} minutes to read: {words} words, {lines} lines of code")
        faults = lesson_faults(wanted.lesson.resolve(), ROOT)
        print("\n".join(faults) if faults else "keeps to every rule")
        sys.exit(1 if faults else 0)
    try:
        found = build(check=wanted.check, root=ROOT, only=wanted.only)
    except UserError as error:
        sys.exit(f"course build: {error}")
    print("\n".join(found) if found else "nothing differs" if wanted.check else "nothing to write")
    sys.exit(1 if found and wanted.check else 0)
