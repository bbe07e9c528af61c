"""Scenario files: what is wrong is refused, and the message names the file, the field and what is wanted."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from oakbank.world import Event, Scenario, ScenarioError, World, load_scenario
from oakbank.world.scenario import list_scenarios

MIX = {"web": 0.25, "branch": 0.15, "broker": 0.15, "aggregator": 0.45}


def event(**fields: Any) -> dict[str, Any]:
    return {"events": [{"kind": "data_drift", "onset": 3, "level": {"age_years": 1.0}} | fields]}


def drop_level(**fields: Any) -> dict[str, Any]:
    one = event(**fields)
    del one["events"][0]["level"]
    return one


WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "unknown key": ({"appetite": 3}, "appetite: Extra inputs"),
    "unknown key of an event": (event(strenght=1), "events.0.strenght: Extra inputs"),
    "no name": ({"name": None}, "name: Input should be a valid string"),
    "unknown kind": (event(kind="earthquake"), "events.0.kind: Input should be 'data_drift'"),
    "until before onset": (event(until=2), r"events.0: .*until \(2\) must come after onset \(3\)"),
    "until at onset": (event(until=3), r"events.0: .*until \(3\) must come after onset \(3\)"),
    "onset before the first month": (event(onset=-101), "events.0.onset: .*greater than or equal to -100"),
    "ramp of nothing": (event(ramp=0), "events.0.ramp: .*greater than or equal to 1"),
    "half a month": (event(onset=2.5), "events.0.onset: .*integer"),
    "mix of what is not mixed": (
        drop_level(mix={"term": {}}),
        "events.0.mix: .*mix of 'term': choose one of employment",
    ),
    "mix without a share": (drop_level(mix={"channel": {"web": 1.0}}), "events.0.mix: .*a share for each of"),
    "mix beyond 1": (drop_level(mix={"channel": MIX | {"web": 0.3}}), "events.0.mix: .*summing to 1"),
    "mix below 0": (
        drop_level(mix={"channel": MIX | {"web": -0.25, "branch": 0.65}}),
        "events.0.mix: .*'channel' has a share below 0",
    ),
    "mix of not a number": (
        drop_level(mix={"channel": MIX | {"web": float("nan")}}),
        "events.0.mix.channel.web: .*finite",
    ),
    "unknown level": (event(level={"height": 1}), "events.0.level: .*unknown level .*choose from age_years"),
    "unknown risk": (
        drop_level(kind="concept_drift", risk={"group.B": 1}),
        "events.0.risk: .*unknown risk .*choose from intercept",
    ),
    "infinite risk": (
        drop_level(kind="concept_drift", risk={"burden": float("inf")}),
        "events.0.risk.burden: .*finite",
    ),
    "data drift of nothing": (drop_level(), "events.0: .*data_drift needs mix or level"),
    "concept drift of nothing": (drop_level(kind="concept_drift"), "events.0: .*concept_drift needs risk"),
    "a feed without column": (drop_level(kind="feed_missing"), "events.0: .*needs a numeric column, one of age"),
    "a category in another unit": (drop_level(kind="feed_unit", column="region", factor=2), "needs a numeric column"),
    "the protected group missing": (drop_level(kind="feed_missing", column="group"), "needs a numeric column"),
    "a unit change of 1": (drop_level(kind="feed_unit", column="age"), "events.0: .*factor other than 1"),
    "a negative unit": (drop_level(kind="feed_unit", column="age", factor=-2), "events.0.factor: .*greater than 0"),
    "stale from the first month": (drop_level(kind="feed_stale", column="age", onset=-100), "an onset after -100"),
    "a ramp of a feed": (
        drop_level(kind="feed_missing", column="age", ramp=3),
        "events.0: .*feed_missing takes no ramp",
    ),
    "a factor of a stale feed": (drop_level(kind="feed_stale", column="age", factor=3), "feed_stale takes no factor"),
    "a column of a drift": (event(column="age"), "events.0: .*data_drift takes no column"),
    "a risk of a data drift": (event(risk={"burden": 1}), "events.0: .*data_drift takes no risk"),
    "two faults of one column": (
        {
            "events": [
                {"kind": "feed_missing", "onset": 3, "until": 6, "column": "income"},
                {"kind": "feed_unit", "onset": 5, "column": "income", "factor": 12},
            ]
        },
        "the file: .*feed_missing and feed_unit break 'income' in the same months",
    ),
    "no months": ({"months": 0}, "months: .*greater than or equal to 1"),
    "nobody": ({"applications_per_month": 0}, "applications_per_month: .*greater than or equal to 1"),
    "more than a month has ids": (
        {"applications_per_month": 5_000_001},
        "applications_per_month: .*less than or equal",
    ),
    "labels at once": ({"label_delay": 0}, "label_delay: .*greater than or equal to 1"),
    "history before the first month": ({"history_months": 101}, "history_months: .*less than or equal to 100"),
    "history shorter than the delay": (
        {"history_months": 2},
        r"history_months \(2\) must be at least label_delay \(3\)",
    ),
    "negative noise": ({"officer_noise": -1}, "officer_noise: .*greater than or equal to 0"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_wrong_scenario_is_refused(case: str, tmp_path: Path) -> None:
    fields, message = WRONG[case]
    path = tmp_path / "wrong.yml"
    path.write_text(yaml.safe_dump({"name": "wrong", "description": "wrong on purpose"} | fields), encoding="utf-8")
    with pytest.raises(ScenarioError, match=rf"wrong\.yml: (?s:.*){message}"):
        Scenario.from_yaml(path)


def test_the_pattern_of_these_cases_is_right_without_the_fault(tmp_path: Path) -> None:
    """The frame that the cases share is a valid scenario, so each is refused for its own fault alone."""
    path = tmp_path / "right.yml"
    for fields in ({}, event(), event(mix={"channel": MIX}), event(until=4), event(onset=-100)):
        path.write_text(yaml.safe_dump({"name": "right", "description": "right"} | fields), encoding="utf-8")
        assert Scenario.from_yaml(path).name == "right"


@pytest.mark.parametrize("text", [b"name: [", b"\xff\xfe\x00", b"a: b: c", b"{a}: 1: 2"])
def test_what_is_no_yaml(text: bytes, tmp_path: Path) -> None:
    path = tmp_path / "odd.yml"
    path.write_bytes(text)
    with pytest.raises(ScenarioError, match=r"odd\.yml is not valid YAML"):
        Scenario.from_yaml(path)


@pytest.mark.parametrize("text", ["", "just words", "- a\n- list", "3"])
def test_what_is_no_scenario(text: str, tmp_path: Path) -> None:
    path = tmp_path / "odd.yml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ScenarioError, match=r"odd\.yml: the file: .*dictionary"):
        Scenario.from_yaml(path)


def test_a_missing_file_names_itself_and_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"no scenario file .*nowhere\.yml; there are: .*calm.*stormy"):
        Scenario.from_yaml(tmp_path / "nowhere.yml")
    with pytest.raises(ScenarioError, match=r"no scenario file .*clam\.yml; there are: .*calm"):
        World(1, "clam")


def test_two_faults_of_one_column_may_follow_each_other() -> None:
    first = {"kind": "feed_missing", "onset": 3, "until": 6, "column": "income"}
    then = {"kind": "feed_unit", "onset": 6, "column": "income", "factor": 12}
    one = Scenario.model_validate({"name": "t", "description": "t", "events": [first, then]})
    feed = World(1, one.model_copy(update={"applications_per_month": 10}))
    assert "income" not in feed.applications(5)
    assert "income" in feed.applications(6)


def test_a_scenario_of_ones_own_flies(tmp_path: Path) -> None:
    path = tmp_path / "mine.yml"
    path.write_text(
        "name: mine\ndescription: Older applicants from month 2.\napplications_per_month: 50\n"
        "events:\n  - {kind: data_drift, onset: 2, level: {age_years: 10}}\n",
        encoding="utf-8",
    )
    one = World(1, Scenario.from_yaml(path))
    assert len(one.applications(2)) == 50
    assert (
        one.applications(2)["age"] >= World(1, one.scenario.model_copy(update={"events": ()})).applications(2)["age"]
    ).all()


@pytest.mark.parametrize("name", list_scenarios())
def test_a_scenario_survives_its_own_record(name: str) -> None:
    """An audit log may keep a scenario as data and read it back."""
    one = load_scenario(name)
    assert Scenario.model_validate(one.model_dump()) == one
    assert Scenario.model_validate_json(one.model_dump_json()) == one


def test_events_and_scenarios_do_not_change() -> None:
    one = load_scenario("recession")
    with pytest.raises(ValueError, match="frozen"):
        one.months = 3
    with pytest.raises(ValueError, match="frozen"):
        one.events[0].onset = 3
    assert isinstance(one.events[0], Event)
