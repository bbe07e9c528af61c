"""Which files enter a build: `.dockerignore` as Docker's documentation has it.

Rules: a pattern is anchored at the root of the context (not as in `.gitignore`), `*` and `?` stop at a slash, `**` goes
through any number of folders, a folder that matches takes all that is in it along, `!` brings back, and **the last line
that matches a file decides**. Source: Docker's manual, "Build context", ".dockerignore files".

Where the manual and older clients differ, this is the manual: docker-py and the classic client do not look into a
folder that is left out unless a `!` line begins with its name, so `*` and then `!**/*.py` gives them less.
"""

import posixpath
import re
from collections.abc import Iterable

from oakbank.intro.image.dockerfile import DockerfileError


def _expression(pattern: str) -> re.Pattern[str]:
    """Return the regular expression of a cleaned pattern.

    Raises:
        DockerfileError: A bracket is not closed.
    """
    out, at = "", 0
    while at < len(pattern):
        char = pattern[at]
        if pattern.startswith("**", at):
            at += 2
            if pattern.startswith("/", at):
                at += 1
            out += ".*" if at >= len(pattern) else "(?:.*/)?"
            continue
        if char == "[":
            end = pattern.find("]", at + 2)
            if end < 0:
                raise DockerfileError(f".dockerignore: the bracket in {pattern} is not closed")
            out, at = out + pattern[at : end + 1], end
        elif char == "\\" and at + 1 < len(pattern):
            out, at = out + re.escape(pattern[at + 1]), at + 1
        else:
            out += {"*": "[^/]*", "?": "[^/]"}.get(char) or re.escape(char)
        at += 1
    return re.compile(out)


def _rules(ignore: str) -> list[tuple[bool, re.Pattern[str]]]:
    """Return for each line whether it leaves files out, and what it matches."""
    rules = []
    for line in ignore.splitlines():
        if line.startswith("#") or not line.strip():
            continue
        pattern = line.strip()
        out = not pattern.startswith("!")
        if not out and not pattern[1:].strip():
            raise DockerfileError(".dockerignore: a line has only '!': say what it brings back")
        pattern = posixpath.normpath(pattern.removeprefix("!").strip()).lstrip("/")
        if pattern not in ("", "."):  # these two are ignored, for historical reasons
            rules.append((out, _expression(pattern)))
    return rules


def left_out(path: str, ignore: str) -> bool:
    """Whether a `.dockerignore` keeps a file out of the context.

    Args:
        path: Of the file, from the root of the context, with `/`.
        ignore: The text of `.dockerignore`.
    """
    parts = path.split("/")
    ways = ["/".join(parts[:count]) for count in range(len(parts), 0, -1)]  # the file itself, then its folders
    state = False
    for out, expression in _rules(ignore):
        if out != state and any(expression.fullmatch(way) for way in ways):
            state = out
    return state


def in_context(paths: Iterable[str], ignore: str) -> list[str]:
    """Return those of the files that a build gets to see, sorted.

    Args:
        paths: Of files, from the root of the context, with `/`.
        ignore: The text of `.dockerignore`.
    """
    return sorted(path for path in paths if not left_out(path, ignore))
