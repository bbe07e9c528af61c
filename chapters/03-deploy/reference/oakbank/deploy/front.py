"""The router of a release on Kubernetes: in front of the arms' Services, a hash of the applicant chooses which.

`uvicorn oakbank.deploy.front:app`, in chapter 1's image; `oakbank.deploy.manifests.front` makes its Deployment. All of
its configuration is environment of its pods, so a release changes a Deployment, and `kubectl rollout undo` is the way
back: `OAKBANK_SALT`, `OAKBANK_SHARE`, and the name of each arm's Service, such as `OAKBANK_CANARY`. It keeps no
counts and stops nothing: its pods would have to add them up.
"""

import logging
import os
from collections.abc import Mapping
from contextlib import closing
from dataclasses import dataclass
from email.message import Message
from http.client import HTTPConnection, HTTPException
from typing import Annotated, NamedTuple

import fastapi
from fastapi import FastAPI, Request, Response
from pydantic import BaseModel, ConfigDict, Field
from starlette.concurrency import run_in_threadpool

from oakbank.deploy.answered import WhoAnswered
from oakbank.deploy.assignment import MAX_SHARE, arm_of
from oakbank.intro.protocol import MAX_BODY, SCORING_ERRORS, protocol_app

log = logging.getLogger("uvicorn.error")  # the one that uvicorn shows

SECONDS = 2.0
"""To wait for an arm."""


class Identified(BaseModel):
    """An application, of which only the id is looked at; all of it goes to the arm."""

    model_config = ConfigDict(strict=True, extra="allow")
    application_id: Annotated[int, Field(ge=0, le=2**53 - 1, description="whom the arm is chosen for")]


class Answer(NamedTuple):
    """What an arm said."""

    status: int
    body: bytes
    headers: Message


@dataclass(frozen=True)
class Split:
    """Who answers whom."""

    salt: str
    share: float
    """Of applicants in the canary, and as many in its baseline."""
    arms: Mapping[str, tuple[str, int]]
    """Host and port of the Service of each arm; one that has none is answered by the champion."""
    version: str = "router"

    @classmethod
    def from_environment(cls) -> "Split":
        """Read it.

        Raises:
            ValueError: There is no champion, or the share is none.
        """
        services = {arm: os.environ.get(f"OAKBANK_{arm.upper()}", "") for arm in ("champion", "canary", "baseline")}
        share = float(os.environ.get("OAKBANK_SHARE", "0"))
        if not services["champion"] or not 0 <= share <= MAX_SHARE:
            raise ValueError(f"set OAKBANK_CHAMPION to a Service, and OAKBANK_SHARE from 0 to {MAX_SHARE}")
        arms = {arm: _address(service) for arm, service in services.items() if service}
        return cls(os.environ.get("OAKBANK_SALT", ""), share, arms)

    def ask(self, applicant: str, body: bytes) -> Answer:
        """Have the applicant's arm answer; if it is not the champion and fails, the champion.

        Raises:
            fastapi.HTTPException: 503: the champion does not answer.
        """
        arm = arm_of(applicant, self.salt, self.share)
        if arm != "champion" and arm in self.arms:
            try:
                return _ask(self.arms[arm], body)
            except OSError as error:  # the applicant is not to suffer from it
                log.warning("%s does not answer: %s", arm, error)
        try:
            return _ask(self.arms["champion"], body)
        except OSError as error:
            log.warning("the champion does not answer: %s", error)
            raise fastapi.HTTPException(503, "no model answers: ask again", headers={"Retry-After": "1"}) from None


def _address(service: str) -> tuple[str, int]:
    """Return where a Service is: as Kubernetes tells pods that start after it; else its name, for a cluster's DNS."""
    name = service.upper().replace("-", "_")
    return os.environ.get(f"{name}_SERVICE_HOST", service), int(os.environ.get(f"{name}_SERVICE_PORT", "80"))


def _ask(address: tuple[str, int], body: bytes) -> Answer:
    """Ask an arm. An application that it refuses (4xx) is an answer.

    Raises:
        OSError: It cannot be reached, is slow, or fails (5xx).
    """
    with closing(HTTPConnection(*address, timeout=SECONDS)) as connection:
        try:
            connection.request("POST", "/score", body, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            told = Answer(answer.status, answer.read(), answer.headers)
        except HTTPException as error:
            raise ConnectionError(f"no answer in HTTP: {error}") from error
    if told.status >= 500:
        raise ConnectionError(f"it answers {told.status}")
    return told


@dataclass(frozen=True)
class Front:
    """What the protocol asks for: the front has no model of its own; each answer names the arm's."""

    loaded: Split
    problem: str = ""


def create_app(split: Split) -> FastAPI:
    """Return the router over a split."""
    app = protocol_app(FastAPI, Front(split), title="Oakbank router")
    app.add_middleware(WhoAnswered)

    @app.post("/score", responses=SCORING_ERRORS, max_body_size=MAX_BODY)
    async def score(application: Identified, request: Request) -> Response:
        """Have one application scored by the arm that its applicant is assigned to."""
        body = await request.body()
        answer = await run_in_threadpool(split.ask, str(application.application_id), body)
        request.state.answered_by = answer.headers.get("x-model-version", "none")
        return Response(answer.body, answer.status, media_type=answer.headers.get_content_type())

    return app


def __getattr__(name: str) -> FastAPI:
    """Make `app`, which uvicorn asks for, only then: who imports the module for another name needs no settings."""
    if name != "app":
        raise AttributeError(name)
    return create_app(Split.from_environment())
