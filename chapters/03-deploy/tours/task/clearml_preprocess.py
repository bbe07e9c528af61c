"""The code of an endpoint of ClearML Serving with the engine `custom`: one object for each process."""

import os
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime


class Preprocess:
    """What ClearML Serving calls, in this order: `load` once, then the other three for each request."""

    def load(self, local_file_name: str | None) -> Any:
        """Load the model; without a ClearML server there is no model id, and so no file name."""
        path = Path(local_file_name or os.environ["OAKBANK_MODEL"])
        self.session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        return self.session

    def preprocess(self, body: dict[str, Any], state: dict[str, Any], collect_custom_statistics_fn: Any = None) -> Any:
        """Return the rows of a request."""
        return np.array(body["rows"], dtype=np.float32)

    def process(self, data: Any, state: dict[str, Any], collect_custom_statistics_fn: Any = None) -> Any:
        """Return default probabilities."""
        return self.session.run(["probabilities"], {"features": data})[0][:, 1]

    def postprocess(self, data: Any, state: dict[str, Any], collect_custom_statistics_fn: Any = None) -> dict[str, Any]:
        """Return what the answer holds."""
        return {"default_probabilities": [float(one) for one in data]}
