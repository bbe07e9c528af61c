"""The tours of lesson 03: each runs as a learner runs it, and a score that is another does not pass.

The first run fetches their packages.
"""

import importlib
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from course.tour import NOT_RUN
from tests.tour_runs import check_account, check_real_service, run

FOLDER = Path(__file__).resolve().parents[1] / "tours"
SAYS = {
    "aws-lambda": "champion is version 1",
    "cloud-functions": "present name: Cloud Run functions",
    "sagemaker": "weights {'champion': 0.9, 'challenger': 0.5}",
    "vertex-ai": "present name: Gemini Enterprise Agent Platform",
    "azure-ml": "and refuses a count of `some`",
    "clearml-serving": "present name: ClearML Serving",
}


@pytest.mark.tour
@pytest.mark.parametrize("name", SAYS)
def test_a_tour_runs(name: str) -> None:
    done = run(FOLDER / f"{name}.py")
    check_account(done, NOT_RUN)  # what ran is the provider's code, not the provider
    assert "20 scores came back, the largest difference" in done.stdout
    assert SAYS[name] in done.stdout
    check_real_service(done)


@pytest.fixture
def scoring(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(FOLDER / "task"))
    return importlib.import_module("scoring")


def test_the_task_notices_another_score(scoring: Any, tmp_path: Path) -> None:
    task = scoring.prepare(tmp_path, n=3)
    scoring.in_new_process(task)
    assert scoring.same(task, task.scores).startswith("3 scores came back")
    first, *rest = task.scores
    for wrong in ([first + 2e-5, *rest], [float("nan"), *rest]):
        with pytest.raises(RuntimeError, match="differs from the model's"):
            scoring.same(task, wrong)
    with pytest.raises(RuntimeError, match="2 scores came back, 3 were asked for"):
        scoring.same(task, rest)
    with pytest.raises(RuntimeError, match="differs"):
        scoring.in_new_process(replace(task, rows=[task.rows[1], task.rows[0], task.rows[2]]))


def test_a_server_that_does_not_start_says_why(scoring: Any, tmp_path: Path) -> None:
    command = [sys.executable, "-c", "raise SystemExit('no such port')"]
    address = f"http://127.0.0.1:{scoring.free_port()}"
    with (
        pytest.raises(RuntimeError, match="no such port"),
        scoring.server(command, address, tmp_path, {"PATH": "/bin"}),
    ):
        pass
