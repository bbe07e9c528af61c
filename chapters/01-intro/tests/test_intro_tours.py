"""The tours of lakeFS and Pachyderm: run as a learner runs them, with their locks, and with faults planted.

The first run fetches their packages. Neither server is here, so what is held is that the real clients do what they
can, and that the tours never call that a run.
"""

import re
import subprocess
from pathlib import Path

import pytest

from course.tour import NOT_RUN
from tests.tour_runs import run, run_planted

pytestmark = pytest.mark.tour
FOLDER = Path(__file__).resolve().parents[1] / "tours"


@pytest.fixture(scope="module")
def lakefs() -> subprocess.CompletedProcess[str]:
    return run(FOLDER / "lakefs.py")


@pytest.fixture(scope="module")
def pachyderm() -> subprocess.CompletedProcess[str]:
    return run(FOLDER / "pachyderm.py")


@pytest.mark.parametrize("name", ["lakefs", "pachyderm"])
def test_without_a_server_a_tour_is_no_success(name: str, request: pytest.FixtureRequest) -> None:
    done = request.getfixturevalue(name)
    assert done.returncode == NOT_RUN, done.stderr
    assert done.stderr == ""
    last = done.stdout.splitlines()[-1]
    assert last.startswith("status: NOT RUN on ")
    for part in (
        "versions: Python 3.",
        "stores: ",
        "does not prove: ",
        "at the real service:\n    export ",
        "seconds: ",
    ):
        assert part in done.stdout


def test_lakefs_shows_the_requests_of_the_real_client(lakefs: subprocess.CompletedProcess[str]) -> None:
    asked = re.findall(r"^ {6}(GET|POST) /api/v1/repositories(\S*)", lakefs.stdout, flags=re.MULTILINE)
    months = [
        ("POST", f"/oakbank/branches/main/objects?path=loans%2Fmonth%3D%2B{month:02d}.csv") for month in (5, 6, 7)
    ]
    assert asked[:4] == [("POST", ""), *months]
    for one in [
        ("POST", "/oakbank/branches/main/commits"),
        ("POST", "/oakbank/branches"),
        ("POST", "/oakbank/branches/repair/objects?path=loans%2Fmonth%3D%2B07.csv"),
        ("GET", "/oakbank/refs/main/diff/repair"),
        ("POST", "/oakbank/refs/repair/merge/main"),
    ]:
        assert one in asked
    assert len(asked) == 12
    assert '"source": "main"' in lakefs.stdout


def test_lakefs_sends_the_bytes_of_the_month(lakefs: subprocess.CompletedProcess[str]) -> None:
    """The repaired month has one digit or so less a row: the bytes on the wire are those of the file."""
    sizes = [int(size.replace(",", "")) for size in re.findall(r"csv {2}<([\d,]+) bytes>", lakefs.stdout)]
    assert len(sizes) == 4
    assert all(size > 100_000 for size in sizes)
    assert sizes[2] != sizes[3]


def test_lakefs_does_not_take_a_dead_address_for_a_server() -> None:
    """A server that was named and does not answer is a fault, not a tour that may stop early."""
    done = run(
        FOLDER / "lakefs.py",
        LAKECTL_SERVER_ENDPOINT_URL="http://127.0.0.1:9",
        LAKECTL_CREDENTIALS_ACCESS_KEY_ID="nobody",
        LAKECTL_CREDENTIALS_SECRET_ACCESS_KEY="nothing",
    )
    assert done.returncode == 1
    assert "status: " not in done.stdout


def test_lakefs_notices_a_step_that_asks_for_nothing(tmp_path: Path) -> None:
    done = run_planted(tmp_path, FOLDER / "lakefs.py", 'lambda: repair.create("main")', "lambda: None")
    assert done.returncode == 1
    assert "branch off" in done.stderr


def test_pachyderm_runs_the_user_code_datum_by_datum(pachyderm: subprocess.CompletedProcess[str]) -> None:
    reports = re.findall(r'month=\+(\d\d)\.json {2}\{"rows": (\d+), "median_income": ([\d.]+)\}', pachyderm.stdout)
    assert [month for month, _, _ in reports] == ["05", "06", "07", "08"]
    before, after = float(reports[1][2]), float(reports[2][2])
    assert 9 < after / before < 15, "month 7 is delivered with income per year"


def test_pachyderm_names_a_misspelt_field(pachyderm: subprocess.CompletedProcess[str]) -> None:
    assert "names it: ['input.pfs.globb']" in pachyderm.stdout


def test_pachyderm_refuses_a_specification_that_its_types_do_not_hold(tmp_path: Path) -> None:
    done = run_planted(tmp_path, FOLDER / "pachyderm.py", '"parallelismSpec": {', '"paralelismSpec": {')
    assert done.returncode == 1
    assert "do not hold ['paralelismSpec']" in done.stderr


def test_pachyderm_notices_user_code_that_cannot_be_split(tmp_path: Path) -> None:
    """A running total over the months needs all of them at once: glob `/*` would be wrong."""
    done = run_planted(
        tmp_path,
        FOLDER / "pachyderm.py",
        '        incomes = [float(row["income"]) for row in csv.DictReader(lines)]',
        '        incomes = [float(row["income"]) for row in csv.DictReader(lines)] + globals().get("incomes", [])',
    )
    assert done.returncode == 1
    assert "not safe to split" in done.stderr


def test_pachyderm_does_not_take_a_dead_address_for_a_server() -> None:
    done = run(FOLDER / "pachyderm.py", PACHD_ADDRESS="grpc://127.0.0.1:9")
    assert done.returncode == 1
    assert "status: " not in done.stdout
