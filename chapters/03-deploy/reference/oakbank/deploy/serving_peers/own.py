"""Oakbank's own service over one model: `python own.py --model FILE --port N`."""

import argparse

import uvicorn

from oakbank.pipelines import CreditModel
from oakbank.pipelines.service import create_app

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", required=True)
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    app = create_app(CreditModel.load(options.model), "1")
    uvicorn.run(app, port=options.port, log_level="error", access_log=False)
