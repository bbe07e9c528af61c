"""The repository: features, fifty models, a table of decisions, and the letters team that reads it."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree
from collections.abc import Iterable, Mapping
from pathlib import Path

import numpy as np

from oakbank.world.files import write_text

PROJECT = Path(__file__).with_name("project")
FEATURES = (
    "income", "debts", "age", "job_years", "amount", "term",
    "purpose", "channel", "bureau", "savings", "family", "region",
)  # fmt: skip
MODELS = tuple(f"m{number:02}" for number in range(50))
RATES = "data/rates.csv"
READS_RATES = ("m07", "m21", "m35")
"""Models that read `RATES`, and do not say so."""
CHANGES = {
    "faster-income": ("bank/features/income.py", 'float(row["income"]) / 1000', 'float(row["income"]) * 1e-3'),
    "yearly-income": ("bank/features/income.py", 'float(row["income"]) / 1000', 'float(row["income"]) * 12 / 1000'),
    "new-rates": (RATES, "consumer,0.07", "consumer,7"),
    "rename-grounds": ("bank/decisions.py", '"grounds"', '"reasons"'),
}
"""Branches: the file that is changed, what stands there, what will. The last two make something wrong elsewhere."""


def write_project(folder: Path, env: Mapping[str, str]) -> None:
    """Write the project into a new folder: a git repository with the branch `main` and one for each of `CHANGES`.

    Args:
        folder: Where.
        env: The environment of git, with its author and date: what `course.lesson.own_git(home, date)` makes.

    Raises:
        FileExistsError: The folder is there.
        subprocess.CalledProcessError: git fails; it says why itself.
    """
    shutil.copytree(PROJECT, folder, ignore=shutil.ignore_patterns("__pycache__"))
    rng = np.random.default_rng(5)
    rows = [dict(zip(FEATURES, one, strict=True)) for one in rng.integers(1, 1000, (20, len(FEATURES))).tolist()]
    write_text(folder / "data" / "applicants.json", json.dumps(rows) + "\n")
    write_text(folder / RATES, "loan,rate\nconsumer,0.07\n")
    for name in FEATURES:
        scale = "1000" if name == "income" else "100"
        text = f'def value(row):\n    return float(row["{name}"]) / {scale}\n'
        write_text(folder / "bank" / "features" / f"{name}.py", text)
    for number, name in enumerate(MODELS):
        write_text(folder / "bank" / "models" / f"{name}.py", _model(number, name))
        write_text(folder / "tests" / f"test_{name}.py", _test(name))
    write_text(folder / "expected.json", json.dumps(_scores(folder)) + "\n")
    write_text(folder / ".gitignore", "__pycache__/\n")
    _git(folder, env, "init", "-q", "-b", "main")
    _git(folder, env, "add", ".")
    _git(folder, env, "commit", "-q", "-m", "Oakbank's models")
    for branch, (file, old, new) in CHANGES.items():
        _git(folder, env, "switch", "-q", "-c", branch, "main")
        text = (folder / file).read_text(encoding="utf-8")
        assert old in text, (file, old)
        write_text(folder / file, text.replace(old, new))
        _git(folder, env, "commit", "-q", "-a", "-m", branch)
    _git(folder, env, "switch", "-q", "main")


def _model(number: int, name: str) -> str:
    first, second = FEATURES[number % 12], FEATURES[(5 * number + 3) % 12]
    rate, add, head = "", "", ""
    if name in READS_RATES:
        head = "from pathlib import Path\n\n"
        rate = '\nRATES = Path(__file__).parents[2] / "data" / "rates.csv"\n'
        add = ' - float(RATES.read_text().split(",")[-1])'
    return (
        f"{head}from bank.features import {', '.join(sorted({first, second}))}\n{rate}\n\n"
        f"def score(row):\n    return round({number + 1} * {first}.value(row) - {second}.value(row){add}, 6)\n"
    )


def _test(name: str) -> str:
    return (
        f"from bank.models import {name}\nfrom tests import APPLICANTS, EXPECTED\n\n\n"
        f'def test_{name}():\n    assert [{name}.score(row) for row in APPLICANTS] == EXPECTED["{name}"]\n'
    )


def _scores(folder: Path) -> dict[str, list[float]]:
    """Return what each model says of the applicants: its accepted answers."""
    code = (
        "import importlib, json\n"
        "rows = json.load(open('data/applicants.json'))\n"
        f"names = {list(MODELS)!r}\n"
        "print(json.dumps({n: [importlib.import_module('bank.models.' + n).score(r) for r in rows] for n in names}))"
    )
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-B", "-c", code], cwd=folder, check=True, capture_output=True, text=True
    )
    scores: dict[str, list[float]] = json.loads(done.stdout)
    return scores


def _git(folder: Path, env: Mapping[str, str], *words: str) -> None:
    subprocess.run(["git", *words], cwd=folder, env=env, check=True)  # noqa: S603, S607


def build(folder: Path, names: Iterable[str]) -> set[str]:
    """Run the tests of models and teams, and return the names of those that fail.

    Args:
        folder: The repository, or a part of it.
        names: Such as `m07` or `letters`; each has a file in `tests/`.

    Raises:
        RuntimeError: pytest could not run them; its output is in the message.
    """
    files = [f"tests/test_{name}.py" for name in names]
    if not files:
        return set()
    with tempfile.TemporaryDirectory() as other:
        report = Path(other) / "report.xml"
        command = [sys.executable, "-B", "-m", "pytest", "-q", "-p", "no:cacheprovider", f"--junitxml={report}", *files]
        env = os.environ | {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTHONPATH": str(folder.resolve())}
        env.pop("PYTEST_ADDOPTS", None)
        done = subprocess.run(  # noqa: S603
            command, cwd=folder, env=env, capture_output=True, text=True, check=False
        )
        if done.returncode not in (0, 1, 2):  # 2: a file could not be imported, which is red, too
            raise RuntimeError(f"pytest ended with {done.returncode}: {done.stdout}{done.stderr}")
        cases = ElementTree.parse(report).getroot().iter("testcase")  # noqa: S314
        red = [case for case in cases if case.find("failure") is not None or case.find("error") is not None]
    names_of = [case.get("classname") or case.get("name") or "" for case in red]
    return {name.rpartition("test_")[2] for name in names_of}
