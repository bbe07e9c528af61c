"""What the scoring service takes and gives, derived from the bank's schema: one truth for ranges, categories, units."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, create_model

from oakbank.pipelines import CreditModel, grant
from oakbank.world import CATEGORIES, COLUMNS, FEATURES, Column, break_even

MAX_BATCH = 1_000
"""Applications in one request; more is a matter for the batch job."""
MAX_BODY = 1_000_000
"""Bytes of one request; a full batch has less than half of it."""
MAX_ERRORS = 20
"""Faults listed in one answer: a client that gets every field of a full batch wrong gets a short answer too."""
_BY_NAME = {column.name: column for column in COLUMNS}


def wanted(column: Column) -> str:
    """Return in words what a field must hold."""
    if column.name in CATEGORIES:
        return f"one of {', '.join(CATEGORIES[column.name])}"
    number = "a number" if column.dtype == "float64" else "a whole number"
    span = f"from {column.low:g}" if column.high is None else f"from {column.low:g} to {column.high:g}"
    return f"{number} {span}" + ("" if column.unit == "-" else f" ({column.unit})")


def _field(column: Column) -> tuple[Any, Any]:
    description = f"{column.meaning}: {wanted(column)}"
    if column.name in CATEGORIES:
        return Literal[CATEGORIES[column.name]], Field(description=description)
    number = float if column.dtype == "float64" else int
    low = None if column.low is None else number(column.low)
    # An id without a bound of its own still has to fit the int64 of the schema.
    high = 2**63 - 1 if column.high is None else number(column.high)
    return number, Field(ge=low, le=high, description=description)


class _Strict(BaseModel):
    # Strict: "30" is no number and true is no 1. Extra fields are typos or leaks; infinity is no amount.
    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, frozen=True)


_ID, _ID_FIELD = _field(_BY_NAME["application_id"])
_FIELDS: dict[str, Any] = {"application_id": (Annotated[_ID, _ID_FIELD] | None, None)}
_FIELDS |= {name: _field(_BY_NAME[name]) for name in FEATURES}
Application: Any = create_model("Application", __base__=_Strict, **_FIELDS)
Application.__doc__ = "One loan application: the fields that a model may see, and an id if the caller has one."


class Score(BaseModel):
    """The answer to one application."""

    application_id: int | None = Field(description="as given")
    default_probability: float = Field(description="0 to 1")
    granted: bool = Field(description="whether the default probability is below break_even")
    break_even: float = Field(description="default probability at which this loan earns nothing")
    model_version: str = Field(description="version in the model registry")


class BatchScore(BaseModel):
    """The answers to several applications, in their order, all by one model."""

    model_version: str
    scores: list[Score]


def to_frame(applications: Sequence[BaseModel]) -> pd.DataFrame:
    """Return validated applications as the data frame that the model and the batch job read, one row each."""
    return pd.DataFrame([application.model_dump() for application in applications], columns=list(FEATURES))


def score(model: CreditModel, version: str, applications: Sequence[Any]) -> list[Score]:
    """Score validated applications; the same features, model and rule as in the batch job."""
    frame = to_frame(applications)
    probability = model.predict(frame)
    limit = break_even(frame["amount"], frame["term"])
    granted = grant(probability, frame["amount"], frame["term"])
    return [
        Score(
            application_id=application.application_id,
            default_probability=float(probability[row]),
            granted=bool(granted[row]),
            break_even=float(limit[row]),
            model_version=version,
        )
        for row, application in enumerate(applications)
    ]


def explain(errors: Sequence[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return validation errors as `field`, `problem`, `wanted`; the input itself is never echoed.

    (An input may hold NaN, which no JSON answer can carry, and it may be personal.)
    """
    told = [_explain_one(error) for error in errors[:MAX_ERRORS]]
    if len(errors) > MAX_ERRORS:
        told.append({"field": "", "problem": f"and {len(errors) - MAX_ERRORS} more", "wanted": "as above"})
    return told


def _explain_one(error: Mapping[str, Any]) -> dict[str, str]:
    loc = [part for part in error["loc"] if part != "body"]
    if error["type"] == "json_invalid":
        problem = f"not valid JSON at character {loc[-1]}: {error['ctx']['error']}"
        return {"field": "body", "problem": problem, "wanted": "JSON with " + ", ".join(FEATURES)}
    field = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in loc).lstrip(".") or "body"
    if error["type"] == "extra_forbidden":
        hint = f"leave it out; the fields are {', '.join(FEATURES)} and application_id"
    elif loc and loc[-1] in _BY_NAME:
        hint = wanted(_BY_NAME[str(loc[-1])])
    else:
        hint = f"JSON as application/json: one application, or a list of 1 to {MAX_BATCH} for /score/batch"
    return {"field": field[:100], "problem": str(error["msg"]), "wanted": hint}
