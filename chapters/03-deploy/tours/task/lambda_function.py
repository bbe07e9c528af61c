"""The handler that AWS Lambda would be given, beside `model.onnx`."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime

MODEL = Path(os.environ["LAMBDA_TASK_ROOT"]) / "model.onnx"
session = onnxruntime.InferenceSession(MODEL, providers=["CPUExecutionProvider"])


def lambda_handler(event: dict[str, Any], context: Any) -> dict[str, float]:
    """Score one application: features in, default probability out."""
    row = np.array([event["features"]], dtype=np.float32)
    return {"default_probability": float(session.run(["probabilities"], {"features": row})[0][0, 1])}
