"""Proof that a lab grades right.

The solution and every other right answer must get all points, the untouched release none, and a misconception must
lose exactly the points that it names. An answer that returns nothing of use must be told what was expected. Mutants,
reference answers changed by machine, must be caught or excused. Solution and release are graded by stock nbgrader,
too: the same test cells serve both (with `stock`, all submissions).
As a command: `python -m authoring.proof.prove LAB [--only ex2]`.
"""

import argparse
import contextlib
import json
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import replace
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Any

import nbformat
from rich.console import Console

from authoring.labs import load_misconceptions, set_up_course
from authoring.proof.answers import Alternative, load_alternatives, load_exemptions
from authoring.proof.hollow import hollow_faults
from authoring.proof.mutants import MOST, Mutant, Verdict, judge, mutants
from authoring.proof.table import FEWEST, RELEASE, SOLUTION, STOCK, ProofRow, ProofTable
from authoring.repository import ROOT
from autograder.examiner.grader import Grader
from autograder.examiner.handles import Limits
from autograder.lab.cells import grade_cells
from autograder.lab.key import load_key
from autograder.lab.misconceptions import Misconception
from autograder.lab.reach import independent, reached, with_needed
from autograder.model import ANSWER, TEST, Key, Result, Submission
from autograder.nbgrader.release import generate_assignment
from autograder.nbgrader.stock import TO_STDERR, StockGrade, grade_by_stock
from autograder.sandbox.confine import why_not
from base.errors import BuildError, UserError
from base.quiet import quiet

LEAST, TIMES = 1.5, 4.0
"""A mutant's time for a cell: at least so many seconds, and so many times what the reference's slowest took there."""


def _submissions(source: Any, release: Any, others: Sequence[Misconception | Alternative]) -> dict[str, Any]:
    """Return one notebook per submission, by the name of its student."""
    notebooks = {SOLUTION: source, RELEASE: release}
    for one in others:
        notebook = nbformat.from_dict(source)  # type: ignore[no-untyped-call]
        grade_cells(notebook)[one.answers].source = one.source
        notebooks[one.name] = notebook
    return notebooks


def prove(
    lab: str,
    root: Path = ROOT,
    only: str = "",
    workers: int = 2,
    stock: bool | None = False,
    everything: bool = False,
    most: int = MOST,
) -> ProofTable:
    """Grade the solution, the untouched release, every other answer that is known, and every mutant of a lab.

    Of the other answers, only those tests run that the changed cell can reach (`autograder.lab.reach`); the rest have
    the solution's points. One wrong answer is graded by all tests, as a check of that.

    Args:
        lab: Name of the lab, as its folder in `solutions/`.
        root: The repository.
        only: Grade only the misconceptions, alternatives and mutants whose name contains this (`ex2`, `ex2-at-random`).
        workers: Submissions at a time.
        stock: Grade all but the mutants by stock nbgrader, too; if False, only solution and release; if None, nothing
            (`prove_by_stock` does it for many labs at once).
        everything: Grade every other answer by all tests.
        most: Mutants of an answer, at most.

    Returns:
        The table; `ok` says whether the lab is proven.

    Raises:
        BuildError: The lab, a misconception or an alternative breaks the format.
        UserError: This system cannot fork (macOS, Windows).
    """
    quiet()
    table = ProofTable(lab)
    every = load_misconceptions(lab, root)
    wrong: list[Misconception] = [one for one in every if only in one.name]
    right: list[Alternative] = [one for one in load_alternatives(lab, root) if only in one.name]
    if only and not wrong and not right and not only.startswith("ex"):
        raise BuildError(f"{lab} has no misconception whose name contains {only!r}")
    with _made([lab], root) as base:
        key = load_key(lab, base)
        source, release = _solution(base, lab), _release(base, lab)
        points = {cell.grade_id: cell.points for cell in key.tests}
        answers = [cell.grade_id for cell in key.cells if cell.kind == ANSWER]
        if only and not wrong and not right and only.partition("-")[0] not in answers:
            raise BuildError(f"{lab} has no misconception whose name contains {only!r}")
        for answer in (name for name in answers if only in ("", name)):
            count = sum(one.answers == answer for one in every)
            if count < FEWEST:
                table.problems.append(f"{answer} has {count} misconceptions: write at least {FEWEST}")

        others: list[Misconception | Alternative] = [*right, *wrong]
        submissions = _submissions(source, release, others)
        expected = {SOLUTION: points, RELEASE: dict.fromkeys(points, 0.0)} | {one.name: points for one in right}
        expected |= {one.name: {name: points[name] - one.loses.get(name, 0) for name in points} for one in wrong}
        why = {SOLUTION: "the reference answers", RELEASE: "as handed out"}
        why |= {one.name: one.why for one in right} | {one.name: one.why for one in wrong}
        reach = {one.name: reached(key, one.answers, one.source) for one in others}
        reach |= {one.name: reach[one.name] | set(one.loses) for one in wrong}
        reach = {name: with_needed(key, tests) for name, tests in reach.items()}
        # The one for which most is left out; its answer's cell stands early, so much could build on it.
        whole = {min(wrong, key=lambda one: len(reach[one.name])).name} if wrong else set[str]()
        whole |= set(reach) if everything else set()
        with Grader(key, sandbox=why_not() is None, jobs=workers, hidden=[root]) as grader, ThreadPool(workers) as pool:
            results = {SOLUTION: grader.grade(_handed_in(SOLUTION, source))}
            took = grader.took
            in_full = [_handed_in(name, submissions[name]) for name in submissions if name in (RELEASE, *whole)]
            results |= {result.student: result for result in pool.imap(grader.grade, in_full)}
            grader.run_ahead(independent(key))
            if not only:
                table.problems += hollow_faults(
                    lab, source, lambda name, notebook: grader.grade(_handed_in(name, notebook), rescue=False)
                )

            def differing(name: str) -> Result:
                return grader.grade(_handed_in(name, submissions[name]), reach[name])

            rest = [name for name in submissions if name not in results]
            results |= {result.student: result for result in pool.imap(differing, rest)}
            table.mutants = _hunt(key, grader, pool, root, only, source, took, most)
        untouched = {mark.test: mark.score for mark in results[SOLUTION].marks if mark.score is not None}
        for name in submissions:
            result = results[name]
            ran = {mark.test: mark.score for mark in result.marks if mark.score is not None}
            said = {mark.test: mark.reason for mark in result.marks if mark.reason}
            table.rows.append(
                ProofRow(name, why[name], expected[name], untouched | ran if name in reach else ran, said)
            )
            table.problems += [f"{name}: {note}" for note in (*result.notes, result.fault) if note]
            if name in whole:
                table.problems += [
                    f"{name}: {test} changes with it, and no name in the cells says why: let the cells that depend on "
                    "one another name what they share"
                    for test in sorted(ran.keys() - reach[name])
                    if ran[test] != untouched.get(test)
                ]
        if stock is not None:
            by_stock = submissions if stock else {name: submissions[name] for name in (SOLUTION, RELEASE)}
            for (_, name), grade in grade_by_stock(base, {lab: by_stock}, workers).items():
                _add_stock(table, name, why[name], expected[name], grade)
    return table


def prove_by_stock(labs: Sequence[str], root: Path = ROOT, workers: int = 2) -> list[ProofTable]:
    """Grade solution and release of labs by stock nbgrader, all in one go; returns a table a lab with just these rows.

    Raises:
        BuildError: A lab breaks the format.
    """
    quiet()
    with _made(labs, root) as base:
        notebooks = {lab: {SOLUTION: _solution(base, lab), RELEASE: _release(base, lab)} for lab in labs}
        tables = {lab: ProofTable(lab) for lab in labs}
        for (lab, name), grade in grade_by_stock(base, notebooks, workers).items():
            points = {cell.grade_id: cell.points for cell in load_key(lab, base).tests}
            expected = points if name == SOLUTION else dict.fromkeys(points, 0.0)
            _add_stock(tables[lab], name, "", expected, grade)
    return list(tables.values())


def _add_stock(table: ProofTable, name: str, why: str, expected: dict[str, float], grade: StockGrade) -> None:
    """Enter a row of stock nbgrader's."""
    got, plain = dict(grade.got), name in (SOLUTION, RELEASE)
    if not plain:  # what the autograder does not mind, nbgrader takes for a failure
        got |= {test: expected[test] for test, text in grade.said.items() if text.startswith(TO_STDERR)}
    table.rows.append(ProofRow(name + STOCK, why, expected, got, grade.said))
    # What a wrong answer breaks beside its tests is its own affair; solution and release must run through.
    if plain or not got:
        table.problems += [f"{name}{STOCK}: {fault}" for fault in grade.faults]


@contextlib.contextmanager
def _made(labs: Sequence[str], root: Path) -> Iterator[Path]:
    """Yield a course directory of nbgrader with these labs, their releases made."""
    with tempfile.TemporaryDirectory(prefix="course-prove-") as temporary:
        base = Path(temporary).resolve() / "base"
        base.mkdir()
        set_up_course(base, list(labs), root)
        for lab in labs:
            generate_assignment(lab, base)
        yield base


def _solution(base: Path, lab: str) -> Any:
    return nbformat.read(base / "solutions" / lab / f"{lab}.ipynb", as_version=4)  # type: ignore[no-untyped-call]


def _release(base: Path, lab: str) -> Any:
    return nbformat.read(base / "labs" / lab / f"{lab}.ipynb", as_version=4)  # type: ignore[no-untyped-call]


def _handed_in(name: str, notebook: Any) -> Submission:
    return Submission(name, json.dumps(notebook).encode())  # not by nbformat: it validates, hundreds of times


def _hunt(
    key: Key, grader: Grader, pool: Any, root: Path, only: str, source: Any, took: dict[int, float], most: int
) -> Verdict:
    """Grade every mutant by the tests of its own exercise up to its first lost point, and judge which are caught.

    Mutants are the author's own, so they are trusted: tests run beside them in one process, at half the cost.
    `took`: the seconds of each of the key's cells with the reference answers.
    """
    exercise = only.partition("-")[0]
    found = [one for one in mutants(key, most) if exercise in ("", one.answers)]
    survived, faults = list[str](), list[str]()
    for answer in dict.fromkeys(one.answers for one in found):
        tests = with_needed(key, {cell.grade_id for cell in key.tests if key.exercise(cell.grade_id) == answer})
        grader.limits = _limits(grader.limits, key, tests, took)

        def keeps_all(name: str, notebook: Any, tests: set[str] = tests) -> bool:
            result = grader.grade(_handed_in(name, notebook), tests, together=True)
            return all(mark.score in (None, mark.points) for mark in result.marks)

        def survives(mutant: Mutant) -> bool:
            notebook = nbformat.from_dict(source)  # type: ignore[no-untyped-call]
            grade_cells(notebook)[mutant.answers].source = mutant.source
            return keeps_all(mutant.name, notebook)

        if not keeps_all(SOLUTION, source):
            faults.append(f"{answer}: its tests fail where they run in one process with the reference answers")
        mine = [one for one in found if one.answers == answer]
        survived += [mutant.name for mutant, lives in zip(mine, pool.imap(survives, mine), strict=True) if lives]
    exemptions = [one for one in load_exemptions(key.lab, root) if exercise in ("", one.answers)]
    verdict = judge(key, survived, exemptions, most)
    return replace(verdict, faults=(*verdict.faults, *faults))


def _limits(limits: Limits, key: Key, tests: set[str], took: dict[int, float]) -> Limits:
    """Return what a mutant may use, which may never end: some times what the reference took for such a cell.

    A box's clock counts, so that a busy machine condemns nobody.
    """
    last = max(at for at, cell in enumerate(key.cells) if cell.grade_id in tests)
    slowest = max(took.get(at, 0.0) for at, cell in enumerate(key.cells[: last + 1])
                  if cell.kind != TEST or cell.grade_id in tests)  # fmt: skip
    return replace(limits, cell_seconds=max(LEAST, TIMES * slowest))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(prog="course prove", description="Prove that a lab grades right.")
    parser.add_argument("lab")
    parser.add_argument("--only", default="", metavar="TEXT", help="only the misconceptions whose name contains this")
    parser.add_argument("--stock", action="store_true", help="grade everything by stock nbgrader, too")
    parser.add_argument("--everything", action="store_true", help="run all tests for each misconception")
    wanted = parser.parse_args()
    try:
        proof = prove(wanted.lab, only=wanted.only, stock=wanted.stock, everything=wanted.everything)
    except UserError as error:
        sys.exit(f"course prove: {error}")
    Console().print(proof.render())
    sys.exit(proof.failures() or 0)
