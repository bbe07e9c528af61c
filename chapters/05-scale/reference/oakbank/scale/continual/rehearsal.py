"""What a model would have said to each applicant on the day, from the labels that were there on the day."""

import datetime as dt
from collections.abc import Hashable, Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd
from river import compose, evaluate, metrics

from oakbank.intro.loans import known_loans
from oakbank.pipelines import feature_matrix, grant
from oakbank.scale.continual.learners import STEP, Learner, Risks, Scheduled, as_rows, logistic, online_model, trees
from oakbank.scale.continual.watch import losses
from oakbank.world import World
from oakbank.world.simulator import FIRST_MONTH


def officers_loans(world: World, months: int) -> pd.DataFrame:
    """Return the officers' loans of history and the first months, with outcomes, in the order of application."""
    return by_day(known_loans(world, range(-world.scenario.history_months, months)))


def by_day(loans: pd.DataFrame) -> pd.DataFrame:
    """Return loans in the order in which they were applied for, with a fresh index."""
    return loans.sort_values(["applied_on", "application_id"], kind="stable", ignore_index=True)


def stream(loans: pd.DataFrame) -> Iterator[tuple[dict[Hashable, Any], bool]]:
    """Yield loans as River takes them: features, with the `day` of application, and whether the loan defaulted.

    Args:
        loans: In order of `applied_on`, with `defaulted`.

    Raises:
        ValueError: They are in another order: River would take it for the order in time.
    """
    if not loans["applied_on"].is_monotonic_increasing:
        raise ValueError("the loans are not in order of applied_on: sort them first (by_day)")
    rows, days = as_rows(feature_matrix(loans)), loans["applied_on"].tolist()
    for row, day, outcome in zip(rows, days, loans["defaulted"].tolist(), strict=True):
        yield {**row, "day": day}, outcome


def row_by_row(loans: pd.DataFrame, days: int, step: float = STEP) -> Risks:
    """Return what a model that learns from each row said to each applicant, shape (n,).

    Args:
        loans: In order of `applied_on`, with `defaulted`.
        days: From application to outcome.
        step: Of the model.
    """
    model = compose.Discard("day") | online_model(step)
    metric: Any = metrics.LogLoss()  # type: ignore[no-untyped-call]  # not read: the predictions are wanted
    told = evaluate.iter_progressive_val_score(
        stream(loans), model, metric, "day", dt.timedelta(days=days), yield_predictions=True
    )
    # One delay for all: the outcomes come in the order of the questions.
    return np.array([state["Prediction"][True] for state in told])


def on_schedule(loans: pd.DataFrame, learner: Learner, days: int) -> Risks:
    """Return what a learner that hears the news on the first of each month said to each applicant, shape (n,).

    Args:
        loans: In order of `applied_on`, with `month` and `defaulted`.
        learner: Fresh.
        days: From application to outcome.

    Returns:
        NaN for applicants before month 0.
    """
    matrix, outcomes = feature_matrix(loans), loans["defaulted"].to_numpy(dtype=bool)
    month, known = loans["month"].to_numpy(), loans["applied_on"].to_numpy() + np.timedelta64(days, "D")
    risk, heard = np.full(len(loans), np.nan), 0
    for now in np.unique(month):
        until = int(np.searchsorted(known, _first_day(int(now)), side="right"))
        if until > heard:
            learner.hear(matrix[heard:until], outcomes[heard:until])
            heard = until
        if now >= 0:
            risk[month == now] = learner.predict(matrix[month == now])
    return risk


def _first_day(month: int) -> np.datetime64:
    return np.datetime64((FIRST_MONTH + month).astype("datetime64[ms]"))


def rehearse(loans: pd.DataFrame, days: int) -> dict[str, Risks]:
    """Return what three models said to each applicant, when outcomes come some days after the application.

    `online` learns from each row. `monthly` is the same logistic regression, trained anew each month on the youngest
    three; `quarterly` is LightGBM, on the youngest twelve. Of these two the loans before month 0 are NaN.
    """
    return {
        "online": row_by_row(loans, days),
        "monthly": on_schedule(loans, Scheduled(logistic, window=3), days),
        "quarterly": on_schedule(loans, Scheduled(trees, window=12, every=3), days),
    }


def frozen(loans: pd.DataFrame, days: int = 91) -> pd.DataFrame:
    """Return how a model that learned at the start of month 0, and never again, did from then on.

    Returns:
        One row for each loan since: `day` of the application, `score` (default probability) and `loss` (log loss).
    """
    once = Scheduled(logistic, every=len(loans))
    risk = on_schedule(loans, once, days)
    since = (loans["month"] >= 0).to_numpy()
    loss = losses(loans["defaulted"], risk)
    table = {"day": loans["applied_on"], "score": risk, "loss": loss}
    return pd.DataFrame(table)[since].reset_index(drop=True)


def scores(loans: pd.DataFrame, risk: Risks, months: Iterable[int]) -> dict[str, float]:
    """Return what predictions were worth in some months.

    Args:
        loans: With `month`, `defaulted`, `amount` (EUR), `term` (months) and `profit` (EUR).
        risk: Of each loan, shape (n,).
        months: Of application.

    Returns:
        `log loss`, and `EUR`: profit per loan, had this model chosen among them.
    """
    these = loans["month"].isin(list(months)).to_numpy()
    some, said = loans[these], risk[these]
    yes = grant(said, some["amount"], some["term"])
    earned = float(some.loc[yes, "profit"].sum()) / len(some)
    return {"log loss": float(losses(some["defaulted"], said).mean()), "EUR": earned}
