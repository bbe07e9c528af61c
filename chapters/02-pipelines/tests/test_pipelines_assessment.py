"""The assessment says what is so: each figure is held against another way to get it, and each fault is seen."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from oakbank.pipelines import CreditModel, TrainingRun
from oakbank.pipelines.assessment import assess, over_time, refit
from oakbank.pipelines.measures import (
    auc_interval,
    calibration,
    cost,
    logit,
    recalibrate,
    recalibration,
    slices,
    wilson,
)
from oakbank.pipelines.steps import is_holdout
from oakbank.world import LakeError
from oakbank.world.lake import read_parquet, write_parquet


def drawn(rows: int = 4000, seed: int = 0) -> tuple[NDArray[np.bool_], NDArray[np.float64]]:
    """Return outcomes that follow their risks exactly, by construction."""
    rng = np.random.default_rng(seed)
    risk = rng.beta(2, 8, rows)
    return rng.random(rows) < risk, risk


@pytest.fixture(scope="module")
def files(trained: TrainingRun) -> dict[str, Any]:
    return {
        "matrix": trained.folder / "features" / "matrix.parquet",
        "accepted": trained.folder / "validate" / "accepted.parquet",
        "candidate": trained.candidate_path,
    }


@pytest.fixture(scope="module")
def report(files: dict[str, Any], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    path = tmp_path_factory.mktemp("assessed") / "assessment.json"
    assess(**files, report=path)
    found: dict[str, Any] = json.loads(path.read_bytes())
    return found


def test_the_report_agrees_with_the_evaluation(report: dict[str, Any], trained: TrainingRun) -> None:
    evaluation = trained.evaluation
    assert report["rows"] == evaluation.rows == sum(line["rows"] for line in report["calibration"]["bins"])
    assert report["ranking"]["auc"] == pytest.approx(evaluation.auc, abs=1e-12)
    assert report["calibration"]["log_loss"] == pytest.approx(evaluation.log_loss, abs=1e-12)
    assert report["cost"]["break_even"]["profit"] == evaluation.profit
    groups = {part["value"]: part for part in report["slices"] if part["column"] == "group"}
    assert {name: part["granted"] for name, part in groups.items()} == evaluation.approval_by_group
    assert sum(part["rows"] for part in groups.values()) == evaluation.rows
    total = sum(part["profit"] for part in report["slices"] if part["column"] == "region")
    assert total == pytest.approx(evaluation.profit, abs=0.01)


def test_two_assessments_are_the_same_bytes(files: dict[str, Any], tmp_path: Path) -> None:
    assess(**files, report=tmp_path / "one.json")
    assess(**files, report=tmp_path / "two.json")
    assert (tmp_path / "one.json").read_bytes() == (tmp_path / "two.json").read_bytes()


def test_the_folds_and_the_recalibration_never_look_at_the_holdout(
    files: dict[str, Any], report: dict[str, Any], tmp_path: Path
) -> None:
    table, rows = read_parquet(files["matrix"]), read_parquet(files["accepted"])
    held = is_holdout(table, 2)
    flipped = {"matrix": tmp_path / "matrix.parquet", "accepted": tmp_path / "accepted.parquet"}
    write_parquet(table.assign(_defaulted=table["_defaulted"].to_numpy() ^ held), flipped["matrix"])
    write_parquet(rows.assign(defaulted=rows["defaulted"].to_numpy() ^ held), flipped["accepted"])
    assess(**files | flipped, report=tmp_path / "report.json")
    spoilt = json.loads((tmp_path / "report.json").read_bytes())
    assert spoilt["folds"] == report["folds"]
    assert spoilt["recalibrated"]["learned"] == report["recalibrated"]["learned"]
    assert spoilt["ranking"] != report["ranking"]


def test_a_refit_on_the_same_rows_is_the_candidate(files: dict[str, Any], trained: TrainingRun) -> None:
    table, model = read_parquet(files["matrix"]), trained.candidate()
    assert refit(model, table, ~is_holdout(table, 2), None).digest == model.digest
    assert refit(model, table, ~is_holdout(table, 2), 3.0).digest != model.digest


def test_a_fold_is_judged_by_a_model_of_earlier_months(files: dict[str, Any], trained: TrainingRun) -> None:
    table, model = read_parquet(files["matrix"]), trained.candidate()
    kept = table[~is_holdout(table, 2)].reset_index(drop=True)
    late = kept["_month"] == kept["_month"].max()
    spoilt = kept.assign(_defaulted=kept["_defaulted"].to_numpy() ^ late.to_numpy())
    (before, risks), (after, others) = over_time(model, kept), over_time(model, spoilt)
    assert before[:-1] == after[:-1]
    assert before[-1]["auc"] != after[-1]["auc"]
    assert np.array_equal(risks["risk"], others["risk"])  # the last month taught nobody


def test_without_months_for_folds_the_report_says_so(trained: TrainingRun, tmp_path: Path) -> None:
    table = read_parquet(trained.folder / "features" / "matrix.parquet")
    rows = read_parquet(trained.folder / "validate" / "accepted.parquet")
    late = (table["_month"] > table["_month"].max() - 4).to_numpy()
    write_parquet(table[late], tmp_path / "matrix.parquet")
    write_parquet(rows[late], tmp_path / "accepted.parquet")
    inputs: dict[str, Any] = {name: tmp_path / f"{name}.parquet" for name in ("matrix", "accepted")}
    assess(**inputs, candidate=trained.candidate_path, report=tmp_path / "report.json")
    found = json.loads((tmp_path / "report.json").read_bytes())
    assert found["folds"] == []
    assert found["recalibrated"] is None
    assert "2 months of labels" in found["no_folds"]
    assert found["ranking"]["auc"] == pytest.approx(trained.evaluation.auc, abs=1e-12)


def test_bad_input_ends_in_a_clear_error_and_nothing_is_written(files: dict[str, Any], tmp_path: Path) -> None:
    table, rows = read_parquet(files["matrix"]), read_parquet(files["accepted"])
    other = {name: tmp_path / f"{name}.parquet" for name in ("matrix", "accepted")}
    write_parquet(table.iloc[1:], other["matrix"])
    with pytest.raises(LakeError, match="run the step `features` again"):
        assess(**files | {"matrix": other["matrix"]}, report=tmp_path / "report.json")
    held = is_holdout(table, 2)
    write_parquet(table.assign(_defaulted=table["_defaulted"] & ~held), other["matrix"])
    write_parquet(rows.assign(defaulted=rows["defaulted"] & ~held), other["accepted"])
    with pytest.raises(ValueError, match="with 0 defaults: give a hold-out that has both"):
        assess(**files | other, report=tmp_path / "report.json")
    assert not (tmp_path / "report.json").exists()


def test_the_auc_is_scikit_learns_ties_included_and_its_interval_holds_the_truth() -> None:
    outcome, risk = drawn()
    coarse = np.round(risk, 1)
    assert auc_interval(outcome, coarse)["auc"] == pytest.approx(roc_auc_score(outcome, coarse), abs=1e-12)
    truth = roc_auc_score(*drawn(400_000, seed=99))
    intervals = [auc_interval(*drawn(400, seed))["interval"] for seed in range(300)]
    covered = np.mean([low <= truth <= high for low, high in intervals])
    assert 0.91 < covered < 0.99
    assert auc_interval(np.array([True, False, False]), np.array([0.5, 0.1, 0.2])) == {"auc": None, "interval": None}


def test_recalibration_is_a_logistic_regression_on_log_odds_and_undoes_a_distortion() -> None:
    outcome, risk = drawn()
    distorted = recalibrate(risk, 0.7, 2.0)
    found = recalibration(outcome, distorted)
    model = LogisticRegression(C=np.inf, tol=1e-10).fit(logit(distorted)[:, None], outcome)
    assert [found["intercept"], found["slope"]] == pytest.approx([model.intercept_[0], model.coef_[0, 0]], abs=1e-5)
    mended = recalibrate(distorted, found["intercept"], found["slope"])
    assert np.abs(mended - risk).max() < 0.05 < np.abs(distorted - risk).max()
    assert calibration(outcome, mended)["expected_error"] < calibration(outcome, distorted)["expected_error"] / 3
    honest = recalibration(outcome, risk)
    assert abs(honest["slope"] - 1) < 3 * honest["slope_error"]
    assert abs(honest["intercept"]) < 3 * honest["intercept_error"]


@pytest.mark.parametrize("risk", [np.full(50, 0.2), np.r_[np.zeros(25), np.ones(25)]])
def test_risks_without_spread_or_certain_ones_end_in_numbers(risk: NDArray[np.float64]) -> None:
    outcome = np.arange(50) % 3 == 0
    found = recalibration(outcome, risk)
    assert np.isfinite([found["intercept"], found["slope"]]).all()
    assert len(calibration(outcome, risk)["bins"]) <= 2


def test_wilson_stays_within_its_bounds_and_is_the_textbook_interval() -> None:
    assert wilson(0, 10)[0] == pytest.approx(0, abs=1e-12)
    assert wilson(10, 10)[1] == pytest.approx(1, abs=1e-12)
    assert wilson(1, 10) == pytest.approx([0.01788, 0.40415], abs=1e-5)  # Brown, Cai and DasGupta 2001


def sample(rows: int = 6000, seed: int = 0) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    frame = pd.DataFrame({"amount": rng.uniform(2e3, 2e4, rows), "term": rng.choice([12, 36, 60], rows)})
    return frame.assign(channel=rng.choice(["web", "branch", "rare"], rows, p=[0.7, 0.295, 0.005]))


def test_a_planted_bad_slice_is_found_and_no_other() -> None:
    rows, (outcome, risk) = sample(), drawn(6000)
    calm = slices(rows, outcome, risk, ["channel"])
    assert [part["off"] for part in calm] == [False] * 3
    branch = (rows["channel"] == "branch").to_numpy()
    outcome = outcome | (branch & (np.random.default_rng(5).random(6000) < 0.1))
    found = {part["value"]: part for part in slices(rows, outcome, risk, ["channel"])}
    assert [name for name, part in found.items() if part["off"]] == ["branch"]
    assert [name for name, part in found.items() if part["small"]] == ["rare"]
    assert sum(part["rows"] for part in found.values()) == 6000
    assert sum(part["defaults"] for part in found.values()) == outcome.sum()


def test_money_at_a_threshold_is_the_sum_over_the_loans_it_grants(trained: TrainingRun) -> None:
    rows = trained.holdout()
    outcome = rows["defaulted"].to_numpy()
    risk = CreditModel.load(trained.candidate_path).predict(rows)
    found = cost(rows, outcome, risk)
    line = found["thresholds"][7]
    yes = risk < line["threshold"]
    assert (line["threshold"], line["granted"]) == (0.16, yes.mean())
    assert line["default_rate"] == outcome[yes].mean()
    assert line["interval"][0] < line["profit"] < line["interval"][1]
    best = {entry["threshold"]: entry["profit"] for entry in found["thresholds"]}
    assert found["best_threshold_in_hindsight"] == max(best, key=lambda level: best[level])
    assert found["grant_all"]["granted"] == 1
