"""otter-grader on the same submissions: its own environment, the lab's tests in its own format.

Each test cell becomes one of otter's exception-based test files, hidden part included; the submission is the notebook
without its test cells, as otter hands notebooks out. Nothing of otter is changed.
See https://otter-grader.readthedocs.io/en/latest/test_files/python_format.html
"""

import copy
import json
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from typing import Any

from autograder.model import Key
from autograder.trials.benchmarks.classroom import Handed, notebook, read_release
from autograder.trials.benchmarks.measure import Cost, measure
from base.errors import UserError

OTTER = "otter-grader==7.0.0"
SAME = ("ipykernel", "mlflow", "numpy", "pandas", "scikit-learn")
"""The kernel, and what the lab stands on: otter's environment gets the versions of this one."""


def _called(command: list[str], folder: Path, environment: dict[str, str]) -> None:
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)  # noqa: S603
    if done.returncode:
        last = (done.stderr.strip() or done.stdout.strip() or "it said nothing").splitlines()[-1]
        raise UserError(f"{Path(command[0]).name} {command[1]} ended with {done.returncode}: {last}")


def install(folder: Path, environment: dict[str, str]) -> Path:
    """Make otter's environment in `folder`; returns the folder of its commands.

    Raises:
        UserError: It cannot be made; the message says why.
    """
    uv = shutil.which("uv")
    if uv is None:
        raise UserError("it is installed by uv, which is not here")
    _called([uv, "venv", "--quiet", "--python", sys.executable, str(folder)], folder.parent, environment)
    bin_ = folder / ("Scripts" if sys.platform == "win32" else "bin")
    packages = [OTTER, *(f"{name}=={version(name)}" for name in SAME)]
    python = ["--python", str(bin_ / "python"), "--compile-bytecode", "--quiet"]
    _called([uv, "pip", "install", *python, *packages], folder.parent, environment)
    return bin_


def _test_file(name: str, points: float, source: str) -> str:
    """Return a test cell in otter's format: it runs where the answers are, as the cell would."""
    return f"""OK_FORMAT = False

from otter.test_files import test_case

name = {name!r}
points = {points!r}


@test_case()
def {name.replace("-", "_")}(env):
    exec(compile({source!r}, {name!r}, "exec"), env)
"""


def set_up(folder: Path, root: Path, all_handed: list[Handed], key: Key) -> None:
    """Write tests and submissions for otter into `folder`, from the course in `root`."""
    (folder / "tests").mkdir(parents=True)
    (folder / "submissions").mkdir()
    for cell in key.tests:
        text = _test_file(cell.grade_id, cell.points, cell.source)
        (folder / "tests" / f"{cell.grade_id}.py").write_text(text, encoding="utf-8")
    release = copy.deepcopy(read_release(root))
    release.cells = [cell for cell in release.cells if not cell.metadata.get("nbgrader", {}).get("grade")]
    for handed in all_handed:
        path = folder / "submissions" / f"{handed.student}.ipynb"
        path.write_text(json.dumps(notebook(handed, release)), encoding="utf-8")
        (folder / "out" / handed.student).mkdir(parents=True)


def grade(
    folder: Path, bin_: Path, all_handed: list[Handed], environment: dict[str, str]
) -> tuple[Cost, dict[str, dict[str, float]]]:
    """Grade all submissions, one `otter run` after the other; returns what it cost and the marks.

    Raises:
        UserError: otter cannot grade them; the message says why.
    """
    otter = str(bin_ / "otter")
    _called([otter, "generate", "-t", "tests", "-o", "autograder.zip"], folder, environment)
    _called([str(bin_ / "python"), "-c", "import mlflow, otter, pandas, sklearn"], folder, environment)
    cost = measure(
        [
            [otter, "run", "-a", "autograder.zip", "-o", f"out/{one.student}", f"submissions/{one.student}.ipynb"]
            for one in all_handed
        ],
        folder,
        environment,
        folder / "log.txt",
    )
    if any(cost.codes):
        last = (folder / "log.txt").read_text(encoding="utf-8", errors="replace").strip().splitlines()[-1]
        raise UserError(f"otter run failed: {last}")
    return cost, {one.student: _marks(folder / "out" / one.student / "results.json") for one in all_handed}


def _marks(path: Path) -> dict[str, float]:
    """Return the points of each test of one submission."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return {test["name"]: float(test["score"]) for test in found["tests"] if "score" in test}
