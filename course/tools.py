"""This environment's own commands, for what calls them by name."""

import contextlib
import os
import sys
from collections.abc import Iterator
from pathlib import Path


def tools_path() -> str:
    """Return PATH with this environment's commands first: nbgrader calls `alembic` by name."""
    return os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])


@contextlib.contextmanager
def own_tools() -> Iterator[None]:
    """Put this environment's commands first on PATH; nbgrader's own `setenv` would drop PATH afterwards."""
    before = os.environ.get("PATH")
    os.environ["PATH"] = tools_path()
    try:
        yield
    finally:
        if before is None:
            del os.environ["PATH"]
        else:
            os.environ["PATH"] = before
