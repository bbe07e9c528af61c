"""Structured logs: one JSON object a line, with the id of the request, and nothing of the person who applies.

What a line may hold is a list of allowed fields, not a list of forbidden ones: a new column of the feed is then left
out without anybody having thought of it.
"""

import json
import logging
import re
import time
from contextvars import ContextVar
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

from starlette.types import ASGIApp, Message, Receive, Scope, Send

REQUEST_ID = "x-request-id"
"""Header by which a caller names a request; the answer has it too."""
ALLOWED = frozenset({"route", "method", "status", "milliseconds", "model_version", "month", "rows", "problem"})
"""Fields that a line may have of those given as `extra`."""
_GOOD_ID = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,63}")
_request: ContextVar[str] = ContextVar("request", default="")

log = logging.getLogger("oakbank.deploy.logs")


def request_id() -> str:
    """Return the id of the request under way; "" outside of one."""
    return _request.get()


class JsonLines(logging.Formatter):
    """Writes a record as one line of JSON: `time` (UTC), `level`, `logger`, `event`, `request_id`, and `ALLOWED`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line. Of an exception it tells the type and the place; the text may hold a value."""
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "event": record.getMessage(),
            "request_id": request_id(),
        }
        line |= {name: value for name, value in vars(record).items() if name in ALLOWED}
        if record.exc_info and (error := record.exc_info[1]) is not None:
            trace = error.__traceback__
            while trace is not None and trace.tb_next is not None:
                trace = trace.tb_next
            line["error"] = type(error).__name__
            line["at"] = f"{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}" if trace else ""
        return json.dumps(line, default=str)


class RequestLog:
    """Around every request: an id for it and its answer, and one line in the log when it is answered.

    An id that a caller sends is kept if it is short and plain, so that a request can be followed through several
    services; any other is replaced, for what it holds would stand in the log.

    Args:
        app: What is inside.
        logger: Where the lines go.
    """

    def __init__(self, app: ASGIApp, logger: logging.Logger = log) -> None:
        self.app, self.log = app, logger

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        given = next((value.decode("latin-1") for name, value in scope["headers"] if name == REQUEST_ID.encode()), "")
        mine = given if _GOOD_ID.fullmatch(given) else uuid4().hex
        before, status, version = _request.set(mine), 0, ""
        begin = time.perf_counter()

        async def send_and_note(message: Message) -> None:
            nonlocal status, version
            if message["type"] == "http.response.start":
                status = message["status"]
                version = next((v.decode() for name, v in message["headers"] if name == b"x-model-version"), "")
                message["headers"] = [*message["headers"], (REQUEST_ID.encode(), mine.encode())]
            await send(message)

        try:
            await self.app(scope, receive, send_and_note)
        finally:
            told = {
                "route": getattr(scope.get("route"), "path", "unmatched"),  # never the path, which may hold anything
                "method": scope["method"] if scope.get("route") else "any",
                "status": status,
                "milliseconds": round(1000 * (time.perf_counter() - begin), 1),
                "model_version": version,
            }
            self.log.info("answered", extra=told)
            _request.reset(before)
