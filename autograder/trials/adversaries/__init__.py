"""Submissions that attack the grader: what each does, what it must end with, and the lab that they are handed in for.

An attack is one file in `attacks/`. Its front matter says what it does (`attack`), which exercises it answers
honestly besides (`honest`), the points that each test must end with (`gets`), a part of what the student is told
(`student sees`, `…` stands for anything) and what carries the attack (`kind`). Below that stands in a `.py` file the
student's text, cell by cell: `# %% ex1` is the answer of exercise 1, `# %% before ex1` a cell of the student's own
above it. A `.yml` file says the same as data, and can change the notebook and the file as well. An exercise that is
neither honest nor in the file is answered wrong, so that only the attack could bring its points.

Texts may name what an attacker would love to know: see `World`.
"""

import copy
import json
import os
import re
import stat
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import yaml

from autograder.lab.cells import grade_cells
from autograder.lab.misconceptions import front_matter
from autograder.lab.text import source_notebook
from autograder.trials.course import make_course, submission_of
from base.errors import UserError

HERE = Path(__file__).resolve().parent
LAB = "01-target"
KINDS = ("answer", "extra cell", "notebook", "file")
WRONG = {
    "ex1": "def monthly_rate(annual):\n    return annual / 12",
    "ex2": "def instalment(amount, annual, months):\n    return amount / months",
    "ex3": "def cheapest(terms, price):\n    return terms[0]",
    "ex4": 'def default_rates(loans):\n    return pd.DataFrame({"grade": ["?"], "rate": [0.5]})',
}
"""What an exercise is answered with that is neither honest nor attacked."""

ISSUES = {
    "jupyter/nbgrader #427": "'Timeout waiting for IOPub output': dead kernel have to cancel notebook grading",
    "jupyter/nbgrader #1324": "Ensure errors are written to cell outputs to prevent the autograder from awarding "
    "points for failed tests",
    "jupyter/nbgrader #1363": "Hidden tests showing in the autograded notebooks and feedback",
    "jupyter/nbgrader #1374": "Partial credit -- assigning zero marks gives full credit",
    "ucbds-infra/otter-grader #813": "Otter Grade and Notebook Timeout",
}
"""Public issues that tell of such submissions, closed or open, with their titles."""


@dataclass(frozen=True)
class World:
    """What surrounds the grading, put into the attacks' texts for `@course@`, `@tcp@` and so on.

    Attributes:
        course: The course folder with the gradebook, the hidden tests and the other students.
        token: A name that nothing else on the machine has: for the files and processes that an attack leaves behind.
        tcp: A port on which the host listens.
        udp: A port on which the host listens.
        unix: An abstract Unix socket on which the host listens, without its leading zero byte.
    """

    course: str
    token: str
    tcp: int
    udp: int
    unix: str

    def fill(self, text: str) -> str:
        """Return the text with the names put in."""
        for name, value in asdict(self).items():
            text = text.replace(f"@{name}@", str(value))
        return text


@dataclass(frozen=True)
class Extra:
    """A cell of the student's own, above the instructor's cell `before`."""

    before: str
    source: str
    cell_type: str = "code"


@dataclass(frozen=True)
class Adversary:
    """One attack; the attributes are those of its front matter, see this module."""

    name: str
    attack: str
    honest: tuple[str, ...]
    gets: dict[str, float]
    sees: str
    kind: str
    answers: dict[str, str]
    extras: tuple[Extra, ...] = ()
    edits: tuple[dict[str, Any], ...] = ()
    file: dict[str, Any] = field(default_factory=dict)

    def is_seen(self, said: str) -> bool:
        """Return whether the student is told what the front matter says."""
        return re.search(".*".join(map(re.escape, self.sees.split("…"))), said, re.DOTALL) is not None


def lab_cells(root: Path) -> dict[str, Any]:
    """Return the cells of the lab's source in the course `root` that nbgrader knows, by name."""
    path = root / "source" / LAB / f"{LAB}.py"
    return grade_cells(source_notebook(path, path.name))


def lab_points(root: Path) -> dict[str, float]:
    """Return what each test of the lab in the course `root` is worth."""
    cells = lab_cells(root).items()
    return {name: float(cell.metadata["nbgrader"]["points"]) for name, cell in cells if "-test" in name}


def make_lab(root: Path) -> Path:
    """Make a course in `root` whose only lab is the target, with its release; returns `root`."""
    make_course(root, LAB, (HERE / "lab.py").read_text(encoding="utf-8"), gradebook=False)
    return root


def reference_answers(root: Path) -> dict[str, str]:
    """Return the lab's own answers, without the lines that mark them."""
    cells = lab_cells(root).items()
    marks = ("### BEGIN SOLUTION", "### END SOLUTION")
    return {
        name: "\n".join(line for line in cell.source.splitlines() if line.strip() not in marks)
        for name, cell in cells
        if cell.metadata["nbgrader"]["solution"]
    }


def _text_cells(text: str) -> tuple[dict[str, str], tuple[Extra, ...]]:
    """Return the answers and the extra cells of a `.py` file's text."""
    answers, extras = {}, []
    for part in re.split(r"^# %% ", text, flags=re.MULTILINE)[1:]:
        header, _, source = part.partition("\n")
        if header.startswith("before "):
            extras.append(Extra(header.removeprefix("before ").strip(), source.strip("\n")))
        else:
            answers[header.strip()] = source.strip("\n")
    return answers, tuple(extras)


def _read(path: Path) -> Adversary:
    """Read one file.

    Raises:
        UserError: It is not as this module says; the message names the file.
    """
    if path.suffix == ".py":
        data, body = front_matter(path, path.name)
        answers, extras = _text_cells(body)
    else:
        data = yaml.safe_load(path.read_text(encoding="utf-8"))
        answers = data.pop("answers", {})
        extras = tuple(Extra(**extra) for extra in data.pop("extra", []))
    edits, file = tuple(data.pop("edits", [])), data.pop("file", {})
    wanted = {"attack", "honest", "gets", "student sees", "kind"}
    if set(data) != wanted or data["kind"] not in KINDS:
        raise UserError(f"{path.name}: say {', '.join(sorted(wanted))}; kind is one of {', '.join(KINDS)}")
    if unknown := sorted((set(answers) | set(data["honest"])) - set(WRONG)):
        raise UserError(f"{path.name}: the lab has no exercise {', '.join(unknown)}")
    if twice := sorted(set(answers) & set(data["honest"])):
        raise UserError(f"{path.name}: {', '.join(twice)} cannot be honest and carry the attack")
    if not (answers or extras or edits or file):
        raise UserError(f"{path.name}: there is no attack in it")
    gets = {test: float(points) for test, points in data["gets"].items()}
    honest, sees = tuple(data["honest"]), data["student sees"]
    return Adversary(path.stem, data["attack"], honest, gets, sees, data["kind"], answers, extras, edits, file)


def load() -> list[Adversary]:
    """Return all attacks, in the order of their numbers.

    Raises:
        UserError: A file is not as this module says, or a number is used twice.
    """
    paths = sorted(path for path in (HERE / "attacks").iterdir() if path.suffix in (".py", ".yml"))
    for path in paths:
        if not re.fullmatch(r"\d\d-[a-z0-9-]+", path.stem):
            raise UserError(f"{path.name}: a file is called NN-slug.py or NN-slug.yml")
    numbers = [path.stem[:2] for path in paths]
    if twice := sorted({number for number in numbers if numbers.count(number) > 1}):
        raise UserError(f"two attacks have the number {', '.join(twice)}")
    return [_read(path) for path in paths]


def _position(cells: list[dict[str, Any]], name: str) -> int:
    return next(i for i, cell in enumerate(cells) if cell["metadata"].get("nbgrader", {}).get("grade_id") == name)


def _merge(into: dict[str, Any], new: dict[str, Any]) -> None:
    for key, value in new.items():
        if isinstance(value, dict) and isinstance(into.get(key), dict):
            _merge(into[key], value)
        else:
            into[key] = copy.deepcopy(value)


def _delete(notebook: dict[str, Any], name: str) -> None:
    del notebook["cells"][_position(notebook["cells"], name)]


def _duplicate(notebook: dict[str, Any], name: str, text: str) -> None:
    at = _position(notebook["cells"], name)
    twin = copy.deepcopy(notebook["cells"][at])
    twin.update(source=text, id=f"{twin['id']}-2")
    notebook["cells"][at:at] = [twin]
    notebook["cells"].append(copy.deepcopy(twin) | {"id": f"{twin['id']}-3"})


def _source(notebook: dict[str, Any], name: str, text: str) -> None:
    notebook["cells"][_position(notebook["cells"], name)]["source"] = text


def _retype(notebook: dict[str, Any], name: str, to: str) -> None:
    cell = notebook["cells"][_position(notebook["cells"], name)]
    cell["cell_type"] = to
    for key in ("outputs", "execution_count"):
        cell.pop(key, None)


def _metadata(notebook: dict[str, Any], name: str, new: dict[str, Any]) -> None:
    """Merge new metadata into a cell's, all tests' (`tests`) or the notebook's (`notebook`)."""
    cells = notebook["cells"]
    tests = [cell for cell in cells if cell["metadata"].get("nbgrader", {}).get("grade")]
    named: dict[str, list[dict[str, Any]]] = {"notebook": [notebook], "tests": tests}
    for one in named[name] if name in named else [cells[_position(cells, name)]]:
        _merge(one["metadata"], new)


def _strip(notebook: dict[str, Any], name: str) -> None:
    """Drop all metadata and ids, as editors that know nothing of nbgrader do; `name` is `all`."""
    notebook["metadata"] = {}
    notebook["nbformat_minor"] = 4
    for cell in notebook["cells"]:
        cell["metadata"] = {}
        cell.pop("id", None)


def _reverse(notebook: dict[str, Any], name: str) -> None:
    notebook["cells"].reverse()


def _outputs(notebook: dict[str, Any], name: str, megabytes: int) -> None:
    text = ("x" * 79 + "\n") * (megabytes * 2**20 // 80)
    cell = notebook["cells"][_position(notebook["cells"], name)]
    cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": text}]


def _result(notebook: dict[str, Any], name: str, text: str) -> None:
    data = {"output_type": "execute_result", "execution_count": 1, "metadata": {}, "data": {"text/plain": text}}
    notebook["cells"][_position(notebook["cells"], name)]["outputs"] = [data]


EDITS: dict[str, Callable[..., None]] = {
    "delete": _delete,
    "duplicate": _duplicate,
    "source": _source,
    "retype": _retype,
    "metadata": _metadata,
    "strip": _strip,
    "reverse": _reverse,
    "outputs": _outputs,
    "result": _result,
}
"""What `edits` of a `.yml` file can do to the notebook: `{duplicate: ex1-test, text: …}`."""


def notebook_bytes(adversary: Adversary, release: dict[str, Any], reference: dict[str, str], world: World) -> bytes:
    """Return the notebook that the attacker hands in.

    Args:
        adversary: The attack.
        release: The notebook as it was handed out.
        reference: The right answers, by exercise.
        world: What the texts name.
    """
    notebook = copy.deepcopy(release)
    cells = notebook["cells"]
    for exercise in WRONG:
        honest = reference[exercise] if exercise in adversary.honest else WRONG[exercise]
        source = adversary.answers.get(exercise, honest)
        cells[_position(cells, exercise)]["source"] = world.fill(source)
    for number, extra in enumerate(adversary.extras):
        source = world.fill(extra.source)
        cell: dict[str, Any] = {"cell_type": extra.cell_type, "id": f"own-{number}", "metadata": {}, "source": source}
        if extra.cell_type == "code":
            cell |= {"execution_count": None, "outputs": []}
        cells.insert(_position(cells, extra.before), cell)
    for edit in adversary.edits:
        (verb, name), *rest = edit.items()
        EDITS[verb](notebook, name, **dict(rest))
    text: str = adversary.file.get("text") or json.dumps(notebook)  # ASCII: a lone surrogate is written as its escape
    text = text[: int(len(text) * adversary.file.get("keep", 1))]
    nested = adversary.file.get("nested", 0)
    return ("[" * nested + "]" * nested if nested else text).encode()


def hand_in(
    adversary: Adversary, course: Path, release: dict[str, Any], reference: dict[str, str], world: World
) -> Path:
    """Put the attacker's folder into nbgrader's tree of submissions; returns the path of the notebook."""
    path = submission_of(course, LAB, adversary.name)
    folder = path.parent
    folder.mkdir(parents=True)
    if "link" in adversary.file:
        path.symlink_to(world.fill(adversary.file["link"]))
    elif "fifo" in adversary.file:
        os.mkfifo(path, stat.S_IRUSR | stat.S_IWUSR)
    else:
        path.write_bytes(notebook_bytes(adversary, release, reference, world))
    for name, text in adversary.file.get("beside", {}).items():
        (folder / name).write_text(world.fill(text), encoding="utf-8")
    return path


def table() -> str:
    """Return `README.md`: each attack, what it earns and what the student sees."""
    attacks = load()
    rows = []
    for one in attacks:
        earned = ", ".join(test for test, points in one.gets.items() if points)
        lost = ", ".join(test for test, points in one.gets.items() if not points)
        what = "all, by honest answers" if not lost else f"nothing for {lost}; {earned} kept" if earned else "nothing"
        seen = (
            "a reason that depends on the moment"
            if one.sees == "…"
            else f"“{one.sees}”"
            if one.sees
            else "nothing amiss"
        )
        cell = (one.name, one.attack, what, seen)
        rows.append("| " + " | ".join(text.replace("|", "\\|").replace("<", "&lt;") for text in cell) + " |")
    issues = "\n".join(
        f"- [{name}](https://github.com/{name.replace(' #', '/issues/')}): {title}" for name, title in ISSUES.items()
    )
    return f"""<!-- generated from attacks/ by `python -m autograder.trials.adversaries`; do not edit -->
# Submissions that attack the grader

{len(attacks)} submissions for one small lab (`lab.py`). None gets a point that it did not earn, none costs an honest
answer or another student anything, none leaves a process, a file or a byte of network traffic behind:
`autograder/tests/test_adversaries.py` grades them in one run, among honest submissions, and checks each line of this
table. In quotation marks: a part of what the student reads, `…` for what is left out.

| attack | what it does | what it earns | what the student sees |
|---|---|---|---|
{chr(10).join(rows)}

Public issues that tell of such submissions:

{issues}
"""
