"""The bar for the caring policy: it beats neglect wherever something happens, and costs little where nothing does.

One scenario is flown again with one seed, and held to what was measured; two more in the weekly run; `OAKBANK_SLOW=1`
flies all scenarios with all five seeds (many minutes).
"""

import os
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest

from oakbank.scale.report import SCENARIOS, fly_seeds, measured_seeds, read_seeds

SLOW = "OAKBANK_SLOW" in os.environ
SEEDS = range(5) if SLOW else [0]
FLOWN: list[object] = (
    [pytest.param(SCENARIOS, id="all")]
    if SLOW
    else [["recession"], pytest.param(["calm", "broken-feed-unit"], marks=pytest.mark.weekly, id="others")]
)


@pytest.mark.timeout(7200)
@pytest.mark.parametrize("flown", FLOWN)
def test_care_pays_in_every_scenario(tmp_path: Path, flown: Sequence[str]) -> None:
    table = fly_seeds(tmp_path, SEEDS, flown)
    saved = read_seeds(tmp_path / "seeds.json")
    assert saved is not None
    pd.testing.assert_frame_equal(saved, table, check_like=True)
    assert len(table) == len(flown) * len(SEEDS)
    holds(table)
    measured = measured_seeds()
    both = table.merge(measured, on=["scenario", "seed", "applications_per_month"], suffixes=("", "_measured"))
    assert len(both) == len(table)
    for name in ("care", "neglect", "oracle"):
        off = (both[name] - both[f"{name}_measured"]).abs()
        assert (off <= 0.05 * both["oracle"]).all(), f"the measured table is of other code: fly --seeds again\n{both}"


def test_care_paid_with_every_seed_that_was_measured() -> None:
    measured = measured_seeds()
    assert len(measured) == 5 * len(SCENARIOS)
    holds(measured)


def test_a_policy_that_does_not_pay_is_found() -> None:
    measured = measured_seeds()
    with pytest.raises(AssertionError, match="care does not pay"):
        holds(measured.assign(care=measured["neglect"]))


def holds(table: pd.DataFrame) -> None:
    """Check the bar."""
    eventful = table[table["scenario"] != "calm"]
    losers = eventful[eventful["care"] <= eventful["neglect"]]
    assert losers.empty, f"care does not pay in\n{losers}"
    calm = table[table["scenario"] == "calm"]
    assert (calm["care"] >= 0.97 * calm["neglect"]).all(), f"care costs too much in\n{calm}"
    assert (table["oracle"] > table[["care", "neglect"]].max(axis=1)).all()
