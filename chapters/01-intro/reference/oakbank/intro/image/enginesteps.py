"""One build by a container engine: the context it gets, the steps it takes, which of them its cache had."""

import io
import re
import tarfile
import time
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import docker  # type: ignore[import-untyped]
import requests
from docker.errors import APIError  # type: ignore[import-untyped]

from oakbank.intro import containers, wheelhouse
from oakbank.intro.image.dockerfile import DockerfileError

LABEL = "org.oakbank.lab"
"""On every image that is built here, to find it again."""
_ASKS = ("Retrying (", "Could not fetch URL", "Temporary failure in name resolution")


class TooSlow(Exception):  # noqa: N818 - no error of anybody's
    """The engine takes longer than a learner should wait."""


@dataclass(frozen=True)
class Done:
    """A finished build: the image's id, and its steps with whether they came from the cache."""

    image: str
    steps: tuple[tuple[str, bool], ...]


def connect(say: Any = print, seconds: int = containers.SECONDS) -> docker.DockerClient | None:
    """Return an engine that can build the service's image, as `containers.engine`; `seconds` for one of its answers."""
    client = containers.engine(say)
    if client is not None:
        client.api.timeout = seconds
    return client


@cache
def wheels(machine: str) -> Mapping[str, bytes]:
    """Return the wheelhouse for a processor: name in the context -> content."""
    return {f"wheelhouse/{path.name}": path.read_bytes() for path in wheelhouse.folder(machine).glob("*.whl")}


def _tar(files: Mapping[str, bytes]) -> io.BytesIO:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        for name, content in sorted(files.items()):
            info = tarfile.TarInfo(name)
            info.size, info.mode = len(content), 0o644
            archive.addfile(info, io.BytesIO(content))
    stream.seek(0)
    return stream


def other_wheel(content: bytes) -> bytes:
    """Return a wheel with one more file in it: it still installs, and is not the one that was locked."""
    stream = io.BytesIO(content)
    with zipfile.ZipFile(stream, "a") as wheel:
        wheel.writestr("added_by_somebody.py", "print('hello')\n")
    return stream.getvalue()


def run_build(
    client: docker.DockerClient,
    dockerfile: str,
    files: Mapping[str, bytes],
    most: float | None = None,
    label: str = "yes",
) -> Done:
    """Build an image without a network, by the classic builder.

    Args:
        client: The engine.
        dockerfile: Its text.
        files: The context, name -> content.
        most: Seconds it may take.
        label: What `LABEL` says on the image. The cache hands one image to all who build the same, so whoever will
            remove theirs gives it a label of its own.

    Raises:
        DockerfileError: A step fails, or pip asks an index for packages.
        TooSlow: It takes longer, or the engine does not answer for long.
    """
    steps: list[tuple[str, bool]] = []
    image, begin = "", time.monotonic()
    try:
        stream = client.api.build(
            fileobj=_tar({**files, "Dockerfile": dockerfile.encode()}), custom_context=True, rm=True, forcerm=True,
            network_mode="none", decode=True, labels={LABEL: label},
        )  # fmt: skip
        for line in stream:
            said = line.get("stream", "")
            if any(text in said for text in _ASKS):
                stream.close()
                raise DockerfileError("pip asks an index for packages, and this build has no network")
            if "error" in line:
                raise DockerfileError(f"the build fails: {line['error'].strip()}")
            if most and time.monotonic() - begin > most:
                stream.close()
                raise TooSlow
            if step := re.match(r"Step \d+/\d+ : (.+)", said):
                steps.append((" ".join(step[1].split()), False))
            elif said.strip() == "---> Using cache":
                steps[-1] = (steps[-1][0], True)
            elif done := re.match(r"Successfully built (\w+)", said):
                image = done[1]
    except APIError as error:
        raise DockerfileError(f"the engine refuses this Dockerfile: {error.explanation}") from error
    except requests.exceptions.RequestException as error:
        raise TooSlow from error
    return Done(image, tuple(step for step in steps if not step[0].startswith(f"LABEL {LABEL}")))
