"""The tour of Deequ: without its jar it says that it did not run, and the checks that run find the fault alone."""

import shutil
import zipfile
from pathlib import Path

import pytest

from course.tour import NOT_RUN
from tests.tour_runs import check_account, run, run_planted

pytestmark = pytest.mark.tour
TOUR = Path(__file__).resolve().parents[1] / "tours" / "deequ.py"


def test_without_the_jar_it_checks_with_cuallee_and_is_no_success() -> None:
    done = run(TOUR, DEEQU_JAR="")
    check_account(done, NOT_RUN)
    assert done.stderr == ""
    assert "checked by cuallee (not Deequ): 33 rules a month" in done.stdout
    assert "- month 6: all hold\n" in done.stdout
    assert "- month 7: broken: income in its range, mean income as usual\n" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("status: NOT RUN on Deequ: its jar is not here; set DEEQU_JAR")


@pytest.mark.weekly
@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("HONEST, BROKEN = 6, 7", "HONEST, BROKEN = 6, 5"),  # an honest month is no broken one
        (
            "rows.is_between(rule.column, rule.bounds)",
            "rows.is_between(rule.column, (-1e9, 1e9))",
        ),  # ranges that nobody checks
        ('BANDS["income"]', "(0.0, 1.0)"),  # a false alarm in the honest month
    ],
)
def test_a_contract_that_sees_too_little_or_too_much_is_a_fault(tmp_path: Path, old: str, new: str) -> None:
    done = run_planted(tmp_path, TOUR, old, new)
    assert done.returncode == 1
    assert "must break" in done.stderr or "pandas finds" in done.stderr
    assert "status: " not in done.stdout


@pytest.mark.weekly
def test_a_jar_that_is_not_there_is_a_fault() -> None:
    done = run(TOUR, DEEQU_JAR="no-such.jar")
    assert done.returncode == 1
    assert "DEEQU_JAR names no-such.jar" in done.stderr
    assert "status: " not in done.stdout


@pytest.mark.weekly
@pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java")
def test_a_jar_without_deequ_in_it_is_a_fault(tmp_path: Path) -> None:
    """As far as one gets without the jar: the real PyDeequ starts a real Spark and asks it for Deequ's classes."""
    with zipfile.ZipFile(tmp_path / "other.jar", "w") as jar:
        jar.writestr("META-INF/MANIFEST.MF", "Manifest-Version: 1.0\n")
    done = run(TOUR, DEEQU_JAR=str(tmp_path / "other.jar"))
    assert done.returncode == 1
    assert "JavaPackage" in done.stderr
    assert "status: " not in done.stdout
