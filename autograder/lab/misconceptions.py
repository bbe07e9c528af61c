"""A lab's known wrong answers, as they lie beside its solution."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from autograder.lab.cells import EXERCISE
from base.errors import BuildError


@dataclass(frozen=True)
class Misconception:
    """One plausible wrong answer: the cell it replaces, the points it must lose per test cell, and why."""

    name: str
    answers: str
    loses: dict[str, float]
    why: str
    source: str


def front_matter(path: Path, where: str) -> tuple[Any, str]:
    """Return the YAML in the comment lines between `# ---` at the top of a file, whatever it is, and the text below.

    Raises:
        BuildError: It is not YAML; the message names the file as `where`.
    """
    head, _, source = path.read_text(encoding="utf-8").removeprefix("# ---\n").partition("\n# ---\n")
    try:
        data = yaml.safe_load("\n".join(line.removeprefix("#").removeprefix(" ") for line in head.splitlines()))
    except yaml.YAMLError as error:
        raise BuildError(f"{where}: the front matter is not YAML: {error}") from None
    return data, source


def read_misconceptions(folder: Path, cells: Mapping[str, float]) -> list[Misconception]:
    """Return the wrong answers of a lab, sorted by file name.

    Args:
        folder: The folder of its sources, named as the lab.
        cells: Points of each of the lab's graded cells; 0 for an answer's.

    Raises:
        BuildError: A file has no front matter, or names an answer or a test that the lab has not.
    """
    tests = {name: points for name, points in cells.items() if "-test" in name}
    found = []
    for path in sorted((folder / "misconceptions").glob("*.py")):
        where = path.relative_to(folder.parents[1]).as_posix()
        data, source = front_matter(path, where)
        if not isinstance(data, dict) or set(data) != {"answers", "loses", "why"} or not source.strip():
            raise BuildError(
                f"{where}: start with `# ---`, the lines `# answers: exN`, `# loses: {{exN-test: 2}}`, `# why: …`, "
                "`# ---`, then the wrong answer"
            )
        if data["answers"] not in cells or not EXERCISE.fullmatch(str(data["answers"])):
            raise BuildError(f"{where}: answers {data['answers']!r}, but {folder.name} has no such answer cell")
        if not path.stem.startswith(f"{data['answers']}-"):
            raise BuildError(f"{where}: answers {data['answers']}, so its name must start with {data['answers']}-")
        loses = data["loses"]
        if not isinstance(loses, dict) or not loses:
            raise BuildError(f"{where}: loses must say how many points which test takes, as {{ex1-test: 2}}")
        for test, points in loses.items():
            if test not in tests:
                raise BuildError(
                    f"{where}: loses names {test!r}, but {folder.name} has no such test cell: {', '.join(tests)}"
                )
            if not isinstance(points, (int, float)) or not 0 < points <= tests[test]:
                raise BuildError(f"{where}: {test} is worth {tests[test]} points, so {points!r} cannot be lost there")
        found.append(Misconception(path.stem, data["answers"], dict(loses), str(data["why"]), source.strip("\n")))
    return found
