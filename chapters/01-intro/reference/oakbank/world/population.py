"""Who applies to Oakbank, for what loan, and how likely each is to default: the formulas behind a month.

Everything is NumPy columns of shape (n,); no Python loop runs over applicants.

Bias, by construction and on purpose (so that an audit has something true to find):

* *measurement*: group B's bureau score reads `MEASUREMENT_BIAS` points lower at equal discipline;
* *society*: group B earns `INCOME_GAP` less (in log income) at equal work;
* *history*: loan officers took `Scenario.officer_bias` points from group B before the first model.

Given the causes of default (discipline, burden, work ...), the group has no effect of its own on default.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from oakbank.world.economics import LOAN_RATE
from oakbank.world.schema import CATEGORIES

MEASUREMENT_BIAS = 20.0
INCOME_GAP = 0.10
SHARE_OF_B = 0.30

Floats = NDArray[np.float64]

MIX: dict[str, tuple[float, ...]] = {
    "employment": (0.62, 0.13, 0.11, 0.09, 0.05),
    "housing": (0.48, 0.40, 0.12),
    "purpose": (0.30, 0.18, 0.08, 0.22, 0.07, 0.15),
    "region": (0.22, 0.20, 0.18, 0.20, 0.20),
    "channel": (0.52, 0.26, 0.216, 0.004),
}
"""Shares of the values of each category, in the order of `CATEGORIES`, while nothing happens."""
_INCOME = np.array([2600.0, 2700.0, 1900.0, 1700.0, 950.0])
RISK: dict[str, float] = {
    "intercept": -2.10,
    "discipline": -0.95,
    "burden": 2.6,
    "loan_to_income": 0.55,
    "delinquencies": 0.28,
    "young": 0.035,
    "employment.self_employed": 0.25,
    "employment.temporary": 0.45,
    "employment.retired": -0.20,
    "employment.unemployed": 0.90,
    "purpose.business": 0.40,
    "purpose.consolidation": 0.25,
    "purpose.home": -0.20,
    "channel.broker": 0.20,
    "channel.aggregator": 1.60,
}
"""What each cause adds to the log odds of default, while nothing happens."""


@dataclass(frozen=True)
class Applicants:
    """The applicants of a month and the loans they ask for; units as in `oakbank.world.COLUMNS`."""

    group: NDArray[np.int8]
    codes: dict[str, NDArray[np.int8]]
    """Of each category in `MIX`: places in its values."""
    discipline: Floats
    """How well they keep their money together, in standard deviations; no column shows it."""
    age: Floats
    years_employed: Floats
    income: Floats
    debts: Floats
    bureau_score: Floats
    delinquencies: NDArray[np.int64]
    amount: Floats
    term: NDArray[np.int64]
    day: NDArray[np.int64]
    """Of the month, from 0."""


def draw_applicants(
    rng: np.random.Generator, n: int, mix: Mapping[str, Floats], level: Mapping[str, float]
) -> Applicants:
    """Draw the applicants of a month. The order of the draws is part of the world: another one gives other people.

    Args:
        rng: Of the month.
        n: How many.
        mix: Shares of the values of each category in `MIX`.
        level: How far each of `oakbank.world.scenario.LEVELS` has moved.
    """
    group = (rng.random(n) < SHARE_OF_B).astype(np.int8)
    codes = {column: _pick(rng, mix[column], n) for column in MIX}
    discipline = rng.standard_normal(n) + level["discipline"]

    retired = codes["employment"] == 3
    age = 21 + rng.gamma(2.4, 8.0, n) + level["age_years"]
    age = np.where(retired, 62 + 0.25 * age, age)
    age = np.clip(np.floor(age), 18, 80)
    years = np.minimum(rng.exponential(6.0, n), np.minimum(age - 18, 60)) * (codes["employment"] != 4)
    log_income = (
        np.log(_INCOME[codes["employment"]])
        + 0.009 * np.clip(age - 25, 0, 30)
        + 0.08 * discipline
        - INCOME_GAP * group
        + level["income_log"]
        + 0.36 * rng.standard_normal(n)
    )
    income = np.clip(np.round(np.exp(log_income), -1), 300, 30_000)
    debts = np.clip(np.round(income * rng.beta(1.3, 6.5, n), -1), 0, 20_000)
    score = 640 + 55 * discipline + 0.6 * (age - 40) - MEASUREMENT_BIAS * group + 38 * rng.standard_normal(n)
    late = rng.poisson(np.exp(-0.9 - 0.55 * discipline))

    base = np.array([9.05, 9.15, 8.55, 9.05, 9.35, 8.35])[codes["purpose"]]
    log_amount = base + 0.35 * (np.log(income) - 7.8) + 0.45 * rng.standard_normal(n)
    amount = np.clip(np.round(np.exp(log_amount + level["amount_log"]), -2), 500, 60_000)
    term = np.array([12, 24, 36, 48, 60])[_pick(rng, (0.12, 0.22, 0.30, 0.20, 0.16), n)]
    return Applicants(
        group=group,
        codes=codes,
        discipline=discipline,
        age=age,
        years_employed=np.round(years, 1),
        income=income,
        debts=debts,
        bureau_score=np.clip(np.round(score), 300, 850),
        delinquencies=np.minimum(late, 50),
        amount=amount,
        term=term,
        day=rng.integers(0, 28, n),
    )


def default_probability(people: Applicants, risk: Mapping[str, float]) -> Floats:
    """Return the true probability that each would default, were the loan granted.

    Args:
        people: The applicants.
        risk: What each cause adds to the log odds, see `RISK`; a category that is not in it adds nothing.
    """
    rate = LOAN_RATE / 12
    instalment = people.amount * rate / (1 - (1 + rate) ** -people.term.astype(np.float64))
    burden = np.minimum((people.debts + instalment) / people.income, 2.0)
    logit = (
        risk["intercept"]
        + risk["discipline"] * people.discipline
        + risk["burden"] * (burden - 0.25)
        + risk["loan_to_income"] * (np.log(people.amount / people.income) - 1.2)
        + risk["delinquencies"] * np.minimum(people.delinquencies, 6)
        + risk["young"] * np.clip(30 - people.age, 0, 12)
    )
    for column in ("employment", "purpose", "channel", "region"):
        effect = np.array([risk.get(f"{column}.{value}", 0.0) for value in CATEGORIES[column]])
        logit = logit + effect[people.codes[column]]
    # Rounded, so that a last-bit difference between two maths libraries cannot change a byte.
    probability: Floats = np.round(1 / (1 + np.exp(-logit)), 6)
    return probability


def _pick(rng: np.random.Generator, shares: ArrayLike, n: int) -> NDArray[np.int8]:
    edges = np.cumsum(shares)[:-1]
    return np.searchsorted(edges, rng.random(n), side="right").astype(np.int8)
