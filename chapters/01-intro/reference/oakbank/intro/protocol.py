"""What every Oakbank service keeps to: two probes, the model's version in every answer, one form for errors.

* `GET /healthz`: 200 while the process answers. If it does not: restart it.
* `GET /readyz`: 200 while there is a model, 503 with the reason while there is none: send requests elsewhere.
* Every answer has the header `X-Model-Version`.
* Every error is a problem detail (RFC 9457, `application/problem+json`), see `Problem`.

The module needs FastAPI alone, so that it fits into the image of chapter 1.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Literal, Protocol, TypeVar

from fastapi import FastAPI, HTTPException, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

log = logging.getLogger("oakbank.intro")

App = TypeVar("App", bound=FastAPI)
PROBLEM_JSON = "application/problem+json"
MAX_BODY = 1_000_000
"""Bytes of one request; a full batch has less than half of it. For the `max_body_size` of a route."""
NO_VERSION = "none"
"""What the header says while no model is loaded."""


class Source(Protocol):
    """Where a service has its model from."""

    @property
    def loaded(self) -> Any:
        """What answers a request that comes now, with a `version`; None: there is no model."""

    @property
    def problem(self) -> str:
        """Why there is none, or no newer one, and what to do; "" if all is well."""


class Fault(BaseModel):
    """One thing wrong with a request."""

    field: str = Field(description="where it is, such as income or [3].income in a batch; body: the whole of it")
    problem: str
    wanted: str = Field(description="what would have been taken; empty: `problem` says it")


class Problem(BaseModel):
    """The answer to any request that got no other: a problem detail of RFC 9457, with two members of our own."""

    title: str = Field(description="the status in words")
    status: int
    detail: str = Field(description="what is the matter, and what to do")
    errors: list[Fault] = Field(description="422: what breaks the contract; else empty")
    model_version: str | None


class Alive(BaseModel):
    """The answer of a process that lives."""

    status: Literal["alive"] = "alive"
    model_version: str | None


class Ready(BaseModel):
    """The answer of a service that has its model."""

    status: Literal["ready"] = "ready"
    warning: str = Field(description="why the last look for a newer model failed; empty: all is well")
    model_version: str


ERRORS: dict[int | str, dict[str, Any]] = {
    400: {"model": Problem, "description": "The body is no text, or no JSON that can be read"},
    413: {"model": Problem, "description": f"The body has more than {MAX_BODY} bytes"},
    500: {"model": Problem, "description": "A fault of the service; it is in its log"},
}
"""Of every route."""
SCORING_ERRORS: dict[int | str, dict[str, Any]] = {
    422: {"model": Problem, "description": "A field breaks the contract: which, how, and what is wanted"},
    503: {"model": Problem, "description": "No model is loaded, or nobody is free, and what to do"},
}
"""Of a route that scores, besides."""
_HINTS = {
    400: "send JSON in UTF-8",
    413: f"send at most {MAX_BODY} bytes of JSON: split the batch, or use the batch job",
}


def problem(
    status: int,
    detail: str,
    version: str | None,
    errors: Sequence[Mapping[str, str]] = (),
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """Return an error in the one form that errors have."""
    title = HTTPStatus(status).phrase
    body = {"title": title, "status": status, "detail": detail, "errors": [*errors], "model_version": version}
    return JSONResponse(body, status, headers, media_type=PROBLEM_JSON)


def field_of(error: Mapping[str, Any]) -> str:
    """Return where a validation error is: `income`, in a batch `[3].income`; `body`: the whole of it."""
    if error["type"] == "json_invalid":  # its place is the position of a character
        return "body"
    parts = [part for part in error["loc"] if part != "body"]
    return "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in parts).lstrip(".") or "body"


def faults(errors: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return validation errors as the content of `Fault`s; the input itself is never echoed.

    (An input may hold NaN, which no JSON answer can carry, and it may be personal.)
    """
    return [{"field": field_of(error), "problem": str(error["msg"]), "wanted": ""} for error in errors]


def model_version(request: Request) -> str | None:
    """Return the version of the model that answers this request; None: there is none."""
    return None if request.state.loaded is None else str(request.state.loaded.version)


class Guard:
    """Around every request: one model from begin to end, its version in the header, every error in the one form."""

    def __init__(self, app: ASGIApp, source: Source) -> None:
        self.app, self.source = app, source

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        loaded = self.source.loaded
        version = None if loaded is None else loaded.version
        header = (b"x-model-version", (version or NO_VERSION).encode())
        scope.setdefault("state", {})["loaded"] = loaded
        begun = replaced = False

        async def send_with_version(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                message["headers"] = [*message["headers"], header]
            await send(message)

        async def refuse(status: int, detail: str) -> None:
            await problem(status, _with_hint(status, detail), version)(scope, receive, send_with_version)

        async def send_in_form(message: Message) -> None:
            nonlocal replaced
            if message["type"] == "http.response.start" and message["status"] >= 400 and _is_plain(message):
                replaced = True
                await refuse(message["status"], HTTPStatus(message["status"]).phrase)
            elif not replaced:
                await send_with_version(message)

        try:
            await self.app(scope, receive, send_in_form)
        except Exception:
            log.exception("fault in %s %s", scope["method"], scope["path"])
            if begun:  # nothing to do but cut the connection
                raise
            await refuse(500, "a fault of the service; it is in its log")


def _is_plain(message: Message) -> bool:
    """Whether an answer is what Starlette says by itself, such as that a body is too large."""
    return any(name == b"content-type" and value.startswith(b"text/plain") for name, value in message["headers"])


def _with_hint(status: int, detail: str) -> str:
    # What FastAPI and Starlette say of a body that they cannot take does not say what they would take.
    return f"{detail}; {_HINTS[status]}" if status in _HINTS else detail


def protocol_app(
    kind: Callable[..., App],
    source: Source,
    explain: Callable[[Sequence[Mapping[str, Any]]], list[dict[str, str]]] = faults,
    **options: Any,
) -> App:
    """Return an app that keeps the protocol and has no routes yet but the probes.

    Args:
        kind: `FastAPI`, or a class made from it.
        source: Where the model comes from; kept as `app.state.service`.
        explain: Turns validation errors into the content of `Fault`s.
        options: For `kind`, such as `title` and `lifespan`.
    """
    # FastAPI would look at every request whether somebody wants its traces: a tenth of a small answer's time.
    app = kind(responses=ERRORS, telemetry=dict.fromkeys(("tracing", "metrics", "logs"), False), **options)
    app.state.service = source
    app.add_middleware(Guard, source=source)

    @app.exception_handler(RequestValidationError)
    async def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        told = explain(error.errors())
        return problem(422, f"{told[0]['field']}: {told[0]['problem']}", model_version(request), told)

    @app.exception_handler(StarletteHTTPException)
    async def refused(request: Request, error: StarletteHTTPException) -> JSONResponse:
        detail = _with_hint(error.status_code, error.detail)
        return problem(error.status_code, detail, model_version(request), headers=error.headers)

    @app.get("/healthz")
    async def healthz(request: Request) -> Alive:
        """Say whether the process is alive; restart it if not."""
        return Alive(model_version=model_version(request))

    @app.get("/readyz", responses={503: SCORING_ERRORS[503]})
    async def readyz(request: Request) -> Ready:
        """Say whether to send requests here; if not, why."""
        return Ready(model_version=needed(request).version, warning=source.problem)

    _name_the_media_type(app)
    return app


def needed(request: Request) -> Any:
    """Return the model that answers this request, for a route that cannot do without.

    Raises:
        HTTPException: 503, with the reason: there is none.
    """
    if request.state.loaded is None:
        source: Source = request.app.state.service
        raise HTTPException(503, source.problem or "the model has only just been loaded: ask again")
    return request.state.loaded


def _name_the_media_type(app: FastAPI) -> None:
    """Have the schema say of errors which media type they have: FastAPI gives all answers of a route the same."""
    plain = app.openapi

    def openapi() -> dict[str, Any]:
        schema = plain()
        for path in schema["paths"].values():
            for operation in path.values():
                for status, response in operation["responses"].items():
                    content = response.get("content", {})
                    if int(status) >= 400 and "application/json" in content:
                        content[PROBLEM_JSON] = content.pop("application/json")
        return schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's own way to extend a schema
