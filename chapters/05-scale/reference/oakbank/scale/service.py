"""The scoring service of chapter 3, with its requests scored together."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse

from oakbank.pipelines import CreditModel
from oakbank.pipelines.contract import MAX_BODY, Application, Score, explain, score
from oakbank.scale.microbatch import ClosedError, MicroBatcher, OverloadedError
from oakbank.scale.onnx_runtime import OnnxModel

RETRY_AFTER_SECONDS = 1


def batch_scorer(
    model: CreditModel | OnnxModel,
    version: str,
    *,
    max_batch: int = 64,
    max_wait_ms: float = 2.0,
    max_queue: int = 1024,
) -> MicroBatcher[Any, Score]:
    """Return a micro-batcher from validated applications (`oakbank.pipelines.contract.Application`) to scores.

    A batch becomes one data frame and one feature matrix: building those costs about as much for 64 rows as for one.
    """
    # `score` asks a model for nothing but `predict`, which both kinds have.
    scorer: Any = model

    def predict(applications: Sequence[Any]) -> list[Score]:
        return score(scorer, version, applications)

    return MicroBatcher(predict, max_batch=max_batch, max_wait_ms=max_wait_ms, max_queue=max_queue)


def create_scaled_app(
    model: CreditModel | OnnxModel,
    version: str,
    *,
    max_batch: int = 64,
    max_wait_ms: float = 2.0,
    max_queue: int = 1024,
) -> FastAPI:
    """Return a service with chapter 3's `/score` and `/health`, which scores concurrent requests in one call.

    A full queue is answered by 503 with `Retry-After`: better a clear no at once than a late yes. At shutdown
    whoever waits is answered first.

    Args:
        model: The booster or its ONNX form.
        version: Its version in the registry.
        max_batch: See `MicroBatcher`.
        max_wait_ms: See `MicroBatcher`.
        max_queue: See `MicroBatcher`.
    """
    batcher = batch_scorer(model, version, max_batch=max_batch, max_wait_ms=max_wait_ms, max_queue=max_queue)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        async with batcher:
            yield

    # Without the pages of documentation, which load their scripts from a CDN.
    app = FastAPI(title="Oakbank scoring", docs_url=None, redoc_url=None, lifespan=lifespan, max_body_size=MAX_BODY)
    app.state.batcher = batcher

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        return JSONResponse({"detail": explain(error.errors()), "model_version": version}, status_code=422)

    @app.post("/score")
    async def score_one(application: Application) -> Score:
        """Score one application."""
        try:
            return await batcher.score(application)
        except (OverloadedError, ClosedError) as error:
            raise HTTPException(503, str(error), headers={"Retry-After": str(RETRY_AFTER_SECONDS)}) from None

    @app.get("/health")
    def health() -> dict[str, str]:
        """Say whether the process is alive."""
        return {"status": "alive", "model_version": version}

    return app
