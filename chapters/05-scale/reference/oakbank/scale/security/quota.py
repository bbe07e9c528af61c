"""What slows extraction: a service that counts rows for each client, and answers in steps.

Neither prevents it. A quota buys time and makes the thief visible; it counts applications, not requests, for one
request may hold a thousand.
"""

import json
import time
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Annotated, Any

from fastapi import Depends, FastAPI, Header, HTTPException, Request

from oakbank.intro.protocol import SCORING_ERRORS, Problem
from oakbank.pipelines import CreditModel
from oakbank.pipelines.contract import Score
from oakbank.pipelines.service import Fixed, Loaded, score_in_thread, scoring_app

DAY = 86_400.0
CLIENT = "x-client"
"""Who asks. A gateway sets it after a login and drops what came from outside: who may name himself has no quota."""
ERRORS: dict[int | str, dict[str, Any]] = SCORING_ERRORS | {
    401: {"model": Problem, "description": "Nobody is named as the client"},
    429: {"model": Problem, "description": "The client's quota is used up: when to ask again"},
}


class Quota:
    """How many applications each client may ask about in a window of time.

    Args:
        limit: Applications of one client in one window.
        seconds: Length of the window; it begins with the client's first application.
        clock: Gives seconds, never backwards.

    Raises:
        ValueError: A number is not above 0.
    """

    def __init__(self, limit: int, seconds: float = DAY, clock: Callable[[], float] = time.monotonic) -> None:
        if limit < 1 or seconds <= 0:
            raise ValueError(f"limit and seconds must be above 0, not {limit} and {seconds}")
        self.limit, self.seconds = limit, seconds
        self._clock = clock
        self._used: dict[str, tuple[float, int]] = {}
        self._lock = Lock()

    def take(self, client: str, rows: int) -> float:
        """Take `rows` of a client's quota, all or none; return 0, or in how many seconds to ask again."""
        with self._lock:
            now = self._clock()
            begun, used = self._used.get(client, (now, 0))
            if now - begun >= self.seconds:
                begun, used = now, 0
            if used + rows > self.limit:
                return begun + self.seconds - now
            self._used[client] = begun, used + rows
            return 0.0


def in_steps(probability: float, step: float) -> float:
    """Return a probability rounded to the nearest multiple of `step`, such as 0.05, within 0 and 1."""
    return min(1.0, round(round(probability / step) * step, 9))


def create_guarded_app(model: CreditModel, version: str, quota: Quota, step: float | None = 0.05) -> FastAPI:
    """Return chapter 2's service over one model, with a quota, and with answers in steps.

    The decision is made on the exact probability; near the break-even the rounded one may lie on its other side.

    Args:
        model: What answers.
        version: Its version in the registry.
        quota: A client above it gets 429 with `Retry-After`; a request that names no client, 401.
        step: Of the probabilities; None: they are given as they are.
    """

    async def limited(request: Request, client: Annotated[str | None, Header(alias=CLIENT)] = None) -> None:
        if request.method != "POST":
            return
        if not client:
            raise HTTPException(401, f"name the client in the header {CLIENT}: the gateway does so after a login")
        if wait := quota.take(client, _rows(await request.body())):
            detail = f"the quota is {quota.limit} applications in {quota.seconds:g} s: ask again after Retry-After"
            raise HTTPException(429, detail, headers={"Retry-After": str(int(wait) + 1)})

    async def coarse(loaded: Loaded, applications: Sequence[Any]) -> list[Score]:
        scores = await score_in_thread(loaded, applications)
        if step is None:
            return scores
        told = [{"default_probability": in_steps(score.default_probability, step)} for score in scores]
        return [score.model_copy(update=update) for score, update in zip(scores, told, strict=True)]

    source = Fixed(Loaded(version, model))
    return scoring_app(source, scorer=coarse, errors=ERRORS, dependencies=[Depends(limited)])


def _rows(body: bytes) -> int:
    # What is no JSON costs one, and is refused by the contract afterwards.
    try:
        asked = json.loads(body)
    except (ValueError, RecursionError):
        return 1
    return max(1, len(asked)) if isinstance(asked, list) else 1
