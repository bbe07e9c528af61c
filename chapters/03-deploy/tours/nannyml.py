# /// script
# requires-python = "==3.11.*"
# dependencies = [
#     "nannyml", "statsmodels", "setuptools<81", "xgboost-cpu<3",
#     "duckdb", "filelock", "lightgbm", "numpy", "pandas<3", "pyarrow", "pydantic", "pyyaml", "scikit-learn",
# ]
# [tool.uv]
# override-dependencies = ["xgboost; sys_platform == 'never'"]
# constraint-dependencies = ["kaleido!=0.2.1.post1"]
# ///
"""Tour of NannyML: what its estimate of performance without labels says of the two worlds of lesson 10.

    python3 bootstrap.py tour nannyml

CBPE estimates a model's AUC from its own probabilities, before any label has come. It assumes that an application with
these inputs defaults as often as before: that there is no concept drift.
"""

import sys
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
# A tour may have the name of the package that it imports: its own folder must not be searched.
sys.path[0] = str(ROOT)
sys.path[1:1] = [str(ROOT / "chapters" / part) for part in ("01-intro/reference", "02-pipelines/reference")]

import nannyml  # noqa: E402
import pandas as pd  # noqa: E402
from lightgbm import LGBMClassifier  # noqa: E402
from sklearn.metrics import roc_auc_score  # noqa: E402

from course.tour import Tour  # noqa: E402
from oakbank.pipelines import build_features  # noqa: E402
from oakbank.world import World  # noqa: E402

SEED, PAST, MONTHS = 5, range(-12, 0), range(24)
WORLDS = {"data-drift-sudden": 8, "recession": 9}
"""The worlds of the lesson, and the month in which it begins."""


def labelled(world: World, months: range) -> pd.DataFrame:
    """Return all applications of months with their outcomes, which a bank has for granted loans only."""
    parts = []
    for month in months:
        feed = world.applications(month)
        late = world.outcomes(month + world.scenario.label_delay, feed["application_id"])
        parts.append(feed.merge(late[["application_id", "defaulted"]], on="application_id"))
    return pd.concat(parts, ignore_index=True)


def answered(model: LGBMClassifier, table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with the model's answers beside the outcomes."""
    probability = model.predict_proba(build_features(table))[:, 1]
    return table[["month", "defaulted"]].assign(probability=probability, guess=(probability > 0.5).astype(int))


def solve(reference: pd.DataFrame, table: pd.DataFrame) -> pd.DataFrame:
    """Return what CBPE expects of each month without its labels: columns `value` (AUC) and `alert`."""
    cbpe = nannyml.CBPE(
        y_pred_proba="probability",
        y_pred="guess",
        y_true="defaulted",
        problem_type="classification_binary",
        metrics=["roc_auc"],
        chunker=nannyml.chunk.CountBasedChunker(chunk_number=len(MONTHS)),
    )
    found = cbpe.fit(reference).estimate(table.drop(columns="defaulted"))
    return found.filter(period="analysis").to_df()["roc_auc"][["value", "alert"]].set_axis(MONTHS)


def realised(table: pd.DataFrame) -> "pd.Series[float]":
    """Return the AUC of each month by its labels."""
    return table.groupby("month")[["defaulted", "probability"]].apply(
        lambda one: roc_auc_score(one["defaulted"], one["probability"])
    )


def main() -> None:
    """Run the tour."""
    tour = Tour("NannyML", "nannyml")
    past = labelled(World(SEED, "calm"), PAST)
    model = LGBMClassifier(n_estimators=60, num_leaves=8, learning_rate=0.1, n_jobs=1, verbosity=-1, random_state=0)
    model.fit(build_features(past), past["defaulted"])
    reference = answered(model, labelled(World(SEED, "calm"), MONTHS))
    for name, onset in WORLDS.items():
        table = answered(model, labelled(World(SEED, name), MONTHS))
        true = tour.plain("the AUC by labels", partial(realised, table))
        found = tour.system_does(partial(solve, reference, table))
        after, late = table[table["month"] >= onset], slice(onset, None)
        tour.say(
            f"{name}, from month {onset} on: AUC estimated {found['value'].loc[late].mean():.3f}, by labels "
            f"{true.loc[late].mean():.3f}; alerts in {found['alert'].loc[late].sum()} of {len(found.loc[late])} parts; "
            f"predicted {after['probability'].mean():.1%}, defaulted {after['defaulted'].mean():.1%}"
        )
    tour.say("In the recession the estimate stays where it was: it assumes that the same inputs default as before.")
    tour.end(
        stores="nothing; the estimates are a table, and a plot as HTML if you ask for it",
        asks="a reference with labels, probabilities that are calibrated on it, and no concept drift",
        not_proven="a bank has labels of granted loans only; the estimates here had those of all applicants",
        real=(
            "pip install nannyml  # there is no service: the library is all (0.13.1 of July 2025 is the last release)",
            "cbpe.fit(reference).estimate(month)  # nightly, with one month's applications",
        ),
    )


if __name__ == "__main__":
    main()
