"""The scoring service at scale: `python -m oakbank.scale.service --registry DIR`.

`create_app` is the service of chapter 3 with an express lane; `create_scaled_app` scores concurrent requests together,
for a model whose call costs more than its rows.
"""

import contextlib
import gc
from collections.abc import AsyncIterator, Sequence
from pathlib import Path
from typing import Any

from fastapi import FastAPI, HTTPException

from oakbank.deploy import service as deploy
from oakbank.deploy.onnx_runtime import OnnxModel
from oakbank.deploy.record import DecisionRecord
from oakbank.pipelines import CreditModel, Registry
from oakbank.pipelines.contract import Score, score
from oakbank.pipelines.service import Fixed, Loaded, score_in_thread, scoring_app
from oakbank.scale.express import add_express_lane
from oakbank.scale.microbatch import ClosedError, MicroBatcher, OverloadedError

RETRY_AFTER_SECONDS = 1


def create_app(
    registry: Registry | str | Path | None,
    alias: str = "champion",
    *,
    refresh_seconds: float | None = None,
    record: DecisionRecord | None = None,
) -> FastAPI:
    """Return `oakbank.deploy.service.create_app` with an express lane: the same answers, many times as fast.

    With a record there is no lane: each answer waits for the disk, beside which all that a lane saves is little.
    """
    app = deploy.create_app(registry, alias, refresh_seconds=refresh_seconds, record=record)
    return add_express_lane(app) if record is None else app


def batch_scorer(
    model: CreditModel | OnnxModel,
    version: str,
    *,
    max_batch: int = 64,
    max_queue: int = 1024,
) -> MicroBatcher[Any, Score]:
    """Return a micro-batcher from validated applications (`oakbank.pipelines.contract.Application`) to scores.

    A batch becomes one data frame and one feature matrix: building those costs about as much for 64 rows as for one.
    """
    # `score` asks a model for nothing but `spec` and `predict`, which both kinds have.
    scorer: Any = model

    def predict(applications: Sequence[Any]) -> list[Score]:
        return score(scorer, version, applications)

    return MicroBatcher(predict, max_batch=max_batch, max_queue=max_queue)


def create_scaled_app(
    model: CreditModel | OnnxModel,
    version: str,
    *,
    max_batch: int = 64,
    max_queue: int = 1024,
) -> FastAPI:
    """Return chapter 2's service over one model, which scores concurrent requests in one call.

    A full queue is answered by 503 with `Retry-After`: better a clear no at once than a late yes. At shutdown
    whoever waits is answered first.

    Args:
        model: The booster or its ONNX form.
        version: Its version in the registry.
        max_batch: See `MicroBatcher`.
        max_queue: See `MicroBatcher`.
    """
    batcher = batch_scorer(model, version, max_batch=max_batch, max_queue=max_queue)

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


def _create_alone(*arguments: Any, **options: Any) -> FastAPI:
    """Return the app of a process that does nothing else."""
    app = create_app(*arguments, **options)
    gc.collect()
    gc.freeze()  # what is loaded by now stays: the collector need not look through a million objects again and again
    return app


if __name__ == "__main__":
    deploy.main(create=_create_alone, prog="python -m oakbank.scale.service")
