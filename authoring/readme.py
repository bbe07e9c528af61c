"""The syllabus -> the tables in README.md and the README of every chapter."""

import re
from pathlib import Path

from authoring.syllabus import Chapter, Lab, Lesson, Syllabus
from authoring.tours import load_results
from base.errors import BuildError

START, END = "<!-- generated: chapters -->", "<!-- end generated -->"
NOT_WRITTEN = "not written yet"


def _minutes(one: Lesson | Lab) -> str:
    return f"{one.minutes} min" if one.minutes is not None else NOT_WRITTEN


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _title(one: Lesson | Lab, link: str) -> str:
    return f"[{_cell(one.title)}]({link})" if one.status == "ready" else _cell(one.title)


def chapters_table(syllabus: Syllabus) -> str:
    """Return the region of README.md: chapters with what is written of them, then the lessons one can open now."""
    rows = ["| chapter | lessons | labs |", "|---|---|---|"]
    for chapter in syllabus.chapters:
        counts = [
            f"{sum(one.status == 'ready' for one in many)} of {len(many)} written"
            for many in (chapter.lessons, chapter.labs)
        ]
        link = f"[{chapter.number:02d} {_cell(chapter.title)}](chapters/{chapter.id}/README.md)"
        rows.append(f"| {link} | {counts[0]} | {counts[1]} |")
    capstone = syllabus.capstone
    rows += [
        "",
        f"Capstone, *{capstone.title}* ({_minutes(capstone)}): {capstone.idea}",
        "",
        "Written so far:",
        "",
        "| lesson | what it is about | time |",
        "|---|---|---|",
    ]
    for chapter in syllabus.chapters:
        for lesson in chapter.lessons:
            if lesson.status == "ready":
                title = f"{chapter.number:02d}/{lesson.number:02d} {_title(lesson, chapter.notebook(lesson))}"
                rows.append(f"| {title} | {_cell(lesson.idea)} | {_minutes(lesson)} |")
    rows += ["", "| lab | what you build | time |", "|---|---|---|"]
    for lab in syllabus.labs:
        if lab.status == "ready":
            rows.append(f"| {_title(lab, f'labs/{lab.name}/{lab.name}.ipynb')} | {_cell(lab.idea)} | {_minutes(lab)} |")
    return "\n".join(rows)


def main_readme(text: str, syllabus: Syllabus) -> str:
    """Return README.md with its generated region renewed.

    Raises:
        BuildError: The marks of the region are not there once each, in order.
    """
    if text.count(START) != 1 or text.count(END) != 1 or text.index(START) > text.index(END):
        raise BuildError(f"README.md needs one line `{START}` and one `{END}` after it, for the table of chapters")
    region = f"{START}\n{chapters_table(syllabus)}\n{END}"
    return re.sub(re.escape(START) + ".*" + re.escape(END), lambda _: region, text, flags=re.DOTALL)


def _tours(chapter: Chapter, root: Path) -> list[str]:
    results = load_results(chapter, root)
    more = ["statements", "took", "it stores", "it asks of you"] if results else []
    rows = []
    if results:
        rows += [
            "The columns are told by the scripts themselves, each in one run (`python -m course.tours "
            f"{chapter.id}`): statements in its function `solve`, and the time of the task with the system as times "
            "that of something plain, beside it on the same machine. Read these as orders of magnitude: another run of "
            "the same script can differ by a factor of two.",
            "",
        ]
    heads = ["system", "shown in lesson", "script", *more]
    rows += [f"| {' | '.join(heads)} |", "|---" * len(heads) + "|"]
    for system in chapter.tours:
        shown = ", ".join(f"{lesson.number:02d}" for lesson in chapter.lessons if system in lesson.tours)
        script = chapter.tour(system)
        name = script.rpartition("/")[2]
        row = [system, shown, f"[{name}](tours/{name})" if (root / script).is_file() else NOT_WRITTEN]
        if result := results.get(system):
            ran = "" if result.ran else " (not on the system itself)"
            row += [str(result.lines), result.took + ran, result.stores, result.asks]
        elif results:
            row += [""] * len(more)
        rows.append(f"| {' | '.join(_cell(text) for text in row)} |")
    return rows


def chapter_readme(chapter: Chapter, root: Path) -> str:
    """Return the README of a chapter: outcomes, lessons, labs, cards of tools, tours of outside systems."""
    lines = [
        "<!-- generated from course/syllabus.yml by `course build`; do not edit -->",
        f"# {chapter.number:02d} {chapter.title}",
        "",
        "After this chapter you can:",
        "",
        *(f"- {outcome}" for outcome in chapter.outcomes),
        "",
        "## Lessons",
        "",
        "The minutes are for the text, the code and what it shows; each lesson states them, the build reckons them.",
        "",
        "| | lesson | what it is about | topics | systems | time |",
        "|---|---|---|---|---|---|",
    ]
    for lesson in chapter.lessons:
        title = _title(lesson, f"notebooks/{lesson.name}.ipynb")
        columns = [_cell(lesson.idea), _cell(", ".join(lesson.topics)), _cell(", ".join(lesson.systems))]
        lines.append(f"| {lesson.number:02d} | {title} | {' | '.join(columns)} | {_minutes(lesson)} |")
    lines += ["", "## Labs", "", "| lab | what you build | measures lessons | time |", "|---|---|---|---|"]
    for lab in chapter.labs:
        title = _title(lab, f"../../labs/{lab.name}/{lab.name}.ipynb")
        numbers = ", ".join(f"{number:02d}" for number in lab.lessons)
        lines.append(f"| {title} | {_cell(lab.idea)} | {numbers} | {_minutes(lab)} |")
    if cards := sorted((root / "chapters" / chapter.id / "cards").glob("*.md")):
        titles = {card.name: card.read_text(encoding="utf-8").partition("\n")[0].removeprefix("# ") for card in cards}
        lines += ["", "## Cards", "", "A page a tool, to have beside you at work; every command on it ran."]
        lines += ["", *(f"- [{title}](cards/{name})" for name, title in titles.items())]
    if chapter.tours:
        lines += [
            "",
            "## Tours",
            "",
            "Systems that need an environment of their own: one script each, with its own lock. From the root of the "
            "repository: `python3 bootstrap.py tour NAME`. What a tour could not run, it says in its last line.",
            "",
        ]
        lines += _tours(chapter, root)
    return "\n".join(lines) + "\n"
