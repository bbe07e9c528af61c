"""What one metric hides: ranking with its uncertainty, calibration, money and slices, on rows not trained on."""

from collections.abc import Sequence
from statistics import NormalDist
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.metrics import log_loss

from oakbank.pipelines.model import grant
from oakbank.world import break_even, loan_profit

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
Z = NormalDist().inv_cdf(0.975)
"""Standard errors either side of a mean that make 95 %."""
SMALL = {"rows": 100, "defaults": 10}
"""A slice with fewer of either is marked as small: its figures are hardly more than noise."""
THRESHOLDS = tuple(round(0.02 * step, 2) for step in range(1, 31))


def wilson(hits: int, rows: int, z: float = Z) -> list[float]:
    """Return Wilson's interval of a share, which stays within 0 and 1 and is honest for few rows. Wants rows > 0."""
    share, room = hits / rows, z**2 / rows
    middle, half = share + room / 2, z * np.sqrt(share * (1 - share) / rows + room / (4 * rows))
    return [float((middle - half) / (1 + room)), float((middle + half) / (1 + room))]


def auc_interval(outcome: Flags, risk: Floats) -> dict[str, Any]:
    """Return the AUC and its interval after DeLong (Biometrics 1988), or None where one kind of outcome is missing.

    A default's placement is the share of repaid loans below it; the AUC is the mean placement, and the spread of the
    placements of either kind says how far another sample could lie.
    """
    bad, repaid = np.sort(risk[outcome]), np.sort(risk[~outcome])
    if len(bad) < 2 or len(repaid) < 2:
        return {"auc": None, "interval": None}

    def below(values: Floats, others: Floats) -> Floats:
        low, high = np.searchsorted(others, values, "left"), np.searchsorted(others, values, "right")
        return np.asarray((low + high) / 2 / len(others))

    placed, passed = below(bad, repaid), 1 - below(repaid, bad)
    auc, half = placed.mean(), Z * np.sqrt(placed.var(ddof=1) / len(bad) + passed.var(ddof=1) / len(repaid))
    return {"auc": float(auc), "interval": [float(max(0, auc - half)), float(min(1, auc + half))]}


def logit(risk: Floats) -> Floats:
    """Return log-odds; risks of exactly 0 and 1 are taken as 1e-9 from it."""
    risk = np.clip(risk, 1e-9, 1 - 1e-9)
    return np.asarray(np.log(risk / (1 - risk)))


def recalibrate(risk: Floats, intercept: float, slope: float) -> Floats:
    """Return risks stretched and shifted on the scale of log-odds; their order stays."""
    return np.asarray(1 / (1 + np.exp(-intercept - slope * logit(risk))))


def recalibration(outcome: Flags, risk: Floats) -> dict[str, float]:
    """Fit outcome ~ sigmoid(intercept + slope * logit(risk)) by Newton's method (logistic recalibration, Cox 1958).

    Returns:
        `intercept` (0 is right) and `slope` (1 is right; below 1 the risks are too far apart, as after overfitting),
        with their standard errors.
    """
    design = np.column_stack([np.ones(len(risk)), logit(risk)])
    weights = np.array([0.0, 1.0])
    for _ in range(50):
        fitted = 1 / (1 + np.exp(-design @ weights))
        information = design.T @ (design * (fitted * (1 - fitted))[:, None]) + 1e-9 * np.eye(2)
        step = np.linalg.solve(information, design.T @ (outcome - fitted))
        weights = weights + np.clip(step, -1, 1)
        if np.abs(step).max() < 1e-10:
            break
    error = np.sqrt(np.diag(np.linalg.inv(information)))
    names = ("intercept", "slope", "intercept_error", "slope_error")
    return dict(zip(names, map(float, [*weights, *error]), strict=True))


def calibration(outcome: Flags, risk: Floats, bins: int = 10) -> dict[str, Any]:
    """Hold predicted risks against what happened, in bins of about equal size.

    Returns:
        `bins`, each with `rows`, mean `predicted`, `observed` rate and its Wilson `interval`; `expected_error`, the
        mean distance of the two weighted by rows (ECE; never quite 0 by chance alone); `recalibration`; `log_loss`.
    """
    edges = np.quantile(risk, np.arange(1, bins) / bins)
    part = np.searchsorted(edges, risk, side="left")
    table, error = [], 0.0
    for number in np.unique(part):
        rows = part == number
        predicted, observed = float(risk[rows].mean()), float(outcome[rows].mean())
        error += abs(predicted - observed) * rows.mean()
        interval = wilson(int(outcome[rows].sum()), int(rows.sum()))
        line = {"rows": int(rows.sum()), "predicted": predicted, "observed": observed, "interval": interval}
        table.append(line)
    return {
        "bins": table,
        "expected_error": float(error),
        "recalibration": recalibration(outcome, risk),
        "log_loss": float(log_loss(outcome, risk)),
    }


def decided(yes: Flags, outcome: Flags, profit: Floats) -> dict[str, Any]:
    """Return what a decision earns: `granted` (share), `default_rate` of those, `profit` (EUR), its `interval`."""
    earned = np.where(yes, profit, 0.0)
    half = Z * float(earned.std(ddof=1)) * len(earned) ** 0.5 if len(earned) > 1 else 0.0
    total = float(earned.sum())
    return {
        "granted": float(yes.mean()),
        "default_rate": float(outcome[yes].mean()) if yes.any() else None,
        "profit": round(total, 2),
        "interval": [round(total - half, 2), round(total + half, 2)],
    }


def cost(rows: pd.DataFrame, outcome: Flags, risk: Floats) -> dict[str, Any]:
    """Return what the bank's rule earns, and one threshold for all loans in its place, at each of `THRESHOLDS`."""
    profit = loan_profit(rows["amount"], rows["term"], outcome)
    table = [{"threshold": level} | decided(risk < level, outcome, profit) for level in THRESHOLDS]
    return {
        "break_even": decided(grant(risk, rows["amount"], rows["term"]), outcome, profit),
        "grant_all": decided(np.ones(len(rows), dtype=bool), outcome, profit),
        "thresholds": table,
        "best_threshold_in_hindsight": max(table, key=lambda line: line["profit"])["threshold"],
        "mean_break_even": float(break_even(rows["amount"], rows["term"]).mean()),
    }


def slices(rows: pd.DataFrame, outcome: Flags, risk: Floats, columns: Sequence[str]) -> list[dict[str, Any]]:
    """Measure each part of the rows by each column.

    Returns:
        One entry a slice: `column`, `value`, `rows`, `defaults`, `small`, `default_rate` with Wilson `interval`, mean
        `predicted`, `granted` and its `granted_interval`, `auc` and `auc_interval`, `profit` (EUR), and
        `off`: whether the mean prediction lies outside the interval once that is widened for the number of slices
        looked at (Bonferroni), so that all slices together raise a false alarm in at most about 5 of 100 cases.
    """
    parts = [(name, str(value)) for name in columns for value in np.unique(rows[name].dropna().astype(str))]
    yes = grant(risk, rows["amount"], rows["term"])
    profit = loan_profit(rows["amount"], rows["term"], outcome)
    wide = NormalDist().inv_cdf(1 - 0.025 / max(1, len(parts)))
    found = []
    for column, value in parts:
        here = (rows[column].astype(str) == value).to_numpy()
        n, bad, predicted = int(here.sum()), int(outcome[here].sum()), float(risk[here].mean())
        low, high = wilson(bad, n, wide)
        ranked = auc_interval(outcome[here], risk[here])
        found.append(
            {
                "column": column,
                "value": value,
                "rows": n,
                "defaults": bad,
                "small": n < SMALL["rows"] or bad < SMALL["defaults"],
                "default_rate": bad / n,
                "interval": wilson(bad, n),
                "predicted": predicted,
                "off": not low <= predicted <= high,
                "granted": float(yes[here].mean()),
                "granted_interval": wilson(int(yes[here].sum()), n),
                "auc": ranked["auc"],
                "auc_interval": ranked["interval"],
                "profit": round(float(profit[here & yes].sum()), 2),
            }
        )
    return found
