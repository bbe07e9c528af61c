"""One model behind seven servers, side by side: `python -m oakbank.deploy.serving_tools measure`.

Each is asked for the same applications, by callers with and without faults, and what differs from the batch is counted
(`oakbank.deploy.agreement`). Its seconds are held against those of Oakbank's own service in the same round: a busy
machine slows both, and the ratio stays. It needs wrk and uv, and Linux.
"""

import argparse
import contextlib
import json
import os
import platform
import random
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from statistics import median
from typing import Any

import pandas as pd
import psutil

from oakbank.deploy.agreement import CALLERS, ROWS, Agreement, applications, champion, compare
from oakbank.deploy.load import BenchmarkError, Server, load, serving
from oakbank.deploy.ports import free_port
from oakbank.deploy.protocols import ask
from oakbank.deploy.serving_ways import (
    FIRST,
    WAYS,
    code_hash,
    command,
    environment,
    lines_of,
    save_for_mlflow,
    version_of,
)
from oakbank.world.files import write_json

RESULTS = Path(__file__).with_name("serving_tools.json")
CONNECTIONS = (1, 8)


class Bench:
    """The files of one measurement, and the servers that it starts.

    Args:
        folder: Where model, requests and logs go.
        n: Applications asked for.
    """

    def __init__(self, folder: Path, n: int) -> None:
        self.folder, self.rows, self.model = folder, applications(n), champion()
        self.file, self.saved = folder / "model.txt", folder / "saved"
        self.model.save(self.file)
        save_for_mlflow(self.file, self.saved)

    @contextlib.contextmanager
    def started(self, name: str) -> Iterator[tuple[str, Server]]:
        """Run a way at a free port until the block ends; yields its address when it scores."""
        way, port = WAYS[name], free_port()
        address, log = f"http://127.0.0.1:{port}", self.folder / f"{port}.log"
        begin, row = command(way, self.file, self.saved, port), way.protocol.body(self.rows.head(1))
        where = address + way.protocol.path
        with serving(begin, log, where, row, environment=environment(self.file)) as running:
            yield address, running

    def agreements(self, name: str, address: str) -> dict[str, dict[str, int]]:
        """Ask a server for all rows in the name of each caller."""
        spoken = WAYS[name].protocol

        def asked(part: pd.DataFrame) -> list[float]:
            return ask(address, spoken, part)

        return {caller: asdict(compare(asked, self.model, self.rows, done)) for caller, done in CALLERS.items()}

    def bodies(self, name: str, n: int = 500) -> Path:
        """Write requests of one application each, as JSON lines."""
        spoken, path = WAYS[name].protocol, self.folder / f"{len(list(self.folder.glob('*.jsonl')))}.jsonl"
        lines = [json.dumps(spoken.body(self.rows.iloc[[place % len(self.rows)]])) for place in range(n)]
        path.write_text("\n".join(lines) + "\n", encoding="utf-8")
        return path


def measure(
    ways: Sequence[str] = tuple(WAYS),
    *,
    starts: int = 3,
    rounds: int = 5,
    seconds: int = 2,
    n: int = ROWS,
) -> dict[str, Any]:
    """Start each way, count its decisions that differ, then keep all of them busy in turn.

    Args:
        ways: Names of `WAYS`; `FIRST` must be one, whose seconds are the measure of the others'.
        starts: How often each is started.
        rounds: How often each is put under load, at each number of connections.
        seconds: How long each load takes.
        n: Applications asked for.
    """
    order = random.Random(0)  # noqa: S311 - no secret
    found: dict[str, dict[str, Any]] = {
        name: {"lines": lines_of(WAYS[name].files), "code": code_hash(WAYS[name]), "version": version_of(WAYS[name])}
        | {"ready_s": []}
        for name in ways
    }
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        bench = Bench(Path(folder), n)
        urls: dict[str, str] = {}
        for left in reversed(range(starts)):
            for name in order.sample(list(ways), len(ways)):
                with contextlib.ExitStack() as alone:
                    # Those of the last start stay, for the load.
                    address, running = (alone if left else stack).enter_context(bench.started(name))
                    found[name]["ready_s"].append(running.seconds)
                    urls[name] = address + WAYS[name].protocol.path
                    if "agreements" not in found[name]:
                        found[name]["agreements"] = bench.agreements(name, address)
                        found[name]["memory_mb"] = proportional_mb(running.pid)
                print(f"{name}: ready after {running.seconds:.0f} s, {left} more starts", flush=True)
        bodies = {name: bench.bodies(name) for name in ways}
        loads = []
        for number in range(rounds):
            one: dict[str, dict[str, Any]] = {name: {} for name in ways}
            for connections in CONNECTIONS:
                for name in order.sample(list(ways), len(ways)):
                    one[name][str(connections)] = load(urls[name], bodies[name], connections, seconds)
            loads.append(one)
            print(f"round {number + 1} of {rounds}", flush=True)
    return {"machine": _machine(), "asked": n, "seconds": seconds, "ways": found, "rounds": loads}


def proportional_mb(pid: int) -> float:
    """Return the memory of a process and all below it, MB; what processes share is counted once (PSS)."""
    top = psutil.Process(pid)
    return float(sum(one.memory_full_info().pss for one in [top, *top.children(recursive=True)]) / 1e6)


def _machine() -> dict[str, Any]:
    python = platform.python_version()
    return {"date": date.today().isoformat(), "system": platform.system(), "cores": os.cpu_count(), "python": python}


def ratio(found: Mapping[str, Any], name: str, connections: int, what: str) -> float:
    """Return a measure under load as times that of `FIRST` in the same round; the median of the rounds."""
    place = str(connections)
    return float(median(one[name][place][what] / one[FIRST][place][what] for one in found["rounds"]))


def ready(found: Mapping[str, Any], name: str) -> float:
    """Return the seconds to the first good answer as times those of `FIRST`; the median of the starts."""
    pairs = zip(found["ways"][name]["ready_s"], found["ways"][FIRST]["ready_s"], strict=True)
    return float(median(mine / first for mine, first in pairs))


def _times(value: float) -> str:
    return f"{value:.1f}" if value < 10 else f"{value:.0f}"


def _markdown(lines: Sequence[Sequence[str]], about: str) -> str:
    rule = ["---", *["---:"] * (len(lines[0]) - 1)]
    return "\n".join([*("| " + " | ".join(line) + " |" for line in (lines[0], rule, *lines[1:])), "", about])


def _in_order(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the ways of a run in the order of `WAYS`; a file has them by name."""
    return {name: found["ways"][name] for name in WAYS if name in found["ways"]}


def table(found: Mapping[str, Any]) -> str:
    """Return what each way costs, as Markdown."""
    one, many = CONNECTIONS
    head = [
        "",
        "lines",
        "ready, x",
        "p50, x",
        f"p99 of {many}, x",
        "memory, MB",
        "decisions that differ",
        "asks of you",
    ]
    rows = [
        [
            f"{name} {way['version']}",
            str(way["lines"]),
            _times(ready(found, name)),
            _times(ratio(found, name, one, "p50_ms")),
            _times(ratio(found, name, many, "p99_ms")),
            f"{way['memory_mb']:.0f}",
            str(Agreement(**way["agreements"]["as they are"])),
            WAYS[name].asks,
        ]
        for name, way in _in_order(found).items()
    ]
    machine = found["machine"]
    about = (
        f"Recorded on {machine['date']}: {machine['system']}, {machine['cores']} cores for server and load together, "
        f"Python {machine['python']}. *x* is times the first line of the same round, the median of "
        f"{len(next(iter(found['ways'].values()))['ready_s'])} starts and {len(found['rounds'])} rounds of "
        f"{found['seconds']} s, one application a request: {one} and {many} under way at a time, the next as soon "
        f"as one is answered (wrk). One worker each. Memory is PSS, after all callers' requests."
    )
    return _markdown([head, *rows], about)


def matrix(found: Mapping[str, Any]) -> str:
    """Return the decisions that differ, by caller and way, as Markdown."""
    ways = _in_order(found)
    rows = [[caller, *(str(Agreement(**way["agreements"][caller])) for way in ways.values())] for caller in CALLERS]
    about = f"Decisions of {found['asked']:,} that differ from the batch's, which sees the applications as they are."
    return _markdown([["", *(name.partition(",")[0] for name in ways)], *rows], about)


def kept(results: Path = RESULTS) -> dict[str, Any]:
    """Return the run that is kept here."""
    return dict(json.loads(results.read_text(encoding="utf-8")))


def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m oakbank.deploy.serving_tools", description=__doc__)
    parser.add_argument("verb", choices=["measure", "table"])
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--starts", type=int, default=3)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=int, default=2)
    options = parser.parse_args(arguments)
    try:
        if options.verb == "measure":
            found = measure(starts=options.starts, rounds=options.rounds, seconds=options.seconds)
            write_json(options.results, found)
    except BenchmarkError as error:
        raise SystemExit(f"error: {error}") from None
    found = kept(options.results)
    print(f"{table(found)}\n\n{matrix(found)}")


if __name__ == "__main__":
    main()
