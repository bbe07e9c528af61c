"""Proof that a lab grades right: stock nbgrader on the solution, on the untouched release and on every misconception.

The solution must get every point, the release none, and a misconception must lose exactly the points that it names.
As a command: `python -m course.prove LAB [--only ex2]`.
"""

import argparse
import contextlib
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.filters import strip_ansi
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.validator import Validator
from rich.console import Console
from rich.table import Table

from course.build.labs import (
    Misconception,
    course_config,
    generate_assignment,
    grade_cells,
    load_misconceptions,
    set_up_course,
    tools_path,
)
from course.build.notebooks import BuildError
from course.execute import ONE_THREAD
from course.paths import ROOT, CourseError
from course.quiet import TELEMETRY_OFF, quiet

SOLUTION, RELEASE = "solution", "release"
FEWEST = 3
"""Misconceptions that an exercise needs before its tests count as proven."""


@dataclass(frozen=True)
class ProofRow:
    """One graded submission: points per test cell as they must be and as they are, and what the failing tests said."""

    submission: str
    why: str
    expected: dict[str, float]
    got: dict[str, float]
    said: dict[str, str]

    @property
    def wrong(self) -> list[str]:
        """The test cells whose points are not as expected."""
        return [name for name in self.expected if self.got.get(name) != self.expected[name]]


@dataclass
class ProofTable:
    """The proof of one lab. `problems` are faults of the lab that no single row shows."""

    lab: str
    rows: list[ProofRow] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Whether every submission got exactly its points and nothing else is wrong."""
        return not self.problems and all(not row.wrong for row in self.rows)

    def failures(self) -> str:
        """Return what is wrong, one line each; empty when all is well."""
        lines = list(self.problems)
        for row in self.rows:
            lines += [
                f"{row.submission}: {name}: expected {row.expected[name]:g}, got "
                f"{'nothing' if name not in row.got else format(row.got[name], 'g')}"
                f"{' (' + row.said[name] + ')' if name in row.said else ''}"
                for name in row.wrong
            ]
        return "\n".join(lines)

    def render(self) -> Table:
        """Return the table for a terminal."""
        table = Table(title=f"{self.lab}: graded by stock nbgrader", show_lines=False)
        for heading in ("submission", "points", "loses", "verdict"):
            table.add_column(heading, justify="right" if heading == "points" else "left", overflow="fold")
        most = sum(next((row.expected for row in self.rows if row.submission == SOLUTION), {}).values())
        for row in self.rows:
            lost = [name for name, points in row.expected.items() if row.got.get(name, 0) < points]
            meant = "" if row.submission in (SOLUTION, RELEASE) else row.why
            verdict = "[green]as it must[/]" if not row.wrong else f"[red]wrong: {', '.join(row.wrong or lost)}[/]"
            table.add_row(row.submission, f"{sum(row.got.values()):g} of {most:g}", meant, verdict)
        return table


def _submissions(source: Any, release: Any, wrong: list[Misconception]) -> dict[str, Any]:
    """Return one notebook per submission, by the name of its student."""
    notebooks = {SOLUTION: source, RELEASE: release}
    for one in wrong:
        notebook = nbformat.from_dict(source)  # type: ignore[no-untyped-call]
        grade_cells(notebook)[one.answers].source = one.source
        notebooks[one.name] = notebook
    return notebooks


def _environment(folder: Path) -> dict[str, str]:
    """Return the environment of a grading process: one thread, no settings of this machine's user, no telemetry."""
    own = {"JUPYTER_CONFIG_DIR": str(folder / "config"), "IPYTHONDIR": str(folder / "ipython"), "PATH": tools_path()}
    return {**os.environ, **ONE_THREAD, **own, **TELEMETRY_OFF}


@contextlib.contextmanager
def _grading(base: Path, lab: str, submissions: dict[str, Any], workers: int) -> Any:
    """Autograde in `workers` processes with a gradebook each; yields the course folders, done after the block."""
    folders, processes = [], []
    names = list(submissions)
    for number in range(min(workers, len(names))):
        folder = base.parent / f"worker-{number}"
        shutil.copytree(base, folder)
        for name in names[number::workers]:
            path = folder / "autograder" / "submitted" / name / lab / f"{lab}.ipynb"
            path.parent.mkdir(parents=True)
            nbformat.write(submissions[name], path)  # type: ignore[no-untyped-call]
        with (folder / "log.txt").open("wb") as log:
            command = [sys.executable, "-m", "nbgrader", "autograde", lab]
            process = subprocess.Popen(  # noqa: S603
                command, cwd=folder, env=_environment(folder), stdout=log, stderr=subprocess.STDOUT
            )
        folders.append(folder)
        processes.append(process)
    try:
        yield folders
        for process in processes:
            process.wait()
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
                process.wait()


def _plain(text: str) -> str:
    """Return text on one line, without colours, cut where it gets long."""
    return " ".join(strip_ansi(text).split())[:300]  # type: ignore[no-untyped-call]


def _fault(cell: Any) -> str | None:
    """Return in one line why a cell failed; None where it did not."""
    for output in cell.get("outputs", []):
        if output.output_type == "error":
            return _plain(f"{output.ename}: {output.evalue}")
        if output.output_type == "stream" and output.name == "stderr":
            return "wrote to stderr: " + _plain(output.text)
    return None


def _read(folder: Path, lab: str, name: str) -> tuple[dict[str, float], dict[str, str], list[str]]:
    """Return the points of a submission, what its failing tests said, and the faults of its cells that are no tests."""
    with Gradebook(f"sqlite:///{folder / 'gradebook.db'}") as gradebook:
        try:
            grades = gradebook.find_submission_notebook(lab, lab, name).grades
            got = {grade.name: grade.auto_score for grade in grades if grade.auto_score is not None}
        except MissingEntry:
            got = {}
    path = folder / "autograder" / "autograded" / name / lab / f"{lab}.ipynb"
    if not path.is_file():
        log = (folder / "log.txt").read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return {}, {}, ["nbgrader could not grade it: " + " / ".join(log[-3:])]
    said, faults = {}, []
    for number, cell in enumerate(nbformat.read(path, as_version=4).cells, 1):  # type: ignore[no-untyped-call]
        grading = cell.metadata.get("nbgrader", {})
        fault = _fault(cell)
        if fault and grading.get("grade"):
            said[grading["grade_id"]] = fault
        elif fault and not fault.startswith("wrote to stderr"):
            faults.append(f"cell {number} ({grading.get('grade_id', 'plain')}) fails: {fault}")
    return got, said, faults


def prove(lab: str, root: Path = ROOT, only: str = "", workers: int = 2) -> ProofTable:
    """Grade the solution, the untouched release and every misconception of a lab with stock nbgrader.

    Args:
        lab: Name of the lab, as its folder in `solutions/`.
        root: The repository.
        only: Grade only the misconceptions whose name contains this (`ex2`, `ex2-at-random`).
        workers: Grading processes at a time.

    Returns:
        The table; `ok` says whether the lab is proven.

    Raises:
        BuildError: The lab or a misconception breaks the format.
    """
    quiet()
    table = ProofTable(lab)
    every = load_misconceptions(lab, root)
    wrong = [one for one in every if only in one.name]
    if only and not wrong:
        raise BuildError(f"{lab} has no misconception whose name contains {only!r}")
    with tempfile.TemporaryDirectory(prefix="course-prove-") as temporary:
        base = Path(temporary).resolve() / "base"
        base.mkdir()
        set_up_course(base, [lab], root)
        generate_assignment(base, lab)
        source = nbformat.read(base / "solutions" / lab / f"{lab}.ipynb", as_version=4)  # type: ignore[no-untyped-call]
        release = nbformat.read(base / "labs" / lab / f"{lab}.ipynb", as_version=4)  # type: ignore[no-untyped-call]
        cells = {name: cell.metadata["nbgrader"] for name, cell in grade_cells(source).items()}
        points = {name: float(cell["points"]) for name, cell in cells.items() if cell["grade"]}
        for answer in (name for name, cell in cells.items() if cell["solution"] and only in ("", name)):
            count = sum(one.answers == answer for one in every)
            if count < FEWEST:
                table.problems.append(f"{answer} has {count} misconceptions: write at least {FEWEST}")
        submissions = _submissions(source, release, wrong)

        with _grading(base, lab, submissions, workers) as folders:
            table.problems += _validate(base, lab)

        expected = {SOLUTION: points, RELEASE: dict.fromkeys(points, 0.0)}
        expected |= {one.name: {name: points[name] - one.loses.get(name, 0) for name in points} for one in wrong}
        why = {SOLUTION: "the reference answers", RELEASE: "as handed out"} | {one.name: one.why for one in wrong}
        for number, name in enumerate(submissions):
            got, said, faults = _read(folders[number % len(folders)], lab, name)
            table.rows.append(ProofRow(name, why[name], expected[name], got, said))
            # What a wrong answer breaks beside its tests is its own affair; solution and release must run through.
            if name in (SOLUTION, RELEASE) or not got:
                table.problems += [f"{name}: {fault}" for fault in faults]
    return table


def _validate(base: Path, lab: str) -> list[str]:
    """Run nbgrader's validator on the solution; returns what it found."""
    validator = Validator(config=course_config(base))
    found = validator.validate(str(base / "solutions" / lab / f"{lab}.ipynb"))
    return [
        f"nbgrader's validator, {kind}: {one.get('raw_error', one['source']).strip()}"
        for kind, many in found.items()
        for one in many
    ]


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="course prove", description="Prove that a lab grades right.")
    parser.add_argument("lab")
    parser.add_argument("--only", default="", metavar="TEXT", help="only the misconceptions whose name contains this")
    wanted = parser.parse_args()
    try:
        proof = prove(wanted.lab, only=wanted.only)
    except CourseError as error:
        sys.exit(f"course prove: {error}")
    Console().print(proof.render())
    sys.exit(proof.failures() or 0)
