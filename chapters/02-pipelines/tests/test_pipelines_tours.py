"""The tours of chapter 02: each runs as a learner runs it, and notices what a system does not give back as it went in.

The first run fetches their packages.
"""

import re
from pathlib import Path

import pytest

from authoring.syllabus import load_syllabus
from authoring.tours import load_results, stale
from course.tour import NOT_RUN, RAN
from tests.tour_runs import check_account, run, run_planted

FOLDER = Path(__file__).resolve().parents[1] / "tours"
ENDS = {"vertex-ai-pipelines": NOT_RUN}
"""A project at Google is in no registry of packages."""
ELSEWHERE = {"deequ", "ray-tune"}
"""They have test files of their own."""
SAYS = {
    "w-b": "6 runs came back with the same numbers",
    "tensorboard": "the page's own server lists the runs: leaves12-seed0",
    "comet": "6 runs came back with the same numbers",
    "clearml": "6 runs came back with the same numbers",
    "airflow": "ingest success, try 2",
    "prefect": "ingest Completed, started 2",
    "vertex-ai-pipelines": "- validate-op after ingest-op",
    "tecton": "outcomes and defaults agree with pandas",
}


def test_every_tour_is_told_of() -> None:
    assert {path.stem for path in FOLDER.glob("*.py")} == set(SAYS) | ELSEWHERE


@pytest.mark.tour
@pytest.mark.parametrize("name", SAYS)
def test_a_tour_runs(name: str) -> None:
    done = run(FOLDER / f"{name}.py")
    check_account(done, ENDS.get(name, RAN))
    assert SAYS[name] in done.stdout


@pytest.mark.weekly
@pytest.mark.tour
@pytest.mark.parametrize(
    ("name", "old", "new", "says"),
    [
        ("w-b", "summary.update(run.metrics)", "summary.update(run.metrics | {'auc': 0.9})", "auc came back"),
        ("comet", "log_metrics(run.metrics)", "log_metrics({'auc': run.metrics['auc']})", "log_loss came back"),
        ("clearml", "single_value(name, value)", "single_value(name, round(value, 3))", "auc came back"),
        ("tensorboard", "(run.params, run.metrics", "(run.params, runs[0].metrics", "auc came back"),
        ("tecton", 'first_day(rows["known_month"] + 1)', 'first_day(rows["month"] + 1)', "not what the join"),
        ("vertex-ai-pipelines", "template = compile_pipeline(", "template = folder / 'other'; (", "other"),
    ],
)  # fmt: skip
def test_a_tour_notices_a_fault(tmp_path: Path, name: str, old: str, new: str, says: str) -> None:
    done = run_planted(tmp_path, FOLDER / f"{name}.py", old, new)
    assert done.returncode == 1
    assert says in done.stderr
    assert "status: ran" not in done.stdout


def test_the_table_is_of_these_scripts() -> None:
    """`python -m course.tours 02-pipelines --only-stale` measures anew what changed."""
    chapter = load_syllabus().chapters[1]
    assert stale(chapter) == []
    results = load_results(chapter)
    assert set(results) == set(chapter.tours)
    for one in results.values():
        assert 3 <= one.lines <= 60
        assert re.match(r"[\d.]+ times \S", one.took)
