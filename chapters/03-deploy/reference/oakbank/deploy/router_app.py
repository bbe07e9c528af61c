"""The router behind HTTP, and the command of the person who releases.

python -m oakbank.deploy.router_app serve FOLDER [--port 8000]
python -m oakbank.deploy.router_app status FOLDER
python -m oakbank.deploy.router_app rollback FOLDER --by NAME
"""

import argparse
import logging
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import uvicorn
from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException, Request
from fastapi_offline import FastAPIOffline
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool

from oakbank.deploy import release as steps
from oakbank.deploy.answered import WhoAnswered
from oakbank.deploy.arms import FEATURE_CODE, Features, Loaded, RoutedScore
from oakbank.deploy.lifespan import refreshing
from oakbank.deploy.record import RECORD_ERRORS, DecisionRecord, add_record_options, record_of
from oakbank.deploy.release import ReleaseError, State
from oakbank.deploy.release_files import read_bundle, read_state
from oakbank.deploy.router import Router
from oakbank.intro.protocol import MAX_BODY, SCORING_ERRORS, needed, protocol_app
from oakbank.pipelines.contract import Application, Identified, explain


class ReleaseReport(BaseModel):
    """Who decides about whom, and what is known of the release on trial."""

    champion: str
    previous: str | None
    challenger: str | None
    mode: str | None
    share: float
    stopped: str
    verdict: str
    reason: str
    trial: dict[str, Any]


def create_app(
    folder: str | Path,
    *,
    features: Mapping[str, Features] = FEATURE_CODE,
    refresh_seconds: float | None = None,
    record: DecisionRecord | None = None,
) -> FastAPI:
    """Return the router's service. It is alive without a champion, and ready with one.

    Args:
        folder: Of the router; it may appear later.
        features: Feature code by name.
        refresh_seconds: How often to read the state; None: only when somebody calls `app.state.service.refresh()`.
        record: Keeps each decision before it is answered, and every application needs an id; None: none is kept.
    """
    router = Router(folder, features)

    app = protocol_app(
        FastAPIOffline,
        router,
        explain,
        title="Oakbank router",
        redoc_url=None,
        swagger_ui_parameters={"validatorUrl": None},  # Swagger's badge would send the schema's address to its maker
        lifespan=refreshing(router.refresh, refresh_seconds),
    )
    app.state.record = record
    app.add_middleware(WhoAnswered)

    one: Any = Application if record is None else Identified

    @app.post("/score", responses=SCORING_ERRORS if record is None else RECORD_ERRORS, max_body_size=MAX_BODY)
    async def score(
        application: one, request: Request, later: BackgroundTasks, _: Annotated[Loaded, Depends(needed)]
    ) -> RoutedScore:
        """Score one application by the bundle that its applicant is assigned to."""
        given = await run_in_threadpool(router.answer, application)
        told = given if record is None else await run_in_threadpool(_kept, record, router, application, given)
        request.state.answered_by = told.model_version
        later.add_task(router.shadow, application, given)
        return told

    @app.get("/release")
    def release() -> ReleaseReport:
        """Say who decides about whom, and what is known of the release on trial."""
        state = router.state or State("none")
        trial, verdict = state.release, router.verdict()
        return ReleaseReport(
            champion=state.champion,
            previous=state.previous,
            challenger=None if trial is None else trial.challenger,
            mode=None if trial is None else trial.mode,
            share=0.0 if trial is None else trial.share,
            stopped="" if trial is None else trial.stopped,
            verdict=verdict.says,
            reason=verdict.reason,
            trial=asdict(router.trial) | {"salt": ""},
        )

    return app


def _kept(record: DecisionRecord, router: Router, application: Any, given: RoutedScore) -> RoutedScore:
    """Return the decision that stands, with the cutoff of the bundle that gave it."""
    (stands,) = record.answer([application], [given])
    if stands.model_version == given.model_version:
        return stands
    try:
        cutoff = read_bundle(router.folder, stands.model_version).cutoff
    except ReleaseError as error:
        raise HTTPException(503, f"this application was decided by a bundle that is gone: {error}") from None
    return stands.model_copy(update={"cutoff": cutoff})


def main(arguments: list[str] | None = None) -> None:
    """Serve, show the state, or take one step on it.

    Args:
        arguments: Of the command; None: those of this process.
    """
    parser = argparse.ArgumentParser(prog="python -m oakbank.deploy.router_app", description="Oakbank's router")
    parser.add_argument("verb", choices=["serve", "status", "start", "grow", "stop", "promote", "switch", "rollback"])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--by", default="", help="who decides it")
    parser.add_argument("--bundle", default="", help="start, switch: which one")
    parser.add_argument("--share", type=float, default=0.0, help="start, grow: of the canary; 0: shadow")
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8000)
    parser.add_argument("--refresh-seconds", type=float, default=1.0, help="serve: how often to read the state")
    add_record_options(parser)
    options = parser.parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    if options.verb == "serve":
        app = create_app(options.folder, refresh_seconds=options.refresh_seconds, record=record_of(options))
        uvicorn.run(app, host=options.host, port=options.port, access_log=False)
        return
    try:
        print(_step(options))
    except (ReleaseError, ValueError) as error:
        parser.exit(1, f"{error}\n")


def _step(options: argparse.Namespace) -> State:
    router = Router(options.folder)
    by, bundle, share = options.by, options.bundle, options.share
    if options.verb == "status":
        return read_state(options.folder)
    if options.verb == "promote":
        return router.promote(by)
    if options.verb == "start":
        return router.change(lambda old: steps.start(old, bundle, "canary" if share else "shadow", share, by))
    if options.verb == "grow":
        return router.change(lambda old: steps.grow(old, share, by))
    if options.verb == "stop":
        return router.change(lambda old: steps.abort(old, f"{by or 'nobody named'} stopped it"))
    if options.verb == "switch":
        return router.change(lambda old: steps.switch(old, bundle, by))
    return router.change(lambda old: steps.rollback(old, by))


if __name__ == "__main__":
    main()
