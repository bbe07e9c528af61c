"""What each step costs when the data grow: seconds, CPU and memory at x1, x10, x100 of the months.

`python -m oakbank.pipelines.scaling measure` keeps the numbers in `scaling.json` and writes the table in `README.md`;
`... table` writes the table anew from the numbers that are kept.
Each step runs in a process of its own, so its peak is its own, and imports are counted apart.
"""

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pyarrow.parquet as pq

from oakbank.pipelines.artifacts import LIBRARIES
from oakbank.pipelines.training import TrainingConfig, lake_inputs
from oakbank.world import Lake, World, load_scenario, publish_month, publish_outcomes
from oakbank.world.files import write_json, write_text

RESULTS = Path(__file__).with_name("scaling.json")
README = Path(__file__).with_name("README.md")
START, END = "<!-- generated: scaling -->", "<!-- end generated -->"
MONTHS = 6
"""Months at x1, of 2,000 applications each: the fewest that leave a few to train on beside the hold-out."""
TIMES = (1, 10, 100)
STEPS = ("ingest", "validate", "features", "train", "evaluate")
STREAMED = ("ingest", "validate", "features", "evaluate")
"""Steps that hold a batch, a month or the hold-out, however many months there are."""


def make_lake(folder: Path, months: int, applications: int = 2000, seed: int = 1) -> tuple[Lake, int]:
    """Publish months of a calm world, with the outcomes of all of them; returns the lake and the month of the run."""
    world = World(seed, load_scenario("calm").model_copy(update={"applications_per_month": applications}))
    lake, delay = Lake(folder), world.scenario.label_delay
    for month in range(months + delay):
        if month < months:
            publish_month(world, lake, month)
            granted = world.officer_decisions(month)
            lake.write("decisions", month, granted.assign(month=month))
        if month >= delay:
            publish_outcomes(world, lake, month)
    return lake, months + delay


def _child(target: str, arguments: str) -> None:
    """Run one function in this process and print what it cost."""
    module, _, name = target.partition(":")
    function: Callable[..., None] = getattr(import_module(module), name)
    keywords = {key: _paths(value) for key, value in json.loads(arguments).items()}
    before = psutil.Process().memory_info().rss
    cpu, wall = time.process_time(), time.perf_counter()
    function(**keywords)
    cost = {"cpu": time.process_time() - cpu, "wall": time.perf_counter() - wall}
    print(json.dumps(cost | {"peak_mb": (_peak() - before) / 1e6, "imports_mb": before / 1e6}))


def _paths(value: Any) -> Any:
    """Return what `_plain` made of paths as paths again."""
    if isinstance(value, dict):
        return Path(value["path"])
    return [_paths(one) for one in value] if isinstance(value, list) else value


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return {"path": str(value)}
    return [_plain(one) for one in value] if isinstance(value, list | tuple) else value


def _peak() -> int:
    """Return the most bytes that this process ever had in memory."""
    status = Path("/proc/self/status")
    if status.exists():  # on Linux `ru_maxrss` would count the parent too
        return next(int(line.split()[1]) for line in status.read_text().splitlines() if line.startswith("VmHWM")) * 1024
    if sys.platform == "win32":
        return int(psutil.Process().memory_info().peak_wset)
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # bytes under macOS


def measure_step(target: str, arguments: Mapping[str, Any]) -> dict[str, float]:
    """Run `module:function` with paths and numbers, in a process of its own.

    Returns:
        `cpu` and `wall` (seconds, without imports), `peak_mb` (the most memory above that of the imports, 10^6 bytes)
        and `imports_mb`.

    Raises:
        RuntimeError: The function failed; the message ends with what it said.
    """
    plain = json.dumps({key: _plain(value) for key, value in arguments.items()})
    # One thread each: what is counted is work, not how many cores were idle. And Arrow gives back what it has freed:
    # its usual allocator keeps it for the next request, so that the peak would say little about what a step holds.
    environment = os.environ | {
        "OMP_NUM_THREADS": "1",
        "ARROW_DEFAULT_MEMORY_POOL": "system",
        "PYTHONPATH": os.pathsep.join(path for path in sys.path if path),
    }
    command = [sys.executable, "-c", f"from {__spec__.name} import _child; import sys; _child(*sys.argv[1:])"]
    done = subprocess.run(  # noqa: S603
        [*command, target, plain], capture_output=True, text=True, env=environment, check=False
    )
    if done.returncode:
        raise RuntimeError(f"{target} failed: {done.stderr[-2000:]}")
    cost: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return {name: round(value, 3) for name, value in cost.items()}


def measure(months: int, folder: Path) -> dict[str, Any]:
    """Run the five steps over a lake of so many months, and say what each took.

    Args:
        months: Months of applications.
        folder: Where lake and artefacts go.

    Returns:
        `months`, `applications` and `rows` (labelled), and by step what `measure_step` gives.
    """
    lake, now = make_lake(folder / "lake", months)
    files = lake_inputs(lake, TrainingConfig(as_of=now, window=months), 3)
    made = {
        name: folder / file
        for name, file in {
            "labelled": "labelled.parquet", "feed": "feed.json", "accepted": "accepted.parquet",
            "quarantined": "quarantined.parquet", "report": "report.json", "matrix": "matrix.parquet",
            "model": "model.txt", "candidate": "candidate.txt", "evaluation": "evaluation.json",
            "held_out": "holdout.parquet",
        }.items()
    }  # fmt: skip
    arguments: dict[str, dict[str, Any]] = {
        "ingest": files | {"labelled": made["labelled"], "feed": made["feed"], "as_of": now},
        "validate": {name: made[name] for name in ("labelled", "accepted", "quarantined", "report", "feed")},
        "features": {name: made[name] for name in ("accepted", "matrix")},
        "train": {name: made[name] for name in ("matrix", "model", "candidate")},
        "evaluate": {name: made[name] for name in ("matrix", "accepted", "candidate", "evaluation", "held_out")},
    }
    costs = {step: measure_step(f"oakbank.pipelines.steps:{step}", arguments[step]) for step in STEPS}
    applications = sum(pq.read_metadata(path).num_rows for path in files["applications"])
    rows = pq.read_metadata(made["labelled"]).num_rows
    return {"months": months, "applications": applications, "rows": rows, "steps": costs}


def exponent(sizes: Sequence[float], costs: Sequence[float]) -> float:
    """Return the slope of cost over size in logarithms: 0 does not grow, 1 is linear, 2 quadratic."""
    return float(np.polyfit(np.log(sizes), np.log(costs), 1)[0])


def measure_all(times: Sequence[int] = TIMES, months: int = MONTHS) -> dict[str, Any]:
    """Measure at each size, smallest first, and say on what."""
    runs = []
    for factor in sorted(times):
        with tempfile.TemporaryDirectory() as name:
            runs.append({"times": factor} | measure(months * factor, Path(name)))
        print(f"x{factor}: {runs[-1]['rows']:,} labelled rows", *runs[-1]["steps"].items(), sep="\n  ", flush=True)
    versions = {name: version(name) for name in LIBRARIES}
    machine = {"system": platform.system(), "python": platform.python_version(), "versions": versions}
    return {"machine": machine, "runs": runs}


def table(found: Mapping[str, Any]) -> str:
    """Return the measurement as Markdown, a row for each step; the slopes are of the two largest sizes."""
    runs, machine = found["runs"], found["machine"]
    sizes = [f"x{run['times']}" for run in runs]
    head = ["step", *(f"CPU, s, {size}" for size in sizes), *(f"memory, MB, {size}" for size in sizes)]
    lines = [[*head, "slope of CPU", "slope of memory"], ["---", *["---:"] * (len(head) + 1)]]
    for step in STEPS:
        cpu, peak = ([run["steps"][step][kind] for run in runs] for kind in ("cpu", "peak_mb"))
        slopes = [f"{exponent([run['rows'] for run in runs[-2:]], cost[-2:]):.2f}" for cost in (cpu, peak)]
        lines.append([f"`{step}`", *(f"{one:.2f}" for one in cpu), *(f"{one:.0f}" for one in peak), *slopes])
    what = "; ".join(
        f"{size} is {run['months']} months, {run['rows']:,} labelled rows"
        for size, run in zip(sizes, runs, strict=True)
    )
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    about = (
        f"{what}. Memory is the peak above that of the imports. A slope is the exponent of the growth from {sizes[-2]} "
        f"to {sizes[-1]}: 0 does not grow, 1 is linear. {machine['system']}, Python {machine['python']}, {versions}."
    )
    return "\n".join([*("| " + " | ".join(line) + " |" for line in lines), "", about])


def renewed(text: str, made: str, start: str = START) -> str:
    """Return a README with a generated part, such as a table, made anew.

    Args:
        text: The README.
        made: The new part.
        start: The line before it; the line after it is `END`.

    Raises:
        ValueError: It has no place for it.
    """
    place = re.compile(f"{re.escape(start)}.*?{re.escape(END)}", re.DOTALL)
    if len(place.findall(text)) != 1:
        raise ValueError(f"README.md needs one line {start} and below it a line {END} for the table")
    return place.sub(lambda _: f"{start}\n{made}\n{END}", text)


def main() -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m oakbank.pipelines.scaling", description=__doc__)
    parser.add_argument("verb", choices=["measure", "table"])
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--readme", type=Path, default=README)
    parser.add_argument("--times", type=int, nargs="+", default=TIMES)
    wanted = parser.parse_args()
    if wanted.verb == "measure":
        write_json(wanted.results, measure_all(wanted.times))
    found = json.loads(wanted.results.read_text(encoding="utf-8"))
    print(table(found))
    write_text(wanted.readme, renewed(wanted.readme.read_text(encoding="utf-8"), table(found)))


if __name__ == "__main__":
    main()
