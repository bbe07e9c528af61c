# /// script
# requires-python = ">=3.11,<3.14"
# dependencies = [
#     "fiddler-client", "setuptools<81",
#     "duckdb", "filelock", "numpy", "pandas<3", "pyarrow", "pydantic", "pyyaml", "scipy",
# ]
# ///
"""Tour of Fiddler's client: the schema that it reads off lesson 09's past year, and two rules about the broken feed.

    python3 bootstrap.py tour fiddler

No account: Fiddler's server counts violations and measures drift. Here its client makes the objects that the server
would be sent; what the server would count is counted in pandas, and said to be.
"""

import logging
import os
import sys
from functools import partial
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[3]
# A tour may have the name of the package that it imports: its own folder must not be searched.
sys.path[0] = str(ROOT)
PARTS = ("01-intro/reference", "03-deploy/reference", "03-deploy/tours/task")
sys.path[1:1] = [str(ROOT / "chapters" / part) for part in PARTS]

import pandas as pd  # noqa: E402
from feeds import COLUMNS, Feeds, as_in_the_lesson, indices, own_home, prepare  # noqa: E402
from scipy.spatial.distance import jensenshannon  # noqa: E402

from course.tour import Tour  # noqa: E402
from oakbank.deploy.drift import bin_counts  # noqa: E402
from oakbank.deploy.ports import free_port  # noqa: E402

logging.disable(logging.WARNING)  # its client tells of every attempt to reach a server
os.environ["FIDDLER_CLIENT_RETRY_MAX_DURATION_SECONDS"] = "5"
import fiddler as fdl  # noqa: E402
from fiddler.utils.column_generator import create_columns_from_df  # noqa: E402

UNKNOWN = "00000000-0000-0000-0000-000000000000"
"""An id that a server would give."""


def solve(feeds: Feeds) -> tuple[fdl.Model, list[fdl.AlertRule]]:
    """Return the model with a schema of the past year, and the rules: a value out of range, and drift."""
    model = fdl.Model(
        name="credit",
        project_id=UNKNOWN,
        schema=create_columns_from_df(feeds.past[list(COLUMNS)]),
        spec=fdl.ModelSpec(inputs=list(COLUMNS)),
    )
    common: dict[str, Any] = {
        "model_id": UNKNOWN,
        "columns": ["debts"],
        "compare_to": fdl.CompareTo.RAW_VALUE,
        "condition": fdl.AlertCondition.GREATER,
        "bin_size": fdl.BinSize.DAY,
        "priority": fdl.Priority.HIGH,
    }
    out_of_range = fdl.AlertRule("out of range", metric_id="range_violation_count", critical_threshold=0, **common)
    moved = fdl.AlertRule(
        "moved", metric_id="jsd", baseline_id=UNKNOWN, warning_threshold=0.15, critical_threshold=0.3, **common
    )
    return model, [out_of_range, moved]


def measured(rule: fdl.AlertRule, model: fdl.Model, feeds: Feeds, bank: str) -> float:
    """Return a rule's metric, in pandas: how many values lie outside the schema's range, or how far debts moved.

    Jensen-Shannon's distance to base 2 is 0 for equal shares, 1 for disjoint ones. The bins are the lesson's.
    """
    today, past = feeds.today[bank]["debts"], feeds.past["debts"]
    if rule.metric_id == "range_violation_count":
        column = model.schema["debts"]
        return float((~today.between(column.min, column.max)).sum())
    return float(jensenshannon(*bin_counts(past, today), base=2))


def without_server(model: fdl.Model) -> str:
    """Ask for a server where there is none; return what the client says.

    Raises:
        RuntimeError: It found one.
    """
    try:
        fdl.init(url=f"http://127.0.0.1:{free_port()}", token="none")  # noqa: S106 - no secret
    except fdl.exceptions.BaseError as error:
        return str(error).partition(", last error")[0]
    raise RuntimeError(f"a server that nobody started would take {model.name}")


def main() -> None:
    """Run the tour."""
    tour = Tour("Fiddler", "fiddler-client", "pandas")
    with own_home():
        feeds = prepare()
        wanted = tour.plain("the PSI of all columns in pandas", partial(indices, feeds))
        model, rules = tour.system_does(partial(solve, feeds))
        column = model.schema["debts"]
        if (column.min, column.max) != (feeds.past["debts"].min(), feeds.past["debts"].max()):
            raise RuntimeError(f"the schema has debts from {column.min} to {column.max}: the past year has not")
        tour.say(
            f"the schema that the client reads off the past: debts {column.data_type.value} {column.min}-{column.max}"
        )
        for rule in rules:
            tells = pd.Series({bank: measured(rule, model, feeds, bank) for bank in feeds.today})
            rings = ", ".join(tells[tells > rule.critical_threshold].index) or "nowhere"
            told = ", ".join(f"{bank} {value:.3g}" for bank, value in tells.items())
            tour.say(
                f"rule `{rule.name}` ({rule.metric_id} > {rule.critical_threshold}): {told} (in pandas); rings: {rings}"
            )
        found = {bank: values["debts"] for bank, values in wanted.items()}
        tour.say(f"the PSI of debts, for comparison: {as_in_the_lesson(found)}, as in the lesson")
        tour.say(
            f"a range learnt from the past lets {feeds.today['debts']['debts'].median():.2f} EUR pass; only drift rings"
        )
        tour.say(f"and the server: {without_server(model)}")
    tour.say("present name: Fiddler AI Observability, by Fiddler AI (client 3.14.1, November 2026)")
    tour.end(
        stores="here nothing; the service keeps the rows you publish, baselines, rules and the alerts that rang",
        asks="an account and a token; a baseline for each model; `Model.from_data` sends the sample to the server",
        not_proven="no rule was evaluated by Fiddler: its bins, its clock and its alerts are the server's",
        real=(
            "fdl.init(url='https://ORG.fiddler.ai', token=TOKEN)",
            "project = fdl.Project.get_or_create(name='oakbank')",
            "model.project_id = project.id; model.create()  # then a baseline, and its id into the rule",
            "model.publish_batch(source=rows, environment=fdl.EnvType.PRODUCTION)",
            "rule.create().set_notification_config(emails=['on-call@oakbank.example'])",
        ),
        missing="it is a service of Fiddler's: its client made the schema and the rules, nobody judged by them",
    )


if __name__ == "__main__":
    main()
