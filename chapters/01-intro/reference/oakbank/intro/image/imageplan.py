"""What an image would be, worked out from Dockerfile and context without an engine.

A plan follows `COPY`, `WORKDIR`, `ENV`, virtual environments, `pip install` and `rm`; other effects of `RUN` it does
not know. Paths are absolute in the image; files of the context keep their name in the context as their origin.
"""

import fnmatch
import posixpath
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import Any

from oakbank.intro.image.dockerfile import (
    Dockerfile,
    DockerfileError,
    Instruction,
    Stage,
    assignments,
    json_list,
    parse,
)
from oakbank.intro.image.pipcommand import Command, commands, installs
from oakbank.intro.image.pipplan import PACKAGE, SCRIPT, Installed, resolve


@dataclass
class Built:
    """What a stage holds at its end.

    Attributes:
        files: Path in the image -> name in the context, empty for what a `RUN` made.
        layers: The same, but of all layers: what a later step deleted is still in it.
        installed: What pip did in this stage, and in those it starts from.
        made: Users that a `RUN` made, by name.
        config: `user`, `workdir`, `env`, `entrypoint`, `cmd` (lists or None), `health` (dict or None).
    """

    files: dict[str, str] = field(default_factory=dict)
    layers: dict[str, str] = field(default_factory=dict)
    installed: list[Installed] = field(default_factory=list)
    made: list[str] = field(default_factory=list)
    config: dict[str, Any] = field(default_factory=dict)

    def knows(self, user: str) -> bool:
        """Whether a process can be started as a user: any number, and the names that are in the image."""
        name = user.partition(":")[0]
        return not name or name.isdigit() or name in {"root", "nobody", "daemon", "www-data", *self.made}


class Plan:
    """A Dockerfile together with the files of its context.

    Args:
        text: The Dockerfile.
        files: Name in the context -> text; empty for what need not be read.

    Raises:
        DockerfileError: It would not build: no Dockerfile, a `COPY` that finds nothing, a builder that is not here.
    """

    def __init__(self, text: str, files: Mapping[str, str]) -> None:
        self.dockerfile: Dockerfile = parse(text)
        self.files = files
        if refused := self.dockerfile.needs_buildkit():
            raise DockerfileError(
                f"line {refused[0].line}: this needs BuildKit; the lab builds with the classic builder"
            )
        self.stages: list[Built] = []
        for stage in self.dockerfile.stages:
            self.stages.append(self._build(stage))

    @property
    def image(self) -> Built:
        """The last stage."""
        return self.stages[-1]

    @property
    def installed(self) -> list[Installed]:
        """What pip does in the whole build, each installation once."""
        return list(dict.fromkeys(one for stage in self.stages for one in stage.installed))

    def again(self, changed: Collection[str]) -> list[str]:
        """Return the steps that a second build runs again after files of the context changed, one line each."""
        broken: dict[int, bool] = {}
        found = []
        for stage in self.dockerfile.stages:
            state = broken.get(id(stage.parent), False)
            for one in stage.instructions:
                if one.keyword in ("COPY", "ADD") and not state:
                    source = self.dockerfile.stage(one.flags["from"]) if "from" in one.flags else None
                    touched = {name for name, _ in self._sources(one)} & set(changed) if "from" not in one.flags else ()
                    state = bool(touched) or (source is not None and broken.get(id(source), False))
                if state:
                    found.append(one.source)
            broken[id(stage)] = state
        return found

    def _build(self, stage: Stage) -> Built:
        parent = self._result(stage.parent) if stage.parent else None
        built = Built(
            dict(parent.files) if parent else {},
            dict(parent.layers) if parent else {},
            list(parent.installed) if parent else [],
            list(parent.made) if parent else [],
            dict(parent.config) if parent else
            {"user": "", "workdir": "/", "entrypoint": None, "cmd": ["python3"], "health": None},
        )  # fmt: skip
        env = dict(self._env_before(stage))
        cmd_set = False
        for one in stage.instructions:
            config = built.config
            if one.keyword == "ENV":
                env.update(assignments(one))
            elif one.keyword == "WORKDIR":
                config["workdir"] = posixpath.normpath(posixpath.join(config["workdir"], one.words[0]))
            elif one.keyword == "USER":
                config["user"] = one.words[0]
            elif one.keyword == "CMD":
                config["cmd"], cmd_set = _argv(one), True
            elif one.keyword == "ENTRYPOINT":
                config["entrypoint"] = _argv(one)
                config["cmd"] = config["cmd"] if cmd_set else None
            elif one.keyword == "HEALTHCHECK":
                config["health"] = _health(one)
            elif one.keyword in ("COPY", "ADD"):
                self._copy(one, built)
            elif one.keyword == "RUN":
                for command in commands(one, env, stage.args):
                    self._run(command, built)
        built.config["env"] = env
        return built

    def _result(self, stage: Stage) -> Built:
        return self.stages[[id(one) for one in self.dockerfile.stages].index(id(stage))]

    def _env_before(self, stage: Stage) -> Mapping[str, str]:
        return stage.parent.env if stage.parent else parse("FROM scratch").final.env

    def _sources(self, one: Instruction) -> list[tuple[str, str]]:
        """Return the files of the context that a `COPY` takes: name, and where it lands below the destination."""
        return _picked(one, self.files, "")

    def _copy(self, one: Instruction, built: Built) -> None:
        if "from" in one.flags:
            stage = self.dockerfile.stage(one.flags["from"])
            if stage is None:
                return  # another image: its files are not known here
            origin: Mapping[str, str] = self._result(stage).files
            picked = _picked(one, origin, "/")
        else:
            origin = {name: name for name in self.files}
            picked = self._sources(one)
        destination = one.words[-1]
        target = posixpath.join(built.config["workdir"], destination)
        folder = destination.endswith("/") or destination in (".", "..") or len(one.words) > 2
        for name, below in picked:
            # One file without a slash at the end of its destination gets that very name.
            path = posixpath.normpath(posixpath.join(target, below) if folder or below != "\0" else target)
            path = path.replace("\0", posixpath.basename(name))
            built.files[path] = built.layers[path] = origin[name]

    def _run(self, command: Command, built: Built) -> None:
        argv = command.argv
        at = posixpath.join(built.config["workdir"], command.folder)
        program = argv[0].rsplit("/", 1)[-1]
        if program.startswith("python") and argv[1:3] == ["-m", "venv"]:
            for word in argv[3:]:
                if not word.startswith("-"):
                    path = posixpath.normpath(posixpath.join(at, word)) + "/bin/python"
                    built.files[path] = built.layers[path] = ""
        elif program in ("useradd", "adduser"):
            built.made.append(argv[-1])
        elif program == "rm":
            for word in argv[1:]:
                where = posixpath.normpath(posixpath.join(at, word))
                for path in [one for one in built.files if fnmatch.fnmatch(one, where) or one.startswith(where + "/")]:
                    del built.files[path]
        elif (install := installs(command)) is not None:
            done = resolve(install, built.files, self.files, at)
            built.installed.append(done)
            if done.asks_network:
                raise DockerfileError("pip asks an index for packages, and this build has no network")
            if not done.ok:
                raise DockerfileError(f"this installation fails: {' '.join(argv)}")
            for path in (f"{done.folder}/{PACKAGE}", f"{done.scripts}/{SCRIPT}"):
                built.files[path] = built.layers[path] = ""


def _argv(one: Instruction) -> list[str]:
    return list(one.words) if one.json else ["/bin/sh", "-c", one.text]


def _health(one: Instruction) -> dict[str, Any] | None:
    """Return the health check: its test as an engine stores it, interval and timeout in seconds, retries."""
    kind, _, rest = one.text.partition(" ")
    if kind.upper() == "NONE":
        return None
    if kind.upper() != "CMD" or not rest.strip():
        raise DockerfileError(f"line {one.line}: write HEALTHCHECK CMD command, or HEALTHCHECK NONE")
    listed = json_list(rest.strip())
    if unknown := set(one.flags) - {"interval", "timeout", "retries", "start-period", "start-interval"}:
        raise DockerfileError(f"line {one.line}: HEALTHCHECK has no option --{min(unknown)}")
    retries = one.flags.get("retries", "0")
    if not retries.isdigit():
        raise DockerfileError(f"line {one.line}: --retries={retries} is no number")
    return {
        "test": ["CMD", *listed] if listed else ["CMD-SHELL", rest.strip()],
        "interval": seconds(one.flags.get("interval", "0s")) or 30.0,
        "timeout": seconds(one.flags.get("timeout", "0s")) or 30.0,
        "retries": int(retries) or 3,
    }


def seconds(duration: str) -> float:
    """Return the seconds of a duration as Go writes it: `30s`, `1m30s`, `500ms`.

    Raises:
        DockerfileError: It is none: a number without a unit, say.
    """
    units = {"h": 3600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "ns": 1e-9}
    parts = re.findall(r"(\d+(?:\.\d+)?)(ms|us|ns|h|m|s)", duration)
    if not parts or "".join(number + unit for number, unit in parts) != duration:
        raise DockerfileError(f"{duration} is no duration: write a number with its unit, such as 30s or 1m30s")
    return sum(float(number) * units[unit] for number, unit in parts)


def _picked(one: Instruction, origin: Collection[str], root: str) -> list[tuple[str, str]]:
    """Return what `COPY` takes: name, and where it lands below the destination (zero byte: its own name)."""
    found: list[tuple[str, str]] = []
    for word in one.words[:-1]:
        pattern = root + posixpath.normpath("/" + word).lstrip("/")
        before = len(found)
        for name in origin:
            if re.search(r"[*?\[]", pattern):
                depth = pattern.count("/") + 1
                head, tail = "/".join(name.split("/")[:depth]), "/".join(name.split("/")[depth:])
                hit = head.count("/") == pattern.count("/") and _glob(head, pattern)
                below = tail or "\0"
            else:
                hit = name == pattern or pattern == root or name.startswith(pattern + "/")
                below = "\0" if name == pattern else name.removeprefix(pattern).lstrip("/")
            if hit:
                found.append((name, below))
        if len(found) == before:
            raise DockerfileError(f"line {one.line}: {one.keyword} {word}: there is no such file to copy")
    return found


def _glob(name: str, pattern: str) -> bool:
    return all(map(fnmatch.fnmatchcase, name.split("/"), pattern.split("/")))
