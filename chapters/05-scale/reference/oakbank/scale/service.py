"""The scoring service of chapter 3, with its requests scored together."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from typing import Any

from fastapi import FastAPI, HTTPException

from oakbank.pipelines import CreditModel
from oakbank.pipelines.contract import Score, score
from oakbank.pipelines.service import Fixed, Loaded, score_in_thread, scoring_app
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
    # `score` asks a model for nothing but `spec` and `predict`, which both kinds have.
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
    """Return chapter 2's service over one model, which scores concurrent requests in one call.

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

    async def together(loaded: Loaded, applications: Sequence[Any]) -> list[Score]:
        if len(applications) > 1:  # a batch already
            return await score_in_thread(loaded, applications)
        try:
            return [await batcher.score(applications[0])]
        except (OverloadedError, ClosedError) as error:
            raise HTTPException(503, str(error), headers={"Retry-After": str(RETRY_AFTER_SECONDS)}) from None

    either: Any = model  # both have `spec` and `predict`
    app = scoring_app(Fixed(Loaded(version, either)), scorer=together, lifespan=lifespan)
    app.state.batcher = batcher
    return app
