"""Run the tours of a chapter side by side and keep what they told: `python -m course.tours 02-pipelines`.

The answers lie in `chapters/NN/tours/results.json`; `course build` makes the chapter's table of tours from it.
"""

import argparse
import ast
import hashlib
import json
import re
import subprocess
import sys
from dataclasses import asdict, dataclass
from pathlib import Path

from course.paths import ROOT, CourseError, pick
from course.syllabus import Chapter, load_syllabus
from course.tour import NOT_RUN, RAN

RESULTS = "results.json"
SOLVE = "solve"
"""The function of a tour that does the task with the system: what a reader would write."""


@dataclass(frozen=True)
class Result:
    """What one run of a tour told."""

    system: str
    ran: bool
    """False: the system was not to be had, and the tour did what it could."""
    lines: int
    """Lines of code, without blank lines, comments and docstrings, of the tour's function `solve`."""
    took: str
    """The seconds of the task with the system, as times those of something plain in the same run."""
    stores: str
    asks: str
    script: str
    """sha256 of the script that ran."""


def script_hash(script: Path) -> str:
    """Return the sha256 of a script without what its docstring says, whatever its line ends."""
    text = script.read_text(encoding="utf-8")
    said = ast.get_docstring(ast.parse(text), clean=False) or ""
    return hashlib.sha256(text.replace(said, "", 1).encode()).hexdigest()


def lines_of(text: str, name: str = SOLVE) -> int:
    """Return how many lines of code a function has.

    Raises:
        CourseError: There is no such function.
    """
    for node in ast.parse(text).body:
        if isinstance(node, ast.FunctionDef) and node.name == name:
            node.body = node.body[1:] if ast.get_docstring(node) is not None else node.body
            return len(ast.unparse(node).splitlines())
    raise CourseError(f"no function `{name}` at the top of the script: it holds what the system is used for")


def told(output: str, what: str) -> str:
    """Return what a tour printed after `what: `.

    Raises:
        CourseError: It printed no such line.
    """
    found = re.search(rf"(?m)^{re.escape(what)}: (.+)$", output)
    if not found:
        raise CourseError(f"the tour printed no line `{what}: ...`; it ends with:\n{output[-1500:]}")
    return found[1]


def written(root: Path = ROOT) -> list[Path]:
    """Return the scripts of all tours, by chapter and name."""
    return sorted(path.with_suffix("") for path in (root / "chapters").glob("*/tours/*.py.lock"))


def tour_command(name: str, root: Path = ROOT) -> list[str]:
    """Return the command that runs a tour with the versions of its lock.

    Raises:
        CourseError: No tour, or more than one, has a name that begins so.
    """
    scripts = {path.stem: path for path in written(root)}
    return ["uv", "run", "--quiet", "--locked", "--script", str(scripts[pick(name, sorted(scripts), "tour")])]


def measure(system: str, script: Path) -> Result:
    """Run a tour with the versions of its lock and return what it told.

    Raises:
        CourseError: The tour failed, or a line is missing.
    """
    install = ["uv", "sync", "--quiet", "--locked", "--script", str(script)]  # before, so that it counts for nothing
    for command in (install, ["uv", "run", "--quiet", "--locked", "--script", str(script)]):
        done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode not in (RAN, NOT_RUN):
            raise CourseError(f"{script.name} failed with {done.returncode}:\n{(done.stdout + done.stderr)[-3000:]}")
    return Result(
        system=system,
        ran=done.returncode == RAN,
        lines=lines_of(script.read_text(encoding="utf-8")),
        took=told(done.stdout, "took"),
        stores=told(done.stdout, "stores"),
        asks=told(done.stdout, "asks of you"),
        script=script_hash(script),
    )


def load_results(chapter: Chapter, root: Path = ROOT) -> dict[str, Result]:
    """Return the kept results of a chapter by system; none where nothing was measured."""
    path = root / "chapters" / chapter.id / "tours" / RESULTS
    if not path.is_file():
        return {}
    return {one["system"]: Result(**one) for one in json.loads(path.read_text(encoding="utf-8"))}


def stale(chapter: Chapter, root: Path = ROOT) -> list[str]:
    """Return the systems of a measured chapter whose script is not the one that was measured."""
    kept = load_results(chapter, root)
    scripts = {system: root / chapter.tour(system) for system in chapter.tours}
    there = {system: script_hash(script) for system, script in scripts.items() if script.is_file()}
    wrong = [system for system, script in there.items() if system not in kept or kept[system].script != script]
    return (wrong + [system for system in kept if system not in there]) if kept else []


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
        path.write_text(json.dumps([asdict(one) for one in results], indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    try:
        main()
    except CourseError as error:
        sys.exit(str(error))
