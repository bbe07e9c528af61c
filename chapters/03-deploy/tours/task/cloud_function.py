"""The function that Cloud Run functions would be given as `main.py`, beside `model.onnx`."""

from pathlib import Path
from typing import Any

import functions_framework
import numpy as np
import onnxruntime

MODEL = Path(__file__).with_name("model.onnx")
session = onnxruntime.InferenceSession(MODEL, providers=["CPUExecutionProvider"])


@functions_framework.http
def score(request: Any) -> dict[str, list[float]]:
    """Score applications: features in, default probabilities out; `request` is Flask's."""
    rows = np.array(request.get_json()["rows"], dtype=np.float32)
    found = session.run(["probabilities"], {"features": rows})[0][:, 1]
    return {"default_probabilities": [float(one) for one in found]}
