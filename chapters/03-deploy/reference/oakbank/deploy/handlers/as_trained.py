"""The model as it was trained."""

import numpy as np

from oakbank.pipelines import CreditModel

model = CreditModel.load("model.txt")


def handler(event: dict[str, list[float]], context: object) -> float:
    """Return the default probability of one row of `feature_matrix`."""
    row = np.array([event["features"]], dtype=np.float32)
    return float(model.predict_matrix(row)[0])
