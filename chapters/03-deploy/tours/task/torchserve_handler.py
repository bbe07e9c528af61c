"""The handler in TorchServe's model archive: one object for each worker."""

from pathlib import Path
from typing import Any

import pandas as pd

from oakbank.pipelines import CreditModel


class Credit:
    """What TorchServe calls: `initialize` once, then `handle` for each batch of requests."""

    def initialize(self, context: Any) -> None:
        """Load the model from the archive."""
        self.model = CreditModel.load(next(Path(context.system_properties["model_dir"]).glob("*.txt")))

    def handle(self, data: list[dict[str, Any]], context: Any) -> list[Any]:
        """Score the tensors of a V2 request, which TorchServe's envelope has unpacked."""
        columns = {tensor["name"]: tensor["data"] for tensor in data}
        flat = {name: [one[0] for one in each] if isinstance(each, list) else each for name, each in columns.items()}
        return [self.model.predict(pd.DataFrame(flat)).tolist()]
