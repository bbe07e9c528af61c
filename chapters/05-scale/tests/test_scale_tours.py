"""The tours of chapter 05 run as a learner runs them, and notice where a scanner says something else.

The first run fetches their packages.
"""

from pathlib import Path

import pytest

from course.tour import RAN
from tests.tour_runs import check_account, run, run_planted

TOURS = Path(__file__).resolve().parents[1] / "tours"


@pytest.mark.tour
@pytest.mark.parametrize("name", ["modelscan", "checkov"])
def test_a_tour_runs(name: str) -> None:
    check_account(run(TOURS / f"{name}.py"), RAN)


@pytest.mark.tour
@pytest.mark.weekly
@pytest.mark.parametrize(
    ("name", "was", "becomes"),
    [("modelscan", "np.savetxt, MARKER, [1]", "os.system, MARKER"), ("checkov", '"values": one', '"value": one')],
)
def test_another_answer_of_the_scanner_is_noticed(name: str, was: str, becomes: str, tmp_path: Path) -> None:
    done = run_planted(tmp_path, TOURS / f"{name}.py", was, becomes)
    assert done.returncode == 1, done.stdout
    assert "AssertionError" in done.stderr
