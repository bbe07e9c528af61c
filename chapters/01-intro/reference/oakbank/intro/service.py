"""The Oakbank service: one model behind HTTP. `uvicorn oakbank.intro.service:app` starts it on port 8000.

All of its configuration comes from the environment: `OAKBANK_MODEL`, the path of a scorecard, and `OAKBANK_VERSION`,
what it calls itself. In the image the package has no `__init__.py`, so that nothing of scikit-learn is imported.
"""

import logging
import os
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from fastapi import Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from pydantic import BaseModel, Field

from oakbank.intro import scorecard
from oakbank.intro.protocol import MAX_BODY, SCORING_ERRORS, needed, protocol_app
from oakbank.intro.scorecard import ApplicationError, Scorecard

log = logging.getLogger("uvicorn.error")  # the one that uvicorn shows


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


@dataclass(frozen=True)
class Loaded:
    """A model in memory, and what the service calls itself."""

    card: Scorecard
    version: str


class ModelFile:
    """The file that `OAKBANK_MODEL` names: read once, by the first request that finds it."""

    def __init__(self) -> None:
        self.problem = ""
        """Why there is no model; "" if there is one."""
        self._loaded: Loaded | None = None
        self._loading = threading.Lock()

    @property
    def loaded(self) -> Loaded | None:
        """The model, or None as long as there is none."""
        with self._loading:
            if self._loaded is None:
                path = os.environ.get("OAKBANK_MODEL", "")
                try:
                    if not path:
                        raise ValueError("OAKBANK_MODEL is not set")
                    card = scorecard.load(Path(path))
                except (OSError, ValueError) as error:
                    self.problem = f"no model: {error}"
                    return None
                self._loaded = Loaded(card, os.environ.get("OAKBANK_VERSION", "unversioned"))
                self.problem = ""
                log.info("model %s loaded from %s", self._loaded.version, path)
            return self._loaded


source = ModelFile()


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    """Try to load the model before the first request; without one the process lives, and says that it is not ready."""
    if source.loaded is None:
        log.warning("%s", source.problem)
    yield


app = protocol_app(FastAPI, source, title="Oakbank", lifespan=lifespan)


@app.post("/score", responses=SCORING_ERRORS, max_body_size=MAX_BODY)
async def score(application: Application, loaded: Annotated[Loaded, Depends(needed)]) -> Score:
    """Score one application; 422 says what is wrong with it."""
    try:
        probability = scorecard.probability(loaded.card, application.model_dump())
    except ApplicationError as error:
        fault = {"type": "value_error", "loc": ("body", error.column), "msg": f"must be {error.wanted}"}
        raise RequestValidationError([fault]) from error
    return Score(default_probability=probability, model_version=loaded.version)
