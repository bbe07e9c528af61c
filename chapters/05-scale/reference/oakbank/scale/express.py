"""An express lane for the request that comes most: one ordinary application, answered without a detour.

FastAPI reads a request with care: it solves dependencies, looks for streams and files, and hands synchronous work to a
thread. That is worth its time wherever a request may be anything. The lane takes the one kind that is nearly all of the
traffic, and only if everything about it is as usual; whatever else comes goes on, unread, to the app behind the lane.
So the lane can be quick and has no opinion: what it cannot answer at once, the app answers or refuses as ever.
"""

from typing import Any

from fastapi import FastAPI
from pydantic import ValidationError
from starlette.middleware import Middleware
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from oakbank.pipelines import OAKBANK
from oakbank.pipelines.contract import Application, Score
from oakbank.pipelines.service import Loaded, Source
from oakbank.scale.single_row import RowScorer

PATH = "/score"
LONGEST = 4_096
"""Bytes; an application has some 300. A longer body is no ordinary one."""
_JSON = b"application/json"


class ExpressLane:
    """Answers an ordinary `POST /score` itself, byte by byte as the app does; everything else the app answers.

    Args:
        app: What is behind the lane.
        source: Hears of the scores.
        route: The app's own route of `/score`: it is what metrics count under.
    """

    def __init__(self, app: ASGIApp, source: Source, route: Any) -> None:
        self.app, self.source, self.route = app, source, route
        self.answered = 0
        """Requests that the lane answered itself."""
        self._read = Application.__pydantic_validator__.validate_json
        self._write = Score.__pydantic_serializer__.to_json
        self._loaded: Loaded | None = None
        self._scorer: RowScorer | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or hand it on."""
        if not (scope["type"] == "http" and _is_ordinary(scope)):
            await self.app(scope, receive, send)
            return
        scorer = self._scorer_of(scope["state"]["loaded"])
        if scorer is None:
            await self.app(scope, receive, send)
            return
        message = await receive()
        try:
            if message["type"] != "http.request" or message.get("more_body", False):
                raise ValueError("in parts, or gone")
            application = self._read(message["body"])
        except (ValidationError, ValueError):
            await self.app(scope, _again(message, receive), send)
            return
        scope["route"] = self.route
        score = scorer.score(application)
        self.source.scored((score,))
        self.answered += 1
        body = self._write(score)
        headers = [(b"content-length", b"%d" % len(body)), (b"content-type", _JSON)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _scorer_of(self, loaded: Loaded | None) -> RowScorer | None:
        """Return the scorer of a model, made when the model is first asked; None: it is not for the lane."""
        if loaded is not self._loaded:
            fits = loaded is not None and loaded.model.spec is OAKBANK
            self._scorer = RowScorer(loaded.model, loaded.version) if loaded is not None and fits else None
            self._loaded = loaded
        return self._scorer


def _is_ordinary(scope: Scope) -> bool:
    """Whether a request is for the lane, by all that is known of it before its body: JSON, short, of a known length."""
    if scope["method"] != "POST" or scope["path"] != scope.get("root_path", "") + PATH:
        return False
    length = kind = b""
    for name, value in scope["headers"]:
        if name == b"content-length":
            length = value
        elif name == b"content-type":
            kind = value
        elif name == b"expect":
            return False
    return kind == _JSON and length.isdigit() and len(length) < 5 and int(length) <= LONGEST


def _again(message: Message, receive: Receive) -> Receive:
    """Return a `receive` that begins with a message that has been taken already."""
    taken = [message]

    async def receive_again() -> Message:
        return taken.pop() if taken else await receive()

    return receive_again


def add_express_lane(app: FastAPI) -> FastAPI:
    """Open an express lane in an app of `oakbank.pipelines.service.scoring_app`, and return the app.

    The lane is inside of what is around the app already: guard, metrics and logs see its answers like all others.

    Raises:
        ValueError: The app keeps a record of its decisions, which the lane would pass by.
    """
    if getattr(app.state, "record", None) is not None:
        raise ValueError("an app that keeps its decisions has no express lane: what the lane answers is not kept")
    route = next(route for route in app.routes if getattr(route, "path", "") == PATH)
    app.user_middleware.append(Middleware(ExpressLane, source=app.state.service, route=route))
    return app
