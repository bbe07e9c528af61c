"""Hold a service to its own OpenAPI schema, with generated requests."""

from collections import Counter
from typing import Any

import schemathesis
from fastapi import FastAPI
from hypothesis import given, settings
from schemathesis import Case, GenerationMode


def hold_to_schema(app: FastAPI, *, examples: int = 50) -> Counter[tuple[str, int]]:
    """Send requests made from the app's schema, right ones and wrong ones, and check each answer against it.

    A right request must be accepted and a wrong one refused; every answer has a documented status and the documented
    shape, and none is a fault of the server. The same code gives the same requests.

    Args:
        app: The service; it answers in this process, without a port.
        examples: The most requests of each kind to each route.

    Returns:
        How many answers there were, by route and status.

    Raises:
        schemathesis.core.failures.FailureGroup: A promise is broken; the message has the shortest request that
            Hypothesis found for it, as a curl command.
        Exception: What the app itself raised on such a request.
    """
    answers: Counter[tuple[str, int]] = Counter()

    def check(case: Case[Any]) -> None:
        answer = case.call()
        answers[case.operation.label, answer.status_code] += 1
        case.validate_response(answer)

    steady = settings(max_examples=examples, deadline=None, derandomize=True, database=None)
    for result in schemathesis.openapi.from_asgi("/openapi.json", app).get_all_operations():
        operation: Any = result.ok()  # type: ignore[union-attr]  # an Err raises what is wrong with the schema
        # What takes no input cannot be sent wrong input.
        modes = list(GenerationMode) if operation.body else [GenerationMode.POSITIVE]
        for mode in modes:
            requests: Any = given(operation.as_strategy(generation_mode=mode))
            steady(requests(check))()
    return answers
