"""Promotes in forked processes, two at once or killed on the way; run by test_deploy_promotion.py in a fresh process.

Imports are paid once, here, and nothing is computed before the forks.
`python deploy_promotion_runner.py FOLDER` reads what to do (at_once or killed), and with which model and training runs,
from FOLDER/jobs.pickle, and prints the answers as JSON.
"""

import contextlib
import json
import os
import pickle
import signal
import sqlite3
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import mlflow.artifacts  # what a promotion imports late, here before the forks
import mlflow.data
import mlflow.store.model_registry.sqlalchemy_store
import mlflow.store.tracking.sqlalchemy_store  # noqa: F401
from sqlalchemy.orm import configure_mappers

from oakbank.deploy.gate import GateResult, promote
from oakbank.pipelines import Registry


def in_child(work: Callable[[], Any], answer: Path) -> int:
    """Start a forked process that writes what `work` returns as JSON; return its id."""
    child = os.fork()
    if child:
        return child
    try:
        answer.write_text(json.dumps(work()))
    except BaseException as error:
        answer.write_text(json.dumps(f"{type(error).__name__}: {error}"))
    os._exit(0)


def at_once(folder: Path, name: str, runs: list[Any]) -> list[Any]:
    """Promote all runs at once: none writes before each has been measured against the same champion."""

    def promoted(number: int) -> Any:
        def all_have_measured(challenger: Any, champion: Any) -> GateResult:
            (folder / f"measured-{number}").touch()
            deadline = time.monotonic() + 60
            while len(list(folder.glob("measured-*"))) < len(runs):
                assert time.monotonic() < deadline, "the others never measured"
                time.sleep(0.01)
            return GateResult("better", challenger.auc > champion.auc, f"AUC {challenger.auc:.3f}")

        result = promote(Registry(folder, create=False, name=name), runs[number], [all_have_measured], "grace")
        return [result.promoted, result.champion, [[one.name, one.passed, one.detail] for one in result.results]]

    answers = [folder / f"answer-{number}" for number in range(len(runs))]
    children = [in_child(partial(promoted, number), answer) for number, answer in enumerate(answers)]
    for child in children:
        os.waitpid(child, 0)
    return [json.loads(answer.read_text()) for answer in answers]


def killed(folder: Path, name: str, runs: list[Any]) -> list[Any]:
    """Promote a run in processes that are killed with -9 before their n-th write, then once more in one that is not.

    Returns the champion after each of them.
    """

    def champion() -> str:
        """Ask the database itself: MLflow would take a second in a process that has asked nothing before."""
        query = "select version from registered_model_aliases where name = ? and alias = 'champion'"
        with contextlib.closing(sqlite3.connect(folder / "mlflow.db")) as database:
            return str(database.execute(query, [name]).fetchone()[0])

    def dying(left: int) -> Any:
        registry = Registry(folder, create=False, name=name)
        for method in ("set_tag", "set_alias"):
            real = getattr(registry, method)

            def call(*arguments: Any, real: Any = real) -> Any:
                nonlocal left
                left -= 1
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return real(*arguments)

            setattr(registry, method, call)
        return promote(registry, runs[0], [lambda new, old: GateResult("any", True, "")], "grace").promoted

    after = []
    for left in (1, 2, 3, 4, 99):
        os.waitpid(in_child(partial(dying, left), folder / "answer"), 0)
        after.append(champion())
    return after


if __name__ == "__main__":
    configure_mappers()
    place = Path(sys.argv[1])
    jobs = pickle.loads((place / "jobs.pickle").read_bytes())
    modes = {"at_once": at_once, "killed": killed}
    print(json.dumps([modes[mode](place, name, runs) for mode, name, runs in jobs]))
