"""The tour of Ray Tune: run as a learner runs it, with its lock, and with a fault planted."""

from pathlib import Path

import pytest

from course.tour import RAN
from tests.tour_runs import check_account, run, run_planted

pytestmark = pytest.mark.tour
SCRIPT = Path(__file__).resolve().parents[1] / "tours" / "ray-tune.py"


def test_the_cluster_comes_to_the_losses_of_the_plain_loop() -> None:
    done = run(SCRIPT)
    check_account(done, RAN)
    assert done.stdout.splitlines()[-1] == "status: ran on Ray Tune"
    assert "6 settings scored by processes of a cluster: the losses of the plain loop, to the digit" in done.stdout


@pytest.mark.weekly
def test_a_trial_that_scores_otherwise_is_no_success(tmp_path: Path) -> None:
    old = 'tune.report({"loss": score(config["settings"], table)})'
    done = run_planted(tmp_path, SCRIPT, old, old.replace("table)})", "table) + 1e-6})"))
    assert done.returncode == 1
    assert "are not those of the plain loop" in done.stderr
    assert "status: ran" not in done.stdout
