# /// script
# requires-python = "==3.11.*"
# dependencies = ["numpy<2", "pandas<3", "pyarrow<21", "pydantic", "pyyaml", "setuptools<81", "tecton[rift]"]
# ///
"""Tour of Tecton: the default rates of lesson 04, as they were known on the day, by definitions that run on DuckDB.

    python3 bootstrap.py tour tecton

Needs Python 3.11; no account: the definitions are computed on this machine and applied to no workspace.
"""

import os
import sys
import tempfile
import warnings
from datetime import datetime, timedelta
from pathlib import Path

FOLDER = tempfile.TemporaryDirectory()  # everything goes there, what the client would put into your home too
os.environ |= {
    "HOME": FOLDER.name,
    "USERPROFILE": FOLDER.name,
    "TECTON_BATCH_COMPUTE_MODE": "rift",
    "TECTON_OFFLINE_RETRIEVAL_COMPUTE_MODE": "rift",
    "TECTON_SKIP_OBJECT_VALIDATION": "true",
}
ROOT = Path(__file__).resolve().parents[3]
# A tour may have the name of the package that it imports: its own folder must not be searched.
sys.path[0] = str(ROOT)
sys.path.insert(1, str(ROOT / "chapters" / "01-intro" / "reference"))
warnings.filterwarnings("ignore")

import pandas as pd  # noqa: E402
from tecton import (  # noqa: E402
    Aggregate,
    BatchSource,
    Entity,
    LifetimeWindow,
    batch_feature_view,
    pandas_batch_config,
)
from tecton.types import Field, Int64, String  # noqa: E402

from course.tour import Tour  # noqa: E402
from oakbank.world import World  # noqa: E402

BEGIN = datetime(2022, 1, 1)


def loans() -> pd.DataFrame:
    """Return the loans of lesson 04: segment, moment of application, moment at which the outcome became known."""
    world, months = World(seed=0, scenario="calm"), []
    for month in range(-12, 6):
        granted = world.officer_decisions(month).query("granted")["application_id"]
        outcome = world.outcomes(month + 3, granted)[["application_id", "known_month", "defaulted"]]
        months.append(world.applications(month).merge(outcome, on="application_id"))
    rows = pd.concat(months, ignore_index=True)
    rows["segment"] = rows[["channel", "purpose", "region"]].astype(str).agg(" ".join, axis=1)
    return rows[["application_id", "segment", "month", "known_month", "defaulted"]]


def first_day(month: pd.Series) -> pd.Series:
    """Return the first day of each month (0 is January 2024)."""
    return pd.to_datetime([f"{2024 + number // 12}-{number % 12 + 1:02d}-01" for number in month])


def by_hand(rows: pd.DataFrame) -> pd.DataFrame:
    """Return outcomes and defaults known of each loan's segment when its month began, by a join as of."""
    told = rows.assign(moment=rows["known_month"].astype(int) + 1, month=rows["month"].astype(int))
    sums = told.groupby(["segment", "moment"])["defaulted"].agg(["size", "sum"]).groupby("segment").cumsum()
    asked = told[["application_id", "segment", "month"]].sort_values("month", kind="stable")
    found = pd.merge_asof(
        asked, sums.reset_index().sort_values("moment"), left_on="month", right_on="moment", by="segment"
    )
    return found.set_index("application_id")[["size", "sum"]].fillna(0).astype(int).sort_index()


def solve(rows: pd.DataFrame) -> pd.DataFrame:
    """Return the same by a feature view of Tecton."""
    told = pd.DataFrame({"segment": rows["segment"], "outcome": 1, "bad": rows["defaulted"].astype(int)})
    told["told_at"] = first_day(rows["known_month"] + 1) - timedelta(hours=12)  # in the last day of the month

    @pandas_batch_config()
    def outcomes():
        return told

    segment = Entity(name="segment", join_keys=[Field("segment", String)])

    @batch_feature_view(
        sources=[BatchSource(name="outcomes", batch_config=outcomes)],
        entities=[segment],
        mode="pandas",
        timestamp_field="told_at",
        aggregation_interval=timedelta(days=1),
        batch_schedule=timedelta(days=1),
        feature_start_time=BEGIN,
        lifetime_start_time=BEGIN,
        features=[
            Aggregate(name="size", input_column=Field("outcome", Int64), function="sum", time_window=LifetimeWindow()),
            Aggregate(name="sum", input_column=Field("bad", Int64), function="sum", time_window=LifetimeWindow()),
        ],
    )
    def segment_history(outcomes):
        return outcomes[["segment", "outcome", "bad", "told_at"]]

    events = rows[["application_id", "segment"]].assign(asked_at=first_day(rows["month"]) + timedelta(hours=12))
    return segment_history.get_features_for_events(events).to_pandas()


def main() -> None:
    """Run the tour."""
    tour = Tour("Tecton", "tecton", "numpy", "pandas")
    rows = loans()
    wanted = tour.plain("the join in pandas", lambda: by_hand(rows))
    found = tour.system_does(lambda: solve(rows))
    found = found.set_index("application_id").sort_index()
    for name in ("size", "sum"):
        if not (found[f"segment_history__{name}"].fillna(0).astype(int) == wanted[name]).all():
            raise RuntimeError(f"{name} is not what the join in pandas finds")
    known = int((wanted["size"] > 0).sum())
    tour.say(f"{len(found):,} loans, {known:,} with a past of their segment: outcomes and defaults agree with pandas")
    tour.end(
        stores="definitions in a workspace; tables of features in your bucket, the newest values in DynamoDB or Redis",
        asks="an account (the company was bought by Databricks), and a time stamp in every source",
        not_proven="nothing was materialised or served online: features were computed here, on demand, by DuckDB",
        real=("tecton.login('https://oakbank.tecton.ai')", "tecton apply  # then segment_history from the workspace"),
    )


if __name__ == "__main__":
    main()
