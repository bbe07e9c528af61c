"""The words of the course: `course/glossary.yml`, checked, and the page `GLOSSARY.md` made from it."""

import re
from itertools import groupby
from pathlib import Path
from typing import Annotated, Any

import yaml
from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from authoring.repository import ROOT
from authoring.syllabus import Chapter, Lesson, Syllabus
from base.errors import UserError

SOURCE, PAGE = "course/glossary.yml", "GLOSSARY.md"


class GlossaryError(UserError):
    """A glossary that cannot be used; the message names the file, the entry and what is wanted."""


class Entry(BaseModel):
    """One term: what it means in a sentence or two, and the lesson that teaches it, such as `01/06`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    term: Annotated[str, Field(pattern=r"^[A-Za-z0-9][\w/ -]*\w$|^[A-Za-z]$")]
    lesson: Annotated[str, Field(pattern=r"^\d\d/\d\d$")]
    text: Annotated[str, Field(min_length=20, max_length=240, pattern=r"^[A-Z`].*[.]$")]

    @property
    def anchor(self) -> str:
        """The `#part` of the page that leads to the entry, as GitHub names it."""
        return re.sub(r"[^\w\- ]", "", self.term.lower()).replace(" ", "-")


def lessons_of(syllabus: Syllabus) -> dict[str, tuple[Chapter, Lesson]]:
    """Return every lesson of the course by its id, such as `01/06`."""
    return {
        f"{chapter.number:02d}/{lesson.number:02d}": (chapter, lesson)
        for chapter in syllabus.chapters
        for lesson in chapter.lessons
    }


def load_glossary(syllabus: Syllabus, root: Path = ROOT) -> list[Entry]:
    """Read `course/glossary.yml`.

    Raises:
        GlossaryError: It is missing, is not YAML, a field does not fit, a lesson is not in the syllabus, two terms
            share an anchor (letters `a` to `z` are those of the page itself), or the order is not the alphabet's.
    """
    path = root / SOURCE
    try:
        data: Any = yaml.safe_load(path.read_text(encoding="utf-8"))
        entries = TypeAdapter(list[Entry]).validate_python(data)
    except FileNotFoundError:
        raise GlossaryError(f"{path} is missing: it holds the words of the course") from None
    except yaml.YAMLError as error:
        raise GlossaryError(f"{path} is not valid YAML: {error}") from None
    except ValidationError as error:
        first = error.errors()[0]
        where = first["loc"][0] if first["loc"] else ""
        term = data[where].get("term", where) if isinstance(where, int) and isinstance(data[where], dict) else where
        raise GlossaryError(f"{path}: {term}: {'.'.join(map(str, first['loc'][1:]))}: {first['msg']}") from None
    known = lessons_of(syllabus)
    taken = {initial(entry).lower(): f"the heading {initial(entry)}" for entry in entries}
    for before, entry in zip([None, *entries], entries, strict=False):
        if entry.lesson not in known:
            raise GlossaryError(f"{path}: {entry.term}: there is no lesson {entry.lesson} in the syllabus")
        if entry.anchor in taken:
            raise GlossaryError(f"{path}: {entry.term}: its anchor #{entry.anchor} is that of {taken[entry.anchor]}")
        taken[entry.anchor] = entry.term
        if before and before.term.casefold() > entry.term.casefold():
            raise GlossaryError(f"{path}: {entry.term} stands after {before.term}: keep to the alphabet")
    return entries


def initial(entry: Entry) -> str:
    """Return the letter under which an entry stands on the page."""
    return entry.term[0].upper()


def glossary_page(entries: list[Entry], syllabus: Syllabus) -> str:
    """Return `GLOSSARY.md`: a heading for each term, and a link to its lesson where that is written."""
    known = lessons_of(syllabus)
    letters = [letter for letter, _ in groupby(entries, initial)]
    lines = [
        f"<!-- generated from {SOURCE} by `course build`; do not edit -->",
        "# Glossary",
        "",
        "The words of the course under the names that the field uses, each with the lesson that teaches it.",
        "",
        " · ".join(f"[{letter}](#{letter.lower()})" for letter in letters),
    ]
    for letter, group in groupby(entries, initial):
        lines += ["", f"## {letter}"]
        for entry in group:
            chapter, lesson = known[entry.lesson]
            title = f"{entry.lesson} {lesson.title}"
            where = (
                f"[{title}]({chapter.notebook(lesson)})" if lesson.status == "ready" else f"{title} (not written yet)"
            )
            lines += ["", f"### {entry.term}", "", f"{entry.text} *{where}*"]
    return "\n".join(lines) + "\n"
