"""Every fault that the simulator can plant in a feed is found in its months and in no other; no row is lost."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from oakbank.pipelines import (
    FeedReference,
    Problem,
    TrainingConfig,
    bad_rows,
    build_features,
    check_feed,
    repair_feed,
    run_training,
)
from oakbank.pipelines.contract import Application
from oakbank.pipelines.steps import validate
from oakbank.pipelines.validation import NUMERIC, ProblemKind
from oakbank.world import (
    CATEGORIES,
    COLUMNS,
    FEATURES,
    Event,
    Lake,
    LakeError,
    Scenario,
    World,
    load_scenario,
    publish_month,
    publish_outcomes,
)
from oakbank.world.lake import read_parquet, write_parquet
from oakbank.world.simulator import LEAK_COLUMN

KINDS: dict[str, ProblemKind] = {"feed_unit": "unit", "feed_missing": "missing_column", "feed_stale": "stale"}
Found = dict[int, list[tuple[str, str]]]


def watch(world: World, reference: FeedReference | None = None) -> Found:
    """Check each live month against history, as a monitor would."""
    reference = reference or FeedReference.typical(FeedReference.of(world.applications(m)) for m in range(-12, 0))
    found: Found = {}
    previous = world.applications(-1)
    for month in range(world.scenario.months):
        feed = world.applications(month)
        if problems := check_feed(feed, reference, previous):
            found[month] = [(problem.column, problem.kind) for problem in problems]
        previous = feed
    return found


def truth(scenario: Scenario, months: range | None = None) -> Found:
    planted: Found = {}
    for month in months or range(scenario.months):
        for event in scenario.truth(month):
            if event["kind"] in KINDS:
                planted.setdefault(month, []).append((str(event["column"]), KINDS[str(event["kind"])]))
    return planted


@pytest.mark.parametrize("name", ["broken-feed-unit", "broken-feed-missing", "broken-feed-stale", "stormy"])
@pytest.mark.parametrize("seed", [0, 1])
def test_a_broken_feed_is_found_in_its_months_and_in_no_other(name: str, seed: int) -> None:
    scenario = load_scenario(name)
    assert truth(scenario)
    assert watch(World(seed, scenario)) == truth(scenario)


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_a_calm_feed_raises_no_false_alarm(seed: int) -> None:
    world = World(seed, "calm")
    assert watch(world) == {}
    assert all((bad_rows(world.applications(month)) == "").all() for month in range(24))


@pytest.mark.parametrize("name", ["data-drift-sudden", "data-drift-gradual", "recession", "selective-labels"])
def test_other_customers_are_not_a_broken_feed(name: str) -> None:
    assert watch(World(0, name)) == {}


def test_a_planted_leak_is_a_column_that_nobody_announced() -> None:
    found = watch(World(0, "planted-leak"))
    assert found == {month: [(LEAK_COLUMN, "unknown_column")] for month in range(24)}


# Late payments are counted and most people have none: they have no unit to get wrong.
BREAKS = [(kind, column) for kind in KINDS for column in NUMERIC if (kind, column) != ("feed_unit", "delinquencies")]


@pytest.mark.parametrize(("kind", "column"), BREAKS)
def test_any_numeric_column_can_break(kind: Any, column: str) -> None:
    event = Event(kind=kind, onset=2, until=4, column=column, factor=12 if kind == "feed_unit" else 1)
    scenario = Scenario(name="one", description="", months=5, events=(event,), applications_per_month=500)
    assert watch(World(0, scenario)) == truth(scenario) == {m: [(column, KINDS[kind])] for m in (2, 3)}


def test_values_missing_from_many_rows_are_a_matter_of_the_feed() -> None:
    feed = World(0, "calm").applications(0)
    reference = FeedReference.of(feed)
    holes = feed.assign(income=feed["income"].where(np.arange(len(feed)) % 2 == 0))
    text = feed.assign(income="n/a")
    for broken, share in ((holes, "50%"), (text, "100%")):
        (problem,) = check_feed(broken, reference)
        assert (problem.column, problem.kind, problem.detail) == (
            "income",
            "missing_values",
            f"{share} of the values are missing",
        )
    few = feed.assign(income=feed["income"].where(np.arange(len(feed)) % 10 > 0))
    assert check_feed(few, reference) == []


def test_months_of_other_lengths_are_compared_as_far_as_they_go() -> None:
    feed, after = World(0, "calm").applications(0), World(0, "calm").applications(1)
    reference = FeedReference.of(feed)
    stale = after.assign(bureau_score=feed["bureau_score"]).head(900)
    assert [(p.column, p.kind) for p in check_feed(stale, reference, feed)] == [("bureau_score", "stale")]
    assert check_feed(after.head(0), reference, feed) == []
    assert check_feed(after, reference, feed.head(0)) == []


def test_few_values_repeat_by_chance_and_all_of_them_in_a_stale_feed() -> None:
    months = [World(0, "calm").applications(month) for month in (0, 1)]
    rare = [month.assign(delinquencies=(np.arange(2_000) * (7 + k) % 100 < 15) * 1) for k, month in enumerate(months)]
    reference = FeedReference.of(rare[0])
    assert np.mean(rare[0]["delinquencies"] == rare[1]["delinquencies"]) > 0.7
    assert check_feed(rare[1], reference, rare[0]) == []
    stale = rare[1].assign(delinquencies=rare[0]["delinquencies"])
    assert [(p.column, p.kind) for p in check_feed(stale, reference, rare[0])] == [("delinquencies", "stale")]


def test_a_constant_of_a_repaired_month_is_not_stale_data() -> None:
    feed, after = World(0, "calm").applications(0), World(0, "calm").applications(1)
    reference = FeedReference.of(feed)
    problem = [Problem("income", "unit", "")]
    repaired = [repair_feed(month, problem, reference) for month in (feed, after)]
    assert check_feed(repaired[1], reference, repaired[0]) == []


@pytest.mark.parametrize("column", NUMERIC)
def test_a_repair_gives_back_a_feed_that_keeps_the_contract(column: str) -> None:
    good = World(0, "calm").applications(0)
    reference = FeedReference.of(good)
    for broken in (good.drop(columns=column), good.assign(**{column: good[column] * 12.0})):
        problem = [Problem(column, "missing_column" if column not in broken else "unit", "")]
        given = broken.copy()
        repaired = repair_feed(broken, problem, reference)
        assert (bad_rows(repaired) == "").all()
        assert repaired[column].nunique() == 1
        assert repaired[column].dtype == good[column].dtype
        assert not build_features(repaired).isna().any(axis=None)
        assert broken.equals(given)
    with pytest.raises(ValueError, match=rf"cannot repair {column}.*ask the supplier"):
        repair_feed(good, [Problem(column, "missing_column", "not delivered")], FeedReference({}))


def test_a_repair_of_holes_keeps_what_was_delivered() -> None:
    good = World(0, "calm").applications(0)
    reference = FeedReference.of(good)
    holes = good.assign(debts=good["debts"].where(np.arange(len(good)) % 2 == 0))
    repaired = repair_feed(holes, check_feed(holes, reference), reference)
    assert repaired["debts"][::2].equals(good["debts"][::2])
    assert set(repaired["debts"][1::2]) == {reference.medians["debts"]}
    both = [Problem("debts", "missing_values", ""), Problem("debts", "unit", "")]
    assert set(repair_feed(holes, both, reference)["debts"]) == {reference.medians["debts"]}


def test_broken_months_are_outvoted() -> None:
    world = World(0, "broken-feed-unit")
    months = [FeedReference.of(world.applications(month)) for month in range(4, 13)]  # three good, six broken
    assert FeedReference.typical(months).medians["income"] > 20_000
    months += [FeedReference.of(world.applications(month)) for month in range(-3, 4)]
    assert FeedReference.typical(months).medians["income"] < 3_000
    assert FeedReference.typical([FeedReference({}), FeedReference({"age": 40.0})]).medians == {"age": 40.0}


# ---- rows ----

THIRTY = World(0, "calm").applications(0).head(30)
WRONG: dict[str, list[Any]] = {
    "applied_on": [pd.NaT, pd.Timestamp("1970-01-01"), pd.Timestamp("2024-02-10")],
    "month": [999, -999, float("nan")],
}
for _column in COLUMNS:
    if _column.low is not None and _column.high is not None:
        WRONG[_column.name] = [float("nan"), float("inf"), -1e9, _column.low - 1, _column.high + 1]
    elif _column.dtype == "category":
        WRONG[_column.name] = [None, "", "nonsense"]
cells = st.sampled_from(sorted(WRONG)).flatmap(
    lambda column: st.tuples(st.integers(0, 29), st.just(column), st.sampled_from(WRONG[column]))
)


def put(frame: Any, row: int, column: str, value: Any) -> None:
    frame.loc[row, column] = value


@settings(deadline=None, max_examples=25)
@given(st.lists(cells, max_size=20), st.lists(st.integers(0, 29), max_size=5))
def test_every_mangled_row_is_quarantined_and_no_row_is_lost(
    tmp_path_factory: pytest.TempPathFactory, mangled: list[tuple[int, str, Any]], repeated: list[int]
) -> None:
    folder = tmp_path_factory.mktemp("rows")
    rows = THIRTY.assign(defaulted=False)
    for column in {column for _, column, _ in mangled}:
        if rows[column].dtype != "datetime64[ms]":
            rows[column] = rows[column].astype(object if rows[column].dtype == "category" else np.float64)
    for row, name, value in mangled:
        put(rows, row, name, value)
    broken = {row for row, _, _ in mangled}
    again = rows.loc[repeated]  # delivered twice: the first one counts
    write_parquet(pd.concat([rows, again], ignore_index=True), folder / "in.parquet")
    if len(broken) == 30:
        with pytest.raises(LakeError, match="none of the"):
            validate(folder / "in.parquet", folder / "good", folder / "bad", folder / "report")
        return
    validate(folder / "in.parquet", folder / "good", folder / "bad", folder / "report")
    good, bad = read_parquet(folder / "good"), read_parquet(folder / "bad")
    assert good["application_id"].tolist() == rows["application_id"].drop(index=sorted(broken)).tolist()
    assert len(good) + len(bad) == 30 + len(repeated)
    assert (bad["reason"] != "").all()
    report = json.loads((folder / "report").read_text())
    assert (report["rows"], report["quarantined"]) == (30 + len(repeated), len(bad))
    assert sum(report["reasons"].values()) == len(bad)


def test_the_reason_says_what_is_wrong() -> None:
    rows = World(0, "calm").applications(0).head(8).reset_index(drop=True)
    rows = rows.astype({"income": object, "channel": object})
    rows.loc[0, "income"] = "plenty"
    rows.loc[1, "income"] = None
    rows.loc[2, "age"] = 17
    rows.loc[3, "term"] = 96
    rows.loc[4, "channel"] = "pigeon"
    rows.loc[5, "month"] = 1
    rows.loc[6, "application_id"] = int(rows["application_id"].iloc[7])
    assert bad_rows(rows).tolist() == [
        "income is not a number",
        "income is missing",
        "age is below 18 years",
        "term is above 84 months",
        "channel is not one of its categories",
        "month is not that of applied_on",
        "",
        "duplicated application_id",
    ]
    assert bad_rows(rows.set_index(rows.index + 100)).index.tolist() == list(range(100, 108))


# ---- in the pipeline ----


def live_lake(folder: Path, name: str, until: int) -> Lake:
    """A lake with history and the live months before `until`, all decided by officers."""
    world = World(1, load_scenario(name).model_copy(update={"applications_per_month": 200}))
    lake = Lake(folder)
    for month in range(-12, until):
        publish_month(world, lake, month)
        decided = world.officer_decisions(month).assign(default_probability=np.nan, model_version="officers")
        lake.write("decisions", month, decided.assign(month=month))
        if month >= -12 + world.scenario.label_delay:
            publish_outcomes(world, lake, month)
    return lake


@pytest.mark.parametrize("name", ["broken-feed-unit", "broken-feed-missing", "broken-feed-stale", "stormy", "calm"])
def test_training_over_broken_months_finds_and_repairs_them(name: str, tmp_path: Path) -> None:
    lake = live_lake(tmp_path / "lake", name, 18)
    for window in (12, 4):  # in the short one, all months may be broken alike
        config = TrainingConfig(as_of=17, window=window, rounds=20)
        run = run_training(config, lake, tmp_path / f"run{window}")
        months = range(14 - window, 14)
        report = json.loads((run.folder / "validate" / "report.json").read_text())
        found = {
            int(month): [(problem["column"], problem["kind"]) for problem in problems]
            for month, problems in report["feed_problems"].items()
        }
        assert found == truth(load_scenario(name), months)
        assert report["quarantined"] == 0
        accepted = read_parquet(run.folder / "validate" / "accepted.parquet")
        assert set(accepted["month"]) == set(months)
        assert not accepted.isna().any(axis=None)
        assert {column.name: str(accepted[column.name].dtype) for column in COLUMNS} == {
            column.name: column.dtype for column in COLUMNS
        }


def test_a_planted_leak_never_reaches_the_model(tmp_path: Path) -> None:
    run = run_training(TrainingConfig(as_of=4), live_lake(tmp_path / "lake", "planted-leak", 4), tmp_path / "run")
    report = json.loads((run.folder / "validate" / "report.json").read_text())
    assert {p["kind"] for problems in report["feed_problems"].values() for p in problems} == {"unknown_column"}
    assert LEAK_COLUMN not in read_parquet(run.folder / "validate" / "accepted.parquet")
    assert LEAK_COLUMN not in run.model().booster.feature_name()
    assert run.evaluation.auc < 0.9


def test_a_column_that_cannot_be_repaired_stops_the_run_and_names_the_file(tmp_path: Path) -> None:
    lake = live_lake(tmp_path / "lake", "calm", 2)
    month = lake.read("applications", [-5])
    lake.write("applications", -5, month.drop(columns="purpose"))
    with pytest.raises(LakeError, match=r"month=-005\.parquet: cannot repair purpose .*ask the supplier"):
        run_training(TrainingConfig(as_of=2), lake, tmp_path / "run")
    lake.write("applications", -5, month.drop(columns="application_id"))
    with pytest.raises(LakeError, match=r"month=-005\.parquet has no column application_id"):
        run_training(TrainingConfig(as_of=2), lake, tmp_path / "run")


def test_a_month_delivered_as_text_is_read_like_the_others(tmp_path: Path) -> None:
    lake = live_lake(tmp_path / "lake", "calm", 0)
    run_training(TrainingConfig(rounds=2), lake, tmp_path / "numbers")
    lake.write("applications", -5, lake.read("applications", [-5]).astype(str))
    run = run_training(TrainingConfig(rounds=2), lake, tmp_path / "text")
    one, other = (read_parquet(tmp_path / name / "validate" / "accepted.parquet") for name in ("numbers", "text"))
    pd.testing.assert_frame_equal(one, other, check_dtype=False, check_categorical=False)
    assert run.model_path.read_bytes() == (tmp_path / "numbers" / "train" / "model.txt").read_bytes()


# ---- two contracts for rows: the feed's and the service's


def changed_values(name: str) -> st.SearchStrategy[Any]:
    column = {column.name: column for column in COLUMNS}[name]
    if name in CATEGORIES:
        return st.sampled_from([*CATEGORIES[name], "fax", "", None])
    assert column.low is not None
    assert column.high is not None
    ends = [column.low, column.high, column.low - 1, column.high + 1, None]
    if column.dtype == "float64":
        ends += [np.nextafter(column.low, -np.inf), np.nextafter(column.high, np.inf), np.nan, np.inf]
    else:
        ends += [column.low + 0.5, column.high - 1e-9]
    return st.sampled_from(ends) | st.integers(int(column.low) - 5, int(column.high) + 5).map(float)


@settings(max_examples=300, deadline=None, derandomize=True, database=None)
@given(
    changes=st.dictionaries(st.sampled_from(FEATURES), st.none(), max_size=3).flatmap(
        lambda names: st.fixed_dictionaries({name: changed_values(name) for name in names})
    )
)
def test_the_feed_and_the_service_take_the_same_rows(changes: dict[str, Any]) -> None:
    """COLUMNS is the truth of both; a row that one of them refuses would be decided in one place only."""
    month = World(0).applications(0).head(1).astype(dict.fromkeys(FEATURES, object))
    for name, value in changes.items():
        month.at[month.index[0], name] = value
    row = {name: month[name].iloc[0] for name in FEATURES}
    try:
        sent = {name: value.item() if isinstance(value, np.generic) else value for name, value in row.items()}
        Application.model_validate_json(json.dumps(sent))
        taken = True
    except ValidationError:
        taken = False
    assert (bad_rows(month).iloc[0] == "") == taken, (row, bad_rows(month).iloc[0])
