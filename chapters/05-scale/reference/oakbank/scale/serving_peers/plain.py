"""Services to measure against, in the course's own environment: `python plain.py WAY --model FILE --port N`."""

import argparse
from typing import Any

import pandas as pd
import uvicorn
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from oakbank.pipelines import CreditModel, grant
from oakbank.pipelines.contract import Application
from oakbank.scale.service import create_scaled_app
from oakbank.world import break_even

CONSTANT = (
    b'{"application_id":7,"default_probability":0.05945843709393403,"granted":true,"break_even":0.183870244,'
    b'"model_version":"1"}'
)


def bare(model: CreditModel) -> Starlette:
    """Return what no service can be faster than: Starlette, and an answer that is always the same."""

    async def score(request: Request) -> Response:
        return Response(CONSTANT, media_type="application/json")

    return Starlette(routes=[Route("/score", score, methods=["POST"])])


def naive(model: CreditModel) -> FastAPI:
    """Return the service as one writes it first: FastAPI, and a data frame of one row."""
    app = FastAPI()

    @app.post("/score")
    def score(application: Application) -> dict[str, Any]:
        row = pd.DataFrame([application.model_dump()])
        probability = model.predict(row)
        return {
            "application_id": application.application_id,
            "default_probability": float(probability[0]),
            "granted": bool(grant(probability, row["amount"], row["term"])[0]),
            "break_even": float(break_even(row["amount"], row["term"])[0]),
            "model_version": "1",
        }

    return app


def micro_batches(model: CreditModel) -> FastAPI:
    """Return the course's service that scores concurrent requests together."""
    return create_scaled_app(model, "1")


WAYS = {"bare": bare, "naive": naive, "micro-batches": micro_batches}

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("way", choices=sorted(WAYS))
    parser.add_argument("--model", required=True)
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    app: Any = WAYS[options.way](CreditModel.load(options.model))
    uvicorn.run(app, port=options.port, log_level="error", access_log=False)
