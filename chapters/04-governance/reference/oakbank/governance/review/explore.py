"""Explorations: a few of the declined are granted by lot, to learn what nobody could know of them otherwise."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from oakbank.deploy.assignment import place
from oakbank.world import break_even, loan_profit


@dataclass(frozen=True)
class Exploration:
    """Whom the lot may grant, and what it may cost.

    The lot is a hash of the applicant and a salt. It is the same on every day and in every process, and it knows
    nothing of the applicant: no score, no amount, no group.
    """

    share: float
    """Of the declined who may be drawn, 0 to 1."""
    budget: float
    """EUR that a month's explorations may be expected to lose."""
    salt: str
    max_risk: float = 0.5
    """Nobody above this default probability is drawn: a loan that is likely to fail helps no borrower, and the
    EU forbids it (directive 2023/2225, art. 18(6): obligations are likely to be met)."""
    margin: float = 1.0
    """Nobody further above break-even than this is drawn: near it a loan costs little and teaches where it counts."""

    def __post_init__(self) -> None:
        if not all(0 <= one <= 1 for one in (self.share, self.max_risk, self.margin)):
            raise ValueError("share, max_risk and margin are from 0 to 1, such as 0.02")
        if not self.budget >= 0:
            raise ValueError(f"the budget is in EUR a month, 0 or more, not {self.budget}")
        if not self.salt:
            raise ValueError("give the lot a salt of its own, such as 'explore-2026': else it draws as another one did")

    def draw(self, applications: pd.DataFrame, risk: ArrayLike, granted: ArrayLike) -> NDArray[np.bool_]:
        """Return whom the lot grants, shape (n,): some of those whom the model declined.

        Drawn are those with the lowest places of the lot, until the budget is spent. The first who does not fit ends
        the month: whoever goes on to smaller loans explores small loans.

        Args:
            applications: Of one month: `application_id`, `amount` (EUR), `term` (months).
            risk: Default probability by the model, shape (n,); NaN where none was asked: never drawn.
            granted: What the model decided, shape (n,).
        """
        chance, yes = np.asarray(risk, dtype=np.float64), np.asarray(granted, dtype=np.bool_)
        if not len(applications) == len(chance) == len(yes):
            raise ValueError("applications, risk and granted must have one row for each applicant")
        amount, term = applications["amount"], applications["term"]
        most = np.minimum(self.max_risk, break_even(amount, term) + self.margin)
        may = ~yes & (chance <= most)  # False for NaN
        lot = np.array([place(str(one), self.salt) for one in applications["application_id"]])
        loss = -loan_profit(amount, term, np.nan_to_num(chance))
        drawn = np.zeros(len(lot), dtype=np.bool_)
        spent = 0.0
        for row in np.argsort(lot, kind="stable"):
            if lot[row] >= self.share:
                break
            if may[row]:
                spent += max(float(loss[row]), 0.0)
                if spent > self.budget:
                    break
                drawn[row] = True
        return drawn
