"""Do two servers decide alike? The same applications, the same model, and the number of decisions that differ."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from oakbank.deploy.protocols import RefusedError
from oakbank.pipelines import CreditModel, feature_matrix, grant
from oakbank.world import FEATURES, World

ROWS = 20_000
_GAP_EVERY = 100

Caller = Callable[[pd.DataFrame], pd.DataFrame]
"""What a caller does to the applications before they become a request."""


def champion(seed: int = 3) -> CreditModel:
    """Return a model of the last month before the service began, in which the bank granted all loans."""
    world = World(seed)
    past = world.applications(-1)
    outcomes = world.outcomes(world.scenario.label_delay - 1, past["application_id"])
    return CreditModel.fit(feature_matrix(past), outcomes["defaulted"])


def applications(n: int = ROWS, seed: int = 3) -> pd.DataFrame:
    """Return what callers know of the first n applications: shape (n, 13), text as `str`, whole numbers as int64."""
    world = World(seed)
    months: list[pd.DataFrame] = []
    while sum(map(len, months)) < n:
        months.append(world.applications(len(months))[list(FEATURES)])
    rows = pd.concat(months, ignore_index=True).head(n)
    for name, column in rows.items():
        kind = column.dtype.kind
        rows[name] = column.astype("int64" if kind == "i" else "float64" if kind == "f" else object)
    return rows


def _with_gaps(rows: pd.DataFrame, column: str) -> pd.DataFrame:
    there = np.arange(len(rows)) % _GAP_EVERY != 0
    return rows.assign(**{column: rows[column].astype("float64").where(there)})


def _single(rows: pd.DataFrame) -> pd.DataFrame:
    return rows.astype({name: "float32" for name in rows if rows[name].dtype == "float64"})


CALLERS: dict[str, Caller] = {
    "as they are": lambda rows: rows,
    "decimals as float32": _single,
    "columns sorted by name": lambda rows: rows[sorted(FEATURES)],
    "1 % without delinquencies": lambda rows: _with_gaps(rows, "delinquencies"),
    "1 % without income": lambda rows: _with_gaps(rows, "income"),
    "no income at all": lambda rows: rows.drop(columns="income"),
    "income as text": lambda rows: rows.assign(income=rows["income"].astype(str).astype(object)),
    "an unknown purpose": lambda rows: rows.assign(purpose=rows["purpose"].str.upper().astype(object)),
    "a negative income": lambda rows: rows.assign(income=-rows["income"]),
}
"""What callers do to a request, by name; each a fault that a caller really has, but for the first."""


@dataclass(frozen=True)
class Agreement:
    """How the answers of a server compare with the batch's."""

    asked: int
    refused: int
    """Applications in requests that the server refused."""
    scores: int
    """Default probabilities that differ in any bit."""
    decisions: int
    """Loans granted by one of the two and declined by the other."""

    def __str__(self) -> str:
        if self.refused == self.asked:
            return "refused"
        return f"{self.decisions:,}" + (f", {self.refused:,} refused" if self.refused else "")


def compare(
    ask: Callable[[pd.DataFrame], Sequence[float]],
    model: CreditModel,
    rows: pd.DataFrame,
    caller: Caller = CALLERS["as they are"],
    size: int = 1_000,
) -> Agreement:
    """Ask a server for all rows and count what differs from the batch, which sees the applications as they are.

    Args:
        ask: Returns default probabilities of rows, or raises `RefusedError`.
        model: What the server is said to have.
        rows: From `applications`, shape (n, 13).
        caller: What is done to the rows before they are sent.
        size: Rows in one request.
    """
    right = model.predict(rows)
    given: NDArray[np.float64] = np.full(len(rows), np.nan)
    sent = caller(rows)
    for first in range(0, len(rows), size):
        try:
            given[first : first + size] = ask(sent.iloc[first : first + size])
        except RefusedError:
            continue
    there = ~np.isnan(given)
    granted = [grant(one, rows["amount"], rows["term"]) for one in (right, given)]
    return Agreement(
        asked=len(rows),
        refused=int((~there).sum()),
        scores=int((right != given)[there].sum()),
        decisions=int((granted[0] != granted[1])[there].sum()),
    )
