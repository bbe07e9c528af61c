"""A training run sees what was known by its month and nothing else, and is the same bytes every time."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oakbank.pipelines import ModelError, TrainingConfig, TrainingRun, evaluate_model, run_training
from oakbank.pipelines.steps import ingest, train
from oakbank.pipelines.training import REFERENCE_MONTHS, lake_inputs
from oakbank.world import Lake, LakeError, World, publish_month, publish_outcomes
from oakbank.world.lake import read_parquet, write_parquet

QUICK = TrainingConfig(rounds=5)


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def test_two_runs_in_two_folders_are_the_same_bytes(trained: TrainingRun, history: Lake, tmp_path: Path) -> None:
    again = run_training(trained.config, Lake(str(history.folder)), tmp_path / "again")
    assert files(again.folder) == files(trained.folder)
    assert (again.evaluation, again.data_hash, again.code_hash) == (
        trained.evaluation,
        trained.data_hash,
        trained.code_hash,
    )


def test_a_second_run_runs_no_step(history: Lake, tmp_path: Path) -> None:
    first = run_training(QUICK, history, tmp_path)
    before = files(tmp_path)
    second = run_training(QUICK, history, tmp_path)
    assert first.ran == ("ingest", "validate", "features", "train", "evaluate", "assess")
    assert second == replace(first, ran=())
    assert files(tmp_path) == before


def test_a_changed_setting_runs_the_later_steps_only(history: Lake, tmp_path: Path) -> None:
    run_training(QUICK, history, tmp_path)
    assert run_training(replace(QUICK, seed=1), history, tmp_path).ran == ("train", "evaluate", "assess")
    assert run_training(replace(QUICK, seed=1, params={"num_leaves": 3}), history, tmp_path).ran[0] == "train"
    assert run_training(replace(QUICK, window=5), history, tmp_path).ran[0] == "ingest"


def test_a_step_with_an_unchanged_result_stops_the_chain(lake: Lake, tmp_path: Path) -> None:
    run_training(QUICK, lake, tmp_path / "run")
    outcomes = lake.read("outcomes", [-1])
    lake.write("outcomes", -1, outcomes.assign(profit=0.0))  # other bytes, which no step uses
    assert run_training(QUICK, lake, tmp_path / "run").ran == ("ingest",)
    lake.write("outcomes", -1, outcomes.assign(defaulted=~outcomes["defaulted"]))
    assert run_training(QUICK, lake, tmp_path / "run").ran[-1] == "assess"


@pytest.mark.parametrize(
    "artefact",
    [
        "ingest/labelled.parquet", "ingest/feed.json", "validate/accepted.parquet", "validate/quarantined.parquet",
        "validate/report.json", "features/matrix.parquet", "train/model.txt", "train/candidate.txt",
        "evaluate/evaluation.json", "evaluate/holdout.parquet", "assess/assessment.json",
    ],
)  # fmt: skip
def test_a_damaged_artefact_is_made_again(trained: TrainingRun, history: Lake, artefact: str) -> None:
    path = trained.folder / artefact
    whole = files(trained.folder)
    path.write_bytes(path.read_bytes()[:-3])
    run = run_training(trained.config, history, trained.folder)
    assert run.ran == (artefact.partition("/")[0],)
    assert files(trained.folder) == whole


# ---- nothing from the future ----


def test_what_comes_in_as_of_month_or_later_changes_nothing(
    small_world: World, trained: TrainingRun, lake: Lake
) -> None:
    for month in range(0, 3):
        publish_month(small_world, lake, month)
        publish_outcomes(small_world, lake, month)
    later = run_training(trained.config, lake, lake.folder.parent / "later")
    assert files(later.folder) == files(trained.folder)
    for month in range(0, 3):
        lake.path("outcomes", month).write_bytes(b"not even readable")
        lake.path("applications", month).write_bytes(b"not even readable")
    assert run_training(trained.config, lake, lake.folder.parent / "later").ran == ()


def test_applications_too_young_to_have_outcomes_are_not_read(trained: TrainingRun, lake: Lake) -> None:
    for month in (-3, -2, -1):
        lake.path("applications", month).write_bytes(b"not even readable")
    assert files(run_training(trained.config, lake, lake.folder.parent / "run").folder) == files(trained.folder)


def test_an_outcome_in_an_early_file_that_was_known_later_is_left_out(lake: Lake, tmp_path: Path) -> None:
    outcomes = lake.read("outcomes", [-1])
    early = outcomes.assign(known_month=outcomes["known_month"].where(np.arange(len(outcomes)) % 2 == 0, 0))
    lake.write("outcomes", -1, early.astype({"known_month": "int16"}))
    labelled = read_parquet(run_training(QUICK, lake, tmp_path / "run").folder / "ingest" / "labelled.parquet")
    known = set(labelled.loc[labelled["month"] == -4, "application_id"])
    assert known == set(outcomes["application_id"][::2])


@given(
    as_of=st.integers(-12, 30),
    window=st.integers(1, 40),
    delay=st.integers(1, 6),
    months=st.sets(st.integers(-12, 30), max_size=40),
)
def test_no_input_is_younger_than_its_month_allows(
    tmp_path_factory: pytest.TempPathFactory, as_of: int, window: int, delay: int, months: set[int]
) -> None:
    lake = Lake(tmp_path_factory.mktemp("lake"))
    for kind in ("applications", "outcomes"):
        (lake.folder / kind).mkdir()
    for month in months:
        lake.path("applications", month).touch()
        lake.path("outcomes", month + delay).touch()
    wanted = sorted(m for m in months if as_of - delay - window <= m < as_of - delay)
    config = TrainingConfig(as_of=as_of, window=window)
    if not wanted:
        with pytest.raises(LakeError, match="no outcomes known before month"):
            lake_inputs(lake, config, delay)
        return
    inputs = lake_inputs(lake, config, delay)
    assert inputs["applications"] == [lake.path("applications", month) for month in wanted]
    assert inputs["outcomes"] == [lake.path("outcomes", month + delay) for month in wanted]
    first = as_of - delay - window
    assert inputs["earlier"] == [
        lake.path("applications", m) for m in sorted(months) if first - REFERENCE_MONTHS <= m < wanted[0]
    ]


def test_the_hold_out_is_the_last_months_which_the_candidate_never_saw(
    trained: TrainingRun, lake: Lake, tmp_path: Path
) -> None:
    assert set(trained.holdout()["month"]) == {-5, -4}
    # Other outcomes in the hold-out: the candidate is the same, the model to deploy is not.
    for month in (-2, -1):
        outcomes = lake.read("outcomes", [month])
        lake.write("outcomes", month, outcomes.assign(defaulted=~outcomes["defaulted"]))
    other = run_training(trained.config, lake, tmp_path / "other")
    assert other.candidate().digest == trained.candidate().digest
    assert other.model().digest != trained.model().digest
    assert evaluate_model(trained.candidate(), trained.holdout()) == trained.evaluation
    kept = run_training(replace(trained.config, refit=False), lake, tmp_path / "other")
    assert kept.model_path.read_bytes() == kept.candidate_path.read_bytes()


# ---- late, repeated and corrected data ----


def test_an_application_delivered_twice_counts_once(trained: TrainingRun, lake: Lake, tmp_path: Path) -> None:
    month = lake.read("applications", [-6])
    lake.write("applications", -6, pd.concat([month, month.head(200)], ignore_index=True))
    run = run_training(trained.config, lake, tmp_path / "run")
    assert run.data_hash == trained.data_hash
    quarantined = read_parquet(run.folder / "validate" / "quarantined.parquet")
    assert set(quarantined["reason"]) == {"duplicated application_id"}
    assert set(quarantined["application_id"]) <= set(month["application_id"].head(200))


def test_the_last_word_on_an_outcome_counts(lake: Lake, tmp_path: Path) -> None:
    first = lake.read("outcomes", [-3])
    corrected = first.head(50).assign(known_month=np.int16(-1))
    corrected["defaulted"] = ~corrected["defaulted"]
    lake.write("outcomes", -1, pd.concat([lake.read("outcomes", [-1]), corrected], ignore_index=True))
    labelled = read_parquet(run_training(QUICK, lake, tmp_path / "run").folder / "ingest" / "labelled.parquet")
    found = labelled.set_index("application_id").loc[first["application_id"], "defaulted"]
    assert found[:50].tolist() == corrected["defaulted"].tolist()
    assert found[50:].tolist() == first["defaulted"][50:].tolist()


def test_an_outcome_that_nobody_knows_is_no_label(lake: Lake, tmp_path: Path) -> None:
    outcomes = lake.read("outcomes", [-1])
    unknown = outcomes["defaulted"].astype(object).where(np.arange(len(outcomes)) >= 10, None)
    lake.write("outcomes", -1, outcomes.assign(defaulted=unknown))
    labelled = read_parquet(run_training(QUICK, lake, tmp_path / "run").folder / "ingest" / "labelled.parquet")
    assert not set(outcomes["application_id"][:10]) & set(labelled["application_id"])
    assert labelled["defaulted"].dtype == bool


# ---- errors ----


@pytest.mark.parametrize("kind", ["applications", "outcomes"])
def test_a_truncated_month_is_named(kind: str, lake: Lake, tmp_path: Path) -> None:
    path = next((lake.folder / kind).glob("month=-006.parquet"))
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(LakeError, match=rf"{kind}.month=-006\.parquet cannot be read.*truncated") as error:
        run_training(QUICK, lake, tmp_path / "run")
    assert "step ingest" in error.value.__notes__[0]
    assert [path.name for path in (tmp_path / "run").iterdir()] == [".lock"]


def test_a_month_that_is_gone_is_named(lake: Lake, tmp_path: Path) -> None:
    lake.path("applications", -6).unlink()
    with pytest.raises(LakeError, match=r"month=-006\.parquet is missing, although its outcomes are there"):
        run_training(QUICK, lake, tmp_path / "run")


def test_without_enough_months_the_error_says_so(history: Lake, tmp_path: Path) -> None:
    with pytest.raises(LakeError, match="no outcomes known before month -9: publish history first"):
        run_training(replace(QUICK, as_of=-9), history, tmp_path)
    with pytest.raises(LakeError, match="2 months of labels, 2 wanted for the hold-out alone"):
        run_training(replace(QUICK, window=2), history, tmp_path)
    with pytest.raises(LakeError, match="1 months of labels, 1 wanted"):
        run_training(replace(QUICK, window=1, holdout=1), history, tmp_path)
    with pytest.raises(LakeError, match="no outcomes known"):
        run_training(QUICK, Lake(tmp_path / "empty"), tmp_path)


@pytest.mark.parametrize("wrong", [{"window": 0}, {"holdout": 0}, {"rounds": -1}, {"half_life": 0.0}, {"trials": -1}])
def test_settings_that_make_no_sense_are_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=f"{next(iter(wrong))} must be"):
        TrainingConfig(**wrong)  # type: ignore[arg-type]


def test_a_search_decides_the_settings_and_nothing_else(trained: TrainingRun, history: Lake, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="params and trials exclude each other"):
        TrainingConfig(trials=2, params={"num_leaves": 3})
    config = TrainingConfig(trials=2)
    tuned = run_training(config, history, tmp_path)
    assert tuned.ran == ("ingest", "validate", "features", "tune", "train", "evaluate", "assess")
    assert tuned.data_hash == trained.data_hash
    chosen = json.loads((tmp_path / "tune" / "chosen.json").read_text())
    by_hand = replace(config, trials=0, params=chosen["params"], rounds=chosen["rounds"])
    model = tuned.model_path.read_bytes()
    assert model == run_training(by_hand, history, tmp_path / "by-hand").model_path.read_bytes()
    assert model != trained.model_path.read_bytes() or by_hand.rounds == trained.config.rounds
    assert run_training(config, history, tmp_path).ran == ()
    assert run_training(replace(config, trials=3), history, tmp_path).ran[0] == "tune"


def test_the_assessment_is_of_the_hold_out_and_the_candidate(trained: TrainingRun) -> None:
    found = json.loads(trained.assessment_path.read_text(encoding="utf-8"))
    assert found["rows"] == trained.evaluation.rows
    assert found["ranking"]["auc"] == pytest.approx(trained.evaluation.auc)
    assert found["cost"]["break_even"]["profit"] == pytest.approx(trained.evaluation.profit)


def test_outcomes_of_one_kind_cannot_be_evaluated(lake: Lake, tmp_path: Path) -> None:
    for month in (-2, -1):
        lake.write("outcomes", month, lake.read("outcomes", [month]).assign(defaulted=False))
    with pytest.raises(ValueError, match=r"rows with 0 defaults: give a hold-out that has both"):
        run_training(QUICK, lake, tmp_path / "run")


def test_a_run_whose_folder_was_used_again_says_so(history: Lake, tmp_path: Path) -> None:
    first = run_training(QUICK, history, tmp_path)
    digest = first.model().digest
    second = run_training(replace(QUICK, seed=5, params={"num_leaves": 4}), history, tmp_path)
    assert second.model().digest != digest
    with pytest.raises(ModelError, match="not the model that is wanted"):
        first.model()
    with pytest.raises(ModelError, match="not the model that is wanted"):
        first.candidate()


# ---- weights and measures ----


def test_old_rows_count_less_with_a_half_life(trained: TrainingRun, tmp_path: Path) -> None:
    matrix = trained.folder / "features" / "matrix.parquet"
    table = read_parquet(matrix)
    train(matrix, tmp_path / "even", tmp_path / "_", rounds=5)
    train(matrix, tmp_path / "long", tmp_path / "_", rounds=5, half_life=1e12)
    train(matrix, tmp_path / "short", tmp_path / "_", rounds=5, half_life=0.01)
    assert (tmp_path / "even").read_bytes() == (tmp_path / "long").read_bytes()
    # So short a half-life leaves the last month alone: the others may hold anything.
    old = table["_month"] < table["_month"].max()
    write_parquet(table.assign(_defaulted=table["_defaulted"] ^ old), tmp_path / "other.parquet")
    train(tmp_path / "other.parquet", tmp_path / "other", tmp_path / "_", rounds=5, half_life=0.01)
    models = [(tmp_path / name).read_text().partition("\nTree=0\n")[2] for name in ("short", "other", "even")]
    assert models[0].count("leaf_value") == 5
    assert models[0] != models[2]
    values = [[line for line in model.splitlines() if line.startswith("leaf_value=")] for model in models]
    assert values[0] == values[1]


def test_measures_are_of_the_model_and_the_money(trained: TrainingRun) -> None:
    measured, rows = trained.evaluation, trained.holdout()
    assert measured.rows == len(rows)
    assert measured.default_rate == pytest.approx(rows["defaulted"].mean())
    assert 0.6 < measured.auc < 0.9
    assert measured.brier < rows["defaulted"].var()
    assert measured.approved_default_rate < measured.default_rate
    assert measured.mean_probability == pytest.approx(measured.default_rate, abs=0.05)
    share = (rows["group"] == "A").mean()
    by_group = measured.approval_by_group
    assert measured.approval_rate == pytest.approx(share * by_group["A"] + (1 - share) * by_group["B"])
    flat = measured.metrics()
    assert flat["approval_rate_A"] == by_group["A"]
    assert all(isinstance(value, float) for value in flat.values())
    saved = json.loads((trained.folder / "evaluate" / "evaluation.json").read_text())
    assert saved["auc"] == measured.auc


def test_ingest_joins_what_it_is_given(history: Lake, tmp_path: Path) -> None:
    ingest([history.path("applications", -8)], [history.path("outcomes", -5)], tmp_path / "labelled.parquet")
    labelled, outcomes = read_parquet(tmp_path / "labelled.parquet"), history.read("outcomes", [-5])
    assert labelled["application_id"].tolist() == sorted(outcomes["application_id"])
    with pytest.raises(LakeError, match="no outcome is known for these months yet"):
        ingest([history.path("applications", -8)], [history.path("outcomes", -4)], tmp_path / "labelled.parquet")
