"""A bank whose model learns from the loans that it grants itself."""

import numpy as np
import pandas as pd

from oakbank.governance.review import Exploration
from oakbank.intro.loans import known_loans
from oakbank.pipelines import feature_matrix, grant
from oakbank.scale.continual.learners import Labels, Learner, Matrix
from oakbank.world import World


def live(world: World, learner: Learner, months: int, share: float = 0.0) -> pd.DataFrame:
    """Let a learner decide for some months, from month 0; before it, the officers decided.

    Args:
        world: Its history, applicants and label delay.
        learner: Fresh. On the first of each month it hears the outcomes of the month before.
        months: How many.
        share: Of the declined that a lot grants nevertheless; see `oakbank.governance.review.Exploration`.

    Returns:
        All applications, in order: `month`, `channel`, `risk` (by the learner), `granted` (by the learner), `explored`
        (by lot) and `defaulted` (1 or 0; NaN: it had no loan).
    """
    lot = Exploration(share, budget=np.inf, salt="continual")
    told: dict[int, tuple[Matrix, Labels]] = {}
    for month in range(-world.scenario.history_months, 0):
        loans = known_loans(world, [month])
        told[month] = feature_matrix(loans), loans["defaulted"].to_numpy(dtype=bool)
    late = world.scenario.label_delay + 1
    for month in range(-world.scenario.history_months, -late):
        learner.hear(*told[month])
    past = []
    for month in range(months):
        learner.hear(*told[month - late])
        applications = world.applications(month)
        matrix = feature_matrix(applications)
        risk = learner.predict(matrix)
        granted = grant(risk, applications["amount"], applications["term"])
        explored = lot.draw(applications, risk, granted)
        seen = granted | explored  # of the others nobody ever learns what would have been
        ends = world.outcomes(month + late - 1, applications.loc[seen, "application_id"])["defaulted"]
        told[month] = matrix[seen], ends.to_numpy(dtype=bool)
        bad = pd.Series(np.nan, applications.index).mask(seen, 0.0)
        bad[seen] = told[month][1].astype(np.float64)
        decided = {"risk": risk, "granted": granted, "explored": explored, "defaulted": bad}
        past.append(pd.concat([applications[["month", "channel"]], pd.DataFrame(decided)], axis=1))
    return pd.concat(past, ignore_index=True)


def blind_spot(life: pd.DataFrame, books: pd.DataFrame, since: int) -> "pd.Series[float]":
    """Return where a bank of `live` was wrong, and what it earned.

    Args:
        life: Of `live`.
        books: Of the same applications, what only the simulator knows: `default_probability`, `expected_profit` (EUR).
        since: First month that counts for what was wrong.

    Returns:
        From month `since` on: percentage points by which the stated risk is above the true one, among the `granted`
        and the `declined`, and the share of `brokers` that was granted. Over all months: `million EUR`, with the lot.
    """
    year = life[life["month"] >= since]
    off = 100 * (life["risk"] - books["default_probability"])[year.index].groupby(year["granted"]).mean()
    brokers = year.loc[year["channel"] == "broker", "granted"].mean()
    earned = books.loc[life["granted"] | life["explored"], "expected_profit"].sum() / 1e6
    return pd.Series({"granted": off[True], "declined": off[False], "brokers": brokers, "million EUR": earned})
