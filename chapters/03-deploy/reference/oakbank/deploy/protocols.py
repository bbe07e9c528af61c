"""How servers are asked for default probabilities: four ways to write the same applications as JSON.

The Open Inference Protocol (V2) is the one that several servers speak: a request is a list of named tensors, each with
a shape, a datatype and its values in row-major order.
"""

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

_DATATYPES = {"f8": "FP64", "f4": "FP32", "i8": "INT64", "i4": "INT32", "i2": "INT16", "b1": "BOOL"}
MODEL = "credit"
"""What the model is called in addresses."""


class RefusedError(RuntimeError):
    """A request that got no probabilities; the message is the server's answer, cut."""


@dataclass(frozen=True)
class Protocol:
    """Where and how a server is asked."""

    name: str
    path: str
    body: Callable[[pd.DataFrame], Any]
    """What is posted, as JSON."""
    read: Callable[[Any], list[float]]
    """The default probabilities in an answer."""


def values(rows: pd.DataFrame) -> dict[str, list[Any]]:
    """Return the values of each column as JSON has them: a missing one is None, a float32 its own decimals."""
    return {str(name): [None if one != one else one for one in column.tolist()] for name, column in rows.items()}


def records(rows: pd.DataFrame) -> list[dict[str, Any]]:
    """Return one object per row."""
    columns = values(rows)
    return [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]


def dataframe_split(rows: pd.DataFrame) -> dict[str, Any]:
    """Return a request of MLflow's scoring server."""
    data = [list(row) for row in zip(*values(rows).values(), strict=True)]
    return {"dataframe_split": {"columns": list(rows), "data": data}}


def infer_request(rows: pd.DataFrame) -> dict[str, Any]:
    """Return a V2 inference request: each column is a tensor of shape (n, 1), text is BYTES."""
    tensors = [
        {
            "name": name,
            "shape": [len(rows), 1],
            "datatype": _DATATYPES.get(np.asarray(rows[name]).dtype.str[1:], "BYTES"),
            "data": column,
        }
        for name, column in values(rows).items()
    ]
    # The id is optional in V2, but KServe 0.21 fails without one. It reads `content_type: pd` as: make one data frame
    # of all tensors. Others pass it by.
    return {"id": "1", "parameters": {"content_type": "pd"}, "inputs": tensors}


def infer_response(answer: Any) -> list[float]:
    """Return the values of the first output of a V2 inference response."""
    return [float(value) for value in answer["outputs"][0]["data"]]


OWN = Protocol(
    "own JSON",
    "/score/batch",
    records,
    lambda answer: [one["default_probability"] for one in answer["scores"]],
)
PLAIN = Protocol("own JSON", "/score", records, lambda answer: list(answer["default_probabilities"]))
BENTOML = Protocol("own JSON", "/score", lambda rows: {"rows": records(rows)}, list)
MLFLOW = Protocol("MLflow's", "/invocations", dataframe_split, lambda answer: list(answer["predictions"]))
V2 = Protocol("V2", f"/v2/models/{MODEL}/infer", infer_request, infer_response)


def ask(address: str, protocol: Protocol, rows: pd.DataFrame) -> list[float]:
    """Send rows in one request and return their default probabilities, as many as there are rows.

    Args:
        address: Of the server, such as `http://127.0.0.1:8000`.
        protocol: What it speaks.
        rows: Applications, text as plain `str`, shape (n, columns).

    Raises:
        RefusedError: The server answered with an error, or with another number of probabilities.
    """
    request = urllib.request.Request(  # noqa: S310 - on this machine
        address + protocol.path, json.dumps(protocol.body(rows)).encode(), {"Content-Type": "application/json"}
    )
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            found = protocol.read(json.load(answer))
    except urllib.error.HTTPError as error:
        raise RefusedError(f"{error.code}: {error.read().decode('utf-8', 'replace')[:2000]}") from None
    if len(found) != len(rows):
        raise RefusedError(f"{len(found)} probabilities came back for {len(rows)} applications")
    return found
