"""What the command of an image serves, read from its words: a uvicorn, its host, port and application."""

import posixpath
import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from oakbank.intro.image.imageplan import Built
from oakbank.intro.image.pipplan import PACKAGE, SITE, environment_of

_FLAGS = frozenset({
    "reload", "use-colors", "no-use-colors", "proxy-headers", "no-proxy-headers", "server-header", "no-server-header",
    "date-header", "no-date-header", "access-log", "no-access-log", "factory",
})  # fmt: skip


@dataclass
class Serving:
    """A server's command. `options` by long name; `module` is the Python module of the application."""

    program: str
    module: str
    options: dict[str, str] = field(default_factory=dict)

    def option(self, name: str, env: Mapping[str, str], default: str) -> str:
        """Return an option, from the command line or else from uvicorn's variable for it."""
        return self.options.get(name) or env.get("UVICORN_" + name.upper().replace("-", "_"), default)


def command(config: Mapping[str, object]) -> list[str]:
    """Return the words that a container starts: entry point and command of an image's configuration."""
    parts: list[str] = []
    for key in ("entrypoint", "cmd"):
        value = config[key]
        parts += list(value) if isinstance(value, list) else []
    return parts


def has_shell(argv: Sequence[str]) -> bool:
    """Whether the first process is a shell, to which an engine's signals go first."""
    return bool(argv) and argv[0].rsplit("/", 1)[-1] in ("sh", "bash", "dash", "ash")


def serving(argv: Sequence[str]) -> Serving | None:
    """Return what a command serves; None where it starts no uvicorn."""
    rest = list(argv)
    if has_shell(rest) and len(rest) > 2 and rest[1] in ("-c", "-ec"):
        rest = shlex.split(rest[2])
    if rest[:1] == ["exec"]:
        rest = rest[1:]
    if not rest:
        return None
    program = rest.pop(0)
    name = program.rsplit("/", 1)[-1]
    while name.startswith("python") and rest and rest[0].startswith("-") and rest[0] != "-m":
        rest.pop(0)  # -u and the like
    if name.startswith("python") and rest[:2] == ["-m", "uvicorn"]:
        rest = rest[2:]
    elif name != "uvicorn":
        return None
    found = Serving(program, "")
    while rest:
        word = rest.pop(0)
        if word.startswith("--"):
            option, given, value = word[2:].partition("=")
            if not given and option not in _FLAGS:
                value = rest.pop(0) if rest else ""
            found.options[option] = value
        else:
            found.module = word.partition(":")[0]
    return found


def answers(built: Built, modules: Collection[str], model: str) -> dict[str, int | None]:
    """Return the status that a client outside the container gets for `/healthz` and `/readyz`; None: no answer.

    Args:
        built: The image.
        modules: Names of the service's modules in the context, each as it is imported (`a/b.py` is `a.b`).
        model: Name of the model's file in the context.
    """
    config = built.config
    env: Mapping[str, str] = config["env"]
    silent: dict[str, int | None] = {"/healthz": None, "/readyz": None}
    found = serving(command(config))
    if found is None or not found.module:
        return silent
    place = environment_of(found.program, env, built.files)
    packages = [f"{place}/{SITE}", *env.get("PYTHONPATH", "").split(":")]
    folders = [found.option("app-dir", env, ""), *env.get("PYTHONPATH", "").split(":")]
    roots = [posixpath.normpath(posixpath.join(config["workdir"], folder)) for folder in folders]
    works = (
        any(f"{folder}/{PACKAGE}" in built.files for folder in packages)
        and _there(found.program, env, built)
        and built.knows(config["user"])
        and found.module.replace(".", "/") + ".py" in modules
        and all(any(built.files.get(posixpath.join(root, one)) == one for root in roots) for one in modules)
        and found.option("host", env, "127.0.0.1") in ("0.0.0.0", "::", "")  # noqa: S104 - that is the question
        and found.option("port", env, "8000") == "8000"
    )
    if not works:
        return silent
    where = posixpath.normpath(posixpath.join(config["workdir"], env.get("OAKBANK_MODEL", "?")))
    return {"/healthz": 200, "/readyz": 200 if built.files.get(where) == model else 503}


def _there(program: str, env: Mapping[str, str], built: Built) -> bool:
    """Whether a program can be started: Python always can, what a package brings only where it was installed."""
    if program.rsplit("/", 1)[-1].startswith("python"):
        return True
    ways = [program] if "/" in program else [f"{folder}/{program}" for folder in env.get("PATH", "").split(":")]
    return any(way in built.files for way in ways)
