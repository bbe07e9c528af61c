"""What lessons use of the course's own code: this, and nothing else."""

import ast
import atexit
import inspect
import os
import tempfile
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

from authoring.repository import ROOT
from base.quiet import TELEMETRY_OFF, foreign
from course.paths import RUNS
from course.recorded import recorded

__all__ = ["ROOT", "own_folder", "own_git", "own_runs", "recorded", "show_source"]


def own_folder() -> None:
    """Work in a new folder from here on, which goes when the kernel ends."""
    os.chdir(_temporary_folder())


def _temporary_folder() -> Path:
    folder = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    atexit.register(folder.cleanup)
    return Path(folder.name)


def own_runs() -> None:
    """Work in the folder whose `mlflow.db` JupyterLab's MLflow button shows; outside that JupyterLab in a new one."""
    kept = os.environ.get(RUNS)
    os.chdir(kept or _temporary_folder())


def own_git(home: Path, date: str) -> dict[str, str]:
    """Return the environment for the commands of a lesson that has a git repository of its own.

    No repository, identity, hook, signature or line end that is set for you reaches them, and none is changed. With
    author and date fixed, the same commit has the same hash on every machine.

    Args:
        home: A folder of the lesson; other tools' settings are looked for in it.
        date: Of all commits, such as `2024-01-31T12:00:00Z`.
    """
    away = set(foreign(os.environ))
    variables = {name: value for name, value in os.environ.items() if name not in away}
    # Beside its settings, git reads `git/ignore` and `git/attributes` of XDG_CONFIG_HOME.
    variables |= {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1", "GIT_ATTR_NOSYSTEM": "1"}
    variables |= {"XDG_CONFIG_HOME": str(home / "config"), "GIT_TERMINAL_PROMPT": "0"}
    for who in ("AUTHOR", "COMMITTER"):
        variables |= {f"GIT_{who}_NAME": "Ada", f"GIT_{who}_EMAIL": "ada@oakbank.example", f"GIT_{who}_DATE": date}
    return variables | TELEMETRY_OFF


def show_source(*things: Callable[..., Any] | type, docstring: bool = True, begin: str = "") -> None:
    """Show the code of functions or classes, in colours.

    Args:
        things: One below the other.
        docstring: Whether to show the docstring, too.
        begin: Show each from its first line on that holds this.
    """
    from IPython.display import Code, display

    for thing in things:
        source = textwrap.dedent(inspect.getsource(thing))
        if not docstring:
            source = _without_docstring(source)
        lines = source.splitlines()
        first = next(number for number, line in enumerate(lines) if begin in line)
        code = Code(textwrap.dedent("\n".join(lines[first:])), language="python")  # type: ignore[no-untyped-call]
        display(code)  # type: ignore[no-untyped-call]


def _without_docstring(source: str) -> str:
    """Return the text of a definition without the docstring that it begins with, if it does."""
    (thing,) = ast.parse(source).body
    assert isinstance(thing, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef))
    first = thing.body[0]
    if ast.get_docstring(thing) is None or first.end_lineno is None:
        return source
    lines = source.splitlines()
    return "\n".join(lines[: first.lineno - 1] + lines[first.end_lineno :])
