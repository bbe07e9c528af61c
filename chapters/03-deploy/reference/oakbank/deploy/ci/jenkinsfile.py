"""Reads a declarative Jenkinsfile and says what Jenkins would refuse in its structure. Jenkins itself is not needed.

After the sections of *Pipeline Syntax*, jenkins.io/doc/book/pipeline/syntax (2026). What stands within `steps` is
Groovy: of it only the strings and brackets are looked at.
"""

import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

SECTIONS = {"agent", "stages", "post", "environment", "options", "parameters", "triggers", "tools", "libraries"}
OF_A_STAGE = {"agent", "environment", "tools", "options", "input", "when", "post", "failFast"}
WORK = ("steps", "stages", "parallel", "matrix")
CONDITIONS = {
    *("always", "changed", "fixed", "regression", "aborted"),
    *("failure", "success", "unstable", "unsuccessful", "cleanup"),
}
_TOKEN = re.compile(
    r"""(?P<comment>//[^\n]*|/\*.*?\*/)|(?P<string>'''.*?'''|\"\"\".*?\"\"\"|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*")"""
    r"""|(?P<sign>[{}\n;])|(?P<open>'|"|/\*)|(?P<word>[^\s{}'";/]+|/)|(?P<blank>[^\S\n]+)""",
    re.DOTALL,
)
_STRING = r"""'''.*?'''|\"\"\".*?\"\"\"|'[^'\n]*'|"[^"\n]*\""""
_STEP = re.compile(rf"sh\b\s*\(?\s*(?:script:\s*)?(?P<command>{_STRING})", re.DOTALL)


class JenkinsfileError(ValueError):
    """A Jenkinsfile whose strings or braces do not close; the message names the line."""


@dataclass
class Part:
    """A statement such as `agent any`, or a block such as `stage('Code') { … }`."""

    text: str
    line: int
    block: bool = False
    parts: list["Part"] = field(default_factory=list)

    @property
    def name(self) -> str:
        """The first word: `stage` of `stage('Code')`."""
        found = re.match(r"\w+", self.text)
        return found[0] if found else self.text


def read(text: str) -> list[Part]:
    """Return the outermost parts of a Jenkinsfile.

    Raises:
        JenkinsfileError: A string, a comment or a brace does not close, or a brace closes nothing.
    """
    root = Part("", 0, True)
    open_parts, said, began = [root], "", 0

    def end(block: bool) -> None:
        nonlocal said
        if said.strip() or block:
            part = Part(said.strip(), began or line, block)
            open_parts[-1].parts.append(part)
            if block:
                open_parts.append(part)
        said = ""

    line = 1
    for token in _TOKEN.finditer(text):
        kind, shown = token.lastgroup, token[0]
        if kind == "open":
            raise JenkinsfileError(f"line {line}: what begins with {shown} is not closed")
        if shown == "{":
            end(block=True)
        elif shown in ("}", "\n", ";"):
            end(block=False)
            if shown == "}":
                if len(open_parts) == 1:
                    raise JenkinsfileError(f"line {line}: this }} closes nothing")
                open_parts.pop()
        elif kind != "comment":
            began = began if said.strip() else line
            said += shown
        line += shown.count("\n")
    end(block=False)
    if len(open_parts) > 1:
        raise JenkinsfileError(f"line {open_parts[-1].line}: the {{ of `{open_parts[-1].text}` is not closed")
    return root.parts


def commands(text: str) -> list[str]:
    """Return what the `sh` steps of a Jenkinsfile run, in order; raises as `read` does."""
    found = []
    for part in _all(read(text)):
        if not part.block and (step := _STEP.match(part.text)):
            found.append(step["command"].strip("'\"").strip())
    return found


def faults(text: str) -> list[str]:
    """Return what is wrong with the structure of a declarative Jenkinsfile, a sentence with its line each."""
    try:
        parts = read(text)
    except JenkinsfileError as error:
        return [str(error)]
    if [part.name for part in parts] != ["pipeline"] or not parts[0].block:
        return ["line 1: a declarative Jenkinsfile is one block `pipeline { … }`, and nothing beside it"]
    (pipeline,) = parts
    found = [*_known(pipeline, SECTIONS), *_once(pipeline)]
    found += [
        f"line {pipeline.line}: `pipeline` needs `{name}`" for name in ("agent", "stages") if not _of(pipeline, name)
    ]
    found += [fault for stages in _of(pipeline, "stages") for fault in _stages(stages)]
    found += [fault for post in _of(pipeline, "post") for fault in _known(post, CONDITIONS)]
    names = Counter(part.text for part in _all(parts) if part.name == "stage" and part.block)
    return found + [
        f"{name} is there {count} times: names of stages are unique" for name, count in names.items() if count > 1
    ]


def _all(parts: list[Part]) -> Iterator[Part]:
    for part in parts:
        yield part
        yield from _all(part.parts)


def _of(part: Part, name: str) -> list[Part]:
    return [one for one in part.parts if one.name == name]


def _known(part: Part, allowed: set[str]) -> list[str]:
    return [
        f"line {one.line}: `{one.name}` is no section of `{part.name}`" for one in part.parts if one.name not in allowed
    ]


def _once(part: Part) -> list[str]:
    counted = Counter(one.name for one in part.parts)
    return [f"line {part.line}: `{part.name}` has `{name}` {n} times" for name, n in counted.items() if n > 1]


def _stages(stages: Part) -> Iterator[str]:
    if not stages.parts:
        yield f"line {stages.line}: `{stages.name}` needs a `stage`"
    for stage in stages.parts:
        if stage.name != "stage" or not stage.block:
            yield f"line {stage.line}: `{stages.name}` holds blocks `stage('name') {{ … }}` only, not `{stage.text}`"
            continue
        if not re.fullmatch(r"stage\s*\(\s*(['\"]).+\1\s*\)", stage.text):
            yield f"line {stage.line}: write `stage('name')`, not `{stage.text}`"
        work = [part for part in stage.parts if part.name in WORK]
        if len(work) != 1:
            yield f"line {stage.line}: `{stage.text}` needs one of {', '.join(WORK)}, and has {len(work)}"
        yield from _known(Part(stage.text, stage.line, True, stage.parts), OF_A_STAGE | set(WORK))
        for part in work:
            if part.name in ("stages", "parallel"):
                yield from _stages(part)
            elif not part.parts:
                yield f"line {part.line}: `{part.name}` of `{stage.text}` is empty"
