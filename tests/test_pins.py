"""The environment: the ten packages of the course, and the pins of Binder and conda against the lock file."""

import json
import re
import subprocess
import sys
import tomllib
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest
import yaml

from authoring.repository import ROOT

TEN = ("docker", "evidently", "fastapi", "jupyterlab", "kfp", "mlflow", "nbgrader", "papermill", "pytest", "shap")
# Properties of the devcontainer reference that this course could use; tools ignore a misspelt one in silence.
DEVCONTAINER_KEYS = {
    "name", "image", "features", "hostRequirements", "updateContentCommand", "postCreateCommand", "postStartCommand",
    "containerEnv", "remoteEnv", "forwardPorts", "portsAttributes", "customizations", "remoteUser", "containerUser",
}  # fmt: skip


def locked() -> dict[str, set[str]]:
    """Return the versions of each package in the lock file: more than one where a Python version forces it."""
    found: dict[str, set[str]] = {}
    for package in tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]:
        found.setdefault(package["name"], set()).add(package["version"])
    return found


def direct() -> set[str]:
    """Return the names of the packages that the course itself asks for."""
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["dependencies"]
    return {re.split(r"[<>=!~\[; ]", line)[0] for line in wanted}


def wrong_pins(environment: dict[str, Any]) -> list[str]:
    """Return where an environment for conda disagrees with the lock file."""
    (lines,) = [part["pip"] for part in environment["dependencies"] if isinstance(part, dict)]
    pins = [line.split("==") for line in lines]
    names = [name for name, _ in pins]
    allowed = locked()
    problems = [f"{name}=={number}: not in uv.lock" for name, number in pins if number not in allowed.get(name, ())]
    problems += [f"{name}: no pin" for name in sorted(direct() - set(names))]
    problems += [f"{name}: two pins" for name in sorted(set(names)) if names.count(name) > 1]
    return problems


def wrong_devcontainer(definition: dict[str, Any]) -> list[str]:
    """Return what a container engine or an editor would trip over in a devcontainer definition."""
    problems = [f"{key}: no such property" for key in definition if key not in DEVCONTAINER_KEYS]
    reference = re.compile(r"[\w.-]+(/[\w.-]+)+:[\w.-]+")
    for name in [definition.get("image", ""), *definition.get("features", {})]:
        if not reference.fullmatch(name):
            problems.append(f"{name}: not registry/name:tag")
    if not re.fullmatch(r"\d+gb", definition.get("hostRequirements", {}).get("memory", "8gb")):
        problems.append("hostRequirements.memory: a whole number and gb")
    problems += [
        f"{name}: not text" for name, value in definition.get("containerEnv", {}).items() if not isinstance(value, str)
    ]
    return problems


@pytest.fixture
def environment() -> dict[str, Any]:
    """Return environment.yml."""
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "environment.yml").read_text(encoding="utf-8"))
    return loaded


@pytest.fixture
def devcontainer() -> dict[str, Any]:
    """Return the devcontainer definition."""
    loaded: dict[str, Any] = json.loads((ROOT / ".devcontainer/devcontainer.json").read_text(encoding="utf-8"))
    return loaded


def test_the_ten_packages_are_locked_and_installed() -> None:
    """What the course names, the lock file pins, and this environment has."""
    versions = locked()
    assert set(TEN) <= direct()
    assert {name: version(name) in versions[name] for name in TEN} == dict.fromkeys(TEN, True)


def test_the_ten_packages_import_together(tmp_path: Path) -> None:
    """In one process, in a folder of its own: some write where they are imported."""
    code = f"import {', '.join(TEN)}"
    result = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stderr


def test_binder_gets_the_locked_versions(environment: dict[str, Any]) -> None:
    """Every pin is the lock file's, and no package that the course asks for is without one."""
    assert wrong_pins(environment) == []


def test_a_wrong_pin_is_found(environment: dict[str, Any]) -> None:
    """Another version, a pin left out, a pin twice."""
    pins = environment["dependencies"][-1]["pip"]
    mlflow = next(pin for pin in pins if pin.startswith("mlflow=="))
    pins[pins.index(mlflow)] = "mlflow==1.0"
    pins.remove(next(pin for pin in pins if pin.startswith("shap==")))
    pins.append(next(pin for pin in pins if pin.startswith("docker==")))
    assert wrong_pins(environment) == ["mlflow==1.0: not in uv.lock", "shap: no pin", "docker: two pins"]


def test_the_devcontainer_is_well_formed(devcontainer: dict[str, Any]) -> None:
    """Structure only: no engine here pulls its image."""
    assert wrong_devcontainer(devcontainer) == []


@pytest.mark.parametrize(
    "fault",
    [
        {"updateContentCommands": "pip install uv"},
        {"image": "python"},
        {"features": {"docker-in-docker": {}}},
        {"hostRequirements": {"memory": "8 GB"}},
        {"containerEnv": {"LEVEL": 1}},
    ],
    ids=lambda fault: next(iter(fault)),
)
def test_a_fault_in_the_devcontainer_is_found(devcontainer: dict[str, Any], fault: dict[str, Any]) -> None:
    """A misspelt property, an image and a feature without registry, an amount and a value of the wrong form."""
    assert len(wrong_devcontainer({**devcontainer, **fault})) == 1
