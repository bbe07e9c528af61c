"""What explorations cost and what they bring: a bank that retrains each quarter, with and without them.

The bank sees what a bank sees: outcomes of loans that somebody granted. Two banks with the same seed live in the same
world; what differs is the lot and what the model learned from it.
"""

import argparse
import json
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from oakbank.governance.review.explore import Exploration
from oakbank.intro.loans import with_outcomes
from oakbank.pipelines import CreditModel, feature_matrix, grant
from oakbank.world import Event, Scenario, World, load_scenario
from oakbank.world.files import write_measured
from oakbank.world.scenario import FIRST_ID_MONTH

THAW = Scenario(
    name="thaw",
    description="Applicants of brokers are bad risks until month 3, and then as good as others.",
    events=(Event(kind="concept_drift", onset=FIRST_ID_MONTH, until=3, risk={"channel.broker": 1.2}),),
)
"""A world in which the bank is right to decline a whole channel, and then is not, and cannot see it."""
WORLDS = {scenario.name: scenario for scenario in (load_scenario("calm"), load_scenario("selective-labels"), THAW)}
LOTS: dict[str, dict[str, float]] = {
    "none": {"share": 0.0},
    "2 %": {"share": 0.02},
    "10 %": {"share": 0.1},
    "10 % near": {"share": 0.1, "margin": 0.05},
}
"""Settings of `Exploration`; `near` draws only from those just declined."""
MONTHS, APPLICATIONS = 24, 1000
EVERY, WINDOW = 3, 12
"""Months between two trainings, and months that each learns from: the youngest whose outcomes are known."""
BUDGET = 1_000_000.0
"""EUR a month at a share of 1."""
KEPT = Path(__file__).with_name("gains.json")
"""What `python -m oakbank.governance.review.gains` found, with its day and versions; it takes minutes."""


@dataclass(frozen=True)
class Life:
    """What became of a bank."""

    earned: list[float]
    """EUR that each month's loans earned, without the explorations."""
    cost: float
    """EUR that the explorations lost."""
    explored: int
    expected: float
    """Defaults among the explored, as the model had reckoned."""
    defaults: int
    """Defaults among the explored."""


class Bank:
    """A bank in memory that explores by one of `LOTS`; `live` lets it live."""

    def __init__(self, seed: int, scenario: str, lot: str) -> None:
        course = WORLDS[scenario].model_copy(update={"applications_per_month": APPLICATIONS})
        self.world, self.delay = World(seed, course), course.label_delay
        self.exploration = Exploration(budget=BUDGET * LOTS[lot]["share"], salt=f"explore-{seed}", **LOTS[lot])
        self.known: dict[int, pd.DataFrame] = {}
        for month in range(-course.history_months, 0):
            self._learn(month, self.world.officer_decisions(month)["granted"].to_numpy())

    def _learn(self, month: int, granted: NDArray[np.bool_]) -> pd.DataFrame:
        applications = self.world.applications(month)
        outcomes = self.world.outcomes(month + self.delay, applications.loc[granted, "application_id"])
        self.known[month] = with_outcomes(applications, outcomes, ("defaulted", "profit"))
        return self.known[month]

    def train(self, month: int) -> CreditModel:
        """Return a model of what is known at the start of a month."""
        old = sorted(one for one in self.known if one + self.delay <= month)[-WINDOW:]
        rows = pd.concat([self.known[one] for one in old])
        return CreditModel.fit(feature_matrix(rows), rows["defaulted"])

    def live(self, months: int = MONTHS) -> Life:
        """Let the bank live for some months, from month 0."""
        earned, explored = [], []
        for month in range(months):
            if month % EVERY == 0:
                model = self.train(month)
            applications = self.world.applications(month)
            risk = model.predict(applications)
            granted = grant(risk, applications["amount"], applications["term"])
            drawn = self.exploration.draw(applications, risk, granted)
            loans = self._learn(month, granted | drawn)
            by_lot = loans["application_id"].isin(applications.loc[drawn, "application_id"])
            earned.append(float(loans.loc[~by_lot, "profit"].sum()))
            explored.append(loans[by_lot].assign(risk=risk[drawn]))
        lot = pd.concat(explored)
        cost, expected = -float(lot["profit"].sum()), float(lot["risk"].sum())
        return Life(earned, cost, len(lot), expected, int(lot["defaulted"].sum()))


def kept(path: Path = KEPT) -> dict[str, Any]:
    """Return what `main` has written: `date`, `versions`, and `lives`.

    A life has `seed`, `world`, `lot`, `first_year` and `second_year` (EUR earned without explorations), `cost`
    (EUR), `explored` (loans), `expected` and `defaults` (among them).
    """
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def compared(lives: pd.DataFrame) -> pd.DataFrame:
    """Return lives of `kept` with two more columns, EUR over all months.

    `earned` is without the explorations; `gain` is how much more that is than what the bank with the same seed and
    world and without a lot earned.
    """
    both = lives.assign(earned=lives["first_year"] + lives["second_year"])
    none = both.loc[both["lot"] == "none", ["seed", "world", "earned"]]
    base = both[["seed", "world"]].merge(none, how="left", validate="many_to_one")["earned"]
    return both.assign(gain=both["earned"] - base.to_numpy())


def by_lot(lives: pd.DataFrame) -> pd.DataFrame:
    """Return for each lot what came of it in the lives of `compared`.

    `lives`, `helped` (lives in which the later models earned more), `paid` (in which they earned more than the cost),
    `premium` (cost as a share of what was earned), `surprise` (defaults among the explored, times the expected).
    """
    both = lives.assign(lives=1, helped=lives["gain"] > 0, paid=lives["gain"] > lives["cost"])
    total = both.groupby("lot")[["lives", "helped", "paid", "cost", "earned", "defaults", "expected"]].sum()
    rates = {"premium": total["cost"] / total["earned"], "surprise": total["defaults"] / total["expected"]}
    return total[["lives", "helped", "paid"]].assign(**rates)


def row(seed: int, world: str, lot: str, life: Life) -> dict[str, Any]:
    """Return a life of `MONTHS` months as a row of `kept`."""
    first, second = (round(sum(life.earned[year : year + 12])) for year in (0, 12))
    about = {"seed": seed, "world": world, "lot": lot, "first_year": first, "second_year": second}
    measured = {"cost": round(life.cost), "explored": life.explored}
    return about | measured | {"expected": round(life.expected, 1), "defaults": life.defaults}


def main(arguments: Sequence[str] | None = None) -> None:
    """Let banks live in each world with each lot, for several seeds, and keep what they earned in `gains.json`."""
    parser = argparse.ArgumentParser(prog="python -m oakbank.governance.review.gains", description="lots times worlds")
    parser.add_argument(
        "--into", type=Path, default=KEPT, help="file to write (default: the one that lesson 04/07 shows)"
    )
    parser.add_argument("--seeds", type=int, nargs="+", default=[11, 12, 13, 14, 15, 16])
    parser.add_argument("--worlds", nargs="+", default=list(WORLDS))
    parser.add_argument("--lots", nargs="+", default=list(LOTS))
    options = parser.parse_args(arguments)
    rows = []
    for seed, world, lot in product(options.seeds, options.worlds, options.lots):
        rows.append(row(seed, world, lot, Bank(seed, world, lot).live()))
        print(*rows[-1].values(), flush=True)
    write_measured(options.into, ("lightgbm", "numpy", "pandas"), lives=rows)


if __name__ == "__main__":
    main()
