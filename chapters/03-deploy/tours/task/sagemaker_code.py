"""The inference code that a SageMaker model would carry as `code/inference.py`, beside `model.onnx`."""

from pathlib import Path
from typing import Any

import onnxruntime


def model_fn(model_dir: str) -> Any:
    """Load the model."""
    return onnxruntime.InferenceSession(Path(model_dir) / "model.onnx", providers=["CPUExecutionProvider"])


def predict_fn(data: Any, model: Any) -> Any:
    """Return default probabilities of the rows that the toolkit's `input_fn` has read."""
    return model.run(["probabilities"], {"features": data.astype("float32")})[0][:, 1]
