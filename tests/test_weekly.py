"""What the gate leaves out runs every week, and nothing else is left out."""

import subprocess
import sys

from authoring.repository import ROOT


def collected(*arguments: str) -> list[str]:
    command = [sys.executable, "-m", "pytest", "--collect-only", "-q", *arguments, "tests/test_labs.py"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return [line.partition("::")[2] for line in done.stdout.splitlines() if "::" in line]


def test_the_gate_leaves_out_what_is_weekly_and_starts_the_long_ones_first() -> None:
    gate, weekly = collected(), collected("--weekly")
    more = set(weekly) - set(gate)
    assert set(gate) <= set(weekly)
    assert more
    assert all(name.startswith("test_a_lab_is_proven_with_every_test") for name in more)
    first = [name for name in gate if name.startswith("test_a_lab_is_proven[")]
    assert first
    assert gate[: len(first)] == first


def test_the_weekly_workflow_asks_for_them() -> None:
    text = (ROOT / ".github" / "workflows" / "weekly.yml").read_text(encoding="utf-8")
    assert '- run: .ci/run\n        env:\n          COURSE_WEEKLY: "1"' in text
