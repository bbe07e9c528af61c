"""What makes a process warm: the heavy libraries, imported so that forks share them and start no slower for it."""

import builtins
import contextlib
import gc
import importlib
import sys
import types
from collections.abc import Iterable, Iterator
from functools import cache
from importlib import metadata
from typing import Any

from base.errors import UserError
from base.process import ONE_THREAD
from base.quiet import TELEMETRY_OFF
from kernels.forks import threads

HEAVY = (
    "IPython.core.interactiveshell",
    "lightgbm",
    "matplotlib.pyplot",
    "matplotlib_inline.backend_inline",
    "mlflow",
    "numpy",
    "pandas",
    "pyarrow.parquet",
    "scipy.stats",
    "sklearn.ensemble",
    "sklearn.linear_model",
    "sklearn.metrics",
    "sklearn.model_selection",
    "sklearn.pipeline",
)
"""What nearly every lesson and lab imports."""

ENVIRONMENT = {
    **ONE_THREAD,
    **TELEMETRY_OFF,
    "MPLBACKEND": "module://matplotlib_inline.backend_inline",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",  # pyarrow's allocator would start a thread on import
}
"""What a process needs so that importing the heavy libraries starts no thread and plots go into the notebook."""


class ThreadStartedError(UserError):
    """Importing `module` starts a thread: a fork would inherit its locks for ever."""

    def __init__(self, module: str) -> None:
        super().__init__(f"importing {module} starts a thread, so it cannot be imported before a fork")
        self.module = module


@contextlib.contextmanager
def made_to_stay() -> Iterator[None]:
    """Keep the garbage collector from what the block makes: while it grows, and ever after."""
    gc.disable()
    try:
        yield
        gc.freeze()  # with the little garbage that imports leave: to look for it would take a tenth of their time
    finally:
        gc.enable()


def warm(imports: Iterable[str]) -> None:
    """Import, and put what was made out of the garbage collector's sight, so that it stays shared after a fork.

    Raises `ThreadStartedError`.
    """
    # What a library looks at, as it is imported, to know that it is in a notebook: pandas then shows wider frames.
    vars(builtins)["get_ipython"] = lambda: types.SimpleNamespace(kernel=None)
    try:
        with made_to_stay(), _one_look_at_packages():
            for name in imports:
                importlib.import_module(name)
                if threads() > 1:
                    raise ThreadStartedError(name)
            _use_first()
    finally:
        del vars(builtins)["get_ipython"]


@contextlib.contextmanager
def _one_look_at_packages() -> Iterator[None]:
    """Within the block, read the entry points of all packages once: mlflow, imported, asks for nine groups of them."""
    look, within = metadata.entry_points, True
    every = cache(look)

    def entry_points(**wanted: Any) -> Any:
        return every().select(**wanted) if within else look(**wanted)

    vars(metadata)["entry_points"] = entry_points
    try:
        yield
    finally:
        within, vars(metadata)["entry_points"] = False, look


def _use_first() -> None:
    """Do once what else each fork would: scikit-learn, first shown data, reads the names of all packages there are."""
    if "sklearn.utils.validation" in sys.modules:
        check = sys.modules["sklearn.utils.validation"].check_array
        check([[0.0]])
        if "pandas" in sys.modules:
            check(sys.modules["pandas"].DataFrame({"a": [0.0]}))
