"""Where a `pip install` in a build takes packages from, where it puts them, and whether it ends well."""

import fnmatch
import posixpath
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from oakbank.intro.image.pipcommand import Install

PACKAGE, SCRIPT = "fastapi/__init__.py", "bin/uvicorn"
"""Stand for all that was installed: a file of a package, and a program that a package brings."""
SITE = "lib/python/site-packages"
"""Where an environment, also the system's, has its packages; the real folder has a version in its name."""
SYSTEM = "/usr/local"


@dataclass(frozen=True)
class Installed:
    """One `pip install`.

    Attributes:
        folder: Which Python's path must have, so that the packages are found.
        scripts: Where programs such as `uvicorn` land.
        ok: Whether it ends well.
        asks_network: Whether it looks for packages in an index.
        checks_hashes: Whether it refuses a wheel that the lock does not name.
        packages: What it installs, by name.
    """

    folder: str
    scripts: str
    ok: bool
    asks_network: bool
    checks_hashes: bool
    packages: frozenset[str]


def resolve(install: Install, files: Mapping[str, str], texts: Mapping[str, str], at: str) -> Installed:
    """Return what a `pip install` does.

    Args:
        install: The command.
        files: The stage's files, path -> name in the context.
        texts: The context, name -> text.
        at: The folder it runs in.
    """
    wanted, hashed, missing = list(install.packages), False, False
    for name in install.values("requirement"):
        origin = files.get(posixpath.normpath(posixpath.join(at, name)))
        missing = missing or not origin
        text = texts.get(origin or "", "")
        hashed = hashed or "--hash=" in text
        wanted += re.findall(r"^\s*([A-Za-z][\w.-]*[^\s\\;]*)", text, flags=re.MULTILINE)
    checks = hashed or install.has("require-hashes")
    wheels = {
        _wheel(path)
        for folder in install.values("find-links")
        for path in files
        if posixpath.dirname(path) == posixpath.normpath(posixpath.join(at, folder)) and path.endswith(".whl")
    }
    given = {
        _wheel(path)
        for word in install.packages
        for path in files
        if path.endswith(".whl") and fnmatch.fnmatch(path, posixpath.normpath(posixpath.join(at, word)))
    }
    names = {_name(word) for word in wanted if not word.endswith(".whl")}
    got = names | given
    if not install.has("no-deps"):
        got |= wheels
    unpinned = checks and (not hashed or bool(install.packages))
    offline = install.has("no-index")
    lost = names - wheels if offline else set()
    needs = bool(given) and not install.has("no-deps") and offline and not wheels and not _all(texts) <= given
    ok = not (missing or unpinned or lost or needs) and bool(got)
    return Installed(*_into(install, files, at), ok, not offline, checks, frozenset(got))


def _all(files: Iterable[str]) -> set[str]:
    return {_wheel(name) for name in files if name.endswith(".whl")}


def _name(requirement: str) -> str:
    return re.sub(r"[-_.]+", "-", re.split(r"[\s\[<>=!~;]", requirement.strip())[0]).lower()


def _wheel(path: str) -> str:
    return _name(posixpath.basename(path).split("-")[0])


def _into(install: Install, files: Collection[str], at: str) -> tuple[str, str]:
    """Return where a `pip install` puts packages, and below which folder its programs go into `bin`."""
    if install.values("target"):
        folder = posixpath.normpath(posixpath.join(at, install.values("target")[0]))
        return folder, folder
    own = install.values("prefix")
    place = (
        posixpath.normpath(posixpath.join(at, own[0])) if own else environment_of(install.program, install.env, files)
    )
    return f"{place}/{SITE}", place


def environment_of(program: str, env: Mapping[str, str], files: Collection[str]) -> str:
    """Return the environment whose `bin` holds a program, by its path or as `PATH` finds it; else the system's."""
    if "/" in program:
        return posixpath.dirname(posixpath.dirname(posixpath.normpath(program)))
    for folder in env.get("PATH", "").split(":"):
        if f"{folder}/python" in files:
            return posixpath.dirname(folder)
    return SYSTEM
