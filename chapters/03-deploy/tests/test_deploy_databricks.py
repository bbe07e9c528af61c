"""Lesson 07: its engine starts, answers and goes; what it says of Delta, of the SDK and of Unity Catalog is so."""

import json
import os
import signal
import subprocess
import sys
import time
from decimal import Decimal
from pathlib import Path

import pandas as pd
import psutil
import pytest
import yaml
from databricks.sdk.service import jobs
from deltalake import DeltaTable, write_deltalake
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException
from mlflow.store._unity_catalog.registry.rest_store import UcModelRegistryStore

from authoring.recording import load, recording_path
from base.process import python
from oakbank.deploy import exports, spark
from oakbank.pipelines.tracking_store import create_database
from oakbank.world.files import sqlite_url

ROOT = Path(__file__).parents[3]
LESSON = ROOT / "chapters" / "03-deploy" / "notebooks" / "07-databricks.ipynb"
START = """
import json, sys, time
from oakbank.deploy.spark import engine
found = engine()
print(json.dumps(found and [found.python, found.remote]), flush=True)
time.sleep(float(sys.argv[1]))
"""


def start(seconds: str, **variables: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        python("-c", START, seconds), stdout=subprocess.PIPE, text=True, cwd=ROOT, env=os.environ | variables
    )


def script(folder: Path, program: str) -> Path:
    """Write a program to a file: Spark's client finds itself from there, and not with `python -c`."""
    (folder / "ask.py").write_text(program, encoding="utf-8")
    return folder / "ask.py"


def servers(parent: int) -> list[psutil.Process]:
    return [one for one in psutil.Process(parent).children(recursive=True) if "server.py" in " ".join(one.cmdline())]


@pytest.mark.tour
def test_the_engine_answers_and_goes_with_a_kernel_that_is_killed(tmp_path: Path) -> None:
    kernel = start("120")  # a test that fails leaves it no longer than that
    assert kernel.stdout is not None
    found = json.loads(kernel.stdout.readline())
    assert found, "uv could not make the environment"
    interpreter, remote = found
    program = (
        "from pyspark.sql import SparkSession\n"
        "print(SparkSession.builder.getOrCreate().range(7).selectExpr('sum(id)').collect()[0][0])"
    )
    asked = subprocess.run(
        [interpreter, str(script(tmp_path, program))],
        env=os.environ | {"SPARK_REMOTE": remote},
        capture_output=True,
        text=True,
        check=False,
    )
    assert asked.stdout == "21\n", asked.stderr
    (server,) = servers(kernel.pid)
    kernel.send_signal(signal.SIGKILL)
    kernel.wait()
    server.wait(30)


def test_without_its_environment_there_is_no_engine(tmp_path: Path) -> None:
    """An empty cache and no network: the lesson shows its recording."""
    away = {"UV_CACHE_DIR": str(tmp_path / "cache"), "UV_OFFLINE": "1"}
    kernel = start("0", **away)
    assert kernel.stdout is not None
    assert json.loads(kernel.stdout.readline()) is None
    assert kernel.wait(60) == 0


def test_the_recording_shows_what_the_lesson_says() -> None:
    recording = load(recording_path(LESSON))
    texts = [output["text"] for cell in recording.cells for output in cell.outputs if "text" in output]
    assert any("a load per row" in text and "a load per task" in text for text in texts)
    assert any("to connect took" in text for text in texts)
    assert set(recording.versions) == {"Sail", "pyspark-client", "Python"}


def test_the_scripts_have_a_lock_that_fits() -> None:
    lock = spark.SCRIPTS / "server.py.lock"
    text = lock.read_text(encoding="utf-8")
    assert all(f'name = "{name}"' in text for name in ("pysail", "pyspark-client", "lightgbm", "duckdb"))
    assert "file://" not in text


def test_pyspark_is_not_in_the_course() -> None:
    """It would break `mlflow.autolog`."""
    done = subprocess.run([sys.executable, "-c", "import pyspark"], capture_output=True, text=True, check=False)
    assert "No module named 'pyspark'" in done.stderr


def test_a_table_keeps_its_files_for_a_week(tmp_path: Path) -> None:
    rows = pd.DataFrame({"a": [1]})
    for _ in range(2):
        write_deltalake(tmp_path / "t", rows, mode="overwrite")
    table = DeltaTable(tmp_path / "t")
    assert table.vacuum() == []
    log = next((tmp_path / "t" / "_delta_log").glob("*1.json"))
    week = 7 * 24 * 3600 * 1000
    lines = [json.loads(line) for line in log.read_text().splitlines()]
    for line in lines:
        if "remove" in line:
            line["remove"]["deletionTimestamp"] = int(time.time() * 1000) - week - 60_000
    log.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    assert len(DeltaTable(tmp_path / "t").vacuum()) == 1


def test_the_time_of_a_version_is_that_of_its_file(tmp_path: Path) -> None:
    for number in range(3):
        write_deltalake(tmp_path / "t", pd.DataFrame({"a": [number]}), mode="overwrite")
    exports.date_versions(tmp_path / "t", "2026-03-01T01:00+00:00")
    table = DeltaTable(tmp_path / "t")
    for asked, version in {"2026-03-02T00:59:00Z": 0, "2026-03-02T01:01:00Z": 1, "2026-03-09T00:00:00Z": 2}.items():
        table.load_as_version(asked)
        assert table.version() == version


def test_an_export_is_the_same_each_time_and_its_hash_is_of_the_content(tmp_path: Path) -> None:
    first, again = exports.nightly(2), exports.nightly(2)
    assert [exports.fingerprint(one) for one in first] == [exports.fingerprint(one) for one in again]
    assert exports.fingerprint(first[0]) != exports.fingerprint(first[1])
    assert (first[0]["debts"] != first[1]["debts"]).sum() in range(30, exports.CORRECTED + 1)
    write_deltalake(tmp_path / "t", first[0])
    assert exports.fingerprint(DeltaTable(tmp_path / "t").to_pandas()) == exports.fingerprint(first[0])


def test_a_name_of_three_parts_is_one_name_to_mlflow(tmp_path: Path) -> None:
    create_database(tmp_path / "mlflow.db")
    client = MlflowClient(sqlite_url(tmp_path / "mlflow.db"))
    client.create_registered_model("prod.credit.default_risk")
    client.create_model_version("prod.credit.default_risk", str(tmp_path))
    client.set_registered_model_alias("prod.credit.default_risk", "champion", "1")
    assert client.get_model_version_by_alias("prod.credit.default_risk", "champion").version in (1, "1")


@pytest.mark.tour
def test_sums_of_cents_are_equal_where_sums_of_fractions_are_not(tmp_path: Path) -> None:
    found = spark.engine()
    assert found, "uv could not make the environment"
    rows = exports.nightly(1)[0]
    rows.to_parquet(tmp_path / "loans.parquet")
    program = (
        "import sys\n"
        "from pyspark.sql import SparkSession, functions as F\n"
        "rate = F.col('amount') / F.col('term')\n"
        "cents = F.sum(F.round(rate, 2).cast('decimal(18, 2)'))\n"
        "table = SparkSession.builder.getOrCreate().read.parquet(sys.argv[1])\n"
        "print(*table.agg(F.sum(rate), cents).collect()[0])"
    )
    command = [found.python, str(script(tmp_path, program)), str(tmp_path / "loans.parquet")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    fractions, cents = done.stdout.split()
    rates = rows["amount"] / rows["term"]
    assert float(fractions) == pytest.approx(rates.sum(), rel=1e-12)
    assert Decimal(cents) == sum((Decimal(f"{rate:.2f}") for rate in rates), Decimal(0))


def test_the_sdk_drops_a_field_that_it_does_not_know() -> None:
    settings = yaml.safe_load("{name: n, tasks: [{task_key: t, max_retry: 2}]}")
    read = jobs.JobSettings.from_dict(settings)
    assert read.as_dict() == {"name": "n", "tasks": [{"task_key": "t"}]}
    with pytest.raises(TypeError, match="max_retry"):
        jobs.Task("t", max_retry=2)  # type: ignore[call-arg]


def test_unity_catalog_has_no_stages() -> None:
    """As MLflow's client for it says; the service itself was not asked."""
    store = UcModelRegistryStore.__new__(UcModelRegistryStore)
    with pytest.raises(MlflowException, match="aliases instead of stages"):
        store.transition_model_version_stage("a.b.c", "1", "Production", False)
