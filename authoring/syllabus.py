"""The syllabus as data: chapters, lessons and labs from `course/syllabus.yml`, checked."""

import re
from functools import cache
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from authoring.repository import ROOT
from base.errors import UserError

LAB_MINUTES = (45, 90)

Status = Literal["ready", "planned"]
Sentence = Annotated[str, Field(min_length=20, pattern=r"[.?]$")]
Words = Annotated[list[Annotated[str, Field(min_length=1)]], Field(min_length=1)]


class SyllabusError(UserError):
    """A syllabus that cannot be used; the message names the file, the field and what is wanted."""


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def tour_stem(system: str) -> str:
    """Return the file stem of the tour of a system: its name in lower case, what is no letter or digit a hyphen."""
    return re.sub(r"[^a-z0-9]+", "-", system.lower()).strip("-")


class Outcome(_Strict):
    """What a learner can do after a lesson, in its own words, and what measures it: see `authoring.lesson.outcomes`."""

    can: str
    by: Words


class Lesson(_Strict):
    """One lesson. `minutes` is what it states; None as long as it is not written.

    `typed` says of each system what the learner types of it, see `authoring.lesson.typed`.
    """

    number: int = Field(ge=1)
    name: str = Field(pattern=r"^\d\d-[a-z0-9-]+$", description="file stem")
    title: str
    idea: Sentence
    topics: Words
    systems: Words
    typed: dict[str, Words] = {}
    tours: list[str] = []
    outcomes: list[Outcome] = []
    status: Status
    minutes: int | None = None

    @model_validator(mode="after")
    def _typed_fit(self) -> "Lesson":
        if unknown := set(self.typed) - set(self.systems):
            raise ValueError(f"{self.name}: typed names {sorted(unknown)}, which are not among its systems")
        return self


class Lab(_Strict):
    """One graded lab: the numbers of the lessons it measures, and the minutes it is cut for (None: not written)."""

    name: str = Field(pattern=r"^\d\d-[a-z0-9-]+$", description="name of its folder in labs/ and solutions/")
    title: str
    idea: Sentence
    lessons: list[int] = []
    minutes: int | None
    status: Status

    @model_validator(mode="after")
    def _minutes_fit(self) -> "Lab":
        low, high = LAB_MINUTES
        if self.status == "ready" and (self.minutes is None or not low <= self.minutes <= high):
            raise ValueError(f"{self.name} is ready and must take {low} to {high} minutes, not {self.minutes}")
        if self.status == "planned" and self.minutes is not None:
            raise ValueError(f"{self.name} is planned: leave its minutes null until it is written")
        return self


class Chapter(_Strict):
    """One chapter: what a learner can do after it, its lessons and labs in order."""

    id: str = Field(pattern=r"^\d\d-[a-z0-9-]+$", description="name of its folder in chapters/")
    title: str
    outcomes: list[Sentence] = Field(min_length=3, max_length=5)
    lessons: list[Lesson]
    labs: list[Lab]

    @property
    def number(self) -> int:
        """The chapter's number, 1 to 5."""
        return int(self.id[:2])

    @property
    def tours(self) -> list[str]:
        """Outside systems that the chapter shows in scripts with their own environment, in order, once each."""
        return list(dict.fromkeys(tour for lesson in self.lessons for tour in lesson.tours))

    def source(self, lesson: Lesson) -> str:
        """Return the path of a lesson's text, relative to the root of the repository."""
        return f"chapters/{self.id}/lessons/{lesson.name}.py"

    def notebook(self, lesson: Lesson) -> str:
        """Return the path of a lesson's notebook, relative to the root of the repository."""
        return f"chapters/{self.id}/notebooks/{lesson.name}.ipynb"

    def tour(self, system: str) -> str:
        """Return the path of the script that tours `system`, relative to the root of the repository."""
        return f"chapters/{self.id}/tours/{tour_stem(system)}.py"

    @model_validator(mode="after")
    def _in_order(self) -> "Chapter":
        for number, lesson in enumerate(self.lessons, 1):
            if lesson.number != number or not lesson.name.startswith(f"{number:02d}-"):
                raise ValueError(
                    f"lesson {lesson.name} has number {lesson.number} at place {number}: "
                    "place, number and name must agree"
                )
        for lab in self.labs:
            if not lab.name.startswith(f"{self.number:02d}-"):
                raise ValueError(f"lab {lab.name} must start with the chapter's number, {self.number:02d}-")
            if unknown := set(lab.lessons) - {lesson.number for lesson in self.lessons}:
                raise ValueError(f"lab {lab.name} measures lessons {sorted(unknown)}, which are not in {self.id}")
            if not lab.lessons:
                raise ValueError(f"lab {lab.name} measures no lesson: name at least one")
        return self


class Syllabus(_Strict):
    """The course: five chapters and the capstone."""

    chapters: list[Chapter] = Field(min_length=1)
    capstone: Lab

    @property
    def labs(self) -> list[Lab]:
        """All labs of the chapters, in order (without the capstone)."""
        return [lab for chapter in self.chapters for lab in chapter.labs]

    @field_validator("chapters")
    @classmethod
    def _names_once(cls, chapters: list[Chapter]) -> list[Chapter]:
        ids = [chapter.id for chapter in chapters]
        for number, name in enumerate(ids, 1):
            if not name.startswith(f"{number:02d}-"):
                raise ValueError(f"chapter {name} at place {number}: place and name must agree")
        labs = [lab.name for chapter in chapters for lab in chapter.labs]
        if twice := {name for name in labs if labs.count(name) > 1}:
            raise ValueError(f"these labs are named twice: {sorted(twice)}")
        return chapters


def stated_minutes(text: str) -> int | None:
    """Return the minutes that a lesson's text states; None if it states none."""
    found = re.search(r"(\d+) minutes? to read", text)
    return int(found.group(1)) if found else None


def load_syllabus(root: Path = ROOT) -> Syllabus:
    """Read `course/syllabus.yml`, and of each lesson that is there the minutes that it states.

    Raises:
        SyllabusError: The file is missing, is not YAML, or a field does not fit.
    """
    path = root / "course" / "syllabus.yml"
    try:
        data: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise SyllabusError(f"{path} is missing: it says what the course teaches") from None
    except yaml.YAMLError as error:
        raise SyllabusError(f"{path} is not valid YAML: {error}") from None
    try:
        syllabus = Syllabus.model_validate(data)
    except ValidationError as error:
        problems = [f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors()[:5]]
        raise SyllabusError(f"{path}: " + "; ".join(problems)) from None
    for chapter in syllabus.chapters:
        for lesson in chapter.lessons:
            if lesson.minutes is not None:
                raise SyllabusError(f"{path}: {lesson.name}: minutes are the lesson's own; delete the line")
    return _measured(syllabus, root)


@cache
def _read_at(root: Path, modified: int) -> Syllabus | None:
    try:
        return load_syllabus(root)
    except SyllabusError:
        return None


def syllabus_if_any(root: Path = ROOT) -> Syllabus | None:
    """Return the syllabus of a course, read anew when its file has changed; None where there is none to read."""
    path = root / "course" / "syllabus.yml"
    return _read_at(root, path.stat().st_mtime_ns) if path.is_file() else None


def _measured(syllabus: Syllabus, root: Path) -> Syllabus:
    chapters = []
    for chapter in syllabus.chapters:
        lessons = []
        for lesson in chapter.lessons:
            path = root / chapter.source(lesson)
            minutes = None
            if lesson.status == "ready" and path.is_file():
                minutes = stated_minutes(path.read_text(encoding="utf-8", errors="replace"))
            lessons.append(lesson.model_copy(update={"minutes": minutes}))
        chapters.append(chapter.model_copy(update={"lessons": lessons}))
    return syllabus.model_copy(update={"chapters": chapters})


def disagreements(syllabus: Syllabus, root: Path = ROOT) -> list[str]:
    """Return where the syllabus and the files do not agree, either way; empty when all is well."""
    wanted: dict[str, Status] = {}
    for chapter in syllabus.chapters:
        wanted |= {chapter.source(lesson): lesson.status for lesson in chapter.lessons}
    for lab in [*syllabus.labs, syllabus.capstone]:
        wanted[f"solutions/{lab.name}/{lab.name}.py"] = lab.status
    found = [*root.glob("chapters/*/lessons/*.py"), *root.glob("solutions/*/*.py")]
    there = {path.relative_to(root).as_posix() for path in found}
    problems = [f"{path}: ready in the syllabus, but there is no such file" for path in wanted
                if wanted[path] == "ready" and path not in there]  # fmt: skip
    problems += [f"{path}: written, but planned in the syllabus" for path in wanted
                 if wanted[path] == "planned" and path in there]  # fmt: skip
    problems += [f"{path}: not in the syllabus" for path in sorted(there - set(wanted))]
    tours = {chapter.tour(system) for chapter in syllabus.chapters for system in chapter.tours}
    scripts = {path.relative_to(root).as_posix() for path in root.glob("chapters/*/tours/*.py")}
    problems += [f"{path}: a tour of no system in the syllabus" for path in sorted(scripts - tours)]
    return problems
