#!/usr/bin/env python3
"""Set the course up on this machine, then run one of its commands: `python3 bootstrap.py run`.

Needs Python 3.11 to 3.13 and nothing else. Finds uv, or installs it into `.bootstrap/`; has it install
what `uv.lock` names into `.venv/`; hands over to `course`. A second start hands over at once, two starts at once
wait for each other, a start after one that was killed clears away what was left half done, and one in a folder that
was moved makes `.venv` anew.
"""

from __future__ import annotations  # a Python that is too old must get as far as the sentence that says so

import contextlib
import hashlib
import importlib.util
import json
import locale
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import url2pathname

ROOT = Path(__file__).resolve().parent
OLDEST, NEWEST = (3, 11), (3, 13)
UV = "uv==0.13.9"
"""What is installed where PATH has no uv of this version or a newer one."""
UV_PLACES = ("bin/uv", "Scripts/uv.exe", "bin/uv.exe")


FOREIGN = (
    *("PYTHONHOME", "PYTHONINSPECT", "PYTHONOPTIMIZE", "PYTHONPATH", "PYTHONSTARTUP"),
    *("CONDA_PREFIX", "UV_PROJECT", "UV_PROJECT_ENVIRONMENT", "UV_PYTHON", "UV_SYSTEM_PYTHON", "VIRTUAL_ENV"),
)
"""Variables of another project or an active environment, which would lead Python or uv elsewhere."""


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
    # Of an environment, the Python that it was made from: the environment may be the one that is replaced.
    here = os.path.realpath(getattr(sys, "_base_executable", None) or sys.executable)  # a link may go, .venv keeps it
    return here if version <= NEWEST else f">=3.{OLDEST[1]},<3.{NEWEST[1] + 1}"


def works(uv: str | Path) -> bool:
    """Tell whether this uv runs, and is no older than ours.

    A pyenv shim may be on PATH and lead nowhere, a file may be half written, an old uv cannot read the lock file.
    """
    try:
        result = subprocess.run([str(uv), "--version"], capture_output=True, text=True, timeout=60, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        return False
    version = re.search(r"(\d+)\.(\d+)\.(\d+)", result.stdout)
    return result.returncode == 0 and version is not None and _numbers(version[0]) >= _numbers(UV.partition("==")[2])


def _numbers(version: str) -> list[int]:
    return [int(part) for part in version.split(".")]


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
        subprocess.run([sys.executable, "-m", "venv", str(aside)], cwd=str(home), check=True)  # noqa: S603
        python = next(aside / place for place in ("bin/python", "Scripts/python.exe") if (aside / place).exists())
        command = [str(python), "-m", "pip", "install"]
    elif importlib.util.find_spec("pip"):
        command = [sys.executable, "-m", "pip", "install", "--target", str(aside)]
    else:
        raise SetupError(
            "this Python has neither ensurepip nor pip. On Debian or Ubuntu: apt install python3-venv; or install uv."
        )
    settings = {"PIP_USER": "0", "PIP_REQUIRE_VIRTUALENV": "0", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    # `-m` imports from the working directory: not the user's, where a file may be named like a module.
    done = subprocess.run([*command, "--quiet", UV], cwd=str(home), env={**os.environ, **settings}, check=False)  # noqa: S603
    if done.returncode:
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
    elif environment.exists() and has_moved(root):
        say("this folder was moved: making its .venv anew, as the commands in it name the old place")
        shutil.rmtree(environment)
    _note(root).unlink(missing_ok=True)
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


def check_openmp(root: Path, env: dict[str, str]) -> None:
    """Load LightGBM's library: it needs the system's OpenMP, the one part that no package of `uv.lock` brings.

    Raises:
        SetupError: It does not load.
    """
    python, library = environment_python(root), "lib/python3*/site-packages/lightgbm/lib/lib_lightgbm.*"
    for path in (root / ".venv").glob(library):  # none on Windows, where OpenMP is part of the system
        command = [str(python), "-c", "import ctypes, sys; ctypes.CDLL(sys.argv[1])", str(path)]
        result = subprocess.run(command, env=env, capture_output=True, text=True, check=False)  # noqa: S603
        if result.returncode:
            raise SetupError(
                f"LightGBM does not load: {result.stderr.strip().splitlines()[-1]}. "
                "On Debian or Ubuntu: apt install libgomp1; on macOS: brew install libomp."
            )


def environment_python(root: Path) -> Path:
    """Return the interpreter of the environment, made or not."""
    return root / (".venv/Scripts/python.exe" if sys.platform == "win32" else ".venv/bin/python")


def wanted_state(root: Path) -> str:
    """Return what a finished set-up notes: where it is, and what it was made from."""
    digest = hashlib.sha256()
    for name in ("bootstrap.py", "pyproject.toml", "uv.lock"):
        digest.update((root / name).read_bytes())
    return f"{root}\n{digest.hexdigest()}\n"


def _note(root: Path) -> Path:
    return root / ".venv" / "oakbank-ready"


def is_ready(root: Path) -> bool:
    """Tell whether the last finished set-up was made here, from the files that are here now."""
    note = _note(root)
    made = note.read_text(encoding="utf-8") if note.is_file() else ""
    return made == wanted_state(root) and environment_python(root).exists()


def is_from(direct_url: str, root: Path) -> bool:
    """Tell whether an installed package's `direct_url.json` (PEP 610) names this folder."""
    return Path(url2pathname(urlsplit(json.loads(direct_url)["url"]).path)) == root


def has_moved(root: Path) -> bool:
    """Tell whether the environment was made in another folder: its commands and its course lead there."""
    found = (root / ".venv").glob("[Ll]ib/**/site-packages/oakbank_course-*.dist-info/direct_url.json")
    return not all(is_from(path.read_text(encoding="utf-8"), root) for path in found)


def set_up(root: Path, env: dict[str, str]) -> None:
    """Make the environment, unless the last set-up made it from the same files in the same place.

    Raises:
        SetupError: It cannot be made; the message says what to do.
    """
    if is_ready(root):
        return
    start = time.monotonic()
    with alone(root / ".bootstrap"):
        if is_ready(root):
            return  # made by the one that this waited for
        uv = find_uv(root / ".bootstrap")
        sync(uv, root, python_request(sys.version_info[:2]), env)
        check_openmp(root, env)
        _note(root).write_text(wanted_state(root), encoding="utf-8")
    say(f"ready after {time.monotonic() - start:.0f} s")


def is_installed_here(root: Path) -> bool:
    """Tell whether this very Python has the course of this folder installed, as on Binder or in a conda environment."""
    from importlib.metadata import PackageNotFoundError, distribution

    try:
        origin = distribution("oakbank-course").read_text("direct_url.json")
    except PackageNotFoundError:
        return False
    return origin is not None and is_from(origin, root) and Path(sys.prefix) != root / ".venv"


def clean_environment(root: Path) -> dict[str, str]:
    """Return the variables to go on with: none that leads elsewhere, and a package cache that can be written."""
    env = {name: value for name, value in os.environ.items() if name not in FOREIGN}
    if sys.platform == "linux" and locale.nl_langinfo(locale.CODESET).upper() not in ("UTF-8", "UTF8"):
        env.pop("LC_ALL", None)  # Python reads the paths of `.venv` in the locale's encoding, and uv writes UTF-8
        env["LC_CTYPE"] = "C.UTF-8"
    if "UV_CACHE_DIR" not in env:
        cache = Path(env.get("XDG_CACHE_HOME") or Path(os.path.expanduser("~"), ".cache"), "uv")  # noqa: PTH111
        try:
            cache.mkdir(parents=True, exist_ok=True)
        except OSError:  # no home, or one that cannot be written
            env["UV_CACHE_DIR"] = str(root / ".bootstrap" / "cache")
    return env


def main(arguments: Sequence[str]) -> int:
    """Set up, then become `course` with these arguments; where a process cannot, return its exit code."""
    python, env = Path(sys.executable), dict(os.environ)
    try:
        python_request(sys.version_info[:2])
        if not is_installed_here(ROOT):
            python, env = environment_python(ROOT), clean_environment(ROOT)
            set_up(ROOT, env)
    except SetupError as error:
        say(str(error))
        return 1
    except OSError as error:
        say(f"{error}. The set-up writes into {ROOT} and needs some 4 GB there.")
        return 1
    command = [str(python), "-P", "-m", "course.cli", *arguments]
    if sys.platform == "win32":  # exec there returns to the shell at once and loses the exit code
        return subprocess.run(command, env=env, check=False).returncode  # noqa: S603
    os.execve(python, command, env)  # noqa: S606


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(130)
