"""People in the loop: the queue's rules hold, its entries come once, the lot is blind and keeps its budget."""

import sqlite3
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray

from oakbank.governance.audit import AuditError, AuditLog
from oakbank.governance.review import gains
from oakbank.governance.review.explore import Exploration
from oakbank.governance.review.officers import Officer, contraction, log_odds, vigilance
from oakbank.governance.review.priority import at_stake, cases_of, uncertain, worth
from oakbank.governance.review.queue import REASONS, Case, ReviewError, ReviewQueue
from oakbank.world import World, break_even, loan_profit

SMALL, BIG, ASKED, LATE = (
    Case(1, 5_000.0, False, 3.0, due=0),
    Case(2, 30_000.0, False, 2.0, due=0),
    Case(3, 4_000.0, True, 1.0, due=0, asked=True),
    Case(4, 4_000.0, True, 2.0, due=0),
)
REASON = REASONS[0]
Floats = NDArray[np.float64]


@pytest.fixture
def audit(tmp_path: Path) -> AuditLog:
    return AuditLog(tmp_path / "audit.jsonl")


@pytest.fixture
def queue(tmp_path: Path, audit: AuditLog) -> ReviewQueue:
    queue = ReviewQueue(tmp_path / "review.db", audit, slots=2)
    queue.submit([SMALL, BIG, ASKED, LATE])
    return queue


def kinds(audit: AuditLog) -> list[str]:
    return [entry.kind for entry in audit.entries()]


def test_who_asked_comes_first_then_priority_then_the_older(queue: ReviewQueue) -> None:
    assert queue.next(0) == [3, 1]
    queue.decide(3, "Ada", True, 0)
    assert queue.next(0) == [1]
    queue.decide(1, "Ada", False, 0)
    assert queue.next(0) == []
    with pytest.raises(ReviewError, match="2 slots of period 0 are used"):
        queue.decide(2, "Ada", False, 0)


@pytest.mark.parametrize("reason", ["", "I like her"])
def test_an_override_needs_a_reason_of_the_list(queue: ReviewQueue, audit: AuditLog, reason: str) -> None:
    with pytest.raises(ReviewError, match="needs a reason, one of: income"):
        queue.decide(1, "Ada", True, 0, reason)
    assert queue.review(1).state == "open"
    assert kinds(audit) == []


def test_a_small_override_stands_and_is_written_once(queue: ReviewQueue, audit: AuditLog) -> None:
    first = queue.decide(1, "Ada", True, 0, REASON)
    assert (first.state, first.granted, first.officer, first.reason) == ("reviewed", True, "Ada", REASON)
    assert queue.decide(1, "Ada", True, 0, REASON) == first
    (entry,) = audit.entries()
    assert (entry.actor, entry.when, entry.payload["application_id"]) == ("Ada", 0, 1)
    with pytest.raises(ReviewError, match="is reviewed"):
        queue.decide(1, "Ben", False, 0)


@pytest.mark.parametrize("second", ["Ada", " ADA ", "ada", "\uff21da"])
def test_the_second_person_is_another_one(queue: ReviewQueue, audit: AuditLog, second: str) -> None:
    assert queue.decide(2, "Ada", True, 0, REASON).granted is None
    with pytest.raises(ReviewError, match="somebody else"):
        queue.confirm(2, second, agrees=True, now=0)
    done = queue.confirm(2, "Ben", agrees=True, now=0)
    assert (done.state, done.granted, done.second) == ("reviewed", True, "Ben")
    assert kinds(audit) == ["review", "second look"]


def test_a_second_person_who_disagrees_opens_the_case(queue: ReviewQueue) -> None:
    queue.decide(2, "Ada", True, 0, REASON)
    assert queue.confirm(2, "Ben", agrees=False, now=0).state == "open"
    with pytest.raises(ReviewError, match="no override waits"):
        queue.confirm(2, "Cleo", agrees=True, now=0)


def test_what_is_late_keeps_the_models_decision_unless_a_person_was_asked_for(queue: ReviewQueue) -> None:
    queue.decide(2, "Ada", True, 0, REASON)  # without its second person
    assert queue.lapse(0) == []
    assert queue.lapse(1) == [1, 2, 4]
    assert [queue.review(one).granted for one in (1, 2, 4)] == [False, False, True]
    assert queue.next(1) == [3]
    assert queue.next(99) == [3]
    with pytest.raises(ReviewError, match="is lapsed"):
        queue.decide(1, "Ada", True, 1, REASON)


def test_who_asks_after_a_lapse_is_seen_by_a_person(queue: ReviewQueue, audit: AuditLog) -> None:
    queue.lapse(1)
    queue.ask(4, 1)
    assert queue.review(4).granted is None
    assert queue.next(1) == [4, 3]
    assert queue.decide(4, "Ada", False, 2, REASON).granted is False
    assert kinds(audit)[-2:] == ["review asked", "review"]


def test_a_case_that_is_late_is_not_decided(queue: ReviewQueue) -> None:
    with pytest.raises(ReviewError, match="was due in period 0"):
        queue.decide(1, "Ada", False, 1)


@pytest.mark.parametrize("name", ["", "  ", "Ada\nBen"])
def test_nobody_decides_nothing(queue: ReviewQueue, name: str) -> None:
    with pytest.raises(ReviewError, match="the name of who makes it"):
        queue.decide(1, name, False, 0)


def test_cases_come_all_or_none_and_twice_is_once(queue: ReviewQueue) -> None:
    queue.submit([SMALL])
    with pytest.raises(ReviewError, match="other content"):
        queue.submit([Case(9, 1_000.0, True, 1.0, due=0), Case(1, 6_000.0, False, 3.0, due=0)])
    with pytest.raises(ReviewError, match="not in the queue"):
        queue.review(9)


def test_an_entry_that_was_not_told_is_told_later_and_once(
    queue: ReviewQueue, audit: AuditLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log fails after the decision is on the disk; then the process ends and another one opens the file."""

    def full(*_: object, **__: object) -> None:
        raise AuditError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(audit, "append", full)
        with pytest.raises(AuditError):
            queue.decide(1, "Ada", False, 0)
    assert kinds(audit) == []
    assert queue.review(1).state == "reviewed"
    queue.close()
    again = ReviewQueue(queue.path, audit, slots=2)
    assert kinds(audit) == ["review"]
    with sqlite3.connect(queue.path) as file:  # killed between the log and the note that it was told
        file.execute("UPDATE entries SET told = 0")
    again.decide(4, "Ada", True, 0)
    assert kinds(audit) == ["review", "review"]
    assert audit.verify().ok


def test_a_file_that_is_no_queue_is_named(tmp_path: Path, audit: AuditLog) -> None:
    (tmp_path / "text.db").write_text("no database " * 100, encoding="utf-8")
    with pytest.raises(ReviewError, match=r"text\.db cannot be opened"):
        ReviewQueue(tmp_path / "text.db", audit, slots=1)
    with pytest.raises(ReviewError, match="at least 1"):
        ReviewQueue(tmp_path / "none.db", audit, slots=0)


@pytest.fixture(scope="module")
def month() -> pd.DataFrame:
    return World(5).applications(0)


@pytest.fixture(scope="module")
def risk(month: pd.DataFrame) -> Floats:
    """Some risk for each, without a model: by score."""
    return np.asarray(1 / (1 + np.exp((month["bureau_score"] - 570) / 50)))


def test_the_lot_is_sticky_and_grows_with_its_share(month: pd.DataFrame, risk: Floats) -> None:
    nobody = np.zeros(len(month), dtype=bool)
    small, large = (Exploration(share, 1e9, "a").draw(month, risk, nobody) for share in (0.02, 0.1))
    assert (large | small).tolist() == large.tolist()
    assert 10 < small.sum() < large.sum()
    turned = Exploration(0.1, 1e9, "a").draw(month[::-1], risk[::-1], nobody)
    assert turned[::-1].tolist() == large.tolist()
    assert Exploration(0.1, 1e9, "b").draw(month, risk, nobody).tolist() != large.tolist()


def test_the_lot_does_not_know_the_group(month: pd.DataFrame, risk: Floats) -> None:
    """Whatever else is written in the applications, the same people are drawn."""
    nobody = np.zeros(len(month), dtype=bool)
    drawn = Exploration(0.1, 1e9, "a").draw(month, risk, nobody)
    other = month.assign(group=month["group"].to_numpy()[::-1], region=month["region"].to_numpy()[::-1])
    assert Exploration(0.1, 1e9, "a").draw(other, risk, nobody).tolist() == drawn.tolist()
    needed = month[["application_id", "amount", "term"]]
    assert Exploration(0.1, 1e9, "a").draw(needed, risk, nobody).tolist() == drawn.tolist()


def test_the_lot_keeps_its_limits(month: pd.DataFrame, risk: Floats) -> None:
    yes = risk < break_even(month["amount"], month["term"])
    assert 0 < yes.sum() < len(yes)
    unknown = np.where(np.arange(len(risk)) % 2, risk, np.nan)
    drawn = Exploration(1.0, 1e12, "a", max_risk=0.4).draw(month, unknown, yes)
    assert drawn.any()
    assert not drawn[yes].any()
    assert unknown[drawn].max() <= 0.4
    near = Exploration(1.0, 1e12, "a", margin=0.05).draw(month, risk, yes)
    assert near.sum() > 0
    assert (risk - break_even(month["amount"], month["term"]))[near].max() <= 0.05


@pytest.mark.parametrize("budget", [0.0, 3_000.0, 30_000.0])
def test_the_lot_spends_no_more_than_its_budget(month: pd.DataFrame, risk: Floats, budget: float) -> None:
    yes = risk < break_even(month["amount"], month["term"])
    drawn = Exploration(1.0, budget, "a").draw(month, risk, yes)
    lost = -loan_profit(month["amount"], month["term"], risk)[drawn].sum()
    assert lost <= budget
    assert drawn.sum() < (~yes).sum()
    assert drawn.any() == (budget > 0)


@pytest.mark.parametrize(
    ("share", "budget", "salt"), [(2.0, 1.0, "a"), (-0.1, 1.0, "a"), (0.1, -1.0, "a"), (0.1, np.nan, "a"), (0.1, 1, "")]
)
def test_a_lot_that_makes_no_sense_is_refused(share: float, budget: float, salt: str) -> None:
    with pytest.raises(ValueError, match=r"0|salt"):
        Exploration(share, budget, salt)


def test_an_officer_without_error_decides_as_the_truth_says(month: pd.DataFrame, risk: Floats) -> None:
    right = risk < break_even(month["amount"], month["term"])
    loan = (~right, month["amount"], month["term"])
    assert (Officer("eye", 0.0, 0.0).decide(risk, *loan, seed=1) == right).all()
    assert (Officer("stamp", 0.0, 0.0, follows=1.0).decide(risk, *loan, seed=1) == ~right).all()
    strict = Officer("strict", 0.0, 1.0).decide(risk, *loan, seed=1)
    assert strict.sum() < right.sum()
    assert not (strict & ~right).any()
    noisy = Officer("noisy", 1.0, 0.0)
    assert (noisy.decide(risk, *loan, seed=1) == noisy.decide(risk, *loan, seed=1)).all()
    assert (noisy.decide(risk, *loan, seed=1) != noisy.decide(risk, *loan, seed=2)).any()


def test_contraction_by_hand() -> None:
    """Five cases, four granted, of which the model keeps the two safest: one of them fails, so 1 of 5."""
    risk, granted = [0.1, 0.2, 0.3, 0.4, 0.05], [True, True, True, True, False]
    assert contraction(risk, granted, [False, True, True, True, True], 0.4) == 0.2
    with pytest.raises(ValueError, match="a more lenient officer"):
        contraction(risk, granted, [False] * 5, 1.0)


def test_contraction_reads_no_outcome_of_the_declined() -> None:
    risk, granted = [0.1, 0.2, 0.3], [False, True, True]
    one, other = (contraction(risk, granted, [bad, True, False], 0.5) for bad in (True, False))
    assert one == other


def test_vigilance_counts_the_planted_only() -> None:
    assert vigilance([True, True, False], [True, False, False], [True, True, False]) == 0.5
    with pytest.raises(ValueError, match="plant some"):
        vigilance([True], [True], [False])


def test_a_look_is_worth_something_near_the_limit_and_more_with_the_amount() -> None:
    limit = float(break_even(10_000.0, 36))
    risk, amount, term = np.array([limit, limit, 0.001, 0.9]), np.array([1e4, 3e4, 1e4, 1e4]), np.full(4, 36)
    value = worth(risk, amount, term)
    assert value[1] > 2 * value[0] > 0
    assert (value >= -1e-9).all()
    assert value[2:].max() < 0.05 * value[0]
    assert uncertain(risk, amount, term).argmax() == 0
    assert at_stake(risk, amount, term).argmax() == 1
    assert log_odds([0.0, 0.5, 1.0])[1] == 0
    assert np.isfinite(log_odds([0.0, 1.0])).all()


def test_the_kept_lives_are_whole() -> None:
    lives = pd.DataFrame(gains.kept()["lives"])
    assert len(lives) == lives.groupby(["seed", "world", "lot"]).ngroups == 6 * len(gains.WORLDS) * len(gains.LOTS)


def test_banks_differ_by_the_lot_alone() -> None:
    """Until the first training that has seen an exploration, both earn the same; the lot's loans are counted apart."""
    none, lot = (gains.Bank(11, "calm", name).live(4) for name in ("none", "10 % near"))
    assert none.explored == 0
    assert none.cost == 0
    assert lot.explored > 0
    assert none.earned[:3] == lot.earned[:3]
    assert none.earned[3] != lot.earned[3]


def test_a_kept_life_comes_out_again() -> None:
    """The table of the lesson is what this code finds, on another machine to a few percent."""
    (kept,) = (one for one in gains.kept()["lives"] if (one["seed"], one["world"], one["lot"]) == (11, "thaw", "2 %"))
    again = gains.row(11, "thaw", "2 %", gains.Bank(11, "thaw", "2 %").live())
    for name in ("first_year", "second_year", "cost", "explored"):
        assert again[name] == pytest.approx(kept[name], rel=0.05)


def test_a_gain_is_against_the_same_seed_and_world() -> None:
    """By hand: the second bank earns 30 more for a cost of 20, the third 10 more for 20."""
    about = {"first_year": 0, "explored": 1, "expected": 2.0, "defaults": 3}
    lots = [(1, "none", 100, 0), (1, "a", 130, 20), (2, "a", 210, 20), (2, "none", 200, 0)]
    rows = [about | {"seed": s, "world": "w", "lot": lot, "second_year": e, "cost": c} for s, lot, e, c in lots]
    lives = gains.compared(pd.DataFrame(rows))
    assert lives["gain"].tolist() == [0, 30, 10, 0]
    assert gains.by_lot(lives).to_numpy()[0].tolist() == [2, 2, 1, 40 / 340, 1.5]


def test_numbers_of_numpy_are_taken(queue: ReviewQueue) -> None:
    """What stands in a frame is one: the queue finds the case, and the log takes the decision."""
    assert queue.decide(np.int64(2), "Ada", np.True_, 0, REASON).state == "second"  # type: ignore[arg-type]
    assert queue.confirm(np.int64(2), "Ben", True, 0).granted is True  # type: ignore[arg-type]


def test_a_frame_becomes_cases() -> None:
    frame = pd.DataFrame({"application_id": [7], "amount": [900.0], "proposed": [True]})
    assert cases_of(frame, [0.5], due=3) == [Case(7, 900.0, True, 0.5, due=3)]
