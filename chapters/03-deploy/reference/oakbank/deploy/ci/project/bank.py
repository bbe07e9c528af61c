"""Oakbank's model and its decision, small enough for one file."""

import json
from pathlib import Path

import numpy as np
import pandas as pd

LOANS, PARAMS, MODEL = Path("loans.csv"), Path("params.json"), Path("model.txt")
NUMBERS = ["age", "income", "debts", "years_employed", "bureau_score", "delinquencies", "amount", "term"]
HOLDOUT = 3  # months
SAME_BYTES = {"num_threads": 1, "deterministic": True, "force_row_wise": True, "verbosity": -1}


def settings(path=PARAMS):
    """Return what `train` takes beside the loans."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def split(loans):
    """Return the older loans to learn from, and those of the newest months to test on."""
    newest = loans["month"] > loans["month"].max() - HOLDOUT
    return loans[~newest], loans[newest]


def train(loans, rounds, **params):
    """Return a model of the default probability, trained on `loans` with LightGBM's `params`."""
    import lightgbm as lgb  # late: the suites of code and data start in half the time without it

    data = lgb.Dataset(loans[NUMBERS], loans["defaulted"])
    return lgb.train({"objective": "binary"} | SAME_BYTES | params, data, rounds)


def interest(term, rate):
    """Return what an annuity of `term` months costs at `rate` a year, EUR for each EUR lent."""
    return rate / 12 * term / (1 - (1 + rate / 12) ** -term) - 1


def profit(amount, term, risk):
    """Return the profit of a loan in EUR: customers pay 12 %, money costs 3 %, a default 60 %, opening it 100."""
    earned = amount * (interest(term, 0.12) - interest(term, 0.03))
    return (1 - risk) * earned - risk * 0.6 * amount - 100


def decide(risk, amount, term):
    """Return "grant" or "decline": a loan is granted if it is expected to earn something."""
    return np.where(profit(amount, term, risk) > 0, "grant", "decline")


def auc(defaulted, risk):
    """Return the share of pairs of a bad and a good loan of which the bad one got the higher risk."""
    bad = np.asarray(defaulted, dtype=bool)
    ranks = pd.Series(risk).rank().to_numpy()
    return (ranks[bad].mean() - (bad.sum() + 1) / 2) / (~bad).sum()


def measure(model, loans):
    """Return how a model does on loans with a known outcome: AUC, mean risk, share granted, profit in EUR."""
    risk = model.predict(loans[NUMBERS])
    granted = decide(risk, loans["amount"], loans["term"]) == "grant"
    earned = profit(loans["amount"], loans["term"], loans["defaulted"])[granted].sum()
    return {"AUC": auc(loans["defaulted"], risk), "mean risk": risk.mean(), "granted": granted.mean(), "EUR": earned}
