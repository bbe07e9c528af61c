"""A learner's first minute: JupyterLab as `course start` opens it, in a real browser."""

import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from authoring.repository import ROOT
from course.start import lab_command

LESSON = "chapters/01-intro/notebooks/01-ml-in-production.ipynb"
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
QUIET = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]

pytestmark = pytest.mark.skipif(
    CHROMIUM is None and "CI" not in os.environ, reason="no chromium here (on Debian: apt install chromium)"
)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[str]:
    """A learner's JupyterLab on a copy of the course; yields its address."""
    copy = tmp_path / "course"
    (copy / LESSON).parent.mkdir(parents=True)
    shutil.copy(ROOT / LESSON, copy / LESSON)
    shutil.copy(ROOT / "README.md", copy)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    command, extra = lab_command(copy, port=port, browser=False)
    with (tmp_path / "lab.log").open("wb") as log:
        process = subprocess.Popen(
            [*command, "--IdentityProvider.token=learner"],
            env=os.environ | extra | {"JUPYTER_CONFIG_DIR": str(tmp_path / "settings")},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(120):
            try:
                urllib.request.urlopen(f"{address}/api?token=learner", timeout=2)
                break
            except OSError:
                assert process.poll() is None, (tmp_path / "lab.log").read_text()
                time.sleep(0.5)
        else:
            pytest.fail((tmp_path / "lab.log").read_text())
        yield address
    finally:
        process.terminate()
        process.wait(30)


def test_a_learner_opens_the_first_lesson_and_runs_it(lab: str) -> None:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        asked: list[str] = []
        inside = (lab, lab.replace("http", "ws"), "data:", "blob:")
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{lab}/lab/tree/{LESSON}?token=learner", timeout=120_000)
        page.wait_for_selector(".jp-RenderedMarkdown h1", timeout=120_000)
        page.wait_for_selector(".jp-NotebookPanel .jp-Notebook-ExecutionIndicator[data-status=idle]", timeout=120_000)
        assert page.locator("text=Formgrader").count() == 0, "a learner sees the instructor's tools"
        assert page.locator("text=Create Assignment").count() == 0, "a learner sees the instructor's tools"
        page.click("text=Run >> nth=0")
        page.click("text=Run All Cells")
        page.wait_for_selector(".jp-OutputArea-output img >> nth=2", timeout=240_000, state="attached")
        bad = ("error", "stderr")
        errors = page.locator(", ".join(f"[data-mime-type='application/vnd.jupyter.{kind}']" for kind in bad))
        assert errors.count() == 0, errors.first.inner_text()
        (ROOT / "build").mkdir(exist_ok=True)
        page.screenshot(path=ROOT / "build" / "first-lesson.png")
        browser.close()
    outside = [url for url in asked if not url.startswith(inside)]
    assert asked, "the browser asked for nothing"
    assert outside == [], "JupyterLab reached out of the machine"
