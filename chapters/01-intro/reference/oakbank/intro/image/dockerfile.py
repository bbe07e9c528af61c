"""Dockerfiles, read without an engine: stages, instructions, forms, and variables put in.

Follows Docker's reference ("Dockerfile reference", format, environment replacement, FROM, ARG): a line ends in an
escape character to go on, comments may stand between continued lines, `ARG` before the first `FROM` is known to `FROM`
lines only, `RUN`, `CMD`, `ENTRYPOINT` and `HEALTHCHECK` keep their variables for the shell.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

BASE_ENV: Mapping[str, str] = {"PATH": "/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin"}
"""What an image of the official `python` family sets, as far as it matters to a Dockerfile."""

_KEYWORDS = frozenset({
    "ADD", "ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL", "MAINTAINER", "ONBUILD",
    "RUN", "SHELL", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR",
})  # fmt: skip
_TO_THE_SHELL = frozenset({"RUN", "CMD", "ENTRYPOINT", "HEALTHCHECK", "SHELL"})
_JSON_FORM = frozenset({"RUN", "CMD", "ENTRYPOINT", "SHELL", "COPY", "ADD", "VOLUME"})
_WITH_FLAGS = frozenset({"FROM", "RUN", "COPY", "ADD", "HEALTHCHECK"})
_BUILDKIT_FLAGS = frozenset({"mount", "network", "security", "link", "chmod", "parents", "exclude", "checksum"})
_VARIABLE = re.compile(r"\$(?:(\w+)|\{(\w+)(?::([-+])([^}]*))?\})")


class DockerfileError(ValueError):
    """The text is no Dockerfile; the message names the line and what to do about it."""


@dataclass(frozen=True)
class Instruction:
    """One instruction.

    Attributes:
        line: Where it begins, from 1.
        keyword: In capitals, such as `COPY`.
        flags: `--from=build` is `{"from": "build"}`; a flag without a value has the value `true`.
        text: What follows keyword and flags, continued lines joined, variables as written.
        words: The arguments, variables put in. A shell's command is one word.
        json: Whether it is written as a JSON list: the exec form of a command.
        source: All of it on one line, blanks made one, as an engine prints a step.
    """

    line: int
    keyword: str
    flags: Mapping[str, str]
    text: str
    words: tuple[str, ...]
    json: bool = False
    source: str = ""


@dataclass
class Stage:
    """From one `FROM` to the next.

    Attributes:
        name: After `AS`, else None.
        base: The image it starts from, variables put in, or the name of an earlier stage.
        parent: The earlier stage it starts from, else None.
        instructions: Those after `FROM`.
        env: `ENV` as it stands at the end, with what parent or base set.
        args: `ARG` as it stands at the end.
    """

    name: str | None
    base: str
    parent: "Stage | None"
    instructions: list[Instruction] = field(default_factory=list)
    env: dict[str, str] = field(default_factory=dict)
    args: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Dockerfile:
    """A Dockerfile that was read: its stages in order, the last of which becomes the image."""

    stages: tuple[Stage, ...]

    @property
    def final(self) -> Stage:
        """The stage that becomes the image."""
        return self.stages[-1]

    def stage(self, reference: str) -> Stage | None:
        """Return the stage that `COPY --from=reference` means, by name or number; None for another image."""
        for number, stage in enumerate(self.stages):
            if reference == str(number) or (stage.name and reference.lower() == stage.name.lower()):
                return stage
        return None

    def needs_buildkit(self) -> list[Instruction]:
        """Return the instructions that the classic builder, which the Docker SDK for Python speaks to, refuses."""
        every = [one for stage in self.stages for one in stage.instructions]
        return [one for one in every if _BUILDKIT_FLAGS & set(one.flags) or _heredoc(one)]


def _heredoc(one: Instruction) -> bool:
    return one.keyword in ("RUN", "COPY", "ADD") and not one.json and bool(re.search(r"<<-?\s*[\"']?\w", one.text))


def put_in(text: str, values: Mapping[str, str]) -> str:
    """Return a text with `$NAME`, `${NAME}`, `${NAME:-default}` and `${NAME:+instead}` replaced; unknown is empty."""

    def value(found: re.Match[str]) -> str:
        name, kind, other = found[1] or found[2], found[3], found[4]
        if kind == "+":
            return put_in(other, values) if values.get(name) else ""
        return values.get(name) or (put_in(other, values) if kind else "")

    return _VARIABLE.sub(value, text)


def words(text: str, values: Mapping[str, str], escape: str = "\\") -> list[str]:
    """Split a text at blanks as Docker does: quotes hold together, single ones keep `$`, the escape keeps a character.

    Raises:
        DockerfileError: A quote is not closed.
    """
    found: list[str] = []
    word: str | None = None
    quote, at = "", 0
    while at < len(text):
        char = text[at]
        variable = _VARIABLE.match(text, at) if quote != "'" else None
        if char == escape and quote != "'" and at + 1 < len(text):
            word, at = (word or "") + text[at + 1], at + 1
        elif quote and char == quote:
            quote = ""
        elif not quote and char in "\"'":
            quote, word = char, word or ""
        elif variable:
            word, at = (word or "") + put_in(variable[0], values), variable.end() - 1
        elif char.isspace() and not quote:
            found, word = [*found, *([word] if word is not None else [])], None
        else:
            word = (word or "") + char
        at += 1
    if quote:
        raise DockerfileError(f"a quote ({quote}) is opened and never closed: {text}")
    return [*found, *([word] if word is not None else [])]


def _logical_lines(text: str) -> Iterator[tuple[int, str, str]]:
    """Yield number, text and escape character of each instruction, continued lines joined, comments taken out."""
    lines, escape, directives = text.splitlines(), "\\", True
    parts: list[str] = []
    begin = 0
    for number, line in enumerate(lines, 1):
        bare = line.strip()
        if directives:
            directive = re.fullmatch(r"#\s*(\w+)\s*=\s*(\S+)\s*", bare)
            directives = bool(directive)
            if directive and directive[1].lower() == "escape":
                escape = directive[2]
        if not bare or bare.startswith("#"):
            continue
        begin = begin or number
        if bare.endswith(escape):
            parts.append(bare[:-1])
            continue
        parts.append(bare)
        yield begin, " ".join(part.strip() for part in parts if part.strip()), escape
        parts, begin = [], 0
    if parts:
        yield begin, " ".join(part.strip() for part in parts if part.strip()), escape


def _split(number: int, line: str) -> tuple[str, dict[str, str], str]:
    keyword, _, rest = line.partition(" ")
    keyword, rest, flags = keyword.upper(), rest.strip(), {}
    if keyword not in _KEYWORDS:
        raise DockerfileError(f"line {number}: {keyword} is no instruction of a Dockerfile")
    while keyword in _WITH_FLAGS and (found := re.match(r"--([\w-]+)(?:=(\S*))?(?:\s+|$)", rest)):
        flags[found[1]] = "true" if found[2] is None else found[2]
        rest = rest[found.end() :]
    if not rest:
        raise DockerfileError(f"line {number}: {keyword} needs something after it")
    return keyword, flags, rest


def json_list(text: str) -> tuple[str, ...] | None:
    """Return the words of a JSON list of strings, the exec form; None where the text is not one (Docker says shell)."""
    try:
        data = json.loads(text) if text.startswith("[") else None
    except ValueError:
        return None
    return tuple(data) if isinstance(data, list) and all(isinstance(word, str) for word in data) else None


def parse(text: str, base_env: Mapping[str, str] = BASE_ENV) -> Dockerfile:
    """Read a Dockerfile.

    Args:
        text: The Dockerfile.
        base_env: The variables that images from outside set.

    Raises:
        DockerfileError: The text is no Dockerfile.
    """
    stages: list[Stage] = []
    before: dict[str, str] = {}
    for number, line, escape in _logical_lines(text):
        keyword, flags, rest = _split(number, line)
        if keyword == "FROM":
            stages.append(_stage(number, words(rest, before, escape), stages, base_env))
            continue
        if not stages and keyword != "ARG":
            raise DockerfileError(f"line {number}: {keyword} stands before the first FROM")
        stage = stages[-1] if stages else None
        values = {**stage.args, **stage.env} if stage else before
        flags = {name: put_in(value, values) for name, value in flags.items()}
        listed = json_list(rest) if keyword in _JSON_FORM else None
        if listed is not None:
            shell = keyword in _TO_THE_SHELL
            arguments = listed if shell else tuple(put_in(word, values) for word in listed)
        else:
            arguments = (rest,) if keyword in _TO_THE_SHELL else tuple(words(rest, values, escape))
        if keyword == "ARG":
            _set_args(arguments, before if stage is None else stage.args, before)
        if stage is None:
            continue
        one = Instruction(number, keyword, flags, rest, arguments, listed is not None, " ".join(line.split()))
        if keyword == "ENV":
            stage.env.update(assignments(one))
        stage.instructions.append(one)
    if not stages:
        raise DockerfileError("there is no FROM: a Dockerfile begins with the image it starts from")
    return Dockerfile(tuple(stages))


def _stage(number: int, arguments: list[str], stages: list[Stage], base_env: Mapping[str, str]) -> Stage:
    named = len(arguments) == 3 and arguments[1].upper() == "AS"
    if not arguments or not arguments[0] or not (named or len(arguments) == 1):
        raise DockerfileError(f"line {number}: write FROM image, or FROM image AS name")
    base = arguments[0]
    parent = next((one for one in stages if one.name and one.name.lower() == base.lower()), None)
    return Stage(arguments[2] if named else None, base, parent, env=dict(parent.env if parent else base_env))


def _set_args(arguments: tuple[str, ...], args: dict[str, str], before: Mapping[str, str]) -> None:
    for argument in arguments:
        name, given, value = argument.partition("=")
        if given or name in before:
            args[name] = value if given else before[name]


def assignments(one: Instruction) -> dict[str, str]:
    """Return what an `ENV` sets: `KEY=value ...`, or the old form `KEY value`."""
    if one.words and "=" not in one.words[0]:
        return {one.words[0]: " ".join(one.words[1:])}
    return dict(word.split("=", 1) for word in one.words if "=" in word)
