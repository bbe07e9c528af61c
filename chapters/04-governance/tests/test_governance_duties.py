"""Duties: which applied when, what shows that they are met, and a file that is wrong is refused by name."""

import warnings
from datetime import date, timedelta
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from oakbank.governance.duties import (
    DUTIES,
    NO_EVIDENCE,
    Duty,
    DutyError,
    changes,
    in_force,
    lacking,
    named_tests,
    passed,
    read_duties,
    report,
    repository,
)
from oakbank.pipelines import OAKBANK
from oakbank.world import PROTECTED

LOAN, TODAY = date(2025, 12, 31), date(2026, 11, 30)
ALL = read_duties()
KEPT = {
    "id": "us-records",
    "duty": "Keep the records of an application for 25 months.",
    "jurisdiction": "US",
    "kind": "law",
    "source": "12 CFR 1002.12(b)(1)",
    "in_force_from": date(2011, 12, 30),
    "who": "platform",
    "evidence": ["tests/test_x.py::test_kept", "tests/test_x.py::TestLog::test_kept[2]", "minutes.md"],
    "reviewed": TODAY,
}
TESTS = "def test_kept(): ...\nclass TestLog:\n    async def test_kept(self): ...\ndef kept(): ...\n"


def made(**changed: object) -> Duty:
    return Duty.model_validate(KEPT | changed)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a repository in which all evidence of `KEPT` exists."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_x.py").write_text(TESTS)
    (tmp_path / "minutes.md").write_text("Ada and Grace met.\n")
    return tmp_path


def test_the_model_reads_what_a_lender_may_read() -> None:
    """Evidence for duties: a person's means, loan and age; nothing of health, social networks or a protected group."""
    means = {"income", "debts", "employment", "years_employed", "housing", "bureau_score", "delinquencies"}
    loan = {"amount", "term", "purpose", "channel", "region"}
    assert set(OAKBANK.columns) == means | loan | {"age"}
    assert PROTECTED not in OAKBANK.columns


@pytest.mark.parametrize(
    ("day", "ended", "began"),
    [
        (date(2026, 4, 17), {"us-model-risk-2011"}, {"us-model-risk-2026"}),
        (date(2026, 7, 21), {"us-effects"}, {"us-proxies"}),
        (date(2026, 11, 20), {"eu-assessment-2008"}, {"eu-assessment-2023", "eu-review"}),
        (
            date(2027, 12, 2),
            set(),
            {
                "eu-ai-logs",
                "eu-ai-oversight",
                "eu-ai-rights-impact",
                "eu-ai-explanation",
                "eu-ai-technical-file",
                "eu-ai-instructions",
            },
        ),
    ],
)
def test_the_law_moves_on_its_days_and_on_no_other(day: date, ended: set[str], began: set[str]) -> None:
    step = changes(ALL, day - timedelta(days=1), day)
    assert ({duty.id for duty in step.ended}, {duty.id for duty in step.began}) == (ended, began)
    days = {day for duty in ALL for day in duty.dates() if day > LOAN}
    assert days == {date(2026, 4, 17), date(2026, 7, 21), date(2026, 11, 20), date(2027, 12, 2)}


@given(st.dates(date(2010, 1, 1), date(2030, 1, 1)), st.dates(date(2010, 1, 1), date(2030, 1, 1)))
def test_changes_lead_from_one_day_to_the_other(one: date, other: date) -> None:
    before, after = sorted((one, other))
    step = changes(ALL, before, after)
    then, now = set(in_force(ALL, before)), set(in_force(ALL, after))
    assert then - set(step.ended) | set(step.began) == now


def test_a_duty_ends_on_the_day_it_names() -> None:
    short = made(in_force_until=date(2026, 1, 1))
    assert short.applies(date(2025, 12, 31))
    assert not short.applies(date(2026, 1, 1))
    assert not short.applies(date(2011, 12, 29))
    with pytest.raises(DutyError, match="give the earlier day first"):
        changes(ALL, TODAY, LOAN)


def test_what_is_superseded_is_not_told_as_today() -> None:
    sources = " ".join(duty.source for duty in in_force(ALL, TODAY))
    assert "SR 26-2" in sources
    assert "as they stood before" not in sources
    assert "2008/48" not in sources
    assert not any("AI Act" in duty.source for duty in in_force(ALL, TODAY))


def test_existing_evidence_is_found(root: Path) -> None:
    assert lacking(made(), root) == ()


@pytest.mark.parametrize(
    "planted",
    [
        "tests/test_x.py::test_gone",
        "tests/test_x.py::kept",
        "tests/test_x.py::TestLog::test_gone",
        "tests/test_x.py::TestLog",
        "tests/test_x.py::",
        "tests/test_y.py::test_kept",
        "tests",
        "letter.md",
    ],
)
def test_missing_evidence_is_red(root: Path, planted: str) -> None:
    duty = made(evidence=[*KEPT["evidence"], planted])  # type: ignore[misc]
    assert lacking(duty, root) == (planted,)
    page = report([duty], TODAY, root)
    assert "<b>MISSING</b>: " + planted in page
    assert page.count("background:#fbd5d5") == 1
    assert "MISSING" not in report([made()], TODAY, root)


def test_an_empty_file_and_no_evidence_at_all_are_red(root: Path) -> None:
    (root / "minutes.md").write_text("")
    assert lacking(made(), root) == ("minutes.md",)
    assert lacking(made(evidence=[]), root) == (NO_EVIDENCE,)
    assert NO_EVIDENCE in report([made(evidence=[])], TODAY, root)


def test_a_renamed_test_of_the_repository_turns_its_duty_red() -> None:
    real = next(duty for duty in ALL if duty.id == "us-reasons")
    assert not lacking(real, repository())
    renamed = real.model_copy(update={"evidence": (real.evidence[0] + "_v2",)})
    assert lacking(renamed, repository()) == renamed.evidence


def test_each_test_that_duties_name_exists_in_this_repository() -> None:
    gone = [item for duty in ALL for item in lacking(duty, repository()) if "::" in item]
    assert gone == [], "a test was renamed or removed: correct duties.yml"


def test_the_syntax_tree_and_pytest_name_the_same_tests(request: pytest.FixtureRequest) -> None:
    """Of this file, as pytest collects it; lesson 04/05 asks `pytest --collect-only` about another one."""
    module = request.node.getparent(pytest.Module)
    listed = {item.name.partition("[")[0] for item in module.collect()}
    assert listed == named_tests(Path(__file__))
    assert "test_no_date_has_passed_since_the_last_review" in listed


def test_no_tests_without_a_file_that_is_python(root: Path) -> None:
    (root / "tests" / "test_x.py").write_text("def test_kept(:\n")
    with pytest.raises(DutyError, match=r"test_x.py cannot be read as Python"):
        lacking(made(), root)
    with pytest.raises(DutyError, match="no folder: give the root of the checkout"):
        lacking(made(), root / "nowhere")


def test_the_report_says_what_it_is_and_of_which_day(root: Path) -> None:
    page = report(ALL, TODAY, repository())
    assert "Not legal advice, as of 2026-11-30." in page
    assert "SR 26-2" in page
    assert "SR 11-7, 4 April" not in page
    assert "SR 11-7, 4 April" in report(ALL, LOAN, repository())
    assert page == report(ALL, TODAY, repository())
    harmless = report([made(duty="<script>alert(1)</script>")], TODAY, root)
    assert "&lt;script&gt;" in harmless
    assert "<script>" not in harmless
    with pytest.raises(DutyError, match="read a file with"):
        report([], TODAY, root)


def test_a_date_that_passed_since_the_review_is_told(root: Path) -> None:
    ends = made(in_force_until=date(2027, 3, 1), reviewed=date(2026, 11, 30))
    assert passed([ends], date(2027, 2, 28)) == ()
    assert passed([ends], date(2027, 3, 1)) == (ends,)
    assert passed([made(in_force_until=date(2027, 3, 1), reviewed=date(2027, 3, 1))], date(2027, 3, 1)) == ()
    assert "To be reviewed" not in report([ends], date(2027, 2, 28), root)
    old = made(in_force_from=date(2027, 1, 5))
    assert "To be reviewed: a date of us-records" in report([old], date(2027, 1, 5), root)


def test_sources_were_read_since_the_last_date() -> None:
    """Only warn: a learner who runs the tests in 2028 did nothing wrong. The weekly run fails instead."""
    if late := passed(ALL, date.today()):
        warnings.warn(f"read the sources again: {', '.join(duty.id for duty in late)}", stacklevel=1)


@pytest.mark.weekly
def test_no_date_has_passed_since_the_last_review() -> None:
    late = passed(ALL, date.today())
    assert not late, f"read the sources again, correct duties.yml, set `reviewed`: {[duty.id for duty in late]}"


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"source": " "}, "duty us-records: source: "),
        ({"source": None}, "source: "),
        ({"in_force_from": "2026-4-17"}, "in_force_from: "),
        ({"in_force_until": date(2011, 12, 30)}, "is not after in_force_from 2011-12-30"),
        ({"jurisdiction": False}, "jurisdiction: Input should be 'EU' or 'US'"),
        ({"reviewed": None}, "reviewed: "),
        ({"until": date(2030, 1, 1)}, "until: Extra inputs"),
        ({"id": "US records"}, "id: "),
        ({"evidence": ["/etc/passwd"]}, "write a path from the root"),
        ({"evidence": ["../x.py::test_x"]}, "write a path from the root"),
        ({"evidence": ["tests\\x.py::test_x"]}, "write a path from the root"),
    ],
)
def test_a_duty_that_lacks_something_is_named(tmp_path: Path, changed: dict[str, object], message: str) -> None:
    file = tmp_path / "duties.yml"
    file.write_text(yaml.safe_dump([KEPT | changed]))
    with pytest.raises(DutyError) as told:
        read_duties(file)
    assert message in str(told.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "write a list of duties"),
        ("[]", "write a list of duties"),
        ("id: x", "write a list of duties"),
        ("- [", "cannot be read"),
        ("- 5", "duty number 1: "),
    ],
)
def test_a_file_that_is_no_list_of_duties_is_refused(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "duties.yml"
    file.write_text(text)
    with pytest.raises(DutyError, match=message):
        read_duties(file)
    with pytest.raises(DutyError, match="cannot be read"):
        read_duties(tmp_path / "none.yml")
    file.write_text(yaml.safe_dump([KEPT, KEPT]))
    with pytest.raises(DutyError, match="more than one duty is called us-records"):
        read_duties(file)


def test_the_file_is_read_from_beside_the_module() -> None:
    assert DUTIES.name == "duties.yml"
    assert all(duty.reviewed <= TODAY for duty in ALL)
    assert repository().joinpath("uv.lock").is_file()
