"""Seven ways to serve the credit model: what one writes for each, what starts it, and what it asks of you."""

import ast
import hashlib
import os
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import oakbank
from oakbank.deploy.agreement import applications
from oakbank.deploy.load import BenchmarkError
from oakbank.deploy.protocols import BENTOML, MLFLOW, OWN, PLAIN, V2, Protocol
from oakbank.intro import protocol
from oakbank.pipelines import contract, service

PEERS = Path(__file__).with_name("serving_peers")
TOURS = Path(__file__).resolve().parents[3] / "tours"
FIRST = "Oakbank's own, FastAPI"


@dataclass(frozen=True)
class Way:
    """One way to serve the model."""

    protocol: Protocol
    files: tuple[Path, ...]
    """The code that one writes for it; of a tour the first is started, with `--model FILE --port N`."""
    asks: str
    """What it asks of whoever runs it, in a few words."""
    tour: str = ""
    """The tour whose environment has the server; "": the course's own has it."""
    package: str = ""
    command: tuple[str, ...] = ()
    """What starts it in the course's own environment; {model}, {port} and {saved} are put in."""


def _task(*names: str) -> tuple[Path, ...]:
    return tuple(TOURS / "task" / name for name in names)


_OWN_CODE = tuple(Path(str(module.__file__)) for module in (service, contract, protocol))
WAYS = {
    FIRST: Way(
        OWN,
        (PEERS / "own.py", *_OWN_CODE),
        "its checks, errors and tests are yours to write",
        package="fastapi",
        command=("python", str(PEERS / "own.py"), "--model", "{model}", "--port", "{port}"),
    ),
    "Flask": Way(
        PLAIN,
        (PEERS / "flask_app.py",),
        "the same, and a server of another project (gunicorn)",
        package="flask",
        command=("gunicorn", "--chdir", str(PEERS), "--bind", "127.0.0.1:{port}", "flask_app:app"),
    ),
    "MLflow": Way(
        MLFLOW,
        (PEERS / "mlflow_model.py",),
        "a signature; its caller, not it, checks ranges",
        package="mlflow",
        command=("mlflow", "models", "serve", "-m", "{saved}", "-p", "{port}", "--env-manager", "local", "-w", "1"),
    ),
    "BentoML": Way(
        BENTOML, _task("bento_service.py"), "a type for each argument; a store of Bentos", "bentoml", "bentoml"
    ),
    "KServe": Way(
        V2, _task("kserve_server.py"), "a cluster for all beyond the server: scaling, canaries", "kserve", "kserve"
    ),
    "Triton": Way(
        V2, _task("triton_server.py"), "a type and a shape for each tensor; text is bytes", "triton", "nvidia-pytriton"
    ),
    "TorchServe": Way(
        V2,
        _task("torchserve_server.py", "torchserve_handler.py"),
        "Java, an archive of code and model; no fixes since August 2025",
        "torchserve",
        "torchserve",
    ),
}


def lines_of(files: Sequence[Path]) -> int:
    """Return the lines of code of files, without docstrings, comments and blank lines."""
    return sum(len(_code(file).splitlines()) for file in files)


def _code(file: Path) -> str:
    tree = ast.parse(file.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            node.body = [one for one in node.body if not _is_text(one)] or [ast.Pass()]
    return "\n".join(line for line in ast.unparse(tree).splitlines() if line)


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str)


def code_hash(way: Way) -> str:
    """Return the sha256 of what is measured: the files that are there for it alone, and the lock of its environment."""
    lock = [TOURS / f"{way.tour}.py.lock"] if way.tour else []
    files = [file for file in way.files if file not in _OWN_CODE]
    texts = [file.read_text(encoding="utf-8") for file in (*files, *lock)]
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


def environment(model: Path) -> dict[str, str]:
    """Return the variables of every server: it finds the course's code, and has one core's worth of threads."""
    places = [str(Path(place).parent) for place in oakbank.__path__]
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    own = {"PYTHONPATH": os.pathsep.join(places), "PATH": path, "OAKBANK_MODEL": str(model), "OMP_NUM_THREADS": "1"}
    return os.environ | own


def save_for_mlflow(model: Path, folder: Path) -> None:
    """Save the model with a signature, as `mlflow models serve` wants it."""
    import mlflow

    rows = applications(100)
    mlflow.pyfunc.save_model(
        folder,
        python_model=str(PEERS / "mlflow_model.py"),
        artifacts={"model": str(model)},
        signature=mlflow.models.infer_signature(rows, [0.5]),
        pip_requirements=["lightgbm"],
    )


def command(way: Way, model: Path, saved: Path, port: int) -> list[str]:
    """Return what starts a way at a port.

    Raises:
        BenchmarkError: The environment of its tour is not there.
    """
    if not way.tour:
        return [part.format(model=model, saved=saved, port=port) for part in way.command]
    script = str(TOURS / f"{way.tour}.py")
    for verb in (["sync", "--quiet", "--locked"], ["python", "find"]):
        call = ["uv", *verb, "--script", script]
        done = subprocess.run(call, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            raise BenchmarkError(f"no environment for {way.tour}: {done.stderr[-1000:]}")
    return [done.stdout.strip(), str(way.files[0]), "--model", str(model), "--port", str(port)]


def version_of(way: Way) -> str:
    """Return the version of the tool, as it is installed or locked.

    Raises:
        BenchmarkError: The lock does not have it.
    """
    if not way.tour:
        return version(way.package)
    lock = (TOURS / f"{way.tour}.py.lock").read_text(encoding="utf-8")
    found = re.search(rf'name = "{way.package}"\nversion = "([^"]+)"', lock)
    if found is None:
        raise BenchmarkError(f"{way.tour}.py.lock names no {way.package}: lock the tour again")
    return found[1]
