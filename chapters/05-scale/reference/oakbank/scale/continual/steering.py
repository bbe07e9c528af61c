"""An attacker who reports outcomes: how far it moves a model that learns at once, and one that passes gates first."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from oakbank.deploy.gate import DEFAULT_GATES, GateResult
from oakbank.pipelines import CreditModel, evaluate_model, feature_matrix, grant
from oakbank.scale.continual.learners import STEP, RowByRow
from oakbank.scale.continual.rehearsal import officers_loans
from oakbank.scale.security.poison import Broker
from oakbank.scale.security.provenance import slices_hold
from oakbank.world import World

WINDOW, HOLDOUT = 12, 2
"""Months that a challenger learns from, and how many of them it must show itself on."""
START = pd.Timestamp("2024-01-01")
"""The first day of month 0."""


@dataclass(frozen=True)
class BoldBroker(Broker):
    """A broker that hides the defaults of all its customers, whatever the loan is for."""

    def hides(self, loans: pd.DataFrame) -> "pd.Series[bool]":
        """Return which of the loans (columns `channel`, `defaulted`) it reports as repaid although not."""
        return (loans["channel"] == self.channel) & loans["defaulted"]


def reported(world: World, liar: Broker | None, months: int) -> pd.DataFrame:
    """Return the officers' loans as they are reported, oldest first.

    Args:
        world: Where they live.
        liar: Lies about all that it reports from month 0 on; None: nobody lies.
        months: From month 0, in which outcomes come in.

    Returns:
        Loans with `defaulted` as told, `paid` (the bank's own payments: the truth) and `told_on` (the day).
    """
    delay = world.scenario.label_delay
    loans = officers_loans(world, months - delay)
    told = loans["applied_on"] + pd.Timedelta(days=round(365.25 / 12 * delay))
    lies = liar.hides(loans) & (told >= START) if liar else pd.Series(False, loans.index)
    return loans.assign(paid=loans["defaulted"], defaulted=loans["defaulted"] & ~lies, told_on=told)


def steer(world: World, liar: Broker | None, months: int, step: float = STEP) -> pd.DataFrame:
    """Let a model learn from each report as it comes, and look each week whom it would grant.

    Returns:
        One row a week from month 0: share granted of the applicants of month 0, of the channel `broker` and of the
        `others`.
    """
    loans = reported(world, liar, months)
    week = (loans["told_on"] - START).dt.days // 7
    asked = world.applications(0)
    matrix, theirs = feature_matrix(asked), (asked["channel"] == (liar or Broker()).channel).to_numpy()
    learner, found = RowByRow(step), {}
    past = week < 0
    learner.hear(feature_matrix(loans[past]), loans.loc[past, "defaulted"].to_numpy(dtype=bool))
    for number, news in loans[~past].groupby(week[~past]):
        yes = grant(learner.predict(matrix), asked["amount"], asked["term"])
        found[number] = {"broker": yes[theirs].mean(), "others": yes[~theirs].mean()}
        learner.hear(feature_matrix(news), news["defaulted"].to_numpy(dtype=bool))
    return pd.DataFrame(found).T.rename_axis("week")


def judge(world: World, liar: Broker | None, month: int) -> list[GateResult]:
    """Train a challenger at the start of a month as scheduled, and let it pass the gates against month 0's model.

    Returns:
        The words of `DEFAULT_GATES` and of `slices_hold` on the hold-out as reported, and of `slices_hold` on the
        bank's own payments (`slices_hold_paid`).
    """
    loans = reported(world, liar, month)
    champion = _fit(loans, 0)
    young = loans[loans["month"] > loans["month"].max() - HOLDOUT]
    challenger = _fit(loans[~loans["application_id"].isin(young["application_id"])], month)
    new, old = evaluate_model(challenger, young), evaluate_model(champion, young)
    paid = slices_hold(challenger, young.assign(defaulted=young["paid"]))
    results = [gate(new, old) for gate in DEFAULT_GATES]
    return [*results, slices_hold(challenger, young), GateResult("slices_hold_paid", paid.passed, paid.detail)]


def refused(world: World, liar: Broker | None, month: int) -> list[str]:
    """Return the names of the gates of `judge` that refuse the challenger."""
    return [result.name for result in judge(world, liar, month) if not result.passed]


def _fit(loans: pd.DataFrame, month: int) -> CreditModel:
    """Train on the youngest loans whose outcomes were known before a month."""
    known = loans[loans["known_month"] < month]
    rows = known[known["month"] > known["month"].max() - WINDOW]
    return CreditModel.fit(feature_matrix(rows), np.asarray(rows["defaulted"]))
