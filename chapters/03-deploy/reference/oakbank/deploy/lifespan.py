"""What a service does beside answering, for as long as it lives."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from fastapi import FastAPI
from starlette.concurrency import run_in_threadpool

Lifespan = Callable[[FastAPI], contextlib.AbstractAsyncContextManager[None]]


def refreshing(refresh: Callable[[], object], seconds: float | None) -> Lifespan:
    """Return a lifespan that calls `refresh` in a thread every few seconds.

    Args:
        refresh: Must not raise: its first exception would end it.
        seconds: Between two calls; None: it is never called.
    """

    async def follow(every: float) -> None:
        while True:
            await asyncio.sleep(every)
            await run_in_threadpool(refresh)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        task = None if seconds is None else asyncio.create_task(follow(seconds))
        yield
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    return lifespan
