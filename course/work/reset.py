"""Brings the original of a lesson or lab back, and keeps what was there; puts a lab's solution beside it."""

from pathlib import Path

from authoring.repository import COMMAND, ROOT
from base.errors import UserError
from base.files import keep_copy, write_bytes
from base.text import pick
from course.paths import WORK, labs, lessons
from course.work.layout import KEPT, SOLUTIONS, Item
from course.work.page import write_page
from course.work.update import Ground, at_work


def find(wanted: str, here: Ground) -> list[Item]:
    """Return what is given out of one lesson or lab.

    Args:
        wanted: A lab or a lesson, or the start of exactly one name; `02/07`; or the path of a copy.
        here: The learner's folder.

    Raises:
        UserError: Nothing fits, or more than one does.
    """
    for place in (Path(wanted), here.root / wanted, here.folder / wanted):
        path = place.resolve()
        if path.is_relative_to(here.folder.resolve()) and (path.is_file() or path.is_dir()):
            name = path.relative_to(here.folder.resolve()).as_posix()
            found = [item for item in here.items if item.copy == name or item.copy.startswith(f"{name}/")]
            notebooks = {item.copy for item in found if item.kind in ("lesson", "lab")}
            if len(notebooks) == 1:
                return _whole(found, here)
    if "/" in wanted:
        found_lessons = lessons(here.root, wanted)
        if len(found_lessons) != 1:
            raise UserError(f"{wanted} is {len(found_lessons)} lessons: name one, such as {wanted.strip('/')}/01")
        source = found_lessons[0].relative_to(here.root).as_posix()
    else:
        names = {path.stem: path.relative_to(here.root).as_posix() for path in lessons(here.root)}
        names |= {name: f"labs/{name}/{name}.ipynb" for name in labs(here.root)}
        source = names[pick(wanted, sorted(names), "lesson or lab")]
    return _whole([item for item in here.items if item.source == source], here)


def _whole(found: list[Item], here: Ground) -> list[Item]:
    """Return with a lab's notebook what lies beside it."""
    folders = {Path(item.source).parent.as_posix() + "/" for item in found if item.kind == "lab"}
    return [item for item in here.items if item in found or item.source.startswith(tuple(folders))]


def reset(root: Path = ROOT, wanted: str = "") -> list[str]:
    """Bring an original back into the learner's folder; what was there is kept.

    Args:
        root: The course's folder.
        wanted: A lesson or lab, see `find`; all of them if empty.

    Returns:
        What was done, a sentence each.

    Raises:
        UserError: Nothing fits, or the original is not in the course's folder; nothing was changed.
    """
    with at_work(root) as here:
        said = list[str]()
        chosen = find(wanted, here) if wanted else here.items
        originals = {item: here.original(item) for item in chosen}
        for item, original in originals.items():
            if original is None or not original.version:
                raise UserError(
                    f"{item.source} in the course's own folder was worked in, so the original is not there: "
                    f"`{COMMAND} build --aside --only {item.source}` makes it whole again (and keeps what was written "
                    "in var/kept/); then run the same command again"
                )
        for item, original in originals.items():
            assert original is not None
            mine = here.now(item) if here.path(item).exists() else None
            if mine and mine.same(original.contents.cells) and not mine.executed:
                here.note(item, original.given())
                if item.kind in ("lesson", "lab") and wanted:
                    said.append(f"{here.shown(item.copy)} is as it came already.")
                continue
            kept = f"; yours is kept as {here.keep(item)}" if here.path(item).exists() else ""
            here.write(item, original.content, original.given())
            said.append(f"{here.shown(item.copy)} is as it came{kept}.")
        here.save()
        write_page(root)
    return said or ["Everything is as it came already."]


def solution(wanted: str, root: Path = ROOT) -> Path:
    """Copy the solution of a lab into the learner's folder, and return where it is.

    Raises:
        UserError: There is no such lab, or its solution is not in the course's folder.
    """
    name = pick(wanted, labs(root), "lab")
    source = root / "solutions" / name / f"{name}.ipynb"
    if not source.is_file():
        raise UserError(f"the solution of {name} is not in this folder: ask who gave you the course")
    with at_work(root) as here:
        target = here.folder / SOLUTIONS / f"{name}.ipynb"
        if target.exists() and target.read_bytes() != source.read_bytes():
            keep_copy(target, here.folder / KEPT / SOLUTIONS / target.name)
        write_bytes(target, source.read_bytes())
    return root / WORK / SOLUTIONS / target.name
