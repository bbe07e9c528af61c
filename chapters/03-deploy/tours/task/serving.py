"""The task of the tours of lesson 04: the same model, the same 20,000 applications, and the decisions that differ."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import oakbank
from oakbank.deploy.agreement import CALLERS, Agreement, applications, champion, compare
from oakbank.deploy.load import serving
from oakbank.deploy.ports import free_port
from oakbank.deploy.protocols import Protocol, ask, records
from oakbank.pipelines import CreditModel

HERE = Path(__file__).parent
GIVEN = ("as they are", "decimals as float32", "1 % without delinquencies", "1 % without income")
"""The callers of `oakbank.deploy.agreement.CALLERS` that a tour asks for."""
ALONE = """
import json, sys
import pandas as pd
from oakbank.pipelines import CreditModel
print(json.dumps(CreditModel.load(sys.argv[1]).predict(pd.DataFrame(json.load(sys.stdin))).tolist()))
"""


def prepare(folder: Path) -> Path:
    """Train on the last month of history and write `model.txt`; return its path."""
    champion().save(folder / "model.txt")
    return folder / "model.txt"


def variables() -> dict[str, str]:
    """Return the variables of a server: it finds the course's code."""
    return os.environ | {"PYTHONPATH": os.pathsep.join(str(Path(place).parent) for place in oakbank.__path__)}


def in_new_process(model: Path) -> None:
    """Score the applications in a new process without any server: what a server's seconds are measured in.

    Raises:
        RuntimeError: A score differs.
    """
    rows = applications()
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", ALONE, str(model)],
        input=json.dumps(records(rows)),
        capture_output=True,
        text=True,
        check=True,
        env=variables(),
    )
    if json.loads(done.stdout) != CreditModel.load(model).predict(rows).tolist():
        raise RuntimeError("a score of the new process differs")


@contextmanager
def served(script: str, model: Path, protocol: Protocol, *options: str) -> Iterator[str]:
    """Run a server of this folder until the block ends; yields its address when it scores."""
    address = f"http://127.0.0.1:{(port := free_port())}"
    command = [sys.executable, str(HERE / script), "--model", str(model), "--port", str(port), *options]
    first = protocol.body(applications(1))
    with serving(command, model.with_name("server.log"), address + protocol.path, first, environment=variables()):
        yield address


def agreements(address: str, model: Path, protocol: Protocol, size: int = 1_000) -> dict[str, Agreement]:
    """Ask a server for all applications, by each of the callers `GIVEN`, `size` in one request."""
    rows, known = applications(), CreditModel.load(model)
    return {
        name: compare(lambda part: ask(address, protocol, part), known, rows, CALLERS[name], size) for name in GIVEN
    }


def told(found: dict[str, Agreement]) -> str:
    """Say how many decisions differ, a line for each caller."""
    lines = [f"  {name}: {one}" for name, one in found.items()]
    return "\n".join([f"decisions of {found[GIVEN[0]].asked:,} that differ from the model's own:", *lines])


def clean(found: dict[str, Agreement]) -> str:
    """Return `told`, if every decision about applications as they are is the model's.

    Raises:
        RuntimeError: One is not.
    """
    first = found[GIVEN[0]]
    if first.refused or first.decisions:
        raise RuntimeError(f"of applications as they are, this came back: {first}")
    return told(found)
