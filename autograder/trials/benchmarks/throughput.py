"""The same submissions graded by stock nbgrader, by this grader and by otter-grader, and their bare cells."""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from multiprocessing.pool import ThreadPool
from pathlib import Path
from typing import Any

from nbgrader.converters import Autograde

from autograder.cohort.store import folders
from autograder.lab.settings import CONFIG
from autograder.model import Key, Result
from autograder.nbgrader.stock import TO_STDERR, read_grade, stock_environment
from autograder.trials.benchmarks import otter
from autograder.trials.benchmarks.classroom import LAB, WARNS, Handed, hand_in, make_classroom, submissions
from autograder.trials.benchmarks.measure import Cost, measure
from base.errors import UserError
from base.process import cores, python

ROUNDS = 5
"""How often this grader and the bare cells are measured, in turn: a busy machine makes either a tenth slower."""

Marks = dict[str, dict[str, float]]
"""Points by student and test."""
Say = Callable[[str], None]


def environment(folder: Path) -> dict[str, str]:
    """Return the environment of all that is measured: one thread a process, nothing of this machine's user."""
    return {name: value for name, value in stock_environment(folder).items() if name != "PYTHONDONTWRITEBYTECODE"}


def grade_stock(folder: Path, all_handed: list[Handed]) -> tuple[Cost, Marks, dict[str, set[str]]]:
    """Run `nbgrader autograde` as it comes; returns its cost, the marks and which tests saw a warning on stderr."""
    own = [f"{one.__module__}.{one.__name__}" for one in Autograde.class_traits()["autograde_preprocessors"].default()]
    with (folder / CONFIG).open("a", encoding="utf-8") as config:
        config.write(f"\nc.Autograde.autograde_preprocessors = {own!r}\n")
    command = [sys.executable, "-m", "nbgrader", "autograde", LAB]
    cost = measure([command], folder, environment(folder) | {"WARM_KERNELS": "off"}, folder / "log.txt")
    _require(cost, folder, "nbgrader autograde")
    marks, warned = dict[str, dict[str, float]](), dict[str, set[str]]()
    for one in all_handed:
        grade = read_grade(folder, LAB, one.student)
        marks[one.student] = grade.got
        warned[one.student] = {test for test, text in grade.said.items() if text.startswith(TO_STDERR)}
    return cost, marks, warned


def grade_ours(folder: Path, all_handed: list[Handed], memory: bool = False) -> tuple[Cost, Marks, dict[str, set[str]]]:
    """Grade by this grader; returns its cost, the marks in nbgrader's gradebook and which tests were rescued."""
    command = python("-m", "autograder", "grade", LAB, "--root", str(folder))
    cost = measure([command], folder, environment(folder), folder / "log.txt", memory)
    _require(cost, folder, "this grader")
    marks, rescued = dict[str, dict[str, float]](), dict[str, set[str]]()
    for one in all_handed:
        marks[one.student] = read_grade(folder, LAB, one.student).got
        path = folders(folder, None).out / "results" / LAB / f"{one.student}.json"
        result = Result.from_json(json.loads(path.read_text(encoding="utf-8"))["result"])
        rescued[one.student] = {mark.test for mark in result.marks if mark.rescued}
    return cost, marks, rescued


def _require(cost: Cost, folder: Path, what: str) -> None:
    if any(cost.codes):
        last = (folder / "log.txt").read_text(encoding="utf-8", errors="replace").strip().splitlines()[-5:]
        raise UserError(f"{what} ended with {cost.codes[-1]}:\n" + "\n".join(last))


def run_cells(folder: Path, all_handed: list[Handed], key: Key) -> tuple[float, Marks]:
    """Run the bare cells, imports paid, all cores busy; returns their CPU seconds and the marks that they would get."""
    cells = [cell for cell in key.cells if cell.runs]
    sources = {
        one.student: [
            one.answers[cell.grade_id].source if cell.grade_id in one.answers else cell.source for cell in cells
        ]
        for one in all_handed
    }
    first, *names = sources
    with ThreadPool(cores()) as pool:  # a core whose neighbour rests is faster than it would be while grading
        shares = [[first, *names[at :: cores()]] for at in range(cores())]
        done = pool.map(lambda share: _bare(folder, {name: sources[name] for name in share}), shares)
    found = {name: one for share in done for name, one in share.items()}
    tests = {at: cell for at, cell in enumerate(cells) if cell in key.tests}
    marks = {
        student: {cell.grade_id: 0.0 if at in failed else cell.points for at, cell in tests.items()}
        for student, (_, failed) in found.items()
    }
    return sum(seconds for seconds, _ in found.values()), marks


def _bare(folder: Path, sources: dict[str, list[str]]) -> dict[str, tuple[float, list[int]]]:
    command = [sys.executable, "-m", "autograder.trials.benchmarks.cells"]
    done = subprocess.run(  # noqa: S603
        command, cwd=folder, env=environment(folder), input=json.dumps(sources), capture_output=True, text=True
    )
    if done.returncode:
        raise UserError(f"the bare cells cannot be run: {done.stderr.strip().splitlines()[-1]}")
    found: dict[str, tuple[float, list[int]]] = json.loads(done.stdout)
    return found


def compare(stock: Marks, ours: Marks, warned: dict[str, set[str]], rescued: dict[str, set[str]]) -> dict[str, Any]:
    """Compare the marks of nbgrader and of this grader, test by test.

    Returns:
        How many are `equal`; how many differ as they are meant to: `warned` (a warning on stderr, no points from
        nbgrader) and `rescued` (an earlier mistake counts once here); and all that differ otherwise.
    """
    found: dict[str, Any] = {"equal": 0, "warned": 0, "rescued": 0, "different": []}
    for student in sorted(stock.keys() | ours.keys()):
        theirs, own = stock.get(student, {}), ours.get(student, {})
        for test in sorted(theirs.keys() | own.keys()):
            a, b = theirs.get(test), own.get(test)
            if a is not None and a == b:
                found["equal"] += 1
            elif a == 0 and b and test in warned.get(student, ()):
                found["warned"] += 1
            elif a is not None and b is not None and a < b and test in rescued.get(student, ()):
                found["rescued"] += 1
            else:
                found["different"].append(f"{student} {test}: nbgrader {a}, this grader {b}")
    return found


def _same(marks: Marks, stock: Marks) -> int:
    """Return how many marks are nbgrader's."""
    return sum(of.get(test) == points for student, of in marks.items() for test, points in stock[student].items())


def _cost(cost: Cost) -> dict[str, Any]:
    return {"wall": round(cost.wall, 2), "cpu": round(cost.cpu, 2), "counted": cost.counted}


def run(count: int, with_otter: bool, say: Say) -> dict[str, Any]:
    """Measure everything with so many submissions.

    Returns:
        The section `throughput` of the results; `faults` in it are marks that are not as they must be.

    Raises:
        UserError: Something could not be graded. (otter-grader may fail: its part then says why.)
    """
    with tempfile.TemporaryDirectory(prefix="benchmark-") as name:
        base = Path(name).resolve() / "base"
        base.mkdir()
        key = make_classroom(base)
        all_handed = submissions(count, key)
        hand_in(base, all_handed)
        stock_folder = Path(shutil.copytree(base, base.parent / "stock"))
        _warm_up(base)

        say(f"nbgrader autograde: {count} submissions")
        stock, stock_marks, warned = grade_stock(stock_folder, all_handed)
        say(f"  {stock.wall:.1f} s, {stock.cpu:.1f} s of CPU\nthis grader and the bare cells: {count} submissions")
        rounds, faults = list[tuple[Cost, float]](), list[str]()
        for number in range(ROUNDS):
            folder = Path(shutil.copytree(base, base.parent / f"ours-{number}"))
            ours, our_marks, rescued = grade_ours(folder, all_handed)
            cells, cell_marks = run_cells(base, all_handed, key)
            rounds.append((ours, cells))
            say(f"  {ours.wall:.1f} s, {ours.cpu:.1f} s of CPU; {cells:.1f} s of CPU")
            for one in all_handed:
                if our_marks[one.student] != (must := one.marks(key)):
                    faults.append(f"{one.student}: this grader gives {our_marks[one.student]}, right is {must}")
        ours, cells = sorted(rounds, key=lambda one: one[0].wall / one[1])[ROUNDS // 2]
        say(f"otter run: {count} submissions")
        theirs = _grade_otter(base, all_handed, key, stock_marks) if with_otter else {"why": "not asked for"}
        say("  " + (theirs["why"] if "why" in theirs else f"{theirs['wall']:.1f} s, {theirs['cpu']:.1f} s of CPU"))
        compared = compare(stock_marks, our_marks, warned, rescued)
        faults += compared.pop("different")
        for one in all_handed:
            for test, points in cell_marks[one.student].items():
                if stock_marks[one.student].get(test) != points and test not in warned[one.student]:
                    faults.append(f"{one.student} {test}: the bare cell gets {points}, not as by nbgrader")
        return {
            "submissions": count,
            "tests": len(key.tests),
            "warnings": sum(answer.kind == WARNS for one in all_handed for answer in one.answers.values()),
            "stock": _cost(stock),
            "ours": _cost(ours),
            "otter": theirs,
            "cells": round(cells, 2),
            "rounds": [{"wall": round(one.wall, 2), "cells": round(its, 2)} for one, its in rounds],
            "marks": compared,
            "faults": faults,
        }


def _warm_up(folder: Path) -> None:
    """Have what is imported in the file cache, so that who is measured first does not pay for all."""
    imports = "import mlflow, nbgrader.apps, pandas, sklearn"
    subprocess.run([sys.executable, "-c", imports], cwd=folder, env=environment(folder), check=True)  # noqa: S603


def _grade_otter(base: Path, all_handed: list[Handed], key: Key, stock: Marks) -> dict[str, Any]:
    folder = base.parent / "otter"
    variables = environment(folder)
    try:
        bin_ = otter.install(base.parent / "otter-env", variables)
        otter.set_up(folder, base, all_handed, key)
        cost, marks = otter.grade(folder, bin_, all_handed, variables)
    except UserError as error:
        return {"why": f"it could not be measured here: {error}"}
    return _cost(cost) | {"version": otter.OTTER.partition("==")[2], "same": _same(marks, stock)}
