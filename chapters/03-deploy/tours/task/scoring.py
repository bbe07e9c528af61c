"""The task of the tours of lesson 03: a model, a few applications, and the scores that must come back."""

import json
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oakbank.deploy.onnx_runtime import OnnxModel
from oakbank.pipelines import CreditModel, feature_matrix
from oakbank.world import World


@dataclass(frozen=True)
class Task:
    """What goes in, and what must come out."""

    model: Path
    """An ONNX file; input `features`, output `probabilities`."""
    rows: list[list[float]]
    """Features of applications, shape (n, features)."""
    scores: list[float]
    """Default probabilities by the model as it was trained, shape (n,)."""


def prepare(folder: Path, n: int = 20) -> Task:
    """Train on the last month of history, export to `model.onnx` in the folder, and score applications of month 0."""
    world = World(seed=3)
    model = CreditModel.fit(feature_matrix(world.applications(-1)), world.truth(-1)["would_default"])
    OnnxModel.from_model(model).save(folder / "model.onnx")
    matrix = feature_matrix(world.applications(0).head(n))
    return Task(folder / "model.onnx", matrix.tolist(), model.predict_matrix(matrix).tolist())


def in_new_process(task: Task) -> None:
    """Score in a new process without any platform: what a platform's seconds are measured in.

    Raises:
        subprocess.CalledProcessError: It failed.
    """
    command = [sys.executable, str(Path(__file__).with_name("alone.py")), str(task.model)]
    done = subprocess.run(command, input=json.dumps(task.rows), capture_output=True, text=True, check=True)  # noqa: S603
    same(task, json.loads(done.stdout))


def same(task: Task, found: Sequence[float]) -> str:
    """Check what came back; return a line that says so.

    Raises:
        RuntimeError: A score is missing, or differs by 1e-5 or more.
    """
    if len(found) != len(task.scores):
        raise RuntimeError(f"{len(found)} scores came back, {len(task.scores)} were asked for")
    apart = max(abs(mine - theirs) for mine, theirs in zip(task.scores, found, strict=True))
    if not apart < 1e-5:
        raise RuntimeError(f"a score came back that differs from the model's by {apart:.2g}")
    return f"{len(found)} scores came back, the largest difference from the model's is {apart:.0e}"


@contextmanager
def server(command: Sequence[str], ready: str, folder: Path, environment: Mapping[str, str]) -> Iterator[float]:
    """Run a server until the block ends; yields the seconds until it was ready.

    Args:
        command: Starts it.
        ready: An address that answers, not with 5xx, when it is.
        folder: Its working directory; its output goes to `server.log` there.
        environment: All its variables.

    Raises:
        RuntimeError: It ended, or was not ready within five minutes; the message has the end of its log.
    """
    log, began = folder / "server.log", time.monotonic()
    with log.open("wb") as stream:
        process = subprocess.Popen(  # noqa: S603
            command, cwd=folder, env=dict(environment), stdout=stream, stderr=subprocess.STDOUT
        )
    try:
        while not _answers(ready):
            if process.poll() is not None or time.monotonic() - began > 300:
                raise RuntimeError(f"{command[0]} is not ready: {log.read_text(errors='replace')[-1500:]}")
            time.sleep(0.2)
        yield time.monotonic() - began
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(address: str) -> bool:
    try:
        with urllib.request.urlopen(address, timeout=2):  # noqa: S310 - an address of this machine
            return True
    except urllib.error.HTTPError as error:
        return error.code < 500  # it is there, and has no such page
    except OSError:
        return False


def post(address: str, value: Any) -> Any:
    """Send JSON, return the JSON that comes back.

    Raises:
        urllib.error.HTTPError: The server refused it.
    """
    request = urllib.request.Request(  # noqa: S310 - an address of this machine
        address, json.dumps(value).encode(), {"Content-Type": "application/json"}
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        return json.load(answer)


def free_port() -> int:
    """Return a port of this machine that nothing listens on."""
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])
