"""The tours of lesson 09: each runs as a learner runs it, and notices a number that is not the lesson's.

The first run fetches their packages.
"""

import importlib
import re
from pathlib import Path
from typing import Any

import pytest

from authoring.recording import load
from authoring.syllabus import load_syllabus
from authoring.tours import load_results, stale
from course.tour import NOT_RUN, RAN
from oakbank.deploy import watched
from tests.tour_runs import check_account, check_real_service, run, run_planted

CHAPTER = Path(__file__).resolve().parents[1]
FOLDER = CHAPTER / "tours"
ENDS = {"arize-sdk": NOT_RUN, "fiddler": NOT_RUN}
"""Services: what runs here is what their makers give to a client."""
SAYS = {
    "arize-phoenix": "debts: 250 spans, 0 with an error; `attributes['application']['debts'] < 10` finds 250",
    "arize-sdk": "all are infinite: sent",
    "fiddler": "rule `out of range` (range_violation_count > 0): calm 0, debts 0 (in pandas); rings: nowhere",
    "whylabs-whylogs": "debts: debts DRIFT (ks",
}


@pytest.mark.tour
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.long) if name == "arize-phoenix" else name for name in SAYS]
)
def test_a_tour_runs(name: str) -> None:
    """Phoenix takes a minute: its server imports for half of it, and its client once more."""
    done = run(FOLDER / f"{name}.py")
    check_account(done, ENDS.get(name, RAN))
    assert SAYS[name] in done.stdout
    assert "present name: " in done.stdout
    check_real_service(done)


@pytest.mark.weekly
@pytest.mark.tour
@pytest.mark.parametrize(
    ("name", "old", "new", "says"),
    [
        ("arize-sdk", "dataframe=rows,", "dataframe=rows.assign(debts=470.0),", "the PSI of debts is"),
        ("fiddler", "feeds.past[list(COLUMNS)]", "feeds.today['debts'][list(COLUMNS)]", "the past year has not"),
        ("whylabs-whylogs", "calculate_drift_scores(view, year", "calculate_drift_scores(year, year", "statistic of"),
        ("arize-phoenix", "< 10\"\n", "< 0.1\"\n", "too small, not 250 and"),
    ],
)  # fmt: skip
def test_a_tour_notices_a_fault(tmp_path: Path, name: str, old: str, new: str, says: str) -> None:
    done = run_planted(tmp_path, FOLDER / f"{name}.py", old, new)
    assert done.returncode == 1
    assert says in done.stderr
    assert "status: ran" not in done.stdout


@pytest.fixture
def feeds(monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.syspath_prepend(str(FOLDER / "task"))
    return importlib.import_module("feeds")


def test_the_task_is_the_lessons(feeds: Any) -> None:
    """Its fault, and the PSI that the lesson's recorded cell shows."""
    assert feeds.DEBTS == watched.DEBTS
    recording = load(CHAPTER / "recorded" / "09-monitoring-and-logging.yml")
    texts = [output.get("text/plain", "") for cell in recording.cells for output in cell.outputs]
    (shown,) = (text for text in texts if "psi_of_debts" in text)
    assert {bank: float(value) for bank, value in re.findall(r"(?m)^(calm|debts) .* ([\d.]+)$", shown)} == feeds.LESSON


def test_the_task_notices_another_number(feeds: Any) -> None:
    found = {bank: columns["debts"] for bank, columns in feeds.indices(feeds.prepare()).items()}
    assert feeds.as_in_the_lesson(found) == "calm 0.083, debts 8.475"
    for wrong in (0.09, float("nan")):
        with pytest.raises(RuntimeError, match="at the bank `calm`, in the lesson"):
            feeds.as_in_the_lesson(found | {"calm": wrong})


def test_the_table_is_of_these_scripts() -> None:
    """`python -m course.tours 03-deploy --only-stale` measures anew what changed, or is new."""
    chapter = load_syllabus().chapters[2]
    assert stale(chapter) == []
    for one in load_results(chapter).values():
        assert 3 <= one.lines <= 60
        assert re.match(r"[\d.e+]+ times \S", one.took)
