"""The lessons of engine and cluster: what they show is what was recorded, and what was recorded is shown elsewhere."""

import json
import subprocess
import sys
from pathlib import Path

import docker  # type: ignore[import-untyped]
import pytest
from kubernetes.client import ApiClient, CoreV1Api  # type: ignore[import-untyped]

ROOT = Path(__file__).parents[3]
COURSE = [sys.executable, "-m", "course.cli"]


def check(lesson: str) -> None:
    """Run a lesson on what this machine has, and compare."""
    ran = subprocess.run([*COURSE, "record", "--check", lesson], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.stdout == f"{lesson}: as it was recorded\n", ran.stdout + ran.stderr
    assert ran.returncode == 0


@pytest.mark.engine
def test_docker_shows_what_was_recorded(engine: docker.DockerClient) -> None:
    check("01/07")
    assert [one.name for one in engine.containers.list(all=True) if one.name.startswith("oakbank-")] == []


@pytest.mark.cluster
@pytest.mark.engine
def test_kubernetes_shows_what_was_recorded(cluster: ApiClient, engine: docker.DockerClient) -> None:
    check("01/08")
    spaces = [one.metadata.name for one in CoreV1Api(cluster).list_namespace().items if one.status.phase == "Active"]
    assert "oakbank" not in spaces


@pytest.mark.parametrize(
    ("lesson", "lacks", "shown"),
    [
        ("07-containers-with-docker", "No container engine answers here", ["137 true", "(health: starting)"]),
        ("08-orchestration-with-kubernetes", "kind create cluster", ["OOMKilled", "no model: [Errno 2]"]),
    ],
)
def test_the_recording_is_shown_where_the_machine_has_neither(
    lesson: str, lacks: str, shown: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Binder's learner reads the screen, and reads that it is not of this machine."""
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    ran = subprocess.run([*COURSE, "run", f"01/{lesson[:2]}"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stdout + ran.stderr
    notebook = (ROOT / "build" / "run" / "01-intro" / f"{lesson}.ipynb").read_text(encoding="utf-8")
    outputs = [
        "".join(output["text"])
        for cell in json.loads(notebook)["cells"]
        for output in cell.get("outputs", [])
        if output["output_type"] == "stream"
    ]
    assert any(lacks in text for text in outputs)
    for sentence in shown:
        (text,) = (text for text in outputs if sentence in text)
        assert text.startswith("[recorded on 2026-"), text
        assert "not run here]" in text.splitlines()[0]
