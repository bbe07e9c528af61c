"""The lesson of Prometheus: what it shows is what was recorded, and what was recorded is shown elsewhere."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from oakbank.deploy import prometheus

ROOT = Path(__file__).parents[3]
COURSE = [sys.executable, "-m", "course.cli"]


@pytest.mark.long
def test_prometheus_shows_what_was_recorded() -> None:
    if prometheus.versions() is None:
        if os.environ.get("CI") == "true" and "prometheus" in os.environ.get("COURSE_NEEDS", "").split(","):
            pytest.fail("Prometheus was promised and is not there")
        pytest.skip("no Prometheus on this machine")
    command = [*COURSE, "record", "--check", "03/09"]
    ran = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.stdout == "03/09: as it was recorded\n", ran.stdout + ran.stderr
    assert ran.returncode == 0


@pytest.mark.long
def test_the_recording_is_shown_where_there_is_no_prometheus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Binder's learner reads the screen, and reads that it is not of this machine."""
    monkeypatch.setenv("PATH", str(tmp_path))
    ran = subprocess.run([*COURSE, "run", "03/09"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    lesson = ROOT / "build" / "run" / "03-deploy" / "09-monitoring-and-logging.ipynb"
    cells = json.loads(lesson.read_text(encoding="utf-8"))["cells"]
    printed = ["".join(output.get("text", "")) for cell in cells for output in cell.get("outputs", [])]
    assert any("No Prometheus on this machine" in text for text in printed)
    recorded = [text for text in printed if text.startswith("[recorded on 2026-")]
    assert len(recorded) >= 4
    assert all("not run here]" in text.splitlines()[0] for text in recorded)
