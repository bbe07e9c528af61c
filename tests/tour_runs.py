"""Runs tours as a learner runs them, with their locks, and copies of them with faults planted."""

import os
import shutil
import subprocess
from pathlib import Path

from authoring.repository import ROOT
from course.tour import RAN

NO_SERVER = {"LAKECTL_SERVER_ENDPOINT_URL": "", "PACHD_ADDRESS": ""}
SHARED = ("base", "course", "chapters/01-intro/reference", "chapters/02-pipelines/reference")


def uv(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run uv, with no server named unless `environment` names one."""
    program = shutil.which("uv")
    assert program, "the tours are run by uv: install it"
    env = {**os.environ, **NO_SERVER, **environment}
    return subprocess.run([program, *arguments], env=env, capture_output=True, text=True, check=False)


def run(script: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run a tour as a learner does, with exactly the versions of its lock."""
    return uv("run", "--quiet", "--locked", "--script", str(script), **environment)


def check_account(done: subprocess.CompletedProcess[str], code: int) -> None:
    """Check that a tour that was measured ended with this exit code and told all that its chapter's table holds."""
    assert done.returncode == code, done.stdout + done.stderr
    for line in ("versions: Python 3.", "stores: ", "asks of you: ", "took: ", "does not prove: ", "seconds: "):
        assert f"\n{line}" in done.stdout
    assert done.stdout.splitlines()[-1].startswith("status: ran on " if code == RAN else "status: NOT RUN on ")


def check_real_service(done: subprocess.CompletedProcess[str]) -> None:
    """Check that a tour says in five lines how the real service is reached."""
    real = done.stdout.partition("at the real service:\n")[2].partition("seconds: ")[0]
    assert len(real.splitlines()) == 5


def run_planted(tmp_path: Path, script: Path, old: str, new: str) -> subprocess.CompletedProcess[str]:
    """Run a copy of a tour with a fault in it, in the environment of the sound one: uv would make one for each copy."""
    assert uv("sync", "--quiet", "--locked", "--script", str(script)).returncode == 0
    python = uv("python", "find", "--script", str(script)).stdout.strip()
    command = [python, str(planted(tmp_path, script, old, new))]
    return subprocess.run(command, env={**os.environ, **NO_SERVER}, capture_output=True, text=True, check=False)


def planted(tmp_path: Path, script: Path, old: str, new: str) -> Path:
    """Copy a tour and what it imports of the repository, and plant a fault in it."""
    root = tmp_path / "copy"
    chapter = script.parents[1].relative_to(ROOT)
    for part in sorted({*SHARED, str(chapter / "reference"), str(chapter / "tours" / "task")}):
        if (ROOT / part).is_dir():
            shutil.copytree(ROOT / part, root / part, ignore=shutil.ignore_patterns("__pycache__"))
    text = script.read_text(encoding="utf-8")
    assert text.count(old) == 1
    copy = root / script.relative_to(ROOT)
    copy.parent.mkdir(parents=True, exist_ok=True)
    copy.write_text(text.replace(old, new), encoding="utf-8")
    return copy
