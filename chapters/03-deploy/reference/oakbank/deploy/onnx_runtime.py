"""The credit model as an ONNX graph: a format that many runtimes read and that holds no code."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import lightgbm as lgb
import numpy as np
import onnxruntime
import pandas as pd
from numpy.typing import NDArray

from oakbank.pipelines import CreditModel, DataSpec, ModelError, feature_matrix
from oakbank.pipelines.model import SPECS
from oakbank.world.files import whole

MAX_DIFFERENCE = 1e-5
"""Largest difference in default probability, over the probe rows, at which a conversion counts as faithful."""
_THRESHOLD = "threshold="


@dataclass(frozen=True)
class OnnxModel:
    """A converted model, running in ONNX Runtime on one thread. Make it with `from_model` or `load`."""

    content: bytes
    """The ONNX file; its metadata hold the digest of the `CreditModel` and the name of its data set."""
    spec: DataSpec
    digest: str
    """Digest of the `CreditModel` that it was made from."""
    difference: float
    """Largest difference from the booster, as measured at conversion."""
    session: Any

    @classmethod
    def from_model(cls, model: CreditModel) -> "OnnxModel":
        """Convert a model and check that both give the same answers.

        Raises:
            ModelError: Some probe row gets a probability that differs by `MAX_DIFFERENCE` or more.
        """
        # Imported late: a service that loads a converted model needs no converter.
        from onnxmltools import convert_lightgbm
        from onnxmltools.convert.common.data_types import FloatTensorType

        graph = convert_lightgbm(
            _rounded_down(model.booster),
            name="oakbank",
            initial_types=[("features", FloatTensorType([None, len(model.spec.feature_names)]))],
            zipmap=False,
        )
        probe = threshold_probe(model)
        expected = model.predict_matrix(probe)
        session = _session(graph.SerializeToString())
        difference = float(np.abs(_run(session, probe) - expected).max())
        if not difference < MAX_DIFFERENCE:
            raise ModelError(
                f"the ONNX model differs from the booster by up to {difference:.2g} in probability, "
                f"{MAX_DIFFERENCE:g} is allowed: serve the booster, and look for a split that float32 cannot hold"
            )
        for key, value in {"digest": model.digest, "spec": model.spec.name, "difference": repr(difference)}.items():
            graph.metadata_props.add(key=key, value=value)
        return cls.from_bytes(graph.SerializeToString())

    @classmethod
    def from_bytes(cls, content: bytes) -> "OnnxModel":
        """Make the model from the bytes of a file that `save` wrote.

        Raises:
            ModelError: The bytes are damaged, or are of a model that `from_model` did not make.
        """
        try:
            session = _session(content)
            found = session.get_modelmeta().custom_metadata_map  # damaged, it is no UTF-8
        except Exception as error:  # ONNX Runtime's own errors have no common base but this one
            raise ModelError(f"not a whole ONNX model ({error}): convert it again") from None
        spec = SPECS.get(found.get("spec", ""))
        if spec is None or session.get_inputs()[0].shape[-1:] != [len(spec.feature_names)]:
            raise ModelError("the ONNX model names no data set of this code: convert it with OnnxModel.from_model")
        try:
            return cls(content, spec, found["digest"], float(found["difference"]), session)
        except (KeyError, ValueError) as error:
            raise ModelError(f"the ONNX model lacks its digest or difference ({error}): convert it again") from None

    @classmethod
    def load(cls, path: str | Path) -> "OnnxModel":
        """Read a model that `save` wrote.

        Raises:
            ModelError: The file is missing, or as in `from_bytes`.
        """
        path = Path(path)
        if not path.is_file():
            raise ModelError(f"no ONNX model at {path}: convert one first")
        return cls.from_bytes(path.read_bytes())

    def save(self, path: str | Path) -> None:
        """Write the model whole or not at all."""
        with whole(Path(path)) as stream:
            stream.write(self.content)

    def predict(self, applications: pd.DataFrame) -> NDArray[np.float64]:
        """Return the default probability of each application, shape (n,)."""
        return self.predict_matrix(feature_matrix(applications, self.spec))

    def predict_matrix(self, matrix: NDArray[np.float32]) -> NDArray[np.float64]:
        """Return default probabilities from ready features.

        Args:
            matrix: From `feature_matrix`, shape (n, len(spec.feature_names)), float32.

        Returns:
            Shape (n,).
        """
        return _run(self.session, matrix)


def _session(content: bytes) -> Any:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])


def _run(session: Any, matrix: NDArray[np.float32]) -> NDArray[np.float64]:
    return np.asarray(session.run(["probabilities"], {"features": matrix})[0][:, 1], dtype=np.float64)


def _rounded_down(booster: lgb.Booster) -> lgb.Booster:
    """Return the same model with thresholds that float32 holds exactly.

    LightGBM compares in double precision, ONNX in single. Rounded to the nearest, a threshold between two
    neighbouring float32 values can land on the upper one, which then goes left instead of right. Rounded down,
    `x <= threshold` answers the same for every float32 `x`.
    """
    lines = []
    for line in booster.model_to_string(num_iteration=-1).splitlines():
        if line.startswith("tree_sizes="):
            continue  # the lengths of the trees' texts, which no longer fit; LightGBM does without
        if line.startswith(_THRESHOLD):
            exact = np.array(line.removeprefix(_THRESHOLD).split(), dtype=np.float64)
            single = exact.astype(np.float32)
            down = np.where(single > exact, np.nextafter(single, np.float32(-np.inf)), single)
            line = _THRESHOLD + " ".join(repr(float(value)) for value in down)
        lines.append(line)
    return lgb.Booster(model_str="\n".join(lines) + "\n")


def threshold_probe(model: CreditModel) -> NDArray[np.float32]:
    """Return rows that sit on, just below and just above every split of a model: where a conversion goes wrong.

    Returns:
        Shape (3 * splits + 1, features), float32. The other features of each row are those of other splits, mixed.
    """
    trees = model.booster.trees_to_dataframe()
    splits = trees[trees["split_feature"].notna()]
    names = {name: position for position, name in enumerate(model.spec.feature_names)}
    column = splits["split_feature"].map(names).to_numpy(dtype=np.int64)
    value = splits["threshold"].to_numpy(dtype=np.float64).astype(np.float32)
    rng = np.random.default_rng(0)
    rows = np.zeros((3 * len(splits) + 1, len(names)), dtype=np.float32)
    for position in range(len(names)):
        mine = value[column == position]
        if len(mine):
            rows[:, position] = rng.choice(mine, len(rows))
    below, above = np.nextafter(value, np.float32(-np.inf)), np.nextafter(value, np.float32(np.inf))
    rows[np.arange(3 * len(splits)), np.tile(column, 3)] = np.concatenate([value, below, above])
    return rows
