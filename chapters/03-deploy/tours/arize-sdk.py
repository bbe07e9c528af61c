# /// script
# requires-python = ">=3.11,<3.14"
# dependencies = [
#     "arize", "pyarrow", "requests", "setuptools<81",
#     "duckdb", "filelock", "numpy", "pandas<3", "pydantic", "pyyaml",
# ]
# ///
"""Tour of the Arize SDK: what it checks before it uploads lesson 09's two banks, and what leaves the machine.

    python3 bootstrap.py tour arize-sdk

No account: the SDK's own checks and its own upload run; what it sends goes to a listener of ours on this machine, which
keeps the bytes and says 200. Drift is measured by Arize's service, so here nobody measures it.
"""

import logging
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
# A tour may have the name of the package that it imports: its own folder must not be searched.
sys.path[0] = str(ROOT)
PARTS = ("01-intro/reference", "03-deploy/reference", "03-deploy/tours/task")
sys.path[1:1] = [str(ROOT / "chapters" / part) for part in PARTS]

import pandas as pd  # noqa: E402
import pyarrow as pa  # noqa: E402
from arize import ArizeClient  # noqa: E402
from arize.ml.types import Environments, ModelTypes, Schema  # noqa: E402
from feeds import COLUMNS, as_in_the_lesson, indices, own_home, prepare  # noqa: E402

from course.tour import Tour  # noqa: E402
from oakbank.deploy.drift import psi  # noqa: E402

logging.disable(logging.ERROR)  # the SDK logs an error, with its traceback, and raises it too
SCHEMA = Schema(
    prediction_id_column_name="application_id",
    timestamp_column_name="at",
    prediction_label_column_name="decision",
    feature_column_names=list(COLUMNS),
)
DAMAGES: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "the column is gone": lambda rows: rows.drop(columns="debts"),
    "one value is a text": lambda rows: rows.assign(debts=["0.47 kEUR", *rows["debts"][1:]]),
    "all are texts": lambda rows: rows.assign(debts=rows["debts"].astype(str)),
    "all are missing": lambda rows: rows.assign(debts=float("nan")),
    "all are -1": lambda rows: rows.assign(debts=-1.0),
    "all are infinite": lambda rows: rows.assign(debts=float("inf")),
}


@contextmanager
def listener() -> Iterator[tuple[int, list[bytes]]]:
    """Keep what is posted to this machine until the block ends; yields the port, and the bodies so far."""
    kept: list[bytes] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            """Say nothing."""

        def do_POST(self) -> None:
            """Keep it."""
            kept.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(200)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server.server_address[1], kept
    finally:
        server.shutdown()
        server.server_close()


def table_of(rows: pd.DataFrame) -> pd.DataFrame:
    """Return applications as the SDK wants them: text for ids, seconds for times; the decision is made up."""
    return rows[list(COLUMNS)].assign(
        application_id=rows["application_id"].astype(str), at=int(time.time()), decision="granted"
    )


def solve(client: ArizeClient, bank: str, rows: pd.DataFrame) -> int:
    """Log the decisions of a bank; return the status of the upload."""
    answer = client.ml.log(
        space_id="SPACE",
        model_name=f"credit-{bank}",
        model_version="1",
        model_type=ModelTypes.SCORE_CATEGORICAL,
        environment=Environments.PRODUCTION,
        schema=SCHEMA,
        dataframe=rows,
    )
    return int(answer.status_code)


def refused(client: ArizeClient, rows: pd.DataFrame) -> str:
    """Return the error with which the SDK refuses a table, or that it sent it."""
    try:
        solve(client, "damaged", rows)
    except Exception as error:
        return f"refused: {type(error).__name__} {str(error).partition('. ')[0][:100]}"
    return "sent"


def main() -> None:
    """Run the tour."""
    tour = Tour("Arize SDK", "arize", "pyarrow")
    with own_home(), listener() as (port, kept):
        feeds = prepare()
        tour.plain("the PSI of all columns in pandas", partial(indices, feeds))
        client = ArizeClient(api_key="none", api_scheme="http", api_host="127.0.0.1", api_port=port)
        answers = tour.system_does(
            lambda: {bank: solve(client, bank, table_of(rows)) for bank, rows in feeds.today.items()}
        )
        if answers != dict.fromkeys(feeds.today, 200):
            raise RuntimeError(f"an upload was not taken: {answers}")
        tables = {bank: pa.ipc.open_stream(body).read_pandas() for bank, body in zip(feeds.today, kept, strict=True)}
        tour.say(
            f"checked by the SDK and sent: {', '.join(tables)}, {len(kept[0]) / 1e3:.0f} kB each; of debts, no word"
        )
        found = {bank: psi(feeds.past["debts"], table["debts"]) for bank, table in tables.items()}
        tour.say(f"the PSI of debts from the bytes that left, by hand: {as_in_the_lesson(found)}, as in the lesson")
        tour.say(f"what left: {', '.join(tables['calm'].columns)}")
        tour.say("and other faults in debts:")
        rows = table_of(feeds.today["calm"])
        for what, damage in DAMAGES.items():
            tour.say(f"    {what}: {refused(client, damage(rows))}")
    tour.say(
        "present name: Arize AX (the service); Phoenix is Arize's open server for traces, another product. "
        "SDK 8 (8.61, November 2026) has one `ArizeClient`; before it was `arize.pandas.logger.Client`"
    )
    tour.end(
        stores="here nothing; the service keeps every row, with its features, predictions and the outcomes that follow",
        asks="an account, a key and a space; ids as text, times in seconds; outcomes later, under the same ids",
        not_proven="drift, thresholds, alerts and the page are the service's; the listener here says 200 to anything",
        real=(
            "client = ArizeClient(api_key=KEY, region=Region.EU_WEST_1A)  # rows of applicants: in which region?",
            "client.ml.log(..., environment=Environments.TRAINING)  # the past year: the baseline of drift",
            "client.ml.log(..., environment=Environments.PRODUCTION)  # nightly, as here",
            "client.ml.log(..., schema=Schema(prediction_id_column_name='id', actual_label_column_name='y'))  # later",
            "# then, on its page: a monitor of drift (PSI) on `debts`, a threshold, and whom it tells",
        ),
        missing="it is a service of Arize's: its SDK checked and sent the rows, to a listener of ours",
    )


if __name__ == "__main__":
    main()
