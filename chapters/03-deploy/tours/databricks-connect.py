# /// script
# requires-python = ">=3.11,<3.14"
# dependencies = [
#     "duckdb", "filelock", "numpy", "pandas<3", "pyarrow", "pydantic", "pyyaml", "uv",
# ]
# ///
"""Tour of Databricks Connect: Databricks' own client, unchanged, against a Spark Connect server on this machine.

    python3 bootstrap.py tour databricks-connect

Client and server are scripts with environments of their own (`connect/`): Databricks' package brings its own `pyspark`,
which must not meet the server's. Both need Python 3.12: a function that runs in the engine travels as bytecode.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[3]
# A tour may have the name of the package that it imports: its own folder must not be searched.
sys.path[0] = str(ROOT)
sys.path.insert(1, str(ROOT / "chapters" / "01-intro" / "reference"))

import pandas as pd  # noqa: E402
from uv import find_uv_bin  # noqa: E402

from course.tour import Tour  # noqa: E402
from oakbank.world import World  # noqa: E402

CLIENT, SERVER = (Path(__file__).with_name("connect") / name for name in ("client.py", "server.py"))
COLUMNS = ["region", "income", "debts", "amount"]
Regions = dict[str, list[float]]


def by_hand(rows: pd.DataFrame) -> Regions:
    """Return the same with pandas."""
    groups = rows.assign(burden=rows["debts"] / rows["income"]).groupby("region")
    table = groups.agg(count=("amount", "size"), amount=("amount", "sum"), burden=("burden", "max"))
    return {str(region): list(row) for region, row in zip(table.index, table.to_numpy().tolist(), strict=True)}


def started(script: Path, *arguments: str) -> "subprocess.Popen[str]":
    """Start a script in its environment."""
    command = [find_uv_bin(), "run", "--quiet", "--locked", "--script", str(script), *arguments]
    return subprocess.Popen(  # noqa: S603
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def solve(file: Path) -> tuple[str, Regions]:
    """Run the client; return its version and what it found."""
    client = started(CLIENT, str(file))
    said, complained = client.communicate()
    if client.returncode:
        raise RuntimeError(f"the client failed:\n{complained[-2000:]}")
    found = json.loads(said)
    return found["client"], found["regions"]


def can_run(script: Path) -> bool:
    """Say whether uv can make the environment of a script here."""
    command = [find_uv_bin(), "sync", "--quiet", "--locked", "--no-python-downloads", "--script", str(script)]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0  # noqa: S603


def main() -> None:
    """Run the tour."""
    tour = Tour("Databricks Connect", "pandas", "uv")
    months = World(seed=7, scenario="calm")
    rows = pd.concat([months.applications(month) for month in range(6)], ignore_index=True)
    rows = rows[COLUMNS].astype({"region": str})
    wanted = tour.plain("the same in pandas", lambda: by_hand(rows))
    missing = ""
    if not (can_run(CLIENT) and can_run(SERVER)):
        missing = "Databricks Connect 17.3 needs Python 3.12 on your PATH, and the network the first time"
    else:
        server = None
        if "DATABRICKS_HOST" not in os.environ:
            server = started(SERVER)
            assert server.stdout is not None
            os.environ["SPARK_REMOTE"] = f"sc://127.0.0.1:{server.stdout.readline().strip()}"
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "applications.parquet"
            rows.to_parquet(file, index=False)
            client, found = tour.system_does(lambda: solve(file))
        if server:
            server.communicate()  # its input ends, and so does it
        if found != wanted:
            raise RuntimeError(f"Spark finds {found}, pandas {wanted}")
        tour.say(
            f"databricks-connect {client}: {len(rows)} applications; counts, sums, and what a function of ours made of"
        )
        tour.say("the rows inside the engine, are those of pandas to the last digit")
    tour.end(
        stores="nothing here; a workspace keeps the session, the queries and what you write to its tables",
        asks="the Python version of the runtime (3.12 for 17.3), an account, and compute that is running",
        not_proven=(
            "that Databricks answers the same: Sail is another engine, speaks a part of the protocol, and knows no "
            "workspace, no Unity Catalog, no permissions, no `dbutils`, no bill"
        ),
        real=(
            "export DATABRICKS_HOST=https://WORKSPACE.cloud.databricks.com",
            "databricks auth login --host $DATABRICKS_HOST  # or DATABRICKS_TOKEN, or a service principal in CI",
            "export DATABRICKS_SERVERLESS_COMPUTE_ID=auto  # Free Edition; or DATABRICKS_CLUSTER_ID",
            "spark.read.option('versionAsOf', 2).table('prod.credit.loans')  # tables by name, no local paths",
            "python3 bootstrap.py tour databricks-connect",
        ),
        missing=missing,
    )


if __name__ == "__main__":
    main()
