"""The Oakbank service: one model behind HTTP. `uvicorn oakbank.intro.service:app` starts it on port 8000.

All of its configuration comes from the environment: `OAKBANK_MODEL`, the path of a scorecard, and `OAKBANK_VERSION`,
what it calls itself. In the image the package has no `__init__.py`, so that nothing of scikit-learn is imported.
"""

import logging
import os
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

from fastapi import FastAPI, HTTPException
from pydantic import BaseModel, Field

from oakbank.intro import scorecard
from oakbank.intro.scorecard import ApplicationError, Scorecard

log = logging.getLogger("uvicorn.error")  # the one that uvicorn shows

_card: Scorecard | None = None
_loading = threading.Lock()


class Application(BaseModel):
    """A loan application, as far as the model looks at it; ranges and units are those of the world's schema."""

    age: Annotated[int, Field(ge=18, le=80, description="years")]
    income: Annotated[float, Field(ge=300, le=30_000, description="EUR per month")]
    debts: Annotated[float, Field(ge=0, le=20_000, description="EUR per month")]
    employment: str
    years_employed: Annotated[float, Field(ge=0, le=60, description="years")]
    housing: str
    bureau_score: Annotated[float, Field(ge=300, le=850, description="points")]
    delinquencies: Annotated[int, Field(ge=0, le=50, description="late payments in the last 24 months")]
    purpose: str
    region: str
    channel: str
    amount: Annotated[float, Field(ge=500, le=60_000, description="EUR")]
    term: Annotated[int, Field(ge=6, le=84, description="months")]


class Score(BaseModel):
    """The answer: the probability (0 to 1) that the loan defaults, and the version of the service that says so."""

    default_probability: float
    model_version: str


def model() -> Scorecard:
    """Return the model; it is read once, at the first call that finds its file.

    Raises:
        HTTPException: 503, with the reason, as long as there is none.
    """
    global _card
    with _loading:
        if _card is None:
            path = os.environ.get("OAKBANK_MODEL", "")
            try:
                if not path:
                    raise ValueError("OAKBANK_MODEL is not set")
                _card = scorecard.load(Path(path))
            except (OSError, ValueError) as error:
                raise HTTPException(503, f"no model: {error}") from error
            log.info("model %s loaded from %s", version(), path)
        return _card


def version() -> str:
    """Return what the service calls itself."""
    return os.environ.get("OAKBANK_VERSION", "unversioned")


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Try to load the model before the first request; without one the process lives, and says that it is not ready."""
    try:
        model()
    except HTTPException as error:
        log.warning("%s", error.detail)
    yield


app = FastAPI(title="Oakbank", lifespan=lifespan)


@app.get("/healthz")
def healthz() -> dict[str, str]:
    """Liveness: the process answers."""
    return {"status": "alive"}


@app.get("/readyz")
def readyz() -> dict[str, str]:
    """Readiness: the model is loaded; 503 with a reason until then."""
    model()
    return {"status": "ready", "model_version": version()}


@app.post("/score")
def score(application: Application) -> Score:
    """Score one application; 422 says what is wrong with it."""
    try:
        return Score(
            default_probability=scorecard.probability(model(), application.model_dump()), model_version=version()
        )
    except ApplicationError as error:
        raise HTTPException(422, str(error)) from error
