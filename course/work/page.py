"""The page to begin at, `work/START-HERE.md`: what is next, what is there, and which commands help."""

import hashlib
import re
from pathlib import Path
from urllib.parse import quote

from authoring.repository import COMMAND, ROOT
from authoring.syllabus import Lab, Lesson, Syllabus, syllabus_if_any
from base.files import keep_copy, write_text
from course.paths import chapters
from course.progress import Step, steps
from course.work.layout import KEPT, ground
from course.work.manifest import load

NAME = "START-HERE.md"
_SIGNED = re.compile(r"<!-- made by the course: ([0-9a-f]{16}) -->\n\Z")


def _sign(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _is_ours(text: str) -> bool:
    """Whether a page is as it was made: nobody wrote into it."""
    found = _SIGNED.search(text)
    return found is not None and _sign(text[: found.start()]) == found[1]


def _entries(syllabus: Syllabus | None) -> dict[str, Lesson | Lab]:
    """Return what the syllabus says of each lesson (`chapter/name`) and lab."""
    found: dict[str, Lesson | Lab] = {}
    for chapter in syllabus.chapters if syllabus else ():
        found |= {f"{chapter.id}/{lesson.name}": lesson for lesson in chapter.lessons}
        found |= {lab.name: lab for lab in chapter.labs}
    return found


def _link(text: str, path: Path, folder: Path) -> str:
    if not path.is_relative_to(folder):
        return f"{text} (`{path.name}`)"
    return f"[{text}]({quote(path.relative_to(folder).as_posix())})"


def _next(step: Step | None, folder: Path, entries: dict[str, Lesson | Lab], any_steps: bool) -> list[str]:
    if step is None:
        return ["## You have done it all" if any_steps else "## There are no lessons yet"]
    entry = entries.get(f"{step.chapter}/{step.name}" if step.kind == "lesson" else step.name)
    title = entry.title if entry else step.name
    where = f"Lesson {step.chapter[:2]}/{step.name[:2]}" if step.kind == "lesson" else "Lab"
    lines = [f"## Next: {_link(f'{where}, {title}', step.path, folder)}"]
    if entry:
        minutes = f"{entry.minutes} minutes{' to read' if step.kind == 'lesson' else ''}" if entry.minutes else ""
        lines += ["", f"{entry.idea}{f' ({minutes})' if minutes else ''}"]
    if step.note:
        lines += ["", f"So far: {step.note}."]
    return lines


def _chapters(way: list[Step], root: Path, syllabus: Syllabus | None) -> list[str]:
    titles = {one.id: f"{one.number:02d} {one.title}" for one in syllabus.chapters} if syllabus else {}
    lines = ["| chapter | lessons done | labs done |", "|---|---|---|"]
    for chapter in chapters(root):
        counts = []
        for kind in ("lesson", "lab"):
            states = [step.state for step in way if step.kind == kind and step.chapter == chapter]
            counts.append(f"{states.count('done')} of {len(states)}" if states else "-")
        readme, title = ground(root) / chapter / "README.md", titles.get(chapter, chapter)
        lines.append(f"| {_link(title, readme, ground(root)) if readme.is_file() else title} | {' | '.join(counts)} |")
    return lines


def _news(root: Path) -> list[str]:
    """Return what there is to say of new versions that lie beside a learner's own."""
    folder = ground(root)
    names = [name for name, given in load(folder).files.items() if given.beside and (folder / name).is_file()]
    if not names:
        return []
    links = ", ".join(_link(Path(name).name, folder / name, folder) for name in names)
    return ["", f"**New versions beside yours:** {links}. `{COMMAND} reset NAME` takes the new one and keeps yours."]


def page(root: Path = ROOT) -> str:
    """Return the page."""
    way, folder, syllabus = steps(root), ground(root), syllabus_if_any(root)
    upcoming = next((step for step in way if step.state not in ("done", "checked")), None)
    labs = [step for step in way if step.kind == "lab"]
    lab = next((step.name for step in labs if step.state != "done"), labs[-1].name if labs else "LAB")
    glossary = "the [glossary](GLOSSARY.md) explains the words" if (folder / "GLOSSARY.md").is_file() else ""
    lines = [
        "# Start here",
        "",
        "This folder is yours: change and run what you like, and save it. Lessons are in the numbered folders, labs in "
        f"`labs/`{f'; {glossary}' if glossary else ''}.",
        "",
        *_next(upcoming, folder, _entries(syllabus), bool(way)),
        *_news(root),
        "",
        *_chapters(way, root, syllabus),
        "",
        "## In a terminal",
        "",
        "Choose *File*, *New*, *Terminal*, and type",
        "",
        "| what | command |",
        "|---|---|",
        f"| test a lab | `{COMMAND} check {lab}` |",
        f"| get the grader's points and hints | `{COMMAND} check {lab} --full` |",
        f"| see what you have done | `{COMMAND} progress` |",
        f"| get an original back (yours is kept) | `{COMMAND} reset {lab}` |",
        f"| see a solution | `{COMMAND} solution {lab}` |",
        "",
        "*This page is made anew when you save a notebook.*",
        "",
    ]
    return "\n".join(lines)


def write_page(root: Path = ROOT) -> None:
    """Write the page, if anything of it has changed; one that somebody wrote into is kept first."""
    text, path = page(root), ground(root) / NAME
    text += f"<!-- made by the course: {_sign(text)} -->\n"
    before = path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""
    if before == text:
        return
    if before and not _is_ours(before):
        keep_copy(path, ground(root) / KEPT / NAME)
    write_text(path, text)
