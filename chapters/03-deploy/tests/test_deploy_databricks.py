"""Lesson 07: its engine starts, answers and goes; what it says of Delta, of the SDK and of Unity Catalog is so."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pandas as pd
import psutil
import pytest
import yaml
from databricks.sdk.service import jobs
from deltalake import DeltaTable, write_deltalake
from mlflow.exceptions import MlflowException
from mlflow.store._unity_catalog.registry.rest_store import UcModelRegistryStore

from authoring.recording import load, recording_path
from base.process import python
from oakbank.deploy import spark

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


def servers(parent: int) -> list[psutil.Process]:
    return [one for one in psutil.Process(parent).children(recursive=True) if "server.py" in " ".join(one.cmdline())]


@pytest.mark.tour
def test_the_engine_answers_and_goes_with_a_kernel_that_is_killed(tmp_path: Path) -> None:
    kernel = start("600")
    assert kernel.stdout is not None
    found = json.loads(kernel.stdout.readline())
    assert found, "uv could not make the environment"
    interpreter, remote = found
    program = (
        "from pyspark.sql import SparkSession\n"
        "print(SparkSession.builder.getOrCreate().range(7).selectExpr('sum(id)').collect()[0][0])"
    )
    asked = subprocess.run(
        [interpreter, "-c", program],
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
    assert any("Spark" in text and "pandas" in text for text in texts)
    assert any("equal to those of this process to the last bit" in text for text in texts)
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
