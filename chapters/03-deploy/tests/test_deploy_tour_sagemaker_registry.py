"""The tour of SageMaker's registry: it runs against moto, says so, and notices an approval that did not arrive."""

from pathlib import Path

import pytest

from course.tour import NOT_RUN
from tests.tour_runs import check_account, run, run_planted

SCRIPT = Path(__file__).resolve().parents[1] / "tours" / "sagemaker-registry.py"


@pytest.mark.tour
def test_the_tour_runs() -> None:
    done = run(SCRIPT)
    check_account(done, NOT_RUN)
    assert "approved: versions 3, 2 and 1." in done.stdout
    assert "rejected: version 3." in done.stdout
    account = done.stdout.partition("with an account you would:\n")[2].partition("\n\n")[0]
    assert len(account.splitlines()) == 5


@pytest.mark.weekly
@pytest.mark.tour
def test_the_tour_notices_a_fault(tmp_path: Path) -> None:
    done = run_planted(tmp_path, SCRIPT, 'arns["Bob"], "Rejected"', 'arns["Bob"], "Approved"')
    assert done.returncode == 1
    assert "versions 2 and 1 should be approved, not [3, 2, 1]" in done.stderr
    assert "status: ran" not in done.stdout
