"""One question about an image, two ways to answer it: build it with an engine, or read its Dockerfile.

`examiner()` gives the way that this machine has. Both answer alike (`tests/test_intro_examiners.py` holds them to it),
so that a lab gives the same points with an engine and without.
"""

import socket
from collections.abc import Collection, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Protocol, cast

from oakbank.intro import wheelhouse
from oakbank.intro.image import healthprobe, serving
from oakbank.intro.image.dockerfile import DockerfileError
from oakbank.intro.image.dockerignore import in_context
from oakbank.intro.image.imageplan import Plan
from oakbank.intro.image.pipplan import PACKAGE, SITE

MODULES = ("oakbank/intro/service.py", "oakbank/intro/protocol.py", "oakbank/intro/scorecard.py")
MODEL = "model.json"
NEEDS = 40
"""Memory below which the service does not come up, MiB."""
SLOW = 20
"""Seconds that a build may take where reading would do: a check of a lab has half a minute for a cell."""
SECOND = 1_000_000_000  # nanoseconds, an engine's unit of time and of processors


class Examiner(Protocol):
    """What can be asked about a Dockerfile, a `.dockerignore` and the options of a run.

    Attributes:
        how: One sentence on how the answers are found.
    """

    how: str

    def context(self, paths: Collection[str], ignore: str) -> list[str]:
        """Return the files that enter a build, sorted, without `Dockerfile` and `.dockerignore`."""

    def again(self, dockerfile: str, changed: Collection[str]) -> list[str]:
        """Return the steps, one line each, that a second build runs again after these files changed."""

    def installed(self, dockerfile: str, folder: str) -> dict[str, bool]:
        """Return what is true of the installation.

        `complete`: all packages of the lock are in the folder, where `PYTHONPATH` finds them; `refuses_others`: the
        build fails if a wheel is not the one that the lock names.
        """

    def paths(self, dockerfile: str) -> list[str]:
        """Return the paths in any layer of the image, sorted: files of the context, and folders with packages."""

    def config(self, dockerfile: str) -> dict[str, Any]:
        """Return `user` (text), `argv` (what a container starts) and `health` (dict, or None).

        `health` has `test` (as an engine stores it), `interval`, `timeout` (seconds) and `retries`.
        """

    def answers(self, dockerfile: str, options: Mapping[str, Any] | None = None) -> dict[str, int | None]:
        """Return the status that a client outside gets for `/healthz` and `/readyz`; None: no answer.

        `options` are those of the run.
        """

    def health(self, dockerfile: str) -> dict[str, bool] | None:
        """Return whether the health check finds all well: `ready`, with `no model`, and with the service `gone`."""

    def limits(self, options: Mapping[str, Any]) -> dict[str, Any]:
        """Return what `docker run` with these options of the SDK would allow.

        `memory`, `swap` (MiB, None: no limit; `swap` is what comes on top of memory), `cpus`, `processes` (None: no
        limit), `read_only` (bool), `writable` (paths in memory), `dropped` (capabilities), `may_gain` (privileges).
        """


@cache
def context_files() -> dict[str, str]:
    """Return the context of the service's build: name -> text. Wheels have their name, and no text."""
    lock = wheelhouse.REQUIREMENTS.read_text(encoding="utf-8")
    here = Path(wheelhouse.__file__).parent
    files = {name: (here / Path(name).name).read_text(encoding="utf-8") for name in MODULES}
    files |= {"requirements.txt": lock, "requirements.in": "\n".join(wheelhouse.ROOTS) + "\n", MODEL: ""}
    for pinned in wheelhouse.wheels(lock):
        name, _, version = pinned.partition("==")
        files[f"wheelhouse/{name.replace('-', '_')}-{version}-py3-none-any.whl"] = ""
    return files


class Reader:
    """Answers from the text alone. The health command is run, against a small service on this machine."""

    def __init__(self, why: str = "") -> None:
        self.how = f"{why.rstrip('.')}. " if why else ""
        self.how += "Your answers are read, not built; the points are the same."

    def context(self, paths: Collection[str], ignore: str) -> list[str]:  # noqa: D102
        return [path for path in in_context(paths, ignore) if path not in ("Dockerfile", ".dockerignore")]

    def again(self, dockerfile: str, changed: Collection[str]) -> list[str]:  # noqa: D102
        return Plan(dockerfile, context_files()).again(changed)

    def installed(self, dockerfile: str, folder: str) -> dict[str, bool]:  # noqa: D102
        plan = Plan(dockerfile, context_files())
        lock = {name.partition("==")[0] for name in wheelhouse.wheels(context_files()["requirements.txt"])}
        into = [one for one in plan.installed if one.folder == folder]
        here = f"{folder}/{PACKAGE}" in plan.image.files
        return {
            "complete": here and lock <= frozenset().union(*(one.packages for one in into)),
            "refuses_others": bool(plan.installed) and all(one.checks_hashes for one in plan.installed),
        }

    def paths(self, dockerfile: str) -> list[str]:  # noqa: D102
        layers = Plan(dockerfile, context_files()).image.layers
        found = {path for path, origin in layers.items() if origin}
        packages = {path.removesuffix(f"/{PACKAGE}") for path in layers if path.endswith(f"/{PACKAGE}")}
        return sorted(found | {path.removesuffix(f"/{SITE}") for path in packages})

    def config(self, dockerfile: str) -> dict[str, Any]:  # noqa: D102
        plan = Plan(dockerfile, context_files())
        config = plan.image.config
        return {"user": config["user"], "argv": serving.command(config), "health": config["health"]}

    def answers(self, dockerfile: str, options: Mapping[str, Any] | None = None) -> dict[str, int | None]:  # noqa: D102
        memory = self.limits(options or {})["memory"]
        if memory is not None and memory < NEEDS:
            return {"/healthz": None, "/readyz": None}
        return serving.answers(Plan(dockerfile, context_files()).image, MODULES, MODEL)

    def health(self, dockerfile: str) -> dict[str, bool] | None:  # noqa: D102
        config = Plan(dockerfile, context_files()).image.config
        return healthprobe.probe(config["health"] and config["health"]["test"], config["env"])

    def limits(self, options: Mapping[str, Any]) -> dict[str, Any]:  # noqa: D102
        return allowed(host_config(options))


def host_config(options: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the Docker SDK sends to an engine for options of `containers.run`, as the engine's `HostConfig`.

    Raises:
        DockerfileError: The SDK does not know an option, or refuses its value.
    """
    from docker.errors import DockerException  # type: ignore[import-untyped]
    from docker.models.containers import _create_container_args  # type: ignore[import-untyped]

    try:
        sent = _create_container_args({"image": "x", "command": None, "version": "1.41", **options})
    except (TypeError, ValueError, AttributeError, DockerException) as error:
        raise DockerfileError(f"the Docker SDK refuses these options: {error}") from error
    return dict(sent["host_config"])


def allowed(host: Mapping[str, Any]) -> dict[str, Any]:
    """Return a `HostConfig` in the terms of `Examiner.limits`."""
    mebi = 1024 * 1024
    memory = host.get("Memory") or None
    total = host.get("MemorySwap") or (2 * memory if memory else None)  # the engine's rule: as much again
    cpus = (host.get("NanoCpus") or 0) / SECOND
    if not cpus and (host.get("CpuQuota") or 0) > 0:
        cpus = host["CpuQuota"] / (host.get("CpuPeriod") or 100_000)
    processes = host.get("PidsLimit") or 0
    raised = [text.removesuffix(":true") for text in host.get("SecurityOpt") or []]
    return {
        "memory": memory and memory / mebi,
        "swap": None if not memory or not total or total < 0 else (total - memory) / mebi,
        "cpus": cpus or None,
        "processes": processes if processes > 0 else None,
        "read_only": bool(host.get("ReadonlyRootfs")),
        "writable": sorted(host.get("Tmpfs") or {}),
        "dropped": sorted(name.upper().removeprefix("CAP_") for name in host.get("CapDrop") or []),
        "may_gain": "no-new-privileges" not in raised and "no-new-privileges=true" not in raised,
    }


def examiner(engine: bool | None = None) -> Examiner:
    """Return the way to answer that this machine has.

    Args:
        engine: True: only by an engine; False: only by reading; None: by an engine where one answers.

    Raises:
        RuntimeError: There must be an engine, and there is none.
    """
    if engine is False:
        return Reader()
    if engine is None and [name for _, name in socket.if_nameindex()] == ["lo"]:
        return Reader("A container could not be asked anything from here, where there is no network")
    try:
        from oakbank.intro.image.enginebuild import Builder
        from oakbank.intro.image.enginesteps import connect
    except ImportError as error:  # no Docker SDK
        said = [str(error)]
        client = None
    else:
        said = []
        client = connect(said.append, SLOW if engine is None else 60)
    if client is None and engine:
        raise RuntimeError(said[0])
    if client is None:
        return Reader(said[0])
    return cast("Examiner", Impatient(Builder(client, SLOW)) if engine is None else Builder(client))


class Impatient:
    """Asks one examiner until it is too slow, and from then on reads."""

    def __init__(self, builder: Examiner) -> None:
        self._asked: Examiner = builder

    def __getattr__(self, name: str) -> Any:
        from oakbank.intro.image.enginesteps import TooSlow

        if name == "how":
            return self._asked.how

        def ask(*arguments: Any) -> Any:
            try:
                return getattr(self._asked, name)(*arguments)
            except TooSlow:
                self._asked = Reader(f"a build took the engine more than {SLOW} s")
                print(self._asked.how)
                return getattr(self._asked, name)(*arguments)

        return ask
