"""Chapter 2's scoring service behind tokens and roles, and what approvers, auditors and operators do there."""

from collections import deque
from collections.abc import Callable, Sequence
from threading import Lock
from typing import Annotated, Any, Literal

import casbin
from fastapi import Depends, FastAPI, HTTPException, Request
from fastapi.concurrency import run_in_threadpool
from pydantic import BaseModel, Field

from oakbank.deploy.gate import four_eyes
from oakbank.intro.protocol import SCORING_ERRORS, Problem
from oakbank.pipelines import CreditModel
from oakbank.pipelines.contract import Score
from oakbank.pipelines.service import Loaded, scoring_app
from oakbank.scale.access.roles import enforcer, may
from oakbank.scale.access.tokens import Caller, KeysError, TokenError

OPEN = ("/healthz", "/readyz")
"""For the machine that restarts us: it has no token, and learns nothing else."""
KEPT = 1_000
ERRORS: dict[int | str, dict[str, Any]] = SCORING_ERRORS | {
    401: {"model": Problem, "description": "No token, or one that proves nothing: log in"},
    403: {"model": Problem, "description": "We know who asks, and none of their roles may do this"},
    409: {"model": Problem, "description": "Whoever trained the model may not approve it"},
}


class Entry(BaseModel):
    """A request that needed a role. The bank's audit log (lesson 04/01) is the one that nobody can rewrite."""

    subject: str = Field(description="who asked; empty: nobody knows")
    roles: tuple[str, ...]
    route: str
    method: str
    status: Literal[200, 401, 403, 503] = Field(description="200: let through")


class Approval(BaseModel):
    """Who lets the model be used; the name is the token's, not one that was typed."""

    model_version: str
    approver: str


class Paused(BaseModel):
    """Whether the service answers."""

    paused: bool


class Switched:
    """One model that an operator can take out of service; a `Source`."""

    def __init__(self, loaded: Loaded) -> None:
        self._loaded, self.paused = loaded, False

    @property
    def loaded(self) -> Loaded | None:
        """The model; None: an operator has paused the service."""
        return None if self.paused else self._loaded

    @property
    def problem(self) -> str:
        """Why there is none."""
        return "an operator has paused the service: ask again later" if self.paused else ""

    def scored(self, scores: Sequence[Score]) -> None:
        """Do nothing."""


class Door:
    """Lets a request through if its token is good and one of its roles may; keeps the last requests, without tokens."""

    def __init__(self, verify: Callable[[str], Caller], policy: casbin.Enforcer) -> None:
        self._verify, self._policy, self._lock = verify, policy, Lock()
        self.entries: deque[Entry] = deque(maxlen=KEPT)

    async def __call__(self, request: Request) -> None:
        """Check a request; `request.state.caller` is who asks.

        Raises:
            HTTPException: 401, 403, or 503 as the provider's keys cannot be had.
        """
        route = request.scope["route"].path  # as the application names it: no spelling of a path gets around it
        if route in OPEN:
            return
        caller = Caller("", ())
        try:
            # The verifier may fetch keys, which takes a while.
            caller = await run_in_threadpool(self._verify, _bearer(request))
        except TokenError as error:
            raise self._refused(request, caller, route, 401, f"log in: {error}") from error
        except KeysError as error:
            raise self._refused(request, caller, route, 503, str(error)) from error
        if not may(self._policy, caller.roles, route, request.method):
            detail = f"none of your roles may {request.method} {route}: ask for one that may"
            raise self._refused(request, caller, route, 403, detail)
        self._note(request, caller, route, 200)
        request.state.caller = caller

    def _refused(self, request: Request, caller: Caller, route: str, status: Any, detail: str) -> HTTPException:
        self._note(request, caller, route, status)
        how = {401: 'Bearer error="invalid_token"', 403: 'Bearer error="insufficient_scope"'}
        return HTTPException(status, detail, headers={"WWW-Authenticate": how[status]} if status in how else None)

    def _note(self, request: Request, caller: Caller, route: str, status: Any) -> None:
        with self._lock:
            self.entries.append(
                Entry(subject=caller.subject, roles=caller.roles, route=route, method=request.method, status=status)
            )


def _bearer(request: Request) -> str:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() != "bearer" or not token:
        raise TokenError("send a token, as Authorization: Bearer ...")
    return token


def create_access_app(
    model: CreditModel,
    version: str,
    verify: Callable[[str], Caller],
    policy: casbin.Enforcer | None = None,
    author: str | None = None,
) -> FastAPI:
    """Return the scoring service with a door: every route but the two probes needs a token and a role.

    There is no page of documentation; the schema, /openapi.json, is public: it names routes and fields.

    Args:
        model: What answers.
        version: Its version in the registry.
        verify: Says who asks, such as a `Verifier`.
        policy: Says what roles may; None: the bank's.
        author: Who trained the model: they may not approve it.
    """
    source = Switched(Loaded(version, model))
    door = Door(verify, enforcer() if policy is None else policy)
    app = scoring_app(source, errors=ERRORS, dependencies=[Depends(door)], docs_url=None)
    approvals: list[Approval] = []

    def caller(request: Request) -> Caller:
        asks: Caller = request.state.caller
        return asks

    @app.post("/approval", responses={**ERRORS})
    async def approve(asks: Annotated[Caller, Depends(caller)]) -> Approval:
        """Let the model be used."""
        result = four_eyes(author, asks.subject)
        if not result.passed:
            raise HTTPException(409, result.detail)
        approvals.append(Approval(model_version=version, approver=asks.subject))
        return approvals[-1]

    @app.get("/approval", responses={**ERRORS})
    async def approved() -> list[Approval]:
        """Say who let the model be used."""
        return approvals

    @app.put("/paused", responses={**ERRORS})
    async def pause(wanted: Paused) -> Paused:
        """Take the service out of use, or back into it."""
        source.paused = wanted.paused
        return wanted

    @app.get("/log", responses={**ERRORS})
    async def log() -> list[Entry]:
        """Say who asked for what."""
        return [*door.entries]

    return app
