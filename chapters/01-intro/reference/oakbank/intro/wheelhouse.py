"""The packages of the service's image, fetched once: `python -m oakbank.intro.wheelhouse`.

Building needs no network then. `container/requirements.txt` says which wheels, down to their SHA-256; it is made from
`uv.lock` by `python -m oakbank.intro.wheelhouse lock`. The wheels lie in the user's cache, a folder for each list and
processor. Only the standard library is imported here, so that a machine can fill its wheelhouse before it has the
course's environment: `python3 wheelhouse.py`.
"""

import hashlib
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

CONTAINER = Path(__file__).resolve().parent / "container"
REQUIREMENTS = CONTAINER / "requirements.txt"
ROOTS = ("fastapi", "uvicorn")
PYTHON = "3.11"
"""Of the image; that of the machine does not matter."""

_IMAGE = {
    "python_version": PYTHON,
    "python_full_version": f"{PYTHON}.14",
    "sys_platform": "linux",
    "platform_system": "Linux",
    "os_name": "posix",
    "platform_machine": "x86_64",
    "implementation_name": "cpython",
    "platform_python_implementation": "CPython",
}
_MACHINES = {"amd64": "x86_64", "x86_64": "x86_64", "arm64": "aarch64", "aarch64": "aarch64"}
_PLATFORMS = ("manylinux_2_28", "manylinux_2_27", "manylinux_2_17", "manylinux2014")

Package = Mapping[str, Any]
"""An entry of the lock."""


class WheelhouseError(Exception):
    """The wheels cannot be had; the message says why, and what to do."""


def folder(machine: str) -> Path:
    """Return where the wheels of the present requirements lie for a processor ("amd64", "arm64", or as uname says).

    In the user's cache, or in OAKBANK_WHEELHOUSE.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "oakbank-wheelhouse"
    cache = Path(os.environ.get("OAKBANK_WHEELHOUSE") or cache)
    name = hashlib.sha256(REQUIREMENTS.read_bytes()).hexdigest()[:12]
    return cache / f"{name}-{_MACHINES.get(machine.lower(), machine.lower())}"


def wheels(requirements: str) -> dict[str, set[str]]:
    """Return `{"name==version": {sha256, ...}}` of a list of requirements."""
    found: dict[str, set[str]] = {}
    for entry in requirements.replace("\\\n", " ").splitlines():
        if entry.strip() and not entry.startswith("#"):
            pinned, *hashes = entry.split()
            found[pinned] = {text.removeprefix("--hash=sha256:") for text in hashes}
    return found


def complete(machine: str) -> bool:
    """Return whether every wheel is there and is what the requirements say, to the bit."""
    there = {hashlib.sha256(path.read_bytes()).hexdigest() for path in folder(machine).glob("*.whl")}
    return all(hashes & there for hashes in wheels(REQUIREMENTS.read_text(encoding="utf-8")).values())


def fill(machine: str | None = None) -> Path:
    """Fetch what is missing through pip, which checks each hash, and return the folder.

    Args:
        machine: The engine's processor; without it, this machine's.

    Raises:
        WheelhouseError: pip could not fetch them; the message ends with what pip said.
    """
    machine = machine or platform.machine()
    if complete(machine):
        return folder(machine)
    if machine.lower() not in _MACHINES:
        raise WheelhouseError(f"there are no wheels for a processor called {machine}")
    target = folder(machine)
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as aside:
        subprocess.run([sys.executable, "-m", "venv", f"{aside}/venv"], check=True)  # noqa: S603
        python = next(
            path for path in (Path(aside, "venv/bin/python"), Path(aside, "venv/Scripts/python.exe")) if path.exists()
        )
        command = [
            str(python),
            "-m",
            "pip",
            "download",
            "--quiet",
            "--dest",
            f"{aside}/wheels",
            "--only-binary",
            ":all:",
        ]
        command += ["--no-deps", "--require-hashes", "--requirement", str(REQUIREMENTS), "--python-version", PYTHON]
        for name in _PLATFORMS:
            command += ["--platform", f"{name}_{_MACHINES[machine.lower()]}"]
        done = subprocess.run(command, capture_output=True, text=True)  # noqa: S603
        if done.returncode:
            last = (done.stderr.strip().splitlines() or ["nothing"])[-1]
            raise WheelhouseError(f"pip could not fetch the wheels of the image (a network is needed, once): {last}")
        shutil.rmtree(target, ignore_errors=True)
        Path(aside, "wheels").replace(target)
    return target


def locked(lock: str) -> str:
    """Return the requirements of the image, from the text of `uv.lock`: pins and the hashes of Linux wheels.

    Args:
        lock: The text of `uv.lock`.

    Raises:
        WheelhouseError: The lock does not hold a package, or holds no wheel of it that fits.
    """
    tag = PYTHON.replace(".", "")
    fits = re.compile(rf"-(py3|cp{tag})-(none|abi3|cp{tag})-(any|manylinux\w*_(x86_64|aarch64)(\.manylinux\w+)*)\.whl$")
    lines = [
        "# generated from uv.lock by `python -m oakbank.intro.wheelhouse lock`: the packages of the service's image"
    ]
    for name, package in sorted(_needed(tomllib.loads(lock)["package"]).items()):
        hashes = sorted(wheel["hash"] for wheel in package["wheels"] if fits.search(wheel["url"]))
        if not hashes:
            raise WheelhouseError(f"uv.lock holds no wheel of {name} for Python {PYTHON} on Linux")
        lines.append(" \\\n    ".join([f"{name}=={package['version']}", *(f"--hash={text}" for text in hashes)]))
    return "\n".join(lines) + "\n"


def _needed(packages: Sequence[Package]) -> dict[str, Package]:
    """Return the packages of the image, by name: `ROOTS`, and whatever they depend on there."""
    needed: dict[str, Package] = {}
    queue = list(ROOTS)
    while queue:
        name = queue.pop()
        if name not in needed:
            needed[name] = package = _find(packages, name)
            dependencies = package.get("dependencies", [])
            queue += [entry["name"] for entry in dependencies if "marker" not in entry or _holds(entry["marker"])]
    return needed


def _find(packages: Sequence[Package], name: str) -> Package:
    """Return the package of a name; where the lock has several, the first that is for the image."""
    for package in packages:
        markers = package.get("resolution-markers", [])
        if package["name"] == name and (not markers or any(map(_holds, markers))):
            return package
    raise WheelhouseError(f"uv.lock holds no {name} for Python {PYTHON} on Linux")


def _holds(marker: str) -> bool:
    """Whether a condition of the lock is met in the image."""
    from packaging.markers import Marker  # late: to fill the wheelhouse the standard library is enough

    return bool(Marker(marker).evaluate(_IMAGE))


def main(arguments: list[str]) -> None:
    """Fill the wheelhouse, or (`lock`) write the requirements anew."""
    if arguments == ["lock"]:
        root = next(path for path in CONTAINER.parents if (path / "uv.lock").is_file())
        REQUIREMENTS.write_text(locked((root / "uv.lock").read_text(encoding="utf-8")), encoding="utf-8")
    elif arguments:
        raise SystemExit("usage: python -m oakbank.intro.wheelhouse [lock]")
    else:
        try:
            print(f"wheelhouse: {fill()}")
        except WheelhouseError as error:
            raise SystemExit(f"wheelhouse: {error}") from error


if __name__ == "__main__":
    main(sys.argv[1:])
