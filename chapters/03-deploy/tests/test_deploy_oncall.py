"""Drills: what a fault leaves, what acts do, what the clock and the score make of it."""

import json
import logging
import re
from itertools import pairwise, takewhile
from typing import Any

import pytest

from authoring.repository import ROOT
from oakbank.deploy.logs import JsonLines
from oakbank.deploy.metrics import Metrics
from oakbank.deploy.oncall.desk import Desk, DeskError
from oakbank.deploy.oncall.grammar import ACTS, FLAWS, KINDS, OWNER, QUERIES, SHIFT, UNITS, Drill, draw
from oakbank.deploy.oncall.score import Policy, anchors, play, play_side_by_side, summary, zoo

EVERY = [draw(17 + 31 * place + turn, cause) for place, cause in enumerate(KINDS) for turn in range(2)]


def evening(cause: str, alert: str, **more: Any) -> Drill:
    """Return a drill that is written by hand."""
    return Drill(1, cause, alert, -12, 0.5, **more)


DEBTS = evening("feed", "InputsBroken", target="debts", factor="0.001")


def test_a_drill_is_a_function_of_its_seed_and_keeps_to_the_grammar() -> None:
    for drill in (draw(seed, cause) for cause in KINDS for seed in range(40)):
        assert drill == draw(drill.seed, drill.cause)
        assert drill.alert in KINDS[drill.cause].alerts
        assert -20 <= drill.onset <= -10
        flaws = FLAWS[drill.alert] if drill.cause == "release" else ("",)
        assert drill.rollout is None or drill.rollout.flaw in flaws
        assert drill.rollout is not None or drill.cause != "release"
        assert drill.cause != "feed" or (drill.target, drill.factor) in UNITS
    assert {draw(seed).cause for seed in range(300)} == set(KINDS)
    with pytest.raises(ValueError, match="no cause 'gremlins'"):
        draw(1, "gremlins")


def rows_of(text: str, head: str) -> dict[str, list[str]]:
    """Return the rows of the table under a head, by the name in their first cell."""
    lines = text.split(f"# | {head} |", 1)[1].splitlines()[2:]
    rows = [line.strip("# |").split(" | ") for line in takewhile(lambda line: line.startswith("# |"), lines)]
    return {re.findall(r"`(\w+)`", row[0])[0]: row[1:] for row in rows}


def test_the_lab_prints_the_grammar_as_it_is() -> None:
    text = (ROOT / "solutions/03-on-call/03-on-call.py").read_text(encoding="utf-8")
    kinds, queries, acts = (rows_of(text, head) for head in ("cause", "query", "action"))
    assert {name: int(row[0]) for name, row in queries.items()} == QUERIES
    assert {name: int(row[0]) for name, row in acts.items()} == {name: act.minutes for name, act in ACTS.items()}
    prices = {name: int(row[1].split(" EUR")[0].replace(",", "")) for name, row in acts.items()}
    assert prices == {name: act.price for name, act in ACTS.items()}
    assert {name: set(re.findall(r"`(\w+)`", row[1])) for name, row in kinds.items()} == {
        name: set(kind.alerts) for name, kind in KINDS.items()
    }
    acted = {name: (re.findall(r"`(\w+)`", row[2]) or [""])[0] for name, row in kinds.items()}
    assert acted == {name: kind.act for name, kind in KINDS.items()}


def test_an_innocent_release_lies_beside_other_faults_often_in_their_minute() -> None:
    rollouts = [draw(seed, "feed").rollout for seed in range(300)]
    coincide = [one is not None and one.minute == draw(seed, "feed").onset for seed, one in enumerate(rollouts)]
    assert 0.25 < sum(coincide) / 300 < 0.42
    assert 0.25 < rollouts.count(None) / 300 < 0.42


def test_what_a_policy_sees_is_plain_data_of_the_past() -> None:
    desk = Desk(EVERY[0])
    for what in QUERIES:
        desk.step({"do": "query", "what": what})
    assert desk.minute == sum(QUERIES.values())
    state = desk.state
    assert set(state) == {"alert", "minute", "seen", "done"}
    assert json.loads(json.dumps(state)) == state
    assert state["seen"][0]["answer"]["minute"][-1] == state["seen"][0]["minute"] - 1 == 1


def test_the_counters_are_those_of_the_service_and_the_lines_have_its_fields() -> None:
    desk = Desk(evening("disk", "ServiceErrors"))
    real = Metrics()
    real.answered("/score", "POST", 200, 0.1)
    names = {line.split("{")[0].split(" ")[0] for line in real.text().decode().splitlines() if line[0] != "#"}
    assert {name.split("{")[0] for name in desk.ask("metrics")} - {"minute"} <= names
    told = {"route": "/score", "method": "POST", "status": 200, "milliseconds": 1.0, "model_version": "1"}
    record = logging.makeLogRecord({"msg": "answered", "levelname": "INFO"} | told)
    wanted = set(json.loads(JsonLines().format(record)))
    lines = [line for line in desk.ask("logs").splitlines() if line.endswith("}")]
    own = [told for line in lines if (told := json.loads(line))["logger"] == "oakbank.deploy.logs"]
    assert own
    assert all(set(told) == wanted for told in own)


def test_the_right_act_ends_the_loss_and_rollback_does_nothing_against_a_broken_feed() -> None:
    costs = {}
    for what, target in (("repair", "debts"), ("rollback", ""), ("repair", "income"), ("", "")):
        desk = Desk(DEBTS)
        if what:
            desk.act(what, target)
        desk.wait(SHIFT)
        costs[what, target] = desk.bill()
    assert costs["repair", "debts"] < 0.4 * costs["", ""]
    assert costs["rollback", ""] >= costs["", ""] + ACTS["rollback"].price
    assert costs["repair", "income"] >= costs["", ""] + ACTS["repair"].price


def test_what_is_delivered_stays_broken_when_decisions_are_made_on_a_repaired_column() -> None:
    desk = Desk(DEBTS)
    desk.act("repair", "debts")
    assert desk.ask("inputs")["debts"]["psi"] > 1


def test_a_restart_while_the_registry_is_away_leaves_nobody_to_serve() -> None:
    desk = Desk(evening("registry", "RefreshFailing"))
    desk.ask("host")
    assert desk.euros == 0
    desk.act("restart")
    desk.wait(10)
    gone = desk.ask("metrics")['oakbank_requests_total{status="503"}']
    assert [one for one in gone if one is not None][-1] > 400
    before = desk.euros
    desk.act("renew")
    after = desk.euros
    desk.wait(10)
    assert after > before
    assert desk.euros == after


def test_counters_begin_at_zero_again_after_a_restart() -> None:
    desk = Desk(evening("worker", "ServiceSlow"))
    desk.act("restart")
    desk.wait(3)
    readings = [one for one in desk.ask("metrics")['oakbank_requests_total{status="200"}'] if one is not None]
    assert readings[-1] < 600 < max(readings)
    falls = sum(now < before for before, now in pairwise(readings))
    assert falls == 1


def test_a_guess_does_not_count_and_nobody_closes_without_a_reason() -> None:
    desk = Desk(DEBTS)
    desk.ask("metrics")
    with pytest.raises(DeskError, match="with a reason"):
        desk.close("feed", " ")
    desk.close("feed", "it is always the feed")
    assert desk.said == ""
    asked = Desk(DEBTS)
    asked.ask("inputs")
    asked.close("feed", "debts are a thousandth of what they were")
    assert asked.said == "feed"


@pytest.mark.parametrize(
    ("move", "message"),
    [
        (None, "a move is a dict"),
        ({"do": "pray"}, "query, act, close, escalate"),
        ({"do": "query", "what": "oracle"}, "no query 'oracle'"),
        ({"do": "act", "what": "reboot"}, "no act 'reboot'"),
        ({"do": "act", "what": "repair"}, "repair takes debts or income"),
        ({"do": "act", "what": "rollback", "target": "debts"}, "rollback takes no target"),
        ({"do": "close", "cause": "gremlins", "reason": "x"}, "no cause 'gremlins'"),
    ],
)
def test_a_move_that_the_desk_does_not_know_is_refused(move: Any, message: str) -> None:
    with pytest.raises(DeskError, match=message):
        Desk(DEBTS).step(move)


def test_a_drill_ends_by_itself_and_a_policy_in_circles_is_stopped() -> None:
    desk = Desk(DEBTS)
    for _ in range(6):
        desk.ask("outcomes")
    assert desk.over
    with pytest.raises(DeskError, match="the drill is over"):
        desk.ask("host")
    asks = play(lambda state: {"do": "query", "what": "outcomes"}, DEBTS)
    assert (asks.minutes, asks.right, round(asks.score or 0)) == (SHIFT, False, 0)
    with pytest.raises(DeskError, match="after 30 moves"):
        play(lambda state: {"do": "act", "what": "retrain"}, evening("chance", "InputsMoved"))


def test_side_by_side_the_results_are_those_of_one_after_another() -> None:
    for name, policy in zoo().items():
        asked: list[int] = []

        def moves(states: list[dict[str, Any]], policy: Policy = policy, asked: list[int] = asked) -> list[Any]:
            asked.append(len(states))
            return [policy(state) for state in states]

        assert play_side_by_side(moves, EVERY) == [play(policy, drill) for drill in EVERY], name
        assert asked[0] == len(EVERY), "all are asked at once"
        assert asked == sorted(asked, reverse=True), "who is done is asked no more"
    with pytest.raises(DeskError, match="after 30 moves"):
        play_side_by_side(lambda states: [{"do": "act", "what": "retrain"}] * len(states), EVERY[:1])
    with pytest.raises(ValueError, match="shorter"):
        play_side_by_side(lambda states: [{"do": "escalate"}], EVERY)


def test_a_colleague_mends_it_late() -> None:
    woken = play(lambda state: {"do": "escalate"}, DEBTS)
    assert not woken.right
    assert woken.score is not None
    assert 20 < woken.score < 100 * (SHIFT - OWNER) / (SHIFT - 12)


def test_the_par_is_worth_more_than_nothing_where_an_act_helps_and_a_habit_never_passes() -> None:
    for drill in EVERY:
        nothing, par = anchors(drill)
        assert nothing - par >= 5_000 or drill.cause in ("registry", "echo", "chance")
    for name, policy in zoo().items():
        total = summary(play(policy, drill) for drill in EVERY)
        assert total["euros"] < 60, name
        assert total["causes"] < 0.2, name
    with pytest.raises(ValueError, match="no drill"):
        summary([])
