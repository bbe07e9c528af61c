"""Duties as data: what applies to the bank on a day, from which source, and what in the repository shows it."""

import ast
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, Literal, Self

import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError, field_validator, model_validator

DUTIES = Path(__file__).with_name("duties.yml")
"""Oakbank's duties. No legal advice: a selection that shows how the law moves."""
NO_EVIDENCE = "no evidence is named"
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class DutyError(ValueError):
    """A file of duties that cannot be used, or no checkout to look for evidence in; the message says what to do."""


class Duty(BaseModel):
    """One duty: from which source, between which days, whose it is, and what shows that it is met."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
    duty: Text
    jurisdiction: Literal["EU", "US"]
    kind: Literal["law", "guidance"]
    source: Text
    in_force_from: date
    in_force_until: date | None = None
    """The first day on which it no longer applies; None: no end is known."""
    who: Text
    evidence: tuple[Text, ...]
    """Tests (`file::test`) and files, relative to the root of the repository. None: nothing shows it yet."""
    reviewed: date
    """When somebody last checked it against the source."""
    note: Text | None = None

    @field_validator("evidence")
    @classmethod
    def _stays_in_the_repository(cls, evidence: tuple[str, ...]) -> tuple[str, ...]:
        for item in evidence:
            path = PurePosixPath(item.partition("::")[0])
            if path.is_absolute() or ".." in path.parts or "\\" in item:
                raise ValueError(f"{item}: write a path from the root of the repository, with /")
        return evidence

    @model_validator(mode="after")
    def _ends_after_it_begins(self) -> Self:
        if self.in_force_until is not None and self.in_force_until <= self.in_force_from:
            raise ValueError(f"in_force_until {self.in_force_until} is not after in_force_from {self.in_force_from}")
        return self

    def applies(self, day: date) -> bool:
        """Return whether it is in force on a day."""
        return self.in_force_from <= day and (self.in_force_until is None or day < self.in_force_until)

    def dates(self) -> tuple[date, ...]:
        """Return the days on which something about it changes."""
        return tuple(day for day in (self.in_force_from, self.in_force_until) if day is not None)


@dataclass(frozen=True)
class Changes:
    """What differs between two days: duties that began and duties that ended."""

    began: tuple[Duty, ...]
    ended: tuple[Duty, ...]


def read_duties(path: str | Path = DUTIES) -> tuple[Duty, ...]:
    """Read a file such as `DUTIES`.

    Raises:
        DutyError: It is missing, no YAML, no list, has an id twice, or a duty lacks something; the message names it.
    """
    try:
        content = yaml.safe_load(Path(path).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise DutyError(f"{path} cannot be read: {error}") from None
    if not isinstance(content, list) or not content:
        raise DutyError(f"{path}: write a list of duties, each beginning with `- id:`")
    duties = tuple(_duty(entry, number, path) for number, entry in enumerate(content, 1))
    ids = [duty.id for duty in duties]
    if twice := sorted({name for name in ids if ids.count(name) > 1}):
        raise DutyError(f"{path}: more than one duty is called {', '.join(twice)}")
    return duties


def _duty(entry: Any, number: int, path: str | Path) -> Duty:
    try:
        return Duty.model_validate(entry)
    except ValidationError as error:
        name = entry.get("id", f"number {number}") if isinstance(entry, dict) else f"number {number}"
        faults = [f"{'.'.join(map(str, fault['loc'])) or 'duty'}: {fault['msg']}" for fault in error.errors()]
        raise DutyError(f"{path}: duty {name}: " + "; ".join(faults)) from None


def in_force(duties: Sequence[Duty], day: date) -> tuple[Duty, ...]:
    """Return the duties that apply on a day, in their order."""
    return tuple(duty for duty in duties if duty.applies(day))


def changes(duties: Sequence[Duty], before: date, after: date) -> Changes:
    """Return what began and what ended between two days. What did both in between is in neither.

    Raises:
        DutyError: `after` is before `before`.
    """
    if after < before:
        raise DutyError(f"{after} is before {before}: give the earlier day first")
    then, now = in_force(duties, before), in_force(duties, after)
    return Changes(
        tuple(duty for duty in now if duty not in then),
        tuple(duty for duty in then if duty not in now),
    )


def passed(duties: Sequence[Duty], today: date) -> tuple[Duty, ...]:
    """Return the duties of which a date has passed since their last review: somebody must check them again."""
    return tuple(duty for duty in duties if any(duty.reviewed < day <= today for day in duty.dates()))


def repository() -> Path:
    """Return the root of the checkout that this module runs from: tests and artefacts lie there.

    Raises:
        DutyError: It runs from an installed package, which has no tests.
    """
    for folder in Path(__file__).resolve().parents:
        if (folder / "uv.lock").is_file():
            return folder
    raise DutyError("there is no repository around this module: give `root`, the folder of the checkout")


def named_tests(path: Path) -> frozenset[str]:
    """Return the names of a file's tests as pytest spells them, `test_x` or `TestX::test_x`, without running any.

    Raises:
        DutyError: It cannot be read, or is no Python.
    """
    try:
        return _tests_in(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, SyntaxError) as error:
        raise DutyError(f"{path} cannot be read as Python: {error}") from None


@lru_cache(maxsize=128)
def _tests_in(source: str) -> frozenset[str]:
    names = set()
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            names.add(node.name)
        elif isinstance(node, ast.ClassDef) and node.name.startswith("Test"):
            methods = [part for part in node.body if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef)]
            names |= {f"{node.name}::{method.name}" for method in methods}
    return frozenset(name for name in names if name.rpartition("::")[2].startswith("test"))


def lacking(duty: Duty, root: str | Path) -> tuple[str, ...]:
    """Return which evidence of a duty does not exist under `root`; see `missing_evidence`."""
    return missing_evidence(duty.evidence, root)


def missing_evidence(evidence: Sequence[str], root: str | Path) -> tuple[str, ...]:
    """Return which tests and files do not exist under `root`. Where none is named, that is `NO_EVIDENCE`.

    That a test exists is all that is looked at: whether it passes is CI's to say.

    Raises:
        DutyError: A file of tests is no Python, or `root` is no folder.
    """
    if not Path(root).is_dir():
        raise DutyError(f"{root} is no folder: give the root of the checkout")
    if not evidence:
        return (NO_EVIDENCE,)
    return tuple(item for item in evidence if not _exists(item, Path(root)))


def _exists(item: str, root: Path) -> bool:
    name, _, test = item.partition("::")
    file = root / name
    if "::" not in item:
        return file.is_file() and file.stat().st_size > 0
    return file.is_file() and test.partition("[")[0] in named_tests(file)


def report(duties: Sequence[Duty], as_of: date, root: str | Path) -> str:
    """Return the duties of a day as a part of an HTML page: red, and in words, where evidence is missing.

    Args:
        duties: At least one. Those not in force on the day are left out.
        as_of: The day. It stands on top, beside the words that this is no legal advice.
        root: Of the repository in which the evidence must exist.

    Raises:
        DutyError: There is no duty at all, or `lacking` cannot look.
    """
    if not duties:
        raise DutyError("there are no duties: read a file with `read_duties`")
    lines = [{"duty": duty, "lacking": lacking(duty, root)} for duty in in_force(duties, as_of)]
    pages = Environment(
        loader=FileSystemLoader(DUTIES.parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
    )
    return pages.get_template("duties.html").render(
        as_of=as_of,
        lines=lines,
        reviewed=min(duty.reviewed for duty in duties),
        passed=[duty.id for duty in passed(duties, as_of)],
    )
