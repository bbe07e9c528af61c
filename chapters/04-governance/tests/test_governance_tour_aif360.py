"""The tour of AIF360 runs as a learner runs it, and weights that are not AIF360's do not pass.

The first run fetches its packages.
"""

from pathlib import Path

import pytest

from course.tour import RAN
from tests.tour_runs import check_account, run, run_planted

SCRIPT = Path(__file__).resolve().parents[1] / "tours" / "aif360.py"


@pytest.mark.tour
def test_the_tour_runs() -> None:
    done = run(SCRIPT)
    check_account(done, RAN)
    assert "times as often as A; reweighed 1.000." in done.stdout
    assert "At the door, B is approved 0.8" in done.stdout


@pytest.mark.tour
def test_other_weights_are_noticed(tmp_path: Path) -> None:
    done = run_planted(tmp_path, SCRIPT, "(expected / cell)", "(cell / expected)")
    assert done.returncode == 1
    assert "not those worked out by hand" in done.stderr
