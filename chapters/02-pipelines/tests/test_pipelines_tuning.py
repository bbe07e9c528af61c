"""The search: the same bytes from the same seed, no look at the hold-out, a clear end on data it cannot judge by."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import optuna
import pandas as pd
import pytest
from sklearn.metrics import log_loss

from oakbank.pipelines import FEATURE_NAMES, CreditModel, TrainingRun
from oakbank.pipelines.folds import time_folds
from oakbank.pipelines.german import GERMAN, GERMAN_PARAMS
from oakbank.pipelines.model import TREE_PARAMS
from oakbank.pipelines.steps import is_holdout
from oakbank.pipelines.tuning import SPACE, Bench, search, tune
from oakbank.world import LakeError
from oakbank.world.lake import read_parquet, write_parquet

TRIALS = 7


@pytest.fixture(scope="module")
def table(trained: TrainingRun) -> pd.DataFrame:
    return read_parquet(trained.folder / "features" / "matrix.parquet")


@pytest.fixture(scope="module")
def chosen(table: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory) -> bytes:
    return tuned(table, tmp_path_factory.mktemp("tuned"))


def tuned(table: pd.DataFrame, folder: Path, **settings: Any) -> bytes:
    write_parquet(table, folder / "matrix.parquet")
    tune(folder / "matrix.parquet", folder / "chosen.json", **{"trials": TRIALS} | settings)
    return (folder / "chosen.json").read_bytes()


def months(count: int, rows: int = 60) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    frame = pd.DataFrame(rng.normal(size=(count * rows, len(FEATURE_NAMES))), columns=list(FEATURE_NAMES))
    frame = frame.astype(np.float32)
    frame["_month"] = np.repeat(np.arange(count), rows)
    frame["_application_id"] = np.arange(len(frame))
    frame["_defaulted"] = rng.random(len(frame)) < 0.3
    return frame


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(
    table: pd.DataFrame, chosen: bytes, tmp_path: Path
) -> None:
    assert tuned(table, tmp_path) == chosen
    assert tuned(table, tmp_path, seed=1) != chosen


def test_the_holdout_has_no_say(table: pd.DataFrame, chosen: bytes, tmp_path: Path) -> None:
    held = is_holdout(table, 2)
    spoilt = table.copy()
    spoilt.loc[held, "_defaulted"] = ~spoilt.loc[held, "_defaulted"]
    spoilt.loc[held, list(FEATURE_NAMES)] = 0
    assert tuned(spoilt, tmp_path) == chosen
    last = spoilt["_month"] == spoilt.loc[~held, "_month"].max()  # and the test can fail:
    spoilt.loc[last, "_defaulted"] = ~spoilt.loc[last, "_defaulted"]
    assert tuned(spoilt, tmp_path) != chosen


def test_the_best_trial_is_what_was_measured_and_no_worse_than_todays_settings(
    table: pd.DataFrame, chosen: bytes
) -> None:
    found = json.loads(chosen)
    kept = table[~is_holdout(table, 2)].reset_index(drop=True)
    bench = Bench(kept, time_folds(kept))
    scores = [bench.score(fold, found["params"]) for fold in range(3)]
    assert np.mean([score.loss for score in scores]) == found["loss"] <= found["start_loss"]
    assert np.median([score.rounds for score in scores]) == found["rounds"]
    assert found["trials"][0]["params"] == TREE_PARAMS
    assert found["fits"] == sum(len(trial["rounds"]) for trial in found["trials"])
    assert len(found["trials"]) == TRIALS


def test_a_score_is_that_of_a_model_of_so_many_trees(table: pd.DataFrame) -> None:
    fold = time_folds(table)[0]
    score = Bench(table, [fold], seed=3).score(0, TREE_PARAMS)
    matrix = table[list(FEATURE_NAMES)].to_numpy(np.float32)
    model = CreditModel.fit(matrix[fold.train], table["_defaulted"][fold.train], rounds=score.rounds, seed=3)
    again = log_loss(table["_defaulted"][fold.judge], model.predict_matrix(matrix[fold.judge]))
    assert score.loss == pytest.approx(again, abs=1e-7)


def test_trials_that_fall_behind_are_pruned_and_the_logger_is_left_as_it_was(table: pd.DataFrame) -> None:
    said = optuna.logging.get_verbosity()
    bench = Bench(table, time_folds(table))
    study = search(bench, TREE_PARAMS, trials=14)
    states = [trial.state.name for trial in study.trials]
    assert {"COMPLETE", "PRUNED"} == set(states)
    assert set(states[:5]) == {"COMPLETE"}
    assert bench.fits < 3 * len(states)
    assert optuna.logging.get_verbosity() == said


def test_a_half_life_changes_the_search(table: pd.DataFrame, chosen: bytes, tmp_path: Path) -> None:
    assert json.loads(tuned(table, tmp_path, half_life=2.0))["start_loss"] != json.loads(chosen)["start_loss"]


def test_data_without_dates_are_cut_by_id_and_begin_with_their_own_settings(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rng.normal(size=(300, len(GERMAN.feature_names))), columns=list(GERMAN.feature_names))
    frame = frame.assign(_month=0, _application_id=np.arange(300), _defaulted=rng.random(300) < 0.3)
    found = json.loads(tuned(frame, tmp_path, spec=GERMAN.name, trials=1))
    assert found["params"] == TREE_PARAMS | GERMAN_PARAMS
    assert sum(fold["rows_judged"] for fold in found["folds"]) == 240  # each once; every fifth row is held out


def test_no_trial_leaves_the_space(chosen: bytes) -> None:
    for trial in json.loads(chosen)["trials"]:
        for name, (low, high, _) in SPACE.items():
            assert low <= trial["params"][name] <= high


@pytest.mark.parametrize(("count", "folds", "gap"), [(7, 3, 0), (12, 3, 0), (24, 3, 3), (9, 4, 2), (2, 1, 0)])
def test_folds_judge_later_months_than_they_train_on(count: int, folds: int, gap: int) -> None:
    frame = months(count)
    cut = time_folds(frame, folds, gap)
    month = frame["_month"].to_numpy()
    assert len(cut) == folds
    for fold in cut:
        assert month[fold.train].max() == month[fold.judge].min() - gap - 1
        assert month[fold.train].min() == 0
    judged = np.sum([fold.judge for fold in cut], axis=0)
    assert judged.max() == 1
    assert judged[month == count - 1].all()


@pytest.mark.parametrize(("count", "folds", "gap"), [(3, 3, 0), (1, 1, 0), (5, 3, 2), (6, 3, 3)])
def test_too_few_months_are_refused(count: int, folds: int, gap: int) -> None:
    with pytest.raises(LakeError, match=f"{count} months of labels.*take a longer window, or fewer folds"):
        time_folds(months(count), folds, gap)


def test_a_bad_matrix_ends_in_a_clear_error_and_nothing_is_written(tmp_path: Path) -> None:
    with pytest.raises(LakeError, match="3 months of labels to search"):
        tuned(months(5), tmp_path)
    one_kind = months(7)
    one_kind.loc[one_kind["_month"] == 4, "_defaulted"] = False
    with pytest.raises(LakeError, match="month 4: the 60 rows to judge hold 0 defaults"):
        tuned(one_kind, tmp_path)
    with pytest.raises(ValueError, match="trials must be 1 or more, not 0"):
        tuned(months(7), tmp_path, trials=0)
    assert not (tmp_path / "chosen.json").exists()
