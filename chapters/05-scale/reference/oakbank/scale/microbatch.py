"""Many requests, one call: while one call runs the next batch gathers, and each is answered."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from types import TracebackType
from typing import Generic, TypeVar

Item = TypeVar("Item")
Answer = TypeVar("Answer")


class OverloadedError(RuntimeError):
    """The queue is full: try again later."""


class ClosedError(RuntimeError):
    """The batcher takes no more requests."""


class MicroBatcher(Generic[Item, Answer]):
    """Collects concurrent requests into one call of a function that is cheaper for many than for each.

    The function runs in one thread of its own, never twice at once. A batch is whoever waits when it becomes free:
    large under load, and a lone caller is served at once. Use it as an async context manager, or call `close`: either
    answers all who wait before it returns.

    Args:
        predict: Takes a sequence of items and returns one answer for each, in order.
        max_batch: Most items in one call.
        max_queue: How many may wait before `score` answers `OverloadedError`.
    """

    def __init__(
        self,
        predict: Callable[[Sequence[Item]], Sequence[Answer]],
        *,
        max_batch: int = 64,
        max_queue: int = 1024,
    ) -> None:
        if max_batch < 1 or max_queue < 1:
            raise ValueError("max_batch and max_queue must be 1 or more")
        self.predict = predict
        self.max_batch = max_batch
        self.max_queue = max_queue
        self.calls = 0
        """Calls of the function so far."""
        self.answered = 0
        """Requests answered so far, with a result or an error of their own."""
        self._waiting: dict[asyncio.Future[Answer], Item] = {}
        self._changed = asyncio.Event()
        self._closing = False
        self._worker: asyncio.Task[None] | None = None
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="microbatch")

    async def __aenter__(self) -> "MicroBatcher[Item, Answer]":
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def score(self, item: Item) -> Answer:
        """Return the answer for one item.

        Raises:
            OverloadedError: `max_queue` requests are waiting already.
            ClosedError: The batcher is closed.
            Exception: Whatever the function raises for this item alone; others in the batch are not affected.
        """
        if self._closing:
            raise ClosedError("the service is shutting down: ask another one")
        if len(self._waiting) >= self.max_queue:
            raise OverloadedError(f"{self.max_queue} requests are waiting already: try again later")
        loop = asyncio.get_running_loop()
        if self._worker is None:
            self._worker = loop.create_task(self._work())
        answer: asyncio.Future[Answer] = loop.create_future()
        self._waiting[answer] = item
        self._changed.set()
        try:
            return await answer
        finally:
            self._waiting.pop(answer, None)  # a caller who left holds no place in the queue

    async def close(self) -> None:
        """Take no more requests, answer those that wait, and return."""
        self._closing = True
        self._changed.set()
        if self._worker is not None:
            await self._worker
        self._thread.shutdown(wait=False)

    async def _work(self) -> None:
        loop = asyncio.get_running_loop()
        taken: list[tuple[asyncio.Future[Answer], Item]] = []
        try:
            while not self._closing or self._waiting:
                if not self._waiting:
                    self._changed.clear()
                    await self._changed.wait()
                taken = list(self._waiting.items())[: self.max_batch]
                for answer, _ in taken:
                    del self._waiting[answer]
                if not taken:
                    continue  # closing, or the only caller left
                outcomes = await loop.run_in_executor(self._thread, self.call, [item for _, item in taken])
                for (answer, _), outcome in zip(taken, outcomes, strict=True):
                    self.answered += 1
                    if answer.done():
                        continue  # cancelled while the function ran
                    if isinstance(outcome, _Failure):
                        answer.set_exception(outcome.error)
                    else:
                        answer.set_result(outcome)
        finally:
            # Someone is left unanswered only if this task was cancelled or the function killed its thread.
            self._closing = True
            for answer in [*self._waiting, *(answer for answer, _ in taken)]:
                answer.cancel()

    def call(self, items: Sequence[Item]) -> "list[Answer | _Failure]":
        """Call the function; if it fails, find by halving who is to blame."""
        self.calls += 1
        try:
            answers = list(self.predict(items))
            if len(answers) != len(items):
                raise ValueError(f"the function gave {len(answers)} answers for {len(items)} items")
        except Exception as error:
            if len(items) == 1:
                # A future takes any exception but this one.
                return [_Failure(RuntimeError(repr(error)) if isinstance(error, StopIteration) else error)]
            half = len(items) // 2
            return self.call(items[:half]) + self.call(items[half:])
        return list(answers)


class _Failure:
    """An error on its way to the one caller whom it concerns."""

    def __init__(self, error: Exception) -> None:
        self.error = error
