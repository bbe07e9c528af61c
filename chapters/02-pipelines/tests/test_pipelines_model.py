"""A model file loads to the same model, or not at all."""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from oakbank.pipelines import FEATURE_NAMES, CreditModel, DataSpec, ModelError, TrainingRun, feature_matrix, grant
from oakbank.world import World, break_even


@pytest.fixture(scope="module")
def applications() -> pd.DataFrame:
    return World(3, "calm").applications(0).head(200)


def fit(seed: int = 0) -> CreditModel:
    world = World(3, "calm")
    return CreditModel.fit(feature_matrix(world.applications(0)), world.truth(0)["would_default"], seed=seed, rounds=20)


def test_a_saved_model_loads_to_the_same_answers(tmp_path: Path, applications: pd.DataFrame) -> None:
    model = fit()
    model.save(tmp_path / "model.txt")
    loaded = CreditModel.load(tmp_path / "model.txt")
    assert loaded.predict(applications).tobytes() == model.predict(applications).tobytes()
    assert loaded.digest == model.digest == hashlib.sha256((tmp_path / "model.txt").read_bytes()).hexdigest()
    assert CreditModel.load(tmp_path / "model.txt", model.digest).text() == model.text()
    loaded.save(tmp_path / "again.txt")
    assert (tmp_path / "again.txt").read_bytes() == (tmp_path / "model.txt").read_bytes()


def test_the_seed_decides_the_model() -> None:
    assert fit().digest == fit().digest
    assert fit(seed=1).digest != fit().digest


def test_predictions_are_probabilities_alike_alone_and_together(
    trained: TrainingRun, applications: pd.DataFrame
) -> None:
    model = trained.model()
    batch = model.predict(applications)
    assert ((batch > 0) & (batch < 1)).all()
    alone = [model.predict(applications.iloc[[position]])[0] for position in range(50)]
    assert alone == batch[:50].tolist()


def test_a_model_without_a_split_is_still_a_model(tmp_path: Path, applications: pd.DataFrame) -> None:
    params = {"min_data_in_leaf": 10_000}
    CreditModel.fit(feature_matrix(applications), np.arange(200) % 4 == 0, rounds=3, params=params).save(
        tmp_path / "model.txt"
    )
    assert CreditModel.load(tmp_path / "model.txt").predict(applications) == pytest.approx(np.full(200, 0.25))


@pytest.mark.parametrize("kept", [0, 1, 500, 5_000, 0.3, 0.9, -200])
def test_a_truncated_file_is_not_a_model(trained: TrainingRun, tmp_path: Path, kept: float) -> None:
    content = trained.model_path.read_bytes()
    cut = int(kept * len(content)) if isinstance(kept, float) else int(kept)
    (tmp_path / "model.txt").write_bytes(content[:cut])
    with pytest.raises(ModelError, match=r"model\.txt is not a whole LightGBM model"):
        CreditModel.load(tmp_path / "model.txt")


@pytest.mark.parametrize("content", [b"", b"hello", b"\xff\xfe\x00" * 100, b"tree\ntree_sizes=5\n\nTree=0\nx"])
def test_what_is_not_lightgbm_is_not_a_model(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.txt").write_bytes(content)
    with pytest.raises(ModelError, match="not a whole LightGBM model"):
        CreditModel.load(tmp_path / "model.txt")


def test_lines_lost_or_added_inside_a_tree_are_found_before_lightgbm_aborts(
    trained: TrainingRun, tmp_path: Path
) -> None:
    content = trained.model_path.read_bytes()
    middle = content.index(b"\nthreshold=", len(content) // 2)
    for changed in (content[:middle] + content[middle + 30 :], content[:middle] + b" 9" + content[middle:]):
        (tmp_path / "model.txt").write_bytes(changed)
        with pytest.raises(ModelError, match="not a whole LightGBM model"):
            CreditModel.load(tmp_path / "model.txt")


def test_one_changed_digit_is_found_by_the_digest(trained: TrainingRun, tmp_path: Path) -> None:
    content = trained.model_path.read_bytes()
    digit = content.index(b"leaf_value=") + len(b"leaf_value=-0.1")
    other = b"1" if content[digit : digit + 1] != b"1" else b"2"
    (tmp_path / "model.txt").write_bytes(content[:digit] + other + content[digit + 1 :])
    with pytest.raises(ModelError, match="not the model that is wanted"):
        CreditModel.load(tmp_path / "model.txt", trained.model().digest)


def test_a_model_of_other_features_is_refused(tmp_path: Path) -> None:
    other = DataSpec("other", tuple(f"x{position}" for position in range(len(FEATURE_NAMES))), {})
    rng = np.random.default_rng(0)
    matrix = rng.normal(size=(300, len(FEATURE_NAMES))).astype(np.float32)
    CreditModel.fit(matrix, matrix[:, 0] > 0, spec=other, rounds=2).save(tmp_path / "model.txt")
    with pytest.raises(ModelError, match="trained on other features"):
        CreditModel.load(tmp_path / "model.txt")


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"no model at .*train one first"):
        CreditModel.load(tmp_path / "model.txt")


def test_a_loan_is_granted_below_its_break_even_only() -> None:
    amount, term = np.full(3, 10_000.0), np.full(3, 36)
    limit = break_even(amount, term)
    assert grant(limit + np.array([-1e-9, 0, 1e-9]), amount, term).tolist() == [True, False, False]
    assert not grant([float("nan")], [10_000.0], [36]).any()
