"""The loan system of lesson 07: a file of all loans each night, whole, with the corrections of that night."""

import hashlib
import os
from datetime import datetime, timedelta
from pathlib import Path

import lightgbm as lgb
import numpy as np
import pandas as pd

from oakbank.intro.loans import known_loans
from oakbank.world import World

COLUMNS = ["income", "debts", "bureau_score", "delinquencies", "amount", "term"]
"""What the model of the lesson looks at."""
SETTINGS = {"objective": "binary", "num_leaves": 8, "num_threads": 1, "verbosity": -1}
CORRECTED, BY = 40, 100.0


def nightly(nights: int = 5, seed: int = 7) -> list[pd.DataFrame]:
    """Return the exports of some nights: each time the bureau has raised the debts of up to 40 loans by 100 EUR.

    Returns:
        For each night `application_id`, `region`, `COLUMNS` and `defaulted`, a row a loan, in the same order.
    """
    rng = np.random.default_rng(seed)
    loans = known_loans(World(seed, "calm"), range(-12, -3))
    loans = loans[["application_id", "region", *COLUMNS, "defaulted"]].astype({"region": str})
    tables = []
    for _ in range(nights):
        loans.loc[rng.choice(len(loans), CORRECTED), "debts"] += BY
        tables.append(loans.copy())
    return tables


def fingerprint(table: pd.DataFrame) -> str:
    """Return 12 hex digits of the SHA-256 of the table as CSV: equal content, equal digits, whatever file it is in."""
    return hashlib.sha256(table.to_csv(index=False, lineterminator="\n").encode()).hexdigest()[:12]


def train(table: pd.DataFrame) -> str:
    """Return LightGBM's text of a model of `defaulted`: on one machine, the same table gives the same bytes."""
    rows = lgb.Dataset(table[COLUMNS], table["defaulted"])
    return str(lgb.train(SETTINGS, rows, 60).model_to_string())


def scores(model: str, table: pd.DataFrame) -> list[float]:
    """Return the probability of default, 0 to 1, of each row, by a model's text."""
    found: list[float] = np.asarray(lgb.Booster(model_str=model).predict(table[COLUMNS])).tolist()
    return found


def date_versions(table: Path | str, first: str) -> None:
    """Set the time stamps of the log of a Delta table: the first version at a time, each further one a day later.

    Args:
        table: Its folder.
        first: Such as `2026-03-01T01:00+00:00`.
    """
    start = datetime.fromisoformat(first)
    for number, file in enumerate(sorted((Path(table) / "_delta_log").glob("*.json"))):
        at = (start + timedelta(days=number)).timestamp()
        os.utime(file, (at, at))
