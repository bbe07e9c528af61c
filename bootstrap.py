#!/usr/bin/env python3
"""Set the course up on this machine, then run one of its commands: `python3 bootstrap.py run`.

Needs Python 3.11 to 3.13 and nothing else. Finds uv, or installs it into `.bootstrap/`; has it install
what `uv.lock` names into `.venv/`; hands over to `course`. A second start takes a second or two, two starts at once
wait for each other, and a start after one that was killed clears away what was left half done.
"""

from __future__ import annotations  # a Python that is too old must get as far as the sentence that says so

import contextlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent
OLDEST, NEWEST = (3, 11), (3, 13)
UV = "uv==0.13.9"
"""What is installed where there is no uv; an uv on PATH is taken as it is."""
UV_PLACES = ("bin/uv", "Scripts/uv.exe", "bin/uv.exe")


class SetupError(Exception):
    """The set-up cannot go on; the message says what to do."""


def say(text: str) -> None:
    """Show a line of progress, on stderr: stdout belongs to the command that follows."""
    print(f"bootstrap: {text}", file=sys.stderr, flush=True)


def python_request(version: tuple[int, int]) -> str:
    """Return what to ask uv for as `--python`: this interpreter, or any in range where this one is too new.

    Args:
        version: Major and minor number of the running interpreter.

    Raises:
        SetupError: The interpreter is too old.
    """
    if version < OLDEST:
        raise SetupError(
            f"this is Python {version[0]}.{version[1]}, and the course needs 3.{OLDEST[1]} to 3.{NEWEST[1]}. "
            f"Install Python 3.{NEWEST[1]} and start again with it: python3.{NEWEST[1]} bootstrap.py run"
        )
    return sys.executable if version <= NEWEST else f">=3.{OLDEST[1]},<3.{NEWEST[1] + 1}"


def works(uv: str | Path) -> bool:
    """Tell whether this uv runs (a pyenv shim may be on PATH and lead nowhere, a file may be half written)."""
    try:
        return subprocess.run([str(uv), "--version"], capture_output=True, timeout=60, check=False).returncode == 0  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return False


def install_uv(home: Path) -> Path:
    """Install uv into `home/uv`, made aside and moved there whole, and return its executable.

    Raises:
        SetupError: Python has neither ensurepip nor pip, or pip could not install.
    """
    home.mkdir(exist_ok=True)
    for leftover in home.glob("new-*"):
        shutil.rmtree(leftover)
    aside = Path(tempfile.mkdtemp(prefix="new-", dir=home))
    if importlib.util.find_spec("ensurepip"):
        subprocess.run([sys.executable, "-m", "venv", str(aside)], check=True)  # noqa: S603
        python = next(aside / place for place in ("bin/python", "Scripts/python.exe") if (aside / place).exists())
        command = [str(python), "-m", "pip", "install"]
    elif importlib.util.find_spec("pip"):
        command = [sys.executable, "-m", "pip", "install", "--target", str(aside)]
    else:
        raise SetupError(
            "this Python has neither ensurepip nor pip. On Debian or Ubuntu: apt install python3-venv; or install uv."
        )
    settings = {"PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0"}  # a user's own defaults, which do not fit here
    if subprocess.run([*command, "--quiet", UV], env={**os.environ, **settings}, check=False).returncode:  # noqa: S603
        raise SetupError(f"pip could not install {UV} (its reason is above). Is the package registry in reach?")
    if (home / "uv").exists():  # broken, or it would have been taken
        shutil.rmtree(home / "uv")
    aside.rename(home / "uv")
    return next(home / "uv" / place for place in UV_PLACES if (home / "uv" / place).exists())


def find_uv(home: Path) -> Path:
    """Return an uv that works: the one on PATH, else the one in `home`, else one newly installed there."""
    on_path = shutil.which("uv")
    for uv in [*([Path(on_path)] if on_path else []), *(home / "uv" / place for place in UV_PLACES)]:
        if works(uv):
            return uv
    say(f"no uv here: installing {UV} into {home.name}/")
    return install_uv(home)


@contextlib.contextmanager
def alone(home: Path) -> Iterator[None]:
    """Hold the set-up lock: of two that start at once, one waits. It falls with the process, however that ends."""
    home.mkdir(exist_ok=True)
    with (home / "lock").open("a+b") as file:
        if sys.platform == "win32":
            import msvcrt

            while True:
                try:
                    msvcrt.locking(file.fileno(), msvcrt.LK_LOCK, 1)
                    break
                except OSError:  # gives up after ten seconds: ask again
                    say("waiting for another set-up to end")
        else:
            import fcntl

            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say("waiting for another set-up to end")
                fcntl.flock(file, fcntl.LOCK_EX)
        yield


def sync(uv: Path, root: Path, python: str, env: dict[str, str]) -> None:
    """Make `.venv` what `uv.lock` says. One that a killed set-up left half done is made anew.

    Raises:
        SetupError: uv failed; it said why.
    """
    environment, unfinished = root / ".venv", root / ".bootstrap" / "unfinished"
    if unfinished.exists() and environment.exists():
        say("the last set-up did not end: removing its half-made .venv")
        shutil.rmtree(environment)
    # An environment that is there keeps its Python; uv itself replaces one that is out of range.
    choice = [] if (environment / "pyvenv.cfg").exists() else ["--python", python]
    unfinished.touch()
    say("installing what uv.lock names into .venv (the first time downloads it)")
    command = [str(uv), "sync", "--project", str(root), "--frozen", "--compile-bytecode", *choice]
    if subprocess.run(command, env=env, check=False).returncode:  # noqa: S603
        raise SetupError(
            "uv could not make the environment (its reason is above). It needs the package registry in reach "
            f"and a Python from 3.{OLDEST[1]} to 3.{NEWEST[1]}; this one is {sys.version.split()[0]}."
        )
    unfinished.unlink()


def check_openmp(root: Path) -> None:
    """Load LightGBM's library: it needs the system's OpenMP, the one part that no package of `uv.lock` brings.

    Raises:
        SetupError: It does not load.
    """
    python, library = root / ".venv/bin/python", "lib/python3*/site-packages/lightgbm/lib/lib_lightgbm.*"
    for path in (root / ".venv").glob(library):  # none on Windows, where OpenMP is part of the system
        command = [str(python), "-c", "import ctypes, sys; ctypes.CDLL(sys.argv[1])", str(path)]
        result = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
        if result.returncode:
            raise SetupError(
                f"LightGBM does not load: {result.stderr.strip().splitlines()[-1]}. "
                "On Debian or Ubuntu: apt install libgomp1; on macOS: brew install libomp."
            )


def main(arguments: Sequence[str]) -> int:
    """Set up, then become `course` with these arguments; where a process cannot, return its exit code."""
    home, start = ROOT / ".bootstrap", time.monotonic()
    # An active environment of something else, or a setting made for another project, is not where this goes.
    env = {key: value for key, value in os.environ.items() if key not in ("VIRTUAL_ENV", "UV_PROJECT_ENVIRONMENT")}
    try:
        python = python_request(sys.version_info[:2])
        with alone(home):
            uv = find_uv(home)
            sync(uv, ROOT, python, env)
            check_openmp(ROOT)
    except SetupError as error:
        say(str(error))
        return 1
    say(f"ready after {time.monotonic() - start:.0f} s: course {' '.join(arguments)}")
    command = [str(uv), "run", "--project", str(ROOT), "--frozen", "--no-sync", "course", *arguments]
    if sys.platform == "win32":  # exec there returns to the shell at once and loses the exit code
        return subprocess.run(command, env=env, check=False).returncode  # noqa: S603
    os.execve(uv, command, env)  # noqa: S606


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
