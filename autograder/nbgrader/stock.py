"""Submissions graded by stock nbgrader: the test cells of a lab have to serve it as well as our own grader.

As a command, in a course directory with submissions: `python -m autograder.nbgrader.stock LAB...` grades them all in
one process.
"""

import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import nbformat
from nbgrader.api import Gradebook, MissingEntry
from nbgrader.converters import Autograde
from nbgrader.coursedir import CourseDirectory
from nbgrader.utils import capture_log

from autograder.lab.settings import folder_of, settings_of
from autograder.nbgrader.steps import STOCK as STOCK_STEPS
from base.process import ONE_THREAD, plain_environment, python, tools_path
from base.quiet import TELEMETRY_OFF, quiet
from base.text import one_line, without_escapes

TO_STDERR = "wrote to stderr: "
LAST_LINES = 3
LONGEST = 300  # characters of what a failing cell said


@dataclass(frozen=True)
class StockGrade:
    """Points per test cell, what the failing tests said, and the faults of cells that are no tests."""

    got: dict[str, float] = field(default_factory=dict)
    said: dict[str, str] = field(default_factory=dict)
    faults: list[str] = field(default_factory=list)


def stock_environment(folder: Path) -> dict[str, str]:
    """Return the environment of a grading process: one thread, no settings of this machine's user, no telemetry."""
    own = {"JUPYTER_CONFIG_DIR": str(folder / "config"), "IPYTHONDIR": str(folder / "ipython"), "PATH": tools_path()}
    return {**plain_environment(), **ONE_THREAD, **own, **TELEMETRY_OFF}


def grade_by_stock(
    base: Path, submissions: dict[str, dict[str, Any]], workers: int
) -> dict[tuple[str, str], StockGrade]:
    """Autograde, in `workers` processes with a gradebook each, whatever number of labs.

    Args:
        base: A course directory with the assignments made; its copies stand beside it afterwards.
        submissions: A notebook for each name, by lab.
        workers: Processes at a time.

    Returns:
        What came out, by lab and name.
    """
    jobs = [(lab, name) for lab, notebooks in submissions.items() for name in notebooks]
    folders = [base.parent / f"worker-{number}" for number in range(min(workers, len(jobs)))]
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for number, folder in enumerate(folders):
            shutil.copytree(base, folder)
            course = settings_of(folder)
            mine = jobs[number :: len(folders)]
            for lab, name in mine:
                path = folder_of(course, course.submitted_directory, lab, name) / f"{lab}.ipynb"
                path.parent.mkdir(parents=True)
                nbformat.write(submissions[lab][name], path)  # type: ignore[no-untyped-call]
            command = python("-m", "autograder.nbgrader.stock", *dict.fromkeys(lab for lab, _ in mine))
            with (folder / "log.txt").open("wb") as log:
                processes.append(
                    subprocess.Popen(  # noqa: S603
                        command, cwd=folder, env=stock_environment(folder), stdout=log, stderr=subprocess.STDOUT
                    )
                )
        for process in processes:
            process.wait()
    finally:
        for process in processes:
            if process.poll() is None:
                process.kill()
                process.wait()
    return {(lab, name): read_grade(folders[at % len(folders)], lab, name) for at, (lab, name) in enumerate(jobs)}


def _plain(text: str) -> str:
    return one_line(without_escapes(text), LONGEST)


def _fault(cell: Any) -> str | None:
    """Return in one line why a cell failed; None where it did not."""
    for output in cell.get("outputs", []):
        if output.output_type == "error":
            return _plain(f"{output.ename}: {output.evalue}")
        if output.output_type == "stream" and output.name == "stderr":
            return TO_STDERR + _plain(output.text)
    return None


def read_grade(folder: Path, lab: str, name: str) -> StockGrade:
    """Return what came out for a submission; `folder` is the course directory in which it was graded."""
    course = settings_of(folder)
    with Gradebook(course.db_url) as gradebook:
        try:
            grades = gradebook.find_submission_notebook(lab, lab, name).grades
            got = {grade.name: grade.auto_score for grade in grades if grade.auto_score is not None}
        except MissingEntry:
            got = {}
    path = folder_of(course, course.autograded_directory, lab, name) / f"{lab}.ipynb"
    if not path.is_file():
        log = (folder / "log.txt").read_text(encoding="utf-8", errors="replace").strip().splitlines()
        return StockGrade(faults=["nbgrader could not grade it: " + " / ".join(log[-LAST_LINES:])])
    said, faults = {}, []
    for number, cell in enumerate(nbformat.read(path, as_version=4).cells, 1):  # type: ignore[no-untyped-call]
        grading = cell.metadata.get("nbgrader", {})
        fault = _fault(cell)
        if fault and grading.get("grade"):
            said[grading["grade_id"]] = fault
        elif fault and not fault.startswith(TO_STDERR):
            faults.append(f"cell {number} ({grading.get('grade_id', 'plain')}) fails: {fault}")
    return StockGrade(got, said, faults)


def main(labs: list[str]) -> None:
    """Grade what was handed in for these labs of the course in the working directory."""
    quiet()
    for lab in labs:
        config = settings_of(Path.cwd()).config
        config.CourseDirectory.assignment_id = lab
        config.Autograde.autograde_preprocessors = list(STOCK_STEPS)
        converter = Autograde(coursedir=CourseDirectory(config=config), config=config)
        result = capture_log(converter)
        if not result["success"]:
            print(result.get("log") or result["error"])


if __name__ == "__main__":
    main(sys.argv[1:])
