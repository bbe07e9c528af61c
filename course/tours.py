"""Run the tours of a chapter side by side and keep what they told: `python -m course.tours 02-pipelines`.

The answers lie in `chapters/NN/tours/results.json`; `course build` makes the chapter's table of tours from it.
"""

import argparse
import json
import re
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

from authoring.repository import ROOT
from authoring.syllabus import load_syllabus
from authoring.tours import RESULTS, Result, lines_of, load_results, script_hash
from base.errors import UserError
from base.files import write_text
from base.text import pick
from course.tour import NOT_RUN, RAN


def told(output: str, what: str) -> str:
    """Return what a tour printed after `what: `.

    Raises:
        UserError: It printed no such line.
    """
    found = re.search(rf"(?m)^{re.escape(what)}: (.+)$", output)
    if not found:
        raise UserError(f"the tour printed no line `{what}: ...`; it ends with:\n{output[-1500:]}")
    return found[1]


def written(root: Path = ROOT) -> list[Path]:
    """Return the scripts of all tours, by chapter and name."""
    return sorted(path.with_suffix("") for path in (root / "chapters").glob("*/tours/*.py.lock"))


def tour_command(name: str, root: Path = ROOT) -> list[str]:
    """Return the command that runs a tour with the versions of its lock.

    Raises:
        UserError: No tour, or more than one, has a name that begins so.
    """
    scripts = {path.stem: path for path in written(root)}
    return ["uv", "run", "--quiet", "--locked", "--script", str(scripts[pick(name, sorted(scripts), "tour")])]


def measure(system: str, script: Path) -> Result:
    """Run a tour with the versions of its lock and return what it told.

    Raises:
        UserError: The tour failed, or a line is missing.
    """
    install = ["uv", "sync", "--quiet", "--locked", "--script", str(script)]  # before, so that it counts for nothing
    for command in (install, ["uv", "run", "--quiet", "--locked", "--script", str(script)]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode not in (RAN, NOT_RUN):
            raise UserError(f"{script.name} failed with {done.returncode}:\n{(done.stdout + done.stderr)[-3000:]}")
    return Result(
        system=system,
        ran=done.returncode == RAN,
        lines=lines_of(script.read_text(encoding="utf-8")),
        took=told(done.stdout, "took"),
        stores=told(done.stdout, "stores"),
        asks=told(done.stdout, "asks of you"),
        script=script_hash(script),
    )


def main(arguments: list[str] | None = None) -> None:
    """Measure the tours of a chapter, one after the other, and keep the results."""
    parser = argparse.ArgumentParser(prog="python -m course.tours", description=__doc__)
    parser.add_argument("chapter", help="id of the chapter, such as 02-pipelines")
    parser.add_argument("--only-stale", action="store_true", help="keep the results of scripts that did not change")
    options = parser.parse_args(arguments)
    chapters = {chapter.id: chapter for chapter in load_syllabus().chapters}
    if options.chapter not in chapters:
        parser.error(f"no chapter {options.chapter}: choose one of {', '.join(chapters)}")
    chapter = chapters[options.chapter]
    kept = load_results(chapter) if options.only_stale else {}
    results = []
    for system in chapter.tours:
        script = ROOT / chapter.tour(system)
        if not script.is_file():
            print(f"{system}: not written yet")
            continue
        if system not in kept or kept[system].script != script_hash(script):
            kept[system] = measure(system, script)
        results.append(kept[system])
        print(f"{system}: {kept[system].lines} lines, took {kept[system].took}", flush=True)
        path = ROOT / "chapters" / chapter.id / "tours" / RESULTS  # after each, so that a failure keeps the others
        write_text(path, json.dumps([asdict(one) for one in results], indent=1) + "\n")


if __name__ == "__main__":
    try:
        main()
    except UserError as error:
        sys.exit(str(error))
