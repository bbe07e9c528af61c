"""The model behind HTTP: `create_app(model, version)`. What `oakbank.deploy.service` serves is built from the same."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, Protocol

from fastapi import Body, Depends, FastAPI, HTTPException, Request
from fastapi_offline import FastAPIOffline
from starlette.concurrency import run_in_threadpool

from oakbank.intro.protocol import MAX_BODY, SCORING_ERRORS, needed, protocol_app
from oakbank.pipelines.contract import MAX_BATCH, Application, BatchScore, Score, application_of, explain, score
from oakbank.pipelines.features import OAKBANK
from oakbank.pipelines.model import CreditModel
from oakbank.pipelines.table_spec import TableSpec, parse


@dataclass(frozen=True)
class Loaded:
    """A model in memory, and where it came from."""

    version: str
    model: CreditModel
    tags: dict[str, str] = field(default_factory=dict)


class Source(Protocol):
    """Where a service has its model from; also an `oakbank.intro.protocol.Source`."""

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


Scorer = Callable[[Loaded, Sequence[Any]], Awaitable[list[Score]]]
"""Scores validated applications with the model given, in their order."""


async def score_in_thread(loaded: Loaded, applications: Sequence[Any]) -> list[Score]:
    """Score as `oakbank.pipelines.contract.score` does, in a thread beside the event loop."""
    return await run_in_threadpool(score, loaded.model, loaded.version, applications)


def _fitting(request: Request, loaded: Annotated[Loaded, Depends(needed)]) -> Loaded:
    if loaded.model.spec.key != request.app.state.data:
        raise HTTPException(503, "the model loaded is of other data than this service takes: start create_app with it")
    return loaded


Model = Annotated[Loaded, Depends(_fitting)]


def scoring_app(
    source: Source,
    table: TableSpec | None = None,
    *,
    scorer: Scorer = score_in_thread,
    application: Any = Application,
    errors: Mapping[int | str, dict[str, Any]] = SCORING_ERRORS,
    **options: Any,
) -> FastAPI:
    """Return a service over a source of models. It is alive without a model, and ready with one.

    Its page of documentation, /docs, loads nothing from the network.

    Args:
        source: Where the model comes from; kept as `app.state.service`.
        table: Of data of one's own; None: the bank's applications are scored.
        scorer: What scores.
        application: The type of one of the bank's applications.
        errors: What the two routes that score may answer besides, as FastAPI's `responses`.
        options: For `FastAPI`, such as `lifespan`.
    """
    app = protocol_app(
        FastAPIOffline,
        source,
        lambda errors: explain(errors, table),
        title="Oakbank scoring",
        redoc_url=None,
        swagger_ui_parameters={"validatorUrl": None},  # Swagger's badge would send the schema's address to its maker
        **options,
    )
    app.state.data = OAKBANK.key if table is None else table.data_spec().key
    one: Any = application if table is None else application_of(table)
    batch = Annotated[list[one], Body(min_length=1, max_length=MAX_BATCH)]

    @app.post("/score", responses={**errors}, max_body_size=MAX_BODY)
    async def score_one(application: one, loaded: Model) -> Score:
        """Score one application."""
        scores = await scorer(loaded, [application])
        source.scored(scores)
        return scores[0]

    @app.post("/score/batch", responses={**errors}, max_body_size=MAX_BODY)
    async def score_batch(applications: batch, loaded: Model) -> BatchScore:
        """Score several applications; one that is wrong refuses them all."""
        scores = await scorer(loaded, applications)
        source.scored(scores)
        return BatchScore(model_version=loaded.version, scores=scores)

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
