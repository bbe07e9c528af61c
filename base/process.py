"""How processes are started: nothing in the shell or the working directory changes what their code means."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path

# Jobs run side by side, one a core: more threads in each would only fight, and sums would depend on their number.
_POOLS = ("MKL", "NUMEXPR", "OMP", "OPENBLAS", "VECLIB")
ONE_THREAD: dict[str, str] = {"POLARS_MAX_THREADS": "1", **{f"{name}_NUM_THREADS": "1" for name in _POOLS}}
_KEPT = ("PYTHONDONTWRITEBYTECODE", "PYTHONSAFEPATH")


def python(*arguments: str) -> list[str]:
    """Return a command of this Python that imports nothing from the working directory."""
    return [sys.executable, "-P", *arguments]


def plain_environment() -> dict[str, str]:
    """Return this process's variables without those that change Python, and text in UTF-8 whatever the locale.

    PYTHONOPTIMIZE takes the asserts out of tests, PYTHONPATH puts other modules in the place of ours.
    """
    plain = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON") or name in _KEPT}
    return {**plain, "PYTHONUTF8": "1"}


@contextlib.contextmanager
def _variable(name: str, value: str) -> Iterator[None]:
    """Set an environment variable within the block."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before


def safe_path() -> contextlib.AbstractContextManager[None]:
    """Within the block, no Python that a library starts imports from the working directory."""
    return _variable("PYTHONSAFEPATH", "1")


def be_plain() -> None:
    """Give this process, and so all that it starts, the plain environment; go on in UTF-8 if it reads names otherwise.

    A name of a file that is not ASCII would be another text, and so another student, under another locale.
    """
    plain, told = plain_environment(), os.environ.get("PYTHONUTF8") == "1"
    for name in os.environ.keys() - plain.keys():
        del os.environ[name]
    os.environ.update(plain)
    if sys.platform != "win32" and not told and sys.getfilesystemencoding().lower() != "utf-8":
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])  # noqa: S606


def tools_path() -> str:
    """Return PATH with this environment's commands first: nbgrader calls `alembic` by name."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])


def own_tools() -> contextlib.AbstractContextManager[None]:
    """Put this environment's commands first on PATH; nbgrader's own `setenv` would drop PATH afterwards."""
    return _variable("PATH", tools_path())


def cores() -> int:
    """Return how many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def lean_imports() -> None:
    """Save this process a second: `import nbformat` would compile the grammar of a string format that it never uses.

    jsonschema takes the format for unknown where the package cannot be imported.
    """
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]
