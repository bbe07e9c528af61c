"""Seven ways to serve one model, side by side: `python -m oakbank.scale.serving_benchmark measure`.

The load comes from wrk, which is not ours (Debian: `apt-get install wrk`). It keeps N connections busy, each of which
sends its next request when it has its answer. Every way is asked in every round, in an order that changes, and is held
against the bare application of the same round: a busy machine slows both, and the ratio stays.
"""

import argparse
import contextlib
import json
import os
import platform
import random
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any

import httpx

import oakbank
from oakbank.deploy.load import BenchmarkError, load, serving
from oakbank.deploy.ports import free_port
from oakbank.pipelines import CreditModel, Registry, TrainingConfig, run_training
from oakbank.pipelines.contract import Application, requests_of, score
from oakbank.pipelines.scaling import renewed
from oakbank.world import Lake, World, publish_history
from oakbank.world.files import write_json, write_text

PEERS = Path(__file__).with_name("serving_peers")
RESULTS = Path(__file__).with_name("serving_benchmark.json")
README = Path(__file__).with_name("README.md")
START = "<!-- generated: serving benchmark -->"
CONNECTIONS = (1, 16, 64)
BARE, OURS = "bare Starlette, a constant answer", "chapter 5: the express lane"
APPLICATIONS = 500


def ways(registry: Path, model: Path) -> dict[str, list[str]]:
    """Return the command of each way to serve, without its port."""
    plain = [sys.executable, str(PEERS / "plain.py")]
    script = ["uv", "run", "--quiet", "--locked", "--script"]
    given = ["--model", str(model)]
    return {
        BARE: [*plain, "bare", *given],
        OURS: [sys.executable, "-m", "oakbank.scale.service", "--registry", str(registry)],
        "chapter 3: the same service without it": [
            *(sys.executable, "-m", "oakbank.deploy.service", "--registry", str(registry))
        ],
        "chapter 5: micro-batches": [*plain, "micro-batches", *given],
        "FastAPI and pandas, as one begins": [*plain, "naive", *given],
        "LitServe, with our scorer": [*script, str(PEERS / "litserve_service.py"), *given],
        "BentoML, with our scorer": [*script, str(PEERS / "bentoml_service.py"), *given],
    }


@contextlib.contextmanager
def at_a_port(command: Sequence[str], log: Path, row: Mapping[str, Any]) -> Iterator[str]:
    """Run a service on a free port and yield its URL when it scores a row.

    Raises:
        BenchmarkError: It ends, or does not answer in time; the message holds the end of its log.
    """
    url = f"http://127.0.0.1:{(port := free_port())}/score"
    # Every peer finds the course's code; one core's worth of threads for each.
    places = [str(Path(place).parent) for place in oakbank.__path__]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(places), "OMP_NUM_THREADS": "1"}
    with serving([*command, "--port", str(port)], log, url, row, environment=environment):
        yield url


def wrong_answers(url: str, rows: Sequence[Mapping[str, Any]], model: CreditModel) -> int:
    """Return how many answers are not those of the batch path, to the last bit."""
    expected = score(model, "1", [Application.model_validate(row) for row in rows])
    with httpx.Client() as client:
        given = [client.post(url, json=row).json() for row in rows]
    return sum(one != wanted.model_dump() for one, wanted in zip(given, expected, strict=True))


def measure(rounds: int = 7, seconds: int = 2, seed: int = 0) -> dict[str, Any]:
    """Train a model, start each way and ask all of them in turn.

    Args:
        rounds: How often each is measured at each number of connections.
        seconds: How long each measurement takes.
        seed: Of the order within a round.
    """
    order = random.Random(seed)  # noqa: S311 - no secret
    with tempfile.TemporaryDirectory() as name, contextlib.ExitStack() as stack:
        folder = Path(name)
        world, lake, registry = World(5), Lake(folder / "lake"), Registry(folder / "registry")
        publish_history(world, lake)
        run = run_training(TrainingConfig(), lake, folder / "run", registry)
        registry.set_alias("champion", str(run.version))
        rows = [request.model_dump() for request in requests_of(world.applications(0).head(APPLICATIONS))]
        bodies = folder / "bodies.jsonl"
        bodies.write_text("\n".join(json.dumps(row) for row in rows) + "\n", encoding="utf-8")
        model_file = folder / "model.txt"
        run.model().save(model_file)
        urls = {}
        for number, (way, command) in enumerate(ways(registry.folder, model_file).items()):
            urls[way] = stack.enter_context(at_a_port(command, folder / f"{number}.log", rows[0]))
            wrong = 0 if way == BARE else wrong_answers(urls[way], rows[:100], run.model())
            if wrong:
                raise BenchmarkError(f"{way}: {wrong} of 100 answers are not those of the batch path")
            load(urls[way], bodies, 16, 1)  # warm
            print(f"{way}: serves", flush=True)
        measured = []
        for number in range(rounds):
            found: dict[str, dict[str, dict[str, float]]] = {}
            for connections in CONNECTIONS:
                for way in order.sample(list(urls), len(urls)):
                    found.setdefault(way, {})[str(connections)] = load(urls[way], bodies, connections, seconds)
            measured.append(found)
            print(f"round {number + 1} of {rounds}: {table_rows([found])}", flush=True)
    return {"machine": _machine(), "seconds": seconds, "rounds": measured}


def _machine() -> dict[str, Any]:
    libraries = {name: version(name) for name in ("fastapi", "lightgbm", "starlette", "uvicorn")}
    for script in sorted(PEERS.glob("*.py.lock")):
        name = script.name.partition("_")[0]
        libraries[name] = script.read_text(encoding="utf-8").split(f'name = "{name}"\nversion = "')[1].partition('"')[0]
    return {
        "system": platform.system(),
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "versions": libraries,
    }


def ratio(rounds: Sequence[Mapping[str, Any]], way: str, connections: int, what: str) -> float:
    """Return a measure as times that of the bare application in the same round; the median of the rounds."""
    place = str(connections)
    return float(median(one[way][place][what] / one[BARE][place][what] for one in rounds))


def table_rows(rounds: Sequence[Mapping[str, Any]]) -> list[list[str]]:
    """Return the cells of the table: way, answers a second as 1/x of the bare one, median latency as times it."""
    shares = {way: [1 / ratio(rounds, way, number, "answers_per_s") for number in CONNECTIONS] for way in rounds[0]}
    return [
        [way, *(f"1/{share:.1f}" for share in shares[way]), f"{ratio(rounds, way, 1, 'p50_ms'):.1f}"]
        for way in sorted(shares, key=lambda way: shares[way][CONNECTIONS.index(16)])
    ]


def table(found: Mapping[str, Any]) -> str:
    """Return the measurement as Markdown."""
    rounds, machine = found["rounds"], found["machine"]
    head = ["", *(f"{connections} at a time" for connections in CONNECTIONS), "median latency, one at a time"]
    lines = [head, ["---", *["---:"] * (len(head) - 1)], *table_rows(rounds)]
    versions = ", ".join(f"{name} {number}" for name, number in machine["versions"].items())
    about = (
        f"Answers a second as a share of the first line's, and latency as times its, by wrk: the median of "
        f"{len(rounds)} rounds of {found['seconds']} s each. One worker each, {machine['cores']} cores for server "
        f"and load together. "
        f"{machine['system']}, Python {machine['python']}, {versions}."
    )
    return "\n".join([*("| " + " | ".join(line) + " |" for line in lines), "", about])


def recorded(results: Path = RESULTS) -> str:
    """Return the table of the run that is kept here, as Markdown."""
    return table(json.loads(results.read_text(encoding="utf-8")))


def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m oakbank.scale.serving_benchmark", description=__doc__)
    parser.add_argument("verb", choices=["measure", "table"])
    parser.add_argument("--results", type=Path, default=RESULTS)
    parser.add_argument("--readme", type=Path, default=README)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=2)
    options = parser.parse_args(arguments)
    try:
        if options.verb == "measure":
            write_json(options.results, measure(options.rounds, options.seconds))
    except BenchmarkError as error:
        raise SystemExit(f"error: {error}") from None
    made = recorded(options.results)
    print(made)
    write_text(options.readme, renewed(options.readme.read_text(encoding="utf-8"), made, START))


if __name__ == "__main__":
    main()
