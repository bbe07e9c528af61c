# /// script
# requires-python = ">=3.11,<3.14"
# dependencies = [
#     "bentoml",
#     "duckdb", "fastapi", "filelock", "lightgbm", "numpy", "pandas<3", "pyarrow", "pydantic", "pyyaml", "scikit-learn",
# ]
# ///
# mypy: ignore-errors
"""The same model behind BentoML, one worker: `uv run --script bentoml_service.py --model FILE --port N`.

It is given the course's own scorer of one row, so that what is measured is BentoML.
"""

import os
import sys
from pathlib import Path

if __name__ == "__main__":
    os.environ["OAKBANK_MODEL"], port = sys.argv[sys.argv.index("--model") + 1], sys.argv[sys.argv.index("--port") + 1]
    os.chdir(Path(__file__).parent)
    command = [str(Path(sys.executable).with_name("bentoml")), "serve", f"{Path(__file__).stem}:Scoring"]
    os.execv(command[0], [*command, "--port", port, "--host", "127.0.0.1"])  # noqa: S606

import bentoml

from oakbank.pipelines import CreditModel
from oakbank.pipelines.contract import Application, Score
from oakbank.scale.single_row import RowScorer


@bentoml.service(workers=1, logging={"access": {"enabled": False}}, metrics={"enabled": True})
class Scoring:
    """BentoML's service."""

    def __init__(self) -> None:
        self.scorer = RowScorer(CreditModel.load(os.environ["OAKBANK_MODEL"]), "1")

    @bentoml.api(route="/score")
    async def score(self, application: Application, /) -> Score:
        """Score one application; it is the whole body, as for the others."""
        return self.scorer.score(application)
