"""A learner's first minute: JupyterLab as `course start` opens it, in a real browser."""

import os
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from typer.testing import CliRunner

if TYPE_CHECKING:
    from playwright.sync_api import Page

from authoring.repository import ROOT
from course import cli
from course.pictures import QUIET, chromium
from course.progress import load
from course.start import lab_command
from course.work.update import prepare

LESSON = "01-intro/01-ml-in-production.ipynb"
LAB = "labs/01-reproducible-training/01-reproducible-training.ipynb"
GIVEN_OUT = (
    "chapters/*/notebooks/*.ipynb",
    "chapters/*/README.md",
    "chapters/*/cards/*.md",
    "chapters/*/pictures/*.png",
    "chapters/*/tours/*.py",
    "labs/*/*.ipynb",
)
CHROMIUM = chromium()

pytestmark = pytest.mark.skipif(
    CHROMIUM is None and "CI" not in os.environ, reason="no chromium here (on Debian: apt install chromium)"
)


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[str]:
    """A learner's JupyterLab on a copy of the course; yields its address."""
    copy = tmp_path / "course"
    for pattern in (*GIVEN_OUT, "chapters/*/lessons/*.py", "GLOSSARY.md", "course/syllabus.yml"):
        for path in ROOT.glob(pattern):
            (copy / path.relative_to(ROOT)).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(path, copy / path.relative_to(ROOT))
    assert prepare(copy) == []
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


@pytest.fixture
def page(lab: str) -> Iterator["Page"]:
    """A browser that has just been sent to JupyterLab, as `start` sends it; it must not ask for anything outside."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=QUIET)
        page = browser.new_page(viewport={"width": 1280, "height": 900})
        asked: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.goto(f"{lab}/?token=learner", timeout=120_000)
        page.wait_for_selector(".jp-RenderedMarkdown h1", timeout=120_000)
        yield page
        (ROOT / "build").mkdir(exist_ok=True)
        page.screenshot(path=ROOT / "build" / "last-page.png")
        browser.close()
    inside = (lab, lab.replace("http", "ws"), "data:", "blob:")
    assert asked, "the browser asked for nothing"
    assert [url for url in asked if not url.startswith(inside)] == [], "JupyterLab reached out of the machine"


def run_all(page: "Page") -> None:
    """Run all cells of the notebook in front."""
    page.wait_for_selector(".jp-NotebookPanel .jp-RenderedMarkdown h1", timeout=120_000)
    page.wait_for_selector("text=Python 3 (ipykernel) | Idle", timeout=120_000)  # else it asks for a kernel
    page.click("text=Run >> nth=0")
    page.click("text=Run All Cells")


def test_a_learner_begins_at_the_page_and_runs_the_first_lesson(page: "Page", lab: str) -> None:
    """By its link; and sees no folder that is for others."""
    (ROOT / "build").mkdir(exist_ok=True)
    page.wait_for_selector(".jp-DirListing-item", timeout=60_000)
    page.screenshot(path=ROOT / "build" / "start-here.png")
    listed = page.locator(".jp-DirListing-itemText").all_inner_texts()
    assert sorted(listed) == sorted(
        [*(path.name for path in (ROOT / "chapters").glob("[0-9]*")), "labs", "mlflow", "GLOSSARY.md", "START-HERE.md"]
    )
    assert page.locator("text=Formgrader").count() == 0, "a learner sees the instructor's tools"
    assert page.locator("text=Create Assignment").count() == 0, "a learner sees the instructor's tools"
    page.click(".jp-RenderedMarkdown >> text=Lesson 01/01")
    run_all(page)
    page.wait_for_selector(".jp-OutputArea-output img >> nth=2", timeout=240_000, state="attached")
    bad = ("error", "stderr")
    errors = page.locator(", ".join(f"[data-mime-type='application/vnd.jupyter.{kind}']" for kind in bad))
    assert errors.count() == 0, errors.first.inner_text()
    page.screenshot(path=ROOT / "build" / "first-lesson.png")


def test_a_learner_runs_a_lab_saves_it_and_checks_it(page: "Page", lab: str, tmp_path: Path) -> None:
    """What is saved is the learner's copy, and `check` looks at that."""
    course = tmp_path / "course"
    page.goto(f"{lab}/lab/tree/{LAB}", timeout=120_000)
    run_all(page)
    deadline = time.monotonic() + 240
    while '"ename": "AssertionError"' not in (text := (course / "work" / LAB).read_text(encoding="utf-8")):
        assert time.monotonic() < deadline, text[-2000:]
        time.sleep(1)
        page.keyboard.press("Control+s")
    page.screenshot(path=ROOT / "build" / "first-lab.png")
    done = CliRunner().invoke(cli.app, ["--root", str(course), "check", Path(LAB).stem])
    assert "0 of 8 exercises pass" in done.output
    assert [name for name, score in load(course).labs.items() if score.passed == 0] == [Path(LAB).stem]
    assert (course / LAB).read_bytes() == (ROOT / LAB).read_bytes()
