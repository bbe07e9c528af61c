"""What a `RUN` line makes pip do, read from its text: which packages, from where, hashes checked or not."""

import re
import shlex
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from oakbank.intro.image.dockerfile import Instruction, put_in

_TAKES_VALUE = {
    "-r": "requirement", "-c": "constraint", "-f": "find-links", "-i": "index-url", "-t": "target", "-e": "editable",
}  # fmt: skip
_VALUES = frozenset({
    *_TAKES_VALUE.values(), "extra-index-url", "prefix", "root", "python-version", "platform", "no-binary",
    "only-binary", "cache-dir", "progress-bar", "timeout", "retries", "trusted-host", "root-user-action", "src",
    "implementation", "abi", "upgrade-strategy", "config-settings", "report", "log", "cert", "client-cert", "proxy",
})  # fmt: skip
_ENDS = frozenset({"&&", ";", "||", "|", "&", ";;"})


@dataclass
class Command:
    """One simple command of a shell line.

    Attributes:
        argv: The program and its arguments.
        env: Variables that hold for it.
        folder: Where a `cd` before it went, as written; empty: nowhere.
    """

    argv: list[str]
    env: dict[str, str]
    folder: str = ""


@dataclass
class Install:
    """A `pip install`. `options` maps long names to their values in order; a flag has the value `true`."""

    program: str
    env: Mapping[str, str]
    folder: str
    packages: list[str] = field(default_factory=list)
    options: dict[str, list[str]] = field(default_factory=dict)

    def has(self, flag: str) -> bool:
        """Whether a flag is set, on the command line or by pip's variable for it."""
        value = self.env.get("PIP_" + flag.replace("-", "_").upper(), "")
        return flag in self.options or value.lower() in ("1", "true", "yes", "on")

    def values(self, option: str) -> list[str]:
        """Return the values of an option, by the command line or else by pip's variable for it."""
        variable = self.env.get("PIP_" + option.replace("-", "_").upper(), "")
        return self.options.get(option) or variable.split()


def commands(one: Instruction, env: Mapping[str, str], args: Mapping[str, str]) -> Iterator[Command]:
    """Yield the simple commands of a `RUN`, with `cd`, `export`, assignments and an activated environment followed."""
    values, folder = {**args, **env}, ""
    if one.json:
        yield Command(list(one.words), dict(values))
        return
    lexer = shlex.shlex(put_in(one.text, values), posix=True, punctuation_chars="&|;")
    lexer.whitespace_split = True
    lexer.commenters = ""
    line: list[str] = []
    for token in [*lexer, ";"]:
        if token not in _ENDS:
            line.append(token)
            continue
        own = dict(values)
        while line and re.fullmatch(r"\w+=.*", line[0], flags=re.DOTALL):
            name, _, value = line.pop(0).partition("=")
            own[name] = value
            values = values if line else own
        if line[:1] == ["export"]:
            values = {**own, **dict(word.split("=", 1) for word in line[1:] if "=" in word)}
        elif line[:1] == ["cd"] and len(line) > 1:
            folder = line[1]
        elif line[:1] == ["."] and len(line) > 1 and line[1].endswith("/bin/activate"):
            values = own | {"PATH": line[1].removesuffix("/activate") + ":" + own.get("PATH", "")}
        elif line:
            yield Command(line, own, folder)
        line = []


def installs(command: Command) -> Install | None:
    """Return what a command installs with pip; None where it is another command."""
    argv = list(command.argv)
    name = argv[0].rsplit("/", 1)[-1]
    if re.fullmatch(r"python[\d.]*", name) and argv[1:3] == ["-m", "pip"]:
        program, rest = argv[0], argv[3:]
    elif re.fullmatch(r"pip[\d.]*", name):
        program, rest = argv[0], argv[1:]
    else:
        return None
    found = Install(program, command.env, command.folder)
    seen_verb = False
    while rest:
        word = rest.pop(0)
        if word.startswith("--"):
            option, given, value = word[2:].partition("=")
            if not given:
                value = rest.pop(0) if option in _VALUES and rest else "true"
            found.options.setdefault(option, []).append(value)
        elif word[:2] in _TAKES_VALUE:
            value = word[2:] or (rest.pop(0) if rest else "")
            found.options.setdefault(_TAKES_VALUE[word[:2]], []).append(value)
        elif word.startswith("-"):
            continue
        elif not seen_verb:
            if word != "install":
                return None
            seen_verb = True
        else:
            found.packages.append(word)
    return found if seen_verb else None
