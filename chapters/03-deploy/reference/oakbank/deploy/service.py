"""The online scoring service: `python -m oakbank.deploy.service --registry DIR`."""

import argparse
import logging
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import uvicorn
from fastapi import FastAPI, Request, Response
from fastapi.responses import PlainTextResponse
from prometheus_client import CONTENT_TYPE_LATEST
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from oakbank.deploy.exclusive import reachable
from oakbank.deploy.inputs import InputBins
from oakbank.deploy.lifespan import refreshing
from oakbank.deploy.logs import JsonLines, RequestLog
from oakbank.deploy.metrics import Metrics
from oakbank.deploy.record import RECORD_ERRORS, DecisionRecord, add_record_options, record_of
from oakbank.intro.protocol import SCORING_ERRORS, model_version
from oakbank.pipelines import OAKBANK, Registry, RegistryError
from oakbank.pipelines.contract import Application, Identified, Score
from oakbank.pipelines.service import Loaded, score_in_thread, scoring_app

log = logging.getLogger("oakbank.deploy")


class ScoringService:
    """Holds the model that an alias points to, and follows the alias.

    Args:
        registry: A registry; or its folder, which may appear later; or None: there is none.
        alias: The alias to serve.
        bins: See `Metrics`.
    """

    def __init__(
        self, registry: Registry | str | Path | None, alias: str = "champion", bins: InputBins | None = None
    ) -> None:
        self.alias = alias
        self.metrics = Metrics(bins)
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
                with reachable(registry):
                    found = self._newer(registry)
            except Exception as error:  # whatever the registry's database or disk raises: serving must go on
                if not self.problem:
                    log.warning("no model from the registry: %s", error, exc_info=not isinstance(error, RegistryError))
                self.problem = str(error)
                self.metrics.refresh_failures.inc()
                return False
            self.problem = ""
            if found is None:
                return False
            self.loaded = found
            self.metrics.serving(found.version)
            log.info("serving version %s", found.version)
            return True

    def _newer(self, registry: Registry) -> Loaded | None:
        version = registry.alias(self.alias)
        if version is None:
            raise RegistryError(f"no model has the alias {self.alias!r}: train and promote one first")
        if self.loaded is not None and self.loaded.version == version:
            return None
        model = registry.load(version)
        if model.spec is not OAKBANK:
            raise RegistryError(f"version {version} scores {model.spec.name} data: promote one for Oakbank")
        return Loaded(version, model, registry.tags(version))

    def scored(self, scores: Sequence[Score]) -> None:
        """Count given scores."""
        self.metrics.scored(scores)


class _Observe:
    """Around every request: count and seconds."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self.app, self.metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        status = 0
        begin = time.perf_counter()

        async def send_and_note(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        try:
            await self.app(scope, receive, send_and_note)
        finally:
            # The route's template, never the path: a scanner must not be able to grow the metrics without end.
            route = getattr(scope.get("route"), "path", "unmatched")
            method = scope["method"] if route != "unmatched" else "any"
            self.metrics.answered(route, method, status, time.perf_counter() - begin)


class Lineage(BaseModel):
    """Which model serves, and where it came from."""

    model_version: str | None
    alias: str
    lineage: dict[str, str]


def create_app(
    registry: Registry | str | Path | None,
    alias: str = "champion",
    *,
    refresh_seconds: float | None = None,
    bins: InputBins | None = None,
    record: DecisionRecord | None = None,
) -> FastAPI:
    """Return the scoring service. It is alive without a model, and ready with one.

    Args:
        registry: A registry; or its folder, which may appear later; or None: there is none.
        alias: The alias to serve.
        refresh_seconds: How often to ask the registry whether the alias moved; None: only now, and whenever
            somebody calls `app.state.service.refresh()`.
        bins: Into which the inputs are counted for `/metrics`; None: they are not.
        record: Keeps each decision before it is answered, and every application needs an id; None: none is kept.
    """
    service = ScoringService(registry, alias, bins)
    service.refresh()

    async def count_score_keep(loaded: Loaded, applications: Sequence[Any]) -> list[Score]:
        service.metrics.took_in(application.model_dump() for application in applications)
        scores = await score_in_thread(loaded, applications)
        return scores if record is None else await run_in_threadpool(record.answer, applications, scores)

    app = scoring_app(
        service,
        scorer=score_in_thread if bins is None and record is None else count_score_keep,
        application=Application if record is None else Identified,
        errors=SCORING_ERRORS if record is None else RECORD_ERRORS,
        lifespan=refreshing(service.refresh, refresh_seconds),
    )
    app.state.record = record
    service.metrics.expect("/score", "/score/batch")
    app.add_middleware(_Observe, metrics=service.metrics)

    @app.get("/version")
    def version(request: Request) -> Lineage:
        """Say which model serves, and its lineage."""
        loaded: Loaded | None = request.state.loaded
        tags = {} if loaded is None else loaded.tags
        return Lineage(model_version=model_version(request), alias=alias, lineage=tags)

    @app.get("/metrics", response_class=PlainTextResponse)
    def metrics() -> Response:
        """Give the measures in Prometheus' text format."""
        return Response(service.metrics.text(), media_type=CONTENT_TYPE_LATEST)

    return app


def main(
    arguments: list[str] | None = None,
    create: Callable[..., FastAPI] = create_app,
    prog: str = "python -m oakbank.deploy.service",
) -> None:
    """Run the service until it is stopped.

    Args:
        arguments: Of the command; None: those of this process.
        create: Makes the app, as `create_app` does.
        prog: What the command is called.
    """
    parser = argparse.ArgumentParser(prog=prog, description="Oakbank's scoring service")
    parser.add_argument("--registry", type=Path, required=True, help="folder of the model registry; may appear later")
    parser.add_argument("--alias", default="champion", help="alias to serve (default: champion)")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--root-path", default="", help="prefix that a proxy strips, such as /proxy/8000")
    parser.add_argument("--refresh-seconds", type=float, default=5.0, help="how often to look whether the alias moved")
    parser.add_argument("--json-logs", action="store_true", help="log in JSON, and a line for each request")
    add_record_options(parser)
    options = parser.parse_args(arguments)
    if options.refresh_seconds <= 0:
        parser.error("--refresh-seconds must be above 0")
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    app = create(options.registry, options.alias, refresh_seconds=options.refresh_seconds, record=record_of(options))
    if options.json_logs:
        for handler in logging.getLogger().handlers:
            handler.setFormatter(JsonLines())
        app.add_middleware(RequestLog)
    # Not uvicorn's line for each request: a path may hold anything. `RequestLog` writes the route instead.
    uvicorn.run(app, host=options.host, port=options.port, root_path=options.root_path, access_log=False)


if __name__ == "__main__":
    main()
