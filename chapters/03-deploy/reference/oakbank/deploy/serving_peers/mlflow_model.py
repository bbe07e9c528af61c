"""The credit model as MLflow serves it: `mlflow.pyfunc.save_model(python_model="mlflow_model.py", ...)`."""

from typing import Any

import pandas as pd
from mlflow.models import set_model
from mlflow.pyfunc.model import PythonModel

from oakbank.pipelines import CreditModel


class Credit(PythonModel):
    """Applications in, default probabilities out."""

    def load_context(self, context: Any) -> None:
        """Load the model, once for each process."""
        self.model = CreditModel.load(context.artifacts["model"])

    def predict(self, context: Any, model_input: pd.DataFrame, params: dict[str, Any] | None = None) -> list[float]:
        """Score what the signature let through."""
        return list(self.model.predict(model_input))


set_model(Credit())
