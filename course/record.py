"""`course record`: run lessons where the machine has what they need, and keep what their recorded cells show."""

import datetime
import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import Any, Literal

from authoring.recording import (
    KINDS,
    PICTURE,
    Cell,
    Output,
    Recording,
    is_recorded,
    load,
    name_of,
    recorded_sources,
    recording_path,
    save,
)
from base.errors import BuildError, UserError
from base.text import without_escapes
from course.paths import lessons
from course.recorded import VERSIONS


@dataclass(frozen=True)
class Rule:
    """Something that differs from run to run while all is well: it is not compared."""

    what: str
    pattern: re.Pattern[str]
    becomes: str


_POD = "[bcdfghjklmnpqrstvwxz2456789]"  # the letters of which Kubernetes makes names
RULES = (
    Rule("uids", re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "UID"),
    Rule("ids and digests", re.compile(r"\b(sha256:)?(?=[a-f]*\d)[0-9a-f]{12,64}\b"), "ID"),
    Rule("names of pods", re.compile(rf"-{_POD}{{8,10}}-{_POD}{{5}}(?![a-z0-9])"), "-POD"),
    Rule("names of a Job's pods", re.compile(rf"\b(score-a-batch|greedy)-{_POD}{{5}}(?![a-z0-9])"), r"\1-POD"),
    Rule("ages in words", re.compile(r"(Less than a|About an?|\d+) (second|minute|hour|day)s?( ago)?"), "AGE"),
    Rule("ages", re.compile(r"(?<![\w.=-])(\d+m)?\d+(\.\d+)?m?s\b( \(x\d+ over \d+s\))?"), "AGE"),
    Rule("times of CI tools", re.compile(r"(?<![\w.=-])\d+(\.\d+)?( (ms|s|min)|µs)\b"), "AGE"),
    Rule("what act says of Docker", re.compile(r"^time=.* docker .*\n", re.MULTILINE), ""),
    Rule("times of day", re.compile(r"(\d{4}-\d\d-\d\d[T ])?\d\d:\d\d:\d\d(\.\d+)?Z?( [+-]\d{4})?"), "TIME"),
    Rule("days", re.compile(r"\b(Mon|Tue|Wed|Thu|Fri|Sat|Sun), \d\d? \w{3} \d{4}\b"), "DAY"),
    Rule("addresses inside", re.compile(r"\b(10|172|192)(\.\d+){3}(:\d+)?\b"), "ADDRESS"),
    Rule("memory in use", re.compile(r"\d+(\.\d+)?MiB(?= /)"), "SIZE"),
    Rule("sizes of images and layers", re.compile(r"\b\d+(\.\d+)? ?[kM]B\b"), "SIZE"),
    Rule("ports of IPv6", re.compile(r", (\[::\]|::):\d+->\d+/tcp"), ""),
    Rule("process numbers", re.compile(r"^ *\d+(?= {3,}[a-z])", re.MULTILINE), "PID"),
    Rule("layers that only one image had", re.compile(r"^Deleted: .*\n", re.MULTILINE), ""),
    Rule("pods on their way out", re.compile(r"^.* Terminating .*\n", re.MULTILINE), ""),
    Rule("a probe before the program listens", re.compile(r"^.*: connect(ion)?: connection refused.*\n", re.M), ""),
    Rule("how often one had to wait", re.compile(r"^Waiting for .*\n", re.MULTILINE), ""),
    Rule("widths of columns", re.compile(r"(?<=\S)  +"), "  "),
)
"""What two runs may differ in. Pictures are not compared: fonts differ. A rule more, and a change less is seen."""
_STEP = re.compile(r"^#(\d+) (.+)$")


@dataclass(frozen=True)
class Found:
    """What became of one lesson: its name, and in which way the recording and the machine agree or do not."""

    lesson: str
    said: Literal["recorded", "as it was recorded", "differs from its recording", "this machine lacks what it needs"]
    difference: str = ""

    @property
    def ok(self) -> bool:
        """Whether the recording is what this machine shows."""
        return self.said.endswith("recorded")


def record(root: Path, wanted: str = "", check: bool = False) -> list[Found]:
    """Run those lessons that have cells to record, and keep what these show.

    Args:
        root: The repository.
        wanted: A chapter (`01`), or one lesson of it (`01/07`); all if left out.
        check: Write nothing; compare what the cells show with what was recorded.

    Returns:
        One for each lesson. A recording from which nothing differs but what `RULES` name is left as it is.

    Raises:
        UserError: No lesson that fits has cells to record, or one did not run to its end.
    """
    notebooks = [path for path in lessons(root, wanted) if recorded_sources(_read(path))]
    if not notebooks:
        raise UserError(f"no lesson of {wanted or 'the course'} has cells to record")
    return [_record_one(path, root, check) for path in notebooks]


def _record_one(path: Path, root: Path, check: bool) -> Found:
    file, lesson = recording_path(path), name_of(path)
    fresh = _run(path, root)
    if not fresh.versions:
        return Found(lesson, "this machine lacks what it needs")
    found = "nothing was recorded before"
    if file.is_file():
        try:
            before = load(file)
        except BuildError as error:
            found = str(error)
        else:
            found = difference(before, fresh)
            if not found and (check or _about(before) == _about(fresh)):
                return Found(lesson, "as it was recorded")
    if check:
        return Found(lesson, "differs from its recording", found)
    save(fresh, file)
    return Found(lesson, "recorded", found)


def _about(recording: Recording) -> tuple[dict[str, str], list[str]]:
    return recording.versions, [cell.source for cell in recording.cells]


def _read(path: Path) -> Any:
    import nbformat

    return nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]


def _run(path: Path, root: Path) -> Recording:
    """Execute a notebook and return what its recorded cells show; without versions if the machine lacks their needs."""
    from course.execute import execute
    from kernels.provisioner import own_kernel_name

    place = root / "build" / "record" / f"{path.parents[1].name}-{path.stem}"
    output = place.with_suffix(".ipynb")
    outcome = execute(path, output, place, lambda cell: None, own_kernel_name())
    versions: dict[str, str] = {}
    cells = []
    for cell in _read(output).cells:
        if cell.cell_type != "code":
            continue
        for shown in cell.outputs:
            versions |= shown.get("data", {}).get(VERSIONS, {})
        if is_recorded(cell):
            cells.append(Cell(cell.source.strip(), _outputs(cell.outputs)))
    if versions and outcome.failure:
        lines = "\n".join([outcome.failure.error, *outcome.failure.last_lines])
        raise UserError(f"{name_of(path)} does not run: cell {outcome.failure.cell}: {lines}")
    return Recording(name_of(path), datetime.date.today().isoformat(), versions, tuple(cells))


def _plain(text: str) -> str:
    """Return text without colours, tabs and blanks at the ends of lines: YAML then shows it line by line."""
    lines = without_escapes(text).expandtabs().splitlines()
    return "".join(f"{line.rstrip()}\n" for line in lines)


def _outputs(shown: list[Any]) -> tuple[Output, ...]:
    found: list[Output] = []
    for one in shown:
        if one.output_type == "stream":
            printed = found.pop()["text"] if found and "text" in found[-1] else ""
            found.append({"text": printed + one.text})
        elif one.output_type == "error":
            continue  # `_run` says so, with the cell
        elif kept := {kind: one.data[kind] for kind in KINDS if kind in one.data}:
            found.append(kept)
    return tuple({kind: text if kind == PICTURE else _plain(text) for kind, text in output.items()} for output in found)


def compared(text: str) -> str:
    """Return what is compared of a text: all but what the rules name.

    Pods are listed by their random names: they are put in order. BuildKit's steps run side by side: of each there is
    its title, and whether it was kept from an earlier build.
    """
    for rule in RULES:
        text = rule.pattern.sub(rule.becomes, text)
    lines: list[str] = []
    for kind, group in groupby(_one_line_a_step(text.splitlines()), _in_any_order):
        rows = list(group)
        lines += sorted(rows) if kind else rows
    return "".join(f"{line}\n" for line in lines)


def _in_any_order(line: str) -> str:
    return "step" if line.startswith("#") else "pod" if re.match(r"\S+-POD ", line) else ""


def _one_line_a_step(lines: list[str]) -> Iterator[str]:
    """Yield lines; of BuildKit's, which tell how far each step is, one a step, `# title: CACHED` or `# title: DONE`."""
    steps: dict[str, list[str]] = {}
    for line in [*lines, "$ "]:  # the end is like another command
        if step := _STEP.match(line):
            steps.setdefault(step[1], []).append(step[2])
        elif line or not steps:
            yield from (f"# {title}: {verdict}" for title, verdict in map(_step, steps.values()))
            steps.clear()
            yield line


def _step(said: list[str]) -> tuple[str, str]:
    """Return the title of a step of BuildKit, and whether it was kept: of one that writes no file, that is chance."""
    title, verdict = said[0], said[-1].removesuffix(" AGE")
    if " FROM " in title or " WORKDIR " in title:  # the first of a stage is named after any stage that begins so
        return re.sub(r"^\[\S+ 1/\d+\]", "[1]", title), "either"
    return title, verdict


def _lines(recording: Recording, commands_only: bool) -> list[str]:
    lines = []
    for cell in recording.cells:
        for output in cell.outputs:
            for kind, text in output.items():
                shown = f"[{kind}]" if kind == PICTURE else compared(text)
                lines += shown.splitlines()
    return [line for line in lines if line.startswith(("$ ", "[exit code"))] if commands_only else lines


def difference(before: Recording, fresh: Recording) -> str:
    """Return how two recordings of a lesson differ, as a diff; nothing if only in what the rules name.

    Programs of other versions word things otherwise: then only the commands and their exit codes are compared.
    """
    others = before.versions != fresh.versions
    old, new = _lines(before, others), _lines(fresh, others)
    return "\n".join(difflib.unified_diff(old, new, "recorded", "shown now", lineterm="", n=1))
