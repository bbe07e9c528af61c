"""Pictures of pages, as lessons show them, taken again: `python3 bootstrap.py exec python -m course.pictures`.

The lesson runs, its server starts, and a browser looks (Debian's chromium, by playwright). The lesson names the version
and the day beside a picture; `tests/test_pictures.py` is red when the version is not the installed one.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from authoring.repository import ROOT
from base.errors import UserError
from base.process import python
from course.paths import RUNS, lessons

LESSON = "02/05"
COMPARED = ROOT / "chapters" / "02-pipelines" / "pictures" / "05-experiment-tracking-compare.png"
WIDTH, HEIGHT = 1200, 700
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]
SECONDS = 120.0


def chromium() -> str | None:
    """Return the browser that looks at pages, or None where there is none."""
    return shutil.which("chromium") or shutil.which("chromium-browser")


def take(place: Path, picture: Path = COMPARED) -> None:
    """Run lesson 02/05 below a folder, and take the picture of MLflow's page that compares its six runs.

    Raises:
        UserError: There is no chromium here, the lesson fails, or the server does not answer.
    """
    browser = chromium()
    if browser is None:
        raise UserError("no chromium here: install it (on Debian: apt install chromium)")
    runs = place / "runs"
    runs.mkdir(parents=True, exist_ok=True)
    _run_lesson(place, runs)
    with _server(runs) as address:
        _look(address, browser, picture)


def _run_lesson(place: Path, runs: Path) -> None:
    from course.execute import execute
    from kernels.provisioner import own_kernel_name

    os.environ[RUNS] = str(runs)
    outcome = execute(
        lessons(ROOT, LESSON)[0], place / "done.ipynb", place / "work", lambda cell: None, own_kernel_name()
    )
    if outcome.failure:
        raise UserError(f"lesson {LESSON} did not run to its end: {outcome.failure.error}")


@contextmanager
def _server(runs: Path) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    store = ("--backend-store-uri", "sqlite:///mlflow.db")
    command = python("-m", "mlflow", "server", *store, "--port", str(port), "--workers", "1")
    quiet = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    with (runs / "server.log").open("wb") as log:
        process = subprocess.Popen(command, cwd=runs, env=quiet, stdout=log, stderr=log)  # noqa: S603
    try:
        end = time.monotonic() + SECONDS
        while True:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2).close()
                break
            except OSError:
                if process.poll() is not None or time.monotonic() > end:
                    raise UserError(f"MLflow's server does not answer: see {runs / 'server.log'}") from None
                time.sleep(0.5)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


def _six_runs(address: str) -> tuple[list[str], str]:
    """Return the ids of the runs, by leaves and seed, and that of their experiment."""
    import mlflow

    client = mlflow.MlflowClient(tracking_uri=address)
    (experiment,) = (one for one in client.search_experiments() if one.name.startswith("credit"))
    runs = [one.info for one in client.search_runs([experiment.experiment_id]) if "-seed" in one.info.run_name]
    runs.sort(key=lambda one: (int(one.run_name.removeprefix("leaves").split("-")[0]), one.run_name))
    return [one.run_id for one in runs], experiment.experiment_id


def _look(address: str, browser: str, picture: Path) -> None:
    from playwright.sync_api import sync_playwright

    runs, experiment = _six_runs(address)
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=browser, args=QUIET)
        page: Any = started.new_page(viewport={"width": WIDTH, "height": HEIGHT})
        page.set_default_timeout(SECONDS * 1000)
        page.goto(f"{address}/#/compare-runs?runs={json.dumps(runs)}&experiments={json.dumps([experiment])}")
        page.wait_for_selector("text=leaves40-seed1", state="attached")
        page.locator("[aria-label*='lose']").last.click()  # the assistant's panel
        page.locator("[class*=select-selection-item-remove]").last.click()  # the metric that it chose
        page.locator("input[role=combobox]").last.click()
        page.keyboard.type("auc")
        page.wait_for_timeout(1000)
        page.keyboard.press("Enter")
        page.keyboard.press("Escape")
        page.wait_for_timeout(5000)  # the plot is drawn
        picture.parent.mkdir(exist_ok=True)
        page.screenshot(path=picture)
        started.close()


if __name__ == "__main__":
    try:
        take(ROOT / "build" / "pictures")
    except UserError as error:
        sys.exit(str(error))
    print(f"taken: {COMPARED.relative_to(ROOT)}; write version and day into the lesson's line of it")
