"""The local Spark of lesson 07: a Sail server in an environment of its own, started and ended by the lesson."""

import atexit
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

from uv import find_uv_bin

from oakbank.deploy.ports import free_port

SCRIPTS = Path(__file__).with_name("spark_scripts")
"""`server.py` with its dependencies and their lock, and the scripts that run in the same environment."""
_SERVER = SCRIPTS / "server.py"
_VERSIONS = (
    "from importlib.metadata import version as v; import platform;"
    "print(v('pysail'), v('pyspark-client'), platform.python_version())"
)


class SparkError(RuntimeError):
    """The server did not start; the message ends with what it said."""


@dataclass(frozen=True)
class Engine:
    """A Spark Connect server that runs, and what its clients need."""

    python: str
    """The interpreter whose environment holds Spark's client."""
    remote: str
    """Its address, such as `sc://127.0.0.1:50051`; also in the environment as `SPARK_REMOTE`."""
    versions: dict[str, str]
    """Of engine, client and Python."""


def engine() -> Engine | None:
    """Start Sail and return it; None where uv can make its environment neither from its cache nor from the network.

    The server ends with this process, also if that is killed.

    Raises:
        SparkError: The environment is there and the server does not start.
    """
    python = _environment()
    if not python:
        return None
    said = subprocess.run([python, "-c", _VERSIONS], capture_output=True, text=True, check=True)  # noqa: S603
    versions = dict(zip(("Sail", "pyspark-client", "Python"), said.stdout.split(), strict=True))
    port = free_port()
    remote = f"sc://127.0.0.1:{port}"
    # The log goes to a pipe that nobody reads unless the start fails: Sail says little, and at its end only.
    server = subprocess.Popen(  # noqa: S603
        [python, str(_SERVER), str(port)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "", "MALLOC_ARENA_MAX": "2"},  # 40 MB less
    )
    atexit.register(_end, server)
    assert server.stdout is not None
    if server.stdout.readline().strip() != "ready":
        raise SparkError(f"Sail did not start on port {port}: exit code {server.wait(10)}")
    os.environ["SPARK_REMOTE"] = remote
    return Engine(python, remote, versions)


def _environment() -> str:
    """Return the interpreter of the environment, made if need be; nothing where that cannot be done."""
    uv = find_uv_bin()
    for more in (["--offline"], []):  # what the cache holds asks no network
        sync = [uv, "sync", "--quiet", "--locked", *more, "--script", str(_SERVER)]
        if subprocess.run(sync, capture_output=True, check=False).returncode == 0:  # noqa: S603
            find = [uv, "python", "find", "--script", str(_SERVER)]
            return subprocess.run(find, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603
    return ""


def _end(server: "subprocess.Popen[str]") -> None:
    assert server.stdin is not None
    server.stdin.close()  # the server reads it, and goes
    try:
        server.wait(10)
    except subprocess.TimeoutExpired:
        server.kill()
