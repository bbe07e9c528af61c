"""The credit model as a BentoML service: `python bento_service.py --model FILE --port N`."""

import os
import sys
from pathlib import Path

if __name__ == "__main__":
    os.environ["OAKBANK_MODEL"], port = (sys.argv[sys.argv.index(name) + 1] for name in ("--model", "--port"))
    os.chdir(Path(__file__).parent)
    command = [str(Path(sys.executable).with_name("bentoml")), "serve", f"{Path(__file__).stem}:Credit"]
    os.execv(command[0], [*command, "--port", port, "--host", "127.0.0.1"])  # noqa: S606

import bentoml
import pandas as pd

from oakbank.pipelines import CreditModel


@bentoml.service(workers=1, logging={"access": {"enabled": False}})
class Credit:
    """One object for each worker."""

    def __init__(self) -> None:
        self.model = CreditModel.load(os.environ["OAKBANK_MODEL"])

    @bentoml.api(route="/score")
    def score(self, rows: pd.DataFrame) -> list[float]:
        """Score the rows of a request."""
        return list(self.model.predict(rows).tolist())
