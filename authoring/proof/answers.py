"""What lies beside a lab's solution for its proof: mutants that no test has to catch, and other right answers."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from authoring.labs import source_notebook
from autograder.lab.cells import EXERCISE, grade_cells
from autograder.lab.misconceptions import front_matter
from base.errors import BuildError


@dataclass(frozen=True)
class Exemption:
    """A mutant that no test has to catch, and why."""

    answers: str
    was: str
    becomes: str
    reason: str


@dataclass(frozen=True)
class Alternative:
    """Another right answer to one answer cell."""

    name: str
    answers: str
    why: str
    source: str


def _exercises(lab: str, root: Path) -> list[str]:
    return [name for name in grade_cells(source_notebook(lab, root)) if EXERCISE.fullmatch(name)]


def load_exemptions(lab: str, root: Path) -> list[Exemption]:
    """Return the exemptions of a lab in the order of `solutions/<lab>/mutants.yml`; none without that file.

    Raises:
        BuildError: The file breaks the format or names an answer that the lab has not.
    """
    path = root / "solutions" / lab / "mutants.yml"
    if not path.exists():
        return []
    where = path.relative_to(root).as_posix()
    try:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise BuildError(f"{where} is not YAML: {error}") from None
    if not isinstance(data, dict) or not all(isinstance(entries, list) for entries in data.values()):
        raise BuildError(f"{where}: write `exN:` and under it a list of was, becomes and reason")
    exercises = _exercises(lab, root)
    found: list[Exemption] = []
    for answers, entries in data.items():
        if answers not in exercises:
            raise BuildError(f"{where}: {answers!r}, but {lab} has {', '.join(exercises)}")
        for number, entry in enumerate(entries, 1):
            if not _is_texts(entry, {"was", "becomes", "reason"}):
                raise BuildError(f"{where}: {answers}: entry {number} must have the texts was, becomes and reason")
            one = Exemption(answers, entry["was"].strip(), entry["becomes"].strip(), entry["reason"].strip())
            if any((other.answers, other.was, other.becomes) == (answers, one.was, one.becomes) for other in found):
                raise BuildError(f"{where}: {answers}: entry {number} is there twice")
            found.append(one)
    return found


def _is_texts(data: Any, names: set[str]) -> bool:
    return isinstance(data, dict) and set(data) == names and all(
        isinstance(text, str) and text.strip() for text in data.values()
    )  # fmt: skip


def load_alternatives(lab: str, root: Path) -> list[Alternative]:
    """Return the other right answers of a lab, sorted by file name.

    Raises:
        BuildError: A file has no front matter, or names an answer that the lab has not.
    """
    exercises, found = _exercises(lab, root), []
    for path in sorted((root / "solutions" / lab / "alternatives").glob("*.py")):
        where = path.relative_to(root).as_posix()
        data, source = front_matter(path, where)
        if not _is_texts(data, {"answers", "why"}) or not source.strip():
            raise BuildError(
                f"{where}: start with `# ---`, the lines `# answers: exN`, `# why: …`, `# ---`, then the right answer"
            )
        answers = data["answers"]
        if answers not in exercises:
            raise BuildError(f"{where}: answers {answers!r}, but {lab} has {', '.join(exercises)}")
        if not path.stem.startswith(f"{answers}-"):
            raise BuildError(f"{where}: answers {answers}, so its name must start with {answers}-")
        found.append(Alternative(path.stem, answers, data["why"].strip(), source.strip("\n")))
    return found
