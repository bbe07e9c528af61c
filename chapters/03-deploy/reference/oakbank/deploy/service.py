"""The online scoring service: `python -m oakbank.deploy.service --registry DIR`."""

import argparse
import asyncio
import contextlib
import logging
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import Annotated, Any

import uvicorn
from fastapi import Body, Depends, FastAPI, HTTPException, Request, Response
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.exceptions import HTTPException as StarletteHTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from oakbank.deploy.contract import MAX_BATCH, MAX_BODY, Application, BatchScore, Score, explain, score
from oakbank.deploy.metrics import Metrics
from oakbank.pipelines import OAKBANK, CreditModel, Registry, RegistryError

log = logging.getLogger("oakbank.deploy")
NO_VERSION = "none"
"""What the version header says while no model is loaded."""


@dataclass(frozen=True)
class Loaded:
    """A model in memory, and where it came from."""

    version: str
    model: CreditModel
    tags: dict[str, str]


class ScoringService:
    """Holds the model that an alias points to, and follows the alias.

    Args:
        registry: A registry; or its folder, which may appear later; or None: there is none.
        alias: The alias to serve.
    """

    def __init__(self, registry: Registry | str | Path | None, alias: str = "champion") -> None:
        self.alias = alias
        self.metrics = Metrics()
        self.loaded: Loaded | None = None
        self.problem = ""
        """Why the last refresh failed; "" if it did not."""
        self._source = registry
        self._lock = Lock()

    def _registry(self) -> Registry:
        if self._source is None:
            raise RegistryError("no model registry was given: run the training pipeline and start with --registry DIR")
        if not isinstance(self._source, Registry):
            self._source = Registry(self._source, create=False)
        return self._source

    def refresh(self) -> bool:
        """Load the alias's version if it is not the one in memory; return whether one was loaded.

        A failure keeps the model that is there (an old champion beats none) and is told in `problem`, in the log
        and in the metrics. Requests under way end with the model they began with.
        """
        with self._lock:
            try:
                registry = self._registry()
                version = registry.alias(self.alias)
                if version is None:
                    raise RegistryError(f"no model has the alias {self.alias!r}: train and promote one first")
                if self.loaded is not None and self.loaded.version == version:
                    self.problem = ""
                    return False
                model = registry.load(version)
                if model.spec is not OAKBANK:
                    raise RegistryError(f"version {version} scores {model.spec.name} data: promote one for Oakbank")
                self.loaded = Loaded(version, model, registry.tags(version))
            except Exception as error:  # whatever the registry's database or disk raises: serving must go on
                if not self.problem:
                    log.warning("no model from the registry: %s", error, exc_info=not isinstance(error, RegistryError))
                self.problem = str(error)
                self.metrics.refresh_failures.inc()
                return False
            self.problem = ""
            self.metrics.serving(version)
            log.info("serving version %s", version)
            return True


class _Observe:
    """Around every request: one model from begin to end, its version in the header, count and seconds."""

    def __init__(self, app: ASGIApp, service: ScoringService) -> None:
        self.app, self.service = app, service

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        loaded = self.service.loaded
        version = NO_VERSION if loaded is None else loaded.version
        scope.setdefault("state", {})["loaded"] = loaded
        status = 0
        begin = time.perf_counter()

        async def send_with_version(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-model-version", version.encode())]
            await send(message)

        try:
            if refusal := _too_large(scope):
                body = {"detail": refusal[1], "model_version": version}
                await JSONResponse(body, status_code=refusal[0])(scope, receive, send_with_version)
            else:
                await self.app(scope, receive, send_with_version)
        except Exception:
            log.exception("fault in %s %s", scope["method"], scope["path"])
            if status:  # the answer had begun: nothing to do but cut the connection
                raise
            told = {"detail": "a fault of the service; it is in its log", "model_version": version}
            await JSONResponse(told, status_code=500)(scope, receive, send_with_version)
        finally:
            # The route's template, never the path: a scanner must not be able to grow the metrics without end.
            route = getattr(scope.get("route"), "path", "unmatched")
            method = scope["method"] if route != "unmatched" else "any"
            self.service.metrics.requests.labels(route, method, str(status)).inc()
            self.service.metrics.seconds.labels(route).observe(time.perf_counter() - begin)


def _too_large(scope: Scope) -> tuple[int, str] | None:
    """Return why a body is refused unread, as status and words. The server itself holds senders to their length."""
    headers = Headers(scope=scope)
    if int(headers.get("content-length", 0)) > MAX_BODY:
        return 413, f"send at most {MAX_BODY} bytes of JSON: split the batch, or use the batch job"
    if "transfer-encoding" in headers:
        return 411, "send JSON with its Content-Length, not in chunks"
    return None


def _version(request: Request) -> str | None:
    loaded: Loaded | None = request.state.loaded
    return None if loaded is None else loaded.version


def _needed(request: Request) -> Loaded:
    loaded: Loaded | None = request.state.loaded
    if loaded is None:
        service: ScoringService = request.app.state.service
        raise HTTPException(503, service.problem or "the model has only just been loaded: ask again")
    return loaded


Model = Annotated[Loaded, Depends(_needed)]


def create_app(
    registry: Registry | str | Path | None, alias: str = "champion", *, refresh_seconds: float | None = None
) -> FastAPI:
    """Return the scoring service. It is alive without a model, and ready with one.

    Args:
        registry: A registry; or its folder, which may appear later; or None: there is none.
        alias: The alias to serve.
        refresh_seconds: How often to ask the registry whether the alias moved; None: only now, and whenever
            somebody calls `app.state.service.refresh()`.
    """
    service = ScoringService(registry, alias)
    service.refresh()

    async def follow(seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            await run_in_threadpool(service.refresh)

    @contextlib.asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        task = None if refresh_seconds is None else asyncio.create_task(follow(refresh_seconds))
        yield
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    # Without the two pages of documentation: they load their scripts from a CDN. The schema is at /openapi.json.
    app = FastAPI(title="Oakbank scoring", docs_url=None, redoc_url=None, lifespan=lifespan)
    app.state.service = service
    app.add_middleware(_Observe, service=service)

    @app.exception_handler(RequestValidationError)
    def invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        body = {"detail": explain(error.errors()), "model_version": _version(request)}
        return JSONResponse(body, status_code=422)

    @app.exception_handler(StarletteHTTPException)
    def refused(request: Request, error: StarletteHTTPException) -> JSONResponse:
        # FastAPI's 400 (not text, numbers without end, nested without end) does not say what it would take.
        detail = f"{error.detail}; send JSON in UTF-8" if error.status_code == 400 else error.detail
        body = {"detail": detail, "model_version": _version(request)}
        return JSONResponse(body, status_code=error.status_code, headers=error.headers)

    @app.post("/score")
    def score_one(application: Application, loaded: Model) -> Score:
        """Score one application."""
        scores = score(loaded.model, loaded.version, [application])
        service.metrics.scored(scores)
        return scores[0]

    @app.post("/score/batch")
    def score_batch(
        applications: Annotated[list[Application], Body(min_length=1, max_length=MAX_BATCH)], loaded: Model
    ) -> BatchScore:
        """Score several applications; one that is wrong refuses them all."""
        scores = score(loaded.model, loaded.version, applications)
        service.metrics.scored(scores)
        return BatchScore(model_version=loaded.version, scores=scores)

    @app.get("/health")
    def health(request: Request) -> dict[str, str | None]:
        """Say whether the process is alive; restart it if not."""
        return {"status": "alive", "model_version": _version(request)}

    @app.get("/ready")
    def ready(request: Request) -> JSONResponse:
        """Say whether to send requests here; if not, why. Also with a model, `reason` tells of a failed refresh."""
        version = _version(request)
        body = {"ready": version is not None, "reason": service.problem, "model_version": version}
        return JSONResponse(body, status_code=503 if version is None else 200)

    @app.get("/version")
    def version(request: Request) -> dict[str, Any]:
        """Say which model serves, and its lineage."""
        loaded: Loaded | None = request.state.loaded
        return {"model_version": _version(request), "alias": alias, "lineage": {} if loaded is None else loaded.tags}

    @app.get("/metrics")
    def metrics() -> Response:
        """Give the measures in Prometheus' text format."""
        return Response(service.metrics.text(), media_type=CONTENT_TYPE_LATEST)

    return app


def main(arguments: list[str] | None = None) -> None:
    """Run the service until it is stopped."""
    parser = argparse.ArgumentParser(prog="python -m oakbank.deploy.service", description="Oakbank's scoring service")
    parser.add_argument("--registry", type=Path, required=True, help="folder of the model registry; may appear later")
    parser.add_argument("--alias", default="champion", help="alias to serve (default: champion)")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--root-path", default="", help="prefix that a proxy strips, such as /proxy/8000")
    parser.add_argument("--refresh-seconds", type=float, default=5.0, help="how often to look whether the alias moved")
    options = parser.parse_args(arguments)
    if options.refresh_seconds <= 0:
        parser.error("--refresh-seconds must be above 0")
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    app = create_app(options.registry, options.alias, refresh_seconds=options.refresh_seconds)
    uvicorn.run(app, host=options.host, port=options.port, root_path=options.root_path)


if __name__ == "__main__":
    main()
