"""Proof that a lab grades right.

The solution and every other right answer must get all points, the untouched release none, and a misconception must
lose exactly the points that it names. An answer that returns nothing of use must be told what was expected. Mutants,
reference answers changed by machine, must be caught or excused. Solution and release are graded by stock nbgrader,
too: the same test cells serve both (with `stock`, all submissions).
As a command: `python -m course.prove LAB [--only ex2]`.
"""

import argparse
import contextlib
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Any

import nbformat
from nbconvert.filters import strip_ansi
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.validator import Validator
from rich.console import Console
from rich.table import Table

from autograder.grade import Grader
from autograder.key import load_key
from autograder.model import ANSWER, Key, Submission
from autograder.mutants import (
    Alternative,
    Mutant,
    Verdict,
    judge,
    load_alternatives,
    load_exemptions,
    mutants,
)
from autograder.plugin import STOCK as STOCK_STEPS
from autograder.sandbox import why_not
from course.build.labs import (
    course_config,
    generate_assignment,
    grade_cells,
    load_misconceptions,
    set_up_course,
)
from course.child import plain_environment, python
from course.execute import ONE_THREAD
from course.hollow import hollow_faults
from course.misconceptions import Misconception
from course.paths import ROOT, BuildError, CourseError
from course.quiet import TELEMETRY_OFF, quiet
from course.tools import tools_path

SOLUTION, RELEASE, STOCK = "solution", "release", " (nbgrader)"
TO_STDERR = "wrote to stderr: "
FEWEST = 3
"""Misconceptions that an exercise needs before its tests count as proven."""


APART = (
    ": the test cannot work here, for stock nbgrader gives the points: it looks at something that does not travel "
    'from the student\'s process; autograder/README.md, "What that asks of a lab", says what does'
)
"""What is said of a test that right answers pass in one process, and not in two."""


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
    mutants: Verdict | None = None

    @property
    def ok(self) -> bool:
        """Whether every submission got exactly its points and nothing else is wrong."""
        return not self.problems and all(not row.wrong for row in self.rows) and (not self.mutants or self.mutants.ok)

    def failures(self) -> str:
        """Return what is wrong, one line each; empty when all is well."""
        lines = list(self.problems)
        for row in self.rows:
            lines += [
                f"{row.submission}: {name}: expected {row.expected[name]:g}, got "
                f"{'nothing' if name not in row.got else format(row.got[name], 'g')}"
                f"{' (' + row.said[name] + ')' if name in row.said else ''}"
                f"{APART if name in self._right_in_one_process(row) else ''}"
                for name in row.wrong
            ]
        if self.mutants:
            lines += [
                f"{mutant.name}: no test catches {mutant.was.strip()!r} -> {mutant.becomes.strip()!r}: add a hidden "
                f"test, or say in solutions/{self.lab}/mutants.yml why it is right"
                for mutant in self.mutants.survivors
            ]
            lines += self.mutants.faults
        return "\n".join(lines)

    def _right_in_one_process(self, row: ProofRow) -> list[str]:
        """Return the test cells that the same answers pass by stock nbgrader, where tests and answers are together."""
        stock = next((other for other in self.rows if other.submission == row.submission + STOCK), None)
        return [name for name in row.wrong if stock and stock.got.get(name) == row.expected[name]]

    def render(self) -> Table:
        """Return the table for a terminal."""
        table = Table(title=self.lab, show_lines=False)
        for heading in ("submission", "points", "loses", "verdict"):
            table.add_column(heading, justify="right" if heading == "points" else "left", overflow="fold")
        most = sum(next((row.expected for row in self.rows if row.submission == SOLUTION), {}).values())
        for row in self.rows:
            lost = [name for name, points in row.expected.items() if row.got.get(name, 0) < points]
            meant = row.why if lost and row.submission.removesuffix(STOCK) not in (SOLUTION, RELEASE) else ""
            verdict = "[green]as it must[/]" if not row.wrong else f"[red]wrong: {', '.join(row.wrong or lost)}[/]"
            table.add_row(row.submission, f"{sum(row.got.values()):g} of {most:g}", meant, verdict)
        if self.mutants:
            found = self.mutants
            verdict = "[green]as it must[/]" if found.ok else f"[red]{len(found.survivors)} not caught[/]"
            count = len(found.caught) + len(found.excused) + len(found.survivors)
            table.add_row(f"{count} mutants", "", f"{len(found.excused)} excused with a reason", verdict)
        return table


def _submissions(source: Any, release: Any, others: Sequence[Misconception | Alternative]) -> dict[str, Any]:
    """Return one notebook per submission, by the name of its student."""
    notebooks = {SOLUTION: source, RELEASE: release}
    for one in others:
        notebook = nbformat.from_dict(source)  # type: ignore[no-untyped-call]
        grade_cells(notebook)[one.answers].source = one.source
        notebooks[one.name] = notebook
    return notebooks


def _environment(folder: Path) -> dict[str, str]:
    """Return the environment of a grading process: one thread, no settings of this machine's user, no telemetry."""
    own = {"JUPYTER_CONFIG_DIR": str(folder / "config"), "IPYTHONDIR": str(folder / "ipython"), "PATH": tools_path()}
    return {**plain_environment(), **ONE_THREAD, **own, **TELEMETRY_OFF}


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
            stock = [f"--Autograde.autograde_preprocessors={name}" for name in STOCK_STEPS]
            command = python("-m", "nbgrader", "autograde", lab, *stock)
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
            return TO_STDERR + _plain(output.text)
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
        elif fault and not fault.startswith(TO_STDERR):
            faults.append(f"cell {number} ({grading.get('grade_id', 'plain')}) fails: {fault}")
    return got, said, faults


def prove(lab: str, root: Path = ROOT, only: str = "", workers: int = 2, stock: bool = False) -> ProofTable:
    """Grade the solution, the untouched release, every other answer that is known, and every mutant of a lab.

    Args:
        lab: Name of the lab, as its folder in `solutions/`.
        root: The repository.
        only: Grade only the misconceptions, alternatives and mutants whose name contains this (`ex2`, `ex2-at-random`).
        workers: Submissions at a time.
        stock: Grade all but the mutants by stock nbgrader, too; else only solution and release.

    Returns:
        The table; `ok` says whether the lab is proven.

    Raises:
        BuildError: The lab, a misconception or an alternative breaks the format.
        CourseError: This system cannot fork (macOS, Windows).
    """
    quiet()
    table = ProofTable(lab)
    every = load_misconceptions(lab, root)
    wrong: list[Misconception] = [one for one in every if only in one.name]
    right: list[Alternative] = [one for one in load_alternatives(lab, root) if only in one.name]
    if only and not wrong and not right and not only.startswith("ex"):
        raise BuildError(f"{lab} has no misconception whose name contains {only!r}")
    with tempfile.TemporaryDirectory(prefix="course-prove-") as temporary:
        base = Path(temporary).resolve() / "base"
        base.mkdir()
        set_up_course(base, [lab], root)
        generate_assignment(base, lab)
        key = load_key(lab, base)
        source = nbformat.read(base / "solutions" / lab / f"{lab}.ipynb", as_version=4)  # type: ignore[no-untyped-call]
        release = nbformat.read(base / "labs" / lab / f"{lab}.ipynb", as_version=4)  # type: ignore[no-untyped-call]
        points = {cell.grade_id: cell.points for cell in key.tests}
        answers = [cell.grade_id for cell in key.cells if cell.kind == ANSWER]
        if only and not wrong and not right and only.partition("-")[0] not in answers:
            raise BuildError(f"{lab} has no misconception whose name contains {only!r}")
        for answer in (name for name in answers if only in ("", name)):
            count = sum(one.answers == answer for one in every)
            if count < FEWEST:
                table.problems.append(f"{answer} has {count} misconceptions: write at least {FEWEST}")

        submissions = _submissions(source, release, [*right, *wrong])
        expected = {SOLUTION: points, RELEASE: dict.fromkeys(points, 0.0)} | {one.name: points for one in right}
        expected |= {one.name: {name: points[name] - one.loses.get(name, 0) for name in points} for one in wrong}
        why = {SOLUTION: "the reference answers", RELEASE: "as handed out"}
        why |= {one.name: one.why for one in right} | {one.name: one.why for one in wrong}
        with Grader(key, sandbox=why_not() is None, jobs=workers) as grader, ThreadPool(workers) as pool:
            begin = time.monotonic()
            alone = grader.grade(_handed_in(SOLUTION, source))
            slow = time.monotonic() - begin
            rest = [_handed_in(name, notebook) for name, notebook in submissions.items() if name != SOLUTION]
            for result in (alone, *pool.imap(grader.grade, rest)):
                name = result.student
                got = {mark.test: mark.score for mark in result.marks if mark.score is not None}
                said = {mark.test: mark.reason for mark in result.marks if mark.reason}
                table.rows.append(ProofRow(name, why[name], expected[name], got, said))
                table.problems += [f"{name}: {note}" for note in (*result.notes, result.fault) if note]
            if not only:
                table.problems += hollow_faults(
                    lab, source, lambda name, notebook: grader.grade(_handed_in(name, notebook), rescue=False)
                )
            # A mutant may never end: it gets a few times what the reference answers take on this machine now.
            grader.limits = replace(grader.limits, cell_seconds=max(8.0, 2.5 * slow))
            table.mutants = _hunt(key, grader, pool, root, only, source)

        by_stock = submissions if stock else {name: submissions[name] for name in (SOLUTION, RELEASE)}
        with _grading(base, lab, by_stock, workers) as folders:
            table.problems += _validate(base, lab)
        for number, name in enumerate(by_stock):
            got, said, faults = _read(folders[number % len(folders)], lab, name)
            warns = [test for test, text in said.items() if text.startswith(TO_STDERR)]
            if name not in (SOLUTION, RELEASE):  # what the autograder does not mind, nbgrader takes for a failure
                got |= {test: expected[name][test] for test in warns}
            table.rows.append(ProofRow(name + STOCK, why[name], expected[name], got, said))
            # What a wrong answer breaks beside its tests is its own affair; solution and release must run through.
            if name in (SOLUTION, RELEASE) or not got:
                table.problems += [f"{name}{STOCK}: {fault}" for fault in faults]
    return table


def _handed_in(name: str, notebook: Any) -> Submission:
    return Submission(name, nbformat.writes(notebook).encode())  # type: ignore[no-untyped-call]


def _hunt(key: Key, grader: Grader, pool: Any, root: Path, only: str, source: Any) -> Verdict:
    """Grade every mutant by the tests of its own exercise, and judge which are caught."""
    exercise = only.partition("-")[0]
    found = [one for one in mutants(key) if exercise in ("", one.answers)]
    tests: dict[str, set[str]] = {}
    for cell in key.tests:
        tests.setdefault(key.exercise(cell.grade_id), set()).add(cell.grade_id)

    def survives(mutant: Mutant) -> bool:
        notebook = nbformat.from_dict(source)  # type: ignore[no-untyped-call]
        grade_cells(notebook)[mutant.answers].source = mutant.source
        result = grader.grade(_handed_in(mutant.name, notebook), tests[mutant.answers], rescue=False)
        return all(mark.score in (None, mark.points) for mark in result.marks)

    survived = [mutant.name for mutant, lives in zip(found, pool.imap(survives, found), strict=True) if lives]
    exemptions = [one for one in load_exemptions(key.lab, root) if exercise in ("", one.answers)]
    return judge(key, survived, exemptions)


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
    parser.add_argument("--stock", action="store_true", help="grade everything by stock nbgrader, too")
    wanted = parser.parse_args()
    try:
        proof = prove(wanted.lab, only=wanted.only, stock=wanted.stock)
    except CourseError as error:
        sys.exit(f"course prove: {error}")
    Console().print(proof.render())
    sys.exit(proof.failures() or 0)
