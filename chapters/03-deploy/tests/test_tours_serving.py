"""The tours of lesson 04: each runs as a learner runs it, and a decision that differs does not pass unseen.

The first run fetches their packages.
"""

import importlib
from pathlib import Path
from typing import Any

import pytest

from course.tour import RAN
from oakbank.deploy.agreement import Agreement
from tests.tour_runs import check_account, check_real_service, run

FOLDER = Path(__file__).resolve().parents[1] / "tours"
CLEAN = "decisions of 20,000 that differ from the model's own:\n  as they are: 0\n"
SAYS = {
    "bentoml": (CLEAN, "1 % without income: 49", "present name: BentoML"),
    "kserve": (CLEAN, "1 % without income: 49", "present name: KServe (until 2021 KFServing)"),
    "triton": (CLEAN, "decimals as float32: refused", "without the line that decodes text"),
    "torchserve": ("as they are: 1,369\n", "archived on 7 August 2025"),
}


@pytest.mark.tour
@pytest.mark.parametrize(
    "name",
    # PyTorch and Java for a tool of the past: a gigabyte, once a week.
    [*(one for one in SAYS if one != "torchserve"), pytest.param("torchserve", marks=pytest.mark.weekly)],
)
def test_a_tour_runs(name: str) -> None:
    done = run(FOLDER / f"{name}.py")
    check_account(done, RAN)
    for text in SAYS[name]:
        assert text in done.stdout
    check_real_service(done)


@pytest.fixture
def serving(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(FOLDER / "task"))
    return importlib.import_module("serving")


def test_a_decision_that_differs_stops_a_tour(serving: Any) -> None:
    same, other = Agreement(20, 0, 0, 0), Agreement(20, 0, 1, 1)
    found = dict.fromkeys(serving.GIVEN, same)
    assert serving.clean(found).startswith("decisions of 20 that differ from the model's own:\n  as they are: 0\n")
    assert "without income: 1" in serving.clean(found | {"1 % without income": other})
    for wrong in (other, Agreement(20, 20, 0, 0)):
        with pytest.raises(RuntimeError, match=r"of applications as they are, this came back: (1|refused)"):
            serving.clean(found | {"as they are": wrong})


def test_a_score_of_the_new_process_that_differs_stops_a_tour(
    serving: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    model = serving.prepare(tmp_path)
    serving.in_new_process(model)
    monkeypatch.setattr(serving, "ALONE", "import json; print(json.dumps([0.5] * 20_000))")
    with pytest.raises(RuntimeError, match="a score of the new process differs"):
        serving.in_new_process(model)
