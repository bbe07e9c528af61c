"""For every test, in whatever folder: no telemetry, one thread a process (pytest runs one process a core).

Kernels start as new processes, unless a test is about warm ones: `course check` would leave a warm parent behind.
"""

import os
import signal

import pytest

from base.process import ONE_THREAD, tools_path
from base.quiet import quiet

quiet()
os.environ.update(ONE_THREAD, WARM_KERNELS="off", PATH=tools_path())
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:  # started in the background: what we start would not hear Ctrl-C
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_addoption(parser: pytest.Parser) -> None:
    """`course test --weekly` runs what the gate leaves out, too."""
    weekly = os.environ.get("COURSE_WEEKLY") == "1"  # what the workflow can hand through `.ci/run`
    parser.addoption("--weekly", action="store_true", default=weekly, help="also run what only the weekly run runs")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the weekly tests out, and start the longest ones first: else one of them ends alone."""
    if not config.getoption("--weekly"):
        left_out = [item for item in items if item.get_closest_marker("weekly")]
        config.hook.pytest_deselected(items=left_out)
        items[:] = [item for item in items if not item.get_closest_marker("weekly")]
    items.sort(key=lambda item: item.get_closest_marker("long") is None)
