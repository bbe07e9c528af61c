"""Warm parents of the grader, which may be started before it is known what is to be graded."""

import atexit
from collections.abc import Iterable

from autograder.lab.source import imports_of
from kernels.forks import can_fork
from kernels.parent import Parent
from kernels.warming import ThreadStartedError

PARENT_ENVIRONMENT = {
    "PYTHONHASHSEED": "0",  # sets of strings have the same order whenever a submission is graded
    # Huge pages: a fork copies a table of all pages. Arenas: each takes 64 MB of what a process may add.
    "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1:glibc.malloc.arena_max=4",
    # There is no network: what asks a server says so at once, by its own message, instead of asking for minutes.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "PIP_DISABLE_PIP_VERSION_CHECK": "1",
    "PIP_NO_INPUT": "1",
    "PIP_RETRIES": "0",
    "UV_OFFLINE": "1",
}
_AHEAD: dict[tuple[str, ...], Parent] = {}


def _start_parent(modules: Iterable[str]) -> Parent:
    return Parent(["IPython.core.interactiveshell", "autograder.examiner.box", *modules], PARENT_ENVIRONMENT)


def warm_ahead(sources: Iterable[str]) -> None:
    """Start what a `Grader` of a lab with these cells will need, and do not wait for it."""
    modules = tuple(imports_of(sources))
    if can_fork() and modules not in _AHEAD:
        _AHEAD[modules] = _start_parent(modules)
        atexit.register(lambda: _AHEAD.pop(modules).close() if modules in _AHEAD else None)


def warm_parent(modules: list[str]) -> Parent:
    """Return a warm parent with all of the modules that it may import; kernels import the others themselves."""
    while True:
        try:
            return (_AHEAD.pop(tuple(modules), None) or _start_parent(modules)).ready()
        except ThreadStartedError as error:
            if error.module not in modules:
                raise
            modules = [name for name in modules if name != error.module]
