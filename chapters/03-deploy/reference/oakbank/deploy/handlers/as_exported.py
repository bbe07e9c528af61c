"""The same model, exported."""

import numpy as np
import onnxruntime

session = onnxruntime.InferenceSession("model.onnx", providers=["CPUExecutionProvider"])


def handler(event: dict[str, list[float]], context: object) -> float:
    """Return the default probability of one row of `feature_matrix`."""
    row = np.array([event["features"]], dtype=np.float32)
    return float(session.run(["probabilities"], {"features": row})[0][0, 1])
