# /// script
# requires-python = ">=3.11,<3.14"
# dependencies = [
#     "litserve",
#     "duckdb", "fastapi", "filelock", "lightgbm", "numpy", "pandas<3", "pyarrow", "pydantic", "pyyaml", "scikit-learn",
# ]
# ///
# mypy: ignore-errors
"""The same model behind LitServe, one worker: `uv run --script litserve_service.py --model FILE --port N`.

It is given the course's own scorer of one row, so that what is measured is LitServe.
"""

import sys

import litserve

from oakbank.pipelines import CreditModel
from oakbank.pipelines.contract import Application, Score
from oakbank.scale.single_row import RowScorer

MODEL = sys.argv[sys.argv.index("--model") + 1]


class Scoring(litserve.LitAPI):
    """LitServe's service: `predict` runs in a worker process of its own."""

    def setup(self, device: str) -> None:
        """Load the model, once, in the worker."""
        self.scorer = RowScorer(CreditModel.load(MODEL), "1")

    def decode_request(self, request: Application) -> Application:
        """Take a request as it was validated."""
        return request

    def predict(self, application: Application) -> Score:
        """Score one application."""
        return self.scorer.score(application)

    def encode_response(self, score: Score) -> Score:
        """Give the score as it is."""
        return score


if __name__ == "__main__":
    server = litserve.LitServer(Scoring(api_path="/score"), accelerator="cpu", workers_per_device=1)
    port = int(sys.argv[sys.argv.index("--port") + 1])
    server.run(port=port, host="127.0.0.1", generate_client_file=False, log_level="error", access_log=False)
