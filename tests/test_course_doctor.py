"""What the doctor finds on machines that lack one thing each."""

import importlib.util
import os
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from rich.console import Console

from base.process import cores
from course import doctor
from course.doctor import Finding, examine, render
from oakbank.intro.containers import NO_ENGINE


def shown(findings: list[Finding]) -> str:
    console = Console(width=120)
    with console.capture() as text:
        console.print(render(findings))
    return text.get()


def test_this_machine_can_run_the_course() -> None:
    findings = examine()
    assert [finding.part for finding in findings if finding.required and not finding.ok] == []
    assert len({finding.part for finding in findings}) == len(findings) == 12


@pytest.mark.parametrize("part", [doctor.container_engine, doctor.kubernetes, doctor.terraform, doctor.uv])
def test_a_machine_without_tools_says_what_that_costs(
    part: Callable[[], Finding], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    finding = part()
    assert not finding.ok
    assert not finding.required
    assert finding.found == "none"
    assert len(finding.costs.split()) > 5


def test_an_engine_that_does_not_answer_is_told_from_none(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "docker").write_text("#!/bin/sh\n", encoding="utf-8")
    (tmp_path / "docker").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    finding = doctor.container_engine()
    assert finding.found == "installed, but does not answer"
    assert NO_ENGINE in finding.costs  # the sentence that the lesson prints


@pytest.mark.parametrize("says", ["exit 1", "exec sleep 60", "echo refused", "echo '[]'"])
def test_kubectl_needs_a_cluster(says: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One that fails, hangs or says anything else than its version is none."""
    put_kubectl(tmp_path, says)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(doctor, "KUBERNETES_SECONDS", 0.5)
    finding = doctor.kubernetes()
    assert not finding.ok
    assert finding.found == "kubectl, and no cluster that answers"
    assert "kind create cluster" in finding.costs


def test_a_cluster_that_answers_is_named_by_its_version(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    put_kubectl(tmp_path, """echo '{"gitVersion": "v1.34.0"}'""")
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    assert doctor.kubernetes() == Finding("Kubernetes", "a cluster, v1.34.0")


def put_kubectl(folder: Path, says: str) -> None:
    """Put a script of that name there: what a real one says about clusters is held in chapter 01's cluster tests."""
    (folder / "kubectl").write_text(f"#!/bin/sh\n{says}\n", encoding="utf-8")
    (folder / "kubectl").chmod(0o755)


@pytest.mark.parametrize(("version", "good"), [((3, 10), False), ((3, 11), True), ((3, 13), True), ((3, 14), False)])
def test_only_some_pythons_will_do(version: tuple[int, int], good: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "version_info", (*version, 0, "final", 0))
    assert doctor.python().ok == good
    assert doctor.python().required


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("course.doctor.PACKAGES", ("no_such_package", "papermill"))
    assert doctor.packages().found == "without no_such_package"
    assert not doctor.packages().ok


@pytest.mark.parametrize(
    ("gigabytes", "required", "costs"), [(1, True, "will be killed"), (2, False, "--jobs 1"), (8, False, "")]
)
def test_memory_is_enough_tight_or_too_little(
    gigabytes: int, required: bool, costs: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("course.doctor.memory_limit", lambda: gigabytes * 10**9)
    finding = doctor.memory()
    assert (finding.required, finding.ok) == (required, not costs)
    assert costs in finding.costs


def test_packages_that_are_not_compiled_are_slow(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(importlib.util, "cache_from_source", lambda origin: str(tmp_path / "missing.pyc"))
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    assert "first import" in doctor.bytecode().costs
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    assert "make .venv anew" in doctor.bytecode().costs


def test_cores_are_those_this_process_may_use() -> None:
    if not hasattr(os, "sched_setaffinity"):
        pytest.skip("this system pins no process to cores")
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert cores() == 1
    finally:
        os.sched_setaffinity(0, allowed)


def test_the_last_line_says_whether_the_course_runs() -> None:
    good, costly = Finding("uv", "there"), Finding("uv", "none", "no tours")
    assert shown([good]).strip().endswith("All there.")
    assert "The course runs here" in shown([good, costly])
    stopped = shown([costly, Finding("Python", "3.9", "nothing works", required=True)])
    assert stopped.strip().endswith("The course cannot run here yet: Python.")
