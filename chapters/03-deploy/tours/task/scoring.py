"""The task of the tours of lesson 03: a model, a few applications, and the scores that must come back."""

import json
import subprocess
import sys
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from servers import server as server

from oakbank.deploy.onnx_runtime import OnnxModel
from oakbank.deploy.ports import free_port as free_port
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
