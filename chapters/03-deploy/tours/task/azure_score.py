"""The scoring script of an online deployment of Azure ML, its `score.py`; `model.onnx` is its model."""

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

session: Any = None


def init() -> None:
    """Load the model, once for each worker."""
    global session
    model = Path(os.environ["AZUREML_MODEL_DIR"]) / "model.onnx"
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])


def run(raw_data: str) -> dict[str, list[float]]:
    """Score applications: features in, default probabilities out."""
    rows = np.array(json.loads(raw_data)["rows"], dtype=np.float32)
    found = session.run(["probabilities"], {"features": rows})[0][:, 1]
    return {"default_probabilities": [float(one) for one in found]}
