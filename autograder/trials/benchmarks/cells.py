"""What the cells of submissions cost by themselves: all in this one process, imports paid.

`python -m autograder.trials.benchmarks.cells` reads `{name: [source, …]}` from standard input, as JSON; the first name
is run once more beforehand, so that whatever is imported on first use is there. It answers with the CPU seconds of each
name and the numbers of the cells that failed.
"""

import gc
import json
import sys
import time
from typing import Any


def run(sources: list[str]) -> tuple[float, list[int]]:
    """Run cells in a namespace of their own; returns their CPU seconds and which failed."""
    namespace: dict[str, Any] = {"__name__": "__main__"}
    failed = []
    gc.collect()
    begin = time.process_time()
    for number, source in enumerate(sources):
        try:
            exec(compile(source, f"<cell {number}>", "exec"), namespace)  # noqa: S102
        except Exception:  # a wrong answer fails its test, and whoever asked compares which
            failed.append(number)
    return time.process_time() - begin, failed


if __name__ == "__main__":
    wanted: dict[str, list[str]] = json.load(sys.stdin)
    run(next(iter(wanted.values())))
    json.dump({name: run(sources) for name, sources in wanted.items()}, sys.stdout)
