"""What each fault does to the bank's answers and what an application is then worth: by its model and its simulator."""

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from oakbank.deploy.drift import edges_of, psi
from oakbank.deploy.oncall.grammar import FEED_COLUMNS, STALE, UNITS
from oakbank.intro.loans import known_loans
from oakbank.pipelines import CreditModel, feature_matrix
from oakbank.world import COLUMNS, World, break_even, load_scenario

CUTOFFS = {"champion": 1.0, "previous": 1.0, "lenient": 2.2, "strict": 0.4}
"""A release grants below this share of the break-even probability; `previous` has an older model, too."""
CACHED = 40
"""So many applicants a stale table still knows: everybody gets the value of one of them."""
_CHANNEL = "data-drift-sudden"


@dataclass(frozen=True)
class Outlook:
    """What becomes of every application of a population: arrays of shape (n,)."""

    refused: NDArray[np.bool_]
    """By the contract: a value is out of its range."""
    granted: NDArray[np.bool_]
    euros: float
    """What one application is worth to the bank, the mean of all."""


class Bank:
    """One bank: a model trained on its past, and a population of applicants.

    What a decision was worth is read from the outcomes of all applications, declined ones too, as only a simulator can.

    Args:
        seed: Of the world.
        rows: Applicants in each population.
    """

    def __init__(self, seed: int = 3, rows: int = 6_000) -> None:
        self._seed, self._rows = seed, rows
        past = known_loans(World(seed), range(-12, 0))
        self.reference = World(seed).applications(-1)
        self._champion = self._fit(past, 60)
        self._previous = self._fit(past[past["month"] < -9], 15)
        self._known: dict[tuple[bool, str, str, str], Outlook] = {}
        self._edges: dict[str, Any] = {}

    @staticmethod
    def _fit(loans: pd.DataFrame, rounds: int) -> CreditModel:
        return CreditModel.fit(feature_matrix(loans), loans["defaulted"], rounds=rounds)

    @cached_property
    def _people(self) -> dict[bool, tuple[pd.DataFrame, NDArray[np.float64]]]:
        """Return applications and what each would earn, usual (False) and through a new channel (True)."""
        found = {}
        for changed, name in ((False, "calm"), (True, _CHANNEL)):
            scenario = load_scenario(name)
            world = World(self._seed, scenario.model_copy(update={"applications_per_month": self._rows}))
            month = 9  # the new channel has come in month 8
            asked = world.applications(month)
            later = world.outcomes(month + scenario.label_delay, asked["application_id"])
            found[changed] = asked, later["profit"].to_numpy(np.float64)
        return found

    def feed(self, changed: bool, kind: str = "", column: str = "") -> pd.DataFrame:
        """Return the applications of a population as a feed delivers them.

        Args:
            changed: Whether the new channel is there.
            kind: "" (sound), a factor such as "12" or "0.001", "stale", or "typical" (the median for everybody).
            column: Which column it is about.
        """
        asked = self._people[changed][0]
        if not kind:
            return asked
        values = asked[column].to_numpy(np.float64)
        if kind == "stale":
            values = np.resize(values[:CACHED], len(values))
        elif kind == "typical":
            values = np.full(len(values), self.reference[column].median())
        else:
            values = values * float(kind)
        return asked.assign(**{column: values})

    def outlook(self, changed: bool, release: str, kind: str = "", column: str = "") -> Outlook:
        """Return what a release makes of a feed; see `feed` for the arguments, `CUTOFFS` for the releases."""
        key = changed, release, kind, column
        if key not in self._known:
            asked, worth = self.feed(changed, kind, column), self._people[changed][1]
            model = self._previous if release == "previous" else self._champion
            refused = _refused(asked, column)
            risk = model.predict(asked)
            granted = (risk < CUTOFFS[release] * break_even(asked["amount"], asked["term"])) & ~refused
            self._known[key] = Outlook(refused, granted, float((granted * worth).mean()))
        return self._known[key]

    def moved(self, asked: pd.DataFrame, column: str) -> float:
        """Return the population stability index of a column against the month before the flight."""
        if column not in self._edges:
            self._edges[column] = edges_of(self.reference[column])
        edges = self._edges[column]
        return psi(self.reference[column], asked[column], 10 if isinstance(edges, pd.Index) else edges)


def _refused(asked: pd.DataFrame, column: str) -> NDArray[np.bool_]:
    """Return which applications the contract refuses for a column that may be broken, shape (n,)."""
    if not column:
        return np.zeros(len(asked), dtype=bool)
    (bounds,) = (one for one in COLUMNS if one.name == column)
    values = asked[column].to_numpy(np.float64)
    low, high = bounds.low if bounds.low is not None else -np.inf, bounds.high if bounds.high is not None else np.inf
    return np.asarray((values < low) | (values > high))


@lru_cache(maxsize=1)
def usual_bank() -> Bank:
    """Return the bank of all drills: made once in a process, with what is usually asked, which takes seconds."""
    bank = Bank()
    typical = [(column, "typical") for column in FEED_COLUMNS]
    for column, kind in [("", ""), *UNITS, *((column, "stale") for column in STALE), *typical]:
        bank.outlook(False, "champion", kind, column)
    for changed, release in [(False, "lenient"), (False, "strict"), (False, "previous"), (True, "champion")]:
        bank.outlook(changed, release)
    return bank
