"""The main job: every notebook and the flight, cut off from the network where the machine allows it.

Without a container engine and a cluster, as on Binder; where the machine has them, the lessons that need them run in
chapters/01-intro/tests/test_intro_recorded.py.

The labs' solutions run in their proofs (test_labs.py), which have no network either.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from authoring.lesson.gates import run_faults
from authoring.repository import ROOT
from authoring.syllabus import load_syllabus
from base.offline import why_not
from course.paths import lessons


@pytest.mark.long
@pytest.mark.timeout(1_800)  # some fifty lessons and the flight, on a machine that may be busy
def test_the_whole_course_runs_without_a_network(tmp_path: Path) -> None:
    offline = [] if why_not() else ["--offline"]
    command = [sys.executable, "-m", "course.cli", "run", *offline]
    binder = {**os.environ, "DOCKER_HOST": f"unix://{tmp_path}/none.sock", "KUBECONFIG": str(tmp_path / "none")}
    done = subprocess.run(command, cwd=ROOT, env=binder, capture_output=True, text=True, check=False)
    print(done.stdout)
    assert done.returncode == 0, done.stdout + done.stderr
    expected = len(lessons(ROOT)) + 1
    assert f"{expected} of {expected} ran as they should" in done.stdout
    assert "needs over" not in done.stdout, "a lesson takes more memory than the smallest machine can spare"
    assert done.stdout.rstrip().splitlines()[-1].startswith("wall "), "the ratio is the last line"
    assert run_faults(ROOT, load_syllabus()) == []
    assert (ROOT / "build" / "flight" / "report.html").stat().st_size > 50_000
