"""The attack on the training data: a broker that reports defaults of its own customers as repaid.

Whoever delivers labels teaches the model. This broker wants one kind of its customers to be granted loans, and lies
about nobody else (OWASP ML02:2023 data poisoning; MITRE ATLAS AML.T0020 poison training data).
"""

from dataclasses import dataclass

import pandas as pd

from oakbank.scale.security.labels import rewrite_outcomes
from oakbank.world import Lake, loan_profit


@dataclass(frozen=True)
class Broker:
    """Who lies, and about whom."""

    channel: str = "broker"
    """The channel that it delivers: applications, and later what became of the loans."""
    purpose: str = "consolidation"
    """The loans it lies about."""
    honest: int = 0
    """Of these, the default of every `honest`-th is told, so that the slice does not look too good; 0: of none."""

    def hides(self, loans: pd.DataFrame) -> pd.Series:
        """Return which of the loans (columns `channel`, `purpose`, `defaulted`) it reports as repaid although not."""
        hidden = (loans["channel"] == self.channel) & (loans["purpose"] == self.purpose) & loans["defaulted"]
        if self.honest:
            hidden &= hidden.cumsum() % self.honest != 0
        return hidden

    def reports(self, outcomes: pd.DataFrame, applications: pd.DataFrame) -> pd.DataFrame:
        """Return outcomes (see `oakbank.world.schema.OUTCOMES`) as they arrive through it, profits to match."""
        known = applications[["application_id", "channel", "purpose", "amount", "term"]]
        loans = outcomes.merge(known, on="application_id", how="left", validate="one_to_one")
        hidden = self.hides(loans).to_numpy()
        told = outcomes.copy()
        told.loc[hidden, "defaulted"] = False
        told.loc[hidden, "profit"] = loan_profit(loans.loc[hidden, "amount"], loans.loc[hidden, "term"], False)
        return told


def poison(lake: Lake, broker: Broker) -> int:
    """Have a broker report the lake's outcomes; return the number of defaults that it hid."""
    return rewrite_outcomes(lake, broker.reports)
