"""The predictor of a custom prediction routine, which Google's server loads and calls."""

from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from google.cloud.aiplatform.prediction.predictor import Predictor
from google.cloud.aiplatform.utils import prediction_utils


class CreditPredictor(Predictor):
    """Scores rows of features with `model.onnx` among the artefacts of the model."""

    def load(self, artifacts_uri: str) -> None:
        """Load the model; `artifacts_uri` is a folder or a bucket, such as `gs://oakbank/model`."""
        prediction_utils.download_model_artifacts(artifacts_uri)
        self.session = onnxruntime.InferenceSession(Path("model.onnx"), providers=["CPUExecutionProvider"])

    def preprocess(self, prediction_input: dict[str, Any]) -> Any:
        """Return the rows of a request."""
        return np.array(prediction_input["instances"], dtype=np.float32)

    def predict(self, instances: Any) -> Any:
        """Return default probabilities."""
        return self.session.run(["probabilities"], {"features": instances})[0][:, 1]

    def postprocess(self, prediction_results: Any) -> dict[str, list[float]]:
        """Return what the answer holds."""
        return {"predictions": [float(one) for one in prediction_results]}
