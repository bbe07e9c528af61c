# /// script
# requires-python = ">=3.11,<3.14"
# dependencies = [
#     "arize-phoenix", "arize-phoenix-client", "arize-phoenix-otel", "setuptools<81",
#     "duckdb", "filelock", "numpy", "pandas<3", "pyarrow", "pydantic", "pyyaml",
# ]
# ///
"""Tour of Arize Phoenix: a span for each application of lesson 09's two banks, and a query that finds the broken feed.

    python3 bootstrap.py tour arize-phoenix

The whole server runs on this machine, with SQLite. It keeps traces (OpenTelemetry) of what an application did; it has
no measure of drift for tables, so somebody must know what to ask for.
"""

import os
import sys
import time
from functools import partial
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
# A tour may have the name of the package that it imports: its own folder must not be searched.
sys.path[0] = str(ROOT)
PARTS = ("01-intro/reference", "03-deploy/reference", "03-deploy/tours/task")
sys.path[1:1] = [str(ROOT / "chapters" / part) for part in PARTS]

import pandas as pd  # noqa: E402
from feeds import COLUMNS, Feeds, as_in_the_lesson, indices, own_home, prepare  # noqa: E402
from servers import server  # noqa: E402

from course.tour import Tour  # noqa: E402
from oakbank.deploy.drift import psi  # noqa: E402
from oakbank.deploy.ports import free_port  # noqa: E402

TOO_SMALL = "attributes['application']['debts'] < 10"
"""A query as Phoenix's page takes it too: debts below 10 EUR."""


def solve(feeds: Feeds, url: str) -> tuple[dict[str, pd.DataFrame], dict[str, int]]:
    """Send a span for each application, a project for each bank; return them as kept, and how many are too small."""
    from phoenix.client import Client  # imported late: it takes seconds
    from phoenix.client.types.spans import SpanQuery
    from phoenix.otel import register

    client, kept, small = Client(base_url=url), {}, {}
    for bank, rows in feeds.today.items():
        provider = register(
            project_name=bank, endpoint=f"{url}/v1/traces", batch=True, set_global_tracer_provider=False, verbose=False
        )
        tracer = provider.get_tracer("oakbank")
        for row in rows[list(COLUMNS)].to_dict("records"):
            with tracer.start_as_current_span("score", openinference_span_kind="chain") as span:
                span.set_attributes({f"application.{column}": value for column, value in row.items()})
        provider.shutdown()  # sends what is left
        for _ in range(100):  # the server writes in the background
            kept[bank] = client.spans.get_spans_dataframe(project_identifier=bank, limit=1000)
            if len(kept[bank]) == len(rows):
                break
            time.sleep(0.2)
        small[bank] = len(client.spans.get_spans_dataframe(query=SpanQuery().where(TOO_SMALL), project_identifier=bank))
    return kept, small


def main() -> None:
    """Run the tour."""
    tour = Tour("Arize Phoenix", "arize-phoenix", "arize-phoenix-client", "arize-phoenix-otel")
    with own_home() as home:
        folder, port = Path(home), free_port()
        feeds = prepare()
        tour.plain("the PSI of all columns in pandas", partial(indices, feeds))
        where = {"PHOENIX_HOST": "127.0.0.1", "PHOENIX_PORT": str(port), "PHOENIX_WORKING_DIR": home}
        own = {**os.environ, **where, "PHOENIX_GRPC_PORT": str(free_port())}
        url, command = f"http://127.0.0.1:{port}", [sys.executable, "-m", "phoenix.server.main", "serve"]
        with server(command, f"{url}/healthz", folder, own) as ready:
            kept, small = tour.system_does(partial(solve, feeds, url))
        size = sum(path.stat().st_size for path in folder.glob("phoenix.db*"))
    tour.say(f"server ready after {ready:.0f} seconds; its database: {size / 1e6:.1f} MB")
    for bank, spans in kept.items():
        rows = feeds.today[bank]
        wrong = int((spans["status_code"] == "ERROR").sum())
        below = int((rows["debts"] < 10).sum())
        if (len(spans), small[bank]) != (len(rows), below):
            raise RuntimeError(f"{bank}: {len(spans)} spans, {small[bank]} too small, not {len(rows)} and {below}")
        tour.say(f"{bank}: {len(spans)} spans, {wrong} with an error; `{TOO_SMALL}` finds {small[bank]}")
    debts = {bank: pd.Series([row["debts"] for row in spans["attributes.application"]]) for bank, spans in kept.items()}
    found = {bank: psi(feeds.past["debts"], values) for bank, values in debts.items()}
    tour.say(f"the PSI of debts from the spans, by hand: {as_in_the_lesson(found)}, as in the lesson")
    tour.say("Phoenix says nothing by itself: 500 spans, no error. The query finds the feed, once somebody asks it.")
    tour.say(
        "present name: Phoenix, by Arize, for traces of applications with language models (20.26, November 2026). Its "
        "comparison of two tables, `launch_app(primary, reference)`, is gone. Arize AX is their service, not this"
    )
    tour.end(
        stores="each span with all its attributes (here: the applicants' data) in SQLite, or in PostgreSQL",
        asks="a server; a rule for what may stand in a span, for it is kept and shown; drift from another tool",
        not_proven="how it holds a bank's traffic; who may log in (here: everybody); alerts, which it leaves to others",
        real=(
            "docker run -p 6006:6006 -e PHOENIX_SQL_DATABASE_URL=postgresql://... arizephoenix/phoenix:latest",
            "export PHOENIX_COLLECTOR_ENDPOINT=https://phoenix.oakbank.example PHOENIX_API_KEY=...",
            "register(project_name='credit', batch=True)  # reads both",
            "register(project_name='credit', auto_instrument=True)  # spans of known libraries by themselves",
            "from arize.otel import register; register(space_id=..., api_key=..., project_name=...)  # Arize AX",
        ),
    )


if __name__ == "__main__":
    main()
