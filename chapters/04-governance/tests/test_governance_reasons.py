"""Reasons for declines: they add up, they are the applicant's own, they never name the protected group."""

import itertools
import re
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from oakbank.governance import reasons, wording
from oakbank.governance.reasons import LEAST, ReasonsError, additivity, contributions, reason_codes
from oakbank.governance.wording import BREAK_EVEN
from oakbank.pipelines import OAKBANK, CreditModel, TrainingConfig, feature_matrix, grant, run_training
from oakbank.pipelines.features import DataSpec
from oakbank.world import CATEGORIES, Lake, World, break_even, publish_history


@pytest.fixture(scope="module")
def world() -> World:
    return World(11, "calm")


@pytest.fixture(scope="module")
def model(world: World, tmp_path_factory: pytest.TempPathFactory) -> CreditModel:
    folder: Path = tmp_path_factory.mktemp("reasons")
    publish_history(world, Lake(folder / "lake"))
    return run_training(TrainingConfig(), Lake(folder / "lake"), folder / "run").model()


@pytest.fixture(scope="module")
def month(world: World) -> pd.DataFrame:
    return world.applications(0).head(600)


@pytest.fixture(scope="module")
def portfolio(model: CreditModel, month: pd.DataFrame) -> pd.DataFrame:
    return month[grant(model.predict(month), month["amount"], month["term"])]


@pytest.fixture(scope="module")
def codes(model: CreditModel, month: pd.DataFrame) -> list[list[reasons.ReasonCode]]:
    return reason_codes(model, month)


def test_contributions_add_up(model: CreditModel, month: pd.DataFrame) -> None:
    assert additivity(model, month) < 1e-9


def test_contributions_are_lightgbms_own(model: CreditModel, month: pd.DataFrame) -> None:
    values, start = contributions(model, month)
    own = np.asarray(model.booster.predict(feature_matrix(month), pred_contrib=True))
    assert np.allclose(values, own[:, :-1], atol=1e-9)
    assert np.allclose(start, own[:, -1], atol=1e-9)


def test_contributions_are_shapleys_by_definition(month: pd.DataFrame) -> None:
    """From scratch, over all coalitions: what a tree expects when it knows only some of the features."""
    spec = DataSpec("four", ("income", "bureau_score", "delinquencies", "amount"), {})
    matrix = feature_matrix(month, spec)
    rng = np.random.default_rng(0)
    risk = 1 / (1 + np.exp(month["bureau_score"].to_numpy() / 40 - 15 - month["delinquencies"].to_numpy()))
    small = CreditModel.fit(matrix, rng.random(len(month)) < risk, spec=spec, rounds=5)

    def expected(node: dict[str, Any], row: np.ndarray, known: frozenset[int]) -> float:
        if "leaf_value" in node:
            return float(node["leaf_value"])
        left, right = node["left_child"], node["right_child"]
        if node["split_feature"] in known:
            return expected(left if row[node["split_feature"]] <= node["threshold"] else right, row, known)
        counts = [child.get("internal_count", child.get("leaf_count")) for child in (left, right)]
        parts = [count * expected(child, row, known) for count, child in zip(counts, (left, right), strict=True)]
        return float(sum(parts) / sum(counts))

    trees = [tree["tree_structure"] for tree in small.booster.dump_model()["tree_info"]]
    values, _ = contributions(small, month.head(5))
    for row, shap_values in zip(matrix[:5].astype(np.float64), values, strict=True):
        wanted = np.zeros(4)
        for order in itertools.permutations(range(4)):
            known: frozenset[int] = frozenset()
            before = sum(expected(tree, row, known) for tree in trees)
            for feature in order:
                known = known | {feature}
                after = sum(expected(tree, row, known) for tree in trees)
                wanted[feature] += (after - before) / 24
                before = after
        assert np.abs(wanted).max() > 0.01
        assert np.allclose(shap_values, wanted, atol=1e-9)


def test_explanation_that_does_not_add_up_is_refused(
    model: CreditModel, month: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shap

    real = shap.TreeExplainer

    def broken(booster: Any) -> Any:
        def explain(matrix: Any) -> Any:
            found = real(booster)(matrix)
            return SimpleNamespace(values=found.values * 1.01, base_values=found.base_values)

        return explain

    monkeypatch.setattr(shap, "TreeExplainer", broken)
    with pytest.raises(ReasonsError, match="check the versions"):
        reason_codes(model, month)


def test_declined_get_reasons_and_granted_none(
    model: CreditModel, month: pd.DataFrame, codes: list[list[reasons.ReasonCode]]
) -> None:
    granted = grant(model.predict(month), month["amount"], month["term"])
    assert [not found for found in codes] == list(granted)
    for found in codes:
        assert len(found) <= 4
        assert all(reason.contribution >= LEAST for reason in found)
        assert found == sorted(found, key=lambda reason: -reason.contribution)
        assert len({reason.feature for reason in found}) == len(found)
    assert [found[:2] for found in codes] == reason_codes(model, month, k=2)


def test_all_reasons_together_explain_the_decline(
    model: CreditModel, month: pd.DataFrame, portfolio: pd.DataFrame
) -> None:
    """Every feature belongs to one reason, and the sum is how far the loan is beyond its break-even."""
    members = [name for names in reasons._MEMBERS.values() for name in names]
    assert sorted(members) == sorted(OAKBANK.feature_names)
    values, start = contributions(model, month)
    beyond = reasons._log_odds(model.predict(month)) - reasons._log_odds(break_even(month["amount"], month["term"]))
    usual = np.median(break_even(portfolio["amount"], portfolio["term"]))
    priced = reasons._log_odds(np.array([usual])) - reasons._log_odds(break_even(month["amount"], month["term"]))
    assert np.allclose(start + values.sum(axis=1) + priced - reasons._log_odds(np.array([usual])), beyond)
    every = reason_codes(model, month, k=99)
    assert all(reason.contribution >= LEAST for found in every for reason in found)
    declined = [row for row, found in enumerate(every) if found]
    for row in declined[:50]:
        pushing = sum(reason.contribution for reason in every[row])
        assert pushing >= beyond[row] - start[row] + reasons._log_odds(np.array([usual]))[0] - 1e-9 - 19 * LEAST


def test_many_delinquencies_come_first(model: CreditModel, month: pd.DataFrame, portfolio: pd.DataFrame) -> None:
    """People who are ordinary in everything else, granted without late payments and declined with them."""
    ordinary = {column: portfolio[column].median() for column in OAKBANK.numeric}
    ordinary |= {column: portfolio[column].mode()[0] for column in OAKBANK.categories}
    people = pd.DataFrame([ordinary | {"bureau_score": float(score)} for score in range(625, 680, 2)])
    found = reason_codes(model, people.assign(delinquencies=9), portfolio=portfolio)
    without = reason_codes(model, people.assign(delinquencies=0), portfolio=portfolio)
    found = [late for late, on_time in zip(found, without, strict=True) if late and not on_time]
    assert len(found) >= 5
    assert {late[0].feature for late in found} == {"delinquencies"}
    assert found[0][0].text == (
        "In the last 24 months you paid late this often: 9. For loans that we grant, 0 is typical."
    )
    assert found[0][0].changeable == "in time"


def test_a_short_loan_is_declined_for_being_short(
    model: CreditModel, month: pd.DataFrame, portfolio: pd.DataFrame
) -> None:
    short = month.assign(amount=1_500.0, term=np.int16(6))
    found = [reason for reason in reason_codes(model, short, portfolio=portfolio) if reason]
    assert len(found) > 300
    assert all(reason[0].feature == BREAK_EVEN for reason in found)
    assert found[0][0].text.startswith(
        "A loan of 1,500 EUR over 6 months earns us little. So we can grant it only if at most "
    )


def test_reasons_do_not_depend_on_the_company(
    model: CreditModel, month: pd.DataFrame, portfolio: pd.DataFrame, codes: list[list[reasons.ReasonCode]]
) -> None:
    rows = np.random.default_rng(0).permutation(len(month))[:60]
    again = reason_codes(model, month.iloc[rows].reset_index(drop=True), portfolio=portfolio)
    assert again == [codes[row] for row in rows]
    assert reason_codes(model, month.iloc[:0], portfolio=portfolio) == []


def test_a_cent_changes_no_reason(
    model: CreditModel, month: pd.DataFrame, portfolio: pd.DataFrame, codes: list[list[reasons.ReasonCode]]
) -> None:
    nudged = reason_codes(model, month.assign(income=month["income"] + 0.01), portfolio=portfolio)
    same = [
        [reason.feature for reason in one] == [reason.feature for reason in other]
        for one, other in zip(codes, nudged, strict=True)
    ]
    assert np.mean(same) > 0.99


def test_group_never_appears_and_never_matters(
    model: CreditModel, month: pd.DataFrame, codes: list[list[reasons.ReasonCode]]
) -> None:
    swapped = month.assign(group=np.where(month["group"] == "A", "B", "A"))
    assert reason_codes(model, swapped) == codes
    assert reason_codes(model, month.drop(columns="group")) == codes
    told = [reason for found in codes for reason in found]
    assert all("group" not in reason.text and reason.feature != "group" for reason in told)


def test_text_has_the_applicants_own_value(month: pd.DataFrame, codes: list[list[reasons.ReasonCode]]) -> None:
    seen = set()
    for row, found in enumerate(codes):
        for reason in found:
            value = month[reason.feature].iloc[row] if reason.feature in month else None
            seen.add(reason.feature)
            if reason.feature in CATEGORIES:
                assert wording._CHOICES[reason.feature][str(value)] in reason.text
            elif value is not None:
                shown = f"{value:,.1f}".removesuffix(".0")
                assert re.search(rf" {re.escape(shown)}\b", reason.text)
    assert {"bureau_score", "burden", "employment", BREAK_EVEN, "income"} <= seen


def test_a_value_on_the_good_side_is_not_called_bad(
    month: pd.DataFrame, portfolio: pd.DataFrame, codes: list[list[reasons.ReasonCode]]
) -> None:
    median = portfolio["bureau_score"].median()
    checked = 0
    for row, found in enumerate(codes):
        for reason in found:
            if reason.feature == "bureau_score":
                good = month["bureau_score"].iloc[row] >= median
                assert ("By itself this is not bad." in reason.text) == good
                checked += 1
    assert checked > 50


def test_bad_input_is_told(model: CreditModel, month: pd.DataFrame) -> None:
    with pytest.raises(ValueError, match="give portfolio="):
        reason_codes(model, month.head(3))
    with pytest.raises(ValueError, match="income are missing"):
        reason_codes(model, month.drop(columns="income"))
    with pytest.raises(ValueError, match="purpose are missing"):
        reason_codes(model, month, portfolio=month.assign(purpose=None))
    with pytest.raises(ValueError, match="k=0"):
        reason_codes(model, month, k=0)
    with pytest.raises(ValueError, match="not 'other'"):
        reason_codes(replace(model, spec=replace(OAKBANK, name="other")), month)
