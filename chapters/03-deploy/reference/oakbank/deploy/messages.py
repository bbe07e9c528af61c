"""What travels on the stream: an application as JSON, read strictly and decided as the batch job decides."""

from collections.abc import Sequence
from typing import Annotated, Any

import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from oakbank.deploy.batch import decide_rows
from oakbank.pipelines import bad_rows
from oakbank.pipelines.service import Loaded
from oakbank.world import CATEGORIES, COLUMNS, FEATURES

_WHOLE = 2**53 - 1
"""Above it, JSON parsers that keep numbers as doubles round."""
_LONGEST = 200
"""Characters of a reason: it travels in a header."""


def _field(name: str, dtype: str) -> Any:
    # Types only. Ranges are the row contract's matter, as in the batch job, and a value may be missing there.
    if name in CATEGORIES:
        return (Annotated[str, Field(max_length=50)] | None, ...)
    return ((float if dtype == "float64" else Annotated[int, Field(ge=-_WHOLE, le=_WHOLE)]) | None, ...)


_FIELDS: dict[str, Any] = {column.name: _field(column.name, column.dtype) for column in COLUMNS}
Message: Any = create_model(
    "Message",
    __config__=ConfigDict(strict=True, extra="forbid", allow_inf_nan=False, frozen=True),
    application_id=(Annotated[int, Field(ge=0, le=_WHOLE)], ...),
    month=(Annotated[int, Field(ge=-1200, le=1200)], ...),
    **{name: _FIELDS[name] for name in FEATURES},
)
Message.__doc__ = "One application on the stream, as JSON: its id, its month, and the fields that a model may see."


class UnreadableError(ValueError):
    """A message that is no application; the text says why, and holds no value of it."""


def message_of(application: dict[str, Any]) -> bytes:
    """Return one row of the feed as the bytes of a message.

    Raises:
        ValidationError: It is none.
    """
    fields = {name: application[name] for name in ("application_id", "month", *FEATURES)}
    text: str = Message(**fields).model_dump_json()
    return text.encode()


def read_message(data: bytes) -> BaseModel:
    """Return the application in a message.

    Raises:
        UnreadableError: It is not JSON, or lacks a field, has one too many, or one of another type.
    """
    try:
        message: BaseModel = Message.model_validate_json(data)
    except ValidationError as error:
        first, *more = error.errors(include_url=False, include_context=False, include_input=False)
        field = ".".join(map(str, first["loc"]))[:50]
        text = f"{field}: {first['msg']}" if field else first["msg"]
        reason = ascii(text)[1:-1] + (f" (and {len(more)} more)" if more else "")
        raise UnreadableError(reason[:_LONGEST]) from None
    return message


def decide_messages(loaded: Loaded, messages: Sequence[BaseModel]) -> pd.DataFrame:
    """Decide applications as the batch job does: the same contract of rows, model, rule and record.

    Returns:
        Columns as `oakbank.world.DECISIONS`, one row per message, in their order.
    """
    rows = pd.DataFrame([message.model_dump() for message in messages], columns=["application_id", "month", *FEATURES])
    numeric = [name for name in FEATURES if name not in CATEGORIES]
    rows = rows.astype(dict.fromkeys(numeric, "float64"))
    # The ids are looked at one by one: two messages of one application are a matter of the store.
    broken = bad_rows(rows.drop(columns="application_id")).to_numpy(dtype=object)
    return decide_rows(loaded.model, loaded.version, rows, rows["month"], broken)
