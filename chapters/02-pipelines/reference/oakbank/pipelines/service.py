"""The model behind HTTP: `create_app(model, version)`. What `oakbank.deploy.service` serves is built from the same."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Protocol

from fastapi import Body, Depends, FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from fastapi_offline import FastAPIOffline
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from oakbank.pipelines.contract import (
    MAX_BATCH,
    MAX_BODY,
    Application,
    BatchScore,
    Health,
    Invalid,
    Ready,
    Refused,
    Score,
    application_of,
    explain,
    score,
)
from oakbank.pipelines.features import OAKBANK
from oakbank.pipelines.model import CreditModel
from oakbank.pipelines.table_spec import TableSpec, parse

log = logging.getLogger("oakbank.pipelines")
NO_VERSION = "none"
"""What the version header says while no model is loaded."""
TOO_LARGE = f"send at most {MAX_BODY} bytes of JSON: split the batch, or use the batch job"


@dataclass(frozen=True)
class Loaded:
    """A model in memory, and where it came from."""

    version: str
    model: CreditModel
    tags: dict[str, str] = field(default_factory=dict)


class Source(Protocol):
    """Where a service has its model from."""

    @property
    def loaded(self) -> Loaded | None:
        """The model that a request which comes now is answered by."""

    @property
    def problem(self) -> str:
        """Why there is none, or no newer one, and what to do; "" if all is well."""

    def scored(self, scores: Sequence[Score]) -> None:
        """Hear of scores that were given."""


@dataclass(frozen=True)
class Fixed:
    """One model, or none, for as long as the service lives."""

    loaded: Loaded | None
    problem: str = ""

    def scored(self, scores: Sequence[Score]) -> None:
        """Do nothing."""


class _Guard:
    """Around every request: one model from begin to end, its version in the header, no body too large, no bare 500."""

    def __init__(self, app: ASGIApp, source: Source) -> None:
        self.app, self.source = app, source

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        loaded = self.source.loaded
        version = None if loaded is None else loaded.version
        scope.setdefault("state", {})["loaded"] = loaded
        begun = False

        async def send_with_version(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                header = (b"x-model-version", (version or NO_VERSION).encode())
                message["headers"] = [*message["headers"], header]
            await send(message)

        async def refuse(status: int, detail: str) -> None:
            body = {"detail": detail, "model_version": version}
            await JSONResponse(body, status_code=status)(scope, receive, send_with_version)

        try:
            if refusal := _unreadable(scope):
                await refuse(*refusal)
            else:
                await self.app(scope, receive, send_with_version)
        except Exception:
            log.exception("fault in %s %s", scope["method"], scope["path"])
            if begun:  # nothing to do but cut the connection
                raise
            await refuse(500, "a fault of the service; it is in its log")


def _unreadable(scope: Scope) -> tuple[int, str] | None:
    """Return why a body is refused unread, as status and words. The server itself holds senders to their length."""
    headers = Headers(scope=scope)
    if "transfer-encoding" in headers:
        return 411, "send JSON with its Content-Length, not in chunks"
    length = headers.get("content-length", "0")
    if not (length.isascii() and length.isdecimal()):
        return 400, "Content-Length is no number of bytes; send JSON with its length"
    if len(length) > 20 or int(length) > MAX_BODY:
        return 413, TOO_LARGE
    return None


def model_version(request: Request) -> str | None:
    """Return the version of the model that answers this request; None: there is none."""
    loaded: Loaded | None = request.state.loaded
    return None if loaded is None else loaded.version


def _needed(request: Request) -> Loaded:
    loaded: Loaded | None = request.state.loaded
    if loaded is None:
        source: Source = request.app.state.service
        raise HTTPException(503, source.problem or "the model has only just been loaded: ask again")
    if loaded.model.spec.key != request.app.state.data:
        raise HTTPException(503, "the model loaded is of other data than this service takes: start create_app with it")
    return loaded


Model = Annotated[Loaded, Depends(_needed)]

_REFUSED: dict[int | str, dict[str, Any]] = {
    400: {"model": Refused, "description": "The body is no text, or no JSON that can be read"},
    411: {"model": Refused, "description": "The body came in chunks, without its length"},
    413: {"model": Refused, "description": f"The body has more than {MAX_BODY} bytes"},
    500: {"model": Refused, "description": "A fault of the service; it is in its log"},
}
_SCORING: dict[int | str, dict[str, Any]] = {
    422: {"model": Invalid, "description": "A field breaks the contract: which, how, and what is wanted"},
    503: {"model": Refused, "description": "No model is loaded, and what to do"},
}


def scoring_app(source: Source, table: TableSpec | None = None, **options: Any) -> FastAPI:
    """Return a service over a source of models. It is alive without a model, and ready with one.

    Its page of documentation, /docs, loads nothing from the network.

    Args:
        source: Where the model comes from; kept as `app.state.service`.
        table: Of data of one's own; None: the bank's applications are scored.
        options: For `FastAPI`, such as `lifespan`.
    """
    app = FastAPIOffline(
        title="Oakbank scoring",
        redoc_url=None,
        swagger_ui_parameters={"validatorUrl": None},  # Swagger's badge would send the schema's address to its maker
        responses=_REFUSED,
        **options,
    )
    app.state.service = source
    app.state.data = OAKBANK.key if table is None else table.data_spec().key
    one: Any = Application if table is None else application_of(table)
    batch = Annotated[list[one], Body(min_length=1, max_length=MAX_BATCH)]
    app.add_middleware(_Guard, source=source)

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        body = {"detail": explain(error.errors(), table), "model_version": model_version(request)}
        return JSONResponse(body, status_code=422)

    @app.exception_handler(StarletteHTTPException)
    def refused(request: Request, error: StarletteHTTPException) -> JSONResponse:
        # FastAPI's 400 (not text, numbers without end, nested without end) does not say what it would take.
        detail = f"{error.detail}; send JSON in UTF-8" if error.status_code == 400 else error.detail
        body = {"detail": detail, "model_version": model_version(request)}
        return JSONResponse(body, status_code=error.status_code, headers=error.headers)

    @app.post("/score", responses=_SCORING)
    def score_one(application: one, loaded: Model) -> Score:
        """Score one application."""
        scores = score(loaded.model, loaded.version, [application])
        source.scored(scores)
        return scores[0]

    @app.post("/score/batch", responses=_SCORING)
    def score_batch(applications: batch, loaded: Model) -> BatchScore:
        """Score several applications; one that is wrong refuses them all."""
        scores = score(loaded.model, loaded.version, applications)
        source.scored(scores)
        return BatchScore(model_version=loaded.version, scores=scores)

    @app.get("/health")
    def health(request: Request) -> Health:
        """Say whether the process is alive; restart it if not."""
        return Health(model_version=model_version(request))

    @app.get("/ready", response_model=Ready, responses={503: {"model": Ready, "description": "Not now, and why"}})
    def ready(request: Request) -> JSONResponse:
        """Say whether to send requests here; if not, why. Also with a model, `reason` tells of a failed refresh."""
        version = model_version(request)
        body = Ready(ready=version is not None, reason=source.problem, model_version=version)
        return JSONResponse(body.model_dump(), status_code=503 if version is None else 200)

    return app


def create_app(model: CreditModel | None, version: str = "unversioned") -> FastAPI:
    """Return the service over one model.

    Args:
        model: The model that answers; None: the process is alive, not ready, and says so.
        version: What each answer calls the model.
    """
    if model is None:
        return scoring_app(Fixed(None, "no model was given: train one, and start the service with it"))
    return scoring_app(Fixed(Loaded(version, model)), parse(model.spec.source) if model.spec.source else None)
