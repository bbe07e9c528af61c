"""Model: how it behaves on the newest loans, from which it has not learned."""

import json
from pathlib import Path

import bank
import lightgbm as lgb
import pandas as pd
import pytest

MARGIN = 0.004  # three standard deviations of the AUC over seeds: chance alone does not lose more


@pytest.fixture(scope="module")
def newest():
    return bank.split(pd.read_csv(bank.LOANS))[1]


@pytest.fixture(scope="module")
def model():
    return lgb.Booster(model_file=bank.MODEL)


@pytest.fixture(scope="module")
def measured(model, newest):
    return bank.measure(model, newest)


def test_it_ranks_as_well_as_the_champion(measured):
    champion = json.loads(Path("champion.json").read_text())
    assert measured["AUC"] >= champion["AUC"] - MARGIN


def test_a_risk_of_ten_percent_is_ten_percent(measured, newest):
    assert abs(measured["mean risk"] - newest["defaulted"].mean()) < 0.03


def test_it_earns_more_than_granting_everyone(measured, newest):
    assert measured["EUR"] > bank.profit(newest["amount"], newest["term"], newest["defaulted"]).sum()


def test_less_income_means_more_risk(model, measured, newest):
    poorer = newest.assign(income=newest["income"] / 2)
    assert bank.measure(model, poorer)["mean risk"] > measured["mean risk"]
