"""uv.lock -> `environment.yml` (Binder, conda) with its `postBuild`, and the devcontainer."""

import json
import re
import tomllib
from pathlib import Path
from typing import Any

import yaml
from packaging.markers import Marker, default_environment
from packaging.utils import canonicalize_name
from packaging.version import Version

from base.errors import BuildError
from base.quiet import TELEMETRY_OFF

NOTICE = "# generated from {} by `course build`; do not edit\n"
PYTHON = "3.12"
BINDER: dict[str, str] = {
    "implementation_name": "cpython",
    "implementation_version": f"{PYTHON}.0",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "platform_python_implementation": "CPython",
    "platform_system": "Linux",
    "python_full_version": f"{PYTHON}.0",
    "python_version": PYTHON,
    "sys_platform": "linux",
}
"""What a marker of the lock file is asked about: the machine that Binder and the devcontainer give."""


def _holds(marker: str | None, extra: str = "") -> bool:
    environment: dict[str, str] = {**{key: str(value) for key, value in default_environment().items()}, **BINDER}
    return marker is None or Marker(marker).evaluate({**environment, "extra": extra})


def locked_pins(lock: Path) -> dict[str, str]:
    """Return name -> version of every package that the course itself needs (no development group) on Binder.

    Raises:
        BuildError: The lock file is missing or broken, or a package in it comes from no registry.
    """
    try:
        data = tomllib.loads(lock.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise BuildError(f"{lock.name} is missing: run `uv lock`") from None
    except tomllib.TOMLDecodeError as error:
        raise BuildError(f"{lock.name} is not TOML: {error}; run `uv lock`") from None
    packages: dict[str, list[dict[str, Any]]] = {}
    for package in data.get("package", []):
        packages.setdefault(package["name"], []).append(package)
    roots = [one for many in packages.values() for one in many if "editable" in one.get("source", {})]
    if len(roots) != 1:
        raise BuildError(f"{lock.name} must hold the course itself once, as an editable package; it does {len(roots)}x")

    pins: dict[str, str] = {}
    seen: set[tuple[str, str]] = set()
    queue: list[dict[str, Any]] = list(roots[0].get("dependencies", []))
    while queue:
        wanted = queue.pop()
        if not _holds(wanted.get("marker")):
            continue
        package = _one_of(packages.get(wanted["name"], []), wanted, lock.name)
        if "registry" not in package["source"]:
            raise BuildError(f"{lock.name}: {wanted['name']} comes from {package['source']}, which pip pins cannot say")
        pins[canonicalize_name(package["name"])] = package["version"]
        for extra in ("", *wanted.get("extra", [])):
            if (wanted["name"], extra) not in seen:
                seen.add((wanted["name"], extra))
                extras = package.get("optional-dependencies", {})
                queue += extras.get(extra, []) if extra else package.get("dependencies", [])
    return dict(sorted(pins.items()))


def _one_of(versions: list[dict[str, Any]], wanted: dict[str, Any], lock: str) -> dict[str, Any]:
    fitting = [one for one in versions if wanted.get("version") in (None, one["version"])]
    if len(fitting) > 1:
        fitting = [one for one in fitting if any(_holds(mark) for mark in one.get("resolution-markers", [None]))]
    if len(fitting) != 1:
        raise BuildError(f"{lock}: {len(fitting)} versions of {wanted['name']} fit Python {PYTHON} on Linux; want one")
    return fitting[0]


def environment_yml(root: Path) -> str:
    """Return the conda environment: Python, every pin, and the variables that switch telemetry off.

    The course itself is not in it, so that Binder keeps the layer until a pin changes: `postBuild` installs it.
    """
    wanted = tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["requires-python"]
    lowest = re.search(r">=\s*(\d+\.\d+)", wanted)
    if lowest is None or Version(PYTHON) < Version(lowest.group(1)):
        raise BuildError(f"pyproject.toml wants Python {wanted}, the environment has {PYTHON}")
    pins = [f"{name}=={version}" for name, version in locked_pins(root / "uv.lock").items()]
    data = {
        "name": "oakbank-course",
        "channels": ["conda-forge"],
        "dependencies": [f"python={PYTHON}", "pip", {"pip": pins}],
        "variables": TELEMETRY_OFF,
    }
    return NOTICE.format("uv.lock and base/quiet.py") + yaml.safe_dump(data, sort_keys=False)


def post_build() -> str:
    """Return Binder's last step: the course itself, without touching a pin."""
    notice = NOTICE.format("authoring/environment.py")
    return f"#!/bin/sh\n{notice}set -e\npython -m pip install --no-deps --editable .\n"


def devcontainer() -> str:
    """Return the definition of the container for Codespaces and editors."""
    data = {
        "name": "Oakbank course",
        "image": f"mcr.microsoft.com/devcontainers/python:{PYTHON}-bookworm",
        "features": {"ghcr.io/devcontainers/features/docker-in-docker:2": {}},
        "hostRequirements": {"memory": "8gb"},
        "updateContentCommand": "python3 bootstrap.py doctor && python3 bootstrap.py progress",
        "containerEnv": TELEMETRY_OFF,
        "customizations": {
            "oakbank": {"notice": "generated from base/quiet.py by `course build`; do not edit"},
            "codespaces": {"openFiles": ["work/START-HERE.md"]},
            "vscode": {
                "extensions": ["ms-python.python", "ms-toolsai.jupyter"],
                "settings": {
                    "python.defaultInterpreterPath": "${containerWorkspaceFolder}/.venv/bin/python",
                    "workbench.editorAssociations": {"START-HERE.md": "vscode.markdown.preview.editor"},
                },
            },
        },
    }
    return json.dumps(data, indent=2) + "\n"


def environment_files(root: Path) -> dict[str, str]:
    """Return the text of every generated file that describes the environment, by path."""
    return {
        "environment.yml": environment_yml(root),
        "postBuild": post_build(),
        ".devcontainer/devcontainer.json": devcontainer(),
    }
