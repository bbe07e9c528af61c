"""The life of a model in a bank, month by month: decide, wait for outcomes, perhaps learn again."""

import pandas as pd
from sklearn.pipeline import Pipeline

from oakbank.intro.first_model import first_model
from oakbank.intro.loans import known_loans
from oakbank.world import World, break_even


def live(world: World, months: int = 24, retrain_every: int | None = None, window: int = 9) -> pd.DataFrame:
    """Let one model run the bank.

    Args:
        world: The world it lives in. Its history trains the first model.
        months: How long.
        retrain_every: Months between trainings; None: the first model stays for good.
        window: Months of known outcomes to learn from at each training; the first takes all of history.

    Returns:
        One row per month: `profit` (EUR, of the loans granted in it), `best` (EUR, of a bank that knew the true
        probabilities), `default_rate` (of the loans granted), `granted` (share of applications), `trained`.
    """
    delay = world.scenario.label_delay
    granted: dict[int, pd.Series] = {}
    labelled: dict[int, pd.DataFrame] = {}

    def end_of(month: int) -> None:
        if (applied := month - delay) in granted:
            labelled[applied] = known_loans(world, [applied], lambda feed: granted[applied])

    for month in range(-world.scenario.history_months, 0):
        granted[month] = world.officer_decisions(month)["granted"]
        end_of(month)
    model = _train(labelled, len(labelled))

    rows = []
    for month in range(months):
        trained = retrain_every is not None and month > 0 and month % retrain_every == 0
        if trained:
            model = _train(labelled, window)
        feed = world.applications(month)
        probability = model.predict_proba(feed)[:, 1]
        yes = probability < break_even(feed["amount"], feed["term"])
        granted[month] = yes
        end_of(month)
        truth = world.truth(month)
        rows.append(
            {
                "month": month,
                "profit": truth.loc[yes, "profit_if_granted"].sum(),
                "best": truth.loc[truth["expected_profit"] > 0, "profit_if_granted"].sum(),
                "default_rate": truth.loc[yes, "would_default"].mean(),
                "granted": yes.mean(),
                "trained": trained,
            }
        )
    return pd.DataFrame(rows).set_index("month")


def _train(labelled: dict[int, pd.DataFrame], window: int) -> Pipeline:
    rows = pd.concat([labelled[month] for month in sorted(labelled)[-window:]])
    return first_model().fit(rows, rows["defaulted"])
