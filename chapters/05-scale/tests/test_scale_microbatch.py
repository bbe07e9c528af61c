import asyncio
import contextlib
import threading
from collections.abc import Awaitable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from oakbank.scale.microbatch import ClosedError, MicroBatcher, OverloadedError


class BadError(Exception):
    pass


def tenfold(items: Sequence[int]) -> list[int]:
    """Fails for the whole batch if one item is below 0, as a model does on one impossible row."""
    if any(item < 0 for item in items):
        raise BadError(f"{len(items)} items, one is bad")
    return [10 * item for item in items]


async def ask(batcher: MicroBatcher[int, int], items: Sequence[int]) -> list[int | BaseException]:
    return await asyncio.gather(*(batcher.score(item) for item in items), return_exceptions=True)


@settings(deadline=None, max_examples=60)
@given(
    items=st.lists(st.integers(min_value=-3, max_value=1_000), min_size=1, max_size=60),
    max_batch=st.integers(min_value=1, max_value=70),
    pauses=st.lists(st.booleans(), min_size=60, max_size=60),
)
def test_everybody_gets_their_own_answer_and_only_the_bad_fail(
    items: list[int], max_batch: int, pauses: list[bool]
) -> None:
    sizes: list[int] = []

    def predict(batch: Sequence[int]) -> list[int]:
        sizes.append(len(batch))
        return tenfold(batch)

    async def late(batcher: MicroBatcher[int, int], item: int, pause: bool) -> int:
        if pause:
            await asyncio.sleep(0.001)
        return await batcher.score(item)

    async def run() -> list[int | BaseException]:
        async with MicroBatcher(predict, max_batch=max_batch) as batcher:
            jobs = (late(batcher, item, pause) for item, pause in zip(items, pauses, strict=False))
            answers = await asyncio.gather(*jobs, return_exceptions=True)
            assert batcher.answered == len(items)
            assert batcher.calls == len(sizes)
            return answers

    answers = asyncio.run(run())
    for item, answer in zip(items, answers, strict=True):
        if item < 0:
            assert isinstance(answer, BadError)
        else:
            assert answer == 10 * item
    assert max(sizes) <= max_batch


def test_requests_at_once_are_one_call() -> None:
    async def run() -> None:
        async with MicroBatcher(tenfold, max_batch=64) as batcher:
            assert await ask(batcher, range(64)) == [10 * i for i in range(64)]
            assert batcher.calls == 1
            assert await ask(batcher, range(100)) == [10 * i for i in range(100)]
            assert batcher.calls == 3

    asyncio.run(run())


def test_one_bad_of_64_costs_a_search_by_halves_not_64_calls() -> None:
    async def run() -> None:
        async with MicroBatcher(tenfold, max_batch=64) as batcher:
            answers = await ask(batcher, [-1 if i == 37 else i for i in range(64)])
            assert [i for i, answer in enumerate(answers) if isinstance(answer, BadError)] == [37]
            assert batcher.calls == 13

    asyncio.run(run())


def test_a_lone_request_is_served_at_once() -> None:
    async def run() -> None:
        loop = asyncio.get_running_loop()
        late = loop.call_later
        timers: list[float] = []

        def noted(delay: float, *arguments: Any, **options: Any) -> asyncio.TimerHandle:
            timers.append(delay)
            return late(delay, *arguments, **options)

        loop.call_later = loop.call_at = noted  # type: ignore[method-assign, assignment]
        async with MicroBatcher(tenfold) as batcher:
            for item in range(3):
                assert await batcher.score(item) == 10 * item
        assert (batcher.calls, timers) == (3, []), "whoever is alone is served without a look at the clock"

    asyncio.run(run())


def test_a_batch_gathers_while_a_call_runs() -> None:
    go, sizes = threading.Event(), []

    def slow(items: Sequence[int]) -> list[int]:
        sizes.append(len(items))
        go.wait(30)
        return tenfold(items)

    async def run() -> None:
        async with MicroBatcher(slow) as batcher:
            first = asyncio.create_task(batcher.score(0))
            while not sizes:
                await asyncio.sleep(0.001)
            others = [asyncio.create_task(batcher.score(item)) for item in range(1, 9)]
            await asyncio.sleep(0.01)
            go.set()
            assert await asyncio.gather(first, *others) == [10 * item for item in range(9)]

    asyncio.run(run())
    assert sizes == [1, 8]


def test_a_full_queue_says_so_at_once_and_those_inside_are_served() -> None:
    go = threading.Event()

    def slow(items: Sequence[int]) -> list[int]:
        go.wait(30)
        return tenfold(items)

    async def run() -> None:
        async with MicroBatcher(slow, max_batch=2, max_queue=3) as batcher:
            running = [asyncio.create_task(batcher.score(i)) for i in range(2)]
            while batcher.calls == 0:
                await asyncio.sleep(0.001)
            waiting = [asyncio.create_task(batcher.score(i)) for i in range(2, 5)]
            await asyncio.sleep(0)
            with pytest.raises(OverloadedError, match="3 requests are waiting already: try again later"):
                await batcher.score(99)
            waiting[1].cancel()  # who leaves makes room
            await asyncio.sleep(0)
            waiting.append(asyncio.create_task(batcher.score(5)))
            await asyncio.sleep(0)
            go.set()
            assert await asyncio.gather(*running, waiting[0], waiting[2], waiting[3]) == [0, 10, 20, 40, 50]
            assert waiting[1].cancelled()

    asyncio.run(run())


@pytest.mark.parametrize("when", ["waiting", "running"])
def test_a_caller_who_leaves_disturbs_nobody(when: str) -> None:
    started, go = threading.Event(), threading.Event()
    seen: list[int] = []

    def slow(items: Sequence[int]) -> list[int]:
        seen.extend(items)
        started.set()
        go.wait(30)
        return tenfold(items)

    async def run() -> None:
        async with MicroBatcher(slow, max_batch=8) as batcher:
            before = [asyncio.create_task(batcher.score(9))] if when == "waiting" else []
            if before:  # a call that the others wait for
                await asyncio.to_thread(started.wait, 30)
            tasks = [asyncio.create_task(batcher.score(i)) for i in range(5)]
            await asyncio.sleep(0)
            if when == "running":
                await asyncio.to_thread(started.wait, 30)
            tasks[2].cancel()
            await asyncio.sleep(0)
            go.set()
            answers = await asyncio.gather(*tasks, return_exceptions=True)
            await asyncio.gather(*before)
            assert isinstance(answers[2], asyncio.CancelledError)
            assert [answers[i] for i in (0, 1, 3, 4)] == [0, 10, 30, 40]
            assert (2 in seen) is (when == "running")
            assert await batcher.score(7) == 70

    asyncio.run(run())


def test_closing_answers_those_who_wait_and_takes_no_more() -> None:
    async def run() -> None:
        batcher = MicroBatcher(tenfold, max_batch=2)
        waiting = [asyncio.create_task(batcher.score(i)) for i in range(5)]
        await asyncio.sleep(0)
        await asyncio.wait_for(batcher.close(), 30)
        assert await asyncio.gather(*waiting) == [0, 10, 20, 30, 40]
        with pytest.raises(ClosedError, match="shutting down"):
            await batcher.score(1)
        await batcher.close()

    asyncio.run(run())


def test_the_function_runs_once_at_a_time() -> None:
    inside = threading.Lock()

    def alone(items: Sequence[int]) -> list[int]:
        assert inside.acquire(blocking=False), "two calls at once"
        try:
            return tenfold(items)
        finally:
            inside.release()

    async def run() -> None:
        async with MicroBatcher(alone, max_batch=3) as batcher:
            assert await ask(batcher, range(50)) == [10 * i for i in range(50)]

    asyncio.run(run())


@pytest.mark.parametrize("fault", ["too few", "stop"])
def test_a_faulty_function_fails_its_callers_and_the_batcher_lives(fault: str) -> None:
    def predict(items: Sequence[int]) -> list[int]:
        if fault == "too few":
            return tenfold(items)[1:]
        raise StopIteration

    async def run() -> None:
        async with MicroBatcher(predict) as batcher:
            answers = await ask(batcher, range(3))
            assert all(isinstance(answer, ValueError if fault == "too few" else RuntimeError) for answer in answers)
            batcher.predict = tenfold
            assert await batcher.score(1) == 10

    asyncio.run(run())


def test_a_worker_that_is_killed_leaves_nobody_hanging() -> None:
    def dies(items: Sequence[int]) -> list[int]:
        raise SystemExit

    async def guarded(job: Awaitable[int]) -> str:
        try:
            await job
        except BaseException as error:
            return type(error).__name__
        return "answered"

    async def run() -> list[str]:
        batcher = MicroBatcher(dies, max_batch=2)
        return await asyncio.wait_for(asyncio.gather(*(guarded(batcher.score(i)) for i in range(4))), 30)

    with contextlib.suppress(SystemExit):  # asyncio hands it on to the whole program: nobody hangs either
        assert set(asyncio.run(run())) <= {"CancelledError", "ClosedError", "SystemExit"}


@pytest.mark.parametrize("wrong", [{"max_batch": 0}, {"max_queue": 0}])
def test_senseless_settings_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="or more"):
        MicroBatcher(tenfold, **wrong)  # type: ignore[arg-type]
