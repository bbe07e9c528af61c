"""The service in a container, through the `docker` SDK: find an engine, write the build folder, build, wait.

`python -m oakbank.intro.containers FOLDER` writes the build folder, for `docker build FOLDER` by hand.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import docker  # type: ignore[import-untyped]
from docker.errors import DockerException, ImageNotFound  # type: ignore[import-untyped]
from docker.models.containers import Container  # type: ignore[import-untyped]
from docker.models.images import Image  # type: ignore[import-untyped]

from oakbank.intro import scorecard, wheelhouse
from oakbank.intro.first_model import first_model
from oakbank.intro.loans import known_loans
from oakbank.intro.scorecard import Scorecard
from oakbank.intro.wheelhouse import CONTAINER, PYTHON
from oakbank.world import World

BASE = f"python:{PYTHON}-slim"
TAG = "oakbank/service:1"
NO_ENGINE = "No container engine answers here: start Docker (or set DOCKER_HOST), then run this again."
SECONDS = 300
"""To wait for one answer of the engine: building, stopping and removing take their time on a busy machine."""


def engine(say: Callable[[str], object] = print, seconds: float = SECONDS) -> docker.DockerClient | None:
    """Return a client of the engine that DOCKER_HOST names (or the usual one), or None after saying in a sentence why.

    An engine counts when it runs Linux containers, holds the base image, and the wheelhouse for its processor is full.
    All three need a network once; nothing does after that.

    Args:
        say: What to do with the sentence.
        seconds: To wait for each answer.
    """
    try:
        client = docker.from_env(timeout=seconds)
        about = client.version()
    except DockerException:
        say(NO_ENGINE)
        return None
    missing = ""
    if about["Os"] != "linux":
        missing = "The engine runs Windows containers: switch it to Linux containers."
    elif not wheelhouse.complete(about["Arch"]):
        missing = (
            "The image's packages are not here yet: run `python3 bootstrap.py exec python -m oakbank.intro.wheelhouse` "
            "once, online."
        )
    else:
        try:
            client.images.get(BASE)
        except ImageNotFound:
            missing = f"The base image is not here yet: run `docker pull {BASE}` once, online."
    if missing:
        client.close()
        say(missing)
        return None
    return client


def versions(client: docker.DockerClient, say: Callable[[str], object] = print) -> dict[str, str] | None:
    """Return the versions of the `docker` command and of the engine, or None after saying what is missing.

    Args:
        client: The engine that the command must reach, too.
        say: What to do with the sentence.
    """
    command = shutil.which("docker")
    if command is None:
        say("There is no docker command here, which you would type: install Docker's CLI, then run this again.")
        return None
    asked = [command, "version", "--format", "{{.Client.Version}} {{.Server.Version}}"]
    answer = subprocess.run(asked, capture_output=True, text=True, check=False).stdout.split()  # noqa: S603
    if len(answer) != 2 or answer[1] != client.version()["Version"]:
        say("The docker command reaches another engine, or none: `docker context ls` says which one it asks.")
        return None
    return {"Docker": answer[0], "Docker Engine": answer[1]}


def remove_leftovers(client: docker.DockerClient, prefix: str, repository: str) -> None:
    """Remove what an earlier run left: containers whose names begin so, running or not, and a repository's images."""
    for container in client.containers.list(all=True, filters={"name": f"^/{prefix}"}):
        container.remove(force=True)
    for tag in [tag for image in client.images.list(repository) for tag in image.tags]:
        client.images.remove(tag, noprune=True)


@cache
def service_model() -> Scorecard:
    """Return the bank's first model as numbers, trained on the granted loans whose outcome month 0 knows."""
    world = World(seed=7, scenario="recession")
    loans = known_loans(world, range(-world.scenario.history_months, -world.scenario.label_delay))
    return scorecard.export(first_model().fit(loans, loans["defaulted"]))


def write_context(folder: Path, machine: str | None = None) -> None:
    """Write the folder that an engine builds the service's image from.

    Args:
        folder: It is made, and must not be there yet.
        machine: The engine's processor, as it names it; without it, this machine's.

    Raises:
        WheelhouseError: The wheels are neither here nor to be had.
    """
    wheels = wheelhouse.fill(machine)
    shutil.copytree(CONTAINER, folder)
    shutil.copytree(wheels, folder / "wheelhouse")
    shutil.copytree(CONTAINER.parent, folder / "oakbank" / "intro", ignore=shutil.ignore_patterns("__pycache__"))
    scorecard.save(service_model(), folder / "model.json")


def build_service_image(
    client: docker.DockerClient, tag: str = TAG, version: str = "1", labels: Mapping[str, str] | None = None
) -> Image:
    """Build the service's image, without a network, and return it.

    Args:
        client: The engine.
        tag: The image's name.
        version: What the service calls itself, in `/readyz` and in each answer.
        labels: Put on the image, to find it again.

    Raises:
        docker.errors.BuildError: A step failed; it holds the log.
        WheelhouseError: The wheels are neither here nor to be had.
    """
    with tempfile.TemporaryDirectory() as aside:
        context = Path(aside, "context")
        write_context(context, client.version()["Arch"])
        image, _ = client.images.build(
            path=str(context),
            tag=tag,
            buildargs={"PYTHON": PYTHON, "VERSION": version},
            labels=dict(labels or {}),
            network_mode="none",
            rm=True,
            forcerm=True,
        )
    return image


def wait_until(container: Container, seconds: float = 30, **wanted: str) -> dict[str, Any]:
    """Wait until a container's state says what is wanted, and return the state.

    Args:
        container: The container.
        seconds: How long at most.
        wanted: `status="exited"` (created, running, exited) or `health="healthy"` (starting, healthy, unhealthy).

    Raises:
        TimeoutError: It did not; the message holds the last state and the end of the log.
    """
    end = time.monotonic() + seconds
    while True:
        container.reload()
        state: dict[str, Any] = container.attrs["State"]
        now = {"status": container.status, "health": container.health}
        if all(now[key] == value for key, value in wanted.items()):
            return state
        if time.monotonic() > end:
            raise TimeoutError(f"not {wanted} within {seconds} s but {now}: {container.logs(tail=20).decode()}")
        time.sleep(0.1)


def ask(container: Container, path: str, body: Mapping[str, Any] | None = None) -> Any:  # JSON may be anything
    """Return the answer of the service in a container, asked from inside it: this needs no published port.

    Args:
        container: It runs, and its health check has passed.
        path: Such as `/score`.
        body: Sent as JSON with POST; without one it is a GET.

    Raises:
        RuntimeError: The answer was an error, or none came; the message is what urllib said.
    """
    code = (
        "import sys, urllib.request as u; path, body = sys.argv[1:]; head = {'Content-Type': 'application/json'}; "
        "asked = u.Request('http://127.0.0.1:8000' + path, body.encode() or None, head); "
        "print(u.urlopen(asked, timeout=10).read().decode())"
    )
    done = container.exec_run(["python", "-c", code, path, "" if body is None else json.dumps(body)])
    if done.exit_code:
        raise RuntimeError(f"{path}: {done.output.decode().strip().splitlines()[-1]}")
    return json.loads(done.output)


def address(container: Container, port: int = 8000) -> str:
    """Return the URL under which a published port of a running container is reached from this machine."""
    container.reload()
    published = container.ports[f"{port}/tcp"][0]
    host = os.environ.get("DOCKER_HOST", "")
    name = host.removeprefix("tcp://").rpartition(":")[0] if host.startswith("tcp://") else "127.0.0.1"
    return f"http://{name}:{published['HostPort']}"


if __name__ == "__main__":
    write_context(Path(sys.argv[1]))
