import os
from pathlib import Path

import numpy as np
import onnx
import pytest

from oakbank.deploy import onnx_runtime
from oakbank.deploy.onnx_runtime import MAX_DIFFERENCE, OnnxModel, threshold_probe
from oakbank.pipelines import CreditModel, ModelError, feature_matrix
from oakbank.world import World


def _model(seed: int = 0) -> CreditModel:
    world = World(seed, "stormy")
    matrix = feature_matrix(world.applications(-1))
    return CreditModel.fit(matrix, world.truth(-1)["would_default"], seed=seed)


@pytest.fixture(scope="module")
def model() -> CreditModel:
    return _model()


@pytest.fixture(scope="module")
def converted(model: CreditModel) -> OnnxModel:
    return OnnxModel.from_model(model)


@pytest.mark.parametrize("month", [-1, 4, 12, 20])  # seen, broken feed, new channel, recession
def test_it_agrees_with_the_booster(model: CreditModel, converted: OnnxModel, month: int) -> None:
    applications = World(5, "stormy").applications(month)
    assert np.abs(converted.predict(applications) - model.predict(applications)).max() < MAX_DIFFERENCE


def test_it_agrees_on_every_split_and_on_odd_values(model: CreditModel, converted: OnnxModel) -> None:
    probe = threshold_probe(model)
    odd = np.repeat(feature_matrix(World(5).applications(0).head(5)), 3, axis=0)
    odd[0::3, 4], odd[1::3, 1], odd[2::3, 6] = np.nan, np.inf, -1e30
    for matrix in (probe, odd, probe[:1], probe[:0]):
        answer = converted.predict_matrix(matrix)
        assert answer.shape == (len(matrix),)
        assert np.abs(answer - model.predict_matrix(matrix)).max(initial=0) < MAX_DIFFERENCE


def test_a_conversion_that_rounds_thresholds_to_the_nearest_is_refused(
    model: CreditModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(onnx_runtime, "_rounded_down", lambda booster: booster)
    with pytest.raises(ModelError, match=r"differs from the booster by up to 0.*serve the booster"):
        OnnxModel.from_model(model)


def test_rounding_thresholds_down_changes_no_answer(model: CreditModel) -> None:
    probe = threshold_probe(model)
    rounded = onnx_runtime._rounded_down(model.booster)
    assert np.array_equal(rounded.predict(probe, num_threads=1), model.predict_matrix(probe))


def test_saved_and_loaded_it_is_the_same(model: CreditModel, converted: OnnxModel, tmp_path: Path) -> None:
    converted.save(tmp_path / "deep" / "model.onnx")
    loaded = OnnxModel.load(tmp_path / "deep" / "model.onnx")
    assert loaded.content == converted.content == OnnxModel.from_model(model).content
    assert loaded.digest == model.digest
    assert loaded.difference == converted.difference < MAX_DIFFERENCE
    probe = threshold_probe(model)
    assert np.array_equal(loaded.predict_matrix(probe), converted.predict_matrix(probe))
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["model.onnx"]


def test_what_is_no_model_of_ours_is_refused(converted: OnnxModel, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="convert one first"):
        OnnxModel.load(tmp_path / "none.onnx")
    for damaged in (b"", b"not onnx", converted.content[: len(converted.content) // 2]):
        with pytest.raises(ModelError, match="convert it"):
            OnnxModel.from_bytes(damaged)
    foreign = onnx.load_from_string(converted.content)
    del foreign.metadata_props[:]
    with pytest.raises(ModelError, match="names no data set"):
        OnnxModel.from_bytes(foreign.SerializeToString())


def test_a_matrix_of_other_features_is_an_error(converted: OnnxModel) -> None:
    with pytest.raises(Exception, match=r"(?i)dimension"):
        converted.predict_matrix(np.zeros((3, 5), dtype=np.float32))


def test_a_full_disk_leaves_the_old_file(converted: OnnxModel, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes(b"old")

    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        converted.save(path)
    assert [p.name for p in tmp_path.iterdir()] == ["model.onnx"]
    assert path.read_bytes() == b"old"
