"""Why a loan was declined, in up to four reasons that an applicant understands.

A creditor in the USA owes a declined applicant the principal reasons, specific ones (12 CFR 1002.9(b)(2), which
implements the ECOA; its official comment finds that more than four are not likely to be helpful). Here they are SHAP
values (Lundberg and Lee 2017) of the model's log-odds, added up over what belongs together, and one reason more:
a small or short loan earns little, so it is declined at a risk at which another is granted.

What they do not say: that a change of the value would change the decision (the model was asked to predict, not what
follows from what), nor that the reason is a fair one. Age and region are told when the model uses them: a reason
that may not be given belongs out of the model, not out of the letter.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from oakbank.governance.wording import BREAK_EVEN, Wording
from oakbank.pipelines import OAKBANK, CreditModel, feature_matrix, grant
from oakbank.world import break_even

Changeable = Literal["now", "in time", "no"]
LEAST = 0.01
"""Log-odds below which a contribution is no reason."""
FEWEST_TO_COMPARE = 100
TOLERANCE = 1e-6

_MEMBERS: dict[str, tuple[str, ...]] = {column: (column,) for column in OAKBANK.numeric if column != "amount"}
_MEMBERS |= {"amount": ("amount", "instalment", "loan_to_income"), "burden": ("burden",)}
_MEMBERS |= {column: tuple(f"{column}_{v}" for v in values) for column, values in OAKBANK.categories.items()}
"""Which features of the model make up a reason."""

_CHANGEABLE: dict[str, Changeable] = {"age": "no", "region": "no", "purpose": "no"}
_CHANGEABLE |= {"amount": "now", "term": "now", "burden": "now", "channel": "now", BREAK_EVEN: "now"}


class ReasonsError(RuntimeError):
    """The explanation does not add up to the model's answer, so none is given."""


@dataclass(frozen=True)
class ReasonCode:
    """One reason for a decline."""

    feature: str
    """A column of the application, "burden" (of debts and instalment on income) or "break_even"."""
    contribution: float
    """How much it pushes towards the decline, in log-odds: above 0."""
    text: str
    changeable: Changeable
    """Whether the applicant could choose otherwise now, in time, or not at all; no promise that it would help."""


def contributions(model: CreditModel, applications: pd.DataFrame) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the SHAP values of each feature, shape (n, features), and what they start from, shape (n,); log-odds.

    They start from the mean over the loans that the model was trained on, as counted in its trees. With no
    background data given, `shap` passes the question on to LightGBM's own TreeSHAP: the two agree by construction.

    Raises:
        ReasonsError: See `additivity`.
    """
    matrix = feature_matrix(applications, model.spec)
    if not len(matrix):
        return np.zeros(matrix.shape), np.zeros(0)
    import shap  # late: it takes seconds, and only declined applicants need it

    explained = shap.TreeExplainer(model.booster)(matrix)
    values = np.asarray(explained.values, dtype=np.float64)
    start = np.broadcast_to(np.asarray(explained.base_values, dtype=np.float64), len(matrix))
    gap = float(np.abs(start + values.sum(axis=1) - model.booster.predict(matrix, raw_score=True)).max())
    if not gap <= TOLERANCE:
        raise ReasonsError(
            f"contributions miss the model's log-odds by {gap:.3g}: check the versions of shap, lightgbm"
        )
    return values, start


def additivity(model: CreditModel, applications: pd.DataFrame) -> float:
    """Return the largest gap between the sum of contributions and the log-odds of the predicted probability.

    Raises:
        ReasonsError: It is above `TOLERANCE`.
    """
    values, start = contributions(model, applications)
    gaps = np.abs(start + values.sum(axis=1) - _log_odds(model.predict(applications)))
    return float(gaps.max(initial=0.0))


def reason_codes(
    model: CreditModel, applications: pd.DataFrame, k: int = 4, *, portfolio: pd.DataFrame | None = None
) -> list[list[ReasonCode]]:
    """Return the reasons for each application that the model declines, strongest first.

    Args:
        model: The model that decided; for Oakbank's own applications.
        applications: As the model was asked: repaired, without broken rows. Shape (n, any).
        k: At most so many reasons.
        portfolio: Granted loans to compare with: in the text, and for the break-even that is typical. None: those
            that the model grants among `applications`. (SHAP compares with granted loans too: it knows no others.)

    Returns:
        One list per application, in order; empty for a granted one. Contributions below `LEAST` are no reason.

    Raises:
        ValueError: The model is for other data, a value is missing, or there is too little to compare with.
        ReasonsError: The contributions do not add up.
    """
    if model.spec.name != OAKBANK.name or k < 1:
        raise ValueError(f"reasons are for Oakbank's own models, one or more: not {model.spec.name!r}, k={k}")
    for frame in (applications,) if portfolio is None else (applications, portfolio):
        if gaps := [c for c in OAKBANK.columns if c not in frame or frame[c].isna().any()]:
            raise ValueError(f"values of {', '.join(gaps)} are missing: repair the feed, leave broken rows to a person")
    granted = grant(model.predict(applications), applications["amount"], applications["term"])
    compared = applications[granted] if portfolio is None else portfolio
    if len(compared) < FEWEST_TO_COMPARE:
        raise ValueError(
            f"{len(compared)} granted loans are too few to compare with, {FEWEST_TO_COMPARE} wanted: give portfolio="
        )
    declined = np.flatnonzero(~granted)
    rows = applications.iloc[declined]
    values, _ = contributions(model, rows)
    limit = break_even(rows["amount"], rows["term"])
    usual = float(np.median(break_even(compared["amount"], compared["term"])))
    position = {name: number for number, name in enumerate(OAKBANK.feature_names)}
    pushes = {
        reason: values[:, [position[name] for name in members]].sum(axis=1) for reason, members in _MEMBERS.items()
    } | {BREAK_EVEN: _log_odds(np.array([usual])) - _log_odds(limit)}
    wording = Wording(rows, compared, limit, usual)
    result: list[list[ReasonCode]] = [[] for _ in range(len(applications))]
    for row, target in enumerate(declined):
        strongest = sorted(pushes, key=lambda reason: (-pushes[reason][row], reason))[:k]
        result[target] = [
            ReasonCode(r, float(pushes[r][row]), wording.text(r, row), _CHANGEABLE.get(r, "in time"))
            for r in strongest
            if pushes[r][row] >= LEAST
        ]
    return result


def _log_odds(probability: NDArray[np.float64]) -> NDArray[np.float64]:
    # A loan too small to earn its cost breaks even at 0: bounded, so that its reason is a number (and a large one).
    bounded = np.clip(probability, 1e-6, 1 - 1e-6)
    return np.asarray(np.log(bounded / (1 - bounded)), dtype=np.float64)
