"""Questions about a Dockerfile, answered by a container engine: build it, look into it, run it.

Builds have no network. Nothing stays but images without a name, an engine's cache, and with a label
(`docker image prune --filter label=org.oakbank.lab`).
"""

import hashlib
import io
import json
import posixpath
import re
import secrets
import tarfile
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker  # type: ignore[import-untyped]
from docker.errors import APIError, BuildError  # type: ignore[import-untyped]
from docker.models.containers import Container  # type: ignore[import-untyped]

from oakbank.intro import containers, wheelhouse
from oakbank.intro.image.dockerfile import DockerfileError
from oakbank.intro.image.dockerignore import in_context
from oakbank.intro.image.enginesteps import LABEL, Done, other_wheel, run_build, wheels
from oakbank.intro.image.examiner import MODEL, SECOND, allowed, context_files, host_config

_START = 60  # seconds that a container may take until it answers
_START_SOON = 12  # the same where somebody waits for it


class Builder:
    """Answers by building and running, see `oakbank.intro.image.examiner.Examiner`.

    Args:
        client: The engine.
        seconds: A build that takes longer is given up with `TooSlow`; None: however long.
    """

    def __init__(self, client: docker.DockerClient, seconds: float | None = None) -> None:
        self.how = "an engine answers here: your image is built and run."
        self.client = client
        self.seconds = seconds
        files = {name: text.encode() for name, text in context_files().items() if not name.endswith(".whl")}
        files[MODEL] = (json.dumps(containers.service_model()) + "\n").encode()
        self.files: dict[str, bytes] = files | dict(wheels(client.version()["Arch"]))
        self._start = _START_SOON if seconds else _START
        self._built: dict[str, Done] = {}

    def context(self, paths: Collection[str], ignore: str) -> list[str]:
        """See `Examiner`. What is sent is decided by whoever sends it, so no engine can be asked; see `sent`."""
        return sorted(set(in_context(paths, ignore)) - {"Dockerfile", ".dockerignore"})

    def sent(self, paths: Collection[str], ignore: str) -> list[str]:
        """Return what the Docker SDK sends, by building an image of nothing but the context and looking into it."""
        with tempfile.TemporaryDirectory() as aside:
            for name in paths:
                path = Path(aside, name)
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(name)
            Path(aside, "Dockerfile").write_text("FROM scratch\nCOPY . /context/\n")
            Path(aside, ".dockerignore").write_text(ignore)
            try:
                image, _ = self.client.images.build(
                    path=aside, rm=True, forcerm=True, labels={LABEL: secrets.token_hex(8)}
                )
            except (APIError, BuildError) as error:
                raise DockerfileError(f"the build fails: {error}") from error
        container = self.client.containers.create(image, command=["nothing"])
        try:
            stream = io.BytesIO(b"".join(container.export()))
        finally:
            container.remove(force=True)
            self.client.images.remove(image.id, force=True, noprune=True)
        with tarfile.open(fileobj=stream) as archive:
            names = [one.name.removeprefix("context/") for one in archive if one.isfile() and "context/" in one.name]
        return sorted(set(names) & set(paths) - {"Dockerfile", ".dockerignore"})

    def again(self, dockerfile: str, changed: Collection[str]) -> list[str]:
        """See `Examiner`."""
        self._build(dockerfile)  # so that the cache has it
        mark = f"\n# {secrets.token_hex(8)}\n".encode()
        blanks = b" " * (1 + secrets.randbelow(10**5))  # a change that leaves JSON what it is
        other = {name: self.files[name] + (blanks if name == MODEL else mark) for name in changed}
        steps = self._build_aside(dockerfile, other)
        return [text for text, cached in steps if not cached and not text.startswith(("FROM ", "ARG "))]

    def installed(self, dockerfile: str, folder: str) -> dict[str, bool]:
        """See `Examiner`."""
        image = self._build(dockerfile).image
        code = (
            "import importlib.metadata as m; print([f\"{d.metadata['Name'].lower()}=={d.version}\" "
            f"for d in m.distributions(path=['{folder}'])])"
        )
        with self._container(image, ["python3", "-c", code]) as container:
            said = "" if container is None else self._said(container)
        found = {re.sub(r"[-_.]+", "-", text) for text in re.findall(r"'([^']+)'", said)}
        wanted = {re.sub(r"[-_.]+", "-", text) for text in wheelhouse.wheels(self.files["requirements.txt"].decode())}
        name = next(name for name in self.files if name.startswith("wheelhouse/idna"))
        try:
            self._build_aside(dockerfile, {name: other_wheel(self.files[name])})
            refuses = False
        except DockerfileError:
            refuses = True
        return {"complete": wanted <= found, "refuses_others": refuses}

    def files_of(self, dockerfile: str) -> Iterator[tuple[str, str]]:
        """Yield path and SHA-256 of each file in each layer above the base image."""
        image = self.client.images.get(self._build(dockerfile).image)
        below = len(self.client.images.get(containers.BASE).attrs["RootFS"]["Layers"])
        with tempfile.TemporaryFile() as stream:
            for chunk in image.save():
                stream.write(chunk)
            stream.seek(0)
            with tarfile.open(fileobj=stream) as saved:
                manifest = json.load(saved.extractfile("manifest.json"))  # type: ignore[arg-type]
                for layer in manifest[0]["Layers"][below:]:
                    with tarfile.open(fileobj=saved.extractfile(layer)) as archive:
                        for one in archive:
                            if one.isfile() and (content := archive.extractfile(one)) is not None:
                                yield "/" + posixpath.normpath(one.name), hashlib.sha256(content.read()).hexdigest()

    def paths(self, dockerfile: str) -> list[str]:
        """See `Examiner`."""
        known = {hashlib.sha256(content).hexdigest() for content in self.files.values()}
        found: set[str] = set()
        for path, content in self.files_of(dockerfile):
            packages = re.fullmatch(r"(/.+?)(?:/lib/python[\d.]+/site-packages)?/fastapi/__init__\.py", path)
            found |= {path} if content in known else {packages[1]} if packages else set()
        return sorted(found)

    def config(self, dockerfile: str) -> dict[str, Any]:
        """See `Examiner`."""
        config = self.client.images.get(self._build(dockerfile).image).attrs["Config"]
        check = config.get("Healthcheck")
        health = check and check["Test"] != ["NONE"] and {
            "test": check["Test"],
            "interval": check.get("Interval", 0) / SECOND or 30.0,
            "timeout": check.get("Timeout", 0) / SECOND or 30.0,
            "retries": check.get("Retries", 0) or 3,
        }  # fmt: skip
        argv = [*(config.get("Entrypoint") or []), *(config.get("Cmd") or [])]
        return {"user": config["User"], "argv": argv, "health": health or None}

    def answers(self, dockerfile: str, options: Mapping[str, Any] | None = None) -> dict[str, int | None]:
        """See `Examiner`."""
        silent: dict[str, int | None] = {"/healthz": None, "/readyz": None}
        with self._container(self._build(dockerfile).image, None, **(options or {})) as container:
            if container is None or (url := self._awake(container)) is None:
                return silent
            return {path: _status(url + path) for path in silent}

    def health(self, dockerfile: str) -> dict[str, bool] | None:
        """See `Examiner`."""
        found = self.config(dockerfile)["health"]
        if found is None:
            return None
        test = found["test"]
        argv = ["/bin/sh", "-c", test[1]] if test[0] == "CMD-SHELL" else test[1:]
        image = self._build(dockerfile).image
        states: dict[str, tuple[list[str] | None, dict[str, Any]]] = {
            "ready": (None, {}),
            "no model": (None, {"environment": {"OAKBANK_MODEL": "/nowhere"}}),
            "gone": (["python3", "-c", "import time; time.sleep(60)"], {}),
        }
        well = {}
        for state, (command, options) in states.items():
            with self._container(image, command, **options) as container:
                if container is None or (command is None and self._awake(container) is None):
                    raise DockerfileError("the service does not start, so that its health cannot be asked for")
                try:
                    well[state] = container.exec_run(argv).exit_code == 0
                except APIError:  # there is no such program
                    well[state] = False
        return well

    def limits(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """See `Examiner`."""
        sent = host_config(options)
        try:
            container = self.client.containers.create(containers.BASE, command=["python3", "-V"], **options)
        except (APIError, TypeError) as error:
            raise DockerfileError(f"the engine refuses these options: {error}") from error
        try:
            kept = dict(container.attrs["HostConfig"])
        finally:
            container.remove(force=True)
        if not self.client.info()["SwapLimit"]:  # this machine's kernel cannot; what was asked for is judged
            kept["MemorySwap"] = sent.get("MemorySwap", 0)
        return allowed(kept)

    def _build(self, dockerfile: str) -> Done:
        if dockerfile not in self._built:
            self._built[dockerfile] = run_build(self.client, dockerfile, self.files, self.seconds)
        return self._built[dockerfile]

    def _build_aside(self, dockerfile: str, changed: Mapping[str, bytes]) -> tuple[tuple[str, bool], ...]:
        """Build with other files, remove the image, and return the steps."""
        done = run_build(self.client, dockerfile, {**self.files, **changed}, self.seconds, secrets.token_hex(8))
        self.client.images.remove(done.image, force=True, noprune=True)
        return done.steps

    @contextmanager
    def _container(self, image: str, command: list[str] | None, **options: Any) -> Iterator[Container | None]:
        """Run a container and yield it; None where it cannot be started. It is removed afterwards."""
        own = {**options, "detach": True, "remove": False, "ports": {"8000/tcp": ("127.0.0.1", None)}}
        own |= {"entrypoint": command[0], "command": command[1:]} if command else {}
        try:
            container = self.client.containers.create(image, **{key: own[key] for key in own if key != "remove"})
        except (APIError, TypeError) as error:
            raise DockerfileError(f"the engine refuses to make this container: {error}") from error
        try:
            try:
                container.start()
            except APIError:
                yield None
            else:
                yield container
        finally:
            container.remove(force=True)

    def _said(self, container: Container) -> str:
        container.wait(timeout=self._start)
        return str(container.logs(stdout=True, stderr=False).decode())

    def _awake(self, container: Container) -> str | None:
        """Wait until a container's service answers, and return its URL; None if it ends or stays silent."""
        end = time.monotonic() + self._start
        while time.monotonic() < end:
            container.reload()
            if container.status != "running":
                return None
            url = containers.address(container)
            if _status(url + "/healthz") is not None:
                return url
            time.sleep(0.2)
        return None


def _status(url: str) -> int | None:
    try:
        with urllib.request.urlopen(url, timeout=3) as answer:  # noqa: S310 - http, our own container
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code
    except (OSError, ValueError):
        return None
