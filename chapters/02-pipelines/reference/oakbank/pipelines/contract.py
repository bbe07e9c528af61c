"""What the scoring service takes and gives, derived from the bank's schema: one truth for ranges, categories, units."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, create_model

from oakbank.intro.protocol import field_of
from oakbank.pipelines.model import CreditModel, grant
from oakbank.pipelines.table_spec import Category, TableSpec, parse
from oakbank.world import CATEGORIES, COLUMNS, FEATURES, Column, break_even

MAX_BATCH = 1_000
"""Applications in one request; more is a matter for the batch job."""
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


def _type(column: Column) -> Any:
    description = f"{column.meaning}: {wanted(column)}"
    if column.name in CATEGORIES:
        return Annotated[Literal[CATEGORIES[column.name]], Field(description=description)]
    if column.dtype == "float64":
        return Annotated[float, Field(ge=column.low, le=column.high, description=description)]
    low = None if column.low is None else int(column.low)
    # An id has no bound of its own; above this one, JSON parsers that keep numbers as doubles round it.
    high = 2**53 - 1 if column.high is None else int(column.high)
    return Annotated[int, Field(ge=low, le=high, description=description), BeforeValidator(_whole)]


def _whole(value: Any) -> Any:
    # JSON has one kind of number: 36.0 is 36 (JSON Schema says so too), and clients whose column has a gap send that.
    return int(value) if isinstance(value, float) and value.is_integer() else value


class _Strict(BaseModel):
    # Strict: "30" is no number and true is no 1. Extra fields are typos or leaks; infinity is no amount.
    model_config = ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, frozen=True)


_FIELDS: dict[str, Any] = {"application_id": (_type(_BY_NAME["application_id"]) | None, None)}
_FIELDS |= {name: (_type(_BY_NAME[name]), ...) for name in FEATURES}
Application: Any = create_model("Application", __base__=_Strict, **_FIELDS)
Application.__doc__ = "One loan application: the fields that a model may see, and an id if the caller has one."
Identified: Any = create_model(
    "Identified", __base__=Application, application_id=(_type(_BY_NAME["application_id"]), ...)
)
Identified.__doc__ = "One loan application with an id: what is decided on it is kept under that id."


def application_of(table: TableSpec) -> Any:
    """Return the type of one application of data of one's own: the same columns, types and bounds as in its CSV."""
    fields: dict[str, Any] = {"application_id": _FIELDS["application_id"]}
    for place, (name, column) in enumerate(table.columns.items()):
        words = column.wanted
        if isinstance(column, Category):
            kind: Any = Annotated[Literal[column.values], Field(description=words)]
        elif column.type == "number":
            kind = Annotated[float, Field(ge=column.span[0], le=column.span[1], description=words)]
        else:
            low, high = (int(bound) for bound in column.span)
            kind = Annotated[int, Field(ge=low, le=high, description=words), BeforeValidator(_whole)]
        # By alias: a column may be called what no Python name can be.
        optional = (kind | None, Field(default=None, alias=name))
        fields[f"column_{place}"] = optional if column.missing else (kind, Field(alias=name))
    return create_model("OwnApplication", __base__=_Strict, **fields)


def wanted_of(table: TableSpec | None) -> dict[str, str]:
    """Return in words what each field must hold; None: of the bank's own applications."""
    if table is None:
        return {name: wanted(_BY_NAME[name]) for name in ("application_id", *FEATURES)}
    return {name: column.wanted for name, column in table.columns.items()}


class Score(BaseModel):
    """The answer to one application."""

    application_id: int | None = Field(description="as given")
    default_probability: float = Field(ge=0, le=1)
    granted: bool = Field(description="whether the default probability is below break_even")
    break_even: float = Field(description="default probability at which this loan earns nothing")
    model_version: str = Field(description="version in the model registry")


class BatchScore(BaseModel):
    """The answers to several applications, in their order, all by one model."""

    model_version: str
    scores: list[Score]


def requests_of(applications: pd.DataFrame) -> list[Any]:
    """Return rows as the service receives them: one validated `Application` each."""
    rows = applications[["application_id", *FEATURES]].to_dict("records")
    return [Application.model_validate(row) for row in rows]


def to_frame(applications: Sequence[BaseModel]) -> pd.DataFrame:
    """Return validated applications as the data frame that the model and the batch job read, one row each."""
    return pd.DataFrame([application.model_dump() for application in applications], columns=list(FEATURES))


def score(model: CreditModel, version: str, applications: Sequence[Any]) -> list[Score]:
    """Score validated applications; the same features, model and rule as in the batch job."""
    if model.spec.source:
        table = parse(model.spec.source)
        rows = [application.model_dump(by_alias=True) for application in applications]
        frame = pd.DataFrame(rows, columns=list(table.columns))
        amount, term = (np.full(len(frame), table.loan(role, frame)) for role in ("amount", "term"))
    else:
        frame = to_frame(applications)
        amount, term = frame["amount"].to_numpy(), frame["term"].to_numpy()
    probability = model.predict(frame)
    limit = break_even(amount, term)
    granted = grant(probability, amount, term)
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


def explain(errors: Sequence[Mapping[str, Any]], table: TableSpec | None = None) -> list[dict[str, str]]:
    """Return validation errors as the content of `oakbank.intro.protocol.Fault`s; the input itself is never echoed."""
    told = [_explain_one(error, wanted_of(table)) for error in errors[:MAX_ERRORS]]
    if len(errors) > MAX_ERRORS:
        told.append({"field": "", "problem": f"and {len(errors) - MAX_ERRORS} more", "wanted": "as above"})
    return told


def _explain_one(error: Mapping[str, Any], fields: Mapping[str, str]) -> dict[str, str]:
    names = ", ".join(name for name in fields if name != "application_id")
    loc = [part for part in error["loc"] if part != "body"]
    if error["type"] == "json_invalid":
        problem = f"not valid JSON at character {loc[-1]}: {error['ctx']['error']}"
        return {"field": "body", "problem": problem, "wanted": "JSON with " + names}
    if error["type"] == "extra_forbidden":
        hint = f"leave it out; the fields are {names} and application_id"
    elif loc and loc[-1] in fields:
        hint = fields[str(loc[-1])]
    else:
        hint = f"JSON as application/json: one application, or a list of 1 to {MAX_BATCH} for /score/batch"
    return {"field": field_of(error)[:100], "problem": str(error["msg"]), "wanted": hint}
