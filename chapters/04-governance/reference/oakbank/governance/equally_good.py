"""Models that are equally good and treat groups otherwise: one recipe, trained on other draws of the same loans.

No validation can choose between them, so the bank may. Choosing is a search like any other: what was best on the people
that it was chosen on is less so on the next ones.
"""

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import StandardScaler

from oakbank.intro.loans import with_outcomes
from oakbank.pipelines import feature_matrix, grant
from oakbank.world import World
from oakbank.world.files import write_measured

SEED, MODELS = 3, 200
PAST, HOLDOUT, FIRST, THEN = range(-12, -3), range(-3, 0), range(3), range(3, 6)
"""Months to train on, to measure AUC on, to choose on, and to see what the choice was worth."""
KEPT = Path(__file__).with_name("equally_good.json")
"""What `python -m oakbank.governance.equally_good` found, with its day and versions; it takes minutes."""


@dataclass(frozen=True)
class Trained:
    """One model."""

    auc: float
    """On the loans of `HOLDOUT`."""
    first: float
    """B's approval rate as a part of A's among all who applied in `FIRST`."""
    then: float
    """The same in `THEN`."""
    approval: float
    """Share of all who applied in both that was granted."""
    profit: int
    """EUR that the granted loans of both earned."""


@dataclass(frozen=True)
class Door:
    """All who applied in some months."""

    people: pd.DataFrame
    features: NDArray[np.float64]

    def ratio(self, granted: NDArray[np.bool_]) -> float:
        """Return B's approval rate as a part of A's."""
        b = (self.people["group"] == "B").to_numpy()
        return float(granted[b].mean() / granted[~b].mean())


def book(world: World, months: range) -> pd.DataFrame:
    """Return the loans that officers granted in some months, with their outcomes."""
    parts = []
    for month in months:
        granted = world.officer_decisions(month).loc[lambda table: table["granted"], "application_id"]
        known = world.outcomes(month + world.scenario.label_delay, granted)
        parts.append(with_outcomes(world.applications(month), known))
    return pd.concat(parts, ignore_index=True)


def train_many(world: World, models: int) -> Iterator[Trained]:
    """Train one recipe on `models` draws with replacement of the same loans. The first ones do not depend on how many.

    Args:
        world: Whose months they are.
        models: How many.
    """
    past, held = book(world, PAST), book(world, HOLDOUT)
    scaler = StandardScaler().fit(feature_matrix(past))
    seen, judged = (np.asarray(scaler.transform(feature_matrix(rows)), dtype=np.float64) for rows in (past, held))
    bad = past["defaulted"].to_numpy(dtype=bool)
    doors = [_door(world, months, scaler) for months in (FIRST, THEN)]
    rng = np.random.default_rng(world.seed)
    for _ in range(models):
        drawn = rng.integers(0, len(bad), len(bad))
        model = LogisticRegression(C=0.1, solver="newton-cholesky").fit(seen[drawn], bad[drawn])
        yes = [
            grant(model.predict_proba(door.features)[:, 1], door.people["amount"], door.people["term"])
            for door in doors
        ]
        ratios = [door.ratio(granted) for door, granted in zip(doors, yes, strict=True)]
        yield Trained(
            auc=round(float(roc_auc_score(held["defaulted"], model.predict_proba(judged)[:, 1])), 5),
            first=round(ratios[0], 4),
            then=round(ratios[1], 4),
            approval=round(float(np.concatenate(yes).mean()), 4),
            profit=round(sum(_earned(world, door, granted) for door, granted in zip(doors, yes, strict=True))),
        )


def _door(world: World, months: range, scaler: StandardScaler) -> Door:
    people = pd.concat([world.applications(month) for month in months], ignore_index=True)
    return Door(people, np.asarray(scaler.transform(feature_matrix(people)), dtype=np.float64))


def _earned(world: World, door: Door, granted: NDArray[np.bool_]) -> float:
    """Return the profit of the granted loans, EUR."""
    loans, total = door.people[granted], 0.0
    for month in loans["month"].unique().tolist():
        ids = loans.loc[loans["month"] == month, "application_id"]
        total += float(world.outcomes(month + world.scenario.label_delay, ids)["profit"].sum())
    return total


def kept(path: Path = KEPT) -> dict[str, Any]:
    """Return what `main` has written: `date`, `versions`, `seed`, and `models` (each a `Trained`)."""
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def main(arguments: list[str] | None = None) -> None:
    """Train many models, and keep what they are like in `equally_good.json`."""
    parser = argparse.ArgumentParser(prog="python -m oakbank.governance.equally_good", description="equal models")
    parser.add_argument("--into", type=Path, default=KEPT, help="file to write")
    parser.add_argument("--models", type=int, default=MODELS)
    options = parser.parse_args(arguments)
    models = [asdict(one) for one in train_many(World(SEED), options.models)]
    write_measured(options.into, ("numpy", "pandas", "scikit-learn"), seed=SEED, models=models)


if __name__ == "__main__":
    main()
