"""The header that names the model, where several may answer. Needs Starlette alone: it runs in chapter 1's image."""

from typing import Any

from starlette.types import ASGIApp, Message, Receive, Scope, Send


class WhoAnswered:
    """Around every request: the header names who answered, which is known only at the end (`state.answered_by`)."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        state: dict[str, Any] = scope.setdefault("state", {}) if scope["type"] == "http" else {}

        async def send_and_name(message: Message) -> None:
            if message["type"] == "http.response.start" and "answered_by" in state:
                others = [pair for pair in message["headers"] if pair[0] != b"x-model-version"]
                message["headers"] = [*others, (b"x-model-version", state["answered_by"].encode())]
            await send(message)

        await self.app(scope, receive, send_and_name)
