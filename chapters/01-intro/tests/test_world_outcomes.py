"""Outcomes: late, only of granted loans, equal to the truth, and never of a stranger."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oakbank.world import (
    DECISIONS,
    Feed,
    Lake,
    LakeError,
    World,
    load_scenario,
    loan_profit,
    publish_history,
    publish_month,
    publish_outcomes,
    table_of,
)
from oakbank.world.schema import OUTCOMES

N = 120


def world(**changes: object) -> World:
    return World(3, load_scenario("calm").model_copy(update={"applications_per_month": N} | changes))


@settings(max_examples=30, deadline=None, derandomize=True)
@given(
    granted=st.sets(st.integers(0, N - 1)).flatmap(lambda rows: st.permutations(sorted(rows))),
    month=st.integers(-12, 23),
    delay=st.integers(1, 6),
    kind=st.sampled_from([list, np.array, pd.Series]),
)
def test_only_the_granted_and_only_after_the_delay(granted: list[int], month: int, delay: int, kind: type) -> None:
    one = world(label_delay=delay)
    applied = month - delay
    truth = one.truth(applied).set_index("application_id")
    ids = truth.index.to_numpy()[granted]
    found = one.outcomes(month, kind(ids))
    assert list(found.columns) == ["application_id", "month", "known_month", "defaulted", "profit"]
    assert [str(dtype) for dtype in found.dtypes] == ["int64", "int16", "int16", "bool", "float64"]
    assert found["application_id"].tolist() == sorted(ids.tolist())
    assert (found["month"] == applied).all()
    assert (found["known_month"] == month).all()
    expected = truth.loc[found["application_id"]]
    assert found["defaulted"].tolist() == expected["would_default"].tolist()
    assert found["profit"].tolist() == expected["profit_if_granted"].tolist()


def test_profit_is_that_of_the_loan() -> None:
    one = world()
    feed = one.applications(0)
    found = one.outcomes(3, feed["application_id"])
    assert (found["profit"] == loan_profit(feed["amount"], feed["term"], found["defaulted"])).all()
    assert (found.loc[found["defaulted"], "profit"] < 0).all()


def test_an_unknown_id_is_refused() -> None:
    one = world()
    right = one.applications(0)["application_id"].to_numpy()
    for month in (2, 4):  # the neighbours' loans: too early by one, too late by one
        with pytest.raises(ValueError, match=f"outcomes of month {month} are for loans of month {month - 3}; some ids"):
            one.outcomes(month, right[:5])
    for wrong in ([right[0], right[-1] + 1], [right[0] - 1], [-1], [0.5], [float("nan")], [True, False]):
        with pytest.raises(ValueError, match="not of it"):
            one.outcomes(3, wrong)


def test_an_id_given_twice_is_refused() -> None:
    ids = world().applications(0)["application_id"].to_numpy()
    with pytest.raises(ValueError, match="given twice"):
        world().outcomes(3, [ids[0], ids[1], ids[0]])


def test_the_history_is_the_officers_and_its_outcomes_come_late(tmp_path: Path) -> None:
    one, lake = world(), Lake(tmp_path)
    publish_history(one, lake)
    assert lake.months("applications") == list(range(-12, 0))
    assert lake.months("decisions") == list(range(-12, 0))
    assert lake.months("outcomes") == list(range(-9, 0))
    decisions = lake.read("decisions", range(-12, 0))
    assert [(name, str(kind)) for name, kind in decisions.dtypes.items()] == [(c.name, c.dtype) for c in DECISIONS]
    assert decisions["default_probability"].isna().all()
    assert (decisions["model_version"] == "officers").all()
    assert (decisions["reason"] == "").all()
    outcomes = lake.read("outcomes", range(-9, 0))
    assert [(name, str(kind)) for name, kind in outcomes.dtypes.items()] == [(c.name, c.dtype) for c in OUTCOMES]
    assert (outcomes["known_month"] - outcomes["month"] == 3).all()
    known = decisions[decisions["month"] <= -4]
    assert set(outcomes["application_id"]) == set(known.loc[known["granted"], "application_id"])
    before = lake.path("outcomes", -1).read_bytes()
    publish_history(one, lake)  # a second time changes nothing
    assert lake.path("outcomes", -1).read_bytes() == before


def test_live_outcomes_follow_the_lakes_decisions(tmp_path: Path) -> None:
    one, lake = world(), Lake(tmp_path)
    publish_month(one, lake, 0)
    with pytest.raises(LakeError, match=r"month=\+000\.parquet is missing: publish that month first"):
        publish_outcomes(one, lake, 3)
    ids = one.applications(0)["application_id"]
    lake.write("decisions", 0, pd.DataFrame({"application_id": ids, "granted": ids % 2 == 0}))
    publish_outcomes(one, lake, 3)
    assert lake.read("outcomes", [3])["application_id"].tolist() == ids[ids % 2 == 0].tolist()
    lake.write("decisions", 1, pd.DataFrame({"application_id": ids + 10_000_000, "granted": False}))
    publish_outcomes(one, lake, 4)  # nobody was granted: a file without rows, not no file
    assert len(lake.read("outcomes", [4])) == 0
    assert (lake.read("outcomes", [3, 4]).dtypes == lake.read("outcomes", [3]).dtypes).all()


def test_a_feed_delivers_what_the_world_publishes(tmp_path: Path) -> None:
    one, lakes = world(), [Lake(tmp_path / "feed"), Lake(tmp_path / "world")]
    feed = Feed(one)
    assert (feed.seed, feed.label_delay, feed.history_months) == (one.seed, 3, 12)
    feed.publish_history(lakes[0])
    feed.publish_month(lakes[0], 0)
    publish_history(one, lakes[1])
    publish_month(one, lakes[1], 0)
    feed.publish_outcomes(lakes[0], 0)
    publish_outcomes(one, lakes[1], 0)
    delivered, published = (
        {path.relative_to(lake.folder): path.read_bytes() for path in lake.folder.glob("*/*.parquet")} for lake in lakes
    )
    assert len(delivered) == 12 + 12 + 10 + 1
    assert delivered == published


def test_a_table_has_the_columns_of_its_schema_and_no_others() -> None:
    decided = {"granted": [True, False], "default_probability": 0.5, "model_version": "1", "month": 3, "reason": ""}
    table = table_of(DECISIONS, {"application_id": np.array([7, 8], dtype=np.int16)} | decided)
    assert list(table) == [column.name for column in DECISIONS]
    assert [str(kind) for kind in table.dtypes] == [column.dtype for column in DECISIONS]
    assert table["month"].tolist() == [3, 3]
    with pytest.raises(ValueError, match="application_id missing or too many"):
        table_of(DECISIONS, decided)
    with pytest.raises(ValueError, match="extra missing or too many"):
        table_of(DECISIONS, {"application_id": [7, 8], "extra": 1} | decided)
    with pytest.raises(ValueError, match="application_id must be int64: "):
        table_of(DECISIONS, {"application_id": [7.0, float("nan")]} | decided)
    empty = {column.name: np.zeros(0) for column in OUTCOMES}
    assert [str(kind) for kind in table_of(OUTCOMES, empty).dtypes] == [column.dtype for column in OUTCOMES]
