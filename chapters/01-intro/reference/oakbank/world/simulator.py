"""The simulator: months of applications (see `oakbank.world.population`), their outcomes, and the feed's faults."""

import operator
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from oakbank.world.economics import loan_profit
from oakbank.world.population import MIX, RISK, Floats, default_probability, draw_applicants
from oakbank.world.scenario import FIRST_ID_MONTH, LEVELS, Scenario, load_scenario
from oakbank.world.schema import CATEGORIES, COLUMNS, OUTCOMES, table_of

IDS_PER_MONTH = 10_000_000
FIRST_MONTH = np.datetime64("2024-01", "M")
LEAK_COLUMN = "collection_calls"


def _category(column: str, codes: NDArray[np.int8]) -> "pd.Categorical[str]":
    return pd.Categorical.from_codes(codes, categories=pd.Index(CATEGORIES[column]))


class World:
    """A small lender's world with known truth.

    Args:
        seed: Any non-negative integer; each month draws from its own stream of `numpy.random.PCG64`.
        scenario: A `Scenario`, or the name of one that comes with the course.

    Months count from January 2024 (month 0). Months before 0 are history, decided by loan officers.
    """

    def __init__(self, seed: int, scenario: Scenario | str = "calm") -> None:
        if seed < 0:
            raise ValueError(f"seed must be 0 or more, not {seed}")
        self.seed = operator.index(seed)
        self.scenario = load_scenario(scenario) if isinstance(scenario, str) else scenario
        # A month is asked for by several readers (feed, truth, outcomes): keep the last two, never all.
        self._month = lru_cache(maxsize=2)(self._simulate)

    def __reduce__(self) -> tuple[type["World"], tuple[int, Scenario]]:
        return World, (self.seed, self.scenario)  # a worker process gets the recipe, not the cache

    def __repr__(self) -> str:
        return f"World(seed={self.seed}, scenario={self.scenario.name!r})"

    def _rng(self, month: int, stream: int) -> np.random.Generator:
        return np.random.Generator(np.random.PCG64([self.seed, month - FIRST_ID_MONTH, stream]))

    def _mix(self, column: str, month: int) -> Floats:
        shares = np.array(MIX[column])
        for event in self.scenario.events:
            if event.kind == "data_drift" and column in event.mix:
                target = np.array([event.mix[column][value] for value in CATEGORIES[column]])
                shares = shares + event.strength(month) * (target - shares)
        return shares

    def _level(self, name: str, month: int) -> float:
        return sum(
            event.strength(month) * event.level.get(name, 0.0)
            for event in self.scenario.events
            if event.kind == "data_drift"
        )

    def _risk(self, month: int) -> dict[str, float]:
        risk = dict(RISK)
        for event in self.scenario.events:
            if event.kind == "concept_drift":
                for name, shift in event.risk.items():
                    risk[name] = risk.get(name, 0.0) + event.strength(month) * shift
        return risk

    def _simulate(self, month: int) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Return (clean applications, truth) of one month."""
        if month < FIRST_ID_MONTH:
            raise ValueError(f"month must be {FIRST_ID_MONTH} or later, not {month}")
        n = self.scenario.applications_per_month
        mix = {column: self._mix(column, month) for column in MIX}
        level = {name: self._level(name, month) for name in LEVELS}
        people = draw_applicants(self._rng(month, 0), n, mix, level)
        probability = default_probability(people, self._risk(month))
        defaults = self._rng(month, 1).random(n) < probability
        first_day = (FIRST_MONTH + np.timedelta64(month, "M")).astype("datetime64[D]")
        columns: dict[str, Any] = {
            "application_id": (month - FIRST_ID_MONTH) * IDS_PER_MONTH + np.arange(n, dtype=np.int64),
            "month": np.full(n, month, dtype=np.int16),
            "applied_on": (first_day + people.day.astype("timedelta64[D]")).astype("datetime64[ms]"),
            "age": people.age.astype(np.int16),
            "income": people.income,
            "debts": people.debts,
            "years_employed": people.years_employed,
            "bureau_score": people.bureau_score,
            "delinquencies": people.delinquencies.astype(np.int16),
            "amount": people.amount,
            "term": people.term.astype(np.int16),
            "group": _category("group", people.group),
        } | {column: _category(column, code) for column, code in people.codes.items()}
        applications = pd.DataFrame({column.name: columns[column.name] for column in COLUMNS})
        truth = pd.DataFrame(
            {
                "application_id": columns["application_id"],
                "month": columns["month"],
                "default_probability": probability,
                "would_default": defaults,
                "expected_profit": loan_profit(people.amount, people.term, probability),
                "profit_if_granted": loan_profit(people.amount, people.term, defaults),
                "group": columns["group"],
            }
        )
        return applications, truth

    def applications(self, month: int) -> pd.DataFrame:
        """Return the applications of `month` as the bank's feed delivers them, faults included.

        Returns:
            One row per application, columns as `oakbank.world.COLUMNS` (a missing-column fault drops one;
            a planted leak adds `collection_calls`; a unit fault delivers its column as float64). The data
            frame is the caller's own: changing it changes nothing in the world.
        """
        month = operator.index(month)  # an int16 from a `month` column would overflow in the ids
        clean, truth = self._month(month)
        feed = clean.copy()
        for event in self.scenario.events:
            if event.strength(month) == 0.0:
                continue
            if event.kind == "feed_unit":
                feed[event.column] = feed[event.column].astype(np.float64) * event.factor
            elif event.kind == "feed_missing":
                feed = feed.drop(columns=[event.column])
            elif event.kind == "feed_stale":
                # A stale cache answers: everybody gets the values of the last good month, in that month's order.
                feed[event.column] = self._simulate(event.onset - 1)[0][event.column].to_numpy()
            elif event.kind == "leak":
                feed[LEAK_COLUMN] = self._leak(month, truth)
        return feed

    def _leak(self, month: int, truth: pd.DataFrame) -> NDArray[np.int16]:
        """Calls by the collections team: known only after the outcome, so present in history and 0 in live months."""
        if month >= 0:
            return np.zeros(len(truth), dtype=np.int16)
        calls = self._rng(month, 3).poisson(np.where(truth["would_default"], 3.0, 0.05))
        return np.asarray(calls, dtype=np.int16)

    def truth(self, month: int) -> pd.DataFrame:
        """Return what nobody in the bank can see.

        Returns:
            One row per application: `default_probability` (true, 0 to 1), `would_default` (the outcome if the
            loan is granted), `expected_profit` and `profit_if_granted` (EUR), `group`.
        """
        return self._month(operator.index(month))[1].copy()

    def officer_decisions(self, month: int) -> pd.DataFrame:
        """Return what the loan officers decided: `application_id`, `granted`. They take points from group B."""
        month = operator.index(month)
        clean, _ = self._month(month)
        n = len(clean)
        judged = clean["bureau_score"].to_numpy() - 25 * np.minimum(clean["delinquencies"].to_numpy(), 4)
        judged = judged - self.scenario.officer_bias * (clean["group"] == "B").to_numpy()
        judged = judged + self.scenario.officer_noise * self._rng(month, 2).standard_normal(n)
        return pd.DataFrame(
            {"application_id": clean["application_id"], "granted": judged >= self.scenario.officer_cutoff}
        )

    def outcomes(self, month: int, granted: ArrayLike) -> pd.DataFrame:
        """Return the outcomes that become known in `month`: those of loans granted `label_delay` months before.

        Args:
            month: The month in which the outcomes arrive.
            granted: Ids of the applications of month `month - label_delay` that the bank granted.

        Returns:
            One row per loan, columns as `oakbank.world.OUTCOMES`. Nothing is ever known of a declined application.

        Raises:
            ValueError: An id that is not an application of that month, or one id twice (its profit would count twice).
        """
        month = operator.index(month)
        applied = month - self.scenario.label_delay
        truth = self._month(applied)[1]
        ids = np.asarray(granted)
        position = np.flatnonzero(np.isin(truth["application_id"].to_numpy(), ids))
        if len(position) < ids.size:
            what = "some ids are given twice" if len(np.unique(ids)) < ids.size else "some ids are not of it"
            raise ValueError(f"outcomes of month {month} are for loans of month {applied}; {what}")
        rows = truth.iloc[position]
        return table_of(
            OUTCOMES,
            {
                "application_id": rows["application_id"],
                "month": rows["month"],
                "known_month": month,
                "defaulted": rows["would_default"],
                "profit": rows["profit_if_granted"],
            },
        )
