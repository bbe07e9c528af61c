"""The tour of InterpretML runs as a learner runs it, and values that are not SHAP's do not pass.

The first run fetches its packages.
"""

import re
from pathlib import Path

import pytest

from course.tour import RAN
from tests.tour_runs import check_account, run, run_planted

SCRIPT = Path(__file__).resolve().parents[1] / "tours" / "interpretml.py"


@pytest.mark.tour
def test_the_tour_runs() -> None:
    done = run(SCRIPT)
    check_account(done, RAN)
    assert re.search(r"(?m)^amount +0\.3\d +0\.4\d +0\.4\d$", done.stdout), done.stdout
    bank, recipe, large, small = (float(auc) for auc in re.findall(r"(?m)^AUC (0\.7\d\d)", done.stdout))
    assert small < large <= bank
    assert recipe < large


@pytest.mark.tour
def test_values_that_are_not_shaps_are_noticed(tmp_path: Path) -> None:
    done = run_planted(tmp_path, SCRIPT, "terms - of_background.mean(axis=0)", "terms")
    assert done.returncode == 1
    assert "are not its curves less their mean" in done.stderr
