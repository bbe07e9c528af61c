# /// script
# requires-python = "==3.11.*"
# dependencies = [
#     "aif360", "setuptools<81",
#     "duckdb", "filelock", "lightgbm", "numpy", "pandas<3", "pyarrow", "pydantic", "pyyaml", "scikit-learn",
# ]
# ///
"""Tour of AIF360: its measures and its reweighing on Oakbank's book, and what became of them at the door.

    python3 bootstrap.py tour aif360

AIF360 puts data into a data set of its own, which knows which column is the label and which the protected group. Then
measures and remedies take that data set, an unprivileged and a privileged group.
"""

import sys
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
# A tour may have the name of the package that it imports: its own folder must not be searched.
sys.path[0] = str(ROOT)
sys.path[1:1] = [str(ROOT / "chapters" / part) for part in ("01-intro/reference", "02-pipelines/reference")]

import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from aif360.algorithms.preprocessing import Reweighing  # noqa: E402
from aif360.datasets import BinaryLabelDataset  # noqa: E402
from aif360.metrics import BinaryLabelDatasetMetric  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.pipeline import make_pipeline  # noqa: E402
from sklearn.preprocessing import StandardScaler  # noqa: E402

from course.tour import Tour  # noqa: E402
from oakbank.pipelines import build_features, grant  # noqa: E402
from oakbank.world import World  # noqa: E402

PAST, MONTHS = range(-12, 0), range(3)
B, A = [{"b": 1.0}], [{"b": 0.0}]


def book(world: World) -> pd.DataFrame:
    """Return the loans that officers granted, with their outcomes."""
    parts = []
    for month in PAST:
        feed, decided = world.applications(month), world.officer_decisions(month)
        known = world.outcomes(month + world.scenario.label_delay, decided.loc[decided["granted"], "application_id"])
        parts.append(feed.merge(known[["application_id", "defaulted"]], on="application_id"))
    return pd.concat(parts, ignore_index=True)


def dataset(loans: pd.DataFrame) -> BinaryLabelDataset:
    """Return the outcomes and groups of loans as AIF360 takes them."""
    table = pd.DataFrame({"b": (loans["group"] == "B").astype(float), "repaid": (~loans["defaulted"]).astype(float)})
    return BinaryLabelDataset(df=table, label_names=["repaid"], protected_attribute_names=["b"])


def weights_by_hand(loans: pd.DataFrame) -> "np.ndarray[tuple[int], np.dtype[np.float64]]":
    """Return the weight with which group and outcome are independent: expected share of the cell over its own."""
    group, repaid = loans["group"].astype(str), ~loans["defaulted"]
    cell = loans.groupby([group, repaid])["amount"].transform("size") / len(loans)
    expected = group.map(group.value_counts(normalize=True)) * repaid.map(repaid.value_counts(normalize=True))
    return (expected / cell).to_numpy()


def ratio_at_the_door(world: World, loans: pd.DataFrame, weights: object) -> float:
    """Return B's approval rate over A's among all who apply, by a model trained with these weights."""
    model = make_pipeline(StandardScaler(), LogisticRegression())
    model.fit(build_features(loans), loans["defaulted"], logisticregression__sample_weight=weights)
    door = pd.concat([world.applications(month) for month in MONTHS], ignore_index=True)
    yes = grant(model.predict_proba(build_features(door))[:, 1], door["amount"], door["term"])
    b = (door["group"] == "B").to_numpy()
    return float(yes[b].mean() / yes[~b].mean())


def main() -> None:
    """Run the tour."""
    tour = Tour("AIF360", "aif360")
    world = World(3, "calm")
    loans = book(world)
    by_hand = tour.plain("the same weights in pandas", partial(weights_by_hand, loans))
    found = tour.system_does(lambda: Reweighing(B, A).fit_transform(dataset(loans)))
    if not np.allclose(found.instance_weights, by_hand):
        raise RuntimeError("AIF360's weights are not those worked out by hand")
    before, after = (BinaryLabelDatasetMetric(data, B, A).disparate_impact() for data in (dataset(loans), found))
    tour.say(f"In the book, B repays {before:.3f} times as often as A; reweighed {after:.3f}.")
    plain, reweighed = (ratio_at_the_door(world, loans, one) for one in (None, found.instance_weights))
    tour.say(f"At the door, B is approved {plain:.3f} times as often as A; after reweighing {reweighed:.3f}.")
    tour.say("The remedy mends the book, and the book holds only whom the officers granted a loan.")
    tour.end(
        stores="nothing; data sets, weights and models are objects in memory",
        asks="a data set of its own, with labels and groups as numbers",
        not_proven="its other remedies: several need TensorFlow or R, or the group at the time of the decision",
        real=(
            "pip install aif360  # there is no service: the library is all (0.6.1 of April 2024 is the last release)",
            "Reweighing(unprivileged, privileged).fit_transform(dataset)  # before the training",
        ),
    )


if __name__ == "__main__":
    main()
